//! What is wrong with a scenario file.

use std::fmt;

/// A scenario file that cannot be read: its name, the place in it if known, and what was found there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScenarioError {
    name: String,
    place: Option<(u64, u64)>,
    message: String,
}

impl ScenarioError {
    /// An error that concerns the file as a whole: a resource that lacks an attribute, a name that is not defined.
    pub(crate) fn of_file(name: &str, message: impl Into<String>) -> Self {
        Self { name: name.to_owned(), place: None, message: message.into() }
    }

    /// An error of the YAML reader.
    pub(crate) fn of_yaml(name: &str, error: &serde_saphyr::Error) -> Self {
        let place = error.location().map(|location| (location.line(), location.column()));
        let text = error.without_snippet().to_string().replace('\n', " ");
        // The reader repeats the place at the end of its message.
        let message = text
            .rsplit_once(" at line ")
            .filter(|_| place.is_some())
            .map_or(text.as_str(), |(message, _)| message);
        Self { name: name.to_owned(), place, message: message.to_owned() }
    }

    /// The same error, said of the file that led to it.
    pub(crate) fn within(self, name: &str) -> Self {
        if self.name == name {
            return self;
        }
        Self::of_file(name, self.to_string())
    }

    /// Line and column, from 1, where the error has a place.
    pub fn place(&self) -> Option<(u64, u64)> {
        self.place
    }
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some((line, column)) => write!(f, "{}:{line}:{column}: {}", self.name, self.message),
            None => write!(f, "{}: {}", self.name, self.message),
        }
    }
}

impl std::error::Error for ScenarioError {}
