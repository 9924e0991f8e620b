//! Replies: whether a delivered packet's answer finds its way back (section 18).

use reachproof_model::flow::{Protocol, World};
use reachproof_model::id::{EniId, SubnetId};

use super::explore::{Arrival, Explorer, Goal};
use super::open::Door;
use super::state::{Place, State, Tag};
use super::view::{Address, View, clamp, intervals_of};
use crate::header::{Field, HeaderBox, Set};
use crate::network::{Origin, Role, Sink, SourcePlace, SpecialBlock};

impl Explorer<'_, '_, '_> {
    /// The sent headers of an arrival whose reply comes back to the sender.
    pub(super) fn answered(&mut self, source: SourcePlace, arrival: &Arrival, set: Set) -> Set {
        let answerable = self.answerable(arrival);
        let set = self.arena.intersection(set, answerable);
        // what comes back to a component is not known.
        if matches!(source, SourcePlace::Component(_)) {
            return if self.world == World::Over { set } else { Set::EMPTY };
        }
        self.reset();
        self.goal = Some(Goal { place: source });
        self.start_reply(arrival, set);
        self.run();
        self.goal = None;
        let answered = std::mem::replace(&mut self.answered, Set::EMPTY);
        self.reset();
        self.arena.intersection(answered, set)
    }

    /// R-CONN-5, R-VPCE-6: what is answered at all: of ICMP only requests; interface endpoints answer TCP and UDP.
    pub(super) fn answerable(&mut self, arrival: &Arrival) -> Set {
        let is_endpoint = |id: EniId| Role::of(self.network().interface(id)) == Role::Endpoint;
        if matches!(arrival.sink, Sink::Interface(id) if is_endpoint(id)) {
            return self.of_protocols(&View::sent(self.family), &[Protocol::TCP, Protocol::UDP]);
        }
        let any_icmp = self.of_protocols(&View::sent(self.family), &[Protocol::ICMP, Protocol::ICMPV6]);
        let requests = self.requests();
        let others = self.arena.complement(any_icmp);
        self.arena.union(others, requests)
    }

    /// The ICMP messages that have an answer, as sent.
    fn requests(&mut self) -> Set {
        let all = self.all();
        let of = |protocol: Protocol, kind: u16| {
            let area = clamp(all, Field::Protocol, protocol.0.into(), protocol.0.into())?;
            clamp(area, Field::Port, kind.into(), kind.into())
        };
        let icmp = [8, 13, 15, 17].map(|kind| of(Protocol::ICMP, kind));
        let boxes: Vec<HeaderBox> = icmp.into_iter().chain([of(Protocol::ICMPV6, 128)]).flatten().collect();
        self.arena.any_of(&boxes)
    }

    /// R-CONN-3, R-PCX-5: the way back starts where the packet arrived; what needs no route says so itself.
    fn start_reply(&mut self, arrival: &Arrival, set: Set) {
        let mut state = arrival.state.clone().seen(arrival.state.view.answered()).tagged(Tag::None);
        state.origin = Origin::Local;
        state.zone = None;
        match arrival.sink {
            Sink::Interface(interface) => {
                self.push(state.at(Place::Send(interface)), set);
                self.return_to_sender(arrival.sink, &state, set);
            }
            Sink::Internet => self.push(state.at(Place::Internet), set),
            Sink::Gateway(gateway) => self.push(state.at(Place::In { gateway }), set),
            Sink::Attachment(attachment) => {
                self.reply_from_attachment(attachment, &state, set);
                self.return_to_sender(arrival.sink, &state, set);
            }
            Sink::Peer(_) | Sink::Unseen(_) | Sink::Component(_) => self.answer(set, World::Over),
            Sink::Service(_) => self.reply_from_service(&state, set),
            Sink::Infrastructure(_) => self.answered = self.arena.union(self.answered, set),
        }
    }

    /// Counts headers as answered if the world is the given one.
    fn answer(&mut self, set: Set, world: World) {
        if self.world == world {
            self.answered = self.arena.union(self.answered, set);
        }
    }

    /// From on premises the reply is looked up like any packet; what an unknown gateway does is unknown.
    fn reply_from_attachment(
        &mut self,
        attachment: reachproof_model::id::AttachmentId,
        state: &State,
        set: Set,
    ) {
        let record = self.network().attachment(attachment);
        let opaque = self.network().attached_vpc(attachment).is_some() || &*record.kind == "peering";
        if opaque {
            return self.answer(set, World::Over);
        }
        self.push(state.at(Place::Transit { by: attachment }), set);
    }

    /// R-VPCE-3, A-32: a gateway endpoint's answers come back by the endpoint; the client's subnet filters them.
    fn reply_from_service(&mut self, state: &State, set: Set) {
        if let Some(home) = self.zonal_nat(state) {
            let entered = self.enter(home, None, state, set);
            return self.undo_nat(state, entered);
        }
        let client = match self.goal {
            Some(Goal { place: SourcePlace::Interface(interface) }) if state.nats.is_empty() => interface,
            _ => return self.answer(set, World::Over),
        };
        for (client, sent) in self.clients(client) {
            let set = self.arena.intersection(set, sent);
            for subnet in self.network().subnets_of(client) {
                let entered = self.enter(subnet, None, state, set);
                self.answered = self.arena.union(self.answered, entered);
            }
        }
    }

    /// The subnet of the NAT gateway that translated the packet last, if it has one.
    fn zonal_nat(&self, state: &State) -> Option<SubnetId> {
        let nat = self.network().nat(Self::last_nat(state)?.nat)?;
        nat.subnet.filter(|_| !nat.regional)
    }

    /// A reply at an interface: the sender's, a translator's, or a stranger's.
    pub(super) fn receive_reply(&mut self, interface: EniId, state: &State, set: Set) {
        let network = self.network();
        if let Some(crossed) = Self::last_nat(state) {
            let sources = network.nat_sources(crossed.nat, self.world);
            let at = sources.get(usize::from(crossed.source)).and_then(|source| source.interface);
            if at == Some(interface) {
                return self.undo_nat(state, set);
            }
        }
        if self.open.is_some() {
            let own = self.own_intervals(interface, state.view.family);
            let home = self.keep(set, &state.view, state.view.destination, &own);
            self.note(Door::Interface(interface), state, home);
        }
        let from_interface = matches!(self.goal, Some(Goal { place: SourcePlace::Interface(_) }));
        if from_interface && self.senders.contains(&interface) {
            // A route may lead it to another interface of the class, which is not the sender.
            let own = self.own_intervals(interface, state.view.family);
            let home = self.keep(set, &state.view, state.view.destination, &own);
            let back = self.back_at_sender(&state.view, home);
            self.answered = self.arena.union(self.answered, back);
        }
        if self.world == World::Over && !network.components_at(interface).is_empty() {
            self.answered = self.arena.union(self.answered, set);
        }
    }

    /// R-CONN-1: the replies that come from the address that was sent to, to the address that was sent from.
    pub(super) fn back_at_sender(&mut self, view: &View, set: Set) -> Set {
        let from = self.same_address(view, view.source, Address::Destination);
        let to = self.same_address(view, view.destination, Address::Source);
        let both = self.arena.intersection(from, to);
        self.arena.intersection(set, both)
    }

    /// The sent headers for which a seen address is this field of the sent header.
    fn same_address(&mut self, view: &View, seen: Address, field: Address) -> Set {
        match seen {
            _ if seen == field && view.family == view.sent => Set::FULL,
            Address::Fixed(value) if view.family == view.sent => self.among(view, field, &[(value, value)]),
            _ => Set::EMPTY,
        }
    }

    /// A reply on the internet: home, or in by the gateway it belongs to. In the permissive world it may lead home to another
    /// network, too (R-CONN-4).
    pub(super) fn reply_on_internet(&mut self, state: &State, set: Set) {
        if self.goal == Some(Goal { place: SourcePlace::Internet }) {
            let back = self.back_at_sender(&state.view, set);
            self.answered = self.arena.union(self.answered, back);
        }
        if let Some(gateway) = state.egress {
            self.push(State { egress: None, ..state.at(Place::In { gateway }) }, set);
        }
        self.enter_gateways(state, set);
        let ours = self.our_addresses(state.view.family);
        if self.world == World::Over && self.goal.is_some_and(|goal| is_outside(goal.place)) {
            let nowhere = [SpecialBlock::PrivateV4.blocks(), SpecialBlock::PrivateV6.blocks()].concat();
            let nowhere = [ours, intervals_of(&nowhere, state.view.family)].concat();
            let beyond = self.without(set, &state.view, state.view.destination, &nowhere);
            let back = self.back_at_sender(&state.view, beyond);
            self.answered = self.arena.union(self.answered, back);
        }
    }

    /// R-CONN-4: a reply that leaves the snapshot: home iff the packet came from there. In the permissive world any exit may
    /// lead home to a sender outside the snapshot, as long as the addresses are right.
    pub(super) fn reply_left(&mut self, sink: Sink, state: &State, set: Set) {
        let Some(goal) = self.goal else { return };
        let by_the_same = match (sink, goal.place) {
            (Sink::Gateway(left), SourcePlace::Gateway(came)) => left == came,
            (Sink::Attachment(left), SourcePlace::Attachment(came)) => left == came,
            (Sink::Peer(left), SourcePlace::Peer(came)) => left == came,
            _ => false,
        };
        let home = by_the_same || self.world == World::Over && is_outside(goal.place);
        if home {
            let back = self.back_at_sender(&state.view, set);
            self.answered = self.arena.union(self.answered, back);
        }
    }

    /// A reply that enters what is not modelled may come back in the permissive world.
    pub(super) fn reply_unseen(&mut self, sink: Sink, set: Set) {
        if matches!(sink, Sink::Component(_) | Sink::Unseen(_)) {
            self.answer(set, World::Over);
        }
    }
}

/// Whether a source is a network outside the snapshot.
fn is_outside(place: SourcePlace) -> bool {
    matches!(
        place,
        SourcePlace::Internet | SourcePlace::Gateway(_) | SourcePlace::Attachment(_) | SourcePlace::Peer(_)
    )
}
