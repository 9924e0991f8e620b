//! The scenario file, `reachproof: scenario/v1`.
//!
//! ```yaml
//! reachproof: scenario/v1
//! name: t-sg-01
//! title: a port range of one port
//! rules: [R-SG-5]
//! vector: T-SG-1
//! base: f0                          # the built-in network that this one changes; none starts from nothing
//! network:                          # things by id; null removes; attributes not stated stay as they are
//!   security-groups:
//!     sg-app: {in: ["tcp 443 from 0.0.0.0/0"]}
//! aws:                              # raw describe JSON, laid over what the network expands to
//!   NetworkAcls: ~                  # this call was not collected
//! expect:
//!   - {from: web, to: app, protocol: tcp, port: 443, verdict: reaches}
//!   - {from: web, to: app, protocol: tcp, port: 444, verdict: blocked}
//! ```
//!
//! Every inventory of the network counts as collected, most of them empty, unless `collected` lists the calls that
//! were, or `aws` removes one. Keys of `aws` are a top-level key of one answer (its value a list whose items are
//! merged by id, attributes with null removed) or the name of a whole answer, `elbv2_describe-listeners__nlb-1`.
//! `aliases` are short names for use in `from`, `to` and `via`.
//!
//! Unknown or repeated keys are errors that point at the line.

mod expectation;
pub(crate) mod network;
pub(crate) mod overlay;
pub(crate) mod route;
pub(crate) mod rule;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Deserialize;

pub use expectation::{Expectation, Outcome, QueryOptions, Verdict};
use network::Network;

/// The first key of a scenario file, and the version it must name.
pub(crate) const VERSION: &str = "scenario/v1";

/// A scenario file as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct ScenarioFile {
    pub(crate) reachproof: String,
    pub(crate) name: String,
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) rules: Vec<String>,
    pub(crate) vector: Option<String>,
    pub(crate) pending: Option<String>,
    pub(crate) base: Option<String>,
    #[serde(default)]
    pub(crate) aliases: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) network: Network,
    /// The calls that were collected, if not all of them.
    pub(crate) collected: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) aws: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    pub(crate) expect: Vec<Expectation>,
}
