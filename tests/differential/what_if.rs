//! The matrix of a changed network against one that is built anew: the same cells, and a delta that is what differs.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use reachproof_engine::header::{Arena, Family, HeaderBox};
use reachproof_engine::matrix::{Cell, Changed, Matrix, Place, Recomputed, StationId};
use reachproof_engine::network::{Network, Options, owned_blocks};
use reachproof_engine::reach::Reach;
use reachproof_model::change::{Change, Edit};
use reachproof_model::compiled::{read_snapshot, write_snapshot};
use reachproof_model::flow::Question;
use reachproof_model::ingest::load;
use reachproof_model::snapshot::Snapshot;
use reachproof_scenarios::corpus;
use reachproof_scenarios::random::Shape;

use crate::edits::{edits, twin};
use crate::matrix::{moved, number, station};

/// What was compared, and what differs.
#[derive(Debug, Default)]
struct Comparison {
    changes: usize,
    refused: usize,
    /// Changes for which only stale cells were decided.
    renewed: usize,
    rebuilt: BTreeMap<String, usize>,
    pairs: usize,
    differing: usize,
    wrong: Vec<String>,
}

/// The stations of both matrices, as a delta names its places.
type Ends = (Option<StationId>, Option<StationId>);

/// An address of an interface.
type Spot = (String, u128);

/// The addresses at the ends of the blocks of all interfaces of two networks.
fn addresses(networks: [&Network<'_>; 2], family: Family) -> BTreeSet<Spot> {
    let mut found = BTreeSet::new();
    for interface in networks.iter().flat_map(|network| network.snapshot.interfaces.values()) {
        let ends = owned_blocks(interface).into_iter().flat_map(|block| [block.network(), block.broadcast()]);
        let own = ends.filter(|ip| Family::of(*ip) == family).map(number);
        found.extend(own.map(|address| (interface.meta.id.to_string(), address)));
    }
    found
}

/// The stations of those of the addresses that are owned in a network.
fn spots(
    network: &Network<'_>,
    matrix: &Matrix,
    family: Family,
    addresses: &BTreeSet<Spot>,
) -> BTreeMap<Spot, StationId> {
    let mut found = BTreeMap::new();
    for (id, interface) in network.snapshot.interfaces.iter() {
        let blocks = owned_blocks(interface);
        for spot in addresses.iter().filter(|(name, _)| **name == *interface.meta.id) {
            let owned = |block: &IpNet| {
                Family::of(block.addr()) == family
                    && (number(block.network())..=number(block.broadcast())).contains(&spot.1)
            };
            if blocks.iter().any(owned) {
                found.insert(spot.clone(), station(network, matrix, id, family, spot.1));
            }
        }
    }
    found
}

/// A matrix as it was before it was changed.
struct Old {
    addresses: BTreeSet<Spot>,
    spots: BTreeMap<Spot, StationId>,
    /// The cells that are not empty.
    cells: BTreeMap<(StationId, StationId), [Vec<HeaderBox>; 4]>,
}

impl Old {
    fn of(network: &Network<'_>, after: &Network<'_>, matrix: &Matrix, family: Family) -> Self {
        let addresses = addresses([network, after], family);
        let (spots, arena) = (spots(network, matrix, family, &addresses), matrix.arena(family));
        let stations: BTreeSet<StationId> = spots.values().copied().collect();
        let pairs = stations.iter().flat_map(|from| stations.iter().map(|to| (*from, *to)));
        let cells = pairs.filter_map(|(from, to)| {
            let cell = matrix.cell(from, to);
            let sets = [cell.over, cell.under, cell.answered_over, cell.answered_under];
            (!cell.is_empty()).then(|| ((from, to), sets.map(|set| arena.boxes(set).collect())))
        });
        let cells = cells.collect();
        Self { addresses, spots, cells }
    }

    fn cell(&self, arena: &mut Arena, from: Option<StationId>, to: Option<StationId>) -> Cell {
        let found = from.zip(to).and_then(|pair| self.cells.get(&pair)).cloned().unwrap_or_default();
        let [over, under, answered_over, answered_under] = found.map(|boxes| arena.any_of(&boxes));
        Cell { over, under, answered_over, answered_under }
    }
}

fn cell(matrix: &Matrix, from: Option<StationId>, to: Option<StationId>) -> Cell {
    from.zip(to).map(|(from, to)| matrix.cell(from, to)).unwrap_or_default()
}

/// The cells of a delta, by the stations of sender and receiver.
fn told(changed: &Changed) -> BTreeMap<(Family, Ends, Ends), (Cell, Cell)> {
    let mut found = BTreeMap::new();
    let ends = |place: &Place| (place.before, place.after);
    for row in changed.delta.rows() {
        for run in &row.runs {
            for to in run.receivers() {
                for from in &row.senders {
                    let [from, to] = [*from, to].map(|id| changed.delta.place(&changed.matrix, id).unwrap());
                    let double = found.insert((from.family, ends(&from), ends(&to)), (run.before, run.after));
                    assert_eq!(double, None, "a pair is told once");
                }
            }
        }
    }
    found
}

impl Comparison {
    /// Compares the matrix that a change gives with one that is built anew.
    fn compare(&mut self, name: &str, old: &[Old; 2], after: &Network<'_>, changed: &Changed) {
        let network = Network::build(after.snapshot, after.options).expect("the spine is there");
        let anew = Matrix::of(&Reach::of(&network), Question::Connection).expect("within limits");
        match changed.recomputed {
            Recomputed::Stale(_) => self.renewed += 1,
            Recomputed::All(reason) => *self.rebuilt.entry(format!("{reason:?}")).or_default() += 1,
        }
        let told = told(changed);
        let mut met = 0;
        for (family, old) in [Family::V4, Family::V6].into_iter().zip(old) {
            let mut arena = changed.matrix.arena(family);
            let sets = anew.arena(family);
            let now = spots(after, &changed.matrix, family, &old.addresses);
            let wanted = spots(after, &anew, family, &old.addresses);
            let all = &old.addresses;
            let ends = |spot: &Spot| (old.spots.get(spot).copied(), now.get(spot).copied());
            for (from, to) in all.iter().flat_map(|from| all.iter().map(move |to| (from, to))) {
                self.pairs += 1;
                let is = cell(&changed.matrix, now.get(from).copied(), now.get(to).copied());
                let anew = cell(&anew, wanted.get(from).copied(), wanted.get(to).copied());
                let anew = moved(&mut arena, &sets, anew);
                let was = old.cell(&mut arena, ends(from).0, ends(to).0);
                if is != anew {
                    self.wrong.push(format!("{name}: {from:x?} → {to:x?}: {is:?}, anew {anew:?}"));
                }
                let expected = (was != is).then_some((was, is));
                met += usize::from(expected.is_some());
                let found = told.get(&(family, ends(from), ends(to))).copied();
                if found != expected {
                    self.wrong.push(format!("{name}: {from:x?} → {to:x?}: told {found:?}, not {expected:?}"));
                }
            }
        }
        self.differing += met;
        if met == 0 && !told.is_empty() {
            self.wrong.push(format!("{name}: the delta tells of {} pairs that nobody knows", told.len()));
        }
    }

    /// Makes one change of a network; gives the changed one with its matrix.
    fn change(
        &mut self,
        name: &str,
        (snapshot, kept): (&Snapshot, Option<Matrix>),
        change: &Change,
        options: Options,
    ) -> Option<(Snapshot, Matrix)> {
        let Ok(changed) = snapshot.changed(change) else {
            self.refused += 1;
            return None;
        };
        let before = Network::build(snapshot, options).ok()?;
        let after = before.after(&changed).ok()?;
        self.changes += 1;
        let file = write_snapshot(&changed).expect("a snapshot has a binary form");
        assert_eq!(read_snapshot(name, &file).as_ref(), Ok(&changed), "{name} keeps what every snapshot has");
        let reach = Reach::of(&before);
        let reach_after = reach.after(&after);
        let matrix = kept.unwrap_or_else(|| Matrix::of(&reach, Question::Connection).expect("within limits"));
        let old = [Family::V4, Family::V6].map(|family| Old::of(&before, &after, &matrix, family));
        let found = matrix.changed(&reach, &reach_after).expect("within limits");
        self.compare(name, &old, &after, &found);
        drop(reach_after);
        Some((changed.clone(), found.matrix))
    }

    fn report(&self) {
        println!(
            "{} changes ({} refused): {} of stale cells alone, anew for {:?}; {} pairs of addresses compared, {} differ between before and after, {} wrong",
            self.changes,
            self.refused,
            self.renewed,
            self.rebuilt,
            self.pairs,
            self.differing,
            self.wrong.len()
        );
        let shown: Vec<_> = self.wrong.iter().take(20).collect();
        assert!(self.wrong.is_empty(), "{} wrong:\n{shown:#?}", self.wrong.len());
        assert!(self.renewed > 0 && self.differing > 0, "the changes matter");
    }
}

/// The snapshot with a twin of each interface, so that classes have several members.
pub fn with_twins(snapshot: Snapshot) -> Snapshot {
    let originals: Vec<_> = snapshot.interfaces.values().cloned().collect();
    originals.iter().fold(snapshot, |snapshot, original| {
        let twin = twin(original, &format!("{}-twin", original.meta.id));
        snapshot.changed(&Change::Interface(Edit::Add(Box::new(twin)))).unwrap_or(snapshot)
    })
}

/// Every so many of a list, starting at an offset that differs from network to network.
fn sample<T>(items: Vec<T>, step: usize, offset: usize) -> impl Iterator<Item = T> {
    items.into_iter().skip(offset % step).step_by(step)
}

#[test]
fn a_changed_matrix_is_one_built_anew_on_the_corpus() {
    let mut total = Comparison::default();
    for (number, scenario) in corpus().into_iter().enumerate() {
        let Ok(snapshot) = load(scenario.inputs()) else { continue };
        let options = Options { including_replies: number % 4 == 0, ..Options::default() };
        for (name, change) in sample(edits(&snapshot), 41, number) {
            total.change(&format!("{} {name}", scenario.name()), (&snapshot, None), &change, options);
        }
    }
    total.report();
}

#[test]
fn a_changed_matrix_is_one_built_anew_on_random_networks() {
    let mut total = Comparison::default();
    for seed in 0..60 {
        let scenario = Shape::of_seed(seed, 24).scenario().unwrap();
        let mut snapshot = load(scenario.inputs()).unwrap();
        if seed % 2 == 0 {
            snapshot = with_twins(snapshot);
        }
        let all = edits(&snapshot);
        let step = all.len() / 12 + 1;
        for (name, change) in sample(all, step, usize::try_from(seed).unwrap()) {
            total.change(&format!("seed {seed} {name}"), (&snapshot, None), &change, Options::default());
        }
    }
    total.report();
}

#[test]
fn changes_may_follow_each_other() {
    let mut total = Comparison::default();
    for seed in 100..140 {
        let scenario = Shape::of_seed(seed, 24).scenario().unwrap();
        let mut snapshot = load(scenario.inputs()).unwrap();
        let mut kept: Option<Matrix> = None;
        for step in 0..6 {
            let all = edits(&snapshot);
            let picked = (usize::try_from(seed).unwrap() * 7919 + step * 104_729) % all.len().max(1);
            let Some((name, change)) = all.into_iter().nth(picked) else { break };
            let name = format!("seed {seed} step {step} {name}");
            match total.change(&name, (&snapshot, kept.take()), &change, Options::default()) {
                Some((next, matrix)) => (snapshot, kept) = (next, Some(matrix)),
                None => kept = None,
            }
        }
    }
    total.report();
}
