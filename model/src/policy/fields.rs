//! Reading a mapping field by field, so that a field nobody reads is an error.

use super::document::{Fault, Key, Node, Place, Value};
use super::suggest;

/// A mapping all of whose fields are known.
pub(super) struct Fields<'a> {
    owner: &'static str,
    place: Place,
    entries: &'a [(Key, Node)],
}

impl<'a> Fields<'a> {
    /// Checks that the node is a mapping with none but the known fields. `owner` names it in messages: `a property`.
    pub fn open(node: &'a Node, owner: &'static str, known: &[&str]) -> Result<Self, Fault> {
        let Value::Fields(entries) = &node.value else {
            return Err(node.unexpected(&format!("{owner} with the fields {}", listed(known))));
        };
        for (key, _) in entries {
            if !known.contains(&key.name.as_str()) {
                return Err(unknown(key, owner, known));
            }
        }
        Ok(Self { owner, place: node.place, entries })
    }

    /// The value of a field, if it is given.
    pub fn get(&self, name: &str) -> Option<&'a Node> {
        self.entry(name).map(|(_, node)| node)
    }

    /// The key and value of a field, if it is given.
    pub fn entry(&self, name: &str) -> Option<(&'a Key, &'a Node)> {
        self.entries.iter().find(|(key, _)| key.name == name).map(|(key, node)| (key, node))
    }

    /// The value of a field that has to be given.
    pub fn require(&self, name: &str) -> Result<&'a Node, Fault> {
        self.get(name)
            .ok_or_else(|| Fault::new(self.place, format!("{} needs the field `{name}`", self.owner)))
    }

    /// The value of a truth field; `false` if it is not given.
    pub fn truth(&self, name: &str) -> Result<bool, Fault> {
        match self.get(name) {
            None => Ok(false),
            Some(Node { value: Value::Truth(truth), .. }) => Ok(*truth),
            Some(other) => Err(other.unexpected("`true` or `false`")),
        }
    }

    /// The place of the mapping.
    pub fn place(&self) -> Place {
        self.place
    }
}

/// A closed choice of words: the index of the one found.
pub(super) fn choice<T: Copy>(node: &Node, choices: &[(&str, T)]) -> Result<T, Fault> {
    let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
    let expected = format!("one of {}", listed(&words));
    let text = node.text(&expected)?;
    choices.iter().find(|(word, _)| *word == text).map(|(_, value)| *value).ok_or_else(|| {
        node.fault(format!("expected {expected}, found `{text}`{}", suggest::hint(text, words)))
    })
}

fn unknown(key: &Key, owner: &str, known: &[&str]) -> Fault {
    let hint = suggest::hint(&key.name, known.iter().copied());
    let expected = if hint.is_empty() { format!("; expected one of {}", listed(known)) } else { hint };
    Fault::new(key.place, format!("unknown field `{}` in {owner}{expected}", key.name))
}

/// `a`, `b`, `c`, each in backticks.
pub(super) fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
