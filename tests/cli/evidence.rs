//! Evidence of what holds only in part: `verify` says what it is not about.

use std::fs;
use std::path::Path;

use reachproof_model::certificate::{Claim, Family, Traffic, read_certificate, write_certificate};
use reachproof_model::flow::Question;

use crate::harness::{Run, run};

/// The property about the servers of `plain.yaml`, with further fields, and a waiver of some of its sources.
fn policy(folder: &Path, fields: &str, waived: &str) -> String {
    let path = folder.join("policy.yaml");
    let text = format!(
        "reachproof: policy/v1\nproperties:\n  - name: closed\n    forbid: {{from: any, to: eni-db{fields}}}\nwaivers:\n  \
         - {{property: closed, from: '{waived}', until: 2027-01-31, owner: ada, why: legacy}}\n"
    );
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// What `check` says of it, and `verify` of its certificate.
fn checked(folder: &Path, fields: &str, waived: &str) -> [Run; 2] {
    let policy = policy(folder, fields, waived);
    let evidence = folder.display().to_string();
    let check =
        ["check", "plain.yaml", "--policy", &policy, "--date", "2026-11-25", "--certificates", &evidence];
    let certificate = folder.join("closed.cert").display().to_string();
    [run(&check), run(&["verify", &certificate, "plain.yaml", "--policy", &policy, "--date", "2026-11-25"])]
}

#[test]
fn what_waivers_accept_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let [check, verify] = checked(folder.path(), "", "eni-app,eni-web");
    assert!(check.stdout.contains("apart from 2 pairs that a waiver accepts"), "{check:?}");
    assert!(check.stdout.contains("  certificate: "), "{check:?}");
    let expected = "to 1 destination, but for 2 pairs that ada waived until 2027-01-31, assuming";
    assert!(verify.stdout.starts_with("accepted") && verify.stdout.contains(expected), "{verify:?}");
    let certificate = folder.path().join("closed.cert").display().to_string();
    let other = policy(folder.path(), "", "eni-web");
    let verify = run(&["verify", &certificate, "plain.yaml", "--policy", &other, "--date", "2026-11-25"]);
    assert_eq!(verify.code, Some(1));
    let why = "the policy has no such waiver of `closed` as the one of ada until 2027-01-31";
    assert!(verify.stdout.contains(why), "{verify:?}");
}

#[test]
fn a_waiver_that_has_ended_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let policy = policy(folder.path(), "", "eni-app,eni-web");
    checked(folder.path(), "", "eni-app,eni-web");
    let certificate = folder.path().join("closed.cert").display().to_string();
    let on = |day| run(&["verify", &certificate, "plain.yaml", "--policy", &policy, "--date", day]);
    assert!(on("2027-01-31").stdout.starts_with("accepted"), "its last day");
    let after = on("2027-02-01");
    assert_eq!(after.code, Some(1));
    let why = "the waiver of ada ended on 2027-01-31 and no longer applies on 2027-02-01";
    assert!(after.stdout.contains(why), "{after:?}");
    let unjudged = run(&["verify", &certificate, "plain.yaml"]);
    assert!(unjudged.stdout.starts_with("accepted"), "without a policy nobody asks: {unjudged:?}");
}

#[test]
fn a_waiver_of_everything_has_no_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let [check, _] = checked(folder.path(), "", "any");
    assert!(check.stdout.contains("no certificate: waivers accept all that it is about"), "{check:?}");
}

#[test]
fn that_replies_count_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let [_, verify] = checked(folder.path(), ", including-replies: true", "eni-app,eni-web");
    let expected = "to 1 destination with replies, but for 2 pairs";
    assert!(verify.stdout.starts_with("accepted") && verify.stdout.contains(expected), "{verify:?}");
}

/// What `verify` says of the certificate of a property, if it had claimed something else.
fn claiming(change: impl Fn(&mut Claim)) -> Run {
    let folder = tempfile::tempdir().unwrap();
    checked(folder.path(), "", "eni-app,eni-web");
    let path = folder.path().join("closed.cert");
    let mut certificate = read_certificate("closed.cert", &fs::read(&path).unwrap()).unwrap();
    change(&mut certificate.claim);
    fs::write(&path, write_certificate(&certificate).unwrap()).unwrap();
    let policy = folder.path().join("policy.yaml").display().to_string();
    run(&["verify", &path.display().to_string(), "plain.yaml", "--policy", &policy, "--date", "2026-11-25"])
}

/// Each of them is true of the network, and less than the policy asserts.
#[test]
fn a_claim_that_falls_short_of_the_policy_is_rejected() {
    assert_eq!(claiming(|_| ()).code, Some(0));
    let check = |why: &str, change: &dyn Fn(&mut Claim)| {
        let verify = claiming(change);
        let expected = format!("it claims less than `closed` of the policy: {why}");
        assert!(verify.code == Some(1) && verify.stdout.contains(&expected), "{why}: {verify:?}");
    };
    check("found `isolate`, expected `forbid`", &|claim| claim.form = "isolate".into());
    check("found 0 directions, expected 1", &|claim| claim.directions.clear());
    check("it is about other headers", &|claim| claim.directions[0].traffic = Traffic::default());
    check("it is about other headers", &|claim| {
        claim.directions[0].traffic.v4[0].destination = (0, Family::V4.greatest() - 1);
    });
    check("it leaves out what passes some places", &|claim| {
        claim.directions[0].avoided = vec!["eni-web".into()]
    });
    check("they disagree on what is asked", &|claim| claim.question = Question::Connection);
    check("they disagree on whether replies count", &|claim| claim.directions[0].answers = true);
    check("it names no place at one end", &|claim| claim.directions[0].sources.clear());
    check("it names no place at one end", &|claim| claim.directions[0].destinations.clear());
}

#[test]
fn that_only_live_interfaces_count_is_said() {
    let verify = claiming(|claim| claim.live_only = true);
    assert!(verify.stdout.contains("to 1 destination among live interfaces, but for"), "{verify:?}");
}
