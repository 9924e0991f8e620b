//! `reach`: every flow from some endpoints to others.

use std::collections::BTreeMap;

use rayon::prelude::*;
use reachproof_engine::header::{Arena, Set};
use reachproof_engine::hypothetical::{require_internet_beside_public, supposing};
use reachproof_engine::network::{Network, NodeLimit, Sink, SourcePlace};
use reachproof_engine::reach::{Reach, Request, classes};
use reachproof_engine::region::{Region, Spot, select};
use reachproof_model::assumption::Assumptions;
use reachproof_model::flow::Question;
use reachproof_model::policy::{Selector, TrafficSpec};

use super::between::Between;
use super::flows::{Answered, Flows};
use super::group::{Alike, Group, Own, Pattern, alike};
use super::listing::{Found, Listing};
use super::replay::Replay;
use super::units::{From, To, Units};
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
    let answer = wanted.answer(talk)?;
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

/// A pattern between an example of two ends, of which a replay speaks for all of the same units.
type Like = (From, To, Pattern);

fn like(units: &Units, (from, to): (SourcePlace, Sink), pattern: &Pattern) -> Like {
    (units.start(from), units.end(to), pattern.clone())
}

/// What is asked.
pub(super) struct Wanted<'n, 's> {
    pub(super) network: &'n Network<'s>,
    pub(super) from: Region,
    pub(super) to: Region,
    pub(super) traffic: Vec<TrafficSpec>,
    pub(super) question: Question,
}

impl<'n> Wanted<'n, '_> {
    fn answer(&self, talk: &mut Talk) -> Result<ReachAnswer<'n>, Failure> {
        let sources: Vec<SourcePlace> = self.from.iter().filter_map(|(spot, _)| spot.source()).collect();
        let reach = Reach::of(self.network);
        let between = Between::of(&self.own(), &reach)?;
        let request = Request { as_sent: between.is_none(), ..Request::of(Question::Connection) };
        let explored = reach.explore(&classes(self.network, &sources), &request, |explored| {
            Listing::of(self, between.as_ref(), explored)
        });
        let mut all = Found::default();
        for part in explored?.into_iter().flatten() {
            all.append(part?);
        }
        talk.progress("tracing an example of each row");
        let none = Units::default();
        let units = between.as_ref().map_or(&none, Between::units);
        let alike: Vec<Alike> = alike(units, all.pairs);
        let groups = self.confirmed(units, alike)?;
        let mut rows: Vec<Row> = groups.into_iter().map(|group| Row::of(self.network, group)).collect();
        rows.sort_by(|left, right| (&left.from, &left.to).cmp(&(&right.from, &right.to)));
        let entered = all.entered.into_iter().map(|id| component_gap(self.network, id));
        let doubts = self.network.doubts().into_iter().chain(self.network.unlisted_addresses());
        let doubts = doubts.chain(self.other_interfaces()).map(|doubt| ("snapshot".into(), doubt.into()));
        let gaps = gaps(entered.chain(doubts));
        Ok(ReachAnswer { question: self.question, rows, gaps, names: Names::of(self.network) })
    }

    /// R-MBX-10, A-8: rows are of each interface by itself, while a guest with several may send by any of them.
    fn other_interfaces(&self) -> Option<String> {
        let sources = self.from.iter().filter_map(|(spot, _)| match spot {
            Spot::Interface(id) => Some(id),
            _ => None,
        });
        let mut several = sources.filter(|id| !self.network.siblings_of(*id).is_empty());
        let first = &self.network.interface(several.next()?).meta.id;
        let more = several.count();
        Some(format!(
            "the instance of {first}, and of {more} more sources, has several interfaces and may send by any of them; rows are of each by itself, `check` counts the others, too (A-8)"
        ))
    }

    /// The groups of ends that are alike. What was not replayed for each two of them is replayed here for the first two, once
    /// for all groups of which these are of the same units.
    fn confirmed(&self, units: &Units, mut alike: Vec<Alike>) -> Result<Vec<Group>, Failure> {
        let own = self.own();
        let mut examples: BTreeMap<Like, (SourcePlace, Sink, &Pattern)> = BTreeMap::new();
        for group in &alike {
            let Some((from, to)) = group.example() else { continue };
            for pattern in group.patterns.iter().filter(|pattern| self.speaks_for_all(&pattern.flows)) {
                examples.entry(like(units, (from, to), pattern)).or_insert((from, to, pattern));
            }
        }
        let replayed = examples.into_par_iter().map(|(like, (from, to, pattern))| {
            let flows = own.flows(pattern.clone(), &[from], &[to]);
            let mut arena = Arena::new(flows.family);
            let confirmed = self.replay(from, to).confirmed(&mut arena, Set::FULL, flows)?;
            Ok((like, confirmed.assumptions))
        });
        let replayed: BTreeMap<Like, Assumptions> = replayed.collect::<Result<_, Failure>>()?;
        for group in &mut alike {
            let Some(ends) = group.example() else { continue };
            for pattern in &mut group.patterns {
                if let Some(assumptions) = replayed.get(&like(units, ends, pattern)) {
                    pattern.flows.assumptions = *assumptions;
                }
            }
        }
        Ok(alike.into_iter().map(|alike| own.group(alike)).collect())
    }

    /// Whether a replay between two ends confirms the same flows between all that are alike: where they are certain, what
    /// they were addressed to is known, and nothing can make them uncertain.
    pub(super) fn speaks_for_all(&self, flows: &Flows) -> bool {
        flows.certain && flows.answered != Answered::Some && !flows.rewritten && !self.network.options.strict
    }

    pub(super) fn replay(&self, from: SourcePlace, to: Sink) -> Replay<'n, '_> {
        Replay { network: self.network, question: self.question, from, to }
    }

    pub(super) fn own(&self) -> Own<'_, '_> {
        Own { network: self.network, from: &self.from, to: &self.to }
    }
}

#[cfg(test)]
mod tests;
