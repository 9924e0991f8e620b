//! How much checking may take: comparisons of boxes, counted wherever a certificate decides how many there are.
//!
//! INVARIANT (work is bounded): a list that a certificate makes long is taken in parts of at most [`PART`] boxes, and between
//! two parts somebody asks [`Work::require`]; so neither time nor memory follows the product of two such lists.

use std::cell::Cell;

use crate::Rejection;

/// Boxes that are followed at a time.
pub(crate) const PART: usize = 64;

/// Comparisons that may still be made.
pub(crate) struct Work {
    limit: u64,
    left: Cell<u64>,
}

impl Work {
    pub(crate) fn of(limit: u64) -> Self {
        Self { limit, left: Cell::new(limit) }
    }

    /// Counts comparisons that are about to be made.
    pub(crate) fn spend(&self, comparisons: usize) {
        self.left.set(self.left.get().saturating_sub(u64::try_from(comparisons).unwrap_or(u64::MAX)));
    }

    /// Whether the limit was hit. What is found since then means nothing.
    pub(crate) fn is_used_up(&self) -> bool {
        self.left.get() == 0
    }

    /// An error iff the limit was hit.
    pub(crate) fn require(&self) -> Result<(), Rejection> {
        if self.is_used_up() { Err(Rejection::too_large(self.limit)) } else { Ok(()) }
    }
}
