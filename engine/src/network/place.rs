//! Where packets start, and where they end.

use reachproof_model::id::{AttachmentId, ComponentId, EndpointId, EniId, PeeringId, SubnetId, VpcId};
use serde::{Deserialize, Serialize};

use super::GatewayId;

/// A place that packets may start from (R-VERDICT-5).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum SourcePlace {
    /// An interface, sending of its own accord.
    Interface(EniId),
    /// The internet, including every managed ingress of public kind (R-VERDICT-6).
    Internet,
    /// The networks behind a virtual private gateway: `ONPREM(vgw)`.
    Gateway(GatewayId),
    /// The network behind a transit gateway attachment: on premises, or an unknown transit gateway.
    Attachment(AttachmentId),
    /// The unknown VPC at the other side of a peering connection.
    Peer(PeeringId),
    /// An unmodelled component, with any header.
    Component(ComponentId),
}

/// A place where a packet's journey may end well.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Sink {
    /// Delivered to an interface.
    Interface(EniId),
    /// Left for the internet, to an address that no modelled VPC holds.
    Internet,
    /// Left for the networks behind a virtual private gateway.
    Gateway(GatewayId),
    /// Left by a transit gateway attachment that leads out of the snapshot.
    Attachment(AttachmentId),
    /// Left for the unknown VPC at the other side of a peering connection.
    Peer(PeeringId),
    /// Taken by the service behind a gateway endpoint.
    Service(EndpointId),
    /// Taken by DNS, metadata, time or the router of a VPC (R-CORE-5).
    Infrastructure(VpcId),
    /// Delivered to an interface of another account that the snapshot cannot show.
    Unseen(SubnetId),
    /// Entered an unmodelled component: anything may happen to it.
    Component(ComponentId),
}

/// How a packet came to be in the VPC that it is in; gateways judge it by this (R-PCX-4, R-PCX-8, R-VPN-6, R-NAT-7,
/// R-VPCE-4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Origin {
    /// Sent, or re-sourced, by an interface of this VPC.
    Local,
    /// Came in by an internet gateway.
    Internet,
    /// Came in by a virtual private gateway.
    Virtual,
    /// Came in by a peering connection.
    Peering,
    /// Came in by a transit gateway.
    Transit,
    /// Came out of an unmodelled component into the VPC's router.
    Component,
}
