//! What is behind virtual private gateways.

use ipnet::IpNet;
use reachproof_model::flow::World;
use reachproof_model::id::{Ref, VpcId};
use reachproof_model::snapshot::VpnTerminus;

use super::explore::Explorer;
use super::read::Read;
use super::view::{Intervals, intervals_of};
use crate::header::Family;
use crate::network::{GatewayId, NextHop};

impl Explorer<'_, '_, '_> {
    /// R-VPN-2: destinations that the gateway certainly knows: propagated and static routes.
    pub(super) fn known_behind(&self, gateway: GatewayId, id: &str, vpc: VpcId) -> Intervals {
        let network = self.network();
        let mut blocks: Vec<IpNet> = Vec::new();
        for (table, record) in network.snapshot.route_tables.iter() {
            if record.vpc.known() == Some(vpc) {
                self.reads.note(Read::Table(table));
                let routes = network.effective_routes(table, World::Under);
                let propagated = routes.iter().filter(|route| {
                    route.next == NextHop::Gateway(gateway)
                        && route.route.origin.as_deref() == Some("EnableVgwRoutePropagation")
                });
                blocks.extend(propagated.map(|route| route.block));
            }
        }
        for connection in &network.snapshot.vpn_connections {
            let here = match &connection.terminus {
                VpnTerminus::VirtualGateway(Ref::Known(vgw)) => {
                    *network.snapshot.virtual_gateways[*vgw].meta.id == *id
                }
                VpnTerminus::VirtualGateway(Ref::Missing(missing)) => **missing == *id,
                _ => false,
            };
            let alive = connection.state.as_deref().is_none_or(|state| state == "available");
            if here && alive {
                blocks.extend(connection.routes.iter().copied());
            }
        }
        intervals_of(&blocks, Family::V4)
    }
}
