//! The two evaluators against each other: the sinks that `reach` finds for a header are those that `trace` walks to, and
//! so are those whose reply comes back, in both worlds. On every network of the corpus, and on random networks.
//!
//! Beyond an unmodelled component the concrete evaluator judges each field alone, so the comparison on random networks
//! ends there, and components are sources of their own; the grid on the corpus goes on and asks for inclusion.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_macros,
    reason = "helpers of a test"
)]

mod atoms;
mod compare;
mod corpus;
mod edits;
mod matrix;
mod random;
mod what_if;
