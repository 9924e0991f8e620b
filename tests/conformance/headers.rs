//! Sets of headers as checks describe them, and who gets them.

use std::net::IpAddr;

use ipnet::IpNet;
use reachproof_engine::header::{Arena, Family, Field, HeaderBox, Set};
use reachproof_engine::network::Sink;
use reachproof_engine::reach::Delivery;

/// An inclusive range of values.
pub type Interval = (u128, u128);

/// The addresses of a block.
pub fn block(block: IpNet) -> Interval {
    (number(block.network()), number(block.broadcast()))
}

/// One address.
pub fn host(ip: IpAddr) -> Interval {
    (number(ip), number(ip))
}

fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(u32::from(ip)),
        IpAddr::V6(ip) => u128::from(ip),
    }
}

/// The headers with some value of each list; a field that is not listed has any.
pub fn among(arena: &mut Arena, family: Family, fields: &[(Field, &[Interval])]) -> Set {
    let mut set = Set::FULL;
    for (field, intervals) in fields {
        let boxes: Vec<HeaderBox> =
            intervals.iter().map(|(lo, hi)| HeaderBox::full(family).with(*field, *lo, *hi)).collect();
        let part = arena.any_of(&boxes);
        set = arena.intersection(set, part);
    }
    set
}

/// What of an area arrives at one of the sinks.
#[derive(Clone, Copy)]
pub struct Arriving {
    /// Unless an unknown forbids it.
    pub over: Set,
    /// Whatever the unknowns are.
    pub under: Set,
}

/// What of an area arrives at one of the sinks, or anywhere if there are none. A component that is not modelled may
/// bring anything anywhere.
pub fn arriving(arena: &mut Arena, deliveries: &[Delivery], area: Set, sinks: &[Sink]) -> Arriving {
    let mut found = Arriving { over: Set::EMPTY, under: Set::EMPTY };
    for delivery in deliveries {
        let meant = sinks.is_empty() || sinks.contains(&delivery.sink);
        if meant || matches!(delivery.sink, Sink::Component(_)) {
            found.over = arena.union(found.over, delivery.over);
        }
        if meant {
            found.under = arena.union(found.under, delivery.under);
        }
    }
    found.over = arena.intersection(found.over, area);
    found.under = arena.intersection(found.under, area);
    found
}
