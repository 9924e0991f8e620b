//! Lanes: senders that may be taken together.

use std::collections::{BTreeMap, BTreeSet};

use super::atom::Atom;
use super::chain::{Chains, LetOut};
use super::class::{ClassId, Partition, StationId};
use super::domain::Lane;
use crate::header::{Family, Set};
use crate::reach::Reach;

/// All senders of one family.
#[derive(Default)]
pub(super) struct Lanes {
    /// Some may have no stations any more.
    pub(super) all: Vec<Lane>,
    /// The lanes of each context.
    pub(super) of_context: BTreeMap<u32, Vec<u32>>,
    /// The lane of each station.
    pub(super) of_station: BTreeMap<StationId, u32>,
}

/// Lanes whose groups let out other things than before, with what that was.
pub(super) type Relet = BTreeMap<u32, [Set; 2]>;

impl Lanes {
    /// Lanes that are as they were earlier keep their number; others come behind the last one.
    pub(super) fn of(
        reach: &Reach<'_, '_>,
        partition: &Partition,
        chains: &Chains,
        (family, alone): (Family, &BTreeSet<ClassId>),
        earlier: &Self,
    ) -> Self {
        let all = kept_in_place(earlier, grouped(reach, partition, chains, family, alone));
        let (mut of_context, mut of_station) = (BTreeMap::new(), BTreeMap::new());
        for (lane, number) in all.iter().zip(0..).filter(|(lane, _)| !lane.stations.is_empty()) {
            of_context.entry(lane.context).or_insert_with(Vec::new).push(number);
            of_station.extend(lane.stations.iter().map(|station| (*station, number)));
        }
        Self { all, of_context, of_station }
    }
}

impl Lanes {
    /// How many stations send in a context.
    pub(super) fn stations_in(&self, context: u32) -> u64 {
        let lanes = self.of_context.get(&context).into_iter().flatten();
        let lanes = lanes.filter_map(|lane| self.all.get(*lane as usize));
        lanes.map(|lane| lane.stations.len() as u64).sum()
    }

    /// Takes over what groups let out now; says of which lanes that differs.
    pub(super) fn relet(&mut self, partition: &Partition, before: &LetOut, after: &LetOut) -> Relet {
        let mut relet = Relet::new();
        if std::ptr::eq(before, after) {
            return relet;
        }
        let other: BTreeMap<_, _> = after.iter().filter(|(key, out)| before.get(key) != Some(out)).collect();
        let vpcs: BTreeSet<_> = other.keys().map(|(_, vpc)| *vpc).collect();
        let contexts =
            partition.contexts.iter().zip(0..).filter(|(context, _)| vpcs.contains(&context.vpc()));
        for (context, number) in contexts {
            for lane in self.of_context.get(&number).into_iter().flatten() {
                let Some(of_lane) = self.all.get_mut(*lane as usize) else { continue };
                if let Some(out) = other.get(&(of_lane.groups, context.vpc())) {
                    relet.insert(*lane, std::mem::replace(&mut of_lane.out, **out));
                }
            }
        }
        relet
    }
}

/// Senders that may be taken together.
fn grouped(
    reach: &Reach<'_, '_>,
    partition: &Partition,
    chains: &Chains,
    family: Family,
    alone: &BTreeSet<ClassId>,
) -> Vec<Lane> {
    let mut found: BTreeMap<(u32, Atom, u32), Lane> = BTreeMap::new();
    for (id, station) in partition.station_ids() {
        if station.family != family || alone.contains(&station.class) {
            continue;
        }
        let context = partition.class(station.class).context;
        let vpc = partition.context_of(station.class).vpc();
        let groups = reach.group_set(partition.member(station.class));
        let out = chains.out.get(&(groups, vpc)).copied().unwrap_or_default();
        let lane = found.entry((context, station.atom, groups)).or_insert_with(|| Lane {
            context,
            address: station.address,
            groups,
            out,
            stations: Vec::new(),
        });
        lane.stations.push(id);
    }
    found.into_values().collect()
}

/// Lanes in the place that they had earlier, where nothing about them has changed; the others at the end. Those that are
/// no more lose their stations.
fn kept_in_place(earlier: &Lanes, lanes: Vec<Lane>) -> Vec<Lane> {
    let place = |lane: &Lane| {
        let number = lane.stations.first().and_then(|first| earlier.of_station.get(first)).copied()?;
        earlier.all.get(number as usize).filter(|earlier| *earlier == lane).map(|_| number)
    };
    let (same, new): (Vec<_>, Vec<_>) =
        lanes.into_iter().map(|lane| (place(&lane), lane)).partition(|(place, _)| place.is_some());
    let same: BTreeSet<u32> = same.into_iter().filter_map(|(place, _)| place).collect();
    let mut found = earlier.all.clone();
    let gone = found.iter_mut().zip(0..).filter(|(_, number)| !same.contains(number));
    gone.for_each(|(lane, _)| lane.stations.clear());
    found.extend(new.into_iter().map(|(_, lane)| lane));
    found
}
