//! What was collected of a network at one moment: validated, immutable, in canonical order.
//!
//! The main type is [`Snapshot`]. It holds facts exactly as AWS states them (state strings stay strings); what a fact
//! *means* for a packet is decided in `reachproof-engine`, one rule a function. Every resource carries a [`Meta`]
//! with its id, tags and [`Source`], so that any hop of any answer can be cited.
//!
//! INVARIANT (canonical order): each table is sorted by (scope account, scope Region, id), whatever the order of
//! files and answers was, so that equal inputs give equal ids.

mod component;
mod digest;
mod filter;
mod gateway;
mod interface;
mod scope;
mod transit;
mod vpc;

use serde::{Deserialize, Serialize};

pub use component::{Component, ComponentKind, Entry, Exit};
pub use filter::{
    Acl, AclEntry, Action, GroupPeer, GroupReference, GroupRule, GroupVpcAssociation, PrefixList,
    SecurityGroup,
};
pub use gateway::{
    DxGateway, EgressGateway, Endpoint, EndpointKind, GatewayAttachment, InternetGateway, NatAddress,
    NatGateway, Peering, PeeringSide, VirtualGateway, VpnConnection, VpnTerminus,
};
pub use interface::{
    AssociationEvidence, Instance, Interface, InterfaceAttachment, PrivateAddress, PublicAddress,
};
pub use scope::{BlockPublicAccess, BpaExclusion, Call, CallStatus, PublicPool, Scope, Zone};
pub use transit::{
    PolicyEntry, PolicyTable, TgwAssociation, TgwAttachment, TgwPeer, TgwPolicyAssociation, TgwPropagation,
    TgwRoute, TgwRouteTable, TgwVpcOptions, TransitGateway,
};
pub use vpc::{
    AssociationTarget, CidrAssociation, Destination, EncryptionControl, Route, RouteTable, Subnet,
    TableAssociation, Target, Vpc,
};

use crate::finding::{Gap, Notice};
use crate::id::{
    AclId, AttachmentId, ComponentId, EigwId, EndpointId, EniId, FileId, GroupId, IgwId, InstanceId, NatId,
    PeeringId, PolicyTableId, PrefixListId, RouteTableId, ScopeId, SubnetId, Table, TgwId, TgwTableId, VgwId,
    VpcId,
};
use crate::source::Source;
use crate::text::{SharedText, Tags};

/// What every resource has.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Meta {
    /// The AWS id, as the input says it. Nothing may be concluded from its prefix.
    pub id: SharedText,
    /// The account and Region it was collected from.
    pub scope: ScopeId,
    /// The account that owns it, where the input says so.
    pub owner: Option<SharedText>,
    /// The ARN, where the input says so.
    pub arn: Option<SharedText>,
    /// Its tags.
    pub tags: Tags,
    /// Where it stands in the input.
    pub source: Source,
}

impl Meta {
    /// The `Name` tag.
    pub fn name(&self) -> Option<&str> {
        self.tags.get("Name")
    }
}

/// A state as AWS spells it, in lower case; `None` if the input does not show it (R-DATA-12).
pub type State = Option<SharedText>;

/// The facts of one or more accounts and Regions at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Snapshot {
    /// Input files, by the name they were given.
    pub files: Table<FileId, Box<str>>,
    /// Accounts and Regions, with what was collected of each.
    pub scopes: Table<ScopeId, Scope>,
    /// Availability Zones and Local Zones.
    pub zones: Vec<Zone>,
    /// VPCs.
    pub vpcs: Table<VpcId, Vpc>,
    /// Subnets.
    pub subnets: Table<SubnetId, Subnet>,
    /// VPC route tables.
    pub route_tables: Table<RouteTableId, RouteTable>,
    /// Network ACLs.
    pub acls: Table<AclId, Acl>,
    /// Security groups.
    pub groups: Table<GroupId, SecurityGroup>,
    /// Groups used in further VPCs.
    pub group_associations: Vec<GroupVpcAssociation>,
    /// Managed prefix lists, customers' and AWS's.
    pub prefix_lists: Table<PrefixListId, PrefixList>,
    /// Network interfaces.
    pub interfaces: Table<EniId, Interface>,
    /// EC2 instances.
    pub instances: Table<InstanceId, Instance>,
    /// Internet gateways.
    pub internet_gateways: Table<IgwId, InternetGateway>,
    /// Egress-only internet gateways.
    pub egress_gateways: Table<EigwId, EgressGateway>,
    /// NAT gateways.
    pub nat_gateways: Table<NatId, NatGateway>,
    /// VPC endpoints of all types.
    pub endpoints: Table<EndpointId, Endpoint>,
    /// VPC peering connections; one entry though both sides may have described it.
    pub peerings: Table<PeeringId, Peering>,
    /// Transit gateways.
    pub transit_gateways: Table<TgwId, TransitGateway>,
    /// Transit gateway attachments of every resource type.
    pub attachments: Table<AttachmentId, TgwAttachment>,
    /// Transit gateway route tables.
    pub tgw_tables: Table<TgwTableId, TgwRouteTable>,
    /// Transit gateway policy tables.
    pub policy_tables: Table<PolicyTableId, PolicyTable>,
    /// Virtual private gateways.
    pub virtual_gateways: Table<VgwId, VirtualGateway>,
    /// Site-to-Site VPN connections.
    pub vpn_connections: Vec<VpnConnection>,
    /// Direct Connect gateways with what they are associated with.
    pub dx_gateways: Vec<DxGateway>,
    /// Things that can carry traffic and that the engine does not model.
    pub components: Table<ComponentId, Component>,
    /// Oddities of the input, sorted.
    pub notices: Vec<Notice>,
    /// What the input lacks or the engine cannot read, sorted. Gaps of a component live in [`Component`].
    pub gaps: Vec<Gap>,
}
