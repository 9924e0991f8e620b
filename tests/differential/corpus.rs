//! The two evaluators against each other: on every network of the corpus, for a grid of headers from every interface and
//! the internet, the sinks that `reach` finds are those that `trace` walks to, in both worlds.
//!
//! Beyond an unmodelled component the concrete evaluator judges each field alone, so there only inclusion is asked for.

use std::collections::BTreeSet;
use std::net::IpAddr;

use reachproof_engine::header::{Family, Header};
use reachproof_engine::network::{Network, Options, Sink, SourcePlace};
use reachproof_engine::reach::{Delivery, Reach, Request, classes};
use reachproof_engine::trace::{Answered, delivers};
use reachproof_model::flow::{Flow, Protocol, Question, World};
use reachproof_model::ingest::load;
use reachproof_scenarios::corpus;

const HEADERS: [(Protocol, u16); 5] =
    [(Protocol::TCP, 443), (Protocol::TCP, 80), (Protocol::TCP, 22), (Protocol::UDP, 53), (Protocol(47), 0)];

fn destinations(network: &Network<'_>) -> Vec<IpAddr> {
    let interfaces = || network.snapshot.interfaces.values();
    let own = interfaces().flat_map(|interface| interface.addresses.iter().map(|address| address.ip));
    let public = interfaces().flat_map(|interface| interface.public.iter().map(|row| IpAddr::V4(row.public)));
    let beyond = ["203.0.113.5", "52.216.1.1", "192.168.0.5", "10.0.1.99", "2001:db8:9::1"];
    let mut all: Vec<IpAddr> =
        own.chain(public).chain(beyond.iter().map(|ip| ip.parse().expect("an address"))).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn sources(network: &Network<'_>) -> Vec<(SourcePlace, IpAddr)> {
    let interfaces = network.snapshot.interfaces.iter();
    let own = interfaces.flat_map(|(id, interface)| {
        interface.addresses.iter().map(move |address| (SourcePlace::Interface(id), address.ip))
    });
    let strangers =
        ["203.0.113.5", "2001:db8:9::1"].map(|ip| (SourcePlace::Internet, ip.parse().expect("an address")));
    own.chain(strangers).collect()
}

/// A grid of headers from one address.
fn flows(targets: &[IpAddr], source: IpAddr) -> Vec<Flow> {
    let fitting = targets.iter().filter(|to| to.is_ipv4() == source.is_ipv4() && **to != source);
    fitting
        .flat_map(|destination| {
            HEADERS.map(|(protocol, port)| {
                let source_port = if protocol.has_ports() { 49152 } else { 0 };
                Flow { source, destination: *destination, protocol, source_port, port }
            })
        })
        .collect()
}

/// The sinks of a header according to `reach`.
fn symbolic(
    found: &[(Delivery, BTreeSet<usize>, BTreeSet<usize>)],
    header: usize,
    world: World,
) -> BTreeSet<Sink> {
    let arrives = |row: &&(Delivery, BTreeSet<usize>, BTreeSet<usize>)| match world {
        World::Over => row.1.contains(&header),
        World::Under => row.2.contains(&header),
    };
    found.iter().filter(arrives).map(|(delivery, _, _)| delivery.sink).collect()
}

#[test]
fn trace_and_reach_agree_on_a_grid_of_headers() {
    let (mut compared, mut wrong) = (0_usize, Vec::new());
    for scenario in corpus() {
        let Ok(snapshot) = load(scenario.inputs()) else { continue };
        let Ok(network) = Network::build(&snapshot, Options::default()) else { continue };
        let reach = Reach::of(&network);
        let targets = destinations(&network);
        for (place, source) in sources(&network) {
            let flows = flows(&targets, source);
            let explored = reach
                .explore(&classes(&network, &[place]), &Request::of(Question::Packet), |mut explored| {
                    if explored.family != Family::of(source) {
                        return Vec::new();
                    }
                    let rows = explored.deliveries().into_iter();
                    let inside = |set| {
                        let holds =
                            |(_, flow): &(usize, &Flow)| explored.arena.contains(set, &Header::of(flow));
                        flows
                            .iter()
                            .enumerate()
                            .filter(holds)
                            .map(|(number, _)| number)
                            .collect::<BTreeSet<usize>>()
                    };
                    rows.map(|delivery| (delivery, inside(delivery.over), inside(delivery.under))).collect()
                })
                .expect("within limits");
            let found: Vec<_> = explored.into_iter().flatten().flatten().collect();
            for (number, flow) in flows.iter().enumerate() {
                for world in [World::Over, World::Under] {
                    compared += 1;
                    let by_reach = symbolic(&found, number, world);
                    let by_trace: BTreeSet<Sink> =
                        delivers(&network, world, place, flow).into_keys().collect();
                    let vague = by_trace.iter().any(|sink| matches!(sink, Sink::Component(_)));
                    let agree = if vague { by_reach.is_subset(&by_trace) } else { by_reach == by_trace };
                    if !agree {
                        wrong.push(format!(
                            "{} {world:?} {place:?} {flow:?}: reach {by_reach:?}, trace {by_trace:?}",
                            scenario.name()
                        ));
                    }
                }
            }
        }
    }
    println!("{compared} headers compared on both evaluators, {} differ", wrong.len());
    assert!(
        wrong.is_empty(),
        "{} of {compared} differ:\n{}",
        wrong.len(),
        wrong.iter().take(40).cloned().collect::<Vec<_>>().join("\n")
    );
}

/// The sinks whose reply comes back, according to `reach`, for each header and world.
type Replies = Vec<(Sink, BTreeSet<usize>, BTreeSet<usize>)>;

#[test]
fn trace_and_reach_agree_on_replies() {
    let (mut compared, mut wrong) = (0_usize, Vec::new());
    for scenario in corpus() {
        let Ok(snapshot) = load(scenario.inputs()) else { continue };
        let Ok(network) = Network::build(&snapshot, Options::default()) else { continue };
        let reach = Reach::of(&network);
        for (place, source) in sources(&network) {
            let flows = flows(&destinations(&network), source);
            let explored = reach
                .explore(&classes(&network, &[place]), &Request::of(Question::Connection), |mut explored| {
                    if explored.family != Family::of(source) {
                        return Replies::new();
                    }
                    let rows = explored.deliveries().into_iter();
                    let inside = |set| {
                        let holds =
                            |(_, flow): &(usize, &Flow)| explored.arena.contains(set, &Header::of(flow));
                        flows
                            .iter()
                            .enumerate()
                            .filter(holds)
                            .map(|(number, _)| number)
                            .collect::<BTreeSet<usize>>()
                    };
                    rows.map(|row| (row.sink, inside(row.answered_over), inside(row.answered_under)))
                        .collect()
                })
                .expect("within limits");
            let found: Replies = explored.into_iter().flatten().flatten().collect();
            for (number, flow) in flows.iter().enumerate() {
                for world in [World::Over, World::Under] {
                    let by_trace = delivers(&network, world, place, flow);
                    if by_trace
                        .keys()
                        .any(|sink| matches!(sink, Sink::Component(_) | Sink::Infrastructure(_)))
                    {
                        continue;
                    }
                    compared += 1;
                    let answered = |row: &&(Sink, BTreeSet<usize>, BTreeSet<usize>)| match world {
                        World::Over => row.1.contains(&number),
                        World::Under => row.2.contains(&number),
                    };
                    let by_reach: BTreeSet<Sink> = found.iter().filter(answered).map(|row| row.0).collect();
                    let yes = by_trace.into_iter().filter(|(_, answered)| *answered == Answered::Yes);
                    let by_trace: BTreeSet<Sink> = yes.map(|(sink, _)| sink).collect();
                    if by_reach != by_trace {
                        wrong.push(format!(
                            "{} {world:?} {place:?} {flow:?}: reach {by_reach:?}, trace {by_trace:?}",
                            scenario.name()
                        ));
                    }
                }
            }
        }
    }
    println!("{compared} replies compared on both evaluators, {} differ", wrong.len());
    let shown = wrong.iter().take(40).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} of {compared} differ:\n{shown}", wrong.len());
}
