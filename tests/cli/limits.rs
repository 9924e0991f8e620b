//! Limits that are hit at once: what is said, and that nothing is written.

use std::process::Stdio;

use crate::harness::{Run, command, run};

const CHECK: [&str; 4] = ["check", "plain.yaml", "--policy", "policy.yaml"];

fn with<'a>(command: &[&'a str], more: &[&'a str]) -> Run {
    run(&[command, more].concat())
}

/// A run that hit a limit: code 2, no answer, and one line that names limit and use.
fn is_stopped(run: &Run, limit: &str, used: &str) {
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{run:?}");
    let said = format!("error: the limit of {limit} was reached {used}");
    assert!(run.stderr.starts_with(&said), "{run:?}");
    assert!(run.stderr.ends_with(": nothing was decided\n"), "{run:?}");
    assert_eq!(run.stderr.lines().count(), 1, "{run:?}");
}

#[test]
fn time_ends_every_command_that_searches() {
    let trace = ["trace", "plain.yaml", "--flows", "flows.jsonl"];
    let golden = ["../../golden/private-ml.v3.cert", "../../golden/private-ml.v5.compiled"];
    let verify = ["verify", golden[0], golden[1]];
    for one in [&CHECK[..], &["reach", "plain.yaml"], &trace, &verify] {
        is_stopped(&with(one, &["--limit-time", "0"]), "0 s (--limit-time)", "after ");
        is_stopped(&with(one, &["--limit-memory", "1"]), "1 MiB (--limit-memory)", "with ");
    }
}

#[test]
fn time_ends_a_command_that_is_at_work() {
    // Its input never ends.
    let arguments = ["check", "-", "--policy", "policy.yaml", "--limit-time", "0.2"];
    let mut child = command(&arguments).stdin(Stdio::piped()).spawn().unwrap();
    let stdin = child.stdin.take();
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    assert!(said.starts_with("error: the limit of 0.2 s (--limit-time) was reached after 0."), "{said}");
}

#[test]
fn nodes_end_a_search_on_any_number_of_threads() {
    for threads in ["1", "2", "7"] {
        for one in [&CHECK[..], &["reach", "plain.yaml"]] {
            let stopped = with(one, &["--limit-nodes", "3", "--threads", threads]);
            is_stopped(&stopped, "3 nodes (--limit-nodes)", "with 3 in use");
        }
    }
}

#[test]
fn a_limit_that_is_not_hit_changes_nothing() {
    let plain = run(&CHECK);
    let watched = with(&CHECK, &["--limit-time", "86400", "--limit-memory", "1000000"]);
    assert_eq!(plain, watched);
    assert_eq!(plain, with(&CHECK, &["--limit-nodes", "100000"]));
}

#[test]
fn nothing_is_written_beyond_a_limit() {
    let folder = tempfile::tempdir().unwrap();
    let (answer, evidence) = (folder.path().join("answer.txt"), folder.path().join("evidence"));
    for limit in [["--limit-time", "0"], ["--limit-memory", "1"], ["--limit-nodes", "3"]] {
        let mut command = command(&[&CHECK[..], &limit].concat());
        command.arg("--output").arg(&answer).arg("--certificates").arg(&evidence);
        assert_eq!(command.output().unwrap().status.code(), Some(2));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{limit:?}");
    }
}

#[test]
fn a_limit_that_no_number_is_is_bad_usage() {
    for limit in ["-1", "soon", "nan", "1e30"] {
        let refused = with(&CHECK, &[&format!("--limit-time={limit}")]);
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(2), ""));
        assert!(refused.stderr.contains("expected a number of seconds"), "{refused:?}");
    }
}
