//! Gateways of a VPC and VPN connections (R-IGW-1, R-NAT-1, R-VPN-1).

use super::context::{Context, Identity};
use super::error::LoadError;
use super::record::{Resource, Scoped, share_tags};
use super::value::{Flag, List, Tag, Text, shape};
use crate::snapshot::{
    EgressGateway, GatewayAttachment, InternetGateway, NatAddress, NatGateway, VirtualGateway, VpnConnection,
    VpnTerminus,
};
use crate::source::Source;

shape! {
    /// Internet, egress-only and virtual private gateways.
    GatewayShape<'a> as "a gateway" {
        internet_gateway_id: Text<'a>,
        egress_only_internet_gateway_id: Text<'a>,
        vpn_gateway_id: Text<'a>,
        state: Text<'a>,
        owner_id: Text<'a>,
        #[serde(alias = "VpcAttachments")]
        attachments: Option<List<AttachedShape<'a>>>,
        tags: List<Tag<'a>>,
    }
}

shape! {
    /// `Attachments[]` and `VpcAttachments[]`.
    AttachedShape<'a> as "a gateway attachment" { vpc_id: Text<'a>, state: Text<'a>, }
}

shape! {
    /// `DescribeNatGateways.NatGateways[]`.
    NatShape<'a> as "a NAT gateway" {
        nat_gateway_id: Text<'a>,
        state: Text<'a>,
        connectivity_type: Text<'a>,
        availability_mode: Text<'a>,
        vpc_id: Text<'a>,
        subnet_id: Text<'a>,
        route_table_id: Text<'a>,
        nat_gateway_addresses: List<NatAddressShape<'a>>,
        attached_appliances: List<ApplianceShape<'a>>,
        tags: List<Tag<'a>>,
    }
}

shape! {
    /// `NatGatewayAddresses[]`.
    NatAddressShape<'a> as "a NAT gateway address" {
        network_interface_id: Text<'a>,
        private_ip: Text<'a>,
        public_ip: Text<'a>,
        is_primary: Flag,
        status: Text<'a>,
    }
}

shape! {
    /// `AttachedAppliances[]`.
    ApplianceShape<'a> as "an attached appliance" {
        #[serde(rename = "Type")]
        kind: Text<'a>,
        vpc_endpoint_id: Text<'a>,
    }
}

shape! {
    /// `DescribeVpnConnections.VpnConnections[]`.
    VpnShape<'a> as "a VPN connection" {
        vpn_connection_id: Text<'a>,
        state: Text<'a>,
        vpn_gateway_id: Text<'a>,
        transit_gateway_id: Text<'a>,
        routes: List<VpnRouteShape<'a>>,
        vgw_telemetry: List<TunnelShape<'a>>,
        tags: List<Tag<'a>>,
    }
}

shape! {
    /// `VpnConnections[].Routes[]`.
    VpnRouteShape<'a> as "a VPN route" { destination_cidr_block: Text<'a>, state: Text<'a>, }
}

shape! {
    /// `VpnConnections[].VgwTelemetry[]`.
    TunnelShape<'a> as "a VPN tunnel" { status: Text<'a>, }
}

impl Resource for GatewayShape<'_> {
    const ID_FIELD: &'static str = "InternetGatewayId` or `EgressOnlyInternetGatewayId` or `VpnGatewayId";
    fn id(&self) -> &str {
        gateway_id(self)
    }
    fn owner(&self) -> Option<&str> {
        self.owner_id.shown()
    }
    fn reconcile(&mut self, other: &mut Self) {
        share_tags(&mut self.tags, &mut other.tags);
    }
}

impl Resource for NatShape<'_> {
    const ID_FIELD: &'static str = "NatGatewayId";
    fn id(&self) -> &str {
        &self.nat_gateway_id
    }
    fn reconcile(&mut self, other: &mut Self) {
        share_tags(&mut self.tags, &mut other.tags);
    }
}

impl Resource for VpnShape<'_> {
    const ID_FIELD: &'static str = "VpnConnectionId";
    fn id(&self) -> &str {
        &self.vpn_connection_id
    }
    fn reconcile(&mut self, other: &mut Self) {
        share_tags(&mut self.tags, &mut other.tags);
    }
}

fn gateway_id<'r, 'a>(shape: &'r GatewayShape<'a>) -> &'r Text<'a> {
    let ids = [&shape.internet_gateway_id, &shape.egress_only_internet_gateway_id];
    ids.into_iter().find(|id| !id.is_empty()).unwrap_or(&shape.vpn_gateway_id)
}

/// R-DATA-12: a record that does not show its attachments may have any; one that shows none has none.
fn attachments(
    shape: &GatewayShape<'_>,
    source: &Source,
    context: &mut Context<'_>,
) -> Vec<GatewayAttachment> {
    if shape.attachments.is_none() {
        context.gap(gateway_id(shape), source, "does not show what it is attached to; collect it again");
    }
    let convert = |attached: &AttachedShape<'_>| GatewayAttachment {
        vpc: context.index.vpcs.refer(&attached.vpc_id),
        state: attached.state.lower(),
    };
    shape.attachments.iter().flat_map(|list| list.iter()).map(convert).collect()
}

fn meta(shape: &GatewayShape<'_>, scope: crate::id::ScopeId, source: &Source) -> crate::snapshot::Meta {
    Identity { id: gateway_id(shape), owner: &shape.owner_id, arn: &Text::default(), tags: &shape.tags }
        .meta(scope, source)
}

/// Converts an internet gateway.
pub(super) fn internet(record: &Scoped<GatewayShape<'_>>, context: &mut Context<'_>) -> InternetGateway {
    let Scoped { scope, source, item } = record;
    InternetGateway { meta: meta(item, *scope, source), attachments: attachments(item, source, context) }
}

/// Converts an egress-only internet gateway.
pub(super) fn egress_only(record: &Scoped<GatewayShape<'_>>, context: &mut Context<'_>) -> EgressGateway {
    let Scoped { scope, source, item } = record;
    EgressGateway { meta: meta(item, *scope, source), attachments: attachments(item, source, context) }
}

/// Converts a virtual private gateway.
pub(super) fn virtual_private(
    record: &Scoped<GatewayShape<'_>>,
    context: &mut Context<'_>,
) -> VirtualGateway {
    let Scoped { scope, source, item } = record;
    let state = item.state.lower();
    VirtualGateway {
        meta: meta(item, *scope, source),
        state,
        attachments: attachments(item, source, context),
    }
}

/// Converts a NAT gateway.
pub(super) fn nat(record: Scoped<NatShape<'_>>, context: &Context<'_>) -> Result<NatGateway, LoadError> {
    let Scoped { scope, source, item } = record;
    let mut addresses = Vec::with_capacity(item.nat_gateway_addresses.len());
    for (index, shape) in item.nat_gateway_addresses.iter().enumerate() {
        let place = source.below(&format!("/NatGatewayAddresses/{index}"));
        addresses.push((!shape.is_primary.is_set(), nat_address(shape, &place, context)?));
    }
    // Stable: where no address says that it is primary, the input's order stays.
    addresses.sort_by_key(|(secondary, _)| *secondary);
    Ok(NatGateway {
        meta: Identity {
            id: &item.nat_gateway_id,
            owner: &Text::default(),
            arn: &Text::default(),
            tags: &item.tags,
        }
        .meta(scope, &source),
        state: item.state.lower(),
        connectivity: item.connectivity_type.lower(),
        mode: item.availability_mode.lower(),
        vpc: context.index.vpcs.refer(&item.vpc_id),
        subnet: item.subnet_id.shown().map(|id| context.index.subnets.refer(id)),
        table: item.route_table_id.shown().map(|id| context.index.route_tables.refer(id)),
        addresses: addresses.into_iter().map(|(_, address)| address).collect(),
        appliances: item.attached_appliances.iter().map(|appliance| (&*appliance.kind).into()).collect(),
        appliance_endpoints: item
            .attached_appliances
            .iter()
            .filter_map(|appliance| appliance.vpc_endpoint_id.shown())
            .map(|id| context.index.endpoints.refer(id))
            .collect(),
    })
}

fn nat_address(
    shape: &NatAddressShape<'_>,
    source: &Source,
    context: &Context<'_>,
) -> Result<NatAddress, LoadError> {
    let ip = |text: &Text<'_>| text.shown().map(|text| context.ipv4(source, text)).transpose();
    Ok(NatAddress {
        interface: shape.network_interface_id.shown().map(|id| context.index.interfaces.refer(id)),
        private: ip(&shape.private_ip)?,
        public: ip(&shape.public_ip)?,
        state: shape.status.lower(),
    })
}

/// R-VPN-2: whether a static route in this state is one that the gateway has for certain.
fn is_route(state: &Text<'_>) -> bool {
    state.is_empty() || state.is("available")
}

/// Converts a VPN connection.
pub(super) fn vpn(
    record: Scoped<VpnShape<'_>>,
    context: &mut Context<'_>,
) -> Result<VpnConnection, LoadError> {
    let Scoped { scope, source, item } = record;
    let mut routes = Vec::new();
    for (index, route) in item.routes.iter().enumerate() {
        if let Some(text) = route.destination_cidr_block.shown().filter(|_| is_route(&route.state)) {
            routes.push(context.block(
                &item.vpn_connection_id,
                &source.below(&format!("/Routes/{index}")),
                text,
            )?);
        }
    }
    let terminus = match (item.vpn_gateway_id.shown(), item.transit_gateway_id.shown()) {
        (Some(id), _) => VpnTerminus::VirtualGateway(context.index.virtual_gateways.refer(id)),
        (None, Some(id)) => VpnTerminus::TransitGateway(context.index.transit_gateways.refer(id)),
        (None, None) => VpnTerminus::Other,
    };
    let identity = Identity {
        id: &item.vpn_connection_id,
        owner: &Text::default(),
        arn: &Text::default(),
        tags: &item.tags,
    };
    let down =
        !item.vgw_telemetry.is_empty() && item.vgw_telemetry.iter().all(|tunnel| tunnel.status.is("down"));
    Ok(VpnConnection {
        meta: identity.meta(scope, &source),
        state: item.state.lower(),
        terminus,
        routes,
        down,
    })
}
