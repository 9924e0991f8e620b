//! Certificates that are made to keep their checker busy: it says so, in little time and memory, and decides nothing.

use reachproof_checker::{verify, verify_within};
use reachproof_model::certificate::{Area, Certificate};
use reachproof_model::ingest::load;
use reachproof_model::snapshot::Snapshot;
use reachproof_scenarios::corpus;

use crate::support::{certificates, examples};

/// Boxes that a list is blown up to: a product of two such lists fits into no memory.
const MANY: u16 = 60_000;

/// A certificate that is accepted, with its snapshot.
fn accepted() -> (Snapshot, Certificate) {
    let (_, snapshot, forms) = examples().into_iter().next().unwrap();
    let (_, certificate) = certificates(&snapshot, &forms).into_iter().next().unwrap();
    verify(&certificate, &snapshot).unwrap();
    (snapshot, certificate)
}

/// Every list of an invariant with many boxes more, which lie in those that are there.
fn swollen(mut certificate: Certificate) -> Certificate {
    let walks = certificate.proofs.iter_mut().flat_map(|proof| &mut proof.walks);
    for (_, areas) in walks.flat_map(|walk| &mut walk.invariant) {
        let first = areas[0];
        areas.extend((0..MANY).map(|port| Area { source_port: (port, port), ..first }));
    }
    certificate
}

fn is_undecided(limit: u64, certificate: &Certificate, snapshot: &Snapshot) -> bool {
    verify_within(limit, certificate, snapshot).is_err_and(|rejection| rejection.is_undecided())
}

#[test]
fn a_certificate_is_decided_iff_the_limit_allows_it() {
    let (snapshot, certificate) = accepted();
    let enough = (0..40).find(|bits| !is_undecided(1 << bits, &certificate, &snapshot)).unwrap();
    assert!((4..30).contains(&enough), "2^{enough} comparisons");
    assert_eq!(verify_within(1 << enough, &certificate, &snapshot), Ok(()));
    let why = verify_within(10, &certificate, &snapshot).unwrap_err().to_string();
    assert_eq!(why, "checking takes more than the limit of 10 comparisons: nothing was decided");
}

#[test]
fn many_boxes_cost_comparisons() {
    let (snapshot, certificate) = accepted();
    let swollen = swollen(certificate);
    assert!(is_undecided(MANY.into(), &swollen, &snapshot));
    assert_eq!(verify(&swollen, &snapshot), Ok(()));
}

#[test]
fn many_boxes_of_traffic_are_not_multiplied_with_those_of_an_invariant() {
    // Something arrives there, on other ports.
    let scenario = corpus().into_iter().find(|scenario| scenario.name() == "r-nacl-1").unwrap();
    let snapshot = load(scenario.inputs()).unwrap();
    let forms = ["forbid: {from: eni-app, to: eni-db, port: tcp/22}".to_owned()];
    let (_, certificate) = certificates(&snapshot, &forms).into_iter().next().unwrap();
    let mut swollen = swollen(certificate);
    let traffic = &mut swollen.claim.directions[0].traffic.v4;
    let all = traffic[0];
    *traffic = (0..MANY).map(|port| Area { source_port: (port, port), ..all }).collect();
    assert!(is_undecided(1 << 24, &swollen, &snapshot));
}
