//! Selectors and trace points.

use super::*;

#[test]
fn selectors_are_unions_without_what_is_taken_away() {
    let selector = select("internet, i-1 , !name:bastion,tag:env=prod*");
    assert_eq!(
        selector.terms,
        [
            Term::Internet(None),
            Term::Id(pattern("i-1")),
            Term::Tag { key: "env".into(), value: Some(pattern("prod*")) }
        ]
    );
    assert_eq!(selector.except, [Term::Name(pattern("bastion"))]);
    assert_eq!(selector.to_string(), "internet, i-1 , !name:bastion,tag:env=prod*");
    assert!(!selector.allow_empty);
    assert!(select("i-1,allow-empty").allow_empty);
    assert_eq!(select("!i-1").terms, [Term::Any]);
}

#[test]
fn every_kind_of_term_is_read() {
    let check = |text: &str, term: Term| assert_eq!(select(text).terms, [term], "{text}");
    let range = |text: &str| text.parse::<ipnet::IpNet>().unwrap();
    let id = |text: &str| Term::Id(pattern(text));
    check("any", Term::Any);
    check("any-external", Term::AnyExternal);
    check("internet:203.0.113.5", Term::Internet(Some(range("203.0.113.5/32"))));
    check("internet:2001:db8::1", Term::Internet(Some(range("2001:db8::1/128"))));
    check("internet:203.0.113.0/24", Term::Internet(Some(range("203.0.113.0/24"))));
    check("onprem", Term::Onprem { gateway: None, addresses: None });
    check("onprem:192.168.0.5", Term::Onprem { gateway: None, addresses: Some(range("192.168.0.5/32")) });
    check("onprem:vgw-1", Term::Onprem { gateway: Some(pattern("vgw-1")), addresses: None });
    let beyond = |gateway: &str, addresses: &str| Term::Onprem {
        gateway: Some(pattern(gateway)),
        addresses: Some(range(addresses)),
    };
    check("vgw-1:192.168.0.5", beyond("vgw-1", "192.168.0.5/32"));
    check("vgw-1:2001:db8::1", beyond("vgw-1", "2001:db8::1/128"));
    check("VpnGatewayId:3:10.0.0.0/8", beyond("VpnGatewayId:3", "10.0.0.0/8"));
    check("onprem:vgw-1:10.0.0.0/8", beyond("vgw-1", "10.0.0.0/8"));
    check("SubnetId:27", id("SubnetId:27"));
    check("InstanceId:37", id("InstanceId:37"));
    check(
        "arn:aws:ec2:eu-west-1:123456789012:instance/i-1",
        id("arn:aws:ec2:eu-west-1:123456789012:instance/i-1"),
    );
    check("10.0.0.1", Term::Address(range("10.0.0.1/32")));
    check("2001:db8::/32", Term::Address(range("2001:db8::/32")));
    check("tag:Role", Term::Tag { key: "Role".into(), value: None });
    check(
        "tag:aws:autoscaling:groupName=a=b",
        Term::Tag { key: "aws:autoscaling:groupName".into(), value: Some(pattern("a=b")) },
    );
    check(r"name:a\,b", Term::Name(pattern("a,b")));
    check("service:sagemaker.api", Term::Service("sagemaker.api".into()));
    check("kind:rds", Term::Kind("rds".into()));
    check("plan:module.a.aws_instance.b[0]", Term::Plan("module.a.aws_instance.b[0]".into()));
    let new = |subnets: Term, groups: &[&str], public: bool| Term::New {
        subnets: Box::new(subnets),
        groups: groups.iter().map(|group| pattern(group)).collect(),
        public,
    };
    check("new:subnet-1", new(id("subnet-1"), &[], false));
    check("new:subnet-1+sg-1+sg-2+public", new(id("subnet-1"), &["sg-1", "sg-2"], true));
    check(
        "new:tag:Tier=private",
        new(Term::Tag { key: "Tier".into(), value: Some(pattern("private")) }, &[], false),
    );
}

#[test]
fn a_text_that_is_no_selector_says_why() {
    assert_eq!(no_selector(""), "expected a selector between commas, found nothing");
    assert_eq!(no_selector("allow-empty"), "expected a selector, found nothing");
    assert_eq!(no_selector("a,"), "expected a selector between commas, found nothing");
    assert_eq!(no_selector("!"), "expected a selector between commas, found nothing");
    assert_eq!(no_selector("!!a"), "expected a selector after `!`, found another `!`");
    assert_eq!(no_selector("!allow-empty"), "`allow-empty` cannot be taken away");
    assert_eq!(no_selector("name:"), "expected a value after `name:`, found nothing");
    assert_eq!(no_selector("tag:=x"), "expected a value after `tag:`, found nothing");
    assert_eq!(no_selector("internet:x"), "expected an address or CIDR after `internet:`, found `x`");
    assert_eq!(no_selector("new:internet"), "expected subnets after `new:`, found `internet`");
    assert_eq!(no_selector("new:subnet-1+"), "expected a security group after `+`, found nothing");
    assert_eq!(no_selector("name:[a"), "`[a` is not a glob: unclosed character class; missing ']'");
}

#[test]
fn trace_points_name_one_place() {
    let check = |text: &str, point: TracePoint| assert_eq!(trace_point(text).unwrap(), point, "{text}");
    let address = |text: &str| Some(text.parse().unwrap());
    check("internet", TracePoint::Internet(None));
    check("internet:203.0.113.5", TracePoint::Internet(address("203.0.113.5")));
    check("internet:2001:db8::1", TracePoint::Internet(address("2001:db8::1")));
    check("onprem:192.168.0.5", TracePoint::Beyond { gateway: None, address: address("192.168.0.5") });
    check(
        "vgw-1:192.168.0.5",
        TracePoint::Beyond { gateway: Some("vgw-1".into()), address: address("192.168.0.5") },
    );
    check("onprem:vgw-1", TracePoint::Beyond { gateway: Some("vgw-1".into()), address: None });
    for text in ["InstanceId:37", "10.0.0.5", "name:web", "internet,i-1"] {
        check(text, TracePoint::Selector(select(text)));
    }
    let message = |text: &str| trace_point(text).unwrap_err().to_string();
    assert_eq!(message("internet:10.0.0.0/8"), "a trace takes one address, found the range `10.0.0.0/8`");
    assert_eq!(message("10.0.0.0/8"), "a trace takes one address, found the range `10.0.0.0/8`");
    assert_eq!(message("vgw-*:10.0.0.1"), "a trace takes one gateway, found the glob `vgw-*`");
}
