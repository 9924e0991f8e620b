//! Where an exploration is: a place, and all that rules further on ask about a packet besides its header.

use reachproof_model::id::{
    AttachmentId, ComponentId, EniId, NatId, RouteTableId, SubnetId, TgwTableId, VpcId,
};

use super::index::{CrowdId, ReceiversId};
use super::view::{Address, View};
use crate::network::{GatewayId, Origin, TableChoice};

/// The sender's identity, as far as the path kept it (R-SG-10).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Tag {
    /// Lost, or never was.
    None,
    /// The groups of this interface.
    Of(EniId),
    /// The groups of the member of a crowd whose address the source is.
    Among(CrowdId),
    /// The groups of a sender outside the snapshot: any. Permissive world only.
    Stranger,
    /// The groups of an exit of a component, by its position.
    Hidden(ComponentId, u16),
}

/// A NAT gateway that the packet crossed, with what its replies need.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Crossed {
    pub(crate) nat: NatId,
    /// Which of its addresses was used.
    pub(crate) source: u16,
    /// The packet before translation.
    pub(crate) before: View,
    /// The subnet of the client, if the packet came straight from one.
    pub(crate) from: Option<SubnetId>,
}

/// A place in the network.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Place {
    /// Leaving an interface, its own filters still to come.
    Send(EniId),
    /// Leaving the boundary of a subnet towards the VPC router, its ACL passed.
    Leave(SubnetId),
    /// At a route table; `from` is the subnet that the packet was last in.
    Route { table: TableChoice, vpc: VpcId, from: Option<SubnetId> },
    /// At the VPC router's own resolution.
    Deliver { vpc: VpcId, from: Option<SubnetId> },
    /// At an interface, subnet filters passed. `routed`: whatever the destination is, by a route (R-MBX-1).
    Receive { interface: EniId, routed: bool },
    /// At interfaces that receive alike, each with what is for it.
    ReceiveAlike(ReceiversId),
    /// At a gateway, leaving its VPC; `from` is the subnet that the packet was last in.
    Out { gateway: GatewayId, vpc: VpcId, from: Option<SubnetId> },
    /// On the internet.
    Internet,
    /// At a gateway, entering its VPC.
    In { gateway: GatewayId },
    /// At a table of a BYOIP pool (R-ROUTE-3).
    Pool { table: RouteTableId },
    /// At a NAT gateway.
    Nat { nat: NatId, vpc: VpcId, from: Option<SubnetId> },
    /// Behind a NAT gateway, translated.
    Translated { nat: NatId, vpc: VpcId },
    /// In a transit gateway, come by this attachment.
    Transit { by: AttachmentId },
    /// At a table of a transit gateway, come by any attachment.
    Table(TgwTableId),
    /// Leaving a transit gateway by `to`, come by `by`.
    Exit { by: AttachmentId, to: AttachmentId },
}

/// A place with the context of a packet there.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct State {
    pub(crate) place: Place,
    pub(crate) view: View,
    pub(crate) tag: Tag,
    pub(crate) origin: Origin,
    /// NAT gateways crossed, the last one last; those still to be undone in a reply.
    pub(crate) nats: Vec<Crossed>,
    /// A subnet in the zone from which the packet entered the last transit gateway.
    pub(crate) zone: Option<SubnetId>,
    /// The egress-only gateway by which the packet left for the internet.
    pub(crate) egress: Option<GatewayId>,
}

impl State {
    /// The same packet at another place.
    pub(crate) fn at(&self, place: Place) -> Self {
        Self { place, ..self.clone() }
    }

    /// The same place and packet, seen through another view.
    pub(crate) fn seen(mut self, view: View) -> Self {
        self.view = view;
        self
    }

    /// The packet with another identity.
    pub(crate) fn tagged(mut self, tag: Tag) -> Self {
        self.tag = tag;
        self
    }

    /// Whether a packet has its addresses as they were sent, and is no reply.
    pub(super) fn is_as_sent(&self) -> bool {
        let View { sent, family, destination, source, .. } = self.view;
        self.nats.is_empty() && (destination, source, family) == (Address::Destination, Address::Source, sent)
    }

    /// The packet with another origin.
    pub(crate) fn with_origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }
}
