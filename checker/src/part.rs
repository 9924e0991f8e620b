//! What there is to prove of a direction: all of it but what waivers accept, in parts; where answers count, each part also
//! turned round; and of pairs that packets may pass between, that no answer comes back.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use reachproof_model::certificate::{Area, Direction, Family, Pairs, Place, Traffic};
use reachproof_model::flow::Question;
use reachproof_model::id::{EniId, Ref};

use crate::Rejection;
use crate::answer::Answers;
use crate::area::{Interval, common, intervals, without};
use crate::nat::embedded;
use crate::net::Net;

/// Some addresses of both families.
#[derive(Clone, Default)]
pub(crate) struct Addresses {
    pub(crate) v4: Vec<Interval>,
    pub(crate) v6: Vec<Interval>,
}

/// Places with the addresses that are meant there; at each there is some.
pub(crate) type Ends = BTreeMap<Place, Addresses>;

/// What must not be.
#[derive(Clone)]
pub(crate) enum Aim {
    /// That something arrives.
    Arrival,
    /// That something arrives whose answer nobody could follow: by way of a component, or translated.
    Unfollowed,
    /// That an answer may have come back.
    Answer(Answers),
}

/// Nothing with headers of this traffic gets from a source to a destination in a way that it must not.
#[derive(Clone)]
pub(crate) struct Part<'c> {
    /// The sources, also by the other interfaces of their instances.
    pub(crate) sources: Ends,
    pub(crate) destinations: Ends,
    pub(crate) traffic: Cow<'c, Traffic>,
    pub(crate) avoided: &'c [Box<str>],
    /// Whether receivers let in what may answer packets of their own.
    pub(crate) answers: bool,
    pub(crate) aim: Aim,
}

/// Looks at a part with its proof.
type Check<'k> = &'k mut dyn FnMut(&Part<'_>) -> Result<(), Rejection>;

/// The ends of some pairs.
type Cut = [Ends; 2];

/// Checks everything that there is to prove of a direction, in the order in which [`Direction`] makes it.
pub(crate) fn each_part(
    net: &Net<'_>,
    direction: &Direction,
    question: Question,
    check: Check<'_>,
) -> Result<(), Rejection> {
    if question == Question::Packet && !direction.unanswered.is_empty()
        || !direction.answers && !direction.unreplied.is_empty()
    {
        return Err(Rejection::of("it lists pairs without answers, and the claim is not about answers"));
    }
    if question == Question::Connection && direction.answers {
        return Err(Rejection::of("it counts replies, and the claim is about connections"));
    }
    let whole = Part::whole(net, direction);
    let accepted: Vec<Cut> = cuts(&direction.accepted, |places| listed(net, places));
    let unanswered: Vec<Cut> = cuts(&direction.unanswered, |places| ends(net, places));
    let unreplied: Vec<Cut> = cuts(&direction.unreplied, |places| ends(net, places));
    parted(net, whole.clone(), &accepted, &mut |part| parted(net, part.clone(), &unanswered, check))?;
    unanswered.iter().try_for_each(|pairs| whole.between(pairs).lose(net, check))?;
    if !whole.answers {
        return Ok(());
    }
    parted(net, whole.clone(), &accepted, &mut |part| parted(net, part.turned(), &unreplied, check))?;
    unreplied.iter().try_for_each(|pairs| whole.turned().between(pairs).lose(net, check))
}

fn cuts(pairs: &[Pairs], ends: impl Fn(&[(Place, Vec<IpNet>)]) -> Ends) -> Vec<Cut> {
    pairs.iter().map(|pairs| [ends(&pairs.sources), ends(&pairs.destinations)]).collect()
}

/// A part as it is if nothing parts it, else what is left of it.
fn parted(net: &Net<'_>, part: Part<'_>, cuts: &[Cut], check: Check<'_>) -> Result<(), Rejection> {
    if cuts.is_empty() { check(&part) } else { rest(net, part, cuts, check) }
}

/// What is in none of some pairs of a part.
fn rest(net: &Net<'_>, part: Part<'_>, cuts: &[Cut], check: Check<'_>) -> Result<(), Rejection> {
    net.work.spend(1 + size(&part.sources) + size(&part.destinations));
    net.work.require()?;
    if part.sources.is_empty() || part.destinations.is_empty() {
        return Ok(());
    }
    let Some(([from, to], others)) = cuts.split_first() else { return check(&part) };
    let beside = Part { sources: cut(net, &part.sources, from, without)?, ..part.clone() };
    rest(net, beside, others, check)?;
    let sources = cut(net, &part.sources, from, within)?;
    let destinations = cut(net, &part.destinations, to, without)?;
    rest(net, Part { sources, destinations, ..part }, others, check)
}

impl<'c> Part<'c> {
    fn whole(net: &Net<'_>, direction: &'c Direction) -> Self {
        let mut sources = ends(net, &direction.sources);
        for sibling in siblings(net, &sources) {
            sources.insert(Place::Interface(sibling), Addresses::all());
        }
        Self {
            sources,
            destinations: ends(net, &direction.destinations),
            traffic: Cow::Borrowed(&direction.traffic),
            avoided: &direction.avoided,
            answers: direction.answers,
            aim: Aim::Arrival,
        }
    }

    /// R-VERDICT-1, R-SG-13: what no destination may send to a source, lest that one answers. To which port an answer goes is
    /// for the destination to choose, so that only protocols count.
    fn turned(&self) -> Self {
        let (sources, destinations) = (self.destinations.clone(), self.sources.clone());
        let traffic = Cow::Owned(asked(&self.traffic));
        Self { sources, destinations, traffic, answers: false, ..self.clone() }
    }

    /// The same between other ends.
    fn between(&self, [sources, destinations]: &Cut) -> Self {
        Self { sources: sources.clone(), destinations: destinations.clone(), ..self.clone() }
    }

    /// Checks that packets pass only so that their answers can be followed, and that no answer comes back (R-CONN-1).
    fn lose(&self, net: &Net<'_>, check: Check<'_>) -> Result<(), Rejection> {
        check(&Part { aim: Aim::Unfollowed, ..self.clone() })?;
        // An answer that passes what packets may pass is one, too.
        check(&Part {
            sources: self.destinations.clone(),
            destinations: self.sources.clone(),
            traffic: Cow::Owned(Answers::traffic(&self.traffic)),
            avoided: &[],
            answers: false,
            aim: Aim::Answer(Answers::to(net, &self.sources)?),
        })
    }

    /// What may have been sent, if this is about its answers.
    pub(crate) fn answering(&self) -> Option<&Answers> {
        match &self.aim {
            Aim::Answer(answers) => Some(answers),
            Aim::Arrival | Aim::Unfollowed => None,
        }
    }
}

impl Addresses {
    fn all() -> Self {
        Self { v4: vec![(0, Family::V4.greatest())], v6: vec![(0, Family::V6.greatest())] }
    }

    /// Those of a family.
    pub(crate) fn of(&self, family: Family) -> &[Interval] {
        match family {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
        }
    }

    fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }
}

/// The protocols of some traffic with all ports, in every family. An ICMP error may answer any of them (R-SG-17).
fn asked(traffic: &Traffic) -> Traffic {
    let areas = traffic.v4.iter().chain(&traffic.v6).chain(&traffic.translated);
    let mut protocols: BTreeSet<(u8, u8)> = areas.map(|area| area.protocol).collect();
    let icmp = [(1, 1), (58, 58)];
    if protocols.iter().any(|own| icmp.iter().any(|one| common(*own, *one).is_some())) {
        protocols.insert((0, u8::MAX));
    }
    let of = |family| {
        protocols.iter().map(|protocol| Area { protocol: *protocol, ..Area::full(family) }).collect()
    };
    Traffic { v4: of(Family::V4), v6: of(Family::V6), translated: of(Family::V4) }
}

/// Places with no other addresses than those that are listed there: what a waiver does not name is to be proved.
fn listed(net: &Net<'_>, places: &[(Place, Vec<IpNet>)]) -> Ends {
    let mut found = Ends::new();
    for (place, blocks) in places {
        net.work.spend(blocks.len());
        let own = found.entry(place.clone()).or_default();
        own.v4.extend(intervals(blocks, Family::V4));
        own.v6.extend(intervals(blocks, Family::V6));
    }
    found
}

/// Places with the addresses that are meant there, and the private ones that an internet gateway makes of them (R-IGW-4).
fn ends(net: &Net<'_>, places: &[(Place, Vec<IpNet>)]) -> Ends {
    let mut found = Ends::new();
    for (place, blocks) in places {
        let seen = seen_there(net, place, blocks);
        let own = found.entry(place.clone()).or_default();
        own.v4.extend(seen.v4);
        own.v6.extend(seen.v6);
    }
    found.retain(|_, addresses| !addresses.is_empty());
    found
}

/// How many intervals there are.
fn size(ends: &Ends) -> usize {
    ends.values().map(|addresses| addresses.v4.len() + addresses.v6.len()).sum()
}

fn seen_there(net: &Net<'_>, place: &Place, blocks: &[IpNet]) -> Addresses {
    net.work.spend(blocks.len());
    let (mut v4, v6) = (intervals(blocks, Family::V4), intervals(blocks, Family::V6));
    let inside = embedded(&v6);
    let rows = net.associations.iter().filter(|row| Some(row.interface) == interface(place));
    let meant = |public: u128| v4.iter().chain(&inside).any(|(lo, hi)| (*lo..=*hi).contains(&public));
    let private: Vec<Interval> =
        rows.filter(|row| meant(row.public)).map(|row| (row.private, row.private)).collect();
    v4.extend(private);
    Addresses { v4, v6 }
}

/// Of each place what two lists of addresses come to; the second is empty where the place is not among the others.
fn cut(
    net: &Net<'_>,
    ends: &Ends,
    others: &Ends,
    of: impl Fn(&[Interval], &[Interval]) -> Vec<Interval>,
) -> Result<Ends, Rejection> {
    let none = Addresses::default();
    let mut found = Ends::new();
    for (place, own) in ends {
        let other = others.get(place).unwrap_or(&none);
        net.work.spend(1 + own.v4.len() * other.v4.len() + own.v6.len() * other.v6.len());
        net.work.require()?;
        let left = Addresses { v4: of(&own.v4, &other.v4), v6: of(&own.v6, &other.v6) };
        if !left.is_empty() {
            found.insert(place.clone(), left);
        }
    }
    Ok(found)
}

fn within(intervals: &[Interval], others: &[Interval]) -> Vec<Interval> {
    intervals.iter().flat_map(|one| others.iter().filter_map(|other| common(*one, *other))).collect()
}

/// R-MBX-10, A-8: the other interfaces of the sources' instances, by which a guest may send instead.
fn siblings(net: &Net<'_>, sources: &Ends) -> Vec<EniId> {
    let sources: BTreeSet<EniId> = sources.keys().filter_map(interface).collect();
    let instance = |id: EniId| match net.interface(id).attachment.as_ref()?.instance.as_ref()? {
        Ref::Known(id) => Some(&*net.s.instances[*id].meta.id),
        Ref::Missing(name) => Some(&**name),
    };
    let guests: BTreeSet<&str> = sources.iter().filter_map(|id| instance(*id)).collect();
    let others = net.s.interfaces.ids().filter(|id| !sources.contains(id));
    others.filter(|id| instance(*id).is_some_and(|guest| guests.contains(guest))).collect()
}

/// The interface that a place is.
pub(crate) fn interface(place: &Place) -> Option<EniId> {
    match place {
        Place::Interface(id) => Some(*id),
        _ => None,
    }
}
