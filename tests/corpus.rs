//! The scenario corpus on every evaluator: the concrete one, the symbolic one on one thread and on several.

#![expect(clippy::expect_used, clippy::disallowed_methods, reason = "helpers of a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
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

/// One expectation of the corpus, on each evaluator that can decide it.
struct Case<'s> {
    scenario: &'s Scenario,
    number: usize,
    expectation: &'s Expectation,
}

/// How many expectations each evaluator decided, and what was wrong.
#[derive(Default)]
struct Tally {
    counts: BTreeMap<&'static str, usize>,
    wrong: Vec<String>,
}

impl Case<'_> {
    /// What the report says of a failure.
    fn label(&self, evaluator: &str, text: impl std::fmt::Display) -> String {
        format!("{} #{} ({evaluator}): {text}", self.scenario.name(), self.number)
    }

    fn options(&self) -> Options {
        let options = &self.expectation.options;
        Options {
            strict: options.strict,
            live_only: options.live_only,
            assume_default_acl: options.assume_default_nacl,
            including_replies: options.including_replies,
            ..Options::default()
        }
    }

    fn run(&self, tally: &mut Tally) {
        let snapshot = match ingest::load(self.scenario.inputs()) {
            Ok(snapshot) => snapshot,
            Err(error) => return tally.wrong.push(self.label("ingest", error)),
        };
        match Network::build(&snapshot, self.options()) {
            Ok(network) => self.decide(&network, tally),
            Err(error) if self.expects_error(&error.to_string()) => {}
            Err(error) => tally.wrong.push(self.label("network", error)),
        }
    }

    fn expects_error(&self, error: &str) -> bool {
        let named = self.expectation.gap.as_ref().is_none_or(|text| error.contains(text));
        self.expectation.verdict == Verdict::Error && named
    }

    fn decide(&self, network: &Network<'_>, tally: &mut Tally) {
        if !self.expectation.is_set() {
            *tally.counts.entry(EVALUATORS[0]).or_default() += 1;
            match concrete(network, self.expectation) {
                Ok(found) => tally.wrong.extend(self.faults(&found)),
                Err(error) => tally.wrong.push(self.label(EVALUATORS[0], error)),
            }
        }
        if self.expectation.source_port.is_none() {
            for (evaluator, threads) in [(EVALUATORS[1], 1), (EVALUATORS[2], 4)] {
                *tally.counts.entry(evaluator).or_default() += 1;
                let found = symbolic(network, self.expectation, threads);
                tally.wrong.extend(self.disagreement(evaluator, found.map(verdict)));
            }
        }
    }

    fn disagreement(&self, evaluator: &str, found: Result<Verdict, String>) -> Option<String> {
        match found {
            Ok(found) if self.expectation.accepts(found) => None,
            Ok(found) => {
                let expected = self.expectation.verdict;
                Some(self.label(evaluator, format_args!("found {found:?}, expected {expected:?}")))
            }
            Err(error) => Some(self.label(evaluator, error)),
        }
    }

    /// What is wrong with a trace: its verdict, the assumptions that it names, its path.
    fn faults(&self, trace: &Trace) -> Vec<String> {
        let mut faults: Vec<_> =
            self.disagreement(EVALUATORS[0], Ok(verdict(trace.verdict))).into_iter().collect();
        let absent = self.expectation.assumptions.iter().filter(|one| !trace.assumptions.contains(**one));
        faults.extend(absent.map(|one| self.label(EVALUATORS[0], format_args!("{one} is not named"))));
        let nodes: Vec<&str> = trace.forward.hops.iter().map(|hop| &*hop.node).collect();
        let mut rest = nodes.iter();
        if !self.expectation.via.iter().all(|via| rest.any(|node| node == via)) {
            let via = &self.expectation.via;
            faults.push(self.label(EVALUATORS[0], format_args!("path {nodes:?} does not visit {via:?}")));
        }
        faults
    }
}

/// Writes to the terminal also where the test harness keeps what a passing test prints.
fn report(line: &str) {
    writeln!(std::io::stdout(), "{line}").expect("stdout is open");
}

#[test]
fn corpus_agrees_on_every_evaluator() {
    let scenarios = corpus();
    let mut tally = Tally::default();
    let (mut run, mut waiting) = (BTreeSet::new(), BTreeSet::new());
    for scenario in &scenarios {
        for (number, expectation) in scenario.expectations().iter().enumerate() {
            let pending = expectation.pending.is_some() || scenario.pending().is_some();
            if let Some(vector) = scenario.vector() {
                if pending { &mut waiting } else { &mut run }.insert(vector);
            }
            if !pending {
                Case { scenario, number, expectation }.run(&mut tally);
            }
        }
    }
    let counts: Vec<_> =
        tally.counts.iter().map(|(evaluator, count)| format!("{count} on {evaluator}")).collect();
    report(&format!(
        "corpus: {} vectors in {} scenarios on {} evaluators, {} disagree; expectations: {}; vectors with a part pending: {waiting:?}",
        run.len(),
        scenarios.len(),
        EVALUATORS.len(),
        tally.wrong.len(),
        counts.join(", "),
    ));
    assert!(tally.wrong.is_empty(), "{} disagree:\n{}", tally.wrong.len(), tally.wrong.join("\n"));
}
