//! What members of one class of sources send to other interfaces, put together from the matrix and from what an exploration
//! that leaves the matrix out has found besides.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use reachproof_engine::header::{Arena, Field, Set};
use reachproof_engine::matrix::Cell;
use reachproof_engine::network::{Sink, SourcePlace};
use reachproof_engine::reach::Delivery;
use reachproof_model::id::EniId;

use super::between::{Between, Crossing};
use super::group::is_itself;
use super::listing::{AtInterfaces, Crew, Listing, Member, Patterns, parts, within};
use super::pairs::PatternId;
use super::units::{End, UnitId};
use crate::exit::Failure;

/// The cells of a matrix in the arena of an exploration.
struct Cells {
    arena: Arena,
    moved: BTreeMap<Set, Set>,
    /// The patterns of cells that hold between any two addresses, where one replay speaks for all; by cell.
    even: BTreeMap<Cell, Option<Rc<[PatternId]>>>,
    /// Whether what is asked about is told by protocols and ports alone.
    anywhere: bool,
}

/// Two units between which patterns name addresses of single members.
struct Apart<'c> {
    crew: &'c Crew,
    to: UnitId,
    crossings: Vec<Crossing>,
}

impl Listing<'_, '_, '_, '_> {
    /// What crews send to interfaces; `at` is what was found besides the matrix at examples of units.
    pub(super) fn cross(
        &mut self,
        between: &Between,
        crews: &[Crew],
        at: &AtInterfaces,
    ) -> Result<(), Failure> {
        let mut cells = self.cells(between);
        let mut apart = Vec::new();
        let besides: BTreeSet<UnitId> =
            at.keys().filter_map(|id| between.units().of_interface(*id)).collect();
        for crew in crews {
            let End::Unit(from) = crew.from else { continue };
            let row = between.row(from, self.explored.family);
            for to in row.keys().chain(&besides).copied().collect::<BTreeSet<UnitId>>() {
                let crossings = row.get(&to).map_or(&[][..], Vec::as_slice);
                if !self.cross_to((between, &mut cells), (crew, from), (to, crossings), at)? {
                    apart.push(Apart { crew, to, crossings: crossings.to_vec() });
                }
            }
        }
        self.one_by_one((between, &mut cells), &apart)
    }

    fn cells(&mut self, between: &Between) -> Cells {
        let arena = &mut *self.explored.arena;
        let from_anywhere = arena.exists(self.asked, Field::Source);
        let anywhere = arena.exists(from_anywhere, Field::Destination) == self.asked;
        let arena = between.arena(self.explored.family);
        Cells { arena, moved: BTreeMap::new(), even: BTreeMap::new(), anywhere }
    }

    /// What a crew sends to a unit, by an example; says whether that speaks for all of them.
    fn cross_to(
        &mut self,
        (between, cells): (&Between, &mut Cells),
        (crew, from): (&Crew, UnitId),
        (to, crossings): (UnitId, &[Crossing]),
        at: &AtInterfaces,
    ) -> Result<bool, Failure> {
        let others = between.units().members(to).iter().skip(usize::from(from == to));
        let (Some(member), Some(id)) = (crew.members.first(), others.copied().next()) else {
            return Ok(true);
        };
        let sink = Sink::Interface(id);
        if self.wanted.to.at(sink).is_none() {
            return Ok(true);
        }
        let (ends, example) = ((crew.from, End::Unit(to)), (member.place, sink));
        let besides = at.get(&id).map_or(&[][..], Vec::as_slice);
        if besides.is_empty()
            && let Some(numbers) = self.evenly((between, cells), [from, to], crossings)
        {
            numbers.iter().for_each(|number| self.found.pairs.add(ends, *number));
            return Ok(true);
        }
        let deliveries = self.together((between, cells), example, crossings, besides);
        let patterns = self.all_patterns(member, &deliveries);
        let single = crew.members.len() == 1 && between.units().members(to).len() == 1;
        let shared = !deliveries.iter().any(|delivery| delivery.embedded)
            && self.are_shared(&patterns, member.place, sink);
        if single || shared {
            self.add(ends, example, &patterns)?;
        }
        Ok(single || shared)
    }

    /// The patterns of all crossings between two units, where these hold between any two addresses of theirs and no replay is
    /// needed for each two of them.
    fn evenly(
        &mut self,
        (between, cells): (&Between, &mut Cells),
        [from, to]: [UnitId; 2],
        crossings: &[Crossing],
    ) -> Option<Rc<[PatternId]>> {
        let whole = cells.anywhere && between.is_whole(from) && between.is_whole(to);
        let cell = crossings.first().filter(|_| whole)?.cell;
        let even = between.is_even([from, to], self.explored.family, crossings);
        if even { self.even(cells, cell) } else { None }
    }

    /// The patterns of a cell between all addresses of two units, where no replay is needed for each two of them.
    fn even(&mut self, cells: &mut Cells, cell: Cell) -> Option<Rc<[PatternId]>> {
        if let Some(known) = cells.even.get(&cell) {
            return known.clone();
        }
        let sets = self.moved(cells, cell, self.asked);
        let of_cell = delivery(Sink::Internet, sets);
        let parts = parts(self.explored.arena, self.wanted.question, &of_cell).into_iter();
        let parts = parts.filter(|(set, ..)| !set.is_empty()).collect::<Vec<_>>();
        let patterns: Vec<_> = parts.into_iter().flat_map(|part| self.between_own(part).to_vec()).collect();
        let all = patterns.iter().all(|pattern| self.wanted.speaks_for_all(&pattern.flows));
        let numbers = patterns.iter().map(|pattern| self.found.pairs.number(pattern));
        let numbers: Option<Rc<[PatternId]>> = all.then(|| numbers.collect());
        cells.even.insert(cell, numbers.clone());
        numbers
    }

    /// Everything that arrives between two interfaces, by destination.
    fn together(
        &mut self,
        (between, cells): (&Between, &mut Cells),
        (from, to): (SourcePlace, Sink),
        crossings: &[Crossing],
        besides: &[Delivery],
    ) -> Vec<Delivery> {
        let (as_sent, mut all): (Vec<Delivery>, Vec<Delivery>) =
            besides.iter().partition(|one| one.destination.is_none() && !one.embedded);
        let mut parts: Vec<[Set; 4]> = as_sent.iter().map(sets).collect();
        if let (SourcePlace::Interface(sender), Sink::Interface(receiver)) = (from, to) {
            for crossing in crossings {
                let area = self.area(between, crossing, (sender, receiver));
                parts.push(self.moved(cells, crossing.cell, area));
            }
        }
        let arena = &mut *self.explored.arena;
        let mut union = |one: [Set; 4], other: [Set; 4]| {
            let mut pairs = one.into_iter().zip(other);
            [(); 4].map(|()| pairs.next().map_or(Set::EMPTY, |(one, other)| arena.union(one, other)))
        };
        let union = parts.into_iter().fold([Set::EMPTY; 4], &mut union);
        all.extend((union != [Set::EMPTY; 4]).then(|| delivery(to, union)));
        all
    }

    /// The headers between the addresses of two interfaces at two stations.
    fn area(&mut self, between: &Between, crossing: &Crossing, (from, to): (EniId, EniId)) -> Set {
        let (network, family) = (self.wanted.network, self.explored.family);
        let from = between.addresses(network, from, crossing.from);
        let to = between.addresses(network, to, crossing.to);
        let sent = within(self.explored.arena, family, Field::Source, &from);
        let meant = within(self.explored.arena, family, Field::Destination, &to);
        self.explored.arena.intersection(sent, meant)
    }

    /// The sets of a cell in an area.
    fn moved(&mut self, cells: &mut Cells, cell: Cell, area: Set) -> [Set; 4] {
        let arena = &mut *self.explored.arena;
        [cell.over, cell.under, cell.answered_over, cell.answered_under].map(|set| {
            let moved = *cells.moved.entry(set).or_insert_with(|| arena.import(&cells.arena, set));
            arena.intersection(moved, area)
        })
    }

    /// Between each two members of units whose patterns name addresses of single ones.
    fn one_by_one(
        &mut self,
        (between, cells): (&Between, &mut Cells),
        apart: &[Apart<'_>],
    ) -> Result<(), Failure> {
        let members = |to| between.units().members(to).iter().copied();
        let wanted: BTreeSet<EniId> = apart.iter().flat_map(|one| members(one.to)).collect();
        let asked = |sink| matches!(sink, Sink::Interface(id) if wanted.contains(&id));
        let mut at = AtInterfaces::new();
        for delivery in self.explored.deliveries_at(asked) {
            let Sink::Interface(id) = delivery.sink else { continue };
            at.entry(id).or_default().push(delivery);
        }
        for Apart { crew, to, crossings } in apart {
            for member in &crew.members {
                for id in members(*to) {
                    let besides = at.get(&id).map_or(&[][..], Vec::as_slice);
                    self.cross_one((between, cells), member, id, (crossings, besides))?;
                }
            }
        }
        Ok(())
    }

    fn cross_one(
        &mut self,
        between: (&Between, &mut Cells),
        member: &Member,
        id: EniId,
        (crossings, besides): (&[Crossing], &[Delivery]),
    ) -> Result<(), Failure> {
        let example = (member.place, Sink::Interface(id));
        if is_itself(example.0, example.1) {
            return Ok(());
        }
        let deliveries = self.together(between, example, crossings, besides);
        let patterns: Patterns = self.all_patterns(member, &deliveries);
        self.add((End::One(example.0), End::One(example.1)), example, &patterns)
    }
}

fn sets(delivery: &Delivery) -> [Set; 4] {
    [delivery.over, delivery.under, delivery.answered_over, delivery.answered_under]
}

/// What arrives as it was sent.
fn delivery(sink: Sink, [over, under, answered_over, answered_under]: [Set; 4]) -> Delivery {
    Delivery { sink, destination: None, embedded: false, over, under, answered_over, answered_under }
}
