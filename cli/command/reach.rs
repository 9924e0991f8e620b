//! `reach`: every flow from some endpoints to others.

use reachproof_model::policy::Selector;

use super::read_inputs;
use crate::arguments::ReachArguments;
use crate::exit::{Exit, Failure};
use crate::output::Talk;
use crate::request;

/// Runs the command.
pub fn run(arguments: &ReachArguments, talk: &mut Talk) -> Result<Exit, Failure> {
    let _from = selector("--from", arguments.from.as_deref())?;
    let _to = selector("--to", arguments.to.as_deref())?;
    let _traffic = request::traffic(arguments)?;
    let _inputs = read_inputs(&arguments.input, talk)?;
    Err(Failure::new("`reach` read its input, and this build cannot evaluate it"))
}

/// A selector; everything if none is given.
fn selector(option: &str, text: Option<&str>) -> Result<Selector, Failure> {
    let Some(text) = text else { return Ok(Selector::any()) };
    text.parse().map_err(|error| Failure::new(format!("{option}: {error}")))
}
