//! The two ends of a trace, resolved to one packet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use reachproof_model::flow::{Flow, Protocol, Question};
use reachproof_model::id::EndpointId;
use reachproof_model::policy::{Selector, Term, TracePoint};

use crate::name::source_name;
use crate::network::Network;
use crate::region::{Region, SelectionError, Spot, neighbours, select};
use crate::trace::Query;

/// The header fields of a trace besides its addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fields {
    /// Protocol.
    pub protocol: Protocol,
    /// Source port; 49152 if not given. For ICMP the code, 0 if not given.
    pub source_port: Option<u16>,
    /// Destination port. For ICMP the type, echo request if not given.
    pub port: Option<u16>,
}

/// The stranger on the internet that stands for any other.
const STRANGER_V4: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 5);
const STRANGER_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 5);

/// One end: where, and the addresses it may have there, the preferred first.
struct End {
    spot: Option<Spot>,
    addresses: Vec<IpAddr>,
    /// Whether the user named an address rather than a place.
    literal: bool,
}

/// Resolves the ends of a trace to one packet and the sink that it is meant for.
///
/// # Errors
/// If an end names nothing, more than one interface, or if the ends have no address family in common.
pub fn query(
    network: &Network<'_>,
    from: &TracePoint,
    to: &TracePoint,
    fields: Fields,
    question: Question,
) -> Result<Query, SelectionError> {
    let source = end(network, from)?;
    let mut destination = end(network, to)?;
    if let (true, Some(Spot::Interface(id)), false) =
        (source.spot == Some(Spot::Internet), destination.spot, destination.literal)
    {
        let public = network.interface(id).public.iter().map(|row| IpAddr::V4(row.public));
        let v6: Vec<IpAddr> = destination.addresses.iter().copied().filter(IpAddr::is_ipv6).collect();
        let reachable: Vec<IpAddr> = public.chain(v6).collect();
        if !reachable.is_empty() {
            destination.addresses = reachable;
        }
    }
    let (source_ip, destination_ip) = common_family(&source, &destination)?;
    let Some(place) = source.spot.and_then(Spot::source) else {
        return Err(SelectionError::of(format!(
            "packets do not start at {source_ip}: name an interface, `internet` or a gateway"
        )));
    };
    let goal = if destination.literal { None } else { destination.spot.map(Spot::sink) };
    Ok(Query { from: place, flow: flow(source_ip, destination_ip, fields), goal, question })
}

fn flow(source: IpAddr, destination: IpAddr, fields: Fields) -> Flow {
    let echo = if fields.protocol == Protocol::ICMPV6 { 128 } else { 8 };
    let (default_source, default_port) = match fields.protocol {
        protocol if protocol.has_ports() => (49152, 443),
        protocol if protocol.is_icmp() => (0, echo),
        _ => (0, 0),
    };
    Flow {
        source,
        destination,
        protocol: fields.protocol,
        source_port: fields.source_port.unwrap_or(default_source),
        port: fields.port.unwrap_or(default_port),
    }
}

fn common_family(source: &End, destination: &End) -> Result<(IpAddr, IpAddr), SelectionError> {
    for to in &destination.addresses {
        if let Some(from) = source.addresses.iter().find(|from| from.is_ipv4() == to.is_ipv4()) {
            return Ok((*from, *to));
        }
    }
    Err(SelectionError::of("source and destination have no address of the same family".to_owned()))
}

fn end(network: &Network<'_>, point: &TracePoint) -> Result<End, SelectionError> {
    match point {
        TracePoint::Internet(address) => Ok(End {
            spot: Some(Spot::Internet),
            addresses: address.map_or_else(|| vec![STRANGER_V4.into(), STRANGER_V6.into()], |ip| vec![ip]),
            literal: address.is_some(),
        }),
        TracePoint::Beyond { gateway, address } => beyond(network, gateway.as_deref(), *address),
        TracePoint::Selector(selector) => match literal(selector) {
            Some(ip) => Ok(at_address(network, ip)),
            None => one_spot(network, selector),
        },
    }
}

/// The single address that a selector is, if it is one.
fn literal(selector: &Selector) -> Option<IpAddr> {
    match selector.terms.as_slice() {
        [Term::Address(range)] if range.prefix_len() == range.max_prefix_len() => Some(range.addr()),
        _ => None,
    }
}

/// An address: of the interface that owns it, else somewhere outside.
fn at_address(network: &Network<'_>, ip: IpAddr) -> End {
    let vpcs = network.snapshot.vpcs.ids();
    let owner = vpcs.flat_map(|vpc| network.owners().of_address(vpc, ip)).next();
    let spot = owner.map(Spot::Interface).or(Some(Spot::Internet));
    End { spot, addresses: vec![ip], literal: true }
}

fn beyond(
    network: &Network<'_>,
    gateway: Option<&str>,
    address: Option<IpAddr>,
) -> Result<End, SelectionError> {
    let candidates = neighbours(network).into_iter().filter(|spot| {
        spot.source().is_some_and(|place| gateway.is_none_or(|id| source_name(network, place) == id))
    });
    let on_premises = |spot: &Spot| match spot {
        Spot::Attachment(id) => {
            gateway.is_some() || !matches!(&*network.attachment(*id).kind, "vpc" | "peering")
        }
        Spot::Peer(_) => gateway.is_some(),
        _ => true,
    };
    let spot = candidates.into_iter().find(on_premises);
    let wanted = gateway.unwrap_or("onprem");
    let Some(spot) = spot else {
        return Err(SelectionError::of(format!(
            "`{wanted}` names no gateway or attachment of the snapshot that leads to another network"
        )));
    };
    let addresses = address.map_or_else(|| vec![Ipv4Addr::new(192, 168, 0, 5).into()], |ip| vec![ip]);
    Ok(End { spot: Some(spot), addresses, literal: false })
}

/// A selector for one interface, or for one place outside.
fn one_spot(network: &Network<'_>, selector: &Selector) -> Result<End, SelectionError> {
    let region = select(network, selector)?.explicit();
    let mut spots = region.iter();
    let (first, more) = (spots.next(), spots.next().is_some());
    match first {
        Some((Spot::Service(id), _)) if !more => {
            let addresses = service_addresses(network, id)?;
            Ok(End { spot: Some(Spot::Service(id)), addresses, literal: false })
        }
        Some((spot, extent)) if !more || is_one_instance(network, &region) => {
            Ok(End { spot: Some(spot), addresses: addresses(network, spot, &extent.blocks), literal: false })
        }
        _ => Err(SelectionError::of(format!(
            "`{}` stands for {} places ({}): a trace needs one; name an interface or an address",
            selector.text,
            region.len(),
            listed(network, &region)
        ))),
    }
}

/// Whether the spots are the interfaces of one instance; then the primary one, which comes first by device, is meant.
fn is_one_instance(network: &Network<'_>, region: &Region) -> bool {
    let instances: Vec<_> = region
        .iter()
        .map(|(spot, _)| match spot {
            Spot::Interface(id) => network.instance_of(id),
            _ => None,
        })
        .collect();
    match instances.first() {
        Some(Some(first)) => instances.iter().all(|other| other.as_ref() == Some(first)),
        _ => false,
    }
}

fn listed(network: &Network<'_>, region: &Region) -> String {
    let names: Vec<String> = region
        .iter()
        .filter_map(|(spot, _)| spot.source())
        .take(4)
        .map(|place| source_name(network, place))
        .collect();
    let more = if region.len() > names.len() { ", …" } else { "" };
    format!("{}{more}", names.join(", "))
}

/// R-VPCE-2: an address of the service behind a gateway endpoint, by each of its prefix lists.
fn service_addresses(network: &Network<'_>, id: EndpointId) -> Result<Vec<IpAddr>, SelectionError> {
    let endpoint = &network.snapshot.endpoints[id];
    let lists = network.snapshot.prefix_lists.values().filter(|list| list.aws_managed);
    let lists = lists.filter(|list| list.list_name == endpoint.service);
    let blocks = lists.filter_map(|list| list.entries.as_ref()).flatten();
    let found: Vec<IpAddr> = blocks.filter_map(|block| block.hosts().next()).collect();
    if found.is_empty() {
        return Err(SelectionError::of(format!(
            "the addresses of {} behind {} are not known; collect: ec2 describe-prefix-lists, or name an address",
            endpoint.service, endpoint.meta.id
        )));
    }
    Ok(found)
}

fn addresses(network: &Network<'_>, spot: Spot, blocks: &[IpNet]) -> Vec<IpAddr> {
    let meant = |ip: &IpAddr| blocks.iter().any(|block| block.contains(ip));
    match spot {
        Spot::Interface(id) => {
            let interface = network.interface(id);
            let own = interface.addresses.iter().map(|address| address.ip);
            own.chain(interface.prefixes.iter().map(IpNet::addr)).filter(meant).collect()
        }
        _ => {
            let strangers = [IpAddr::V4(STRANGER_V4), IpAddr::V6(STRANGER_V6)];
            strangers.into_iter().filter(meant).chain(blocks.iter().map(IpNet::addr)).collect()
        }
    }
}
