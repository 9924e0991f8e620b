//! One network, some headers of each source, both evaluators.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use reachproof_engine::header::{Family, Header};
use reachproof_engine::network::{Network, Sink, SourcePlace};
use reachproof_engine::reach::{Explored, Reach, Request, SourceClass, classes};
use reachproof_engine::trace::{Answered, delivers_up_to_components};
use reachproof_model::flow::{Flow, Question, World};

/// Headers to compare, by the source that sends them.
pub(crate) type Questions = BTreeMap<SourcePlace, Vec<Flow>>;

/// What was compared, and what differs.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    pub(crate) networks: usize,
    /// Headers in one world, whether they arrive; and how many of them do, somewhere.
    pub(crate) packets: [usize; 2],
    /// Headers in one world, whether the reply comes back; and how many of them have one.
    pub(crate) replies: [usize; 2],
    pub(crate) wrong: Vec<String>,
}

impl Comparison {
    pub(crate) fn add(&mut self, other: Self) {
        self.networks += other.networks;
        for (sum, part) in
            self.packets.iter_mut().chain(&mut self.replies).zip(other.packets.iter().chain(&other.replies))
        {
            *sum += part;
        }
        self.wrong.extend(other.wrong);
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ([packets, arrived], [replies, answered]) = (self.packets, self.replies);
        write!(
            f,
            "{} networks; {packets} headers compared ({arrived} arrive), {replies} replies compared ({answered} come back), \
             {} differ",
            self.networks,
            self.wrong.len()
        )
    }
}

/// The sinks of one header in one world: those that it arrives at, and those that answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Found {
    arrives: BTreeSet<Sink>,
    answered: BTreeSet<Sink>,
}

impl Found {
    /// Without what only a convention decides, and what no answer shows: whether what a component sends comes back to
    /// it, and whether an interface hears its own packets to a link-local address, which is nobody's in particular.
    fn without_home(mut self, place: SourcePlace, flow: &Flow) -> Self {
        let home = match (place, flow.destination) {
            (SourcePlace::Component(id), _) => Sink::Component(id),
            (SourcePlace::Interface(id), IpAddr::V6(ip)) if ip.is_unicast_link_local() => Sink::Interface(id),
            _ => return self,
        };
        self.arrives.remove(&home);
        self.answered.remove(&home);
        self
    }
}

/// What `reach` finds, by the number of the header in the list of its source.
type Symbolic = BTreeMap<(SourcePlace, usize, World), Found>;

const WORLDS: [World; 2] = [World::Over, World::Under];

/// Compares all questions, and describes each difference.
pub(crate) fn compare(network: &Network<'_>, questions: &Questions) -> Comparison {
    let symbolic = symbolic(network, questions);
    let mut comparison = Comparison { networks: 1, ..Comparison::default() };
    for (place, flows) in questions {
        for (number, flow) in flows.iter().enumerate() {
            for world in WORLDS {
                let by_reach = symbolic.get(&(*place, number, world)).cloned().unwrap_or_default();
                let by_trace = concrete(network, world, *place, flow);
                let inexact = by_reach.arrives.iter().any(|sink| is_inexact(network, *sink));
                let found = [by_reach, by_trace].map(|found| found.without_home(*place, flow));
                judge(&mut comparison, &found, inexact, &format!("{world:?} {place:?} {flow:?}"));
            }
        }
    }
    comparison
}

/// Whether only one evaluator has this sink: the private side of a regional NAT gateway, whose source addresses are not
/// documented, is a component to `reach`, and a packet with any source to `trace`.
fn is_inexact(network: &Network<'_>, sink: Sink) -> bool {
    let Sink::Component(component) = sink else { return false };
    let id = &network.components()[component].id;
    network.snapshot.nat_gateways.values().any(|nat| nat.meta.id == **id)
}

/// Counts one header and describes how the findings differ. Those that are `inexact` are left out.
fn judge(comparison: &mut Comparison, [by_reach, by_trace]: &[Found; 2], inexact: bool, question: &str) {
    if inexact {
        return;
    }
    comparison.packets[0] += 1;
    comparison.packets[1] += usize::from(!by_trace.arrives.is_empty());
    if by_reach.arrives != by_trace.arrives {
        let (reach, trace) = (&by_reach.arrives, &by_trace.arrives);
        comparison.wrong.push(format!("{question}: reach {reach:?}, trace {trace:?}"));
    }
    comparison.replies[0] += 1;
    comparison.replies[1] += usize::from(!by_trace.answered.is_empty());
    if by_reach.answered != by_trace.answered {
        let (reach, trace) = (&by_reach.answered, &by_trace.answered);
        comparison.wrong.push(format!("{question}: replies: reach {reach:?}, trace {trace:?}"));
    }
}

fn concrete(network: &Network<'_>, world: World, place: SourcePlace, flow: &Flow) -> Found {
    let ends = delivers_up_to_components(network, world, place, flow);
    let answered =
        ends.iter().filter(|(_, answered)| **answered == Answered::Yes).map(|(sink, _)| *sink).collect();
    Found { arrives: ends.into_keys().collect(), answered }
}

/// Explores all sources at once, those that no rule can tell apart together.
fn symbolic(network: &Network<'_>, questions: &Questions) -> Symbolic {
    let places: Vec<SourcePlace> = questions.keys().copied().collect();
    let reach = Reach::of(network);
    let found =
        reach.explore(&classes(network, &places), &Request::of(Question::Connection), |mut explored| {
            let sources = members(explored.source);
            sources
                .into_iter()
                .flat_map(|place| of_source(&mut explored, place, &questions[&place]))
                .collect::<Vec<_>>()
        });
    let mut symbolic = Symbolic::new();
    for (key, found) in found.expect("within limits").into_iter().flatten().flatten() {
        let known = symbolic.entry(key).or_default();
        known.arrives.extend(found.arrives);
        known.answered.extend(found.answered);
    }
    symbolic
}

fn members(class: &SourceClass) -> Vec<SourcePlace> {
    if class.members.is_empty() {
        vec![class.place]
    } else {
        class.members.iter().map(|id| SourcePlace::Interface(*id)).collect()
    }
}

fn of_source(
    explored: &mut Explored<'_>,
    place: SourcePlace,
    flows: &[Flow],
) -> Vec<((SourcePlace, usize, World), Found)> {
    let mut rows = Vec::new();
    let deliveries = explored.deliveries();
    for (number, flow) in flows.iter().enumerate() {
        if explored.family != Family::of(flow.source) {
            continue;
        }
        let header = Header::of(flow);
        for world in WORLDS {
            let mut found = Found::default();
            for row in &deliveries {
                let (arrives, answered) = match world {
                    World::Over => (row.over, row.answered_over),
                    World::Under => (row.under, row.answered_under),
                };
                if explored.arena.contains(arrives, &header) {
                    found.arrives.insert(row.sink);
                }
                if explored.arena.contains(answered, &header) {
                    found.answered.insert(row.sink);
                }
            }
            rows.push(((place, number, world), found));
        }
    }
    rows
}
