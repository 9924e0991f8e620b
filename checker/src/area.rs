//! Boxes of headers and intervals of addresses, in lists.

use ipnet::IpNet;
use reachproof_model::certificate::{Area, Family};

use crate::work::Work;

/// First and last address.
pub(crate) type Interval = (u128, u128);

/// The headers in both boxes, if any.
pub(crate) fn meet(left: &Area, right: &Area) -> Option<Area> {
    Some(Area {
        destination: common(left.destination, right.destination)?,
        source: common(left.source, right.source)?,
        protocol: common(left.protocol, right.protocol)?,
        port: common(left.port, right.port)?,
        source_port: common(left.source_port, right.source_port)?,
    })
}

/// The values in both intervals, if any.
pub(crate) fn common<T: Ord>(left: (T, T), right: (T, T)) -> Option<(T, T)> {
    let (lo, hi) = (left.0.max(right.0), left.1.min(right.1));
    (lo <= hi).then_some((lo, hi))
}

/// The part of a box outside of another, as disjoint boxes.
pub(crate) fn minus(area: &Area, hole: &Area) -> Vec<Area> {
    let Some(inside) = meet(area, hole) else { return vec![*area] };
    let mut rest = *area;
    let mut pieces = Vec::new();
    macro_rules! cut {
        ($field:ident) => {{
            if rest.$field.0 < inside.$field.0 {
                pieces.push(Area { $field: (rest.$field.0, inside.$field.0.saturating_sub(1)), ..rest });
            }
            if inside.$field.1 < rest.$field.1 {
                pieces.push(Area { $field: (inside.$field.1.saturating_add(1), rest.$field.1), ..rest });
            }
            Area { $field: inside.$field, ..rest }
        }};
    }
    rest = cut!(destination);
    rest = cut!(source);
    rest = cut!(protocol);
    rest = cut!(port);
    cut!(source_port);
    pieces
}

/// A part of the box that no box of the list holds, if there is any.
pub(crate) fn uncovered(area: &Area, cover: &[Area], work: &Work) -> Option<Area> {
    let mut touching = Vec::new();
    for other in cover {
        work.spend(1);
        match meet(area, other) {
            Some(inside) if inside == *area => return None,
            Some(_) => touching.push(*other),
            None => {}
        }
    }
    uncovered_by(area, &touching, work)
}

/// The same, where no single box holds all of it. Once the work is used up, nothing counts as covered.
fn uncovered_by(area: &Area, cover: &[Area], work: &Work) -> Option<Area> {
    for (position, hole) in cover.iter().enumerate() {
        work.spend(1);
        if !work.is_used_up() && meet(area, hole).is_some() {
            let rest = cover.get(position + 1..).unwrap_or_default();
            return minus(area, hole).iter().find_map(|piece| uncovered_by(piece, rest, work));
        }
    }
    Some(*area)
}

/// The parts of boxes with a destination in one of the intervals.
pub(crate) fn destined(areas: &[Area], intervals: &[Interval]) -> Vec<Area> {
    let part = |area: &Area, interval: &Interval| {
        Some(Area { destination: common(area.destination, *interval)?, ..*area })
    };
    areas.iter().flat_map(|area| intervals.iter().filter_map(move |interval| part(area, interval))).collect()
}

/// The parts of boxes with a source in one of the intervals.
pub(crate) fn sent_from(areas: &[Area], intervals: &[Interval]) -> Vec<Area> {
    let part =
        |area: &Area, interval: &Interval| Some(Area { source: common(area.source, *interval)?, ..*area });
    areas.iter().flat_map(|area| intervals.iter().filter_map(move |interval| part(area, interval))).collect()
}

/// The parts of boxes in one of the others.
pub(crate) fn among(areas: &[Area], others: &[Area]) -> Vec<Area> {
    areas.iter().flat_map(|area| others.iter().filter_map(move |other| meet(area, other))).collect()
}

/// The boxes without those that lie in another one.
pub(crate) fn tidy(mut areas: Vec<Area>) -> Vec<Area> {
    areas.sort_unstable();
    areas.dedup();
    let within = |one: &Area, other: &Area| one != other && meet(one, other) == Some(*one);
    areas.iter().filter(|one| !areas.iter().any(|other| within(one, other))).copied().collect()
}

/// The family and the interval of a block.
pub(crate) fn interval(block: &IpNet) -> (Family, Interval) {
    match block {
        IpNet::V4(block) => {
            (Family::V4, (u32::from(block.network()).into(), u32::from(block.broadcast()).into()))
        }
        IpNet::V6(block) => (Family::V6, (block.network().into(), block.broadcast().into())),
    }
}

/// The intervals of the blocks of one family.
pub(crate) fn intervals<'b>(blocks: impl IntoIterator<Item = &'b IpNet>, family: Family) -> Vec<Interval> {
    let of_family = blocks.into_iter().map(interval).filter(|(own, _)| *own == family);
    of_family.map(|(_, interval)| interval).collect()
}

/// The parts of intervals outside of others.
pub(crate) fn without(intervals: &[Interval], holes: &[Interval]) -> Vec<Interval> {
    holes
        .iter()
        .fold(intervals.to_vec(), |rest, hole| rest.iter().flat_map(|one| beside(*one, *hole)).collect())
}

fn beside(one: Interval, hole: Interval) -> Vec<Interval> {
    let Some(inside) = common(one, hole) else { return vec![one] };
    let below = (one.0 < inside.0).then(|| (one.0, inside.0.saturating_sub(1)));
    let above = (inside.1 < one.1).then(|| (inside.1.saturating_add(1), one.1));
    below.into_iter().chain(above).collect()
}

/// The same addresses in as few intervals as can be, ascending.
pub(crate) fn tidy_intervals(mut intervals: Vec<Interval>) -> Vec<Interval> {
    intervals.sort_unstable();
    intervals.dedup_by(|next, last| {
        let touch = next.0 <= last.1.saturating_add(1);
        if touch {
            last.1 = last.1.max(next.1);
        }
        touch
    });
    intervals
}

/// Every address of a family outside of some blocks.
pub(crate) fn complement<'b>(blocks: impl IntoIterator<Item = &'b IpNet>, family: Family) -> Vec<Interval> {
    without(&[(0, family.greatest())], &intervals(blocks, family))
}
