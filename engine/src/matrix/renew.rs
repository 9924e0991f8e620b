//! Which cells of a part have become stale, and how new ones take their place.
//!
//! Of a part, rows are stale of lanes that are new and of all lanes of a context that comes to the part another way;
//! columns are stale of receivers whose groups, network ACL or replies differ. Nothing else is read by a cell.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;
use reachproof_model::id::VpcId;

use super::chain::{Both, Chains, Legs, Start};
use super::class::{Context, StationId};
use super::delta::{DeltaRow, PlaceId, runs};
use super::desk::{decide, spans};
use super::domain::{Decided, Ground, Met, Part, Span};
use super::family::Redone;
use super::lane::{Lanes, Relet};
use super::pool::Holds;
use super::road::{Comings, Detours};
use super::stale::Stale;
use crate::header::hash::FixedMap;
use crate::header::{Arena, Field, Set};
use crate::reach::Explorer;

/// What has changed since the earlier matrix.
pub(super) struct Renewal<'r, 'g, 'n, 's> {
    ground: &'r Ground<'g, 'n, 's>,
    /// The earlier lanes and chains. Lanes whose number is below their count are still in their place, or have no stations any
    /// more.
    before: (&'r Lanes, &'r Chains),
    /// Whether there is an earlier matrix at all.
    compares: bool,
    /// Lanes in their place whose groups let out other things.
    relet: Vec<Relets>,
    /// Contexts with lanes that are new.
    regrouped: BTreeSet<u32>,
    /// Receivers whose groups have other rules.
    refiltered: BTreeSet<StationId>,
    /// Contexts that are entered through another network ACL, or whose replies get elsewhere.
    bounded: BTreeSet<u32>,
    /// The VPCs of these.
    bounded_vpcs: BTreeSet<Option<VpcId>>,
    /// Contexts whose replies come home through another network ACL.
    homing: BTreeSet<u32>,
    detours: Detours,
    /// Contexts by the first one that sends alike, where anything comes another way.
    alike: BTreeMap<Start, Vec<u32>>,
}

/// Intervals of addresses.
type Intervals = [(u128, u128)];

/// A lane whose groups let out other things to destinations in these intervals.
struct Relets {
    lane: u32,
    context: u32,
    destinations: Arc<Intervals>,
}

/// A part, as it was and as it is to be.
pub(super) struct Job {
    part: Part,
    before: Decided,
    /// Receivers whose column is stale, by position.
    columns: Vec<u32>,
    /// Lanes whose groups let other things out to the part, and their contexts.
    relet: BTreeSet<u32>,
    relet_contexts: BTreeSet<u32>,
    /// Whether rows of other lanes may be stale.
    rows: bool,
}

impl Job {
    /// Whether there is anything to do.
    pub(super) fn is_busy(&self) -> bool {
        !self.columns.is_empty() || self.rows || !self.relet.is_empty()
    }
}

/// Cells that were decided again.
#[derive(Default)]
pub(super) struct Again {
    columns: Decided,
    rows: Decided,
    /// Contexts that come another way.
    rerouted: BTreeSet<u32>,
    /// What came from them, and what comes now.
    met: [Met; 2],
}

impl Holds for Again {
    fn each(&mut self, visit: &mut dyn FnMut(&mut Set)) {
        self.columns.each(visit);
        self.rows.each(visit);
    }
}

/// What a matrix was made of before, with what its lanes let out where that is not as it was.
pub(super) type Earlier<'r> = (&'r Lanes, &'r Chains, Relet);

impl<'r, 'g, 'n, 's> Renewal<'r, 'g, 'n, 's> {
    pub(super) fn of(
        ground: &'r Ground<'g, 'n, 's>,
        (lanes, chains, relet): Earlier<'r>,
        stale: Option<&Stale>,
        arena: &mut Arena,
    ) -> Self {
        let new = ground.lanes.all.iter().skip(lanes.all.len());
        let mut renewal = Self {
            ground,
            before: (lanes, chains),
            compares: stale.is_some(),
            relet: relets(ground.lanes, relet, arena),
            regrouped: new.map(|lane| lane.context).collect(),
            refiltered: BTreeSet::new(),
            bounded: BTreeSet::new(),
            bounded_vpcs: BTreeSet::new(),
            homing: BTreeSet::new(),
            detours: Detours::default(),
            alike: BTreeMap::new(),
        };
        if let Some(stale) = stale {
            renewal.refiltered = stale.admitting(ground.network, ground.partition);
            renewal.compare(chains);
        }
        renewal
    }

    fn compare(&mut self, before: &Chains) {
        let (ground, after) = (self.ground, self.ground.chains);
        if !Arc::ptr_eq(&before.borders, &after.borders) {
            for (context, number) in ground.partition.contexts.iter().zip(0..) {
                for subnet in ground.network.subnets_of(context.member) {
                    let [sent, replies] = [false, true].map(|back| {
                        let border = |chains: &Chains| [0, 1].map(|world| chains.border(subnet, back, world));
                        border(before) != border(after)
                    });
                    self.bounded.extend(sent.then_some(number));
                    self.homing.extend((replies && ground.replies).then_some(number));
                }
            }
        }
        if !Arc::ptr_eq(&before.back, &after.back) {
            let differing = answering(&before.back, &after.back);
            let contexts = (0..).take(ground.partition.contexts.len());
            let other = contexts.filter(|one| differing.contains(&after.back.first(Start::From(*one))));
            self.bounded.extend(other);
        }
        let vpc = |context: &u32| ground.partition.contexts.get(*context as usize).and_then(Context::vpc);
        self.bounded_vpcs = self.bounded.iter().map(vpc).collect();
        self.detours = Detours::between(&before.forward, &after.forward);
        if !self.detours.is_empty() {
            for context in (0..).take(ground.partition.contexts.len()) {
                let first = after.forward.first(Start::From(context));
                self.alike.entry(first).or_default().push(context);
            }
        }
    }

    /// Every part with what is stale of it.
    pub(super) fn jobs(&self, parts: Vec<(Part, Decided)>) -> Vec<Job> {
        parts.into_iter().map(|(part, before)| self.job(part, before)).collect()
    }

    fn job(&self, part: Part, before: Decided) -> Job {
        let columns = self.stale_columns(&part);
        let (first, last) = part.addresses;
        let meets = |relet: &&Relets| relet.destinations.iter().any(|(lo, hi)| *lo <= last && first <= *hi);
        let met = || self.relet.iter().filter(meets);
        let (relet, relet_contexts) =
            (met().map(|one| one.lane).collect(), met().map(|one| one.context).collect());
        let rows = !self.compares
            || !self.regrouped.is_empty()
            || !self.homing.is_empty()
            || self.detours.concern(part.vpc);
        Job { part, before, columns, relet, relet_contexts, rows }
    }

    fn stale_columns(&self, part: &Part) -> Vec<u32> {
        if !self.compares {
            return Vec::new();
        }
        let partition = self.ground.partition;
        let bounded = self.bounded_vpcs.contains(&part.vpc);
        let ends = part.receivers.first().zip(part.receivers.last());
        let refiltered =
            ends.is_some_and(|(first, last)| self.refiltered.range(first..=last).next().is_some());
        if !bounded && !refiltered {
            return Vec::new();
        }
        let stale = |station: &StationId| {
            let context = partition.class(partition.station(*station).class).context;
            self.refiltered.contains(station) || self.bounded.contains(&context)
        };
        let receivers = part.receivers.iter().zip(0..);
        receivers.filter(|(station, _)| stale(station)).map(|(_, position)| position).collect()
    }

    /// Whether the row of a lane is stale in a part.
    fn is_stale(&self, job: &Job, rerouted: &BTreeSet<u32>, lane: u32) -> bool {
        let context = self.ground.lanes.all.get(lane as usize).map(|lane| lane.context);
        lane as usize >= self.before.0.all.len()
            || job.relet.contains(&lane)
            || context.is_none_or(|context| rerouted.contains(&context))
    }

    /// Decides what is stale of a part.
    pub(super) fn decide(&self, explorer: &mut Explorer<'_, 'n, 's>, job: &Job) -> Again {
        let contexts = || (0..).take(self.ground.partition.contexts.len());
        if !self.compares {
            let rows = decide(self.ground, explorer, &job.part, (&mut contexts(), &|_| true));
            return Again { rows, ..Again::default() };
        }
        let mut again = self.rerouted(&mut explorer.arena, job);
        let rerouted = &again.rerouted;
        let is_stale = |lane: u32| self.is_stale(job, rerouted, lane);
        if !job.columns.is_empty() {
            let receivers = job.columns.iter().filter_map(|at| job.part.receivers.get(*at as usize));
            let part = Part { receivers: receivers.copied().collect(), ..job.part.clone() };
            again.columns = decide(self.ground, explorer, &part, (&mut contexts(), &|lane| !is_stale(lane)));
        }
        let others = rerouted.iter().chain(&self.regrouped).chain(&job.relet_contexts);
        let others: BTreeSet<u32> = others.copied().collect();
        again.rows = decide(self.ground, explorer, &job.part, (&mut others.into_iter(), &is_stale));
        again
    }

    /// The contexts that come to a part another way, or whose replies come home another way.
    fn rerouted(&self, arena: &mut Arena, job: &Job) -> Again {
        let (vpc, after) = (job.part.vpc, &self.ground.chains.forward);
        let mut again = Again::default();
        let mut comings = [&self.before.1.forward, after].map(|legs| Comings::to(legs, vpc));
        for start in self.detours.starts(after, vpc) {
            let doors = comings.each_mut().map(|comings| comings.from(arena, start));
            if doors[0] == doors[1] {
                continue;
            }
            for context in self.alike.get(&start).into_iter().flatten() {
                again.rerouted.insert(*context);
                for (met, doors) in again.met.iter_mut().zip(&doors) {
                    doors.iter().for_each(|doors| met.add(self.ground.lanes, *context, doors));
                }
            }
        }
        let [_, mut now] = comings;
        let homing = self.homing.iter().filter(|context| now.from(arena, Start::From(**context)).is_some());
        again.rerouted.extend(homing);
        again
    }

    /// Puts what was decided again in its place.
    pub(super) fn finish(
        &self,
        jobs: Vec<Job>,
        done: Vec<Again>,
        redone: &mut Redone,
    ) -> Vec<(Part, Decided)> {
        redone.parts += done.iter().filter(|again| again.columns.cells + again.rows.cells > 0).count() as u64;
        redone.cells += done.iter().map(|again| again.columns.cells + again.rows.cells).sum::<u64>();
        let mut done = done.into_iter();
        let work: Vec<(Job, Option<Again>)> = jobs
            .into_iter()
            .map(|job| {
                let again = if job.is_busy() { done.next() } else { None };
                (job, again)
            })
            .collect();
        let finished: Vec<(Part, Decided, Vec<DeltaRow>)> =
            work.into_par_iter().map(|(job, again)| self.finished(job, again)).collect();
        let mut parts = Vec::with_capacity(finished.len());
        for (part, decided, rows) in finished {
            redone.rows.extend(rows);
            parts.push((part, decided));
        }
        parts
    }

    fn finished(&self, job: Job, again: Option<Again>) -> (Part, Decided, Vec<DeltaRow>) {
        let Some(again) = again else { return (job.part, job.before, Vec::new()) };
        if !self.compares {
            return (job.part, again.rows, Vec::new());
        }
        let rerouted = again.rerouted.clone();
        let is_stale = |lane: u32| self.is_stale(&job, &rerouted, lane);
        let decided = self.patched(&job, again, &is_stale);
        let rows = self.delta(&job, &decided, &is_stale);
        (job.part, decided, rows)
    }

    /// What a part was, with what was decided again instead of what is stale.
    fn patched(&self, job: &Job, again: Again, is_stale: &dyn Fn(u32) -> bool) -> Decided {
        let peopled = |lane: u32| {
            let lane = self.ground.lanes.all.get(lane as usize);
            lane.is_some_and(|lane| !lane.stations.is_empty())
        };
        let kept = |lane: u32| !is_stale(lane) && peopled(lane);
        let mut patched = self.patched_blocks(job, &again.columns, &kept);
        patched.cells = job.before.cells + again.columns.cells + again.rows.cells;
        let [left, come] = again.met;
        patched.met = Met {
            senders: (job.before.met.senders + come.senders).saturating_sub(left.senders),
            chains: (job.before.met.chains + come.chains).saturating_sub(left.chains),
        };
        patched.append(again.rows);
        patched
    }

    /// The blocks of the lanes that are kept, with new columns.
    fn patched_blocks(&self, job: &Job, columns: &Decided, kept: &dyn Fn(u32) -> bool) -> Decided {
        let mut patched = Decided::default();
        let mut known: FixedMap<(Option<u32>, Option<u32>), Option<u32>> = FixedMap::default();
        for (lane, before, new) in both(&job.before, columns) {
            if !kept(lane) {
                continue;
            }
            let block = *known.entry((before, new)).or_insert_with(|| {
                patched.keep(if job.columns.is_empty() {
                    job.before.spans(before).to_vec()
                } else {
                    patched_block(job, columns, (before, new))
                })
            });
            patched.lanes.extend(block.map(|block| (lane, block)));
        }
        patched
    }

    /// What has become of the cells of a part: in stale rows of all of them, in others of those in stale columns.
    fn delta(&self, job: &Job, now: &Decided, is_stale: &dyn Fn(u32) -> bool) -> Vec<DeltaRow> {
        let everywhere: Vec<u32> = (0..).take(job.part.receivers.len()).collect();
        let (mut whole, mut columns) = (Comparison::default(), Comparison::default());
        let is_new = |lane: u32| lane as usize >= self.before.0.all.len();
        for (number, before, row) in both(&job.before, now) {
            let Some(lane) = self.ground.lanes.all.get(number as usize).filter(|_| !is_new(number)) else {
                continue;
            };
            let comparison = if is_stale(number) { &mut whole } else { &mut columns };
            comparison.add(before, row, &lane.stations);
        }
        for lane in self.ground.lanes.all.iter().skip(self.before.0.all.len()).zip(self.before.0.all.len()..)
        {
            let row = u32::try_from(lane.1).ok().and_then(|number| now.number(number));
            for station in &lane.0.stations {
                let before = self.before.0.of_station.get(station).and_then(|lane| job.before.number(*lane));
                whole.add(before, row, std::slice::from_ref(station));
            }
        }
        let mut rows = whole.rows(job, now, &everywhere);
        rows.extend(columns.rows(job, now, &job.columns));
        rows
    }
}

/// The lanes with a block in one or the other, ascending, with both.
fn both<'d>(
    left: &'d Decided,
    right: &'d Decided,
) -> impl Iterator<Item = (u32, Option<u32>, Option<u32>)> + 'd {
    let (mut left, mut right) = (left.lanes.iter().peekable(), right.lanes.iter().peekable());
    std::iter::from_fn(move || {
        let next = left.peek().into_iter().chain(right.peek()).map(|(lane, _)| *lane).min()?;
        let at = |(lane, _): &&(u32, u32)| *lane == next;
        let (before, new) = (left.next_if(at), right.next_if(at));
        Some((next, before.map(|(_, block)| *block), new.map(|(_, block)| *block)))
    })
}

/// Where what the groups of lanes let out has become another.
fn relets(lanes: &Lanes, relet: Relet, arena: &mut Arena) -> Vec<Relets> {
    let mut known: FixedMap<[[Set; 2]; 2], Arc<Intervals>> = FixedMap::default();
    let mut found = Vec::new();
    for (number, before) in relet {
        let Some(lane) = lanes.all.get(number as usize) else { continue };
        let destinations = known.entry([before, lane.out]).or_insert_with(|| {
            let worlds = before.into_iter().zip(lane.out);
            worlds.flat_map(|(before, now)| differing_at(arena, before, now)).collect()
        });
        found.push(Relets { lane: number, context: lane.context, destinations: Arc::clone(destinations) });
    }
    found
}

/// The destinations for which two sets differ.
fn differing_at(arena: &mut Arena, before: Set, now: Set) -> Vec<(u128, u128)> {
    let (gone, new) = (arena.difference(before, now), arena.difference(now, before));
    let differing = arena.union(gone, new);
    let mut first = 0;
    let mut found = Vec::new();
    for last in arena.cuts(differing, Field::Destination) {
        if !arena.restrict(differing, Field::Destination, last).is_empty() {
            found.push((first, last));
        }
        first = last.saturating_add(1);
    }
    found
}

/// The starts whose replies get elsewhere, and those whose replies come to the internet where something else comes in.
fn answering(before: &Legs, after: &Legs) -> BTreeSet<Start> {
    let portals = before.behind.iter().zip(&after.behind).flat_map(|(before, after)| {
        let keys = before.keys().chain(after.keys());
        keys.filter(|portal| before.get(portal) != after.get(portal))
    });
    let portals: BTreeSet<_> = portals.collect();
    let passes =
        |both: &Both| both.iter().flat_map(|opened| opened.portals.keys()).any(|one| portals.contains(one));
    let own = |start: &Start| (before.own.get(start), after.own.get(start));
    let starts = before.own.keys().chain(after.own.keys()).copied();
    let mut found: BTreeSet<Start> = starts
        .filter(|start| {
            let (old, new) = own(start);
            old != new || new.is_some_and(|both| passes(both))
        })
        .collect();
    if found.iter().any(|start| start.context().is_none()) {
        found.extend(before.roads.online.iter().chain(&after.roads.online));
    }
    found
}

/// Senders by the blocks that their cells are in, before and now.
#[derive(Default)]
struct Comparison(BTreeMap<(Option<u32>, Option<u32>), Vec<StationId>>);

impl Comparison {
    fn add(&mut self, before: Option<u32>, now: Option<u32>, stations: &[StationId]) {
        self.0.entry((before, now)).or_default().extend(stations);
    }

    /// What differs at some positions.
    fn rows(self, job: &Job, now: &Decided, positions: &[u32]) -> Vec<DeltaRow> {
        if positions.is_empty() {
            return Vec::new();
        }
        let receivers = &job.part.receivers;
        let mut rows = Vec::new();
        for (blocks, stations) in self.0 {
            let before = job.before.dense(blocks.0, receivers.len());
            let after = now.dense(blocks.1, receivers.len());
            let senders = stations.into_iter().map(PlaceId::of).collect();
            rows.push(DeltaRow { senders, runs: runs(receivers, positions, &before, &after) });
        }
        rows.retain(|row| !row.runs.is_empty() && !row.senders.is_empty());
        rows
    }
}

/// A block of the earlier matrix with new columns.
fn patched_block(job: &Job, columns: &Decided, (before, new): (Option<u32>, Option<u32>)) -> Vec<Span> {
    let mut cells = job.before.dense(before, job.part.receivers.len());
    for (at, cell) in job.columns.iter().zip(columns.dense(new, job.columns.len())) {
        cells.iter_mut().skip(*at as usize).take(1).for_each(|old| *old = cell);
    }
    spans(&cells)
}
