//! Zones, VPCs, subnets and route tables.

use ipnet::{Ipv4Net, Ipv6Net};
use serde_json::{Map, Value, json};

use super::tags;
use crate::expand::Place;

/// A zone.
pub(in crate::organisation) fn zone(place: &Place, number: u32) -> Value {
    json!({
        "ZoneName": place.zone_name(number), "ZoneId": place.zone_id(number), "ZoneType": "availability-zone",
        "RegionName": place.region, "GroupName": format!("{}-zg-1", place.region),
        "NetworkBorderGroup": place.region, "State": "available", "OptInStatus": "opt-in-not-required",
        "Messages": [],
    })
}

/// A VPC with its blocks.
pub(in crate::organisation) struct VpcRow<'a> {
    pub(in crate::organisation) id: &'a str,
    pub(in crate::organisation) name: &'a str,
    pub(in crate::organisation) environment: &'a str,
    pub(in crate::organisation) blocks: &'a [Ipv4Net],
    pub(in crate::organisation) ipv6: Option<Ipv6Net>,
}

impl VpcRow<'_> {
    /// The row.
    pub(in crate::organisation) fn json(&self, place: &Place) -> Value {
        let tail = self.id.trim_start_matches("vpc-");
        let blocks = self.blocks.iter().enumerate().map(|(index, block)| {
            let association = format!("vpc-cidr-assoc-{index}{tail}");
            json!({"AssociationId": association, "CidrBlock": block, "CidrBlockState": {"State": "associated"}})
        });
        let ipv6 = self.ipv6.iter().map(|block| {
            json!({
                "AssociationId": format!("vpc-cidr-assoc-6{tail}"), "Ipv6CidrBlock": block,
                "Ipv6CidrBlockState": {"State": "associated"}, "NetworkBorderGroup": place.region,
                "Ipv6Pool": "Amazon", "Ipv6AddressAttribute": "public", "IpSource": "amazon",
            })
        });
        json!({
            "VpcId": self.id, "OwnerId": place.account, "State": "available", "IsDefault": false,
            "InstanceTenancy": "default", "DhcpOptionsId": format!("dopt-{tail}"),
            "CidrBlock": self.blocks.first(), "CidrBlockAssociationSet": blocks.collect::<Vec<_>>(),
            "Ipv6CidrBlockAssociationSet": ipv6.collect::<Vec<_>>(),
            "BlockPublicAccessStates": {"InternetGatewayBlockMode": "off"},
            "Tags": tags(&[("Name", self.name), ("Env", self.environment)]),
        })
    }
}

/// A subnet.
pub(in crate::organisation) struct SubnetRow<'a> {
    pub(in crate::organisation) id: &'a str,
    pub(in crate::organisation) vpc: &'a str,
    pub(in crate::organisation) tier: &'a str,
    pub(in crate::organisation) block: Ipv4Net,
    pub(in crate::organisation) ipv6: Option<Ipv6Net>,
    /// The number of its zone, from 1.
    pub(in crate::organisation) zone: u32,
    pub(in crate::organisation) public: bool,
}

impl SubnetRow<'_> {
    /// The row.
    pub(in crate::organisation) fn json(&self, place: &Place) -> Value {
        let zone = place.zone_name(self.zone);
        let letter = zone.trim_start_matches(place.region.as_str());
        let association = format!("subnet-cidr-assoc-{}", self.id.trim_start_matches("subnet-"));
        let ipv6 = self.ipv6.iter().map(|block| {
            let state = json!({"State": "associated"});
            json!({"AssociationId": association, "Ipv6CidrBlock": block, "Ipv6CidrBlockState": state})
        });
        json!({
            "SubnetId": self.id, "VpcId": self.vpc, "OwnerId": place.account, "State": "available",
            "SubnetArn": place.arn(&place.account, &format!("subnet/{}", self.id)),
            "CidrBlock": self.block, "Ipv6CidrBlockAssociationSet": ipv6.collect::<Vec<_>>(), "Ipv6Native": false,
            "AvailabilityZone": zone, "AvailabilityZoneId": place.zone_id(self.zone),
            "AvailableIpAddressCount": 100, "DefaultForAz": false, "EnableDns64": false,
            "MapPublicIpOnLaunch": self.public, "AssignIpv6AddressOnCreation": false,
            "Tags": tags(&[("Name", &format!("{}{letter}", self.tier)), ("Tier", self.tier)]),
        })
    }
}

/// A route to a target by its id; the id of a prefix list is a destination, too.
#[derive(Clone, Debug)]
pub(in crate::organisation) struct Route {
    pub(in crate::organisation) destination: String,
    pub(in crate::organisation) target: String,
}

impl Route {
    /// A route that somebody added.
    pub(in crate::organisation) fn new(destination: impl ToString, target: &str) -> Self {
        Self { destination: destination.to_string(), target: target.to_owned() }
    }

    fn json(&self) -> Value {
        let destination = match &self.destination {
            list if list.starts_with("pl-") => "DestinationPrefixListId",
            block if block.contains(':') => "DestinationIpv6CidrBlock",
            _ => "DestinationCidrBlock",
        };
        let target = match self.target.split('-').next() {
            Some("nat") => "NatGatewayId",
            Some("tgw") => "TransitGatewayId",
            Some("pcx") => "VpcPeeringConnectionId",
            Some("eni") => "NetworkInterfaceId",
            Some("eigw") => "EgressOnlyInternetGatewayId",
            _ => "GatewayId",
        };
        let origin = if self.target == "local" { "CreateRouteTable" } else { "CreateRoute" };
        let text = |text: &str| Value::String(text.to_owned());
        Value::Object(Map::from_iter([
            (destination.to_owned(), text(&self.destination)),
            (target.to_owned(), text(&self.target)),
            ("Origin".to_owned(), text(origin)),
            ("State".to_owned(), text("active")),
        ]))
    }
}

/// A route table, the main one if it has no subnets.
pub(in crate::organisation) struct TableRow<'a> {
    pub(in crate::organisation) id: &'a str,
    pub(in crate::organisation) vpc: &'a str,
    pub(in crate::organisation) name: &'a str,
    pub(in crate::organisation) subnets: &'a [String],
    pub(in crate::organisation) routes: &'a [Route],
}

impl TableRow<'_> {
    /// The row.
    pub(in crate::organisation) fn json(&self, place: &Place) -> Value {
        let tail = self.id.trim_start_matches("rtb-");
        let state = json!({"State": "associated"});
        let mut associations: Vec<Value> = Vec::new();
        if self.subnets.is_empty() {
            associations.push(json!({
                "RouteTableAssociationId": format!("rtbassoc-{tail}"), "RouteTableId": self.id, "Main": true,
                "AssociationState": state,
            }));
        }
        associations.extend(self.subnets.iter().enumerate().map(|(index, subnet)| {
            json!({
                "RouteTableAssociationId": format!("rtbassoc-{index}{tail}"), "RouteTableId": self.id,
                "Main": false, "SubnetId": subnet, "AssociationState": state,
            })
        }));
        json!({
            "RouteTableId": self.id, "VpcId": self.vpc, "OwnerId": place.account, "PropagatingVgws": [],
            "Associations": associations, "Routes": self.routes.iter().map(Route::json).collect::<Vec<_>>(),
            "Tags": tags(&[("Name", self.name)]),
        })
    }
}
