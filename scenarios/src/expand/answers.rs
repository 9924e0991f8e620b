//! One answer for each call and place, empty unless something is put into it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Fault;
use crate::scenario::Document;

/// An account and Region that was described.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Place {
    pub(crate) account: String,
    pub(crate) region: String,
}

/// A call, the key that holds its list, and the field that tells the items of the list apart.
pub(super) struct Inventory {
    pub(super) call: &'static str,
    pub(super) key: &'static str,
    pub(super) id: &'static str,
}

const fn inventory(call: &'static str, key: &'static str, id: &'static str) -> Inventory {
    Inventory { call, key, id }
}

/// Every list that counts as collected. Keys that several calls share can only be reached by the call's name.
pub(super) const INVENTORIES: &[Inventory] = &[
    inventory("ec2_describe-addresses", "Addresses", "PublicIp"),
    inventory("ec2_describe-availability-zones", "AvailabilityZones", "ZoneId"),
    inventory("ec2_describe-carrier-gateways", "CarrierGateways", "CarrierGatewayId"),
    inventory("ec2_describe-client-vpn-endpoints", "ClientVpnEndpoints", "ClientVpnEndpointId"),
    inventory("ec2_describe-customer-gateways", "CustomerGateways", "CustomerGatewayId"),
    inventory(
        "ec2_describe-egress-only-internet-gateways",
        "EgressOnlyInternetGateways",
        "EgressOnlyInternetGatewayId",
    ),
    inventory(
        "ec2_describe-instance-connect-endpoints",
        "InstanceConnectEndpoints",
        "InstanceConnectEndpointId",
    ),
    inventory("ec2_describe-instances", "Reservations", "ReservationId"),
    inventory("ec2_describe-internet-gateways", "InternetGateways", "InternetGatewayId"),
    inventory("ec2_describe-local-gateways", "LocalGateways", "LocalGatewayId"),
    inventory("ec2_describe-managed-prefix-lists", "PrefixLists", "PrefixListId"),
    inventory("ec2_describe-nat-gateways", "NatGateways", "NatGatewayId"),
    inventory("ec2_describe-network-acls", "NetworkAcls", "NetworkAclId"),
    inventory("ec2_describe-network-interfaces", "NetworkInterfaces", "NetworkInterfaceId"),
    inventory("ec2_describe-public-ipv4-pools", "PublicIpv4Pools", "PoolId"),
    inventory("ec2_describe-route-servers", "RouteServers", "RouteServerId"),
    inventory("ec2_describe-route-tables", "RouteTables", "RouteTableId"),
    inventory("ec2_describe-security-group-vpc-associations", "SecurityGroupVpcAssociations", "GroupId"),
    inventory("ec2_describe-security-groups", "SecurityGroups", "GroupId"),
    inventory("ec2_describe-subnets", "Subnets", "SubnetId"),
    inventory("ec2_describe-traffic-mirror-sessions", "TrafficMirrorSessions", "TrafficMirrorSessionId"),
    inventory(
        "ec2_describe-transit-gateway-attachments",
        "TransitGatewayAttachments",
        "TransitGatewayAttachmentId",
    ),
    inventory(
        "ec2_describe-transit-gateway-connects",
        "TransitGatewayConnects",
        "TransitGatewayAttachmentId",
    ),
    inventory(
        "ec2_describe-transit-gateway-multicast-domains",
        "TransitGatewayMulticastDomains",
        "TransitGatewayMulticastDomainId",
    ),
    inventory(
        "ec2_describe-transit-gateway-peering-attachments",
        "TransitGatewayPeeringAttachments",
        "TransitGatewayAttachmentId",
    ),
    inventory(
        "ec2_describe-transit-gateway-policy-tables",
        "TransitGatewayPolicyTables",
        "TransitGatewayPolicyTableId",
    ),
    inventory(
        "ec2_describe-transit-gateway-route-tables",
        "TransitGatewayRouteTables",
        "TransitGatewayRouteTableId",
    ),
    inventory(
        "ec2_describe-transit-gateway-vpc-attachments",
        "TransitGatewayVpcAttachments",
        "TransitGatewayAttachmentId",
    ),
    inventory("ec2_describe-transit-gateways", "TransitGateways", "TransitGatewayId"),
    inventory(
        "ec2_describe-verified-access-endpoints",
        "VerifiedAccessEndpoints",
        "VerifiedAccessEndpointId",
    ),
    inventory(
        "ec2_describe-vpc-block-public-access-exclusions",
        "VpcBlockPublicAccessExclusions",
        "ExclusionId",
    ),
    inventory("ec2_describe-vpc-encryption-controls", "VpcEncryptionControls", "VpcEncryptionControlId"),
    inventory("ec2_describe-vpc-endpoint-connections", "VpcEndpointConnections", "VpcEndpointId"),
    inventory("ec2_describe-vpc-endpoint-service-configurations", "ServiceConfigurations", "ServiceId"),
    inventory("ec2_describe-vpc-endpoints", "VpcEndpoints", "VpcEndpointId"),
    inventory("ec2_describe-vpc-peering-connections", "VpcPeeringConnections", "VpcPeeringConnectionId"),
    inventory("ec2_describe-vpcs", "Vpcs", "VpcId"),
    inventory("ec2_describe-vpn-connections", "VpnConnections", "VpnConnectionId"),
    inventory("ec2_describe-vpn-gateways", "VpnGateways", "VpnGatewayId"),
    inventory("elb_describe-load-balancers", "LoadBalancerDescriptions", "LoadBalancerName"),
    inventory("elbv2_describe-load-balancers", "LoadBalancers", "LoadBalancerArn"),
    inventory("elbv2_describe-target-groups", "TargetGroups", "TargetGroupArn"),
    inventory("globalaccelerator_list-accelerators", "Accelerators", "AcceleratorArn"),
    inventory("globalaccelerator_list-custom-routing-accelerators", "Accelerators", "AcceleratorArn"),
    inventory("network-firewall_list-firewalls", "Firewalls", "FirewallArn"),
    inventory(
        "network-firewall_list-vpc-endpoint-associations",
        "VpcEndpointAssociations",
        "VpcEndpointAssociationArn",
    ),
    inventory("networkmanager_list-core-networks", "CoreNetworks", "CoreNetworkId"),
    inventory(
        "directconnect_describe-direct-connect-gateways",
        "directConnectGateways",
        "directConnectGatewayId",
    ),
    inventory("directconnect_describe-virtual-interfaces", "virtualInterfaces", "virtualInterfaceId"),
    inventory("apigateway_get-vpc-links", "items", "id"),
    inventory("apigatewayv2_get-vpc-links", "Items", "VpcLinkId"),
    inventory("vpc-lattice_list-resource-gateways", "items", "id"),
    inventory("vpc-lattice_list-service-network-vpc-associations", "items", "id"),
    inventory("vpc-lattice_list-service-networks", "items", "id"),
    inventory("vpc-lattice_list-services", "items", "id"),
    inventory("vpc-lattice_list-target-groups", "items", "id"),
];

/// The answers of every place, by call name with the parent after `__` where the answer does not name it.
pub(crate) struct Answers(BTreeMap<Place, BTreeMap<String, Value>>);

impl Answers {
    /// Empty answers for each place.
    pub(crate) fn new(places: impl IntoIterator<Item = Place>) -> Self {
        Self(places.into_iter().map(|place| (place, empty_answers())).collect())
    }

    /// Appends to the list of a call of [`INVENTORIES`]; attributes that are null are left out.
    pub(crate) fn list(&mut self, place: &Place, call: &str, item: Value) {
        let Some(inventory) = INVENTORIES.iter().find(|inventory| inventory.call == call) else { return };
        if let Some(Value::Array(items)) = self.answer(place, call).get_mut(inventory.key) {
            items.push(without_nulls(item));
        }
    }

    /// The JSON pointer of the last item of the list of a call; empty if there is none.
    pub(crate) fn last(&self, place: &Place, call: &str) -> String {
        let inventory = INVENTORIES.iter().find(|inventory| inventory.call == call);
        let answer = self.0.get(place).and_then(|answers| answers.get(call));
        let pointer = inventory.zip(answer).and_then(|(inventory, answer)| {
            let last = answer.get(inventory.key)?.as_array()?.len().checked_sub(1)?;
            Some(format!("/{}/{last}", inventory.key))
        });
        pointer.unwrap_or_default()
    }

    /// Sets a whole answer; attributes that are null are left out.
    pub(crate) fn put(&mut self, place: &Place, name: &str, answer: Value) {
        *self.answer(place, name) = without_nulls(answer);
    }

    fn answer(&mut self, place: &Place, name: &str) -> &mut Value {
        self.0.entry(place.clone()).or_default().entry(name.to_owned()).or_insert_with(|| json!({}))
    }

    /// The answers of each place, for changing them.
    pub(super) fn places_mut(&mut self) -> impl Iterator<Item = &mut BTreeMap<String, Value>> {
        self.0.values_mut()
    }

    /// Drops the answers of all calls but these, which read `ec2 describe-vpcs`.
    pub(super) fn retain(&mut self, calls: &[String]) -> Result<(), Fault> {
        let stems: Vec<String> = calls.iter().map(|call| call.replace(' ', "_")).collect();
        if let Some(unknown) =
            stems.iter().find(|stem| !self.0.values().any(|answers| answers.contains_key(*stem)))
        {
            return Err(format!("`{unknown}` is no call that is answered"));
        }
        for answers in self.0.values_mut() {
            answers.retain(|name, _| {
                stems.iter().any(|stem| name == stem || name.starts_with(&format!("{stem}__")))
            });
        }
        Ok(())
    }

    /// The documents, named below `scenario`, in folders of account and Region if `scoped`.
    pub(crate) fn into_documents(self, scenario: &str, scoped: bool) -> Vec<Document> {
        let mut documents = Vec::new();
        for (place, answers) in self.0 {
            let folder = if scoped { format!("{}/{}/", place.account, place.region) } else { String::new() };
            documents.extend(answers.into_iter().map(|(name, json)| {
                let name = format!("{scenario}/{folder}{name}.json");
                Document { name, json }
            }));
        }
        documents
    }
}

fn empty_answers() -> BTreeMap<String, Value> {
    let lists = INVENTORIES.iter().map(|inventory| (inventory.call.to_owned(), json!({ inventory.key: [] })));
    let origins =
        json!({"VpcOriginList": {"Marker": "", "MaxItems": 100, "IsTruncated": false, "Quantity": 0}});
    lists.chain([("cloudfront_list-vpc-origins".to_owned(), origins)]).collect()
}

/// The value without attributes that are null, at any depth.
pub(super) fn without_nulls(mut value: Value) -> Value {
    drop_nulls(&mut value);
    value
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}
