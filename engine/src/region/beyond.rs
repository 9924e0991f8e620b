//! Networks beyond the snapshot as selectors mean them: neighbours, and those of them that may be on premises.

use ipnet::IpNet;
use reachproof_model::flow::World;
use reachproof_model::id::{PeeringId, VpcId};
use reachproof_model::policy::Pattern;
use reachproof_model::snapshot::ComponentKind;

use super::{Meaning, Region, Spot, everything};
use crate::network::{GatewayId, GatewayKind, Network};

/// R-VERDICT-7: every neighbour. What nothing but missing data shows may not be there: nothing must happen at it.
pub(super) fn add_neighbours(network: &Network<'_>, region: &mut Region) {
    for spot in neighbours(network) {
        region.add(spot, everything(), meaning_of(spot, Meaning::Named));
    }
}

/// How a neighbour is meant where others are meant like this: a component may only perhaps be what it stands for.
pub(super) fn meaning_of(spot: Spot, others: Meaning) -> Meaning {
    if matches!(spot, Spot::Component(_)) { Meaning::Perhaps } else { others }
}

/// R-VERDICT-7: every network that the snapshot leads to and does not show.
pub fn neighbours(network: &Network<'_>) -> Vec<Spot> {
    let mut spots: Vec<Spot> = virtual_gateways(network).map(Spot::Gateway).collect();
    let outside = network.snapshot.attachments.ids().filter(|id| network.is_outside_source(*id));
    spots.extend(outside.map(Spot::Attachment));
    spots.extend(network.snapshot.peerings.ids().filter(|id| has_unknown_side(network, *id)).map(Spot::Peer));
    let components = network.components().iter();
    let networks = components.filter(|(_, component)| component.kind == ComponentKind::Neighbour);
    spots.extend(networks.map(|(id, _)| Spot::Component(id)));
    spots
}

fn virtual_gateways<'n>(network: &'n Network<'_>) -> impl Iterator<Item = GatewayId> + 'n {
    let rows = network.gateways().iter().filter(|(_, gateway)| gateway.kind == GatewayKind::Virtual);
    rows.filter(|(_, gateway)| gateway.serves(World::Over).is_some()).map(|(id, _)| id)
}

pub(super) fn has_unknown_side(network: &Network<'_>, id: PeeringId) -> bool {
    let peering = &network.snapshot.peerings[id];
    let sides = [peering.requester.vpc.known(), peering.accepter.vpc.known()];
    let usable = |vpc: VpcId| network.peering_usable(id, vpc, World::Over);
    sides.contains(&None) && sides.iter().flatten().any(|vpc| usable(*vpc))
}

pub(super) fn add_onprem(
    network: &Network<'_>,
    region: &mut Region,
    gateway: Option<&Pattern>,
    addresses: Option<IpNet>,
) {
    for spot in neighbours(network) {
        if let Some(meaning) = on_premises(network, spot, gateway) {
            region.add(spot, addresses.map_or_else(everything, |range| vec![range]), meaning);
        }
    }
}

/// R-VERDICT-5, R-TGW-15: how a neighbour is meant by `onprem`. Networks on premises may also hang on a transit gateway
/// that cannot be described, or whatever else no answer describes.
fn on_premises(network: &Network<'_>, spot: Spot, gateway: Option<&Pattern>) -> Option<Meaning> {
    let named = |id: &str| gateway.is_none_or(|pattern| pattern.matches(id));
    match spot {
        Spot::Gateway(id) => named(&network.gateways()[id].id).then_some(Meaning::Named),
        Spot::Attachment(id) => {
            let record = network.attachment(id);
            let plain = gateway.is_some() || !matches!(&*record.kind, "vpc" | "peering");
            let perhaps = network.has_unknown_tables(record) || &*record.kind == "peering";
            let meaning = if plain { Some(Meaning::Named) } else { perhaps.then_some(Meaning::Perhaps) };
            meaning.filter(|_| named(&record.meta.id))
        }
        Spot::Peer(id) => {
            let named = gateway.is_some() && named(&network.snapshot.peerings[id].meta.id);
            named.then_some(Meaning::Named)
        }
        Spot::Component(id) => {
            let perhaps = network.may_be_on_premises(id) && named(&network.components()[id].id);
            perhaps.then_some(Meaning::Perhaps)
        }
        _ => None,
    }
}
