//! Network ACLs (R-NACL-1 to R-NACL-4).

use super::context::{Context, Identity};
use super::error::LoadError;
use super::protocol::{Bounds, acl_traffic};
use super::record::{Resource, Scoped, share_tags};
use super::value::{Flag, Int, List, Tag, Text, shape};
use crate::snapshot::{Acl, AclEntry, Action};
use crate::source::Source;

shape! {
    /// `DescribeNetworkAcls.NetworkAcls[]`.
    AclShape<'a> as "a network ACL" {
        network_acl_id: Text<'a>,
        vpc_id: Text<'a>,
        owner_id: Text<'a>,
        is_default: Flag,
        associations: List<AclAssociationShape<'a>>,
        entries: Option<List<EntryShape<'a>>>,
        tags: List<Tag<'a>>,
    }
}

shape! {
    /// `NetworkAcls[].Associations[]`.
    AclAssociationShape<'a> as "a network ACL association" { subnet_id: Text<'a>, network_acl_id: Text<'a>, }
}

shape! {
    /// `NetworkAcls[].Entries[]`.
    EntryShape<'a> as "a network ACL entry" {
        rule_number: Int,
        egress: Flag,
        rule_action: Text<'a>,
        protocol: Text<'a>,
        cidr_block: Text<'a>,
        ipv6_cidr_block: Text<'a>,
        port_range: Option<PortRangeShape<'a>>,
        icmp_type_code: Option<IcmpShape<'a>>,
    }
}

shape! {
    /// `Entries[].PortRange`.
    PortRangeShape<'a> as "a port range" { from: Int, to: Int, }
}

shape! {
    /// `Entries[].IcmpTypeCode`.
    IcmpShape<'a> as "an ICMP type and code" { #[serde(rename = "Type")] kind: Int, code: Int, }
}

impl Resource for AclShape<'_> {
    const ID_FIELD: &'static str = "NetworkAclId";
    fn id(&self) -> &str {
        &self.network_acl_id
    }
    fn owner(&self) -> Option<&str> {
        self.owner_id.shown()
    }
    fn reconcile(&mut self, other: &mut Self) {
        share_tags(&mut self.tags, &mut other.tags);
    }
}

/// Converts a network ACL.
pub(super) fn acl(record: Scoped<AclShape<'_>>, context: &mut Context<'_>) -> Result<Acl, LoadError> {
    let Scoped { scope, source, item } = record;
    if item.entries.is_none() {
        context.gap(&item.network_acl_id, &source, "shows no `Entries`; they may allow or deny anything");
    }
    let shapes = item.entries.as_ref().map_or(&[][..], |list| list);
    let mut entries = Vec::with_capacity(shapes.len());
    for (index, shape) in shapes.iter().enumerate() {
        entries.push(entry(
            &item.network_acl_id,
            shape,
            source.below(&format!("/Entries/{index}")),
            context,
        )?);
    }
    entries.sort_by_key(|entry| (entry.egress, entry.number));
    if let Some(number) = disputed(&entries) {
        let why = format!("two entries have the number {number}; which of them decides cannot be told");
        context.gap(&item.network_acl_id, &source, why);
    }
    let subnets = item.associations.iter().filter_map(|association| association.subnet_id.shown());
    Ok(Acl {
        meta: Identity {
            id: &item.network_acl_id,
            owner: &item.owner_id,
            arn: &Text::default(),
            tags: &item.tags,
        }
        .meta(scope, &source),
        vpc: context.index.vpcs.refer(&item.vpc_id),
        is_default: item.is_default.is_set(),
        subnets: subnets.map(|id| context.index.subnets.refer(id)).collect(),
        entries,
    })
}

/// R-NACL-2, R-DATA-5: a number that several entries of one direction have, whose order would make a difference.
fn disputed(entries: &[AclEntry]) -> Option<u32> {
    let apart = |left: &AclEntry, right: &AclEntry| match (left.cidr, right.cidr) {
        (Some(left), Some(right)) => left.addr().is_ipv4() != right.addr().is_ipv4(),
        _ => false,
    };
    let disputed = |(at, entry): (usize, &AclEntry)| {
        let later = entries.iter().skip(at + 1);
        let mut same = later.take_while(|other| (other.egress, other.number) == (entry.egress, entry.number));
        same.any(|other| other.action != entry.action && !apart(entry, other)).then_some(entry.number)
    };
    entries.iter().enumerate().find_map(disputed)
}

/// R-NACL-14: one entry as it is read; none is assumed.
fn entry(
    id: &str,
    shape: &EntryShape<'_>,
    source: Source,
    context: &mut Context<'_>,
) -> Result<AclEntry, LoadError> {
    let Some(number) = shape.rule_number.0.and_then(|number| u32::try_from(number).ok()) else {
        return Err(context.error(&source, "found no usable `RuleNumber`, expected 1 to 32768"));
    };
    let Some(egress) = shape.egress.0 else {
        return Err(context.error(&source, "found no `Egress`, expected true or false"));
    };
    let range = shape.port_range.as_ref().map(|range| Bounds { from: range.from.0, to: range.to.0 });
    let icmp = shape.icmp_type_code.as_ref().map(|icmp| Bounds { from: icmp.kind.0, to: icmp.code.0 });
    let cidr = match shape.cidr_block.shown().or(shape.ipv6_cidr_block.shown()) {
        Some(text) => context.rule_block(id, &source, text)?,
        None => {
            context.notice(id, &source, "the entry shows no block; it may match any address");
            None
        }
    };
    Ok(AclEntry {
        number,
        egress,
        action: action(id, shape, &source, context),
        cidr,
        traffic: acl_traffic((id, &source), &shape.protocol, (range, icmp), context)?,
        source,
    })
}

fn action(id: &str, shape: &EntryShape<'_>, source: &Source, context: &mut Context<'_>) -> Action {
    if shape.rule_action.is("allow") {
        Action::Allow
    } else if shape.rule_action.is("deny") {
        Action::Deny
    } else {
        context.notice(
            id,
            source,
            format!("unknown action `{}`; the entry may allow or deny", &*shape.rule_action),
        );
        Action::Unknown
    }
}
