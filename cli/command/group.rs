//! Endpoints that send and receive alike, listed together.
//!
//! INVARIANT (groups exact): in a group every source sends every flow to every destination but itself, from those of the
//! listed addresses that are its own and to those that are the destination's own, and nothing else is sent between them
//! in the pairs that the group takes the place of. Each pair is in one group.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ipnet::IpNet;
use reachproof_engine::header::Family;
use reachproof_engine::network::{Network, Sink, SourcePlace, owned_blocks};
use reachproof_engine::region::{Extent, Region, Spot};
use reachproof_model::id::EniId;

use super::flows::{Flows, Intervals, intervals, united};
use super::mesh::{Sinks, with_equal_sinks};
use super::pairs::{ByEnds, Pairs, PatternId};
use super::units::{End, From, To, Units};

/// Flows with what is an endpoint's own taken out, so that those of like endpoints are equal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Pattern {
    /// The flows; of an end that sends or receives with all addresses of its own, the addresses are left out.
    pub flows: Flows,
    own_source: bool,
    own_destination: bool,
}

/// A pattern in which the addresses of two ends are not named but said to be among those it lists.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Nameless {
    pattern: Pattern,
    with_own: [bool; 2],
}

impl std::convert::From<&Arc<Pattern>> for Nameless {
    fn from(pattern: &Arc<Pattern>) -> Self {
        Self { pattern: (**pattern).clone(), with_own: [false; 2] }
    }
}

/// Sources and destinations that are alike, with the patterns of what flows between each two of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alike {
    /// The sources.
    pub from: Vec<SourcePlace>,
    /// The destinations.
    pub to: Vec<Sink>,
    /// The patterns.
    pub patterns: Vec<Pattern>,
}

impl Alike {
    /// A source with a destination that is not itself.
    pub fn example(&self) -> Option<(SourcePlace, Sink)> {
        let pairs = self.from.iter().flat_map(|from| self.to.iter().map(|to| (*from, *to)));
        pairs.into_iter().find(|(from, to)| !is_itself(*from, *to))
    }
}

/// Whether a source is its own destination.
pub fn is_itself(from: SourcePlace, to: Sink) -> bool {
    Spot::source_of(from).map(Spot::sink) == Some(to)
}

/// The same with the addresses of all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    /// The sources.
    pub from: Vec<SourcePlace>,
    /// The destinations.
    pub to: Vec<Sink>,
    /// The flows, with the addresses of all.
    pub flows: Vec<Flows>,
}

/// The addresses of interfaces that are asked about.
pub struct Own<'n, 's> {
    /// The network.
    pub network: &'n Network<'s>,
    /// The sources asked about.
    pub from: &'n Region,
    /// The destinations asked about.
    pub to: &'n Region,
}

impl Own<'_, '_> {
    /// Those of a source; none if it is no interface.
    pub fn source(&self, place: SourcePlace, family: Family) -> Intervals {
        let Some(spot @ Spot::Interface(_)) = Spot::source_of(place) else { return Vec::new() };
        self.asked(spot, self.from.get(spot), family)
    }

    /// Those of a destination; none if it is no interface.
    pub fn destination(&self, sink: Sink, family: Family) -> Intervals {
        let Some(spot @ Spot::Interface(_)) = Spot::of_sink(sink) else { return Vec::new() };
        self.asked(spot, self.to.get(spot), family)
    }

    fn asked(&self, spot: Spot, extent: Option<&Extent>, family: Family) -> Intervals {
        let (Spot::Interface(id), Some(extent)) = (spot, extent) else { return Vec::new() };
        self.within(id, extent, family)
    }

    /// The addresses of an interface that are in an extent.
    pub fn within(&self, id: EniId, extent: &Extent, family: Family) -> Intervals {
        let own = owned_blocks(self.network.interface(id));
        let pairs = own.iter().flat_map(|own| extent.blocks.iter().map(move |meant| (own, meant)));
        let both: Vec<IpNet> = pairs.filter_map(|(own, meant)| smaller(own, meant)).collect();
        intervals(family, &both)
    }

    /// The pattern of flows between two ends.
    pub fn pattern(&self, mut flows: Flows, from: SourcePlace, to: Sink) -> Pattern {
        let own_source = flows.source == self.source(from, flows.family);
        let own_destination = flows.destination == self.destination(to, flows.delivered);
        if own_source {
            flows.source.clear();
        }
        if own_destination {
            flows.destination.clear();
        }
        Pattern { flows, own_source, own_destination }
    }

    /// A pattern between two ends without the addresses that are their own, where it lists all of them with others.
    pub fn nameless(&self, pattern: &Arc<Pattern>, from: SourcePlace, to: Sink) -> Nameless {
        let mut found = Nameless::from(pattern);
        let flows = &mut found.pattern.flows;
        let (source, destination) = (self.source(from, flows.family), self.destination(to, flows.delivered));
        found.with_own =
            [taken_out(&mut flows.source, &source), taken_out(&mut flows.destination, &destination)];
        found
    }

    /// Whether a pattern between two ends says nothing of an address that is one of their own, but of all of them together.
    pub fn is_shared(&self, pattern: &Pattern, from: SourcePlace, to: Sink) -> bool {
        let flows = &pattern.flows;
        let apart = |listed: &Intervals, own: Intervals| !overlap(listed, &own);
        let source = pattern.own_source || apart(&flows.source, self.source(from, flows.family));
        let of_sink = self.destination(to, flows.delivered);
        source
            && (pattern.own_destination
                || of_sink.is_empty()
                || !flows.rewritten && apart(&flows.destination, of_sink))
    }

    /// The pattern of flows from all addresses of a source's own to all of a destination's own.
    pub fn between_own(mut flows: Flows) -> Pattern {
        flows.source.clear();
        flows.destination.clear();
        Pattern { flows, own_source: true, own_destination: true }
    }

    /// The flows of a pattern between all of some ends.
    pub fn flows(&self, pattern: Pattern, from: &[SourcePlace], to: &[Sink]) -> Flows {
        let Pattern { mut flows, own_source, own_destination } = pattern;
        if own_source {
            flows.source = united(from.iter().flat_map(|place| self.source(*place, flows.family)).collect());
        }
        if own_destination {
            let family = flows.delivered;
            flows.destination = united(to.iter().flat_map(|sink| self.destination(*sink, family)).collect());
        }
        flows
    }

    /// A group with the addresses of all its ends.
    pub fn group(&self, alike: Alike) -> Group {
        let Alike { from, to, patterns } = alike;
        let flows = patterns.into_iter().map(|pattern| self.flows(pattern, &from, &to)).collect();
        Group { from, to, flows }
    }
}

/// All pairs by what is alike.
pub fn alike(units: &Units, mut pairs: Pairs) -> Vec<Alike> {
    let mut found: BTreeMap<(Vec<PatternId>, Option<Sink>), Sinks> = BTreeMap::new();
    for ((from, to), mut numbers) in apart(units, std::mem::take(&mut pairs.of)) {
        numbers.sort_unstable();
        if !stands_alone(to, pairs.patterns(&numbers)) {
            found.entry((numbers, None)).or_default().entry(from).or_default().insert(to);
            continue;
        }
        for sink in units.sinks(to) {
            let sinks = found.entry((numbers.clone(), Some(sink))).or_default();
            sinks.entry(from).or_default().insert(End::One(sink));
        }
    }
    let mut groups = Vec::new();
    for ((numbers, _), sinks) in found {
        let mut patterns: Vec<Pattern> = pairs.patterns(&numbers).cloned().collect();
        patterns.sort();
        let alike = |(from, to)| Alike { from, to, patterns: patterns.clone() };
        groups.extend(with_equal_sinks(units, sinks).into_iter().map(alike));
    }
    groups
}

/// The same pairs, those between two units one by one where some of these are listed by themselves, too.
fn apart(units: &Units, mut pairs: ByEnds) -> ByEnds {
    let listed = pairs.keys().filter_map(|(from, to)| match (from, to) {
        (End::One(from), End::One(to)) => Some((End::Unit(units.of_source(*from)?), units.end(*to))),
        _ => None,
    });
    for (from, to) in listed.collect::<BTreeSet<(From, To)>>() {
        let Some(numbers) = pairs.remove(&(from, to)) else { continue };
        for from in units.sources(from) {
            for to in units.sinks(to).into_iter().filter(|to| !is_itself(from, *to)) {
                pairs.entry((End::One(from), End::One(to))).or_default().extend(&numbers);
            }
        }
    }
    pairs
}

/// Whether a destination can share its patterns with no other: an interface that receives what is not just its own.
fn stands_alone<'p>(to: To, mut patterns: impl Iterator<Item = &'p Pattern>) -> bool {
    matches!(to, End::Unit(_) | End::One(Sink::Interface(_)))
        && patterns.any(|pattern| !pattern.own_destination)
}

/// Takes intervals out of a list, if all are in it.
fn taken_out(list: &mut Intervals, all: &Intervals) -> bool {
    let holds = !all.is_empty() && all.iter().all(|one| list.contains(one));
    if holds {
        list.retain(|one| !all.contains(one));
    }
    holds
}

/// Whether two lists of intervals have an address in common.
fn overlap(left: &Intervals, right: &Intervals) -> bool {
    left.iter().any(|(lo, hi)| right.iter().any(|(first, last)| lo <= last && first <= hi))
}

/// The smaller of two blocks, if one holds the other.
fn smaller(left: &IpNet, right: &IpNet) -> Option<IpNet> {
    if left.contains(right) { Some(*right) } else { right.contains(left).then_some(*left) }
}
