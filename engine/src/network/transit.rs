//! Transit gateways: attachments, tables, effective routes (section 13).

use std::collections::BTreeMap;

use ipnet::IpNet;
use reachproof_model::flow::World;
use reachproof_model::id::{
    AttachmentId, ComponentId, PolicyTableId, Ref, SubnetId, TgwId, TgwTableId, VpcId,
};
use reachproof_model::snapshot::{Destination, Snapshot, TgwAttachment, TgwRoute, TgwRouteTable, Zone};

use super::state::{Object, usable};
use super::{Assumed, Network};

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
        let all = self.transit.by_tgw.get(&tgw).map_or(&[][..], Vec::as_slice);
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
        let in_zone = |subnet: &SubnetId| match self.plain_zone(*subnet) {
            Some(other) => other == zone,
            None => world == World::Over,
        };
        Assumed::fact(Some(subnets.into_iter().filter(in_zone).collect()))
    }

    /// R-TGW-8, A-9: the attachment subnets by which a packet may leave the gateway. The permissive world takes all;
    /// the restrictive one the subnet in the zone where the packet entered, else one only if they are alike.
    pub fn exit_subnets(&self, id: AttachmentId, zone: Option<&str>, world: World) -> Vec<SubnetId> {
        let subnets = self.attachment_subnets(id).unwrap_or_default();
        if world == World::Over {
            return subnets;
        }
        let same = subnets.iter().copied().find(|subnet| zone.is_some() && self.plain_zone(*subnet) == zone);
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

    /// R-TGW-2: the zone that counts for transit gateways: the parent's for a Local Zone; `None` if unknown.
    /// Zone ids are compared; names only where no id is shown.
    pub fn plain_zone(&self, subnet: SubnetId) -> Option<&str> {
        let record = self.subnet(subnet);
        let described = self.snapshot.zones.iter().find(|zone| match &record.zone_id {
            Some(id) => zone.id == *id,
            None => Some(&zone.name) == record.zone.as_ref(),
        });
        match described {
            Some(zone) if is_plain(zone) => Some(&zone.id),
            Some(zone) => zone.parent.as_deref(),
            None => {
                record.zone_id.as_deref().or(record.zone.as_deref()).filter(|zone| names_plain_zone(zone))
            }
        }
    }

    /// R-TGW-4, R-TGW-12: where packets that enter by the attachment are looked up. Empty: dropped.
    pub fn look_ups(&self, id: AttachmentId, world: World) -> Assumed<Vec<LookUp>> {
        let attachment = self.attachment(id);
        if let Some(policy) = &attachment.policy_table {
            return self.known_or_unknown(policy.known().map(LookUp::Policy), world);
        }
        let counts = |state| usable(Object::Association, state, world);
        let rows = attachment.associations.iter().filter(|row| counts(&row.state));
        let mut found: Vec<LookUp> =
            rows.map(|row| row.table.known().map_or(LookUp::Unknown, LookUp::Table)).collect();
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

    /// Whether an attachment without an association is known to have none: an answer told us of associations, and the
    /// transit gateway is one that we can describe (R-TGW-15).
    fn associations_collected(&self, attachment: &TgwAttachment) -> bool {
        let Some(tgw) = attachment.tgw.known() else { return false };
        let record = &self.snapshot.transit_gateways[tgw];
        let scope = &self.snapshot.scopes[attachment.meta.scope];
        !self.is_foreign(record.meta.owner.as_deref())
            && (scope.collected("ec2 describe-transit-gateway-attachments")
                || scope.collected("ec2 get-transit-gateway-route-table-associations"))
    }

    /// R-TGW-5, R-TGW-6: the effective routes of a table; `None` if neither they nor what they follow from was
    /// collected: any attachment (R-TGW-9).
    pub fn tgw_routes(&self, table: TgwTableId, world: World) -> Option<Vec<TgwEffectiveRoute<'s>>> {
        let record = &self.snapshot.tgw_tables[table];
        let mut routes = match &record.routes {
            Some(routes) => routes.iter().flat_map(|route| self.tgw_route(route, world)).collect(),
            None => self.recomputed(record, world)?,
        };
        if record.truncated {
            routes.extend(anything());
        }
        Some(routes)
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
            optional: unsettled,
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
        if !usable(Object::Transit, &attachment.state, world) {
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
    /// an unknown peer, or a transit gateway of another account (R-TGW-15).
    pub fn is_outside_source(&self, id: AttachmentId) -> bool {
        let attachment = self.attachment(id);
        let usable = usable(Object::Transit, &attachment.state, World::Over);
        let foreign_tables = self.attached_vpc(id).is_some() && self.has_unknown_tables(attachment);
        usable && (matches!(self.tgw_target(id, World::Over), TgwTarget::Outside) || foreign_tables)
    }

    /// R-TGW-15: whether the tables of the attachment's transit gateway cannot be described.
    pub fn has_unknown_tables(&self, attachment: &TgwAttachment) -> bool {
        match &attachment.tgw {
            Ref::Missing(_) => true,
            Ref::Known(tgw) => self.is_foreign(self.snapshot.transit_gateways[*tgw].meta.owner.as_deref()),
        }
    }
}

/// R-TGW-2, R-BPA-8: whether a described zone is an ordinary Availability Zone; an answer without `ZoneType` is read by
/// the form of the id.
pub(super) fn is_plain(zone: &Zone) -> bool {
    match &*zone.kind {
        "" => names_plain_zone(&zone.id),
        kind => kind == "availability-zone",
    }
}

/// Whether a zone id (`use1-az1`) or name (`us-east-1a`) has the form of an Availability Zone's. Local Zones
/// (`use1-bos1-az1`, `us-east-1-bos-1a`) and Wavelength Zones have others.
pub(super) fn names_plain_zone(zone: &str) -> bool {
    let parts: Vec<&str> = zone.split('-').collect();
    let numeric = |part: &&str| part.starts_with(|first: char| first.is_ascii_digit());
    match parts.as_slice() {
        [_, last] => last.starts_with("az"),
        [_, .., last] => numeric(last) && parts.iter().filter(|part| numeric(part)).count() == 1,
        _ => false,
    }
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
