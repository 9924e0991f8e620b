//! The evaluator on one small network, changed a little for each rule.

use std::collections::BTreeMap;

use reachproof_model::assumption::Assumption;
use reachproof_model::flow::{Flow, Protocol, Question, World};
use reachproof_model::ingest::{Input, load};
use reachproof_model::snapshot::Snapshot;
use reachproof_model::traffic::Traffic;

use super::route::{Contender, Selection, select};
use super::{Answered, Query, delivers, trace};
use crate::evidence::{Disposition, Trace, TraceVerdict};
use crate::network::{Network, Options, Sink, SourcePlace};

const VPC: &str = r#"{"Vpcs":[{"VpcId":"vpc-a","CidrBlock":"10.0.0.0/16","State":"available","OwnerId":"1",
    "CidrBlockAssociationSet":[{"CidrBlock":"10.0.0.0/16","CidrBlockState":{"State":"associated"}}]}]}"#;
const SUBNETS: &str = r#"{"Subnets":[
    {"SubnetId":"pub","VpcId":"vpc-a","CidrBlock":"10.0.0.0/24","AvailabilityZoneId":"z1","OwnerId":"1"},
    {"SubnetId":"prv","VpcId":"vpc-a","CidrBlock":"10.0.1.0/24","AvailabilityZoneId":"z1","OwnerId":"1"}]}"#;
const INTERFACES: &str = r#"{"NetworkInterfaces":[
    {"NetworkInterfaceId":"web","VpcId":"vpc-a","SubnetId":"pub","Status":"in-use","InterfaceType":"interface",
     "SourceDestCheck":true,"Groups":[{"GroupId":"sg-open"}],"Attachment":{"Status":"attached"},
     "PrivateIpAddresses":[{"PrivateIpAddress":"10.0.0.10","Primary":true,"Association":{"PublicIp":"198.51.100.10"}}]},
    {"NetworkInterfaceId":"near","VpcId":"vpc-a","SubnetId":"pub","Status":"in-use","InterfaceType":"interface",
     "SourceDestCheck":CHECK,"Groups":[{"GroupId":"sg-open"}],"Attachment":{"Status":"attached"},
     "PrivateIpAddresses":[{"PrivateIpAddress":"10.0.0.30","Primary":true}]},
    {"NetworkInterfaceId":"app","VpcId":"vpc-a","SubnetId":"prv","Status":"in-use","InterfaceType":"interface",
     "SourceDestCheck":true,"Groups":[{"GroupId":"sg-app"}],"Attachment":{"Status":"attached"},
     "PrivateIpAddresses":[{"PrivateIpAddress":"10.0.1.10","Primary":true}]},
    {"NetworkInterfaceId":"eni-nat","VpcId":"vpc-a","SubnetId":"pub","Status":"in-use","InterfaceType":"nat_gateway",
     "SourceDestCheck":false,"Groups":[],"Attachment":{"Status":"attached"},
     "PrivateIpAddresses":[{"PrivateIpAddress":"10.0.0.20","Primary":true,"Association":{"PublicIp":"198.51.100.20"}}]}]}"#;
const GATEWAYS: &str = r#"{"InternetGateways":[{"InternetGatewayId":"igw-1","Attachments":[{"VpcId":"vpc-a","State":"available"}]}]}"#;
const NATS: &str = r#"{"NatGateways":[{"NatGatewayId":"nat-1","VpcId":"vpc-a","SubnetId":"pub","State":"available",
    "ConnectivityType":"public","NatGatewayAddresses":[{"NetworkInterfaceId":"eni-nat","PrivateIp":"10.0.0.20",
    "PublicIp":"198.51.100.20","Status":"succeeded","IsPrimary":true}]}]}"#;
const PUBLIC_ROUTES: &str =
    r#"{"DestinationCidrBlock":"0.0.0.0/0","GatewayId":"igw-1","Origin":"CreateRoute","State":"active"}"#;
const PRIVATE_ROUTES: &str =
    r#"{"DestinationCidrBlock":"0.0.0.0/0","NatGatewayId":"nat-1","Origin":"CreateRoute","State":"active"}"#;
const ALLOW_ALL: &str = r#"{"RuleNumber":100,"Egress":true,"RuleAction":"allow","Protocol":"-1","CidrBlock":"0.0.0.0/0"},
    {"RuleNumber":100,"Egress":false,"RuleAction":"allow","Protocol":"-1","CidrBlock":"0.0.0.0/0"}"#;

/// The network, with what a test may change.
struct Fixture {
    public_routes: String,
    private_routes: String,
    public_acl: Option<String>,
    private_acl: String,
    app_ingress: String,
    near_is_checked: bool,
}

impl Default for Fixture {
    fn default() -> Self {
        Self {
            public_routes: PUBLIC_ROUTES.into(),
            private_routes: PRIVATE_ROUTES.into(),
            public_acl: Some(ALLOW_ALL.into()),
            private_acl: ALLOW_ALL.into(),
            app_ingress: r#"{"IpProtocol":"-1","IpRanges":[{"CidrIp":"0.0.0.0/0"}]}"#.into(),
            near_is_checked: true,
        }
    }
}

impl Fixture {
    fn snapshot(&self) -> Snapshot {
        let everything = r#"{"IpProtocol":"-1","IpRanges":[{"CidrIp":"0.0.0.0/0"}]}"#;
        let local = r#"{"DestinationCidrBlock":"10.0.0.0/16","GatewayId":"local","State":"active"}"#;
        let list =
            |rows: &[&str]| rows.iter().filter(|row| !row.is_empty()).copied().collect::<Vec<_>>().join(",");
        let mut files = vec![
            VPC.to_owned(),
            SUBNETS.to_owned(),
            INTERFACES.replace("CHECK", if self.near_is_checked { "true" } else { "false" }),
            GATEWAYS.to_owned(),
            NATS.to_owned(),
            format!(
                r#"{{"RouteTables":[{{"RouteTableId":"rtb-pub","VpcId":"vpc-a","Associations":[{{"SubnetId":"pub"}}],"Routes":[{}]}},
                {{"RouteTableId":"rtb-prv","VpcId":"vpc-a","Associations":[{{"Main":true}}],"Routes":[{}]}}]}}"#,
                list(&[local, &self.public_routes]),
                list(&[local, &self.private_routes]),
            ),
            format!(
                r#"{{"SecurityGroups":[{{"GroupId":"sg-open","GroupName":"open","VpcId":"vpc-a","IpPermissions":[{everything}],"IpPermissionsEgress":[{everything}]}},
                {{"GroupId":"sg-app","GroupName":"app","VpcId":"vpc-a","IpPermissions":[{}],"IpPermissionsEgress":[{everything}]}}]}}"#,
                self.app_ingress
            ),
        ];
        if let Some(public) = &self.public_acl {
            files.push(format!(
                r#"{{"NetworkAcls":[{{"NetworkAclId":"acl-pub","VpcId":"vpc-a","IsDefault":false,"Associations":[{{"SubnetId":"pub"}}],"Entries":[{public}]}},
                {{"NetworkAclId":"acl-prv","VpcId":"vpc-a","IsDefault":true,"Associations":[{{"SubnetId":"prv"}}],"Entries":[{}]}}]}}"#,
                self.private_acl
            ));
        }
        let input = |(number, text): (usize, String)| Input {
            name: format!("{number}.json"),
            bytes: text.into_bytes(),
        };
        load(files.into_iter().enumerate().map(input).collect()).unwrap()
    }
}

fn tcp(source: &str, destination: &str, port: u16) -> Flow {
    let (source, destination) = (source.parse().unwrap(), destination.parse().unwrap());
    Flow { source, destination, protocol: Protocol::TCP, source_port: 49152, port }
}

/// The place that packets with this source address come from.
fn sender(network: &Network<'_>, flow: &Flow) -> SourcePlace {
    let owner = |id: &_| crate::network::owns(network.interface(*id), flow.source);
    network.snapshot.interfaces.ids().find(owner).map_or(SourcePlace::Internet, SourcePlace::Interface)
}

fn ask(fixture: &Fixture, flow: Flow, question: Question) -> Trace {
    let snapshot = fixture.snapshot();
    let network = Network::build(&snapshot, Options::default()).unwrap();
    assert_worlds_nest(&network, &flow);
    trace(&network, &Query { from: sender(&network, &flow), flow, goal: None, question })
}

/// What is certain is possible: the sinks of the restrictive world are among those of the permissive one.
fn assert_worlds_nest(network: &Network<'_>, flow: &Flow) {
    let ends = |world| delivers(network, world, sender(network, flow), flow);
    let (over, under): (BTreeMap<Sink, Answered>, _) = (ends(World::Over), ends(World::Under));
    for (sink, answered) in under {
        let possible = over.get(&sink).copied();
        assert!(possible.is_some_and(|it| it == Answered::Yes || answered == Answered::No), "{sink:?}");
    }
}

fn check(fixture: &Fixture, flow: Flow, packet: TraceVerdict, connection: TraceVerdict) {
    assert_eq!(ask(fixture, flow, Question::Packet).verdict, packet, "packet {flow:?}");
    assert_eq!(ask(fixture, flow, Question::Connection).verdict, connection, "connection {flow:?}");
}

fn nodes(trace: &Trace) -> Vec<&str> {
    trace.forward.hops.iter().map(|hop| hop.node.as_ref()).collect()
}

use TraceVerdict::{Blocked, Reaches, Unknown};

#[test]
fn a_packet_inside_a_subnet_meets_neither_list_nor_table() {
    let fixture =
        Fixture { public_acl: Some(String::new()), public_routes: String::new(), ..Fixture::default() };
    let flow = tcp("10.0.0.10", "10.0.0.30", 80);
    check(&fixture, flow, Reaches, Reaches);
    assert_eq!(nodes(&ask(&fixture, flow, Question::Packet)), ["web", "near"]);
}

#[test]
fn a_packet_between_subnets_shows_every_place_in_order() {
    let trace = ask(&Fixture::default(), tcp("10.0.0.10", "10.0.1.10", 80), Question::Connection);
    assert_eq!(trace.verdict, Reaches);
    assert_eq!(nodes(&trace), ["web", "pub", "rtb-pub", "vpc-a", "prv", "app"]);
    let back: Vec<_> = trace.reply.unwrap().hops.iter().map(|hop| hop.node.to_string()).collect();
    assert_eq!(back, ["app", "prv", "rtb-prv", "vpc-a", "pub", "web"]);
}

#[test]
fn the_first_entry_of_a_list_that_matches_decides() {
    let deny = r#"{"RuleNumber":90,"Egress":false,"RuleAction":"deny","Protocol":"6","CidrBlock":"10.0.0.0/24","PortRange":{"From":80,"To":80}}"#;
    let fixture = Fixture { private_acl: format!("{deny},{ALLOW_ALL}"), ..Fixture::default() };
    check(&fixture, tcp("10.0.0.10", "10.0.1.10", 80), Blocked, Blocked);
    check(&fixture, tcp("10.0.0.10", "10.0.1.10", 81), Reaches, Reaches);
    let trace = ask(&fixture, tcp("10.0.0.10", "10.0.1.10", 80), Question::Packet);
    assert_eq!(trace.forward.disposition, Disposition::DeniedIn);
    let last = trace.forward.hops.last().unwrap().decisions.last().unwrap();
    assert_eq!((last.rule, &*last.by), ("R-NACL-2", "acl-prv ingress 90"));
}

#[test]
fn an_action_that_cannot_be_read_decides_nothing() {
    let odd =
        r#"{"RuleNumber":90,"Egress":false,"RuleAction":"shrug","Protocol":"-1","CidrBlock":"10.0.0.0/24"}"#;
    let permits = Fixture { private_acl: format!("{odd},{ALLOW_ALL}"), ..Fixture::default() };
    check(&permits, tcp("10.0.0.10", "10.0.1.10", 80), Unknown, Unknown);
}

/// R-DATA-6: an entry that denies what cannot be read denies nothing in one world and everything in the other.
#[test]
fn a_denying_entry_that_cannot_be_read_decides_nothing() {
    let deny =
        r#"{"RuleNumber":90,"Egress":false,"RuleAction":"deny","Protocol":"-1","CidrBlock":"10.0.0.0/24"}"#;
    let fixture = Fixture { private_acl: format!("{deny},{ALLOW_ALL}"), ..Fixture::default() };
    let mut snapshot = fixture.snapshot();
    for entry in
        snapshot.acls.values_mut().flat_map(|acl| &mut acl.entries).filter(|entry| entry.number == 90)
    {
        entry.traffic = Traffic::Unknown;
    }
    let network = Network::build(&snapshot, Options::default()).unwrap();
    let flow = tcp("10.0.0.10", "10.0.1.10", 80);
    let query = Query { from: sender(&network, &flow), flow, goal: None, question: Question::Packet };
    assert_eq!(trace(&network, &query).verdict, Unknown);
}

#[test]
fn lists_are_stateless_and_groups_are_not() {
    let out = r#"{"RuleNumber":100,"Egress":true,"RuleAction":"allow","Protocol":"6","CidrBlock":"0.0.0.0/0","PortRange":{"From":80,"To":80}},
        {"RuleNumber":100,"Egress":false,"RuleAction":"allow","Protocol":"-1","CidrBlock":"0.0.0.0/0"}"#;
    let fixture = Fixture { private_acl: out.into(), ..Fixture::default() };
    check(&fixture, tcp("10.0.0.10", "10.0.1.10", 80), Reaches, Blocked);
    let closed = Fixture { app_ingress: String::new(), ..Fixture::default() };
    check(&closed, tcp("10.0.1.10", "10.0.0.10", 80), Reaches, Reaches);
    check(&closed, tcp("10.0.0.10", "10.0.1.10", 80), Blocked, Blocked);
}

#[test]
fn a_group_reference_matches_the_sender_and_not_its_public_address() {
    let reference = r#"{"IpProtocol":"-1","UserIdGroupPairs":[{"GroupId":"sg-open"}]}"#;
    let fixture = Fixture { app_ingress: reference.into(), ..Fixture::default() };
    check(&fixture, tcp("10.0.0.10", "10.0.1.10", 80), Reaches, Reaches);
    let own = Fixture { app_ingress: reference.replace("sg-open", "sg-app"), ..Fixture::default() };
    check(&own, tcp("10.0.0.10", "10.0.1.10", 80), Blocked, Blocked);
}

#[test]
fn the_internet_comes_in_by_a_public_address_alone() {
    let trace = ask(&Fixture::default(), tcp("203.0.113.5", "198.51.100.10", 80), Question::Connection);
    assert_eq!(trace.verdict, Reaches);
    assert_eq!(nodes(&trace), ["internet", "igw-1", "vpc-a", "pub", "web"]);
    let last = trace.forward.hops.last().unwrap();
    assert_eq!(last.header.destination.to_string(), "10.0.0.10");
    check(&Fixture::default(), tcp("203.0.113.5", "10.0.1.10", 80), Blocked, Blocked);
    check(&Fixture::default(), tcp("203.0.113.5", "198.51.100.99", 80), Blocked, Blocked);
    check(&Fixture::default(), tcp("10.9.9.9", "198.51.100.10", 80), Blocked, Blocked);
}

#[test]
fn a_public_address_without_a_way_back_is_uncertain_and_no_connection() {
    let fixture = Fixture { public_routes: String::new(), ..Fixture::default() };
    let flow = tcp("203.0.113.5", "198.51.100.10", 80);
    check(&fixture, flow, Unknown, Blocked);
    assert!(ask(&fixture, flow, Question::Packet).assumptions.contains(Assumption(15)));
}

#[test]
fn a_nat_gateway_translates_out_and_lets_nothing_else_in() {
    let flow = tcp("10.0.1.10", "203.0.113.5", 443);
    let trace = ask(&Fixture::default(), flow, Question::Connection);
    assert_eq!((trace.verdict, trace.forward.sink), (Reaches, Some(Sink::Internet)));
    assert_eq!(trace.forward.hops.last().unwrap().header.source.to_string(), "198.51.100.20");
    let back = trace.reply.unwrap();
    assert_eq!(back.hops.last().unwrap().header, flow.reply().unwrap());
    check(&Fixture::default(), tcp("203.0.113.5", "198.51.100.20", 443), Blocked, Blocked);
    check(
        &Fixture::default(),
        Flow { protocol: Protocol(47), port: 0, source_port: 0, ..flow },
        Blocked,
        Blocked,
    );
}

#[test]
fn a_connection_by_nat_needs_every_port_that_the_gateway_may_choose() {
    let replies = r#"{"RuleNumber":100,"Egress":true,"RuleAction":"allow","Protocol":"-1","CidrBlock":"0.0.0.0/0"},
        {"RuleNumber":90,"Egress":false,"RuleAction":"allow","Protocol":"-1","CidrBlock":"10.0.0.0/16"},
        {"RuleNumber":100,"Egress":false,"RuleAction":"allow","Protocol":"6","CidrBlock":"0.0.0.0/0","PortRange":{"From":FROM,"To":65535}}"#;
    let from = |port: &str| Fixture { public_acl: Some(replies.replace("FROM", port)), ..Fixture::default() };
    let flow = tcp("10.0.1.10", "203.0.113.5", 443);
    check(&from("1024"), flow, Reaches, Reaches);
    check(&from("1025"), flow, Reaches, Unknown);
}

#[test]
fn two_public_addresses_meet_on_the_internet() {
    let trace = ask(&Fixture::default(), tcp("10.0.1.10", "198.51.100.10", 80), Question::Connection);
    assert_eq!(trace.verdict, Reaches);
    assert_eq!(trace.forward.hops.last().unwrap().node.as_ref(), "web");
    assert_eq!(trace.forward.hops.last().unwrap().header.source.to_string(), "198.51.100.20");
}

#[test]
fn a_nat_gateway_that_routes_to_itself_is_a_loop() {
    let own = PRIVATE_ROUTES.to_owned();
    let fixture = Fixture { public_routes: own, ..Fixture::default() };
    let trace = ask(&fixture, tcp("10.0.1.10", "203.0.113.5", 443), Question::Packet);
    assert_eq!((trace.verdict, trace.forward.disposition), (Blocked, Disposition::Loop));
}

#[test]
fn lists_that_were_not_collected_leave_proofs_and_name_the_call() {
    let fixture = Fixture { public_acl: None, ..Fixture::default() };
    let trace = ask(&fixture, tcp("203.0.113.5", "198.51.100.10", 80), Question::Packet);
    assert_eq!(trace.verdict, Unknown);
    assert!(
        trace.reasons.iter().any(|reason| reason.contains("ec2 describe-network-acls")),
        "{:?}",
        trace.reasons
    );
    check(&fixture, tcp("203.0.113.5", "10.0.1.10", 80), Blocked, Blocked);
}

#[test]
fn an_unchecked_neighbour_may_forward_anything() {
    let fixture = Fixture { private_routes: String::new(), near_is_checked: false, ..Fixture::default() };
    check(&fixture, tcp("10.0.1.10", "203.0.113.5", 443), Blocked, Blocked);
    let flow = Flow { source: "10.0.0.10".parse().unwrap(), ..tcp("10.0.0.10", "10.0.7.7", 443) };
    let trace = ask(&fixture, flow, Question::Packet);
    assert_eq!(trace.verdict, Unknown);
    assert!(trace.assumptions.contains(Assumption(6)) && !trace.components.is_empty());
}

#[test]
fn a_route_to_an_interface_crosses_the_list_of_its_subnet() {
    let to_near = r#"{"DestinationCidrBlock":"0.0.0.0/0","NetworkInterfaceId":"near","State":"active"}"#;
    let open = Fixture { private_routes: to_near.into(), near_is_checked: false, ..Fixture::default() };
    let flow = tcp("10.0.1.10", "203.0.113.5", 443);
    check(&open, flow, Unknown, Unknown);
    check(&Fixture { near_is_checked: true, ..open }, flow, Blocked, Blocked);
    let out =
        r#"{"RuleNumber":100,"Egress":true,"RuleAction":"allow","Protocol":"-1","CidrBlock":"0.0.0.0/0"}"#;
    let closed = Fixture {
        private_routes: to_near.into(),
        near_is_checked: false,
        public_acl: Some(out.into()),
        ..Fixture::default()
    };
    check(&closed, flow, Blocked, Blocked);
}

#[test]
fn an_address_that_nobody_owns_takes_nothing() {
    check(&Fixture::default(), tcp("10.0.0.10", "10.0.1.99", 80), Blocked, Blocked);
    check(&Fixture::default(), tcp("10.0.0.10", "10.0.0.99", 80), Blocked, Blocked);
    check(&Fixture::default(), tcp("10.0.0.99", "10.0.1.10", 80), Blocked, Blocked);
}

#[test]
fn dns_is_not_filtered() {
    let fixture = Fixture { public_acl: Some(String::new()), ..Fixture::default() };
    let dns = Flow { protocol: Protocol::UDP, ..tcp("10.0.0.10", "10.0.0.2", 53) };
    check(&fixture, dns, Reaches, Reaches);
    check(&fixture, Flow { port: 54, ..dns }, Blocked, Blocked);
}

/// R-ROUTE-6, 8 and the reading of optional and floating routes, on every pair of contenders.
#[test]
fn selection_follows_every_route_that_may_win() {
    let kinds = [(false, false), (true, false), (false, true)];
    let all: Vec<Contender> = [16, 24]
        .into_iter()
        .flat_map(|length| [0, 1].map(|rank| (length, rank)))
        .flat_map(|(length, rank)| {
            kinds.map(|(optional, floating)| Contender { length, rank, optional, floating })
        })
        .collect();
    for left in &all {
        for right in &all {
            let pair = [*left, *right];
            let beats = |a: &Contender, b: &Contender| (a.length, b.rank) > (b.length, a.rank);
            let certain = |it: &Contender| !it.optional && !it.floating;
            let may_win = |a: &Contender, b: &Contender| a.floating || !(beats(b, a) && certain(b));
            let expected: Vec<usize> = [(0, may_win(left, right)), (1, may_win(right, left))]
                .iter()
                .filter(|it| it.1)
                .map(|it| it.0)
                .collect();
            assert_eq!(select(&pair, false, World::Over), Selection::These(expected), "{pair:?}");
            let under = select(&pair, false, World::Under);
            assert_eq!(under == Selection::Unclear, left.floating || right.floating, "{pair:?}");
        }
    }
    assert_eq!(select(&[], false, World::Over), Selection::None);
}
