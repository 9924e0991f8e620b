//! `check`: every property of the policy, decided.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use reachproof_model::ingest::Input;
use reachproof_model::policy::{Policy, PolicyFile};

use super::{network, read_inputs, snapshot};
use crate::answer::check::{self as answer, CheckJson};
use crate::answer::names::Names;
use crate::answer::pretty;
use crate::arguments::{CheckArguments, Format};
use crate::exit::{Exit, Failure};
use crate::output::{self, Talk};
use crate::read;

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
    let snapshot = snapshot(read_inputs(&arguments.input, talk)?, talk)?;
    let network = network(&snapshot, &arguments.claim, talk)?;
    talk.progress("deciding the properties");
    let reports = reachproof_engine::check::check(&network, &policy, day)
        .map_err(|error| Failure::new(error.to_string()))?;
    let names = Names::of(&network);
    let target = output::target(arguments.answer.output.as_ref());
    let written = match arguments.format {
        Format::Json => pretty(&CheckJson::of(&network, &names, &reports))?,
        _ => answer::text(&network, &names, &reports, output::style(talk.choice(), target)),
    };
    output::write(target, written.as_bytes())?;
    Ok(answer::exit(&reports))
}

/// All policy files as one policy.
fn read_policy(paths: &[PathBuf]) -> Result<Policy, Failure> {
    let files: Vec<Input> = paths.iter().map(|path| read::file(path)).collect::<Result<_, _>>()?;
    let files: Vec<_> =
        files.iter().map(|file| PolicyFile { name: &file.name, bytes: &file.bytes }).collect();
    Policy::read(&files).map_err(|error| Failure::new(error.to_string()))
}

/// Today in UTC, so that the same minute is the same day everywhere.
fn today() -> Date {
    TimeZone::UTC.to_datetime(Timestamp::now()).date()
}
