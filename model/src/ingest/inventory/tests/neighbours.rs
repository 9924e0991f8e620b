use std::net::Ipv4Addr;

use serde_json::json;

use super::support::{Net, meta};
use crate::id::{Id, Ref, SubnetId, TgwId, VpcId};
use crate::snapshot::{
    AssociationEvidence, DxGateway, GatewayAttachment, NatAddress, NatGateway, PublicAddress, Target,
    TgwAttachment, TgwVpcOptions, TransitGateway, VirtualGateway,
};

fn unmodelled(field: &str, id: &str) -> Target {
    Target::Unmodelled { field: field.into(), id: id.into() }
}

fn vpc(index: usize) -> VpcId {
    VpcId::from_index(index)
}

/// A-22, R-TGW-8: what enters another network may come out in any VPC at the same network, and goes on by the table of
/// any of its subnets.
#[test]
fn vpcs_with_a_route_to_the_same_network_are_joined() {
    let mut net = Net::new();
    net.route(0, unmodelled("LocalGatewayId", "lgw-1"));
    net.check(&["Neighbour lgw-1: route(lgw-1) -> subnet-a subnet-b subnet-z vpc-a vpc-z"]);
    net.route(1, unmodelled("LocalGatewayId", "lgw-1"));
    net.route(1, unmodelled("OdbNetworkArn", "odb-1"));
    net.check(&[
        "Neighbour lgw-1: route(lgw-1) -> subnet-a subnet-b subnet-z vpc-a vpc-z",
        "Neighbour odb-1: route(odb-1) -> subnet-a subnet-b subnet-z vpc-a vpc-z",
    ]);
}

#[test]
fn a_core_network_joins_the_vpcs_that_are_attached() {
    let mut net = Net::new();
    let arn = "arn:aws:networkmanager::111111111111:core-network/core-network-1";
    net.route(0, unmodelled("CoreNetworkArn", arn));
    let resource = "arn:aws:ec2:us-east-1:111111111111:vpc/vpc-z";
    net.read("Attachments", json!([{"CoreNetworkId": "core-network-1", "ResourceArn": resource}]));
    net.check(&[&format!("Neighbour {arn}: route({arn}) -> subnet-a subnet-b subnet-z vpc-a vpc-z")]);
}

/// a carrier gateway counts as the internet.
#[test]
fn a_carrier_gateway_is_a_way_to_the_internet() {
    let mut net = Net::new();
    net.read(
        "CarrierGateways",
        json!([{"CarrierGatewayId": "cagw-1", "VpcId": "vpc-a", "State": "available"}]),
    );
    net.check(&["Neighbour cagw-1: internet route(cagw-1) -> vpc-a internet"]);
    let mut net = Net::new();
    net.route(0, unmodelled("CarrierGatewayId", "cagw-1"));
    net.check(&["Neighbour cagw-1: internet route(cagw-1) -> subnet-a subnet-b vpc-a internet"]);
}

/// R-ADDR-11.
#[test]
fn a_carrier_address_is_reached_from_outside() {
    let mut net = Net::new();
    let eni = net.eni("eni-1", "subnet-z", "interface");
    let (public, private) = (Ipv4Addr::new(198, 51, 100, 1), Ipv4Addr::new(10, 0, 0, 1));
    let address = |evidence| PublicAddress { public, private, evidence, source: meta("x").source };
    net.get(eni).public = vec![address(AssociationEvidence::Direct)];
    net.check(&[]);
    net.get(eni).public.push(address(AssociationEvidence::Carrier));
    net.check(&["Neighbour eni-1: internet -> vpc-z"]);
    net.get(eni).public = vec![address(AssociationEvidence::CustomerOwned)];
    net.check(&["Neighbour eni-1: anywhere -> vpc-z"]);
}

/// R-NAT-10.
#[test]
fn a_nat_gateway_with_a_proxy_is_a_component() {
    let mut net = Net::new();
    let eni = net.eni("eni-1", "subnet-b", "natgateway");
    let address = NatAddress { interface: Some(Ref::Known(eni)), private: None, public: None, state: None };
    let mut nat = NatGateway {
        meta: meta("nat-1"),
        state: None,
        connectivity: None,
        mode: None,
        vpc: Ref::Known(vpc(0)),
        subnet: Some(Ref::Known(SubnetId::from_index(1))),
        table: None,
        addresses: vec![address],
        appliances: Vec::new(),
        appliance_endpoints: Vec::new(),
    };
    net.snapshot.nat_gateways.push(nat.clone());
    net.check(&[]);
    nat.appliances.push("network-firewall-proxy".into());
    net.snapshot.nat_gateways = [nat].into_iter().collect();
    net.check(&["Other nat-1: eni-1 route(nat-1) -> subnet-b internet"]);
}

fn virtual_gateway(net: &mut Net, id: &str, index: usize) {
    let attachments = vec![GatewayAttachment { vpc: Ref::Known(vpc(index)), state: None }];
    net.snapshot.virtual_gateways.push(VirtualGateway { meta: meta(id), state: None, attachments });
}

/// R-VPN-8.
#[test]
fn a_direct_connect_gateway_joins_two_gateways() {
    let mut net = Net::new();
    virtual_gateway(&mut net, "vgw-1", 0);
    virtual_gateway(&mut net, "vgw-2", 1);
    net.snapshot.dx_gateways.push(DxGateway { id: "dx-1".into(), associated: vec!["vgw-1".into()] });
    net.check(&[]);
    let associated = json!([{"directConnectGatewayId": "dx-1", "associationState": "associated", "associatedGateway": {"id": "vgw-2"}}]);
    net.read("directConnectGatewayAssociations", associated);
    net.check(&["Neighbour dx-1: route(vgw-1) route(vgw-2) -> vpc-a vpc-z"]);
}

fn transit(net: &mut Net) -> TgwId {
    let tgw = net.snapshot.transit_gateways.push(TransitGateway {
        meta: meta("tgw-1"),
        state: None,
        group_referencing: None,
        encryption: false,
    });
    attachment(net, "tgw-attach-z", tgw, "vpc-z", Some(1));
    tgw
}

fn attachment(net: &mut Net, id: &str, tgw: TgwId, resource: &str, index: Option<usize>) {
    let options = |index| TgwVpcOptions {
        vpc: Ref::Known(vpc(index)),
        subnets: None,
        group_referencing: None,
        appliance_mode: false,
    };
    net.snapshot.attachments.push(TgwAttachment {
        meta: meta(id),
        tgw: Ref::Known(tgw),
        kind: "vpc".into(),
        resource: resource.into(),
        state: None,
        associations: Vec::new(),
        policies: Vec::new(),
        vpc: index.map(options),
        peer: None,
    });
}

/// R-VPN-8: into a transit gateway's VPCs by its attachment; the transit gateway itself stays modelled.
#[test]
fn a_direct_connect_gateway_joins_transit_gateways_by_its_attachment() {
    let mut net = Net::new();
    virtual_gateway(&mut net, "vgw-1", 0);
    let tgw = transit(&mut net);
    attachment(&mut net, "tgw-attach-dx", tgw, "dx-1", None);
    net.snapshot
        .dx_gateways
        .push(DxGateway { id: "dx-1".into(), associated: vec!["tgw-1".into(), "vgw-1".into()] });
    net.check(&["Neighbour dx-1: route(tgw-attach-dx) route(vgw-1) -> vpc-a vpc-z"]);
}

///
#[test]
fn mirrored_packets_leave_the_subnet_of_the_mirrored_interface() {
    let mut net = Net::new();
    net.eni("eni-1", "subnet-a", "interface");
    net.read(
        "TrafficMirrorSessions",
        json!([{"TrafficMirrorSessionId": "tms-1", "NetworkInterfaceId": "eni-1"}]),
    );
    net.check(&["Other tms-1: eni-1 from(eni-1) -> eni-1+groups hidden(subnet-a;)"]);
    net.read(
        "TrafficMirrorSessions",
        json!([{"TrafficMirrorSessionId": "tms-2", "NetworkInterfaceId": "eni-9"}]),
    );
    assert_eq!(net.notices(), ["tms-2: the mirrored interface is not in the snapshot"]);
}

///
#[test]
fn a_multicast_domain_reaches_the_attached_vpcs() {
    let mut net = Net::new();
    transit(&mut net);
    net.read("TransitGatewayMulticastDomains", json!([{"TransitGatewayMulticastDomainId": "mc-1", "TransitGatewayId": "tgw-1", "State": "available"}]));
    net.check(&["Other mc-1: route(mc-1) -> vpc-z"]);
    assert_eq!(net.notices(), ["mc-1: packets to multicast addresses are not modelled (A-21)"]);
}
