//! The facts of an AWS network, as plain data.
//!
//! The main type is [`snapshot::Snapshot`]: what was collected of one or more accounts and Regions at one moment,
//! validated, immutable and in canonical order. [`ingest`] builds it from the JSON that `aws … describe-*` prints;
//! [`compiled`] keeps it in a file that loads faster; [`policy`] reads files of properties to decide;
//! [`certificate`] says why one of them holds; [`change`] edits single facts.
//!
//! Invariant: nothing here depends on file system, environment, clock or terminal. This crate holds no algorithm
//! about reachability; the meaning of the facts lives in `reachproof-engine`.

pub mod assumption;
pub mod certificate;
pub mod change;
pub mod compiled;
pub mod finding;
pub mod flow;
pub mod id;
pub mod ingest;
pub mod policy;
pub mod snapshot;
pub mod source;
pub mod text;
pub mod traffic;
