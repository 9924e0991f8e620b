//! The receivers of a part: what stands between its doors and them, and what they answer.

use std::collections::{BTreeMap, BTreeSet};

use reachproof_model::id::{EniId, GroupId, Ref, SubnetId, VpcId};
use reachproof_model::snapshot::GroupPeer;

use super::chain::{Start, WORLDS};
use super::class::StationId;
use super::domain::Ground;
use crate::header::{Arena, Field, HeaderBox, Set};
use crate::network::Network;
use crate::reach::{Door, Explorer, Opened, entrances};

/// Who receives in a part.
#[derive(Default)]
pub(super) struct Reception<'n> {
    pub(super) receivers: Vec<Receiver>,
    /// How many bases there are.
    pub(super) bases: u32,
    pub(super) posts: Vec<Post>,
    pub(super) filters: Vec<Filter>,
    /// The filters with rules that name a group.
    pub(super) naming: BTreeMap<&'n Ref<GroupId>, Vec<u32>>,
    /// What the network ACLs of the receivers' subnets let in, by world.
    pub(super) borders: Vec<[Set; 2]>,
    pub(super) answers: Vec<Answers>,
    /// Every header to a receiver.
    pub(super) area: Set,
}

/// A station that receives.
pub(super) struct Receiver {
    pub(super) address: u128,
    pub(super) member: EniId,
    /// Whether others own its addresses, too.
    pub(super) contested: bool,
    pub(super) post: u32,
    pub(super) filter: u32,
    /// The number of its post, its filter and whether it is contested.
    pub(super) base: u32,
}

/// What receivers of one context have in common.
pub(super) struct Post {
    /// Whether they take anything, by world.
    pub(super) takes: [bool; 2],
    /// By which subnets they are entered, with the positions of these subnets' borders.
    pub(super) entrances: [Vec<(SubnetId, usize)>; 2],
    pub(super) answerable: [Set; 2],
    /// The position of what they answer, if replies are asked for.
    pub(super) answers: Option<usize>,
}

/// Groups that filter at some of the receivers.
pub(super) struct Filter {
    pub(super) member: EniId,
    /// What they let in from senders whose groups they do not know.
    pub(super) let_in: [Set; 2],
}

/// Where replies get to, in both worlds.
pub(super) type Answers = [Answered; 2];

/// Where replies get to, in one world.
pub(super) struct Answered {
    /// What counts as answered wherever else it gets to.
    pub(super) anyway: Set,
    pub(super) at: BTreeMap<Option<VpcId>, Vec<(Door, Set)>>,
    /// What gets to the internet.
    pub(super) online: Set,
}

/// Where the replies of a start get to; `None` if nobody asked for them.
pub(super) fn answers_of(ground: &Ground<'_, '_, '_>, arena: &mut Arena, start: Start) -> Option<Answers> {
    let mut of = |world| Some(Answered::of(ground, &ground.chains.back.whole(arena, start, world)?));
    Some([of(0)?, of(1)?])
}

impl Answered {
    fn of(ground: &Ground<'_, '_, '_>, opened: &Opened) -> Self {
        let mut at: BTreeMap<Option<VpcId>, Vec<(Door, Set)>> = BTreeMap::new();
        for (approach, set) in &opened.approaches {
            at.entry(ground.partition.vpc_of(approach.door)).or_default().push((approach.door, *set));
        }
        Self { anyway: opened.answered, at, online: opened.online }
    }
}

impl<'n> Reception<'n> {
    pub(super) fn of<'s>(
        ground: &Ground<'_, 'n, 's>,
        explorer: &mut Explorer<'_, 'n, 's>,
        stations: &[StationId],
    ) -> Self {
        let mut hall = Hall { ground, explorer, reception: Self::default(), numbers: Numbers::default() };
        stations.iter().for_each(|station| hall.admit(*station));
        let Hall { explorer, mut reception, .. } = hall;
        let here: Vec<HeaderBox> = stations
            .iter()
            .map(|station| ground.partition.station(*station))
            .map(|to| HeaderBox::full(to.family).with(Field::Destination, to.address, to.address))
            .collect();
        reception.area = explorer.arena.any_of(&here);
        reception
    }
}

/// The positions of what receivers have in common.
#[derive(Default)]
struct Numbers {
    posts: BTreeMap<u32, u32>,
    bases: BTreeMap<(u32, u32, bool), u32>,
    filters: BTreeMap<u32, u32>,
    borders: BTreeMap<SubnetId, usize>,
    /// By the first start that answers alike.
    answers: BTreeMap<Start, usize>,
}

/// The work on who receives.
struct Hall<'h, 'e, 'g, 'n, 's> {
    ground: &'h Ground<'g, 'n, 's>,
    explorer: &'h mut Explorer<'e, 'n, 's>,
    reception: Reception<'n>,
    numbers: Numbers,
}

impl<'n> Hall<'_, '_, '_, 'n, '_> {
    fn admit(&mut self, id: StationId) {
        let partition = self.ground.partition;
        let station = partition.station(id);
        let member = partition.member(station.class);
        let (post, filter) = (self.post(partition.class(station.class).context, member), self.filter(member));
        let (address, contested) = (station.address, station.contested);
        let base = *self.numbers.bases.entry((post, filter, contested)).or_insert(self.reception.bases);
        self.reception.bases = self.reception.bases.max(base + 1);
        self.reception.receivers.push(Receiver { address, member, contested, post, filter, base });
    }

    fn post(&mut self, context: u32, member: EniId) -> u32 {
        let next = u32::try_from(self.reception.posts.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.posts.entry(context).or_insert(next);
        if number == next {
            let entrances = WORLDS.map(|world| {
                let subnets = entrances(self.ground.network, member, world);
                subnets.into_iter().map(|subnet| (subnet, self.border(subnet))).collect()
            });
            let post = Post {
                takes: WORLDS.map(|world| self.explorer.takes(member, world)),
                entrances,
                answerable: WORLDS.map(|world| self.explorer.answerable_by(member, world)),
                answers: self.answers(context),
            };
            self.reception.posts.push(post);
        }
        number
    }

    fn border(&mut self, subnet: SubnetId) -> usize {
        let next = self.reception.borders.len();
        let number = *self.numbers.borders.entry(subnet).or_insert(next);
        if number == next {
            let border = [0, 1].map(|world| self.ground.chains.border(subnet, false, world));
            self.reception.borders.push(border);
        }
        number
    }

    fn answers(&mut self, context: u32) -> Option<usize> {
        if !self.ground.replies {
            return None;
        }
        let first = self.ground.chains.back.first(Start::From(context));
        if let Some(number) = self.numbers.answers.get(&first) {
            return Some(*number);
        }
        let answers = answers_of(self.ground, &mut self.explorer.arena, first)?;
        self.reception.answers.push(answers);
        let number = self.reception.answers.len() - 1;
        self.numbers.answers.insert(first, number);
        Some(number)
    }

    fn filter(&mut self, member: EniId) -> u32 {
        let next = u32::try_from(self.reception.filters.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.filters.entry((self.ground.group_set)(member)).or_insert(next);
        if number == next {
            let let_in = WORLDS.map(|world| self.explorer.let_in_by(member, None, world));
            self.reception.filters.push(Filter { member, let_in });
            for group in references(self.ground.network, member) {
                self.reception.naming.entry(group).or_default().push(number);
            }
        }
        number
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
