//! A changed snapshot is the one that reading the changed input gives.

use serde_json::{Value, json};

use super::*;
use crate::id::Ref;
use crate::ingest::{Input, load};
use crate::snapshot::{Action, Destination, GroupPeer, Target};
use crate::traffic::Traffic;

/// What the AWS CLI prints of a small network.
fn answers() -> Value {
    let interface = |id: &str, ip: &str| {
        json!({"NetworkInterfaceId": id, "VpcId": "vpc-1", "SubnetId": "subnet-1", "InterfaceType": "interface",
            "SourceDestCheck": true, "Status": "in-use", "Groups": [{"GroupId": "sg-1"}],
            "PrivateIpAddresses": [{"PrivateIpAddress": ip, "Primary": true}]})
    };
    let entry = |number: u32, egress: bool, action: &str| json!({"RuleNumber": number, "Egress": egress, "RuleAction": action, "Protocol": "-1", "CidrBlock": "0.0.0.0/0"});
    json!({
        "Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "OwnerId": "111111111111"}],
        "Subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24"}],
        "InternetGateways": [{"InternetGatewayId": "igw-1", "Attachments": [{"VpcId": "vpc-1", "State": "available"}]}],
        "NetworkAcls": [{"NetworkAclId": "acl-1", "VpcId": "vpc-1", "IsDefault": true,
            "Associations": [{"SubnetId": "subnet-1"}],
            "Entries": [entry(100, false, "allow"), entry(100, true, "allow")]}],
        "SecurityGroups": [{"GroupId": "sg-1", "VpcId": "vpc-1", "GroupName": "web", "IpPermissions": [
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]},
            {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
            "IpPermissionsEgress": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}],
        "RouteTables": [{"RouteTableId": "rtb-1", "VpcId": "vpc-1", "Associations": [{"Main": true}], "Routes": [
            {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"},
            {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "active"},
            {"DestinationCidrBlock": "192.0.2.0/24", "NetworkInterfaceId": "eni-b", "State": "active"}]}],
        "NetworkInterfaces": [interface("eni-a", "10.0.0.10"), interface("eni-b", "10.0.0.11"), interface("eni-c", "10.0.0.12")],
    })
}

fn read(answers: &Value) -> Snapshot {
    let keys = answers.as_object().unwrap().iter();
    let files = keys.map(|(key, value)| {
        let answer = json!({ key: value });
        Input { name: format!("{key}.json"), bytes: answer.to_string().into_bytes() }
    });
    load(files.collect()).unwrap()
}

/// Checks that a change of the facts is what the change of the input is.
fn check(change: &Change, edit: impl FnOnce(&mut Value)) {
    let mut input = answers();
    let before = read(&input);
    edit(&mut input);
    let (changed, wanted) = (before.changed(change).unwrap(), read(&input));
    assert_ne!(before.digest(), wanted.digest(), "the input differs");
    assert_eq!(changed.digest(), wanted.digest());
}

fn refused(change: &Change) -> String {
    read(&answers()).changed(change).unwrap_err().to_string()
}

fn rule(edit: Edit<GroupRule>) -> Change {
    Change::Rule { group: GroupId::from_index(0), egress: false, edit }
}

fn entry(edit: Edit<AclEntry>) -> Change {
    Change::Entry { acl: AclId::from_index(0), edit }
}

fn route(edit: Edit<Route>) -> Change {
    Change::Route { table: RouteTableId::from_index(0), edit }
}

fn address(edit: Edit<PrivateAddress>) -> Change {
    Change::Address { interface: EniId::from_index(0), edit }
}

fn list<'v>(input: &'v mut Value, pointer: &str) -> &'v mut Vec<Value> {
    input.pointer_mut(pointer).unwrap().as_array_mut().unwrap()
}

#[test]
fn rules_come_and_go() {
    let snapshot = read(&answers());
    let rules = snapshot.groups.values().next().unwrap().ingress.clone().unwrap();
    let permissions = "/SecurityGroups/0/IpPermissions";
    check(&rule(Edit::Remove(1)), |input| drop(list(input, permissions).pop()));
    let peer = GroupPeer::Cidr("192.0.2.0/24".parse().unwrap());
    check(&rule(Edit::Replace(1, GroupRule { peer: peer.clone(), ..rules[1].clone() })), |input| {
        list(input, permissions)[1]["IpRanges"] = json!([{"CidrIp": "192.0.2.0/24"}]);
    });
    check(
        &rule(Edit::Add(GroupRule { peer, traffic: Traffic::All, index: 2, ..rules[1].clone() })),
        |input| {
            list(input, permissions)
                .push(json!({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "192.0.2.0/24"}]}));
        },
    );
}

#[test]
fn entries_come_and_go_by_number() {
    let snapshot = read(&answers());
    let own = snapshot.acls.values().next().unwrap().entries[0].clone();
    let entries = "/NetworkAcls/0/Entries";
    check(&entry(Edit::Remove(0)), |input| drop(list(input, entries).remove(0)));
    check(&entry(Edit::Replace(0, AclEntry { action: Action::Deny, ..own.clone() })), |input| {
        list(input, entries)[0]["RuleAction"] = json!("deny");
    });
    check(&entry(Edit::Add(AclEntry { action: Action::Deny, number: 50, ..own.clone() })), |input| {
        list(input, entries)
            .push(json!({"RuleNumber": 50, "Egress": false, "RuleAction": "deny", "Protocol": "-1",
            "CidrBlock": "0.0.0.0/0"}));
    });
    assert!(refused(&entry(Edit::Add(own))).contains("number 100"));
}

#[test]
fn routes_come_and_go() {
    let snapshot = read(&answers());
    let own = snapshot.route_tables.values().next().unwrap().routes[1].clone();
    let routes = "/RouteTables/0/Routes";
    check(&route(Edit::Remove(1)), |input| drop(list(input, routes).remove(1)));
    check(&route(Edit::Replace(1, Route { state: Some("blackhole".into()), ..own.clone() })), |input| {
        list(input, routes)[1]["State"] = json!("blackhole");
    });
    let more = Destination::Cidr("198.51.100.0/24".parse().unwrap());
    check(&route(Edit::Add(Route { destination: more, ..own.clone() })), |input| {
        list(input, routes).push(
            json!({"DestinationCidrBlock": "198.51.100.0/24", "GatewayId": "igw-1", "State": "active"}),
        );
    });
    let unmodelled = Target::Unmodelled { field: "LocalGatewayId".into(), id: "lgw-1".into() };
    assert!(refused(&route(Edit::Replace(1, Route { target: unmodelled, ..own }))).contains("changed input"));
}

#[test]
fn addresses_come_and_go() {
    let addresses = "/NetworkInterfaces/0/PrivateIpAddresses";
    let new = PrivateAddress { ip: [10, 0, 0, 9].into(), primary: false };
    check(&address(Edit::Add(new)), |input| {
        list(input, addresses).push(json!({"PrivateIpAddress": "10.0.0.9", "Primary": false}));
    });
    check(&address(Edit::Replace(0, PrivateAddress { primary: true, ..new })), |input| {
        list(input, addresses)[0]["PrivateIpAddress"] = json!("10.0.0.9");
    });
    let stray = PrivateAddress { ip: [10, 9, 0, 9].into(), primary: false };
    assert!(refused(&address(Edit::Add(stray))).contains("in no block of the subnet"));
    assert!(refused(&address(Edit::Remove(0))).contains("without an address"));
}

#[test]
fn interfaces_come_and_go_with_all_that_names_them() {
    let snapshot = read(&answers());
    let own = snapshot.interfaces.values().nth(1).unwrap().clone();
    let interfaces = "/NetworkInterfaces";
    check(&Change::Interface(Edit::Remove(0)), |input| drop(list(input, interfaces).remove(0)));
    check(&Change::Interface(Edit::Remove(1)), |input| {
        list(input, interfaces).remove(1);
        list(input, "/RouteTables/0/Routes")[2]["State"] = json!("blackhole");
    });
    let mut new = own.clone();
    new.meta.id = "eni-0".into();
    new.addresses[0].ip = [10, 0, 0, 77].into();
    check(&Change::Interface(Edit::Add(Box::new(new))), |input| {
        let mut row = list(input, interfaces)[1].clone();
        row["NetworkInterfaceId"] = json!("eni-0");
        row["PrivateIpAddresses"][0]["PrivateIpAddress"] = json!("10.0.0.77");
        list(input, interfaces).push(row);
    });
    let idle = Interface { status: Some("available".into()), ..own.clone() };
    check(&Change::Interface(Edit::Replace(1, Box::new(idle))), |input| {
        list(input, interfaces)[1]["Status"] = json!("available");
    });
    let bare = Interface { groups: Some(Vec::new()), ..own.clone() };
    assert!(refused(&Change::Interface(Edit::Replace(1, Box::new(bare)))).contains("no group"));
    let open = Interface { source_dest_check: Some(false), ..own };
    assert!(refused(&Change::Interface(Edit::Replace(1, Box::new(open)))).contains("only groups"));
}

#[test]
fn what_is_not_there_cannot_be_changed() {
    assert!(refused(&rule(Edit::Remove(7))).contains("position 7 of 2"));
    assert!(refused(&Change::Interface(Edit::Remove(9))).contains("position 9"));
    let gone = Change::Entry { acl: AclId::from_index(4), edit: Edit::Remove(0) };
    assert!(refused(&gone).contains("no such network ACL"));
    let snapshot = read(&answers());
    let own = snapshot.groups.values().next().unwrap().ingress.clone().unwrap().remove(0);
    let bits = GroupPeer::Cidr("10.0.0.1/8".parse().unwrap());
    assert!(refused(&rule(Edit::Add(GroupRule { peer: bits, ..own }))).contains("bits behind"));
    let own = snapshot.route_tables.values().next().unwrap().routes[1].clone();
    let beyond = Target::Nat(Ref::Known(crate::id::NatId::from_index(3)));
    assert!(refused(&route(Edit::Add(Route { target: beyond, ..own }))).contains("not in the snapshot"));
}
