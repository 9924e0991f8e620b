//! The matrix after one change of a generated organisation, against one that is built anew in the same run.
//!
//! Each size runs on one thread. Changes are chosen by the seed: a rule, an entry or a route of the organisation that is
//! turned round. Of each there are several, and what is printed is the median and the worst: the time to resolve the
//! changed network, the time from there to matrix and delta, what was done for it, and how many pairs of places differ.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::expect_used,
    reason = "a bench measures, prints, and stops where it cannot"
)]

mod common;

use std::time::Instant;

use common::clock::{Spent, memory};
use common::line::{Amounts, rate, ratio, row, time};
use common::{each_size, on_threads, organisation};
use reachproof_engine::matrix::{Changed, Matrix, Recomputed};
use reachproof_engine::network::{Network, Options};
use reachproof_engine::reach::Reach;
use reachproof_model::change::{Change, Edit};
use reachproof_model::flow::Question;
use reachproof_model::snapshot::{AclEntry, Action, GroupPeer, GroupRule, Route, Snapshot};
use reachproof_model::traffic::Traffic;

const SIZES: [u32; 1] = [1_000];
/// Changes of each kind.
const SAMPLE: usize = 15;

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

/// Rules for a block that no rule, route or list names.
fn other_blocks(snapshot: &Snapshot) -> Vec<Change> {
    let mut found = Vec::new();
    for (group, record) in snapshot.groups.iter() {
        for rule in record.ingress.iter().flatten().take(1) {
            let peer = GroupPeer::Cidr("203.0.113.64/28".parse().expect("a block"));
            let other = GroupRule { peer, ..rule.clone() };
            found.push(Change::Rule { group, egress: false, edit: Edit::Add(other) });
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
        let network_after = network.after(&changed).expect("the spine is there");
        let reach_after = reach.after(&network_after);
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

fn print(name: &str, amounts: Amounts, anew: f64, samples: &[Sample]) {
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
    let peak = memory("VmHWM:");
    let spent = Spent { seconds: middle, peak, before: peak };
    row(&format!("what-if: {name}"), amounts, 1, spent, &rate(1.0, middle, "changes"));
    let text = format!(
        "{} changes, {stale} of stale cells alone ({} cells and {} explorations each); resolving takes {} more, the worst \
         change {}; the median is {:.0} times faster than a matrix anew; {pairs:.0} pairs differ (at most {most})",
        samples.len(),
        cells / stale.max(1),
        explorations / stale.max(1),
        time(resolved),
        time(worst),
        anew / middle,
    );
    ratio(&format!("what-if: {name}"), amounts, &text);
}

fn bench(interfaces: u32) {
    let snapshot = organisation::snapshot(&organisation::planned(interfaces));
    let network = Network::build(&snapshot, Options::default()).expect("the spine is there");
    let reach = Reach::of(&network);
    let start = Instant::now();
    let mut matrix = Matrix::of(&reach, Question::Connection).expect("within limits");
    let anew = seconds(start);
    let counters = matrix.counters();
    let (classes, services) = (Some(counters.classes), Some(counters.services));
    let amounts = Amounts { classes, services, ..Amounts::of(&snapshot) };
    let kinds = [
        ("wider ingress rule", rules(&snapshot, false)),
        ("no ingress rule", fewer_rules(&snapshot)),
        ("rule for another block", other_blocks(&snapshot)),
        ("wider egress rule", rules(&snapshot, true)),
        ("opposite ACL entry", entries(&snapshot)),
        ("blackhole route", routes(&snapshot)),
    ];
    for (name, changes) in kinds {
        let (samples, after) = measure(&snapshot, matrix, &changes);
        matrix = after;
        if !samples.is_empty() {
            print(name, amounts, anew, &samples);
        }
    }
}

fn main() {
    each_size(&SIZES, &[|size| on_threads(1, || bench(size))]);
}
