//! What selectors stand for at their edges: what they take away, what waivers accept, and properties about nothing.

#![expect(clippy::expect_used, reason = "helpers of a test")]

use reachproof_engine::check::{PropertyReport, Verdict, check};
use reachproof_engine::network::{Network, Options};
use reachproof_model::ingest::load;
use reachproof_model::policy::Policy;
use reachproof_scenarios::parse;

/// The answer about one property, in the words of a policy file, in a base network with changes.
fn decide(base: &str, changes: &str, property: &str) -> Result<PropertyReport, String> {
    let text = format!(
        "reachproof: scenario/v1\nname: proof\ntitle: a network\nrules: [R-CORE-1]\nbase: {base}\n{changes}\nexpect:\n  \
         - {{from: web, to: app, verdict: reaches}}\n"
    );
    let inputs = parse("proof.yaml", &text).expect("the scenario parses").inputs();
    let snapshot = load(inputs).expect("the answers load");
    let network = Network::build(&snapshot, Options::default()).expect("the spine is there");
    let text = format!("reachproof: policy/v1\nproperties:\n  - name: p\n    {property}\n");
    let policy = Policy::parse("policy.yaml", text.as_bytes()).expect("the policy parses");
    let reports = check(&network, &policy, jiff::civil::date(2026, 11, 25));
    reports
        .map(|reports| reports.into_iter().next().expect("one property"))
        .map_err(|error| error.to_string())
}

fn verdict(base: &str, changes: &str, property: &str) -> Verdict {
    decide(base, changes, property).expect("decided").verdict
}

/// A private table that leads to the NAT gateway.
const BEHIND_NAT: &str = "network:\n  route-tables:\n    rtb-prv: {routes: {0.0.0.0/0: nat-1}}";

#[test]
fn a_service_without_known_addresses_takes_nothing_away() {
    for property in [
        "forbid: {from: eni-app, to: internet, except-to: 'service:sagemaker.api'}",
        "forbid: {from: eni-app, to: 'internet,!service:s3'}",
        "forbid: {from: eni-app, to: 'internet:203.0.113.0/24,!service:s3'}",
    ] {
        assert_eq!(verdict("f0", BEHIND_NAT, property), Verdict::Unknown, "{property}");
    }
    let plain = "forbid: {from: eni-app, to: 'internet,!internet:203.0.113.5'}";
    assert_eq!(verdict("f0", BEHIND_NAT, plain), Verdict::Violated);
}

/// IPv6 for the private subnet, by an egress-only internet gateway, and `more` routes.
fn with_ipv6(more: &str) -> String {
    format!(
        "network:\n  subnets:\n    subnet-prv-a: {{ipv6: \"2001:db8:a:101::/64\"}}\n  interfaces:\n    \
         eni-app: {{ipv6: [\"2001:db8:a:101::10\"]}}\n  egress-gateways:\n    eigw-1: {{vpc: vpc-a}}\n  \
         route-tables:\n    rtb-prv: {{routes: {{{more}}}}}"
    )
}

#[test]
fn a_service_may_have_any_addresses_of_a_family_that_no_list_shows() {
    let through = "only-through: {from: eni-app, to: 'service:s3', through: vpce-gw}";
    assert_eq!(verdict("f0-storage", "", through), Verdict::Holds);
    let by_ipv6 = with_ipv6("pl-s3: vpce-gw, \"::/0\": eigw-1");
    assert_eq!(verdict("f0-storage", &by_ipv6, through), Verdict::Unknown);
}

#[test]
fn a_range_covers_the_services_behind_gateway_endpoints() {
    for range in ["52.216.0.0/15", "52.216.1.1", "0.0.0.0/0"] {
        let property = format!("forbid: {{from: eni-app, to: {range}}}");
        assert_eq!(verdict("f0-storage", "", &property), Verdict::Violated, "{range}");
    }
    assert_eq!(verdict("f0-storage", "", "forbid: {from: eni-app, to: 203.0.113.0/24}"), Verdict::Holds);
    let unlisted = "network:\n  prefix-lists:\n    pl-s3: {entries: null}";
    let property = "forbid: {from: eni-app, to: 203.0.113.0/24}";
    assert_ne!(verdict("f0-storage", unlisted, property), Verdict::Violated);
}

#[test]
fn a_range_covers_what_nobody_shows_in_the_subnets_of_others() {
    let shared = "network:\n  subnets:\n    subnet-prv-a: {owner: \"222222222222\"}";
    for range in ["10.0.1.0/24", "10.0.1.99"] {
        let property = format!("forbid: {{from: eni-web, to: '{range},!eni-app'}}");
        assert_eq!(verdict("f0", shared, &property), Verdict::Unknown, "{range}");
    }
    assert_eq!(verdict("f0", shared, "forbid: {from: eni-web, to: '10.0.3.0/24,eni-b1'}"), Verdict::Holds);
}

#[test]
fn a_destination_inside_a_nat64_one_is_the_destination() {
    let six = "network:\n  subnets:\n    subnet-six: {vpc: vpc-a, ipv6: \"2001:db8:a:103::/64\", zone: 1}\n  \
               route-tables:\n    rtb-prv: {routes: {\"64:ff9b::/96\": nat-1}}\n  interfaces:\n    \
               eni-six: {subnet: subnet-six, ipv6: [\"2001:db8:a:103::10\"], groups: [sg-open], instance: i-six}";
    for to in ["203.0.113.5", "203.0.113.0/24", "10.0.2.10"] {
        let property = format!("forbid: {{from: eni-six, to: {to}}}");
        assert_eq!(verdict("f0", six, &property), Verdict::Violated, "{to}");
    }
    assert_eq!(verdict("f0", six, "forbid: {from: eni-six, to: '2001:db8:9::5'}"), Verdict::Holds);
}

#[test]
fn a_mistyped_service_is_no_service() {
    let error = decide("f0-storage", "", "forbid: {from: eni-app, to: 'service:sagmaker.api'}");
    let error = error.expect_err("nothing is called so");
    assert!(error.contains("matches nothing") && error.contains("`sagemaker.api`"), "{error}");
    let shown = decide("f0-storage", "", "forbid: {from: eni-app, to: 'service:s4'}").expect_err("none");
    assert!(shown.contains("`s3`"), "{shown}");
    assert_eq!(verdict("f0", "", "forbid: {from: eni-app, to: 'service:sagemaker.api'}"), Verdict::Holds);
}
