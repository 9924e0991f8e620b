//! Statements about resources rather than packets.

use reachproof_model::snapshot::Snapshot;
use serde_json::Value;

use crate::cases::text;
use crate::summary::Outcome;

/// What a statement is about, for people.
pub fn name(fact: &Value) -> String {
    let subject = [text(fact, "id"), text(fact, "node"), text(fact, "to")];
    let named: Vec<&str> = subject.into_iter().filter(|part| !part.is_empty()).collect();
    format!("{} {}", text(fact, "fact"), named.join(" "))
}

/// Compares one statement with the snapshot.
pub fn check(snapshot: &Snapshot, fact: &Value) -> Outcome {
    match text(fact, "fact") {
        "resource-present" if is_present(snapshot, text(fact, "id")) => Outcome::Agrees,
        "resource-present" => Outcome::Contradicted("not in the snapshot".to_owned()),
        "adjacent" => adjacent(snapshot, fact),
        other => Outcome::Skipped(format!("`{other}` is about a routing table that AWS does not show")),
    }
}

fn is_present(snapshot: &Snapshot, id: &str) -> bool {
    let metas = (snapshot.vpcs.values().map(|row| &row.meta))
        .chain(snapshot.subnets.values().map(|row| &row.meta))
        .chain(snapshot.interfaces.values().map(|row| &row.meta))
        .chain(snapshot.instances.values().map(|row| &row.meta))
        .chain(snapshot.groups.values().map(|row| &row.meta))
        .chain(snapshot.transit_gateways.values().map(|row| &row.meta))
        .chain(snapshot.virtual_gateways.values().map(|row| &row.meta));
    metas.into_iter().any(|meta| *meta.id == *id)
}

/// A Direct Connect gateway is adjacent to a transit gateway by an attachment of it.
fn adjacent(snapshot: &Snapshot, fact: &Value) -> Outcome {
    let gateway = text(fact, "node").trim_start_matches("dxgw-");
    let joins = snapshot.attachments.values().any(|attachment| {
        let transit = attachment.tgw.known().map(|id| &*snapshot.transit_gateways[id].meta.id);
        transit == Some(text(fact, "to")) && &*attachment.resource == gateway
    });
    if joins { Outcome::Agrees } else { Outcome::Contradicted("no attachment joins them".to_owned()) }
}
