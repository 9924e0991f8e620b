//! Steps at the edge of a VPC: internet, egress-only and virtual private gateways, and the internet itself.

use reachproof_model::certificate::{Area, Family, Origin, Place, Site};
use reachproof_model::id::{EniId, RouteTableId, SubnetId, VpcId};
use reachproof_model::snapshot::{AssociationTarget, Entry};

use crate::Rejection;
use crate::area::{Interval, common, complement, destined, intervals, sent_from, without};
use crate::block::{PRIVATE, blocks};
use crate::gateway::{Gateway, GatewayId, Kind};
use crate::net::{Association, Net, Table, subnets_of};
use crate::route::Hop;
use crate::step::starts_here;
use crate::walk::{At, Walk};

impl Walk<'_, '_> {
    /// Out of a VPC by one of its gateways.
    pub(crate) fn gateway_out(
        &mut self,
        gateway: GatewayId,
        from: Option<SubnetId>,
        at: &At,
        areas: &[Area],
    ) -> Result<(), Rejection> {
        let net = self.net;
        let Some(gateway) = net.gateways.get(gateway).filter(|row| !self.avoids(&row.id)) else {
            return Ok(());
        };
        match (gateway.kind, at.family) {
            (Kind::Internet, Family::V4) => self.translate_out(gateway.vpc, from, at, areas),
            (Kind::Internet | Kind::EgressOnly, Family::V6) => {
                let public = net.public_interfaces(gateway.vpc, |id| net.may_send_out(id, from));
                self.lead(Site::Internet, at, &sent_from(areas, &public))
            }
            (Kind::EgressOnly, Family::V4) => Ok(()),
            (Kind::Virtual, _) => {
                self.virtual_gateway_out(gateway, at, areas);
                Ok(())
            }
        }
    }

    /// R-IGW-2, R-IGW-3, R-ROUTE-3: out with the public address that is associated with the very source, or as it is with one of
    /// a pool; nothing else leaves.
    fn translate_out(
        &mut self,
        vpc: VpcId,
        from: Option<SubnetId>,
        at: &At,
        areas: &[Area],
    ) -> Result<(), Rejection> {
        let net = self.net;
        let areas = destined(areas, &complement(&blocks(&PRIVATE), Family::V4));
        for (ranges, _) in
            net.pools().into_iter().filter(|(_, table)| net.s.route_tables[*table].vpc.known() == Some(vpc))
        {
            let ranges = ranges.unwrap_or_else(|| complement(&blocks(&PRIVATE), Family::V4));
            self.lead(Site::Internet, at, &sent_from(&areas, &ranges))?;
        }
        for row in net.associations_in(vpc).filter(|row| net.may_send_out(row.interface, from)) {
            let own = sent_from(&areas, &[(row.private, row.private)]);
            let public = (row.public, row.public);
            let translated: Vec<Area> = own.into_iter().map(|area| Area { source: public, ..area }).collect();
            self.lead(Site::Internet, at, &translated)?;
        }
        Ok(())
    }

    /// R-VPN-2, R-VPN-6: out to the networks behind a virtual private gateway.
    fn virtual_gateway_out(&mut self, gateway: &Gateway, at: &At, areas: &[Area]) {
        if starts_here(at) {
            let own = sent_from(areas, &self.net.vpc_sources(gateway.vpc, at.family));
            let place = Place::Gateway { id: gateway.id.clone(), vpc: gateway.vpc };
            self.leave_snapshot(place, &gateway.id, at, &own);
        }
    }

    /// R-IGW-5, R-IGW-13, R-ROUTE-3: gone, in again by the gateway of an address that is ours, or in by a public ingress.
    pub(crate) fn internet(&mut self, at: &At, areas: &[Area]) -> Result<(), Rejection> {
        let net = self.net;
        let areas = destined(areas, &complement(&blocks(&PRIVATE), at.family));
        for gateway in net.gateways.iter().filter(|row| row.kind == Kind::Internet) {
            if !self.avoids(&gateway.id) {
                self.internet_gateway_in(gateway, at, &areas)?;
            }
        }
        self.answers_by_egress_only(at, &areas);
        let ours = if self.is_answer() { Vec::new() } else { net.public_space(at.family) };
        let strange = without(&[(0, at.family.greatest())], &ours);
        self.arrive(Place::Internet, at, &destined(&areas, &strange));
        self.enter_components(&Entry::Internet, at, &areas);
        self.enter_components(&Entry::Anywhere, at, &areas);
        if at.family == Family::V4 {
            self.enter_pools(at, &areas);
        }
        Ok(())
    }

    /// R-IGW-4, R-IGW-9: in by an internet gateway: IPv4 to the private address, IPv6 as it is.
    fn internet_gateway_in(&mut self, gateway: &Gateway, at: &At, areas: &[Area]) -> Result<(), Rejection> {
        let net = self.net;
        let areas = self.public_senders(at, areas.to_vec());
        let at = at.from(Origin::Internet);
        if at.family == Family::V6 {
            let denied = |id| net.interface(id).deny_igw && !self.is_answer();
            let open = |id| self.may_be_entered(id) && !denied(id);
            let mut there = net.public_interfaces(gateway.vpc, open);
            let redirected = net.redirected(gateway);
            let owned: Vec<Interval> =
                net.interfaces_of(gateway.vpc).iter().flat_map(|id| net.own(*id, Family::V6)).collect();
            there.extend(without(&redirected, &owned));
            self.by_appliances(gateway, &at, &destined(&areas, &redirected))?;
            return self.by_edge_tables(gateway, &at, &destined(&areas, &there));
        }
        for row in net.associations_in(gateway.vpc) {
            let own = destined(&areas, &[(row.public, row.public)]);
            let private = (row.private, row.private);
            let translated: Vec<Area> =
                own.into_iter().map(|area| Area { destination: private, ..area }).collect();
            if self.may_be_entered(row.interface) {
                self.by_edge_tables(gateway, &at, &translated)?;
            } else {
                self.by_appliances(gateway, &at, &translated)?;
            }
        }
        Ok(())
    }

    /// R-BPA-3: by the gateway's tables to what Block Public Access lets exchange packets with it, where the owner of the
    /// address may not.
    fn by_appliances(&mut self, gateway: &Gateway, at: &At, areas: &[Area]) -> Result<(), Rejection> {
        let net = self.net;
        for table in net.edge_tables(gateway) {
            for (hop, there) in net.leads(table, gateway.vpc, at.family) {
                if net.may_be_entered_by(&hop, gateway.vpc) {
                    self.follow(&hop, gateway.vpc, None, at, &destined(areas, &there))?;
                }
            }
        }
        Ok(())
    }

    /// R-ROUTE-3, R-ROUTE-14, R-ROUTE-15: on by the tables of the gateway.
    fn by_edge_tables(&mut self, gateway: &Gateway, at: &At, areas: &[Area]) -> Result<(), Rejection> {
        if areas.is_empty() {
            return Ok(());
        }
        let tables = self.net.edge_tables(gateway).into_iter();
        tables
            .map(|table| (table, gateway.vpc))
            .try_for_each(|(table, vpc)| self.lead_to_table(table, vpc, None, at, areas))
    }

    /// R-VPN-3, A-15: in from the networks behind a virtual private gateway.
    pub(crate) fn start_gateway(
        &mut self,
        id: &str,
        vpc: VpcId,
        at: &At,
        areas: &[Area],
    ) -> Result<(), Rejection> {
        let net = self.net;
        let inside = destined(areas, &net.vpc_blocks(vpc, at.family));
        let named =
            net.gateways.iter().filter(|row| row.kind == Kind::Virtual && *row.id == *id && row.vpc == vpc);
        named
            .into_iter()
            .try_for_each(|gateway| self.by_edge_tables(gateway, &at.from(Origin::Virtual), &inside))
    }

    /// R-ROUTE-3, A-13: whole pools come in untranslated, by their tables.
    fn enter_pools(&mut self, at: &At, areas: &[Area]) {
        let net = self.net;
        let at = at.from(Origin::Internet);
        for (ranges, table) in net.pools() {
            let part = ranges.map_or(areas.to_vec(), |ranges| destined(areas, &ranges));
            for (hop, there, _) in net.regions.get(&(table, Family::V4)).into_iter().flatten() {
                let part = destined(&part, there);
                match hop {
                    Hop::Interface(id) => self.receive_from_pool(*id, &at, &part),
                    Hop::Target(target) => {
                        self.enter_components(&Entry::RouteTarget(target.clone()), &at, &part)
                    }
                    _ => {}
                }
            }
        }
    }

    /// whatever the check says, the interface gets packets for the pool's addresses.
    fn receive_from_pool(&mut self, id: EniId, at: &At, areas: &[Area]) {
        let net = self.net;
        for subnet in subnets_of(net.interface(id)) {
            for area in net.enter(subnet, None, areas.to_vec(), at.family) {
                if self.admits(id, at, &[area]) {
                    self.enter_components(&Entry::Interface(id), at, &[area]);
                    self.arrive(Place::Interface(id), at, &[area]);
                }
            }
        }
    }
}

impl Net<'_> {
    /// R-ADDR-5: the associations of a VPC's interfaces.
    fn associations_in(&self, vpc: VpcId) -> impl Iterator<Item = &Association> {
        self.associations.iter().filter(move |row| self.interface(row.interface).vpc.known() == Some(vpc))
    }

    /// R-ADDR-8: the public IPv6 addresses of some interfaces of a VPC.
    fn public_interfaces(&self, vpc: VpcId, wanted: impl Fn(EniId) -> bool) -> Vec<Interval> {
        let public = self.public_v6(vpc, false);
        let wanted = self.interfaces_of(vpc).iter().filter(|id| wanted(**id));
        let own = wanted.flat_map(|id| self.own(*id, Family::V6));
        own.flat_map(|one| public.iter().filter_map(move |block| common(one, *block)).collect::<Vec<_>>())
            .collect()
    }

    /// R-IGW-5: what is certainly an address of ours, so that nobody on the internet has it.
    fn public_space(&self, family: Family) -> Vec<Interval> {
        match family {
            Family::V4 => {
                let firm = self.associations.iter().filter(|row| row.firm);
                firm.map(|row| (row.public, row.public)).collect()
            }
            Family::V6 => self.s.vpcs.ids().flat_map(|vpc| self.public_v6(vpc, true)).collect(),
        }
    }

    /// R-IGW-9: the IPv6 addresses that a gateway's table sends elsewhere than to their owners.
    fn redirected(&self, gateway: &Gateway) -> Vec<Interval> {
        let inside = self.vpc_blocks(gateway.vpc, Family::V6);
        let mut found = Vec::new();
        for table in self.edge_tables(gateway) {
            let Table::Listed(table) = table else { continue };
            let regions = self.regions.get(&(table, Family::V6)).into_iter().flatten();
            let elsewhere = regions.filter(|(hop, _, _)| *hop != Hop::Local).flat_map(|(_, there, _)| there);
            found.extend(elsewhere.filter(|one| inside.iter().any(|own| common(**one, *own).is_some())));
        }
        found
    }

    /// Whether there are any BYOIP pools.
    pub(crate) fn has_pools(&self) -> bool {
        !self.pools().is_empty()
    }

    /// R-ROUTE-3: the tables of BYOIP pools; `None` for a pool whose ranges nobody knows.
    fn pools(&self) -> Vec<(Option<Vec<Interval>>, RouteTableId)> {
        let known = |pool: &str| {
            let pools = self.s.scopes.values().flat_map(|scope| &scope.public_pools);
            pools.filter(|row| *row.id == *pool).map(|row| intervals(&row.ranges, Family::V4)).next()
        };
        let tables = self.s.route_tables.iter();
        let rows = tables.flat_map(|(id, table)| table.associations.iter().map(move |row| (id, &row.target)));
        rows.filter_map(|(table, target)| match target {
            AssociationTarget::PublicPool(pool) => Some((known(pool), table)),
            _ => None,
        })
        .collect()
    }
}
