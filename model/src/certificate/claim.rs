//! What a certificate claims, in terms of the snapshot alone.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{Area, Family};
use crate::assumption::Assumptions;
use crate::flow::Question;
use crate::id::{AttachmentId, EndpointId, EniId, GroupId, PeeringId, SubnetId, VpcId};

/// Nothing passes: in no direction does a packet with headers of its traffic get from a source to a destination, or, if the
/// question is of connections, also its answer back; but for what waivers accept, of which nothing is claimed.
///
/// This is what forbidding forms come to once their selectors are resolved. A packet that does not arrive is not answered
/// either, so a claim about packets covers both questions (R-VERDICT-1).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Claim {
    /// The name of the property.
    pub property: Box<str>,
    /// The keyword of its form.
    pub form: Box<str>,
    /// What it asks.
    pub question: Question,
    /// The property as it stands in the policy, in one form: [`super::statement`].
    pub statement: Box<str>,
    /// Whether only live interfaces count (R-STATE-2).
    pub live_only: bool,
    /// The interfaces that do not exist and are supposed beside those of the snapshot, ascending.
    pub supposed: Vec<Supposed>,
    /// What does not pass.
    pub directions: Vec<Direction>,
    /// The waivers that accept some of it.
    pub waivers: Vec<Waiving>,
    /// What the verdict rests on (R-VERDICT-3).
    pub assumptions: Assumptions,
    /// The same in words, where there is more to say.
    pub notes: Vec<Box<str>>,
}

/// An interface that does not exist (`new:`): at any free address of a subnet.
///
/// In the terms of a certificate it is one interface with all of them, which are delegated to it. Behind the interfaces of the
/// snapshot come those that a claim supposes, in its order; behind the groups, for each VPC in which one without groups is
/// supposed, in the order of the first of these, a group that allows everything. A public address is associated with the
/// first free IPv4 address: the first of 198.18.0.1 … 198.18.255.254, without those that end in 0 or 255, that nothing else has.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Supposed {
    /// Its subnet.
    pub subnet: SubnetId,
    /// Its groups, ascending; none for one that allows everything.
    pub groups: Vec<GroupId>,
    /// Whether it has a public address.
    pub public: bool,
}

/// A waiver as it stands in the policy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Waiving {
    /// The ends that it is about, as they were written: [`super::waiver_statement`].
    pub statement: Box<str>,
    /// Who answers for it.
    pub owner: Box<str>,
    /// Why.
    pub why: Box<str>,
    /// The last day it applies, as ISO 8601.
    pub until: Box<str>,
}

/// Packets of one direction: from these places, sent from these addresses, to those.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Pairs {
    /// The sources with the addresses that are meant there, ascending by place. Other interfaces of the sources' instances may
    /// be among them (R-MBX-10).
    pub sources: Vec<(Place, Vec<IpNet>)>,
    /// The destinations with the addresses that are meant there, ascending by place.
    pub destinations: Vec<(Place, Vec<IpNet>)>,
}

/// From where nothing gets where.
///
/// Pairs part it. It is one part at first; the pairs that a waiver accepts make of every part two, what sends from elsewhere
/// and, of the rest, what is for elsewhere. Parts without sources or destinations are none, unless nothing parts it at all.
///
/// A connection is none without an answer (R-CONN-1). So where the claim is about connections, pairs that packets pass between
/// and no answers are listed: they part every part again, and for each list two proofs stand behind those of the parts. In one of
/// them packets may arrive, though only so that their answers can be followed; in the other nothing that the
/// destinations answer gets back.
///
/// Where replies count, all of this is proved twice: of the direction, and of every part turned round, with the other lists of
/// pairs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Direction {
    /// The sources with the addresses that are meant there, ascending by place.
    pub sources: Vec<(Place, Vec<IpNet>)>,
    /// The destinations with the addresses that are meant there, ascending by place.
    pub destinations: Vec<(Place, Vec<IpNet>)>,
    /// The headers that must not arrive.
    pub traffic: Traffic,
    /// AWS ids that a packet may pass, ascending: one that does is not meant (`only-through`).
    pub avoided: Vec<Box<str>>,
    /// Whether answers to what the destinations send count, too (R-VERDICT-1, R-SG-14): then receivers let in whatever may
    /// answer packets of their own, and nothing gets from a destination to a source that could be answered so.
    pub answers: bool,
    /// What waivers accept of it, one for each waiver of the claim, in their order.
    pub accepted: Vec<Pairs>,
    /// The pairs between which packets may pass whose answers are lost. None where the claim is about packets.
    pub unanswered: Vec<Pairs>,
    /// The same of the direction turned round: sources are destinations of this one. None where answers do not count.
    pub unreplied: Vec<Pairs>,
}

/// The headers that a direction is about.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Traffic {
    /// Sent and seen as IPv4.
    pub v4: Vec<Area>,
    /// Sent as IPv6.
    pub v6: Vec<Area>,
    /// Sent as IPv6 and seen as IPv4, behind NAT64 (R-NAT-8).
    pub translated: Vec<Area>,
}

impl Traffic {
    /// The headers as they are seen in one family, of packets that were sent in another.
    pub fn seen(&self, sent: Family, seen: Family) -> &[Area] {
        match (sent, seen) {
            (Family::V4, _) => &self.v4,
            (Family::V6, Family::V6) => &self.v6,
            (Family::V6, Family::V4) => &self.translated,
        }
    }
}

/// Where packets start or end.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Place {
    /// An interface.
    Interface(EniId),
    /// The internet.
    Internet,
    /// The networks behind a virtual private gateway.
    Gateway {
        /// Its AWS id.
        id: Box<str>,
        /// The VPC that it serves.
        vpc: VpcId,
    },
    /// The network behind a transit gateway attachment.
    Attachment(AttachmentId),
    /// The unknown VPC behind a peering connection.
    Peer(PeeringId),
    /// The service behind a gateway endpoint.
    Service(EndpointId),
    /// Every unmodelled component of this id.
    Component(Box<str>),
    /// The interfaces of a subnet that no call shows.
    Unseen(SubnetId),
}
