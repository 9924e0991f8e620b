//! What searches need to know of the destinations that are wanted.

use std::collections::BTreeSet;
use std::sync::Arc;

use reachproof_model::id::{ComponentId, EniId};

use super::beyond::{TOGETHER, entered, explore_beyond, senders, wanted_of};
use super::gather::Wanted;
use super::place::{Target, targets};
use crate::asked::destined;
use crate::header::{Arena, Field, Set};
use crate::network::{Search, Sink, SourcePlace};
use crate::reach::{Aim, Alike, Delivery, Exhausted, Explored, Reach, ReceiversId, Request, SourceClass};
use crate::region::Spot;

/// What searches need to know of the destinations that are wanted; the same whatever the sources are.
pub(super) struct Destinations {
    /// The wanted sinks, by the position of the class of receivers.
    pub(super) targets: Vec<Option<Target>>,
    /// What a search is for, where that is less than everything.
    pub(super) aim: Option<Arc<Aim>>,
}

impl Destinations {
    /// With an aim where the network is large; `classes` is how many classes of sources there are.
    pub(super) fn of(reach: &Reach<'_, '_>, wanted: &Wanted<'_>, classes: usize) -> Result<Self, Exhausted> {
        let network = reach.network();
        let to = Self { targets: targets(reach, wanted), aim: None };
        match network.options.search.settled(network.snapshot.interfaces.len(), classes) {
            Search::Aimed => to.aimed(reach, wanted),
            Search::Onward => Ok(to.at(reach, wanted, network.components().ids())),
            Search::Usual | Search::Plain => Ok(to),
        }
    }

    /// The same for searches that follow what enters components, however many sources there are.
    pub(super) fn from_few(reach: &Reach<'_, '_>, wanted: &Wanted<'_>) -> Self {
        Self::at_least(reach, wanted, reach.network().components().ids())
    }

    /// The same for searches of what gets there by no component.
    pub(super) fn direct(reach: &Reach<'_, '_>, wanted: &Wanted<'_>) -> Self {
        Self::at_least(reach, wanted, [])
    }

    /// What is wanted and some components, where the network is large, else everything.
    fn at_least(
        reach: &Reach<'_, '_>,
        wanted: &Wanted<'_>,
        components: impl IntoIterator<Item = ComponentId>,
    ) -> Self {
        let network = reach.network();
        let to = Self { targets: targets(reach, wanted), aim: None };
        match network.options.search.settled(network.snapshot.interfaces.len(), 0) {
            Search::Aimed | Search::Onward => to.at(reach, wanted, components),
            Search::Usual | Search::Plain => to,
        }
    }

    /// Aimed at what is wanted and at some components. Without an aim if nothing follows from it.
    fn at(
        self,
        reach: &Reach<'_, '_>,
        wanted: &Wanted<'_>,
        components: impl IntoIterator<Item = ComponentId>,
    ) -> Self {
        let interfaces: Vec<EniId> = wanted.to.iter().filter_map(|(spot, _)| interface_at(spot)).collect();
        let own = wanted.to.iter().filter_map(|(spot, _)| component_at(spot));
        let components = own.chain(components).collect();
        let elsewhere = wanted.to.len() > interfaces.len();
        Self { aim: Aim::at(reach, interfaces, components, elsewhere).map(Arc::new), ..self }
    }

    /// Aimed at what is wanted, and at the components from which something may come there, by others if need be.
    fn aimed(self, reach: &Reach<'_, '_>, wanted: &Wanted<'_>) -> Result<Self, Exhausted> {
        let mut others: Vec<ComponentId> = reach.network().components().ids().collect();
        let mut leading = BTreeSet::new();
        let mut to = self.at(reach, wanted, []);
        while to.aim.is_some() {
            let more = leading_to(reach, wanted, &to, &others)?;
            if more.is_empty() {
                return Ok(to.at(reach, wanted, leading));
            }
            others.retain(|id| !more.contains(id));
            leading.extend(more.iter().copied());
            to.aim = Aim::at(reach, [], more, false).map(Arc::new);
        }
        Ok(to)
    }

    /// Whether something is wanted of what arrives at a sink, or at a class of receivers.
    pub(super) fn is_wanted(&self, wanted: &Wanted<'_>, sink: Sink, alike: Option<ReceiversId>) -> bool {
        match alike {
            None => wanted.to.at(sink).is_some(),
            Some(class) => self.targets.get(class.position()).is_some_and(Option::is_some),
        }
    }

    /// What is wanted of an arrival, if anything is.
    pub(super) fn asked(
        &self,
        wanted: &Wanted<'_>,
        explored: &mut Explored<'_>,
        delivery: &Delivery,
        alike: Option<Alike<'_>>,
    ) -> Option<Asked<'_>> {
        let family = explored.family;
        let Some(alike) = alike else {
            let extent = wanted.to.at(delivery.sink)?;
            let [meant, refuting] = [&extent.blocks, &extent.certain]
                .map(|blocks| destined(explored.arena, family, delivery, blocks));
            return Some(Asked { sinks: Ok(delivery.sink), meant, refuting });
        };
        let target = self.targets.get(alike.class.position())?.as_ref()?;
        let meant = target.meant.headers(explored.arena, family, Field::Destination);
        let refuting = target.refuting.as_ref();
        let refuting =
            refuting.map_or(meant, |places| places.headers(explored.arena, family, Field::Destination));
        Some(Asked { sinks: Err(target), meant, refuting })
    }
}

/// Those of some components from which something may come to a wanted sink, or into a component, that is aimed at.
fn leading_to(
    reach: &Reach<'_, '_>,
    wanted: &Wanted<'_>,
    to: &Destinations,
    components: &[ComponentId],
) -> Result<BTreeSet<ComponentId>, Exhausted> {
    let suspects = suspects(reach, wanted, to, components)?;
    let found = explore_beyond(reach, wanted, to, &suspects, |explored| {
        let leading = leading_sets(wanted, to, explored);
        leading.into_iter().flat_map(|set| senders(explored, set)).map(|(_, id)| id).collect()
    })?;
    let found: Vec<BTreeSet<ComponentId>> = found;
    Ok(found.into_iter().flatten().collect())
}

/// Components among which some are from which something may come there: those that are explored together with such a one.
fn suspects(
    reach: &Reach<'_, '_>,
    wanted: &Wanted<'_>,
    to: &Destinations,
    components: &[ComponentId],
) -> Result<Vec<ComponentId>, Exhausted> {
    let request = Request::of_packets(&wanted.avoid, &to.aim);
    let alone = |id: &ComponentId| SourceClass::alone(SourcePlace::Component(*id));
    let classes: Vec<SourceClass> = components.iter().map(alone).collect();
    let any = |_: &mut Arena, _: &SourceClass, _| Set::FULL;
    let leads = reach.explore_mixed((&classes, TOGETHER), &request, any, |mut explored| {
        leading_sets(wanted, to, &mut explored).iter().any(|set| !set.is_empty())
    })?;
    let groups = components.chunks(TOGETHER).zip(leads);
    Ok(groups.filter(|(_, leads)| leads.contains(&true)).flat_map(|(group, _)| group).copied().collect())
}

/// What gets to a wanted sink, or into a component, that is aimed at.
fn leading_sets(wanted: &Wanted<'_>, to: &Destinations, explored: &mut Explored<'_>) -> Vec<Set> {
    let aimed = |id: ComponentId| to.aim.as_ref().is_none_or(|aim| aim.is_at_component(id));
    let entering = entered(explored).into_iter().filter(|(id, _)| aimed(*id)).map(|(_, set)| set);
    let arriving = wanted_of(wanted, to, explored).into_iter().map(|(_, set)| set);
    entering.collect::<Vec<Set>>().into_iter().chain(arriving).collect()
}

/// Sinks at which something arrived, the headers that are meant there, and those of them that refute.
pub(super) struct Asked<'g> {
    /// By their addresses, where they receive alike.
    pub(super) sinks: Result<Sink, &'g Target>,
    pub(super) meant: Set,
    pub(super) refuting: Set,
}

impl Asked<'_> {
    /// Every sink that is meant.
    pub(super) fn all(&self) -> Arc<[Sink]> {
        match self.sinks {
            Ok(sink) => Arc::from([sink]),
            Err(target) => Arc::clone(&target.meant.all),
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
