//! By which internet gateways what is for some addresses may come in.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use reachproof_model::flow::World;
use reachproof_model::id::{EniId, VpcId};

use super::aim::Aim;
use super::class::merged;
use super::ground::overlap;
use super::view::{Intervals, intervals_of};
use crate::header::Family;
use crate::hypothetical::is_hypothetical;
use crate::network::{Gateway, GatewayId, GatewayKind, Network, TableChoice, host};

/// An internet gateway that may serve a VPC.
pub(super) struct Entrance {
    pub(super) gateway: GatewayId,
    vpc: VpcId,
    /// Whether something that comes in may go elsewhere than to an interface that is shown to own its destination: by a
    /// table of the gateway (R-ROUTE-14), to one that nobody shows, or to one that does not exist yet.
    elsewhere: bool,
    /// The addresses for which something may come in: public IPv4 ones (R-IGW-4), public IPv6 blocks (R-IGW-9).
    addresses: [Intervals; 2],
}

impl Entrance {
    /// Whether what is for one of some addresses, sorted and disjoint, may come in.
    pub(super) fn admits(&self, family: Family, destinations: &Intervals) -> bool {
        self.elsewhere || overlap(self.own(family), destinations)
    }

    /// Whether what comes in may matter to what a search is for.
    pub(super) fn matters(&self, family: Family, aim: &Aim) -> bool {
        self.elsewhere
            || match family {
                Family::V4 => aim.is_at_some_public(self.own(family)),
                Family::V6 => aim.is_at_vpc(self.vpc),
            }
    }

    fn own(&self, family: Family) -> &Intervals {
        let [v4, v6] = &self.addresses;
        if family == Family::V4 { v4 } else { v6 }
    }
}

/// All that may serve a VPC, in the order of the gateways.
pub(super) fn entrances(network: &Network<'_>, hiding: &BTreeSet<VpcId>) -> Vec<Entrance> {
    let public = public(network);
    let of_gateway = |(gateway, record): (GatewayId, &Gateway)| {
        let vpc = record.serves(World::Over).filter(|_| record.kind == GatewayKind::Internet)?;
        let local = |world| network.edge_tables(gateway, world) == [TableChoice::ImplicitLocal];
        let v6 = merged(intervals_of(&network.public_v6_blocks(vpc, World::Over), Family::V6));
        let v4 = public.get(&vpc).cloned().unwrap_or_default();
        let redirects = !local(World::Over) || !local(World::Under);
        let supposed = |id: &EniId| is_hypothetical(network.interface(*id));
        let elsewhere =
            redirects || hiding.contains(&vpc) || network.interfaces_in_vpc(vpc).iter().any(supposed);
        Some(Entrance { gateway, vpc, elsewhere, addresses: [v4, v6] })
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
