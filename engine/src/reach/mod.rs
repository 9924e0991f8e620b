//! The symbolic evaluator: for a source, the exact set of headers that arrive at each sink, in both worlds.
//!
//! The main type is [`Reach`]. An exploration keeps, for each place and view, the set of *sent* headers that get
//! there, and grows these sets to their least fixpoint; there is no bound on hops. It never bounds, samples or splits by
//! address, and it must agree with [`crate::trace`], with which it shares resolution ([`crate::network`]) and nothing
//! else.
//!
//! INVARIANT (sound deliveries): a header outside [`Delivery::over`] never arrives, whatever the unknowns are; a header
//! inside [`Delivery::under`] arrives whatever they are.

mod aim;
mod class;
mod edge;
mod entrance;
mod explore;
mod explored;
mod fib;
mod filter;
mod ground;
mod index;
mod invariant;
mod link;
mod nat;
mod open;
mod peering;
mod pool;
mod read;
mod reply;
mod start;
mod state;
#[cfg(test)]
mod tests;
mod transit;
mod turns;
mod view;
mod vpc;
mod vpn;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;
use reachproof_model::flow::{Question, World};
use reachproof_model::id::{EniId, NatId, VpcId};

pub use aim::Aim;
pub(crate) use class::merged as merged_intervals;
pub use class::{SourceClass, classes};

use crate::header::{Arena, Family, Field, Frozen, HeaderBox, Set};
use crate::network::{Network, NodeLimit, Sink, SourcePlace};
use explore::Arrival;
pub(crate) use explore::Explorer;
pub(crate) use explored::Alike;
pub use explored::Explored;
use ground::Ground;
pub(crate) use ground::overlap;
use index::{Index, Owned};
pub(crate) use index::{Receivers, ReceiversId};
pub(crate) use invariant::{Answers, Departure, Spread, family_of, merged};
pub(crate) use open::{Approach, Door, Opened, Portal};
pub(crate) use read::Read;
use turns::one_by_one;
pub(crate) use view::intervals_of;
use view::{Address, MAPPED_PORTS};
pub(crate) use vpc::entrances;

/// A network made ready for exploration; shared by all threads.
pub struct Reach<'n, 's> {
    index: Index<'n, 's>,
    ground: OnceLock<Ground>,
}

/// What an exploration looks for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Whether replies are followed, too.
    pub question: Question,
    /// AWS ids of places that packets may neither pass nor end at.
    pub avoid: BTreeSet<Box<str>>,
    /// What it is for, where that is less than everything.
    pub aim: Option<Arc<Aim>>,
    /// Whether what arrives whatever the unknowns are is asked for, too; else nothing counts as that.
    pub certain: bool,
    /// Whether what interfaces send to each other is asked for, too, where it arrives as it was sent, between addresses of
    /// their own; a [`Matrix::as_sent`] knows it.
    ///
    /// [`Matrix::as_sent`]: crate::matrix::Matrix::as_sent
    pub as_sent: bool,
}

impl Request {
    /// Everything, for a question.
    pub fn of(question: Question) -> Self {
        Self { question, avoid: BTreeSet::new(), aim: None, certain: true, as_sent: true }
    }

    /// What may arrive of packets, by no place that is avoided, as far as an aim asks.
    pub(crate) fn of_packets(avoid: &BTreeSet<Box<str>>, aim: &Option<Arc<Aim>>) -> Self {
        let (avoid, aim) = (avoid.clone(), aim.clone());
        Self { question: Question::Packet, avoid, aim, certain: false, as_sent: true }
    }
}

/// What arrives at one sink with one destination rewrite. The sets are of headers *as sent*; after `destination`, if
/// any, the delivered header has that destination instead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// Where.
    pub sink: Sink,
    /// The destination at the sink where it differs from the one sent.
    pub destination: Option<u128>,
    /// Whether the destination at the sink is the IPv4 address inside the one sent (R-NAT-8).
    pub embedded: bool,
    /// Arrives unless an unknown forbids it.
    pub over: Set,
    /// Arrives whatever the unknowns are.
    pub under: Set,
    /// As `over`, and the reply may come back. Empty if replies were not asked for.
    pub answered_over: Set,
    /// As `under`, and the reply comes back. Empty if replies were not asked for.
    pub answered_under: Set,
}

/// A sink, and the destination there.
type Arrived = (Sink, Rewritten);

/// What became of the destination: the address that took its place, or whether it is the one inside the one sent.
type Rewritten = (Option<u128>, bool);

impl<'n, 's> Reach<'n, 's> {
    /// Resolves tables and addresses once, for all explorations.
    pub fn of(network: &'n Network<'s>) -> Self {
        Self { index: Index::of(network), ground: OnceLock::new() }
    }

    /// The same for a network that [`Network::after`] gave. What the change left as it was is not made again.
    pub fn after<'m, 't>(&self, network: &'m Network<'t>) -> Reach<'m, 't> {
        Reach { index: self.index.after(network), ground: OnceLock::new() }
    }

    /// The network explored.
    pub fn network(&self) -> &'n Network<'s> {
        self.index.network
    }

    /// What all aims share; made when it is first asked for.
    fn ground(&self) -> &Ground {
        self.ground.get_or_init(|| Ground::of(&self.index))
    }

    /// The classes of interfaces that receive alike, each with its family.
    pub(crate) fn receivers(&self) -> impl Iterator<Item = &Receivers> {
        self.index.all_receivers().iter()
    }

    /// An explorer for one family that builds on sets which others share.
    pub(crate) fn explorer(&self, family: Family, shared: &Arc<Frozen>) -> Explorer<'_, 'n, 's> {
        let mut explorer = Explorer::new(&self.index, family);
        explorer.arena = Arena::overlay(Arc::clone(shared)).with_limit(self.network().options.nodes.0);
        explorer
    }

    /// The addresses of a VPC, each with whether several interfaces own it.
    pub(crate) fn owned(&self, vpc: VpcId, family: Family) -> &[Owned] {
        self.index.owned(vpc, family)
    }

    /// Sources as few classes: crowds, and others where these do not do.
    pub(crate) fn crowded(&self, sources: &[SourcePlace]) -> Vec<SourceClass> {
        class::crowded(self.network(), |id| self.index.crowds().crowd_of(id), sources)
    }

    /// Crowds of several VPCs as few classes, for packets alone; other classes stay as they are.
    pub(crate) fn united(&self, classes: Vec<SourceClass>) -> Vec<SourceClass> {
        class::united(|id| self.index.crowd(id), classes)
    }

    /// A number that two interfaces share iff they carry the same groups.
    pub(crate) fn group_set(&self, interface: EniId) -> u32 {
        self.index.group_set(interface)
    }

    /// Explores every class of sources, in parallel, IPv4 and IPv6, and hands each result to `extract`. The answers come
    /// in the order of `sources` and do not depend on the number of threads.
    ///
    /// # Errors
    /// If the diagrams of one exploration outgrow [`NodeLimit`]; nothing is decided then.
    pub fn explore<T: Send>(
        &self,
        sources: &[SourceClass],
        request: &Request,
        extract: impl Fn(Explored<'_>) -> T + Sync,
    ) -> Result<Vec<[T; 2]>, Exhausted> {
        self.explore_for(sources, request, |_, _| true, extract)
    }

    /// The same, with replies followed only from the sinks that matter; elsewhere nothing counts as answered.
    pub(crate) fn explore_for<T: Send>(
        &self,
        sources: &[SourceClass],
        request: &Request,
        matters: impl Fn(Sink, Option<ReceiversId>) -> bool + Sync,
        extract: impl Fn(Explored<'_>) -> T + Sync,
    ) -> Result<Vec<[T; 2]>, Exhausted> {
        let matters: &Matters<'_> = &matters;
        let workers = || [Explorer::new(&self.index, Family::V4), Explorer::new(&self.index, Family::V6)];
        one_by_one(sources, workers, |[v4, v6], source| {
            let [v4, v6] = [v4, v6].map(|worker| {
                worker.within_limit(|worker| extracted(worker, source, request, matters, &extract))
            });
            Ok([v4?, v6?])
        })
    }
}

impl<'n, 's> Reach<'n, 's> {
    /// Explores classes of sources `together` at once, for packets in the permissive world, where nobody asks which of them
    /// something came from; `meant` are the headers of a class that count. The answers come in the order of `sources`.
    ///
    /// # Errors
    /// As [`Reach::explore`].
    pub(crate) fn explore_mixed<T: Send>(
        &self,
        (sources, together): (&[SourceClass], usize),
        request: &Request,
        meant: impl Fn(&mut Arena, &SourceClass, Family) -> Set + Sync,
        extract: impl Fn(Explored<'_>) -> T + Sync,
    ) -> Result<Vec<[T; 2]>, Exhausted> {
        let of = |chunk: &[SourceClass], family: Family| {
            let mut worker = Explorer::new(&self.index, family);
            worker.within_limit(|worker| mixed(worker, chunk, request, &meant, &extract))
        };
        let both = |chunk: &[SourceClass]| {
            let (v4, v6) = rayon::join(|| of(chunk, Family::V4), || of(chunk, Family::V6));
            Ok(v4?.zip(v6?).map(<[T; 2]>::from))
        };
        let found: Result<Vec<Option<[T; 2]>>, Exhausted> = sources.par_chunks(together).map(both).collect();
        Ok(found?.into_iter().flatten().collect())
    }
}

fn mixed<T>(
    worker: &mut Explorer<'_, '_, '_>,
    sources: &[SourceClass],
    request: &Request,
    meant: impl Fn(&mut Arena, &SourceClass, Family) -> Set,
    extract: impl Fn(Explored<'_>) -> T,
) -> Option<T> {
    worker.avoid_all(&request.avoid);
    worker.aim.clone_from(&request.aim);
    worker.follows_replies = false;
    worker.wants_as_sent = request.as_sent;
    worker.world = World::Over;
    worker.aimed_vpcs.clear();
    worker.reset();
    let parts: Vec<&SourceClass> = sources.iter().flat_map(SourceClass::each).collect();
    for part in &parts {
        let meant = meant(&mut worker.arena, part, worker.family);
        let sent = worker.aimed(part);
        let sent = worker.arena.intersection(sent, meant);
        worker.start_part(part, sent);
    }
    // Each of several senders may hear the others (R-ADDR-15).
    worker.senders = parts.iter().flat_map(|part| part.members.iter().copied()).collect();
    worker.run();
    let arrivals = std::mem::take(&mut worker.arrivals);
    let over = arrivals.into_iter().map(|(arrival, set)| (arrival, set, Set::EMPTY)).collect();
    let arrived = merge(worker, over, Ways::new());
    let (family, network) = (worker.family, worker.network());
    let source = sources.first()?;
    Some(extract(Explored { source, family, arrived, network, arena: &mut worker.arena }))
}

/// The diagrams of one exploration outgrew the limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exhausted {
    /// What was allowed.
    pub limit: NodeLimit,
    /// Nodes in use when the limit was hit.
    pub nodes: u64,
}

impl Exhausted {
    /// An error iff what an arena has made means nothing.
    pub(crate) fn require_room(arena: &Arena, limit: NodeLimit) -> Result<(), Self> {
        if arena.overflowed() { Err(Self { limit, nodes: arena.counters().nodes }) } else { Ok(()) }
    }
}

impl fmt::Display for Exhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "header sets need more nodes than the limit of {} ({} in use): nothing was decided",
            self.limit.0, self.nodes
        )
    }
}

impl std::error::Error for Exhausted {}

/// Whether replies matter from a sink, or from a class of receivers.
type Matters<'m> = dyn Fn(Sink, Option<ReceiversId>) -> bool + Sync + 'm;

fn extracted<T>(
    worker: &mut Explorer<'_, '_, '_>,
    source: &SourceClass,
    request: &Request,
    matters: &Matters<'_>,
    extract: impl Fn(Explored<'_>) -> T,
) -> T {
    worker.avoid_all(&request.avoid);
    worker.components.clone_from(&source.components);
    worker.aim.clone_from(&request.aim);
    worker.follows_replies = request.question == Question::Connection;
    worker.wants_as_sent = request.as_sent;
    worker.aimed_vpcs.clear();
    let parts: Vec<(&SourceClass, Set)> =
        source.each().iter().map(|part| (part, worker.headers_of(part, source))).collect();
    let matters =
        |arrival: &Arrival| request.question == Question::Connection && matters(arrival.sink, arrival.alike);
    let over = explore_world(worker, source, &parts, World::Over, matters);
    let under = match request.certain {
        true => explore_world(worker, source, &parts, World::Under, matters),
        false => Ways::new(),
    };
    let arrived = merge(worker, over, under);
    let (family, network) = (worker.family, worker.network());
    extract(Explored { source, family, arrived, network, arena: &mut worker.arena })
}

/// One way of arriving: the sent headers, and those of them whose reply comes back.
type Ways = Vec<(Arrival, Set, Set)>;

fn explore_world(
    worker: &mut Explorer<'_, '_, '_>,
    source: &SourceClass,
    parts: &[(&SourceClass, Set)],
    world: World,
    matters: impl Fn(&Arrival) -> bool,
) -> Ways {
    worker.world = world;
    worker.reset();
    parts.iter().for_each(|(part, sent)| worker.start_part(part, *sent));
    worker.senders.clone_from(&source.members);
    worker.run();
    let arrivals = std::mem::take(&mut worker.arrivals);
    arrivals
        .into_iter()
        .map(|(arrival, set)| {
            let back =
                if matters(&arrival) { worker.answered(source.place, &arrival, set) } else { Set::EMPTY };
            (arrival, set, back)
        })
        .collect()
}

/// A sink, the class of those that received, and the rewritten destination.
type End = (Sink, Option<ReceiversId>, Rewritten);

fn merge<'i>(
    worker: &mut Explorer<'i, '_, '_>,
    over: Ways,
    under: Ways,
) -> Vec<(Delivery, Option<Alike<'i>>)> {
    let mut found: BTreeMap<End, Delivery> = BTreeMap::new();
    for (arrival, set, back) in over {
        let end = end(&arrival);
        let delivery = found.entry(end).or_insert_with(|| nothing(end.0, end.2));
        delivery.over = worker.union_without_mapped(delivery.over, set);
        delivery.answered_over = worker.union_without_mapped(delivery.answered_over, back);
    }
    for (end, [set, back]) in certain(worker, under) {
        let delivery = found.entry(end).or_insert_with(|| nothing(end.0, end.2));
        delivery.under = worker.arena.union(delivery.under, set);
        delivery.answered_under = worker.arena.union(delivery.answered_under, back);
    }
    let index = worker.index;
    let alike = |class: ReceiversId| Alike { class, members: &index.receivers(class).members };
    found.into_iter().map(|((_, class, _), delivery)| (delivery, class.map(alike))).collect()
}

fn end(arrival: &Arrival) -> End {
    (arrival.sink, arrival.alike, rewritten(arrival))
}

fn nothing(sink: Sink, (destination, embedded): Rewritten) -> Delivery {
    let (over, under) = (Set::EMPTY, Set::EMPTY);
    let (answered_over, answered_under) = (over, under);
    Delivery { sink, destination, embedded, over, under, answered_over, answered_under }
}

fn rewritten(arrival: &Arrival) -> Rewritten {
    match arrival.state.view.destination {
        Address::Fixed(value) => (Some(value), false),
        Address::Embedded => (None, true),
        _ => (None, false),
    }
}

/// For a way through NAT gateways: which gateways, and which of their addresses.
type Choice = Vec<(NatId, u16)>;

/// What arrives and what is answered, for each choice of the gateways.
type ByChoice = BTreeMap<Choice, [Set; 2]>;

/// An end, with what certainly arrives and what certainly is answered.
type Certain = (End, [Set; 2]);

/// R-NAT-2: AWS chooses the address and the port, so the restrictive world claims only what holds for every choice.
fn certain(worker: &mut Explorer<'_, '_, '_>, under: Ways) -> Vec<Certain> {
    let mut groups: BTreeMap<(End, Vec<NatId>), ByChoice> = BTreeMap::new();
    for (arrival, set, back) in under {
        let choice: Choice = arrival.state.nats.iter().map(|crossed| (crossed.nat, crossed.source)).collect();
        let nats = choice.iter().map(|(nat, _)| *nat).collect();
        let group = groups.entry((end(&arrival), nats)).or_default();
        let known = group.entry(choice).or_insert([Set::EMPTY; 2]);
        let [set, back] = [set, back].map(|part| worker.for_every_mapped(part));
        *known = [worker.arena.union(known[0], set), worker.arena.union(known[1], back)];
    }
    let mut found = Vec::new();
    for ((end, nats), choices) in groups {
        let wanted: usize =
            nats.iter().map(|nat| worker.network().nat_sources(*nat, World::Under).len()).product();
        if choices.len() == wanted {
            let common = choices.into_values().reduce(|left, right| {
                [worker.arena.intersection(left[0], right[0]), worker.arena.intersection(left[1], right[1])]
            });
            found.push((end, common.unwrap_or([Set::EMPTY; 2])));
        }
    }
    found
}

impl Explorer<'_, '_, '_> {
    /// The headers that matter of a part of a class, with its mark where marks tell parts apart.
    fn headers_of(&mut self, part: &SourceClass, whole: &SourceClass) -> Set {
        let sent = self.aimed(part);
        if whole.parts.iter().all(|part| part.mark == 0) {
            return sent;
        }
        let marked = self.arena.interval(Field::Start, part.mark, part.mark);
        self.arena.intersection(sent, marked)
    }

    fn start_part(&mut self, part: &SourceClass, sent: Set) {
        self.senders.clone_from(&part.members);
        self.kind = part.kind;
        self.start(part.place, sent);
    }

    /// Works on one source within the limit of nodes. Whether it is hit does not depend on the sources before: if what they
    /// left leaves too little room, the work is done again without it.
    fn within_limit<T>(&mut self, work: impl Fn(&mut Self) -> T) -> Result<T, Exhausted> {
        self.forget_if_large();
        let done = work(self);
        if !self.arena.overflowed() {
            return Ok(done);
        }
        self.forget();
        let done = work(self);
        Exhausted::require_room(&self.arena, self.network().options.nodes)?;
        Ok(done)
    }

    fn union_without_mapped(&mut self, left: Set, right: Set) -> Set {
        let right = self.arena.exists(right, Field::MappedPort);
        self.arena.union(left, right)
    }

    fn for_every_mapped(&mut self, set: Set) -> Set {
        let (lo, hi) = MAPPED_PORTS;
        self.arena.for_all_in(set, Field::MappedPort, lo, hi)
    }
}

/// R-NACL-12: the headers of a set for which every client port from 1024 to 65535 is in the set, too; ICMP has none.
pub fn for_every_client(arena: &mut Arena, family: Family, set: Set) -> Set {
    let (lo, hi) = MAPPED_PORTS;
    let everywhere = arena.for_all_in(set, Field::SourcePort, lo, hi);
    let icmp = match family {
        Family::V4 => 1,
        Family::V6 => 58,
    };
    let is_icmp = arena.from_box(&HeaderBox::full(family).with(Field::Protocol, icmp, icmp));
    let without_ports = arena.intersection(set, is_icmp);
    arena.union(everywhere, without_ports)
}
