//! Expectations that nobody on this project wrote, read from the folder that `REACHPROOF_CONFORMANCE` names.
//!
//! Unset, the test says that it was skipped and why; set to something that is not there, it fails. The data stays
//! outside the project. It holds cases of two kinds:
//!
//! * with `checks`: single packets and their paths ([`packet`]), some packet or none of many ([`quantified`]), one
//!   security group alone ([`filter`]), and statements about resources ([`facts`]);
//! * with `allowed`: everything that passes in a network, compared header by header ([`connectivity`]).
//!
//! These are other tools' opinions: what contradicts the rules of AWS, and what may stay unknown and why, is listed in
//! [`exceptions`]. An entry there that has become wrong fails the test, too.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "helpers of a test, which reads its cases from files"
)]

mod cases;
mod connectivity;
mod ends;
mod exceptions;
mod facts;
mod filter;
mod headers;
mod packet;
mod path;
mod quantified;
mod router;
mod summary;

use reachproof_engine::network::{Network, Options};
use reachproof_engine::reach::Reach;
use reachproof_model::ingest::load;
use reachproof_model::snapshot::Snapshot;
use serde_json::Value;

use cases::{Case, items, text};
use summary::{Outcome, Summary};

#[test]
fn every_expectation_is_met_or_listed() {
    let Some(root) = cases::folder() else { return };
    let mut summary = Summary::default();
    for case in cases::cases(&root) {
        match load(case.inputs.clone()) {
            Ok(snapshot) => run(&case, &snapshot, &mut summary),
            // Groups that share an id are read one by one.
            Err(_) if is_about_filters(&case) => filters(&case, &mut summary),
            Err(error) => summary.add(&case, "load", "load", Outcome::Contradicted(error.to_string())),
        }
    }
    summary.print();
    let faults = summary.faults();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

fn is_about_filters(case: &Case) -> bool {
    let mut checks = items(&case.expect, "checks").peekable();
    checks.peek().is_some() && checks.all(|check| text(check, "kind") == "filter")
}

fn filters(case: &Case, summary: &mut Summary) {
    for check in items(&case.expect, "checks") {
        summary.add(case, text(check, "name"), "filter", filter::check(case, check));
    }
}

fn run(case: &Case, snapshot: &Snapshot, summary: &mut Summary) {
    for fact in items(&case.expect, "facts") {
        summary.add(case, &facts::name(fact), "fact", facts::check(snapshot, fact));
    }
    if is_about_filters(case) {
        return filters(case, summary);
    }
    let options =
        Options { assume_default_acl: exceptions::assumes_default_acl(&case.name), ..Options::default() };
    let network = match Network::build(snapshot, options) {
        Ok(network) => network,
        Err(error) if items(&case.expect, "checks").next().is_some() => {
            return summary.add(case, "build", "load", Outcome::Contradicted(error.to_string()));
        }
        Err(_) => return,
    };
    let reach = Reach::of(&network);
    for check in items(&case.expect, "checks") {
        one(case, &reach, check, summary);
    }
    if case.expect["allowed"].is_array() {
        connectivity::compare(&reach, case, summary);
    }
}

fn one(case: &Case, reach: &Reach<'_, '_>, check: &Value, summary: &mut Summary) {
    let name = text(check, "name");
    if let Some(reason) = not_asked(check) {
        return summary.add(case, name, text(check, "kind"), Outcome::Skipped(reason));
    }
    match text(check, "kind") {
        "trace" if router::is_sender(check) => router::compare(case, check, summary),
        "trace" => packet::compare(reach, case, check, summary),
        "exists" => summary.add(case, name, "exists", quantified::exists(reach, check)),
        "none" => summary.add(case, name, "none", quantified::none(reach, check)),
        "filter" => summary.add(case, name, "filter", filter::check(case, check)),
        other => summary.add(case, name, "load", Outcome::Contradicted(format!("a check of kind `{other}`"))),
    }
}

/// Why a check is not compared, if so.
fn not_asked(check: &Value) -> Option<String> {
    let needs = items(check, "requires").filter_map(Value::as_str).collect::<Vec<_>>();
    if !needs.is_empty() {
        return Some(format!("needs {}: routes that a router on premises announces", needs.join(", ")));
    }
    let artifact = check["batfish_artifact"].as_bool() == Some(true);
    artifact.then(|| "an artifact of the other tool's model, as its own data says".to_owned())
}
