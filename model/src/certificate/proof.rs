//! Invariants: where packets can be, and with which headers.

use serde::{Deserialize, Serialize};

use super::{Area, Family, Place};
use crate::id::{AttachmentId, EniId, GroupId, Ref, RouteTableId, SubnetId, VpcId};

/// Why nothing passes in a part of one direction: a walk for each class of sources, and one for each component entered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Proof {
    /// The walks; every source and every component that one of them enters is the start of one.
    pub walks: Vec<Walk>,
}

/// Everywhere that packets from some sources can be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Walk {
    /// Who sends.
    pub start: Start,
    /// The family that is sent.
    pub family: Family,
    /// For each location the headers that may be there, ascending by location.
    pub invariant: Invariant,
}

/// Headers by location, seen as they are there: boxes, ascending, which may overlap.
pub type Invariant = Vec<(Location, Vec<Area>)>;

/// Who sends.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Start {
    /// Interfaces that send alike, ascending.
    Class(Vec<EniId>),
    /// A place outside, or a component, with any header.
    Place(Place),
}

/// A site with all that further steps ask about a packet besides its header.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Location {
    /// Where.
    pub site: Site,
    /// Whose groups receivers see.
    pub sender: Sender,
    /// How the packet came into its VPC.
    pub origin: Origin,
    /// The family of the header there.
    pub family: Family,
}

/// Sites at which every way round a circle passes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Site {
    /// Before a route table of a VPC, or one that nobody knows; `from` is the subnet that the packet was last in.
    Route {
        /// The table; `None` for one that is not known.
        table: Option<RouteTableId>,
        /// The VPC.
        vpc: VpcId,
        /// The subnet.
        from: Option<SubnetId>,
    },
    /// On the internet.
    Internet,
    /// In a transit gateway, come by this attachment.
    Transit(AttachmentId),
    /// Leaving a transit gateway by `to`, come by `by`.
    Exit {
        /// The way in.
        by: AttachmentId,
        /// The way out.
        to: AttachmentId,
    },
}

/// The sender's identity as far as the path kept it (R-SG-10).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Sender {
    /// Lost, or never was.
    Nobody,
    /// Unknown: any group.
    Anyone,
    /// These groups, ascending.
    Groups(Vec<Ref<GroupId>>),
}

/// How a packet came to be in its VPC (R-PCX-8, R-VPN-6, R-NAT-7, R-VPCE-4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Origin {
    /// Sent, or re-sourced, by an interface of this VPC.
    Local,
    /// By an internet gateway; also outside of any VPC.
    Internet,
    /// By a virtual private gateway.
    Virtual,
    /// By a peering connection.
    Peering,
    /// By a transit gateway.
    Transit,
    /// Out of an unmodelled component.
    Component,
}
