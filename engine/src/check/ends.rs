//! Which places something may pass between, without telling which reaches which.

use std::collections::BTreeSet;

use reachproof_model::id::ComponentId;

use super::beyond::{MANY, beyond_components, entered, reached, wanted_of};
use super::bundle::is_one_place;
use super::destinations::{Asked, Destinations};
use super::gather::{Entered, Gathering, Wanted};
use super::place::origins;
use crate::header::{Arena, Field, Set};
use crate::network::{Sink, SourcePlace};
use crate::reach::{Exhausted, Explored, Reach, Request, SourceClass};

/// The sources from which something may get to a wanted sink.
pub(super) fn senders_to(
    reach: &Reach<'_, '_>,
    wanted: &Wanted<'_>,
) -> Result<BTreeSet<SourcePlace>, Exhausted> {
    let to = &wanted.destinations(reach)?;
    let (classes, request) = wanted.aimed(reach, to, wanted.crowds(reach))?;
    let request = Request { certain: false, ..request };
    let explored = reach.explore(&classes, &request, |explored| {
        explored.each_mark(|explored| match explored.is_empty() {
            true => Sending::default(),
            false => Gathering::of(reach, wanted, to, explored).sending(),
        })
    })?;
    let (mut sources, mut entered) = (BTreeSet::new(), Vec::new());
    for found in explored.into_iter().flatten().flatten() {
        sources.extend(found.sources);
        entered.extend(found.entered);
    }
    for bundle in beyond_components(reach, wanted, to, &entered)? {
        sources.extend(bundle.sources.iter());
    }
    Ok(sources)
}

/// What a class of sources yields if only they are asked for.
#[derive(Default)]
struct Sending {
    sources: BTreeSet<SourcePlace>,
    entered: Vec<Entered>,
}

impl Gathering<'_, '_> {
    fn sending(mut self) -> Sending {
        let mut found = Sending::default();
        for (delivery, alike) in self.explored.arrivals() {
            if let Some(asked) = self.asked(&delivery, alike) {
                let passing = self.passing(&delivery, &asked);
                for set in passing {
                    found.sources.extend(self.senders(&asked, set));
                }
            }
            if let Sink::Component(component) = delivery.sink {
                found.entered.extend(self.entered(component, delivery.over));
            }
        }
        found
    }

    fn senders(&self, asked: &Asked<'_>, set: Set) -> Vec<SourcePlace> {
        let sources = self.origins.among(&self.explored.arena.project(set, Field::Source));
        let elsewhere = |source: &SourcePlace| {
            let alone = asked.sinks.ok();
            alone.is_none_or(|sink| !is_one_place(*source, sink))
        };
        sources.iter().copied().filter(elsewhere).collect()
    }
}

/// The wanted sinks to which something may get from a source, by components if need be.
pub(super) fn reached_from(reach: &Reach<'_, '_>, wanted: &Wanted<'_>) -> Result<BTreeSet<Sink>, Exhausted> {
    let to = &Destinations::from_few(reach, wanted);
    let (classes, request) = wanted.aimed(reach, to, wanted.crowds(reach))?;
    let meant = |arena: &mut Arena, class: &SourceClass, family| {
        origins(reach.network(), wanted, class, family).headers(arena, family, Field::Source)
    };
    let extract = |mut explored: Explored<'_>| Reached::of(wanted, to, &mut explored);
    let mut all = Reached::default();
    all.extend(reach.explore_mixed((&classes, MANY), &request, meant, extract)?);
    let mut followed = BTreeSet::new();
    loop {
        let next: Vec<ComponentId> = all.entered.difference(&followed).copied().collect();
        if next.is_empty() {
            return Ok(all.sinks);
        }
        followed.extend(next.iter().copied());
        let alone = |id| SourceClass::alone(SourcePlace::Component(id));
        let classes: Vec<SourceClass> = next.into_iter().map(alone).collect();
        all.extend(reach.explore_mixed((&classes, MANY), &request, |_, _, _| Set::FULL, extract)?);
    }
}

/// What some sources reach.
#[derive(Default)]
struct Reached {
    sinks: BTreeSet<Sink>,
    entered: BTreeSet<ComponentId>,
}

impl Reached {
    fn of(wanted: &Wanted<'_>, to: &Destinations, explored: &mut Explored<'_>) -> Self {
        let arrived = wanted_of(wanted, to, explored);
        let sinks = arrived.into_iter().map(|(sinks, set)| reached(explored, sinks, set));
        let sinks = sinks.flat_map(|sinks| sinks.to_vec()).collect();
        Self { sinks, entered: entered(explored).into_iter().map(|(id, _)| id).collect() }
    }

    fn extend(&mut self, found: Vec<[Self; 2]>) {
        for part in found.into_iter().flatten() {
            self.sinks.extend(part.sinks);
            self.entered.extend(part.entered);
        }
    }
}
