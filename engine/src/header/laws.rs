//! Laws of set algebra on whole headers, each property named after its law, and the strategies they draw from.

use proptest::collection::vec;
use proptest::prelude::*;

use super::value::Domain;
use super::{Arena, Family, Field, Header, HeaderBox, Set};

/// Either family.
pub(super) fn families() -> impl Strategy<Value = Family> {
    prop_oneof![Just(Family::V4), Just(Family::V6)]
}

/// Boxes whose bounds are drawn from few values, the ends of domains among them, so that they touch and overlap.
pub(super) fn boxes(family: Family) -> impl Strategy<Value = HeaderBox> {
    vec(any::<(u8, u8, u8)>(), Field::COUNT).prop_map(move |choices| {
        let domain = Domain::of(family);
        let limits = Field::ALL.into_iter().zip(choices);
        limits.fold(HeaderBox::full(family), |all, (field, (kind, one, other))| {
            let greatest = domain.greatest(field);
            let (one, other) = (bound(greatest, one), bound(greatest, other));
            match kind % 4 {
                0 | 1 => all,
                2 => all.with(field, one, one),
                _ => all.with(field, one.min(other), one.max(other)),
            }
        })
    })
}

/// One of few values up to `greatest`: near 0, near the middle, near the end.
fn bound(greatest: u128, choice: u8) -> u128 {
    let offset = u128::from(choice / 3 % 4);
    match choice % 3 {
        0 => offset,
        1 => greatest / 2 + offset,
        _ => greatest - offset,
    }
}

/// First-match lists of less than `length` rules.
pub(super) fn rules(family: Family, length: usize) -> impl Strategy<Value = Vec<(HeaderBox, bool)>> {
    vec((boxes(family), any::<bool>()), 0..length)
}

/// Three sets in one arena.
#[derive(Debug)]
struct Triple {
    family: Family,
    lists: [Vec<(HeaderBox, bool)>; 3],
}

fn triples() -> impl Strategy<Value = Triple> {
    families().prop_flat_map(|family| {
        let list = || rules(family, 8);
        (list(), list(), list()).prop_map(move |(a, b, c)| Triple { family, lists: [a, b, c] })
    })
}

impl Triple {
    fn build(&self) -> (Arena, [Set; 3]) {
        let mut arena = Arena::new(self.family);
        let sets = self.lists.each_ref().map(|list| arena.first_match(list, list.len() % 2 == 0));
        (arena, sets)
    }
}

/// Headers at and beside every corner of the rules, where a wrong bound shows.
fn corners(rules: &[(HeaderBox, bool)]) -> impl Iterator<Item = Header> {
    let around = |rule: &HeaderBox| {
        let least = rule.least();
        let high =
            Field::ALL.into_iter().fold(least, |header, field| header.with(field, rule.interval(field).1));
        [least, high].into_iter().flat_map(move |corner| {
            Field::ALL.into_iter().flat_map(move |field| {
                let value = corner.value(field);
                [value.saturating_sub(1), value, value.saturating_add(1)]
                    .map(|value| corner.with(field, value))
            })
        })
    };
    rules.iter().map(|(rule, _)| *rule).collect::<Vec<_>>().into_iter().flat_map(move |rule| around(&rule))
}

proptest! {
    #[test]
    fn union_is_commutative_and_associative_and_idempotent(triple in triples()) {
        let (mut arena, [a, b, c]) = triple.build();
        let (ab, ba, bc) = (arena.union(a, b), arena.union(b, a), arena.union(b, c));
        prop_assert_eq!(ab, ba);
        prop_assert_eq!(arena.union(ab, c), arena.union(a, bc));
        prop_assert_eq!(arena.union(a, a), a);
        prop_assert_eq!(arena.union_all(&[a, b, c]), arena.union(a, bc));
    }

    #[test]
    fn intersection_is_commutative_and_associative_and_idempotent(triple in triples()) {
        let (mut arena, [a, b, c]) = triple.build();
        let (ab, ba, bc) = (arena.intersection(a, b), arena.intersection(b, a), arena.intersection(b, c));
        prop_assert_eq!(ab, ba);
        prop_assert_eq!(arena.intersection(ab, c), arena.intersection(a, bc));
        prop_assert_eq!(arena.intersection(a, a), a);
    }

    #[test]
    fn intersection_distributes_over_union(triple in triples()) {
        let (mut arena, [a, b, c]) = triple.build();
        let (bc, ab, ac) = (arena.union(b, c), arena.intersection(a, b), arena.intersection(a, c));
        prop_assert_eq!(arena.intersection(a, bc), arena.union(ab, ac));
    }

    #[test]
    fn complement_is_an_involution_that_splits_everything(triple in triples()) {
        let (mut arena, [a, ..]) = triple.build();
        let not_a = arena.complement(a);
        prop_assert_eq!(arena.complement(not_a), a);
        prop_assert_eq!(arena.union(a, not_a), Set::FULL);
        prop_assert_eq!(arena.intersection(a, not_a), Set::EMPTY);
    }

    #[test]
    fn complement_of_a_union_is_the_intersection_of_complements(triple in triples()) {
        let (mut arena, [a, b, _]) = triple.build();
        let (ab, not_a, not_b) = (arena.union(a, b), arena.complement(a), arena.complement(b));
        prop_assert_eq!(arena.complement(ab), arena.intersection(not_a, not_b));
    }

    #[test]
    fn difference_is_intersection_with_the_complement(triple in triples()) {
        let (mut arena, [a, b, _]) = triple.build();
        let not_b = arena.complement(b);
        prop_assert_eq!(arena.difference(a, b), arena.intersection(a, not_b));
    }

    #[test]
    fn questions_agree_with_the_sets_they_are_about(triple in triples()) {
        let (mut arena, [a, b, c]) = triple.build();
        let before = arena.counters().nodes;
        let answers = (arena.intersects(a, b), arena.is_subset(a, b), arena.is_subset(b, c));
        prop_assert_eq!(arena.counters().nodes, before, "a question made nodes");
        let (ab, bc) = (arena.intersection(a, b), arena.difference(b, c));
        prop_assert_eq!(answers, (!ab.is_empty(), ab == a, bc.is_empty()));
    }

    #[test]
    fn existence_distributes_over_union(triple in triples(), which in 0..Field::COUNT) {
        let (mut arena, [a, b, _]) = triple.build();
        let field = Field::ALL[which];
        let ab = arena.union(a, b);
        let (some_a, some_b) = (arena.exists(a, field), arena.exists(b, field));
        prop_assert_eq!(arena.exists(ab, field), arena.union(some_a, some_b));
    }

    #[test]
    fn for_all_is_the_dual_of_exists(triple in triples(), which in 0..Field::COUNT, limits in boxes(Family::V4)) {
        let (mut arena, [a, ..]) = triple.build();
        let field = Field::ALL[which];
        let (lo, hi) = limits.interval(field);
        let not_a = arena.complement(a);
        let some = arena.exists_in(not_a, field, lo, hi);
        prop_assert_eq!(arena.for_all_in(a, field, lo, hi), arena.complement(some));
    }

    #[test]
    fn swap_is_an_involution(triple in triples()) {
        let (mut arena, [a, ..]) = triple.build();
        for (one, other) in [(Field::Destination, Field::Source), (Field::Port, Field::MappedPort)] {
            let swapped = arena.swap(a, one, other);
            prop_assert_eq!(arena.swap(swapped, one, other), a);
        }
    }

    #[test]
    fn import_there_and_back_is_identity(triple in triples()) {
        let (mut arena, [a, b, c]) = triple.build();
        let mut other = Arena::new(triple.family);
        let copies = [c, a, b].map(|set| other.import(&arena, set));
        let nodes = arena.counters().nodes;
        prop_assert_eq!(copies.map(|copy| arena.import(&other, copy)), [c, a, b]);
        prop_assert_eq!(arena.counters().nodes, nodes);
    }

    #[test]
    fn boxes_rebuild_their_set(triple in triples()) {
        let (mut arena, [a, ..]) = triple.build();
        let boxes: Vec<_> = arena.boxes(a).collect();
        prop_assert_eq!(arena.any_of(&boxes), a);
        prop_assert_eq!(arena.count_boxes(a), boxes.len() as u64);
        prop_assert_eq!(arena.pick(a), boxes.first().map(HeaderBox::least));
    }

    #[test]
    fn a_rule_list_is_its_fold(triple in triples(), default in any::<bool>()) {
        let mut arena = Arena::new(triple.family);
        let list = &triple.lists[0];
        let compiled = arena.first_match(list, default);
        let start = if default { Set::FULL } else { Set::EMPTY };
        let folded = list.iter().rev().fold(start, |rest, (rule, permit)| {
            let matched = arena.from_box(rule);
            if *permit { arena.union(rest, matched) } else { arena.difference(rest, matched) }
        });
        prop_assert_eq!(compiled, folded);
    }

    #[test]
    fn a_rule_list_decides_corners_like_its_first_match(rules in rules(Family::V6, 12), default in any::<bool>()) {
        let mut arena = Arena::new(Family::V6);
        let set = arena.first_match(&rules, default);
        let domain = HeaderBox::full(Family::V6);
        for header in corners(&rules).filter(|header| domain.contains(header)) {
            let first = rules.iter().find(|(rule, _)| rule.contains(&header));
            prop_assert_eq!(arena.contains(set, &header), first.map_or(default, |(_, permit)| *permit));
        }
    }
}
