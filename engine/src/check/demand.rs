//! What a requiring form asks of a pair: that each kind of traffic passes at each of its ports, from each address.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use reachproof_model::flow::World;
use reachproof_model::policy::TrafficSpec;

use super::beyond::beyond_components;
use super::bundle::{Addresses, Bundle, Examples, Intervals, is_one_place, of_source};
use super::destinations::{Asked, Destinations};
use super::gather::{Entered, Gathering, Wanted, samples};
use crate::asked::{among, spec_box};
use crate::header::{Arena, Family, Field, Set};
use crate::hypothetical::is_hypothetical;
use crate::network::{Network, Sink, SourcePlace, SpecialBlock, unroutable};
use crate::reach::{Delivery, Exhausted, Reach, Request, classes, intervals_of};

/// Every pair between which something may pass, in bundles that say whether all that is asked for passes for certain.
///
/// Classes between which it does, from each address to some address of each, are taken together; every other pair that
/// something may pass between is looked at alone and has a bundle of its own. What lies beyond components is possible at
/// most, so it is looked for only where nothing passes otherwise.
pub(super) fn gather_demanded(reach: &Reach<'_, '_>, wanted: &Wanted<'_>) -> Result<Vec<Bundle>, Exhausted> {
    let mut bundles = gather_direct(reach, wanted)?;
    let open = lacking(wanted, &bundles);
    if !open.is_empty() && !reach.network().components().is_empty() {
        bundles.extend(gather_beyond(reach, wanted, &open)?);
    }
    Ok(bundles)
}

/// What passes by no component.
fn gather_direct(reach: &Reach<'_, '_>, wanted: &Wanted<'_>) -> Result<Vec<Bundle>, Exhausted> {
    let to = &Destinations::direct(reach, wanted);
    let (classes, request) = wanted.aimed(reach, to, wanted.classes(reach))?;
    let matters = |sink, alike| to.is_wanted(wanted, sink, alike);
    let explored = reach.explore_for(&classes, &request, matters, |explored| match explored.is_empty() {
        true => Vec::new(),
        false => Gathering::of(reach, wanted, to, explored).demanded(reach.network()),
    })?;
    Ok(explored.into_iter().flatten().flatten().collect())
}

/// What may come out of components that some sources enter.
fn gather_beyond(
    reach: &Reach<'_, '_>,
    wanted: &Wanted<'_>,
    sources: &[SourcePlace],
) -> Result<Vec<Bundle>, Exhausted> {
    let classes = classes(reach.network(), sources);
    let to = &Destinations::of(reach, wanted, classes.len())?;
    let (classes, _) = wanted.aimed(reach, to, classes)?;
    let request = Request::of_packets(&wanted.avoid, &to.aim);
    let entered = reach
        .explore(&classes, &request, |explored| Gathering::of(reach, wanted, to, explored).all_entered())?;
    let entered: Vec<Entered> = entered.into_iter().flatten().flatten().collect();
    beyond_components(reach, wanted, to, &entered)
}

/// The sources that have no bundle with some wanted sink.
fn lacking(wanted: &Wanted<'_>, bundles: &[Bundle]) -> Vec<SourcePlace> {
    let of_source = of_source(bundles);
    let mut alike: BTreeMap<&[usize], Vec<SourcePlace>> = BTreeMap::new();
    for source in wanted.sources() {
        let positions = of_source.get(&source).map_or(&[][..], Vec::as_slice);
        alike.entry(positions).or_default().push(source);
    }
    let mut lacking = Vec::new();
    for (positions, sources) in alike {
        let sinks = positions.iter().filter_map(|at| bundles.get(*at)).flat_map(|bundle| bundle.sinks.iter());
        let sinks: BTreeSet<Sink> = sinks.copied().collect();
        let is_lacking = |sink, source| !sinks.contains(&sink) && !is_one_place(source, sink);
        let lacks = |source: &SourcePlace| wanted.sinks().any(|sink| is_lacking(sink, *source));
        lacking.extend(sources.into_iter().filter(lacks));
    }
    lacking.sort_unstable();
    lacking
}

impl Gathering<'_, '_> {
    fn demanded(mut self, network: &Network<'_>) -> Vec<Bundle> {
        let mut bundles = Vec::new();
        let mut alone: BTreeSet<Sink> = BTreeSet::new();
        for (delivery, alike) in self.explored.arrivals() {
            if let Some(asked) = self.asked(&delivery, alike) {
                let [certain, unsure] = self.passing(&delivery, &asked);
                match self.complete(network, &asked, certain) {
                    Some(bundle) => bundles.push(bundle),
                    None if certain.is_empty() && unsure.is_empty() => {}
                    None => alone.extend(asked.all().iter()),
                }
            }
        }
        bundles.extend(self.one_by_one(network, &alone));
        bundles
    }

    /// The sources that may enter components.
    fn all_entered(mut self) -> Vec<Entered> {
        let mut found = Vec::new();
        for (delivery, _) in self.explored.arrivals() {
            if let Sink::Component(component) = delivery.sink {
                found.extend(self.entered(component, delivery.over));
            }
        }
        found
    }

    /// The bundle of all that is asked, if the same passes between all of its pairs, from every address of each source, and
    /// is all that is asked for.
    fn complete(&mut self, network: &Network<'_>, asked: &Asked<'_>, certain: Set) -> Option<Bundle> {
        let products = self.explored.arena.products(certain);
        let [product] = products.as_slice() else { return None };
        let stand_in = self.origins.all.iter().any(|source| stands_for_one(network, *source));
        let family = self.explored.family;
        let arena = &mut *self.explored.arena;
        let complete =
            self.wanted.traffic.iter().all(|spec| covers_ports(arena, family, *spec, product.rest))
                && covers_sources(arena, family, self.wanted.traffic, Set::FULL, product.rest);
        if stand_in || !complete || !self.origins.are_within(&with_link_local(&product.sources, family)) {
            return None;
        }
        let bundle = self.bundle(asked, product, true)?;
        let all = bundle.sinks.len() == asked.all().len() && bundle.sources.len() == self.origins.all.len();
        all.then_some(Bundle { complete: true, from_everywhere: true, ..bundle })
    }

    fn one_by_one(&mut self, network: &Network<'_>, sinks: &BTreeSet<Sink>) -> Vec<Bundle> {
        let mut found = Vec::new();
        if sinks.is_empty() {
            return found;
        }
        for delivery in self.explored.deliveries_at(|sink| sinks.contains(&sink)) {
            for source in self.origins.all.clone().iter() {
                if !is_one_place(*source, delivery.sink) {
                    found.extend(self.pair(network, *source, delivery));
                }
            }
        }
        merged(found)
    }

    /// What passes between one source and one sink.
    fn pair(&mut self, network: &Network<'_>, source: SourcePlace, delivery: Delivery) -> Option<Bundle> {
        let asked = self.asked(&delivery, None)?;
        let family = self.explored.family;
        let own = self.origins.headers_of(self.explored.arena, family, Field::Source, source);
        let [certain, unsure] =
            self.passing(&delivery, &asked).map(|set| self.explored.arena.intersection(set, own));
        if certain.is_empty() && unsure.is_empty() {
            return None;
        }
        let traffic = self.wanted.traffic;
        let arena = &mut *self.explored.arena;
        let complete = traffic.iter().all(|spec| covers_ports(arena, family, *spec, certain));
        let possible = possible_senders(arena, family, source, own);
        let from_everywhere = covers_sources(arena, family, traffic, possible, certain);
        let mut examples = samples(arena, family, certain, source, true);
        examples.extend(samples(arena, family, unsure, source, false));
        let examples =
            Examples::Passing { samples: examples, from: Addresses::AsShown, to: Addresses::AsShown };
        Some(Bundle {
            complete: complete && !certain.is_empty(),
            from_everywhere: from_everywhere || stands_for_one(network, source),
            ..Bundle::passing([source], [delivery.sink], examples, !certain.is_empty())
        })
    }
}

/// Bundles of one pair each, those of the same pair made one.
fn merged(bundles: Vec<Bundle>) -> Vec<Bundle> {
    let mut found: BTreeMap<Option<(SourcePlace, Sink)>, Bundle> = BTreeMap::new();
    for bundle in bundles {
        let pair = bundle.pairs().next();
        match found.entry(pair) {
            Entry::Occupied(mut known) => known.get_mut().join(bundle),
            Entry::Vacant(free) => {
                free.insert(bundle);
            }
        }
    }
    found.into_values().collect()
}

/// Whether an interface has many addresses only because nobody knows which one it will have; its public one belongs to
/// that.
fn stands_for_one(network: &Network<'_>, source: SourcePlace) -> bool {
    let SourcePlace::Interface(id) = source else { return false };
    let interface = network.interface(id);
    is_hypothetical(interface) && !interface.public.is_empty()
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

/// The intervals and those that no router passes on, which nobody demands anything of (as [`possible_senders`]).
fn with_link_local(intervals: &Intervals, family: Family) -> Intervals {
    let mut all = intervals_of(&SpecialBlock::LinkLocalV6.blocks(), family);
    all.extend(intervals);
    all.sort_unstable();
    all
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
