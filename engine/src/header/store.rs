//! Nodes laid out flat, and the table that finds a node by its content.

use std::hash::Hasher;

use super::Set;
use super::hash::Mixer;
use super::value::Field;

/// The level of the two terminals, below every field.
pub(super) const TERMINAL: u8 = Field::Start as u8 + 1;

/// A run of nodes with consecutive ids; the first has the id `first`.
///
/// INVARIANT (store layout): node `i` of the store has the edges `starts[i]..starts[i + 1]`; `bounds` and `children` are
/// as long as the last start. The bounds of a node ascend strictly, the last is the greatest value of its field.
#[derive(Clone, Default)]
pub(super) struct Store {
    first: u32,
    levels: Vec<u8>,
    starts: Vec<u32>,
    bounds: Vec<u128>,
    children: Vec<Set>,
    hashes: Vec<u32>,
    /// Open addressing with linear probing: index of a node in this store plus 1, or 0 if free.
    slots: Vec<u32>,
}

/// One node, borrowed.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    pub(super) level: u8,
    pub(super) bounds: &'a [u128],
    pub(super) children: &'a [Set],
}

impl<'a> Node<'a> {
    /// The intervals of the node with their children, ascending.
    pub(super) fn intervals(self) -> impl DoubleEndedIterator<Item = (u128, u128, Set)> + 'a {
        let bounds = self.bounds;
        self.children.iter().enumerate().map(move |(index, child)| {
            let below = index.checked_sub(1).and_then(|before| bounds.get(before));
            let lo = below.map_or(0, |bound| bound + 1);
            (lo, bounds.get(index).copied().unwrap_or(lo), *child)
        })
    }

    /// The child for one value of the field; nothing for a value outside the domain.
    pub(super) fn child(self, value: u128) -> Set {
        let index = self.bounds.partition_point(|bound| *bound < value);
        self.children.get(index).copied().unwrap_or(Set::EMPTY)
    }
}

impl Store {
    /// A store with the two terminals.
    pub(super) fn with_terminals() -> Self {
        Self { levels: vec![TERMINAL; 2], starts: vec![0; 3], hashes: vec![0; 2], ..Self::default() }
    }

    /// An empty store whose ids continue those of `base`.
    pub(super) fn after(base: &Self) -> Self {
        Self { first: base.end(), starts: vec![0], ..Self::default() }
    }

    /// The id of the first node of this store.
    pub(super) fn first(&self) -> u32 {
        self.first
    }

    /// The id that the next node will get.
    pub(super) fn end(&self) -> u32 {
        self.first + u32::try_from(self.levels.len()).unwrap_or(u32::MAX)
    }

    /// How many edges the store holds.
    pub(super) fn edges(&self) -> usize {
        self.bounds.len()
    }

    #[expect(clippy::indexing_slicing, reason = "INVARIANT (store layout), and handles come from this store")]
    pub(super) fn level(&self, set: Set) -> u8 {
        self.levels[self.index(set)]
    }

    #[expect(clippy::indexing_slicing, reason = "INVARIANT (store layout), and handles come from this store")]
    pub(super) fn span(&self, set: Set) -> (u32, u32) {
        let index = self.index(set);
        (self.starts[index], self.starts[index + 1])
    }

    #[expect(clippy::indexing_slicing, reason = "INVARIANT (store layout), and positions come from `span`")]
    pub(super) fn edge(&self, position: u32) -> (u128, Set) {
        (self.bounds[position as usize], self.children[position as usize])
    }

    /// The first position in `from..end` whose bound is at least `value`.
    #[expect(clippy::indexing_slicing, reason = "INVARIANT (store layout), and positions come from `span`")]
    pub(super) fn position_of(&self, value: u128, from: u32, end: u32) -> u32 {
        let bounds = &self.bounds[from as usize..end as usize];
        from + u32::try_from(bounds.partition_point(|bound| *bound < value)).unwrap_or(0)
    }

    #[expect(clippy::indexing_slicing, reason = "INVARIANT (store layout), and handles come from this store")]
    pub(super) fn node(&self, set: Set) -> Node<'_> {
        let (start, end) = self.span(set);
        let edges = start as usize..end as usize;
        let level = self.level(set);
        Node { level, bounds: &self.bounds[edges.clone()], children: &self.children[edges] }
    }

    /// The node with this content, if it is here.
    pub(super) fn find(&self, hash: u32, level: u8, edges: &[(u128, Set)]) -> Option<Set> {
        let mut slot = hash as usize;
        loop {
            let index = *self.slots.get(slot & self.slots.len().wrapping_sub(1))?;
            let offset = index.checked_sub(1)?;
            let set = Set(self.first + offset);
            if self.hashes.get(offset as usize) == Some(&hash) && self.has_content(set, level, edges) {
                return Some(set);
            }
            slot += 1;
        }
    }

    /// Adds a node that is not here yet.
    pub(super) fn add(&mut self, hash: u32, level: u8, edges: &[(u128, Set)]) -> Set {
        let set = Set(self.end());
        self.levels.push(level);
        self.hashes.push(hash);
        self.bounds.extend(edges.iter().map(|(bound, _)| *bound));
        self.children.extend(edges.iter().map(|(_, child)| *child));
        self.starts.push(u32::try_from(self.bounds.len()).unwrap_or(u32::MAX));
        self.enter(self.levels.len());
        set
    }

    /// This store with all nodes of `later`, whose ids continue its own.
    pub(super) fn joined(mut self, later: &Self) -> Self {
        debug_assert_eq!(self.end(), later.first);
        let ids = later.first..later.end();
        for (id, hash) in ids.zip(&later.hashes) {
            let node = later.node(Set(id));
            let edges: Vec<_> = node.bounds.iter().copied().zip(node.children.iter().copied()).collect();
            self.add(*hash, node.level, &edges);
        }
        self
    }

    fn index(&self, set: Set) -> usize {
        (set.0 - self.first) as usize
    }

    fn has_content(&self, set: Set, level: u8, edges: &[(u128, Set)]) -> bool {
        let node = self.node(set);
        node.level == level
            && node.bounds.len() == edges.len()
            && node
                .bounds
                .iter()
                .zip(node.children)
                .zip(edges)
                .all(|((bound, child), edge)| (*bound, *child) == *edge)
    }

    /// Puts the node with the given index plus 1 into the table.
    fn enter(&mut self, index: usize) {
        if index * 2 > self.slots.len() {
            self.slots = vec![0; (index * 4).next_power_of_two().max(64)];
            let reserved = self.reserved();
            for earlier in reserved + 1..=index {
                self.place(earlier);
            }
        } else {
            self.place(index);
        }
    }

    /// How many nodes at the start, the terminals, are found by name and not by content.
    fn reserved(&self) -> usize {
        if self.first == 0 { 2 } else { 0 }
    }

    #[expect(clippy::indexing_slicing, reason = "INVARIANT (store layout); slots are a power of two, masked")]
    fn place(&mut self, index: usize) {
        let mask = self.slots.len() - 1;
        let mut slot = self.hashes[index - 1] as usize & mask;
        while self.slots[slot] != 0 {
            slot = (slot + 1) & mask;
        }
        self.slots[slot] = u32::try_from(index).unwrap_or(u32::MAX);
    }
}

/// The hash of a node's content.
pub(super) fn content_hash(level: u8, edges: &[(u128, Set)]) -> u32 {
    let mut mixer = Mixer::default();
    mixer.word(u64::from(level));
    for (bound, child) in edges {
        mixer.wide(*bound);
        mixer.word(u64::from(child.0));
    }
    u32::try_from(mixer.finish() >> 32).unwrap_or(0)
}
