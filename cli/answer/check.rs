//! The answer of `check`: `reachproof/check/v1`, and its lines for people.

use std::fmt::Write;
use std::path::PathBuf;

use reachproof_engine::check::{Affected, PropertyReport, Verdict, Waived, Witness};
use reachproof_engine::network::Network;
use reachproof_model::certificate::{policy_digest, statement};
use reachproof_model::flow::Question;
use reachproof_model::policy::Policy;
use serde::Serialize;

use super::journey::{TraceJson, walks_text};
use super::names::Names;
use super::{GapJson, assumption_names, gaps, header_text};
use crate::exit::Exit;
use crate::style::{Style, visible};

/// Everything that `check` found, and what it takes to show it.
#[derive(Clone, Copy)]
pub struct Checked<'a, 's> {
    /// The network.
    pub network: &'a Network<'s>,
    /// The names of what is in it.
    pub names: &'a Names<'a>,
    /// The policy.
    pub policy: &'a Policy,
    /// A report for each property, in the order of the policy.
    pub reports: &'a [PropertyReport],
    /// The files of evidence of each, in the same order; empty if none were asked for.
    pub evidence: &'a [Evidence],
}

/// What there is of one property besides the answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Evidence {
    /// A certificate in this file.
    Certificate(PathBuf),
    /// Witnesses in this file.
    Witness(PathBuf),
    /// Nothing, for this reason.
    None(String),
}

/// All answers as JSON has them.
#[derive(Debug, Serialize)]
pub struct CheckJson {
    schema: &'static str,
    snapshot: String,
    properties: Vec<PropertyJson>,
    summary: Summary,
}

/// How many properties have which verdict.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Summary {
    /// Proved ones.
    pub holds: usize,
    /// Refuted ones.
    pub violated: usize,
    /// Those that the snapshot does not decide.
    pub unknown: usize,
}

#[derive(Debug, Serialize)]
struct PropertyJson {
    name: Box<str>,
    form: &'static str,
    verdict: &'static str,
    question: Question,
    why: Option<Box<str>>,
    controls: Vec<Box<str>>,
    severity: Option<&'static str>,
    witnesses: Vec<WitnessJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    witness_file: Option<String>,
    affected: AffectedJson,
    scope: AffectedJson,
    assumptions: Vec<String>,
    notes: Vec<Box<str>>,
    gaps: Vec<GapJson>,
    waived: Vec<WaivedJson>,
}

#[derive(Debug, Serialize)]
struct WitnessJson {
    from: Box<str>,
    to: Box<str>,
    pairs: usize,
    #[serde(flatten)]
    trace: TraceJson,
}

/// The file of a property's witnesses: `reachproof/witness/v1`.
#[derive(Debug, Serialize)]
pub struct WitnessFile {
    schema: &'static str,
    snapshot: String,
    property: Box<str>,
    statement: String,
    policy: String,
    witnesses: Vec<WitnessJson>,
}

impl WitnessFile {
    /// The witnesses of a violated property, with the digests of the snapshot and of the property.
    pub fn of(checked: Checked<'_, '_>, report: &PropertyReport, digest: &str) -> Self {
        let property = checked.policy.properties.iter().find(|property| property.name == report.name);
        let witness = |witness| WitnessJson::of(checked.network, checked.names, witness);
        Self {
            schema: "reachproof/witness/v1",
            snapshot: format!("sha256:{digest}"),
            property: report.name.clone(),
            statement: property.map(statement).unwrap_or_default(),
            policy: format!("sha256:{}", property.map(policy_digest).unwrap_or_default()),
            witnesses: report.witnesses.iter().map(witness).collect(),
        }
    }
}

#[derive(Debug, Serialize)]
struct AffectedJson {
    sources: usize,
    destinations: usize,
    pairs: usize,
}

#[derive(Debug, Serialize)]
struct WaivedJson {
    owner: Box<str>,
    why: Box<str>,
    until: String,
    pairs: usize,
}

impl CheckJson {
    /// The JSON of all reports.
    pub fn of(checked: Checked<'_, '_>) -> Self {
        let Checked { network, reports, evidence, .. } = checked;
        let property = |(at, report)| PropertyJson::of(checked, report, evidence.get(at));
        Self {
            schema: "reachproof/check/v1",
            snapshot: format!("sha256:{}", network.snapshot.digest()),
            properties: reports.iter().enumerate().map(property).collect(),
            summary: Summary::of(reports),
        }
    }
}

impl Summary {
    /// The numbers in words.
    pub fn text(&self) -> String {
        let Self { holds, violated, unknown } = self;
        let verb = if *holds == 1 { "holds" } else { "hold" };
        format!("{holds} {verb}, {violated} violated, {unknown} unknown")
    }

    /// Counts verdicts.
    pub fn of(reports: &[PropertyReport]) -> Self {
        let count = |verdict| reports.iter().filter(|report| report.verdict == verdict).count();
        Self {
            holds: count(Verdict::Holds),
            violated: count(Verdict::Violated),
            unknown: count(Verdict::Unknown),
        }
    }
}

impl PropertyJson {
    fn of(checked: Checked<'_, '_>, report: &PropertyReport, evidence: Option<&Evidence>) -> Self {
        let witness = |witness| WitnessJson::of(checked.network, checked.names, witness);
        let rows = report.gaps.iter().map(|gap| (gap.resource.clone(), gap.why.clone()));
        Self {
            name: report.name.clone(),
            form: report.form,
            verdict: verdict_name(report.verdict),
            question: report.question,
            why: report.why.clone(),
            controls: report.controls.clone(),
            severity: report.severity,
            witnesses: report.witnesses.iter().map(witness).collect(),
            certificate: match evidence {
                Some(Evidence::Certificate(path)) => Some(path.display().to_string()),
                _ => None,
            },
            witness_file: match evidence {
                Some(Evidence::Witness(path)) => Some(path.display().to_string()),
                _ => None,
            },
            affected: AffectedJson::of(report.affected),
            scope: AffectedJson::of(report.scope),
            assumptions: assumption_names(report.assumptions),
            notes: report.notes.clone(),
            gaps: gaps(rows),
            waived: report.waived.iter().map(WaivedJson::of).collect(),
        }
    }
}

impl WitnessJson {
    fn of(network: &Network<'_>, names: &Names<'_>, witness: &Witness) -> Self {
        Self {
            from: witness.from.clone(),
            to: witness.to.clone(),
            pairs: witness.pairs,
            trace: TraceJson::of(network, names, &witness.trace),
        }
    }
}

impl AffectedJson {
    fn of(affected: Affected) -> Self {
        Self { sources: affected.sources, destinations: affected.destinations, pairs: affected.pairs }
    }
}

impl WaivedJson {
    fn of(waived: &Waived) -> Self {
        Self {
            owner: waived.waiver.owner.clone(),
            why: waived.waiver.why.clone(),
            until: waived.waiver.until.to_string(),
            pairs: waived.pairs,
        }
    }
}

/// How the verdicts end the command.
pub fn exit(reports: &[PropertyReport]) -> Exit {
    Exit::worst(reports.iter().map(|report| match report.verdict {
        Verdict::Holds => Exit::Holds,
        Verdict::Violated => Exit::Violated,
        Verdict::Unknown => Exit::Unknown,
    }))
}

/// All answers for people: the counts first, then each property with what decides it.
pub fn text(checked: Checked<'_, '_>, style: Style) -> String {
    let mut text = Summary::of(checked.reports).text() + "\n";
    for (at, report) in checked.reports.iter().enumerate() {
        text.push('\n');
        text.push_str(&property_text(checked, report, style));
        text.push_str(&checked.evidence.get(at).map(evidence_text).unwrap_or_default());
    }
    text
}

/// Where the evidence of a property is.
fn evidence_text(evidence: &Evidence) -> String {
    match evidence {
        Evidence::Certificate(path) => format!("  certificate: {}\n", visible(&path.display().to_string())),
        Evidence::Witness(path) => format!("  witnesses: {}\n", visible(&path.display().to_string())),
        Evidence::None(reason) => format!("  no certificate: {}\n", visible(reason)),
    }
}

/// One answer for people.
pub fn property_text(checked: Checked<'_, '_>, report: &PropertyReport, style: Style) -> String {
    let name = verdict_name(report.verdict);
    let mark = match report.verdict {
        Verdict::Holds => style.good(name),
        Verdict::Violated => style.bad(name),
        Verdict::Unknown => style.unsure(name),
    };
    let title = visible(&report.name);
    let mut text = format!("{mark}  {}: {}\n", style.strong(&title), sentence(report));
    if let Some(why) = &report.why {
        let _ = writeln!(text, "  why: {}", visible(why));
    }
    let (shown, more) = shown(report);
    for witness in shown {
        let _ = writeln!(text, "  {}", witness_title(checked.names, witness));
        text.push_str(&walks_text(checked.network, checked.names, &witness.trace, style, "    "));
    }
    if let Some(more) = more {
        let _ = writeln!(text, "  {more}");
    }
    text + &footer(report)
}

/// Witnesses of one property that people are shown.
const SHOWN: usize = 20;

/// The witnesses that people are shown, and a line about the others.
pub fn shown(report: &PropertyReport) -> (&[Witness], Option<String>) {
    let (shown, others) = report.witnesses.split_at(report.witnesses.len().min(SHOWN));
    let ways = if others.len() == 1 { "way" } else { "ways" };
    let more = || format!("and {} more {ways}: --format json shows all of them", others.len());
    (shown, (!others.is_empty()).then(more))
}

/// `internet => eni-1 (web), 2 pairs: tcp … -> …`.
pub fn witness_title(names: &Names<'_>, witness: &Witness) -> String {
    let (from, to) = (names.shown(&witness.from), names.shown(&witness.to));
    format!("{from} => {to}, {}: {}", pairs(witness.pairs), header_text(&witness.trace.flow))
}

/// What an answer rests on.
pub fn footer(report: &PropertyReport) -> String {
    let mut text = String::new();
    for gap in &report.gaps {
        let _ = writeln!(text, "  gap {}: {}", visible(&gap.resource), visible(&gap.why));
    }
    for note in &report.notes {
        let _ = writeln!(text, "  note: {}", visible(note));
    }
    for waived in &report.waived {
        let (owner, why) = (visible(&waived.waiver.owner), visible(&waived.waiver.why));
        let until = waived.waiver.until;
        let _ = writeln!(text, "  waived by {owner} until {until}: {} ({why})", pairs(waived.pairs));
    }
    let _ = writeln!(text, "  assuming {}", assumption_names(report.assumptions).join(", "));
    text
}

/// What the verdict says, in one sentence.
pub fn sentence(report: &PropertyReport) -> String {
    let (failing, all) = (report.affected.pairs, pairs(report.scope.pairs));
    let form = report.form;
    match report.verdict {
        Verdict::Holds if !report.waived.is_empty() => {
            let waived = pairs(report.waived.iter().map(|waived| waived.pairs).sum());
            format!("{form} holds for {all} apart from {waived} that a waiver accepts")
        }
        Verdict::Holds => format!("{form} is proved for {all}"),
        Verdict::Violated => format!("{form} fails for {failing} of {all}"),
        Verdict::Unknown => format!("{form} cannot be decided for {failing} of {all}"),
    }
}

fn pairs(count: usize) -> String {
    if count == 1 { "1 pair".to_owned() } else { format!("{count} pairs") }
}

/// `holds`, `violated` or `unknown`.
pub fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Holds => "holds",
        Verdict::Violated => "violated",
        Verdict::Unknown => "unknown",
    }
}
