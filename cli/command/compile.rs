//! `compile`: the snapshot as one file that loads much faster than what it was made from.

use std::io::{self, IsTerminal};

use reachproof_model::compiled::write_snapshot;
use reachproof_model::snapshot::Snapshot;

use super::{read_inputs, snapshot};
use crate::arguments::CompileArguments;
use crate::exit::{Exit, Failure};
use crate::output::{self, Talk};
use crate::style::visible;

/// Runs the command.
pub fn run(arguments: &CompileArguments, talk: &mut Talk) -> Result<Exit, Failure> {
    let target = output::target(Some(&arguments.output));
    if target.is_none() && io::stdout().is_terminal() {
        let message = "standard output is a terminal, which a compiled snapshot would upset; name a file with `-o FILE`";
        return Err(Failure::new(message));
    }
    let snapshot = snapshot(read_inputs(&arguments.input, talk)?, talk)?;
    talk.progress("compiling the snapshot");
    let compiled = write_snapshot(&snapshot).map_err(|error| Failure::new(error.to_string()))?;
    output::write(target, &compiled)?;
    let summary = summary(&snapshot, compiled.len());
    match target {
        Some(path) => {
            let written = format!("{}: {summary}\n", visible(&path.display().to_string()));
            output::write(None, written.as_bytes())?;
        }
        None => talk.detail(&summary),
    }
    Ok(Exit::Holds)
}

/// What was written: how large the network is, which facts it has, and how large the file is.
fn summary(snapshot: &Snapshot, bytes: usize) -> String {
    let interfaces = snapshot.interfaces.len();
    let noun = if interfaces == 1 { "interface" } else { "interfaces" };
    format!("{interfaces} {noun}, snapshot sha256:{}, {bytes} bytes", snapshot.digest())
}
