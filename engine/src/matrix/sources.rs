//! Where filters tell senders apart: intervals of addresses within which each lets the same in.

use super::numbered::Numbered;
use crate::header::{Arena, Field, Set};

/// The intervals of sources of a list of filters.
pub(super) struct Sources {
    /// The first addresses of the intervals, ascending.
    firsts: Vec<u128>,
    /// The state in each interval.
    states: Vec<u32>,
    /// What each filter lets in from the senders of an interval. Intervals that are treated alike have one state.
    known: Numbered<Vec<Set>>,
}

impl Sources {
    pub(super) fn of(arena: &mut Arena, filters: &[Set]) -> Self {
        let mut turns: Vec<(u128, usize, Set)> = Vec::new();
        for (column, filter) in filters.iter().enumerate() {
            turns.extend(by_source(arena, *filter).into_iter().map(|(first, set)| (first, column, set)));
        }
        turns.sort_unstable();
        let mut sources = Self { firsts: Vec::new(), states: Vec::new(), known: Numbered::default() };
        let mut state = vec![Set::EMPTY; filters.len()];
        for turn in turns.chunk_by(|left, right| left.0 == right.0) {
            turn.iter().for_each(|(_, column, set)| state[*column] = *set);
            sources.firsts.extend(turn.first().map(|(first, ..)| *first));
            sources.states.push(sources.known.of(&state));
        }
        sources
    }

    /// The state that the filters are in for an address.
    pub(super) fn state(&self, address: u128) -> u32 {
        let after = self.firsts.partition_point(|first| *first <= address);
        after.checked_sub(1).and_then(|at| self.states.get(at)).copied().unwrap_or(0)
    }

    /// What a filter lets in in a state.
    pub(super) fn let_in(&self, state: u32, filter: usize) -> Set {
        self.known.get(state).and_then(|sets| sets.get(filter)).copied().unwrap_or_default()
    }
}

/// What is left of a set by the source: the first addresses of intervals, with what is left there.
pub(super) fn by_source(arena: &mut Arena, set: Set) -> Vec<(u128, Set)> {
    let mut first = 0;
    let mut found = Vec::new();
    for last in arena.cuts(set, Field::Source) {
        found.push((first, arena.restrict(set, Field::Source, last)));
        first = last.saturating_add(1);
    }
    found
}
