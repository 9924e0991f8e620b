//! What every VPC of a random network has.

use serde_json::{Value, json};

use super::VpcShape;
use super::draft::Draft;

/// Adds the VPC of a number, 0 to 2.
pub(super) fn add_vpc(draft: &mut Draft, number: u8, shape: VpcShape) {
    let letter = char::from(b'a'.saturating_add(number));
    let vpc = format!("vpc-{letter}");
    let second = number.saturating_add(10);
    let secondary = shape.secondary.then(|| format!("10.{second}.0.0/16"));
    let cidrs: Vec<_> = std::iter::once(format!("10.{number}.0.0/16")).chain(secondary).collect();
    draft.add("vpcs", &vpc, json!({"cidrs": cidrs}));
    if shape.dual_stack {
        draft.set("vpcs", &vpc, "ipv6", json!([format!("2001:db8:{number}::/56")]));
    }
    add_filters(draft, letter, &vpc);
    let last = shape.more_subnets.min(2).saturating_add(1);
    for place in 0..=last {
        let block = if place == last && shape.secondary { second } else { number };
        add_subnet(draft, (letter, number), &vpc, (place, block), shape.dual_stack);
    }
    add_tables(draft, letter, &vpc, shape);
}

fn add_filters(draft: &mut Draft, letter: char, vpc: &str) {
    let both = json!(["100 allow all 0.0.0.0/0", "101 allow all ::/0"]);
    let acl = json!({"vpc": vpc, "default": true, "in": both.clone(), "out": both});
    draft.add("network-acls", &format!("acl-{letter}"), acl);
    let group = json!({"vpc": vpc, "in": ["all from any"], "out": ["all to any"]});
    draft.add("security-groups", &format!("sg-{letter}"), group);
}

/// A subnet with one interface.
fn add_subnet(
    draft: &mut Draft,
    (letter, number): (char, u8),
    vpc: &str,
    (place, block): (u8, u8),
    dual: bool,
) {
    let subnet = format!("subnet-{letter}{place}");
    let zone = place % 3 + 1;
    draft.add(
        "subnets",
        &subnet,
        json!({"vpc": vpc, "cidr": format!("10.{block}.{place}.0/24"), "zone": zone}),
    );
    if dual {
        draft.set("subnets", &subnet, "ipv6", json!(format!("2001:db8:{number}:{place}::/64")));
    }
    add_interface(draft, &format!("{letter}{place}"), &subnet, &format!("sg-{letter}"));
}

/// An interface of a running instance, with one address of each family of its subnet.
pub(super) fn add_interface(draft: &mut Draft, name: &str, subnet: &str, group: &str) -> Option<Value> {
    let address = draft.address(subnet)?;
    let ipv6 = draft.ipv6_like(subnet, address);
    let interface = json!({
        "subnet": subnet, "addresses": [address], "ipv6": Vec::from_iter(ipv6), "groups": [group],
        "instance": format!("i-{name}"),
    });
    draft.add("interfaces", &format!("eni-{name}"), interface);
    Some(json!(address))
}

fn add_tables(draft: &mut Draft, letter: char, vpc: &str, shape: VpcShape) {
    draft.add("route-tables", &format!("rtb-{letter}"), json!({"vpc": vpc, "main": true}));
    let (first, table) = (format!("subnet-{letter}0"), format!("rtb-{letter}-first"));
    draft.add("route-tables", &table, json!({"vpc": vpc, "subnets": [first]}));
    if !shape.internet {
        return;
    }
    let gateway = format!("igw-{letter}");
    draft.add("internet-gateways", &gateway, json!({"vpc": vpc}));
    draft.set_item("route-tables", &table, "routes", "0.0.0.0/0", json!(gateway));
    if shape.dual_stack {
        draft.set_item("route-tables", &table, "routes", "::/0", json!(gateway));
    }
    add_public(draft, &format!("eni-{letter}0"));
}

/// Gives the first address of an interface a public one.
pub(super) fn add_public(draft: &mut Draft, interface: &str) -> Option<()> {
    let first = draft.get("interfaces", interface, "addresses")?.as_array()?.first()?.as_str()?.to_owned();
    let public = draft.public_address();
    draft.set_item("interfaces", interface, "public", &first, json!(public));
    Some(())
}
