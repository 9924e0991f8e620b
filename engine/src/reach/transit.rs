//! Transit gateways: in, look up, out (section 13).

use reachproof_model::flow::{Protocol, World};
use reachproof_model::id::{AttachmentId, PolicyTableId, Ref, SubnetId, TgwId, TgwTableId, VpcId};
use reachproof_model::snapshot::PolicyEntry;

use super::explore::Explorer;
use super::index::TgwHop;
use super::open::Gate;
use super::state::{Place, State, Tag};
use super::view::{View, clamp, field_of, intervals_of};
use crate::header::{HeaderBox, Set};
use crate::network::{Crossing, LookUp, Origin, Sink, TgwTarget, unroutable};

impl Explorer<'_, '_, '_> {
    /// R-TGW-2: from a VPC into a transit gateway, by an attachment that serves the sender's zone.
    pub(super) fn transit_in(
        &mut self,
        tgw: TgwId,
        vpc: VpcId,
        from: Option<SubnetId>,
        state: &State,
        set: Set,
    ) {
        let network = self.network();
        let claimed = network.encryption_allows(vpc, None, self.world).value;
        if !claimed || self.avoids(&network.snapshot.transit_gateways[tgw].meta.id) {
            return;
        }
        // R-TGW-8: the zone picks the subnet on the other side; the permissive world takes all of them.
        let zone = from.filter(|_| self.world == World::Under).map(|subnet| self.index.zone_of(subnet));
        for by in network.tgw_attachments_of_vpc(tgw, vpc, self.world) {
            let next = State { zone, ..state.at(Place::Transit { by }) };
            match network.entry_subnets(by, from, self.world).value {
                None => {
                    let part = self.arena.intersection(set, self.permissively());
                    self.push(next, part);
                }
                Some(subnets) => {
                    for subnet in subnets {
                        let entered = self.enter_attachment(subnet, from, state, set);
                        self.push(next.clone(), entered);
                    }
                }
            }
        }
    }

    /// R-NACL-8, A-14: the ACL of the attachment subnet on the way in.
    fn enter_attachment(&mut self, subnet: SubnetId, from: Option<SubnetId>, state: &State, set: Set) -> Set {
        if from == Some(subnet) && self.world == World::Over {
            return set;
        }
        let acl = self.acl_in(subnet, &state.view);
        self.arena.intersection(set, acl)
    }

    /// Whether packets may not pass an attachment, or its transit gateway.
    fn avoids_attachment(&self, id: AttachmentId) -> bool {
        let attachment = self.network().attachment(id);
        let tgw: &str = match &attachment.tgw {
            Ref::Known(tgw) => &self.network().snapshot.transit_gateways[*tgw].meta.id,
            Ref::Missing(name) => name,
        };
        self.avoids(&attachment.meta.id) || self.avoids(tgw)
    }

    /// R-TGW-4, 5, 12: what came in by an attachment is looked up in that attachment's table.
    pub(super) fn look_up(&mut self, by: AttachmentId, state: &State, set: Set) {
        if self.avoids_attachment(by) {
            return;
        }
        let state = &self.told_apart(by, state);
        for look_up in self.network().look_ups(by, self.world).value {
            match look_up {
                LookUp::Table(table) => self.in_table(table, by, state, set),
                LookUp::Policy(policy) => self.by_policy(policy, by, state, set),
                LookUp::Unknown => self.out_anywhere(by, state, set),
            }
        }
    }

    /// R-SG-10: without the sender's identity where what comes by this attachment loses it at every other one. Checkers of
    /// certificates follow it to the end.
    fn told_apart(&self, by: AttachmentId, state: &State) -> State {
        let lost = !self.network().may_keep_identity_from(by, self.world) && !self.certifying;
        if lost { state.clone().tagged(Tag::None) } else { state.clone() }
    }

    fn in_table(&mut self, table: TgwTableId, by: AttachmentId, state: &State, set: Set) {
        let index = self.index;
        let Some(fib) = index.tgw_fib(table, state.view.family, self.world) else {
            let part = self.arena.intersection(set, self.permissively());
            return self.out_anywhere(by, state, part);
        };
        let known = fib.targets.iter().all(|(hop, _)| *hop != TgwHop::Any);
        if known && state.tag == Tag::None && !self.certifying {
            return self.push(state.at(Place::Table(table)), set);
        }
        for (hop, intervals) in &fib.targets {
            let part = self.keep(set, &state.view, state.view.destination, intervals);
            match hop {
                TgwHop::Attachment(to) => self.push(state.at(Place::Exit { by, to: *to }), part),
                TgwHop::Any => self.out_anywhere(by, state, part),
            }
        }
    }

    /// On from a table whose targets are all known: packets without an identity leave alike whatever they came by.
    pub(super) fn in_known_table(&mut self, table: TgwTableId, state: &State, set: Set) {
        let index = self.index;
        let Some(fib) = index.tgw_fib(table, state.view.family, self.world) else { return };
        for (hop, intervals) in &fib.targets {
            let TgwHop::Attachment(to) = *hop else { continue };
            let part = self.keep(set, &state.view, state.view.destination, intervals);
            self.push(state.at(Place::Exit { by: to, to }), part);
        }
    }

    /// R-TGW-15, R-DATA-3: by any attachment of the gateway, or out of the snapshot.
    fn out_anywhere(&mut self, by: AttachmentId, state: &State, set: Set) {
        if set.is_empty() {
            return;
        }
        let attachment = self.network().attachment(by);
        if let Some(tgw) = attachment.tgw.known() {
            for to in self.network().tgw_attachments(tgw, self.world) {
                self.push(state.at(Place::Exit { by, to }), set);
            }
        }
        for peering in self.network().peerings_towards(by) {
            self.push(state.at(Place::Transit { by: peering }).tagged(Tag::None), set);
        }
        self.leave_snapshot(Sink::Attachment(by), &attachment.meta.id, state, set);
    }

    /// R-TGW-12: entries in order; what cannot be read may match in the permissive world and ends the claim in the
    /// restrictive one.
    fn by_policy(&mut self, policy: PolicyTableId, by: AttachmentId, state: &State, set: Set) {
        let Some(entries) = &self.network().snapshot.policy_tables[policy].entries else {
            let part = self.arena.intersection(set, self.permissively());
            return self.out_anywhere(by, state, part);
        };
        let mut rest = set;
        for entry in entries {
            let [certain, possible] = self.policy_matches(entry, &state.view);
            let chosen = if self.world == World::Over { possible } else { certain };
            let here = self.arena.intersection(rest, chosen);
            match entry.table.known() {
                Some(table) => self.in_table(table, by, state, here),
                None => {
                    let part = self.arena.intersection(here, self.permissively());
                    self.out_anywhere(by, state, part);
                }
            }
            let done = if self.world == World::Over { certain } else { possible };
            rest = self.arena.difference(rest, done);
        }
    }

    /// R-TGW-12: what an entry matches for certain, and what it may match. That one with ports takes packets without any is
    /// not documented, nor that it does not.
    fn policy_matches(&mut self, entry: &PolicyEntry, view: &View) -> [Set; 2] {
        let whole: Vec<HeaderBox> = self.policy_box(entry, view).into_iter().collect();
        let ported: Vec<HeaderBox> = whole.iter().filter_map(|area| with_ports(entry, view, *area)).collect();
        let possible = self.arena.any_of(&whole);
        if entry.unreadable {
            return [Set::EMPTY, possible];
        }
        if entry.source_ports.is_none() && entry.ports.is_none() {
            return [possible, possible];
        }
        let having_ports = self.of_protocols(view, &[Protocol::TCP, Protocol::UDP]);
        let portless = self.arena.difference(possible, having_ports);
        let certain = self.arena.any_of(&ported);
        let certain = self.arena.intersection(certain, having_ports);
        [certain, self.arena.union(certain, portless)]
    }

    /// All but the ports of an entry.
    fn policy_box(&self, entry: &PolicyEntry, view: &View) -> Option<HeaderBox> {
        let mut area = self.all();
        if let Some(block) = &entry.sources {
            area = view.in_block(area, view.source, block)?;
        }
        if let Some(block) = &entry.destinations {
            area = view.in_block(area, view.destination, block)?;
        }
        match entry.protocol {
            Some(protocol) => view.protocol(area, protocol),
            None => Some(area),
        }
    }

    /// R-TGW-8, 10, 11: out of a transit gateway.
    pub(super) fn exit(&mut self, by: AttachmentId, to: AttachmentId, state: &State, set: Set) {
        let network = self.network();
        let id = &network.attachment(to).meta.id;
        if self.avoids_attachment(to) {
            return;
        }
        match network.tgw_target(to, self.world) {
            TgwTarget::Vpc { vpc, subnets } => self.enter_vpc(by, to, vpc, subnets.is_some(), state, set),
            TgwTarget::Peer(peer) => self.push(state.at(Place::Transit { by: peer }).tagged(Tag::None), set),
            TgwTarget::Outside => {
                self.leave_snapshot(Sink::Attachment(to), id, state, set);
                self.beyond_peering(to, state, set);
            }
            // a dead end in the restrictive world.
            TgwTarget::Component(component) => {
                let part = self.arena.intersection(set, self.permissively());
                self.arrive(Sink::Component(component), state, part);
            }
            TgwTarget::Down => {}
        }
    }

    /// R-TGW-15: an unknown transit gateway may lead to whatever is attached to it.
    fn beyond_peering(&mut self, peering: AttachmentId, state: &State, set: Set) {
        let part = self.arena.intersection(set, self.permissively());
        for other in self.network().beyond_peering(peering) {
            self.push(state.at(Place::Exit { by: other, to: other }).tagged(Tag::None), part);
        }
    }

    fn enter_vpc(
        &mut self,
        by: AttachmentId,
        to: AttachmentId,
        vpc: VpcId,
        known: bool,
        state: &State,
        set: Set,
    ) {
        let kept = self.same_gateway_keeps(by, to);
        let tag = if kept { state.tag } else { Tag::None };
        let next = state.clone().with_origin(Origin::Transit).tagged(tag);
        if !known {
            let part = self.arena.intersection(set, self.permissively());
            return self.enter_anywhere(to, vpc, &next, part);
        }
        if !self.enters_portal(Gate::Out(to, vpc), &next, set) {
            self.leave_transit(to, vpc, &next, set);
        }
    }

    /// R-TGW-2: into a VPC by the subnets of an attachment that serve the sender's zone.
    pub(super) fn leave_transit(&mut self, to: AttachmentId, vpc: VpcId, state: &State, set: Set) {
        for subnet in self.network().exit_subnets(to, state.zone, self.world) {
            self.leave_attachment(subnet, vpc, state, set);
        }
    }

    /// R-TGW-8, R-DATA-3: by an attachment whose subnets are not known, so that nothing can be said of their ACLs.
    fn enter_anywhere(&mut self, to: AttachmentId, vpc: VpcId, state: &State, set: Set) {
        self.push(state.at(Place::Deliver { vpc, from: None }), set);
        for (table, from) in self.network().possible_exits(to, vpc) {
            self.push(state.at(Place::Route { table, vpc, from }), set);
        }
    }

    fn same_gateway_keeps(&self, by: AttachmentId, to: AttachmentId) -> bool {
        let tgw = self.network().attachment(by).tgw.known();
        let same = tgw == self.network().attachment(to).tgw.known();
        same && tgw
            .is_some_and(|tgw| self.network().keeps_identity(Crossing::Transit(tgw, by, to), self.world))
    }

    /// R-TGW-8, R-NACL-8: from an attachment subnet onward; where the destination is in that very subnet its ACL is
    /// documented not to apply, which the restrictive world does not rely on.
    fn leave_attachment(&mut self, subnet: SubnetId, vpc: VpcId, state: &State, set: Set) {
        let link = self.link_of(subnet, state.view.family);
        let on_link = self.keep(set, &state.view, state.view.destination, &link);
        let off_link = self.arena.difference(set, on_link);
        let out = self.acl_out(subnet, &state.view);
        let near = match self.world {
            World::Over => on_link,
            World::Under => {
                let back = self.acl_in(subnet, &state.view);
                let both = self.arena.intersection(out, back);
                self.arena.intersection(on_link, both)
            }
        };
        let far = self.arena.intersection(off_link, out);
        let passed = self.arena.union(near, far);
        for table in self.network().tables_of_subnet(subnet, self.world).value {
            self.push(state.at(Place::Route { table, vpc, from: Some(subnet) }), passed);
        }
        if self.world == World::Over {
            let refused = self.arena.difference(off_link, out);
            self.pass_within(subnet, vpc, state, refused);
        }
    }

    /// R-NACL-8, A-14: to what the attachment subnet's table names in that very subnet, no ACL is evaluated.
    fn pass_within(&mut self, subnet: SubnetId, vpc: VpcId, state: &State, set: Set) {
        let never = intervals_of(&unroutable(self.world), state.view.family);
        let set = self.without(set, &state.view, state.view.destination, &never);
        for choice in self.network().tables_of_subnet(subnet, self.world).value {
            for (hop, intervals) in self.targets_of(choice, vpc, state.view.family) {
                if self.network().may_lie_in(hop, subnet) {
                    let part = self.keep(set, &state.view, state.view.destination, &intervals);
                    self.follow(hop, vpc, Some(subnet), state, part);
                }
            }
        }
    }

    /// In from the network behind an attachment: on premises, an unknown peer, or a gateway whose tables are unknown.
    pub(super) fn come_from_attachment(&mut self, attachment: AttachmentId, state: &State, set: Set) {
        let network = self.network();
        if network.tgw_target(attachment, self.world) == TgwTarget::Down {
            return;
        }
        if self.avoids_attachment(attachment) {
            return;
        }
        let foreign = network.has_strangers(network.attachment(attachment));
        match network.attached_vpc(attachment) {
            // what a transit gateway with unknown tables sends is unknown.
            Some(_) if foreign && self.world == World::Under => {}
            Some(vpc) if foreign => {
                let known = network.attachment_subnets(attachment).is_some();
                self.enter_vpc(attachment, attachment, vpc, known, state, set);
            }
            _ => self.push(state.at(Place::Transit { by: attachment }), set),
        }
    }
}

/// The part of a box with the ports of an entry.
fn with_ports(entry: &PolicyEntry, view: &View, mut area: HeaderBox) -> Option<HeaderBox> {
    if let Some((lo, hi)) = entry.source_ports {
        area = clamp(area, field_of(view.source_port), lo.into(), hi.into())?;
    }
    match entry.ports {
        Some((lo, hi)) => clamp(area, field_of(view.port), lo.into(), hi.into()),
        None => Some(area),
    }
}
