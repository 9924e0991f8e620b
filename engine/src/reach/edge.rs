//! Steps at the edge of a VPC: internet, egress-only and virtual private gateways, the internet itself and gateway
//! endpoints.

use std::collections::BTreeMap;
use std::rc::Rc;

use ipnet::IpNet;
use reachproof_model::flow::{Protocol, World};
use reachproof_model::id::{EndpointId, EniId, SubnetId, VpcId};

use super::class::merged;
use super::entrance::Entrance;
use super::explore::{Doors, Explorer};
use super::filter::FilterKey;
use super::state::{Place, State, Tag};
use super::view::{Address, Intervals, View, intervals_of, number_v4};
use crate::header::{Family, Set};
use crate::hypothetical::is_hypothetical;
use crate::network::{
    Association, Gateway, GatewayId, GatewayKind, NextHop, Origin, Role, Sink, SpecialBlock, TableChoice,
    unroutable,
};

impl Explorer<'_, '_, '_> {
    /// Out of a VPC by one of its gateways.
    pub(super) fn gateway_out(
        &mut self,
        gateway: GatewayId,
        vpc: VpcId,
        from: Option<SubnetId>,
        state: &State,
        set: Set,
    ) {
        let record = &self.network().gateways()[gateway];
        if record.serves(self.world) != Some(vpc) || self.avoids(&record.id) {
            return;
        }
        match record.kind {
            GatewayKind::Internet => self.internet_gateway_out(gateway, vpc, from, state, set),
            GatewayKind::EgressOnly => self.egress_gateway_out(gateway, vpc, from, state, set),
            GatewayKind::Virtual => self.virtual_gateway_out(gateway, record, vpc, state, set),
        }
    }

    /// R-IGW-3: nothing leaves with the source of anybody but an interface of the VPC.
    fn internet_gateway_out(
        &mut self,
        gateway: GatewayId,
        vpc: VpcId,
        from: Option<SubnetId>,
        state: &State,
        set: Set,
    ) {
        if !self.network().encryption_allows(vpc, Some("InternetGateway"), self.world).value {
            return;
        }
        let set = self.not_redirected(gateway, vpc, state, set);
        match state.view.family {
            Family::V4 => self.translate_out(vpc, from, state, set),
            Family::V6 => self.pass_v6_out(vpc, from, None, state, set),
        }
    }

    /// R-IGW-2: out with the public address that is associated with the very source; nothing else leaves, but for addresses
    /// of pools that may (R-ROUTE-3).
    fn translate_out(&mut self, vpc: VpcId, from: Option<SubnetId>, state: &State, set: Set) {
        if self.open.is_some() {
            return self.note_beyond(set);
        }
        let private = intervals_of(&SpecialBlock::PrivateV4.blocks(), Family::V4);
        let set = self.without(set, &state.view, state.view.destination, &private);
        let pools = intervals_of(&self.network().pool_sources(vpc, self.world), Family::V4);
        let untranslated = self.keep(set, &state.view, state.view.source, &pools);
        self.push(state.at(Place::Internet).tagged(Tag::None), untranslated);
        let set = self.without_contested(vpc, state, set);
        let sources = self.values(set, state.view.source);
        for association in self.associations_in(vpc) {
            let inside = number_v4(association.private);
            if !covers(&sources, inside) || !self.may_send_out(association.interface, from, false) {
                continue;
            }
            let part = self.keep(set, &state.view, state.view.source, &[(inside, inside)]);
            let view = View { source: Address::Fixed(number_v4(association.public)), ..state.view };
            self.push(state.at(Place::Internet).seen(view).tagged(Tag::None), part);
        }
    }

    /// R-IGW-9, R-ADDR-8: IPv6 leaves untranslated, with a public source of this VPC.
    fn pass_v6_out(
        &mut self,
        vpc: VpcId,
        from: Option<SubnetId>,
        egress: Option<GatewayId>,
        state: &State,
        set: Set,
    ) {
        let set = self.without_contested(vpc, state, set);
        let key = FilterKey::SentOut { vpc, from, egress_only: egress.is_some() };
        let public = self.among_remembered(key, &state.view, state.view.source, |explorer| {
            explorer.public_senders(vpc, from, egress.is_some())
        });
        let part = self.arena.intersection(set, public);
        // What a reply answers left by the gateway that it must come back by, whichever it leaves by itself.
        let egress = if self.replying() { state.egress } else { egress.filter(|_| self.follows_replies) };
        self.push(State { egress, ..state.at(Place::Internet).tagged(Tag::None) }, part);
    }

    /// R-IGW-9, R-BPA-3: the public IPv6 addresses of a VPC from which packets may leave that come to the gateway out of
    /// `from`.
    fn public_senders(&self, vpc: VpcId, from: Option<SubnetId>, egress_only: bool) -> Intervals {
        let mut public = Intervals::new();
        for interface in self.network().interfaces_in_vpc(vpc) {
            let own = self.public_v6(*interface, vpc);
            let denied = self.world == World::Under && self.network().interface(*interface).deny_igw;
            if !own.is_empty() && !denied && self.may_send_out(*interface, from, egress_only) {
                public.extend(own);
            }
        }
        public
    }

    /// R-EIGW-1.
    fn egress_gateway_out(
        &mut self,
        gateway: GatewayId,
        vpc: VpcId,
        from: Option<SubnetId>,
        state: &State,
        set: Set,
    ) {
        let allowed =
            self.network().encryption_allows(vpc, Some("EgressOnlyInternetGateway"), self.world).value;
        if state.view.family == Family::V6 && allowed {
            self.pass_v6_out(vpc, from, Some(gateway), state, set);
        }
    }

    /// R-ADDR-8: the public IPv6 addresses of an interface.
    fn public_v6(&self, interface: EniId, vpc: VpcId) -> Intervals {
        let blocks: Vec<IpNet> = crate::network::owned_blocks(self.network().interface(interface))
            .into_iter()
            .filter(|block| self.network().is_public_v6(vpc, block.addr(), self.world))
            .collect();
        intervals_of(&blocks, Family::V6)
    }

    /// R-BPA-3, R-BPA-4: whether Block Public Access and liveness let the interface's packets out that come to the gateway
    /// out of `from`: of its own subnet, or of that of an appliance.
    fn may_send_out(&self, interface: EniId, from: Option<SubnetId>, egress_only: bool) -> bool {
        let network = self.network();
        let translated = Role::of(network.interface(interface)) == Role::Nat;
        let subnets = network.subnets_of(interface);
        let allowed = |subnet: &SubnetId| {
            network.internet_may_be_sent_to(*subnet, translated, egress_only, self.world).value
        };
        let forwarded = || {
            let vpc = network.interface(interface).vpc.known();
            vpc.is_some_and(|vpc| network.internet_may_be_sent_to_out_of(from, vpc, egress_only, self.world))
        };
        network.live(interface, self.world).value && (subnets.iter().any(allowed) || forwarded())
    }

    /// R-ROUTE-14: in the restrictive world a subnet whose ingress an edge table redirects does not use the gateway
    /// directly.
    fn not_redirected(&mut self, gateway: GatewayId, vpc: VpcId, state: &State, set: Set) -> Set {
        if self.world == World::Over {
            return set;
        }
        let redirected = self.redirected(gateway, vpc, state.view.family);
        self.without(set, &state.view, state.view.source, &redirected)
    }

    /// The destinations that the gateway's edge table sends elsewhere than to the VPC's own resolution.
    fn redirected(&self, gateway: GatewayId, vpc: VpcId, family: Family) -> Intervals {
        let inside = intervals_of(&self.network().vpc_blocks(vpc, World::Over), family);
        let mut found = Intervals::new();
        for choice in self.network().edge_tables(gateway, World::Over) {
            let TableChoice::Table(table) = choice else { continue };
            let Some(fib) = self.index.fib(table, family, World::Over, &self.reads) else { continue };
            let elsewhere = fib.targets.iter().filter(|(hop, _)| **hop != NextHop::Local);
            found.extend(elsewhere.flat_map(|(_, intervals)| intervals.iter().copied()));
        }
        found.retain(|(lo, hi)| inside.iter().any(|(start, end)| start <= hi && lo <= end));
        found
    }

    /// R-VPN-2, R-VPN-6: out to the networks behind a virtual private gateway.
    fn virtual_gateway_out(
        &mut self,
        gateway: GatewayId,
        record: &Gateway,
        vpc: VpcId,
        state: &State,
        set: Set,
    ) {
        let allowed = self.network().encryption_allows(vpc, Some("VirtualPrivateGateway"), self.world).value;
        if !allowed
            || !self.starts_here(state)
            || self.world == World::Under && state.view.family == Family::V6
        {
            return;
        }
        let own = self.sent_by_vpc(vpc, &state.view);
        let mut set = self.arena.intersection(set, own);
        if self.world == World::Under {
            let known = self.known_behind(gateway, &record.id, vpc);
            set = self.keep(set, &state.view, state.view.destination, &known);
        }
        self.leave_snapshot(Sink::Gateway(gateway), &record.id, state, set);
    }

    /// Out of the snapshot; in the permissive world also into a component behind the exit (R-VPN-8).
    pub(super) fn leave_snapshot(&mut self, sink: Sink, id: &str, state: &State, set: Set) {
        if self.replying() {
            return self.reply_left(sink, state, set);
        }
        self.arrive(sink, state, set);
        if let (World::Over, Some(component)) = (self.world, self.network().component_of_target(id)) {
            self.arrive(Sink::Component(component), state, set);
        }
    }

    /// R-PCX-8, R-VPN-6, R-VPCE-4: whether the packet counts as one of an interface of this VPC. One that comes back by a
    /// transit gateway with the address of such an interface may be (R-TGW-9).
    pub(super) fn starts_here(&self, state: &State) -> bool {
        let perhaps = matches!(state.origin, Origin::Component | Origin::Transit);
        state.origin == Origin::Local || self.world == World::Over && perhaps
    }

    /// The headers with the source of a live interface of a VPC.
    fn sent_by_vpc(&mut self, vpc: VpcId, view: &View) -> Set {
        let family = view.family;
        self.among_remembered(FilterKey::SentFrom(vpc), view, view.source, |explorer| {
            explorer.vpc_sources(vpc, family)
        })
    }

    /// The addresses that live interfaces of a VPC own.
    fn vpc_sources(&self, vpc: VpcId, family: Family) -> Intervals {
        let rows = self.index.owned(vpc, family).iter();
        rows.filter(|row| self.world == World::Over || !row.contested)
            .filter(|row| self.network().live(row.interface, self.world).value)
            .map(|row| (row.lo, row.hi))
            .collect()
    }

    /// the restrictive world does not know whose packets come from an address with several owners.
    fn without_contested(&mut self, vpc: VpcId, state: &State, set: Set) -> Set {
        if self.world == World::Over {
            return set;
        }
        let rows = self.index.owned(vpc, state.view.family).iter();
        let contested: Intervals = rows.filter(|row| row.contested).map(|row| (row.lo, row.hi)).collect();
        self.without(set, &state.view, state.view.source, &contested)
    }

    /// R-IGW-5, R-IGW-13: on the internet: gone, or in again by the gateway of an address that is ours.
    pub(super) fn internet(&mut self, state: &State, set: Set) {
        if self.open.is_some() && state.view.family == Family::V4 {
            return self.note_beyond(set);
        }
        if self.replying() {
            return self.reply_on_internet(state, set);
        }
        let private = [SpecialBlock::PrivateV4.blocks(), SpecialBlock::PrivateV6.blocks()].concat();
        let private = intervals_of(&private, state.view.family);
        let set = self.without(set, &state.view, state.view.destination, &private);
        self.enter_gateways(state, set);
        let ours = self.ours(&state.view);
        let outside = self.arena.difference(set, ours);
        self.arrive(Sink::Internet, state, outside);
        if self.world == World::Over {
            for component in self.network().components_at_internet() {
                self.arrive(Sink::Component(*component), state, set);
            }
            self.enter_pools(state, set);
        }
    }

    /// Sends what is for an address of ours to that VPC's internet gateways.
    pub(super) fn enter_gateways(&mut self, state: &State, set: Set) {
        let (network, index) = (self.network(), self.index);
        let destinations = merged(self.values(set, state.view.destination));
        for entrance in index.entrances() {
            let gateway = &network.gateways()[entrance.gateway];
            let admitted = self.may_come_in(entrance, state.view.family, &destinations);
            if admitted && gateway.serves(self.world).is_some() && !self.avoids(&gateway.id) {
                self.push(state.at(Place::In { gateway: entrance.gateway }), set);
            }
        }
    }

    /// Whether what is for some addresses may come in by a gateway and matters; a reply may be for a regional NAT gateway.
    fn may_come_in(&self, entrance: &Entrance, family: Family, destinations: &Intervals) -> bool {
        let matters = || self.aim.as_ref().is_none_or(|aim| entrance.matters(family, aim));
        self.replying() || (matters() && entrance.admits(family, destinations))
    }

    /// The headers for addresses that are ours for certain.
    fn ours(&mut self, view: &View) -> Set {
        let family = view.family;
        self.among_remembered(FilterKey::Ours, view, view.destination, |explorer| {
            explorer.our_addresses(family)
        })
    }

    /// Addresses that are ours for certain are nobody else's, attached or not; so what leaves is the same or more in the
    /// permissive world (INVARIANT (worlds nest)).
    pub(super) fn our_addresses(&self, family: Family) -> Intervals {
        let network = self.network();
        match family {
            Family::V4 => {
                let rows = network.associations(World::Under);
                rows.map(|row| (number_v4(row.public), number_v4(row.public))).collect()
            }
            Family::V6 => {
                let vpcs = network.snapshot.vpcs.ids();
                let blocks: Vec<IpNet> =
                    vpcs.flat_map(|vpc| network.public_v6_blocks(vpc, World::Under)).collect();
                intervals_of(&blocks, Family::V6)
            }
        }
    }

    /// Into a VPC by one of its gateways.
    pub(super) fn gateway_in(&mut self, gateway: GatewayId, state: &State, set: Set) {
        let record = &self.network().gateways()[gateway];
        let Some(vpc) = record.serves(self.world) else { return };
        let exclusion = match record.kind {
            GatewayKind::Internet => "InternetGateway",
            GatewayKind::EgressOnly => "EgressOnlyInternetGateway",
            GatewayKind::Virtual => "VirtualPrivateGateway",
        };
        let allowed = self.network().encryption_allows(vpc, Some(exclusion), self.world).value;
        if !allowed || self.avoids(&record.id) {
            return;
        }
        match (record.kind, state.view.family) {
            (GatewayKind::Internet, Family::V4) => self.translate_in(gateway, vpc, state, set),
            (GatewayKind::Internet, Family::V6) => self.pass_v6_in(gateway, vpc, state, set),
            (GatewayKind::EgressOnly, _) => {
                self.push(state.at(Place::Deliver { vpc, from: None }).with_origin(Origin::Internet), set);
            }
            (GatewayKind::Virtual, _) => self.virtual_gateway_in(gateway, vpc, state, set),
        }
    }

    /// R-IGW-4: in to the private address that the destination stands for; nothing else enters (R-CORE-4).
    fn translate_in(&mut self, gateway: GatewayId, vpc: VpcId, state: &State, set: Set) {
        let set = self.internet_senders(&state.view, set);
        let destinations = self.values(set, state.view.destination);
        let local = self.is_local(gateway);
        for association in self.associations_in(vpc) {
            let public = number_v4(association.public);
            let idle = local && !self.is_aimed_at_public(public);
            if idle || !covers(&destinations, public) || self.is_claimed_twice(&association) {
                continue;
            }
            let part = self.keep(set, &state.view, state.view.destination, &[(public, public)]);
            let view = View { destination: Address::Fixed(number_v4(association.private)), ..state.view };
            let part = self.with_return(gateway, association.interface, &view, part);
            let inside = state.clone().seen(view);
            if self.may_enter(association.interface) {
                self.by_edge_tables(gateway, vpc, Origin::Internet, &inside, part);
            } else {
                self.by_appliances(gateway, vpc, &inside, part);
            }
        }
        if self.replying() {
            self.reply_to_regional_nat(vpc, state, set);
        }
    }

    /// R-ADDR-5: whether several interfaces show the public address, so that the restrictive world claims none of them.
    fn is_claimed_twice(&self, association: &Association) -> bool {
        self.world == World::Under && self.network().associations_of(association.public, self.world).len() > 1
    }

    /// R-IGW-9: IPv6 comes in untranslated, to public addresses without `DenyAllIgwTraffic`.
    fn pass_v6_in(&mut self, gateway: GatewayId, vpc: VpcId, state: &State, set: Set) {
        let set = self.internet_senders(&state.view, set);
        let doors = self.doors_v6(gateway, vpc);
        for (interface, public) in doors.iter() {
            let part = self.keep(set, &state.view, state.view.destination, public);
            let part = self.with_return(gateway, *interface, &state.view, part);
            self.by_edge_tables(gateway, vpc, Origin::Internet, state, part);
        }
        if self.world == World::Over {
            let redirected = self.redirected(gateway, vpc, Family::V6);
            self.enter_unowned(gateway, vpc, &redirected, state, set);
            let part = self.keep(set, &state.view, state.view.destination, &redirected);
            self.by_appliances(gateway, vpc, state, part);
        }
    }

    /// R-IGW-9: the addresses by which IPv6 may come in, for all interfaces of the same subnets together, with the first of
    /// these.
    fn doors_v6(&mut self, gateway: GatewayId, vpc: VpcId) -> Doors {
        let key = (gateway, self.world, self.replying());
        if let Some(doors) = self.doors_v6.get(&key) {
            return Rc::clone(doors);
        }
        let mut found: BTreeMap<Vec<SubnetId>, (EniId, Intervals)> = BTreeMap::new();
        for interface in self.network().interfaces_in_vpc(vpc) {
            let public = self.public_v6(*interface, vpc);
            let denied = self.network().interface(*interface).deny_igw && !self.replying();
            let real = !is_hypothetical(self.network().interface(*interface));
            let idle = real && self.is_local(gateway) && !self.is_aimed_at_address(*interface, vpc, &public);
            if !public.is_empty() && !denied && !idle && self.may_enter(*interface) {
                let subnets = self.network().subnets_of(*interface);
                found.entry(subnets).or_insert((*interface, Vec::new())).1.extend(public);
            }
        }
        let doors: Doors = found.into_values().collect();
        self.doors_v6.insert(key, Rc::clone(&doors));
        doors
    }

    /// R-ROUTE-14: whether what comes in by a gateway goes straight to the owner of its destination.
    fn is_local(&self, gateway: GatewayId) -> bool {
        self.network().edge_tables(gateway, self.world) == [TableChoice::ImplicitLocal]
    }

    /// R-IGW-9, A-10: in to addresses that no interface of the snapshot owns, but one that it does not show may, or that the
    /// gateway's table sends elsewhere. Permissive world only.
    fn enter_unowned(
        &mut self,
        gateway: GatewayId,
        vpc: VpcId,
        redirected: &[(u128, u128)],
        state: &State,
        set: Set,
    ) {
        // Nothing takes in what is for nobody, and an invariant has it all the same.
        if self.is_local(gateway) && !self.index.may_hide(vpc) && !self.certifying {
            return;
        }
        let mut meant = intervals_of(&self.network().public_v6_blocks(vpc, self.world), Family::V6);
        meant.extend(redirected);
        let owned: Intervals = self.index.owned(vpc, Family::V6).iter().map(|row| (row.lo, row.hi)).collect();
        let there = self.keep(set, &state.view, state.view.destination, &meant);
        let unowned = self.without(there, &state.view, state.view.destination, &owned);
        self.by_edge_tables(gateway, vpc, Origin::Internet, state, unowned);
    }

    /// R-BPA-3: by a gateway's tables, but only to the interfaces and endpoints that Block Public Access lets exchange
    /// packets with the gateway, where the owner of the address may not. Permissive world only.
    fn by_appliances(&mut self, gateway: GatewayId, vpc: VpcId, state: &State, set: Set) {
        let dropped = intervals_of(&unroutable(self.world), state.view.family);
        let set = self.without(set, &state.view, state.view.destination, &dropped);
        let inside = state.clone().with_origin(Origin::Internet);
        for choice in self.network().edge_tables(gateway, self.world) {
            for (hop, intervals) in self.targets_of(choice, vpc, state.view.family) {
                if self.network().internet_may_enter_by(hop, vpc, self.world) {
                    let part = self.keep(set, &state.view, state.view.destination, &intervals);
                    self.follow(hop, vpc, None, &inside, part);
                }
            }
        }
    }

    /// R-IGW-4, R-IGW-12, A-16: senders that may come in from the internet.
    pub(super) fn internet_senders(&mut self, view: &View, set: Set) -> Set {
        let mut never = match view.family {
            Family::V4 => SpecialBlock::PrivateV4.blocks(),
            Family::V6 => SpecialBlock::PrivateV6.blocks(),
        };
        if self.world == World::Under {
            never.extend(SpecialBlock::BogonV4.blocks());
            never.extend(SpecialBlock::NotGlobalV6.blocks());
        }
        let never = intervals_of(&never, view.family);
        self.without(set, view, view.source, &never)
    }

    /// R-BPA-4 for what comes in; replies belong to connections that were allowed out.
    fn may_enter(&self, interface: EniId) -> bool {
        let network = self.network();
        let allowed = |subnet: &SubnetId| network.internet_may_enter(*subnet, self.world).value;
        let subnets = network.subnets_of(interface);
        network.live(interface, self.world).value && (self.replying() || subnets.iter().any(allowed))
    }

    /// in the restrictive world the receiving subnet must route the sender's address back by the same gateway.
    fn with_return(&mut self, gateway: GatewayId, interface: EniId, view: &View, set: Set) -> Set {
        if self.world == World::Over || self.replying() || set.is_empty() {
            return set;
        }
        let mut kept = set;
        for subnet in self.network().subnets_of(interface) {
            let back = self.routed_to(subnet, gateway, view.family);
            kept = self.keep(kept, view, view.source, &back);
        }
        kept
    }

    /// The destinations that a subnet's table sends to a gateway.
    fn routed_to(&self, subnet: SubnetId, gateway: GatewayId, family: Family) -> Intervals {
        let choices = self.network().tables_of_subnet(subnet, self.world).value;
        let tables = choices.iter().filter_map(|choice| match choice {
            TableChoice::Table(table) => self.index.fib(*table, family, self.world, &self.reads),
            _ => None,
        });
        tables.flat_map(|fib| fib.intervals(&NextHop::Gateway(gateway)).to_vec()).collect()
    }

    /// R-ROUTE-14, R-ROUTE-15: on by the tables of the gateway.
    fn by_edge_tables(&mut self, gateway: GatewayId, vpc: VpcId, origin: Origin, state: &State, set: Set) {
        for table in self.network().edge_tables(gateway, self.world) {
            let next = state.at(Place::Route { table, vpc, from: None }).with_origin(origin);
            self.push(next, set);
        }
    }

    /// The associations of a VPC's interfaces that count.
    fn associations_in(&self, vpc: VpcId) -> Vec<Association> {
        let here = self.index.associations_in(vpc).iter();
        here.filter(|association| association.counts(self.world)).copied().collect()
    }

    /// R-VPN-3, A-15: in from a virtual private gateway.
    fn virtual_gateway_in(&mut self, gateway: GatewayId, vpc: VpcId, state: &State, set: Set) {
        if self.world == World::Under && state.view.family == Family::V6 {
            return;
        }
        if self.world == World::Over {
            let blocks = intervals_of(&self.network().vpc_blocks(vpc, self.world), state.view.family);
            let inside = self.keep(set, &state.view, state.view.destination, &blocks);
            return self.by_edge_tables(gateway, vpc, Origin::Virtual, state, inside);
        }
        for interface in self.network().interfaces_in_vpc(vpc).to_vec() {
            let own = self.own_intervals(interface, state.view.family);
            let part = self.keep(set, &state.view, state.view.destination, &own);
            let part = self.with_return(gateway, interface, &state.view, part);
            self.by_edge_tables(gateway, vpc, Origin::Virtual, state, part);
        }
    }

    /// R-VPCE-2, 3, 4: a gateway endpoint takes TCP and echo requests of this VPC's own interfaces.
    pub(super) fn service(&mut self, endpoint: EndpointId, vpc: VpcId, state: &State, set: Set) {
        if self.replying() || !self.starts_here(state) {
            return;
        }
        let own = self.sent_by_vpc(vpc, &state.view);
        let set = self.arena.intersection(set, own);
        let tcp = self.of_protocols(&state.view, &[Protocol::TCP]);
        let echo = self.echo_requests(&state.view);
        let accepted = self.arena.union(tcp, echo);
        let taken = self.arena.intersection(set, accepted);
        self.arrive(Sink::Service(endpoint), state, taken);
    }
}

/// Whether sorted intervals hold a value.
pub(super) fn covers(intervals: &[(u128, u128)], value: u128) -> bool {
    let after = intervals.partition_point(|(_, end)| *end < value);
    intervals.get(after).is_some_and(|(start, _)| *start <= value)
}
