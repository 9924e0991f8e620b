//! The `reachproof` command: arguments, file reading, rendering and exit codes.
//!
//! Invariant: this is the only part of the project that touches files, environment, clock and terminal. stdout carries the
//! answer, stderr the talk; [`exit::Exit`] is the one list of exit codes.

#![expect(clippy::disallowed_methods, reason = "this is the part that touches the world")]

mod answer;
mod arguments;
mod command;
mod exit;
mod limit;
mod locate;
mod output;
mod read;
mod reference;
mod request;
mod style;

use std::process::ExitCode;

use arguments::{Command, CommandLine, Common};
use clap::Parser;
use exit::{Exit, Failure};
use limit::Limits;
use output::Talk;

fn main() -> ExitCode {
    let line = match CommandLine::try_parse() {
        Ok(line) => line,
        Err(error) => return refused(&error).into(),
    };
    let mut talk = Talk::new(line.common.quiet, line.common.verbose, line.common.color);
    let exit = run(line, &mut talk).unwrap_or_else(|failure| {
        talk.error(&failure);
        Exit::Unusable
    });
    let memory = limit::peak_memory().map(|used| format!(", {:.1} MiB at most", used as f64 / 1024.0));
    talk.detail(&format!("done{}", memory.unwrap_or_default()));
    exit.into()
}

/// Help and version are answers; anything else that cannot be parsed is bad usage.
fn refused(error: &clap::Error) -> Exit {
    // A closed pipe is no error, and there is nobody else to tell.
    let _ = error.print();
    if error.use_stderr() { Exit::Unusable } else { Exit::Holds }
}

fn run(line: CommandLine, talk: &mut Talk) -> Result<Exit, Failure> {
    start_threads(&line.common)?;
    let limits = line.command.watch().and_then(|arguments| Limits::of(arguments, talk.started()));
    match limits {
        None => dispatch(&line.command, talk),
        Some(limits) => {
            let mut beside = talk.beside();
            limits.watch(move || dispatch(&line.command, &mut beside))
        }
    }
}

fn start_threads(common: &Common) -> Result<(), Failure> {
    if let Some(threads) = common.threads {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.get()).build_global();
        pool.map_err(|error| Failure::new(format!("cannot start {threads} threads: {error}")))?;
    }
    Ok(())
}

fn dispatch(command: &Command, talk: &mut Talk) -> Result<Exit, Failure> {
    match command {
        Command::Check(arguments) => command::check::run(arguments, talk),
        Command::Trace(arguments) => command::trace::run(arguments, talk),
        Command::Reach(arguments) => command::reach::run(arguments, talk),
        Command::Generate(arguments) => command::generate::run(arguments, talk),
        Command::Compile(arguments) => command::compile::run(arguments, talk),
        Command::Verify(arguments) => command::verify::run(arguments, talk),
        Command::Schema(arguments) => reference::schema(arguments),
        Command::Completions(arguments) => reference::completions(arguments),
        Command::Man(arguments) => reference::man(arguments),
    }
}
