//! Which headers a property is about: protocols, ports, ICMP types.

use std::fmt;

use super::document::{Fault, Node, Value};
use crate::flow::Protocol;

/// A set of headers by protocol. No specification at all means every header.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TrafficSpec {
    /// Every header of one protocol.
    Protocol(Protocol),
    /// TCP or UDP to the destination ports `from..=to`, never empty.
    Ports {
        /// TCP or UDP.
        protocol: Protocol,
        /// Lowest port.
        from: u16,
        /// Highest port.
        to: u16,
    },
    /// One ICMP type, with one code or any.
    Icmp {
        /// ICMP or ICMPv6.
        protocol: Protocol,
        /// The type.
        kind: u8,
        /// The code; any where `None`.
        code: Option<u8>,
    },
}

/// The protocols that have a name here.
const NAMED: [(&str, Protocol); 8] = [
    ("tcp", Protocol::TCP),
    ("udp", Protocol::UDP),
    ("icmp", Protocol::ICMP),
    ("icmpv6", Protocol::ICMPV6),
    ("gre", Protocol(47)),
    ("esp", Protocol(50)),
    ("ah", Protocol(51)),
    ("sctp", Protocol(132)),
];

/// A protocol by name or number; `None` if the text is neither.
pub fn protocol(text: &str) -> Option<Protocol> {
    let named = NAMED.iter().find(|(name, _)| *name == text).map(|(_, protocol)| *protocol);
    named.or_else(|| text.parse().ok().map(Protocol))
}

/// The name of a protocol, or its number in digits.
pub fn protocol_name(protocol: Protocol) -> Box<str> {
    match NAMED.iter().find(|(_, named)| *named == protocol) {
        Some((name, _)) => (*name).into(),
        None => protocol.0.to_string().into(),
    }
}

impl TrafficSpec {
    /// Its protocol.
    pub fn protocol(self) -> Protocol {
        match self {
            Self::Protocol(protocol) | Self::Ports { protocol, .. } | Self::Icmp { protocol, .. } => protocol,
        }
    }

    /// Reads `tcp`, `tcp/443`, `tcp/8000-8999`, `icmp/8`, `icmp/3/4`, `protocol/47`. The error says what was expected.
    ///
    /// A number alone is refused: it might be a port or a protocol.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, rest) = match text.split_once('/') {
            Some((name, rest)) => (name, Some(rest)),
            None => (text, None),
        };
        if name == "protocol" {
            let number = rest.and_then(|rest| rest.parse().ok()).map(Protocol);
            return number
                .map(Self::Protocol)
                .ok_or_else(|| format!("expected `protocol/<0 to 255>`, found `{text}`"));
        }
        if let (true, Some(number)) = (rest.is_none(), number_or_range(name)) {
            return Err(format!(
                "expected a protocol before the port, found `{text}`; write `tcp/{number}` or `udp/{number}`, or \
                 `protocol/{number}` for an IP protocol number"
            ));
        }
        let Some((_, protocol)) = NAMED.iter().find(|(known, _)| *known == name) else {
            return Err(format!(
                "expected a protocol and ports such as `tcp/443`, `udp/8000-8999`, `icmp/8` or `protocol/47`, found \
                 `{text}`"
            ));
        };
        match rest {
            None => Ok(Self::Protocol(*protocol)),
            Some(rest) => Self::within(*protocol, rest),
        }
    }

    /// The ports, or ICMP type and code, `text` of one protocol.
    pub fn within(protocol: Protocol, text: &str) -> Result<Self, String> {
        if protocol.has_ports() {
            let (from, to) = ports(text)?;
            Ok(Self::Ports { protocol, from, to })
        } else if protocol.is_icmp() {
            icmp(protocol, text)
        } else {
            Err(format!("expected no ports, found `{text}`: protocol {} has none", protocol_name(protocol)))
        }
    }
}

impl fmt::Display for TrafficSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Protocol(protocol) if NAMED.iter().any(|(_, named)| *named == protocol) => {
                f.write_str(&protocol_name(protocol))
            }
            Self::Protocol(protocol) => write!(f, "protocol/{}", protocol.0),
            Self::Ports { protocol, from, to } if from == to => {
                write!(f, "{}/{from}", protocol_name(protocol))
            }
            Self::Ports { protocol, from, to } => write!(f, "{}/{from}-{to}", protocol_name(protocol)),
            Self::Icmp { protocol, kind, code: None } => write!(f, "{}/{kind}", protocol_name(protocol)),
            Self::Icmp { protocol, kind, code: Some(code) } => {
                write!(f, "{}/{kind}/{code}", protocol_name(protocol))
            }
        }
    }
}

fn number_or_range(text: &str) -> Option<&str> {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split('-').all(digits).then_some(text)
}

/// A port or a range of ports, `443` or `8000-8999`.
pub(super) fn ports(text: &str) -> Result<(u16, u16), String> {
    let expected = || format!("expected a port from 0 to 65535 or a range such as 8000-8999, found `{text}`");
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let port =
        |part: &str| number_or_range(part).and_then(|part| part.parse::<u16>().ok()).ok_or_else(expected);
    let (from, to) = (port(from)?, port(to)?);
    if from > to {
        return Err(format!("expected a range of ports from low to high, found `{text}`"));
    }
    Ok((from, to))
}

fn icmp(protocol: Protocol, text: &str) -> Result<TrafficSpec, String> {
    let expected = || format!("expected an ICMP type, or type/code, each 0 to 255, found `{text}`");
    let number = |part: &str| part.parse::<u8>().map_err(|_| expected());
    let (kind, code) = match text.split_once('/') {
        Some((kind, code)) => (number(kind)?, Some(number(code)?)),
        None => (number(text)?, None),
    };
    Ok(TrafficSpec::Icmp { protocol, kind, code })
}

/// The union that the fields `protocol` and `port` describe, sorted; empty if neither is given.
pub(super) fn read(protocols: Option<&Node>, ports: Option<&Node>) -> Result<Vec<TrafficSpec>, Fault> {
    let protocols = protocols.map(read_protocols).transpose()?;
    let mut specs = match (protocols, ports) {
        (None, None) => Vec::new(),
        (Some(protocols), None) => protocols.into_iter().map(TrafficSpec::Protocol).collect(),
        (None, Some(ports)) => each_item(ports, "ports", TrafficSpec::parse)?,
        (Some(protocols), Some(ports)) => {
            let mut specs = Vec::new();
            for protocol in protocols {
                specs.extend(each_item(ports, "ports", |item| TrafficSpec::within(protocol, item))?);
            }
            specs
        }
    };
    specs.sort();
    specs.dedup();
    Ok(specs)
}

fn read_protocols(node: &Node) -> Result<Vec<Protocol>, Fault> {
    each_item(node, "protocols", |item| {
        protocol(item).ok_or_else(|| {
            let names = NAMED.map(|(name, _)| name);
            format!("expected a protocol ({} or a number from 0 to 255), found `{item}`", names.join(", "))
        })
    })
}

/// Reads every item of a list, or of a text with commas; numbers count as the text of their digits.
fn each_item<T>(node: &Node, what: &str, read: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, Fault> {
    let mut all = Vec::new();
    for item in node.items() {
        let text = match &item.value {
            Value::Text(text) | Value::Number(text) => text,
            _ => return Err(item.unexpected(what)),
        };
        for part in text.split(',') {
            all.push(read(part.trim()).map_err(|message| item.fault(message))?);
        }
    }
    if all.is_empty() {
        return Err(node.fault(format!("expected {what}, found an empty list")));
    }
    Ok(all)
}
