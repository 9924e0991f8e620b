//! What a route table that nobody shows may lead to.

use reachproof_model::flow::World;
use reachproof_model::id::VpcId;
use reachproof_model::snapshot::EndpointKind;

use super::gateway::GatewayKind;
use super::{Network, NextHop};

impl Network<'_> {
    /// R-DATA-3: where a table that was not collected may lead: to anything that a route of the VPC can name, and to
    /// whatever is not modelled.
    pub fn any_target(&self, vpc: VpcId, world: World) -> Vec<NextHop> {
        let snapshot = self.snapshot;
        let kinds = [GatewayKind::Internet, GatewayKind::EgressOnly, GatewayKind::Virtual];
        let gateways = kinds.into_iter().flat_map(|kind| self.gateways_of(vpc, kind, world));
        let nats = snapshot.nat_gateways.ids().filter(|id| self.nat_usable(*id, vpc, world));
        let peerings = snapshot.peerings.ids().filter(|id| self.peering_usable(*id, vpc, world));
        let attached = |tgw: &_| !self.tgw_attachments_of_vpc(*tgw, vpc, world).is_empty();
        let transit = snapshot.transit_gateways.ids().filter(attached);
        let services = snapshot.endpoints.iter().filter(|(_, endpoint)| {
            endpoint.kind == EndpointKind::Gateway && endpoint.vpc.known() == Some(vpc)
        });
        let interfaces = self.interfaces_in_vpc(vpc).iter();
        let unchecked = interfaces.filter(|interface| !self.checks_addresses(**interface).value);
        std::iter::once(NextHop::Local)
            .chain(gateways.map(NextHop::Gateway))
            .chain(nats.map(|id| self.to_nat(id, world).0))
            .chain(peerings.map(NextHop::Peering))
            .chain(transit.map(NextHop::Transit))
            .chain(services.map(|(id, _)| NextHop::Service(id)))
            .chain(unchecked.map(|interface| NextHop::Interface(*interface)))
            .chain(self.components().ids().map(NextHop::Component))
            .collect()
    }
}
