//! Compact rules and routes, overlays, and what is refused.

use serde_json::{Value, json};

use crate::{Scenario, parse};

const HEAD: &str = "reachproof: scenario/v1\nname: test\ntitle: a test\nbase: f0\n";

fn scenario(body: &str) -> Scenario {
    parse("test.yaml", &format!("{HEAD}{body}")).unwrap_or_else(|error| panic!("{error}"))
}

fn refusal(body: &str) -> String {
    parse("test.yaml", &format!("{HEAD}{body}")).unwrap_err().to_string()
}

/// The item of the list of `call` whose `field` is `id`.
fn item(scenario: &Scenario, call: &str, field: &str, id: &str) -> Value {
    let name = format!("test/{call}.json");
    let document =
        scenario.documents().iter().find(|document| document.name == name).expect("the call is answered");
    let lists = document.json.as_object().unwrap().values();
    let found = lists.flat_map(|list| list.as_array().unwrap()).find(|item| item[field] == id);
    found.unwrap_or(&Value::Null).clone()
}

fn ingress(rule: &str) -> Value {
    let body = format!("network: {{security-groups: {{sg-app: {{in: [\"{rule}\"]}}}}}}");
    item(&scenario(&body), "ec2_describe-security-groups", "GroupId", "sg-app")["IpPermissions"][0].clone()
}

#[test]
fn group_rules_become_permissions() {
    let permission = |fields: Value| {
        let mut all = json!({"IpRanges": [], "Ipv6Ranges": [], "PrefixListIds": [], "UserIdGroupPairs": []});
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        all
    };
    let anyone = json!([{"CidrIp": "0.0.0.0/0"}]);
    let cases = [
        (
            "tcp 443 from 10.0.0.0/16, pl-1",
            json!({"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/16"}],
                "PrefixListIds": [{"PrefixListId": "pl-1"}]}),
        ),
        (
            "udp 53-60 from 0.0.0.0/0",
            json!({"IpProtocol": "udp", "FromPort": 53, "ToPort": 60, "IpRanges": anyone}),
        ),
        (
            "tcp from ::/0",
            json!({"IpProtocol": "tcp", "FromPort": 0, "ToPort": 65535, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}),
        ),
        (
            "icmp 8 from 0.0.0.0/0",
            json!({"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1, "IpRanges": anyone}),
        ),
        (
            "icmp 3/4 from 0.0.0.0/0",
            json!({"IpProtocol": "icmp", "FromPort": 3, "ToPort": 4, "IpRanges": anyone}),
        ),
        ("50 from 0.0.0.0/0", json!({"IpProtocol": "50", "IpRanges": anyone})),
        ("all from nobody", json!({"IpProtocol": "-1"})),
        (
            "all from sg-web",
            json!({"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-web", "UserId": "111111111111"}]}),
        ),
    ];
    for (rule, fields) in cases {
        assert_eq!(ingress(rule), permission(fields), "{rule}");
    }
}

#[test]
fn acl_rules_become_entries_before_the_fixed_denials() {
    let scenario = scenario(
        "network: {network-acls: {acl-1: {vpc: vpc-a, subnets: [subnet-prv-a], in: [90 allow icmp 8 10.0.0.0/8, \
         \"100 deny tcp 80-81 ::/0\"]}}}",
    );
    let acl = item(&scenario, "ec2_describe-network-acls", "NetworkAclId", "acl-1");
    let entries: Vec<Value> =
        acl["Entries"].as_array().unwrap().iter().filter(|entry| entry["Egress"] == false).cloned().collect();
    assert_eq!(
        json!(entries),
        json!([
            {"RuleNumber": 90, "Egress": false, "RuleAction": "allow", "Protocol": "1", "CidrBlock": "10.0.0.0/8",
                "IcmpTypeCode": {"Type": 8, "Code": -1}},
            {"RuleNumber": 100, "Egress": false, "RuleAction": "deny", "Protocol": "6", "Ipv6CidrBlock": "::/0",
                "PortRange": {"From": 80, "To": 81}},
            {"RuleNumber": 32767, "Egress": false, "RuleAction": "deny", "Protocol": "-1", "CidrBlock": "0.0.0.0/0"},
            {"RuleNumber": 32768, "Egress": false, "RuleAction": "deny", "Protocol": "-1", "Ipv6CidrBlock": "::/0"},
        ])
    );
    let rest = item(&scenario, "ec2_describe-network-acls", "NetworkAclId", "acl-a");
    let subnets: Vec<&str> = rest["Associations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["SubnetId"].as_str().unwrap())
        .collect();
    assert_eq!(subnets, ["subnet-prv-b", "subnet-pub-a"], "the default list keeps what no other one has");
}

#[test]
fn routes_name_their_targets_by_field() {
    let scenario = scenario(
        "network: {route-tables: {rtb-prv: {routes: {10.0.0.0/16: eni-web, 0.0.0.0/0: [nat-9 blackhole, \
         vgw-1 propagated], pl-1: vpce-1, \"::/0\": eigw-1}}}}",
    );
    let table = item(&scenario, "ec2_describe-route-tables", "RouteTableId", "rtb-prv");
    let created = |fields: Value| {
        let mut all = json!({"Origin": "CreateRoute", "State": "active"});
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        all
    };
    let expected = [
        created(
            json!({"DestinationIpv6CidrBlock": "2001:db8:a:100::/56", "GatewayId": "local", "Origin": "CreateRouteTable"}),
        ),
        created(json!({"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-9", "State": "blackhole"})),
        created(
            json!({"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "vgw-1", "Origin": "EnableVgwRoutePropagation"}),
        ),
        created(
            json!({"DestinationCidrBlock": "10.0.0.0/16", "NetworkInterfaceId": "eni-web", "InstanceId": "i-web",
            "InstanceOwnerId": "111111111111"}),
        ),
        created(json!({"DestinationIpv6CidrBlock": "::/0", "EgressOnlyInternetGatewayId": "eigw-1"})),
        created(json!({"DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1"})),
    ];
    assert_eq!(table["Routes"], json!(expected));
    assert_eq!(table["PropagatingVgws"], json!([{"GatewayId": "vgw-1"}]));
}

#[test]
fn null_removes_and_attributes_not_stated_stay() {
    let scenario =
        scenario("network: {interfaces: {eni-db: ~, eni-web: {groups: [sg-open], public: {10.0.0.10: ~}}}}");
    let interface = |id| item(&scenario, "ec2_describe-network-interfaces", "NetworkInterfaceId", id);
    assert_eq!(interface("eni-db"), Value::Null);
    assert_eq!(interface("eni-web")["Groups"][0]["GroupId"], "sg-open");
    assert_eq!(interface("eni-web")["PrivateIpAddress"], "10.0.0.10");
    assert_eq!(interface("eni-web")["Association"], Value::Null);
    assert_eq!(item(&scenario, "ec2_describe-addresses", "PublicIp", "198.51.100.10"), Value::Null);
    assert_eq!(item(&scenario, "ec2_describe-instances", "ReservationId", "r-i-db"), Value::Null);
}

#[test]
fn raw_json_is_merged_by_id_and_null_takes_an_answer_away() {
    let scenario = scenario(
        "aws: {Vpcs: [{VpcId: vpc-a, State: pending, OwnerId: ~}], NetworkAcls: ~, \
         elbv2_describe-listeners__x: {Listeners: []}}",
    );
    let vpc = item(&scenario, "ec2_describe-vpcs", "VpcId", "vpc-a");
    assert_eq!((&vpc["State"], &vpc["CidrBlock"]), (&json!("pending"), &json!("10.0.0.0/16")));
    assert!(!vpc.as_object().unwrap().contains_key("OwnerId"), "null removes an attribute");
    let has =
        |name: &str| scenario.documents().iter().any(|document| document.name == format!("test/{name}.json"));
    assert!(
        has("elbv2_describe-listeners__x")
            && has("ec2_describe-subnets")
            && !has("ec2_describe-network-acls")
    );
}

#[test]
fn two_regions_are_told_apart_by_folders() {
    let scenario = scenario("network: {vpcs: {vpc-b: {region: us-west-2}}}");
    let names: Vec<&str> = scenario.documents().iter().map(|document| document.name.as_str()).collect();
    assert!(names.contains(&"test/111111111111/us-east-1/ec2_describe-vpcs.json"));
    assert!(names.contains(&"test/111111111111/us-west-2/ec2_describe-vpcs.json"));
}

#[test]
fn mistakes_are_refused_with_their_place() {
    let cases = [
        ("network:\n  vpc: {}\n", "test.yaml:6:3:", "unknown field `vpc`"),
        ("network:\n  vpcs:\n    vpc-a: {cidr: 10.0.0.0/8}\n", "test.yaml:7:13:", "unknown field `cidr`"),
        ("network:\n  vpcs:\n    vpc-x: {}\n    vpc-x: {}\n", "test.yaml:8:5:", "vpc-x"),
        (
            "network:\n  security-groups:\n    sg-app:\n      in: [tcp 443 by sg-web]\n",
            "test.yaml:8:12:",
            "says neither `from` nor `to`",
        ),
        (
            "network:\n  security-groups:\n    sg-app:\n      in: [ipx from any]\n",
            "test.yaml:8:12:",
            "`ipx` is no protocol",
        ),
        ("expect:\n  - {from: web, to: app, verdict: maybe}\n", "test.yaml:6:35:", "unknown variant `maybe`"),
    ];
    for (body, place, message) in cases {
        let text = refusal(body);
        assert!(text.starts_with(place) && text.contains(message) && !text.contains("column"), "{text}");
    }
}

#[test]
fn contradictions_are_refused() {
    let cases = [
        ("expect: [{from: web, to: app, port: 80, verdict: reaches}]", "a port needs the protocol"),
        (
            "expect: [{from: web, to: app, protocol: tcp, icmp-type: 8, verdict: reaches}]",
            "an ICMP type needs",
        ),
        ("expect: [{from: web, to: app, verdict: blocked, vector: reachable}]", "contradicts the vector"),
        ("expect: [{from: web, to: app, verdict: unknown, vector: reachable}]", "needs `why`"),
        ("network: {subnets: {subnet-x: {vpc: vpc-x, cidr: 10.0.9.0/24}}}", "there is no VPC `vpc-x`"),
        ("network: {interfaces: {eni-x: {}}}", "`eni-x` needs `subnet`"),
        ("aws: {Listeners: []}", "no key of exactly one answer"),
        ("collected: [ec2 describe-vpc]", "no call that is answered"),
    ];
    for (body, message) in cases {
        let text = refusal(body);
        assert!(text.contains(message), "{text}");
    }
    assert!(
        parse("x", "reachproof: scenario/v2\nname: x\ntitle: x\n")
            .unwrap_err()
            .to_string()
            .contains("scenario/v2")
    );
    assert!(
        parse("x", "reachproof: scenario/v1\nname: x\ntitle: x\nbase: g\n")
            .unwrap_err()
            .to_string()
            .contains("no base `g`")
    );
}

#[test]
fn queries_without_a_fixed_port_are_over_a_set() {
    let scenario = scenario(
        "expect:\n  - {from: web, to: \"app, db\", verdict: blocked}\n  - {from: web, to: app, protocol: tcp, verdict: blocked}\n  \
         - {from: web, to: app, protocol: 47, verdict: blocked}\n  - {from: web, to: app, protocol: tcp, port: 1, verdict: blocked}\n  \
         - {from: web, to: app, protocol: tcp, port: 1, set: true, verdict: blocked}\n",
    );
    let sets: Vec<bool> = scenario.expectations().iter().map(crate::Expectation::is_set).collect();
    assert_eq!(sets, [true, true, false, false, true]);
    let first = &scenario.expectations()[0];
    assert_eq!((first.from.as_str(), first.to.as_str()), ("eni-web", "eni-app,eni-db"));
}
