//! The two evaluators against each other: the sinks that `reach` finds for a header are those that `trace` walks to, and
//! so are those whose reply comes back, in both worlds. On every network of the corpus, and on random networks.
//!
//! Beyond an unmodelled component the concrete evaluator judges each field alone, so there only inclusion is asked for.

mod atoms;
mod compare;
mod corpus;
mod random;
