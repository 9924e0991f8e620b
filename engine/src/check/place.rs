//! Wanted sources and sinks by their addresses, so that a whole class is asked about at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use ipnet::IpNet;

use super::bundle::{Addresses, Intervals};
use super::gather::Wanted;
use crate::asked::{Sender, senders};
use crate::header::{Arena, Family, Field, HeaderBox, Set};
use crate::network::{Network, Sink, SourcePlace, owned_blocks};
use crate::reach::{Reach, Receivers, SourceClass, intervals_of, merged_intervals};
use crate::region::{Extent, Spot};

/// Places by the addresses that they have and that are meant.
pub(super) struct Places<T> {
    /// Every place, ascending.
    pub(super) all: Arc<[T]>,
    /// Intervals with their places, ascending.
    rows: Vec<(u128, u128, T)>,
    /// The same by places, ascending.
    by_place: Vec<(T, u128, u128)>,
    /// The greatest address of each row and those before it; it ascends even where rows overlap.
    furthest: Vec<u128>,
    /// Whether every place is an interface with all of its addresses.
    entire: bool,
}

impl<T: Copy + Ord> Places<T> {
    fn of(mut rows: Vec<(u128, u128, T)>, entire: bool) -> Self {
        rows.sort_unstable();
        let mut by_place: Vec<(T, u128, u128)> =
            rows.iter().map(|(lo, hi, place)| (*place, *lo, *hi)).collect();
        by_place.sort_unstable();
        let mut all: Vec<T> = by_place.iter().map(|(place, _, _)| *place).collect();
        all.dedup();
        let furthest = rows.iter().scan(0, |furthest, (_, hi, _)| {
            *furthest = (*furthest).max(*hi);
            Some(*furthest)
        });
        Self { all: all.into(), furthest: furthest.collect(), rows, by_place, entire }
    }

    /// The places with an address in the intervals, ascending.
    pub(super) fn among(&self, intervals: &[(u128, u128)]) -> Arc<[T]> {
        let mut found: Vec<T> = Vec::new();
        for (lo, hi) in intervals {
            let first = self.furthest.partition_point(|furthest| furthest < lo);
            let rows = self.rows.iter().skip(first).take_while(|(start, _, _)| start <= hi);
            found.extend(rows.filter(|(_, end, _)| end >= lo).map(|(_, _, place)| *place));
        }
        found.sort_unstable();
        found.dedup();
        if *found == *self.all { Arc::clone(&self.all) } else { found.into() }
    }

    /// Whether every address of every place is in the intervals.
    pub(super) fn are_within(&self, intervals: &[(u128, u128)]) -> bool {
        self.rows.iter().all(|(lo, hi, _)| {
            let at = intervals.partition_point(|(_, to)| to < hi);
            intervals.get(at).is_some_and(|(from, _)| from <= lo)
        })
    }

    /// The least address of the place in the intervals.
    pub(super) fn least_within(&self, place: T, intervals: &[(u128, u128)]) -> Option<u128> {
        let own: Intervals = self.own(place).collect();
        common(&own, intervals).into_iter().map(|(lo, _)| lo).min()
    }

    /// The addresses of a place in the intervals, as those that may take the place of one another.
    pub(super) fn substitutes(&self, intervals: &[(u128, u128)]) -> Addresses {
        if self.entire && self.are_within(intervals) {
            Addresses::Own
        } else {
            Addresses::Within(intervals.into())
        }
    }

    /// The addresses of a place.
    fn own(&self, place: T) -> impl Iterator<Item = (u128, u128)> {
        let first = self.by_place.partition_point(|(other, _, _)| *other < place);
        let own = self.by_place.iter().skip(first).take_while(move |(other, _, _)| *other == place);
        own.map(|(_, lo, hi)| (*lo, *hi))
    }

    /// The headers with one of the addresses in a field.
    pub(super) fn headers(&self, arena: &mut Arena, family: Family, field: Field) -> Set {
        let all = HeaderBox::full(family);
        let boxes: Vec<HeaderBox> = self.rows.iter().map(|(lo, hi, _)| all.with(field, *lo, *hi)).collect();
        arena.any_of(&boxes)
    }

    /// The headers with one of the place's addresses in a field.
    pub(super) fn headers_of(&self, arena: &mut Arena, family: Family, field: Field, place: T) -> Set {
        let all = HeaderBox::full(family);
        let boxes: Vec<HeaderBox> = self.own(place).map(|(lo, hi)| all.with(field, lo, hi)).collect();
        arena.any_of(&boxes)
    }
}

/// The wanted members of a class of sources, by the addresses that they may send from.
pub(super) fn origins(
    network: &Network<'_>,
    wanted: &Wanted<'_>,
    class: &SourceClass,
    family: Family,
) -> Places<SourcePlace> {
    let (mut rows, mut entire) = (Vec::new(), true);
    for Sender { place, extent, .. } in senders(network, wanted.from, class) {
        let mut meant = merged_intervals(intervals_of(&extent.blocks, family));
        if let SourcePlace::Interface(id) = place {
            let own = intervals_of(&network.sent_blocks(id), family);
            meant = common(&own, &meant);
            entire &= meant == own;
        }
        rows.extend(meant.into_iter().map(|(lo, hi)| (lo, hi, place)));
    }
    Places::of(rows, entire)
}

/// What some intervals have in common with others that are ascending and disjoint, in the order of the first.
pub(super) fn common(some: &[(u128, u128)], others: &[(u128, u128)]) -> Intervals {
    let of_one = |(lo, hi): &(u128, u128)| {
        let (lo, hi) = (*lo, *hi);
        let first = others.partition_point(|(_, end)| *end < lo);
        let others = others.iter().skip(first).take_while(move |(start, _)| *start <= hi);
        others.map(move |(start, end)| (lo.max(*start), hi.min(*end)))
    };
    some.iter().flat_map(of_one).collect()
}

/// The wanted members of a class of receivers.
pub(super) struct Target {
    /// By the addresses that are meant.
    pub(super) meant: Places<Sink>,
    /// By those at which something that happens is something that must not; `None` if they are the same.
    pub(super) refuting: Option<Places<Sink>>,
}

impl Target {
    fn of(network: &Network<'_>, wanted: &Wanted<'_>, receivers: &Receivers) -> Option<Self> {
        let rows = |blocks: fn(&Extent) -> &Vec<IpNet>| {
            let mut rows = Vec::new();
            for ((lo, hi), owner) in receivers.intervals.iter().zip(&receivers.owners) {
                let Some(extent) = wanted.to.get(Spot::Interface(*owner)) else { continue };
                let meant = merged_intervals(intervals_of(blocks(extent), receivers.family));
                let own = common(&[(*lo, *hi)], &meant);
                rows.extend(own.into_iter().map(|(lo, hi)| (lo, hi, Sink::Interface(*owner))));
            }
            rows
        };
        let meant = rows(|extent| &extent.blocks);
        let refuting = rows(|extent| &extent.certain);
        let entire = is_entire(network, &meant, receivers.family);
        let refuting = (refuting != meant).then(|| Places::of(refuting, false));
        (!meant.is_empty()).then(|| Self { meant: Places::of(meant, entire), refuting })
    }
}

/// Whether the rows are all that their interfaces own.
fn is_entire(network: &Network<'_>, rows: &[(u128, u128, Sink)], family: Family) -> bool {
    let mut known: BTreeMap<Sink, Intervals> = BTreeMap::new();
    rows.iter().for_each(|(lo, hi, sink)| known.entry(*sink).or_default().push((*lo, *hi)));
    known.into_iter().all(|(sink, rows)| match sink {
        Sink::Interface(id) => rows == intervals_of(&owned_blocks(network.interface(id)), family),
        _ => false,
    })
}

/// The wanted sinks among the classes of receivers, by the position of the class.
pub(super) fn targets(reach: &Reach<'_, '_>, wanted: &Wanted<'_>) -> Vec<Option<Target>> {
    reach.receivers().map(|receivers| Target::of(reach.network(), wanted, receivers)).collect()
}
