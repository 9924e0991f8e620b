//! The obligations of one part of a direction: a walk for every source and component entered, each closed, none arriving.

use std::collections::{BTreeMap, BTreeSet};

use reachproof_model::certificate::{Family, Place, Proof, Start};
use reachproof_model::id::VpcId;
use reachproof_model::snapshot::Entry;

use crate::Rejection;
use crate::area::{Interval, common};
use crate::gateway::Kind;
use crate::name::place_name;
use crate::net::Net;
use crate::part::{Aim, Part, interface};
use crate::state::{Role, role};
use crate::walk::{Ground, Walk};

/// What the walks of one start came to.
#[derive(Default)]
struct Outcome {
    families: BTreeSet<Family>,
    arrived: BTreeMap<Place, String>,
    entered: BTreeSet<Box<str>>,
}

/// Checks a proof of one part of a direction.
pub(crate) fn check(net: &Net<'_>, part: &Part<'_>, proof: &Proof) -> Result<(), Rejection> {
    let ground = Ground::of(net, part);
    let mut outcomes: BTreeMap<&Start, Outcome> = BTreeMap::new();
    for recorded in &proof.walks {
        let mut walk = Walk::of(&ground, recorded);
        walk.check(&recorded.start, &recorded.invariant)?;
        let (arrived, entered) = (walk.arrived, walk.entered);
        let outcome = outcomes.entry(&recorded.start).or_default();
        outcome.families.insert(recorded.family);
        outcome.arrived.extend(arrived);
        outcome.entered.extend(entered);
    }
    sources_are_covered(net, part, &outcomes)?;
    require_no_unseen_public(net, part)?;
    let is_source = |start: &&&Start| match start {
        Start::Place(place) => part.sources.contains_key(place),
        Start::Class(_) => true,
    };
    outcomes.keys().filter(is_source).try_for_each(|start| nothing_arrives(net, part, &outcomes, start))
}

/// Obligation (iii): what sets out from a start, also by way of components, arrives at no destination but its own place.
fn nothing_arrives(
    net: &Net<'_>,
    part: &Part<'_>,
    outcomes: &BTreeMap<&Start, Outcome>,
    start: &Start,
) -> Result<(), Rejection> {
    let own = match start {
        Start::Class(members) => match members.as_slice() {
            [only] => Some(Place::Interface(*only)),
            _ => None,
        },
        // By the way that it came an answer may go on to whoever asked.
        Start::Place(_) if part.answering().is_some() => None,
        Start::Place(Place::Component(_)) => None,
        Start::Place(place) => Some(place.clone()),
    };
    // The walk of a component is judged with those that lead into it.
    let mut seen: BTreeSet<Start> = BTreeSet::new();
    let mut next = vec![start.clone()];
    while let Some(start) = next.pop() {
        let Some(outcome) = outcomes.get(&start) else { continue };
        if let Some((place, how)) = outcome.arrived.iter().find(|(place, _)| own.as_ref() != Some(*place)) {
            let place = place_name(net, place);
            let what = match part.aim {
                Aim::Arrival => "something arrives at",
                Aim::Unfollowed => "what no answer can be followed of arrives at",
                Aim::Answer(_) => "an answer is back at",
            };
            return Err(Rejection::of(format!(
                "the invariant does not miss what is forbidden: {what} {place} from {how}"
            )));
        }
        for id in &outcome.entered {
            if part.answering().is_some() {
                return Err(Rejection::of(format!(
                    "an answer enters {id}, and may come back from there (A-22)"
                )));
            }
            let component = Start::Place(Place::Component(id.clone()));
            let families = outcomes.get(&component).map_or(0, |outcome| outcome.families.len());
            if families < 2 {
                return Err(Rejection::of(format!(
                    "something enters {id}, and what comes out of it is in no invariant"
                )));
            }
            if seen.insert(component.clone()) {
                next.push(component);
            }
        }
    }
    Ok(())
}

/// Every source is where a walk of each of its families starts.
fn sources_are_covered(
    net: &Net<'_>,
    part: &Part<'_>,
    outcomes: &BTreeMap<&Start, Outcome>,
) -> Result<(), Rejection> {
    let mut walked: BTreeSet<(Place, Family)> = BTreeSet::new();
    for (start, outcome) in outcomes {
        let places: Vec<Place> = match start {
            Start::Class(members) => members.iter().copied().map(Place::Interface).collect(),
            Start::Place(place) => vec![place.clone()],
        };
        walked.extend(
            places.iter().flat_map(|place| outcome.families.iter().map(|family| (place.clone(), *family))),
        );
    }
    for (place, meant) in &part.sources {
        for family in [Family::V4, Family::V6] {
            let sends = may_send(net, part, place, family, meant.of(family))?;
            if sends && !walked.contains(&(place.clone(), family)) {
                let place = place_name(net, place);
                return Err(Rejection::of(format!(
                    "{place} is a source, and no walk starts there with {family:?}"
                )));
            }
        }
    }
    Ok(())
}

/// A-10, R-IGW-4: interfaces that no call shows may have public addresses that none shows, by which no walk gets to them.
fn require_no_unseen_public(net: &Net<'_>, part: &Part<'_>) -> Result<(), Rejection> {
    let served = |vpc: VpcId| net.gateways.iter().any(|row| row.kind == Kind::Internet && row.vpc == vpc);
    for place in part.destinations.keys() {
        let Place::Unseen(subnet) = place else { continue };
        let elsewhere = part.sources.keys().any(|other| other != place);
        if elsewhere && net.s.subnets[*subnet].vpc.known().is_some_and(served) {
            let place = place_name(net, place);
            return Err(Rejection::of(format!(
                "cannot check what reaches interfaces in {place} by public addresses that no call shows (A-10)"
            )));
        }
    }
    Ok(())
}

/// R-VPCE-5, R-VPCE-7: whether packets of a family may start at a place from addresses that are meant.
fn may_send(
    net: &Net<'_>,
    part: &Part<'_>,
    place: &Place,
    family: Family,
    meant: &[Interval],
) -> Result<bool, Rejection> {
    let answers = part.answering().is_some();
    if answers {
        net.require_answerable(place, &part.destinations)?;
    }
    if part.answering().is_some_and(|answers| !answers.is_asked(family)) {
        return Ok(false);
    }
    match place {
        Place::Interface(id) => {
            let own = net.may_send_from(*id, family);
            let any = own.iter().any(|own| meant.iter().any(|meant| common(*own, *meant).is_some()));
            Ok(any && role(net.interface(*id)) == Role::Plain)
        }
        Place::Service(_) if answers => Ok(!meant.is_empty()),
        Place::Service(_) => Ok(false),
        Place::Unseen(_) if part.destinations.keys().all(|other| other == place) => Ok(false),
        Place::Unseen(_) => {
            let place = place_name(net, place);
            Err(Rejection::of(format!(
                "cannot check what interfaces in {place} send that no call shows (A-10)"
            )))
        }
        _ => Ok(!meant.is_empty()),
    }
}

impl<'c, 's> Ground<'c, 's> {
    fn of(net: &'c Net<'s>, part: &'c Part<'c>) -> Self {
        let entered = net.components.values().flat_map(|row| &row.entries).filter_map(|entry| match entry {
            Entry::Interface(id) => Some(*id),
            _ => None,
        });
        let notable = entered.chain(part.destinations.keys().filter_map(interface)).collect();
        let unfollowed = matches!(part.aim, Aim::Unfollowed);
        let translators = if unfollowed { net.translators() } else { Vec::new() };
        Self { net, part, notable, translators }
    }
}
