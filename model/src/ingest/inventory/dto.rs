//! Shapes of the inventories, as `aws … describe-*` and `list-*` print them: private, lenient, without meaning.
//!
//! Every field is optional, `null` counts as absent and unknown fields are ignored (R-DATA-6). An element of a list
//! that cannot be read is counted, never an error: one odd answer must not hide the others.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::id::ScopeId;
use crate::ingest::value::{Flag, List, Text};
use crate::source::Source;

/// An owned string; empty means not shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name(Box<str>);

impl Name {
    /// The text for the snapshot.
    pub(super) fn boxed(&self) -> Box<str> {
        self.0.clone()
    }
}

impl Deref for Name {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Text::deserialize(deserializer).map(|text| Self(text.shown().unwrap_or_default().into()))
    }
}

/// A value of the expected shape, or anything else.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(untagged)]
pub(super) enum Lenient<T> {
    /// As expected.
    Read(T),
    /// Something else.
    Unreadable(IgnoredAny),
}

/// A value written as an object, as all shapes here are: a list would else be read as one with nothing shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

/// One element of an answer with its place.
#[derive(Clone, Debug)]
pub(super) struct Placed<T> {
    /// The account and Region of the answer.
    pub(super) scope: ScopeId,
    /// Where it stands.
    pub(super) source: Source,
    /// The element.
    pub(super) value: T,
}

impl<T> Deref for Placed<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

macro_rules! shapes {
    ($($(#[$doc:meta])* $name:ident { $($(#[$meta:meta])* $field:ident: $ty:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, serde::Deserialize)]
        #[serde(rename_all = "PascalCase", default)]
        pub(super) struct $name { $($(#[$meta])* pub(super) $field: $ty,)* }
    )*};
}

shapes! {
    /// `Status: {Code}` and `State: {Code}`.
    Code { code: Name, }
    /// `elbv2 describe-load-balancers`.
    LoadBalancer {
        load_balancer_arn: Name,
        #[serde(rename = "Type")]
        kind: Name,
        scheme: Name,
        vpc_id: Name,
        availability_zones: List<BalancerZone>,
        security_groups: List<Name>,
    }
    /// One enabled zone of a load balancer.
    BalancerZone { subnet_id: Name, }
    /// `elb describe-load-balancers`.
    ClassicLoadBalancer {
        load_balancer_name: Name,
        scheme: Name,
        #[serde(rename = "VPCId", alias = "VpcId")]
        vpc_id: Name,
        subnets: List<Name>,
        security_groups: List<Name>,
        instances: Option<List<IgnoredAny>>,
    }
    /// `elbv2 describe-target-groups`.
    TargetGroup { target_group_arn: Name, load_balancer_arns: Option<List<Name>>, }
    /// `elbv2 describe-target-health`.
    TargetHealth { target: Target, }
    /// A registered target.
    Target { id: Name, port: Name, }
    /// Target health wrapped with its target group, as some collectors write it.
    WrappedTargetHealth { target_group_arn: Name, target_health_descriptions: List<Lenient<TargetHealth>>, }
    /// `network-firewall list-firewalls` and the `Firewall` of `describe-firewall`.
    Firewall { firewall_name: Name, firewall_arn: Name, vpc_id: Name, subnet_mappings: List<BalancerZone>, }
    /// The `FirewallStatus` of `describe-firewall`; also the status of a VPC endpoint association.
    FirewallStatus { sync_states: Option<BTreeMap<Box<str>, SyncState>>, association_sync_state: Option<BTreeMap<Box<str>, SyncState>>, }
    /// The endpoint of a firewall in one zone.
    SyncState { attachment: Option<FirewallAttachment>, }
    /// Where the endpoint is.
    FirewallAttachment { subnet_id: Name, endpoint_id: Name, }
    /// `globalaccelerator list-accelerators`.
    Accelerator { accelerator_arn: Name, name: Name, }
    /// `elbv2 describe-listeners` and `globalaccelerator list-listeners`.
    Listener { listener_arn: Name, load_balancer_arn: Name, default_actions: List<Lenient<ListenerAction>>, }
    /// What a listener does with what no rule of it matches.
    ListenerAction {
        #[serde(rename = "Type")]
        kind: Name,
    }
    /// Listeners wrapped with their load balancer, as some collectors write them.
    WrappedListeners { listeners: List<Lenient<Listener>>, }
    /// `globalaccelerator list-endpoint-groups`, also of custom routing accelerators.
    EndpointGroup { endpoint_group_arn: Name, endpoint_group_region: Name, endpoint_descriptions: Option<List<EndpointDescription>>, }
    /// An endpoint of an accelerator: an instance, Elastic IP allocation, subnet, or load balancer ARN.
    EndpointDescription { endpoint_id: Name, }
    /// `cloudfront list-vpc-origins`.
    VpcOriginList { items: List<Lenient<Object<VpcOrigin>>>, }
    /// A VPC origin; `get-vpc-origin` has the ARN in the configuration.
    VpcOrigin { id: Name, origin_endpoint_arn: Name, vpc_origin_endpoint_config: Option<VpcOriginConfig>, }
    /// The configuration of a VPC origin.
    VpcOriginConfig { arn: Name, }
    /// `ec2 describe-instance-connect-endpoints`.
    InstanceConnectEndpoint {
        instance_connect_endpoint_id: Name,
        state: Name,
        network_interface_ids: List<Name>,
        subnet_id: Name,
        security_group_ids: List<Name>,
    }
    /// `ec2 describe-verified-access-endpoints`.
    VerifiedAccessEndpoint {
        verified_access_endpoint_id: Name,
        status: Option<Code>,
        security_group_ids: List<Name>,
        load_balancer_options: Option<VerifiedAccessTarget>,
        network_interface_options: Option<VerifiedAccessTarget>,
        rds_options: Option<VerifiedAccessTarget>,
        cidr_options: Option<VerifiedAccessTarget>,
    }
    /// What a Verified Access endpoint leads to.
    VerifiedAccessTarget { load_balancer_arn: Name, network_interface_id: Name, subnet_ids: List<Name>, }
    /// `ec2 describe-client-vpn-endpoints`.
    ClientVpnEndpoint {
        client_vpn_endpoint_id: Name,
        status: Option<Code>,
        vpc_id: Name,
        security_group_ids: List<Name>,
        associated_target_networks: List<AssociatedNetwork>,
    }
    /// A subnet of a Client VPN endpoint, as the endpoint itself prints it.
    AssociatedNetwork { network_id: Name, }
    /// `ec2 describe-client-vpn-target-networks`.
    ClientVpnTargetNetwork {
        client_vpn_endpoint_id: Name,
        target_network_id: Name,
        status: Option<Code>,
        security_groups: List<Name>,
    }
    /// `ec2 describe-vpc-endpoint-service-configurations`.
    ServiceConfiguration {
        service_id: Name,
        service_name: Name,
        service_state: Name,
        acceptance_required: Flag,
        network_load_balancer_arns: List<Name>,
        gateway_load_balancer_arns: List<Name>,
    }
    /// `ec2 describe-vpc-endpoint-connections`.
    VpcEndpointConnection { service_id: Name, vpc_endpoint_id: Name, vpc_endpoint_state: Name, }
    /// `ec2 describe-carrier-gateways`.
    CarrierGateway { carrier_gateway_id: Name, vpc_id: Name, state: Name, }
    /// `networkmanager list-core-networks`, `get-core-network`.
    CoreNetwork { core_network_id: Name, core_network_arn: Name, }
    /// `networkmanager list-attachments`.
    CoreAttachment { core_network_id: Name, core_network_arn: Name, resource_arn: Name, }
    /// `directconnect describe-direct-connect-gateways`.
    DxGatewayShape {
        #[serde(alias = "directConnectGatewayId")]
        direct_connect_gateway_id: Name,
    }
    /// `directconnect describe-direct-connect-gateway-associations`.
    DxAssociation {
        #[serde(alias = "directConnectGatewayId")]
        direct_connect_gateway_id: Name,
        #[serde(alias = "associationState")]
        association_state: Name,
        #[serde(alias = "associatedGateway")]
        associated_gateway: Option<DxAssociated>,
        #[serde(alias = "virtualGatewayId")]
        virtual_gateway_id: Name,
    }
    /// The gateway at the AWS side of an association.
    DxAssociated {
        #[serde(alias = "id")]
        id: Name,
    }
    /// `ec2 describe-traffic-mirror-sessions`.
    TrafficMirrorSession { traffic_mirror_session_id: Name, network_interface_id: Name, }
    /// `ec2 describe-transit-gateway-multicast-domains`.
    MulticastDomain { transit_gateway_multicast_domain_id: Name, transit_gateway_id: Name, state: Name, }
    /// An element of the `Items` of `apigatewayv2 get-vpc-links`; other calls print `Items` too.
    UpperItem { vpc_link_id: Name, security_group_ids: List<Name>, subnet_ids: List<Name>, }
}

/// An element of the `items` of `apigateway get-vpc-links` and of several `vpc-lattice list-*` calls.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct LowerItem {
    pub(super) id: Name,
    /// Only API Gateway prints it: network load balancers.
    pub(super) target_arns: List<Name>,
    /// Of a service network association.
    pub(super) service_network_id: Name,
    /// Of a service network association; `get-*` of a resource gateway says it too.
    pub(super) vpc_id: Name,
    /// Of a resource gateway or target group.
    pub(super) vpc_identifier: Name,
    /// Of a resource gateway.
    pub(super) subnet_ids: List<Name>,
    /// Of a resource gateway.
    pub(super) security_group_ids: List<Name>,
    /// Of a target group: `INSTANCE`, `IP`, `ALB`, `LAMBDA`.
    #[serde(rename = "type")]
    pub(super) kind: Name,
    pub(super) status: Name,
}
