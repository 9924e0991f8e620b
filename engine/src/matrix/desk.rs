//! The work on one part: which lanes come to it alike, and what passes from them to its receivers.
//!
//! A row is decided once for all lanes that come by one [`Face`], from which groups let the same out, whose source the
//! filters of the part treat alike, and whose groups they know or do not know alike (R-SG-9). Within a row, a cell is
//! decided once for all receivers of one [`Kind`].

use std::collections::BTreeMap;
use std::rc::Rc;

use reachproof_model::id::{EniId, VpcId};

use super::chain::{Start, WORLDS};
use super::domain::{Cell, Decided, Ground, Lane, Met, Part, Span};
use super::kind::{Kind, Kinds, Profiles, Way as Through};
use super::numbered::Numbered;
use super::reception::Reception;
use super::road::Comings;
use super::sources::Sources;
use super::way::Ways;
use crate::header::hash::FixedMap;
use crate::header::{Arena, Set};
use crate::network::Network;
use crate::reach::{Door, Explorer};

/// What filters let in from a sender whose groups they know, where that is more than from others; by filter.
type Named = Vec<(u32, [Set; 2])>;

/// Everything that a row depends on: the face, what groups let out, the state of the filters, and what they let in from
/// whom they know.
type Signature = (u32, u32, u32, u32);

/// The work on one part.
struct Desk<'d, 'g, 'n, 's> {
    ground: &'d Ground<'g, 'n, 's>,
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
    (contexts, wanted): (&mut dyn Iterator<Item = u32>, &dyn Fn(u32) -> bool),
) -> Decided {
    let mut comings = Comings::to(&ground.chains.forward, part.vpc);
    let mut desk = None;
    let mut met = Met::default();
    for context in contexts {
        let Some(doors) = comings.from(&mut explorer.arena, Start::From(context)) else { continue };
        met.add(ground.lanes, context, &doors);
        let lanes = ground.lanes.of_context.get(&context).into_iter().flatten().copied();
        let mut lanes = lanes.filter(|lane| wanted(*lane)).peekable();
        if lanes.peek().is_some() {
            let desk = desk.get_or_insert_with(|| Desk::of(ground, explorer, part));
            let way = desk.ways.of(ground, explorer, &desk.reception, (context, &doors));
            lanes.for_each(|lane| desk.lane(explorer, lane, way));
        }
    }
    let decided = desk.map(Desk::finished).unwrap_or_default();
    Decided { met, ..decided }
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

impl<'d, 'g, 'n, 's> Desk<'d, 'g, 'n, 's> {
    fn of(ground: &'d Ground<'g, 'n, 's>, explorer: &mut Explorer<'_, 'n, 's>, part: &Part) -> Self {
        let reception = Reception::of(ground, explorer, &part.receivers);
        let filters = reception.filters.iter().map(|filter| filter.let_in);
        let filters: Vec<Set> = filters.chain(reception.borders.iter().copied()).flatten().collect();
        let sources = Sources::of(&mut explorer.arena, &filters);
        let mut named = Numbered::default();
        named.of(&Named::new());
        Self {
            ground,
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
    fn lane(&mut self, explorer: &mut Explorer<'_, 'n, 's>, number: u32, way: u32) {
        let Some(lane) = self.ground.lanes.all.get(number as usize) else { return };
        let face = self.ways.face(way, lane.address);
        let knows = self.ways.faces.get(face).is_some_and(|face| face.knows());
        let named = if knows { self.named(explorer, lane) } else { 0 };
        let signature = (face, self.out(&mut explorer.arena, lane), self.sources.state(lane.address), named);
        let block = match self.known.get(&signature) {
            Some(block) => *block,
            None => {
                let row = self.row(&mut explorer.arena, lane, signature);
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
    fn out(&mut self, arena: &mut Arena, lane: &Lane) -> u32 {
        if let Some(number) = self.out_of.get(&lane.out) {
            return *number;
        }
        let out = lane.out.map(|out| arena.intersection(out, self.reception.area));
        let number = self.outs.of(&out);
        self.out_of.insert(lane.out, number);
        number
    }

    /// R-SG-9: the number of what filters let in from a lane whose groups they know.
    fn named(&mut self, explorer: &mut Explorer<'_, 'n, 's>, lane: &Lane) -> u32 {
        if self.reception.naming.is_empty() {
            return 0;
        }
        let vpc = self.ground.partition.contexts.get(lane.context as usize).and_then(|context| context.vpc());
        let key = (lane.groups, vpc);
        if let Some(number) = self.named_of.get(&key) {
            return *number;
        }
        let named = self.ground.carriers.get(&key).map(|carrier| self.let_in_named(explorer, *carrier));
        let number = self.named.of(&named.unwrap_or_default());
        self.named_of.insert(key, number);
        number
    }

    fn let_in_named(&mut self, explorer: &mut Explorer<'_, 'n, 's>, carrier: EniId) -> Named {
        let mut found = Named::new();
        for number in naming(self.ground.network, &self.reception, carrier) {
            let filter = &self.reception.filters[number as usize];
            let (member, plain) = (filter.member, filter.let_in);
            let let_in = WORLDS.map(|world| explorer.let_in_by(member, Some(carrier), world));
            if let_in != plain {
                found.push((number, let_in));
            }
        }
        found
    }

    /// The cells of a lane.
    fn row(&mut self, arena: &mut Arena, lane: &Lane, (face, out, state, named): Signature) -> Vec<Span> {
        let kinds = self.kinds(arena, face, out);
        let named = self.named.get(named).cloned().unwrap_or_default();
        let cells = kinds.all.iter().zip(0..);
        let cells: Vec<Cell> = cells
            .map(|(kind, number)| self.cell(arena, (kind, kinds.ways(number)), state, (&named, lane.address)))
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

    fn kinds(&mut self, arena: &mut Arena, face: u32, out: u32) -> Rc<Kinds> {
        let kinds = self.kinds.entry((face, out)).or_insert_with(|| {
            let out = self.outs.get(out).copied().unwrap_or_default();
            let face = self.ways.faces.get(face);
            let kinds = face.map(|face| Kinds::of(arena, &mut self.profiles, &self.reception, face, out));
            Rc::new(kinds.unwrap_or_default())
        });
        Rc::clone(kinds)
    }

    /// What passes from a lane to receivers of a kind.
    fn cell(
        &self,
        arena: &mut Arena,
        (kind, ways): (&Kind, [&[Through]; 2]),
        state: u32,
        named: (&Named, u128),
    ) -> Cell {
        let mut cell = Cell::default();
        for (world, ways) in ways.into_iter().enumerate() {
            let (mut passing, mut answered) = (Set::EMPTY, Set::EMPTY);
            for way in ways {
                let part = self.admitted(arena, kind, (world, state), (way, named));
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
        &self,
        arena: &mut Arena,
        kind: &Kind,
        (world, state): (usize, u32),
        (way, (named, source)): (&Through, (&Named, u128)),
    ) -> Set {
        let own = named.iter().find(|(filter, _)| way.known && *filter == kind.filter);
        let let_in = match own {
            Some((_, let_in)) => arena.between(let_in[world], 0, source),
            None => self.sources.let_in(state, kind.filter as usize * 2 + world),
        };
        let come = arena.intersection(way.come, let_in);
        let Door::Vpc(_, from) = way.door else { return come };
        let first = self.reception.filters.len();
        let mut entered = Set::EMPTY;
        for (subnet, border) in &self.reception.posts[kind.post as usize].entrances[world] {
            let acl = match from == Some(*subnet) {
                true => Set::FULL,
                false => self.sources.let_in(state, (first + border) * 2 + world),
            };
            let part = arena.intersection(come, acl);
            entered = arena.union(entered, part);
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
