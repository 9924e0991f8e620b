//! Unmodelled components: those that the snapshot shows, and those that follow from missing data (A-22, R-DATA-10).

use std::collections::{BTreeMap, BTreeSet};

use reachproof_model::id::{Ref, RouteTableId, TgwId, VpcId};
use reachproof_model::snapshot::{
    ComponentKind, EndpointKind, Entry, Exit, Interface, Meta, NatGateway, RouteTable, Snapshot, Target,
    TgwAttachment,
};

use crate::net::{collected_for_owner, is_regional, is_shown, vpc_of_nat};
use crate::state::usable;
use crate::transit::ATTACHMENTS;

pub(crate) const PEERINGS: &str = "ec2 describe-vpc-peering-connections";
const VPC_ATTACHMENTS: &str = "ec2 describe-transit-gateway-vpc-attachments";

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
        // R-GWLB-2: an appliance that nobody shows may send from an interface of its own.
        let by_itself = row.exits.iter().any(|exit| matches!(exit, Exit::Vpc(_) | Exit::Attachment(_)));
        let anywhere = row.exits.contains(&Exit::Internet);
        known.may_know_senders |= row.kind == ComponentKind::Inspection && anywhere && by_itself;
    }
    let shown: BTreeSet<Entry> = s.components.values().flat_map(|row| row.entries.iter().cloned()).collect();
    let derived = missing_targets(s).into_iter().chain(undescribed(s));
    let derived = derived.chain(network_functions(s)).chain(nats(s));
    for (target, exits) in derived.filter(|(target, _)| !shown.contains(&Entry::RouteTarget(target.clone())))
    {
        let known = found.entry(target.clone()).or_default();
        known.entries.insert(Entry::RouteTarget(target));
        known.exits.extend(exits);
    }
    for (name, exits) in unseen_transit(s).into_iter().chain(unlisted(s)) {
        let known = found.entry(name).or_default();
        known.exits.extend(exits);
        known.may_know_senders = true;
    }
    for name in undescribed_targets(s) {
        if let Some(component) = found.get_mut(&name) {
            component.may_know_senders = true;
        }
    }
    found
}

fn is_of_transit(interface: &Interface) -> bool {
    interface.kind.as_deref() == Some("transitgateway")
}

/// R-DATA-11: what else is attached to a transit gateway that only its interface shows.
fn unseen_transit(s: &Snapshot) -> Vec<(Box<str>, Vec<Exit>)> {
    let described = |vpc: VpcId| s.attachments.values().any(|row| attaches(s, row, vpc));
    let rows = s.interfaces.values().filter(|row| is_of_transit(row));
    let rows = rows.filter_map(|row| Some((&row.meta.id, row.vpc.known()?)));
    let rows = rows.filter(|(_, vpc)| !described(*vpc));
    rows.map(|(id, vpc)| (format!("transit-gateway-of-{id}").into(), by_any_subnet(s, vpc))).collect()
}

/// R-DATA-4, R-DATA-10, R-PCX-3: what a VPC may be joined to where nobody listed what joins it to other networks.
fn unlisted(s: &Snapshot) -> Vec<(Box<str>, Vec<Exit>)> {
    let rows = s.vpcs.iter().filter_map(|(vpc, record)| {
        let meta = &record.meta;
        let told = |call: &str| collected_for_owner(s, meta, call);
        let exits = if !lists_attachments(s, meta) {
            by_any_subnet(s, vpc)
        } else if !told(PEERINGS) || !told("ec2 describe-vpn-gateways") {
            vec![Exit::Vpc(vpc)]
        } else {
            return None;
        };
        Some((format!("unlisted-neighbours-of-{}", meta.id).into(), exits))
    });
    rows.collect()
}

/// Whether the attachments of a VPC are all known.
fn lists_attachments(s: &Snapshot, meta: &Meta) -> bool {
    [ATTACHMENTS, VPC_ATTACHMENTS].iter().any(|call| collected_for_owner(s, meta, call))
}

/// R-TGW-8, R-DATA-3: into a VPC by an attachment whose subnets nobody knows.
fn by_any_subnet(s: &Snapshot, vpc: VpcId) -> Vec<Exit> {
    let own = s.subnets.iter().filter(|(_, row)| row.vpc.known() == Some(vpc));
    std::iter::once(Exit::Vpc(vpc)).chain(own.map(|(id, _)| Exit::Subnet(id))).collect()
}

/// Whether an attachment is one of this VPC, by what it names.
fn attaches(s: &Snapshot, attachment: &TgwAttachment, vpc: VpcId) -> bool {
    match attachment.vpc.as_ref().map(|options| &options.vpc) {
        Some(Ref::Known(known)) => *known == vpc,
        _ => attachment.resource == s.vpcs[vpc].meta.id,
    }
}

/// R-SG-10, R-DATA-10: connections that no answer describes, by which groups may be known on.
fn undescribed_targets(s: &Snapshot) -> BTreeSet<Box<str>> {
    let routes = s.route_tables.values().flat_map(|table| &table.routes);
    let routed = routes.filter_map(|route| match &route.target {
        Target::Peering(Ref::Missing(id)) | Target::TransitGateway(Ref::Missing(id)) => Some(id.clone()),
        Target::TransitGateway(Ref::Known(id)) => {
            let tgw = &s.transit_gateways[*id];
            (tgw.group_referencing == Some(true)).then(|| tgw.meta.id.boxed())
        }
        _ => None,
    });
    routed.collect()
}

/// R-DATA-10: targets inside a VPC that no answer describes, or that are not modelled, and where they may lead.
fn missing_targets(s: &Snapshot) -> BTreeMap<Box<str>, Vec<Exit>> {
    let mut found: BTreeMap<Box<str>, Vec<Exit>> = BTreeMap::new();
    for (id, table) in s.route_tables.iter() {
        for route in &table.routes {
            let Some((target, call)) = unresolved(s, &route.target) else { continue };
            if call.is_empty() || !collected_for_owner(s, &table.meta, call) {
                let known = found.entry(target.into()).or_default();
                known.push(Exit::Internet);
                known.extend(into_vpc(s, id, table));
            }
        }
    }
    found
}

/// R-DATA-10: peering connections and transit gateways that no answer describes, and targets of unknown kinds: to the
/// internet, to every VPC that routes there, and to every other that may be joined to them.
fn undescribed(s: &Snapshot) -> Vec<(Box<str>, Vec<Exit>)> {
    let mut homes: BTreeMap<&str, (Vec<&Target>, BTreeSet<VpcId>)> = BTreeMap::new();
    for table in s.route_tables.values() {
        for route in &table.routes {
            let Some((id, call)) = between_networks(s, &route.target, table.vpc.known()) else { continue };
            if call.is_empty() || !collected_for_owner(s, &table.meta, call) {
                let (targets, vpcs) = homes.entry(id).or_default();
                targets.push(&route.target);
                vpcs.extend(table.vpc.known());
            }
        }
    }
    let exits = |id: &str, targets: &[&Target], homes: &BTreeSet<VpcId>| {
        let joined = |vpc: &VpcId| homes.contains(vpc) || targets.iter().any(|one| joins(s, one, id, *vpc));
        let joined: Vec<VpcId> = s.vpcs.ids().filter(joined).collect();
        let peering = targets.iter().all(|one| matches!(one, Target::Peering(_)));
        let into = joined
            .into_iter()
            .flat_map(|vpc| if peering { vec![Exit::Vpc(vpc)] } else { by_any_subnet(s, vpc) });
        std::iter::once(Exit::Internet).chain(into).collect::<Vec<Exit>>()
    };
    homes.iter().map(|(id, (targets, homes))| ((*id).into(), exits(id, targets, homes))).collect()
}

/// Whether a VPC that does not route to a target may be joined to it all the same.
fn joins(s: &Snapshot, target: &Target, id: &str, vpc: VpcId) -> bool {
    let meta = &s.vpcs[vpc].meta;
    match target {
        Target::Peering(_) => !collected_for_owner(s, meta, PEERINGS),
        Target::TransitGateway(_) => {
            let of_target = |row: &TgwAttachment| match &row.tgw {
                Ref::Known(tgw) => *s.transit_gateways[*tgw].meta.id == *id,
                Ref::Missing(name) => **name == *id,
            };
            let mut attached = s.attachments.values().filter(|row| of_target(row));
            !lists_attachments(s, meta) || attached.any(|row| attaches(s, row, vpc))
        }
        _ => true,
    }
}

fn into_vpc(s: &Snapshot, id: RouteTableId, table: &RouteTable) -> Vec<Exit> {
    let vpc = table.vpc.known();
    let subnets = s.subnets.iter().filter(|(_, row)| vpc.is_some() && row.vpc.known() == vpc);
    let tables = s.route_tables.iter().filter(|(_, row)| vpc.is_some() && row.vpc.known() == vpc);
    let tables = tables.map(|(table, _)| Exit::Table(table)).chain([Exit::Table(id)]);
    subnets.map(|(subnet, _)| Exit::Subnet(subnet)).chain(tables).collect()
}

/// For a target inside a VPC without a model of its own: its id and the call that would describe it.
fn unresolved<'s>(s: &'s Snapshot, target: &'s Target) -> Option<(&'s str, &'static str)> {
    Some(match target {
        Target::Nat(Ref::Missing(id)) => (id, "ec2 describe-nat-gateways"),
        Target::Endpoint(Ref::Missing(id)) => (id, "ec2 describe-vpc-endpoints"),
        Target::Endpoint(Ref::Known(id)) if s.endpoints[*id].kind != EndpointKind::Gateway => {
            (&s.endpoints[*id].meta.id, "")
        }
        Target::Interface(Ref::Missing(id)) => (id, "ec2 describe-network-interfaces"),
        Target::Instance(Ref::Missing(id)) => (id, "ec2 describe-instances"),
        Target::Instance(Ref::Known(id)) => (&s.instances[*id].meta.id, ""),
        _ => return None,
    })
}

/// The same for a target between networks.
fn between_networks<'s>(
    s: &'s Snapshot,
    target: &'s Target,
    vpc: Option<VpcId>,
) -> Option<(&'s str, &'static str)> {
    Some(match target {
        Target::Peering(Ref::Missing(id)) => (id, PEERINGS),
        Target::TransitGateway(Ref::Missing(id)) => (id, "ec2 describe-transit-gateways"),
        Target::TransitGateway(Ref::Known(id)) if lacks_attachment(s, *id, vpc) => {
            (&s.transit_gateways[*id].meta.id, VPC_ATTACHMENTS)
        }
        Target::Unmodelled { id, .. } => (id, ""),
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
    functions.map(|row| (row.meta.id.boxed(), siblings(&row.tgw))).collect()
}

/// R-NAT-9, R-DATA-3: the private sides of regional NAT gateways, and NAT gateways that are not shown entirely.
fn nats(s: &Snapshot) -> Vec<(Box<str>, Vec<Exit>)> {
    let anywhere = |vpc: Option<VpcId>| {
        let here = move |other: Option<VpcId>| vpc.is_none() || other == vpc;
        let subnets = s.subnets.iter().filter(move |(_, row)| here(row.vpc.known()));
        let vpcs = s.vpcs.ids().filter(move |id| here(Some(*id))).map(Exit::Vpc);
        let tables = s.route_tables.iter().filter(move |(_, row)| here(row.vpc.known()));
        let subnets = subnets.map(|(id, _)| Exit::Subnet(id));
        vpcs.chain([Exit::Internet]).chain(subnets).chain(tables.map(|(id, _)| Exit::Table(id))).collect()
    };
    let exits = |row: &NatGateway| match row.table.as_ref().and_then(Ref::known) {
        Some(table) if is_regional(row) && is_shown(s, row) => vec![Exit::Table(table)],
        // One that is not shown is followed no further.
        Some(table) if is_regional(row) => vec![Exit::Table(table), Exit::Internet],
        _ => anywhere(vpc_of_nat(s, row)),
    };
    let live = s.nat_gateways.values().filter(|row| usable(&row.state));
    let others = live.filter(|row| is_regional(row) || !is_shown(s, row));
    others.map(|row| (row.meta.id.boxed(), exits(row))).collect()
}
