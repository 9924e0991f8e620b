//! Network interfaces, instances and Elastic IP addresses.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::Fault;
use super::answers::{Answers, Place};
use super::context::{Context, MOMENT, items, list, need, or, tags};
use crate::format::network::Interface;

/// Writes the answers about interfaces, instances and addresses.
pub(super) fn describe(context: &Context<'_>, answers: &mut Answers) -> Result<(), Fault> {
    let mut instances: BTreeMap<&str, Vec<(&str, &Interface)>> = BTreeMap::new();
    for (id, interface) in items(context.network.interfaces.as_ref()) {
        describe_interface(context, answers, id, interface)?;
        if let Some(instance) = &interface.instance {
            instances.entry(instance).or_default().push((id, interface));
        }
    }
    for (id, mut interfaces) in instances {
        interfaces.sort_by_key(|(_, interface)| interface.device.unwrap_or(0));
        describe_instance(context, answers, id, &interfaces)?;
    }
    Ok(())
}

/// Writes one interface and the addresses that are associated with it.
pub(super) fn describe_interface(
    context: &Context<'_>,
    answers: &mut Answers,
    id: &str,
    interface: &Interface,
) -> Result<(), Fault> {
    let subnet = need(interface.subnet.as_ref(), id, "subnet")?;
    let place = context.place(context.vpc_of_subnet(subnet)?)?;
    answers.list(&place, "ec2_describe-network-interfaces", interface_json(context, id, interface, &place)?);
    for (private, public) in items(interface.public.as_ref()) {
        let json = json!({
            "PublicIp": public, "AllocationId": allocation(*public), "AssociationId": association_id(*public),
            "Domain": "vpc", "NetworkInterfaceId": id, "NetworkInterfaceOwnerId": place.account,
            "PrivateIpAddress": private, "InstanceId": interface.instance, "NetworkBorderGroup": place.region,
            "PublicIpv4Pool": "amazon", "Tags": [],
        });
        answers.list(&place, "ec2_describe-addresses", json);
    }
    Ok(())
}

fn interface_json(
    context: &Context<'_>,
    id: &str,
    interface: &Interface,
    place: &Place,
) -> Result<Value, Fault> {
    let subnet = need(interface.subnet.as_ref(), id, "subnet")?;
    let zone = context.zone(subnet)?;
    let addresses = private_addresses(interface, place);
    let primary = list(interface.addresses.as_ref()).next();
    let mut json = json!({
        "NetworkInterfaceId": id, "InterfaceType": or(interface.kind.as_ref(), "interface"),
        "OwnerId": or(interface.owner.as_ref(), &place.account), "Description": or(interface.description.as_ref(), ""),
        "RequesterManaged": interface.requester.is_some(), "RequesterId": interface.requester,
        "AvailabilityZone": place.zone_name(zone), "AvailabilityZoneId": place.zone_id(zone),
        "MacAddress": primary.map(|address| mac(*address)), "PrivateDnsName": primary.map(|address| dns_name(*address)),
        "Ipv4Prefixes": values(interface.prefixes.as_ref(), "Ipv4Prefix"), "Ipv6Prefixes": [],
        "TagSet": tags(interface.tags.as_ref()),
    });
    if let (Some(json), Value::Object(common)) =
        (json.as_object_mut(), common(context, id, interface, &addresses)?)
    {
        json.extend(common);
    }
    Ok(json)
}

/// The fields that the interface and its mention in the instance share.
fn common(
    context: &Context<'_>,
    id: &str,
    interface: &Interface,
    addresses: &[Value],
) -> Result<Value, Fault> {
    let subnet = interface.subnet.as_deref().unwrap_or_default();
    let ipv6 = list(interface.ipv6.as_ref()).enumerate();
    let ipv6 = ipv6.map(|(index, address)| json!({"Ipv6Address": address, "IsPrimaryIpv6": index == 0}));
    let first = addresses.first();
    Ok(json!({
        "Status": or(interface.status.as_ref(), "in-use"), "VpcId": context.vpc_of_subnet(subnet)?, "SubnetId": subnet,
        "SourceDestCheck": interface.source_dest_check.unwrap_or(true),
        "DenyAllIgwTraffic": interface.deny_igw.filter(|deny| *deny),
        "Groups": groups(context, interface),
        "PrivateIpAddress": first.and_then(|first| first.get("PrivateIpAddress")),
        "PrivateIpAddresses": addresses, "Association": first.and_then(|first| first.get("Association")),
        "Ipv6Addresses": ipv6.collect::<Vec<_>>(), "Attachment": attachment(id, interface),
    }))
}

fn groups(context: &Context<'_>, interface: &Interface) -> Vec<Value> {
    let groups = list(interface.groups.as_ref());
    groups.map(|group| json!({"GroupId": group, "GroupName": context.group_name(group)})).collect()
}

fn private_addresses(interface: &Interface, place: &Place) -> Vec<Value> {
    let public = |private: &Ipv4Addr| {
        let public = *interface.public.as_ref()?.get(&private.to_string())?;
        Some(json!({
            "PublicIp": public, "AllocationId": allocation(public), "AssociationId": association_id(public),
            "IpOwnerId": place.account,
        }))
    };
    let addresses = list(interface.addresses.as_ref()).enumerate();
    addresses
        .map(|(index, address)| {
            json!({
                "Primary": index == 0, "PrivateIpAddress": address, "PrivateDnsName": dns_name(*address),
                "Association": public(address),
            })
        })
        .collect()
}

/// What holds the interface; nothing if it is not in use.
fn attachment(id: &str, interface: &Interface) -> Value {
    if interface.status.as_ref().is_some_and(|status| status != "in-use") {
        return Value::Null;
    }
    let device = interface.device.unwrap_or(u32::from(interface.instance.is_none()));
    let owner = match &interface.instance {
        Some(_) => or(interface.owner.as_ref(), super::context::ACCOUNT),
        None => "amazon-aws",
    };
    json!({
        "AttachmentId": format!("eni-attach-{id}"),
        "AttachTime": MOMENT, "DeviceIndex": device, "InstanceId": interface.instance, "InstanceOwnerId": owner,
        "Status": "attached", "DeleteOnTermination": true,
    })
}

/// Writes an instance, unless another account owns it: its record is then not shown.
fn describe_instance(
    context: &Context<'_>,
    answers: &mut Answers,
    id: &str,
    interfaces: &[(&str, &Interface)],
) -> Result<(), Fault> {
    let Some((primary_id, primary)) = interfaces.first() else { return Ok(()) };
    if primary.owner.is_some() {
        return Ok(());
    }
    let subnet = need(primary.subnet.as_ref(), primary_id, "subnet")?;
    let vpc = context.vpc_of_subnet(subnet)?;
    let place = context.place(vpc)?;
    let stated = context.network.instances.as_ref().and_then(|instances| instances.get(id));
    let state = or(stated.and_then(|stated| stated.state.as_ref()), "running");
    let mut shown = Vec::new();
    for (interface_id, interface) in interfaces {
        shown.push(shown_interface(context, interface_id, interface, &place)?);
    }
    let first = list(primary.addresses.as_ref()).next();
    let public = first.and_then(|first| primary.public.as_ref()?.get(&first.to_string()));
    let instance = json!({
        "InstanceId": id, "ImageId": "ami-1", "InstanceType": "t3.micro", "LaunchTime": MOMENT,
        "State": {"Code": state_code(state), "Name": state}, "VpcId": vpc, "SubnetId": subnet,
        "Placement": {"AvailabilityZone": place.zone_name(context.zone(subnet)?), "Tenancy": "default"},
        "PrivateIpAddress": first, "PublicIpAddress": public,
        "SourceDestCheck": primary.source_dest_check.unwrap_or(true), "NetworkInterfaces": shown,
        "SecurityGroups": groups(context, primary),
        "Tags": tags(stated.and_then(|stated| stated.tags.as_ref())),
    });
    let reservation = json!({
        "ReservationId": format!("r-{id}"), "OwnerId": place.account, "Groups": [], "Instances": [instance],
    });
    answers.list(&place, "ec2_describe-instances", reservation);
    Ok(())
}

/// The interface as the instance's record shows it: less of attachment and association than the interface's own.
fn shown_interface(
    context: &Context<'_>,
    id: &str,
    interface: &Interface,
    place: &Place,
) -> Result<Value, Fault> {
    let addresses = private_addresses(interface, place);
    let mut json = json!({
        "NetworkInterfaceId": id, "OwnerId": place.account, "InterfaceType": or(interface.kind.as_ref(), "interface"),
        "Ipv4Prefixes": values(interface.prefixes.as_ref(), "Ipv4Prefix"),
    });
    if let (Some(json), Value::Object(common)) =
        (json.as_object_mut(), common(context, id, interface, &addresses)?)
    {
        json.extend(common);
    }
    drop_own_fields(&mut json);
    Ok(json)
}

fn drop_own_fields(json: &mut Value) {
    const OWN: [&str; 5] =
        ["AllocationId", "AssociationId", "DenyAllIgwTraffic", "InstanceId", "InstanceOwnerId"];
    match json {
        Value::Object(fields) => {
            fields.retain(|key, _| !OWN.contains(&key.as_str()));
            fields.values_mut().for_each(drop_own_fields);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_own_fields),
        _ => {}
    }
}

fn values<T: serde::Serialize>(values: Option<&Vec<T>>, key: &str) -> Vec<Value> {
    list(values).map(|value| json!({ key: value })).collect()
}

fn state_code(state: &str) -> u8 {
    match state {
        "pending" => 0,
        "running" => 16,
        "shutting-down" => 32,
        "terminated" => 48,
        "stopping" => 64,
        _ => 80,
    }
}

/// The allocation id of an Elastic IP address of a scenario.
pub(super) fn allocation(public: Ipv4Addr) -> String {
    format!("eipalloc-{}", dashed(public))
}

fn association_id(public: Ipv4Addr) -> String {
    format!("eipassoc-{}", dashed(public))
}

fn dashed(address: Ipv4Addr) -> String {
    address.to_string().replace('.', "-")
}

fn dns_name(address: Ipv4Addr) -> String {
    format!("ip-{}.ec2.internal", dashed(address))
}

fn mac(address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    format!("02:00:{a:02x}:{b:02x}:{c:02x}:{d:02x}")
}
