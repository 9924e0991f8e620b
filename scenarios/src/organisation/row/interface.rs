//! Network interfaces, the instances that hold them, and Elastic IP addresses.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::Ipv4Net;
use serde_json::{Map, Value, json};

use super::gateway::{allocation, association};
use super::tags;
use crate::expand::{MOMENT, Place};

/// An interface.
#[derive(Clone, Debug)]
pub(in crate::organisation) struct InterfaceRow {
    pub(in crate::organisation) id: String,
    pub(in crate::organisation) vpc: String,
    pub(in crate::organisation) subnet: String,
    /// The number of its zone, from 1.
    pub(in crate::organisation) zone: u32,
    /// The first is the primary one.
    pub(in crate::organisation) addresses: Vec<Ipv4Addr>,
    /// The public address of the primary one.
    pub(in crate::organisation) public: Option<Ipv4Addr>,
    pub(in crate::organisation) prefixes: Vec<Ipv4Net>,
    pub(in crate::organisation) ipv6: Option<Ipv6Addr>,
    /// Ids and names.
    pub(in crate::organisation) groups: Vec<(String, String)>,
    pub(in crate::organisation) kind: Kind,
    pub(in crate::organisation) tags: Vec<(&'static str, String)>,
}

/// What holds an interface.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::organisation) enum Kind {
    /// An instance, at this device index; a router does not check who is meant.
    Instance { id: String, device: u32, router: bool },
    /// A service of AWS.
    Service { kind: &'static str, requester: &'static str, description: String },
}

impl InterfaceRow {
    /// The row of the interface.
    pub(in crate::organisation) fn json(&self, place: &Place) -> Value {
        let mut row = self.common(place, true);
        let (requester, description) = match &self.kind {
            Kind::Instance { .. } => (None, ""),
            Kind::Service { requester, description, .. } => (Some(*requester), description.as_str()),
        };
        row.extend(fields(json!({
            "AvailabilityZone": place.zone_name(self.zone), "AvailabilityZoneId": place.zone_id(self.zone),
            "Description": description, "RequesterManaged": requester.is_some(), "RequesterId": requester,
            "PrivateDnsName": self.addresses.first().map(|address| dns_name(*address, place)),
            "Ipv6Prefixes": [], "Operator": {"Managed": false},
            "TagSet": self.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect::<Vec<_>>(),
        })));
        Value::Object(row)
    }

    /// What the interface's own row and that of its instance say alike, but for ids that only the former shows.
    fn common(&self, place: &Place, own: bool) -> Map<String, Value> {
        let groups = self.groups.iter().map(|(id, name)| json!({"GroupId": id, "GroupName": name}));
        let prefixes = self.prefixes.iter().map(|prefix| json!({"Ipv4Prefix": prefix}));
        let ipv6 = self.ipv6.iter().map(|address| json!({"Ipv6Address": address, "IsPrimaryIpv6": false}));
        let router = matches!(&self.kind, Kind::Instance { router: true, .. })
            || matches!(&self.kind, Kind::Service { kind: "nat_gateway", .. });
        fields(json!({
            "NetworkInterfaceId": self.id, "OwnerId": place.account, "Status": "in-use", "VpcId": self.vpc,
            "SubnetId": self.subnet, "InterfaceType": self.interface_type(), "SourceDestCheck": !router,
            "Groups": groups.collect::<Vec<_>>(), "MacAddress": self.addresses.first().map(|address| mac(*address)),
            "PrivateIpAddress": self.addresses.first(), "PrivateIpAddresses": self.private_addresses(place, own),
            "Association": self.association(place, own), "Ipv6Addresses": ipv6.collect::<Vec<_>>(),
            "Ipv4Prefixes": prefixes.collect::<Vec<_>>(), "Attachment": self.attachment(place, own),
        }))
    }

    fn interface_type(&self) -> &'static str {
        match &self.kind {
            Kind::Instance { .. } => "interface",
            Kind::Service { kind, .. } => kind,
        }
    }

    fn private_addresses(&self, place: &Place, own: bool) -> Vec<Value> {
        let addresses = self.addresses.iter().enumerate();
        addresses
            .map(|(index, address)| {
                let association = if index == 0 { self.association(place, own) } else { Value::Null };
                json!({
                    "Primary": index == 0, "PrivateIpAddress": address,
                    "PrivateDnsName": dns_name(*address, place), "Association": association,
                })
            })
            .collect()
    }

    fn association(&self, place: &Place, own: bool) -> Value {
        let Some(public) = self.public else { return Value::Null };
        let ids = own.then(|| (allocation(public), association(public))).unzip();
        let name = format!("ec2-{}.{}.compute.amazonaws.com", dashed(public), place.region);
        json!({
            "PublicIp": public, "PublicDnsName": name, "IpOwnerId": place.account, "AllocationId": ids.0,
            "AssociationId": ids.1,
        })
    }

    fn attachment(&self, place: &Place, own: bool) -> Value {
        let id = format!("eni-attach-{}", self.id.trim_start_matches("eni-"));
        match &self.kind {
            Kind::Instance { id: instance, device, .. } => json!({
                "AttachmentId": id, "AttachTime": MOMENT, "DeviceIndex": device, "NetworkCardIndex": 0,
                "InstanceId": own.then_some(instance), "InstanceOwnerId": own.then_some(&place.account),
                "Status": "attached", "DeleteOnTermination": true,
            }),
            Kind::Service { requester, .. } => json!({
                "AttachmentId": id.replace("eni-attach", "ela-attach"), "DeviceIndex": 1,
                "InstanceOwnerId": requester, "Status": "attached", "DeleteOnTermination": false,
            }),
        }
    }

    /// The row of the Elastic IP address, if the interface has one.
    pub(in crate::organisation) fn elastic_address(&self, place: &Place) -> Option<Value> {
        let public = self.public?;
        let instance = match &self.kind {
            Kind::Instance { id, .. } => Some(id),
            Kind::Service { .. } => None,
        };
        Some(json!({
            "PublicIp": public, "AllocationId": allocation(public), "AssociationId": association(public),
            "Domain": "vpc", "NetworkInterfaceId": self.id, "NetworkInterfaceOwnerId": place.account,
            "PrivateIpAddress": self.addresses.first(), "InstanceId": instance, "PublicIpv4Pool": "amazon",
            "NetworkBorderGroup": place.region, "Tags": [],
        }))
    }
}

/// The reservation of an instance with these interfaces, the first of which is its primary one.
pub(in crate::organisation) fn reservation(
    interfaces: &[InterfaceRow],
    name: &str,
    place: &Place,
) -> Option<Value> {
    let primary = interfaces.first()?;
    let Kind::Instance { id, router, .. } = &primary.kind else { return None };
    let groups: Vec<Value> =
        primary.groups.iter().map(|(id, name)| json!({"GroupId": id, "GroupName": name})).collect();
    let shown: Vec<Map<String, Value>> = interfaces.iter().map(|one| one.common(place, false)).collect();
    let instance = json!({
        "InstanceId": id, "ImageId": "ami-0c05908e971a05cf4", "InstanceType": "m7i.large", "LaunchTime": MOMENT,
        "State": {"Code": 16, "Name": "running"}, "VpcId": primary.vpc, "SubnetId": primary.subnet,
        "Placement": {"AvailabilityZone": place.zone_name(primary.zone), "Tenancy": "default"},
        "PrivateIpAddress": primary.addresses.first(), "PublicIpAddress": primary.public,
        "SourceDestCheck": !router, "SecurityGroups": groups, "NetworkInterfaces": shown,
        "Tags": tags(&[("Name", name)]),
    });
    let reservation = format!("r-{}", id.trim_start_matches("i-"));
    Some(json!({
        "ReservationId": reservation, "OwnerId": place.account, "Groups": [], "Instances": [instance],
    }))
}

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn dashed(address: Ipv4Addr) -> String {
    address.to_string().replace('.', "-")
}

fn dns_name(address: Ipv4Addr, place: &Place) -> String {
    format!("ip-{}.{}.compute.internal", dashed(address), place.region)
}

fn mac(address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    format!("0e:00:{a:02x}:{b:02x}:{c:02x}:{d:02x}")
}
