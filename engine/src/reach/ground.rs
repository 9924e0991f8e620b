//! What all aims of a network share (see [`super::aim`]).

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use reachproof_model::flow::World;
use reachproof_model::id::{AttachmentId, NatId, RouteTableId, VpcId};

use super::class::merged;
use super::index::Index;
use super::read::Reads;
use super::view::{Intervals, number};
use crate::header::Family;
use crate::hypothetical::is_hypothetical;
use crate::network::{Assumed, GatewayKind, Network, NextHop, TableChoice};

/// What all aims of a network share.
pub(super) struct Ground {
    /// Whether nothing follows from any aim.
    pub(super) opaque: bool,
    pub(super) passages: Vec<Passage>,
    /// Public IPv4 addresses that stand for a private one which no interface shows (R-DATA-5).
    pub(super) strays: Intervals,
}

/// For which IPv4 destinations a NAT gateway may be passed.
pub(super) struct Passage {
    pub(super) nat: NatId,
    vpc: Option<VpcId>,
    /// Those for which some table leads to it.
    to: Intervals,
    /// Those for which its own tables lead on, other than to the internet.
    on: Intervals,
}

impl Ground {
    pub(super) fn of(index: &Index<'_, '_>) -> Self {
        let network = index.network;
        let opaque = is_opaque(network);
        let passages = if opaque { Vec::new() } else { passages(index) };
        Self { opaque, passages, strays: strays(network) }
    }
}

impl Passage {
    /// R-NAT-2, R-NAT-4: whether what is for some addresses in a VPC may come there by the gateway: sent on within its own
    /// VPC, or as its tables say. By the internet only what is for public addresses comes in (R-IGW-4).
    pub(super) fn leads_to(&self, vpc: VpcId, addresses: &Intervals) -> bool {
        let at_home = self.vpc.is_none_or(|own| own == vpc);
        overlap(addresses, &self.to) && (at_home || overlap(addresses, &self.on))
    }
}

/// Whether nobody can say by which destinations, or from which sources, packets get to interfaces: those of a pool come in
/// untranslated (R-ROUTE-3), a table that nobody knows may lead to any NAT gateway (R-DATA-3), answers are let in from
/// anywhere (R-SG-14).
fn is_opaque(network: &Network<'_>) -> bool {
    let unknown = |tables: Assumed<Vec<TableChoice>>| tables.value.contains(&TableChoice::Unknown);
    network.pool_tables().next().is_some()
        || network.options.including_replies
        || network.snapshot.subnets.ids().any(|id| unknown(network.tables_of_subnet(id, World::Over)))
        || network.snapshot.nat_gateways.ids().any(|id| unknown(network.nat_tables(id, World::Over)))
        || network.snapshot.attachments.ids().any(|id| leaves_by_any_table(network, id))
}

/// R-DATA-3, R-TGW-8: whether what leaves a transit gateway by an attachment may go on by a table that nobody knows.
fn leaves_by_any_table(network: &Network<'_>, attachment: AttachmentId) -> bool {
    let exits = network.attached_vpc(attachment).map(|vpc| network.possible_exits(attachment, vpc));
    exits.into_iter().flatten().any(|(table, _)| table == TableChoice::Unknown)
}

fn passages(index: &Index<'_, '_>) -> Vec<Passage> {
    let network = index.network;
    let mut to: BTreeMap<NatId, Intervals> = BTreeMap::new();
    for table in network.snapshot.route_tables.ids() {
        for (hop, intervals) in hops(index, table) {
            if let NextHop::Nat(nat) = hop {
                to.entry(*nat).or_default().extend(intervals);
            }
        }
    }
    let passage =
        |(nat, to)| Passage { nat, vpc: network.nat_vpc(nat), to: merged(to), on: onward(index, nat) };
    to.into_iter().map(passage).collect()
}

fn onward(index: &Index<'_, '_>, nat: NatId) -> Intervals {
    let mut found = Intervals::new();
    for choice in index.network.nat_tables(nat, World::Over).value {
        let TableChoice::Table(table) = choice else { return vec![(0, Family::V4.greatest_address())] };
        for (hop, intervals) in hops(index, table) {
            let out = matches!(hop, NextHop::Gateway(id) if index.network.gateways()[*id].kind == GatewayKind::Internet);
            if !out {
                found.extend(intervals);
            }
        }
    }
    merged(found)
}

/// The targets of a table for IPv4. An aim is made anew with each network, so nobody asks what it has read.
fn hops<'i>(
    index: &'i Index<'_, '_>,
    table: RouteTableId,
) -> impl Iterator<Item = (&'i NextHop, &'i Intervals)> {
    let fib = index.fib(table, Family::V4, World::Over, &Reads::default());
    fib.into_iter().flat_map(|fib| &fib.targets)
}

fn strays(network: &Network<'_>) -> Intervals {
    let stray = network.associations(World::Over).filter(|row| {
        let vpc = network.interface(row.interface).vpc.known();
        vpc.is_none_or(|vpc| !is_owned(network, vpc, row.private))
    });
    merged(stray.map(|row| number(row.public.into())).map(|address| (address, address)).collect())
}

/// R-ADDR-3: whether an interface that is there owns an address of a VPC.
fn is_owned(network: &Network<'_>, vpc: VpcId, address: Ipv4Addr) -> bool {
    let owners = network.owners().of_address(vpc, address.into());
    owners.into_iter().any(|id| !is_hypothetical(network.interface(id)))
}

/// Whether two lists of sorted, disjoint intervals share an address.
pub(crate) fn overlap(left: &[(u128, u128)], right: &[(u128, u128)]) -> bool {
    let (few, many) = if left.len() < right.len() { (left, right) } else { (right, left) };
    few.iter().any(|(lo, hi)| {
        let after = many.partition_point(|(_, end)| end < lo);
        many.get(after).is_some_and(|(start, _)| start <= hi)
    })
}
