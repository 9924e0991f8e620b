//! Properties decided over every source and every header.
//!
//! The entry point is [`check`]. What the three verdicts claim:
//!
//! * `Holds` iff the permissive world, in which every unknown permits, satisfies the property (for forbidding forms),
//!   or the restrictive world does (for requiring forms). No packet can make it wrong as long as the assumptions printed
//!   with it are true.
//! * `Violated` iff the world of the other side contradicts it: a flow that arrives whatever the unknowns are, or a pair
//!   that nothing joins whatever they are. Each witness has been replayed by [`crate::trace`], which shares no logic with
//!   the search; a witness that does not replay is a [`CheckError`], never an answer.
//! * `Unknown` otherwise; the gaps and assumptions say what decides.

mod affected;
mod beyond;
mod bundle;
mod demand;
mod destinations;
mod ends;
mod fabric;
mod gather;
mod neighbour;
mod notes;
mod place;
mod replies;
mod require;
mod scope;
mod sent;
mod shortlist;
mod waiver;
mod witness;

use std::collections::BTreeSet;
use std::fmt;

use reachproof_model::assumption::Assumptions;
use reachproof_model::finding::Gap;
use reachproof_model::flow::Question;
use reachproof_model::id::EniId;
use reachproof_model::policy::{Ends, Form, Policy, Property, Selector, TrafficSpec, Waiver};
use reachproof_model::snapshot::Snapshot;

use crate::evidence::{Trace, TraceVerdict};
use crate::hypothetical::{require_internet_beside_public, selectors, supposing};
use crate::network::{Network, Sink, SourcePlace};
use crate::reach::{Exhausted, Reach};
use crate::region::{Region, SelectionError, Spot, resolve, select, taken};
use affected::affected;
use bundle::Bundle;
use gather::gather_to;
pub(crate) use gather::{Wanted, gather};
pub(crate) use replies::{asked_by_destinations, is_about_errors};

/// The answer about one property.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Verdict {
    /// Proved.
    Holds,
    /// Refuted, with a witness.
    Violated,
    /// The snapshot does not tell.
    Unknown,
}

/// The answer about one property, with its evidence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PropertyReport {
    /// Its name.
    pub name: Box<str>,
    /// Why it matters, as the policy says.
    pub why: Option<Box<str>>,
    /// Controls that it stands for, as the policy says.
    pub controls: Vec<Box<str>>,
    /// How bad a violation is, as the policy says.
    pub severity: Option<&'static str>,
    /// The keyword of its form.
    pub form: &'static str,
    /// What was asked of each pair.
    pub question: Question,
    /// The answer.
    pub verdict: Verdict,
    /// One for each distinct way in which it fails or may fail, in stable order.
    pub witnesses: Vec<Witness>,
    /// How many sources and destinations fail or may fail.
    pub affected: Affected,
    /// How many sources and destinations it is about.
    pub scope: Affected,
    /// What the verdict rests on.
    pub assumptions: Assumptions,
    /// The same in words, where there is more to say than the assumption's name.
    pub notes: Vec<Box<str>>,
    /// What made it unknown.
    pub gaps: Vec<Gap>,
    /// Failures that a waiver accepts; they do not count.
    pub waived: Vec<Waived>,
}

/// Numbers of endpoints.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Affected {
    /// Sources.
    pub sources: usize,
    /// Destinations.
    pub destinations: usize,
    /// Pairs of both.
    pub pairs: usize,
}

/// One way in which a property fails or may fail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Witness {
    /// Where the flow starts, by name.
    pub from: Box<str>,
    /// Where it ends, or should, by name.
    pub to: Box<str>,
    /// Where the flow starts.
    pub source: SourcePlace,
    /// Where it ends, or should.
    pub sink: Sink,
    /// The journey, replayed.
    pub trace: Trace,
    /// How many pairs fail this way.
    pub pairs: usize,
}

/// Failures that a waiver accepts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waived {
    /// The waiver.
    pub waiver: Waiver,
    /// How many pairs.
    pub pairs: usize,
}

/// Why nothing was decided.
#[derive(Debug)]
pub struct CheckError {
    kind: ErrorKind,
}

#[derive(Debug)]
enum ErrorKind {
    Selection { property: Box<str>, place: String, error: SelectionError },
    Unsupported { property: Box<str>, place: String, form: &'static str },
    Exhausted(Exhausted),
    Mismatch { property: Box<str>, detail: String },
}

impl CheckError {
    /// Whether the engine contradicts itself: a defect of reachproof, not of the input.
    pub fn is_internal(&self) -> bool {
        matches!(self.kind, ErrorKind::Mismatch { .. })
    }

    /// The limit that was hit, if that is why.
    pub fn exhausted(&self) -> Option<Exhausted> {
        match self.kind {
            ErrorKind::Exhausted(exhausted) => Some(exhausted),
            _ => None,
        }
    }
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ErrorKind::Selection { property, place, error } => {
                write!(f, "{place}: property `{property}`: {error}")
            }
            ErrorKind::Unsupported { property, place, form } => write!(
                f,
                "{place}: property `{property}`: `{form}` compares two snapshots and `check` has one; state it with `forbid`"
            ),
            ErrorKind::Exhausted(exhausted) => exhausted.fmt(f),
            ErrorKind::Mismatch { property, detail } => write!(
                f,
                "internal error: property `{property}`: the search and the replay disagree about {detail}; nothing was decided; please report this"
            ),
        }
    }
}

impl std::error::Error for CheckError {}

impl From<Exhausted> for CheckError {
    fn from(exhausted: Exhausted) -> Self {
        Self { kind: ErrorKind::Exhausted(exhausted) }
    }
}

/// Decides every property of a policy, in the order of the policy.
///
/// # Errors
/// If a selector stands for nothing, a limit is hit, or a witness does not replay; then nothing is decided.
pub fn check(
    network: &Network<'_>,
    policy: &Policy,
    today: jiff::civil::Date,
) -> Result<Vec<PropertyReport>, CheckError> {
    let reach = Reach::of(network);
    let decide = |property: &Property| {
        let supposing = supposing(network, selectors(property))
            .map_err(|error| selection(property, property.place.to_string(), error))?;
        match supposing {
            None => Case::of(&reach, policy, property, today)?.decide(),
            Some(snapshot) => decide_supposing(network, &snapshot, policy, property, today),
        }
    };
    policy.properties.iter().map(decide).collect()
}

/// Decides a property about interfaces that do not exist yet, in a network that has them.
fn decide_supposing(
    network: &Network<'_>,
    snapshot: &Snapshot,
    policy: &Policy,
    property: &Property,
    today: jiff::civil::Date,
) -> Result<PropertyReport, CheckError> {
    let network = network.with_snapshot(snapshot);
    Case::of(&Reach::of(&network), policy, property, today)?.decide()
}

/// The answer about all flows of some headers from a region to one address, wherever it may lie: as [`answer`].
///
/// # Errors
/// If a limit is hit.
pub fn answer_to_address(
    reach: &Reach<'_, '_>,
    from: &Region,
    address: std::net::IpAddr,
    traffic: &[TrafficSpec],
    question: Question,
) -> Result<TraceVerdict, CheckError> {
    let (certain, possible) = sent::sent_to(reach, from, address, traffic, question)?;
    Ok(match (certain, possible) {
        (true, _) => TraceVerdict::Reaches,
        (false, true) => TraceVerdict::Unknown,
        (false, false) => TraceVerdict::Blocked,
    })
}

/// The answer about all flows of some headers between two regions: `Reaches` iff some flow passes whatever the unknowns
/// are, `Blocked` iff none does whatever they are.
///
/// # Errors
/// If a limit is hit.
pub fn answer(
    reach: &Reach<'_, '_>,
    from: &Region,
    to: &Region,
    traffic: &[TrafficSpec],
    question: Question,
) -> Result<TraceVerdict, CheckError> {
    let found = gather(reach, &Wanted { from, to, traffic, question, avoid: BTreeSet::new() })?;
    Ok(match (found.iter().any(|bundle| bundle.certain), found.is_empty()) {
        (true, _) => TraceVerdict::Reaches,
        (false, true) if !fabric::joins(reach.network(), from, to, traffic) => TraceVerdict::Blocked,
        (false, _) => TraceVerdict::Unknown,
    })
}

/// One property with what its selectors stand for.
struct Case<'c, 'n, 's> {
    reach: &'c Reach<'n, 's>,
    property: &'c Property,
    /// (sources, destinations, ways that are allowed) of each direction that is asked for.
    directions: Vec<Direction>,
    waivers: Vec<(&'c Waiver, Option<Region>, Option<Region>)>,
    /// Where replies count: the network in which they are let in.
    answering: Option<Network<'s>>,
}

/// From where to where something must or must not pass, and what it may pass.
pub(crate) struct Direction {
    pub(crate) from: Region,
    pub(crate) to: Region,
    pub(crate) avoid: BTreeSet<Box<str>>,
}

impl Direction {
    /// Whether some of what a source stands for is only perhaps what is meant.
    pub(crate) fn is_vague(&self, source: SourcePlace) -> bool {
        let extent = Spot::source_of(source).and_then(|spot| self.from.get(spot));
        extent.is_some_and(|extent| extent.certain != extent.blocks)
    }

    /// The same to other places.
    fn towards(&self, to: Region) -> Self {
        Self { from: self.from.clone(), to, avoid: self.avoid.clone() }
    }

    /// From the destinations to the sources.
    pub(crate) fn turned(&self) -> Self {
        Self { from: self.to.clone(), to: self.from.clone(), avoid: self.avoid.clone() }
    }
}

impl<'c, 'n, 's> Case<'c, 'n, 's> {
    fn of(
        reach: &'c Reach<'n, 's>,
        policy: &'c Policy,
        property: &'c Property,
        today: jiff::civil::Date,
    ) -> Result<Self, CheckError> {
        let directions = directions(reach.network(), property)?;
        for direction in &directions {
            require_internet_beside_public(reach.network(), &direction.from, &direction.to)
                .map_err(|error| selection(property, property.place.to_string(), error))?;
        }
        let applying = policy
            .waivers
            .iter()
            .filter(|waiver| waiver.property == property.name && waiver.applies_on(today));
        let mut waivers = Vec::new();
        for waiver in applying {
            let (from, to) = ends_of_waiver(reach.network(), property, waiver)?;
            waivers.push((waiver, from, to));
        }
        scope::require_pairs(reach.network(), property, &directions)
            .map_err(|error| selection(property, property.place.to_string(), error))?;
        let answering = property.including_replies.then(|| reach.network().including_replies());
        Ok(Self { reach, property, directions, waivers, answering })
    }

    fn decide(&self) -> Result<PropertyReport, CheckError> {
        match self.property.form {
            Form::Require(_) => self.required(true),
            Form::RequireSome(_) => self.required(false),
            _ => self.forbidden(self.passing()?),
        }
    }

    /// The pairs that something passes between, also by other interfaces of the sources' instances, and as answers where
    /// these count.
    fn passing(&self) -> Result<Vec<Bundle>, CheckError> {
        let mut found: Vec<Bundle> = Vec::new();
        for direction in &self.directions {
            let wanted = self.wanted(direction, &direction.from);
            let to = wanted.destinations(self.reach)?;
            let own = gather_to(self.reach, &wanted, &to)?.into_iter();
            found.extend(own.map(
                |bundle| match bundle.sources.iter().any(|from| direction.is_vague(*from)) {
                    true => bundle.only_possible(),
                    false => bundle,
                },
            ));
            let siblings = siblings(self.reach.network(), &direction.from);
            let others = gather_to(self.reach, &self.wanted(direction, &siblings), &to)?;
            found.extend(others.into_iter().map(Bundle::only_possible));
            if let Some(answering) = &self.answering {
                let answering = Reach::of(answering);
                found.extend(self.answers(&answering, direction, &direction.from, &found)?);
                let others = self.answers(&answering, direction, &siblings, &found)?;
                found.extend(others.into_iter().map(Bundle::only_possible));
            }
        }
        Ok(found)
    }

    fn wanted<'d>(&'d self, direction: &'d Direction, from: &'d Region) -> Wanted<'d> {
        Wanted {
            from,
            to: &direction.to,
            traffic: &self.property.traffic,
            question: self.property.question,
            avoid: direction.avoid.clone(),
        }
    }

    /// Forbidding forms: no pair may pass.
    fn forbidden(&self, found: Vec<Bundle>) -> Result<PropertyReport, CheckError> {
        let (open, waived) = self.without_waived(found)?;
        let certain: Vec<&Bundle> = open.iter().filter(|bundle| bundle.certain).collect();
        let (verdict, failing) = match (certain.is_empty(), open.is_empty()) {
            (false, _) => (Verdict::Violated, certain),
            (true, false) => (Verdict::Unknown, open.iter().collect()),
            (true, true) => (Verdict::Holds, Vec::new()),
        };
        let witnesses = self.replay(&failing, verdict == Verdict::Violated)?;
        if verdict == Verdict::Violated && witnesses.is_empty() {
            return Err(self.without_witness());
        }
        self.report(verdict, &failing, witnesses, waived)
    }

    /// What passes for certain has a flow that shows it.
    fn without_witness(&self) -> CheckError {
        let (property, detail) = (self.property.name.clone(), "which flow violates it: there is none".into());
        CheckError { kind: ErrorKind::Mismatch { property, detail } }
    }

    fn report(
        &self,
        verdict: Verdict,
        failing: &[&Bundle],
        witnesses: Vec<Witness>,
        waived: Vec<Waived>,
    ) -> Result<PropertyReport, CheckError> {
        let mut footer = self.footer(verdict, &witnesses)?;
        let mut gaps = self.gaps(&witnesses);
        if verdict == Verdict::Holds {
            gaps.extend(self.unseen(&mut footer));
            gaps.extend(self.fabric(&mut footer));
        }
        Ok(PropertyReport {
            name: self.property.name.clone(),
            why: self.property.why.clone(),
            controls: self.property.controls.clone(),
            severity: self.property.severity.map(|severity| severity.name()),
            form: self.property.form.keyword(),
            question: self.property.question,
            verdict: footer.verdict,
            affected: affected(failing),
            scope: self.scope(),
            gaps,
            // What satisfies a requirement is no witness of its failing.
            witnesses: if verdict == Verdict::Holds { Vec::new() } else { witnesses },
            assumptions: footer.assumptions,
            notes: footer.notes,
            waived,
        })
    }
}

/// R-MBX-10, A-8: the other interfaces of the sources' instances, by which the guest may send instead.
pub(crate) fn siblings(network: &Network<'_>, from: &Region) -> Region {
    let mut found = Region::default();
    for (spot, _) in from.iter() {
        let Spot::Interface(id) = spot else { continue };
        for sibling in network.siblings_of(id).into_iter().map(Spot::Interface) {
            if from.get(sibling).is_none() {
                found = found.with(sibling);
            }
        }
    }
    found
}

/// What a property asks, its selectors resolved.
pub(crate) fn directions(network: &Network<'_>, property: &Property) -> Result<Vec<Direction>, CheckError> {
    let located = |error| selection(property, property.place.to_string(), error);
    let side = |selector: &Selector| select(network, selector).map_err(located);
    let nothing = BTreeSet::new;
    match &property.form {
        Form::Forbid(ends) => {
            let (from, to) = ends_of(network, property, ends)?;
            Ok(vec![Direction { from, to, avoid: nothing() }])
        }
        Form::Require(ends) | Form::RequireSome(ends) => {
            let (from, to) = ends_of(network, property, ends)?;
            Ok(vec![Direction { from: from.explicit(), to: to.explicit(), avoid: nothing() }])
        }
        Form::OnlyThrough { ends, through } => {
            let (from, to) = ends_of(network, property, ends)?;
            let avoid = avoided(network, through).map_err(located)?;
            scope::require_end_elsewhere(network, through, &to, &avoid).map_err(located)?;
            Ok(vec![Direction { from, to, avoid }])
        }
        Form::Isolate { between, and } => {
            let (left, right) = (side(between)?, side(and)?);
            let there = Direction { from: left.clone(), to: right.clone(), avoid: nothing() };
            Ok(vec![there, Direction { from: right, to: left, avoid: nothing() }])
        }
        Form::NoNew(_) => {
            let (property_name, place) = (property.name.clone(), property.place.to_string());
            let kind =
                ErrorKind::Unsupported { property: property_name, place, form: property.form.keyword() };
            Err(CheckError { kind })
        }
    }
}

fn ends_of(network: &Network<'_>, property: &Property, ends: &Ends) -> Result<(Region, Region), CheckError> {
    let located = |error| selection(property, property.place.to_string(), error);
    let mut from = select(network, &ends.from).map_err(located)?;
    let mut to = select(network, &ends.to).map_err(located)?;
    if let Some(except) = &ends.except_from {
        from = from.without(&taken(network, except).map_err(located)?);
    }
    if let Some(except) = &ends.except_to {
        to = to.without(&taken(network, except).map_err(located)?);
    }
    Ok((from, to))
}

/// What a waiver of a property names at either end; any where it names nothing.
pub(crate) fn ends_of_waiver(
    network: &Network<'_>,
    property: &Property,
    waiver: &Waiver,
) -> Result<(Option<Region>, Option<Region>), CheckError> {
    let region = |selector: &Option<Selector>| {
        let found = selector.as_ref().map(|selector| resolve(network, selector)).transpose();
        found.map_err(|error| selection(property, waiver.place.to_string(), error))
    };
    Ok((region(&waiver.from)?, region(&waiver.to)?))
}

/// The AWS ids of what `through` names: paths that touch none of them violate the property.
fn avoided(network: &Network<'_>, through: &Selector) -> Result<BTreeSet<Box<str>>, SelectionError> {
    let ids = crate::region::ids(network, through);
    let region = resolve(network, through)?;
    let interfaces = region.iter().filter_map(|(spot, _)| match spot {
        Spot::Interface(id) => Some(network.interface(id).meta.id.boxed()),
        _ => None,
    });
    let nats = region.iter().filter_map(|(spot, _)| match spot {
        Spot::Interface(id) => nat_behind(network, id),
        _ => None,
    });
    let all: BTreeSet<Box<str>> = ids.into_iter().chain(interfaces).chain(nats).collect();
    if all.is_empty() { Err(SelectionError::nothing(through)) } else { Ok(all) }
}

/// The NAT gateway whose only interface this is: what passes the one passes the other.
fn nat_behind(network: &Network<'_>, interface: EniId) -> Option<Box<str>> {
    let id = network.nat_of_interface(interface)?;
    let only = network.nat(id)?.sources.iter().all(|source| source.interface == Some(interface));
    only.then(|| network.snapshot.nat_gateways[id].meta.id.boxed())
}

/// What is wrong with a selector of a property.
pub(crate) fn selected(property: &Property, error: SelectionError) -> CheckError {
    selection(property, property.place.to_string(), error)
}

fn selection(property: &Property, place: String, error: SelectionError) -> CheckError {
    CheckError { kind: ErrorKind::Selection { property: property.name.clone(), place, error } }
}
