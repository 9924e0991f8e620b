//! Generated organisations: they load without a notice, their policy holds, and planted faults are found and no others.

#![expect(clippy::expect_used, clippy::print_stderr, reason = "helpers of a test")]

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::date;
use reachproof_engine::check::{PropertyReport, Verdict, Witness, answer, check};
use reachproof_engine::evidence::TraceVerdict;
use reachproof_engine::network::{Network, Options, missing_calls, missing_inventories};
use reachproof_engine::reach::Reach;
use reachproof_engine::region::{Region, resolve};
use reachproof_model::ingest::{self, Input};
use reachproof_model::policy::{Groups, Policy, PolicyFile, Selector, TrafficSpec};
use reachproof_model::snapshot::Snapshot;
use reachproof_scenarios::organisation::{Counts, Organisation, Parameters, PlantedFault};

/// An organisation, written and read again.
struct Written {
    snapshot: Snapshot,
    policy: Policy,
    faults: Vec<PlantedFault>,
    documents: BTreeMap<String, serde_json::Value>,
    counts: Counts,
}

fn write(parameters: Parameters) -> Written {
    let organisation = Organisation::plan(parameters).expect("the parameters are fine");
    let (mut documents, mut changes, mut counts) = (BTreeMap::new(), Vec::new(), Counts::default());
    for place in (0..organisation.places()).filter_map(|index| organisation.described(index)) {
        changes.extend(place.changes);
        counts = counts.plus(place.counts);
        documents.extend(place.documents.into_iter().map(|document| (document.name, document.json)));
    }
    let inputs = documents
        .iter()
        .map(|(name, json)| Input { name: name.clone(), bytes: json.to_string().into_bytes() });
    let snapshot = ingest::load(inputs.collect()).expect("the answers load");
    let text = organisation.policy();
    let policy = Policy::read(&[PolicyFile { name: "policy.yaml", bytes: text.as_bytes() }]);
    let policy = policy.expect("the policy reads");
    Written { snapshot, policy, faults: organisation.faults(&changes), documents, counts }
}

impl Written {
    fn network(&self) -> Network<'_> {
        Network::build(&self.snapshot, Options::default()).expect("the spine is there")
    }

    fn reports(&self, network: &Network<'_>) -> Vec<PropertyReport> {
        check(network, &self.policy, date(2026, 1, 1)).expect("every property can be decided")
    }
}

fn region(network: &Network<'_>, selector: &str) -> Region {
    let selector = Selector::parse(selector, &Groups::new()).expect("a selector");
    resolve(network, &selector).expect("the selector can be resolved")
}

/// Whether the property that a fault is about is violated, and the very flow that it opens arrives, or the one that it
/// closes does not.
fn is_found(reach: &Reach<'_, '_>, fault: &PlantedFault, reports: &[PropertyReport]) -> bool {
    let Some(report) = reports.iter().find(|report| *report.name == *fault.property) else { return false };
    let [from, to] = [&fault.from, &fault.to].map(|selector| region(reach.network(), selector));
    let port = TrafficSpec::parse(&fault.port).expect("a port");
    let found = answer(reach, &from, &to, &[port], report.question).expect("no limit is hit");
    let expected = if report.form == "require" { TraceVerdict::Blocked } else { TraceVerdict::Reaches };
    report.verdict == Verdict::Violated && found == expected
}

/// Whether a witness shows a fault: one that violates the property and opens a way to where the witness ends.
fn shows(network: &Network<'_>, fault: &PlantedFault, report: &PropertyReport, witness: &Witness) -> bool {
    violates(fault, report) && region(network, &fault.to).at(witness.sink).is_some()
}

fn violates(fault: &PlantedFault, report: &PropertyReport) -> bool {
    fault.also.iter().chain([&fault.property]).any(|name| **name == *report.name)
}

#[test]
fn an_organisation_loads_without_a_notice_and_lacks_nothing() {
    for (seed, interfaces) in [(1, 300), (7, 2_000)] {
        let written = write(Parameters::of_size(seed, interfaces));
        let network = written.network();
        assert_eq!(written.snapshot.notices, [], "seed {seed}");
        assert_eq!(written.snapshot.gaps, [], "seed {seed}");
        assert_eq!(network.doubts(), Vec::<String>::new());
        assert_eq!(missing_calls(&written.snapshot), BTreeSet::new());
        assert_eq!(missing_inventories(&written.snapshot), Vec::<&str>::new());
        assert_eq!(written.snapshot.interfaces.len(), interfaces as usize, "seed {seed}");
        assert_eq!(written.counts.interfaces, u64::from(interfaces));
        assert_eq!(written.counts.groups, written.snapshot.groups.len() as u64);
    }
}

#[test]
fn without_faults_the_policy_holds() {
    for seed in [1, 2] {
        let written = write(Parameters::of_size(seed, 300));
        let network = written.network();
        for report in written.reports(&network) {
            let witness = report.witnesses.first().map(|witness| (&witness.from, &witness.to));
            assert_eq!(report.verdict, Verdict::Holds, "seed {seed}: {}: {witness:?}", report.name);
        }
    }
}

#[test]
fn every_planted_fault_is_found_and_no_other() {
    let (mut planted, mut found) = (0, 0);
    for (seed, faults) in [(1, 11), (2, 4)] {
        let written = write(Parameters { faults, vpcs: 16, regions: 2, ..Parameters::of_size(seed, 420) });
        let network = written.network();
        let (reach, reports) = (Reach::of(&network), written.reports(&network));
        for fault in &written.faults {
            assert!(!fault.changes.is_empty(), "{fault:?}");
            planted += 1;
            found += usize::from(is_found(&reach, fault, &reports));
        }
        for report in &reports {
            let guilty: Vec<_> = written.faults.iter().filter(|fault| violates(fault, report)).collect();
            let expected = if guilty.is_empty() { Verdict::Holds } else { Verdict::Violated };
            assert_eq!(report.verdict, expected, "seed {seed}: {}", report.name);
            for witness in &report.witnesses {
                let explained = guilty.iter().any(|fault| shows(&network, fault, report, witness));
                assert!(explained, "{}: {} to {}", report.name, witness.from, witness.to);
            }
        }
    }
    eprintln!("recall: {found} of {planted} planted faults");
    assert_eq!(found, planted);
}

#[test]
fn changes_point_at_the_rows_of_their_resources() {
    let written = write(Parameters { faults: 10, vpcs: 16, ..Parameters::of_size(3, 400) });
    for change in written.faults.iter().flat_map(|fault| &fault.changes) {
        let (file, pointer) = change.at.split_once('#').expect("a file and a pointer");
        let row = written.documents.get(file).and_then(|json| json.pointer(pointer));
        let row = row.expect("the pointer leads to a row").to_string();
        assert!(row.contains(&change.resource) || file.contains(&change.resource), "{change:?}");
    }
}

#[test]
fn equal_parameters_give_equal_bytes_in_any_order() {
    let parameters = Parameters { faults: 3, ..Parameters::of_size(5, 400) };
    let (one, other) = (write(parameters), write(parameters));
    assert_eq!(one.documents, other.documents);
    let organisation = Organisation::plan(parameters).expect("the parameters are fine");
    for place in (0..organisation.places()).rev().filter_map(|index| organisation.described(index)) {
        for document in place.documents {
            assert_eq!(one.documents.get(&document.name), Some(&document.json), "{}", document.name);
        }
    }
    let next = write(Parameters { seed: 6, ..parameters });
    assert!(one.documents.keys().all(|name| !next.documents.contains_key(name)));
}

#[test]
fn parameters_out_of_range_are_refused() {
    let refused = |parameters: Parameters, expected: &str| {
        let error = Organisation::plan(parameters).expect_err("the parameters are wrong").to_string();
        assert_eq!(error, expected);
    };
    let usual = Parameters::of_size(1, 300);
    refused(Parameters { regions: 5, ..usual }, "5 Regions: expected 1 to 4");
    refused(Parameters { vpcs: 0, ..usual }, "0 VPCs: expected 1 to 1024");
    refused(Parameters { ipv6_percent: 101, ..usual }, "IPv6 in 101 % of VPCs: expected at most 100");
    let message = "1000000 interfaces in 8 VPCs: expected at most 3000 a VPC";
    refused(Parameters { interfaces: 1_000_000, ..usual }, message);
    refused(Parameters { faults: 50, ..usual }, "50 faults: this organisation has room for 7");
}
