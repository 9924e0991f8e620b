//! Each text once: what [`SharedText`]s are written as in compiled snapshots.
//!
//! All distinct texts but the empty one stand in the order in which they first occur, one behind the other, in chunks. In the
//! facts a text is a number:
//!
//! ```text
//! 0         the empty text
//! 4 n       the next text, of n bytes, which occurs nowhere else
//! 4 n + 2   the next text, of n bytes, which occurs again
//! 2 k + 1   the k-th of those that occur again, from 0
//! ```
//!
//! serde has no way to hand a context to the types that it writes or reads. So the context of the work at hand is kept for its
//! thread: it is there inside of [`collected`] and [`handed_out`] only, and of no concern to anybody else.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::num::NonZeroU32;
use std::sync::Arc;

use super::SharedText;

/// A chunk of so many bytes takes no more texts, and a text of so many has a chunk of its own. A text keeps its whole chunk in
/// memory, so chunks are not for ever.
const CHUNK: usize = 1 << 20;

/// What texts are at the moment.
#[derive(Default)]
enum Context {
    #[default]
    Strings,
    Counted(HashMap<SharedText, Occurrence>),
    Collected(Collector),
    HandedOut(Store),
}

thread_local! {
    static CONTEXT: RefCell<Context> = const { RefCell::new(Context::Strings) };
}

/// The context before, which comes back however the work ends.
struct Before(Context);

impl Before {
    fn enter(context: Context) -> Self {
        Self(CONTEXT.replace(context))
    }

    fn leave(mut self) -> Context {
        CONTEXT.replace(std::mem::take(&mut self.0))
    }
}

impl Drop for Before {
    fn drop(&mut self) {
        CONTEXT.set(std::mem::take(&mut self.0));
    }
}

/// How often a text occurs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Occurrence {
    Once,
    Again,
    /// Again, and it has been written: the k-th of those.
    Written(u64),
}

/// Texts while they are written.
#[derive(Default)]
struct Collector {
    /// Every text that is there.
    occurrences: HashMap<SharedText, Occurrence>,
    /// How many of those that occur again have been written.
    written: u64,
    chunks: Vec<String>,
}

impl Collector {
    fn number(&mut self, text: &SharedText) -> u64 {
        if text.is_empty() {
            return 0;
        }
        let occurs_again = match self.occurrences.get_mut(&**text) {
            Some(Occurrence::Written(position)) => return 2 * *position + 1,
            Some(again @ Occurrence::Again) => {
                *again = Occurrence::Written(self.written);
                self.written += 1;
                true
            }
            Some(Occurrence::Once) | None => false,
        };
        append(&mut self.chunks, text);
        4 * text.len() as u64 + if occurs_again { 2 } else { 0 }
    }
}

fn count(occurrences: &mut HashMap<SharedText, Occurrence>, text: &SharedText) {
    match occurrences.entry(text.clone()) {
        Entry::Occupied(mut known) => drop(known.insert(Occurrence::Again)),
        Entry::Vacant(new) => drop(new.insert(Occurrence::Once)),
    }
}

fn append(chunks: &mut Vec<String>, text: &str) {
    match chunks.last_mut().filter(|chunk| chunk.len() < CHUNK && text.len() < CHUNK) {
        Some(chunk) => chunk.push_str(text),
        None => chunks.push(text.to_owned()),
    }
}

/// Texts while they are read.
#[derive(Default)]
struct Store {
    chunks: Vec<Arc<str>>,
    /// The chunk of the next text, and where it starts there.
    at: (usize, usize),
    /// The chunk, start and length of each text that has occurred and occurs again.
    known: Vec<(u32, u32, NonZeroU32)>,
}

impl Store {
    /// The text that a number stands for; `None` if there is none.
    fn text(&mut self, number: u64) -> Option<SharedText> {
        match number {
            0 => Some(SharedText::default()),
            _ if number & 1 == 1 => self.again(usize::try_from(number >> 1).ok()?),
            _ => self.next(usize::try_from(number >> 2).ok()?, number & 2 != 0),
        }
    }

    fn again(&self, position: usize) -> Option<SharedText> {
        let &(chunk, start, length) = self.known.get(position)?;
        let chunk = self.chunks.get(chunk as usize)?;
        Some(SharedText { chunk: Some(Arc::clone(chunk)), start, length })
    }

    fn next(&mut self, length: usize, occurs_again: bool) -> Option<SharedText> {
        if length == 0 {
            // The empty text is 0: one with a place of its own would be found again as a part of others.
            return None;
        }
        while self.chunks.get(self.at.0)?.len() == self.at.1 {
            self.at = (self.at.0 + 1, 0);
        }
        let (at, start) = self.at;
        let text = SharedText::part(self.chunks.get(at)?, start, length)?;
        if occurs_again {
            self.known.push((u32::try_from(at).ok()?, text.start, text.length));
        }
        self.at.1 += length;
        Some(text)
    }

    /// Whether every text has occurred.
    fn is_used_up(&self) -> bool {
        let (chunk, start) = self.at;
        let rest: usize = self.chunks.iter().skip(chunk).map(|chunk| chunk.len()).sum();
        rest == start
    }
}

/// Does some work that writes every text as a number, and does it twice, first to see which texts occur again. Gives the
/// result, and the chunks of texts.
pub(crate) fn collected<R>(mut work: impl FnMut() -> R) -> (R, Vec<String>) {
    let before = Before::enter(Context::Counted(HashMap::new()));
    let _same_as_later = work();
    let occurrences = match before.leave() {
        Context::Counted(occurrences) => occurrences,
        _ => HashMap::new(),
    };
    let before = Before::enter(Context::Collected(Collector { occurrences, ..Collector::default() }));
    let result = work();
    match before.leave() {
        Context::Collected(collector) => (result, collector.chunks),
        _ => (result, Vec::new()),
    }
}

/// Does some work that reads every text as a number. Gives its result, and whether all texts of the chunks have occurred.
pub(crate) fn handed_out<R>(chunks: Vec<Arc<str>>, work: impl FnOnce() -> R) -> (R, bool) {
    let before = Before::enter(Context::HandedOut(Store { chunks, ..Store::default() }));
    let result = work();
    match before.leave() {
        Context::HandedOut(store) => (result, store.is_used_up()),
        _ => (result, true),
    }
}

/// What a text is written as; `None` if as a string.
pub(super) fn number(text: &SharedText) -> Option<u64> {
    CONTEXT.with_borrow_mut(|context| match context {
        Context::Counted(occurrences) => {
            count(occurrences, text);
            Some(0)
        }
        Context::Collected(collector) => Some(collector.number(text)),
        Context::Strings | Context::HandedOut(_) => None,
    })
}

/// Whether texts are written as numbers.
pub(super) fn are_collected() -> bool {
    CONTEXT.with_borrow(|context| matches!(context, Context::Counted(_) | Context::Collected(_)))
}

/// Whether texts are read from numbers.
pub(super) fn are_handed_out() -> bool {
    CONTEXT.with_borrow(|context| matches!(context, Context::HandedOut(_)))
}

/// The text that a number stands for; `None` if there is none.
pub(super) fn text(number: u64) -> Option<SharedText> {
    CONTEXT.with_borrow_mut(|context| match context {
        Context::HandedOut(store) => store.text(number),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes these texts and reads them again; the lengths of the chunks.
    fn check(texts: &[&str]) -> Vec<usize> {
        let texts: Vec<SharedText> = texts.iter().map(|text| SharedText::from(*text)).collect();
        let (json, chunks) = collected(|| serde_json::to_string(&texts).unwrap());
        let lengths = chunks.iter().map(String::len).collect();
        let chunks = chunks.into_iter().map(Arc::from).collect();
        let (read, all_occur) =
            handed_out(chunks, || serde_json::from_str::<Vec<SharedText>>(&json).unwrap());
        assert_eq!(read, texts);
        assert!(all_occur);
        lengths
    }

    #[test]
    fn what_is_collected_is_handed_out() {
        assert!(check(&[]).is_empty());
        assert!(check(&["", "", ""]).is_empty());
        assert_eq!(check(&["a", "\u{e4}b", "a", "", "\u{e4}b", "c"]), [5]);
    }

    #[test]
    fn the_empty_text_has_one_number() {
        let read = |json: &str| {
            handed_out(vec!["a".into()], || serde_json::from_str::<Vec<SharedText>>(json).is_ok()).0
        };
        assert!(read("[0, 6, 1]"));
        assert!(!read("[2, 6]"));
    }

    #[test]
    fn chunks_are_not_for_ever() {
        let (half, long) = ("h".repeat(CHUNK / 2), "l".repeat(CHUNK));
        let other = half.replace('h', "o");
        assert_eq!(check(&[&half, "a", &other, "b", "a"]), [CHUNK + 1, 1]);
        assert_eq!(check(&["a", &long, "b", &long]), [1, CHUNK, 1]);
        assert_eq!(check(&[&long, "b"]), [CHUNK, 1]);
    }

    #[test]
    fn a_context_ends_with_its_work() {
        let text = SharedText::from("a");
        let unwound = std::panic::catch_unwind(|| collected(|| panic!("on the way")));
        assert!(unwound.is_err());
        assert_eq!(serde_json::to_string(&text).unwrap(), r#""a""#);
        let (inner, _) = collected(|| handed_out(Vec::new(), || number(&text)).0);
        assert_eq!(inner, None);
        assert_eq!(serde_json::from_str::<SharedText>(r#""a""#).unwrap(), text);
    }
}
