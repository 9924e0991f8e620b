//! The network compiled from a snapshot: facts resolved to what both evaluators need.
//!
//! The main type is [`Network`]. It answers questions of *resolution*, one rule a function: which table, which ACL,
//! who owns an address, which gateway is attached, what a route target stands for in each world. It does not
//! match packets and does not walk: [`crate::trace`] and [`crate::reach`] do, independently of each other.
//!
//! INVARIANT (worlds nest): whatever is usable in `Under` is usable in `Over`.

mod acl;
mod addressing;
mod component;
mod differing;
mod doubt;
mod fabric;
mod gateway;
mod identity;
mod interface;
mod internet;
mod missing;
mod nat;
mod neighbour;
mod owner;
mod place;
mod route;
mod special;
mod state;
mod table;
mod target;
mod transit;
mod zone;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;

use ipnet::IpNet;
use reachproof_model::assumption::Assumptions;
use reachproof_model::id::{ComponentId, EniId, GroupId, SubnetId, Table, VpcId};
use reachproof_model::snapshot::{Component, Interface, Snapshot, Subnet, Vpc, Zone};

pub use acl::AclChoice;
pub(crate) use differing::Differing;
pub use gateway::{Gateway, GatewayId, GatewayKind};
pub use identity::{Crossing, GroupMatch};
pub use interface::Role;
pub use internet::Association;
pub use missing::{ADDITIVE, SpineError, missing_calls, missing_inventories};
pub use nat::{Nat, NatSource};
pub use owner::{Owners, host, owned_blocks, owns};
pub use place::{Origin, Sink, SourcePlace};
pub use route::{EffectiveRoute, NextHop, Why};
pub(crate) use route::{list_is_settled, subtract};
pub use special::{SpecialBlock, infrastructure_ports, is_infrastructure, unroutable};
pub use table::TableChoice;
pub use transit::{LookUp, TgwEffectiveRoute, TgwTarget};
pub use zone::PlainZone;

/// Choices of the user: what is claimed, and what a search may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// Every trusting assumption and missing inventory becomes Unknown (R-DATA-10, R-VERDICT-7).
    pub strict: bool,
    /// Only live interfaces in both worlds (R-STATE-2).
    pub live_only: bool,
    /// Network ACLs that were not collected are the default ones (R-NACL-15).
    pub assume_default_acl: bool,
    /// What may answer a packet of the receiver's own counts as let in, in the permissive world (R-VERDICT-1, R-SG-14).
    pub including_replies: bool,
    /// How searches go about it; no answer depends on it.
    pub search: Search,
    /// How large sets of headers may grow.
    pub nodes: NodeLimit,
}

/// The most nodes that the diagrams of one exploration may have, of one source or of several together. A search that needs more decides nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct NodeLimit(pub u32);

impl Default for NodeLimit {
    fn default() -> Self {
        Self(100_000_000)
    }
}

/// How a search over many sources goes about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Search {
    /// The interfaces of a VPC are explored together; in a large network what cannot matter is left out, as is found
    /// cheaper for so many sources.
    #[default]
    Usual,
    /// As usual, and what cannot matter is always left out; which components matter is found first.
    Aimed,
    /// The same, but every component matters until something enters it.
    Onward,
    /// Each class by itself, to everywhere: nothing is saved. For comparison.
    Plain,
}

impl Search {
    /// How to go about it among so many interfaces, from so many classes of sources.
    pub(crate) fn settled(self, interfaces: usize, classes: usize) -> Self {
        match self {
            Self::Usual if interfaces <= MANY => Self::Usual,
            Self::Usual if classes <= FEW => Self::Onward,
            Self::Usual => Self::Aimed,
            asked => asked,
        }
    }
}

/// Interfaces among which nothing is left out without being asked for.
const MANY: usize = 2_000;

/// Classes of sources from which it costs less to follow what enters components than to find which of them matter.
const FEW: usize = 16;

/// A snapshot with everything resolved that evaluating a packet needs.
#[derive(Debug)]
pub struct Network<'s> {
    /// The facts.
    pub snapshot: &'s Snapshot,
    /// The user's choices.
    pub options: Options,
    resolved: Arc<Resolved<'s>>,
    /// The snapshot that this one was changed from, and what differs.
    since: Option<(&'s Snapshot, Differing)>,
}

/// What is resolved beforehand. Networks that differ in nothing of it share it.
///
/// INVARIANT (resolution without filters): nothing of this is read off rules of groups or entries of network ACLs, and only
/// gateways, components and their index off routes.
#[derive(Debug)]
struct Resolved<'s> {
    owners: Owners,
    in_subnet: BTreeMap<SubnetId, Vec<EniId>>,
    in_vpc: BTreeMap<VpcId, Vec<EniId>>,
    subnets: BTreeMap<VpcId, Vec<SubnetId>>,
    of_instance: BTreeMap<&'s str, Vec<EniId>>,
    members: BTreeMap<GroupId, Vec<EniId>>,
    /// Interfaces that may carry any group, because the input shows none of theirs (R-SG-2).
    groupless: Vec<EniId>,
    /// Interfaces of which the input does not tell the groups that they carry (R-DATA-3).
    ungrouped: Vec<EniId>,
    /// Interfaces of endpoints that are not available (R-STATE-5), and of VLANs (R-ADDR-14).
    idle: BTreeSet<EniId>,
    associations: Vec<Association>,
    by_public: BTreeMap<Ipv4Addr, Vec<usize>>,
    gateways: Table<GatewayId, Gateway>,
    components: Table<ComponentId, Component>,
    component_index: component::ComponentIndex,
    tables: table::TableIndex,
    acls: acl::AclIndex,
    transit: transit::TransitIndex,
    nats: Vec<Nat>,
    /// The zone of each subnet that a call describes.
    zones: Vec<Option<&'s Zone>>,
}

impl<'s> Network<'s> {
    /// Resolves a snapshot.
    ///
    /// # Errors
    /// If a call of the spine is missing, so that no path question can be answered (R-DATA-10).
    pub fn build(snapshot: &'s Snapshot, options: Options) -> Result<Self, SpineError> {
        missing::require_spine(snapshot)?;
        Ok(Self::resolved(snapshot, options))
    }

    /// The same network where [`Options::including_replies`] is chosen.
    pub fn including_replies(&self) -> Self {
        Self::resolved(self.snapshot, Options { including_replies: true, ..self.options })
    }

    /// Another snapshot of the same places, with the same choices.
    pub(crate) fn with_snapshot<'t>(&self, snapshot: &'t Snapshot) -> Network<'t> {
        Network::resolved(snapshot, self.options)
    }

    /// The network of a changed snapshot with the same choices. What the change leaves as it was is not resolved again.
    ///
    /// # Errors
    /// As [`Network::build`].
    pub fn after<'t>(&self, changed: &'t Snapshot) -> Result<Network<'t>, SpineError>
    where
        's: 't,
    {
        missing::require_spine(changed)?;
        let (snapshot, options) = (changed, self.options);
        let Some(differing) = Differing::between(self.snapshot, changed) else {
            return Ok(Network::resolved(changed, options));
        };
        let resolved = if differing.tables.is_empty() || self.resolved.serves(changed) {
            Arc::clone(&self.resolved) as Arc<Resolved<'t>>
        } else {
            Arc::new(Resolved::of(changed))
        };
        Ok(Network { snapshot, options, resolved, since: Some((self.snapshot, differing)) })
    }

    fn resolved(snapshot: &'s Snapshot, options: Options) -> Self {
        Self { snapshot, options, resolved: Arc::new(Resolved::of(snapshot)), since: None }
    }

    /// What differs in the facts of another network, if that is no more than rules, entries and routes.
    pub(crate) fn differing(&self, other: &Network<'_>) -> Option<Differing> {
        let known = |later: &Network<'_>, earlier: &Snapshot| {
            let since = later.since.as_ref().filter(|(snapshot, _)| std::ptr::eq(*snapshot, earlier));
            since.map(|(_, differing)| differing.clone())
        };
        known(other, self.snapshot)
            .or_else(|| known(self, other.snapshot))
            .or_else(|| Differing::between(self.snapshot, other.snapshot))
    }

    /// Whether another network has the same options, gateways and components. Where the facts differ at most in rules of
    /// groups, entries of network ACLs and routes, nothing else that is resolved beforehand differs then.
    pub(crate) fn is_resolved_like(&self, other: &Network<'_>) -> bool {
        let same = self.shares_resolution(other) || {
            let (own, other) = (&self.resolved, &other.resolved);
            own.gateways == other.gateways
                && own.components == other.components
                && own.component_index == other.component_index
        };
        self.options == other.options && same
    }

    /// Whether another network was made by [`Network::after`] from this one, or like it, and nothing had to be resolved.
    pub(crate) fn shares_resolution(&self, other: &Network<'_>) -> bool {
        std::ptr::addr_eq(Arc::as_ptr(&self.resolved), Arc::as_ptr(&other.resolved))
    }

    /// The interface's record.
    pub fn interface(&self, id: EniId) -> &'s Interface {
        &self.snapshot.interfaces[id]
    }

    /// The subnet's record.
    pub fn subnet(&self, id: SubnetId) -> &'s Subnet {
        &self.snapshot.subnets[id]
    }

    /// The VPC's record.
    pub fn vpc(&self, id: VpcId) -> &'s Vpc {
        &self.snapshot.vpcs[id]
    }

    /// Who owns which address in which VPC (R-ADDR-3).
    pub fn owners(&self) -> &Owners {
        &self.resolved.owners
    }

    /// Interfaces of a subnet, ascending; of an interface in several subnets, in each (R-ADDR-16).
    pub fn interfaces_in_subnet(&self, subnet: SubnetId) -> &[EniId] {
        self.resolved.in_subnet.get(&subnet).map_or(&[], Vec::as_slice)
    }

    /// Interfaces of a VPC, ascending.
    pub fn interfaces_in_vpc(&self, vpc: VpcId) -> &[EniId] {
        self.resolved.in_vpc.get(&vpc).map_or(&[], Vec::as_slice)
    }

    /// Subnets of a VPC, ascending.
    pub fn subnets_in_vpc(&self, vpc: VpcId) -> &[SubnetId] {
        self.resolved.subnets.get(&vpc).map_or(&[], Vec::as_slice)
    }

    /// Interfaces that carry a group, in any VPC, ascending (R-SG-19).
    pub fn members(&self, group: GroupId) -> &[EniId] {
        self.resolved.members.get(&group).map_or(&[], Vec::as_slice)
    }

    /// Every unmodelled component: those of the snapshot, then those that follow from missing data.
    pub fn components(&self) -> &Table<ComponentId, Component> {
        &self.resolved.components
    }
}

impl<'s> Resolved<'s> {
    fn of(snapshot: &'s Snapshot) -> Self {
        let associations = internet::associations(snapshot);
        let gateways = gateway::gateways(snapshot);
        let components = component::components(snapshot);
        Self {
            owners: Owners::of(snapshot),
            in_subnet: interface::by_subnet(snapshot),
            in_vpc: interface::by_vpc(snapshot),
            subnets: interface::subnets_by_vpc(snapshot),
            of_instance: interface::by_instance(snapshot),
            members: interface::members(snapshot),
            groupless: interface::groupless(snapshot),
            ungrouped: interface::ungrouped(snapshot),
            idle: interface::idle(snapshot),
            by_public: internet::by_public(&associations),
            associations,
            component_index: component::ComponentIndex::of(&components, snapshot),
            tables: table::TableIndex::of(snapshot, &gateways),
            acls: acl::AclIndex::of(snapshot),
            transit: transit::TransitIndex::of(snapshot),
            nats: nat::nats(snapshot),
            zones: zone::described(snapshot),
            gateways,
            components,
        }
    }

    /// Whether this is what follows from a snapshot with other routes, too.
    fn serves(&self, snapshot: &Snapshot) -> bool {
        let components = component::components(snapshot);
        self.gateways == gateway::gateways(snapshot)
            && self.component_index == component::ComponentIndex::of(&components, snapshot)
            && self.components == components
    }
}

/// Something decided, with the assumptions that the decision used (R-VERDICT-3).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assumed<T> {
    /// What was decided.
    pub value: T,
    /// What it rests on.
    pub assumptions: Assumptions,
}

impl<T> Assumed<T> {
    /// A decision that rests on nothing but facts.
    pub fn fact(value: T) -> Self {
        Self { value, assumptions: Assumptions::NONE }
    }

    /// A decision that rests on these assumptions.
    pub fn on(value: T, numbers: &[u8]) -> Self {
        Self { value, assumptions: Assumptions::of(numbers) }
    }
}

/// Whether a block holds the other one entirely.
pub(crate) fn covers(outer: &IpNet, inner: &IpNet) -> bool {
    outer.contains(inner)
}
