//! The least fixpoint of an exploration as an invariant for a certificate: for each location the headers as seen there.
//!
//! A certificate needs no deliveries: whether the invariant misses what is forbidden is its checker's business. So an
//! exploration for one ([`Explorer::certifying`]) follows packets to components alone, and it takes three shortcuts that only
//! add headers and keep the boxes few: infrastructure does not take its packets out (R-CORE-5), on-link packets are handed to
//! the router, too (R-ROUTE-2b), and what a component forges may have its own source.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use rayon::prelude::*;
use reachproof_model::certificate::{Area, Family as Seen, Location, Origin as Came, Sender, Site, Traffic};
use reachproof_model::flow::World;
use reachproof_model::id::{ComponentId, EniId, SubnetId, VpcId};

use super::explore::{Explorer, Goal};
use super::state::{Place, State, Tag};
use super::view::{Address, NAT64_BASE, Port};
use super::{Exhausted, Reach, SourceClass};
use crate::asked::among;
use crate::header::{Family, Field, HeaderBox, Set};
use crate::network::{Origin, Sink, SourcePlace, TableChoice};
use crate::region::{Region, Spot};

/// What is explored for a certificate.
pub(crate) struct Departure<'d> {
    /// The addresses that are meant at the sources.
    pub(crate) meant: &'d Region,
    /// AWS ids that nothing may pass.
    pub(crate) avoid: &'d BTreeSet<Box<str>>,
    /// Answers, if not packets.
    pub(crate) answers: Option<Answers>,
}

/// Answers to packets that have arrived (section 18).
pub(crate) struct Answers {
    /// Who may have sent the packets, as the answers see it; anybody if nothing is said.
    pub(crate) asking: Option<Vec<IpNet>>,
    /// The headers of the answers.
    pub(crate) traffic: Traffic,
}

/// Everywhere that a class of sources gets with one family.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spread {
    /// The headers at each location, as boxes.
    pub(crate) invariant: BTreeMap<Location, Vec<Area>>,
    /// The components entered.
    pub(crate) entered: BTreeSet<ComponentId>,
    /// Whether anything is sent at all.
    pub(crate) sends: bool,
}

impl Reach<'_, '_> {
    /// Explores every class in the permissive world, from the addresses that a region means, IPv4 and IPv6; the order is that
    /// of the classes. Classes that the region does not name send from all their addresses.
    pub(crate) fn spread(
        &self,
        classes: &[SourceClass],
        departure: &Departure<'_>,
    ) -> Result<Vec<[Spread; 2]>, Exhausted> {
        let workers = || [Family::V4, Family::V6].map(|family| Explorer::new(&self.index, family));
        let spread = classes.par_iter().map_init(workers, |[v4, v6], class| {
            let [v4, v6] =
                [v4, v6].map(|worker| worker.within_limit(|worker| spread_within(worker, class, departure)));
            Ok([v4?, v6?])
        });
        spread.collect()
    }
}

fn spread_within(
    worker: &mut Explorer<'_, '_, '_>,
    class: &SourceClass,
    departure: &Departure<'_>,
) -> Spread {
    worker.avoid_all(departure.avoid);
    worker.senders.clone_from(&class.members);
    worker.world = World::Over;
    worker.certifying = true;
    worker.reset();
    let headers = match &departure.answers {
        None => worker.sent(class, departure.meant),
        Some(answers) => worker.answered_with(class, departure.meant, answers),
    };
    // Whom the answers are for is not asked: an invariant has them wherever they get to.
    worker.goal = departure.answers.as_ref().map(|_| Goal { place: class.place });
    worker.start(class.place, headers);
    worker.run();
    worker.goal = None;
    let entered = worker.arrivals.keys().filter_map(|arrival| match arrival.sink {
        Sink::Component(id) => Some(id),
        _ => None,
    });
    let entered = entered.collect();
    Spread { invariant: worker.invariant(), entered, sends: !headers.is_empty() }
}

impl Explorer<'_, '_, '_> {
    /// The headers that a class may send from what is meant.
    fn sent(&mut self, class: &SourceClass, meant: &Region) -> Set {
        if class.members.is_empty() {
            let extent = Spot::source_of(class.place).and_then(|spot| meant.get(spot));
            let blocks = extent.map(|extent| extent.blocks.clone());
            return match (class.place, blocks) {
                (SourcePlace::Component(_), _) | (_, None) => Set::FULL,
                (_, Some(blocks)) => among(&mut self.arena, self.family, Field::Source, &blocks),
            };
        }
        let mut sent = Set::EMPTY;
        for member in &class.members {
            let own = self.network().sent_blocks(*member);
            let mut part = among(&mut self.arena, self.family, Field::Source, &own);
            if let Some(extent) = meant.get(Spot::Interface(*member)) {
                let blocks = among(&mut self.arena, self.family, Field::Source, &extent.blocks);
                part = self.arena.intersection(part, blocks);
            }
            sent = self.arena.union(sent, part);
        }
        sent
    }

    /// The headers that a class may answer with; from all addresses of an interface, whichever is meant.
    fn answered_with(&mut self, class: &SourceClass, meant: &Region, answers: &Answers) -> Set {
        let everywhere = Region::default();
        let sent = self.sent(class, if class.members.is_empty() { meant } else { &everywhere });
        let to = match &answers.asking {
            Some(blocks) => among(&mut self.arena, self.family, Field::Destination, blocks),
            None => Set::FULL,
        };
        let sent = self.arena.intersection(sent, to);
        let seen = family_of(self.family);
        let full = self.all();
        let boxes: Vec<HeaderBox> =
            answers.traffic.seen(seen, seen).iter().map(|area| with_ports(full, area)).collect();
        let traffic = self.arena.any_of(&boxes);
        self.arena.intersection(sent, traffic)
    }

    /// What the exploration has visited, location by location.
    fn invariant(&self) -> BTreeMap<Location, Vec<Area>> {
        let mut found: BTreeMap<Location, Vec<Area>> = BTreeMap::new();
        for (state, visit) in self.visited() {
            if let Some(location) = self.location(state) {
                let areas = self.arena.boxes(visit.all).filter_map(|area| seen(state, &area));
                found.entry(location).or_default().extend(areas);
            }
        }
        found.values_mut().for_each(|areas| *areas = merged(std::mem::take(areas)));
        found
    }

    fn location(&self, state: &State) -> Option<Location> {
        let route = |table, vpc, from| Site::Route { table, vpc, from };
        let site = match state.place {
            Place::Route { table: TableChoice::Table(table), vpc, from } => route(Some(table), vpc, from),
            Place::Route { table: TableChoice::Unknown, vpc, from } => route(None, vpc, from),
            Place::Internet => Site::Internet,
            Place::Transit { by } => Site::Transit(by),
            Place::Exit { by, to } => Site::Exit { by, to },
            _ => return None,
        };
        let (sender, origin) = match site {
            Site::Internet => (Sender::Nobody, Came::Internet),
            Site::Transit(_) | Site::Exit { .. } => (self.sender(state.tag), Came::Transit),
            Site::Route { .. } => (self.sender(state.tag), came(state.origin)),
        };
        Some(Location { site, sender, origin, family: family_of(state.view.family) })
    }

    /// R-SG-10: the groups that receivers see.
    fn sender(&self, tag: Tag) -> Sender {
        let mut groups = match tag {
            Tag::None => return Sender::Nobody,
            Tag::Stranger | Tag::Among(_) => return Sender::Anyone,
            Tag::Hidden(component, exit) => self.hidden_groups(component, exit).to_vec(),
            Tag::Of(id) => match &self.network().interface(id).groups {
                Some(groups) => groups.clone(),
                None => return Sender::Anyone,
            },
        };
        groups.sort();
        groups.dedup();
        Sender::Groups(groups)
    }

    /// As [`Explorer::deliver`], to interfaces with components behind them alone.
    pub(super) fn deliver_to_components(
        &mut self,
        vpc: VpcId,
        from: Option<SubnetId>,
        state: &State,
        set: Set,
    ) {
        let network = self.network();
        for id in network.interfaces_in_vpc(vpc) {
            if network.components_at(*id).is_empty() {
                continue;
            }
            let own = self.own_intervals(*id, state.view.family);
            let there = self.keep(set, &state.view, state.view.destination, &own);
            self.deliver_to_component(*id, from, state, there);
        }
    }

    fn deliver_to_component(&mut self, id: EniId, from: Option<SubnetId>, state: &State, set: Set) {
        for subnet in self.network().subnets_of(id) {
            let entered = self.enter(subnet, from, state, set);
            self.push(state.at(Place::Receive { interface: id, routed: false }), entered);
        }
    }
}

/// The headers with the protocols and ports of a box.
fn with_ports(all: HeaderBox, area: &Area) -> HeaderBox {
    let fields = [
        (Field::Protocol, (area.protocol.0.into(), area.protocol.1.into())),
        (Field::Port, (area.port.0.into(), area.port.1.into())),
        (Field::SourcePort, (area.source_port.0.into(), area.source_port.1.into())),
    ];
    fields.into_iter().fold(all, |all, (field, (lo, hi))| all.with(field, lo, hi))
}

/// The families of certificates.
pub(crate) fn family_of(family: Family) -> Seen {
    match family {
        Family::V4 => Seen::V4,
        Family::V6 => Seen::V6,
    }
}

fn came(origin: Origin) -> Came {
    match origin {
        Origin::Local => Came::Local,
        Origin::Internet => Came::Internet,
        Origin::Virtual => Came::Virtual,
        Origin::Peering => Came::Peering,
        Origin::Transit => Came::Transit,
        Origin::Component => Came::Component,
    }
}

/// A box of sent headers as it is seen through the view of a state.
fn seen(state: &State, sent: &HeaderBox) -> Option<Area> {
    let view = state.view;
    let translated = view.sent != view.family;
    let protocol = narrow::<u8>(sent.interval(Field::Protocol))?;
    let echo = translated && protocol == (58, 58);
    let port_field = |port| match port {
        Port::Destination => Field::Port,
        Port::Source => Field::SourcePort,
        Port::Mapped if protocol == (1, 1) || protocol == (58, 58) => Field::SourcePort,
        Port::Mapped => Field::MappedPort,
    };
    let address = |address| match address {
        Address::Destination => Some(sent.interval(Field::Destination)),
        Address::Source => Some(sent.interval(Field::Source)),
        Address::Fixed(value) => Some((value, value)),
        Address::Embedded => embedded(sent.interval(Field::Destination)),
    };
    let port = narrow(sent.interval(port_field(view.port)))?;
    Some(Area {
        destination: address(view.destination)?,
        source: address(view.source)?,
        protocol: if echo { (1, 1) } else { protocol },
        port: if echo { (8, 8) } else { port },
        source_port: narrow(sent.interval(port_field(view.source_port)))?,
    })
}

/// R-NAT-8: the IPv4 addresses inside an interval of IPv6 ones.
fn embedded((lo, hi): (u128, u128)) -> Option<(u128, u128)> {
    let (lo, hi) = (lo.max(NAT64_BASE), hi.min(NAT64_BASE | u128::from(u32::MAX)));
    (lo <= hi).then(|| (lo - NAT64_BASE, hi - NAT64_BASE))
}

fn narrow<T: TryFrom<u128>>((lo, hi): (u128, u128)) -> Option<(T, T)> {
    Some((T::try_from(lo).ok()?, T::try_from(hi).ok()?))
}

/// Fewer boxes for the same headers: those that differ in one field, where they touch or overlap, become one.
pub(crate) fn merged(mut areas: Vec<Area>) -> Vec<Area> {
    areas.sort_unstable();
    areas.dedup();
    loop {
        let before = areas.len();
        macro_rules! merge {
            ($($field:ident)*) => {$(
                areas.sort_unstable_by_key(|area| (Area { $field: (0, 0), ..*area }, area.$field));
                areas.dedup_by(|next, last| {
                    let touch = next.$field.0 <= last.$field.1.saturating_add(1);
                    let same = Area { $field: last.$field, ..*next } == *last;
                    if same && touch {
                        last.$field.1 = last.$field.1.max(next.$field.1);
                    }
                    same && touch
                });
            )*};
        }
        merge!(source_port port protocol source destination);
        if areas.len() == before {
            areas.sort_unstable();
            return areas;
        }
    }
}
