//! Explorations that leave the filters of security groups out, so that one serves all interfaces that differ in their
//! groups and addresses alone.
//!
//! Groups filter where a packet is sent and where it is received and nowhere between (R-CORE-3), and every step judges
//! each header by itself. So what an interface receives from another one is what an exploration without groups brings
//! to its VPC, cut down by the network ACL of its subnet and by the groups of both: the product that [`crate::matrix`]
//! takes. An exploration stops at the VPC's own resolution, and at [`Portal`]s, from which one exploration serves all
//! that come there.
//!
//! It follows addresses as they were sent. Where an address was rewritten it stops and says so: [`Opened::beyond`] and
//! [`Opened::split`].

use std::collections::{BTreeMap, BTreeSet};

use reachproof_model::flow::World;
use reachproof_model::id::{AttachmentId, EniId, Id, SubnetId, VpcId};

use super::explore::{Arrival, Explorer, Goal};
use super::read::Read;
use super::state::{Place, State, Tag};
use super::view::{Address, View};
use crate::header::{Arena, Field, Set};
use crate::network::{GatewayId, Origin, Role, Sink, SourcePlace};

/// Where a packet is handed to the interface that it is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Door {
    /// The resolution of a VPC, come from this subnet of it.
    Vpc(VpcId, Option<SubnetId>),
    /// The link of a subnet of a VPC: its own interfaces alone.
    Link(VpcId, SubnetId),
    /// An interface that a route names, its subnet entered.
    Interface(EniId),
}

impl Door {
    /// Whether it is an interface's own.
    pub(crate) fn is_at(self, interface: EniId) -> bool {
        self == Self::Interface(interface)
    }

    /// The subnet that it names.
    pub(crate) fn subnet(self) -> Option<SubnetId> {
        match self {
            Self::Vpc(_, from) => from,
            Self::Link(_, subnet) => Some(subnet),
            Self::Interface(_) => None,
        }
    }
}

/// How packets come to an interface.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Approach {
    pub(crate) door: Door,
    /// Whether the sender's groups are still known (R-SG-10).
    pub(crate) known: bool,
    /// The egress-only gateway by which the packet left for the internet.
    pub(crate) egress: Option<GatewayId>,
}

/// A place from which everything goes on alike for all packets that come there as they were sent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Portal {
    gate: Gate,
    known: bool,
    egress: Option<GatewayId>,
    /// A subnet in the zone from which the packet entered the last transit gateway.
    zone: Option<SubnetId>,
}

impl Portal {
    /// Whether it leads to the internet.
    pub(crate) fn is_online(&self) -> bool {
        self.gate == Gate::Internet
    }

    /// The same place for packets of which nothing is said but that they left by an egress-only gateway, if they did.
    pub(crate) fn pattern(self) -> Self {
        Self { egress: self.egress.map(|_| any_gateway()), ..self }
    }

    /// The gateway by which packets left that come there.
    pub(crate) fn egress(self) -> Option<GatewayId> {
        self.egress
    }
}

/// Stands for each egress-only gateway: nothing asks which one it is until a reply is on the internet.
fn any_gateway() -> GatewayId {
    GatewayId::from_index(usize::MAX)
}

/// Where a [`Portal`] is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Gate {
    /// On the internet.
    Internet,
    /// In a transit gateway, come by this attachment or one that is like it there.
    In(AttachmentId),
    /// Leaving a transit gateway for a VPC.
    Out(AttachmentId, VpcId),
}

/// Where an exploration without groups got to; sets of headers as sent.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(crate) struct Opened {
    pub(crate) approaches: BTreeMap<Approach, Set>,
    pub(crate) portals: BTreeMap<Portal, Set>,
    /// Of a reply: what counts as answered wherever else it gets to.
    pub(crate) answered: Set,
    /// What got to where its destination is no interface's own address as it was sent: to the internet, through a
    /// translation of the destination, to a link-local neighbour.
    pub(crate) beyond: Set,
    /// What got to an interface with another source than the one sent.
    pub(crate) split: Set,
    /// What got to the internet by a portal; known once portals are followed.
    pub(crate) online: Set,
    /// Which lists and tables were read.
    pub(crate) reads: BTreeSet<Read>,
}

impl Opened {
    /// The same for packets that left by this egress-only gateway.
    pub(crate) fn left_by(&self, gateway: GatewayId, arena: &mut Arena) -> Self {
        let by =
            |egress: Option<GatewayId>| egress.map(|one| if one == any_gateway() { gateway } else { one });
        let mut found = Self { approaches: BTreeMap::new(), portals: BTreeMap::new(), ..self.clone() };
        for (approach, set) in &self.approaches {
            let approach = Approach { egress: by(approach.egress), ..*approach };
            let known = found.approaches.entry(approach).or_default();
            *known = arena.union(*known, *set);
        }
        for (portal, set) in &self.portals {
            let portal = Portal { egress: by(portal.egress), ..*portal };
            let known = found.portals.entry(portal).or_default();
            *known = arena.union(*known, *set);
        }
        found
    }

    /// Every set, for moving it to another arena.
    pub(crate) fn sets_mut(&mut self) -> impl Iterator<Item = &mut Set> {
        let single = [&mut self.answered, &mut self.beyond, &mut self.split, &mut self.online];
        self.approaches.values_mut().chain(self.portals.values_mut()).chain(single)
    }
}

impl Explorer<'_, '_, '_> {
    /// Where everything gets to that an interface like this one may send, whatever its source is.
    pub(crate) fn open_from(&mut self, sender: EniId, world: World) -> Opened {
        let idle = world == World::Under && self.network().is_idle(sender);
        if idle || !Role::of(self.network().interface(sender)).initiates() {
            return Opened::default();
        }
        let state = self.started(Place::Send(sender), Tag::Of(sender), Origin::Local);
        self.opened(world, None, |explorer| explorer.push(state, Set::FULL))
    }

    /// Where the replies get to of an interface like this one, whatever was sent to it. By which egress-only gateway it left
    /// matters on the internet alone: [`Explorer::open_egress`].
    pub(crate) fn open_back(&mut self, receiver: EniId, world: World) -> Opened {
        let sent = self.started(Place::Send(receiver), Tag::None, Origin::Local);
        let state = sent.seen(View::sent(self.family).answered());
        self.opened(world, Some(receiver), |explorer| explorer.push(state, Set::FULL))
    }

    /// R-EIGW-1: where replies get to that come back on the internet to what left by an egress-only gateway.
    pub(crate) fn open_egress(&mut self, gateway: GatewayId, world: World) -> Opened {
        let sent = self.started(Place::In { gateway }, Tag::None, Origin::Internet);
        let state = sent.seen(View::sent(self.family).answered());
        self.opened(world, Some(EniId::from_index(0)), |explorer| explorer.push(state, Set::FULL))
    }

    /// Where everything gets to from a portal; `back` for replies.
    pub(crate) fn open_portal(&mut self, portal: Portal, back: bool, world: World) -> Opened {
        // Only that the groups are known matters here, not which.
        let any = EniId::from_index(0);
        let tag = if portal.known { Tag::Of(any) } else { Tag::None };
        let mut state = self.started(Place::Internet, tag, Origin::Local);
        (state.egress, state.zone) = (portal.egress, portal.zone);
        if back {
            state.view = state.view.answered();
        }
        self.opened(world, back.then_some(any), |explorer| match portal.gate {
            Gate::Internet => {
                explorer.internet(&state.at(Place::Internet).with_origin(Origin::Internet), Set::FULL);
            }
            Gate::In(by) => explorer.look_up(by, &state.at(Place::Transit { by }), Set::FULL),
            Gate::Out(to, vpc) => {
                explorer.leave_transit(to, vpc, &state.with_origin(Origin::Transit), Set::FULL);
            }
        })
    }

    fn opened(&mut self, world: World, receiver: Option<EniId>, start: impl FnOnce(&mut Self)) -> Opened {
        self.world = world;
        self.reset();
        self.goal = receiver.map(|receiver| Goal { place: SourcePlace::Interface(receiver) });
        self.open = Some(Opened::default());
        self.reads.take();
        start(self);
        self.run();
        let mut opened = self.open.take().unwrap_or_default();
        opened.beyond = self.arena.exists(opened.beyond, Field::MappedPort);
        opened.split = self.arena.exists(opened.split, Field::MappedPort);
        opened.reads = self.reads.take();
        opened.answered = std::mem::replace(&mut self.answered, Set::EMPTY);
        self.goal = None;
        self.reset();
        opened
    }

    /// The headers that the groups of an interface let out.
    pub(crate) fn let_out_by(&mut self, interface: EniId, world: World) -> Set {
        self.world = world;
        self.group_out(interface, &View::sent(self.family))
    }

    /// The headers that the groups of an interface let in, from a sender whose groups are known or not.
    pub(crate) fn let_in_by(&mut self, interface: EniId, sender: Option<EniId>, world: World) -> Set {
        self.world = world;
        self.group_in(interface, sender.map_or(Tag::None, Tag::Of), &View::sent(self.family))
    }

    /// The headers that the network ACL of a subnet lets in; `back` for the replies to them.
    pub(crate) fn let_into(&mut self, subnet: SubnetId, back: bool, world: World) -> Set {
        self.world = world;
        let sent = View::sent(self.family);
        self.acl_in(subnet, &if back { sent.answered() } else { sent })
    }

    /// Whether an interface takes what is delivered to it.
    pub(crate) fn takes(&mut self, interface: EniId, world: World) -> bool {
        self.world = world;
        self.network().live(interface, world).value && self.accepts(interface)
    }

    /// The headers that an interface answers at all.
    pub(crate) fn answerable_by(&mut self, interface: EniId, world: World) -> Set {
        self.world = world;
        let view = View::sent(self.family);
        let state = self.started(Place::Send(interface), Tag::None, Origin::Local).seen(view);
        self.answerable(&Arrival { sink: Sink::Interface(interface), alike: None, state })
    }

    /// Notes that packets got to where the destination that was sent is nobody's own.
    pub(super) fn note_beyond(&mut self, set: Set) {
        if let Some(open) = &mut self.open {
            open.beyond = self.arena.union(open.beyond, set);
        }
    }

    /// At the resolution of a VPC; who owns the destination is asked later, of each address by itself.
    pub(super) fn deliver_open(
        &mut self,
        vpc: VpcId,
        from: Option<SubnetId>,
        confined: Option<SubnetId>,
        state: &State,
        set: Set,
    ) {
        let door = confined.map_or(Door::Vpc(vpc, from), |subnet| Door::Link(vpc, subnet));
        self.note(door, state, set);
        if self.replying() {
            self.deliver_unseen(vpc, from, state, set);
        }
    }

    /// A packet at the interface that it is for, or its reply.
    pub(super) fn note(&mut self, door: Door, state: &State, set: Set) {
        let (destination, source) = ends(self.replying());
        let plain = state.nats.is_empty() && state.view.source == source;
        let as_sent = state.view.destination == destination && state.view.family == state.view.sent;
        let approach = Approach { door, known: matches!(state.tag, Tag::Of(_)), egress: state.egress };
        let Some(open) = self.open.as_mut().filter(|_| !set.is_empty()) else { return };
        let known = match (as_sent, plain) {
            (false, _) => &mut open.beyond,
            (true, false) => &mut open.split,
            (true, true) => open.approaches.entry(approach).or_default(),
        };
        *known = self.arena.union(*known, set);
    }

    /// Leaves the rest of the way to another exploration, where it is the same for all packets; says whether it did.
    pub(super) fn enters_portal(&mut self, gate: Gate, state: &State, set: Set) -> bool {
        let (destination, source) = ends(self.replying());
        let view = state.view;
        let plain = state.nats.is_empty()
            && (view.destination, view.source, view.family) == (destination, source, view.sent)
            && matches!(state.tag, Tag::Of(_) | Tag::None);
        let zone = if gate == Gate::Internet { None } else { state.zone };
        let gate = match gate {
            Gate::In(by) => Gate::In(self.index.gate_of(by)),
            other => other,
        };
        let (known, egress) = (matches!(state.tag, Tag::Of(_)), state.egress);
        let Some(open) = self.open.as_mut().filter(|_| plain) else { return false };
        if !set.is_empty() {
            let portal = open.portals.entry(Portal { gate, known, egress, zone }).or_default();
            *portal = self.arena.union(*portal, set);
        }
        true
    }
}

/// What the destination and the source of a packet are that nothing has rewritten.
fn ends(replying: bool) -> (Address, Address) {
    if replying { (Address::Source, Address::Destination) } else { (Address::Destination, Address::Source) }
}
