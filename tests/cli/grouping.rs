//! Rows that stand for several endpoints say exactly what the rows of each two of them say.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use serde_json::Value;

use crate::harness::run;

/// The flows of a row, without addresses, each with its blocks of sources and of destinations.
type Flows = BTreeMap<String, [Vec<IpNet>; 2]>;

fn corpus(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name).display().to_string()
}

fn reach(arguments: &[&str]) -> Value {
    let run = run(&[&["reach", "--format", "json"], arguments].concat());
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    serde_json::from_str(&run.stdout).unwrap()
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn blocks(value: &Value) -> Vec<IpNet> {
    strings(value).iter().map(|text| text.parse().unwrap()).collect()
}

fn flows(row: &Value) -> Flows {
    let mut found = Flows::new();
    for flow in row["flows"].as_array().unwrap() {
        let mut rest = flow.clone();
        let fields = rest.as_object_mut().unwrap();
        let addresses = ["source", "destination"].map(|field| blocks(&fields.remove(field).unwrap()));
        let families = addresses.each_ref().map(|blocks| blocks[0].addr().is_ipv4());
        add(found.entry(format!("{families:?} {rest}")).or_default(), addresses);
    }
    found
}

fn add(known: &mut [Vec<IpNet>; 2], more: [Vec<IpNet>; 2]) {
    for (known, more) in known.iter_mut().zip(more) {
        known.extend(more);
        *known = IpNet::aggregate(known);
    }
}

/// The flows between two endpoints, asked for alone; a subnet also stands for its known interfaces.
fn alone(input: &str, from: &str, to: &str) -> Flows {
    let answer = reach(&[input, "--from", from, "--to", to]);
    let rows = answer["rows"].as_array().unwrap().iter();
    let own: Vec<_> = rows.filter(|row| strings(&row["to"]).contains(&to.to_owned())).collect();
    assert!(own.len() <= 1, "{from} => {to}");
    own.first().map(|row| flows(row)).unwrap_or_default()
}

/// Checks the whole matrix of an input against each of its pairs; the number of rows.
fn check(name: &str) -> usize {
    let input = corpus(name);
    let matrix = reach(&[&input]);
    let rows = matrix["rows"].as_array().unwrap();
    let mut listed = BTreeSet::new();
    for row in rows {
        let (sources, sinks) = (strings(&row["from"]), strings(&row["to"]));
        let mut union = Flows::new();
        let pairs = sources.iter().flat_map(|from| sinks.iter().map(move |to| (from, to)));
        for (from, to) in pairs.filter(|(from, to)| from != to) {
            assert!(listed.insert((from.clone(), to.clone())), "{name}: {from} => {to} is in two rows");
            let own = alone(&input, from, to);
            assert!(own.keys().eq(flows(row).keys()), "{name}: {from} => {to}");
            own.into_iter().for_each(|(key, addresses)| add(union.entry(key).or_default(), addresses));
        }
        assert_eq!(union, flows(row), "{name}: {sources:?} => {sinks:?}");
    }
    let ends: BTreeSet<String> =
        rows.iter().flat_map(|row| [strings(&row["from"]), strings(&row["to"])]).flatten().collect();
    for (from, to) in ends.iter().flat_map(|from| ends.iter().map(move |to| (from.clone(), to.clone()))) {
        let closed = from == to || listed.contains(&(from.clone(), to.clone()));
        assert!(closed || starts_nothing(&from) || alone(&input, &from, &to).is_empty(), "{from} => {to}");
    }
    rows.len()
}

/// Services and unseen interfaces are only sinks.
fn starts_nothing(id: &str) -> bool {
    id.starts_with("vpce-") || id.starts_with("subnet-")
}

#[test]
fn rows_of_groups_are_those_of_their_members() {
    assert_eq!(check("corpus/base/f0.yaml"), 3);
    assert_eq!(check("corpus/base/f0-ipv6.yaml"), 6);
    assert_eq!(check("corpus/addr/t-addr-12.yaml"), 15);
    assert_eq!(check("corpus/route/t-route-13.yaml"), 9);
    assert_eq!(check("corpus/vpn/t-vpn-05.yaml"), 8);
    assert_eq!(check("private-ml/twin"), 8);
}

/// The YAML files below a folder.
fn scenarios(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            scenarios(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            into.push(path);
        }
    }
}

#[test]
fn no_row_of_the_corpus_contradicts_its_replay() {
    let mut paths = Vec::new();
    scenarios(Path::new(&corpus("corpus")), &mut paths);
    assert!(paths.len() > 100);
    for path in paths {
        let run = run(&["reach", &path.display().to_string()]);
        assert!(!run.stderr.contains("internal error"), "{}", run.stderr);
        assert!(run.code == Some(0) || run.stderr.starts_with("error: no path question"), "{}", run.stderr);
    }
}
