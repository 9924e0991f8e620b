//! The pages that a newcomer reads first say what is so: their commands run, end as the page tells, and print what it quotes.
//!
//! A block `sh` holds commands; a block `text` after it quotes what its last command prints: each line is the beginning
//! of a printed line, in the same order, and `…` stands for lines left out.

#![expect(clippy::expect_used, clippy::disallowed_methods, reason = "runs the commands of the pages")]

use std::fs;
use std::path::Path;
use std::process::Command;

/// The pages with the exit codes of their commands.
const PAGES: [(&str, &[i32]); 3] = [
    ("README.md", &[0, 1, 0, 0, 1]),
    ("scenarios/private-ml/README.md", &[0, 1]),
    ("scenarios/nat-egress/README.md", &[0, 1]),
];

/// How pages call the tool.
const CALL: &str = "cargo run --release -- ";

/// A command of a page and what it ended with.
struct Run {
    typed: String,
    code: Option<i32>,
    printed: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page(name: &str) -> String {
    fs::read_to_string(root().join(name)).expect("the page can be read")
}

/// Fenced blocks: their language and their lines.
fn blocks(page: &str) -> Vec<(&str, Vec<&str>)> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            blocks.push((language, lines.by_ref().take_while(|line| *line != "```").collect()));
        }
    }
    blocks
}

fn run(typed: &str) -> Option<Run> {
    let words = typed.strip_prefix(CALL)?;
    let output = Command::new(env!("CARGO_BIN_EXE_reachproof"))
        .current_dir(root())
        .args(words.split_whitespace())
        .output()
        .expect("the command runs");
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    Some(Run { typed: typed.to_owned(), code: output.status.code(), printed })
}

/// The first quoted line that the command does not print after those before it.
fn misquoted<'q>(quoted: &[&'q str], printed: &str) -> Option<&'q str> {
    let mut rest = printed.lines();
    quoted
        .iter()
        .copied()
        .filter(|line| line.trim() != "…")
        .find(|line| !rest.any(|real| real.starts_with(line)))
}

/// The runs of a page's commands, after comparing what it quotes.
fn runs(name: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut quotable = false;
    for (language, lines) in blocks(&page(name)) {
        let last = runs.last().filter(|_| quotable && language == "text");
        if let Some(Run { typed, printed, .. }) = last {
            let wrong = misquoted(&lines, printed);
            assert_eq!(wrong, None, "{name} quotes what `{typed}` does not print:\n{printed}");
        }
        let new: Vec<_> = lines.into_iter().filter(|_| language == "sh").filter_map(run).collect();
        quotable = !new.is_empty();
        runs.extend(new);
    }
    runs
}

#[test]
fn commands_of_the_pages_run_and_print_what_is_quoted() {
    for (name, codes) in PAGES {
        let found: Vec<_> = runs(name).iter().map(|run| run.code.unwrap_or(-1)).collect();
        assert_eq!(found, codes, "exit codes of the commands in {name}");
    }
}

#[test]
fn a_witness_names_the_guilty_file_and_pointer() {
    for name in ["private-ml", "nat-egress"] {
        let typed = format!("{CALL}check scenarios/{name}/twin --policy scenarios/{name}/policy.yaml");
        let printed = run(&typed).expect("a command").printed;
        let guilty = "ec2_describe-security-groups.json#/SecurityGroups/1/IpPermissions/1";
        assert!(printed.contains(guilty), "{name}: {printed}");
    }
}

#[test]
fn the_test_command_of_the_readme_is_what_the_check_runs() {
    let readme = page("README.md");
    let blocks = blocks(&readme);
    let test = blocks.iter().flat_map(|(_, lines)| lines).find(|line| line.starts_with("cargo test"));
    let test = test.expect("README.md says how to run the tests");
    assert!(page(".ci/run").lines().any(|line| line == format!("step {test}")), "`{test}` is not in .ci/run");
}

#[test]
fn a_misquoted_line_is_found() {
    assert_eq!(misquoted(&["b", "…", "c"], "a\nb\nx\ncd\n"), None);
    assert_eq!(misquoted(&["c", "b"], "a\nb\nc\n"), Some("b"));
}
