//! Header sets: compiling rule lists of 50 rules and deciding which pairs have a header in common, beside a library of
//! binary decision diagrams in the same run.
//!
//! Each pass over all pairs starts with a fresh overlay, so that nothing is remembered from the pass before.

#![expect(clippy::disallowed_methods, clippy::disallowed_macros, reason = "a bench measures and prints")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use biodivine_lib_bdd::op_function::and;
use biodivine_lib_bdd::{Bdd, BddVariable, BddVariableSet};
use criterion::{BatchSize, Criterion, Throughput};
use reachproof_engine::header::{Arena, Family, Field, Frozen, HeaderBox, Set};

const RULES: u32 = 50;
const LISTS: u32 = 200;
/// Lists for the binary diagrams, which are slower.
const FEW_LISTS: usize = 40;

type RuleList = Vec<(HeaderBox, bool)>;
type Shape = fn(&mut Numbers) -> RuleList;

/// The shapes of rule lists that are measured.
const SHAPES: [(&str, Shape); 3] = [
    ("security-group", security_group),
    ("sparse-security-group", sparse_security_group),
    ("network-acl", network_acl),
];

/// Reproducible numbers (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        u32::try_from((mixed ^ mixed >> 31) % u64::from(limit)).unwrap_or(0)
    }

    fn one_of<T: Copy>(&mut self, values: &[T]) -> Option<T> {
        values.get(self.below(u32::try_from(values.len()).unwrap_or(1)) as usize).copied()
    }
}

/// A prefix of the given length within 10.0.0.0/8.
fn prefix(numbers: &mut Numbers, length: u32) -> (u128, u128) {
    let host = u32::MAX.checked_shr(length).unwrap_or(0);
    let network = (10 << 24 | numbers.below(1 << 24)) & !host;
    (u128::from(network), u128::from(network | host))
}

fn service(numbers: &mut Numbers, from: HeaderBox) -> HeaderBox {
    let protocol = if numbers.below(5) == 0 { 17 } else { 6 };
    let port = numbers.one_of(&[22, 53, 80, 443, 3306, 5432, 6379, 8080, 9092, 9200]).unwrap_or(443);
    let last = if numbers.below(6) == 0 { port + u128::from(numbers.below(1000)) } else { port };
    from.with(Field::Protocol, protocol, protocol).with(Field::Port, port, last)
}

fn security_group(numbers: &mut Numbers) -> RuleList {
    let rule = |numbers: &mut Numbers| {
        let length = numbers.one_of(&[8, 12, 16, 16, 20, 24, 24, 32]).unwrap_or(16);
        let (lo, hi) = prefix(numbers, length);
        (service(numbers, HeaderBox::full(Family::V4).with(Field::Source, lo, hi)), true)
    };
    (0..RULES).map(|_| rule(numbers)).collect()
}

fn sparse_security_group(numbers: &mut Numbers) -> RuleList {
    let rule = |numbers: &mut Numbers| {
        let (lo, hi) = prefix(numbers, 28);
        let port = u128::from(1024 + numbers.below(60_000));
        let from = HeaderBox::full(Family::V4).with(Field::Source, lo, hi);
        (from.with(Field::Protocol, 6, 6).with(Field::Port, port, port), true)
    };
    (0..RULES).map(|_| rule(numbers)).collect()
}

fn network_acl(numbers: &mut Numbers) -> RuleList {
    let rule = |numbers: &mut Numbers| {
        let length = numbers.one_of(&[8, 16, 20, 24]).unwrap_or(16);
        let (lo, hi) = prefix(numbers, length);
        let from = HeaderBox::full(Family::V4).with(Field::Source, lo, hi);
        (if numbers.below(4) == 0 { from } else { service(numbers, from) }, numbers.below(3) != 0)
    };
    (0..RULES).map(|_| rule(numbers)).collect()
}

fn compile_all(lists: &[RuleList]) -> (Arc<Frozen>, Vec<Set>) {
    let mut arena = Arena::new(Family::V4);
    let sets = lists.iter().map(|list| arena.first_match(list, false)).collect();
    (arena.freeze(), sets)
}

fn count_meeting(arena: &mut Arena, sets: &[Set]) -> usize {
    let pairs = sets.iter().flat_map(|left| sets.iter().map(move |right| (*left, *right)));
    pairs.filter(|(left, right)| arena.intersects(*left, *right)).count()
}

/// Binary diagrams over the fields that the lists constrain, one variable a bit.
struct Binary {
    variables: BddVariableSet,
    fields: BTreeMap<Field, Vec<BddVariable>>,
}

impl Binary {
    fn new() -> Self {
        let variables = BddVariableSet::new_anonymous(32 + 8 + 16);
        let mut all = variables.variables().into_iter();
        let widths = [(Field::Source, 32), (Field::Protocol, 8), (Field::Port, 16)];
        let fields = widths.map(|(field, width)| (field, all.by_ref().take(width).collect()));
        Self { variables, fields: BTreeMap::from(fields) }
    }

    fn at_most(&self, bits: &[BddVariable], bound: u128) -> Bdd {
        bits.iter().rev().enumerate().fold(self.variables.mk_true(), |below, (place, bit)| {
            let zero = self.variables.mk_not_var(*bit);
            if bound >> place & 1 == 1 { zero.or(&below) } else { zero.and(&below) }
        })
    }

    fn header_box(&self, held: &HeaderBox) -> Bdd {
        self.fields.iter().rev().fold(self.variables.mk_true(), |all, (field, bits)| {
            let (lo, hi) = held.interval(*field);
            let lower =
                lo.checked_sub(1).map_or(self.variables.mk_false(), |below| self.at_most(bits, below));
            self.at_most(bits, hi).and_not(&lower).and(&all)
        })
    }

    fn first_match(&self, rules: &[(HeaderBox, bool)]) -> Bdd {
        rules.iter().rev().fold(self.variables.mk_false(), |rest, (rule, permit)| {
            let matched = self.header_box(rule);
            if *permit { rest.or(&matched) } else { rest.and_not(&matched) }
        })
    }
}

/// Whether two binary diagrams have a header in common, without building the intersection.
fn meet(left: &Bdd, right: &Bdd) -> bool {
    Bdd::check_binary_op(usize::MAX, left, right, and).is_some_and(|(some, _)| some)
}

/// Nanoseconds for each of `units` when `work` does them all; the best of three runs.
fn nanoseconds_each<T>(units: usize, mut work: impl FnMut() -> T) -> f64 {
    let mut run = || {
        let start = Instant::now();
        black_box(work());
        start.elapsed().as_secs_f64() * 1e9 / units.max(1) as f64
    };
    (0..3).map(|_| run()).fold(f64::INFINITY, f64::min)
}

fn measure(criterion: &mut Criterion, name: &str, lists: &[RuleList]) {
    let (frozen, sets) = compile_all(lists);
    let mut group = criterion.benchmark_group(format!("header_sets/{name}"));
    group.sample_size(10).throughput(Throughput::Elements(lists.len() as u64));
    group.bench_function("compile", |bencher| bencher.iter(|| compile_all(lists)));
    group.throughput(Throughput::Elements((sets.len() * sets.len()) as u64));
    group.bench_function("intersects", |bencher| {
        let overlay = || Arena::overlay(Arc::clone(&frozen));
        bencher.iter_batched_ref(overlay, |arena| count_meeting(arena, &sets), BatchSize::PerIteration);
    });
    group.finish();
}

/// Prints both libraries side by side on the same lists.
fn compare(name: &str, lists: &[RuleList]) {
    let (frozen, sets) = compile_all(lists);
    let pairs = sets.len() * sets.len();
    let binary = Binary::new();
    let few = lists.get(..FEW_LISTS).unwrap_or(lists);
    let compile = nanoseconds_each(lists.len(), || compile_all(lists));
    let decide = nanoseconds_each(pairs, || count_meeting(&mut Arena::overlay(Arc::clone(&frozen)), &sets));
    let compile_binary = || few.iter().map(|list| binary.first_match(list)).collect::<Vec<Bdd>>();
    let binary_compile = nanoseconds_each(few.len(), compile_binary);
    let diagrams = compile_binary();
    let meeting = || {
        diagrams.iter().map(|left| diagrams.iter().filter(|right| meet(left, right)).count()).sum::<usize>()
    };
    let binary_decide = nanoseconds_each(few.len() * few.len(), meeting);
    let mut arena = Arena::overlay(Arc::clone(&frozen));
    let share = count_meeting(&mut arena, &sets) as f64 / pairs as f64;
    println!(
        "{name}: compile {:.0} lists/s (binary {:.0}, ratio {:.1}); pair {decide:.0} ns (binary {binary_decide:.0}, ratio {:.1}); \
         {:.0}% of pairs meet, {} nodes, {} operations",
        1e9 / compile,
        1e9 / binary_compile,
        binary_compile / compile,
        binary_decide / decide,
        share * 100.0,
        arena.counters().nodes,
        arena.counters().operations,
    );
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for (name, shape) in SHAPES {
        let mut numbers = Numbers(1);
        let lists: Vec<RuleList> = (0..LISTS).map(|_| shape(&mut numbers)).collect();
        measure(&mut criterion, name, &lists);
        compare(name, &lists);
    }
    criterion.final_summary();
}
