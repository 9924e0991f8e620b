//! Which of very many sources are worth an exploration of their own.

use super::beyond::{MANY, entered, wanted_of};
use super::destinations::Destinations;
use super::gather::Wanted;
use super::place::origins;
use crate::header::{Arena, Family, Field, Set};
use crate::network::{Network, Search, SourcePlace};
use crate::reach::{
    Exhausted, Explored, Reach, Request, SourceClass, intervals_of, merged_intervals, overlap,
};

/// Classes of interfaces that are explored each by itself without more ado.
const FEW: usize = 64;

/// Inclusive intervals of source addresses, by family.
type Sources = [Vec<(u128, u128)>; 2];

/// Those of some classes of which something may get to a wanted sink or into a component that is aimed at.
///
/// All interfaces are explored as one first, in the permissive world. What arrives of all together arrives of one of them,
/// and its source, as it was sent, is an address of that one.
pub(super) fn shortlisted(
    reach: &Reach<'_, '_>,
    wanted: &Wanted<'_>,
    to: &Destinations,
    classes: Vec<SourceClass>,
) -> Result<Vec<SourceClass>, Exhausted> {
    let (interfaces, others): (Vec<SourceClass>, Vec<SourceClass>) =
        classes.into_iter().partition(|class| matches!(class.place, SourcePlace::Interface(_)));
    let few = if reach.network().options.search == Search::Usual { FEW } else { 0 };
    if interfaces.len() <= few {
        return Ok(interfaces.into_iter().chain(others).collect());
    }
    let arriving = arriving(reach, wanted, to, &interfaces)?;
    let kept = interfaces.into_iter().filter(|class| may_send(reach.network(), class, &arriving));
    Ok(kept.chain(others).collect())
}

/// The sources of everything that arrives.
fn arriving(
    reach: &Reach<'_, '_>,
    wanted: &Wanted<'_>,
    to: &Destinations,
    classes: &[SourceClass],
) -> Result<Sources, Exhausted> {
    let request = Request::of_packets(&wanted.avoid, &to.aim);
    let meant = |arena: &mut Arena, class: &SourceClass, family| {
        origins(reach.network(), wanted, class, family).headers(arena, family, Field::Source)
    };
    let found = reach.explore_mixed((classes, MANY), &request, meant, |mut explored| {
        (explored.family, sources(wanted, to, &mut explored))
    })?;
    let of = |family: Family| {
        let intervals =
            found.iter().flatten().filter(|(of, _)| *of == family).flat_map(|(_, sources)| sources);
        merged_intervals(intervals.copied().collect())
    };
    Ok([Family::V4, Family::V6].map(of))
}

fn sources(wanted: &Wanted<'_>, to: &Destinations, explored: &mut Explored<'_>) -> Vec<(u128, u128)> {
    let arrived = wanted_of(wanted, to, explored).into_iter().map(|(_, set)| set);
    let entered = entered(explored).into_iter().map(|(_, set)| set);
    let sets: Vec<Set> = arrived.chain(entered).collect();
    explored.arena.project_all(sets, Field::Source)
}

fn may_send(network: &Network<'_>, class: &SourceClass, arriving: &Sources) -> bool {
    let blocks: Vec<_> = class.members.iter().flat_map(|id| network.sent_blocks(*id)).collect();
    [Family::V4, Family::V6].into_iter().zip(arriving).any(|(family, arriving)| {
        let own = intervals_of(&blocks, family);
        overlap(&merged_intervals(own), arriving)
    })
}
