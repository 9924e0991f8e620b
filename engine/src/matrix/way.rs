//! Ways: how packets of a context come to a part, and what of its replies gets home.
//!
//! For one source a way is a [`Face`]: sets of headers by destination, protocol and ports. Lanes that come by the same
//! face need not be told apart by where they come from.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use reachproof_model::id::{EniId, SubnetId, VpcId};

use super::chain::{Start, WORLDS};
use super::class::Partition;
use super::domain::{Doors, Ground};
use super::numbered::Numbered;
use super::reception::{Answered, Answers, Reception, answers_of};
use super::sources::by_source;
use crate::header::hash::FixedMap;
use crate::header::{Arena, Set};
use crate::network::{GatewayId, Network};
use crate::reach::{Approach, Door, Explorer, entrances};

/// What of a way is left for one source.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Face {
    /// What comes to the doors, by world.
    pub(super) doors: Doors,
    /// The egress-only gateways by which it may have left.
    egress: Vec<Option<GatewayId>>,
    home: Home,
}

/// What comes home of what the receivers of a part answer.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
struct Home {
    /// The number of each of the answers; those that come home alike have one.
    of: Rc<[u32]>,
    /// By these numbers and by the egress-only gateways, in both worlds.
    sets: Vec<[Set; 2]>,
}

/// Answers that come to a VPC alike.
struct Alike {
    /// The number of each of the answers.
    of: Rc<[u32]>,
    /// The first of the answers with each number.
    firsts: Vec<usize>,
    /// The subnets of the VPC that doors name.
    near: BTreeSet<SubnetId>,
}

impl Alike {
    fn of(reception: &Reception<'_>, vpc: Option<VpcId>) -> Self {
        let at = |answers: &Answers| {
            answers.each_ref().map(|world| (world.anyway, world.online, world.at.get(&vpc).cloned()))
        };
        let (mut known, mut firsts) = (BTreeMap::new(), Vec::new());
        let mut near = BTreeSet::new();
        let mut of = Vec::new();
        for (position, answers) in reception.answers.iter().enumerate() {
            let (at, next) = (at(answers), known.len());
            let doors = at.iter().flat_map(|(.., doors)| doors.iter().flatten());
            near.extend(doors.filter_map(|(door, _)| door.subnet()));
            let number = *known.entry(at).or_insert(next);
            firsts.extend((number == next).then_some(position));
            of.push(u32::try_from(number).unwrap_or(u32::MAX));
        }
        Self { of: of.into(), firsts, near }
    }
}

impl Face {
    /// Whether receivers may know the sender's groups.
    pub(super) fn knows(&self) -> bool {
        self.doors.iter().flatten().any(|(approach, _)| approach.known)
    }
}

/// The ways to a part.
#[derive(Default)]
pub(super) struct Ways {
    ways: Numbered<Face>,
    parted: Vec<Parted>,
    pub(super) faces: Numbered<Face>,
    /// Ways by what comes to the doors, as it is in memory, and by what comes home.
    known: BTreeMap<(*const Doors, u32), u32>,
    alike: BTreeMap<Option<VpcId>, Rc<Alike>>,
    homes: FixedMap<(u32, Vec<Option<GatewayId>>), u32>,
    /// The same for all that have equal network ACLs, where doors do not name their subnets.
    entered: FixedMap<Entry, u32>,
    home: Numbered<Home>,
    /// What comes in by egress-only gateways of the replies to what left there.
    online: BTreeMap<GatewayId, Option<Rc<Answers>>>,
    /// By set, the sources between which it makes a difference, and what is left of it for each.
    by_source: FixedMap<Set, Vec<(u128, Set)>>,
}

/// The intervals of sources between which a way makes a difference: their first addresses, and the face of each as far as
/// it was asked for.
struct Parted {
    firsts: Vec<u128>,
    faces: Vec<Option<u32>>,
}

/// What decides whether replies that come to a context come home.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Homing {
    vpc: Option<VpcId>,
    /// The interface, if something names it.
    named: Option<EniId>,
    live: [bool; 2],
    entrances: [Vec<SubnetId>; 2],
}

/// What decides it within a part: the subnets are known by what their network ACLs let in, and by name where a door names
/// them.
type Entry = (Homing, [Vec<(Set, Option<SubnetId>)>; 2], Vec<Option<GatewayId>>);

/// What decides it for each context.
pub(super) struct Homings {
    of: Vec<u32>,
    all: Vec<Homing>,
}

impl Homings {
    pub(super) fn of(partition: &Partition, network: &Network<'_>) -> Self {
        let mut known = Numbered::default();
        let of = partition.contexts.iter().map(|context| {
            known.of(&Homing {
                vpc: context.vpc(),
                named: context.named(),
                live: WORLDS.map(|world| network.live(context.member, world).value),
                entrances: WORLDS.map(|world| entrances(network, context.member, world)),
            })
        });
        Self { of: of.collect(), all: known.into_all() }
    }
}

impl Ways {
    /// The number of the way from a context.
    pub(super) fn of<'n, 's>(
        &mut self,
        ground: &Ground<'_, 'n, 's>,
        explorer: &mut Explorer<'_, 'n, 's>,
        reception: &Reception<'_>,
        (context, doors): (u32, &Arc<Doors>),
    ) -> u32 {
        let egress = left_by(doors);
        let home = self.home(ground, explorer, reception, (context, &egress));
        let key = (Arc::as_ptr(doors), home);
        if let Some(number) = self.known.get(&key) {
            return *number;
        }
        let home = self.home.get(home).cloned().unwrap_or_default();
        let doors = [0, 1].map(|world| {
            let cut = |(approach, set): &(Approach, Set)| {
                (*approach, explorer.arena.intersection(*set, reception.area))
            };
            doors[world].iter().map(cut).filter(|(_, set)| !set.is_empty()).collect()
        });
        let way = Face { doors, egress, home };
        let number = self.ways.of(&way);
        if number as usize == self.parted.len() {
            let parted = self.part(&mut explorer.arena, &way);
            self.parted.push(parted);
        }
        self.known.insert(key, number);
        number
    }

    /// The face of a way for a source.
    pub(super) fn face(&mut self, way: u32, source: u128) -> u32 {
        let Some(parted) = self.parted.get_mut(way as usize) else { return 0 };
        let at = parted.firsts.partition_point(|first| *first <= source).saturating_sub(1);
        if let Some(Some(face)) = parted.faces.get(at) {
            return *face;
        }
        let mut face = self.ways.get(way).cloned().unwrap_or_default();
        for set in face.sets_mut() {
            let Some(parts) = self.by_source.get(set) else { continue };
            let after = parts.partition_point(|(first, _)| *first <= source);
            *set = after.checked_sub(1).and_then(|at| parts.get(at)).map_or(Set::EMPTY, |(_, left)| *left);
        }
        let number = self.faces.of(&face);
        parted.faces.iter_mut().skip(at).take(1).for_each(|face| *face = Some(number));
        number
    }

    /// The sources between which a way makes a difference.
    fn part(&mut self, arena: &mut Arena, way: &Face) -> Parted {
        let mut firsts = vec![0];
        for set in way.sets() {
            let parts = self.by_source.entry(set).or_insert_with(|| by_source(arena, set));
            firsts.extend(parts.iter().map(|(first, _)| *first));
        }
        firsts.sort_unstable();
        firsts.dedup();
        let faces = vec![None; firsts.len()];
        Parted { firsts, faces }
    }

    /// The number of what comes home of what the receivers answer.
    fn home<'n, 's>(
        &mut self,
        ground: &Ground<'_, 'n, 's>,
        explorer: &mut Explorer<'_, 'n, 's>,
        reception: &Reception<'_>,
        (context, egress): (u32, &[Option<GatewayId>]),
    ) -> u32 {
        let number = ground.homings.of.get(context as usize).copied().unwrap_or(u32::MAX);
        let Some(homing) = ground.homings.all.get(number as usize) else { return u32::MAX };
        let key = (number, egress.to_vec());
        if let Some(home) = self.homes.get(&key) {
            return *home;
        }
        let alike = self.alike.entry(homing.vpc).or_insert_with(|| Rc::new(Alike::of(reception, homing.vpc)));
        let alike = Rc::clone(alike);
        let entry = entry(ground, homing, &alike, egress);
        let known = self.entered.get(&entry).copied();
        let number = known.unwrap_or_else(|| {
            let mut sets = Vec::new();
            for answers in alike.firsts.iter().filter_map(|first| reception.answers.get(*first)) {
                for egress in egress {
                    let by = egress.and_then(|gateway| self.by(ground, &mut explorer.arena, gateway));
                    let come = |world| {
                        come_home(ground, &mut explorer.arena, homing, (answers, by.as_deref(), world))
                    };
                    sets.push([0, 1].map(come));
                }
            }
            self.home.of(&Home { of: Rc::clone(&alike.of), sets })
        });
        self.entered.insert(entry, number);
        self.homes.insert(key, number);
        number
    }
}

impl Ways {
    /// R-EIGW-1: what comes in of replies to what left by an egress-only gateway.
    fn by(
        &mut self,
        ground: &Ground<'_, '_, '_>,
        arena: &mut Arena,
        gateway: GatewayId,
    ) -> Option<Rc<Answers>> {
        let known = self.online.entry(gateway);
        known.or_insert_with(|| answers_of(ground, arena, Start::By(gateway)).map(Rc::new)).clone()
    }
}

/// What decides within a part whether replies come home.
fn entry(ground: &Ground<'_, '_, '_>, homing: &Homing, alike: &Alike, egress: &[Option<GatewayId>]) -> Entry {
    let by_gateway = egress.iter().any(Option::is_some);
    let subnets = [0, 1].map(|world| {
        let subnets = homing.entrances[world].iter().copied();
        let one = |subnet| {
            let named = by_gateway || alike.near.contains(&subnet);
            (ground.chains.border(subnet, true, world), named.then_some(subnet))
        };
        subnets.map(one).collect()
    });
    (Homing { entrances: Default::default(), ..homing.clone() }, subnets, egress.to_vec())
}

/// The egress-only gateways by which what comes to doors may have left.
fn left_by(doors: &Doors) -> Vec<Option<GatewayId>> {
    let mut found: Vec<_> = doors.iter().flatten().map(|(approach, _)| approach.egress).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// R-CONN-1, R-EIGW-1: what of the replies gets home, also by the gateway by which packets left.
fn come_home(
    ground: &Ground<'_, '_, '_>,
    arena: &mut Arena,
    homing: &Homing,
    (answers, by, world): (&Answers, Option<&Answers>, usize),
) -> Set {
    let answered = &answers[world];
    let home = enter_home(ground, arena, homing, (answered, world));
    let Some(by) = by.filter(|_| !answered.online.is_empty()) else { return home };
    let entered = enter_home(ground, arena, homing, (&by[world], world));
    let entered = arena.intersection(answered.online, entered);
    arena.union(home, entered)
}

/// What of replies gets home, by the subnet's network ACL.
fn enter_home(
    ground: &Ground<'_, '_, '_>,
    arena: &mut Arena,
    homing: &Homing,
    (answered, world): (&Answered, usize),
) -> Set {
    let mut home = answered.anyway;
    if !homing.live[world] {
        return home;
    }
    for (door, set) in answered.at.get(&homing.vpc).into_iter().flatten() {
        match door {
            Door::Interface(id) if Some(*id) == homing.named => home = arena.union(home, *set),
            Door::Link(_, subnet) if homing.entrances[world].contains(subnet) => {
                home = arena.union(home, *set);
            }
            Door::Vpc(_, from) => {
                for subnet in &homing.entrances[world] {
                    let acl = match from {
                        Some(from) if from == subnet => Set::FULL,
                        _ => ground.chains.border(*subnet, true, world),
                    };
                    let entered = arena.intersection(*set, acl);
                    home = arena.union(home, entered);
                }
            }
            _ => {}
        }
    }
    home
}

impl Face {
    /// What comes home of answers to what left by an egress-only gateway or none.
    pub(super) fn home_of(&self, answers: usize, egress: Option<GatewayId>) -> Option<[Set; 2]> {
        let at = self.egress.iter().position(|left| *left == egress)?;
        self.homes(answers).get(at).copied()
    }

    /// The same for each of the gateways.
    pub(super) fn homes(&self, answers: usize) -> &[[Set; 2]] {
        let count = self.egress.len();
        let number = self.home.of.get(answers).map_or(0, |number| *number as usize);
        self.home.sets.get(number * count..(number + 1) * count).unwrap_or_default()
    }

    fn sets(&self) -> impl Iterator<Item = Set> + '_ {
        let doors = self.doors.iter().flatten().map(|(_, set)| *set);
        doors.chain(self.home.sets.iter().flatten().copied())
    }

    fn sets_mut(&mut self) -> impl Iterator<Item = &mut Set> {
        let doors = self.doors.iter_mut().flatten().map(|(_, set): &mut (Approach, Set)| set);
        doors.chain(self.home.sets.iter_mut().flatten())
    }
}
