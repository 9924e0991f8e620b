//! Security groups, from either call that shows their rules (R-SG-3, R-SG-9, R-SG-19).

use std::collections::{BTreeMap, BTreeSet};

use super::context::{Context, Identity};
use super::error::LoadError;
use super::protocol::{Bounds, group_traffic};
use super::record::{Record, Resource, Scoped, share_tags};
use super::value::{Flag, Int, List, Tag, Text, shape};
use crate::snapshot::{GroupPeer, GroupReference, GroupRule, GroupVpcAssociation, SecurityGroup};
use crate::source::Source;
use crate::text::SharedText;
use crate::traffic::Traffic;

shape! {
    /// `DescribeSecurityGroups.SecurityGroups[]`.
    GroupShape<'a> as "a security group" {
        group_id: Text<'a>,
        group_name: Text<'a>,
        vpc_id: Text<'a>,
        owner_id: Text<'a>,
        security_group_arn: Text<'a>,
        ip_permissions: Option<List<PermissionShape<'a>>>,
        ip_permissions_egress: Option<List<PermissionShape<'a>>>,
        tags: List<Tag<'a>>,
    }
}

shape! {
    /// `IpPermissions[]`.
    PermissionShape<'a> as "a permission" {
        ip_protocol: Text<'a>,
        from_port: Int,
        to_port: Int,
        ip_ranges: List<RangeShape<'a>>,
        ipv6_ranges: List<RangeShape<'a>>,
        prefix_list_ids: List<ListIdShape<'a>>,
        user_id_group_pairs: List<PairShape<'a>>,
    }
}

shape! {
    /// `IpRanges[]` and `Ipv6Ranges[]`.
    RangeShape<'a> as "an address range" { cidr_ip: Text<'a>, cidr_ipv6: Text<'a>, }
}

shape! {
    /// `PrefixListIds[]`.
    ListIdShape<'a> as "a prefix list reference" { prefix_list_id: Text<'a>, }
}

shape! {
    /// `UserIdGroupPairs[]` and `ReferencedGroupInfo`.
    PairShape<'a> as "a group reference" {
        group_id: Text<'a>,
        user_id: Text<'a>,
        peering_status: Text<'a>,
        vpc_peering_connection_id: Text<'a>,
    }
}

shape! {
    /// `DescribeSecurityGroupRules.SecurityGroupRules[]`.
    RuleShape<'a> as "a security group rule" {
        group_id: Text<'a>,
        group_owner_id: Text<'a>,
        is_egress: Flag,
        ip_protocol: Text<'a>,
        from_port: Int,
        to_port: Int,
        cidr_ipv4: Text<'a>,
        cidr_ipv6: Text<'a>,
        prefix_list_id: Text<'a>,
        referenced_group_info: Option<PairShape<'a>>,
    }
}

shape! {
    /// `DescribeSecurityGroupVpcAssociations.SecurityGroupVpcAssociations[]`.
    GroupVpcShape<'a> as "a security group association" { group_id: Text<'a>, vpc_id: Text<'a>, state: Text<'a>, }
}

impl Resource for GroupShape<'_> {
    const ID_FIELD: &'static str = "GroupId";
    fn id(&self) -> &str {
        &self.group_id
    }
    fn owner(&self) -> Option<&str> {
        self.owner_id.shown()
    }
    fn reconcile(&mut self, other: &mut Self) {
        share_tags(&mut self.tags, &mut other.tags);
    }
}

/// The flattened rules of one group, and whether its answer was complete.
#[derive(Debug, Default)]
pub(super) struct Flattened<'a> {
    pub(super) rules: Vec<Record<RuleShape<'a>>>,
    pub(super) truncated: bool,
}

/// Flattened rules by group; a group that the other call does not show gets an entry in `groups`.
pub(super) fn flattened<'a>(
    rules: Vec<Record<RuleShape<'a>>>,
    truncated: impl Fn(&Source) -> bool,
    groups: &mut Vec<Record<GroupShape<'a>>>,
) -> BTreeMap<Box<str>, Flattened<'a>> {
    let mut by_group: BTreeMap<Box<str>, Flattened<'a>> = BTreeMap::new();
    for rule in rules {
        let entry = by_group.entry(Box::from(&*rule.item.group_id)).or_default();
        entry.truncated |= truncated(&rule.source);
        entry.rules.push(rule);
    }
    let described: BTreeSet<Box<str>> = groups.iter().map(|group| Box::from(&*group.item.group_id)).collect();
    for (id, entry) in by_group.iter().filter(|(id, _)| !described.contains(*id)) {
        let Some(first) = entry.rules.first() else { continue };
        let group_id = Text(id.to_string().into());
        let item =
            GroupShape { group_id, owner_id: first.item.group_owner_id.clone(), ..GroupShape::default() };
        groups.push(Record { source: first.source.clone(), item });
    }
    by_group
}

/// Converts a security group.
pub(super) fn group(
    record: Scoped<GroupShape<'_>>,
    flattened: &BTreeMap<Box<str>, Flattened<'_>>,
    context: &mut Context<'_>,
) -> Result<SecurityGroup, LoadError> {
    let Scoped { scope, source, item } = record;
    let ingress = permissions(&item, &source, ("IpPermissions", item.ip_permissions.as_ref()), context)?;
    let egress =
        permissions(&item, &source, ("IpPermissionsEgress", item.ip_permissions_egress.as_ref()), context)?;
    let (ingress, egress) = match flattened.get(&*item.group_id) {
        Some(rules) if !rules.truncated => {
            let (inward, outward) = (direction(rules, false, context)?, direction(rules, true, context)?);
            let shown = ingress.is_some() || egress.is_some();
            let differ = |shown: &Option<Vec<GroupRule>>, other| {
                shown.as_ref().is_some_and(|shown| !same_rules(shown, other))
            };
            if differ(&ingress, &inward) || differ(&egress, &outward) {
                let why =
                    "`describe-security-groups` and `describe-security-group-rules` show other rules of it";
                context.gap(&item.group_id, &source, why);
            }
            if shown { (ingress, egress) } else { (Some(inward), Some(outward)) }
        }
        _ => (ingress, egress),
    };
    Ok(SecurityGroup {
        meta: Identity {
            id: &item.group_id,
            owner: &item.owner_id,
            arn: &item.security_group_arn,
            tags: &item.tags,
        }
        .meta(scope, &source),
        group_name: (&*item.group_name).into(),
        vpc: context.index.vpcs.refer(&item.vpc_id),
        ingress,
        egress,
    })
}

/// R-DATA-5: whether two answers show the same rules, in whatever order.
fn same_rules(left: &[GroupRule], right: &[GroupRule]) -> bool {
    let keys = |rules: &[GroupRule]| -> BTreeSet<(Traffic, String)> {
        rules.iter().map(|rule| (rule.traffic, peer_key(&rule.peer))).collect()
    };
    keys(left) == keys(right)
}

/// What both calls show of a peer alike.
fn peer_key(peer: &GroupPeer) -> String {
    match peer {
        GroupPeer::Group(reference) => format!("{:?}", reference.group),
        peer => format!("{peer:?}"),
    }
}

/// Converts an association of a group with a further VPC.
pub(super) fn vpc_association(shape: &GroupVpcShape<'_>, context: &Context<'_>) -> GroupVpcAssociation {
    GroupVpcAssociation {
        group: context.index.groups.refer(&shape.group_id),
        vpc: context.index.vpcs.refer(&shape.vpc_id),
        state: shape.state.lower(),
    }
}

fn permissions(
    group: &GroupShape<'_>,
    source: &Source,
    (field, list): (&str, Option<&List<PermissionShape<'_>>>),
    context: &mut Context<'_>,
) -> Result<Option<Vec<GroupRule>>, LoadError> {
    let Some(list) = list else { return Ok(None) };
    let mut rules = Vec::new();
    for (at, permission) in list.iter().enumerate() {
        let source = source.below(&format!("/{field}/{at}"));
        let place = (&*group.group_id, &source);
        let bounds = Bounds { from: permission.from_port.0, to: permission.to_port.0 };
        let traffic = group_traffic(place, &permission.ip_protocol, bounds, context)?;
        let index = u32::try_from(at).unwrap_or(u32::MAX);
        for peer in peers(place, permission, context)? {
            rules.push(GroupRule { traffic, peer, index, source: source.clone() });
        }
    }
    Ok(Some(rules))
}

/// All peer entries of a permission: the other half of the cross product of R-SG-3.
fn peers(
    (id, source): (&str, &Source),
    permission: &PermissionShape<'_>,
    context: &mut Context<'_>,
) -> Result<Vec<GroupPeer>, LoadError> {
    let mut peers = Vec::new();
    for (field, ranges) in [("IpRanges", &permission.ip_ranges), ("Ipv6Ranges", &permission.ipv6_ranges)] {
        for (at, range) in ranges.iter().enumerate() {
            let text = range.cidr_ip.shown().or(range.cidr_ipv6.shown());
            peers.push(block((id, &source.below(&format!("/{field}/{at}"))), text, context)?);
        }
    }
    for list in permission.prefix_list_ids.iter() {
        peers.push(GroupPeer::PrefixList(context.index.prefix_lists.refer(&list.prefix_list_id)));
    }
    for pair in permission.user_id_group_pairs.iter() {
        peers.push(pair_peer((id, source), pair, context));
    }
    Ok(peers)
}

fn block(
    (id, source): (&str, &Source),
    text: Option<&str>,
    context: &mut Context<'_>,
) -> Result<GroupPeer, LoadError> {
    let Some(text) = text else {
        context.notice(id, source, "a rule entry shows no block; it may be anyone");
        return Ok(GroupPeer::Unknown);
    };
    Ok(context.rule_block(id, source, text)?.map_or(GroupPeer::Unknown, GroupPeer::Cidr))
}

fn pair_peer((id, source): (&str, &Source), pair: &PairShape<'_>, context: &mut Context<'_>) -> GroupPeer {
    let Some(named) = pair.group_id.shown() else {
        context.notice(id, source, "a group reference shows no id; it may be anyone");
        return GroupPeer::Unknown;
    };
    // Shared groups may read `account/sg-…` (R-SHARE-1).
    let (account, named) = match named.split_once('/') {
        Some((account, named)) => (Some(account), named),
        None => (pair.user_id.shown(), named),
    };
    GroupPeer::Group(GroupReference {
        group: context.index.groups.refer(named),
        account: account.map(SharedText::from),
        peering_status: pair.peering_status.lower(),
        peering: pair.vpc_peering_connection_id.shared(),
    })
}

/// One direction of a group's flattened rules.
fn direction(
    rules: &Flattened<'_>,
    egress: bool,
    context: &mut Context<'_>,
) -> Result<Vec<GroupRule>, LoadError> {
    let mut converted = Vec::new();
    for Record { source, item } in &rules.rules {
        if item.is_egress.0.is_none() {
            return Err(context.error(source, "found no `IsEgress`, expected true or false"));
        }
        if item.is_egress.is_set() == egress {
            let index = u32::try_from(converted.len()).unwrap_or(u32::MAX);
            let (traffic, peer) = flattened_rule((&item.group_id, source), item, context)?;
            converted.push(GroupRule { traffic, peer, index, source: source.clone() });
        }
    }
    Ok(converted)
}

fn flattened_rule(
    (id, source): (&str, &Source),
    rule: &RuleShape<'_>,
    context: &mut Context<'_>,
) -> Result<(Traffic, GroupPeer), LoadError> {
    let bounds = Bounds { from: rule.from_port.0, to: rule.to_port.0 };
    let traffic = group_traffic((id, source), &rule.ip_protocol, bounds, context)?;
    let peer = if let Some(pair) = &rule.referenced_group_info {
        pair_peer((id, source), pair, context)
    } else if let Some(list) = rule.prefix_list_id.shown() {
        GroupPeer::PrefixList(context.index.prefix_lists.refer(list))
    } else {
        block((id, source), rule.cidr_ipv4.shown().or(rule.cidr_ipv6.shown()), context)?
    };
    Ok((traffic, peer))
}
