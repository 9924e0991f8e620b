//! `reach`: every flow from some endpoints to others.

use std::collections::{BTreeMap, BTreeSet};

use reachproof_engine::asked::{destined, senders, traffic};
use reachproof_engine::header::{Arena, Set};
use reachproof_engine::hypothetical::{require_internet_beside_public, supposing};
use reachproof_engine::network::{Network, NodeLimit, Sink, SourcePlace};
use reachproof_engine::reach::{Delivery, Explored, Reach, Request, classes};
use reachproof_engine::region::{Extent, Region, Spot, select};
use reachproof_model::flow::Question;
use reachproof_model::id::ComponentId;
use reachproof_model::policy::{Selector, TrafficSpec};

use super::flows::{Answered, flows};
use super::group::{Own, Pattern};
use super::replay::Replay;
use super::{network, read_inputs, snapshot};
use crate::answer::names::Names;
use crate::answer::reach::{ReachAnswer, ReachJson, Row};
use crate::answer::{component_gap, gaps, markdown, pretty, rows};
use crate::arguments::{Format, ReachArguments};
use crate::exit::{Exit, Failure};
use crate::output::{self, Talk};
use crate::request;

/// Runs the command.
pub fn run(arguments: &ReachArguments, talk: &mut Talk) -> Result<Exit, Failure> {
    let from = selector("--from", arguments.from.as_deref())?;
    let to = selector("--to", arguments.to.as_deref())?;
    let traffic = request::traffic(arguments)?;
    let snapshot = snapshot(read_inputs(&arguments.input, talk)?, talk)?;
    let nodes = NodeLimit(arguments.limits.limit_nodes);
    let shown = network(&snapshot, &arguments.claim, nodes, talk)?;
    let supposing = supposing(&shown, [&from, &to]).map_err(|error| Failure::new(error.to_string()))?;
    let network =
        supposing.as_ref().map_or(Ok(shown), |with_new| network(with_new, &arguments.claim, nodes, talk))?;
    let (from, to) = (region("--from", &network, &from)?, region("--to", &network, &to)?);
    require_internet_beside_public(&network, &from, &to).map_err(|error| Failure::new(error.to_string()))?;
    talk.progress("exploring");
    let wanted = Wanted { network: &network, from, to, traffic, question: arguments.question };
    let answer = wanted.answer()?;
    let target = output::target(arguments.answer.to.output.as_ref());
    let written = match arguments.answer.format {
        Format::Json => pretty(&ReachJson::of(&answer))?,
        Format::Markdown => markdown::reach(&answer),
        _ => rows::text(&answer, output::style(talk.choice(), target)),
    };
    output::write(target, written.as_bytes())?;
    Ok(Exit::Holds)
}

/// A selector; everything if none is given.
fn selector(option: &str, text: Option<&str>) -> Result<Selector, Failure> {
    let Some(text) = text else { return Ok(Selector::any()) };
    text.parse().map_err(|error| Failure::new(format!("{option}: {error}")))
}

fn region(option: &str, network: &Network<'_>, selector: &Selector) -> Result<Region, Failure> {
    select(network, selector).map_err(|error| Failure::new(format!("{option}: {error}")))
}

/// What is asked.
struct Wanted<'n, 's> {
    network: &'n Network<'s>,
    from: Region,
    to: Region,
    traffic: Vec<TrafficSpec>,
    question: Question,
}

/// What one class of sources yields.
#[derive(Default)]
struct Found {
    pairs: BTreeMap<(SourcePlace, Sink), Vec<Pattern>>,
    entered: BTreeSet<ComponentId>,
    /// Patterns of the class that have been replayed, with what became of them. Its members differ in their addresses
    /// only, so that one of them speaks for all.
    replayed: BTreeMap<(Sink, Pattern), Pattern>,
}

impl<'n> Wanted<'n, '_> {
    fn answer(&self) -> Result<ReachAnswer<'n>, Failure> {
        let sources: Vec<SourcePlace> = self.from.iter().filter_map(|(spot, _)| spot.source()).collect();
        let request = Request::of(Question::Connection);
        let reach = Reach::of(self.network);
        let explored = reach.explore(&classes(self.network, &sources), &request, |part| self.class(part));
        let mut all = Found::default();
        for part in explored?.into_iter().flatten() {
            let part = part?;
            for (ends, patterns) in part.pairs {
                all.pairs.entry(ends).or_default().extend(patterns);
            }
            all.entered.extend(part.entered);
        }
        let groups = self.own().groups(all.pairs).into_iter();
        let mut rows: Vec<Row> = groups.map(|group| Row::of(self.network, group)).collect();
        rows.sort_by(|left, right| (&left.from, &left.to).cmp(&(&right.from, &right.to)));
        let entered = all.entered.into_iter().map(|id| component_gap(self.network, id));
        let doubts = self.network.doubts().into_iter().chain(self.network.unlisted_addresses());
        let doubts = doubts.map(|doubt| ("snapshot".into(), doubt.into()));
        let gaps = gaps(entered.chain(doubts));
        Ok(ReachAnswer { question: self.question, rows, gaps, names: Names::of(self.network) })
    }

    fn own(&self) -> Own<'_, '_> {
        Own { network: self.network, from: &self.from, to: &self.to }
    }

    fn class(&self, mut explored: Explored<'_>) -> Result<Found, Failure> {
        let mut found = Found::default();
        let asked = traffic(explored.arena, explored.family, &self.traffic);
        for sender in senders(self.network, &self.from, explored.source) {
            let sent = sender.sent(explored.arena, explored.family);
            let sent = explored.arena.intersection(sent, asked);
            for delivery in explored.deliveries() {
                self.delivery(&mut explored, sender.place, sent, delivery, &mut found)?;
            }
        }
        Ok(found)
    }

    fn delivery(
        &self,
        explored: &mut Explored<'_>,
        source: SourcePlace,
        sent: Set,
        delivery: Delivery,
        found: &mut Found,
    ) -> Result<(), Failure> {
        if let Sink::Component(component) = delivery.sink {
            let entering = explored.arena.intersection(delivery.over, sent);
            found.entered.extend((!entering.is_empty()).then_some(component));
        }
        let itself = Spot::source_of(source).map(Spot::sink) == Some(delivery.sink);
        let Some(extent) = self.to.at(delivery.sink).filter(|_| !itself) else { return Ok(()) };
        let (family, destination) = (explored.family, delivery.destination);
        let asked = asked(explored, &delivery, extent, sent);
        let replay =
            Replay { network: self.network, question: self.question, from: source, to: delivery.sink };
        for (set, certain, answered) in self.parts(explored.arena, &delivery) {
            let set = explored.arena.intersection(set, asked);
            for flows in flows(explored.arena, family, set, destination, (certain, answered)) {
                let pattern = self.own().pattern(flows.clone(), source, delivery.sink);
                let known = found.replayed.get(&(delivery.sink, pattern.clone()));
                let confirmed = match known {
                    Some(known) => known.clone(),
                    None => {
                        let confirmed = replay.confirmed(explored.arena, set, flows)?;
                        self.own().pattern(confirmed, source, delivery.sink)
                    }
                };
                found.replayed.insert((delivery.sink, pattern), confirmed.clone());
                found.pairs.entry((source, delivery.sink)).or_default().push(confirmed);
            }
        }
        Ok(())
    }

    /// Disjoint parts of a delivery, each with whether it is certain to arrive and whether its replies come back. Of
    /// what is uncertain the replies are read in the permissive world, as its arrival is.
    fn parts(&self, arena: &mut Arena, delivery: &Delivery) -> Vec<(Set, bool, Answered)> {
        let (back, perhaps) = (delivery.answered_under, delivery.answered_over);
        let doubtful = arena.difference(perhaps, back);
        if self.question == Question::Connection {
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
}

/// What neither world answers.
fn unanswered(arena: &mut Arena, set: Set, back: Set, perhaps: Set) -> Set {
    let without = arena.difference(set, perhaps);
    arena.difference(without, back)
}

/// Of the sent headers those whose destination, as sent or as delivered, is meant.
fn asked(explored: &mut Explored<'_>, delivery: &Delivery, extent: &Extent, sent: Set) -> Set {
    let meant = destined(explored.arena, explored.family, delivery, &extent.blocks);
    explored.arena.intersection(meant, sent)
}
