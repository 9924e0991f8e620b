//! The two ends of a check, as places and addresses of the network.

use std::net::{IpAddr, Ipv4Addr};

use reachproof_engine::network::{Network, Sink, SourcePlace, owns};
use reachproof_engine::region::{Spot, neighbours};
use reachproof_model::flow::Protocol;
use reachproof_model::id::EniId;
use serde_json::Value;

use crate::cases::text;

/// Addresses where the check names none: a stranger on the internet, and a host on premises.
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 5));
const SITE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 0, 5));

/// The address that one side of a check names.
pub fn address(side: &Value) -> Option<IpAddr> {
    side["ip"].as_str().map(|ip| ip.parse().expect("an address"))
}

/// The interfaces that one side of a check names by their own id or their instance's; that of its address first.
pub fn interfaces(network: &Network<'_>, side: &Value) -> Vec<EniId> {
    let snapshot = network.snapshot;
    let (instance, own) = (text(side, "instance"), text(side, "eni"));
    let of_instance = snapshot.instances.values().filter(|row| *row.meta.id == *instance);
    let mut found: Vec<EniId> = of_instance.flat_map(|row| row.interfaces.iter().copied()).collect();
    found.extend(snapshot.interfaces.iter().filter(|(_, row)| *row.meta.id == *own).map(|(id, _)| id));
    let other = |id: &EniId| address(side).is_some_and(|ip| !owns(network.interface(*id), ip));
    found.sort_by_key(other);
    found
}

/// Where packets of a check start, and from which address; an error says why it is no place that packets start from.
pub fn source(network: &Network<'_>, side: &Value) -> Result<(SourcePlace, IpAddr), String> {
    if side["internet"].as_bool() == Some(true) {
        return Ok((SourcePlace::Internet, address(side).unwrap_or(STRANGER)));
    }
    if let Some(node) = side["node"].as_str() {
        let place = outside(network, node).ok_or_else(|| format!("no packets start at `{node}`"))?;
        return Ok((place, address(side).unwrap_or(SITE)));
    }
    let id =
        interfaces(network, side).first().copied().ok_or("the source is no interface of the snapshot")?;
    let own = network.interface(id).addresses.first().map(|row| row.ip);
    let ip = address(side).or(own).ok_or("the source has no address")?;
    Ok((SourcePlace::Interface(id), ip))
}

/// A gateway by its id, or the first that leads to a site that only another tool's data names.
fn outside(network: &Network<'_>, node: &str) -> Option<SourcePlace> {
    let mut places = neighbours(network).into_iter().filter_map(Spot::source);
    places.find(|place| match place {
        SourcePlace::Gateway(id) => node.starts_with("onprem:") || *network.gateways()[*id].id == *node,
        SourcePlace::Attachment(id) => *network.attachment(*id).meta.id == *node,
        _ => false,
    })
}

/// The address to which packets of a check are sent; from the internet an interface means its public address.
pub fn destination(network: &Network<'_>, from: SourcePlace, side: &Value) -> Option<IpAddr> {
    if let Some(ip) = address(side) {
        return Some(ip);
    }
    let interface = network.interface(*interfaces(network, side).first()?);
    let public = interface.public.first().filter(|_| from == SourcePlace::Internet);
    let private = interface.addresses.first().map(|row| row.ip);
    public.map(|row| IpAddr::V4(row.public)).or(private)
}

/// The sinks that a side names; none means anywhere.
pub fn sinks(network: &Network<'_>, side: &Value) -> Vec<Sink> {
    let mut found: Vec<Sink> = interfaces(network, side).into_iter().map(Sink::Interface).collect();
    if side["internet"].as_bool() == Some(true) {
        found.push(Sink::Internet);
    }
    found
}

/// The protocol of a check; `None` if it is about all.
pub fn protocol(check: &Value) -> Option<Protocol> {
    match &check["protocol"] {
        Value::String(name) if name == "any" => None,
        Value::String(name) => Some(reachproof_model::policy::protocol(name).expect("a protocol")),
        number => number.as_u64().map(|number| Protocol(u8::try_from(number).expect("a protocol number"))),
    }
}
