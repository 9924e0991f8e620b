//! A YAML document as a tree whose every node knows its line and column.
//!
//! The tree keeps what YAML says and no more: a number stays a number, so that the reader can refuse it where text is
//! meant. Budgets bound size, depth and aliases, so a hostile file ends in an error.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{Error, Options, Spanned};

/// A line and a column, both counted from 1; 0 where nothing is known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place {
    /// The line.
    pub line: u32,
    /// The column, in characters.
    pub column: u32,
}

/// What is wrong and where, in a file that the caller knows.
#[derive(Debug)]
pub(super) struct Fault {
    pub place: Place,
    pub message: String,
}

impl Fault {
    pub fn new(place: Place, message: impl Into<String>) -> Self {
        Self { place, message: message.into() }
    }
}

/// One value of the document.
#[derive(Debug)]
pub(super) struct Node {
    pub place: Place,
    pub value: Value,
}

/// What YAML can say.
#[derive(Debug)]
pub(super) enum Value {
    Nothing,
    Truth(bool),
    /// As YAML reads it, printed again.
    Number(String),
    Text(String),
    List(Vec<Node>),
    /// In the order of the file; no key twice.
    Fields(Vec<(Key, Node)>),
}

/// The name of a field.
#[derive(Debug)]
pub(super) struct Key {
    pub place: Place,
    pub name: String,
}

impl Node {
    /// The value in words, for "found …".
    pub fn description(&self) -> String {
        match &self.value {
            Value::Nothing => "nothing".into(),
            Value::Truth(truth) => format!("`{truth}`"),
            Value::Number(number) => format!("the number `{number}`"),
            Value::Text(text) => format!("`{text}`"),
            Value::List(_) => "a list".into(),
            Value::Fields(_) => "a mapping".into(),
        }
    }

    /// The value of a field, if this is a mapping that has it.
    pub fn field(&self, name: &str) -> Option<&Node> {
        let Value::Fields(fields) = &self.value else { return None };
        fields.iter().find(|(key, _)| key.name == name).map(|(_, node)| node)
    }

    /// The items of a list; anything else is a list of one.
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    /// The value as text; `expected` says in the message what should have stood here.
    pub fn text(&self, expected: &str) -> Result<&str, Fault> {
        match &self.value {
            Value::Text(text) => Ok(text),
            Value::Number(_) | Value::Truth(_) => Err(self.fault(format!(
                "expected {expected}, found {}; put quotes around a text",
                self.description()
            ))),
            _ => Err(self.unexpected(expected)),
        }
    }

    pub fn unexpected(&self, expected: &str) -> Fault {
        self.fault(format!("expected {expected}, found {}", self.description()))
    }

    pub fn fault(&self, message: impl Into<String>) -> Fault {
        Fault::new(self.place, message)
    }
}

/// The largest policy file that is read: 16 MiB.
const MAX_BYTES: usize = 16 << 20;

/// Reads one YAML (or JSON) document.
pub(super) fn parse(bytes: &[u8]) -> Result<Node, Fault> {
    let start = Place { line: 1, column: 1 };
    if bytes.len() > MAX_BYTES {
        let message = format!("the file has {} bytes, more than the limit of {MAX_BYTES}", bytes.len());
        return Err(Fault::new(start, message));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error.valid_up_to()))?;
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| fault(error.without_snippet()))
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: 32,
            max_documents: 1,
            max_aliases: 1_000,
            max_anchors: 1_000,
            max_recorded_anchor_events: 100_000,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 100_000 },
        reject_unsupported_tags: true,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        non_finite_float_policy: serde_saphyr::NonFiniteFloatPolicy::AsString,
        with_snippet: false,
    }
}

fn not_utf8(bytes: &[u8], valid: usize) -> Fault {
    let before = bytes.get(..valid).unwrap_or_default();
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let place = Place { line: u32::try_from(line).unwrap_or(u32::MAX), column: 1 };
    Fault::new(place, "expected UTF-8 text, found other bytes")
}

fn fault(error: &Error) -> Fault {
    let place = error.location().map_or(Place { line: 0, column: 0 }, place);
    let message = match error {
        Error::AliasError { error, .. } => return fault(error),
        Error::DuplicateMappingKey { key: Some(key), .. } => format!("the field `{key}` is given twice"),
        Error::UnsupportedTag { tag, .. } => {
            format!("found the YAML tag `{tag}`; put quotes around a selector that starts with `!`")
        }
        Error::UnknownAnchor { .. } => {
            "no anchor of this name; put quotes around a selector that starts with `*`".into()
        }
        Error::Budget { breach: BudgetBreach::Documents { .. }, .. } => {
            "found a second YAML document, expected one a file; put each into its own".into()
        }
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => {
            format!("the file is larger or more deeply nested than a policy may be: {}", plain(error))
        }
        other => plain(other),
    };
    Fault { place, message }
}

fn plain(error: &Error) -> String {
    use serde_saphyr::MessageFormatter;
    serde_saphyr::DefaultMessageFormatter.format_message(error).escape_debug().to_string().replace("\\'", "'")
}

fn place(location: serde_saphyr::Location) -> Place {
    let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    Place { line: narrow(location.line()), column: narrow(location.column()) }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        Ok(Self { place: place(spanned.referenced), value: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, a number, a list or a mapping")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Truth(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.to_string()))
    }

    fn visit_i128<E>(self, number: i128) -> Result<Value, E> {
        Ok(Value::Number(number.to_string()))
    }

    fn visit_u128<E>(self, number: u128) -> Result<Value, E> {
        Ok(Value::Number(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Number(number.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(key) = access.next_key::<Spanned<String>>()? {
            let name = Key { place: place(key.referenced), name: key.value };
            fields.push((name, access.next_value()?));
        }
        Ok(Value::Fields(fields))
    }
}
