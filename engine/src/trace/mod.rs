//! One packet, hop by hop: the specification that every other evaluator is tested against.
//!
//! [`trace`] walks one concrete header through a [`Network`] in both [`World`]s and shows the deciding walk;
//! [`delivers`] tells every end that a packet may come to in one world. Each rule of the semantics is one small
//! function that cites its id; rules are found by scanning, routes by comparing all that match.
//!
//! In the permissive world every branch is followed and one good end suffices. In the restrictive world the only
//! branches are choices that AWS makes (addresses and ports of NAT gateways, equal VPN paths), and *all* of them must
//! end well.
//!
//! INVARIANT (wild fields): a header field is `packet::Field::Any` only in the permissive world and only after a
//! component, or a translation that nobody can know, has had the packet; then its memory is opaque.

#![expect(
    clippy::indexing_slicing,
    reason = "INVARIANT (snapshot ids dense): every index is an id of its own table"
)]

mod component;
mod filter;
mod gateway;
mod interface;
mod internet;
mod leg;
mod nat;
mod packet;
mod place;
mod reply;
mod route;
#[cfg(test)]
mod tests;
mod transit;
mod verdict;
mod walk;

use std::collections::{BTreeMap, BTreeSet};

use reachproof_model::flow::{Flow, Protocol, Question, World};
use reachproof_model::id::EniId;
use reachproof_model::traffic::Traffic;

use crate::evidence::Trace;
use crate::network::{Network, Sink, SourcePlace};

/// One question about one packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Query {
    /// Where it is sent from.
    pub from: SourcePlace,
    /// Its header there.
    pub flow: Flow,
    /// Where it must end; `None`: anywhere but in a drop.
    pub goal: Option<Sink>,
    /// Whether the reply counts.
    pub question: Question,
}

/// Whether the reply to a delivered packet comes back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Answered {
    /// It does.
    Yes,
    /// It does not.
    No,
}

/// Answers one question, with the walk that decides it.
///
/// `Reaches` iff in the restrictive world every choice of AWS ends at the goal (and is answered, if asked);
/// `Blocked` iff in the permissive world no branch does; `Unknown` otherwise. With [`crate::network::Options::strict`] a verdict that
/// rests on missing calls or inventories is `Unknown` too (R-DATA-10).
pub fn trace(network: &Network<'_>, query: &Query) -> Trace {
    verdict::decide(network, query)
}

/// Every end of the packet in one world, with whether its reply comes back in that world.
///
/// In `Over`: every sink that some branch comes to. In `Under`: the one sink that all branches come to, if there is one,
/// or each of those that equal paths lead to (R-TGW-7); answered iff every branch is.
pub fn delivers(
    network: &Network<'_>,
    world: World,
    from: SourcePlace,
    flow: &Flow,
) -> BTreeMap<Sink, Answered> {
    every_end(&Tracer::new(network, world, from, flow, Question::Connection))
}

/// As [`delivers`], but what an unmodelled component takes in does not come out again: up to there both evaluators know
/// every field of the packet, so that their findings can be compared exactly.
pub fn delivers_up_to_components(
    network: &Network<'_>,
    world: World,
    from: SourcePlace,
    flow: &Flow,
) -> BTreeMap<Sink, Answered> {
    let tracer = Tracer::new(network, world, from, flow, Question::Connection);
    every_end(&Tracer { beyond_components: false, ..tracer })
}

fn every_end(tracer: &Tracer<'_, '_>) -> BTreeMap<Sink, Answered> {
    let found = ends(tracer);
    if tracer.world == World::Over || found.len() < 2 {
        return found;
    }
    let mut certain = BTreeMap::new();
    for goal in found.into_keys() {
        let chosen = ends(&Tracer { goal: Some(goal), ..tracer.clone() });
        certain.extend(chosen.iter().filter(|(sink, _)| **sink == goal && chosen.len() == 1));
    }
    certain
}

/// Every end of the packet; of equal paths one that leads to the goal, if there is one.
fn ends(tracer: &Tracer<'_, '_>) -> BTreeMap<Sink, Answered> {
    let ways = tracer.forward();
    let mut found = BTreeMap::new();
    for end in tracer.good_ends(&ways) {
        let Some(sink) = end.sink else { continue };
        let answered = tracer.is_answered(&tracer.reply(end));
        let known = found.entry(sink).or_insert(answered);
        *known = match tracer.world {
            World::Over => *known || answered,
            World::Under => *known && answered,
        };
    }
    found
        .into_iter()
        .map(|(sink, answered)| (sink, if answered { Answered::Yes } else { Answered::No }))
        .collect()
}

/// What a walk needs to know besides where the packet is.
#[derive(Clone)]
struct Tracer<'n, 's> {
    network: &'n Network<'s>,
    world: World,
    sender: SourcePlace,
    /// Whether what a component takes in comes out again.
    beyond_components: bool,
    /// The header that was sent; it fills what a component chose where a header is shown.
    example: Flow,
    /// Where the packet is meant to end: of equal paths the one that leads there is shown (R-TGW-7).
    goal: Option<Sink>,
    /// The header of the answer, as the sender must see it; `None` if nothing answers (R-CONN-5).
    expected: Option<Flow>,
    /// R-NAT-2: source ports that a NAT gateway may choose, one of each class that no filter tells apart.
    mapped_ports: Vec<u16>,
}

impl<'n, 's> Tracer<'n, 's> {
    fn new(
        network: &'n Network<'s>,
        world: World,
        sender: SourcePlace,
        flow: &Flow,
        question: Question,
    ) -> Self {
        let mapped_ports = mapped_ports(network, question);
        let (example, expected) = (*flow, flow.reply());
        Self { network, world, sender, beyond_components: true, example, goal: None, expected, mapped_ports }
    }

    fn name(&self, interface: EniId) -> &'s str {
        &self.network.interface(interface).meta.id
    }
}

/// R-NAT-2, R-CONN-6: the lowest port of each class of 1024 … 65535. Policy tables look at the source port of a packet,
/// network ACLs at the destination port of its reply.
fn mapped_ports(network: &Network<'_>, question: Question) -> Vec<u16> {
    const LOWEST: u16 = 1024;
    let mut starts = BTreeSet::from([LOWEST]);
    let mut cut = |from: u16, to: u16| starts.extend([Some(from), to.checked_add(1)].into_iter().flatten());
    for entry in network.snapshot.policy_tables.values().flat_map(|table| table.entries.iter().flatten()) {
        for (from, to) in entry.source_ports.into_iter().chain(entry.ports) {
            cut(from, to);
        }
    }
    if question == Question::Connection {
        for entry in network.snapshot.acls.values().flat_map(|acl| &acl.entries) {
            if let Traffic::Ports { protocol: Protocol::TCP | Protocol::UDP, from, to } = entry.traffic {
                cut(from, to);
            }
        }
    }
    starts.into_iter().filter(|port| *port >= LOWEST).collect()
}
