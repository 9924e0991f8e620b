//! `new:` selectors: what the next workload of a subnet would be exposed to.

#![expect(clippy::expect_used, reason = "helpers of a test")]

use reachproof_engine::check::{PropertyReport, Verdict, check};
use reachproof_engine::network::{Network, Options};
use reachproof_model::ingest::load;
use reachproof_model::policy::Policy;
use reachproof_scenarios::parse;

/// F0 where `db` takes PostgreSQL from `app` alone, and half of the private subnet leads somewhere else.
const FILTERED: &str =
    "network:\n  security-groups:\n    sg-db: {in: [tcp 5432 from sg-app], out: [all to any]}";

fn decide(changes: &str, property: &str) -> Result<PropertyReport, String> {
    let text = format!(
        "reachproof: scenario/v1\nname: new\ntitle: a network\nrules: [R-CORE-1]\nbase: f0\n{changes}\nexpect:\n  \
         - {{from: web, to: app, verdict: reaches}}\n"
    );
    let scenario = parse("new.yaml", &text).expect("the scenario parses");
    let snapshot = load(scenario.inputs()).expect("the answers load");
    let network = Network::build(&snapshot, Options::default()).expect("the spine is there");
    let text = format!("reachproof: policy/v1\nproperties:\n  - name: p\n    {property}\n");
    let policy = Policy::parse("policy.yaml", text.as_bytes()).map_err(|error| error.to_string())?;
    let reports =
        check(&network, &policy, jiff::civil::date(2026, 11, 25)).map_err(|error| error.to_string())?;
    Ok(reports.into_iter().next().expect("one property"))
}

fn verdict(changes: &str, property: &str) -> Verdict {
    decide(changes, property).expect("decided").verdict
}

#[test]
fn a_new_interface_is_exposed_by_its_public_address_alone() {
    assert_eq!(verdict("", "forbid: {from: internet, to: 'new:subnet-pub-a'}"), Verdict::Holds);
    assert_eq!(verdict("", "forbid: {from: internet, to: 'new:subnet-pub-a+public'}"), Verdict::Violated);
    // Without a route back nothing documented says whether the first packet arrives.
    assert_eq!(verdict("", "forbid: {from: internet, to: 'new:subnet-prv-a+public'}"), Verdict::Unknown);
    assert_eq!(verdict("", "require: {from: 'new:subnet-pub-a+public', to: internet}"), Verdict::Holds);
    assert_eq!(verdict("", "forbid: {from: 'new:subnet-prv-a+public', to: internet}"), Verdict::Holds);
}

#[test]
fn each_of_several_new_interfaces_has_a_public_address_of_its_own() {
    let report = decide("", "forbid: {from: internet, to: 'new:vpc-a+public'}").expect("decided");
    assert_eq!((report.verdict, report.scope.destinations), (Verdict::Violated, 3));
    // Without a route back, as above.
    assert_eq!(verdict("", "forbid: {from: internet, to: 'new:subnet-prv-*+public'}"), Verdict::Unknown);
}

#[test]
fn its_groups_are_those_named_or_one_that_allows_everything() {
    assert_eq!(verdict(FILTERED, "forbid: {from: eni-web, to: 'new:subnet-prv-b+sg-db'}"), Verdict::Holds);
    assert_eq!(verdict(FILTERED, "forbid: {from: eni-app, to: 'new:subnet-prv-b+sg-db'}"), Verdict::Violated);
    assert_eq!(verdict(FILTERED, "forbid: {from: eni-web, to: 'new:subnet-prv-b'}"), Verdict::Violated);
    assert_eq!(verdict(FILTERED, "forbid: {from: 'new:subnet-prv-a+sg-web', to: eni-db}"), Verdict::Holds);
    assert_eq!(verdict(FILTERED, "forbid: {from: 'new:subnet-prv-a+sg-app', to: eni-db}"), Verdict::Violated);
}

#[test]
fn whole_vpcs_and_two_sides_may_be_new() {
    let report = decide("", "forbid: {from: 'new:subnet-prv-a', to: 'new:vpc-a'}").expect("decided");
    assert_eq!((report.verdict, report.scope.destinations), (Verdict::Violated, 3));
    assert_eq!(&*report.witnesses.first().expect("a witness").from, "new:subnet-prv-a");
    assert_eq!(verdict("", "isolate: {between: 'new:vpc-a', and: 'new:vpc-b'}"), Verdict::Holds);
}

#[test]
fn every_free_address_counts() {
    let odd = "network:\n  network-acls:\n    acl-b1: {vpc: vpc-a, subnets: [subnet-prv-b], in: [100 allow all 10.0.1.200/32], \
               out: [100 allow all 0.0.0.0/0]}";
    assert_eq!(verdict(odd, "forbid: {from: eni-app, to: eni-db}"), Verdict::Holds);
    assert_eq!(verdict(odd, "forbid: {from: 'new:subnet-prv-a', to: eni-db}"), Verdict::Violated);
}

#[test]
fn what_cannot_be_supposed_is_an_error() {
    let message = |property: &str| decide("", property).expect_err("an error");
    let gone = message("forbid: {from: internet, to: 'new:subnet-gone'}");
    assert!(gone.contains("`new:` names no subnet"), "{gone}");
    let group = message("forbid: {from: internet, to: 'new:subnet-prv-a+sg-gone'}");
    assert!(group.contains("no security group of the snapshot is `sg-gone`"), "{group}");
    let public = message("forbid: {from: eni-app, to: 'new:subnet-pub-a+public'}");
    assert!(public.contains("the other end must be `internet` alone"), "{public}");
}

/// R-ADDR-10, R-STATE-3, A-24.
#[test]
fn a_launch_may_give_a_public_address() {
    let giving = "network:\n  subnets:\n    subnet-pub-a: {map-public: true}\n";
    for property in [
        "forbid: {from: internet, to: 'new:subnet-pub-a'}",
        "forbid: {from: 'new:subnet-pub-a', to: internet}",
    ] {
        assert_eq!(verdict("", property), Verdict::Holds);
        let report = decide(giving, property).expect("decided");
        assert_eq!(report.verdict, Verdict::Unknown);
        assert!(report.notes.iter().any(|note| note.contains("A-24")), "{:?}", report.notes);
    }
    assert_eq!(verdict(giving, "forbid: {from: 'new:subnet-pub-a', to: eni-b1}"), Verdict::Holds);
    let stopped = |subnet: &str| {
        let changes = format!(
            "{subnet}  interfaces:\n    eni-idle: {{subnet: subnet-pub-a, addresses: [10.0.0.77], groups: [sg-open], instance: i-idle}}\n  \
             instances:\n    i-idle: {{state: stopped}}\n"
        );
        let report = decide(&changes, "forbid: {from: internet, to: eni-idle}").expect("decided");
        assert_eq!(report.verdict, Verdict::Holds);
        report.notes.iter().any(|note| note.contains("eni-idle (A-24)"))
    };
    assert!(stopped(giving));
    assert!(!stopped("network:\n"));
}
