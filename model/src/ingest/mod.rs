//! From the JSON that `aws … describe-*` prints to a [`Snapshot`].
//!
//! The main function is [`load`]. Files are recognised by their top-level keys. Shapes of AWS stay private to this
//! module and are converted once; what cannot be understood becomes an unknown value with a notice, and only input that
//! cannot mean anything is a [`LoadError`]. Nothing here reads a file: the caller brings the bytes.
//!
//! The stages: `document` walks the files in parallel, `scope` finds the account and Region of each, `record` puts all
//! resources in canonical order and unites what several answers say about one, `context` resolves ids, and
//! the modules named after AWS things convert them.

mod acl;
mod build;
mod calls;
mod check;
mod collected;
mod context;
mod document;
mod endpoint;
mod error;
mod gateway;
mod group;
mod interface;
mod inventory;
mod label;
mod manifest;
mod name;
mod policy_table;
mod prefix;
mod protocol;
mod record;
mod route;
mod scope;
mod settings;
mod sorted;
mod transit;
mod value;
mod vpc;

#[cfg(test)]
mod tests;

pub use error::LoadError;
pub(crate) use inventory::{tells_of_a_service, tells_of_a_service_group};

use collected::Collected;
use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

use crate::id::{FileId, Table};
use crate::snapshot::Snapshot;

/// The message of the notice about a file that holds something and no answer; its resource is the name of the file.
pub const UNUSED: &str = "no key in it is known, so that it is not used";

/// One file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Input {
    /// The path as the user gave it, `/`-separated, relative to the input folder where possible. Its folders may name
    /// the account and Region, its last part the call and what the call asked about.
    pub name: String,
    /// The content.
    pub bytes: Vec<u8>,
}

/// Reads all files into one snapshot, the same whatever their order is.
///
/// # Errors
/// Iff no file holds an answer of a known call, a file is not JSON of the shape that its call prints, a value is one
/// that AWS never prints, or two files describe one resource differently.
pub fn load(mut inputs: Vec<Input>) -> Result<Snapshot, LoadError> {
    inputs.sort_by(|a, b| (&a.name, &a.bytes).cmp(&(&b.name, &b.bytes)));
    let files: Table<FileId, Box<str>> = inputs.iter().map(|input| Box::from(input.name.as_str())).collect();
    let collected = collect(&files, &inputs)?;
    if !collected.known {
        return Err(LoadError::nothing_known(files.len(), collected.stranger.as_deref()));
    }
    build::snapshot(files, collected)
}

/// Reads the files in parallel. The error is that of the first file that has one.
fn collect<'a>(files: &Table<FileId, Box<str>>, inputs: &'a [Input]) -> Result<Collected<'a>, LoadError> {
    let nothing = || Ok(Collected::default());
    let read = |before: Result<Collected<'a>, LoadError>, (file, input): (FileId, &'a Input)| {
        let mut collected = before?;
        collected.read(file, &input.name, &input.bytes)?;
        Ok(collected)
    };
    let files: Vec<FileId> = files.ids().collect();
    let read = files.into_par_iter().zip(inputs).fold(nothing, read);
    read.reduce(nothing, |one, next| Ok(one?.followed_by(next?)))
}
