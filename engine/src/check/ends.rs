//! Which places something may pass between, without telling which reaches which.

use std::collections::BTreeSet;
use std::sync::Arc;

use reachproof_model::id::ComponentId;

use super::beyond::{beyond_components, reached_beyond};
use super::bundle::is_one_place;
use super::destinations::{Asked, Destinations};
use super::gather::{Entered, Gathering, Wanted};
use crate::header::{Field, Set};
use crate::network::{Sink, SourcePlace};
use crate::reach::{Exhausted, Reach};

/// The sources from which something may get to a wanted sink.
pub(super) fn senders_to(
    reach: &Reach<'_, '_>,
    wanted: &Wanted<'_>,
) -> Result<BTreeSet<SourcePlace>, Exhausted> {
    let to = &wanted.destinations(reach)?;
    let Touched { mut sources, entered, .. } = touched(reach, wanted, to)?;
    for bundle in beyond_components(reach, wanted, to, &entered)? {
        sources.extend(bundle.sources.iter());
    }
    Ok(sources)
}

/// The wanted sinks to which something may get from a source.
pub(super) fn reached_from(reach: &Reach<'_, '_>, wanted: &Wanted<'_>) -> Result<BTreeSet<Sink>, Exhausted> {
    let to = &Destinations::from_few(reach, wanted);
    let Touched { mut sinks, entered, .. } = touched(reach, wanted, to)?;
    let first: BTreeSet<ComponentId> = entered.iter().map(|entry| entry.component).collect();
    sinks.extend(reached_beyond(reach, wanted, to, first)?);
    Ok(sinks)
}

/// What source classes yield if only the ends are asked for.
#[derive(Default)]
struct Touched {
    sources: BTreeSet<SourcePlace>,
    sinks: BTreeSet<Sink>,
    entered: Vec<Entered>,
}

fn touched(reach: &Reach<'_, '_>, wanted: &Wanted<'_>, to: &Destinations) -> Result<Touched, Exhausted> {
    let (classes, request) = wanted.aimed(reach, to, wanted.crowds(reach));
    let explored = reach.explore(&classes, &request, |explored| {
        if explored.is_empty() {
            return Touched::default();
        }
        Gathering::of(reach, wanted, to, explored).ends()
    })?;
    let mut all = Touched::default();
    for found in explored.into_iter().flatten() {
        all.sources.extend(found.sources);
        all.sinks.extend(found.sinks);
        all.entered.extend(found.entered);
    }
    Ok(all)
}

impl Gathering<'_, '_> {
    fn ends(mut self) -> Touched {
        let mut found = Touched::default();
        for (delivery, alike) in self.explored.arrivals() {
            if let Some(asked) = self.asked(&delivery, alike) {
                let [certain, unsure] = self.passing(&delivery, &asked);
                let any = self.explored.arena.union(certain, unsure);
                self.touch(&asked, any, &mut found);
            }
            if let Sink::Component(component) = delivery.sink {
                found.entered.extend(self.entered(component, delivery.over));
            }
        }
        found
    }

    fn touch(&self, asked: &Asked<'_>, set: Set, found: &mut Touched) {
        if set.is_empty() {
            return;
        }
        let sources = self.origins.among(&self.explored.arena.project(set, Field::Source));
        let sinks = match asked.sinks {
            Ok(sink) => Arc::from([sink]),
            Err(target) => target.meant.among(&self.explored.arena.project(set, Field::Destination)),
        };
        let itself = match (&*sources, &*sinks) {
            ([source], [sink]) => is_one_place(*source, *sink),
            _ => false,
        };
        if !itself {
            found.sources.extend(sources.iter());
            found.sinks.extend(sinks.iter());
        }
    }
}
