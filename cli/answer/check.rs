//! The answer of `check`: `reachproof/check/v1`, and its lines for people.

use std::fmt::Write;

use reachproof_engine::check::{Affected, PropertyReport, Verdict, Waived, Witness};
use reachproof_engine::name::{sink_name, source_name};
use reachproof_engine::network::Network;
use reachproof_model::flow::Question;
use serde::Serialize;

use super::journey::{TraceJson, walks_text};
use super::names::Names;
use super::{GapJson, assumption_names, gaps, header_text};
use crate::exit::Exit;
use crate::style::{Style, visible};

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
    holds: usize,
    violated: usize,
    unknown: usize,
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
    affected: AffectedJson,
    scope: AffectedJson,
    assumptions: Vec<String>,
    notes: Vec<Box<str>>,
    gaps: Vec<GapJson>,
    waived: Vec<WaivedJson>,
}

#[derive(Debug, Serialize)]
struct WitnessJson {
    from: String,
    to: String,
    pairs: usize,
    #[serde(flatten)]
    trace: TraceJson,
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
    pub fn of(network: &Network<'_>, names: &Names<'_>, reports: &[PropertyReport]) -> Self {
        Self {
            schema: "reachproof/check/v1",
            snapshot: format!("sha256:{}", network.snapshot.digest()),
            properties: reports.iter().map(|report| PropertyJson::of(network, names, report)).collect(),
            summary: Summary::of(reports),
        }
    }
}

impl Summary {
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
    fn of(network: &Network<'_>, names: &Names<'_>, report: &PropertyReport) -> Self {
        let witness = |witness| WitnessJson::of(network, names, witness);
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
            from: source_name(network, witness.source),
            to: sink_name(network, witness.sink),
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
            owner: waived.owner.clone(),
            why: waived.why.clone(),
            until: waived.until.clone(),
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
pub fn text(network: &Network<'_>, names: &Names<'_>, reports: &[PropertyReport], style: Style) -> String {
    let summary = Summary::of(reports);
    let holds = if summary.holds == 1 { "holds" } else { "hold" };
    let mut text =
        format!("{} {holds}, {} violated, {} unknown\n", summary.holds, summary.violated, summary.unknown);
    for report in reports {
        text.push('\n');
        text.push_str(&property_text(network, names, report, style));
    }
    text
}

fn property_text(network: &Network<'_>, names: &Names<'_>, report: &PropertyReport, style: Style) -> String {
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
    for witness in &report.witnesses {
        let (from, to) = (source_name(network, witness.source), sink_name(network, witness.sink));
        let flow = header_text(&witness.trace.flow);
        let (from, to) = (names.shown(&from), names.shown(&to));
        let _ = writeln!(text, "  {from} => {to}, {}: {flow}", pairs(witness.pairs));
        text.push_str(&walks_text(network, names, &witness.trace, style, "    "));
    }
    for gap in &report.gaps {
        let _ = writeln!(text, "  gap {}: {}", visible(&gap.resource), visible(&gap.why));
    }
    for note in &report.notes {
        let _ = writeln!(text, "  note: {}", visible(note));
    }
    for waived in &report.waived {
        let (owner, why) = (visible(&waived.owner), visible(&waived.why));
        let _ = writeln!(text, "  waived by {owner} until {}: {} ({why})", waived.until, pairs(waived.pairs));
    }
    let _ = writeln!(text, "  assuming {}", assumption_names(report.assumptions).join(", "));
    text
}

/// What the verdict says, in one sentence.
fn sentence(report: &PropertyReport) -> String {
    let (failing, all) = (report.affected.pairs, pairs(report.scope.pairs));
    let form = report.form;
    match report.verdict {
        Verdict::Holds => format!("{form} is proved for {all}"),
        Verdict::Violated => format!("{form} fails for {failing} of {all}"),
        Verdict::Unknown => format!("{form} cannot be decided for {failing} of {all}"),
    }
}

fn pairs(count: usize) -> String {
    if count == 1 { "1 pair".to_owned() } else { format!("{count} pairs") }
}

fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Holds => "holds",
        Verdict::Violated => "violated",
        Verdict::Unknown => "unknown",
    }
}
