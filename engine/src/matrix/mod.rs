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
mod domain;
mod plain;
mod pool;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use reachproof_model::flow::{Question, World};
use reachproof_model::id::{EniId, Id, Ref, VpcId};

use crate::header::{Arena, Family, Frozen, Set};
use crate::network::{Network, Role, owned_blocks};
use crate::reach::{Door, Exhausted, Reach, intervals_of};
use atom::Atom;
use chain::Chains;
use class::Partition;
pub use class::{Class, ClassId, Station, StationId};
pub use domain::Cell;
use domain::{Decided, Doors, Ground, Lane, Part, Postings, Span};
use pool::Pool;

/// Receivers that are decided together at most.
const PART: usize = 512;

/// What passes between every two interfaces.
pub struct Matrix {
    partition: Partition,
    families: [OfFamily; 2],
    counters: Counters,
}

/// The rows of one family.
struct OfFamily {
    shared: Arc<Frozen>,
    /// Receivers by part, the parts ascending.
    parts: Vec<(Vec<StationId>, Decided)>,
    lane_of: BTreeMap<StationId, u32>,
    alone: plain::Rows,
    beyond: BTreeSet<u32>,
    lanes: u64,
    chains: u64,
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
    /// Sets of headers that lead from a context to a door.
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

    /// The same, telling of each stage when it is done: of the classes once, of the others for each family.
    ///
    /// # Errors
    /// As [`Matrix::of`].
    pub fn staged(
        reach: &Reach<'_, '_>,
        question: Question,
        done: &mut dyn FnMut(Stage),
    ) -> Result<Self, Exhausted> {
        let partition = Partition::of(reach);
        let mut counters = counted(&partition);
        done(Stage::Classes);
        let v4 = OfFamily::of(reach, &partition, Family::V4, question, &mut counters, done)?;
        let v6 = OfFamily::of(reach, &partition, Family::V6, question, &mut counters, done)?;
        let families = [v4, v6];
        counters.group_sets = carriers(reach).len() as u64;
        families.iter().for_each(|family| family.count(&mut counters));
        Ok(Self { partition, families, counters })
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

    /// A station.
    pub fn station(&self, id: StationId) -> Station {
        self.partition.station(id)
    }

    /// What a station sends, by receiver, ascending; what is in no run is nothing.
    pub fn row(&self, from: StationId) -> Vec<Run> {
        self.of_station(from).row(from)
    }

    /// What passes between two stations of one family.
    pub fn cell(&self, from: StationId, to: StationId) -> Cell {
        self.of_station(from).cell(from, to)
    }

    /// Whether interfaces of this class may send to destinations that no cell is about.
    pub fn goes_beyond(&self, class: ClassId) -> bool {
        let context = self.partition.class(class).context;
        self.families.iter().any(|family| family.beyond.contains(&context))
    }

    /// The sets of the cells of one family.
    pub fn arena(&self, family: Family) -> Arena {
        Arena::overlay(Arc::clone(&self.family(family).shared))
    }

    /// How much there is of what.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    fn of_station(&self, id: StationId) -> &OfFamily {
        self.family(self.partition.station(id).family)
    }

    fn family(&self, family: Family) -> &OfFamily {
        let [v4, v6] = &self.families;
        match family {
            Family::V4 => v4,
            Family::V6 => v6,
        }
    }
}

impl OfFamily {
    fn of(
        reach: &Reach<'_, '_>,
        partition: &Partition,
        family: Family,
        question: Question,
        counters: &mut Counters,
        done: &mut dyn FnMut(Stage),
    ) -> Result<Self, Exhausted> {
        let mut pool = Pool::of(reach, family);
        let carriers = carriers(reach);
        let chains = Chains::of(&mut pool, partition, &carriers)?;
        done(Stage::Chains);
        let alone = alone(reach.network(), partition, &chains, family);
        let lanes = lanes(reach, partition, &chains, family, &alone);
        let (lanes_of, lane_of) = indexed(&lanes);
        let ground = Ground {
            network: reach.network(),
            partition,
            chains: &chains,
            lanes: &lanes,
            lanes_of: &lanes_of,
            carriers: &carriers,
            postings: &postings(reach.network(), partition, &lanes),
            replies: question == Question::Connection,
            group_set: &|id| reach.group_set(id),
        };
        let parts = parts(partition, &chains, family);
        let decided = pool.map_by(1, &parts, |explorer, part| domain::decide(&ground, explorer, part))?;
        done(Stage::Cells);
        counters.explored_alone += alone.len() as u64;
        let rows = plain::rows(&mut pool, reach, partition, &alone, question)?;
        done(Stage::Alone);
        Ok(Self {
            alone: rows,
            shared: pool.shared,
            parts: parts.into_iter().map(|part| part.receivers).zip(decided).collect(),
            lane_of,
            beyond: beyond(&chains),
            lanes: lanes.len() as u64,
            chains: chains.forward.iter().flatten().map(|opened| opened.approaches.len() as u64).sum(),
        })
    }

    fn row(&self, from: StationId) -> Vec<Run> {
        if let Some(cells) = self.alone.get(&from) {
            return cells.iter().map(|(to, cell)| Run { first: *to, last: *to, cell: *cell }).collect();
        }
        let Some(lane) = self.lane_of.get(&from) else { return Vec::new() };
        self.parts.iter().flat_map(|(receivers, decided)| decided.row(receivers, *lane, from)).collect()
    }

    fn cell(&self, from: StationId, to: StationId) -> Cell {
        if let Some(cells) = self.alone.get(&from) {
            let found = cells.binary_search_by_key(&to, |(receiver, _)| *receiver).ok();
            return found.and_then(|at| cells.get(at)).map(|(_, cell)| *cell).unwrap_or_default();
        }
        let Some(lane) = self.lane_of.get(&from) else { return Cell::default() };
        let after = self.parts.partition_point(|(receivers, _)| receivers.first() <= Some(&to));
        let part = after.checked_sub(1).and_then(|at| self.parts.get(at));
        part.and_then(|(receivers, decided)| {
            let position = u32::try_from(receivers.binary_search(&to).ok()?).ok()?;
            decided.cell(*lane, from, position)
        })
        .unwrap_or_default()
    }

    fn count(&self, counters: &mut Counters) {
        let decided = || self.parts.iter().map(|(_, decided)| decided);
        let spans = || decided().flat_map(|part| part.blocks.iter().flatten().map(|span| span.cell));
        let single = || decided().flat_map(|part| part.single.iter().map(|(.., cell)| *cell));
        let alone = || self.alone.values().flatten().map(|(_, cell)| *cell);
        let cells = spans().chain(single()).chain(alone());
        let services: BTreeSet<Set> = cells.clone().flat_map(|cell| cell.sets()).collect();
        counters.services += services.len() as u64;
        counters.runs += cells.count() as u64;
        counters.rows += self.lanes;
        counters.chains += self.chains;
        counters.cells_decided += decided().map(|part| part.cells).sum::<u64>();
        let pairs = decided().map(|part| part.pairs).sum::<u64>();
        let senders = self.lane_of.len() as u64;
        let receivers: u64 = self.parts.iter().map(|(receivers, _)| receivers.len() as u64).sum();
        counters.pairs_decided += pairs;
        counters.pairs_skipped += (senders * receivers).saturating_sub(pairs);
    }
}

impl Decided {
    fn block(&self, lane: u32) -> Option<&Vec<Span>> {
        let at = self.lanes.binary_search_by_key(&lane, |(lane, _)| *lane).ok()?;
        self.blocks.get(self.lanes.get(at)?.1 as usize)
    }

    fn cell(&self, lane: u32, from: StationId, position: u32) -> Option<Cell> {
        let own = self.single.binary_search_by_key(&(from, position), |(from, at, _)| (*from, *at)).ok();
        if let Some((.., cell)) = own.and_then(|at| self.single.get(at)) {
            return Some(*cell);
        }
        let block = self.block(lane)?;
        let span = block.get(block.partition_point(|span| span.last < position))?;
        (span.first <= position).then_some(span.cell)
    }

    /// The runs of a sender in this part, its own cells instead of those of its lane.
    fn row(&self, receivers: &[StationId], lane: u32, from: StationId) -> Vec<Run> {
        let block = self.block(lane);
        let start = self.single.partition_point(|(station, ..)| *station < from);
        let own = self.single.iter().skip(start).take_while(|(station, ..)| *station == from);
        let own: BTreeMap<u32, Cell> = own.map(|(_, position, cell)| (*position, *cell)).collect();
        let mut spans: Vec<Span> = own
            .iter()
            .filter(|(_, cell)| !cell.is_empty())
            .map(|(position, cell)| Span { first: *position, last: *position, cell: *cell })
            .collect();
        block.into_iter().flatten().for_each(|span| spans.extend(without(*span, &own)));
        spans.sort_unstable_by_key(|span| span.first);
        let at = |position: u32| receivers.get(position as usize).copied();
        let runs = spans
            .into_iter()
            .filter_map(|span| Some(Run { first: at(span.first)?, last: at(span.last)?, cell: span.cell }));
        runs.collect()
    }
}

/// The parts of a span at other positions.
fn without(span: Span, positions: &BTreeMap<u32, Cell>) -> Vec<Span> {
    let mut found = Vec::new();
    let mut first = span.first;
    for position in positions.range(span.first..=span.last).map(|(position, _)| *position) {
        if let Some(last) = position.checked_sub(1).filter(|last| *last >= first) {
            found.push(Span { first, last, cell: span.cell });
        }
        first = position + 1;
    }
    if first <= span.last {
        found.push(Span { first, ..span });
    }
    found
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
fn carriers(reach: &Reach<'_, '_>) -> BTreeMap<(u32, Option<VpcId>), EniId> {
    let mut found = BTreeMap::new();
    for (id, interface) in reach.network().snapshot.interfaces.iter() {
        found.entry((reach.group_set(id), interface.vpc.known())).or_insert(id);
    }
    found
}

/// The classes for which the product does not hold.
fn alone(network: &Network<'_>, partition: &Partition, chains: &Chains, family: Family) -> BTreeSet<ClassId> {
    let everybody = family == Family::V4 && (public_inside(network) || has_pools(network))
        || chains.back.values().flatten().any(|opened| !opened.split.is_empty());
    let splits = |context: u32| {
        let both = chains.forward.get(context as usize);
        both.into_iter().flatten().any(|opened| !opened.split.is_empty())
    };
    let classes = partition.classes.iter().zip(0..).filter(|(class, _)| everybody || splits(class.context));
    let sending = classes.filter(|(class, _)| {
        class.members.first().is_some_and(|id| Role::of(network.interface(*id)).initiates())
    });
    let contested = partition.stations.iter().filter(|station| station.family == family && station.contested);
    sending.map(|(_, id)| ClassId(id)).chain(contested.map(|station| station.class)).collect()
}

/// R-ROUTE-3: whether public addresses come in, or go out, without a translation.
fn has_pools(network: &Network<'_>) -> bool {
    let mut vpcs = network.snapshot.vpcs.ids();
    network.pool_tables().next().is_some()
        || vpcs.any(|vpc| !network.pool_sources(vpc, World::Over).is_empty())
}

/// Whether an interface owns an address that the internet knows as another one's, so that replies to it might come in
/// from there.
fn public_inside(network: &Network<'_>) -> bool {
    let associations = network.snapshot.interfaces.values().flat_map(|row| &row.public);
    let nats = network.snapshot.nat_gateways.values().flat_map(|nat| &nat.addresses);
    let public: BTreeSet<std::net::IpAddr> = associations
        .map(|row| row.public.into())
        .chain(nats.filter_map(|row| row.public).map(Into::into))
        .collect();
    let own = network.snapshot.interfaces.values();
    own.flat_map(|row| &row.addresses).any(|address| public.contains(&address.ip))
}

/// Senders that may be taken together.
fn lanes(
    reach: &Reach<'_, '_>,
    partition: &Partition,
    chains: &Chains,
    family: Family,
    alone: &BTreeSet<ClassId>,
) -> Vec<Lane> {
    let mut found: BTreeMap<(u32, Atom, [Set; 2]), Lane> = BTreeMap::new();
    for (id, station) in partition.station_ids() {
        if station.family != family || alone.contains(&station.class) {
            continue;
        }
        let context = partition.class(station.class).context;
        let vpc = partition.context_of(station.class).vpc();
        let groups = reach.group_set(partition.member(station.class));
        let out = chains.out.get(&(groups, vpc)).copied().unwrap_or_default();
        let lane = found.entry((context, station.atom, out)).or_insert_with(|| Lane {
            context,
            address: station.address,
            out,
            stations: Vec::new(),
        });
        lane.stations.push(id);
    }
    found.into_values().collect()
}

/// The lanes of each context, and the lane of each station.
fn indexed(lanes: &[Lane]) -> (BTreeMap<u32, Vec<u32>>, BTreeMap<StationId, u32>) {
    let (mut of_context, mut of_station) = (BTreeMap::new(), BTreeMap::new());
    for (lane, number) in lanes.iter().zip(0..) {
        of_context.entry(lane.context).or_insert_with(Vec::new).push(number);
        of_station.extend(lane.stations.iter().map(|station| (*station, number)));
    }
    (of_context, of_station)
}

fn postings<'n>(network: &'n Network<'_>, partition: &Partition, lanes: &[Lane]) -> Postings<'n> {
    let mut postings = Postings::default();
    for (lane, number) in lanes.iter().zip(0..) {
        for station in &lane.stations {
            let member = partition.member(partition.station(*station).class);
            match &network.interface(member).groups {
                None => postings.hidden.entry(lane.context).or_default().push((number, *station)),
                Some(groups) => groups.iter().for_each(|group: &'n Ref<_>| {
                    let carrying = postings.carrying.entry((group, lane.context)).or_default();
                    carrying.push((number, *station));
                }),
            }
        }
    }
    postings
}

/// The receivers of each VPC, in parts, with what comes to them.
fn parts(partition: &Partition, chains: &Chains, family: Family) -> Vec<Part> {
    let mut receivers: BTreeMap<Option<VpcId>, Vec<StationId>> = BTreeMap::new();
    for (id, station) in partition.station_ids().filter(|(_, station)| station.family == family) {
        receivers.entry(partition.context_of(station.class).vpc()).or_default().push(id);
    }
    let mut senders = senders(partition, chains);
    let mut found = Vec::new();
    for (vpc, stations) in receivers {
        let Some(senders) = senders.remove(&vpc) else { continue };
        let chunks = stations.chunks(PART);
        found.extend(chunks.map(|chunk| Part { receivers: chunk.to_vec(), senders: senders.clone() }));
    }
    found
}

/// By VPC of the receivers, the contexts of senders with their approaches.
type Senders = BTreeMap<Option<VpcId>, Vec<(u32, Doors)>>;

fn senders(partition: &Partition, chains: &Chains) -> Senders {
    let mut found = Senders::new();
    for (both, context) in chains.forward.iter().zip(0..) {
        let mut here: BTreeMap<Option<VpcId>, Doors> = BTreeMap::new();
        for (world, opened) in both.iter().enumerate() {
            for (approach, set) in &opened.approaches {
                let vpc = match approach.door {
                    Door::Vpc(vpc, _) | Door::Link(vpc, _) => Some(vpc),
                    Door::Interface(id) => partition.context_of(partition.class_of_interface(id)).vpc(),
                };
                here.entry(vpc).or_default()[world].push((*approach, *set));
            }
        }
        for (vpc, approaches) in here {
            found.entry(vpc).or_default().push((context, approaches));
        }
    }
    found
}

/// The contexts of which something gets to destinations that no cell is about.
fn beyond(chains: &Chains) -> BTreeSet<u32> {
    let contexts = chains.forward.iter().zip(0..);
    let beyond = contexts.filter(|(both, _)| both.iter().any(|opened| !opened.beyond.is_empty()));
    beyond.map(|(_, context)| context).collect()
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
