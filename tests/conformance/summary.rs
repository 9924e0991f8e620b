//! What came out, counted by kind, and what of it is a fault.

use std::collections::BTreeMap;
use std::io::Write as _;

use crate::cases::Case;
use crate::exceptions::{CONTRADICTED, Exception, UNKNOWN};

/// How an expectation compares with the answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The answer is the one expected.
    Agrees,
    /// The answer is that nobody can tell, for this reason.
    Unknown(String),
    /// The answer is another one.
    Contradicted(String),
    /// Not compared, for this reason.
    Skipped(String),
}

/// Every comparison.
#[derive(Default)]
pub struct Summary {
    rows: Vec<Row>,
    cases: Vec<String>,
}

struct Row {
    case: String,
    check: String,
    kind: String,
    outcome: Outcome,
}

impl Row {
    fn is(&self, exception: &Exception) -> bool {
        self.case == exception.case && self.check == exception.check && self.kind == exception.kind
    }

    fn line(&self, what: &str) -> String {
        format!("{} {} ({}): {what}", self.case, self.check, self.kind)
    }
}

impl Summary {
    /// Counts one comparison.
    pub fn add(&mut self, case: &Case, check: &str, kind: &str, outcome: Outcome) {
        if !self.cases.contains(&case.name) {
            self.cases.push(case.name.clone());
        }
        self.rows.push(Row {
            case: case.name.clone(),
            check: check.to_owned(),
            kind: kind.to_owned(),
            outcome,
        });
    }

    /// Prints the counts of each kind, then everything that did not simply agree.
    pub fn print(&self) {
        report(&format!("conformance: {} cases, {} comparisons", self.cases.len(), self.rows.len()));
        let mut counts: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
        for row in &self.rows {
            let [agree, unknown, contrary, skipped] = counts.entry(&row.kind).or_default();
            *match row.outcome {
                Outcome::Agrees => agree,
                Outcome::Unknown(_) => unknown,
                Outcome::Contradicted(_) => contrary,
                Outcome::Skipped(_) => skipped,
            } += 1;
        }
        for (kind, [agree, unknown, contrary, skipped]) in counts {
            report(&format!(
                "  {kind:<13} {agree:>4} agree, {unknown:>2} unknown, {contrary:>2} contradicted, {skipped:>2} skipped"
            ));
        }
        for row in &self.rows {
            if let Some(line) = told(row) {
                report(&format!("  {line}"));
            }
        }
    }

    /// What must not be: contradictions and unknown answers that are not listed, and entries of the lists that no
    /// longer hold.
    pub fn faults(&self) -> Vec<String> {
        let mut faults: Vec<String> = self.rows.iter().filter_map(fault).collect();
        faults.extend(self.stale(&CONTRADICTED, |outcome| matches!(outcome, Outcome::Contradicted(_))));
        faults.extend(self.stale(&UNKNOWN, |outcome| matches!(outcome, Outcome::Unknown(_))));
        faults
    }

    /// Entries about cases that are there and do not come out as the list says.
    fn stale(&self, list: &[Exception], holds: impl Fn(&Outcome) -> bool) -> Vec<String> {
        let known = |exception: &&Exception| self.cases.iter().any(|case| case == exception.case);
        let confirmed =
            |exception: &Exception| self.rows.iter().any(|row| row.is(exception) && holds(&row.outcome));
        let stale = list.iter().filter(known).filter(|exception| !confirmed(exception));
        stale
            .map(|exception| {
                let Exception { case, check, kind, .. } = exception;
                format!("{case} {check} ({kind}): listed as an exception and is none any more")
            })
            .collect()
    }
}

/// Writes to the terminal also where the test harness keeps what a passing test prints.
pub fn report(line: &str) {
    writeln!(std::io::stdout(), "{line}").expect("stdout is open");
}

fn fault(row: &Row) -> Option<String> {
    let listed = |list: &[Exception]| list.iter().any(|exception| row.is(exception));
    match &row.outcome {
        Outcome::Contradicted(what) if !listed(&CONTRADICTED) => {
            Some(row.line(&format!("contradicted: {what}")))
        }
        Outcome::Unknown(why) if !listed(&UNKNOWN) => {
            Some(row.line(&format!("unknown, and not listed: {why}")))
        }
        _ => None,
    }
}

fn told(row: &Row) -> Option<String> {
    let reason = |list: &[Exception]| {
        let found = list.iter().find(|exception| row.is(exception));
        found.map_or("not listed", |exception| exception.reason)
    };
    match &row.outcome {
        Outcome::Agrees => None,
        Outcome::Unknown(_) => Some(row.line(&format!("unknown: {}", reason(&UNKNOWN)))),
        Outcome::Contradicted(what) => {
            Some(row.line(&format!("contradicted by {}: {what}", reason(&CONTRADICTED))))
        }
        Outcome::Skipped(why) => Some(row.line(&format!("skipped: {why}"))),
    }
}
