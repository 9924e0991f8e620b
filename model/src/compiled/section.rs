//! The payload of a compiled snapshot: two sections that are read at the same time.
//!
//! ```text
//! length       of the first section in bytes, as bincode has numbers
//! interfaces   a section: the table of interfaces, about half of all there is
//! others       a section: the snapshot without its interfaces, to the end of the payload
//!
//! section      texts, then facts, each as bincode has it
//! texts        a list of chunks of all distinct texts of the section, in the order in which they first occur
//! facts        the value, with a number for each text (see [`distinct`])
//! ```
//!
//! Numbers instead of texts make reading fast: a text that occurs is a part of a chunk that is there already, and nothing is
//! allocated for it. Each section has texts of its own, so that neither has to wait for the other.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::codec;
use super::guard::HighestIds;
use super::validate::validate;
use crate::id::{EniId, Table};
use crate::snapshot::{Interface, Snapshot};
use crate::text::distinct;

/// Appends the payload of a snapshot.
pub(super) fn write(snapshot: &Snapshot, into: &mut Vec<u8>) -> Result<(), String> {
    let without = Snapshot { interfaces: Table::default(), ..snapshot.clone() };
    let (interfaces, others) = rayon::join(|| section(&snapshot.interfaces), || section(&without));
    let (mut interfaces, mut others) = (interfaces?, others?);
    codec::encode(&(interfaces.len() as u64), into)?;
    into.append(&mut interfaces);
    into.append(&mut others);
    Ok(())
}

/// The snapshot that a payload is, validated.
pub(super) fn read(payload: &[u8]) -> Result<Snapshot, String> {
    let (length, rest) = codec::decode_first::<u64>(payload, &HighestIds::default())?;
    let length = usize::try_from(length).ok();
    let Some((interfaces, others)) = length.and_then(|length| rest.split_at_checked(length)) else {
        return Err(codec::CUT_OFF.to_owned());
    };
    let (interfaces, others) = rayon::join(
        || read_section::<Table<EniId, Interface>>(interfaces),
        || read_section::<Snapshot>(others),
    );
    let ((interfaces, ids), (mut snapshot, other_ids)) = (interfaces?, others?);
    if !snapshot.interfaces.is_empty() {
        return Err("found interfaces in two places".to_owned());
    }
    snapshot.interfaces = interfaces;
    ids.join(&other_ids);
    validate(&snapshot, &ids)?;
    Ok(snapshot)
}

/// A section of this value.
pub(super) fn section<T: Serialize>(value: &T) -> Result<Vec<u8>, String> {
    let mut facts = Vec::new();
    let (written, texts) = distinct::collected(|| {
        facts.clear();
        codec::encode(value, &mut facts)
    });
    written?;
    let mut section = Vec::new();
    codec::encode(&texts, &mut section)?;
    section.append(&mut facts);
    Ok(section)
}

/// The facts of a section, and which ids they hold.
fn read_section<T: DeserializeOwned>(section: &[u8]) -> Result<(T, HighestIds), String> {
    let ids = HighestIds::default();
    let (texts, facts) = codec::decode_first::<Vec<&str>>(section, &ids)?;
    let texts = texts.into_iter().map(Arc::from).collect();
    let (facts, all_occur) = distinct::handed_out(texts, || codec::decode(facts, &ids));
    match (facts?, all_occur) {
        (facts, true) => Ok((facts, ids)),
        (_, false) => Err("found texts that no fact has".to_owned()),
    }
}
