//! What a property is about: real pairs of a source that starts something and another place, or it is no property.

use std::collections::BTreeSet;

use reachproof_model::assumption::Assumptions;
use reachproof_model::finding::Gap;
use reachproof_model::flow::World;
use reachproof_model::id::{SubnetId, VpcId};
use reachproof_model::policy::{Form, Property, Selector};

use super::notes::Footer;
use super::{Affected, Case, Direction, Verdict};
use crate::network::{GatewayKind, Network, Role};
use crate::region::{Region, SelectionError, Spot, may_be_empty};

impl Case<'_, '_, '_> {
    pub(super) fn scope(&self) -> Affected {
        let sides = |of: fn(&Direction) -> usize| self.directions.iter().map(of).sum();
        let network = self.reach.network();
        Affected {
            sources: sides(|direction| direction.from.len()),
            destinations: sides(|direction| direction.to.len()),
            pairs: self.directions.iter().map(|direction| pairs(network, direction)).sum(),
        }
    }

    /// A-10, R-ADDR-13: interfaces of other accounts that nobody shows send, too, and have public addresses that nobody
    /// shows; no search starts at them, and none ends at these addresses. Where nothing else refutes a property about them,
    /// it is not proved.
    pub(super) fn unseen(&self, footer: &mut Footer) -> Vec<Gap> {
        let senders = self.unseen_senders();
        let public = if self.is_proof() { self.unseen_by_internet() } else { BTreeSet::new() };
        if !senders.is_empty() || !public.is_empty() {
            footer.verdict = Verdict::Unknown;
            footer.assumptions = footer.assumptions.and(Assumptions::of(&[10]));
        }
        let network = self.reach.network();
        let gaps = |subnets: BTreeSet<SubnetId>, deed: &str| -> Vec<Gap> {
            let gap = |id| Gap {
                resource: network.subnet(id).meta.id.boxed(),
                why: format!(
                    "another account owns the subnet: interfaces there that no call shows may {deed} (A-10)"
                )
                .into(),
                source: Some(network.subnet(id).meta.source.clone()),
            };
            subnets.into_iter().map(gap).collect()
        };
        let mut found = gaps(senders, "send, too");
        found.extend(gaps(public, "have public addresses"));
        found
    }

    fn unseen_senders(&self) -> BTreeSet<SubnetId> {
        let mut subnets = BTreeSet::new();
        for direction in &self.directions {
            subnets.extend(direction.from.iter().filter_map(|(spot, _)| match spot {
                Spot::Unseen(id) if direction.to.iter().any(|(other, _)| other != spot) => Some(id),
                _ => None,
            }));
        }
        subnets
    }

    /// R-IGW-4: the unseen destinations in VPCs that an internet gateway may serve.
    fn unseen_by_internet(&self) -> BTreeSet<SubnetId> {
        let network = self.reach.network();
        let served: BTreeSet<VpcId> = network
            .gateways()
            .iter()
            .filter(|(_, gateway)| gateway.kind == GatewayKind::Internet)
            .filter_map(|(_, gateway)| gateway.serves(World::Over))
            .collect();
        let mut subnets = BTreeSet::new();
        for direction in &self.directions {
            subnets.extend(direction.to.iter().filter_map(|(spot, _)| match spot {
                Spot::Unseen(id) if direction.from.iter().any(|(other, _)| other != spot) => Some(id),
                _ => None,
            }));
        }
        subnets.retain(|id| network.subnet(*id).vpc.known().is_some_and(|vpc| served.contains(&vpc)));
        subnets
    }
}

/// Pairs of a source that starts something and another place where that may end.
fn pairs(network: &Network<'_>, direction: &Direction) -> usize {
    let outside = |spot: Spot| !is_named(network, &direction.avoid, spot);
    let senders = direction.from.iter().map(|(spot, _)| spot).filter(|spot| starts(network, *spot));
    let senders: Vec<Spot> = senders.filter(|spot| outside(*spot)).collect();
    let sinks = direction.to.iter().filter(|(spot, _)| outside(*spot)).count();
    let same = senders.iter().filter(|spot| direction.to.get(**spot).is_some()).count();
    senders.len() * sinks - same
}

/// R-VPCE-5, R-VPCE-7, R-NAT-5: whether something at a place sends of its own accord.
fn starts(network: &Network<'_>, spot: Spot) -> bool {
    match spot {
        Spot::Interface(id) => Role::of(network.interface(id)).initiates(),
        Spot::Service(_) => false,
        _ => true,
    }
}

/// Whether the ids are of what packets pass, and the place is one of it.
fn is_named(network: &Network<'_>, ids: &BTreeSet<Box<str>>, spot: Spot) -> bool {
    match spot {
        Spot::Interface(id) => ids.contains(&*network.interface(id).meta.id),
        Spot::Service(id) => ids.contains(&*network.snapshot.endpoints[id].meta.id),
        _ => false,
    }
}

/// # Errors
/// If a property is about no pair, though neither end says that it may be empty.
pub(super) fn require_pairs(
    network: &Network<'_>,
    property: &Property,
    directions: &[Direction],
) -> Result<(), SelectionError> {
    if says_so(property) || directions.iter().any(|direction| pairs(network, direction) > 0) {
        return Ok(());
    }
    Err(SelectionError::of(format!(
        "`{}` is about no pair of a source that sends and another place: a property over nothing is no proof",
        property.form.keyword()
    )))
}

fn says_so(property: &Property) -> bool {
    let (left, right) = match &property.form {
        Form::Forbid(ends) | Form::Require(ends) | Form::RequireSome(ends) | Form::NoNew(ends) => {
            (&ends.from, &ends.to)
        }
        Form::OnlyThrough { ends, .. } => (&ends.from, &ends.to),
        Form::Isolate { between, and } => (between, and),
    };
    may_be_empty(left) || may_be_empty(right)
}

/// What packets must pass is on their way and not its end; only an endpoint is both.
///
/// # Errors
/// If a destination is an interface, but of no endpoint, that `through` names.
pub(super) fn require_end_elsewhere(
    network: &Network<'_>,
    through: &Selector,
    to: &Region,
    avoid: &BTreeSet<Box<str>>,
) -> Result<(), SelectionError> {
    let ends = to.iter().find_map(|(spot, _)| match spot {
        Spot::Interface(id) if is_named(network, avoid, spot) => Some(network.interface(id)),
        _ => None,
    });
    match ends {
        Some(interface) if Role::of(interface) != Role::Endpoint => Err(SelectionError::of(format!(
            "`through: {}` names `{}`, which is also a destination, so that every path to it would pass; take it out of one of both",
            through.text, interface.meta.id
        ))),
        _ => Ok(()),
    }
}
