//! Texts that share their bytes: what a snapshot holds millions of.
//!
//! The main type is [`SharedText`]. A text that was read from an answer owns its bytes; those of a compiled snapshot are parts
//! of a few long texts, so that reading one more of them allocates nothing. [`Tags`] are one text, too.
//! `distinct` is how compiled snapshots keep each text once.

pub(crate) mod distinct;
mod tags;

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::num::NonZeroU32;
use std::ops::Deref;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

pub use tags::Tags;

/// The length of a text that is the whole of its chunk, and too long for its length to be told.
const WHOLE: NonZeroU32 = NonZeroU32::MAX;

/// A text that never changes. A copy shares the bytes.
#[derive(Clone)]
pub struct SharedText {
    /// The text that this one is a part of; `None` iff it is empty.
    chunk: Option<Arc<str>>,
    /// INVARIANT (texts in chunks): `chunk[start..start + length]` is a text, or the length is [`WHOLE`] and `start` 0.
    start: u32,
    /// Meaningless in an empty text. Never 0, so that an optional text takes no more room.
    length: NonZeroU32,
}

impl SharedText {
    /// A part of a text, in bytes; `None` iff it is no part of it, or one of more than 4 GiB beside others.
    fn part(chunk: &Arc<str>, start: usize, length: usize) -> Option<Self> {
        let end = start.checked_add(length)?;
        if chunk.get(start..end)?.is_empty() {
            return Some(Self::default());
        }
        let is_whole = start == 0 && end == chunk.len();
        let told = u32::try_from(length).ok().and_then(NonZeroU32::new).filter(|length| *length < WHOLE);
        let length = told.or(is_whole.then_some(WHOLE))?;
        Some(Self { chunk: Some(Arc::clone(chunk)), start: u32::try_from(start).ok()?, length })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        match &self.chunk {
            None => "",
            Some(chunk) if self.length == WHOLE => chunk,
            Some(chunk) => {
                let start = self.start as usize;
                // INVARIANT (texts in chunks): never missing.
                chunk.get(start..start + self.length.get() as usize).unwrap_or_default()
            }
        }
    }

    /// A copy for where texts are owned.
    pub fn boxed(&self) -> Box<str> {
        self.as_str().into()
    }
}

impl Default for SharedText {
    fn default() -> Self {
        Self { chunk: None, start: 0, length: NonZeroU32::MIN }
    }
}

impl From<&str> for SharedText {
    fn from(text: &str) -> Self {
        if text.is_empty() {
            return Self::default();
        }
        let length = u32::try_from(text.len()).ok().and_then(NonZeroU32::new).unwrap_or(WHOLE);
        Self { chunk: Some(text.into()), start: 0, length }
    }
}

impl From<String> for SharedText {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<Box<str>> for SharedText {
    fn from(text: Box<str>) -> Self {
        (&*text).into()
    }
}

impl From<SharedText> for Box<str> {
    fn from(text: SharedText) -> Self {
        text.boxed()
    }
}

impl Deref for SharedText {
    type Target = str;
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for SharedText {
    fn as_ref(&self) -> &str {
        self
    }
}

impl Borrow<str> for SharedText {
    fn borrow(&self) -> &str {
        self
    }
}

impl PartialEq for SharedText {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for SharedText {}

impl PartialEq<str> for SharedText {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl PartialEq<&str> for SharedText {
    fn eq(&self, other: &&str) -> bool {
        **self == **other
    }
}

impl PartialOrd for SharedText {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SharedText {
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl Hash for SharedText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl fmt::Debug for SharedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for SharedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

impl Serialize for SharedText {
    /// A string; a number while texts are collected.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match distinct::number(self) {
            None => serializer.serialize_str(self),
            Some(number) => serializer.serialize_u64(number),
        }
    }
}

impl<'de> Deserialize<'de> for SharedText {
    /// A string; a number while texts are handed out.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !distinct::are_handed_out() {
            return deserializer.deserialize_str(TextVisitor);
        }
        let number = u64::deserialize(deserializer)?;
        distinct::text(number).ok_or_else(|| Error::custom("a text that is not among those of the file"))
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = SharedText;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }
    fn visit_str<E>(self, text: &str) -> Result<SharedText, E> {
        Ok(text.into())
    }
}
