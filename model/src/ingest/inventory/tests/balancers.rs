use serde_json::json;

use super::support::Net;
use crate::id::{Id, Ref, VpcId};
use crate::snapshot::{EndpointKind, Exit, Target};

const ALB: &str = "arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/app/web/01";
const NLB: &str = "arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/net/tcp/02";
const GWLB: &str = "arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/gwy/fw/03";
const GWLB_2: &str = "arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/gwy/out/04";
const SERVICES: &str = "ec2 describe-vpc-endpoint-service-configurations";

fn listed(net: &mut Net, arn: &str, kind: &str, scheme: &str) {
    net.read(
        "LoadBalancers",
        json!([{"LoadBalancerArn": arn, "Type": kind, "Scheme": scheme, "VpcId": "vpc-a", "SecurityGroups": ["sg-lb"],
                "AvailabilityZones": [{"SubnetId": "subnet-a", "LoadBalancerAddresses": []}, {"SubnetId": "subnet-b"}]}]),
    );
}

/// R-LB-20, T-LB-12: nodes of one load balancer relay to each other, others stay apart.
#[test]
fn nodes_without_an_inventory_are_one_relay_a_load_balancer() {
    let mut net = Net::new();
    net.described("eni-1", "subnet-a", "interface", "ELB app/web/01");
    net.described("eni-2", "subnet-b", "interface", "ELB app/web/01");
    net.described("eni-3", "subnet-z", "interface", "ELB old");
    net.check(&[
        "LoadBalancer eni-1: eni-1 eni-2 -> eni-1+groups eni-2+groups",
        "LoadBalancer eni-3: eni-3 -> eni-3+groups",
    ]);
    assert!(net.components()[0].why.contains("collect: elbv2 describe-load-balancers"));
}

/// R-DATA-11: each mark of a load balancer is enough.
#[test]
fn types_requesters_and_owners_give_nodes_away() {
    let mut net = Net::new();
    net.eni("eni-1", "subnet-a", "gatewayloadbalancer");
    let requested = net.eni("eni-2", "subnet-z", "interface");
    net.get(requested).requester = Some("amazon-elb".into());
    net.check(&["LoadBalancer eni-1: eni-1 -> eni-1+groups", "LoadBalancer eni-2: eni-2 -> eni-2+groups"]);
}

/// R-LB-2, R-LB-4: a listed load balancer has its nodes, and hidden ones where the snapshot shows none.
#[test]
fn a_listed_load_balancer_has_shown_and_hidden_nodes() {
    let mut net = Net::new();
    net.described("eni-1", "subnet-a", "interface", "ELB app/web/01");
    listed(&mut net, ALB, "application", "internet-facing");
    let expected =
        format!("LoadBalancer {ALB}: eni-1 internet hidden(subnet-b) -> eni-1+groups hidden(subnet-b;sg-lb)");
    net.check(&[&expected]);
    // The same answer in a second file changes nothing.
    listed(&mut net, ALB, "application", "internet-facing");
    net.check(&[&expected]);
}

#[test]
fn an_internal_load_balancer_is_not_entered_from_the_internet() {
    let mut net = Net::new();
    listed(&mut net, ALB, "application", "internal");
    net.check(&[&format!(
        "LoadBalancer {ALB}: hidden(subnet-a) hidden(subnet-b) -> hidden(subnet-a;sg-lb) hidden(subnet-b;sg-lb)"
    )]);
}

/// R-LB-6, T-LB-8: only collected target groups prove that nothing is forwarded.
#[test]
fn a_load_balancer_without_target_groups_forwards_nothing() {
    let mut net = Net::new();
    net.described("eni-1", "subnet-a", "interface", "ELB app/web/01");
    listed(&mut net, ALB, "application", "internal");
    net.read("TargetGroups", json!([{"TargetGroupArn": "tg-1", "LoadBalancerArns": [NLB]}]));
    assert_eq!(net.components().len(), 1);
    net.collected("elbv2 describe-target-groups");
    net.check(&[]);
    net.read("TargetGroups", json!([{"TargetGroupArn": "tg-2", "LoadBalancerArns": [ALB]}]));
    assert_eq!(net.components().len(), 1);
}

/// R-LB-6, R-DATA-5: listeners that forward, and targets of a group that no answer lists, show that one is missing.
#[test]
fn a_load_balancer_forwards_if_anything_shows_that_it_does() {
    let net = || {
        let mut net = Net::new();
        net.described("eni-1", "subnet-a", "interface", "ELB app/web/01");
        listed(&mut net, ALB, "application", "internal");
        net.collected("elbv2 describe-target-groups");
        net.read(
            "TargetGroups",
            json!([{"TargetGroupArn": "targetgroup/tg-1/01", "LoadBalancerArns": [NLB]}]),
        );
        net.read_about(Some("tg-1"), "TargetHealthDescriptions", json!([]));
        net
    };
    let listener = |action: &str| json!([{"ListenerArn": "l", "LoadBalancerArn": ALB, "DefaultActions": [{"Type": action}]}]);
    let mut forwarding = net();
    forwarding.read("Listeners", listener("redirect"));
    forwarding.check(&[]);
    forwarding.read("Listeners", listener("forward"));
    assert_eq!(forwarding.components().len(), 1);
    let mut wrapped = net();
    wrapped
        .read("LoadBalancerListeners", json!([{"LoadBalancerArn": ALB, "Listeners": listener("forward")}]));
    assert_eq!(wrapped.components().len(), 1);
    let mut targets = net();
    targets.read_about(Some("tg-2"), "TargetHealthDescriptions", json!([]));
    assert_eq!(targets.components().len(), 1);
}

#[test]
fn a_classic_load_balancer_without_instances_forwards_nothing() {
    let mut net = Net::new();
    let one = |instances| json!([{"LoadBalancerName": "old", "VPCId": "vpc-a", "Subnets": ["subnet-a"], "Scheme": "internal", "Instances": instances}]);
    net.read("LoadBalancerDescriptions", one(json!([])));
    net.check(&[]);
    let mut net = Net::new();
    net.read("LoadBalancerDescriptions", one(json!([{"InstanceId": "i-1"}])));
    net.check(&["LoadBalancer old: hidden(subnet-a) -> hidden(subnet-a;)"]);
}

/// R-DATA-11, T-DATA-5: a network load balancer hints at services until their inventory is collected.
#[test]
fn a_network_load_balancer_hints_at_endpoint_services() {
    let mut net = Net::new();
    net.described("eni-1", "subnet-a", "networkloadbalancer", "ELB net/tcp/02");
    let consumer = net.eni("eni-2", "subnet-z", "vpcendpoint");
    net.endpoint(
        "vpce-1",
        EndpointKind::Interface,
        "Interface",
        "com.amazonaws.vpce.us-east-1.vpce-svc-1",
        &[consumer],
    );
    net.endpoint("vpce-2", EndpointKind::Interface, "Interface", "com.amazonaws.us-east-1.sts", &[consumer]);
    let relay = "LoadBalancer eni-1: eni-1 -> eni-1+groups";
    net.check(&[relay, "EndpointService eni-1: eni-2 anywhere -> eni-1+groups"]);
    net.collected(SERVICES);
    net.check(&[relay]);
}

/// R-VPCE-9, R-VPCE-11.
#[test]
fn consumers_of_a_service_enter_at_its_load_balancer() {
    let mut net = Net::new();
    net.collected(SERVICES);
    net.described("eni-1", "subnet-a", "networkloadbalancer", "ELB net/tcp/02");
    let consumer = net.eni("eni-2", "subnet-z", "vpcendpoint");
    net.endpoint("vpce-1", EndpointKind::Interface, "Interface", "svc-name", &[consumer]);
    let service = |required| json!([{"ServiceId": "vpce-svc-1", "ServiceName": "svc-name", "ServiceState": "Available", "AcceptanceRequired": required, "NetworkLoadBalancerArns": [NLB]}]);
    net.read("ServiceConfigurations", service(false));
    let relay = "LoadBalancer eni-1: eni-1 -> eni-1+groups";
    net.check(&[relay, "EndpointService vpce-svc-1: eni-2 anywhere -> eni-1+groups"]);
}

/// R-VPCE-11: with acceptance and a complete list only accepted endpoints count.
#[test]
fn accepted_connections_bound_the_consumers() {
    let mut net = Net::new();
    net.collected(SERVICES);
    net.described("eni-1", "subnet-a", "networkloadbalancer", "ELB net/tcp/02");
    net.read("ServiceConfigurations", json!([{"ServiceId": "vpce-svc-1", "ServiceName": "svc-name", "AcceptanceRequired": true, "NetworkLoadBalancerArns": [NLB]}]));
    let relay = "LoadBalancer eni-1: eni-1 -> eni-1+groups";
    let anyone = "EndpointService vpce-svc-1: anywhere -> eni-1+groups";
    net.check(&[relay, anyone]);
    net.collected("ec2 describe-vpc-endpoint-connections");
    net.check(&[relay]);
    net.read("VpcEndpointConnections", json!([{"ServiceId": "vpce-svc-1", "VpcEndpointId": "vpce-1", "VpcEndpointState": "pendingAcceptance"}]));
    net.check(&[relay]);
    net.read(
        "VpcEndpointConnections",
        json!([{"ServiceId": "vpce-svc-1", "VpcEndpointId": "vpce-9", "VpcEndpointState": "available"}]),
    );
    net.check(&[relay, anyone]);
    let consumer = net.eni("eni-2", "subnet-z", "vpcendpoint");
    net.endpoint("vpce-9", EndpointKind::Interface, "Interface", "svc-name", &[consumer]);
    net.check(&[relay, "EndpointService vpce-svc-1: eni-2 -> eni-1+groups"]);
}

/// R-GWLB-2, R-GWLB-3, T-MBX-8: back into the endpoint's subnet, or out by the appliance.
#[test]
fn a_gateway_load_balancer_endpoint_has_two_arms() {
    let mut net = Net::new();
    let eni = net.eni("eni-1", "subnet-b", "gatewayloadbalancerendpoint");
    net.endpoint("vpce-1", EndpointKind::GatewayLoadBalancer, "GatewayLoadBalancer", "svc", &[eni]);
    net.check(&["Inspection vpce-1: eni-1 route(vpce-1) -> subnet-b internet"]);
}

#[test]
fn registered_appliances_send_by_their_own_interfaces() {
    let mut net = Net::new();
    let eni = net.eni("eni-1", "subnet-b", "gatewayloadbalancerendpoint");
    net.endpoint("vpce-1", EndpointKind::GatewayLoadBalancer, "GatewayLoadBalancer", "svc", &[eni]);
    net.read("LoadBalancers", json!([{"LoadBalancerArn": GWLB, "Type": "gateway", "Scheme": "internal", "AvailabilityZones": [{"SubnetId": "subnet-z"}]}]));
    let balancer =
        format!("LoadBalancer {GWLB}: hidden(subnet-z) -> hidden(subnet-z;sg-lb)").replace("sg-lb", "");
    net.check(&[&balancer, "Inspection vpce-1: eni-1 route(vpce-1) -> subnet-b subnet-z vpc-z internet"]);
    let appliance = net.eni("eni-2", "subnet-z", "interface");
    net.attach(appliance, Ref::Missing("i-1".into()));
    net.read("LoadBalancerTargetHealth", json!([{"TargetGroupArn": "tg", "TargetHealthDescriptions": [{"Target": {"Id": "i-1", "Port": 6081}}]}]));
    net.check(&[&balancer, "Inspection vpce-1: eni-1 route(vpce-1) -> eni-2 subnet-b internet"]);
}

/// R-GWLB-2, A-6: the targets of one gateway load balancer are not those of another.
#[test]
fn targets_of_another_gateway_load_balancer_show_nothing() {
    let mut net = Net::new();
    let eni = net.eni("eni-1", "subnet-b", "gatewayloadbalancerendpoint");
    net.endpoint("vpce-1", EndpointKind::GatewayLoadBalancer, "GatewayLoadBalancer", "svc", &[eni]);
    let listed = |arn: &str, subnet: &str| json!({"LoadBalancerArn": arn, "Type": "gateway", "Scheme": "internal", "AvailabilityZones": [{"SubnetId": subnet}]});
    net.read("LoadBalancers", json!([listed(GWLB, "subnet-z"), listed(GWLB_2, "subnet-a")]));
    let appliance = net.eni("eni-2", "subnet-a", "interface");
    net.attach(appliance, Ref::Missing("i-1".into()));
    net.read_about(Some("out"), "TargetHealthDescriptions", json!([{"Target": {"Id": "i-1", "Port": 6081}}]));
    let exits = |net: &Net| {
        let found = net.components().into_iter().find(|found| &*found.id == "vpce-1");
        found.map(|found| found.exits).unwrap_or_default()
    };
    let at = |index| Exit::Vpc(VpcId::from_index(index));
    assert!(exits(&net).contains(&at(1)), "whose health it is nobody tells");
    net.collected("elbv2 describe-target-groups");
    let group = |name: &str, arn: &str| json!({"TargetGroupArn": format!("arn:aws:elasticloadbalancing:us-east-1:111111111111:targetgroup/{name}/01"), "LoadBalancerArns": [arn]});
    net.read("TargetGroups", json!([group("in", GWLB), group("out", GWLB_2)]));
    assert!(exits(&net).contains(&at(1)) && !exits(&net).contains(&at(0)));
    net.read_about(Some("in"), "TargetHealthDescriptions", json!([]));
    assert!(!exits(&net).contains(&at(1)));
    net.read_about(
        Some("in"),
        "TargetHealthDescriptions",
        json!([{"Target": {"Id": "10.9.9.9", "Port": 6081}}]),
    );
    assert!(exits(&net).contains(&at(1)), "an appliance that no answer shows");
}

/// R-NFW-1: a firewall that its own status shows inspects, and nothing else.
#[test]
fn a_firewall_endpoint_has_one_arm() {
    let mut net = Net::new();
    let status = json!({"Status": "READY", "SyncStates": {"us-east-1a": {"Attachment": {"SubnetId": "subnet-b", "EndpointId": "vpce-1", "Status": "READY"}}}});
    net.read("FirewallStatus", status);
    net.route(0, Target::Endpoint(Ref::Missing("vpce-1".into())));
    net.check(&["Inspection vpce-1: route(vpce-1) -> subnet-b"]);
    net.endpoint("vpce-1", EndpointKind::GatewayLoadBalancer, "GatewayLoadBalancer", "svc", &[]);
    // Without a shown subnet of its own the endpoint may lie anywhere in its VPC.
    net.check(&["Inspection vpce-1: route(vpce-1) -> subnet-a subnet-b"]);
}

/// R-DATA-11: a route to an endpoint that nothing describes.
#[test]
fn an_undescribed_route_target_may_be_anywhere_in_its_vpc() {
    let mut net = Net::new();
    net.route(0, Target::Endpoint(Ref::Missing("vpce-9".into())));
    net.check(&["Inspection vpce-9: route(vpce-9) -> subnet-a subnet-b internet"]);
}

#[test]
fn an_interface_of_an_undescribed_inspection_endpoint_counts() {
    let mut net = Net::new();
    net.described("eni-1", "subnet-b", "gatewayloadbalancerendpoint", "VPC Endpoint Interface vpce-7");
    net.check(&["Inspection eni-1: eni-1 route(vpce-7) -> subnet-b internet"]);
}

/// What lies outside the snapshot is told, not dropped.
#[test]
fn a_load_balancer_outside_the_snapshot_gives_a_notice() {
    let mut net = Net::new();
    net.read(
        "LoadBalancers",
        json!([{"LoadBalancerArn": ALB, "VpcId": "vpc-unseen", "AvailabilityZones": [{"SubnetId": "subnet-unseen"}]}]),
    );
    net.check(&[]);
    assert_eq!(net.notices(), [format!("{ALB}: nothing that this leads to is in the snapshot")]);
}

/// R-DATA-3: in a subnet that nobody shows it may be anywhere in its VPC, and without one anywhere at all.
#[test]
fn a_load_balancer_whose_place_is_not_shown_may_be_anywhere() {
    let exits = |shown: serde_json::Value| {
        let mut net = Net::new();
        net.collected(SERVICES);
        net.read("LoadBalancers", json!([shown]));
        net.components()[0].exits.len()
    };
    assert_eq!(
        exits(
            json!({"LoadBalancerArn": ALB, "VpcId": "vpc-a", "AvailabilityZones": [{"SubnetId": "subnet-unseen"}]})
        ),
        2
    );
    assert_eq!(exits(json!({"LoadBalancerArn": ALB})), 3);
}

#[test]
fn a_firewall_status_without_endpoints_gives_a_notice() {
    let mut net = Net::new();
    net.read("FirewallStatus", json!({"Status": "READY"}));
    assert_eq!(net.notices().len(), 1);
}

/// R-LB-17: only network and gateway load balancers may lack groups.
#[test]
fn a_load_balancer_without_shown_groups_may_carry_any() {
    let mut net = Net::new();
    net.group("sg-1", "web", Vec::new());
    let one = |kind| json!([{"LoadBalancerArn": ALB, "Type": kind, "Scheme": "internal", "VpcId": "vpc-a", "AvailabilityZones": [{"SubnetId": "subnet-a"}]}]);
    net.collected(SERVICES);
    net.read("LoadBalancers", one("application"));
    net.check(&[&format!("LoadBalancer {ALB}: hidden(subnet-a) -> hidden(subnet-a;sg-1)")]);
    net.inventories = Default::default();
    net.read("LoadBalancers", one("network"));
    net.check(&[&format!("LoadBalancer {ALB}: hidden(subnet-a) -> hidden(subnet-a;)")]);
}
