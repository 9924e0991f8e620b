//! What no certificate may hold, and what a property says.

use super::*;
use crate::id::{EniId, Id};
use crate::policy::Policy;

fn property(text: &str) -> crate::policy::Property {
    let text =
        format!("reachproof: policy/v1\ngroups:\n  ml: tag:Role=ml\nproperties:\n  - {{name: p, {text}}}\n");
    Policy::parse("policy.yaml", text.as_bytes()).unwrap().properties.remove(0)
}

fn certificate() -> Certificate {
    let property = property("forbid: {from: internet, to: ml, port: tcp/22}");
    let site = Site::Route { table: None, vpc: Id::from_index(0), from: None };
    let location = Location { site, sender: Sender::Nobody, origin: Origin::Internet, family: Family::V4 };
    let area = Area::full(Family::V4);
    let walk = Walk {
        start: Start::Place(Place::Internet),
        family: Family::V4,
        invariant: vec![(location, vec![area])],
    };
    let direction = Direction {
        sources: vec![(Place::Internet, vec!["0.0.0.0/0".parse().unwrap()])],
        destinations: vec![(Place::Interface(EniId::from_index(0)), vec!["0.0.0.0/0".parse().unwrap()])],
        traffic: Traffic { v4: vec![area], ..Traffic::default() },
        avoided: Vec::new(),
        answers: false,
        accepted: Vec::new(),
        unanswered: Vec::new(),
        unreplied: Vec::new(),
    };
    let claim = Claim {
        property: property.name.clone(),
        form: "forbid".into(),
        question: property.question,
        statement: statement(&property).into(),
        live_only: false,
        supposed: Vec::new(),
        directions: vec![direction],
        waivers: Vec::new(),
        assumptions: Default::default(),
        notes: Vec::new(),
    };
    let (snapshot, policy) = ("00".into(), policy_digest(&property).into());
    Certificate { semantics: SEMANTICS, snapshot, policy, claim, proofs: vec![Proof { walks: vec![walk] }] }
}

/// What is wrong with a certificate that is written nevertheless.
fn fault(change: impl FnOnce(&mut Certificate)) -> String {
    let mut certificate = certificate();
    change(&mut certificate);
    let bytes = write_certificate(&certificate).unwrap();
    read_certificate("x.cert", &bytes).unwrap_err().to_string()
}

#[test]
fn what_is_written_is_read() {
    let bytes = write_certificate(&certificate()).unwrap();
    assert!(is_certificate(&bytes) && !is_certificate(b"{}"));
    assert_eq!(read_certificate("x.cert", &bytes).unwrap(), certificate());
}

#[test]
fn what_no_proof_has_is_refused() {
    assert!(fault(|one| one.semantics = 9).contains("version 9 of the rules"));
    assert!(fault(|one| one.claim.property = "q".into()).contains("another digest"));
    let waiving = Waiving { statement: "".into(), owner: "".into(), why: "".into(), until: "".into() };
    let waived = |one: &mut Certificate| one.claim.waivers = vec![waiving.clone()];
    assert!(fault(waived).contains("0 parts that are accepted, expected 1"));
    assert!(fault(|one| one.claim.waivers = vec![waiving.clone(); 65]).contains("at most 64"));
    assert!(fault(|one| one.proofs[0].walks[0].invariant[0].1[0].port = (2, 1)).contains("no header is in"));
    assert!(
        fault(|one| one.proofs[0].walks[0].invariant[0].1[0].source.1 = 1 << 32).contains("no header is in")
    );
    let pairs = Pairs { sources: Vec::new(), destinations: Vec::new() };
    assert!(fault(|one| one.claim.directions[0].unanswered = vec![pairs.clone(); 65]).contains("at most 64"));
    let supposed = Supposed { subnet: Id::from_index(0), groups: Vec::new(), public: false };
    let suppose = |one: &mut Certificate| one.claim.supposed = vec![supposed.clone(); 2];
    assert!(fault(suppose).contains("supposed interfaces out of order"));
    let twice = |one: &mut Certificate| {
        let area = one.proofs[0].walks[0].invariant[0].1[0];
        one.proofs[0].walks[0].invariant[0].1.push(area);
    };
    assert!(fault(twice).contains("boxes out of order"));
}

#[test]
fn a_statement_tells_properties_apart() {
    let texts = [
        "forbid: {from: internet, to: ml}",
        "forbid: {from: internet, to: ml, port: tcp/22}",
        "forbid: {from: internet, to: ml, question: connection}",
        "forbid: {from: internet, to: ml, except-from: eni-1}",
        "forbid: {from: internet, to: tag:Role=ml}",
        "isolate: {between: internet, and: ml}",
        "only-through: {from: internet, to: ml, through: igw-1}",
    ];
    let mut all: Vec<String> = texts.iter().map(|text| policy_digest(&property(text))).collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), texts.len());
    let grouped = statement(&property("forbid: {from: internet, to: ml}"));
    assert_eq!(grouped, "forbid from: internet; to: ml [ml = tag:Role=ml]; packet");
}
