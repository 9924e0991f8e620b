//! Every shape is a network, and equal seeds give equal networks.

use std::collections::BTreeMap;

use reachproof_model::ingest::load;

use super::Shape;

const SEEDS: u64 = 300;

#[test]
fn every_shape_is_a_network_that_loads() {
    for seed in 0..SEEDS {
        let shape = Shape::of_seed(seed, 20);
        let scenario = shape.scenario().unwrap_or_else(|error| panic!("{seed}: {error}\n{}", shape.text()));
        let loaded = load(scenario.inputs());
        let snapshot = loaded.unwrap_or_else(|error| panic!("{seed}: {error}\n{}", shape.text()));
        assert_eq!(snapshot.vpcs.len(), shape.vpcs.len().min(3));
    }
}

#[test]
fn equal_seeds_give_equal_networks() {
    assert_eq!(Shape::of_seed(7, 20).text(), Shape::of_seed(7, 20).text());
    assert_ne!(Shape::of_seed(7, 20).text(), Shape::of_seed(8, 20).text());
}

/// Every kind of piece is drawn and finds something to attach to.
#[test]
fn every_section_occurs() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 0..SEEDS {
        let file: serde_json::Value = serde_json::from_str(&Shape::of_seed(seed, 20).text()).unwrap();
        for section in file["network"].as_object().unwrap().keys() {
            *counts.entry(section.clone()).or_default() += 1;
        }
    }
    let rare: Vec<_> = counts.iter().filter(|(_, count)| **count < 5).collect();
    assert!(counts.len() >= 19 && rare.is_empty(), "{counts:?}");
}
