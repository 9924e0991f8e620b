//! The cases: their answers of AWS, and what is expected of them.

use std::fs;
use std::path::{Path, PathBuf};

use reachproof_model::ingest::Input;
use serde_json::Value;

use crate::summary::report;

/// One folder of answers with its expectations.
pub struct Case {
    /// `<family>/<case>`.
    pub name: String,
    /// The answers.
    pub inputs: Vec<Input>,
    /// The expectations.
    pub expect: Value,
}

/// The folder of expectations; `None`, and said so, where there is none.
pub fn folder() -> Option<PathBuf> {
    let Some(path) = std::env::var_os("REACHPROOF_CONFORMANCE").map(PathBuf::from) else {
        report("conformance: skipped, REACHPROOF_CONFORMANCE is not set to the folder of expectations");
        return None;
    };
    assert!(path.is_dir(), "REACHPROOF_CONFORMANCE names {}, which is no folder", path.display());
    Some(path)
}

/// Every case below `<root>/<family>/`, by name.
pub fn cases(root: &Path) -> Vec<Case> {
    let families = entries(root).into_iter().filter(|path| path.is_dir());
    let folders = families.flat_map(|family| entries(&family)).filter(|path| path.join("aws").is_dir());
    let found: Vec<Case> = folders.map(|folder| case(root, &folder)).collect();
    assert!(!found.is_empty(), "{} holds no case", root.display());
    found
}

fn case(root: &Path, folder: &Path) -> Case {
    let mut inputs = Vec::new();
    read(&folder.join("aws"), &folder.join("aws"), &mut inputs);
    let expect = fs::read(folder.join("expect.json")).expect("a case has expectations");
    Case {
        name: relative(root, folder),
        inputs,
        expect: serde_json::from_slice(&expect).expect("expectations are JSON"),
    }
}

fn read(root: &Path, folder: &Path, found: &mut Vec<Input>) {
    for path in entries(folder) {
        if path.is_dir() {
            read(root, &path, found);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(Input { name: relative(root, &path), bytes: fs::read(&path).expect("readable") });
        }
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder).expect("a readable folder");
    let mut paths: Vec<PathBuf> = listed.map(|entry| entry.expect("a readable entry").path()).collect();
    paths.sort();
    paths
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).expect("below the root").to_string_lossy().replace('\\', "/")
}

/// The string under a key; empty if there is none.
pub fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// The list under a key; empty if there is none.
pub fn items<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value[key].as_array().into_iter().flatten()
}
