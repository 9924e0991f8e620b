//! Generated organisations, as the answers of the AWS CLI and as snapshots.

use rayon::prelude::*;
use reachproof_model::ingest::{Input, load};
use reachproof_model::policy::{Policy, PolicyFile};
use reachproof_model::snapshot::Snapshot;
use reachproof_scenarios::Document;
use reachproof_scenarios::organisation::{Organisation, Parameters};

/// Where all choices come from.
const SEED: u64 = 7;

/// An organisation of so many interfaces.
pub fn planned(interfaces: u32) -> Organisation {
    Organisation::plan(Parameters::of_size(SEED, interfaces)).expect("a size that fits")
}

/// All of its answers, changed place by place.
pub fn changed(organisation: &Organisation, change: impl Fn(&mut Vec<Document>) + Sync) -> Vec<Input> {
    let places = (0..organisation.places()).into_par_iter();
    let documents = places.filter_map(|index| organisation.described(index)).flat_map_iter(|mut place| {
        change(&mut place.documents);
        let text = |document: &Document| document.json.to_string().into_bytes();
        place.documents.into_iter().map(move |row| Input { bytes: text(&row), name: row.name })
    });
    documents.collect()
}

/// All of its answers.
pub fn answers(organisation: &Organisation) -> Vec<Input> {
    changed(organisation, |_| {})
}

/// What its answers load as.
pub fn snapshot(organisation: &Organisation) -> Snapshot {
    load(answers(organisation)).expect("the answers load")
}

/// Its policy.
pub fn policy(organisation: &Organisation) -> Policy {
    let text = organisation.policy();
    let read = Policy::read(&[PolicyFile { name: "policy.yaml", bytes: text.as_bytes() }]);
    read.expect("the policy reads")
}
