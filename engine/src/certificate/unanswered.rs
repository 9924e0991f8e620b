//! Pairs that packets pass between and no answers: which they are, and where answers get to.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;
use reachproof_model::certificate::{Area, Proof, Start, Traffic, WAIVERS};
use reachproof_model::flow::{Protocol, Question, World, reply_type};
use reachproof_model::policy::TrafficSpec;
use reachproof_model::traffic::{self, ICMP_ERRORS};

use super::part::Cut;
use super::{Seen, Walks, place, source_classes};
use crate::check::{Direction, Wanted, gather};
use crate::network::{Association, Network, Sink, SourcePlace, host};
use crate::reach::{Answers, Departure, Exhausted, Reach, Spread, merged};
use crate::region::{Region, Spot};

/// The most blocks of senders by which answers are narrowed down where they start. A checker narrows by as many, at least.
const NARROWED: usize = 32;

/// The pairs of some parts between which packets may pass: sources that come to the same destinations together. If there are
/// more kinds of these than a claim may list, all pairs of their sources and destinations.
pub(super) fn pairs(
    reach: &Reach<'_, '_>,
    parts: &[Direction],
    traffic: &[TrafficSpec],
) -> Result<Vec<Cut>, Exhausted> {
    let mut found = Vec::new();
    for part in parts {
        let mut alike: BTreeMap<BTreeSet<Sink>, BTreeSet<SourcePlace>> = BTreeMap::new();
        for (source, sinks) in sinks(reach, part, traffic)? {
            alike.entry(sinks).or_default().insert(source);
        }
        if alike.len() > WAIVERS / parts.len().max(1) {
            let sinks = alike.keys().flatten().copied().collect();
            alike = BTreeMap::from([(sinks, alike.into_values().flatten().collect())]);
        }
        found.extend(alike.iter().map(|(sinks, sources)| cut(part, sources, sinks)));
    }
    Ok(found)
}

/// Where packets of each source may arrive. What a component takes or sends is answered as far as anybody knows.
fn sinks(
    reach: &Reach<'_, '_>,
    part: &Direction,
    traffic: &[TrafficSpec],
) -> Result<BTreeMap<SourcePlace, BTreeSet<Sink>>, Exhausted> {
    let question = Question::Packet;
    let wanted = Wanted { from: &part.from, to: &part.to, traffic, question, avoid: part.avoid.clone() };
    let mut found: BTreeMap<SourcePlace, BTreeSet<Sink>> = BTreeMap::new();
    for bundle in gather(reach, &wanted)? {
        for source in bundle.sources.iter().filter(|source| !matches!(source, SourcePlace::Component(_))) {
            let sinks = bundle.sinks.iter().filter(|sink| !matches!(sink, Sink::Component(_)));
            found.entry(*source).or_default().extend(sinks);
        }
    }
    found.retain(|_, sinks| !sinks.is_empty());
    Ok(found)
}

fn cut(part: &Direction, sources: &BTreeSet<SourcePlace>, sinks: &BTreeSet<Sink>) -> Cut {
    Cut {
        from: part.from.at_spots(|spot| spot.source().is_some_and(|source| sources.contains(&source))),
        to: part.to.at_spots(|spot| sinks.contains(&spot.sink())),
    }
}

/// A walk of its answers for each class of destinations.
pub(super) fn answers(reach: &Reach<'_, '_>, pairs: &Direction, asked: &Traffic) -> Result<Proof, Exhausted> {
    let network = reach.network();
    let answers = Answers { asking: asking(network, &pairs.from), traffic: answering(asked) };
    let nothing = BTreeSet::new();
    let departure = Departure { meant: &pairs.to, avoid: &nothing, answers: Some(answers) };
    let classes = source_classes(network, &pairs.turned());
    let mut walks = Walks::default();
    for (class, spreads) in classes.iter().zip(reach.spread(&classes, &departure)?) {
        walks.add(network, class, spreads);
    }
    // The answers of a service come straight into the client's VPC: nothing is in between.
    let services = pairs.to.iter().filter(|(spot, _)| matches!(spot, Spot::Service(_)));
    for place in services.filter_map(|(spot, _)| place(network, spot)) {
        for family in [Seen::V4, Seen::V6] {
            walks.0.entry((Start::Place(place.clone()), family)).or_insert_with(Spread::default);
        }
    }
    Ok(walks.proof())
}

/// The addresses that may have sent, as they are seen where something arrives that nobody translated but internet gateways;
/// `None` if they are many.
fn asking(network: &Network<'_>, from: &Region) -> Option<Vec<IpNet>> {
    let own = |spot, blocks: &[IpNet]| match spot {
        Spot::Interface(id) => network.sent_blocks(id),
        _ => blocks.to_vec(),
    };
    let mut all: Vec<IpNet> = from.iter().flat_map(|(spot, extent)| own(spot, &extent.blocks)).collect();
    let is_one = |row: &&Association| all.iter().any(|own| own.contains(&IpAddr::from(row.private)));
    let public: Vec<IpNet> =
        network.associations(World::Over).filter(is_one).map(|row| host(row.public.into())).collect();
    all.extend(public);
    let all = IpNet::aggregate(&all);
    (all.len() <= NARROWED).then_some(all)
}

/// The headers of answers to some headers, ICMP errors included.
fn answering(asked: &Traffic) -> Traffic {
    let of = |areas: &[Area]| merged(areas.iter().flat_map(answers_to).collect());
    Traffic { v4: of(&asked.v4), v6: of(&asked.v6), translated: Vec::new() }
}

/// R-CONN-5, R-SG-17: of ICMP only requests have an answer; an error may be about anything, whatever its protocol.
fn answers_to(area: &Area) -> Vec<Area> {
    let (lo, hi) = area.protocol;
    let back = Area { destination: area.source, source: area.destination, ..*area };
    let others = [(0, 0), (2, 57), (59, u8::MAX)].into_iter().map(|(from, to)| (from.max(lo), to.min(hi)));
    let others = others.filter(|(lo, hi)| lo <= hi);
    let turned =
        others.map(|protocol| Area { protocol, port: area.source_port, source_port: area.port, ..back });
    let icmp = [Protocol::ICMP, Protocol::ICMPV6].into_iter().filter(|one| (lo..=hi).contains(&one.0));
    let requests = icmp.flat_map(|one| {
        let kinds = (0..=u16::from(u8::MAX)).filter(|kind| (area.port.0..=area.port.1).contains(kind));
        kinds.filter_map(move |kind| Some((one, reply_type(one, kind)?)))
    });
    let icmp = requests.map(|(Protocol(protocol), kind)| Area {
        protocol: (protocol, protocol),
        port: (kind, kind),
        ..back
    });
    let errors = ICMP_ERRORS.into_iter().filter_map(|error| match error {
        traffic::Traffic::Icmp { protocol, kind, .. } => Some((protocol.0, kind?)),
        _ => None,
    });
    let errors = errors.map(|(protocol, kind)| Area {
        protocol: (protocol, protocol),
        port: (kind.into(), kind.into()),
        source_port: (0, u16::MAX),
        ..back
    });
    turned.chain(icmp).chain(errors).collect()
}
