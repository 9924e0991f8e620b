//! Searches that save work against one that saves none: every report is the same to the last word.

#![expect(clippy::expect_used, clippy::disallowed_macros, reason = "helpers of a test")]

use reachproof_engine::check::{PropertyReport, Verdict, check};
use reachproof_engine::network::{Network, Options, Search};
use reachproof_model::ingest::{Input, load};
use reachproof_model::policy::{Policy, PolicyFile};
use reachproof_model::snapshot::Snapshot;
use reachproof_model::text::SharedText;
use reachproof_scenarios::organisation::{Organisation, Parameters};
use reachproof_scenarios::random::Shape;
use reachproof_scenarios::{corpus, parse};

const TODAY: jiff::civil::Date = jiff::civil::date(2026, 11, 25);

/// Interfaces and groups of a network that properties are made about, at most.
const PLACES: usize = 3;

/// How many properties were decided, by verdict, and what differs.
#[derive(Default, Debug)]
struct Comparison {
    verdicts: [usize; 3],
    wrong: Vec<String>,
}

/// Properties of many sources about some places of a network.
fn policy_about(snapshot: &Snapshot) -> Policy {
    let interfaces = snapshot.interfaces.values().map(|row| &row.meta.id);
    let groups = snapshot.groups.values().map(|row| &row.meta.id);
    let spread = |ids: Vec<&SharedText>| {
        let step = (ids.len() / PLACES).max(1);
        ids.into_iter().step_by(step).take(PLACES).map(ToString::to_string).collect::<Vec<_>>()
    };
    let mut forms = Vec::new();
    let interfaces = spread(interfaces.collect());
    if let [from, .., to] = interfaces.as_slice() {
        forms.push(format!("require: {{from: [{from}, internet], to: {to}, port: tcp/443}}"));
    }
    for to in interfaces {
        forms.push(format!("forbid: {{from: any, to: {to}}}"));
        forms.push(format!("forbid: {{from: any, to: {to}, question: connection}}"));
        forms.push(format!("forbid: {{from: {to}, to: any}}"));
        forms.push(format!("require-some: {{from: any, to: {to}, port: tcp/443}}"));
    }
    forms.push("forbid: {from: any, to: any}".to_owned());
    forms.push("forbid: {from: any, to: any, question: connection}".to_owned());
    forms.push("forbid: {from: any, to: internet, question: connection}".to_owned());
    forms.push("forbid: {from: any, to: 'onprem,allow-empty'}".to_owned());
    let groups = spread(groups.collect());
    forms.extend(
        groups.iter().map(|to| format!("forbid: {{from: any, to: '{to},allow-empty', port: tcp/443}}")),
    );
    let number = |(number, form)| format!("  - {{name: p{number}, {form}}}\n");
    let properties: String = forms.into_iter().enumerate().map(number).collect();
    policy(&format!("reachproof: policy/v1\nproperties:\n{properties}"))
}

fn policy(text: &str) -> Policy {
    Policy::read(&[PolicyFile { name: "policy.yaml", bytes: text.as_bytes() }]).expect("the policy reads")
}

/// One report after the other; errors as their text.
fn reports(snapshot: &Snapshot, policy: &Policy, search: Search) -> Vec<Result<PropertyReport, String>> {
    let Ok(network) = Network::build(snapshot, Options { search, ..Options::default() }) else {
        return Vec::new();
    };
    let alone = |property| Policy { properties: vec![property], ..policy.clone() };
    let decide = |policy: Policy| match check(&network, &policy, TODAY) {
        Ok(mut reports) => Ok(reports.remove(0)),
        Err(error) => Err(error.to_string()),
    };
    policy.properties.iter().cloned().map(alone).map(decide).collect()
}

/// A report without the steps of its witnesses.
fn brief(report: &Result<PropertyReport, String>) -> String {
    let Ok(report) = report else { return format!("{report:?}") };
    let witnesses = report.witnesses.iter();
    let witnesses: Vec<String> = witnesses
        .map(|row| format!("{} -> {} ({}) {:?}", row.from, row.to, row.pairs, row.trace.flow))
        .collect();
    let report = PropertyReport { witnesses: Vec::new(), ..report.clone() };
    format!("{report:?}\n{}", witnesses.join("\n"))
}

/// A report without its witnesses.
fn bare(report: &Result<PropertyReport, String>) -> Result<PropertyReport, String> {
    report.clone().map(|report| PropertyReport { witnesses: Vec::new(), ..report })
}

impl Comparison {
    fn add(&mut self, name: &str, snapshot: &Snapshot, policy: &Policy) {
        let [plain, usual] = [Search::Plain, Search::Usual].map(|search| reports(snapshot, policy, search));
        for (plain, usual) in plain.iter().zip(&usual) {
            // Which of many pairs are shown as examples depends on what is taken together; everything else does not.
            if bare(plain) != bare(usual) {
                self.wrong.push(format!("{name}:\n{}\n{}", brief(plain), brief(usual)));
            }
        }
        for search in [Search::Aimed, Search::Onward] {
            for (usual, aimed) in usual.iter().zip(&reports(snapshot, policy, search)) {
                if usual != aimed {
                    self.wrong.push(format!("{name}, {search:?}:\n{}\n{}", brief(usual), brief(aimed)));
                }
            }
        }
        for report in plain.iter().flatten() {
            let verdicts = [Verdict::Holds, Verdict::Violated, Verdict::Unknown];
            let position = verdicts.iter().position(|verdict| *verdict == report.verdict);
            let count = position.and_then(|at| self.verdicts.get_mut(at));
            count.into_iter().for_each(|count| *count += 1);
        }
    }

    fn assert(&self, least: usize) {
        println!("holds, violated, unknown: {:?}", self.verdicts);
        let shown: Vec<&str> = self.wrong.iter().take(2).map(String::as_str).collect();
        assert!(self.wrong.is_empty(), "{} reports differ:\n{}", self.wrong.len(), shown.join("\n"));
        let scarce = self.verdicts.iter().any(|count| *count < least);
        assert!(!scarce, "too few of a kind to be worth anything: {:?}", self.verdicts);
    }
}

#[test]
fn reports_about_the_corpus_are_the_same() {
    let mut comparison = Comparison::default();
    for scenario in corpus() {
        let Ok(snapshot) = load(scenario.inputs()) else { continue };
        comparison.add(scenario.name(), &snapshot, &policy_about(&snapshot));
    }
    comparison.assert(30);
}

#[test]
fn reports_about_random_networks_are_the_same() {
    let mut comparison = Comparison::default();
    for seed in 0..40 {
        let scenario = Shape::of_seed(seed, 40).scenario().expect("every shape is a network");
        let snapshot = load(scenario.inputs()).expect("the answers load");
        comparison.add(scenario.name(), &snapshot, &policy_about(&snapshot));
    }
    comparison.assert(30);
}

#[test]
fn reports_about_an_organisation_are_the_same() {
    let mut comparison = Comparison::default();
    for (seed, faults) in [(7, 0), (7, 5), (8, 3)] {
        let parameters = Parameters { faults, ..Parameters::of_size(seed, 300) };
        let organisation = Organisation::plan(parameters).expect("the parameters are fine");
        let places = (0..organisation.places()).filter_map(|index| organisation.described(index));
        let documents = places.flat_map(|place| place.documents);
        let inputs = documents.map(|row| Input { name: row.name, bytes: row.json.to_string().into_bytes() });
        let snapshot = load(inputs.collect()).expect("the answers load");
        comparison.add("organisation", &snapshot, &policy(&organisation.policy()));
    }
    comparison.assert(0);
}

#[test]
fn reports_about_vpcs_with_common_addresses_are_the_same() {
    let forms = [
        "forbid: {from: [eni-a1, eni-a3, eni-b1, eni-b4], to: eni-c2}",
        "forbid: {from: [eni-a1, eni-a3, eni-b2, eni-b4], to: vpc-c}",
        "forbid: {from: any, to: vpc-c}",
    ];
    let rows = (0..).zip(forms).map(|(number, form)| format!("  - {{name: p{number}, {form}}}\n"));
    let policy = policy(&format!("reachproof: policy/v1\nproperties:\n{}", rows.collect::<String>()));
    let mut comparison = Comparison::default();
    for text in [include_str!("lost/second-mark.yaml"), include_str!("lost/band-mix.yaml")] {
        let scenario = parse("marks.yaml", text).expect("the scenario parses");
        let snapshot = load(scenario.inputs()).expect("the answers load");
        assert!(reports(&snapshot, &policy, Search::Usual).iter().all(Result::is_ok), "{}", scenario.name());
        comparison.add(scenario.name(), &snapshot, &policy);
    }
    comparison.assert(0);
}

/// Networks on which a search that saves work once lost a packet, or would lose one in all searches alike, with a property
/// and what is true of it.
const LOST: [(&str, &str, Verdict); 25] = [
    (
        include_str!("lost/block-without-local-route.yaml"),
        "forbid: {from: eni-app, to: eni-second}",
        Verdict::Unknown,
    ),
    (
        include_str!("lost/errors-answer.yaml"),
        "forbid: {from: eni-server, to: eni-client, including-replies: true}",
        Verdict::Unknown,
    ),
    (
        include_str!("lost/errors-answer.yaml"),
        "forbid: {from: eni-server, to: eni-client, protocol: icmp, including-replies: true}",
        Verdict::Unknown,
    ),
    (
        include_str!("lost/sibling-answers.yaml"),
        "isolate: {between: eni-a, and: eni-db, including-replies: true}",
        Verdict::Unknown,
    ),
    (
        include_str!("lost/ports-by-address.yaml"),
        "require: {from: [eni-app, eni-app2], to: internet, port: tcp/443}",
        Verdict::Unknown,
    ),
    (
        include_str!("lost/ports-by-address.yaml"),
        "forbid: {from: [eni-app, eni-app2], to: internet}",
        Verdict::Unknown,
    ),
    (
        include_str!("lost/regional-unnamed-table.yaml"),
        "forbid: {from: eni-app, to: onprem}",
        Verdict::Unknown,
    ),
    (include_str!("lost/nat-hidden-subnet.yaml"), "forbid: {from: eni-app, to: eni-b1}", Verdict::Unknown),
    (
        include_str!("lost/nat-secondary-unshown.yaml"),
        "forbid: {from: eni-app, to: eni-b1}",
        Verdict::Unknown,
    ),
    (
        include_str!("lost/nat-uncollected-regional.yaml"),
        "forbid: {from: eni-app, to: eni-b1}",
        Verdict::Unknown,
    ),
    (include_str!("lost/regional-gone-table.yaml"), "forbid: {from: eni-app, to: eni-b1}", Verdict::Unknown),
    (
        include_str!("lost/regional-unknown-table.yaml"),
        "forbid: {from: eni-app, to: eni-b1}",
        Verdict::Unknown,
    ),
    (
        include_str!("lost/unshown-gateway-behind-unknown-table.yaml"),
        "forbid: {from: eni-app, to: internet}",
        Verdict::Unknown,
    ),
    (
        include_str!("lost/chain-of-private-gateways.yaml"),
        "forbid: {from: eni-app, to: eni-b1}",
        Verdict::Violated,
    ),
    (
        include_str!("lost/endpoint-answers-by-subnet.yaml"),
        "forbid: {from: [eni-app, eni-db], to: vpce-gw, question: connection}",
        Verdict::Violated,
    ),
    (
        include_str!("lost/unchecked-beside-checked.yaml"),
        "forbid: {from: [eni-ma, eni-mb], to: eni-db}",
        Verdict::Unknown,
    ),
    (
        include_str!("lost/gateway-behind-unknown-table.yaml"),
        "forbid: {from: eni-app, to: eni-b1}",
        Verdict::Unknown,
    ),
    (include_str!("lost/uncollected-attachments.yaml"), "forbid: {from: any, to: onprem}", Verdict::Unknown),
    (
        include_str!("lost/uncollected-attachments.yaml"),
        "forbid: {from: eni-app, to: onprem}",
        Verdict::Unknown,
    ),
    (include_str!("lost/link-local-answers.yaml"), "forbid: {from: eni-web, to: eni-w2}", Verdict::Unknown),
    (
        include_str!("lost/link-local-answers.yaml"),
        "forbid: {from: eni-web, to: eni-w2, question: connection}",
        Verdict::Unknown,
    ),
    (
        include_str!("lost/balancer-behind-unknown-table.yaml"),
        "forbid: {from: eni-app, to: eni-b1}",
        Verdict::Unknown,
    ),
    (
        include_str!("lost/public-address-of-nobody.yaml"),
        "forbid: {from: internet, to: eni-db}",
        Verdict::Unknown,
    ),
    (
        include_str!("lost/group-known-across-transit.yaml"),
        "forbid: {from: eni-app, to: eni-b1}",
        Verdict::Violated,
    ),
    (
        include_str!("lost/group-known-across-transit.yaml"),
        "forbid: {from: eni-app, to: eni-b1, question: connection}",
        Verdict::Violated,
    ),
];

#[test]
fn nothing_is_lost_that_was_lost_before() {
    for (network, property, expected) in LOST {
        let scenario = parse("lost.yaml", network).expect("the scenario parses");
        let snapshot = load(scenario.inputs()).expect("the answers load");
        let policy = policy(&format!("reachproof: policy/v1\nproperties:\n  - {{name: p, {property}}}\n"));
        for search in [Search::Plain, Search::Usual, Search::Aimed, Search::Onward] {
            let verdicts: Vec<_> = reports(&snapshot, &policy, search)
                .into_iter()
                .map(|row| row.map(|row| row.verdict))
                .collect();
            assert_eq!(verdicts, [Ok(expected)], "{}: {property} ({search:?})", scenario.name());
        }
    }
}

/// Of one property with waivers: the verdict and how many pairs fail.
fn waived(network: &str, form: &str, waivers: &[&str]) -> (Verdict, usize) {
    let snapshot =
        load(parse("lost.yaml", network).expect("the scenario parses").inputs()).expect("it loads");
    let waivers: String = waivers
        .iter()
        .map(|ends| format!("  - {{property: p, {ends}, until: 2027-01-01, owner: o, why: w}}\n"))
        .collect();
    let text = format!(
        "reachproof: policy/v1\nproperties:\n  - {{name: p, isolate: {{{form}, including-replies: true}}}}\n\
         waivers:\n{waivers}"
    );
    let report = reports(&snapshot, &policy(&text), Search::Usual).remove(0).expect("it is decided");
    (report.verdict, report.affected.pairs)
}

#[test]
fn answers_count_whatever_the_protocol_where_a_waiver_accepts_the_questions() {
    let network = include_str!("lost/other-protocol-answers.yaml");
    let form = "between: internet, and: eni-db, protocol: 47";
    assert_eq!(waived(network, form, &["from: eni-db, to: internet"]), (Verdict::Violated, 1));
}

#[test]
fn a_waiver_of_one_address_accepts_no_answers_from_another() {
    let network = include_str!("lost/waived-answer.yaml");
    let back = "from: eni-db, to: eni-a";
    let waivers = ["from: 10.0.1.10/32, to: eni-db", back];
    let form = "between: eni-a, and: eni-db";
    assert_eq!(waived(network, form, &waivers), (Verdict::Violated, 1));
    assert_eq!(waived(network, form, &["from: eni-a, to: eni-db", back]), (Verdict::Holds, 0));
}
