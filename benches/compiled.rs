//! Writing and reading compiled snapshots of generated organisations; and loading a network from the JSON of its answers
//! against loading the compiled snapshot of it, both from memory.
//!
//! The networks of the comparison are instances with one interface each, 200 to a subnet, in security groups of a few rules.
//! Instances and interfaces have the fields that `aws` prints; then, as the hardest case, only those that are read.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a bench measures, prints, and stops where it cannot"
)]

mod common;

use std::time::Instant;

use common::clock::measured;
use common::line::{Amounts, ratio, row, speed};
use common::{each_size, on_threads, organisation};
use reachproof_model::compiled::{read_snapshot, write_snapshot};
use reachproof_model::ingest::{Input, load};
use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};
use serde_json::{Value, json};

/// Runs of which the fastest counts: whatever else the machine does makes a run longer.
const RUNS: usize = 9;
/// Interfaces of a subnet, and the subnets of a VPC.
const SUBNET: usize = 200;
const VPC: usize = 20;

const ACCOUNT: &str = "111111111111";

fn tags(name: String) -> Value {
    json!([{"Key": "Name", "Value": name}, {"Key": "env", "Value": "prod"}, {"Key": "team", "Value": "platform"}])
}

fn vpc_of(subnet: usize) -> String {
    format!("vpc-{:017x}", subnet / VPC)
}

fn vpc(index: usize) -> Value {
    json!({"VpcId": format!("vpc-{index:017x}"), "CidrBlock": format!("10.{}.0.0/16", index % 256), "State": "available",
        "OwnerId": ACCOUNT, "IsDefault": false, "Tags": tags(format!("vpc {index}")),
        "CidrBlockAssociationSet": [{"CidrBlock": format!("10.{}.0.0/16", index % 256),
            "AssociationId": format!("vpc-cidr-assoc-{index:017x}"), "CidrBlockState": {"State": "associated"}}]})
}

fn subnet(index: usize) -> Value {
    json!({"SubnetId": format!("subnet-{index:017x}"), "VpcId": vpc_of(index), "State": "available", "OwnerId": ACCOUNT,
        "CidrBlock": format!("10.{}.{}.0/24", (index / VPC) % 256, index % VPC), "AvailabilityZone": "us-east-1a",
        "AvailabilityZoneId": "use1-az1", "MapPublicIpOnLaunch": false, "Tags": tags(format!("subnet {index}"))})
}

fn route_table(index: usize) -> Value {
    json!({"RouteTableId": format!("rtb-{index:017x}"), "VpcId": vpc_of(index), "OwnerId": ACCOUNT, "Tags": [],
        "Associations": [{"Main": false, "RouteTableAssociationId": format!("rtbassoc-{index:017x}"),
            "SubnetId": format!("subnet-{index:017x}"), "AssociationState": {"State": "associated"}}],
        "Routes": [{"DestinationCidrBlock": format!("10.{}.0.0/16", (index / VPC) % 256), "GatewayId": "local",
            "Origin": "CreateRouteTable", "State": "active"}]})
}

fn group(index: usize) -> Value {
    let permission = |port: u32| {
        json!({"IpProtocol": "tcp", "FromPort": port, "ToPort": port,
        "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "inside"}, {"CidrIp": "192.0.2.0/24"}],
        "Ipv6Ranges": [], "PrefixListIds": [],
        "UserIdGroupPairs": [{"GroupId": format!("sg-{index:017x}"), "UserId": ACCOUNT}]})
    };
    json!({"GroupId": format!("sg-{index:017x}"), "GroupName": format!("group {index}"), "VpcId": vpc_of(index),
        "Description": "of a bench", "OwnerId": ACCOUNT, "Tags": tags(format!("group {index}")),
        "IpPermissions": [permission(443), permission(8080), permission(5432)],
        "IpPermissionsEgress": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}], "UserIdGroupPairs": []}]})
}

/// How much of an instance and an interface is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fields {
    /// What `aws` prints.
    All,
    /// What is read.
    Read,
}

/// The object with more fields, unless only those that are read are wanted.
fn with(mut object: Value, fields: Fields, more: Value) -> Value {
    if let (Fields::All, Some(object), Value::Object(more)) = (fields, object.as_object_mut(), more) {
        object.extend(more);
    }
    object
}

fn address(index: usize) -> String {
    let subnet = index / SUBNET;
    format!("10.{}.{}.{}", (subnet / VPC) % 256, subnet % VPC, index % SUBNET + 10)
}

fn host_name(index: usize) -> String {
    format!("ip-{}.ec2.internal", address(index).replace('.', "-"))
}

fn groups(index: usize) -> Value {
    let subnet = index / SUBNET;
    json!([{"GroupId": format!("sg-{subnet:017x}"), "GroupName": format!("group {subnet}")}])
}

fn attachment(index: usize, fields: Fields) -> Value {
    let read = json!({"DeviceIndex": 0, "Status": "attached"});
    with(
        read,
        fields,
        json!({"AttachmentId": format!("eni-attach-{index:017x}"), "DeleteOnTermination": true,
        "AttachTime": "2026-01-01T00:00:00+00:00", "NetworkCardIndex": 0}),
    )
}

fn interface(index: usize, fields: Fields) -> Value {
    let subnet = index / SUBNET;
    let mut attachment = attachment(index, fields);
    attachment["InstanceId"] = format!("i-{index:017x}").into();
    attachment["InstanceOwnerId"] = ACCOUNT.into();
    let read = json!({"NetworkInterfaceId": format!("eni-{index:017x}"), "SubnetId": format!("subnet-{subnet:017x}"),
        "VpcId": vpc_of(subnet), "OwnerId": ACCOUNT, "InterfaceType": "interface", "Status": "in-use", "Description": "",
        "SourceDestCheck": true, "RequesterManaged": false, "Ipv6Addresses": [], "Groups": groups(index),
        "PrivateIpAddresses": [{"Primary": true, "PrivateIpAddress": address(index)}],
        "TagSet": tags(format!("eni {index}")), "Attachment": attachment});
    with(
        read,
        fields,
        json!({"AvailabilityZone": "us-east-1a", "MacAddress": "02:00:00:00:00:01",
        "PrivateDnsName": host_name(index), "PrivateIpAddress": address(index), "Ipv6Prefixes": [], "Ipv4Prefixes": [],
        "PrivateIpAddresses": [{"Primary": true, "PrivateIpAddress": address(index), "PrivateDnsName": host_name(index)}]}),
    )
}

fn instance(index: usize, fields: Fields) -> Value {
    let subnet = index / SUBNET;
    let name = || tags(format!("instance {index}"));
    let own = json!({"NetworkInterfaceId": format!("eni-{index:017x}"), "Status": "in-use",
        "Attachment": attachment(index, fields)});
    let own = with(
        own,
        fields,
        json!({"Description": "", "Groups": groups(index), "Ipv6Addresses": [],
        "MacAddress": "02:00:00:00:00:01", "OwnerId": ACCOUNT, "PrivateDnsName": host_name(index),
        "PrivateIpAddress": address(index), "SourceDestCheck": true, "SubnetId": format!("subnet-{subnet:017x}"),
        "PrivateIpAddresses": [{"Primary": true, "PrivateIpAddress": address(index), "PrivateDnsName": host_name(index)}],
        "VpcId": vpc_of(subnet), "InterfaceType": "interface"}),
    );
    let read = json!({"InstanceId": format!("i-{index:017x}"), "State": {"Code": 16, "Name": "running"},
        "SubnetId": format!("subnet-{subnet:017x}"), "VpcId": vpc_of(subnet), "SourceDestCheck": true, "Tags": name(),
        "NetworkInterfaces": [own]});
    let all = with(
        read,
        fields,
        json!({"AmiLaunchIndex": 0, "ImageId": "ami-00000000000000001", "InstanceType": "m7g.large",
        "KeyName": "operations", "LaunchTime": "2026-01-01T00:00:00+00:00", "Monitoring": {"State": "disabled"},
        "Placement": {"AvailabilityZone": "us-east-1a", "GroupName": "", "Tenancy": "default"}, "ProductCodes": [],
        "PrivateDnsName": host_name(index), "PrivateIpAddress": address(index), "PublicDnsName": "",
        "StateTransitionReason": "", "Architecture": "arm64", "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {
            "AttachTime": "2026-01-01T00:00:00+00:00", "DeleteOnTermination": true, "Status": "attached",
            "VolumeId": format!("vol-{index:017x}")}}],
        "ClientToken": format!("{index:032x}"), "EbsOptimized": false, "EnaSupport": true, "Hypervisor": "xen",
        "RootDeviceName": "/dev/xvda", "RootDeviceType": "ebs", "SecurityGroups": groups(index),
        "VirtualizationType": "hvm", "CpuOptions": {"CoreCount": 2, "ThreadsPerCore": 1},
        "CapacityReservationSpecification": {"CapacityReservationPreference": "open"},
        "HibernationOptions": {"Configured": false}, "MetadataOptions": {"State": "applied", "HttpTokens": "required",
            "HttpPutResponseHopLimit": 2, "HttpEndpoint": "enabled", "HttpProtocolIpv6": "disabled",
            "InstanceMetadataTags": "disabled"},
        "EnclaveOptions": {"Enabled": false}, "PlatformDetails": "Linux/UNIX", "UsageOperation": "RunInstances",
        "UsageOperationUpdateTime": "2026-01-01T00:00:00+00:00", "PrivateDnsNameOptions": {"HostnameType": "ip-name",
            "EnableResourceNameDnsARecord": false, "EnableResourceNameDnsAAAARecord": false},
        "MaintenanceOptions": {"AutoRecovery": "default"}, "CurrentInstanceBootMode": "uefi"}),
    );
    json!({"ReservationId": format!("r-{index:017x}"), "OwnerId": ACCOUNT, "Groups": [], "Instances": [all]})
}

/// The answer to one call, as the AWS CLI prints it.
fn answer(call: &str, key: &str, count: usize, one: impl Fn(usize) -> Value) -> Input {
    let items: Vec<Value> = (0..count).map(one).collect();
    let mut bytes = Vec::new();
    let four_spaces = PrettyFormatter::with_indent(b"    ");
    let mut serializer = Serializer::with_formatter(&mut bytes, four_spaces);
    json!({ key: items }).serialize(&mut serializer).expect("values have a text");
    Input { name: format!("{ACCOUNT}/us-east-1/ec2_{call}.json"), bytes }
}

fn network(interfaces: usize, fields: Fields) -> Vec<Input> {
    let subnets = interfaces.div_ceil(SUBNET);
    vec![
        answer("describe-vpcs", "Vpcs", subnets.div_ceil(VPC), vpc),
        answer("describe-subnets", "Subnets", subnets, subnet),
        answer("describe-route-tables", "RouteTables", subnets, route_table),
        answer("describe-security-groups", "SecurityGroups", subnets, group),
        answer("describe-network-interfaces", "NetworkInterfaces", interfaces, |index| {
            interface(index, fields)
        }),
        answer("describe-instances", "Reservations", interfaces, |index| instance(index, fields)),
    ]
}

/// The time of the fastest run in milliseconds; what `prepare` does and what is dropped does not count.
fn fastest<P, R>(prepare: impl Fn() -> P, run: impl Fn(P) -> R) -> f64 {
    let times = (0..RUNS).map(|_| {
        let prepared = prepare();
        let start = Instant::now();
        let result = run(prepared);
        let elapsed = start.elapsed().as_secs_f64() * 1e3;
        drop(result);
        elapsed
    });
    times.fold(f64::INFINITY, f64::min)
}

fn compare(interfaces: usize, fields: Fields) {
    let files = network(interfaces, fields);
    let size: usize = files.iter().map(|file| file.bytes.len()).sum();
    let snapshot = load(files.clone()).expect("the answers are well-formed");
    let compiled = write_snapshot(&snapshot).expect("a snapshot has a binary form");
    assert!(read_snapshot("compiled", &compiled) == Ok(snapshot), "what is read is what was written");
    let shape = if fields == Fields::All { "all fields" } else { "only fields that are read" };
    for threads in [1, 2] {
        let from_json = on_threads(threads, || fastest(|| files.clone(), load));
        let from_compiled = on_threads(threads, || fastest(|| (), |()| read_snapshot("compiled", &compiled)));
        let text = format!(
            "{threads} threads, JSON with {shape} {:.1} MB {from_json:.1} ms, compiled {:.1} MB {from_compiled:.1} ms, \
             {:.1} times as fast",
            size as f64 / 1e6,
            compiled.len() as f64 / 1e6,
            from_json / from_compiled,
        );
        ratio("compiled", Amounts { interfaces, ..Amounts::default() }, &text);
    }
}

fn both(interfaces: u32) {
    for fields in [Fields::All, Fields::Read] {
        compare(interfaces as usize, fields);
    }
}

fn organisations(interfaces: u32, threads: usize) {
    let snapshot = organisation::snapshot(&organisation::planned(interfaces));
    let amounts = Amounts::of(&snapshot);
    let write = |()| write_snapshot(&snapshot).expect("a snapshot has a binary form");
    let (compiled, written) = measured(&format!("compile/{interfaces}/{threads}"), || (), write);
    row("compile", amounts, threads, written, &speed(compiled.len() as u64, written.seconds));
    let read = |()| read_snapshot("compiled", &compiled).expect("what was written is read");
    let (_, loaded) = measured(&format!("compiled/{interfaces}/{threads}"), || (), read);
    row("load compiled", amounts, threads, loaded, &speed(compiled.len() as u64, loaded.seconds));
}

fn main() {
    let single = |size| on_threads(1, || organisations(size, 1));
    let double = |size| on_threads(2, || organisations(size, 2));
    each_size(&[1_000, 10_000], &[single, double, both]);
}
