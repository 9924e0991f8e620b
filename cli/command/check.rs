//! `check`: every property of the policy, decided.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use reachproof_model::ingest::Input;
use reachproof_model::policy::{Policy, PolicyFile};

use super::{not_built_in, read_inputs};
use crate::arguments::CheckArguments;
use crate::exit::{Exit, Failure};
use crate::output::Talk;
use crate::read;

/// Runs the command.
pub fn run(arguments: &CheckArguments, talk: &mut Talk) -> Result<Exit, Failure> {
    let policy = read_policy(&arguments.policy)?;
    let day = arguments.date.unwrap_or_else(today);
    for waiver in policy.waivers.iter().filter(|waiver| !waiver.applies_on(day)) {
        talk.notice(&format!(
            "{}: the waiver of `{}` ended on {} and no longer applies",
            waiver.place, waiver.property, waiver.until
        ));
    }
    let _inputs = read_inputs(&arguments.input, talk)?;
    Err(not_built_in("check"))
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
