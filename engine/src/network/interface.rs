//! Interfaces: what they are, whether they are live, whether they carry security groups.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use reachproof_model::flow::World;
use reachproof_model::id::{EniId, GroupId, Id, InstanceId, Ref, SubnetId, VpcId};
use reachproof_model::snapshot::{Interface, Snapshot};

use super::missing::collected_for_owner;
use super::state::{Object, usable};
use super::{Assumed, Network, SpecialBlock, owned_blocks};

/// What an interface does with a packet that it receives (R-CORE-3 `recv`, R-MENI-4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Role {
    /// An ordinary endpoint; also every kind that is not known (R-MENI-2).
    Plain,
    /// A NAT gateway's: answers nothing that it did not ask for (R-NAT-5).
    Nat,
    /// A transit gateway attachment's: only transit.
    Transit,
    /// An interface endpoint's: delivers to the service and never initiates (R-VPCE-7).
    Endpoint,
    /// A Gateway Load Balancer or firewall endpoint's: reached by routes alone.
    Inspection,
    /// A service's that is documented to dial out only; it may accept in the permissive world (R-MENI-4).
    OutboundOnly,
    /// An Amazon EVS VLAN's: its hosts have addresses of the whole subnet, behind filters that nobody shows (R-ADDR-14).
    Vlan,
}

impl Role {
    /// R-MENI-2, R-MENI-4: the role of an `InterfaceType` in the spelling of [`Interface::kind`].
    pub fn of(interface: &Interface) -> Self {
        match interface.kind.as_deref().unwrap_or("interface") {
            "natgateway" => Self::Nat,
            "transitgateway" => Self::Transit,
            "vpcendpoint" => Self::Endpoint,
            "gatewayloadbalancerendpoint" | "gatewayloadbalancer" => Self::Inspection,
            "lambda"
            | "quicksight"
            | "iotrulesmanaged"
            | "awscodestarconnectionsmanaged"
            | "globalacceleratormanaged"
            | "apigatewaymanaged" => Self::OutboundOnly,
            "evs" => Self::Vlan,
            _ => Self::Plain,
        }
    }

    /// R-SG-2, R-ADDR-14: whether no security group filters at interfaces of this role.
    pub fn has_no_groups(self) -> bool {
        matches!(self, Self::Nat | Self::Transit | Self::Inspection | Self::Vlan)
    }

    /// R-VPCE-7, R-NAT-5: whether the interface may send a packet of its own accord (R-MENI-3, R-VPCE-12).
    pub fn initiates(self) -> bool {
        matches!(self, Self::Plain | Self::OutboundOnly | Self::Vlan)
    }
}

impl Network<'_> {
    /// R-STATE-1, R-STATE-2, R-STATE-5: whether the interface sends and receives in this world.
    pub fn live(&self, id: EniId, world: World) -> Assumed<bool> {
        let interface = self.interface(id);
        let shown = shown_live(self.snapshot, interface);
        let firm = shown && self.in_available_place(id);
        if world == World::Over {
            let live = shown || !self.options.live_only;
            return if live && !firm { Assumed::on(true, &[1]) } else { Assumed::fact(live) };
        }
        if firm && liveness_missing(self, interface) { Assumed::on(true, &[1]) } else { Assumed::fact(firm) }
    }

    /// R-STATE-5: whether the states of the interface's subnets and VPC are those in which networks work.
    fn in_available_place(&self, id: EniId) -> bool {
        let usable = |state| usable(Object::Place, state, World::Under);
        let vpc = self.interface(id).vpc.known();
        vpc.is_none_or(|vpc| usable(&self.vpc(vpc).state))
            && self.subnets_of(id).into_iter().all(|subnet| usable(&self.subnet(subnet).state))
    }

    /// R-ENI-1, R-DATA-12, R-ADDR-14: whether the source/destination check is on.
    pub fn checks_addresses(&self, id: EniId) -> Assumed<bool> {
        let interface = self.interface(id);
        match interface.source_dest_check {
            _ if Role::of(interface) == Role::Vlan => Assumed::fact(false),
            Some(check) => Assumed::fact(check),
            None => Assumed::on(true, &[36]),
        }
    }

    /// R-SG-1, R-SG-2: the groups that filter at the interface. `None` means that nothing filters.
    ///
    /// A group outside the snapshot, or an interface whose groups are missing, is unknown (R-DATA-3).
    pub fn groups(&self, id: EniId) -> Option<Vec<&Ref<GroupId>>> {
        groups(self.interface(id)).map(|groups| groups.iter().collect())
    }

    /// R-SG-2: whether the interface should carry groups and the input shows none.
    pub fn groups_missing(&self, id: EniId) -> bool {
        self.groups(id).is_some_and(|groups| groups.is_empty())
    }

    /// R-STATE-3: whether the interface is one of an instance that is shown as stopped.
    pub fn is_stopped(&self, interface: &Interface) -> bool {
        let state = state_of_instance(self.snapshot, interface);
        state.is_some_and(|state| matches!(state, "stopped" | "stopping"))
    }

    /// R-STATE-5, R-ADDR-14: whether the interface is one of an endpoint that is not available, or of a VLAN, so that the
    /// restrictive world claims nothing of it.
    pub fn is_idle(&self, id: EniId) -> bool {
        self.resolved.idle.contains(&id)
    }

    /// The subnets that the interface may be in: one, or several (R-ADDR-16).
    pub fn subnets_of(&self, id: EniId) -> Vec<SubnetId> {
        let interface = self.interface(id);
        let mut subnets: Vec<SubnetId> = std::iter::once(&interface.subnet)
            .chain(&interface.more_subnets)
            .filter_map(Ref::known)
            .collect();
        subnets.dedup();
        subnets
    }

    /// R-ENI-2, R-ADDR-15, A-33: the blocks that the interface may send from: its own, and in a subnet with IPv6 link-local
    /// ones, which no call shows.
    pub fn sent_blocks(&self, id: EniId) -> Vec<IpNet> {
        let mut blocks = owned_blocks(self.interface(id));
        let dual = |subnet: &SubnetId| {
            self.subnet_blocks(*subnet, World::Over).iter().any(|block| block.addr().is_ipv6())
        };
        if self.subnets_of(id).iter().any(dual) {
            blocks.extend(SpecialBlock::LinkLocalV6.blocks());
        }
        blocks
    }

    /// R-DATA-3, R-DATA-10: the interfaces that belong to an endpoint and that no endpoint of the snapshot names: they may be
    /// those of any service. Ascending.
    pub fn unnamed_endpoint_interfaces(&self) -> Vec<EniId> {
        let endpoints = self.snapshot.endpoints.values();
        let named: BTreeSet<EniId> =
            endpoints.flat_map(|row| row.interfaces.iter().filter_map(Ref::known)).collect();
        let rows = self.snapshot.interfaces.iter();
        let of_endpoints = rows.filter(|(_, interface)| Role::of(interface) == Role::Endpoint);
        of_endpoints.map(|(id, _)| id).filter(|id| !named.contains(id)).collect()
    }

    /// The instance that the interface is attached to, if the snapshot has it.
    pub fn instance_of(&self, id: EniId) -> Option<InstanceId> {
        self.interface(id).attachment.as_ref()?.instance.as_ref()?.known()
    }

    /// R-MBX-10: the other interfaces of the instance that the interface is attached to, whether or not the snapshot has the
    /// instance itself (R-DATA-3); ascending.
    pub fn siblings_of(&self, id: EniId) -> Vec<EniId> {
        let all = instance_name(self.snapshot, self.interface(id))
            .and_then(|name| self.resolved.of_instance.get(name));
        all.into_iter().flatten().copied().filter(|sibling| *sibling != id).collect()
    }

    /// R-MBX-5: the primary interface of an instance.
    pub fn primary_interface(&self, instance: InstanceId) -> Option<EniId> {
        let interfaces = &self.snapshot.instances[instance].interfaces;
        let index =
            |id: &EniId| self.interface(*id).attachment.as_ref().and_then(|attached| attached.device_index);
        let only = if let [only] = interfaces.as_slice() { Some(*only) } else { None };
        interfaces.iter().copied().find(|id| index(id) == Some(0)).or(only)
    }
}

/// R-SG-2: as [`Network::groups`].
fn groups(interface: &Interface) -> Option<&[Ref<GroupId>]> {
    let groups = interface.groups.as_deref().unwrap_or_default();
    let groupless_nlb = interface.kind.as_deref() == Some("networkloadbalancer") && groups.is_empty();
    let open = Role::of(interface).has_no_groups() || groupless_nlb;
    (!open).then_some(groups)
}

/// R-SG-2: the interfaces that should carry groups and do not show any, ascending.
pub(super) fn groupless(snapshot: &Snapshot) -> Vec<EniId> {
    let missing = |interface: &Interface| groups(interface).is_some_and(<[_]>::is_empty);
    snapshot.interfaces.iter().filter(|(_, interface)| missing(interface)).map(|(id, _)| id).collect()
}

/// R-DATA-3: the interfaces that may carry groups and of which no answer tells any, ascending.
pub(super) fn ungrouped(snapshot: &Snapshot) -> Vec<EniId> {
    let unknown = |interface: &Interface| interface.groups.is_none() && !Role::of(interface).has_no_groups();
    snapshot.interfaces.iter().filter(|(_, interface)| unknown(interface)).map(|(id, _)| id).collect()
}

/// R-STATE-5, R-ADDR-14: the interfaces of endpoints that the restrictive world does not count, and those of VLANs.
pub(super) fn idle(snapshot: &Snapshot) -> BTreeSet<EniId> {
    let unsettled =
        snapshot.endpoints.values().filter(|row| !usable(Object::Endpoint, &row.state, World::Under));
    let of_endpoints = unsettled.flat_map(|row| row.interfaces.iter().filter_map(Ref::known));
    let vlans = snapshot.interfaces.iter().filter(|(_, interface)| Role::of(interface) == Role::Vlan);
    of_endpoints.chain(vlans.map(|(id, _)| id)).collect()
}

fn instance_name<'s>(snapshot: &'s Snapshot, interface: &'s Interface) -> Option<&'s str> {
    match interface.attachment.as_ref()?.instance.as_ref()? {
        Ref::Known(id) => Some(&snapshot.instances[*id].meta.id),
        Ref::Missing(name) => Some(name),
    }
}

/// The interfaces of each instance that has several.
pub(super) fn by_instance(snapshot: &Snapshot) -> BTreeMap<&str, Vec<EniId>> {
    let mut index: BTreeMap<&str, Vec<EniId>> = BTreeMap::new();
    for (id, interface) in snapshot.interfaces.iter() {
        if let Some(name) = instance_name(snapshot, interface) {
            index.entry(name).or_default().push(id);
        }
    }
    index.retain(|_, interfaces| interfaces.len() > 1);
    index
}

fn shown_live(snapshot: &Snapshot, interface: &Interface) -> bool {
    let in_use = interface.status.as_deref().is_none_or(|status| status == "in-use");
    let attached = interface.attachment.as_ref().and_then(|attachment| attachment.status.as_deref());
    in_use
        && attached.is_none_or(|status| status == "attached")
        && state_of_instance(snapshot, interface).is_none_or(|state| state == "running")
}

/// The state of the instance that an interface is attached to, as far as the snapshot shows it.
fn state_of_instance<'s>(snapshot: &'s Snapshot, interface: &Interface) -> Option<&'s str> {
    let instance = interface.attachment.as_ref().and_then(|attachment| attachment.instance.as_ref());
    instance.and_then(Ref::known).and_then(|id| snapshot.instances[id].state.as_deref())
}

/// R-STATE-1: a conjunct of liveness that the snapshot does not show.
fn liveness_missing(network: &Network<'_>, interface: &Interface) -> bool {
    let instance = interface.attachment.as_ref().and_then(|attachment| attachment.instance.as_ref());
    let collected = collected_for_owner(network.snapshot, &interface.meta, "ec2 describe-instances");
    interface.status.is_none() || !collected && (instance.is_some() || interface.attachment.is_none())
}

pub(super) fn by_subnet(snapshot: &Snapshot) -> BTreeMap<SubnetId, Vec<EniId>> {
    let mut index: BTreeMap<SubnetId, Vec<EniId>> = BTreeMap::new();
    for (id, interface) in snapshot.interfaces.iter() {
        for subnet in std::iter::once(&interface.subnet).chain(&interface.more_subnets).filter_map(Ref::known)
        {
            index.entry(subnet).or_default().push(id);
        }
    }
    index
}

pub(super) fn by_vpc(snapshot: &Snapshot) -> BTreeMap<VpcId, Vec<EniId>> {
    let mut index: BTreeMap<VpcId, Vec<EniId>> = BTreeMap::new();
    for (id, interface) in snapshot.interfaces.iter() {
        if let Some(vpc) = interface.vpc.known() {
            index.entry(vpc).or_default().push(id);
        }
    }
    index
}

pub(super) fn subnets_by_vpc(snapshot: &Snapshot) -> BTreeMap<VpcId, Vec<SubnetId>> {
    let mut index: BTreeMap<VpcId, Vec<SubnetId>> = BTreeMap::new();
    for (id, subnet) in snapshot.subnets.iter() {
        if let Some(vpc) = subnet.vpc.known() {
            index.entry(vpc).or_default().push(id);
        }
    }
    index
}

pub(super) fn members(snapshot: &Snapshot) -> BTreeMap<GroupId, Vec<EniId>> {
    let mut index: BTreeMap<GroupId, Vec<EniId>> = BTreeMap::new();
    for (id, interface) in snapshot.interfaces.iter() {
        for group in interface.groups.iter().flatten().filter_map(Ref::known) {
            let members = index.entry(group).or_default();
            if members.last() != Some(&id) {
                members.push(id);
            }
        }
    }
    debug_assert!(
        index.values().all(|ids| ids.is_sorted_by_key(|id| id.index())),
        "tables are scanned in order"
    );
    index
}
