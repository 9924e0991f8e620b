//! Why an input cannot be loaded: one line that says where, what was found and what was expected.

use std::fmt;

use serde_json::error::Category;

/// An input that cannot mean anything. [`fmt::Display`] gives one line for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoadError(Box<Kind>);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Kind {
    /// No file at all, or none with an answer.
    NothingKnown { files: usize, sample: Option<String> },
    /// Bytes that are not JSON in UTF-8.
    Encoding { file: String, found: &'static str },
    /// JSON that ends early, is malformed, or has another shape.
    Json { file: String, line: usize, column: usize, message: String, advice: &'static str },
    /// A value that AWS never prints.
    Value { file: String, pointer: String, message: String },
    /// Two answers about one resource that contradict each other.
    Disagreement { id: String, places: [String; 2] },
}

impl LoadError {
    pub(super) fn nothing_known(files: usize, sample: Option<&str>) -> Self {
        Self(Box::new(Kind::NothingKnown { files, sample: sample.map(str::to_owned) }))
    }

    pub(super) fn encoding(file: &str, found: &'static str) -> Self {
        Self(Box::new(Kind::Encoding { file: file.to_owned(), found }))
    }

    pub(super) fn json(file: &str, error: &serde_json::Error) -> Self {
        let message = error.to_string();
        // The position is printed in front, where editors look for it.
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(text, _)| text).to_owned();
        Self(Box::new(Kind::Json {
            file: file.to_owned(),
            line: error.line(),
            column: error.column(),
            advice: advice(error, &message),
            message,
        }))
    }

    pub(super) fn value(file: &str, pointer: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self(Box::new(Kind::Value { file: file.to_owned(), pointer: pointer.to_owned(), message }))
    }

    pub(super) fn no_answer(file: &str, call: &str) -> Self {
        let message = format!(
            "the name of the file says `{call}`, and none of the keys of its answer is there; store what `aws` prints as it \
             is, without `--query`"
        );
        Self::value(file, "", message)
    }

    pub(super) fn disagreement(id: &str, places: [String; 2]) -> Self {
        Self(Box::new(Kind::Disagreement { id: id.to_owned(), places }))
    }

    /// Whether the input holds no answer of a known call at all.
    pub fn is_nothing_known(&self) -> bool {
        matches!(*self.0, Kind::NothingKnown { .. })
    }

    /// Whether two answers contradict each other.
    pub fn is_disagreement(&self) -> bool {
        matches!(*self.0, Kind::Disagreement { .. })
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::NothingKnown { files: 0, .. } => {
                write!(f, "no JSON file found, expected answers of `aws ec2 describe-vpcs` and the like")
            }
            Kind::NothingKnown { files, sample } => {
                write!(f, "{files} file(s) read, and none has a known top-level key")?;
                if let Some(sample) = sample {
                    write!(f, " (`{}` is one)", one_line(sample))?;
                }
                write!(
                    f,
                    ", expected `Vpcs`, `Subnets`, `NetworkInterfaces`, `RouteTables`, `SecurityGroups`, …"
                )
            }
            Kind::Encoding { file, found } => write!(
                f,
                "{}: found {found}, expected JSON in UTF-8; write the answer with `aws … --output json > file` from a \
                 shell that writes UTF-8",
                one_line(file)
            ),
            Kind::Json { file, line, column, message, advice } => {
                write!(f, "{}:{line}:{column}: {}{advice}", one_line(file), one_line(message))
            }
            Kind::Value { file, pointer, message } => {
                let hash = if pointer.is_empty() { "" } else { "#" };
                write!(f, "{}{hash}{}: {}", one_line(file), one_line(pointer), one_line(message))
            }
            Kind::Disagreement { id, places: [first, second] } => write!(
                f,
                "{} and {} describe `{}` differently; remove the older answer or collect both again",
                one_line(first),
                one_line(second),
                one_line(id)
            ),
        }
    }
}

impl std::error::Error for LoadError {}

/// What to do about JSON that cannot be read, unless the message says so itself.
fn advice(error: &serde_json::Error, message: &str) -> &'static str {
    match error.classify() {
        Category::Syntax => ", so that this is no JSON; expected what `aws … --output json` prints",
        Category::Data if message.contains("; ") => "",
        Category::Data | Category::Eof | Category::Io => "; collect this answer again",
    }
}

/// The text without control characters, cut to a length that a terminal can show.
pub(super) fn one_line(text: &str) -> String {
    const LONGEST: usize = 300;
    let shown: String = text.chars().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() { shown + "…" } else { shown }
}
