//! Meaning and proof: the network compiled from a snapshot, and the evaluators that walk it.

pub mod evidence;
pub mod network;

pub mod header;
pub mod reach;
