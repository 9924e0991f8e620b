//! Peering connections, virtual private gateways and gateway endpoints (sections 10.1, 12, 14).

use std::net::IpAddr;

use reachproof_model::flow::{Protocol, World};
use reachproof_model::id::{EndpointId, PeeringId, Ref, VpcId};
use reachproof_model::snapshot::{PeeringSide, VpnTerminus};

use super::Tracer;
use super::leg::{Branch, Leg};
use super::packet::{Field, Tag};
use super::place::{Entrance, Place};
use crate::evidence::HopKind;
use crate::network::{Crossing, GatewayId, NextHop, Origin, Sink};

impl Tracer<'_, '_> {
    /// R-PCX-2 … R-PCX-4, R-PCX-8: into a peering connection.
    pub(super) fn peering(&self, mut leg: Leg, id: PeeringId, vpc: VpcId) -> Vec<Branch> {
        let record = &self.network.snapshot.peerings[id];
        leg.visit(HopKind::Peering, &record.meta.id);
        if !self.may_start_here(&leg) {
            return leg.dropped("R-PCX-8", "not sent by an interface of this VPC");
        }
        if !leg.take(self.network.encryption_allows(vpc, Some("VpcPeering"), self.world)) {
            return leg.dropped("R-BPA-9", "encryption is enforced");
        }
        let here = record.requester.vpc.known() == Some(vpc);
        let other = if here { &record.accepter } else { &record.requester };
        match other.vpc.known() {
            Some(there) => self.to_known_peer(leg, id, there),
            None => self.to_unknown_peer(leg, id, other),
        }
    }

    /// R-PCX-8, R-VPN-6, R-VPCE-4: whether an interface of this VPC may have sent the packet; it may also have gone through
    /// a transit gateway and come back (R-TGW-9).
    fn may_start_here(&self, leg: &Leg) -> bool {
        match leg.state.origin {
            Origin::Local => true,
            Origin::Transit | Origin::Component => self.world == World::Over,
            Origin::Internet | Origin::Virtual | Origin::Peering => false,
        }
    }

    fn to_known_peer(&self, mut leg: Leg, id: PeeringId, there: VpcId) -> Vec<Branch> {
        let blocks = self.network.vpc_blocks(there, self.world);
        let inside = |ip| blocks.iter().any(|block| block.contains(&ip));
        if !leg.state.packet.destination.passes(self.world, inside) {
            return leg.dropped("R-PCX-2", "not an address of the VPC at the other side");
        }
        if !leg.take(self.network.encryption_allows(there, Some("VpcPeering"), self.world)) {
            return leg.dropped("R-BPA-9", "encryption is enforced");
        }
        if !self.network.keeps_identity(Crossing::Peering(id), self.world) {
            leg.state.tag = Tag::None;
        }
        leg.state.origin = Origin::Peering;
        vec![leg.to(Place::Router { vpc: there, from: None })]
    }

    fn to_unknown_peer(&self, mut leg: Leg, id: PeeringId, side: &PeeringSide) -> Vec<Branch> {
        if !self.of_side(side, leg.state.packet.destination) {
            return leg.dropped("R-PCX-2", "not an address of the VPC at the other side");
        }
        let name: &str = match &side.vpc {
            Ref::Missing(name) => name,
            Ref::Known(_) => &self.network.snapshot.peerings[id].meta.id,
        };
        leg.visit(HopKind::Outside, name);
        vec![leg.arrive(Sink::Peer(id))]
    }

    /// R-PCX-3: whether an address may be of the unknown VPC at a side.
    fn of_side(&self, side: &PeeringSide, address: Field<IpAddr>) -> bool {
        let unknown = side.cidrs.is_empty() && self.world == World::Over;
        unknown || address.passes(self.world, |ip| side.cidrs.iter().any(|block| block.contains(&ip)))
    }

    /// R-PCX-3: from the unknown VPC at the other side.
    pub(super) fn sent_by_peer(&self, mut leg: Leg, id: PeeringId) -> Vec<Branch> {
        let record = &self.network.snapshot.peerings[id];
        leg.visit(HopKind::Peering, &record.meta.id);
        let sides = [(&record.requester, &record.accepter), (&record.accepter, &record.requester)];
        let known = sides.into_iter().find_map(|(here, there)| Some((here.vpc.known()?, there)));
        let Some((vpc, there)) = known.filter(|(vpc, _)| self.network.peering_usable(id, *vpc, self.world))
        else {
            return leg.dropped("R-PCX-1", "not usable");
        };
        if !self.of_side(there, leg.state.packet.source) {
            // R-PCX-8: an unchecked guest over there may forge its source.
            leg.assume(&[27]);
            if self.world == World::Under {
                return leg.dropped("R-PCX-3", "not an address of the VPC at the other side");
            }
        }
        if self.world == World::Over && self.network.same_region(id, self.world) {
            leg.state.tag = Tag::Stranger;
        }
        self.to_known_peer(leg, id, vpc)
    }

    /// R-VPN-2, R-VPN-6, R-VPN-7: out by a virtual private gateway.
    pub(super) fn virtual_out(&self, mut leg: Leg, id: GatewayId) -> Vec<Branch> {
        let gateway = &self.network.gateways()[id];
        leg.visit(HopKind::VirtualGateway, &gateway.id);
        let Some(vpc) = gateway.serves(self.world) else { return leg.dropped("R-VPN-1", "not attached") };
        if !leg.take(self.network.encryption_allows(vpc, Some("VirtualPrivateGateway"), self.world)) {
            return leg.dropped("R-BPA-9", "encryption is enforced");
        }
        if !self.may_start_here(&leg) || !self.is_sent_by_live_owner(&mut leg, vpc) {
            return leg.dropped("R-VPN-2", "the source is no address of an interface of this VPC");
        }
        if !self.is_known_beyond(&leg, vpc, id) {
            leg.assume(&[2]);
            return leg.dropped("R-VPN-2", "the gateway is not known to know the destination");
        }
        let component = self.network.component_of_target(&gateway.id).filter(|_| self.world == World::Over);
        let mut branches: Vec<Branch> =
            component.into_iter().flat_map(|component| self.enter_all(&leg, &[component])).collect();
        leg.visit(HopKind::Outside, &format!("onprem:{}", gateway.id));
        branches.push(leg.arrive(Sink::Gateway(id)));
        branches
    }

    fn is_sent_by_live_owner(&self, leg: &mut Leg, vpc: VpcId) -> bool {
        let Field::Is(source) = leg.state.packet.source else { return true };
        let owners = self.settled(self.network.owners().of_address(vpc, source));
        owners.into_iter().any(|owner| self.is_live(leg, owner))
    }

    /// R-VPN-2, R-VPN-7: the restrictive world wants a propagated route or a static one of a VPN connection.
    fn is_known_beyond(&self, leg: &Leg, vpc: VpcId, id: GatewayId) -> bool {
        if self.world == World::Over {
            return true;
        }
        let Some(destination) = leg.state.packet.destination.fixed().filter(IpAddr::is_ipv4) else {
            return false;
        };
        let tables =
            self.network.snapshot.route_tables.iter().filter(|(_, table)| table.vpc.known() == Some(vpc));
        let mut propagated =
            tables.flat_map(|(table, _)| self.network.effective_routes(table, self.world)).filter(|route| {
                route.next == NextHop::Gateway(id)
                    && route.route.origin.as_deref() == Some("EnableVgwRoutePropagation")
            });
        propagated.any(|route| route.block.contains(&destination))
            || self.static_routes(id).any(|block| block.contains(&destination))
    }

    fn static_routes(&self, id: GatewayId) -> impl Iterator<Item = ipnet::IpNet> {
        let snapshot = self.network.snapshot;
        let name = &self.network.gateways()[id].id;
        let here = move |terminus: &VpnTerminus| match terminus {
            VpnTerminus::VirtualGateway(Ref::Known(vgw)) => snapshot.virtual_gateways[*vgw].meta.id == **name,
            VpnTerminus::VirtualGateway(Ref::Missing(other)) => other == name,
            VpnTerminus::TransitGateway(_) | VpnTerminus::Other => false,
        };
        let usable =
            |state: &reachproof_model::snapshot::State| state.as_deref().is_none_or(|it| it == "available");
        let connections = snapshot.vpn_connections.iter();
        connections
            .filter(move |it| here(&it.terminus) && usable(&it.state))
            .flat_map(|it| it.routes.iter().copied())
    }

    /// R-VPN-3: in by a virtual private gateway.
    pub(super) fn virtual_in(&self, mut leg: Leg, id: GatewayId) -> Vec<Branch> {
        let gateway = &self.network.gateways()[id];
        leg.visit(HopKind::Outside, &format!("onprem:{}", gateway.id));
        leg.visit(HopKind::VirtualGateway, &gateway.id);
        let Some(vpc) = gateway.serves(self.world) else { return leg.dropped("R-VPN-1", "not attached") };
        if !leg.take(self.network.encryption_allows(vpc, Some("VirtualPrivateGateway"), self.world)) {
            return leg.dropped("R-BPA-9", "encryption is enforced");
        }
        let blocks = self.network.vpc_blocks(vpc, self.world);
        let inside = |ip: IpAddr| {
            (ip.is_ipv4() || self.world == World::Over) && blocks.iter().any(|block| block.contains(&ip))
        };
        if !leg.state.packet.destination.passes(self.world, inside) {
            return leg.dropped("R-VPN-3", "not an address of the VPC");
        }
        if self.world == World::Under && !leg.state.reply && !self.returns_by_virtual(&leg, vpc, id) {
            leg.assume(&[15]);
            return leg.dropped("R-ROUTE-17", "the subnet has no route back by this gateway");
        }
        leg.state.origin = Origin::Virtual;
        leg.state.tag = Tag::None;
        let tables = self.network.edge_tables(id, self.world);
        self.to_tables(leg, &tables, vpc, None, Entrance::Plain)
    }

    /// A-15, for a virtual private gateway (R-VPN-5).
    fn returns_by_virtual(&self, leg: &Leg, vpc: VpcId, id: GatewayId) -> bool {
        let Some(destination) = leg.state.packet.destination.fixed() else { return false };
        let owners = self.settled(self.network.owners().of_address(vpc, destination));
        let mut subnets = owners.into_iter().flat_map(|owner| self.settled(self.network.subnets_of(owner)));
        subnets.any(|subnet| self.returns_by(subnet, vpc, &leg.state.packet, id))
    }

    /// R-VPCE-2 … R-VPCE-4: to the service behind a gateway endpoint.
    pub(super) fn service(&self, mut leg: Leg, id: EndpointId) -> Vec<Branch> {
        let endpoint = &self.network.snapshot.endpoints[id];
        leg.visit(HopKind::Endpoint, &endpoint.meta.id);
        let Some(vpc) = endpoint.vpc.known() else { return leg.dropped("R-ROUTE-16", "not in this VPC") };
        let owned = |ip| !self.network.owners().of_address(vpc, ip).is_empty();
        if leg.state.reply || !self.may_start_here(&leg) || !leg.state.packet.source.passes(self.world, owned)
        {
            return leg.dropped("R-VPCE-4", "not sent by an interface of this VPC");
        }
        if !leg.take(self.network.encryption_allows(vpc, None, self.world)) {
            return leg.dropped("R-BPA-9", "encryption is enforced");
        }
        let family =
            |test: fn(&IpAddr) -> bool| leg.state.packet.destination.passes(self.world, |ip| test(&ip));
        let (v4, v6) = (family(IpAddr::is_ipv4), family(IpAddr::is_ipv6));
        let echo = |protocol, kind| match (protocol, kind) {
            (Protocol::ICMP, 8) => v4,
            (Protocol::ICMPV6, 128) => v6,
            _ => false,
        };
        let taken = leg
            .state
            .packet
            .transport
            .passes(self.world, |it| it.protocol == Protocol::TCP || echo(it.protocol, it.port));
        if taken {
            vec![leg.arrive(Sink::Service(id))]
        } else {
            leg.dropped("R-VPCE-3", "neither TCP nor echo")
        }
    }
}
