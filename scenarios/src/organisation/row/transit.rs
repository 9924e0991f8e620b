//! Transit gateways, their attachments and route tables.

use serde_json::{Value, json};

use super::tags;
use crate::expand::{MOMENT, Place};

/// A transit gateway of the network account.
pub(in crate::organisation) fn gateway(id: &str, hub: &Place) -> Value {
    json!({
        "TransitGatewayId": id, "OwnerId": hub.account, "State": "available", "CreationTime": MOMENT,
        "TransitGatewayArn": hub.arn(&hub.account, &format!("transit-gateway/{id}")),
        "Options": {
            "AmazonSideAsn": 64_512, "AutoAcceptSharedAttachments": "enable",
            "DefaultRouteTableAssociation": "disable", "DefaultRouteTablePropagation": "disable",
            "VpnEcmpSupport": "enable", "DnsSupport": "enable", "MulticastSupport": "disable",
            "SecurityGroupReferencingSupport": "disable",
        },
        "Tags": tags(&[("Name", "hub")]),
    })
}

/// The attachment of a VPC.
#[derive(Clone, Debug)]
pub(in crate::organisation) struct Attachment {
    pub(in crate::organisation) id: String,
    pub(in crate::organisation) gateway: String,
    pub(in crate::organisation) gateway_owner: String,
    pub(in crate::organisation) vpc: String,
    pub(in crate::organisation) vpc_owner: String,
    pub(in crate::organisation) subnets: Vec<String>,
    /// The route table that decides where its packets go.
    pub(in crate::organisation) table: String,
    /// Whether both ways of a connection take the same zone.
    pub(in crate::organisation) appliance: bool,
}

impl Attachment {
    /// The row among all attachments.
    pub(in crate::organisation) fn json(&self) -> Value {
        json!({
            "TransitGatewayAttachmentId": self.id, "TransitGatewayId": self.gateway,
            "TransitGatewayOwnerId": self.gateway_owner, "ResourceOwnerId": self.vpc_owner,
            "ResourceType": "vpc", "ResourceId": self.vpc, "State": "available", "CreationTime": MOMENT,
            "Association": {"TransitGatewayRouteTableId": self.table, "State": "associated"}, "Tags": [],
        })
    }

    /// The row among attachments of VPCs.
    pub(in crate::organisation) fn vpc_json(&self) -> Value {
        json!({
            "TransitGatewayAttachmentId": self.id, "TransitGatewayId": self.gateway, "VpcId": self.vpc,
            "VpcOwnerId": self.vpc_owner, "State": "available", "CreationTime": MOMENT, "SubnetIds": self.subnets,
            "Options": {
                "DnsSupport": "enable", "Ipv6Support": "disable", "SecurityGroupReferencingSupport": "disable",
                "ApplianceModeSupport": if self.appliance { "enable" } else { "disable" },
            },
            "Tags": [],
        })
    }

    /// The row among the associations of its table.
    pub(in crate::organisation) fn association(&self) -> Value {
        json!({
            "TransitGatewayAttachmentId": self.id, "ResourceId": self.vpc, "ResourceType": "vpc",
            "State": "associated",
        })
    }
}

/// A route table.
pub(in crate::organisation) fn table(id: &str, gateway: &str, name: &str) -> Value {
    json!({
        "TransitGatewayRouteTableId": id, "TransitGatewayId": gateway, "State": "available",
        "DefaultAssociationRouteTable": false, "DefaultPropagationRouteTable": false, "CreationTime": MOMENT,
        "Tags": tags(&[("Name", name)]),
    })
}

/// A static route to an attachment.
pub(in crate::organisation) fn route(destination: &str, to: &Attachment) -> Value {
    json!({
        "DestinationCidrBlock": destination, "Type": "static", "State": "active",
        "TransitGatewayAttachments": [{
            "TransitGatewayAttachmentId": to.id, "ResourceId": to.vpc, "ResourceType": "vpc",
        }],
    })
}

/// A static route that drops.
pub(in crate::organisation) fn blackhole(destination: &str) -> Value {
    json!({"DestinationCidrBlock": destination, "Type": "static", "State": "blackhole"})
}
