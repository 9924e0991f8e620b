//! Exit codes, and the one kind of failure that ends a command without an answer.

use std::fmt;
use std::process::ExitCode;

/// How a command ends. These numbers are part of the interface; `--help` lists them from [`Exit::MEANINGS`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Everything holds, the flow arrives, nothing differs.
    Holds = 0,
    /// Something is violated, the flow is blocked, something was gained.
    Violated = 1,
    /// Bad input or usage, or a limit was hit: nothing was decided.
    Unusable = 2,
    /// Nothing is violated, and something is unknown.
    Unknown = 3,
}

impl Exit {
    /// The codes in words, as the help shows them.
    pub const MEANINGS: &'static str = "Exit codes:
  0  every property holds; the traced flow arrives; every certificate is accepted
  1  a property is violated; the traced flow is blocked; a certificate is rejected
  2  bad input or usage, or a limit was hit: nothing was decided, nothing was written
  3  nothing is violated, but something is unknown";

    /// The code of several answers together: the worst of them, a violation before an unknown.
    pub fn worst(exits: impl IntoIterator<Item = Self>) -> Self {
        exits.into_iter().max_by_key(|exit| exit.badness()).unwrap_or(Self::Holds)
    }

    fn badness(self) -> u8 {
        match self {
            Self::Holds => 0,
            Self::Unknown => 1,
            Self::Violated => 2,
            Self::Unusable => 3,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command could not answer: one message for people, which ends in [`Exit::Unusable`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure(String);

impl Failure {
    /// A failure with this message: what was found, where, and what was expected.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violation_outweighs_an_unknown() {
        assert_eq!(Exit::worst([]), Exit::Holds);
        assert_eq!(Exit::worst([Exit::Holds, Exit::Unknown]), Exit::Unknown);
        assert_eq!(Exit::worst([Exit::Violated, Exit::Unknown, Exit::Holds]), Exit::Violated);
        assert_eq!(Exit::worst([Exit::Unusable, Exit::Violated]), Exit::Unusable);
    }
}
