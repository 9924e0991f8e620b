//! Network interfaces and instances.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{Meta, State};
use crate::id::{EniId, GroupId, InstanceId, Ref, SubnetId, VpcId};
use crate::source::Source;
use crate::text::SharedText;

/// A network interface: the endpoint of every flow.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Interface {
    /// Id, tags, provenance.
    pub meta: Meta,
    /// Its VPC.
    pub vpc: Ref<VpcId>,
    /// Its subnet.
    pub subnet: Ref<SubnetId>,
    /// Further subnets of an interface in more than one (R-ADDR-16).
    pub more_subnets: Vec<Ref<SubnetId>>,
    /// `InterfaceType` as AWS spells it, in lower case without underscores and dashes (`natgateway`,
    /// `vpcendpoint`, `interface`); `None` if not shown.
    pub kind: State,
    /// `in-use`, `available`, ….
    pub status: State,
    /// What it is attached to.
    pub attachment: Option<InterfaceAttachment>,
    /// `RequesterManaged`.
    pub requester_managed: bool,
    /// `RequesterId`, or the operator principal.
    pub requester: Option<SharedText>,
    /// Free text; used for labels and hints, never to remove an edge (R-MENI-1).
    pub description: SharedText,
    /// `SourceDestCheck` of the interface, else of its instance where it is the primary; `None` if neither says.
    pub source_dest_check: Option<bool>,
    /// `DenyAllIgwTraffic`.
    pub deny_igw: bool,
    /// Its security groups; `None` if the input does not show the field.
    pub groups: Option<Vec<Ref<GroupId>>>,
    /// Addresses, primary first, then sorted. An IPv6 address may be primary of its family.
    pub addresses: Vec<PrivateAddress>,
    /// Delegated IPv4 and IPv6 prefixes, sorted; every address in them is the interface's (R-ADDR-3).
    pub prefixes: Vec<IpNet>,
    /// Public IPv4 addresses, sorted.
    pub public: Vec<PublicAddress>,
    /// What the interface belongs to, for `kind:` selectors and labels: `instance`, `sagemaker-notebook`, `rds`,
    /// `nat-gateway`, `vpc-endpoint`, … (R-MENI-4), or `interface`.
    pub label: SharedText,
}

/// One private IPv4 or one IPv6 address of an interface.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct PrivateAddress {
    /// The address.
    pub ip: IpAddr,
    /// Whether it is the primary private IPv4 address, or the only or first IPv6 address.
    pub primary: bool,
}

/// A public IPv4 address that stands for one private address of an interface (R-ADDR-5).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct PublicAddress {
    /// The address outside.
    pub public: Ipv4Addr,
    /// The private address it is translated to.
    pub private: Ipv4Addr,
    /// How sure the input is.
    pub evidence: AssociationEvidence,
    /// Where it was read.
    pub source: Source,
}

/// Which places of the input show a public address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum AssociationEvidence {
    /// The interface's own association or a row of `DescribeAddresses`: counts in both worlds.
    Direct,
    /// Only the instance record: counts in the permissive world.
    Indirect,
    /// A carrier address: not an internet gateway association.
    Carrier,
    /// A customer-owned address, by which networks on premises reach an Outpost: no such association either.
    CustomerOwned,
}

impl AssociationEvidence {
    /// R-ADDR-5, R-ADDR-11: whether an internet gateway translates the address.
    pub fn is_of_internet_gateway(self) -> bool {
        matches!(self, Self::Direct | Self::Indirect)
    }
}

/// What an interface is attached to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InterfaceAttachment {
    /// The instance, unless a service holds the interface.
    pub instance: Option<Ref<InstanceId>>,
    /// `attached`, `attaching`, ….
    pub status: State,
    /// 0 is the primary interface.
    pub device_index: Option<u32>,
    /// Account or service that owns the instance (`amazon-elb`, `amazon-aws`).
    pub instance_owner: Option<SharedText>,
}

/// An EC2 instance.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Instance {
    /// Id, tags, provenance.
    pub meta: Meta,
    /// `running`, `stopped`, ….
    pub state: State,
    /// Its interfaces in the snapshot, sorted.
    pub interfaces: Vec<EniId>,
}
