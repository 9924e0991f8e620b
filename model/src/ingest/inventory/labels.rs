//! Names for labels: which interface belongs to which notebook instance.

use std::collections::BTreeMap;

use super::Inventories;
use super::dto::{Name, Placed};
use crate::id::FileId;

/// Interface id to notebook name, from answers of `sagemaker describe-notebook-instance`: one object a file, whose
/// members are top-level keys. A file with more than one such object names nothing.
pub(super) fn notebook_interfaces(inventories: &Inventories) -> BTreeMap<&str, &str> {
    let interfaces = only_one_a_file(&inventories.single_interfaces);
    let names = only_one_a_file(&inventories.notebook_names);
    let pairs = names.into_iter().filter_map(|(file, name)| Some((*interfaces.get(&file)?, name?)));
    pairs.filter_map(|(interface, name)| interface.map(|interface| (interface, name))).collect()
}

/// The value of each file; `None` where a file has several.
fn only_one_a_file(values: &[Placed<Name>]) -> BTreeMap<FileId, Option<&str>> {
    let mut files = BTreeMap::new();
    for value in values.iter().filter(|value| !value.is_empty()) {
        let only: &str = &value.value;
        files.entry(value.source.file).and_modify(|known| *known = None).or_insert(Some(only));
    }
    files
}
