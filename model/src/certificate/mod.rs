//! Certificates: why a property holds, in a form that a small program of its own can check.
//!
//! The main type is [`Certificate`]. It says what is claimed in terms that need no policy and no search ([`Claim`]), of which
//! facts ([`Certificate::snapshot`]), and why ([`Proof`]): for every place where a packet can be, an invariant. That the
//! sources' headers lie in it, that every step leads from it into it, and that it misses what is forbidden, are all local
//! questions.
//!
//! A certificate is a compiled file of kind 2 ([`crate::compiled`]); numbers of the header are little-endian:
//!
//! ```text
//!  offset  bytes
//!       0      8  magic        89 52 50 52 0D 0A 1A 0A
//!       8      2  kind         2 = certificate
//!      10      2  version      of this format, 3
//!      12      8  length       of the payload in bytes
//!      20     32  digest       SHA-256 of the payload
//!      52 length  payload
//! ```
//!
//! The payload is what bincode makes of the fields of [`Certificate`], in their order. There a number `n` takes one byte if
//! it is below 251, else the byte 251, 252, 253 or 254 and then 2, 4, 8 or 16 bytes of it, little-endian; a byte stands for
//! itself; a text or a list has its length first; an enum the position of its variant; an option 0 or 1:
//!
//! ```text
//!  number          semantics    the version of the rules that the proof rests on
//!  text            snapshot     SHA-256 of the facts, hexadecimal
//!  text            policy       SHA-256 of name and statement of the property, hexadecimal
//!  claim           property, form, question, statement, live_only, supposed, directions, waivers, assumptions (bit n for
//!                  A-n), notes
//!  list of proofs  one a part of a direction, two a list of pairs: the walks, each with its start, family and invariant
//! ```
//!
//! What is supposed is a list of subnets, each with a list of groups and a byte that says whether there is a public address.
//! A direction is
//!
//! ```text
//!  list of places  sources       each with the blocks of addresses that are meant
//!  list of places  destinations  the same
//!  traffic         the boxes sent and seen as IPv4, sent as IPv6, and sent as IPv6 and seen as IPv4
//!  list of texts   avoided       AWS ids
//!  byte            answers       0 or 1
//!  list of pairs   accepted      each a list of sources and one of destinations, as above
//!  list of pairs   unanswered    the same
//!  list of pairs   unreplied     the same
//! ```
//!
//! Whoever can write a file can write any certificate: the digest finds damage, not forgery. What makes it worth something is
//! that the checker believes none of it. Reading allocates no more than a fixed multiple of the bytes that are there, and what
//! is read is validated ([`read_certificate`]); whether it proves anything is the checker's question.
//!
//! INVARIANT (equal proofs, equal bytes): lists that are sets are sorted, so a certificate has one form.

mod area;
mod claim;
mod proof;
mod statement;
mod validate;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use area::{Area, Family};
pub use claim::{Claim, Direction, Pairs, Place, Supposed, Traffic, Waiving};
pub use proof::{Invariant, Location, Origin, Proof, Sender, Site, Start, Walk};
pub use statement::{policy_digest, statement, waiver_statement};
pub use validate::WAIVERS;

use crate::compiled::{CompiledError, Format, kind_of, pack, unpack};

/// Certificates.
pub const CERTIFICATE: Format = Format { kind: 2, version: 3, name: "certificate" };

/// The version of the rules. It is raised when a change of a rule makes an old proof worthless.
pub const SEMANTICS: u16 = 1;

/// A proof that a property holds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Certificate {
    /// The version of the rules: [`SEMANTICS`].
    pub semantics: u16,
    /// The digest of the snapshot: [`crate::snapshot::Snapshot::digest`].
    pub snapshot: Box<str>,
    /// The digest of the property: [`policy_digest`].
    pub policy: Box<str>,
    /// What is proved.
    pub claim: Claim,
    /// Why, in the order of the directions: for each part of one ([`Direction`]) a proof, then two for each list of pairs that are
    /// not answered, the one of packets first; where answers count, the same of the direction turned round.
    pub proofs: Vec<Proof>,
}

/// Whether these bytes are meant to be a certificate, whole or not.
pub fn is_certificate(bytes: &[u8]) -> bool {
    kind_of(bytes) == Some(CERTIFICATE.kind)
}

/// The certificate as a file.
///
/// # Errors
/// Never for a certificate of valid parts.
pub fn write_certificate(certificate: &Certificate) -> Result<Vec<u8>, CompiledError> {
    pack(CERTIFICATE, certificate)
}

/// The certificate in a file; `name` is how messages call it.
///
/// # Errors
/// Iff the bytes are not a whole, undamaged file of this format, or hold what no certificate has: an interval that ends before
/// it starts, an address that the family lacks, a list out of order, other rules than [`SEMANTICS`].
pub fn read_certificate(name: &str, bytes: &[u8]) -> Result<Certificate, CompiledError> {
    let certificate = unpack(CERTIFICATE, name, bytes)?;
    validate::validate(&certificate).map_err(|fault| CompiledError::invalid(CERTIFICATE, name, &fault))?;
    Ok(certificate)
}
