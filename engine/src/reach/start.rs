//! Where explorations start: the sources of a network, and the exits of unmodelled components.

use std::collections::BTreeMap;

use ipnet::IpNet;
use reachproof_model::flow::World;
use reachproof_model::id::{ComponentId, EniId};
use reachproof_model::snapshot::Exit;

use super::class::Kind;
use super::explore::Explorer;
use super::state::{Place, Tag};
use super::view::{Address, View, intervals_of};
use crate::header::{Field, Set};
use crate::network::{GatewayKind, Origin, Role, SourcePlace, owned_blocks};

impl Explorer<'_, '_, '_> {
    /// Sends `headers` from a source.
    pub(super) fn start(&mut self, source: SourcePlace, headers: Set) {
        match source {
            SourcePlace::Interface(interface) => self.start_interface(interface, headers),
            SourcePlace::Internet => self.start_internet(headers),
            SourcePlace::Gateway(gateway) => {
                let virtual_gateway = self.network().gateways()[gateway].kind == GatewayKind::Virtual;
                let state = self.started(Place::In { gateway }, Tag::None, Origin::Virtual);
                self.push(state, if virtual_gateway { headers } else { Set::EMPTY });
            }
            SourcePlace::Attachment(attachment) => {
                let tag = if self.world == World::Over { Tag::Stranger } else { Tag::None };
                let state = self.started(Place::Transit { by: attachment }, tag, Origin::Transit);
                self.come_from_attachment(attachment, &state, headers);
            }
            SourcePlace::Peer(peering) => {
                let state = self.started(Place::Internet, Tag::None, Origin::Peering);
                self.come_from_peer(peering, &state, headers);
            }
            SourcePlace::Component(component) if self.components.is_empty() => {
                self.start_component(component, headers);
            }
            SourcePlace::Component(_) => self.start_components(headers),
        }
    }

    /// R-VPCE-7, R-NAT-5, R-ENI-2: interfaces send with their own addresses, unless they never start anything.
    fn start_interface(&mut self, interface: EniId, headers: Set) {
        let Kind::Crowd(crowd) = self.kind else {
            let senders = self.senders.clone();
            return self.start_alike(interface, Tag::Of(interface), &senders, headers);
        };
        for (start, senders) in self.starts() {
            self.start_alike(start, Tag::Among(crowd), &senders, headers);
        }
    }

    /// The senders of a crowd, those together that send alike but for their groups, by the first of these.
    fn starts(&self) -> BTreeMap<EniId, Vec<EniId>> {
        let mut starts: BTreeMap<EniId, Vec<EniId>> = BTreeMap::new();
        for sender in &self.senders {
            starts.entry(self.index.crowds().start_of(*sender)).or_default().push(*sender);
        }
        starts
    }

    /// For each kind of sender an example, with the headers that those of its kind send; `only` is the one where they are
    /// no crowd.
    pub(super) fn clients(&mut self, only: EniId) -> Vec<(EniId, Set)> {
        if !matches!(self.kind, Kind::Crowd(_)) {
            return vec![(only, Set::FULL)];
        }
        let starts = self.starts().into_iter();
        starts.map(|(start, senders)| (start, self.sources_of(start, &senders))).collect()
    }

    /// From interfaces that start like one of them.
    fn start_alike(&mut self, interface: EniId, tag: Tag, senders: &[EniId], headers: Set) {
        let idle = self.world == World::Under && self.network().is_idle(interface);
        let silent = !self.replying() && !Role::of(self.network().interface(interface)).initiates();
        if idle || silent {
            return;
        }
        let own = self.sources_of(interface, senders);
        let sent = self.arena.intersection(headers, own);
        self.push(self.started(Place::Send(interface), tag, Origin::Local), sent);
    }

    /// R-ENI-2, R-ADDR-15: what senders may have as sources, as far as this exploration is about it.
    fn sources_of(&mut self, interface: EniId, senders: &[EniId]) -> Set {
        let network = self.network();
        let blocks: Vec<IpNet> = match self.kind {
            Kind::LinkLocal => Vec::new(),
            _ => senders.iter().flat_map(|id| owned_blocks(network.interface(*id))).collect(),
        };
        let own = self.among(&View::sent(self.family), Address::Source, &intervals_of(&blocks, self.family));
        // Whether they have link-local ones is a matter of their subnets, which they share.
        let local = match self.kind {
            Kind::Crowd(_) => Set::EMPTY,
            Kind::Alike | Kind::LinkLocal => self.link_local_sources(interface),
        };
        self.arena.union(own, local)
    }

    /// R-IGW-12: from the internet, to anything that is not of the internet itself.
    fn start_internet(&mut self, headers: Set) {
        let state = self.started(Place::Internet, Tag::None, Origin::Internet);
        let sent = self.internet_senders(&state.view, headers);
        self.push(state, sent);
    }

    /// Several components at once; what comes out of each carries its position.
    fn start_components(&mut self, headers: Set) {
        for (position, component) in (0_u128..).zip(self.components.clone()) {
            let own = self.arena.interval(Field::Start, position, position);
            let sent = self.arena.intersection(headers, own);
            self.start_component(component, sent);
        }
    }

    /// any header from every exit of a component. Permissive world only.
    fn start_component(&mut self, component: ComponentId, headers: Set) {
        if self.world == World::Under {
            return;
        }
        let exits = &self.network().components()[component].exits;
        for (position, exit) in exits.iter().enumerate() {
            let position = u16::try_from(position).unwrap_or(u16::MAX);
            self.start_exit(component, position, exit, headers);
        }
    }

    fn start_exit(&mut self, component: ComponentId, position: u16, exit: &Exit, headers: Set) {
        let blank = self.started(Place::Internet, Tag::None, Origin::Component);
        let tag = if self.network().may_keep_identity(component) { Tag::Stranger } else { Tag::None };
        match exit {
            Exit::Interface { interface, keeps_groups } => {
                self.start_relay(*interface, *keeps_groups, headers)
            }
            Exit::HiddenInterface { subnet, .. } => {
                let state = blank.tagged(Tag::Hidden(component, position)).with_origin(Origin::Local);
                self.send_from(*subnet, None, &state, headers);
            }
            Exit::Subnet(subnet) => self.send_from(*subnet, None, &blank.tagged(tag), headers),
            Exit::Vpc(vpc) => {
                self.push(blank.at(Place::Deliver { vpc: *vpc, from: None }).tagged(tag), headers);
            }
            Exit::Internet => self.push(blank, headers),
            Exit::Table(table) => {
                let Some(vpc) = self.network().snapshot.route_tables[*table].vpc.known() else { return };
                let table = crate::network::TableChoice::Table(*table);
                self.push(blank.at(Place::Route { table, vpc, from: None }), headers);
            }
            Exit::Attachment(by) => self.push(blank.at(Place::Transit { by: *by }).tagged(tag), headers),
        }
    }

    /// R-MBX-3: out of an interface, with its groups if the source is its own (or the component keeps them).
    fn start_relay(&mut self, interface: EniId, keeps_groups: bool, headers: Set) {
        let own = self.own_sources(interface);
        let as_itself = if keeps_groups { headers } else { self.arena.intersection(headers, own) };
        let forged = if self.certifying { headers } else { self.arena.difference(headers, as_itself) };
        let state = self.started(Place::Send(interface), Tag::Of(interface), Origin::Local);
        self.push(state.clone(), as_itself);
        self.push(state.tagged(Tag::None), forged);
    }
}
