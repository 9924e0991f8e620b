//! Boxes of headers, as certificates list them.

use serde::{Deserialize, Serialize};

/// The address family of a header.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Family {
    /// Addresses from 0 to 2^32 - 1.
    V4,
    /// Addresses from 0 to 2^128 - 1.
    V6,
}

impl Family {
    /// The greatest address of the family.
    pub fn greatest(self) -> u128 {
        match self {
            Self::V4 => u128::from(u32::MAX),
            Self::V6 => u128::MAX,
        }
    }
}

/// The headers that have each field within one inclusive interval. Whose family they are, the owner of the box says.
///
/// For ICMP `port` is the type and `source_port` the code, as in [`crate::flow::Flow`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Area {
    /// First and last destination address.
    pub destination: (u128, u128),
    /// First and last source address.
    pub source: (u128, u128),
    /// First and last protocol.
    pub protocol: (u8, u8),
    /// First and last destination port.
    pub port: (u16, u16),
    /// First and last source port.
    pub source_port: (u16, u16),
}

impl Area {
    /// Every header of a family.
    pub fn full(family: Family) -> Self {
        let addresses = (0, family.greatest());
        let ports = (0, u16::MAX);
        Self {
            destination: addresses,
            source: addresses,
            protocol: (0, u8::MAX),
            port: ports,
            source_port: ports,
        }
    }
}
