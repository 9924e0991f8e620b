//! What lies beyond unmodelled components: whatever enters one may come out of any of its exits with any header.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use petgraph::graphmap::DiGraphMap;
use petgraph::visit::Dfs;
use reachproof_model::id::ComponentId;

use super::bundle::{Addresses, Bundle, Examples, Sample};
use super::destinations::{Asked, Destinations};
use super::gather::{Entered, Wanted};
use super::place::Target;
use crate::asked::traffic;
use crate::header::{Field, Set};
use crate::network::Sink;
use crate::reach::{Alike, Delivery, Exhausted, Explored, Reach, Request, SourceClass};

/// What may come out of the components that sources enter, at the wanted destinations.
pub(super) fn beyond_components(
    reach: &Reach<'_, '_>,
    wanted: &Wanted<'_>,
    to: &Destinations,
    entered: &[Entered],
) -> Result<Vec<Bundle>, Exhausted> {
    let first: BTreeSet<ComponentId> = entered.iter().map(|entry| entry.component).collect();
    let onward = onward(reach, wanted, to, &first)?;
    let sinks_of = |id: &ComponentId| (*id, onward.sinks_beyond(*id).into_iter().collect::<Arc<[Sink]>>());
    let sinks: BTreeMap<ComponentId, Arc<[Sink]>> = first.iter().map(sinks_of).collect();
    let mut bundles = Vec::new();
    for entry in entered {
        let Some(sinks) = sinks.get(&entry.component).cloned() else { continue };
        let samples = vec![Sample { certain: false, flow: entry.flow }];
        let examples = Examples::Passing { samples, from: entry.from.clone(), to: Addresses::AsShown };
        let bundle = Bundle::passing(entry.sources.clone(), sinks, examples, false);
        bundles.extend((!bundle.is_empty()).then_some(bundle));
    }
    Ok(bundles)
}

/// How many classes of sources are explored as one where it does not matter which of them something came from.
pub(super) const MANY: usize = 4096;

/// How many components are explored at once, so that what they have in common is explored once; fewer than
/// [`Field::Start`] can tell apart.
pub(super) const TOGETHER: usize = 256;

pub(super) fn explore_beyond<T: Send>(
    reach: &Reach<'_, '_>,
    wanted: &Wanted<'_>,
    to: &Destinations,
    components: &[ComponentId],
    extract: impl Fn(&mut Explored<'_>) -> T + Sync,
) -> Result<Vec<T>, Exhausted> {
    let request = Request::of_packets(&wanted.avoid, &to.aim);
    let sources: Vec<SourceClass> = components.chunks(TOGETHER).filter_map(SourceClass::components).collect();
    let found = reach.explore(&sources, &request, |mut explored| extract(&mut explored))?;
    Ok(found.into_iter().flatten().collect())
}

/// What gets into components.
pub(super) fn entered(explored: &Explored<'_>) -> Vec<(ComponentId, Set)> {
    let entering = |(delivery, _): (Delivery, Option<Alike<'_>>)| match delivery.sink {
        Sink::Component(id) => Some((id, delivery.over)),
        _ => None,
    };
    explored.arrivals().into_iter().filter_map(entering).collect()
}

/// What gets to wanted sinks, and is wanted there.
pub(super) fn wanted_of<'e>(
    wanted: &Wanted<'_>,
    to: &'e Destinations,
    explored: &mut Explored<'_>,
) -> Vec<(Result<Sink, &'e Target>, Set)> {
    let family = explored.family;
    let asked = traffic(explored.arena, family, wanted.traffic);
    let mut found = Vec::new();
    for (delivery, alike) in explored.arrivals() {
        if let Some(Asked { sinks, meant, .. }) = to.asked(wanted, explored, &delivery, alike) {
            let passing = explored.arena.intersection(delivery.over, asked);
            found.push((sinks, explored.arena.intersection(passing, meant)));
        }
    }
    found
}

/// The components that some headers came out of, with their positions.
pub(super) fn senders(explored: &Explored<'_>, set: Set) -> Vec<(u128, ComponentId)> {
    let positions = explored.arena.project(set, Field::Start).into_iter().flat_map(|(lo, hi)| lo..=hi);
    let component = |position: u128| {
        let at = usize::try_from(position).ok()?;
        Some((position, *explored.source.components.get(at)?))
    };
    positions.map_while(component).collect()
}

/// What lies beyond components: which lead to which, and the wanted sinks of each.
#[derive(Default)]
struct Onward {
    leads_to: DiGraphMap<ComponentId, ()>,
    sinks: BTreeMap<ComponentId, BTreeSet<Sink>>,
}

impl Onward {
    fn add(&mut self, explored: &[ComponentId], leads: Vec<(ComponentId, Led)>) {
        for id in explored {
            self.sinks.entry(*id).or_default();
        }
        for (from, led) in leads {
            match led {
                Led::Into(component) => {
                    self.leads_to.add_edge(from, component, ());
                }
                Led::To(sinks) => self.sinks.entry(from).or_default().extend(sinks.iter()),
            }
        }
    }

    /// Components that something leads to and that have not been explored.
    fn unexplored(&self) -> Vec<ComponentId> {
        let mut ids: Vec<ComponentId> =
            self.leads_to.nodes().filter(|id| !self.sinks.contains_key(id)).collect();
        ids.sort_unstable();
        ids
    }

    /// The wanted sinks of a component and of all that it leads to.
    fn sinks_beyond(&self, first: ComponentId) -> BTreeSet<Sink> {
        let mut walk = Dfs::new(&self.leads_to, first);
        let mut sinks = self.sinks.get(&first).cloned().unwrap_or_default();
        while let Some(component) = walk.next(&self.leads_to) {
            sinks.extend(self.sinks.get(&component).into_iter().flatten());
        }
        sinks
    }
}

/// Those of some sinks at which headers arrived.
pub(super) fn reached(explored: &Explored<'_>, sinks: Result<Sink, &Target>, set: Set) -> Arc<[Sink]> {
    match sinks {
        Ok(sink) if !set.is_empty() => Arc::from([sink]),
        Ok(_) => Arc::from([]),
        Err(target) => target.meant.among(&explored.arena.project(set, Field::Destination)),
    }
}

/// Where something that comes out of a component gets to.
enum Led {
    Into(ComponentId),
    /// Wanted sinks.
    To(Arc<[Sink]>),
}

fn onward(
    reach: &Reach<'_, '_>,
    wanted: &Wanted<'_>,
    to: &Destinations,
    first: &BTreeSet<ComponentId>,
) -> Result<Onward, Exhausted> {
    let mut known = Onward::default();
    let mut next: Vec<ComponentId> = first.iter().copied().collect();
    while !next.is_empty() {
        let leads = explore_beyond(reach, wanted, to, &next, |explored| leads(wanted, to, explored))?;
        known.add(&next, leads.into_iter().flatten().collect());
        next = known.unexplored();
    }
    Ok(known)
}

fn leads(wanted: &Wanted<'_>, to: &Destinations, explored: &mut Explored<'_>) -> Vec<(ComponentId, Led)> {
    let mut found = Vec::new();
    for (component, set) in entered(explored) {
        found.extend(senders(explored, set).into_iter().map(|(_, from)| (from, Led::Into(component))));
    }
    for (sinks, set) in wanted_of(wanted, to, explored) {
        for (position, from) in senders(explored, set) {
            let own = explored.arena.interval(Field::Start, position, position);
            let own = explored.arena.intersection(set, own);
            found.push((from, Led::To(reached(explored, sinks, own))));
        }
    }
    found
}
