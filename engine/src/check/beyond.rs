//! What lies beyond unmodelled components: whatever enters one may come out of any of its exits with any header.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use petgraph::graphmap::DiGraphMap;
use petgraph::visit::Dfs;
use reachproof_model::flow::Question;
use reachproof_model::id::{ComponentId, EniId};

use super::bundle::{Addresses, Bundle, Examples, Sample};
use super::gather::{Entered, Wanted};
use crate::asked::{destined, traffic};
use crate::network::{Sink, SourcePlace};
use crate::reach::{Aim, Exhausted, Explored, Reach, Request, SourceClass};
use crate::region::Spot;

/// What may come out of the components that sources enter, at the wanted destinations.
pub(super) fn beyond_components(
    reach: &Reach<'_, '_>,
    wanted: &Wanted<'_>,
    entered: &[Entered],
    aim: Option<Arc<Aim>>,
) -> Result<Vec<Bundle>, Exhausted> {
    let first: BTreeSet<ComponentId> = entered.iter().map(|entry| entry.component).collect();
    let onward = onward(reach, wanted, first, aim)?;
    let mut bundles = Vec::new();
    for entry in entered {
        let sinks: Vec<Sink> = onward.sinks_beyond(entry.component).into_iter().collect();
        let samples = vec![Sample { certain: false, flow: entry.flow }];
        let examples = Examples::Passing { samples, from: entry.from.clone(), to: Addresses::AsShown };
        let bundle = Bundle::passing(entry.sources.clone(), sinks, examples, false);
        bundles.extend((!bundle.is_empty()).then_some(bundle));
    }
    Ok(bundles)
}

/// What a search is for: what is wanted, and the components from which something may come there, by others if need be.
/// `None` if nothing follows from it.
pub(super) fn aim(reach: &Reach<'_, '_>, wanted: &Wanted<'_>) -> Result<Option<Aim>, Exhausted> {
    let interfaces: Vec<EniId> = wanted.to.iter().filter_map(|(spot, _)| interface_at(spot)).collect();
    let own: BTreeSet<ComponentId> = wanted.to.iter().filter_map(|(spot, _)| component_at(spot)).collect();
    let at = |components: BTreeSet<ComponentId>| {
        let components = components.union(&own).copied().collect();
        let elsewhere = wanted.to.len() > interfaces.len();
        Aim::at(reach, interfaces.iter().copied(), components, elsewhere)
    };
    let mut others: Vec<ComponentId> = reach.network().components().ids().collect();
    let mut leading = BTreeSet::new();
    let Some(mut aim) = at(BTreeSet::new()) else { return Ok(None) };
    loop {
        let more = leading_to(reach, wanted, &others, &aim)?;
        if more.is_empty() {
            return Ok(at(leading));
        }
        others.retain(|id| !more.contains(id));
        leading.extend(more.iter().copied());
        match Aim::at(reach, [], more, false) {
            Some(next) => aim = next,
            None => return Ok(None),
        }
    }
}

fn component_at(spot: Spot) -> Option<ComponentId> {
    match spot {
        Spot::Component(id) => Some(id),
        _ => None,
    }
}

fn interface_at(spot: Spot) -> Option<EniId> {
    match spot {
        Spot::Interface(id) => Some(id),
        _ => None,
    }
}

/// Those of some components from which something may come to a wanted sink, or into a component, that is aimed at.
fn leading_to(
    reach: &Reach<'_, '_>,
    wanted: &Wanted<'_>,
    components: &[ComponentId],
    aim: &Aim,
) -> Result<BTreeSet<ComponentId>, Exhausted> {
    let explored = explore_beyond(reach, wanted, components, Some(Arc::new(aim.clone())))?;
    let leads = |found: &[Beyond; 2]| {
        found.iter().any(|(sinks, entered)| !sinks.is_empty() || !entered.is_disjoint(aim.components()))
    };
    let found = components.iter().zip(&explored).filter(|(_, found)| leads(found));
    Ok(found.map(|(id, _)| *id).collect())
}

/// The wanted sinks and the components that something from a component may get to.
type Beyond = (BTreeSet<Sink>, BTreeSet<ComponentId>);

fn explore_beyond(
    reach: &Reach<'_, '_>,
    wanted: &Wanted<'_>,
    components: &[ComponentId],
    aim: Option<Arc<Aim>>,
) -> Result<Vec<[Beyond; 2]>, Exhausted> {
    let request = Request { question: Question::Packet, avoid: wanted.avoid.clone(), aim };
    let alone = |id: &ComponentId| SourceClass::alone(SourcePlace::Component(*id));
    let sources: Vec<SourceClass> = components.iter().map(alone).collect();
    reach.explore(&sources, &request, |mut explored| beyond(wanted, &mut explored))
}

/// What lies beyond components: which lead to which, and the wanted sinks of each.
#[derive(Default)]
struct Onward {
    leads_to: DiGraphMap<ComponentId, ()>,
    sinks: BTreeMap<ComponentId, BTreeSet<Sink>>,
}

impl Onward {
    fn add(
        &mut self,
        from: ComponentId,
        found: impl IntoIterator<Item = (BTreeSet<Sink>, BTreeSet<ComponentId>)>,
    ) {
        let sinks = self.sinks.entry(from).or_default();
        for (own, components) in found {
            sinks.extend(own);
            for component in components {
                self.leads_to.add_edge(from, component, ());
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

fn onward(
    reach: &Reach<'_, '_>,
    wanted: &Wanted<'_>,
    first: BTreeSet<ComponentId>,
    aim: Option<Arc<Aim>>,
) -> Result<Onward, Exhausted> {
    let mut known = Onward::default();
    let mut next: Vec<ComponentId> = first.into_iter().collect();
    while !next.is_empty() {
        let explored = explore_beyond(reach, wanted, &next, aim.clone())?;
        next.iter().zip(explored).for_each(|(id, families)| known.add(*id, families));
        next = known.unexplored();
    }
    Ok(known)
}

fn beyond(wanted: &Wanted<'_>, explored: &mut Explored<'_>) -> Beyond {
    let family = explored.family;
    let asked = traffic(explored.arena, family, wanted.traffic);
    let mut sinks = BTreeSet::new();
    for delivery in explored.deliveries_at(|sink| wanted.to.at(sink).is_some()) {
        let Some(extent) = wanted.to.at(delivery.sink) else { continue };
        let meant = destined(explored.arena, family, &delivery, &extent.blocks);
        let passing = explored.arena.intersection(delivery.over, asked);
        if explored.arena.intersects(passing, meant) {
            sinks.insert(delivery.sink);
        }
    }
    (sinks, explored.components_reached())
}
