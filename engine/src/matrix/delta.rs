//! What passes in one matrix and not in another, and the other way round.
//!
//! The main type is [`Delta`]. It speaks of [`Place`]s: the same addresses of the same interfaces in both networks, between
//! which neither matrix tells a difference.
//!
//! INVARIANT (delta complete): what passes between two places differs iff a row of the sender has a run with the receiver.

use std::collections::{BTreeMap, BTreeSet};

use reachproof_model::id::EniId;

use super::Matrix;
use super::class::StationId;
use super::domain::Cell;
use super::plain::Rows;
use crate::header::{Arena, Family};

/// A place, by its position among those of a delta.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PlaceId(pub(super) u32);

impl PlaceId {
    /// The place of a station that both matrices have.
    pub(super) fn of(station: StationId) -> Self {
        Self(station.0)
    }
}

/// An interface before and after a change; `None` where it is not there.
pub type Member = (Option<EniId>, Option<EniId>);

/// Addresses between which neither matrix tells a difference.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// Family of the addresses.
    pub family: Family,
    /// The station in the first matrix, if the addresses were owned there.
    pub before: Option<StationId>,
    /// The station in the second matrix.
    pub after: Option<StationId>,
    /// The interfaces that own one of the addresses.
    pub members: Vec<Member>,
}

/// Everything that differs between two matrices.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Delta {
    /// The places, where the matrices do not have the same stations.
    pub(super) places: Option<Vec<Place>>,
    pub(super) rows: Vec<DeltaRow>,
}

/// Senders to which the same happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeltaRow {
    /// The senders, ascending, all of one family.
    pub senders: Vec<PlaceId>,
    /// The receivers for which something differs, ascending.
    pub runs: Vec<DeltaRun>,
}

/// Neighbouring receivers for which the same differs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct DeltaRun {
    /// The first receiver.
    pub first: PlaceId,
    /// The last receiver.
    pub last: PlaceId,
    /// What passed to each of them. The sets are of the arena that the second matrix gives for the family.
    pub before: Cell,
    /// What passes now.
    pub after: Cell,
}

impl DeltaRun {
    /// What passes now and did not before.
    pub fn gained(&self, arena: &mut Arena) -> Cell {
        difference(arena, self.after, self.before)
    }

    /// What passed before and does not any more.
    pub fn lost(&self, arena: &mut Arena) -> Cell {
        difference(arena, self.before, self.after)
    }

    /// The receivers.
    pub fn receivers(&self) -> impl Iterator<Item = PlaceId> + use<> {
        (self.first.0..=self.last.0).map(PlaceId)
    }

    fn width(&self) -> u64 {
        u64::from(self.last.0.saturating_sub(self.first.0)) + 1
    }
}

fn difference(arena: &mut Arena, left: Cell, right: Cell) -> Cell {
    Cell {
        over: arena.difference(left.over, right.over),
        under: arena.difference(left.under, right.under),
        answered_over: arena.difference(left.answered_over, right.answered_over),
        answered_under: arena.difference(left.answered_under, right.answered_under),
    }
}

impl Delta {
    /// Everything that differs; a sender may be in several rows, with other receivers in each.
    pub fn rows(&self) -> &[DeltaRow] {
        &self.rows
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many pairs of places differ.
    pub fn pairs(&self) -> u64 {
        let receivers = |row: &DeltaRow| row.runs.iter().map(DeltaRun::width).sum::<u64>();
        self.rows.iter().map(|row| row.senders.len() as u64 * receivers(row)).sum()
    }

    /// A place; `after` is the second matrix.
    pub fn place(&self, after: &Matrix, id: PlaceId) -> Option<Place> {
        if let Some(places) = &self.places {
            return places.get(id.0 as usize).cloned();
        }
        let station = after.partition.stations.get(id.0 as usize)?;
        let id = StationId(id.0);
        let members = &after.partition.class(station.class).members;
        Some(Place {
            family: station.family,
            before: Some(id),
            after: Some(id),
            members: members.iter().map(|member| (Some(*member), Some(*member))).collect(),
        })
    }
}

/// The runs in which two rows of a part differ at some positions.
pub(super) fn runs(
    receivers: &[StationId],
    positions: &[u32],
    before: &[Cell],
    after: &[Cell],
) -> Vec<DeltaRun> {
    let mut found: Vec<DeltaRun> = Vec::new();
    for at in positions.iter().map(|at| *at as usize) {
        let (Some(to), Some(before), Some(after)) = (receivers.get(at), before.get(at), after.get(at)) else {
            continue;
        };
        add(&mut found, PlaceId::of(*to), *before, *after);
    }
    found
}

/// Adds a receiver behind all others, if anything differs for it.
pub(super) fn add(runs: &mut Vec<DeltaRun>, to: PlaceId, before: Cell, after: Cell) {
    if before == after {
        return;
    }
    match runs.last_mut() {
        Some(run) if run.last.0 + 1 == to.0 && (run.before, run.after) == (before, after) => run.last = to,
        _ => runs.push(DeltaRun { first: to, last: to, before, after }),
    }
}

/// What differs for senders that are explored alone.
pub(super) fn alone(before: &Rows, after: &Rows) -> Vec<DeltaRow> {
    let senders: BTreeSet<StationId> = before.keys().chain(after.keys()).copied().collect();
    let rows = senders.into_iter().map(|sender| {
        let cells = |rows: &Rows| -> BTreeMap<StationId, Cell> {
            rows.get(&sender).into_iter().flatten().copied().collect()
        };
        let (before, after) = (cells(before), cells(after));
        let receivers: BTreeSet<StationId> = before.keys().chain(after.keys()).copied().collect();
        let mut runs = Vec::new();
        for to in receivers {
            let cell = |cells: &BTreeMap<StationId, Cell>| cells.get(&to).copied().unwrap_or_default();
            add(&mut runs, PlaceId::of(to), cell(&before), cell(&after));
        }
        DeltaRow { senders: vec![PlaceId::of(sender)], runs }
    });
    rows.filter(|row| !row.runs.is_empty()).collect()
}
