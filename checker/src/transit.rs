//! Transit gateways: attachments, look-ups and what their tables may lead to (section 13).

use ipnet::IpNet;
use reachproof_model::certificate::Family;
use reachproof_model::id::{AttachmentId, PolicyTableId, Ref, SubnetId, TgwId, TgwTableId, VpcId};
use reachproof_model::snapshot::{Destination, TgwAttachment, TgwRoute, TgwRouteTable};

use crate::area::{Interval, interval};
use crate::net::{Net, collected_for_owner};
use crate::route::{Candidate, everything, won};
use crate::state::{certain, is_foreign, usable};

/// What lists the attachments of a transit gateway.
pub(crate) const ATTACHMENTS: &str = "ec2 describe-transit-gateway-attachments";

/// Where a route of a transit gateway leads.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TransitHop {
    To(AttachmentId),
    Anywhere,
    Nowhere,
}

/// Where what came in by an attachment is looked up (R-TGW-4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LookUp {
    Table(TgwTableId),
    Policy(PolicyTableId),
    Unknown,
}

/// Where a packet goes that leaves by an attachment.
pub(crate) enum Exit {
    Vpc(VpcId),
    Peer(AttachmentId),
    Outside,
    Component,
    Down,
}

impl<'s> Net<'s> {
    pub(crate) fn attachment(&self, id: AttachmentId) -> &'s TgwAttachment {
        &self.s.attachments[id]
    }

    /// R-TGW-1.
    pub(crate) fn attachments(
        &self,
        wanted: impl Fn(AttachmentId, &TgwAttachment) -> bool,
    ) -> Vec<AttachmentId> {
        let rows = self.s.attachments.iter().filter(|(_, row)| usable(&row.state));
        rows.filter(|(id, row)| wanted(*id, row)).map(|(id, _)| id).collect()
    }

    /// R-TGW-2: the attachments of a VPC to a transit gateway.
    pub(crate) fn attachments_of(&self, tgw: TgwId, vpc: VpcId) -> Vec<AttachmentId> {
        self.attachments(|id, row| row.tgw.known() == Some(tgw) && self.attached_vpc(id) == Some(vpc))
    }

    /// The VPC that an attachment names.
    pub(crate) fn attached_vpc(&self, id: AttachmentId) -> Option<VpcId> {
        let record = self.attachment(id);
        match record.vpc.as_ref().map(|options| &options.vpc) {
            Some(Ref::Known(vpc)) => Some(*vpc),
            Some(Ref::Missing(name)) if !name.is_empty() => None,
            _ => self.s.vpcs.iter().find(|(_, vpc)| vpc.meta.id == record.resource).map(|(id, _)| id),
        }
    }

    /// The subnets of an attachment; `None` if nobody knows them all.
    pub(crate) fn attachment_subnets(&self, id: AttachmentId) -> Option<Vec<SubnetId>> {
        self.attachment(id).vpc.as_ref()?.subnets.as_ref()?.iter().map(Ref::known).collect()
    }

    /// R-TGW-2, A-9: the attachment subnets by which a packet from a subnet enters.
    pub(crate) fn entry_subnets(&self, id: AttachmentId, from: Option<SubnetId>) -> Option<Vec<SubnetId>> {
        let serves = |subnet: &SubnetId| from.is_none_or(|from| self.may_share_zone(from, *subnet));
        Some(self.attachment_subnets(id)?.into_iter().filter(serves).collect())
    }

    /// R-TGW-4, R-TGW-12, R-TGW-15.
    pub(crate) fn look_ups(&self, id: AttachmentId) -> Vec<LookUp> {
        let record = self.attachment(id);
        let policies = record.policies.iter().filter(|row| usable(&row.state));
        let mut found: Vec<LookUp> =
            policies.map(|row| row.table.known().map_or(LookUp::Unknown, LookUp::Policy)).collect();
        // A policy table that is certainly in force stands instead of any route table.
        if !record.policies.iter().any(|row| certain(&row.state, "associated")) {
            let tables = record.associations.iter().filter(|row| usable(&row.state));
            found.extend(tables.map(|row| row.table.known().map_or(LookUp::Unknown, LookUp::Table)));
        }
        let told = self.told_gateway_owner(record, ATTACHMENTS)
            || self.told_gateway_owner(record, "ec2 get-transit-gateway-route-table-associations");
        if found.is_empty() && !told { vec![LookUp::Unknown] } else { found }
    }

    /// R-DATA-9, R-TGW-15: whether a call was collected by the owner of an attachment's transit gateway.
    fn told_gateway_owner(&self, record: &TgwAttachment, call: &str) -> bool {
        let Some(tgw) = record.tgw.known() else { return false };
        !self.has_unknown_tables(record)
            && collected_for_owner(self.s, &self.s.transit_gateways[tgw].meta, call)
    }

    /// R-TGW-15, R-DATA-10: whether more may hang on an attachment's transit gateway than is shown.
    pub(crate) fn has_strangers(&self, record: &TgwAttachment) -> bool {
        !self.told_gateway_owner(record, ATTACHMENTS)
    }

    /// R-TGW-15: whether nobody can describe the tables of the attachment's transit gateway.
    pub(crate) fn has_unknown_tables(&self, record: &TgwAttachment) -> bool {
        let owner = |tgw: TgwId| self.s.transit_gateways[tgw].meta.owner.as_deref();
        record.tgw.known().is_none_or(|tgw| is_foreign(self.s, owner(tgw)))
    }

    /// R-TGW-5, R-TGW-6: where a table leads; `None` if neither its routes nor what they follow from are known.
    pub(crate) fn transit_regions(
        &self,
        table: TgwTableId,
        family: Family,
    ) -> Option<Vec<(TransitHop, Vec<Interval>)>> {
        let record = &self.s.tgw_tables[table];
        let mut candidates = Vec::new();
        match (&record.routes, &record.propagations) {
            (Some(routes), _) => routes.iter().for_each(|route| self.transit_route(route, &mut candidates)),
            (None, Some(_)) => {
                let statics = record.static_routes.iter().flatten();
                statics.for_each(|route| self.transit_route(route, &mut candidates));
                self.propagated(table, &mut candidates);
            }
            (None, None) => return None,
        }
        let short = record.truncated || self.lacks_propagated(record);
        if short || record.routes.is_none() && record.static_routes.is_none() {
            floating(TransitHop::Anywhere, 7, &mut candidates);
        }
        Some(won(&candidates, family).into_iter().map(|(hop, there, _)| (hop, there)).collect())
    }

    /// R-DATA-5, R-TGW-6: whether the routes lack a block of a VPC that certainly propagates into their table.
    fn lacks_propagated(&self, record: &TgwRouteTable) -> bool {
        let Some(routes) = &record.routes else { return false };
        let firm = record.propagations.iter().flatten().filter(|row| certain(&row.state, "enabled"));
        let up = firm
            .filter_map(|row| row.attachment.known())
            .filter(|id| certain(&self.attachment(*id).state, "available"));
        let vpcs = up.filter_map(|id| self.attached_vpc(id));
        let blocks = vpcs.flat_map(|vpc| &self.s.vpcs[vpc].cidrs);
        let mut blocks = blocks.filter(|own| certain(&own.state, "associated") && own.cidr.addr().is_ipv4());
        let hidden = |route: &TgwRoute, own: &IpNet| match &route.destination {
            Destination::Cidr(block) => {
                block == own || route.propagated && (block.contains(own) || own.contains(block))
            }
            Destination::PrefixList(list) => {
                let (known, complete) = self.list(list);
                !complete || known.contains(own)
            }
            Destination::Unknown => true,
        };
        blocks.any(|own| !routes.iter().any(|route| hidden(route, &own.cidr)))
    }

    fn transit_route(&self, route: &TgwRoute, into: &mut Vec<Candidate<TransitHop>>) {
        let state = route.state.as_deref();
        let (blackhole, unsettled) =
            (state == Some("blackhole"), matches!(state, Some("pending" | "deleting")));
        if !blackhole && !unsettled && !usable(&route.state) {
            return;
        }
        let mut hops: Vec<TransitHop> = Vec::new();
        if blackhole {
            hops.push(TransitHop::Nowhere);
        } else {
            hops.extend(
                route.attachments.iter().map(|one| one.known().map_or(TransitHop::Anywhere, TransitHop::To)),
            );
            if hops.is_empty() {
                hops.push(TransitHop::Anywhere);
            }
        }
        let rank = rank(route);
        // whoever advertises a route may withdraw it; a VPC keeps its blocks.
        let sure = !unsettled && (!route.propagated || route.kind.as_deref() == Some("vpc"));
        for hop in hops {
            let mut add = |block: &IpNet| {
                let (family, there) = interval(block);
                let (hop, length) = (hop.clone(), block.prefix_len());
                into.push(Candidate {
                    hop,
                    family,
                    block: there,
                    length,
                    rank,
                    sure,
                    floating: false,
                    position: 0,
                });
            };
            match &route.destination {
                Destination::Cidr(block) => add(block),
                Destination::PrefixList(list) => {
                    let (known, complete) = self.list(list);
                    known.iter().for_each(&mut add);
                    if !complete {
                        floating(hop, rank, into);
                    }
                }
                Destination::Unknown => floating(hop, rank, into),
            }
        }
    }

    /// R-TGW-6: every block of each VPC whose attachment propagates; what others propagate nobody knows.
    fn propagated(&self, table: TgwTableId, into: &mut Vec<Candidate<TransitHop>>) {
        let rows = self.s.tgw_tables[table].propagations.iter().flatten();
        for row in rows.filter(|row| usable(&row.state)) {
            let target = row.attachment.known();
            let hop = target.map_or(TransitHop::Anywhere, TransitHop::To);
            let Some(vpc) = target.and_then(|id| self.attached_vpc(id)) else {
                floating(hop, 2, into);
                continue;
            };
            let sure = certain(&row.state, "enabled");
            for own in self.s.vpcs[vpc].cidrs.iter().filter(|own| usable(&own.state)) {
                let ((family, block), length, hop) =
                    (interval(&own.cidr), own.cidr.prefix_len(), hop.clone());
                into.push(Candidate {
                    hop,
                    family,
                    block,
                    length,
                    rank: 2,
                    sure,
                    floating: false,
                    position: 0,
                });
            }
        }
    }

    /// R-TGW-8, 10, 11, 13: where what leaves by an attachment goes.
    pub(crate) fn transit_exit(&self, id: AttachmentId) -> Exit {
        let record = self.attachment(id);
        match &*record.kind {
            _ if !usable(&record.state) => Exit::Down,
            "peering" => self.peer_of(id).map_or(Exit::Outside, Exit::Peer),
            "network-function" => Exit::Component,
            _ => self.attached_vpc(id).map_or(Exit::Outside, Exit::Vpc),
        }
    }

    /// R-TGW-10: the attachment at the other side of a peering.
    fn peer_of(&self, id: AttachmentId) -> Option<AttachmentId> {
        self.attachment(id).peer.as_ref()?.attachment.as_ref()?.known()
    }

    /// The transit gateway at the other side of a peering whose attachment there is not shown.
    fn unresolved_peer(&self, id: AttachmentId) -> Option<&str> {
        let record = self.attachment(id);
        let shown = &*record.kind != "peering" || self.peer_of(id).is_some();
        let name = record.peer.as_ref().map_or(&*record.resource, |peer| self.tgw_name(&peer.tgw));
        (!shown).then_some(name)
    }

    pub(crate) fn tgw_name<'a>(&'a self, tgw: &'a Ref<TgwId>) -> &'a str {
        match tgw {
            Ref::Known(id) => &self.s.transit_gateways[*id].meta.id,
            Ref::Missing(name) => name,
        }
    }

    /// R-TGW-10, R-TGW-15: the attachments of a transit gateway that is only known from the other side of a peering.
    pub(crate) fn beyond_peering(&self, id: AttachmentId) -> Vec<AttachmentId> {
        let Some(peer) = self.unresolved_peer(id) else { return Vec::new() };
        self.attachments(|other, row| other != id && self.tgw_name(&row.tgw) == peer)
    }

    /// The converse: the peerings that lead into the gateway of an attachment.
    pub(crate) fn peerings_towards(&self, id: AttachmentId) -> Vec<AttachmentId> {
        let own = self.tgw_name(&self.attachment(id).tgw);
        self.attachments(|other, _| other != id && self.unresolved_peer(other) == Some(own))
    }

    /// R-SG-10: whether receivers behind `to` still see the groups of what came by `by`.
    pub(crate) fn transit_keeps_groups(&self, by: AttachmentId, to: AttachmentId) -> bool {
        let tgw = self.attachment(by).tgw.known();
        let refers = |id: AttachmentId| {
            let record = self.attachment(id);
            let option = match &record.vpc {
                Some(options) => options.group_referencing.unwrap_or(true),
                None => &*record.kind == "vpc",
            };
            let subnets = self.attachment_subnets(id).unwrap_or_default();
            let excluded = subnets.iter().all(|subnet| self.zone_id(*subnet) == Some("use1-az3"));
            option && (subnets.is_empty() || !excluded)
        };
        tgw == self.attachment(to).tgw.known()
            && tgw.is_some_and(|tgw| self.s.transit_gateways[tgw].group_referencing == Some(true))
            && refers(by)
            && refers(to)
    }
}

/// A route that may be in force anywhere.
fn floating(hop: TransitHop, rank: u8, into: &mut Vec<Candidate<TransitHop>>) {
    into.extend(everything().map(|(family, block)| Candidate {
        hop: hop.clone(),
        family,
        block,
        length: 0,
        rank,
        sure: false,
        floating: true,
        position: 0,
    }));
}

/// R-TGW-5: static, prefix list, VPC, Direct Connect gateway, Connect, VPN, concentrator, others.
fn rank(route: &TgwRoute) -> u8 {
    const PROPAGATED: [&str; 5] = ["vpc", "direct-connect-gateway", "connect", "vpn", "vpn-concentrator"];
    if !route.propagated {
        return u8::from(matches!(route.destination, Destination::PrefixList(_)));
    }
    let kind = route.kind.as_deref();
    PROPAGATED.iter().zip(2..).find(|(name, _)| kind == Some(**name)).map_or(7, |(_, rank)| rank)
}
