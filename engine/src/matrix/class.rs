//! Endpoint classes: interfaces that nothing in a network tells apart.
//!
//! Two interfaces are of one class iff their [`Key`]s are equal. A key holds everything that any rule asks about an
//! interface, of its addresses no more than their [`Atom`]s. So for a pair of classes the protocols and ports that pass
//! are the same whichever members, and whichever of their addresses in one atom, they are between.

use std::collections::{BTreeMap, BTreeSet};

use reachproof_model::flow::World;
use reachproof_model::id::{ComponentId, EniId, Id, Ref, RouteTableId, SubnetId, VpcId};
use reachproof_model::snapshot::AssociationEvidence;

use super::atom::{Atom, Atoms};
use super::stale::Stale;
use crate::header::Family;
use crate::hypothetical::is_hypothetical;
use crate::network::{Network, NextHop, Role, owned_blocks};
use crate::reach::{Door, Reach, intervals_of};

const WORLDS: [World; 2] = [World::Over, World::Under];

/// What rules ask about an interface besides its groups and its addresses: where it is and what it does.
///
/// INVARIANT (context key complete): `emit`, `recv`, neighbours (R-MBX-9), multi-homing (R-ADDR-16), gateways and the
/// first step of replies read these attributes and no others.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct ContextKey {
    vpc: Option<VpcId>,
    subnets: Vec<SubnetId>,
    more_subnets: bool,
    role: Role,
    live: [bool; 2],
    idle: bool,
    checked: bool,
    deny_igw: bool,
    /// Those behind it, and those that take in what it sends.
    components: [Vec<ComponentId>; 2],
    balances: bool,
    /// The interface itself, where something names it.
    named: Option<EniId>,
}

impl ContextKey {
    /// What of it is asked about an interface that sends, replies too: of what it does, whether it starts anything; and
    /// which one it is only where a guest may send whatever it likes, because its neighbours may hand it packets (R-MBX-9).
    ///
    /// INVARIANT (sending key complete): `emit` and all that follows it up to the resolution of a VPC read these attributes
    /// of the sender and no others.
    fn of_sender(&self, network: &Network<'_>) -> Self {
        let alone = |id: &EniId| !self.checked || is_hypothetical(network.interface(*id));
        Self {
            role: if self.role.initiates() { Role::Plain } else { Role::Nat },
            deny_igw: false,
            balances: false,
            named: self.named.filter(alone),
            ..self.clone()
        }
    }
}

/// Where an address is, and whether several interfaces own it.
type Spot = (Family, Atom, bool);

/// Everything that rules ask about an interface.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Key {
    context: ContextKey,
    /// Which groups it carries, and whether the snapshot shows them.
    groups: u32,
    /// Where its addresses are, and whether others own them, too.
    addresses: Vec<Spot>,
    /// Its public addresses: which address of its own each stands for, where both are, how sure that is.
    public: Vec<(Option<Atom>, Option<Atom>, AssociationEvidence)>,
}

/// A class of interfaces, by its position in [`super::Matrix::classes`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ClassId(pub(super) u32);

impl ClassId {
    /// The position among all classes.
    pub fn position(self) -> usize {
        self.0 as usize
    }
}

/// Interfaces between which nothing tells a difference.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Class {
    /// The interfaces, ascending.
    pub members: Vec<EniId>,
    /// Which class has the same attributes but for groups and addresses, by position.
    pub(super) context: u32,
}

/// The addresses of a class that are in one atom, by its position.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct StationId(pub(super) u32);

/// The addresses of a class that are in one atom.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Station {
    /// The class.
    pub class: ClassId,
    /// Family of the addresses.
    pub family: Family,
    pub(super) atom: Atom,
    /// Whether other interfaces own these addresses, too.
    pub(super) contested: bool,
    /// One of the addresses, of the first member.
    pub address: u128,
}

/// Interfaces that differ in groups and addresses alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Context {
    pub(super) key: ContextKey,
    /// One of them.
    pub(super) member: EniId,
}

impl Context {
    pub(super) fn vpc(&self) -> Option<VpcId> {
        self.key.vpc
    }

    /// The interface, where something names it.
    pub(super) fn named(&self) -> Option<EniId> {
        self.key.named
    }
}

/// All classes of a network.
pub(super) struct Partition {
    /// In the order of VPC, groups, context and addresses, so that neighbours are admitted alike.
    pub(super) classes: Vec<Class>,
    pub(super) contexts: Vec<Context>,
    /// By family, then in the order of their classes.
    pub(super) stations: Vec<Station>,
    /// The class of each interface.
    pub(super) class_of: Vec<ClassId>,
    pub(super) atoms: Atoms,
    contested: Contested,
}

impl Partition {
    pub(super) fn of(reach: &Reach<'_, '_>) -> Self {
        let network = reach.network();
        let (atoms, facts) = (Atoms::of(network), Facts::of(reach));
        let mut members: BTreeMap<Key, Vec<EniId>> = BTreeMap::new();
        for id in network.snapshot.interfaces.ids() {
            members.entry(key(reach, &atoms, &facts, id)).or_default().push(id);
        }
        let contexts = contexts(&members);
        let numbers: BTreeMap<&ContextKey, u32> =
            contexts.iter().zip(0..).map(|(context, number)| (&context.key, number)).collect();
        let mut sorted: Vec<(Key, Vec<EniId>)> = members.into_iter().collect();
        sorted.sort_by(|(left, _), (right, _)| order(left).cmp(&order(right)));
        let (mut classes, mut stations) = (Vec::new(), Vec::new());
        for ((key, members), id) in sorted.into_iter().zip(0..) {
            let own = members.first().map(|first| spots(network, &atoms, &facts.contested, *first));
            stations.extend(own.into_iter().flat_map(|own| stations_of(&own, ClassId(id))));
            classes.push(Class { members, context: numbers.get(&key.context).copied().unwrap_or(0) });
        }
        stations.sort_by_key(|row: &Station| (row.family, row.class, row.atom, row.contested));
        let class_of = class_of(&classes, network.snapshot.interfaces.len());
        Self { classes, contexts, stations, class_of, atoms, contested: facts.contested }
    }

    pub(super) fn class(&self, id: ClassId) -> &Class {
        &self.classes[id.0 as usize]
    }

    pub(super) fn station(&self, id: StationId) -> Station {
        self.stations[id.0 as usize]
    }

    /// One interface of a class.
    pub(super) fn member(&self, id: ClassId) -> EniId {
        self.class(id).members[0]
    }

    pub(super) fn context_of(&self, id: ClassId) -> &Context {
        &self.contexts[self.class(id).context as usize]
    }

    /// The addresses of an interface that are at a station.
    pub(super) fn addresses_at(
        &self,
        network: &Network<'_>,
        id: EniId,
        station: Station,
    ) -> Vec<(u128, u128)> {
        let (lo, hi) = self.atoms.interval(station.family, station.atom);
        let blocks = intervals_of(&owned_blocks(network.interface(id)), station.family).into_iter();
        let of_station = blocks
            .filter(|(lo, hi)| self.contested.contains(&(id, station.family, *lo, *hi)) == station.contested);
        of_station
            .map(|(first, last)| (first.max(lo), last.min(hi)))
            .filter(|(first, last)| first <= last)
            .collect()
    }

    /// Whether several interfaces own every block of this one that an address is in.
    pub(super) fn is_contested(
        &self,
        id: EniId,
        blocks: &[(u128, u128)],
        family: Family,
        address: u128,
    ) -> bool {
        let mut around = blocks.iter().filter(|(lo, hi)| (*lo..=*hi).contains(&address));
        around.all(|(lo, hi)| self.contested.contains(&(id, family, *lo, *hi)))
    }

    /// Makes the partition serve another network, too, which differs from its own at most in rules of groups, in entries of
    /// network ACLs and in routes. Says whether atoms had to become finer; `None` where a block parts the members of a
    /// class, so that it cannot.
    pub(super) fn refine(
        &mut self,
        before: &Network<'_>,
        after: &Network<'_>,
        stale: &Stale,
    ) -> Option<bool> {
        let Some(atoms) = self.atoms.refined(before, after, stale) else { return Some(false) };
        let mut stations = self.stations.clone();
        let mut cut = BTreeSet::new();
        for station in &mut stations {
            match self.atoms.whole_in(&atoms, station.family, station.atom) {
                Some(whole) => station.atom = whole,
                None => drop(cut.insert(station.class)),
            }
        }
        for class in &cut {
            let spots = self.common_spots(after, &atoms, *class)?;
            for (StationId(at), (_, atom, _)) in self.stations_of(*class).zip(spots) {
                stations.iter_mut().skip(at as usize).take(1).for_each(|station| station.atom = atom);
            }
        }
        let published = self.classes.iter().all(|class| published_alike(after, &atoms, &class.members));
        if !published {
            return None;
        }
        (self.atoms, self.stations) = (atoms, stations);
        Some(true)
    }

    /// Where the addresses of all members of a class are among finer atoms, in the order of its stations, if none of the
    /// stations is parted.
    fn common_spots(&self, network: &Network<'_>, atoms: &Atoms, class: ClassId) -> Option<Vec<Spot>> {
        let of = |member: &EniId| -> Vec<Spot> {
            spots(network, atoms, &self.contested, *member).into_keys().collect()
        };
        let mut members = self.class(class).members.iter();
        let first = members.next().map(of)?;
        let whole = first.len() == self.stations_of(class).count();
        (whole && members.all(|member| of(member) == first)).then_some(first)
    }

    /// For each context the first one that sends alike.
    pub(super) fn senders_alike(&self, network: &Network<'_>) -> Vec<u32> {
        let mut first = BTreeMap::new();
        let contexts = self.contexts.iter().zip(0..);
        contexts
            .map(|(context, number)| *first.entry(context.key.of_sender(network)).or_insert(number))
            .collect()
    }

    /// The VPC that a door is in.
    pub(super) fn vpc_of(&self, door: Door) -> Option<VpcId> {
        match door {
            Door::Vpc(vpc, _) | Door::Link(vpc, _) => Some(vpc),
            Door::Interface(id) => self.context_of(self.class_of_interface(id)).vpc(),
        }
    }

    /// Every station, ascending.
    pub(super) fn station_ids(&self) -> impl Iterator<Item = (StationId, Station)> + '_ {
        (0..).map(StationId).zip(self.stations.iter().copied())
    }
}

fn class_of(classes: &[Class], interfaces: usize) -> Vec<ClassId> {
    let mut found = vec![ClassId(0); interfaces];
    for (class, id) in classes.iter().zip(0..) {
        class.members.iter().for_each(|member| found[member.index()] = ClassId(id));
    }
    found
}

/// What classes are sorted by.
fn order(key: &Key) -> (Option<VpcId>, u32, &ContextKey, &Key) {
    (key.context.vpc, key.groups, &key.context, key)
}

fn contexts(members: &BTreeMap<Key, Vec<EniId>>) -> Vec<Context> {
    let mut found: Vec<Context> = Vec::new();
    for (key, members) in members {
        let last = found.last().is_some_and(|context| context.key == key.context);
        if let (false, Some(member)) = (last, members.first()) {
            found.push(Context { key: key.context.clone(), member: *member });
        }
    }
    found
}

/// The stations of a class, by family and atom.
fn stations_of(spots: &BTreeMap<Spot, u128>, class: ClassId) -> Vec<Station> {
    spots
        .iter()
        .map(|((family, atom, contested), address)| Station {
            class,
            family: *family,
            atom: *atom,
            contested: *contested,
            address: *address,
        })
        .collect()
}

/// Where the addresses of an interface are, with one for each.
fn spots(network: &Network<'_>, atoms: &Atoms, contested: &Contested, id: EniId) -> BTreeMap<Spot, u128> {
    let mut found = BTreeMap::new();
    let blocks = owned_blocks(network.interface(id));
    for family in [Family::V4, Family::V6] {
        for (lo, hi) in intervals_of(&blocks, family) {
            let contested = contested.contains(&(id, family, lo, hi));
            for (atom, address) in atoms.within(family, lo, hi) {
                found.entry((family, atom, contested)).or_insert(address);
            }
        }
    }
    found
}

/// Interfaces that something treats apart.
struct Facts {
    named: BTreeSet<EniId>,
    contested: Contested,
}

/// Intervals of addresses that several interfaces own, by owner.
type Contested = BTreeSet<(EniId, Family, u128, u128)>;

impl Facts {
    fn of(reach: &Reach<'_, '_>) -> Self {
        let network = reach.network();
        let named = named(network);
        let mut contested = Contested::new();
        for vpc in network.snapshot.vpcs.ids() {
            for family in [Family::V4, Family::V6] {
                let rows = reach.owned(vpc, family).iter().filter(|row| row.contested);
                contested.extend(rows.map(|row| (row.interface, family, row.lo, row.hi)));
            }
        }
        Self { named, contested }
    }
}

/// The interfaces that routes and NAT gateways name.
pub(super) fn named(network: &Network<'_>) -> BTreeSet<EniId> {
    let tables: Vec<RouteTableId> = network.snapshot.route_tables.ids().collect();
    let routes = tables.iter().flat_map(|table| WORLDS.map(|world| network.effective_routes(*table, world)));
    let mut named: BTreeSet<EniId> = routes.flatten().filter_map(|route| named_by(&route.next)).collect();
    let addresses = network.snapshot.nat_gateways.values().flat_map(|nat| &nat.addresses);
    named.extend(addresses.filter_map(|row| row.interface.as_ref().and_then(Ref::known)));
    named
}

fn named_by(next: &NextHop) -> Option<EniId> {
    match next {
        NextHop::Interface(id) => Some(*id),
        _ => None,
    }
}

fn key(reach: &Reach<'_, '_>, atoms: &Atoms, facts: &Facts, id: EniId) -> Key {
    Key {
        context: context(reach.network(), facts, id),
        groups: reach.group_set(id),
        addresses: spots(reach.network(), atoms, &facts.contested, id).into_keys().collect(),
        public: public(reach.network(), atoms, id),
    }
}

fn context(network: &Network<'_>, facts: &Facts, id: EniId) -> ContextKey {
    let interface = network.interface(id);
    let checked = network.checks_addresses(id).value;
    let forges = !checked || !network.components_beside(id).is_empty();
    let apart = forges || is_hypothetical(interface) || facts.named.contains(&id);
    ContextKey {
        vpc: interface.vpc.known(),
        subnets: network.subnets_of(id),
        more_subnets: !interface.more_subnets.is_empty(),
        role: Role::of(interface),
        live: WORLDS.map(|world| network.live(id, world).value),
        idle: network.is_idle(id),
        checked,
        deny_igw: interface.deny_igw,
        components: [network.components_at(id), network.components_beside(id)].map(<[_]>::to_vec),
        balances: network.balances(id),
        named: apart.then_some(id),
    }
}

/// Whether nothing tells the public addresses of interfaces apart.
fn published_alike(network: &Network<'_>, atoms: &Atoms, members: &[EniId]) -> bool {
    let mut rows = members.iter().map(|member| public(network, atoms, *member));
    let first = rows.next();
    rows.all(|row| Some(row) == first)
}

fn public(
    network: &Network<'_>,
    atoms: &Atoms,
    id: EniId,
) -> Vec<(Option<Atom>, Option<Atom>, AssociationEvidence)> {
    let rows = network.interface(id).public.iter();
    let mut found: Vec<_> =
        rows.map(|row| (atoms.of_v4(row.private), atoms.of_v4(row.public), row.evidence)).collect();
    found.sort_unstable();
    found.dedup();
    found
}
