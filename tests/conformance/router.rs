//! Packets that the other tool injects at a router: here an interface beside it sends them, which the snapshot does not
//! have and which nothing filters.

use std::net::Ipv4Addr;

use ipnet::{IpNet, Ipv4Net};
use reachproof_engine::network::{Network, Options};
use reachproof_engine::reach::Reach;
use reachproof_model::ingest::{Input, load};
use reachproof_model::snapshot::Snapshot;
use serde_json::{Value, json};

use crate::cases::{Case, text};
use crate::packet;
use crate::summary::{Outcome, Summary};

/// The further subnet of a VPC that a sender beside its router lies in.
pub const SUBNET: &str = "subnet-sender";

/// Whether the packet of a check starts at the router of a subnet or a VPC.
pub fn is_sender(check: &Value) -> bool {
    let node = text(&check["from"], "node");
    node.starts_with("subnet-") || node.starts_with("vpc-")
}

/// Compares a check, sent by an interface in the subnet, or in a further subnet of the VPC.
pub fn compare(case: &Case, check: &Value, summary: &mut Summary) {
    let fault = |why: &str| Outcome::Contradicted(format!("no interface can stand beside the router: {why}"));
    let name = text(check, "name");
    let mut inputs = case.inputs.clone();
    let snapshot = load(inputs.clone()).expect("the case loads");
    let Some(sender) = sender(&snapshot, check) else {
        return summary.add(case, name, "verdict", fault("the router is not in the snapshot"));
    };
    inputs.extend(sender);
    let snapshot = match load(inputs) {
        Ok(snapshot) => snapshot,
        Err(error) => return summary.add(case, name, "verdict", fault(&error.to_string())),
    };
    let network = Network::build(&snapshot, Options::default()).expect("the case builds");
    let mut check = check.clone();
    check["from"] = json!({"eni": "eni-sender"});
    packet::compare(&Reach::of(&network), case, &check, summary);
}

/// The answers that show the sender.
fn sender(snapshot: &Snapshot, check: &Value) -> Option<Vec<Input>> {
    let node = text(&check["from"], "node");
    if let Some(subnet) = snapshot.subnets.values().find(|row| *row.meta.id == *node) {
        let ip = text(&check["from"], "ip").parse().ok()?;
        let vpc = &snapshot.vpcs[subnet.vpc.known()?].meta.id;
        return Some(answers(vpc, node, None, ip));
    }
    let vpc = snapshot.vpcs.values().find(|row| *row.meta.id == *node)?;
    let block = last_block(vpc.cidrs.first().map(|row| row.cidr)?)?;
    Some(answers(node, SUBNET, Some(block), block.hosts().nth(4)?))
}

/// The last addresses of a VPC, where the cases have no subnet.
fn last_block(block: IpNet) -> Option<Ipv4Net> {
    let IpNet::V4(block) = block else { return None };
    Ipv4Net::new(block.broadcast(), 28).ok().map(|block| block.trunc())
}

fn answers(vpc: &str, subnet: &str, new: Option<Ipv4Net>, ip: Ipv4Addr) -> Vec<Input> {
    let everyone = json!([{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}], "Ipv6Ranges": [],
        "PrefixListIds": [], "UserIdGroupPairs": []}]);
    let group = json!({"GroupId": "sg-sender", "GroupName": "sender", "VpcId": vpc,
        "IpPermissions": [], "IpPermissionsEgress": everyone});
    let interface = json!({"NetworkInterfaceId": "eni-sender", "VpcId": vpc, "SubnetId": subnet, "Status": "in-use",
        "InterfaceType": "interface", "SourceDestCheck": true, "Description": "",
        "Groups": [{"GroupId": "sg-sender", "GroupName": "sender"}], "PrivateIpAddress": ip,
        "PrivateIpAddresses": [{"Primary": true, "PrivateIpAddress": ip}], "Ipv6Addresses": []});
    let subnets = new.map(|block| {
        json!({"SubnetId": SUBNET, "VpcId": vpc, "CidrBlock": block.to_string(), "State": "available"})
    });
    let documents = [
        ("Subnets", subnets.into_iter().collect()),
        ("SecurityGroups", vec![group]),
        ("NetworkInterfaces", vec![interface]),
    ];
    let file = |(key, rows): (&str, Vec<Value>)| Input {
        name: format!("sender-{key}.json"),
        bytes: json!({key: rows}).to_string().into_bytes(),
    };
    documents.into_iter().map(file).collect()
}
