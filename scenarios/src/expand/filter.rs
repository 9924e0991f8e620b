//! Security groups, network ACLs and prefix lists.

use std::collections::BTreeSet;

use ipnet::IpNet;
use serde_json::{Map, Value, json};

use super::Fault;
use super::answers::{Answers, Place};
use super::context::{ACCOUNT, Context, items, list, need, or, usual_place};
use crate::format::network::{NetworkAcl, PrefixList, SecurityGroup};
use crate::format::rule::{AclRule, GroupPermission, RuleTraffic};

/// Writes the answers about security groups, network ACLs and prefix lists.
pub(super) fn describe(context: &Context<'_>, answers: &mut Answers) -> Result<(), Fault> {
    for (id, group) in items(context.network.security_groups.as_ref()) {
        describe_group(context, answers, id, group)?;
    }
    for (id, acl) in items(context.network.network_acls.as_ref()) {
        let place = context.place(need(acl.vpc.as_ref(), id, "vpc")?)?;
        answers.list(&place, "ec2_describe-network-acls", acl_json(context, id, acl, &place)?);
    }
    for (id, prefix_list) in items(context.network.prefix_lists.as_ref()) {
        describe_prefix_list(answers, id, prefix_list);
    }
    Ok(())
}

fn describe_group(
    context: &Context<'_>,
    answers: &mut Answers,
    id: &str,
    group: &SecurityGroup,
) -> Result<(), Fault> {
    let vpc = need(group.vpc.as_ref(), id, "vpc")?;
    let place = context.place(vpc)?;
    let owner = or(group.owner.as_ref(), &place.account);
    let out = match &group.out {
        Some(out) => permissions(context, vpc, out),
        None => vec![json!({
            "IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}], "Ipv6Ranges": [], "PrefixListIds": [],
            "UserIdGroupPairs": [],
        })],
    };
    let json = json!({
        "GroupId": id, "GroupName": context.group_name(id), "Description": context.group_name(id), "OwnerId": owner,
        "SecurityGroupArn": place.arn(owner, &format!("security-group/{id}")), "VpcId": vpc,
        "IpPermissions": permissions(context, vpc, group.r#in.as_deref().unwrap_or_default()),
        "IpPermissionsEgress": out, "Tags": [],
    });
    answers.list(&place, "ec2_describe-security-groups", json);
    for further in list(group.also.as_ref()) {
        let json =
            json!({"GroupId": id, "VpcId": further, "VpcOwnerId": place.account, "State": "associated"});
        answers.list(&place, "ec2_describe-security-group-vpc-associations", json);
    }
    Ok(())
}

fn permissions(context: &Context<'_>, vpc: &str, rules: &[GroupPermission]) -> Vec<Value> {
    rules.iter().map(|rule| permission(context, vpc, rule)).collect()
}

fn permission(context: &Context<'_>, vpc: &str, rule: &GroupPermission) -> Value {
    let (mut ipv4, mut ipv6, mut lists, mut groups) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for peer in &rule.peers {
        match peer.parse::<IpNet>() {
            _ if peer == "any" => {
                ipv4.push(json!({"CidrIp": "0.0.0.0/0"}));
                ipv6.push(json!({"CidrIpv6": "::/0"}));
            }
            Ok(IpNet::V4(block)) => ipv4.push(json!({"CidrIp": block})),
            Ok(IpNet::V6(block)) => ipv6.push(json!({"CidrIpv6": block})),
            Err(_) if peer.starts_with("pl-") => lists.push(json!({"PrefixListId": peer})),
            Err(_) => groups.push(group_pair(context, vpc, peer)),
        }
    }
    let (from, to) = rule.traffic.bounds.unzip();
    json!({
        "IpProtocol": rule.traffic.protocol, "FromPort": from, "ToPort": to, "IpRanges": ipv4, "Ipv6Ranges": ipv6,
        "PrefixListIds": lists, "UserIdGroupPairs": groups,
    })
}

/// A reference to a group; one of a peered VPC names the peering connection.
fn group_pair(context: &Context<'_>, vpc: &str, group: &str) -> Value {
    let found = context.network.security_groups.as_ref().and_then(|groups| groups.get(group));
    let owner = found.and_then(|found| found.owner.as_deref()).unwrap_or(ACCOUNT);
    let home = found.and_then(|found| found.vpc.as_deref()).filter(|home| *home != vpc);
    let peering = home.and_then(|home| context.peering_between(vpc, home));
    let (id, state) = peering.unzip();
    json!({
        "GroupId": group, "UserId": owner, "VpcId": peering.and(home), "VpcPeeringConnectionId": id,
        "PeeringStatus": state,
    })
}

fn acl_json(context: &Context<'_>, id: &str, acl: &NetworkAcl, place: &Place) -> Result<Value, Fault> {
    let vpc_id = need(acl.vpc.as_ref(), id, "vpc")?;
    let vpc = context.vpc(vpc_id)?;
    let has_ipv6 = list(vpc.ipv6.as_ref()).chain(list(vpc.private_ipv6.as_ref())).next().is_some();
    let entries = [(false, &acl.r#in), (true, &acl.out)].into_iter().flat_map(|(egress, rules)| {
        let stated = list(rules.as_ref()).map(move |rule| acl_entry(egress, rule));
        stated.chain(fixed_denials(egress, has_ipv6))
    });
    let associations = acl_subnets(context, id, acl).into_iter().map(|subnet| {
        let association = format!("aclassoc-{subnet}");
        json!({"NetworkAclAssociationId": association, "NetworkAclId": id, "SubnetId": subnet})
    });
    Ok(json!({
        "NetworkAclId": id, "VpcId": vpc_id, "OwnerId": or(vpc.owner.as_ref(), &place.account),
        "IsDefault": acl.default.unwrap_or(false), "Associations": associations.collect::<Vec<_>>(),
        "Entries": entries.collect::<Vec<_>>(), "Tags": [],
    }))
}

/// The subnets of a list: those it names; for the default list, those of its VPC that no other one names.
fn acl_subnets<'a>(context: &Context<'a>, id: &str, acl: &'a NetworkAcl) -> BTreeSet<&'a str> {
    if !acl.default.unwrap_or(false) {
        return list(acl.subnets.as_ref()).map(String::as_str).collect();
    }
    let others = items(context.network.network_acls.as_ref()).filter(|(other, _)| *other != id);
    let taken: BTreeSet<&str> =
        others.flat_map(|(_, other)| list(other.subnets.as_ref())).map(String::as_str).collect();
    let subnets = items(context.network.subnets.as_ref()).filter(|(_, subnet)| subnet.vpc == acl.vpc);
    subnets.map(|(subnet, _)| subnet).filter(|subnet| !taken.contains(subnet)).collect()
}

fn acl_entry(egress: bool, rule: &AclRule) -> Value {
    let mut entry = json!({
        "RuleNumber": rule.number, "Egress": egress, "RuleAction": rule.action,
        "Protocol": protocol_number(&rule.traffic.protocol),
    });
    if let Some(fields) = entry.as_object_mut() {
        fields.insert(block_key(&rule.cidr).to_owned(), json!(rule.cidr));
        fields.extend(acl_bounds(&rule.traffic));
    }
    entry
}

fn acl_bounds(traffic: &RuleTraffic) -> Map<String, Value> {
    let (key, bounds) = match (traffic.protocol.as_str(), traffic.bounds) {
        ("tcp" | "udp", Some((from, to))) => ("PortRange", json!({"From": from, "To": to})),
        ("icmp" | "icmpv6", Some((kind, code))) => ("IcmpTypeCode", json!({"Type": kind, "Code": code})),
        _ => return Map::new(),
    };
    Map::from_iter([(key.to_owned(), bounds)])
}

fn fixed_denials(egress: bool, has_ipv6: bool) -> impl Iterator<Item = Value> {
    let denial = move |number: u32, key: &str, block: &str| {
        json!({
            "RuleNumber": number, "Egress": egress, "Protocol": "-1", "RuleAction": "deny", key: block,
        })
    };
    let ipv6 = has_ipv6.then(|| denial(32_768, "Ipv6CidrBlock", "::/0"));
    std::iter::once(denial(32_767, "CidrBlock", "0.0.0.0/0")).chain(ipv6)
}

fn block_key(block: &IpNet) -> &'static str {
    match block {
        IpNet::V4(_) => "CidrBlock",
        IpNet::V6(_) => "Ipv6CidrBlock",
    }
}

fn protocol_number(protocol: &str) -> &str {
    match protocol {
        "tcp" => "6",
        "udp" => "17",
        "icmp" => "1",
        "icmpv6" => "58",
        number => number,
    }
}

fn describe_prefix_list(answers: &mut Answers, id: &str, list: &PrefixList) {
    let place = usual_place();
    let owner = or(list.owner.as_ref(), ACCOUNT);
    let arn_owner = if owner == "AWS" { "aws" } else { owner };
    let entries = list.entries.as_ref();
    let ipv6 = entries.is_some_and(|entries| entries.iter().any(|entry| matches!(entry, IpNet::V6(_))));
    let customer = (owner != "AWS").then_some(1);
    let json = json!({
        "PrefixListId": id, "PrefixListName": or(list.name.as_ref(), id), "OwnerId": owner,
        "AddressFamily": if ipv6 { "IPv6" } else { "IPv4" }, "State": "create-complete",
        "PrefixListArn": place.arn(arn_owner, &format!("prefix-list/{id}")), "Version": customer,
        "MaxEntries": customer.map(|_| 10), "Tags": [],
    });
    answers.list(&place, "ec2_describe-managed-prefix-lists", json);
    if let Some(entries) = entries {
        let entries: Vec<Value> = entries.iter().map(|entry| json!({"Cidr": entry})).collect();
        answers.put(
            &place,
            &format!("ec2_get-managed-prefix-list-entries__{id}"),
            json!({"Entries": entries}),
        );
    }
}
