//! Verifies certificates with naive code of its own. Depends on `reachproof-model` alone, never on the engine.
//!
//! The one function is [`verify`]. It reads the meaning of every step from the snapshot again, by the rules, in the world
//! where every unknown permits: lists of boxes, first match, no decision diagrams, no search. What it finds is one of two:
//! `accepted`, and then the claim of the certificate follows from the snapshot by the rules and the assumptions that the
//! claim names; or the first obligation that fails. It never finds a proof by itself.
//!
//! Interfaces that do not exist and that a claim supposes it adds to a copy of the snapshot itself; how many and where, the claim
//! says.
//!
//! What it takes from the certificate without asking is which places and addresses the selectors of the policy and of its
//! waivers mean, and the notes about relays and neighbours; the claim names the places, so that a reader can look.
//!
//! INVARIANT (never finer): where the rules let a packet pass, or leave open whether it does, it passes here.

#![expect(
    clippy::indexing_slicing,
    reason = "INVARIANT (snapshot ids dense): the ids of a certificate are looked at before they are used"
)]

mod answer;
mod area;
mod block;
mod component;
mod doubt;
mod edge;
mod fabric;
mod filter;
mod fit;
mod gateway;
mod internet;
mod name;
mod nat;
mod net;
mod part;
mod proof;
mod route;
mod state;
mod step;
mod suppose;
mod transit;
mod walk;
mod work;

use std::fmt;

use reachproof_model::certificate::Certificate;
use reachproof_model::snapshot::Snapshot;

use net::Net;
use part::{Part, each_part};
use work::Work;

/// How many comparisons of boxes one certificate may take if nothing else is said: minutes.
pub const COMPARISONS: u64 = 1 << 33;

/// The first obligation of a certificate that fails. [`fmt::Display`] gives one line for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rejection {
    why: String,
    undecided: bool,
}

impl Rejection {
    pub(crate) fn of(why: impl Into<String>) -> Self {
        Self { why: why.into(), undecided: false }
    }

    pub(crate) fn too_large(limit: u64) -> Self {
        let why = format!("checking takes more than the limit of {limit} comparisons: nothing was decided");
        Self { why, undecided: true }
    }

    /// Whether checking came to its limit, so that nobody knows whether the certificate is a proof.
    pub fn is_undecided(&self) -> bool {
        self.undecided
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Rejection {}

/// Accepts a certificate only if its claim is proved for this snapshot; it may refuse one whose claim is true.
///
/// # Errors
/// The first obligation that fails: another snapshot, doubtful data, a source without a walk, a step out of an invariant,
/// an arrival at a destination. If checking takes more than [`COMPARISONS`], that it does.
pub fn verify(certificate: &Certificate, snapshot: &Snapshot) -> Result<(), Rejection> {
    verify_within(COMPARISONS, certificate, snapshot)
}

/// As [`verify`], with another limit of comparisons.
///
/// # Errors
/// As [`verify`].
pub fn verify_within(
    comparisons: u64,
    certificate: &Certificate,
    snapshot: &Snapshot,
) -> Result<(), Rejection> {
    let found = snapshot.digest();
    if *certificate.snapshot != *found {
        let said = &certificate.snapshot;
        return Err(Rejection::of(format!(
            "it is about another snapshot, sha256:{said}; this one is sha256:{found}"
        )));
    }
    if certificate.claim.supposed.is_empty() {
        return verify_in(comparisons, certificate, snapshot, snapshot);
    }
    let supposing = suppose::supposing(snapshot, &certificate.claim)?;
    verify_in(comparisons, certificate, snapshot, &supposing)
}

/// Whether the claim is proved for a snapshot with what it supposes.
fn verify_in(
    comparisons: u64,
    certificate: &Certificate,
    shown: &Snapshot,
    snapshot: &Snapshot,
) -> Result<(), Rejection> {
    fit::fit(certificate, snapshot)?;
    let work = Work::of(comparisons);
    let net = Net { shown: shown.interfaces.len(), ..Net::of(snapshot, certificate.claim.live_only, work) };
    doubt::doubts(&net, &certificate.claim)?;
    let mut proofs = certificate.proofs.iter();
    let mut check = |part: &Part<'_>| match proofs.next() {
        Some(proof) => fabric::refuse(&net, part).and_then(|()| proof::check(&net, part, proof)),
        None => Err(Rejection::of("a part of its claim has no proof")),
    };
    let question = certificate.claim.question;
    let mut directions = certificate.claim.directions.iter();
    let checked = directions.try_for_each(|direction| each_part(&net, direction, question, &mut check));
    let checked = checked.and_then(|()| match proofs.next() {
        Some(_) => Err(Rejection::of("it has a proof of nothing that it claims")),
        None => Ok(()),
    });
    // What was found after the limit was hit means nothing.
    net.work.require()?;
    checked
}
