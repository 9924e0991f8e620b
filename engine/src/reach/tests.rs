//! What an aim keeps of a sender's packets, where a NAT gateway's address is all that the receiver's group admits.
//!
//! Searches do not show it: each gateway that a route names is a component, too, so that an aim at what it leads to is an
//! aim at everything.

use std::collections::BTreeSet;

use reachproof_model::id::EniId;
use reachproof_model::ingest::{Input, load};

use super::{Aim, Reach, SourceClass};
use crate::header::Family;
use crate::network::{Network, Options};

const VPCS: &str = r#"{"Vpcs":[
    {"VpcId":"vpc-a","CidrBlock":"10.0.0.0/16","State":"available","OwnerId":"1",
     "CidrBlockAssociationSet":[{"CidrBlock":"10.0.0.0/16","CidrBlockState":{"State":"associated"}}]},
    {"VpcId":"vpc-b","CidrBlock":"10.1.0.0/16","State":"available","OwnerId":"1",
     "CidrBlockAssociationSet":[{"CidrBlock":"10.1.0.0/16","CidrBlockState":{"State":"associated"}}]}]}"#;
const SUBNETS: &str = r#"{"Subnets":[
    {"SubnetId":"sub-app","VpcId":"vpc-a","CidrBlock":"10.0.1.0/24","AvailabilityZoneId":"use1-az1","OwnerId":"1"},
    {"SubnetId":"sub-nat-a","VpcId":"vpc-a","CidrBlock":"10.0.2.0/24","AvailabilityZoneId":"use1-az1","OwnerId":"1"},
    {"SubnetId":"sub-b","VpcId":"vpc-b","CidrBlock":"10.1.1.0/24","AvailabilityZoneId":"use1-az1","OwnerId":"1"},
    {"SubnetId":"sub-nat-b","VpcId":"vpc-b","CidrBlock":"10.1.2.0/24","AvailabilityZoneId":"use1-az1","OwnerId":"1"}]}"#;
const INTERFACES: &str = r#"{"NetworkInterfaces":[
    {"NetworkInterfaceId":"eni-app","VpcId":"vpc-a","SubnetId":"sub-app","Status":"in-use","InterfaceType":"interface",
     "SourceDestCheck":true,"Groups":[{"GroupId":"sg-app"}],"Attachment":{"Status":"attached"},
     "PrivateIpAddresses":[{"PrivateIpAddress":"10.0.1.10","Primary":true}]},
    {"NetworkInterfaceId":"eni-b","VpcId":"vpc-b","SubnetId":"sub-b","Status":"in-use","InterfaceType":"interface",
     "SourceDestCheck":true,"Groups":[{"GroupId":"sg-b"}],"Attachment":{"Status":"attached"},
     "PrivateIpAddresses":[{"PrivateIpAddress":"10.1.1.10","Primary":true}]},
    {"NetworkInterfaceId":"eni-nat-a","VpcId":"vpc-a","SubnetId":"sub-nat-a","Status":"in-use",
     "InterfaceType":"nat_gateway","SourceDestCheck":false,"Groups":[],"Attachment":{"Status":"attached"},
     "PrivateIpAddresses":[{"PrivateIpAddress":"10.0.2.20","Primary":true}]},
    {"NetworkInterfaceId":"eni-nat-b","VpcId":"vpc-b","SubnetId":"sub-nat-b","Status":"in-use",
     "InterfaceType":"nat_gateway","SourceDestCheck":false,"Groups":[],"Attachment":{"Status":"attached"},
     "PrivateIpAddresses":[{"PrivateIpAddress":"10.1.2.20","Primary":true}]}]}"#;
const NATS: &str = r#"{"NatGateways":[
    {"NatGatewayId":"nat-a","VpcId":"vpc-a","SubnetId":"sub-nat-a","State":"available","ConnectivityType":"private",
     "NatGatewayAddresses":[{"NetworkInterfaceId":"eni-nat-a","PrivateIp":"10.0.2.20","Status":"succeeded"}]},
    {"NatGatewayId":"nat-b","VpcId":"vpc-b","SubnetId":"sub-nat-b","State":"available","ConnectivityType":"private",
     "NatGatewayAddresses":[{"NetworkInterfaceId":"eni-nat-b","PrivateIp":"10.1.2.20","Status":"succeeded"}]}]}"#;
const PEERINGS: &str = r#"{"VpcPeeringConnections":[{"VpcPeeringConnectionId":"pcx-1","Status":{"Code":"active"},
    "RequesterVpcInfo":{"VpcId":"vpc-a","OwnerId":"1","CidrBlock":"10.0.0.0/16"},
    "AccepterVpcInfo":{"VpcId":"vpc-b","OwnerId":"1","CidrBlock":"10.1.0.0/16"}}]}"#;
const TO_NAT_A: &str = r#"{"DestinationCidrBlock":"10.1.0.0/16","NatGatewayId":"nat-a","State":"active"}"#;
const TO_B: &str =
    r#"{"DestinationCidrBlock":"10.1.0.0/16","VpcPeeringConnectionId":"pcx-1","State":"active"}"#;
const TO_NAT_B: &str = r#"{"DestinationCidrBlock":"10.1.1.0/24","NatGatewayId":"nat-b","State":"active"}"#;

/// Whether an aim at `eni-b` keeps anything that `eni-app` sends, where the group of `eni-b` admits one address and the
/// tables of three subnets have these routes besides the local one.
fn keeps(admitted: &str, [of_app, of_nat_a, of_b]: [&str; 3]) -> bool {
    let table = |id: &str, vpc: &str, subnet: &str, block: &str, route: &str| {
        let local = format!(r#"{{"DestinationCidrBlock":"{block}","GatewayId":"local","State":"active"}}"#);
        let routes = if route.is_empty() { local } else { format!("{local},{route}") };
        format!(r#"{{"RouteTableId":"{id}","VpcId":"{vpc}","Associations":[{subnet}],"Routes":[{routes}]}}"#)
    };
    let at =
        |subnet: &str| format!(r#"{{"SubnetId":"{subnet}","AssociationState":{{"State":"associated"}}}}"#);
    let main = r#"{"Main":true,"AssociationState":{"State":"associated"}}"#;
    let tables = [
        table("rtb-app", "vpc-a", main, "10.0.0.0/16", of_app),
        table("rtb-nat-a", "vpc-a", &at("sub-nat-a"), "10.0.0.0/16", of_nat_a),
        table("rtb-b", "vpc-b", &at("sub-b"), "10.1.0.0/16", of_b),
        table("rtb-nat-b", "vpc-b", main, "10.1.0.0/16", ""),
    ];
    let groups = format!(
        r#"{{"SecurityGroups":[
        {{"GroupId":"sg-app","GroupName":"app","VpcId":"vpc-a","IpPermissions":[],"IpPermissionsEgress":[]}},
        {{"GroupId":"sg-b","GroupName":"b","VpcId":"vpc-b","IpPermissionsEgress":[],
          "IpPermissions":[{{"IpProtocol":"-1","IpRanges":[{{"CidrIp":"{admitted}/32"}}]}}]}}]}}"#
    );
    let tables = format!(r#"{{"RouteTables":[{}]}}"#, tables.join(","));
    let files = [VPCS, SUBNETS, INTERFACES, NATS, PEERINGS, &groups, &tables];
    let inputs = files.into_iter().enumerate();
    let inputs =
        inputs.map(|(at, text)| Input { name: format!("{at}.json"), bytes: text.as_bytes().to_vec() });
    let snapshot = load(inputs.collect()).unwrap();
    let network = Network::build(&snapshot, Options::default()).unwrap();
    let id = |name: &str| -> EniId {
        let (id, _) = snapshot.interfaces.iter().find(|(_, row)| &*row.meta.id == name).unwrap();
        id
    };
    let reach = Reach::of(&network);
    let aim = Aim::at(&reach, [id("eni-b")], BTreeSet::new(), false).unwrap();
    let sender = SourceClass::alike(vec![id("eni-app")]).unwrap();
    !aim.destinations(&network, &sender, Family::V4).is_empty()
}

/// R-NAT-2, R-NAT-4.
#[test]
fn an_aim_keeps_what_gateways_may_lead_to_it() {
    let nowhere = ["", "", ""];
    assert!(!keeps("10.9.9.9", [TO_NAT_A, TO_B, TO_NAT_B]), "nobody has the address that is admitted");
    assert!(keeps("10.0.1.10", nowhere), "the sender's own address");
    assert!(keeps("10.0.2.20", [TO_NAT_A, TO_B, ""]), "out of the gateway's VPC");
    assert!(!keeps("10.0.2.20", [TO_NAT_A, "", ""]), "the gateway's own table leads nowhere");
    assert!(!keeps("10.0.2.20", ["", TO_B, ""]), "no table leads to the gateway");
    assert!(keeps("10.1.2.20", ["", "", TO_NAT_B]), "within the gateway's VPC");
}
