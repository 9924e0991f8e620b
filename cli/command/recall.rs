//! How many planted faults an answer finds, and whether its witnesses show anything else.

use std::path::Path;

use reachproof_engine::check::{PropertyReport, Verdict, answer};
use reachproof_engine::evidence::TraceVerdict;
use reachproof_engine::network::Network;
use reachproof_engine::reach::Reach;
use reachproof_engine::region::{Region, select};
use reachproof_model::policy::{Groups, Policy, Selector, TrafficSpec};
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

/// Reads the list of faults, all of them against properties of a policy.
pub fn read_faults(path: &Path, policy: &Policy) -> Result<Vec<Fault>, Failure> {
    let file = read::file(path)?;
    let failure = |error: String| {
        Failure::new(format!("{}: {error}; expected the faults.json of `generate --mutate`", file.name))
    };
    let faults: Vec<Fault> =
        serde_json::from_slice(&file.bytes).map_err(|error| failure(error.to_string()))?;
    for fault in &faults {
        let of_fault = |error: String| failure(format!("fault {}: {error}", fault.number));
        if !policy.properties.iter().any(|property| *property.name == *fault.property) {
            return Err(of_fault(format!("the policy has no property `{}`", fault.property)));
        }
        TrafficSpec::parse(&fault.port).map_err(|error| of_fault(error.to_string()))?;
    }
    Ok(faults)
}

/// One line that tells how many of the listed faults were found, and lines for what was missed or is not listed.
///
/// A fault is found iff the property that it is listed against is violated, and the flow that it opens arrives or the one
/// that it closes does not: that may have other reasons than the fault.
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
    let mut others = Vec::new();
    for report in reports.iter().filter(|report| report.verdict != Verdict::Holds) {
        others.extend(unexplained(network, faults, report)?);
    }
    let (found, listed) = (faults.len() - missed.len(), faults.len());
    let beside = if others.is_empty() { "no witness".to_owned() } else { others.len().to_string() };
    let line =
        format!("recall: {found} of {listed} listed faults found; {beside} that none of them explains");
    Ok(std::iter::once(line).chain(missed).chain(others).collect())
}

impl Fault {
    fn is_found(&self, reach: &Reach<'_, '_>, reports: &[PropertyReport]) -> Result<bool, Failure> {
        let Some(report) = reports.iter().find(|report| *report.name == *self.property) else {
            return Ok(false);
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
        return Ok(vec![format!("not listed: {}", report.name)]);
    }
    let strange =
        report.witnesses.iter().filter(|witness| !ends.iter().any(|end| end.at(witness.sink).is_some()));
    let line = |witness: &reachproof_engine::check::Witness| {
        format!("not listed: {}: {} => {}", report.name, witness.from, witness.to)
    };
    Ok(strange.map(line).collect())
}

fn region(network: &Network<'_>, selector: &str) -> Result<Region, Failure> {
    let failure = |error: String| Failure::new(format!("`{selector}`, the end of a fault: {error}"));
    let parsed = Selector::parse(selector, &Groups::new()).map_err(|error| failure(error.to_string()))?;
    select(network, &parsed).map_err(|error| failure(error.to_string()))
}
