//! What there is to prove of a direction, in the order in which a claim parts it.

use reachproof_model::certificate::{Accepted, WAIVERS};
use reachproof_model::policy::Property;

use super::places;
use crate::check::{CheckError, Direction, PropertyReport, ends_of_waiver, siblings};
use crate::network::Network;
use crate::region::{Region, Spot};

/// The most parts of a direction: each costs a search of its own.
const PARTS: usize = 256;

/// The sources and destinations that a waiver accepts in a direction, for certain.
pub(super) struct Waived {
    from: Region,
    to: Region,
}

impl Waived {
    /// As a claim lists it.
    pub(super) fn listed(&self, network: &Network<'_>) -> Accepted {
        Accepted { sources: places(network, &self.from), destinations: places(network, &self.to) }
    }
}

/// The direction with the other interfaces of the sources' instances among the sources (R-MBX-10).
pub(super) fn whole(network: &Network<'_>, direction: &Direction) -> Direction {
    let from = direction.from.clone().union(siblings(network, &direction.from));
    Direction { from, to: direction.to.clone(), avoid: direction.avoid.clone() }
}

/// What the waivers that count in a report accept in a whole direction.
pub(super) fn waived(
    network: &Network<'_>,
    property: &Property,
    report: &PropertyReport,
    whole: &Direction,
) -> Result<Vec<Waived>, CheckError> {
    let of_one = |waived: &crate::check::Waived| {
        let (from, to) = ends_of_waiver(network, property, &waived.waiver)?;
        let of = |asked: &Region, end: Option<Region>| match end {
            Some(end) => one_meaning(network, asked.clone().within(&end)),
            None => asked.iter().fold(Region::default(), |all, (spot, _)| all.with(spot)),
        };
        Ok(Waived { from: of(&whole.from, from), to: of(&whole.to, to) })
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

/// The parts that a claim makes of a whole direction; `None` if they are too many.
pub(super) fn parts(network: &Network<'_>, whole: Direction, waived: &[Waived]) -> Option<Vec<Direction>> {
    let mut found = Vec::new();
    if waived.is_empty() {
        found.push(whole);
    } else if waived.len() <= WAIVERS {
        rest(network, whole, waived, &mut found)?;
    } else {
        return None;
    }
    Some(found)
}

/// Adds what none of some waivers accepts.
fn rest(network: &Network<'_>, part: Direction, waived: &[Waived], found: &mut Vec<Direction>) -> Option<()> {
    let is_empty = |region: &Region| places(network, region).is_empty();
    if is_empty(&part.from) || is_empty(&part.to) {
        return Some(());
    }
    let Some((first, others)) = waived.split_first() else {
        found.push(part);
        return (found.len() <= PARTS).then_some(());
    };
    let Direction { from, to, avoid } = part;
    let beside = Direction { from: from.clone().without(&first.from), to: to.clone(), avoid: avoid.clone() };
    rest(network, beside, others, found)?;
    let inside = Direction { from: from.within(&first.from), to: to.without(&first.to), avoid };
    rest(network, inside, others, found)
}
