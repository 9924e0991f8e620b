//! Every network of the corpus: what holds is accepted, and what does not hold is not.

use rayon::prelude::*;
use reachproof_checker::verify;
use reachproof_engine::check::{PropertyReport, Verdict, check};
use reachproof_engine::network::{Network, Options};
use reachproof_engine::reach::Reach;
use reachproof_model::ingest::load;
use reachproof_model::policy::Policy;
use reachproof_model::snapshot::Snapshot;
use reachproof_scenarios::{Scenario, corpus};

use crate::support::{TODAY, certificate, parse, small_networks};

/// Of the properties of a network every so manieth is decided; all of them, 1 here, take minutes.
const STRIDE: usize = 17;

/// Properties about every pair of ends that a network has, in some forms.
fn pairs<T, const N: usize>(snapshot: &Snapshot, forms: &impl Fn(&str, &str) -> [T; N]) -> Vec<T> {
    let mut ends: Vec<String> = snapshot.interfaces.values().map(|row| row.meta.id.to_string()).collect();
    ends.extend(["internet", "onprem,any-external,allow-empty", "any"].map(str::to_owned));
    let mut texts: Vec<T> = Vec::new();
    for (i, from) in ends.iter().enumerate() {
        let others = ends.iter().enumerate().filter(|(j, _)| i != *j);
        texts.extend(others.flat_map(|(_, to)| forms(from, to)));
    }
    texts
}

/// Properties of all forms about every pair of ends that a network has.
fn policies(snapshot: &Snapshot) -> Vec<Policy> {
    let forms = |from: &str, to: &str| {
        [
            format!("forbid: {{from: '{from}', to: '{to}'}}"),
            format!("forbid: {{from: '{from}', to: '{to}', port: [tcp/443, icmp/8, icmpv6]}}"),
        ]
    };
    let mut texts = pairs(snapshot, &forms);
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
fn wrong(
    name: &str,
    snapshot: &Snapshot,
    policies: impl Iterator<Item = Policy>,
) -> (usize, usize, Vec<String>) {
    let Ok(network) = Network::build(snapshot, Options::default()) else { return (0, 0, Vec::new()) };
    let (reach, digest) = (Reach::of(&network), snapshot.digest());
    let (mut accepted, mut rejected, mut wrong) = (0, 0, Vec::new());
    for policy in policies {
        let Ok(reports) = check(&network, &policy, TODAY) else { continue };
        for (property, report) in policy.properties.iter().zip(&reports) {
            let certificate = certificate(&reach, property, report, &digest);
            match (verify(&certificate, snapshot), report.verdict) {
                (Ok(()), Verdict::Holds) => accepted += 1,
                (Err(_), Verdict::Violated | Verdict::Unknown) => rejected += 1,
                (found, verdict) => {
                    wrong.push(format!("{name} {}: {verdict:?}, {found:?}", certificate.claim.statement));
                }
            }
        }
    }
    (accepted, rejected, wrong)
}

#[test]
fn proofs_of_the_corpus_are_accepted_and_nothing_else_is() {
    let scenarios = corpus();
    let of = |scenario: &Scenario| {
        let snapshot = load(scenario.inputs()).expect("the answers load");
        let policies = policies(&snapshot).into_iter().step_by(STRIDE);
        wrong(scenario.name(), &snapshot, policies)
    };
    let found: Vec<_> = scenarios.par_iter().map(of).collect();
    let accepted: usize = found.iter().map(|(accepted, _, _)| accepted).sum();
    let rejected: usize = found.iter().map(|(_, rejected, _)| rejected).sum();
    println!("{accepted} proofs accepted, {rejected} other certificates rejected");
    let wrong: Vec<String> = found.into_iter().flat_map(|(_, _, wrong)| wrong).collect();
    let shown: Vec<_> = wrong.iter().take(40).collect();
    assert!(wrong.is_empty(), "{} wrong: {shown:#?}", wrong.len());
    assert!(accepted > 1_000 && rejected > 200, "the corpus is there");
}

/// Traffic of a property, and that of what it could answer: ICMP errors may answer anything.
const ANSWERS: [(&str, &str); 4] = [
    ("", ""),
    (", port: tcp/443", ", port: tcp"),
    (", port: [udp/53, icmp/8, icmpv6]", ""),
    (", protocol: 47", ", protocol: 47"),
];

/// A property that counts replies, and that nothing which they could answer arrives.
fn answering(from: &str, to: &str) -> [(String, String); 4] {
    ANSWERS.map(|(traffic, asked)| {
        let answers = format!("forbid: {{from: '{from}', to: '{to}'{traffic}, including-replies: true}}");
        (answers, format!("forbid: {{from: '{to}', to: '{from}'{asked}}}"))
    })
}

#[test]
fn proofs_that_count_replies_are_accepted_unless_only_the_replies_are_lost() {
    let of = |scenario: &Scenario| {
        let snapshot = load(scenario.inputs()).expect("the answers load");
        let Ok(network) = Network::build(&snapshot, Options::default()) else { return [0; 3] };
        let (reach, digest) = (Reach::of(&network), snapshot.digest());
        let [mut accepted, mut rejected, mut lost] = [0; 3];
        for (answers, asked) in pairs(&snapshot, &answering).into_iter().step_by(STRIDE) {
            let [Some((policy, report)), Some((_, asked))] =
                [answers, asked].map(|text| decided(&network, &text))
            else {
                continue;
            };
            let certificate = certificate(&reach, &policy.properties[0], &report, &digest);
            let checked = verify(&certificate, &snapshot);
            let holds = report.verdict == Verdict::Holds;
            match (&checked, holds) {
                (Ok(()), true) => accepted += 1,
                (Err(_), false) => rejected += 1,
                // An error may also answer what a sibling of the source received, which nobody asked about here.
                (Err(_), true) if asked.verdict != Verdict::Holds || may_err(&policy) => {
                    let unreplied = &certificate.claim.directions[0].unreplied;
                    assert!(may_err(&policy) || !unreplied.is_empty(), "{checked:?}");
                    lost += 1;
                }
                _ => panic!("{} {}: {holds}, {checked:?}", scenario.name(), certificate.claim.statement),
            }
        }
        [accepted, rejected, lost]
    };
    let found: Vec<_> = corpus().par_iter().map(of).collect();
    let [accepted, rejected, lost] = [0, 1, 2].map(|at| found.iter().map(|one| one[at]).sum::<usize>());
    println!(
        "{accepted} proofs accepted, {rejected} other certificates rejected, {lost} without certificate"
    );
    assert!(accepted > 500 && rejected > 500 && lost < accepted / 10, "the corpus is there");
}

fn may_err(policy: &Policy) -> bool {
    policy.properties[0].traffic.iter().any(|spec| spec.protocol().is_icmp())
}

fn decided(network: &Network<'_>, form: &str) -> Option<(Policy, PropertyReport)> {
    let policy = parse(form);
    let report = check(network, &policy, TODAY).ok()?.into_iter().next()?;
    Some((policy, report))
}

/// Calls that list what joins a VPC to other networks.
const JOINING: [&str; 4] = [
    "ec2 describe-vpc-peering-connections",
    "ec2 describe-vpn-gateways",
    "ec2 describe-transit-gateway-attachments",
    "ec2 describe-transit-gateway-vpc-attachments",
];

#[test]
fn networks_that_no_answer_describes_are_sources() {
    let forms = ["onprem,any-external,allow-empty", "any-external,allow-empty", "internet"].map(|from| {
        [
            format!("forbid: {{from: '{from}', to: 'eni-app'}}"),
            format!("forbid: {{from: '{from}', to: 'eni-app', port: tcp/9}}"),
        ]
    });
    let (mut accepted, mut rejected) = (0, 0);
    for (name, snapshot, _) in small_networks() {
        for missing in JOINING.iter().map(std::slice::from_ref).chain([&JOINING[..]]) {
            let mut changed = snapshot.clone();
            for id in snapshot.scopes.ids() {
                let calls = &mut changed.scopes.get_mut(id).unwrap().calls;
                calls.retain(|call, _| !missing.contains(&&**call));
            }
            let policies = forms.iter().flatten().map(|form| parse(form));
            let (more, less, wrong) = wrong(&format!("{name} without {missing:?}"), &changed, policies);
            assert!(wrong.is_empty(), "{wrong:#?}");
            (accepted, rejected) = (accepted + more, rejected + less);
        }
    }
    println!("{accepted} accepted, {rejected} rejected");
    assert!(accepted > 10 && rejected > 10, "{accepted} and {rejected}: the neighbours matter");
}
