//! What interfaces send to each other as it was sent, from the matrix, where a question is about many of them.

use std::collections::BTreeMap;

use ipnet::IpNet;
use reachproof_engine::header::{Arena, Family};
use reachproof_engine::matrix::{Cell, ClassId, Matrix, StationId};
use reachproof_engine::network::{Network, Search, owned_blocks};
use reachproof_engine::reach::{Exhausted, Reach};
use reachproof_engine::region::{Extent, Spot};
use reachproof_model::flow::Question;
use reachproof_model::id::EniId;

use super::flows::intervals;
use super::group::Own;
use super::units::{UnitId, Units};

/// Interfaces asked about as sources from which on a matrix is made. With fewer, their few classes are explored to everywhere in
/// less time than it takes to decide all pairs of the network.
const MANY: usize = 16;

/// In a large network they are one in so many at least, because the matrix decides the pairs of all the others, too.
const SHARE: usize = 1_000;

/// What passes between a station of one interface and a station of another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Crossing {
    /// Where it is sent.
    pub from: StationId,
    /// Where it arrives.
    pub to: StationId,
    /// What passes.
    pub cell: Cell,
}

/// The matrix, and the interfaces that are asked about by units.
pub struct Between {
    matrix: Matrix,
    /// The units of each class of the matrix.
    of_class: BTreeMap<ClassId, Vec<UnitId>>,
    units: Units,
    /// Whether all addresses that the members of a unit own are asked about.
    whole: Vec<bool>,
}

/// Interfaces with equal keys are listed as one: those of one class of which the same addresses are asked about, and all of
/// their own; others stand alone.
///
/// INVARIANT (units alike): exchanging a member of a unit for another exchanges their addresses in an answer and changes
/// nothing else. A class tells in which atoms the addresses of its members are, not how many; where there are public addresses,
/// it matters to which of several they belong, so that such an interface stands alone.
type Key<'n> = (ClassId, [Option<&'n [IpNet]>; 2], Option<EniId>);

impl Between {
    /// Of a network where interfaces are many among the sources of a question.
    ///
    /// # Errors
    /// If the sets of headers outgrow the limit of nodes.
    pub fn of(own: &Own<'_, '_>, reach: &Reach<'_, '_>) -> Result<Option<Self>, Exhausted> {
        let senders = own.from.iter().filter(|(spot, _)| matches!(spot, Spot::Interface(_))).count();
        let pays = match own.network.options.search {
            Search::Plain => false,
            Search::Usual => senders >= MANY && senders * SHARE >= own.network.snapshot.interfaces.len(),
            Search::Aimed | Search::Onward => senders > 0,
        };
        if !pays {
            return Ok(None);
        }
        let matrix = Matrix::as_sent(reach, Question::Connection)?;
        let mut found: BTreeMap<Key<'_>, Vec<EniId>> = BTreeMap::new();
        for id in own.network.snapshot.interfaces.ids() {
            found.entry(key(own, &matrix, id)).or_default().push(id);
        }
        found.retain(|(_, asked, _), _| *asked != [None, None]);
        let whole = found.keys().map(|(.., alone)| alone.is_none()).collect();
        let mut of_class: BTreeMap<ClassId, Vec<UnitId>> = BTreeMap::new();
        for (unit, (class, ..)) in (0..).map(UnitId).zip(found.keys()) {
            of_class.entry(*class).or_default().push(unit);
        }
        let units = Units::of(found.into_values().collect(), own.network.snapshot.interfaces.len());
        Ok(Some(Self { matrix, of_class, units, whole }))
    }

    /// The interfaces that are asked about.
    pub fn units(&self) -> &Units {
        &self.units
    }

    /// Whether all addresses that the members of a unit own are asked about, so that a station stands for all it has of them.
    pub fn is_whole(&self, unit: UnitId) -> bool {
        self.whole.get(unit.0 as usize).copied().unwrap_or(false)
    }

    /// The sets of the cells.
    pub fn arena(&self, family: Family) -> Arena {
        self.matrix.arena(family)
    }

    /// What the members of a unit send to those of others, and to each other.
    pub fn row(&self, unit: UnitId, family: Family) -> BTreeMap<UnitId, Vec<Crossing>> {
        let mut found: BTreeMap<UnitId, Vec<Crossing>> = BTreeMap::new();
        for from in self.stations(unit, family) {
            for run in self.matrix.row(from) {
                for (to, class) in self.matrix.stations_in(&run) {
                    for unit in self.of_class.get(&class).into_iter().flatten() {
                        found.entry(*unit).or_default().push(Crossing { from, to, cell: run.cell });
                    }
                }
            }
        }
        found
    }

    /// Whether the same passes between all stations of two units.
    pub fn is_even(&self, [from, to]: [UnitId; 2], family: Family, crossings: &[Crossing]) -> bool {
        let all = self.stations(from, family).count() * self.stations(to, family).count();
        crossings.len() == all
            && crossings.windows(2).all(|pair| matches!(pair, [one, other] if one.cell == other.cell))
    }

    /// The addresses of an interface at a station of it.
    pub fn addresses(
        &self,
        network: &Network<'_>,
        interface: EniId,
        station: StationId,
    ) -> Vec<(u128, u128)> {
        self.matrix.addresses_at(network, interface, station)
    }

    fn stations(&self, unit: UnitId, family: Family) -> impl Iterator<Item = StationId> {
        let first = self.units.members(unit).first();
        let own = first.map(|first| self.matrix.stations_of(self.matrix.class_of(*first)));
        own.into_iter().flatten().filter(move |id| self.matrix.station(*id).family == family)
    }
}

fn key<'n>(own: &Own<'n, '_>, matrix: &Matrix, id: EniId) -> Key<'n> {
    let spot = Spot::Interface(id);
    let asked = [own.from.get(spot), own.to.get(spot)];
    let class = matrix.class_of(id);
    let whole = asked.iter().flatten().all(|extent| covers(own, id, extent));
    let alone = !whole || chooses(own.network, matrix, id);
    (class, asked.map(|extent| extent.map(|extent| extent.blocks.as_slice())), alone.then_some(id))
}

/// Whether all addresses that an interface owns are in an extent.
fn covers(own: &Own<'_, '_>, id: EniId, extent: &Extent) -> bool {
    let blocks = owned_blocks(own.network.interface(id));
    let both = [Family::V4, Family::V6];
    both.into_iter().all(|family| own.within(id, extent, family) == intervals(family, &blocks))
}

/// Whether it matters which of several addresses in one atom a public one belongs to.
fn chooses(network: &Network<'_>, matrix: &Matrix, id: EniId) -> bool {
    let interface = network.interface(id);
    let stations = matrix.stations_of(matrix.class_of(id)).count();
    !interface.public.is_empty() && (!interface.prefixes.is_empty() || interface.addresses.len() != stations)
}
