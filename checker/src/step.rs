//! Obligation (ii): everywhere that a packet may go from a site of the invariant.

use reachproof_model::certificate::{Area, Family, Location, Origin, Place, Sender, Site};
use reachproof_model::id::{
    AttachmentId, EndpointId, PeeringId, PolicyTableId, Ref, RouteTableId, SubnetId, TgwId, TgwTableId, VpcId,
};
use reachproof_model::snapshot::{Entry, PolicyEntry};

use crate::Rejection;
use crate::area::{among, common, destined, intervals, meet, minus, sent_from, without};
use crate::filter::between;
use crate::nat::echo;
use crate::net::{Net, Table, subnets_of};
use crate::route::{Hop, unroutable};
use crate::transit::{Exit, LookUp, TransitHop};
use crate::walk::{At, Walk};

impl Walk<'_, '_> {
    /// The steps from one site.
    pub(crate) fn steps_from(&mut self, location: &Location, areas: Vec<Area>) -> Result<(), Rejection> {
        let Location { site, sender, origin, family } = location;
        let at = At { sender: sender.clone(), origin: *origin, family: *family };
        match site {
            Site::Route { table: Some(table), vpc, from } => self.route(*table, *vpc, *from, &at, &areas),
            Site::Route { table: None, vpc, from } => self.route_anywhere(*vpc, *from, &at, &areas),
            Site::Internet => self.internet(&at, &areas),
            Site::Transit(by) => self.look_up(*by, &at, areas),
            Site::Exit { by, to } => self.exit(*by, *to, &at, &areas),
        }
    }

    /// R-CORE-6, R-ROUTE-6 … 13: to whatever the table may select for each destination.
    fn route(
        &mut self,
        table: RouteTableId,
        vpc: VpcId,
        from: Option<SubnetId>,
        at: &At,
        areas: &[Area],
    ) -> Result<(), Rejection> {
        let net = self.net;
        let before = self.step.clone();
        for (hop, there, position) in net.regions.get(&(table, at.family)).into_iter().flatten() {
            net.work.spend(areas.len() * there.len());
            self.step = format!("{before} by route {position}");
            self.follow(hop, vpc, from, at, &destined(areas, there))?;
        }
        self.step = before;
        Ok(())
    }

    /// R-DATA-3: a table that nobody knows.
    fn route_anywhere(
        &mut self,
        vpc: VpcId,
        from: Option<SubnetId>,
        at: &At,
        areas: &[Area],
    ) -> Result<(), Rejection> {
        let passed = destined(areas, &without(&[(0, at.family.greatest())], &unroutable(at.family)));
        self.net.any_hop(vpc).iter().try_for_each(|hop| self.follow(hop, vpc, from, at, &passed))
    }

    pub(crate) fn follow(
        &mut self,
        hop: &Hop,
        vpc: VpcId,
        from: Option<SubnetId>,
        at: &At,
        areas: &[Area],
    ) -> Result<(), Rejection> {
        if areas.is_empty() {
            return Ok(());
        }
        match hop {
            Hop::Local => self.deliver(vpc, from, at, areas),
            Hop::Gateway(gateway) => self.gateway_out(*gateway, from, at, areas)?,
            Hop::Nat(nat) => self.nat(*nat, vpc, from, at, areas)?,
            Hop::Transit(tgw) => self.transit_in(*tgw, vpc, from, at, areas)?,
            Hop::Peering(id) => self.peering(*id, vpc, at, areas),
            Hop::Service(id) => self.service(*id, vpc, at, areas),
            Hop::Interface(id) => self.hop_to_interface(*id, from, at, areas),
            Hop::Target(target) => self.enter_components(&Entry::RouteTarget(target.clone()), at, areas),
            Hop::Component(id) => self.enter_component(id, at, areas),
            Hop::Nowhere => {}
        }
        Ok(())
    }

    /// R-VPCE-2, 3, 4: a gateway endpoint takes TCP and echo requests of its VPC's own interfaces.
    fn service(&mut self, id: EndpointId, vpc: VpcId, at: &At, areas: &[Area]) {
        if starts_here(at) {
            let own = sent_from(areas, &self.net.vpc_sources(vpc, at.family));
            let tcp = Area { protocol: (6, 6), ..Area::full(at.family) };
            self.arrive(Place::Service(id), at, &among(&own, &[tcp, echo(at.family)]));
        }
    }

    /// R-PCX-2, 3, 8: across a peering connection to an address of the other side.
    fn peering(&mut self, id: PeeringId, vpc: VpcId, at: &At, areas: &[Area]) {
        let net = self.net;
        let record = &net.s.peerings[id];
        if self.avoids(&record.meta.id) || !starts_here(at) {
            return;
        }
        let near = record.requester.vpc.known() == Some(vpc);
        let far = if near { &record.accepter } else { &record.requester };
        let across = At {
            sender: if net.same_region(id) { at.sender.clone() } else { Sender::Nobody },
            ..at.from(Origin::Peering)
        };
        match far.vpc.known() {
            Some(other) => {
                self.deliver(other, None, &across, &destined(areas, &net.vpc_blocks(other, at.family)))
            }
            None if far.cidrs.is_empty() => self.leave_snapshot(Place::Peer(id), &record.meta.id, at, areas),
            None => {
                let inside = destined(areas, &intervals(&far.cidrs, at.family));
                self.leave_snapshot(Place::Peer(id), &record.meta.id, at, &inside);
            }
        }
    }

    /// R-PCX-3, R-PCX-8, A-27: in from the unknown VPC at the other side of a peering connection.
    pub(crate) fn start_peer(&mut self, id: PeeringId, at: &At, areas: &[Area]) -> Result<(), Rejection> {
        let net = self.net;
        let record = &net.s.peerings[id];
        if self.avoids(&record.meta.id) {
            return Ok(());
        }
        let sender = if net.same_region(id) { Sender::Anyone } else { Sender::Nobody };
        for (near, far) in [(&record.requester, &record.accepter), (&record.accepter, &record.requester)] {
            let (Some(vpc), None) = (near.vpc.known(), far.vpc.known()) else { continue };
            if net.peering_serves(id, vpc) {
                let inside = destined(areas, &net.vpc_blocks(vpc, at.family));
                self.deliver(vpc, None, &At { sender: sender.clone(), ..at.from(Origin::Peering) }, &inside);
            }
        }
        Ok(())
    }

    /// R-TGW-2, R-NACL-8, A-14: from a VPC into a transit gateway, by the attachment subnets of the sender's zone.
    fn transit_in(
        &mut self,
        tgw: TgwId,
        vpc: VpcId,
        from: Option<SubnetId>,
        at: &At,
        areas: &[Area],
    ) -> Result<(), Rejection> {
        let net = self.net;
        if self.avoids(&net.s.transit_gateways[tgw].meta.id) {
            return Ok(());
        }
        for by in net.attachments_of(tgw, vpc) {
            let Some(subnets) = net.entry_subnets(by, from) else {
                self.lead(Site::Transit(by), at, areas)?;
                continue;
            };
            for subnet in subnets {
                let entered = net.enter(subnet, from, areas.to_vec(), at.family);
                self.lead(Site::Transit(by), at, &entered)?;
            }
        }
        Ok(())
    }

    /// R-TGW-4, 5, 12: by the table of the attachment by which a packet came.
    fn look_up(&mut self, by: AttachmentId, at: &At, areas: Vec<Area>) -> Result<(), Rejection> {
        let net = self.net;
        if self.avoids_attachment(by) {
            return Ok(());
        }
        net.look_ups(by).into_iter().try_for_each(|look_up| match look_up {
            LookUp::Table(table) => self.in_transit_table(table, by, at, &areas),
            LookUp::Policy(policy) => self.by_policy(policy, by, at, areas.clone()),
            LookUp::Unknown => self.out_anywhere(by, at, &areas),
        })
    }

    fn in_transit_table(
        &mut self,
        table: TgwTableId,
        by: AttachmentId,
        at: &At,
        areas: &[Area],
    ) -> Result<(), Rejection> {
        let Some(regions) = self.net.transit_regions(table, at.family) else {
            return self.out_anywhere(by, at, areas);
        };
        regions.iter().try_for_each(|(hop, there)| {
            let part = destined(areas, there);
            match hop {
                TransitHop::To(to) => self.lead(Site::Exit { by, to: *to }, at, &part),
                TransitHop::Anywhere => self.out_anywhere(by, at, &part),
                TransitHop::Nowhere => Ok(()),
            }
        })
    }

    /// R-TGW-15, R-DATA-3: by any attachment of the gateway, or out of the snapshot.
    fn out_anywhere(&mut self, by: AttachmentId, at: &At, areas: &[Area]) -> Result<(), Rejection> {
        let net = self.net;
        let record = net.attachment(by);
        if areas.is_empty() {
            return Ok(());
        }
        if record.tgw.known().is_some() {
            for to in net.attachments(|_, row| row.tgw == record.tgw) {
                self.lead(Site::Exit { by, to }, at, areas)?;
            }
        }
        for peering in net.peerings_towards(by) {
            self.lead(Site::Transit(peering), &at.unknown_sender(), areas)?;
        }
        self.leave_snapshot(Place::Attachment(by), &record.meta.id, at, areas);
        Ok(())
    }

    /// R-TGW-12: the first entry that matches chooses the table; one that cannot be read may match or not.
    fn by_policy(
        &mut self,
        policy: PolicyTableId,
        by: AttachmentId,
        at: &At,
        areas: Vec<Area>,
    ) -> Result<(), Rejection> {
        let net = self.net;
        let Some(entries) = &net.s.policy_tables[policy].entries else {
            return self.out_anywhere(by, at, &areas);
        };
        let mut rest = areas;
        for entry in entries {
            let [certain, possible] = entry_areas(entry, at.family);
            let here: Vec<Area> =
                possible.iter().flat_map(|area| rest.iter().filter_map(move |one| meet(one, area))).collect();
            match entry.table.known() {
                Some(table) => self.in_transit_table(table, by, at, &here)?,
                None => self.out_anywhere(by, at, &here)?,
            }
            net.work.spend(rest.len());
            for area in &certain {
                rest = rest.iter().flat_map(|one| minus(one, area)).collect();
            }
        }
        Ok(())
    }

    /// R-TGW-8, 10, 11, 13: out of a transit gateway.
    fn exit(&mut self, by: AttachmentId, to: AttachmentId, at: &At, areas: &[Area]) -> Result<(), Rejection> {
        let net = self.net;
        let id = &net.attachment(to).meta.id;
        if self.avoids_attachment(to) {
            return Ok(());
        }
        match net.transit_exit(to) {
            Exit::Vpc(vpc) => self.enter_vpc(by, to, vpc, at, areas),
            Exit::Peer(peer) => self.lead(Site::Transit(peer), &at.unknown_sender(), areas),
            Exit::Outside => {
                self.leave_snapshot(Place::Attachment(to), id, at, areas);
                let beyond = net.beyond_peering(to).into_iter();
                beyond
                    .map(|by| Site::Exit { by, to: by })
                    .try_for_each(|site| self.lead(site, &at.unknown_sender(), areas))
            }
            Exit::Component => {
                self.enter_components(&Entry::RouteTarget(id.boxed()), at, areas);
                Ok(())
            }
            Exit::Down => Ok(()),
        }
    }

    /// R-TGW-8, R-NACL-8, A-9: by any attachment subnet, whose list stands before what is not in that very subnet.
    pub(crate) fn enter_vpc(
        &mut self,
        by: AttachmentId,
        to: AttachmentId,
        vpc: VpcId,
        at: &At,
        areas: &[Area],
    ) -> Result<(), Rejection> {
        let net = self.net;
        let sender = if net.transit_keeps_groups(by, to) { at.sender.clone() } else { Sender::Nobody };
        let at = At { sender, ..at.from(Origin::Transit) };
        let Some(subnets) = net.attachment_subnets(to) else {
            return self.enter_anywhere(to, vpc, &at, areas);
        };
        for subnet in subnets {
            let link = net.link(subnet, at.family);
            let off = destined(areas, &without(&[(0, at.family.greatest())], &link));
            self.pass_within(subnet, vpc, &at, &off)?;
            let mut passed = net.pass_acl(subnet, true, off, at.family);
            passed.extend(destined(areas, &link));
            for table in net.tables(subnet) {
                self.lead_to_table(table, vpc, Some(subnet), &at, &passed)?;
            }
        }
        Ok(())
    }

    /// R-TGW-8, R-DATA-3: by an attachment whose subnets are not known: from any subnet of the VPC, or from one that the
    /// snapshot does not have.
    fn enter_anywhere(
        &mut self,
        to: AttachmentId,
        vpc: VpcId,
        at: &At,
        areas: &[Area],
    ) -> Result<(), Rejection> {
        let net = self.net;
        self.deliver(vpc, None, at, areas);
        for (subnet, _) in net.s.subnets.iter().filter(|(_, row)| row.vpc.known() == Some(vpc)) {
            self.route_from(subnet, at, areas)?;
        }
        let listed = net.attachment(to).vpc.as_ref().and_then(|options| options.subnets.as_ref());
        if listed.is_some_and(|subnets| subnets.iter().any(|subnet| subnet.known().is_none())) {
            self.lead_to_table(Table::Unknown, vpc, None, at, areas)?;
        }
        Ok(())
    }

    /// R-NACL-8, A-14: no list stands before what the table of an attachment subnet names in that very subnet.
    fn pass_within(
        &mut self,
        subnet: SubnetId,
        vpc: VpcId,
        at: &At,
        areas: &[Area],
    ) -> Result<(), Rejection> {
        let net = self.net;
        let dropped = without(&[(0, at.family.greatest())], &unroutable(at.family));
        for table in net.tables(subnet) {
            for (hop, there) in net.leads(table, vpc, at.family) {
                let near = match &hop {
                    Hop::Interface(id) => subnets_of(net.interface(*id)).any(|one| one == subnet),
                    Hop::Nat(id) => {
                        net.s.nat_gateways[*id].subnet.as_ref().and_then(Ref::known) == Some(subnet)
                    }
                    Hop::Target(_) | Hop::Component(_) => true,
                    _ => false,
                };
                if near {
                    let part = destined(&destined(areas, &there), &dropped);
                    self.follow(&hop, vpc, Some(subnet), at, &part)?;
                }
            }
        }
        Ok(())
    }

    /// Whether packets may pass neither an attachment nor its transit gateway.
    pub(crate) fn avoids_attachment(&self, id: AttachmentId) -> bool {
        let record = self.net.attachment(id);
        self.avoids(&record.meta.id) || self.avoids(self.net.tgw_name(&record.tgw))
    }
}

/// R-PCX-8, R-VPN-6, R-VPCE-4, R-TGW-9: whether the packet counts as one of an interface of this VPC; one that comes back by a
/// transit gateway may.
pub(crate) fn starts_here(at: &At) -> bool {
    matches!(at.origin, Origin::Local | Origin::Component | Origin::Transit)
}

/// R-TGW-12: the headers that an entry matches for certain, and those that it may match: nobody says whether one with ports
/// takes packets that have none.
fn entry_areas(entry: &PolicyEntry, family: Family) -> [Vec<Area>; 2] {
    let Some(area) = between(entry.sources.as_ref(), entry.destinations.as_ref(), family) else {
        return [Vec::new(), Vec::new()];
    };
    let area = Area { protocol: entry.protocol.map_or(area.protocol, |one| (one.0, one.0)), ..area };
    if entry.unreadable {
        return [Vec::new(), vec![area]];
    }
    if entry.ports.is_none() && entry.source_ports.is_none() {
        return [vec![area], vec![area]];
    }
    let every = (0, u16::MAX);
    let port = entry.ports.unwrap_or(every);
    let source_port = entry.source_ports.unwrap_or(every);
    let ported = |protocol| meet(&area, &Area { protocol: (protocol, protocol), port, source_port, ..area });
    let certain: Vec<Area> = [6, 17].into_iter().filter_map(ported).collect();
    let portless = [(0, 5), (7, 16), (18, u8::MAX)].map(|protocol| Area { protocol, ..area });
    let portless = portless.iter().filter_map(|other| meet(&area, other));
    let possible = certain.iter().copied().chain(portless).collect();
    [certain, possible]
}

impl Net<'_> {
    /// The addresses of a subnet that no interface of its VPC owns; one that does not exist yet owns none.
    pub(crate) fn unowned(&self, vpc: VpcId, subnet: SubnetId, family: Family) -> Vec<(u128, u128)> {
        let link = self.link(subnet, family);
        let real = self.interfaces_of(vpc).iter().filter(|id| !self.is_supposed(**id));
        let owned: Vec<_> = real.flat_map(|id| self.own(*id, family)).collect();
        let inside: Vec<_> =
            owned.into_iter().filter(|own| link.iter().any(|one| common(*one, *own).is_some())).collect();
        without(&link, &inside)
    }
}
