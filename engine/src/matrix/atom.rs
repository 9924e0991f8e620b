//! Atoms of addresses: the intervals between two neighbouring bounds of the blocks that anything in a network reads.
//! Between two addresses of one atom no rule, route or list tells a difference.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use reachproof_model::flow::World;
use reachproof_model::id::{AclId, EniId, GroupId, Id, Ref, RouteTableId};
use reachproof_model::snapshot::{GroupPeer, GroupRule, VpnConnection};

use super::stale::Stale;
use crate::header::Family;
use crate::network::{Network, SpecialBlock, host, infrastructure_ports, owned_blocks};
use crate::reach::intervals_of;

const WORLDS: [World; 2] = [World::Over, World::Under];

/// The atoms of both families.
///
/// INVARIANT (atoms complete): every block that a rule, a route, a list or AWS itself compares an address with starts
/// and ends at a bound, but for the addresses of single interfaces, which are told apart by other attributes of theirs.
pub(super) struct Atoms {
    v4: Vec<u128>,
    v6: Vec<u128>,
}

/// An atom, by its position.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct Atom(pub(super) u32);

impl Atoms {
    pub(super) fn of(network: &Network<'_>) -> Self {
        let mut blocks = Blocks { network, found: BTreeSet::new() };
        blocks.fixed();
        blocks.filters();
        blocks.routes();
        blocks.places();
        blocks.neighbours();
        blocks.ambiguous();
        let [v4, v6] = [Family::V4, Family::V6].map(|family| bounds(&blocks.found, family));
        Self { v4, v6 }
    }

    /// Atoms that are complete for `after`, too, which differs from `before` at most in rules of groups, in entries of network
    /// ACLs and in routes. They may be finer than they need to be; `None` where no block cuts one.
    pub(super) fn refined(&self, before: &Network<'_>, after: &Network<'_>, stale: &Stale) -> Option<Self> {
        let mut blocks = Blocks { network: after, found: BTreeSet::new() };
        stale.groups().for_each(|group| blocks.rules_of(group));
        stale.acls().for_each(|acl| blocks.entries_of(acl));
        stale.tables().for_each(|table| blocks.routes_of(table));
        let references = |network| stale.groups().flat_map(|group| references(network, group)).collect();
        let (old, new): (BTreeSet<GroupId>, BTreeSet<GroupId>) = (references(before), references(after));
        if !new.is_subset(&old) && !referenced(after).is_subset(&referenced(before)) {
            blocks.ambiguous();
        }
        let new = [Family::V4, Family::V6].map(|family| {
            let known = self.bounds(family);
            let firsts = bounds(&blocks.found, family).into_iter();
            (family, firsts.filter(|first| known.binary_search(first).is_err()).collect())
        });
        if new.iter().all(|(_, firsts): &(Family, Vec<u128>)| firsts.is_empty()) {
            return None;
        }
        let [v4, v6] = new.map(|(family, mut firsts)| {
            firsts.extend(self.bounds(family));
            firsts.sort_unstable();
            firsts
        });
        Some(Self { v4, v6 })
    }

    /// What an atom of these is among finer ones; `None` if it is cut.
    pub(super) fn whole_in(&self, finer: &Self, family: Family, atom: Atom) -> Option<Atom> {
        let place = |at: u32| {
            let first = self.bounds(family).get(at as usize)?;
            finer.bounds(family).binary_search(first).ok()
        };
        let first = place(atom.0)?;
        let next = place(atom.0 + 1).unwrap_or(finer.bounds(family).len());
        (first + 1 == next).then(|| Atom(u32::try_from(first).unwrap_or(u32::MAX)))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// The atoms that an interval meets, each with its first address in the interval.
    pub(super) fn within(
        &self,
        family: Family,
        lo: u128,
        hi: u128,
    ) -> impl Iterator<Item = (Atom, u128)> + '_ {
        let bounds = self.bounds(family);
        let first = bounds.partition_point(|bound| *bound <= lo).saturating_sub(1);
        let met = bounds.iter().enumerate().skip(first).take_while(move |(_, bound)| **bound <= hi);
        met.map(move |(position, bound)| (Atom(u32::try_from(position).unwrap_or(u32::MAX)), lo.max(*bound)))
    }

    /// The first and the last address of an atom.
    pub(super) fn interval(&self, family: Family, atom: Atom) -> (u128, u128) {
        let bound = |at: usize| self.bounds(family).get(at).copied();
        let (first, next) = (bound(atom.0 as usize), bound(atom.0 as usize + 1));
        (first.unwrap_or(0), next.map_or(family.greatest_address(), |next| next - 1))
    }

    /// The atom of an IPv4 address.
    pub(super) fn of_v4(&self, ip: Ipv4Addr) -> Option<Atom> {
        let value = u128::from(u32::from(ip));
        self.within(Family::V4, value, value).next().map(|(atom, _)| atom)
    }

    fn bounds(&self, family: Family) -> &[u128] {
        match family {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
        }
    }
}

/// The first addresses of the atoms of one family.
fn bounds(blocks: &BTreeSet<IpNet>, family: Family) -> Vec<u128> {
    let blocks: Vec<IpNet> = blocks.iter().copied().collect();
    let mut firsts = vec![0];
    for (lo, hi) in intervals_of(&blocks, family) {
        firsts.push(lo);
        firsts.extend(hi.checked_add(1).filter(|next| *next <= family.greatest_address()));
    }
    firsts.sort_unstable();
    firsts.dedup();
    firsts
}

/// Blocks that something reads.
struct Blocks<'n, 's> {
    network: &'n Network<'s>,
    found: BTreeSet<IpNet>,
}

impl Blocks<'_, '_> {
    /// Blocks and services that AWS fixes.
    fn fixed(&mut self) {
        use SpecialBlock as Special;
        let special = [
            Special::PrivateV4,
            Special::BogonV4,
            Special::PrivateV6,
            Special::NotGlobalV6,
            Special::LinkLocalV6,
            Special::UnroutableV4,
            Special::UnroutableV6,
            Special::ReservedV4,
            Special::DocumentationV4,
            Special::DocumentationV6,
            Special::LatticeV4,
            Special::LatticeV6,
            Special::Nat64,
        ];
        self.found.extend(special.into_iter().flat_map(SpecialBlock::blocks));
        self.found.extend(infrastructure_ports().into_iter().map(|(ip, ..)| host(ip)));
    }

    /// R-SG-7, R-SG-8, R-NACL-3: blocks of security group rules, prefix lists and network ACLs.
    fn filters(&mut self) {
        let snapshot = self.network.snapshot;
        snapshot.groups.ids().for_each(|group| self.rules_of(group));
        snapshot.acls.ids().for_each(|acl| self.entries_of(acl));
    }

    fn rules_of(&mut self, group: GroupId) {
        let group = &self.network.snapshot.groups[group];
        group.ingress.iter().chain(&group.egress).flatten().for_each(|rule| self.rule(rule));
    }

    fn entries_of(&mut self, acl: AclId) {
        let entries = self.network.snapshot.acls[acl].entries.iter();
        self.found.extend(entries.filter_map(|entry| entry.cidr));
    }

    fn rule(&mut self, rule: &GroupRule) {
        match &rule.peer {
            GroupPeer::Cidr(block) => self.found.extend([*block]),
            GroupPeer::PrefixList(list) => self.found.extend(self.network.list_blocks(list).0),
            GroupPeer::Group(_) | GroupPeer::Unknown => {}
        }
    }

    /// Blocks of route tables, transit gateway tables and policy tables.
    fn routes(&mut self) {
        let snapshot = self.network.snapshot;
        snapshot.route_tables.ids().for_each(|table| self.routes_of(table));
        for world in WORLDS {
            let tables = snapshot.tgw_tables.ids().filter_map(|table| self.network.tgw_routes(table, world));
            self.found.extend(tables.flatten().map(|route| route.block));
        }
        let entries = snapshot.policy_tables.values().flat_map(|table| table.entries.iter().flatten());
        self.found.extend(entries.flat_map(|entry| [entry.sources, entry.destinations]).flatten());
    }

    fn routes_of(&mut self, table: RouteTableId) {
        let routes = WORLDS.map(|world| self.network.effective_routes(table, world));
        self.found.extend(routes.iter().flatten().map(|route| route.block));
    }

    /// Blocks of VPCs and subnets, their routers and resolvers.
    fn places(&mut self) {
        let network = self.network;
        for world in WORLDS {
            for vpc in network.snapshot.vpcs.ids() {
                self.found.extend(network.vpc_blocks(vpc, world));
                self.found.extend(network.public_v6_blocks(vpc, world));
            }
            for (subnet, record) in network.snapshot.subnets.iter() {
                self.found.extend(network.subnet_blocks(subnet, world));
                self.found.extend(network.router_addresses(subnet).into_iter().map(host));
                let vpc = record.vpc.known().into_iter();
                let resolvers = vpc.flat_map(|vpc| network.resolvers(vpc, &[subnet], world));
                self.found.extend(resolvers.map(host));
            }
        }
    }

    /// Blocks of peers, VPN connections and address pools.
    fn neighbours(&mut self) {
        let snapshot = self.network.snapshot;
        let peerings = snapshot.peerings.values();
        let sides = peerings.flat_map(|peering| [&peering.requester, &peering.accepter]);
        self.found.extend(sides.flat_map(|side| side.cidrs.iter().copied()));
        let routes = |vpn: &VpnConnection| vpn.routes.clone();
        self.found.extend(snapshot.vpn_connections.iter().flat_map(routes));
        let pools = self.network.pool_tables().filter_map(|(pool, _)| self.network.pool_ranges(pool));
        self.found.extend(pools.flatten());
    }

    /// Addresses that do not say whose they are: those of members of referenced groups (R-SG-9) and those that have a
    /// public address or are one, where another interface has the same address without being meant.
    fn ambiguous(&mut self) {
        let network = self.network;
        let mut named = BTreeSet::new();
        let members = referenced(network).into_iter().flat_map(|group| network.members(group).to_vec());
        let groupless = network.snapshot.interfaces.ids().filter(|id| network.groups_missing(*id));
        for member in members.chain(groupless) {
            named.extend(owned_blocks(network.interface(member)).into_iter().map(|block| (block, member)));
        }
        for row in network.associations(World::Over) {
            let nobody = EniId::from_index(usize::MAX);
            named.insert((host(IpAddr::V4(row.public)), nobody));
            named.insert((host(IpAddr::V4(row.private)), row.interface));
        }
        let interfaces = network.snapshot.interfaces.iter();
        let owned = interfaces
            .flat_map(|(id, interface)| owned_blocks(interface).into_iter().map(move |block| (block, id)));
        let all: Vec<(IpNet, EniId)> = owned.chain(named.iter().copied()).collect();
        let shared = shared(all);
        self.found.extend(named.intersection(&shared).map(|(block, _)| *block));
    }
}

/// The blocks that overlap with one of another owner.
fn shared(mut blocks: Vec<(IpNet, EniId)>) -> BTreeSet<(IpNet, EniId)> {
    blocks.sort_unstable_by_key(|(block, owner)| (block.network(), block.prefix_len(), *owner));
    let mut found = BTreeSet::new();
    // Blocks are nested or apart. With each, whether those around it and itself are of several owners.
    let mut around: Vec<(IpNet, EniId, bool)> = Vec::new();
    for (block, owner) in blocks {
        while around.last().is_some_and(|(other, ..)| !other.contains(&block)) {
            around.pop();
        }
        let several = match around.last() {
            Some((_, another, false)) if *another != owner => {
                found.extend(around.iter().map(|(other, another, _)| (*other, *another)));
                true
            }
            Some((.., several)) => *several,
            None => false,
        };
        if several {
            found.insert((block, owner));
        }
        around.push((block, owner, several));
    }
    found
}

/// The groups that rules refer to.
fn referenced(network: &Network<'_>) -> BTreeSet<GroupId> {
    network.snapshot.groups.ids().flat_map(|group| references(network, group)).collect()
}

/// The groups that the rules of one refer to.
fn references<'n>(network: &Network<'n>, group: GroupId) -> impl Iterator<Item = GroupId> + 'n {
    let group = &network.snapshot.groups[group];
    let rules = group.egress.iter().chain(&group.ingress).flatten();
    let known = |rule: &GroupRule| match &rule.peer {
        GroupPeer::Group(reference) => match &reference.group {
            Ref::Known(group) => Some(*group),
            Ref::Missing(_) => None,
        },
        _ => None,
    };
    rules.filter_map(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every choice of up to four owners of nested, equal and neighbouring blocks.
    #[test]
    fn shared_blocks_are_those_that_overlap_with_another_owners() {
        let blocks =
            ["10.0.0.0/24", "10.0.0.0/28", "10.0.0.3/32", "10.0.0.3/32", "10.0.0.16/28", "10.0.1.0/32"];
        let blocks: Vec<IpNet> = blocks.iter().map(|block| block.parse().unwrap()).collect();
        for choice in 0..4_usize.pow(6) {
            let owned: Vec<(IpNet, EniId)> = (0..)
                .zip(&blocks)
                .map(|(at, block)| (*block, EniId::from_index(choice / 4_usize.pow(at) % 4)))
                .collect();
            let overlaps = |left: &IpNet, right: &IpNet| left.contains(right) || right.contains(left);
            let meets = |(block, owner): &&(IpNet, EniId)| {
                owned.iter().any(|(other, another)| another != owner && overlaps(block, other))
            };
            let wanted: BTreeSet<(IpNet, EniId)> = owned.iter().filter(meets).copied().collect();
            assert_eq!(shared(owned.clone()), wanted, "{owned:?}");
        }
    }
}
