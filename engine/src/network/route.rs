//! Effective routes: what each route of a table stands for in each world.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reachproof_model::assumption::Assumptions;
use reachproof_model::flow::World;
use reachproof_model::id::{
    ComponentId, EndpointId, EniId, NatId, PeeringId, PrefixListId, Ref, RouteTableId, SubnetId, TgwId, VpcId,
};
use reachproof_model::snapshot::{Destination, EndpointKind, PrefixList, Route, Target};
use reachproof_model::source::Source;

use super::gateway::{GatewayId, GatewayKind};
use super::nat::is_shown;
use super::special::SpecialBlock;
use super::state::{Object, usable};
use super::{Network, covers};

/// Where a selected route sends a packet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum NextHop {
    /// The VPC's own resolution (R-ROUTE-5).
    Local,
    /// An internet, egress-only or virtual private gateway that serves this VPC.
    Gateway(GatewayId),
    /// A NAT gateway.
    Nat(NatId),
    /// A transit gateway.
    Transit(TgwId),
    /// A peering connection.
    Peering(PeeringId),
    /// A gateway endpoint.
    Service(EndpointId),
    /// An interface, whatever the destination is (R-MBX-1).
    Interface(EniId),
    /// An unmodelled component.
    Component(ComponentId),
    /// Nowhere: the route wins and the packet is dropped.
    Drop(Why),
}

/// Why a route leads nowhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Why {
    /// `State=blackhole` (R-ROUTE-11).
    Blackhole,
    /// The target is not attached to this VPC, of another VPC, or not in a usable state (R-ROUTE-16).
    NotUsable,
    /// The target is in no answer although its call was collected, or not modelled: nothing may be claimed.
    Unknown,
}

/// One route of a table as one world reads it.
///
/// Selection (R-ROUTE-6, 8): longest block, then lowest rank. A route with `optional` may be absent, one with
/// `floating` may or may not match any destination of its block, whatever its length. The permissive world follows
/// every route that may win; the restrictive world claims nothing for a destination that a floating route covers, or
/// where two targets tie.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EffectiveRoute<'s> {
    /// Destinations.
    pub block: IpNet,
    /// Lower wins among equal lengths (R-ROUTE-8).
    pub rank: u8,
    /// Where it leads.
    pub next: NextHop,
    /// May be absent.
    pub optional: bool,
    /// Its real destinations are unknown, within the block.
    pub floating: bool,
    /// The route as the input has it.
    pub route: &'s Route,
    /// What following it rests on.
    pub assumptions: Assumptions,
}

impl EffectiveRoute<'_> {
    /// Where it was read.
    pub fn source(&self) -> &Source {
        &self.route.source
    }
}

const PROPAGATED: &str = "EnableVgwRoutePropagation";
const ADVERTISED: &str = "Advertisement";

impl<'s> Network<'s> {
    /// R-ROUTE-4 … R-ROUTE-12: every route of the table, one entry a block, in the order of the input.
    pub fn effective_routes(&self, table: RouteTableId, world: World) -> Vec<EffectiveRoute<'s>> {
        let record = &self.snapshot.route_tables[table];
        let vpc = record.vpc.known();
        let mut routes = Vec::new();
        for route in &record.routes {
            if route.state.as_deref() != Some("filtered") {
                self.expand(route, vpc, world, &mut routes);
            }
        }
        routes
    }

    /// R-ROUTE-7: one effective route for each block that the destination stands for.
    fn expand(&self, route: &'s Route, vpc: Option<VpcId>, world: World, into: &mut Vec<EffectiveRoute<'s>>) {
        let (mut next, mut assumptions) = self.next_hop(route, vpc, world);
        let origin = route.origin.as_deref();
        let propagated = matches!(origin, Some(PROPAGATED | ADVERTISED));
        let strange = is_strange(route.state.as_deref());
        let mut optional = world == World::Over && (propagated || strange);
        if optional {
            assumptions = assumptions.and(Assumptions::of(if strange { &[22] } else { &[4] }));
        }
        if origin.is_none() && self.might_yield_to_local(route, vpc) {
            assumptions = assumptions.and(Assumptions::of(&[11]));
            match world {
                World::Over => optional = true,
                World::Under => next = NextHop::Drop(Why::Unknown),
            }
        }
        let entry = |block, rank, floating, extra: &[u8]| {
            let assumptions = assumptions.and(Assumptions::of(extra));
            EffectiveRoute { block, rank, next, optional, floating, route, assumptions }
        };
        match &route.destination {
            Destination::Cidr(block) => {
                if !self.yields_to_local(origin, block, vpc) {
                    into.push(entry(*block, rank(route, false), false, &[]));
                }
            }
            Destination::PrefixList(list) => {
                let known = list.known().map(|id| &self.snapshot.prefix_lists[id]);
                let certain = known.is_some_and(|list| list.entries.is_some() && list_is_settled(list));
                for block in known.and_then(|list| list.entries.as_deref()).unwrap_or_default() {
                    into.push(entry(*block, rank(route, true), false, &[]));
                }
                if !certain {
                    let (blocks, assumption) = self.unresolved(list, &route.target, world);
                    into.extend(
                        blocks.into_iter().map(|block| entry(block, rank(route, true), true, &[assumption])),
                    );
                }
            }
            Destination::Unknown => {
                into.extend(
                    everything().into_iter().map(|block| entry(block, rank(route, false), true, &[11])),
                );
            }
        }
    }

    /// R-ROUTE-9: propagated routes inside a VPC block never win over the local route. For advertised ones this is
    /// not documented: both worlds count them, and the permissive one their absence too.
    fn yields_to_local(&self, origin: Option<&str>, block: &IpNet, vpc: Option<VpcId>) -> bool {
        origin == Some(PROPAGATED) && self.is_inside(block, vpc)
    }

    /// R-ROUTE-9, R-DATA-12: whether the route would yield to the local one if it were propagated.
    fn might_yield_to_local(&self, route: &Route, vpc: Option<VpcId>) -> bool {
        let Destination::Cidr(block) = &route.destination else { return false };
        matches!(route.target, Target::VirtualGateway(_)) && self.is_inside(block, vpc)
    }

    fn is_inside(&self, block: &IpNet, vpc: Option<VpcId>) -> bool {
        vpc.is_some_and(|vpc| self.vpc_blocks(vpc, World::Under).iter().any(|own| covers(own, block)))
    }

    /// R-PL-3, R-DATA-3: the destinations that a route of a list without known entries may have.
    fn unresolved(&self, list: &Ref<PrefixListId>, target: &Target, world: World) -> (Vec<IpNet>, u8) {
        let service = list.known().is_some_and(|id| {
            let list = &self.snapshot.prefix_lists[id];
            list.aws_managed || list.list_name.starts_with("com.amazonaws.")
        }) || self.is_gateway_endpoint(target);
        if service { (public_blocks(world), 38) } else { (everything(), 11) }
    }

    fn is_gateway_endpoint(&self, target: &Target) -> bool {
        matches!(target, Target::Endpoint(Ref::Known(id)) if self.snapshot.endpoints[*id].kind == EndpointKind::Gateway)
    }

    /// R-ROUTE-4, R-ROUTE-11, R-ROUTE-16: what the route's target stands for in a world.
    fn next_hop(&self, route: &Route, vpc: Option<VpcId>, world: World) -> (NextHop, Assumptions) {
        let Some(vpc) = vpc else { return (NextHop::Drop(Why::Unknown), Assumptions::of(&[11])) };
        let blackhole = route.state.as_deref() == Some("blackhole");
        if blackhole && (world == World::Under || !self.may_heal(&route.target)) {
            return (NextHop::Drop(Why::Blackhole), Assumptions::NONE);
        }
        if world == World::Under && is_strange(route.state.as_deref()) {
            return (NextHop::Drop(Why::Unknown), Assumptions::of(&[22]));
        }
        let healing = if blackhole { Assumptions::of(&[1, 4]) } else { Assumptions::NONE };
        let (next, assumptions) = self.resolve(&route.target, vpc, world);
        (next, assumptions.and(healing))
    }

    /// R-ROUTE-11, R-STATE-5: a blackhole may heal, or contradict the answer that shows its target, iff that may be there:
    /// in the snapshot, in whatever state that may still carry traffic, or in an answer that was not collected.
    fn may_heal(&self, target: &Target) -> bool {
        match target {
            Target::Nat(Ref::Missing(id))
            | Target::TransitGateway(Ref::Missing(id))
            | Target::Peering(Ref::Missing(id))
            | Target::Endpoint(Ref::Missing(id))
            | Target::Interface(Ref::Missing(id))
            | Target::Instance(Ref::Missing(id))
            | Target::Unmodelled { id, .. } => self.component_of_target(id).is_some(),
            Target::Local => false,
            _ => true,
        }
    }

    fn resolve(&self, target: &Target, vpc: VpcId, world: World) -> (NextHop, Assumptions) {
        match target {
            Target::Local => (NextHop::Local, Assumptions::NONE),
            Target::InternetGateway(igw) => {
                self.to_gateway(GatewayKind::Internet, self.igw_name(igw), vpc, world)
            }
            Target::EgressGateway(eigw) => {
                self.to_gateway(GatewayKind::EgressOnly, self.eigw_name(eigw), vpc, world)
            }
            Target::VirtualGateway(vgw) => {
                self.to_gateway(GatewayKind::Virtual, self.vgw_name(vgw), vpc, world)
            }
            Target::Nat(Ref::Known(id)) if self.nat_usable(*id, vpc, world) => self.to_nat(*id, world),
            Target::Nat(Ref::Known(_)) => (NextHop::Drop(Why::NotUsable), Assumptions::NONE),
            Target::TransitGateway(Ref::Known(id)) => self.to_transit(*id, vpc, world),
            Target::Peering(Ref::Known(id)) => {
                (usable_or(self.peering_usable(*id, vpc, world), NextHop::Peering(*id)), Assumptions::NONE)
            }
            Target::Endpoint(Ref::Known(id)) => self.to_endpoint(*id, vpc, world),
            Target::Interface(Ref::Known(id)) => {
                let here = self.interface(*id).vpc.known() == Some(vpc);
                (usable_or(here, NextHop::Interface(*id)), Assumptions::NONE)
            }
            Target::Instance(Ref::Known(id)) => match self.primary_interface(*id) {
                Some(primary) => (NextHop::Interface(primary), Assumptions::NONE),
                None => self.to_component(&self.snapshot.instances[*id].meta.id, world),
            },
            Target::Nat(Ref::Missing(id))
            | Target::TransitGateway(Ref::Missing(id))
            | Target::Peering(Ref::Missing(id))
            | Target::Endpoint(Ref::Missing(id))
            | Target::Interface(Ref::Missing(id))
            | Target::Instance(Ref::Missing(id))
            | Target::Unmodelled { id, .. } => self.to_component(id, world),
        }
    }

    fn to_gateway(&self, kind: GatewayKind, id: &str, vpc: VpcId, world: World) -> (NextHop, Assumptions) {
        let serving = self.gateways_of(vpc, kind, world);
        let found = serving.into_iter().find(|gateway| &*self.gateways()[*gateway].id == id);
        let Some(found) = found else { return (NextHop::Drop(Why::NotUsable), Assumptions::NONE) };
        let implied = if self.gateways()[found].implied { Assumptions::of(&[36]) } else { Assumptions::NONE };
        (NextHop::Gateway(found), implied)
    }

    /// R-DATA-3: a gateway that the input does not show entirely is followed as the component that stands for it.
    pub(super) fn to_nat(&self, id: NatId, world: World) -> (NextHop, Assumptions) {
        let gateway = &self.snapshot.nat_gateways[id];
        if is_shown(self.snapshot, gateway) {
            (NextHop::Nat(id), Assumptions::NONE)
        } else {
            self.to_component(&gateway.meta.id, world)
        }
    }

    fn to_transit(&self, id: TgwId, vpc: VpcId, world: World) -> (NextHop, Assumptions) {
        let state = &self.snapshot.transit_gateways[id].state;
        if !usable(Object::Transit, state, world) {
            return (NextHop::Drop(Why::NotUsable), Assumptions::NONE);
        }
        if self.tgw_attachments_of_vpc(id, vpc, World::Over).is_empty()
            && let Some(component) = self.component_of_target(&self.snapshot.transit_gateways[id].meta.id)
        {
            return unknown_target(component, world);
        }
        (NextHop::Transit(id), Assumptions::NONE)
    }

    fn to_endpoint(&self, id: EndpointId, vpc: VpcId, world: World) -> (NextHop, Assumptions) {
        let endpoint = &self.snapshot.endpoints[id];
        let here = endpoint.vpc.known() == Some(vpc) && usable(Object::Endpoint, &endpoint.state, world);
        match endpoint.kind {
            _ if !here => (NextHop::Drop(Why::NotUsable), Assumptions::NONE),
            EndpointKind::Gateway => (NextHop::Service(id), Assumptions::NONE),
            _ => self.to_component(&endpoint.meta.id, world),
        }
    }

    fn to_component(&self, id: &str, world: World) -> (NextHop, Assumptions) {
        match self.component_of_target(id) {
            Some(component) => unknown_target(component, world),
            None => (NextHop::Drop(Why::Unknown), Assumptions::NONE),
        }
    }

    /// R-NACL-8: whether what a route names may be in a subnet; of a component that is not known.
    pub fn may_lie_in(&self, hop: NextHop, subnet: SubnetId) -> bool {
        match hop {
            NextHop::Interface(interface) => self.subnets_of(interface).contains(&subnet),
            NextHop::Nat(nat) => self.nat(nat).is_some_and(|nat| nat.subnet == Some(subnet)),
            NextHop::Component(_) => true,
            _ => false,
        }
    }

    /// R-PCX-1, R-ROUTE-16: whether the connection is usable and has this VPC at one side.
    pub fn peering_usable(&self, id: PeeringId, vpc: VpcId, world: World) -> bool {
        let peering = &self.snapshot.peerings[id];
        let sides = [peering.requester.vpc.known(), peering.accepter.vpc.known()];
        sides.contains(&Some(vpc)) && usable(Object::Peering, &peering.state, world)
    }

    /// R-PL-1: the blocks of a list for a filter rule, and whether they are all there is.
    pub fn list_blocks(&self, list: &Ref<PrefixListId>) -> (&'s [IpNet], bool) {
        let Some(id) = list.known() else { return (&[], false) };
        let record = &self.snapshot.prefix_lists[id];
        match &record.entries {
            Some(entries) => (entries, list_is_settled(record)),
            None => (&[], false),
        }
    }
}

/// A-22, R-DATA-3: any behaviour of the component in the permissive world, none in the restrictive one.
fn unknown_target(component: ComponentId, world: World) -> (NextHop, Assumptions) {
    match world {
        World::Over => (NextHop::Component(component), Assumptions::of(&[22])),
        World::Under => (NextHop::Drop(Why::Unknown), Assumptions::of(&[22])),
    }
}

fn usable_or(usable: bool, next: NextHop) -> NextHop {
    if usable { next } else { NextHop::Drop(Why::NotUsable) }
}

/// a state that AWS did not document: the route may count or not.
fn is_strange(state: Option<&str>) -> bool {
    state.is_some_and(|state| !matches!(state, "active" | "blackhole" | "filtered"))
}

/// R-ROUTE-8: local, static CIDR, static prefix list, propagated.
fn rank(route: &Route, from_list: bool) -> u8 {
    match (&route.target, route.origin.as_deref()) {
        (Target::Local, _) => 0,
        (_, Some(PROPAGATED | ADVERTISED)) => 3,
        _ if from_list => 2,
        _ => 1,
    }
}

/// R-PL-1: whether the known entries are the ones in force.
pub(crate) fn list_is_settled(list: &PrefixList) -> bool {
    list.state.as_deref().is_none_or(|state| state.ends_with("-complete"))
}

fn everything() -> Vec<IpNet> {
    vec![IpNet::V4(Ipv4Net::default()), IpNet::V6(Ipv6Net::default())]
}

/// R-PL-3: public space, where AWS service addresses lie. The restrictive world may still claim documentation
/// addresses, which stand for "some internet host" and never belong to a service.
fn public_blocks(world: World) -> Vec<IpNet> {
    let mut blocks = everything();
    let mut without = SpecialBlock::PrivateV4.blocks();
    without.extend(SpecialBlock::PrivateV6.blocks());
    if world == World::Under {
        without.extend(SpecialBlock::DocumentationV4.blocks());
        without.extend(SpecialBlock::DocumentationV6.blocks());
    }
    for hole in without {
        blocks = blocks.into_iter().flat_map(|block| subtract(block, hole)).collect();
    }
    blocks
}

/// The blocks that make up `block` without `hole`.
pub(crate) fn subtract(block: IpNet, hole: IpNet) -> Vec<IpNet> {
    if !block.contains(&hole) {
        return if hole.contains(&block) { Vec::new() } else { vec![block] };
    }
    if block == hole {
        return Vec::new();
    }
    let Ok(halves) = block.subnets(block.prefix_len().saturating_add(1)) else { return vec![block] };
    halves.flat_map(|half| subtract(half, hole)).collect()
}
