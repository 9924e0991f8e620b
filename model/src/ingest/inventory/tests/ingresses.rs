use std::net::Ipv4Addr;

use serde_json::json;

use super::support::{Net, reference};
use crate::id::{GroupId, Id, PrefixListId, Ref};
use crate::snapshot::{AssociationEvidence, EndpointKind, GroupPeer, PrefixList, PublicAddress};

const GROUP_ARN: &str = "arn:aws:globalaccelerator::111111111111:accelerator/a/listener/b/endpoint-group/c";

fn endpoint_group(endpoint: &str) -> serde_json::Value {
    json!([{"EndpointGroupArn": GROUP_ARN, "EndpointGroupRegion": "us-east-1",
            "EndpointDescriptions": [{"EndpointId": endpoint, "Weight": 128}]}])
}

/// R-EDGE-2, T-EDGE-1, T-EDGE-2: delivered in the endpoint's subnet, so that no inbound ACL stops it.
#[test]
fn an_accelerator_arrives_in_the_subnet_of_its_endpoint() {
    let mut net = Net::new();
    let eni = net.eni("eni-1", "subnet-b", "interface");
    net.attach(eni, Ref::Missing("i-1".into()));
    net.group("sg-ga", "GlobalAccelerator", Vec::new());
    net.read("EndpointGroups", endpoint_group("i-1"));
    net.check(&[&format!("ManagedIngress {GROUP_ARN}: internet -> hidden(subnet-b;sg-ga)")]);
}

#[test]
fn an_accelerator_may_lead_to_a_load_balancer_or_a_subnet() {
    let mut net = Net::new();
    net.described("eni-1", "subnet-z", "interface", "ELB app/web/01");
    let arn = "arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/app/web/01";
    net.read("EndpointGroups", endpoint_group(arn));
    let ingress = |subnet| format!("ManagedIngress {GROUP_ARN}: internet -> hidden({subnet};)");
    let relay = "LoadBalancer eni-1: eni-1 -> eni-1+groups";
    net.check(&[&ingress("subnet-z"), relay]);
    let mut net = Net::new();
    net.read("EndpointGroup", endpoint_group("subnet-b")[0].clone());
    net.check(&[&ingress("subnet-b")]);
}

#[test]
fn an_elastic_ip_endpoint_may_be_any_public_address() {
    let mut net = Net::new();
    let eni = net.eni("eni-1", "subnet-b", "interface");
    net.eni("eni-2", "subnet-a", "interface");
    let (public, private) = (Ipv4Addr::new(198, 51, 100, 10), Ipv4Addr::new(10, 0, 0, 10));
    let source = super::support::meta("x").source;
    net.get(eni).public.push(PublicAddress {
        public,
        private,
        evidence: AssociationEvidence::Direct,
        source,
    });
    net.read("EndpointGroups", endpoint_group("eipalloc-1"));
    net.check(&[&format!("ManagedIngress {GROUP_ARN}: internet -> hidden(subnet-b;)")]);
    let mut accelerator = Net { inventories: Default::default(), ..net };
    accelerator.read("Accelerators", json!([{"AcceleratorArn": "arn:a", "Enabled": true}]));
    accelerator.check(&["ManagedIngress arn:a: internet -> hidden(subnet-b;)"]);
}

/// R-DATA-5: an endpoint that the snapshot lacks may be anywhere in its account and Region; one of another Region is
/// outside, and said to be.
#[test]
fn an_unseen_endpoint_may_be_anywhere_in_its_region() {
    let mut net = Net::new();
    net.read("EndpointGroups", endpoint_group("i-unseen"));
    net.check(&[&format!(
        "ManagedIngress {GROUP_ARN}: internet -> hidden(subnet-a;) hidden(subnet-b;) hidden(subnet-z;)"
    )]);
    let mut net = Net::new();
    let mut group = endpoint_group("i-unseen");
    group[0]["EndpointGroupRegion"] = json!("eu-west-1");
    net.read("EndpointGroups", group);
    net.check(&[]);
    assert_eq!(net.notices(), [format!("{GROUP_ARN}: nothing that this leads to is in the snapshot")]);
}

/// R-DATA-9: both calls answer for one accelerator or listener alone, so that each must be there.
#[test]
fn an_accelerator_is_whole_only_with_the_groups_of_each_listener() {
    let arn = "arn:aws:globalaccelerator::111111111111:accelerator/a";
    let whole = |net: &Net| !net.components().iter().any(|component| *component.id == *arn);
    let mut net = Net::new();
    let eni = net.eni("eni-1", "subnet-b", "interface");
    net.attach(eni, Ref::Missing("i-1".into()));
    net.read("Accelerators", json!([{"AcceleratorArn": arn}]));
    net.read("EndpointGroups", endpoint_group("i-1"));
    assert!(!whole(&net), "the listeners are not collected");
    let listener = |id: &str| json!({"ListenerArn": format!("{arn}/listener/{id}")});
    net.read("Listeners", json!([listener("b"), listener("d")]));
    assert!(!whole(&net), "the groups of the second listener are not collected");
    net.read_about(Some("d"), "EndpointGroups", json!([]));
    assert!(whole(&net));
    let mut bare = Net::new();
    bare.read("Accelerators", json!([{"AcceleratorArn": arn}]));
    bare.read_about(Some("a"), "Listeners", json!([]));
    assert!(whole(&bare), "without listeners it leads nowhere");
}

/// R-DATA-3: what is listed and not gone leads somewhere, if its place cannot be told then anywhere.
#[test]
fn a_listed_ingress_without_a_place_may_be_anywhere() {
    for (key, one) in [
        ("InstanceConnectEndpoints", json!({"InstanceConnectEndpointId": "x", "VpcId": "vpc-a"})),
        ("InstanceConnectEndpoints", json!({"InstanceConnectEndpointId": "x", "SubnetId": "subnet-unseen"})),
        ("ClientVpnEndpoints", json!({"ClientVpnEndpointId": "x"})),
        ("ClientVpnEndpoints", json!({"ClientVpnEndpointId": "x", "VpcId": "vpc-unseen"})),
        ("VerifiedAccessEndpoints", json!({"VerifiedAccessEndpointId": "x"})),
        ("Items", json!({"VpcLinkId": "x"})),
        ("Items", json!({"VpcLinkId": "x", "SubnetIds": ["subnet-unseen"]})),
    ] {
        let mut net = Net::new();
        net.read(key, json!([one]));
        net.check(&["ManagedIngress x: internet -> hidden(subnet-a;) hidden(subnet-b;) hidden(subnet-z;)"]);
    }
    let mut net = Net::new();
    net.read("items", json!([{"id": "rgw-1"}]));
    net.check(&["Lattice rgw-1: anywhere -> hidden(subnet-a;) hidden(subnet-b;) hidden(subnet-z;)"]);
}

/// R-DATA-9: the associations of one Client VPN endpoint say nothing about another's.
#[test]
fn each_client_vpn_endpoint_needs_its_own_associations() {
    let mut net = Net::new();
    net.read("ClientVpnEndpoints", json!([{"ClientVpnEndpointId": "cvpn-b", "VpcId": "vpc-z"}]));
    net.collected("ec2 describe-client-vpn-target-networks");
    net.read_about(Some("cvpn-a"), "ClientVpnTargetNetworks", json!([]));
    net.check(&["ManagedIngress cvpn-b: internet -> hidden(subnet-z;)"]);
    net.read_about(Some("cvpn-b"), "ClientVpnTargetNetworks", json!([]));
    net.check(&[]);
}

/// R-ADDR-13, R-DATA-5: an inventory explains neither the interfaces of another account nor what a service made and it
/// does not list.
#[test]
fn an_inventory_explains_what_it_lists_of_its_own_account() {
    let mut net = Net::new();
    net.collected("ec2 describe-instance-connect-endpoints");
    net.collected("vpc-lattice list-resource-gateways");
    let eni =
        net.described("eni-1", "subnet-a", "interface", "EC2 Instance Connect Endpoint managed by: eice-1");
    net.check(&[]);
    let hint = "ManagedIngress eni-1: internet -> eni-1+groups";
    net.get(eni).meta.owner = Some("222222222222".into());
    net.check(&[hint]);
    net.get(eni).meta.owner = None;
    net.get(eni).requester_managed = true;
    net.check(&[hint]);
    net.read(
        "InstanceConnectEndpoints",
        json!([{"InstanceConnectEndpointId": "eice-1", "NetworkInterfaceIds": ["eni-1"]}]),
    );
    net.check(&["ManagedIngress eice-1: internet -> eni-1+groups"]);
    let gateway = net.described("eni-2", "subnet-b", "interface", "resource gateway");
    net.get(gateway).meta.owner = Some("222222222222".into());
    assert!(net.components().iter().any(|component| &*component.id == "eni-2"));
}

/// R-EDGE-3.
#[test]
fn a_vpc_origin_arrives_in_the_subnet_of_its_origin() {
    let mut net = Net::new();
    let eni = net.eni("eni-1", "subnet-a", "interface");
    net.attach(eni, Ref::Missing("i-1".into()));
    net.group("sg-cf", "CloudFront-VPCOrigins-Service-SG", Vec::new());
    let arn = "arn:aws:ec2:us-east-1:111111111111:instance/i-1";
    net.read("VpcOriginList", json!({"Quantity": 1, "Items": [{"Id": "vo_1", "OriginEndpointArn": arn}]}));
    net.check(&["ManagedIngress vo_1: internet -> hidden(subnet-a;sg-cf)"]);
}

/// R-EDGE-6: by shown interfaces with the link's groups, else by hidden ones.
#[test]
fn vpc_links_leave_by_their_interfaces() {
    let mut net = Net::new();
    let group = net.group("sg-1", "link", Vec::new());
    let eni = net.eni("eni-1", "subnet-a", "apigatewaymanaged");
    net.get(eni).groups = Some(vec![Ref::Known(group)]);
    let link = json!([{"VpcLinkId": "l1", "SubnetIds": ["subnet-a", "subnet-b"], "SecurityGroupIds": ["sg-1"]}, {"ApiId": "other"}, 7]);
    net.read("Items", link);
    net.check(&[
        "ManagedIngress eni-1: internet -> eni-1+groups",
        "ManagedIngress l1: internet -> eni-1+groups hidden(subnet-b;sg-1)",
    ]);
}

/// Interfaces without groups are too many services' to stand for one.
#[test]
fn a_link_without_groups_is_hidden() {
    let mut net = Net::new();
    net.eni("eni-1", "subnet-a", "natgateway");
    net.read("Items", json!([{"VpcLinkId": "l1", "SubnetIds": ["subnet-a"]}]));
    net.check(&["ManagedIngress l1: internet -> hidden(subnet-a;)"]);
}

#[test]
fn a_rest_api_link_enters_at_its_load_balancer() {
    let mut net = Net::new();
    net.collected("ec2 describe-vpc-endpoint-service-configurations");
    net.described("eni-1", "subnet-a", "networkloadbalancer", "ELB net/tcp/02");
    let arn = "arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/net/tcp/02";
    net.read("items", json!([{"id": "v1", "targetArns": [arn], "status": "AVAILABLE"}, {"name": "an API"}]));
    net.check(&["LoadBalancer eni-1: eni-1 -> eni-1+groups", "ManagedIngress v1: internet -> eni-1+groups"]);
}

/// R-EDGE-4, T-EDGE-5.
#[test]
fn an_instance_connect_endpoint_leaves_by_its_interface() {
    let mut net = Net::new();
    net.eni("eni-1", "subnet-a", "interface");
    let one = |enis, state| json!([{"InstanceConnectEndpointId": "eice-1", "State": state, "SubnetId": "subnet-a", "NetworkInterfaceIds": enis, "SecurityGroupIds": ["sg-9"]}]);
    net.read("InstanceConnectEndpoints", one(json!(["eni-1"]), "create-complete"));
    net.check(&["ManagedIngress eice-1: internet -> eni-1+groups"]);
    assert!(net.components()[0].why.contains("requires IAM"));
    let mut net = Net::new();
    net.read("InstanceConnectEndpoints", one(json!(["eni-unseen"]), "create-complete"));
    net.check(&["ManagedIngress eice-1: internet -> hidden(subnet-a;sg-9)"]);
    let mut net = Net::new();
    net.read("InstanceConnectEndpoints", one(json!([]), "delete-complete"));
    net.check(&[]);
}

/// R-EDGE-5.
#[test]
fn verified_access_leaves_in_the_subnets_of_its_target() {
    let mut net = Net::new();
    net.eni("eni-1", "subnet-z", "interface");
    let endpoint = |options: &str, value| json!([{"VerifiedAccessEndpointId": "vae-1", "Status": {"Code": "active"}, "SecurityGroupIds": ["sg-9"], options: value}]);
    net.read(
        "VerifiedAccessEndpoints",
        endpoint("NetworkInterfaceOptions", json!({"NetworkInterfaceId": "eni-1"})),
    );
    net.check(&["ManagedIngress vae-1: internet -> hidden(subnet-z;sg-9)"]);
    let mut net = Net::new();
    net.read("VerifiedAccessEndpoints", endpoint("CidrOptions", json!({"SubnetIds": ["subnet-a"]})));
    net.check(&["ManagedIngress vae-1: internet -> hidden(subnet-a;sg-9)"]);
}

/// R-VPN-9, T-VPN-6.
#[test]
fn client_vpn_leaves_in_its_associated_subnets() {
    let mut net = Net::new();
    net.read(
        "ClientVpnEndpoints",
        json!([{"ClientVpnEndpointId": "cvpn-1", "VpcId": "vpc-a", "SecurityGroupIds": ["sg-9"]}]),
    );
    net.check(&["ManagedIngress cvpn-1: internet -> hidden(subnet-a;sg-9) hidden(subnet-b;sg-9)"]);
    net.read("ClientVpnTargetNetworks", json!([{"ClientVpnEndpointId": "cvpn-1", "TargetNetworkId": "subnet-b", "Status": {"Code": "associated"}, "SecurityGroups": ["sg-9"]}]));
    net.check(&["ManagedIngress cvpn-1: internet -> hidden(subnet-b;sg-9)"]);
}

/// R-DATA-11, T-EDGE-8: types are evidence at any time, descriptions only where the inventory is missing.
#[test]
fn interfaces_hint_at_managed_ingress() {
    let mut net = Net::new();
    net.eni("eni-1", "subnet-a", "globalacceleratormanaged");
    net.described("eni-2", "subnet-a", "interface", "EC2 Instance Connect Endpoint eice-1");
    net.described("eni-3", "subnet-a", "interface", "ClientVPN Endpoint resource");
    net.described("eni-4", "subnet-a", "interface", "Verified Access endpoint");
    let tagged = net.eni("eni-5", "subnet-a", "interface");
    net.get(tagged).meta.tags = [("aws.cloudfront.vpcorigin", "enabled")].into_iter().collect();
    // R-NACL-10: no inbound list filters accelerators and CloudFront origins.
    let past_lists = |n| if n == 1 || n == 5 { " hidden(subnet-a;) hidden(subnet-b;)" } else { "" };
    let hint = |n| format!("ManagedIngress eni-{n}: internet -> eni-{n}+groups{}", past_lists(n));
    let all: Vec<String> = (1..=5).map(hint).collect();
    net.check(&all.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(net.components()[0].why.contains("(global_accelerator_managed)"));
    for call in [
        "globalaccelerator list-accelerators",
        "ec2 describe-instance-connect-endpoints",
        "ec2 describe-client-vpn-endpoints",
        "ec2 describe-verified-access-endpoints",
        "cloudfront list-vpc-origins",
    ] {
        net.collected(call);
    }
    net.check(&[&all[0]]);
}

/// R-DATA-11: a group of a service that an interface carries, or that a rule admits.
#[test]
fn groups_hint_at_managed_ingress() {
    let mut net = Net::new();
    let service = net.group("sg-ga", "GlobalAccelerator", Vec::new());
    net.check(&[]);
    let admitting = net.group("sg-web", "web", vec![reference(service)]);
    let eni = net.eni("eni-1", "subnet-b", "interface");
    net.get(eni).groups = Some(vec![Ref::Known(admitting)]);
    net.check(&["ManagedIngress sg-ga: internet -> hidden(subnet-b;sg-ga)"]);
    net.get(eni).groups = Some(vec![Ref::Known(service)]);
    net.check(&[
        "ManagedIngress eni-1: internet -> eni-1+groups hidden(subnet-a;sg-ga) hidden(subnet-b;sg-ga)",
    ]);
    net.collected("globalaccelerator list-accelerators");
    net.check(&[]);
}

/// R-VPCE-13.
#[test]
fn a_resource_gateway_is_an_external_source() {
    let mut net = Net::new();
    net.read("items", json!([{"id": "rgw-1", "vpcIdentifier": "vpc-z", "subnetIds": ["subnet-z"], "securityGroupIds": ["sg-9"], "status": "ACTIVE"}]));
    let gateway = "Lattice rgw-1: anywhere -> hidden(subnet-z;sg-9)";
    net.check(&[gateway]);
    let eni = net.eni("eni-1", "subnet-a", "vpcendpoint");
    net.endpoint("vpce-1", EndpointKind::Other, "Resource", "", &[eni]);
    net.check(&[gateway, "Lattice vpce-1: eni-1 -> hidden(subnet-z;sg-9)"]);
}

/// R-VPCE-1: an endpoint of an unknown type may do anything.
#[test]
fn an_endpoint_of_an_unknown_type_may_send() {
    let mut net = Net::new();
    let eni = net.eni("eni-1", "subnet-a", "vpcendpoint");
    net.endpoint("vpce-1", EndpointKind::Other, "Tunnel", "", &[eni]);
    net.check(&["Lattice vpce-1: eni-1 anywhere route(vpce-1) -> eni-1+groups hidden(subnet-a;) hidden(subnet-b;) hidden(subnet-z;)"]);
}

/// R-VPCE-14.
#[test]
fn a_service_network_reaches_targets_past_the_lists() {
    let mut net = Net::new();
    net.read(
        "items",
        json!([{"id": "snva-1", "serviceNetworkId": "sn-1", "vpcId": "vpc-z", "status": "ACTIVE"}]),
    );
    net.check(&["Lattice snva-1: anywhere route(vpc-lattice) -> hidden(subnet-z;)"]);
    net.collected("vpc-lattice list-target-groups");
    net.check(&[]);
    net.read("items", json!([{"id": "tg-1", "vpcIdentifier": "vpc-z", "type": "IP", "status": "ACTIVE"}]));
    net.check(&["Lattice tg-1: anywhere route(vpc-lattice) -> hidden(subnet-z;)"]);
}

/// R-DATA-11: rules that admit Lattice's addresses.
#[test]
fn rules_hint_at_lattice() {
    let mut net = Net::new();
    let meta = super::support::meta("pl-1");
    let list_name = "com.amazonaws.us-east-1.vpc-lattice".into();
    net.snapshot.prefix_lists.push(PrefixList {
        meta,
        list_name,
        state: None,
        aws_managed: true,
        entries: None,
    });
    let list = GroupPeer::PrefixList(Ref::Known(PrefixListId::from_index(0)));
    for (id, peer, subnet) in [
        ("sg-1", list, "subnet-a"),
        ("sg-2", GroupPeer::Cidr("169.254.171.0/24".parse().unwrap()), "subnet-b"),
        // Wider rules admit Lattice too, and everything else: no hint.
        ("sg-3", GroupPeer::Cidr("169.254.171.0/16".parse().unwrap()), "subnet-z"),
    ] {
        let group: GroupId = net.group(id, id, vec![peer]);
        let eni = net.eni(&format!("eni-{id}"), subnet, "interface");
        net.get(eni).groups = Some(vec![Ref::Known(group)]);
    }
    net.check(&[
        "Lattice sg-1: anywhere route(vpc-lattice) -> hidden(subnet-a;)",
        "Lattice sg-2: anywhere route(vpc-lattice) -> hidden(subnet-b;)",
    ]);
}
