//! Bad input: one line that says where, what was found and what was expected; never a panic.

#![expect(clippy::expect_used, reason = "a helper of tests, which the lint does not see as such")]

use reachproof_model::ingest::{Input, LoadError, load};

fn error_of(files: &[(&str, &[u8])]) -> LoadError {
    let input = |(name, bytes): &(&str, &[u8])| Input { name: (*name).to_owned(), bytes: bytes.to_vec() };
    load(files.iter().map(input).collect()).expect_err("expected an error")
}

fn check(json: &str, expected: &[&str]) {
    let message = error_of(&[("dir/in.json", json.as_bytes())]).to_string();
    for part in expected {
        assert!(message.contains(part), "`{part}` is not in `{message}`");
    }
    assert!(!message.contains('\n') && !message.contains("Shape"), "{message}");
}

#[test]
fn malformed_json_is_located() {
    check("{\"Vpcs\":[\n{\"VpcId\":\"vpc-1\"", &["dir/in.json:2:16", "EOF"]);
    check("{\"Vpcs\": nonsense}", &["dir/in.json:1:"]);
    check("{\"Vpcs\": []} trailing", &["dir/in.json:1:14"]);
}

#[test]
fn another_shape_is_told() {
    check(r#"{"Vpcs":{"VpcId":"vpc-1"}}"#, &["dir/in.json:1:", "expected a list"]);
    check(r#"{"Vpcs":["vpc-1"]}"#, &["expected a VPC"]);
    check(r#"{"RouteTables":[{"RouteTableId":"rtb-1","Routes":"none"}]}"#, &["expected a list"]);
    check("\"text\"", &["expected an answer of the AWS CLI"]);
}

#[test]
fn values_that_aws_never_prints_are_located_by_pointer() {
    let group =
        |rule: &str| format!(r#"{{"SecurityGroups":[{{"GroupId":"sg-1","IpPermissions":[{rule}]}}]}}"#);
    check(
        &group(r#"{"IpProtocol":"tcp","FromPort":443,"ToPort":70000}"#),
        &["dir/in.json#/SecurityGroups/0/IpPermissions/0", "70000", "0 to 65535"],
    );
    check(&group(r#"{"IpProtocol":"icmp","FromPort":256}"#), &["ICMP type 256", "0 to 255"]);
    check(&group(r#"{"IpProtocol":"300"}"#), &["protocol `300`"]);
    check(
        &group(r#"{"IpProtocol":"-1","IpRanges":[{"CidrIp":"10.0.0.0/33"}]}"#),
        &["/IpRanges/0", "10.0.0.0/33", "CIDR"],
    );
    check(r#"{"Vpcs":[{"CidrBlock":"10.0.0.0/16"}]}"#, &["dir/in.json#/Vpcs/0", "no `VpcId`"]);
    check(
        r#"{"NetworkInterfaces":[{"NetworkInterfaceId":"eni-1","PrivateIpAddress":"10.0.0.300"}]}"#,
        &["#/NetworkInterfaces/0/PrivateIpAddress", "10.0.0.300"],
    );
    check(
        r#"{"NetworkAcls":[{"NetworkAclId":"acl-1","Entries":[{"RuleNumber":100}]}]}"#,
        &["#/NetworkAcls/0/Entries/0", "Egress"],
    );
}

#[test]
fn other_encodings_are_named() {
    let utf16: Vec<u8> = "{\"Vpcs\":[]}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let with_mark = [&[0xFF, 0xFE], utf16.as_slice()].concat();
    for bytes in [utf16.as_slice(), &with_mark] {
        assert!(error_of(&[("in.json", bytes)]).to_string().contains("UTF-16"));
    }
    assert!(error_of(&[("in.json", b"")]).to_string().contains("empty"));
    assert!(error_of(&[("in.json", b"{\"Vpcs\":[{\"VpcId\":\"\xC3\x28\"}]}")]).to_string().contains("UTF-8"));
    let marked = Input { name: "in.json".to_owned(), bytes: b"\xEF\xBB\xBF{\"Vpcs\":[]}".to_vec() };
    assert!(load(vec![marked]).is_ok());
}

#[test]
fn nothing_known_is_an_error_and_strangers_among_answers_are_not() {
    assert!(error_of(&[]).is_nothing_known());
    let error = error_of(&[("a.json", b"{\"Buckets\":[]}"), ("b.json", b"[1]")]);
    assert!(error.is_nothing_known());
    assert!(error.to_string().contains("Buckets") && error.to_string().contains("`Vpcs`"), "{error}");
    let files = [("a.json", "{\"Buckets\":[]}"), ("b.json", "{\"Vpcs\":[]}")];
    let inputs = files.map(|(name, json)| Input { name: name.to_owned(), bytes: json.as_bytes().to_vec() });
    assert!(load(inputs.to_vec()).is_ok());
}

#[test]
fn two_answers_that_disagree_are_both_named() {
    let vpc = |block: &str| format!(r#"{{"Vpcs":[{{"VpcId":"vpc-1","CidrBlock":"{block}"}}]}}"#);
    let (one, two) = (vpc("10.0.0.0/16"), vpc("10.1.0.0/16"));
    let error = error_of(&[("a.json", one.as_bytes()), ("b.json", two.as_bytes())]);
    assert!(error.is_disagreement());
    let message = error.to_string();
    assert!(message.contains("a.json#/Vpcs/0") && message.contains("b.json#/Vpcs/0"), "{message}");
    let same =
        ["a.json", "b.json"].map(|name| Input { name: name.to_owned(), bytes: one.clone().into_bytes() });
    assert_eq!(load(same.to_vec()).unwrap().vpcs.len(), 1);
}

#[test]
fn deep_nesting_neither_overflows_nor_hangs() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let ignored = format!(r#"{{"Vpcs":[],"Other":{deep}}}"#);
    let input = Input { name: "in.json".to_owned(), bytes: ignored.into_bytes() };
    assert!(load(vec![input]).is_ok());
    let typed = format!(r#"{{"Vpcs":{deep}}}"#);
    let _error = error_of(&[("in.json", typed.as_bytes())]);
    let inventory = format!(r#"{{"LoadBalancers":[{{"VpcId":{deep}}}]}}"#);
    let input = Input { name: "in.json".to_owned(), bytes: inventory.into_bytes() };
    let _read = load(vec![input]);
}

#[test]
fn every_prefix_of_an_answer_is_an_error_or_a_snapshot() {
    let whole = r#"{"Subnets":[{"SubnetId":"s\u00e9","Ipv6CidrBlockAssociationSet":[{"Ipv6CidrBlock":"2001:db8::/64"}],"MapPublicIpOnLaunch":true}],"NextToken":null}"#;
    for end in 0..whole.len() {
        let input = Input { name: "in.json".to_owned(), bytes: whole.as_bytes()[..end].to_vec() };
        assert!(load(vec![input]).is_err(), "{end}");
    }
}
