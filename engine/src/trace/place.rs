//! Where a packet is, and what the walk remembers of its past.

use std::net::Ipv4Addr;

use reachproof_model::flow::Flow;
use reachproof_model::id::{
    AttachmentId, ComponentId, EndpointId, EniId, NatId, PeeringId, SubnetId, TgwId, VpcId,
};

use super::packet::{Packet, Tag};
use crate::network::{GatewayId, Origin, TableChoice};

/// Where a packet is. Each place has one function that moves it on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Place {
    /// In an interface, about to be sent. `by_component`: by something behind it, with any source.
    Sending { interface: EniId, by_component: bool },
    /// In front of an interface. `waived`: whatever the destination is, it is accepted as its own.
    Arriving { interface: EniId, from: Option<SubnetId>, waived: bool },
    /// In front of an unchecked interface to which a neighbour handed the frame (R-MBX-9).
    Neighbour(EniId),
    /// Inside a subnet, sent by nobody that the snapshot shows.
    Inside(SubnetId),
    /// At a route table. `from` is the subnet that the packet left last.
    Table { choice: TableChoice, vpc: VpcId, from: Option<SubnetId>, entry: Entrance },
    /// At a VPC's router, to be delivered (R-ROUTE-5).
    Router { vpc: VpcId, from: Option<SubnetId> },
    /// At an internet gateway, on the way out, out of the subnet `from`. `translated`: a regional NAT gateway has put in
    /// the public address.
    InternetGateway { gateway: GatewayId, from: Option<SubnetId>, translated: bool },
    /// At an egress-only internet gateway, on the way out, out of the subnet `from`.
    EgressOnly { gateway: GatewayId, from: Option<SubnetId> },
    /// On the internet.
    Internet,
    /// At a virtual private gateway, on the way out.
    VirtualOut(GatewayId),
    /// At a virtual private gateway, on the way in.
    VirtualIn(GatewayId),
    /// At a NAT gateway that a route led to.
    Nat { nat: NatId, from: Option<SubnetId> },
    /// At a NAT gateway, as the answer to something that it translated.
    NatReturn { nat: NatId, from: Option<SubnetId> },
    /// At a transit gateway, coming from a VPC.
    Transit { tgw: TgwId, vpc: VpcId, from: Option<SubnetId> },
    /// In a transit gateway, come in by an attachment.
    LookUp(AttachmentId),
    /// Leaving a transit gateway; `ingress` is where it came in.
    TransitExit { attachment: AttachmentId, ingress: AttachmentId },
    /// At a peering connection, leaving this VPC.
    Peering { peering: PeeringId, vpc: VpcId },
    /// At a gateway endpoint.
    Service(EndpointId),
    /// At an interface that a route led to, whatever the destination is (R-MBX-1).
    Appliance { interface: EniId, from: Option<SubnetId>, pool: bool },
    /// In an unmodelled component.
    Component(ComponentId),
}

/// What brought a packet to a route table, where that changes what its targets do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Entrance {
    /// Nothing special.
    Plain,
    /// An address of a BYOIP pool, untranslated (R-ROUTE-3).
    Pool,
    /// An internet gateway that Block Public Access keeps from the owner of the address, though perhaps not from what its
    /// table hands the packet to (R-BPA-3).
    Blocked,
    /// A regional NAT gateway, whose private address nobody knows (R-NAT-9).
    RegionalNat { nat: NatId, public: Ipv4Addr },
}

/// Everything that the rest of the walk depends on. Two equal states have equal futures.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct State {
    pub(super) place: Place,
    pub(super) packet: Packet,
    pub(super) tag: Tag,
    pub(super) origin: Origin,
    /// The subnet from which it entered the transit gateway (R-TGW-8).
    pub(super) entered: Option<SubnetId>,
    /// Whether it answers an earlier packet (R-CORE-1 `state`).
    pub(super) reply: bool,
    pub(super) memory: Memory,
}

/// What the reply will need to know of the way there.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(super) struct Memory {
    /// Translations by NAT gateways, oldest first, at most one a gateway.
    pub(super) mappings: Vec<Mapping>,
    /// The egress-only gateway by which it left: the reply may come in there.
    pub(super) egress_only: Option<GatewayId>,
    /// Whether a component, or a translation that nobody can know, has had the packet: its reply cannot be traced.
    pub(super) opaque: bool,
}

/// One translation by a NAT gateway (R-NAT-2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Mapping {
    pub(super) nat: NatId,
    /// The header that came.
    pub(super) original: Flow,
    /// The header that went on.
    pub(super) mapped: Flow,
}

impl State {
    /// A packet at a place, with no past.
    pub(super) fn new(place: Place, packet: Packet, origin: Origin) -> Self {
        Self { place, packet, tag: Tag::None, origin, entered: None, reply: false, memory: Memory::default() }
    }
}
