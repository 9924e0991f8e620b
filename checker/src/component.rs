//! Unmodelled components: those that the snapshot shows, and those that follow from missing data (A-22, R-DATA-10).

use std::collections::{BTreeMap, BTreeSet};

use reachproof_model::id::{Ref, RouteTableId, TgwId, VpcId};
use reachproof_model::snapshot::{
    ComponentKind, EndpointKind, Entry, Exit, Interface, RouteTable, Snapshot, Target, TgwAttachment,
};

use crate::net::is_regional;

/// Every component of one id.
#[derive(Default)]
pub(crate) struct Component {
    pub(crate) entries: BTreeSet<Entry>,
    pub(crate) exits: Vec<Exit>,
    pub(crate) is_lattice: bool,
    /// R-SG-10: whether it may know its senders' groups on.
    pub(crate) may_know_senders: bool,
}

/// The components by id.
pub(crate) fn components(s: &Snapshot) -> BTreeMap<Box<str>, Component> {
    let mut found: BTreeMap<Box<str>, Component> = BTreeMap::new();
    for row in s.components.values() {
        let known = found.entry(row.id.clone()).or_default();
        known.entries.extend(row.entries.iter().cloned());
        known.exits.extend(row.exits.iter().cloned());
        known.is_lattice |= row.kind == ComponentKind::Lattice;
    }
    let shown: BTreeSet<Entry> = s.components.values().flat_map(|row| row.entries.iter().cloned()).collect();
    let derived = missing_targets(s).into_iter().chain(network_functions(s)).chain(regional_nats(s));
    for (target, exits) in derived.filter(|(target, _)| !shown.contains(&Entry::RouteTarget(target.clone())))
    {
        let known = found.entry(target.clone()).or_default();
        known.entries.insert(Entry::RouteTarget(target));
        known.exits.extend(exits);
    }
    for (interface, vpc) in unseen_transit(s) {
        let known = found.entry(format!("transit-gateway-of-{interface}").into()).or_default();
        known.entries.insert(Entry::RouteTarget(interface));
        known.exits.push(Exit::Vpc(vpc));
    }
    let undescribed = undescribed(s);
    for component in found.values_mut() {
        let targets = component.entries.iter().filter_map(target_of);
        component.may_know_senders = targets.into_iter().any(|target| undescribed.contains(target));
    }
    found
}

fn target_of(entry: &Entry) -> Option<&str> {
    match entry {
        Entry::RouteTarget(target) => Some(target),
        _ => None,
    }
}

fn is_of_transit(interface: &Interface) -> bool {
    interface.kind.as_deref() == Some("transitgateway")
}

/// R-DATA-11: what else is attached to a transit gateway that only its interface shows.
fn unseen_transit(s: &Snapshot) -> Vec<(Box<str>, VpcId)> {
    let described = |vpc: VpcId| s.attachments.values().any(|row| attaches(s, row, vpc));
    let rows = s.interfaces.values().filter(|row| is_of_transit(row));
    let rows = rows.filter_map(|row| Some((row.meta.id.clone(), row.vpc.known()?)));
    rows.filter(|(_, vpc)| !described(*vpc)).collect()
}

/// Whether an attachment is one of this VPC, by what it names.
fn attaches(s: &Snapshot, attachment: &TgwAttachment, vpc: VpcId) -> bool {
    match attachment.vpc.as_ref().map(|options| &options.vpc) {
        Some(Ref::Known(known)) => *known == vpc,
        _ => attachment.resource == s.vpcs[vpc].meta.id,
    }
}

/// R-SG-10, R-DATA-10: connections that no answer describes, by which groups may be known on.
fn undescribed(s: &Snapshot) -> BTreeSet<Box<str>> {
    let routes = s.route_tables.values().flat_map(|table| &table.routes);
    let routed = routes.filter_map(|route| match &route.target {
        Target::Peering(Ref::Missing(id)) | Target::TransitGateway(Ref::Missing(id)) => Some(id.clone()),
        Target::TransitGateway(Ref::Known(id)) => {
            let tgw = &s.transit_gateways[*id];
            (tgw.group_referencing == Some(true)).then(|| tgw.meta.id.clone())
        }
        _ => None,
    });
    let interfaces = s.interfaces.values().filter(|row| is_of_transit(row)).map(|row| row.meta.id.clone());
    routed.chain(interfaces).collect()
}

/// R-DATA-10: targets of routes that no answer describes, or that are not modelled, and where they may lead.
fn missing_targets(s: &Snapshot) -> BTreeMap<Box<str>, Vec<Exit>> {
    let mut found: BTreeMap<Box<str>, Vec<Exit>> = BTreeMap::new();
    for (id, table) in s.route_tables.iter() {
        for route in &table.routes {
            let Some((target, call, inside)) = unresolved(s, &route.target, table.vpc.known()) else {
                continue;
            };
            if call.is_empty() || !s.scopes[table.meta.scope].collected(call) {
                let exits =
                    if inside { into_vpc(s, id, table) } else { s.vpcs.ids().map(Exit::Vpc).collect() };
                let known = found.entry(target.into()).or_default();
                known.push(Exit::Internet);
                known.extend(exits);
            }
        }
    }
    found
}

fn into_vpc(s: &Snapshot, id: RouteTableId, table: &RouteTable) -> Vec<Exit> {
    let vpc = table.vpc.known();
    let subnets = s.subnets.iter().filter(|(_, row)| vpc.is_some() && row.vpc.known() == vpc);
    subnets.map(|(subnet, _)| Exit::Subnet(subnet)).chain([Exit::Table(id)]).collect()
}

/// For a target without a model of its own: its id, the call that would describe it, and whether it stays in the VPC.
fn unresolved<'s>(
    s: &'s Snapshot,
    target: &'s Target,
    vpc: Option<VpcId>,
) -> Option<(&'s str, &'static str, bool)> {
    Some(match target {
        Target::Nat(Ref::Missing(id)) => (id, "ec2 describe-nat-gateways", true),
        Target::Nat(Ref::Known(id)) => (&s.nat_gateways[*id].meta.id, "", true),
        Target::Endpoint(Ref::Missing(id)) => (id, "ec2 describe-vpc-endpoints", true),
        Target::Endpoint(Ref::Known(id)) if s.endpoints[*id].kind != EndpointKind::Gateway => {
            (&s.endpoints[*id].meta.id, "", true)
        }
        Target::Interface(Ref::Missing(id)) => (id, "ec2 describe-network-interfaces", true),
        Target::Instance(Ref::Missing(id)) => (id, "ec2 describe-instances", true),
        Target::Instance(Ref::Known(id)) => (&s.instances[*id].meta.id, "", true),
        Target::Peering(Ref::Missing(id)) => (id, "ec2 describe-vpc-peering-connections", false),
        Target::TransitGateway(Ref::Missing(id)) => (id, "ec2 describe-transit-gateways", false),
        Target::TransitGateway(Ref::Known(id)) if lacks_attachment(s, *id, vpc) => {
            let call = "ec2 describe-transit-gateway-vpc-attachments";
            (&s.transit_gateways[*id].meta.id, call, false)
        }
        Target::Unmodelled { id, .. } => (id, "", false),
        _ => return None,
    })
}

fn lacks_attachment(s: &Snapshot, tgw: TgwId, vpc: Option<VpcId>) -> bool {
    let of_vpc = |row: &TgwAttachment| match (&row.vpc, vpc) {
        (Some(options), _) => options.vpc.known() == vpc,
        (None, Some(vpc)) => row.resource == s.vpcs[vpc].meta.id,
        (None, None) => false,
    };
    !s.attachments.values().any(|row| row.tgw == Ref::Known(tgw) && of_vpc(row))
}

/// R-TGW-13: appliances attached to a transit gateway.
fn network_functions(s: &Snapshot) -> Vec<(Box<str>, Vec<Exit>)> {
    let functions = s.attachments.values().filter(|row| &*row.kind == "network-function");
    let siblings = |tgw: &Ref<TgwId>| {
        let rows = s.attachments.iter().filter(|(_, other)| other.tgw == *tgw);
        rows.map(|(id, _)| Exit::Attachment(id)).collect()
    };
    functions.map(|row| (row.meta.id.clone(), siblings(&row.tgw))).collect()
}

/// R-NAT-9: the private sides of regional NAT gateways.
fn regional_nats(s: &Snapshot) -> Vec<(Box<str>, Vec<Exit>)> {
    let anywhere = |vpc: Option<VpcId>| {
        let subnets = s.subnets.iter().filter(|(_, row)| vpc.is_some() && row.vpc.known() == vpc);
        let subnets = subnets.map(|(id, _)| Exit::Subnet(id));
        vpc.map(Exit::Vpc).into_iter().chain([Exit::Internet]).chain(subnets).collect()
    };
    let rows = s.nat_gateways.values().filter(|row| is_regional(row));
    rows.map(|row| {
        let exits = match row.table.as_ref().and_then(Ref::known) {
            Some(table) => vec![Exit::Table(table)],
            None => anywhere(row.vpc.known()),
        };
        (row.meta.id.clone(), exits)
    })
    .collect()
}
