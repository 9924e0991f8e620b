//! Some packet of many arrives, or none does: decided by the symbolic evaluator over every header.

use std::collections::BTreeSet;

use ipnet::IpNet;
use reachproof_engine::evidence::TraceVerdict;
use reachproof_engine::header::{Arena, Family, Field, Set};
use reachproof_engine::network::{Sink, SourcePlace, owned_blocks};
use reachproof_engine::reach::{Explored, Reach, Request, SourceClass, classes};
use reachproof_engine::trace::{Query, trace};
use reachproof_model::flow::{Flow, Question};
use reachproof_model::id::ComponentId;
use serde_json::Value;

use crate::ends;
use crate::headers::{Interval, among, block, host};
use crate::summary::Outcome;

/// What is known about the packets of a check.
#[derive(Default)]
struct Known {
    /// Some that arrive whatever the unknowns are, with where.
    certain: Vec<(Flow, Sink)>,
    /// Whether one may arrive.
    possible: bool,
    /// Components that are not modelled and that some may enter.
    entered: BTreeSet<ComponentId>,
}

/// Some packet arrives: agreed iff one does whatever the unknowns are, contradicted iff none may.
pub fn exists(reach: &Reach<'_, '_>, check: &Value) -> Outcome {
    match known(reach, check) {
        Err(why) => Outcome::Contradicted(why),
        Ok((place, known)) => match known.certain.first() {
            Some((flow, sink)) => replayed(reach, place, *flow, *sink),
            None if known.possible => Outcome::Unknown("some packet may arrive".to_owned()),
            None => Outcome::Contradicted("no packet arrives".to_owned()),
        },
    }
}

/// No packet arrives: agreed iff none may, contradicted iff one does whatever the unknowns are.
pub fn none(reach: &Reach<'_, '_>, check: &Value) -> Outcome {
    match known(reach, check) {
        Err(why) => Outcome::Contradicted(why),
        Ok((_, known)) => match known.certain.first() {
            Some((flow, _)) => Outcome::Contradicted(format!("{flow:?} arrives")),
            None if known.possible => Outcome::Unknown("some packet may arrive".to_owned()),
            None => Outcome::Agrees,
        },
    }
}

/// The witness of the symbolic evaluator must arrive in the concrete one.
fn replayed(reach: &Reach<'_, '_>, from: SourcePlace, flow: Flow, sink: Sink) -> Outcome {
    let query = Query { from, flow, goal: Some(sink), question: Question::Packet };
    match trace(reach.network(), &query).verdict {
        TraceVerdict::Reaches => Outcome::Agrees,
        other => Outcome::Contradicted(format!("the witness {flow:?} does not replay: {other:?}")),
    }
}

fn known(reach: &Reach<'_, '_>, check: &Value) -> Result<(SourcePlace, Known), String> {
    let (place, _) = ends::source(reach.network(), &check["from"])?;
    let sinks = ends::sinks(reach.network(), &check["to"]);
    if sinks.is_empty() && ends::address(&check["to"]).is_none() {
        return Err("the destination is no place of the snapshot".to_owned());
    }
    let explored =
        reach.explore(&classes(reach.network(), &[place]), &Request::of(Question::Packet), |explored| {
            of_family(reach, check, place, &sinks, explored)
        });
    let mut all = Known::default();
    for part in explored.expect("within limits").into_iter().flatten() {
        all.possible |= part.possible;
        all.certain.extend(part.certain);
        all.entered.extend(part.entered);
    }
    let beyond = beyond(reach, all.entered.clone());
    all.possible |= beyond.iter().any(|sink| sinks.is_empty() || sinks.contains(sink));
    Ok((place, all))
}

fn of_family(
    reach: &Reach<'_, '_>,
    check: &Value,
    place: SourcePlace,
    sinks: &[Sink],
    mut explored: Explored<'_>,
) -> Known {
    let deliveries = explored.deliveries();
    let Explored { family, arena, .. } = explored;
    let area = sent(arena, family, reach, check, place);
    let mut found = Known::default();
    for delivery in deliveries {
        let may = arena.intersects(delivery.over, area);
        if let (Sink::Component(id), true) = (delivery.sink, may) {
            found.entered.insert(id);
        }
        if !sinks.is_empty() && !sinks.contains(&delivery.sink) {
            continue;
        }
        found.possible |= may;
        let certain = arena.intersection(delivery.under, area);
        let flow = arena.pick(certain).and_then(|header| header.flow(family));
        found.certain.extend(flow.map(|flow| (flow, delivery.sink)));
    }
    found
}

/// where something may come to that entered components, through as many of them as there are.
fn beyond(reach: &Reach<'_, '_>, entered: BTreeSet<ComponentId>) -> BTreeSet<Sink> {
    let mut sinks = BTreeSet::new();
    let mut seen = entered.clone();
    let mut next: Vec<ComponentId> = entered.into_iter().collect();
    while let Some(component) = next.pop() {
        let from = SourceClass::alone(SourcePlace::Component(component));
        let explored = reach.explore(&[from], &Request::of(Question::Packet), |mut explored| {
            let arriving = explored.deliveries().into_iter().filter(|row| !row.over.is_empty());
            arriving.map(|row| row.sink).collect::<Vec<Sink>>()
        });
        for sink in explored.expect("within limits").into_iter().flatten().flatten() {
            sinks.insert(sink);
            if let Sink::Component(id) = sink
                && seen.insert(id)
            {
                next.push(id);
            }
        }
    }
    sinks
}

/// The packets that a check is about, as they are sent: from the sender's own addresses.
fn sent(arena: &mut Arena, family: Family, reach: &Reach<'_, '_>, check: &Value, place: SourcePlace) -> Set {
    let own: Vec<Interval> = match (ends::address(&check["from"]), place) {
        (Some(ip), _) => of(family, [IpNet::from(ip)]),
        (None, SourcePlace::Interface(id)) => of(family, owned_blocks(reach.network().interface(id))),
        (None, _) => vec![(0, family.greatest_address())],
    };
    let to: Vec<Interval> = match ends::address(&check["to"]) {
        Some(ip) if Family::of(ip) == family => vec![host(ip)],
        Some(_) => Vec::new(),
        None => vec![(0, family.greatest_address())],
    };
    let protocol = ends::protocol(check).map_or((0, 255), |protocol| (protocol.0.into(), protocol.0.into()));
    let fields: [(Field, &[Interval]); 5] = [
        (Field::Source, &own),
        (Field::Destination, &to),
        (Field::Protocol, &[protocol]),
        (Field::Port, &numbers(check, "dst_port", "icmp_type")),
        (Field::SourcePort, &numbers(check, "src_port", "icmp_code")),
    ];
    among(arena, family, &fields)
}

fn of(family: Family, blocks: impl IntoIterator<Item = IpNet>) -> Vec<Interval> {
    blocks.into_iter().filter(|range| Family::of(range.addr()) == family).map(block).collect()
}

/// The ports of a check: one, all but one (`{"not": 22}`), or any. Headers without ports have 0 there.
fn numbers(check: &Value, port: &str, icmp: &str) -> Vec<Interval> {
    let one = |value: &Value| value.as_u64().map(u128::from);
    if let Some(number) = one(&check[port]).or_else(|| one(&check[icmp])) {
        return vec![(number, number)];
    }
    match one(&check[port]["not"]) {
        Some(hole) => {
            let below = hole.checked_sub(1).map(|last| (0, last));
            let above = (hole < 65535).then_some((hole + 1, 65535));
            below.into_iter().chain(above).collect()
        }
        None => vec![(0, 65535)],
    }
}
