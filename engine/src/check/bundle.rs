//! Bundles: pairs of a source and a destination that fail alike, told as a product of two lists.
//!
//! A network of a million interfaces has more pairs than any memory; it has few ways in which they differ. So everything
//! up to the replay of witnesses works on bundles, and a pair is made only of what is shown.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use reachproof_model::flow::Flow;
use reachproof_model::policy::TrafficSpec;

use crate::header::Family;
use crate::network::{Network, Sink, SourcePlace, owned_blocks};
use crate::reach::intervals_of;
use crate::region::Spot;

/// Inclusive intervals of addresses as numbers, ascending.
pub(super) type Intervals = Vec<(u128, u128)>;

/// Each of some sources with each of some sinks, but for a place with itself, between which the same passes or does not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Bundle {
    /// Ascending.
    pub(crate) sources: Arc<[SourcePlace]>,
    /// Ascending.
    pub(crate) sinks: Arc<[Sink]>,
    /// Whether some flow passes whatever the unknowns are.
    pub(crate) certain: bool,
    /// Whether every port asked for passes whatever the unknowns are.
    pub(crate) complete: bool,
    /// Whether that is so from every address of the source that is meant.
    pub(crate) from_everywhere: bool,
    /// Examples of what passes, or what should.
    pub(crate) examples: Examples,
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

/// An example of what passes between a pair.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Sample {
    /// Whether it passes whatever the unknowns are.
    pub(crate) certain: bool,
    /// As sent.
    pub(crate) flow: Flow,
}

/// Example flows of a bundle.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Examples {
    /// What passes between the first pair, one for each stretch of ports that passes alike, the certain ones first. It
    /// passes between the others, too, from such an address of theirs to such a one.
    Passing { samples: Vec<Sample>, from: Addresses, to: Addresses },
    /// Nothing passes; what should is this traffic, in the direction with this position.
    Closed { traffic: Vec<TrafficSpec>, direction: usize },
}

/// The addresses that take the place of those of an example.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Addresses {
    /// None: the example has what every pair has.
    AsShown,
    /// Any that the interface owns.
    Own,
    /// One that the interface owns in these intervals.
    Within(Arc<[(u128, u128)]>),
}

impl Addresses {
    /// The address if an interface with these blocks has it, else the least one of the same family that may take its place.
    fn substitute(&self, blocks: &[IpNet], shown: IpAddr) -> IpAddr {
        let family = Family::of(shown);
        let all = [(0, family.greatest_address())];
        let intervals = match self {
            Self::AsShown => return shown,
            Self::Own => &all[..],
            Self::Within(intervals) => intervals,
        };
        address_within(blocks, shown, intervals).unwrap_or(shown)
    }
}

/// One pair of a bundle, with flows of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Pair {
    pub(crate) source: SourcePlace,
    pub(crate) sink: Sink,
    pub(crate) samples: Vec<Sample>,
    pub(crate) way: Way,
}

impl Bundle {
    /// What passes between some sources and some sinks, as these samples of the first pair show; only that.
    pub(super) fn passing(
        sources: impl Into<Arc<[SourcePlace]>>,
        sinks: impl Into<Arc<[Sink]>>,
        examples: Examples,
        certain: bool,
    ) -> Self {
        let (sources, sinks) = (sources.into(), sinks.into());
        let (complete, from_everywhere) = (false, false);
        Self { sources, sinks, certain, complete, from_everywhere, examples, way: Way::Unsolicited }
    }

    /// The bundle as something that may pass and is not claimed to.
    pub(crate) fn only_possible(mut self) -> Self {
        (self.certain, self.complete, self.from_everywhere) = (false, false, false);
        if let Examples::Passing { samples, .. } = &mut self.examples {
            samples.iter_mut().for_each(|sample| sample.certain = false);
        }
        self
    }

    /// Adds what else passes between the same places.
    pub(super) fn join(&mut self, other: Self) {
        self.certain |= other.certain;
        self.complete |= other.complete;
        self.from_everywhere |= other.from_everywhere;
        if let (Examples::Passing { samples, .. }, Examples::Passing { samples: more, .. }) =
            (&mut self.examples, other.examples)
        {
            samples.extend(more);
            samples.sort_by_key(|sample| !sample.certain);
        }
    }

    /// The part of the bundle with those sources and destinations, as the property means them, that are wanted.
    pub(super) fn part(
        &self,
        from: impl Fn(Option<Spot>) -> bool,
        to: impl Fn(Option<Spot>) -> bool,
    ) -> Option<Self> {
        let [first, second]: [&dyn Fn(Option<Spot>) -> bool; 2] =
            if self.way == Way::Answer { [&to, &from] } else { [&from, &to] };
        let sources: Vec<SourcePlace> =
            self.sources.iter().copied().filter(|source| first(Spot::source_of(*source))).collect();
        let sinks: Vec<Sink> =
            self.sinks.iter().copied().filter(|sink| second(Spot::of_sink(*sink))).collect();
        let part = Self { sources: sources.into(), sinks: sinks.into(), ..self.clone() };
        (!part.is_empty()).then_some(part)
    }

    /// Whether there is no pair.
    pub(super) fn is_empty(&self) -> bool {
        self.pairs().next().is_none()
    }

    /// The pairs, ascending by source and sink.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (SourcePlace, Sink)> {
        let of_source = |source: SourcePlace| self.sinks.iter().map(move |sink| (source, *sink));
        self.sources
            .iter()
            .copied()
            .flat_map(of_source)
            .filter(|(source, sink)| !is_one_place(*source, *sink))
    }

    /// The flows of one pair.
    ///
    /// INVARIANT (alike but for addresses): the first pair's flow passes between another pair as soon as its addresses are
    /// theirs, within the intervals of the bundle.
    pub(super) fn samples(&self, network: &Network<'_>, source: SourcePlace, sink: Sink) -> Vec<Sample> {
        let Examples::Passing { samples, from, to } = &self.examples else { return Vec::new() };
        let own = |sample: &Sample| {
            let mut flow = sample.flow;
            if let SourcePlace::Interface(id) = source {
                flow.source = from.substitute(&network.sent_blocks(id), flow.source);
            }
            if let Sink::Interface(id) = sink {
                flow.destination = to.substitute(&owned_blocks(network.interface(id)), flow.destination);
            }
            Sample { flow, ..*sample }
        };
        samples.iter().map(own).collect()
    }

    /// The sources and the destinations that the property means.
    pub(super) fn ends(&self) -> [Vec<Option<Spot>>; 2] {
        let sources = self.sources.iter().map(|source| Spot::source_of(*source)).collect();
        let sinks = self.sinks.iter().map(|sink| Spot::of_sink(*sink)).collect();
        if self.way == Way::Answer { [sinks, sources] } else { [sources, sinks] }
    }
}

/// Whether a source and a sink are the same place.
pub(super) fn is_one_place(source: SourcePlace, sink: Sink) -> bool {
    Spot::source_of(source).map(Spot::sink) == Some(sink)
}

/// The positions of the bundles that each source is in.
pub(super) fn of_source(bundles: &[Bundle]) -> BTreeMap<SourcePlace, Vec<usize>> {
    let mut found: BTreeMap<SourcePlace, Vec<usize>> = BTreeMap::new();
    for (position, bundle) in bundles.iter().enumerate() {
        bundle.sources.iter().for_each(|source| found.entry(*source).or_default().push(position));
    }
    found
}

/// The address if an interface with these blocks has it, else its least one of the same family in the intervals.
fn address_within(blocks: &[IpNet], like: IpAddr, intervals: &[(u128, u128)]) -> Option<IpAddr> {
    if blocks.iter().any(|block| block.contains(&like)) {
        return Some(like);
    }
    let family = Family::of(like);
    let own = intervals_of(blocks, family);
    let common = own.iter().flat_map(|(lo, hi)| {
        intervals.iter().map(move |(from, to)| (*lo.max(from), *hi.min(to))).filter(|(lo, hi)| lo <= hi)
    });
    common.map(|(lo, _)| lo).min().map(|value| family.address(value))
}

/// Bundles without the pairs that others have already.
pub(super) fn without_known(bundles: Vec<Bundle>, known: &[Bundle]) -> Vec<Bundle> {
    let mut left = bundles;
    for other in known {
        let [from, to] = other.ends().map(BTreeSet::from_iter);
        let cut = |bundle: Bundle| {
            let beside = bundle.part(|source| !from.contains(&source), |_| true);
            let rest = bundle.part(|source| from.contains(&source), |sink| !to.contains(&sink));
            [beside, rest].into_iter().flatten()
        };
        left = left.into_iter().flat_map(cut).collect();
    }
    left
}

#[cfg(test)]
mod tests {
    use reachproof_model::id::{EniId, Id};

    use super::super::Affected;
    use super::super::affected::affected;
    use super::*;

    /// A bundle between the interfaces whose bits are set.
    fn bundle(sources: u32, sinks: u32) -> Bundle {
        let ids = |bits: u32| (0..5).filter(move |bit| bits >> bit & 1 == 1).map(EniId::from_index);
        let sources: Vec<SourcePlace> = ids(sources).map(SourcePlace::Interface).collect();
        let sinks: Vec<Sink> = ids(sinks).map(Sink::Interface).collect();
        let examples = Examples::Closed { traffic: Vec::new(), direction: 0 };
        Bundle::passing(sources, sinks, examples, true)
    }

    /// Every third one or so of the bundles among five interfaces, in groups of three.
    fn groups() -> impl Iterator<Item = [Bundle; 3]> {
        (0..4_000_u32).map(|seed| {
            let bits = |position: u32| seed.wrapping_mul(0x9E37_79B9).rotate_left(5 * position) & 31;
            [bundle(bits(0), bits(1)), bundle(bits(2), bits(3)), bundle(bits(4), bits(5))]
        })
    }

    fn pairs(bundles: &[Bundle]) -> BTreeSet<(SourcePlace, Sink)> {
        bundles.iter().flat_map(Bundle::pairs).collect()
    }

    #[test]
    fn overlapping_bundles_count_each_end_and_pair_once() {
        for group in groups() {
            let pairs = pairs(&group);
            let sources: BTreeSet<_> = pairs.iter().map(|(source, _)| source).collect();
            let sinks: BTreeSet<_> = pairs.iter().map(|(_, sink)| sink).collect();
            let expected = Affected { sources: sources.len(), destinations: sinks.len(), pairs: pairs.len() };
            assert_eq!(affected(&group.iter().collect::<Vec<_>>()), expected, "{group:?}");
        }
    }

    #[test]
    fn what_is_left_beside_known_bundles_is_what_they_lack() {
        for [first, second, third] in groups() {
            let known = pairs(&[second.clone(), third.clone()]);
            let expected: BTreeSet<_> =
                pairs(std::slice::from_ref(&first)).difference(&known).copied().collect();
            let left = without_known(vec![first], &[second, third]);
            assert_eq!(pairs(&left), expected);
        }
    }
}
