//! `verify`: certificates against a snapshot, by the checker that shares nothing with the search.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use jiff::civil::Date;
use rayon::prelude::*;
use reachproof_checker::{Rejection, verify_within};
use reachproof_model::certificate::{
    Certificate, Claim, Pairs, Place, Waiving, is_certificate, read_certificate,
};
use reachproof_model::compiled::{SNAPSHOT, is_compiled, kind_of};
use reachproof_model::ingest::Input;
use reachproof_model::policy::Policy;
use reachproof_model::snapshot::Snapshot;

use super::asserted::stands_in;
use super::check::{read_policy, today};
use super::{read_paths, snapshot};
use crate::answer::assumption_names;
use crate::arguments::VerifyArguments;
use crate::exit::{Exit, Failure};
use crate::output::{self, Talk};
use crate::read;
use crate::style::{Style, visible};

/// A certificate with the name of its file.
type Named = (String, Certificate);

/// Runs the command.
pub fn run(arguments: &VerifyArguments, talk: &mut Talk) -> Result<Exit, Failure> {
    let (certificates, inputs) = sorted(&arguments.files)?;
    if certificates.is_empty() || inputs.is_empty() {
        let found = if certificates.is_empty() { "no certificate" } else { "certificates and no input" };
        return Err(Failure::new(format!(
            "found {found}, expected certificates and the snapshot they are about"
        )));
    }
    let policy = if arguments.policy.is_empty() { None } else { Some(read_policy(&arguments.policy)?) };
    let day = arguments.date.unwrap_or_else(today);
    let judged = policy.as_ref().map(|policy| (policy, day));
    let snapshot = snapshot(read_paths(&inputs, talk)?, talk)?;
    talk.progress("checking the certificates");
    let checked = certificates.par_iter().map(|(file, certificate)| {
        let comparisons = arguments.limit_comparisons;
        verdict(comparisons, certificate, &snapshot, judged)
            .map_err(|error| Failure::new(format!("{file}: {error} (--limit-comparisons)")))
    });
    // In order, so that the first limit that was hit is named on any number of threads.
    let checked: Vec<Result<Outcome, Failure>> = checked.collect();
    let checked = checked.into_iter().collect::<Result<Vec<Outcome>, Failure>>()?;
    let target = output::target(arguments.answer.output.as_ref());
    let style = output::style(talk.choice(), target);
    let lines = certificates.iter().zip(&checked).map(|(named, checked)| line(named, checked, style));
    output::write(target, lines.collect::<String>().as_bytes())?;
    Ok(if checked.iter().all(Result::is_ok) { Exit::Holds } else { Exit::Violated })
}

/// Certificates and inputs, told apart by their first bytes.
fn sorted(paths: &[PathBuf]) -> Result<(Vec<Named>, Vec<PathBuf>), Failure> {
    let (mut certificates, mut inputs) = (Vec::new(), Vec::new());
    for path in paths {
        // A directory is an input; what is neither that nor there is named by the error.
        let file = if path.is_file() || !path.exists() && path != Path::new("-") {
            Some(read::file(path)?)
        } else {
            None
        };
        match file.filter(is_one) {
            Some(file) => certificates.push(certificate(&file)?),
            None => inputs.push(path.clone()),
        }
    }
    Ok((certificates, inputs))
}

/// Whether a file is a certificate, or damaged so early that nobody can tell what compiled file it was.
fn is_one(file: &Input) -> bool {
    is_certificate(&file.bytes) || is_compiled(&file.bytes) && kind_of(&file.bytes) != Some(SNAPSHOT.kind)
}

fn certificate(file: &Input) -> Result<Named, Failure> {
    let certificate =
        read_certificate(&file.name, &file.bytes).map_err(|error| Failure::new(error.to_string()))?;
    Ok((file.name.clone(), certificate))
}

/// What became of one certificate: accepted, or rejected for a reason.
type Outcome = Result<(), String>;

/// Whether the snapshot proves the claim, and it is that of the policy on a day, if one is given. The error is a limit that was hit.
fn verdict(
    comparisons: u64,
    certificate: &Certificate,
    snapshot: &Snapshot,
    policy: Option<(&Policy, Date)>,
) -> Result<Outcome, Rejection> {
    if let Some(Err(why)) = policy.map(|(policy, day)| stands_in(policy, day, certificate)) {
        return Ok(Err(why));
    }
    match verify_within(comparisons, certificate, snapshot) {
        Err(rejection) if rejection.is_undecided() => Err(rejection),
        checked => Ok(checked.map_err(|rejection| rejection.to_string())),
    }
}

fn line((file, certificate): &Named, checked: &Outcome, style: Style) -> String {
    let mut text = String::new();
    let file = visible(file);
    let _ = match checked {
        Ok(()) => writeln!(text, "{}  {file}: {}", style.good("accepted"), visible(&claimed(certificate))),
        Err(why) => writeln!(text, "{}  {file}: {}", style.bad("rejected"), visible(why)),
    };
    text
}

/// What a certificate proves, in one sentence.
fn claimed(certificate: &Certificate) -> String {
    let claim = &certificate.claim;
    let count = |side: fn(&reachproof_model::certificate::Direction) -> usize, one: &str| {
        let sum: usize = claim.directions.iter().map(side).sum();
        format!("{sum} {one}{}", if sum == 1 { "" } else { "s" })
    };
    let (sources, destinations) =
        (count(|one| one.sources.len(), "source"), count(|one| one.destinations.len(), "destination"));
    let assuming = assumption_names(claim.assumptions).join(", ");
    let (property, form) = (&claim.property, &claim.form);
    let (waived, unanswered, supposed) = (waived(claim), unanswered(claim), supposed(claim));
    let replies = if claim.directions.iter().any(|one| one.answers) { " with replies" } else { "" };
    let live = if claim.live_only { " among live interfaces" } else { "" };
    format!(
        "{property}: {form} from {sources} to {destinations}{replies}{live}{supposed}{waived}{unanswered}, assuming {assuming}"
    )
}

/// How many interfaces it is about that do not exist.
fn supposed(claim: &Claim) -> String {
    match claim.supposed.len() {
        0 => String::new(),
        1 => " with 1 interface supposed".to_owned(),
        more => format!(" with {more} interfaces supposed"),
    }
}

/// What a claim leaves out because somebody has accepted it.
fn waived(claim: &Claim) -> String {
    let of_one = |(at, waiving): (usize, &Waiving)| {
        let accepted = claim.directions.iter().filter_map(|direction| direction.accepted.get(at));
        let pairs: usize = accepted.map(pairs).sum();
        let Waiving { owner, until, .. } = waiving;
        let ending = if pairs == 1 { "" } else { "s" };
        format!(", but for {pairs} pair{ending} that {owner} waived until {until}")
    };
    claim.waivers.iter().enumerate().map(of_one).collect()
}

/// Of how many pairs it is answers alone that do not get through.
fn unanswered(claim: &Claim) -> String {
    let lists = claim.directions.iter().flat_map(|one| one.unanswered.iter().chain(&one.unreplied));
    match lists.map(pairs).sum::<usize>() {
        0 => String::new(),
        1 => ", 1 pair for want of answers".to_owned(),
        more => format!(", {more} pairs for want of answers"),
    }
}

/// How many pairs of different places are listed.
fn pairs(listed: &Pairs) -> usize {
    let places = |ends: &[(Place, Vec<IpNet>)]| -> BTreeSet<Place> {
        ends.iter().map(|(place, _)| place.clone()).collect()
    };
    let (sources, destinations) = (places(&listed.sources), places(&listed.destinations));
    let same = sources.intersection(&destinations).count();
    sources.len().saturating_mul(destinations.len()).saturating_sub(same)
}
