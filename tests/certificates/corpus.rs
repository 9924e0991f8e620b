//! Every network of the corpus: what holds is accepted, and what does not hold is not.

use rayon::prelude::*;
use reachproof_checker::verify;
use reachproof_engine::check::{Verdict, check};
use reachproof_engine::network::{Network, Options};
use reachproof_engine::reach::Reach;
use reachproof_model::ingest::load;
use reachproof_model::policy::Policy;
use reachproof_model::snapshot::Snapshot;
use reachproof_scenarios::{Scenario, corpus};

use crate::support::{TODAY, certificate, parse};

/// Of the properties of a network every so manieth is decided; all of them, 1 here, take minutes.
const STRIDE: usize = 11;

/// Properties about every pair of ends that a network has.
fn policies(snapshot: &Snapshot) -> Vec<Policy> {
    let mut ends: Vec<String> = snapshot.interfaces.values().map(|row| row.meta.id.to_string()).collect();
    ends.extend(["internet", "onprem,any-external,allow-empty", "any"].map(str::to_owned));
    let forms = |from: &str, to: &str| {
        [
            format!("forbid: {{from: '{from}', to: '{to}'}}"),
            format!("forbid: {{from: '{from}', to: '{to}', port: [tcp/443, icmp/8, icmpv6]}}"),
        ]
    };
    let mut texts: Vec<String> = Vec::new();
    for (i, from) in ends.iter().enumerate() {
        let others = ends.iter().enumerate().filter(|(j, _)| i != *j);
        texts.extend(others.flat_map(|(_, to)| forms(from, to)));
    }
    let gateways = snapshot.internet_gateways.values().map(|row| &row.meta.id);
    let through = gateways
        .chain(snapshot.endpoints.values().map(|row| &row.meta.id))
        .chain(snapshot.nat_gateways.values().map(|row| &row.meta.id));
    texts
        .extend(through.map(|id| {
            format!("only-through: {{from: 'vpc-*', to: 'internet,any-external', through: {id}}}")
        }));
    texts.push("isolate: {between: 'eni-app', and: 'internet,onprem,allow-empty'}".to_owned());
    texts.iter().map(|text| parse(text)).collect()
}

/// What is wrong with the certificates of one network: proofs that are rejected, and accepted ones that prove nothing.
fn wrong(scenario: &Scenario) -> (usize, usize, Vec<String>) {
    let snapshot = load(scenario.inputs()).expect("the answers load");
    let Ok(network) = Network::build(&snapshot, Options::default()) else { return (0, 0, Vec::new()) };
    let (reach, digest) = (Reach::of(&network), snapshot.digest());
    let (mut accepted, mut rejected, mut wrong) = (0, 0, Vec::new());
    for policy in policies(&snapshot).into_iter().step_by(STRIDE) {
        let Ok(reports) = check(&network, &policy, TODAY) else { continue };
        for (property, report) in policy.properties.iter().zip(&reports) {
            let certificate = certificate(&reach, property, report, &digest);
            match (verify(&certificate, &snapshot), report.verdict) {
                (Ok(()), Verdict::Holds) => accepted += 1,
                (Err(_), Verdict::Violated | Verdict::Unknown) => rejected += 1,
                (found, verdict) => {
                    wrong.push(format!(
                        "{} {}: {verdict:?}, {found:?}",
                        scenario.name(),
                        certificate.claim.statement
                    ));
                }
            }
        }
    }
    (accepted, rejected, wrong)
}

#[test]
fn proofs_of_the_corpus_are_accepted_and_nothing_else_is() {
    let scenarios = corpus();
    let found: Vec<_> = scenarios.par_iter().map(wrong).collect();
    let accepted: usize = found.iter().map(|(accepted, _, _)| accepted).sum();
    let rejected: usize = found.iter().map(|(_, rejected, _)| rejected).sum();
    println!("{accepted} proofs accepted, {rejected} other certificates rejected");
    let wrong: Vec<String> = found.into_iter().flat_map(|(_, _, wrong)| wrong).collect();
    let shown: Vec<_> = wrong.iter().take(40).collect();
    assert!(wrong.is_empty(), "{} wrong: {shown:#?}", wrong.len());
    assert!(accepted > 1_000 && rejected > 200, "the corpus is there");
}
