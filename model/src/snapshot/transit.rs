//! Transit gateways, their attachments and tables.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{Destination, Meta, State};
use crate::flow::Protocol;
use crate::id::{AttachmentId, PolicyTableId, Ref, SubnetId, TgwId, TgwTableId, VpcId};
use crate::source::Source;
use crate::text::SharedText;

/// A transit gateway.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TransitGateway {
    /// Id, tags, provenance.
    pub meta: Meta,
    /// `available`, `modifying`, `deleting`, ….
    pub state: State,
    /// `Options.SecurityGroupReferencingSupport`; absent means disabled (R-DATA-12).
    pub group_referencing: Option<bool>,
    /// `Options.EncryptionSupport` is on.
    pub encryption: bool,
}

/// A transit gateway attachment (R-TGW-1).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TgwAttachment {
    /// Id, tags, provenance.
    pub meta: Meta,
    /// The transit gateway it belongs to.
    pub tgw: Ref<TgwId>,
    /// `vpc`, `vpn`, `direct-connect-gateway`, `connect`, `peering`, `network-function`, `client-vpn`, ….
    pub kind: SharedText,
    /// The attached resource.
    pub resource: SharedText,
    /// `available`, `modifying`, `rollingback`, `deleting`, ….
    pub state: State,
    /// Associated route table(s), from the attachment itself or `GetTransitGatewayRouteTableAssociations`.
    pub associations: Vec<TgwAssociation>,
    /// Associated policy table(s), from `GetTransitGatewayPolicyTableAssociations`.
    pub policies: Vec<TgwPolicyAssociation>,
    /// The VPC and its subnets, for VPC attachments.
    pub vpc: Option<TgwVpcOptions>,
    /// The other side, for peering attachments.
    pub peer: Option<TgwPeer>,
}

/// What `DescribeTransitGatewayVpcAttachments` adds to an attachment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TgwVpcOptions {
    /// The VPC.
    pub vpc: Ref<VpcId>,
    /// Attachment subnets, sorted; `None` if the call was not collected for this attachment.
    pub subnets: Option<Vec<Ref<SubnetId>>>,
    /// `SecurityGroupReferencingSupport`; absent means enabled (R-DATA-12).
    pub group_referencing: Option<bool>,
    /// `ApplianceModeSupport` is on.
    pub appliance_mode: bool,
}

/// The other side of a peering attachment (R-TGW-10).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TgwPeer {
    /// The transit gateway at the other side.
    pub tgw: Ref<TgwId>,
    /// The attachment of the other side, if the input says so.
    pub attachment: Option<Ref<AttachmentId>>,
}

/// The association of an attachment with a route table.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TgwAssociation {
    /// The table.
    pub table: Ref<TgwTableId>,
    /// `associated`, `associating`, `disassociating`, ….
    pub state: State,
}

/// The association of an attachment with a policy table (R-TGW-12).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TgwPolicyAssociation {
    /// The policy table.
    pub table: Ref<PolicyTableId>,
    /// `associated`, `associating`, `disassociating`, ….
    pub state: State,
}

/// A propagation of an attachment into a route table.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TgwPropagation {
    /// The attachment.
    pub attachment: Ref<AttachmentId>,
    /// `enabled`, `enabling`, `disabling`, ….
    pub state: State,
}

/// A transit gateway route table.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TgwRouteTable {
    /// Id, tags, provenance.
    pub meta: Meta,
    /// Its transit gateway.
    pub tgw: Ref<TgwId>,
    /// `available`, ….
    pub state: State,
    /// Effective routes of `SearchTransitGatewayRoutes`; `None` if not collected.
    pub routes: Option<Vec<TgwRoute>>,
    /// `AdditionalRoutesAvailable` (R-TGW-5).
    pub truncated: bool,
    /// `GetTransitGatewayRouteTablePropagations`; `None` if not collected.
    pub propagations: Option<Vec<TgwPropagation>>,
    /// Static routes known without the effective routes, for recomputing (R-TGW-6): Batfish's
    /// `TransitGatewayStaticRoutes` and prefix list references.
    pub static_routes: Option<Vec<TgwRoute>>,
}

/// One route of a transit gateway route table.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TgwRoute {
    /// Where to.
    pub destination: Destination,
    /// Whether it is propagated rather than static.
    pub propagated: bool,
    /// `active`, `blackhole`, `pending`, ….
    pub state: State,
    /// Any of these (R-TGW-7).
    pub attachments: Vec<Ref<AttachmentId>>,
    /// `vpc`, `vpn`, …, of the attachments, as the route shows it.
    pub kind: State,
    /// Where it was read.
    pub source: Source,
}

/// A transit gateway policy table (R-TGW-12).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PolicyTable {
    /// Id, tags, provenance.
    pub meta: Meta,
    /// Its transit gateway.
    pub tgw: Ref<TgwId>,
    /// Its entries in order of evaluation; `None` if not collected.
    pub entries: Option<Vec<PolicyEntry>>,
}

/// One entry of a policy table; an absent match means any.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PolicyEntry {
    /// `PolicyRuleNumber`, as printed.
    pub number: SharedText,
    /// Source block.
    pub sources: Option<IpNet>,
    /// Destination block.
    pub destinations: Option<IpNet>,
    /// Source ports, inclusive.
    pub source_ports: Option<(u16, u16)>,
    /// Destination ports, inclusive.
    pub ports: Option<(u16, u16)>,
    /// Protocol.
    pub protocol: Option<Protocol>,
    /// The table to look the packet up in.
    pub table: Ref<TgwTableId>,
    /// Whether some match could not be read: it may or may not match.
    pub unreadable: bool,
    /// Where it was read.
    pub source: Source,
}
