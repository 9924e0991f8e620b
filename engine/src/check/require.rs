//! Requiring forms: every pair, or some pair, must pass, with each kind of traffic that the property names.

use std::collections::BTreeMap;

use reachproof_model::policy::TrafficSpec;

use super::bundle::{Bundle, Examples, is_one_place, of_source};
use super::demand::gather_demanded;
use super::gather::Wanted;
use super::{Case, CheckError, Direction, PropertyReport, Verdict, Waived};
use crate::network::{Sink, SourcePlace};
use crate::region::Spot;

/// Kinds of what passes for certain that are replayed of one search.
const SHOWN: usize = 256;

/// What passes in one direction with one kind of traffic.
struct Searched<'c> {
    direction: &'c Direction,
    /// Its position.
    position: usize,
    /// One specification, or none where the property is about any header.
    traffic: &'c [TrafficSpec],
    found: Vec<Bundle>,
    /// The positions of the bundles that a source is in, ascending.
    of_source: BTreeMap<SourcePlace, Vec<usize>>,
}

/// The pairs of a requiring form that do not pass for certain, and whether some do.
#[derive(Default)]
struct Sorted {
    passing: bool,
    failing: Vec<Bundle>,
    unsure: Vec<Bundle>,
    /// What passes for certain, by an example of each kind; what it rests on is what the answer rests on.
    shown: Vec<Bundle>,
}

/// What a search found of one kind of traffic between a source and a sink.
#[derive(Clone, Copy)]
enum Found<'s> {
    /// All of it passes.
    All,
    /// Something passes or may pass.
    Something(&'s Bundle),
}

/// What all searches together say of a source and a sink.
enum Judged<'s> {
    /// All kinds of traffic pass.
    Passing,
    /// Each kind may pass, and of one that is all that is known.
    Unsure(&'s Bundle),
    /// Of the kind of this search nothing passes, whatever the unknowns are.
    Closed(usize),
}

impl Case<'_, '_, '_> {
    /// Holds iff every pair passes, or, unless `every`, some pair does.
    pub(super) fn required(&self, every: bool) -> Result<PropertyReport, CheckError> {
        let mut sorted = Sorted::default();
        for (position, direction) in self.directions.iter().enumerate() {
            let searched = self.search(position, direction)?;
            sorted.shown.extend(searched.iter().flat_map(Searched::shown));
            for sources in alike(&searched) {
                self.sort(&searched, &sources, every, &mut sorted);
            }
        }
        let Sorted { passing, failing, unsure, shown } = sorted;
        let (failing, mut waived) = self.without_waived(failing)?;
        let (unsure, waived_unsure) = self.without_waived(unsure)?;
        waived.extend(waived_unsure);
        let satisfied = if every { failing.is_empty() && unsure.is_empty() } else { passing };
        let refuted = if every { !failing.is_empty() } else { unsure.is_empty() };
        let (verdict, bundles): (Verdict, Vec<&Bundle>) = match (satisfied, refuted) {
            (true, _) => return self.satisfied(&shown, waived),
            (false, true) => (Verdict::Violated, failing.iter().collect()),
            (false, false) => (Verdict::Unknown, unsure.iter().collect()),
        };
        let witnesses = self.replay_closed(&bundles, verdict == Verdict::Violated)?;
        self.report(verdict, &bundles, witnesses, waived)
    }

    /// INVARIANT (requirements replayed): an example of each kind of what passes reaches in the replay, too.
    fn satisfied(&self, shown: &[Bundle], waived: Vec<Waived>) -> Result<PropertyReport, CheckError> {
        let shown: Vec<&Bundle> = shown.iter().collect();
        let witnesses = self.replay(&shown, true)?;
        self.report(Verdict::Holds, &[], witnesses, waived)
    }

    /// A search for each kind of traffic, so that one closed port is told from others that are open.
    fn search<'c>(
        &'c self,
        position: usize,
        direction: &'c Direction,
    ) -> Result<Vec<Searched<'c>>, CheckError> {
        let all = &self.property.traffic;
        let kinds: Vec<&[TrafficSpec]> = if all.is_empty() { vec![&[]] } else { all.chunks(1).collect() };
        let search = |traffic: &'c [TrafficSpec]| {
            let wanted = Wanted { traffic, ..self.wanted(direction, &direction.from) };
            let found = gather_demanded(self.reach, &wanted)?;
            Ok(Searched { direction, position, traffic, of_source: of_source(&found), found })
        };
        kinds.into_iter().map(search).collect()
    }

    /// A pair fails if one kind of traffic does, and passes if all do; where `every` pair must, from each address of the
    /// source. All of these sources have the same found of them.
    fn sort(&self, searched: &[Searched<'_>], sources: &[SourcePlace], every: bool, into: &mut Sorted) {
        let Some(first) = sources.first() else { return };
        let found: Vec<BTreeMap<Sink, Found<'_>>> =
            searched.iter().map(|search| search.found_of(*first, every)).collect();
        let mut closed: BTreeMap<usize, Vec<Sink>> = BTreeMap::new();
        for sink in searched.iter().take(1).flat_map(|search| search.sinks()) {
            match judged(&found, sink) {
                Judged::Closed(search) => closed.entry(search).or_default().push(sink),
                Judged::Unsure(bundle) => into.unsure.extend(single(bundle, sources, sink)),
                Judged::Passing => into.passing |= sources.iter().any(|source| !is_one_place(*source, sink)),
            }
        }
        for (at, sinks) in closed {
            if let Some(search) = searched.get(at) {
                self.sort_closed(search, sources, sinks, into);
            }
        }
    }

    /// Pairs that nothing joins: they fail, unless the replay cannot confirm it or the destination may be elsewhere.
    fn sort_closed(
        &self,
        search: &Searched<'_>,
        sources: &[SourcePlace],
        sinks: Vec<Sink>,
        into: &mut Sorted,
    ) {
        let examples = Examples::Closed { traffic: search.traffic.to_vec(), direction: search.position };
        let bundle = Bundle::passing(sources, sinks, examples, false);
        if self.reach.network().components().is_empty()
            && !bundle.sinks.iter().any(|sink| search.is_one_of_several(*sink))
        {
            into.failing.extend((!bundle.is_empty()).then_some(bundle));
            return;
        }
        for (source, sink) in bundle.pairs() {
            let single = Bundle { sources: [source].into(), sinks: [sink].into(), ..bundle.clone() };
            let vague = self.is_vague(&self.pair(&single, source, sink)) || search.is_one_of_several(sink);
            if vague { into.unsure.push(single) } else { into.failing.push(single) }
        }
    }
}

impl Searched<'_> {
    /// What the search found of a source, by sink.
    fn found_of(&self, source: SourcePlace, every: bool) -> BTreeMap<Sink, Found<'_>> {
        let mut found: BTreeMap<Sink, Found<'_>> = BTreeMap::new();
        let vague = self.direction.is_vague(source);
        let positions = self.of_source.get(&source).into_iter().flatten();
        for bundle in positions.filter_map(|at| self.found.get(*at)) {
            for sink in bundle.sinks.iter() {
                let everywhere = bundle.from_everywhere || !every;
                let passes = bundle.complete && everywhere && !vague && !self.is_implied(*sink);
                let state = if passes { Found::All } else { Found::Something(bundle) };
                let known = found.entry(*sink).or_insert(state);
                if passes {
                    *known = state;
                }
            }
        }
        found
    }

    /// One pair of each bundle between whose pairs all of the traffic passes.
    fn shown(&self) -> impl Iterator<Item = Bundle> {
        let passing = self.found.iter().filter(|bundle| bundle.certain && bundle.complete);
        passing.take(SHOWN).filter_map(|bundle| {
            let (source, sink) = bundle.pairs().next()?;
            Some(Bundle { sources: [source].into(), sinks: [sink].into(), ..bundle.clone() })
        })
    }

    /// Every sink that the direction is about.
    fn sinks(&self) -> impl Iterator<Item = Sink> {
        self.direction.to.iter().map(|(spot, _)| spot.sink())
    }

    /// Whether the destination stands for several places, only some of which can have been reached.
    fn is_implied(&self, sink: Sink) -> bool {
        self.direction.to.at(sink).is_some_and(|extent| extent.implied())
    }

    /// Whether what the destination stands for may be at another place.
    fn is_one_of_several(&self, sink: Sink) -> bool {
        self.is_implied(sink) && self.direction.to.len() > 1
    }
}

/// Whether all kinds of traffic pass to a sink, by what each search found of a source.
fn judged<'s>(found: &[BTreeMap<Sink, Found<'s>>], sink: Sink) -> Judged<'s> {
    let states = || found.iter().map(|search| search.get(&sink).copied());
    if let Some(search) = states().position(|state| state.is_none()) {
        return Judged::Closed(search);
    }
    let something = states().find_map(|state| match state {
        Some(Found::Something(bundle)) => Some(bundle),
        _ => None,
    });
    something.map_or(Judged::Passing, Judged::Unsure)
}

/// The pairs of some sources with one sink, with the examples of a bundle that they are in.
fn single(bundle: &Bundle, sources: &[SourcePlace], sink: Sink) -> Option<Bundle> {
    let part = Bundle { sources: sources.into(), sinks: [sink].into(), ..bundle.clone() };
    (!part.is_empty()).then_some(part)
}

/// The sources of a direction, those together of which every search found the same.
fn alike(searched: &[Searched<'_>]) -> Vec<Vec<SourcePlace>> {
    let Some(first) = searched.first() else { return Vec::new() };
    let mut found: BTreeMap<Vec<Option<&Vec<usize>>>, Vec<SourcePlace>> = BTreeMap::new();
    for source in first.direction.from.iter().filter_map(|(spot, _)| Spot::source(spot)) {
        let key = searched.iter().map(|search| search.of_source.get(&source)).collect();
        found.entry(key).or_default().push(source);
    }
    let mut groups: Vec<Vec<SourcePlace>> = found.into_values().collect();
    groups.sort_unstable();
    groups
}
