//! Answers as Markdown, for comments on pull requests: the summary first, then what fails, with its way.
//!
//! What comes from the input stands in code, where nothing is a link, a mention or a tag.

use std::fmt::Write;

use reachproof_engine::check::{PropertyReport, Verdict};
use reachproof_engine::evidence::Trace;
use reachproof_engine::network::Network;

use super::check::{Checked, Summary, footer, sentence, shown, verdict_name, witness_title};
use super::journey;
use super::names::Names;
use super::reach::ReachAnswer;
use super::rows;
use crate::style::{Style, visible};

/// Text that the answer goes into has no colours.
const PLAIN: Style = Style { colours: false };

/// The answer of `check`.
pub fn check(checked: Checked<'_, '_>) -> String {
    let mut text = format!("### reachproof: {}\n\n", Summary::of(checked.reports).text());
    text += &row(&["verdict", "property", "severity", "result"].map(str::to_owned));
    text += &row(&["---"; 4].map(str::to_owned));
    for report in checked.reports {
        let severity = report.severity.unwrap_or_default().to_owned();
        text +=
            &row(&[verdict_name(report.verdict).to_owned(), code(&report.name), severity, sentence(report)]);
    }
    for verdict in [Verdict::Violated, Verdict::Unknown] {
        for report in checked.reports.iter().filter(|report| report.verdict == verdict) {
            text += &property(checked, report);
        }
    }
    text
}

/// One property that does not hold.
fn property(checked: Checked<'_, '_>, report: &PropertyReport) -> String {
    let mut text = format!("\n#### {}: {}\n", verdict_name(report.verdict), code(&report.name));
    if let Some(why) = &report.why {
        let _ = write!(text, "\n{}\n", code(why));
    }
    let (shown, more) = shown(report);
    for witness in shown {
        let _ = write!(text, "\n{}\n\n", code(&witness_title(checked.names, witness)));
        text += &block(&journey::walks_text(checked.network, checked.names, &witness.trace, PLAIN, ""));
    }
    if let Some(more) = more {
        let _ = write!(text, "\n{}\n", code(&more));
    }
    text + "\n" + &block(&unindented(&footer(report)))
}

/// The answer of `trace`.
pub fn trace(network: &Network<'_>, names: &Names<'_>, trace: &Trace) -> String {
    let text = journey::text(network, names, trace, PLAIN);
    let (verdict, way) = text.split_once('\n').unwrap_or((&text, ""));
    format!("### {}\n\n{}", code(verdict), block(&unindented(way)))
}

/// The answer of `reach`: a row for each kind of flows.
pub fn reach(answer: &ReachAnswer<'_>) -> String {
    let mut text = format!("### reachproof: {}\n", rows::summary(answer));
    text += &row(&["from => to", "flows"].map(str::to_owned));
    text += &row(&["---"; 2].map(str::to_owned));
    for one in &answer.rows {
        let ends = code(&rows::ends(&answer.names, one));
        for line in rows::lines(one) {
            text += &row(&[ends.clone(), code(&line)]);
        }
    }
    let rests = rows::footer(answer);
    if rests.is_empty() { text } else { text + "\n" + &block(&rests) }
}

fn row(cells: &[String]) -> String {
    let escaped: Vec<_> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", escaped.join(" | "))
}

fn unindented(text: &str) -> String {
    text.lines().map(|line| line.strip_prefix("  ").unwrap_or(line).to_owned() + "\n").collect()
}

/// Text as code within a line.
fn code(text: &str) -> String {
    let text = visible(text);
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Lines as a block of code.
fn block(lines: &str) -> String {
    let fence = "`".repeat(longest_run(lines).max(2) + 1);
    format!("{fence}text\n{lines}{fence}\n")
}

/// The length of the longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|character| character != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_cannot_be_left() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("``"), "``` `` ```");
        assert_eq!(code("a\n# b"), "`a\\n# b`");
        assert_eq!(block("x\n"), "```text\nx\n```\n");
        assert_eq!(block("```\n"), "````text\n```\n````\n");
    }

    #[test]
    fn a_cell_cannot_be_left() {
        assert_eq!(row(&["a|b".to_owned(), code("c|d")]), "| a\\|b | `c\\|d` |\n");
    }
}
