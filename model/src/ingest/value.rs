//! Lenient JSON values (R-DATA-6): absent and `null` lists are empty, numbers may be strings, flags may be words.
//!
//! Every type here accepts `null` and reads it as "not shown". A value that can mean nothing is still an error.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};

use crate::text::SharedText;

/// Defines a private struct in the shape of an AWS answer: every field optional, unknown fields ignored, strings
/// borrowed from the input.
macro_rules! shape {
    ($(#[$doc:meta])* $name:ident<$lt:lifetime> as $wanted:literal { $($(#[$meta:meta])* $field:ident: $ty:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
        #[serde(rename_all = "PascalCase", default, bound(deserialize = "'de: 'a"), expecting = $wanted)]
        pub(super) struct $name<$lt> {
            $($(#[$meta])* pub(super) $field: $ty,)*
            #[serde(skip)]
            pub(super) input: std::marker::PhantomData<&$lt ()>,
        }
    };
}
pub(super) use shape;

/// A string; numbers and booleans are read as their text. Empty means not shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl Text<'_> {
    /// The text, or `None` if the input does not show any.
    pub(super) fn shown(&self) -> Option<&str> {
        Some(self.0.as_ref()).filter(|text| !text.is_empty())
    }

    /// The text for the snapshot, or `None`.
    pub(super) fn shared(&self) -> Option<SharedText> {
        self.shown().map(SharedText::from)
    }

    /// The text in lower case, for states and other enumerations whose case varies.
    pub(super) fn lower(&self) -> Option<SharedText> {
        let is_lower = |text: &str| !text.bytes().any(|byte| byte.is_ascii_uppercase());
        self.shown().map(|text| if is_lower(text) { text.into() } else { text.to_ascii_lowercase().into() })
    }

    /// Whether the text is `word` in any case.
    pub(super) fn is(&self, word: &str) -> bool {
        self.0.eq_ignore_ascii_case(word)
    }
}

impl std::ops::Deref for Text<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for Text<'_> {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor(PhantomData))
    }
}

struct TextVisitor<'a>(PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for TextVisitor<'a> {
    type Value = Text<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'a>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }
    fn visit_str<E>(self, text: &str) -> Result<Text<'a>, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }
    fn visit_bool<E>(self, flag: bool) -> Result<Text<'a>, E> {
        Ok(Text(Cow::Borrowed(if flag { "true" } else { "false" })))
    }
    fn visit_i64<E>(self, number: i64) -> Result<Text<'a>, E> {
        Ok(Text(Cow::Owned(number.to_string())))
    }
    fn visit_u64<E>(self, number: u64) -> Result<Text<'a>, E> {
        Ok(Text(Cow::Owned(number.to_string())))
    }
    fn visit_f64<E>(self, number: f64) -> Result<Text<'a>, E> {
        Ok(Text(Cow::Owned(number.to_string())))
    }
    fn visit_unit<E>(self) -> Result<Text<'a>, E> {
        Ok(Text::default())
    }
}

/// A list; `null` is the empty one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct List<T>(pub(super) Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> std::ops::Deref for List<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor(PhantomData))
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = List<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<List<T>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            // Most lists have one item, and there are millions of them.
            if items.is_empty() {
                items.reserve_exact(1);
            }
            items.push(item);
        }
        Ok(List(items))
    }
    fn visit_unit<E>(self) -> Result<List<T>, E> {
        Ok(List(Vec::new()))
    }
}

/// A boolean, also as `"true"` or `"false"`; `None` if not shown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Flag(pub(super) Option<bool>);

impl Flag {
    /// Whether the flag is shown and set.
    pub(super) fn is_set(self) -> bool {
        self.0 == Some(true)
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FlagVisitor)
    }
}

struct FlagVisitor;

impl Visitor<'_> for FlagVisitor {
    type Value = Flag;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true or false")
    }
    fn visit_bool<E>(self, flag: bool) -> Result<Flag, E> {
        Ok(Flag(Some(flag)))
    }
    fn visit_str<E: de::Error>(self, word: &str) -> Result<Flag, E> {
        match word.to_ascii_lowercase().as_str() {
            "true" => Ok(Flag(Some(true))),
            "false" => Ok(Flag(Some(false))),
            "" => Ok(Flag(None)),
            _ => Err(E::invalid_value(de::Unexpected::Str(word), &self)),
        }
    }
    fn visit_unit<E>(self) -> Result<Flag, E> {
        Ok(Flag(None))
    }
}

/// A whole number, also as a string; `None` if not shown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Int(pub(super) Option<i64>);

impl<'de> Deserialize<'de> for Int {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IntVisitor)
    }
}

struct IntVisitor;

impl Visitor<'_> for IntVisitor {
    type Value = Int;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }
    fn visit_i64<E>(self, number: i64) -> Result<Int, E> {
        Ok(Int(Some(number)))
    }
    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Int, E> {
        let signed = i64::try_from(number);
        signed
            .map(|number| Int(Some(number)))
            .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(number), &self))
    }
    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Int, E> {
        // Some tools print every number as a float: `443.0` is 443, `443.5` is nothing.
        let whole = format!("{number:.0}").parse().ok().filter(|_| number.fract() == 0.0);
        whole
            .map(|number| Int(Some(number)))
            .ok_or_else(|| E::invalid_value(de::Unexpected::Float(number), &self))
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Int, E> {
        match text.trim() {
            "" => Ok(Int(None)),
            text => match text.parse() {
                Ok(number) => Ok(Int(Some(number))),
                Err(_) => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
            },
        }
    }
    fn visit_unit<E>(self) -> Result<Int, E> {
        Ok(Int(None))
    }
}

shape! {
    /// One tag of a resource.
    Tag<'a> as "a tag" { key: Text<'a>, value: Text<'a>, }
}

shape! {
    /// An object that wraps a state: `CidrBlockState`, `AssociationState`, an instance's `State`.
    StateShape<'a> as "an object with a state" { state: Text<'a>, name: Text<'a>, code: Text<'a>, }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_from_strings_and_floats() {
        let ints: List<Int> = serde_json::from_str(r#"[1, "2", 3.0, null, "", -1]"#).unwrap();
        assert_eq!(ints.0, [Some(1), Some(2), Some(3), None, None, Some(-1)].map(Int));
        assert!(serde_json::from_str::<Int>("3.5").is_err());
        assert!(serde_json::from_str::<Int>("\"x\"").is_err());
    }

    #[test]
    fn flags_are_read_from_words_in_any_case() {
        let flags: List<Flag> = serde_json::from_str(r#"[true, "False", null]"#).unwrap();
        assert_eq!(flags.0, [Some(true), Some(false), None].map(Flag));
        assert!(serde_json::from_str::<Flag>("\"yes\"").is_err());
    }

    #[test]
    fn a_null_list_is_empty_and_an_object_is_no_list() {
        assert!(serde_json::from_str::<List<Text<'_>>>("null").unwrap().is_empty());
        assert!(serde_json::from_str::<List<Text<'_>>>("{}").is_err());
    }
}
