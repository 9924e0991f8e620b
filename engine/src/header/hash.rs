//! A fixed, fast hash for small integer keys: same input, same table, on every run and machine.
//!
//! It does not resist chosen collisions; a hostile snapshot can make lookups slow, never wrong.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// A map whose behaviour is the same in every run. Its iteration order is never used.
pub(crate) type FixedMap<K, V> = HashMap<K, V, BuildHasherDefault<Mixer>>;
/// A set whose behaviour is the same in every run. Its iteration order is never used.
pub(crate) type FixedSet<K> = HashSet<K, BuildHasherDefault<Mixer>>;

const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;

/// Multiply-and-rotate hashing of one word at a time.
#[derive(Clone, Copy, Default)]
pub(crate) struct Mixer(u64);

impl Mixer {
    pub(super) fn word(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(MULTIPLIER);
    }

    pub(super) fn wide(&mut self, value: u128) {
        let [low, high] = halves(value);
        self.word(low ^ high.wrapping_mul(MULTIPLIER).rotate_left(32));
    }
}

fn halves(value: u128) -> [u64; 2] {
    let mask = u128::from(u64::MAX);
    [u64::try_from(value & mask).unwrap_or(0), u64::try_from(value >> 64).unwrap_or(0)]
}

impl Hasher for Mixer {
    fn finish(&self) -> u64 {
        let folded = self.0 ^ (self.0 >> 32);
        folded.wrapping_mul(MULTIPLIER) ^ (folded >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.word(u64::from(*byte));
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.word(u64::from(value));
    }

    fn write_u32(&mut self, value: u32) {
        self.word(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.word(value);
    }

    fn write_u128(&mut self, value: u128) {
        self.wide(value);
    }

    fn write_usize(&mut self, value: usize) {
        self.word(value as u64);
    }
}
