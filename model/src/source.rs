//! Provenance: which file, and which place in it, says so.

use serde::{Deserialize, Serialize};

use crate::id::FileId;
use crate::text::SharedText;

/// Where a fact was read: a file and a JSON pointer into it (RFC 6901).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Source {
    /// The file, in [`crate::snapshot::Snapshot::files`].
    pub file: FileId,
    /// The JSON pointer, starting with `/`, or empty for the whole file.
    pub pointer: SharedText,
}
