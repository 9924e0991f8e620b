//! VPCs, subnets, zones and route tables.

use std::collections::BTreeSet;

use ipnet::IpNet;
use serde_json::{Map, Value, json};

use super::Fault;
use super::answers::{Answers, Place};
use super::context::{Context, items, list, need, or, tags};
use crate::format::network::{Network, RouteTable, Subnet, Vpc};
use crate::format::route::RouteTarget;

/// Writes the answers about VPCs, subnets, zones and route tables.
pub(super) fn describe(context: &Context<'_>, answers: &mut Answers) -> Result<(), Fault> {
    for place in context.places() {
        for number in 1..=3 {
            answers.list(&place, "ec2_describe-availability-zones", zone(&place, number));
        }
    }
    for (id, vpc) in items(context.network.vpcs.as_ref()) {
        let place = context.place(id)?;
        answers.list(&place, "ec2_describe-vpcs", vpc_json(id, vpc, &place)?);
    }
    for (id, subnet) in items(context.network.subnets.as_ref()) {
        let place = context.place(context.vpc_of_subnet(id)?)?;
        answers.list(&place, "ec2_describe-subnets", subnet_json(id, subnet, &place)?);
    }
    for (id, table) in items(context.network.route_tables.as_ref()) {
        let vpc = need(table.vpc.as_ref(), id, "vpc")?;
        let place = context.place(vpc)?;
        answers.list(&place, "ec2_describe-route-tables", table_json(context, id, table, &place)?);
    }
    Ok(())
}

fn zone(place: &Place, number: u32) -> Value {
    json!({
        "ZoneName": place.zone_name(number), "ZoneId": place.zone_id(number), "ZoneType": "availability-zone",
        "RegionName": place.region, "GroupName": place.region, "NetworkBorderGroup": place.region,
        "State": "available", "OptInStatus": "opt-in-not-required", "Messages": [],
    })
}

fn vpc_json(id: &str, vpc: &Vpc, place: &Place) -> Result<Value, Fault> {
    let mut blocks: Vec<_> =
        list(vpc.cidrs.as_ref()).map(|cidr| ipv4_block(id, cidr, "associated")).collect();
    blocks.extend(list(vpc.failed_cidrs.as_ref()).map(|cidr| ipv4_block(id, cidr, "failed")));
    let public = list(vpc.ipv6.as_ref()).map(|cidr| ipv6_block(id, cidr, "public"));
    let private = list(vpc.private_ipv6.as_ref()).map(|cidr| ipv6_block(id, cidr, "private"));
    let ipv6: Vec<_> = public.chain(private).collect();
    Ok(json!({
        "VpcId": id, "OwnerId": or(vpc.owner.as_ref(), &place.account), "State": "available", "IsDefault": false,
        "InstanceTenancy": "default", "DhcpOptionsId": "dopt-1",
        "CidrBlock": need(list(vpc.cidrs.as_ref()).next(), id, "cidrs")?,
        "CidrBlockAssociationSet": blocks,
        "Ipv6CidrBlockAssociationSet": some_unless_empty(ipv6),
        "Tags": tags(vpc.tags.as_ref()),
    }))
}

fn ipv4_block(vpc: &str, cidr: &IpNet, state: &str) -> Value {
    let association = format!("vpc-cidr-assoc-{vpc}-{}", dashed(cidr));
    json!({"AssociationId": association, "CidrBlock": cidr, "CidrBlockState": {"State": state}})
}

fn ipv6_block(owner: &str, cidr: &IpNet, attribute: &str) -> Value {
    let source = if attribute == "public" { "amazon" } else { "none" };
    json!({
        "AssociationId": format!("vpc-cidr-assoc-{owner}-{}", dashed(cidr)), "Ipv6CidrBlock": cidr,
        "Ipv6CidrBlockState": {"State": "associated"}, "Ipv6AddressAttribute": attribute, "IpSource": source,
    })
}

fn subnet_json(id: &str, subnet: &Subnet, place: &Place) -> Result<Value, Fault> {
    let owner = or(subnet.owner.as_ref(), &place.account);
    let zone = subnet.zone.unwrap_or(1);
    let ipv6 = subnet.ipv6.iter().map(|cidr| {
        let association = format!("subnet-cidr-assoc-{id}-{}", dashed(cidr));
        let state = json!({"State": "associated"});
        json!({"AssociationId": association, "Ipv6CidrBlock": cidr, "Ipv6CidrBlockState": state})
    });
    Ok(json!({
        "SubnetId": id, "SubnetArn": place.arn(owner, &format!("subnet/{id}")), "OwnerId": owner,
        "VpcId": need(subnet.vpc.as_ref(), id, "vpc")?, "State": "available",
        "CidrBlock": subnet.cidr, "Ipv6Native": subnet.cidr.is_none(),
        "Ipv6CidrBlockAssociationSet": ipv6.collect::<Vec<_>>(),
        "AvailabilityZone": place.zone_name(zone), "AvailabilityZoneId": place.zone_id(zone),
        "AvailableIpAddressCount": 250, "DefaultForAz": false, "EnableDns64": false,
        "MapPublicIpOnLaunch": subnet.map_public.unwrap_or(false), "AssignIpv6AddressOnCreation": false,
        "Tags": tags(subnet.tags.as_ref()),
    }))
}

fn table_json(context: &Context<'_>, id: &str, table: &RouteTable, place: &Place) -> Result<Value, Fault> {
    let vpc_id = need(table.vpc.as_ref(), id, "vpc")?;
    let vpc = context.vpc(vpc_id)?;
    let stated: BTreeSet<&str> = items(table.routes.as_ref()).map(|(destination, _)| destination).collect();
    let blocks =
        [&vpc.cidrs, &vpc.ipv6, &vpc.private_ipv6].into_iter().flat_map(|blocks| list(blocks.as_ref()));
    let mut routes: Vec<Value> =
        blocks.filter(|block| !stated.contains(block.to_string().as_str())).map(local_route).collect();
    for (destination, targets) in items(table.routes.as_ref()) {
        for target in &targets.0 {
            routes.push(route(context.network, destination, target)?);
        }
    }
    Ok(json!({
        "RouteTableId": id, "VpcId": vpc_id, "OwnerId": or(vpc.owner.as_ref(), &place.account),
        "Associations": associations(id, table), "PropagatingVgws": propagating(table), "Routes": routes, "Tags": [],
    }))
}

fn associations(id: &str, table: &RouteTable) -> Vec<Value> {
    let main = table.main.unwrap_or(false).then_some(("main", "Main", Value::Null));
    let subnets = list(table.subnets.as_ref()).map(|subnet| (subnet.as_str(), "SubnetId", json!(subnet)));
    let gateway = table.gateway.iter().map(|gateway| (gateway.as_str(), "GatewayId", json!(gateway)));
    let pool = table.pool.iter().map(|pool| (pool.as_str(), "PublicIpv4Pool", json!(pool)));
    let all = main.into_iter().chain(subnets).chain(gateway).chain(pool);
    all.map(|(name, key, value)| {
        json!({
            "RouteTableAssociationId": format!("rtbassoc-{id}-{name}"), "RouteTableId": id, "Main": key == "Main",
            key: if key == "Main" { json!(true) } else { value }, "AssociationState": {"State": "associated"},
        })
    })
    .collect()
}

fn propagating(table: &RouteTable) -> Vec<Value> {
    let propagated = items(table.routes.as_ref()).flat_map(|(_, targets)| &targets.0);
    let gateways: BTreeSet<&str> = propagated
        .filter(|route| route.origin == "EnableVgwRoutePropagation")
        .map(|route| route.target.as_str())
        .collect();
    gateways.into_iter().map(|gateway| json!({"GatewayId": gateway})).collect()
}

fn local_route(block: &IpNet) -> Value {
    let mut route = Map::new();
    route.insert(destination_key(&block.to_string()).to_owned(), json!(block));
    route.extend([
        ("GatewayId".to_owned(), json!("local")),
        ("Origin".to_owned(), json!("CreateRouteTable")),
        ("State".to_owned(), json!("active")),
    ]);
    Value::Object(route)
}

fn route(network: &Network, destination: &str, route: &RouteTarget) -> Result<Value, Fault> {
    let target = target(network, &route.target)?;
    let mut fields = json!({"Origin": route.origin, "State": route.state});
    if let (Some(fields), Value::Object(target)) = (fields.as_object_mut(), target) {
        fields.insert(destination_key(destination).to_owned(), json!(destination));
        fields.extend(target);
    }
    Ok(fields)
}

/// The field of a destination: a block of one family, or else a prefix list.
fn destination_key(destination: &str) -> &'static str {
    match destination.parse::<IpNet>() {
        Ok(IpNet::V4(_)) => "DestinationCidrBlock",
        Ok(IpNet::V6(_)) => "DestinationIpv6CidrBlock",
        Err(_) => "DestinationPrefixListId",
    }
}

/// The field that names a target: by what the id stands for, or by its prefix if it stands for nothing.
fn target(network: &Network, id: &str) -> Result<Value, Fault> {
    if let Some(interface) = network.interfaces.as_ref().and_then(|interfaces| interfaces.get(id)) {
        let owner =
            interface.instance.as_ref().map(|_| or(interface.owner.as_ref(), super::context::ACCOUNT));
        return Ok(json!({
            "NetworkInterfaceId": id, "InstanceId": interface.instance, "InstanceOwnerId": owner,
        }));
    }
    let prefix = id.split_once('-').map_or(id, |(prefix, _)| prefix);
    let field = match prefix {
        "local" | "igw" | "vgw" | "vpce" => "GatewayId",
        "nat" => "NatGatewayId",
        "tgw" => "TransitGatewayId",
        "pcx" => "VpcPeeringConnectionId",
        "eni" => "NetworkInterfaceId",
        "eigw" => "EgressOnlyInternetGatewayId",
        _ => return Err(format!("`{id}` is no target of a route")),
    };
    Ok(json!({ field: id }))
}

fn dashed(cidr: &IpNet) -> String {
    cidr.to_string().replace(['.', ':', '/'], "-")
}

fn some_unless_empty(values: Vec<Value>) -> Value {
    if values.is_empty() { Value::Null } else { Value::Array(values) }
}
