//! Things that can carry traffic and that the engine does not model.
//!
//! In the permissive world a packet that enters a component may come out of any of its exits with any header; in the
//! restrictive world the component is a dead end (A-22, R-DATA-11). Ingest finds the components that a *resource*
//! shows; the engine adds those that follow from missing data.

use serde::{Deserialize, Serialize};

use crate::id::{AttachmentId, EniId, GroupId, Ref, RouteTableId, SubnetId, VpcId};
use crate::source::Source;

/// One unmodelled thing that can carry traffic.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Component {
    /// The id that a gap names: an interface, load balancer, firewall, route target, ….
    pub id: Box<str>,
    /// What it is.
    pub kind: ComponentKind,
    /// Why the engine cannot say what it does and what would help, for people.
    pub why: Box<str>,
    /// Where packets get into it.
    pub entries: Vec<Entry>,
    /// Where they may come out, with any header.
    pub exits: Vec<Exit>,
    /// Where it was read.
    pub source: Source,
}

/// The kinds of unmodelled components.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum ComponentKind {
    /// A guest whose interface has no source/destination check (A-6, section 9.1).
    Middlebox,
    /// A Gateway Load Balancer or Network Firewall endpoint (sections 9.2, 17).
    Inspection,
    /// A load balancer (section 16).
    LoadBalancer,
    /// Managed ingress from the internet (section 15).
    ManagedIngress,
    /// VPC Lattice, resource and service-network endpoints (section 10.4).
    Lattice,
    /// The consumers of an endpoint service (R-VPCE-11).
    EndpointService,
    /// Another network: Cloud WAN, Outposts, ODB, carrier gateway.
    Neighbour,
    /// An interface of a type that the engine does not know (R-DATA-11).
    UnknownInterface,
    /// Anything else.
    Other,
}

/// How packets get into a component.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Entry {
    /// By being received at this interface (its filters apply).
    Interface(EniId),
    /// From anywhere on the internet.
    Internet,
    /// From a source that nothing in the snapshot shows; counts as the internet and as any external source.
    Anywhere,
    /// By a route whose unmodelled target has this id.
    RouteTarget(Box<str>),
    /// By being sent to an address of this subnet that no interface of the snapshot owns: an interface that the input
    /// does not show may own it (R-LB-2, R-ADDR-14). The subnet's ACL applies.
    HiddenInterface(SubnetId),
    /// By being sent from this interface, whatever its filters say of it.
    Sender(EniId),
}

/// How packets leave a component.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Exit {
    /// Sent from this interface: its egress rules, ACL and route table apply. `keeps_groups`: receivers see the
    /// interface's groups whatever the source address is; otherwise only with one of its own addresses.
    Interface {
        /// The interface.
        interface: EniId,
        /// Whether a foreign source still carries the interface's groups.
        keeps_groups: bool,
    },
    /// Into the subnet's route table, without a security group.
    Subnet(SubnetId),
    /// Sent from an interface of this subnet that the input does not show (a load balancer node, a VPC link): as
    /// [`Exit::Interface`] with any address and `keeps_groups`, on-link or by the subnet's ACL and route table. Its
    /// egress rules are those of `groups`; ignoring them is permissive.
    HiddenInterface {
        /// The subnet.
        subnet: SubnetId,
        /// The groups that receivers see whatever the source address is, sorted; may be empty.
        groups: Vec<Ref<GroupId>>,
    },
    /// Into the VPC by its implicit router, as from a gateway.
    Vpc(VpcId),
    /// Out to the internet.
    Internet,
    /// Into this route table, as of a sender without a subnet.
    Table(RouteTableId),
    /// Into this transit gateway, as from the attachment.
    Attachment(AttachmentId),
}
