//! What neighbours of a subnet may hand each other without any router: IPv6 link-local packets, and frames for others.

use reachproof_model::flow::World;
use reachproof_model::id::{EniId, SubnetId};

use super::explore::Explorer;
use super::state::State;
use super::view::{Address, Intervals, View, intervals_of};
use crate::header::{Family, Set};
use crate::network::{Role, SpecialBlock};

impl Explorer<'_, '_, '_> {
    /// R-ADDR-15, A-33: IPv6 link-local addresses, which no call shows, inside a subnet with IPv6.
    pub(super) fn link_local(&mut self, subnet: SubnetId, sender: Option<EniId>, state: &State, set: Set) {
        if self.world == World::Under || state.view.family == Family::V4 || !self.is_dual(subnet) {
            return;
        }
        let local = self.link_local_intervals(state.view.family);
        let there = self.keep(set, &state.view, state.view.destination, &local);
        if there.is_empty() {
            return;
        }
        if self.open.is_some() {
            return self.note_beyond(there);
        }
        // Of a class of senders each may hear the others, though not itself.
        let alone = self.replying() || self.senders.len() < 2;
        for neighbour in self.network().interfaces_in_subnet(subnet) {
            if (!alone || Some(*neighbour) != sender) && self.is_aimed_at(*neighbour) {
                self.receive_link_local(*neighbour, state, there);
            }
        }
    }

    fn is_dual(&self, subnet: SubnetId) -> bool {
        self.network().subnet_blocks(subnet, self.world).iter().any(|block| block.addr().is_ipv6())
    }

    /// fe80::/10, which never leaves a subnet.
    pub(super) fn link_local_intervals(&self, family: Family) -> Intervals {
        intervals_of(&SpecialBlock::LinkLocalV6.blocks(), family)
    }

    /// R-ADDR-15, A-33: the link-local addresses from which a guest in a subnet with IPv6 may send.
    pub(super) fn link_local_sources(&mut self, interface: EniId) -> Set {
        let subnets = self.network().subnets_of(interface);
        if self.world == World::Under || !subnets.into_iter().any(|subnet| self.is_dual(subnet)) {
            return Set::EMPTY;
        }
        let local = self.link_local_intervals(self.family);
        self.among(&View::sent(self.family), Address::Source, &local)
    }

    fn receive_link_local(&mut self, neighbour: EniId, state: &State, set: Set) {
        let network = self.network();
        if !network.live(neighbour, self.world).value || self.avoids(&network.interface(neighbour).meta.id) {
            return;
        }
        if self.replying() {
            if self.senders.contains(&neighbour) {
                let back = self.back_at_sender(&state.view, set);
                self.answered = self.arena.union(self.answered, back);
            }
            return self.enter_components(neighbour, state, set);
        }
        let filter = self.group_in(neighbour, state.tag, &state.view);
        let admitted = self.arena.intersection(set, filter);
        self.deliver_to(neighbour, state, admitted);
        self.enter_components(neighbour, state, admitted);
    }

    /// R-MBX-9: whatever is in a subnet may hand any packet to an unchecked neighbour.
    pub(super) fn hand_to_neighbours(
        &mut self,
        subnet: SubnetId,
        sender: Option<EniId>,
        state: &State,
        set: Set,
    ) {
        if self.world == World::Under || set.is_empty() {
            return;
        }
        let network = self.network();
        for neighbour in network.interfaces_in_subnet(subnet) {
            let takes = matches!(Role::of(network.interface(*neighbour)), Role::Plain | Role::Vlan)
                && !network.checks_addresses(*neighbour).value
                && network.live(*neighbour, self.world).value;
            if takes && Some(*neighbour) != sender && !network.components_at(*neighbour).is_empty() {
                self.hand_to_unchecked(*neighbour, state, set);
            }
        }
    }

    fn hand_to_unchecked(&mut self, neighbour: EniId, state: &State, set: Set) {
        let filter =
            if self.replying() { Set::FULL } else { self.group_in(neighbour, state.tag, &state.view) };
        let admitted = self.arena.intersection(set, filter);
        self.enter_components(neighbour, state, admitted);
    }
}
