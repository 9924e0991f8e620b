//! Work shared among threads item by item.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

/// Does some work on every item, each thread with a worker of its own that takes the next item as soon as it is free: some
/// items are a thousand times as much work as others. The results come in the order of the items; of several errors that of
/// the first item counts.
pub(super) fn one_by_one<I: Sync, W, T: Send, E: Send>(
    items: &[I],
    worker: impl Fn() -> W + Sync,
    work: impl Fn(&mut W, &I) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let next = AtomicUsize::new(0);
    // Not a broadcast: one that waits for threads which wait likewise takes up work of theirs, one on top of the other.
    let turns = (0..rayon::current_num_threads()).into_par_iter().with_max_len(1).map(|_| {
        let mut worker = worker();
        let mut done = Vec::new();
        loop {
            let position = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(position) else { return done };
            let result = work(&mut worker, item);
            if result.is_err() {
                next.fetch_max(items.len(), Ordering::Relaxed);
            }
            done.push((position, result));
        }
    });
    let mut found: Vec<(usize, Result<T, E>)> = turns.flatten_iter().collect();
    found.sort_by_key(|(position, _)| *position);
    found.into_iter().map(|(_, result)| result).collect()
}
