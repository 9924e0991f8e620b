//! Paths of other tools beside ours: theirs show fewer hops, so they are compared as subsequences.

use reachproof_engine::evidence::{Hop, HopKind};
use reachproof_engine::network::Network;
use reachproof_model::id::Ref;
use serde_json::Value;

use crate::ends;

/// The hops of theirs that are none of ours: AWS does not show its own network.
const UNSHOWN: [&str; 2] = ["aws-backbone", "aws-services"];

/// Whether a hop of ours is the one that the other tool calls so.
pub fn is(network: &Network<'_>, hop: &Hop, name: &str) -> bool {
    if name.starts_with("onprem:") {
        return hop.kind == HopKind::Outside;
    }
    *hop.node == *name || members(network, name).contains(&&*hop.node)
}

/// The interfaces of an instance or an endpoint, of which ours shows the one that the packet passes.
fn members<'n>(network: &'n Network<'_>, name: &str) -> Vec<&'n str> {
    let of_instance = ends::interfaces(network, &serde_json::json!({"instance": name}));
    let endpoints = network.snapshot.endpoints.values().filter(|row| *row.meta.id == *name);
    let of_endpoint = endpoints.flat_map(|row| row.interfaces.iter().filter_map(Ref::known));
    of_instance.into_iter().chain(of_endpoint).map(|id| &*network.interface(id).meta.id).collect()
}

/// Whether ours visits the places of theirs, in this order.
pub fn follows(network: &Network<'_>, theirs: &Value, ours: &[Hop]) -> Result<(), String> {
    let mut hops = ours.iter();
    let names = theirs.as_array().into_iter().flatten().filter_map(Value::as_str);
    for name in names.filter(|name| !UNSHOWN.contains(name)) {
        if !hops.any(|hop| is(network, hop, name)) {
            return Err(format!("{name} is missing, or out of order, in {}", shown(ours)));
        }
    }
    Ok(())
}

/// Whether ours ends where theirs does. Their network of AWS has no hop of ours: there the internet keeps the packet.
pub fn ends_at(network: &Network<'_>, name: &str, ours: &[Hop]) -> Result<(), String> {
    let name = if UNSHOWN.contains(&name) { "internet" } else { name };
    let comparable = |hop: &&Hop| {
        !matches!(
            hop.kind,
            HopKind::RouteTable | HopKind::Attachment | HopKind::Peering | HopKind::TransitGatewayTable
        )
    };
    match ours.iter().rev().find(comparable) {
        Some(hop) if is(network, hop, name) => Ok(()),
        _ => Err(format!("expected to end at {name}, found {}", shown(ours))),
    }
}

fn shown(hops: &[Hop]) -> String {
    hops.iter().map(|hop| &*hop.node).collect::<Vec<_>>().join(" > ")
}
