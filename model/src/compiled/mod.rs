//! Compiled files: a value in binary form behind a fixed header, read back much faster than what it was made from.
//!
//! The main functions are [`write_snapshot`] and [`read_snapshot`]; [`pack`] and [`unpack`] do the same for values of other
//! kinds. Numbers of the header are little-endian:
//!
//! ```text
//!  offset  bytes
//!       0      8  magic        89 52 50 52 0D 0A 1A 0A   no text, and damaged by anything that rewrites line ends
//!       8      2  kind         1 = snapshot, 2 = certificate: what the payload is
//!      10      2  version      of the format of this kind
//!      12      8  length       of the payload in bytes
//!      20     32  digest       SHA-256 of the payload
//!      52 length  payload      the value as bincode has it, to the last byte of the file
//! ```
//!
//! The payload of a snapshot is drawn in `section`: most of its bytes are texts, and each of them is there once or twice.
//!
//! A file is read from the outside in: magic, kind, version, length and digest are checked before a byte of the payload is
//! decoded, so that an old or damaged file is called just that. The digest finds damage, not forgery: whoever can write the
//! file can write any facts. So decoding trusts nothing. It allocates no more than a fixed multiple of the bytes that are
//! there, whatever lengths they claim, consumes every byte, and what it yields is validated like any other input.
//!
//! INVARIANT (equal facts, equal bytes): a snapshot has one form, and equal snapshots have equal bytes.

mod codec;
mod error;
mod frame;
mod guard;
mod section;
mod validate;

#[cfg(test)]
mod tests;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use error::CompiledError;
pub use frame::{Format, is_compiled, kind_of};

use crate::snapshot::Snapshot;
use guard::HighestIds;

/// Compiled snapshots.
///
/// A snapshot holds what ingest concluded, too. So the version changes with the types of [`crate::snapshot`], and also when
/// ingest concludes something else from the same files: an old file must not keep an old conclusion alive.
pub const SNAPSHOT: Format = Format { kind: 1, version: 5, name: "compiled snapshot" };

/// The snapshot as a compiled file.
///
/// # Errors
/// Never for a snapshot that [`crate::ingest::load`] or [`read_snapshot`] made.
pub fn write_snapshot(snapshot: &Snapshot) -> Result<Vec<u8>, CompiledError> {
    let mut file = frame::reserve();
    section::write(snapshot, &mut file).map_err(|fault| CompiledError::unwritable(SNAPSHOT, &fault))?;
    frame::complete(SNAPSHOT, &mut file);
    Ok(file)
}

/// The snapshot in a compiled file; `name` is how messages call it.
///
/// # Errors
/// Iff the bytes are not a whole, undamaged file of this format, or hold what no input describes: an id beyond its table,
/// resources out of order, ports of a protocol that has none.
pub fn read_snapshot(name: &str, bytes: &[u8]) -> Result<Snapshot, CompiledError> {
    let payload =
        frame::payload(SNAPSHOT, bytes).map_err(|fault| CompiledError::frame(SNAPSHOT, name, fault))?;
    section::read(payload).map_err(|fault| CompiledError::invalid(SNAPSHOT, name, &fault))
}

/// A value as a compiled file of this format.
///
/// # Errors
/// Iff the value refuses to be serialised.
pub fn pack<T: Serialize>(format: Format, value: &T) -> Result<Vec<u8>, CompiledError> {
    let mut file = frame::reserve();
    codec::encode(value, &mut file).map_err(|fault| CompiledError::unwritable(format, &fault))?;
    frame::complete(format, &mut file);
    Ok(file)
}

/// The value in a compiled file of this format; `name` is how messages call the file. The caller validates the value.
///
/// # Errors
/// Iff the bytes are not a whole, undamaged file of this format.
pub fn unpack<T: DeserializeOwned>(format: Format, name: &str, bytes: &[u8]) -> Result<T, CompiledError> {
    let payload = frame::payload(format, bytes).map_err(|fault| CompiledError::frame(format, name, fault))?;
    codec::decode(payload, &HighestIds::default())
        .map_err(|fault| CompiledError::invalid(format, name, &fault))
}
