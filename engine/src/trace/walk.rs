//! All ways of one packet in one world, to their ends.

use std::collections::BTreeMap;

use reachproof_model::flow::World;

use super::Tracer;
use super::leg::{Branch, Leg, Notes};
use super::packet::Packet;
use super::place::{Place, State};
use crate::evidence::{Disposition, Hop, Walk};
use crate::network::{GatewayKind, Origin, Sink, SourcePlace};

/// Every way of a packet, as a tree: a node a state, in the order in which they were found.
#[derive(Debug, Default)]
pub(super) struct Ways {
    nodes: Vec<Node>,
    /// How they end, in the order in which they were found.
    pub(super) ends: Vec<End>,
}

#[derive(Debug)]
struct Node {
    parent: Option<usize>,
    hops: Vec<Hop>,
    notes: Notes,
    state: State,
}

/// The end of one way.
#[derive(Debug)]
pub(super) struct End {
    parent: Option<usize>,
    hops: Vec<Hop>,
    notes: Notes,
    pub(super) state: State,
    pub(super) disposition: Disposition,
    pub(super) sink: Option<Sink>,
}

impl Ways {
    /// What one way rests on.
    pub(super) fn notes(&self, end: &End) -> Notes {
        let mut notes = end.notes.clone();
        for node in self.ancestors(end.parent) {
            notes.add(&node.notes);
        }
        notes
    }

    /// One way, for people.
    pub(super) fn walk(&self, end: &End) -> Walk {
        let mut pieces: Vec<&[Hop]> = self.ancestors(end.parent).map(|node| node.hops.as_slice()).collect();
        pieces.reverse();
        pieces.push(&end.hops);
        let mut hops: Vec<Hop> = Vec::new();
        for hop in pieces.into_iter().flatten() {
            match hops.last_mut().filter(|last| last.node == hop.node && last.kind == hop.kind) {
                Some(last) => {
                    last.decisions.extend(hop.decisions.iter().cloned());
                    last.header = hop.header;
                }
                None => hops.push(hop.clone()),
            }
        }
        Walk { disposition: end.disposition, sink: end.sink, hops }
    }

    /// The way that failed last: the one with the most hops, then the first. A loop only if nothing else failed.
    pub(super) fn furthest(&self) -> Option<&End> {
        let mut best: Option<(&End, (bool, usize))> = None;
        for end in self.ends.iter().filter(|end| end.sink.is_none()) {
            let key = (end.disposition != Disposition::Loop, self.walk(end).hops.len());
            if best.is_none_or(|(_, other)| key > other) {
                best = Some((end, key));
            }
        }
        best.map(|(end, _)| end)
    }

    fn ancestors(&self, from: Option<usize>) -> impl Iterator<Item = &Node> {
        let node = |position: Option<usize>| position.and_then(|position| self.nodes.get(position));
        std::iter::successors(node(from), move |it| node(it.parent))
    }

    fn has_ancestor(&self, from: usize, state: &State) -> bool {
        self.ancestors(Some(from)).any(|node| node.state == *state)
    }

    fn finish(&mut self, parent: Option<usize>, leg: Leg, disposition: Disposition, sink: Option<Sink>) {
        let Leg { state, hops, notes, .. } = leg;
        self.ends.push(End { parent, hops, notes, state, disposition, sink });
    }
}

impl Tracer<'_, '_> {
    /// R-CORE-7: follows every branch until it ends or comes to a state that was there before, or until there is an end
    /// after which no other matters: behind a component there are as many as there are interfaces. There is no bound on
    /// the number of hops: states are finitely many.
    pub(super) fn explore_until(&self, start: Vec<Branch>, enough: impl Fn(&End) -> bool) -> Ways {
        let mut ways = Ways::default();
        let mut seen = BTreeMap::new();
        self.extend(&mut ways, &mut seen, None, start);
        let (mut next, mut judged) = (0, 0);
        while !ways.ends.iter().skip(judged).any(&enough)
            && let Some(state) = ways.nodes.get(next).map(|node| node.state.clone())
        {
            judged = ways.ends.len();
            let branches = self.step(Leg::new(state, self.example));
            self.extend(&mut ways, &mut seen, Some(next), branches);
            next += 1;
        }
        ways
    }

    fn extend(
        &self,
        ways: &mut Ways,
        seen: &mut BTreeMap<State, usize>,
        parent: Option<usize>,
        branches: Vec<Branch>,
    ) {
        for Branch { leg, end } in branches {
            if let Some((disposition, sink)) = end {
                ways.finish(parent, leg, disposition, sink);
            } else if !seen.contains_key(&leg.state) {
                seen.insert(leg.state.clone(), ways.nodes.len());
                let Leg { state, hops, notes, .. } = leg;
                ways.nodes.push(Node { parent, hops, notes, state });
            } else if parent.is_some_and(|parent| ways.has_ancestor(parent, &leg.state)) {
                ways.finish(parent, leg, Disposition::Loop, None);
            }
        }
    }

    /// One place, one function.
    fn step(&self, leg: Leg) -> Vec<Branch> {
        match leg.state.place {
            Place::Sending { interface, by_component } => self.send(leg, interface, by_component),
            Place::Arriving { interface, from, waived } => self.receive(leg, interface, from, waived),
            Place::Neighbour(interface) => self.neighbour(leg, interface),
            Place::Inside(subnet) => self.leave(leg, subnet, None),
            Place::Table { choice, vpc, from, entry } => self.table(leg, choice, vpc, from, entry),
            Place::Router { vpc, from } => self.deliver(leg, vpc, from),
            Place::InternetGateway { gateway, from, translated } => {
                self.internet_gateway(leg, gateway, from, translated)
            }
            Place::EgressOnly { gateway, from } => self.egress_only(leg, gateway, from),
            Place::Internet => self.internet(leg),
            Place::VirtualOut(gateway) => self.virtual_out(leg, gateway),
            Place::VirtualIn(gateway) => self.virtual_in(leg, gateway),
            Place::Nat { nat, from } => self.nat(leg, nat, from),
            Place::NatReturn { nat, from } => self.nat_return(leg, nat, from),
            Place::Transit { tgw, vpc, from } => self.transit(leg, tgw, vpc, from),
            Place::LookUp(attachment) => self.look_up(leg, attachment),
            Place::TransitExit { attachment, ingress } => self.transit_exit(leg, attachment, ingress),
            Place::Peering { peering, vpc } => self.peering(leg, peering, vpc),
            Place::Service(endpoint) => self.service(leg, endpoint),
            Place::Appliance { interface, from, pool } => self.appliance(leg, interface, from, pool),
            Place::Component(component) => self.component(leg, component),
        }
    }

    /// R-VERDICT-5: from a source.
    pub(super) fn inject(&self, from: SourcePlace, packet: Packet) -> Vec<Branch> {
        let leg = |place, origin| Leg::new(State::new(place, packet, origin), self.example);
        let at = |place, origin| vec![leg(place, origin).to(place)];
        let outside = leg(Place::Internet, Origin::Internet);
        match from {
            SourcePlace::Interface(interface) => {
                at(Place::Sending { interface, by_component: false }, Origin::Local)
            }
            SourcePlace::Internet => self.sent_on_internet(outside.clone()),
            SourcePlace::Gateway(gateway) => match self.network.gateways()[gateway].kind {
                GatewayKind::Virtual => {
                    self.and_anywhere(&outside, at(Place::VirtualIn(gateway), Origin::Virtual))
                }
                GatewayKind::Internet | GatewayKind::EgressOnly => at(Place::Internet, Origin::Internet),
            },
            SourcePlace::Attachment(attachment) => {
                let start =
                    Leg::new(State::new(Place::LookUp(attachment), packet, Origin::Transit), self.example);
                self.and_anywhere(&outside, self.sent_by_attachment(start, attachment))
            }
            SourcePlace::Peer(peering) => {
                self.and_anywhere(&outside, self.sent_by_peer(outside.clone(), peering))
            }
            SourcePlace::Component(component) => self.sent_by_component(outside, component),
        }
    }

    /// A sender outside the snapshot may also be whoever enters a component from anywhere.
    fn and_anywhere(&self, outside: &Leg, mut branches: Vec<Branch>) -> Vec<Branch> {
        if self.world == World::Over {
            branches.extend(self.enter_all(outside, &self.entered_from_anywhere()));
        }
        branches
    }
}
