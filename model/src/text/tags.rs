//! The tags of a resource.

use std::fmt::{self, Write};

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::{SharedText, distinct};

/// Keys with their values. There are few of a resource (AWS allows 50), and few resources are asked for theirs: so they are
/// one text that is searched.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tags {
    /// INVARIANT (tags spelt out): of each tag `<length of the key>:<key><length of the value>:<value>`, in bytes; keys
    /// ascend strictly.
    spelt: SharedText,
}

impl Tags {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.iter().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    /// All keys, ascending.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(key, _)| key)
    }

    fn iter(&self) -> Pairs<'_> {
        Pairs(&self.spelt)
    }

    /// Tags spelt out as a file has them; `None` if they are not.
    fn read(spelt: SharedText) -> Option<Self> {
        let mut pairs = Pairs(&spelt);
        let mut last = None;
        for (key, _) in pairs.by_ref() {
            if last.is_some_and(|last| key <= last) {
                return None;
            }
            last = Some(key);
        }
        pairs.0.is_empty().then_some(Self { spelt })
    }
}

impl<'t> FromIterator<(&'t str, &'t str)> for Tags {
    /// Of several values of a key the last one counts.
    fn from_iter<I: IntoIterator<Item = (&'t str, &'t str)>>(pairs: I) -> Self {
        let mut pairs: Vec<_> = pairs.into_iter().collect();
        pairs.reverse();
        pairs.sort_by_key(|(key, _)| *key);
        pairs.dedup_by_key(|(key, _)| *key);
        let mut spelt = String::new();
        for text in pairs.into_iter().flat_map(|(key, value)| [key, value]) {
            // Writing to a text cannot fail.
            let _written = write!(spelt, "{}:{text}", text.len());
        }
        Self { spelt: spelt.into() }
    }
}

/// What is left of tags that are spelt out: the pairs before the first mistake, if there is any.
struct Pairs<'t>(&'t str);

impl<'t> Iterator for Pairs<'t> {
    type Item = (&'t str, &'t str);

    fn next(&mut self) -> Option<Self::Item> {
        let (key, rest) = first(self.0)?;
        let (value, rest) = first(rest)?;
        self.0 = rest;
        Some((key, value))
    }
}

/// The first text of those spelt out, and what follows it. A length has one spelling.
fn first(spelt: &str) -> Option<(&str, &str)> {
    let mut length: usize = 0;
    for (at, byte) in spelt.bytes().enumerate() {
        match byte {
            b':' if at > 0 => return spelt.get(at + 1..)?.split_at_checked(length),
            b'0'..=b'9' if at == 0 || length > 0 => {
                length = length.checked_mul(10)?.checked_add(usize::from(byte - b'0'))?;
            }
            _ => return None,
        }
    }
    None
}

impl Serialize for Tags {
    /// A map; spelt out while texts are collected.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if distinct::are_collected() {
            return self.spelt.serialize(serializer);
        }
        // The length is told, which digests need.
        let pairs: Vec<_> = self.iter().collect();
        serializer.collect_map(pairs)
    }
}

impl<'de> Deserialize<'de> for Tags {
    /// A map; spelt out while texts are handed out.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !distinct::are_handed_out() {
            return deserializer.deserialize_map(TagsVisitor);
        }
        let spelt = SharedText::deserialize(deserializer)?;
        Self::read(spelt).ok_or_else(|| D::Error::custom("tags out of order"))
    }
}

struct TagsVisitor;

impl<'de> Visitor<'de> for TagsVisitor {
    type Value = Tags;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tags")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tags, A::Error> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(spelt: &str) -> Option<Tags> {
        Tags::read(spelt.into())
    }

    #[test]
    fn the_last_value_of_a_key_counts() {
        let tags: Tags = [("b", "1"), ("a", "2:x"), ("b", ""), ("", "\u{e4}")].into_iter().collect();
        assert_eq!(tags.keys().collect::<Vec<_>>(), ["", "a", "b"]);
        assert_eq!([tags.get("a"), tags.get("b"), tags.get("c")], [Some("2:x"), Some(""), None]);
        assert_eq!(read(&tags.spelt).as_ref(), Some(&tags));
        let json = serde_json::to_string(&tags).unwrap();
        assert_eq!(json, "{\"\":\"\u{e4}\",\"a\":\"2:x\",\"b\":\"\"}");
        assert_eq!(serde_json::from_str::<Tags>(&json).unwrap(), tags);
    }

    #[test]
    fn tags_have_one_spelling() {
        assert_eq!(read("1:a1:x1:b0:"), Some([("b", ""), ("a", "x")].into_iter().collect()));
        for wrong in [
            "1:b0:1:a0:",
            "1:a0:1:a0:",
            "01:a0:",
            "+1:a0:",
            "1:a",
            "1:a0:1",
            "1:a2:x",
            "x",
            "1:a0:x",
            "1:\u{e4}0:",
            "99999999999999999999:a0:",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
