//! Compiled snapshots, from the command that writes them to the answers that they give.
//!
//! `tests/golden/` holds files of the format as it is. With `UPDATE_GOLDEN=1` they are written anew.

#![expect(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "helpers of a test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use proptest::prelude::*;
use proptest::sample::Index;
use reachproof_engine::check::check;
use reachproof_engine::network::{Network, Options};
use reachproof_model::compiled::{SNAPSHOT, pack, read_snapshot, write_snapshot};
use reachproof_model::ingest::load;
use reachproof_model::policy::Policy;
use reachproof_scenarios::corpus;
use serde::ser::{Serialize, SerializeTuple, Serializer};

const ANSWERS: &str = "scenarios/private-ml/aws";
const TWIN: &str = "scenarios/private-ml/twin";
const POLICY: &str = "scenarios/private-ml/policy.yaml";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn reachproof(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_reachproof")).args(arguments).current_dir(root()).output().unwrap()
}

/// The compiled file of these inputs.
fn compiled(inputs: &[&str]) -> Vec<u8> {
    let output = reachproof(&[&["compile", "-o", "-"], inputs].concat());
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{inputs:?}");
    output.stdout
}

/// What a command says that cannot use a file with this content.
fn refused(bytes: &[u8]) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    let name = file.path().to_str().unwrap();
    let output = reachproof(&["check", name, "--policy", POLICY]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    let talk = String::from_utf8(output.stderr).unwrap();
    talk.strip_prefix(&format!("error: {name}: ")).unwrap_or_else(|| panic!("{talk}")).to_owned()
}

/// Content that a fitting header is put before as it is.
struct Raw<'b>(&'b [u8]);

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(self.0.len())?;
        self.0.iter().try_for_each(|byte| tuple.serialize_element(byte))?;
        tuple.end()
    }
}

fn framed(payload: &[u8]) -> Vec<u8> {
    pack(SNAPSHOT, &Raw(payload)).unwrap()
}

fn golden() -> PathBuf {
    root().join(format!("tests/golden/private-ml.v{}.compiled", SNAPSHOT.version))
}

#[test]
fn answers_are_those_of_the_json() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("network.compiled");
    let path = path.to_str().unwrap();
    for input in [ANSWERS, TWIN] {
        let summary = reachproof(&["compile", input, "-o", path]);
        let summary = String::from_utf8(summary.stdout).unwrap();
        for rest in [
            &["check", "--policy", POLICY][..],
            &["check", "--policy", POLICY, "--format", "json"],
            &["reach", "--from", "internet", "--format", "json"],
            &["trace", "--from", "name:trainer-a", "--to", "name:trainer-b", "--port", "443"],
        ] {
            let (json, compiled) =
                (reachproof(&[rest, &[input]].concat()), reachproof(&[rest, &[path]].concat()));
            assert_eq!(json, compiled, "{input}: {rest:?}");
            assert_ne!(json.status.code(), Some(2), "{input}: {rest:?}");
        }
        let json = reachproof(&["check", input, "--policy", POLICY, "--format", "json"]).stdout;
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        let digest = json["snapshot"].as_str().unwrap();
        let bytes = fs::metadata(path).unwrap().len();
        assert!(summary.starts_with(&format!("{path}: ")), "{summary}");
        assert!(summary.ends_with(&format!(" interfaces, snapshot {digest}, {bytes} bytes\n")), "{summary}");
    }
}

#[test]
fn equal_inputs_give_equal_bytes() {
    let folder = format!("{ANSWERS}/111122223333/us-east-1");
    let file = |call: &str| format!("{folder}/ec2_describe-{call}.json");
    let (vpcs, subnets, groups) = (file("vpcs"), file("subnets"), file("security-groups"));
    let one = compiled(&[&vpcs, &subnets, &groups]);
    assert_eq!(compiled(&[&groups, &vpcs, &subnets]), one);
    assert_eq!(compiled(&["--threads", "1", &subnets, &groups, &vpcs]), one);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("one.compiled");
    fs::write(&path, &one).unwrap();
    assert_eq!(compiled(&[path.to_str().unwrap()]), one, "compiled again");
}

#[test]
fn every_network_of_the_corpus_survives() {
    for scenario in corpus() {
        let name = scenario.name();
        let snapshot = load(scenario.inputs()).unwrap();
        let file = write_snapshot(&snapshot).unwrap();
        let read = read_snapshot(name, &file).unwrap_or_else(|error| panic!("{error}"));
        assert!(read == snapshot, "{name}");
        assert_eq!(write_snapshot(&read).unwrap(), file, "{name}");
        assert_eq!(read.digest(), snapshot.digest(), "{name}");
    }
}

/// Old files must be read as what they meant, or not at all.
#[test]
fn the_golden_file_is_read_and_written_as_ever() {
    let path = golden();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, compiled(&[ANSWERS])).unwrap();
    }
    let file = fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; write it with UPDATE_GOLDEN=1", path.display()));
    let changed = "compiled files that exist would be misread: raise the version in `compiled::SNAPSHOT`, then write the \
                   golden file of the new version with UPDATE_GOLDEN=1. (If the example network alone has changed, write \
                   the file anew and leave the version.)";
    let read = read_snapshot("golden", &file).unwrap_or_else(|error| panic!("{error}: {changed}"));
    assert!(write_snapshot(&read).unwrap() == file, "the format has changed: {changed}");
    let output = reachproof(&["check", ANSWERS, "--policy", POLICY, "--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let digest = format!("sha256:{}", read.digest());
    assert_eq!(
        json["snapshot"],
        digest.as_str(),
        "facts are read, or concluded from the answers, otherwise: {changed}"
    );
}

#[test]
fn a_golden_file_of_another_version_is_called_that() {
    let mut file = fs::read(golden()).unwrap();
    file[10] += 1;
    let found = refused(&file);
    assert!(found.starts_with("found a compiled snapshot of format version "), "{found}");
}

/// Files of older versions are kept to be refused, not misread.
#[test]
fn a_file_of_an_older_version_is_to_be_made_again() {
    let file = fs::read(root().join("tests/golden/private-ml.v2.compiled")).unwrap();
    let found = refused(&file);
    let expected = SNAPSHOT.version;
    let refusal = format!(
        "found a compiled snapshot of format version 2, expected {expected}; make it again with this reachproof\n"
    );
    assert_eq!(found, refusal);
}

#[test]
fn damage_is_named_and_nothing_is_decided() {
    let file = fs::read(golden()).unwrap();
    let half = file.len() / 2;
    let cut = refused(&file[..half]);
    assert!(cut.starts_with(&format!("found {} bytes behind the header, expected ", half - 52)), "{cut}");
    let mut damaged = file.clone();
    damaged[half] ^= 1;
    assert!(refused(&damaged).starts_with("found content of sha256:"));
    damaged[0] ^= 1;
    assert!(refused(&damaged).contains("expected JSON in UTF-8"));
    assert!(refused(&framed(&file[52..half])).starts_with("found the end of the content"));
}

#[test]
fn a_compiled_snapshot_stands_alone() {
    let golden = golden();
    let golden = golden.to_str().unwrap();
    for inputs in [[golden, ANSWERS], [golden, golden], ["tests/cli/files/plain.yaml", golden]] {
        let output = reachproof(&[&["reach"], &inputs[..]].concat());
        let talk = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(talk.starts_with(&format!("error: {golden}: found a compiled snapshot among ")), "{talk}");
    }
}

/// A file of some bytes that claims a text of 60 GiB: no memory is asked for that is not there to be filled.
#[cfg(target_os = "linux")]
#[test]
fn a_claimed_length_takes_no_memory() {
    // A section of 14 bytes, which says that it has one chunk of texts.
    let claim = [&[14, 1, 253], &(60_u64 << 30).to_le_bytes()[..], b"name"].concat();
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), framed(&claim)).unwrap();
    let output = Command::new("sh")
        .args(["-c", "ulimit -v 1000000; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_reachproof")])
        .args(["--threads", "1", "reach", file.path().to_str().unwrap()])
        .output()
        .unwrap();
    let talk = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{talk}");
    assert!(talk.contains("found the end of the content"), "{talk}");
}

/// Facts that nobody measured may be wrong, but they are answered like any others.
fn is_answered(file: &[u8]) -> bool {
    let Ok(snapshot) = read_snapshot("mixed up", file) else { return false };
    let policy = "reachproof: policy/v1\nproperties:\n  - {name: p, forbid: {from: internet, to: any}}\n";
    let policy = Policy::parse("policy.yaml", policy.as_bytes()).unwrap();
    let Ok(network) = Network::build(&snapshot, Options::default()) else { return false };
    check(&network, &policy, jiff::civil::date(2026, 11, 25)).is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn content_that_is_mixed_up_is_answered_or_an_error(
        changes in proptest::collection::vec((any::<Index>(), 0..8_u8), 1..4),
    ) {
        let mut payload = fs::read(golden()).unwrap().split_off(52);
        for (at, bit) in changes {
            let at = at.index(payload.len());
            payload[at] ^= 1 << bit;
        }
        is_answered(&framed(&payload));
    }
}
