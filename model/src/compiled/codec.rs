//! Values to bytes and back: the only two functions that use bincode.
//!
//! bincode is unmaintained and frozen (RUSTSEC-2025-0141). What is known to be dangerous about it is kept out here: there is
//! always a limit, no text is allocated before its bytes are known to be there, and every byte must be consumed.

use std::marker::PhantomData;

use bincode::config::{Config, standard};
use bincode::error::{DecodeError, EncodeError};
use serde::Serialize;
use serde::de::{Deserialize, DeserializeOwned};

use super::guard::{Guarded, HighestIds};

/// How many bytes decoding may claim, 64 GiB: a number counts with its width in memory, at most eight times that in the
/// file, and no input is larger than 8 GiB. Where addresses have 32 bits, all that there are.
const LIMIT: usize = usize::MAX >> usize::BITS.saturating_sub(36);

/// What is wrong with content that ends too early.
pub(super) const CUT_OFF: &str = "found the end of the content, expected more of it";

/// Little-endian, numbers in as few bytes as they need.
const fn config() -> impl Config {
    standard().with_limit::<LIMIT>()
}

/// Appends the value to the bytes.
pub(super) fn encode<T: Serialize>(value: &T, into: &mut Vec<u8>) -> Result<(), String> {
    bincode::serde::encode_into_std_write(value, into, config()).map(drop).map_err(unwritable)
}

/// The value that the payload begins with, and what is left of it. `ids` learns which ids the value holds.
pub(super) fn decode_first<'de, T: Deserialize<'de>>(
    payload: &'de [u8],
    ids: &HighestIds,
) -> Result<(T, &'de [u8]), String> {
    let seed = Guarded::new(PhantomData::<T>, ids);
    let (value, read) =
        bincode::serde::seed_decode_from_slice(seed, payload, config()).map_err(unreadable)?;
    Ok((value, payload.get(read..).unwrap_or_default()))
}

/// The value that the payload holds, and nothing but it.
pub(super) fn decode<T: DeserializeOwned>(payload: &[u8], ids: &HighestIds) -> Result<T, String> {
    match decode_first(payload, ids)? {
        (value, []) => Ok(value),
        (_, more) => Err(format!("found {} bytes behind the value, expected none", more.len())),
    }
}

fn unwritable(error: EncodeError) -> String {
    match error {
        EncodeError::OtherString(message) => message,
        error => error.to_string(),
    }
}

/// What is wrong with a payload, in words.
fn unreadable(error: DecodeError) -> String {
    match error {
        DecodeError::UnexpectedEnd { .. } => CUT_OFF.to_owned(),
        DecodeError::LimitExceeded => format!("found more content than the limit of {LIMIT} bytes"),
        DecodeError::Utf8 { .. } => "found text that is not UTF-8".to_owned(),
        DecodeError::OtherString(message) => format!("found a value that cannot be read: {message}"),
        _ => "found a value that cannot be read".to_owned(),
    }
}
