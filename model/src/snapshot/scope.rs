//! Accounts and Regions, what was collected of each, and settings that hold for the whole of one.

use std::collections::BTreeMap;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::State;
use crate::source::Source;
use crate::text::SharedText;

/// An AWS CLI call in the form `ec2 describe-vpcs`.
pub type Call = Box<str>;

/// What is known about one call for one account and Region (R-DATA-9). A call without an entry was not collected.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum CallStatus {
    /// An answer is in the snapshot and no pagination token is left: what it does not list does not exist.
    Collected,
    /// An answer is in the snapshot, and more existed (R-DATA-2).
    Truncated,
    /// The manifest says that it was refused or failed (R-DATA-4).
    Refused,
}

/// One account and Region.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Scope {
    /// The account id; empty if the input does not tell.
    pub account: Box<str>,
    /// The Region; empty if the input does not tell.
    pub region: Box<str>,
    /// Every call with an answer or a recorded failure.
    pub calls: BTreeMap<Call, CallStatus>,
    /// `DescribeVpcBlockPublicAccessOptions`, if collected.
    pub block_public_access: Option<BlockPublicAccess>,
    /// `DescribeVpcBlockPublicAccessExclusions`.
    pub bpa_exclusions: Vec<BpaExclusion>,
    /// `DescribePublicIpv4Pools`.
    pub public_pools: Vec<PublicPool>,
}

impl Scope {
    /// Whether the call was collected completely (R-DATA-9 a).
    pub fn collected(&self, call: &str) -> bool {
        self.calls.get(call) == Some(&CallStatus::Collected)
    }
}

/// The account-wide block of internet gateway traffic in one Region (R-BPA-1).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BlockPublicAccess {
    /// `off`, `block-bidirectional` or `block-ingress`.
    pub mode: SharedText,
    /// `default-state`, `update-complete`, `update-in-progress`.
    pub state: State,
    /// Where it was read.
    pub source: Source,
}

/// An exclusion from Block Public Access (R-BPA-2).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct BpaExclusion {
    /// Its id.
    pub id: SharedText,
    /// The id of the VPC or subnet, taken from the resource ARN.
    pub resource: SharedText,
    /// `allow-bidirectional` or `allow-egress`.
    pub mode: SharedText,
    /// `create-complete`, `delete-in-progress`, ….
    pub state: State,
    /// Where it was read.
    pub source: Source,
}

/// A public IPv4 address pool that the owner brought (BYOIP).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PublicPool {
    /// Its id.
    pub id: SharedText,
    /// The ranges of the pool.
    pub ranges: Vec<IpNet>,
}

/// An Availability Zone, Local Zone or Wavelength Zone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Zone {
    /// `use1-az1`.
    pub id: SharedText,
    /// `us-east-1a`; not comparable between accounts.
    pub name: SharedText,
    /// `availability-zone`, `local-zone`, `wavelength-zone`.
    pub kind: SharedText,
    /// The zone id of the parent zone of a Local Zone.
    pub parent: Option<SharedText>,
}
