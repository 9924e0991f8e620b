//! One concrete header, and the two questions asked about it.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// An IP protocol number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Protocol(pub u8);

impl Protocol {
    /// ICMP for IPv4.
    pub const ICMP: Self = Self(1);
    /// TCP.
    pub const TCP: Self = Self(6);
    /// UDP.
    pub const UDP: Self = Self(17);
    /// ICMP for IPv6.
    pub const ICMPV6: Self = Self(58);

    /// Whether headers of this protocol carry ports (TCP and UDP).
    pub fn has_ports(self) -> bool {
        matches!(self, Self::TCP | Self::UDP)
    }

    /// Whether headers of this protocol carry an ICMP type and code.
    pub fn is_icmp(self) -> bool {
        matches!(self, Self::ICMP | Self::ICMPV6)
    }
}

/// One concrete header.
///
/// INVARIANT (flow ports): `port` is the destination port of TCP and UDP and the *type* of ICMP; `source_port` is the
/// source port of TCP and UDP and the *code* of ICMP; both are 0 for any other protocol. Both addresses are of one
/// family.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Flow {
    /// Source address.
    pub source: IpAddr,
    /// Destination address.
    pub destination: IpAddr,
    /// IP protocol.
    pub protocol: Protocol,
    /// Source port, or ICMP code.
    pub source_port: u16,
    /// Destination port, or ICMP type.
    pub port: u16,
}

impl Flow {
    /// The answer to this flow: addresses and ports exchanged, an echo request turned into its reply.
    ///
    /// `None` iff the flow is an ICMP message that nothing answers (R-CONN-5).
    pub fn reply(&self) -> Option<Self> {
        let (source_port, port) = if self.protocol.is_icmp() {
            (self.source_port, reply_type(self.protocol, self.port)?)
        } else {
            (self.port, self.source_port)
        };
        Some(Self { source: self.destination, destination: self.source, source_port, port, ..*self })
    }
}

/// The ICMP type that answers `kind`: echo, timestamp, information and address mask requests have one.
pub fn reply_type(protocol: Protocol, kind: u16) -> Option<u16> {
    match (protocol, kind) {
        (Protocol::ICMP, 8) => Some(0),
        (Protocol::ICMP, 13 | 15 | 17) => Some(kind + 1),
        (Protocol::ICMPV6, 128) => Some(129),
        _ => None,
    }
}

/// What is asked of a flow (R-VERDICT-1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Question {
    /// Is an unsolicited packet delivered?
    Packet,
    /// Is it delivered, and does the reply come back?
    Connection,
}

/// Which reading of everything unknown an evaluation takes (R-VERDICT-2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum World {
    /// Every unknown permits. Unreachable may be concluded only here. `M+` in the rules.
    Over,
    /// Every unknown denies. Reachable may be concluded only here. `M-` in the rules.
    Under,
}

impl World {
    /// The other world: what a *denying* rule must be read in.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Over => Self::Under,
            Self::Under => Self::Over,
        }
    }
}
