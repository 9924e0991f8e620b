//! The numbered assumptions a verdict may rest on (A-1 … A-39).

use std::fmt;

use serde::{Deserialize, Serialize};

/// The number of an assumption, 1 to 39.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Assumption(pub u8);

impl fmt::Display for Assumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "A-{}", self.0)
    }
}

/// A set of assumptions, ordered by number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Assumptions(u64);

impl Assumptions {
    /// No assumption.
    pub const NONE: Self = Self(0);

    /// The set of these numbers; numbers above 63 are ignored, none exists.
    pub const fn of(numbers: &[u8]) -> Self {
        let mut bits = 0_u64;
        let mut rest = numbers;
        while let [number, tail @ ..] = rest {
            if *number < 64 {
                bits |= 1 << *number;
            }
            rest = tail;
        }
        Self(bits)
    }

    /// Both sets together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the assumption is in the set.
    pub fn contains(self, assumption: Assumption) -> bool {
        assumption.0 < 64 && self.0 & (1 << assumption.0) != 0
    }

    /// Whether the set is empty.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The members, ascending.
    pub fn iter(self) -> impl Iterator<Item = Assumption> {
        (0..64).map(Assumption).filter(move |assumption| self.contains(*assumption))
    }
}

impl Assumption {
    /// One line that says what is assumed, for people.
    pub fn summary(self) -> &'static str {
        SUMMARIES.get(usize::from(self.0)).copied().unwrap_or("unknown assumption")
    }
}

const SUMMARIES: [&str; 40] = [
    "",
    "interfaces and instances that are stopped or detached may come back; liveness is read as the snapshot shows it",
    "tunnels, BGP sessions and load balancer targets are up",
    "guests accept the packet and may choose any interface and next hop",
    "routes may heal or change after the snapshot; no route outside it is invented",
    "connections that are already tracked are not considered",
    "what an appliance behind a disabled source/destination check does with a packet is unknown",
    "relays above the packet level (proxies, bastions, public APIs) are not modelled",
    "a host with several interfaces may send from any of them",
    "a transit gateway may leave by any attachment subnet of a VPC",
    "resources of accounts outside the snapshot are unknown",
    "data that is missing or truncated is unknown",
    "AWS picks one of several equal prefix-list routes",
    "whether pool ingress routing needs an unchecked interface is not documented",
    "whether a network ACL applies inside a shared subnet is documented inconsistently",
    "whether a packet is delivered to a subnet without a return route is not documented",
    "sources other than private ranges may arrive from the internet",
    "fragments and TCP flags are ignored",
    "outbound traffic under ingress-only block public access is documented restrictively",
    "a regional NAT gateway has no network ACL and serves every zone",
    "Amazon DNS, instance metadata and time sync are not counted as paths",
    "multicast and traffic mirroring are not modelled",
    "a component that is not modelled may do anything of its kind",
    "inventories of managed ingress that were not collected are empty unless something hints at them",
    "addresses assigned after the snapshot are not considered",
    "payload rules of firewalls may pass or drop",
    "policies above layer 4 are ignored",
    "unchecked interfaces and neighbours may forge source addresses",
    "consumers of an endpoint service may have any address",
    "an interface's own outbound packets of other protocols open a pinhole for replies",
    "the AWS data plane enforces its documentation",
    "principals able to change the configuration are excluded",
    "replies may ride special paths (return to sender, load balancers)",
    "IPv6 neighbour discovery and link-local traffic work inside a subnet",
    "one private address may have several owners behind transit gateways",
    "neighbouring networks do not relay the internet",
    "attributes and services that the input does not show have their documented defaults",
    "which hops an enforcing encryption control drops is unknown",
    "which public addresses an unresolved service prefix list covers is unknown",
    "whether a group reference matches across VPCs is not documented",
];
