//! VPCs, subnets and VPC route tables.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{Meta, State};
use crate::id::{
    EigwId, EndpointId, EniId, IgwId, InstanceId, NatId, PeeringId, PrefixListId, Ref, SubnetId, TgwId,
    VgwId, VpcId,
};
use crate::source::Source;
use crate::text::SharedText;

/// One CIDR block of a VPC or subnet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CidrAssociation {
    /// The block.
    pub cidr: IpNet,
    /// `associated`, `associating`, `failed`, ….
    pub state: State,
    /// `Ipv6AddressAttribute`: `public` or `private`; `None` for IPv4 and where the input does not say.
    pub attribute: State,
}

/// A VPC.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Vpc {
    /// Id, tags, provenance.
    pub meta: Meta,
    /// `available` or `pending`.
    pub state: State,
    /// IPv4 and IPv6 blocks; the primary IPv4 block first.
    pub cidrs: Vec<CidrAssociation>,
    /// Whether it is the default VPC of its Region.
    pub is_default: bool,
    /// `BlockPublicAccessStates.InternetGatewayBlockMode`.
    pub block_mode: State,
    /// `DescribeVpcEncryptionControls` or `Vpcs[].EncryptionControl` (R-BPA-9).
    pub encryption: Option<EncryptionControl>,
}

/// Encryption in transit control of a VPC.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EncryptionControl {
    /// `monitor` or `enforce`.
    pub mode: State,
    /// `available`, ….
    pub state: State,
    /// The components whose exclusion is `enabled`: `InternetGateway`, `NatGateway`, ….
    pub excluded: Vec<SharedText>,
}

/// A subnet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Subnet {
    /// Id, tags, provenance.
    pub meta: Meta,
    /// Its VPC.
    pub vpc: Ref<VpcId>,
    /// `available` or `pending`.
    pub state: State,
    /// IPv4 and IPv6 blocks.
    pub cidrs: Vec<CidrAssociation>,
    /// `us-east-1a`.
    pub zone: Option<SharedText>,
    /// `use1-az1`.
    pub zone_id: Option<SharedText>,
    /// Whether launches get a public IPv4 address (R-ADDR-10).
    pub map_public: bool,
    /// `BlockPublicAccessStates.InternetGatewayBlockMode`.
    pub block_mode: State,
}

/// A VPC route table.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RouteTable {
    /// Id, tags, provenance.
    pub meta: Meta,
    /// Its VPC.
    pub vpc: Ref<VpcId>,
    /// What it is associated with.
    pub associations: Vec<TableAssociation>,
    /// Its routes, in the order of the input.
    pub routes: Vec<Route>,
    /// Virtual private gateways that propagate into it.
    pub propagating: Vec<Ref<VgwId>>,
}

/// One association of a route table (R-ROUTE-1, R-ROUTE-3).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TableAssociation {
    /// With what.
    pub target: AssociationTarget,
    /// `associated`, `associating`, `disassociating`, `disassociated`, `failed`.
    pub state: State,
}

/// What a route table may be associated with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum AssociationTarget {
    /// The main table of its VPC.
    Main,
    /// A subnet.
    Subnet(Ref<SubnetId>),
    /// An internet gateway: an edge table.
    InternetGateway(Ref<IgwId>),
    /// A virtual private gateway: an edge table.
    VirtualGateway(Ref<VgwId>),
    /// A BYOIP pool: ingress routing of the whole pool.
    PublicPool(Box<str>),
    /// A gateway of a kind that is not known.
    Unknown(Box<str>),
}

/// One route.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Route {
    /// Where to.
    pub destination: Destination,
    /// Through what.
    pub target: Target,
    /// `active`, `blackhole`, `filtered`.
    pub state: State,
    /// `CreateRouteTable`, `CreateRoute`, `EnableVgwRoutePropagation`, `Advertisement`, spelt as AWS does.
    pub origin: Option<SharedText>,
    /// Where it was read.
    pub source: Source,
}

/// The destination of a route.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Destination {
    /// A block of either family.
    Cidr(IpNet),
    /// Every entry of a prefix list.
    PrefixList(Ref<PrefixListId>),
    /// The input shows none, or one that cannot be read: may be any destination.
    Unknown,
}

/// The target of a VPC route (R-ROUTE-4), told apart by what the id names in the snapshot, not by its prefix.
/// For an id that names nothing in the snapshot the conventional prefix (R-DATA-7) chooses the kind.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Target {
    /// `GatewayId: local`.
    Local,
    /// An internet gateway.
    InternetGateway(Ref<IgwId>),
    /// A virtual private gateway.
    VirtualGateway(Ref<VgwId>),
    /// A gateway, Gateway Load Balancer or firewall endpoint.
    Endpoint(Ref<EndpointId>),
    /// A NAT gateway.
    Nat(Ref<NatId>),
    /// A transit gateway.
    TransitGateway(Ref<TgwId>),
    /// A VPC peering connection.
    Peering(Ref<PeeringId>),
    /// A network interface.
    Interface(Ref<EniId>),
    /// An instance without an interface: its primary one.
    Instance(Ref<InstanceId>),
    /// An egress-only internet gateway.
    EgressGateway(Ref<EigwId>),
    /// `CoreNetworkArn`, `LocalGatewayId`, `CarrierGatewayId`, `OdbNetworkArn`, an unknown gateway, or nothing.
    Unmodelled {
        /// The name of the JSON field, or `none`.
        field: Box<str>,
        /// The id or ARN; empty if there is none.
        id: Box<str>,
    },
}
