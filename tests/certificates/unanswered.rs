//! Connections that are none because only their answers are lost: the certificate says of which pairs, and proves it.

use rayon::prelude::*;
use reachproof_checker::verify;
use reachproof_engine::check::{Verdict, check};
use reachproof_engine::network::{Network, Options};
use reachproof_engine::reach::Reach;
use reachproof_model::certificate::{Certificate, Place, Proof};
use reachproof_model::flow::Question;
use reachproof_model::ingest::load;
use reachproof_model::snapshot::Snapshot;
use reachproof_scenarios::{Scenario, corpus, parse as scenario};

use crate::support::{TODAY, certificate, parse};

/// F0 with changes, in the words of a scenario file.
fn network(changes: &str) -> Snapshot {
    let text = format!(
        "reachproof: scenario/v1\nname: lost\ntitle: a network\nrules: [R-CORE-1]\nbase: f0\n{changes}\nexpect:\n  \
         - {{from: web, to: app, verdict: reaches}}\n"
    );
    load(scenario("lost.yaml", &text).expect("the scenario parses").inputs()).expect("the answers load")
}

/// What was decided, the certificate that would prove it, and why that is rejected; empty if it is not.
fn decide(snapshot: &Snapshot, form: &str) -> (Verdict, Certificate, String) {
    let network = Network::build(snapshot, Options::default()).expect("the spine is there");
    let policy = parse(form);
    let report = check(&network, &policy, TODAY).expect("decided").remove(0);
    let certificate = certificate(&Reach::of(&network), &policy.properties[0], &report, &snapshot.digest());
    let rejected = rejection(&certificate, snapshot);
    (report.verdict, certificate, rejected)
}

fn rejection(certificate: &Certificate, snapshot: &Snapshot) -> String {
    verify(certificate, snapshot).err().map(|rejection| rejection.to_string()).unwrap_or_default()
}

/// Why a changed certificate is rejected.
fn changed(certificate: &Certificate, snapshot: &Snapshot, change: impl FnOnce(&mut Certificate)) -> String {
    let mut copy = certificate.clone();
    change(&mut copy);
    rejection(&copy, snapshot)
}

/// Whether a certificate is about lost answers.
fn is_about_answers(certificate: &Certificate) -> bool {
    certificate.claim.directions.iter().any(|one| !one.unanswered.is_empty() || !one.unreplied.is_empty())
}

fn id(snapshot: &Snapshot, name: &str) -> Place {
    let mut rows = snapshot.interfaces.iter();
    Place::Interface(rows.find(|(_, row)| &*row.meta.id == name).expect("the interface").0)
}

/// One route of two.
const ONE_WAY: &str = "network:\n  peerings:\n    pcx-1: {requester: vpc-a, accepter: vpc-b}\n  route-tables:\n    rtb-pub: {routes: {10.1.0.0/16: pcx-1}}";

#[test]
fn a_peering_with_one_route_answers_nothing() {
    let snapshot = network(ONE_WAY);
    let packets = decide(&snapshot, "forbid: {from: eni-web, to: eni-b1}");
    assert_eq!(packets.0, Verdict::Violated);
    let (verdict, certificate, rejected) =
        decide(&snapshot, "forbid: {from: 'eni-web,eni-app', to: 'eni-b1', question: connection}");
    assert_eq!((verdict, &*rejected), (Verdict::Holds, ""));
    let lists = &certificate.claim.directions[0].unanswered;
    let sources: Vec<&Place> = lists[0].sources.iter().map(|(place, _)| place).collect();
    assert_eq!((lists.len(), sources), (1, vec![&id(&snapshot, "eni-web")]), "eni-app sends nothing there");
    assert_eq!(certificate.proofs.len(), 3, "what app sends, what web sends, and its answers");
    let because = |change: fn(&mut Certificate)| changed(&certificate, &snapshot, change);
    assert_eq!(
        because(|one| one.claim.question = Question::Packet),
        "it lists pairs without answers, and the claim is not about answers"
    );
    let unlisted = because(|one| {
        one.claim.directions[0].unanswered.clear();
        one.proofs.truncate(1);
    });
    assert_ne!(unlisted, "");
    let unproved = because(|one| drop(one.proofs.pop()));
    assert_eq!(unproved, "a part of its claim has no proof");
    let silent = because(|one| one.proofs[2].walks.clear());
    assert_eq!(silent, "eni-b1 is a source, and no walk starts there with V4");
    let shrunk = because(|one| one.proofs[2].walks.iter_mut().for_each(|walk| walk.invariant.clear()));
    assert!(shrunk.contains("leads out of the invariant"), "{shrunk}");
}

#[test]
fn pairs_that_are_answered_are_no_lost_ones() {
    let open = network("");
    let (verdict, certificate, rejected) =
        decide(&open, "forbid: {from: eni-web, to: 'eni-app', question: connection}");
    assert_eq!(verdict, Verdict::Violated);
    assert!(rejected.contains("an answer is back at eni-web"), "{rejected}");
    let forged = changed(&certificate, &open, |one| one.claim.directions[0].unanswered.clear());
    assert_ne!(forged, "");
    // The answers of another pair are lost; listed with this one they are not.
    let snapshot = network(ONE_WAY);
    let (_, certificate, _) =
        decide(&snapshot, "forbid: {from: eni-web, to: 'eni-b1', question: connection}");
    let wider = changed(&certificate, &snapshot, |one| {
        let app = (id(&snapshot, "eni-app"), vec!["0.0.0.0/0".parse().unwrap()]);
        one.claim.directions[0].destinations.insert(0, app.clone());
        one.claim.directions[0].unanswered[0].destinations.insert(0, app);
    });
    assert_ne!(wider, "", "what eni-app answers gets back");
}

/// What comes into the public subnet is of one kind.
fn only_in(what: &str, more: &str) -> Snapshot {
    let list = format!("in: [100 allow {what} 0.0.0.0/0], out: [100 allow all 0.0.0.0/0]");
    network(&format!(
        "network:\n  network-acls:\n    acl-pub: {{vpc: vpc-a, subnets: [subnet-pub-a], {list}}}\n{more}"
    ))
}

/// Without what may be an ICMP error.
fn without_errors(proofs: &mut [Proof]) {
    let walks = proofs.iter_mut().flat_map(|proof| &mut proof.walks);
    let lists = walks.flat_map(|walk| &mut walk.invariant);
    lists.for_each(|(_, areas)| areas.retain(|area| !(area.protocol.0..=area.protocol.1).contains(&1)));
}

#[test]
fn an_icmp_error_is_an_answer() {
    let form = "forbid: {from: eni-web, to: eni-app, port: tcp/443, question: connection}";
    let snapshot = only_in("icmp", "");
    let (verdict, certificate, rejected) = decide(&snapshot, form);
    assert_eq!(verdict, Verdict::Holds, "it is no connection");
    assert!(rejected.contains("an answer is back at eni-web"), "{rejected}");
    let forged = changed(&certificate, &snapshot, |one| {
        let packets = one.proofs.len() - 1;
        without_errors(&mut one.proofs[packets..]);
    });
    assert!(forged.contains("leads out of the invariant"), "{forged}");
    let (verdict, certificate, rejected) = decide(&only_in("icmp 8", ""), form);
    assert_eq!((verdict, &*rejected), (Verdict::Holds, ""), "requests are no errors");
    assert!(is_about_answers(&certificate));
}

#[test]
fn an_icmp_error_replies_to_what_is_not_icmp() {
    let text = include_str!("../lost/errors-answer.yaml");
    let snapshot = load(scenario("errors-answer.yaml", text).expect("the scenario parses").inputs());
    let snapshot = snapshot.expect("the answers load");
    for traffic in ["", "protocol: icmp, "] {
        let form = format!("forbid: {{from: eni-server, to: eni-client, {traffic}including-replies: true}}");
        let (_, certificate, rejected) = decide(&snapshot, &form);
        assert!(rejected.contains("something arrives at eni-client"), "{rejected}");
        let forged = changed(&certificate, &snapshot, |one| without_errors(&mut one.proofs[..1]));
        assert!(forged.contains("leads out of the invariant"), "{forged}");
    }
    // Nothing new comes in, but what is about packets that went out: web sends by TCP alone.
    let block = "  block-public-access: {mode: block-ingress}\n  security-groups:\n    sg-web: {out: [tcp 443 to any]}";
    let form = "forbid: {from: internet, to: eni-web, protocol: icmp, including-replies: true}";
    let snapshot = only_in("icmp 3", block);
    let (_, certificate, rejected) = decide(&snapshot, form);
    assert!(rejected.contains("an answer is back at eni-web"), "{rejected}");
    let unasked = changed(&certificate, &snapshot, |one| {
        one.claim.directions[0].unreplied.clear();
        one.proofs.truncate(2);
    });
    assert!(unasked.contains("something arrives at internet"), "{unasked}");
    let (verdict, certificate, rejected) = decide(&only_in("icmp 8", block), form);
    assert_eq!((verdict, &*rejected), (Verdict::Holds, ""), "no error comes in");
    assert!(is_about_answers(&certificate));
}

#[test]
fn connections_to_endpoints_are_not_said_to_be_lost() {
    let is_refused = |snapshot: &Snapshot, name: &str| {
        let form = format!("forbid: {{from: eni-web, to: {name}, port: tcp/443, question: connection}}");
        let (_, _, rejected) = decide(snapshot, &form);
        assert!(rejected.contains(&format!("cannot check where answers of {name} get to")), "{rejected}");
    };
    let by_kind = format!("{ONE_WAY}\n  interfaces:\n    eni-b1: {{kind: vpc_endpoint, instance: ~}}");
    is_refused(&network(&by_kind), "eni-b1");
    let endpoint = "vpce-1: {vpc: vpc-b, kind: interface, service: sts, groups: [sg-b1], interfaces: {eni-e: {subnet: subnet-b, address: 10.1.1.50}}}";
    let mut listed = network(&format!("{ONE_WAY}\n  endpoints:\n    {endpoint}"));
    listed.interfaces.values_mut().filter(|row| &*row.meta.id == "eni-e").for_each(|row| row.kind = None);
    is_refused(&listed, "eni-e");
}

#[test]
fn answers_that_a_nat_gateway_sends_in_place_of_the_asked_are_none() {
    let scenario = corpus().into_iter().find(|scenario| scenario.name() == "t-conn-02").expect("the vector");
    let snapshot = load(scenario.inputs()).expect("the answers load");
    let (verdict, certificate, rejected) =
        decide(&snapshot, "forbid: {from: internet, to: eni-web, question: connection}");
    assert_eq!((verdict, &*rejected), (Verdict::Holds, ""));
    assert!(is_about_answers(&certificate));
}

/// The private subnets lead to the NAT gateway, into whose subnet nothing comes from the internet.
const SHUT: &str = "network:\n  route-tables:\n    rtb-prv: {routes: {0.0.0.0/0: nat-1}}\n  network-acls:\n    acl-a: {in: [100 allow all 10.0.0.0/8]}";

#[test]
fn what_was_translated_is_not_followed() {
    let snapshot = network(SHUT);
    let (verdict, _, rejected) =
        decide(&snapshot, "forbid: {from: eni-app, to: internet, question: connection}");
    assert_eq!(verdict, Verdict::Holds);
    assert!(rejected.contains("what no answer can be followed of arrives at internet"), "{rejected}");
    // What is sent without translation is.
    let (verdict, certificate, rejected) =
        decide(&snapshot, "forbid: {from: eni-web, to: internet, question: connection}");
    assert_eq!((verdict, &*rejected), (Verdict::Holds, ""));
    assert!(is_about_answers(&certificate));
}

#[test]
fn replies_to_answers_that_are_lost_are_no_way_in() {
    // What eni-b1 sends to eni-web gets there, and the answer of that has no way back: neither is b1 asked nor web.
    let snapshot = network(ONE_WAY.replace("rtb-pub", "rtb-b").replace("10.1.0.0", "10.0.0.0").as_str());
    let (verdict, certificate, rejected) =
        decide(&snapshot, "forbid: {from: eni-web, to: eni-b1, including-replies: true}");
    assert_eq!((verdict, &*rejected), (Verdict::Holds, ""));
    let direction = &certificate.claim.directions[0];
    assert_eq!((direction.unanswered.len(), direction.unreplied.len()), (0, 1));
    let counted = changed(&certificate, &snapshot, |one| one.claim.directions[0].answers = false);
    assert_eq!(counted, "it lists pairs without answers, and the claim is not about answers");
    let unlisted = changed(&certificate, &snapshot, |one| {
        one.claim.directions[0].unreplied.clear();
        one.proofs.truncate(2);
    });
    assert_ne!(unlisted, "");
}

/// Of the properties of a network every so manieth is decided.
const STRIDE: usize = 13;

/// Counts, over the corpus, of forms about a pair of ends: proved without answers, proved by lost ones, held without proof.
fn counts(form: impl Fn(&str, &str) -> Vec<String> + Sync) -> [usize; 3] {
    let of = |scenario: &Scenario| {
        let snapshot = load(scenario.inputs()).expect("the answers load");
        let Ok(network) = Network::build(&snapshot, Options::default()) else { return [0; 3] };
        let (reach, digest) = (Reach::of(&network), snapshot.digest());
        let mut ends: Vec<String> = snapshot.interfaces.values().map(|row| row.meta.id.to_string()).collect();
        ends.extend(["internet", "onprem,any-external,allow-empty"].map(str::to_owned));
        let pairs = ends.iter().flat_map(|from| ends.iter().map(move |to| (from, to)));
        let forms = pairs.filter(|(from, to)| from != to).flat_map(|(from, to)| form(from, to));
        let mut counts = [0; 3];
        for policy in forms.map(|form| parse(&form)).step_by(STRIDE) {
            let Ok(reports) = check(&network, &policy, TODAY) else { continue };
            let certificate = certificate(&reach, &policy.properties[0], &reports[0], &digest);
            let (rejected, holds) =
                (rejection(&certificate, &snapshot), reports[0].verdict == Verdict::Holds);
            let said = (scenario.name(), &certificate.claim.statement);
            assert!(holds || !rejected.is_empty(), "{said:?} is accepted and does not hold");
            let answers = is_about_answers(&certificate);
            assert!(!holds || answers || rejected.is_empty(), "{said:?}: {rejected}");
            if holds && !rejected.is_empty() {
                println!("{said:?}: {rejected}");
            }
            let kind = if rejected.is_empty() { usize::from(answers) } else { 2 };
            counts[kind] += usize::from(holds);
        }
        counts
    };
    let found: Vec<[usize; 3]> = corpus().par_iter().map(of).collect();
    [0, 1, 2].map(|at| found.iter().map(|one| one[at]).sum())
}

#[test]
fn connections_of_the_corpus_that_hold_are_proved_by_packets_or_by_lost_answers() {
    let forms = ["", ", port: tcp/443", ", port: [udp/53, icmp]"];
    let [packets, answers, neither] = counts(|from, to| {
        forms.map(|port| format!("forbid: {{from: '{from}', to: '{to}'{port}, question: connection}}")).into()
    });
    println!("{packets} proved by packets, {answers} by lost answers, {neither} not at all");
    assert!(packets > 500 && answers > 50 && neither < answers / 10, "the corpus is there");
}
