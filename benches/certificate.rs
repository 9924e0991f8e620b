//! Certificates of a generated organisation's policy: making and checking them, against deciding the same properties.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::expect_used,
    reason = "a bench measures, prints, and stops where it cannot"
)]

mod common;

use common::clock::measured;
use common::line::{Amounts, grouped, rate, ratio, row};
use common::{each_size, on_threads, organisation};
use jiff::civil::date;
use reachproof_checker::verify;
use reachproof_engine::certificate::{Outcome, certify};
use reachproof_engine::check::{PropertyReport, check};
use reachproof_engine::network::{Network, Options};
use reachproof_engine::reach::Reach;
use reachproof_model::certificate::{Certificate, write_certificate};
use reachproof_model::policy::{Form, Policy};

const SIZES: [u32; 1] = [1_000];

/// The properties that there are certificates of.
fn provable(mut policy: Policy) -> Policy {
    policy
        .properties
        .retain(|one| matches!(one.form, Form::Forbid(_) | Form::OnlyThrough { .. } | Form::Isolate { .. }));
    policy
}

fn emit(
    reach: &Reach<'_, '_>,
    policy: &Policy,
    reports: &[PropertyReport],
    digest: &str,
) -> Vec<Certificate> {
    let rows = policy.properties.iter().zip(reports);
    let outcomes = rows.map(|(property, report)| certify(reach, property, report, digest).expect("no limit"));
    let certificates = outcomes.filter_map(|outcome| match outcome {
        Outcome::Certificate(certificate) => Some(*certificate),
        Outcome::None(_) => None,
    });
    certificates.collect()
}

fn measure(interfaces: u32) {
    let planned = organisation::planned(interfaces);
    let (snapshot, policy) = (organisation::snapshot(&planned), provable(organisation::policy(&planned)));
    let network = Network::build(&snapshot, Options::default()).expect("the spine is there");
    let (reach, digest) = (Reach::of(&network), snapshot.digest());
    let amounts = Amounts::of(&snapshot);
    let name = |what: &str| format!("certificate/{what}/{interfaces}");
    let decide = |()| check(&network, &policy, date(2026, 1, 1)).expect("every property can be decided");
    let (reports, decided) = measured(&name("decide"), || (), decide);
    let count = policy.properties.len() as f64;
    row("certificate: decide", amounts, 1, decided, &rate(count, decided.seconds, "properties"));
    let (certificates, emitted) =
        measured(&name("emit"), || (), |()| emit(&reach, &policy, &reports, &digest));
    row("certificate: emit", amounts, 1, emitted, &rate(count, emitted.seconds, "properties"));
    let accept = |()| certificates.iter().filter(|one| verify(one, &snapshot).is_ok()).count();
    let (accepted, checked) = measured(&name("check"), || (), accept);
    row("certificate: check", amounts, 1, checked, &rate(count, checked.seconds, "properties"));
    let bytes: usize =
        certificates.iter().filter_map(|one| write_certificate(one).ok()).map(|file| file.len()).sum();
    let text = format!(
        "emit + check take {:.2} times as long as deciding; {accepted} of {} certificates accepted, {} bytes",
        (emitted.seconds + checked.seconds) / decided.seconds,
        certificates.len(),
        grouped(bytes as u64),
    );
    ratio("certificate", amounts, &text);
}

fn main() {
    each_size(&SIZES, &[|size| on_threads(1, || measure(size))]);
}
