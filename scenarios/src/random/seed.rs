//! A stream of choices from a seed (SplitMix64): the same on every machine, good enough to make networks, no secret.

/// A stream of choices.
#[derive(Debug)]
pub(crate) struct Stream(u64);

impl Stream {
    /// The stream of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`; 0 if the bound is.
    pub(super) fn below(&mut self, bound: u8) -> u8 {
        let [.., high] = self.next().to_le_bytes();
        high.checked_rem(bound).unwrap_or(0)
    }

    /// Any byte.
    pub(super) fn byte(&mut self) -> u8 {
        let [.., high] = self.next().to_le_bytes();
        high
    }

    /// Any number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
