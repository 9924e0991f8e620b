//! What every certificate has that was written by this project, and one that was read must have, too.

use ipnet::IpNet;

use super::statement::digest;
use super::{Area, Certificate, Direction, Family, Place, Proof, SEMANTICS, Sender, Start, Walk};

/// The most waivers of one claim, and lists of pairs of one direction: each may double the parts.
pub const WAIVERS: usize = 64;

/// Checks everything that needs no snapshot. The error says what was found and what was expected.
pub(super) fn validate(certificate: &Certificate) -> Result<(), String> {
    let Certificate { semantics, claim, proofs, policy, .. } = certificate;
    if *semantics != SEMANTICS {
        return Err(format!("found a proof by version {semantics} of the rules, expected {SEMANTICS}"));
    }
    if **policy != *digest(&claim.property, &claim.statement) {
        return Err("found another digest than that of the property it names".to_owned());
    }
    if claim.waivers.len() > WAIVERS {
        return Err(format!("found {} waivers, expected at most {WAIVERS}", claim.waivers.len()));
    }
    if let Some(other) = claim.directions.iter().find(|one| one.accepted.len() != claim.waivers.len()) {
        let (found, expected) = (other.accepted.len(), claim.waivers.len());
        return Err(format!("found a direction with {found} parts that are accepted, expected {expected}"));
    }
    ascending("supposed interfaces", &claim.supposed)?;
    claim.supposed.iter().try_for_each(|one| ascending("groups", &one.groups))?;
    claim.directions.iter().try_for_each(direction)?;
    proofs.iter().try_for_each(proof)
}

fn direction(direction: &Direction) -> Result<(), String> {
    places("sources", &direction.sources)?;
    places("destinations", &direction.destinations)?;
    for lists in [&direction.unanswered, &direction.unreplied] {
        if lists.len() > WAIVERS {
            return Err(format!("found {} lists of pairs, expected at most {WAIVERS}", lists.len()));
        }
    }
    let pairs = direction.accepted.iter().chain(&direction.unanswered).chain(&direction.unreplied);
    for pairs in pairs {
        places("sources", &pairs.sources)?;
        places("destinations", &pairs.destinations)?;
    }
    ascending("ids", &direction.avoided)?;
    areas(Family::V4, &direction.traffic.v4)?;
    areas(Family::V6, &direction.traffic.v6)?;
    areas(Family::V4, &direction.traffic.translated)
}

fn places(what: &str, places: &[(Place, Vec<IpNet>)]) -> Result<(), String> {
    ascending(what, places.iter().map(|(place, _)| place))?;
    match places.iter().flat_map(|(_, blocks)| blocks).find(|block| block.trunc() != **block) {
        Some(block) => Err(format!("found the block `{block}`, expected no bits behind the prefix")),
        None => Ok(()),
    }
}

fn proof(proof: &Proof) -> Result<(), String> {
    ascending("walks", proof.walks.iter().map(|walk| (&walk.start, walk.family)))?;
    proof.walks.iter().try_for_each(walk)
}

fn walk(walk: &Walk) -> Result<(), String> {
    if let Start::Class(members) = &walk.start {
        ascending("members", members)?;
    }
    ascending("locations", walk.invariant.iter().map(|(location, _)| location))?;
    for (location, boxes) in &walk.invariant {
        if let Sender::Groups(groups) = &location.sender {
            ascending("groups", groups)?;
        }
        areas(location.family, boxes)?;
    }
    Ok(())
}

fn areas(family: Family, boxes: &[Area]) -> Result<(), String> {
    ascending("boxes", boxes)?;
    match boxes.iter().find(|area| !is_sound(family, area)) {
        Some(area) => Err(format!("found the box {area:?}, which no header is in")),
        None => Ok(()),
    }
}

fn is_sound(family: Family, area: &Area) -> bool {
    let addresses = [area.destination, area.source];
    let ports = [area.port, area.source_port];
    addresses.iter().all(|(lo, hi)| lo <= hi && *hi <= family.greatest())
        && ports.iter().all(|(lo, hi)| lo <= hi)
        && area.protocol.0 <= area.protocol.1
}

/// Sorted, and nothing twice.
fn ascending<T: PartialOrd>(what: &str, items: impl IntoIterator<Item = T>) -> Result<(), String> {
    if items.into_iter().is_sorted_by(|left, right| left < right) {
        Ok(())
    } else {
        Err(format!("found {what} out of order"))
    }
}
