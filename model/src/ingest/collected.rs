//! Everything that files say, in the shapes of AWS.
//!
//! The main type is [`Collected`]. Files are read in parallel, each into a collection of its own or behind what was read
//! before it; [`Collected::followed_by`] puts collections together.
//!
//! INVARIANT (order of files): whatever was read where, every list of a collection is in the order of the files.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::value::RawValue;

use super::acl::AclShape;
use super::endpoint::{EndpointShape, PeeringShape};
use super::gateway::{GatewayShape, NatShape, VpnShape};
use super::group::{GroupShape, GroupVpcShape, RuleShape};
use super::interface::{ElasticShape, InstanceShape, InterfaceShape};
use super::manifest::ManifestCall;
use super::policy_table::{PolicyEntryShape, PolicyTableShape};
use super::prefix::{PrefixEntryShape, PrefixListShape};
use super::record::{Answer, Record};
use super::route::RouteTableShape;
use super::settings::{BpaShape, ExclusionShape, PoolShape, ZoneShape};
use super::transit::{
    AttachmentShape, PeeringAttachmentShape, ReferenceShape, RouteAttachmentShape, TableShape, TgwRouteShape,
    TgwShape, TgwTableShape, VpcAttachmentShape,
};
use super::value::Text;
use super::vpc::{EncryptionShape, SubnetShape, VpcShape};
use crate::id::FileId;
use crate::source::Source;

/// What all files say, in the order of the files.
#[derive(Default)]
pub(super) struct Collected<'a> {
    pub(super) vpcs: Vec<Record<VpcShape<'a>>>,
    pub(super) encryption: Vec<Record<EncryptionShape<'a>>>,
    pub(super) subnets: Vec<Record<SubnetShape<'a>>>,
    pub(super) route_tables: Vec<Record<RouteTableShape<'a>>>,
    pub(super) acls: Vec<Record<AclShape<'a>>>,
    pub(super) groups: Vec<Record<GroupShape<'a>>>,
    pub(super) group_rules: Vec<Record<RuleShape<'a>>>,
    pub(super) group_associations: Vec<Record<GroupVpcShape<'a>>>,
    pub(super) prefix_lists: Vec<Record<PrefixListShape<'a>>>,
    pub(super) prefix_entries: Vec<Answer<PrefixEntryShape<'a>>>,
    pub(super) interfaces: Vec<Record<Box<InterfaceShape<'a>>>>,
    pub(super) instances: Vec<Record<Box<InstanceShape<'a>>>>,
    pub(super) addresses: Vec<Record<ElasticShape<'a>>>,
    pub(super) internet_gateways: Vec<Record<GatewayShape<'a>>>,
    pub(super) egress_gateways: Vec<Record<GatewayShape<'a>>>,
    pub(super) virtual_gateways: Vec<Record<GatewayShape<'a>>>,
    pub(super) nat_gateways: Vec<Record<NatShape<'a>>>,
    pub(super) endpoints: Vec<Record<EndpointShape<'a>>>,
    pub(super) peerings: Vec<Record<PeeringShape<'a>>>,
    pub(super) transit_gateways: Vec<Record<TgwShape<'a>>>,
    pub(super) attachments: Vec<Record<AttachmentShape<'a>>>,
    pub(super) vpc_attachments: Vec<Record<VpcAttachmentShape<'a>>>,
    pub(super) peering_attachments: Vec<Record<PeeringAttachmentShape<'a>>>,
    pub(super) connects: Vec<Record<PeeringAttachmentShape<'a>>>,
    pub(super) tgw_tables: Vec<Record<TgwTableShape<'a>>>,
    pub(super) tgw_routes: Vec<Answer<TgwRouteShape<'a>>>,
    pub(super) tgw_static_routes: Vec<Answer<TgwRouteShape<'a>>>,
    pub(super) tgw_associations: Vec<Answer<TableShape<'a>>>,
    pub(super) tgw_propagations: Vec<Answer<RouteAttachmentShape<'a>>>,
    pub(super) tgw_references: Vec<Record<ReferenceShape<'a>>>,
    pub(super) policy_tables: Vec<Record<PolicyTableShape<'a>>>,
    pub(super) policy_entries: Vec<Answer<PolicyEntryShape<'a>>>,
    pub(super) vpn_connections: Vec<Record<VpnShape<'a>>>,
    pub(super) zones: Vec<Record<ZoneShape<'a>>>,
    pub(super) block_public_access: Vec<Record<BpaShape<'a>>>,
    pub(super) bpa_exclusions: Vec<Record<ExclusionShape<'a>>>,
    pub(super) public_pools: Vec<Record<PoolShape<'a>>>,
    /// Values for the inventories of what the engine does not model, not parsed yet.
    pub(super) inventories: Vec<(FileId, String, &'a RawValue)>,
    /// The caller's account, by file.
    pub(super) callers: BTreeMap<FileId, Text<'a>>,
    pub(super) manifest: Vec<(FileId, ManifestCall<'a>)>,
    /// Every answer found.
    pub(super) answers: Vec<CallAnswer>,
    /// Files with a pagination token left.
    pub(super) unfinished: BTreeSet<FileId>,
    /// Answers that do not tell what they are about.
    pub(super) orphans: Vec<Source>,
    /// An unknown key, to show where nothing is known.
    pub(super) stranger: Option<String>,
    /// Files that hold something and nothing that is known.
    pub(super) strangers: Vec<FileId>,
    /// Whether some key was known.
    pub(super) known: bool,
}

/// An answer of a call, without its content.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct CallAnswer {
    pub(super) file: FileId,
    pub(super) call: &'static str,
    pub(super) parent: Box<str>,
}

/// Appends what `other` has in each of these fields to `self`. All fields are named, so that none is forgotten.
macro_rules! append {
    ($self:ident, $other:ident, [$($list:ident)*], $($rest:ident)*) => {
        let Self { $($list: mut $list,)* $($rest,)* } = $other;
        $($self.$list.append(&mut $list);)*
    };
}

impl Collected<'_> {
    /// This collection, and what files behind those of this one say.
    pub(super) fn followed_by(mut self, other: Self) -> Self {
        append!(self, other, [
            vpcs encryption subnets route_tables acls groups group_rules group_associations prefix_lists
            prefix_entries interfaces instances addresses internet_gateways egress_gateways
            virtual_gateways nat_gateways endpoints peerings transit_gateways attachments vpc_attachments
            peering_attachments connects tgw_tables tgw_routes tgw_static_routes tgw_associations
            tgw_propagations tgw_references policy_tables policy_entries vpn_connections zones
            block_public_access bpa_exclusions public_pools inventories callers manifest answers unfinished
            orphans strangers
        ], stranger known);
        self.stranger = self.stranger.or(stranger);
        self.known |= known;
        self
    }
}
