//! All resources in canonical order, and what is kept aside for them: items without an id of their own.

use std::collections::{BTreeMap, BTreeSet};

use super::acl::AclShape;
use super::collected::Collected;
use super::context::{Index, Names};
use super::endpoint::{EndpointShape, PeeringShape};
use super::error::LoadError;
use super::gateway::{GatewayShape, NatShape, VpnShape};
use super::group::{Flattened, GroupShape, GroupVpcShape, flattened};
use super::interface::{ElasticShape, InstanceShape, InterfaceShape, stand_ins};
use super::policy_table::{PolicyEntryShape, PolicyTableShape};
use super::prefix::{PrefixEntryShape, PrefixListShape, entries_by_list};
use super::record::{Answer, Places, Record, Resource, Scoped, merge};
use super::route::RouteTableShape;
use super::settings::{BpaShape, ExclusionShape, PoolShape, ZoneShape};
use super::transit::{
    AttachmentShape, TgwShape, TgwTableShape, TransitAnswers, complete_attachments, complete_tables,
};
use super::vpc::{EncryptionShape, SubnetShape, VpcShape};
use crate::id::{AttachmentId, Id};

/// Resources with an id, each table in canonical order: positions are the ids of the snapshot.
pub(super) struct Sorted<'a> {
    pub(super) vpcs: Vec<Scoped<VpcShape<'a>>>,
    pub(super) subnets: Vec<Scoped<SubnetShape<'a>>>,
    pub(super) route_tables: Vec<Scoped<RouteTableShape<'a>>>,
    pub(super) acls: Vec<Scoped<AclShape<'a>>>,
    pub(super) groups: Vec<Scoped<GroupShape<'a>>>,
    pub(super) prefix_lists: Vec<Scoped<PrefixListShape<'a>>>,
    pub(super) interfaces: Vec<Scoped<Box<InterfaceShape<'a>>>>,
    pub(super) instances: Vec<Scoped<Box<InstanceShape<'a>>>>,
    pub(super) internet_gateways: Vec<Scoped<GatewayShape<'a>>>,
    pub(super) egress_gateways: Vec<Scoped<GatewayShape<'a>>>,
    pub(super) virtual_gateways: Vec<Scoped<GatewayShape<'a>>>,
    pub(super) nat_gateways: Vec<Scoped<NatShape<'a>>>,
    pub(super) endpoints: Vec<Scoped<EndpointShape<'a>>>,
    pub(super) peerings: Vec<Scoped<PeeringShape<'a>>>,
    pub(super) transit_gateways: Vec<Scoped<TgwShape<'a>>>,
    pub(super) attachments: Vec<Scoped<AttachmentShape<'a>>>,
    pub(super) tgw_tables: Vec<Scoped<TgwTableShape<'a>>>,
    pub(super) policy_tables: Vec<Scoped<PolicyTableShape<'a>>>,
    pub(super) vpn_connections: Vec<Scoped<VpnShape<'a>>>,
}

/// Items that belong to a resource or to a whole Region.
pub(super) struct Further<'a> {
    pub(super) encryption: BTreeMap<Box<str>, EncryptionShape<'a>>,
    pub(super) group_rules: BTreeMap<Box<str>, Flattened<'a>>,
    pub(super) group_associations: Vec<Record<GroupVpcShape<'a>>>,
    pub(super) prefix_entries: BTreeMap<Box<str>, Vec<Answer<PrefixEntryShape<'a>>>>,
    pub(super) addresses: Vec<Record<ElasticShape<'a>>>,
    pub(super) transit: TransitAnswers<'a>,
    pub(super) policy_entries: Vec<Answer<PolicyEntryShape<'a>>>,
    pub(super) zones: Vec<Record<ZoneShape<'a>>>,
    pub(super) block_public_access: Vec<Record<BpaShape<'a>>>,
    pub(super) bpa_exclusions: Vec<Record<ExclusionShape<'a>>>,
    pub(super) public_pools: Vec<Record<PoolShape<'a>>>,
}

impl<'a> Sorted<'a> {
    /// Completes each table by what only other answers show, and sorts it.
    pub(super) fn prepare(
        mut found: Collected<'a>,
        places: &Places<'_>,
    ) -> Result<(Self, Further<'a>), LoadError> {
        let stand_ins = stand_ins(&found.instances, &found.interfaces);
        found.interfaces.extend(stand_ins);
        let unfinished = std::mem::take(&mut found.unfinished);
        let truncated = |source: &crate::source::Source| unfinished.contains(&source.file);
        let group_rules = flattened(std::mem::take(&mut found.group_rules), truncated, &mut found.groups);
        let prefix_entries =
            entries_by_list(std::mem::take(&mut found.prefix_entries), &mut found.prefix_lists);
        let transit = transit(&mut found, places)?;
        let encryption = found.encryption.into_iter();
        let further = Further {
            encryption: encryption.map(|r| (Box::from(&*r.item.vpc_id), r.item)).collect(),
            group_rules,
            group_associations: found.group_associations,
            prefix_entries,
            addresses: found.addresses,
            transit,
            policy_entries: found.policy_entries,
            zones: found.zones,
            block_public_access: found.block_public_access,
            bpa_exclusions: found.bpa_exclusions,
            public_pools: found.public_pools,
        };
        let sorted = Self {
            vpcs: merge(found.vpcs, places)?,
            subnets: merge(found.subnets, places)?,
            route_tables: merge(found.route_tables, places)?,
            acls: merge(found.acls, places)?,
            groups: merge(found.groups, places)?,
            prefix_lists: merge(found.prefix_lists, places)?,
            interfaces: merge(found.interfaces, places)?,
            instances: merge(found.instances, places)?,
            internet_gateways: merge(found.internet_gateways, places)?,
            egress_gateways: merge(found.egress_gateways, places)?,
            virtual_gateways: merge(found.virtual_gateways, places)?,
            nat_gateways: merge(found.nat_gateways, places)?,
            endpoints: merge(found.endpoints, places)?,
            peerings: merge(found.peerings, places)?,
            transit_gateways: merge(found.transit_gateways, places)?,
            attachments: merge(found.attachments, places)?,
            tgw_tables: merge(found.tgw_tables, places)?,
            policy_tables: merge(found.policy_tables, places)?,
            vpn_connections: merge(found.vpn_connections, places)?,
        };
        Ok((sorted, further))
    }

    /// The ids of all names.
    pub(super) fn index(&self) -> Index {
        let attachments = self.attachments.iter().enumerate();
        let table = |r: &Scoped<TgwTableShape<'_>>| -> (Box<str>, Box<str>) {
            (Box::from(r.item.id()), Box::from(&*r.item.transit_gateway_id))
        };
        Index {
            vpcs: Names::of(&self.vpcs),
            subnets: Names::of(&self.subnets),
            interfaces: Names::of(&self.interfaces),
            instances: Names::of(&self.instances),
            route_tables: Names::of(&self.route_tables),
            groups: Names::of(&self.groups),
            prefix_lists: Names::of(&self.prefix_lists),
            internet_gateways: Names::of(&self.internet_gateways),
            egress_gateways: Names::of(&self.egress_gateways),
            nat_gateways: Names::of(&self.nat_gateways),
            endpoints: Names::of(&self.endpoints),
            peerings: Names::of(&self.peerings),
            transit_gateways: Names::of(&self.transit_gateways),
            tgw_tables: Names::of(&self.tgw_tables),
            policy_tables: Names::of(&self.policy_tables),
            virtual_gateways: Names::of(&self.virtual_gateways),
            attachments: attachments
                .map(|(at, r)| {
                    ((Box::from(r.item.id()), Box::from(r.item.side())), AttachmentId::from_index(at))
                })
                .collect(),
            table_gateways: self
                .tgw_tables
                .iter()
                .map(table)
                .filter(|(_, gateway)| !gateway.is_empty())
                .collect(),
            attachment_names: Names::of(&self.attachments),
        }
    }
}

/// Unites the calls that describe attachments and tables of transit gateways.
fn transit<'a>(found: &mut Collected<'a>, places: &Places<'_>) -> Result<TransitAnswers<'a>, LoadError> {
    let gateways = found.transit_gateways.iter();
    let gateways: BTreeSet<Box<str>> = gateways.map(|r| Box::from(r.item.id())).collect();
    let (vpcs, peerings) =
        (std::mem::take(&mut found.vpc_attachments), std::mem::take(&mut found.peering_attachments));
    complete_attachments(&mut found.attachments, &vpcs, &peerings, &found.connects, &gateways);
    let answers = TransitAnswers {
        vpcs: merge(vpcs, places)?.into_iter().map(|r| (Box::from(r.item.id()), r.item)).collect(),
        peerings: merge(peerings, places)?.into_iter().map(|r| (Box::from(r.item.id()), r.item)).collect(),
        associations: std::mem::take(&mut found.tgw_associations),
        propagations: std::mem::take(&mut found.tgw_propagations),
        routes: std::mem::take(&mut found.tgw_routes),
        static_routes: std::mem::take(&mut found.tgw_static_routes),
        references: std::mem::take(&mut found.tgw_references),
    };
    complete_tables(&mut found.tgw_tables, &answers);
    Ok(answers)
}
