//! Networks beyond the snapshot: what an answer that is missing leaves open, and who hangs on what it shows in part.

#![expect(clippy::expect_used, reason = "helpers of a test")]

use reachproof_engine::check::{PropertyReport, Verdict, check};
use reachproof_engine::network::{Network, Options};
use reachproof_model::ingest::{Input, load};
use reachproof_model::policy::Policy;
use reachproof_scenarios::parse;

/// A base network with changes, as answers.
fn inputs(base: &str, changes: &str) -> Vec<Input> {
    let text = format!(
        "reachproof: scenario/v1\nname: neighbours\ntitle: a network\nrules: [R-CORE-1]\nbase: {base}\n{changes}\nexpect:\n  \
         - {{from: web, to: app, verdict: reaches}}\n"
    );
    parse("neighbours.yaml", &text).expect("the scenario parses").inputs()
}

fn report(inputs: Vec<Input>, property: &str, options: Options) -> PropertyReport {
    let snapshot = load(inputs).expect("the answers load");
    let network = Network::build(&snapshot, options).expect("the spine is there");
    let text = format!("reachproof: policy/v1\nproperties:\n  - name: p\n    {property}\n");
    let policy = Policy::parse("policy.yaml", text.as_bytes()).expect("the policy parses");
    let reports = check(&network, &policy, jiff::civil::date(2026, 11, 25)).expect("checked");
    reports.into_iter().next().expect("one property")
}

fn verdict(base: &str, changes: &str, property: &str) -> Verdict {
    report(inputs(base, changes), property, Options::default()).verdict
}

/// Asserts that the property is proved of the base network and is not proved with the changes.
fn unproved(base: &str, changes: &str, property: &str) {
    assert_eq!(verdict(base, "network: {}", property), Verdict::Holds, "{base}: {property}");
    assert_eq!(verdict(base, changes, property), Verdict::Unknown, "{base}: {property} with {changes}");
}

const EXTERNAL: &str = "forbid: {from: any-external, to: eni-app}";
const TRANSIT: &str = "TransitGateways: ~, TransitGatewayAttachments: ~, TransitGatewayVpcAttachments: ~, \
                       TransitGatewayRouteTables: ~";

/// F0 with another route of the private table, and without some answers.
fn routed(route: &str, missing: &str) -> String {
    format!(
        "aws: {{{missing}, RouteTables: [{{RouteTableId: rtb-prv, Routes: [\
         {{DestinationCidrBlock: 10.0.0.0/16, GatewayId: local, Origin: CreateRouteTable, State: active}}, \
         {{DestinationIpv6CidrBlock: '2001:db8:a:100::/56', GatewayId: local, Origin: CreateRouteTable, State: active}}, \
         {{DestinationCidrBlock: 10.9.0.0/16, {route}, Origin: CreateRoute, State: active}}]}}]}}"
    )
}

#[test]
fn a_call_that_was_not_made_may_have_listed_a_neighbour() {
    for missing in [
        "VpcPeeringConnections: ~",
        "VpnGateways: ~",
        "TransitGatewayAttachments: ~, TransitGatewayVpcAttachments: ~",
    ] {
        unproved("f0", &format!("aws: {{{missing}}}"), EXTERNAL);
    }
    let internet = "forbid: {from: internet, to: eni-app}";
    let found = report(inputs("f0", "aws: {VpnGateways: ~}"), internet, Options::default());
    assert_eq!(found.verdict, Verdict::Holds);
    assert!(found.notes.iter().any(|note| note.contains("A-35")), "{:?}", found.notes);
    assert!(found.notes.iter().any(|note| note.contains("ec2 describe-vpn-gateways")), "{:?}", found.notes);
}

#[test]
fn what_only_a_route_names_leads_to_other_networks_and_lets_them_in() {
    let hops =
        [("TransitGatewayId: tgw-9", TRANSIT), ("VpcPeeringConnectionId: pcx-9", "VpcPeeringConnections: ~")];
    for (hop, missing) in hops {
        let changes = routed(hop, missing);
        unproved("f0", &changes, EXTERNAL);
        for property in
            ["forbid: {from: eni-app, to: 10.9.0.0/16}", "forbid: {from: 10.9.0.0/16, to: eni-app}"]
        {
            assert_eq!(verdict("f0", &changes, property), Verdict::Unknown, "{property}");
        }
    }
}

#[test]
fn a_hub_that_no_answer_describes_routes_by_the_tables_of_its_vpcs() {
    let gateway = "network:\n  virtual-gateways:\n    vgw-1: {vpc: vpc-a}\n";
    let routes = "  route-tables:\n    rtb-b: {routes: {192.168.0.0/16: tgw-1}}\n    rtb-prv: {routes: {192.168.0.0/16: nat-1}}\n    \
                  rtb-pub: {routes: {192.168.0.0/16: vgw-1}}\n";
    let property = "forbid: {from: eni-b1, to: vgw-1}";
    assert_eq!(verdict("f0-transit", gateway, property), Verdict::Holds);
    let changes = format!("{gateway}{routes}aws: {{{TRANSIT}}}");
    assert_eq!(verdict("f0-transit", &changes, property), Verdict::Unknown);
}

#[test]
fn premises_may_hang_on_a_transit_gateway_that_nobody_describes() {
    let elsewhere = "network:\n  virtual-gateways:\n    vgw-1: {vpc: vpc-b}\n";
    for property in ["forbid: {from: eni-app, to: onprem}", "forbid: {from: onprem, to: eni-app}"] {
        assert_eq!(verdict("f0", elsewhere, property), Verdict::Holds);
        let missing = format!("{elsewhere}{}", routed("TransitGatewayId: tgw-9", TRANSIT));
        assert_eq!(verdict("f0", &missing, property), Verdict::Unknown, "{property}");
        assert_eq!(verdict("f0-foreign-transit", elsewhere, property), Verdict::Unknown, "{property}");
    }
    // A peering connection leads to a VPC.
    let peering = format!("{elsewhere}{}", routed("VpcPeeringConnectionId: pcx-9", "Reservations: []"));
    let property = "forbid: {from: eni-app, to: onprem}";
    assert_eq!(
        verdict("f0", &peering.replace("Reservations: []", "VpcPeeringConnections: ~"), property),
        Verdict::Holds
    );
}

#[test]
fn an_association_that_its_owner_was_not_asked_for_may_be_there() {
    let owned = "network:\n  transit-gateways:\n    tgw-1: {owner: '222222222222'}\n  vpcs:\n    \
                 vpc-c: {account: '222222222222', cidrs: [10.2.0.0/16]}\n  attachments:\n    \
                 tgw-attach-a: {gateway: tgw-1, vpc: vpc-a, subnets: [subnet-prv-a]}\n    \
                 tgw-attach-b: {gateway: tgw-1, vpc: vpc-b, subnets: [subnet-b]}\n  route-tables:\n    \
                 rtb-c: {vpc: vpc-c, main: true}\n    rtb-prv: {routes: {10.1.0.0/16: tgw-1}}\n";
    let unasked =
        |input: &Input| input.name.contains("222222222222") && input.name.contains("transit-gateway");
    let mut answers = inputs("f0", owned);
    answers.retain(|input| !unasked(input));
    let found = report(answers, "forbid: {from: eni-app, to: eni-b1}", Options::default());
    assert_eq!(found.verdict, Verdict::Unknown, "{found:?}");
}

#[test]
fn zones_of_two_accounts_have_no_common_names() {
    let hub = "network:\n  vpcs:\n    vpc-b: {account: '222222222222'}\n  subnets:\n    subnet-tgw-b2: {vpc: vpc-b, cidr: 10.1.11.0/28, zone: 2}\n  \
               attachments:\n    tgw-attach-b: {subnets: [subnet-tgw-b, subnet-tgw-b2]}\n  network-acls:\n    acl-closed: {vpc: vpc-b, subnets: [subnet-tgw-b2]}\n";
    let property = "forbid: {from: eni-app, to: eni-b1}";
    assert_eq!(verdict("f0-transit", hub, property), Verdict::Violated);
    let subnets = ["subnet-prv-a", "subnet-tgw-a1", "subnet-tgw-a2", "subnet-tgw-b", "subnet-tgw-b2"];
    let rows: Vec<String> =
        subnets.iter().map(|id| format!("{{SubnetId: {id}, AvailabilityZoneId: ~}}")).collect();
    let nameless = format!("{hub}aws: {{AvailabilityZones: ~, Subnets: [{}]}}", rows.join(", "));
    assert_eq!(verdict("f0-transit", &nameless, property), Verdict::Unknown);
}

#[test]
fn who_comes_in_by_a_gateway_passes_through_it() {
    let gateway = "network:\n  virtual-gateways:\n    vgw-1: {vpc: vpc-a}\n  route-tables:\n    rtb-prv: {routes: {192.168.0.0/16: vgw-1 propagated}}\n";
    let through = "only-through: {from: onprem, to: eni-app, through: vgw-1}";
    assert_eq!(verdict("f0", gateway, through), Verdict::Holds);
    let transit = "network:\n  vpn-connections:\n    vpn-1: {gateway: tgw-1}\n  attachments:\n    \
                   tgw-attach-vpn: {gateway: tgw-1, kind: vpn, resource: vpn-1, table: tgw-rtb-1}\n  transit-tables:\n    \
                   tgw-rtb-1: {routes: {192.168.0.0/16: tgw-attach-vpn propagated}}\n  route-tables:\n    rtb-prv: {routes: {192.168.0.0/16: tgw-1}}\n";
    for through in ["tgw-1", "tgw-attach-vpn", "tgw-attach-a"] {
        let property = format!("only-through: {{from: onprem, to: eni-app, through: {through}}}");
        assert_eq!(verdict("f0-transit", transit, &property), Verdict::Holds, "{through}");
    }
}

#[test]
fn a_gateway_that_a_route_and_a_propagation_show_is_one() {
    let shown = "network:\n  virtual-gateways:\n    vgw-1: {vpc: vpc-a}\n  route-tables:\n    rtb-prv: {routes: {192.168.0.0/16: vgw-1 propagated}}\n\
                 aws: {VpnGateways: ~, RouteTables: [{RouteTableId: rtb-prv, PropagatingVgws: [{GatewayId: vgw-1}]}, \
                 {RouteTableId: rtb-pub, PropagatingVgws: [{GatewayId: vgw-1}]}]}";
    assert_eq!(verdict("f0", shown, "require: {from: eni-app, to: onprem, port: tcp/443}"), Verdict::Holds);
}

#[test]
fn a_guest_may_send_by_its_other_interface_though_no_answer_lists_instances() {
    let second = "network:\n  interfaces:\n    eni-app2: {subnet: subnet-pub-a, addresses: [10.0.0.60], \
                  public: {10.0.0.60: 198.51.100.60}, groups: [sg-open], instance: i-app, device: 1}\naws: {Reservations: ~}";
    unproved("f0", second, "forbid: {from: eni-app, to: internet}");
}

#[test]
fn who_may_relay_to_a_public_address_is_named() {
    let hub = "network:\n  virtual-gateways:\n    vgw-1: {vpc: vpc-b}\n  route-tables:\n    rtb-b: {routes: {0.0.0.0/0: vgw-1}}\n";
    let property = "forbid: {from: eni-b1, to: eni-web}";
    let trusting = report(inputs("f0", hub), property, Options::default());
    assert_eq!(trusting.verdict, Verdict::Holds);
    assert!(
        trusting.notes.iter().any(|note| note.contains("vgw-1") && note.contains("A-35")),
        "{trusting:?}"
    );
    let strict = report(inputs("f0", hub), property, Options { strict: true, ..Options::default() });
    assert_eq!(strict.verdict, Verdict::Unknown, "{strict:?}");
    // Behind a route to private addresses there is no internet.
    let private = hub.replace("0.0.0.0/0", "192.168.0.0/16");
    let found = report(inputs("f0", &private), property, Options { strict: true, ..Options::default() });
    assert_eq!(found.verdict, Verdict::Holds, "{found:?}");
}

/// Whether a proof in F0 with changes has a note with this text.
fn names(changes: &str, property: &str, text: &str) -> bool {
    let found = report(inputs("f0", changes), property, Options::default());
    assert_eq!(found.verdict, Verdict::Holds, "{property}");
    found.notes.iter().any(|note| note.contains(text))
}

/// What a property that is about nothing outside rests on: who could carry it round.
fn trusted(changes: &str, property: &str, deed: &str) -> bool {
    let found = report(inputs("f0-transit", changes), property, Options::default());
    assert_eq!(found.verdict, Verdict::Holds, "{property}");
    let strict = Options { strict: true, ..Options::default() };
    let strictly = report(inputs("f0-transit", changes), property, strict).verdict;
    let named = found.notes.iter().any(|note| note.contains(deed) && note.contains("A-35"));
    assert!(!named || strictly == Verdict::Unknown, "{property}: {strictly:?} with --strict");
    named
}

#[test]
fn premises_that_both_ends_speak_to_may_pass_on_what_one_sends() {
    let apart = "network:\n  attachments:\n    tgw-attach-b: {table: tgw-rtb-v}\n    \
                 tgw-attach-v: {gateway: tgw-1, kind: vpn, resource: vpn-1, table: tgw-rtb-v}\n  transit-tables:\n    \
                 tgw-rtb-1: {propagations: [], routes: {10.1.0.0/16: tgw-attach-v}}\n    \
                 tgw-rtb-v: {gateway: tgw-1, propagations: [tgw-attach-b]}\n";
    let deed = "pass on what the sources send them: tgw-attach-v";
    assert!(trusted(apart, "forbid: {from: eni-app, to: eni-b1}", deed));
    assert!(trusted(apart, "isolate: {between: eni-app, and: eni-b1}", deed));
    // Nothing leads from the premises to the first network, nor from it to them without the route.
    assert!(!trusted(apart, "forbid: {from: eni-b1, to: eni-app}", deed));
    let silent = apart.replace("{10.1.0.0/16: tgw-attach-v}", "{}");
    assert!(!trusted(&silent, "forbid: {from: eni-app, to: eni-b1}", deed));
}

#[test]
fn premises_may_bring_back_an_answer_that_takes_no_way_here() {
    let one_way = "network:\n  virtual-gateways:\n    vgw-1: {vpc: vpc-b}\n  route-tables:\n    \
                   rtb-b: {routes: {10.0.0.0/16: vgw-1}}\n";
    let deed = "bring back answers: vgw-1";
    let property = |question| format!("forbid: {{from: eni-app, to: eni-b1, question: {question}}}");
    assert!(trusted(one_way, &property("connection"), deed));
    let closed = format!("{one_way}  security-groups:\n    sg-b1: {{in: []}}\n");
    assert!(!trusted(&closed, &property("connection"), deed));
}

/// R-TGW-11.
#[test]
fn tunnels_of_an_appliance_carry_what_no_route_shows() {
    let connect = |carrier: &str| {
        format!(
            "network:\n  attachments:\n    tgw-attach-dx: {{gateway: tgw-1, kind: direct-connect-gateway, resource: dxgw-1, table: tgw-rtb-1}}\n    \
             tgw-attach-c: {{gateway: tgw-1, kind: connect, resource: {carrier}, table: tgw-rtb-1}}\n  \
             route-tables:\n    rtb-prv: {{routes: {{10.1.0.0/16: ~}}}}\n"
        )
    };
    let property = "forbid: {from: eni-app, to: eni-b1}";
    assert_eq!(verdict("f0-transit", &connect("tgw-attach-dx"), property), Verdict::Holds);
    for carrier in ["tgw-attach-a", "tgw-attach-unseen"] {
        assert_eq!(verdict("f0-transit", &connect(carrier), property), Verdict::Unknown, "{carrier}");
    }
}

/// what a network that is not modelled takes in may come out in a VPC without a route back, unless somebody lists
/// what is attached to it.
#[test]
fn a_core_network_needs_no_route_back() {
    let arn = "arn:aws:networkmanager::111111111111:core-network/core-network-1";
    let changes = routed(&format!("CoreNetworkArn: '{arn}'"), "Reservations: []");
    let property = "forbid: {from: eni-app, to: eni-b1}";
    assert_eq!(verdict("f0", &changes, property), Verdict::Unknown);
    let listed = changes.replace(
        "Reservations: []",
        &format!(
            "networkmanager_list-attachments: {{Attachments: [{{CoreNetworkArn: '{arn}', \
             ResourceArn: 'arn:aws:ec2:us-east-1:111111111111:vpc/vpc-a'}}]}}"
        ),
    );
    assert_eq!(verdict("f0", &listed, property), Verdict::Holds);
    // Who attached a VPC to it sees that one alone.
    let by_another = listed.replace("::111111111111:core-network", "::222222222222:core-network");
    assert_eq!(verdict("f0", &by_another, property), Verdict::Unknown);
}

/// R-VERDICT-6, R-VPN-9.
#[test]
fn clients_of_a_vpn_come_in_by_a_transit_gateway() {
    let attached = "network:\n  attachments:\n    tgw-attach-v: {gateway: tgw-1, kind: client-vpn, resource: cvpn-endpoint-1, table: tgw-rtb-1}\n";
    unproved("f0-transit", attached, "forbid: {from: internet, to: eni-app}");
}

/// R-VERDICT-1, A-35.
#[test]
fn premises_may_answer_what_a_destination_asks() {
    let asking = "network:\n  virtual-gateways:\n    vgw-1: {vpc: vpc-a}\n  route-tables:\n    \
                  rtb-prv: {routes: {10.1.0.0/16: vgw-1}}\n  security-groups:\n    sg-app: {in: []}\n";
    let named = |changes: &str, property: &str| names(changes, property, "bring back answers: vgw-1");
    assert!(named(asking, "forbid: {from: eni-b1, to: eni-app, including-replies: true}"));
    assert!(!named(asking, "forbid: {from: eni-b1, to: eni-app}"));
    let silent = asking.replace("rtb-prv", "rtb-pub");
    assert!(!named(&silent, "forbid: {from: eni-b1, to: eni-app, including-replies: true}"));
}

/// R-DATA-10, A-23: what was not collected may also join two interfaces.
#[test]
fn a_proof_between_interfaces_names_what_was_not_collected() {
    let property = "forbid: {from: eni-b1, to: eni-app}";
    let named = |changes: &str| {
        let found = report(inputs("f0", changes), property, Options::default());
        assert_eq!(found.verdict, Verdict::Holds);
        let strict = Options { strict: true, ..Options::default() };
        let named = found.notes.iter().any(|note| note.contains("Verified Access endpoints (A-23)"));
        assert_eq!(report(inputs("f0", changes), property, strict).verdict == Verdict::Unknown, named);
        named
    };
    assert!(!named("network: {}"));
    assert!(named("aws: {VerifiedAccessEndpoints: ~}"));
}

/// what is required is not satisfied by a VPN connection without a tunnel; what is forbidden may still pass.
#[test]
fn a_vpn_without_a_tunnel_carries_nothing_for_certain() {
    let virtual_one = "network:\n  virtual-gateways:\n    vgw-1: {vpc: vpc-a}\n  vpn-connections:\n    \
                       vpn-1: {gateway: vgw-1, routes: [192.168.0.0/16]}\n  route-tables:\n    \
                       rtb-prv: {routes: {192.168.0.0/16: vgw-1}}\n";
    let transit = "network:\n  attachments:\n    tgw-attach-v: {gateway: tgw-1, kind: vpn, resource: vpn-1, table: tgw-rtb-1}\n  \
                   vpn-connections:\n    vpn-1: {gateway: tgw-1, routes: [192.168.0.0/16]}\n  transit-tables:\n    \
                   tgw-rtb-1: {routes: {192.168.0.0/16: tgw-attach-v}}\n  route-tables:\n    \
                   rtb-prv: {routes: {192.168.0.0/16: tgw-1}}\n";
    for (base, up) in [("f0", virtual_one), ("f0-transit", transit)] {
        let state = |status| {
            format!(
                "{up}aws: {{VpnConnections: [{{VpnConnectionId: vpn-1, VgwTelemetry: [{{Status: {status}}}]}}]}}"
            )
        };
        for (from, to) in [("eni-app", "192.168.0.9"), ("'onprem:192.168.0.9'", "eni-app")] {
            let required = format!("require: {{from: {from}, to: {to}, port: tcp/443}}");
            let forbidden = format!("forbid: {{from: {from}, to: {to}}}");
            assert_eq!(verdict(base, &state("UP"), &required), Verdict::Holds, "{base}: {required}");
            assert_eq!(verdict(base, &state("DOWN"), &required), Verdict::Unknown, "{base}: {required}");
            assert_ne!(verdict(base, &state("DOWN"), &forbidden), Verdict::Holds, "{base}: {forbidden}");
        }
    }
}

/// R-IGW-5, A-35: who sends to the internet may be passed on by a network on premises that hangs on it.
#[test]
fn premises_may_have_it_from_the_internet() {
    let gateway = "network:\n  virtual-gateways:\n    vgw-1: {vpc: vpc-b}\n";
    let named = |property: &str| names(gateway, property, "send them: vgw-1");
    assert!(named("forbid: {from: eni-web, to: eni-b1}"));
    assert!(!named("forbid: {from: eni-app, to: eni-b1}"));
}

/// R-GWLB-2, R-SG-10: rules may name the group of an appliance that nobody shows.
#[test]
fn an_unseen_appliance_may_carry_the_group_that_a_rule_names() {
    let inspected = "network:\n  endpoints:\n    vpce-1: {vpc: vpc-a, kind: gateway-load-balancer, \
                     service: com.amazonaws.vpce.us-east-1.vpce-svc-partner, \
                     interfaces: {eni-vpce: {subnet: subnet-prv-b, address: 10.0.2.50}}}\n  route-tables:\n    \
                     rtb-prv: {routes: {0.0.0.0/0: vpce-1}}\n  security-groups:\n    sg-b1: {in: []}\n";
    let answers = |peering: &str| {
        format!(
            "{inspected}aws:\n  {peering}\n  SecurityGroups: [{{GroupId: sg-b1, IpPermissions: [{{IpProtocol: '-1', UserIdGroupPairs: \
             [{{GroupId: sg-far, UserId: '999999999999', VpcId: vpc-far, VpcPeeringConnectionId: pcx-7, PeeringStatus: active}}]}}]}}]"
        )
    };
    let peered = "VpcPeeringConnections: [{VpcPeeringConnectionId: pcx-7, Status: {Code: active}, RequesterVpcInfo: \
                  {VpcId: vpc-b, OwnerId: '111111111111', Region: us-east-1, CidrBlock: 10.1.0.0/16}, AccepterVpcInfo: \
                  {VpcId: vpc-far, OwnerId: '999999999999', Region: us-east-1, CidrBlock: 10.7.0.0/16}}]";
    let property = "forbid: {from: eni-app, to: eni-b1}";
    assert_eq!(verdict("f0", &answers("VpcPeeringConnections: []"), property), Verdict::Holds);
    assert_eq!(verdict("f0", &answers(peered), property), Verdict::Unknown);
}
