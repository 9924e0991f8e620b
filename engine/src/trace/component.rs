//! Unmodelled components: anything may come out of them. Only the permissive world enters them.

use reachproof_model::flow::World;
use reachproof_model::id::ComponentId;
use reachproof_model::snapshot::{ComponentKind, Entry, Exit};

use super::Tracer;
use super::leg::{Branch, Leg};
use super::packet::{Packet, Tag};
use super::place::{Entrance, Memory, Place};
use crate::evidence::HopKind;
use crate::network::{Origin, Sink, TableChoice};

impl Tracer<'_, '_> {
    /// Into each of these components.
    pub(super) fn enter_all<'c>(
        &self,
        leg: &Leg,
        components: impl IntoIterator<Item = &'c ComponentId>,
    ) -> Vec<Branch> {
        components.into_iter().map(|component| leg.clone().to(Place::Component(*component))).collect()
    }

    /// R-VPCE-14: the components that stand for VPC Lattice.
    pub(super) fn lattice_components(&self) -> Vec<ComponentId> {
        let all = self.network.components().iter();
        all.filter(|(_, component)| component.kind == ComponentKind::Lattice).map(|(id, _)| id).collect()
    }

    /// Those that senders outside the snapshot can enter from nowhere that it shows.
    pub(super) fn entered_from_anywhere(&self) -> Vec<ComponentId> {
        let all = self.network.components().iter();
        all.filter(|(_, component)| component.entries.contains(&Entry::Anywhere)).map(|(id, _)| id).collect()
    }

    /// taken in; and out again by every exit, with any header.
    pub(super) fn component(&self, mut leg: Leg, id: ComponentId) -> Vec<Branch> {
        self.visit_component(&mut leg, id);
        let arrived = leg.clone().arrive(Sink::Component(id));
        if !self.beyond_components {
            return vec![arrived];
        }
        leg.state.packet = Packet::ANY;
        leg.state.memory = Memory { opaque: true, ..Memory::default() };
        std::iter::once(arrived).chain(self.exits(&leg, id)).collect()
    }

    /// From a component, with this very header.
    pub(super) fn sent_by_component(&self, mut leg: Leg, id: ComponentId) -> Vec<Branch> {
        if self.world == World::Under {
            return leg.dropped("A-22", "what a component sends is not known");
        }
        self.visit_component(&mut leg, id);
        self.exits(&leg, id)
    }

    fn visit_component(&self, leg: &mut Leg, id: ComponentId) {
        let component = &self.network.components()[id];
        leg.visit(HopKind::Component, &component.id);
        let numbers: &[u8] = match component.kind {
            ComponentKind::Middlebox | ComponentKind::Inspection => &[6],
            _ => &[22],
        };
        leg.assume(numbers);
        leg.notes.components.insert(id);
        leg.notes.reasons.insert(component.why.clone());
    }

    fn exits(&self, leg: &Leg, id: ComponentId) -> Vec<Branch> {
        let exits = &self.network.components()[id].exits;
        exits.iter().flat_map(|exit| self.exit(leg.clone(), id, exit)).collect()
    }

    fn exit(&self, mut leg: Leg, id: ComponentId, exit: &Exit) -> Vec<Branch> {
        leg.state.tag = Tag::None;
        leg.state.entered = None;
        leg.state.origin = Origin::Component;
        let known_on = matches!(exit, Exit::Vpc(_) | Exit::Subnet(_) | Exit::Attachment(_));
        if known_on && self.network.may_keep_identity(id) {
            leg.state.tag = Tag::Stranger;
        }
        let place = match exit {
            Exit::Interface { interface, keeps_groups } => {
                return self.by_interface(leg, *interface, *keeps_groups);
            }
            Exit::HiddenInterface { subnet, groups } => {
                leg.state.tag = Tag::Hidden(groups.clone());
                leg.state.origin = Origin::Local;
                Place::Inside(*subnet)
            }
            Exit::Subnet(subnet) => Place::Inside(*subnet),
            Exit::Vpc(vpc) => Place::Router { vpc: *vpc, from: None },
            Exit::Internet => Place::Internet,
            Exit::Table(table) => match self.network.snapshot.route_tables[*table].vpc.known() {
                Some(vpc) => Place::Table {
                    choice: TableChoice::Table(*table),
                    vpc,
                    from: None,
                    entry: Entrance::Plain,
                },
                None => return Vec::new(),
            },
            Exit::Attachment(attachment) => Place::LookUp(*attachment),
        };
        vec![leg.to(place)]
    }

    /// R-MBX-3: from an interface; with a foreign source its groups show only where the component keeps them.
    fn by_interface(
        &self,
        mut leg: Leg,
        interface: reachproof_model::id::EniId,
        keeps_groups: bool,
    ) -> Vec<Branch> {
        let own = |ip| crate::network::owns(self.network.interface(interface), ip);
        if keeps_groups || leg.state.packet.source.passes(World::Over, own) {
            leg.state.tag = Tag::Of(interface);
        }
        vec![leg.to(Place::Sending { interface, by_component: true })]
    }
}
