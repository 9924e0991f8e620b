//! The small pool of blocks and traffic that routes and rules are about.

use serde_json::Value;

use super::draft::Draft;

/// A host on the internet that rules know.
const INTERNET: &str = "203.0.113.0/24";
/// A network on premises.
pub(super) const ON_PREMISES: &str = "192.168.0.0/16";
/// The prefix list of S3, and what is in it.
pub(super) const S3: (&str, &str) = ("pl-s3", "52.216.0.0/15");

/// Traffic of rules.
const TRAFFIC: [&str; 14] = [
    "all",
    "tcp 443",
    "tcp 22",
    "udp 53",
    "tcp 1024-65535",
    "tcp 0-443",
    "udp 1024-65535",
    "icmp 8",
    "icmp",
    "47",
    "tcp",
    "icmpv6 128",
    "tcp 32768-60999",
    "icmp 0/0",
];

/// The element that a pick stands for; `None` iff there is none.
pub(super) fn choose<T>(from: &[T], pick: u8) -> Option<&T> {
    from.get(usize::from(pick).checked_rem(from.len())?)
}

/// Traffic for a rule.
pub(super) fn traffic(pick: u8) -> &'static str {
    choose(&TRAFFIC, pick).copied().unwrap_or("all")
}

/// A block of either family.
pub(super) fn block(draft: &Draft, pick: u8) -> String {
    choose(&blocks(draft), pick).cloned().unwrap_or_default()
}

/// Every block that rules and routes are about: everything, VPCs, subnets, first addresses, the world outside.
fn blocks(draft: &Draft) -> Vec<String> {
    let mut blocks = vec!["0.0.0.0/0".to_owned(), "10.0.0.0/8".to_owned()];
    let vpcs = draft.ids("vpcs");
    let of_vpc = |attribute| {
        let lists = vpcs.iter().filter_map(move |vpc| draft.get("vpcs", vpc, attribute)?.as_array());
        lists.flatten().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
    };
    blocks.extend(of_vpc("cidrs"));
    let subnets = draft.ids("subnets");
    blocks.extend(subnets.iter().filter_map(|subnet| draft.text_of("subnets", subnet, "cidr")));
    blocks.extend([INTERNET.to_owned(), ON_PREMISES.to_owned()]);
    blocks.extend(hosts(draft));
    blocks.push("::/0".to_owned());
    blocks.extend(of_vpc("ipv6"));
    blocks.extend(subnets.iter().filter_map(|subnet| draft.text_of("subnets", subnet, "ipv6")));
    blocks
}

/// The first addresses of interfaces, all of NAT gateways, and the public ones of both, as blocks.
fn hosts(draft: &Draft) -> Vec<String> {
    let of_section = |section, most| {
        draft.ids(section).into_iter().flat_map(move |id| {
            let private =
                draft.get(section, &id, "addresses").and_then(Value::as_array).into_iter().flatten();
            let public = draft.get(section, &id, "public").and_then(Value::as_object);
            let public = public.into_iter().flat_map(|items| items.values());
            private.take(most).chain(public).filter_map(|ip| ip.as_str().map(host)).collect::<Vec<_>>()
        })
    };
    of_section("interfaces", 1).chain(of_section("nat-gateways", usize::MAX)).collect()
}

fn host(address: &str) -> String {
    format!("{address}/32")
}

/// Who may be at the other end of a security group's rule: a block, a prefix list, or, once in three times, a group of
/// any VPC.
pub(super) fn peer(draft: &Draft, pick: u8) -> String {
    if pick % 3 == 1 {
        return choose(&draft.ids("security-groups"), pick / 3).cloned().unwrap_or_default();
    }
    let mut peers = vec!["any".to_owned()];
    peers.extend(blocks(draft));
    peers.extend(draft.ids("prefix-lists"));
    choose(&peers, pick / 3).cloned().unwrap_or_default()
}
