//! Interfaces that no rule can tell apart but by their addresses: as senders they are explored once, as receivers they
//! receive together.

use std::collections::BTreeMap;

use reachproof_model::flow::World;
use reachproof_model::id::{ComponentId, EniId, GroupId, Ref, SubnetId, VpcId};

use crate::hypothetical::is_hypothetical;
use crate::network::{Network, Role, SourcePlace};

/// A source, or several interfaces that differ in nothing but their addresses as far as sending is concerned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceClass {
    /// The source, or one of the interfaces: the first.
    pub place: SourcePlace,
    /// The interfaces, ascending; empty for other sources.
    pub members: Vec<EniId>,
}

/// Everything that a rule asks about a sending interface besides its addresses.
///
/// INVARIANT (sender key complete): `emit`, group references (R-SG-9), neighbours (R-MBX-9) and multi-homing (R-ADDR-16)
/// read these attributes of the sender and no others. Public addresses are looked up by address, not by sender.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct SenderKey<'n> {
    vpc: Option<VpcId>,
    subnets: Vec<SubnetId>,
    groups: Option<Vec<&'n Ref<GroupId>>>,
    groups_shown: bool,
    initiates: bool,
    idle: bool,
    live: [bool; 2],
    components: &'n [ComponentId],
    more_subnets: bool,
}

/// Groups sources into classes, in the order of their first members. Other places than interfaces stay alone.
pub fn classes(network: &Network<'_>, sources: &[SourcePlace]) -> Vec<SourceClass> {
    let mut found: Vec<SourceClass> = Vec::new();
    let mut known: BTreeMap<SenderKey<'_>, usize> = BTreeMap::new();
    for place in sources {
        let SourcePlace::Interface(interface) = place else {
            found.push(SourceClass { place: *place, members: Vec::new() });
            continue;
        };
        let next = found.len();
        let position = *known.entry(key(network, *interface)).or_insert(next);
        match found.get_mut(position) {
            Some(class) => class.members.push(*interface),
            None => found.push(SourceClass { place: *place, members: vec![*interface] }),
        }
    }
    found
}

fn key<'n>(network: &'n Network<'_>, id: EniId) -> SenderKey<'n> {
    let interface = network.interface(id);
    let live = |world| network.live(id, world).value;
    SenderKey {
        vpc: interface.vpc.known(),
        subnets: network.subnets_of(id),
        groups: network.groups(id),
        groups_shown: interface.groups.is_some(),
        initiates: Role::of(interface).initiates(),
        idle: network.is_idle(id),
        live: [live(World::Over), live(World::Under)],
        components: network.components_at(id),
        more_subnets: !interface.more_subnets.is_empty(),
    }
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
        let apart =
            is_hypothetical(interface) || network.balances(id) || !network.components_at(id).is_empty();
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
