//! Random networks: each as a shape that shrinks, with one header of each atom.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use reachproof_engine::network::{Network, Options};
use reachproof_engine::reach::{Reach, Request, classes};
use reachproof_model::flow::Question;
use reachproof_model::ingest::load;
use reachproof_scenarios::random::{Piece, PieceKind, Shape, VpcShape};

use crate::atoms::{Atoms, sources};
use crate::compare::{Comparison, compare};

fn vpc_shapes() -> impl Strategy<Value = VpcShape> {
    (0..3_u8, prop::bool::weighted(0.3), prop::bool::weighted(0.25), prop::bool::weighted(0.75)).prop_map(
        |(more_subnets, dual_stack, secondary, internet)| VpcShape {
            more_subnets,
            dual_stack,
            secondary,
            internet,
        },
    )
}

fn pieces() -> impl Strategy<Value = Piece> {
    let kinds = PieceKind::WEIGHTED.iter().flat_map(|(weight, kind)| vec![*kind; usize::from(*weight)]);
    let kinds: Vec<PieceKind> = kinds.collect();
    (select(kinds), any::<[u8; 6]>()).prop_map(|(kind, picks)| Piece { kind, picks })
}

fn shapes(vpcs: usize, most_pieces: usize) -> impl Strategy<Value = Shape> {
    (vec(vpc_shapes(), 1..=vpcs), vec(pieces(), 0..=most_pieces))
        .prop_map(|(vpcs, pieces)| Shape { vpcs, pieces })
}

/// The same cases in every run; what fails is kept as a scenario of the corpus, not in a file of seeds.
fn runner(cases: u32, seed: u8) -> TestRunner {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]))
}

/// Compares up to `limit` headers of each source of the network.
fn compare_shape(shape: &Shape, limit: usize) -> Comparison {
    let scenario = shape.scenario().unwrap();
    let snapshot = load(scenario.inputs()).unwrap();
    let Ok(network) = Network::build(&snapshot, Options::default()) else { return Comparison::default() };
    compare(&network, &Atoms::of(&scenario).questions(&network, limit))
}

fn agree_on(vpcs: usize, most_pieces: usize, limit: usize, mut runner: TestRunner) {
    let total = std::cell::RefCell::new(Comparison::default());
    let result = runner.run(&shapes(vpcs, most_pieces), |shape| {
        let found = compare_shape(&shape, limit);
        let shown: Vec<_> = found.wrong.iter().take(10).cloned().collect();
        prop_assert!(found.wrong.is_empty(), "{found}:\n{}\n{}", shown.join("\n"), shape.text());
        total.borrow_mut().add(found);
        Ok(())
    });
    println!("{}", total.borrow());
    if let Err(failure) = result {
        panic!("{failure}");
    }
}

#[test]
fn trace_and_reach_agree_on_random_networks() {
    agree_on(3, 24, 200, runner(120, 1));
}

/// Every atom of every source.
#[test]
fn trace_and_reach_agree_exhaustively_on_small_networks() {
    agree_on(1, 4, usize::MAX, runner(1, 2));
}

/// Every set that a network's sources reach, as boxes, on a number of threads.
fn all_boxes(network: &Network<'_>, threads: usize) -> Vec<String> {
    let places: Vec<_> = sources(network);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let reach = Reach::of(network);
    let explored = pool.install(|| {
        reach.explore(&classes(network, &places), &Request::of(Question::Connection), |mut explored| {
            let rows = explored.deliveries().into_iter();
            let rows = rows.map(|row| {
                let sets = [row.over, row.under, row.answered_over, row.answered_under];
                let boxes = sets.map(|set| explored.arena.boxes(set).collect::<Vec<_>>());
                format!("{:?} {:?} {boxes:?}", row.sink, row.destination)
            });
            rows.collect::<Vec<_>>()
        })
    });
    explored.unwrap().into_iter().flatten().flatten().collect()
}

#[test]
fn the_number_of_threads_changes_nothing() {
    for seed in 0..20 {
        let scenario = Shape::of_seed(seed, 16).scenario().unwrap();
        let snapshot = load(scenario.inputs()).unwrap();
        let network = Network::build(&snapshot, Options::default()).unwrap();
        assert_eq!(all_boxes(&network, 1), all_boxes(&network, 2), "{seed}");
    }
}
