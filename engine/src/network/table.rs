//! Which route table applies where.

use std::collections::BTreeMap;

use ipnet::{IpNet, Ipv4Net};
use reachproof_model::flow::World;
use reachproof_model::id::{Ref, RouteTableId, SubnetId, Table, VpcId};
use reachproof_model::snapshot::{AssociationTarget, Snapshot, State};

use super::gateway::{Gateway, GatewayId, GatewayKind};
use super::route::subtract;
use super::state::{Object, transitional, usable};
use super::{Assumed, Network, SpecialBlock};

/// A table that may apply.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TableChoice {
    /// This table.
    Table(RouteTableId),
    /// No table but the implicit local route: a gateway without an edge table.
    ImplicitLocal,
    /// Unknown: any target of the VPC (R-DATA-3). Never in the restrictive world.
    Unknown,
}

/// A BYOIP pool whose addresses an internet gateway hands to a table untranslated (R-ROUTE-3, A-13).
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct PoolIngress {
    pub(super) pool: Box<str>,
    pub(super) table: RouteTableId,
}

#[derive(Debug, Default)]
pub(super) struct TableIndex {
    by_subnet: BTreeMap<SubnetId, Vec<(RouteTableId, State)>>,
    main: BTreeMap<VpcId, Vec<(RouteTableId, State)>>,
    edge: BTreeMap<GatewayId, Vec<(RouteTableId, State)>>,
    /// Tables of something that is no gateway of the snapshot: they may be at any gateway of their VPC (R-DATA-3).
    strange: BTreeMap<VpcId, Vec<(RouteTableId, State)>>,
    /// Tables of something that the input does not name: they may be any subnet's or gateway's of their VPC (R-DATA-3).
    anywhere: BTreeMap<VpcId, Vec<(RouteTableId, State)>>,
    pub(super) pools: Vec<PoolIngress>,
}

impl TableIndex {
    pub(super) fn of(snapshot: &Snapshot, gateways: &Table<GatewayId, Gateway>) -> Self {
        let mut index = Self::default();
        for (id, table) in snapshot.route_tables.iter() {
            for association in &table.associations {
                let row = (id, association.state.clone());
                index.add(snapshot, gateways, table.vpc.known(), &association.target, row);
            }
        }
        index
    }

    fn add(
        &mut self,
        snapshot: &Snapshot,
        gateways: &Table<GatewayId, Gateway>,
        vpc: Option<VpcId>,
        target: &AssociationTarget,
        row: (RouteTableId, State),
    ) {
        let rows = match target {
            AssociationTarget::Main => vpc.map(|vpc| self.main.entry(vpc).or_default()),
            AssociationTarget::Subnet(subnet) => {
                subnet.known().map(|subnet| self.by_subnet.entry(subnet).or_default())
            }
            AssociationTarget::InternetGateway(gateway) => {
                let id = name(gateway, |id| &snapshot.internet_gateways[id].meta.id);
                return self.at_gateway(&attached(gateways, GatewayKind::Internet, id, vpc), vpc, &row);
            }
            AssociationTarget::VirtualGateway(gateway) => {
                let id = name(gateway, |id| &snapshot.virtual_gateways[id].meta.id);
                return self.at_gateway(&attached(gateways, GatewayKind::Virtual, id, vpc), vpc, &row);
            }
            AssociationTarget::Unknown(id) if id.is_empty() => {
                vpc.map(|vpc| self.anywhere.entry(vpc).or_default())
            }
            AssociationTarget::Unknown(_) => return self.at_gateway(&[], vpc, &row),
            AssociationTarget::PublicPool(pool) => {
                self.pools.push(PoolIngress { pool: pool.clone(), table: row.0 });
                None
            }
        };
        rows.into_iter().for_each(|rows| rows.push(row.clone()));
    }

    /// At the gateways; of one that no answer shows, at any gateway of the VPC (R-DATA-10).
    fn at_gateway(&mut self, gateways: &[GatewayId], vpc: Option<VpcId>, row: &(RouteTableId, State)) {
        for gateway in gateways {
            self.edge.entry(*gateway).or_default().push(row.clone());
        }
        if let Some(vpc) = vpc.filter(|_| gateways.is_empty()) {
            self.strange.entry(vpc).or_default().push(row.clone());
        }
    }
}

/// R-STATE-5: the gateway of this id at the VPC of a table; where it is at none but others, it may be at each.
fn attached(
    gateways: &Table<GatewayId, Gateway>,
    kind: GatewayKind,
    id: &str,
    vpc: Option<VpcId>,
) -> Vec<GatewayId> {
    let named = || gateways.iter().filter(|(_, row)| row.kind == kind && &*row.id == id);
    let here: Vec<GatewayId> = named().filter(|(_, row)| row.vpc == vpc).map(|(id, _)| id).collect();
    if here.is_empty() { named().map(|(id, _)| id).collect() } else { here }
}

fn name<'a, I: Copy>(gateway: &'a Ref<I>, id: impl Fn(I) -> &'a str) -> &'a str {
    match gateway {
        Ref::Known(known) => id(*known),
        Ref::Missing(missing) => missing,
    }
}

impl Network<'_> {
    /// R-ROUTE-1: the tables that may apply to a subnet. The permissive world explores a table in transition and what
    /// would apply without it; the restrictive world only a settled one, so its list is empty or of one table.
    pub fn tables_of_subnet(&self, subnet: SubnetId, world: World) -> Assumed<Vec<TableChoice>> {
        let explicit = self.resolved.tables.by_subnet.get(&subnet).map_or(&[][..], Vec::as_slice);
        let main = self.subnet(subnet).vpc.known().and_then(|vpc| self.resolved.tables.main.get(&vpc));
        let fallback: Vec<TableChoice> =
            main.into_iter().flatten().map(|(table, _)| TableChoice::Table(*table)).collect();
        let choices = choose(explicit, &fallback, world);
        let choices = match self.subnet(subnet).vpc.known() {
            Some(vpc) => with_unplaced([&self.resolved.tables.anywhere], vpc, choices, world),
            None => choices,
        };
        match (choices.is_empty(), world) {
            (true, World::Over) => Assumed::on(vec![TableChoice::Unknown], &[11]),
            (true, World::Under) => Assumed::on(Vec::new(), &[11]),
            _ => Assumed::fact(choices),
        }
    }

    /// R-ROUTE-3: the tables consulted for what enters by a gateway.
    pub fn edge_tables(&self, gateway: GatewayId, world: World) -> Vec<TableChoice> {
        let explicit = self.resolved.tables.edge.get(&gateway).map_or(&[][..], Vec::as_slice);
        let choices = choose(explicit, &[TableChoice::ImplicitLocal], world);
        match self.gateways()[gateway].vpc {
            Some(vpc) => with_unplaced(
                [&self.resolved.tables.strange, &self.resolved.tables.anywhere],
                vpc,
                choices,
                world,
            ),
            None => choices,
        }
    }

    /// R-ROUTE-3: the tables that take in whole BYOIP pools, with the pool's id.
    pub fn pool_tables(&self) -> impl Iterator<Item = (&str, RouteTableId)> {
        self.resolved.tables.pools.iter().map(|ingress| (ingress.pool.as_ref(), ingress.table))
    }

    /// R-ROUTE-3, A-13: the sources that the permissive world lets out of a VPC by an internet gateway as they are: those of
    /// the pools that come in to it; any public one where their ranges were not collected.
    pub fn pool_sources(&self, vpc: VpcId, world: World) -> Vec<IpNet> {
        let here = |table: RouteTableId| self.snapshot.route_tables[table].vpc.known() == Some(vpc);
        let pools = self.pool_tables().filter(|(_, table)| world == World::Over && here(*table));
        pools.flat_map(|(pool, _)| self.pool_ranges(pool).unwrap_or_else(public_v4)).collect()
    }

    /// R-ROUTE-3: the ranges of a BYOIP pool; `None` if they were not collected: any public address.
    pub fn pool_ranges(&self, pool: &str) -> Option<Vec<IpNet>> {
        let pools = self.snapshot.scopes.values().flat_map(|scope| &scope.public_pools);
        pools.filter(|row| &*row.id == pool).map(|row| row.ranges.clone()).next()
    }
}

fn public_v4() -> Vec<IpNet> {
    let everything = vec![IpNet::V4(Ipv4Net::default())];
    let holes = SpecialBlock::PrivateV4.blocks();
    holes.iter().fold(everything, |blocks, hole| {
        blocks.into_iter().flat_map(|block| subtract(block, *hole)).collect()
    })
}

/// Adds tables that may apply although nobody knows where they do: to the permissive world. The restrictive one can then
/// be sure of none.
fn with_unplaced<const N: usize>(
    unplaced: [&BTreeMap<VpcId, Vec<(RouteTableId, State)>>; N],
    vpc: VpcId,
    mut choices: Vec<TableChoice>,
    world: World,
) -> Vec<TableChoice> {
    let more = unplaced.into_iter().filter_map(|tables| tables.get(&vpc)).flatten();
    let more: Vec<TableChoice> = more.map(|(table, _)| TableChoice::Table(*table)).collect();
    if more.is_empty() {
        return choices;
    }
    if world == World::Under {
        return Vec::new();
    }
    choices.extend(more);
    choices.sort_unstable();
    choices.dedup();
    choices
}

fn choose(explicit: &[(RouteTableId, State)], fallback: &[TableChoice], world: World) -> Vec<TableChoice> {
    let present: Vec<_> =
        explicit.iter().filter(|(_, state)| usable(Object::Association, state, World::Over)).collect();
    let unsettled =
        present.is_empty() || present.iter().all(|(_, state)| transitional(Object::Association, state));
    let usable = present.iter().filter(|(_, state)| usable(Object::Association, state, world));
    let mut choices: Vec<TableChoice> = usable.map(|(table, _)| TableChoice::Table(*table)).collect();
    if present.is_empty() || unsettled && world == World::Over {
        choices.extend_from_slice(fallback);
    }
    choices.sort_unstable();
    choices.dedup();
    if world == World::Under && choices.len() > 1 { Vec::new() } else { choices }
}
