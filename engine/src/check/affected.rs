//! How many sources, destinations and pairs fail, each counted once, though bundles overlap.
//!
//! Many bundles share the same few lists of places, which may be long. So each list is looked at once, sources are told apart
//! by the lists that they are in, and what they reach is put together once for all that are in the same ones.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Affected;
use super::bundle::{Bundle, Way};
use crate::network::{Sink, SourcePlace};
use crate::region::Spot;

/// A place as the property means it.
type End = Option<Spot>;

/// A list of ends, by its position.
type ListId = usize;

/// How many sources, destinations and pairs some bundles have, each counted once.
pub(super) fn affected(bundles: &[&Bundle]) -> Affected {
    let mut lists = Lists::default();
    let mut leads: BTreeMap<ListId, BTreeSet<ListId>> = BTreeMap::new();
    for bundle in bundles {
        let [from, to] = lists.ends(bundle);
        leads.entry(from).or_default().insert(to);
    }
    let mut reaching: BTreeMap<BTreeSet<ListId>, Vec<End>> = BTreeMap::new();
    for (from, sources) in lists.alike(leads.keys().copied()) {
        let to = from.iter().filter_map(|list| leads.get(list)).flatten().copied().collect();
        reaching.entry(to).or_default().extend(sources);
    }
    let mut count = Affected::default();
    let mut reached: BTreeSet<ListId> = BTreeSet::new();
    let mut ends: BTreeSet<End> = BTreeSet::new();
    for (to, sources) in reaching {
        let sinks = lists.all_of(&to);
        let is_sink = |source: &&End| sinks.binary_search(source).is_ok();
        let same = sources.iter().filter(is_sink).count();
        count.sources += if sinks.len() > 1 { sources.len() } else { (sources.len() - same) * sinks.len() };
        count.pairs += sources.len() * sinks.len() - same;
        match (sources.as_slice(), same) {
            ([only], 1) => ends.extend(sinks.into_iter().filter(|sink| sink != only)),
            _ => reached.extend(to),
        }
    }
    ends.extend(lists.all_of(&reached));
    count.destinations = ends.len();
    count
}

/// The lists of some bundles, each once.
#[derive(Default)]
struct Lists {
    /// Ascending by where they lie in memory; nothing depends on this order.
    of_sources: BTreeMap<*const [SourcePlace], ListId>,
    of_sinks: BTreeMap<*const [Sink], ListId>,
    /// Each ascending.
    ends: Vec<Vec<End>>,
}

impl Lists {
    /// The sources and the destinations that the property means.
    fn ends(&mut self, bundle: &Bundle) -> [ListId; 2] {
        let next = self.ends.len();
        let sources = *self.of_sources.entry(Arc::as_ptr(&bundle.sources)).or_insert(next);
        if sources == next {
            self.ends.push(ascending(bundle.sources.iter().map(|source| Spot::source_of(*source))));
        }
        let next = self.ends.len();
        let sinks = *self.of_sinks.entry(Arc::as_ptr(&bundle.sinks)).or_insert(next);
        if sinks == next {
            self.ends.push(ascending(bundle.sinks.iter().map(|sink| Spot::of_sink(*sink))));
        }
        if bundle.way == Way::Answer { [sinks, sources] } else { [sources, sinks] }
    }

    fn of(&self, list: ListId) -> impl Iterator<Item = End> {
        self.ends.get(list).into_iter().flatten().copied()
    }

    /// All ends of some lists, ascending.
    fn all_of(&self, lists: &BTreeSet<ListId>) -> Vec<End> {
        ascending(lists.iter().flat_map(|list| self.of(*list)))
    }

    /// The ends of some lists, those together that are in the same ones.
    fn alike(&self, lists: impl Iterator<Item = ListId>) -> BTreeMap<Vec<ListId>, Vec<End>> {
        let mut rows: Vec<(End, ListId)> =
            lists.flat_map(|list| self.of(list).map(move |end| (end, list))).collect();
        rows.sort_unstable();
        let mut found: BTreeMap<Vec<ListId>, Vec<End>> = BTreeMap::new();
        for of_one in rows.chunk_by(|(left, _), (right, _)| left == right) {
            let lists = of_one.iter().map(|(_, list)| *list).collect();
            found.entry(lists).or_default().extend(of_one.first().map(|(end, _)| *end));
        }
        found
    }
}

fn ascending(ends: impl Iterator<Item = End>) -> Vec<End> {
    let mut found: Vec<End> = ends.collect();
    found.sort_unstable();
    found.dedup();
    found
}
