//! Security groups, network ACLs and prefix lists.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{Meta, State};
use crate::id::{GroupId, PrefixListId, Ref, SubnetId, VpcId};
use crate::source::Source;
use crate::text::SharedText;
use crate::traffic::Traffic;

/// A security group.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SecurityGroup {
    /// Id, tags, provenance.
    pub meta: Meta,
    /// Its name (not the `Name` tag).
    pub group_name: SharedText,
    /// The VPC it was created in.
    pub vpc: Ref<VpcId>,
    /// Ingress rules, one a peer entry (R-SG-3); `None` if the input does not show them: anything may be allowed.
    pub ingress: Option<Vec<GroupRule>>,
    /// Egress rules, likewise.
    pub egress: Option<Vec<GroupRule>>,
}

/// One (traffic, peer) pair of a security group permission.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GroupRule {
    /// Protocol and ports.
    pub traffic: Traffic,
    /// Who is at the other end.
    pub peer: GroupPeer,
    /// Position of the permission in its list, from 0.
    pub index: u32,
    /// The permission (or flattened rule) it comes from.
    pub source: Source,
}

/// The other end that a security group rule admits.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum GroupPeer {
    /// Any address of a block.
    Cidr(IpNet),
    /// Any address of a prefix list.
    PrefixList(Ref<PrefixListId>),
    /// Interfaces that carry a group (R-SG-9).
    Group(GroupReference),
    /// An entry that cannot be read: may be anyone.
    Unknown,
}

/// A reference to a security group in a rule.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GroupReference {
    /// The group; one outside the snapshot has unknown members (R-SG-18).
    pub group: Ref<GroupId>,
    /// Account of the group, if the input says so.
    pub account: Option<SharedText>,
    /// `PeeringStatus`: a deleted one makes the reference stale (R-SG-18).
    pub peering_status: State,
    /// The peering connection that the reference names.
    pub peering: Option<SharedText>,
}

/// A security group used in another VPC than its own (R-SG-19).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GroupVpcAssociation {
    /// The group.
    pub group: Ref<GroupId>,
    /// The further VPC.
    pub vpc: Ref<VpcId>,
    /// `associated`, `associating`, ….
    pub state: State,
}

/// A network ACL.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Acl {
    /// Id, tags, provenance.
    pub meta: Meta,
    /// Its VPC.
    pub vpc: Ref<VpcId>,
    /// Whether it is the default list of its VPC.
    pub is_default: bool,
    /// Subnets associated with it.
    pub subnets: Vec<Ref<SubnetId>>,
    /// All entries, both directions, sorted by (direction, number); the implicit denies as the input has them.
    pub entries: Vec<AclEntry>,
}

/// One entry of a network ACL.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AclEntry {
    /// Order of evaluation, ascending.
    pub number: u32,
    /// Whether it filters what leaves the subnet.
    pub egress: bool,
    /// What it does.
    pub action: Action,
    /// Source block of ingress entries, destination block of egress entries; `None` if it cannot be read.
    pub cidr: Option<IpNet>,
    /// Protocol and ports.
    pub traffic: Traffic,
    /// Where it was read.
    pub source: Source,
}

/// What a network ACL entry does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Action {
    /// Lets the packet pass.
    Allow,
    /// Drops it.
    Deny,
    /// The input says something else: either (R-DATA-6).
    Unknown,
}

/// A managed prefix list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PrefixList {
    /// Id, tags, provenance.
    pub meta: Meta,
    /// `com.amazonaws.us-east-1.s3`, or the customer's name.
    pub list_name: SharedText,
    /// `create-complete`, `modify-in-progress`, ….
    pub state: State,
    /// Whether AWS owns it.
    pub aws_managed: bool,
    /// Its entries; `None` if no call that lists them was collected.
    pub entries: Option<Vec<IpNet>>,
}
