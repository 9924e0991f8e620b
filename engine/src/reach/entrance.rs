//! By which internet gateways what is for some addresses may come in.

use std::collections::BTreeMap;

use ipnet::IpNet;
use reachproof_model::flow::World;
use reachproof_model::id::VpcId;

use super::class::merged;
use super::ground::overlap;
use super::view::{Intervals, intervals_of};
use crate::header::Family;
use crate::network::{Gateway, GatewayId, GatewayKind, Network, TableChoice, host};

/// An internet gateway that may serve a VPC.
pub(super) struct Entrance {
    pub(super) gateway: GatewayId,
    /// Whether a table of its own may send what comes in elsewhere than to the owner of the address (R-ROUTE-14).
    redirects: bool,
    /// The addresses for which something may come in: public IPv4 ones (R-IGW-4), public IPv6 blocks (R-IGW-9).
    addresses: [Intervals; 2],
}

impl Entrance {
    /// Whether what is for one of some addresses, sorted and disjoint, may come in.
    pub(super) fn admits(&self, family: Family, destinations: &Intervals) -> bool {
        let [v4, v6] = &self.addresses;
        self.redirects || overlap(if family == Family::V4 { v4 } else { v6 }, destinations)
    }
}

/// All that may serve a VPC, in the order of the gateways.
pub(super) fn entrances(network: &Network<'_>) -> Vec<Entrance> {
    let public = public(network);
    let of_gateway = |(gateway, record): (GatewayId, &Gateway)| {
        let vpc = record.serves(World::Over).filter(|_| record.kind == GatewayKind::Internet)?;
        let local = |world| network.edge_tables(gateway, world) == [TableChoice::ImplicitLocal];
        let v6 = merged(intervals_of(&network.public_v6_blocks(vpc, World::Over), Family::V6));
        let v4 = public.get(&vpc).cloned().unwrap_or_default();
        let redirects = !local(World::Over) || !local(World::Under);
        Some(Entrance { gateway, redirects, addresses: [v4, v6] })
    };
    network.gateways().iter().filter_map(of_gateway).collect()
}

/// The public IPv4 addresses of the interfaces of each VPC.
fn public(network: &Network<'_>) -> BTreeMap<VpcId, Intervals> {
    let mut found: BTreeMap<VpcId, Vec<IpNet>> = BTreeMap::new();
    for association in network.associations(World::Over) {
        if let Some(vpc) = network.interface(association.interface).vpc.known() {
            found.entry(vpc).or_default().push(host(association.public.into()));
        }
    }
    let sorted = |(vpc, blocks): (VpcId, Vec<IpNet>)| (vpc, merged(intervals_of(&blocks, Family::V4)));
    found.into_iter().map(sorted).collect()
}
