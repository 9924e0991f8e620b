//! Look-ups in a description that several parts of the expansion need.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Fault;
use super::answers::Place;
use crate::format::network::{Network, Vpc};
use crate::format::overlay::Items;

/// The account of everything that names no other.
pub(super) const ACCOUNT: &str = "111111111111";
/// The Region of everything that names no other.
pub(super) const REGION: &str = "us-east-1";

/// The moment at which everything was created.
pub(crate) const MOMENT: &str = "2026-01-05T09:00:00+00:00";

/// A description, with look-ups.
pub(super) struct Context<'a> {
    pub(super) network: &'a Network,
}

/// The items of an attribute that may not be stated.
pub(super) fn items<T>(items: Option<&Items<T>>) -> impl Iterator<Item = (&str, &T)> {
    items.into_iter().flat_map(Items::iter)
}

/// The elements of an attribute that may not be stated.
pub(super) fn list<T>(list: Option<&Vec<T>>) -> impl Iterator<Item = &T> {
    list.into_iter().flatten()
}

/// The attribute, or an error that says whose it is.
pub(super) fn need<'a, T>(value: Option<&'a T>, whose: &str, what: &str) -> Result<&'a T, Fault> {
    value.ok_or_else(|| format!("`{whose}` needs `{what}`"))
}

/// The attribute as text, or what it is if not stated.
pub(super) fn or<'a>(value: Option<&'a String>, usual: &'a str) -> &'a str {
    value.map_or(usual, String::as_str)
}

/// Tags as AWS prints them.
pub(super) fn tags(tags: Option<&Items<String>>) -> Value {
    items(tags).map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

impl<'a> Context<'a> {
    /// Look-ups in this description.
    pub(super) fn new(network: &'a Network) -> Self {
        Self { network }
    }

    /// Accounts and Regions with a VPC; the usual one if there is none.
    pub(super) fn places(&self) -> BTreeSet<Place> {
        let mut places: BTreeSet<_> =
            items(self.network.vpcs.as_ref()).map(|(_, vpc)| place_of(vpc)).collect();
        if places.is_empty() {
            places.insert(usual_place());
        }
        places
    }

    /// Whether documents need folders to tell accounts and Regions: there are several, or things of other owners.
    pub(super) fn is_scoped(&self) -> bool {
        let network = self.network;
        let places: BTreeSet<_> = items(network.vpcs.as_ref()).map(|(_, vpc)| place_of(vpc)).collect();
        let owners = items(network.vpcs.as_ref())
            .map(|(_, vpc)| vpc.owner.as_ref())
            .chain(items(network.subnets.as_ref()).map(|(_, subnet)| subnet.owner.as_ref()))
            .chain(items(network.interfaces.as_ref()).map(|(_, interface)| interface.owner.as_ref()))
            .chain(items(network.security_groups.as_ref()).map(|(_, group)| group.owner.as_ref()))
            .chain(items(network.transit_gateways.as_ref()).map(|(_, gateway)| gateway.owner.as_ref()));
        places.len() > 1 || owners.flatten().next().is_some()
    }

    /// Where a VPC is described.
    pub(super) fn place(&self, vpc: &str) -> Result<Place, Fault> {
        self.vpc(vpc).map(place_of)
    }

    /// The VPC of that id.
    pub(super) fn vpc(&self, id: &str) -> Result<&'a Vpc, Fault> {
        find(self.network.vpcs.as_ref(), id, "VPC")
    }

    /// The VPC of a subnet.
    pub(super) fn vpc_of_subnet(&self, subnet: &str) -> Result<&'a str, Fault> {
        let found = find(self.network.subnets.as_ref(), subnet, "subnet")?;
        need(found.vpc.as_ref(), subnet, "vpc").map(String::as_str)
    }

    /// The number of the zone of a subnet, from 1.
    pub(super) fn zone(&self, subnet: &str) -> Result<u32, Fault> {
        Ok(find(self.network.subnets.as_ref(), subnet, "subnet")?.zone.unwrap_or(1))
    }

    /// The name of a security group: its id without the prefix unless it states one.
    pub(super) fn group_name<'b>(&self, id: &'b str) -> &'b str
    where
        'a: 'b,
    {
        let stated = self.network.security_groups.as_ref().and_then(|groups| groups.get(id)?.name.as_deref());
        stated.unwrap_or_else(|| id.strip_prefix("sg-").unwrap_or(id))
    }

    /// The active or other peering connection between two VPCs, with its state.
    pub(super) fn peering_between(&self, one: &str, other: &str) -> Option<(&'a str, &'a str)> {
        items(self.network.peerings.as_ref()).find_map(|(id, peering)| {
            let sides = [peering.requester.as_deref()?, peering.accepter.as_deref()?];
            let joins = sides == [one, other] || sides == [other, one];
            joins.then(|| (id, or(peering.state.as_ref(), "active")))
        })
    }
}

/// The item of that id, or an error that says what is missing.
pub(super) fn find<'a, T>(items: Option<&'a Items<T>>, id: &str, what: &str) -> Result<&'a T, Fault> {
    items.and_then(|items| items.get(id)).ok_or_else(|| format!("there is no {what} `{id}`"))
}

/// The place of everything that belongs to no VPC.
pub(super) fn usual_place() -> Place {
    Place { account: ACCOUNT.to_owned(), region: REGION.to_owned() }
}

fn place_of(vpc: &Vpc) -> Place {
    Place {
        account: or(vpc.account.as_ref(), ACCOUNT).to_owned(),
        region: or(vpc.region.as_ref(), REGION).to_owned(),
    }
}

impl Place {
    /// The ARN of an EC2 resource of `owner`, `kind/id`.
    pub(crate) fn arn(&self, owner: &str, resource: &str) -> String {
        format!("arn:aws:ec2:{}:{owner}:{resource}", self.region)
    }

    /// The name of the zone of that number, `us-east-1a`.
    pub(crate) fn zone_name(&self, number: u32) -> String {
        let letter =
            number.checked_sub(1).and_then(|past_a| char::from_digit(past_a + 10, 36)).unwrap_or('a');
        format!("{}{letter}", self.region)
    }

    /// The id of the zone of that number, `use1-az1`.
    pub(crate) fn zone_id(&self, number: u32) -> String {
        let short: String =
            self.region.split('-').enumerate().map(|(index, word)| shortened(index, word)).collect();
        format!("{short}-az{number}")
    }
}

fn shortened(index: usize, word: &str) -> &str {
    if index == 0 { word } else { word.get(..1).unwrap_or(word) }
}
