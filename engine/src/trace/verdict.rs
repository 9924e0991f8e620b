//! From the walks of both worlds to one verdict (section 1).

use reachproof_model::assumption::Assumptions;
use reachproof_model::flow::{Question, World};

use super::leg::Notes;
use super::packet::Packet;
use super::reply::Reply;
use super::walk::{End, Ways};
use super::{Query, Tracer};
use crate::evidence::{Disposition, Trace, TraceVerdict, Walk};
use crate::network::{Network, Sink, SourcePlace, SpecialBlock, missing_calls, missing_inventories};

/// What one world says: whether the packet arrives as asked, and the walk that shows it.
struct Account {
    holds: bool,
    forward: Walk,
    reply: Option<Walk>,
    notes: Notes,
}

/// R-VERDICT-2.
pub(super) fn decide(network: &Network<'_>, query: &Query) -> Trace {
    let account = |world| {
        let tracer = Tracer::new(network, world, query.from, &query.flow, query.question);
        Tracer { goal: query.goal, ..tracer }.account(query)
    };
    // What the restrictive world delivers the permissive one delivers, too, by many more ways that nobody needs to see.
    let under = account(World::Under);
    if under.holds {
        return conclude(network, query, TraceVerdict::Reaches, under);
    }
    let over = account(World::Over);
    if !over.holds {
        return conclude(network, query, TraceVerdict::Blocked, over);
    }
    let mut shown = over;
    shown.notes.add(&under.notes);
    conclude(network, query, TraceVerdict::Unknown, shown)
}

fn conclude(network: &Network<'_>, query: &Query, verdict: TraceVerdict, shown: Account) -> Trace {
    let Account { forward, reply, mut notes, .. } = shown;
    let missing = missing_inventories(network.snapshot);
    let from_internet = query.from == SourcePlace::Internet;
    if from_internet && verdict != TraceVerdict::Reaches && !missing.is_empty() {
        notes.assumptions = notes.assumptions.and(Assumptions::of(&[23]));
    }
    if verdict == TraceVerdict::Blocked && is_egress(query) {
        notes.assumptions = notes.assumptions.and(Assumptions::of(&[20]));
    }
    let mut verdict = verdict;
    if network.options.strict {
        let doubts = strict_doubts(network, from_internet && verdict == TraceVerdict::Blocked);
        if !doubts.is_empty() {
            verdict = TraceVerdict::Unknown;
            notes.reasons.extend(doubts);
        }
    }
    let reasons =
        if verdict == TraceVerdict::Unknown { notes.reasons.into_iter().collect() } else { Vec::new() };
    Trace {
        verdict,
        question: query.question,
        flow: query.flow,
        forward,
        reply,
        assumptions: notes.assumptions,
        components: notes.components.into_iter().collect(),
        reasons,
    }
}

/// whether the question is one of getting out, which DNS might do all the same.
fn is_egress(query: &Query) -> bool {
    let private = [SpecialBlock::PrivateV4, SpecialBlock::PrivateV6];
    let public = !private.iter().any(|block| block.contains(query.flow.destination));
    let outward = query.goal.map_or(public, |goal| goal == Sink::Internet);
    outward && matches!(query.from, SourcePlace::Interface(_))
}

/// R-DATA-10, `--strict`: calls and inventories without which nothing is claimed.
fn strict_doubts(network: &Network<'_>, trusting: bool) -> Vec<Box<str>> {
    let mut doubts: Vec<Box<str>> =
        missing_calls(network.snapshot).iter().map(|call| format!("collect: {call}").into()).collect();
    let inventories = missing_inventories(network.snapshot);
    if trusting && !inventories.is_empty() {
        doubts.push(format!("not collected: {}", inventories.join(", ")).into());
    }
    doubts
}

impl Tracer<'_, '_> {
    /// All ways of the packet from its sender.
    pub(super) fn forward(&self) -> Ways {
        self.forward_until(|_| false)
    }

    /// The same up to an end after which no other matters.
    fn forward_until(&self, enough: impl Fn(&End) -> bool) -> Ways {
        self.explore_until(self.inject(self.sender, Packet::of(&self.example)), enough)
    }

    /// The ends that count: in the permissive world every good one; in the restrictive one, all if all are good.
    pub(super) fn good_ends<'w>(&self, ways: &'w Ways) -> Vec<&'w End> {
        let good: Vec<&End> = ways.ends.iter().filter(|end| end.sink.is_some()).collect();
        if self.world == World::Under && good.len() < ways.ends.len() { Vec::new() } else { good }
    }

    /// R-CONN-1: in the permissive world some way back must be good, in the restrictive one every way.
    pub(super) fn is_answered(&self, reply: &Reply) -> bool {
        match reply {
            Reply::Known(answered) => *answered,
            Reply::Walked(ways) => {
                let mut ends = ways.ends.iter();
                match self.world {
                    World::Over => ends.any(|end| self.is_back(end)),
                    World::Under => !ways.ends.is_empty() && ends.all(|end| self.is_back(end)),
                }
            }
        }
    }

    /// Without a goal every end will do, but what never left the internet has gone nowhere (R-IGW-4).
    fn is_goal(&self, goal: Option<Sink>, sink: Sink) -> bool {
        match goal {
            Some(goal) => goal == sink,
            None => (self.sender, sink) != (SourcePlace::Internet, Sink::Internet),
        }
    }

    /// Whether no end that is found later can change what is answered: in the permissive world one good end decides.
    fn suffices(&self, query: &Query, end: &End) -> bool {
        let shown = |sink| query.goal.is_some() || !matches!(sink, Sink::Component(_));
        self.world == World::Over
            && end.sink.is_some_and(|sink| self.is_goal(query.goal, sink) && shown(sink))
            && (query.question == Question::Packet || self.is_answered(&self.reply(end)))
    }

    fn account(&self, query: &Query) -> Account {
        let ways = self.forward_until(|end| self.suffices(query, end));
        let at_goal = |end: &&End| end.sink.is_some_and(|sink| self.is_goal(query.goal, sink));
        let arrived: Vec<&End> = self.good_ends(&ways).into_iter().filter(at_goal).collect();
        let all_arrived = self.world == World::Over || arrived.len() == ways.ends.len();
        match (preferred(&arrived), query.question) {
            (Some(end), Question::Packet) if all_arrived => delivered(&ways, end),
            (Some(_), Question::Connection) if all_arrived => self.connected(&ways, &arrived),
            _ => undelivered(&ways, at_goal),
        }
    }

    /// R-CONN-1. In the permissive world the first end whose reply comes back shows it; else the first end.
    fn connected(&self, ways: &Ways, arrived: &[&End]) -> Account {
        let replies: Vec<(&End, Reply)> = arrived.iter().map(|end| (*end, self.reply(end))).collect();
        let good = |(_, reply): &&(&End, Reply)| self.is_answered(reply);
        let (deciding, holds) = match self.world {
            World::Over => match replies.iter().find(good) {
                Some(answered) => (Some(answered), true),
                None => (replies.first(), false),
            },
            World::Under => match replies.iter().find(|row| !good(row)) {
                Some(unanswered) => (Some(unanswered), false),
                None => (replies.first(), true),
            },
        };
        let Some((end, reply)) = deciding else { return undelivered(ways, |_| true) };
        let mut account = delivered(ways, end);
        account.holds = holds;
        if let Reply::Walked(back) = reply {
            let shown = if holds {
                back.ends.iter().find(|end| self.is_back(end))
            } else {
                back.furthest().or_else(|| back.ends.iter().find(|end| !self.is_back(end)))
            };
            account.reply = shown.map(|end| back.walk(end));
            if let Some(end) = shown {
                account.notes.add(&back.notes(end));
            }
        }
        account
    }
}

/// Of several ends the first that is no component: what a component does says little.
fn preferred<'e>(ends: &[&'e End]) -> Option<&'e End> {
    ends.iter().find(|end| !matches!(end.sink, Some(Sink::Component(_)))).or(ends.first()).copied()
}

/// The walk that got furthest without arriving; without one, one that ended elsewhere.
fn undelivered(ways: &Ways, at_goal: impl Fn(&&End) -> bool) -> Account {
    let elsewhere = ways.ends.iter().find(|end| end.sink.is_some() && !at_goal(end));
    let Some(end) = ways.furthest().or(elsewhere).or(ways.ends.first()) else {
        let forward = Walk { disposition: Disposition::Dropped, sink: None, hops: Vec::new() };
        return Account { holds: false, forward, reply: None, notes: Notes::default() };
    };
    Account { holds: false, forward: ways.walk(end), reply: None, notes: ways.notes(end) }
}

fn delivered(ways: &Ways, end: &End) -> Account {
    Account { holds: true, forward: ways.walk(end), reply: None, notes: ways.notes(end) }
}
