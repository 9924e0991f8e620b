//! Resources as selectors name them: by their ids, names and tags, with what the snapshot may not show of these.

use reachproof_model::id::{EndpointId, EniId, Ref};
use reachproof_model::policy::Term;
use reachproof_model::snapshot::{ComponentKind, EndpointKind, Meta};

use super::{Meaning, Region, Spot, everything, has_unknown_side};
use crate::network::{GatewayKind, Network};

/// R-ADDR-4: what every resource with matching metadata stands for; an instance for each of its interfaces.
pub(super) fn add_matching(network: &Network<'_>, region: &mut Region, matches: impl Fn(&Meta) -> bool) {
    let snapshot = network.snapshot;
    let mut interfaces: Vec<EniId> = Vec::new();
    let own = snapshot.interfaces.iter().filter(|(_, interface)| matches(&interface.meta)).map(|(id, _)| id);
    interfaces.extend(own);
    let instances = snapshot.instances.values().filter(|instance| matches(&instance.meta));
    interfaces.extend(instances.flat_map(|instance| instance.interfaces.iter().copied()));
    let subnets = snapshot.subnets.iter().filter(|(_, subnet)| matches(&subnet.meta));
    interfaces.extend(subnets.flat_map(|(id, _)| network.interfaces_in_subnet(id).iter().copied()));
    let vpcs = snapshot.vpcs.iter().filter(|(_, vpc)| matches(&vpc.meta));
    interfaces.extend(vpcs.flat_map(|(id, _)| network.interfaces_in_vpc(id).iter().copied()));
    add_unseen(network, region, &matches);
    for (id, _) in snapshot.groups.iter().filter(|(_, group)| matches(&group.meta)) {
        interfaces.extend(network.members(id));
        let possible = network.possible_members(id);
        possible.for_each(|id| region.add(Spot::Interface(id), everything(), Meaning::Perhaps));
    }
    let nats = snapshot.nat_gateways.values().filter(|nat| matches(&nat.meta));
    interfaces.extend(
        nats.flat_map(|nat| &nat.addresses).filter_map(|row| row.interface.as_ref().and_then(Ref::known)),
    );
    interfaces.into_iter().for_each(|id| region.add_all(Spot::Interface(id)));
    add_matching_edges(network, region, matches);
}

pub(super) const INSTANCES: &str = "ec2 describe-instances";

pub(super) fn names_metadata(term: &Term) -> bool {
    matches!(term, Term::Name(_) | Term::Tag { .. })
}

/// R-DATA-4: an instance that no answer describes may bear any name and tag, for all of its interfaces.
pub(super) fn add_undescribed(network: &Network<'_>, region: &mut Region) {
    for (id, interface) in network.snapshot.interfaces.iter() {
        let instance = interface.attachment.as_ref().and_then(|attachment| attachment.instance.as_ref());
        if instance.is_some_and(|instance| instance.known().is_none()) {
            region.add(Spot::Interface(id), everything(), Meaning::Perhaps);
        }
    }
}

/// R-ADDR-13: what no call shows of the subnets that are meant, by their own names or those of their VPCs. It counts where
/// something must not happen.
pub(super) fn add_unseen(network: &Network<'_>, region: &mut Region, matches: impl Fn(&Meta) -> bool) {
    let snapshot = network.snapshot;
    for (id, subnet) in snapshot.subnets.iter() {
        let named =
            matches(&subnet.meta) || subnet.vpc.known().is_some_and(|vpc| matches(&snapshot.vpcs[vpc].meta));
        if named && network.hides_interfaces(&subnet.meta) {
            region.add(Spot::Unseen(id), everything(), Meaning::Among);
        }
    }
}

/// R-VERDICT-5: who comes in by a managed ingress, or consumes an endpoint service, by the id of that.
pub(super) fn add_ways_in(network: &Network<'_>, region: &mut Region, term: &Term) {
    let Term::Id(pattern) = term else { return };
    let named = network.components().iter().filter(|(_, component)| pattern.matches(&component.id));
    let outside = [ComponentKind::Neighbour, ComponentKind::ManagedIngress, ComponentKind::EndpointService];
    let ways_in = named.filter(|(_, component)| outside.contains(&component.kind));
    ways_in.for_each(|(id, _)| region.add_all(Spot::Component(id)));
}

fn add_matching_edges(network: &Network<'_>, region: &mut Region, matches: impl Fn(&Meta) -> bool) {
    let snapshot = network.snapshot;
    for (id, _) in snapshot.endpoints.iter().filter(|(_, endpoint)| matches(&endpoint.meta)) {
        endpoint_spots(network, id).into_iter().for_each(|spot| region.add_all(spot));
    }
    let attachments = snapshot.attachments.iter().filter(|(_, attachment)| matches(&attachment.meta));
    attachments.for_each(|(id, _)| region.add_all(Spot::Attachment(id)));
    let of_matching_tgw = snapshot.attachments.iter().filter(|(_, attachment)| {
        attachment.tgw.known().is_some_and(|tgw| matches(&snapshot.transit_gateways[tgw].meta))
    });
    of_matching_tgw.for_each(|(id, _)| region.add_all(Spot::Attachment(id)));
    for gateway in snapshot.virtual_gateways.values().filter(|gateway| matches(&gateway.meta)) {
        let ids = network.gateways_named(GatewayKind::Virtual, &gateway.meta.id);
        ids.for_each(|id| region.add_all(Spot::Gateway(id)));
    }
    add_internet_behind(network, region, &matches);
    let peerings = snapshot.peerings.iter().filter(|(_, peering)| matches(&peering.meta));
    peerings
        .filter(|(id, _)| has_unknown_side(network, *id))
        .for_each(|(id, _)| region.add_all(Spot::Peer(id)));
}

/// R-VERDICT-5: who is behind an internet gateway is the internet; where others are there, some of it may come by them.
fn add_internet_behind(network: &Network<'_>, region: &mut Region, matches: impl Fn(&Meta) -> bool) {
    let gateways = network.snapshot.internet_gateways.values();
    let (meant, others): (Vec<_>, Vec<_>) = gateways.partition(|gateway| matches(&gateway.meta));
    if !meant.is_empty() {
        let meaning = if others.is_empty() { Meaning::Named } else { Meaning::Perhaps };
        region.add(Spot::Internet, everything(), meaning);
    }
}

pub(super) fn endpoint_spots(network: &Network<'_>, id: EndpointId) -> Vec<Spot> {
    let endpoint = &network.snapshot.endpoints[id];
    match endpoint.kind {
        EndpointKind::Gateway => vec![Spot::Service(id)],
        _ => endpoint.interfaces.iter().filter_map(Ref::known).map(Spot::Interface).collect(),
    }
}
