//! Addresses of BYOIP pools, which come in untranslated (R-ROUTE-3, A-13).

use ipnet::IpNet;
use reachproof_model::id::{EniId, RouteTableId};

use super::explore::Explorer;
use super::state::{Place, State, Tag};
use super::view::intervals_of;
use crate::header::{Family, Set};
use crate::network::{NextHop, Origin, Sink};

impl Explorer<'_, '_, '_> {
    /// R-ROUTE-3, A-13: BYOIP pools come in untranslated, by their table, to one interface.
    pub(super) fn enter_pools(&mut self, state: &State, set: Set) {
        if state.view.family == Family::V6 {
            return;
        }
        let pools: Vec<(Option<Vec<IpNet>>, RouteTableId)> = self
            .network()
            .pool_tables()
            .map(|(pool, table)| (self.network().pool_ranges(pool), table))
            .collect();
        for (ranges, table) in pools {
            let part = match ranges {
                Some(ranges) => {
                    self.keep(set, &state.view, state.view.destination, &intervals_of(&ranges, Family::V4))
                }
                None => set,
            };
            self.push(state.at(Place::Pool { table }).with_origin(Origin::Internet), part);
        }
    }

    /// whatever the check says, the interface gets the packet with the pool's address.
    pub(super) fn pool(&mut self, table: RouteTableId, state: &State, set: Set) {
        let index = self.index;
        let Some(fib) = index.fib(table, state.view.family, self.world, &self.reads) else { return };
        for (hop, intervals) in &fib.targets {
            let part = self.keep(set, &state.view, state.view.destination, intervals);
            match hop {
                NextHop::Interface(interface) => self.receive_from_pool(*interface, state, part),
                NextHop::Component(component) => self.arrive(Sink::Component(*component), state, part),
                _ => {}
            }
        }
    }

    fn receive_from_pool(&mut self, interface: EniId, state: &State, set: Set) {
        for subnet in self.network().subnets_of(interface) {
            let entered = self.enter(subnet, None, state, set);
            let filter = self.group_in(interface, Tag::None, &state.view);
            let admitted = self.arena.intersection(entered, filter);
            self.arrive(Sink::Interface(interface), state, admitted);
            for component in self.network().components_at(interface) {
                self.arrive(Sink::Component(*component), state, admitted);
            }
        }
    }
}
