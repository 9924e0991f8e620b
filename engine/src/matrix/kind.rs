//! Kinds of receivers: those to which the same passes by one face from groups that let the same out, whatever the source.

use std::ops::Range;
use std::rc::Rc;

use super::reception::{Post, Receiver, Reception};
use super::way::Face;
use crate::header::hash::FixedMap;
use crate::header::{Arena, Set};
use crate::reach::{Approach, Door};

/// Receivers to which the same passes.
pub(super) struct Kind {
    pub(super) post: u32,
    pub(super) filter: u32,
    /// Where the ways by which something comes end among all ways, by world; they start where those before end.
    ends: [usize; 2],
}

/// What comes to a receiver by one approach, before its network ACL and its groups.
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
    ways: Vec<Way>,
    /// Neighbouring receivers of a kind: the first, the last, and which kind.
    pub(super) runs: Vec<(u32, u32, u32)>,
}

impl Kinds {
    /// The ways by which something comes to receivers of a kind, by world.
    pub(super) fn ways(&self, kind: usize) -> [&[Way]; 2] {
        let start =
            kind.checked_sub(1).and_then(|before| self.all.get(before)).map_or(0, |kind| kind.ends[1]);
        let [over, under] = self.all.get(kind).map_or([start; 2], |kind| kind.ends);
        [start..over, over..under].map(|range| self.ways.get(range).unwrap_or_default())
    }
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
        let last = vec![None; reception.bases as usize];
        let kinds = Self::default();
        let (written, looks) = (Vec::new(), Vec::new());
        let mut sorting = Sorting { arena, reception, face, columns, kinds, written, looks, last };
        sorting.sort();
        sorting.kinds
    }
}

/// The work on which receivers are of which kind.
struct Sorting<'s, 'n> {
    arena: &'s mut Arena,
    reception: &'s Reception<'n>,
    face: &'s Face,
    columns: Columns,
    kinds: Kinds,
    /// How receivers of the kinds look, one after the other.
    written: Vec<u32>,
    /// Where in it that of each kind is, and the kind before it with the same base.
    looks: Vec<(Range<usize>, Option<u32>)>,
    /// The last kind of each base.
    last: Vec<Option<u32>>,
}

impl Sorting<'_, '_> {
    fn sort(&mut self) {
        let (mut look, mut before) = (Vec::new(), None);
        for (position, receiver) in (0..).zip(&self.reception.receivers) {
            self.look(&mut look, position, receiver);
            let kind = match before {
                Some((base, kind)) if base == receiver.base && self.looks_like(kind, &look) => kind,
                _ => self.kind(&look, position, receiver),
            };
            before = Some((receiver.base, kind));
            match self.kinds.runs.last_mut() {
                Some((_, last, same)) if *same == kind => *last = position,
                _ => self.kinds.runs.push((position, position, kind)),
            }
        }
    }

    fn looks_like(&self, kind: u32, look: &[u32]) -> bool {
        let known = self.looks.get(kind as usize).and_then(|(range, _)| self.written.get(range.clone()));
        known == Some(look)
    }

    /// Everything that a receiver's kind follows from besides its base.
    fn look(&self, look: &mut Vec<u32>, position: u32, receiver: &Receiver) {
        look.clear();
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

    /// The kind of a receiver; a new one if none of its base looks like it.
    fn kind(&mut self, look: &[u32], position: u32, receiver: &Receiver) -> u32 {
        let last = self.last.get(receiver.base as usize).copied().flatten();
        let mut at = last;
        while let Some(kind) = at {
            if self.looks_like(kind, look) {
                return kind;
            }
            at = self.looks.get(kind as usize).and_then(|(_, before)| *before);
        }
        let kind = u32::try_from(self.looks.len()).unwrap_or(u32::MAX);
        let start = self.written.len();
        self.written.extend(look);
        self.looks.push((start..self.written.len(), last));
        self.last.iter_mut().skip(receiver.base as usize).take(1).for_each(|last| *last = Some(kind));
        let ends = [0, 1].map(|world| self.come(receiver, (world, position as usize)));
        self.kinds.all.push(Kind { post: receiver.post, filter: receiver.filter, ends });
        kind
    }

    /// Adds what comes to a receiver in one world; says where that ends.
    fn come(&mut self, receiver: &Receiver, (world, position): (usize, usize)) -> usize {
        let Some(post) = self.reception.posts.get(receiver.post as usize) else {
            return self.kinds.ways.len();
        };
        let (out, doors) = &self.columns[world];
        // nobody can say which owner gets it.
        let takes = post.takes[world] && !(world == 1 && receiver.contested);
        let out = out.get(position).copied().unwrap_or_default();
        for ((approach, _), column) in self.face.doors[world].iter().zip(doors) {
            let leads = takes && leads_to(approach.door, receiver, post, world);
            let come = column.get(position).copied().filter(|_| leads).unwrap_or_default();
            let come = self.arena.intersection(come, out);
            if !come.is_empty() {
                let back = back(self.arena, self.face, (receiver, post), (world, approach));
                self.kinds.ways.push(Way { door: approach.door, known: approach.known, come, back });
            }
        }
        self.kinds.ways.len()
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
