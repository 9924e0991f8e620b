//! The scenarios that are built in.

use crate::scenario::{Scenario, parse};

/// Embeds the named files below `corpus/`.
macro_rules! embedded {
    ($($path:literal,)*) => {
        &[$(($path, include_str!(concat!("../corpus/", $path, ".yaml"))),)*]
    };
}

/// Networks that scenarios are based on, by name.
const BASES: &[(&str, &str)] =
    embedded!["base/f0", "base/f0-appliance", "base/f0-peered", "base/f0-transit",];

/// Every scenario, by path.
const SCENARIOS: &[(&str, &str)] = embedded![
    "addr/t-addr-01",
    "addr/t-addr-02",
    "addr/t-addr-03",
    "addr/t-addr-04",
    "addr/t-addr-05",
    "addr/t-addr-06",
    "addr/t-addr-07",
    "addr/t-addr-08",
    "addr/t-addr-09",
    "addr/t-addr-10",
    "addr/t-addr-11",
    "addr/t-addr-12",
    "route/t-route-01",
    "route/t-route-02",
    "route/t-route-03",
    "route/t-route-04",
    "route/t-route-05",
    "route/t-route-06",
    "route/t-route-07",
    "route/t-route-08",
    "route/t-route-09",
    "route/t-route-10",
    "route/t-route-11",
    "route/t-route-12",
    "route/t-route-13",
    "route/t-route-14",
    "route/t-route-15",
    "route/t-route-16",
    "sg/t-sg-01",
    "sg/t-sg-02",
    "sg/t-sg-03",
    "sg/t-sg-04",
    "sg/t-sg-05",
    "sg/t-sg-06",
    "sg/t-sg-07",
    "sg/t-sg-08",
    "sg/t-sg-09",
    "sg/t-sg-10",
    "sg/t-sg-11",
    "sg/t-sg-12",
    "sg/t-sg-13",
    "sg/t-sg-14",
    "sg/t-sg-15",
    "sg/t-sg-16",
    "sg/t-sg-17",
    "sg/t-sg-18",
    "sg/t-sg-19",
    "sg/t-sg-20",
    "nacl/t-nacl-01",
    "nacl/t-nacl-02",
    "nacl/t-nacl-03",
    "nacl/t-nacl-04",
    "nacl/t-nacl-05",
    "nacl/t-nacl-06",
    "nacl/t-nacl-07",
    "nacl/t-nacl-08",
    "nacl/t-nacl-09",
    "nacl/t-nacl-10",
    "nacl/t-nacl-11",
];

/// The base network of that name.
pub(crate) fn base(name: &str) -> Option<&'static str> {
    BASES.iter().find(|(path, _)| path.strip_prefix("base/") == Some(name)).map(|(_, text)| *text)
}

/// All scenarios of the corpus, in the order of their areas and numbers.
#[expect(clippy::expect_used, reason = "INVARIANT (corpus parses): a test parses every embedded file")]
pub fn corpus() -> Vec<Scenario> {
    SCENARIOS
        .iter()
        .map(|(path, text)| parse(path, text).expect("an embedded scenario is well formed"))
        .collect()
}
