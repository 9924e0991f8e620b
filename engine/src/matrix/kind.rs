//! Kinds of receivers: those to which the same passes by one face from groups that let the same out, whatever the source.

use std::rc::Rc;

use super::numbered::Numbered;
use super::reception::{Post, Receiver, Reception};
use super::way::Face;
use crate::header::hash::FixedMap;
use crate::header::{Arena, Set};
use crate::reach::{Approach, Door};

/// Receivers to which the same passes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Kind {
    pub(super) post: u32,
    pub(super) filter: u32,
    /// The ways by which something comes, by world.
    pub(super) ways: [Vec<Way>; 2],
}

/// What comes to a receiver by one approach, before its network ACL and its groups.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Way {
    pub(super) door: Door,
    pub(super) known: bool,
    /// Protocols and ports.
    pub(super) come: Set,
    /// What the receiver answers so that it comes home.
    pub(super) back: Set,
}

/// The receivers of a part by kind.
#[derive(Default)]
pub(super) struct Kinds {
    pub(super) all: Vec<Kind>,
    /// Neighbouring receivers of a kind: the first, the last, and which kind.
    pub(super) runs: Vec<(u32, u32, u32)>,
}

/// What is left of a set at each receiver of a part.
pub(super) type Profiles = FixedMap<Set, Rc<[Set]>>;

/// What is left at each receiver of what groups let out and of what comes to doors, by world.
type Columns = [(Rc<[Set]>, Vec<Rc<[Set]>>); 2];

impl Kinds {
    pub(super) fn of(
        arena: &mut Arena,
        profiles: &mut Profiles,
        reception: &Reception<'_>,
        face: &Face,
        out: [Set; 2],
    ) -> Self {
        let mut column = |set: Set| {
            let column = profiles.entry(set).or_insert_with(|| {
                reception.receivers.iter().map(|to| arena.between(set, to.address, 0)).collect()
            });
            Rc::clone(column)
        };
        let columns: Columns = [0, 1].map(|world| {
            let doors = face.doors[world].iter().map(|(_, set)| column(*set)).collect();
            (column(out[world]), doors)
        });
        let mut sorting = Sorting { arena, reception, face, columns, looks: FixedMap::default() };
        sorting.sorted()
    }
}

/// The work on which receivers are of which kind.
struct Sorting<'s, 'n> {
    arena: &'s mut Arena,
    reception: &'s Reception<'n>,
    face: &'s Face,
    columns: Columns,
    /// The kinds of receivers that look alike.
    looks: FixedMap<Vec<u32>, u32>,
}

impl Sorting<'_, '_> {
    fn sorted(&mut self) -> Kinds {
        let mut known: Numbered<Kind> = Numbered::default();
        let mut runs: Vec<(u32, u32, u32)> = Vec::new();
        let (mut look, mut before) = (Vec::new(), Vec::new());
        for (position, receiver) in (0..).zip(&self.reception.receivers) {
            self.look(&mut look, position, receiver);
            let same = look == before;
            match runs.last_mut() {
                Some((_, last, _)) if same => *last = position,
                _ => {
                    let kind = self.kind(&look, position, receiver, &mut known);
                    match runs.last_mut() {
                        Some((_, last, same)) if *same == kind => *last = position,
                        _ => runs.push((position, position, kind)),
                    }
                    std::mem::swap(&mut look, &mut before);
                }
            }
        }
        Kinds { all: known.into_all(), runs }
    }

    /// Everything that a receiver's kind follows from.
    fn look(&self, look: &mut Vec<u32>, position: u32, receiver: &Receiver) {
        look.clear();
        look.extend([receiver.post, receiver.filter, u32::from(receiver.contested)]);
        let at = |column: &Rc<[Set]>| column.get(position as usize).map_or(0, |set| set.number());
        for (out, doors) in &self.columns {
            look.push(at(out));
            look.extend(doors.iter().map(at));
        }
        let named =
            self.face.doors.iter().flatten().any(|(approach, _)| approach.door.is_at(receiver.member));
        look.extend(named.then_some(position));
        let answers = self.reception.posts.get(receiver.post as usize).and_then(|post| post.answers);
        for home in answers.into_iter().flat_map(|answers| self.face.homes(answers)).flatten() {
            look.push(self.arena.between(*home, receiver.address, 0).number());
        }
    }

    fn kind(&mut self, look: &[u32], position: u32, receiver: &Receiver, known: &mut Numbered<Kind>) -> u32 {
        if let Some(kind) = self.looks.get(look) {
            return *kind;
        }
        let ways = [0, 1].map(|world| self.ways(receiver, (world, position as usize)));
        let kind = known.of(&Kind { post: receiver.post, filter: receiver.filter, ways });
        self.looks.insert(look.to_vec(), kind);
        kind
    }

    /// What comes to a receiver, in one world.
    fn ways(&mut self, receiver: &Receiver, (world, position): (usize, usize)) -> Vec<Way> {
        let Some(post) = self.reception.posts.get(receiver.post as usize) else { return Vec::new() };
        let (out, doors) = &self.columns[world];
        // nobody can say which owner gets it.
        let takes = post.takes[world] && !(world == 1 && receiver.contested);
        let out = out.get(position).copied().unwrap_or_default();
        let mut found = Vec::new();
        for ((approach, _), column) in self.face.doors[world].iter().zip(doors) {
            let leads = takes && leads_to(approach.door, receiver, post, world);
            let come = column.get(position).copied().filter(|_| leads).unwrap_or_default();
            let come = self.arena.intersection(come, out);
            if !come.is_empty() {
                let back = back(self.arena, self.face, (receiver, post), (world, approach));
                found.push(Way { door: approach.door, known: approach.known, come, back });
            }
        }
        found
    }
}

fn leads_to(door: Door, receiver: &Receiver, post: &Post, world: usize) -> bool {
    match door {
        Door::Interface(id) => id == receiver.member,
        Door::Link(_, subnet) => post.entrances[world].iter().any(|(entered, _)| *entered == subnet),
        Door::Vpc(..) => true,
    }
}

/// What a receiver answers so that it comes home.
fn back(
    arena: &mut Arena,
    face: &Face,
    (receiver, post): (&Receiver, &Post),
    (world, approach): (usize, &Approach),
) -> Set {
    let answers = post.answers.and_then(|answers| face.home_of(answers, approach.egress));
    let home = answers.map_or(Set::EMPTY, |home| arena.between(home[world], receiver.address, 0));
    arena.intersection(home, post.answerable[world])
}
