//! The one format of what a bench prints.

use std::collections::BTreeSet;

use reachproof_model::snapshot::Snapshot;

use super::clock::Spent;

/// How much there is of what; what nobody counted is `None`.
#[derive(Clone, Copy, Default)]
pub struct Amounts {
    /// Interfaces.
    pub interfaces: usize,
    /// Classes of them.
    pub classes: Option<u64>,
    /// Rules of groups, and entries of network ACLs.
    pub rules: usize,
    /// Sets of groups that interfaces carry.
    pub group_sets: usize,
    /// Sets of protocols and ports.
    pub services: Option<u64>,
}

impl Amounts {
    /// What a snapshot holds.
    pub fn of(snapshot: &Snapshot) -> Self {
        let lists = snapshot.groups.values().flat_map(|group| group.ingress.iter().chain(&group.egress));
        let entries = snapshot.acls.values().map(|acl| acl.entries.len());
        let sets: BTreeSet<_> = snapshot.interfaces.values().map(|row| &row.groups).collect();
        Self {
            interfaces: snapshot.interfaces.len(),
            rules: lists.map(Vec::len).chain(entries).sum(),
            group_sets: sets.len(),
            ..Self::default()
        }
    }
}

/// Prints a row: what was done, with what, on how many threads, in which time, at which rate and with how much memory.
pub fn row(noun: &str, amounts: Amounts, threads: usize, spent: Spent, rate: &str) {
    let optional = |number: Option<u64>| number.map_or("·".to_owned(), grouped);
    let Amounts { interfaces, classes, rules, group_sets, services } = amounts;
    let [interfaces, rules, group_sets] =
        [interfaces, rules, group_sets].map(|number| grouped(number as u64));
    println!(
        "| {noun} | {interfaces} | {} | {rules} | {group_sets} | {} | {threads} | {} | {rate} | {} MiB |",
        optional(classes),
        optional(services),
        time(spent.seconds),
        grouped(spent.peak),
    );
}

/// Prints a comparison within one run.
pub fn ratio(noun: &str, amounts: Amounts, text: &str) {
    println!("- {noun}, {} interfaces: {text}", grouped(amounts.interfaces as u64));
}

/// A number with commas between thousands.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A time in the unit that suits it.
pub fn time(seconds: f64) -> String {
    match seconds {
        _ if seconds >= 100.0 => format!("{seconds:.0} s"),
        _ if seconds >= 1.0 => format!("{seconds:.2} s"),
        _ if seconds >= 1e-3 => format!("{:.1} ms", seconds * 1e3),
        _ => format!("{:.1} µs", seconds * 1e6),
    }
}

/// So many bytes in so many seconds.
pub fn speed(bytes: u64, seconds: f64) -> String {
    format!("{:.0} MB/s", bytes as f64 / seconds.max(1e-9) / 1e6)
}

/// So many things in so many seconds.
pub fn rate(things: f64, seconds: f64, unit: &str) -> String {
    let rate = things / seconds.max(1e-9);
    match rate {
        _ if rate >= 1e9 => format!("{:.2} G {unit}/s", rate / 1e9),
        _ if rate >= 1e6 => format!("{:.1} M {unit}/s", rate / 1e6),
        _ if rate >= 1e3 => format!("{:.1} k {unit}/s", rate / 1e3),
        _ => format!("{rate:.1} {unit}/s"),
    }
}
