//! VPC route tables: associations, destinations and targets (R-ROUTE-1, R-ROUTE-3, R-ROUTE-4).

use super::context::{Context, Identity, Index};
use super::error::LoadError;
use super::record::{Resource, Scoped, share_tags};
use super::value::{Flag, List, StateShape, Tag, Text, shape};
use crate::id::Ref;
use crate::snapshot::{AssociationTarget, Destination, Route, RouteTable, State, TableAssociation, Target};
use crate::source::Source;

shape! {
    /// `DescribeRouteTables.RouteTables[]`.
    RouteTableShape<'a> as "a route table" {
        route_table_id: Text<'a>,
        vpc_id: Text<'a>,
        owner_id: Text<'a>,
        associations: List<AssociationShape<'a>>,
        propagating_vgws: List<VgwShape<'a>>,
        routes: Option<List<RouteShape<'a>>>,
        tags: List<Tag<'a>>,
    }
}

shape! {
    /// `RouteTables[].Associations[]`.
    AssociationShape<'a> as "a route table association" {
        main: Flag,
        subnet_id: Text<'a>,
        gateway_id: Text<'a>,
        public_ipv4_pool: Text<'a>,
        association_state: Option<StateShape<'a>>,
    }
}

shape! {
    /// `RouteTables[].PropagatingVgws[]`.
    VgwShape<'a> as "a propagating gateway" { gateway_id: Text<'a>, }
}

shape! {
    /// `RouteTables[].Routes[]`.
    RouteShape<'a> as "a route" {
        destination_cidr_block: Text<'a>,
        destination_ipv6_cidr_block: Text<'a>,
        destination_prefix_list_id: Text<'a>,
        gateway_id: Text<'a>,
        nat_gateway_id: Text<'a>,
        transit_gateway_id: Text<'a>,
        vpc_peering_connection_id: Text<'a>,
        network_interface_id: Text<'a>,
        instance_id: Text<'a>,
        egress_only_internet_gateway_id: Text<'a>,
        core_network_arn: Text<'a>,
        local_gateway_id: Text<'a>,
        carrier_gateway_id: Text<'a>,
        odb_network_arn: Text<'a>,
        ip_address: Text<'a>,
        origin: Text<'a>,
        state: Text<'a>,
    }
}

impl Resource for RouteTableShape<'_> {
    const ID_FIELD: &'static str = "RouteTableId";
    fn id(&self) -> &str {
        &self.route_table_id
    }
    fn owner(&self) -> Option<&str> {
        self.owner_id.shown()
    }
    fn reconcile(&mut self, other: &mut Self) {
        share_tags(&mut self.tags, &mut other.tags);
    }
}

/// Converts a route table.
pub(super) fn route_table(
    record: Scoped<RouteTableShape<'_>>,
    context: &mut Context<'_>,
) -> Result<RouteTable, LoadError> {
    let Scoped { scope, source, item } = record;
    if item.routes.is_none() {
        context.gap(&item.route_table_id, &source, "shows no `Routes`; they may lead anywhere");
    }
    let shapes = item.routes.as_ref().map_or(&[][..], |list| list);
    let mut routes = Vec::with_capacity(shapes.len());
    for (index, shape) in shapes.iter().enumerate() {
        routes.push(route(&item, shape, source.below(&format!("/Routes/{index}")), context)?);
    }
    let propagating = item.propagating_vgws.iter();
    Ok(RouteTable {
        meta: Identity {
            id: &item.route_table_id,
            owner: &item.owner_id,
            arn: &Text::default(),
            tags: &item.tags,
        }
        .meta(scope, &source),
        vpc: context.index.vpcs.refer(&item.vpc_id),
        associations: item.associations.iter().flat_map(|shape| associations(shape, context.index)).collect(),
        routes,
        propagating: propagating.map(|vgw| context.index.virtual_gateways.refer(&vgw.gateway_id)).collect(),
    })
}

/// The targets of one association: the main table may also be named for a subnet.
fn associations(shape: &AssociationShape<'_>, index: &Index) -> Vec<TableAssociation> {
    let state: State = shape.association_state.as_ref().and_then(|state| state.state.lower());
    let mut targets = Vec::new();
    if shape.main.is_set() {
        targets.push(AssociationTarget::Main);
    }
    if let Some(subnet) = shape.subnet_id.shown() {
        targets.push(AssociationTarget::Subnet(index.subnets.refer(subnet)));
    }
    if let Some(pool) = shape.public_ipv4_pool.shown() {
        targets.push(AssociationTarget::PublicPool(pool.into()));
    } else if let Some(gateway) = shape.gateway_id.shown() {
        targets.push(edge(gateway, index));
    }
    if targets.is_empty() {
        targets.push(AssociationTarget::Unknown("".into()));
    }
    targets.into_iter().map(|target| TableAssociation { target, state: state.clone() }).collect()
}

/// The gateway of an edge table; the prefix decides only for an id that names nothing (R-DATA-7).
fn edge(gateway: &str, index: &Index) -> AssociationTarget {
    if let Some(id) = index.internet_gateways.find(gateway) {
        AssociationTarget::InternetGateway(Ref::Known(id))
    } else if let Some(id) = index.virtual_gateways.find(gateway) {
        AssociationTarget::VirtualGateway(Ref::Known(id))
    } else if gateway.starts_with("igw-") {
        AssociationTarget::InternetGateway(Ref::Missing(gateway.into()))
    } else if gateway.starts_with("vgw-") {
        AssociationTarget::VirtualGateway(Ref::Missing(gateway.into()))
    } else {
        AssociationTarget::Unknown(gateway.into())
    }
}

fn route(
    table: &RouteTableShape<'_>,
    shape: &RouteShape<'_>,
    source: Source,
    context: &mut Context<'_>,
) -> Result<Route, LoadError> {
    let blocks = [
        ("DestinationCidrBlock", &shape.destination_cidr_block),
        ("DestinationIpv6CidrBlock", &shape.destination_ipv6_cidr_block),
    ];
    let mut destinations = Vec::new();
    for (field, text) in blocks {
        if let Some(text) = text.shown() {
            let place = source.below(&format!("/{field}"));
            let block = context.rule_block(&table.route_table_id, &place, text)?;
            destinations.push(block.map_or(Destination::Unknown, Destination::Cidr));
        }
    }
    if let Some(list) = shape.destination_prefix_list_id.shown() {
        destinations.push(Destination::PrefixList(context.index.prefix_lists.refer(list)));
    }
    let destination = match (destinations.pop(), destinations.is_empty()) {
        (Some(only), true) => only,
        _ => {
            context.notice(
                &table.route_table_id,
                &source,
                "the route has not exactly one destination; it may match anything",
            );
            Destination::Unknown
        }
    };
    let target = target(shape, context.index);
    Ok(Route { destination, target, state: shape.state.lower(), origin: shape.origin.shared(), source })
}

/// The target of a route (R-ROUTE-4).
fn target(shape: &RouteShape<'_>, index: &Index) -> Target {
    let mut targets: Vec<Target> = modelled(shape, index);
    let unmodelled = [
        ("CoreNetworkArn", &shape.core_network_arn),
        ("LocalGatewayId", &shape.local_gateway_id),
        ("CarrierGatewayId", &shape.carrier_gateway_id),
        ("OdbNetworkArn", &shape.odb_network_arn),
    ];
    let shown = unmodelled.iter().filter_map(|(field, id)| Some((*field, id.shown()?)));
    targets.extend(shown.map(|(field, id)| Target::Unmodelled { field: field.into(), id: id.into() }));
    if targets.is_empty()
        && let Some(next_hop) = shape.ip_address.shown()
    {
        targets.push(Target::Unmodelled { field: "IpAddress".into(), id: next_hop.into() });
    }
    match (targets.pop(), targets.is_empty()) {
        (Some(only), true) => only,
        (None, _) => Target::Unmodelled { field: "none".into(), id: "".into() },
        (Some(_), false) => Target::Unmodelled { field: "several".into(), id: "".into() },
    }
}

fn modelled(shape: &RouteShape<'_>, index: &Index) -> Vec<Target> {
    let mut targets = Vec::new();
    targets.extend(shape.gateway_id.shown().map(|id| gateway(id, index)));
    targets.extend(shape.nat_gateway_id.shown().map(|id| Target::Nat(index.nat_gateways.refer(id))));
    targets.extend(
        shape.transit_gateway_id.shown().map(|id| Target::TransitGateway(index.transit_gateways.refer(id))),
    );
    targets
        .extend(shape.vpc_peering_connection_id.shown().map(|id| Target::Peering(index.peerings.refer(id))));
    let egress_only = shape.egress_only_internet_gateway_id.shown();
    targets.extend(egress_only.map(|id| Target::EgressGateway(index.egress_gateways.refer(id))));
    // A route to an instance also names the interface that was its primary one when the route was made.
    match (shape.network_interface_id.shown(), shape.instance_id.shown()) {
        (Some(id), _) => targets.push(Target::Interface(index.interfaces.refer(id))),
        (None, Some(id)) => targets.push(Target::Instance(index.instances.refer(id))),
        (None, None) => {}
    }
    targets
}

/// What a `GatewayId` names; the prefix decides only for an id that names nothing in the snapshot (R-DATA-7).
fn gateway(id: &str, index: &Index) -> Target {
    if id == "local" {
        return Target::Local;
    }
    let known = [
        index.internet_gateways.knows(id).then(|| Target::InternetGateway(index.internet_gateways.refer(id))),
        index.virtual_gateways.knows(id).then(|| Target::VirtualGateway(index.virtual_gateways.refer(id))),
        index.endpoints.knows(id).then(|| Target::Endpoint(index.endpoints.refer(id))),
        index.nat_gateways.knows(id).then(|| Target::Nat(index.nat_gateways.refer(id))),
        index.transit_gateways.knows(id).then(|| Target::TransitGateway(index.transit_gateways.refer(id))),
        index.egress_gateways.knows(id).then(|| Target::EgressGateway(index.egress_gateways.refer(id))),
    ];
    known.into_iter().flatten().next().unwrap_or_else(|| gateway_by_prefix(id))
}

/// R-DATA-8: what a gateway id names, where one field holds several kinds.
fn gateway_by_prefix(id: &str) -> Target {
    let missing = id.into();
    match id.split_once('-').map_or("", |(prefix, _)| prefix) {
        "igw" => Target::InternetGateway(Ref::Missing(missing)),
        "vgw" => Target::VirtualGateway(Ref::Missing(missing)),
        "vpce" => Target::Endpoint(Ref::Missing(missing)),
        "nat" => Target::Nat(Ref::Missing(missing)),
        "tgw" => Target::TransitGateway(Ref::Missing(missing)),
        "eigw" => Target::EgressGateway(Ref::Missing(missing)),
        _ => Target::Unmodelled { field: "GatewayId".into(), id: missing },
    }
}
