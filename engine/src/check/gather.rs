//! Which of the wanted sources reach which of the wanted destinations, with example flows.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use petgraph::graphmap::DiGraphMap;
use petgraph::visit::Dfs;
use reachproof_model::flow::{Flow, Question, World};
use reachproof_model::id::ComponentId;
use reachproof_model::policy::TrafficSpec;

use crate::asked::{among, destined, example, senders, spec_box, traffic};
use crate::header::{Arena, Family, Field, HeaderBox, Set};
use crate::hypothetical::is_hypothetical;
use crate::network::{Network, Sink, SourcePlace, SpecialBlock, unroutable};
use crate::reach::{Delivery, Exhausted, Explored, Reach, Request, SourceClass, classes, for_every_client};
use crate::region::{Extent, Region, Spot};

/// What is asked of every pair of source and destination.
pub(crate) struct Wanted<'q> {
    pub(crate) from: &'q Region,
    pub(crate) to: &'q Region,
    pub(crate) traffic: &'q [TrafficSpec],
    pub(crate) question: Question,
    pub(crate) avoid: BTreeSet<Box<str>>,
}

/// A source and a destination between which something may or does pass.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Pair {
    pub(crate) source: SourcePlace,
    pub(crate) sink: Sink,
    /// Whether some flow passes whatever the unknowns are.
    pub(crate) certain: bool,
    /// Whether every port asked for passes whatever the unknowns are.
    pub(crate) complete: bool,
    /// Whether that is so from every address of the source that is meant.
    pub(crate) from_everywhere: bool,
    /// Example flows as sent, one for each stretch of ports that passes alike; the certain ones first.
    pub(crate) samples: Vec<Sample>,
    /// How it passes.
    pub(crate) way: Way,
}

/// How something passes between a pair.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Way {
    /// Unasked for.
    Unsolicited,
    /// As what may answer a packet of the receiver's own (R-SG-14).
    Solicited,
    /// As the answer to a packet from the pair's source, which is where the property's packets must not arrive.
    Answer,
}

impl Pair {
    /// The source and the destination that the property means.
    pub(crate) fn ends(&self) -> [Option<Spot>; 2] {
        let (source, sink) = (Spot::source_of(self.source), Spot::of_sink(self.sink));
        if self.way == Way::Answer { [sink, source] } else { [source, sink] }
    }

    /// The pair as something that may pass and is not claimed to.
    pub(crate) fn only_possible(mut self) -> Self {
        (self.certain, self.complete, self.from_everywhere) = (false, false, false);
        self.samples.iter_mut().for_each(|sample| sample.certain = false);
        self
    }
}

/// An example of what passes between a pair.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Sample {
    /// Whether it passes whatever the unknowns are.
    pub(crate) certain: bool,
    pub(crate) flow: Flow,
}

/// What one source class yields: its pairs, and the components that it may enter, with an example of how.
#[derive(Default)]
struct Yield {
    pairs: Vec<Pair>,
    entered: Vec<(SourcePlace, ComponentId, Flow)>,
}

/// Example flows kept of one pair and family.
const SAMPLES: usize = 16;

/// Every pair between which something may pass, sorted by source and sink.
pub(crate) fn gather(reach: &Reach<'_, '_>, wanted: &Wanted<'_>) -> Result<Vec<Pair>, Exhausted> {
    let network = reach.network();
    let sources: Vec<SourcePlace> = wanted.from.iter().filter_map(|(spot, _)| spot.source()).collect();
    let request = Request { question: wanted.question, avoid: wanted.avoid.clone() };
    let explored = reach
        .explore(&classes(network, &sources), &request, |explored| from_class(network, wanted, explored))?;
    let mut all = Yield::default();
    for part in explored.into_iter().flatten() {
        all.pairs.extend(part.pairs);
        all.entered.extend(part.entered);
    }
    let through = through_components(reach, wanted, &all.entered)?;
    all.pairs.extend(through);
    Ok(merged(all.pairs))
}

fn merged(pairs: Vec<Pair>) -> Vec<Pair> {
    let mut found: BTreeMap<(SourcePlace, Sink), Pair> = BTreeMap::new();
    for pair in pairs {
        match found.get_mut(&(pair.source, pair.sink)) {
            None => {
                found.insert((pair.source, pair.sink), pair);
            }
            Some(known) => {
                known.certain |= pair.certain;
                known.complete |= pair.complete;
                known.from_everywhere |= pair.from_everywhere;
                known.samples.extend(pair.samples);
            }
        }
    }
    for pair in found.values_mut() {
        pair.samples.sort_by_key(|sample| !sample.certain);
    }
    found.into_values().collect()
}

fn from_class(network: &Network<'_>, wanted: &Wanted<'_>, mut explored: Explored<'_>) -> Yield {
    let mut found = Yield::default();
    for sender in senders(network, wanted.from, explored.source) {
        let source = sender.place;
        let sent = sender.sent(explored.arena, explored.family);
        for delivery in explored.deliveries_at(|sink| is_asked_for(wanted, sink)) {
            match delivery.sink {
                Sink::Component(component) => {
                    if let Some(extent) = wanted.to.at(delivery.sink) {
                        found.pairs.extend(pair(wanted, &mut explored, source, delivery, extent, sent));
                    }
                    let entering = explored.arena.intersection(delivery.over, sent);
                    let flow = example(explored.arena, explored.family, entering, source);
                    found.entered.extend(flow.map(|flow| (source, component, flow)));
                }
                sink => {
                    let Some(extent) = wanted.to.at(sink) else { continue };
                    if Spot::source_of(source).map(Spot::sink) != Some(sink) {
                        found.pairs.extend(pair(wanted, &mut explored, source, delivery, extent, sent));
                    }
                }
            }
        }
    }
    let stand_in = |pair: &Pair| stands_for_one(network, pair.source);
    found.pairs.iter_mut().filter(|pair| stand_in(pair)).for_each(|pair| pair.from_everywhere = true);
    found
}

/// Whether an interface has many addresses only because nobody knows which one it will have; its public one belongs to
/// that.
fn stands_for_one(network: &Network<'_>, source: SourcePlace) -> bool {
    let SourcePlace::Interface(id) = source else { return false };
    let interface = network.interface(id);
    is_hypothetical(interface) && !interface.public.is_empty()
}

/// Components may lead to what is wanted.
fn is_asked_for(wanted: &Wanted<'_>, sink: Sink) -> bool {
    matches!(sink, Sink::Component(_)) || wanted.to.at(sink).is_some()
}

fn pair(
    wanted: &Wanted<'_>,
    explored: &mut Explored<'_>,
    source: SourcePlace,
    delivery: Delivery,
    extent: &Extent,
    sent: Set,
) -> Option<Pair> {
    let family = explored.family;
    let arena = &mut *explored.arena;
    let meant = destined(arena, family, &delivery, &extent.blocks);
    let refuting = destined(arena, family, &delivery, &extent.refuting);
    let traffic = traffic(arena, family, wanted.traffic);
    let asked = arena.intersection(meant, traffic);
    let asked = arena.intersection(asked, sent);
    let (over, under) = match wanted.question {
        Question::Packet => (delivery.over, delivery.under),
        Question::Connection => {
            (delivery.answered_over, for_every_client(arena, family, delivery.answered_under))
        }
    };
    let (over, under) = (arena.intersection(over, asked), arena.intersection(under, asked));
    let under = arena.intersection(under, refuting);
    if over.is_empty() && under.is_empty() {
        return None;
    }
    let complete = wanted.traffic.iter().all(|spec| covers_ports(arena, family, *spec, under));
    let senders = possible_senders(arena, family, source, sent);
    let from_everywhere = covers_sources(arena, family, wanted.traffic, senders, under);
    let unsure = arena.difference(over, under);
    let mut samples = samples(arena, family, under, source, true);
    samples.extend(self::samples(arena, family, unsure, source, false));
    Some(Pair {
        source,
        sink: delivery.sink,
        certain: !under.is_empty(),
        complete: complete && !under.is_empty(),
        from_everywhere,
        samples,
        way: Way::Unsolicited,
    })
}

/// Whether every port of a specification occurs in the set.
fn covers_ports(arena: &mut Arena, family: Family, spec: TrafficSpec, set: Set) -> bool {
    let Some(area) = spec_box(family, spec) else { return false };
    let wanted = arena.from_box(&area);
    let there = arena.intersection(set, wanted);
    match spec {
        TrafficSpec::Ports { from, to, .. } => {
            arena.project(there, Field::Port) == vec![(u128::from(from), u128::from(to))]
        }
        _ => !there.is_empty(),
    }
}

/// What a source may send at all: the internet has no private and no reserved addresses (R-IGW-12, A-16), and nobody
/// sends from addresses that no router passes on (R-CORE-6).
fn possible_senders(arena: &mut Arena, family: Family, source: SourcePlace, sent: Set) -> Set {
    let mut never = unroutable(World::Under);
    if source == SourcePlace::Internet {
        let kinds = [
            SpecialBlock::PrivateV4,
            SpecialBlock::BogonV4,
            SpecialBlock::PrivateV6,
            SpecialBlock::NotGlobalV6,
        ];
        never.extend(kinds.into_iter().flat_map(SpecialBlock::blocks));
    }
    let never = among(arena, family, Field::Source, &never);
    arena.difference(sent, never)
}

/// Whether each kind of traffic, at each of its ports, is in the set from every sender.
fn covers_sources(arena: &mut Arena, family: Family, specs: &[TrafficSpec], senders: Set, set: Set) -> bool {
    let free = [Field::Destination, Field::SourcePort, Field::MappedPort];
    let shape = free.into_iter().fold(set, |shape, field| arena.exists(shape, field));
    if specs.is_empty() {
        let shape =
            [Field::Protocol, Field::Port].into_iter().fold(shape, |shape, field| arena.exists(shape, field));
        return !set.is_empty() && arena.difference(senders, shape).is_empty();
    }
    specs.iter().all(|spec| {
        let Some(area) = spec_box(family, *spec) else { return false };
        let area = arena.from_box(&area);
        let there = arena.intersection(shape, area);
        let there = match spec {
            TrafficSpec::Protocol(_) => arena.exists(there, Field::Port),
            _ => there,
        };
        let asked = arena.intersection(senders, area);
        let asked = free.into_iter().fold(asked, |asked, field| arena.exists(asked, field));
        !there.is_empty() && arena.difference(asked, there).is_empty()
    })
}

/// One example for each stretch of protocol and ports that passes alike.
fn samples(arena: &mut Arena, family: Family, set: Set, source: SourcePlace, certain: bool) -> Vec<Sample> {
    let mut shape = set;
    for field in [Field::Destination, Field::Source, Field::SourcePort, Field::MappedPort] {
        shape = arena.exists(shape, field);
    }
    let stretches: Vec<HeaderBox> = arena.boxes(shape).take(SAMPLES).collect();
    let mut found = Vec::new();
    for stretch in stretches {
        let area = arena.from_box(&stretch);
        let part = arena.intersection(set, area);
        found.extend(example(arena, family, part, source).map(|flow| Sample { certain, flow }));
    }
    found
}

/// what may come out of the components that a source enters, at the wanted destinations.
fn through_components(
    reach: &Reach<'_, '_>,
    wanted: &Wanted<'_>,
    entered: &[(SourcePlace, ComponentId, Flow)],
) -> Result<Vec<Pair>, Exhausted> {
    let first: BTreeSet<ComponentId> = entered.iter().map(|(_, component, _)| *component).collect();
    let onward = onward(reach, wanted, first)?;
    let mut pairs = Vec::new();
    for (source, component, flow) in entered {
        for sink in onward.sinks_beyond(*component) {
            if Spot::source_of(*source).map(Spot::sink) != Some(sink) {
                let samples = vec![Sample { certain: false, flow: *flow }];
                let way = Way::Unsolicited;
                pairs.push(Pair {
                    source: *source,
                    sink,
                    certain: false,
                    complete: false,
                    from_everywhere: false,
                    samples,
                    way,
                });
            }
        }
    }
    Ok(pairs)
}

/// What lies beyond components: which lead to which, and the wanted sinks of each.
#[derive(Default)]
struct Onward {
    leads_to: DiGraphMap<ComponentId, ()>,
    sinks: BTreeMap<ComponentId, BTreeSet<Sink>>,
}

impl Onward {
    fn add(
        &mut self,
        from: ComponentId,
        found: impl IntoIterator<Item = (BTreeSet<Sink>, BTreeSet<ComponentId>)>,
    ) {
        let sinks = self.sinks.entry(from).or_default();
        for (own, components) in found {
            sinks.extend(own);
            for component in components {
                self.leads_to.add_edge(from, component, ());
            }
        }
    }

    /// Components that something leads to and that have not been explored.
    fn unexplored(&self) -> Vec<ComponentId> {
        let mut ids: Vec<ComponentId> =
            self.leads_to.nodes().filter(|id| !self.sinks.contains_key(id)).collect();
        ids.sort_unstable();
        ids
    }

    /// The wanted sinks of a component and of all that it leads to.
    fn sinks_beyond(&self, first: ComponentId) -> BTreeSet<Sink> {
        let mut walk = Dfs::new(&self.leads_to, first);
        let mut sinks = self.sinks.get(&first).cloned().unwrap_or_default();
        while let Some(component) = walk.next(&self.leads_to) {
            sinks.extend(self.sinks.get(&component).into_iter().flatten());
        }
        sinks
    }
}

fn onward(
    reach: &Reach<'_, '_>,
    wanted: &Wanted<'_>,
    first: BTreeSet<ComponentId>,
) -> Result<Onward, Exhausted> {
    let mut known = Onward::default();
    let mut next: Vec<ComponentId> = first.into_iter().collect();
    let request = Request { question: Question::Packet, avoid: wanted.avoid.clone() };
    while !next.is_empty() {
        let alone =
            |id: &ComponentId| SourceClass { place: SourcePlace::Component(*id), members: Vec::new() };
        let sources: Vec<SourceClass> = next.iter().map(alone).collect();
        let explored = reach.explore(&sources, &request, |mut explored| beyond(wanted, &mut explored))?;
        next.iter().zip(explored).for_each(|(id, families)| known.add(*id, families));
        next = known.unexplored();
    }
    Ok(known)
}

fn beyond(wanted: &Wanted<'_>, explored: &mut Explored<'_>) -> (BTreeSet<Sink>, BTreeSet<ComponentId>) {
    let family = explored.family;
    let asked = traffic(explored.arena, family, wanted.traffic);
    let mut sinks = BTreeSet::new();
    for delivery in explored.deliveries_at(|sink| wanted.to.at(sink).is_some()) {
        let Some(extent) = wanted.to.at(delivery.sink) else { continue };
        let meant = destined(explored.arena, family, &delivery, &extent.blocks);
        let passing = explored.arena.intersection(delivery.over, asked);
        if explored.arena.intersects(passing, meant) {
            sinks.insert(delivery.sink);
        }
    }
    (sinks, explored.components_reached())
}

/// Whether some flow sent to an address certainly arrives anywhere, and whether one may.
pub(crate) fn sent_to(
    reach: &Reach<'_, '_>,
    from: &Region,
    address: IpAddr,
    specs: &[TrafficSpec],
    question: Question,
) -> Result<(bool, bool), Exhausted> {
    let network = reach.network();
    let sources: Vec<SourcePlace> = from.iter().filter_map(|(spot, _)| spot.source()).collect();
    let explored = reach.explore(&classes(network, &sources), &Request::of(question), |mut explored| {
        let family = explored.family;
        let there = among(explored.arena, family, Field::Destination, &[crate::network::host(address)]);
        let asked = traffic(explored.arena, family, specs);
        let asked = explored.arena.intersection(there, asked);
        let mut found = (false, false);
        for sender in senders(network, from, explored.source) {
            let source = sender.place;
            let sent = among(explored.arena, family, Field::Source, &sender.extent.blocks);
            let asked = explored.arena.intersection(asked, sent);
            let home = Spot::source_of(source).map(Spot::sink);
            for delivery in explored.deliveries().into_iter().filter(|delivery| Some(delivery.sink) != home) {
                let (certain, possible) = passing(&mut explored, question, delivery, asked);
                found = (found.0 || certain, found.1 || certain || possible);
            }
        }
        found
    })?;
    let all = explored.into_iter().flatten();
    Ok(all.fold((false, false), |found, part| (found.0 || part.0, found.1 || part.1)))
}

fn passing(explored: &mut Explored<'_>, question: Question, delivery: Delivery, asked: Set) -> (bool, bool) {
    let family = explored.family;
    let arena = &mut *explored.arena;
    let (over, under) = match question {
        Question::Packet => (delivery.over, delivery.under),
        Question::Connection if matches!(delivery.sink, Sink::Component(_)) => (delivery.over, Set::EMPTY),
        Question::Connection => {
            (delivery.answered_over, for_every_client(arena, family, delivery.answered_under))
        }
    };
    (arena.intersects(under, asked), arena.intersects(over, asked))
}
