//! Input that lacks an answer, contradicts itself or cannot be told apart: beside it nothing is proved.

#![expect(clippy::expect_used, reason = "helpers of a test")]

use reachproof_engine::check::{Verdict, check};
use reachproof_engine::network::{Network, Options, missing_inventories};
use reachproof_model::ingest::{Input, load};
use reachproof_model::policy::Policy;
use reachproof_scenarios::{Scenario, parse};

fn scenario(base: &str, changes: &str) -> Scenario {
    let text = format!(
        "reachproof: scenario/v1\nname: missing\ntitle: a network\nrules: [R-CORE-1]\nbase: {base}\n{changes}\nexpect:\n  \
         - {{from: web, to: app, verdict: reaches}}\n"
    );
    parse("missing.yaml", &text).expect("the scenario parses")
}

/// The verdict on one property of a base network with changes.
fn verdict(base: &str, changes: &str, property: &str) -> Verdict {
    let snapshot = load(scenario(base, changes).inputs()).expect("the answers load");
    let network = Network::build(&snapshot, Options::default()).expect("the spine is there");
    let text = format!("reachproof: policy/v1\nproperties:\n  - name: p\n    {property}\n");
    let policy = Policy::parse("policy.yaml", text.as_bytes()).expect("the policy parses");
    let reports = check(&network, &policy, jiff::civil::date(2026, 11, 25)).expect("checked");
    reports.first().expect("one property").verdict
}

fn doubts(base: &str, changes: &str) -> Vec<String> {
    let snapshot = load(scenario(base, changes).inputs()).expect("the answers load");
    Network::build(&snapshot, Options::default()).expect("the spine is there").doubts()
}

/// Asserts that the property is proved of the base network and is not proved with the changes.
fn unproved(base: &str, changes: &str, property: &str) {
    assert_eq!(verdict(base, "network: {}", property), Verdict::Holds, "{base}: {property}");
    assert_eq!(verdict(base, changes, property), Verdict::Unknown, "{base}: {property} with {changes}");
}

/// Asserts that one doubt is about this.
fn doubted(base: &str, changes: &str, about: &str) {
    let found = doubts(base, changes);
    assert!(found.iter().any(|doubt| doubt.contains(about)), "{base} with {changes}: {found:?}");
}

const APP_OUT: &str = "forbid: {from: eni-app, to: internet}";
const APP_IN: &str = "forbid: {from: internet, to: eni-app}";
const APP_B1: &str = "forbid: {from: eni-app, to: eni-b1}";

#[test]
fn whole_networks_raise_no_doubt() {
    for base in
        ["f0", "f0-transit", "f0-peered", "f0-ipv6", "f0-storage", "f0-appliance", "f0-foreign-transit"]
    {
        assert_eq!(doubts(base, "network: {}"), Vec::<String>::new(), "{base}");
    }
}

#[test]
fn an_unknown_table_may_name_a_gateway_that_no_answer_lists() {
    unproved("f0", "aws: {RouteTables: ~, NatGateways: ~}", APP_OUT);
    unproved("f0", "aws: {RouteTables: ~, VpcPeeringConnections: ~}", APP_B1);
    unproved("f0", "aws: {RouteTables: ~, TransitGatewayAttachments: ~}", APP_B1);
    doubted("f0", "aws: {RouteTables: ~, VpnGateways: ~}", "ec2 describe-vpn-gateways");
}

#[test]
fn an_interface_that_an_answer_names_must_be_described() {
    doubted("f0", "aws: {NetworkInterfaces: ~}", "nat-1 names eni-nat");
    doubted("f0", "aws: {ec2_describe-network-interfaces: {NetworkInterfaces: []}}", "nat-1 names eni-nat");
    unproved("f0", "aws: {RouteTables: ~, NetworkInterfaces: ~}", APP_OUT);
    let endpoint = "aws: {VpcEndpoints: [{VpcEndpointId: vpce-x, VpcId: vpc-a, ServiceName: s, VpcEndpointType: Interface, State: available, NetworkInterfaceIds: [eni-gone]}]}";
    doubted("f0", endpoint, "vpce-x names eni-gone");
    let deleted = endpoint.replace("State: available", "State: deleted");
    assert_eq!(doubts("f0", &deleted), Vec::<String>::new());
}

#[test]
fn the_entries_of_a_list_and_the_routes_of_a_table_are_never_assumed() {
    let closed = "network:\n  network-acls:\n    acl-a: {in: [], out: []}\n";
    assert_eq!(verdict("f0", closed, APP_IN), Verdict::Holds);
    let unread = "aws: {NetworkAcls: [{NetworkAclId: acl-a, Entries: ~}]}";
    assert_eq!(verdict("f0", unread, "forbid: {from: eni-web, to: eni-app}"), Verdict::Unknown);
    unproved("f0", "aws: {RouteTables: [{RouteTableId: rtb-prv, Routes: ~}]}", APP_OUT);
}

#[test]
fn a_table_subnet_or_list_without_a_known_vpc_is_in_doubt() {
    for vpc in ["~", "vpc-gone"] {
        unproved("f0", &format!("aws: {{RouteTables: [{{RouteTableId: rtb-prv, VpcId: {vpc}}}]}}"), APP_OUT);
        doubted(
            "f0",
            &format!("aws: {{Subnets: [{{SubnetId: subnet-prv-a, VpcId: {vpc}}}]}}"),
            "subnet-prv-a",
        );
        doubted("f0", &format!("aws: {{NetworkAcls: [{{NetworkAclId: acl-a, VpcId: {vpc}}}]}}"), "acl-a");
    }
}

/// A default route of the private table, as JSON.
fn default_route(target: &str) -> String {
    format!(
        "aws: {{RouteTables: [{{RouteTableId: rtb-prv, Routes: [\
         {{DestinationCidrBlock: 10.0.0.0/16, GatewayId: local, Origin: CreateRouteTable, State: active}}, \
         {{DestinationIpv6CidrBlock: '2001:db8:a:100::/56', GatewayId: local, Origin: CreateRouteTable, State: active}}, \
         {{DestinationCidrBlock: 0.0.0.0/0, Origin: CreateRoute, {target}}}]}}]}}"
    )
}

#[test]
fn an_active_route_without_a_target_that_an_answer_lists_is_in_doubt() {
    for target in [
        "State: active",
        "GatewayId: zz-new, State: active",
        "NatGatewayId: nat-gone, State: active",
        "GatewayId: igw-gone, State: active",
        "NetworkInterfaceId: eni-gone, State: active",
        "TransitGatewayId: tgw-gone, State: active",
    ] {
        unproved("f0", &default_route(target), APP_OUT);
    }
    // What AWS itself shows as leading nowhere does not come back (R-ROUTE-11).
    assert_eq!(
        verdict("f0", &default_route("NatGatewayId: nat-gone, State: blackhole"), APP_OUT),
        Verdict::Holds
    );
}

#[test]
fn a_gateway_attached_to_an_unknown_vpc_is_in_doubt() {
    let attached = |vpc: &str| {
        format!(
            "aws: {{InternetGateways: [{{InternetGatewayId: igw-1, Attachments: [{{VpcId: {vpc}, State: available}}]}}]}}"
        )
    };
    assert_eq!(verdict("f0", "network: {}", "forbid: {from: internet, to: eni-web}"), Verdict::Violated);
    for vpc in ["vpc-gone", "''"] {
        assert_eq!(verdict("f0", &attached(vpc), "forbid: {from: internet, to: eni-web}"), Verdict::Unknown);
    }
}

#[test]
fn of_two_lists_neither_is_the_one_that_permits() {
    let open = "[{RuleNumber: 100, Protocol: '-1', RuleAction: allow, Egress: false, CidrBlock: 0.0.0.0/0}, \
                {RuleNumber: 100, Protocol: '-1', RuleAction: allow, Egress: true, CidrBlock: 0.0.0.0/0}]";
    for (first, last) in [("[]", open), (open, "[]")] {
        let claim = format!(
            "aws: {{NetworkAcls: [{{NetworkAclId: acl-y, VpcId: vpc-a, IsDefault: false, Entries: {first}, \
             Associations: [{{SubnetId: subnet-prv-a, NetworkAclId: acl-y}}]}}, \
             {{NetworkAclId: acl-z, VpcId: vpc-a, IsDefault: false, Entries: {last}, \
             Associations: [{{SubnetId: subnet-prv-a, NetworkAclId: acl-z}}]}}]}}"
        );
        for property in ["require: {from: eni-web, to: eni-app}", "forbid: {from: eni-web, to: eni-app}"] {
            assert_eq!(verdict("f0", &claim, property), Verdict::Unknown, "{property}");
        }
    }
}

#[test]
fn two_lists_may_not_claim_one_subnet() {
    let claim = "aws: {NetworkAcls: [{NetworkAclId: acl-y, VpcId: vpc-a, IsDefault: false, Entries: [], \
                 Associations: [{SubnetId: subnet-prv-a, NetworkAclId: acl-y}]}, \
                 {NetworkAclId: acl-z, VpcId: vpc-a, IsDefault: false, Entries: [], \
                 Associations: [{SubnetId: subnet-prv-a, NetworkAclId: acl-z}]}]}";
    assert_eq!(verdict("f0", claim, "forbid: {from: eni-web, to: eni-app}"), Verdict::Unknown);
}

#[test]
fn a_transit_gateway_or_propagating_gateway_that_only_a_trace_shows_is_a_neighbour() {
    let any = "forbid: {from: any-external, to: eni-app}";
    let hint = "aws:\n  NetworkInterfaces:\n    - {NetworkInterfaceId: eni-tgw, VpcId: vpc-a, SubnetId: subnet-prv-a, \
                InterfaceType: transit_gateway, Status: in-use, Groups: [], PrivateIpAddress: 10.0.1.99}\n";
    assert_eq!(verdict("f0", hint, any), Verdict::Unknown);
    let propagating = "aws: {VpnGateways: ~, RouteTables: [{RouteTableId: rtb-prv, PropagatingVgws: [{GatewayId: vgw-x}]}]}";
    assert_eq!(verdict("f0", propagating, any), Verdict::Unknown);
    doubted("f0", &propagating.replace("VpnGateways: ~, ", ""), "vgw-x propagates into rtb-prv");
}

const BLOCKED: &str = "network:\n  block-public-access: {mode: block-bidirectional}\n";
const WEB_IN: &str = "forbid: {from: internet, to: eni-web}";

#[test]
fn an_exclusion_from_block_public_access_may_exist() {
    assert_eq!(verdict("f0", BLOCKED, WEB_IN), Verdict::Holds);
    let uncollected = format!("{BLOCKED}aws: {{VpcBlockPublicAccessExclusions: ~}}");
    assert_eq!(verdict("f0", &uncollected, WEB_IN), Verdict::Unknown);
    let exclusion = |fields: &str| {
        format!("{BLOCKED}aws: {{VpcBlockPublicAccessExclusions: [{{ExclusionId: x-1, {fields}}}]}}")
    };
    let arn = "ResourceArn: 'arn:aws:ec2:us-east-1:111111111111:vpc/vpc-a'";
    for fields in [
        format!("{arn}, State: create-complete"),
        format!("{arn}, InternetGatewayExclusionMode: allow-new, State: create-complete"),
        format!("{arn}, InternetGatewayExclusionMode: allow-bidirectional, State: delete-failed"),
        format!("{arn}, InternetGatewayExclusionMode: allow-bidirectional, State: unheard-of"),
        "InternetGatewayExclusionMode: allow-bidirectional, State: create-complete".to_owned(),
    ] {
        assert_eq!(verdict("f0", &exclusion(&fields), WEB_IN), Verdict::Unknown, "{fields}");
    }
    let gone = format!("{arn}, InternetGatewayExclusionMode: allow-bidirectional, State: delete-complete");
    assert_eq!(verdict("f0", &exclusion(&gone), WEB_IN), Verdict::Holds);
}

#[test]
fn attachments_are_read_by_what_they_name() {
    let kind = |kind: &str| {
        format!(
            "aws: {{TransitGatewayAttachments: [{{TransitGatewayAttachmentId: tgw-attach-b, ResourceType: {kind}}}]}}"
        )
    };
    for unread in ["~", "vpc-new"] {
        assert_ne!(verdict("f0-transit", &kind(unread), APP_B1), Verdict::Holds, "{unread}");
    }
    let nameless = "aws: {TransitGatewayAttachments: [{TransitGatewayAttachmentId: tgw-attach-b, ResourceId: ~}], \
                    TransitGatewayVpcAttachments: [{TransitGatewayAttachmentId: tgw-attach-b, VpcId: ~}]}";
    doubted("f0-transit", nameless, "tgw-attach-b");
    let strange = "aws: {TransitGatewayVpcAttachments: [{TransitGatewayAttachmentId: tgw-attach-a, SubnetIds: [subnet-gone]}]}";
    assert_ne!(verdict("f0-transit", strange, APP_B1), Verdict::Holds);
}

#[test]
fn a_blackhole_may_heal_where_the_attachment_is_in_transition() {
    let state = |state: &str| {
        format!(
            "network:\n  route-tables:\n    rtb-prv: {{routes: {{10.1.0.0/16: tgw-1 blackhole}}}}\n  \
             attachments:\n    tgw-attach-a: {{state: {state}}}\n"
        )
    };
    assert_eq!(verdict("f0-transit", &state("deleted"), APP_B1), Verdict::Holds);
    assert_eq!(verdict("f0-transit", &state("modifying"), APP_B1), Verdict::Unknown);
    // That the route leads nowhere and that its target is attached contradict each other (R-DATA-5).
    assert_eq!(verdict("f0-transit", &state("available"), APP_B1), Verdict::Unknown);
}

#[test]
fn an_address_attribute_that_is_unheard_of_may_be_public() {
    let block = |attribute: &str| {
        format!(
            "network:\n  route-tables:\n    rtb-pub: {{routes: {{\"::/0\": igw-1}}}}\naws: {{Vpcs: [{{VpcId: vpc-a, Ipv6CidrBlockAssociationSet: [\
             {{Ipv6CidrBlock: '2001:db8:a:100::/56', Ipv6CidrBlockState: {{State: associated}}, Ipv6AddressAttribute: {attribute}}}]}}]}}"
        )
    };
    let property = "forbid: {from: 'internet:2001:db8:ffff::/48', to: eni-web}";
    assert_eq!(verdict("f0-ipv6", &block("private"), property), Verdict::Holds);
    assert_eq!(verdict("f0-ipv6", &block("unheard-of"), property), Verdict::Unknown);
}

#[test]
fn an_address_row_without_an_interface_belongs_to_the_owner_of_its_private_address() {
    let row = "aws: {Addresses: [{AllocationId: eipalloc-x, AssociationId: eipassoc-x, PublicIp: 198.51.100.77, PrivateIpAddress: 10.0.1.10}]}";
    unproved("f0", row, APP_IN);
    doubted("f0", &row.replace("10.0.1.10", "10.0.1.99"), "which no interface has");
}

#[test]
fn an_address_outside_of_the_subnet_or_vpc_is_in_doubt() {
    let moved = "aws: {NetworkInterfaces: [{NetworkInterfaceId: eni-app, PrivateIpAddress: 10.0.2.99, \
                 PrivateIpAddresses: [{PrivateIpAddress: 10.0.2.99, Primary: true}]}]}";
    doubted("f0", moved, "shows `10.0.2.99`, which is in no block of its subnet");
    unproved("f0", moved, APP_IN);
    let bare = "aws: {Vpcs: [{VpcId: vpc-a, Ipv6CidrBlockAssociationSet: ~}]}";
    doubted("f0-ipv6", bare, "has the block `2001:db8:a:100::/64`, which is in no block of its VPC");
    assert_eq!(
        verdict("f0-ipv6", bare, "forbid: {from: 'internet:2001:db8:ffff::/48', to: eni-web}"),
        Verdict::Unknown
    );
    let subnet = "aws: {Subnets: [{SubnetId: subnet-pub-a, Ipv6CidrBlockAssociationSet: ~}]}";
    doubted("f0-ipv6", subnet, "shows `2001:db8:a:100::10`, which is in no block of its subnet");
}

#[test]
fn answers_that_deny_each_other_are_in_doubt() {
    let entry = |action: &str, block: &str| {
        format!("{{RuleNumber: 100, Protocol: '-1', RuleAction: {action}, Egress: false, {block}}}")
    };
    let list = |first: &str, second: &str| {
        format!(
            "aws: {{NetworkAcls: [{{NetworkAclId: acl-y, VpcId: vpc-a, IsDefault: false, Entries: [{first}, {second}], Associations: []}}]}}"
        )
    };
    let anyone = "CidrBlock: 0.0.0.0/0";
    let disputed = list(&entry("deny", anyone), &entry("allow", "CidrBlock: 10.0.0.0/8"));
    doubted("f0", &disputed, "two entries have the number 100");
    let apart = list(&entry("deny", anyone), &entry("allow", "Ipv6CidrBlock: '::/0'"));
    assert_eq!(doubts("f0", &apart), Vec::<String>::new());

    let closed = "network:\n  security-groups:\n    sg-app: {in: [tcp 443 from sg-web, tcp 80 from 10.0.0.0/8], out: []}\n";
    let rule = |more: &str| {
        format!(
            "{closed}aws: {{ec2_describe-security-group-rules: {{SecurityGroupRules: [\
             {{GroupId: sg-app, IsEgress: false, IpProtocol: tcp, FromPort: 80, ToPort: 80, CidrIpv4: 10.0.0.0/8}}, \
             {{GroupId: sg-app, IsEgress: false, IpProtocol: tcp, FromPort: 443, ToPort: 443, ReferencedGroupInfo: {{GroupId: sg-web}}}}{more}]}}}}"
        )
    };
    let another = ", {GroupId: sg-app, IsEgress: false, IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIpv4: 0.0.0.0/0}";
    doubted("f0", &rule(another), "show other rules");
    assert_eq!(doubts("f0", &rule("")), Vec::<String>::new());

    let unlisted = "aws: {ec2_describe-transit-gateway-attachments: {TransitGatewayAttachments: []}}";
    doubted("f0-transit", unlisted, "`ec2 describe-transit-gateway-attachments` does not list it");
    let row = "aws: {Addresses: [{AllocationId: eipalloc-x, PublicIp: 198.51.100.77, \
               NetworkInterfaceId: eni-app, PrivateIpAddress: 10.0.1.55}]}";
    doubted("f0", row, "associated with `10.0.1.55`, which it does not have");
}

#[test]
fn what_aws_refuses_is_in_doubt() {
    doubted(
        "f0",
        "aws: {Vpcs: [{VpcId: vpc-a, CidrBlock: 0.0.0.0/0, CidrBlockAssociationSet: [{CidrBlock: 0.0.0.0/0, CidrBlockState: {State: associated}}]}]}",
        "vpc-a",
    );
    doubted(
        "f0",
        "aws: {SecurityGroups: [{GroupId: sg-app, IpPermissions: [{IpProtocol: tcp, FromPort: 90, ToPort: 80, IpRanges: [{CidrIp: 0.0.0.0/0}]}]}]}",
        "90-80",
    );
    doubted("f0", "aws: {Subnets: [{SubnetId: subnet-prv-b, CidrBlock: 10.0.1.0/25}]}", "overlaps");
}

#[test]
fn a_key_may_not_stand_twice() {
    let text = br#"{"Vpcs": [{"VpcId": "vpc-a", "CidrBlock": "10.0.0.0/16"}], "Vpcs": []}"#;
    let input = Input { name: "vpcs.json".to_owned(), bytes: text.to_vec() };
    let error = load(vec![input]).expect_err("the key stands twice");
    assert!(error.to_string().contains("stands twice"), "{error}");
}

const WEB_DB: &str = "forbid: {from: eni-web, to: eni-db}";

/// R-DATA-12: addresses are never assumed.
#[test]
fn an_interface_that_shows_no_address_may_have_any() {
    let bare = "aws: {NetworkInterfaces: [{NetworkInterfaceId: eni-app, PrivateIpAddress: ~, PrivateIpAddresses: []}]}";
    unproved("f0", bare, APP_B1);
    doubted("f0", bare, "eni-app: shows no address");
    let nameless = "aws: {NetworkInterfaces: [{NetworkInterfaceId: eni-app, PrivateIpAddresses: [{PrivateIpAddress: 10.0.1.10}, {Primary: false}]}]}";
    doubted("f0", nameless, "eni-app: shows an entry without its address");
    let efa = bare.replace("PrivateIpAddresses", "InterfaceType: efa-only, PrivateIpAddresses");
    assert_eq!(doubts("f0", &efa), Vec::<String>::new());
}

/// R-SG-2, R-DATA-12: an interface whose groups are not shown may carry the one that a rule names, at either end.
#[test]
fn groups_that_are_not_shown_may_be_any() {
    let admitted = |groups: &str| {
        format!(
            "network:\n  security-groups:\n    sg-db: {{vpc: vpc-a, in: [all from sg-app], out: [all to any]}}\n\
             aws: {{NetworkInterfaces: [{{NetworkInterfaceId: eni-web, {groups}}}]}}"
        )
    };
    assert_eq!(verdict("f0", &admitted("Status: in-use"), WEB_DB), Verdict::Holds);
    let sought = |groups: &str| {
        format!(
            "network:\n  security-groups:\n    sg-web: {{vpc: vpc-a, in: [all from any], out: [all to sg-app]}}\n\
             aws: {{NetworkInterfaces: [{{NetworkInterfaceId: eni-db, {groups}}}]}}"
        )
    };
    assert_eq!(verdict("f0", &sought("Status: in-use"), WEB_DB), Verdict::Holds);
    for groups in
        ["Groups: ~", "Groups: []", "Groups: [{GroupName: app}]", "Groups: [{GroupId: sg-open}, {}]"]
    {
        assert_eq!(verdict("f0", &admitted(groups), WEB_DB), Verdict::Unknown, "{groups}");
        assert_eq!(verdict("f0", &sought(groups), WEB_DB), Verdict::Unknown, "{groups}");
    }
}

/// R-DATA-5: two calls that show the rules of one group must agree.
#[test]
fn the_two_calls_that_show_rules_must_agree() {
    let rule = |cidr: &str, egress: bool| {
        format!(
            "{{SecurityGroupRuleId: sgr-{egress}, GroupId: sg-app, IsEgress: {egress}, IpProtocol: '-1', CidrIpv4: {cidr}}}"
        )
    };
    let rules = |cidr: &str| {
        let (ingress, egress) = (rule(cidr, false), rule("0.0.0.0/0", true));
        let group = "{GroupId: sg-app, IpPermissions: [{IpProtocol: '-1', IpRanges: [{CidrIp: 0.0.0.0/0}]}], \
                     IpPermissionsEgress: [{IpProtocol: '-1', IpRanges: [{CidrIp: 0.0.0.0/0}]}]}";
        format!(
            "aws:\n  SecurityGroups: [{group}]\n  ec2_describe-security-group-rules: {{SecurityGroupRules: [{ingress}, {egress}]}}\n"
        )
    };
    assert_eq!(doubts("f0", &rules("0.0.0.0/0")), Vec::<String>::new());
    doubted("f0", &rules("10.0.0.0/8"), "describe-security-group-rules");
    unproved("f0", &rules("10.0.0.0/8"), APP_B1);
}

/// R-DATA-3: an inventory that cannot be read is not an empty one.
#[test]
fn an_inventory_that_cannot_be_read_is_in_doubt() {
    for answer in [
        "ec2_describe-instance-connect-endpoints: {InstanceConnectEndpoints: [5]}",
        "ec2_describe-client-vpn-endpoints: {ClientVpnEndpoints: [{ClientVpnEndpointId: x, Status: available}]}",
        "globalaccelerator_list-accelerators: {Accelerators: ['arn:x']}",
        "cloudfront_list-vpc-origins: {VpcOriginList: []}",
        "apigatewayv2_get-vpc-links: {Items: [5]}",
    ] {
        let changes = format!("aws: {{{answer}}}");
        doubted("f0", &changes, "unknown shape");
        unproved("f0", &changes, APP_IN);
    }
}

/// R-DATA-2: CloudFront wraps its pagination in the list, API Gateway calls it a position.
#[test]
fn every_kind_of_pagination_may_be_left_over() {
    for (answer, call) in [
        (
            "cloudfront_list-vpc-origins: {VpcOriginList: {IsTruncated: true, Items: []}}",
            "cloudfront list-vpc-origins",
        ),
        (
            "cloudfront_list-vpc-origins: {VpcOriginList: {NextMarker: x, Items: []}}",
            "cloudfront list-vpc-origins",
        ),
        ("apigateway_get-vpc-links: {items: [], position: x}", "apigateway get-vpc-links"),
    ] {
        doubted("f0", &format!("aws: {{{answer}}}"), call);
    }
}

/// R-DATA-9: an answer of a call that the manifest says failed is a part of one, or an old one.
#[test]
fn the_manifest_goes_before_the_answers() {
    let doubts = |result: &str| {
        let manifest = format!(
            r#"{{"calls": [{{"service": "ec2", "operation": "describe-network-interfaces", "result": "{result}"}}]}}"#
        );
        let mut inputs = scenario("f0", "network: {}").inputs();
        inputs.push(Input { name: "missing/manifest.json".to_owned(), bytes: manifest.into_bytes() });
        let snapshot = load(inputs).expect("the answers load");
        Network::build(&snapshot, Options::default()).expect("the spine is there").doubts()
    };
    for result in ["error", "access-denied", "truncated"] {
        let found = doubts(result);
        assert!(found.iter().any(|doubt| doubt.contains("ec2 describe-network-interfaces")), "{found:?}");
    }
    assert_eq!(doubts("ok"), Vec::<String>::new());
}

/// R-DATA-9: an entry of another shape may say that a call failed.
#[test]
fn a_manifest_of_another_shape_is_an_error() {
    let whole = r#"{"service": "ec2", "operation": "describe-vpcs", "result": "ok"}"#;
    let other = r#"{"call": "ec2 describe-network-interfaces", "status": "failed"}"#;
    let loaded = |calls: &str| {
        let mut inputs = scenario("f0", "network: {}").inputs();
        let bytes = format!(r#"{{"calls": [{calls}]}}"#).into_bytes();
        inputs.push(Input { name: "missing/manifest.json".to_owned(), bytes });
        load(inputs).map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(loaded(whole), Ok(()));
    let error = loaded(&format!("{whole}, {other}")).expect_err("the second entry says nothing");
    assert!(error.contains("missing/manifest.json") && error.contains("`operation`"), "{error}");
}

/// R-ADDR-13, A-10: an interface that a participant does not see may have a public address that it does not see either.
#[test]
fn unseen_interfaces_may_have_public_addresses() {
    let shared =
        "network: {vpcs: {vpc-a: {owner: '222222222222'}}, subnets: {subnet-prv-a: {owner: '222222222222'}}}";
    unproved("f0", shared, "forbid: {from: internet, to: subnet-prv-a}");
    unproved("f0", shared, "forbid: {from: eni-b1, to: subnet-prv-a}");
    // The owner of the VPC shows that it has no internet gateway; another one that shows nothing may have one (R-SHARE-1).
    let subnet = "subnets: {subnet-b: {owner: '222222222222'}}";
    let apart = format!("network: {{{subnet}}}");
    let without_gateway = verdict("f0", &apart, "forbid: {from: internet, to: subnet-b}");
    assert_eq!(without_gateway, Verdict::Holds, "no internet gateway serves the VPC");
    let unshown = format!("network: {{vpcs: {{vpc-b: {{owner: '222222222222'}}}}, {subnet}}}");
    assert_eq!(verdict("f0", &unshown, "forbid: {from: internet, to: subnet-b}"), Verdict::Unknown);
}

/// R-ADDR-11, R-TGW-8: what comes out of a core network goes on by the table of the subnet that it comes out in.
#[test]
fn a_core_network_is_left_by_the_tables_of_subnets() {
    let core = "arn:aws:networkmanager::111111111111:core-network/core-1";
    let route = |block: &str, state: &str| {
        format!(
            "{{DestinationCidrBlock: {block}, CoreNetworkArn: '{core}', Origin: CreateRoute, State: {state}}}"
        )
    };
    let tables = |from: String, to: String| {
        format!(
            "network: {{route-tables: {{rtb-t: {{vpc: vpc-a, subnets: [subnet-prv-b], routes: {{0.0.0.0/0: nat-1}}}}}}}}\n\
             aws: {{RouteTables: [{{RouteTableId: rtb-b, Routes: [{from}]}}, {{RouteTableId: rtb-prv, Routes: [{to}]}}]}}"
        )
    };
    let joined = tables(route("0.0.0.0/0", "active"), route("10.1.0.0/16", "active"));
    unproved("f0", &joined, "forbid: {from: eni-b1, to: internet}");
    let healing = tables(route("10.0.0.0/16", "blackhole"), route("10.1.0.0/16", "active"));
    unproved("f0", &healing, "forbid: {from: eni-b1, to: eni-app}");
}

/// R-DATA-12: blocks, attachments, VPCs and services are never assumed.
#[test]
fn a_record_without_what_is_never_assumed_is_in_doubt() {
    doubted(
        "f0",
        "aws: {Vpcs: [{VpcId: vpc-a, CidrBlock: ~, CidrBlockAssociationSet: ~, Ipv6CidrBlockAssociationSet: ~}]}",
        "vpc-a: shows no address block",
    );
    let gateway = "aws: {InternetGateways: [{InternetGatewayId: igw-1, Attachments: ~}]}";
    assert_eq!(verdict("f0", gateway, "forbid: {from: internet, to: eni-web}"), Verdict::Unknown);
    doubted("f0", "aws: {VpnGateways: [{VpnGatewayId: vgw-x, State: available}]}", "vgw-x: does not show");
    doubted(
        "f0",
        "aws: {EgressOnlyInternetGateways: [{EgressOnlyInternetGatewayId: eigw-x}]}",
        "eigw-x: does not show",
    );
    let storage = |field: &str| format!("aws: {{VpcEndpoints: [{{VpcEndpointId: vpce-gw, {field}}}]}}");
    for (field, about) in [
        ("VpcId: ~", "the VPC of vpce-gw"),
        ("VpcId: vpc-gone", "the VPC of vpce-gw"),
        ("ServiceName: ~", "vpce-gw does not show its service"),
    ] {
        doubted("f0-storage", &storage(field), about);
    }
    for side in ["AccepterVpcInfo: ~", "RequesterVpcInfo: {VpcId: ~}"] {
        let peering = format!("aws: {{VpcPeeringConnections: [{{VpcPeeringConnectionId: pcx-1, {side}}}]}}");
        doubted("f0-peered", &peering, "pcx-1 does not show the VPCs of both sides");
    }
}

/// R-ADDR-5: an Elastic IP that is associated belongs to somebody, unless a service manages it.
#[test]
fn an_associated_address_belongs_to_somebody() {
    let row =
        "aws: {Addresses: [{AllocationId: eipalloc-x, AssociationId: eipassoc-x, PublicIp: 198.51.100.77}]}";
    unproved("f0", row, APP_IN);
    let managed = row.replace("AssociationId", "ServiceManaged: alb, AssociationId");
    assert_eq!(verdict("f0", &managed, APP_IN), Verdict::Holds);
    assert_eq!(verdict("f0", &row.replace("AssociationId: eipassoc-x, ", ""), APP_IN), Verdict::Holds);
}

/// A file that says what it is and does not hold it is not left out in silence.
#[test]
fn a_file_holds_what_its_name_says() {
    let error = |text: &str| {
        let input = |name: &str, text: &str| Input { name: name.to_owned(), bytes: text.as_bytes().to_vec() };
        let vpcs = input("ec2_describe-vpcs.json", r#"{"Vpcs": []}"#);
        let found = load(vec![vpcs, input("ec2_describe-vpc-peering-connections.json", text)]);
        found.err().map(|error| error.to_string())
    };
    for text in ["[]", r#"[{"VpcPeeringConnectionId": "pcx-1"}]"#, r#"{"Error": {"Code": "AccessDenied"}}"#] {
        let found = error(text).expect("it is refused");
        assert!(found.contains("ec2 describe-vpc-peering-connections"), "{found}");
    }
    assert_eq!(error(r#"{"VpcPeeringConnections": []}"#), None);
}

/// R-DATA-9, A-23: what one account collected of a service without Regions says nothing about another account.
#[test]
fn each_account_needs_the_inventories_of_global_services() {
    let input = |account: &str, call: &str, text: &str| Input {
        name: format!("{account}/us-east-1/{call}.json"),
        bytes: text.as_bytes().to_vec(),
    };
    let accelerators = "globalaccelerator_list-accelerators";
    let mut inputs = vec![
        input("111111111111", "ec2_describe-vpcs", r#"{"Vpcs": []}"#),
        input("111111111111", accelerators, r#"{"Accelerators": []}"#),
        input("222222222222", "ec2_describe-vpcs", r#"{"Vpcs": []}"#),
    ];
    let lacks = |inputs: &[Input]| {
        let snapshot = load(inputs.to_vec()).expect("the answers load");
        missing_inventories(&snapshot).contains(&"global accelerators")
    };
    assert!(lacks(&inputs));
    inputs.push(input("222222222222", accelerators, r#"{"Accelerators": []}"#));
    assert!(!lacks(&inputs));
}

/// R-DATA-5: two whole answers about one prefix list show the same entries.
#[test]
fn two_answers_about_one_list_must_agree() {
    let input = |folder: &str, cidr: &str| Input {
        name: format!("{folder}/ec2_get-managed-prefix-list-entries__pl-1.json"),
        bytes: format!(r#"{{"Entries": [{{"Cidr": "{cidr}"}}]}}"#).into_bytes(),
    };
    assert!(load(vec![input("old", "10.0.0.0/8"), input("new", "10.0.0.0/8")]).is_ok());
    let error = load(vec![input("old", "10.0.0.0/8"), input("new", "10.1.0.0/16")]).expect_err("they differ");
    assert!(error.is_disagreement(), "{error}");
}
