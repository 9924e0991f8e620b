//! The arena: owner of all nodes, with the reductions that keep sets canonical.

use std::sync::Arc;

use super::hash::{FixedMap, FixedSet};
use super::memo::{Memo, OPERAND_LIMIT};
use super::rewrite::Quantification;
use super::rules::Compiler;
use super::store::{Node, Store, TERMINAL, content_hash};
use super::value::Domain;
use super::{Family, Field, Header, HeaderBox, Set};

/// Sets of headers of one family, and all operations on them.
///
/// Operations take `&mut self` where they may make nodes or fill the operation cache. Nothing is ever removed.
pub struct Arena {
    pub(super) domain: Domain,
    base: Arc<Frozen>,
    own: Store,
    limit: u32,
    overflowed: bool,
    /// Edges of nodes under construction; each recursion uses the end beyond those of its callers.
    pending: Vec<(u128, Set)>,
    pub(super) memo: Memo,
    pub(super) quantifications: FixedMap<Quantification, u32>,
    pub(super) compiler: Compiler,
    pub(super) operations: u64,
}

/// The nodes of an arena, made immutable to be shared between threads.
pub struct Frozen {
    domain: Domain,
    nodes: Store,
}

/// How much an arena has done, for reports that must be the same on every run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Counters {
    /// Nodes of the arena, those of its frozen base included.
    pub nodes: u64,
    /// Steps of operations whose result was neither trivial nor remembered.
    pub operations: u64,
}

impl Arena {
    /// An arena with no sets but the empty and the full one.
    pub fn new(family: Family) -> Self {
        Self::with_domain(Domain::of(family))
    }

    pub(super) fn with_domain(domain: Domain) -> Self {
        Self::overlay(Arc::new(Frozen { domain, nodes: Store::with_terminals() }))
    }

    /// The same arena, allowed to hold at most `max_nodes` nodes, those of its base included.
    ///
    /// The operation that would exceed it, and all later ones that may make nodes, give a meaningless set and make
    /// [`overflowed`](Self::overflowed) true for good: INVARIANT (arena overflow checked).
    #[must_use]
    pub fn with_limit(mut self, max_nodes: u32) -> Self {
        self.limit = max_nodes.min(OPERAND_LIMIT);
        self
    }

    /// Whether the limit of nodes was reached, so that results since then mean nothing.
    pub fn overflowed(&self) -> bool {
        self.overflowed
    }

    /// All nodes made so far as an immutable base for overlays; all handles stay valid there.
    ///
    /// INVARIANT (arena overflow checked) is the caller's: the base does not remember an overflow.
    pub fn freeze(self) -> Arc<Frozen> {
        if self.own.first() == self.own.end() {
            return self.base;
        }
        let base =
            Arc::try_unwrap(self.base).map_or_else(|shared| shared.nodes.clone(), |frozen| frozen.nodes);
        Arc::new(Frozen { domain: self.domain, nodes: base.joined(&self.own) })
    }

    /// An arena that starts with the nodes of `base` and keeps new ones to itself.
    pub fn overlay(base: Arc<Frozen>) -> Self {
        Self {
            domain: base.domain,
            own: Store::after(&base.nodes),
            base,
            limit: OPERAND_LIMIT,
            overflowed: false,
            pending: Vec::new(),
            memo: Memo::default(),
            quantifications: FixedMap::default(),
            compiler: Compiler::default(),
            operations: 0,
        }
    }

    /// The set of this arena equal to `set` of `other`, an arena of the same family.
    pub fn import(&mut self, other: &Self, set: Set) -> Set {
        debug_assert_eq!(self.domain, other.domain);
        self.import_memoised(other, set, &mut FixedMap::default())
    }

    /// As [`import`](Self::import), for several sets.
    pub fn import_all<'a>(&mut self, other: &Self, sets: impl Iterator<Item = &'a mut Set>) {
        let mut done = FixedMap::default();
        for set in sets {
            *set = self.import_memoised(other, *set, &mut done);
        }
    }

    fn import_memoised(&mut self, other: &Self, set: Set, done: &mut FixedMap<Set, Set>) -> Set {
        if self.knows(other, set) {
            return set;
        }
        if let Some(copy) = done.get(&set) {
            return *copy;
        }
        let node = other.node(set);
        let start = self.begin();
        for (_, bound, child) in node.intervals() {
            let child = self.import_memoised(other, child, done);
            self.push(start, bound, child);
        }
        let copy = self.finish(node.level, start);
        done.insert(set, copy);
        copy
    }

    /// Whether a handle of `other` is known to mean the same here.
    pub(super) fn knows(&self, other: &Self, set: Set) -> bool {
        set <= Set::FULL || (Arc::ptr_eq(&self.base, &other.base) && set.0 < self.own.first())
    }

    /// The headers with `lo <= field <= hi`; values beyond the domain are ignored.
    pub fn interval(&mut self, field: Field, lo: u128, hi: u128) -> Set {
        self.within(field, lo, hi, Set::FULL)
    }

    /// The headers of a box; values beyond the domains are ignored.
    pub fn from_box(&mut self, header_box: &HeaderBox) -> Set {
        Field::ALL.into_iter().rev().fold(Set::FULL, |below, field| {
            let (lo, hi) = header_box.interval(field);
            self.within(field, lo, hi, below)
        })
    }

    /// The headers of `inside`, which depends on later fields only, that have the field in `lo..=hi`.
    fn within(&mut self, field: Field, lo: u128, hi: u128, inside: Set) -> Set {
        let greatest = self.domain.greatest(field);
        if lo > hi || lo > greatest {
            return Set::EMPTY;
        }
        let start = self.begin();
        if let Some(below) = lo.checked_sub(1) {
            self.push(start, below, Set::EMPTY);
        }
        self.push(start, hi.min(greatest), inside);
        if hi < greatest {
            self.push(start, greatest, Set::EMPTY);
        }
        self.finish(field as u8, start)
    }

    /// Whether a header is in a set.
    pub fn contains(&self, set: Set, header: &Header) -> bool {
        let mut at = set;
        while let Some(field) = self.field(at) {
            at = self.node(at).child(header.value(field));
        }
        at.is_full()
    }

    /// How many nodes a diagram has, terminals not counted.
    pub fn size(&self, set: Set) -> usize {
        let mut seen = FixedSet::default();
        let mut stack = vec![set];
        while let Some(at) = stack.pop() {
            if at > Set::FULL && seen.insert(at) {
                stack.extend(self.node(at).children);
            }
        }
        seen.len()
    }

    /// What the arena holds and has done.
    pub fn counters(&self) -> Counters {
        Counters { nodes: u64::from(self.own.end()), operations: self.operations }
    }

    /// The field that the root of a diagram splits; `None` for the empty and the full set.
    pub(super) fn field(&self, set: Set) -> Option<Field> {
        Field::ALL.get(usize::from(self.level(set))).copied()
    }

    pub(super) fn level(&self, set: Set) -> u8 {
        self.store(set).level(set)
    }

    pub(super) fn node(&self, set: Set) -> Node<'_> {
        self.store(set).node(set)
    }

    pub(super) fn is_frozen(&self, set: Set) -> bool {
        set.0 < self.own.first()
    }

    pub(super) fn store_of(&self, frozen: bool) -> &Store {
        if frozen { &self.base.nodes } else { &self.own }
    }

    fn store(&self, set: Set) -> &Store {
        self.store_of(self.is_frozen(set))
    }

    /// Starts a node; the result is to be given to [`push`](Self::push) and [`finish`](Self::finish).
    pub(super) fn begin(&self) -> usize {
        self.pending.len()
    }

    /// Adds the next interval, ending with `bound`, to the node under construction.
    pub(super) fn push(&mut self, start: usize, bound: u128, child: Set) {
        if self.pending.len() > start
            && let Some(last) = self.pending.last_mut()
            && last.1 == child
        {
            last.0 = bound;
        } else {
            self.pending.push((bound, child));
        }
    }

    /// The set of the node under construction, reduced and shared: INVARIANT (header sets canonical).
    pub(super) fn finish(&mut self, level: u8, start: usize) -> Set {
        let set = match self.pending.get(start..) {
            Some([(_, only)]) => *only,
            Some(edges) => {
                debug_assert!(self.is_well_formed(level, edges));
                let hash = content_hash(level, edges);
                let known =
                    self.base.nodes.find(hash, level, edges).or_else(|| self.own.find(hash, level, edges));
                known.unwrap_or_else(|| self.add(hash, level, start))
            }
            None => Set::EMPTY,
        };
        self.pending.truncate(start);
        set
    }

    fn add(&mut self, hash: u32, level: u8, start: usize) -> Set {
        let edges = self.pending.get(start..).unwrap_or_default();
        let room = self.own.end() < self.limit && u32::try_from(self.own.edges() + edges.len()).is_ok();
        if !room || self.overflowed {
            self.overflowed = true;
            return Set::EMPTY;
        }
        self.own.add(hash, level, edges)
    }

    /// Whether edges may become a node. An overflow leaves senseless children, which are not judged.
    fn is_well_formed(&self, level: u8, edges: &[(u128, Set)]) -> bool {
        let ends = edges.last().is_some_and(|(bound, _)| *bound == self.domain.greatest_at(level));
        let ascends = edges.is_sorted_by(|left, right| left.0 < right.0 && left.1 != right.1);
        level < TERMINAL && ends && ascends && edges.iter().all(|(_, child)| self.level(*child) > level)
    }
}
