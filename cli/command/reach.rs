//! `reach`: every flow from some endpoints to others.

use std::collections::{BTreeMap, BTreeSet};

use reachproof_engine::header::{Family, Field, Set};
use reachproof_engine::name::{sink_name, source_name};
use reachproof_engine::network::{Network, Sink, SourcePlace, owned_blocks};
use reachproof_engine::reach::{Delivery, Explored, Reach, Request, classes};
use reachproof_engine::region::{Extent, Region, Spot, select};
use reachproof_model::flow::Question;
use reachproof_model::id::ComponentId;
use reachproof_model::policy::{Selector, TrafficSpec};

use super::flows::{Answered, Flows, among, flows, is_among, traffic};
use super::{network, read_inputs, snapshot};
use crate::answer::reach::{ReachJson, RowJson};
use crate::answer::{component_gap, gaps, pretty};
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
    let network = network(&snapshot, &arguments.claim, talk)?;
    let (from, to) = (region("--from", &network, &from)?, region("--to", &network, &to)?);
    talk.progress("exploring");
    let wanted = Wanted { network: &network, from, to, traffic, question: arguments.question };
    let answer = wanted.answer()?;
    let target = output::target(arguments.answer.output.as_ref());
    let written = match arguments.format {
        Format::Json => pretty(&answer)?,
        _ => answer.text(output::style(talk.choice(), target)),
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
    flows: BTreeMap<(SourcePlace, Sink), Vec<Flows>>,
    entered: BTreeSet<ComponentId>,
}

impl Wanted<'_, '_> {
    fn answer(&self) -> Result<ReachJson, Failure> {
        let sources: Vec<SourcePlace> = self.from.iter().filter_map(|(spot, _)| spot.source()).collect();
        let request = Request::of(Question::Connection);
        let reach = Reach::of(self.network);
        let explored = reach.explore(&classes(self.network, &sources), &request, |part| self.class(part));
        let mut all = Found::default();
        for part in explored.map_err(|error| Failure::new(error.to_string()))?.into_iter().flatten() {
            for (ends, flows) in part.flows {
                all.flows.entry(ends).or_default().extend(flows);
            }
            all.entered.extend(part.entered);
        }
        let row = |((from, to), flows): ((SourcePlace, Sink), Vec<Flows>)| {
            RowJson::of(source_name(self.network, from), sink_name(self.network, to), &flows)
        };
        let rows = all.flows.into_iter().map(row).collect();
        let entered = all.entered.into_iter().map(|id| component_gap(self.network, id));
        let doubts = self.network.doubts().into_iter().chain(self.network.unlisted_addresses());
        let doubts = doubts.map(|doubt| ("snapshot".into(), doubt.into()));
        let gaps = gaps(entered.chain(doubts));
        Ok(ReachJson::of(self.question, rows, gaps))
    }

    fn class(&self, mut explored: Explored<'_>) -> Found {
        let mut found = Found::default();
        let class = explored.source;
        let members = class.members.iter().map(|id| SourcePlace::Interface(*id));
        let alone = class.members.is_empty().then_some(class.place);
        for source in members.chain(alone) {
            let sent = self.sent(&mut explored, source);
            for delivery in explored.deliveries.clone() {
                self.delivery(&mut explored, source, sent, delivery, &mut found);
            }
        }
        found
    }

    /// The headers that are asked about and that the source may send.
    fn sent(&self, explored: &mut Explored<'_>, source: SourcePlace) -> Set {
        let Some(extent) = Spot::source_of(source).and_then(|spot| self.from.get(spot)) else {
            return Set::EMPTY;
        };
        let (arena, family) = (&mut *explored.arena, explored.family);
        let mut sent = among(arena, family, Field::Source, &extent.blocks);
        if let SourcePlace::Interface(id) = source {
            let own = among(arena, family, Field::Source, &owned_blocks(self.network.interface(id)));
            sent = arena.intersection(sent, own);
        }
        let traffic = traffic(arena, family, &self.traffic);
        arena.intersection(sent, traffic)
    }

    fn delivery(
        &self,
        explored: &mut Explored<'_>,
        source: SourcePlace,
        sent: Set,
        delivery: Delivery,
        found: &mut Found,
    ) {
        if let Sink::Component(component) = delivery.sink {
            let entering = explored.arena.intersection(delivery.over, sent);
            found.entered.extend((!entering.is_empty()).then_some(component));
            return;
        }
        let itself = Spot::source_of(source).map(Spot::sink) == Some(delivery.sink);
        let Some(extent) = self.to.at(delivery.sink).filter(|_| !itself) else { return };
        let asked = destined(explored, delivery.destination, extent, sent);
        let (family, parts) = (explored.family, self.parts(explored, &delivery));
        for (set, certain, answered) in parts {
            let set = explored.arena.intersection(set, asked);
            let flows = flows(explored.arena, family, set, delivery.destination, (certain, answered));
            if !flows.is_empty() {
                found.flows.entry((source, delivery.sink)).or_default().extend(flows);
            }
        }
    }

    /// Disjoint parts of a delivery, each with whether it is certain to arrive and whether its replies come back. Of
    /// what is uncertain the replies are read in the permissive world, as its arrival is.
    fn parts(&self, explored: &mut Explored<'_>, delivery: &Delivery) -> Vec<(Set, bool, Answered)> {
        let arena = &mut *explored.arena;
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
fn unanswered(arena: &mut reachproof_engine::header::Arena, set: Set, back: Set, perhaps: Set) -> Set {
    let without = arena.difference(set, perhaps);
    arena.difference(without, back)
}

/// Of the sent headers those whose destination, as sent or as delivered, is meant.
fn destined(explored: &mut Explored<'_>, delivered: Option<u128>, extent: &Extent, sent: Set) -> Set {
    let family: Family = explored.family;
    if delivered.is_some_and(|value| is_among(&extent.blocks, value)) {
        return sent;
    }
    let meant = among(explored.arena, family, Field::Destination, &extent.blocks);
    explored.arena.intersection(meant, sent)
}
