//! Unmodelled components: those that the snapshot shows, and those that follow from missing data (R-DATA-10).

use std::collections::{BTreeMap, BTreeSet};

use reachproof_model::flow::World;
use reachproof_model::id::{ComponentId, EniId, Ref, RouteTableId, SubnetId, Table, VpcId};
use reachproof_model::snapshot::{
    Component, ComponentKind, EndpointKind, Entry, Exit, NatGateway, RouteTable, Snapshot, Target,
    TgwAttachment,
};

use super::Network;
use super::missing::collected_for_owner;
use super::nat::{is_regional, is_shown, vpc_of as nat_vpc};
use super::neighbour::{keeping_identity, missing_peerings, neighbours};
use super::state::{Object, usable};

const NAT_CALLS: &str = "collect: ec2 describe-nat-gateways, ec2 describe-network-interfaces";

#[derive(PartialEq, Eq, Debug, Default)]
pub(super) struct ComponentIndex {
    by_interface: BTreeMap<EniId, Vec<ComponentId>>,
    by_target: BTreeMap<Box<str>, ComponentId>,
    by_subnet: BTreeMap<SubnetId, Vec<ComponentId>>,
    /// The components that take in what an interface sends.
    by_sender: BTreeMap<EniId, Vec<ComponentId>>,
    internet: Vec<ComponentId>,
    lattices: Vec<ComponentId>,
    keeping_identity: BTreeSet<ComponentId>,
    on_premises: BTreeSet<ComponentId>,
}

impl ComponentIndex {
    pub(super) fn of(components: &Table<ComponentId, Component>, snapshot: &Snapshot) -> Self {
        let mut index = Self::default();
        let (keeping, peerings) = (keeping_identity(snapshot), missing_peerings(snapshot));
        for (id, component) in components.iter() {
            if keeping.contains(&component.id) || is_two_armed(component) {
                index.keeping_identity.insert(id);
            }
            if leads_on_premises(component) && !peerings.contains(&*component.id) {
                index.on_premises.insert(id);
            }
            if component.kind == ComponentKind::Lattice {
                index.lattices.push(id);
            }
            for entry in &component.entries {
                match entry {
                    Entry::Interface(interface) => index.by_interface.entry(*interface).or_default().push(id),
                    Entry::Sender(interface) => index.by_sender.entry(*interface).or_default().push(id),
                    Entry::HiddenInterface(subnet) => index.by_subnet.entry(*subnet).or_default().push(id),
                    Entry::Internet | Entry::Anywhere => index.internet.push(id),
                    Entry::RouteTarget(target) => {
                        index.by_target.entry(target.clone()).or_insert(id);
                    }
                }
            }
        }
        index.internet.dedup();
        index
    }
}

/// R-GWLB-2, R-SG-10: whether an appliance that nobody shows may send what it got from an interface of its own, which rules
/// may name by its groups. What is only in the way of a transit gateway's packets sends them on as they are.
fn is_two_armed(component: &Component) -> bool {
    let by_itself = |exit: &Exit| matches!(exit, Exit::Vpc(_) | Exit::Attachment(_));
    let anywhere = component.exits.contains(&Exit::Internet);
    component.kind == ComponentKind::Inspection && anywhere && component.exits.iter().any(by_itself)
}

/// Whether networks on premises may be behind a component: behind any network but the internet (R-VERDICT-5).
fn leads_on_premises(component: &Component) -> bool {
    component.kind == ComponentKind::Neighbour && !component.entries.contains(&Entry::Internet)
}

impl Network<'_> {
    /// The components that take in what an interface receives.
    pub fn components_at(&self, interface: EniId) -> &[ComponentId] {
        self.resolved.component_index.by_interface.get(&interface).map_or(&[], Vec::as_slice)
    }

    /// the components that take in whatever the interface sends, who- or whatever behind it does so: copies of
    /// what a mirrored one sends, and what its service sends by a way of its own.
    pub fn components_beside(&self, interface: EniId) -> &[ComponentId] {
        self.resolved.component_index.by_sender.get(&interface).map_or(&[], Vec::as_slice)
    }

    /// R-MBX-4, A-27: the same, and those behind the interface of an unchecked guest, which sends what it likes.
    pub fn components_sent_into(&self, interface: EniId) -> BTreeSet<ComponentId> {
        let behind = if self.checks_addresses(interface).value { &[] } else { self.components_at(interface) };
        behind.iter().chain(self.components_beside(interface)).copied().collect()
    }

    /// R-LB-5: whether the interface is a load balancer's, which accepts only what a listener asks for.
    pub fn balances(&self, interface: EniId) -> bool {
        let kinds = self.components_at(interface).iter().map(|id| self.resolved.components[*id].kind);
        kinds.into_iter().any(|kind| kind == ComponentKind::LoadBalancer)
    }

    /// The components that take in what is sent to an address of the subnet which no interface of the snapshot owns.
    pub fn components_hidden_in(&self, subnet: SubnetId) -> &[ComponentId] {
        self.resolved.component_index.by_subnet.get(&subnet).map_or(&[], Vec::as_slice)
    }

    /// R-SG-10, R-DATA-10: whether the component stands for a peering connection or transit gateway that no answer
    /// describes, by which a sender's groups may be known on.
    pub fn may_keep_identity(&self, component: ComponentId) -> bool {
        self.resolved.component_index.keeping_identity.contains(&component)
    }

    /// R-VERDICT-5, R-DATA-10: whether the component may lead to and from networks on premises.
    pub fn may_be_on_premises(&self, component: ComponentId) -> bool {
        self.resolved.component_index.on_premises.contains(&component)
    }

    /// The component that stands behind a route target.
    pub fn component_of_target(&self, target: &str) -> Option<ComponentId> {
        self.resolved.component_index.by_target.get(target).copied()
    }

    /// R-IGW-13: the components that anyone on the internet can send to, ascending.
    pub fn components_at_internet(&self) -> &[ComponentId] {
        &self.resolved.component_index.internet
    }

    /// R-VPCE-14: the components that are reached without a route, ascending.
    pub fn lattices(&self) -> &[ComponentId] {
        &self.resolved.component_index.lattices
    }
}

pub(super) fn components(snapshot: &Snapshot) -> Table<ComponentId, Component> {
    let mut table: Table<ComponentId, Component> = snapshot.components.values().cloned().collect();
    let known: BTreeSet<&str> = snapshot
        .components
        .values()
        .flat_map(|component| &component.entries)
        .filter_map(|entry| if let Entry::RouteTarget(target) = entry { Some(target.as_ref()) } else { None })
        .collect();
    for component in missing_targets(snapshot)
        .into_values()
        .chain(network_functions(snapshot))
        .chain(nats(snapshot))
        .chain(neighbours(snapshot))
    {
        let stale =
            |entry: &Entry| matches!(entry, Entry::RouteTarget(target) if known.contains(target.as_ref()));
        if !component.entries.iter().any(stale) {
            table.push(component);
        }
    }
    table
}

/// R-DATA-10 named target: where the call of a NAT gateway, endpoint or interface was not collected, a route to it may
/// lead wherever its kind could, back into the VPC or out; where it was collected, the target is gone.
fn missing_targets(snapshot: &Snapshot) -> BTreeMap<Box<str>, Component> {
    let mut found: BTreeMap<Box<str>, Component> = BTreeMap::new();
    for (id, table) in snapshot.route_tables.iter() {
        for route in &table.routes {
            let Some((target, call)) = unresolved(snapshot, &route.target) else { continue };
            if !call.is_empty() && collected_for_owner(snapshot, &table.meta, call) {
                continue;
            }
            let component = found.entry(target.into()).or_insert_with(|| Component {
                id: target.into(),
                kind: ComponentKind::Other,
                why: why(target, call).into(),
                entries: vec![Entry::RouteTarget(target.into())],
                exits: Vec::new(),
                source: route.source.clone(),
            });
            component.exits.extend(exits(snapshot, id, table));
            component.exits.sort_unstable();
            component.exits.dedup();
        }
    }
    found
}

/// R-TGW-13: an appliance attached to a transit gateway may hand a packet to any attachment.
fn network_functions(snapshot: &Snapshot) -> Vec<Component> {
    let functions =
        snapshot.attachments.values().filter(|attachment| &*attachment.kind == "network-function");
    let component = |function: &TgwAttachment| {
        let siblings = snapshot.attachments.iter().filter(|(_, other)| other.tgw == function.tgw);
        Component {
            id: function.meta.id.boxed(),
            kind: ComponentKind::Inspection,
            why: format!("{} inspects packets by rules that are not modelled", function.meta.id).into(),
            entries: vec![Entry::RouteTarget(function.meta.id.boxed())],
            exits: siblings.map(|(id, _)| Exit::Attachment(id)).collect(),
            source: function.meta.source.clone(),
        }
    };
    functions.map(component).collect()
}

/// R-NAT-9: the private side of a regional NAT gateway, whose source address is not documented. R-DATA-3: a NAT gateway
/// that the input does not show entirely, to which a route may lead or a table that nobody shows.
fn nats(snapshot: &Snapshot) -> Vec<Component> {
    let live = snapshot.nat_gateways.values().filter(|nat| usable(Object::Nat, &nat.state, World::Over));
    let others = live.filter(|nat| is_regional(nat) || !is_shown(snapshot, nat));
    let component = |nat: &NatGateway| Component {
        id: nat.meta.id.boxed(),
        kind: ComponentKind::Other,
        why: why_not_followed(snapshot, nat).into(),
        entries: vec![Entry::RouteTarget(nat.meta.id.boxed())],
        exits: nat_exits(snapshot, nat),
        source: nat.meta.source.clone(),
    };
    others.map(component).collect()
}

fn why_not_followed(snapshot: &Snapshot, nat: &NatGateway) -> String {
    let id = &nat.meta.id;
    if is_shown(snapshot, nat) {
        return format!("{id} is a regional NAT gateway; its private source addresses are not documented");
    }
    format!("{id} is a NAT gateway of which no answer shows the subnet and all addresses; {NAT_CALLS}")
}

fn nat_exits(snapshot: &Snapshot, nat: &NatGateway) -> Vec<Exit> {
    match nat.table.as_ref().and_then(Ref::known) {
        Some(table) if is_regional(nat) && is_shown(snapshot, nat) => vec![Exit::Table(table)],
        // One that is not shown is followed no further than to here.
        Some(table) if is_regional(nat) => vec![Exit::Table(table), Exit::Internet],
        _ => anywhere_in(snapshot, nat_vpc(snapshot, nat)),
    }
}

/// R-DATA-3: where an unknown table of a VPC may lead: into the VPC, out, and to where any of its subnets and any of its tables
/// routes. Where the VPC is not known either, it may be any.
fn anywhere_in(snapshot: &Snapshot, vpc: Option<VpcId>) -> Vec<Exit> {
    let is_here = |other: Option<VpcId>| vpc.is_none() || other == vpc;
    let vpcs = snapshot.vpcs.ids().filter(|id| is_here(Some(*id))).map(Exit::Vpc);
    let subnets = snapshot.subnets.iter().filter(|(_, subnet)| is_here(subnet.vpc.known()));
    let tables = snapshot.route_tables.iter().filter(|(_, table)| is_here(table.vpc.known()));
    let subnets = subnets.map(|(id, _)| Exit::Subnet(id));
    vpcs.chain([Exit::Internet]).chain(subnets).chain(tables.map(|(id, _)| Exit::Table(id))).collect()
}

fn why(target: &str, call: &str) -> String {
    match call {
        "" => format!("{target} is a route target of a kind that is not modelled"),
        call => format!("{target} is a route target that no answer describes; collect: {call}"),
    }
}

/// A target inside the VPC that the engine cannot follow, with the call that would help.
fn unresolved<'s>(snapshot: &'s Snapshot, target: &'s Target) -> Option<(&'s str, &'static str)> {
    Some(match target {
        Target::Nat(Ref::Missing(id)) => (id, "ec2 describe-nat-gateways"),
        Target::Endpoint(Ref::Missing(id)) => (id, "ec2 describe-vpc-endpoints"),
        Target::Interface(Ref::Missing(id)) => (id, "ec2 describe-network-interfaces"),
        Target::Instance(Ref::Missing(id)) => (id, "ec2 describe-instances"),
        Target::Instance(Ref::Known(id)) => (&snapshot.instances[*id].meta.id, ""),
        Target::Endpoint(Ref::Known(id)) if snapshot.endpoints[*id].kind != EndpointKind::Gateway => {
            (&snapshot.endpoints[*id].meta.id, "")
        }
        _ => return None,
    })
}

/// A regional NAT gateway has a table of its own, which may be any of the VPC (R-NAT-9).
fn exits(snapshot: &Snapshot, id: RouteTableId, table: &RouteTable) -> Vec<Exit> {
    let home = table.vpc.known();
    let own = snapshot.subnets.iter().filter(|(_, subnet)| subnet.vpc.known() == home && home.is_some());
    let subnets = own.map(|(subnet, _)| Exit::Subnet(subnet));
    let own = snapshot.route_tables.iter().filter(|(_, table)| table.vpc.known() == home && home.is_some());
    let tables = own.map(|(table, _)| Exit::Table(table));
    [Exit::Internet, Exit::Table(id)].into_iter().chain(subnets).chain(tables).collect()
}
