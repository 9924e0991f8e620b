//! Roads: what comes to the doors of a VPC from where, put together when it is asked for.
//!
//! An exploration ends at portals, and what lies behind a portal is known once for all that come there. Starts that come
//! to equal portals with equal sets are a *convoy*: they differ at most in what comes to doors without a portal, which is
//! near by. So for a VPC there is one intersection for each convoy and portal, and nothing is kept for pairs of both.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use reachproof_model::id::VpcId;

use super::chain::{Both, Legs, Start};
use super::class::Partition;
use super::domain::Doors;
use crate::header::hash::FixedMap;
use crate::header::{Arena, Set};
use crate::reach::{Approach, Opened, Portal};

/// The portals that starts come to, and with what, by world.
type Convoy = [BTreeMap<Portal, Set>; 2];

/// Where explorations in one direction lead, by VPC.
#[derive(Default)]
pub(super) struct Roads {
    convoys: Vec<Convoy>,
    convoy_of: BTreeMap<Start, u32>,
    /// What comes to the doors of a VPC without a portal.
    near: BTreeMap<Option<VpcId>, BTreeMap<Start, Doors>>,
    /// What comes to them from portals.
    far: BTreeMap<Option<VpcId>, BTreeMap<Portal, Doors>>,
    /// The starts from which something gets to destinations that no cell is about.
    pub(super) beyond: BTreeSet<Start>,
    /// The starts from which something gets to an interface with another source than the one sent.
    pub(super) split: BTreeSet<Start>,
    /// The starts from which something may get to the internet.
    pub(super) online: BTreeSet<Start>,
}

impl Roads {
    pub(super) fn of(legs: &Legs, partition: &Partition, arena: &mut Arena) -> Self {
        let mut roads = Self::default();
        let mut numbers: BTreeMap<Convoy, u32> = BTreeMap::new();
        for (start, both) in &legs.own {
            let convoy = both.each_ref().map(|opened| opened.portals.clone());
            let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
            roads.convoy_of.insert(*start, *numbers.entry(convoy).or_insert(next));
            by_vpc(partition, *start, both.each_ref(), &mut roads.near);
        }
        let mut convoys: Vec<(Convoy, u32)> = numbers.into_iter().collect();
        convoys.sort_by_key(|(_, number)| *number);
        roads.convoys = convoys.into_iter().map(|(convoy, _)| convoy).collect();
        let nothing = Opened::default();
        let portals: BTreeSet<&Portal> = legs.behind.iter().flat_map(|behind| behind.keys()).collect();
        for portal in portals {
            let both =
                legs.behind.each_ref().map(|behind| behind.get(portal).map_or(&nothing, AsRef::as_ref));
            by_vpc(partition, *portal, both, &mut roads.far);
        }
        roads.beyond = ends(&roads, legs, |opened| opened.beyond, arena);
        roads.split = ends(&roads, legs, |opened| opened.split, arena);
        roads.online = ends(&roads, legs, |opened| opened.online, arena);
        let goes_online = |both: &Both| {
            let portals = both.iter().flat_map(|opened| opened.portals.keys());
            portals.into_iter().any(Portal::is_online)
        };
        let online = legs.own.iter().filter(|(_, both)| goes_online(both));
        roads.online.extend(online.map(|(start, _)| *start));
        roads
    }

    /// Every approach that something may come by.
    pub(super) fn approaches(&self) -> impl Iterator<Item = &Approach> {
        let near = self.near.values().flat_map(|doors| doors.values());
        let far = self.far.values().flat_map(|doors| doors.values());
        near.chain(far).flatten().flatten().map(|(approach, _)| approach)
    }
}

/// Files what was opened from somewhere by the VPCs of its doors.
fn by_vpc<K: Copy + Ord>(
    partition: &Partition,
    from: K,
    both: [&Opened; 2],
    found: &mut BTreeMap<Option<VpcId>, BTreeMap<K, Doors>>,
) {
    for (world, opened) in both.into_iter().enumerate() {
        for (approach, set) in &opened.approaches {
            let doors = found.entry(partition.vpc_of(approach.door)).or_default().entry(from).or_default();
            doors[world].push((*approach, *set));
        }
    }
}

/// The starts of which something ends a certain way, in one world or the other.
fn ends(roads: &Roads, legs: &Legs, end: impl Fn(&Opened) -> Set, arena: &mut Arena) -> BTreeSet<Start> {
    let convoys: Vec<bool> = roads
        .convoys
        .iter()
        .map(|convoy| {
            let mut worlds = convoy.iter().zip(&legs.behind);
            worlds.any(|(portals, behind)| {
                let mut sets =
                    portals.iter().filter_map(|(portal, set)| Some((*set, end(behind.get(portal)?))));
                sets.any(|(set, end)| !arena.intersection(set, end).is_empty())
            })
        })
        .collect();
    let far = |start: &Start| {
        let convoy = roads.convoy_of.get(start).and_then(|convoy| convoys.get(*convoy as usize));
        convoy.copied().unwrap_or(false)
    };
    let starts = legs.own.iter();
    let ending =
        starts.filter(|(start, both)| both.iter().any(|opened| !end(opened).is_empty()) || far(start));
    ending.map(|(start, _)| *start).collect()
}

/// What comes to one VPC, as far as it was asked for.
pub(super) struct Comings<'l> {
    legs: &'l Legs,
    near: Option<&'l BTreeMap<Start, Doors>>,
    far: Option<&'l BTreeMap<Portal, Doors>>,
    /// By convoy.
    known: FixedMap<u32, Option<Arc<Doors>>>,
    /// By start, where it has doors near by.
    own: BTreeMap<Start, Option<Arc<Doors>>>,
}

impl<'l> Comings<'l> {
    pub(super) fn to(legs: &'l Legs, vpc: Option<VpcId>) -> Self {
        let (near, far) = (legs.roads.near.get(&vpc), legs.roads.far.get(&vpc));
        Self { legs, near, far, known: FixedMap::default(), own: BTreeMap::new() }
    }

    /// What comes to the doors from a start; `None` if nothing does. Equal starts get the same one.
    pub(super) fn from(&mut self, arena: &mut Arena, start: Start) -> Option<Arc<Doors>> {
        let start = self.legs.first(start);
        let Some(near) = self.near.and_then(|near| near.get(&start)) else {
            return self.of_convoy(arena, start);
        };
        if let Some(known) = self.own.get(&start) {
            return known.clone();
        }
        let far = self.of_convoy(arena, start);
        let both = [0, 1].map(|world| {
            let far = far.iter().flat_map(|doors| doors[world].iter());
            joined(arena, near[world].iter().chain(far).copied())
        });
        let found = filled(both);
        self.own.insert(start, found.clone());
        found
    }

    fn of_convoy(&mut self, arena: &mut Arena, start: Start) -> Option<Arc<Doors>> {
        let number = *self.legs.roads.convoy_of.get(&start)?;
        if let Some(known) = self.known.get(&number) {
            return known.clone();
        }
        let found = self.legs.roads.convoys.get(number as usize).zip(self.far);
        let found =
            found.and_then(|(convoy, far)| filled([0, 1].map(|world| through(arena, convoy, far, world))));
        self.known.insert(number, found.clone());
        found
    }
}

/// What a convoy brings to doors through its portals.
fn through(
    arena: &mut Arena,
    convoy: &Convoy,
    far: &BTreeMap<Portal, Doors>,
    world: usize,
) -> Vec<(Approach, Set)> {
    let mut parts = Vec::new();
    for (portal, set) in &convoy[world] {
        for (approach, further) in far.get(portal).into_iter().flat_map(|doors| &doors[world]) {
            parts.push((*approach, arena.intersection(*set, *further)));
        }
    }
    joined(arena, parts.into_iter())
}

/// One set for each approach, ascending, without those that are empty.
fn joined(arena: &mut Arena, parts: impl Iterator<Item = (Approach, Set)>) -> Vec<(Approach, Set)> {
    let mut found: BTreeMap<Approach, Set> = BTreeMap::new();
    for (approach, set) in parts.filter(|(_, set)| !set.is_empty()) {
        let known = found.entry(approach).or_default();
        *known = arena.union(*known, set);
    }
    found.into_iter().collect()
}

fn filled(doors: Doors) -> Option<Arc<Doors>> {
    doors.iter().any(|doors| !doors.is_empty()).then(|| Arc::new(doors))
}

/// How roads to VPCs have changed.
#[derive(Default)]
pub(super) struct Detours {
    /// Starts that come to other portals, or with other sets.
    elsewhere: BTreeSet<Start>,
    /// Starts whose doors near by are not as they were, by VPC.
    near: BTreeMap<Option<VpcId>, BTreeSet<Start>>,
    /// Convoys, as they are now, that come to portals from which other things lead to a VPC.
    far: BTreeMap<Option<VpcId>, BTreeSet<u32>>,
}

impl Detours {
    pub(super) fn between(before: &Legs, after: &Legs) -> Self {
        if std::ptr::eq(before, after) {
            return Self::default();
        }
        let convoy = |legs: &Legs, start: &Start| {
            let number = legs.roads.convoy_of.get(start)?;
            legs.roads.convoys.get(*number as usize).cloned()
        };
        let starts = before.own.keys().chain(after.own.keys());
        let elsewhere = starts.filter(|start| {
            before.own.get(start) != after.own.get(start) && convoy(before, start) != convoy(after, start)
        });
        let mut far: BTreeMap<Option<VpcId>, BTreeSet<u32>> = BTreeMap::new();
        for (vpc, portals) in differing(&before.roads.far, &after.roads.far) {
            let convoys = after.roads.convoys.iter().zip(0..);
            let meets =
                |convoy: &Convoy| portals.iter().any(|one| convoy.iter().any(|all| all.contains_key(one)));
            far.insert(vpc, convoys.filter(|(convoy, _)| meets(convoy)).map(|(_, number)| number).collect());
        }
        let near = differing(&before.roads.near, &after.roads.near);
        Self { elsewhere: elsewhere.copied().collect(), near, far }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.elsewhere.is_empty() && self.near.is_empty() && self.far.is_empty()
    }

    /// Whether anything may come another way to a VPC.
    pub(super) fn concern(&self, vpc: Option<VpcId>) -> bool {
        !self.elsewhere.is_empty() || self.near.contains_key(&vpc) || self.far.contains_key(&vpc)
    }

    /// The starts from which something may come another way to a VPC; `after` is where explorations lead now.
    pub(super) fn starts(&self, after: &Legs, vpc: Option<VpcId>) -> BTreeSet<Start> {
        let near = self.near.get(&vpc).into_iter().flatten();
        let mut found: BTreeSet<Start> = self.elsewhere.iter().chain(near).copied().collect();
        let convoys = self.far.get(&vpc);
        if let Some(convoys) = convoys {
            let starts = after.roads.convoy_of.iter().filter(|(_, convoy)| convoys.contains(convoy));
            found.extend(starts.map(|(start, _)| *start));
        }
        found
    }
}

/// The keys whose values differ, by VPC; VPCs for which none does are left out.
fn differing<K: Copy + Ord>(
    before: &BTreeMap<Option<VpcId>, BTreeMap<K, Doors>>,
    after: &BTreeMap<Option<VpcId>, BTreeMap<K, Doors>>,
) -> BTreeMap<Option<VpcId>, BTreeSet<K>> {
    let mut found = BTreeMap::new();
    for vpc in before.keys().chain(after.keys()) {
        let (old, new) = (before.get(vpc), after.get(vpc));
        if old == new || found.contains_key(vpc) {
            continue;
        }
        let at =
            |doors: Option<&'_ BTreeMap<K, Doors>>, key: &K| doors.and_then(|doors| doors.get(key)).cloned();
        let keys = old.into_iter().chain(new).flat_map(|doors| doors.keys());
        let keys: BTreeSet<K> = keys.filter(|key| at(old, key) != at(new, key)).copied().collect();
        found.insert(*vpc, keys);
    }
    found
}
