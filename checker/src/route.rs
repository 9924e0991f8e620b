//! Where VPC route tables lead: every route that may win, for the destinations for which it may (section 4).

use ipnet::IpNet;
use reachproof_model::certificate::Family;
use reachproof_model::id::{
    EndpointId, EniId, InstanceId, NatId, PeeringId, PrefixListId, Ref, RouteTableId, TgwId, VpcId,
};
use reachproof_model::snapshot::{Destination, EndpointKind, Entry, Interface, Route, Target};

use crate::area::{Interval, complement, interval, without};
use crate::block::{PRIVATE, UNROUTABLE, blocks};
use crate::gateway::{GatewayId, Kind};
use crate::net::{Net, is_shown};
use crate::state::{certain, unchecked, usable};

/// Where a route leads.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Hop {
    Local,
    Gateway(GatewayId),
    Nat(NatId),
    Transit(TgwId),
    Peering(PeeringId),
    Service(EndpointId),
    Interface(EniId),
    /// Whatever stands behind a target of this id.
    Target(Box<str>),
    /// The components of this id.
    Component(Box<str>),
    Nowhere,
}

/// A hop, the destinations that may be sent to it, and the position of the route that does.
pub(crate) type Region = (Hop, Vec<Interval>, usize);

/// One route for one block. `sure` routes hide those that they are preferred to.
pub(crate) struct Candidate<H> {
    pub(crate) hop: H,
    pub(crate) family: Family,
    pub(crate) block: Interval,
    pub(crate) length: u8,
    pub(crate) rank: u8,
    pub(crate) sure: bool,
    /// May be in force for any part of its block, whatever is more specific.
    pub(crate) floating: bool,
    pub(crate) position: usize,
}

impl<H> Candidate<H> {
    /// R-ROUTE-6, R-ROUTE-8: sorts the preferred one first.
    fn key(&self) -> (u8, u8) {
        (u8::MAX - self.length, self.rank)
    }
}

/// R-ROUTE-6, R-ROUTE-8, R-ROUTE-8b, R-ROUTE-12: what each candidate may win: its block without those of sure candidates
/// that are preferred to it.
pub(crate) fn won<H: Clone>(candidates: &[Candidate<H>], family: Family) -> Vec<(H, Vec<Interval>, usize)> {
    let mut sorted: Vec<&Candidate<H>> = candidates.iter().filter(|one| one.family == family).collect();
    sorted.sort_by_key(|one| one.key());
    let mut found = Vec::new();
    for one in &sorted {
        let preferred = sorted.iter().take_while(|other| other.key() < one.key() && !one.floating);
        let holes: Vec<Interval> = preferred.filter(|other| other.sure).map(|other| other.block).collect();
        let left = without(&[one.block], &holes);
        if !left.is_empty() {
            found.push((one.hop.clone(), left, one.position));
        }
    }
    found
}

/// R-ROUTE-4 … 12, R-CORE-6: where a table leads; what no router passes on leads nowhere.
pub(crate) fn regions(net: &Net<'_>, table: RouteTableId, family: Family) -> Vec<Region> {
    let record = &net.s.route_tables[table];
    let vpc = record.vpc.known();
    let mut candidates = Vec::new();
    for (position, route) in record.routes.iter().enumerate() {
        if route.state.as_deref() != Some("filtered") {
            net.expand(route, position, vpc, &mut candidates);
        }
    }
    let dropped: Vec<Interval> = unroutable(family);
    let regions = won(&candidates, family).into_iter();
    regions.map(|(hop, there, position)| (hop, without(&there, &dropped), position)).collect()
}

pub(crate) fn unroutable(family: Family) -> Vec<Interval> {
    crate::area::intervals(&blocks(&UNROUTABLE), family)
}

impl Net<'_> {
    /// R-ROUTE-7, R-ROUTE-9: one candidate for each block of a route.
    fn expand(&self, route: &Route, position: usize, vpc: Option<VpcId>, into: &mut Vec<Candidate<Hop>>) {
        let propagated = route.origin.as_deref() == Some("EnableVgwRoutePropagation");
        let learned = propagated || route.origin.as_deref() == Some("Advertisement");
        // in a state that nobody documented the route may count or not.
        let strange =
            route.state.as_deref().is_some_and(|state| !matches!(state, "active" | "blackhole" | "filtered"));
        // R-ROUTE-9, R-DATA-12: a route that may be a propagated one may yield to the local route.
        let might_yield = route.origin.is_none()
            && matches!(route.target, Target::VirtualGateway(_))
            && matches!(&route.destination, Destination::Cidr(block) if self.is_inside(block, vpc));
        let hop = vpc.map_or(Hop::Nowhere, |vpc| self.hop(route, vpc));
        let rank = |listed| match (&route.target, learned, listed) {
            (Target::Local, _, _) => 0,
            (_, true, _) => 3,
            (_, _, true) => 2,
            _ => 1,
        };
        let mut add = |(family, block), length, listed: bool, floating: bool| {
            let (hop, rank, sure) =
                (hop.clone(), rank(listed), !learned && !strange && !might_yield && !floating);
            into.push(Candidate { hop, family, block, length, rank, sure, floating, position });
        };
        match &route.destination {
            Destination::Cidr(block) if propagated && self.is_inside(block, vpc) => {}
            Destination::Cidr(block) => add(interval(block), block.prefix_len(), false, false),
            Destination::PrefixList(list) => {
                let (known, complete) = self.list(list);
                known.iter().for_each(|block| add(interval(block), block.prefix_len(), true, false));
                let rest = if complete { Vec::new() } else { self.unlisted(list, &route.target) };
                rest.into_iter().for_each(|block| add(block, 0, true, true));
            }
            Destination::Unknown => everything().into_iter().for_each(|block| add(block, 0, false, true)),
        }
    }

    /// R-ROUTE-9: whether a block lies in one that is certainly the VPC's.
    fn is_inside(&self, block: &IpNet, vpc: Option<VpcId>) -> bool {
        let own = vpc.map_or(&[][..], |vpc| &self.s.vpcs[vpc].cidrs);
        own.iter().any(|own| certain(&own.state, "associated") && own.cidr.contains(block))
    }

    /// R-PL-1: the entries of a list, and whether they are certainly all.
    pub(crate) fn list(&self, list: &Ref<PrefixListId>) -> (&[IpNet], bool) {
        let Some(record) = list.known().map(|id| &self.s.prefix_lists[id]) else { return (&[], false) };
        let settled = record.state.as_deref().is_none_or(|state| state.ends_with("-complete"));
        (record.entries.as_deref().unwrap_or_default(), settled && record.entries.is_some())
    }

    /// R-PL-3, R-DATA-3: where the unknown entries of a list may lie; those of an AWS service are public.
    fn unlisted(&self, list: &Ref<PrefixListId>, target: &Target) -> Vec<(Family, Interval)> {
        let of_service = list
            .known()
            .map(|id| &self.s.prefix_lists[id])
            .is_some_and(|list| list.aws_managed || list.list_name.starts_with("com.amazonaws."));
        let to_service = matches!(target, Target::Endpoint(Ref::Known(id)) if self.s.endpoints[*id].kind == EndpointKind::Gateway);
        if !of_service && !to_service {
            return everything().into();
        }
        let public =
            |family| complement(&blocks(&PRIVATE), family).into_iter().map(move |there| (family, there));
        [Family::V4, Family::V6].into_iter().flat_map(public).collect()
    }

    /// R-ROUTE-4, R-ROUTE-11, R-ROUTE-16: what a route leads to.
    fn hop(&self, route: &Route, vpc: VpcId) -> Hop {
        if route.state.as_deref() == Some("blackhole") && !self.heals(&route.target) {
            return Hop::Nowhere;
        }
        let gateway = |kind, id: &str| {
            let found =
                self.serving(vpc, kind).find(|one| self.gateways.get(*one).is_some_and(|row| *row.id == *id));
            found.map_or(Hop::Nowhere, Hop::Gateway)
        };
        match &route.target {
            Target::Local => Hop::Local,
            Target::InternetGateway(_) | Target::EgressGateway(_) | Target::VirtualGateway(_) => {
                self.gateway_named(&route.target).map_or(Hop::Nowhere, |(kind, id)| gateway(kind, id))
            }
            Target::Nat(Ref::Known(id)) if self.nat_serves(*id, vpc) => self.nat_hop(*id),
            Target::TransitGateway(Ref::Known(id)) if usable(&self.s.transit_gateways[*id].state) => {
                match self.attachments_of(*id, vpc).is_empty() {
                    true if self.stands_behind(&self.s.transit_gateways[*id].meta.id) => {
                        Hop::Target(self.s.transit_gateways[*id].meta.id.boxed())
                    }
                    _ => Hop::Transit(*id),
                }
            }
            Target::Peering(Ref::Known(id)) if self.peering_serves(*id, vpc) => Hop::Peering(*id),
            Target::Endpoint(Ref::Known(id)) => self.endpoint_hop(*id, vpc),
            Target::Interface(Ref::Known(id)) if self.interface(*id).vpc.known() == Some(vpc) => {
                Hop::Interface(*id)
            }
            Target::Instance(Ref::Known(id)) => match self.primary(*id) {
                Some(primary) => Hop::Interface(primary),
                None => Hop::Target(self.s.instances[*id].meta.id.boxed()),
            },
            Target::Nat(Ref::Missing(id))
            | Target::TransitGateway(Ref::Missing(id))
            | Target::Peering(Ref::Missing(id))
            | Target::Endpoint(Ref::Missing(id))
            | Target::Interface(Ref::Missing(id))
            | Target::Instance(Ref::Missing(id))
            | Target::Unmodelled { id, .. } => Hop::Target(id.clone()),
            _ => Hop::Nowhere,
        }
    }

    /// The kind and id of the gateway that a target names.
    fn gateway_named<'t>(&'t self, target: &'t Target) -> Option<(Kind, &'t str)> {
        Some(match target {
            Target::InternetGateway(Ref::Known(id)) => {
                (Kind::Internet, &*self.s.internet_gateways[*id].meta.id)
            }
            Target::EgressGateway(Ref::Known(id)) => {
                (Kind::EgressOnly, &*self.s.egress_gateways[*id].meta.id)
            }
            Target::VirtualGateway(Ref::Known(id)) => (Kind::Virtual, &*self.s.virtual_gateways[*id].meta.id),
            Target::InternetGateway(Ref::Missing(id)) => (Kind::Internet, id),
            Target::EgressGateway(Ref::Missing(id)) => (Kind::EgressOnly, id),
            Target::VirtualGateway(Ref::Missing(id)) => (Kind::Virtual, id),
            _ => return None,
        })
    }

    /// R-ROUTE-11, R-STATE-5: whether a blackhole may heal: its target is there, or in an answer that was not collected.
    fn heals(&self, target: &Target) -> bool {
        match target {
            Target::Nat(Ref::Missing(id))
            | Target::TransitGateway(Ref::Missing(id))
            | Target::Peering(Ref::Missing(id))
            | Target::Endpoint(Ref::Missing(id))
            | Target::Interface(Ref::Missing(id))
            | Target::Instance(Ref::Missing(id))
            | Target::Unmodelled { id, .. } => self.stands_behind(id),
            Target::Local => false,
            _ => true,
        }
    }

    /// R-NAT-1, R-ROUTE-16.
    fn nat_serves(&self, id: NatId, vpc: VpcId) -> bool {
        let nat = &self.s.nat_gateways[id];
        nat.vpc.known().is_none_or(|known| known == vpc) && usable(&nat.state)
    }

    /// R-DATA-3: a NAT gateway that is not shown entirely may do anything of its kind.
    fn nat_hop(&self, id: NatId) -> Hop {
        let nat = &self.s.nat_gateways[id];
        if is_shown(self.s, nat) { Hop::Nat(id) } else { Hop::Target(nat.meta.id.boxed()) }
    }

    /// R-VPCE-2, R-GWLB-2.
    fn endpoint_hop(&self, id: EndpointId, vpc: VpcId) -> Hop {
        let endpoint = &self.s.endpoints[id];
        match endpoint.kind {
            _ if endpoint.vpc.known() != Some(vpc) || !usable(&endpoint.state) => Hop::Nowhere,
            EndpointKind::Gateway => Hop::Service(id),
            _ => Hop::Target(endpoint.meta.id.boxed()),
        }
    }

    /// R-PCX-1, R-ROUTE-16.
    pub(crate) fn peering_serves(&self, id: PeeringId, vpc: VpcId) -> bool {
        let peering = &self.s.peerings[id];
        let sides = [peering.requester.vpc.known(), peering.accepter.vpc.known()];
        sides.contains(&Some(vpc)) && usable(&peering.state)
    }

    /// R-MBX-5.
    fn primary(&self, id: InstanceId) -> Option<EniId> {
        let all = &self.s.instances[id].interfaces;
        let first = |one: &Interface| one.attachment.as_ref().and_then(|one| one.device_index) == Some(0);
        let only = if let [only] = all.as_slice() { Some(*only) } else { None };
        all.iter().copied().find(|id| first(self.interface(*id))).or(only)
    }

    fn stands_behind(&self, target: &str) -> bool {
        self.components.values().any(|row| row.entries.contains(&Entry::RouteTarget(target.into())))
    }

    /// R-DATA-3: everything that a table which nobody knows may lead to.
    pub(crate) fn any_hop(&self, vpc: VpcId) -> Vec<Hop> {
        let s = self.s;
        let kinds = [Kind::Internet, Kind::EgressOnly, Kind::Virtual];
        let gateways = kinds.into_iter().flat_map(|kind| self.serving(vpc, kind)).map(Hop::Gateway);
        let nats = s.nat_gateways.ids().filter(|id| self.nat_serves(*id, vpc)).map(|id| self.nat_hop(id));
        let peerings = s.peerings.ids().filter(|id| self.peering_serves(*id, vpc)).map(Hop::Peering);
        let tgws = s.transit_gateways.ids().filter(|id| !self.attachments_of(*id, vpc).is_empty());
        let services = s
            .endpoints
            .iter()
            .filter(|(_, row)| row.kind == EndpointKind::Gateway && row.vpc.known() == Some(vpc));
        let guests = self.interfaces_of(vpc).iter().filter(|id| unchecked(self.interface(**id)));
        let behind = self.components.keys().cloned().map(Hop::Component);
        std::iter::once(Hop::Local)
            .chain(gateways)
            .chain(nats)
            .chain(peerings)
            .chain(tgws.map(Hop::Transit))
            .chain(services.map(|(id, _)| Hop::Service(id)))
            .chain(guests.map(|id| Hop::Interface(*id)))
            .chain(behind)
            .collect()
    }
}

/// Every address.
pub(crate) fn everything() -> [(Family, Interval); 2] {
    [Family::V4, Family::V6].map(|family| (family, (0, family.greatest())))
}
