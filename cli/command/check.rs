//! `check`: every property of the policy, decided.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use reachproof_engine::network::NodeLimit;
use reachproof_model::ingest::Input;
use reachproof_model::policy::{Policy, PolicyFile};

use super::recall::{read_faults, recall};
use super::{certificates, network, read_inputs, snapshot};
use crate::answer::check::{self as answer, CheckJson, Checked};
use crate::answer::names::Names;
use crate::answer::sarif::{self, Files};
use crate::answer::{junit, markdown, pretty};
use crate::arguments::{CheckArguments, Format};
use crate::exit::{Exit, Failure};
use crate::output::{self, Talk};
use crate::read::{self, Inputs};

/// Runs the command.
pub fn run(arguments: &CheckArguments, talk: &mut Talk) -> Result<Exit, Failure> {
    let mut policy = read_policy(&arguments.policy)?;
    let day = arguments.date.unwrap_or_else(today);
    for waiver in policy.waivers.iter().filter(|waiver| !waiver.applies_on(day)) {
        talk.notice(&format!(
            "{}: the waiver of `{}` ended on {} and no longer applies",
            waiver.place, waiver.property, waiver.until
        ));
    }
    if let Some(question) = arguments.question {
        policy.properties.iter_mut().for_each(|property| property.question = question);
    }
    let faults = arguments.faults.as_deref().map(|path| read_faults(path, &policy)).transpose()?;
    let inputs = read_inputs(&arguments.input, talk)?;
    let files = files(arguments, &inputs);
    let snapshot = snapshot(inputs, talk)?;
    let network = network(&snapshot, &arguments.claim, NodeLimit(arguments.limits.limit_nodes), talk)?;
    talk.progress("deciding the properties");
    let reports = reachproof_engine::check::check(&network, &policy, day)?;
    let names = Names::of(&network);
    let checked =
        Checked { network: &network, names: &names, policy: &policy, reports: &reports, evidence: &[] };
    let evidence = match &arguments.certificates {
        Some(folder) => {
            talk.progress("writing certificates");
            certificates::write(folder, checked)?
        }
        None => Vec::new(),
    };
    let checked = Checked { evidence: &evidence, ..checked };
    let target = output::target(arguments.answer.to.output.as_ref());
    let written = match arguments.answer.format {
        Format::Json => pretty(&CheckJson::of(checked))?,
        Format::Markdown => markdown::check(checked),
        Format::Sarif => pretty(&sarif::log(checked, &files))?,
        Format::Junit => junit::report(checked)?,
        Format::Text => answer::text(checked, output::style(talk.choice(), target)),
    };
    output::write(target, written.as_bytes())?;
    if let Some(faults) = faults {
        recall(&network, &faults, &reports)?.iter().for_each(|line| talk.notice(line));
    }
    Ok(answer::exit(&reports))
}

/// The files of the input, kept only for a report that names lines.
fn files(arguments: &CheckArguments, inputs: &Inputs) -> Files {
    if arguments.answer.format != Format::Sarif {
        return Files { prefix: String::new(), inputs: Vec::new() };
    }
    // Only the files of a single directory have names relative to it.
    let prefix = match arguments.input.paths().as_slice() {
        [one] if one.is_dir() => format!("{}/", one.display().to_string().trim_end_matches('/')),
        _ => String::new(),
    };
    Files { prefix, inputs: inputs.files.clone() }
}

/// All policy files as one policy.
pub(super) fn read_policy(paths: &[PathBuf]) -> Result<Policy, Failure> {
    let files: Vec<Input> = paths.iter().map(|path| read::file(path)).collect::<Result<_, _>>()?;
    let files: Vec<_> =
        files.iter().map(|file| PolicyFile { name: &file.name, bytes: &file.bytes }).collect();
    Policy::read(&files).map_err(|error| Failure::new(error.to_string()))
}

/// Today in UTC, so that the same minute is the same day everywhere.
pub(super) fn today() -> Date {
    TimeZone::UTC.to_datetime(Timestamp::now()).date()
}
