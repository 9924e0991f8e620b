//! What one class of sources sends, as patterns of pairs.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use reachproof_engine::asked::{Sender, destined, senders, traffic};
use reachproof_engine::header::{Arena, Family, Field, HeaderBox, Set};
use reachproof_engine::network::{Sink, SourcePlace};
use reachproof_engine::reach::{Delivery, Explored};
use reachproof_model::assumption::Assumptions;
use reachproof_model::flow::Question;
use reachproof_model::id::{ComponentId, EniId};

use super::between::Between;
use super::flows::{Answered, Intervals, flows};
use super::group::{Nameless, Own, Pattern, is_itself};
use super::pairs::{Pairs, PatternId};
use super::reach::Wanted;
use super::units::{End, From, To};
use crate::exit::Failure;

/// What classes of sources yield.
#[derive(Default)]
pub(super) struct Found {
    pub(super) pairs: Pairs,
    pub(super) entered: BTreeSet<ComponentId>,
}

impl Found {
    pub(super) fn append(&mut self, other: Self) {
        self.pairs.append(other.pairs);
        self.entered.extend(other.entered);
    }
}

/// A disjoint part of a delivery: the headers, whether they are certain to arrive, and whether their replies come back.
pub(super) type Part = (Set, bool, Answered);

/// Patterns between two ends, each with the part that it is a pattern of.
pub(super) type Patterns = Vec<(Set, Arc<Pattern>)>;

/// What arrives at interfaces.
pub(super) type AtInterfaces = BTreeMap<EniId, Vec<Delivery>>;

/// A member of the class.
pub(super) struct Member {
    pub(super) place: SourcePlace,
    /// What it may send of what is asked about.
    sent: Set,
    /// The headers from the addresses that are its own; none if it is no interface.
    pub(super) own: Set,
}

/// Members that are listed as one.
pub(super) struct Crew {
    pub(super) from: From,
    pub(super) members: Vec<Member>,
}

/// What is asked about of a delivery.
struct Meant<'d> {
    delivery: &'d Delivery,
    parts: Vec<Part>,
    /// The headers to the addresses that are the destination's own; none if it is no interface.
    own: Set,
}

/// The work on one class.
///
/// INVARIANT (one replay for a unit): a replay of a pattern between two ends comes to what it comes to between others of the
/// same units. Without units each two ends have their own: what flows rest on may tell members of one class of sources apart,
/// by their public addresses and by addresses that they share with others.
pub(super) struct Listing<'l, 'n, 's, 'e> {
    pub(super) wanted: &'l Wanted<'n, 's>,
    between: Option<&'l Between>,
    pub(super) explored: Explored<'e>,
    pub(super) found: Found,
    /// The headers of what is asked about.
    pub(super) asked: Set,
    /// The patterns of protocols and ports between all addresses of two ends' own.
    between_own: BTreeMap<Part, Rc<[Arc<Pattern>]>>,
    /// What became of the patterns of the class that have been replayed.
    replayed: BTreeMap<Like, (bool, Assumptions)>,
}

/// Two ends, or the units that they are of, with a pattern.
type Like = (From, To, Nameless);

impl<'l, 'n, 's, 'e> Listing<'l, 'n, 's, 'e> {
    /// What a class sends to where it is asked about. What its members send to each other and to other interfaces as it was
    /// sent is taken from between, if that is given.
    pub(super) fn of(
        wanted: &'l Wanted<'n, 's>,
        between: Option<&'l Between>,
        explored: Explored<'e>,
    ) -> Result<Found, Failure> {
        let asked = traffic(explored.arena, explored.family, &wanted.traffic);
        let (found, between_own, replayed) = (Found::default(), BTreeMap::new(), BTreeMap::new());
        let mut listing = Listing { wanted, between, explored, found, asked, between_own, replayed };
        let crews = listing.crews();
        let crossed = between.filter(|_| crews.iter().any(|crew| matches!(crew.from, End::Unit(_))));
        let asked = |sink| match sink {
            Sink::Component(_) => true,
            _ if wanted.to.at(sink).is_none() => false,
            Sink::Interface(id) => crossed.is_none_or(|between| between.units().is_example(id)),
            _ => true,
        };
        let mut at = AtInterfaces::new();
        for delivery in listing.explored.deliveries_at(asked) {
            listing.enter(&crews, &delivery);
            match (crossed, delivery.sink) {
                (Some(_), Sink::Interface(id)) => at.entry(id).or_default().push(delivery),
                _ => listing.deliver(&crews, &delivery)?,
            }
        }
        if let Some(between) = crossed {
            listing.cross(between, &crews, &at)?;
        }
        Ok(listing.found)
    }

    fn crews(&mut self) -> Vec<Crew> {
        let mut crews: BTreeMap<From, Vec<Member>> = BTreeMap::new();
        let units = self.between.map(Between::units);
        for sender in senders(self.wanted.network, &self.wanted.from, self.explored.source) {
            let unit = units.and_then(|units| units.of_source(sender.place));
            let member = self.member(&sender);
            crews.entry(unit.map_or(End::One(sender.place), End::Unit)).or_default().push(member);
        }
        crews.into_iter().map(|(from, members)| Crew { from, members }).collect()
    }

    fn member(&mut self, sender: &Sender<'_>) -> Member {
        let (family, own) = (self.explored.family, self.wanted.own());
        let sent = sender.sent(self.explored.arena, family);
        let sent = self.explored.arena.intersection(sent, self.asked);
        let own = within(self.explored.arena, family, Field::Source, &own.source(sender.place, family));
        Member { place: sender.place, sent, own }
    }

    /// Notes a component that something enters.
    fn enter(&mut self, crews: &[Crew], delivery: &Delivery) {
        let Sink::Component(component) = delivery.sink else { return };
        let arena = &mut *self.explored.arena;
        let examples = crews.iter().filter_map(|crew| crew.members.first());
        let mut entering = examples.map(|member| arena.intersection(delivery.over, member.sent));
        self.found.entered.extend(entering.any(|set| !set.is_empty()).then_some(component));
    }

    fn deliver(&mut self, crews: &[Crew], delivery: &Delivery) -> Result<(), Failure> {
        let (sink, to) = (delivery.sink, End::One(delivery.sink));
        let Some(meant) = self.meant(delivery) else { return Ok(()) };
        for crew in crews {
            let Some(first) = crew.members.first() else { continue };
            let patterns = self.patterns(first, &meant);
            if crew.members.len() == 1 || self.are_shared(&patterns, first.place, sink) {
                self.add((crew.from, to), (first.place, sink), &patterns)?;
                continue;
            }
            for member in &crew.members {
                let patterns = self.patterns(member, &meant);
                self.add((End::One(member.place), to), (member.place, sink), &patterns)?;
            }
        }
        Ok(())
    }

    /// The patterns of what a member sends of deliveries at one sink.
    pub(super) fn all_patterns(&mut self, member: &Member, deliveries: &[Delivery]) -> Patterns {
        let mut found = Patterns::new();
        for delivery in deliveries {
            if let Some(meant) = self.meant(delivery) {
                found.extend(self.patterns(member, &meant));
            }
        }
        found
    }

    fn meant<'d>(&mut self, delivery: &'d Delivery) -> Option<Meant<'d>> {
        let extent = self.wanted.to.at(delivery.sink)?;
        let family = self.explored.family;
        let meant = destined(self.explored.arena, family, delivery, &extent.blocks);
        let parts = parts(self.explored.arena, self.wanted.question, delivery);
        let of_part =
            |(set, certain, answered)| (self.explored.arena.intersection(set, meant), certain, answered);
        let parts: Vec<Part> = parts.into_iter().map(of_part).filter(|(set, ..)| !set.is_empty()).collect();
        let own = self.wanted.own().destination(delivery.sink, family);
        let own = within(self.explored.arena, family, Field::Destination, &own);
        Some(Meant { delivery, parts, own })
    }

    fn patterns(&mut self, member: &Member, meant: &Meant<'_>) -> Patterns {
        let mut found = Patterns::new();
        if is_itself(member.place, meant.delivery.sink) {
            return found;
        }
        for (set, certain, answered) in &meant.parts {
            let set = self.explored.arena.intersection(*set, member.sent);
            if !set.is_empty() {
                let patterns = self.of_part(member, meant, (set, *certain, *answered));
                found.extend(patterns.iter().map(|pattern| (set, Arc::clone(pattern))));
            }
        }
        found
    }

    /// The patterns of a part of what a member sends.
    fn of_part(&mut self, member: &Member, meant: &Meant<'_>, part: Part) -> Rc<[Arc<Pattern>]> {
        match self.service(member, meant, part.0) {
            Some(service) => self.between_own((service, part.1, part.2)),
            None => self.between((member.place, meant.delivery.sink), meant.delivery, part),
        }
    }

    /// Whether patterns between two ends are those between all others of their units.
    pub(super) fn are_shared(&self, patterns: &Patterns, from: SourcePlace, to: Sink) -> bool {
        let own = self.wanted.own();
        patterns.iter().all(|(_, pattern)| own.is_shared(pattern, from, to))
    }

    /// Adds patterns between an example of two ends.
    pub(super) fn add(
        &mut self,
        ends: (From, To),
        example: (SourcePlace, Sink),
        patterns: &Patterns,
    ) -> Result<(), Failure> {
        for (set, pattern) in patterns {
            let number = self.confirmed(example, *set, pattern)?;
            self.found.pairs.add(ends, number);
        }
        Ok(())
    }

    /// The protocols and ports of a set, if it holds all that has them and goes from any address of the member's own to
    /// any of the destination's own.
    fn service(&mut self, member: &Member, meant: &Meant<'_>, set: Set) -> Option<Set> {
        let arena = &mut *self.explored.arena;
        let from_anywhere = arena.exists(set, Field::Source);
        let service = arena.exists(from_anywhere, Field::Destination);
        let ends = arena.intersection(member.own, meant.own);
        let all = arena.intersection(service, ends);
        (meant.delivery.destination.is_none() && all == set).then_some(service)
    }

    pub(super) fn between_own(&mut self, (service, certain, answered): Part) -> Rc<[Arc<Pattern>]> {
        if let Some(known) = self.between_own.get(&(service, certain, answered)) {
            return Rc::clone(known);
        }
        let flows = flows(self.explored.arena, self.explored.family, service, None, (certain, answered));
        let patterns: Rc<[_]> = flows.into_iter().map(Own::between_own).map(Arc::new).collect();
        self.between_own.insert((service, certain, answered), Rc::clone(&patterns));
        patterns
    }

    fn between(
        &mut self,
        (from, to): (SourcePlace, Sink),
        delivery: &Delivery,
        (set, certain, answered): Part,
    ) -> Rc<[Arc<Pattern>]> {
        let (family, own) = (self.explored.family, self.wanted.own());
        let flows = flows(self.explored.arena, family, set, delivery.destination, (certain, answered));
        flows.into_iter().map(|flows| Arc::new(own.pattern(flows, from, to))).collect()
    }

    /// The number of a pattern with what a replay of it rests on, unless one replay for all that are alike is enough.
    fn confirmed(
        &mut self,
        (from, to): (SourcePlace, Sink),
        set: Set,
        pattern: &Arc<Pattern>,
    ) -> Result<PatternId, Failure> {
        if self.wanted.speaks_for_all(&pattern.flows) {
            return Ok(self.found.pairs.number(pattern));
        }
        let key = self.like((from, to), pattern);
        let (certain, assumptions) = match self.replayed.get(&key) {
            Some(known) => *known,
            None => {
                let flows = self.wanted.own().flows((**pattern).clone(), &[from], &[to]);
                let replayed = self.wanted.replay(from, to).confirmed(self.explored.arena, set, flows)?;
                self.replayed.insert(key, (replayed.certain, replayed.assumptions));
                (replayed.certain, replayed.assumptions)
            }
        };
        let mut confirmed = (**pattern).clone();
        (confirmed.flows.certain, confirmed.flows.assumptions) = (certain, assumptions);
        Ok(self.found.pairs.number(&Arc::new(confirmed)))
    }

    /// What a pattern between two ends has in common with all of which a replay comes to the same.
    fn like(&self, (from, to): (SourcePlace, Sink), pattern: &Arc<Pattern>) -> Like {
        match self.between {
            None => (End::One(from), End::One(to), Nameless::from(pattern)),
            Some(between) => {
                let (units, own) = (between.units(), self.wanted.own());
                (units.start(from), units.end(to), own.nameless(pattern, from, to))
            }
        }
    }
}

/// Disjoint parts of a delivery. Of what is uncertain the replies are read in the permissive world, as its arrival is.
pub(super) fn parts(arena: &mut Arena, question: Question, delivery: &Delivery) -> Vec<Part> {
    let (back, perhaps) = (delivery.answered_under, delivery.answered_over);
    let doubtful = arena.difference(perhaps, back);
    if question == Question::Connection {
        return vec![(back, true, Answered::All), (doubtful, false, Answered::All)];
    }
    let unsure = arena.difference(delivery.over, delivery.under);
    vec![
        (arena.intersection(delivery.under, back), true, Answered::All),
        (arena.intersection(delivery.under, doubtful), true, Answered::Some),
        (unanswered(arena, delivery.under, back, perhaps), true, Answered::None),
        (arena.intersection(unsure, perhaps), false, Answered::All),
        (arena.difference(unsure, perhaps), false, Answered::None),
    ]
}

/// What neither world answers.
fn unanswered(arena: &mut Arena, set: Set, back: Set, perhaps: Set) -> Set {
    let without = arena.difference(set, perhaps);
    arena.difference(without, back)
}

/// The headers with an address in one of the intervals.
pub(super) fn within(arena: &mut Arena, family: Family, field: Field, intervals: &Intervals) -> Set {
    let all = HeaderBox::full(family);
    let boxes: Vec<_> = intervals.iter().map(|(lo, hi)| all.with(field, *lo, *hi)).collect();
    arena.any_of(&boxes)
}
