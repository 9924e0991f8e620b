//! The answer of `reach`: `reachproof/reach/v1`, and its lines for people.

use std::fmt::Write;

use reachproof_engine::header::Family;
use reachproof_model::flow::{Protocol, Question};
use reachproof_model::policy::protocol_name;
use serde::Serialize;

use super::GapJson;
use crate::command::flows::{Answered, Flows, cidrs};
use crate::style::{Style, visible};

/// All rows as JSON has them.
#[derive(Debug, Serialize)]
pub struct ReachJson {
    schema: &'static str,
    question: Question,
    rows: Vec<RowJson>,
    gaps: Vec<GapJson>,
}

/// What flows from some sources to some destinations.
#[derive(Debug, Serialize)]
pub struct RowJson {
    from: Vec<String>,
    to: Vec<String>,
    flows: Vec<FlowsJson>,
}

#[derive(Debug, Serialize)]
struct FlowsJson {
    source: Vec<String>,
    destination: Vec<String>,
    protocol: String,
    source_ports: Vec<(u128, u128)>,
    ports: Vec<(u128, u128)>,
    /// Each a range of types and a range of codes.
    icmp: Vec<[(u128, u128); 2]>,
    answered: &'static str,
    certainty: &'static str,
    assumptions: Vec<String>,
}

impl ReachJson {
    /// The JSON of all rows.
    pub fn of(question: Question, rows: Vec<RowJson>, gaps: Vec<GapJson>) -> Self {
        Self { schema: "reachproof/reach/v1", question, rows, gaps }
    }

    /// One line for every set of flows.
    pub fn text(&self, style: Style) -> String {
        let mut text = format!("{} rows, {} gaps\n", self.rows.len(), self.gaps.len());
        for row in &self.rows {
            let ends = format!("{} => {}", row.from.join(", "), row.to.join(", "));
            for flows in &row.flows {
                let _ = writeln!(text, "{} : {}", style.strong(&visible(&ends)), flows.text());
            }
        }
        for gap in &self.gaps {
            let _ = writeln!(text, "gap, and what comes out of it is in no row: {}", visible(&gap.why));
        }
        text
    }
}

impl RowJson {
    /// A row between two places.
    pub fn of(from: String, to: String, flows: &[Flows]) -> Self {
        Self { from: vec![from], to: vec![to], flows: flows.iter().map(FlowsJson::of).collect() }
    }
}

impl FlowsJson {
    fn of(flows: &Flows) -> Self {
        let ports = flows.protocols.is_none_or(|(first, _)| first.has_ports());
        let only = |ranges: &Vec<(u128, u128)>| if ports { ranges.clone() } else { Vec::new() };
        let types = flows.ports.iter().flat_map(|kind| flows.source_ports.iter().map(|code| [*kind, *code]));
        let icmp = flows.protocols.is_some_and(|(first, _)| first.is_icmp());
        Self {
            source: cidrs(flows.family, &flows.source),
            destination: cidrs(delivered_family(flows), &flows.destination),
            protocol: protocols_name(flows.protocols),
            source_ports: only(&flows.source_ports),
            ports: only(&flows.ports),
            icmp: if icmp { types.collect() } else { Vec::new() },
            answered: answered_name(flows.answered),
            certainty: if flows.certain { "reaches" } else { "unknown" },
            assumptions: Vec::new(),
        }
    }

    fn text(&self) -> String {
        let mut text = self.protocol.clone();
        if !self.ports.is_empty() && self.ports != [(0, 65535)] {
            let _ = write!(text, " {}", ranges(&self.ports));
        }
        for [kind, code] in self.icmp.iter().filter(|[kind, code]| (*kind, *code) != ((0, 255), (0, 255))) {
            let _ = write!(text, " type {} code {}", range(*kind), range(*code));
        }
        let _ = write!(text, " from {}", blocks(&self.source));
        if !self.source_ports.is_empty() && self.source_ports != [(0, 65535)] {
            let _ = write!(text, " ports {}", ranges(&self.source_ports));
        }
        let unknown = if self.certainty == "unknown" { ", unknown" } else { "" };
        let _ = write!(text, " to {} [answered: {}{unknown}]", blocks(&self.destination), self.answered);
        text
    }
}

/// A name, or a range of numbers.
fn protocols_name(protocols: Option<(Protocol, Protocol)>) -> String {
    match protocols {
        None => "any".to_owned(),
        Some((first, last)) if first == last => protocol_name(first).into_string(),
        Some((first, last)) => format!("{}-{}", first.0, last.0),
    }
}

/// Blocks shown to people before a list is cut short; JSON has them all.
const SHOWN: usize = 4;

fn blocks(blocks: &[String]) -> String {
    let shown: Vec<&str> = blocks.iter().take(SHOWN).map(String::as_str).collect();
    let more = blocks.len().saturating_sub(SHOWN);
    let rest = if more > 0 { format!(" and {more} more blocks") } else { String::new() };
    shown.join(",") + &rest
}

/// R-NAT-8: a header sent to an IPv6 address may be delivered to an IPv4 one.
fn delivered_family(flows: &Flows) -> Family {
    let in_v4 = |(_, hi): &(u128, u128)| *hi <= Family::V4.greatest_address();
    if flows.rewritten && flows.destination.iter().all(in_v4) { Family::V4 } else { flows.family }
}

fn ranges(ranges: &[(u128, u128)]) -> String {
    let texts: Vec<String> = ranges.iter().map(|one| range(*one)).collect();
    texts.join(",")
}

fn range((lo, hi): (u128, u128)) -> String {
    if lo == hi { lo.to_string() } else { format!("{lo}-{hi}") }
}

fn answered_name(answered: Answered) -> &'static str {
    match answered {
        Answered::All => "all",
        Answered::Some => "some",
        Answered::None => "none",
    }
}
