//! The names that people gave to what has an id.

use std::collections::BTreeMap;

use reachproof_engine::network::Network;
use reachproof_model::snapshot::Meta;

use crate::style::visible;

/// `Name` tags by id. An interface without one has that of its instance; an id with two names has none.
pub struct Names<'n> {
    by_id: BTreeMap<&'n str, Option<&'n str>>,
}

impl<'n> Names<'n> {
    /// The names in a network.
    pub fn of(network: &'n Network<'_>) -> Self {
        let mut names = Self { by_id: BTreeMap::new() };
        let snapshot = network.snapshot;
        for (id, interface) in snapshot.interfaces.iter() {
            let instance = network.instance_of(id).and_then(|instance| snapshot.instances.get(instance));
            let of_instance = instance.and_then(|instance| name(&instance.meta));
            names.add(&interface.meta.id, name(&interface.meta).or(of_instance));
        }
        for meta in metas(network) {
            names.add(&meta.id, name(meta));
        }
        names
    }

    fn add(&mut self, id: &'n str, name: Option<&'n str>) {
        let Some(name) = name else { return };
        let known = self.by_id.entry(id).or_insert(Some(name));
        if *known != Some(name) {
            *known = None;
        }
    }

    /// The name of an id.
    pub fn get(&self, id: &str) -> Option<&'n str> {
        self.by_id.get(id).copied().flatten()
    }

    /// `eni-02a… (trainer-a)`, safe to show.
    pub fn shown(&self, id: &str) -> String {
        named(id, self.get(id))
    }
}

/// The `Name` tag, unless it is blank.
fn name(meta: &Meta) -> Option<&str> {
    meta.name().filter(|name| !name.trim().is_empty())
}

/// An id with its name, safe to show.
pub fn named(id: &str, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{} ({})", visible(id), visible(name)),
        None => visible(id).into_owned(),
    }
}

/// Everything but interfaces that a packet visits and that may be tagged.
fn metas<'n>(network: &'n Network<'_>) -> impl Iterator<Item = &'n Meta> {
    let snapshot = network.snapshot;
    (snapshot.vpcs.values().map(|row| &row.meta))
        .chain(snapshot.subnets.values().map(|row| &row.meta))
        .chain(snapshot.route_tables.values().map(|row| &row.meta))
        .chain(snapshot.internet_gateways.values().map(|row| &row.meta))
        .chain(snapshot.egress_gateways.values().map(|row| &row.meta))
        .chain(snapshot.virtual_gateways.values().map(|row| &row.meta))
        .chain(snapshot.nat_gateways.values().map(|row| &row.meta))
        .chain(snapshot.endpoints.values().map(|row| &row.meta))
        .chain(snapshot.peerings.values().map(|row| &row.meta))
        .chain(snapshot.transit_gateways.values().map(|row| &row.meta))
        .chain(snapshot.attachments.values().map(|row| &row.meta))
        .chain(snapshot.tgw_tables.values().map(|row| &row.meta))
        .chain(snapshot.policy_tables.values().map(|row| &row.meta))
}
