//! One walk of a certificate: that its start lies in its invariant, and that every step leads from it into it.
//!
//! Steps between the sites of an invariant are taken at once: out of a subnet, through a NAT gateway, across a peering
//! connection. What ends at a destination or enters a component is noted; what that means is for the whole proof to say.

use std::collections::{BTreeMap, BTreeSet};

use reachproof_model::certificate::{
    Area, Family, Invariant, Location, Origin, Place, Sender, Site, Start, Walk as Recorded,
};
use reachproof_model::id::{AttachmentId, EniId, RouteTableId, SubnetId, VpcId};
use reachproof_model::snapshot::{Entry, Exit};

use crate::Rejection;
use crate::area::{Interval, among, complement, destined, intervals, sent_from, tidy, uncovered};
use crate::block::{LATTICE, LINK_LOCAL, PRIVATE, blocks};
use crate::filter::identity;
use crate::name::{area_text, location_name};
use crate::nat::embedded;
use crate::net::{Net, Table, subnets_of};
use crate::part::Part;
use crate::state::{Role, hides_interfaces, role, unchecked, usable};
use crate::work::PART;

/// What the steps of all walks in one part of a direction share.
pub(crate) struct Ground<'c, 's> {
    pub(crate) net: &'c Net<'s>,
    pub(crate) part: &'c Part<'c>,
    /// Interfaces at which something may end that must not, or enter a component.
    pub(crate) notable: BTreeSet<EniId>,
    /// Addresses of NAT gateways.
    pub(crate) translators: Vec<Interval>,
}

/// A packet's context in a step.
#[derive(Clone)]
pub(crate) struct At {
    pub(crate) sender: Sender,
    pub(crate) origin: Origin,
    pub(crate) family: Family,
}

impl At {
    pub(crate) fn from(&self, origin: Origin) -> Self {
        Self { origin, ..self.clone() }
    }

    pub(crate) fn unknown_sender(&self) -> Self {
        Self { sender: Sender::Nobody, ..self.clone() }
    }
}

/// A walk while it is checked.
pub(crate) struct Walk<'c, 's> {
    pub(crate) ground: &'c Ground<'c, 's>,
    pub(crate) net: &'c Net<'s>,
    pub(crate) sent: Family,
    /// Whether a source sends, rather than a component.
    pub(crate) of_source: bool,
    invariant: BTreeMap<&'c Location, &'c [Area]>,
    /// Where the step that is taken comes from, and by which rule or route, for people.
    pub(crate) step: String,
    /// Destinations at which something arrives, each with an example.
    pub(crate) arrived: BTreeMap<Place, String>,
    /// The same of what would have to come from a NAT gateway.
    translated: BTreeMap<Place, String>,
    /// Whether something goes through a NAT gateway.
    pub(crate) translates: bool,
    /// Components that something enters.
    pub(crate) entered: BTreeSet<Box<str>>,
}

impl<'c, 's> Walk<'c, 's> {
    pub(crate) fn of(ground: &'c Ground<'c, 's>, recorded: &'c Recorded) -> Self {
        Self {
            ground,
            net: ground.net,
            sent: recorded.family,
            of_source: !matches!(recorded.start, Start::Place(Place::Component(_))),
            invariant: recorded
                .invariant
                .iter()
                .map(|(location, areas)| (location, areas.as_slice()))
                .collect(),
            step: String::new(),
            arrived: BTreeMap::new(),
            translated: BTreeMap::new(),
            translates: false,
            entered: BTreeSet::new(),
        }
    }

    /// Obligations (i) and (ii): the start is in the invariant, and no step leads out of it.
    pub(crate) fn check(&mut self, start: &Start, invariant: &Invariant) -> Result<(), Rejection> {
        "the start".clone_into(&mut self.step);
        self.start(start)?;
        for (location, areas) in invariant {
            self.step = location_name(self.net, location);
            for part in areas.chunks(PART) {
                self.net.work.spend(part.len());
                self.net.work.require()?;
                self.steps_from(location, part.to_vec())?;
            }
        }
        if self.translates {
            self.arrived.append(&mut self.translated);
        }
        Ok(())
    }

    /// Sends boxes to a site: they must be in its invariant.
    pub(crate) fn lead(&mut self, site: Site, at: &At, areas: &[Area]) -> Result<(), Rejection> {
        let (sender, origin) = match site {
            Site::Internet => (Sender::Nobody, Origin::Internet),
            Site::Transit(_) | Site::Exit { .. } => (at.sender.clone(), Origin::Transit),
            Site::Route { .. } => (at.sender.clone(), at.origin),
        };
        let location = Location { site, sender, origin, family: at.family };
        let there = self.invariant.get(&location).copied().unwrap_or_default();
        for area in areas {
            if let Some(outside) = uncovered(area, there, &self.net.work) {
                let (step, there) = (&self.step, location_name(self.net, &location));
                let header = area_text(location.family, &outside);
                return Err(Rejection::of(format!("{step} leads out of the invariant: {header} to {there}")));
            }
        }
        self.net.work.require()
    }

    /// Notes boxes that arrive at a place, if they are what must not.
    pub(crate) fn arrive(&mut self, place: Place, at: &At, areas: &[Area]) {
        if self.arrived.contains_key(&place) || self.is_avoided_end(&place) {
            return;
        }
        let areas = self.unfollowed(at, areas);
        let found = self.meant(&place, at.family, &areas, |found| found.first().copied());
        if let Some(found) = found {
            let how = format!("{}: {}", self.step, area_text(at.family, &found));
            let noted = if self.may_be_followed(at) { &mut self.translated } else { &mut self.arrived };
            noted.entry(place).or_insert(how);
        }
    }

    /// The first that is wanted of the parts of boxes that must not arrive at a place.
    fn meant<T>(
        &self,
        place: &Place,
        family: Family,
        areas: &[Area],
        wanted: impl Fn(&[Area]) -> Option<T>,
    ) -> Option<T> {
        let part = self.ground.part;
        let back = part.answering().and_then(|answers| answers.back_at(place));
        let meant = back.or_else(|| part.destinations.get(place))?;
        let mut there = meant.of(family).to_vec();
        if (self.sent, family) == (Family::V6, Family::V4) {
            there.extend(embedded(meant.of(Family::V6)));
        }
        let traffic = part.traffic.seen(self.sent, family);
        let work = &self.net.work;
        for there in there.chunks(PART) {
            let areas = destined(areas, there);
            for traffic in traffic.chunks(PART).take_while(|_| !work.is_used_up()) {
                work.spend(1 + areas.len() * traffic.len());
                let found = wanted(&among(&areas, traffic));
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }

    /// What visits something that packets may pass is not meant.
    pub(crate) fn avoids(&self, id: &str) -> bool {
        self.net.work.spend(self.ground.part.avoided.len());
        self.ground.part.avoided.iter().any(|avoided| **avoided == *id)
    }

    fn is_avoided_end(&self, place: &Place) -> bool {
        match place {
            Place::Interface(id) => self.avoids(&self.net.interface(*id).meta.id),
            Place::Service(id) => self.avoids(&self.net.s.endpoints[*id].meta.id),
            _ => false,
        }
    }

    /// into every component with one of these entries.
    pub(crate) fn enter_components(&mut self, entry: &Entry, at: &At, areas: &[Area]) {
        let net = self.net;
        net.work.spend(net.components.len());
        for (id, _) in net.components.iter().filter(|(_, row)| row.entries.contains(entry)) {
            self.enter_component(id, at, areas);
        }
    }

    pub(crate) fn enter_component(&mut self, id: &str, at: &At, areas: &[Area]) {
        if !areas.is_empty() {
            self.entered.insert(id.into());
            self.arrive(Place::Component(id.into()), at, areas);
        }
    }

    /// Out of the snapshot, and into what may stand behind the exit (R-VPN-8).
    pub(crate) fn leave_snapshot(&mut self, place: Place, id: &str, at: &At, areas: &[Area]) {
        self.arrive(place, at, areas);
        self.enter_components(&Entry::RouteTarget(id.into()), at, areas);
    }

    /// Obligation (i).
    fn start(&mut self, start: &Start) -> Result<(), Rejection> {
        let all = vec![Area::full(self.sent)];
        match start {
            Start::Class(members) => self.start_class(members),
            Start::Place(Place::Component(id)) => {
                let net = self.net;
                let Some(component) = net.components.get(id) else {
                    return Err(Rejection::of(format!(
                        "cannot check what comes out of {id}: nothing shows it"
                    )));
                };
                component.exits.iter().try_for_each(|exit| self.start_exit(id, exit, &all))
            }
            Start::Place(place) => {
                let meant = self.ground.part.sources.get(place);
                let meant = meant.map_or(&[][..], |meant| meant.of(self.sent));
                let sent = self.starting(sent_from(&all, meant));
                self.start_outside(place, sent)
            }
        }
    }

    /// R-ENI-2, R-VPCE-7: each member sends from its own addresses that are meant. Members whose first step is the same are
    /// taken together: those of equal signatures.
    fn start_class(&mut self, members: &[EniId]) -> Result<(), Rejection> {
        let net = self.net;
        let mut alike: BTreeMap<_, (EniId, Vec<Area>)> = BTreeMap::new();
        for id in members.iter().filter(|id| role(net.interface(**id)) == Role::Plain) {
            net.work.spend(net.components.len());
            net.work.require()?;
            let interface = net.interface(*id);
            let own = sent_from(&[Area::full(self.sent)], &net.may_send_from(*id, self.sent));
            let sent = match self.ground.part.sources.get(&Place::Interface(*id)) {
                Some(meant) => sent_from(&own, meant.of(self.sent)),
                None => own,
            };
            let subnets: Vec<SubnetId> = subnets_of(interface).collect();
            let signature =
                (interface.vpc.known(), subnets, identity(net, *id), net.live(*id), unchecked(interface));
            let around = net.around(*id);
            let sent = self.starting(sent);
            alike.entry((signature, around)).or_insert_with(|| (*id, Vec::new())).1.extend(sent);
        }
        for (id, sent) in alike.into_values() {
            let at = At { sender: identity(net, id), origin: Origin::Local, family: self.sent };
            self.send(id, &at, sent)?;
        }
        Ok(())
    }

    fn start_outside(&mut self, place: &Place, areas: Vec<Area>) -> Result<(), Rejection> {
        let at = At { sender: Sender::Nobody, origin: Origin::Virtual, family: self.sent };
        match place {
            Place::Internet => {
                let areas = self.public_senders(&at, areas);
                self.lead(Site::Internet, &at, &areas)
            }
            Place::Gateway { id, vpc } => self.start_gateway(id, *vpc, &at, &areas),
            Place::Attachment(id) => self.start_attachment(*id, &At { sender: Sender::Anyone, ..at }, &areas),
            Place::Peer(id) => self.start_peer(*id, &at, &areas),
            Place::Service(id) if self.is_answer() => {
                self.start_service(*id, &at, &areas);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// any header from an exit of a component.
    fn start_exit(&mut self, id: &str, exit: &Exit, all: &[Area]) -> Result<(), Rejection> {
        let net = self.net;
        let at = At { sender: Sender::Nobody, origin: Origin::Component, family: self.sent };
        let knows = net.components.get(id).is_some_and(|row| row.may_know_senders);
        let sender = if knows { Sender::Anyone } else { Sender::Nobody };
        match exit {
            Exit::Interface { interface, keeps_groups } => {
                let own = sent_from(all, &net.own(*interface, self.sent));
                let itself = At { sender: identity(net, *interface), ..at.from(Origin::Local) };
                self.send(*interface, &itself, if *keeps_groups { all.to_vec() } else { own })?;
                self.send(*interface, &at.from(Origin::Local), all.to_vec())
            }
            Exit::HiddenInterface { subnet, groups } => {
                let mut groups = groups.clone();
                groups.sort();
                groups.dedup();
                let hidden = At { sender: Sender::Groups(groups), ..at.from(Origin::Local) };
                self.send_from(*subnet, &hidden, all)
            }
            Exit::Subnet(subnet) => self.send_from(*subnet, &At { sender, ..at }, all),
            Exit::Vpc(vpc) => {
                self.deliver(*vpc, None, &At { sender, ..at }, all);
                Ok(())
            }
            Exit::Internet => self.lead(Site::Internet, &at, all),
            Exit::Table(table) => match net.s.route_tables[*table].vpc.known() {
                Some(vpc) => self.lead(Site::Route { table: Some(*table), vpc, from: None }, &at, all),
                None => Ok(()),
            },
            Exit::Attachment(by) => self.lead(Site::Transit(*by), &At { sender, ..at }, all),
        }
    }

    /// R-CORE-3 `emit`, R-MBX-4: out of an interface. A-21: copies of what a mirrored one sends go elsewhere, too.
    fn send(&mut self, id: EniId, at: &At, areas: Vec<Area>) -> Result<(), Rejection> {
        let interface = self.net.interface(id);
        if !self.net.live(id) || areas.is_empty() {
            return Ok(());
        }
        if unchecked(interface) {
            self.enter_components(&Entry::Interface(id), at, &areas);
        }
        self.enter_components(&Entry::Sender(id), at, &areas);
        let areas = if self.is_answer() {
            areas
        } else {
            tidy(self.net.let_out(id, areas, at.family, self.ground.part.answers))
        };
        subnets_of(interface).try_for_each(|subnet| self.send_from(subnet, at, &areas))
    }

    /// R-ROUTE-2, R-ROUTE-2b, R-MBX-9, R-VPCE-14, R-ADDR-15: what is in a subnet may be delivered there, handed to an
    /// unchecked neighbour, reach VPC Lattice, or leave by the router.
    fn send_from(&mut self, subnet: SubnetId, at: &At, areas: &[Area]) -> Result<(), Rejection> {
        let net = self.net;
        let link = net.link(subnet, at.family);
        if let Some(vpc) = net.s.subnets[subnet].vpc.known() {
            self.deliver(vpc, Some(subnet), at, &destined(areas, &link));
        }
        let local = destined(areas, &intervals(&blocks(&LINK_LOCAL), at.family));
        let local = if link.is_empty() { Vec::new() } else { local };
        net.work.spend(areas.len() * net.in_subnet.get(&subnet).map_or(0, Vec::len));
        for id in net.in_subnet.get(&subnet).into_iter().flatten().filter(|id| net.live(**id)) {
            self.reach_neighbour(*id, at, areas, &local);
        }
        let lattice = destined(areas, &intervals(&blocks(&LATTICE), at.family));
        for (id, _) in net.components.iter().filter(|(_, row)| row.is_lattice) {
            self.enter_component(id, at, &lattice);
        }
        let leaving = sent_from(areas, &complement(&blocks(&LINK_LOCAL), at.family));
        self.leave(subnet, at, leaving)
    }

    fn reach_neighbour(&mut self, id: EniId, at: &At, areas: &[Area], local: &[Area]) {
        let net = self.net;
        let interface = net.interface(id);
        if !self.ground.notable.contains(&id) {
            return;
        }
        let hands = unchecked(interface) && role(interface) == Role::Plain;
        if hands && self.admits(id, at, areas) {
            self.enter_components(&Entry::Interface(id), at, areas);
        }
        if !local.is_empty() && !self.avoids(&interface.meta.id) {
            self.receive_own(id, at, local);
        }
    }

    /// R-NACL-6, R-NAT-3, A-14: out of a subnet to the router; no list stands before the NAT gateway of the same subnet.
    pub(crate) fn leave(&mut self, subnet: SubnetId, at: &At, areas: Vec<Area>) -> Result<(), Rejection> {
        let net = self.net;
        let Some(vpc) = net.s.subnets[subnet].vpc.known() else { return Ok(()) };
        for table in net.tables(subnet) {
            let unfiltered = destined(&areas, &net.own_nat(table, subnet, vpc, at.family));
            self.lead_to_table(table, vpc, Some(subnet), at, &unfiltered)?;
        }
        let passed = net.pass_acl(subnet, true, areas, at.family);
        self.route_from(subnet, at, &passed)
    }

    /// R-ROUTE-3b: to the tables of a subnet.
    pub(crate) fn route_from(&mut self, subnet: SubnetId, at: &At, areas: &[Area]) -> Result<(), Rejection> {
        let net = self.net;
        let Some(vpc) = net.s.subnets[subnet].vpc.known() else { return Ok(()) };
        net.tables(subnet)
            .into_iter()
            .try_for_each(|table| self.lead_to_table(table, vpc, Some(subnet), at, areas))
    }

    /// To a table, or to what stands for it.
    pub(crate) fn lead_to_table(
        &mut self,
        table: Table,
        vpc: VpcId,
        from: Option<SubnetId>,
        at: &At,
        areas: &[Area],
    ) -> Result<(), Rejection> {
        let listed = |table: Option<RouteTableId>| Site::Route { table, vpc, from };
        match table {
            Table::Listed(table) => self.lead(listed(Some(table)), at, areas),
            Table::Unknown => self.lead(listed(None), at, areas),
            Table::Implicit => {
                let inside = destined(areas, &self.net.vpc_blocks(vpc, at.family));
                self.deliver(vpc, from, at, &inside);
                Ok(())
            }
        }
    }

    /// R-CORE-3 `vpc_deliver`, R-ADDR-3, A-34: to every interface that owns a destination.
    pub(crate) fn deliver(&mut self, vpc: VpcId, from: Option<SubnetId>, at: &At, areas: &[Area]) {
        let net = self.net;
        if areas.is_empty() {
            return;
        }
        net.work.spend(net.interfaces_of(vpc).len());
        for id in net.interfaces_of(vpc).iter().filter(|id| self.ground.notable.contains(id)) {
            net.work.spend(areas.len());
            let own = destined(areas, &net.own(*id, at.family));
            if own.is_empty() || !net.live(*id) || self.avoids(&net.interface(*id).meta.id) {
                continue;
            }
            for subnet in subnets_of(net.interface(*id)) {
                let entered = net.enter(subnet, from, own.clone(), at.family);
                self.receive_own(*id, at, &entered);
            }
        }
        self.deliver_unseen(vpc, from, at, areas);
    }

    /// A-10, R-LB-2, R-ADDR-13: to addresses that no interface owns, where nobody shows all interfaces.
    fn deliver_unseen(&mut self, vpc: VpcId, from: Option<SubnetId>, at: &At, areas: &[Area]) {
        let net = self.net;
        net.work.spend(net.s.subnets.len());
        for (subnet, record) in net.s.subnets.iter().filter(|(_, record)| record.vpc.known() == Some(vpc)) {
            let foreign = hides_interfaces(net.s, &record.meta);
            let entry = Entry::HiddenInterface(subnet);
            let hides = net.components.values().any(|row| row.entries.contains(&entry));
            if foreign || hides {
                let there = net.unowned(vpc, subnet, at.family);
                let entered = net.enter(subnet, from, destined(areas, &there), at.family);
                self.enter_components(&entry, at, &entered);
                if foreign {
                    self.arrive_unseen(subnet, at, &entered);
                }
            }
        }
    }

    /// At an interface that no call shows; whether an answer is back there nobody knows.
    fn arrive_unseen(&mut self, subnet: SubnetId, at: &At, areas: &[Area]) {
        let place = Place::Unseen(subnet);
        match areas.first() {
            Some(area) if self.is_answer() => {
                let how = format!("{}: {}", self.step, area_text(at.family, area));
                self.arrived.entry(place).or_insert(how);
            }
            _ => self.arrive(place, at, areas),
        }
    }

    /// R-CORE-3 `recv`: into an interface, whose addresses the boxes are for.
    pub(crate) fn receive_own(&mut self, id: EniId, at: &At, areas: &[Area]) {
        if self.admits(id, at, areas) {
            self.enter_components(&Entry::Interface(id), at, areas);
        }
        if role(self.net.interface(id)) != Role::Transit {
            let place = Place::Interface(id);
            let areas = self.unfollowed(at, areas);
            let admitted = |meant: &[Area]| self.admits(id, at, meant).then(|| meant.to_vec());
            if let Some(meant) = self.meant(&place, at.family, &areas, admitted) {
                self.arrive(place, at, &meant);
            }
        }
    }

    /// R-MBX-1: by a route to an interface; an unchecked one takes whatever comes. The sender's identity is lost (R-SG-10).
    pub(crate) fn hop_to_interface(&mut self, id: EniId, from: Option<SubnetId>, at: &At, areas: &[Area]) {
        let net = self.net;
        let interface = net.interface(id);
        if !net.live(id) || self.avoids(&interface.meta.id) {
            return;
        }
        let (known, at) = (at, at.unknown_sender());
        for subnet in subnets_of(interface) {
            let entered = net.enter(subnet, from, areas.to_vec(), at.family);
            if unchecked(interface) && self.admits(id, &at, &entered) {
                self.enter_components(&Entry::Interface(id), &at, &entered);
            }
            // No text says that the identity is lost of what is for that very interface.
            let addressed = destined(&entered, &net.own(id, at.family));
            self.receive_own(id, &at, &addressed);
            self.receive_own(id, known, &addressed);
        }
    }

    /// R-IGW-4, R-IGW-12: senders that may come in from the internet.
    pub(crate) fn public_senders(&self, at: &At, areas: Vec<Area>) -> Vec<Area> {
        sent_from(&areas, &complement(&blocks(&PRIVATE), at.family))
    }

    /// In from behind an attachment (R-TGW-11, R-TGW-15).
    fn start_attachment(&mut self, id: AttachmentId, at: &At, areas: &[Area]) -> Result<(), Rejection> {
        let net = self.net;
        let record = net.attachment(id);
        match net.attached_vpc(id) {
            _ if !usable(&record.state) || self.avoids_attachment(id) => Ok(()),
            Some(vpc) if net.has_strangers(record) => self.enter_vpc(id, id, vpc, at, areas),
            _ => self.lead(Site::Transit(id), at, areas),
        }
    }
}
