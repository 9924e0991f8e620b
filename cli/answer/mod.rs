//! Answers as data: what `--format json` prints, and the same for people.

pub mod check;
pub mod journey;
pub mod junit;
pub mod markdown;
pub mod names;
pub mod reach;
pub mod rows;
pub mod sarif;

use reachproof_engine::network::Network;
use reachproof_model::assumption::Assumptions;
use reachproof_model::flow::{Flow, Protocol};
use reachproof_model::id::ComponentId;
use reachproof_model::policy::protocol_name;
use reachproof_model::source::Source;
use serde::Serialize;

use crate::exit::Failure;

/// One header as JSON has it: ICMP has a type and a code instead of ports.
#[derive(Debug, Serialize)]
pub struct HeaderJson {
    source: String,
    destination: String,
    protocol: Box<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icmp_type: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icmp_code: Option<u16>,
}

impl HeaderJson {
    /// The JSON of a flow.
    pub fn of(flow: &Flow) -> Self {
        let (ports, icmp) = (flow.protocol.has_ports(), flow.protocol.is_icmp());
        Self {
            source: flow.source.to_string(),
            destination: flow.destination.to_string(),
            protocol: protocol_name(flow.protocol),
            source_port: ports.then_some(flow.source_port),
            port: ports.then_some(flow.port),
            icmp_type: icmp.then_some(flow.port),
            icmp_code: icmp.then_some(flow.source_port),
        }
    }
}

/// One header in a line: `tcp 10.0.0.10:49152 -> 10.0.1.10:443`.
pub fn header_text(flow: &Flow) -> String {
    let name = protocol_name(flow.protocol);
    let (source, destination) = (flow.source, flow.destination);
    match flow.protocol {
        Protocol::TCP | Protocol::UDP => {
            let from = std::net::SocketAddr::new(source, flow.source_port);
            let to = std::net::SocketAddr::new(destination, flow.port);
            format!("{name} {from} -> {to}")
        }
        protocol if protocol.is_icmp() => {
            format!("{name} {source} -> {destination} type {} code {}", flow.port, flow.source_port)
        }
        _ => format!("protocol {name} {source} -> {destination}"),
    }
}

/// A gap as JSON has it, numbered within one answer.
#[derive(Debug, Serialize)]
pub struct GapJson {
    id: String,
    resource: Box<str>,
    /// Why it is a gap, for people.
    pub why: Box<str>,
}

/// Gaps numbered from 1, in the order given.
pub fn gaps(rows: impl IntoIterator<Item = (Box<str>, Box<str>)>) -> Vec<GapJson> {
    let numbered = rows.into_iter().enumerate();
    numbered
        .map(|(index, (resource, why))| GapJson { id: format!("G-{}", index + 1), resource, why })
        .collect()
}

/// The id of a component and why it is a gap.
pub fn component_gap(network: &Network<'_>, id: ComponentId) -> (Box<str>, Box<str>) {
    let component = &network.components()[id];
    (component.id.clone(), component.why.clone())
}

/// `A-3`, ascending.
pub fn assumption_names(assumptions: Assumptions) -> Vec<String> {
    assumptions.iter().map(|assumption| format!("A-{}", assumption.0)).collect()
}

/// `file#/pointer`.
#[expect(clippy::indexing_slicing, reason = "INVARIANT (snapshot ids dense)")]
pub fn source_text(network: &Network<'_>, source: &Source) -> String {
    let file = &network.snapshot.files[source.file];
    format!("{file}#{}", source.pointer)
}

/// JSON for programs, on several lines.
pub fn pretty(value: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value);
    text.map(|text| text + "\n").map_err(|error| Failure::new(format!("cannot write JSON: {error}")))
}

/// JSON for programs, on one line.
pub fn line(value: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string(value);
    text.map(|text| text + "\n").map_err(|error| Failure::new(format!("cannot write JSON: {error}")))
}
