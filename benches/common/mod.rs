//! What all benches of generated organisations share: sizes, clean processes, clocks, and lines that a table is made of.
//!
//! Each size runs in a process of its own, so that its memory is its own. A line is a row of the table in
//! `docs/performance.md`, a ratio an item of the list below it; `benches/report.sh` collects both.
//!
//! `REACHPROOF_INTERFACES` names other sizes than those of the bench, divided by commas.

#![allow(dead_code, clippy::allow_attributes, reason = "each bench uses a part of this")]

pub mod clock;
pub mod line;
pub mod organisation;

use std::env;
use std::process::Command;

/// Names the measurement that a process is to make.
const ONE: &str = "REACHPROOF_BENCH_ONE";

/// Makes each measurement for each size, in processes of their own. A measurement is named by its position.
pub fn each_size(usual: &[u32], measurements: &[fn(u32)]) {
    if let Some(one) = env::var_os(ONE) {
        let text = one.to_string_lossy().into_owned();
        let (which, size) = text.split_once(',').expect("a position and a size");
        let measure = measurements.get(which.parse::<usize>().expect("a position"));
        return measure.expect("a measurement")(size.parse().expect("a size"));
    }
    for size in sizes(usual) {
        for which in 0..measurements.len() {
            itself(&format!("{which},{size}"));
        }
    }
}

/// The sizes that are asked for.
fn sizes(usual: &[u32]) -> Vec<u32> {
    let given = env::var("REACHPROOF_INTERFACES").unwrap_or_default();
    let given: Vec<u32> = given.split(',').filter_map(|size| size.trim().parse().ok()).collect();
    if given.is_empty() { usual.to_vec() } else { given }
}

/// Runs this bench again for one measurement. One that does not end well, as for want of memory, is told and left out.
fn itself(one: &str) {
    let program = env::current_exe().expect("the bench knows where it is");
    let status = Command::new(program).env(ONE, one).status().expect("the bench runs");
    if !status.success() {
        println!("- not measured: {one} ended with {status}");
    }
}

/// Does something on so many threads.
pub fn on_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    pool.install(work)
}
