//! Senders for which the product does not hold: each class is explored by itself, as [`crate::reach`] does.

use std::collections::{BTreeMap, BTreeSet};

use reachproof_model::flow::Question;

use super::class::{ClassId, Partition, StationId};
use super::domain::Cell;
use super::pool::Pool;
use crate::header::{Family, HeaderBox, Set};
use crate::network::{Sink, SourcePlace};
use crate::reach::{Exhausted, Explored, Reach, Request, SourceClass};

/// The cells that are not empty of each sender, by receiver.
pub(super) type Rows = BTreeMap<StationId, Vec<(StationId, Cell)>>;

/// One cell, outside any arena.
type Loose = (StationId, StationId, [Vec<HeaderBox>; 4]);

/// Explores classes one by one.
pub(super) fn rows(
    pool: &mut Pool<'_, '_, '_>,
    reach: &Reach<'_, '_>,
    partition: &Partition,
    classes: &BTreeSet<ClassId>,
    question: Question,
) -> Result<Rows, Exhausted> {
    let sources: Vec<SourceClass> = classes
        .iter()
        .filter_map(|class| SourceClass::alike(partition.class(*class).members.clone()))
        .collect();
    let family = pool.family;
    let found = reach.explore(&sources, &Request::of(question), |mut explored| {
        if explored.family == family { cells(partition, &mut explored) } else { Vec::new() }
    })?;
    let mut arena = pool.arena();
    let mut rows = Rows::new();
    for (sender, receiver, boxes) in found.into_iter().flatten().flatten() {
        let [over, under, answered_over, answered_under] = boxes.map(|boxes| arena.any_of(&boxes));
        let cell = Cell { over, under, answered_over, answered_under };
        rows.entry(sender).or_default().push((receiver, cell));
    }
    pool.keep(arena)?;
    Ok(rows)
}

/// The cells of a class of senders.
fn cells(partition: &Partition, explored: &mut Explored<'_>) -> Vec<Loose> {
    let SourcePlace::Interface(first) = explored.source.place else { return Vec::new() };
    let senders = stations(partition, partition.class_of_interface(first), explored.family);
    let mut found: BTreeMap<(StationId, StationId), Cell> = BTreeMap::new();
    let is_first = |sink| matches!(sink, Sink::Interface(id) if partition.member(partition.class_of_interface(id)) == id);
    for delivery in explored.deliveries_at(is_first) {
        let Sink::Interface(id) = delivery.sink else { continue };
        if delivery.destination.is_some() || delivery.embedded {
            continue;
        }
        let sets = [delivery.over, delivery.under, delivery.answered_over, delivery.answered_under];
        for receiver in stations(partition, partition.class_of_interface(id), explored.family) {
            for sender in &senders {
                let (to, from) = (partition.station(receiver).address, partition.station(*sender).address);
                let parts = sets.map(|set| explored.arena.between(set, to, from));
                add(explored, found.entry((*sender, receiver)).or_default(), parts);
            }
        }
    }
    let filled = found.into_iter().filter(|(_, cell)| !cell.is_empty());
    filled
        .map(|((sender, receiver), cell)| {
            (sender, receiver, cell.sets().map(|set| explored.arena.boxes(set).collect()))
        })
        .collect()
}

fn add(explored: &mut Explored<'_>, cell: &mut Cell, parts: [Set; 4]) {
    let [over, under, answered_over, answered_under] = parts;
    cell.over = explored.arena.union(cell.over, over);
    cell.under = explored.arena.union(cell.under, under);
    cell.answered_over = explored.arena.union(cell.answered_over, answered_over);
    cell.answered_under = explored.arena.union(cell.answered_under, answered_under);
}

fn stations(partition: &Partition, class: ClassId, family: Family) -> Vec<StationId> {
    partition.stations_of(class).filter(|id| partition.station(*id).family == family).collect()
}
