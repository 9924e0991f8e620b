//! Route tables resolved to destinations classes: which intervals go where.

use std::collections::BTreeMap;

use reachproof_model::flow::World;

use super::view::Intervals;
use crate::header::Family;

/// A route for one block, ready to be selected.
#[derive(Clone, Debug)]
pub(super) struct Candidate<T> {
    /// First and last destination.
    pub(super) interval: (u128, u128),
    /// Prefix length.
    pub(super) length: u8,
    /// Lower wins among equal lengths.
    pub(super) rank: u8,
    pub(super) optional: bool,
    pub(super) floating: bool,
    /// Any of these.
    pub(super) targets: Vec<T>,
}

/// For each target the destinations that are sent to it, sorted and disjoint. Intervals of different targets overlap
/// only where the permissive world follows several.
#[derive(Clone, Debug)]
pub(super) struct Fib<T> {
    pub(super) targets: BTreeMap<T, Intervals>,
}

impl<T: Copy + Ord> Fib<T> {
    /// Resolves routes: between two neighbouring bounds of blocks the choice is the same for every destination.
    pub(super) fn of(candidates: &[Candidate<T>], family: Family, world: World) -> Self {
        let mut starts: Vec<u128> = vec![0];
        for candidate in candidates {
            let (lo, hi) = candidate.interval;
            starts.push(lo);
            starts.extend(hi.checked_add(1));
        }
        starts.retain(|start| *start <= family.greatest_address());
        starts.sort_unstable();
        starts.dedup();
        let mut fib = Self { targets: BTreeMap::new() };
        let ends = starts.iter().skip(1).map(|next| next - 1).chain([family.greatest_address()]);
        for (lo, hi) in starts.iter().copied().zip(ends) {
            for target in select(candidates, lo, world) {
                append(fib.targets.entry(target).or_default(), lo, hi);
            }
        }
        fib
    }

    /// The destinations sent to a target.
    pub(super) fn intervals(&self, target: &T) -> &[(u128, u128)] {
        self.targets.get(target).map_or(&[], Vec::as_slice)
    }
}

fn append(intervals: &mut Intervals, lo: u128, hi: u128) {
    match intervals.last_mut() {
        Some((_, end)) if end.checked_add(1) == Some(lo) => *end = hi,
        _ => intervals.push((lo, hi)),
    }
}

/// R-ROUTE-6, 8, 8b, 12, R-PL-3: the targets of one destination, sorted.
fn select<T: Copy + Ord>(candidates: &[Candidate<T>], destination: u128, world: World) -> Vec<T> {
    let covers =
        |candidate: &&Candidate<T>| (candidate.interval.0..=candidate.interval.1).contains(&destination);
    let covering: Vec<&Candidate<T>> = candidates.iter().filter(covers).collect();
    let (floating, placed): (Vec<&Candidate<T>>, Vec<&Candidate<T>>) =
        covering.into_iter().partition(|candidate| candidate.floating);
    let mut targets: Vec<T> = match world {
        World::Over => permissive(&floating, &placed),
        World::Under if floating.is_empty() => unanimous(&best(&placed)),
        World::Under => Vec::new(),
    };
    targets.sort_unstable();
    targets.dedup();
    targets
}

fn permissive<T: Copy + Ord>(floating: &[&Candidate<T>], placed: &[&Candidate<T>]) -> Vec<T> {
    let certain: Vec<&Candidate<T>> =
        placed.iter().copied().filter(|candidate| !candidate.optional).collect();
    let winners = best(&certain);
    let bar = winners.first().map(|winner| key(winner));
    let rivals =
        placed.iter().filter(|candidate| candidate.optional && bar.is_none_or(|bar| key(candidate) <= bar));
    floating
        .iter()
        .chain(rivals)
        .chain(&winners)
        .flat_map(|candidate| candidate.targets.iter().copied())
        .collect()
}

/// The candidates that share the longest prefix and the lowest rank.
fn best<'c, T>(candidates: &[&'c Candidate<T>]) -> Vec<&'c Candidate<T>> {
    let least = candidates.iter().map(|candidate| key(candidate)).min();
    candidates.iter().copied().filter(|candidate| Some(key(candidate)) == least).collect()
}

/// Sorts the preferred route first.
fn key<T>(candidate: &Candidate<T>) -> (u8, u8) {
    (u8::MAX - candidate.length, candidate.rank)
}

/// R-ROUTE-8b: where equal routes disagree the restrictive world claims nothing; several targets of *one* route are
/// equal-cost paths, any of which is real (R-TGW-7).
fn unanimous<T: Copy + Ord>(winners: &[&Candidate<T>]) -> Vec<T> {
    match winners {
        [first, rest @ ..] if rest.iter().all(|other| other.targets == first.targets) => {
            first.targets.clone()
        }
        _ => Vec::new(),
    }
}
