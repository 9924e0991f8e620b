//! Which of the wanted sources reach which of the wanted destinations, with example flows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use reachproof_model::flow::{Flow, Question};
use reachproof_model::id::{ComponentId, EniId, Id};
use reachproof_model::policy::TrafficSpec;

use super::beyond::beyond_components;
use super::bundle::{Addresses, Bundle, Examples, Intervals, Sample, is_one_place};
use super::destinations::{Asked, Destinations};
use super::place::{Places, origins};
use super::shortlist::shortlisted;
use crate::asked::{example, flow_of, preferred, traffic};
use crate::header::{Arena, Family, Field, HeaderBox, Product, Set};
use crate::network::{Search, Sink, SourcePlace};
use crate::reach::{
    Alike, Delivery, Exhausted, Explored, Reach, Request, SourceClass, classes, for_every_client,
};
use crate::region::Region;

/// What is asked of every pair of source and destination.
pub(crate) struct Wanted<'q> {
    pub(crate) from: &'q Region,
    pub(crate) to: &'q Region,
    pub(crate) traffic: &'q [TrafficSpec],
    pub(crate) question: Question,
    pub(crate) avoid: BTreeSet<Box<str>>,
}

/// What one source class yields: what passes, and the components that it may enter.
#[derive(Default)]
struct Yield {
    passing: Vec<Bundle>,
    entered: Vec<Entered>,
}

/// Sources that may enter a component, with an example of how.
pub(super) struct Entered {
    pub(super) sources: Arc<[SourcePlace]>,
    pub(super) component: ComponentId,
    /// A flow of the first source; the others have theirs from such an address of their own.
    pub(super) flow: Flow,
    pub(super) from: Addresses,
}

/// Example flows kept of one bundle.
const SAMPLES: usize = 16;

/// Every pair between which something may pass, in bundles; a pair may be in several.
pub(crate) fn gather(reach: &Reach<'_, '_>, wanted: &Wanted<'_>) -> Result<Vec<Bundle>, Exhausted> {
    gather_to(reach, wanted, &wanted.destinations(reach)?)
}

/// The same where the destinations are known already.
pub(super) fn gather_to(
    reach: &Reach<'_, '_>,
    wanted: &Wanted<'_>,
    to: &Destinations,
) -> Result<Vec<Bundle>, Exhausted> {
    let (classes, request) = wanted.aimed(reach, to, wanted.crowds(reach))?;
    let matters = |sink, alike| to.is_wanted(wanted, sink, alike);
    let explored = reach.explore_for(&classes, &request, matters, |explored| {
        explored.each_mark(|explored| match explored.is_empty() {
            true => Yield::default(),
            false => Gathering::of(reach, wanted, to, explored).run(),
        })
    })?;
    let mut all = Yield::default();
    for part in explored.into_iter().flatten().flatten() {
        all.passing.extend(part.passing);
        all.entered.extend(part.entered);
    }
    let beyond = beyond_components(reach, wanted, to, &all.entered)?;
    all.passing.extend(beyond);
    Ok(all.passing)
}

impl Wanted<'_> {
    /// The sources as classes.
    pub(super) fn classes(&self, reach: &Reach<'_, '_>) -> Vec<SourceClass> {
        classes(reach.network(), &self.sources())
    }

    /// The sources as few classes, whose members may differ in their groups.
    pub(super) fn crowds(&self, reach: &Reach<'_, '_>) -> Vec<SourceClass> {
        match reach.network().options.search {
            Search::Plain => self.classes(reach),
            Search::Usual | Search::Aimed | Search::Onward => reach.crowded(&self.sources()),
        }
    }

    /// What searches from the sources need to know of the destinations.
    pub(super) fn destinations(&self, reach: &Reach<'_, '_>) -> Result<Destinations, Exhausted> {
        Destinations::of(reach, self, self.crowds(reach).len())
    }

    /// Those of some classes that may matter, and how to explore them.
    ///
    /// # Errors
    /// If a limit is hit.
    pub(super) fn aimed(
        &self,
        reach: &Reach<'_, '_>,
        to: &Destinations,
        mut classes: Vec<SourceClass>,
    ) -> Result<(Vec<SourceClass>, Request), Exhausted> {
        let (avoid, aim) = (self.avoid.clone(), to.aim.clone());
        if let Some(aim) = &aim {
            let matters = |class: &SourceClass| {
                let both = [Family::V4, Family::V6];
                both.into_iter().any(|family| !aim.destinations(reach.network(), class, family).is_empty())
            };
            classes.retain(matters);
            classes = shortlisted(reach, self, to, classes)?;
        }
        if self.question == Question::Packet && reach.network().options.search != Search::Plain {
            classes = reach.united(classes);
        }
        Ok((classes, Request { question: self.question, avoid, aim, certain: true, as_sent: true }))
    }

    pub(super) fn sources(&self) -> Vec<SourcePlace> {
        self.from.iter().filter_map(|(spot, _)| spot.source()).collect()
    }

    pub(super) fn sinks(&self) -> impl Iterator<Item = Sink> {
        self.to.iter().map(|(spot, _)| spot.sink())
    }
}

/// One class of sources, explored, with what is wanted of it.
pub(super) struct Gathering<'g, 'w> {
    pub(super) wanted: &'g Wanted<'g>,
    to: &'g Destinations,
    pub(super) origins: Places<SourcePlace>,
    pub(super) explored: Explored<'w>,
    /// The headers from the wanted sources.
    sent: Set,
    /// Those of them that are of the wanted traffic.
    meant: Set,
    /// Examples of sets that depend on no address.
    stretches: BTreeMap<Set, Vec<Flow>>,
    /// The sources with addresses in some intervals, and what may take the place of these.
    among: BTreeMap<Intervals, (Arc<[SourcePlace]>, Addresses)>,
}

impl<'g, 'w> Gathering<'g, 'w> {
    pub(super) fn of(
        reach: &Reach<'_, '_>,
        wanted: &'g Wanted<'g>,
        to: &'g Destinations,
        explored: Explored<'w>,
    ) -> Self {
        let origins = origins(reach.network(), wanted, explored.source, explored.family);
        let family = explored.family;
        let sent = origins.headers(explored.arena, family, Field::Source);
        let traffic = traffic(explored.arena, family, wanted.traffic);
        let meant = explored.arena.intersection(sent, traffic);
        let (stretches, among) = (BTreeMap::new(), BTreeMap::new());
        Self { wanted, to, origins, explored, sent, meant, stretches, among }
    }

    fn run(mut self) -> Yield {
        let mut found = Yield::default();
        for (delivery, alike) in self.explored.arrivals() {
            if let Some(asked) = self.asked(&delivery, alike) {
                let [certain, unsure] = self.passing(&delivery, &asked);
                found.passing.extend(self.bundles(&asked, certain, true));
                found.passing.extend(self.bundles(&asked, unsure, false));
            }
            if let Sink::Component(component) = delivery.sink {
                found.entered.extend(self.entered(component, delivery.over));
            }
        }
        found
    }

    /// What is wanted of an arrival, if anything is.
    pub(super) fn asked(&mut self, delivery: &Delivery, alike: Option<Alike<'_>>) -> Option<Asked<'g>> {
        self.to.asked(self.wanted, &mut self.explored, delivery, alike)
    }

    /// What is wanted and passes whatever the unknowns are, and what else may pass.
    pub(super) fn passing(&mut self, delivery: &Delivery, asked: &Asked<'_>) -> [Set; 2] {
        let family = self.explored.family;
        let arena = &mut *self.explored.arena;
        let (over, under) = match self.wanted.question {
            Question::Packet => (delivery.over, delivery.under),
            Question::Connection => {
                (delivery.answered_over, for_every_client(arena, family, delivery.answered_under))
            }
        };
        let wanted = arena.intersection(asked.meant, self.meant);
        let [over, under] = [over, under].map(|set| arena.intersection(set, wanted));
        let certain = arena.intersection(under, asked.refuting);
        [certain, arena.difference(over, certain)]
    }

    /// A set as bundles.
    fn bundles(&mut self, asked: &Asked<'_>, set: Set, certain: bool) -> Vec<Bundle> {
        let products = self.explored.arena.products(set);
        products.iter().filter_map(|product| self.bundle(asked, product, certain)).collect()
    }

    /// The pairs with addresses in a product.
    pub(super) fn bundle(&mut self, asked: &Asked<'_>, product: &Product, certain: bool) -> Option<Bundle> {
        let (sources, from) = self.sources_among(&product.sources);
        let (sinks, to) = match asked.sinks {
            Ok(sink) => (Arc::from([sink]), Addresses::AsShown),
            Err(target) => {
                (target.meant.among(&product.destinations), target.meant.substitutes(&product.destinations))
            }
        };
        let first = sources.iter().find_map(|source| {
            let sink = sinks.iter().find(|sink| !is_one_place(*source, **sink))?;
            Some((*source, *sink))
        })?;
        let samples = self.samples(asked, product, first, certain);
        let examples = Examples::Passing { samples, from, to };
        Some(Bundle::passing(sources, sinks, examples, certain))
    }

    /// The wanted sources with addresses in some intervals, and the addresses that may take the place of theirs.
    fn sources_among(&mut self, intervals: &[(u128, u128)]) -> (Arc<[SourcePlace]>, Addresses) {
        if let Some(known) = self.among.get(intervals) {
            return known.clone();
        }
        let found = (self.origins.among(intervals), self.origins.substitutes(intervals));
        self.among.insert(intervals.to_vec(), found.clone());
        found
    }

    /// One example for each stretch of protocol and ports that passes alike, between two of the places.
    fn samples(
        &mut self,
        asked: &Asked<'_>,
        product: &Product,
        (source, sink): (SourcePlace, Sink),
        certain: bool,
    ) -> Vec<Sample> {
        if let (SourcePlace::Interface(_), Err(target)) = (source, asked.sinks) {
            let source = self.origins.least_within(source, &product.sources);
            let destination = target.meant.least_within(sink, &product.destinations);
            return self.stretches_between(source, destination, product.rest, certain);
        }
        let family = self.explored.family;
        let arena = &mut *self.explored.arena;
        let mut set = self.origins.headers_of(arena, family, Field::Source, source);
        if let Err(target) = asked.sinks {
            let there = target.meant.headers_of(arena, family, Field::Destination, sink);
            set = arena.intersection(set, there);
        }
        let area = within(arena, family, product);
        let set = arena.intersection(set, area);
        samples(arena, family, set, source, certain)
    }

    /// The same for two addresses and a set that depends on none; most bundles of a class differ in nothing else.
    fn stretches_between(
        &mut self,
        source: Option<u128>,
        destination: Option<u128>,
        rest: Set,
        certain: bool,
    ) -> Vec<Sample> {
        let family = self.explored.family;
        let (Some(source), Some(destination)) = (source, destination) else { return Vec::new() };
        let arena = &mut *self.explored.arena;
        let flows = self.stretches.entry(rest).or_insert_with(|| {
            let found = samples(arena, family, rest, SourcePlace::Interface(EniId::from_index(0)), certain);
            found.into_iter().map(|sample| sample.flow).collect()
        });
        let (source, destination) = (family.address(source), family.address(destination));
        let between = |flow: &Flow| Sample { certain, flow: Flow { source, destination, ..*flow } };
        flows.iter().map(between).collect()
    }

    /// The wanted sources that may enter a component: each with others that may send there what it may.
    pub(super) fn entered(&mut self, component: ComponentId, over: Set) -> Vec<Entered> {
        let entering = self.explored.arena.intersection(over, self.sent);
        let products = self.explored.arena.products(entering);
        let intervals = self.explored.arena.project(entering, Field::Source);
        let mut left: Vec<SourcePlace> = self.sources_among(&intervals).0.to_vec();
        let mut found = Vec::new();
        while let Some(first) = left.first().copied() {
            let next = self.entered_alike(component, entering, &products, first);
            left.retain(|source| match &next {
                Some(entered) => entered.sources.binary_search(source).is_err(),
                None => *source != first,
            });
            found.extend(next);
        }
        found
    }

    /// An example of how a source may enter a component, and the sources that may do the same from addresses of their own.
    fn entered_alike(
        &mut self,
        component: ComponentId,
        entering: Set,
        products: &[Product],
        first: SourcePlace,
    ) -> Option<Entered> {
        let family = self.explored.family;
        let arena = &mut *self.explored.arena;
        let own = self.origins.headers_of(arena, family, Field::Source, first);
        let own = arena.intersection(own, entering);
        let header = preferred(arena, family, own, first)?;
        let product = products.iter().find(|product| product.contains(arena, &header))?;
        let (sources, from) = self.sources_among(&product.sources);
        Some(Entered { sources, component, flow: flow_of(&header, family)?, from })
    }
}

/// The headers of a product.
fn within(arena: &mut Arena, family: Family, product: &Product) -> Set {
    let all = HeaderBox::full(family);
    let mut area = product.rest;
    for (field, intervals) in [(Field::Destination, &product.destinations), (Field::Source, &product.sources)]
    {
        let boxes: Vec<HeaderBox> = intervals.iter().map(|(lo, hi)| all.with(field, *lo, *hi)).collect();
        let part = arena.any_of(&boxes);
        area = arena.intersection(area, part);
    }
    area
}

/// One example for each stretch of protocol and ports that passes alike.
pub(super) fn samples(
    arena: &mut Arena,
    family: Family,
    set: Set,
    source: SourcePlace,
    certain: bool,
) -> Vec<Sample> {
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
