//! Between VPCs: peering connections and one transit gateway.

use serde_json::{Value, json};

use crate::random::draft::Draft;
use crate::random::pool::{ON_PREMISES, block, choose, traffic};

const GATEWAY: &str = "tgw-1";

/// A connection between two VPCs; both route to it, or one does.
pub(super) fn peering(draft: &mut Draft, [one, other, sides, state, only_main, _]: [u8; 6]) -> Option<()> {
    let vpcs = draft.ids("vpcs");
    let requester = choose(&vpcs, one)?.clone();
    let others: Vec<_> = vpcs.into_iter().filter(|vpc| *vpc != requester).collect();
    let accepter = choose(&others, other)?.clone();
    let id = draft.fresh("peerings", "pcx");
    draft.add("peerings", &id, json!({"requester": requester, "accepter": accepter}));
    if state % 16 == 15 {
        draft.set("peerings", &id, "state", json!("pending-acceptance"));
    }
    let every_table = only_main % 3 != 2;
    if sides % 4 != 2 {
        route_between(draft, &requester, &accepter, &id, every_table);
    }
    if sides % 4 != 3 {
        route_between(draft, &accepter, &requester, &id, every_table);
    }
    Some(())
}

/// Routes of `from`'s tables for every block of `to`.
fn route_between(draft: &mut Draft, from: &str, to: &str, target: &str, every_table: bool) {
    let list =
        |attribute| draft.get("vpcs", to, attribute).and_then(Value::as_array).cloned().unwrap_or_default();
    let blocks: Vec<Value> = [list("cidrs"), list("ipv6")].concat();
    for block in blocks.iter().filter_map(Value::as_str) {
        route_in_tables(draft, from, block, target, every_table);
    }
}

fn route_in_tables(draft: &mut Draft, vpc: &str, destination: &str, target: &str, every_table: bool) {
    for table in draft.ids_of("route-tables", vpc) {
        let is_main = draft.get("route-tables", &table, "main").is_some();
        let of_gateway = draft.get("route-tables", &table, "gateway").is_some();
        if is_main || every_table && !of_gateway {
            draft.set_item("route-tables", &table, "routes", destination, json!(target));
        }
    }
}

/// The gateway and its first table, unless they are there.
fn add_gateway(draft: &mut Draft, referencing: bool) {
    draft.add("transit-gateways", GATEWAY, json!({"group-referencing": referencing}));
    draft.add("transit-tables", "tgw-rtb-1", json!({"gateway": GATEWAY, "propagations": []}));
}

/// A VPC's attachment in one or two subnets, propagated into the tables.
pub(super) fn attachment(
    draft: &mut Draft,
    [vpc, one, other, options, table, routes]: [u8; 6],
) -> Option<()> {
    let mut vpcs = draft.ids("vpcs");
    let attached = |vpc: &String| draft.get("attachments", &name(vpc), "vpc").is_some();
    vpcs.retain(|vpc| !attached(vpc));
    let vpc = choose(&vpcs, vpc)?.clone();
    add_gateway(draft, options % 2 == 1);
    if table % 3 == 2 {
        draft.add("transit-tables", "tgw-rtb-2", json!({"gateway": GATEWAY, "propagations": []}));
    }
    let id = name(&vpc);
    let own = draft.ids_of("subnets", &vpc);
    let first = choose(&own, one)?.clone();
    let second = choose(&own, other)?.clone();
    let subnets = if second == first || zone(draft, &second) == zone(draft, &first) {
        vec![first]
    } else {
        vec![first, second]
    };
    let tables = draft.ids("transit-tables");
    let associated = choose(&tables, table)?.clone();
    let attachment = json!({
        "gateway": GATEWAY, "vpc": vpc, "subnets": subnets, "table": associated, "ipv6-support": options / 2 % 2 == 1,
        "appliance-mode": options / 4 % 4 == 3,
    });
    draft.add("attachments", &id, attachment);
    for table in tables.iter().skip(usize::from(routes % 8 == 7)) {
        draft.append("transit-tables", table, "propagations", json!(id));
    }
    let destination = if routes % 3 == 2 { "0.0.0.0/0" } else { "10.0.0.0/8" };
    route_in_tables(draft, &vpc, destination, GATEWAY, routes % 2 == 0);
    if options / 2 % 2 == 1 {
        route_in_tables(draft, &vpc, "2001:db8::/32", GATEWAY, routes % 2 == 0);
    }
    Some(())
}

fn name(vpc: &str) -> String {
    vpc.replace("vpc-", "tgw-attach-")
}

fn zone(draft: &Draft, subnet: &str) -> Option<Value> {
    draft.get("subnets", subnet, "zone").cloned()
}

/// A written route of a transit gateway's table.
pub(super) fn route(draft: &mut Draft, [table, destination, to, ..]: [u8; 6]) -> Option<()> {
    let table = choose(&draft.ids("transit-tables"), table)?.clone();
    let mut targets = draft.ids("attachments");
    targets.push("blackhole".to_owned());
    let target = choose(&targets, to)?.clone();
    let destination = block(draft, destination);
    draft.set_item("transit-tables", &table, "routes", &destination, json!(target));
    Some(())
}

/// A VPN or a Direct Connect gateway at the transit gateway, with a route to it.
pub(super) fn outside(draft: &mut Draft, [kind, table, destination, from, ..]: [u8; 6]) -> Option<()> {
    add_gateway(draft, false);
    let kinds = [("vpn", "vpn-9"), ("direct-connect-gateway", "dxgw-9"), ("peering", "tgw-9")];
    let (kind, resource) = choose(&kinds, kind)?;
    let tables = draft.ids("transit-tables");
    let associated = choose(&tables, table)?.clone();
    let id = format!("tgw-attach-{kind}");
    let attachment = json!({"gateway": GATEWAY, "kind": kind, "resource": resource, "table": associated});
    draft.add("attachments", &id, attachment);
    let destination = if destination % 3 == 2 { "0.0.0.0/0" } else { ON_PREMISES };
    for table in tables {
        draft.set_item("transit-tables", &table, "routes", destination, json!(id));
    }
    let vpc = choose(&draft.ids("vpcs"), from)?.clone();
    route_in_tables(draft, &vpc, ON_PREMISES, GATEWAY, true);
    Some(())
}

/// A policy table instead of a route table at an attachment.
pub(super) fn policy_table(draft: &mut Draft, [at, port, other, ..]: [u8; 6]) -> Option<()> {
    let attachment = choose(&draft.ids("attachments"), at)?.clone();
    let tables = draft.ids("transit-tables");
    let (first, last) = (tables.first()?.clone(), tables.last()?.clone());
    let mut words = traffic(port).split_whitespace();
    let protocol = match words.next() {
        Some("udp") => 17,
        _ => 6,
    };
    let mut entry = json!({"number": 10, "protocol": protocol, "table": last});
    let source = block(draft, other);
    let single = words.next().and_then(|port| port.parse::<u16>().ok());
    if let Some(entry) = entry.as_object_mut() {
        entry.extend(single.map(|port| ("port".to_owned(), json!(port))));
        entry.insert("source".to_owned(), json!(source));
    }
    let entries = json!([entry, {"number": 20, "table": first}]);
    draft.add("policy-tables", "tgw-ptb-1", json!({"gateway": GATEWAY, "entries": entries}));
    draft.set("attachments", &attachment, "policy-table", json!("tgw-ptb-1"));
    Some(())
}
