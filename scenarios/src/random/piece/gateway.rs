//! NAT gateways, other gateways of a VPC, and endpoints, each with a route to it.

use serde_json::json;

use crate::random::draft::Draft;
use crate::random::pool::{ON_PREMISES, S3, block, choose};

/// Routes `destination` to `target` in one of the VPC's tables of subnets; the main one is the plainest.
fn route_to(draft: &mut Draft, vpc: &str, table: u8, destination: &str, target: &str) -> Option<()> {
    let mut tables = draft.ids_of("route-tables", vpc);
    tables.retain(|table| draft.get("route-tables", table, "gateway").is_none());
    let table = choose(&tables, table)?.clone();
    draft.set_item("route-tables", &table, "routes", destination, json!(target));
    Some(())
}

/// A gateway with the route of everything, or of some block, to it.
pub(super) fn nat(draft: &mut Draft, [at, kind, table, destination, more, state]: [u8; 6]) -> Option<()> {
    let subnet = choose(&draft.ids("subnets"), at)?.clone();
    let vpc = draft.vpc_of("subnets", &subnet)?;
    let id = draft.fresh("nat-gateways", "nat");
    match kind % 6 {
        0..=2 => zonal(draft, &id, &subnet, more)?,
        5 => regional(draft, &id, &vpc, more),
        _ => {
            let address = draft.address(&subnet)?;
            let nat = json!({
                "subnet": subnet, "interface": format!("eni-{id}"), "addresses": [address], "connectivity": "private",
            });
            draft.add("nat-gateways", &id, nat);
        }
    }
    if state % 16 == 15 {
        draft.set("nat-gateways", &id, "state", json!("pending"));
    }
    let destination = match destination % 4 {
        0 | 1 => "0.0.0.0/0".to_owned(),
        2 => "64:ff9b::/96".to_owned(),
        _ => block(draft, destination / 4),
    };
    route_to(draft, &vpc, table, &destination, &id)
}

/// A public gateway in a subnet, with one or two addresses.
fn zonal(draft: &mut Draft, id: &str, subnet: &str, more: u8) -> Option<()> {
    let address = draft.address(subnet)?;
    let nat = json!({"subnet": subnet, "interface": format!("eni-{id}"), "addresses": [address]});
    draft.add("nat-gateways", id, nat);
    let public = draft.public_address();
    draft.set_item("nat-gateways", id, "public", &address.to_string(), json!(public));
    if more % 4 == 3 {
        let (second, public) = (draft.address(subnet)?, draft.public_address());
        draft.append("nat-gateways", id, "addresses", json!(second));
        draft.set_item("nat-gateways", id, "public", &second.to_string(), json!(public));
    }
    Some(())
}

/// A gateway of a whole VPC, with a table of its own.
fn regional(draft: &mut Draft, id: &str, vpc: &str, more: u8) {
    let table = format!("rtb-{id}");
    draft.add("route-tables", &table, json!({"vpc": vpc}));
    if let Some(gateway) = draft.ids_of("internet-gateways", vpc).first() {
        draft.set_item("route-tables", &table, "routes", "0.0.0.0/0", json!(gateway));
    }
    let public: Vec<_> = (0..=more % 2).map(|_| draft.public_address()).collect();
    draft.add("nat-gateways", id, json!({"vpc": vpc, "table": table, "public-addresses": public}));
}

/// An egress-only gateway.
pub(super) fn egress(draft: &mut Draft, [vpc, table, ..]: [u8; 6]) -> Option<()> {
    let vpc = choose(&draft.ids("vpcs"), vpc)?.clone();
    let id = format!("eigw-{}", vpc.trim_start_matches("vpc-"));
    draft.add("egress-gateways", &id, json!({"vpc": vpc}));
    route_to(draft, &vpc, table, "::/0", &id)
}

/// A virtual private gateway; its route is propagated or written.
pub(super) fn virtual_gateway(draft: &mut Draft, [vpc, table, route, more, ..]: [u8; 6]) -> Option<()> {
    let vpc = choose(&draft.ids("vpcs"), vpc)?.clone();
    let letter = vpc.trim_start_matches("vpc-").to_owned();
    let id = format!("vgw-{letter}");
    draft.add("virtual-gateways", &id, json!({"vpc": vpc}));
    draft.add("vpn-connections", &format!("vpn-{letter}"), json!({"gateway": id, "routes": [ON_PREMISES]}));
    let target = if route % 3 == 2 { id.clone() } else { format!("{id} propagated") };
    let destination = if more % 4 == 3 { block(draft, more / 4) } else { ON_PREMISES.to_owned() };
    route_to(draft, &vpc, table, &destination, &target)
}

/// A gateway endpoint of S3.
pub(super) fn storage(draft: &mut Draft, [vpc, table, ..]: [u8; 6]) -> Option<()> {
    let vpc = choose(&draft.ids("vpcs"), vpc)?.clone();
    let (list, entry) = S3;
    let named = json!({"name": "com.amazonaws.us-east-1.s3", "owner": "AWS", "entries": [entry]});
    draft.add("prefix-lists", list, named);
    let id = format!("vpce-s3-{}", vpc.trim_start_matches("vpc-"));
    let mut tables = draft.ids_of("route-tables", &vpc);
    tables.retain(|table| draft.get("route-tables", table, "gateway").is_none());
    let table = choose(&tables, table)?.clone();
    draft.add("endpoints", &id, json!({"vpc": vpc, "kind": "gateway", "service": "s3", "tables": [table]}));
    draft.set_item("route-tables", &table, "routes", list, json!(id));
    Some(())
}

/// An interface endpoint in one subnet.
pub(super) fn endpoint(draft: &mut Draft, [at, group, ..]: [u8; 6]) -> Option<()> {
    let subnet = choose(&draft.ids("subnets"), at)?.clone();
    let vpc = draft.vpc_of("subnets", &subnet)?;
    let group = choose(&draft.ids_of("security-groups", &vpc), group)?.clone();
    let address = draft.address(&subnet)?;
    let id = draft.fresh("endpoints", "vpce");
    let interface = json!({"subnet": subnet, "address": address});
    let endpoint = json!({
        "vpc": vpc, "kind": "interface", "service": "logs", "groups": [group],
        "interfaces": {format!("eni-{id}"): interface},
    });
    draft.add("endpoints", &id, endpoint);
    Some(())
}
