//! A scenario file in the making.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use serde_json::{Map, Value, json};

/// The sections of a network, each with its things by id, and the raw answers laid over them.
#[derive(Debug, Default)]
pub(super) struct Draft {
    sections: BTreeMap<&'static str, BTreeMap<String, Map<String, Value>>>,
    block_public_access: Option<Value>,
    aws: Map<String, Value>,
    /// How many addresses of each subnet are taken.
    taken: BTreeMap<String, u8>,
    /// How many public addresses are taken.
    public: u8,
}

impl Draft {
    /// Adds a thing, unless there is one of that id.
    pub(super) fn add(&mut self, section: &'static str, id: &str, attributes: Value) {
        let Value::Object(attributes) = attributes else { return };
        self.sections.entry(section).or_default().entry(id.to_owned()).or_insert(attributes);
    }

    /// Sets an attribute of a thing that is there.
    pub(super) fn set(&mut self, section: &'static str, id: &str, attribute: &str, value: Value) {
        if let Some(thing) = self.sections.get_mut(section).and_then(|things| things.get_mut(id)) {
            thing.insert(attribute.to_owned(), value);
        }
    }

    /// Appends to a list attribute of a thing that is there.
    pub(super) fn append(&mut self, section: &'static str, id: &str, attribute: &str, value: Value) {
        let Some(thing) = self.sections.get_mut(section).and_then(|things| things.get_mut(id)) else {
            return;
        };
        if let Value::Array(list) = thing.entry(attribute).or_insert_with(|| json!([])) {
            list.push(value);
        }
    }

    /// Sets an item of an attribute that holds items by key: routes, public addresses.
    pub(super) fn set_item(
        &mut self,
        section: &'static str,
        id: &str,
        attribute: &str,
        key: &str,
        value: Value,
    ) {
        let Some(thing) = self.sections.get_mut(section).and_then(|things| things.get_mut(id)) else {
            return;
        };
        if let Value::Object(items) = thing.entry(attribute).or_insert_with(|| json!({})) {
            items.insert(key.to_owned(), value);
        }
    }

    /// An attribute of a thing.
    pub(super) fn get(&self, section: &str, id: &str, attribute: &str) -> Option<&Value> {
        self.sections.get(section)?.get(id)?.get(attribute)
    }

    /// An attribute that is text.
    pub(super) fn text_of(&self, section: &str, id: &str, attribute: &str) -> Option<String> {
        self.get(section, id, attribute)?.as_str().map(str::to_owned)
    }

    /// The ids of a section, ascending.
    pub(super) fn ids(&self, section: &str) -> Vec<String> {
        self.sections.get(section).into_iter().flat_map(BTreeMap::keys).cloned().collect()
    }

    /// The ids of a section whose things say that they are of this VPC.
    pub(super) fn ids_of(&self, section: &str, vpc: &str) -> Vec<String> {
        let mut ids = self.ids(section);
        ids.retain(|id| self.vpc_of(section, id).as_deref() == Some(vpc));
        ids
    }

    /// The VPC of a thing, by itself or by its subnet.
    pub(super) fn vpc_of(&self, section: &str, id: &str) -> Option<String> {
        self.text_of(section, id, "vpc").or_else(|| {
            let subnet = self.text_of(section, id, "subnet")?;
            self.text_of("subnets", &subnet, "vpc")
        })
    }

    /// An id that the section does not have: the prefix with the lowest free number.
    pub(super) fn fresh(&self, section: &str, prefix: &str) -> String {
        let taken = self.ids(section);
        let mut names = (1_u32..).map(|number| format!("{prefix}-{number}"));
        names.find(|name| !taken.contains(name)).unwrap_or_default()
    }

    /// The next free IPv4 address of a subnet: 10, 11, … after its first.
    pub(super) fn address(&mut self, subnet: &str) -> Option<Ipv4Addr> {
        let block: Ipv4Net = self.text_of("subnets", subnet, "cidr")?.parse().ok()?;
        let taken = self.taken.entry(subnet.to_owned()).or_default();
        *taken = taken.saturating_add(1);
        Some(Ipv4Addr::from(u32::from(block.network()).saturating_add(9).saturating_add(u32::from(*taken))))
    }

    /// The IPv6 address of a subnet that ends like an IPv4 one.
    pub(super) fn ipv6_like(&self, subnet: &str, like: Ipv4Addr) -> Option<Ipv6Addr> {
        let block: Ipv6Net = self.text_of("subnets", subnet, "ipv6")?.parse().ok()?;
        let [.., last] = like.octets();
        Some(Ipv6Addr::from(u128::from(block.network()) | u128::from(last)))
    }

    /// The next free public address.
    pub(super) fn public_address(&mut self) -> Ipv4Addr {
        self.public = self.public.saturating_add(1);
        Ipv4Addr::new(198, 51, 100, self.public)
    }

    /// Sets Block Public Access.
    pub(super) fn block_public_access(&mut self, block: Value) {
        self.block_public_access = Some(block);
    }

    /// Lays raw JSON over an answer; null removes it.
    pub(super) fn lay_over(&mut self, key: &str, value: Value) {
        self.aws.insert(key.to_owned(), value);
    }

    /// The file.
    pub(super) fn into_text(self) -> String {
        let mut network: Map<String, Value> =
            self.sections.into_iter().map(|(section, things)| (section.to_owned(), json!(things))).collect();
        network.extend(self.block_public_access.map(|block| ("block-public-access".to_owned(), block)));
        let file = json!({
            "reachproof": "scenario/v1", "name": "random", "title": "a random network", "network": network,
            "aws": self.aws,
        });
        format!("{file}\n")
    }
}
