//! The matrix against `reach`: for every two interfaces of a network, and each of their addresses, the same protocols
//! and ports pass and are answered, in both worlds.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use reachproof_engine::header::{Arena, Family, Header, Set};
use reachproof_engine::matrix::{Cell, Matrix, StationId};
use reachproof_engine::network::{Network, Options, Sink, SourcePlace, owned_blocks};
use reachproof_engine::reach::{Delivery, Explored, Reach, Request, classes};
use reachproof_model::flow::{Protocol, Question};
use reachproof_model::id::{EniId, Ref};
use reachproof_model::ingest::load;
use reachproof_model::snapshot::{
    AclEntry, Action, AssociationEvidence, Interface, PrivateAddress, PublicAddress, Snapshot,
};
use reachproof_model::traffic::Traffic;
use reachproof_scenarios::corpus;
use reachproof_scenarios::random::Shape;

use crate::what_if::with_twins;

/// What was compared, and what differs.
#[derive(Debug, Default)]
struct Comparison {
    networks: usize,
    pairs: usize,
    passing: usize,
    answered: usize,
    alone: u64,
    classes: [u64; 2],
    wrong: Vec<String>,
}

/// An address of an interface, with the station that it is of.
type Place = (u128, StationId);

/// The first and the last address of each block of an interface, in one family.
fn places(network: &Network<'_>, matrix: &Matrix, id: EniId, family: Family) -> Vec<Place> {
    let blocks = owned_blocks(network.interface(id)).into_iter();
    let ends = blocks.flat_map(|block| [block.network(), block.broadcast()]);
    let own = ends.filter(|ip| Family::of(*ip) == family).map(number);
    own.map(|value| (value, station(network, matrix, id, family, value))).collect()
}

pub fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u32::from(ip).into(),
        IpAddr::V6(ip) => ip.into(),
    }
}

pub fn station(
    network: &Network<'_>,
    matrix: &Matrix,
    id: EniId,
    family: Family,
    address: u128,
) -> StationId {
    matrix.station_at(network, id, family, address).expect("each address of an interface is at a station")
}

/// What `reach` says passes between two addresses.
fn expected(arena: &mut Arena, deliveries: &[Delivery], to: u128, from: u128) -> Cell {
    let mut cell = Cell::default();
    for row in deliveries {
        let [over, under, answered_over, answered_under] =
            [row.over, row.under, row.answered_over, row.answered_under]
                .map(|set| arena.between(set, to, from));
        cell.over = arena.union(cell.over, over);
        cell.under = arena.union(cell.under, under);
        cell.answered_over = arena.union(cell.answered_over, answered_over);
        cell.answered_under = arena.union(cell.answered_under, answered_under);
    }
    cell
}

pub fn moved(arena: &mut Arena, from: &Arena, cell: Cell) -> Cell {
    let mut moved = |set: Set| arena.import(from, set);
    Cell {
        over: moved(cell.over),
        under: moved(cell.under),
        answered_over: moved(cell.answered_over),
        answered_under: moved(cell.answered_under),
    }
}

fn compare(network: &Network<'_>, question: Question) -> Comparison {
    let reach = Reach::of(network);
    let matrix = Matrix::of(&reach, question).expect("within limits");
    let interfaces: Vec<SourcePlace> =
        network.snapshot.interfaces.ids().map(SourcePlace::Interface).collect();
    let found = reach.explore(&classes(network, &interfaces), &Request::of(question), |mut explored| {
        compare_class(network, &matrix, &mut explored)
    });
    let counters = matrix.counters();
    let mut comparison = Comparison {
        networks: 1,
        alone: counters.explored_alone,
        classes: [counters.classes, counters.interfaces],
        ..Comparison::default()
    };
    for part in found.expect("within limits").into_iter().flatten() {
        comparison.add(part);
    }
    comparison
}

impl Comparison {
    fn add(&mut self, other: Self) {
        self.networks += other.networks;
        self.pairs += other.pairs;
        self.passing += other.passing;
        self.answered += other.answered;
        self.alone += other.alone;
        self.classes = [self.classes[0] + other.classes[0], self.classes[1] + other.classes[1]];
        self.wrong.extend(other.wrong);
    }
}

fn compare_class(network: &Network<'_>, matrix: &Matrix, explored: &mut Explored<'_>) -> Comparison {
    let family = explored.family;
    let cells = matrix.arena(family);
    let mut by_sink: BTreeMap<EniId, Vec<Delivery>> = BTreeMap::new();
    for row in explored.deliveries() {
        if let (Sink::Interface(id), None, false) = (row.sink, row.destination, row.embedded) {
            by_sink.entry(id).or_default().push(row);
        }
    }
    let mut comparison = Comparison::default();
    for sender in &explored.source.members {
        for receiver in network.snapshot.interfaces.ids().filter(|receiver| receiver != sender) {
            let deliveries = by_sink.get(&receiver).map_or(&[][..], Vec::as_slice);
            for (from, sending) in places(network, matrix, *sender, family) {
                for (to, receiving) in places(network, matrix, receiver, family) {
                    let wanted = expected(explored.arena, deliveries, to, from);
                    let cell = moved(explored.arena, &cells, matrix.cell(sending, receiving));
                    comparison.pairs += 1;
                    comparison.passing += usize::from(!wanted.over.is_empty());
                    comparison.answered += usize::from(!wanted.answered_over.is_empty());
                    if wanted != cell {
                        let example = difference(explored.arena, wanted, cell);
                        comparison.wrong.push(format!(
                            "{family:?} {sender:?} → {receiver:?}: {example} ({from:x} → {to:x}), reach {wanted:?}, matrix {cell:?}"
                        ));
                    }
                }
            }
        }
    }
    comparison
}

/// A header that one of two cells has.
fn difference(arena: &mut Arena, left: Cell, right: Cell) -> String {
    let named = [
        ("over", left.over, right.over),
        ("under", left.under, right.under),
        ("answered over", left.answered_over, right.answered_over),
        ("answered under", left.answered_under, right.answered_under),
    ];
    let mut shown = Vec::new();
    for (name, left, right) in named {
        let (more, less) = (arena.difference(left, right), arena.difference(right, left));
        let first = |set| arena.pick(set).map(|header: Header| format!("{header:?}"));
        shown.extend(first(more).map(|header| format!("{name}: only reach {header}")));
        shown.extend(first(less).map(|header| format!("{name}: only matrix {header}")));
    }
    shown.join("; ")
}

fn report(total: &Comparison) {
    println!(
        "{} networks, {} classes of {} interfaces ({} classes explored alone); {} pairs of addresses compared ({} pass, {} are answered), {} differ",
        total.networks,
        total.classes[0],
        total.classes[1],
        total.alone,
        total.pairs,
        total.passing,
        total.answered,
        total.wrong.len()
    );
    let shown: Vec<_> = total.wrong.iter().take(20).cloned().collect();
    assert!(total.wrong.is_empty(), "{} differ:\n{}", total.wrong.len(), shown.join("\n"));
}

#[test]
fn the_matrix_is_what_reach_finds_on_the_corpus() {
    let mut total = Comparison::default();
    for scenario in corpus() {
        let Ok(snapshot) = load(scenario.inputs()) else { continue };
        let options = [Options::default(), Options { including_replies: true, ..Options::default() }];
        for options in options {
            let Ok(network) = Network::build(&snapshot, options) else { continue };
            let mut found = compare(&network, Question::Connection);
            found.wrong.iter_mut().for_each(|wrong| *wrong = format!("{} {wrong}", scenario.name()));
            total.add(found);
        }
    }
    report(&total);
}

/// Lets network ACLs refuse TCP from every other twin and to the twins between.
fn refuse_twins(snapshot: &mut Snapshot) {
    let twins = snapshot.interfaces.values().filter(|interface| interface.meta.id.ends_with("-twin"));
    let addresses: Vec<IpAddr> = twins.flat_map(|twin| &twin.addresses).map(|address| address.ip).collect();
    for acl in snapshot.acls.values_mut() {
        for (position, ip) in addresses.iter().enumerate() {
            acl.entries.push(AclEntry {
                number: 1,
                egress: position % 2 == 1,
                action: Action::Deny,
                cidr: Some(IpNet::from(*ip)),
                traffic: Traffic::Protocol(Protocol::TCP),
                source: acl.meta.source.clone(),
            });
        }
    }
}

/// Replies are told apart by the address that they come from, and by whether they get to the internet.
#[test]
fn the_matrix_is_what_reach_finds_where_network_acls_tell_twins_apart() {
    let mut total = Comparison::default();
    for scenario in corpus() {
        let Ok(snapshot) = load(scenario.inputs()) else { continue };
        let mut snapshot = with_twins(snapshot);
        refuse_twins(&mut snapshot);
        let Ok(network) = Network::build(&snapshot, Options::default()) else { continue };
        let mut found = compare(&network, Question::Connection);
        found.wrong.iter_mut().for_each(|wrong| *wrong = format!("{} {wrong}", scenario.name()));
        total.add(found);
    }
    report(&total);
}

/// Compares the matrix of random networks, each changed before.
fn compare_random(seeds: std::ops::Range<u64>, pieces: u8, change: impl Fn(&mut Snapshot)) -> Comparison {
    let mut total = Comparison::default();
    for seed in seeds {
        let scenario = Shape::of_seed(seed, pieces).scenario().unwrap();
        let mut snapshot = load(scenario.inputs()).unwrap();
        change(&mut snapshot);
        let Ok(network) = Network::build(&snapshot, Options::default()) else { continue };
        let mut found = compare(&network, Question::Connection);
        found.wrong.iter_mut().for_each(|wrong| *wrong = format!("seed {seed} {wrong}"));
        total.add(found);
    }
    total
}

#[test]
fn the_matrix_is_what_reach_finds_on_random_networks() {
    report(&compare_random(0..150, 24, |_| {}));
}

/// Interfaces of VLANs claim nothing in the restrictive world (R-ADDR-14); guests without the check are like them but for
/// that, and like each other.
#[test]
fn guests_without_the_check_are_told_from_vlans() {
    let total = compare_random(700..719, 16, |snapshot| {
        add_twins(snapshot, 2);
        for row in snapshot.interfaces.values_mut() {
            row.source_dest_check = Some(false);
            if row.meta.id.ends_with("-twin-1") {
                row.kind = Some("evs".into());
            }
        }
    });
    report(&total);
}

/// Gives each interface twins: the same but for their addresses, which are free ones of the same subnet.
fn add_twins(snapshot: &mut Snapshot, twins: usize) {
    let originals: Vec<Interface> = snapshot.interfaces.values().cloned().collect();
    for (number, original) in originals.iter().enumerate() {
        for twin in 0..twins {
            let step = u32::try_from(number * twins + twin).unwrap();
            let Some(subnet) = original.subnet.known() else { continue };
            let blocks = snapshot.subnets[subnet].cidrs.iter().map(|block| block.cidr);
            let addresses =
                blocks.map(|block| PrivateAddress { ip: near_the_end(block, step), primary: true });
            let mut copy = original.clone();
            copy.meta.id = format!("{}-twin-{twin}", original.meta.id).into();
            copy.addresses = addresses.collect();
            (copy.prefixes, copy.public) = (Vec::new(), Vec::new());
            snapshot.interfaces.push(copy);
        }
    }
}

/// An address of a block, counted from its end.
fn near_the_end(block: IpNet, step: u32) -> IpAddr {
    match block.broadcast() {
        IpAddr::V4(last) => IpAddr::V4((u32::from(last) - 2 - step).into()),
        IpAddr::V6(last) => IpAddr::V6((u128::from(last) - 2 - u128::from(step)).into()),
    }
}

#[test]
fn members_of_a_class_are_alike() {
    let total = compare_random(500..560, 24, |snapshot| add_twins(snapshot, 2));
    report(&total);
    let [classes, interfaces] = total.classes;
    assert!(
        classes * 3 < interfaces * 2,
        "twins are of one class: {classes} classes of {interfaces} interfaces"
    );
}

/// A change of one attribute of an interface.
type Change = fn(&mut Interface, &Snapshot);

/// Changes of every attribute of an interface. An attribute that is added does not compile until it is listed here.
fn changes(interface: &Interface) -> Vec<(&'static str, Change)> {
    let Interface {
        meta: _,
        vpc: _,
        subnet: _,
        more_subnets: _,
        kind: _,
        status: _,
        attachment: _,
        requester_managed: _,
        requester: _,
        description: _,
        source_dest_check: _,
        deny_igw: _,
        groups: _,
        addresses: _,
        prefixes: _,
        public: _,
        label: _,
    } = interface;
    vec![
        ("owner", |row, _| row.meta.owner = Some("999999999999".into())),
        ("vpc", |row, all| {
            row.vpc = all.vpcs.ids().next_back().map_or(Ref::Missing("vpc-x".into()), Ref::Known)
        }),
        ("unknown vpc", |row, _| row.vpc = Ref::Missing("vpc-x".into())),
        ("subnet", |row, all| {
            row.subnet = all.subnets.ids().next_back().map_or(Ref::Missing("s".into()), Ref::Known)
        }),
        ("unknown subnet", |row, _| row.subnet = Ref::Missing("subnet-x".into())),
        ("more subnets", |row, all| {
            row.more_subnets = all.subnets.ids().next_back().map(Ref::Known).into_iter().collect()
        }),
        ("nat gateway", |row, _| row.kind = Some("natgateway".into())),
        ("endpoint", |row, _| row.kind = Some("vpcendpoint".into())),
        ("function", |row, _| row.kind = Some("lambda".into())),
        ("vlan", |row, _| row.kind = Some("evs".into())),
        ("balancer", |row, _| row.kind = Some("networkloadbalancer".into())),
        ("status", |row, _| row.status = Some("available".into())),
        ("unknown status", |row, _| row.status = None),
        ("attachment", |row, _| row.attachment = None),
        ("managed", |row, _| row.requester_managed = !row.requester_managed),
        ("requester", |row, _| row.requester = Some("amazon-elb".into())),
        ("description", |row, _| row.description = "ELB app/x/y".into()),
        ("unchecked", |row, _| row.source_dest_check = Some(false)),
        ("unknown check", |row, _| row.source_dest_check = None),
        ("no internet", |row, _| row.deny_igw = !row.deny_igw),
        ("unknown groups", |row, _| row.groups = None),
        ("no groups", |row, _| row.groups = Some(Vec::new())),
        ("missing group", |row, _| row.groups = Some(vec![Ref::Missing("sg-x".into())])),
        ("other group", |row, all| {
            row.groups = Some(all.groups.ids().next_back().map(Ref::Known).into_iter().collect())
        }),
        ("all groups", |row, all| row.groups = Some(all.groups.ids().map(Ref::Known).collect())),
        ("address in use", |row, all| {
            row.addresses =
                all.interfaces.values().next().map(|first| first.addresses.clone()).unwrap_or_default()
        }),
        ("address elsewhere", |row, all| {
            let blocks = all.subnets.values().flat_map(|subnet| &subnet.cidrs).map(|block| block.cidr);
            row.addresses =
                blocks.map(|block| PrivateAddress { ip: near_the_end(block, 90), primary: true }).collect();
        }),
        ("prefix", |row, all| {
            let blocks = all.subnets.values().flat_map(|subnet| &subnet.cidrs).map(|block| block.cidr);
            row.prefixes = blocks
                .filter_map(|block| {
                    IpNet::new(near_the_end(block, 120), if block.addr().is_ipv4() { 28 } else { 124 }).ok()
                })
                .map(|block| block.trunc())
                .collect();
        }),
        ("public", |row, all| {
            let source = row.meta.source.clone();
            let private = row
                .addresses
                .iter()
                .find_map(|address| if let IpAddr::V4(ip) = address.ip { Some(ip) } else { None });
            let evidence = AssociationEvidence::Direct;
            let public = "198.51.100.77".parse().unwrap();
            row.public = private
                .map(|private| PublicAddress { public, private, evidence, source })
                .into_iter()
                .collect();
            let _ = all;
        }),
        ("label", |row, _| row.label = "rds".into()),
    ]
}

/// An attribute that rules read and the key of classes lacks leaves an interface in a class whose other members differ
/// from it: then some cell is wrong for it.
#[test]
fn the_key_of_a_class_holds_every_attribute_that_rules_read() {
    let mut total = Comparison::default();
    for seed in 700..706 {
        let scenario = Shape::of_seed(seed, 16).scenario().unwrap();
        let mut whole = load(scenario.inputs()).unwrap();
        add_twins(&mut whole, 2);
        let last = whole.interfaces.ids().next_back().unwrap();
        for (name, change) in changes(&whole.interfaces[last]) {
            let mut snapshot = whole.clone();
            if let Some(row) = snapshot.interfaces.get_mut(last) {
                change(row, &whole);
            }
            let Ok(network) = Network::build(&snapshot, Options::default()) else { continue };
            let mut found = compare(&network, Question::Connection);
            found.wrong.iter_mut().for_each(|wrong| *wrong = format!("seed {seed}, {name}: {wrong}"));
            total.add(found);
        }
    }
    report(&total);
}

/// Every row of a matrix, as text.
fn rows(network: &Network<'_>, threads: usize) -> Vec<String> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let reach = Reach::of(network);
    let matrix = pool.install(|| Matrix::of(&reach, Question::Connection).unwrap());
    let mut rows = vec![format!("{:?}", matrix.counters())];
    for (id, station) in matrix.stations() {
        let arena = matrix.arena(station.family);
        for run in matrix.row(id) {
            let sets = [run.cell.over, run.cell.under, run.cell.answered_over, run.cell.answered_under];
            let boxes = sets.map(|set| (set, arena.boxes(set).collect::<Vec<_>>()));
            rows.push(format!("{id:?} {:?}-{:?} {boxes:?}", run.first, run.last));
        }
    }
    rows
}

#[test]
fn the_number_of_threads_changes_no_row() {
    for seed in 0..20 {
        let scenario = Shape::of_seed(seed, 24).scenario().unwrap();
        let mut snapshot = load(scenario.inputs()).unwrap();
        add_twins(&mut snapshot, 1);
        let network = Network::build(&snapshot, Options::default()).unwrap();
        assert_eq!(rows(&network, 1), rows(&network, 2), "{seed}");
    }
}

/// A row holds exactly the cells of its sender.
#[test]
fn rows_hold_the_cells() {
    let scenario = Shape::of_seed(3, 24).scenario().unwrap();
    let mut snapshot = load(scenario.inputs()).unwrap();
    add_twins(&mut snapshot, 1);
    let network = Network::build(&snapshot, Options::default()).unwrap();
    let reach = Reach::of(&network);
    let matrix = Matrix::of(&reach, Question::Packet).unwrap();
    for (from, sender) in matrix.stations() {
        let runs = matrix.row(from);
        assert!(runs.is_sorted_by(|left, right| left.last < right.first), "runs ascend");
        for (to, _) in matrix.stations().filter(|(_, receiver)| receiver.family == sender.family) {
            let run = runs.iter().find(|run| (run.first..=run.last).contains(&to));
            assert_eq!(run.map_or(Cell::default(), |run| run.cell), matrix.cell(from, to), "{from:?} {to:?}");
        }
    }
}
