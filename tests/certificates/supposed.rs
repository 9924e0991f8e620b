//! Interfaces that do not exist yet: the claim says which are supposed, and the checker adds them itself.

use rayon::prelude::*;
use reachproof_checker::verify;
use reachproof_engine::check::{PropertyReport, Verdict, check};
use reachproof_engine::network::{Network, Options};
use reachproof_engine::reach::Reach;
use reachproof_model::certificate::{Certificate, Place, Supposed, read_certificate, write_certificate};
use reachproof_model::ingest::load;
use reachproof_model::snapshot::Snapshot;
use reachproof_scenarios::{Scenario, corpus, parse as scenario};

use crate::support::{TODAY, certificate, read};

/// F0 with changes, in the words of a scenario file.
fn network(changes: &str) -> Snapshot {
    let text = format!(
        "reachproof: scenario/v1\nname: supposed\ntitle: a network\nrules: [R-CORE-1]\nbase: f0\n{changes}\nexpect:\n  \
         - {{from: web, to: app, verdict: reaches}}\n"
    );
    load(scenario("supposed.yaml", &text).expect("the scenario parses").inputs()).expect("the answers load")
}

/// What was decided, and the certificate that would prove it, if it can be decided.
fn decide(snapshot: &Snapshot, form: &str) -> Option<(PropertyReport, Certificate)> {
    let network = Network::build(snapshot, Options::default()).expect("the spine is there");
    let policy = read(form)?;
    let report = check(&network, &policy, TODAY).ok()?.into_iter().next()?;
    let certificate =
        certificate(&Reach::of(&network), policy.properties.first()?, &report, &snapshot.digest());
    Some((report, certificate))
}

fn rejection(certificate: &Certificate, snapshot: &Snapshot) -> String {
    verify(certificate, snapshot).err().map(|rejection| rejection.to_string()).unwrap_or_default()
}

/// The certificate of a property that holds, which is accepted.
fn proved(snapshot: &Snapshot, form: &str) -> Certificate {
    let (report, certificate) = decide(snapshot, form).expect("decided");
    assert_eq!((report.verdict, &*rejection(&certificate, snapshot)), (Verdict::Holds, ""), "{form}");
    certificate
}

/// Why a changed certificate is rejected.
fn changed(certificate: &Certificate, snapshot: &Snapshot, change: impl FnOnce(&mut Certificate)) -> String {
    let mut copy = certificate.clone();
    change(&mut copy);
    rejection(&copy, snapshot)
}

/// F0 where `db` takes PostgreSQL from `app` alone.
const FILTERED: &str =
    "network:\n  security-groups:\n    sg-db: {in: [tcp 5432 from sg-app], out: [all to any]}";

#[test]
fn what_is_supposed_is_in_the_claim_and_is_checked() {
    let snapshot = network(FILTERED);
    let certificate = proved(&snapshot, "forbid: {from: 'eni-web,internet', to: 'new:subnet-prv-b+sg-db'}");
    let group = |name: &str| snapshot.groups.iter().find(|(_, row)| &*row.meta.id == name).unwrap().0;
    let supposed = &certificate.claim.supposed;
    assert_eq!((supposed.len(), &*supposed[0].groups, supposed[0].public), (1, &[group("sg-db")][..], false));
    let bytes = write_certificate(&certificate).unwrap();
    assert_eq!(read_certificate("x.cert", &bytes).unwrap(), certificate);
    let because = |change: &dyn Fn(&mut Supposed)| {
        changed(&certificate, &snapshot, |one| change(&mut one.claim.supposed[0]))
    };
    let open = because(&|one| one.groups.clear());
    assert!(open.contains("something arrives at new:subnet-prv-b"), "{open}");
    let app = because(&|one| one.groups = vec![group("sg-app")]);
    assert!(app.contains("something arrives at new:subnet-prv-b"), "{app}");
    let public = because(&|one| one.public = true);
    assert_eq!(public, "it is about a supposed public address and another place than the internet");
    let nothing = changed(&certificate, &snapshot, |one| one.claim.supposed.clear());
    assert_eq!(nothing, "it names something that the snapshot does not have");
}

#[test]
fn a_supposed_public_address_is_open_to_the_internet() {
    let snapshot = network("");
    let certificate = proved(&snapshot, "forbid: {from: internet, to: 'new:subnet-pub-a'}");
    let public = changed(&certificate, &snapshot, |one| one.claim.supposed[0].public = true);
    assert_ne!(public, "");
    let certificate = proved(&snapshot, "forbid: {from: 'new:subnet-prv-a+public', to: internet}");
    let other = changed(&certificate, &snapshot, |one| {
        let db = snapshot.interfaces.iter().find(|(_, row)| &*row.meta.id == "eni-db").unwrap().0;
        one.claim.directions[0]
            .destinations
            .insert(0, (Place::Interface(db), vec!["0.0.0.0/0".parse().unwrap()]));
    });
    assert_eq!(other, "it is about a supposed public address and another place than the internet");
    let shut =
        network("network:\n  security-groups:\n    sg-db: {in: [tcp 5432 from sg-app], out: [all to any]}");
    let certificate = proved(&shut, "forbid: {from: internet, to: 'new:subnet-pub-a+sg-db+public'}");
    let opened = changed(&certificate, &shut, |one| one.claim.supposed[0].groups.clear());
    assert_ne!(opened, "");
    let split = network(
        "network:\n  security-groups:\n    sg-db: {in: [tcp 5432 from sg-app], out: [all to any]}\n  route-tables:\n    rtb-edge: {vpc: vpc-a, gateway: igw-1, routes: {10.0.0.0/25: eni-app}}",
    );
    let forged = Certificate { snapshot: split.digest().into(), ..certificate };
    assert_eq!(rejection(&forged, &split), "a table of a gateway tells free addresses of subnet-pub-a apart");
}

#[test]
fn a_full_subnet_has_no_place() {
    let snapshot = network("");
    let certificate = proved(&snapshot, "isolate: {between: 'new:vpc-a', and: 'new:vpc-b'}");
    assert_eq!(certificate.claim.supposed.len(), 4);
    let mut full = snapshot.clone();
    let db = full.interfaces.ids().find(|id| &*full.interfaces[*id].meta.id == "eni-db").unwrap();
    full.interfaces.get_mut(db).unwrap().prefixes = vec!["10.0.2.0/24".parse().unwrap()];
    let forged = Certificate { snapshot: full.digest().into(), ..certificate };
    assert_eq!(
        rejection(&forged, &full),
        "it supposes an interface in subnet-prv-b, which has no free address"
    );
}

/// Of the properties of a network every so manieth is decided.
const STRIDE: usize = 7;

#[test]
fn suppositions_of_the_corpus_are_proved_iff_they_hold() {
    let of = |scenario: &Scenario| {
        let snapshot = load(scenario.inputs()).expect("the answers load");
        if Network::build(&snapshot, Options::default()).is_err() {
            return [0; 2];
        }
        let mut ends: Vec<String> = snapshot.interfaces.values().map(|row| row.meta.id.to_string()).collect();
        ends.extend(["internet", "onprem,any-external,allow-empty"].map(str::to_owned));
        let subnets: Vec<&str> = snapshot.subnets.values().map(|row| &*row.meta.id).collect();
        let forms = |subnet: &str, end: &String| {
            [
                format!("forbid: {{from: 'new:{subnet}', to: '{end}'}}"),
                format!("forbid: {{from: '{end}', to: 'new:{subnet}', port: tcp/443}}"),
                format!("forbid: {{from: '{end}', to: 'new:{subnet}', question: connection}}"),
                format!("forbid: {{from: internet, to: 'new:{subnet}+public'}}"),
                format!("forbid: {{from: 'new:{subnet}+public', to: internet}}"),
            ]
        };
        let forms = subnets.iter().flat_map(|subnet| ends.iter().flat_map(move |end| forms(subnet, end)));
        let mut counts = [0; 2];
        for (report, certificate) in forms.step_by(STRIDE).filter_map(|form| decide(&snapshot, &form)) {
            let rejected = rejection(&certificate, &snapshot);
            let holds = report.verdict == Verdict::Holds;
            let answers = certificate.claim.directions.iter().any(|one| !one.unanswered.is_empty());
            let said = (scenario.name(), &certificate.claim.statement, &rejected);
            assert!(holds == rejected.is_empty() || holds && answers, "{said:?}: {holds}");
            counts[usize::from(!rejected.is_empty())] += 1;
        }
        counts
    };
    let found: Vec<[usize; 2]> = corpus().par_iter().map(of).collect();
    let [accepted, rejected] = [0, 1].map(|at| found.iter().map(|one| one[at]).sum::<usize>());
    println!("{accepted} proofs accepted, {rejected} other certificates rejected");
    assert!(accepted > 500 && rejected > 500, "the corpus is there");
}
