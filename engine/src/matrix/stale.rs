//! What a changed network leaves as it was.
//!
//! The main type is [`Stale`]: the rules, entries and routes that differ between two networks in which everything else
//! is the same. Facts are compared, not kinds of changes, and a fact that is not named here differs from what was built.

use std::collections::BTreeSet;

use reachproof_model::flow::World;
use reachproof_model::id::{AclId, EniId, GroupId, Id, Ref, RouteTableId, SubnetId, Table};
use reachproof_model::snapshot::{Acl, RouteTable, SecurityGroup, Snapshot};

use super::chain::Both;
use super::class::{Partition, named};
use crate::network::{AclChoice, Network};
use crate::reach::Read;

/// Lists of facts that differ.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Stale {
    /// Groups with other rules.
    groups: BTreeSet<GroupId>,
    /// Network ACLs with other entries, route tables with other routes.
    lists: BTreeSet<Read>,
    /// Whether the atoms have become finer.
    pub(super) refined: bool,
}

/// Why nothing of a matrix can be kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reason {
    /// The networks differ in more than rules of groups, entries of network ACLs and routes.
    Facts,
    /// Options, gateways or unmodelled components differ.
    Resolution,
    /// Other interfaces are named by routes.
    Places,
    /// A block starts or ends between addresses that nothing told apart, and parts the members of a class.
    Atoms,
    /// Other senders have packets rewritten on the way, so that they are explored one by one.
    Rewrites,
}

impl Stale {
    /// What differs, if a partition that was made for the first network serves the second one, too, or does once its atoms
    /// are finer.
    pub(super) fn between(
        before: &Network<'_>,
        after: &Network<'_>,
        partition: &mut Partition,
    ) -> Result<Self, Reason> {
        let mut stale = differing(before.snapshot, after.snapshot).ok_or(Reason::Facts)?;
        if !before.is_resolved_like(after) {
            return Err(Reason::Resolution);
        }
        if stale.tables().next().is_some() && named(before) != named(after) {
            return Err(Reason::Places);
        }
        stale.refined = partition.refine(before, after, &stale).ok_or(Reason::Atoms)?;
        Ok(stale)
    }

    /// Whether explorations read something that is stale.
    pub(super) fn reached(&self, both: &Both) -> bool {
        both.iter().any(|opened| opened.reads.iter().any(|read| self.lists.contains(read)))
    }

    /// Whether a group that filters at an interface has other rules.
    pub(super) fn filters_at(&self, network: &Network<'_>, interface: EniId) -> bool {
        let groups = network.groups(interface).unwrap_or_default();
        groups.into_iter().filter_map(Ref::known).any(|group| self.groups.contains(&group))
    }

    /// Whether the network ACL of a subnet has other entries.
    pub(super) fn bounds(&self, network: &Network<'_>, subnet: SubnetId) -> bool {
        let choices = [World::Over, World::Under].map(|world| network.acl(subnet, world).value);
        choices.into_iter().any(|choice| match choice {
            AclChoice::List(acl) => self.lists.contains(&Read::Acl(acl)),
            AclChoice::Open | AclChoice::Closed => false,
        })
    }

    /// The groups with other rules.
    pub(super) fn groups(&self) -> impl Iterator<Item = GroupId> {
        self.groups.iter().copied()
    }

    /// The network ACLs with other entries.
    pub(super) fn acls(&self) -> impl Iterator<Item = AclId> {
        self.lists.iter().filter_map(|list| if let Read::Acl(acl) = list { Some(*acl) } else { None })
    }

    /// The route tables with other routes.
    pub(super) fn tables(&self) -> impl Iterator<Item = RouteTableId> {
        self.lists.iter().filter_map(|list| if let Read::Table(table) = list { Some(*table) } else { None })
    }
}

/// The lists that differ; `None` if anything else does.
///
/// A table that is added to snapshots does not compile here until it is compared.
fn differing(before: &Snapshot, after: &Snapshot) -> Option<Stale> {
    let Snapshot {
        files: _,
        scopes,
        zones,
        vpcs,
        subnets,
        route_tables,
        acls,
        groups,
        group_associations,
        prefix_lists,
        interfaces,
        instances,
        internet_gateways,
        egress_gateways,
        nat_gateways,
        endpoints,
        peerings,
        transit_gateways,
        attachments,
        tgw_tables,
        policy_tables,
        virtual_gateways,
        vpn_connections,
        dx_gateways,
        components,
        notices: _,
        gaps,
    } = before;
    let places = *scopes == after.scopes
        && *zones == after.zones
        && *vpcs == after.vpcs
        && *subnets == after.subnets
        && *interfaces == after.interfaces
        && *instances == after.instances
        && *endpoints == after.endpoints
        && *components == after.components
        && *gaps == after.gaps;
    let lists = *group_associations == after.group_associations && *prefix_lists == after.prefix_lists;
    let gateways = *internet_gateways == after.internet_gateways
        && *egress_gateways == after.egress_gateways
        && *nat_gateways == after.nat_gateways
        && *peerings == after.peerings
        && *virtual_gateways == after.virtual_gateways
        && *vpn_connections == after.vpn_connections
        && *dx_gateways == after.dx_gateways;
    let transit = *transit_gateways == after.transit_gateways
        && *attachments == after.attachments
        && *tgw_tables == after.tgw_tables
        && *policy_tables == after.policy_tables;
    if !(places && lists && gateways && transit) {
        return None;
    }
    let mut stale = Stale { groups: other_rules(groups, &after.groups)?, ..Stale::default() };
    stale.lists.extend(other_entries(acls, &after.acls)?);
    stale.lists.extend(other_routes(route_tables, &after.route_tables)?);
    Some(stale)
}

fn pairs<'t, I: Id, T>(
    before: &'t Table<I, T>,
    after: &'t Table<I, T>,
) -> Option<impl Iterator<Item = (I, (&'t T, &'t T))>> {
    let pairs = before.iter().zip(after.values()).map(|((id, before), after)| (id, (before, after)));
    (before.len() == after.len()).then_some(pairs)
}

/// The groups that differ in rules alone; `None` if one differs in more.
fn other_rules(
    before: &Table<GroupId, SecurityGroup>,
    after: &Table<GroupId, SecurityGroup>,
) -> Option<BTreeSet<GroupId>> {
    let mut found = BTreeSet::new();
    for (id, (before, after)) in pairs(before, after)?.filter(|(_, (before, after))| before != after) {
        let SecurityGroup { meta, group_name, vpc, ingress: _, egress: _ } = before;
        if (meta, group_name, vpc) != (&after.meta, &after.group_name, &after.vpc) {
            return None;
        }
        found.insert(id);
    }
    Some(found)
}

fn other_entries(before: &Table<AclId, Acl>, after: &Table<AclId, Acl>) -> Option<Vec<Read>> {
    let mut found = Vec::new();
    for (id, (before, after)) in pairs(before, after)?.filter(|(_, (before, after))| before != after) {
        let Acl { meta, vpc, is_default, subnets, entries: _ } = before;
        if (meta, vpc, is_default, subnets) != (&after.meta, &after.vpc, &after.is_default, &after.subnets) {
            return None;
        }
        found.push(Read::Acl(id));
    }
    Some(found)
}

fn other_routes(
    before: &Table<RouteTableId, RouteTable>,
    after: &Table<RouteTableId, RouteTable>,
) -> Option<Vec<Read>> {
    let mut found = Vec::new();
    for (id, (before, after)) in pairs(before, after)?.filter(|(_, (before, after))| before != after) {
        let RouteTable { meta, vpc, associations, routes: _, propagating } = before;
        let same = (meta, vpc, associations, propagating)
            == (&after.meta, &after.vpc, &after.associations, &after.propagating);
        if !same {
            return None;
        }
        found.push(Read::Table(id));
    }
    Some(found)
}
