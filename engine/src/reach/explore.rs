//! The least fixpoint: which sent headers get to which place.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use reachproof_model::flow::World;
use reachproof_model::id::{ComponentId, EniId, GroupId, Ref, VpcId};
use reachproof_model::snapshot::Exit;

use super::aim::Aim;
use super::class::{Kind, SourceClass};
use super::filter::{FilterKey, FilterView};
use super::index::{Index, ReceiversId};
use super::open::{Door, Gate, Opened};
use super::read::Reads;
use super::state::{Crossed, Place, State};
use super::view::{Address, Intervals, View};
use crate::header::{Arena, Family, HeaderBox, Set};
use crate::network::{GatewayId, Network, Sink, SourcePlace};

/// Diagram nodes that a worker carries from one source to the next.
const NODES_KEPT: u64 = 2_000_000;

/// Interfaces with addresses by which packets may come in.
pub(super) type Doors = Rc<[(EniId, Intervals)]>;

/// Where packets that took one way arrived.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Arrival {
    pub(crate) sink: Sink,
    /// The class that received, each member what is for it; `sink` is its first.
    pub(crate) alike: Option<ReceiversId>,
    /// The packet at the sink.
    pub(crate) state: State,
}

/// The headers that got to a place.
#[derive(Clone, Copy)]
pub(super) struct Visit {
    pub(super) all: Set,
    /// Those that were not followed on from there yet.
    fresh: Set,
}

/// What a reply must come back to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Goal {
    pub(crate) place: SourcePlace,
}

/// Explorations of one family, one after the other; compiled filters and diagrams are kept from each to the next.
pub(crate) struct Explorer<'i, 'n, 's> {
    pub(super) index: &'i Index<'n, 's>,
    pub(super) world: World,
    /// Family of the sent headers.
    pub(super) family: Family,
    pub(crate) arena: Arena,
    pub(super) filters: BTreeMap<(World, FilterKey, FilterView), Set>,
    /// The headers for the addresses of each class of receivers, as far as they were asked for.
    pub(super) addressed: BTreeMap<ReceiversId, Set>,
    /// By which addresses IPv6 may come in by a gateway, in a world and of packets or replies.
    pub(super) doors_v6: BTreeMap<(GatewayId, World, bool), Doors>,
    /// AWS ids that no packet may pass or end at (`only-through`).
    pub(super) avoid: BTreeSet<Box<str>>,
    /// Whether any of them is an interface's.
    pub(super) avoids_interfaces: bool,
    /// The interfaces that send, when the source is a class of them.
    pub(super) senders: Vec<EniId>,
    /// The components that send, when the source is several of them.
    pub(super) components: Vec<ComponentId>,
    /// What they have in common.
    pub(super) kind: Kind,
    /// What the exploration is for, where that is less than everything.
    pub(super) aim: Option<Arc<Aim>>,
    /// The VPCs in which what comes as it was sent matters to it.
    pub(super) aimed_vpcs: BTreeSet<VpcId>,
    /// Whether replies may be asked for, so that a packet must tell how it left.
    pub(super) follows_replies: bool,
    /// Whether what arrives as it was sent is wanted where interfaces send to each other's own addresses.
    pub(super) wants_as_sent: bool,
    /// Whether an invariant is wanted rather than deliveries.
    pub(super) certifying: bool,
    visited: BTreeMap<State, Visit>,
    queue: VecDeque<State>,
    pub(super) arrivals: BTreeMap<Arrival, Set>,
    pub(super) goal: Option<Goal>,
    /// Sent headers whose reply came back.
    pub(super) answered: Set,
    /// What is found by an exploration that leaves the filters of groups out.
    pub(super) open: Option<Opened>,
    /// Which lists and tables were read since they were last taken.
    pub(super) reads: Reads,
}

impl<'i, 'n, 's> Explorer<'i, 'n, 's> {
    pub(super) fn new(index: &'i Index<'n, 's>, family: Family) -> Self {
        Self {
            index,
            world: World::Over,
            family,
            arena: Arena::new(family).with_limit(index.network.options.nodes.0),
            filters: BTreeMap::new(),
            addressed: BTreeMap::new(),
            doors_v6: BTreeMap::new(),
            avoid: BTreeSet::new(),
            avoids_interfaces: false,
            senders: Vec::new(),
            components: Vec::new(),
            kind: Kind::Alike,
            aim: None,
            aimed_vpcs: BTreeSet::new(),
            follows_replies: true,
            wants_as_sent: true,
            certifying: false,
            visited: BTreeMap::new(),
            queue: VecDeque::new(),
            arrivals: BTreeMap::new(),
            goal: None,
            answered: Set::EMPTY,
            open: None,
            reads: Reads::default(),
        }
    }

    /// The network explored.
    pub(super) fn network(&self) -> &'n Network<'s> {
        self.index.network
    }

    /// Every sent header, as a box.
    pub(super) fn all(&self) -> HeaderBox {
        HeaderBox::full(self.family)
    }

    /// Every header in the permissive world, none in the restrictive one.
    pub(super) fn permissively(&self) -> Set {
        if self.world == World::Over { Set::FULL } else { Set::EMPTY }
    }

    /// Lets no packet pass or end at the places with these AWS ids.
    pub(super) fn avoid_all(&mut self, ids: &BTreeSet<Box<str>>) {
        if self.avoid != *ids {
            self.avoid.clone_from(ids);
            let interfaces = self.network().snapshot.interfaces.values();
            self.avoids_interfaces = interfaces.map(|row| &row.meta.id).any(|id| self.avoid.contains(&**id));
        }
    }

    /// The headers of a class that matter to what the exploration is for.
    pub(super) fn aimed(&mut self, source: &SourceClass) -> Set {
        let Some(aim) = self.aim.clone() else { return Set::FULL };
        self.aimed_vpcs.extend(aim.vpcs(self.network(), source));
        let destinations = aim.destinations(self.network(), source, self.family);
        self.among(&View::sent(self.family), Address::Destination, &destinations)
    }

    /// Whether it matters what an interface receives; of replies it always does.
    pub(super) fn is_aimed_at(&self, interface: EniId) -> bool {
        self.replying() || self.aim.as_ref().is_none_or(|aim| aim.is_at(interface))
    }

    /// The same of any of a class of receivers.
    pub(super) fn is_aimed_at_any(&self, receivers: ReceiversId) -> bool {
        self.replying() || self.aim.as_ref().is_none_or(|aim| aim.is_at_any(receivers))
    }

    /// Whether it matters what comes to the interfaces of a VPC.
    pub(super) fn is_aimed_at_vpc(&self, vpc: VpcId, state: &State) -> bool {
        let as_sent = state.view == View::sent(state.view.sent);
        self.replying() || self.aim.is_none() || !as_sent || self.aimed_vpcs.contains(&vpc)
    }

    /// Whether it matters what is sent to a public IPv4 address.
    pub(super) fn is_aimed_at_public(&self, public: u128) -> bool {
        self.replying() || self.aim.as_ref().is_none_or(|aim| aim.is_at_public(public))
    }

    /// Whether it matters what is sent to addresses of an interface in a VPC.
    pub(super) fn is_aimed_at_address(&self, interface: EniId, vpc: VpcId, own: &[(u128, u128)]) -> bool {
        self.is_aimed_at(interface) || self.aim.as_ref().is_none_or(|aim| aim.is_at_address(vpc, own))
    }

    fn is_aimed_at_sink(&self, sink: Sink) -> bool {
        match (sink, &self.aim) {
            (Sink::Component(id), Some(aim)) => self.replying() || aim.is_at_component(id),
            _ => true,
        }
    }

    /// Which headers got to which place.
    pub(super) fn visited(&self) -> &BTreeMap<State, Visit> {
        &self.visited
    }

    /// Forgets where packets got to, keeps the compiled filters.
    pub(super) fn reset(&mut self) {
        self.visited.clear();
        self.queue.clear();
        self.arrivals.clear();
        self.answered = Set::EMPTY;
    }

    /// Starts afresh where the diagrams have grown large; answers do not depend on it.
    pub(super) fn forget_if_large(&mut self) {
        if self.arena.counters().nodes > NODES_KEPT {
            self.forget();
        }
    }

    /// Starts afresh, as after [`Explorer::new`].
    pub(super) fn forget(&mut self) {
        self.arena = Arena::new(self.family).with_limit(self.network().options.nodes.0);
        self.filters.clear();
        self.addressed.clear();
    }

    /// Runs to the least fixpoint. Every place is visited again only with headers that are new there, and there are
    /// finitely many places, views and sets, so no hop bound is needed (R-CORE-7).
    pub(super) fn run(&mut self) {
        while let Some(state) = self.queue.pop_front() {
            if let Some(visit) = self.visited.get_mut(&state) {
                let fresh = std::mem::replace(&mut visit.fresh, Set::EMPTY);
                self.step(&state, fresh);
            }
        }
    }

    /// Sends headers to a place.
    pub(super) fn push(&mut self, state: State, set: Set) {
        if set.is_empty() {
            return;
        }
        let Some(visit) = self.visited.get_mut(&state) else {
            self.visited.insert(state.clone(), Visit { all: set, fresh: set });
            return self.queue.push_back(state);
        };
        let fresh = self.arena.difference(set, visit.all);
        if fresh.is_empty() {
            return;
        }
        visit.all = self.arena.union(visit.all, fresh);
        let waiting = !visit.fresh.is_empty();
        visit.fresh = self.arena.union(visit.fresh, fresh);
        if !waiting {
            self.queue.push_back(state);
        }
    }

    /// Records headers that arrived at a sink.
    pub(super) fn arrive(&mut self, sink: Sink, state: &State, set: Set) {
        if set.is_empty() || self.avoids_sink(sink) || !self.is_aimed_at_sink(sink) {
            return;
        }
        if self.replying() {
            return self.reply_unseen(sink, set);
        }
        if self.open.is_some() {
            return if let Sink::Interface(id) = sink {
                self.note(Door::Interface(id), state, set)
            };
        }
        self.record(Arrival { sink, alike: None, state: state.clone() }, set);
    }

    pub(super) fn record(&mut self, arrival: Arrival, set: Set) {
        let before = self.arrivals.get(&arrival).copied().unwrap_or(Set::EMPTY);
        let now = self.arena.union(before, set);
        self.arrivals.insert(arrival, now);
    }

    fn step(&mut self, state: &State, set: Set) {
        match state.place {
            Place::Send(interface) => self.send(interface, state, set),
            Place::Leave(subnet) => self.leave(subnet, state, set),
            Place::Route { table, vpc, from } => self.route(table, vpc, from, state, set),
            Place::Deliver { vpc, from } => self.deliver(vpc, from, state, set),
            Place::Receive { interface, routed } => self.receive(interface, routed, state, set),
            Place::ReceiveAlike(receivers) => self.receive_alike(receivers, state, set),
            Place::Out { gateway, vpc, from } => self.gateway_out(gateway, vpc, from, state, set),
            Place::Internet if self.enters_portal(Gate::Internet, state, set) => {}
            Place::Internet => self.internet(state, set),
            Place::In { gateway } => self.gateway_in(gateway, state, set),
            Place::Pool { table } => self.pool(table, state, set),
            Place::Nat { nat, vpc, from } => self.nat(nat, vpc, from, state, set),
            Place::Translated { nat, vpc } => self.translated(nat, vpc, state, set),
            Place::Transit { by } if self.enters_portal(Gate::In(by), state, set) => {}
            Place::Transit { by } => self.look_up(by, state, set),
            Place::Table(table) => self.in_known_table(table, state, set),
            Place::Exit { by, to } => self.exit(by, to, state, set),
        }
    }

    /// The sent headers whose seen address is in one of the intervals.
    pub(super) fn among(&mut self, view: &View, address: Address, intervals: &[(u128, u128)]) -> Set {
        if let Address::Fixed(value) = address {
            let inside = intervals.iter().any(|(lo, hi)| (*lo..=*hi).contains(&value));
            return if inside { Set::FULL } else { Set::EMPTY };
        }
        let all = self.all();
        let boxes: Vec<HeaderBox> =
            intervals.iter().filter_map(|(lo, hi)| view.narrow(all, address, *lo, *hi)).collect();
        match boxes.as_slice() {
            [only] => self.arena.from_box(only),
            _ => self.arena.any_of(&boxes),
        }
    }

    /// The part of a set whose seen address is in one of the intervals.
    pub(super) fn keep(
        &mut self,
        set: Set,
        view: &View,
        address: Address,
        intervals: &[(u128, u128)],
    ) -> Set {
        let among = self.among(view, address, intervals);
        self.arena.intersection(set, among)
    }

    /// The part of a set whose seen address is in none of the intervals.
    pub(super) fn without(
        &mut self,
        set: Set,
        view: &View,
        address: Address,
        intervals: &[(u128, u128)],
    ) -> Set {
        let among = self.among(view, address, intervals);
        self.arena.difference(set, among)
    }

    /// The values that a seen address takes in a set.
    pub(super) fn values(&self, set: Set, address: Address) -> Intervals {
        match address {
            Address::Fixed(value) => vec![(value, value)],
            Address::Destination => self.arena.project(set, crate::header::Field::Destination),
            Address::Source => self.arena.project(set, crate::header::Field::Source),
            Address::Embedded => {
                let sent = self.arena.project(set, crate::header::Field::Destination);
                let low =
                    |value: u128| value.saturating_sub(super::view::NAT64_BASE).min(u128::from(u32::MAX));
                sent.into_iter().map(|(lo, hi)| (low(lo), low(hi))).collect()
            }
        }
    }

    /// The groups that receivers see on packets from an exit of a component.
    pub(super) fn hidden_groups(&self, component: ComponentId, exit: u16) -> &'n [Ref<GroupId>] {
        match self.network().components()[component].exits.get(usize::from(exit)) {
            Some(Exit::HiddenInterface { groups, .. }) => groups,
            _ => &[],
        }
    }

    /// Whether packets may not pass the place with this AWS id.
    pub(super) fn avoids(&self, id: &str) -> bool {
        self.avoid.contains(id)
    }

    fn avoids_sink(&self, sink: Sink) -> bool {
        let snapshot = self.network().snapshot;
        match sink {
            Sink::Interface(id) => self.avoids(&snapshot.interfaces[id].meta.id),
            Sink::Service(id) => self.avoids(&snapshot.endpoints[id].meta.id),
            _ => false,
        }
    }

    /// Whether this exploration follows a reply.
    pub(super) fn replying(&self) -> bool {
        self.goal.is_some()
    }

    /// The last NAT gateway of a list.
    pub(super) fn last_nat(state: &State) -> Option<Crossed> {
        state.nats.last().copied()
    }
}
