//! `trace`: packets and their replies, hop by hop.

use super::{not_built_in, read_inputs};
use crate::arguments::TraceArguments;
use crate::exit::{Exit, Failure};
use crate::output::Talk;
use crate::read;
use crate::request::{self, TraceRequest};

/// Runs the command.
pub fn run(arguments: &TraceArguments, talk: &mut Talk) -> Result<Exit, Failure> {
    let _requests = requests(arguments)?;
    let _inputs = read_inputs(&arguments.input, talk)?;
    Err(not_built_in("trace"))
}

/// What is asked, by the options or by the flows file.
fn requests(arguments: &TraceArguments) -> Result<Vec<TraceRequest>, Failure> {
    match &arguments.flows {
        Some(path) => request::of_flows(&read::file(path)?, arguments.question),
        None => request::of_options(arguments).map(|request| vec![request]),
    }
}
