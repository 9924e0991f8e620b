//! Compact routes: `igw-1`, `nat-9 blackhole`, `vgw-1 propagated`, and those of transit gateways.

use std::str::FromStr;

use serde::Deserialize;

/// Where a destination of a VPC route table leads: usually one target, several where routes compete.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "OneOrMany<RouteTarget>")]
pub(crate) struct Targets(pub(crate) Vec<RouteTarget>);

/// Where a destination of a transit gateway route table leads.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct TransitRoute {
    /// Attachments, any of which is taken; none for a blackhole.
    pub(crate) attachments: Vec<String>,
    /// Whether the route drops what it matches.
    pub(crate) blackhole: bool,
    /// Whether the route was propagated rather than written.
    pub(crate) propagated: bool,
}

/// One route: its target, and what is unusual about it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct RouteTarget {
    /// `local`, or the id of the target.
    pub(crate) target: String,
    /// `active` unless said otherwise.
    pub(crate) state: String,
    /// `CreateRoute` unless said otherwise.
    pub(crate) origin: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> From<OneOrMany<T>> for Vec<T> {
    fn from(value: OneOrMany<T>) -> Self {
        match value {
            OneOrMany::One(one) => vec![one],
            OneOrMany::Many(many) => many,
        }
    }
}

impl From<OneOrMany<RouteTarget>> for Targets {
    fn from(value: OneOrMany<RouteTarget>) -> Self {
        Self(value.into())
    }
}

impl FromStr for RouteTarget {
    type Err = String;

    /// Reads `<target> [blackhole|filtered] [propagated|advertised]`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let target = words.next().ok_or("a route needs a target")?.to_owned();
        let mut route = Self { target, state: "active".to_owned(), origin: "CreateRoute".to_owned() };
        for word in words {
            match word {
                "blackhole" | "filtered" => word.clone_into(&mut route.state),
                "propagated" => "EnableVgwRoutePropagation".clone_into(&mut route.origin),
                "advertised" => "Advertisement".clone_into(&mut route.origin),
                _ => return Err(format!("unknown word `{word}` in route `{text}`")),
            }
        }
        Ok(route)
    }
}

impl TryFrom<String> for RouteTarget {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl TryFrom<String> for TransitRoute {
    type Error = String;

    /// Reads attachment ids, `blackhole` and `propagated`, separated by blanks.
    fn try_from(text: String) -> Result<Self, String> {
        let mut route = Self { attachments: Vec::new(), blackhole: false, propagated: false };
        for word in text.split_whitespace() {
            match word {
                "blackhole" => route.blackhole = true,
                "propagated" => route.propagated = true,
                _ => route.attachments.push(word.to_owned()),
            }
        }
        if route.attachments.is_empty() && !route.blackhole {
            return Err("a transit gateway route needs an attachment or `blackhole`".to_owned());
        }
        Ok(route)
    }
}
