//! The commands that read a network. Each file has one function that is the command.

mod asserted;
mod between;
pub mod certificates;
pub mod check;
pub mod compile;
mod crossing;
pub mod flows;
pub mod generate;
pub mod group;
mod listing;
mod mesh;
pub mod pairs;
pub mod reach;
mod recall;
mod replay;
pub mod trace;
pub mod units;
pub mod verify;

use std::collections::BTreeSet;

use reachproof_engine::network::{Network, NodeLimit, Options};
use reachproof_model::compiled::{is_compiled, read_snapshot};
use reachproof_model::ingest::{self, Input};
use reachproof_model::snapshot::Snapshot;

use crate::arguments::{Assume, ClaimArguments};
use crate::exit::Failure;
use crate::output::Talk;
use crate::read::{self, Inputs};

/// Reads the inputs of a command and tells what was read.
fn read_inputs(arguments: &crate::arguments::InputArguments, talk: &mut Talk) -> Result<Inputs, Failure> {
    read_paths(&arguments.paths(), talk)
}

/// The same for inputs that are named otherwise.
fn read_paths(paths: &[std::path::PathBuf], talk: &mut Talk) -> Result<Inputs, Failure> {
    talk.progress("reading the input");
    let inputs = read::inputs(paths)?;
    let bytes: usize = inputs.files.iter().chain(&inputs.scenarios).map(|input| input.bytes.len()).sum();
    talk.detail(&format!(
        "read {} files and {} scenarios, {bytes} bytes",
        inputs.files.len(),
        inputs.scenarios.len()
    ));
    Ok(inputs)
}

/// The snapshot that the inputs describe.
fn snapshot(inputs: Inputs, talk: &mut Talk) -> Result<Snapshot, Failure> {
    let snapshot = match compiled(&inputs)? {
        Some(file) => {
            read_snapshot(&file.name, &file.bytes).map_err(|error| Failure::new(error.to_string()))?
        }
        None => ingested(inputs)?,
    };
    for notice in &snapshot.notices {
        talk.detail(&format!("{}: {}", notice.resource, notice.message));
    }
    Ok(snapshot)
}

/// The compiled snapshot among the inputs, which must be the only one of them.
fn compiled(inputs: &Inputs) -> Result<Option<&Input>, Failure> {
    let Some(file) = inputs.files.iter().find(|file| is_compiled(&file.bytes)) else { return Ok(None) };
    match inputs.files.len() + inputs.scenarios.len() {
        1 => Ok(Some(file)),
        count => Err(Failure::new(format!(
            "{}: found a compiled snapshot among {count} files, expected it alone; leave the others out, or give \
             what it was made from",
            file.name
        ))),
    }
}

/// The snapshot in answers and scenarios.
fn ingested(inputs: Inputs) -> Result<Snapshot, Failure> {
    let arguments = inputs.arguments;
    let mut files = inputs.files;
    for scenario in &inputs.scenarios {
        let text = std::str::from_utf8(&scenario.bytes)
            .map_err(|error| Failure::new(format!("{}: expected UTF-8: {error}", scenario.name)))?;
        let parsed = reachproof_scenarios::parse(&scenario.name, text);
        files.extend(parsed.map_err(|error| Failure::new(error.to_string()))?.inputs());
    }
    let snapshot = ingest::load(files).map_err(|error| Failure::new(error.to_string()))?;
    all_used(&arguments, &snapshot)?;
    Ok(snapshot)
}

/// Whoever names a file or a folder means it: one without any answer is not left out in silence.
fn all_used(arguments: &[Vec<String>], snapshot: &Snapshot) -> Result<(), Failure> {
    let unused = snapshot.notices.iter().filter(|notice| &*notice.message == ingest::UNUSED);
    let unused: BTreeSet<&str> = unused.map(|notice| &*notice.resource).collect();
    let useless = |files: &&Vec<String>| files.iter().all(|file| unused.contains(file.as_str()));
    match arguments.iter().find(useless).and_then(|files| files.first()) {
        None => Ok(()),
        Some(file) => Err(Failure::new(format!(
            "{file}: no key in it is known, expected answers of `aws ec2 describe-vpcs` and the like; Terraform plans and \
             CloudFormation templates are not read by this version"
        ))),
    }
}

/// The snapshot made ready for questions.
fn network<'s>(
    snapshot: &'s Snapshot,
    claim: &ClaimArguments,
    nodes: NodeLimit,
    talk: &mut Talk,
) -> Result<Network<'s>, Failure> {
    talk.progress("resolving the network");
    let options = Options {
        strict: claim.strict,
        live_only: claim.live_only,
        assume_default_acl: claim.assume.contains(&Assume::DefaultNacl),
        nodes,
        ..Options::default()
    };
    Network::build(snapshot, options).map_err(|error| Failure::new(error.to_string()))
}
