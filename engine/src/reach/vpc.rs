//! Steps inside a VPC: sending, routing, delivering, receiving (R-CORE-3).

use std::collections::BTreeMap;
use std::net::IpAddr;

use reachproof_model::flow::{Protocol, World};
use reachproof_model::id::{EniId, SubnetId, VpcId};

use super::explore::{Arrival, Explorer};
use super::index::ReceiversId;
use super::state::{Place, State, Tag};
use super::view::{Address, Intervals, View, clamp, field_of, intervals_of, number};
use crate::header::{Family, Field, Set};
use crate::hypothetical::is_hypothetical;
use crate::network::{
    Network, NextHop, Origin, Role, Sink, SpecialBlock, TableChoice, infrastructure_ports, owned_blocks,
    unroutable,
};

impl Explorer<'_, '_, '_> {
    /// R-CORE-3 `emit`: out of an interface, by its filters, to its own subnet or to the router.
    pub(super) fn send(&mut self, interface: EniId, state: &State, set: Set) {
        if !self.network().live(interface, self.world).value {
            return;
        }
        self.forge(interface, state, set);
        let set = if self.replying() { set } else { self.let_out(interface, state, set) };
        for subnet in self.subnets_of(interface) {
            self.send_from(subnet, Some(interface), state, set);
        }
    }

    /// R-CORE-5, R-SG-1: what is no infrastructure's, as far as the interface's groups let it out.
    fn let_out(&mut self, interface: EniId, state: &State, set: Set) -> Set {
        let set = if self.certifying { set } else { self.split_infrastructure(interface, state, set) };
        let filter = match state.tag {
            Tag::Among(crowd) => self.crowd_out(crowd, &state.view),
            _ => self.group_out(interface, &state.view),
        };
        self.arena.intersection(set, filter)
    }

    /// R-MBX-4, A-27: a guest without the check may send whatever it likes.: what a mirrored interface sends is
    /// copied, and a service may have a way of its own.
    fn forge(&mut self, interface: EniId, state: &State, set: Set) {
        if self.world == World::Over {
            for component in self.network().components_sent_into(interface) {
                self.arrive(Sink::Component(component), state, set);
            }
        }
    }

    /// R-ADDR-16: an interface in several subnets is in any of them in the permissive world, in none in the other.
    pub(super) fn subnets_of(&self, interface: EniId) -> Vec<SubnetId> {
        entrances(self.network(), interface, self.world)
    }

    /// R-ROUTE-2, R-ROUTE-2b: what is on-link is delivered at layer 2; what is not leaves by the router, and so may
    /// on-link traffic that the guest hands to the router.
    pub(super) fn send_from(&mut self, subnet: SubnetId, sender: Option<EniId>, state: &State, set: Set) {
        self.hand_to_neighbours(subnet, sender, state, set);
        self.enter_lattice(state, set);
        let link = self.link_of(subnet, state.view.family);
        let on_link = self.keep(set, &state.view, state.view.destination, &link);
        self.on_link(subnet, state, on_link);
        self.link_local(subnet, sender, state, set);
        let off_link = self.arena.difference(set, on_link);
        let handed = self.handed_to_router(subnet, state, on_link);
        let leaving = self.arena.union(off_link, handed);
        let staying = self.link_local_intervals(state.view.family);
        let leaving = self.without(leaving, &state.view, state.view.source, &staying);
        self.push(state.at(Place::Leave(subnet)), leaving);
    }

    /// The intervals of a subnet's blocks of one family.
    pub(super) fn link_of(&self, subnet: SubnetId, family: Family) -> Intervals {
        intervals_of(&self.network().subnet_blocks(subnet, self.world), family)
    }

    /// R-ROUTE-2: delivered inside the subnet, without ACL or route table.
    pub(super) fn on_link(&mut self, subnet: SubnetId, state: &State, set: Set) {
        if set.is_empty() || !self.hop_is_claimed(self.network().subnet(subnet).vpc.known()) {
            return;
        }
        let Some(vpc) = self.network().subnet(subnet).vpc.known() else { return };
        let confined = (self.world == World::Under).then_some(subnet);
        self.deliver_to_owners(vpc, Some(subnet), confined, state, set);
    }

    /// R-BPA-9, A-37: in a VPC that enforces encryption the restrictive world claims no hop without an exclusion.
    fn hop_is_claimed(&self, vpc: Option<VpcId>) -> bool {
        vpc.is_none_or(|vpc| self.network().encryption_allows(vpc, None, self.world).value)
    }

    /// What the components behind an interface take of what it lets in. Only the permissive world enters them.
    pub(super) fn enter_components(&mut self, interface: EniId, state: &State, set: Set) {
        if self.world == World::Over {
            for component in self.network().components_at(interface) {
                self.arrive(Sink::Component(*component), state, set);
            }
        }
    }

    /// R-ROUTE-2b, A-3: on-link destinations for which the subnet's table selects something else than local.
    fn handed_to_router(&mut self, subnet: SubnetId, state: &State, on_link: Set) -> Set {
        if self.world == World::Under || on_link.is_empty() {
            return Set::EMPTY;
        }
        if self.certifying {
            return on_link;
        }
        let mut elsewhere = Set::EMPTY;
        for choice in self.network().tables_of_subnet(subnet, self.world).value {
            let table = match choice {
                TableChoice::Table(table) => table,
                TableChoice::ImplicitLocal => continue,
                TableChoice::Unknown => return on_link,
            };
            let Some(fib) = self.index.fib(table, state.view.family, self.world, &self.reads) else {
                continue;
            };
            for (hop, intervals) in &fib.targets {
                if !matches!(hop, NextHop::Local | NextHop::Drop(_)) {
                    let part = self.keep(on_link, &state.view, state.view.destination, intervals);
                    elsewhere = self.arena.union(elsewhere, part);
                }
            }
        }
        elsewhere
    }

    /// Out of a subnet to the VPC router.
    pub(super) fn leave(&mut self, subnet: SubnetId, state: &State, set: Set) {
        self.leave_to_own_nat(subnet, state, set);
        let acl = self.acl_out(subnet, &state.view);
        let set = self.arena.intersection(set, acl);
        self.route_from(subnet, state, set);
    }

    /// R-NAT-3, A-14: no ACL between a sender and the NAT gateway of its own subnet, says the permissive world.
    fn leave_to_own_nat(&mut self, subnet: SubnetId, state: &State, set: Set) {
        let Some(vpc) = self.network().subnet(subnet).vpc.known() else { return };
        if self.world == World::Under {
            return;
        }
        let dropped = intervals_of(&unroutable(self.world), state.view.family);
        let set = self.without(set, &state.view, state.view.destination, &dropped);
        for choice in self.network().tables_of_subnet(subnet, self.world).value {
            for (hop, intervals) in self.targets_of(choice, vpc, state.view.family) {
                let NextHop::Nat(nat) = hop else { continue };
                if self.network().nat(nat).and_then(|nat| nat.subnet) == Some(subnet) {
                    let part = self.keep(set, &state.view, state.view.destination, &intervals);
                    let from = Some(subnet);
                    // An invariant has no place of its own for it: the table leads there again.
                    let table = Place::Route { table: choice, vpc, from };
                    let place = if self.certifying { table } else { Place::Nat { nat, vpc, from } };
                    self.push(state.at(place), part);
                }
            }
        }
    }

    /// Where a table leads, with the destinations for which it does.
    pub(super) fn targets_of(
        &self,
        choice: TableChoice,
        vpc: VpcId,
        family: Family,
    ) -> Vec<(NextHop, Intervals)> {
        let anywhere = || vec![(0, family.greatest_address())];
        match choice {
            TableChoice::ImplicitLocal => vec![(NextHop::Local, anywhere())],
            TableChoice::Unknown => {
                let targets = self.network().any_target(vpc, self.world);
                targets.into_iter().map(|hop| (hop, anywhere())).collect()
            }
            TableChoice::Table(table) => {
                let fib = self.index.fib(table, family, self.world, &self.reads);
                let targets = fib.iter().flat_map(|fib| &fib.targets);
                targets.map(|(hop, intervals)| (*hop, intervals.clone())).collect()
            }
        }
    }

    /// R-ROUTE-3b: to the table or tables of a subnet.
    pub(super) fn route_from(&mut self, subnet: SubnetId, state: &State, set: Set) {
        let Some(vpc) = self.network().subnet(subnet).vpc.known() else { return };
        for table in self.network().tables_of_subnet(subnet, self.world).value {
            self.push(state.at(Place::Route { table, vpc, from: Some(subnet) }), set);
        }
    }

    /// R-CORE-6, R-ROUTE-6 … 13: to whatever the table selects for each destination.
    pub(super) fn route(
        &mut self,
        table: TableChoice,
        vpc: VpcId,
        from: Option<SubnetId>,
        state: &State,
        set: Set,
    ) {
        let dropped = intervals_of(&unroutable(self.world), state.view.family);
        let set = self.without(set, &state.view, state.view.destination, &dropped);
        match table {
            TableChoice::ImplicitLocal => {
                let blocks = self.network().vpc_blocks(vpc, self.world);
                let local = intervals_of(&blocks, state.view.family);
                let inside = self.keep(set, &state.view, state.view.destination, &local);
                self.push(state.at(Place::Deliver { vpc, from }), inside);
            }
            TableChoice::Unknown => self.route_anywhere(vpc, from, state, set),
            TableChoice::Table(table) => {
                let index = self.index;
                let Some(fib) = index.fib(table, state.view.family, self.world, &self.reads) else { return };
                for (hop, intervals) in &fib.targets {
                    let part = self.keep(set, &state.view, state.view.destination, intervals);
                    self.follow(*hop, vpc, from, state, part);
                }
            }
        }
    }

    /// R-DATA-3: an unknown table leads to any target of its VPC.
    fn route_anywhere(&mut self, vpc: VpcId, from: Option<SubnetId>, state: &State, set: Set) {
        for hop in self.network().any_target(vpc, self.world) {
            self.follow(hop, vpc, from, state, set);
        }
    }

    /// To what a route names.
    pub(super) fn follow(
        &mut self,
        hop: NextHop,
        vpc: VpcId,
        from: Option<SubnetId>,
        state: &State,
        set: Set,
    ) {
        if set.is_empty() {
            return;
        }
        match hop {
            NextHop::Local if !self.hop_is_claimed(from.map(|_| vpc)) => {}
            NextHop::Local => self.push(state.at(Place::Deliver { vpc, from }), set),
            NextHop::Gateway(gateway) => self.push(state.at(Place::Out { gateway, vpc, from }), set),
            NextHop::Nat(nat) => self.push(state.at(Place::Nat { nat, vpc, from }), set),
            NextHop::Transit(tgw) => self.transit_in(tgw, vpc, from, state, set),
            NextHop::Peering(peering) => self.peering(peering, vpc, state, set),
            NextHop::Service(endpoint) => self.service(endpoint, vpc, state, set),
            NextHop::Interface(interface) => self.hop_to_interface(interface, from, state, set),
            NextHop::Component(component) => self.arrive(Sink::Component(component), state, set),
            NextHop::Drop(_) => {}
        }
    }

    /// R-MBX-1: by a route to an interface, whatever the destination is; the sender's identity is lost (R-SG-10), though no
    /// text says so of what is for that very interface.
    fn hop_to_interface(&mut self, interface: EniId, from: Option<SubnetId>, state: &State, set: Set) {
        let own = self.own_intervals(interface, state.view.family);
        for subnet in self.subnets_of(interface) {
            let entered = self.enter(subnet, from, state, set);
            let next = state.at(Place::Receive { interface, routed: true });
            self.push(next.clone().tagged(Tag::None), entered);
            if self.world == World::Over {
                let addressed = self.keep(entered, &state.view, state.view.destination, &own);
                self.push(next, addressed);
            }
        }
    }

    /// R-NACL-6: into a subnet, by its ACL unless the packet was in it already.
    pub(super) fn enter(&mut self, subnet: SubnetId, from: Option<SubnetId>, state: &State, set: Set) -> Set {
        if from == Some(subnet) || set.is_empty() {
            return set;
        }
        let acl = self.acl_in(subnet, &state.view);
        self.arena.intersection(set, acl)
    }

    /// R-CORE-3 `vpc_deliver`: to the owners of the destinations.
    pub(super) fn deliver(&mut self, vpc: VpcId, from: Option<SubnetId>, state: &State, set: Set) {
        self.deliver_to_owners(vpc, from, None, state, set);
    }

    /// To the owners of the destinations; only to those in the subnet `confined`, if there is one (R-DATA-5: an interface
    /// may show an address outside of its subnet).
    fn deliver_to_owners(
        &mut self,
        vpc: VpcId,
        from: Option<SubnetId>,
        confined: Option<SubnetId>,
        state: &State,
        set: Set,
    ) {
        if self.open.is_some() {
            return self.deliver_open(vpc, from, confined, state, set);
        }
        if self.certifying {
            self.deliver_to_components(vpc, from, state, set);
            return self.deliver_unseen(vpc, from, state, set);
        }
        if !self.is_aimed_at_vpc(vpc, state) {
            return self.deliver_unseen(vpc, from, state, set);
        }
        let shared = self.shares_receivers(state);
        let within = |subnet: &SubnetId| confined.is_none_or(|only| only == *subnet);
        if shared {
            self.deliver_alike(vpc, from, confined, state, set);
        }
        let wanted = self.wanted(state, set);
        for (interface, intervals) in self.owners_among(vpc, state, set, shared) {
            if !self.is_aimed_at(interface) {
                continue;
            }
            let set = if self.network().components_at(interface).is_empty() { wanted } else { set };
            let there = self.keep(set, &state.view, state.view.destination, &intervals);
            for subnet in self.subnets_of(interface).into_iter().filter(within) {
                let entered = self.enter(subnet, from, state, there);
                self.push(state.at(Place::Receive { interface, routed: false }), entered);
            }
        }
        self.deliver_unseen(vpc, from, state, set);
    }

    /// Whether interfaces that receive alike can be taken together: where the destination is still the one that was sent,
    /// so that it tells them apart in the end, and nothing asks for single interfaces.
    fn shares_receivers(&self, state: &State) -> bool {
        let as_sent = state.view.destination == Address::Destination && state.view.family == state.view.sent;
        as_sent && !self.replying() && !self.avoids_interfaces
    }

    fn deliver_alike(
        &mut self,
        vpc: VpcId,
        from: Option<SubnetId>,
        confined: Option<SubnetId>,
        state: &State,
        set: Set,
    ) {
        let index = self.index;
        let within = |subnet: &SubnetId| confined.is_none_or(|only| only == *subnet);
        let wanted = self.wanted(state, set);
        for id in index.receivers_of(vpc, state.view.family) {
            let receivers = index.receivers(*id);
            let Some(first) = receivers.members.first().filter(|_| self.is_aimed_at_any(*id)) else {
                continue;
            };
            let set = if self.network().components_at(*first).is_empty() { wanted } else { set };
            if set.is_empty() {
                continue;
            }
            let addressed = self.addressed(*id, state);
            let there = self.arena.intersection(set, addressed);
            if there.is_empty() {
                continue;
            }
            for subnet in self.subnets_of(*first).into_iter().filter(within) {
                let entered = self.enter(subnet, from, state, there);
                self.push(state.at(Place::ReceiveAlike(*id)), entered);
            }
        }
    }

    /// The sent headers for a class of receivers, which see the destination that was sent.
    fn addressed(&mut self, id: ReceiversId, state: &State) -> Set {
        if let Some(known) = self.addressed.get(&id) {
            return *known;
        }
        let index = self.index;
        let set = self.among(&state.view, state.view.destination, &index.receivers(id).intervals);
        self.addressed.insert(id, set);
        set
    }

    /// As [`Self::receive`], for a whole class at its own addresses.
    pub(super) fn receive_alike(&mut self, receivers: ReceiversId, state: &State, set: Set) {
        let Some(first) = self.index.receivers(receivers).members.first().copied() else { return };
        if !self.network().live(first, self.world).value {
            return;
        }
        let filter = self.group_in(first, state.tag, &state.view);
        let admitted = self.arena.intersection(set, filter);
        let delivered = self.wanted(state, admitted);
        if self.accepts(first) && !delivered.is_empty() {
            let sink = Sink::Interface(first);
            self.record(Arrival { sink, alike: Some(receivers), state: state.clone() }, delivered);
        }
        self.enter_components(first, state, admitted);
    }

    /// R-ADDR-3, A-34: the interfaces that own a destination of the set; addresses with several owners belong to all of
    /// them in the permissive world and to none in the restrictive one. `contested`: those alone.
    fn owners_among(&self, vpc: VpcId, state: &State, set: Set, contested: bool) -> Vec<(EniId, Intervals)> {
        let wanted = self.values(set, state.view.destination);
        let rows = self.index.owned(vpc, state.view.family).iter().filter(|row| row.contested || !contested);
        let mut found: BTreeMap<EniId, Intervals> = BTreeMap::new();
        for row in rows.filter(|row| overlaps(&wanted, row.lo, row.hi)) {
            if self.world == World::Over || !row.contested {
                found.entry(row.interface).or_default().push((row.lo, row.hi));
            }
        }
        found.into_iter().collect()
    }

    /// A-10, R-LB-2: addresses that no interface of the snapshot owns may belong to one that it does not show.
    pub(super) fn deliver_unseen(&mut self, vpc: VpcId, from: Option<SubnetId>, state: &State, set: Set) {
        if self.world == World::Under || set.is_empty() || !self.index.may_hide(vpc) {
            return;
        }
        let network = self.network();
        let rows = self.index.owned(vpc, state.view.family).iter();
        let real = rows.filter(|row| !is_hypothetical(network.interface(row.interface)));
        let owned: Intervals = real.map(|row| (row.lo, row.hi)).collect();
        let set = self.without(set, &state.view, state.view.destination, &owned);
        for subnet in self.network().unseen_subnets(vpc) {
            let there = self.towards(subnet, from, state, set);
            self.arrive(Sink::Unseen(subnet), state, there);
        }
        for subnet in self.network().subnets_in_vpc(vpc) {
            let hidden = self.network().components_hidden_in(*subnet);
            if !hidden.is_empty() {
                let there = self.towards(*subnet, from, state, set);
                for component in hidden {
                    self.arrive(Sink::Component(*component), state, there);
                }
            }
        }
    }

    fn towards(&mut self, subnet: SubnetId, from: Option<SubnetId>, state: &State, set: Set) -> Set {
        let link = self.link_of(subnet, state.view.family);
        let there = self.keep(set, &state.view, state.view.destination, &link);
        self.enter(subnet, from, state, there)
    }

    /// R-CORE-3 `recv`: into an interface, by its check and its groups.
    pub(super) fn receive(&mut self, interface: EniId, routed: bool, state: &State, set: Set) {
        let network = self.network();
        if !network.live(interface, self.world).value || self.avoids(&network.interface(interface).meta.id) {
            return;
        }
        if self.replying() {
            return self.receive_reply(interface, state, set);
        }
        let own = self.own_intervals(interface, state.view.family);
        let addressed = self.keep(set, &state.view, state.view.destination, &own);
        let checked = network.checks_addresses(interface).value;
        let accepted = if checked || !routed { addressed } else { set };
        let filter = self.group_in(interface, state.tag, &state.view);
        let admitted = self.arena.intersection(accepted, filter);
        let delivered = self.arena.intersection(admitted, addressed);
        let delivered = self.wanted(state, delivered);
        self.deliver_to(interface, state, delivered);
        self.enter_components(interface, state, admitted);
    }

    /// What is wanted of packets at an interface that are for an address of its own: where a matrix knows what arrives as it
    /// was sent, those alone that come from no address of the sender's own (R-ADDR-15).
    fn wanted(&mut self, state: &State, set: Set) -> Set {
        if self.wants_as_sent || self.senders.is_empty() || !state.is_as_sent() {
            return set;
        }
        let local = self.link_local_intervals(self.family);
        self.keep(set, &state.view, state.view.source, &local)
    }

    pub(super) fn deliver_to(&mut self, interface: EniId, state: &State, set: Set) {
        if self.accepts(interface) {
            self.arrive(Sink::Interface(interface), state, set);
        }
    }

    pub(super) fn accepts(&self, interface: EniId) -> bool {
        if self.world == World::Under && self.network().is_idle(interface) {
            return false;
        }
        match Role::of(self.network().interface(interface)) {
            Role::Plain => self.world == World::Over || !self.network().balances(interface),
            Role::Endpoint => true,
            Role::OutboundOnly | Role::Vlan => self.world == World::Over,
            Role::Nat | Role::Transit | Role::Inspection => false,
        }
    }

    /// The addresses that an interface owns.
    pub(super) fn own_intervals(&self, interface: EniId, family: Family) -> Intervals {
        intervals_of(&owned_blocks(self.network().interface(interface)), family)
    }

    /// R-CORE-5: DNS, metadata, time and the router take their packets before any filter. Returns the rest.
    fn split_infrastructure(&mut self, interface: EniId, state: &State, set: Set) -> Set {
        let Some(vpc) = self.network().interface(interface).vpc.known() else { return set };
        let taken = self.infrastructure(interface, vpc, &state.view);
        let there = self.arena.intersection(set, taken);
        self.arrive(Sink::Infrastructure(vpc), state, there);
        self.arena.difference(set, there)
    }

    /// R-CORE-5, R-NACL-9, R-SG-21: what no filter sees.
    fn infrastructure(&mut self, interface: EniId, vpc: VpcId, view: &View) -> Set {
        let mut services: Vec<(IpAddr, Option<(Protocol, u16)>)> = Vec::new();
        services.extend(
            infrastructure_ports().into_iter().map(|(ip, protocol, port)| (ip, Some((protocol, port)))),
        );
        let subnets = self.network().subnets_of(interface);
        let routers = subnets.iter().flat_map(|subnet| self.network().router_addresses(*subnet));
        services.extend(routers.map(|ip| (ip, None)));
        for resolver in self.network().resolvers(vpc, &subnets, self.world) {
            services.extend([Protocol::TCP, Protocol::UDP].map(|protocol| (resolver, Some((protocol, 53)))));
        }
        let seen = services.into_iter().filter(|(ip, _)| Family::of(*ip) == view.family);
        let boxes: Vec<_> =
            seen.filter_map(|(ip, port)| self.service_box((number(ip), port), view)).collect();
        self.arena.any_of(&boxes)
    }

    fn service_box(
        &self,
        (address, port): (u128, Option<(Protocol, u16)>),
        view: &View,
    ) -> Option<crate::header::HeaderBox> {
        let area = view.narrow(self.all(), view.destination, address, address)?;
        let Some((protocol, port)) = port else { return Some(area) };
        clamp(view.protocol(area, protocol)?, field_of(view.port), port.into(), port.into())
    }

    /// R-VPCE-14: VPC Lattice's addresses are reached without a route where an association exists.
    fn enter_lattice(&mut self, state: &State, set: Set) {
        if self.world == World::Under {
            return;
        }
        let mut blocks = SpecialBlock::LatticeV4.blocks();
        blocks.extend(SpecialBlock::LatticeV6.blocks());
        let lattice = intervals_of(&blocks, state.view.family);
        let there = self.keep(set, &state.view, state.view.destination, &lattice);
        for component in self.network().lattices() {
            self.arrive(Sink::Component(*component), state, there);
        }
    }

    /// What a sender may put into the source field: its own addresses (R-ENI-2).
    pub(super) fn own_sources(&mut self, interface: EniId) -> Set {
        let own = self.own_intervals(interface, self.family);
        self.among(&View::sent(self.family), super::view::Address::Source, &own)
    }

    /// Headers of one protocol, as seen.
    pub(super) fn of_protocols(&mut self, view: &View, protocols: &[Protocol]) -> Set {
        let all = self.all();
        let boxes: Vec<_> = protocols.iter().filter_map(|protocol| view.protocol(all, *protocol)).collect();
        self.arena.any_of(&boxes)
    }

    /// ICMP echo requests, as seen before any translation.
    pub(super) fn echo_requests(&mut self, view: &View) -> Set {
        let (protocol, kind) = match view.sent {
            Family::V4 => (Protocol::ICMP, 8),
            Family::V6 => (Protocol::ICMPV6, 128),
        };
        let area = clamp(self.all(), Field::Protocol, protocol.0.into(), protocol.0.into());
        let boxes: Vec<_> = area.and_then(|area| clamp(area, Field::Port, kind, kind)).into_iter().collect();
        self.arena.any_of(&boxes)
    }

    /// A packet that starts inside the VPC of an interface.
    pub(super) fn started(&self, place: Place, tag: Tag, origin: Origin) -> State {
        let view = View::sent(self.family);
        State { place, view, tag, origin, nats: Vec::new(), zone: None, egress: None }
    }
}

/// R-ADDR-16: the subnets by which an interface is entered in a world.
pub(crate) fn entrances(network: &Network<'_>, interface: EniId, world: World) -> Vec<SubnetId> {
    let subnets = network.subnets_of(interface);
    if world == World::Under && subnets.len() > 1 { Vec::new() } else { subnets }
}

fn overlaps(wanted: &[(u128, u128)], lo: u128, hi: u128) -> bool {
    let after = wanted.partition_point(|(_, end)| *end < lo);
    wanted.get(after).is_some_and(|(start, _)| *start <= hi)
}
