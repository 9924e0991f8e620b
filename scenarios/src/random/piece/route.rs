//! VPC route tables and their routes.

use serde_json::json;

use crate::random::draft::Draft;
use crate::random::pool::{block, choose};

/// Sections whose things a route may name, those that are attached to a VPC first.
const ATTACHED: [&str; 5] =
    ["internet-gateways", "nat-gateways", "virtual-gateways", "interfaces", "egress-gateways"];

/// A route of any table but those of gateways, which take no others than into their VPC.
pub(super) fn route(draft: &mut Draft, [table, destination, target, state, ..]: [u8; 6]) -> Option<()> {
    let destination = block(draft, destination);
    let blackhole = if state % 8 == 7 { " blackhole" } else { "" };
    add_with(draft, table, &destination, target, blackhole)
}

/// A route to a destination of any table, by picks of table and target.
pub(super) fn add(draft: &mut Draft, table: u8, destination: &str, target: u8) -> Option<()> {
    add_with(draft, table, destination, target, "")
}

fn add_with(draft: &mut Draft, table: u8, destination: &str, target: u8, state: &str) -> Option<()> {
    let mut tables = draft.ids("route-tables");
    tables.retain(|table| draft.get("route-tables", table, "gateway").is_none());
    let table = choose(&tables, table)?.clone();
    let vpc = draft.vpc_of("route-tables", &table)?;
    let target = choose(&targets(draft, &vpc), target)?.clone();
    draft.set_item("route-tables", &table, "routes", destination, json!(format!("{target}{state}")));
    Some(())
}

/// What routes of a VPC may name: its own things, what is between VPCs, and something that is not there.
fn targets(draft: &Draft, vpc: &str) -> Vec<String> {
    let mut targets = vec!["local".to_owned()];
    for section in ATTACHED {
        targets.extend(draft.ids_of(section, vpc));
    }
    targets.extend(draft.ids("transit-gateways"));
    targets.extend(draft.ids("peerings").into_iter().filter(|id| joins(draft, id, vpc)));
    targets.push("nat-gone".to_owned());
    targets
}

fn joins(draft: &Draft, peering: &str, vpc: &str) -> bool {
    ["requester", "accepter"]
        .iter()
        .any(|side| draft.text_of("peerings", peering, side).as_deref() == Some(vpc))
}

/// A table for a subnet that has none, with a route of everything to some target.
pub(super) fn table(draft: &mut Draft, [at, target, ..]: [u8; 6]) -> Option<()> {
    let taken: Vec<_> = draft.ids("route-tables").iter().flat_map(|table| subnets_of(draft, table)).collect();
    let mut free = draft.ids("subnets");
    free.retain(|subnet| !taken.contains(subnet));
    let subnet = choose(&free, at)?.clone();
    let vpc = draft.vpc_of("subnets", &subnet)?;
    let table = format!("rtb-{}", subnet.trim_start_matches("subnet-"));
    let target = choose(&targets(draft, &vpc), target)?.clone();
    draft.add("route-tables", &table, json!({"vpc": vpc, "subnets": [subnet]}));
    if target != "local" {
        draft.set_item("route-tables", &table, "routes", "0.0.0.0/0", json!(target));
    }
    Some(())
}

fn subnets_of(draft: &Draft, table: &str) -> Vec<String> {
    let subnets = draft.get("route-tables", table, "subnets").and_then(|subnets| subnets.as_array());
    subnets.into_iter().flatten().filter_map(|subnet| subnet.as_str().map(str::to_owned)).collect()
}

/// A table for what enters by a gateway: to the VPC, or to an interface for one subnet.
pub(super) fn gateway_table(draft: &mut Draft, [gateway, at, target, ..]: [u8; 6]) -> Option<()> {
    let mut gateways: Vec<_> =
        draft.ids("internet-gateways").into_iter().map(|id| ("internet-gateways", id)).collect();
    gateways.extend(draft.ids("virtual-gateways").into_iter().map(|id| ("virtual-gateways", id)));
    let (section, gateway) = choose(&gateways, gateway)?.clone();
    let vpc = draft.vpc_of(section, &gateway)?;
    let table = format!("rtb-{gateway}");
    draft.add("route-tables", &table, json!({"vpc": vpc, "gateway": gateway}));
    let subnet = choose(&draft.ids_of("subnets", &vpc), at)?.clone();
    let destination = draft.text_of("subnets", &subnet, "cidr")?;
    let mut targets = vec!["local".to_owned()];
    targets.extend(draft.ids_of("interfaces", &vpc));
    let target = choose(&targets, target)?.clone();
    draft.set_item("route-tables", &table, "routes", &destination, json!(target));
    Some(())
}
