//! Things that are numbered in the order in which they come.

use std::hash::Hash;

use crate::header::hash::FixedMap;

/// Numbers for different things.
pub(super) struct Numbered<T> {
    numbers: FixedMap<T, u32>,
    things: Vec<T>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self { numbers: FixedMap::default(), things: Vec::new() }
    }
}

impl<T: Eq + Hash + Clone> Numbered<T> {
    /// The number of a thing; the next one if it is new.
    pub(super) fn of(&mut self, thing: &T) -> u32 {
        if let Some(number) = self.numbers.get(thing) {
            return *number;
        }
        let next = u32::try_from(self.things.len()).unwrap_or(u32::MAX);
        self.numbers.insert(thing.clone(), next);
        self.things.push(thing.clone());
        next
    }

    /// The thing with a number.
    pub(super) fn get(&self, number: u32) -> Option<&T> {
        self.things.get(number as usize)
    }

    /// All things, by number.
    pub(super) fn into_all(self) -> Vec<T> {
        self.things
    }
}
