//! Meaning and proof: the network compiled from a snapshot, and the evaluators that walk it.

pub mod check;
pub mod evidence;
pub mod header;
pub mod name;
pub mod network;
pub mod point;
pub mod reach;
pub mod region;
pub mod trace;
