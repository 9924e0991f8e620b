//! Requiring forms: every pair, or some pair, must pass, with each kind of traffic that the property names.

use std::collections::BTreeMap;

use reachproof_model::policy::TrafficSpec;

use super::gather::{Pair, Wanted, gather};
use super::{Case, CheckError, Direction, PropertyReport, Verdict};
use crate::network::{Sink, SourcePlace};
use crate::region::Spot;

/// What passes in one direction with one kind of traffic.
struct Searched<'c> {
    direction: &'c Direction,
    /// One specification, or none where the property is about any header.
    traffic: &'c [TrafficSpec],
    found: BTreeMap<(SourcePlace, Sink), Pair>,
}

/// The pairs of a requiring form that do not pass for certain, and how many do.
#[derive(Default)]
struct Sorted {
    passing: usize,
    failing: Vec<Pair>,
    unsure: Vec<Pair>,
}

impl Case<'_, '_, '_> {
    /// Holds iff every pair passes, or, unless `every`, some pair does.
    pub(super) fn required(&self, every: bool) -> Result<PropertyReport, CheckError> {
        let mut sorted = Sorted::default();
        for direction in &self.directions {
            let searched = self.search(direction)?;
            for (source, sink) in wanted_pairs(direction) {
                self.sort(&searched, source, sink, every, &mut sorted);
            }
        }
        let Sorted { passing, failing, unsure } = sorted;
        let (failing, mut waived) = self.without_waived(failing)?;
        let (unsure, waived_unsure) = self.without_waived(unsure)?;
        waived.extend(waived_unsure);
        let satisfied = if every { failing.is_empty() && unsure.is_empty() } else { passing > 0 };
        let refuted = if every { !failing.is_empty() } else { unsure.is_empty() };
        let (verdict, pairs): (Verdict, Vec<&Pair>) = match (satisfied, refuted) {
            (true, _) => (Verdict::Holds, Vec::new()),
            (false, true) => (Verdict::Violated, failing.iter().collect()),
            (false, false) => (Verdict::Unknown, unsure.iter().collect()),
        };
        let witnesses = self.replay_closed(&pairs, verdict == Verdict::Violated)?;
        self.report(verdict, &pairs, witnesses, waived)
    }

    /// A search for each kind of traffic, so that one closed port is told from others that are open.
    fn search<'c>(&'c self, direction: &'c Direction) -> Result<Vec<Searched<'c>>, CheckError> {
        let all = &self.property.traffic;
        let kinds: Vec<&[TrafficSpec]> = if all.is_empty() { vec![&[]] } else { all.chunks(1).collect() };
        let mut searched = Vec::new();
        for traffic in kinds {
            let wanted = Wanted { traffic, ..self.wanted(direction, &direction.from) };
            let found = gather(self.reach, &wanted)?;
            let found = found.into_iter().map(|pair| ((pair.source, pair.sink), pair)).collect();
            searched.push(Searched { direction, traffic, found });
        }
        Ok(searched)
    }

    /// A pair fails if one kind of traffic does, and passes if all do; where `every` pair must, from each address of the
    /// source.
    fn sort(
        &self,
        searched: &[Searched<'_>],
        source: SourcePlace,
        sink: Sink,
        every: bool,
        into: &mut Sorted,
    ) {
        let mut unsure = None;
        for search in searched {
            match search.found.get(&(source, sink)) {
                Some(pair)
                    if pair.complete && (pair.from_everywhere || !every) && !search.is_implied(sink) => {}
                Some(pair) => unsure = unsure.or(Some(pair.clone())),
                None => {
                    let pair = self.closed_pair(search.direction, search.traffic, source, sink);
                    if !self.is_vague(&pair) && !search.is_one_of_several(sink) {
                        return into.failing.push(pair);
                    }
                    unsure = unsure.or(Some(pair.only_possible()));
                }
            }
        }
        match unsure {
            Some(pair) => into.unsure.push(pair),
            None => into.passing += 1,
        }
    }
}

impl Searched<'_> {
    /// Whether the destination stands for several places, only some of which can have been reached.
    fn is_implied(&self, sink: Sink) -> bool {
        self.direction.to.at(sink).is_some_and(|extent| extent.implied())
    }

    /// Whether what the destination stands for may be at another place.
    fn is_one_of_several(&self, sink: Sink) -> bool {
        self.is_implied(sink) && self.direction.to.len() > 1
    }
}

/// Every pair that a requiring form is about.
fn wanted_pairs(direction: &Direction) -> Vec<(SourcePlace, Sink)> {
    let sources: Vec<Spot> = direction.from.iter().map(|(spot, _)| spot).collect();
    let pairs = sources.iter().flat_map(|source| direction.to.iter().map(move |(sink, _)| (*source, sink)));
    pairs
        .filter(|(source, sink)| source != sink)
        .filter_map(|(source, sink)| Some((source.source()?, sink.sink())))
        .collect()
}
