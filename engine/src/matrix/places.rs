//! The delta of two matrices that were built independently: their stations are matched by the addresses of interfaces.

use std::collections::{BTreeMap, BTreeSet};

use reachproof_model::id::EniId;
use reachproof_model::snapshot::{Interface, Snapshot};

use super::Matrix;
use super::class::StationId;
use super::delta::{Delta, DeltaRow, DeltaRun, Member, Place, PlaceId, add};
use super::domain::Cell;
use crate::header::{Family, Set};
use crate::network::{Network, NodeLimit, owned_blocks};
use crate::reach::{Exhausted, intervals_of};

/// A matrix with its network.
type Side<'m, 'n, 's> = (&'m Matrix, &'n Network<'s>);

/// What differs. The sets of the first matrix are added to those of the second one.
pub(super) fn between(
    before: Side<'_, '_, '_>,
    after: (&mut Matrix, &Network<'_>),
) -> Result<Delta, Exhausted> {
    let (matrix, network) = after;
    let mut moved = BTreeMap::new();
    for family in [Family::V4, Family::V6] {
        moved.insert(family, import(before.0, matrix, family, network.options.nodes)?);
    }
    let places = places(before, (matrix, network));
    let mut rows = Vec::new();
    for family in [Family::V4, Family::V6] {
        let sets = moved.remove(&family).unwrap_or_default();
        rows.extend(family_rows(before.0, matrix, &places, family, &sets));
    }
    Ok(Delta { places: Some(places), rows })
}

/// What the sets of the first matrix are among those of the second one.
fn import(
    before: &Matrix,
    after: &mut Matrix,
    family: Family,
    limit: NodeLimit,
) -> Result<BTreeMap<Set, Set>, Exhausted> {
    let known: Vec<Set> = before.family(family).sets().into_iter().collect();
    let mut arena = after.arena(family);
    let mut sets = known.clone();
    arena.import_all(&before.arena(family), sets.iter_mut());
    Exhausted::require_room(&arena, limit)?;
    after.family_mut(family).shared = arena.freeze();
    Ok(known.into_iter().zip(sets).collect())
}

/// Interfaces of both snapshots, matched by account, Region and id.
fn members(before: &Snapshot, after: &Snapshot) -> Vec<Member> {
    let mut found: BTreeMap<(&str, &str, &str, usize), Member> = BTreeMap::new();
    for (snapshot, is_after) in [(before, false), (after, true)] {
        let mut seen: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
        for (id, interface) in snapshot.interfaces.iter() {
            let name = name(snapshot, interface);
            let count = seen.entry(name).or_default();
            let member = found.entry((name.0, name.1, name.2, *count)).or_default();
            *(if is_after { &mut member.1 } else { &mut member.0 }) = Some(id);
            *count += 1;
        }
    }
    found.into_values().collect()
}

fn name<'s>(snapshot: &'s Snapshot, interface: &'s Interface) -> (&'s str, &'s str, &'s str) {
    let scope = snapshot.scopes.get(interface.meta.scope);
    let (account, region) = scope.map_or(("", ""), |scope| (&*scope.account, &*scope.region));
    (account, region, &interface.meta.id)
}

/// By family, and the stations of both matrices.
type ByStations = BTreeMap<(Family, Option<StationId>, Option<StationId>), BTreeSet<Member>>;

fn places(before: Side<'_, '_, '_>, after: Side<'_, '_, '_>) -> Vec<Place> {
    let mut found = ByStations::new();
    for member in members(before.1.snapshot, after.1.snapshot) {
        for family in [Family::V4, Family::V6] {
            let mut starts = BTreeSet::new();
            starts.extend(member.0.into_iter().flat_map(|id| bounds(before, id, family)));
            starts.extend(member.1.into_iter().flat_map(|id| bounds(after, id, family)));
            for address in starts {
                let station = |side: Side<'_, '_, '_>, id: Option<EniId>| station(side, id?, family, address);
                let (old, new) = (station(before, member.0), station(after, member.1));
                if (old, new) != (None, None) {
                    found.entry((family, new, old)).or_default().insert(member);
                }
            }
        }
    }
    let places = found.into_iter();
    places
        .map(|((family, after, before), members)| Place {
            family,
            before,
            after,
            members: members.into_iter().collect(),
        })
        .collect()
}

/// The addresses at which the stations of an interface may change.
fn bounds((matrix, network): Side<'_, '_, '_>, id: EniId, family: Family) -> BTreeSet<u128> {
    let mut found = BTreeSet::new();
    for (lo, hi) in intervals_of(&owned_blocks(network.interface(id)), family) {
        found.extend(matrix.partition.atoms.within(family, lo, hi).map(|(_, first)| first));
        found.extend(hi.checked_add(1));
    }
    found
}

/// The station of an address, if the interface owns it.
fn station(
    (matrix, network): Side<'_, '_, '_>,
    id: EniId,
    family: Family,
    address: u128,
) -> Option<StationId> {
    let mut own = intervals_of(&owned_blocks(network.interface(id)), family).into_iter();
    own.find(|(lo, hi)| (*lo..=*hi).contains(&address))?;
    matrix.station_at(network, id, family, address)
}

fn family_rows(
    before: &Matrix,
    after: &Matrix,
    places: &[Place],
    family: Family,
    sets: &BTreeMap<Set, Set>,
) -> Vec<DeltaRow> {
    let mut alike: BTreeMap<Vec<DeltaRun>, Vec<PlaceId>> = BTreeMap::new();
    let own: Vec<(PlaceId, &Place)> =
        (0..).map(PlaceId).zip(places).filter(|(_, place)| place.family == family).collect();
    for (id, sender) in &own {
        let was = moved(dense(before, sender.before), sets);
        let is = dense(after, sender.after);
        let mut runs = Vec::new();
        for (to, receiver) in &own {
            add(&mut runs, *to, at(&was, receiver.before), at(&is, receiver.after));
        }
        if !runs.is_empty() {
            alike.entry(runs).or_default().push(*id);
        }
    }
    let mut rows: Vec<DeltaRow> =
        alike.into_iter().map(|(runs, senders)| DeltaRow { senders, runs }).collect();
    rows.sort_unstable_by(|left, right| left.senders.cmp(&right.senders));
    rows
}

/// What a station sends to each other one.
fn dense(matrix: &Matrix, from: Option<StationId>) -> Vec<Cell> {
    let mut cells = vec![Cell::default(); matrix.partition.stations.len()];
    for run in from.into_iter().flat_map(|from| matrix.row(from)) {
        let within = cells.iter_mut().take(run.last.0 as usize + 1).skip(run.first.0 as usize);
        within.for_each(|cell| *cell = run.cell);
    }
    cells
}

fn at(cells: &[Cell], station: Option<StationId>) -> Cell {
    station.and_then(|station| cells.get(station.0 as usize)).copied().unwrap_or_default()
}

fn moved(mut cells: Vec<Cell>, sets: &BTreeMap<Set, Set>) -> Vec<Cell> {
    for cell in cells.iter_mut().filter(|cell| !cell.is_empty()) {
        cell.each(&mut |set| *set = sets.get(set).copied().unwrap_or_default());
    }
    cells
}
