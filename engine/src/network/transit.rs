//! Transit gateways: attachments, tables, effective routes (section 13).

use std::collections::BTreeMap;

use ipnet::IpNet;
use reachproof_model::flow::World;
use reachproof_model::id::{
    AttachmentId, ComponentId, PolicyTableId, Ref, SubnetId, TgwId, TgwTableId, VpcId,
};
use reachproof_model::snapshot::{
    Destination, Snapshot, TgwAttachment, TgwPropagation, TgwRoute, TgwRouteTable,
};

use super::missing::collected_for_owner;
use super::state::{Object, usable};
use super::{Assumed, Network, TableChoice, covers};

/// Where an attachment's packets are looked up (R-TGW-4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LookUp {
    /// A route table.
    Table(TgwTableId),
    /// A policy table that chooses among route tables (R-TGW-12).
    Policy(PolicyTableId),
    /// Unknown: any attachment of the transit gateway (R-TGW-15). Never in the restrictive world.
    Unknown,
}

/// One route of a transit gateway route table as one world reads it; selection as in
/// [`super::EffectiveRoute`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TgwEffectiveRoute<'s> {
    /// Destinations.
    pub block: IpNet,
    /// Lower wins among equal lengths (R-TGW-5).
    pub rank: u8,
    /// Any of these (R-TGW-7); empty for a blackhole.
    pub targets: Vec<AttachmentId>,
    /// Whether the targets are not all known: any attachment of the gateway may be one (R-DATA-3).
    pub open: bool,
    /// May be absent.
    pub optional: bool,
    /// Its real destinations are unknown, within the block.
    pub floating: bool,
    /// The route as the input has it; `None` if recomputed from a propagation (R-TGW-6).
    pub route: Option<&'s TgwRoute>,
}

/// Where a packet goes that leaves a transit gateway by an attachment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TgwTarget {
    /// Into a VPC by its attachment subnets.
    Vpc {
        /// The VPC.
        vpc: VpcId,
        /// The attachment subnets; `None` if not collected.
        subnets: Option<Vec<SubnetId>>,
    },
    /// Into the transit gateway at the other side, by that side's attachment (R-TGW-10).
    Peer(AttachmentId),
    /// Out of the snapshot: on premises, an unknown transit gateway or VPC (R-TGW-10, 11).
    Outside,
    /// Into an unmodelled component.
    Component(ComponentId),
    /// Nowhere: the attachment is not usable.
    Down,
}

#[derive(Debug, Default)]
pub(super) struct TransitIndex {
    by_tgw: BTreeMap<TgwId, Vec<AttachmentId>>,
}

impl TransitIndex {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let mut index = Self::default();
        for (id, attachment) in snapshot.attachments.iter() {
            if let Some(tgw) = attachment.tgw.known() {
                index.by_tgw.entry(tgw).or_default().push(id);
            }
        }
        index
    }
}

impl<'s> Network<'s> {
    /// The attachment's record.
    pub fn attachment(&self, id: AttachmentId) -> &'s TgwAttachment {
        &self.snapshot.attachments[id]
    }

    /// R-TGW-1: the attachments of a transit gateway that are usable in this world, ascending.
    pub fn tgw_attachments(&self, tgw: TgwId, world: World) -> Vec<AttachmentId> {
        let all = self.resolved.transit.by_tgw.get(&tgw).map_or(&[][..], Vec::as_slice);
        let usable = |id: &&AttachmentId| usable(Object::Transit, &self.attachment(**id).state, world);
        all.iter().filter(usable).copied().collect()
    }

    /// R-TGW-2: the usable attachments of a VPC to a transit gateway. AWS allows one; of several the restrictive world
    /// knows none.
    pub fn tgw_attachments_of_vpc(&self, tgw: TgwId, vpc: VpcId, world: World) -> Vec<AttachmentId> {
        let of_vpc = |id: &AttachmentId| self.attached_vpc(*id) == Some(vpc);
        let found: Vec<AttachmentId> = self.tgw_attachments(tgw, world).into_iter().filter(of_vpc).collect();
        if world == World::Under && found.len() > 1 { Vec::new() } else { found }
    }

    /// The VPC of a VPC attachment, if the snapshot has it.
    pub fn attached_vpc(&self, id: AttachmentId) -> Option<VpcId> {
        let attachment = self.attachment(id);
        match attachment.vpc.as_ref().map(|options| &options.vpc) {
            Some(Ref::Known(vpc)) => Some(*vpc),
            Some(Ref::Missing(name)) if !name.is_empty() => None,
            _ => self.vpc_of_name(&attachment.resource),
        }
    }

    fn vpc_of_name(&self, name: &str) -> Option<VpcId> {
        self.snapshot.vpcs.iter().find(|(_, vpc)| &*vpc.meta.id == name).map(|(id, _)| id)
    }

    /// The attachment subnets; `None` if they were not collected, or one of them is not in the snapshot (R-DATA-3).
    pub fn attachment_subnets(&self, id: AttachmentId) -> Option<Vec<SubnetId>> {
        let subnets = self.attachment(id).vpc.as_ref()?.subnets.as_ref()?;
        subnets.iter().map(Ref::known).collect()
    }

    /// R-TGW-8, R-DATA-3: where a packet may go on that leaves by an attachment whose subnets are not known: from any subnet
    /// of the VPC, by its table; from one that the snapshot does not have, by any.
    pub fn possible_exits(&self, id: AttachmentId, vpc: VpcId) -> Vec<(TableChoice, Option<SubnetId>)> {
        let by_own = self.subnets_in_vpc(vpc).iter().flat_map(|subnet| {
            let tables = self.tables_of_subnet(*subnet, World::Over).value;
            tables.into_iter().map(move |table| (table, Some(*subnet)))
        });
        let listed = self.attachment(id).vpc.as_ref().and_then(|options| options.subnets.as_ref());
        let missing = listed.is_some_and(|subnets| subnets.iter().any(|subnet| subnet.known().is_none()));
        by_own.chain(missing.then_some((TableChoice::Unknown, None))).collect()
    }

    /// R-TGW-2, A-9: the attachment subnets by which a packet of `sender` enters the gateway. Empty means that the
    /// sender's zone has none; `None` that the subnets are not known, so nothing can be said of their ACLs.
    pub fn entry_subnets(
        &self,
        id: AttachmentId,
        sender: Option<SubnetId>,
        world: World,
    ) -> Assumed<Option<Vec<SubnetId>>> {
        let Some(subnets) = self.attachment_subnets(id) else { return Assumed::on(None, &[11]) };
        let Some(zone) = sender.and_then(|subnet| self.plain_zone(subnet)) else {
            let value = if world == World::Over { subnets } else { Vec::new() };
            return Assumed::on(Some(value), &[9]);
        };
        let in_zone = |subnet: &SubnetId| {
            let same = self.plain_zone(*subnet).and_then(|other| other.is(&zone));
            same.unwrap_or(world == World::Over)
        };
        Assumed::fact(Some(subnets.into_iter().filter(in_zone).collect()))
    }

    /// R-TGW-8, A-9: the attachment subnets by which a packet may leave the gateway. The permissive world takes all;
    /// the restrictive one the subnet in the zone of the subnet where the packet entered, else one only if they are alike.
    pub fn exit_subnets(&self, id: AttachmentId, entered: Option<SubnetId>, world: World) -> Vec<SubnetId> {
        let subnets = self.attachment_subnets(id).unwrap_or_default();
        if world == World::Over {
            return subnets;
        }
        let zone = entered.and_then(|subnet| self.plain_zone(subnet));
        let in_zone = |subnet: &SubnetId| {
            let pair = zone.as_ref().zip(self.plain_zone(*subnet));
            pair.is_some_and(|(zone, other)| other.is(zone) == Some(true))
        };
        let same = subnets.iter().copied().find(in_zone);
        match (same, subnets.first()) {
            (Some(subnet), _) => vec![subnet],
            (None, Some(first)) if subnets.iter().all(|subnet| self.alike(*first, *subnet)) => vec![*first],
            _ => Vec::new(),
        }
    }

    fn alike(&self, left: SubnetId, right: SubnetId) -> bool {
        self.tables_of_subnet(left, World::Under) == self.tables_of_subnet(right, World::Under)
            && self.acl(left, World::Under) == self.acl(right, World::Under)
    }

    /// R-TGW-4, R-TGW-12: where packets that enter by the attachment are looked up. Empty: dropped.
    pub fn look_ups(&self, id: AttachmentId, world: World) -> Assumed<Vec<LookUp>> {
        let attachment = self.attachment(id);
        if world == World::Under && self.is_tunnel_down(attachment) {
            return Assumed::on(Vec::new(), &[2]);
        }
        let counts = |state| usable(Object::Association, state, world);
        let tables = attachment.associations.iter().filter(|row| counts(&row.state));
        let tables = tables.map(|row| row.table.known().map(LookUp::Table));
        let policies = attachment.policies.iter().filter(|row| counts(&row.state));
        let policies = policies.map(|row| row.table.known().map(LookUp::Policy));
        let mut found: Vec<LookUp> =
            tables.chain(policies).map(|table| table.unwrap_or(LookUp::Unknown)).collect();
        // A policy table stands instead of the route table that the attachment may still show.
        let in_world =
            |world| attachment.policies.iter().any(move |row| usable(Object::Association, &row.state, world));
        if in_world(World::Under) {
            found.retain(|look_up| !matches!(look_up, LookUp::Table(_)));
        } else if in_world(World::Over) && world == World::Under {
            return Assumed::on(Vec::new(), &[11]);
        }
        if found.is_empty() && !self.associations_collected(attachment) {
            return self.known_or_unknown(None, world);
        }
        found.sort_unstable();
        found.dedup();
        if world == World::Under && (found.len() > 1 || found.contains(&LookUp::Unknown)) {
            return Assumed::on(Vec::new(), &[10, 11]);
        }
        if found.contains(&LookUp::Unknown) { Assumed::on(found, &[10, 11]) } else { Assumed::fact(found) }
    }

    fn known_or_unknown(&self, known: Option<LookUp>, world: World) -> Assumed<Vec<LookUp>> {
        match (known, world) {
            (Some(look_up), _) => Assumed::fact(vec![look_up]),
            (None, World::Over) => Assumed::on(vec![LookUp::Unknown], &[10, 11]),
            (None, World::Under) => Assumed::on(Vec::new(), &[10, 11]),
        }
    }

    /// Whether an attachment without an association is known to have none: an answer told the owner of the transit gateway
    /// of associations, which nobody else sees (R-TGW-15).
    fn associations_collected(&self, attachment: &TgwAttachment) -> bool {
        self.collected_by_gateway_owner(attachment, "ec2 describe-transit-gateway-attachments")
            || self.collected_by_gateway_owner(attachment, "ec2 get-transit-gateway-route-table-associations")
    }

    /// R-DATA-9, R-TGW-15: whether a call was collected in the account that owns the attachment's transit gateway.
    fn collected_by_gateway_owner(&self, attachment: &TgwAttachment, call: &str) -> bool {
        let Some(tgw) = attachment.tgw.known() else { return false };
        let meta = &self.snapshot.transit_gateways[tgw].meta;
        !self.is_foreign(meta.owner.as_deref()) && collected_for_owner(self.snapshot, meta, call)
    }

    /// R-TGW-5, R-TGW-6: the effective routes of a table; `None` if neither they nor what they follow from was
    /// collected: any attachment (R-TGW-9).
    pub fn tgw_routes(&self, table: TgwTableId, world: World) -> Option<Vec<TgwEffectiveRoute<'s>>> {
        let record = &self.snapshot.tgw_tables[table];
        let mut routes = match &record.routes {
            Some(routes) => routes.iter().flat_map(|route| self.tgw_route(route, world)).collect(),
            None => self.recomputed(record, world)?,
        };
        if record.truncated || record.routes.is_some() && self.lacks_propagated(record) {
            routes.extend(anything());
        }
        Some(routes)
    }

    /// R-DATA-5, R-TGW-6: whether the routes of a table lack the block of a VPC that propagates into it: what lists them was
    /// asked for some of them only. A later attachment does not propagate what overlaps, and a static route hides its like.
    fn lacks_propagated(&self, record: &TgwRouteTable) -> bool {
        let firm =
            |propagation: &&TgwPropagation| usable(Object::Propagation, &propagation.state, World::Under);
        let attachments = record.propagations.iter().flatten().filter(firm);
        let attachments = attachments.filter_map(|propagation| propagation.attachment.known());
        let up = attachments.filter(|id| usable(Object::Transit, &self.attachment(*id).state, World::Under));
        let vpcs = up.filter_map(|id| self.attached_vpc(id));
        let mut blocks = vpcs.flat_map(|vpc| self.vpc_blocks(vpc, World::Under));
        blocks.any(|block| block.addr().is_ipv4() && !self.lists(record, &block))
    }

    fn lists(&self, record: &TgwRouteTable, block: &IpNet) -> bool {
        record.routes.iter().flatten().any(|route| match &route.destination {
            Destination::Cidr(cidr) => {
                cidr == block || route.propagated && (covers(cidr, block) || covers(block, cidr))
            }
            Destination::PrefixList(list) => {
                let (blocks, complete) = self.list_blocks(list);
                !complete || blocks.contains(block)
            }
            Destination::Unknown => true,
        })
    }

    fn tgw_route(&self, route: &'s TgwRoute, world: World) -> Vec<TgwEffectiveRoute<'s>> {
        let state = route.state.as_deref();
        let blackhole = state == Some("blackhole");
        let counts = blackhole || usable(Object::TransitRoute, &route.state, world);
        let unsettled = matches!(state, Some("pending" | "deleting"));
        if !counts && !unsettled {
            return Vec::new();
        }
        let targets: Vec<AttachmentId> = route.attachments.iter().filter_map(Ref::known).collect();
        let missing =
            route.attachments.iter().any(|target| target.known().is_none()) || route.attachments.is_empty();
        let nowhere = blackhole || world == World::Under && !self.are_equal_paths(&targets);
        let entry = |block, floating| TgwEffectiveRoute {
            block,
            rank: tgw_rank(route),
            targets: if nowhere { Vec::new() } else { targets.clone() },
            open: !blackhole && missing,
            optional: unsettled || world == World::Over && is_advertised(route),
            floating: floating || unsettled && world == World::Under,
            route: Some(route),
        };
        match &route.destination {
            Destination::Cidr(block) => vec![entry(*block, false)],
            Destination::PrefixList(list) => {
                let (blocks, complete) = self.list_blocks(list);
                let known = blocks.iter().map(|block| entry(*block, false));
                let rest = if complete { Vec::new() } else { every_block() };
                known.chain(rest.into_iter().map(|block| entry(block, true))).collect()
            }
            Destination::Unknown => every_block().into_iter().map(|block| entry(block, true)).collect(),
        }
    }

    /// R-TGW-6: propagations of VPC attachments carry every block of the VPC; static routes are as given.
    fn recomputed(&self, record: &'s TgwRouteTable, world: World) -> Option<Vec<TgwEffectiveRoute<'s>>> {
        let propagations = record.propagations.as_ref()?;
        let statics = record.static_routes.as_deref().unwrap_or_default();
        let mut routes: Vec<_> = statics.iter().flat_map(|route| self.tgw_route(route, world)).collect();
        for propagation in propagations {
            if !usable(Object::Propagation, &propagation.state, World::Over) {
                continue;
            }
            let firm = usable(Object::Propagation, &propagation.state, World::Under);
            let target = propagation.attachment.known();
            let vpc = target.and_then(|id| self.attached_vpc(id));
            let blocks = match vpc {
                Some(vpc) => self.vpc_blocks(vpc, world),
                None => every_block(),
            };
            routes.extend(blocks.into_iter().map(|block| TgwEffectiveRoute {
                block,
                rank: 2,
                targets: target.into_iter().collect(),
                open: target.is_none(),
                optional: !firm,
                floating: vpc.is_none() || !firm && world == World::Under,
                route: None,
            }));
        }
        if record.static_routes.is_none() {
            routes.extend(anything());
        }
        Some(routes)
    }

    /// R-TGW-8, 10, 11, 13: where a packet goes that leaves by an attachment.
    pub fn tgw_target(&self, id: AttachmentId, world: World) -> TgwTarget {
        let attachment = self.attachment(id);
        let down = world == World::Under && self.is_tunnel_down(attachment);
        if down || !usable(Object::Transit, &attachment.state, world) {
            return TgwTarget::Down;
        }
        match &*attachment.kind {
            "peering" => match self.peer_of(id) {
                Some(peer) => TgwTarget::Peer(peer),
                None => TgwTarget::Outside,
            },
            "network-function" => {
                self.component_of_target(&attachment.meta.id).map_or(TgwTarget::Down, TgwTarget::Component)
            }
            // Whatever the kind is called: one that names a VPC leads into it (R-DATA-6).
            _ => match self.attached_vpc(id) {
                Some(vpc) => TgwTarget::Vpc { vpc, subnets: self.attachment_subnets(id) },
                None => TgwTarget::Outside,
            },
        }
    }

    /// whether the attachment is one of a VPN connection without a tunnel that is up.
    fn is_tunnel_down(&self, attachment: &TgwAttachment) -> bool {
        let mut connections = self.snapshot.vpn_connections.iter();
        &*attachment.kind == "vpn" && connections.any(|row| row.down && row.meta.id == attachment.resource)
    }

    /// R-TGW-10: the attachment of the other side of a peering attachment, if the snapshot has it: a peering
    /// attachment is one object seen from two gateways, or two objects that name each other.
    fn peer_of(&self, id: AttachmentId) -> Option<AttachmentId> {
        let peer = self.attachment(id).peer.as_ref()?;
        peer.attachment.as_ref().and_then(Ref::known)
    }

    /// R-TGW-10, R-TGW-15: where a packet may come out that leaves by a peering attachment for a transit gateway whose side
    /// of the peering is not shown: at whatever else is attached to that gateway.
    pub fn beyond_peering(&self, id: AttachmentId) -> Vec<AttachmentId> {
        let Some(peer) = self.unresolved_peer(id) else { return Vec::new() };
        self.usable_attachments(|other, record| other != id && self.gateway_name(&record.tgw) == peer)
    }

    /// The converse: the peering attachments by which a packet may come out that has entered the gateway of an attachment.
    pub fn peerings_towards(&self, id: AttachmentId) -> Vec<AttachmentId> {
        let own = self.gateway_name(&self.attachment(id).tgw);
        self.usable_attachments(|other, _| other != id && self.unresolved_peer(other) == Some(own))
    }

    fn usable_attachments(&self, wanted: impl Fn(AttachmentId, &TgwAttachment) -> bool) -> Vec<AttachmentId> {
        let rows = self.snapshot.attachments.iter();
        let rows = rows.filter(|(_, record)| usable(Object::Transit, &record.state, World::Over));
        rows.filter(|(id, record)| wanted(*id, record)).map(|(id, _)| id).collect()
    }

    /// The transit gateway at the other side of a peering attachment whose counterpart is not in the snapshot.
    fn unresolved_peer(&self, id: AttachmentId) -> Option<&'s str> {
        let attachment = self.attachment(id);
        if &*attachment.kind != "peering" || self.peer_of(id).is_some() {
            return None;
        }
        Some(attachment.peer.as_ref().map_or(&*attachment.resource, |peer| self.gateway_name(&peer.tgw)))
    }

    fn gateway_name(&self, gateway: &'s Ref<TgwId>) -> &'s str {
        match gateway {
            Ref::Known(id) => &self.snapshot.transit_gateways[*id].meta.id,
            Ref::Missing(name) => name,
        }
    }

    /// R-TGW-7: whether several targets of one route are paths that are all in use: each leads out of the snapshot at once.
    fn are_equal_paths(&self, targets: &[AttachmentId]) -> bool {
        let outside = |id: &AttachmentId| matches!(self.tgw_target(*id, World::Under), TgwTarget::Outside);
        targets.len() < 2 || targets.iter().all(outside)
    }

    /// Whether packets may come out of an attachment from a network that the snapshot does not show: on premises,
    /// an unknown peer, or what hangs unseen on the transit gateway (R-TGW-15).
    pub fn is_outside_source(&self, id: AttachmentId) -> bool {
        let attachment = self.attachment(id);
        let usable = usable(Object::Transit, &attachment.state, World::Over);
        let strangers = self.attached_vpc(id).is_some() && self.has_strangers(attachment);
        usable && (matches!(self.tgw_target(id, World::Over), TgwTarget::Outside) || strangers)
    }

    /// R-TGW-15, R-DATA-10: whether more may hang on the attachment's transit gateway than the snapshot shows.
    pub fn has_strangers(&self, attachment: &TgwAttachment) -> bool {
        self.has_unknown_tables(attachment)
            || !self.collected_by_gateway_owner(attachment, "ec2 describe-transit-gateway-attachments")
    }

    /// R-TGW-15: whether the tables of the attachment's transit gateway cannot be described.
    pub fn has_unknown_tables(&self, attachment: &TgwAttachment) -> bool {
        match &attachment.tgw {
            Ref::Missing(_) => true,
            Ref::Known(tgw) => self.is_foreign(self.snapshot.transit_gateways[*tgw].meta.owner.as_deref()),
        }
    }
}

/// whether the other side of an attachment may withdraw a route: whoever advertises it but a VPC, whose blocks stay.
fn is_advertised(route: &TgwRoute) -> bool {
    route.propagated && route.kind.as_deref() != Some("vpc")
}

/// R-TGW-5: static, prefix list, VPC, Direct Connect gateway, Connect, VPN, concentrator, peering.
fn tgw_rank(route: &TgwRoute) -> u8 {
    match (route.propagated, &route.destination, route.kind.as_deref()) {
        (false, Destination::PrefixList(_), _) => 1,
        (false, _, _) => 0,
        (true, _, Some("vpc")) => 2,
        (true, _, Some("direct-connect-gateway")) => 3,
        (true, _, Some("connect")) => 4,
        (true, _, Some("vpn")) => 5,
        (true, _, Some("vpn-concentrator")) => 6,
        (true, _, _) => 7,
    }
}

fn every_block() -> Vec<IpNet> {
    vec![IpNet::V4(ipnet::Ipv4Net::default()), IpNet::V6(ipnet::Ipv6Net::default())]
}

/// routes that a truncated answer does not show.
fn anything<'s>() -> impl Iterator<Item = TgwEffectiveRoute<'s>> {
    every_block().into_iter().map(|block| TgwEffectiveRoute {
        block,
        rank: 7,
        targets: Vec::new(),
        open: true,
        optional: true,
        floating: true,
        route: None,
    })
}
