//! What waivers accept: the claim says so, and all the rest is proved.

use rayon::prelude::*;
use reachproof_checker::verify;
use reachproof_engine::certificate::{Outcome, certify};
use reachproof_engine::check::{PropertyReport, Verdict, check};
use reachproof_engine::network::{Network, Options};
use reachproof_engine::reach::Reach;
use reachproof_model::certificate::{Certificate, Place, Start};
use reachproof_model::ingest::load;
use reachproof_model::policy::Policy;
use reachproof_model::snapshot::Snapshot;
use reachproof_scenarios::{Scenario, corpus, parse as scenario};

use crate::support::{TODAY, certificate, parse, read};

/// F0 with changes, in the words of a scenario file.
fn network(changes: &str) -> Snapshot {
    let text = format!(
        "reachproof: scenario/v1\nname: waived\ntitle: a network\nrules: [R-CORE-1]\nbase: f0\n{changes}\nexpect:\n  \
         - {{from: web, to: app, verdict: reaches}}\n"
    );
    load(scenario("waived.yaml", &text).expect("the scenario parses").inputs()).expect("the answers load")
}

/// What became of a property with waivers.
struct Found {
    report: PropertyReport,
    certificate: Certificate,
    /// Why the checker rejects it; empty if it does not.
    rejected: String,
}

fn decide(snapshot: &Snapshot, form: &str) -> Found {
    let network = Network::build(snapshot, Options::default()).expect("the spine is there");
    found(&network, &parse(form))
}

fn found(network: &Network<'_>, policy: &Policy) -> Found {
    let report = check(network, policy, TODAY).expect("decided").remove(0);
    let snapshot = network.snapshot;
    let certificate = certificate(&Reach::of(network), &policy.properties[0], &report, &snapshot.digest());
    let rejected = rejection(&certificate, snapshot);
    Found { report, certificate, rejected }
}

fn rejection(certificate: &Certificate, snapshot: &Snapshot) -> String {
    verify(certificate, snapshot).err().map(|rejection| rejection.to_string()).unwrap_or_default()
}

/// The certificate without what one of its waivers accepts.
fn without_waiver(certificate: &Certificate, at: usize) -> Certificate {
    let mut copy = certificate.clone();
    copy.claim.waivers.remove(at);
    for direction in &mut copy.claim.directions {
        direction.accepted.remove(at);
    }
    copy
}

/// How many sources and destinations a waiver accepts in the first direction.
fn accepted(certificate: &Certificate) -> Vec<(usize, usize)> {
    let accepted = &certificate.claim.directions[0].accepted;
    accepted.iter().map(|one| (one.sources.len(), one.destinations.len())).collect()
}

const SERVED: &str = "forbid: {from: 'internet,eni-web', to: 'eni-app,eni-db'}";

#[test]
fn the_rest_of_a_waived_property_is_proved() {
    let snapshot = network("");
    let waived =
        decide(&snapshot, &format!("{SERVED} but for from: eni-web, to: eni-app but for to: eni-db"));
    assert_eq!((waived.report.verdict, &*waived.rejected), (Verdict::Holds, ""));
    let claim = &waived.certificate.claim;
    assert_eq!(claim.waivers.len(), waived.report.waived.len(), "those that accept something");
    assert_eq!(&*claim.waivers[0].statement, " from: eni-web; to: eni-app;");
    assert_eq!(accepted(&waived.certificate)[0], (1, 1));
    assert_eq!(waived.certificate.proofs.len(), 1, "what the internet sends to one of both is left");
    for at in 0..claim.waivers.len() {
        let less = without_waiver(&waived.certificate, at);
        assert_ne!(rejection(&less, &snapshot), "", "without waiver {at}");
    }
    let other = decide(&snapshot, &format!("{SERVED} but for from: internet"));
    assert_eq!(other.report.verdict, Verdict::Violated);
    assert!(other.rejected.contains("something arrives at eni-app"), "{}", other.rejected);
}

#[test]
fn every_part_needs_its_proof_and_nothing_else_has_one() {
    let snapshot = network("");
    let waived = decide(&snapshot, &format!("{SERVED} but for from: eni-web, to: 'eni-app,eni-db'"));
    assert_eq!((waived.report.verdict, &*waived.rejected), (Verdict::Holds, ""));
    let mut less = waived.certificate.clone();
    less.proofs.pop();
    assert_eq!(rejection(&less, &snapshot), "a part of its claim has no proof");
    let mut more = waived.certificate.clone();
    more.proofs.push(more.proofs[0].clone());
    assert_eq!(rejection(&more, &snapshot), "it has a proof of nothing that it claims");
    // Another source than the one that is accepted: what it sends is proved no longer, and what the other one does arrives.
    let mut other = waived.certificate.clone();
    other.claim.directions[0].accepted[0].sources =
        vec![(Place::Internet, vec!["0.0.0.0/0".parse().unwrap()])];
    assert_ne!(rejection(&other, &snapshot), "");
}

#[test]
fn a_waiver_of_everything_leaves_nothing_to_prove() {
    let snapshot = network("");
    let network = Network::build(&snapshot, Options::default()).expect("the spine is there");
    let policy = parse(&format!("{SERVED} but for to: 'eni-app,eni-db'"));
    let report = check(&network, &policy, TODAY).expect("decided").remove(0);
    assert_eq!(report.verdict, Verdict::Holds);
    let outcome = certify(&Reach::of(&network), &policy.properties[0], &report, "00").expect("no limit");
    assert_eq!(outcome, Outcome::None("waivers accept all that it is about"));
}

const OFFICE: &str = "network:\n  security-groups:\n    sg-web: {in: [tcp 443 from 203.0.113.0/24], out: []}";

#[test]
fn a_waiver_of_some_addresses_accepts_no_others() {
    let snapshot = network(OFFICE);
    let form = "forbid: {from: internet, to: eni-web}";
    let office = decide(&snapshot, &format!("{form} but for from: '203.0.113.0/24'"));
    assert_eq!((office.report.verdict, &*office.rejected), (Verdict::Holds, ""), "{:?}", office.report);
    let half = decide(&snapshot, &format!("{form} but for from: '203.0.113.0/25'"));
    assert_eq!(half.report.verdict, Verdict::Violated);
    assert_ne!(half.rejected, "");
    let public = "198.51.100.10/32".parse().unwrap();
    let mut by_public = office.certificate.clone();
    let direction = &mut by_public.claim.directions[0];
    direction.destinations[0].1 = vec!["10.0.0.10/32".parse().unwrap(), public];
    direction.accepted[0].destinations[0].1 = vec![public];
    assert_ne!(rejection(&by_public, &snapshot), "", "the private address is not accepted");
    let mut narrower = office.certificate;
    narrower.claim.directions[0].accepted[0].sources[0].1 = vec!["203.0.113.0/25".parse().unwrap()];
    let why = rejection(&narrower, &snapshot);
    assert!(why.contains("leads out of the invariant") || why.contains("something arrives"), "{why}");
}

/// A guest whose second interface has a public address.
const TWO_WAYS: &str = "network:\n  route-tables:\n    rtb-prv: {routes: {0.0.0.0/0: ~}}\n  interfaces:\n    \
    eni-h1: {subnet: subnet-prv-a, addresses: [10.0.1.40], groups: [sg-open], instance: i-h}\n    eni-h2: \
    {subnet: subnet-pub-a, addresses: [10.0.0.40], public: {10.0.0.40: 198.51.100.40}, groups: [sg-open], instance: i-h, device: 1}";

#[test]
fn another_interface_of_a_guest_is_accepted_only_by_name() {
    let snapshot = network(TWO_WAYS);
    let form = "forbid: {from: 'eni-h1,eni-app', to: internet}";
    let one = decide(&snapshot, &format!("{form} but for from: eni-h1"));
    assert_eq!(one.report.verdict, Verdict::Unknown, "{:?}", one.report);
    assert!(one.rejected.contains("something arrives at internet"), "{}", one.rejected);
    let both = decide(&snapshot, &format!("{form} but for from: i-h"));
    assert_eq!((both.report.verdict, &*both.rejected), (Verdict::Holds, ""), "{:?}", both.report);
    let is_second = |start: &Start| match start {
        Start::Class(members) => {
            members.iter().any(|id| &*snapshot.interfaces.get(*id).expect("one").meta.id == "eni-h2")
        }
        Start::Place(_) => false,
    };
    let mut forged = one.certificate;
    forged.proofs[0].walks.retain(|walk| !is_second(&walk.start));
    assert_eq!(rejection(&forged, &snapshot), "eni-h2 is a source, and no walk starts there with V4");
}

/// Of the properties of a network every so manieth is decided.
const STRIDE: usize = 11;

/// The property with waivers of what its witnesses show until it holds, if it does before long.
fn waived(network: &Network<'_>, form: &str) -> Option<Policy> {
    let mut form = form.to_owned();
    for _ in 0..6 {
        let policy = read(&form)?;
        let report = check(network, &policy, TODAY).ok()?.into_iter().next()?;
        if report.verdict == Verdict::Holds {
            return Some(policy).filter(|_| !report.waived.is_empty());
        }
        let witness = report.witnesses.first()?;
        form.push_str(&format!(" but for from: '{}', to: '{}'", witness.from, witness.to));
    }
    None
}

#[test]
fn waived_proofs_of_the_corpus_are_accepted_and_need_their_waivers() {
    let of = |scenario: &Scenario| {
        let snapshot = load(scenario.inputs()).expect("the answers load");
        let Ok(network) = Network::build(&snapshot, Options::default()) else { return [0; 2] };
        let ends: Vec<String> = snapshot.interfaces.values().map(|row| row.meta.id.to_string()).collect();
        let to = |id: &String| {
            ["", ", port: tcp/443"].map(|traffic| format!("forbid: {{from: 'any', to: '{id}'{traffic}}}"))
        };
        let isolated = |id: &String| format!("isolate: {{between: '{id}', and: 'any,!{id}', port: tcp/443}}");
        let forms = ends.iter().flat_map(to).chain(ends.iter().map(isolated)).step_by(STRIDE);
        let mut counts = [0; 2];
        for policy in forms.filter_map(|form| waived(&network, &form)) {
            let found = found(&network, &policy);
            let certificate = &found.certificate;
            let said = (scenario.name(), &certificate.claim.statement, &certificate.claim.waivers);
            assert_eq!(found.rejected, "", "{said:?}");
            counts[0] += 1;
            for at in 0..certificate.claim.waivers.len() {
                assert_ne!(
                    rejection(&without_waiver(certificate, at), &snapshot),
                    "",
                    "{said:?} without {at}"
                );
                let mut less = policy.clone();
                less.waivers.remove(at);
                let less = self::found(&network, &less);
                assert_eq!(less.report.verdict == Verdict::Holds, less.rejected.is_empty(), "{said:?} {at}");
                counts[1] += usize::from(!less.rejected.is_empty());
            }
        }
        counts
    };
    let found: Vec<[usize; 2]> = corpus().par_iter().map(of).collect();
    let [accepted, rejected] = [0, 1].map(|at| found.iter().map(|one| one[at]).sum::<usize>());
    println!("{accepted} proofs accepted, {rejected} with a waiver less rejected");
    assert!(accepted > 100 && rejected > 100, "the corpus is there");
}
