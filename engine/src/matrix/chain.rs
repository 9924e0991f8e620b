//! Chains: how packets get from the interfaces of one context to the doors of others, and replies back.
//!
//! One exploration serves a context, another each portal. A chain is a set of headers as sent: what network ACLs, routes
//! and gateways between sender and receiver let pass. Chains through portals are put together by intersection when they
//! are asked for ([`super::road`]): kept, there would be one for each context and VPC.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use reachproof_model::flow::World;
use reachproof_model::id::{EniId, SubnetId, VpcId};

use super::class::{Context, Partition};
use super::pool::Pool;
use super::road::Roads;
use super::stale::Stale;
use crate::header::{Arena, Set};
use crate::network::GatewayId;
use crate::reach::{Door, Exhausted, Explorer, Opened, Portal};

/// Both worlds, in the order in which results for them are kept.
pub(super) const WORLDS: [World; 2] = [World::Over, World::Under];

/// Of one context or portal, in both worlds.
pub(super) type Both = [Opened; 2];

/// Where an exploration starts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Start {
    /// At an interface of a context, which sends or answers.
    From(u32),
    /// On the internet: answers to what left by an egress-only gateway.
    By(GatewayId),
}

impl Start {
    pub(super) fn context(self) -> Option<u32> {
        match self {
            Self::From(context) => Some(context),
            Self::By(_) => None,
        }
    }
}

/// One interface for each set of groups and VPC.
pub(super) type Carriers = BTreeMap<(u32, Option<VpcId>), EniId>;

/// What groups let out, by group set and VPC, in both worlds.
pub(super) type LetOut = BTreeMap<(u32, Option<VpcId>), [Set; 2]>;

/// All chains of one family. What a change leaves as it was is shared.
#[derive(Clone, Default)]
pub(super) struct Chains {
    /// What the interfaces of each context send.
    pub(super) forward: Arc<Legs>,
    /// The replies of each context, and those that come to egress-only gateways.
    pub(super) back: Arc<Legs>,
    /// What the groups of an interface let out, by group set and VPC.
    pub(super) out: Arc<LetOut>,
    /// What the network ACL of each subnet lets in.
    pub(super) borders: Arc<BTreeMap<SubnetId, Border>>,
    /// How many explorations were made.
    pub(super) explored: u64,
}

/// What a network ACL lets in, in both worlds: of what is sent, and of the replies.
pub(super) type Border = [[Set; 2]; 2];

/// Explorations in one direction.
#[derive(Default)]
pub(super) struct Legs {
    /// As far as portals, of the first of all contexts that send alike.
    pub(super) own: BTreeMap<Start, Arc<Both>>,
    /// For each context the first one that sends alike.
    firsts: Vec<u32>,
    /// From each portal as far as the next ones.
    portals: BTreeMap<Portal, Arc<Both>>,
    /// The same, once for portals that differ only in the egress-only gateway by which packets left.
    patterns: BTreeMap<Portal, Arc<Both>>,
    /// From each portal on, by world.
    pub(super) behind: [BTreeMap<Portal, Arc<Opened>>; 2],
    pub(super) roads: Roads,
    /// How many explorations were made.
    explored: u64,
}

/// Chains of a network that differs in what is stale alone.
pub(super) type Earlier<'e> = Option<(&'e Chains, &'e Stale)>;

impl Chains {
    /// Explores what has not been explored earlier, or has become stale.
    pub(super) fn of(
        pool: &mut Pool<'_, '_, '_>,
        partition: &Partition,
        carriers: &Carriers,
        earlier: Earlier<'_>,
    ) -> Result<Self, Exhausted> {
        let out = let_out(pool, carriers, earlier)?;
        if let Some((chains, _)) = earlier.filter(|(_, stale)| !stale.leads_elsewhere()) {
            return Ok(Self { out, explored: 0, ..chains.clone() });
        }
        let firsts = partition.senders_alike(pool.network());
        let starts: Vec<Start> = (0..).map(Start::From).take(firsts.len()).collect();
        let known = earlier.map(|(chains, stale)| (&*chains.forward, stale));
        let forward = Legs::of(pool, partition, (&starts, false), known, firsts.clone())?;
        let answering = answering(partition, &forward);
        let known = earlier.map(|(chains, stale)| (&*chains.back, stale));
        let back = Legs::of(pool, partition, (&answering, true), known, firsts)?;
        let borders = borders(pool, partition, earlier)?;
        let explored = forward.explored + back.explored;
        Ok(Self { out, borders, explored, forward: Arc::new(forward), back: Arc::new(back) })
    }

    /// What the network ACL of a subnet of an interface lets in; `back` for the replies to it.
    pub(super) fn border(&self, subnet: SubnetId, back: bool, world: usize) -> Set {
        let border = self.borders.get(&subnet).copied().unwrap_or_default();
        border[usize::from(back)][world]
    }

    /// Whether packets get from each context to the same doors as earlier, and replies, too.
    pub(super) fn lead_as(&self, earlier: &Self) -> bool {
        self.forward.leads_as(&earlier.forward) && self.back.leads_as(&earlier.back)
    }
}

/// What the network ACLs of the subnets of all interfaces let in.
fn borders(
    pool: &mut Pool<'_, '_, '_>,
    partition: &Partition,
    earlier: Earlier<'_>,
) -> Result<Arc<BTreeMap<SubnetId, Border>>, Exhausted> {
    let network = pool.network();
    let contexts = partition.contexts.iter();
    let subnets: BTreeSet<SubnetId> =
        contexts.flat_map(|context| network.subnets_of(context.member)).collect();
    let known = earlier.filter(|(_, stale)| !subnets.iter().any(|subnet| stale.bounds(network, *subnet)));
    if let Some((chains, _)) = known {
        return Ok(Arc::clone(&chains.borders));
    }
    let subnets: Vec<SubnetId> = subnets.into_iter().collect();
    let borders = pool.map(&subnets, |explorer, subnet| {
        [false, true].map(|back| WORLDS.map(|world| explorer.let_into(*subnet, back, world)))
    })?;
    Ok(Arc::new(subnets.into_iter().zip(borders).collect()))
}

/// What the groups of each carrier let out.
fn let_out(
    pool: &mut Pool<'_, '_, '_>,
    carriers: &Carriers,
    earlier: Earlier<'_>,
) -> Result<Arc<LetOut>, Exhausted> {
    let asked: BTreeSet<_> = match earlier {
        Some((_, stale)) => stale.carried(pool.network(), &|id| pool.group_set(id)),
        None => carriers.keys().copied().collect(),
    };
    let asked: Vec<_> = asked.iter().filter_map(|key| Some((*key, *carriers.get(key)?))).collect();
    let out =
        pool.map(&asked, |explorer, (_, member)| WORLDS.map(|world| explorer.let_out_by(*member, world)))?;
    let mut found = earlier.map(|(chains, _)| Arc::clone(&chains.out)).unwrap_or_default();
    for ((key, _), out) in asked.into_iter().zip(out) {
        if found.get(&key) != Some(&out) {
            Arc::make_mut(&mut found).insert(key, out);
        }
    }
    Ok(found)
}

impl Legs {
    fn of(
        pool: &mut Pool<'_, '_, '_>,
        partition: &Partition,
        (starts, back): (&[Start], bool),
        earlier: Option<(&Self, &Stale)>,
        contexts: Vec<u32>,
    ) -> Result<Self, Exhausted> {
        let mut legs = Self { firsts: contexts, ..Self::default() };
        let network = pool.network();
        let firsts: BTreeSet<Start> = starts.iter().map(|start| legs.first(*start)).collect();
        let firsts: Vec<Start> = firsts.into_iter().collect();
        let member = |context: &u32| partition.contexts[*context as usize].member;
        let vpc = |start: &Start| network.interface(member(&start.context()?)).vpc.known();
        let neighbours = |left: &Start, right: &Start| vpc(left) == vpc(right);
        let known = earlier.map(|(legs, stale)| (&legs.own, stale));
        legs.own = explored(pool, (&firsts, &neighbours), known, &mut legs.explored, |explorer, start| {
            WORLDS.map(|world| match start {
                Start::From(context) if back => explorer.open_back(member(context), world),
                Start::From(context) => explorer.open_from(member(context), world),
                Start::By(gateway) => explorer.open_egress(*gateway, world),
            })
        })?;
        legs.explore_portals(pool, back, earlier)?;
        legs.close(pool, earlier.map(|(legs, _)| legs))?;
        legs.roads = Roads::of(&legs, partition, &mut pool.arena());
        Ok(legs)
    }

    /// The first start that sends like this one.
    pub(super) fn first(&self, start: Start) -> Start {
        match start {
            Start::From(context) => {
                Start::From(self.firsts.get(context as usize).copied().unwrap_or(context))
            }
            Start::By(gateway) => Start::By(gateway),
        }
    }

    fn leads_as(&self, earlier: &Self) -> bool {
        std::ptr::eq(self, earlier) || (self.own == earlier.own && self.behind == earlier.behind)
    }

    /// Where everything from a start gets to, portals included, in one world.
    pub(super) fn whole(&self, arena: &mut Arena, start: Start, world: usize) -> Option<Opened> {
        let both = self.own.get(&self.first(start))?;
        Some(through(arena, &both[world], &self.behind[world]))
    }

    /// Explores every portal that anything gets to, in both worlds.
    fn explore_portals(
        &mut self,
        pool: &mut Pool<'_, '_, '_>,
        back: bool,
        earlier: Option<(&Self, &Stale)>,
    ) -> Result<(), Exhausted> {
        let known = earlier.map(|(legs, stale)| (&legs.patterns, stale));
        let mut fresh: BTreeSet<Portal> = portals_of(self.own.values());
        while !fresh.is_empty() {
            let next: BTreeSet<Portal> = fresh.iter().map(|portal| portal.pattern()).collect();
            let next: Vec<Portal> =
                next.into_iter().filter(|pattern| !self.patterns.contains_key(pattern)).collect();
            let any = |_: &Portal, _: &Portal| true;
            let new = explored(pool, (&next, &any), known, &mut self.explored, |explorer, portal| {
                WORLDS.map(|world| explorer.open_portal(*portal, back, world))
            })?;
            self.patterns.extend(new);
            let new = self.named(pool, &fresh)?;
            let found = portals_of(new.values());
            self.portals.extend(new);
            fresh = found.into_iter().filter(|portal| !self.portals.contains_key(portal)).collect();
        }
        Ok(())
    }

    /// From each of these portals as far as the next ones.
    fn named(
        &self,
        pool: &mut Pool<'_, '_, '_>,
        portals: &BTreeSet<Portal>,
    ) -> Result<BTreeMap<Portal, Arc<Both>>, Exhausted> {
        let mut arena = pool.arena();
        let mut found = BTreeMap::new();
        for portal in portals {
            let Some(both) = self.patterns.get(&portal.pattern()) else { continue };
            let both = match portal.egress() {
                Some(gateway) => Arc::new(both.each_ref().map(|opened| opened.left_by(gateway, &mut arena))),
                None => Arc::clone(both),
            };
            found.insert(*portal, both);
        }
        pool.keep(arena)?;
        Ok(found)
    }

    /// What lies behind each portal, further portals included.
    fn close(&mut self, pool: &mut Pool<'_, '_, '_>, earlier: Option<&Self>) -> Result<(), Exhausted> {
        if let Some(earlier) = earlier.filter(|earlier| earlier.portals == self.portals) {
            self.behind.clone_from(&earlier.behind);
            return Ok(());
        }
        let mut arena = pool.arena();
        self.behind = [0, 1].map(|world| {
            let closed = closed(&mut arena, &self.portals, world).into_iter();
            let known = |portal: &Portal| earlier.and_then(|earlier| earlier.behind[world].get(portal));
            let shared = |(portal, opened): (Portal, Opened)| match known(&portal) {
                Some(known) if **known == opened => (portal, Arc::clone(known)),
                _ => (portal, Arc::new(opened)),
            };
            closed.map(shared).collect()
        });
        pool.keep(arena)
    }
}

/// Explorations that one worker makes after each other at most.
const TOGETHER: usize = 64;

/// Whether two starts are neighbours.
type Neighbours<'k, K> = &'k dyn Fn(&K, &K) -> bool;

/// Explores each start that has not been explored earlier, or whose exploration is stale; neighbours one after the other,
/// as they read the same.
fn explored<K: Copy + Ord + Sync>(
    pool: &mut Pool<'_, '_, '_>,
    (starts, neighbours): (&[K], Neighbours<'_, K>),
    earlier: Option<(&BTreeMap<K, Arc<Both>>, &Stale)>,
    count: &mut u64,
    work: impl Fn(&mut Explorer<'_, '_, '_>, &K) -> Both + Sync,
) -> Result<BTreeMap<K, Arc<Both>>, Exhausted> {
    let mut found = BTreeMap::new();
    let mut asked = Vec::new();
    for start in starts {
        let known = earlier.and_then(|(known, stale)| known.get(start).filter(|both| !stale.reached(both)));
        match known {
            Some(both) => drop(found.insert(*start, Arc::clone(both))),
            None => asked.push(*start),
        }
    }
    let chunks: Vec<&[K]> = asked.chunk_by(neighbours).flat_map(|chunk| chunk.chunks(TOGETHER)).collect();
    let new = pool.map_chunks(&chunks, work)?;
    *count += asked.len() as u64;
    found.extend(asked.into_iter().zip(new.into_iter().map(Arc::new)));
    Ok(found)
}

/// The contexts that something may be delivered to, and the egress-only gateways by which it left.
fn answering(partition: &Partition, forward: &Legs) -> Vec<Start> {
    let (mut vpcs, mut named, mut found) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for approach in forward.roads.approaches() {
        match approach.door {
            Door::Vpc(vpc, _) | Door::Link(vpc, _) => vpcs.insert(Some(vpc)),
            Door::Interface(id) => named.insert(id),
        };
        found.extend(approach.egress.map(Start::By));
    }
    let answers = |context: &Context| vpcs.contains(&context.vpc()) || named.contains(&context.member);
    let contexts = partition.contexts.iter().zip(0..).filter(|(context, _)| answers(context));
    found.extend(contexts.map(|(_, number)| Start::From(number)));
    found.into_iter().collect()
}

/// Adds to an exploration what lies behind the portals that it came to.
fn through(arena: &mut Arena, opened: &Opened, behind: &BTreeMap<Portal, Arc<Opened>>) -> Opened {
    let mut found = without_portals(arena, opened);
    for (portal, set) in &opened.portals {
        behind.get(portal).into_iter().for_each(|behind| add(arena, &mut found, behind, *set));
    }
    found
}

fn portals_of<'o>(opened: impl Iterator<Item = &'o Arc<Both>>) -> BTreeSet<Portal> {
    opened.flat_map(|both| both.iter()).flat_map(|opened| opened.portals.keys().copied()).collect()
}

/// What lies behind each portal, further portals included: the least fixpoint.
fn closed(
    arena: &mut Arena,
    portals: &BTreeMap<Portal, Arc<Both>>,
    world: usize,
) -> BTreeMap<Portal, Opened> {
    let mut whole: BTreeMap<Portal, Opened> =
        portals.iter().map(|(portal, both)| (*portal, without_portals(arena, &both[world]))).collect();
    let mut changed: BTreeSet<Portal> = portals.keys().copied().collect();
    while !changed.is_empty() {
        let mut next = BTreeSet::new();
        for (portal, both) in portals {
            let ahead: Vec<(Portal, Set)> = both[world]
                .portals
                .iter()
                .filter(|(further, _)| changed.contains(*further))
                .map(|(further, set)| (*further, *set))
                .collect();
            let Some(mut found) = whole.get(portal).cloned().filter(|_| !ahead.is_empty()) else { continue };
            for (further, set) in ahead {
                whole.get(&further).into_iter().for_each(|behind| add(arena, &mut found, behind, set));
            }
            if whole.get(portal) != Some(&found) {
                whole.insert(*portal, found);
                next.insert(*portal);
            }
        }
        changed = next;
    }
    whole
}

/// As far as portals, which are left out, and what of it gets to the internet.
fn without_portals(arena: &mut Arena, opened: &Opened) -> Opened {
    let mut found = Opened { portals: BTreeMap::new(), ..opened.clone() };
    for (_, set) in opened.portals.iter().filter(|(portal, _)| portal.is_online()) {
        found.online = arena.union(found.online, *set);
    }
    found
}

/// Adds what lies behind a portal for the headers that get there.
fn add(arena: &mut Arena, found: &mut Opened, behind: &Opened, set: Set) {
    for (approach, further) in &behind.approaches {
        let part = arena.intersection(set, *further);
        if !part.is_empty() {
            let known = found.approaches.entry(*approach).or_default();
            *known = arena.union(*known, part);
        }
    }
    for (known, further) in [
        (&mut found.answered, behind.answered),
        (&mut found.beyond, behind.beyond),
        (&mut found.split, behind.split),
        (&mut found.online, behind.online),
    ] {
        let part = arena.intersection(set, further);
        *known = arena.union(*known, part);
    }
}
