//! What flows between pairs of ends, each pattern kept once.

use std::collections::BTreeMap;
use std::sync::Arc;

use reachproof_engine::network::{Sink, SourcePlace};

use super::group::Pattern;

/// The number of a pattern.
pub type PatternId = u32;

/// Patterns by pair of ends.
#[derive(Default)]
pub struct Pairs {
    numbers: BTreeMap<Arc<Pattern>, PatternId>,
    patterns: Vec<Arc<Pattern>>,
    /// The patterns of each pair.
    pub of: BTreeMap<(SourcePlace, Sink), Vec<PatternId>>,
}

impl Pairs {
    /// The number of a pattern.
    pub fn number(&mut self, pattern: &Arc<Pattern>) -> PatternId {
        if let Some(number) = self.numbers.get(pattern) {
            return *number;
        }
        let number = PatternId::try_from(self.patterns.len()).unwrap_or(PatternId::MAX);
        self.patterns.push(Arc::clone(pattern));
        self.numbers.insert(Arc::clone(pattern), number);
        number
    }

    /// Adds a pattern to a pair.
    pub fn add(&mut self, ends: (SourcePlace, Sink), pattern: PatternId) {
        self.of.entry(ends).or_default().push(pattern);
    }

    /// Adds everything that others hold.
    pub fn append(&mut self, others: Self) {
        let numbers: Vec<PatternId> = others.patterns.iter().map(|pattern| self.number(pattern)).collect();
        for (ends, patterns) in others.of {
            let patterns = patterns.iter().filter_map(|number| numbers.get(*number as usize).copied());
            self.of.entry(ends).or_default().extend(patterns);
        }
    }

    /// The patterns with these numbers.
    pub fn patterns<'p>(&'p self, numbers: &'p [PatternId]) -> impl Iterator<Item = &'p Pattern> {
        numbers.iter().filter_map(|number| self.patterns.get(*number as usize)).map(AsRef::as_ref)
    }
}
