//! Kinds of receivers: those to which the same passes by one face from groups that let the same out, whatever the source.

use super::numbered::Numbered;
use super::reception::{Post, Receiver, Reception};
use super::way::Face;
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

impl Kinds {
    pub(super) fn of(arena: &mut Arena, reception: &Reception<'_>, face: &Face, out: [Set; 2]) -> Self {
        let mut known: Numbered<Kind> = Numbered::default();
        let mut runs: Vec<(u32, u32, u32)> = Vec::new();
        for (position, receiver) in (0..).zip(&reception.receivers) {
            let Some(post) = reception.posts.get(receiver.post as usize) else { continue };
            let ways = [0, 1].map(|world| ways(arena, face, (receiver, post), (world, out[world])));
            let kind = known.of(&Kind { post: receiver.post, filter: receiver.filter, ways });
            match runs.last_mut() {
                Some((_, last, same)) if *same == kind && *last + 1 == position => *last = position,
                _ => runs.push((position, position, kind)),
            }
        }
        Self { all: known.into_all(), runs }
    }
}

/// What comes to a receiver, in one world.
fn ways(
    arena: &mut Arena,
    face: &Face,
    (receiver, post): (&Receiver, &Post),
    (world, out): (usize, Set),
) -> Vec<Way> {
    // nobody can say which owner gets it.
    let takes = post.takes[world] && !(world == 1 && receiver.contested);
    let out = arena.between(out, receiver.address, 0);
    if !takes || out.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (approach, set) in &face.doors[world] {
        let come = arena.between(*set, receiver.address, 0);
        let come = if leads_to(approach.door, receiver, post, world) { come } else { Set::EMPTY };
        let come = arena.intersection(come, out);
        if !come.is_empty() {
            let back = back(arena, face, (receiver, post), (world, approach));
            found.push(Way { door: approach.door, known: approach.known, come, back });
        }
    }
    found
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
