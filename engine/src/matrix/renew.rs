//! Which cells of a part have become stale, and how new ones take their place.
//!
//! Of a part, rows are stale of lanes that are new and of all lanes of a context that comes to the part another way;
//! columns are stale of receivers whose groups, network ACL or replies differ. Nothing else is read by a cell.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::chain::{Both, Chains, Start};
use super::class::StationId;
use super::delta::{DeltaRow, PlaceId, runs};
use super::desk::{decide, spans};
use super::domain::{Decided, Doors, Ground, Lane, Part, Senders, Span};
use super::family::Redone;
use super::lane::Lanes;
use super::pool::Holds;
use super::stale::Stale;
use crate::header::Set;
use crate::reach::Explorer;

/// What has changed since the earlier matrix.
pub(super) struct Renewal<'r, 'g, 'n, 's> {
    ground: &'r Ground<'g, 'n, 's>,
    /// The earlier lanes. Those whose number is below their count are still in their place, or have no stations any more.
    before: &'r Lanes,
    /// Whether there is an earlier matrix at all.
    compares: bool,
    /// Contexts with lanes that are new.
    regrouped: BTreeSet<u32>,
    /// Sets of groups with other rules.
    groups: BTreeSet<u32>,
    /// Contexts that are entered through another network ACL.
    bounded: BTreeSet<u32>,
    /// Contexts whose replies come home through another network ACL.
    homing: BTreeSet<u32>,
    /// Contexts whose replies get elsewhere.
    answering: BTreeSet<u32>,
}

/// A part, as it was and as it is to be.
pub(super) struct Job {
    part: Part,
    senders_before: Arc<Senders>,
    before: Decided,
    /// Receivers whose column is stale, by position.
    columns: Vec<u32>,
    /// Contexts that come another way.
    rerouted: BTreeSet<u32>,
    /// Whether rows of some lanes are stale.
    rows: bool,
    /// Whether some context does not come any more.
    left: bool,
}

impl Job {
    /// Whether there is anything to do.
    pub(super) fn is_busy(&self) -> bool {
        !self.columns.is_empty() || self.rows || self.left
    }
}

/// Cells that were decided again.
#[derive(Default)]
pub(super) struct Again {
    columns: Decided,
    rows: Decided,
}

impl Holds for Again {
    fn each(&mut self, visit: &mut dyn FnMut(&mut Set)) {
        self.columns.each(visit);
        self.rows.each(visit);
    }
}

impl<'r, 'g, 'n, 's> Renewal<'r, 'g, 'n, 's> {
    pub(super) fn of(
        ground: &'r Ground<'g, 'n, 's>,
        before: &'r Lanes,
        chains_before: &Chains,
        stale: Option<&Stale>,
    ) -> Self {
        let new = ground.lanes.all.iter().skip(before.all.len());
        let mut renewal = Self {
            ground,
            before,
            compares: stale.is_some(),
            regrouped: new.map(|lane| lane.context).collect(),
            groups: BTreeSet::new(),
            bounded: BTreeSet::new(),
            homing: BTreeSet::new(),
            answering: BTreeSet::new(),
        };
        if let Some(stale) = stale {
            renewal.compare(stale, chains_before);
        }
        renewal
    }

    fn compare(&mut self, stale: &Stale, chains_before: &Chains) {
        let network = self.ground.network;
        let carriers = self.ground.carriers.iter();
        let filtered = carriers.filter(|(_, member)| stale.filters_at(network, **member));
        self.groups = filtered.map(|((groups, _), _)| *groups).collect();
        for (context, number) in self.ground.partition.contexts.iter().zip(0..) {
            for subnet in network.subnets_of(context.member) {
                let [sent, replies] = [false, true].map(|back| {
                    let border = |chains: &Chains| [0, 1].map(|world| chains.border(subnet, back, world));
                    border(chains_before) != border(self.ground.chains)
                });
                self.bounded.extend(sent.then_some(number));
                self.homing.extend((replies && self.ground.replies).then_some(number));
            }
        }
        let (old, new) = (&chains_before.back.whole, &self.ground.chains.back.whole);
        let starts = old.keys().chain(new.keys());
        let differing: BTreeSet<Start> =
            starts.filter(|start| old.get(start) != new.get(start)).copied().collect();
        self.answering = differing.iter().filter_map(|start| start.context()).collect();
        if differing.iter().any(|start| start.context().is_none()) {
            let online = |both: &Both| both.iter().any(|opened| !opened.online.is_empty());
            let starts = old.iter().chain(new).filter(|(_, both)| online(both));
            self.answering.extend(starts.filter_map(|(start, _)| start.context()));
        }
    }

    /// Every part, ascending, with what is stale of it.
    pub(super) fn jobs(&self, parts: Vec<Part>, before: Vec<(Part, Decided)>) -> Vec<Job> {
        let first = |part: &Part| part.receivers.first().copied();
        let mut before: BTreeMap<Option<StationId>, (Part, Decided)> =
            before.into_iter().map(|(part, decided)| (first(&part), (part, decided))).collect();
        let mut jobs: Vec<Job> =
            parts.into_iter().map(|part| self.job(before.remove(&first(&part)), part)).collect();
        jobs.extend(before.into_values().map(|(part, decided)| {
            let deserted = Part { receivers: part.receivers.clone(), ..Part::default() };
            self.job(Some((part, decided)), deserted)
        }));
        jobs.sort_by_key(|job| first(&job.part));
        jobs
    }

    fn job(&self, before: Option<(Part, Decided)>, part: Part) -> Job {
        let columns = if before.is_some() { self.stale_columns(&part) } else { Vec::new() };
        let (part_before, before) = before.unwrap_or_default();
        let senders_before = part_before.senders;
        let same = Arc::ptr_eq(&senders_before, &part.senders);
        let another = |context: &u32, doors: &Arc<Doors>| !same && senders_before.get(context) != Some(doors);
        let senders = part.senders.iter().map(|(context, doors)| (*context, doors));
        let rerouted = senders
            .filter(|(context, doors)| another(context, doors) || self.homing.contains(context))
            .map(|(context, _)| context);
        let rerouted: BTreeSet<u32> = rerouted.collect();
        let rows =
            !rerouted.is_empty() || self.regrouped.iter().any(|context| part.senders.contains_key(context));
        let left = !same && senders_before.keys().any(|context| !part.senders.contains_key(context));
        Job { part, senders_before, before, columns, rerouted, rows, left }
    }

    fn stale_columns(&self, part: &Part) -> Vec<u32> {
        if self.bounded.is_empty() && self.answering.is_empty() && self.groups.is_empty() {
            return Vec::new();
        }
        let partition = self.ground.partition;
        let stale = |station: &StationId| {
            let class = partition.station(*station).class;
            let context = partition.class(class).context;
            self.bounded.contains(&context)
                || self.answering.contains(&context)
                || self.groups.contains(&(self.ground.group_set)(partition.member(class)))
        };
        let receivers = part.receivers.iter().zip(0..);
        receivers.filter(|(station, _)| stale(station)).map(|(_, position)| position).collect()
    }

    /// Whether the row of a lane is stale in a part.
    fn is_stale(&self, job: &Job, lane: u32) -> bool {
        let context = self.ground.lanes.all.get(lane as usize).map(|lane| lane.context);
        lane as usize >= self.before.all.len()
            || context.is_none_or(|context| job.rerouted.contains(&context))
    }

    /// Decides what is stale of a part.
    pub(super) fn decide(&self, explorer: &mut Explorer<'_, 'n, 's>, job: &Job) -> Again {
        let mut again = Again::default();
        if !job.columns.is_empty() {
            let receivers = job.columns.iter().filter_map(|at| job.part.receivers.get(*at as usize));
            let part = Part { receivers: receivers.copied().collect(), senders: job.part.senders.clone() };
            again.columns = decide(self.ground, explorer, &part, &|lane| !self.is_stale(job, lane));
        }
        if job.rows {
            again.rows = decide(self.ground, explorer, &job.part, &|lane| self.is_stale(job, lane));
        }
        again
    }

    /// Puts what was decided again in its place.
    pub(super) fn finish(
        &self,
        jobs: Vec<Job>,
        done: Vec<Again>,
        redone: &mut Redone,
    ) -> Vec<(Part, Decided)> {
        redone.parts += done.len() as u64;
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
        let decided = self.patched(&job, again);
        let rows = self.delta(&job, &decided);
        (job.part, decided, rows)
    }

    /// What a part was, with what was decided again instead of what is stale.
    fn patched(&self, job: &Job, again: Again) -> Decided {
        let kept = |lane: u32| {
            let lanes = self.ground.lanes.all.get(lane as usize);
            let here = |context: u32| job.part.senders.contains_key(&context);
            !self.is_stale(job, lane)
                && lanes.is_some_and(|lane| !lane.stations.is_empty() && here(lane.context))
        };
        let mut patched = self.patched_blocks(job, &again.columns, &kept);
        patched.cells = job.before.cells + again.columns.cells + again.rows.cells;
        patched.append(again.rows);
        patched
    }

    /// The blocks of the lanes that are kept, with new columns.
    fn patched_blocks(&self, job: &Job, columns: &Decided, kept: &dyn Fn(u32) -> bool) -> Decided {
        let mut patched = Decided::default();
        let mut known: BTreeMap<(Option<u32>, Option<u32>), Option<u32>> = BTreeMap::new();
        let lanes = job.before.lanes.iter().chain(&columns.lanes).map(|(lane, _)| *lane);
        let lanes: BTreeSet<u32> = lanes.filter(|lane| kept(*lane)).collect();
        for lane in lanes {
            let key = (job.before.number(lane), columns.number(lane));
            let block = *known.entry(key).or_insert_with(|| patched.keep(patched_block(job, columns, key)));
            patched.lanes.extend(block.map(|block| (lane, block)));
        }
        patched
    }

    /// What has become of the cells of a part: in stale rows of all of them, in others of those in stale columns.
    fn delta(&self, job: &Job, now: &Decided) -> Vec<DeltaRow> {
        let everywhere: Vec<u32> = (0..).take(job.part.receivers.len()).collect();
        let contexts: BTreeSet<u32> =
            job.senders_before.keys().chain(job.part.senders.keys()).copied().collect();
        let lanes = contexts.into_iter().flat_map(|context| self.ground.lanes.of_context.get(&context));
        let is_whole = |lane: &Lane, number: u32| {
            self.is_stale(job, number) || !job.part.senders.contains_key(&lane.context)
        };
        let (mut whole, mut columns) = (Comparison::default(), Comparison::default());
        for number in lanes.flatten() {
            let Some(lane) = self.ground.lanes.all.get(*number as usize) else { continue };
            let row = now.number(*number);
            if !is_whole(lane, *number) {
                columns.add(job.before.number(*number), row, &lane.stations);
                continue;
            }
            for station in &lane.stations {
                let before = self.before.of_station.get(station).and_then(|lane| job.before.number(*lane));
                whole.add(before, row, std::slice::from_ref(station));
            }
        }
        let mut rows = whole.rows(job, now, &everywhere);
        rows.extend(columns.rows(job, now, &job.columns));
        rows
    }
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
