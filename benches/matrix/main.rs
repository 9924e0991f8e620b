//! The matrix of generated organisations, from a loaded snapshot to every pair of interfaces in both directions.
//!
//! Each size runs in a process of its own on one and on two threads, and prints what there is (interfaces, classes,
//! rules, group sets, service sets), the time of each stage, pairs of stations a second, and memory. Beside it: the same
//! filters as binary decision diagrams, and the packets of a sample of pairs walked one by one.
//!
//! `REACHPROOF_INTERFACES` names other sizes, divided by commas; 1000000 takes a while.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::expect_used,
    reason = "a bench measures, prints, and stops where it cannot"
)]

mod beside;

use std::env;
use std::fs;
use std::process::Command;
use std::time::Instant;

use rayon::prelude::*;
use reachproof_engine::matrix::{Counters, Matrix};
use reachproof_engine::network::{Network, Options};
use reachproof_engine::reach::Reach;
use reachproof_model::flow::Question;
use reachproof_model::ingest::{Input, load};
use reachproof_model::snapshot::Snapshot;
use reachproof_scenarios::organisation::{Organisation, Parameters};

const SIZES: [u32; 3] = [1_000, 10_000, 100_000];
const SEED: u64 = 7;

/// A generated organisation, as the answers of the AWS CLI load.
fn organisation(interfaces: u32) -> Snapshot {
    let organisation = Organisation::plan(Parameters::of_size(SEED, interfaces)).expect("a size that fits");
    let places = (0..organisation.places()).into_par_iter();
    let documents = places.filter_map(|index| organisation.described(index)).flat_map_iter(|place| {
        place
            .documents
            .into_iter()
            .map(|document| Input { name: document.name, bytes: document.json.to_string().into_bytes() })
    });
    load(documents.collect()).expect("the answers load")
}

/// A line of `/proc/self/status` in MiB.
fn memory(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().next().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// Processor time of this process so far in seconds: what other work on the machine does not change.
fn processor() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn seconds(start: Instant) -> f64 {
    start.elapsed().as_secs_f64()
}

fn rules(snapshot: &Snapshot) -> usize {
    let lists = snapshot.groups.values().flat_map(|group| group.ingress.iter().chain(&group.egress));
    lists.map(Vec::len).sum::<usize>() + snapshot.acls.values().map(|acl| acl.entries.len()).sum::<usize>()
}

/// Builds the matrix of one organisation and prints what it took.
fn measure(interfaces: u32, threads: usize) {
    let snapshot = organisation(interfaces);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    pool.install(|| {
        let start = Instant::now();
        let network = Network::build(&snapshot, Options::default()).expect("the spine is there");
        let reach = Reach::of(&network);
        let resolved = seconds(start);
        // From here on the high-water mark is that of the matrix.
        let _ = fs::write("/proc/self/clear_refs", "5");
        let before = memory("VmRSS:");
        let (used, start) = (processor(), Instant::now());
        let matrix = Matrix::of(&reach, Question::Connection).expect("within limits");
        let built = seconds(start);
        let spent = processor() - used;
        print(&snapshot, threads, [resolved, built, spent], before, matrix.counters());
        if threads == 1 {
            let counters = matrix.counters();
            let rate = (counters.pairs_decided + counters.pairs_skipped) as f64 / built;
            beside::binary(&network, &matrix, rate);
            beside::walked(&network, &matrix, rate);
        }
    });
}

fn print(
    snapshot: &Snapshot,
    threads: usize,
    [resolved, built, spent]: [f64; 3],
    before: u64,
    counters: Counters,
) {
    let pairs = counters.pairs_decided + counters.pairs_skipped;
    println!(
        "{} interfaces, {threads} threads: {} classes, {} contexts, {} atoms, {} stations, {} rules, {} group sets, {} \
         chains, {} service sets",
        counters.interfaces,
        counters.classes,
        counters.contexts,
        counters.atoms,
        counters.stations,
        rules(snapshot),
        counters.group_sets,
        counters.chains,
        counters.services,
    );
    println!(
        "    {} rows, {} runs, {} cells decided for {} pairs, {} skipped, {} classes explored alone",
        counters.rows,
        counters.runs,
        counters.cells_decided,
        counters.pairs_decided,
        counters.pairs_skipped,
        counters.explored_alone,
    );
    println!(
        "    resolve {resolved:.3} s, matrix {built:.3} s ({spent:.2} s of processor time), {:.1} M pairs of stations/s, memory {} MiB beside {before} MiB of network",
        pairs as f64 / built / 1e6,
        memory("VmHWM:").saturating_sub(before),
    );
}

fn main() {
    if let Some(one) = env::var_os("REACHPROOF_MATRIX_ONE") {
        let text = one.to_string_lossy().into_owned();
        let (interfaces, threads) = text.split_once(',').expect("interfaces and threads");
        return measure(interfaces.parse().expect("a number"), threads.parse().expect("a number"));
    }
    let given = env::var("REACHPROOF_INTERFACES").unwrap_or_default();
    let mut sizes: Vec<u32> = given.split(',').filter_map(|size| size.trim().parse().ok()).collect();
    if sizes.is_empty() {
        sizes = SIZES.to_vec();
    }
    let itself = env::current_exe().expect("the bench knows where it is");
    for size in sizes {
        for threads in [1, 2] {
            let status =
                Command::new(&itself).env("REACHPROOF_MATRIX_ONE", format!("{size},{threads}")).status();
            assert!(status.expect("the bench runs").success(), "{size} interfaces on {threads} threads");
        }
    }
}
