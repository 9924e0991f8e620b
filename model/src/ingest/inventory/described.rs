//! Answers about one thing of several: which interface belongs to which notebook instance.

use std::collections::BTreeMap;

use super::Inventories;
use super::dto::{Name, Placed};
use crate::id::FileId;

impl Inventories {
    /// The interface of each notebook instance, by the answer of `sagemaker describe-notebook-instance` that says so: one
    /// object a file, whose members are top-level keys. A file with more than one such object names nothing.
    pub(super) fn notebook_interfaces_by_file(&self) -> Vec<(FileId, &str)> {
        let names = only_one_a_file(&self.notebook_names);
        let named = |file: &FileId| names.get(file).is_some_and(Option::is_some);
        let interfaces = only_one_a_file(&self.single_interfaces).into_iter();
        interfaces
            .filter(|(file, _)| named(file))
            .filter_map(|(file, interface)| Some((file, interface?)))
            .collect()
    }
}

/// The value of each file; `None` where a file has several.
pub(super) fn only_one_a_file(values: &[Placed<Name>]) -> BTreeMap<FileId, Option<&str>> {
    let mut files = BTreeMap::new();
    for value in values.iter().filter(|value| !value.is_empty()) {
        let only: &str = &value.value;
        files.entry(value.source.file).and_modify(|known| *known = None).or_insert(Some(only));
    }
    files
}
