//! `trace`: packets and their replies, hop by hop.

use reachproof_engine::evidence::{Trace, TraceVerdict};
use reachproof_engine::network::{Network, NodeLimit, SourcePlace};
use reachproof_engine::point::query;
use reachproof_engine::trace::{Query, trace};
use reachproof_model::assumption::Assumptions;

use super::{network, read_inputs, snapshot};
use crate::answer::journey::{self, TraceJson};
use crate::answer::names::Names;
use crate::answer::{line, markdown, pretty};
use crate::arguments::{Format, TraceArguments};
use crate::exit::{Exit, Failure};
use crate::output::{self, Talk};
use crate::read;
use crate::request::{self, TraceRequest};

/// Runs the command.
pub fn run(arguments: &TraceArguments, talk: &mut Talk) -> Result<Exit, Failure> {
    let requests = requests(arguments)?;
    let snapshot = snapshot(read_inputs(&arguments.input, talk)?, talk)?;
    let network = network(&snapshot, &arguments.claim, NodeLimit::default(), talk)?;
    talk.progress("tracing");
    let answers = requests.iter().map(|request| answer(&network, request)).collect::<Result<Vec<_>, _>>()?;
    let names = Names::of(&network);
    let target = output::target(arguments.answer.to.output.as_ref());
    let style = output::style(talk.choice(), target);
    let written = answers.iter().map(|answer| match (arguments.answer.format, &arguments.flows) {
        (Format::Json, None) => pretty(&TraceJson::of(&network, &names, answer)),
        (Format::Json, Some(_)) => line(&TraceJson::of(&network, &names, answer)),
        (Format::Markdown, _) => Ok(markdown::trace(&network, &names, answer)),
        _ => Ok(journey::text(&network, &names, answer, style)),
    });
    output::write(target, written.collect::<Result<String, _>>()?.as_bytes())?;
    Ok(Exit::worst(answers.iter().map(|answer| journey::exit(answer.verdict))))
}

/// Finds the ends of one packet and follows it.
fn answer(network: &Network<'_>, request: &TraceRequest) -> Result<Trace, Failure> {
    let found = query(network, &request.from, &request.to, request.header.fields(), request.question);
    let mut found = found.map_err(|error| Failure::new(format!("{}{error}", request.place)))?;
    found.flow = request.header.between(found.flow.source, found.flow.destination);
    Ok(doubted(network, &found, trace(network, &found)))
}

/// A packet is not blocked for certain where the input is cut short or cannot be read.
fn doubted(network: &Network<'_>, query: &Query, mut found: Trace) -> Trace {
    if found.verdict != TraceVerdict::Blocked {
        return found;
    }
    let mut doubts = network.doubts();
    let owned = |ip| network.snapshot.vpcs.ids().any(|vpc| !network.owners().of_address(vpc, ip).is_empty());
    if query.from == SourcePlace::Internet || !owned(query.flow.destination) {
        doubts.extend(network.unlisted_addresses());
    }
    if !doubts.is_empty() {
        found.verdict = TraceVerdict::Unknown;
        found.assumptions = found.assumptions.and(Assumptions::of(&[11]));
        found.reasons.extend(doubts.into_iter().map(Into::into));
    }
    found
}

/// What is asked, by the options or by the flows file.
fn requests(arguments: &TraceArguments) -> Result<Vec<TraceRequest>, Failure> {
    match &arguments.flows {
        Some(path) => request::of_flows(&read::file(path)?, arguments.question),
        None => request::of_options(arguments).map(|request| vec![request]),
    }
}
