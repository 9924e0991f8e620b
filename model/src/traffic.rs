//! What a filter rule matches besides addresses: protocol, ports, ICMP type and code.

use serde::{Deserialize, Serialize};

use crate::flow::{Protocol, World};

/// The protocol part of one security group or network ACL rule.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Traffic {
    /// Every protocol.
    All,
    /// One protocol, whatever its ports.
    Protocol(Protocol),
    /// TCP or UDP to the destination ports `from..=to`; matches nothing if `from > to`.
    Ports {
        /// TCP or UDP.
        protocol: Protocol,
        /// Lowest port.
        from: u16,
        /// Highest port.
        to: u16,
    },
    /// ICMP of one family, of this type and code, or of any where `None`.
    Icmp {
        /// ICMP or ICMPv6.
        protocol: Protocol,
        /// The type, 0 to 255.
        kind: Option<u8>,
        /// The code, 0 to 255.
        code: Option<u8>,
    },
    /// A rule that the API would have refused: an ICMP code without a type (R-SG-6). The permissive world reads it as
    /// every type of the protocol, the restrictive world as nothing.
    Refused(Protocol),
    /// Something that cannot be read: anything in the permissive world, nothing in the restrictive one.
    Unknown,
}

/// R-SG-17: the ICMP errors that are admitted as part of the flow that they are about, whatever its protocol.
pub const ICMP_ERRORS: [Traffic; 5] = [
    error(Protocol::ICMP, 3),
    error(Protocol::ICMP, 11),
    error(Protocol::ICMPV6, 1),
    error(Protocol::ICMPV6, 2),
    error(Protocol::ICMPV6, 3),
];

const fn error(protocol: Protocol, kind: u8) -> Traffic {
    Traffic::Icmp { protocol, kind: Some(kind), code: None }
}

impl Traffic {
    /// The same protocol, whatever its ports, type and code.
    #[must_use]
    pub fn of_any_port(self) -> Self {
        match self {
            Self::Ports { protocol, .. } | Self::Icmp { protocol, .. } => Self::Protocol(protocol),
            Self::All | Self::Protocol(_) | Self::Refused(_) | Self::Unknown => self,
        }
    }

    /// Whether a header of `protocol` with destination port (or ICMP type) `port` and source port (or ICMP code)
    /// `source_port` is admitted by a *permitting* rule. Source ports of TCP and UDP are never looked at (R-SG-5, R-NACL-4).
    pub fn matches(self, world: World, protocol: Protocol, source_port: u16, port: u16) -> bool {
        match self {
            Self::All => true,
            Self::Protocol(wanted) => wanted == protocol,
            Self::Ports { protocol: wanted, from, to } => wanted == protocol && (from..=to).contains(&port),
            Self::Icmp { protocol: wanted, kind, code } => {
                wanted == protocol
                    && kind.is_none_or(|kind| u16::from(kind) == port)
                    && code.is_none_or(|code| u16::from(code) == source_port)
            }
            Self::Refused(wanted) => wanted == protocol && world == World::Over,
            Self::Unknown => world == World::Over,
        }
    }
}
