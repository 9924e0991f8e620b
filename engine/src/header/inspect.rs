//! Looking into sets: boxes, witnesses, values of a field. Nothing here makes nodes.

use super::hash::{FixedMap, FixedSet};
use super::{Arena, Field, Header, HeaderBox, Set};

/// The boxes of a set; made by [`Arena::boxes`].
pub struct Boxes<'a> {
    arena: &'a Arena,
    /// Sub-diagrams still to be listed, the next one last, each with the box of the path to it.
    stack: Vec<(Set, HeaderBox)>,
}

impl Iterator for Boxes<'_> {
    type Item = HeaderBox;

    fn next(&mut self) -> Option<HeaderBox> {
        while let Some((set, path)) = self.stack.pop() {
            let Some(field) = self.arena.field(set) else {
                if set.is_full() {
                    return Some(path);
                }
                continue;
            };
            let intervals = self.arena.node(set).intervals().rev();
            let inhabited = intervals.filter(|(_, _, child)| !child.is_empty());
            self.stack.extend(inhabited.map(|(lo, hi, child)| (child, path.with(field, lo, hi))));
        }
        None
    }
}

impl Arena {
    /// Disjoint boxes that together are the set, in ascending order of their least headers.
    pub fn boxes(&self, set: Set) -> Boxes<'_> {
        Boxes { arena: self, stack: vec![(set, HeaderBox::whole(&self.domain))] }
    }

    /// How many boxes [`boxes`](Self::boxes) gives, without listing them; at most `u64::MAX`.
    pub fn count_boxes(&self, set: Set) -> u64 {
        self.count_boxes_below(set, &mut FixedMap::default())
    }

    fn count_boxes_below(&self, set: Set, done: &mut FixedMap<Set, u64>) -> u64 {
        if set <= Set::FULL {
            return u64::from(set.is_full());
        }
        if let Some(count) = done.get(&set) {
            return *count;
        }
        let children = self.node(set).children.iter();
        let count =
            children.fold(0u64, |sum, child| sum.saturating_add(self.count_boxes_below(*child, done)));
        done.insert(set, count);
        count
    }

    /// The least header of the set, comparing field by field; `None` iff the set is empty.
    pub fn pick(&self, set: Set) -> Option<Header> {
        self.pick_within(set, &HeaderBox::whole(&self.domain))
    }

    /// A header of the set with as many preferences met as can be when each is settled before the next is looked at;
    /// the least such header. `None` iff the set is empty.
    pub fn pick_preferring(&self, set: Set, preferences: &[(Field, u128)]) -> Option<Header> {
        let mut limits = HeaderBox::whole(&self.domain);
        let mut picked = self.pick_within(set, &limits);
        for (field, value) in preferences {
            let (lo, hi) = limits.interval(*field);
            let narrowed = limits.with(*field, *value, *value);
            if (lo..=hi).contains(value)
                && let Some(header) = self.pick_within(set, &narrowed)
            {
                (limits, picked) = (narrowed, Some(header));
            }
        }
        picked
    }

    /// The least header that is in both the set and the box; `None` iff there is none.
    pub fn pick_within(&self, set: Set, limits: &HeaderBox) -> Option<Header> {
        let least = limits.least();
        let outside = Field::ALL.into_iter().any(|field| least.value(field) > self.domain.greatest(field));
        if limits.is_empty() || outside {
            return None;
        }
        self.pick_below(set, limits, least, &mut FixedSet::default())
    }

    /// The least header in both, the fields before the root of `set` being those of `picked`.
    fn pick_below(
        &self,
        set: Set,
        limits: &HeaderBox,
        picked: Header,
        barren: &mut FixedSet<Set>,
    ) -> Option<Header> {
        let Some(field) = self.field(set) else { return set.is_full().then_some(picked) };
        if barren.contains(&set) {
            return None;
        }
        let (least, greatest) = limits.interval(field);
        for (lo, hi, child) in self.node(set).intervals() {
            if lo > greatest {
                break;
            }
            if hi >= least
                && let Some(header) =
                    self.pick_below(child, limits, picked.with(field, lo.max(least)), barren)
            {
                return Some(header);
            }
        }
        barren.insert(set);
        None
    }

    /// The values of a field that occur in the set, as ascending inclusive intervals with gaps between them.
    pub fn project(&self, set: Set, field: Field) -> Vec<(u128, u128)> {
        self.project_all(vec![set], field)
    }

    /// The same for several sets together, without making them one.
    pub fn project_all(&self, sets: Vec<Set>, field: Field) -> Vec<(u128, u128)> {
        let (mut found, mut room) = (Vec::new(), ROOM);
        self.visit(sets, field, |lo, hi, child| {
            if !child.is_empty() {
                found.push((lo, hi));
            }
            if found.len() >= room {
                found.sort_unstable();
                found = merged(&found);
                room = ROOM.max(2 * found.len());
            }
        });
        found.sort_unstable();
        merged(&found)
    }

    /// What is left of a set for one destination and one source: a set of protocols and ports.
    pub fn between(&self, set: Set, destination: u128, source: u128) -> Set {
        let mut at = set;
        loop {
            at = match self.field(at) {
                Some(Field::Destination) => self.node(at).child(destination),
                Some(Field::Source) => self.node(at).child(source),
                _ => return at,
            };
        }
    }

    /// Whether some header changes between inside and outside by another value of this field alone.
    pub fn depends_on(&self, set: Set, field: Field) -> bool {
        let mut depends = false;
        self.visit(vec![set], field, |lo, hi, _| depends |= (lo, hi) != (0, self.domain.greatest(field)));
        depends
    }

    /// The greatest values of the intervals into which a set cuts a field: within one interval all values are alike.
    pub fn cuts(&self, set: Set, field: Field) -> Vec<u128> {
        let mut cuts = vec![self.domain.greatest(field)];
        self.visit(vec![set], field, |_, hi, _| cuts.push(hi));
        cuts.sort_unstable();
        cuts.dedup();
        cuts
    }

    /// Visits every interval of the field with what it leads to, once for each sub-diagram below the earlier fields.
    fn visit(&self, sets: Vec<Set>, field: Field, mut interval: impl FnMut(u128, u128, Set)) {
        let mut seen = FixedSet::default();
        let mut stack = sets;
        while let Some(at) = stack.pop() {
            if !seen.insert(at) {
                continue;
            }
            match self.field(at) {
                Some(earlier) if earlier < field => stack.extend(self.node(at).children),
                Some(same) if same == field => {
                    self.node(at).intervals().for_each(|(lo, hi, child)| interval(lo, hi, child));
                }
                _ => interval(0, self.domain.greatest(field), at),
            }
        }
    }
}

/// Intervals that are kept before those that overlap are made one.
const ROOM: usize = 1 << 16;

/// A part of a set that is a product: each of some destinations with each of some sources and each of the headers of `rest`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Product {
    /// Destinations, as ascending inclusive intervals.
    pub destinations: Vec<(u128, u128)>,
    /// Sources, as ascending inclusive intervals.
    pub sources: Vec<(u128, u128)>,
    /// What the headers have in their other fields; a set that depends on no address.
    pub rest: Set,
}

impl Product {
    /// Whether the header is in the product; `arena` is that of the rest.
    pub fn contains(&self, arena: &Arena, header: &Header) -> bool {
        let within = |intervals: &[(u128, u128)], field| {
            let value = header.value(field);
            intervals.iter().any(|(lo, hi)| (*lo..=*hi).contains(&value))
        };
        within(&self.destinations, Field::Destination)
            && within(&self.sources, Field::Source)
            && arena.contains(self.rest, header)
    }
}

impl Arena {
    /// Disjoint products that together are the set, in a fixed order. No two have both the same rest and a destination in
    /// common.
    pub fn products(&self, set: Set) -> Vec<Product> {
        let mut found = Vec::new();
        for (below, destinations) in self.split(set, Field::Destination) {
            for (rest, sources) in self.split(below, Field::Source) {
                found.push(Product { destinations: destinations.clone(), sources, rest });
            }
        }
        found
    }

    /// What a set with no earlier field leads to by the values of a field: each inhabited sub-diagram, in the order of the
    /// least value.
    fn split(&self, set: Set, field: Field) -> Vec<(Set, Vec<(u128, u128)>)> {
        if set.is_empty() {
            return Vec::new();
        }
        if self.field(set) != Some(field) {
            return vec![(set, vec![(0, self.domain.greatest(field))])];
        }
        let mut found: Vec<(Set, Vec<(u128, u128)>)> = Vec::new();
        let mut positions: FixedMap<Set, usize> = FixedMap::default();
        for (lo, hi, child) in self.node(set).intervals().filter(|(_, _, child)| !child.is_empty()) {
            let position = *positions.entry(child).or_insert(found.len());
            match found.get_mut(position) {
                Some((_, intervals)) => intervals.push((lo, hi)),
                None => found.push((child, vec![(lo, hi)])),
            }
        }
        found
    }
}

/// Sorted intervals with those that overlap or touch made one.
fn merged(sorted: &[(u128, u128)]) -> Vec<(u128, u128)> {
    let mut result: Vec<(u128, u128)> = Vec::new();
    for (lo, hi) in sorted {
        match result.last_mut() {
            Some(last) if *lo <= last.1.saturating_add(1) => last.1 = last.1.max(*hi),
            _ => result.push((*lo, *hi)),
        }
    }
    result
}
