//! Gateways, endpoints and peering connections.

use std::net::Ipv4Addr;

use ipnet::{Ipv4Net, Ipv6Net};
use serde_json::{Value, json};

use super::tags;
use crate::expand::{MOMENT, Place};

/// An internet gateway.
pub(in crate::organisation) fn internet_gateway(id: &str, vpc: &str, place: &Place) -> Value {
    let attachments = json!([{"VpcId": vpc, "State": "available"}]);
    json!({"InternetGatewayId": id, "OwnerId": place.account, "Attachments": attachments, "Tags": []})
}

/// An egress-only internet gateway.
pub(in crate::organisation) fn egress_gateway(id: &str, vpc: &str) -> Value {
    let attachments = json!([{"VpcId": vpc, "State": "attached"}]);
    json!({"EgressOnlyInternetGatewayId": id, "Attachments": attachments, "Tags": []})
}

/// A public NAT gateway in one subnet.
pub(in crate::organisation) struct NatRow<'a> {
    pub(in crate::organisation) id: &'a str,
    pub(in crate::organisation) vpc: &'a str,
    pub(in crate::organisation) subnet: &'a str,
    pub(in crate::organisation) interface: &'a str,
    pub(in crate::organisation) private: Ipv4Addr,
    pub(in crate::organisation) public: Ipv4Addr,
}

impl NatRow<'_> {
    /// The row.
    pub(in crate::organisation) fn json(&self) -> Value {
        json!({
            "NatGatewayId": self.id, "VpcId": self.vpc, "SubnetId": self.subnet, "State": "available",
            "ConnectivityType": "public", "AvailabilityMode": "zonal", "CreateTime": MOMENT, "Tags": [],
            "NatGatewayAddresses": [{
                "NetworkInterfaceId": self.interface, "PrivateIp": self.private, "PublicIp": self.public,
                "AllocationId": allocation(self.public), "AssociationId": association(self.public),
                "IsPrimary": true, "Status": "succeeded",
            }],
        })
    }
}

/// The id of the allocation of an Elastic IP address.
pub(in crate::organisation) fn allocation(public: Ipv4Addr) -> String {
    format!("eipalloc-0{:016x}", u64::from(u32::from(public)).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// The id of the association of an Elastic IP address.
pub(in crate::organisation) fn association(public: Ipv4Addr) -> String {
    format!("eipassoc-0{:016x}", u64::from(u32::from(public)).wrapping_mul(0xbf58_476d_1ce4_e5b9))
}

/// A VPC endpoint: an interface endpoint if it has interfaces, a gateway endpoint if it has tables.
pub(in crate::organisation) struct EndpointRow<'a> {
    pub(in crate::organisation) id: &'a str,
    pub(in crate::organisation) name: &'a str,
    pub(in crate::organisation) vpc: &'a str,
    /// `s3`, `sagemaker.api`.
    pub(in crate::organisation) service: &'a str,
    pub(in crate::organisation) tables: &'a [String],
    pub(in crate::organisation) subnets: &'a [String],
    pub(in crate::organisation) interfaces: &'a [String],
    pub(in crate::organisation) group: Option<&'a str>,
}

const ALLOW_ALL: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;

impl EndpointRow<'_> {
    /// The row.
    pub(in crate::organisation) fn json(&self, place: &Place) -> Value {
        let kind = if self.interfaces.is_empty() { "Gateway" } else { "Interface" };
        let groups: Vec<Value> =
            self.group.iter().map(|group| json!({"GroupId": group, "GroupName": "endpoints"})).collect();
        json!({
            "VpcEndpointId": self.id, "VpcEndpointType": kind, "VpcId": self.vpc, "OwnerId": place.account,
            "ServiceName": format!("com.amazonaws.{}.{}", place.region, self.service), "State": "available",
            "PolicyDocument": ALLOW_ALL, "RouteTableIds": self.tables, "SubnetIds": self.subnets,
            "NetworkInterfaceIds": self.interfaces, "Groups": groups, "IpAddressType": "ipv4",
            "PrivateDnsEnabled": kind == "Interface", "RequesterManaged": false, "DnsEntries": [],
            "CreationTimestamp": MOMENT, "Tags": tags(&[("Name", self.name)]),
        })
    }
}

/// One side of a peering connection.
pub(in crate::organisation) struct Side {
    pub(in crate::organisation) vpc: String,
    pub(in crate::organisation) account: String,
    pub(in crate::organisation) region: String,
    pub(in crate::organisation) blocks: Vec<Ipv4Net>,
    pub(in crate::organisation) ipv6: Option<Ipv6Net>,
}

impl Side {
    fn json(&self) -> Value {
        let blocks = self.blocks.iter().map(|block| json!({"CidrBlock": block}));
        let ipv6 = self.ipv6.iter().map(|block| json!({"Ipv6CidrBlock": block}));
        json!({
            "VpcId": self.vpc, "OwnerId": self.account, "Region": self.region, "CidrBlock": self.blocks.first(),
            "CidrBlockSet": blocks.collect::<Vec<_>>(), "Ipv6CidrBlockSet": ipv6.collect::<Vec<_>>(),
        })
    }
}

/// An active peering connection.
pub(in crate::organisation) fn peering(id: &str, requester: &Side, accepter: &Side) -> Value {
    json!({
        "VpcPeeringConnectionId": id, "Status": {"Code": "active", "Message": "Active"},
        "RequesterVpcInfo": requester.json(), "AccepterVpcInfo": accepter.json(), "Tags": [],
    })
}

/// The answer about Block Public Access where nobody has set it.
pub(in crate::organisation) fn block_public_access(place: &Place) -> Value {
    json!({"VpcBlockPublicAccessOptions": {
        "AwsAccountId": place.account, "AwsRegion": place.region, "State": "default-state",
        "InternetGatewayBlockMode": "off", "ManagedBy": "account", "ExclusionsAllowed": "allowed",
    }})
}
