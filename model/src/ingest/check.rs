//! Oddities that only the whole snapshot shows: dangling ids, overlapping subnets (R-DATA-5).

use std::collections::BTreeMap;

use ipnet::IpNet;

use crate::finding::{Gap, Notice};
use crate::id::{Ref, SubnetId, VpcId};
use crate::snapshot::{CidrAssociation, Meta, Snapshot, State, Subnet, Target};

/// All notices about the snapshot as a whole, unsorted.
pub(super) fn notices(snapshot: &Snapshot) -> Vec<Notice> {
    dangling(snapshot)
}

/// What the snapshot as a whole says twice and differently: beside it nothing is proved. Unsorted.
pub(super) fn contradictions(snapshot: &Snapshot) -> Vec<Gap> {
    let found = overlaps(snapshot).into_iter().chain(repeated(snapshot)).chain(strays(snapshot));
    let found = found.chain(unlisted_attachments(snapshot));
    found.map(|Notice { resource, message, source }| Gap { resource, why: message, source }).collect()
}

/// Ids that one answer describes several times, each time differently: references to them are unknown.
fn repeated(snapshot: &Snapshot) -> Vec<Notice> {
    let s = snapshot;
    let mut found = again(s.vpcs.values().map(|r| &r.meta));
    found.extend(again(s.subnets.values().map(|r| &r.meta)));
    found.extend(again(s.route_tables.values().map(|r| &r.meta)));
    found.extend(again(s.acls.values().map(|r| &r.meta)));
    found.extend(again(s.groups.values().map(|r| &r.meta)));
    found.extend(again(s.prefix_lists.values().map(|r| &r.meta)));
    found.extend(again(s.interfaces.values().map(|r| &r.meta)));
    found.extend(again(s.instances.values().map(|r| &r.meta)));
    found.extend(again(s.internet_gateways.values().map(|r| &r.meta)));
    found.extend(again(s.nat_gateways.values().map(|r| &r.meta)));
    found.extend(again(s.endpoints.values().map(|r| &r.meta)));
    found.extend(again(s.peerings.values().map(|r| &r.meta)));
    found.extend(again(s.transit_gateways.values().map(|r| &r.meta)));
    found.extend(again(s.tgw_tables.values().map(|r| &r.meta)));
    found
}

fn again<'r>(metas: impl Iterator<Item = &'r Meta>) -> Vec<Notice> {
    let mut last: Option<&Meta> = None;
    let mut found = Vec::new();
    for meta in metas {
        if last.is_some_and(|last| last.id == meta.id) {
            let message = "described several times and differently; references to it are unknown".into();
            found.push(Notice { resource: meta.id.boxed(), message, source: Some(meta.source.clone()) });
        }
        last = Some(meta);
    }
    found
}

/// References to resources that no answer describes although their call was collected; what they would say is unknown
/// (R-DATA-3). Where the call was not collected, the engine names that call instead.
fn dangling(snapshot: &Snapshot) -> Vec<Notice> {
    let mut found = Vec::new();
    let mut note = |meta: &Meta, (what, call): (&str, &str), missing: Option<&str>| {
        let collected = || snapshot.scopes.get(meta.scope).is_some_and(|scope| scope.collected(call));
        if let Some(id) = missing.filter(|id| !id.is_empty() && collected()) {
            let message =
                format!("names the {what} `{id}`, which no answer describes unambiguously").into_boxed_str();
            found.push(Notice { resource: meta.id.boxed(), message, source: Some(meta.source.clone()) });
        }
    };
    let vpcs = ("VPC", "ec2 describe-vpcs");
    let subnets = ("subnet", "ec2 describe-subnets");
    let groups = ("security group", "ec2 describe-security-groups");
    snapshot.subnets.values().for_each(|subnet| note(&subnet.meta, vpcs, missing(&subnet.vpc)));
    snapshot.route_tables.values().for_each(|table| note(&table.meta, vpcs, missing(&table.vpc)));
    for acl in snapshot.acls.values() {
        note(&acl.meta, vpcs, missing(&acl.vpc));
        acl.subnets.iter().for_each(|subnet| note(&acl.meta, subnets, missing(subnet)));
    }
    for interface in snapshot.interfaces.values() {
        note(&interface.meta, vpcs, missing(&interface.vpc));
        note(&interface.meta, subnets, missing(&interface.subnet));
        interface.groups.iter().flatten().for_each(|group| note(&interface.meta, groups, missing(group)));
    }
    for nat in snapshot.nat_gateways.values() {
        note(&nat.meta, subnets, nat.subnet.as_ref().and_then(missing));
    }
    found.extend(dangling_routes(snapshot));
    found
}

/// Routes to gateways that no answer describes although their call was collected.
fn dangling_routes(snapshot: &Snapshot) -> Vec<Notice> {
    let mut found = Vec::new();
    for table in snapshot.route_tables.values() {
        for route in &table.routes {
            let Some((id, call)) = missing_target(&route.target) else { continue };
            if snapshot.scopes.get(table.meta.scope).is_some_and(|scope| scope.collected(call)) {
                let message = format!("a route names `{id}`, which no answer describes unambiguously").into();
                found.push(Notice {
                    resource: table.meta.id.boxed(),
                    message,
                    source: Some(route.source.clone()),
                });
            }
        }
    }
    found
}

/// The id that a route names in vain, and the call that would describe it.
fn missing_target(target: &Target) -> Option<(&str, &'static str)> {
    let (id, call) = match target {
        Target::InternetGateway(gateway) => (missing(gateway), "ec2 describe-internet-gateways"),
        Target::VirtualGateway(gateway) => (missing(gateway), "ec2 describe-vpn-gateways"),
        Target::Nat(gateway) => (missing(gateway), "ec2 describe-nat-gateways"),
        Target::TransitGateway(gateway) => (missing(gateway), "ec2 describe-transit-gateways"),
        Target::Peering(peering) => (missing(peering), "ec2 describe-vpc-peering-connections"),
        Target::Interface(interface) => (missing(interface), "ec2 describe-network-interfaces"),
        Target::EgressGateway(gateway) => (missing(gateway), "ec2 describe-egress-only-internet-gateways"),
        _ => (None, ""),
    };
    id.map(|id| (id, call))
}

fn missing<I>(reference: &Ref<I>) -> Option<&str> {
    match reference {
        Ref::Missing(id) => Some(id),
        Ref::Known(_) => None,
    }
}

/// Addresses of interfaces in no block of their subnets, and blocks of subnets in none of their VPC. An Amazon EVS VLAN has
/// addresses of its own (R-ADDR-14).
fn strays(snapshot: &Snapshot) -> Vec<Notice> {
    let mut found = Vec::new();
    for interface in snapshot.interfaces.values().filter(|row| row.kind.as_deref() != Some("evs")) {
        let subnets = std::iter::once(&interface.subnet).chain(&interface.more_subnets);
        let known: Option<Vec<&Subnet>> =
            subnets.map(|subnet| subnet.known().and_then(|id| snapshot.subnets.get(id))).collect();
        let Some(subnets) = known else { continue };
        let inside =
            |block: &IpNet| subnets.iter().any(|subnet| blocks(subnet).any(|own| own.contains(block)));
        let single = interface.addresses.iter().map(|address| IpNet::from(address.ip));
        let stray = single.chain(interface.prefixes.iter().copied()).find(|block| !inside(block));
        let message = |block| format!("shows `{}`, which is in no block of its subnet", short(block));
        found.extend(stray.map(|block| odd(&interface.meta, message(block))));
    }
    for subnet in snapshot.subnets.values() {
        let Some(vpc) = subnet.vpc.known().and_then(|id| snapshot.vpcs.get(id)) else { continue };
        let inside = |block: &IpNet| present(&vpc.cidrs).any(|own| own.contains(block));
        let stray = blocks(subnet).find(|block| !inside(block));
        let message = |block| format!("has the block `{block}`, which is in no block of its VPC");
        found.extend(stray.map(|block| odd(&subnet.meta, message(block))));
    }
    found
}

fn short(block: IpNet) -> String {
    if block.prefix_len() == block.max_prefix_len() { block.addr().to_string() } else { block.to_string() }
}

fn odd(meta: &Meta, message: String) -> Notice {
    Notice { resource: meta.id.boxed(), message: message.into(), source: Some(meta.source.clone()) }
}

/// Attachments that the call for their type lists and the call for all of them does not.
fn unlisted_attachments(snapshot: &Snapshot) -> Vec<Notice> {
    const CALL: &str = "ec2 describe-transit-gateway-attachments";
    let unlisted = snapshot.attachments.values().filter(|row| {
        let alive = matches!(row.state.as_deref(), None | Some("available" | "modifying"));
        let collected = snapshot.scopes.get(row.meta.scope).is_some_and(|scope| scope.collected(CALL));
        alive && collected && !row.meta.source.pointer.starts_with("/TransitGatewayAttachments")
    });
    unlisted
        .map(|row| odd(&row.meta, format!("`{CALL}` does not list it, though another call does")))
        .collect()
}

/// Subnets of one VPC with a common address: AWS refuses to create them.
fn overlaps(snapshot: &Snapshot) -> Vec<Notice> {
    let mut by_vpc: BTreeMap<VpcId, Vec<(IpNet, SubnetId)>> = BTreeMap::new();
    for (id, subnet) in snapshot.subnets.iter() {
        if let Some(vpc) = subnet.vpc.known() {
            by_vpc.entry(vpc).or_default().extend(blocks(subnet).map(|block| (block, id)));
        }
    }
    let mut found = Vec::new();
    for blocks in by_vpc.values_mut() {
        // Sorted by first address and then by size, so that a block stands right behind one that holds it.
        blocks.sort_by_key(|(block, id)| (block.network(), block.prefix_len(), *id));
        let mut widest: Option<(IpNet, SubnetId)> = None;
        for &(block, id) in blocks.iter() {
            match widest {
                Some((wide, other)) if wide.contains(&block) => {
                    found.extend(overlap(snapshot, (id, block), (other, wide)))
                }
                _ => widest = Some((block, id)),
            }
        }
    }
    found
}

fn blocks(subnet: &Subnet) -> impl Iterator<Item = IpNet> {
    present(&subnet.cidrs)
}

fn present(cidrs: &[CidrAssociation]) -> impl Iterator<Item = IpNet> {
    let gone = |state: &State| matches!(state.as_deref(), Some("failed" | "failing" | "disassociated"));
    cidrs.iter().filter(move |association| !gone(&association.state)).map(|association| association.cidr)
}

fn overlap(
    snapshot: &Snapshot,
    (id, block): (SubnetId, IpNet),
    (other, wide): (SubnetId, IpNet),
) -> Option<Notice> {
    let (subnet, other) = (snapshot.subnets.get(id)?, snapshot.subnets.get(other)?);
    let message =
        format!("`{block}` overlaps `{wide}` of `{}` in the same VPC", other.meta.id).into_boxed_str();
    Some(Notice { resource: subnet.meta.id.boxed(), message, source: Some(subnet.meta.source.clone()) })
}
