//! Peering connections: across one, and in from the unknown VPC at the other side of one.

use reachproof_model::flow::World;
use reachproof_model::id::{PeeringId, VpcId};
use reachproof_model::snapshot::PeeringSide;

use super::explore::Explorer;
use super::state::{Place, State, Tag};
use super::view::{Intervals, intervals_of};
use crate::header::{Family, Set};
use crate::network::{Crossing, Origin, Sink};

impl Explorer<'_, '_, '_> {
    /// R-PCX-2, 3, 8: across a peering connection, to an address of the other VPC.
    pub(super) fn peering(&mut self, id: PeeringId, vpc: VpcId, state: &State, set: Set) {
        let record = &self.network().snapshot.peerings[id];
        let allowed = self.network().encryption_allows(vpc, Some("VpcPeering"), self.world).value;
        if !allowed || self.avoids(&record.meta.id) || !self.starts_here(state) {
            return;
        }
        let far =
            if record.requester.vpc.known() == Some(vpc) { &record.accepter } else { &record.requester };
        let Some(inside) = self.far_blocks(far, state.view.family) else {
            return self.leave_snapshot(Sink::Peer(id), &record.meta.id, state, set);
        };
        let set = self.keep(set, &state.view, state.view.destination, &inside);
        let next = state.clone().with_origin(Origin::Peering);
        let Some(other) = far.vpc.known() else {
            return self.leave_snapshot(Sink::Peer(id), &record.meta.id, &next, set);
        };
        let kept = self.network().keeps_identity(Crossing::Peering(id), self.world);
        let tag = if kept { state.tag } else { Tag::None };
        self.push(next.at(Place::Deliver { vpc: other, from: None }).tagged(tag), set);
    }

    /// The blocks of the far side; `None` in the permissive world if nothing shows them.
    fn far_blocks(&self, far: &PeeringSide, family: Family) -> Option<Intervals> {
        match far.vpc.known() {
            Some(vpc) => Some(intervals_of(&self.network().vpc_blocks(vpc, self.world), family)),
            None if far.cidrs.is_empty() && self.world == World::Over => None,
            None => Some(intervals_of(&far.cidrs, family)),
        }
    }

    /// In from the unknown VPC at the other side of a peering connection.
    pub(super) fn come_from_peer(&mut self, id: PeeringId, state: &State, set: Set) {
        let record = &self.network().snapshot.peerings[id];
        if self.avoids(&record.meta.id) {
            return;
        }
        let kept =
            self.network().keeps_identity(Crossing::Peering(id), self.world) && self.world == World::Over;
        let tag = if kept { Tag::Stranger } else { Tag::None };
        for (near, far) in [(&record.requester, &record.accepter), (&record.accepter, &record.requester)] {
            let (Some(vpc), None) = (near.vpc.known(), far.vpc.known()) else { continue };
            if !self.network().peering_usable(id, vpc, self.world) {
                continue;
            }
            let blocks = intervals_of(&self.network().vpc_blocks(vpc, self.world), state.view.family);
            let mut part = self.keep(set, &state.view, state.view.destination, &blocks);
            // R-PCX-8, A-27: in the permissive world an unchecked guest over there may forge its source.
            if self.world == World::Under
                && !self.replying()
                && let Some(sources) = self.far_blocks(far, state.view.family)
            {
                part = self.keep(part, &state.view, state.view.source, &sources);
            }
            let next = state.at(Place::Deliver { vpc, from: None }).with_origin(Origin::Peering).tagged(tag);
            self.push(next, part);
        }
    }
}
