//! What flows between pairs of ends, each pattern kept once.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::group::Pattern;
use super::units::{From, To};

/// The number of a pattern.
pub type PatternId = u32;

/// The patterns of pairs of ends, which do not overlap but where single places are listed besides the unit that they are of.
pub type ByEnds = BTreeMap<(From, To), Vec<PatternId>>;

/// Patterns by pair of ends.
#[derive(Default)]
pub struct Pairs {
    numbers: BTreeMap<Arc<Pattern>, PatternId>,
    patterns: Vec<Arc<Pattern>>,
    /// The patterns of each pair.
    pub of: ByEnds,
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
    pub fn add(&mut self, ends: (From, To), pattern: PatternId) {
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
