//! The matrix of generated organisations, from a loaded snapshot to every pair of interfaces in both directions, and of the
//! worst that there may be: every interface with groups of its own, whose ports all differ.
//!
//! Prints its stages as nouns of their own: classes, chains, decide (the cells), and all of it. Beside it, on one thread:
//! the same filters as binary decision diagrams, and the packets of a sample of pairs walked one by one.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::expect_used,
    reason = "a bench measures, prints, and stops where it cannot"
)]

mod beside;
#[path = "../common/mod.rs"]
mod common;
mod worst;

use std::collections::BTreeMap;
use std::time::Instant;

use common::clock::{Spent, measured};
use common::line::{Amounts, grouped, rate, ratio, row, time};
use common::{each_size, on_threads, organisation};
use reachproof_engine::matrix::{Counters, Matrix, Stage};
use reachproof_engine::network::{Network, Options};
use reachproof_engine::reach::Reach;
use reachproof_model::flow::Question;
use reachproof_model::ingest::load;
use reachproof_model::snapshot::Snapshot;
use worst::Shape;

const SIZES: [u32; 1] = [1_000];

/// Seconds by stage.
type Stages = BTreeMap<Stage, f64>;

fn build(reach: &Reach<'_, '_>) -> (Matrix, Stages) {
    let (mut stages, mut last) = (Stages::new(), Instant::now());
    let mut done = |stage| {
        *stages.entry(stage).or_default() += last.elapsed().as_secs_f64();
        last = Instant::now();
    };
    let matrix = Matrix::staged(reach, Question::Connection, &mut done).expect("within limits");
    (matrix, stages)
}

/// Builds the matrix and prints what it took; gives the seconds.
fn measure(noun: &str, network: &Network<'_>, threads: usize) -> (Matrix, f64) {
    on_threads(threads, || {
        let reach = Reach::of(network);
        let name = format!("{noun}/{}/{threads}", network.snapshot.interfaces.len());
        let ((matrix, stages), spent) = measured(&name, || (), |()| build(&reach));
        print(noun, network.snapshot, threads, spent, &stages, matrix.counters());
        (matrix, spent.seconds)
    })
}

fn print(noun: &str, snapshot: &Snapshot, threads: usize, spent: Spent, stages: &Stages, counters: Counters) {
    let (classes, services) = (Some(counters.classes), Some(counters.services));
    let amounts = Amounts { classes, services, ..Amounts::of(snapshot) };
    let stage = |stage| stages.get(&stage).copied().unwrap_or_default();
    let rows = [
        ("classes", Stage::Classes, rate(counters.interfaces as f64, stage(Stage::Classes), "interfaces")),
        ("chains", Stage::Chains, rate(counters.contexts as f64, stage(Stage::Chains), "contexts")),
        ("decide", Stage::Cells, rate(counters.pairs_decided as f64, stage(Stage::Cells), "pairs")),
    ];
    for (what, which, rate) in rows {
        row(&format!("{noun}: {what}"), amounts, threads, Spent { seconds: stage(which), ..spent }, &rate);
    }
    let pairs = counters.pairs_decided + counters.pairs_skipped;
    row(noun, amounts, threads, spent, &rate(pairs as f64, spent.seconds, "pairs"));
    if threads == 1 {
        counted(noun, amounts, spent, counters);
    }
}

fn counted(noun: &str, amounts: Amounts, spent: Spent, counters: Counters) {
    let text = format!(
        "{} contexts, {} atoms, {} stations, {} chains, {} rows, {} runs; {} cells decided for {} pairs of stations, {} \
         skipped; {} classes explored alone; {} MiB beside the network",
        grouped(counters.contexts),
        grouped(counters.atoms),
        grouped(counters.stations),
        grouped(counters.chains),
        grouped(counters.rows),
        grouped(counters.runs),
        grouped(counters.cells_decided),
        grouped(counters.pairs_decided),
        grouped(counters.pairs_skipped),
        grouped(counters.explored_alone),
        grouped(spent.peak.saturating_sub(spent.before)),
    );
    ratio(noun, amounts, &text);
}

fn organisations(interfaces: u32) {
    let snapshot = organisation::snapshot(&organisation::planned(interfaces));
    let start = Instant::now();
    let network = Network::build(&snapshot, Options::default()).expect("the spine is there");
    let resolved = start.elapsed().as_secs_f64();
    let (matrix, one) = measure("matrix", &network, 1);
    let amounts = Amounts::of(&snapshot);
    ratio("matrix", amounts, &format!("resolving the network before takes {}", time(resolved)));
    let counters = matrix.counters();
    let rate = (counters.pairs_decided + counters.pairs_skipped) as f64 / one;
    beside::binary(&network, &matrix, rate);
    beside::walked(&network, &matrix, rate);
    drop(matrix);
    let (_, two) = measure("matrix", &network, 2);
    ratio("matrix", amounts, &format!("two threads are {:.2} times as fast as one", one / two));
}

fn worst_case(interfaces: u32, noun: &str, shape: Shape) {
    let planned = organisation::planned(interfaces);
    let text = organisation::changed(&planned, |documents| worst::own_groups(documents, shape));
    let snapshot = load(text).expect("the answers load");
    let network = Network::build(&snapshot, Options::default()).expect("the spine is there");
    measure(noun, &network, 1);
}

fn main() {
    each_size(
        &SIZES,
        &[
            organisations,
            |size| worst_case(size, "matrix, own ports, dense", Shape::Dense),
            |size| worst_case(size, "matrix, own ports, sparse", Shape::Sparse),
        ],
    );
}
