//! Route tables and delivery inside a VPC (section 4).

use std::net::IpAddr;

use reachproof_model::flow::World;
use reachproof_model::id::{EniId, NatId, Ref as Reference, RouteTableId, SubnetId, VpcId};
use reachproof_model::snapshot::{Destination, Target};

use super::Tracer;
use super::leg::{Branch, Leg, Notes, decision};
use super::packet::{Field, Packet};
use super::place::{Entrance, Place};
use crate::evidence::{Disposition, HopKind, Outcome};
use crate::hypothetical::is_hypothetical;
use crate::network::{EffectiveRoute, GatewayKind, NextHop, Origin, Sink, TableChoice, Why, unroutable};

/// How a route competes (R-ROUTE-6, 8; R-TGW-5).
#[derive(Clone, Copy, Debug)]
pub(super) struct Contender {
    pub(super) length: u8,
    pub(super) rank: u8,
    pub(super) optional: bool,
    pub(super) floating: bool,
}

impl Contender {
    /// Greater is better: the longer block, then the lower rank.
    fn strength(self) -> (u8, u8) {
        (self.length, u8::MAX - self.rank)
    }

    fn certain(self) -> bool {
        !self.optional && !self.floating
    }
}

/// Which of the routes that cover a destination are selected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Selection {
    /// These, by position: in the permissive world each may be.
    These(Vec<usize>),
    /// No route covers it (R-ROUTE-13).
    None,
    /// Some route may or may not cover it, so the restrictive world claims nothing.
    Unclear,
}

/// R-ROUTE-6 … R-ROUTE-9, R-TGW-5. `every`: the destination is not fixed, so that any route may be selected.
pub(super) fn select(contenders: &[Contender], every: bool, world: World) -> Selection {
    if contenders.is_empty() {
        return Selection::None;
    }
    if world == World::Under && contenders.iter().any(|it| it.floating) {
        return Selection::Unclear;
    }
    let certain = |it: &&Contender| world == World::Under || it.certain();
    let best = contenders.iter().filter(certain).map(|it| it.strength()).max();
    let selected = |it: &Contender| {
        let ahead = best.is_none_or(|best| it.strength() >= best);
        every || world == World::Over && it.floating || ahead
    };
    Selection::These(
        (0..).zip(contenders).filter(|(_, it)| selected(it)).map(|(position, _)| position).collect(),
    )
}

impl<'s> Tracer<'_, 's> {
    /// R-ROUTE-3b: at a route table.
    pub(super) fn table(
        &self,
        mut leg: Leg,
        choice: TableChoice,
        vpc: VpcId,
        from: Option<SubnetId>,
        entry: Entrance,
    ) -> Vec<Branch> {
        if self.is_never_routed(&leg) {
            leg.visit(HopKind::Vpc, &self.network.vpc(vpc).meta.id);
            return leg.dropped("R-CORE-6", "never routed");
        }
        match choice {
            TableChoice::Table(table) => self.selected(leg, table, vpc, from, entry),
            TableChoice::ImplicitLocal if entry == Entrance::Blocked => {
                leg.dropped("R-BPA-4", "block public access is on")
            }
            TableChoice::ImplicitLocal => self.implicit_local(leg, vpc, from),
            TableChoice::Unknown => self.unknown_table(leg, vpc, from, entry),
        }
    }

    /// R-CORE-6.
    pub(super) fn is_never_routed(&self, leg: &Leg) -> bool {
        let never = |ip: IpAddr| unroutable(self.world).iter().any(|block| block.contains(&ip));
        leg.state.packet.destination.passes(World::Under, never)
    }

    fn selected(
        &self,
        mut leg: Leg,
        table: RouteTableId,
        vpc: VpcId,
        from: Option<SubnetId>,
        entry: Entrance,
    ) -> Vec<Branch> {
        let name = &self.network.snapshot.route_tables[table].meta.id;
        leg.visit(HopKind::RouteTable, name);
        let (routes, selection) = self.routes(table, &leg.state.packet, self.world);
        let selected = match selection {
            Selection::None => {
                leg.decide(decision("R-ROUTE-13", Outcome::Deny, format!("{name}: no route"), None));
                return vec![leg.fail(Disposition::NoRoute)];
            }
            Selection::Unclear => return vec![unclear(leg, name, &routes)],
            Selection::These(positions) => positions,
        };
        let selected: Vec<_> = selected.into_iter().filter_map(|position| routes.get(position)).collect();
        if self.world == World::Under && !alike(selected.iter().map(|route| route.next)) {
            leg.assume(&[12]);
            return leg.dropped("R-ROUTE-8b", format!("{name}: several routes tie"));
        }
        self.trust_unresolved_lists(&mut leg, table);
        if selected.iter().any(|route| route.optional) {
            leg.assume(&[4]);
        }
        let mut branches = Vec::new();
        let mut followed = Vec::new();
        for route in selected {
            if !followed.contains(&route.next) {
                followed.push(route.next);
                branches.extend(self.by_route(leg.clone(), name, route, vpc, from, entry));
            }
        }
        branches
    }

    /// The routes of a table that cover the destination, and which of them are selected.
    pub(super) fn routes(
        &self,
        table: RouteTableId,
        packet: &Packet,
        world: World,
    ) -> (Vec<EffectiveRoute<'s>>, Selection) {
        let mut routes = self.network.effective_routes(table, world);
        routes.retain(|route| packet.destination.passes(world, |ip| route.block.contains(&ip)));
        let contender = |route: &EffectiveRoute<'_>| Contender {
            length: route.block.prefix_len(),
            rank: route.rank,
            optional: route.optional,
            floating: route.floating,
        };
        let contenders: Vec<Contender> = routes.iter().map(contender).collect();
        let selection = select(&contenders, packet.destination == Field::Any, world);
        (routes, selection)
    }

    /// R-PL-3, A-38: a claim of the restrictive world that a list without known entries does not hold the address.
    fn trust_unresolved_lists(&self, leg: &mut Leg, table: RouteTableId) {
        if self.world == World::Under {
            let (routes, _) = self.routes(table, &leg.state.packet, World::Over);
            for route in routes.iter().filter(|route| route.floating) {
                leg.notes.assumptions = leg.notes.assumptions.and(route.assumptions);
            }
        }
    }

    fn by_route(
        &self,
        mut leg: Leg,
        table: &str,
        route: &EffectiveRoute<'_>,
        vpc: VpcId,
        from: Option<SubnetId>,
        entry: Entrance,
    ) -> Vec<Branch> {
        let by = format!("{table} {} → {}", route.block, target_name(self, &route.route.target));
        let (rule, outcome) = match route.next {
            NextHop::Drop(Why::Blackhole) => ("R-ROUTE-11", Outcome::Deny),
            NextHop::Drop(_) => ("R-ROUTE-16", Outcome::Deny),
            NextHop::Local => ("R-ROUTE-5", Outcome::Forward),
            _ => ("R-ROUTE-6", Outcome::Forward),
        };
        leg.decide(decision(rule, outcome, by, Some(route.source())));
        leg.notes.assumptions = leg.notes.assumptions.and(route.assumptions);
        self.follow(leg, route.next, vpc, from, entry)
    }

    /// R-ROUTE-4: to what a route names.
    pub(super) fn follow(
        &self,
        mut leg: Leg,
        next: NextHop,
        vpc: VpcId,
        from: Option<SubnetId>,
        entry: Entrance,
    ) -> Vec<Branch> {
        if let Entrance::RegionalNat { nat, public } = entry
            && let Some(branches) = self.after_regional_nat(&mut leg, next, nat, public)
        {
            return branches;
        }
        if entry == Entrance::Blocked && !self.network.internet_may_enter_by(next, vpc, self.world) {
            return leg.dropped("R-BPA-4", "block public access is on");
        }
        if let NextHop::Drop(why) = next {
            return vec![leg.fail(if why == Why::Unknown {
                Disposition::Unknown
            } else {
                Disposition::Blackhole
            })];
        }
        if next == NextHop::Local {
            return self.local(leg, vpc, from);
        }
        leg.visit(HopKind::Vpc, &self.network.vpc(vpc).meta.id);
        let place = match next {
            NextHop::Gateway(gateway) => self.outward(gateway, from),
            NextHop::Nat(nat) => Place::Nat { nat, from },
            NextHop::Transit(tgw) => Place::Transit { tgw, vpc, from },
            NextHop::Peering(peering) => Place::Peering { peering, vpc },
            NextHop::Service(endpoint) => Place::Service(endpoint),
            NextHop::Interface(interface) => {
                Place::Appliance { interface, from, pool: entry == Entrance::Pool }
            }
            NextHop::Component(component) => return self.enter_all(&leg, &[component]),
            NextHop::Local | NextHop::Drop(_) => Place::Router { vpc, from },
        };
        vec![leg.to(place)]
    }

    fn outward(&self, gateway: crate::network::GatewayId, from: Option<SubnetId>) -> Place {
        match self.network.gateways()[gateway].kind {
            GatewayKind::Internet => Place::InternetGateway { gateway, from, translated: false },
            GatewayKind::EgressOnly => Place::EgressOnly { gateway, from },
            GatewayKind::Virtual => Place::VirtualOut(gateway),
        }
    }

    /// R-NAT-9: behind a regional NAT gateway only an internet gateway knows the source address; what goes elsewhere is in
    /// the component that stands for the gateway's private side.
    fn after_regional_nat(
        &self,
        leg: &mut Leg,
        next: NextHop,
        nat: NatId,
        public: std::net::Ipv4Addr,
    ) -> Option<Vec<Branch>> {
        let igw = match next {
            NextHop::Gateway(gateway) => self.network.gateways()[gateway].kind == GatewayKind::Internet,
            _ => false,
        };
        match (next, self.world) {
            (NextHop::Drop(_), _) => None,
            (NextHop::Gateway(gateway), _) if igw => {
                leg.state.packet.source = Field::Is(IpAddr::V4(public));
                Some(vec![leg.clone().to(Place::InternetGateway { gateway, from: None, translated: true })])
            }
            (_, World::Over) => {
                leg.assume(&[19]);
                let id = &self.network.snapshot.nat_gateways[nat].meta.id;
                Some(self.enter_all(leg, self.network.component_of_target(id).as_slice()))
            }
            (_, World::Under) => {
                leg.assume(&[19]);
                Some(leg.clone().dropped("R-NAT-9", "the source address inside the VPC is not known"))
            }
        }
    }

    /// R-ROUTE-5, R-BPA-9: the local route.
    fn local(&self, mut leg: Leg, vpc: VpcId, from: Option<SubnetId>) -> Vec<Branch> {
        let sent_here = leg.state.origin == Origin::Local;
        if sent_here && !leg.take(self.network.encryption_allows(vpc, None, self.world)) {
            return leg.dropped("R-BPA-9", "encryption is enforced");
        }
        vec![leg.to(Place::Router { vpc, from })]
    }

    /// R-ROUTE-3: a gateway without an edge table knows the VPC's own blocks.
    fn implicit_local(&self, mut leg: Leg, vpc: VpcId, from: Option<SubnetId>) -> Vec<Branch> {
        let blocks = self.network.vpc_blocks(vpc, self.world);
        let inside = |ip| blocks.iter().any(|block| block.contains(&ip));
        if leg.state.packet.destination.passes(self.world, inside) {
            return vec![leg.to(Place::Router { vpc, from })];
        }
        leg.visit(HopKind::Vpc, &self.network.vpc(vpc).meta.id);
        vec![leg.drop("R-ROUTE-13", "not an address of the VPC", Disposition::NoRoute)]
    }

    /// R-DATA-3: a table that was not collected may lead to any target of the VPC.
    fn unknown_table(
        &self,
        mut leg: Leg,
        vpc: VpcId,
        from: Option<SubnetId>,
        entry: Entrance,
    ) -> Vec<Branch> {
        let reason = "the route table is not known; collect: ec2 describe-route-tables";
        leg.notes.add(&Notes::because(&[11], reason));
        let follow = |next| self.follow(leg.clone(), next, vpc, from, entry);
        self.network.any_target(vpc, self.world).into_iter().flat_map(follow).collect()
    }

    /// Where a table may send a packet in this world; nothing where it is unknown.
    pub(super) fn next_hops(&self, choice: TableChoice, vpc: VpcId, packet: &Packet) -> Vec<NextHop> {
        match choice {
            TableChoice::Table(table) => self.selected_hops(table, packet, self.world),
            TableChoice::ImplicitLocal => vec![NextHop::Local],
            TableChoice::Unknown => self.network.any_target(vpc, self.world),
        }
    }

    /// The targets that a table selects for a packet in a world.
    pub(super) fn selected_hops(&self, table: RouteTableId, packet: &Packet, world: World) -> Vec<NextHop> {
        let (routes, selection) = self.routes(table, packet, world);
        let Selection::These(positions) = selection else { return Vec::new() };
        positions.into_iter().filter_map(|position| routes.get(position)).map(|route| route.next).collect()
    }

    /// R-CORE-3 `vpc_deliver`.
    pub(super) fn deliver(&self, mut leg: Leg, vpc: VpcId, from: Option<SubnetId>) -> Vec<Branch> {
        leg.visit(HopKind::Vpc, &self.network.vpc(vpc).meta.id);
        let destination = leg.state.packet.destination;
        let owners = match destination {
            Field::Is(ip) => self.network.owners().of_address(vpc, ip),
            Field::Any => self.network.interfaces_in_vpc(vpc).to_vec(),
        };
        let of_vpc =
            self.network.snapshot.subnets.iter().filter(|(_, subnet)| subnet.vpc.known() == Some(vpc));
        let holding: Vec<SubnetId> =
            of_vpc.map(|(id, _)| id).filter(|id| self.holds(*id, destination)).collect();
        self.to_owners(leg, owners, &holding, from, true)
    }

    fn holds(&self, subnet: SubnetId, destination: Field<IpAddr>) -> bool {
        let blocks = self.network.subnet_blocks(subnet, self.world);
        destination.passes(self.world, |ip| blocks.iter().any(|block| block.contains(&ip)))
    }

    /// R-ADDR-3, A-34: to each owner of the destination; without one, to what may own it unseen. `report`: whether to
    /// end in a drop if there is nobody.
    pub(super) fn to_owners(
        &self,
        leg: Leg,
        owners: Vec<EniId>,
        holding: &[SubnetId],
        from: Option<SubnetId>,
        report: bool,
    ) -> Vec<Branch> {
        let fixed = leg.state.packet.destination != Field::Any;
        let mut branches = Vec::new();
        let supposed = owners.iter().all(|owner| is_hypothetical(self.network.interface(*owner)));
        if !fixed || supposed {
            branches.extend(holding.iter().flat_map(|subnet| self.unseen(&leg, *subnet, from)));
        }
        let several = owners.len() > 1 && fixed;
        for owner in self.settled(owners) {
            for subnet in self.settled(self.network.subnets_of(owner)) {
                let mut leg = leg.clone();
                if several {
                    leg.assume(&[34]);
                }
                branches.push(self.to_owner(leg, owner, subnet, from));
            }
        }
        if branches.is_empty() && report {
            return leg.dropped("R-ADDR-3", "no interface owns the destination");
        }
        branches
    }

    fn to_owner(&self, mut leg: Leg, interface: EniId, subnet: SubnetId, from: Option<SubnetId>) -> Branch {
        if from != Some(subnet) && !self.enters(&mut leg, subnet) {
            return leg.fail(Disposition::DeniedIn);
        }
        if from == Some(subnet) && leg.comes_by_router() {
            leg.visit(HopKind::Subnet, &self.network.subnet(subnet).meta.id);
        }
        leg.to(Place::Arriving { interface, from, waived: false })
    }

    /// R-ADDR-13, R-LB-2: interfaces that the input does not show may own an address of the subnet.
    fn unseen(&self, leg: &Leg, subnet: SubnetId, from: Option<SubnetId>) -> Vec<Branch> {
        let foreign = self.network.hides_interfaces(&self.network.subnet(subnet).meta);
        let hidden = self.network.components_hidden_in(subnet);
        if !foreign && (hidden.is_empty() || self.world == World::Under) {
            return Vec::new();
        }
        let mut leg = leg.clone();
        if from != Some(subnet) && !self.enters(&mut leg, subnet) {
            return vec![leg.fail(Disposition::DeniedIn)];
        }
        let mut branches = Vec::new();
        if self.world == World::Over {
            branches.extend(self.enter_all(&leg, hidden));
        }
        if foreign {
            let owner = self.network.subnet(subnet).meta.owner.as_deref().unwrap_or_default();
            let name = &self.network.subnet(subnet).meta.id;
            let reason = format!(
                "interfaces of account {owner} in {name} are not in the snapshot; collect in that account: ec2 describe-network-interfaces"
            );
            leg.notes.add(&Notes::because(&[10], reason));
            branches.push(match self.world {
                World::Over => leg.arrive(Sink::Unseen(subnet)),
                World::Under => leg.drop("R-ADDR-13", "may be unseen", Disposition::Unknown),
            });
        }
        branches
    }
}

/// Whether all are equal.
pub(super) fn alike<T: PartialEq>(mut all: impl Iterator<Item = T>) -> bool {
    all.next().is_none_or(|first| all.all(|other| other == first))
}

fn unclear(mut leg: Leg, table: &str, routes: &[EffectiveRoute<'_>]) -> Branch {
    for route in routes.iter().filter(|route| route.floating) {
        leg.notes.assumptions = leg.notes.assumptions.and(route.assumptions);
        if let Destination::PrefixList(_) = &route.route.destination {
            let reason = format!(
                "entries of a prefix list in {table} are not known; collect: ec2 get-managed-prefix-list-entries"
            );
            leg.notes.reasons.insert(reason.into());
        }
    }
    leg.drop("R-PL-3", format!("{table}: the destinations of a route are not known"), Disposition::Unknown)
}

/// The id that a target names.
fn target_name<'a>(tracer: &Tracer<'_, 'a>, target: &'a Target) -> &'a str {
    let snapshot = tracer.network.snapshot;
    match target {
        Target::Local => "local",
        Target::InternetGateway(Reference::Known(id)) => &snapshot.internet_gateways[*id].meta.id,
        Target::VirtualGateway(Reference::Known(id)) => &snapshot.virtual_gateways[*id].meta.id,
        Target::EgressGateway(Reference::Known(id)) => &snapshot.egress_gateways[*id].meta.id,
        Target::Endpoint(Reference::Known(id)) => &snapshot.endpoints[*id].meta.id,
        Target::Nat(Reference::Known(id)) => &snapshot.nat_gateways[*id].meta.id,
        Target::TransitGateway(Reference::Known(id)) => &snapshot.transit_gateways[*id].meta.id,
        Target::Peering(Reference::Known(id)) => &snapshot.peerings[*id].meta.id,
        Target::Interface(Reference::Known(id)) => &snapshot.interfaces[*id].meta.id,
        Target::Instance(Reference::Known(id)) => &snapshot.instances[*id].meta.id,
        Target::InternetGateway(Reference::Missing(id))
        | Target::VirtualGateway(Reference::Missing(id))
        | Target::EgressGateway(Reference::Missing(id))
        | Target::Endpoint(Reference::Missing(id))
        | Target::Nat(Reference::Missing(id))
        | Target::TransitGateway(Reference::Missing(id))
        | Target::Peering(Reference::Missing(id))
        | Target::Interface(Reference::Missing(id))
        | Target::Instance(Reference::Missing(id))
        | Target::Unmodelled { id, .. } => id,
    }
}
