//! Address blocks with a meaning of their own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reachproof_model::flow::{Protocol, World};

/// Sets of addresses that AWS or the IETF set apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SpecialBlock {
    /// 10/8, 172.16/12, 192.168/16 and 100.64/10: never beyond an internet gateway (R-IGW-2, R-IGW-4).
    PrivateV4,
    /// Not a possible sender on the internet in the restrictive world.
    BogonV4,
    /// IPv6 outside the internet: ULA and link-local (R-IGW-12).
    PrivateV6,
    /// Everything outside 2000::/3.
    NotGlobalV6,
    /// Dropped by every VPC router in both worlds (R-CORE-6).
    UnroutableV4,
    /// The IPv6 counterpart.
    UnroutableV6,
    /// 240/4: dropped only in the restrictive world (R-CORE-6).
    ReservedV4,
    /// Blocks for documentation, which no AWS service uses: they stand for "some internet host" (R-PL-3).
    DocumentationV4,
    /// The IPv6 block for documentation.
    DocumentationV6,
    /// VPC Lattice's IPv4 blocks, a link-local one and a public one that nobody routes (R-VPCE-14).
    LatticeV4,
    /// VPC Lattice's IPv6 block.
    LatticeV6,
    /// 64:ff9b::/96 (R-NAT-8).
    Nat64,
    /// fe80::/10, which never leaves a subnet (R-ADDR-15).
    LinkLocalV6,
}

impl SpecialBlock {
    /// The blocks.
    pub fn blocks(self) -> Vec<IpNet> {
        match self {
            Self::PrivateV4 => v4(&[
                ([10, 0, 0, 0], 8),
                ([172, 16, 0, 0], 12),
                ([192, 168, 0, 0], 16),
                ([100, 64, 0, 0], 10),
            ]),
            Self::BogonV4 => {
                v4(&[([0, 0, 0, 0], 8), ([127, 0, 0, 0], 8), ([169, 254, 0, 0], 16), ([224, 0, 0, 0], 3)])
            }
            Self::PrivateV6 => vec![v6([0xfc00, 0, 0], 7), v6([0xfe80, 0, 0], 10)],
            Self::NotGlobalV6 => vec![v6([0, 0, 0], 3), v6([0x4000, 0, 0], 2), v6([0x8000, 0, 0], 1)],
            Self::UnroutableV4 => v4(&[
                ([0, 0, 0, 0], 8),
                ([127, 0, 0, 0], 8),
                ([169, 254, 0, 0], 16),
                ([224, 0, 0, 0], 4),
                ([255, 255, 255, 255], 32),
            ]),
            Self::UnroutableV6 => {
                vec![v6([0xfe80, 0, 0], 10), v6([0xff00, 0, 0], 8), v6([0xfd00, 0x0ec2, 0], 32)]
            }
            Self::ReservedV4 => v4(&[([240, 0, 0, 0], 4)]),
            Self::DocumentationV4 => {
                v4(&[([192, 0, 2, 0], 24), ([198, 51, 100, 0], 24), ([203, 0, 113, 0], 24)])
            }
            Self::DocumentationV6 => vec![v6([0x2001, 0x0db8, 0], 32)],
            Self::LatticeV4 => v4(&[([169, 254, 171, 0], 24), ([129, 224, 0, 0], 17)]),
            Self::LatticeV6 => vec![v6([0xfd00, 0x0ec2, 0x80], 64)],
            Self::Nat64 => vec![v6([0x64, 0xff9b, 0], 96)],
            Self::LinkLocalV6 => vec![v6([0xfe80, 0, 0], 10)],
        }
    }

    /// Whether the address is in one of the blocks.
    pub fn contains(self, ip: IpAddr) -> bool {
        self.blocks().iter().any(|block| block.contains(&ip))
    }
}

fn v4(blocks: &[([u8; 4], u8)]) -> Vec<IpNet> {
    let net = |(octets, length): &([u8; 4], u8)| Ipv4Net::new(Ipv4Addr::from(*octets), *length).ok();
    blocks.iter().filter_map(net).map(IpNet::V4).collect()
}

fn v6(head: [u16; 3], length: u8) -> IpNet {
    let [a, b, c] = head;
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), length))
}

/// R-CORE-6: the blocks that a router drops in this world.
pub fn unroutable(world: World) -> Vec<IpNet> {
    let mut blocks = SpecialBlock::UnroutableV4.blocks();
    blocks.extend(SpecialBlock::UnroutableV6.blocks());
    if world == World::Under {
        blocks.extend(SpecialBlock::ReservedV4.blocks());
    }
    blocks
}

/// R-CORE-5: the link-local services of every VPC: address, protocol and port.
pub fn infrastructure_ports() -> Vec<(IpAddr, Protocol, u16)> {
    let metadata = [Ipv4Addr::new(169, 254, 169, 254), Ipv4Addr::new(169, 254, 170, 2)];
    let activation = [Ipv4Addr::new(169, 254, 169, 250), Ipv4Addr::new(169, 254, 169, 251)];
    let in_v6 = |last: u16| IpAddr::V6(Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, last));
    let mut services = Vec::new();
    services.extend(metadata.map(|ip| (IpAddr::V4(ip), Protocol::TCP, 80)));
    services.extend(activation.map(|ip| (IpAddr::V4(ip), Protocol::TCP, 1688)));
    services.push((in_v6(0x254), Protocol::TCP, 80));
    for protocol in [Protocol::TCP, Protocol::UDP] {
        services.push((IpAddr::V4(Ipv4Addr::new(169, 254, 169, 253)), protocol, 53));
        services.push((in_v6(0x253), protocol, 53));
    }
    services.push((IpAddr::V4(Ipv4Addr::new(169, 254, 169, 123)), Protocol::UDP, 123));
    services.push((in_v6(0x123), Protocol::UDP, 123));
    services
}

/// R-CORE-5: whether the address, protocol and port are one of the link-local services.
pub fn is_infrastructure(ip: IpAddr, protocol: Protocol, port: u16) -> bool {
    infrastructure_ports().contains(&(ip, protocol, port))
}
