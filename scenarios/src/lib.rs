//! The scenario corpus, its file format, and its expansion to the JSON that AWS prints.
//!
//! A [`Scenario`] is a small network written compactly in YAML (`reachproof: scenario/v1`) together with the answers
//! that are expected of any engine. [`parse`] reads one; [`Scenario::documents`] gives its network as `describe`
//! answers, so that a scenario takes the same way into the engine as a real account; [`corpus`] holds the scenarios
//! that are built in, one for each vector of the rules.
//!
//! The format is described in [`format`](mod@format); [`random`] makes small random networks. Invariant: nothing here touches files, environment or clock.

mod corpus;
mod error;
mod expand;
pub mod format;
pub mod organisation;
pub mod random;
mod scenario;

pub use corpus::corpus;
pub use error::ScenarioError;
pub use format::{Expectation, Outcome, QueryOptions, Verdict};
pub use scenario::{Document, Scenario, parse};
