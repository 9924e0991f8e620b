//! Loading self-made answers: what each rule of the semantics asks of the loader.

use std::net::{IpAddr, Ipv4Addr};

use super::{Input, LoadError, load};
use crate::flow::Protocol;
use crate::id::Ref;
use crate::snapshot::*;
use crate::traffic::Traffic;

fn input(name: &str, json: &str) -> Input {
    Input { name: name.to_owned(), bytes: json.as_bytes().to_vec() }
}

fn read(files: &[(&str, &str)]) -> Result<Snapshot, LoadError> {
    load(files.iter().map(|(name, json)| input(name, json)).collect())
}

fn snapshot(json: &str) -> Snapshot {
    read(&[("answers.json", json)]).unwrap()
}

fn groups(permissions: &str) -> Vec<GroupRule> {
    let json = format!(r#"{{"SecurityGroups":[{{"GroupId":"sg-1","IpPermissions":[{permissions}]}}]}}"#);
    let snapshot = snapshot(&json);
    let group = snapshot.groups.values().next().unwrap();
    assert_eq!(group.egress, None, "an absent list is unknown, not empty");
    group.ingress.clone().unwrap()
}

fn traffic(permission: &str) -> Traffic {
    groups(&format!(r#"{{{permission},"IpRanges":[{{"CidrIp":"0.0.0.0/0"}}]}}"#))[0].traffic
}

const TCP: Protocol = Protocol::TCP;

#[test]
fn a_permission_is_the_cross_product_of_its_peers() {
    let rules = groups(
        r#"{"IpProtocol":"tcp","FromPort":443,"ToPort":"443","IpRanges":[{"CidrIp":"10.0.0.0/16"}],
            "Ipv6Ranges":[{"CidrIpv6":"::/0"}],"PrefixListIds":[{"PrefixListId":"pl-1"}],
            "UserIdGroupPairs":[{"GroupId":"222222222222/sg-2","PeeringStatus":"Active"}]},
           {"IpProtocol":"-1"},
           {"IpProtocol":"-1","UserIdGroupPairs":[{"GroupId":"sg-1","UserId":"1"}]}"#,
    );
    let peers: Vec<_> = rules.iter().map(|rule| &rule.peer).collect();
    assert_eq!(rules.len(), 5, "a permission without peers matches nothing");
    assert_eq!(*peers[0], GroupPeer::Cidr("10.0.0.0/16".parse().unwrap()));
    assert_eq!(*peers[1], GroupPeer::Cidr("::/0".parse().unwrap()));
    assert_eq!(*peers[2], GroupPeer::PrefixList(Ref::Missing("pl-1".into())));
    let GroupPeer::Group(other) = peers[3] else { panic!("{peers:?}") };
    assert_eq!(
        (&other.group, other.account.as_deref()),
        (&Ref::Missing("sg-2".into()), Some("222222222222"))
    );
    assert_eq!(other.peering_status.as_deref(), Some("active"));
    let GroupPeer::Group(own) = peers[4] else { panic!("{peers:?}") };
    assert!(own.group.known().is_some());
    assert_eq!(rules[4].index, 2);
    assert_eq!(&*rules[4].source.pointer, "/SecurityGroups/0/IpPermissions/2");
}

#[test]
fn protocols_ports_and_icmp_types() {
    assert_eq!(traffic(r#""IpProtocol":"-1","FromPort":-1"#), Traffic::All);
    assert_eq!(
        traffic(r#""IpProtocol":"6","FromPort":1,"ToPort":2"#),
        Traffic::Ports { protocol: TCP, from: 1, to: 2 }
    );
    let open = Traffic::Ports { protocol: TCP, from: 0, to: 65535 };
    assert_eq!(traffic(r#""IpProtocol":"TCP","FromPort":-1,"ToPort":-1"#), open);
    assert_eq!(traffic(r#""IpProtocol":"50","FromPort":9"#), Traffic::Protocol(Protocol(50)));
    let icmp = |kind, code| Traffic::Icmp { protocol: Protocol::ICMP, kind, code };
    assert_eq!(traffic(r#""IpProtocol":"icmp","FromPort":8,"ToPort":-1"#), icmp(Some(8), None));
    assert_eq!(traffic(r#""IpProtocol":"icmp","FromPort":-1,"ToPort":-1"#), icmp(None, None));
    assert_eq!(traffic(r#""IpProtocol":"icmp","FromPort":-1,"ToPort":9"#), Traffic::Refused(Protocol::ICMP));
    assert_eq!(traffic(r#""IpProtocol":"carrier-pigeon""#), Traffic::Unknown);
}

#[test]
fn flattened_rules_stand_in_for_missing_ones() {
    let rules = r#"{"SecurityGroupRules":[
        {"GroupId":"sg-1","IsEgress":false,"IpProtocol":"tcp","FromPort":22,"ToPort":22,"CidrIpv4":"10.0.0.0/8"},
        {"GroupId":"sg-1","IsEgress":true,"IpProtocol":"-1","ReferencedGroupInfo":{"GroupId":"sg-2"}},
        {"GroupId":"sg-2","IsEgress":true,"IpProtocol":"-1","PrefixListId":"pl-1"}]}"#;
    let alone = read(&[("rules.json", rules)]).unwrap();
    assert_eq!(alone.groups.len(), 2);
    let first = alone.groups.values().next().unwrap();
    assert_eq!(first.ingress.as_ref().unwrap().len(), 1);
    assert_eq!(&*first.egress.as_ref().unwrap()[0].source.pointer, "/SecurityGroupRules/1");
    let described = r#"{"SecurityGroups":[{"GroupId":"sg-1","GroupName":"a","IpPermissions":[],"IpPermissionsEgress":[]}]}"#;
    let both = read(&[("rules.json", rules), ("groups.json", described)]).unwrap();
    let first = both.groups.values().next().unwrap();
    assert_eq!((first.ingress.as_deref(), first.egress.as_deref()), (Some(&[][..]), Some(&[][..])));
    let truncated = rules.replacen('{', r#"{"NextToken":"x","#, 1);
    let partial = read(&[("rules.json", &truncated)]).unwrap();
    assert_eq!(partial.groups.values().next().unwrap().ingress, None);
}

#[test]
fn acl_entries_are_sorted_and_unknown_actions_stay_unknown() {
    let snapshot = snapshot(
        r#"{"NetworkAcls":[{"NetworkAclId":"acl-1","VpcId":"vpc-1","IsDefault":true,
            "Associations":[{"SubnetId":"subnet-1"}],"Entries":[
            {"RuleNumber":200,"Egress":false,"Protocol":"6","RuleAction":"Allow","CidrBlock":"10.0.0.0/8"},
            {"RuleNumber":"100","Egress":"false","Protocol":"1","RuleAction":"perhaps","CidrBlock":"0.0.0.0/0","IcmpTypeCode":{"Type":8,"Code":-1}},
            {"RuleNumber":90,"Egress":true,"Protocol":"17","RuleAction":"deny","Ipv6CidrBlock":"::/0","PortRange":{"From":53,"To":53}}]}]}"#,
    );
    let entries = &snapshot.acls.values().next().unwrap().entries;
    let order: Vec<_> = entries.iter().map(|entry| (entry.egress, entry.number)).collect();
    assert_eq!(order, [(false, 100), (false, 200), (true, 90)]);
    assert_eq!(entries[0].action, Action::Unknown);
    assert_eq!(entries[0].traffic, Traffic::Icmp { protocol: Protocol::ICMP, kind: Some(8), code: None });
    assert_eq!(entries[1].traffic, Traffic::Protocol(TCP));
    assert_eq!(entries[2].traffic, Traffic::Ports { protocol: Protocol::UDP, from: 53, to: 53 });
    assert_eq!(&*entries[0].source.pointer, "/NetworkAcls/0/Entries/1");
    assert!(snapshot.notices.iter().any(|notice| notice.message.contains("perhaps")));
}

#[test]
fn a_route_target_is_what_its_id_names() {
    let snapshot = snapshot(
        r#"{"VpcEndpoints":[{"VpcEndpointId":"odd-1","VpcEndpointType":"Gateway"}],
            "InternetGateways":[{"InternetGatewayId":"vgw-odd","Attachments":[]}],
            "RouteTables":[{"RouteTableId":"rtb-1","VpcId":"vpc-1",
              "Associations":[{"Main":true},{"SubnetId":"subnet-1","AssociationState":{"State":"associated"}},{"GatewayId":"vgw-odd"},{"PublicIpv4Pool":"pool-1"}],
              "Routes":[{"DestinationCidrBlock":"10.0.0.0/16","GatewayId":"local"},
                {"DestinationCidrBlock":"0.0.0.0/0","GatewayId":"vgw-odd"},
                {"DestinationPrefixListId":"pl-1","GatewayId":"odd-1"},
                {"DestinationIpv6CidrBlock":"::/0","GatewayId":"igw-9","State":"Blackhole"},
                {"DestinationCidrBlock":"10.1.0.0/16","NetworkInterfaceId":"eni-1","InstanceId":"i-1"},
                {"DestinationCidrBlock":"10.2.0.0/16","CoreNetworkArn":"arn:x"},
                {"DestinationCidrBlock":"10.3.0.0/16"},
                {"GatewayId":"strange"}]}]}"#,
    );
    let table = snapshot.route_tables.values().next().unwrap();
    let targets: Vec<_> = table.routes.iter().map(|route| &route.target).collect();
    assert_eq!(*targets[0], Target::Local);
    assert!(matches!(targets[1], Target::InternetGateway(Ref::Known(_))));
    assert!(matches!(targets[2], Target::Endpoint(Ref::Known(_))));
    assert_eq!(*targets[3], Target::InternetGateway(Ref::Missing("igw-9".into())));
    assert_eq!(table.routes[3].state.as_deref(), Some("blackhole"));
    assert_eq!(*targets[4], Target::Interface(Ref::Missing("eni-1".into())));
    assert_eq!(*targets[5], Target::Unmodelled { field: "CoreNetworkArn".into(), id: "arn:x".into() });
    assert_eq!(*targets[6], Target::Unmodelled { field: "none".into(), id: "".into() });
    assert_eq!(*targets[7], Target::Unmodelled { field: "GatewayId".into(), id: "strange".into() });
    assert_eq!(table.routes[7].destination, Destination::Unknown);
    assert!(matches!(table.associations[2].target, AssociationTarget::InternetGateway(Ref::Known(_))));
    assert_eq!(table.associations[3].target, AssociationTarget::PublicPool("pool-1".into()));
    assert_eq!(&*table.routes[2].source.pointer, "/RouteTables/0/Routes/2");
}

const INTERFACE: &str = r#""NetworkInterfaces":[{"NetworkInterfaceId":"eni-1","VpcId":"vpc-1","SubnetId":"subnet-1",
    "InterfaceType":"nat_gateway","Attachment":{"InstanceId":"i-1","DeviceIndex":0},"Groups":[],
    "PrivateIpAddress":"10.0.0.10","Association":{"PublicIp":"198.51.100.1"},
    "PrivateIpAddresses":[{"PrivateIpAddress":"10.0.0.5","Association":{"PublicIp":"198.51.100.5"}},
      {"PrivateIpAddress":"10.0.0.10","Primary":true,"Association":{"PublicIp":"198.51.100.1"}}],
    "Ipv6Addresses":[{"Ipv6Address":"2001:db8::2"},{"Ipv6Address":"2001:db8::1"}],
    "Ipv4Prefixes":[{"Ipv4Prefix":"10.0.0.16/28"}]}]"#;

#[test]
fn addresses_stand_primary_first() {
    let snapshot = snapshot(&format!("{{{INTERFACE}}}"));
    let interface = snapshot.interfaces.values().next().unwrap();
    let shown: Vec<_> =
        interface.addresses.iter().map(|address| (address.ip.to_string(), address.primary)).collect();
    let expected = [("10.0.0.10", true), ("2001:db8::2", true), ("10.0.0.5", false), ("2001:db8::1", false)];
    assert_eq!(shown, expected.map(|(ip, primary)| (ip.to_owned(), primary)));
    assert_eq!(interface.kind.as_deref(), Some("natgateway"));
    assert_eq!(interface.prefixes, ["10.0.0.16/28".parse().unwrap()]);
    assert_eq!(interface.groups.as_deref(), Some(&[][..]));
}

#[test]
fn public_addresses_are_the_union_with_the_best_evidence() {
    let instance = r#""Reservations":[{"OwnerId":"1","Instances":[{"InstanceId":"i-1","PublicIpAddress":"198.51.100.9",
        "SourceDestCheck":false,"State":{"Name":"running"},
        "NetworkInterfaces":[{"NetworkInterfaceId":"eni-1","Attachment":{"DeviceIndex":0},"Association":{"PublicIp":"198.51.100.1"}}]}]}]"#;
    let address = r#""Addresses":[{"PublicIp":"198.51.100.7","NetworkInterfaceId":"eni-1","PrivateIpAddress":"10.0.0.20"},
        {"PublicIp":"198.51.100.8","CarrierIp":"198.51.100.6","InstanceId":"i-1"},{"PublicIp":"198.51.100.99"}]"#;
    let snapshot = snapshot(&format!("{{{instance},{address},{INTERFACE}}}"));
    let interface = snapshot.interfaces.values().next().unwrap();
    let ip = |last: u8| Ipv4Addr::new(198, 51, 100, last);
    let private = |last: u8| Ipv4Addr::new(10, 0, 0, last);
    let shown: Vec<_> = interface.public.iter().map(|p| (p.public, p.private, p.evidence)).collect();
    use AssociationEvidence::{Carrier, Direct, Indirect};
    let expected = [
        (ip(1), private(10), Direct),
        (ip(5), private(5), Direct),
        (ip(6), private(10), Carrier),
        (ip(7), private(20), Direct),
        (ip(8), private(10), Direct),
        (ip(9), private(10), Indirect),
    ];
    assert_eq!(shown, expected);
    assert_eq!(
        interface.source_dest_check,
        Some(false),
        "the instance's flag holds for its primary interface"
    );
    let instance = snapshot.instances.values().next().unwrap();
    assert_eq!(instance.interfaces.len(), 1);
    assert_eq!(
        interface.attachment.as_ref().unwrap().instance,
        Some(Ref::Known(snapshot.instances.ids().next().unwrap()))
    );
}

#[test]
fn interfaces_of_instances_stand_in_for_a_missing_answer() {
    let snapshot = snapshot(
        r#"{"Reservations":[{"Instances":[{"InstanceId":"i-1","NetworkInterfaces":[{"NetworkInterfaceId":"eni-7",
            "VpcId":"vpc-1","SubnetId":"subnet-1","PrivateIpAddress":"10.0.0.4","Groups":[{"GroupId":"sg-1"}],
            "Association":{"PublicIp":"198.51.100.4"},"Attachment":{"DeviceIndex":0,"Status":"attached"}}]}]}]}"#,
    );
    let interface = snapshot.interfaces.values().next().unwrap();
    assert_eq!(interface.addresses[0].ip, IpAddr::V4(Ipv4Addr::new(10, 0, 0, 4)));
    assert_eq!(interface.public[0].evidence, AssociationEvidence::Direct);
    assert_eq!(&*interface.label, "instance");
    assert_eq!(&*interface.meta.source.pointer, "/Reservations/0/Instances/0/NetworkInterfaces/0");
    assert!(!snapshot.scopes.values().next().unwrap().collected("ec2 describe-network-interfaces"));
}

#[test]
fn both_sides_of_a_transit_gateway_peering_are_kept() {
    let side = |region: &str, own: &str, other: &str, table: &str| {
        let tgw = format!(r#"{{"TransitGateways":[{{"TransitGatewayId":"{own}"}}]}}"#);
        let attachment = format!(
            r#"{{"TransitGatewayAttachments":[{{"TransitGatewayAttachmentId":"tgw-attach-p","TransitGatewayId":"{own}",
                "ResourceType":"peering","ResourceId":"{other}","State":"available",
                "Association":{{"TransitGatewayRouteTableId":"{table}","State":"associated"}}}}]}}"#
        );
        let tables = format!(
            r#"{{"TransitGatewayRouteTables":[{{"TransitGatewayRouteTableId":"{table}","TransitGatewayId":"{own}"}}]}}"#
        );
        let routes = r#"{"Routes":[{"DestinationCidrBlock":"10.0.0.0/8","Type":"static","State":"active","TransitGatewayAttachments":[{"TransitGatewayAttachmentId":"tgw-attach-p","ResourceType":"peering"}]}],"AdditionalRoutesAvailable":false}"#;
        [
            input(&format!("{region}/tgw.json"), &tgw),
            input(&format!("{region}/attachments.json"), &attachment),
            input(&format!("{region}/tables.json"), &tables),
            input(&format!("{region}/search-transit-gateway-routes__{table}.json"), routes),
        ]
    };
    let files = [side("eu-west-1", "tgw-1", "tgw-2", "rtb-1"), side("us-east-1", "tgw-2", "tgw-1", "rtb-2")];
    let snapshot = load(files.into_iter().flatten().collect()).unwrap();
    let (ids, sides): (Vec<_>, Vec<_>) = snapshot.attachments.iter().unzip();
    assert_eq!(sides.len(), 2);
    for (at, other) in [(0, 1), (1, 0)] {
        let peer = sides[at].peer.as_ref().unwrap();
        assert_eq!(peer.attachment, Some(Ref::Known(ids[other])));
        let table = &snapshot.tgw_tables[sides[at].associations[0].table.known().unwrap()];
        assert_eq!(table.routes.as_ref().unwrap()[0].attachments, [Ref::Known(ids[at])]);
        assert!(!table.truncated);
    }
}

#[test]
fn transit_answers_about_one_table_take_it_from_the_file_name_or_the_wrapper() {
    let snapshot = read(&[
        ("get-transit-gateway-route-table-propagations__rtb-1.json", r#"{"TransitGatewayRouteTablePropagations":[{"TransitGatewayAttachmentId":"a","State":"enabled"}]}"#),
        ("get-transit-gateway-route-table-associations__rtb-1.json", r#"{"Associations":[{"TransitGatewayAttachmentId":"a","State":"associated"}]}"#),
        ("search-transit-gateway-routes__rtb-1.json", r#"{"AdditionalRoutesAvailable":true,"Routes":[]}"#),
        ("vpc.json", r#"{"TransitGatewayVpcAttachments":[{"TransitGatewayAttachmentId":"a","TransitGatewayId":"tgw-1","VpcId":"vpc-1","SubnetIds":["subnet-1"],"Options":{"ApplianceModeSupport":"enable"}}]}"#),
        ("static.json", r#"{"TransitGatewayStaticRoutes":[{"TransitGatewayRouteTableId":"rtb-2","Routes":[{"DestinationCidrBlock":"10.0.0.0/8","State":"blackhole"}]}]}"#),
    ])
    .unwrap();
    let tables: Vec<_> = snapshot.tgw_tables.values().collect();
    assert_eq!(tables.len(), 2);
    assert_eq!(tables[0].propagations.as_ref().unwrap().len(), 1);
    assert_eq!((tables[0].routes.as_deref(), tables[0].truncated), (Some(&[][..]), true));
    assert_eq!(tables[1].routes, None);
    let fixed = &tables[1].static_routes.as_ref().unwrap()[0];
    assert_eq!(&*fixed.source.pointer, "/TransitGatewayStaticRoutes/0/Routes/0");
    let attachment = snapshot.attachments.values().next().unwrap();
    assert_eq!((&*attachment.kind, attachment.associations.len()), ("vpc", 1));
    assert!(attachment.vpc.as_ref().unwrap().appliance_mode);
}

#[test]
fn prefix_lists_are_resolved_by_either_call() {
    let snapshot = read(&[
        ("describe-managed-prefix-lists.json", r#"{"PrefixLists":[{"PrefixListId":"pl-1","PrefixListName":"com.amazonaws.x.s3","OwnerId":"AWS"},{"PrefixListId":"pl-2","OwnerId":"1"},{"PrefixListId":"pl-4","OwnerId":"1"}]}"#),
        ("describe-prefix-lists.json", r#"{"PrefixLists":[{"PrefixListId":"pl-1","PrefixListName":"com.amazonaws.x.s3","Cidrs":["198.51.100.0/24"]}]}"#),
        ("get-managed-prefix-list-entries__pl-2.json", r#"{"Entries":[{"Cidr":"10.0.0.0/8"}],"NextToken":"more"}"#),
        ("get-managed-prefix-list-entries__pl-3.json", r#"{"Entries":[{"Cidr":"10.0.0.0/8"}],"NextToken":null}"#),
        ("get-managed-prefix-list-entries.json", r#"{"Entries":[{"Cidr":"10.0.0.0/8"}]}"#),
    ])
    .unwrap();
    let lists: Vec<_> = snapshot
        .prefix_lists
        .values()
        .map(|list| (list.aws_managed, list.entries.as_ref().map(Vec::len)))
        .collect();
    assert_eq!(lists, [(true, Some(1)), (false, None), (false, Some(1)), (false, None)]);
    assert!(snapshot.notices.iter().any(|notice| notice.message.contains("does not say what was asked")));
}

/// R-DATA-9: an answer about one thing does not make a call complete that asks about all.
#[test]
fn an_answer_about_one_thing_completes_no_call_about_all() {
    let groups = r#"{"TargetGroups":[]}"#;
    let of = |names: &[&str]| {
        let files: Vec<_> = names
            .iter()
            .map(|name| (*name, groups))
            .chain([
                ("ec2_describe-vpcs__vpc-1.json", r#"{"Vpcs":[]}"#),
                ("ec2_search-transit-gateway-routes__rtb-1.json", r#"{"Routes":[]}"#),
            ])
            .collect();
        read(&files).unwrap().scopes.values().next().unwrap().clone()
    };
    let one = of(&["elbv2_describe-target-groups__one.json"]);
    assert!(!one.calls.contains_key("elbv2 describe-target-groups"));
    assert_eq!(one.calls.get("ec2 describe-vpcs"), Some(&CallStatus::Truncated));
    assert!(one.collected("ec2 search-transit-gateway-routes"));
    let both = of(&["elbv2_describe-target-groups__one.json", "elbv2_describe-target-groups.json"]);
    assert!(both.collected("elbv2 describe-target-groups"));
}

#[test]
fn primary_blocks_stand_first_and_old_answers_lack_the_set() {
    let snapshot = snapshot(
        r#"{"Vpcs":[{"VpcId":"vpc-1","CidrBlock":"10.1.0.0/16","CidrBlockAssociationSet":[
              {"CidrBlock":"10.0.0.0/16","CidrBlockState":{"State":"failed"}},{"CidrBlock":"10.1.0.0/16","CidrBlockState":{"State":"associated"}}],
              "Ipv6CidrBlockAssociationSet":[{"Ipv6CidrBlock":"2001:db8::/56","Ipv6CidrBlockState":{"State":"associated"},"Ipv6AddressAttribute":"public"}]},
             {"VpcId":"vpc-2","CidrBlock":"10.2.0.0/16"}],
            "Subnets":[{"SubnetId":"subnet-1","VpcId":"vpc-1","CidrBlock":""},{"SubnetId":"subnet-2","VpcId":"vpc-1","CidrBlock":"10.1.0.0/24"},
             {"SubnetId":"subnet-3","VpcId":"vpc-1","CidrBlock":"10.1.0.128/25"},{"SubnetId":"subnet-4","VpcId":"vpc-9","CidrBlock":"10.1.0.0/24"}]}"#,
    );
    let vpcs: Vec<_> = snapshot
        .vpcs
        .values()
        .map(|vpc| vpc.cidrs.iter().map(|c| c.cidr.to_string()).collect::<Vec<_>>())
        .collect();
    assert_eq!(vpcs, [vec!["10.1.0.0/16", "10.0.0.0/16", "2001:db8::/56"], vec!["10.2.0.0/16"]]);
    let notices: Vec<_> =
        snapshot.notices.iter().map(|notice| (&*notice.resource, &*notice.message)).collect();
    assert!(notices.iter().any(|(id, text)| *id == "subnet-4" && text.contains("vpc-9")), "{notices:?}");
    assert_eq!(notices.len(), 1, "{notices:?}");
    let gaps: Vec<_> = snapshot.gaps.iter().map(|gap| (&*gap.resource, &*gap.why)).collect();
    assert!(matches!(&gaps[..], [("subnet-3", why)] if why.contains("overlaps")), "{gaps:?}");
}

#[test]
fn settings_belong_to_the_account_and_region() {
    let snapshot = snapshot(
        r#"{"VpcBlockPublicAccessOptions":{"AwsAccountId":"111111111111","AwsRegion":"eu-west-1","State":"update-complete","InternetGatewayBlockMode":"block-ingress"},
            "VpcBlockPublicAccessExclusions":[{"ExclusionId":"x","InternetGatewayExclusionMode":"allow-egress","ResourceArn":"arn:aws:ec2:eu-west-1:111111111111:subnet/subnet-1","State":"create-complete"}],
            "PublicIpv4Pools":[{"PoolId":"p","PoolAddressRanges":[{"FirstAddress":"198.51.100.0","LastAddress":"198.51.100.2"}]}]}"#,
    );
    let scope = snapshot.scopes.values().next().unwrap();
    assert_eq!((&*scope.account, &*scope.region), ("111111111111", "eu-west-1"));
    assert_eq!(&*scope.block_public_access.as_ref().unwrap().mode, "block-ingress");
    assert_eq!(&*scope.bpa_exclusions[0].resource, "subnet-1");
    assert_eq!(
        scope.public_pools[0].ranges,
        ["198.51.100.0/31".parse().unwrap(), "198.51.100.2/32".parse().unwrap()]
    );
}

#[test]
fn rules_with_address_bits_behind_the_prefix_are_unknown() {
    let rules = groups(r#"{"IpProtocol":"-1","IpRanges":[{"CidrIp":"10.0.0.1/8"}]}"#);
    assert_eq!(rules[0].peer, GroupPeer::Unknown);
}

#[test]
fn an_id_described_twice_in_one_answer_is_ambiguous() {
    let snapshot = snapshot(
        r#"{"Vpcs":[{"VpcId":"vpc-1","CidrBlock":"10.0.0.0/16"},{"VpcId":"vpc-1","CidrBlock":"10.1.0.0/16"},{"VpcId":"vpc-2"},{"VpcId":"vpc-2"}],
            "Subnets":[{"SubnetId":"a","VpcId":"vpc-1"},{"SubnetId":"b","VpcId":"vpc-2"}]}"#,
    );
    assert_eq!(snapshot.vpcs.len(), 3);
    let vpcs: Vec<_> = snapshot.subnets.values().map(|subnet| subnet.vpc.known().is_some()).collect();
    assert_eq!(vpcs, [false, true]);
    assert!(snapshot.gaps.iter().any(|gap| gap.why.contains("several times")));
}

#[test]
fn policy_table_entries_keep_their_order() {
    let snapshot = read(&[
        ("tables.json", r#"{"TransitGatewayPolicyTables":[{"TransitGatewayPolicyTableId":"ptb-1","TransitGatewayId":"tgw-1"}]}"#),
        ("get-transit-gateway-policy-table-entries__ptb-1.json", r#"{"TransitGatewayPolicyTableEntries":[
            {"PolicyRuleNumber":"20","PolicyRule":{"Protocol":"*"},"TargetRouteTableId":"y"},
            {"PolicyRuleNumber":"3","PolicyRule":{"Protocol":"6","DestinationPortRange":"80-90","SourceCidrBlock":"10.0.0.0/8"},"TargetRouteTableId":"x"},
            {"PolicyRuleNumber":"*","PolicyRule":{"DestinationPortRange":"odd"},"TargetRouteTableId":"z"}]}"#),
    ])
    .unwrap();
    let entries = snapshot.policy_tables.values().next().unwrap().entries.as_ref().unwrap();
    let order: Vec<_> = entries.iter().map(|entry| (&*entry.number, entry.unreadable)).collect();
    assert_eq!(order, [("*", true), ("3", false), ("20", false)]);
    assert_eq!((entries[1].protocol, entries[1].ports), (Some(TCP), Some((80, 90))));
}

/// What a pool of so many threads makes of the files.
fn read_by(threads: usize, files: &[Input]) -> Result<Snapshot, LoadError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| load(files.to_vec()))
}

/// 60 files of 50 interfaces each: several portions of them, and each with a notice about its group.
fn many_files() -> Vec<Input> {
    let interface = |file: usize, at: usize| {
        let id = (at * 60 + file) * 7919 % 3000;
        format!(r#"{{"NetworkInterfaceId":"eni-{id}","Groups":[{{"GroupId":"sg-{id}"}}]}}"#)
    };
    let file = |file: usize| {
        let items: Vec<String> = (0..50).map(|at| interface(file, at)).collect();
        let json = format!(r#"{{"NetworkInterfaces":[{}],"SecurityGroups":[]}}"#, items.join(","));
        input(&format!("{file:02}.json"), &json)
    };
    (0..60).map(file).collect()
}

#[test]
fn any_number_of_threads_reads_the_same() {
    let files = many_files();
    let one = read_by(1, &files).unwrap();
    assert_eq!((one.interfaces.len(), one.notices.len()), (3000, 3000));
    let ids: Vec<&str> = one.interfaces.values().map(|interface| &*interface.meta.id).collect();
    assert!(ids.is_sorted(), "{ids:?}");
    for threads in [2, 3, 8] {
        assert_eq!(read_by(threads, &files).unwrap(), one, "{threads} threads");
    }
}

#[test]
fn any_number_of_threads_finds_the_first_error() {
    let mut files = many_files();
    for at in [20, 21, 40, 59] {
        files[at].bytes.truncate(100 + at);
    }
    let mut expected = read_by(1, &files).unwrap_err();
    assert!(expected.to_string().starts_with("20.json:1:120: "), "{expected}");
    for threads in [2, 3, 8] {
        assert_eq!(read_by(threads, &files).unwrap_err(), expected, "{threads} threads");
    }
    let mut files = many_files();
    for at in [50, 10, 30] {
        let text = String::from_utf8(files[at].bytes.clone()).unwrap();
        files[at].bytes = text.replace(r#""Groups""#, r#""PrivateIpAddress":"nowhere","Groups""#).into();
    }
    expected = read_by(1, &files).unwrap_err();
    for threads in [2, 3, 8] {
        assert_eq!(read_by(threads, &files).unwrap_err(), expected, "{threads} threads");
    }
}

/// Some of their keys are those of answers, too.
#[test]
fn plans_and_templates_are_not_left_out_in_silence() {
    let answers = ("a.json", r#"{"Vpcs":[{"VpcId":"vpc-1"}]}"#);
    let refused = |text| read(&[answers, ("b.json", text)]).map(|_| ()).unwrap_err().to_string();
    let template = refused(r#"{"Resources":{"Vpc":{"Type":"AWS::EC2::VPC"}},"Parameters":{},"Rules":{}}"#);
    assert!(
        template.contains("b.json") && template.contains("found a CloudFormation template"),
        "{template}"
    );
    let plan = refused(r#"{"format_version":"1.2","terraform_version":"1.9.0","planned_values":{}}"#);
    assert!(plan.contains("found a Terraform plan"), "{plan}");
    assert!(read(&[answers, ("b.json", r#"{"Resources":[{"Arn":"arn:aws:s3:::b"}]}"#)]).is_ok());
}
