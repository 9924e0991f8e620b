//! Networks, properties and their certificates.

use std::path::Path;

use reachproof_engine::certificate::{Outcome, certify};
use reachproof_engine::check::{PropertyReport, Verdict, check};
use reachproof_engine::network::{Network, Options};
use reachproof_engine::reach::Reach;
use reachproof_model::assumption::Assumptions;
use reachproof_model::certificate::Certificate;
use reachproof_model::ingest::{Input, load};
use reachproof_model::policy::{Policy, Property};
use reachproof_model::snapshot::Snapshot;
use reachproof_scenarios::corpus;

/// The day on which everything is decided.
pub const TODAY: jiff::civil::Date = jiff::civil::date(2026, 11, 25);

/// A network by name, with the forms of its properties.
pub type Case = (String, Snapshot, Vec<String>);

/// A policy of one property, with the waivers that follow the words `but for`, each without braces.
pub fn parse(form: &str) -> Policy {
    read(form).expect("the policy parses")
}

/// The same, if it is one.
pub fn read(form: &str) -> Option<Policy> {
    let mut parts = form.split(" but for ");
    let property = parts.next()?;
    let mut text = format!("reachproof: policy/v1\nproperties:\n  - {{name: p, {property}}}\nwaivers:\n");
    let waivers: Vec<String> = parts
        .map(|ends| format!("  - {{property: p, {ends}, until: 2027-01-31, owner: ada, why: legacy}}\n"))
        .collect();
    text.push_str(&if waivers.is_empty() { "  []\n".to_owned() } else { waivers.concat() });
    Policy::parse("policy.yaml", text.as_bytes()).ok()
}

fn files(folder: &Path, below: &Path, into: &mut Vec<Input>) {
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            files(&path, below, into);
        } else {
            let name = path.strip_prefix(below).expect("below").display().to_string();
            into.push(Input { name, bytes: std::fs::read(&path).expect("the file") });
        }
    }
}

/// The two example networks with the forbidding properties of their policies.
pub fn examples() -> Vec<Case> {
    let network = |name: &str, forms: &[&str]| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name).join("aws");
        let mut inputs = Vec::new();
        files(&folder, &folder, &mut inputs);
        let forms = forms.iter().map(|form| (*form).to_owned()).collect();
        (name.to_owned(), load(inputs).expect("the answers load"), forms)
    };
    let ml = "[tag:Role=ml, kind:sagemaker-studio]";
    let private = [
        format!("forbid: {{from: internet, to: {ml}}}"),
        format!("forbid: {{from: {ml}, to: internet}}"),
        format!("only-through: {{from: {ml}, to: service:s3, through: vpce-01d681341ab1d7a0c}}"),
    ];
    let private: Vec<&str> = private.iter().map(String::as_str).collect();
    vec![
        network("private-ml", &private),
        network("nat-egress", &["forbid: {from: internet, to: 'tag:Role=ml'}"]),
    ]
}

/// Networks of the corpus with peering, transit gateways, NAT and endpoints, with properties that matter in each.
pub fn small_networks() -> Vec<Case> {
    let wanted = ["t-tgw-04", "t-pcx-03", "t-nat-02", "t-vpce-04", "t-e2e-07", "t-conn-02", "t-conn-05"];
    let forms = [
        "forbid: {from: internet, to: 'eni-app,allow-empty'}",
        "forbid: {from: eni-app, to: 'internet,eni-b1'}",
        "isolate: {between: 'eni-app,eni-db', and: 'eni-b1,allow-empty'}",
        "forbid: {from: internet, to: 'eni-app,allow-empty', including-replies: true}",
        "forbid: {from: eni-app, to: eni-b1, including-replies: true}",
        "forbid: {from: internet, to: 'eni-web,eni-app', question: connection}",
        "isolate: {between: 'eni-web,eni-app', and: 'eni-b1,allow-empty', question: connection}",
        "forbid: {from: 'eni-b1,allow-empty', to: 'eni-web', including-replies: true}",
        "forbid: {from: 'internet,eni-web', to: 'eni-app,eni-db'} but for from: eni-web, to: eni-app",
        "forbid: {from: 'internet,eni-app,eni-web,eni-b1,allow-empty', to: eni-db, including-replies: true} but for from: eni-app but for from: eni-web",
    ];
    let scenarios = corpus().into_iter().filter(|scenario| wanted.contains(&scenario.name()));
    scenarios
        .map(|scenario| {
            let snapshot = load(scenario.inputs()).expect("the answers load");
            (scenario.name().to_owned(), snapshot, forms.iter().map(|form| (*form).to_owned()).collect())
        })
        .collect()
}

/// The certificate that would prove a property, whatever was decided.
pub fn certificate(
    reach: &Reach<'_, '_>,
    property: &Property,
    report: &PropertyReport,
    digest: &str,
) -> Certificate {
    // What is not proved admits everything, so that the proof itself is what has to be found wanting.
    let admitted = Assumptions::of(if report.verdict == Verdict::Holds { &[] } else { &[20, 23, 36] });
    let assumptions = report.assumptions.and(admitted);
    let report = PropertyReport { verdict: Verdict::Holds, assumptions, ..report.clone() };
    match certify(reach, property, &report, digest).expect("within limits") {
        Outcome::Certificate(certificate) => *certificate,
        Outcome::None(reason) => panic!("{reason}"),
    }
}

/// The certificates of the forms that hold.
pub fn certificates(snapshot: &Snapshot, forms: &[String]) -> Vec<(Policy, Certificate)> {
    let network = Network::build(snapshot, Options::default()).expect("the spine is there");
    let (reach, digest) = (Reach::of(&network), snapshot.digest());
    let proved = forms.iter().filter_map(|form| {
        let policy = parse(form);
        let reports = check(&network, &policy, TODAY).ok()?;
        let (property, report) = (policy.properties.first()?, reports.first()?);
        (report.verdict == Verdict::Holds).then(|| {
            let certificate = certificate(&reach, property, report, &digest);
            (policy.clone(), certificate)
        })
    });
    proved.collect()
}
