//! Ways to other networks that no rule describes, and the rest of: Cloud WAN, Outposts, carrier gateways,
//! proxies of NAT gateways, Direct Connect gateways that join VPCs, mirroring, multicast.

use std::collections::{BTreeMap, BTreeSet};

use super::dto::{CoreAttachment, Name, Placed};
use super::facts::{Facts, hidden, is_gone, relayed, subnets_of};
use super::{Found, Inventories, Paths};
use crate::id::{EniId, Ref, TgwId, VpcId};
use crate::snapshot::{
    AssociationEvidence, ComponentKind, DxGateway, Entry, Exit, NatGateway, Target, TgwAttachment,
};
use crate::source::Source;

pub(super) fn find(facts: &Facts<'_>, found: &mut Found) {
    for (id, routes) in unmodelled_routes(facts) {
        unmodelled_target(facts, id, &routes, found);
    }
    carrier_gateways(facts, found);
    carrier_addresses(facts, found);
    proxies(facts, found);
    joining_gateways(facts, found);
    mirror_sessions(facts, found);
    multicast_domains(facts, found);
}

/// What leads to one unmodelled route target.
#[derive(Default)]
struct Routes<'a> {
    fields: BTreeSet<&'a str>,
    vpcs: BTreeSet<VpcId>,
    sources: BTreeSet<&'a Source>,
}

fn unmodelled_routes<'a>(facts: &Facts<'a>) -> BTreeMap<&'a str, Routes<'a>> {
    let mut targets: BTreeMap<&str, Routes<'_>> = BTreeMap::new();
    for table in facts.snapshot.route_tables.values() {
        for route in &table.routes {
            if let Target::Unmodelled { field, id } = &route.target {
                let routes = targets.entry(id).or_default();
                routes.fields.insert(field);
                routes.vpcs.extend(table.vpc.known());
                routes.sources.insert(&route.source);
            }
        }
    }
    targets
}

/// Targets of routes that join VPCs, whether or not these have a route back.
const JOINING: [&str; 3] = ["CoreNetworkArn", "LocalGatewayId", "OdbNetworkArn"];

/// A-22, R-ADDR-11, R-TGW-8: a packet may come out in every VPC attached to the same network: those that route to it, and
/// those that Cloud WAN lists, any where nothing lists them; in any subnet of it, by whose table it goes on.
fn unmodelled_target(facts: &Facts<'_>, id: &str, routes: &Routes<'_>, found: &mut Found) {
    let Some(source) = routes.sources.first() else { return };
    let anywhere = !is_listed(facts, id) && routes.fields.iter().any(|field| JOINING.contains(field));
    let all = facts.snapshot.vpcs.ids().filter(|_| anywhere);
    let own = routes.vpcs.iter().copied();
    let vpcs: BTreeSet<VpcId> = own.chain(core_network_vpcs(facts, id)).chain(all).collect();
    let vpcs = vpcs.into_iter();
    let exits = vpcs.flat_map(|vpc| into_vpc(facts, vpc));
    let mut paths = Paths::new([Entry::RouteTarget(id.into())], exits);
    if routes.fields.contains("CarrierGatewayId") {
        paths.entries.push(Entry::Internet);
        paths.exits.push(Exit::Internet);
    }
    let fields: Vec<&str> = routes.fields.iter().copied().collect();
    let name = if id.is_empty() { "a route without a target" } else { id };
    let why = format!("{name} ({}) leads to a network that is not modelled (A-22)", fields.join(", "));
    found.add(ComponentKind::Neighbour, id, why, source, paths);
}

/// Into a VPC by an attachment whose subnets are not known.
pub(super) fn into_vpc<'a>(facts: &'a Facts<'_>, vpc: VpcId) -> impl Iterator<Item = Exit> + 'a {
    std::iter::once(Exit::Vpc(vpc)).chain(facts.vpc_subnets(vpc).iter().copied().map(Exit::Subnet))
}

/// What `networkmanager list-attachments` shows of a core network.
fn core_attachments<'a>(
    facts: &'a Facts<'_>,
    arn: &'a str,
) -> impl Iterator<Item = &'a Placed<CoreAttachment>> + 'a {
    let id = arn.rsplit('/').next().unwrap_or(arn);
    facts.inventories.core_attachments.iter().filter(move |attachment| {
        let names: [&Name; 2] = [&attachment.core_network_arn, &attachment.core_network_id];
        names.iter().any(|name| !name.is_empty() && (***name == *arn || ***name == *id))
    })
}

/// R-SHARE-1: whether the account that owns a core network, which alone sees all of its attachments, listed them.
fn is_listed(facts: &Facts<'_>, arn: &str) -> bool {
    let owner = arn.split(':').nth(4).unwrap_or_default();
    !owner.is_empty() && core_attachments(facts, arn).any(|row| facts.account(row.scope) == owner)
}

/// The VPCs at a core network.
fn core_network_vpcs<'a>(facts: &'a Facts<'_>, arn: &'a str) -> impl Iterator<Item = VpcId> + 'a {
    core_attachments(facts, arn)
        .filter_map(|attachment| facts.vpc(attachment.resource_arn.rsplit('/').next()?))
}

/// R-ADDR-11: a carrier gateway is another way from and to the internet, whether or not a route shows it.
fn carrier_gateways(facts: &Facts<'_>, found: &mut Found) {
    for gateway in facts.inventories.carrier_gateways.iter().filter(|gateway| !is_gone(&gateway.state)) {
        let id = &gateway.carrier_gateway_id;
        let entries = [Entry::Internet, Entry::RouteTarget(id.boxed())];
        let exits = facts.vpc(&gateway.vpc_id).map(Exit::Vpc).into_iter().chain([Exit::Internet]);
        let why = format!(
            "{} is a carrier gateway: which carrier addresses it serves is not modelled (A-22)",
            &**id
        );
        found.add(ComponentKind::Neighbour, id, why, &gateway.source, Paths::new(entries, exits));
    }
}

/// R-ADDR-11, R-VERDICT-7: an interface with a carrier or customer-owned address is reached by another way than an
/// internet gateway: the one by the internet, the other by networks on premises and by whoever these let in.
fn carrier_addresses(facts: &Facts<'_>, found: &mut Found) {
    for interface in facts.snapshot.interfaces.values() {
        let Some(vpc) = interface.vpc.known() else { continue };
        let id = &interface.meta.id;
        for (evidence, what, by) in [
            (AssociationEvidence::Carrier, "carrier", Entry::Internet),
            (AssociationEvidence::CustomerOwned, "customer-owned", Entry::Anywhere),
        ] {
            if interface.public.iter().any(|address| address.evidence == evidence) {
                let why = format!("{id} has a {what} address: who reaches it is not modelled (A-22)");
                let paths = Paths::new([by], [Exit::Vpc(vpc)]);
                found.add(ComponentKind::Neighbour, id, why, &interface.meta.source, paths);
            }
        }
    }
}

/// R-NAT-10: a proxy attached to a NAT gateway.
fn proxies(facts: &Facts<'_>, found: &mut Found) {
    for nat in facts.snapshot.nat_gateways.values().filter(|nat| !nat.appliances.is_empty()) {
        let id = &nat.meta.id;
        let why =
            format!("{id} has an appliance ({}): its policy is not modelled", nat.appliances.join(", "));
        found.add(ComponentKind::Other, id, why, &nat.meta.source, proxy_paths(facts, nat));
    }
}

/// In by the gateway, and by the endpoint that clients of an explicit proxy address.
fn proxy_paths(facts: &Facts<'_>, nat: &NatGateway) -> Paths {
    let mut interfaces: Vec<EniId> =
        nat.addresses.iter().filter_map(|address| address.interface.as_ref()?.known()).collect();
    let endpoints = nat.appliance_endpoints.iter().filter_map(Ref::known);
    let endpoints = endpoints.filter_map(|id| facts.snapshot.endpoints.get(id));
    interfaces.extend(endpoints.flat_map(|endpoint| &endpoint.interfaces).filter_map(Ref::known));
    let entries =
        interfaces.into_iter().map(Entry::Interface).chain([Entry::RouteTarget(nat.meta.id.boxed())]);
    let subnet = nat.subnet.as_ref().and_then(Ref::known);
    let vpc = nat.vpc.known().map_or(&[][..], |vpc| facts.vpc_subnets(vpc));
    let subnets = subnet.map_or_else(|| vpc.to_vec(), |subnet| vec![subnet]);
    let public = nat.connectivity.as_deref() != Some("private");
    let exits = subnets.into_iter().map(Exit::Subnet).chain(public.then_some(Exit::Internet));
    Paths::new(entries, exits)
}

/// The Direct Connect gateways of the inventories with what is associated, sorted by id.
pub(super) fn dx_gateways(inventories: &Inventories) -> Vec<DxGateway> {
    let mut gateways: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for gateway in &inventories.dx_gateways {
        gateways.entry(&gateway.direct_connect_gateway_id).or_default();
    }
    for association in
        inventories.dx_associations.iter().filter(|association| !is_gone(&association.association_state))
    {
        let associated = gateways.entry(&association.direct_connect_gateway_id).or_default();
        let gateway = association.associated_gateway.as_ref().map(|gateway| &*gateway.id);
        associated.extend(
            gateway.into_iter().chain([&*association.virtual_gateway_id]).filter(|id| !id.is_empty()),
        );
    }
    let boxed = |ids: BTreeSet<&str>| ids.into_iter().map(Box::from).collect();
    gateways.into_iter().map(|(id, ids)| DxGateway { id: id.into(), associated: boxed(ids) }).collect()
}

/// R-VPN-8: a Direct Connect gateway with two or more associations may join their VPCs.
fn joining_gateways(facts: &Facts<'_>, found: &mut Found) {
    let mut gateways: BTreeMap<Box<str>, BTreeSet<Box<str>>> = BTreeMap::new();
    for gateway in facts.snapshot.dx_gateways.iter().cloned().chain(dx_gateways(facts.inventories)) {
        gateways.entry(gateway.id).or_default().extend(gateway.associated);
    }
    for (id, associated) in gateways.iter().filter(|(_, associated)| associated.len() > 1) {
        let Some(source) = dx_source(facts, associated) else { continue };
        let why = format!("{id} is a Direct Connect gateway that may join what is associated with it (A-22)");
        found.add(ComponentKind::Neighbour, id, why, source, joining_paths(facts, id, associated));
    }
}

/// A Direct Connect gateway keeps no source of its own: the first of what it joins stands for it.
fn dx_source<'a>(facts: &Facts<'a>, associated: &BTreeSet<Box<str>>) -> Option<&'a Source> {
    let private = facts.snapshot.virtual_gateways.values().map(|gateway| &gateway.meta);
    let transit = facts.snapshot.transit_gateways.values().map(|gateway| &gateway.meta);
    let mut joined = private.chain(transit).filter(|meta| associated.contains(&*meta.id));
    joined.next().map(|meta| &meta.source)
}

fn joining_paths(facts: &Facts<'_>, id: &str, associated: &BTreeSet<Box<str>>) -> Paths {
    let snapshot = facts.snapshot;
    let private = snapshot.virtual_gateways.values().filter(|gateway| associated.contains(&*gateway.meta.id));
    let private_vpcs =
        private.flat_map(|gateway| &gateway.attachments).filter_map(|attachment| attachment.vpc.known());
    let transit =
        snapshot.transit_gateways.iter().filter(|(_, gateway)| associated.contains(&*gateway.meta.id));
    let transit_vpcs = transit.flat_map(|(tgw, _)| attached_vpcs(facts, tgw));
    let attachments = snapshot.attachments.values().filter(|attachment| *attachment.resource == *id);
    let entries = associated
        .iter()
        .filter(|id| !is_transit(facts, id))
        .cloned()
        .chain(attachments.map(|a| a.meta.id.boxed()));
    Paths::new(entries.map(Entry::RouteTarget), private_vpcs.chain(transit_vpcs).map(Exit::Vpc))
}

/// A transit gateway is entered by the attachment of the Direct Connect gateway alone: its other routes are modelled.
fn is_transit(facts: &Facts<'_>, id: &str) -> bool {
    facts.snapshot.transit_gateways.values().any(|gateway| *gateway.meta.id == *id)
}

fn attached_vpcs(facts: &Facts<'_>, tgw: TgwId) -> impl Iterator<Item = VpcId> {
    let attachments =
        facts.snapshot.attachments.values().filter(move |attachment| attachment.tgw.known() == Some(tgw));
    attachments.filter_map(|attachment: &TgwAttachment| attachment.vpc.as_ref()?.vpc.known())
}

/// copies of what a mirrored interface receives and sends leave its subnet; no egress rule filters them.
fn mirror_sessions(facts: &Facts<'_>, found: &mut Found) {
    for session in &facts.inventories.mirror_sessions {
        let id = &session.traffic_mirror_session_id;
        let Some((eni, interface)) = facts
            .interface(&session.network_interface_id)
            .and_then(|eni| Some((eni, facts.snapshot.interfaces.get(eni)?)))
        else {
            found.notice(id, "the mirrored interface is not in the snapshot", &session.source);
            continue;
        };
        let groups = interface.groups.clone().unwrap_or_default();
        let exits = subnets_of(interface).map(|subnet| hidden(subnet, groups.clone())).chain([relayed(eni)]);
        let why = format!(
            "{} mirrors packets of {}: their target is not modelled (A-21)",
            &**id, interface.meta.id
        );
        let paths = Paths::new([Entry::Interface(eni), Entry::Sender(eni)], exits);
        found.add(ComponentKind::Other, id, why, &session.source, paths);
    }
}

/// members of a multicast domain may receive from any source registered in it.
fn multicast_domains(facts: &Facts<'_>, found: &mut Found) {
    for domain in facts.inventories.multicast_domains.iter().filter(|domain| !is_gone(&domain.state)) {
        let id = &domain.transit_gateway_multicast_domain_id;
        let gateways = facts.snapshot.transit_gateways.iter();
        let own = gateways.filter(|(_, gateway)| *gateway.meta.id == *domain.transit_gateway_id);
        let exits = own.flat_map(|(tgw, _)| attached_vpcs(facts, tgw)).map(Exit::Vpc);
        let why = format!("{} is a multicast domain: its members and sources are not modelled (A-21)", &**id);
        let paths = Paths::new([Entry::RouteTarget(id.boxed())], exits);
        found.notice(id, "packets to multicast addresses are not modelled (A-21)", &domain.source);
        found.add(ComponentKind::Other, id, why, &domain.source, paths);
    }
}
