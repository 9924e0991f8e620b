//! What an engine is expected to answer.

use std::net::IpAddr;

use reachproof_model::assumption::Assumption;
use reachproof_model::flow::{Protocol, Question};
use serde::{Deserialize, Deserializer, de};

/// One question about the network, and the answer that is right today.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expectation {
    /// The source, a selector of the command line: an interface, an address, `internet`, `onprem:192.168.0.5`, ….
    pub from: String,
    /// The destination, likewise.
    pub to: String,
    /// The protocol; none asks about any protocol.
    #[serde(default, deserialize_with = "protocol")]
    pub protocol: Option<Protocol>,
    /// The destination port.
    pub port: Option<u16>,
    /// The source port.
    pub source_port: Option<u16>,
    /// The ICMP type.
    pub icmp_type: Option<u8>,
    /// The ICMP code.
    pub icmp_code: Option<u8>,
    /// Whether the reply must come back.
    #[serde(default = "packet")]
    pub question: Question,
    /// The answer that is right today.
    pub verdict: Verdict,
    /// The answer that the vector states, where it differs until more of the rules are built.
    pub vector: Option<Outcome>,
    /// Why the answer is unknown although the vector states one.
    pub why: Option<String>,
    /// Assumptions that must be among those printed.
    #[serde(default, deserialize_with = "assumptions")]
    pub assumptions: Vec<Assumption>,
    /// The source address that the receiver sees.
    pub seen_source: Option<IpAddr>,
    /// The destination address at the receiver.
    pub delivered_at: Option<IpAddr>,
    /// Nodes of the forward path, in this order, others possibly in between.
    #[serde(default)]
    pub via: Vec<String>,
    /// Text that some gap, assumption line or error message contains.
    pub gap: Option<String>,
    /// Text that nothing printed with the verdict contains.
    pub lacks: Option<String>,
    /// Options of the query.
    #[serde(default)]
    pub options: QueryOptions,
    /// Whether the question is over a set of headers: it reaches iff some header does. Of a connection with a fixed
    /// port the set is that of client ports, and it reaches iff every port from 1024 does (R-NACL-12).
    /// [`Expectation::is_set`] also says so where it follows from the rest.
    #[serde(default)]
    pub set: bool,
    /// Why the question cannot be asked yet.
    pub pending: Option<String>,
}

impl Expectation {
    /// Whether the question is over a set of headers rather than one packet: it says so, or fixes no protocol, or no
    /// destination port of a protocol with ports.
    pub fn is_set(&self) -> bool {
        self.set || self.protocol.is_none_or(|protocol| protocol.has_ports() && self.port.is_none())
    }

    /// Whether an engine that gives this verdict is right: it is the verdict expected today, or the definite one that
    /// the vector states, which a better engine may already reach.
    pub fn accepts(&self, verdict: Verdict) -> bool {
        verdict == self.verdict
            || (verdict != Verdict::Unknown && self.vector.is_some_and(|vector| vector.allows(verdict)))
    }

    /// What is contradictory in the expectation itself.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let ports = self.port.or(self.source_port).is_some();
        let icmp = self.icmp_type.or(self.icmp_code).is_some();
        if ports && !self.protocol.is_some_and(Protocol::has_ports) {
            return Some("a port needs the protocol `tcp` or `udp`");
        }
        if icmp && !self.protocol.is_some_and(Protocol::is_icmp) {
            return Some("an ICMP type needs the protocol `icmp` or `icmpv6`");
        }
        if self.vector.is_some_and(|outcome| !outcome.allows(self.verdict)) {
            return Some("the verdict contradicts the vector");
        }
        let decided = self.vector.is_some_and(|vector| vector != Outcome::Maybe);
        if decided && self.verdict == Verdict::Unknown && self.why.is_none() {
            return Some("an unknown verdict beside a decided vector needs `why`");
        }
        None
    }
}

/// What the engine answers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Delivered whatever the unknowns are.
    Reaches,
    /// Not delivered whatever the unknowns are.
    Blocked,
    /// Neither.
    Unknown,
    /// The question is refused: the input does not allow to ask it. The message contains [`Expectation::gap`].
    Error,
}

/// What a vector of the rules states.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Delivered.
    Reachable,
    /// Never delivered.
    Unreachable,
    /// The rules themselves leave it open.
    Maybe,
}

impl Outcome {
    /// Whether a sound engine may give this verdict where the vector states this outcome.
    fn allows(self, verdict: Verdict) -> bool {
        match verdict {
            Verdict::Unknown => true,
            Verdict::Reaches => self == Self::Reachable,
            Verdict::Blocked => self == Self::Unreachable,
            Verdict::Error => false,
        }
    }
}

/// Options that change what is claimed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct QueryOptions {
    /// Trusting assumptions and missing inventories make the answer unknown (R-DATA-10).
    pub strict: bool,
    /// Only interfaces that are live now count (R-STATE-2).
    pub live_only: bool,
    /// Network ACLs that were not collected are the default ones (R-NACL-15).
    pub assume_default_nacl: bool,
    /// Replies to what the destination sent count as reaching it (R-VERDICT-1).
    pub including_replies: bool,
}

fn packet() -> Question {
    Question::Packet
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Name {
    Number(u8),
    Word(String),
}

fn protocol<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Protocol>, D::Error> {
    match Name::deserialize(deserializer)? {
        Name::Number(number) => Ok(Some(Protocol(number))),
        Name::Word(word) => match word.as_str() {
            "any" => Ok(None),
            "tcp" => Ok(Some(Protocol::TCP)),
            "udp" => Ok(Some(Protocol::UDP)),
            "icmp" => Ok(Some(Protocol::ICMP)),
            "icmpv6" => Ok(Some(Protocol::ICMPV6)),
            _ => Err(de::Error::custom(format!("`{word}` is no protocol"))),
        },
    }
}

fn assumptions<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Assumption>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    names
        .iter()
        .map(|name| assumption(name).ok_or_else(|| de::Error::custom(format!("`{name}` is no assumption"))))
        .collect()
}

fn assumption(name: &str) -> Option<Assumption> {
    let number: u8 = name.strip_prefix("A-")?.parse().ok()?;
    (1..=39).contains(&number).then_some(Assumption(number))
}
