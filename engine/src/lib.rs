//! Meaning and proof: the network compiled from a snapshot, and the evaluators that walk it.

pub mod network;
