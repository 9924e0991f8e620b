//! Deciding the whole policy of a generated organisation, beside nothing planted: every property holds.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::expect_used,
    reason = "a bench measures, prints, and stops where it cannot"
)]

mod common;

use common::clock::measured;
use common::line::{Amounts, rate, ratio, row};
use common::{each_size, on_threads, organisation};
use jiff::civil::date;
use reachproof_engine::check::{Verdict, check};
use reachproof_engine::network::{Network, Options};

const SIZES: [u32; 1] = [1_000];

fn measure(interfaces: u32, threads: usize) {
    let planned = organisation::planned(interfaces);
    let (snapshot, policy) = (organisation::snapshot(&planned), organisation::policy(&planned));
    let network = Network::build(&snapshot, Options::default()).expect("the spine is there");
    let decide = |()| check(&network, &policy, date(2026, 1, 1)).expect("every property can be decided");
    let name = format!("check/{interfaces}");
    let (reports, spent) = on_threads(threads, || measured(&name, || (), decide));
    let amounts = Amounts::of(&snapshot);
    row("check", amounts, threads, spent, &rate(reports.len() as f64, spent.seconds, "properties"));
    let holding = reports.iter().filter(|report| report.verdict == Verdict::Holds).count();
    let pairs: usize = reports.iter().map(|report| report.scope.pairs).sum();
    let text = format!("{holding} of {} properties hold, about {pairs} pairs in all", reports.len());
    ratio("check", amounts, &text);
}

fn main() {
    each_size(&SIZES, &[|size| measure(size, 1), |size| measure(size, 2)]);
}
