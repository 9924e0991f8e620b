//! Chains: how packets get from the interfaces of one context to the doors of others, and replies back.
//!
//! One exploration serves a context, another each portal; what lies behind a portal is put together with what gets there
//! by intersection. A chain is a set of headers as sent: what network ACLs, routes and gateways between sender and
//! receiver let pass.

use std::collections::{BTreeMap, BTreeSet};

use reachproof_model::flow::World;
use reachproof_model::id::{EniId, VpcId};

use super::class::Partition;
use super::pool::Pool;
use crate::header::{Arena, Set};
use crate::network::GatewayId;
use crate::reach::{Door, Exhausted, Opened, Portal};

/// Both worlds, in the order in which results for them are kept.
pub(super) const WORLDS: [World; 2] = [World::Over, World::Under];

/// Of one context or portal, in both worlds.
type Both = [Opened; 2];

/// All chains of one family.
pub(super) struct Chains {
    /// What the interfaces of each context send to which door.
    pub(super) forward: Vec<Both>,
    /// The replies of each context, by the egress-only gateway by which the packets left.
    pub(super) back: BTreeMap<(u32, Option<GatewayId>), Both>,
    /// What the groups of an interface let out, by group set and VPC.
    pub(super) out: BTreeMap<(u32, Option<VpcId>), [Set; 2]>,
}

impl Chains {
    pub(super) fn of(
        pool: &mut Pool<'_, '_, '_>,
        partition: &Partition,
        carriers: &BTreeMap<(u32, Option<VpcId>), EniId>,
    ) -> Result<Self, Exhausted> {
        let contexts: Vec<EniId> = partition.contexts.iter().map(|context| context.member).collect();
        let forward =
            pool.map(&contexts, |explorer, member| WORLDS.map(|world| explorer.open_from(*member, world)))?;
        let forward = beyond_portals(pool, forward, false)?;
        let answering = answering(partition, &forward);
        let back = pool.map(&answering, |explorer, (context, egress)| {
            let member = contexts[*context as usize];
            WORLDS.map(|world| explorer.open_back(member, *egress, world))
        })?;
        let back = beyond_portals(pool, back, true)?;
        let members: Vec<EniId> = carriers.values().copied().collect();
        let out =
            pool.map(&members, |explorer, member| WORLDS.map(|world| explorer.let_out_by(*member, world)))?;
        Ok(Self {
            forward,
            back: answering.into_iter().zip(back).collect(),
            out: carriers.keys().copied().zip(out).collect(),
        })
    }
}

/// The contexts that something may be delivered to, with how it left.
fn answering(partition: &Partition, forward: &[Both]) -> Vec<(u32, Option<GatewayId>)> {
    let mut ways: BTreeMap<Option<VpcId>, BTreeSet<Option<GatewayId>>> = BTreeMap::new();
    let mut named: BTreeMap<EniId, BTreeSet<Option<GatewayId>>> = BTreeMap::new();
    for approach in forward.iter().flatten().flat_map(|opened| opened.approaches.keys()) {
        match approach.door {
            Door::Vpc(vpc, _) | Door::Link(vpc, _) => {
                ways.entry(Some(vpc)).or_default().insert(approach.egress)
            }
            Door::Interface(id) => named.entry(id).or_default().insert(approach.egress),
        };
    }
    let mut found = Vec::new();
    for (context, number) in partition.contexts.iter().zip(0..) {
        let here = ways.get(&context.vpc()).into_iter().chain(named.get(&context.member));
        let here: BTreeSet<Option<GatewayId>> = here.flatten().copied().collect();
        found.extend(here.into_iter().map(|egress| (number, egress)));
    }
    found
}

/// Follows explorations through the portals that they came to.
fn beyond_portals(
    pool: &mut Pool<'_, '_, '_>,
    opened: Vec<Both>,
    back: bool,
) -> Result<Vec<Both>, Exhausted> {
    let portals = explore_portals(pool, &opened, back)?;
    if portals.is_empty() {
        return Ok(opened);
    }
    let mut arena = pool.arena();
    let whole = [0, 1].map(|world| closed(&mut arena, &portals, world));
    pool.keep(arena)?;
    pool.map(&opened, |explorer, both| {
        let arena = &mut explorer.arena;
        let [over, under] = both;
        [(over, &whole[0]), (under, &whole[1])].map(|(opened, whole)| {
            let mut found = opened.clone();
            for (portal, set) in std::mem::take(&mut found.portals) {
                whole.get(&portal).into_iter().for_each(|behind| add(arena, &mut found, behind, set));
            }
            found
        })
    })
}

/// Every portal that anything gets to, each explored in both worlds.
fn explore_portals(
    pool: &mut Pool<'_, '_, '_>,
    opened: &[Both],
    back: bool,
) -> Result<BTreeMap<Portal, Both>, Exhausted> {
    let mut known: BTreeMap<Portal, Both> = BTreeMap::new();
    let mut fresh: BTreeSet<Portal> = portals_of(opened);
    while !fresh.is_empty() {
        let next: Vec<Portal> = fresh.into_iter().collect();
        let explored = pool
            .map(&next, |explorer, portal| WORLDS.map(|world| explorer.open_portal(*portal, back, world)))?;
        let found = portals_of(&explored);
        known.extend(next.into_iter().zip(explored));
        fresh = found.into_iter().filter(|portal| !known.contains_key(portal)).collect();
    }
    Ok(known)
}

fn portals_of(opened: &[Both]) -> BTreeSet<Portal> {
    opened.iter().flatten().flat_map(|opened| opened.portals.keys().copied()).collect()
}

/// What lies behind each portal, further portals included: the least fixpoint.
fn closed(arena: &mut Arena, portals: &BTreeMap<Portal, Both>, world: usize) -> BTreeMap<Portal, Opened> {
    let mut whole: BTreeMap<Portal, Opened> =
        portals.iter().map(|(portal, both)| (*portal, without_portals(&both[world]))).collect();
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

fn without_portals(opened: &Opened) -> Opened {
    Opened { portals: BTreeMap::new(), ..opened.clone() }
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
    ] {
        let part = arena.intersection(set, further);
        *known = arena.union(*known, part);
    }
}
