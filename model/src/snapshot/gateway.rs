//! Gateways, VPC endpoints, peering connections and private connectivity.

use std::net::Ipv4Addr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{Meta, State};
use crate::id::{EndpointId, EniId, GroupId, Ref, RouteTableId, SubnetId, TgwId, VgwId, VpcId};
use crate::text::SharedText;

/// The attachment of a gateway to a VPC.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GatewayAttachment {
    /// The VPC.
    pub vpc: Ref<VpcId>,
    /// `available`, `attached`, `attaching`, `detaching`, `detached`.
    pub state: State,
}

/// An internet gateway.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InternetGateway {
    /// Id, tags, provenance.
    pub meta: Meta,
    /// VPCs it is attached to; at most one in practice.
    pub attachments: Vec<GatewayAttachment>,
}

/// An egress-only internet gateway.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EgressGateway {
    /// Id, tags, provenance.
    pub meta: Meta,
    /// VPCs it is attached to; at most one in practice.
    pub attachments: Vec<GatewayAttachment>,
}

/// A NAT gateway (R-NAT-1).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NatGateway {
    /// Id, tags, provenance.
    pub meta: Meta,
    /// `available`, `pending`, `deleting`, `deleted`, `failed`.
    pub state: State,
    /// `public` or `private`; absent means public.
    pub connectivity: State,
    /// `zonal` or `regional`; absent means zonal iff there is a subnet.
    pub mode: State,
    /// Its VPC.
    pub vpc: Ref<VpcId>,
    /// Its subnet, if zonal.
    pub subnet: Option<Ref<SubnetId>>,
    /// Its own route table, if regional.
    pub table: Option<Ref<RouteTableId>>,
    /// Addresses it translates to, primary first.
    pub addresses: Vec<NatAddress>,
    /// `AttachedAppliances[].Type`, each a gap (R-NAT-10).
    pub appliances: Vec<SharedText>,
    /// `AttachedAppliances[].VpcEndpointId`: where clients address the appliance itself (R-NAT-10).
    #[serde(default)]
    pub appliance_endpoints: Vec<Ref<EndpointId>>,
}

/// One address of a NAT gateway.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct NatAddress {
    /// The interface that holds it, if zonal.
    pub interface: Option<Ref<EniId>>,
    /// The private address; a regional gateway shows none.
    pub private: Option<Ipv4Addr>,
    /// The public address of a public gateway.
    pub public: Option<Ipv4Addr>,
    /// `succeeded`, `failed`, `assigning`, ….
    pub state: State,
}

/// The type of a VPC endpoint (R-VPCE-1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum EndpointKind {
    /// S3 or DynamoDB, by routes.
    Gateway,
    /// Interfaces in subnets.
    Interface,
    /// An inspection hop; also Network Firewall endpoints that `DescribeVpcEndpoints` shows.
    GatewayLoadBalancer,
    /// `Resource`, `ServiceNetwork`, `Tunnel` or a type of the future: a gap.
    Other,
}

/// A VPC endpoint.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Endpoint {
    /// Id, tags, provenance.
    pub meta: Meta,
    /// Its type.
    pub kind: EndpointKind,
    /// The type as AWS spells it.
    pub kind_name: SharedText,
    /// `com.amazonaws.us-east-1.sagemaker.api`.
    pub service: SharedText,
    /// `available`, `pending`, `partial`, `deleting`, `deleted`, …, in lower case.
    pub state: State,
    /// Its VPC.
    pub vpc: Ref<VpcId>,
    /// Route tables of a gateway endpoint.
    pub tables: Vec<Ref<RouteTableId>>,
    /// Subnets of the others.
    pub subnets: Vec<Ref<SubnetId>>,
    /// Interfaces of the others.
    pub interfaces: Vec<Ref<EniId>>,
    /// Groups that its interfaces are meant to carry.
    pub groups: Vec<Ref<GroupId>>,
    /// `PolicyDocument`, as printed; not part of reachability (R-VPCE-15).
    pub policy: Option<SharedText>,
}

/// A VPC peering connection (R-PCX-1).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Peering {
    /// Id, tags, provenance.
    pub meta: Meta,
    /// `active`, `pending-acceptance`, `provisioning`, `deleted`, ….
    pub state: State,
    /// The side that asked.
    pub requester: PeeringSide,
    /// The side that was asked.
    pub accepter: PeeringSide,
}

/// One side of a peering connection.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PeeringSide {
    /// The VPC.
    pub vpc: Ref<VpcId>,
    /// Its account.
    pub account: Option<SharedText>,
    /// Its Region.
    pub region: Option<SharedText>,
    /// Its blocks, as the peering shows them (only while active).
    pub cidrs: Vec<IpNet>,
}

/// A virtual private gateway.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct VirtualGateway {
    /// Id, tags, provenance.
    pub meta: Meta,
    /// `available`, `pending`, `deleting`, `deleted`.
    pub state: State,
    /// VPCs it is attached to.
    pub attachments: Vec<GatewayAttachment>,
}

/// Where a Site-to-Site VPN connection ends on the AWS side.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum VpnTerminus {
    /// A virtual private gateway.
    VirtualGateway(Ref<VgwId>),
    /// A transit gateway.
    TransitGateway(Ref<TgwId>),
    /// Cloud WAN, a concentrator, or nothing.
    Other,
}

/// A Site-to-Site VPN connection.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct VpnConnection {
    /// Id, tags, provenance.
    pub meta: Meta,
    /// `available`, `deleted`, ….
    pub state: State,
    /// Where it ends.
    pub terminus: VpnTerminus,
    /// Static routes.
    pub routes: Vec<IpNet>,
    /// Whether its answer shows tunnels, and none that is up.
    pub down: bool,
}

/// A Direct Connect gateway (R-VPN-8).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DxGateway {
    /// Its id.
    pub id: Box<str>,
    /// Ids of the virtual private gateways and transit gateways associated with it, sorted.
    pub associated: Vec<Box<str>>,
}
