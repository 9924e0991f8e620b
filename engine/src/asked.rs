//! The headers that a question is about: who may send what, to which destinations.
//!
//! [`crate::check`] and every other question about regions ask it here, so that they mean the same headers.

use ipnet::{IpNet, Ipv6Net};
use reachproof_model::flow::{Flow, Protocol};
use reachproof_model::id::EniId;
use reachproof_model::policy::TrafficSpec;

use crate::header::{Arena, Family, Field, Header, HeaderBox, Set};
use crate::network::{Network, SourcePlace, SpecialBlock};
use crate::reach::{Delivery, SourceClass, intervals_of};
use crate::region::{Extent, Region, Spot};

/// A wanted member of a class of sources.
#[derive(Clone, Debug)]
pub struct Sender<'r> {
    /// The source.
    pub place: SourcePlace,
    /// Which of its addresses are meant.
    pub extent: &'r Extent,
    /// The blocks that it may send from, if it is an interface.
    own: Option<Vec<IpNet>>,
}

impl Sender<'_> {
    /// The headers that it may send from the addresses that are meant; an interface from its own only.
    pub fn sent(&self, arena: &mut Arena, family: Family) -> Set {
        let meant = among(arena, family, Field::Source, &self.extent.blocks);
        let Some(own) = &self.own else { return meant };
        let own = among(arena, family, Field::Source, own);
        arena.intersection(meant, own)
    }
}

/// The members of a class that a region means.
pub fn senders<'r>(network: &Network<'_>, from: &'r Region, class: &SourceClass) -> Vec<Sender<'r>> {
    if class.members.is_empty() {
        let extent = Spot::source_of(class.place).and_then(|spot| from.get(spot));
        return extent.map(|extent| Sender { place: class.place, extent, own: None }).into_iter().collect();
    }
    let one = |id: &EniId| {
        let extent = from.get(Spot::Interface(*id))?;
        let own = Some(network.sent_blocks(*id));
        Some(Sender { place: SourcePlace::Interface(*id), extent, own })
    };
    class.members.iter().filter_map(one).collect()
}

/// The sent headers of a delivery whose destination, as sent or as delivered, is in some blocks.
pub fn destined(arena: &mut Arena, family: Family, delivery: &Delivery, blocks: &[IpNet]) -> Set {
    let mut intervals = intervals_of(blocks, Family::V4);
    intervals.extend(intervals_of(blocks, Family::V6));
    let inside = |value: u128| intervals.iter().any(|(lo, hi)| (*lo..=*hi).contains(&value));
    if delivery.destination.is_some_and(inside) {
        return Set::FULL;
    }
    let mut meant = blocks.to_vec();
    if delivery.embedded {
        meant.extend(blocks.iter().filter_map(translated));
    }
    among(arena, family, Field::Destination, &meant)
}

/// R-NAT-8: the NAT64 destinations that stand for an IPv4 block.
fn translated(block: &IpNet) -> Option<IpNet> {
    let IpNet::V4(block) = block else { return None };
    let prefix = SpecialBlock::Nat64.blocks().into_iter().find_map(|prefix| match prefix {
        IpNet::V6(prefix) => Some(u128::from(prefix.network())),
        IpNet::V4(_) => None,
    })?;
    let address = prefix | u128::from(u32::from(block.network()));
    Ipv6Net::new(address.into(), block.prefix_len() + 96).ok().map(IpNet::V6)
}

/// The headers with an address field in one of the blocks.
pub fn among(arena: &mut Arena, family: Family, field: Field, blocks: &[IpNet]) -> Set {
    let all = HeaderBox::full(family);
    let boxes: Vec<HeaderBox> =
        intervals_of(blocks, family).into_iter().map(|(lo, hi)| all.with(field, lo, hi)).collect();
    arena.any_of(&boxes)
}

/// The headers of a list of specifications; none at all means every header.
pub fn traffic(arena: &mut Arena, family: Family, specs: &[TrafficSpec]) -> Set {
    if specs.is_empty() {
        return Set::FULL;
    }
    let boxes: Vec<HeaderBox> = specs.iter().filter_map(|spec| spec_box(family, *spec)).collect();
    arena.any_of(&boxes)
}

/// The headers of a specification; `None` where the family has none.
pub(crate) fn spec_box(family: Family, spec: TrafficSpec) -> Option<HeaderBox> {
    let foreign = match family {
        Family::V4 => Protocol::ICMPV6,
        Family::V6 => Protocol::ICMP,
    };
    let of = |protocol: Protocol| {
        let number = u128::from(protocol.0);
        (protocol != foreign).then(|| HeaderBox::full(family).with(Field::Protocol, number, number))
    };
    if let (Family::V6, Some(translated)) = (family, nat64(spec)) {
        return Some(translated);
    }
    match spec {
        TrafficSpec::Protocol(protocol) => of(protocol),
        TrafficSpec::Ports { protocol, from, to } => {
            Some(of(protocol)?.with(Field::Port, from.into(), to.into()))
        }
        TrafficSpec::Icmp { protocol, kind, code } => {
            let of_kind = of(protocol)?.with(Field::Port, kind.into(), kind.into());
            Some(code.map_or(of_kind, |code| of_kind.with(Field::SourcePort, code.into(), code.into())))
        }
    }
}

/// R-NAT-8: the ICMPv6 that NAT64 turns into the ICMP of a specification.
fn nat64(spec: TrafficSpec) -> Option<HeaderBox> {
    let kind = match spec {
        TrafficSpec::Protocol(Protocol::ICMP) => None,
        TrafficSpec::Icmp { protocol: Protocol::ICMP, kind: 8, .. } => Some(128),
        _ => return None,
    };
    let icmpv6 = u128::from(Protocol::ICMPV6.0);
    let (lo, hi) = intervals_of(&SpecialBlock::Nat64.blocks(), Family::V6).first().copied()?;
    let area =
        HeaderBox::full(Family::V6).with(Field::Protocol, icmpv6, icmpv6).with(Field::Destination, lo, hi);
    Some(kind.map_or(area, |kind| area.with(Field::Port, kind, kind)))
}

/// An example of a set, as people would write it.
pub fn example(arena: &mut Arena, family: Family, set: Set, source: SourcePlace) -> Option<Flow> {
    preferred(arena, family, set, source).and_then(|header| flow_of(&header, family))
}

/// The header of such an example, which is in the set.
pub fn preferred(arena: &mut Arena, family: Family, set: Set, source: SourcePlace) -> Option<Header> {
    let stranger = match family {
        Family::V4 => 0xcb00_7105,
        Family::V6 => 0x2001_0db8_0000_0000_0000_0000_0000_0005,
    };
    let mut preferences = vec![
        (Field::Protocol, 6),
        (Field::Port, 443),
        (Field::SourcePort, 49152),
        (Field::Protocol, 17),
        (Field::Port, 8),
    ];
    if !matches!(source, SourcePlace::Interface(_)) {
        preferences.push((Field::Source, stranger));
    }
    preferences.push((Field::Destination, stranger));
    arena.pick_preferring(set, &preferences)
}

/// A header as the flow that people would write.
pub fn flow_of(header: &Header, family: Family) -> Option<Flow> {
    tidy(header).flow(family)
}

/// INVARIANT (flow ports): only TCP, UDP and ICMP have ports; what other protocols have there does not matter.
fn tidy(header: &Header) -> Header {
    let protocol = header.value(Field::Protocol);
    match protocol {
        6 | 17 => *header,
        1 | 58 => {
            let byte = |field| header.value(field).min(255);
            header.with(Field::Port, byte(Field::Port)).with(Field::SourcePort, byte(Field::SourcePort))
        }
        _ => header.with(Field::Port, 0).with(Field::SourcePort, 0),
    }
}
