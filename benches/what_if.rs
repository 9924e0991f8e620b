//! The matrix after one change of a generated organisation, against one that is built anew in the same run.
//!
//! Each size runs on one thread. Changes are chosen by the seed: a rule, an entry or a route of the organisation that is
//! turned round. Of each there are several, and what is printed is the median and the worst: the time to resolve the
//! changed network, the time from there to matrix and delta, what was done for it, and how many pairs of places differ.
//!
//! `REACHPROOF_INTERFACES` names other sizes, divided by commas.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::expect_used,
    reason = "a bench measures, prints, and stops where it cannot"
)]

use std::env;
use std::time::Instant;

use reachproof_engine::matrix::{Changed, Matrix, Recomputed};
use reachproof_engine::network::{Network, Options};
use reachproof_engine::reach::Reach;
use reachproof_model::change::{Change, Edit};
use reachproof_model::flow::Question;
use reachproof_model::ingest::{Input, load};
use reachproof_model::snapshot::{AclEntry, Action, GroupRule, Route, Snapshot};
use reachproof_model::traffic::Traffic;
use reachproof_scenarios::organisation::{Organisation, Parameters};

const SIZES: [u32; 2] = [1_000, 10_000];
const SEED: u64 = 7;
/// Changes of each kind.
const SAMPLE: usize = 15;

fn organisation(interfaces: u32) -> Snapshot {
    let organisation = Organisation::plan(Parameters::of_size(SEED, interfaces)).expect("a size that fits");
    let places = (0..organisation.places()).filter_map(|index| organisation.described(index));
    let documents = places.flat_map(|place| place.documents);
    let inputs = documents
        .map(|document| Input { name: document.name, bytes: document.json.to_string().into_bytes() });
    load(inputs.collect()).expect("the answers load")
}

/// So many of a list, spread evenly.
fn spread<T>(items: Vec<T>) -> Vec<T> {
    let step = (items.len() / SAMPLE).max(1);
    items.into_iter().skip(step / 2).step_by(step).take(SAMPLE).collect()
}

/// Rules that admit all traffic from then on.
fn rules(snapshot: &Snapshot, egress: bool) -> Vec<Change> {
    let mut found = Vec::new();
    for (group, record) in snapshot.groups.iter() {
        let rules = if egress { &record.egress } else { &record.ingress };
        for (at, rule) in rules.iter().flatten().enumerate().filter(|(_, rule)| rule.traffic != Traffic::All)
        {
            let wider = GroupRule { traffic: Traffic::All, ..rule.clone() };
            found.push(Change::Rule { group, egress, edit: Edit::Replace(at, wider) });
        }
    }
    spread(found)
}

/// Rules that are taken away.
fn fewer_rules(snapshot: &Snapshot) -> Vec<Change> {
    let mut found = Vec::new();
    for (group, record) in snapshot.groups.iter() {
        let positions = 0..record.ingress.as_ref().map_or(0, Vec::len);
        found.extend(positions.map(|at| Change::Rule { group, egress: false, edit: Edit::Remove(at) }));
    }
    spread(found)
}

/// Entries that do the opposite from then on.
fn entries(snapshot: &Snapshot) -> Vec<Change> {
    let mut found = Vec::new();
    for (acl, record) in snapshot.acls.iter() {
        for (at, entry) in record.entries.iter().enumerate() {
            let action = if entry.action == Action::Allow { Action::Deny } else { Action::Allow };
            let edit = Edit::Replace(at, AclEntry { action, ..entry.clone() });
            found.push(Change::Entry { acl, edit });
        }
    }
    spread(found)
}

/// Routes that are blackholes from then on.
fn routes(snapshot: &Snapshot) -> Vec<Change> {
    let mut found = Vec::new();
    for (table, record) in snapshot.route_tables.iter() {
        for (at, route) in record.routes.iter().enumerate() {
            let edit = Edit::Replace(at, Route { state: Some("blackhole".into()), ..route.clone() });
            found.push(Change::Route { table, edit });
        }
    }
    spread(found)
}

fn seconds(start: Instant) -> f64 {
    start.elapsed().as_secs_f64()
}

/// What one change took.
struct Sample {
    resolved: f64,
    changed: f64,
    pairs: u64,
    recomputed: Recomputed,
}

/// Makes changes one after the other, each taken back before the next one, and gives the matrix back.
fn measure(snapshot: &Snapshot, mut matrix: Matrix, changes: &[Change]) -> (Vec<Sample>, Matrix) {
    let network = Network::build(snapshot, Options::default()).expect("the spine is there");
    let reach = Reach::of(&network);
    let mut samples = Vec::new();
    for change in changes {
        let Ok(changed) = snapshot.changed(change) else { continue };
        let start = Instant::now();
        let network_after = Network::build(&changed, Options::default()).expect("the spine is there");
        let reach_after = Reach::of(&network_after);
        let resolved = seconds(start);
        let start = Instant::now();
        let Changed { matrix: after, delta, recomputed } =
            matrix.changed(&reach, &reach_after).expect("within limits");
        samples.push(Sample { resolved, changed: seconds(start), pairs: delta.pairs(), recomputed });
        matrix = after.changed(&reach_after, &reach).expect("within limits").matrix;
    }
    (samples, matrix)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn print(name: &str, anew: f64, samples: &[Sample]) {
    let times = || samples.iter().map(|sample| sample.changed);
    let middle = median(times().collect());
    let worst = times().fold(0.0, f64::max);
    let resolved = median(samples.iter().map(|sample| sample.resolved).collect());
    let pairs = median(samples.iter().map(|sample| sample.pairs as f64).collect());
    let most = samples.iter().map(|sample| sample.pairs).max().unwrap_or_default();
    let work = samples.iter().filter_map(|sample| match sample.recomputed {
        Recomputed::Stale(work) => Some(work),
        Recomputed::All(_) => None,
    });
    let (stale, cells, explorations) = work.fold((0, 0, 0), |(count, cells, explorations), work| {
        (count + 1, cells + work.cells, explorations + work.explorations)
    });
    println!(
        "    {name}: {} changes, {stale} of stale cells alone ({} cells and {} explorations each); resolve {:.1} ms, \
         matrix and delta {:.2} ms (worst {:.2}), {:.0} times faster than anew; {pairs:.0} pairs differ (at most {most})",
        samples.len(),
        cells / stale.max(1),
        explorations / stale.max(1),
        resolved * 1e3,
        middle * 1e3,
        worst * 1e3,
        anew / middle,
    );
}

fn bench(interfaces: u32) {
    let snapshot = organisation(interfaces);
    let network = Network::build(&snapshot, Options::default()).expect("the spine is there");
    let reach = Reach::of(&network);
    let start = Instant::now();
    let mut matrix = Matrix::of(&reach, Question::Connection).expect("within limits");
    let anew = seconds(start);
    let counters = matrix.counters();
    println!(
        "{} interfaces, 1 thread: {} classes, {} stations; matrix anew {:.1} ms",
        counters.interfaces,
        counters.classes,
        counters.stations,
        anew * 1e3
    );
    let kinds = [
        ("wider ingress rule", rules(&snapshot, false)),
        ("no ingress rule", fewer_rules(&snapshot)),
        ("wider egress rule", rules(&snapshot, true)),
        ("opposite ACL entry", entries(&snapshot)),
        ("blackhole route", routes(&snapshot)),
    ];
    for (name, changes) in kinds {
        let (samples, after) = measure(&snapshot, matrix, &changes);
        matrix = after;
        if !samples.is_empty() {
            print(name, anew, &samples);
        }
    }
}

fn main() {
    let given = env::var("REACHPROOF_INTERFACES").unwrap_or_default();
    let mut sizes: Vec<u32> = given.split(',').filter_map(|size| size.trim().parse().ok()).collect();
    if sizes.is_empty() {
        sizes = SIZES.to_vec();
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    pool.install(|| sizes.into_iter().for_each(bench));
}
