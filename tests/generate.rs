//! Generated organisations: they load without a notice, their policy holds, and planted faults are found and no others.

#![expect(clippy::expect_used, clippy::disallowed_methods, reason = "helpers of a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

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
    let written = write(Parameters::of_size(1, 300));
    let network = written.network();
    for report in written.reports(&network) {
        let witness = report.witnesses.first().map(|witness| (&witness.from, &witness.to));
        assert_eq!(report.verdict, Verdict::Holds, "{}: {witness:?}", report.name);
    }
}

#[test]
fn every_planted_fault_is_found_and_no_other() {
    let written = write(Parameters { faults: 11, ..Parameters::of_size(2, 400).with_vpcs(16) });
    let network = written.network();
    let (reach, reports) = (Reach::of(&network), written.reports(&network));
    let missed: Vec<_> = written.faults.iter().filter(|fault| !is_found(&reach, fault, &reports)).collect();
    let planted = written.faults.len();
    let recall = format!("recall: {} of {planted} planted faults", planted - missed.len());
    writeln!(std::io::stderr(), "{recall}").expect("stderr is open");
    assert!(planted == 11 && missed.is_empty(), "{missed:#?}");
    for report in &reports {
        let guilty: Vec<_> = written.faults.iter().filter(|fault| violates(fault, report)).collect();
        let expected = if guilty.is_empty() { Verdict::Holds } else { Verdict::Violated };
        assert_eq!(report.verdict, expected, "{}", report.name);
        for witness in &report.witnesses {
            let explained = guilty.iter().any(|fault| shows(&network, fault, report, witness));
            assert!(explained, "{}: {} to {}", report.name, witness.from, witness.to);
        }
    }
}

#[test]
fn changes_point_at_the_rows_of_their_resources() {
    let written = write(Parameters { faults: 10, ..Parameters::of_size(3, 400).with_vpcs(16) });
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

/// Runs the built command; its exit code, and what it wrote to stdout and stderr.
fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_reachproof")).args(arguments).output().expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Every file below a folder, by its path relative to that.
fn files(folder: &Path, base: &Path, into: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, base, into);
        } else {
            let name = path.strip_prefix(base).expect("below the base").to_owned();
            into.insert(name, fs::read(&path).expect("a file"));
        }
    }
}

#[test]
fn the_command_writes_a_folder_whole_and_alike_on_any_number_of_threads() {
    let place = tempfile::tempdir().expect("a folder");
    let [one, other] = ["one", "other"].map(|name| place.path().join(name));
    let written = [(&one, "1"), (&other, "3")].map(|(path, threads)| {
        let path = path.to_str().expect("UTF-8");
        let (code, summary, complaint) =
            run(&["generate", "--interfaces", "300", "--mutate", "3", "--threads", threads, "-o", path]);
        assert_eq!((code, complaint.as_str()), (Some(0), ""));
        let mut all = BTreeMap::new();
        files(Path::new(path), Path::new(path), &mut all);
        (summary, all)
    });
    assert!(written[0] == written[1], "{}\n{}", written[0].0, written[1].0);
    let (summary, all) = &written[0];
    let line = |name: &str| summary.lines().find(|line| line.starts_with(name)).map(str::to_owned);
    assert_eq!(line("interfaces"), Some("interfaces  300".to_owned()));
    assert_eq!(line("files"), Some(format!("files       {}", all.len())));
    let faults: serde_json::Value =
        serde_json::from_slice(&all[Path::new("faults.json")]).expect("faults.json is JSON");
    assert_eq!(faults.as_array().map(Vec::len), Some(3));
    let beside = fs::read_dir(place.path()).expect("a folder").count();
    assert_eq!(beside, 2, "something is left beside the folders");
}

#[test]
fn the_command_leaves_what_is_there_alone() {
    let place = tempfile::tempdir().expect("a folder");
    fs::write(place.path().join("note.txt"), "mine").expect("a file");
    let path = place.path().to_str().expect("UTF-8");
    let (code, summary, complaint) = run(&["generate", "--interfaces", "300", "-o", path]);
    assert_eq!((code, summary.as_str()), (Some(2), ""));
    assert_eq!(complaint, format!("error: `{path}` is not empty: expected an empty folder or none\n"));
    assert_eq!(fs::read_dir(place.path()).expect("a folder").count(), 1);
}

#[test]
fn people_are_shown_the_first_of_very_many_ways_and_told_of_the_others() {
    let place = tempfile::tempdir().expect("a folder");
    let path = place.path().to_str().expect("UTF-8");
    run(&["generate", "--interfaces", "1000", "--mutate", "5", "-o", path]);
    let policy = place.path().join("policy.yaml");
    let check = |format| {
        let policy = policy.to_str().expect("UTF-8");
        run(&["check", path, "--policy", policy, "--format", format]).1
    };
    let json: serde_json::Value = serde_json::from_str(&check("json")).expect("JSON");
    let all = json["properties"].as_array().expect("properties").iter();
    let ways: Vec<usize> = all.map(|row| row["witnesses"].as_array().expect("witnesses").len()).collect();
    let cut: Vec<usize> =
        ways.iter().map(|count| count.saturating_sub(20)).filter(|more| *more > 0).collect();
    assert!(!cut.is_empty(), "{ways:?}");
    for format in ["text", "markdown"] {
        let text = check(format);
        assert_eq!(text.matches(" => ").count(), ways.iter().map(|count| *count.min(&20)).sum::<usize>());
        for more in &cut {
            assert!(
                text.contains(&format!("and {more} more ways: --format json shows all of them")),
                "{text}"
            );
        }
    }
}

#[test]
fn check_counts_the_planted_faults_that_it_finds() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let all = folder.path().display().to_string();
    let size = ["generate", "--interfaces", "400", "--vpcs", "16", "--seed", "2"];
    let (code, _, _) = run(&[&size[..], &["--mutate", "3", "-o", &at("org")]].concat());
    assert_eq!(code, Some(0), "{all}");
    let check = |policy: &str, faults: &str| {
        run(&["check", &at("org"), "--policy", policy, "--faults", faults, "--color", "never"])
    };
    let (policy, faults) = (at("org/policy.yaml"), at("org/faults.json"));
    let (code, _, notes) = check(&policy, &faults);
    assert_eq!(
        (code, notes.contains("recall: 3 of 3 listed faults found; no witness that none of them explains")),
        (Some(1), true),
        "{notes}"
    );
    // Faults that nobody planted are missed, and planted ones that nobody lists are told.
    let text = fs::read_to_string(&faults).expect("the faults");
    let mut listed: Vec<serde_json::Value> = serde_json::from_str(&text).expect("JSON");
    let mut other = listed.remove(0);
    other["port"] = "tcp/7".into();
    fs::write(at("other.json"), serde_json::to_string(&[other]).expect("JSON")).expect("a file");
    let (_, _, notes) = check(&policy, &at("other.json"));
    assert!(
        notes.contains("recall: 0 of 1 listed faults found; ") && notes.contains("not listed: "),
        "{notes}"
    );
    let (code, _, error) = check(&policy, &policy);
    assert!(code == Some(2) && error.contains("expected the faults.json of `generate --mutate`"), "{error}");
}
