//! What is written about one account and Region: the answers, how much there is, and which rows faults changed.

use serde::Serialize;
use serde_json::Value;

use crate::expand::{Answers, Place};
use crate::scenario::Document;

/// How much there is of what.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Counts {
    /// Network interfaces.
    pub interfaces: u64,
    /// VPCs.
    pub vpcs: u64,
    /// Subnets.
    pub subnets: u64,
    /// Security groups, used or not.
    pub groups: u64,
    /// Rules of security groups, one for each peer, and entries of network ACLs.
    pub rules: u64,
    /// Routes of route tables.
    pub routes: u64,
    /// VPC endpoints.
    pub endpoints: u64,
}

impl Counts {
    /// The sum of two.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            interfaces: self.interfaces + other.interfaces,
            vpcs: self.vpcs + other.vpcs,
            subnets: self.subnets + other.subnets,
            groups: self.groups + other.groups,
            rules: self.rules + other.rules,
            routes: self.routes + other.routes,
            endpoints: self.endpoints + other.endpoints,
        }
    }
}

/// A row that a fault changed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Change {
    /// The id of the resource.
    pub resource: String,
    /// Where it is described: a file below the folder of the organisation, `#`, and a JSON pointer.
    pub at: String,
}

/// The answers of one account and Region while they are written.
pub(super) struct Record {
    pub(super) place: Place,
    pub(super) answers: Answers,
    pub(super) counts: Counts,
    /// The number of each fault with what it changed here.
    pub(super) changes: Vec<(u32, Change)>,
}

impl Record {
    /// Empty answers to every call.
    pub(super) fn of(place: Place) -> Self {
        let answers = Answers::new([place.clone()]);
        Self { place, answers, counts: Counts::default(), changes: Vec::new() }
    }

    /// Adds a row.
    pub(super) fn add(&mut self, call: &str, row: Value) {
        self.answers.list(&self.place, call, row);
    }

    /// Adds a row; says where it is.
    pub(super) fn add_at(&mut self, call: &str, row: Value) -> String {
        self.add(call, row);
        self.last(call)
    }

    /// Where the last row of a call is.
    pub(super) fn last(&self, call: &str) -> String {
        format!("{}/{call}.json#{}", self.folder(), self.answers.last(&self.place, call))
    }

    /// Sets a whole answer; says where it is.
    pub(super) fn put(&mut self, name: &str, answer: Value) -> String {
        self.answers.put(&self.place, name, answer);
        format!("{}/{name}.json#", self.folder())
    }

    /// Notes what a fault changed.
    pub(super) fn change(&mut self, fault: u32, resource: &str, at: String) {
        self.changes.push((fault, Change { resource: resource.to_owned(), at }));
    }

    /// The answers as documents, in the folder of the account and Region.
    pub(super) fn into_documents(self) -> Vec<Document> {
        let folder = self.folder();
        self.answers.into_documents(&folder, false)
    }

    fn folder(&self) -> String {
        format!("{}/{}", self.place.account, self.place.region)
    }
}
