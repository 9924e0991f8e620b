//! Which changes can be made to facts alone.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{Change, ChangeError, Edit};
use crate::id::{EniId, FileId, Id, Ref, Table};
use crate::ingest::{tells_of_a_service, tells_of_a_service_group};
use crate::snapshot::{
    AclEntry, Destination, Entry, Exit, GroupPeer, GroupRule, Interface, PrivateAddress, Route, Snapshot,
    Target,
};
use crate::source::Source;
use crate::traffic::Traffic;

const NO_ADDRESS: &str = "an interface without an address may have any of its subnet";

/// A complaint, or none.
type Admission = Result<(), ChangeError>;

pub(super) fn admit(snapshot: &Snapshot, change: &Change) -> Admission {
    match change {
        Change::Rule { group, egress, edit } => {
            let Some(group) = snapshot.groups.get(*group) else { return refuse("no such security group") };
            let rules = if *egress { &group.egress } else { &group.ingress };
            let Some(rules) = rules else {
                return refuse(format!("the rules of {} are not shown", group.meta.id));
            };
            each(edit, rules, |rule| rule_may_change(snapshot, rule))
        }
        Change::Entry { acl, edit } => {
            let Some(acl) = snapshot.acls.get(*acl) else { return refuse("no such network ACL") };
            each(edit, &acl.entries, |entry| entry_is_sound(snapshot, entry))?;
            numbers_differ(edit, &acl.entries)
        }
        Change::Route { table, edit } => {
            let Some(table) = snapshot.route_tables.get(*table) else { return refuse("no such route table") };
            each(edit, &table.routes, |route| route_may_change(snapshot, route))
        }
        Change::Address { interface, edit } => {
            let Some(interface) = snapshot.interfaces.get(*interface) else {
                return refuse("no such interface");
            };
            each(edit, &interface.addresses, |address| address_fits(snapshot, interface, address))?;
            if interface.addresses.len() == 1 && interface.prefixes.is_empty() && edit.new_value().is_none() {
                return refuse(NO_ADDRESS);
            }
            keeps_public(interface, edit)
        }
        Change::Interface(edit) => interface_may_change(snapshot, edit),
    }
}

fn refuse<T>(why: impl Into<String>) -> Result<T, ChangeError> {
    Err(ChangeError(why.into()))
}

/// Looks at what comes and at what goes, which has to be there.
fn each<T>(edit: &Edit<T>, list: &[T], admit: impl Fn(&T) -> Admission) -> Admission {
    if let Some(at) = edit.position() {
        let Some(old) = list.get(at) else {
            return refuse(format!("nothing is at position {at} of {}", list.len()));
        };
        admit(old)?;
    }
    edit.new_value().map_or(Ok(()), admit)
}

fn in_table<I: Id, T>(reference: &Ref<I>, table: &Table<I, T>) -> bool {
    reference.known().is_none_or(|id| table.get(id).is_some())
}

fn sourced(snapshot: &Snapshot, source: &Source) -> Admission {
    let known: Option<FileId> = snapshot.files.get(source.file).map(|_| source.file);
    if known.is_none() { refuse("the source is not a file of the snapshot") } else { Ok(()) }
}

fn whole(block: &IpNet) -> Admission {
    if block.trunc() == *block { Ok(()) } else { refuse(format!("`{block}` has bits behind the prefix")) }
}

fn readable(traffic: Traffic) -> Admission {
    let misread = match traffic {
        Traffic::Ports { protocol, .. } => !protocol.has_ports(),
        Traffic::Icmp { protocol, .. } | Traffic::Refused(protocol) => !protocol.is_icmp(),
        Traffic::All | Traffic::Protocol(_) | Traffic::Unknown => false,
    };
    if misread { refuse("ports or ICMP types of a protocol that has none") } else { Ok(()) }
}

/// Rules from which a service is concluded stay.
fn rule_may_change(snapshot: &Snapshot, rule: &GroupRule) -> Admission {
    sourced(snapshot, &rule.source)?;
    readable(rule.traffic)?;
    let known = match &rule.peer {
        GroupPeer::Cidr(block) => return whole(block).and_then(|()| unhinted(snapshot, rule)),
        GroupPeer::PrefixList(list) => in_table(list, &snapshot.prefix_lists),
        GroupPeer::Group(reference) => in_table(&reference.group, &snapshot.groups),
        GroupPeer::Unknown => true,
    };
    if !known {
        return refuse("the other end of the rule is not in the snapshot");
    }
    unhinted(snapshot, rule)
}

fn unhinted(snapshot: &Snapshot, rule: &GroupRule) -> Admission {
    if tells_of_a_service(snapshot, rule) {
        return refuse("the rule tells of a service, whose ways in are found by reading the changed input");
    }
    Ok(())
}

fn entry_is_sound(snapshot: &Snapshot, entry: &AclEntry) -> Admission {
    sourced(snapshot, &entry.source)?;
    readable(entry.traffic)?;
    entry.cidr.as_ref().map_or(Ok(()), whole)
}

/// R-NACL-2: a number is used once in each direction.
fn numbers_differ(edit: &Edit<AclEntry>, entries: &[AclEntry]) -> Admission {
    let Some(new) = edit.new_value() else { return Ok(()) };
    let others = entries.iter().enumerate().filter(|(at, _)| Some(*at) != edit.position());
    let mut same = others.filter(|(_, entry)| (entry.egress, entry.number) == (new.egress, new.number));
    match same.next() {
        Some(_) => refuse(format!("there is an entry of number {} in this direction", new.number)),
        None => Ok(()),
    }
}

/// Routes by which an unmodelled network or endpoint is concluded stay.
fn route_may_change(snapshot: &Snapshot, route: &Route) -> Admission {
    sourced(snapshot, &route.source)?;
    match &route.destination {
        Destination::Cidr(block) => whole(block)?,
        Destination::PrefixList(list) if !in_table(list, &snapshot.prefix_lists) => {
            return refuse("the prefix list of the route is not in the snapshot");
        }
        Destination::PrefixList(_) | Destination::Unknown => {}
    }
    let known = match &route.target {
        Target::Local => true,
        Target::InternetGateway(id) => in_table(id, &snapshot.internet_gateways),
        Target::VirtualGateway(id) => in_table(id, &snapshot.virtual_gateways),
        Target::Endpoint(Ref::Missing(_)) | Target::Unmodelled { .. } => {
            return refuse(
                "what the target leads to is not in the snapshot and is found by reading the changed input",
            );
        }
        Target::Endpoint(id) => in_table(id, &snapshot.endpoints),
        Target::Nat(id) => in_table(id, &snapshot.nat_gateways),
        Target::TransitGateway(id) => in_table(id, &snapshot.transit_gateways),
        Target::Peering(id) => in_table(id, &snapshot.peerings),
        Target::Interface(id) => in_table(id, &snapshot.interfaces),
        Target::Instance(id) => in_table(id, &snapshot.instances),
        Target::EgressGateway(id) => in_table(id, &snapshot.egress_gateways),
    };
    if known { Ok(()) } else { refuse("the target of the route is not in the snapshot") }
}

/// R-ADDR-3: an address is one of the interface's subnet.
fn address_fits(snapshot: &Snapshot, interface: &Interface, address: &PrivateAddress) -> Admission {
    block_fits(snapshot, interface, &IpNet::from(address.ip))
}

fn block_fits(snapshot: &Snapshot, interface: &Interface, block: &IpNet) -> Admission {
    whole(block)?;
    let subnets = std::iter::once(&interface.subnet).chain(&interface.more_subnets).filter_map(Ref::known);
    let blocks = subnets.filter_map(|id| snapshot.subnets.get(id)).flat_map(|subnet| &subnet.cidrs);
    if blocks.map(|row| &row.cidr).any(|own| own.contains(block)) {
        return Ok(());
    }
    refuse(format!("`{block}` is in no block of the subnet of {}", interface.meta.id))
}

/// R-ADDR-5: a public address stands for an address that stays.
fn keeps_public(interface: &Interface, edit: &Edit<PrivateAddress>) -> Admission {
    let gone = edit.position().and_then(|at| interface.addresses.get(at)).map(|address| address.ip);
    let kept = edit.new_value().map(|address| address.ip);
    let stands = |row: &&crate::snapshot::PublicAddress| gone == Some(row.private.into()) && gone != kept;
    match interface.public.iter().find(stands) {
        Some(row) => refuse(format!("the public address {} stands for {}", row.public, row.private)),
        None => Ok(()),
    }
}

fn interface_may_change(snapshot: &Snapshot, edit: &Edit<Box<Interface>>) -> Admission {
    let row = |at: usize| {
        let row = snapshot.interfaces.get(EniId::from_index(at));
        row.ok_or_else(|| ChangeError(format!("no interface has the position {at}")))
    };
    match edit {
        Edit::Add(new) => {
            let mut others = snapshot.interfaces.values();
            if others.any(|other| (other.meta.scope, &other.meta.id) == (new.meta.scope, &new.meta.id)) {
                return refuse(format!("there is an interface {}", new.meta.id));
            }
            if !is_ordinary(new) {
                return refuse("only ordinary interfaces can be added: others tell of more than themselves");
            }
            interface_is_sound(snapshot, new)
        }
        Edit::Remove(at) => {
            if carries_hint(snapshot, row(*at)?) {
                return refuse("the groups of the interface tell of a service");
            }
            unnamed(snapshot, EniId::from_index(*at))
        }
        Edit::Replace(at, new) => {
            let old = row(*at)?;
            if !differs_only_in_reach(old, new) {
                return refuse("of an interface only groups, addresses, status and exposure can be replaced");
            }
            if carries_hint(snapshot, old) {
                return refuse(format!("the groups of {} tell of a service", old.meta.id));
            }
            interface_is_sound(snapshot, new)
        }
    }
}

/// An interface of which nothing is concluded but that it is there.
fn is_ordinary(interface: &Interface) -> bool {
    interface.kind.as_deref() == Some("interface")
        && interface.source_dest_check == Some(true)
        && interface.description.is_empty()
        && interface.requester.is_none()
        && !interface.requester_managed
        && interface.meta.tags.keys().all(|key| !key.starts_with("aws"))
}

fn differs_only_in_reach(old: &Interface, new: &Interface) -> bool {
    let moved = Interface {
        status: new.status.clone(),
        deny_igw: new.deny_igw,
        groups: new.groups.clone(),
        addresses: new.addresses.clone(),
        prefixes: new.prefixes.clone(),
        public: new.public.clone(),
        ..old.clone()
    };
    moved == *new
}

fn carries_hint(snapshot: &Snapshot, interface: &Interface) -> bool {
    let groups = interface.groups.iter().flatten().filter_map(Ref::known);
    groups.filter_map(|id| snapshot.groups.get(id)).any(|group| tells_of_a_service_group(snapshot, group))
}

fn interface_is_sound(snapshot: &Snapshot, interface: &Interface) -> Admission {
    sourced(snapshot, &interface.meta.source)?;
    if snapshot.scopes.get(interface.meta.scope).is_none() {
        return refuse("the account and Region of the interface are not in the snapshot");
    }
    let places = in_table(&interface.vpc, &snapshot.vpcs)
        && std::iter::once(&interface.subnet)
            .chain(&interface.more_subnets)
            .all(|subnet| in_table(subnet, &snapshot.subnets));
    let attachment = interface.attachment.as_ref().and_then(|row| row.instance.as_ref());
    let groups = interface.groups.iter().flatten().all(|group| in_table(group, &snapshot.groups));
    if !places || !groups || attachment.is_some_and(|id| !in_table(id, &snapshot.instances)) {
        return refuse("the interface names something that is not in the snapshot");
    }
    if carries_hint(snapshot, interface) {
        return refuse(format!("the groups of {} tell of a service", interface.meta.id));
    }
    let sorted = interface.addresses.is_sorted_by_key(|address| (!address.primary, address.ip))
        && interface.prefixes.is_sorted()
        && interface.public.is_sorted();
    if !sorted {
        return refuse("addresses are sorted, the primary ones first");
    }
    if interface.groups.as_ref().is_some_and(Vec::is_empty) {
        return refuse("an interface that shows no group may carry any");
    }
    let addresses = interface.addresses.iter().map(|address| IpNet::from(address.ip));
    let mut blocks = addresses.chain(interface.prefixes.iter().copied());
    if blocks.clone().next().is_none() {
        return refuse(NO_ADDRESS);
    }
    let own = |ip: IpAddr| blocks.clone().any(|block| block.contains(&ip));
    if !interface.public.iter().all(|row| own(row.private.into())) {
        return refuse("a public address stands for one that the interface does not have");
    }
    blocks.try_for_each(|block| block_fits(snapshot, interface, &block))
}

/// R-DATA-5: an interface that a gateway, endpoint or component names does not go alone.
fn unnamed(snapshot: &Snapshot, id: EniId) -> Admission {
    let known = |reference: &Ref<EniId>| *reference == Ref::Known(id);
    let nats = snapshot.nat_gateways.values();
    let named = nats.flat_map(|row| &row.addresses).filter_map(|row| row.interface.as_ref()).any(known)
        || snapshot.endpoints.values().flat_map(|row| &row.interfaces).any(known)
        || snapshot.components.values().any(|row| {
            row.entries.contains(&Entry::Interface(id))
                || row
                    .exits
                    .iter()
                    .any(|exit| matches!(exit, Exit::Interface { interface, .. } if *interface == id))
        });
    if named { refuse("a gateway, an endpoint or a component needs the interface") } else { Ok(()) }
}
