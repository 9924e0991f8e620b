//! What one class of sources sends, as patterns of pairs.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use reachproof_engine::asked::{destined, senders, traffic};
use reachproof_engine::header::{Arena, Family, Field, HeaderBox, Set};
use reachproof_engine::network::{Sink, SourcePlace};
use reachproof_engine::reach::{Delivery, Explored};
use reachproof_model::flow::Question;
use reachproof_model::id::ComponentId;

use super::flows::{Answered, Flows, Intervals, flows};
use super::group::{Own, Pattern, is_itself};
use super::pairs::{Pairs, PatternId};
use super::reach::Wanted;
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
type Part = (Set, bool, Answered);

/// A member of the class.
struct Member {
    place: SourcePlace,
    /// What it may send of what is asked about.
    sent: Set,
    /// The headers from the addresses that are its own; none if it is no interface.
    own: Set,
}

/// The work on one class.
pub(super) struct Listing<'l, 'n, 's, 'e> {
    wanted: &'l Wanted<'n, 's>,
    explored: Explored<'e>,
    found: Found,
    /// The patterns of protocols and ports between all addresses of two ends' own.
    between_own: BTreeMap<Part, Rc<[Arc<Pattern>]>>,
    /// Patterns of the class that have been replayed, with what became of them. Its members differ in their addresses
    /// only, so that one of them speaks for all.
    replayed: BTreeMap<(Sink, Arc<Pattern>), PatternId>,
}

impl Listing<'_, '_, '_, '_> {
    /// What a class sends to where it is asked about.
    pub(super) fn of(wanted: &Wanted<'_, '_>, explored: Explored<'_>) -> Result<Found, Failure> {
        let (found, between_own) = (Found::default(), BTreeMap::new());
        let mut listing = Listing { wanted, explored, found, between_own, replayed: BTreeMap::new() };
        let members = listing.members();
        let asked = |sink| matches!(sink, Sink::Component(_)) || wanted.to.at(sink).is_some();
        for delivery in listing.explored.deliveries_at(asked) {
            listing.enter(&members, &delivery);
            listing.deliver(&members, &delivery)?;
        }
        Ok(listing.found)
    }

    fn members(&mut self) -> Vec<Member> {
        let (family, own) = (self.explored.family, self.wanted.own());
        let asked = traffic(self.explored.arena, family, &self.wanted.traffic);
        let senders = senders(self.wanted.network, &self.wanted.from, self.explored.source).into_iter();
        let member = |sender: reachproof_engine::asked::Sender<'_>| {
            let sent = sender.sent(self.explored.arena, family);
            let sent = self.explored.arena.intersection(sent, asked);
            let own = within(self.explored.arena, family, Field::Source, &own.source(sender.place, family));
            Member { place: sender.place, sent, own }
        };
        senders.map(member).collect()
    }

    /// Notes a component that something enters.
    fn enter(&mut self, members: &[Member], delivery: &Delivery) {
        let Sink::Component(component) = delivery.sink else { return };
        let arena = &mut *self.explored.arena;
        let mut entering = members.iter().map(|member| arena.intersection(delivery.over, member.sent));
        self.found.entered.extend(entering.any(|set| !set.is_empty()).then_some(component));
    }

    fn deliver(&mut self, members: &[Member], delivery: &Delivery) -> Result<(), Failure> {
        let Some(extent) = self.wanted.to.at(delivery.sink) else { return Ok(()) };
        let family = self.explored.family;
        let meant = destined(self.explored.arena, family, delivery, &extent.blocks);
        let parts = parts(self.explored.arena, self.wanted.question, delivery);
        let of_part =
            |(set, certain, answered)| (self.explored.arena.intersection(set, meant), certain, answered);
        let parts: Vec<Part> = parts.into_iter().map(of_part).filter(|(set, ..)| !set.is_empty()).collect();
        let own = self.wanted.own().destination(delivery.sink, family);
        let own = within(self.explored.arena, family, Field::Destination, &own);
        for member in members.iter().filter(|member| !is_itself(member.place, delivery.sink)) {
            for (set, certain, answered) in &parts {
                let set = self.explored.arena.intersection(*set, member.sent);
                if !set.is_empty() {
                    self.add(member, delivery, own, (set, *certain, *answered))?;
                }
            }
        }
        Ok(())
    }

    /// Adds the patterns of a part of what a member sends.
    fn add(&mut self, member: &Member, delivery: &Delivery, own: Set, part: Part) -> Result<(), Failure> {
        let ends = (member.place, delivery.sink);
        let patterns = match self.service(member, delivery, own, part.0) {
            Some(service) => self.between_own((service, part.1, part.2)),
            None => self.between(ends, delivery, part),
        };
        for pattern in patterns.iter() {
            let number = self.confirmed(ends, part.0, pattern)?;
            self.found.pairs.add(ends, number);
        }
        Ok(())
    }

    /// The protocols and ports of a set, if it holds all that has them and goes from any address of the member's own to
    /// any of the destination's own.
    fn service(&mut self, member: &Member, delivery: &Delivery, own: Set, set: Set) -> Option<Set> {
        let arena = &mut *self.explored.arena;
        let from_anywhere = arena.exists(set, Field::Source);
        let service = arena.exists(from_anywhere, Field::Destination);
        let ends = arena.intersection(member.own, own);
        let all = arena.intersection(service, ends);
        (delivery.destination.is_none() && all == set).then_some(service)
    }

    fn between_own(&mut self, (service, certain, answered): Part) -> Rc<[Arc<Pattern>]> {
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
        let key = (to, Arc::clone(pattern));
        if let Some(known) = self.replayed.get(&key) {
            return Ok(*known);
        }
        let flows = self.wanted.own().flows((**pattern).clone(), &[from], &[to]);
        let replay = self.wanted.replay(from, to);
        let Flows { certain, assumptions, .. } = replay.confirmed(self.explored.arena, set, flows)?;
        let mut confirmed = (**pattern).clone();
        (confirmed.flows.certain, confirmed.flows.assumptions) = (certain, assumptions);
        let number = self.found.pairs.number(&Arc::new(confirmed));
        self.replayed.insert(key, number);
        Ok(number)
    }
}

/// Disjoint parts of a delivery. Of what is uncertain the replies are read in the permissive world, as its arrival is.
fn parts(arena: &mut Arena, question: Question, delivery: &Delivery) -> Vec<Part> {
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
fn within(arena: &mut Arena, family: Family, field: Field, intervals: &Intervals) -> Set {
    let all = HeaderBox::full(family);
    let boxes: Vec<_> = intervals.iter().map(|(lo, hi)| all.with(field, *lo, *hi)).collect();
    arena.any_of(&boxes)
}
