//! Internet, egress-only and virtual private gateways, with those that only routes show (R-ROUTE-16).

use std::collections::BTreeSet;

use reachproof_model::flow::World;
use reachproof_model::id::{Id, Ref, Table, VpcId};
use reachproof_model::snapshot::{
    GatewayAttachment, Meta, RouteTable, Snapshot, Target, Vpc, VpnConnection, VpnTerminus,
};
use reachproof_model::source::Source;
use serde::{Deserialize, Serialize};

use super::Network;
use super::missing::collected_for_owner;
use super::state::{Object, usable};

/// A dense index into the gateways of a [`Network`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct GatewayId(u32);

impl Id for GatewayId {
    fn from_index(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }
    fn index(self) -> usize {
        self.0 as usize
    }
}

/// The kinds of gateway at the edge of a VPC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum GatewayKind {
    /// Internet gateway.
    Internet,
    /// Egress-only internet gateway.
    EgressOnly,
    /// Virtual private gateway.
    Virtual,
}

/// A gateway and the VPC that it serves in each world. One that is changing its VPC is one at each (R-STATE-5).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gateway {
    /// Its kind.
    pub kind: GatewayKind,
    /// Its AWS id.
    pub id: Box<str>,
    /// The VPC it is attached to in the permissive world.
    pub vpc: Option<VpcId>,
    /// Whether the restrictive world counts that attachment.
    pub firm: bool,
    /// Whether only an active route shows it (R-ROUTE-16, A-36).
    pub implied: bool,
    /// Where it was read, if its call was collected.
    pub source: Option<Source>,
}

impl Gateway {
    /// R-IGW-1, R-EIGW-1, R-VPN-1: the VPC that the gateway serves in this world.
    pub fn serves(&self, world: World) -> Option<VpcId> {
        self.vpc.filter(|_| self.firm || world == World::Over)
    }
}

impl Network<'_> {
    /// All gateways: those described, then those implied by routes.
    pub fn gateways(&self) -> &Table<GatewayId, Gateway> {
        &self.resolved.gateways
    }

    /// The gateways of a kind with this AWS id: one for each VPC to which it may be attached.
    pub fn gateways_named(&self, kind: GatewayKind, id: &str) -> impl Iterator<Item = GatewayId> {
        let named = move |row: &Gateway| row.kind == kind && &*row.id == id;
        self.resolved.gateways.iter().filter(move |(_, row)| named(row)).map(|(id, _)| id)
    }

    /// The gateways of a kind that serve a VPC in this world.
    pub fn gateways_of(&self, vpc: VpcId, kind: GatewayKind, world: World) -> Vec<GatewayId> {
        let serving =
            |(_, gateway): &(GatewayId, &Gateway)| gateway.kind == kind && gateway.serves(world) == Some(vpc);
        self.resolved.gateways.iter().filter(serving).map(|(id, _)| id).collect()
    }
}

pub(super) fn gateways(snapshot: &Snapshot) -> Table<GatewayId, Gateway> {
    let internet = snapshot
        .internet_gateways
        .values()
        .flat_map(|row| described(GatewayKind::Internet, &row.meta, &row.attachments, true));
    let egress = snapshot
        .egress_gateways
        .values()
        .flat_map(|row| described(GatewayKind::EgressOnly, &row.meta, &row.attachments, true));
    let private = snapshot.virtual_gateways.values().flat_map(|row| {
        let firm = usable(Object::Vpn, &row.state, World::Under) && !is_down(snapshot, &row.meta.id);
        let alive = usable(Object::Vpn, &row.state, World::Over);
        let attachments = if alive { &row.attachments[..] } else { &[] };
        described(GatewayKind::Virtual, &row.meta, attachments, firm)
    });
    let shown = internet.chain(egress).chain(private);
    let mut table: Table<GatewayId, Gateway> = shown.chain(implied(snapshot)).collect();
    for gateway in possible(snapshot, &table) {
        table.push(gateway);
    }
    table
}

/// A-2, R-VPN-1: whether VPN connections end at this gateway, and no tunnel of any is up.
fn is_down(snapshot: &Snapshot, id: &str) -> bool {
    let ends_here = |terminus: &VpnTerminus| match terminus {
        VpnTerminus::VirtualGateway(Ref::Known(vgw)) => *snapshot.virtual_gateways[*vgw].meta.id == *id,
        VpnTerminus::VirtualGateway(Ref::Missing(other)) => **other == *id,
        VpnTerminus::TransitGateway(_) | VpnTerminus::Other => false,
    };
    let there = |row: &&VpnConnection| {
        ends_here(&row.terminus) && row.state.as_deref().is_none_or(|state| state == "available")
    };
    let mut ending = snapshot.vpn_connections.iter().filter(there).peekable();
    ending.peek().is_some() && ending.all(|row| row.down)
}

/// R-DATA-10, R-SHARE-1: where internet gateways were not collected of the account that owns a VPC, each VPC may have one, though no route names it: what comes in
/// needs no route (R-IGW-6). The permissive world counts it.
fn possible(snapshot: &Snapshot, known: &Table<GatewayId, Gateway>) -> Vec<Gateway> {
    let collected = |meta| collected_for_owner(snapshot, meta, call_of(GatewayKind::Internet));
    let served = |vpc| known.values().any(|row| row.kind == GatewayKind::Internet && row.vpc == Some(vpc));
    let open = snapshot.vpcs.iter().filter(|(id, vpc)| !collected(&vpc.meta) && !served(*id));
    let gateway = |(id, vpc): (VpcId, &Vpc)| Gateway {
        kind: GatewayKind::Internet,
        id: format!("internet-gateway-of-{}", vpc.meta.id).into(),
        vpc: Some(id),
        firm: false,
        implied: true,
        source: Some(vpc.meta.source.clone()),
    };
    open.map(gateway).collect()
}

/// R-IGW-1, R-EIGW-1, R-VPN-1, R-STATE-5: a gateway at each VPC to which it may be attached, or at none. AWS attaches it to
/// one at a time, so an attachment is certain iff it is the only one that is settled.
fn described(kind: GatewayKind, meta: &Meta, attachments: &[GatewayAttachment], firm: bool) -> Vec<Gateway> {
    let attached = |world| -> BTreeSet<VpcId> {
        let usable = attachments.iter().filter(|row| usable(Object::GatewayAttachment, &row.state, world));
        usable.filter_map(|row| row.vpc.known()).collect()
    };
    let settled = attached(World::Under);
    let at = |vpc: Option<VpcId>| Gateway {
        kind,
        id: meta.id.boxed(),
        vpc,
        firm: firm && settled.len() == 1 && vpc.is_some_and(|vpc| settled.contains(&vpc)),
        implied: false,
        source: Some(meta.source.clone()),
    };
    let possible = attached(World::Over);
    if possible.is_empty() { vec![at(None)] } else { possible.into_iter().map(|vpc| at(Some(vpc))).collect() }
}

/// R-ROUTE-16: where the call was not collected, an active route is itself the evidence of attachment.
fn implied(snapshot: &Snapshot) -> Vec<Gateway> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for table in snapshot.route_tables.values() {
        let Some(vpc) = table.vpc.known() else { continue };
        let collected = |kind| collected_for_owner(snapshot, &table.meta, call_of(kind));
        for route in &table.routes {
            let Some((kind, id)) = missing_gateway(&route.target) else { continue };
            let active = route.state.as_deref().is_none_or(|state| state == "active");
            if active && !collected(kind) && seen.insert((kind, id, vpc)) {
                let source = Some(route.source.clone());
                found.push(Gateway {
                    kind,
                    id: id.into(),
                    vpc: Some(vpc),
                    firm: true,
                    implied: true,
                    source,
                });
            }
        }
    }
    found.extend(propagating(snapshot).into_iter().filter(|row| {
        let vpc = row.vpc;
        !vpc.is_some_and(|vpc| seen.contains(&(row.kind, &*row.id, vpc)))
    }));
    found
}

/// R-DATA-11: where virtual private gateways were not collected, one that propagates into a table is attached to the
/// table's VPC. The permissive world counts it.
fn propagating(snapshot: &Snapshot) -> Vec<Gateway> {
    let collected =
        |table: &RouteTable| collected_for_owner(snapshot, &table.meta, call_of(GatewayKind::Virtual));
    let tables = snapshot.route_tables.values().filter(|table| !collected(table));
    let rows = tables.flat_map(|table| {
        let names = table.propagating.iter().filter_map(|vgw| match vgw {
            Ref::Missing(id) => Some(id),
            Ref::Known(_) => None,
        });
        names.map(move |id| Gateway {
            kind: GatewayKind::Virtual,
            id: id.clone(),
            vpc: table.vpc.known(),
            firm: false,
            implied: true,
            source: Some(table.meta.source.clone()),
        })
    });
    rows.collect()
}

fn missing_gateway(target: &Target) -> Option<(GatewayKind, &str)> {
    match target {
        Target::InternetGateway(Ref::Missing(id)) => Some((GatewayKind::Internet, id)),
        Target::EgressGateway(Ref::Missing(id)) => Some((GatewayKind::EgressOnly, id)),
        Target::VirtualGateway(Ref::Missing(id)) => Some((GatewayKind::Virtual, id)),
        _ => None,
    }
}

/// The call that describes gateways of a kind.
pub(super) fn call_of(kind: GatewayKind) -> &'static str {
    match kind {
        GatewayKind::Internet => "ec2 describe-internet-gateways",
        GatewayKind::EgressOnly => "ec2 describe-egress-only-internet-gateways",
        GatewayKind::Virtual => "ec2 describe-vpn-gateways",
    }
}
