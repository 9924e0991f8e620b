//! Where answers go: files written whole or not at all, closed pipes, colours.

use std::fs;
use std::io::Read;

use crate::harness::{command, run, run_with};

#[test]
fn an_answer_goes_to_the_file_and_nowhere_else() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("policy.schema.json");
    let to_file = run(&["schema", "policy", "-o", path.to_str().unwrap()]);
    assert_eq!((to_file.code, to_file.stdout.as_str(), to_file.stderr.as_str()), (Some(0), "", ""));
    assert_eq!(fs::read_to_string(&path).unwrap(), run(&["schema", "policy"]).stdout);
}

#[test]
fn nothing_is_written_on_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("answer.json");
    let failed = run(&["check", "missing", "--policy", "policy.yaml", "-o", path.to_str().unwrap()]);
    assert_eq!((failed.code, failed.stdout.as_str()), (Some(2), ""));
    assert!(failed.stderr.starts_with("error: cannot read `missing`: "), "{}", failed.stderr);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn a_closed_pipe_is_no_error() {
    let mut child = command(&["completions", "zsh"]).spawn().unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""));
}

#[test]
fn colours_are_written_only_on_demand_into_a_pipe() {
    let plain = run(&["reach", "missing"]);
    assert!(plain.stderr.starts_with("error: "), "{}", plain.stderr);
    let painted = run(&["reach", "missing", "--color", "always"]);
    assert!(painted.stderr.starts_with("\x1b[31merror:\x1b[0m "), "{}", painted.stderr);
}

#[test]
fn control_characters_of_an_input_do_not_reach_the_terminal() {
    let run = run(&["reach", "mi\x1b[2Jssing"]);
    assert!(run.stderr.contains("mi\\u{1b}[2Jssing"), "{}", run.stderr);
    assert!(!run.stderr.contains('\x1b'));
}

#[test]
fn flows_may_come_from_standard_input() {
    let bad = run_with(&["trace", "network", "--flows", "-"], "{\"from\":\"any\"}\n");
    assert_eq!(bad.code, Some(2));
    assert!(bad.stderr.starts_with("error: <stdin>:1: missing field `to`"), "{}", bad.stderr);
}

#[test]
fn every_shell_has_completions_and_every_command_a_page() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = run(&["completions", shell]);
        assert_eq!(script.code, Some(0));
        assert!(script.stdout.contains("reachproof") && script.stdout.contains("icmp-type"), "{shell}");
    }
    for name in ["check", "trace", "reach", "generate", "compile", "verify", "schema", "completions", "man"] {
        let page = run(&["man", name]);
        assert_eq!(page.code, Some(0));
        assert!(page.stdout.contains(&format!(".TH reachproof-{name} 1")), "{}", page.stdout);
    }
    assert!(run(&["man"]).stdout.contains("Exit codes"));
}

#[test]
fn no_command_is_listed_that_does_not_exist() {
    let help = run(&["--help"]).stdout;
    for missing in ["whatif", "explain"] {
        assert!(!help.contains(missing), "{missing}");
    }
}

#[test]
fn an_end_that_is_not_there_is_named_with_its_line() {
    let flows = "{\"from\": \"eni-web\", \"to\": \"eni-app\", \"port\": 443}\n{\"from\": \"eni-gone\", \"to\": \"eni-app\", \"port\": 443}\n";
    let failed = run_with(&["trace", "plain.yaml", "--flows", "-"], flows);
    assert_eq!((failed.code, failed.stdout.as_str()), (Some(2), ""));
    assert!(failed.stderr.starts_with("error: <stdin>:2: "), "{}", failed.stderr);
}

#[test]
fn more_threads_than_help_are_refused() {
    let failed = run(&["check", "plain.yaml", "--policy", "policy.yaml", "--threads", "100000"]);
    assert_eq!(failed.code, Some(2));
    assert!(failed.stderr.contains("from 1 to 1024"), "{}", failed.stderr);
}
