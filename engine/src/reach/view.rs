//! How the header at a place follows from the header that was sent.
//!
//! Exploration keeps sets of *sent* headers. AWS's rewrites assign constants or move fields, so the header as seen
//! further on is a [`View`]: for each of its fields, which field of the sent header it is, or which constant. A rule is
//! compiled under a view, straight into a set of sent headers; nothing is ever rewritten set by set.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use reachproof_model::flow::{Protocol, World, reply_type};
use reachproof_model::traffic::Traffic;

use crate::header::{Family, Field, HeaderBox};

/// What an address field of the seen header is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Address {
    /// The sent destination.
    Destination,
    /// The sent source.
    Source,
    /// This address.
    Fixed(u128),
    /// The IPv4 address inside the sent NAT64 destination (R-NAT-8).
    Embedded,
}

/// What a port field of the seen header is. ICMP type and code are always those sent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Port {
    /// The sent destination port.
    Destination,
    /// The sent source port.
    Source,
    /// The port that the last NAT gateway chose.
    Mapped,
}

/// The seen header as a function of the sent one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct View {
    /// Family of the sent header.
    pub(crate) sent: Family,
    /// Family of the seen header.
    pub(crate) family: Family,
    pub(crate) destination: Address,
    pub(crate) source: Address,
    pub(crate) port: Port,
    pub(crate) source_port: Port,
    /// Whether the seen packet answers the sent one.
    pub(crate) reply: bool,
}

/// Inclusive intervals of addresses.
pub(crate) type Intervals = Vec<(u128, u128)>;

/// 64:ff9b::/96.
pub(crate) const NAT64_BASE: u128 = 0x0064_ff9b_u128 << 96;

/// Ports that NAT gateways choose from (R-NAT-2).
pub(crate) const MAPPED_PORTS: (u128, u128) = (1024, 65535);

impl View {
    /// The header as it was sent.
    pub(crate) fn sent(family: Family) -> Self {
        Self {
            sent: family,
            family,
            destination: Address::Destination,
            source: Address::Source,
            port: Port::Destination,
            source_port: Port::Source,
            reply: false,
        }
    }

    /// The header that answers the one seen.
    pub(crate) fn answered(self) -> Self {
        Self {
            destination: self.source,
            source: self.destination,
            port: self.source_port,
            source_port: self.port,
            reply: true,
            ..self
        }
    }

    /// The part of `within` whose seen address lies in an interval.
    pub(crate) fn narrow(
        &self,
        within: HeaderBox,
        address: Address,
        lo: u128,
        hi: u128,
    ) -> Option<HeaderBox> {
        let (field, lo, hi) = match address {
            Address::Fixed(value) => return (lo..=hi).contains(&value).then_some(within),
            Address::Destination => (Field::Destination, lo, hi),
            Address::Source => (Field::Source, lo, hi),
            Address::Embedded => {
                (Field::Destination, NAT64_BASE.saturating_add(lo), NAT64_BASE.saturating_add(hi))
            }
        };
        clamp(within, field, lo, hi)
    }

    /// The sent headers whose seen address is in the block, as a box; `None` if there are none.
    pub(crate) fn in_block(&self, within: HeaderBox, address: Address, block: &IpNet) -> Option<HeaderBox> {
        if block_family(block) != self.family {
            return None;
        }
        let (lo, hi) = interval_of(block);
        self.narrow(within, address, lo, hi)
    }

    /// The sent headers that a rule's traffic part matches in a world, within a box (R-SG-4 … 6, R-NACL-4).
    pub(crate) fn traffic(&self, within: HeaderBox, traffic: Traffic, world: World) -> Vec<HeaderBox> {
        match traffic {
            Traffic::All => vec![within],
            Traffic::Protocol(protocol) => self.protocol(within, protocol).into_iter().collect(),
            Traffic::Ports { protocol, from, to } => {
                let of_protocol = self.protocol(within, protocol);
                let port = field_of(self.port);
                of_protocol.and_then(|area| clamp(area, port, from.into(), to.into())).into_iter().collect()
            }
            Traffic::Icmp { protocol, kind, code } => self.icmp(within, protocol, kind, code),
            Traffic::Refused(protocol) if world == World::Over => {
                self.protocol(within, protocol).into_iter().collect()
            }
            Traffic::Unknown if world == World::Over => vec![within],
            Traffic::Refused(_) | Traffic::Unknown => Vec::new(),
        }
    }

    /// The sent headers whose seen protocol is this one; NAT64 turns ICMPv6 into ICMP.
    pub(crate) fn protocol(&self, within: HeaderBox, protocol: Protocol) -> Option<HeaderBox> {
        let translated = self.sent != self.family;
        let sent = match protocol {
            Protocol::ICMP if translated => Protocol::ICMPV6,
            Protocol::ICMPV6 if translated => return None,
            other => other,
        };
        clamp(within, Field::Protocol, sent.0.into(), sent.0.into())
    }

    fn icmp(
        &self,
        within: HeaderBox,
        protocol: Protocol,
        kind: Option<u8>,
        code: Option<u8>,
    ) -> Vec<HeaderBox> {
        let Some(area) = self.protocol(within, protocol) else { return Vec::new() };
        let coded = match code {
            Some(code) => clamp(area, Field::SourcePort, code.into(), code.into()),
            None => Some(area),
        };
        let (Some(area), Some(kind)) = (coded, kind) else { return coded.into_iter().collect() };
        let sent_types = self.sent_types(protocol, u16::from(kind));
        sent_types.into_iter().filter_map(|sent| clamp(area, Field::Port, sent.into(), sent.into())).collect()
    }

    /// The ICMP types that are seen as this one: answers have the type that answers the sent one, and NAT64 renumbers
    /// echo.
    fn sent_types(&self, protocol: Protocol, seen: u16) -> Vec<u16> {
        let translated = self.sent != self.family;
        let requests: &[u16] = if protocol == Protocol::ICMP { &[8, 13, 15, 17] } else { &[128] };
        let before_reply: Vec<u16> = if self.reply {
            requests.iter().copied().filter(|request| reply_type(protocol, *request) == Some(seen)).collect()
        } else {
            vec![seen]
        };
        if !translated {
            return before_reply;
        }
        before_reply.into_iter().filter_map(|kind| if kind == 8 { Some(128) } else { None }).collect()
    }
}

/// The field of the sent header that a port is.
pub(crate) fn field_of(port: Port) -> Field {
    match port {
        Port::Destination => Field::Port,
        Port::Source => Field::SourcePort,
        Port::Mapped => Field::MappedPort,
    }
}

/// A box with one field cut down; `None` if nothing is left.
pub(crate) fn clamp(within: HeaderBox, field: Field, lo: u128, hi: u128) -> Option<HeaderBox> {
    let (old_lo, old_hi) = within.interval(field);
    let (lo, hi) = (lo.max(old_lo), hi.min(old_hi));
    (lo <= hi).then(|| within.with(field, lo, hi))
}

/// The family of a block.
pub(crate) fn block_family(block: &IpNet) -> Family {
    Family::of(block.addr())
}

/// The first and last address of a block.
pub(crate) fn interval_of(block: &IpNet) -> (u128, u128) {
    (number(block.network()), number(block.broadcast()))
}

/// The intervals of the blocks of one family.
pub(crate) fn intervals_of(blocks: &[IpNet], family: Family) -> Intervals {
    blocks.iter().filter(|block| block_family(block) == family).map(interval_of).collect()
}

/// An address as a number.
pub(crate) fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(u32::from(ip)),
        IpAddr::V6(ip) => u128::from(ip),
    }
}

/// A public IPv4 address as a number.
pub(crate) fn number_v4(ip: Ipv4Addr) -> u128 {
    u128::from(u32::from(ip))
}
