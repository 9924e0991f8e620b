//! The answer with the matrix against the one by explorations alone: the same bytes.

use std::net::IpAddr;
use std::path::Path;

use ipnet::IpNet;
use reachproof_engine::network::{Options, Search, owned_blocks};
use reachproof_model::flow::Protocol;
use reachproof_model::ingest;
use reachproof_model::snapshot::{Interface, PrivateAddress, Snapshot};
use reachproof_scenarios::corpus;
use reachproof_scenarios::random::Shape;

use super::super::{read_paths, snapshot};
use super::*;
use crate::arguments::ColourChoice;

fn talk() -> Talk {
    Talk::new(true, false, ColourChoice::Never)
}

/// The answer as JSON, or what is wrong with the question.
fn answer(
    snapshot: &Snapshot,
    options: Options,
    ends: [&str; 2],
    question: Question,
    traffic: &[TrafficSpec],
) -> Result<String, String> {
    let network = Network::build(snapshot, options).map_err(|error| error.to_string())?;
    let [from, to] =
        ends.map(|text| select(&network, &text.parse().unwrap()).map_err(|error| error.to_string()));
    let wanted = Wanted { network: &network, from: from?, to: to?, traffic: traffic.to_vec(), question };
    let answer = wanted.answer(&mut talk()).map_err(|failure| format!("{failure:?}"))?;
    Ok(pretty(&ReachJson::of(&answer)).unwrap())
}

/// Half of a block.
fn half(block: IpNet) -> String {
    let half = block.subnets(block.prefix_len() + 1).ok().and_then(|mut halves| halves.next());
    half.unwrap_or(block).to_string()
}

/// Ends that mean everything, and ends that mean a part of what interfaces own or receive.
fn ends(snapshot: &Snapshot) -> Vec<[String; 2]> {
    let any = || "any".to_owned();
    let mut found = vec![[any(), any()]];
    let owned = || snapshot.interfaces.values().flat_map(owned_blocks);
    let longest = owned().find(|block| block.prefix_len() < 32 || block.addr().is_ipv6());
    if let Some(block) = longest.or_else(|| owned().last()) {
        found.extend([[half(block), any()], [any(), half(block)]]);
    }
    let subnets = snapshot.subnets.values().flat_map(|subnet| subnet.cidrs.iter().map(|row| row.cidr));
    let mut public =
        snapshot.interfaces.values().flat_map(|row| &row.public).map(|row| row.public.to_string());
    found.extend(subnets.last().map(|block| [half(block), block.to_string()]));
    found.extend(public.next_back().map(|public| [any(), public]));
    found
}

/// Compares answers about a network: about everything, and about a part of what interfaces own or receive; which part, and
/// which questions, depends on the turn. Says how many there were, and those that differ.
fn compare(name: &str, snapshot: &Snapshot, turn: usize) -> (usize, Vec<String>) {
    let https = TrafficSpec::Ports { protocol: Protocol::TCP, from: 443, to: 443 };
    let specs = [https, TrafficSpec::Protocol(Protocol::ICMP)];
    let questions = [
        (Question::Packet, false, &[][..]),
        (Question::Connection, true, &specs),
        (Question::Packet, true, &[]),
        (Question::Connection, false, &[]),
    ];
    let (mut compared, mut wrong) = (0, Vec::new());
    let all = ends(snapshot);
    let cut = all.iter().enumerate().skip(1);
    let cut = cut.skip(turn / questions.len() % (all.len().max(2) - 1)).take(1);
    for (number, ends) in all.iter().enumerate().take(1).chain(cut) {
        let (question, strict, traffic) = questions[(turn + turn / 2 + number) % questions.len()];
        let of = |search| {
            let options = Options { strict, search, ..Options::default() };
            answer(snapshot, options, [&ends[0], &ends[1]], question, traffic)
        };
        let (plain, by_matrix) = (of(Search::Plain), of(Search::Aimed));
        compared += usize::from(plain.is_ok());
        if plain != by_matrix {
            let shown = differing(&plain, &by_matrix);
            wrong.push(format!("{name} {ends:?} {question:?} strict {strict}:\n{shown}"));
        }
    }
    (compared, wrong)
}

/// Compares many networks, each with its name; at least so many answers.
fn compare_all(least: usize, networks: Vec<(String, Snapshot)>) {
    let found: Vec<(usize, Vec<String>)> = networks
        .par_iter()
        .enumerate()
        .map(|(turn, (name, snapshot))| compare(name, snapshot, turn))
        .collect();
    let compared: usize = found.iter().map(|(compared, _)| compared).sum();
    let wrong: Vec<&String> = found.iter().flat_map(|(_, wrong)| wrong).collect();
    let shown: Vec<&str> = wrong.iter().take(30).map(|wrong| wrong.as_str()).collect();
    assert!(wrong.is_empty(), "{} of {compared} differ:\n{}", wrong.len(), shown.join("\n"));
    assert!(compared >= least, "{compared}");
}

/// The first lines that differ, with some around them.
fn differing(plain: &Result<String, String>, by_matrix: &Result<String, String>) -> String {
    let [plain, by_matrix] = [plain, by_matrix].map(|answer| match answer {
        Ok(text) | Err(text) => text.lines().collect::<Vec<_>>(),
    });
    let equal = plain.iter().zip(&by_matrix).take_while(|(one, other)| one == other).count();
    let around = |lines: &[&str]| {
        lines.iter().skip(equal.saturating_sub(4)).take(9).copied().collect::<Vec<_>>().join("\n")
    };
    format!(
        "explored, {} lines:\n{}\nby matrix, {} lines:\n{}",
        plain.len(),
        around(&plain),
        by_matrix.len(),
        around(&by_matrix)
    )
}

/// Gives each interface two twins: the same but for their addresses, which are free ones of the same subnet.
fn with_twins(mut snapshot: Snapshot) -> Snapshot {
    let originals: Vec<Interface> = snapshot.interfaces.values().cloned().collect();
    for (number, original) in (0_u32..).zip(&originals) {
        for twin in 0..2 {
            let Some(subnet) = original.subnet.known() else { continue };
            let blocks = snapshot.subnets[subnet].cidrs.iter().map(|block| block.cidr);
            let ips = blocks.map(|block| near_the_end(block, number * 2 + twin));
            let mut copy = original.clone();
            copy.meta.id = format!("{}-twin-{twin}", original.meta.id).into();
            copy.addresses = ips.map(|ip| PrivateAddress { ip, primary: true }).collect();
            (copy.prefixes, copy.public) = (Vec::new(), Vec::new());
            snapshot.interfaces.push(copy);
        }
    }
    snapshot
}

/// An address of a block, counted from its end.
fn near_the_end(block: IpNet, step: u32) -> IpAddr {
    match block.broadcast() {
        IpAddr::V4(last) => IpAddr::V4((u32::from(last) - 2 - step).into()),
        IpAddr::V6(last) => IpAddr::V6((u128::from(last) - 2 - u128::from(step)).into()),
    }
}

/// Gives the first interface of each subnet, and its first twin, more addresses, so that not all have as many of each kind.
fn with_more_addresses(mut snapshot: Snapshot) -> Snapshot {
    let taken: Vec<IpNet> = snapshot.interfaces.values().flat_map(owned_blocks).collect();
    for (number, row) in (0_u32..).zip(snapshot.interfaces.values_mut()).filter(|(number, _)| number % 3 == 0)
    {
        let more = row.addresses.iter().map(|address| match address.ip {
            IpAddr::V4(ip) => IpAddr::V4((u32::from(ip) ^ 64 ^ (number % 4)).into()),
            IpAddr::V6(ip) => IpAddr::V6((u128::from(ip) ^ 64 ^ u128::from(number % 4)).into()),
        });
        let free: Vec<IpAddr> = more.filter(|ip| !taken.iter().any(|block| block.contains(ip))).collect();
        row.addresses.extend(free.into_iter().map(|ip| PrivateAddress { ip, primary: false }));
    }
    snapshot
}

#[test]
fn the_matrix_changes_no_answer_on_the_corpus() {
    let loaded = corpus().into_iter().filter_map(|scenario| {
        let snapshot = ingest::load(scenario.inputs()).ok()?;
        Some((scenario.name().to_owned(), snapshot))
    });
    let with_twins = |(name, snapshot)| (format!("twins of {name}"), with_twins(snapshot));
    compare_all(500, loaded.map(with_twins).collect());
}

#[test]
fn the_matrix_changes_no_answer_on_the_examples() {
    let folders = ["private-ml/aws", "private-ml/twin", "nat-egress/aws", "nat-egress/twin"];
    let load = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name);
        let inputs = read_paths(&[path], &mut talk()).unwrap();
        (name.to_owned(), snapshot(inputs, &mut talk()).unwrap())
    };
    compare_all(8, folders.map(load).into());
}

#[test]
fn the_matrix_changes_no_answer_on_random_networks() {
    let load = |seed| ingest::load(Shape::of_seed(seed, 24).scenario().unwrap().inputs()).unwrap();
    let of_seed = |seed| {
        let snapshot = load(seed);
        let twins = with_twins(snapshot.clone());
        [
            (format!("seed {seed}"), snapshot),
            (format!("twins of seed {seed}"), twins.clone()),
            (format!("more addresses of seed {seed}"), with_more_addresses(twins)),
        ]
    };
    compare_all(200, (0..40).flat_map(of_seed).collect());
}

#[test]
fn the_matrix_gives_the_same_bytes_on_any_number_of_threads() {
    let snapshot = ingest::load(Shape::of_seed(3, 24).scenario().unwrap().inputs()).unwrap();
    let snapshot = with_twins(snapshot);
    let of = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let options = Options { search: Search::Aimed, ..Options::default() };
        pool.install(|| answer(&snapshot, options, ["any", "any"], Question::Packet, &[]))
    };
    assert_eq!(of(1), of(2));
}
