//! Folder layouts, several accounts and Regions, pages, manifests: what scopes and calls a set of files gives.

#![expect(clippy::unwrap_used, reason = "a helper of tests, which the lint does not see as such")]

use reachproof_model::ingest::{Input, load};
use reachproof_model::snapshot::{CallStatus, Snapshot};

fn snapshot(files: &[(&str, &str)]) -> Snapshot {
    let input =
        |(name, json): &(&str, &str)| Input { name: (*name).to_owned(), bytes: json.as_bytes().to_vec() };
    load(files.iter().map(input).collect()).unwrap()
}

fn scopes(snapshot: &Snapshot) -> Vec<String> {
    snapshot.scopes.values().map(|scope| format!("{}/{}", scope.account, scope.region)).collect()
}

fn status(snapshot: &Snapshot, call: &str) -> Option<CallStatus> {
    snapshot.scopes.values().next().unwrap().calls.get(call).copied()
}

const VPCS: &str = r#"{"Vpcs":[{"VpcId":"vpc-1","CidrBlock":"10.0.0.0/16","OwnerId":"111111111111"}]}"#;
const SUBNETS: &str = r#"{"Subnets":[{"SubnetId":"subnet-1","VpcId":"vpc-1","CidrBlock":"10.0.0.0/24","AvailabilityZone":"eu-west-1b","OwnerId":"111111111111"}]}"#;
const NO_ACLS: &str = r#"{"NetworkAcls":[]}"#;

#[test]
fn folders_scope_what_lies_below() {
    let account = snapshot(&[("123456789012/us-east-1/ec2_describe-vpcs.json", VPCS)]);
    assert_eq!(scopes(&account), ["123456789012/us-east-1"]);
    let accounts = snapshot(&[
        ("x/accounts/42/us-east-1/Vpcs.json", VPCS),
        ("x/accounts/7/us-east-1/NetworkAcls.json", NO_ACLS),
    ]);
    assert_eq!(scopes(&accounts), ["42/us-east-1", "7/us-east-1"]);
    let region = snapshot(&[
        ("demo/us-east-1/ec2-describe-vpcs.json", VPCS),
        ("demo/us-west-2/ec2-describe-network-acls.json", NO_ACLS),
    ]);
    assert_eq!(scopes(&region), ["111111111111/us-east-1", "111111111111/us-west-2"]);
}

#[test]
fn without_folders_owners_and_zones_tell() {
    let flat = snapshot(&[
        ("describe-vpcs.json", VPCS),
        ("describe-subnets.json", SUBNETS),
        ("describe-network-acls.json", NO_ACLS),
    ]);
    assert_eq!(scopes(&flat), ["111111111111/eu-west-1"]);
    assert_eq!(status(&flat, "ec2 describe-network-acls"), Some(CallStatus::Collected));
}

#[test]
fn the_caller_counts_more_than_owners_of_shared_networks() {
    let caller = r#"{"UserId":"U","Account":"222222222222","Arn":"arn:aws:iam::222222222222:user/u"}"#;
    let shared = snapshot(&[
        ("describe-vpcs.json", VPCS),
        ("describe-subnets.json", SUBNETS),
        ("sts_get-caller-identity.json", caller),
    ]);
    assert_eq!(scopes(&shared), ["222222222222/eu-west-1"]);
    let instance = r#"{"Reservations":[{"OwnerId":"333333333333","Instances":[{"InstanceId":"i-1","State":{"Name":"running"}}]}]}"#;
    let shared = snapshot(&[("describe-subnets.json", SUBNETS), ("describe-instances.json", instance)]);
    assert_eq!(scopes(&shared), ["333333333333/eu-west-1"]);
}

#[test]
fn two_accounts_in_one_folder_stay_apart() {
    let instance = |account, id| {
        format!(r#"{{"Reservations":[{{"OwnerId":"{account}","Instances":[{{"InstanceId":"{id}"}}]}}]}}"#)
    };
    let files = [("a.json", instance("1", "i-1")), ("b.json", instance("2", "i-2"))];
    let files: Vec<_> = files.iter().map(|(name, json)| (*name, json.as_str())).collect();
    assert_eq!(scopes(&snapshot(&files)), ["1/", "2/"]);
}

#[test]
fn pages_merge_and_a_token_left_over_is_noticed() {
    let page = |id: &str, token: &str| format!(r#"{{"NextToken":{token},"Vpcs":[{{"VpcId":"{id}"}}]}}"#);
    let (first, last) = (page("vpc-1", "\"more\""), page("vpc-2", "null"));
    let whole = snapshot(&[("vpcs-1.json", &first), ("vpcs-2.json", &last)]);
    assert_eq!(whole.vpcs.len(), 2);
    assert_eq!(status(&whole, "ec2 describe-vpcs"), Some(CallStatus::Collected));
    let part = snapshot(&[("vpcs-1.json", &first)]);
    assert_eq!(status(&part, "ec2 describe-vpcs"), Some(CallStatus::Truncated));
    let pages = snapshot(&[("describe-vpcs__1.json", &first), ("describe-vpcs__2.json", &last)]);
    assert_eq!(status(&pages, "ec2 describe-vpcs"), Some(CallStatus::Collected));
}

#[test]
fn a_call_about_several_parents_is_as_good_as_its_worst_answer() {
    let routes =
        |more: bool| format!(r#"{{"Routes":[],"NextToken":{}}}"#, if more { "\"x\"" } else { "null" });
    let (good, bad) = (routes(false), routes(true));
    let both = snapshot(&[
        ("search-transit-gateway-routes__rtb-1.json", &good),
        ("search-transit-gateway-routes__rtb-2.json", &bad),
    ]);
    assert_eq!(status(&both, "ec2 search-transit-gateway-routes"), Some(CallStatus::Truncated));
    let truncated: Vec<_> = both.tgw_tables.values().map(|table| table.truncated).collect();
    assert_eq!(truncated, [false, true]);
}

#[test]
fn a_manifest_tells_refused_from_empty() {
    let manifest = r#"{"format":"aws-cli-snapshot/0","account":"123456789012","region":"us-east-1","calls":[
        {"service":"ec2","operation":"describe-network-acls","result":"refused","suffix":""},
        {"service":"ec2","operation":"describe-vpcs","result":"ok","suffix":""},
        {"service":"elbv2","operation":"describe-load-balancers","result":"ok","suffix":""}]}"#;
    let snapshot =
        snapshot(&[("manifest.json", manifest), ("123456789012/us-east-1/ec2_describe-vpcs.json", VPCS)]);
    assert_eq!(scopes(&snapshot), ["123456789012/us-east-1"]);
    assert_eq!(status(&snapshot, "ec2 describe-network-acls"), Some(CallStatus::Refused));
    assert_eq!(status(&snapshot, "ec2 describe-vpcs"), Some(CallStatus::Collected));
    assert_eq!(status(&snapshot, "elbv2 describe-load-balancers"), None, "the answer is not there");
}

#[test]
fn the_order_of_files_does_not_matter() {
    let mut files = vec![
        ("b/eu-west-1/vpcs.json", r#"{"Vpcs":[{"VpcId":"vpc-9"},{"VpcId":"vpc-3"}]}"#),
        ("a/eu-west-1/vpcs.json", r#"{"Vpcs":[{"VpcId":"vpc-5"}]}"#),
        ("a/eu-west-1/subnets.json", SUBNETS),
        (
            "c.json",
            r#"{"VpcPeeringConnections":[{"VpcPeeringConnectionId":"pcx-1","RequesterVpcInfo":{"VpcId":"vpc-9"}}]}"#,
        ),
    ];
    let first = snapshot(&files);
    for _ in 0..files.len() {
        files.rotate_left(1);
        assert_eq!(snapshot(&files), first);
    }
    files.swap(0, 2);
    assert_eq!(snapshot(&files).digest(), first.digest());
}

#[test]
fn the_digest_does_not_depend_on_how_facts_are_spread_over_files() {
    let apart = snapshot(&[("a/eu-west-1/x.json", VPCS), ("a/eu-west-1/y.json", SUBNETS)]);
    let together = format!("{},{}", VPCS.strip_suffix('}').unwrap(), SUBNETS.strip_prefix('{').unwrap());
    let together = snapshot(&[("b/eu-west-1/z.json", &together)]);
    assert_eq!(apart.digest(), together.digest());
    assert_ne!(apart, together);
}

#[test]
fn a_peering_connection_seen_from_both_accounts_is_one() {
    let seen = |cidr: &str, tag: &str| {
        format!(
            r#"{{"VpcPeeringConnections":[{{"VpcPeeringConnectionId":"pcx-1","Status":{{"Code":"active"}},"Tags":[{{"Key":"Name","Value":"{tag}"}}],
                "RequesterVpcInfo":{{"VpcId":"vpc-1","OwnerId":"111111111111","CidrBlock":"10.0.0.0/16"}},
                "AccepterVpcInfo":{{"VpcId":"vpc-2","OwnerId":"222222222222"{cidr}}}}}]}}"#
        )
    };
    let (one, two) = (seen("", "ours"), seen(r#","CidrBlock":"10.1.0.0/16""#, "theirs"));
    let files = [
        ("222222222222/eu-west-1/pcx.json", two.as_str()),
        ("111111111111/eu-west-1/pcx.json", one.as_str()),
    ];
    let snapshot = snapshot(&files);
    let peerings: Vec<_> = snapshot.peerings.values().collect();
    assert_eq!(peerings.len(), 1);
    assert_eq!(peerings[0].accepter.cidrs, ["10.1.0.0/16".parse().unwrap()]);
    assert_eq!(peerings[0].meta.name(), Some("ours"), "the requester owns it");
}
