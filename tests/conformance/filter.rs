//! One security group alone: around it a network in which it is the only thing that can refuse a packet.
//!
//! A subject that carries the group and a peer at the address in question lie in one VPC whose lists and routes are
//! open; so the packet arrives iff the group permits it, in both evaluators.

use std::net::IpAddr;

use reachproof_engine::network::{Network, Options};
use reachproof_engine::reach::Reach;
use reachproof_model::ingest::{Input, load};
use reachproof_scenarios::parse;
use serde_json::{Value, json};

use crate::cases::{Case, items, text};
use crate::ends;
use crate::packet;
use crate::summary::Outcome;

const SUBJECT: &str = "172.31.1.10";

/// Compares what the group of a check decides about one packet.
pub fn check(case: &Case, check: &Value) -> Outcome {
    let ingress = text(&check["filter"], "direction") == "ingress";
    let peer = ends::address(&check[if ingress { "from" } else { "to" }]);
    let (Some(group), Some(peer)) = (group(case, &check["filter"]), peer) else {
        return Outcome::Contradicted("the check names no group, or no address".to_owned());
    };
    let snapshot = match load(network(case, &group, peer)) {
        Ok(snapshot) => snapshot,
        Err(error) => return Outcome::Contradicted(error.to_string()),
    };
    let network = Network::build(&snapshot, Options::default()).expect("the spine is there");
    let (subject, peer) = (json!({"eni": "eni-subject"}), json!({"eni": "eni-peer"}));
    let (from, to) = if ingress { (peer, subject) } else { (subject, peer) };
    let mut packet = check.clone();
    packet["from"] = from;
    packet["to"] = to;
    packet["expect"] = if text(check, "expect") == "permit" { json!("reaches") } else { json!("blocked") };
    packet::verdict_of_both(&Reach::of(&network), &packet)
}

/// The group that a check names by its position in the file, or by its id.
fn group(case: &Case, filter: &Value) -> Option<Value> {
    let mut groups = Vec::new();
    for input in &case.inputs {
        let answer: Value = serde_json::from_slice(&input.bytes).expect("answers are JSON");
        groups.extend(items(&answer, "SecurityGroups").cloned());
    }
    let position = filter["security_group_index"].as_u64().and_then(|index| usize::try_from(index).ok());
    match position {
        Some(index) => groups.into_iter().nth(index),
        None => groups.into_iter().find(|group| text(group, "GroupId") == text(filter, "security_group")),
    }
}

/// The network around the group, with the prefix lists of the case.
fn network(case: &Case, group: &Value, peer: IpAddr) -> Vec<Input> {
    let (id, vpc) = (text(group, "GroupId"), text(group, "VpcId"));
    let around = ipnet::IpNet::new(peer, 16).expect("an IPv4 address").trunc();
    let scenario = json!({
        "reachproof": "scenario/v1", "name": "filter", "title": "one group alone", "rules": ["R-SG-1"],
        "network": {
            "vpcs": {vpc: {"cidrs": ["172.31.0.0/16", around]}},
            "subnets": {
                "subnet-subject": {"vpc": vpc, "cidr": "172.31.0.0/16"},
                "subnet-peer": {"vpc": vpc, "cidr": around},
            },
            "route-tables": {"rtb-main": {"vpc": vpc, "main": true}},
            "network-acls": {"acl-open": {"vpc": vpc, "default": true, "in": ["100 allow all 0.0.0.0/0"],
                "out": ["100 allow all 0.0.0.0/0"]}},
            "security-groups": {
                id: {"vpc": vpc},
                "sg-peer": {"vpc": vpc, "in": ["all from any"], "out": ["all to any"]},
            },
            "interfaces": {
                "eni-subject": {"subnet": "subnet-subject", "addresses": [SUBJECT], "groups": [id], "instance": "i-1"},
                "eni-peer": {"subnet": "subnet-peer", "addresses": [peer], "groups": ["sg-peer"], "instance": "i-2"},
            },
        },
        "aws": {"SecurityGroups": [group]},
        "expect": [{"from": "eni-peer", "to": "eni-subject", "verdict": "reaches"}],
    });
    let mut inputs = parse("filter.yaml", &scenario.to_string()).expect("the scenario parses").inputs();
    inputs.extend(case.inputs.iter().filter(|input| input.name.contains("PrefixList")).cloned());
    inputs
}
