//! Verifies certificates with naive code of its own. Depends on `reachproof-model` alone, never on the engine.
//!
//! The one function is [`verify`]. It reads the meaning of every step from the snapshot again, by the rules, in the world
//! where every unknown permits: lists of boxes, first match, no decision diagrams, no search. What it finds is one of two:
//! `accepted`, and then the claim of the certificate follows from the snapshot by the rules and the assumptions that the
//! claim names; or the first obligation that fails. It never finds a proof by itself.
//!
//! What it takes from the certificate without asking is which places and addresses the selectors of the policy mean, and the
//! notes about relays and neighbours; the claim names the places, so that a reader can look.
//!
//! INVARIANT (never finer): where the rules let a packet pass, or leave open whether it does, it passes here.

#![expect(
    clippy::indexing_slicing,
    reason = "INVARIANT (snapshot ids dense): the ids of a certificate are looked at before they are used"
)]

mod area;
mod block;
mod component;
mod doubt;
mod edge;
mod filter;
mod fit;
mod gateway;
mod internet;
mod name;
mod nat;
mod net;
mod proof;
mod route;
mod state;
mod step;
mod transit;
mod walk;

use std::fmt;

use reachproof_model::certificate::Certificate;
use reachproof_model::snapshot::Snapshot;

use net::Net;

/// How many comparisons of boxes one certificate may take: minutes.
const WORK: u64 = 1 << 33;

/// The first obligation of a certificate that fails. [`fmt::Display`] gives one line for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rejection {
    why: String,
}

impl Rejection {
    pub(crate) fn of(why: impl Into<String>) -> Self {
        Self { why: why.into() }
    }

    pub(crate) fn too_large() -> Self {
        Self::of(format!("checking takes more than the limit of {WORK} comparisons: nothing was decided"))
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
/// an arrival at a destination.
pub fn verify(certificate: &Certificate, snapshot: &Snapshot) -> Result<(), Rejection> {
    let found = snapshot.digest();
    if *certificate.snapshot != *found {
        let said = &certificate.snapshot;
        return Err(Rejection::of(format!(
            "it is about another snapshot, sha256:{said}; this one is sha256:{found}"
        )));
    }
    fit::fit(certificate, snapshot)?;
    let net = Net::of(snapshot, certificate.claim.live_only);
    doubt::doubts(&net, &certificate.claim)?;
    let mut work = WORK;
    let directions = certificate.claim.directions.iter().zip(&certificate.proofs);
    for (direction, proof) in directions {
        proof::check(&net, direction, proof, &mut work)?;
    }
    Ok(())
}
