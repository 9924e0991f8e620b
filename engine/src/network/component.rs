//! Unmodelled components: those that the snapshot shows, and those that follow from missing data (R-DATA-10).

use std::collections::{BTreeMap, BTreeSet};

use reachproof_model::id::{ComponentId, EniId, Ref, RouteTableId, SubnetId, Table, TgwId, VpcId};
use reachproof_model::snapshot::{
    Component, ComponentKind, EndpointKind, Entry, Exit, Interface, NatGateway, RouteTable, Snapshot, Target,
    TgwAttachment,
};

use super::Network;
use super::interface::Role;
use super::nat::is_regional;

#[derive(Debug, Default)]
pub(super) struct ComponentIndex {
    by_interface: BTreeMap<EniId, Vec<ComponentId>>,
    by_target: BTreeMap<Box<str>, ComponentId>,
    by_subnet: BTreeMap<SubnetId, Vec<ComponentId>>,
    internet: Vec<ComponentId>,
    undescribed: BTreeSet<ComponentId>,
}

impl ComponentIndex {
    pub(super) fn of(components: &Table<ComponentId, Component>, snapshot: &Snapshot) -> Self {
        let mut index = Self::default();
        let undescribed = undescribed_connections(snapshot);
        for (id, component) in components.iter() {
            for entry in &component.entries {
                match entry {
                    Entry::Interface(interface) => index.by_interface.entry(*interface).or_default().push(id),
                    Entry::HiddenInterface(subnet) => index.by_subnet.entry(*subnet).or_default().push(id),
                    Entry::Internet | Entry::Anywhere => index.internet.push(id),
                    Entry::RouteTarget(target) => {
                        index.by_target.entry(target.clone()).or_insert(id);
                        if undescribed.contains(&**target) {
                            index.undescribed.insert(id);
                        }
                    }
                }
            }
        }
        index.internet.dedup();
        index
    }
}

impl Network<'_> {
    /// The components that take in what an interface receives.
    pub fn components_at(&self, interface: EniId) -> &[ComponentId] {
        self.component_index.by_interface.get(&interface).map_or(&[], Vec::as_slice)
    }

    /// R-LB-5: whether the interface is a load balancer's, which accepts only what a listener asks for.
    pub fn balances(&self, interface: EniId) -> bool {
        let kinds = self.components_at(interface).iter().map(|id| self.components[*id].kind);
        kinds.into_iter().any(|kind| kind == ComponentKind::LoadBalancer)
    }

    /// The components that take in what is sent to an address of the subnet which no interface of the snapshot owns.
    pub fn components_hidden_in(&self, subnet: SubnetId) -> &[ComponentId] {
        self.component_index.by_subnet.get(&subnet).map_or(&[], Vec::as_slice)
    }

    /// R-SG-10, R-DATA-10: whether the component stands for a peering connection or transit gateway that no answer
    /// describes, by which a sender's groups may be known on.
    pub fn may_keep_identity(&self, component: ComponentId) -> bool {
        self.component_index.undescribed.contains(&component)
    }

    /// The component that stands behind a route target.
    pub fn component_of_target(&self, target: &str) -> Option<ComponentId> {
        self.component_index.by_target.get(target).copied()
    }

    /// R-IGW-13: the components that anyone on the internet can send to, ascending.
    pub fn components_at_internet(&self) -> &[ComponentId] {
        &self.component_index.internet
    }
}

/// The peering connections and transit gateways that only routes show, and those that only an interface shows.
fn undescribed_connections(snapshot: &Snapshot) -> BTreeSet<&str> {
    let routes = snapshot.route_tables.values().flat_map(|table| &table.routes);
    let missing = routes.filter_map(|route| match &route.target {
        Target::Peering(Ref::Missing(id)) | Target::TransitGateway(Ref::Missing(id)) => Some(&**id),
        Target::TransitGateway(Ref::Known(id)) => {
            let tgw = &snapshot.transit_gateways[*id];
            (tgw.group_referencing == Some(true)).then_some(&*tgw.meta.id)
        }
        _ => None,
    });
    let transit = snapshot.interfaces.values().filter(|row| Role::of(row) == Role::Transit);
    missing.chain(transit.map(|row| &*row.meta.id)).collect()
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
        .chain(regional_nats(snapshot))
    {
        let fresh =
            |entry: &Entry| matches!(entry, Entry::RouteTarget(target) if !known.contains(target.as_ref()));
        if component.entries.iter().any(fresh) {
            table.push(component);
        }
    }
    unseen_transit(snapshot).into_iter().for_each(|component| {
        table.push(component);
    });
    table
}

/// R-DATA-11: an interface of a transit gateway shows that its VPC is attached to one. Where no answer describes that
/// attachment, whatever else is attached there may send into the VPC.
fn unseen_transit(snapshot: &Snapshot) -> Vec<Component> {
    let described: BTreeSet<&str> =
        snapshot.attachments.values().map(|row| vpc_name(snapshot, row)).collect();
    let of_transit = snapshot.interfaces.values().filter(|row| Role::of(row) == Role::Transit);
    let component = |interface: &Interface| {
        let vpc = interface.vpc.known().filter(|vpc| !described.contains(&*snapshot.vpcs[*vpc].meta.id))?;
        let id = &interface.meta.id;
        Some(Component {
            id: format!("transit-gateway-of-{id}").into(),
            kind: ComponentKind::Neighbour,
            why: format!("{id} belongs to a transit gateway that no answer describes; collect: ec2 describe-transit-gateway-attachments").into(),
            entries: vec![Entry::RouteTarget(id.clone())],
            exits: vec![Exit::Vpc(vpc)],
            source: interface.meta.source.clone(),
        })
    };
    of_transit.filter_map(component).collect()
}

/// The VPC that an attachment names, or the resource that it attaches.
fn vpc_name<'s>(snapshot: &'s Snapshot, attachment: &'s TgwAttachment) -> &'s str {
    match attachment.vpc.as_ref().map(|options| &options.vpc) {
        Some(Ref::Known(vpc)) => &snapshot.vpcs[*vpc].meta.id,
        _ => &attachment.resource,
    }
}

/// R-DATA-10 named target: where the call of a NAT gateway, transit gateway, peering, endpoint or interface was not
/// collected, a route to it may lead wherever its kind could; where it was collected, the target is gone.
fn missing_targets(snapshot: &Snapshot) -> BTreeMap<Box<str>, Component> {
    let mut found: BTreeMap<Box<str>, Component> = BTreeMap::new();
    for (id, table) in snapshot.route_tables.iter() {
        for route in &table.routes {
            let Some((target, call, kind)) = unresolved(snapshot, &route.target, table.vpc.known()) else {
                continue;
            };
            if !call.is_empty() && snapshot.scopes[table.meta.scope].collected(call) {
                continue;
            }
            let exits = exits(snapshot, id, table, kind);
            let component = found.entry(target.into()).or_insert_with(|| Component {
                id: target.into(),
                kind: ComponentKind::Other,
                why: why(target, call).into(),
                entries: vec![Entry::RouteTarget(target.into())],
                exits: Vec::new(),
                source: route.source.clone(),
            });
            component.exits.extend(exits);
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
            id: function.meta.id.clone(),
            kind: ComponentKind::Inspection,
            why: format!("{} inspects packets by rules that are not modelled", function.meta.id).into(),
            entries: vec![Entry::RouteTarget(function.meta.id.clone())],
            exits: siblings.map(|(id, _)| Exit::Attachment(id)).collect(),
            source: function.meta.source.clone(),
        }
    };
    functions.map(component).collect()
}

/// R-NAT-9: the private side of a regional NAT gateway, whose source address is not documented.
fn regional_nats(snapshot: &Snapshot) -> Vec<Component> {
    let regional = snapshot.nat_gateways.values().filter(|nat| is_regional(nat));
    let component = |nat: &NatGateway| Component {
        id: nat.meta.id.clone(),
        kind: ComponentKind::Other,
        why: format!(
            "{} is a regional NAT gateway; its private source addresses are not documented",
            nat.meta.id
        )
        .into(),
        entries: vec![Entry::RouteTarget(nat.meta.id.clone())],
        exits: match nat.table.as_ref().and_then(Ref::known) {
            Some(table) => vec![Exit::Table(table)],
            None => anywhere_in(snapshot, nat.vpc.known()),
        },
        source: nat.meta.source.clone(),
    };
    regional.map(component).collect()
}

/// R-DATA-3: where an unknown table of a VPC may lead: into the VPC, out, and to where any of its subnets routes.
fn anywhere_in(snapshot: &Snapshot, vpc: Option<VpcId>) -> Vec<Exit> {
    let Some(vpc) = vpc else { return Vec::new() };
    let subnets = snapshot.subnets.iter().filter(|(_, subnet)| subnet.vpc.known() == Some(vpc));
    [Exit::Vpc(vpc), Exit::Internet].into_iter().chain(subnets.map(|(id, _)| Exit::Subnet(id))).collect()
}

fn why(target: &str, call: &str) -> String {
    match call {
        "" => format!("{target} is a route target of a kind that is not modelled"),
        call => format!("{target} is a route target that no answer describes; collect: {call}"),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Leads back into this VPC's tables, or out.
    InVpc,
    /// Leads to any other VPC, or out of the snapshot.
    Between,
}

fn unresolved<'s>(
    snapshot: &'s Snapshot,
    target: &'s Target,
    home: Option<VpcId>,
) -> Option<(&'s str, &'static str, Kind)> {
    Some(match target {
        Target::Nat(Ref::Missing(id)) => (id, "ec2 describe-nat-gateways", Kind::InVpc),
        Target::Endpoint(Ref::Missing(id)) => (id, "ec2 describe-vpc-endpoints", Kind::InVpc),
        Target::Interface(Ref::Missing(id)) => (id, "ec2 describe-network-interfaces", Kind::InVpc),
        Target::Instance(Ref::Missing(id)) => (id, "ec2 describe-instances", Kind::InVpc),
        Target::Instance(Ref::Known(id)) => (&snapshot.instances[*id].meta.id, "", Kind::InVpc),
        Target::TransitGateway(Ref::Missing(id)) => (id, "ec2 describe-transit-gateways", Kind::Between),
        Target::TransitGateway(Ref::Known(id)) if lacks_attachment(snapshot, *id, home) => (
            &snapshot.transit_gateways[*id].meta.id,
            "ec2 describe-transit-gateway-vpc-attachments",
            Kind::Between,
        ),
        Target::Nat(Ref::Known(id)) => (&snapshot.nat_gateways[*id].meta.id, "", Kind::InVpc),
        Target::Endpoint(Ref::Known(id)) if snapshot.endpoints[*id].kind != EndpointKind::Gateway => {
            (&snapshot.endpoints[*id].meta.id, "", Kind::InVpc)
        }
        Target::Peering(Ref::Missing(id)) => (id, "ec2 describe-vpc-peering-connections", Kind::Between),
        Target::Unmodelled { id, .. } => (id, "", Kind::Between),
        _ => return None,
    })
}

/// Whether no attachment of the VPC to the transit gateway is in the snapshot.
fn lacks_attachment(snapshot: &Snapshot, tgw: TgwId, vpc: Option<VpcId>) -> bool {
    let of_vpc = |attachment: &TgwAttachment| match (&attachment.vpc, vpc) {
        (Some(options), _) => options.vpc.known() == vpc,
        (None, Some(vpc)) => attachment.resource == snapshot.vpcs[vpc].meta.id,
        (None, None) => false,
    };
    !snapshot.attachments.values().any(|attachment| attachment.tgw == Ref::Known(tgw) && of_vpc(attachment))
}

fn exits(snapshot: &Snapshot, id: RouteTableId, table: &RouteTable, kind: Kind) -> Vec<Exit> {
    let home = table.vpc.known();
    let mut exits = vec![Exit::Internet];
    match kind {
        Kind::InVpc => {
            let subnets =
                snapshot.subnets.iter().filter(|(_, subnet)| subnet.vpc.known() == home && home.is_some());
            exits.extend(subnets.map(|(subnet, _)| Exit::Subnet(subnet)));
            exits.push(Exit::Table(id));
        }
        Kind::Between => {
            let vpcs: Vec<VpcId> = snapshot.vpcs.ids().collect();
            exits.extend(vpcs.into_iter().map(Exit::Vpc));
        }
    }
    exits
}
