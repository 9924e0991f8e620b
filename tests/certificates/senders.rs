//! What a component takes in of what an interface sends: a certificate is no proof once one of its sources has such a way.

use reachproof_checker::verify;
use reachproof_model::certificate::Certificate;
use reachproof_model::ingest::load;
use reachproof_model::snapshot::Snapshot;
use reachproof_scenarios::parse;

use super::support::certificates;

/// F0 with a notebook beside `eni-app`, alike but for the answer about its direct internet access.
fn network(access: &str) -> Snapshot {
    let text = format!(
        "reachproof: scenario/v1\nname: senders\ntitle: a network\nrules: [R-MENI-4]\nbase: f0\nnetwork:\n  interfaces:\n    \
         eni-note: {{subnet: subnet-prv-a, addresses: [10.0.1.50], groups: [sg-app], description: SageMaker Notebook Instance n}}\n\
         aws:\n  sagemaker_describe-notebook-instance__n:\n    \
         {{NotebookInstanceName: n, NetworkInterfaceId: eni-note, DirectInternetAccess: {access}}}\n\
         expect:\n  - {{from: app, to: internet, protocol: tcp, port: 443, verdict: blocked}}\n"
    );
    load(parse("senders.yaml", &text).expect("the scenario parses").inputs()).expect("the answers load")
}

#[test]
fn a_source_with_a_way_of_its_own_is_told_from_others_like_it() {
    let (closed, open) = (network("Disabled"), network("Enabled"));
    let form = "forbid: {from: [eni-app, eni-note], to: internet}".to_owned();
    let proved = certificates(&closed, &[form]);
    let (_, certificate) = proved.first().expect("the property holds");
    assert_eq!(verify(certificate, &closed), Ok(()));
    let forged = Certificate { snapshot: open.digest().into(), ..certificate.clone() };
    let rejection = verify(&forged, &open).expect_err("no proof").to_string();
    assert!(!rejection.contains("another snapshot"), "{rejection}");
}
