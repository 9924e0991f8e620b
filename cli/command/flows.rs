//! Header sets as boxes that people and programs can read.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};
use reachproof_engine::header::{Arena, Family, Field, HeaderBox, Set};
use reachproof_model::flow::Protocol;
use reachproof_model::policy::TrafficSpec;

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
    /// Whether the destination was rewritten on the way.
    pub rewritten: bool,
    /// Sources as sent.
    pub source: Intervals,
    /// Of how many the reply comes back.
    pub answered: Answered,
    /// Whether they arrive whatever the unknowns are.
    pub certain: bool,
}

/// A set as boxes; `delivered` is the destination that took the place of the one sent.
pub fn flows(
    arena: &mut Arena,
    family: Family,
    set: Set,
    delivered: Option<u128>,
    (certain, answered): (bool, Answered),
) -> Vec<Flows> {
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
            rewritten: delivered.is_some(),
            source: vec![one.interval(Field::Source)],
            answered,
            certain,
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
fn united(mut intervals: Intervals) -> Intervals {
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
                let address = |value: &u128| Ipv4Addr::from(u32::try_from(*value).unwrap_or(u32::MAX));
                blocks.extend(Ipv4Subnets::new(address(lo), address(hi), 0).map(IpNet::V4));
            }
            Family::V6 => {
                blocks.extend(Ipv6Subnets::new(Ipv6Addr::from(*lo), Ipv6Addr::from(*hi), 0).map(IpNet::V6));
            }
        }
    }
    blocks.iter().map(ToString::to_string).collect()
}

/// The headers with an address field in one of the blocks.
pub fn among(arena: &mut Arena, family: Family, field: Field, blocks: &[IpNet]) -> Set {
    let own = blocks.iter().filter(|block| Family::of(block.addr()) == family);
    let boxes: Vec<HeaderBox> = own
        .map(|block| {
            let header_box = HeaderBox::full(family);
            header_box.with(field, number(block.network()), number(block.broadcast()))
        })
        .collect();
    arena.any_of(&boxes)
}

/// An address as a number.
fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

/// Whether a number is an address in one of the blocks.
pub fn is_among(blocks: &[IpNet], value: u128) -> bool {
    blocks.iter().any(|block| (number(block.network())..=number(block.broadcast())).contains(&value))
}

/// The headers of a list of specifications; none at all means every header.
pub fn traffic(arena: &mut Arena, family: Family, specs: &[TrafficSpec]) -> Set {
    if specs.is_empty() {
        return Set::FULL;
    }
    let boxes: Vec<HeaderBox> = specs.iter().map(|spec| spec_box(family, *spec)).collect();
    arena.any_of(&boxes)
}

fn spec_box(family: Family, spec: TrafficSpec) -> HeaderBox {
    let of = |protocol: Protocol| {
        let number = u128::from(protocol.0);
        HeaderBox::full(family).with(Field::Protocol, number, number)
    };
    match spec {
        TrafficSpec::Protocol(protocol) => of(protocol),
        TrafficSpec::Ports { protocol, from, to } => of(protocol).with(Field::Port, from.into(), to.into()),
        TrafficSpec::Icmp { protocol, kind, code } => {
            let of_kind = of(protocol).with(Field::Port, kind.into(), kind.into());
            code.map_or(of_kind, |code| of_kind.with(Field::SourcePort, code.into(), code.into()))
        }
    }
}
