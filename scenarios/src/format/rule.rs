//! Compact filter rules: `tcp 443 from 10.0.0.0/16` in security groups, `100 allow tcp 80 0.0.0.0/0` in network ACLs.

use std::str::{FromStr, SplitWhitespace};

use ipnet::IpNet;
use serde::Deserialize;

/// The protocol and the port (or ICMP type and code) bounds of a rule, as AWS stores them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RuleTraffic {
    /// `-1`, `tcp`, `udp`, `icmp`, `icmpv6`, or a number.
    pub(crate) protocol: String,
    /// Lowest and highest port, or ICMP type and code.
    pub(crate) bounds: Option<(i32, i32)>,
}

/// One permission of a security group: traffic, and who is at the other end.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct GroupPermission {
    /// Protocol and ports.
    pub(crate) traffic: RuleTraffic,
    /// Blocks, and ids of prefix lists and groups. `any` is every address of both families, `nobody` is no entry.
    pub(crate) peers: Vec<String>,
}

/// One entry of a network ACL, of a direction that its list says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct AclRule {
    /// Order of evaluation.
    pub(crate) number: u32,
    /// `allow` or `deny`.
    pub(crate) action: String,
    /// Protocol and ports.
    pub(crate) traffic: RuleTraffic,
    /// The block at the other end.
    pub(crate) cidr: IpNet,
}

impl TryFrom<String> for GroupPermission {
    type Error = String;

    /// Reads `<protocol> [<ports>] from|to <peer>[, <peer>…]`.
    fn try_from(text: String) -> Result<Self, String> {
        let (traffic, peers) = text
            .split_once(" from ")
            .or_else(|| text.split_once(" to "))
            .ok_or_else(|| format!("`{text}` says neither `from` nor `to`"))?;
        let peers =
            peers.split(',').map(|peer| peer.trim().to_owned()).filter(|peer| peer != "nobody").collect();
        Ok(Self { traffic: traffic.parse()?, peers })
    }
}

impl TryFrom<String> for AclRule {
    type Error = String;

    /// Reads `<number> allow|deny <protocol> [<ports>] <block>`.
    fn try_from(text: String) -> Result<Self, String> {
        let (rest, cidr) = text.rsplit_once(' ').ok_or_else(|| format!("`{text}` has no block"))?;
        let mut words = rest.split_whitespace();
        let number = next(&mut words, "number")?.parse().map_err(|_| format!("`{text}` has no number"))?;
        let action = next(&mut words, "action")?.to_owned();
        if action != "allow" && action != "deny" {
            return Err(format!("`{action}` is neither `allow` nor `deny`"));
        }
        let traffic = words.collect::<Vec<_>>().join(" ").parse()?;
        let cidr = cidr.parse().map_err(|_| format!("`{cidr}` is not a block"))?;
        Ok(Self { number, action, traffic, cidr })
    }
}

impl FromStr for RuleTraffic {
    type Err = String;

    /// Reads `all`, `tcp`, `udp 53`, `tcp 1024-65535`, `icmp 8`, `icmp 8/0`, `50`, `50 80`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let protocol = protocol_name(next(&mut words, "protocol")?)?;
        let bounds = words.next().map(|word| bounds(&protocol, word)).transpose()?;
        match words.next() {
            Some(extra) => Err(format!("unexpected `{extra}` in `{text}`")),
            None => Ok(Self { bounds: bounds.or_else(|| open_bounds(&protocol)), protocol }),
        }
    }
}

fn next<'a>(words: &mut SplitWhitespace<'a>, what: &str) -> Result<&'a str, String> {
    words.next().ok_or_else(|| format!("a rule needs its {what}"))
}

fn protocol_name(word: &str) -> Result<String, String> {
    match word {
        "all" => Ok("-1".to_owned()),
        "tcp" | "udp" | "icmp" | "icmpv6" => Ok(word.to_owned()),
        number => match number.parse::<u8>() {
            Ok(_) => Ok(number.to_owned()),
            Err(_) => Err(format!("`{number}` is no protocol")),
        },
    }
}

fn bounds(protocol: &str, word: &str) -> Result<(i32, i32), String> {
    let icmp = protocol.starts_with("icmp");
    let (low, high) = match word.split_once(if icmp { '/' } else { '-' }) {
        Some((low, high)) => (low, high),
        None => (word, if icmp { "-1" } else { word }),
    };
    let number =
        |text: &str| text.parse::<i32>().map_err(|_| format!("`{word}` is no range of `{protocol}`"));
    Ok((number(low)?, number(high)?))
}

/// What AWS stores when a rule names a protocol with ports or types and no bounds.
fn open_bounds(protocol: &str) -> Option<(i32, i32)> {
    match protocol {
        "tcp" | "udp" => Some((0, 65_535)),
        "icmp" | "icmpv6" => Some((-1, -1)),
        _ => None,
    }
}
