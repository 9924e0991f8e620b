//! Projections and substitutions: what routing, NAT and "for every value" do to sets of headers.

use super::hash::FixedMap;
use super::memo::{Key, OPERAND_LIMIT};
use super::store::TERMINAL;
use super::{Arena, Field, Set};

/// The number of quantification in the operation cache.
const QUANTIFY: u8 = 8;

/// How many different quantifications are remembered at one time.
const MOST_QUANTIFICATIONS: usize = 1 << 20;

/// "For some" or "for every" value of a field in `lo..=hi`, an interval of its domain.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Quantification {
    every: bool,
    field: Field,
    lo: u128,
    hi: u128,
}

impl Arena {
    /// The headers that are in the set when the field is given this value: its cofactor. The field becomes irrelevant.
    ///
    /// Empty if the value is outside the domain.
    pub fn restrict(&mut self, set: Set, field: Field, value: u128) -> Set {
        self.exists_in(set, field, value, value)
    }

    /// The headers that are in the set for some value of the field. The field becomes irrelevant.
    pub fn exists(&mut self, set: Set, field: Field) -> Set {
        self.exists_in(set, field, 0, u128::MAX)
    }

    /// The headers that are in the set for some value of the field in `lo..=hi`. The field becomes irrelevant.
    ///
    /// Values beyond the domain are ignored; empty if none is left.
    pub fn exists_in(&mut self, set: Set, field: Field, lo: u128, hi: u128) -> Set {
        self.quantify(set, Quantification { every: false, field, lo, hi })
    }

    /// The headers that are in the set for every value of the field in `lo..=hi`. The field becomes irrelevant.
    ///
    /// Values beyond the domain are ignored; full if none is left.
    pub fn for_all_in(&mut self, set: Set, field: Field, lo: u128, hi: u128) -> Set {
        self.quantify(set, Quantification { every: true, field, lo, hi })
    }

    fn quantify(&mut self, set: Set, mut wanted: Quantification) -> Set {
        wanted.hi = wanted.hi.min(self.domain.greatest(wanted.field));
        if wanted.lo > wanted.hi {
            return Set::terminal(wanted.every);
        }
        if self.level(set) > wanted.field as u8 {
            return set;
        }
        let number = self.number(wanted);
        self.quantify_below(set, wanted, number)
    }

    fn quantify_below(&mut self, set: Set, wanted: Quantification, number: u32) -> Set {
        let (level, target) = (self.level(set), wanted.field as u8);
        if level > target || self.overflowed() {
            return set;
        }
        let key = Key::new(QUANTIFY, number, set.0);
        if let Some(result) = self.memo.get(key) {
            return Set(result);
        }
        self.operations += 1;
        let result = if level == target {
            self.combine_children(set, wanted)
        } else {
            self.rebuild(set, |arena, child| arena.quantify_below(child, wanted, number))
        };
        self.memo.put(key, result.0);
        result
    }

    /// The union or intersection of the children of a node that are reached by values in `lo..=hi`.
    fn combine_children(&mut self, set: Set, wanted: Quantification) -> Set {
        let intervals = self.node(set).intervals();
        let within = intervals.filter(|(lo, hi, _)| *lo <= wanted.hi && wanted.lo <= *hi);
        let mut children: Vec<Set> = within.map(|(_, _, child)| child).collect();
        children.sort_unstable();
        children.dedup();
        if wanted.every {
            children.into_iter().fold(Set::FULL, |result, child| self.intersection(result, child))
        } else {
            self.union_all(&children)
        }
    }

    /// The number under which results of this quantification are remembered.
    fn number(&mut self, wanted: Quantification) -> u32 {
        if self.quantifications.len() >= MOST_QUANTIFICATIONS {
            self.quantifications.clear();
            self.memo.clear();
        }
        let next = u32::try_from(self.quantifications.len()).unwrap_or(OPERAND_LIMIT - 1);
        *self.quantifications.entry(wanted).or_insert(next)
    }

    /// The headers that are in the set once `field` is given the value of `by`, a field with the same domain.
    ///
    /// `field` becomes irrelevant. If the set did not depend on `by`, this renames `field` to `by`.
    pub fn substitute(&mut self, set: Set, field: Field, by: Field) -> Set {
        debug_assert_eq!(self.domain.greatest(field), self.domain.greatest(by));
        if field == by {
            return set;
        }
        self.substitute_below(set, field, by, &mut FixedMap::default())
    }

    fn substitute_below(&mut self, set: Set, field: Field, by: Field, done: &mut FixedMap<Set, Set>) -> Set {
        let level = self.level(set);
        if level > field as u8 || self.overflowed() {
            return set;
        }
        if let Some(result) = done.get(&set) {
            return *result;
        }
        let result = if level == field as u8 && field < by {
            self.replace_by_later(set, by)
        } else if level >= by as u8 {
            self.replace_by_earlier(set, field, by)
        } else {
            self.rebuild(set, |arena, child| arena.substitute_below(child, field, by, done))
        };
        done.insert(set, result);
        result
    }

    /// Substitution at a node of the replaced field, `by` being further down.
    fn replace_by_later(&mut self, set: Set, by: Field) -> Set {
        let intervals: Vec<_> = self.node(set).intervals().collect();
        let mut parts = Vec::with_capacity(intervals.len());
        for (lo, hi, child) in intervals {
            let values = self.interval(by, lo, hi);
            parts.push(self.intersection(values, child));
        }
        self.union_all(&parts)
    }

    /// Substitution in a set with no field before `by`, the replaced field being further down.
    fn replace_by_earlier(&mut self, set: Set, field: Field, by: Field) -> Set {
        let mut cuts = self.cuts(set, field);
        cuts.extend(self.cuts(set, by));
        cuts.sort_unstable();
        cuts.dedup();
        let start = self.begin();
        for bound in cuts {
            let child = self.restrict(set, by, bound);
            let child = self.restrict(child, field, bound);
            self.push(start, bound, child);
        }
        self.finish(by as u8, start)
    }

    /// The headers that are in the set once two fields with the same domain have exchanged their values.
    pub fn swap(&mut self, set: Set, one: Field, other: Field) -> Set {
        debug_assert_eq!(self.domain.greatest(one), self.domain.greatest(other));
        if one == other {
            return set;
        }
        self.swap_below(set, one.min(other), one.max(other), &mut FixedMap::default())
    }

    fn swap_below(&mut self, set: Set, upper: Field, lower: Field, done: &mut FixedMap<Set, Set>) -> Set {
        let level = self.level(set);
        if level > lower as u8 || self.overflowed() {
            return set;
        }
        if let Some(result) = done.get(&set) {
            return *result;
        }
        let result = if level >= upper as u8 {
            self.swap_at(set, upper, lower)
        } else {
            self.rebuild(set, |arena, child| arena.swap_below(child, upper, lower, done))
        };
        done.insert(set, result);
        result
    }

    /// The exchange in a set with no field before `upper`.
    fn swap_at(&mut self, set: Set, upper: Field, lower: Field) -> Set {
        let start = self.begin();
        for bound in self.cuts(set, lower) {
            let child = self.restrict(set, lower, bound);
            let child = self.substitute(child, upper, lower);
            self.push(start, bound, child);
        }
        self.finish(upper as u8, start)
    }

    /// The headers whose translation is in `set` of the arena `v4`: the source becomes `source_v4`, `base` is taken off
    /// the destination, and the other fields stay. Only destinations in `base..=base + (2^32 - 1)` have a translation.
    pub fn pull_back_nat64(&mut self, v4: &Self, set: Set, base: u128, source_v4: u128) -> Set {
        let translated = self.pull_back_below(v4, set, base, source_v4, &mut FixedMap::default());
        let last = base.saturating_add(v4.domain.greatest(Field::Destination));
        let prefix = self.interval(Field::Destination, base, last);
        self.intersection(prefix, translated)
    }

    fn pull_back_below(
        &mut self,
        v4: &Self,
        set: Set,
        base: u128,
        source: u128,
        done: &mut FixedMap<Set, Set>,
    ) -> Set {
        if set <= Set::FULL {
            return set;
        }
        if let Some(result) = done.get(&set) {
            return *result;
        }
        let node = v4.node(set);
        let result = match v4.field(set) {
            Some(Field::Source) => self.pull_back_below(v4, node.child(source), base, source, done),
            field => {
                let level = field.map_or(TERMINAL, |field| field as u8);
                let (greatest_v4, greatest) = (v4.domain.greatest_at(level), self.domain.greatest_at(level));
                let shift = if field == Some(Field::Destination) { base } else { 0 };
                let start = self.begin();
                for (_, bound, child) in node.intervals() {
                    let child = self.pull_back_below(v4, child, base, source, done);
                    let bound = if bound == greatest_v4 {
                        greatest
                    } else {
                        bound.saturating_add(shift).min(greatest)
                    };
                    self.push(start, bound, child);
                    if bound == greatest {
                        break;
                    }
                }
                self.finish(level, start)
            }
        };
        done.insert(set, result);
        result
    }

    /// The node of `set` with each child replaced, by sets that depend on later fields only.
    fn rebuild(&mut self, set: Set, mut replace: impl FnMut(&mut Self, Set) -> Set) -> Set {
        let (level, frozen) = (self.level(set), self.is_frozen(set));
        let (first, end) = self.store_of(frozen).span(set);
        let start = self.begin();
        for position in first..end {
            let (bound, child) = self.store_of(frozen).edge(position);
            let child = replace(self, child);
            self.push(start, bound, child);
        }
        self.finish(level, start)
    }
}
