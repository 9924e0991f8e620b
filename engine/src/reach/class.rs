//! Interfaces that no rule can tell apart but by their addresses: as senders they are explored once, as receivers they
//! receive together. All senders of a VPC are a *crowd*: one exploration serves it, because each address of it belongs to
//! one interface, so that the source of a header tells where it was sent, whose groups filter it and are known.

use std::collections::{BTreeMap, BTreeSet};

use reachproof_model::flow::World;
use reachproof_model::id::{ComponentId, EniId, GroupId, Id, Ref, SubnetId, VpcId};

use super::ground::overlap;
use super::index::{CrowdId, Owned};
use super::view::{Intervals, block_family, intervals_of};
use crate::header::Family;
use crate::hypothetical::is_hypothetical;
use crate::network::{Network, Role, SourcePlace, owned_blocks};

/// A source, or several interfaces that differ in nothing but their addresses as far as sending is concerned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceClass {
    /// The source, or one of the interfaces: the first.
    pub place: SourcePlace,
    /// The interfaces, ascending; empty for other sources.
    pub members: Vec<EniId>,
    /// The components, ascending, where they are several that are explored at once; [`Field::Start`] is the position among
    /// them.
    ///
    /// [`Field::Start`]: crate::header::Field::Start
    pub(crate) components: Vec<ComponentId>,
    /// The crowds, where they are several that are explored at once.
    pub(crate) parts: Vec<SourceClass>,
    /// Of such a crowd [`Field::Start`]: those that have an address in common differ in it.
    ///
    /// [`Field::Start`]: crate::header::Field::Start
    pub(crate) mark: u128,
    /// What they have in common; of several crowds nothing but what [`united`] says.
    pub(crate) kind: Kind,
}

/// What the members of a [`SourceClass`] have in common, and which of their addresses it is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Nothing but addresses tells them apart.
    Alike,
    /// They are of one VPC, and each has its addresses for itself. Link-local addresses, which they share, are left out.
    Crowd(CrowdId),
    /// Nothing but addresses; their link-local addresses alone.
    LinkLocal,
}

impl SourceClass {
    /// A source of its own.
    pub fn alone(place: SourcePlace) -> Self {
        let (members, components, parts) = (Vec::new(), Vec::new(), Vec::new());
        Self { place, members, components, parts, mark: 0, kind: Kind::Alike }
    }

    /// Several components, ascending, for packets alone; `None` without any.
    pub(crate) fn components(components: &[ComponentId]) -> Option<Self> {
        let place = SourcePlace::Component(*components.first()?);
        Some(Self { components: components.to_vec(), ..Self::alone(place) })
    }

    /// Several crowds as one; `None` without any.
    pub(crate) fn together(parts: Vec<Self>) -> Option<Self> {
        let mut members: Vec<EniId> = parts.iter().flat_map(|part| &part.members).copied().collect();
        members.sort_unstable();
        Some(Self { parts, ..Self::alike(members)? })
    }

    /// Its parts, those with equal marks as one; nothing of a class without parts.
    pub(crate) fn by_mark(&self) -> Vec<(u128, Self)> {
        let mut marked: BTreeMap<u128, Vec<Self>> = BTreeMap::new();
        for part in &self.parts {
            marked.entry(part.mark).or_default().push(part.clone());
        }
        marked.into_iter().filter_map(|(mark, parts)| Some((mark, Self::together(parts)?))).collect()
    }

    /// What is started by itself: its parts, or the class.
    pub(crate) fn each(&self) -> &[Self] {
        if self.parts.is_empty() { std::slice::from_ref(self) } else { &self.parts }
    }

    /// Interfaces that only their addresses tell apart, ascending; `None` without any.
    pub(crate) fn alike(members: Vec<EniId>) -> Option<Self> {
        let place = SourcePlace::Interface(*members.first()?);
        Some(Self { members, ..Self::alone(place) })
    }
}

/// Everything that a rule asks about a sending interface besides its addresses.
///
/// INVARIANT (sender key complete): `emit` (R-MBX-4), group references (R-SG-9), neighbours (R-MBX-9) and multi-homing
/// (R-ADDR-16) read these attributes of the sender and no others. Public addresses are looked up by address, not by sender.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct SenderKey<'n> {
    start: StartKey<'n>,
    groups: GroupsKey<'n>,
}

/// Whether groups filter at an interface, and which it carries, if the snapshot shows them: a VLAN's filter nothing, but rules
/// may name them (R-SG-9, R-ADDR-14).
pub(super) type GroupsKey<'n> = (bool, Option<&'n [Ref<GroupId>]>);

/// All of a [`SenderKey`] but the groups.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct StartKey<'n> {
    vpc: Option<VpcId>,
    subnets: Vec<SubnetId>,
    initiates: bool,
    idle: bool,
    live: [bool; 2],
    components: [&'n [ComponentId]; 2],
    more_subnets: bool,
    checks: bool,
}

/// Groups sources into classes, in the order of their first members. Other places than interfaces stay alone.
pub fn classes(network: &Network<'_>, sources: &[SourcePlace]) -> Vec<SourceClass> {
    let mut found: Vec<SourceClass> = Vec::new();
    let mut known: BTreeMap<SenderKey<'_>, usize> = BTreeMap::new();
    for place in sources {
        let SourcePlace::Interface(interface) = place else {
            found.push(SourceClass::alone(*place));
            continue;
        };
        let next = found.len();
        let position = *known.entry(key(network, *interface)).or_insert(next);
        match found.get_mut(position) {
            Some(class) => class.members.push(*interface),
            None => {
                found.push(SourceClass { members: vec![*interface], ..SourceClass::alone(*place) });
            }
        }
    }
    found
}

fn key<'n>(network: &'n Network<'_>, id: EniId) -> SenderKey<'n> {
    SenderKey { start: start_key(network, id), groups: groups_key(network, id) }
}

/// What two interfaces share iff nothing that is asked about their groups tells them apart.
pub(super) fn groups_key<'n>(network: &'n Network<'_>, id: EniId) -> GroupsKey<'n> {
    (network.groups(id).is_some(), network.interface(id).groups.as_deref())
}

fn start_key<'n>(network: &'n Network<'_>, id: EniId) -> StartKey<'n> {
    let interface = network.interface(id);
    let live = |world| network.live(id, world).value;
    StartKey {
        vpc: interface.vpc.known(),
        subnets: network.subnets_of(id),
        initiates: Role::of(interface).initiates(),
        idle: network.is_idle(id),
        live: [live(World::Over), live(World::Under)],
        components: [network.components_at(id), network.components_beside(id)],
        more_subnets: !interface.more_subnets.is_empty(),
        checks: network.checks_addresses(id).value,
    }
}

/// The interfaces of a VPC that share no address.
///
/// INVARIANT (addresses tell): no address of a member belongs to another interface of its VPC.
pub(crate) struct Crowd {
    /// Those that only addresses tell apart together.
    pub(crate) bands: Vec<Band>,
}

/// Members of a crowd that only their addresses tell apart.
pub(crate) struct Band {
    /// Ascending.
    pub(crate) members: Vec<EniId>,
    /// The first of all members that send alike but for their groups.
    pub(crate) start: EniId,
    /// Their addresses of both families.
    addresses: [Intervals; 2],
}

impl Band {
    /// Their addresses.
    pub(crate) fn addresses(&self, family: Family) -> &Intervals {
        let [v4, v6] = &self.addresses;
        if family == Family::V4 { v4 } else { v6 }
    }

    fn of(network: &Network<'_>, members: Vec<EniId>, start: EniId) -> Self {
        let blocks: Vec<_> = members.iter().flat_map(|id| owned_blocks(network.interface(*id))).collect();
        let addresses = [Family::V4, Family::V6].map(|family| merged(intervals_of(&blocks, family)));
        Self { members, start, addresses }
    }
}

/// Intervals with those that overlap or adjoin made one.
pub(crate) fn merged(mut intervals: Intervals) -> Intervals {
    intervals.sort_unstable();
    let mut found: Intervals = Vec::new();
    for (lo, hi) in intervals {
        match found.last_mut() {
            Some((_, end)) if lo <= end.saturating_add(1) => *end = (*end).max(hi),
            _ => found.push((lo, hi)),
        }
    }
    found
}

/// The crowds of a network.
#[derive(Default)]
pub(super) struct Crowds {
    pub(super) all: Vec<Crowd>,
    /// The crowd and the start of each interface that is in one.
    of: Vec<Option<(CrowdId, EniId)>>,
}

/// Members of a crowd by how they start and by their groups.
type Bands<'n> = BTreeMap<StartKey<'n>, BTreeMap<GroupsKey<'n>, Vec<EniId>>>;

impl Crowds {
    /// Of all interfaces that are in a VPC, own addresses, and share none.
    pub(super) fn of(network: &Network<'_>, owned: &BTreeMap<(VpcId, Family), Vec<Owned>>) -> Self {
        let contested = owned.values().flatten().filter(|row| row.contested).map(|row| row.interface);
        let contested: BTreeSet<EniId> = contested.collect();
        let mut by_vpc: BTreeMap<VpcId, Bands<'_>> = BTreeMap::new();
        for (id, interface) in network.snapshot.interfaces.iter() {
            let apart = contested.contains(&id) || is_hypothetical(interface);
            let Some(vpc) = interface.vpc.known().filter(|_| !apart) else { continue };
            let bands = by_vpc.entry(vpc).or_default().entry(start_key(network, id)).or_default();
            bands.entry(groups_key(network, id)).or_default().push(id);
        }
        let all = by_vpc.into_values().map(|bands| Crowd::of(network, bands)).collect();
        Self { all, of: vec![None; network.snapshot.interfaces.len()] }.indexed()
    }

    fn indexed(mut self) -> Self {
        for (position, crowd) in self.all.iter().enumerate() {
            for band in &crowd.bands {
                let place = Some((CrowdId::of(position), band.start));
                band.members.iter().for_each(|id| self.of[id.index()] = place);
            }
        }
        self
    }

    /// The crowd of an interface, if it is in one.
    pub(super) fn crowd_of(&self, interface: EniId) -> Option<CrowdId> {
        self.of.get(interface.index()).copied().flatten().map(|(crowd, _)| crowd)
    }

    /// The first of all members of its crowd that send like an interface but for their groups; itself if it is in none.
    pub(super) fn start_of(&self, interface: EniId) -> EniId {
        self.of.get(interface.index()).copied().flatten().map_or(interface, |(_, start)| start)
    }
}

impl Crowd {
    /// All addresses of both families.
    fn addresses(&self) -> [Intervals; 2] {
        let of =
            |family| merged(self.bands.iter().flat_map(|band| band.addresses(family)).copied().collect());
        [Family::V4, Family::V6].map(of)
    }

    fn of(network: &Network<'_>, bands: Bands<'_>) -> Self {
        let alike = |bands: BTreeMap<GroupsKey<'_>, Vec<EniId>>| {
            let start = bands.values().flatten().min().copied();
            let bands = bands.into_values();
            bands.filter_map(move |members| Some(Band::of(network, members, start?))).collect::<Vec<_>>()
        };
        Self { bands: bands.into_values().flat_map(alike).collect() }
    }
}

/// Groups sources into crowds, and into classes what crowds leave out or do not shorten.
pub(super) fn crowded(
    network: &Network<'_>,
    crowd_of: impl Fn(EniId) -> Option<CrowdId>,
    sources: &[SourcePlace],
) -> Vec<SourceClass> {
    let mut crowds: BTreeMap<CrowdId, Vec<SourceClass>> = BTreeMap::new();
    let mut found = Vec::new();
    for class in classes(network, sources) {
        let (inside, outside): (Vec<EniId>, Vec<EniId>) =
            class.members.iter().partition(|id| crowd_of(**id).is_some());
        if let (Some(part), Some(crowd)) =
            (SourceClass::alike(inside.clone()), inside.first().and_then(|first| crowd_of(*first)))
        {
            crowds.entry(crowd).or_default().push(part);
        }
        found.extend(SourceClass::alike(outside));
        found.extend(class.members.is_empty().then_some(class));
    }
    for (crowd, classes) in crowds {
        match classes.as_slice() {
            [_] => found.extend(classes),
            _ => found.extend(together(network, crowd, classes)),
        }
    }
    found
}

/// Crowds explored at once, fewer than [`Field::Start`] can tell apart.
///
/// [`Field::Start`]: crate::header::Field::Start
const UNITED: usize = 64;

/// Crowds of several VPCs as few classes, for packets alone; other classes stay as they are.
///
/// INVARIANT (addresses tell): no address of a crowd, whether its member is asked about or not, belongs to another crowd with
/// the same mark, so that the source of a header and its mark tell where it was sent.
pub(super) fn united<'c>(
    crowd: impl Fn(CrowdId) -> &'c Crowd,
    classes: Vec<SourceClass>,
) -> Vec<SourceClass> {
    let (crowds, others): (Vec<SourceClass>, Vec<SourceClass>) =
        classes.into_iter().partition(|class| matches!(class.kind, Kind::Crowd(_)));
    let mut found = Vec::new();
    for together in crowds.chunks(UNITED) {
        let mut marked: Vec<[Intervals; 2]> = Vec::new();
        let marked = |part: &SourceClass| {
            let Kind::Crowd(id) = part.kind else { return part.clone() };
            SourceClass { mark: mark(&mut marked, crowd(id).addresses()), ..part.clone() }
        };
        let parts = together.iter().map(marked).collect();
        found.extend(SourceClass::together(parts));
    }
    found.extend(others);
    found
}

/// The first mark under which none of some addresses is known yet; there they are known from now on.
fn mark(marked: &mut Vec<[Intervals; 2]>, addresses: [Intervals; 2]) -> u128 {
    let apart =
        |known: &[Intervals; 2]| known.iter().zip(&addresses).all(|(known, new)| !overlap(known, new));
    let position = marked.iter().position(apart).unwrap_or(marked.len());
    match marked.get_mut(position) {
        None => marked.push(addresses),
        Some(known) => {
            for (known, new) in known.iter_mut().zip(addresses) {
                known.extend(new);
                *known = merged(std::mem::take(known));
            }
        }
    }
    position as u128
}

/// The classes of a crowd as one, and their link-local addresses by themselves.
fn together(network: &Network<'_>, crowd: CrowdId, classes: Vec<SourceClass>) -> Vec<SourceClass> {
    let mut members: Vec<EniId> = classes.iter().flat_map(|class| &class.members).copied().collect();
    members.sort_unstable();
    let whole = SourceClass::alike(members).map(|whole| SourceClass { kind: Kind::Crowd(crowd), ..whole });
    let local = classes.into_iter().map(|class| SourceClass { kind: Kind::LinkLocal, ..class });
    whole.into_iter().chain(local.filter(|class| has_link_local(network, class))).collect()
}

/// R-ADDR-15: whether the members may have link-local addresses: in a subnet that has IPv6, as far as anyone knows.
fn has_link_local(network: &Network<'_>, class: &SourceClass) -> bool {
    let first = class.members.first().map(|first| network.subnets_of(*first)).unwrap_or_default();
    let blocks = |subnet| network.subnet_blocks(subnet, World::Over);
    first.into_iter().flat_map(blocks).any(|block| block_family(&block) == Family::V6)
}

/// Everything that a rule asks about a receiving interface besides its addresses.
///
/// INVARIANT (receiver key complete): `receive`, the filters of its groups (R-SG-9 asks for its VPC) and the first step of
/// its replies (R-ADDR-16) read these attributes and no others. Whatever has components behind it stays alone.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct ReceiverKey<'n> {
    vpc: Option<VpcId>,
    subnets: Vec<SubnetId>,
    groups: Option<Vec<&'n Ref<GroupId>>>,
    role: Role,
    idle: bool,
    live: [bool; 2],
}

/// Groups the interfaces of a network that may share what they receive, in the order of their first members.
pub(super) fn receivers(network: &Network<'_>) -> Vec<Vec<EniId>> {
    let mut found: Vec<Vec<EniId>> = Vec::new();
    let mut known: BTreeMap<ReceiverKey<'_>, usize> = BTreeMap::new();
    for (id, interface) in network.snapshot.interfaces.iter() {
        let components = [network.components_at(id), network.components_beside(id)];
        let apart = is_hypothetical(interface)
            || network.balances(id)
            || components.iter().any(|all| !all.is_empty());
        let next = found.len();
        let position = if apart { next } else { *known.entry(receiver_key(network, id)).or_insert(next) };
        match found.get_mut(position) {
            Some(class) => class.push(id),
            None => found.push(vec![id]),
        }
    }
    found
}

fn receiver_key<'n>(network: &'n Network<'_>, id: EniId) -> ReceiverKey<'n> {
    let interface = network.interface(id);
    let live = |world| network.live(id, world).value;
    ReceiverKey {
        vpc: interface.vpc.known(),
        subnets: network.subnets_of(id),
        groups: network.groups(id),
        role: Role::of(interface),
        idle: network.is_idle(id),
        live: [live(World::Over), live(World::Under)],
    }
}
