//! Steps through NAT gateways (section 8).

use reachproof_model::certificate::{Area, Family, Origin, Sender, Site};
use reachproof_model::id::{NatId, Ref, SubnetId, VpcId};
use reachproof_model::snapshot::Entry;

use crate::Rejection;
use crate::area::{Interval, among, common, complement, destined, intervals};
use crate::block::{NAT64, PRIVATE, blocks};
use crate::gateway::Kind;
use crate::net::{Net, Table, is_regional};
use crate::route::Hop;
use crate::walk::{At, Walk};

/// The ports that a NAT gateway chooses from (R-NAT-2).
const PORTS: (u16, u16) = (1024, u16::MAX);

impl Walk<'_, '_> {
    /// R-NAT-2, 3, 7, 8: into a NAT gateway, and on with each address that it may choose. What one re-sources is no answer
    /// (R-CONN-4).
    pub(crate) fn nat(
        &mut self,
        id: NatId,
        vpc: VpcId,
        from: Option<SubnetId>,
        at: &At,
        areas: &[Area],
    ) -> Result<(), Rejection> {
        let net = self.net;
        let nat = &net.s.nat_gateways[id];
        let foreign = matches!(at.origin, Origin::Internet | Origin::Virtual | Origin::Peering);
        if foreign || self.is_answer() || self.avoids(&nat.meta.id) {
            return Ok(());
        }
        let home = nat.subnet.as_ref().and_then(Ref::known);
        let entered = match home {
            Some(subnet) => net.enter(subnet, from, areas.to_vec(), at.family),
            None => areas.to_vec(),
        };
        let accepted: Vec<Area> = match at.family {
            Family::V4 => [6, 17, 1].into_iter().flat_map(|protocol| of(&entered, protocol)).collect(),
            Family::V6 => from_nat64(&entered),
        };
        self.translates |= !accepted.is_empty();
        let next = At { sender: Sender::Nobody, origin: Origin::Local, family: Family::V4 };
        for address in net.nat_addresses(id) {
            let translated: Vec<Area> = accepted.iter().map(|area| translate(area, address)).collect();
            match home {
                Some(subnet) if !is_regional(nat) => self.send_translated(subnet, &next, &translated)?,
                _ => self.send_regional(id, vpc, &next, &translated)?,
            }
        }
        Ok(())
    }

    /// R-NAT-4, R-NACL-6, A-14: on from the gateway's subnet; whether its list stands before neighbours is not settled.
    fn send_translated(&mut self, subnet: SubnetId, at: &At, areas: &[Area]) -> Result<(), Rejection> {
        let near = destined(areas, &self.net.link(subnet, at.family));
        if let Some(vpc) = self.net.s.subnets[subnet].vpc.known() {
            self.deliver(vpc, Some(subnet), at, &near);
        }
        self.route_from(subnet, at, &near)?;
        self.leave(subnet, at, areas.to_vec())
    }

    /// R-NAT-9: by its own table to the internet; where else it leads, its source is not known.
    fn send_regional(&mut self, id: NatId, vpc: VpcId, at: &At, areas: &[Area]) -> Result<(), Rejection> {
        let net = self.net;
        let nat = &net.s.nat_gateways[id];
        let table = nat.table.as_ref().and_then(Ref::known).map_or(Table::Unknown, Table::Listed);
        let regions = net.leads(table, vpc, Family::V4);
        for (hop, there) in regions.into_iter().filter(|(hop, _)| *hop != Hop::Nowhere) {
            let part = destined(areas, &there);
            let is_internet =
                |one: &usize| net.gateways.get(*one).is_some_and(|row| row.kind == Kind::Internet);
            match hop {
                Hop::Gateway(gateway) if is_internet(&gateway) => {
                    let outside = destined(&part, &complement(&blocks(&PRIVATE), Family::V4));
                    self.lead(Site::Internet, at, &outside)?;
                }
                _ => self.enter_components(&Entry::RouteTarget(nat.meta.id.boxed()), at, &part),
            }
        }
        Ok(())
    }
}

impl Net<'_> {
    /// R-NAT-3, A-14: the destinations that a table sends to a NAT gateway in the packet's own subnet: there the list of the
    /// subnet may not stand before it.
    pub(crate) fn own_nat(
        &self,
        table: Table,
        subnet: SubnetId,
        vpc: VpcId,
        family: Family,
    ) -> Vec<Interval> {
        let home = |id: NatId| self.s.nat_gateways[id].subnet.as_ref().and_then(Ref::known);
        let leads = self.leads(table, vpc, family).into_iter();
        let own = leads.filter(|(hop, _)| matches!(hop, Hop::Nat(id) if home(*id) == Some(subnet)));
        own.flat_map(|(_, there)| there).collect()
    }

    /// Where a table leads, and for which destinations.
    pub(crate) fn leads(&self, table: Table, vpc: VpcId, family: Family) -> Vec<(Hop, Vec<Interval>)> {
        let anywhere = complement(&blocks(&crate::block::UNROUTABLE), family);
        match table {
            Table::Implicit => vec![(Hop::Local, anywhere)],
            Table::Unknown => self.any_hop(vpc).into_iter().map(|hop| (hop, anywhere.clone())).collect(),
            Table::Listed(table) => {
                let regions = self.regions.get(&(table, family)).into_iter().flatten();
                regions.map(|(hop, there, _)| (hop.clone(), there.clone())).collect()
            }
        }
    }
}

/// R-NAT-2: sent from the gateway's address and a port of its choice; ICMP keeps its code.
fn translate(area: &Area, address: u128) -> Area {
    let source_port = if area.protocol == (1, 1) { area.source_port } else { PORTS };
    Area { source: (address, address), source_port, ..*area }
}

fn of(areas: &[Area], protocol: u8) -> Vec<Area> {
    among(
        areas,
        &[Area {
            protocol: (protocol, protocol),
            ..Area { destination: (0, u128::MAX), source: (0, u128::MAX), ..Area::full(Family::V4) }
        }],
    )
}

/// Echo requests of a family.
pub(crate) fn echo(family: Family) -> Area {
    let (protocol, kind) = match family {
        Family::V4 => (1, 8),
        Family::V6 => (58, 128),
    };
    Area { protocol: (protocol, protocol), port: (kind, kind), ..Area::full(family) }
}

/// R-NAT-8: the IPv4 packets that NAT64 makes of TCP, UDP and echo requests to its addresses.
fn from_nat64(areas: &[Area]) -> Vec<Area> {
    let nat64 = intervals(&blocks(&NAT64), Family::V6);
    let low = |(lo, hi): Interval| {
        nat64.first().map_or((0, 0), |(base, _)| (lo.saturating_sub(*base), hi.saturating_sub(*base)))
    };
    let seen = |area: Area| {
        let echo = area.protocol == (58, 58);
        let (protocol, port) = if echo { ((1, 1), (8, 8)) } else { (area.protocol, area.port) };
        Area { destination: low(area.destination), protocol, port, ..area }
    };
    let there = destined(areas, &nat64);
    let echoes = among(&there, &[echo(Family::V6)]);
    of(&there, 6).into_iter().chain(of(&there, 17)).chain(echoes).map(seen).collect()
}

/// R-NAT-8: the IPv4 addresses inside IPv6 ones that NAT64 takes.
pub(crate) fn embedded(v6: &[Interval]) -> Vec<Interval> {
    let nat64 = intervals(&blocks(&NAT64), Family::V6);
    let inside = v6
        .iter()
        .flat_map(|one| nat64.iter().filter_map(move |block| Some((block.0, common(*one, *block)?))));
    inside.map(|(base, (lo, hi))| (lo.saturating_sub(base), hi.saturating_sub(base))).collect()
}
