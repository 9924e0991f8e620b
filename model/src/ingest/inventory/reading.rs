//! Reading inventories: one top-level key of one answer at a time.

use std::collections::BTreeSet;

use serde::de::{Deserialize, Deserializer, IgnoredAny};

use super::dto::{
    Accelerator, CarrierGateway, ClassicLoadBalancer, ClientVpnEndpoint, ClientVpnTargetNetwork,
    CoreAttachment, CoreNetwork, DxAssociation, DxGatewayShape, EndpointGroup, Firewall, FirewallStatus,
    InstanceConnectEndpoint, Lenient, Listener, LoadBalancer, LowerItem, MulticastDomain, Name, Object,
    Placed, ServiceConfiguration, TargetGroup, TargetHealth, TrafficMirrorSession, UpperItem,
    VerifiedAccessEndpoint, VpcEndpointConnection, VpcOrigin, VpcOriginList, WrappedListeners,
    WrappedTargetHealth,
};
use crate::finding::Gap;
use crate::id::{FileId, ScopeId};
use crate::source::Source;

/// The answers of the calls that list what the engine does not model.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inventories {
    pub(super) load_balancers: Vec<Placed<LoadBalancer>>,
    pub(super) classic: Vec<Placed<ClassicLoadBalancer>>,
    pub(super) target_groups: Vec<Placed<TargetGroup>>,
    pub(super) target_health: Vec<Placed<TargetHealth>>,
    pub(super) wrapped_health: Vec<Placed<WrappedTargetHealth>>,
    pub(super) firewalls: Vec<Placed<Firewall>>,
    pub(super) described_firewalls: Vec<Placed<Firewall>>,
    pub(super) firewall_statuses: Vec<Placed<FirewallStatus>>,
    pub(super) accelerators: Vec<Placed<Accelerator>>,
    pub(super) endpoint_groups: Vec<Placed<EndpointGroup>>,
    pub(super) listeners: Vec<Placed<Listener>>,
    pub(super) wrapped_listeners: Vec<Placed<WrappedListeners>>,
    pub(super) vpc_origins: Vec<Placed<VpcOrigin>>,
    pub(super) connect_endpoints: Vec<Placed<InstanceConnectEndpoint>>,
    pub(super) verified_access: Vec<Placed<VerifiedAccessEndpoint>>,
    pub(super) client_vpns: Vec<Placed<ClientVpnEndpoint>>,
    pub(super) client_vpn_networks: Vec<Placed<ClientVpnTargetNetwork>>,
    pub(super) services: Vec<Placed<ServiceConfiguration>>,
    pub(super) service_connections: Vec<Placed<VpcEndpointConnection>>,
    pub(super) carrier_gateways: Vec<Placed<CarrierGateway>>,
    pub(super) core_networks: Vec<Placed<CoreNetwork>>,
    pub(super) core_attachments: Vec<Placed<CoreAttachment>>,
    pub(super) dx_gateways: Vec<Placed<DxGatewayShape>>,
    pub(super) dx_associations: Vec<Placed<DxAssociation>>,
    pub(super) mirror_sessions: Vec<Placed<TrafficMirrorSession>>,
    pub(super) multicast_domains: Vec<Placed<MulticastDomain>>,
    pub(super) upper_items: Vec<Placed<UpperItem>>,
    pub(super) lower_items: Vec<Placed<LowerItem>>,
    pub(super) notebook_names: Vec<Placed<Name>>,
    pub(super) direct_internet: Vec<Placed<Name>>,
    pub(super) domain_ids: Vec<Placed<Name>>,
    pub(super) access_types: Vec<Placed<Name>>,
    pub(super) single_interfaces: Vec<Placed<Name>>,
    /// The key of each answer about one thing of several, and that thing as the file name has it.
    asked: BTreeSet<(Box<str>, Box<str>)>,
    unreadable: Vec<Source>,
}

/// Keys with the call that prints them; `None` where several calls do, so that the key proves nothing (R-DATA-9).
const KEYS: &[(&str, Option<&str>)] = &[
    ("Accelerator", None),
    ("Accelerators", Some("globalaccelerator list-accelerators")),
    ("AllowedPrincipals", Some("ec2 describe-vpc-endpoint-service-permissions")),
    ("AppNetworkAccessType", None),
    ("Attachments", Some("networkmanager list-attachments")),
    ("CarrierGateways", Some("ec2 describe-carrier-gateways")),
    ("ClientVpnEndpoints", Some("ec2 describe-client-vpn-endpoints")),
    ("ClientVpnTargetNetworks", Some("ec2 describe-client-vpn-target-networks")),
    ("CoreNetwork", None),
    ("CoreNetworks", Some("networkmanager list-core-networks")),
    ("DirectConnectGatewayAssociations", Some("directconnect describe-direct-connect-gateway-associations")),
    ("DirectConnectGateways", Some("directconnect describe-direct-connect-gateways")),
    ("DirectInternetAccess", None),
    ("DomainId", None),
    ("EndpointGroup", None),
    ("EndpointGroups", Some("globalaccelerator list-endpoint-groups")),
    ("Firewall", None),
    ("FirewallStatus", Some("network-firewall describe-firewall")),
    ("Firewalls", Some("network-firewall list-firewalls")),
    ("InstanceConnectEndpoints", Some("ec2 describe-instance-connect-endpoints")),
    ("Items", None),
    ("Listeners", None),
    ("LoadBalancerAttributes", None),
    ("LoadBalancerDescriptions", Some("elb describe-load-balancers")),
    ("LoadBalancerListeners", Some("elbv2 describe-listeners")),
    ("LoadBalancerTargetHealth", Some("elbv2 describe-target-health")),
    ("LoadBalancers", Some("elbv2 describe-load-balancers")),
    ("NetworkInterfaceId", None),
    ("NotebookInstanceArn", None),
    ("NotebookInstanceName", None),
    ("NotebookInstances", Some("sagemaker list-notebook-instances")),
    ("ServiceConfigurations", Some("ec2 describe-vpc-endpoint-service-configurations")),
    ("TargetGroups", Some("elbv2 describe-target-groups")),
    ("TargetHealthDescriptions", None),
    ("TrafficMirrorSessions", Some("ec2 describe-traffic-mirror-sessions")),
    ("TransitGatewayMulticastDomains", Some("ec2 describe-transit-gateway-multicast-domains")),
    ("VerifiedAccessEndpoints", Some("ec2 describe-verified-access-endpoints")),
    ("VpcEndpointAssociationStatus", None),
    ("VpcEndpointConnections", Some("ec2 describe-vpc-endpoint-connections")),
    ("VpcOrigin", None),
    ("VpcOriginList", Some("cloudfront list-vpc-origins")),
    ("directConnectGatewayAssociations", Some("directconnect describe-direct-connect-gateway-associations")),
    ("directConnectGateways", Some("directconnect describe-direct-connect-gateways")),
    ("items", None),
];

/// The call that prints a top-level key, in the form `elbv2 describe-load-balancers`; `None` if the key is unknown or
/// more than one call prints it.
pub(crate) fn call_of(key: &str) -> Option<&'static str> {
    KEYS.iter().find(|(known, _)| *known == key).and_then(|(_, call)| *call)
}

/// Every call with a key of its own.
pub(crate) fn inventory_calls() -> impl Iterator<Item = &'static str> {
    KEYS.iter().filter_map(|(_, call)| *call)
}

/// Every key that [`Inventories::read`] knows.
#[cfg(test)]
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    KEYS.iter().map(|(key, _)| *key)
}

impl Inventories {
    /// Whether [`Inventories::read`] knows the key.
    pub(crate) fn accepts(key: &str) -> bool {
        KEYS.iter().any(|(known, _)| *known == key)
    }

    /// Reads the value of one top-level key. Values of another shape are noted, never dropped in silence.
    ///
    /// # Errors
    /// Only what the deserializer itself reports: malformed input.
    pub(crate) fn read<'de, D>(&mut self, place: Place<'_>, d: D) -> Result<(), D::Error>
    where
        D: Deserializer<'de>,
    {
        let key = place.key;
        if let Some(parent) = place.parent {
            self.asked.insert((key.into(), parent.into()));
        }
        let odd = &mut self.unreadable;
        // Where nothing tells the call, any may have printed these keys: elements of another shape are somebody else's.
        let mut foreign = Vec::new();
        let odd_items = if place.told { &mut *odd } else { &mut foreign };
        match key {
            "LoadBalancers" => place.list(&mut self.load_balancers, odd, d),
            "LoadBalancerDescriptions" => place.list(&mut self.classic, odd, d),
            "TargetGroups" => place.list(&mut self.target_groups, odd, d),
            "TargetHealthDescriptions" => place.list(&mut self.target_health, odd, d),
            "LoadBalancerTargetHealth" => place.list(&mut self.wrapped_health, odd, d),
            "Firewalls" => place.list(&mut self.firewalls, odd, d),
            "Firewall" => place.one(&mut self.described_firewalls, odd, d),
            "FirewallStatus" | "VpcEndpointAssociationStatus" => {
                place.one(&mut self.firewall_statuses, odd, d)
            }
            "Accelerators" => place.list(&mut self.accelerators, odd, d),
            "Accelerator" => place.one(&mut self.accelerators, odd, d),
            "EndpointGroups" => place.list(&mut self.endpoint_groups, odd, d),
            "EndpointGroup" => place.one(&mut self.endpoint_groups, odd, d),
            "VpcOriginList" => place.origins(&mut self.vpc_origins, odd, d),
            "VpcOrigin" => place.one(&mut self.vpc_origins, odd, d),
            "InstanceConnectEndpoints" => place.list(&mut self.connect_endpoints, odd, d),
            "VerifiedAccessEndpoints" => place.list(&mut self.verified_access, odd, d),
            "ClientVpnEndpoints" => place.list(&mut self.client_vpns, odd, d),
            "ClientVpnTargetNetworks" => place.list(&mut self.client_vpn_networks, odd, d),
            "ServiceConfigurations" => place.list(&mut self.services, odd, d),
            "VpcEndpointConnections" => place.list(&mut self.service_connections, odd, d),
            "CarrierGateways" => place.list(&mut self.carrier_gateways, odd, d),
            "CoreNetworks" => place.list(&mut self.core_networks, odd, d),
            "CoreNetwork" => place.one(&mut self.core_networks, odd, d),
            "Attachments" => place.list(&mut self.core_attachments, odd, d),
            "DirectConnectGateways" | "directConnectGateways" => place.list(&mut self.dx_gateways, odd, d),
            "DirectConnectGatewayAssociations" | "directConnectGatewayAssociations" => {
                place.list(&mut self.dx_associations, odd, d)
            }
            "TrafficMirrorSessions" => place.list(&mut self.mirror_sessions, odd, d),
            "TransitGatewayMulticastDomains" => place.list(&mut self.multicast_domains, odd, d),
            "LoadBalancerListeners" => place.list(&mut self.wrapped_listeners, odd, d),
            "Listeners" => place.list(&mut self.listeners, odd_items, d),
            "Items" => place.list(&mut self.upper_items, odd_items, d),
            "items" => place.list(&mut self.lower_items, odd_items, d),
            "DirectInternetAccess" => place.word(&mut self.direct_internet, d),
            "DomainId" => place.word(&mut self.domain_ids, d),
            "AppNetworkAccessType" => place.word(&mut self.access_types, d),
            "NotebookInstanceName" => place.word(&mut self.notebook_names, d),
            "NetworkInterfaceId" => place.word(&mut self.single_interfaces, d),
            // Nothing in the others bounds what a component may do.
            _ => IgnoredAny::deserialize(d).map(|_| ()),
        }
    }

    /// A gap for every element that could not be read: what it lists may carry anything (R-DATA-3).
    pub(crate) fn unreadable(&self) -> impl Iterator<Item = Gap> {
        self.unreadable.iter().map(|source| Gap {
            resource: source.pointer.boxed(),
            why: "this part of an inventory has an unknown shape, so that what it lists is not seen; collect it again"
                .into(),
            source: Some(source.clone()),
        })
    }

    /// Whether an answer about the health of targets says that it is of this group, by its ARN, name or last part.
    pub(super) fn shows_health_of(&self, group: &str) -> bool {
        let named = |about: &str| names_group(about, group);
        self.wrapped_health.iter().any(|health| named(&health.target_group_arn))
            || self.health_of().any(named)
    }

    /// Whether an answer about the health of targets says that it is of a group that no answer lists.
    pub(super) fn shows_health_of_unlisted(&self) -> bool {
        let listed =
            |about: &str| self.target_groups.iter().any(|group| names_group(about, &group.target_group_arn));
        let mut wrapped = self.wrapped_health.iter().map(|health| &*health.target_group_arn);
        wrapped.any(|about| !listed(about)) || self.health_of().any(|about| !listed(about))
    }

    /// The target groups that answers about the health of targets were asked about, as file names have them.
    fn health_of(&self) -> impl Iterator<Item = &str> {
        let asked = self.asked.iter().filter(|(key, _)| &**key == "TargetHealthDescriptions");
        asked.map(|(_, about)| &**about)
    }

    /// Whether an answer with this key was about `parent`, an id or an ARN, which file names may shorten to its last part.
    pub(super) fn asked(&self, key: &str, parent: &str) -> bool {
        let short = parent.rsplit(['/', ':']).next().unwrap_or(parent);
        [parent, short].iter().any(|parent| self.asked.contains(&(key.into(), (*parent).into())))
    }
}

/// Whether a word names a target group: by its whole ARN or by any of its last parts.
fn names_group(about: &str, group: &str) -> bool {
    !about.is_empty() && (about == group || group.split(['/', ':']).any(|part| part == about))
}

/// The answer that is being read.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    /// Its top-level key.
    pub(crate) key: &'a str,
    /// The account and Region that it is about.
    pub(crate) scope: ScopeId,
    /// Its file.
    pub(crate) file: FileId,
    /// The thing that the call asked about, where the name of the file has it.
    pub(crate) parent: Option<&'a str>,
    /// Whether the name of the file tells the call.
    pub(crate) told: bool,
}

impl Place<'_> {
    fn list<'de, T, D>(self, into: &mut Vec<Placed<T>>, odd: &mut Vec<Source>, d: D) -> Result<(), D::Error>
    where
        T: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        match Lenient::<Option<Vec<Lenient<Object<T>>>>>::deserialize(d)? {
            Lenient::Read(elements) => self.elements("", elements.unwrap_or_default(), into, odd),
            Lenient::Unreadable(_) => odd.push(self.source("")),
        }
        Ok(())
    }

    fn one<'de, T, D>(self, into: &mut Vec<Placed<T>>, odd: &mut Vec<Source>, d: D) -> Result<(), D::Error>
    where
        T: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        match Lenient::<Option<Object<T>>>::deserialize(d)? {
            Lenient::Read(value) => into.extend(value.map(|Object(value)| self.placed("", value))),
            Lenient::Unreadable(_) => odd.push(self.source("")),
        }
        Ok(())
    }

    /// A word; a value of another shape is somebody else's.
    fn word<'de, D>(self, into: &mut Vec<Placed<Name>>, d: D) -> Result<(), D::Error>
    where
        D: Deserializer<'de>,
    {
        if let Lenient::Read(word) = Lenient::<Option<Name>>::deserialize(d)? {
            into.extend(word.map(|word| self.placed("", word)));
        }
        Ok(())
    }

    /// CloudFront wraps its list once more.
    fn origins<'de, D>(
        self,
        into: &mut Vec<Placed<VpcOrigin>>,
        odd: &mut Vec<Source>,
        d: D,
    ) -> Result<(), D::Error>
    where
        D: Deserializer<'de>,
    {
        match Lenient::<Option<Object<VpcOriginList>>>::deserialize(d)? {
            Lenient::Read(list) => {
                self.elements("/Items", list.map_or_else(Vec::new, |Object(list)| list.items.0), into, odd);
            }
            Lenient::Unreadable(_) => odd.push(self.source("")),
        }
        Ok(())
    }

    fn elements<T>(
        self,
        below: &str,
        found: Vec<Lenient<Object<T>>>,
        into: &mut Vec<Placed<T>>,
        odd: &mut Vec<Source>,
    ) {
        for (index, element) in found.into_iter().enumerate() {
            let below = format!("{below}/{index}");
            match element {
                Lenient::Read(Object(value)) => into.push(self.placed(&below, value)),
                Lenient::Unreadable(_) => odd.push(self.source(&below)),
            }
        }
    }

    fn placed<T>(self, below: &str, value: T) -> Placed<T> {
        Placed { scope: self.scope, source: self.source(below), value }
    }

    fn source(self, below: &str) -> Source {
        Source { file: self.file, pointer: format!("/{}{below}", self.key).into() }
    }
}
