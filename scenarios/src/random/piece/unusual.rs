//! Unusual states, Block Public Access, and what was not collected.

use serde_json::json;

use crate::random::draft::Draft;
use crate::random::pool::choose;

/// Sections with states, and unusual ones.
const STATES: [(&str, &str); 9] = [
    ("instances", "stopped"),
    ("peerings", "pending-acceptance"),
    ("attachments", "modifying"),
    ("attachments", "failed"),
    ("nat-gateways", "deleting"),
    ("internet-gateways", "detaching"),
    ("virtual-gateways", "detached"),
    ("endpoints", "pending"),
    ("transit-gateways", "modifying"),
];

/// The keys of calls that may be missing without the rest being unreadable.
const CALLS: [&str; 12] = [
    "RouteTables",
    "NetworkAcls",
    "SecurityGroups",
    "InternetGateways",
    "NatGateways",
    "VpcPeeringConnections",
    "TransitGatewayVpcAttachments",
    "TransitGatewayRouteTables",
    "PrefixLists",
    "Addresses",
    "VpcEndpoints",
    "VpnGateways",
];

/// An unusual state of one thing.
pub(super) fn state(draft: &mut Draft, [which, at, ..]: [u8; 6]) -> Option<()> {
    let (section, state) = choose(&STATES, which)?;
    let id = match *section {
        "instances" => instance(draft, at)?,
        section => choose(&draft.ids(section), at)?.clone(),
    };
    draft.add(section, &id, json!({}));
    draft.set(section, &id, "state", json!(state));
    Some(())
}

fn instance(draft: &Draft, at: u8) -> Option<String> {
    let interface = choose(&draft.ids("interfaces"), at)?.clone();
    draft.text_of("interfaces", &interface, "instance")
}

/// A mode with one exclusion, of a VPC or a subnet.
pub(super) fn block_public_access(draft: &mut Draft, [mode, at, exclusion, ..]: [u8; 6]) -> Option<()> {
    let mode = if mode % 2 == 0 { "block-ingress" } else { "block-bidirectional" };
    let resource = choose(&[draft.ids("vpcs"), draft.ids("subnets")].concat(), at)?.clone();
    let exclusions = match exclusion % 3 {
        0 => json!({}),
        1 => json!({"ex-1": {"resource": resource, "mode": "allow-bidirectional"}}),
        _ => json!({"ex-1": {"resource": resource, "mode": "allow-egress"}}),
    };
    draft.block_public_access(json!({"mode": mode, "exclusions": exclusions}));
    Some(())
}

/// A call that was not collected.
pub(super) fn forgotten(draft: &mut Draft, [call, ..]: [u8; 6]) -> Option<()> {
    let call = choose(&CALLS, call)?;
    draft.lay_over(call, json!(null));
    Some(())
}
