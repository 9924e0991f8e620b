//! Internet and egress-only gateways, and the internet between them (section 7).

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use reachproof_model::flow::World;
use reachproof_model::id::{EniId, SubnetId, VpcId};

use super::Tracer;
use super::leg::{Branch, Leg};
use super::packet::{Field, Packet, Tag};
use super::place::{Entrance, Place};
use crate::evidence::{Disposition, HopKind};
use crate::network::{Association, GatewayId, NextHop, Origin, Role, Sink, SpecialBlock, TableChoice};

impl Tracer<'_, '_> {
    /// R-IGW-2, R-IGW-9: out by an internet gateway.
    pub(super) fn internet_gateway(
        &self,
        mut leg: Leg,
        gateway: GatewayId,
        from: Option<SubnetId>,
        translated: bool,
    ) -> Vec<Branch> {
        let Some(vpc) = self.at_gateway(&mut leg, gateway, HopKind::InternetGateway) else {
            return leg.dropped("R-IGW-1", "not attached");
        };
        if !leg.take(self.network.encryption_allows(vpc, Some("InternetGateway"), self.world)) {
            return leg.dropped("R-BPA-9", "encryption is enforced");
        }
        let public = |ip| !SpecialBlock::PrivateV4.contains(ip);
        if !leg.state.packet.destination.passes(self.world, public) {
            return leg.dropped("R-IGW-2", "the destination is private");
        }
        match leg.state.packet.source {
            Field::Is(_) if translated => self.by_regional_nat(leg, vpc),
            Field::Is(IpAddr::V4(private)) => self.with_private_source(leg, gateway, (vpc, from), private),
            Field::Is(ip) => self.with_v6_source(leg, gateway, (vpc, from), ip),
            Field::Any => self.with_any_source(leg, vpc),
        }
    }

    /// R-IGW-3: nothing leaves with the source of anybody but an interface of the VPC.
    fn at_gateway(&self, leg: &mut Leg, id: GatewayId, kind: HopKind) -> Option<VpcId> {
        let gateway = &self.network.gateways()[id];
        leg.visit(kind, &gateway.id);
        if gateway.implied {
            leg.assume(&[36]);
        }
        gateway.serves(self.world)
    }

    /// R-IGW-2 (a): the source must be paired with a public address, which it becomes.
    fn with_private_source(
        &self,
        leg: Leg,
        gateway: GatewayId,
        (vpc, from): (VpcId, Option<SubnetId>),
        private: Ipv4Addr,
    ) -> Vec<Branch> {
        let owners = self.settled(self.network.owners().of_address(vpc, IpAddr::V4(private)));
        let paired = owners.into_iter().flat_map(|owner| {
            self.settled(self.network.public_of(owner, private, self.world))
                .into_iter()
                .map(move |it| (owner, it))
        });
        let paired: Vec<(EniId, Ipv4Addr)> = paired.collect();
        if self.is_of_pool(vpc, IpAddr::V4(private)) {
            let mut leg = leg;
            leg.assume(&[13]);
            return vec![on_internet(leg)];
        }
        if paired.is_empty() {
            return leg.dropped("R-IGW-2", format!("{private} has no public address"));
        }
        let out = |(owner, public): &(EniId, Ipv4Addr)| {
            let mut leg = leg.clone();
            if let Some(why) =
                self.may_not_leave(&mut leg, gateway, (*owner, IpAddr::V4(private)), from, false)
            {
                return leg.drop(why, "not let out", Disposition::Dropped);
            }
            let destination = leg.state.packet.destination;
            leg.rewrite("R-IGW-2", Field::Is(IpAddr::V4(*public)), destination);
            on_internet(leg)
        };
        paired.iter().map(out).collect()
    }

    /// R-ROUTE-3: whether an address is one of a pool that comes in to the VPC, which the permissive world lets out as it is.
    pub(super) fn is_of_pool(&self, vpc: VpcId, ip: IpAddr) -> bool {
        self.network.pool_sources(vpc, self.world).iter().any(|block| block.contains(&ip))
    }

    /// R-IGW-9, R-ADDR-8, R-ADDR-9.
    fn with_v6_source(
        &self,
        leg: Leg,
        gateway: GatewayId,
        (vpc, from): (VpcId, Option<SubnetId>),
        source: IpAddr,
    ) -> Vec<Branch> {
        let owners = self.v6_senders(vpc, source);
        if owners.is_empty() {
            return leg
                .dropped("R-IGW-9", format!("{source} is no public address of an interface of the VPC"));
        }
        let out = |owner: &EniId| {
            let mut leg = leg.clone();
            match self.may_not_leave(&mut leg, gateway, (*owner, source), from, false) {
                Some(why) => leg.drop(why, "not let out", Disposition::Dropped),
                None => on_internet(leg),
            }
        };
        owners.iter().map(out).collect()
    }

    fn v6_senders(&self, vpc: VpcId, source: IpAddr) -> Vec<EniId> {
        if !self.network.is_public_v6(vpc, source, self.world) {
            return Vec::new();
        }
        let owners = self.settled(self.network.owners().of_address(vpc, source)).into_iter();
        owners.filter(|owner| self.world == World::Over || !self.network.interface(*owner).deny_igw).collect()
    }

    /// R-STATE-1, R-BPA-3, R-BPA-4, R-ROUTE-14: the rule by which an interface's packet that comes to a gateway out of the
    /// subnet `from` may not leave by it.
    fn may_not_leave(
        &self,
        leg: &mut Leg,
        gateway: GatewayId,
        (owner, source): (EniId, IpAddr),
        from: Option<SubnetId>,
        egress_only: bool,
    ) -> Option<&'static str> {
        if !self.is_live(leg, owner) {
            return Some("R-STATE-1");
        }
        let translated = Role::of(self.network.interface(owner)) == Role::Nat;
        let subnets = self.settled(self.network.subnets_of(owner));
        let lets = |subnet: &SubnetId| {
            self.network.internet_may_be_sent_to(*subnet, translated, egress_only, self.world)
        };
        let decided: Vec<_> = subnets.iter().map(lets).collect();
        let vpc = self.network.interface(owner).vpc.known();
        let forwarded = |vpc| self.network.internet_may_be_sent_to_out_of(from, vpc, egress_only, self.world);
        let open = decided.iter().any(|it| it.value) || vpc.is_some_and(forwarded);
        for it in decided {
            leg.take(it);
        }
        if !open {
            return Some("R-BPA-4");
        }
        (!egress_only && self.is_redirected(gateway, source)).then_some("R-ROUTE-14")
    }

    /// R-ROUTE-14: what enters for the source's subnet may be redirected, so that it cannot use the gateway directly. Only
    /// the restrictive world looks, at every table that may apply.
    fn is_redirected(&self, gateway: GatewayId, source: IpAddr) -> bool {
        if self.world == World::Over {
            return false;
        }
        let tables = self.network.edge_tables(gateway, World::Over);
        let routes = tables.iter().flat_map(|choice| match choice {
            TableChoice::Table(table) => self.network.effective_routes(*table, World::Over),
            _ => Vec::new(),
        });
        routes.into_iter().any(|route| route.next != NextHop::Local && route.block.contains(&source))
    }

    /// a source that a component chose can be any that the gateway knows.
    fn with_any_source(&self, leg: Leg, vpc: VpcId) -> Vec<Branch> {
        let v4 = self
            .network
            .associations(self.world)
            .any(|it| self.network.interface(it.interface).vpc.known() == Some(vpc));
        let v6 = self.network.interfaces_in_vpc(vpc).iter().any(|id| {
            let addresses = &self.network.interface(*id).addresses;
            addresses.iter().any(|address| self.network.is_public_v6(vpc, address.ip, self.world))
        });
        // R-ROUTE-3: sources of a pool need no association.
        let pool = !self.network.pool_sources(vpc, self.world).is_empty();
        if v4 || v6 || pool {
            vec![on_internet(leg)]
        } else {
            leg.dropped("R-IGW-2", "the VPC has no public address")
        }
    }

    /// R-NAT-9, R-BPA-4: no subnet tells of Block Public Access, so in the restrictive world every one of the VPC must let
    /// a NAT gateway send.
    fn by_regional_nat(&self, mut leg: Leg, vpc: VpcId) -> Vec<Branch> {
        if self.world == World::Under && !self.lets_every_nat_out(vpc) {
            return leg.dropped("R-BPA-4", "block public access is on");
        }
        leg.rewritten("R-NAT-9");
        vec![on_internet(leg)]
    }

    fn lets_every_nat_out(&self, vpc: VpcId) -> bool {
        let mut subnets =
            self.network.snapshot.subnets.iter().filter(|(_, subnet)| subnet.vpc.known() == Some(vpc));
        subnets.all(|(id, _)| self.network.internet_may_be_sent_to(id, true, false, self.world).value)
    }

    /// R-EIGW-1: out by an egress-only gateway.
    pub(super) fn egress_only(
        &self,
        mut leg: Leg,
        gateway: GatewayId,
        from: Option<SubnetId>,
    ) -> Vec<Branch> {
        let Some(vpc) = self.at_gateway(&mut leg, gateway, HopKind::EgressOnlyGateway) else {
            return leg.dropped("R-EIGW-1", "not attached");
        };
        if !leg.take(self.network.encryption_allows(vpc, Some("EgressOnlyInternetGateway"), self.world)) {
            return leg.dropped("R-BPA-9", "encryption is enforced");
        }
        // What an answer answers left by the gateway that it must come back by, whichever it leaves by itself.
        if !leg.state.reply {
            leg.state.memory.egress_only = Some(gateway);
        }
        let owners = match leg.state.packet.source {
            Field::Is(ip) => self.v6_senders(vpc, ip),
            Field::Any => return self.with_any_source(leg, vpc),
        };
        if owners.is_empty() || !leg.state.packet.destination.passes(self.world, |ip| ip.is_ipv6()) {
            return leg.dropped("R-EIGW-1", "not from a public IPv6 address of the VPC");
        }
        let source = leg.state.packet.source;
        let out = |owner: &EniId| {
            let mut leg = leg.clone();
            let ip = source.fixed()?;
            Some(match self.may_not_leave(&mut leg, gateway, (*owner, ip), from, true) {
                Some(why) => leg.drop(why, "not let out", Disposition::Dropped),
                None => on_internet(leg),
            })
        };
        owners.iter().filter_map(out).collect()
    }

    /// R-IGW-5, R-IGW-13: on the internet, from where every public address and every public ingress can be reached.
    pub(super) fn internet(&self, mut leg: Leg) -> Vec<Branch> {
        leg.visit(HopKind::Internet, "internet");
        if self.is_back_at(&leg.state, Place::Internet) {
            return vec![leg.arrive(Sink::Internet)];
        }
        let private = |ip| SpecialBlock::PrivateV4.contains(ip) || SpecialBlock::PrivateV6.contains(ip);
        if leg.state.packet.destination.passes(World::Under, private) {
            return leg.dropped("R-IGW-4", "a private address is not on the internet");
        }
        let mut branches = match self.world {
            World::Over => self.enter_all(&leg, self.network.components_at_internet()),
            World::Under => Vec::new(),
        };
        branches.extend(self.back_inside(&leg));
        branches.extend(self.to_pools(&leg));
        let held = match leg.state.packet.destination {
            Field::Is(IpAddr::V4(public)) => self.to_v4(&leg, public, &mut branches),
            Field::Is(ip) => self.to_v6(&leg, ip, &mut branches),
            Field::Any => self.to_everyone(&leg, &mut branches),
        };
        if !held {
            branches.push(leg.arrive(Sink::Internet));
        }
        branches
    }

    /// R-IGW-12, A-16: a host on the internet has no address of a private network.
    pub(super) fn sent_on_internet(&self, mut leg: Leg) -> Vec<Branch> {
        if leg.state.packet.source.passes(self.world, |ip| self.may_send_from_outside(ip)) {
            return vec![leg.to(Place::Internet)];
        }
        if self.world == World::Under {
            leg.assume(&[16]);
        }
        leg.dropped("R-IGW-12", "not a source on the internet")
    }

    /// R-EIGW-1, R-NAT-9: answers come in where their questions went out.
    fn back_inside(&self, leg: &Leg) -> Vec<Branch> {
        let memory = &leg.state.memory;
        if !leg.state.reply {
            return Vec::new();
        }
        let mut branches = Vec::new();
        let destination = leg.state.packet.destination;
        if let Some(gateway) = memory.egress_only {
            let mut leg = leg.clone();
            leg.state.origin = Origin::Internet;
            if let Some(vpc) = self.at_gateway(&mut leg, gateway, HopKind::EgressOnlyGateway)
                && destination.passes(self.world, |ip| self.network.is_public_v6(vpc, ip, self.world))
            {
                branches.push(leg.to(Place::Router { vpc, from: None }));
            }
        }
        if let Some(mapping) = memory.mappings.last() {
            let regional = self.network.nat(mapping.nat).is_some_and(|nat| nat.regional);
            if regional && destination == Field::Is(mapping.mapped.source) {
                branches.push(leg.clone().to(Place::NatReturn { nat: mapping.nat, from: None }));
            }
        }
        branches
    }

    /// R-IGW-4, R-IGW-5: to the interfaces paired with a public address; true iff there certainly is one, or the
    /// packet has come in another way.
    fn to_v4(&self, leg: &Leg, public: Ipv4Addr, branches: &mut Vec<Branch>) -> bool {
        let held = !self.network.associations_of(public, World::Under).is_empty();
        let came_in = self.world == World::Under && !branches.is_empty();
        let associations = self.network.associations_of(public, self.world);
        if self.world == World::Under && associations.len() > 1 {
            branches.push(leg.clone().drop(
                "R-ADDR-5",
                "several interfaces show this address",
                Disposition::Unknown,
            ));
            return true;
        }
        for association in &associations {
            branches.extend(self.to_association(leg, association));
        }
        held || came_in
    }

    /// R-IGW-4: in by each gateway of the interface's VPC (R-CORE-4).
    fn to_association(&self, leg: &Leg, association: &Association) -> Vec<Branch> {
        let interface = association.interface;
        let Some(vpc) = self.network.interface(interface).vpc.known() else { return Vec::new() };
        let private = Field::Is(IpAddr::V4(association.private));
        let enter = |gateway| self.inward(leg.clone(), vpc, gateway, Some(interface), private);
        self.by_gateways(leg, vpc, enter)
    }

    fn by_gateways(&self, leg: &Leg, vpc: VpcId, enter: impl Fn(GatewayId) -> Vec<Branch>) -> Vec<Branch> {
        let gateways =
            self.settled(self.network.gateways_of(vpc, crate::network::GatewayKind::Internet, self.world));
        if gateways.is_empty() {
            return leg.clone().dropped("R-IGW-1", "the VPC has no internet gateway");
        }
        gateways.into_iter().flat_map(enter).collect()
    }

    /// In by an internet gateway, to the owner of an address if there is one.
    fn inward(
        &self,
        mut leg: Leg,
        vpc: VpcId,
        gateway: GatewayId,
        owner: Option<EniId>,
        destination: Field<IpAddr>,
    ) -> Vec<Branch> {
        self.at_gateway(&mut leg, gateway, HopKind::InternetGateway);
        if !leg.take(self.network.encryption_allows(vpc, Some("InternetGateway"), self.world)) {
            return leg.dropped("R-BPA-9", "encryption is enforced");
        }
        if !leg.state.packet.source.passes(self.world, |ip| self.may_send_from_outside(ip)) {
            if self.world == World::Under {
                leg.assume(&[16]);
            }
            return leg.dropped("R-IGW-4", "not a source on the internet");
        }
        let mut entry = Entrance::Plain;
        if let (Some(owner), false) = (owner, leg.state.reply) {
            match self.let_in(&mut leg, gateway, owner, vpc) {
                Ok(allowed) => entry = allowed,
                Err(refused) => return refused,
            }
        }
        leg.state.origin = Origin::Internet;
        leg.state.tag = Tag::None;
        if destination != leg.state.packet.destination {
            let source = leg.state.packet.source;
            leg.rewrite("R-IGW-4", source, destination);
        }
        let tables = self.network.edge_tables(gateway, self.world);
        self.to_tables(leg, &tables, vpc, None, entry)
    }

    /// R-IGW-12, A-16.
    fn may_send_from_outside(&self, ip: IpAddr) -> bool {
        let outside = match self.world {
            World::Over => [SpecialBlock::PrivateV4, SpecialBlock::PrivateV6].as_slice(),
            World::Under => &[SpecialBlock::PrivateV4, SpecialBlock::BogonV4, SpecialBlock::NotGlobalV6],
        };
        !outside.iter().any(|block| block.contains(ip))
    }

    /// R-BPA-4, and A-15: the restrictive world wants the answer to leave by the same gateway. Where the owner's subnet is
    /// closed, the permissive one looks at what the gateway's table leads to instead (R-BPA-3).
    fn let_in(
        &self,
        leg: &mut Leg,
        gateway: GatewayId,
        owner: EniId,
        vpc: VpcId,
    ) -> Result<Entrance, Vec<Branch>> {
        let subnets = self.settled(self.network.subnets_of(owner));
        let decided: Vec<_> =
            subnets.iter().map(|subnet| self.network.internet_may_enter(*subnet, self.world)).collect();
        let open = decided.iter().any(|it| it.value);
        for it in decided {
            leg.take(it);
        }
        match (open, self.world) {
            (true, _) => {}
            (false, World::Over) => return Ok(Entrance::Blocked),
            (false, World::Under) => {
                return Err(leg.clone().dropped("R-BPA-4", "block public access is on"));
            }
        }
        let returns = |subnet: &SubnetId| self.returns_by(*subnet, vpc, &leg.state.packet, gateway);
        if self.world == World::Under && !subnets.iter().all(returns) {
            leg.assume(&[15]);
            return Err(leg.clone().dropped("R-IGW-6", "the subnet has no route back by this gateway"));
        }
        Ok(Entrance::Plain)
    }

    /// whether the subnet's table certainly sends answers to the packet to this gateway.
    pub(super) fn returns_by(
        &self,
        subnet: SubnetId,
        vpc: VpcId,
        packet: &Packet,
        gateway: GatewayId,
    ) -> bool {
        let answer = Packet { source: packet.destination, destination: packet.source, ..*packet };
        let tables = self.network.tables_of_subnet(subnet, World::Under).value;
        let by_gateway = |choice: &TableChoice| {
            let hops = self.next_hops(*choice, vpc, &answer);
            !hops.is_empty() && hops.iter().all(|next| *next == NextHop::Gateway(gateway))
        };
        !tables.is_empty() && tables.iter().all(by_gateway)
    }

    /// R-IGW-9: to an address in a public IPv6 block of a VPC; true iff there certainly is such a VPC.
    fn to_v6(&self, leg: &Leg, ip: IpAddr, branches: &mut Vec<Branch>) -> bool {
        let came_in = self.world == World::Under && !branches.is_empty();
        let holders = |world| {
            let vpcs = self.network.snapshot.vpcs.ids();
            vpcs.filter(move |vpc| self.network.is_public_v6(*vpc, ip, world)).collect::<Vec<VpcId>>()
        };
        let held = !holders(World::Under).is_empty();
        if came_in {
            return true;
        }
        for vpc in self.settled(holders(self.world)) {
            branches.extend(self.by_gateways(leg, vpc, |gateway| self.to_v6_owner(leg, vpc, gateway, ip)));
        }
        held
    }

    fn to_v6_owner(&self, leg: &Leg, vpc: VpcId, gateway: GatewayId, ip: IpAddr) -> Vec<Branch> {
        let destination = Field::Is(ip);
        let owners = self.network.owners().of_address(vpc, ip);
        if owners.is_empty() && self.world == World::Over {
            return self.inward(leg.clone(), vpc, gateway, None, destination);
        }
        let answers = leg.state.reply && self.world == World::Over;
        let open = |owner: &EniId| answers || !self.network.interface(*owner).deny_igw;
        let owners: Vec<EniId> = self.settled(owners).into_iter().filter(open).collect();
        if owners.is_empty() {
            return leg.clone().dropped("R-ADDR-9", "no interface takes this address from the internet");
        }
        owners
            .into_iter()
            .flat_map(|owner| self.inward(leg.clone(), vpc, gateway, Some(owner), destination))
            .collect()
    }

    /// A destination that a component chose: every public address, and every other host.
    fn to_everyone(&self, leg: &Leg, branches: &mut Vec<Branch>) -> bool {
        for association in self.network.associations(self.world) {
            branches.extend(self.to_association(leg, association));
        }
        let addresses = self.network.snapshot.interfaces.values().flat_map(|interface| &interface.addresses);
        for address in addresses.filter(|address| address.ip.is_ipv6()) {
            self.to_v6(leg, address.ip, branches);
        }
        for (gateway, vpc) in
            self.network.gateways().iter().filter_map(|(id, it)| Some((id, it.serves(self.world)?)))
        {
            branches.extend(self.to_redirected(leg, gateway, vpc));
        }
        false
    }

    /// R-IGW-9: addresses that nobody owns, which an edge table sends to an interface or endpoint.
    fn to_redirected(&self, leg: &Leg, gateway: GatewayId, vpc: VpcId) -> Vec<Branch> {
        let internet = self.network.gateways()[gateway].kind == crate::network::GatewayKind::Internet;
        let mut branches = Vec::new();
        for choice in self.network.edge_tables(gateway, self.world).iter().filter(|_| internet) {
            let TableChoice::Table(table) = choice else { continue };
            for route in self.network.effective_routes(*table, self.world) {
                let public = matches!(route.block, IpNet::V6(_))
                    && self.network.is_public_v6(vpc, route.block.addr(), self.world);
                match route.next {
                    NextHop::Interface(interface) if public => {
                        branches.push(leg.clone().to(Place::Appliance {
                            interface,
                            from: None,
                            pool: false,
                        }));
                    }
                    NextHop::Component(component) if public => {
                        branches.extend(self.enter_all(leg, &[component]))
                    }
                    _ => {}
                }
            }
        }
        branches
    }

    /// R-ROUTE-3, A-13: whole pools are routed in untranslated.
    fn to_pools(&self, leg: &Leg) -> Vec<Branch> {
        if self.world == World::Under {
            return Vec::new();
        }
        let mut branches = Vec::new();
        for (pool, table) in self.network.pool_tables() {
            let ranges = self.network.pool_ranges(pool);
            let held = |ip: IpAddr| match &ranges {
                Some(ranges) => ranges.iter().any(|range| range.contains(&ip)),
                None => ip.is_ipv4(),
            };
            let vpc = self.network.snapshot.route_tables[table].vpc.known();
            if let (Some(vpc), true) = (vpc, leg.state.packet.destination.passes(self.world, held)) {
                let mut leg = leg.clone();
                leg.assume(&[13]);
                leg.state.origin = Origin::Internet;
                leg.state.tag = Tag::None;
                let choice = TableChoice::Table(table);
                branches.push(leg.to(Place::Table { choice, vpc, from: None, entry: Entrance::Pool }));
            }
        }
        branches
    }
}

/// R-SG-10, R-IGW-8: the internet forgets who the sender was.
fn on_internet(mut leg: Leg) -> Branch {
    leg.state.tag = Tag::None;
    leg.state.entered = None;
    leg.to(Place::Internet)
}
