//! The operation cache: what an operation on two operands gave earlier.
//!
//! It is a direct-mapped table. A newer entry may evict an older one, which costs time and never correctness, and the
//! table stops growing at a fixed size.

use std::hash::Hasher;

use super::hash::Mixer;

/// An operand is below this, so that an operation and two operands fit into one word.
pub(super) const OPERAND_LIMIT: u32 = 1 << OPERAND_BITS;

const OPERAND_BITS: u32 = 30;
const LEAST_SLOTS: usize = 1 << 8;
const MOST_SLOTS: usize = 1 << 22;

/// An operation and its two operands.
///
/// INVARIANT (memo key): the operation is 1 to 15 and both operands are below [`OPERAND_LIMIT`], so keys are distinct
/// and never 0.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Key(u64);

impl Key {
    pub(super) fn new(operation: u8, left: u32, right: u32) -> Self {
        debug_assert!((1..16).contains(&operation) && left < OPERAND_LIMIT && right < OPERAND_LIMIT);
        Self(u64::from(operation) << (2 * OPERAND_BITS) | u64::from(left) << OPERAND_BITS | u64::from(right))
    }
}

/// The cache from keys to results.
#[derive(Default)]
pub(super) struct Memo {
    /// Each slot is a key and its result; key 0 marks a free slot. The length is 0 or a power of two.
    slots: Vec<(u64, u32)>,
    stored: usize,
}

impl Memo {
    pub(super) fn get(&self, key: Key) -> Option<u32> {
        let (found, result) = self.slots.get(self.slot_of(key.0))?;
        (*found == key.0).then_some(*result)
    }

    pub(super) fn put(&mut self, key: Key, result: u32) {
        if self.stored >= self.slots.len() && self.slots.len() < MOST_SLOTS {
            self.grow();
        }
        self.stored += 1;
        self.place(key.0, result);
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.slots.fill((0, 0));
        self.stored = 0;
    }

    fn place(&mut self, key: u64, result: u32) {
        let slot = self.slot_of(key);
        if let Some(entry) = self.slots.get_mut(slot) {
            *entry = (key, result);
        }
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(LEAST_SLOTS);
        let old = std::mem::replace(&mut self.slots, vec![(0, 0); size]);
        for (key, result) in old.into_iter().filter(|(key, _)| *key != 0) {
            self.place(key, result);
        }
    }

    fn slot_of(&self, key: u64) -> usize {
        let mut mixer = Mixer::default();
        mixer.word(key);
        usize::try_from(mixer.finish()).unwrap_or(usize::MAX) & self.slots.len().wrapping_sub(1)
    }
}
