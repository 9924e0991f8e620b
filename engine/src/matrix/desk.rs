//! The work on one part: which lanes come to it alike, and what passes from them to its receivers.
//!
//! A row is decided once for all lanes that come by one [`Face`], from which groups let the same out, whose source the
//! filters of the part treat alike, and whose groups they know or do not know alike (R-SG-9). Within a row, a cell is
//! decided once for all receivers of one [`Kind`].

use std::collections::BTreeMap;
use std::rc::Rc;

use reachproof_model::id::{EniId, VpcId};

use super::chain::WORLDS;
use super::domain::{Cell, Decided, Ground, Lane, Part, Span};
use super::kind::{Kind, Kinds, Profiles, Way as Through};
use super::numbered::Numbered;
use super::reception::Reception;
use super::sources::Sources;
use super::way::Ways;
use crate::header::Set;
use crate::header::hash::FixedMap;
use crate::network::Network;
use crate::reach::{Door, Explorer};

/// What filters let in from a sender whose groups they know, where that is more than from others; by filter.
type Named = Vec<(u32, [Set; 2])>;

/// Everything that a row depends on: the face, what groups let out, the state of the filters, and what they let in from
/// whom they know.
type Signature = (u32, u32, u32, u32);

/// The work on one part.
struct Desk<'d, 'e, 'g, 'n, 's> {
    ground: &'d Ground<'g, 'n, 's>,
    explorer: &'d mut Explorer<'e, 'n, 's>,
    reception: Reception<'n>,
    sources: Sources,
    ways: Ways,
    /// What groups of senders let out to the receivers of the part.
    outs: Numbered<[Set; 2]>,
    out_of: FixedMap<[Set; 2], u32>,
    named: Numbered<Named>,
    named_of: BTreeMap<(u32, Option<VpcId>), u32>,
    profiles: Profiles,
    kinds: FixedMap<(u32, u32), Rc<Kinds>>,
    known: FixedMap<Signature, u32>,
    blocks: Numbered<Vec<Span>>,
    decided: Decided,
}

/// Decides what passes to a part from the lanes that are wanted.
pub(super) fn decide<'n, 's>(
    ground: &Ground<'_, 'n, 's>,
    explorer: &mut Explorer<'_, 'n, 's>,
    part: &Part,
    wanted: &dyn Fn(u32) -> bool,
) -> Decided {
    let mut desk = Desk::of(ground, explorer, part);
    for (context, doors) in part.senders.iter() {
        let lanes = ground.lanes.of_context.get(context).into_iter().flatten().copied();
        let mut lanes = lanes.filter(|lane| wanted(*lane)).peekable();
        if lanes.peek().is_some() {
            let way = desk.ways.of(ground, desk.explorer, &desk.reception, (*context, doors));
            lanes.for_each(|lane| desk.lane(lane, way));
        }
    }
    desk.finished()
}

/// Cells of neighbouring receivers as spans, without those in which nothing passes.
pub(super) fn spans(cells: &[Cell]) -> Vec<Span> {
    let mut found: Vec<Span> = Vec::new();
    for (position, cell) in (0..).zip(cells) {
        match found.last_mut() {
            Some(span) if span.last + 1 == position && span.cell == *cell => span.last = position,
            _ if cell.is_empty() => {}
            _ => found.push(Span { first: position, last: position, cell: *cell }),
        }
    }
    found
}

impl<'d, 'e, 'g, 'n, 's> Desk<'d, 'e, 'g, 'n, 's> {
    fn of(ground: &'d Ground<'g, 'n, 's>, explorer: &'d mut Explorer<'e, 'n, 's>, part: &Part) -> Self {
        let reception = Reception::of(ground, explorer, &part.receivers);
        let filters = reception.filters.iter().map(|filter| filter.let_in);
        let filters: Vec<Set> = filters.chain(reception.borders.iter().copied()).flatten().collect();
        let sources = Sources::of(&mut explorer.arena, &filters);
        let mut named = Numbered::default();
        named.of(&Named::new());
        Self {
            ground,
            explorer,
            reception,
            sources,
            ways: Ways::default(),
            outs: Numbered::default(),
            out_of: FixedMap::default(),
            named,
            named_of: BTreeMap::new(),
            profiles: Profiles::default(),
            kinds: FixedMap::default(),
            known: FixedMap::default(),
            blocks: Numbered::default(),
            decided: Decided::default(),
        }
    }

    /// Decides the row of a lane, unless another lane came the same way.
    fn lane(&mut self, number: u32, way: u32) {
        let Some(lane) = self.ground.lanes.all.get(number as usize) else { return };
        let face = self.ways.face(way, lane.address);
        let knows = self.ways.faces.get(face).is_some_and(|face| face.knows());
        let named = if knows { self.named(lane) } else { 0 };
        let signature = (face, self.out(lane), self.sources.state(lane.address), named);
        let block = match self.known.get(&signature) {
            Some(block) => *block,
            None => {
                let row = self.row(lane, signature);
                let block = self.blocks.of(&row);
                self.known.insert(signature, block);
                block
            }
        };
        if self.blocks.get(block).is_some_and(|spans| !spans.is_empty()) {
            self.decided.lanes.push((number, block));
        }
    }

    /// The number of what the groups of a lane let out.
    fn out(&mut self, lane: &Lane) -> u32 {
        if let Some(number) = self.out_of.get(&lane.out) {
            return *number;
        }
        let out = lane.out.map(|out| self.explorer.arena.intersection(out, self.reception.area));
        let number = self.outs.of(&out);
        self.out_of.insert(lane.out, number);
        number
    }

    /// R-SG-9: the number of what filters let in from a lane whose groups they know.
    fn named(&mut self, lane: &Lane) -> u32 {
        if self.reception.naming.is_empty() {
            return 0;
        }
        let vpc = self.ground.partition.contexts.get(lane.context as usize).and_then(|context| context.vpc());
        let key = (lane.groups, vpc);
        if let Some(number) = self.named_of.get(&key) {
            return *number;
        }
        let named = self.ground.carriers.get(&key).map(|carrier| self.let_in_named(*carrier));
        let number = self.named.of(&named.unwrap_or_default());
        self.named_of.insert(key, number);
        number
    }

    fn let_in_named(&mut self, carrier: EniId) -> Named {
        let mut found = Named::new();
        for number in naming(self.ground.network, &self.reception, carrier) {
            let filter = &self.reception.filters[number as usize];
            let (member, plain) = (filter.member, filter.let_in);
            let let_in = WORLDS.map(|world| self.explorer.let_in_by(member, Some(carrier), world));
            if let_in != plain {
                found.push((number, let_in));
            }
        }
        found
    }

    /// The cells of a lane.
    fn row(&mut self, lane: &Lane, (face, out, state, named): Signature) -> Vec<Span> {
        let kinds = self.kinds(face, out);
        let named = self.named.get(named).cloned().unwrap_or_default();
        let cells = kinds.all.iter().zip(0..);
        let cells: Vec<Cell> = cells
            .map(|(kind, number)| self.cell((kind, kinds.ways(number)), state, (&named, lane.address)))
            .collect();
        self.decided.cells += cells.len() as u64;
        let mut found: Vec<Span> = Vec::new();
        for (first, last, kind) in &kinds.runs {
            let cell = cells.get(*kind as usize).copied().unwrap_or_default();
            match found.last_mut() {
                Some(span) if span.last + 1 == *first && span.cell == cell => span.last = *last,
                _ if cell.is_empty() => {}
                _ => found.push(Span { first: *first, last: *last, cell }),
            }
        }
        found
    }

    fn kinds(&mut self, face: u32, out: u32) -> Rc<Kinds> {
        let kinds = self.kinds.entry((face, out)).or_insert_with(|| {
            let out = self.outs.get(out).copied().unwrap_or_default();
            let face = self.ways.faces.get(face);
            let kinds = face.map(|face| {
                let arena = &mut self.explorer.arena;
                Kinds::of(arena, &mut self.profiles, &self.reception, face, out)
            });
            Rc::new(kinds.unwrap_or_default())
        });
        Rc::clone(kinds)
    }

    /// What passes from a lane to receivers of a kind.
    fn cell(&mut self, (kind, ways): (&Kind, [&[Through]; 2]), state: u32, named: (&Named, u128)) -> Cell {
        let mut cell = Cell::default();
        for (world, ways) in ways.into_iter().enumerate() {
            let (mut passing, mut answered) = (Set::EMPTY, Set::EMPTY);
            for way in ways {
                let part = self.admitted(kind, (world, state), way, named);
                let arena = &mut self.explorer.arena;
                passing = arena.union(passing, part);
                let part = arena.intersection(part, way.back);
                answered = arena.union(answered, part);
            }
            match world {
                0 => (cell.over, cell.answered_over) = (passing, answered),
                _ => (cell.under, cell.answered_under) = (passing, answered),
            }
        }
        cell
    }

    /// What of a way gets through the network ACL and the groups of the receiver.
    fn admitted(
        &mut self,
        kind: &Kind,
        (world, state): (usize, u32),
        way: &Through,
        (named, source): (&Named, u128),
    ) -> Set {
        let own = named.iter().find(|(filter, _)| way.known && *filter == kind.filter);
        let let_in = match own {
            Some((_, let_in)) => self.explorer.arena.between(let_in[world], 0, source),
            None => self.sources.let_in(state, kind.filter as usize * 2 + world),
        };
        let come = self.explorer.arena.intersection(way.come, let_in);
        let Door::Vpc(_, from) = way.door else { return come };
        let first = self.reception.filters.len();
        let mut entered = Set::EMPTY;
        for (subnet, border) in &self.reception.posts[kind.post as usize].entrances[world] {
            let acl = match from == Some(*subnet) {
                true => Set::FULL,
                false => self.sources.let_in(state, (first + border) * 2 + world),
            };
            let part = self.explorer.arena.intersection(come, acl);
            entered = self.explorer.arena.union(entered, part);
        }
        entered
    }

    fn finished(self) -> Decided {
        let mut decided = self.decided;
        decided.blocks = self.blocks.into_all();
        decided.lanes.sort_unstable();
        decided
    }
}

/// The filters of a part that may know a sender that carries these groups; any does if its groups are not shown.
fn naming(network: &Network<'_>, reception: &Reception<'_>, carrier: EniId) -> Vec<u32> {
    let naming = &reception.naming;
    let mut found: Vec<u32> = match &network.interface(carrier).groups {
        Some(groups) => groups.iter().filter_map(|group| naming.get(group)).flatten().copied().collect(),
        None => naming.values().flatten().copied().collect(),
    };
    found.sort_unstable();
    found.dedup();
    found
}
