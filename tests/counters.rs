//! How much work generated organisations are: counters that are the same on every machine, beside which times are noise.
//!
//! A change that makes one of them grow costs every user time or memory. Where it is meant to, or one shrinks, run
//! `UPDATE_COUNTERS=1 cargo test --test counters` and say in the commit why.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "helpers of a test")]

use std::fmt::Write;
use std::fs;
use std::path::Path;

use jiff::civil::date;
use reachproof_engine::check::{Verdict, check};
use reachproof_engine::matrix::Matrix;
use reachproof_engine::network::{Network, Options, SourcePlace};
use reachproof_engine::reach::{Reach, Request, classes};
use reachproof_model::flow::Question;
use reachproof_model::ingest::{Input, load};
use reachproof_model::policy::{Policy, PolicyFile};
use reachproof_model::snapshot::Snapshot;
use reachproof_scenarios::organisation::{Organisation, Parameters};

fn organisation() -> (Snapshot, Policy) {
    let organisation = Organisation::plan(Parameters::of_size(7, 300)).unwrap();
    let places = (0..organisation.places()).filter_map(|index| organisation.described(index));
    let documents = places.flat_map(|place| place.documents);
    let inputs = documents
        .map(|document| Input { name: document.name, bytes: document.json.to_string().into_bytes() });
    let text = organisation.policy();
    let policy = Policy::read(&[PolicyFile { name: "policy.yaml", bytes: text.as_bytes() }]).unwrap();
    (load(inputs.collect()).unwrap(), policy)
}

/// What the searches count, on as many threads as the caller runs.
fn counted(snapshot: &Snapshot, policy: &Policy) -> String {
    let network = Network::build(snapshot, Options::default()).unwrap();
    let reach = Reach::of(&network);
    let mut text = String::new();
    let counters = Matrix::of(&reach, Question::Connection).unwrap().counters();
    let _ = writeln!(text, "matrix: {counters:#?}");
    let reports = check(&network, policy, date(2026, 1, 1)).unwrap();
    let holding = reports.iter().filter(|report| report.verdict == Verdict::Holds).count();
    let pairs: usize = reports.iter().map(|report| report.scope.pairs).sum();
    let _ = writeln!(text, "check: {} properties, {holding} hold, {pairs} pairs", reports.len());
    text + &explored(&reach)
}

/// What explorations from all interfaces count, each class of them with nothing remembered from another.
fn explored(reach: &Reach<'_, '_>) -> String {
    let network = reach.network();
    let sources: Vec<SourcePlace> = network.snapshot.interfaces.ids().map(SourcePlace::Interface).collect();
    let (alike, request) = (classes(network, &sources), Request::of(Question::Connection));
    let (mut deliveries, mut nodes, mut operations) = (0, 0, 0);
    for class in &alike {
        let found = reach.explore(std::slice::from_ref(class), &request, |mut found| {
            (found.deliveries().len(), found.arena.counters())
        });
        for (count, counters) in found.unwrap().into_iter().flatten() {
            deliveries += count;
            nodes += counters.nodes;
            operations += counters.operations;
        }
    }
    let classes = alike.len();
    format!("reach: {classes} classes, {deliveries} deliveries, {nodes} nodes, {operations} set operations\n")
}

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

#[test]
fn counters_are_as_recorded() {
    let (snapshot, policy) = organisation();
    let now = pool(2).install(|| counted(&snapshot, &policy));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/counters.txt");
    if std::env::var_os("UPDATE_COUNTERS").is_some() {
        fs::write(&path, &now).unwrap();
    }
    let recorded = fs::read_to_string(&path).unwrap_or_default();
    let changed: Vec<String> = recorded
        .lines()
        .zip(now.lines())
        .filter(|(before, after)| before != after)
        .map(|(before, after)| format!("{} -> {}", before.trim(), after.trim()))
        .collect();
    assert!(
        recorded == now,
        "the work for 300 interfaces changed: {changed:#?}\nif that is meant, run UPDATE_COUNTERS=1 cargo test --test counters"
    );
}

#[test]
fn counters_do_not_depend_on_threads() {
    let (snapshot, policy) = organisation();
    let [one, five] = [1, 5].map(|threads| pool(threads).install(|| counted(&snapshot, &policy)));
    assert_eq!(one, five);
}
