//! Transit gateway policy tables (R-TGW-12).

use ipnet::IpNet;

use super::context::{Context, Identity};
use super::error::LoadError;
use super::record::{Answer, Resource, Scoped, share_tags};
use super::value::{List, Tag, Text, shape};
use crate::flow::Protocol;
use crate::snapshot::{PolicyEntry, PolicyTable};
use crate::source::Source;

shape! {
    /// `DescribeTransitGatewayPolicyTables.TransitGatewayPolicyTables[]`.
    PolicyTableShape<'a> as "a transit gateway policy table" {
        transit_gateway_policy_table_id: Text<'a>,
        transit_gateway_id: Text<'a>,
        tags: List<Tag<'a>>,
    }
}

shape! {
    /// `GetTransitGatewayPolicyTableEntries.TransitGatewayPolicyTableEntries[]`.
    PolicyEntryShape<'a> as "a policy table entry" {
        policy_rule_number: Text<'a>,
        policy_rule: Option<PolicyRuleShape<'a>>,
        target_route_table_id: Text<'a>,
    }
}

shape! {
    /// `PolicyRule`.
    PolicyRuleShape<'a> as "a policy rule" {
        source_cidr_block: Text<'a>,
        source_port_range: Text<'a>,
        destination_cidr_block: Text<'a>,
        destination_port_range: Text<'a>,
        protocol: Text<'a>,
        meta_data: Option<serde::de::IgnoredAny>,
    }
}

impl Resource for PolicyTableShape<'_> {
    const ID_FIELD: &'static str = "TransitGatewayPolicyTableId";
    fn id(&self) -> &str {
        &self.transit_gateway_policy_table_id
    }
    fn reconcile(&mut self, other: &mut Self) {
        share_tags(&mut self.tags, &mut other.tags);
    }
}

/// Converts a policy table; its entries are unknown unless a complete answer lists them.
pub(super) fn policy_table(
    record: Scoped<PolicyTableShape<'_>>,
    answers: &[Answer<PolicyEntryShape<'_>>],
    context: &mut Context<'_>,
) -> Result<PolicyTable, LoadError> {
    let Scoped { scope, source, item } = record;
    let own: Vec<_> = answers.iter().filter(|answer| *answer.parent == *item.id()).collect();
    let complete = own.iter().any(|answer| !answer.truncated);
    let mut entries = Vec::new();
    for answer in own {
        for (index, shape) in answer.items.iter().enumerate() {
            entries.push(entry(shape, answer.source.below(&format!("/{index}")), context));
        }
    }
    // System entries, numbered `*`, come first.
    entries.sort_by_key(|entry| entry.number.parse::<u64>().ok());
    Ok(PolicyTable {
        meta: Identity {
            id: &item.transit_gateway_policy_table_id,
            owner: &Text::default(),
            arn: &Text::default(),
            tags: &item.tags,
        }
        .meta(scope, &source),
        tgw: context.index.transit_gateways.refer(&item.transit_gateway_id),
        entries: complete.then_some(entries),
    })
}

/// Whether a match could not be read.
#[derive(Default)]
struct Unreadable(bool);

impl Unreadable {
    /// `None` for any; sets the mark if the text is neither that nor a value.
    fn read<T>(&mut self, text: &Text<'_>, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let text = text.shown().filter(|text| !matches!(*text, "*" | "-1" | "any" | "all"))?;
        let value = parse(text);
        self.0 |= value.is_none();
        value
    }
}

fn entry(shape: &PolicyEntryShape<'_>, source: Source, context: &Context<'_>) -> PolicyEntry {
    let mut unreadable = Unreadable::default();
    let empty = PolicyRuleShape::default();
    let rule = shape.policy_rule.as_ref().unwrap_or(&empty);
    let sources = unreadable.read(&rule.source_cidr_block, block);
    let destinations = unreadable.read(&rule.destination_cidr_block, block);
    let source_ports = unreadable.read(&rule.source_port_range, ports);
    let ports = unreadable.read(&rule.destination_port_range, ports);
    let protocol = unreadable.read(&rule.protocol, protocol);
    PolicyEntry {
        number: (&*shape.policy_rule_number).into(),
        sources,
        destinations,
        source_ports,
        ports,
        protocol,
        table: context.index.tgw_tables.refer(&shape.target_route_table_id),
        unreadable: unreadable.0 || rule.meta_data.is_some() || shape.policy_rule.is_none(),
        source,
    }
}

fn block(text: &str) -> Option<IpNet> {
    text.parse().ok().filter(|block: &IpNet| block.trunc() == *block)
}

fn ports(text: &str) -> Option<(u16, u16)> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let range = (from.trim().parse().ok()?, to.trim().parse().ok()?);
    (range.0 <= range.1).then_some(range)
}

fn protocol(text: &str) -> Option<Protocol> {
    match text.to_ascii_lowercase().as_str() {
        "tcp" => Some(Protocol::TCP),
        "udp" => Some(Protocol::UDP),
        "icmp" => Some(Protocol::ICMP),
        "icmpv6" => Some(Protocol::ICMPV6),
        number => number.parse().ok().map(Protocol),
    }
}
