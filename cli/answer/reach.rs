//! The answer of `reach` as JSON: `reachproof/reach/v1`.

use std::collections::BTreeMap;

use reachproof_engine::name::{sink_name, source_name};
use reachproof_engine::network::Network;
use reachproof_model::flow::{Protocol, Question};
use reachproof_model::policy::protocol_name;
use serde::Serialize;

use super::names::Names;
use super::{GapJson, assumption_names};
use crate::command::flows::{Answered, Flows, Intervals, cidrs};
use crate::command::group::Group;

/// Everything that flows between the ends asked about.
pub struct ReachAnswer<'n> {
    /// What was asked of the flows.
    pub question: Question,
    /// The rows, sorted.
    pub rows: Vec<Row>,
    /// What may be entered and nobody knows the inside of, and what the input lacks.
    pub gaps: Vec<GapJson>,
    /// The names of endpoints.
    pub names: Names<'n>,
}

/// What flows from each of some sources to each of some destinations.
#[derive(Debug)]
pub struct Row {
    /// Ids of the sources, sorted.
    pub from: Vec<String>,
    /// Ids of the destinations, sorted.
    pub to: Vec<String>,
    /// The flows.
    pub flows: Vec<Flows>,
}

impl Row {
    /// The row of a group.
    pub fn of(network: &Network<'_>, group: Group) -> Self {
        let mut from: Vec<_> = group.from.iter().map(|place| source_name(network, *place)).collect();
        let mut to: Vec<_> = group.to.iter().map(|sink| sink_name(network, *sink)).collect();
        from.sort();
        to.sort();
        Self { from, to, flows: group.flows }
    }
}

/// All rows as JSON has them.
#[derive(Debug, Serialize)]
pub struct ReachJson<'a> {
    schema: &'static str,
    question: Question,
    rows: Vec<RowJson<'a>>,
    names: BTreeMap<&'a str, &'a str>,
    gaps: &'a [GapJson],
}

#[derive(Debug, Serialize)]
struct RowJson<'a> {
    from: &'a [String],
    to: &'a [String],
    flows: Vec<FlowsJson>,
}

#[derive(Debug, Serialize)]
struct FlowsJson {
    source: Vec<String>,
    destination: Vec<String>,
    protocol: String,
    source_ports: Intervals,
    ports: Intervals,
    /// Each a range of types and a range of codes.
    icmp: Vec<[(u128, u128); 2]>,
    answered: &'static str,
    certainty: &'static str,
    assumptions: Vec<String>,
}

impl<'a> ReachJson<'a> {
    /// The JSON of an answer.
    pub fn of(answer: &'a ReachAnswer<'_>) -> Self {
        let ids = answer.rows.iter().flat_map(|row| row.from.iter().chain(&row.to));
        let names = ids.filter_map(|id| Some((id.as_str(), answer.names.get(id)?)));
        Self {
            schema: "reachproof/reach/v1",
            question: answer.question,
            rows: answer.rows.iter().map(RowJson::of).collect(),
            names: names.collect(),
            gaps: &answer.gaps,
        }
    }
}

impl<'a> RowJson<'a> {
    fn of(row: &'a Row) -> Self {
        Self { from: &row.from, to: &row.to, flows: row.flows.iter().map(FlowsJson::of).collect() }
    }
}

impl FlowsJson {
    fn of(flows: &Flows) -> Self {
        let ports = flows.has_ports();
        let only = |ranges: &Intervals| if ports { ranges.clone() } else { Vec::new() };
        let types = flows.ports.iter().flat_map(|kind| flows.source_ports.iter().map(|code| [*kind, *code]));
        Self {
            source: cidrs(flows.family, &flows.source),
            destination: cidrs(flows.delivered, &flows.destination),
            protocol: protocols_name(flows.protocols),
            source_ports: only(&flows.source_ports),
            ports: only(&flows.ports),
            icmp: if flows.is_icmp() { types.collect() } else { Vec::new() },
            answered: answered_name(flows.answered),
            certainty: if flows.certain { "reaches" } else { "unknown" },
            assumptions: assumption_names(flows.assumptions),
        }
    }
}

/// A name, or a range of numbers.
pub fn protocols_name(protocols: Option<(Protocol, Protocol)>) -> String {
    match protocols {
        None => "any".to_owned(),
        Some((first, last)) if first == last => protocol_name(first).into_string(),
        Some((first, last)) => format!("{}-{}", first.0, last.0),
    }
}

/// `all`, `some` or `none`.
pub fn answered_name(answered: Answered) -> &'static str {
    match answered {
        Answered::All => "all",
        Answered::Some => "some",
        Answered::None => "none",
    }
}
