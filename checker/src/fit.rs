//! Whether every id of a certificate is one of the snapshot's.

use reachproof_model::certificate::{Certificate, Location, Place, Proof, Sender, Site, Start};
use reachproof_model::id::{Id, Ref, Table};
use reachproof_model::snapshot::Snapshot;

use crate::Rejection;

/// Looks at all of them, so that nothing further on has to.
pub(crate) fn fit(certificate: &Certificate, s: &Snapshot) -> Result<(), Rejection> {
    let directions = &certificate.claim.directions;
    let pairs =
        directions.iter().flat_map(|one| one.accepted.iter().chain(&one.unanswered).chain(&one.unreplied));
    let pairs = pairs.flat_map(|one| one.sources.iter().chain(&one.destinations));
    let ends = directions.iter().flat_map(|one| one.sources.iter().chain(&one.destinations));
    let named = ends.chain(pairs).map(|(place, _)| place).all(|place| place_fits(s, place));
    if named && certificate.proofs.iter().all(|proof| proof_fits(s, proof)) {
        Ok(())
    } else {
        Err(Rejection::of("it names something that the snapshot does not have"))
    }
}

fn has<I: Id, T>(table: &Table<I, T>, id: I) -> bool {
    table.get(id).is_some()
}

fn proof_fits(s: &Snapshot, proof: &Proof) -> bool {
    let starts = proof.walks.iter().all(|walk| match &walk.start {
        Start::Class(members) => members.iter().all(|id| has(&s.interfaces, *id)),
        Start::Place(place) => place_fits(s, place),
    });
    starts
        && proof.walks.iter().flat_map(|walk| &walk.invariant).all(|(location, _)| location_fits(s, location))
}

fn place_fits(s: &Snapshot, place: &Place) -> bool {
    match place {
        Place::Interface(id) => has(&s.interfaces, *id),
        Place::Gateway { vpc, .. } => has(&s.vpcs, *vpc),
        Place::Attachment(id) => has(&s.attachments, *id),
        Place::Peer(id) => has(&s.peerings, *id),
        Place::Service(id) => has(&s.endpoints, *id),
        Place::Unseen(id) => has(&s.subnets, *id),
        Place::Internet | Place::Component(_) => true,
    }
}

fn location_fits(s: &Snapshot, location: &Location) -> bool {
    let site = match &location.site {
        Site::Route { table, vpc, from } => {
            table.is_none_or(|id| has(&s.route_tables, id))
                && has(&s.vpcs, *vpc)
                && from.is_none_or(|id| has(&s.subnets, id))
        }
        Site::Internet => true,
        Site::Transit(by) => has(&s.attachments, *by),
        Site::Exit { by, to } => has(&s.attachments, *by) && has(&s.attachments, *to),
    };
    let known = |group: &Ref<_>| group.known().is_none_or(|id| has(&s.groups, id));
    site && match &location.sender {
        Sender::Groups(groups) => groups.iter().all(known),
        Sender::Nobody | Sender::Anyone => true,
    }
}
