//! Everything that can carry traffic and that the engine does not model, so that nothing is ignored in silence.
//!
//! The main types are [`Inventories`], the answers of the calls that list such things, and the result of
//! [`components`]: one [`Component`] for each thing that an inventory lists or that the snapshot hints at (R-DATA-11).
//! An inventory that was not collected and that nothing hints at gives no component: the engine prints A-23 instead.
//!
//! Invariant: a component is never smaller than what AWS could do. Inventories only replace a hint by what they list;
//! descriptions and requester ids only ever add (R-MENI-1).

mod described;
mod dto;
mod facts;
mod guest;
mod ingress;
mod inspection;
mod lattice;
mod load_balancer;
mod neighbour;
mod own_way;
mod reading;
mod service;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::finding::Notice;
use crate::snapshot::{
    Component, ComponentKind, DxGateway, Entry, Exit, GroupPeer, GroupRule, SecurityGroup, Snapshot,
};
use crate::source::Source;

use facts::Facts;
pub(crate) use reading::{Inventories, Place, call_of, inventory_calls};

/// The components that the snapshot and the inventories show, sorted by (id, kind), and oddities of the inventories,
/// sorted. Depends on neither the order of files nor that of answers.
pub(crate) fn components(snapshot: &Snapshot, inventories: &Inventories) -> (Vec<Component>, Vec<Notice>) {
    let facts = Facts::new(snapshot, inventories);
    let mut found = Found::default();
    guest::find(&facts, &mut found);
    load_balancer::find(&facts, &mut found);
    service::find(&facts, &mut found);
    inspection::find(&facts, &mut found);
    ingress::find(&facts, &mut found);
    lattice::find(&facts, &mut found);
    neighbour::find(&facts, &mut found);
    own_way::find(&facts, &mut found);
    found.finish()
}

/// R-DATA-11: whether a rule like this one says that a managed service sends to those behind it.
pub(crate) fn tells_of_a_service(snapshot: &Snapshot, rule: &GroupRule) -> bool {
    let referenced = match &rule.peer {
        GroupPeer::Group(reference) => reference.group.known().and_then(|id| snapshot.groups.get(id)),
        _ => None,
    };
    referenced.is_some_and(|group| ingress::is_service_group(&group.group_name))
        || lattice::admits_lattice(rule, &lattice::lists(snapshot))
}

/// Whether what carries the group is one of a managed service, or one that such a service sends to.
pub(crate) fn tells_of_a_service_group(snapshot: &Snapshot, group: &SecurityGroup) -> bool {
    ingress::is_service_group(&group.group_name)
        || group.ingress.iter().flatten().any(|rule| tells_of_a_service(snapshot, rule))
}

impl Inventories {
    /// The Direct Connect gateways that the inventories list, sorted by id (R-VPN-8).
    pub(crate) fn dx_gateways(&self) -> Vec<DxGateway> {
        neighbour::dx_gateways(self)
    }

    /// The interfaces of SageMaker notebook instances that were described.
    pub(crate) fn notebook_interfaces(&self) -> BTreeSet<&str> {
        self.notebook_interfaces_by_file().into_iter().map(|(_, interface)| interface).collect()
    }
}

/// What was found so far.
#[derive(Default)]
struct Found {
    components: Vec<Component>,
    notices: Vec<Notice>,
}

impl Found {
    /// Adds a component. One without a way in carries nothing and is left out; one without a way out within the
    /// snapshot gives a notice instead.
    fn add(&mut self, kind: ComponentKind, id: &str, why: String, source: &Source, paths: Paths) {
        if paths.exits.is_empty() {
            self.notice(id, "nothing that this leads to is in the snapshot", source);
        }
        if paths.entries.is_empty() || paths.exits.is_empty() {
            return;
        }
        let Paths { entries, exits } = paths;
        let (id, why) = (id.into(), why.into_boxed_str());
        self.components.push(Component { id, kind, why, entries, exits, source: source.clone() });
    }

    fn notice(&mut self, resource: &str, message: &str, source: &Source) {
        let source = Some(source.clone());
        self.notices.push(Notice { resource: resource.into(), message: message.into(), source });
    }

    /// Canonical order; what several answers say about one thing is united.
    fn finish(mut self) -> (Vec<Component>, Vec<Notice>) {
        self.components
            .sort_by(|a, b| (&a.id, a.kind, &a.source, &a.why).cmp(&(&b.id, b.kind, &b.source, &b.why)));
        let mut united: Vec<Component> = Vec::with_capacity(self.components.len());
        for next in self.components {
            match united.last_mut() {
                Some(last) if last.id == next.id && last.kind == next.kind => unite(last, next),
                _ => united.push(next),
            }
        }
        for component in &mut united {
            component.entries.sort();
            component.entries.dedup();
            component.exits.sort();
            component.exits.dedup();
        }
        self.notices.sort();
        self.notices.dedup();
        (united, self.notices)
    }
}

fn unite(first: &mut Component, second: Component) {
    first.entries.extend(second.entries);
    first.exits.extend(second.exits);
}

/// The ways into and out of a component.
#[derive(Clone, Default)]
struct Paths {
    entries: Vec<Entry>,
    exits: Vec<Exit>,
}

impl Paths {
    fn new(entries: impl IntoIterator<Item = Entry>, exits: impl IntoIterator<Item = Exit>) -> Self {
        Self { entries: entries.into_iter().collect(), exits: exits.into_iter().collect() }
    }
}
