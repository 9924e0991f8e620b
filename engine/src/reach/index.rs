//! What all explorations of a network share: resolved tables and address lists, built once and read without locks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use reachproof_model::flow::World;
use reachproof_model::id::{AttachmentId, EniId, Id, RouteTableId, SubnetId, TgwTableId, VpcId};
use reachproof_model::snapshot::Subnet;

use super::class::{self, Crowd, Crowds};
use super::entrance::{self, Entrance};
use super::fib::{Candidate, Fib};
use super::read::{Read, Reads};
use super::view::{Intervals, block_family, interval_of};
use crate::header::Family;
use crate::network::{Association, LookUp, Network, NextHop, owned_blocks};

/// A target of a transit gateway route.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum TgwHop {
    /// Out by this attachment.
    Attachment(AttachmentId),
    /// Out by any attachment: the targets are not all known (R-DATA-3).
    Any,
}

/// Addresses of a VPC and the interface that owns them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Owned {
    pub(crate) lo: u128,
    pub(crate) hi: u128,
    pub(crate) interface: EniId,
    /// Whether another interface owns some of them, too.
    pub(crate) contested: bool,
}

/// Interfaces that receive alike, and the addresses that they and nobody else own in one family.
pub(crate) struct Receivers {
    pub(crate) family: Family,
    pub(crate) members: Vec<EniId>,
    /// Ascending.
    pub(crate) intervals: Intervals,
    /// Who owns each interval.
    pub(crate) owners: Vec<EniId>,
}

/// A class of [`Receivers`], by its position.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct ReceiversId(u32);

impl ReceiversId {
    /// The position among [`Index::all_receivers`].
    pub(crate) fn position(self) -> usize {
        self.0 as usize
    }
}

/// A crowd of senders, by its position.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct CrowdId(u32);

impl CrowdId {
    pub(super) fn of(position: usize) -> Self {
        Self(u32::try_from(position).unwrap_or(u32::MAX))
    }
}

/// The shared, immutable part of every exploration.
pub(super) struct Index<'n, 's> {
    pub(super) network: &'n Network<'s>,
    tables: [Vec<Arc<Fib<NextHop>>>; 4],
    places: Arc<Places>,
}

/// What depends on neither rules of groups nor entries of network ACLs nor routes of VPCs.
struct Places {
    tgw_tables: [Vec<Option<Fib<TgwHop>>>; 4],
    /// Owned intervals of each VPC and family, sorted.
    owned: BTreeMap<(VpcId, Family), Vec<Owned>>,
    receivers: Vec<Receivers>,
    receivers_of: BTreeMap<(VpcId, Family), Vec<ReceiversId>>,
    group_sets: Vec<u32>,
    crowds: Crowds,
    /// The VPCs that may have interfaces which the snapshot does not show.
    hiding: BTreeSet<VpcId>,
    associations: BTreeMap<VpcId, Vec<Association>>,
    /// By subnet.
    zones: Vec<SubnetId>,
    entrances: Vec<Entrance>,
    /// By attachment.
    gates: Vec<AttachmentId>,
}

const WORLDS: [World; 2] = [World::Over, World::Under];

const CONTEXTS: [(Family, World); 4] = [
    (Family::V4, World::Over),
    (Family::V4, World::Under),
    (Family::V6, World::Over),
    (Family::V6, World::Under),
];

impl<'n, 's> Index<'n, 's> {
    pub(super) fn of(network: &'n Network<'s>) -> Self {
        let tables = CONTEXTS.map(|(family, world)| {
            let tables = network.snapshot.route_tables.ids();
            tables.map(|table| Arc::new(table_fib(network, table, family, world))).collect()
        });
        Self { network, tables, places: Arc::new(Places::of(network)) }
    }

    /// The index of another network. What that shares with this one's is not made again.
    pub(super) fn after<'m, 't>(&self, network: &'m Network<'t>) -> Index<'m, 't> {
        let differing = self.network.differing(network);
        let shared = self.network.is_resolved_like(network) && self.network.shares_resolution(network);
        let Some(differing) = differing.filter(|_| shared) else { return Index::of(network) };
        let mut tables = self.tables.clone();
        for (fibs, (family, world)) in tables.iter_mut().zip(CONTEXTS) {
            for table in &differing.tables {
                let fib = Arc::new(table_fib(network, *table, family, world));
                fibs.iter_mut().skip(table.index()).take(1).for_each(|old| old.clone_from(&fib));
            }
        }
        Index { network, tables, places: Arc::clone(&self.places) }
    }

    /// The resolved route table; that it was read is noted.
    pub(super) fn fib(
        &self,
        table: RouteTableId,
        family: Family,
        world: World,
        reads: &Reads,
    ) -> Option<&Fib<NextHop>> {
        reads.note(Read::Table(table));
        self.tables.get(context(family, world))?.get(table.index()).map(AsRef::as_ref)
    }

    /// The resolved transit gateway table; `None` if its routes are unknown.
    pub(super) fn tgw_fib(&self, table: TgwTableId, family: Family, world: World) -> Option<&Fib<TgwHop>> {
        self.places.tgw_tables.get(context(family, world))?.get(table.index())?.as_ref()
    }

    /// R-ADDR-3: who owns which addresses of a VPC, sorted by address.
    pub(super) fn owned(&self, vpc: VpcId, family: Family) -> &[Owned] {
        self.places.owned.get(&(vpc, family)).map_or(&[], Vec::as_slice)
    }

    /// The classes that receive in a VPC, ascending.
    pub(super) fn receivers_of(&self, vpc: VpcId, family: Family) -> &[ReceiversId] {
        self.places.receivers_of.get(&(vpc, family)).map_or(&[], Vec::as_slice)
    }

    /// Every class of receivers, of all VPCs and families.
    pub(super) fn all_receivers(&self) -> &[Receivers] {
        &self.places.receivers
    }

    /// A class of receivers.
    pub(super) fn receivers(&self, id: ReceiversId) -> &Receivers {
        &self.places.receivers[id.0 as usize]
    }

    /// Whether a VPC may have interfaces that the snapshot does not show.
    pub(super) fn may_hide(&self, vpc: VpcId) -> bool {
        self.places.hiding.contains(&vpc)
    }

    /// The public addresses of the interfaces of a VPC.
    pub(super) fn associations_in(&self, vpc: VpcId) -> &[Association] {
        self.places.associations.get(&vpc).map_or(&[], Vec::as_slice)
    }

    /// R-TGW-2: one subnet for all whose zone is shown alike: transit gateways ask for no more of where a packet entered.
    pub(super) fn zone_of(&self, subnet: SubnetId) -> SubnetId {
        self.places.zones.get(subnet.index()).copied().unwrap_or(subnet)
    }

    /// One attachment for all VPC attachments from which a transit gateway passes packets on alike.
    pub(super) fn gate_of(&self, attachment: AttachmentId) -> AttachmentId {
        self.places.gates.get(attachment.index()).copied().unwrap_or(attachment)
    }

    /// The internet gateways that may serve a VPC.
    pub(super) fn entrances(&self) -> &[Entrance] {
        &self.places.entrances
    }

    /// All crowds of senders.
    pub(super) fn crowds(&self) -> &Crowds {
        &self.places.crowds
    }

    /// A crowd of senders.
    pub(super) fn crowd(&self, id: CrowdId) -> &Crowd {
        &self.places.crowds.all[id.0 as usize]
    }

    /// A number that two interfaces share iff they carry the same groups, and these filter at both or at neither.
    pub(super) fn group_set(&self, interface: EniId) -> u32 {
        self.places.group_sets.get(interface.index()).copied().unwrap_or(u32::MAX)
    }
}

impl Places {
    fn of(network: &Network<'_>) -> Self {
        let owned = owned(network);
        let (receivers, receivers_of) = receivers(network, &owned);
        let crowds = Crowds::of(network, &owned);
        let hiding = hiding(network);
        let tgw_tables = CONTEXTS.map(|(family, world)| {
            let tables = network.snapshot.tgw_tables.ids();
            tables.map(|table| tgw_fib(network, table, family, world)).collect()
        });
        Self {
            tgw_tables,
            owned,
            receivers,
            receivers_of,
            group_sets: group_sets(network),
            crowds,
            entrances: entrance::entrances(network, &hiding),
            hiding,
            associations: associations(network),
            zones: zones(network),
            gates: gates(network),
        }
    }
}

fn context(family: Family, world: World) -> usize {
    match (family, world) {
        (Family::V4, World::Over) => 0,
        (Family::V4, World::Under) => 1,
        (Family::V6, World::Over) => 2,
        (Family::V6, World::Under) => 3,
    }
}

fn table_fib(network: &Network<'_>, table: RouteTableId, family: Family, world: World) -> Fib<NextHop> {
    let routes = network.effective_routes(table, world);
    let of_family = routes.iter().filter(|route| block_family(&route.block) == family);
    let candidates: Vec<Candidate<NextHop>> = of_family
        .map(|route| Candidate {
            interval: interval_of(&route.block),
            length: route.block.prefix_len(),
            rank: route.rank,
            optional: route.optional,
            floating: route.floating,
            targets: vec![route.next],
        })
        .collect();
    Fib::of(&candidates, family, world)
}

fn tgw_fib(network: &Network<'_>, table: TgwTableId, family: Family, world: World) -> Option<Fib<TgwHop>> {
    let routes = network.tgw_routes(table, world)?;
    let of_family = routes.iter().filter(|route| block_family(&route.block) == family);
    let candidates: Vec<Candidate<TgwHop>> = of_family
        .map(|route| {
            let mut targets: Vec<TgwHop> = route.targets.iter().copied().map(TgwHop::Attachment).collect();
            if route.open && world == World::Over {
                targets.push(TgwHop::Any);
            }
            Candidate {
                interval: interval_of(&route.block),
                length: route.block.prefix_len(),
                rank: route.rank,
                optional: route.optional,
                floating: route.floating,
                targets,
            }
        })
        .collect();
    Some(Fib::of(&candidates, family, world))
}

fn owned(network: &Network<'_>) -> BTreeMap<(VpcId, Family), Vec<Owned>> {
    let mut index: BTreeMap<(VpcId, Family), Vec<Owned>> = BTreeMap::new();
    for (id, interface) in network.snapshot.interfaces.iter() {
        let Some(vpc) = interface.vpc.known() else { continue };
        for block in owned_blocks(interface) {
            let (lo, hi) = interval_of(&block);
            let row = Owned { lo, hi, interface: id, contested: false };
            index.entry((vpc, block_family(&block))).or_default().push(row);
        }
    }
    for rows in index.values_mut() {
        rows.sort_unstable();
        contest(rows);
    }
    index
}

/// Marks the rows that overlap with one of another interface. Sorted rows that overlap with a row follow it directly.
fn contest(rows: &mut [Owned]) {
    let mut marked = vec![false; rows.len()];
    for (position, row) in rows.iter().enumerate() {
        let following = rows.iter().enumerate().skip(position + 1).take_while(|(_, next)| next.lo <= row.hi);
        for (other, _) in following.filter(|(_, next)| next.interface != row.interface) {
            marked
                .iter_mut()
                .enumerate()
                .filter(|(at, _)| *at == position || *at == other)
                .for_each(|(_, mark)| *mark = true);
        }
    }
    rows.iter_mut().zip(marked).for_each(|(row, mark)| row.contested = mark);
}

/// What [`Index::receivers`] and [`Index::receivers_of`] hold.
type ReceiverIndex = (Vec<Receivers>, BTreeMap<(VpcId, Family), Vec<ReceiversId>>);

/// The classes of receivers with their uncontested addresses.
fn receivers(network: &Network<'_>, owned: &BTreeMap<(VpcId, Family), Vec<Owned>>) -> ReceiverIndex {
    let classes = class::receivers(network);
    let mut class_of = vec![0_usize; network.snapshot.interfaces.len()];
    for (position, members) in classes.iter().enumerate() {
        members.iter().for_each(|id| class_of[id.index()] = position);
    }
    let (mut all, mut of) = (Vec::new(), BTreeMap::new());
    for (key, rows) in owned {
        let mut owned: BTreeMap<usize, (Intervals, Vec<EniId>)> = BTreeMap::new();
        for row in rows.iter().filter(|row| !row.contested) {
            let (intervals, owners) = owned.entry(class_of[row.interface.index()]).or_default();
            intervals.push((row.lo, row.hi));
            owners.push(row.interface);
        }
        for (position, (intervals, owners)) in owned {
            let id = ReceiversId(u32::try_from(all.len()).unwrap_or(u32::MAX));
            let members = classes[position].clone();
            all.push(Receivers { family: key.1, members, intervals, owners });
            of.entry(*key).or_insert_with(Vec::new).push(id);
        }
    }
    (all, of)
}

/// A-10, R-LB-2: the VPCs with subnets that may hold interfaces which no answer shows.
fn hiding(network: &Network<'_>) -> BTreeSet<VpcId> {
    let hides = |(id, subnet): &(SubnetId, &Subnet)| {
        let hidden = !network.components_hidden_in(*id).is_empty();
        hidden || network.hides_interfaces(&subnet.meta)
    };
    network.snapshot.subnets.iter().filter(hides).filter_map(|(_, subnet)| subnet.vpc.known()).collect()
}

fn associations(network: &Network<'_>) -> BTreeMap<VpcId, Vec<Association>> {
    let mut found: BTreeMap<VpcId, Vec<Association>> = BTreeMap::new();
    for association in network.associations(World::Over) {
        if let Some(vpc) = network.interface(association.interface).vpc.known() {
            found.entry(vpc).or_default().push(*association);
        }
    }
    found
}

fn zones(network: &Network<'_>) -> Vec<SubnetId> {
    let mut first = BTreeMap::new();
    let subnets = network.snapshot.subnets.ids();
    subnets.map(|subnet| *first.entry(network.plain_zone(subnet)).or_insert(subnet)).collect()
}

/// INVARIANT (gate key complete): of a VPC attachment by which a packet came, its transit gateway asks where it is looked up
/// (R-TGW-4) and whether it keeps the sender's identity (R-SG-10). What is not looked up in tables stays apart.
fn gates(network: &Network<'_>) -> Vec<AttachmentId> {
    let mut first = BTreeMap::new();
    let of = |id: AttachmentId| {
        let look_ups = WORLDS.map(|world| network.look_ups(id, world).value);
        let tables = look_ups.iter().flatten().all(|one| matches!(one, LookUp::Table(_)));
        let alike = network.attached_vpc(id).is_some() && tables;
        let keeps = WORLDS.map(|world| network.attachment_references(id, world));
        (network.attachment(id).tgw.known(), look_ups, keeps, (!alike).then_some(id))
    };
    let attachments = network.snapshot.attachments.ids();
    attachments.map(|id| *first.entry(of(id)).or_insert(id)).collect()
}

fn group_sets(network: &Network<'_>) -> Vec<u32> {
    let mut numbers = BTreeMap::new();
    let mut sets = Vec::new();
    for id in network.snapshot.interfaces.ids() {
        let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        sets.push(*numbers.entry(class::groups_key(network, id)).or_insert(next));
    }
    sets
}
