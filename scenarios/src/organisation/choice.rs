//! Choices and identifiers that depend on the seed and on what they are for, never on the order of the work.

use crate::random::seed::Stream;

/// The choices about one thing: equal seeds and paths give equal choices, whatever else was chosen before.
#[derive(Debug)]
pub(super) struct Choices(Stream);

impl Choices {
    /// The choices about the thing at this path.
    pub(super) fn about(seed: u64, path: &[u64]) -> Self {
        Self(Stream::of(hashed(seed, "choices", path)))
    }

    /// A number below `bound`; 0 if the bound is.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        let high = self.0.next() >> 32;
        u32::try_from((high * u64::from(bound)) >> 32).unwrap_or(0)
    }

    /// Whether something happens that happens in so many of a hundred cases.
    pub(super) fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }
}

/// An AWS id, `vpc-0` and 16 hexadecimal digits, of the thing of that kind at this path.
pub(super) fn id(seed: u64, kind: &str, path: &[u64]) -> String {
    format!("{kind}-0{:016x}", hashed(seed, kind, path))
}

/// A number of 64 bits that stands for a kind of thing and a path.
pub(super) fn hashed(seed: u64, kind: &str, path: &[u64]) -> u64 {
    let words = kind.bytes().map(u64::from).chain([0x100]).chain(path.iter().copied());
    words.fold(seed, |state, word| Stream::of(state ^ word.wrapping_mul(0xff51_afd7_ed55_8ccd)).next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_depend_on_seed_kind_and_path() {
        let all = [
            id(1, "vpc", &[1]),
            id(2, "vpc", &[1]),
            id(1, "eni", &[1]),
            id(1, "vpc", &[2]),
            id(1, "vpc", &[1, 0]),
        ];
        for (index, one) in all.iter().enumerate() {
            assert_eq!(one.len(), 4 + 17);
            assert!(all.iter().skip(index + 1).all(|other| other != one), "{all:?}");
        }
        assert_eq!(id(1, "vpc", &[1]), id(1, "vpc", &[1]));
    }

    #[test]
    fn choices_are_below_their_bound_and_differ() {
        let mut choices = Choices::about(7, &[3]);
        let drawn: Vec<u32> = (0..1000).map(|_| choices.below(10)).collect();
        assert!((0..10).all(|number| drawn.contains(&number)) && drawn.iter().all(|number| *number < 10));
        assert_eq!(choices.below(0), 0);
    }
}
