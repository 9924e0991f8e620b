//! VPC endpoints and peering connections (R-VPCE-1, R-PCX-1).

use super::context::{Context, Identity};
use super::error::LoadError;
use super::record::{Resource, Scoped, fill, share_tags};
use super::value::{List, StateShape, Tag, Text, shape};
use crate::snapshot::{Endpoint, EndpointKind, Peering, PeeringSide};
use crate::source::Source;

shape! {
    /// `DescribeVpcEndpoints.VpcEndpoints[]`.
    EndpointShape<'a> as "a VPC endpoint" {
        vpc_endpoint_id: Text<'a>,
        vpc_endpoint_type: Text<'a>,
        service_name: Text<'a>,
        state: Text<'a>,
        vpc_id: Text<'a>,
        route_table_ids: List<Text<'a>>,
        subnet_ids: List<Text<'a>>,
        network_interface_ids: List<Text<'a>>,
        groups: List<EndpointGroupShape<'a>>,
        policy_document: Text<'a>,
        owner_id: Text<'a>,
        tags: List<Tag<'a>>,
    }
}

shape! {
    /// `VpcEndpoints[].Groups[]`.
    EndpointGroupShape<'a> as "a group id" { group_id: Text<'a>, }
}

shape! {
    /// `DescribeVpcPeeringConnections.VpcPeeringConnections[]`.
    PeeringShape<'a> as "a VPC peering connection" {
        vpc_peering_connection_id: Text<'a>,
        status: Option<StateShape<'a>>,
        requester_vpc_info: Option<SideShape<'a>>,
        accepter_vpc_info: Option<SideShape<'a>>,
        tags: List<Tag<'a>>,
    }
}

shape! {
    /// `RequesterVpcInfo` and `AccepterVpcInfo`.
    SideShape<'a> as "a side of a peering connection" {
        vpc_id: Text<'a>,
        owner_id: Text<'a>,
        region: Text<'a>,
        cidr_block: Text<'a>,
        cidr_block_set: List<SideBlockShape<'a>>,
        ipv6_cidr_block_set: List<SideBlockShape<'a>>,
    }
}

shape! {
    /// `CidrBlockSet[]` and `Ipv6CidrBlockSet[]`.
    SideBlockShape<'a> as "a CIDR block" { cidr_block: Text<'a>, ipv6_cidr_block: Text<'a>, }
}

impl Resource for EndpointShape<'_> {
    const ID_FIELD: &'static str = "VpcEndpointId";
    fn id(&self) -> &str {
        &self.vpc_endpoint_id
    }
    fn owner(&self) -> Option<&str> {
        self.owner_id.shown()
    }
    fn reconcile(&mut self, other: &mut Self) {
        share_tags(&mut self.tags, &mut other.tags);
    }
}

impl Resource for PeeringShape<'_> {
    const ID_FIELD: &'static str = "VpcPeeringConnectionId";
    fn id(&self) -> &str {
        &self.vpc_peering_connection_id
    }
    fn owner(&self) -> Option<&str> {
        self.requester_vpc_info.as_ref().and_then(|side| side.owner_id.shown())
    }
    fn reconcile(&mut self, other: &mut Self) {
        share_tags(&mut self.tags, &mut other.tags);
        level(&mut self.requester_vpc_info, &mut other.requester_vpc_info);
        level(&mut self.accepter_vpc_info, &mut other.accepter_vpc_info);
    }
}

/// Each account sees its own side best: what one description lacks the other gives.
fn level<'a>(one: &mut Option<SideShape<'a>>, other: &mut Option<SideShape<'a>>) {
    let (one, other) = (one.get_or_insert_default(), other.get_or_insert_default());
    fill(&mut one.vpc_id, &mut other.vpc_id);
    fill(&mut one.owner_id, &mut other.owner_id);
    fill(&mut one.region, &mut other.region);
    fill(&mut one.cidr_block, &mut other.cidr_block);
    for (one, other) in [
        (&mut one.cidr_block_set, &mut other.cidr_block_set),
        (&mut one.ipv6_cidr_block_set, &mut other.ipv6_cidr_block_set),
    ] {
        match (one.is_empty(), other.is_empty()) {
            (true, false) => one.clone_from(other),
            (false, true) => other.clone_from(one),
            _ => {}
        }
    }
}

/// Converts a VPC endpoint.
pub(super) fn endpoint(record: Scoped<EndpointShape<'_>>, context: &Context<'_>) -> Endpoint {
    let Scoped { scope, source, item } = record;
    let index = &context.index;
    let (kind, kind_name) = kind(&item);
    Endpoint {
        meta: Identity {
            id: &item.vpc_endpoint_id,
            owner: &item.owner_id,
            arn: &Text::default(),
            tags: &item.tags,
        }
        .meta(scope, &source),
        kind,
        kind_name: kind_name.into(),
        service: (&*item.service_name).into(),
        state: item.state.lower(),
        vpc: index.vpcs.refer(&item.vpc_id),
        tables: item.route_table_ids.iter().map(|id| index.route_tables.refer(id)).collect(),
        subnets: item.subnet_ids.iter().map(|id| index.subnets.refer(id)).collect(),
        interfaces: item.network_interface_ids.iter().map(|id| index.interfaces.refer(id)).collect(),
        groups: item.groups.iter().map(|group| index.groups.refer(&group.group_id)).collect(),
        policy: item.policy_document.shared(),
    }
}

/// The type; an answer from before the field existed tells it by what the endpoint has.
fn kind<'r>(item: &'r EndpointShape<'_>) -> (EndpointKind, &'r str) {
    match item.vpc_endpoint_type.shown() {
        Some(name) if name.eq_ignore_ascii_case("gateway") => (EndpointKind::Gateway, name),
        Some(name) if name.eq_ignore_ascii_case("interface") => (EndpointKind::Interface, name),
        Some(name) if name.eq_ignore_ascii_case("gatewayloadbalancer") => {
            (EndpointKind::GatewayLoadBalancer, name)
        }
        Some(name) => (EndpointKind::Other, name),
        None if !item.network_interface_ids.is_empty() => (EndpointKind::Interface, "Interface"),
        None if !item.route_table_ids.is_empty() => (EndpointKind::Gateway, "Gateway"),
        None => (EndpointKind::Other, ""),
    }
}

/// Converts a peering connection.
pub(super) fn peering(
    record: Scoped<PeeringShape<'_>>,
    context: &mut Context<'_>,
) -> Result<Peering, LoadError> {
    let Scoped { scope, source, item } = record;
    let id = &item.vpc_peering_connection_id;
    let identity = Identity { id, owner: &Text::default(), arn: &Text::default(), tags: &item.tags };
    Ok(Peering {
        meta: identity.meta(scope, &source),
        state: item.status.as_ref().and_then(|status| status.code.lower()),
        requester: side(id, item.requester_vpc_info.as_ref(), &source.below("/RequesterVpcInfo"), context)?,
        accepter: side(id, item.accepter_vpc_info.as_ref(), &source.below("/AccepterVpcInfo"), context)?,
    })
}

fn side(
    id: &str,
    shape: Option<&SideShape<'_>>,
    source: &Source,
    context: &mut Context<'_>,
) -> Result<PeeringSide, LoadError> {
    let empty = SideShape::default();
    let shape = shape.unwrap_or(&empty);
    let sets = shape.cidr_block_set.iter().chain(shape.ipv6_cidr_block_set.iter());
    let listed = sets.filter_map(|block| block.cidr_block.shown().or(block.ipv6_cidr_block.shown()));
    let mut cidrs = Vec::new();
    for text in shape.cidr_block.shown().into_iter().chain(listed) {
        cidrs.push(context.block(id, source, text)?);
    }
    cidrs.sort();
    cidrs.dedup();
    Ok(PeeringSide {
        vpc: context.index.vpcs.refer(&shape.vpc_id),
        account: shape.owner_id.shared(),
        region: shape.region.shared(),
        cidrs,
    })
}
