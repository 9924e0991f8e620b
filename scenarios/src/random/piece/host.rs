//! Interfaces of guests.

use serde_json::json;

use crate::random::draft::Draft;
use crate::random::pool::choose;
use crate::random::skeleton::{add_interface, add_public};

/// An interface, plain or with something unusual about it.
pub(super) fn interface(draft: &mut Draft, [at, group, unusual, ..]: [u8; 6]) -> Option<()> {
    let subnet = choose(&draft.ids("subnets"), at)?.clone();
    let vpc = draft.vpc_of("subnets", &subnet)?;
    let group = choose(&draft.ids_of("security-groups", &vpc), group)?.clone();
    let id = draft.fresh("interfaces", "eni");
    add_interface(draft, id.trim_start_matches("eni-"), &subnet, &group)?;
    match unusual % 12 {
        1..=3 => add_public(draft, &id)?,
        4 => draft.set("interfaces", &id, "source-dest-check", json!(false)),
        5 => {
            draft.set("interfaces", &id, "source-dest-check", json!(false));
            add_public(draft, &id)?;
        }
        6 => second_address(draft, &id, &subnet)?,
        7 => unattached(draft, &id),
        8 => draft.add("instances", &id.replace("eni-", "i-"), json!({"state": "stopped"})),
        9 => draft.set("interfaces", &id, "deny-igw", json!(true)),
        10 => delegated(draft, &id, &subnet)?,
        _ => {}
    }
    Some(())
}

fn second_address(draft: &mut Draft, id: &str, subnet: &str) -> Option<()> {
    let second = draft.address(subnet)?;
    draft.append("interfaces", id, "addresses", json!(second));
    let public = draft.public_address();
    draft.set_item("interfaces", id, "public", &second.to_string(), json!(public));
    Some(())
}

fn unattached(draft: &mut Draft, id: &str) {
    draft.set("interfaces", id, "status", json!("available"));
    draft.set("interfaces", id, "instance", json!(null));
}

/// A prefix of sixteen addresses in the upper half of the subnet.
fn delegated(draft: &mut Draft, id: &str, subnet: &str) -> Option<()> {
    let address = draft.address(subnet)?;
    let [a, b, c, last] = address.octets();
    let block = last.saturating_sub(9).min(7).saturating_mul(16).saturating_add(128);
    draft.set("interfaces", id, "prefixes", json!([format!("{a}.{b}.{c}.{block}/28")]));
    Some(())
}
