//! NAT gateways: kinds, addresses, tables (R-NAT-1).

use std::net::{IpAddr, Ipv4Addr};

use reachproof_model::flow::World;
use reachproof_model::id::{EniId, Id, NatId, Ref, SubnetId, VpcId};
use reachproof_model::snapshot::{NatAddress, NatGateway, Snapshot};

use super::state::{Object, usable};
use super::{Assumed, GatewayKind, Network, NextHop, TableChoice};

/// A NAT gateway with what its translation needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Nat {
    /// Its id.
    pub id: NatId,
    /// Whether it has no subnet (R-NAT-9).
    pub regional: bool,
    /// Whether it is public rather than private.
    pub public: bool,
    /// Its subnet, if zonal.
    pub subnet: Option<SubnetId>,
    /// The addresses it may translate to: any of them, at AWS's choice.
    pub sources: Vec<NatSource>,
}

/// One address that a NAT gateway may translate to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NatSource {
    /// The interface that holds it, if zonal.
    pub interface: Option<EniId>,
    /// The private address; none for regional gateways.
    pub private: Option<Ipv4Addr>,
    /// The public address of a regional gateway; a zonal one is translated by the internet gateway.
    pub public: Option<Ipv4Addr>,
    /// Whether the restrictive world counts it.
    pub firm: bool,
}

pub(super) fn nats(snapshot: &Snapshot) -> Vec<Nat> {
    snapshot.nat_gateways.iter().map(|(id, gateway)| resolve(snapshot, id, gateway)).collect()
}

fn resolve(snapshot: &Snapshot, id: NatId, gateway: &NatGateway) -> Nat {
    let subnet = gateway.subnet.as_ref().and_then(Ref::known);
    Nat {
        id,
        regional: is_regional(gateway),
        public: is_public(gateway),
        subnet,
        sources: sources(snapshot, gateway),
    }
}

/// R-NAT-9: whether a gateway serves a whole VPC, without a subnet.
pub(super) fn is_regional(gateway: &NatGateway) -> bool {
    match gateway.mode.as_deref() {
        Some("regional") => true,
        Some("zonal") => false,
        _ => gateway.subnet.is_none(),
    }
}

/// R-DATA-3: whether the input shows all that following a packet through the gateway needs: where it is, and every address
/// that it may translate to.
pub(super) fn is_shown(snapshot: &Snapshot, gateway: &NatGateway) -> bool {
    let placed =
        is_regional(gateway) || gateway.subnet.as_ref().is_some_and(|subnet| subnet.known().is_some());
    let sources = rows(snapshot, gateway);
    let addressed = |source: &NatSource| is_addressed(snapshot, gateway, source);
    placed && vpc_of(snapshot, gateway).is_some() && !sources.is_empty() && sources.iter().all(addressed)
}

/// R-NAT-1: a zonal gateway has a private address on an interface, and a public one besides if it is public; a regional one
/// shows its public address alone.
fn is_addressed(snapshot: &Snapshot, gateway: &NatGateway, source: &NatSource) -> bool {
    if is_regional(gateway) {
        return source.public.is_some();
    }
    let (Some(interface), Some(private)) = (source.interface, source.private) else { return false };
    let associated = || snapshot.interfaces[interface].public.iter().any(|row| row.private == private);
    !is_public(gateway) || source.public.is_some() || associated()
}

fn is_public(gateway: &NatGateway) -> bool {
    gateway.connectivity.as_deref() != Some("private")
}

/// The VPC of a NAT gateway: as it says, else that of its subnet.
pub(super) fn vpc_of(snapshot: &Snapshot, gateway: &NatGateway) -> Option<VpcId> {
    let of_subnet = || snapshot.subnets[gateway.subnet.as_ref()?.known()?].vpc.known();
    gateway.vpc.known().or_else(of_subnet)
}

/// whether the gateway is of the kinds that AWS documents.
fn is_of_known_kind(gateway: &NatGateway) -> bool {
    matches!(gateway.connectivity.as_deref(), None | Some("public" | "private"))
        && matches!(gateway.mode.as_deref(), None | Some("zonal" | "regional"))
}

fn sources(snapshot: &Snapshot, gateway: &NatGateway) -> Vec<NatSource> {
    let shown = |source: &NatSource| source.private.is_some() || source.public.is_some();
    rows(snapshot, gateway).into_iter().filter(shown).collect()
}

/// Every address that may be used, shown or not.
pub(super) fn rows(snapshot: &Snapshot, gateway: &NatGateway) -> Vec<NatSource> {
    let usable_rows = gateway.addresses.iter().filter(|row| row.state.as_deref() != Some("failed"));
    let source = |row: &NatAddress| {
        let interface = row.interface.as_ref().and_then(Ref::known);
        let alone = gateway.addresses.len() == 1;
        let held = interface.filter(|_| alone).and_then(|id| only_v4(snapshot, id));
        let firm = usable(Object::NatAddress, &row.state, World::Under);
        NatSource { interface, private: row.private.or(held), public: row.public, firm }
    };
    usable_rows.map(source).collect()
}

/// The IPv4 address of an interface that has no other: which of several a row without one means, nobody knows.
fn only_v4(snapshot: &Snapshot, id: EniId) -> Option<Ipv4Addr> {
    let interface = &snapshot.interfaces[id];
    let v4 = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => Some(ip),
        IpAddr::V6(_) => None,
    };
    let mut own = interface.addresses.iter().filter_map(|address| v4(address.ip));
    let prefixed = interface.prefixes.iter().any(|prefix| prefix.addr().is_ipv4());
    own.next().filter(|_| own.next().is_none() && !prefixed)
}

impl Network<'_> {
    /// The resolved NAT gateway.
    pub fn nat(&self, id: NatId) -> Option<&Nat> {
        self.resolved.nats.get(id.index())
    }

    /// R-NAT-1, R-ROUTE-16: whether a route of the VPC may use the NAT gateway in this world.
    pub fn nat_usable(&self, id: NatId, vpc: VpcId, world: World) -> bool {
        let gateway = &self.snapshot.nat_gateways[id];
        let here = match &gateway.vpc {
            Ref::Known(known) => *known == vpc,
            Ref::Missing(_) => world == World::Over,
        };
        here && usable(Object::Nat, &gateway.state, world)
            && (world == World::Over || is_of_known_kind(gateway))
    }

    /// R-NAT-1, R-NAT-2: the addresses that may be used in this world.
    pub fn nat_sources(&self, id: NatId, world: World) -> Vec<NatSource> {
        let sources = self.nat(id).map_or(&[][..], |nat| nat.sources.as_slice());
        sources.iter().filter(|source| source.firm || world == World::Over).copied().collect()
    }

    /// The VPC of a NAT gateway: as it says, else that of its subnet.
    pub fn nat_vpc(&self, id: NatId) -> Option<VpcId> {
        vpc_of(self.snapshot, &self.snapshot.nat_gateways[id])
    }

    /// R-NAT-4, R-NAT-9: the tables that route what the gateway sends (R-NAT-12).
    pub fn nat_tables(&self, id: NatId, world: World) -> Assumed<Vec<TableChoice>> {
        let Some(nat) = self.nat(id) else { return Assumed::fact(Vec::new()) };
        if let (false, Some(subnet)) = (nat.regional, nat.subnet) {
            return self.tables_of_subnet(subnet, world);
        }
        let table = self.snapshot.nat_gateways[id].table.as_ref().and_then(Ref::known);
        match (table, world) {
            (Some(table), _) => Assumed::fact(vec![TableChoice::Table(table)]),
            (None, World::Over) => Assumed::on(vec![TableChoice::Unknown], &[11]),
            (None, World::Under) => Assumed::on(Vec::new(), &[11]),
        }
    }

    /// R-NAT-4, R-NAT-9, R-DATA-3: whether the gateway routes by a table which nobody shows and which may lead out of its
    /// VPC where no other does: that of a subnet which is not shown, one of its own which is not, or one that is not named
    /// in a VPC that something joins to other networks.
    pub(super) fn routes_by_hidden_table(&self, gateway: &NatGateway) -> bool {
        let joins = |hop: &NextHop| match hop {
            NextHop::Gateway(id) => self.gateways()[*id].kind == GatewayKind::Virtual,
            hop => matches!(hop, NextHop::Transit(_) | NextHop::Peering(_) | NextHop::Interface(_)),
        };
        let joined = |vpc| self.any_target(vpc, World::Over).iter().any(joins);
        match (is_regional(gateway), &gateway.table) {
            (true, None) => vpc_of(self.snapshot, gateway).is_none_or(joined),
            (true, Some(table)) => table.known().is_none(),
            (false, _) => gateway.subnet.as_ref().is_none_or(|subnet| subnet.known().is_none()),
        }
    }

    /// The NAT gateway that an interface belongs to.
    pub fn nat_of_interface(&self, interface: EniId) -> Option<NatId> {
        let holds = |nat: &&Nat| nat.sources.iter().any(|source| source.interface == Some(interface));
        self.resolved.nats.iter().find(holds).map(|nat| nat.id)
    }
}
