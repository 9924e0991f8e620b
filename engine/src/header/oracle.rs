//! Rule lists over whole headers against a library of binary decision diagrams, one variable for each bit.

use std::collections::BTreeMap;

use biodivine_lib_bdd::{Bdd, BddVariable, BddVariableSet};
use proptest::prelude::*;

use super::laws::{boxes, families, rules};
use super::value::Domain;
use super::{Arena, Family, Field, HeaderBox, Set};

/// Headers bit by bit, the greatest bit of the first field first.
struct Oracle {
    variables: BddVariableSet,
    fields: Vec<(Field, Vec<BddVariable>)>,
}

impl Oracle {
    fn new(family: Family) -> Self {
        let domain = Domain::of(family);
        let widths = Field::ALL.map(|field| 128 - domain.greatest(field).leading_zeros());
        let variables = BddVariableSet::new_anonymous(u16::try_from(widths.iter().sum::<u32>()).unwrap());
        let mut all = variables.variables().into_iter();
        let fields = Field::ALL.into_iter().zip(widths);
        let fields =
            fields.map(|(field, width)| (field, all.by_ref().take(width as usize).collect())).collect();
        Self { variables, fields }
    }

    /// The values of a field, given by its bits, that are at most `bound`.
    fn at_most(&self, bits: &[BddVariable], bound: u128) -> Bdd {
        bits.iter().rev().enumerate().fold(self.variables.mk_true(), |below, (place, bit)| {
            let zero = self.variables.mk_not_var(*bit);
            if bound >> place & 1 == 1 { zero.or(&below) } else { zero.and(&below) }
        })
    }

    fn header_box(&self, header_box: &HeaderBox) -> Bdd {
        self.fields.iter().rev().fold(self.variables.mk_true(), |all, (field, bits)| {
            let (lo, hi) = header_box.interval(*field);
            let lower =
                lo.checked_sub(1).map_or(self.variables.mk_false(), |below| self.at_most(bits, below));
            self.at_most(bits, hi).and_not(&lower).and(&all)
        })
    }

    fn first_match(&self, rules: &[(HeaderBox, bool)], default: bool) -> Bdd {
        let start = if default { self.variables.mk_true() } else { self.variables.mk_false() };
        rules.iter().rev().fold(start, |rest, (rule, permit)| {
            let matched = self.header_box(rule);
            if *permit { rest.or(&matched) } else { rest.and_not(&matched) }
        })
    }

    /// The same set as a binary diagram.
    fn transcribed(&self, arena: &Arena, set: Set) -> Bdd {
        self.transcribed_below(arena, set, &mut BTreeMap::new())
    }

    fn transcribed_below(&self, arena: &Arena, set: Set, done: &mut BTreeMap<Set, Bdd>) -> Bdd {
        let Some(field) = arena.field(set) else {
            return if set.is_full() { self.variables.mk_true() } else { self.variables.mk_false() };
        };
        if let Some(bdd) = done.get(&set) {
            return bdd.clone();
        }
        let (_, bits) = &self.fields[field as usize];
        let mut result = self.variables.mk_true();
        for (_, hi, child) in arena.node(set).intervals().rev() {
            let child = self.transcribed_below(arena, child, done);
            result = Bdd::if_then_else(&self.at_most(bits, hi), &child, &result);
        }
        done.insert(set, result.clone());
        result
    }
}

/// How many headers an IPv4 set has, modulo 2^128.
fn cardinality(arena: &Arena, set: Set) -> u128 {
    let extent = |(lo, hi): (u128, u128)| hi - lo + 1;
    let volume = |held: HeaderBox| {
        Field::ALL.into_iter().map(|field| extent(held.interval(field))).fold(1, u128::wrapping_mul)
    };
    arena.boxes(set).map(volume).fold(0, u128::wrapping_add)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn rule_lists_equal_binary_diagrams((family, one, other) in families().prop_flat_map(|family| {
        (Just(family), rules(family, 12), rules(family, 12))
    })) {
        let (mut arena, oracle) = (Arena::new(family), Oracle::new(family));
        let (left, right) = (arena.first_match(&one, false), arena.first_match(&other, true));
        let (left_bdd, right_bdd) = (oracle.first_match(&one, false), oracle.first_match(&other, true));
        prop_assert!(oracle.transcribed(&arena, left) == left_bdd);
        prop_assert!(oracle.transcribed(&arena, right) == right_bdd);
        prop_assert_eq!(arena.intersects(left, right), !left_bdd.and(&right_bdd).is_false());
        prop_assert_eq!(arena.is_subset(left, right), left_bdd.and_not(&right_bdd).is_false());
        let both = arena.intersection(left, right);
        prop_assert!(oracle.transcribed(&arena, both) == left_bdd.and(&right_bdd));
        let either = arena.union(left, right);
        prop_assert!(oracle.transcribed(&arena, either) == left_bdd.or(&right_bdd));
        let only = arena.difference(left, right);
        prop_assert!(oracle.transcribed(&arena, only) == left_bdd.and_not(&right_bdd));
    }

    #[test]
    fn quantifiers_equal_binary_diagrams(rules in rules(Family::V4, 10), limits in boxes(Family::V4), which in 0..Field::COUNT) {
        let (mut arena, oracle) = (Arena::new(Family::V4), Oracle::new(Family::V4));
        let (set, bdd) = (arena.first_match(&rules, false), oracle.first_match(&rules, false));
        let (field, bits) = &oracle.fields[which];
        let (lo, hi) = limits.interval(*field);
        let range = oracle.header_box(&HeaderBox::full(Family::V4).with(*field, lo, hi));
        let some = arena.exists_in(set, *field, lo, hi);
        prop_assert!(oracle.transcribed(&arena, some) == bdd.and(&range).exists(bits));
        let every = arena.for_all_in(set, *field, lo, hi);
        prop_assert!(oracle.transcribed(&arena, every) == bdd.or(&range.not()).for_all(bits));
    }

    #[test]
    fn cardinalities_equal_those_of_binary_diagrams(rules in rules(Family::V4, 16), default in any::<bool>()) {
        let mut arena = Arena::new(Family::V4);
        let set = arena.first_match(&rules, default);
        if !set.is_full() {
            let expected = Oracle::new(Family::V4).first_match(&rules, default).exact_cardinality();
            let digits = expected.iter_u64_digits().take(2).enumerate();
            let expected: u128 = digits.map(|(position, digit)| u128::from(digit) << (64 * position)).sum();
            prop_assert_eq!(cardinality(&arena, set), expected);
        }
    }
}
