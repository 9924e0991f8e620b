//! The answer of `check` as SARIF 2.1.0, for code scanning: a rule for each property, an error for each way in which one
//! is violated, a warning for each in which it may be, with the way hop by hop as a code flow.

use std::collections::BTreeMap;

use reachproof_engine::check::{PropertyReport, Verdict, Witness};
use reachproof_engine::evidence::{Decision, Hop, Trace, TraceVerdict};
use reachproof_model::ingest::Input;
use reachproof_model::policy::{FilePlace, Property};
use reachproof_model::source::Source;
use serde::Serialize;

use super::check::{Checked, footer, sentence, witness_title};
use super::journey::outcome_name;
use crate::locate;
use crate::style::visible;

/// The input files, to find lines in.
pub struct Files {
    /// What to put before the name of a file, so that it can be found from where the command ran.
    pub prefix: String,
    /// The files.
    pub inputs: Vec<Input>,
}

/// The whole log.
#[derive(Debug, Serialize)]
pub struct Log {
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    column_kind: &'static str,
    results: Vec<Finding>,
}

#[derive(Debug, Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Debug, Serialize)]
struct Driver {
    name: &'static str,
    version: &'static str,
    rules: Vec<Rule>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: Box<str>,
    short_description: Message,
    help: Message,
    properties: RuleProperties,
}

#[derive(Debug, Serialize)]
struct RuleProperties {
    tags: Vec<Box<str>>,
    #[serde(rename = "security-severity", skip_serializing_if = "Option::is_none")]
    security_severity: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Message {
    text: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    rule_id: Box<str>,
    rule_index: usize,
    level: &'static str,
    message: Message,
    locations: Vec<Location>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    code_flows: Vec<CodeFlow>,
    partial_fingerprints: BTreeMap<&'static str, String>,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    physical_location: Option<PhysicalLocation>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logical_locations: Vec<LogicalLocation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

#[derive(Debug, Serialize)]
struct ArtifactLocation {
    uri: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    fully_qualified_name: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CodeFlow {
    thread_flows: [ThreadFlow; 1],
}

#[derive(Debug, Serialize)]
struct ThreadFlow {
    locations: Vec<Step>,
}

#[derive(Debug, Serialize)]
struct Step {
    location: Location,
}

/// Makes the log.
pub fn log(checked: Checked<'_, '_>, files: &Files) -> Log {
    let render = Render { checked, files };
    let rows = || checked.policy.properties.iter().zip(checked.reports).enumerate();
    let driver = Driver {
        name: "reachproof",
        version: env!("CARGO_PKG_VERSION"),
        rules: rows().map(|(_, (_, report))| rule(report)).collect(),
    };
    let results = rows().flat_map(|(index, (property, report))| render.findings(index, property, report));
    let results = results.collect();
    let run = Run { tool: Tool { driver }, column_kind: "utf16CodeUnits", results };
    Log { version: "2.1.0", runs: [run] }
}

fn rule(report: &PropertyReport) -> Rule {
    let why = report.why.as_deref().unwrap_or(&report.name);
    let tags = std::iter::once("security".into()).chain(report.controls.iter().cloned());
    Rule {
        id: report.name.clone(),
        short_description: Message { text: visible(why).into_owned() },
        help: Message { text: format!("{}\n{}", sentence(report), footer(report)) },
        properties: RuleProperties {
            tags: tags.collect(),
            security_severity: report.severity.map(security_severity),
        },
    }
}

/// The number that code scanning sorts by, within the band of the word.
fn security_severity(name: &str) -> &'static str {
    match name {
        "critical" => "9.5",
        "high" => "8.0",
        "medium" => "5.5",
        "low" => "2.0",
        _ => "0.0",
    }
}

struct Render<'a, 's> {
    checked: Checked<'a, 's>,
    files: &'a Files,
}

impl Render<'_, '_> {
    /// One result for each witness; one for a property that fails without any.
    fn findings(&self, index: usize, property: &Property, report: &PropertyReport) -> Vec<Finding> {
        let level = match report.verdict {
            Verdict::Holds => return Vec::new(),
            Verdict::Violated => "error",
            Verdict::Unknown => "warning",
        };
        let finding = |witness: Option<&Witness>| {
            let title = witness.map(|witness| witness_title(self.checked.names, witness));
            let text = std::iter::once(sentence(report)).chain(title).collect::<Vec<_>>().join(": ");
            let deciding = witness.and_then(|witness| self.deciding(&witness.trace));
            let ends = witness.map_or_else(String::new, |one| format!(":{}:{}", one.from, one.to));
            Finding {
                rule_id: report.name.clone(),
                rule_index: index,
                level,
                message: Message { text },
                locations: vec![placed(deciding, &property.place)],
                code_flows: witness.map(|witness| self.way(&witness.trace)).into_iter().collect(),
                partial_fingerprints: BTreeMap::from([("ends/v1", format!("{}{ends}", report.name))]),
            }
        };
        match report.witnesses.as_slice() {
            [] => vec![finding(None)],
            witnesses => witnesses.iter().map(|witness| finding(Some(witness))).collect(),
        }
    }

    /// Where the last rule of the way stands: the one that let the packet in, or that stopped it or its reply.
    fn deciding(&self, trace: &Trace) -> Option<Location> {
        let stopped = trace.reply.as_ref().filter(|_| trace.verdict == TraceVerdict::Blocked);
        let walk = stopped.unwrap_or(&trace.forward);
        let sources = walk.hops.iter().rev().flat_map(|hop| hop.decisions.iter().rev());
        let source = sources.filter_map(|decision| decision.source.as_ref()).next()?;
        let physical_location = self.physical(source);
        Some(Location { physical_location, logical_locations: vec![self.pointer(source)], message: None })
    }

    /// The whole way, there and back, a step for each decision and for each hop without one.
    fn way(&self, trace: &Trace) -> CodeFlow {
        let walks = std::iter::once(&trace.forward).chain(&trace.reply);
        let steps = walks.flat_map(|walk| &walk.hops).flat_map(|hop| self.steps(hop));
        CodeFlow { thread_flows: [ThreadFlow { locations: steps.collect() }] }
    }

    fn steps(&self, hop: &Hop) -> Vec<Step> {
        let node = self.checked.names.shown(&hop.node);
        if hop.decisions.is_empty() {
            let message = Some(Message { text: node });
            return vec![Step { location: Location { message, ..Location::default() } }];
        }
        let step = |decision: &Decision| {
            let (rule, outcome, by) = (decision.rule, outcome_name(decision.outcome), visible(&decision.by));
            let source = decision.source.as_ref();
            Step {
                location: Location {
                    physical_location: source.and_then(|source| self.physical(source)),
                    logical_locations: source.map(|source| self.pointer(source)).into_iter().collect(),
                    message: Some(Message { text: format!("{node}: {rule} {outcome}: {by}") }),
                },
            }
        };
        hop.decisions.iter().map(step).collect()
    }

    /// The file and the line; `None` where a scenario or a compiled snapshot stands for files.
    fn physical(&self, source: &Source) -> Option<PhysicalLocation> {
        let name = self.checked.network.snapshot.files.get(source.file)?;
        let input = self.files.inputs.iter().find(|input| *input.name == **name)?;
        let line =
            std::str::from_utf8(&input.bytes).ok().and_then(|json| locate::line(json, &source.pointer));
        Some(at(&format!("{}{name}", self.files.prefix), line.unwrap_or(1)))
    }

    fn pointer(&self, source: &Source) -> LogicalLocation {
        let fully_qualified_name = super::source_text(self.checked.network, source);
        LogicalLocation { fully_qualified_name }
    }
}

/// Where a result is shown: at the deciding rule, or at the property where that stands in no file that was read.
fn placed(deciding: Option<Location>, property: &FilePlace) -> Location {
    let mut location = deciding.unwrap_or_default();
    if location.physical_location.is_none() {
        location.physical_location = policy_location(property).physical_location;
    }
    location
}

fn policy_location(place: &FilePlace) -> Location {
    let line = usize::try_from(place.place.line).unwrap_or(1).max(1);
    Location { physical_location: Some(at(&place.file, line)), ..Location::default() }
}

fn at(file: &str, start_line: usize) -> PhysicalLocation {
    let artifact_location = ArtifactLocation { uri: uri(file) };
    PhysicalLocation { artifact_location, region: Region { start_line } }
}

/// A path as a relative reference (RFC 3986).
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.replace('\\', "/").bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_reference() {
        assert_eq!(uri("a/b-1.json"), "a/b-1.json");
        assert_eq!(uri("a b:ü"), "a%20b%3A%C3%BC");
        assert_eq!(uri("a\\b"), "a/b");
    }
}
