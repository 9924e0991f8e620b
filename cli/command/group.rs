//! Endpoints that send and receive alike, listed together.
//!
//! INVARIANT (groups exact): in a group every source sends every flow to every destination but itself, from those of the
//! listed addresses that are its own and to those that are the destination's own, and nothing else is sent between them
//! in the pairs that the group takes the place of. Each pair is in one group.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use reachproof_engine::header::Family;
use reachproof_engine::network::{Network, Sink, SourcePlace, owned_blocks};
use reachproof_engine::region::{Extent, Region, Spot};

use super::flows::{Flows, Intervals, intervals, united};
use super::pairs::{Pairs, PatternId};

/// Flows with what is an endpoint's own taken out, so that those of like endpoints are equal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Pattern {
    /// The flows; of an end that sends or receives with all addresses of its own, the addresses are left out.
    pub flows: Flows,
    own_source: bool,
    own_destination: bool,
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
pub fn alike(mut pairs: Pairs) -> Vec<Alike> {
    let mut found: BTreeMap<(Vec<PatternId>, Option<Sink>), Sinks> = BTreeMap::new();
    for ((from, to), mut numbers) in std::mem::take(&mut pairs.of) {
        numbers.sort_unstable();
        let alone = stands_alone(to, pairs.patterns(&numbers)).then_some(to);
        found.entry((numbers, alone)).or_default().entry(from).or_default().insert(to);
    }
    let mut groups = Vec::new();
    for ((numbers, _), sinks) in found {
        let mut patterns: Vec<Pattern> = pairs.patterns(&numbers).cloned().collect();
        patterns.sort();
        groups.extend(with_equal_sinks(sinks).into_iter().map(|(from, to)| Alike {
            from,
            to: to.into_iter().collect(),
            patterns: patterns.clone(),
        }));
    }
    groups
}

/// Where each source sends.
type Sinks = BTreeMap<SourcePlace, BTreeSet<Sink>>;

/// Whether a destination can share its patterns with no other: an interface that receives what is not just its own.
fn stands_alone<'p>(to: Sink, mut patterns: impl Iterator<Item = &'p Pattern>) -> bool {
    matches!(to, Sink::Interface(_)) && patterns.any(|pattern| !pattern.own_destination)
}

/// Sources that send to the same sinks. What one sends to itself is not listed, so that a source is free to count among
/// the sinks of those that send to it.
fn with_equal_sinks(sinks: Sinks) -> Vec<(Vec<SourcePlace>, BTreeSet<Sink>)> {
    let mut meshes: BTreeMap<BTreeSet<Sink>, Vec<SourcePlace>> = BTreeMap::new();
    for (source, sinks) in &sinks {
        let itself = Spot::source_of(*source).map(Spot::sink);
        meshes.entry(sinks.iter().copied().chain(itself).collect()).or_default().push(*source);
    }
    meshes.retain(|_, sources| sources.len() > 1);
    let meshed: BTreeSet<SourcePlace> = meshes.values().flatten().copied().collect();
    let mut stars: BTreeMap<BTreeSet<Sink>, Vec<SourcePlace>> = BTreeMap::new();
    for (source, sinks) in sinks.into_iter().filter(|(source, _)| !meshed.contains(source)) {
        stars.entry(sinks).or_default().push(source);
    }
    meshes.into_iter().chain(stars).map(|(sinks, sources)| (sources, sinks)).collect()
}

/// The smaller of two blocks, if one holds the other.
fn smaller(left: &IpNet, right: &IpNet) -> Option<IpNet> {
    if left.contains(right) { Some(*right) } else { right.contains(left).then_some(*left) }
}

#[cfg(test)]
mod tests {
    use reachproof_model::id::{EniId, Id};

    use super::*;

    /// Checks the groups of `source>sinks` words, all of interfaces named by a digit; `i` is the internet.
    fn check(sinks: &str, expected: &[&str]) {
        let place = |letter: char| match letter.to_digit(10) {
            Some(digit) => SourcePlace::Interface(EniId::from_index(digit as usize)),
            None => SourcePlace::Internet,
        };
        let sink = |letter| Spot::source_of(place(letter)).map(Spot::sink).unwrap();
        let sinks = sinks.split(' ').map(|word| {
            let (from, to) = word.split_once('>').unwrap();
            (place(from.chars().next().unwrap()), to.chars().map(sink).collect())
        });
        let named = |spot| match spot {
            Spot::Interface(id) => id.index().to_string(),
            _ => "i".to_owned(),
        };
        let groups = with_equal_sinks(sinks.collect()).into_iter().map(|(from, to)| {
            let from: String = from.into_iter().filter_map(Spot::source_of).map(named).collect();
            let to: String = to.into_iter().filter_map(Spot::of_sink).map(named).collect();
            format!("{from}>{to}")
        });
        let mut groups: Vec<_> = groups.collect();
        groups.sort();
        assert_eq!(groups, expected);
    }

    #[test]
    fn sources_with_equal_sinks_are_one_group() {
        check("1>3 2>3", &["12>3"]);
        check("1>34 2>3", &["1>34", "2>3"]);
    }

    #[test]
    fn a_mesh_is_one_group() {
        check("1>23 2>13 3>12", &["123>123"]);
        check("1>2i 2>1i i>12", &["12i>12i"]);
    }

    #[test]
    fn nobody_joins_a_mesh_whose_sinks_are_others() {
        check("1>23 2>13 3>1", &["12>123", "3>1"]);
        check("1>2 2>3 3>1", &["1>2", "2>3", "3>1"]);
    }
}
