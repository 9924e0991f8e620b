//! Security groups, network ACLs and prefix lists.

use serde_json::json;

use crate::random::draft::Draft;
use crate::random::pool::{block, choose, peer, traffic};

/// `<traffic> from|to <peer>`.
pub(super) fn group_rule(draft: &mut Draft, [group, direction, kind, other, ..]: [u8; 6]) -> Option<()> {
    let group = choose(&draft.ids("security-groups"), group)?.clone();
    let (attribute, word) = if direction % 2 == 0 { ("in", "from") } else { ("out", "to") };
    let rule = format!("{} {word} {}", traffic(kind), peer(draft, other));
    draft.append("security-groups", &group, attribute, json!(rule));
    Some(())
}

/// A group with one rule in and one out, instead of the groups of an interface or besides them.
pub(super) fn group(draft: &mut Draft, [at, kind, from, kind_out, to, besides]: [u8; 6]) -> Option<()> {
    let interface = choose(&draft.ids("interfaces"), at)?.clone();
    let vpc = draft.vpc_of("interfaces", &interface)?;
    let group = draft.fresh("security-groups", "sg");
    let incoming = format!("{} from {}", traffic(kind), peer(draft, from));
    let outgoing = if kind_out % 3 == 0 {
        format!("{} to {}", traffic(kind_out / 3), peer(draft, to))
    } else {
        "all to any".to_owned()
    };
    draft.add("security-groups", &group, json!({"vpc": vpc, "in": [incoming], "out": [outgoing]}));
    if besides % 4 == 3 {
        draft.append("interfaces", &interface, "groups", json!(group));
    } else {
        draft.set("interfaces", &interface, "groups", json!([group]));
    }
    Some(())
}

/// A list of one subnet: everything allowed but one thing, or only one thing besides answers.
pub(super) fn acl(draft: &mut Draft, [at, kind, other, direction, ports, _]: [u8; 6]) -> Option<()> {
    let subnet = choose(&draft.ids("subnets"), at)?.clone();
    let vpc = draft.vpc_of("subnets", &subnet)?;
    let denial = format!("90 deny {} {}", traffic(kind), block(draft, other));
    let open = ["100 allow all 0.0.0.0/0", "101 allow all ::/0"].map(str::to_owned).to_vec();
    let with_denial: Vec<_> = std::iter::once(denial).chain(open.clone()).collect();
    let answers = answers(ports);
    let (incoming, outgoing) = match direction % 4 {
        0 => (with_denial, open),
        1 => (open, with_denial),
        2 => (with_denial, answers),
        _ => (answers, with_denial),
    };
    let id = format!("acl-{}", subnet.trim_start_matches("subnet-"));
    draft.add("network-acls", &id, json!({"vpc": vpc, "subnets": [subnet], "in": incoming, "out": outgoing}));
    Some(())
}

/// What a list must let through for answers to pass: all of the ports, or too few.
fn answers(ports: u8) -> Vec<String> {
    let ports = if ports.is_multiple_of(3) { "1024-65535" } else { "32768-60999" };
    let blocks = ["0.0.0.0/0", "::/0"].into_iter().zip([100, 101]);
    let tcp = blocks.map(|(block, number)| format!("{number} allow tcp {ports} {block}"));
    tcp.chain(["110 allow tcp 443 10.0.0.0/8".to_owned(), "120 allow icmp 0.0.0.0/0".to_owned()]).collect()
}

/// An entry somewhere before, between or behind those that are there.
pub(super) fn acl_rule(
    draft: &mut Draft,
    [list, direction, number, kind, other, action]: [u8; 6],
) -> Option<()> {
    let list = choose(&draft.ids("network-acls"), list)?.clone();
    let attribute = if direction % 2 == 0 { "in" } else { "out" };
    let entries = draft.get("network-acls", &list, attribute)?.as_array()?.len();
    // Numbers of a list are unique: those that lists start with leave room for seven more in each place.
    let base = if entries > 7 { 200 } else { *choose(&[10, 91, 102, 200], number)? };
    let number = entries.saturating_add(base);
    let action = if action % 2 == 0 { "deny" } else { "allow" };
    let rule = format!("{number} {action} {} {}", traffic(kind), block(draft, other));
    draft.append("network-acls", &list, attribute, json!(rule));
    Some(())
}

/// A list of one or two blocks; a rule of a group names it, and sometimes a route.
pub(super) fn prefix_list(
    draft: &mut Draft,
    [one, other, group, kind, table, target]: [u8; 6],
) -> Option<()> {
    let list = draft.fresh("prefix-lists", "pl");
    let mut entries = vec![block(draft, one), block(draft, other)];
    entries.retain(|entry| !entry.contains(':'));
    entries.sort();
    entries.dedup();
    draft.add("prefix-lists", &list, json!({"entries": entries}));
    let group = choose(&draft.ids("security-groups"), group)?.clone();
    draft.append("security-groups", &group, "in", json!(format!("{} from {list}", traffic(kind))));
    super::route::add(draft, table, &list, target)
}
