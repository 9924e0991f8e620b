//! `check --certificates`: a file of evidence for each property: a certificate where it holds, the witnesses where it is
//! violated.
//!
//! INVARIANT (nothing unchecked): a certificate is written only if the independent checker has accepted it.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use rayon::prelude::*;
use reachproof_checker::verify;
use reachproof_engine::certificate::{Outcome, certify};
use reachproof_engine::check::{PropertyReport, Verdict};
use reachproof_engine::reach::Reach;
use reachproof_model::certificate::{Certificate, write_certificate};
use reachproof_model::policy::Property;

use crate::answer::check::{Checked, Evidence, WitnessFile};
use crate::answer::pretty;
use crate::exit::Failure;
use crate::limit::begin_answer;
use crate::output;

/// The bytes of a file of evidence, or why there is none.
type Content = Result<Vec<u8>, String>;

/// Writes the evidence of every property into a folder, which is made if it is not there. What an earlier run left there of
/// the same properties is replaced or removed.
pub fn write(folder: &Path, checked: Checked<'_, '_>) -> Result<Vec<Evidence>, Failure> {
    let contents = contents(checked)?;
    begin_answer()?;
    fs::create_dir_all(folder)
        .map_err(|error| Failure::new(format!("cannot make `{}`: {error}", folder.display())))?;
    let names = file_names(checked.reports.iter().map(|report| &*report.name));
    let rows = checked.reports.iter().zip(names).zip(contents);
    let written = rows.map(|((report, name), content)| {
        let certificate = folder.join(format!("{name}.cert"));
        let witness = folder.join(format!("{name}.witness.json"));
        let is_certificate = report.verdict == Verdict::Holds;
        let (path, other) = if is_certificate { (certificate, witness) } else { (witness, certificate) };
        remove(&other)?;
        match content {
            Err(reason) => remove(&path).map(|()| Evidence::None(reason)),
            Ok(bytes) => {
                output::write(Some(&path), &bytes)?;
                Ok(if is_certificate { Evidence::Certificate(path) } else { Evidence::Witness(path) })
            }
        }
    });
    written.collect()
}

fn remove(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Failure::new(format!("cannot remove `{}`: {error}", path.display())))
        }
        _ => Ok(()),
    }
}

fn contents(checked: Checked<'_, '_>) -> Result<Vec<Content>, Failure> {
    let (reach, digest) = (Reach::of(checked.network), checked.network.snapshot.digest());
    let rows = checked.policy.properties.par_iter().zip(checked.reports);
    let contents = rows.map(|(property, report)| match report.verdict {
        Verdict::Holds => certificate(&reach, property, report, &digest),
        Verdict::Violated => {
            pretty(&WitnessFile::of(checked, report, &digest)).map(|text| Ok(text.into_bytes()))
        }
        Verdict::Unknown => Ok(Err("nothing is decided".to_owned())),
    });
    contents.collect()
}

/// The certificate of a property that holds, accepted by the checker.
fn certificate(
    reach: &Reach<'_, '_>,
    property: &Property,
    report: &PropertyReport,
    digest: &str,
) -> Result<Content, Failure> {
    let certificate = match certify(reach, property, report, digest)? {
        Outcome::None(reason) => return Ok(Err(reason.to_owned())),
        Outcome::Certificate(certificate) => certificate,
    };
    match verify(&certificate, reach.network().snapshot) {
        Ok(()) => {
            let bytes = write_certificate(&certificate).map_err(|error| Failure::new(error.to_string()))?;
            Ok(Ok(bytes))
        }
        Err(rejection) if is_about_answers(&certificate) => {
            Ok(Err(format!("packets may arrive, and that no answer comes back is not proved: {rejection}")))
        }
        Err(rejection) => Ok(Err(format!("the checker cannot follow the proof: {rejection}"))),
    }
}

/// Whether packets pass between some pairs, so that the proof is that of lost answers.
fn is_about_answers(certificate: &Certificate) -> bool {
    certificate.claim.directions.iter().any(|one| !one.unanswered.is_empty() || !one.unreplied.is_empty())
}

/// The most characters of a property's name that a file name keeps.
const LONGEST: usize = 100;

/// Names for files, one for each property and no two alike, also where upper and lower case are.
fn file_names<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let free = |name: &str| {
        let safe =
            |one: char| if one.is_ascii_alphanumeric() || matches!(one, '-' | '_' | '.') { one } else { '_' };
        let plain: String = name.chars().take(LONGEST).map(safe).collect();
        let plain = if plain.starts_with(['.', '-']) { format!("_{plain}") } else { plain };
        let numbered = (2_u32..).map(|number| format!("{plain}-{number}"));
        let mut candidates = std::iter::once(plain.clone()).chain(numbered);
        let found = candidates.find(|one| !one.is_empty() && taken.insert(one.to_ascii_lowercase()));
        found.unwrap_or(plain)
    };
    names.map(free).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_and_apart() {
        let names = ["a", "A", "a/b", "a b", "../x", "-o", "", "ä"];
        let expected = ["a", "A-2", "a_b", "a_b-2", "_.._x", "_-o", "-2", "_"];
        assert_eq!(file_names(names.into_iter()), expected);
        let long = "n".repeat(500);
        assert_eq!(file_names([long.as_str(), long.as_str()].into_iter()).last().unwrap().len(), LONGEST + 2);
    }
}
