//! NAT gateways: translation of what goes out, and its undoing for replies (section 8).

use reachproof_model::flow::{Protocol, World};
use reachproof_model::id::{EniId, NatId, SubnetId, VpcId};

use super::edge::covers;
use super::explore::Explorer;
use super::state::{Crossed, Place, State, Tag};
use super::view::{Address, MAPPED_PORTS, NAT64_BASE, Port, View, intervals_of, number_v4};
use crate::header::{Family, Field, Set};
use crate::network::{GatewayKind, Nat, NatSource, NextHop, Origin, Sink, SpecialBlock, unroutable};

impl Explorer<'_, '_, '_> {
    /// R-NAT-2, 3, 7: into a NAT gateway.
    pub(super) fn nat(&mut self, nat: NatId, vpc: VpcId, from: Option<SubnetId>, state: &State, set: Set) {
        let network = self.network();
        let Some(record) = network.nat(nat) else { return };
        // Behind the gateway everything depends on the destination, which translation keeps: a second passage only repeats
        // the first, so the packet loops. This also keeps the list of crossings finite (R-CORE-7).
        let again = state.nats.iter().any(|crossed| crossed.nat == nat);
        let forbidden = again || matches!(state.origin, Origin::Internet | Origin::Virtual | Origin::Peering);
        let allowed = network.encryption_allows(vpc, Some("NatGateway"), self.world).value;
        if forbidden
            || self.replying()
            || !allowed
            || self.avoids(&network.snapshot.nat_gateways[nat].meta.id)
        {
            return;
        }
        let (view, set) = self.accepted(state, set);
        let entered = self.enter_nat(record, from, state, set);
        let before = State { view, ..state.clone() };
        for (position, source) in network.nat_sources(nat, self.world).into_iter().enumerate() {
            let crossed = Crossed {
                nat,
                source: u16::try_from(position).unwrap_or(u16::MAX),
                before: state.view,
                from,
            };
            self.translate(record, vpc, source, crossed, &before, entered);
        }
    }

    /// R-NAT-2, R-NAT-8: the protocols and families that are translated, with the destination as it will be.
    fn accepted(&mut self, state: &State, set: Set) -> (View, Set) {
        let view = state.view;
        if view.family == Family::V4 {
            let translatable = self.of_protocols(&view, &[Protocol::TCP, Protocol::UDP, Protocol::ICMP]);
            return (view, self.arena.intersection(set, translatable));
        }
        let block = intervals_of(&SpecialBlock::Nat64.blocks(), Family::V6);
        let set = self.keep(set, &view, view.destination, &block);
        let ports = self.of_protocols(&view, &[Protocol::TCP, Protocol::UDP]);
        let echo = if self.world == World::Over { self.echo_requests(&view) } else { Set::EMPTY };
        let translatable = self.arena.union(ports, echo);
        let destination = match view.destination {
            Address::Fixed(value) => Address::Fixed(value.saturating_sub(NAT64_BASE)),
            _ => Address::Embedded,
        };
        // The source is replaced below; until then no IPv4 filter may take the IPv6 one for an IPv4 address.
        let v4 = View { family: Family::V4, destination, source: Address::Fixed(u128::MAX), ..view };
        (v4, self.arena.intersection(set, translatable))
    }

    /// R-NACL-7, A-14: into the gateway's subnet; as the packet is before translation; whether a client in
    /// that very subnet is filtered is not settled (R-NAT-11).
    fn enter_nat(&mut self, nat: &Nat, from: Option<SubnetId>, state: &State, set: Set) -> Set {
        let Some(subnet) = nat.subnet else { return set };
        if from == Some(subnet) && self.world == World::Under {
            let acl = self.acl_in(subnet, &state.view);
            return self.arena.intersection(set, acl);
        }
        self.enter(subnet, from, state, set)
    }

    fn translate(
        &mut self,
        nat: &Nat,
        vpc: VpcId,
        source: NatSource,
        crossed: Crossed,
        state: &State,
        set: Set,
    ) {
        let address = if nat.regional { source.public } else { source.private };
        let Some(address) = address else { return };
        let set = self.free_mapped_port(set);
        let view = View {
            source: Address::Fixed(number_v4(address)),
            source_port: if state.view.port == Port::Destination {
                Port::Mapped
            } else {
                state.view.source_port
            },
            ..state.view
        };
        let mut next = state.at(Place::Translated { nat: nat.id, vpc }).seen(view);
        next.nats.push(crossed);
        self.push(next.tagged(Tag::None).with_origin(Origin::Local), set);
    }

    /// R-NAT-2: the gateway chooses the source port anew.
    fn free_mapped_port(&mut self, set: Set) -> Set {
        let forgotten = self.arena.exists(set, Field::MappedPort);
        let (lo, hi) = MAPPED_PORTS;
        let chosen = self.arena.interval(Field::MappedPort, lo, hi);
        self.arena.intersection(forgotten, chosen)
    }

    /// R-NAT-4, R-NAT-9: onward from a NAT gateway by its own table.
    pub(super) fn translated(&mut self, nat: NatId, vpc: VpcId, state: &State, set: Set) {
        let Some(record) = self.network().nat(nat) else { return };
        match record.subnet {
            Some(subnet) if !record.regional => self.send_translated(subnet, state, set),
            _ => self.send_regional(nat, vpc, state, set),
        }
    }

    /// R-NACL-6, A-14: whether neighbours of the gateway's subnet are reached on-link or by the router, and whether that
    /// is filtered, is not settled: the permissive world takes both ways unfiltered, the restrictive one wants the router
    /// and both directions of the list.
    pub(super) fn send_translated(&mut self, subnet: SubnetId, state: &State, set: Set) {
        let link = self.link_of(subnet, state.view.family);
        let on_link = self.keep(set, &state.view, state.view.destination, &link);
        let off_link = self.arena.difference(set, on_link);
        let leaving = match self.world {
            World::Over => {
                self.on_link(subnet, state, on_link);
                self.route_from(subnet, state, on_link);
                off_link
            }
            World::Under => {
                let back = self.acl_in(subnet, &state.view);
                let near = self.arena.intersection(on_link, back);
                self.arena.union(near, off_link)
            }
        };
        self.push(state.at(Place::Leave(subnet)), leaving);
    }

    /// R-NAT-9: by its own table; straight to the internet with its public address.
    fn send_regional(&mut self, nat: NatId, vpc: VpcId, state: &State, set: Set) {
        let dropped = intervals_of(&SpecialBlock::PrivateV4.blocks(), Family::V4);
        let unroutable = intervals_of(&unroutable(self.world), Family::V4);
        let set = self.without(set, &state.view, state.view.destination, &unroutable);
        for choice in self.network().nat_tables(nat, self.world).value {
            for (hop, intervals) in self.targets_of(choice, vpc, Family::V4) {
                let part = self.keep(set, &state.view, state.view.destination, &intervals);
                if self.is_internet(hop, vpc) {
                    let part = self.without(part, &state.view, state.view.destination, &dropped);
                    self.push(state.at(Place::Internet), part);
                } else if self.world == World::Over {
                    self.regional_elsewhere(nat, hop, state, part);
                }
            }
        }
    }

    /// R-NAT-9, R-BPA-4: whether the hop is an internet gateway that Block Public Access leaves usable. There is no
    /// subnet to be excluded, so the restrictive world needs the block to be off for every subnet of the VPC.
    fn is_internet(&self, hop: NextHop, vpc: VpcId) -> bool {
        let NextHop::Gateway(gateway) = hop else { return false };
        let network = self.network();
        let open = || {
            let mut own = network.subnets_in_vpc(vpc).iter();
            own.all(|subnet| network.internet_may_be_sent_to(*subnet, true, false, self.world).value)
        };
        network.gateways()[gateway].kind == GatewayKind::Internet && (self.world == World::Over || open())
    }

    /// R-NAT-9: towards anything but an internet gateway its source is not documented: the packet is in the component
    /// that stands for the gateway's private side.
    fn regional_elsewhere(&mut self, nat: NatId, hop: NextHop, state: &State, set: Set) {
        let id = &self.network().snapshot.nat_gateways[nat].meta.id;
        match (hop, self.network().component_of_target(id)) {
            (NextHop::Drop(_), _) | (_, None) => {}
            (_, Some(component)) => self.arrive(Sink::Component(component), state, set),
        }
    }

    /// R-NAT-5: a reply at a NAT gateway's own address goes back to the client; nothing else gets past it.
    pub(super) fn undo_nat(&mut self, state: &State, set: Set) {
        let Some(crossed) = Self::last_nat(state) else { return };
        let Some(record) = self.network().nat(crossed.nat) else { return };
        let mut client = state.clone().seen(untranslated(&crossed, state.view)).with_origin(Origin::Local);
        let set = self.alike(&crossed.before, client.view.source, crossed.before.destination, set);
        let set = self.forget_mapped_port(set);
        client.nats.pop();
        match record.subnet {
            Some(subnet) if !record.regional => self.send_translated(subnet, &client, set),
            _ => self.return_regional(crossed.nat, &client, set),
        }
    }

    /// R-NAT-5: the headers for which two addresses are one: an answer comes from where its question was sent.
    fn alike(&mut self, view: &View, left: Address, right: Address, set: Set) -> Set {
        match (left, right) {
            _ if left == right => set,
            (Address::Fixed(_), Address::Fixed(_)) => Set::EMPTY,
            (Address::Fixed(value), field) | (field, Address::Fixed(value)) => {
                self.keep(set, view, field, &[(value, value)])
            }
            _ if self.world == World::Over => set,
            _ => Set::EMPTY,
        }
    }

    /// R-CONN-6: after translation back the mapped port no longer matters: some port must have passed in the
    /// permissive world, every one in the restrictive world.
    fn forget_mapped_port(&mut self, set: Set) -> Set {
        let (lo, hi) = MAPPED_PORTS;
        match self.world {
            World::Over => self.arena.exists_in(set, Field::MappedPort, lo, hi),
            World::Under => self.arena.for_all_in(set, Field::MappedPort, lo, hi),
        }
    }

    fn return_regional(&mut self, nat: NatId, state: &State, set: Set) {
        let vpc = self.network().nat_vpc(nat);
        let Some(vpc) = vpc else { return };
        for table in self.network().nat_tables(nat, self.world).value {
            self.push(state.at(Place::Route { table, vpc, from: None }), set);
        }
    }

    /// R-NAT-5, R-NAT-9: a reply to the public address of a regional NAT gateway.
    pub(super) fn reply_to_regional_nat(&mut self, vpc: VpcId, state: &State, set: Set) {
        let Some(crossed) = Self::last_nat(state) else { return };
        let network = self.network();
        let here = network.nat_vpc(crossed.nat) == Some(vpc);
        let regional = network.nat(crossed.nat).is_some_and(|nat| nat.regional);
        let source = network.nat_sources(crossed.nat, self.world).get(usize::from(crossed.source)).copied();
        let Some(public) = source.and_then(|source| source.public) else { return };
        if here && regional && covers(&self.values(set, state.view.destination), number_v4(public)) {
            let public = number_v4(public);
            let part = self.keep(set, &state.view, state.view.destination, &[(public, public)]);
            self.undo_nat(state, part);
        }
    }

    /// R-NAT-6, A-32: over a peering connection the reply finds the NAT gateway without a route, so that only ACLs stop it;
    /// that it does not elsewhere is not said.
    pub(super) fn return_to_sender(&mut self, sink: Sink, state: &State, set: Set) {
        let Some(crossed) = Self::last_nat(state) else { return };
        if self.world == World::Under {
            return;
        }
        let sent = match sink {
            Sink::Interface(interface) => self.let_out_of_subnets(interface, state, set),
            _ => vec![set],
        };
        for mut passed in sent {
            if let Some(home) = self.network().nat(crossed.nat).and_then(|nat| nat.subnet) {
                passed = self.enter(home, None, state, passed);
            }
            self.undo_nat(state, passed);
        }
    }

    fn let_out_of_subnets(&mut self, interface: EniId, state: &State, set: Set) -> Vec<Set> {
        let subnets = self.network().subnets_of(interface);
        let passing = subnets.into_iter().map(|subnet| {
            let out = self.acl_out(subnet, &state.view);
            self.arena.intersection(set, out)
        });
        passing.collect()
    }
}

/// The reply as the client sees it, from the reply as the NAT gateway sees it.
fn untranslated(crossed: &Crossed, seen: View) -> View {
    let before = crossed.before;
    let source = match (before.family, seen.family, seen.source) {
        (Family::V6, Family::V4, Address::Embedded) => Address::Destination,
        (Family::V6, Family::V4, Address::Fixed(value)) => Address::Fixed(NAT64_BASE.saturating_add(value)),
        (_, _, source) => source,
    };
    View { family: before.family, destination: before.source, source, port: before.source_port, ..seen }
}
