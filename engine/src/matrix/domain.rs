//! Decisions: what passes from every sender to the receivers of one VPC.
//!
//! What passes between two stations is a product: the chains between their contexts, what the groups of the sender let
//! out to the receiver's address, and what the groups of the receiver let in from the sender's. A *lane* gathers senders
//! of one context whose addresses are in one atom and whose groups let the same out; its cells are decided once, and
//! lanes that come to a VPC alike share one block of cells. Only where a rule of the receiver names a group of the
//! sender (R-SG-9) a cell is decided for the sender itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use reachproof_model::id::{EniId, GroupId, Ref, SubnetId, VpcId};
use reachproof_model::snapshot::GroupPeer;

use super::chain::{Chains, WORLDS};
use super::class::{Partition, Station, StationId};
use super::lane::Lanes;
use super::pool::Holds;
use crate::header::{Field, HeaderBox, Set};
use crate::network::{GatewayId, Network};
use crate::reach::{Approach, Door, Explorer};

/// What passes between two stations, as sets of protocols and ports. They are sets of the arena that
/// [`super::Matrix::arena`] gives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Cell {
    /// Arrives unless an unknown forbids it.
    pub over: Set,
    /// Arrives whatever the unknowns are.
    pub under: Set,
    /// As `over`, and the reply may come back. Empty if replies were not asked for.
    pub answered_over: Set,
    /// As `under`, and the reply comes back. Empty if replies were not asked for.
    pub answered_under: Set,
}

impl Cell {
    /// Whether nothing passes.
    pub fn is_empty(&self) -> bool {
        self.over.is_empty() && self.under.is_empty()
    }

    pub(super) fn sets(&self) -> [Set; 4] {
        [self.over, self.under, self.answered_over, self.answered_under]
    }

    pub(super) fn each(&mut self, visit: &mut dyn FnMut(&mut Set)) {
        [&mut self.over, &mut self.under, &mut self.answered_over, &mut self.answered_under]
            .into_iter()
            .for_each(visit);
    }
}

/// Neighbouring receivers, by position in the part, with equal cells that are not empty.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Span {
    pub(super) first: u32,
    pub(super) last: u32,
    pub(super) cell: Cell,
}

/// Senders of one context whose addresses nothing tells apart and whose groups let the same out.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Lane {
    pub(super) context: u32,
    /// One of their addresses.
    pub(super) address: u128,
    pub(super) out: [Set; 2],
    pub(super) stations: Vec<StationId>,
}

/// What comes to the doors of a VPC, by world.
pub(super) type Doors = [Vec<(Approach, Set)>; 2];

/// The contexts of which something comes to the receivers of a VPC.
pub(super) type Senders = BTreeMap<u32, Doors>;

/// Receivers of one VPC, decided together.
#[derive(Clone, Default)]
pub(super) struct Part {
    pub(super) receivers: Vec<StationId>,
    pub(super) senders: Arc<Senders>,
}

/// What passes to the receivers of a part.
#[derive(Default)]
pub(super) struct Decided {
    /// Rows that several lanes share.
    pub(super) blocks: Vec<Vec<Span>>,
    /// The block of each lane that has one with something in it, ascending.
    pub(super) lanes: Vec<(u32, u32)>,
    /// Cells of single senders, which replace those of their lanes; by sender and position.
    pub(super) single: Vec<(StationId, u32, Cell)>,
    /// How many cells were decided.
    pub(super) cells: u64,
}

impl Holds for Decided {
    fn each(&mut self, visit: &mut dyn FnMut(&mut Set)) {
        self.blocks.iter_mut().flatten().for_each(|span| span.cell.each(visit));
        self.single.iter_mut().for_each(|(.., cell)| cell.each(visit));
    }
}

/// What all parts of one family read.
pub(super) struct Ground<'g, 'n, 's> {
    pub(super) network: &'n Network<'s>,
    pub(super) partition: &'g Partition,
    pub(super) chains: &'g Chains,
    pub(super) lanes: &'g Lanes,
    pub(super) carriers: &'g BTreeMap<(u32, Option<VpcId>), EniId>,
    pub(super) replies: bool,
    /// The number of the groups of an interface.
    pub(super) group_set: &'g (dyn Fn(EniId) -> u32 + Sync),
}

/// A sender, behind its lane.
type Sender = (u32, StationId);

/// Which senders carry a group, by context and lane; never expanded to addresses.
#[derive(Default)]
pub(super) struct Postings {
    pub(super) carrying: BTreeMap<Ref<GroupId>, BTreeMap<u32, Vec<Sender>>>,
    /// Senders whose groups the snapshot does not show: they may carry any.
    pub(super) hidden: BTreeMap<u32, Vec<Sender>>,
}

/// A receiver, with what stands between its door and it.
struct Receiver {
    station: Station,
    member: EniId,
    context: u32,
    groups: usize,
    /// Whether it takes anything, by world.
    takes: [bool; 2],
    entrances: [Vec<SubnetId>; 2],
    answerable: [Set; 2],
}

/// Groups that filter at some of the receivers.
struct Filter<'n> {
    member: EniId,
    let_in: [Set; 2],
    references: BTreeSet<&'n Ref<GroupId>>,
}

/// Replies of a context, come back to a context of senders.
type Returned = BTreeMap<(u32, Option<GatewayId>, usize), Set>;

/// The ways to a part, the interval of its cuts that the sender is in, and what the ways let pass from there.
type Signature = (u32, usize, Vec<Set>);

/// The work on one part.
struct Desk<'d, 'e, 'g, 'n, 's> {
    ground: &'d Ground<'g, 'n, 's>,
    explorer: &'d mut Explorer<'e, 'n, 's>,
    receivers: Vec<Receiver>,
    filters: Vec<Filter<'n>>,
    /// What the network ACLs of the receivers' subnets let in.
    entered: BTreeMap<(SubnetId, usize), Set>,
    /// The filters of the part that look at senders.
    sources: Vec<Set>,
    /// Where they cut the addresses of senders: the last ones of the intervals.
    cuts: Vec<u128>,
    /// Intervals that the filters treat alike have one number.
    intervals: BTreeMap<usize, usize>,
    alike: BTreeMap<Vec<Set>, usize>,
    /// Every header to a receiver of the part.
    area: Set,
}

/// Decides what passes to a part from the lanes that are wanted.
pub(super) fn decide<'n, 's>(
    ground: &Ground<'_, 'n, 's>,
    explorer: &mut Explorer<'_, 'n, 's>,
    part: &Part,
    wanted: &dyn Fn(u32) -> bool,
) -> Decided {
    let mut desk = Desk::of(ground, explorer, part);
    let mut sheet = Sheet::default();
    for (context, approaches) in part.senders.iter() {
        let lanes = ground.lanes.of_context.get(context).into_iter().flatten().copied();
        let lanes: Vec<u32> = lanes.filter(|lane| wanted(*lane)).collect();
        if lanes.is_empty() {
            continue;
        }
        let shape = sheet.shape(approaches);
        let way = Way { shape, approaches, returned: desk.returned(*context) };
        lanes.iter().for_each(|lane| desk.lane(*lane, &way, &mut sheet));
        if approaches.iter().flatten().any(|(approach, _)| approach.known) {
            (0..desk.filters.len()).for_each(|groups| desk.single(groups, *context, &way, &mut sheet));
        }
    }
    sheet.finished()
}

/// How packets of one context come to a part, and what of its replies gets home.
struct Way<'p> {
    /// Which approaches there are, as a number.
    shape: u32,
    approaches: &'p Doors,
    returned: Returned,
}

/// What has been decided so far.
#[derive(Default)]
struct Sheet {
    shapes: BTreeMap<[Vec<Approach>; 2], u32>,
    known: BTreeMap<Signature, u32>,
    blocks: Vec<Vec<Cell>>,
    block_of: BTreeMap<u32, u32>,
    decided: Decided,
}

impl Sheet {
    fn shape(&mut self, approaches: &Doors) -> u32 {
        let [over, under] = approaches;
        let shape = [over, under].map(|world| world.iter().map(|(approach, _)| *approach).collect());
        let next = u32::try_from(self.shapes.len()).unwrap_or(u32::MAX);
        *self.shapes.entry(shape).or_insert(next)
    }

    fn base(&self, lane: u32, receiver: usize) -> Option<&Cell> {
        self.blocks.get(*self.block_of.get(&lane)? as usize)?.get(receiver)
    }

    fn finished(mut self) -> Decided {
        self.decided.blocks = self.blocks.iter().map(|cells| spans(cells)).collect();
        let blocks = &self.decided.blocks;
        let filled = |block: u32| blocks.get(block as usize).is_some_and(|spans| !spans.is_empty());
        self.decided.lanes = self.block_of.into_iter().filter(|(_, block)| filled(*block)).collect();
        self.decided.single.sort_unstable_by_key(|(station, position, _)| (*station, *position));
        self.decided
    }
}

/// Runs of equal cells.
pub(super) fn spans(cells: &[Cell]) -> Vec<Span> {
    let mut found: Vec<Span> = Vec::new();
    for (cell, position) in cells.iter().zip(0..) {
        match found.last_mut() {
            Some(span) if span.last + 1 == position && span.cell == *cell => span.last = position,
            _ if cell.is_empty() => {}
            _ => found.push(Span { first: position, last: position, cell: *cell }),
        }
    }
    found
}

impl<'d, 'e, 'g, 'n, 's> Desk<'d, 'e, 'g, 'n, 's> {
    fn of(ground: &'d Ground<'g, 'n, 's>, explorer: &'d mut Explorer<'e, 'n, 's>, part: &Part) -> Self {
        let mut desk = Self {
            ground,
            explorer,
            receivers: Vec::new(),
            filters: Vec::new(),
            entered: BTreeMap::new(),
            sources: Vec::new(),
            cuts: Vec::new(),
            intervals: BTreeMap::new(),
            alike: BTreeMap::new(),
            area: Set::EMPTY,
        };
        let mut numbers: BTreeMap<u32, usize> = BTreeMap::new();
        for station in &part.receivers {
            let station = ground.partition.station(*station);
            let member = ground.partition.member(station.class);
            let next = numbers.len();
            let groups = *numbers.entry((ground.group_set)(member)).or_insert(next);
            if groups == next {
                let filter = desk.filter(member);
                desk.filters.push(filter);
            }
            let receiver = desk.receiver(station, member, groups);
            desk.receivers.push(receiver);
        }
        desk.sources = desk.source_filters();
        desk.cuts = desk.source_cuts();
        let here: Vec<HeaderBox> = desk
            .receivers
            .iter()
            .map(|receiver| receiver.station)
            .map(|to| HeaderBox::full(to.family).with(Field::Destination, to.address, to.address))
            .collect();
        desk.area = desk.explorer.arena.any_of(&here);
        desk
    }

    fn filter(&mut self, member: EniId) -> Filter<'n> {
        let let_in = WORLDS.map(|world| self.explorer.let_in_by(member, None, world));
        Filter { member, let_in, references: references(self.ground.network, member) }
    }

    fn receiver(&mut self, station: Station, member: EniId, groups: usize) -> Receiver {
        let class = self.ground.partition.class(station.class);
        let [over, under] = WORLDS.map(|world| self.explorer.takes(member, world));
        let entrances = WORLDS.map(|world| self.explorer.entrances(member, world));
        for (world, subnets) in entrances.iter().enumerate() {
            for subnet in subnets {
                let entered = self.ground.chains.border(*subnet, false, world);
                self.entered.insert((*subnet, world), entered);
            }
        }
        Receiver {
            station,
            member,
            context: class.context,
            groups,
            // nobody can say which owner gets it.
            takes: [over, under && !station.contested],
            entrances,
            answerable: WORLDS.map(|world| self.explorer.answerable_by(member, world)),
        }
    }

    /// The filters of the receivers, each once.
    fn source_filters(&self) -> Vec<Set> {
        let filters = self.filters.iter().flat_map(|filter| filter.let_in);
        let mut sets: Vec<Set> = filters.chain(self.entered.values().copied()).collect();
        sets.sort_unstable();
        sets.dedup();
        sets
    }

    /// The number of the intervals that the filters treat like the one of an address.
    fn interval(&mut self, address: u128) -> usize {
        let interval = self.cuts.partition_point(|last| *last < address);
        if let Some(number) = self.intervals.get(&interval) {
            return *number;
        }
        let arena = &mut self.explorer.arena;
        let parts = self.sources.iter().map(|set| arena.restrict(*set, Field::Source, address)).collect();
        let next = self.alike.len();
        let number = *self.alike.entry(parts).or_insert(next);
        self.intervals.insert(interval, number);
        number
    }

    /// The bounds at which the filters of the receivers tell senders apart.
    fn source_cuts(&self) -> Vec<u128> {
        let arena = &self.explorer.arena;
        let mut cuts: Vec<u128> =
            self.sources.iter().flat_map(|set| arena.cuts(*set, Field::Source)).collect();
        cuts.sort_unstable();
        cuts.dedup();
        cuts
    }

    /// For each context of receivers, what it answers so that it comes back to senders of this context.
    fn returned(&mut self, context: u32) -> Returned {
        let mut returned = Returned::new();
        if !self.ground.replies {
            return returned;
        }
        let contexts: BTreeSet<u32> = self.receivers.iter().map(|receiver| receiver.context).collect();
        for from in contexts {
            let ways = (from, None)..(from.saturating_add(1), None);
            for ((_, egress), both) in self.ground.chains.back.whole.range(ways) {
                for (world, opened) in both.iter().enumerate() {
                    let home = self.home(context, world, opened.answered, &opened.approaches);
                    returned.insert((from, *egress, world), home);
                }
            }
        }
        returned
    }

    /// R-CONN-1: what of the replies gets home, by the subnet's network ACL.
    fn home(
        &mut self,
        context: u32,
        world: usize,
        answered: Set,
        approaches: &BTreeMap<Approach, Set>,
    ) -> Set {
        let Some(sender) = self.ground.partition.contexts.get(context as usize) else { return answered };
        let (member, vpc) = (sender.member, sender.vpc());
        if !self.ground.network.live(member, WORLDS[world]).value {
            return answered;
        }
        let mut home = answered;
        for (approach, set) in approaches {
            match approach.door {
                Door::Interface(id) if id == member => home = self.explorer.arena.union(home, *set),
                Door::Link(_, subnet) if self.explorer.entrances(member, WORLDS[world]).contains(&subnet) => {
                    home = self.explorer.arena.union(home, *set);
                }
                Door::Vpc(at, from) if Some(at) == vpc => {
                    for subnet in self.explorer.entrances(member, WORLDS[world]) {
                        let acl = match from {
                            Some(from) if from == subnet => Set::FULL,
                            _ => self.ground.chains.border(subnet, true, world),
                        };
                        let entered = self.explorer.arena.intersection(*set, acl);
                        home = self.explorer.arena.union(home, entered);
                    }
                }
                _ => {}
            }
        }
        home
    }

    /// Decides the base cells of a lane, unless another lane came the same way.
    fn lane(&mut self, number: u32, way: &Way<'_>, sheet: &mut Sheet) {
        let Some(lane) = self.ground.lanes.all.get(number as usize) else { return };
        let signature = self.signature(lane, way);
        let next = u32::try_from(sheet.blocks.len()).unwrap_or(u32::MAX);
        let block = *sheet.known.entry(signature).or_insert(next);
        if block == next {
            let cells = self.row(lane, way);
            sheet.decided.cells += cells.len() as u64;
            sheet.blocks.push(cells);
        }
        sheet.block_of.insert(number, block);
    }

    /// Everything that the base cells of a lane depend on: lanes with equal signatures have equal rows.
    fn signature(&mut self, lane: &Lane, way: &Way<'_>) -> Signature {
        let interval = self.interval(lane.address);
        let arena = &mut self.explorer.arena;
        let mut signature: Vec<Set> =
            lane.out.into_iter().map(|out| arena.intersection(out, self.area)).collect();
        let doors = way.approaches.iter().flat_map(|world| world.iter().map(|(_, set)| *set));
        for set in doors.chain(way.returned.values().copied()) {
            signature.push(arena.restrict(set, Field::Source, lane.address));
        }
        (way.shape, interval, signature)
    }

    /// The base cells of a lane: those of senders whose groups no receiver names.
    fn row(&mut self, lane: &Lane, way: &Way<'_>) -> Vec<Cell> {
        (0..self.receivers.len())
            .map(|receiver| {
                let let_in = self.filters[self.receivers[receiver].groups].let_in;
                self.cell(lane, way, receiver, let_in)
            })
            .collect()
    }

    /// What passes from a lane to a receiver. `named`: what the receiver's groups let in from senders whose groups are
    /// known.
    fn cell(&mut self, lane: &Lane, way: &Way<'_>, receiver: usize, named: [Set; 2]) -> Cell {
        let mut cell = Cell::default();
        for (world, approaches) in way.approaches.iter().enumerate() {
            let (mut passing, mut answered) = (Set::EMPTY, Set::EMPTY);
            for (approach, set) in approaches {
                let let_in = if approach.known { Some(named[world]) } else { None };
                let part = self.arriving(lane, world, receiver, (*approach, *set), let_in);
                if part.is_empty() {
                    continue;
                }
                passing = self.explorer.arena.union(passing, part);
                let back = self.answered(lane, world, receiver, approach.egress, &way.returned);
                let part = self.explorer.arena.intersection(part, back);
                answered = self.explorer.arena.union(answered, part);
            }
            match world {
                0 => (cell.over, cell.answered_over) = (passing, answered),
                _ => (cell.under, cell.answered_under) = (passing, answered),
            }
        }
        cell
    }

    /// What arrives by one approach.
    fn arriving(
        &mut self,
        lane: &Lane,
        world: usize,
        receiver: usize,
        (approach, chain): (Approach, Set),
        let_in: Option<Set>,
    ) -> Set {
        let to = &self.receivers[receiver];
        let (destination, source) = (to.station.address, lane.address);
        let let_in = let_in.unwrap_or(self.filters[to.groups].let_in[world]);
        let arena = &mut self.explorer.arena;
        let come = arena.between(chain, destination, source);
        if come.is_empty() || !to.takes[world] {
            return Set::EMPTY;
        }
        let mut entered = Set::EMPTY;
        match approach.door {
            Door::Interface(id) if id == to.member => entered = Set::FULL,
            Door::Link(_, subnet) if to.entrances[world].contains(&subnet) => entered = Set::FULL,
            Door::Interface(_) | Door::Link(..) => {}
            Door::Vpc(_, from) => {
                for subnet in &to.entrances[world] {
                    let acl = match self.entered.get(&(*subnet, world)) {
                        Some(acl) if from != Some(*subnet) => arena.between(*acl, destination, source),
                        _ => Set::FULL,
                    };
                    entered = arena.union(entered, acl);
                }
            }
        }
        let let_in = arena.between(let_in, destination, source);
        let let_out = arena.between(lane.out[world], destination, source);
        let admitted = arena.intersection(entered, let_in);
        let admitted = arena.intersection(admitted, let_out);
        arena.intersection(come, admitted)
    }

    /// What a receiver answers so that it comes back.
    fn answered(
        &mut self,
        lane: &Lane,
        world: usize,
        receiver: usize,
        egress: Option<GatewayId>,
        returned: &Returned,
    ) -> Set {
        let to = &self.receivers[receiver];
        let back = returned.get(&(to.context, egress, world)).copied().unwrap_or_default();
        let arena = &mut self.explorer.arena;
        let back = arena.between(back, to.station.address, lane.address);
        let answerable = arena.between(to.answerable[world], to.station.address, lane.address);
        arena.intersection(back, answerable)
    }

    /// R-SG-9: the cells of senders that carry a group which rules of some receivers name.
    fn single(&mut self, groups: usize, context: u32, way: &Way<'_>, sheet: &mut Sheet) {
        for (number, sender) in self.named(groups, context) {
            if !sheet.block_of.contains_key(&number) {
                continue;
            }
            let Some(named) = self.let_in_named(groups, sender) else { continue };
            let Some(lane) = self.ground.lanes.all.get(number as usize) else { continue };
            for receiver in 0..self.receivers.len() {
                if self.receivers[receiver].groups != groups {
                    continue;
                }
                let cell = self.cell(lane, way, receiver, named);
                sheet.decided.cells += 1;
                if sheet.base(number, receiver) != Some(&cell) {
                    let position = u32::try_from(receiver).unwrap_or(u32::MAX);
                    sheet.decided.single.push((sender, position, cell));
                }
            }
        }
    }

    /// The senders of a context that rules of some receivers may name, with their lanes.
    fn named(&self, groups: usize, context: u32) -> BTreeSet<Sender> {
        let postings = &self.ground.lanes.postings;
        let references = &self.filters[groups].references;
        let carrying = references.iter().filter_map(|group| postings.carrying.get(*group)?.get(&context));
        let hidden = postings.hidden.get(&context).filter(|_| !references.is_empty());
        carrying.chain(hidden).flatten().copied().collect()
    }

    /// What the groups of receivers let in from a sender whose groups are known, where that is more than from others.
    fn let_in_named(&mut self, groups: usize, sender: StationId) -> Option<[Set; 2]> {
        let partition = self.ground.partition;
        let class = partition.station(sender).class;
        let vpc = partition.context_of(class).vpc();
        let carried = (self.ground.group_set)(partition.member(class));
        let carrier = self.ground.carriers.get(&(carried, vpc)).copied()?;
        let filter = &self.filters[groups];
        let (member, plain) = (filter.member, filter.let_in);
        let named = WORLDS.map(|world| self.explorer.let_in_by(member, Some(carrier), world));
        (named != plain).then_some(named)
    }
}

/// The groups that ingress rules at an interface name.
fn references<'n>(network: &'n Network<'_>, member: EniId) -> BTreeSet<&'n Ref<GroupId>> {
    let groups = network.groups(member).unwrap_or_default().into_iter().filter_map(Ref::known);
    let rules = groups.flat_map(|group| network.snapshot.groups[group].ingress.iter().flatten());
    rules
        .filter_map(|rule| match &rule.peer {
            GroupPeer::Group(reference) => Some(&reference.group),
            _ => None,
        })
        .collect()
}
