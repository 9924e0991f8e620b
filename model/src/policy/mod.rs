//! Policy files: properties to decide about a snapshot, and waivers.
//!
//! The main type is [`Policy`], read by [`Policy::read`] from one or more files that count as one: groups, properties and
//! waivers of all are pooled. [`Selector`] is the language for sets of endpoints, [`trace_point`] the one for the ends of
//! a trace.
//!
//! Invariant: what is read is fully understood. An unknown or repeated field, an unknown group, a name given twice is an
//! error with file, line and column; nothing is skipped. Reading is pure; what a property means is decided in
//! `reachproof-engine`.

mod access_scope;
mod document;
mod fields;
mod pattern;
mod point;
mod read;
mod selector;
mod suggest;
mod traffic;

#[cfg(test)]
mod tests;

use std::fmt;

use jiff::civil::Date;

pub use document::Place;
pub use pattern::Pattern;
pub use point::{TracePoint, trace_point};
pub use selector::{Groups, Selector, SelectorError, Term};
pub use suggest::hint;
pub use traffic::{TrafficSpec, protocol, protocol_name};

use crate::flow::Question;

/// Everything that the policy files say.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Policy {
    /// The named groups.
    pub groups: Groups,
    /// The properties, in the order of the files; never empty, no name twice.
    pub properties: Vec<Property>,
    /// The waivers, each of a property that exists.
    pub waivers: Vec<Waiver>,
}

/// One policy file, already in memory.
#[derive(Clone, Copy, Debug)]
pub struct PolicyFile<'a> {
    /// Its name in messages.
    pub name: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// One assertion about a snapshot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Property {
    /// Its name, unique in the policy.
    pub name: Box<str>,
    /// What it is for, in words.
    pub why: Option<Box<str>>,
    /// Control ids of standards, such as `NIST:SC-7`.
    pub controls: Vec<Box<str>>,
    /// How bad a violation is.
    pub severity: Option<Severity>,
    /// What is asserted.
    pub form: Form,
    /// The headers it is about, sorted; empty for every header.
    pub traffic: Vec<TrafficSpec>,
    /// Whether packets or connections count (R-VERDICT-1). Defaults: requiring forms to connections, others to packets.
    pub question: Question,
    /// Whether replies to what the destination itself began count too (R-VERDICT-1). Never with connections.
    pub including_replies: bool,
    /// Whether this property is decided as with `--strict` (R-DATA-10).
    pub strict: bool,
    /// Where it stands.
    pub place: FilePlace,
}

/// What a property asserts. A *path* is a flow of the property's headers that answers its question with yes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Form {
    /// Holds iff there is no path from a source to a destination.
    Forbid(Ends),
    /// Holds iff there is a path from every source to every destination.
    Require(Ends),
    /// Holds iff there is a path from some source to some destination.
    RequireSome(Ends),
    /// Holds iff every path from a source to a destination visits something that `through` selects.
    OnlyThrough {
        /// The ends of the paths.
        ends: Ends,
        /// What they have to visit.
        through: Selector,
    },
    /// Holds iff there is no path from either side to the other.
    Isolate {
        /// One side.
        between: Selector,
        /// The other side.
        and: Selector,
    },
    /// Holds iff the later of two snapshots has no path from a source to a destination that the earlier lacks.
    NoNew(Ends),
}

impl Form {
    /// The field that writes this form in a policy file.
    pub fn keyword(&self) -> &'static str {
        match self {
            Self::Forbid(_) => "forbid",
            Self::Require(_) => "require",
            Self::RequireSome(_) => "require-some",
            Self::OnlyThrough { .. } => "only-through",
            Self::Isolate { .. } => "isolate",
            Self::NoNew(_) => "no-new",
        }
    }

    /// The question a property of this form asks unless it says otherwise: a proof that something cannot happen is about
    /// packets, a proof that something works is about connections (R-VERDICT-1).
    pub fn default_question(&self) -> Question {
        match self {
            Self::Require(_) | Self::RequireSome(_) => Question::Connection,
            Self::Forbid(_) | Self::OnlyThrough { .. } | Self::Isolate { .. } | Self::NoNew(_) => {
                Question::Packet
            }
        }
    }
}

/// The sources and destinations of a property.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ends {
    /// The sources.
    pub from: Selector,
    /// The destinations.
    pub to: Selector,
    /// Sources that do not count. They may match nothing.
    pub except_from: Option<Selector>,
    /// Destinations that do not count. They may match nothing.
    pub except_to: Option<Selector>,
}

/// How bad a violation is, in the words of AWS Security Hub.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// Worth knowing.
    Informational,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

impl Severity {
    /// The word in policy files and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// A violation that somebody has accepted for a time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waiver {
    /// The property, by name.
    pub property: Box<str>,
    /// Only for these sources; for all where `None`.
    pub from: Option<Selector>,
    /// Only for these destinations; for all where `None`.
    pub to: Option<Selector>,
    /// The last day it applies.
    pub until: Date,
    /// Who answers for it.
    pub owner: Box<str>,
    /// The reason.
    pub why: Box<str>,
    /// Where it stands.
    pub place: FilePlace,
}

impl Waiver {
    /// Whether it still applies: up to and on its date.
    pub fn applies_on(&self, today: Date) -> bool {
        today <= self.until
    }
}

/// A place in a named file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FilePlace {
    /// The name of the file, as it was given.
    pub file: Box<str>,
    /// Line and column.
    pub place: Place,
}

impl fmt::Display for FilePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Place { line: 0, .. } => f.write_str(&self.file),
            Place { line, column } => write!(f, "{}:{line}:{column}", self.file),
        }
    }
}

/// Why a policy cannot be used: where, what was found, what was expected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyError {
    place: FilePlace,
    message: Box<str>,
}

impl PolicyError {
    /// Where it is.
    pub fn place(&self) -> &FilePlace {
        &self.place
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

impl std::error::Error for PolicyError {}

impl Policy {
    /// Reads policy files as one policy: `reachproof: policy/v1` files and AWS Network Access Analyzer scopes.
    pub fn read(files: &[PolicyFile<'_>]) -> Result<Self, PolicyError> {
        read::policy(files)
    }

    /// Reads one policy file.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, PolicyError> {
        Self::read(&[PolicyFile { name, bytes }])
    }
}
