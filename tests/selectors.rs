//! What selectors stand for at their edges: what they take away, what waivers accept, and properties about nothing.

#![expect(clippy::expect_used, reason = "helpers of a test")]

use reachproof_engine::check::{PropertyReport, Verdict, check};
use reachproof_engine::network::{Network, Options};
use reachproof_model::ingest::load;
use reachproof_model::policy::Policy;
use reachproof_scenarios::parse;

/// The answer about one property, in the words of a policy file, in a base network with changes.
fn decide(base: &str, changes: &str, property: &str) -> Result<PropertyReport, String> {
    decide_with(base, changes, property, "")
}

/// The same with more of the policy file.
fn decide_with(base: &str, changes: &str, property: &str, more: &str) -> Result<PropertyReport, String> {
    let text = format!(
        "reachproof: scenario/v1\nname: proof\ntitle: a network\nrules: [R-CORE-1]\nbase: {base}\n{changes}\nexpect:\n  \
         - {{from: web, to: app, verdict: reaches}}\n"
    );
    let inputs = parse("proof.yaml", &text).expect("the scenario parses").inputs();
    let snapshot = load(inputs).expect("the answers load");
    let network = Network::build(&snapshot, Options::default()).expect("the spine is there");
    let text = format!("reachproof: policy/v1\nproperties:\n  - name: p\n    {property}\n{more}");
    let policy = Policy::parse("policy.yaml", text.as_bytes()).expect("the policy parses");
    let reports = check(&network, &policy, jiff::civil::date(2026, 11, 25));
    reports
        .map(|reports| reports.into_iter().next().expect("one property"))
        .map_err(|error| error.to_string())
}

fn verdict(base: &str, changes: &str, property: &str) -> Verdict {
    decide(base, changes, property).expect("decided").verdict
}

/// A private table that leads to the NAT gateway.
const BEHIND_NAT: &str = "network:\n  route-tables:\n    rtb-prv: {routes: {0.0.0.0/0: nat-1}}";

#[test]
fn a_service_without_known_addresses_takes_nothing_away() {
    for property in [
        "forbid: {from: eni-app, to: internet, except-to: 'service:sagemaker.api'}",
        "forbid: {from: eni-app, to: 'internet,!service:s3'}",
        "forbid: {from: eni-app, to: 'internet:203.0.113.0/24,!service:s3'}",
    ] {
        assert_eq!(verdict("f0", BEHIND_NAT, property), Verdict::Unknown, "{property}");
    }
    let plain = "forbid: {from: eni-app, to: 'internet,!internet:203.0.113.5'}";
    assert_eq!(verdict("f0", BEHIND_NAT, plain), Verdict::Violated);
}

/// IPv6 for the private subnet, by an egress-only internet gateway, and `more` routes.
fn with_ipv6(more: &str) -> String {
    format!(
        "network:\n  subnets:\n    subnet-prv-a: {{ipv6: \"2001:db8:a:101::/64\"}}\n  interfaces:\n    \
         eni-app: {{ipv6: [\"2001:db8:a:101::10\"]}}\n  egress-gateways:\n    eigw-1: {{vpc: vpc-a}}\n  \
         route-tables:\n    rtb-prv: {{routes: {{{more}}}}}"
    )
}

#[test]
fn a_service_may_have_any_addresses_of_a_family_that_no_list_shows() {
    let through = "only-through: {from: eni-app, to: 'service:s3', through: vpce-gw}";
    assert_eq!(verdict("f0-storage", "", through), Verdict::Holds);
    let by_ipv6 = with_ipv6("pl-s3: vpce-gw, \"::/0\": eigw-1");
    assert_eq!(verdict("f0-storage", &by_ipv6, through), Verdict::Unknown);
}

/// R-PL-1, R-DATA-3: only lists of AWS show what is a service, each for its Region.
#[test]
fn only_the_lists_of_its_region_show_the_addresses_of_a_service() {
    let to_s3 = |list: &str| {
        format!(
            "network:\n  prefix-lists:\n    pl-1: {{{list}}}\n  route-tables:\n    rtb-prv: {{routes: {{52.216.0.0/15: nat-1}}}}"
        )
    };
    let own = to_s3("name: backup.s3, owner: \"111111111111\", entries: [10.99.0.0/16]");
    let elsewhere = to_s3("name: com.amazonaws.eu-west-1.s3, owner: AWS, entries: [3.5.64.0/21]");
    let here = to_s3("name: com.amazonaws.us-east-1.s3, owner: AWS, entries: [52.216.0.0/15]");
    let other = to_s3("name: com.amazonaws.us-east-1.s3, owner: AWS, entries: [3.5.0.0/19]");
    let changing =
        format!("{other}\naws: {{PrefixLists: [{{PrefixListId: pl-1, State: modify-in-progress}}]}}");
    let forbid = "forbid: {from: eni-app, to: 'service:s3'}";
    for unknown in [&own, &elsewhere, &changing] {
        let report = decide("f0", unknown, forbid).expect("decided");
        assert_eq!(report.verdict, Verdict::Unknown, "{unknown}");
        let collect = |note: &str| note.contains("collect: ec2 describe-prefix-lists");
        assert!(report.notes.iter().any(|note| collect(note)), "{:?}", report.notes);
    }
    assert_eq!(verdict("f0", &here, forbid), Verdict::Violated);
    assert_eq!(verdict("f0", &other, forbid), Verdict::Holds);
}

/// R-PL-3: what goes to some public address goes to none of a service for certain.
#[test]
fn no_address_is_certainly_that_of_a_service_without_a_list() {
    assert_eq!(verdict("f0", BEHIND_NAT, "forbid: {from: eni-app, to: 'service:s3'}"), Verdict::Unknown);
    let unlisted = "network:\n  prefix-lists:\n    pl-s3: {name: com.amazonaws.us-east-1.s3, owner: AWS}\n  endpoints:\n    \
                    vpce-gw: {vpc: vpc-a, kind: gateway, service: s3, tables: [rtb-prv]}\n  route-tables:\n    \
                    rtb-prv: {routes: {0.0.0.0/0: nat-1, pl-s3: vpce-gw}}";
    let through = "only-through: {from: eni-app, to: 'service:s3', through: vpce-gw}";
    assert_eq!(verdict("f0", unlisted, through), Verdict::Unknown);
    let listed = "network:\n  route-tables:\n    rtb-prv: {routes: {0.0.0.0/0: nat-1, pl-s3: vpce-gw}}";
    assert_eq!(verdict("f0-storage", listed, through), Verdict::Holds);
}

#[test]
fn a_range_covers_the_services_behind_gateway_endpoints() {
    for range in ["52.216.0.0/15", "52.216.1.1", "0.0.0.0/0"] {
        let property = format!("forbid: {{from: eni-app, to: {range}}}");
        assert_eq!(verdict("f0-storage", "", &property), Verdict::Violated, "{range}");
    }
    assert_eq!(verdict("f0-storage", "", "forbid: {from: eni-app, to: 203.0.113.0/24}"), Verdict::Holds);
    let unlisted = "network:\n  prefix-lists:\n    pl-s3: {entries: null}";
    let property = "forbid: {from: eni-app, to: 203.0.113.0/24}";
    assert_ne!(verdict("f0-storage", unlisted, property), Verdict::Violated);
}

#[test]
fn a_range_covers_what_nobody_shows_in_the_subnets_of_others() {
    let shared = "network:\n  subnets:\n    subnet-prv-a: {owner: \"222222222222\"}";
    for range in ["10.0.1.0/24", "10.0.1.99"] {
        let property = format!("forbid: {{from: eni-web, to: '{range},!eni-app'}}");
        assert_eq!(verdict("f0", shared, &property), Verdict::Unknown, "{range}");
    }
    assert_eq!(verdict("f0", shared, "forbid: {from: eni-web, to: '10.0.3.0/24,eni-b1'}"), Verdict::Holds);
}

#[test]
fn a_destination_inside_a_nat64_one_is_the_destination() {
    let six = "network:\n  subnets:\n    subnet-six: {vpc: vpc-a, ipv6: \"2001:db8:a:103::/64\", zone: 1}\n  \
               route-tables:\n    rtb-prv: {routes: {\"64:ff9b::/96\": nat-1}}\n  interfaces:\n    \
               eni-six: {subnet: subnet-six, ipv6: [\"2001:db8:a:103::10\"], groups: [sg-open], instance: i-six}";
    for to in ["203.0.113.5", "203.0.113.0/24", "10.0.2.10"] {
        let property = format!("forbid: {{from: eni-six, to: {to}}}");
        assert_eq!(verdict("f0", six, &property), Verdict::Violated, "{to}");
    }
    assert_eq!(verdict("f0", six, "forbid: {from: eni-six, to: '2001:db8:9::5'}"), Verdict::Holds);
}

#[test]
fn a_mistyped_service_is_no_service() {
    let error = decide("f0-storage", "", "forbid: {from: eni-app, to: 'service:sagmaker.api'}");
    let error = error.expect_err("nothing is called so");
    assert!(error.contains("matches nothing") && error.contains("`sagemaker.api`"), "{error}");
    let shown = decide("f0-storage", "", "forbid: {from: eni-app, to: 'service:s4'}").expect_err("none");
    assert!(shown.contains("`s3`"), "{shown}");
    assert_eq!(verdict("f0", "", "forbid: {from: eni-app, to: 'service:sagemaker.api'}"), Verdict::Holds);
}

/// The verdict with a waiver of some ends, and how many pairs that accepts.
fn waived(changes: &str, property: &str, ends: &str) -> (Verdict, usize) {
    let waiver = format!(
        "waivers:\n  - {{property: p, {ends}, until: 2027-01-31, owner: network team, why: agreed}}\n"
    );
    let report = decide_with("f0", changes, property, &waiver).expect("decided");
    (report.verdict, report.waived.iter().map(|waived| waived.pairs).sum())
}

#[test]
fn a_waiver_of_some_addresses_accepts_nothing_of_others() {
    let inbound = "forbid: {from: internet, to: eni-web}";
    for ends in ["from: 203.0.113.0/24", "from: 'internet:203.0.113.5'", "to: eni-app"] {
        assert_eq!(waived("", inbound, ends), (Verdict::Violated, 0), "{ends}");
    }
    assert_eq!(waived("", inbound, "from: internet"), (Verdict::Holds, 1));
    assert_eq!(waived("", inbound, "to: 10.0.0.10"), (Verdict::Holds, 1));
    let outbound = "forbid: {from: eni-app, to: internet}";
    for ends in ["to: 203.0.113.5", "to: 'service:s3'"] {
        assert_eq!(waived(BEHIND_NAT, outbound, ends), (Verdict::Violated, 0), "{ends}");
    }
}

#[test]
fn a_waiver_of_one_address_of_an_interface_accepts_nothing_of_the_other() {
    let two = "network:\n  interfaces:\n    eni-app: {addresses: [10.0.1.10, 10.0.1.11]}";
    let inside = "forbid: {from: eni-web, to: eni-app}";
    assert_eq!(waived(two, inside, "to: 10.0.1.10"), (Verdict::Violated, 0));
    assert_eq!(waived(two, inside, "to: 10.0.1.10/31"), (Verdict::Holds, 1));
}

#[test]
fn a_waiver_accepts_a_pair_if_all_that_passes_is_between_its_addresses() {
    let partner = "network:\n  security-groups:\n    sg-web: {in: [tcp 443 from 203.0.113.0/24], out: []}";
    let inbound = "forbid: {from: internet, to: eni-web}";
    assert_eq!(waived(partner, inbound, "from: 'internet:203.0.113.0/24'"), (Verdict::Holds, 1));
    assert_eq!(waived(partner, inbound, "from: 'internet:203.0.113.0/25'"), (Verdict::Violated, 0));
}

#[test]
fn interfaces_that_nobody_shows_send_too() {
    let shared = "network:\n  subnets:\n    subnet-prv-a: {owner: \"222222222222\"}";
    for from in ["'subnet-prv-a,!eni-*,allow-empty'", "10.0.1.0/24", "10.0.1.99", "vpc-a"] {
        let property = format!("forbid: {{from: {from}, to: eni-b1}}");
        let report = decide("f0", shared, &property).expect("decided");
        assert_eq!(report.verdict, Verdict::Unknown, "{from}");
        assert!(report.gaps.iter().any(|gap| &*gap.resource == "subnet-prv-a"), "{from}: {report:?}");
    }
    assert_eq!(verdict("f0", shared, "forbid: {from: eni-app, to: eni-b1}"), Verdict::Holds);
}

#[test]
fn a_property_about_no_pair_is_an_error() {
    for property in [
        "require: {from: eni-app, to: eni-app}",
        "require-some: {from: eni-app, to: eni-app}",
        "forbid: {from: eni-app, to: eni-app}",
        "require: {from: internet, to: internet}",
        "require: {from: vpce-gw, to: eni-app}",
        "forbid: {from: eni-nat, to: eni-app}",
        "forbid: {from: internet, to: internet, except-to: internet}",
    ] {
        let error = decide("f0-storage", "", property).expect_err(property);
        assert!(error.contains("a property over nothing is no proof"), "{property}: {error}");
    }
    let report =
        decide("f0", "", "forbid: {from: 'eni-app,eni-nat,internet', to: 'eni-app,eni-b1,internet'}");
    assert_eq!(report.expect("decided").scope.pairs, 4);
    assert_eq!(verdict("f0", "", "forbid: {from: 'eni-gone,allow-empty', to: eni-app}"), Verdict::Holds);
}

#[test]
fn a_destination_is_not_what_packets_pass_on_their_way() {
    for (to, through) in [("eni-app", "any"), ("eni-app", "10.0.1.0/24"), ("eni-app", "eni-app")] {
        let property = format!("only-through: {{from: eni-web, to: {to}, through: {through}}}");
        let error = decide("f0", "", &property).expect_err(through);
        assert!(error.contains("also a destination"), "{error}");
    }
    let nat = "only-through: {from: eni-app, to: internet, through: nat-1}";
    assert_eq!(verdict("f0", BEHIND_NAT, nat), Verdict::Holds);
}

#[test]
fn what_is_required_of_a_range_is_required_of_each_address() {
    let partner =
        "network:\n  security-groups:\n    sg-web: {in: [tcp 443 from 203.0.113.0/24], out: [all to any]}";
    let required = |from: &str| format!("require: {{from: {from}, to: eni-web, port: tcp/443}}");
    assert_eq!(verdict("f0", partner, &required("internet")), Verdict::Unknown);
    assert_eq!(verdict("f0", partner, &required("'internet:203.0.113.0/24'")), Verdict::Holds);
    assert_eq!(verdict("f0", "", &required("internet")), Verdict::Holds);
    let some = "require-some: {from: internet, to: eni-web, port: tcp/443}";
    assert_eq!(verdict("f0", partner, some), Verdict::Holds);
    let two = "network:\n  interfaces:\n    eni-app: {addresses: [10.0.1.10, 10.0.1.11]}\n  security-groups:\n    \
               sg-db: {in: [tcp 443 from 10.0.1.10/32], out: [all to any]}";
    assert_eq!(verdict("f0", two, "require: {from: eni-app, to: eni-db, port: tcp/443}"), Verdict::Unknown);
}

#[test]
fn an_endpoint_that_no_answer_explains_may_be_of_any_service() {
    let forbid = "forbid: {from: eni-app, to: 'service:logs'}";
    assert_eq!(verdict("f0-endpoint", "", forbid), Verdict::Holds);
    for unexplained in ["aws: {VpcEndpoints: ~}", "aws: {ec2_describe-vpc-endpoints: {VpcEndpoints: []}}"] {
        let report = decide("f0-endpoint", unexplained, forbid).expect("decided");
        assert_eq!(report.verdict, Verdict::Unknown, "{unexplained}");
        assert!(
            report.notes.iter().any(|note| note.contains("eni-vpce belongs to an endpoint")),
            "{:?}",
            report.notes
        );
        let require = "require: {from: eni-app, to: 'service:logs', port: tcp/443}";
        assert_eq!(verdict("f0-endpoint", unexplained, require), Verdict::Unknown, "{unexplained}");
    }
}

#[test]
fn link_local_addresses_and_those_of_a_vlan_are_meant_by_what_has_them() {
    let narrow = "network:\n  security-groups:\n    sg-w2: {vpc: vpc-a, in: [\"tcp 22 from fe80::/10\"]}\n  interfaces:\n    \
                  eni-w2: {subnet: subnet-pub-a, addresses: [10.0.0.60], ipv6: [\"2001:db8:a:100::60\"], groups: [sg-w2], instance: i-w2}\n";
    assert_eq!(verdict("f0-ipv6", narrow, "forbid: {from: eni-web, to: eni-w2}"), Verdict::Unknown);
    assert_eq!(verdict("f0-ipv6", narrow, "forbid: {from: eni-app, to: eni-w2}"), Verdict::Holds);
    let vlan = "network:\n  security-groups:\n    sg-none: {vpc: vpc-a, in: [], out: []}\n  subnets:\n    \
                subnet-evs: {vpc: vpc-a, cidr: 10.0.6.0/24, zone: 1}\n  interfaces:\n    \
                eni-evs: {subnet: subnet-evs, addresses: [10.0.6.10], groups: [sg-none], kind: evs}\n";
    for property in [
        "forbid: {from: eni-app, to: eni-evs}",
        "forbid: {from: eni-evs, to: eni-app}",
        "forbid: {from: eni-app, to: 10.0.6.0/24}",
        "forbid: {from: 10.0.6.77, to: eni-app}",
        "forbid: {from: subnet-evs, to: eni-app}",
    ] {
        assert_eq!(verdict("f0", vlan, property), Verdict::Unknown, "{property}");
    }
}

/// R-DATA-4: an instance that no answer describes may bear the tag.
#[test]
fn names_and_tags_of_instances_that_are_not_described_are_not_known() {
    let tagged =
        "aws:\n  NetworkInterfaces: [{NetworkInterfaceId: eni-app, TagSet: [{Key: Role, Value: ml}]}]\n";
    let forbid = "forbid: {from: internet, to: 'tag:Role=ml'}";
    assert_eq!(verdict("f0", tagged, forbid), Verdict::Holds);
    let uncollected = format!("{tagged}  Reservations: ~\n");
    assert_eq!(verdict("f0", &uncollected, forbid), Verdict::Unknown);
    assert_eq!(verdict("f0", &uncollected, "forbid: {from: internet, to: eni-app}"), Verdict::Holds);
    assert_eq!(verdict("f0", &uncollected, "require: {from: eni-web, to: 'tag:Role=ml'}"), Verdict::Holds);
    let nothing = decide("f0", "aws: {Reservations: ~}", forbid).expect_err("nothing shows the tag");
    assert!(nothing.contains("ec2 describe-instances"), "{nothing}");
}

/// R-DATA-3: an interface whose groups are not known may be a member of each.
#[test]
fn members_of_a_group_that_are_not_known_count() {
    let hidden = "aws: {NetworkInterfaces: [{NetworkInterfaceId: eni-web, Groups: ~}]}";
    let forbid = "forbid: {from: internet, to: sg-app}";
    assert_eq!(verdict("f0", "", forbid), Verdict::Holds);
    assert_eq!(verdict("f0", hidden, forbid), Verdict::Unknown);
    assert_eq!(verdict("f0", hidden, "forbid: {from: internet, to: sg-b1}"), Verdict::Holds);
}

#[test]
fn what_is_taken_away_must_be_there() {
    for property in [
        "forbid: {from: internet, to: vpc-a, except-to: eni-wbe}",
        "forbid: {from: internet, to: vpc-a, except-to: 'name:web-*'}",
        "forbid: {from: internet, to: 'vpc-a,!eni-wbe'}",
        "forbid: {from: any, to: eni-app, except-from: eni-wbe}",
    ] {
        let error = decide("f0", "", property).expect_err("nothing is called that");
        assert!(error.contains("taken away"), "{error}");
    }
    let allowed = "forbid: {from: internet, to: vpc-a, except-to: 'eni-wbe,allow-empty'}";
    assert!(decide("f0", "", allowed).is_ok());
    assert!(decide("f0", "", "forbid: {from: any, to: eni-app, except-from: onprem}").is_ok());
}

#[test]
fn a_group_may_say_that_it_may_be_empty() {
    let groups = "groups:\n  retired: {select: eni-gone, allow-empty: true}\n  wrong: {select: eni-gone}\n";
    let of = |group: &str| decide_with("f0", "", &format!("forbid: {{from: internet, to: {group}}}"), groups);
    assert!(of("retired").is_ok());
    assert!(of("wrong").is_err());
    assert!(of("'retired,eni-gone'").is_err());
}

#[test]
fn a_nat_gateway_is_passed_by_its_interface() {
    for through in ["nat-1", "eni-nat"] {
        let property = format!("only-through: {{from: eni-app, to: internet, through: {through}}}");
        assert_eq!(verdict("f0", BEHIND_NAT, &property), Verdict::Holds, "{through}");
    }
}

/// One internet gateway of several is not the internet: who comes by it is, and more; so it takes nothing away.
#[test]
fn one_gateway_of_several_takes_no_internet_away() {
    let second = "network:\n  internet-gateways:\n    igw-2: {vpc: vpc-b}\n";
    let property =
        |except: &str| format!("forbid: {{from: [internet, eni-b1], to: eni-web, except-from: {except}}}");
    assert_eq!(verdict("f0", "network: {}", &property("igw-1")), Verdict::Holds);
    assert_ne!(verdict("f0", second, &property("igw-2")), Verdict::Holds);
    assert_ne!(verdict("f0", second, &property("igw-1")), Verdict::Holds);
    assert_ne!(verdict("f0", second, "forbid: {from: igw-2, to: eni-web}"), Verdict::Holds);
}

/// What comes by one internet gateway of several is not told from what comes by another.
#[test]
fn one_gateway_of_several_satisfies_nothing() {
    let second = "network:\n  internet-gateways:\n    igw-2: {vpc: vpc-b}\n";
    let required = "require: {from: igw-1, to: eni-web, port: tcp/443}";
    assert_eq!(verdict("f0", "network: {}", required), Verdict::Holds);
    assert_eq!(verdict("f0", second, required), Verdict::Unknown);
    assert_eq!(verdict("f0", second, &required.replace("igw-1", "igw-2")), Verdict::Unknown);
    for (gateway, found) in
        [("igw-1", Verdict::Unknown), ("igw-2", Verdict::Unknown), ("internet", Verdict::Violated)]
    {
        let forbidden = format!("forbid: {{from: {gateway}, to: eni-web, port: tcp/443}}");
        assert_eq!(verdict("f0", second, &forbidden), found, "{gateway}");
    }
}
