//! Work in parallel whose sets end up in one arena, the same for any number of threads.

use std::sync::Arc;

use rayon::prelude::*;
use reachproof_model::id::EniId;

use crate::header::{Arena, Family, Frozen, Set};
use crate::network::{Network, NodeLimit};
use crate::reach::{Exhausted, Explorer, Opened, Reach};

/// Small items that one worker takes at a time. The division does not depend on the number of threads.
const CHUNK: usize = 16;

/// Chunks whose arenas are kept until their results are moved.
const WAVE: usize = 64;

/// A result that holds sets.
pub(super) trait Holds: Send {
    /// Hands every set out, for moving it to another arena.
    fn each(&mut self, visit: &mut dyn FnMut(&mut Set));
}

impl Holds for Opened {
    fn each(&mut self, visit: &mut dyn FnMut(&mut Set)) {
        self.sets_mut().for_each(visit);
    }
}

impl Holds for Set {
    fn each(&mut self, visit: &mut dyn FnMut(&mut Set)) {
        visit(self);
    }
}

impl<T: Holds> Holds for [T; 2] {
    fn each(&mut self, visit: &mut dyn FnMut(&mut Set)) {
        self.iter_mut().for_each(|part| part.each(visit));
    }
}

/// The sets of one family that all workers share.
pub(super) struct Pool<'r, 'n, 's> {
    reach: &'r Reach<'n, 's>,
    pub(super) family: Family,
    pub(super) shared: Arc<Frozen>,
    /// Steps of set operations that all work took so far.
    pub(super) operations: u64,
}

impl<'r, 'n, 's> Pool<'r, 'n, 's> {
    pub(super) fn of(reach: &'r Reach<'n, 's>, family: Family) -> Self {
        Self::after(reach, family, Arena::new(family).freeze())
    }

    /// A pool that starts with these sets.
    pub(super) fn after(reach: &'r Reach<'n, 's>, family: Family, shared: Arc<Frozen>) -> Self {
        Self { reach, family, shared, operations: 0 }
    }

    /// The network explored.
    pub(super) fn network(&self) -> &'n Network<'s> {
        self.reach.network()
    }

    /// The number of the groups of an interface.
    pub(super) fn group_set(&self, interface: EniId) -> u32 {
        self.reach.group_set(interface)
    }

    /// An arena that starts with the shared sets.
    pub(super) fn arena(&self) -> Arena {
        Arena::overlay(Arc::clone(&self.shared)).with_limit(self.limit().0)
    }

    fn limit(&self) -> NodeLimit {
        self.reach.network().options.nodes
    }

    /// Works on all items in parallel; the sets of the results are shared from then on.
    ///
    /// # Errors
    /// If the sets outgrow the limit of nodes.
    pub(super) fn map<K: Sync, T: Holds>(
        &mut self,
        items: &[K],
        work: impl Fn(&mut Explorer<'_, 'n, 's>, &K) -> T + Sync,
    ) -> Result<Vec<T>, Exhausted> {
        self.map_by(CHUNK, items, work)
    }

    /// As [`map`](Self::map), a number of items after each other.
    pub(super) fn map_by<K: Sync, T: Holds>(
        &mut self,
        chunk: usize,
        items: &[K],
        work: impl Fn(&mut Explorer<'_, 'n, 's>, &K) -> T + Sync,
    ) -> Result<Vec<T>, Exhausted> {
        let chunks: Vec<&[K]> = items.chunks(chunk).collect();
        self.map_chunks(&chunks, work)
    }

    /// As [`map`](Self::map), the items of each chunk after each other.
    pub(super) fn map_chunks<K: Sync, T: Holds>(
        &mut self,
        chunks: &[&[K]],
        work: impl Fn(&mut Explorer<'_, 'n, 's>, &K) -> T + Sync,
    ) -> Result<Vec<T>, Exhausted> {
        let mut arena = self.arena();
        let mut all = Vec::new();
        for wave in chunks.chunks(WAVE) {
            let done: Vec<(Arena, Vec<T>)> = wave
                .par_iter()
                .with_max_len(1)
                .map(|chunk| {
                    let mut explorer = self.reach.explorer(self.family, &self.shared);
                    let found = chunk.iter().map(|item| work(&mut explorer, item)).collect();
                    (explorer.arena, found)
                })
                .collect();
            for (from, found) in done {
                all.extend(self.moved(&mut arena, &from, found)?);
            }
        }
        self.keep(arena)?;
        Ok(all)
    }

    /// Results whose sets are of another arena of this pool.
    fn moved<T: Holds>(
        &mut self,
        arena: &mut Arena,
        from: &Arena,
        mut found: Vec<T>,
    ) -> Result<Vec<T>, Exhausted> {
        Exhausted::require_room(from, self.limit())?;
        self.operations += from.counters().operations;
        let mut sets: Vec<Set> = Vec::new();
        found.iter_mut().for_each(|result| result.each(&mut |set| sets.push(*set)));
        arena.import_all(from, sets.iter_mut());
        let mut moved = sets.into_iter();
        let mut place = |set: &mut Set| *set = moved.next().unwrap_or_default();
        found.iter_mut().for_each(|result| result.each(&mut place));
        Ok(found)
    }

    /// Shares what an arena of this pool has made.
    pub(super) fn keep(&mut self, arena: Arena) -> Result<(), Exhausted> {
        Exhausted::require_room(&arena, self.limit())?;
        self.operations += arena.counters().operations;
        self.shared = Arena::new(self.family).freeze();
        self.shared = arena.freeze();
        Ok(())
    }
}
