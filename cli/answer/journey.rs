//! The journey of one packet: `reachproof/trace/v1`, and its lines for people.

use std::fmt::Write;

use reachproof_engine::evidence::{Disposition, Hop, HopKind, Outcome, Trace, TraceVerdict, Walk};
use reachproof_engine::network::Network;
use reachproof_model::flow::Question;
use serde::Serialize;

use super::names::Names;
use super::{GapJson, HeaderJson, assumption_names, component_gap, gaps, header_text, source_text};
use crate::exit::Exit;
use crate::style::{Style, visible};

/// A trace as JSON has it.
#[derive(Debug, Serialize)]
pub struct TraceJson {
    schema: &'static str,
    verdict: &'static str,
    question: Question,
    flow: HeaderJson,
    forward: WalkJson,
    #[serde(rename = "return")]
    reply: Option<WalkJson>,
    assumptions: Vec<String>,
    gaps: Vec<GapJson>,
}

#[derive(Debug, Serialize)]
struct WalkJson {
    disposition: &'static str,
    hops: Vec<HopJson>,
}

#[derive(Debug, Serialize)]
struct HopJson {
    node: Box<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Box<str>>,
    kind: &'static str,
    decisions: Vec<DecisionJson>,
    header: HeaderJson,
}

#[derive(Debug, Serialize)]
struct DecisionJson {
    rule: &'static str,
    verdict: &'static str,
    by: Box<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
}

impl TraceJson {
    /// The JSON of a trace.
    pub fn of(network: &Network<'_>, names: &Names<'_>, trace: &Trace) -> Self {
        Self {
            schema: "reachproof/trace/v1",
            verdict: verdict_name(trace.verdict),
            question: trace.question,
            flow: HeaderJson::of(&trace.flow),
            forward: WalkJson::of(network, names, &trace.forward),
            reply: trace.reply.as_ref().map(|walk| WalkJson::of(network, names, walk)),
            assumptions: assumption_names(trace.assumptions),
            gaps: trace_gaps(network, trace),
        }
    }
}

/// The components that decided, then the other reasons.
fn trace_gaps(network: &Network<'_>, trace: &Trace) -> Vec<GapJson> {
    let mut rows: Vec<_> = trace.components.iter().map(|id| component_gap(network, *id)).collect();
    let told: Vec<_> = rows.iter().map(|(_, why)| why.clone()).collect();
    let further = trace.reasons.iter().filter(|reason| !told.contains(reason));
    rows.extend(further.map(|reason| ("snapshot".into(), reason.clone())));
    gaps(rows)
}

impl WalkJson {
    fn of(network: &Network<'_>, names: &Names<'_>, walk: &Walk) -> Self {
        let hops = walk.hops.iter().map(|hop| HopJson::of(network, names, hop)).collect();
        Self { disposition: disposition_name(walk.disposition), hops }
    }
}

impl HopJson {
    fn of(network: &Network<'_>, names: &Names<'_>, hop: &Hop) -> Self {
        let decisions = hop.decisions.iter().map(|decision| DecisionJson {
            rule: decision.rule,
            verdict: outcome_name(decision.outcome),
            by: decision.by.clone(),
            source: decision.source.as_ref().map(|source| source_text(network, source)),
        });
        Self {
            node: hop.node.clone(),
            name: names.get(&hop.node).map(Into::into),
            kind: kind_name(hop.kind),
            decisions: decisions.collect(),
            header: HeaderJson::of(&hop.header),
        }
    }
}

/// How a trace ends the command.
pub fn exit(verdict: TraceVerdict) -> Exit {
    match verdict {
        TraceVerdict::Reaches => Exit::Holds,
        TraceVerdict::Blocked => Exit::Violated,
        TraceVerdict::Unknown => Exit::Unknown,
    }
}

/// A trace for people: the answer first, then the way, then what the answer rests on.
pub fn text(network: &Network<'_>, names: &Names<'_>, trace: &Trace, style: Style) -> String {
    let verdict = verdict_name(trace.verdict);
    let painted = match trace.verdict {
        TraceVerdict::Reaches => style.good(verdict),
        TraceVerdict::Blocked => style.bad(verdict),
        TraceVerdict::Unknown => style.unsure(verdict),
    };
    let mut text = format!("{painted}: {}\n", header_text(&trace.flow));
    text.push_str(&walks_text(network, names, trace, style, "  "));
    for gap in trace_gaps(network, trace) {
        let _ = writeln!(text, "  gap {}", visible(&gap.why));
    }
    for assumption in trace.assumptions.iter() {
        let _ = writeln!(text, "  assuming A-{}: {}", assumption.0, assumption.summary());
    }
    text
}

/// The hops of both directions, in aligned columns.
pub fn walks_text(
    network: &Network<'_>,
    names: &Names<'_>,
    trace: &Trace,
    style: Style,
    indent: &str,
) -> String {
    let walks = [("forward", Some(&trace.forward)), ("return", trace.reply.as_ref())];
    let mut text = String::new();
    for (name, walk) in walks {
        let Some(walk) = walk else { continue };
        let heading = format!("{name}: {}", disposition_name(walk.disposition));
        let _ = writeln!(text, "{indent}{}", style.strong(&heading));
        for line in aligned(&hop_rows(network, names, walk)) {
            let _ = writeln!(text, "{indent}  {line}");
        }
    }
    text
}

/// node, kind, rule, outcome, by, place; one row a decision, one for a hop without any.
fn hop_rows(network: &Network<'_>, names: &Names<'_>, walk: &Walk) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for hop in &walk.hops {
        let (mut node, mut kind) = (names.shown(&hop.node), kind_name(hop.kind).to_owned());
        if hop.decisions.is_empty() {
            rows.push(vec![node, kind]);
            continue;
        }
        for decision in &hop.decisions {
            let place = decision.source.as_ref().map(|source| source_text(network, source));
            rows.push(vec![
                std::mem::take(&mut node),
                std::mem::take(&mut kind),
                decision.rule.to_owned(),
                outcome_name(decision.outcome).to_owned(),
                visible(&decision.by).into_owned(),
                visible(&place.unwrap_or_default()).into_owned(),
            ]);
        }
    }
    rows
}

/// Rows as lines whose columns are aligned, without trailing spaces.
fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row: &Vec<String>| row.get(column));
        cells.map(|cell: &String| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

fn verdict_name(verdict: TraceVerdict) -> &'static str {
    match verdict {
        TraceVerdict::Reaches => "reaches",
        TraceVerdict::Blocked => "blocked",
        TraceVerdict::Unknown => "unknown",
    }
}

/// `permit`, `deny` and so on.
pub fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Permit => "permit",
        Outcome::Deny => "deny",
        Outcome::Forward => "forward",
        Outcome::Rewrite => "rewrite",
        Outcome::Unknown => "unknown",
    }
}

fn disposition_name(disposition: Disposition) -> &'static str {
    match disposition {
        Disposition::Delivered => "delivered",
        Disposition::Exits => "exits",
        Disposition::DeniedIn => "denied-in",
        Disposition::DeniedOut => "denied-out",
        Disposition::NoRoute => "no-route",
        Disposition::Blackhole => "blackhole",
        Disposition::Dropped => "dropped",
        Disposition::Loop => "loop",
        Disposition::Unknown => "unknown",
    }
}

fn kind_name(kind: HopKind) -> &'static str {
    match kind {
        HopKind::Interface => "interface",
        HopKind::Subnet => "subnet",
        HopKind::RouteTable => "route-table",
        HopKind::Vpc => "vpc",
        HopKind::InternetGateway => "internet-gateway",
        HopKind::EgressOnlyGateway => "egress-only-internet-gateway",
        HopKind::VirtualGateway => "virtual-private-gateway",
        HopKind::NatGateway => "nat-gateway",
        HopKind::Endpoint => "endpoint",
        HopKind::Peering => "peering",
        HopKind::Attachment => "attachment",
        HopKind::TransitGateway => "transit-gateway",
        HopKind::TransitGatewayTable => "transit-gateway-table",
        HopKind::Internet => "internet",
        HopKind::Outside => "outside",
        HopKind::Component => "component",
        HopKind::Infrastructure => "infrastructure",
    }
}
