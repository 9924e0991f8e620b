//! What keeps a proof from being claimed: input that is cut short, dangling or not evaluated, and hosts with more ways out
//! than the property names.

#![expect(clippy::expect_used, clippy::disallowed_macros, reason = "helpers of a test")]

use reachproof_engine::check::{PropertyReport, Verdict, check};
use reachproof_engine::network::{Network, Options};
use reachproof_model::ingest::{Input, load};
use reachproof_model::policy::Policy;
use reachproof_scenarios::{corpus, parse};

/// F0 with changes, in the words of a scenario file.
fn network(changes: &str) -> Vec<Input> {
    let text = format!(
        "reachproof: scenario/v1\nname: proof\ntitle: a network\nrules: [R-CORE-1]\nbase: f0\n{changes}\nexpect:\n  \
         - {{from: web, to: app, verdict: reaches}}\n"
    );
    parse("proof.yaml", &text).expect("the scenario parses").inputs()
}

fn decide(inputs: Vec<Input>, property: &str) -> PropertyReport {
    let snapshot = load(inputs).expect("the answers load");
    let network = Network::build(&snapshot, Options::default()).expect("the spine is there");
    let text = format!("reachproof: policy/v1\nproperties:\n  - name: p\n    {property}\n");
    let policy = Policy::parse("policy.yaml", text.as_bytes()).expect("the policy parses");
    let today = jiff::civil::date(2026, 11, 25);
    check(&network, &policy, today).expect("decided").into_iter().next().expect("one property")
}

#[test]
fn private_interfaces_are_proved_closed_to_the_internet() {
    let report = decide(network(""), "forbid: {from: internet, to: eni-app}");
    assert_eq!(report.verdict, Verdict::Holds, "{report:?}");
}

#[test]
fn a_truncated_answer_proves_nothing() {
    let mut inputs = network("");
    let interfaces =
        inputs.iter_mut().find(|input| input.name.contains("network-interfaces")).expect("an answer");
    let text = String::from_utf8(interfaces.bytes.clone()).expect("UTF-8");
    interfaces.bytes = text.replacen('{', "{\"NextToken\": \"more\",", 1).into_bytes();
    let report = decide(inputs, "forbid: {from: internet, to: eni-app}");
    assert_eq!(report.verdict, Verdict::Unknown, "{report:?}");
}

#[test]
fn a_truncated_answer_refutes_no_requirement() {
    let mut inputs = network("");
    let interfaces =
        inputs.iter_mut().find(|input| input.name.contains("network-interfaces")).expect("an answer");
    let text = String::from_utf8(interfaces.bytes.clone()).expect("UTF-8");
    interfaces.bytes = text.replacen('{', "{\"NextToken\": \"more\",", 1).into_bytes();
    let report = decide(inputs, "require: {from: eni-app, to: internet, port: tcp/443}");
    assert_eq!(report.verdict, Verdict::Unknown, "{report:?}");
}

#[test]
fn a_truncated_answer_satisfies_no_requirement() {
    let satisfied = "require: {from: eni-web, to: eni-app, port: tcp/443}";
    assert_eq!(decide(network(""), satisfied).verdict, Verdict::Holds);
    let mut inputs = network("");
    let lists = inputs.iter_mut().find(|input| input.name.contains("network-acls")).expect("an answer");
    let text = String::from_utf8(lists.bytes.clone()).expect("UTF-8");
    lists.bytes = text.replacen('{', "{\"NextToken\": \"more\",", 1).into_bytes();
    assert_eq!(decide(inputs, satisfied).verdict, Verdict::Unknown);
}

#[test]
fn an_interface_in_an_unknown_subnet_proves_nothing() {
    let inputs =
        network("aws:\n  NetworkInterfaces:\n    - {NetworkInterfaceId: eni-app, SubnetId: subnet-gone}");
    let report = decide(inputs, "forbid: {from: internet, to: eni-app}");
    assert_eq!(report.verdict, Verdict::Unknown, "{report:?}");
}

#[test]
fn a_guest_may_send_by_its_other_interface() {
    let second = "network:\n  interfaces:\n    eni-app2: {subnet: subnet-pub-a, addresses: [10.0.0.60], \
                  public: {10.0.0.60: 198.51.100.60}, groups: [sg-open], instance: i-app, device: 1}";
    let alone = decide(network(""), "forbid: {from: eni-app, to: internet}");
    assert_eq!(alone.verdict, Verdict::Holds, "{alone:?}");
    let report = decide(network(second), "forbid: {from: eni-app, to: internet}");
    assert_eq!(report.verdict, Verdict::Unknown, "{report:?}");
}

#[test]
fn a_service_without_an_endpoint_is_not_reached_by_reaching_the_internet() {
    let report = decide(network(""), "require: {from: eni-web, to: service:sagemaker.api, port: tcp/443}");
    assert_eq!(report.verdict, Verdict::Unknown, "{report:?}");
}

/// F0 whose private table leads to the NAT gateway, and whose `app` admits nothing.
const BEHIND_NAT: &str = "network:\n  route-tables:\n    rtb-prv: {routes: {0.0.0.0/0: nat-1}}\n  \
                          security-groups:\n    sg-app: {in: [], out: [tcp 443 to any]}";

#[test]
fn answers_count_where_the_property_says_so() {
    let (plain, replies) = (
        "forbid: {from: internet, to: eni-app}",
        "forbid: {from: internet, to: eni-app, including-replies: true}",
    );
    assert_eq!(decide(network(BEHIND_NAT), plain).verdict, Verdict::Holds);
    let report = decide(network(BEHIND_NAT), replies);
    assert_eq!(report.verdict, Verdict::Violated, "{report:?}");
    assert_eq!((report.affected.sources, report.affected.destinations, report.affected.pairs), (1, 1, 1));
    let isolated = decide(network(""), replies);
    assert_eq!(isolated.verdict, Verdict::Holds, "{isolated:?}");
}

#[test]
fn an_answer_to_a_port_may_come_if_the_destination_sends_from_it() {
    let ssh = "forbid: {from: internet, to: eni-app, port: tcp/22, including-replies: true}";
    assert_eq!(decide(network(BEHIND_NAT), ssh).verdict, Verdict::Unknown);
    let udp = "forbid: {from: internet, to: eni-app, port: udp/53, including-replies: true}";
    assert_eq!(decide(network(BEHIND_NAT), udp).verdict, Verdict::Holds);
}

#[test]
fn a_packet_that_was_sent_and_lost_may_be_answered() {
    let one_way = "network:\n  network-acls:\n    acl-db: {vpc: vpc-a, subnets: [subnet-prv-b], in: [], out: [100 allow all 0.0.0.0/0]}\n  \
                   security-groups:\n    sg-app: {in: [], out: [tcp 443 to any]}";
    let plain = decide(network(one_way), "forbid: {from: eni-db, to: eni-app}");
    assert_eq!(plain.verdict, Verdict::Holds, "{plain:?}");
    let report = decide(network(one_way), "forbid: {from: eni-db, to: eni-app, including-replies: true}");
    assert_eq!(report.verdict, Verdict::Unknown, "{report:?}");
}

#[test]
fn strictness_claims_nothing_where_calls_are_missing() {
    let mut inputs = network("");
    inputs.retain(|input| !input.name.contains("vpc-block-public-access"));
    let snapshot = load(inputs).expect("the answers load");
    let strict = Network::build(&snapshot, Options { strict: true, ..Options::default() })
        .expect("the spine is there");
    for property in ["forbid: {from: internet, to: eni-web}", "forbid: {from: internet, to: eni-app}"] {
        let text = format!("reachproof: policy/v1\nproperties:\n  - name: p\n    {property}\n");
        let policy = Policy::parse("policy.yaml", text.as_bytes()).expect("the policy parses");
        let reports = check(&strict, &policy, jiff::civil::date(2026, 11, 25)).expect("decided");
        assert_eq!(reports.first().map(|report| report.verdict), Some(Verdict::Unknown), "{property}");
    }
}

#[test]
fn interfaces_that_nobody_shows_are_part_of_any() {
    let shared = "network:\n  subnets:\n    subnet-prv-a: {owner: \"222222222222\"}";
    let report = decide(network(shared), "forbid: {from: eni-web, to: 'any,!eni-*,!internet'}");
    assert_eq!(report.verdict, Verdict::Unknown, "{report:?}");
}

#[test]
fn neighbours_that_may_be_sent_to_are_named_beside_a_proof() {
    let foreign = "network:\n  virtual-gateways:\n    vgw-1: {vpc: vpc-a}\n  route-tables:\n    rtb-prv: {routes: {0.0.0.0/0: vgw-1}}";
    let report = decide(network(foreign), "forbid: {from: eni-app, to: internet}");
    assert_eq!(report.verdict, Verdict::Holds, "{report:?}");
    let note = report.notes.iter().find(|note| note.contains("(A-35)")).expect("a note");
    assert!(note.starts_with("assuming these neighbours do not relay to the internet: vgw-1"), "{note}");
}

#[test]
fn one_closed_port_of_several_refutes_a_requirement() {
    let web_only = "network:\n  security-groups:\n    sg-app: {in: [tcp 443 from any], out: [all to any]}";
    let report = decide(network(web_only), "require: {from: eni-web, to: eni-app, port: [tcp/443, tcp/80]}");
    assert_eq!(report.verdict, Verdict::Violated, "{report:?}");
    assert_eq!(report.witnesses.first().expect("a witness").trace.flow.port, 80);
    let open = decide(network(web_only), "require: {from: eni-web, to: eni-app, port: tcp/443}");
    assert_eq!(open.verdict, Verdict::Holds, "{open:?}");
}

#[test]
fn search_and_replay_agree_on_every_network_of_the_corpus() {
    let text = "reachproof: policy/v1\nproperties:\n  \
                - {name: everything, forbid: {from: any, to: any}}\n  \
                - {name: answered, forbid: {from: any, to: any, question: connection}}\n  \
                - {name: complete, require: {from: 'vpc-*', to: 'vpc-*', port: tcp/443}}\n";
    let policy = Policy::parse("policy.yaml", text.as_bytes()).expect("the policy parses");
    let mut decided = 0;
    for scenario in corpus() {
        let snapshot = load(scenario.inputs()).expect("the answers load");
        let Ok(network) = Network::build(&snapshot, Options::default()) else { continue };
        let reports = check(&network, &policy, jiff::civil::date(2026, 11, 25));
        decided += reports.unwrap_or_else(|error| panic!("{}: {error}", scenario.name())).len();
    }
    println!("{decided} properties decided, each witness replayed");
    assert!(decided > 500, "the corpus is there");
}

/// R-MENI-7: what adapters send over their fabric is no IP, and so passes where IP does not.
#[test]
fn adapters_that_admit_each_other_are_not_isolated() {
    let cluster = |groups: [&str; 2]| {
        let [one, two] = groups;
        network(&format!(
            "network:\n  network-acls:\n    acl-shut: {{vpc: vpc-a, subnets: [subnet-near], in: [], out: []}}\n  subnets:\n    \
             subnet-near: {{vpc: vpc-a, cidr: 10.0.3.0/24, zone: 1}}\n  security-groups:\n    \
             sg-fabric: {{vpc: vpc-a, in: [all from sg-fabric], out: [all to sg-fabric]}}\n    \
             sg-other: {{vpc: vpc-a, in: [all from sg-other], out: [all to sg-other]}}\n  interfaces:\n    \
             eni-1: {{subnet: subnet-prv-a, addresses: [10.0.1.60], groups: [{one}], kind: efa, instance: i-1}}\n    \
             eni-2: {{subnet: subnet-near, addresses: [10.0.3.60], groups: [{two}], kind: efa, instance: i-2}}"
        ))
    };
    let isolate = "isolate: {between: eni-1, and: eni-2}";
    let report = decide(cluster(["sg-fabric", "sg-fabric"]), isolate);
    assert_eq!(report.verdict, Verdict::Unknown, "{report:?}");
    assert!(report.gaps.iter().any(|gap| gap.why.contains("fabric")), "{report:?}");
    assert_eq!(decide(cluster(["sg-fabric", "sg-other"]), isolate).verdict, Verdict::Holds);
    let tcp = "forbid: {from: eni-1, to: eni-2, port: tcp/443}";
    assert_eq!(decide(cluster(["sg-fabric", "sg-fabric"]), tcp).verdict, Verdict::Holds);
}
