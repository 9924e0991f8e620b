//! What a certificate claims, in terms of the snapshot alone.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{Area, Family};
use crate::assumption::Assumptions;
use crate::flow::Question;
use crate::id::{AttachmentId, EndpointId, EniId, PeeringId, SubnetId, VpcId};

/// Nothing passes: in no direction does a packet with headers of its traffic get from a source to a destination.
///
/// This is what forbidding forms come to once their selectors are resolved. A packet that does not arrive is not answered
/// either, so the claim covers both questions (R-VERDICT-1).
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
    /// What does not pass.
    pub directions: Vec<Direction>,
    /// What the verdict rests on (R-VERDICT-3).
    pub assumptions: Assumptions,
    /// The same in words, where there is more to say.
    pub notes: Vec<Box<str>>,
}

/// From where nothing gets where.
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
    /// Whether receivers also let in what may answer packets of their own (R-VERDICT-1, R-SG-14).
    pub answers: bool,
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
