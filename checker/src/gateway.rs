//! Internet, egress-only and virtual private gateways, with those that only routes and missing answers show.

use reachproof_model::id::{Ref, VpcId};
use reachproof_model::snapshot::{GatewayAttachment, Meta, Snapshot, State, Target};

use crate::net::collected_for_owner;
use crate::state::{certain, usable};

/// The position of a gateway.
pub(crate) type GatewayId = usize;

/// The kinds of gateway at the edge of a VPC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Kind {
    Internet,
    EgressOnly,
    Virtual,
}

/// A gateway at a VPC.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Gateway {
    pub(crate) kind: Kind,
    pub(crate) id: Box<str>,
    pub(crate) vpc: VpcId,
    /// Whether the attachment certainly carries traffic.
    pub(crate) firm: bool,
}

/// Every gateway that may serve a VPC.
pub(crate) fn gateways(s: &Snapshot) -> Vec<Gateway> {
    let mut found = Vec::new();
    for row in s.internet_gateways.values() {
        attached(Kind::Internet, &row.meta, &row.attachments, &None, &mut found);
    }
    for row in s.egress_gateways.values() {
        attached(Kind::EgressOnly, &row.meta, &row.attachments, &None, &mut found);
    }
    for row in s.virtual_gateways.values() {
        attached(Kind::Virtual, &row.meta, &row.attachments, &row.state, &mut found);
    }
    implied(s, &mut found);
    possible(s, &mut found);
    found
}

/// R-IGW-1, R-EIGW-1, R-VPN-1.
fn attached(kind: Kind, meta: &Meta, rows: &[GatewayAttachment], state: &State, found: &mut Vec<Gateway>) {
    let settled = |state: &State| certain(state, "available") || certain(state, "attached");
    for row in rows.iter().filter(|row| usable(&row.state) && usable(state)) {
        if let Some(vpc) = row.vpc.known() {
            let firm = settled(&row.state) && settled(state);
            found.push(Gateway { kind, id: meta.id.boxed(), vpc, firm });
        }
    }
}

/// The call that describes the gateways of a kind.
fn call(kind: Kind) -> &'static str {
    match kind {
        Kind::Internet => "ec2 describe-internet-gateways",
        Kind::EgressOnly => "ec2 describe-egress-only-internet-gateways",
        Kind::Virtual => "ec2 describe-vpn-gateways",
    }
}

/// R-ROUTE-16, R-DATA-11: where the call was not collected, an active route or a propagation shows a gateway.
fn implied(s: &Snapshot, found: &mut Vec<Gateway>) {
    for table in s.route_tables.values() {
        let Some(vpc) = table.vpc.known() else { continue };
        let routed = table.routes.iter().filter(|route| certain(&route.state, "active"));
        let routed = routed.filter_map(|route| match &route.target {
            Target::InternetGateway(Ref::Missing(id)) => Some((Kind::Internet, id, true)),
            Target::EgressGateway(Ref::Missing(id)) => Some((Kind::EgressOnly, id, true)),
            Target::VirtualGateway(Ref::Missing(id)) => Some((Kind::Virtual, id, true)),
            _ => None,
        });
        let propagating = table.propagating.iter().filter_map(|gateway| match gateway {
            Ref::Missing(id) => Some((Kind::Virtual, id, false)),
            Ref::Known(_) => None,
        });
        for (kind, id, firm) in routed.chain(propagating) {
            let known = found.iter().any(|row| (row.kind, &row.id, row.vpc) == (kind, id, vpc));
            if !known && !collected_for_owner(s, &table.meta, call(kind)) {
                found.push(Gateway { kind, id: id.clone(), vpc, firm });
            }
        }
    }
}

/// R-DATA-10, R-SHARE-1: where internet gateways were not collected of a VPC's owner, the VPC may have one.
fn possible(s: &Snapshot, found: &mut Vec<Gateway>) {
    for (vpc, record) in s.vpcs.iter() {
        let served = found.iter().any(|row| row.kind == Kind::Internet && row.vpc == vpc);
        if !served && !collected_for_owner(s, &record.meta, call(Kind::Internet)) {
            let id = format!("internet-gateway-of-{}", record.meta.id).into();
            found.push(Gateway { kind: Kind::Internet, id, vpc, firm: false });
        }
    }
}
