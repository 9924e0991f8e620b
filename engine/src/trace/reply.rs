//! The way back (section 18).

use reachproof_model::flow::{Flow, World};
use reachproof_model::id::{AttachmentId, EniId};

use super::Tracer;
use super::leg::{Branch, Leg};
use super::packet::Packet;
use super::place::{Memory, Place, State};
use super::walk::{End, Ways};
use crate::evidence::HopKind;
use crate::network::{LookUp, Origin, Role, Sink, SourcePlace, TgwTarget};

/// What is known of the answer to one delivered packet.
#[derive(Debug)]
pub(super) enum Reply {
    /// It comes back, or does not, for a reason that needs no walk.
    Known(bool),
    /// It takes one of these ways.
    Walked(Ways),
}

impl Tracer<'_, '_> {
    /// R-CONN-1, R-CONN-2: the answer to what ended well at `end`.
    pub(super) fn reply(&self, end: &End) -> Reply {
        // what comes out of a component may be anything, whatever went in.
        if end.state.memory.opaque {
            return Reply::Known(self.world == World::Over);
        }
        if self.expected.is_none() {
            return Reply::Known(false);
        }
        let header = end.state.packet.flow().and_then(|flow| flow.reply());
        let (Some(header), Some(sink)) = (header, end.sink) else { return Reply::Known(false) };
        if matches!(sink, Sink::Interface(interface) if !self.answers(interface, &header)) {
            return Reply::Known(false);
        }
        // what comes back to a component is not known.
        if matches!(self.sender, SourcePlace::Component(_)) {
            return Reply::Known(self.world == World::Over);
        }
        self.reply_from(sink, end, &header)
    }

    /// R-CONN-3, R-PCX-5: the way back starts where the packet arrived; what needs no route says so itself.
    fn reply_from(&self, sink: Sink, end: &End, header: &Flow) -> Reply {
        let start = |place, origin| vec![self.answer(end, header, place, origin).to(place)];
        let ways = match sink {
            Sink::Interface(interface) => {
                let mut ways = start(Place::Sending { interface, by_component: false }, Origin::Local);
                ways.extend(self.returned_to_sender(end, header, interface));
                ways
            }
            Sink::Internet => start(Place::Internet, Origin::Internet),
            Sink::Gateway(gateway) => start(Place::VirtualIn(gateway), Origin::Virtual),
            Sink::Attachment(attachment) if self.is_plain(attachment) => {
                let mut ways = start(Place::LookUp(attachment), Origin::Transit);
                ways.extend(self.returned_from_outside(end, header, attachment));
                ways
            }
            // R-VPCE-3: what comes from outside of the endpoint's VPC; by which way it is answered nothing says.
            Sink::Service(_) if self.is_stranger_to_service(end) => {
                return Reply::Known(self.world == World::Over);
            }
            Sink::Service(endpoint) => match self.network.snapshot.endpoints[endpoint].vpc.known() {
                Some(vpc) => start(Place::Router { vpc, from: None }, Origin::Internet),
                None => return Reply::Known(false),
            },
            Sink::Infrastructure(_) => return Reply::Known(true),
            Sink::Attachment(_) | Sink::Peer(_) | Sink::Unseen(_) | Sink::Component(_) => {
                return Reply::Known(self.world == World::Over);
            }
        };
        // In the permissive world one way back is enough.
        Reply::Walked(self.explore_until(ways, |end| self.world == World::Over && self.is_back(end)))
    }

    /// Whether neither an interface nor a NAT gateway sent the packet to the gateway endpoint.
    fn is_stranger_to_service(&self, end: &End) -> bool {
        !matches!(self.sender, SourcePlace::Interface(_)) && end.state.memory.mappings.is_empty()
    }

    fn answer(&self, end: &End, header: &Flow, place: Place, origin: Origin) -> Leg {
        let memory = Memory { opaque: false, ..end.state.memory.clone() };
        let state = State { reply: true, memory, ..State::new(place, Packet::of(header), origin) };
        Leg::new(state, self.example)
    }

    /// R-VPCE-6: endpoints answer TCP and UDP alone.
    fn answers(&self, interface: EniId, header: &Flow) -> bool {
        Role::of(self.network.interface(interface)) != Role::Endpoint || header.protocol.has_ports()
    }

    /// Whether the network behind an attachment is one that answers by the same attachment.
    fn is_plain(&self, id: AttachmentId) -> bool {
        let attachment = self.network.attachment(id);
        let known = !self.network.look_ups(id, self.world).value.contains(&LookUp::Unknown);
        let onprem = &*attachment.kind != "peering" && &*attachment.kind != "vpc";
        let outside = self.network.tgw_target(id, World::Over) == TgwTarget::Outside;
        onprem && outside && known && !self.network.has_unknown_tables(attachment)
    }

    /// R-NAT-6, A-32: through a peering connection an answer finds the NAT gateway without a route; that it does not
    /// elsewhere is not said. Lists still count.
    fn returned_to_sender(&self, end: &End, header: &Flow, interface: EniId) -> Vec<Branch> {
        let subnets = self.network.subnets_of(interface).into_iter();
        let ways = subnets.filter_map(|subnet| {
            let mut leg = self.to_translator(end, header)?;
            leg.visit(HopKind::Interface, self.name(interface));
            self.leaves(&mut leg, subnet).then(|| self.enter_translator(leg))?
        });
        ways.collect()
    }

    /// As [`Self::returned_to_sender`], from a network behind a transit gateway.
    fn returned_from_outside(&self, end: &End, header: &Flow, attachment: AttachmentId) -> Vec<Branch> {
        let leg = self.to_translator(end, header).and_then(|mut leg| {
            leg.visit(HopKind::Outside, &self.network.attachment(attachment).meta.id);
            self.enter_translator(leg)
        });
        leg.into_iter().collect()
    }

    /// An answer that may find the NAT gateway that translated the packet last, in the permissive world.
    fn to_translator(&self, end: &End, header: &Flow) -> Option<Leg> {
        let mapping = end.state.memory.mappings.last().filter(|_| self.world == World::Over)?;
        let place = Place::NatReturn { nat: mapping.nat, from: None };
        let mut leg = self.answer(end, header, place, Origin::Peering);
        leg.assume(&[32]);
        Some(leg)
    }

    fn enter_translator(&self, mut leg: Leg) -> Option<Branch> {
        let Place::NatReturn { nat, .. } = leg.state.place else { return None };
        let entry = self.network.nat(nat).and_then(|nat| nat.subnet);
        let place = leg.state.place;
        entry.is_none_or(|entry| self.enters(&mut leg, entry)).then(|| leg.to(place))
    }

    /// R-CONN-1: whether a reply has come to the party that asked, with the address that it had asked. One that enters
    /// what the snapshot does not show may get there in the permissive world; so may one that leaves the snapshot by
    /// another way than the packet came in (R-CONN-4, A-32).
    pub(super) fn is_back(&self, end: &End) -> bool {
        let Some(expected) = &self.expected else { return false };
        if matches!(end.sink, Some(Sink::Component(_) | Sink::Unseen(_))) {
            return self.world == World::Over;
        }
        let outside =
            |sink| matches!(sink, Sink::Internet | Sink::Gateway(_) | Sink::Attachment(_) | Sink::Peer(_));
        let party = match (self.sender, end.sink) {
            (SourcePlace::Interface(asked), Some(Sink::Interface(reached))) => asked == reached,
            (SourcePlace::Internet, Some(Sink::Internet)) => true,
            (SourcePlace::Gateway(asked), Some(Sink::Gateway(reached))) if asked == reached => true,
            (SourcePlace::Attachment(asked), Some(Sink::Attachment(reached))) if asked == reached => true,
            (SourcePlace::Peer(asked), Some(Sink::Peer(reached))) if asked == reached => true,
            (SourcePlace::Interface(_) | SourcePlace::Component(_), _) | (_, None) => false,
            (_, Some(sink)) => self.world == World::Over && outside(sink),
        };
        party && end.state.packet.may_be(expected)
    }

    /// Whether a reply on the internet is already with the party that asked.
    pub(super) fn is_back_at(&self, state: &State, place: Place) -> bool {
        let asked = state.reply && place == Place::Internet && self.sender == SourcePlace::Internet;
        asked && self.expected.is_some_and(|expected| state.packet.may_be(&expected))
    }
}
