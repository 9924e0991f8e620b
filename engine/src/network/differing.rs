//! What differs between two snapshots, if it is nothing but rules of groups, entries of network ACLs and routes.

use std::collections::BTreeSet;

use reachproof_model::id::{AclId, GroupId, Id, RouteTableId, Table};
use reachproof_model::snapshot::{Acl, RouteTable, SecurityGroup, Snapshot};

/// Lists of facts that differ, where nothing else does.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Differing {
    /// Groups with other rules.
    pub(crate) groups: BTreeSet<GroupId>,
    /// Network ACLs with other entries.
    pub(crate) acls: BTreeSet<AclId>,
    /// Route tables with other routes.
    pub(crate) tables: BTreeSet<RouteTableId>,
}

impl Differing {
    /// The lists that differ; `None` if anything else does.
    pub(crate) fn between(before: &Snapshot, after: &Snapshot) -> Option<Self> {
        between(before, after)
    }
}

/// [`Differing::between`].
///
/// A table that is added to snapshots does not compile here until it is compared.
fn between(before: &Snapshot, after: &Snapshot) -> Option<Differing> {
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
    Some(Differing {
        groups: other_rules(groups, &after.groups)?,
        acls: other_entries(acls, &after.acls)?,
        tables: other_routes(route_tables, &after.route_tables)?,
    })
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

fn other_entries(before: &Table<AclId, Acl>, after: &Table<AclId, Acl>) -> Option<BTreeSet<AclId>> {
    let mut found = BTreeSet::new();
    for (id, (before, after)) in pairs(before, after)?.filter(|(_, (before, after))| before != after) {
        let Acl { meta, vpc, is_default, subnets, entries: _ } = before;
        if (meta, vpc, is_default, subnets) != (&after.meta, &after.vpc, &after.is_default, &after.subnets) {
            return None;
        }
        found.insert(id);
    }
    Some(found)
}

fn other_routes(
    before: &Table<RouteTableId, RouteTable>,
    after: &Table<RouteTableId, RouteTable>,
) -> Option<BTreeSet<RouteTableId>> {
    let mut found = BTreeSet::new();
    for (id, (before, after)) in pairs(before, after)?.filter(|(_, (before, after))| before != after) {
        let RouteTable { meta, vpc, associations, routes: _, propagating } = before;
        let same = (meta, vpc, associations, propagating)
            == (&after.meta, &after.vpc, &after.associations, &after.propagating);
        if !same {
            return None;
        }
        found.insert(id);
    }
    Some(found)
}
