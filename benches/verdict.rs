//! Verdicts, from the cold start of the process to its end, with the most memory it used.
//!
//! Beside the examples it measures each case below `REACHPROOF_CONFORMANCE` and the snapshot that `REACHPROOF_SNAPSHOT`
//! names, where these are set.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::expect_used,
    reason = "a bench measures, prints, and stops where it cannot"
)]

use std::env;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use tempfile::NamedTempFile;

/// Runs of which the median counts.
const RUNS: usize = 15;

/// What may not be reachable from where, asked of networks that come without a policy.
const EVERYTHING: &str =
    "reachproof: policy/v1\nproperties:\n  - {name: nothing-inbound, forbid: {from: internet, to: any}}\n";

/// An input and the policy to check it by.
struct Case {
    name: String,
    input: PathBuf,
    policy: PathBuf,
}

fn examples() -> Vec<Case> {
    let example = |name: &str| Case {
        name: name.to_owned(),
        input: format!("scenarios/{name}/aws").into(),
        policy: format!("scenarios/{name}/policy.yaml").into(),
    };
    vec![example("private-ml"), example("nat-egress")]
}

/// Every folder `aws` two levels below, sorted.
fn conformance(folder: &Path, policy: &Path) -> Vec<Case> {
    let inside =
        |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut inputs: Vec<PathBuf> = inside(folder)
        .flat_map(|tool| inside(&tool))
        .map(|case| case.join("aws"))
        .filter(|aws| aws.is_dir())
        .collect();
    inputs.sort();
    let name =
        |input: &Path| input.strip_prefix(folder).unwrap_or(input).with_file_name("").display().to_string();
    inputs.into_iter().map(|input| Case { name: name(&input), policy: policy.to_owned(), input }).collect()
}

fn check(case: &Case) -> Output {
    Command::new(env!("CARGO_BIN_EXE_reachproof"))
        .arg("-v")
        .arg("check")
        .arg(&case.input)
        .arg("--policy")
        .arg(&case.policy)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the command runs")
}

/// Prints the median of the runs, the longest of them, and what the command itself says of its memory.
fn measure(case: &Case) {
    let mut times: Vec<f64> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            check(case);
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let output = check(case);
    let talk = String::from_utf8_lossy(&output.stderr);
    let memory =
        talk.lines().last().and_then(|line| line.split_once("done, ")).map_or("unknown", |(_, text)| text);
    let code = output.status.code().unwrap_or(-1);
    let (median, longest) = (times.get(RUNS / 2), times.last());
    println!(
        "{:<45} {:>6.1} ms (longest {:>6.1} ms), {memory}, exit {code}",
        case.name,
        median.unwrap_or(&f64::NAN),
        longest.unwrap_or(&f64::NAN),
    );
}

fn main() {
    let mut policy = NamedTempFile::new().expect("a temporary file");
    policy.write_all(EVERYTHING.as_bytes()).expect("a temporary file");
    let mut cases = examples();
    if let Some(folder) = env::var_os("REACHPROOF_CONFORMANCE") {
        cases.extend(conformance(Path::new(&folder), policy.path()));
    }
    if let Some(input) = env::var_os("REACHPROOF_SNAPSHOT") {
        let policy = policy.path().to_owned();
        cases.push(Case { name: "snapshot".to_owned(), input: input.into(), policy });
    }
    cases.iter().for_each(measure);
}
