//! Certificates of properties that hold: what was decided, in terms that a checker of its own can follow.
//!
//! The one function is [`certify`]. It explores again, in the permissive world, from the sources of each part of a direction and from
//! every component that they enter, and writes down where packets get to. Whether that proves the property is not said here:
//! the checker says it, and a certificate that it does not accept is not one.

mod part;
mod unanswered;

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use reachproof_model::certificate::{
    Area, Certificate, Claim, Direction, Family as Seen, Location, Pairs, Place, Proof, SEMANTICS, Start,
    Supposed, Traffic, Waiving, Walk, policy_digest, statement, waiver_statement,
};
use reachproof_model::flow::{Protocol, Question};
use reachproof_model::id::ComponentId;
use reachproof_model::policy::{Form, Property, TrafficSpec, Waiver};

use crate::asked::spec_box;
use part::Cut;

use crate::check::{self, CheckError, PropertyReport, Verdict, directions};
use crate::header::{Family, Field, HeaderBox};
use crate::hypothetical::{selectors, supposing, suppositions};
use crate::network::{Network, SourcePlace};
use crate::reach::{Departure, Exhausted, Reach, SourceClass, Spread, classes, family_of, merged};
use crate::region::{Region, Spot};

/// A certificate, or why there is none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// What is claimed, and why it is so.
    Certificate(Box<Certificate>),
    /// No certificate of this kind exists, for this reason.
    None(&'static str),
}

/// The certificate of a property with its report, in the network in which it was decided; `digest` is that of the snapshot.
///
/// # Errors
/// If a limit is hit.
pub fn certify(
    reach: &Reach<'_, '_>,
    property: &Property,
    report: &PropertyReport,
    digest: &str,
) -> Result<Outcome, CheckError> {
    if let Some(reason) = without_certificate(property, report) {
        return Ok(Outcome::None(reason));
    }
    let network = reach.network();
    let supposing =
        supposing(network, selectors(property)).map_err(|error| check::selected(property, error))?;
    match supposing {
        None => certify_in(reach, property, report, (digest, Vec::new())),
        Some(snapshot) => {
            let wanted = suppositions(network, selectors(property));
            let wanted = wanted.map_err(|error| check::selected(property, error))?;
            let network = network.with_snapshot(&snapshot);
            certify_in(&Reach::of(&network), property, report, (digest, wanted.into_iter().collect()))
        }
    }
}

/// The same in a network that has what the property supposes; `digest` is that of the snapshot without it.
fn certify_in(
    reach: &Reach<'_, '_>,
    property: &Property,
    report: &PropertyReport,
    (digest, supposed): (&str, Vec<Supposed>),
) -> Result<Outcome, CheckError> {
    let network = reach.network();
    let answering = property.including_replies.then(|| network.including_replies());
    let answering = answering.as_ref().map(Reach::of);
    let case = Case { reach, answering: answering.as_ref(), property };
    let (mut claimed, mut proofs) = (Vec::new(), Vec::new());
    for direction in directions(network, property)? {
        let Some((claim, more)) = case.prove(&direction, report)? else {
            return Ok(Outcome::None("it falls into too many parts"));
        };
        claimed.push(claim);
        proofs.extend(more);
    }
    if proofs.is_empty() {
        return Ok(Outcome::None("waivers accept all that it is about"));
    }
    let statement = statement(property);
    let claim = Claim {
        property: property.name.clone(),
        form: property.form.keyword().into(),
        question: property.question,
        statement: statement.into(),
        live_only: network.options.live_only,
        supposed,
        directions: claimed,
        waivers: report.waived.iter().map(|waived| waiving(&waived.waiver)).collect(),
        assumptions: report.assumptions,
        notes: report.notes.clone(),
    };
    let (snapshot, policy) = (digest.into(), policy_digest(property).into());
    Ok(Outcome::Certificate(Box::new(Certificate { semantics: SEMANTICS, snapshot, policy, claim, proofs })))
}

fn waiving(waiver: &Waiver) -> Waiving {
    Waiving {
        statement: waiver_statement(waiver).into(),
        owner: waiver.owner.clone(),
        why: waiver.why.clone(),
        until: waiver.until.to_string().into(),
    }
}

/// Why a property has no certificate, as far as that can be told without looking for one.
fn without_certificate(property: &Property, report: &PropertyReport) -> Option<&'static str> {
    let proves = matches!(property.form, Form::Forbid(_) | Form::OnlyThrough { .. } | Form::Isolate { .. });
    if report.verdict != Verdict::Holds {
        Some("it does not hold")
    } else if !proves {
        Some("there are no certificates yet that something does arrive")
    } else {
        None
    }
}

/// What has to be proved of a property in one network.
struct Case<'c, 'n, 's> {
    reach: &'c Reach<'n, 's>,
    /// Where replies count: the network in which they are let in.
    answering: Option<&'c Reach<'n, 's>>,
    property: &'c Property,
}

/// A direction as it is or turned round, in parts.
struct Side<'c, 'n, 's> {
    /// The network in which packets are sent.
    reach: &'c Reach<'n, 's>,
    parts: Vec<check::Direction>,
    question: Question,
    traffic: &'c [TrafficSpec],
}

/// The pairs of a side that packets pass between and no answers, and the proofs of all of it.
type Proved = (Vec<Pairs>, Vec<Proof>);

impl Case<'_, '_, '_> {
    /// What is claimed of a direction, and its proofs; `None` if it falls into too many parts.
    fn prove(
        &self,
        direction: &check::Direction,
        report: &PropertyReport,
    ) -> Result<Option<(Direction, Vec<Proof>)>, CheckError> {
        let network = self.reach.network();
        let whole = part::whole(network, direction);
        let waived = part::waived(network, self.property, report, &whole)?;
        let mut claim = self.claim(direction, &waived);
        let Some(parts) = part::parts(network, whole, &waived) else { return Ok(None) };
        let turned: Vec<check::Direction> = parts.iter().map(check::Direction::turned).collect();
        let (question, traffic) = (self.property.question, &*self.property.traffic);
        let side = Side { reach: self.answering.unwrap_or(self.reach), parts, question, traffic };
        let Some((unanswered, mut proofs)) = side.prove()? else { return Ok(None) };
        claim.unanswered = unanswered;
        if self.answering.is_some() {
            // R-SG-17: an error may be about anything that the destinations send.
            let about_errors = check::is_about_errors(self.property);
            let asked = if about_errors { Vec::new() } else { check::asked_by_destinations(self.property) };
            let question = Question::Connection;
            let side = Side { reach: self.reach, parts: turned, question, traffic: &asked };
            let Some((unreplied, more)) = side.prove()? else { return Ok(None) };
            claim.unreplied = unreplied;
            proofs.extend(more);
        }
        Ok(Some((claim, proofs)))
    }

    fn claim(&self, direction: &check::Direction, waived: &[Cut]) -> Direction {
        let network = self.reach.network();
        Direction {
            sources: places(network, &direction.from),
            destinations: places(network, &direction.to),
            traffic: headers(&self.property.traffic),
            avoided: direction.avoid.iter().cloned().collect(),
            answers: self.property.including_replies,
            accepted: waived.iter().map(|waived| waived.listed(network)).collect(),
            unanswered: Vec::new(),
            unreplied: Vec::new(),
        }
    }
}

impl Side<'_, '_, '_> {
    /// All of it; `None` if there are too many parts.
    fn prove(self) -> Result<Option<Proved>, CheckError> {
        let network = self.reach.network();
        let unanswered = match self.question {
            Question::Packet => Vec::new(),
            Question::Connection => unanswered::pairs(self.reach, &self.parts, self.traffic)?,
        };
        let avoid = self.parts.first().map(|part| part.avoid.clone()).unwrap_or_default();
        let mut proofs = Vec::new();
        for part in self.parts {
            let Some(parts) = part::parts(network, part, &unanswered) else { return Ok(None) };
            for part in parts {
                proofs.push(proof(self.reach, &part)?);
            }
        }
        let asked = headers(self.traffic);
        for pairs in unanswered.iter().map(|pairs| pairs.direction(&avoid)) {
            let pairs = &pairs;
            proofs.push(proof(self.reach, pairs)?);
            proofs.push(unanswered::answers(self.reach, pairs, &asked)?);
        }
        Ok(Some((unanswered.iter().map(|pairs| pairs.listed(network)).collect(), proofs)))
    }
}

/// The places of a region with the addresses that may be meant.
fn places(network: &Network<'_>, region: &Region) -> Vec<(Place, Vec<IpNet>)> {
    let mut found: BTreeMap<Place, Vec<IpNet>> = BTreeMap::new();
    for (spot, extent) in region.iter() {
        if let Some(place) = place(network, spot) {
            found.entry(place).or_default().extend(&extent.blocks);
        }
    }
    found.into_iter().map(|(place, blocks)| (place, IpNet::aggregate(&blocks))).collect()
}

/// A spot as certificates call it; `None` for a gateway that serves no VPC, where nothing starts and nothing ends.
fn place(network: &Network<'_>, spot: Spot) -> Option<Place> {
    Some(match spot {
        Spot::Interface(id) => Place::Interface(id),
        Spot::Internet => Place::Internet,
        Spot::Gateway(id) => return gateway(network, id),
        Spot::Attachment(id) => Place::Attachment(id),
        Spot::Peer(id) => Place::Peer(id),
        Spot::Service(id) => Place::Service(id),
        Spot::Component(id) => component(network, id),
        Spot::Unseen(id) => Place::Unseen(id),
    })
}

/// A gateway at the VPC that it serves.
fn gateway(network: &Network<'_>, id: crate::network::GatewayId) -> Option<Place> {
    let record = &network.gateways()[id];
    Some(Place::Gateway { id: record.id.clone(), vpc: record.vpc? })
}

fn component(network: &Network<'_>, id: ComponentId) -> Place {
    Place::Component(network.components()[id].id.clone())
}

/// The headers that a property is about, as they are sent and as they are seen behind NAT64.
pub fn headers(specs: &[TrafficSpec]) -> Traffic {
    let of = |family| -> Vec<Area> {
        if specs.is_empty() {
            return vec![Area::full(family_of(family))];
        }
        let boxes = specs.iter().filter_map(|spec| spec_box(family, *spec));
        merged(boxes.filter_map(|area| sent(&area)).collect())
    };
    let (v4, v6) = (of(Family::V4), of(Family::V6));
    let translated = merged(v6.iter().flat_map(translated).collect());
    Traffic { v4, v6, translated }
}

fn sent(area: &HeaderBox) -> Option<Area> {
    let byte = |(lo, hi)| Some((u8::try_from(lo).ok()?, u8::try_from(hi).ok()?));
    let port = |(lo, hi)| Some((u16::try_from(lo).ok()?, u16::try_from(hi).ok()?));
    Some(Area {
        destination: area.interval(Field::Destination),
        source: area.interval(Field::Source),
        protocol: byte(area.interval(Field::Protocol))?,
        port: port(area.interval(Field::Port))?,
        source_port: port(area.interval(Field::SourcePort))?,
    })
}

/// R-NAT-8: what NAT64 makes of headers: the same TCP and UDP, and of ICMPv6 echo requests those of ICMP.
fn translated(area: &Area) -> Vec<Area> {
    let full = Area::full(Seen::V4);
    let holds = |(lo, hi): (u8, u8), Protocol(number)| (lo..=hi).contains(&number);
    let carried = [Protocol::TCP, Protocol::UDP].into_iter().filter(|one| holds(area.protocol, *one));
    let carried =
        carried.map(|Protocol(number)| Area { protocol: (number, number), port: area.port, ..full });
    let echo = holds(area.protocol, Protocol::ICMPV6) && (area.port.0..=area.port.1).contains(&128);
    let echo = echo.then_some(Area { protocol: (1, 1), port: (8, 8), ..full });
    carried.chain(echo).collect()
}

/// Walks while they are put together.
#[derive(Default)]
struct Walks(BTreeMap<(Start, Seen), Spread>);

impl Walks {
    /// What sets out from a class; two spreads from the same start are one.
    fn add(&mut self, network: &Network<'_>, class: &SourceClass, spreads: [Spread; 2]) {
        let Some(start) = start(network, class) else { return };
        for (family, spread) in
            [Seen::V4, Seen::V6].into_iter().zip(spreads).filter(|(_, spread)| spread.sends)
        {
            let known = self.0.entry((start.clone(), family)).or_default();
            for (location, areas) in spread.invariant {
                let there = known.invariant.entry(location).or_default();
                *there = merged([std::mem::take(there), areas].concat());
            }
        }
    }

    fn proof(self) -> Proof {
        let walk = |((start, family), spread): ((Start, Seen), Spread)| Walk {
            start,
            family,
            invariant: spread.invariant.into_iter().collect::<Vec<(Location, Vec<Area>)>>(),
        };
        Proof { walks: self.0.into_iter().map(walk).collect() }
    }
}

/// A walk for each class of sources, and for each component that something enters.
fn proof(reach: &Reach<'_, '_>, direction: &check::Direction) -> Result<Proof, Exhausted> {
    let network = reach.network();
    let mut walks = Walks::default();
    let mut next = source_classes(network, direction);
    let mut explored: BTreeSet<SourcePlace> = BTreeSet::new();
    let departure = Departure { meant: &direction.from, avoid: &direction.avoid, answers: None };
    while !next.is_empty() {
        let found = reach.spread(&next, &departure)?;
        let mut entered: BTreeSet<ComponentId> = BTreeSet::new();
        for (class, spreads) in next.iter().zip(found) {
            explored.insert(class.place);
            entered.extend(spreads.iter().flat_map(|spread| &spread.entered));
            walks.add(network, class, spreads);
        }
        next = components(network, &entered);
        next.retain(|class| !explored.contains(&class.place));
    }
    Ok(walks.proof())
}

/// The classes of the sources. An interface that is a destination, too, stays alone: what it sends to
/// itself is no matter.
fn source_classes(network: &Network<'_>, direction: &check::Direction) -> Vec<SourceClass> {
    let places = |region: &Region| region.iter().filter_map(|(spot, _)| spot.source()).collect::<Vec<_>>();
    let is_end = |place: &SourcePlace| {
        let spot = Spot::source_of(*place);
        spot.is_some_and(|spot| direction.to.get(spot).is_some())
    };
    let all = places(&direction.from);
    let (ends, others): (Vec<SourcePlace>, Vec<SourcePlace>) = all.into_iter().partition(is_end);
    let alone = ends.iter().flat_map(|end| classes(network, std::slice::from_ref(end)));
    alone.chain(classes(network, &others)).collect()
}

/// Every component that shares its id with one that was entered.
fn components(network: &Network<'_>, entered: &BTreeSet<ComponentId>) -> Vec<SourceClass> {
    let names: BTreeSet<&str> = entered.iter().map(|id| &*network.components()[*id].id).collect();
    let rows = network.components().iter().filter(|(_, row)| names.contains(&*row.id));
    rows.map(|(id, _)| SourceClass::alone(SourcePlace::Component(id))).collect()
}

fn start(network: &Network<'_>, class: &SourceClass) -> Option<Start> {
    match class.place {
        SourcePlace::Interface(_) => Some(Start::Class(class.members.clone())),
        other => Some(Start::Place(place(network, Spot::source_of(other)?)?)),
    }
}
