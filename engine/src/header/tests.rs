//! Every operation against truth tables over tiny domains, where a set is the bits of one integer.

use std::sync::Arc;

use reachproof_model::flow::{Flow, Protocol};

use super::store::Store;
use super::value::Domain;
use super::{Arena, Family, Field, Header, HeaderBox, Set};

/// Three fields with `radix` values each, all other fields with one; sets are truth tables of `radix`^3 bits.
struct Universe {
    fields: [Field; 3],
    radix: u32,
    arena: Arena,
}

impl Universe {
    fn new(fields: [Field; 3], radix: u32) -> Self {
        let greatest =
            Field::ALL.map(|field| if fields.contains(&field) { u128::from(radix - 1) } else { 0 });
        Self { fields, radix, arena: Arena::with_domain(Domain::new(greatest)) }
    }

    fn size(&self) -> u32 {
        self.radix.pow(3)
    }

    fn all(&self) -> u64 {
        u64::MAX >> (64 - self.size())
    }

    fn header(&self, index: u32) -> Header {
        let digits = [index / self.radix.pow(2), index / self.radix % self.radix, index % self.radix];
        self.fields
            .into_iter()
            .zip(digits)
            .fold(Header::default(), |header, (field, digit)| header.with(field, u128::from(digit)))
    }

    fn index(&self, header: &Header) -> u32 {
        let digits = self.fields.map(|field| u32::try_from(header.value(field)).unwrap());
        digits.into_iter().fold(0, |index, digit| index * self.radix + digit)
    }

    /// The truth table of a predicate.
    fn table(&self, holds: impl Fn(&Header) -> bool) -> u64 {
        (0..self.size())
            .filter(|index| holds(&self.header(*index)))
            .fold(0, |table, index| table | 1 << index)
    }

    fn holds(&self, table: u64, header: &Header) -> bool {
        table >> self.index(header) & 1 == 1
    }

    /// The set with a truth table, from one box for each header.
    fn set(&mut self, table: u64) -> Set {
        let members = (0..self.size()).filter(|index| table >> index & 1 == 1);
        let boxes: Vec<_> = members.map(|index| point(&self.header(index))).collect();
        self.arena.any_of(&boxes)
    }

    fn check(&mut self, result: Set, expected: u64) {
        let members = self.table(|header| self.arena.contains(result, header));
        assert_eq!(members, expected, "wrong members");
        assert_eq!(result, self.set(expected), "not canonical");
    }

    fn whole(&self) -> HeaderBox {
        HeaderBox::whole(&self.arena.domain)
    }
}

fn point(header: &Header) -> HeaderBox {
    let start = HeaderBox::full(Family::V6);
    Field::ALL.into_iter().fold(start, |all, field| all.with(field, header.value(field), header.value(field)))
}

/// The fields chosen so that each pair of fields is near, far, in front and behind in some universe.
fn universes(radix: u32) -> Vec<Universe> {
    [
        [Field::Destination, Field::Source, Field::Protocol],
        [Field::Port, Field::SourcePort, Field::MappedPort],
        [Field::Destination, Field::Protocol, Field::MappedPort],
        [Field::Source, Field::Port, Field::SourcePort],
    ]
    .into_iter()
    .map(|fields| Universe::new(fields, radix))
    .collect()
}

/// Reproducible numbers (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, limit: u32) -> u32 {
        u32::try_from(self.next() % u64::from(limit)).unwrap()
    }

    /// A truth table: any, sparse, dense, or made of runs, so that diagrams of all shapes occur.
    fn table(&mut self, all: u64) -> u64 {
        let table = match self.below(4) {
            0 => self.next(),
            1 => self.next() & self.next() & self.next(),
            2 => self.next() | self.next() | self.next(),
            _ => (0..4).fold(0, |table, _| table ^ u64::MAX << self.below(64)),
        };
        table & all
    }
}

#[test]
fn every_pair_of_sets_of_eight_headers() {
    let mut universe = Universe::new([Field::Source, Field::Port, Field::SourcePort], 2);
    let sets: Vec<Set> = (0..256).map(|table| universe.set(table)).collect();
    for (a, left) in (0u64..).zip(&sets) {
        for (b, right) in (0u64..).zip(&sets) {
            let expect = |table: u64| sets[usize::try_from(table).unwrap()];
            assert_eq!(universe.arena.union(*left, *right), expect(a | b));
            assert_eq!(universe.arena.intersection(*left, *right), expect(a & b));
            assert_eq!(universe.arena.difference(*left, *right), expect(a & !b));
            assert_eq!(universe.arena.intersects(*left, *right), a & b != 0);
            assert_eq!(universe.arena.is_subset(*left, *right), a & !b == 0);
            assert_eq!(left == right, a == b);
        }
        universe.check(*left, a);
    }
    assert_eq!((sets[0], sets[255]), (Set::EMPTY, Set::FULL));
}

#[test]
fn boolean_operations_agree_with_truth_tables() {
    let mut numbers = Numbers(1);
    for mut universe in universes(4) {
        for _ in 0..2000 {
            let (a, b) = (numbers.table(universe.all()), numbers.table(universe.all()));
            let (left, right) = (universe.set(a), universe.set(b));
            // Questions first: they must not lean on remembered results of the operations.
            assert_eq!(universe.arena.intersects(left, right), a & b != 0);
            assert_eq!(universe.arena.is_subset(left, right), a & !b == 0);
            let union = universe.arena.union(left, right);
            universe.check(union, a | b);
            let intersection = universe.arena.intersection(left, right);
            universe.check(intersection, a & b);
            let difference = universe.arena.difference(left, right);
            universe.check(difference, a & !b);
            let complement = universe.arena.complement(left);
            universe.check(complement, !a & universe.all());
            let union = universe.arena.union_all(&[left, right, intersection, left]);
            universe.check(union, a | b);
        }
        assert!(!universe.arena.overflowed());
    }
}

#[test]
fn quantifiers_agree_with_truth_tables() {
    let mut numbers = Numbers(2);
    for mut universe in universes(4) {
        for round in 0..1000 {
            let a = numbers.table(universe.all());
            let set = universe.set(a);
            let field = universe.fields[round % 3];
            // Up to 5: values beyond the domain are ignored.
            let (lo, hi) = (u128::from(numbers.below(6)), u128::from(numbers.below(6)));
            let range = |header: &Header| {
                let header = *header;
                (lo..=hi.min(3)).map(move |value| header.with(field, value))
            };
            let some = universe.table(|header| range(header).any(|header| universe.holds(a, &header)));
            let every = universe.table(|header| range(header).all(|header| universe.holds(a, &header)));
            let result = universe.arena.exists_in(set, field, lo, hi);
            universe.check(result, some);
            assert!(!universe.arena.depends_on(result, field));
            let result = universe.arena.for_all_in(set, field, lo, hi);
            universe.check(result, every);
            let single = universe.table(|header| lo < 4 && universe.holds(a, &header.with(field, lo)));
            let result = universe.arena.restrict(set, field, lo);
            universe.check(result, single);
            let any =
                universe.table(|header| (0..4).any(|value| universe.holds(a, &header.with(field, value))));
            let result = universe.arena.exists(set, field);
            universe.check(result, any);
        }
    }
}

#[test]
fn substitution_and_swap_agree_with_truth_tables() {
    let mut numbers = Numbers(3);
    for mut universe in universes(4) {
        for round in 0..1000 {
            let a = numbers.table(universe.all());
            let set = universe.set(a);
            let (one, other) = (universe.fields[round % 3], universe.fields[round / 3 % 3]);
            let given = universe.table(|header| universe.holds(a, &header.with(one, header.value(other))));
            let result = universe.arena.substitute(set, one, other);
            universe.check(result, given);
            let swapped = universe.table(|header| {
                universe.holds(a, &header.with(one, header.value(other)).with(other, header.value(one)))
            });
            let result = universe.arena.swap(set, one, other);
            universe.check(result, swapped);
        }
    }
}

#[test]
fn a_field_can_be_renamed_and_named_back() {
    let mut numbers = Numbers(4);
    let mut universe = Universe::new([Field::Port, Field::SourcePort, Field::MappedPort], 4);
    for _ in 0..500 {
        let table = numbers.table(universe.all());
        let set = universe.set(table);
        let set = universe.arena.exists(set, Field::MappedPort);
        let renamed = universe.arena.substitute(set, Field::SourcePort, Field::MappedPort);
        assert!(!universe.arena.depends_on(renamed, Field::SourcePort));
        assert_eq!(universe.arena.substitute(renamed, Field::MappedPort, Field::SourcePort), set);
    }
}

fn random_box(universe: &Universe, numbers: &mut Numbers) -> HeaderBox {
    let bounds = universe.radix + 2;
    universe.fields.into_iter().fold(universe.whole(), |rule, field| match numbers.below(3) {
        0 => rule,
        1 => rule.with(field, u128::from(numbers.below(bounds)), u128::MAX),
        _ => rule.with(field, u128::from(numbers.below(bounds)), u128::from(numbers.below(bounds))),
    })
}

#[test]
fn rule_lists_agree_with_naive_evaluation() {
    let mut numbers = Numbers(5);
    for mut universe in universes(4) {
        for round in 0..1500 {
            let rules: Vec<_> = (0..round % 12)
                .map(|_| (random_box(&universe, &mut numbers), numbers.below(2) == 0))
                .collect();
            let default = numbers.below(2) == 0;
            let verdict = |header: &Header| {
                rules.iter().find(|(rule, _)| rule.contains(header)).map_or(default, |(_, permit)| *permit)
            };
            let expected = universe.table(verdict);
            let result = universe.arena.first_match(&rules, default);
            universe.check(result, expected);
            let boxes: Vec<_> = rules.iter().map(|(rule, _)| *rule).collect();
            let expected = universe.table(|header| boxes.iter().any(|rule| rule.contains(header)));
            let result = universe.arena.any_of(&boxes);
            universe.check(result, expected);
            if let Some(rule) = boxes.first() {
                let expected = universe.table(|header| rule.contains(header));
                let result = universe.arena.from_box(rule);
                universe.check(result, expected);
            }
        }
    }
}

#[test]
fn an_interval_holds_its_values_and_no_others() {
    let mut universe = Universe::new([Field::Destination, Field::Protocol, Field::Port], 4);
    for field in universe.fields {
        for (lo, hi) in (0..6u128).flat_map(|lo| (0..6u128).map(move |hi| (lo, hi))) {
            let expected = universe.table(|header| (lo..=hi).contains(&header.value(field)));
            let result = universe.arena.interval(field, lo, hi);
            universe.check(result, expected);
        }
    }
}

#[test]
fn boxes_are_the_set_disjoint_and_ascending() {
    let mut numbers = Numbers(6);
    for mut universe in universes(4) {
        for _ in 0..500 {
            let table = numbers.table(universe.all());
            let set = universe.set(table);
            let boxes: Vec<_> = universe.arena.boxes(set).collect();
            for index in 0..universe.size() {
                let header = universe.header(index);
                let holding = boxes.iter().filter(|candidate| candidate.contains(&header)).count();
                assert_eq!(holding, usize::from(universe.holds(table, &header)));
            }
            assert!(boxes.is_sorted_by(|left, right| left.least() < right.least()));
            assert_eq!(universe.arena.count_boxes(set), boxes.len() as u64);
            assert_eq!(universe.arena.any_of(&boxes), set);
        }
    }
}

#[test]
fn products_are_the_set_and_disjoint() {
    let mut numbers = Numbers(8);
    for mut universe in universes(4) {
        for _ in 0..500 {
            let table = numbers.table(universe.all());
            let set = universe.set(table);
            let products = universe.arena.products(set);
            let within = |intervals: &[(u128, u128)], value| {
                intervals.iter().any(|(lo, hi)| (*lo..=*hi).contains(&value))
            };
            for index in 0..universe.size() {
                let header = universe.header(index);
                let holding = products.iter().filter(|product| {
                    within(&product.destinations, header.value(Field::Destination))
                        && within(&product.sources, header.value(Field::Source))
                        && universe.arena.contains(product.rest, &header)
                });
                assert_eq!(holding.count(), usize::from(universe.holds(table, &header)));
            }
            for product in products {
                assert!(!universe.arena.depends_on(product.rest, Field::Destination));
                assert!(!universe.arena.depends_on(product.rest, Field::Source));
            }
        }
    }
}

#[test]
fn picks_are_least_and_meet_preferences_in_order() {
    let mut numbers = Numbers(7);
    for mut universe in universes(4) {
        for round in 0..1000 {
            let table = numbers.table(universe.all()) & numbers.table(universe.all());
            let set = universe.set(table);
            let members = |keep: &dyn Fn(&Header) -> bool| -> Vec<Header> {
                let headers = (0..universe.size()).map(|index| universe.header(index));
                headers.filter(|header| universe.holds(table, header) && keep(header)).collect()
            };
            assert_eq!(universe.arena.pick(set), members(&|_| true).first().copied());
            let preferences: Vec<_> = (0..round % 4)
                .map(|_| (universe.fields[numbers.below(3) as usize], u128::from(numbers.below(5))))
                .collect();
            let mut left = members(&|_| true);
            for (field, value) in &preferences {
                let met: Vec<_> =
                    left.iter().copied().filter(|header| header.value(*field) == *value).collect();
                left = if met.is_empty() { left } else { met };
            }
            assert_eq!(universe.arena.pick_preferring(set, &preferences), left.first().copied());
            let limits = random_box(&universe, &mut numbers);
            let within = members(&|header| limits.contains(header));
            assert_eq!(universe.arena.pick_within(set, &limits), within.first().copied());
        }
    }
}

#[test]
fn projections_and_dependence_agree_with_truth_tables() {
    let mut numbers = Numbers(8);
    for mut universe in universes(4) {
        for _ in 0..500 {
            let table = numbers.table(universe.all()) & numbers.table(universe.all());
            let set = universe.set(table);
            for field in universe.fields {
                let occurs = |value: u128| universe.table(|header| header.value(field) == value) & table != 0;
                let projection = universe.arena.project(set, field);
                let listed = |value: u128| projection.iter().any(|(lo, hi)| (*lo..=*hi).contains(&value));
                assert!((0..5).all(|value| listed(value) == occurs(value)));
                assert!(projection.is_sorted_by(|left, right| left.1 + 1 < right.0));
                let changed =
                    |value| universe.table(|header| universe.holds(table, &header.with(field, value)));
                let depends = (0..4).any(|value| changed(value) != table);
                assert_eq!(universe.arena.depends_on(set, field), depends);
                let other = numbers.table(universe.all());
                let other = universe.set(other);
                let union = universe.arena.union(set, other);
                let both = universe.arena.project_all(vec![set, other], field);
                assert_eq!(both, universe.arena.project(union, field));
            }
        }
    }
}

#[test]
fn nat64_pulls_back_destinations_of_the_prefix_only() {
    let mut numbers = Numbers(9);
    let mut v4 = Universe::new([Field::Destination, Field::Source, Field::Port], 4);
    let mut arena = Arena::with_domain(Domain::new([19, 19, 0, 3, 0, 0, 0]));
    for _ in 0..1000 {
        let table = numbers.table(v4.all());
        let set = v4.set(table);
        // Up to 19: a base so high that part of the prefix is beyond the greatest address.
        let (base, source) = (u128::from(numbers.below(20)), u128::from(numbers.below(4)));
        let result = arena.pull_back_nat64(&v4.arena, set, base, source);
        for (destination, port) in (0..20).flat_map(|destination| (0..4).map(move |port| (destination, port)))
        {
            let header = Header::default().with(Field::Source, 7).with(Field::Port, port);
            let expected = destination >= base && destination - base < 4 && {
                v4.holds(
                    table,
                    &header.with(Field::Destination, destination - base).with(Field::Source, source),
                )
            };
            assert_eq!(arena.contains(result, &header.with(Field::Destination, destination)), expected);
        }
        assert!(!arena.depends_on(result, Field::Source));
    }
}

#[test]
fn nat64_of_everything_is_the_prefix() {
    let (v4, mut v6) = (Arena::new(Family::V4), Arena::new(Family::V6));
    let base = 0x0064_ff9b_u128 << 96;
    let prefix = v6.interval(Field::Destination, base, base + u128::from(u32::MAX));
    assert_eq!(v6.pull_back_nat64(&v4, Set::FULL, base, 1), prefix);
    assert_eq!(v6.pull_back_nat64(&v4, Set::EMPTY, base, 1), Set::EMPTY);
    assert_eq!(v6.project(prefix, Field::Destination), [(base, base + u128::from(u32::MAX))]);
}

#[test]
fn handles_of_a_frozen_base_mean_the_same_in_every_overlay() {
    let mut numbers = Numbers(10);
    let mut universe = Universe::new([Field::Destination, Field::Port, Field::MappedPort], 4);
    let tables: Vec<u64> = (0..200).map(|_| numbers.table(universe.all())).collect();
    let sets: Vec<Set> = tables.iter().map(|table| universe.set(*table)).collect();
    let arena = std::mem::replace(&mut universe.arena, Arena::new(Family::V4));
    let nodes = arena.counters().nodes;
    let frozen = arena.freeze();
    universe.arena = Arena::overlay(Arc::clone(&frozen));
    let mut other = Arena::overlay(Arc::clone(&frozen));
    for (table, set) in tables.iter().zip(&sets) {
        universe.check(*set, *table);
    }
    assert_eq!(universe.arena.counters().nodes, nodes, "the base was not found again");
    for (pair, tables) in sets.windows(2).zip(tables.windows(2)) {
        let expected = tables[0] ^ tables[1];
        let (left, right) = (other.difference(pair[0], pair[1]), other.difference(pair[1], pair[0]));
        let difference = other.union(left, right);
        let imported = universe.arena.import(&other, difference);
        universe.check(imported, expected);
        assert_eq!(other.import(&universe.arena, imported), difference);
    }
    let later = Arena::overlay(other.freeze());
    assert!(
        sets.iter()
            .zip(&tables)
            .all(|(set, table)| { universe.table(|header| later.contains(*set, header)) == *table })
    );
}

#[test]
fn a_second_freeze_finds_nodes_of_both_generations() {
    let mut first = Arena::new(Family::V4);
    let ports: Vec<Set> = (0..100).map(|port| first.interval(Field::Port, port, port + 5)).collect();
    let mut second = Arena::overlay(first.freeze());
    let sources: Vec<Set> =
        (0..100).map(|source| second.interval(Field::Source, source, source + 5)).collect();
    let mut third = Arena::overlay(second.freeze());
    let nodes = third.counters().nodes;
    for (value, (port, source)) in (0..).zip(ports.iter().zip(&sources)) {
        assert_eq!(third.interval(Field::Port, value, value + 5), *port);
        assert_eq!(third.interval(Field::Source, value, value + 5), *source);
    }
    assert_eq!(third.counters().nodes, nodes);
    let both = third.intersection(ports[3], sources[4]);
    assert_eq!(third.count_boxes(both), 1);
}

#[test]
fn an_arena_at_its_limit_says_so_and_stops_growing() {
    let mut arena = Arena::new(Family::V6).with_limit(20);
    let mut set = Set::EMPTY;
    for port in (0..200).step_by(2) {
        assert!(arena.counters().nodes <= 20);
        let next = arena.interval(Field::Port, port, port);
        set = arena.union(set, next);
    }
    assert!(arena.overflowed());
    let mut roomy = Arena::new(Family::V6).with_limit(2 + 2 * 100);
    let ports: Vec<Set> = (0..200).step_by(2).map(|port| roomy.interval(Field::Port, port, port)).collect();
    ports.iter().fold(Set::EMPTY, |all, port| roomy.union(all, *port));
    assert!(!roomy.overflowed(), "the limit itself may be reached");
    assert_eq!(roomy.counters().nodes, 201);
}

#[test]
fn flows_and_headers_convert_both_ways() {
    for (source, destination) in [("10.0.0.1", "192.0.2.7"), ("2001:db8::1", "2001:db8:ffff::2")] {
        let flow = Flow {
            source: source.parse().unwrap(),
            destination: destination.parse().unwrap(),
            protocol: Protocol::TCP,
            source_port: 40_000,
            port: 443,
        };
        assert_eq!(Header::of(&flow).flow(Family::of(flow.source)), Some(flow));
        assert_eq!(Header::of(&flow).value(Field::Port), 443);
    }
    assert_eq!(Header::default().with(Field::Source, 1 << 32).flow(Family::V4), None);
}

#[test]
fn the_size_of_a_diagram_is_its_nodes() {
    let mut arena = Arena::new(Family::V4);
    let rule = HeaderBox::full(Family::V4).with(Field::Source, 5, 9).with(Field::Port, 80, 80);
    let set = arena.from_box(&rule);
    assert_eq!(arena.size(set), 2);
    assert_eq!(arena.size(Set::FULL), 0);
    assert_eq!(arena.boxes(set).collect::<Vec<_>>(), [rule]);
}

#[test]
fn nodes_with_one_hash_are_told_apart_by_content() {
    let mut store = Store::with_terminals();
    let edges = [(4, Set::EMPTY), (65_535, Set::FULL)];
    let added = store.add(7, 3, &edges);
    assert_eq!(store.find(7, 3, &edges), Some(added));
    assert_eq!(store.find(7, 4, &edges), None, "another level");
    assert_eq!(store.find(7, 3, &[(5, Set::EMPTY), (65_535, Set::FULL)]), None, "another bound");
    assert_eq!(store.find(7, 3, &[(4, Set::FULL), (65_535, Set::EMPTY)]), None, "other children");
    let second = store.add(7, 4, &edges);
    assert_eq!((store.find(7, 3, &edges), store.find(7, 4, &edges)), (Some(added), Some(second)));
}
