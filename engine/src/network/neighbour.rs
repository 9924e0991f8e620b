//! Networks that no answer describes: those behind a transit gateway or peering connection that only a trace shows, and
//! those that a call which was not made may have listed (R-DATA-4, R-DATA-10, R-DATA-11).
//!
//! Each is a component of kind [`ComponentKind::Neighbour`]: a source of its own, and a place that routes may lead to.

use std::collections::{BTreeMap, BTreeSet};

use reachproof_model::id::{Ref, TgwId, VpcId};
use reachproof_model::snapshot::{
    Component, ComponentKind, Entry, Exit, Interface, Meta, Snapshot, Target, TgwAttachment,
};
use reachproof_model::source::Source;

use super::interface::Role;
use super::missing::{collected_for_owner, in_owners_account};

/// The call that lists peering connections.
pub(super) const PEERINGS: &str = "ec2 describe-vpc-peering-connections";
const VIRTUAL_GATEWAYS: &str = "ec2 describe-vpn-gateways";
const TRANSIT_GATEWAYS: &str = "ec2 describe-transit-gateways";
const ATTACHMENTS: &str = "ec2 describe-transit-gateway-attachments";
const VPC_ATTACHMENTS: &str = "ec2 describe-transit-gateway-vpc-attachments";

/// Every network that no answer describes.
pub(super) fn neighbours(snapshot: &Snapshot) -> Vec<Component> {
    let mut found = undescribed(snapshot);
    found.extend(unseen_transit(snapshot));
    found.extend(snapshot.vpcs.ids().filter_map(|vpc| unlisted(snapshot, vpc)));
    found
}

/// R-SG-10: the ids of the components by which a sender's groups may be known on: peering connections and transit
/// gateways that only routes or an interface show, and those that no answer lists.
pub(super) fn keeping_identity(snapshot: &Snapshot) -> BTreeSet<Box<str>> {
    let routes = snapshot.route_tables.values().flat_map(|table| &table.routes);
    let missing = routes.filter_map(|route| match &route.target {
        Target::Peering(Ref::Missing(id)) | Target::TransitGateway(Ref::Missing(id)) => Some(id.clone()),
        Target::TransitGateway(Ref::Known(id)) => {
            let tgw = &snapshot.transit_gateways[*id];
            (tgw.group_referencing == Some(true)).then(|| tgw.meta.id.boxed())
        }
        _ => None,
    });
    let transit = snapshot.interfaces.values().filter(|row| Role::of(row) == Role::Transit);
    let transit = transit.map(|row| transit_name(&row.meta));
    let unlisted = snapshot.vpcs.values().map(|vpc| unlisted_name(&vpc.meta));
    missing.chain(transit).chain(unlisted).collect()
}

/// The ids of the peering connections that only routes show: what is behind one is another VPC.
pub(super) fn missing_peerings(snapshot: &Snapshot) -> BTreeSet<&str> {
    let routes = snapshot.route_tables.values().flat_map(|table| &table.routes);
    let missing = routes.filter_map(|route| match &route.target {
        Target::Peering(Ref::Missing(id)) => Some(&**id),
        _ => None,
    });
    missing.collect()
}

/// What routes name in vain, and how it may lead on.
struct Undescribed<'s> {
    call: &'static str,
    /// The VPCs that route to it.
    homes: BTreeSet<VpcId>,
    target: &'s Target,
    source: &'s Source,
}

/// R-DATA-10 named target: where the call of a transit gateway or peering connection was not collected, a route to it may
/// lead wherever its kind could, and whatever hangs on it may send.
fn undescribed(snapshot: &Snapshot) -> Vec<Component> {
    let mut found: BTreeMap<&str, Undescribed<'_>> = BTreeMap::new();
    for table in snapshot.route_tables.values() {
        for route in &table.routes {
            let Some((id, call)) = named(snapshot, &route.target, table.vpc.known()) else { continue };
            if call.is_empty() || !collected_for_owner(snapshot, &table.meta, call) {
                let fresh = Undescribed {
                    call,
                    homes: BTreeSet::new(),
                    target: &route.target,
                    source: &route.source,
                };
                found.entry(id).or_insert(fresh).homes.extend(table.vpc.known());
            }
        }
    }
    found.into_iter().map(|(id, row)| row.component(snapshot, id)).collect()
}

impl Undescribed<'_> {
    fn component(&self, snapshot: &Snapshot, id: &str) -> Component {
        let joined: Vec<VpcId> = snapshot
            .vpcs
            .ids()
            .filter(|vpc| self.homes.contains(vpc) || self.joins(snapshot, id, *vpc))
            .collect();
        let mut exits = vec![Exit::Internet];
        exits.extend(joined.iter().copied().map(Exit::Vpc));
        if !matches!(self.target, Target::Peering(_)) {
            exits.extend(joined.iter().flat_map(|vpc| attachment_exits(snapshot, *vpc)));
        }
        let why = match self.call {
            "" => format!("{id} is a route target of a kind that is not modelled"),
            call => format!("{id} is a route target that no answer describes; collect: {call}"),
        };
        Component {
            id: id.into(),
            kind: ComponentKind::Neighbour,
            why: why.into(),
            entries: vec![Entry::RouteTarget(id.into())],
            exits,
            source: self.source.clone(),
        }
    }

    /// Whether a VPC that does not route to the target may be joined to it all the same.
    fn joins(&self, snapshot: &Snapshot, id: &str, vpc: VpcId) -> bool {
        let meta = &snapshot.vpcs[vpc].meta;
        match self.target {
            Target::Peering(_) => !collected_for_owner(snapshot, meta, PEERINGS),
            Target::TransitGateway(_) => {
                !lists_attachments(snapshot, meta)
                    || snapshot
                        .attachments
                        .values()
                        .any(|row| tgw_name(snapshot, &row.tgw) == id && vpc_name(snapshot, row) == &*meta.id)
            }
            _ => true,
        }
    }
}

/// The target that a route names and that no answer describes, with the call that would. What is collected and not
/// listed is gone.
fn named<'s>(
    snapshot: &'s Snapshot,
    target: &'s Target,
    home: Option<VpcId>,
) -> Option<(&'s str, &'static str)> {
    Some(match target {
        Target::TransitGateway(Ref::Missing(id)) => (id, TRANSIT_GATEWAYS),
        Target::TransitGateway(Ref::Known(id)) if lacks_attachment(snapshot, *id, home) => {
            (&snapshot.transit_gateways[*id].meta.id, VPC_ATTACHMENTS)
        }
        Target::Peering(Ref::Missing(id)) => (id, PEERINGS),
        Target::Unmodelled { id, .. } => (id, ""),
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
            id: transit_name(&interface.meta),
            kind: ComponentKind::Neighbour,
            why: format!(
                "{id} belongs to a transit gateway that no answer describes; collect: {ATTACHMENTS}"
            )
            .into(),
            entries: Vec::new(),
            exits: into_vpc(snapshot, vpc),
            source: interface.meta.source.clone(),
        })
    };
    of_transit.filter_map(component).collect()
}

/// R-DATA-4, R-DATA-10: where a call that lists what joins a VPC to other networks was not made, the VPC may be joined to
/// some, though no route names them: what comes in needs no route (R-PCX-3).
fn unlisted(snapshot: &Snapshot, vpc: VpcId) -> Option<Component> {
    let meta = &snapshot.vpcs[vpc].meta;
    let mut missing: Vec<&str> = [PEERINGS, VIRTUAL_GATEWAYS]
        .into_iter()
        .filter(|call| !collected_for_owner(snapshot, meta, call))
        .collect();
    let mut exits = vec![Exit::Vpc(vpc)];
    if !lists_attachments(snapshot, meta) {
        missing.push(ATTACHMENTS);
        exits = into_vpc(snapshot, vpc);
    }
    let id = &meta.id;
    let calls = missing.join(", ");
    let whose = in_owners_account(snapshot, meta);
    (!missing.is_empty()).then(|| Component {
        id: unlisted_name(meta),
        kind: ComponentKind::Neighbour,
        why: format!("what joins {id} to other networks is not known; collect{whose}: {calls}").into(),
        entries: Vec::new(),
        exits,
        source: meta.source.clone(),
    })
}

fn unlisted_name(meta: &Meta) -> Box<str> {
    format!("unlisted-neighbours-of-{}", meta.id).into()
}

fn transit_name(meta: &Meta) -> Box<str> {
    format!("transit-gateway-of-{}", meta.id).into()
}

/// Whether the attachments of a VPC are all known.
fn lists_attachments(snapshot: &Snapshot, meta: &Meta) -> bool {
    [ATTACHMENTS, VPC_ATTACHMENTS].iter().any(|call| collected_for_owner(snapshot, meta, call))
}

/// R-TGW-8, R-DATA-3: into a VPC by an attachment whose subnets are not known.
fn into_vpc(snapshot: &Snapshot, vpc: VpcId) -> Vec<Exit> {
    std::iter::once(Exit::Vpc(vpc)).chain(attachment_exits(snapshot, vpc)).collect()
}

/// R-TGW-8: what comes out of an attachment is in one of its subnets, and goes on by that subnet's table.
fn attachment_exits(snapshot: &Snapshot, vpc: VpcId) -> impl Iterator<Item = Exit> {
    let own = snapshot.subnets.iter().filter(move |(_, subnet)| subnet.vpc.known() == Some(vpc));
    own.map(|(id, _)| Exit::Subnet(id))
}

fn tgw_name<'s>(snapshot: &'s Snapshot, tgw: &'s Ref<TgwId>) -> &'s str {
    match tgw {
        Ref::Known(id) => &snapshot.transit_gateways[*id].meta.id,
        Ref::Missing(name) => name,
    }
}

/// The VPC that an attachment names, or the resource that it attaches.
fn vpc_name<'s>(snapshot: &'s Snapshot, attachment: &'s TgwAttachment) -> &'s str {
    match attachment.vpc.as_ref().map(|options| &options.vpc) {
        Some(Ref::Known(vpc)) => &snapshot.vpcs[*vpc].meta.id,
        _ => &attachment.resource,
    }
}
