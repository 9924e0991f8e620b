//! Transcripts: files of commands with what they have to write.
//!
//! A line `$ reachproof …` is a command; below it stand what it wrote to stdout as it is, what it wrote to stderr with `! `
//! before each line, and `[N]` for an exit code other than 0. `#` begins a comment before a command. Arguments are
//! separated by spaces; single quotes hold one together. With `UPDATE_TRANSCRIPTS=1` the files are rewritten.

use std::fs;
use std::path::Path;

use crate::harness::{Run, run};

#[test]
fn transcripts_are_as_recorded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/transcripts");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    let wrong: Vec<_> = paths.iter().filter_map(|path| compare(path)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The difference between a file and what its commands write now, or `None`.
fn compare(path: &Path) -> Option<String> {
    let recorded = fs::read_to_string(path).unwrap();
    let now = replay(&recorded);
    if recorded == now {
        return None;
    }
    if std::env::var_os("UPDATE_TRANSCRIPTS").is_some() {
        fs::write(path, now).unwrap();
        return None;
    }
    let line = recorded.lines().zip(now.lines()).take_while(|(old, new)| old == new).count();
    Some(format!(
        "{}:{}: expected `{}`, found `{}`",
        path.display(),
        line + 1,
        recorded.lines().nth(line).unwrap_or("the end"),
        now.lines().nth(line).unwrap_or("the end"),
    ))
}

/// The transcript with its commands run again.
fn replay(recorded: &str) -> String {
    let mut now = String::new();
    let mut comment = String::new();
    for line in recorded.lines() {
        if let Some(typed) = line.strip_prefix("$ ") {
            let arguments = words(typed);
            assert_eq!(arguments.first().map(String::as_str), Some("reachproof"), "{typed}");
            let arguments: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
            now.push_str(&format!("{}{line}\n{}", std::mem::take(&mut comment), written(&run(&arguments))));
        } else if line.starts_with("# ") && (now.is_empty() || now.ends_with("\n\n")) {
            comment.push_str(&format!("{line}\n"));
        }
    }
    now.trim_end().to_owned() + "\n"
}

/// What a command wrote, as a transcript has it, with an empty line after it.
fn written(run: &Run) -> String {
    let mut text = run.stdout.clone();
    for line in run.stderr.lines() {
        text.push_str(format!("! {line}").trim_end());
        text.push('\n');
    }
    if run.code != Some(0) {
        text.push_str(&run.code.map_or("[signal]\n".to_owned(), |code| format!("[{code}]\n")));
    }
    text + "\n"
}

fn words(typed: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in typed.split('\'').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}
