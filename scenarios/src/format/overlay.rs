//! How a scenario changes the network it is based on: attribute by attribute, item by item.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};
use serde::Deserialize;

use super::route::{Targets, TransitRoute};
use super::rule::{AclRule, GroupPermission};

/// A description that a later one can be laid over.
pub(crate) trait Overlay {
    /// Takes over what `later` states; what it does not state stays.
    fn overlay(&mut self, later: Self);
}

/// Attributes that are stated as a whole: the later value replaces the earlier.
macro_rules! replaced {
    ($($type:ty),* $(,)?) => {$(
        impl Overlay for $type {
            fn overlay(&mut self, later: Self) {
                *self = later;
            }
        }
    )*};
}

replaced!(
    String,
    bool,
    u32,
    IpAddr,
    Ipv4Addr,
    Ipv6Addr,
    IpNet,
    Ipv4Net,
    Targets,
    TransitRoute,
    AclRule,
    GroupPermission
);

impl<T> Overlay for Vec<T> {
    fn overlay(&mut self, later: Self) {
        *self = later;
    }
}

impl<T: Overlay> Overlay for Option<T> {
    fn overlay(&mut self, later: Self) {
        match (self, later) {
            (_, None) => {}
            (Some(earlier), Some(later)) => earlier.overlay(later),
            (slot, later) => *slot = later,
        }
    }
}

/// Things by id. An item whose value is null removes the earlier item of that id.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(transparent)]
pub(crate) struct Items<T>(BTreeMap<String, Option<T>>);

impl<T> Default for Items<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Items<T> {
    /// The items that are there, ascending by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().filter_map(|(id, item)| Some((id.as_str(), item.as_ref()?)))
    }

    /// The item of that id.
    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.0.get(id)?.as_ref()
    }
}

impl<T: Overlay> Overlay for Items<T> {
    fn overlay(&mut self, later: Self) {
        for (id, item) in later.0 {
            match (self.0.get_mut(&id), item) {
                (_, None) => {
                    self.0.remove(&id);
                }
                (Some(Some(earlier)), Some(item)) => earlier.overlay(item),
                (_, item) => {
                    self.0.insert(id, item);
                }
            }
        }
    }
}
