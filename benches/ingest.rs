//! Reading describe JSON: the answers of a generated organisation, in memory, to a snapshot.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::expect_used,
    reason = "a bench measures, prints, and stops where it cannot"
)]

mod common;

use common::clock::measured;
use common::line::{Amounts, ratio, row, speed};
use common::{each_size, on_threads, organisation};
use reachproof_model::ingest::{Input, load};

const SIZES: [u32; 2] = [1_000, 10_000];

/// Above, the text is read once and not kept for another run.
const KEPT: u32 = 100_000;

fn measure(interfaces: u32, threads: usize) {
    let planned = organisation::planned(interfaces);
    let mut text = organisation::answers(&planned);
    let bytes: usize = text.iter().map(|input| input.bytes.len()).sum();
    let prepare = || if interfaces < KEPT { text.clone() } else { std::mem::take(&mut text) };
    let read = |text: Vec<Input>| load(text).expect("the answers load");
    let (snapshot, spent) = on_threads(threads, || measured(&format!("ingest/{interfaces}"), prepare, read));
    let amounts = Amounts::of(&snapshot);
    row("ingest", amounts, threads, spent, &speed(bytes, spent.seconds));
    let mebibytes = bytes as f64 / f64::from(1 << 20);
    ratio(
        "ingest",
        amounts,
        &format!(
            "{mebibytes:.0} MiB of text; memory at most {:.1} times that",
            spent.peak as f64 / mebibytes
        ),
    );
}

fn main() {
    each_size(&SIZES, &[|size| measure(size, 1), |size| measure(size, 2)]);
}
