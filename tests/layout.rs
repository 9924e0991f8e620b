//! The rules of the house that no compiler checks: who depends on whom, what lies at the top level, how long a file is.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "helpers of a test"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Our crates that each of our crates may use; `checker` must not see the engine whose proofs it checks.
const MAY_USE: [(&str, &[&str]); 4] = [
    ("reachproof-model", &[]),
    ("reachproof-engine", &["reachproof-model"]),
    ("reachproof-checker", &["reachproof-model"]),
    ("reachproof-scenarios", &["reachproof-model"]),
];

/// Lines of code that a file may have before it is to be split by concept.
const LONGEST_FILE: usize = 600;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// For each crate of the workspace, what it depends on outside tests and benches.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = Command::new(env!("CARGO"))
        .current_dir(root())
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&cargo.stdout).unwrap();
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .map(|package| {
            let used = package["dependencies"].as_array().unwrap().iter();
            (name(package), used.filter(|one| one["kind"].is_null()).map(name).collect())
        })
        .collect()
}

#[test]
fn crates_use_what_they_may() {
    let dependencies = dependencies();
    for (package, allowed) in MAY_USE {
        let used = dependencies[package].iter().filter(|name| name.starts_with("reachproof"));
        let wrong: Vec<_> = used.filter(|name| !allowed.contains(&name.as_str())).collect();
        assert!(wrong.is_empty(), "{package} must not depend on {wrong:?}");
    }
}

#[test]
fn every_dependency_is_defended() {
    let page = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let (_, defence) = page.split_once("## Dependencies").unwrap();
    let words: BTreeSet<&str> = defence.split(|c: char| c.is_whitespace() || c == ',').collect();
    let all = dependencies().into_values().flatten();
    let wrong: Vec<_> =
        all.filter(|name| !name.starts_with("reachproof") && !words.contains(name.as_str())).collect();
    assert!(wrong.is_empty(), "docs/architecture.md does not say why there is {wrong:?}");
}

fn rust_files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

#[test]
fn no_file_is_too_long() {
    let mut paths = Vec::new();
    for folder in ["benches", "checker", "cli", "engine", "model", "scenarios", "tests"] {
        rust_files(&root().join(folder), &mut paths);
    }
    let lines = |path: &PathBuf| fs::read_to_string(path).unwrap().lines().count();
    let long: Vec<_> = paths.iter().filter(|path| lines(path) > LONGEST_FILE).collect();
    assert!(!paths.is_empty() && long.is_empty(), "longer than {LONGEST_FILE} lines: {long:?}");
}
