//! What another account owns: a certificate is no proof once what its owner has is not shown.

use reachproof_checker::verify;
use reachproof_model::certificate::Certificate;
use reachproof_model::ingest::load;
use reachproof_model::snapshot::Snapshot;
use reachproof_scenarios::parse;

use super::support::certificates;

const OWNED: &str = ", owner: \"222222222222\"";

/// A network in which `OWNER` stands for who owns what is shared.
fn network(text: &str, owner: &str) -> Snapshot {
    let text = text.replace("OWNER", owner);
    let text = format!(
        "reachproof: scenario/v1\nname: owners\ntitle: a network\nrules: [R-SHARE-1]\n{text}expect:\n  \
         - {{from: internet, to: eni-web, protocol: tcp, port: 80, verdict: unknown}}\n"
    );
    load(parse("owners.yaml", &text).expect("the scenario parses").inputs()).expect("the answers load")
}

/// Asserts that the property is proved where the account that shows the network owns it, and that the same proof is
/// refused where another one does.
fn refused(text: &str, form: &str) {
    let (own, shared) = (network(text, ""), network(text, OWNED));
    let proved = certificates(&own, &[form.to_owned()]);
    let (_, certificate) = proved.first().expect("the property holds");
    assert_eq!(verify(certificate, &own), Ok(()), "{form}");
    let forged = Certificate { snapshot: shared.digest().into(), ..certificate.clone() };
    let rejection = verify(&forged, &shared).expect_err("no proof").to_string();
    assert!(!rejection.contains("another snapshot"), "{rejection}");
}

#[test]
fn gateways_of_the_owner_of_a_vpc_may_be_unseen() {
    let text = "network:\n  vpcs:\n    vpc-s: {cidrs: [10.5.0.0/16]OWNER}\n  subnets:\n    \
                subnet-s: {vpc: vpc-s, cidr: 10.5.0.0/24, zone: 1OWNER}\n  route-tables:\n    \
                rtb-s: {vpc: vpc-s, main: true}\n  security-groups:\n    \
                sg-s: {vpc: vpc-s, in: [all from any], out: [all to any]}\n  interfaces:\n    eni-web: {subnet: subnet-s, \
                addresses: [10.5.0.10], public: {10.5.0.10: 198.51.100.30}, groups: [sg-s], instance: i-s}\n";
    refused(text, "forbid: {from: internet, to: eni-web}");
}

#[test]
fn the_block_of_a_participant_blocks_nothing() {
    let text = "base: f0\nnetwork:\n  vpcs:\n    vpc-a: {cidrs: [10.0.0.0/16]OWNER}\n  subnets:\n    \
                subnet-pub-a: {vpc: vpc-a, cidr: 10.0.0.0/24, zone: 1OWNER}\n  \
                block-public-access: {mode: block-bidirectional}\n";
    refused(text, "forbid: {from: internet, to: eni-web}");
}

#[test]
fn a_group_has_unseen_members_though_the_owner_of_its_subnet_shows_another_region() {
    let text = "base: f0\nnetwork:\n  vpcs:\n    \
                vpc-z: {cidrs: [10.9.0.0/16], account: \"222222222222\", region: eu-west-1}\n  subnets:\n    \
                subnet-prv-b: {vpc: vpc-a, cidr: 10.0.2.0/24, zone: 2OWNER}\n  security-groups:\n    \
                sg-web: {vpc: vpc-a, in: [all from any], out: [all to sg-db]}\n";
    refused(text, "forbid: {from: eni-web, to: eni-app}");
}
