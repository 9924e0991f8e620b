//! Items of answers with their place in the input, and how several descriptions of one resource become one.

use std::collections::HashSet;
use std::mem;

use super::error::LoadError;
use super::value::{List, Tag, Text};
use crate::id::{FileId, Id, ScopeId, Table};
use crate::source::Source;
use crate::text::Tags;

/// One item of an answer and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Record<T> {
    pub(super) source: Source,
    pub(super) item: T,
}

/// The items of an answer to a call about one parent.
#[derive(Clone, Debug)]
pub(super) struct Answer<T> {
    /// Where the list stands.
    pub(super) source: Source,
    /// What the call asked about, from the file name or a wrapper.
    pub(super) parent: Box<str>,
    pub(super) items: Vec<T>,
    /// More exist that the input does not hold.
    pub(super) truncated: bool,
}

/// A record with the account and Region it was collected from.
#[derive(Clone, Debug)]
pub(super) struct Scoped<T> {
    pub(super) scope: ScopeId,
    pub(super) source: Source,
    pub(super) item: T,
}

/// Something that AWS gives an id.
pub(super) trait Resource: PartialEq {
    /// What it is called, for messages: the JSON field of its id.
    const ID_FIELD: &'static str;
    /// Its id, empty if the input lacks it.
    fn id(&self) -> &str;
    /// What tells apart two entries of one id: a transit gateway peering attachment has one a side.
    fn side(&self) -> &str {
        ""
    }
    /// The owning account, where shown.
    fn owner(&self) -> Option<&str> {
        None
    }
    /// Levels out what two accounts legitimately see differently; tags always are.
    fn reconcile(&mut self, other: &mut Self);
}

impl Source {
    /// The place `suffix` (`/Routes/1`) below this one.
    pub(super) fn below(&self, suffix: &str) -> Self {
        Self { file: self.file, pointer: format!("{}{suffix}", self.pointer).into() }
    }
}

/// What is needed to put records in canonical order.
pub(super) struct Places<'i> {
    pub(super) files: &'i Table<FileId, Box<str>>,
    /// The scope of each file.
    pub(super) scopes: &'i [ScopeId],
    /// The account of each scope.
    pub(super) accounts: &'i [Box<str>],
}

impl Places<'_> {
    /// The scope of a file.
    pub(super) fn scope(&self, file: FileId) -> ScopeId {
        self.scopes.get(file.index()).copied().unwrap_or(ScopeId::from_index(0))
    }

    fn account(&self, scope: ScopeId) -> &str {
        self.accounts.get(scope.index()).map_or("", AsRef::as_ref)
    }

    /// `file#pointer`, for messages.
    pub(super) fn show(&self, source: &Source) -> String {
        format!("{}#{}", self.file(source), source.pointer)
    }

    /// The name of the file of a place.
    pub(super) fn file(&self, source: &Source) -> &str {
        self.files.get(source.file).map_or("?", AsRef::as_ref)
    }

    /// An error about the value at a place.
    pub(super) fn error(&self, source: &Source, message: impl Into<String>) -> LoadError {
        LoadError::value(self.file(source), &source.pointer, message)
    }
}

/// What is large is boxed, so that moving it costs little.
impl<T: Resource> Resource for Box<T> {
    const ID_FIELD: &'static str = T::ID_FIELD;
    fn id(&self) -> &str {
        T::id(self)
    }
    fn side(&self) -> &str {
        T::side(self)
    }
    fn owner(&self) -> Option<&str> {
        T::owner(self)
    }
    fn reconcile(&mut self, other: &mut Self) {
        T::reconcile(self, other);
    }
}

/// Puts records in canonical order with one entry a resource.
///
/// Equal descriptions of one resource become one, kept where the owner describes it. Different ones in two files
/// are an error; different ones in one answer stay, and the caller must treat the id as ambiguous.
pub(super) fn merge<T: Resource>(
    records: Vec<Record<T>>,
    places: &Places<'_>,
) -> Result<Vec<Scoped<T>>, LoadError> {
    let mut scoped = Vec::with_capacity(records.len());
    for Record { source, item } in records {
        if item.id().is_empty() {
            return Err(places.error(&source, format!("found no `{}`, expected the id", T::ID_FIELD)));
        }
        scoped.push(Scoped { scope: places.scope(source.file), source, item });
    }
    if repeats(&scoped) {
        let together = order(&scoped, |record| key(record, places));
        rearrange(&mut scoped, together);
        scoped = unite(scoped, places)?;
    }
    let canonical = order(&scoped, |record| (record.scope, record.item.id(), record.item.side()));
    rearrange(&mut scoped, canonical);
    Ok(scoped)
}

/// Whether two records are of one name.
fn repeats<T: Resource>(records: &[Scoped<T>]) -> bool {
    let mut names = HashSet::with_capacity(records.len());
    !records.iter().all(|record| names.insert((record.item.id(), record.item.side())))
}

/// Which record is to stand at each place; records with equal keys keep their order.
fn order<'r, T, K: Ord>(records: &'r [T], key: impl Fn(&'r T) -> K) -> Vec<usize> {
    let mut keys: Vec<(K, usize)> =
        records.iter().enumerate().map(|(at, record)| (key(record), at)).collect();
    keys.sort_unstable();
    keys.into_iter().map(|(_, at)| at).collect()
}

/// Puts records in this order, without a second list of them.
fn rearrange<T>(records: &mut [T], mut order: Vec<usize>) {
    for start in 0..order.len() {
        let mut at = start;
        // Where the right record stands now there is room for the next one, until the circle closes.
        while let Some(from) =
            order.get_mut(at).map(|slot| mem::replace(slot, at)).filter(|from| *from != start)
        {
            records.swap(at, from);
            at = from;
        }
    }
}

/// Unites neighbours that describe one resource.
fn unite<T: Resource>(sorted: Vec<Scoped<T>>, places: &Places<'_>) -> Result<Vec<Scoped<T>>, LoadError> {
    let mut merged: Vec<Scoped<T>> = Vec::with_capacity(sorted.len());
    for record in sorted {
        match merged.last_mut().filter(|last| same(&last.item, &record.item)) {
            Some(last) => {
                if let Some(record) = absorb(last, record, places)? {
                    merged.push(record);
                }
            }
            None => merged.push(record),
        }
    }
    Ok(merged)
}

fn same<T: Resource>(a: &T, b: &T) -> bool {
    (a.id(), a.side()) == (b.id(), b.side())
}

/// One resource's descriptions stand together, the owner's first.
fn key<'r, T: Resource>(
    record: &'r Scoped<T>,
    places: &Places<'_>,
) -> (&'r str, &'r str, bool, ScopeId, FileId) {
    let owned = record.item.owner().is_some_and(|owner| owner == places.account(record.scope));
    (record.item.id(), record.item.side(), !owned, record.scope, record.source.file)
}

/// Drops `record` if it says what `last` says, and gives it back if both stand in one answer.
fn absorb<T: Resource>(
    last: &mut Scoped<T>,
    mut record: Scoped<T>,
    places: &Places<'_>,
) -> Result<Option<Scoped<T>>, LoadError> {
    if last.source.file == record.source.file {
        return Ok((last.item != record.item).then_some(record));
    }
    last.item.reconcile(&mut record.item);
    if last.item == record.item {
        return Ok(None);
    }
    let shown = [places.show(&last.source), places.show(&record.source)];
    Err(LoadError::disagreement(last.item.id(), shown))
}

/// The tags of a resource.
pub(super) fn tags(tags: &[Tag<'_>]) -> Tags {
    tags.iter().map(|tag| (&*tag.key, &*tag.value)).collect()
}

/// Tags belong to the account that reads them: both descriptions get those of the first, or of the other if it has none.
pub(super) fn share_tags<'a>(one: &mut List<Tag<'a>>, other: &mut List<Tag<'a>>) {
    if one.is_empty() {
        one.0.append(&mut other.0);
    }
    other.clone_from(one);
}

/// Fills an empty text from the other description.
pub(super) fn fill<'a>(one: &mut Text<'a>, other: &mut Text<'a>) {
    match (one.is_empty(), other.is_empty()) {
        (true, false) => one.clone_from(other),
        (false, true) => other.clone_from(one),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn records_of_equal_keys_keep_their_order() {
        let mut words = vec!["bb", "a", "cc", "b", "c", "aa"];
        let by_length = order(&words, |word| word.len());
        rearrange(&mut words, by_length);
        assert_eq!(words, ["a", "b", "c", "bb", "cc", "aa"]);
    }

    proptest! {
        #[test]
        fn rearranging_sorts(mut numbers in proptest::collection::vec(0_u8..20, 0..40)) {
            let mut sorted = numbers.clone();
            sorted.sort_unstable();
            let ascending = order(&numbers, |number| *number);
            rearrange(&mut numbers, ascending);
            prop_assert_eq!(numbers, sorted);
        }
    }
}
