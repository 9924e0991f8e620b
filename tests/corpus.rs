//! The scenario corpus on every evaluator: the concrete one, the symbolic one on one thread and on several.

#![expect(clippy::expect_used, reason = "helpers of a test")]

use std::collections::BTreeMap;
use std::net::IpAddr;

use reachproof_engine::check::{answer, answer_to_address};
use reachproof_engine::evidence::{Trace, TraceVerdict};
use reachproof_engine::network::{Network, Options};
use reachproof_engine::point::{Fields, query};
use reachproof_engine::reach::Reach;
use reachproof_engine::region::select;
use reachproof_engine::trace::trace;
use reachproof_model::flow::Protocol;
use reachproof_model::ingest;
use reachproof_model::policy::{Groups, Selector, TrafficSpec, trace_point};
use reachproof_scenarios::{Expectation, Scenario, Verdict, corpus};

/// The evaluators that the corpus runs on.
const EVALUATORS: [&str; 3] = ["trace", "reach on 1 thread", "reach on 4 threads"];

fn verdict(verdict: TraceVerdict) -> Verdict {
    match verdict {
        TraceVerdict::Reaches => Verdict::Reaches,
        TraceVerdict::Blocked => Verdict::Blocked,
        TraceVerdict::Unknown => Verdict::Unknown,
    }
}

fn traffic(expectation: &Expectation) -> Vec<TrafficSpec> {
    let Some(protocol) = expectation.protocol else { return Vec::new() };
    vec![match (expectation.port, expectation.icmp_type) {
        (Some(port), _) => TrafficSpec::Ports { protocol, from: port, to: port },
        (None, Some(kind)) => TrafficSpec::Icmp { protocol, kind, code: expectation.icmp_code },
        (None, None) => TrafficSpec::Protocol(protocol),
    }]
}

fn concrete(network: &Network<'_>, expectation: &Expectation) -> Result<Trace, String> {
    let protocol = expectation.protocol.unwrap_or(Protocol::TCP);
    let fields = Fields {
        protocol,
        source_port: expectation.source_port.or(expectation.icmp_code.map(u16::from)),
        port: expectation.port.or(expectation.icmp_type.map(u16::from)),
    };
    let from = trace_point(&expectation.from).map_err(|error| error.to_string())?;
    let to = trace_point(&expectation.to).map_err(|error| error.to_string())?;
    let query =
        query(network, &from, &to, fields, expectation.question).map_err(|error| error.to_string())?;
    Ok(trace(network, &query))
}

fn symbolic(
    network: &Network<'_>,
    expectation: &Expectation,
    threads: usize,
) -> Result<TraceVerdict, String> {
    let side = |text: &str| {
        let selector = Selector::parse(text, &Groups::new()).map_err(|error| error.to_string())?;
        select(network, &selector).map_err(|error| error.to_string())
    };
    let from = side(&expectation.from)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads start");
    let (traffic, question) = (traffic(expectation), expectation.question);
    let found = match expectation.to.parse::<IpAddr>() {
        Ok(address) => {
            pool.install(|| answer_to_address(&Reach::of(network), &from, address, &traffic, question))
        }
        Err(_) => {
            let to = side(&expectation.to)?;
            pool.install(|| answer(&Reach::of(network), &from, &to, &traffic, question))
        }
    };
    found.map_err(|error| error.to_string())
}

/// What is wrong with one expectation on one evaluator.
fn failures(
    scenario: &Scenario,
    number: usize,
    expectation: &Expectation,
    counts: &mut BTreeMap<&str, usize>,
) -> Vec<String> {
    let label =
        |evaluator: &str, text: String| format!("{} #{number} ({evaluator}): {text}", scenario.name());
    let inputs = scenario.inputs();
    let snapshot = match ingest::load(inputs) {
        Ok(snapshot) => snapshot,
        Err(error) => return vec![label("ingest", error.to_string())],
    };
    let options = Options {
        strict: expectation.options.strict,
        live_only: expectation.options.live_only,
        assume_default_acl: expectation.options.assume_default_nacl,
    };
    let network = match Network::build(&snapshot, options) {
        Ok(network) => network,
        Err(error) if expectation.verdict == Verdict::Error => {
            let named = expectation.gap.as_ref().is_none_or(|text| error.to_string().contains(text));
            return if named { Vec::new() } else { vec![label("network", error.to_string())] };
        }
        Err(error) => return vec![label("network", error.to_string())],
    };
    let mut wrong = Vec::new();
    if !expectation.is_set() {
        *counts.entry("trace").or_default() += 1;
        match concrete(&network, expectation) {
            Ok(found) => {
                if !expectation.accepts(verdict(found.verdict)) {
                    wrong.push(label(
                        "trace",
                        format!("found {:?}, expected {:?}", found.verdict, expectation.verdict),
                    ));
                }
                for assumption in &expectation.assumptions {
                    if !found.assumptions.contains(*assumption) {
                        wrong.push(label(
                            "trace",
                            format!(
                                "{assumption} is not among {:?}",
                                found.assumptions.iter().map(|a| a.to_string()).collect::<Vec<_>>()
                            ),
                        ));
                    }
                }
                let nodes: Vec<&str> = found.forward.hops.iter().map(|hop| &*hop.node).collect();
                let mut rest = nodes.iter();
                if !expectation.via.iter().all(|via| rest.any(|node| node == via)) {
                    wrong
                        .push(label("trace", format!("path {nodes:?} does not visit {:?}", expectation.via)));
                }
            }
            Err(error) => wrong.push(label("trace", error)),
        }
    }
    for (evaluator, threads) in [("reach on 1 thread", 1), ("reach on 4 threads", 4)] {
        if expectation.source_port.is_some() {
            continue;
        }
        *counts.entry(evaluator).or_default() += 1;
        match symbolic(&network, expectation, threads) {
            Ok(found) if expectation.accepts(verdict(found)) => {}
            Ok(found) => {
                wrong.push(label(evaluator, format!("found {found:?}, expected {:?}", expectation.verdict)))
            }
            Err(error) => wrong.push(label(evaluator, error)),
        }
    }
    wrong
}

#[test]
fn corpus_agrees_on_every_evaluator() {
    let mut counts = BTreeMap::new();
    let mut wrong = Vec::new();
    let scenarios = corpus();
    let vectors = scenarios.iter().filter(|scenario| scenario.vector().is_some()).count();
    for scenario in &scenarios {
        for (number, expectation) in scenario.expectations().iter().enumerate() {
            if expectation.pending.is_none() && scenario.pending().is_none() {
                wrong.extend(failures(scenario, number, expectation, &mut counts));
            }
        }
    }
    println!(
        "{} scenarios, {vectors} vectors, on {} evaluators: {counts:?}",
        scenarios.len(),
        EVALUATORS.len()
    );
    assert!(wrong.is_empty(), "{} disagree:\n{}", wrong.len(), wrong.join("\n"));
}
