//! Expectations that nobody on this project wrote, read from the folder that `REACHPROOF_CONFORMANCE` names.
//!
//! Unset, the test says that it was skipped and why; set to something that is not there, it fails. The data stays
//! outside the project.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "helpers of a test")]

use std::fs;
use std::path::{Path, PathBuf};

use reachproof_engine::evidence::{Disposition, TraceVerdict};
use reachproof_engine::network::{Network, Options};
use reachproof_engine::point::{Fields, query};
use reachproof_engine::trace::trace;
use reachproof_model::flow::{Protocol, Question};
use reachproof_model::ingest::{Input, load};
use reachproof_model::policy::trace_point;
use serde_json::Value;

/// Checks that contradict the semantics, with the rule that decides.
const CONTRADICTED: [(&str, &str, &str); 1] = [
    // A tunnel's outside address is AWS's own and no interface of a VPC: nothing is delivered into the network.
    ("batfish/vpn-gateway-bgp", "internet-to-vpn-outside-ip", "R-IGW-4"),
];

fn folder() -> Option<PathBuf> {
    let Some(path) = std::env::var_os("REACHPROOF_CONFORMANCE").map(PathBuf::from) else {
        println!("conformance: skipped, REACHPROOF_CONFORMANCE is not set to the folder of expectations");
        return None;
    };
    assert!(path.is_dir(), "REACHPROOF_CONFORMANCE names {}, which is no folder", path.display());
    Some(path)
}

fn inputs(root: &Path, folder: &Path, found: &mut Vec<Input>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).expect("readable").map(|entry| entry.expect("entry").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            inputs(root, &path, found);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            let name = path.strip_prefix(root).expect("below the root").to_string_lossy().replace('\\', "/");
            found.push(Input { name, bytes: fs::read(&path).expect("readable") });
        }
    }
}

fn cases(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for family in ["batfish", "npguard"] {
        let entries = fs::read_dir(root.join(family)).expect("readable");
        found.extend(
            entries.map(|entry| entry.expect("entry").path()).filter(|path| path.join("aws").is_dir()),
        );
    }
    found.sort();
    found
}

/// The instance's or interface's end of a check, as a trace point.
fn end(side: &Value) -> Option<String> {
    let ip = side["ip"].as_str();
    if side["internet"].as_bool() == Some(true) {
        return Some(ip.map_or("internet".to_owned(), |ip| format!("internet:{ip}")));
    }
    ip.or(side["eni"].as_str()).or(side["instance"].as_str()).map(str::to_owned)
}

/// What is wrong with one check; `None` if it agrees or asks for what is not built or not collected.
fn disagreement(network: &Network<'_>, check: &Value) -> Option<Result<(), String>> {
    let name = check["name"].as_str().unwrap_or("?");
    if check["kind"] != "trace" || check["requires"].is_array() || check["from"]["node"].is_string() {
        return None;
    }
    let (from, to) = (end(&check["from"])?, end(&check["to"])?);
    let protocol = match &check["protocol"] {
        Value::String(name) => reachproof_model::policy::protocol(name)?,
        number => Protocol(u8::try_from(number.as_u64()?).ok()?),
    };
    let port = |key: &str| check[key].as_u64().and_then(|port| u16::try_from(port).ok());
    let fields = Fields { protocol, source_port: port("src_port"), port: port("dst_port") };
    let (from, to) = (trace_point(&from).ok()?, trace_point(&to).ok()?);
    let query = match query(network, &from, &to, fields, Question::Packet) {
        Ok(query) => query,
        Err(error) => return Some(Err(format!("{name}: {error}"))),
    };
    let found = trace(network, &query);
    let expected = if check["expect"] == "reaches" { TraceVerdict::Reaches } else { TraceVerdict::Blocked };
    // An unknown answer is honest where a part is not modelled; a contrary one is not.
    let agrees = found.verdict == expected || found.verdict == TraceVerdict::Unknown;
    let stays_outside =
        query.flow.source != query.flow.destination && check["path"] == serde_json::json!(["internet"]);
    if agrees || stays_outside {
        return Some(Ok(()));
    }
    let end: Disposition = found.forward.disposition;
    Some(Err(format!("{name}: expected {expected:?}, found {:?} ({end:?})", found.verdict)))
}

#[test]
fn every_case_loads_and_no_check_is_contradicted() {
    let Some(root) = folder() else { return };
    let (mut compared, mut wrong) = (0, Vec::new());
    for case in cases(&root) {
        let mut files = Vec::new();
        inputs(&case.join("aws"), &case.join("aws"), &mut files);
        let name = case.strip_prefix(&root).expect("below the root").display().to_string();
        let snapshot = match load(files) {
            Ok(snapshot) => snapshot,
            Err(error) => {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
        };
        let Ok(network) = Network::build(&snapshot, Options::default()) else { continue };
        let expect: Value =
            serde_json::from_slice(&fs::read(case.join("expect.json")).expect("readable")).expect("JSON");
        for check in expect["checks"].as_array().into_iter().flatten() {
            let label = check["name"].as_str().unwrap_or("?");
            let known = CONTRADICTED.iter().any(|(of, check, _)| *of == name && *check == label);
            match disagreement(&network, check) {
                Some(Ok(())) => compared += 1,
                Some(Err(text)) if !known => wrong.push(format!("{name}: {text}")),
                _ => {}
            }
        }
    }
    println!("conformance: {compared} packet checks agree or are honestly unknown");
    assert!(wrong.is_empty(), "{} contradicted:\n{}", wrong.len(), wrong.join("\n"));
}
