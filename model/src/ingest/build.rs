//! Putting the snapshot together: canonical order first, then ids, then one conversion a resource.

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};
use serde_json::value::RawValue;

use super::calls::{Origin, origin};
use super::collected::Collected;
use super::context::Context;
use super::error::LoadError;
use super::inventory::{Inventories, Place, components};
use super::name::FileName;
use super::record::{Places, Resource, Scoped};
use super::scope::{Scopes, scopes};
use super::sorted::{Further, Sorted};
use super::{
    UNUSED, acl, check, endpoint, gateway, group, interface, policy_table, prefix, route, settings, transit,
    vpc,
};
use crate::finding::Notice;
use crate::id::{EniId, FileId, Id, Ref, ScopeId, Table};
use crate::snapshot::{Interface, Snapshot};
use crate::source::Source;

/// Converts everything that was collected.
pub(super) fn snapshot(
    files: Table<FileId, Box<str>>,
    collected: Collected<'_>,
) -> Result<Snapshot, LoadError> {
    let Scopes { scopes, of_file } = scopes(&files, &collected);
    let accounts: Vec<Box<str>> = scopes.values().map(|scope| scope.account.clone()).collect();
    let strangers = collected.strangers.iter().filter_map(|file| stranger(*file, &files));
    let unused: Vec<Notice> = collected.orphans.iter().map(orphan).chain(strangers).collect();
    let inventories = read_inventories(&files, &of_file, &collected.inventories)?;
    let mut snapshot = Snapshot { scopes, ..Snapshot::default() };
    let places = Places { files: &files, scopes: &of_file, accounts: &accounts };
    let (sorted, further) = Sorted::prepare(collected, &places)?;
    let index = sorted.index();
    let mut context = Context::new(&places, &index);
    convert_all(&mut snapshot, sorted, &further, &inventories, &mut context)?;
    (snapshot.notices, snapshot.gaps) = (context.notices, context.gaps);
    snapshot.notices.extend(unused);
    snapshot.files = files;
    finish(&mut snapshot, &inventories);
    Ok(snapshot)
}

fn convert_all(
    snapshot: &mut Snapshot,
    sorted: Sorted<'_>,
    further: &Further<'_>,
    inventories: &Inventories,
    context: &mut Context<'_>,
) -> Result<(), LoadError> {
    let mut hints = interface::hints(&sorted.instances, &further.addresses, &sorted.interfaces, context)?;
    hints.notebooks = inventories.notebook_interfaces().into_iter().map(Box::from).collect();
    let (s, c) = (snapshot, context);
    scope_settings(s, further, c)?;
    s.vpcs = convert(sorted.vpcs, c, |r, c| {
        let encryption = further.encryption.get(r.item.id());
        vpc::vpc(r, encryption, c)
    })?;
    s.subnets = convert(sorted.subnets, c, vpc::subnet)?;
    s.route_tables = convert(sorted.route_tables, c, route::route_table)?;
    s.acls = convert(sorted.acls, c, acl::acl)?;
    s.groups = convert(sorted.groups, c, |r, c| group::group(r, &further.group_rules, c))?;
    s.prefix_lists = convert(sorted.prefix_lists, c, |r, c| {
        let answers = further.prefix_entries.get(r.item.id());
        prefix::prefix_list(r, answers, c)
    })?;
    s.interfaces = convert(sorted.interfaces, c, |r, c| interface::interface(r, &hints, c))?;
    drop(hints);
    s.instances = convert(sorted.instances, c, |r, _| Ok(interface::instance(r)))?;
    interface::connect(&mut s.instances, &s.interfaces);
    s.internet_gateways = convert(sorted.internet_gateways, c, |r, c| Ok(gateway::internet(&r, c)))?;
    s.egress_gateways = convert(sorted.egress_gateways, c, |r, c| Ok(gateway::egress_only(&r, c)))?;
    s.virtual_gateways = convert(sorted.virtual_gateways, c, |r, c| Ok(gateway::virtual_private(&r, c)))?;
    s.nat_gateways = convert(sorted.nat_gateways, c, |r, c| gateway::nat(r, c))?;
    s.vpn_connections =
        sorted.vpn_connections.into_iter().map(|r| gateway::vpn(r, c)).collect::<Result<_, LoadError>>()?;
    s.endpoints = convert(sorted.endpoints, c, |r, c| Ok(endpoint::endpoint(r, c)))?;
    s.peerings = convert(sorted.peerings, c, endpoint::peering)?;
    s.transit_gateways = convert(sorted.transit_gateways, c, |r, _| Ok(transit::transit_gateway(r)))?;
    s.attachments = convert(sorted.attachments, c, |r, c| Ok(transit::attachment(r, &further.transit, c)))?;
    s.tgw_tables = convert(sorted.tgw_tables, c, |r, c| transit::table(r, &further.transit, c))?;
    s.policy_tables =
        convert(sorted.policy_tables, c, |r, c| policy_table::policy_table(r, &further.policy_entries, c))?;
    Ok(())
}

/// An answer that cannot be used, because neither it nor its file's name tells what it is about.
fn orphan(source: &Source) -> Notice {
    let message = "the answer does not say what was asked about and is not used; name the file like \
                   `get-managed-prefix-list-entries__pl-1.json`";
    Notice { resource: source.pointer.boxed(), message: message.into(), source: Some(source.clone()) }
}

/// A file without any known key: a plan, a template, or something else's.
fn stranger(file: FileId, files: &Table<FileId, Box<str>>) -> Option<Notice> {
    let source = Some(Source { file, pointer: "".into() });
    Some(Notice { resource: files.get(file)?.clone(), message: UNUSED.into(), source })
}

/// How many records are converted in one go on one thread.
const PORTION: usize = 1024;

/// Converts a list in canonical order, so that positions and ids agree. Portions are converted in parallel, and what they
/// find is put together in their order.
fn convert<'i, I: Id, T: Send, R: Send>(
    records: Vec<Scoped<T>>,
    context: &mut Context<'i>,
    one: impl Fn(Scoped<T>, &mut Context<'i>) -> Result<R, LoadError> + Sync,
) -> Result<Table<I, R>, LoadError> {
    let (places, index, count) = (context.places, context.index, records.len());
    let portion = |records: Vec<Scoped<T>>| {
        let mut own = Context::new(places, index);
        let converted = records.into_iter().map(|record| one(record, &mut own)).collect();
        (converted, own)
    };
    let portions: Vec<(Result<Vec<R>, LoadError>, Context<'i>)> =
        records.into_par_iter().chunks(PORTION).map(portion).collect();
    let mut table = Vec::with_capacity(count);
    for (converted, own) in portions {
        table.append(&mut converted?);
        context.absorb(own);
    }
    Ok(table.into_iter().collect())
}

/// What holds for a whole account and Region, and what has no id.
fn scope_settings(
    snapshot: &mut Snapshot,
    further: &Further<'_>,
    context: &mut Context<'_>,
) -> Result<(), LoadError> {
    for record in &further.block_public_access {
        if let Some(scope) = snapshot.scopes.get_mut(context.places.scope(record.source.file)) {
            scope.block_public_access = Some(settings::block_public_access(record));
        }
    }
    for record in &further.bpa_exclusions {
        if let Some(scope) = snapshot.scopes.get_mut(context.places.scope(record.source.file)) {
            scope.bpa_exclusions.push(settings::exclusion(record));
        }
    }
    for record in &further.public_pools {
        let pool = settings::pool(record, context)?;
        if let Some(scope) = snapshot.scopes.get_mut(context.places.scope(record.source.file)) {
            scope.public_pools.push(pool);
        }
    }
    for scope in snapshot.scopes.values_mut() {
        scope.bpa_exclusions.sort();
        scope.public_pools.sort_by(|a, b| a.id.cmp(&b.id));
    }
    snapshot.zones = further.zones.iter().map(|record| settings::zone(&record.item)).collect();
    snapshot.zones.sort();
    snapshot.zones.dedup();
    let associations = further.group_associations.iter();
    snapshot.group_associations =
        associations.map(|record| group::vpc_association(&record.item, context)).collect();
    snapshot
        .group_associations
        .sort_by(|a, b| (&a.group, &a.vpc, &a.state).cmp(&(&b.group, &b.vpc, &b.state)));
    snapshot.group_associations.dedup();
    Ok(())
}

/// Parses the values of inventories, now that the scopes of their files are known.
fn read_inventories(
    files: &Table<FileId, Box<str>>,
    of_file: &[ScopeId],
    values: &[(FileId, String, &RawValue)],
) -> Result<Inventories, LoadError> {
    let mut inventories = Inventories::default();
    for (file, key, value) in values {
        let scope = of_file.get(file.index()).copied().unwrap_or(ScopeId::from_index(0));
        let name = files.get(*file).map_or("?", AsRef::as_ref);
        let parts = FileName::parse(name);
        let told = matches!(origin(key, parts.service, parts.operation), Origin::Call(_));
        let place = Place { key, scope, file: *file, parent: parts.parent, told };
        let mut deserializer = serde_json::Deserializer::from_str(value.get());
        inventories
            .read(place, &mut deserializer)
            .map_err(|error| LoadError::value(name, &format!("/{key}"), error.to_string()))?;
    }
    Ok(inventories)
}

/// R-MBX-8: what a NAT gateway names as its interface is one, whatever type the interface itself shows.
fn interfaces_of_nat_gateways(snapshot: &mut Snapshot) {
    let addresses = snapshot.nat_gateways.values().flat_map(|nat| &nat.addresses);
    let interfaces: Vec<_> =
        addresses.filter_map(|address| address.interface.as_ref().and_then(Ref::known)).collect();
    for id in interfaces {
        if let Some(interface) = snapshot.interfaces.get_mut(id) {
            interface.kind = Some("natgateway".into());
            interface.label = "nat-gateway".into();
        }
    }
}

/// R-ADDR-14: every address of a subnet that holds a VLAN of Amazon EVS is that interface's.
fn vlans_own_their_subnets(snapshot: &mut Snapshot) {
    let of_vlan = |interface: &Interface| interface.kind.as_deref() == Some("evs");
    let vlans: Vec<EniId> =
        snapshot.interfaces.iter().filter(|(_, interface)| of_vlan(interface)).map(|(id, _)| id).collect();
    for id in vlans {
        let Some(interface) = snapshot.interfaces.get_mut(id) else { continue };
        let subnet = interface.subnet.known().and_then(|subnet| snapshot.subnets.get(subnet));
        let blocks = subnet.into_iter().flat_map(|subnet| subnet.cidrs.iter().map(|block| block.cidr));
        interface.prefixes.extend(blocks);
        interface.prefixes.sort();
        interface.prefixes.dedup();
    }
}

/// What follows from the snapshot as a whole.
fn finish(snapshot: &mut Snapshot, inventories: &Inventories) {
    interfaces_of_nat_gateways(snapshot);
    vlans_own_their_subnets(snapshot);
    snapshot.dx_gateways = inventories.dx_gateways();
    let (components, notices) = components(snapshot, inventories);
    snapshot.components = components.into_iter().collect();
    snapshot.notices.extend(notices);
    snapshot.gaps.extend(inventories.unreadable());
    let found = check::notices(snapshot);
    snapshot.notices.extend(found);
    let contradictions = check::contradictions(snapshot);
    snapshot.gaps.extend(contradictions);
    snapshot.notices.sort();
    snapshot.notices.dedup();
    snapshot.gaps.sort();
    snapshot.gaps.dedup();
}
