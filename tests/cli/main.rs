//! The built command, run as a user would run it.
//!
//! `cfg(test)` always holds here; it tells clippy that helpers may unwrap as tests do.

#![expect(clippy::disallowed_methods, reason = "runs the command and reads what it writes")]

#[cfg(test)]
mod answers;
#[cfg(test)]
mod evidence;
#[cfg(test)]
mod formats;
#[cfg(test)]
mod grouping;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod transcripts;
