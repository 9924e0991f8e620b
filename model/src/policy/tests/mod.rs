use jiff::civil::date;
use proptest::prelude::*;

mod selector;

use super::*;
use crate::flow::Protocol;

/// A policy file with these lines below its first.
fn file(body: &str) -> String {
    format!("reachproof: policy/v1\n{body}")
}

fn good(body: &str) -> Policy {
    Policy::parse("policy.yaml", file(body).as_bytes()).unwrap()
}

/// The message about a bad file; line 1 is the version.
fn bad(body: &str) -> String {
    bad_file(&file(body))
}

fn bad_file(text: &str) -> String {
    Policy::parse("policy.yaml", text.as_bytes()).unwrap_err().to_string()
}

/// A file whose only property has this body, its first line being line 4.
fn property(body: &str) -> String {
    format!("properties:\n  - name: p\n    {body}\n")
}

fn only(body: &str) -> Property {
    good(&property(body)).properties.remove(0)
}

fn ends(form: &Form) -> &Ends {
    match form {
        Form::Forbid(ends) | Form::Require(ends) | Form::RequireSome(ends) | Form::NoNew(ends) => ends,
        Form::OnlyThrough { ends, .. } => ends,
        Form::Isolate { .. } => panic!("`isolate` has sides, no ends"),
    }
}

fn select(text: &str) -> Selector {
    text.parse().unwrap()
}

fn no_selector(text: &str) -> String {
    text.parse::<Selector>().unwrap_err().to_string()
}

fn pattern(text: &str) -> Pattern {
    Pattern::parse(text).unwrap()
}

#[test]
fn the_example_of_the_contract_is_read() {
    let policy = good(
        "groups:
  ml: [tag:Role=ml, kind:sagemaker-notebook]
properties:
  - name: no-inbound-internet
    why: nothing on the internet can open a connection to an ML instance
    controls: [SecurityHub:EC2.9, NIST:SC-7]
    severity: high
    forbid: {from: internet, to: ml}
  - name: studio-calls-sagemaker
    require: {from: ml, to: service:sagemaker.api, port: tcp/443}
  - name: s3-only-through-the-endpoint
    only-through: {from: ml, to: service:s3, through: vpce-0abc}
  - name: bastion-only-ssh
    forbid: {from: any, to: ml, port: [tcp/22, tcp/3389], except-from: name:bastion}
  - name: dev-and-prod-apart
    isolate: {between: tag:env=prod, and: tag:env=dev}
waivers:
  - property: no-inbound-internet
    to: i-0legacy
    until: 2027-01-31
    owner: platform-team
    why: retired in January
",
    );
    let names: Vec<&str> = policy.properties.iter().map(|property| &*property.name).collect();
    assert_eq!(names[..2], ["no-inbound-internet", "studio-calls-sagemaker"]);
    let [inbound, studio, s3, ssh, apart] = policy.properties.as_slice() else { panic!() };

    assert_eq!(inbound.question, Question::Packet);
    assert_eq!(inbound.severity, Some(Severity::High));
    assert_eq!(inbound.controls, ["SecurityHub:EC2.9".into(), "NIST:SC-7".into()]);
    assert_eq!(inbound.place.to_string(), "policy.yaml:5:5");
    let [Term::Group { name, members }] = ends(&inbound.form).to.terms.as_slice() else { panic!() };
    assert_eq!(&**name, "ml");
    assert_eq!(
        members.terms,
        [
            Term::Tag { key: "Role".into(), value: Some(pattern("ml")) },
            Term::Kind("sagemaker-notebook".into())
        ]
    );

    assert_eq!(studio.question, Question::Connection);
    assert_eq!(studio.traffic, [TrafficSpec::Ports { protocol: Protocol::TCP, from: 443, to: 443 }]);
    let Form::OnlyThrough { through, .. } = &s3.form else { panic!() };
    assert_eq!(through.terms, [Term::Id(pattern("vpce-0abc"))]);
    assert_eq!(ssh.traffic.len(), 2);
    assert_eq!(ends(&ssh.form).except_from, Some(select("name:bastion")));
    assert_eq!(apart.form, Form::Isolate { between: select("tag:env=prod"), and: select("tag:env=dev") });

    let [waiver] = policy.waivers.as_slice() else { panic!() };
    assert!(waiver.applies_on(date(2027, 1, 31)));
    assert!(!waiver.applies_on(date(2027, 2, 1)));
    assert_eq!(waiver.to, Some(select("i-0legacy")));
}

#[test]
fn json_is_read_too() {
    let text = r#"{"reachproof": "policy/v1",
      "properties": [{"name": "p", "forbid": {"from": "internet", "to": ["!i-1", "vpc-1"]}}]}"#;
    let policy = Policy::parse("p.json", text.as_bytes()).unwrap();
    assert_eq!(ends(&policy.properties[0].form).to.except, [Term::Id(pattern("i-1"))]);
}

#[test]
fn every_form_has_its_default_question() {
    let question = |body: &str| only(body).question;
    assert_eq!(question("forbid: {from: internet, to: any}"), Question::Packet);
    assert_eq!(question("require: {from: internet, to: any}"), Question::Connection);
    assert_eq!(question("require-some: {from: internet, to: any}"), Question::Connection);
    assert_eq!(question("only-through: {from: any, to: internet, through: nat-1}"), Question::Packet);
    assert_eq!(question("isolate: {between: vpc-1, and: vpc-2}"), Question::Packet);
    assert_eq!(question("no-new: {}"), Question::Packet);
    assert_eq!(question("forbid: {from: internet, to: any, question: connection}"), Question::Connection);
    assert_eq!(question("require: {from: internet, to: any, question: packet}"), Question::Packet);
}

#[test]
fn options_of_a_property_are_read() {
    let property = only("forbid: {from: internet, to: any, including-replies: true, strict: true}");
    assert!(property.including_replies && property.strict);
    let property = only("forbid: {from: internet, to: {select: ml, allow-empty: true}}");
    assert!(ends(&property.form).to.allow_empty);
    let property = only("forbid: {from: internet, to: [ml, allow-empty]}");
    assert!(ends(&property.form).to.allow_empty);
    assert_eq!(ends(&property.form).to.terms, [Term::Id(pattern("ml"))]);
}

#[test]
fn traffic_is_a_sorted_union() {
    let traffic = |fields: &str| {
        let property = only(&format!("forbid: {{from: any, to: any, {fields}}}"));
        property.traffic.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(traffic("port: tcp/443"), "tcp/443");
    assert_eq!(traffic("ports: [udp/53, tcp/8000-8999, tcp/443, udp/53]"), "tcp/443 tcp/8000-8999 udp/53");
    assert_eq!(traffic("port: 'tcp/22, icmp/8'"), "tcp/22 icmp/8");
    assert_eq!(
        traffic("port: [icmp, icmp/3/4, icmpv6/128, tcp, protocol/47]"),
        "icmp tcp gre icmp/3/4 icmpv6/128"
    );
    assert_eq!(traffic("protocol: 89"), "protocol/89");
    assert_eq!(traffic("protocol: [tcp, udp], port: [53, 853-854]"), "tcp/53 tcp/853-854 udp/53 udp/853-854");
    assert_eq!(traffic("protocol: icmp, port: 8"), "icmp/8");
    assert_eq!(only("forbid: {from: any, to: any}").traffic, []);
}

#[test]
fn files_are_pooled() {
    let groups = PolicyFile { name: "groups.yaml", bytes: b"reachproof: policy/v1\ngroups: {ml: i-1}\n" };
    let waivers = PolicyFile {
        name: "waivers.yaml",
        bytes: b"reachproof: policy/v1\nwaivers: [{property: p, until: 2030-01-01, owner: o, why: w}]\n",
    };
    let body = file(&property("forbid: {from: internet, to: group:ml}"));
    let properties = PolicyFile { name: "properties.yaml", bytes: body.as_bytes() };
    let policy = Policy::read(&[waivers, properties, groups]).unwrap();
    assert_eq!(policy.waivers.len(), 1);
    let message = Policy::read(&[properties, groups, properties]).unwrap_err().to_string();
    assert_eq!(message, "properties.yaml:3:5: the property `p` is already defined at properties.yaml:3:5");
    let message = Policy::read(&[properties, groups, groups]).unwrap_err().to_string();
    assert_eq!(message, "groups.yaml:2:10: the group `ml` is already defined at groups.yaml:2:10");
}

#[test]
fn groups_may_name_groups_in_any_order() {
    let policy = good(
        "groups:\n  all: [ml, '!dev']\n  ml: tag:ml\n  dev: tag:env=dev\nproperties:\n  - name: p\n    forbid: {from: any, to: all}\n",
    );
    let all = &policy.groups["all"];
    assert!(matches!(all.terms.as_slice(), [Term::Group { name, .. }] if &**name == "ml"));
    assert!(matches!(all.except.as_slice(), [Term::Group { name, .. }] if &**name == "dev"));
}

#[test]
fn a_bad_file_says_where_what_and_what_else() {
    let cases = [
        (
            "propertys: []\n",
            "policy.yaml:2:1: unknown field `propertys` in a policy file; did you mean `properties`?",
        ),
        (
            "colours: []\n",
            "policy.yaml:2:1: unknown field `colours` in a policy file; expected one of `reachproof`, `groups`, `properties`, `waivers`",
        ),
        ("properties: []\n", "policy.yaml: expected at least one property, found none"),
        ("properties: {}\n", "policy.yaml:2:13: expected a list of properties, found a mapping"),
        (
            "properties:\n  - p\n",
            "policy.yaml:3:5: expected a property with the fields `name`, `why`, `controls`, `severity`, `forbid`, `require`, `require-some`, `only-through`, `isolate`, `no-new`, found `p`",
        ),
        (
            "properties:\n  - name: p\n",
            "policy.yaml:3:5: a property needs one of `forbid`, `require`, `require-some`, `only-through`, `isolate`, `no-new`",
        ),
        ("properties:\n  - forbid: {from: a, to: b}\n", "policy.yaml:3:5: a property needs the field `name`"),
        ("groups: [a]\n", "policy.yaml:2:9: expected a mapping from group names to selectors, found a list"),
        ("groups: {any: i-1}\n", "policy.yaml:2:10: `any` already names a set; choose another name"),
        (
            "groups: {'a:b': i-1}\n",
            "policy.yaml:2:10: expected a group name of letters, digits, `-`, `_` and `.`, found `a:b`",
        ),
        ("groups: {a: b, b: a}\n", "policy.yaml:2:10: the group `a` contains itself"),
        ("groups: {a: group:c}\n", "policy.yaml:2:13: no group is named `c`"),
        (
            "waivers: [{property: p, until: 2027-01-31, owner: o, why: w}]\n",
            "policy.yaml:2:22: no property is named `p`",
        ),
    ];
    for (body, message) in cases {
        assert_eq!(bad(body), message);
    }
}

#[test]
fn a_bad_property_says_where_what_and_what_else() {
    let cases = [
        (
            "forbid: {form: internet, to: any}",
            "policy.yaml:4:14: unknown field `form` in `forbid`; did you mean `from`?",
        ),
        ("forbid: {from: internet}", "policy.yaml:4:13: `forbid` needs the field `to`"),
        ("forbid: {from: internet, to: any, from: any}", "policy.yaml:4:39: the field `from` is given twice"),
        ("forbid: {from: internet, to: }", "policy.yaml:4:32: expected a selector, found nothing"),
        ("forbid: {from: internet, to: []}", "policy.yaml:4:34: expected a selector, found nothing"),
        (
            "forbid: {from: internet, to: 'a,,b'}",
            "policy.yaml:4:34: expected a selector between commas, found nothing",
        ),
        (
            "forbid: {from: internet, to: 17}",
            "policy.yaml:4:34: expected a selector, found the number `17`; put quotes around a text",
        ),
        (
            "forbid: {from: internet, to: 10.0.0.5/8}",
            "policy.yaml:4:34: `10.0.0.5/8` has bits set behind its prefix; write `10.0.0.0/8` for the range or leave out the prefix",
        ),
        (
            "forbid: {from: internet, to: [any, !vpc-1 ]}",
            "policy.yaml:4:46: found the YAML tag `!vpc-1`; put quotes around a selector that starts with `!`",
        ),
        ("forbid: {from: internet, to: group:ml}", "policy.yaml:4:34: no group is named `ml`"),
        (
            "forbid: {from: internet, to: any, port: 22}",
            "policy.yaml:4:45: expected a protocol before the port, found `22`; write `tcp/22` or `udp/22`, or `protocol/22` for an IP protocol number",
        ),
        (
            "forbid: {from: internet, to: any, port: tcp/70000}",
            "policy.yaml:4:45: expected a port from 0 to 65535 or a range such as 8000-8999, found `70000`",
        ),
        (
            "forbid: {from: internet, to: any, port: tcp/9-8}",
            "policy.yaml:4:45: expected a range of ports from low to high, found `9-8`",
        ),
        (
            "forbid: {from: internet, to: any, port: [tcp/1, tpc/443]}",
            "policy.yaml:4:53: expected a protocol and ports such as `tcp/443`, `udp/8000-8999`, `icmp/8` or `protocol/47`, found `tpc/443`",
        ),
        (
            "forbid: {from: internet, to: any, port: gre/1}",
            "policy.yaml:4:45: expected no ports, found `1`: protocol gre has none",
        ),
        (
            "forbid: {from: internet, to: any, port: []}",
            "policy.yaml:4:45: expected ports, found an empty list",
        ),
        (
            "forbid: {from: internet, to: any, port: tcp/1, ports: tcp/2}",
            "policy.yaml:4:52: `port` and `ports` are one field, found both",
        ),
        (
            "forbid: {from: internet, to: any, protocol: 300}",
            "policy.yaml:4:49: expected a protocol (tcp, udp, icmp, icmpv6, gre, esp, ah, sctp or a number from 0 to 255), found `300`",
        ),
        (
            "forbid: {from: internet, to: any, question: packets}",
            "policy.yaml:4:49: expected one of `packet`, `connection`, found `packets`; did you mean `packet`?",
        ),
        (
            "forbid: {from: internet, to: any, strict: yes}",
            "policy.yaml:4:47: expected `true` or `false`, found `yes`",
        ),
        (
            "forbid: {from: internet, to: any, question: connection, including-replies: true}",
            "policy.yaml:4:61: `including-replies` goes with `question: packet` only",
        ),
        (
            "require: {from: internet, to: any, including-replies: true}",
            "policy.yaml:4:40: unknown field `including-replies` in `require`; expected one of `from`, `to`, `except-from`, `except-to`, `port`, `ports`, `protocol`, `question`, `strict`",
        ),
        (
            "only-through: {from: internet, to: any}",
            "policy.yaml:4:19: `only-through` needs the field `through`",
        ),
        (
            "isolate: {between: a, to: b}",
            "policy.yaml:4:27: unknown field `to` in `isolate`; expected one of `between`, `and`, `port`, `ports`, `protocol`, `question`, `strict`, `including-replies`",
        ),
        (
            "forbid: {from: a, to: b}\n    require: {from: a, to: b}",
            "policy.yaml:5:5: a property has one form, found `forbid` and `require`",
        ),
        (
            "forbid: {from: a, to: b}\n    severity: hihg",
            "policy.yaml:5:15: expected one of `informational`, `low`, `medium`, `high`, `critical`, found `hihg`; did you mean `high`?",
        ),
        ("forbid: {from: a, to: b}\n    why: ''", "policy.yaml:5:10: expected text, found an empty text"),
        (
            "forbid: a",
            "policy.yaml:4:13: expected `forbid` with the fields `from`, `to`, `except-from`, `except-to`, `port`, `ports`, `protocol`, `question`, `strict`, `including-replies`, found `a`",
        ),
        (
            "forbid: {from: a, to: b}\nwaivers:\n  - {property: q, until: 2027-01-31, owner: o, why: w}",
            "policy.yaml:6:16: no property is named `q`; did you mean `p`?",
        ),
        (
            "forbid: {from: a, to: b}\nwaivers:\n  - {property: p, until: 31.01.2027, owner: o, why: w}",
            "policy.yaml:6:26: expected a date such as 2027-01-31, found `31.01.2027`",
        ),
        (
            "forbid: {from: a, to: b}\nwaivers:\n  - {property: p, until: 2027-02-29, owner: o, why: w}",
            "policy.yaml:6:26: expected a date such as 2027-01-31, found `2027-02-29`",
        ),
        (
            "forbid: {from: a, to: b}\nwaivers:\n  - {property: p, until: 2027-02-28, owner: o}",
            "policy.yaml:6:5: a waiver needs the field `why`",
        ),
        (
            "forbid: {from: a, to: b}\n  - name: p\n    no-new: {}",
            "policy.yaml:5:5: the property `p` is already defined at policy.yaml:3:5",
        ),
    ];
    for (body, message) in cases {
        assert_eq!(bad(&property(body)), message, "{body}");
    }
}

#[test]
fn a_file_that_is_no_policy_says_so() {
    let fields = "`reachproof`, `groups`, `properties`, `waivers`";
    assert_eq!(
        bad_file(""),
        format!("policy.yaml:1:1: expected a policy file with the fields {fields}, found nothing")
    );
    assert_eq!(
        bad_file("[]"),
        format!("policy.yaml:1:1: expected a policy file with the fields {fields}, found a list")
    );
    assert_eq!(bad_file("properties: []"), "policy.yaml:1:1: a policy file needs the field `reachproof`");
    assert_eq!(
        bad_file("reachproof: policy/v2"),
        "policy.yaml:1:13: expected `policy/v1`, found `policy/v2`"
    );
    let illegal = "2:2: illegal placement of ':' indicator";
    let expected = format!("policy.yaml:{illegal}; a policy file says `reachproof: policy/v1`");
    assert_eq!(bad_file("a: [1\nb: 2"), expected);
    assert_eq!(bad_file("# policy/v1\na: [1\nb: 2"), format!("policy.yaml:3{}", &illegal[1..]));
    let message = Policy::parse("p", b"a: 1\n\xff").unwrap_err().to_string();
    assert_eq!(
        message,
        "p:2:1: expected UTF-8 text, found other bytes; a policy file says `reachproof: policy/v1`"
    );
}

#[test]
fn hostile_files_end_in_an_error() {
    let message = bad_file(&"[".repeat(5_000));
    assert!(message.starts_with("policy.yaml:1:256: recursion limit exceeded"), "{message}");
    let deep = format!("a: {}{}", "[".repeat(40), "]".repeat(40));
    assert!(bad_file(&deep).contains("more deeply nested"), "{}", bad_file(&deep));
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let inner = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{inner}]\n"));
    }
    assert!(bad_file(&bomb).contains("larger or more deeply nested"), "{}", bad_file(&bomb));
    let chain: String = (0..200).map(|n| format!("  g{n:03}: g{:03}\n", n + 1)).collect();
    assert_eq!(
        bad(&format!("groups:\n{chain}  g200: i-1\n")),
        "policy.yaml:103:3: groups are nested more than 100 deep"
    );
}

#[test]
fn a_second_document_is_called_that() {
    let text = file("properties:\n  - name: p\n    forbid: {from: any, to: i-1}\n");
    let message = bad_file(&format!("{text}---\n{text}"));
    assert!(message.contains("second YAML document"), "{message}");
}

#[test]
fn a_group_is_not_called_like_an_address_or_a_resource() {
    for name in ["10.0.0.10", "eni-02a71fd5da22c6e17", "i-0123abcd"] {
        let message = bad(&format!("groups:\n  {name}: i-1\n"));
        assert!(message.contains("already names an address or resource"), "{message}");
    }
}

#[test]
fn an_access_scope_becomes_properties() {
    let scope = r#"{"MatchPaths": [
        {"Source": {"ResourceStatement": {"ResourceTypes": ["AWS::EC2::InternetGateway"]}},
         "Destination": {"ResourceStatement": {"Resources": ["i-1", "sg-2"]},
                         "PacketHeaderStatement": {"Protocols": ["tcp"], "DestinationPorts": ["22", "1024-2000"]}}},
        {"Source": {"ResourceStatement": {"Resources": ["subnet-1"]}}}],
      "ExcludePaths": [
        {"Source": {"ResourceStatement": {"ResourceTypes": ["AWS::EC2::InternetGateway"]},
                    "PacketHeaderStatement": {"SourceAddresses": ["203.0.113.0/24"]}}}]}"#;
    let policy = Policy::parse("scope.json", scope.as_bytes()).unwrap();
    let [first, second] = policy.properties.as_slice() else { panic!() };
    assert_eq!(&*first.name, "scope.json#/MatchPaths/0");
    assert_eq!(ends(&first.form).from, select("internet"));
    assert_eq!(ends(&first.form).to, select("i-1,sg-2"));
    assert_eq!(ends(&first.form).except_from, Some(select("internet:203.0.113.0/24")));
    assert_eq!(
        first.traffic.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["tcp/22", "tcp/1024-2000"]
    );
    assert_eq!(ends(&second.form).to, Selector::any());
    assert_eq!(second.question, Question::Packet);
}

#[test]
fn an_access_scope_with_through_resources_becomes_only_through() {
    let scope = r#"{"NetworkInsightsAccessScopeContent": {"NetworkInsightsAccessScopeId": "nis-1",
      "MatchPaths": [{"Source": {"ResourceStatement": {"Resources": ["vpc-1"]}}, "ThroughResources": []}],
      "ExcludePaths": [{"ThroughResources": [{"ResourceStatement": {"Resources": ["nat-1"]}}]}]}}"#;
    let policy = Policy::parse("scope.json", scope.as_bytes()).unwrap();
    let Form::OnlyThrough { ends, through } = &policy.properties[0].form else { panic!() };
    assert_eq!((&ends.from, &ends.to), (&select("vpc-1"), &Selector::any()));
    assert_eq!(through, &select("nat-1"));
}

#[test]
fn what_a_scope_says_beyond_us_is_an_error() {
    let end = "{\"ResourceStatement\": {\"Resources\": [\"i-1\"]}}";
    let with = |path: &str, exclusion: &str| {
        let scope = format!("{{\"MatchPaths\": [{path}],\n\"ExcludePaths\": [{exclusion}]}}");
        Policy::parse("s", scope.as_bytes()).unwrap_err().to_string()
    };
    let tail = "is not supported yet; write the property as `reachproof: policy/v1`";
    assert_eq!(
        with(&format!("{{\"Source\": {end}}}"), &format!("{{\"Source\": {end}, \"Destination\": {end}}}")),
        format!("s:2:18: an exclusion with more than one condition {tail}")
    );
    assert_eq!(
        with("{\"Source\": {\"ResourceStatement\": {\"ResourceTypes\": [\"AWS::EC2::VPNGateway\"]}}}", ""),
        format!("s:1:69: the resource type `AWS::EC2::VPNGateway` {tail}")
    );
    assert_eq!(
        with(&format!("{{\"Source\": {end}}}"), "{}"),
        "s:2:18: expected a condition in the path, found none: it would exclude everything"
    );
    for (field, value) in
        [("DestinationAddresses", "10.0.0.0/8"), ("SourcePorts", "22"), ("SourcePrefixLists", "pl-1")]
    {
        let path = format!("{{\"Source\": {{\"PacketHeaderStatement\": {{\"{field}\": [\"{value}\"]}}}}}}");
        let message = with(&path, "");
        assert!(message.ends_with(&format!("`{field}` here {tail}")), "{message}");
    }
    assert_eq!(
        with("{\"Sources\": []}", ""),
        "s:1:18: unknown field `Sources` in a path; did you mean `Source`?"
    );
}

#[test]
fn groups_that_double_end_in_an_error() {
    let mut text = String::from("reachproof: policy/v1\ngroups:\n  g0: eni-1\n");
    for level in 1..40 {
        text.push_str(&format!("  g{level}: [g{0}, g{0}]\n", level - 1));
    }
    text.push_str("properties:\n  - name: p\n    forbid: {from: g39, to: internet}\n");
    let error = Policy::parse("p", text.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("more than 10000 terms"), "{error}");
}

#[test]
fn a_range_with_an_impossible_prefix_is_no_id() {
    let error = "10.20.0.0/33".parse::<Selector>().unwrap_err().to_string();
    assert_eq!(error, "`10.20.0.0/33` is no CIDR: `33` is no prefix length of `10.20.0.0`");
}

proptest! {
    #[test]
    fn no_text_makes_the_policy_reader_panic(text in "\\PC*") {
        let _ = Policy::parse("p", text.as_bytes());
        let _ = Policy::parse("p", file(&property(&text)).as_bytes());
    }

    #[test]
    fn no_bytes_make_the_policy_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Policy::parse("p", &bytes);
    }

    #[test]
    fn no_text_makes_the_selector_reader_panic(
        text in "[-!,:+*?\\[\\]{}\\\\/a-c0-9. ]{0,40}|(new:|tag:|onprem:|internet:|!)\\PC{0,20}"
    ) {
        let _ = text.parse::<Selector>();
        let _ = trace_point(&text);
        let _ = TrafficSpec::parse(&text);
    }

    #[test]
    fn a_pattern_without_special_characters_matches_itself(text in "[-:./_ a-zA-Z0-9{},=]{0,20}") {
        prop_assert!(Pattern::parse(&text).unwrap().matches(&text));
        let with_star = Pattern::parse(&format!("{text}*")).unwrap();
        prop_assert!(with_star.matches(&text));
    }

    #[test]
    fn printed_traffic_is_read_back(
        protocol in prop::sample::select(vec!["tcp", "udp"]), from in any::<u16>(), more in any::<u16>()
    ) {
        let text = format!("{protocol}/{from}-{}", from.saturating_add(more));
        let spec = TrafficSpec::parse(&text).unwrap();
        prop_assert_eq!(TrafficSpec::parse(&spec.to_string()).unwrap(), spec);
    }
}
