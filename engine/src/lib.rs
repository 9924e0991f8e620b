//! Meaning and proof: the network compiled from a snapshot, and the evaluators that walk it.

#![expect(
    clippy::indexing_slicing,
    reason = "INVARIANT (snapshot ids dense): tables are indexed by their own ids"
)]

pub mod asked;
pub mod certificate;
pub mod check;
pub mod evidence;
pub mod header;
pub mod hypothetical;
pub mod matrix;
pub mod name;
pub mod network;
pub mod point;
pub mod reach;
pub mod region;
pub mod trace;
