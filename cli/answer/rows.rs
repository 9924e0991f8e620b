//! The answer of `reach` for people: a line for flows, or one for the ends and one for each kind of flows below it.

use std::fmt::Write;

use reachproof_engine::header::Family;
use reachproof_model::assumption::Assumptions;

use super::assumption_names;
use super::names::Names;
use super::reach::{ReachAnswer, Row, answered_name, protocols_name};
use crate::command::flows::{Flows, Intervals, cidrs, enclosed};
use crate::style::{Style, visible};

/// Endpoints shown to people before a list is cut short; JSON has them all.
const SHOWN_ENDS: usize = 8;
/// Blocks shown to people before a list is cut short; JSON has them all.
const SHOWN_BLOCKS: usize = 4;

/// All rows: `src => dst : tcp 443 from … to … [answered: all]`.
pub fn text(answer: &ReachAnswer<'_>, style: Style) -> String {
    let mut text = summary(answer);
    for row in &answer.rows {
        let ends = ends(&answer.names, row);
        let ends = style.strong(&ends);
        match lines(row).as_slice() {
            [one] => {
                let _ = writeln!(text, "{ends} : {one}");
            }
            several => {
                let _ = writeln!(text, "{ends} :");
                several.iter().for_each(|line| text.extend(["  ", line, "\n"]));
            }
        }
    }
    text + &footer(answer)
}

/// Gaps and assumptions.
pub fn footer(answer: &ReachAnswer<'_>) -> String {
    let mut text = String::new();
    for gap in &answer.gaps {
        let _ = writeln!(text, "gap, and what comes out of it is in no row: {}", visible(&gap.why));
    }
    for assumption in assumptions(answer).iter() {
        let _ = writeln!(text, "assuming A-{}: {}", assumption.0, assumption.summary());
    }
    text
}

/// How many rows and gaps there are.
pub fn summary(answer: &ReachAnswer<'_>) -> String {
    let count = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    format!("{}, {}\n", count(answer.rows.len(), "row"), count(answer.gaps.len(), "gap"))
}

/// What the rows rest on, all together.
fn assumptions(answer: &ReachAnswer<'_>) -> Assumptions {
    let all = answer.rows.iter().flat_map(|row| &row.flows);
    all.fold(Assumptions::NONE, |all, flows| all.and(flows.assumptions))
}

/// `eni-1 (web), eni-2 => eni-3 (db)`.
pub fn ends(names: &Names<'_>, row: &Row) -> String {
    let list = |ids: &[String]| cut_short(ids.iter().map(|id| names.shown(id)), SHOWN_ENDS, ", ", "");
    format!("{} => {}", list(&row.from), list(&row.to))
}

/// The flows of a row, those together that differ in nothing but their protocols.
pub fn lines(row: &Row) -> Vec<String> {
    let mut kinds: Vec<(Vec<String>, String)> = Vec::new();
    for flows in &row.flows {
        let (protocol, rest) = (protocols_name(flows.protocols), without_protocol(flows));
        match kinds.iter_mut().find(|(_, known)| *known == rest) {
            Some((protocols, _)) => protocols.push(protocol),
            None => kinds.push((vec![protocol], rest)),
        }
    }
    kinds.into_iter().map(|(protocols, rest)| protocols.join(",") + &rest).collect()
}

fn without_protocol(flows: &Flows) -> String {
    const PORTS: (u128, u128) = (0, 65535);
    const BYTES: (u128, u128) = (0, 255);
    let part = |name: &str, intervals: &Intervals, all| match *intervals == [all] {
        true => String::new(),
        false => format!("{name} {}", ranges(intervals)),
    };
    let (source, destination) =
        (blocks(flows.family, &flows.source), blocks(flows.delivered, &flows.destination));
    let mut text = String::new();
    if flows.is_icmp() {
        text += &part(" type", &flows.ports, BYTES);
        text += &part(" code", &flows.source_ports, BYTES);
    } else if flows.has_ports() {
        text += &part("", &flows.ports, PORTS);
    }
    let _ = write!(text, " from {source}");
    if flows.has_ports() {
        text += &part(" ports", &flows.source_ports, PORTS);
    }
    let _ = write!(text, " to {destination} [answered: {}{}]", answered_name(flows.answered), doubts(flows));
    text
}

/// What flows rest on.
fn doubts(flows: &Flows) -> String {
    let names = assumption_names(flows.assumptions).join(", ");
    match (flows.certain, names.is_empty()) {
        (true, true) => String::new(),
        (true, false) => format!("; assuming {names}"),
        (false, true) => "; unknown".to_owned(),
        (false, false) => format!("; unknown because of {names}"),
    }
}

/// Blocks, or the block around them and what they leave out of it where that is shorter.
fn blocks(family: Family, intervals: &Intervals) -> String {
    let shown = |blocks: Vec<String>| cut_short(blocks.into_iter(), SHOWN_BLOCKS, ",", " blocks");
    let inside = cidrs(family, intervals);
    match enclosed(family, intervals).map(|(block, gaps)| (block, cidrs(family, &gaps))) {
        Some((block, gaps)) if inside.len() > SHOWN_BLOCKS && gaps.len() < inside.len() => {
            format!("{block} except {}", shown(gaps))
        }
        _ => shown(inside),
    }
}

/// A list of which so many are shown.
fn cut_short(all: impl ExactSizeIterator<Item = String>, most: usize, comma: &str, noun: &str) -> String {
    let more = all.len().saturating_sub(most);
    let shown: Vec<String> = all.take(most).collect();
    let rest = if more > 0 { format!(" and {more} more{noun}") } else { String::new() };
    shown.join(comma) + &rest
}

fn ranges(ranges: &[(u128, u128)]) -> String {
    let one = |(lo, hi): &(u128, u128)| if lo == hi { lo.to_string() } else { format!("{lo}-{hi}") };
    ranges.iter().map(one).collect::<Vec<_>>().join(",")
}
