//! The limit of nodes is one of each source: what is explored before or beside it does not matter.

#![expect(clippy::unwrap_used, reason = "helpers of a test")]

use reachproof_engine::network::{Network, NodeLimit, Options, SourcePlace};
use reachproof_engine::reach::{Exhausted, Reach, Request, SourceClass, classes};
use reachproof_model::flow::Question;
use reachproof_model::ingest::load;
use reachproof_model::snapshot::Snapshot;
use reachproof_scenarios::corpus;

fn snapshot() -> Snapshot {
    let scenario = corpus().into_iter().find(|scenario| scenario.name() == "t-e2e-07").unwrap();
    load(scenario.inputs()).unwrap()
}

fn explore(snapshot: &Snapshot, wanted: &[SourceClass], nodes: u32) -> Result<usize, Exhausted> {
    let network =
        Network::build(snapshot, Options { nodes: NodeLimit(nodes), ..Options::default() }).unwrap();
    let request = Request::of(Question::Connection);
    let found = Reach::of(&network).explore(wanted, &request, |mut found| found.deliveries().len())?;
    Ok(found.into_iter().flatten().sum())
}

/// The least limit that a search keeps.
fn least(snapshot: &Snapshot, wanted: &[SourceClass]) -> u32 {
    let (mut short, mut enough) = (0, 1 << 20);
    while short + 1 < enough {
        let middle = u32::midpoint(short, enough);
        *if explore(snapshot, wanted, middle).is_ok() { &mut enough } else { &mut short } = middle;
    }
    enough
}

#[test]
fn a_limit_serves_all_sources_iff_it_serves_each() {
    let snapshot = snapshot();
    let network = Network::build(&snapshot, Options::default()).unwrap();
    let interfaces: Vec<SourcePlace> = snapshot.interfaces.ids().map(SourcePlace::Interface).collect();
    let all = classes(&network, &interfaces);
    let greatest = all.iter().map(|one| least(&snapshot, std::slice::from_ref(one))).max().unwrap();
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    for threads in [1, 2, 5] {
        assert_eq!(pool(threads).install(|| least(&snapshot, &all)), greatest, "{threads} threads");
    }
}

#[test]
fn a_search_beyond_the_limit_says_limit_and_use() {
    let snapshot = snapshot();
    let network = Network::build(&snapshot, Options::default()).unwrap();
    let all = classes(&network, &[SourcePlace::Internet]);
    let exhausted = explore(&snapshot, &all, 20).unwrap_err();
    assert_eq!(exhausted, Exhausted { limit: NodeLimit(20), nodes: 20 });
    let said = "header sets need more nodes than the limit of 20 (20 in use): nothing was decided";
    assert_eq!(exhausted.to_string(), said);
}
