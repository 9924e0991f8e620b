//! What loading and proving found that a reader of the verdict must know: notices and gaps, as values.

use serde::{Deserialize, Serialize};

use crate::source::Source;

/// Something odd in the input that does not by itself change a verdict: a dangling id, overlapping subnets.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Notice {
    /// Id of the resource concerned.
    pub resource: Box<str>,
    /// What was found and how it is read.
    pub message: Box<str>,
    /// Where it stands in the input.
    pub source: Option<Source>,
}

/// Something in the snapshot, or missing from it, that the engine does not model (A-22, R-DATA-3).
///
/// In the permissive world it may do anything its kind could do; in the restrictive world it does nothing.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Gap {
    /// Id of the resource concerned.
    pub resource: Box<str>,
    /// Why it is a gap and what would close it, for people.
    pub why: Box<str>,
    /// Where the resource stands in the input, if anywhere.
    pub source: Option<Source>,
}
