//! Header sets as boxes that people and programs can read.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};
use reachproof_engine::header::{Arena, Family, Field, HeaderBox, Set};
use reachproof_model::assumption::Assumptions;
use reachproof_model::flow::Protocol;

/// Inclusive intervals, ascending.
pub type Intervals = Vec<(u128, u128)>;

/// Of how many headers the reply comes back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Answered {
    /// Of each.
    All,
    /// Of none for certain, of each perhaps.
    Some,
    /// Of none.
    None,
}

/// Headers: every combination of the members.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Flows {
    /// The family of the header as sent.
    pub family: Family,
    /// The first and the last protocol, the same for those with ports or types; `None`: any protocol, with any ports.
    pub protocols: Option<(Protocol, Protocol)>,
    /// Destination ports, or ICMP types.
    pub ports: Intervals,
    /// Source ports, or ICMP codes.
    pub source_ports: Intervals,
    /// Destinations as delivered.
    pub destination: Intervals,
    /// The family of the header as delivered (R-NAT-8: an IPv6 destination may become an IPv4 one).
    pub delivered: Family,
    /// Whether the destination was rewritten on the way.
    pub rewritten: bool,
    /// Sources as sent.
    pub source: Intervals,
    /// Of how many the reply comes back.
    pub answered: Answered,
    /// Whether they arrive whatever the unknowns are.
    pub certain: bool,
    /// What that rests on, by an example; empty until one has been replayed.
    pub assumptions: Assumptions,
}

impl Flows {
    /// Whether the headers have ports; any protocol counts as one that has.
    pub fn has_ports(&self) -> bool {
        self.protocols.is_none_or(|(first, _)| first.has_ports())
    }

    /// Whether the headers have an ICMP type and code.
    pub fn is_icmp(&self) -> bool {
        self.protocols.is_some_and(|(first, _)| first.is_icmp())
    }

    /// The sent headers that are meant; after a rewrite whatever their destination was.
    pub fn area(&self, arena: &mut Arena) -> Set {
        let protocols = self.protocols.map(|(first, last)| vec![(first.0.into(), last.0.into())]);
        let fields = [
            (Field::Protocol, protocols.as_ref()),
            (Field::Source, Some(&self.source)),
            (Field::Destination, Some(&self.destination).filter(|_| !self.rewritten)),
            (Field::Port, Some(&self.ports)),
            (Field::SourcePort, Some(&self.source_ports)),
        ];
        let mut area = Set::FULL;
        for (field, intervals) in fields.iter().filter_map(|(field, some)| Some((*field, some.as_ref()?))) {
            let all = HeaderBox::full(self.family);
            let boxes: Vec<_> = intervals.iter().map(|(lo, hi)| all.with(field, *lo, *hi)).collect();
            let within = arena.any_of(&boxes);
            area = arena.intersection(area, within);
        }
        area
    }
}

/// A set as boxes; `delivered` is the destination that took the place of the one sent.
pub fn flows(
    arena: &mut Arena,
    family: Family,
    set: Set,
    delivered: Option<u128>,
    (certain, answered): (bool, Answered),
) -> Vec<Flows> {
    let in_v4 = delivered.is_some_and(|value| value <= Family::V4.greatest_address());
    let set = if delivered.is_some() { arena.exists(set, Field::Destination) } else { set };
    let mut found = Vec::new();
    for one in arena.boxes(set) {
        let destination = delivered.map_or_else(|| one.interval(Field::Destination), |value| (value, value));
        let of = |(protocols, ports, source_ports)| Flows {
            family,
            protocols,
            ports: vec![ports],
            source_ports: vec![source_ports],
            destination: vec![destination],
            delivered: if in_v4 { Family::V4 } else { family },
            rewritten: delivered.is_some(),
            source: vec![one.interval(Field::Source)],
            answered,
            certain,
            assumptions: Assumptions::NONE,
        };
        found.extend(protocols(&one).into_iter().map(of));
    }
    merged(found)
}

type Interval = (u128, u128);

/// Protocols, ports and source ports.
type Shape = (Option<(Protocol, Protocol)>, Interval, Interval);

/// The protocols of a box with the ports that their headers can have: none but 0 for most, a byte for ICMP.
fn protocols(one: &HeaderBox) -> Vec<Shape> {
    const PORTS: Interval = (0, 65535);
    let (ports, source_ports) = (one.interval(Field::Port), one.interval(Field::SourcePort));
    let (lowest, highest) = one.interval(Field::Protocol);
    if (lowest, highest) == (0, 255) && ports == PORTS && source_ports == PORTS {
        return vec![(None, PORTS, PORTS)];
    }
    let numbers = (0..=u8::MAX).filter(|number| (lowest..=highest).contains(&u128::from(*number)));
    let mut shapes: Vec<Shape> = Vec::new();
    for protocol in numbers.map(Protocol) {
        let most = match protocol {
            protocol if protocol.has_ports() => u128::from(u16::MAX),
            protocol if protocol.is_icmp() => u128::from(u8::MAX),
            _ => 0,
        };
        if ports.0 > most || source_ports.0 > most {
            continue;
        }
        match shapes.last_mut() {
            Some((Some((_, last)), ..))
                if most == 0 && is_portless(*last) && last.0.checked_add(1) == Some(protocol.0) =>
            {
                *last = protocol;
            }
            _ => {
                let within = |(lo, hi): Interval| (lo, hi.min(most));
                shapes.push((Some((protocol, protocol)), within(ports), within(source_ports)));
            }
        }
    }
    shapes
}

fn is_portless(protocol: Protocol) -> bool {
    !protocol.has_ports() && !protocol.is_icmp()
}

/// Boxes that differ in one field only become one, field after field.
fn merged(flows: Vec<Flows>) -> Vec<Flows> {
    let fields: [fn(&mut Flows) -> &mut Intervals; 4] = [
        |flows| &mut flows.source_ports,
        |flows| &mut flows.ports,
        |flows| &mut flows.source,
        |flows| &mut flows.destination,
    ];
    let mut flows = flows;
    for field in fields {
        let mut groups: BTreeMap<Flows, Intervals> = BTreeMap::new();
        for mut one in flows {
            let values = std::mem::take(field(&mut one));
            groups.entry(one).or_default().extend(values);
        }
        let put_back = |(mut one, values)| {
            *field(&mut one) = united(values);
            one
        };
        flows = groups.into_iter().map(put_back).collect();
    }
    flows.sort();
    flows
}

/// Sorted, with those that overlap or touch made one.
pub fn united(mut intervals: Intervals) -> Intervals {
    intervals.sort_unstable();
    let mut result: Intervals = Vec::new();
    for (lo, hi) in intervals {
        match result.last_mut() {
            Some(last) if lo <= last.1.saturating_add(1) => last.1 = last.1.max(hi),
            _ => result.push((lo, hi)),
        }
    }
    result
}

/// Intervals of addresses as CIDR blocks.
pub fn cidrs(family: Family, intervals: &Intervals) -> Vec<String> {
    let mut blocks = Vec::new();
    for (lo, hi) in intervals {
        match family {
            Family::V4 => {
                blocks.extend(Ipv4Subnets::new(v4(*lo), v4(*hi), 0).map(IpNet::V4));
            }
            Family::V6 => {
                blocks.extend(Ipv6Subnets::new(Ipv6Addr::from(*lo), Ipv6Addr::from(*hi), 0).map(IpNet::V6));
            }
        }
    }
    blocks.iter().map(ToString::to_string).collect()
}

/// The smallest block that holds all of the intervals, and the intervals of it that they leave out.
pub fn enclosed(family: Family, intervals: &Intervals) -> Option<(IpNet, Intervals)> {
    let ((least, _), (_, greatest)) = (intervals.first()?, intervals.last()?);
    let bits = family.greatest_address().count_ones();
    let length = u8::try_from(bits - (128 - (least ^ greatest).leading_zeros())).ok()?;
    let block = IpNet::new(address(family, *least), length).ok()?.trunc();
    let mut gaps = Vec::new();
    let mut next = Some(number(block.network()));
    for (lo, hi) in intervals {
        gaps.extend(next.filter(|start| start < lo).map(|start| (start, lo - 1)));
        next = hi.checked_add(1);
    }
    let last = number(block.broadcast());
    gaps.extend(next.filter(|start| *start <= last).map(|start| (start, last)));
    Some((block, gaps))
}

/// The addresses of a family in some blocks.
pub fn intervals(family: Family, blocks: &[IpNet]) -> Intervals {
    let own = blocks.iter().filter(|block| Family::of(block.addr()) == family);
    united(own.map(|block| (number(block.network()), number(block.broadcast()))).collect())
}

fn v4(value: u128) -> Ipv4Addr {
    Ipv4Addr::from(u32::try_from(value).unwrap_or(u32::MAX))
}

fn address(family: Family, value: u128) -> IpAddr {
    match family {
        Family::V4 => IpAddr::V4(v4(value)),
        Family::V6 => IpAddr::V6(Ipv6Addr::from(value)),
    }
}

/// An address as a number.
fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The block around some blocks, and what they leave out of it.
    fn around(family: Family, blocks: &[&str]) -> String {
        let blocks: Vec<IpNet> = blocks.iter().map(|text| text.parse().unwrap()).collect();
        let (block, gaps) = enclosed(family, &intervals(family, &blocks)).unwrap();
        format!("{block} {:?}", cidrs(family, &gaps))
    }

    #[test]
    fn the_block_around_blocks_is_the_smallest() {
        assert_eq!(around(Family::V4, &["10.0.0.4/32"]), "10.0.0.4/32 []");
        assert_eq!(around(Family::V4, &["10.0.0.0/25", "10.0.0.192/26"]), "10.0.0.0/24 [\"10.0.0.128/26\"]");
        assert_eq!(around(Family::V4, &["0.0.0.1/32", "255.255.255.255/32"]).matches('/').count(), 1 + 62);
        assert_eq!(around(Family::V4, &["128.0.0.0/1"]), "128.0.0.0/1 []");
        assert_eq!(around(Family::V6, &["2001:db8::/33"]), "2001:db8::/33 []");
        assert_eq!(around(Family::V6, &["::/1", "8000::/1"]), "::/0 []");
        assert_eq!(around(Family::V6, &["::/2", "8000::/1"]), "::/0 [\"4000::/2\"]");
    }
}
