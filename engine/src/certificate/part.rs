//! What there is to prove of a direction, in the order in which a claim parts it.

use std::collections::BTreeSet;

use reachproof_model::certificate::{Pairs, WAIVERS};
use reachproof_model::policy::Property;

use super::places;
use crate::check::{CheckError, Direction, PropertyReport, ends_of_waiver, siblings};
use crate::network::Network;
use crate::region::{Region, Spot};

/// The most parts of a direction: each costs a search of its own.
const PARTS: usize = 256;

/// Pairs of a direction that are not proved with its rest.
pub(super) struct Cut {
    pub(super) from: Region,
    pub(super) to: Region,
}

impl Cut {
    /// As a direction of its own.
    pub(super) fn direction(&self, avoid: &BTreeSet<Box<str>>) -> Direction {
        Direction { from: self.from.clone(), to: self.to.clone(), avoid: avoid.clone() }
    }

    /// As a claim lists it.
    pub(super) fn listed(&self, network: &Network<'_>) -> Pairs {
        Pairs { sources: places(network, &self.from), destinations: places(network, &self.to) }
    }
}

/// The direction with the other interfaces of the sources' instances among the sources (R-MBX-10).
pub(super) fn whole(network: &Network<'_>, direction: &Direction) -> Direction {
    let from = direction.from.clone().union(siblings(network, &direction.from));
    Direction { from, to: direction.to.clone(), avoid: direction.avoid.clone() }
}

/// What the waivers that count in a report accept in a whole direction, for certain.
pub(super) fn waived(
    network: &Network<'_>,
    property: &Property,
    report: &PropertyReport,
    whole: &Direction,
) -> Result<Vec<Cut>, CheckError> {
    let of_one = |waived: &crate::check::Waived| {
        let (from, to) = ends_of_waiver(network, property, &waived.waiver)?;
        let of = |asked: &Region, end: Option<Region>| match end {
            Some(end) => one_meaning(network, asked.clone().within(&end)),
            None => asked.iter().fold(Region::default(), |all, (spot, _)| all.with(spot)),
        };
        Ok(Cut { from: of(&whole.from, from), to: of(&whole.to, to) })
    };
    report.waived.iter().map(of_one).collect()
}

/// Without components of which only some of the same name are meant alike: a claim names them all.
fn one_meaning(network: &Network<'_>, region: Region) -> Region {
    let name = |spot| match spot {
        Spot::Component(id) => network.components().get(id).map(|row| &row.id),
        _ => None,
    };
    let alike = |spot: Spot| {
        let others = network.components().ids().map(Spot::Component);
        let mut others = others.filter(|other| name(spot).is_some() && name(*other) == name(spot));
        others.all(|other| region.get(other) == region.get(spot))
    };
    let lone: Vec<Spot> = region.iter().map(|(spot, _)| spot).filter(|spot| !alike(*spot)).collect();
    let parted = lone.into_iter().fold(Region::default(), Region::with);
    region.without(&parted)
}

/// The parts that pairs make of a direction; `None` if they are too many.
pub(super) fn parts(network: &Network<'_>, whole: Direction, cuts: &[Cut]) -> Option<Vec<Direction>> {
    let mut found = Vec::new();
    if cuts.is_empty() {
        found.push(whole);
    } else if cuts.len() <= WAIVERS {
        rest(network, whole, cuts, &mut found)?;
    } else {
        return None;
    }
    Some(found)
}

/// Adds what none of some pairs are.
fn rest(network: &Network<'_>, part: Direction, cuts: &[Cut], found: &mut Vec<Direction>) -> Option<()> {
    let is_empty = |region: &Region| places(network, region).is_empty();
    if is_empty(&part.from) || is_empty(&part.to) {
        return Some(());
    }
    let Some((first, others)) = cuts.split_first() else {
        found.push(part);
        return (found.len() <= PARTS).then_some(());
    };
    let Direction { from, to, avoid } = part;
    let beside = Direction { from: from.clone().without(&first.from), to: to.clone(), avoid: avoid.clone() };
    rest(network, beside, others, found)?;
    let inside = Direction { from: from.within(&first.from), to: to.without(&first.to), avoid };
    rest(network, inside, others, found)
}
