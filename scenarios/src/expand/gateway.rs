//! Gateways, endpoints, peering, private connectivity and Block Public Access.

use serde_json::{Value, json};

use super::Fault;
use super::answers::{Answers, Place};
use super::context::{ACCOUNT, Context, MOMENT, find, items, list, need, or, usual_place};
use super::interface::{allocation, describe_interface};
use crate::format::network::{
    BlockPublicAccess, Endpoint, Exclusion, Gateway, Interface, NatGateway, Peering, VpnConnection,
};

/// Writes the answers about gateways, endpoints, peering connections and Block Public Access.
pub(super) fn describe(context: &Context<'_>, answers: &mut Answers) -> Result<(), Fault> {
    attached_gateways(context, answers)?;
    for (id, nat) in items(context.network.nat_gateways.as_ref()) {
        describe_nat(context, answers, id, nat)?;
    }
    for (id, endpoint) in items(context.network.endpoints.as_ref()) {
        describe_endpoint(context, answers, id, endpoint)?;
    }
    for (id, peering) in items(context.network.peerings.as_ref()) {
        describe_peering(context, answers, id, peering)?;
    }
    for (id, vpn) in items(context.network.vpn_connections.as_ref()) {
        describe_vpn(context, answers, id, vpn)?;
    }
    for (id, ranges) in items(context.network.public_pools.as_ref()) {
        let ranges: Vec<Value> = ranges
            .iter()
            .map(|range| json!({"FirstAddress": range.network(), "LastAddress": range.broadcast()}))
            .collect();
        let json = json!({"PoolId": id, "Description": "", "PoolAddressRanges": ranges, "Tags": []});
        answers.list(&usual_place(), "ec2_describe-public-ipv4-pools", json);
    }
    block_public_access(context, answers)
}

fn attached_gateways(context: &Context<'_>, answers: &mut Answers) -> Result<(), Fault> {
    let network = context.network;
    for (id, gateway) in items(network.internet_gateways.as_ref()) {
        let json = json!({
            "InternetGatewayId": id, "OwnerId": ACCOUNT, "Attachments": attachments(gateway, "available"), "Tags": [],
        });
        answers.list(&home(context, gateway)?, "ec2_describe-internet-gateways", json);
    }
    for (id, gateway) in items(network.egress_gateways.as_ref()) {
        let attachments = attachments(gateway, "attached");
        let json = json!({"EgressOnlyInternetGatewayId": id, "Attachments": attachments, "Tags": []});
        answers.list(&home(context, gateway)?, "ec2_describe-egress-only-internet-gateways", json);
    }
    for (id, gateway) in items(network.virtual_gateways.as_ref()) {
        let json = json!({
            "VpnGatewayId": id, "State": "available", "Type": "ipsec.1", "AmazonSideAsn": 64_512,
            "VpcAttachments": attachments(gateway, "attached"), "Tags": [],
        });
        answers.list(&home(context, gateway)?, "ec2_describe-vpn-gateways", json);
    }
    Ok(())
}

fn home(context: &Context<'_>, gateway: &Gateway) -> Result<Place, Fault> {
    gateway.vpc.as_deref().map_or_else(|| Ok(usual_place()), |vpc| context.place(vpc))
}

fn attachments(gateway: &Gateway, usual: &str) -> Vec<Value> {
    let state = or(gateway.state.as_ref(), usual);
    gateway.vpc.iter().map(|vpc| json!({"VpcId": vpc, "State": state})).collect()
}

fn describe_nat(
    context: &Context<'_>,
    answers: &mut Answers,
    id: &str,
    nat: &NatGateway,
) -> Result<(), Fault> {
    let vpc = match (&nat.subnet, &nat.vpc) {
        (Some(subnet), _) => context.vpc_of_subnet(subnet)?,
        (None, vpc) => need(vpc.as_ref(), id, "vpc")?,
    };
    let place = context.place(vpc)?;
    let mode = if nat.subnet.is_some() { "zonal" } else { "regional" };
    let json = json!({
        "NatGatewayId": id, "State": or(nat.state.as_ref(), "available"), "CreateTime": MOMENT, "VpcId": vpc,
        "ConnectivityType": or(nat.connectivity.as_ref(), "public"), "AvailabilityMode": mode,
        "SubnetId": nat.subnet, "RouteTableId": nat.table,
        "NatGatewayAddresses": nat_addresses(nat, &place), "Tags": [],
    });
    answers.list(&place, "ec2_describe-nat-gateways", json);
    let Some(interface) = &nat.interface else { return Ok(()) };
    let implied = Interface {
        subnet: nat.subnet.clone(),
        addresses: nat.addresses.clone(),
        public: nat.public.clone(),
        source_dest_check: Some(false),
        kind: Some("nat_gateway".to_owned()),
        description: Some(format!("Interface for NAT Gateway {id}")),
        requester: Some(place.account),
        ..Interface::default()
    };
    describe_interface(context, answers, interface, &implied)
}

fn nat_addresses(nat: &NatGateway, place: &Place) -> Vec<Value> {
    let zonal = list(nat.addresses.as_ref()).enumerate().map(|(index, address)| {
        let public = nat.public.as_ref().and_then(|public| public.get(&address.to_string()));
        json!({
            "NetworkInterfaceId": nat.interface, "PrivateIp": address, "PublicIp": public,
            "AllocationId": public.map(|public| allocation(*public)), "IsPrimary": index == 0, "Status": "succeeded",
        })
    });
    let regional = list(nat.public_addresses.as_ref()).map(|public| {
        json!({
            "PublicIp": public, "AllocationId": allocation(*public), "Status": "succeeded",
            "AvailabilityZone": place.zone_name(1), "AvailabilityZoneId": place.zone_id(1),
        })
    });
    zonal.chain(regional).collect()
}

fn describe_endpoint(
    context: &Context<'_>,
    answers: &mut Answers,
    id: &str,
    endpoint: &Endpoint,
) -> Result<(), Fault> {
    let place = context.place(need(endpoint.vpc.as_ref(), id, "vpc")?)?;
    let (kind, interface_kind) = match need(endpoint.kind.as_ref(), id, "kind")?.as_str() {
        "gateway" => ("Gateway", ""),
        "interface" => ("Interface", "vpc_endpoint"),
        "gateway-load-balancer" => ("GatewayLoadBalancer", "gateway_load_balancer_endpoint"),
        other => return Err(format!("`{other}` is no kind of endpoint")),
    };
    answers.list(&place, "ec2_describe-vpc-endpoints", endpoint_json(context, id, endpoint, kind, &place)?);
    for (interface, at) in items(endpoint.interfaces.as_ref()) {
        let implied = Interface {
            subnet: at.subnet.clone(),
            addresses: at.address.map(|address| vec![address]),
            groups: endpoint.groups.clone(),
            kind: Some(interface_kind.to_owned()),
            description: Some(format!("VPC Endpoint Interface {id}")),
            requester: Some("amazon-vpce".to_owned()),
            deny_igw: Some(true),
            ..Interface::default()
        };
        describe_interface(context, answers, interface, &implied)?;
    }
    Ok(())
}

fn endpoint_json(
    context: &Context<'_>,
    id: &str,
    endpoint: &Endpoint,
    kind: &str,
    place: &Place,
) -> Result<Value, Fault> {
    let service = need(endpoint.service.as_ref(), id, "service")?;
    let service = if service.contains('.') {
        service.clone()
    } else {
        format!("com.amazonaws.{}.{service}", place.region)
    };
    let interfaces: Vec<_> = items(endpoint.interfaces.as_ref()).collect();
    let group = |id: &String| json!({"GroupId": id, "GroupName": context.group_name(id)});
    Ok(json!({
        "VpcEndpointId": id, "VpcEndpointType": kind, "VpcId": endpoint.vpc, "ServiceName": service,
        "OwnerId": place.account, "State": or(endpoint.state.as_ref(), "available"), "IpAddressType": "ipv4",
        "CreationTimestamp": MOMENT, "RequesterManaged": false, "PrivateDnsEnabled": false,
        "PolicyDocument": or(endpoint.policy.as_ref(), ALLOW_ALL), "DnsEntries": [],
        "RouteTableIds": list(endpoint.tables.as_ref()).collect::<Vec<_>>(),
        "SubnetIds": interfaces.iter().map(|(_, interface)| &interface.subnet).collect::<Vec<_>>(),
        "NetworkInterfaceIds": interfaces.iter().map(|(id, _)| id).collect::<Vec<_>>(),
        "Groups": list(endpoint.groups.as_ref()).map(group).collect::<Vec<_>>(), "Tags": [],
    }))
}

const ALLOW_ALL: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;

fn describe_peering(
    context: &Context<'_>,
    answers: &mut Answers,
    id: &str,
    peering: &Peering,
) -> Result<(), Fault> {
    let state = or(peering.state.as_ref(), "active");
    let sides = [
        need(peering.requester.as_ref(), id, "requester")?,
        need(peering.accepter.as_ref(), id, "accepter")?,
    ];
    let [requester, accepter] = sides.map(|vpc| peering_side(context, vpc, state));
    let json = json!({
        "VpcPeeringConnectionId": id, "Status": {"Code": state, "Message": state}, "Tags": [],
        "RequesterVpcInfo": requester?, "AccepterVpcInfo": accepter?,
    });
    let mut places = sides.map(|vpc| context.place(vpc)).into_iter().collect::<Result<Vec<_>, _>>()?;
    places.dedup();
    for place in places {
        answers.list(&place, "ec2_describe-vpc-peering-connections", json.clone());
    }
    Ok(())
}

/// One side; its blocks show only while the connection is active.
fn peering_side(context: &Context<'_>, vpc_id: &str, state: &str) -> Result<Value, Fault> {
    let (vpc, place) = (context.vpc(vpc_id)?, context.place(vpc_id)?);
    let mut side =
        json!({"VpcId": vpc_id, "OwnerId": or(vpc.owner.as_ref(), &place.account), "Region": place.region});
    if let (Some(side), "active") = (side.as_object_mut(), state) {
        let ipv4 = list(vpc.cidrs.as_ref()).map(|cidr| json!({"CidrBlock": cidr}));
        let ipv6: Vec<Value> = list(vpc.ipv6.as_ref()).map(|cidr| json!({"Ipv6CidrBlock": cidr})).collect();
        side.insert("CidrBlock".to_owned(), json!(list(vpc.cidrs.as_ref()).next()));
        side.insert("CidrBlockSet".to_owned(), ipv4.collect());
        if !ipv6.is_empty() {
            side.insert("Ipv6CidrBlockSet".to_owned(), Value::Array(ipv6));
        }
    }
    Ok(side)
}

fn describe_vpn(
    context: &Context<'_>,
    answers: &mut Answers,
    id: &str,
    vpn: &VpnConnection,
) -> Result<(), Fault> {
    let gateway = need(vpn.gateway.as_ref(), id, "gateway")?;
    let virtual_gateway = find(context.network.virtual_gateways.as_ref(), gateway, "virtual gateway").ok();
    let place = virtual_gateway.map_or_else(|| Ok(usual_place()), |gateway| home(context, gateway))?;
    let end = if virtual_gateway.is_some() { "VpnGatewayId" } else { "TransitGatewayId" };
    let routes: Vec<Value> = list(vpn.routes.as_ref())
        .map(|cidr| json!({"DestinationCidrBlock": cidr, "Source": "Static", "State": "available"}))
        .collect();
    let customer = format!("cgw-{id}");
    let options = json!({
        "EnableAcceleration": false, "StaticRoutesOnly": !routes.is_empty(), "LocalIpv4NetworkCidr": "0.0.0.0/0",
        "RemoteIpv4NetworkCidr": "0.0.0.0/0", "TunnelInsideIpVersion": "ipv4",
    });
    let json = json!({
        "VpnConnectionId": id, end: gateway, "CustomerGatewayId": customer, "Category": "VPN", "Type": "ipsec.1",
        "State": or(vpn.state.as_ref(), "available"), "Options": options, "Routes": routes, "Tags": [],
        "VgwTelemetry": [{
            "OutsideIpAddress": "198.51.100.250", "Status": "UP", "AcceptedRouteCount": 1, "StatusMessage": "",
        }],
    });
    answers.list(&place, "ec2_describe-vpn-connections", json);
    let outside = vpn.customer.map_or_else(|| "203.0.113.250".to_owned(), |customer| customer.to_string());
    let json = json!({
        "CustomerGatewayId": customer, "IpAddress": outside, "BgpAsn": "65000", "Type": "ipsec.1", "State": "available",
        "Tags": [],
    });
    answers.list(&place, "ec2_describe-customer-gateways", json);
    Ok(())
}

fn block_public_access(context: &Context<'_>, answers: &mut Answers) -> Result<(), Fault> {
    let usual = BlockPublicAccess::default();
    let block = context.network.block_public_access.as_ref().unwrap_or(&usual);
    let mode = or(block.mode.as_ref(), "off");
    let state = or(block.state.as_ref(), if mode == "off" { "default-state" } else { "update-complete" });
    for place in context.places() {
        let options = json!({
            "AwsAccountId": place.account, "AwsRegion": place.region, "State": state, "InternetGatewayBlockMode": mode,
            "ExclusionsAllowed": "allowed", "ManagedBy": "account",
        });
        let answer = json!({"VpcBlockPublicAccessOptions": options});
        answers.put(&place, "ec2_describe-vpc-block-public-access-options", answer);
    }
    for (id, exclusion) in items(block.exclusions.as_ref()) {
        let (place, json) = exclusion_json(context, id, exclusion)?;
        answers.list(&place, "ec2_describe-vpc-block-public-access-exclusions", json);
    }
    Ok(())
}

fn exclusion_json(context: &Context<'_>, id: &str, exclusion: &Exclusion) -> Result<(Place, Value), Fault> {
    let resource = need(exclusion.resource.as_ref(), id, "resource")?;
    let (place, kind) = match context.vpc_of_subnet(resource) {
        Ok(vpc) => (context.place(vpc)?, "subnet"),
        Err(_) => (context.place(resource)?, "vpc"),
    };
    let json = json!({
        "ExclusionId": id, "InternetGatewayExclusionMode": need(exclusion.mode.as_ref(), id, "mode")?,
        "ResourceArn": place.arn(&place.account, &format!("{kind}/{resource}")), "Tags": [],
        "State": or(exclusion.state.as_ref(), "create-complete"), "CreationTimestamp": MOMENT,
    });
    Ok((place, json))
}
