//! The address plan: every VPC has a block of its own, and every tier and zone a part of it at a fixed place.
//!
//! INVARIANT (blocks disjoint): production has 10.0.0.0/9, development 10.128.0.0/9, the network account 172.16.0.0/12;
//! within each the VPCs have consecutive blocks of 14 bits. Only the blocks of pods are the same in every VPC.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// What a subnet is for. Each VPC has those that its archetype needs, one in each of three zones.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Tier {
    /// Load balancers, gateways and hosts with public addresses.
    Public,
    /// Interface endpoints.
    Endpoint,
    /// Attachments of the transit gateway.
    Attach,
    /// Appliances that inspect.
    Inspect,
    /// Databases.
    Data,
    /// Applications.
    App,
    /// Training and notebooks.
    Train,
    /// Pods of a cluster, in a block that is not routed outside.
    Pods,
}

impl Tier {
    /// Its name in tags.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Endpoint => "endpoint",
            Self::Attach => "attach",
            Self::Inspect => "inspect",
            Self::Data => "data",
            Self::App => "app",
            Self::Train => "train",
            Self::Pods => "pods",
        }
    }

    /// Where the part of its first zone starts, how long its prefix is, and how many addresses lie between zones.
    fn layout(self) -> (u32, u8, u32) {
        match self {
            Self::Public => (0, 24, 256),
            Self::Endpoint => (3 * 256, 24, 256),
            Self::Attach => (6 * 256, 28, 16),
            Self::Inspect => (7 * 256, 28, 16),
            Self::Data => (8 * 256, 23, 512),
            Self::App => (16 * 256, 21, 2048),
            Self::Train => (40 * 256, 21, 2048),
            Self::Pods => (0, 18, 16_384),
        }
    }

    /// A number of its own.
    pub(super) fn number(self) -> u32 {
        self as u32
    }
}

/// The prefix length of the block of a VPC.
const VPC_PREFIX: u8 = 18;
/// The block of pods, the same in every VPC of a cluster.
pub(super) const PODS: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(100, 64, 0, 0), 16);
/// The most VPCs that a pool has room for.
pub(super) const POOL_SIZE: u32 = 512;
/// Everything that the organisation uses inside.
pub(super) const PRIVATE: [&str; 2] = ["10.0.0.0/8", "172.16.0.0/12"];

/// Where a pool of blocks starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Pool(Ipv4Addr);

impl Pool {
    /// Of production.
    pub(super) const PRODUCTION: Self = Self(Ipv4Addr::new(10, 0, 0, 0));
    /// Of development.
    pub(super) const DEVELOPMENT: Self = Self(Ipv4Addr::new(10, 128, 0, 0));
    /// Of the network account.
    pub(super) const NETWORK: Self = Self(Ipv4Addr::new(172, 16, 0, 0));

    /// The block of the VPC of that number in the pool.
    pub(super) fn block(self, number: u32) -> Ipv4Net {
        let start = u32::from(self.0) + (number << (32 - VPC_PREFIX));
        net(Ipv4Addr::from(start), VPC_PREFIX)
    }
}

/// The part of a VPC's block that a tier has in a zone.
pub(super) fn subnet(vpc: Ipv4Net, tier: Tier, zone: u32) -> Ipv4Net {
    let base = if tier == Tier::Pods { PODS } else { vpc };
    let (start, prefix, step) = tier.layout();
    net(Ipv4Addr::from(u32::from(base.network()) + start + zone * step), prefix)
}

/// The IPv6 block of a VPC, known by its IPv4 block.
pub(super) fn ipv6(vpc: Ipv4Net) -> Ipv6Net {
    let number = u128::from(u32::from(vpc.network()) >> (32 - VPC_PREFIX));
    let start = u128::from(Ipv6Addr::new(0x2600, 0x1f18, 0, 0, 0, 0, 0, 0)) | number << 72;
    net6(Ipv6Addr::from(start), 56)
}

/// The part of a VPC's IPv6 block that a tier has in a zone.
pub(super) fn subnet6(vpc: Ipv4Net, tier: Tier, zone: u32) -> Ipv6Net {
    let start = u128::from(ipv6(vpc).network()) | u128::from(tier.number() * 4 + zone) << 64;
    net6(Ipv6Addr::from(start), 64)
}

fn net(start: Ipv4Addr, prefix: u8) -> Ipv4Net {
    Ipv4Net::new(start, prefix).unwrap_or_default()
}

fn net6(start: Ipv6Addr, prefix: u8) -> Ipv6Net {
    Ipv6Net::new(start, prefix).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIERS: [Tier; 7] =
        [Tier::Public, Tier::Endpoint, Tier::Attach, Tier::Inspect, Tier::Data, Tier::App, Tier::Train];

    #[test]
    fn subnets_lie_in_their_vpc_and_apart() {
        let vpc = Pool::DEVELOPMENT.block(511);
        let all: Vec<Ipv4Net> =
            TIERS.iter().flat_map(|tier| (0..3).map(|zone| subnet(vpc, *tier, zone))).collect();
        for (index, one) in all.iter().enumerate() {
            assert!(vpc.contains(one), "{one}");
            let apart = |other: &Ipv4Net| !one.contains(other) && !other.contains(one);
            assert!(all.iter().skip(index + 1).all(apart), "{one}");
        }
    }

    #[test]
    fn pools_are_apart() {
        let last = |pool: Pool| pool.block(POOL_SIZE - 1).broadcast();
        assert_eq!(last(Pool::PRODUCTION), Ipv4Addr::new(10, 127, 255, 255));
        assert_eq!(last(Pool::DEVELOPMENT), Ipv4Addr::new(10, 255, 255, 255));
        assert_ne!(ipv6(Pool::PRODUCTION.block(1)), ipv6(Pool::NETWORK.block(1)));
    }

    #[test]
    fn ipv6_subnets_lie_in_their_vpc() {
        let vpc = Pool::PRODUCTION.block(3);
        assert_eq!(ipv6(vpc).to_string(), "2600:1f18:28:300::/56");
        assert!(ipv6(vpc).contains(&subnet6(vpc, Tier::Pods, 2)));
    }
}
