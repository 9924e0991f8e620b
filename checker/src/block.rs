//! Blocks of addresses with a meaning of their own.

use ipnet::IpNet;

/// RFC 1918 and RFC 6598, unique local and link-local addresses: never on the internet (R-IGW-2, R-IGW-4, R-IGW-12).
pub(crate) const PRIVATE: [&str; 6] =
    ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fe80::/10"];

/// What every VPC router drops (R-CORE-6).
pub(crate) const UNROUTABLE: [&str; 8] = [
    "0.0.0.0/8",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "224.0.0.0/4",
    "255.255.255.255/32",
    "fe80::/10",
    "ff00::/8",
    "fd00:ec2::/32",
];

/// The addresses of VPC Lattice (R-VPCE-14).
pub(crate) const LATTICE: [&str; 3] = ["169.254.171.0/24", "129.224.0.0/17", "fd00:ec2:80::/64"];

/// IPv6 link-local addresses (R-ADDR-15).
pub(crate) const LINK_LOCAL: [&str; 1] = ["fe80::/10"];

/// Where NAT64 finds IPv4 addresses (R-NAT-8).
pub(crate) const NAT64: [&str; 1] = ["64:ff9b::/96"];

/// Global unicast addresses (R-ADDR-8).
pub(crate) const GLOBAL: [&str; 1] = ["2000::/3"];

/// The blocks that these texts name.
pub(crate) fn blocks(texts: &[&str]) -> Vec<IpNet> {
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}
