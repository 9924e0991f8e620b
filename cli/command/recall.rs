//! How many planted faults an answer finds, and whether it shows anything that was not planted.

use std::path::Path;

use reachproof_engine::check::{PropertyReport, Verdict, answer};
use reachproof_engine::evidence::TraceVerdict;
use reachproof_engine::network::Network;
use reachproof_engine::reach::Reach;
use reachproof_engine::region::{Region, resolve};
use reachproof_model::policy::{Groups, Selector, TrafficSpec};
use serde::Deserialize;

use crate::exit::Failure;
use crate::read;

/// A fault, as `generate --mutate` lists it.
#[derive(Debug, Deserialize)]
pub struct Fault {
    number: u32,
    /// The property that it violates.
    property: String,
    /// Further ones that it violates.
    also: Vec<String>,
    /// Selectors of who can send to whom, or should be able to and cannot.
    from: String,
    to: String,
    port: String,
}

/// Reads the list of faults.
pub fn read_faults(path: &Path) -> Result<Vec<Fault>, Failure> {
    let file = read::file(path)?;
    let failure = |error| {
        Failure::new(format!("{}: {error}; expected the faults.json of `generate --mutate`", file.name))
    };
    serde_json::from_slice(&file.bytes).map_err(failure)
}

/// One line that tells how many faults were found, and lines for what was missed or was not planted.
pub fn recall(
    network: &Network<'_>,
    faults: &[Fault],
    reports: &[PropertyReport],
) -> Result<Vec<String>, Failure> {
    let reach = Reach::of(network);
    let mut missed = Vec::new();
    for fault in faults {
        if !fault.is_found(&reach, reports)? {
            missed.push(format!("missed: fault {}, against {}", fault.number, fault.property));
        }
    }
    let mut invented = Vec::new();
    for report in reports.iter().filter(|report| report.verdict != Verdict::Holds) {
        invented.extend(unexplained(network, faults, report)?);
    }
    let found = faults.len() - missed.len();
    let line = format!(
        "recall: {found} of {} planted faults found; {} beside them",
        faults.len(),
        match invented.len() {
            0 => "nothing".to_owned(),
            more => more.to_string(),
        }
    );
    Ok(std::iter::once(line).chain(missed).chain(invented).collect())
}

impl Fault {
    /// Whether the property is violated, and the very flow that the fault opens arrives, or the one that it closes does not.
    fn is_found(&self, reach: &Reach<'_, '_>, reports: &[PropertyReport]) -> Result<bool, Failure> {
        let Some(report) = reports.iter().find(|report| *report.name == *self.property) else {
            return Err(Failure::new(format!(
                "the policy has no property `{}` of fault {}",
                self.property, self.number
            )));
        };
        let (from, to) = (region(reach.network(), &self.from)?, region(reach.network(), &self.to)?);
        let port = TrafficSpec::parse(&self.port)
            .map_err(|error| Failure::new(format!("fault {}: {error}", self.number)))?;
        let found = answer(reach, &from, &to, &[port], report.question)?;
        let expected = if report.form == "require" { TraceVerdict::Blocked } else { TraceVerdict::Reaches };
        Ok(report.verdict == Verdict::Violated && found == expected)
    }

    fn violates(&self, report: &PropertyReport) -> bool {
        self.also.iter().chain([&self.property]).any(|name| **name == *report.name)
    }
}

/// What a report shows that no fault explains: itself if none violates its property, else the witnesses that end where no
/// such fault leads.
fn unexplained(
    network: &Network<'_>,
    faults: &[Fault],
    report: &PropertyReport,
) -> Result<Vec<String>, Failure> {
    let guilty = faults.iter().filter(|fault| fault.violates(report));
    let ends: Vec<Region> = guilty.map(|fault| region(network, &fault.to)).collect::<Result<_, _>>()?;
    if ends.is_empty() {
        return Ok(vec![format!("not planted: {}", report.name)]);
    }
    let strange =
        report.witnesses.iter().filter(|witness| !ends.iter().any(|end| end.at(witness.sink).is_some()));
    let line = |witness: &reachproof_engine::check::Witness| {
        format!("not planted: {}: {} => {}", report.name, witness.from, witness.to)
    };
    Ok(strange.map(line).collect())
}

fn region(network: &Network<'_>, selector: &str) -> Result<Region, Failure> {
    let failure = |error: String| Failure::new(format!("`{selector}`, the end of a fault: {error}"));
    let parsed = Selector::parse(selector, &Groups::new()).map_err(|error| failure(error.to_string()))?;
    resolve(network, &parsed).map_err(|error| failure(error.to_string()))
}
