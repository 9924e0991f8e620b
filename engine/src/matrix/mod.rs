//! Every pair of interfaces at once: what each may send to each other one, at the addresses that the interfaces own.
//!
//! The main type is [`Matrix`]. Interfaces that nothing tells apart are one [`Class`]; the addresses of a class between
//! which nothing tells a difference are one [`Station`]. A [`Cell`] says for two stations which protocols and ports
//! pass, and of which the reply comes back.
//!
//! Between sender and receiver nothing reads groups, and groups read nothing of the way but whether the sender's identity
//! was kept. So one exploration without groups serves all interfaces that differ in groups and addresses alone, and a
//! cell is the intersection of what the chain between the two, the sender's groups and the receiver's groups let pass.
//! Where a packet reaches an interface with another source than it was sent with, the product does not hold, and the
//! senders concerned are explored one by one ([`Counters::explored_alone`]).
//!
//! INVARIANT (matrix exact): for different interfaces, a cell holds exactly what [`Reach`] delivers between them without
//! a rewritten destination. What goes to other destinations than an interface's own addresses, as to a public address or
//! a link-local one, is in no cell; [`Matrix::goes_beyond`] tells which senders may send such a thing.

mod atom;
mod chain;
mod class;
mod decided;
mod delta;
mod desk;
mod domain;
mod family;
mod kind;
mod lane;
mod numbered;
mod places;
mod plain;
mod pool;
mod reception;
mod renew;
mod road;
mod sources;
mod stale;
mod way;
mod what_if;

use std::collections::BTreeMap;
use std::sync::Arc;

use reachproof_model::flow::Question;
use reachproof_model::id::{EniId, Id};

use crate::header::{Arena, Family};
use crate::network::{Network, owned_blocks};
use crate::reach::{Exhausted, Reach, intervals_of};
use chain::Carriers;
use class::Partition;
pub use class::{Class, ClassId, Station, StationId};
pub use delta::{Delta, DeltaRow, DeltaRun, Member, Place, PlaceId};
pub use domain::Cell;
use family::{Asked, OfFamily, Survey, Terms};
use pool::Pool;
pub use stale::Reason;
pub use what_if::{Changed, Recomputed, Work};

/// What passes between every two interfaces.
pub struct Matrix {
    partition: Partition,
    carriers: Carriers,
    asked: Asked,
    families: [OfFamily; 2],
}

/// Neighbouring receivers to which the same passes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run {
    /// The first receiver.
    pub first: StationId,
    /// The last receiver.
    pub last: StationId,
    /// What passes to each of them.
    pub cell: Cell,
}

/// How much a matrix holds and took; the same on every run and any number of threads.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counters {
    /// Interfaces.
    pub interfaces: u64,
    /// Classes of interfaces.
    pub classes: u64,
    /// Classes but for groups and addresses.
    pub contexts: u64,
    /// Atoms of addresses.
    pub atoms: u64,
    /// Stations: classes by atom of their addresses.
    pub stations: u64,
    /// Sets of groups that interfaces carry, by VPC.
    pub group_sets: u64,
    /// Sets of headers that lead from a context to a door of a VPC with receivers.
    pub chains: u64,
    /// Different sets of protocols and ports.
    pub services: u64,
    /// Rows of stations with equal base cells.
    pub rows: u64,
    /// Runs of cells that are kept.
    pub runs: u64,
    /// Cells that were decided.
    pub cells_decided: u64,
    /// Pairs of stations that the decided cells stand for.
    pub pairs_decided: u64,
    /// Pairs of stations that nothing joins, so that nobody looked at them.
    pub pairs_skipped: u64,
    /// Classes that were explored one by one.
    pub explored_alone: u64,
    /// Nodes of the diagrams that are kept.
    pub nodes: u64,
    /// Steps of set operations that were neither trivial nor remembered, those of classes explored alone left out; of a
    /// changed matrix, those that the change took.
    pub operations: u64,
}

/// What a matrix is made in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stage {
    /// The partition of interfaces and addresses.
    Classes,
    /// The explorations between contexts.
    Chains,
    /// Cells, as products.
    Cells,
    /// Classes that are explored one by one.
    Alone,
}

impl Matrix {
    /// Decides all pairs, IPv4 and IPv6, in both worlds; replies for [`Question::Connection`] only.
    ///
    /// # Errors
    /// If the sets of headers outgrow the limit of nodes; nothing is decided then.
    pub fn of(reach: &Reach<'_, '_>, question: Question) -> Result<Self, Exhausted> {
        Self::staged(reach, question, &mut |_| {})
    }

    /// The same of what arrives with both addresses as they were sent; its cells may lack what arrives with a translated
    /// source. No sender is explored alone for that: an exploration that leaves the cells out finds it
    /// ([`Request::as_sent`]).
    ///
    /// [`Request::as_sent`]: crate::reach::Request::as_sent
    ///
    /// # Errors
    /// As [`Matrix::of`].
    pub fn as_sent(reach: &Reach<'_, '_>, question: Question) -> Result<Self, Exhausted> {
        Self::asked(reach, Asked { question, translated: false }, &mut |_| {})
    }

    /// The same, telling of each stage when it is done: of the classes once, of the others for each family.
    ///
    /// # Errors
    /// As [`Matrix::of`].
    pub fn staged(
        reach: &Reach<'_, '_>,
        question: Question,
        done: &mut dyn FnMut(Stage),
    ) -> Result<Self, Exhausted> {
        Self::asked(reach, Asked { question, translated: true }, done)
    }

    fn asked(reach: &Reach<'_, '_>, asked: Asked, done: &mut dyn FnMut(Stage)) -> Result<Self, Exhausted> {
        let (partition, carriers) = (Partition::of(reach), carriers(reach));
        let terms = Terms { reach, partition: &partition, carriers: &carriers, asked };
        done(Stage::Classes);
        let mut of = |family| {
            let survey = Survey::of(&terms, Pool::of(reach, family), None)?;
            done(Stage::Chains);
            OfFamily::of(&terms, survey, done)
        };
        let (v4, v6) = (of(Family::V4)?, of(Family::V6)?);
        Ok(Self { partition, carriers, asked, families: [v4, v6] })
    }

    /// The classes, by id.
    pub fn classes(&self) -> impl ExactSizeIterator<Item = (ClassId, &Class)> {
        self.partition
            .classes
            .iter()
            .enumerate()
            .map(|(position, class)| (ClassId(u32::try_from(position).unwrap_or(u32::MAX)), class))
    }

    /// The class of an interface.
    pub fn class_of(&self, interface: EniId) -> ClassId {
        self.partition.class_of_interface(interface)
    }

    /// The stations, by id.
    pub fn stations(&self) -> impl Iterator<Item = (StationId, Station)> + '_ {
        self.partition.station_ids()
    }

    /// The stations of a class, ascending.
    pub fn stations_of(&self, class: ClassId) -> impl Iterator<Item = StationId> + '_ {
        self.partition.stations_of(class)
    }

    /// The station of an address of an interface; `None` if the interface has no address of that atom.
    pub fn station_at(
        &self,
        network: &Network<'_>,
        interface: EniId,
        family: Family,
        address: u128,
    ) -> Option<StationId> {
        let blocks = intervals_of(&owned_blocks(network.interface(interface)), family);
        let contested = self.partition.is_contested(interface, &blocks, family, address);
        let atom = self.partition.atoms.within(family, address, address).next()?.0;
        let mut own = self.stations_of(self.class_of(interface)).map(|id| (id, self.station(id)));
        let found = own.find(|(_, own)| (own.family, own.atom, own.contested) == (family, atom, contested));
        found.map(|(id, _)| id)
    }

    /// The addresses that an interface has at a station of its class, as inclusive intervals.
    pub fn addresses_at(
        &self,
        network: &Network<'_>,
        interface: EniId,
        station: StationId,
    ) -> Vec<(u128, u128)> {
        self.partition.addresses_at(network, interface, self.station(station))
    }

    /// A station.
    pub fn station(&self, id: StationId) -> Station {
        self.partition.station(id)
    }

    /// What a station sends, by receiver, ascending; what is in no run is nothing.
    pub fn row(&self, from: StationId) -> Vec<Run> {
        self.of_station(from).row(from)
    }

    /// The receivers of a run, each with its class.
    pub fn stations_in(&self, run: &Run) -> impl Iterator<Item = (StationId, ClassId)> {
        (run.first.0..=run.last.0).map(StationId).map(|id| (id, self.station(id).class))
    }

    /// What passes between two stations of one family.
    pub fn cell(&self, from: StationId, to: StationId) -> Cell {
        self.of_station(from).cell(from, to)
    }

    /// Whether interfaces of this class may send to destinations that no cell is about.
    pub fn goes_beyond(&self, class: ClassId) -> bool {
        let context = self.partition.class(class).context;
        self.families.iter().any(|family| family.goes_beyond(context))
    }

    /// The sets of the cells of one family.
    pub fn arena(&self, family: Family) -> Arena {
        Arena::overlay(Arc::clone(&self.family(family).shared))
    }

    /// How much there is of what.
    pub fn counters(&self) -> Counters {
        let mut counters = counted(&self.partition);
        counters.group_sets = self.carriers.len() as u64;
        self.families.iter().for_each(|family| family.count(&mut counters));
        counters
    }

    fn of_station(&self, id: StationId) -> &OfFamily {
        self.family(self.partition.station(id).family)
    }

    fn family_mut(&mut self, family: Family) -> &mut OfFamily {
        let [v4, v6] = &mut self.families;
        match family {
            Family::V4 => v4,
            Family::V6 => v6,
        }
    }

    fn family(&self, family: Family) -> &OfFamily {
        let [v4, v6] = &self.families;
        match family {
            Family::V4 => v4,
            Family::V6 => v6,
        }
    }
}

fn counted(partition: &Partition) -> Counters {
    Counters {
        interfaces: partition.class_of.len() as u64,
        classes: partition.classes.len() as u64,
        contexts: partition.contexts.len() as u64,
        atoms: partition.atoms.len() as u64,
        stations: partition.stations.len() as u64,
        ..Counters::default()
    }
}

/// One interface for each set of groups and VPC.
fn carriers(reach: &Reach<'_, '_>) -> Carriers {
    let mut found = BTreeMap::new();
    for (id, interface) in reach.network().snapshot.interfaces.iter() {
        found.entry((reach.group_set(id), interface.vpc.known())).or_insert(id);
    }
    found
}

impl Partition {
    fn class_of_interface(&self, interface: EniId) -> ClassId {
        self.class_of.get(interface.index()).copied().unwrap_or(ClassId(0))
    }

    fn stations_of(&self, class: ClassId) -> impl Iterator<Item = StationId> + '_ {
        [Family::V4, Family::V6].into_iter().flat_map(move |family| {
            let start = self.stations.partition_point(|other| (other.family, other.class) < (family, class));
            let rest = self.stations.iter().skip(start).zip(start..);
            let own = rest.take_while(move |(other, _)| (other.family, other.class) == (family, class));
            own.map(|(_, position)| StationId(u32::try_from(position).unwrap_or(u32::MAX)))
        })
    }
}
