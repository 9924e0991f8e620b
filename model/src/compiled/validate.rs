//! What every snapshot that ingest makes has, and a decoded one must have, too.
//!
//! Whatever a fact says, it may be so; what is looked at is what evaluators take for granted: ids that are in their tables
//! (INVARIANT (snapshot ids dense)), the order of tables and lists (INVARIANT (canonical order), and the order in which
//! entries of network ACLs apply), blocks without bits behind their prefix, ports of protocols that have them.

use ipnet::IpNet;

use super::guard::{HighestIds, TYPES};
use crate::flow::Protocol;
use crate::snapshot::{Destination, GroupPeer, GroupRule, Meta, Snapshot, TgwRoute};
use crate::traffic::Traffic;

/// Checks everything. The error says what was found and what was expected.
pub(super) fn validate(snapshot: &Snapshot, ids: &HighestIds) -> Result<(), String> {
    dense(snapshot, ids)?;
    resources_ordered(snapshot)?;
    lists_ordered(snapshot)?;
    if let Some(block) = blocks(snapshot).find(|block| block.trunc() != **block) {
        return Err(format!("found the block `{block}`, expected no bits behind the prefix"));
    }
    if let Some(Protocol(number)) = traffic(snapshot).find_map(misread) {
        return Err(format!("found a rule with ports or ICMP types of protocol {number}, which has none"));
    }
    Ok(())
}

/// Every id is in its table.
fn dense(snapshot: &Snapshot, ids: &HighestIds) -> Result<(), String> {
    for (name, what, length) in tables(snapshot) {
        let needed = ids.needed(name).unwrap_or(u64::MAX);
        if u64::try_from(length).unwrap_or(u64::MAX) < needed {
            let id = needed.saturating_sub(1);
            return Err(format!("found the number {id} among {what}, expected less than {length}"));
        }
    }
    Ok(())
}

/// The type of ids, the name and the length of each table.
fn tables(s: &Snapshot) -> [(&'static str, &'static str, usize); TYPES.len()] {
    [
        ("ScopeId", "accounts and Regions", s.scopes.len()),
        ("FileId", "files", s.files.len()),
        ("VpcId", "VPCs", s.vpcs.len()),
        ("SubnetId", "subnets", s.subnets.len()),
        ("EniId", "interfaces", s.interfaces.len()),
        ("InstanceId", "instances", s.instances.len()),
        ("RouteTableId", "route tables", s.route_tables.len()),
        ("GroupId", "security groups", s.groups.len()),
        ("AclId", "network ACLs", s.acls.len()),
        ("PrefixListId", "prefix lists", s.prefix_lists.len()),
        ("IgwId", "internet gateways", s.internet_gateways.len()),
        ("EigwId", "egress-only internet gateways", s.egress_gateways.len()),
        ("NatId", "NAT gateways", s.nat_gateways.len()),
        ("EndpointId", "endpoints", s.endpoints.len()),
        ("PeeringId", "peering connections", s.peerings.len()),
        ("TgwId", "transit gateways", s.transit_gateways.len()),
        ("AttachmentId", "attachments", s.attachments.len()),
        ("TgwTableId", "transit gateway route tables", s.tgw_tables.len()),
        ("PolicyTableId", "policy tables", s.policy_tables.len()),
        ("VgwId", "virtual private gateways", s.virtual_gateways.len()),
        ("ComponentId", "components", s.components.len()),
    ]
}

/// INVARIANT (canonical order).
fn resources_ordered(s: &Snapshot) -> Result<(), String> {
    resources("VPCs", s.vpcs.values().map(|r| &r.meta))?;
    resources("subnets", s.subnets.values().map(|r| &r.meta))?;
    resources("route tables", s.route_tables.values().map(|r| &r.meta))?;
    resources("network ACLs", s.acls.values().map(|r| &r.meta))?;
    resources("security groups", s.groups.values().map(|r| &r.meta))?;
    resources("prefix lists", s.prefix_lists.values().map(|r| &r.meta))?;
    resources("interfaces", s.interfaces.values().map(|r| &r.meta))?;
    resources("instances", s.instances.values().map(|r| &r.meta))?;
    resources("internet gateways", s.internet_gateways.values().map(|r| &r.meta))?;
    resources("egress-only internet gateways", s.egress_gateways.values().map(|r| &r.meta))?;
    resources("NAT gateways", s.nat_gateways.values().map(|r| &r.meta))?;
    resources("endpoints", s.endpoints.values().map(|r| &r.meta))?;
    resources("peering connections", s.peerings.values().map(|r| &r.meta))?;
    resources("transit gateways", s.transit_gateways.values().map(|r| &r.meta))?;
    resources("attachments", s.attachments.values().map(|r| &r.meta))?;
    resources("transit gateway route tables", s.tgw_tables.values().map(|r| &r.meta))?;
    resources("policy tables", s.policy_tables.values().map(|r| &r.meta))?;
    resources("virtual private gateways", s.virtual_gateways.values().map(|r| &r.meta))?;
    resources("VPN connections", s.vpn_connections.iter().map(|r| &r.meta))
}

fn resources<'s>(what: &str, metas: impl Iterator<Item = &'s Meta>) -> Result<(), String> {
    ordered(what, metas.map(|meta| (meta.scope, &meta.id)))
}

/// The same for what has no such key, and for lists inside resources.
fn lists_ordered(s: &Snapshot) -> Result<(), String> {
    ordered("files", s.files.values())?;
    ordered("accounts and Regions", s.scopes.values().map(|scope| (&scope.account, &scope.region)))?;
    ordered("zones", &s.zones)?;
    ordered("group associations", s.group_associations.iter().map(|one| (&one.group, &one.vpc)))?;
    ordered("Direct Connect gateways", s.dx_gateways.iter().map(|gateway| &gateway.id))?;
    ordered("components", s.components.values().map(|component| (&component.id, component.kind)))?;
    ordered("notices", &s.notices)?;
    ordered("gaps", &s.gaps)?;
    for scope in s.scopes.values() {
        ordered("exclusions", &scope.bpa_exclusions)?;
        ordered("public pools", scope.public_pools.iter().map(|pool| &pool.id))?;
    }
    for acl in s.acls.values() {
        ordered("entries of a network ACL", acl.entries.iter().map(|entry| (entry.egress, entry.number)))?;
    }
    for interface in s.interfaces.values() {
        ordered("addresses", interface.addresses.iter().map(|one| (!one.primary, one.ip)))?;
        ordered("prefixes", &interface.prefixes)?;
        ordered("public addresses", &interface.public)?;
    }
    for instance in s.instances.values() {
        ordered("interfaces of an instance", &instance.interfaces)?;
    }
    for component in s.components.values() {
        ordered("entries of a component", &component.entries)?;
        ordered("exits of a component", &component.exits)?;
    }
    Ok(())
}

fn ordered<T: PartialOrd>(what: &str, items: impl IntoIterator<Item = T>) -> Result<(), String> {
    if items.into_iter().is_sorted() { Ok(()) } else { Err(format!("found {what} out of order")) }
}

/// Every block of the snapshot.
fn blocks(s: &Snapshot) -> impl Iterator<Item = &IpNet> {
    let owned =
        s.vpcs.values().flat_map(|vpc| &vpc.cidrs).chain(s.subnets.values().flat_map(|one| &one.cidrs));
    let routes = s.route_tables.values().flat_map(|table| &table.routes).map(|route| &route.destination);
    let transit = transit_routes(s).map(|route| &route.destination);
    let peers = group_rules(s).filter_map(|rule| match &rule.peer {
        GroupPeer::Cidr(block) => Some(block),
        _ => None,
    });
    let policies = s.policy_tables.values().flat_map(|table| table.entries.iter().flatten());
    owned
        .map(|association| &association.cidr)
        .chain(routes.chain(transit).filter_map(destination))
        .chain(peers)
        .chain(s.acls.values().flat_map(|acl| &acl.entries).filter_map(|entry| entry.cidr.as_ref()))
        .chain(s.prefix_lists.values().flat_map(|list| list.entries.iter().flatten()))
        .chain(s.interfaces.values().flat_map(|interface| &interface.prefixes))
        .chain(s.peerings.values().flat_map(|one| one.requester.cidrs.iter().chain(&one.accepter.cidrs)))
        .chain(s.vpn_connections.iter().flat_map(|connection| &connection.routes))
        .chain(s.scopes.values().flat_map(|scope| &scope.public_pools).flat_map(|pool| &pool.ranges))
        .chain(policies.flat_map(|entry| entry.sources.iter().chain(&entry.destinations)))
}

fn destination(destination: &Destination) -> Option<&IpNet> {
    match destination {
        Destination::Cidr(block) => Some(block),
        Destination::PrefixList(_) | Destination::Unknown => None,
    }
}

fn transit_routes(s: &Snapshot) -> impl Iterator<Item = &TgwRoute> {
    s.tgw_tables.values().flat_map(|table| table.routes.iter().chain(&table.static_routes)).flatten()
}

fn group_rules(s: &Snapshot) -> impl Iterator<Item = &GroupRule> {
    s.groups.values().flat_map(|group| group.ingress.iter().chain(&group.egress)).flatten()
}

/// The traffic of every rule.
fn traffic(s: &Snapshot) -> impl Iterator<Item = &Traffic> {
    let entries = s.acls.values().flat_map(|acl| &acl.entries).map(|entry| &entry.traffic);
    group_rules(s).map(|rule| &rule.traffic).chain(entries)
}

/// The protocol of a rule that takes its headers for those of another.
fn misread(traffic: &Traffic) -> Option<Protocol> {
    match *traffic {
        Traffic::Ports { protocol, .. } => Some(protocol).filter(|protocol| !protocol.has_ports()),
        Traffic::Icmp { protocol, .. } | Traffic::Refused(protocol) => {
            Some(protocol).filter(|protocol| !protocol.is_icmp())
        }
        Traffic::All | Traffic::Protocol(_) | Traffic::Unknown => None,
    }
}
