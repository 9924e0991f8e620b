//! Answers to packets that arrive: where they start, what they pass, and where one may be back (section 18).
//!
//! An answer is followed as it is seen: from an address that was meant to one that may have sent. Groups let it pass
//! (R-SG-13), NAT gateways do not take it (R-CONN-4); one that they translate back is of a packet that they translated, and
//! such a packet is not followed in the first place (`Aim::Unfollowed`).
//!
//! INVARIANT (never finer): what may be an answer to some packet between the pairs is followed here.

use std::collections::BTreeSet;

use reachproof_model::certificate::{Area, Family, Origin, Place, Traffic};
use reachproof_model::id::{AttachmentId, EndpointId, EniId, Ref};
use reachproof_model::snapshot::Exit;
use reachproof_model::traffic::ICMP_ERRORS;

use crate::Rejection;
use crate::area::{Interval, among, common, destined, sent_from, tidy_intervals};
use crate::filter::of_traffic;
use crate::gateway::Kind;
use crate::name::place_name;
use crate::net::Net;
use crate::part::{Addresses, Aim, Ends};
use crate::state::{Role, role};
use crate::transit::LookUp;
use crate::walk::{At, Walk};

/// The most boxes of an end by which answers are narrowed down where they start; with more any header starts.
const NARROWED: usize = 32;

/// What answers may be to.
#[derive(Clone)]
pub(crate) struct Answers {
    /// The addresses that may have sent, as they are seen where packets arrive.
    asking: Addresses,
    /// The addresses outside of the snapshot that may have sent; an answer that leaves by any way may find them.
    outside: Addresses,
}

impl Answers {
    /// Answers to packets from these places.
    pub(crate) fn to(net: &Net<'_>, sources: &Ends) -> Result<Self, Rejection> {
        if net.has_pools() {
            return Err(Rejection::of(
                "cannot check answers where whole pools are routed to interfaces (A-13)",
            ));
        }
        let (mut asking, mut outside) = (Addresses::default(), Addresses::default());
        for (place, meant) in sources {
            if matches!(place, Place::Interface(id) if net.is_relay(*id)) {
                let place = place_name(net, place);
                return Err(Rejection::of(format!(
                    "cannot check by which ways answers get to {place} (A-32)"
                )));
            }
            let own = |family| match place {
                Place::Interface(id) => net.sent_by(*id, family, meant.of(family)),
                _ => meant.of(family).to_vec(),
            };
            let (mut v4, v6) = (own(Family::V4), own(Family::V6));
            v4.extend(net.public_of(&v4));
            net.work.spend(v4.len() + v6.len());
            if is_outside(place) {
                outside.v4.extend(&v4);
                outside.v6.extend(&v6);
            }
            asking.v4.extend(v4);
            asking.v6.extend(v6);
        }
        let [asking, outside] =
            [asking, outside].map(|all| Addresses { v4: tidy_intervals(all.v4), v6: tidy_intervals(all.v6) });
        Ok(Self { asking, outside })
    }

    /// Whether anybody may have sent packets of a family.
    pub(crate) fn is_asked(&self, family: Family) -> bool {
        !self.asking.of(family).is_empty()
    }

    /// The headers of answers, ICMP errors included.
    pub(crate) fn traffic(asked: &Traffic) -> Traffic {
        let of = |areas: &[Area]| {
            let each: BTreeSet<Area> = areas.iter().flat_map(answers_to).collect();
            each.into_iter().collect()
        };
        Traffic { v4: of(&asked.v4), v6: of(&asked.v6), translated: Vec::new() }
    }

    /// The addresses at which an answer is back, at a place where the snapshot ends.
    pub(crate) fn back_at(&self, place: &Place) -> Option<&Addresses> {
        is_outside(place).then_some(&self.outside)
    }
}

/// Whether a place is a network that no answer describes.
fn is_outside(place: &Place) -> bool {
    matches!(place, Place::Internet | Place::Gateway { .. } | Place::Attachment(_) | Place::Peer(_))
}

/// The requests of ICMP and of ICMPv6 that have an answer, and its type.
const REQUESTS: [(u8, u16, u16); 5] = [(1, 8, 0), (1, 13, 14), (1, 15, 16), (1, 17, 18), (58, 128, 129)];

/// R-CONN-5, R-SG-17: of ICMP only requests have an answer; an error may be about anything, whatever its protocol.
fn answers_to(area: &Area) -> Vec<Area> {
    let others = [(0, 0), (2, 57), (59, u8::MAX)];
    let others = others.into_iter().filter_map(|part| common(area.protocol, part));
    let turned = others.map(|protocol| Area {
        protocol,
        port: area.source_port,
        source_port: area.port,
        ..ends(area)
    });
    let asked = |(protocol, request, _): &(u8, u16, u16)| {
        common(area.protocol, (*protocol, *protocol)).is_some()
            && common(area.port, (*request, *request)).is_some()
    };
    let icmp = REQUESTS.into_iter().filter(asked).map(|(protocol, _, answer)| Area {
        protocol: (protocol, protocol),
        port: (answer, answer),
        ..ends(area)
    });
    let any = Area { protocol: (0, u8::MAX), port: (0, u16::MAX), source_port: (0, u16::MAX), ..ends(area) };
    let errors = ICMP_ERRORS.into_iter().filter_map(|error| of_traffic(&any, error));
    turned.chain(icmp).chain(errors).collect()
}

/// The same with its ends the other way round.
fn ends(area: &Area) -> Area {
    Area { source: area.destination, destination: area.source, ..*area }
}

impl Walk<'_, '_> {
    /// What of some boxes may be an answer, where it starts. All of it, if telling would take long.
    pub(crate) fn starting(&self, areas: Vec<Area>) -> Vec<Area> {
        let part = self.ground.part;
        let Some(answers) = part.answering() else { return areas };
        let (asking, traffic) = (answers.asking.of(self.sent), part.traffic.seen(self.sent, self.sent));
        self.net.work.spend(areas.len() * asking.len().min(NARROWED) * traffic.len().min(NARROWED));
        let areas = if asking.len() > NARROWED { areas } else { destined(&areas, asking) };
        if traffic.len() > NARROWED { areas } else { among(&areas, traffic) }
    }

    /// R-SG-13: what an interface's groups let in of some boxes, if anything: answers pass.
    pub(crate) fn admits(&self, id: EniId, at: &At, areas: &[Area]) -> bool {
        let part = self.ground.part;
        match part.answering() {
            Some(_) => !areas.is_empty(),
            None => self.net.admits(id, &at.sender, areas, at.family, part.answers),
        }
    }

    /// R-BPA-4: whether an internet gateway lets packets in to an interface; answers belong to what was let out.
    pub(crate) fn may_be_entered(&self, id: EniId) -> bool {
        if self.is_answer() { self.net.live(id) } else { self.net.may_be_entered(id) }
    }

    pub(crate) fn is_answer(&self) -> bool {
        self.ground.part.answering().is_some()
    }

    /// Where packets may arrive as long as their answers can be followed, those of which they cannot: all that comes by a
    /// component, is of another family, or may have been translated.
    pub(crate) fn unfollowed(&self, at: &At, areas: &[Area]) -> Vec<Area> {
        if !self.may_be_followed(at) {
            return areas.to_vec();
        }
        self.net.work.spend(areas.len() * self.ground.translators.len());
        sent_from(areas, &self.ground.translators)
    }

    /// Whether what arrives is followed unless a NAT gateway sent it.
    pub(crate) fn may_be_followed(&self, at: &At) -> bool {
        matches!(self.ground.part.aim, Aim::Unfollowed) && self.of_source && at.family == self.sent
    }

    /// R-EIGW-1: answers from the internet come in by an egress-only gateway, too.
    pub(crate) fn answers_by_egress_only(&mut self, at: &At, areas: &[Area]) {
        let net = self.net;
        if at.family != Family::V6 || !self.is_answer() {
            return;
        }
        for gateway in net.gateways.iter().filter(|row| row.kind == Kind::EgressOnly) {
            let there = destined(areas, &net.public_v6(gateway.vpc, false));
            self.deliver(gateway.vpc, None, &at.from(Origin::Internet), &there);
        }
    }

    /// R-VPCE-3, A-32: from a gateway endpoint, into the client's subnet.
    pub(crate) fn start_service(&mut self, id: EndpointId, at: &At, areas: &[Area]) {
        if let Some(vpc) = self.net.s.endpoints[id].vpc.known() {
            self.deliver(vpc, None, &at.from(Origin::Internet), areas);
        }
    }
}

impl Net<'_> {
    /// The addresses from which an interface sends, of those that are meant.
    fn sent_by(&self, id: EniId, family: Family, meant: &[Interval]) -> Vec<Interval> {
        let own = self.may_send_from(id, family);
        own.iter().flat_map(|own| meant.iter().filter_map(move |meant| common(*own, *meant))).collect()
    }

    /// R-IGW-2: the public addresses that an internet gateway may make of private ones, whoever they are associated with.
    fn public_of(&self, private: &[Interval]) -> Vec<Interval> {
        self.work.spend(private.len() * self.associations.len());
        let is_one = |address: u128| private.iter().any(|(lo, hi)| (*lo..=*hi).contains(&address));
        let rows = self.associations.iter().filter(|row| is_one(row.private));
        rows.map(|row| (row.public, row.public)).collect()
    }

    /// The addresses with which a NAT gateway's packets may be seen.
    pub(crate) fn translators(&self) -> Vec<Interval> {
        let own: Vec<u128> = self.s.nat_gateways.ids().flat_map(|id| self.nat_addresses(id)).collect();
        let public = self.associations.iter().filter(|row| own.contains(&row.private)).map(|row| row.public);
        own.iter().copied().chain(public).map(|address| (address, address)).collect()
    }

    /// An error where nobody knows how answers to some places start at one, or which way they take.
    pub(crate) fn require_answerable(&self, place: &Place, askers: &Ends) -> Result<(), Rejection> {
        let followed = match place {
            Place::Interface(id) => role(self.interface(*id)) == Role::Plain && !self.is_relay(*id),
            Place::Internet | Place::Gateway { .. } => true,
            Place::Attachment(id) => self.is_plain(*id),
            Place::Service(_) => askers.keys().all(|asker| matches!(asker, Place::Interface(_))),
            Place::Peer(_) | Place::Component(_) | Place::Unseen(_) => false,
        };
        if followed {
            Ok(())
        } else {
            let place = place_name(self, place);
            Err(Rejection::of(format!("cannot check where answers of {place} get to")))
        }
    }

    /// Whether an interface is one of an endpoint, whatever its own record says, or of an unmodelled component: answers may come
    /// back by ways of their own (R-CONN-3).
    fn is_relay(&self, id: EniId) -> bool {
        let is_exit = |exit: &Exit| matches!(exit, Exit::Interface { interface, .. } if *interface == id);
        let mut endpoints = self.s.endpoints.values();
        self.work.spend(self.s.endpoints.len());
        endpoints.any(|row| row.interfaces.contains(&Ref::Known(id)))
            || !self.behind(id).is_empty()
            || self.components.values().any(|row| row.exits.iter().any(is_exit))
    }

    /// Whether the network behind an attachment answers by it, and it is known where to.
    fn is_plain(&self, id: AttachmentId) -> bool {
        let record = self.attachment(id);
        let opaque = matches!(&*record.kind, "peering" | "vpc") || self.attached_vpc(id).is_some();
        let strange = self.has_unknown_tables(record) || self.look_ups(id).contains(&LookUp::Unknown);
        !opaque && !strange
    }
}
