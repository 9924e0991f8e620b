//! Changes of every fact that a change can be about.

use std::net::IpAddr;

use ipnet::IpNet;
use reachproof_model::change::{Change, Edit};
use reachproof_model::id::{Id, Ref};
use reachproof_model::snapshot::{
    Acl, AclEntry, Action, Destination, GroupPeer, GroupRule, Interface, PrivateAddress, Route, RouteTable,
    SecurityGroup, Snapshot, Target,
};
use reachproof_model::traffic::Traffic;

/// A change with its name.
pub type Named = (String, Change);

/// Every rule, entry, route, address and interface changed in several ways, each by itself.
pub fn edits(snapshot: &Snapshot) -> Vec<Named> {
    let mut found = Vec::new();
    rules(snapshot, &mut found);
    entries(snapshot, &mut found);
    routes(snapshot, &mut found);
    interfaces(snapshot, &mut found);
    found
}

/// Each item removed, and replaced by each of its variants; and each variant of the first added.
fn edits_of<T: Clone>(items: &[T], variants: impl Fn(&T) -> Vec<T>) -> Vec<Edit<T>> {
    let mut found = Vec::new();
    for (at, item) in items.iter().enumerate() {
        found.push(Edit::Remove(at));
        found.extend(variants(item).into_iter().map(|variant| Edit::Replace(at, variant)));
    }
    found.extend(items.first().into_iter().flat_map(variants).map(Edit::Add));
    found
}

fn rules(snapshot: &Snapshot, found: &mut Vec<Named>) {
    for (id, group) in snapshot.groups.iter() {
        for (egress, rules) in [(false, &group.ingress), (true, &group.egress)] {
            let rules = rules.as_deref().unwrap_or_default();
            for (number, edit) in
                edits_of(rules, |rule| rule_variants(snapshot, group, rule)).into_iter().enumerate()
            {
                let name = format!("{} egress {egress} rule edit {number}", group.meta.id);
                found.push((name, Change::Rule { group: id, egress, edit }));
            }
        }
    }
}

fn rule_variants(snapshot: &Snapshot, group: &SecurityGroup, rule: &GroupRule) -> Vec<GroupRule> {
    let peer = |peer| GroupRule { peer, ..rule.clone() };
    let mut found = vec![
        GroupRule { traffic: Traffic::All, ..rule.clone() },
        peer(GroupPeer::Cidr(IpNet::default())),
        peer(GroupPeer::Cidr("10.0.0.128/26".parse().unwrap())),
        peer(GroupPeer::Cidr("10.0.0.0/27".parse().unwrap())),
    ];
    let other = snapshot.groups.iter().find(|(_, other)| other.meta.id != group.meta.id);
    found.extend(other.map(|(id, _)| {
        peer(GroupPeer::Group(reachproof_model::snapshot::GroupReference {
            group: Ref::Known(id),
            account: None,
            peering_status: None,
            peering: None,
        }))
    }));
    found
}

fn entries(snapshot: &Snapshot, found: &mut Vec<Named>) {
    for (id, acl) in snapshot.acls.iter() {
        for (number, edit) in
            edits_of(&acl.entries, |entry| entry_variants(acl, entry)).into_iter().enumerate()
        {
            found.push((format!("{} entry edit {number}", acl.meta.id), Change::Entry { acl: id, edit }));
        }
    }
}

fn entry_variants(acl: &Acl, entry: &AclEntry) -> Vec<AclEntry> {
    let action = if entry.action == Action::Allow { Action::Deny } else { Action::Allow };
    let free = (1..).find(|number| acl.entries.iter().all(|entry| entry.number != *number));
    vec![
        AclEntry { action, ..entry.clone() },
        AclEntry { action: Action::Deny, number: free.unwrap(), ..entry.clone() },
        AclEntry { number: free.unwrap(), cidr: Some("10.0.0.0/28".parse().unwrap()), ..entry.clone() },
    ]
}

fn routes(snapshot: &Snapshot, found: &mut Vec<Named>) {
    for (id, table) in snapshot.route_tables.iter() {
        for (number, edit) in
            edits_of(&table.routes, |route| route_variants(snapshot, table, route)).into_iter().enumerate()
        {
            found.push((format!("{} route edit {number}", table.meta.id), Change::Route { table: id, edit }));
        }
    }
}

fn route_variants(snapshot: &Snapshot, _table: &RouteTable, route: &Route) -> Vec<Route> {
    let state = if route.state.as_deref() == Some("blackhole") { "active" } else { "blackhole" };
    let mut found = vec![
        Route { state: Some(state.into()), ..route.clone() },
        Route { destination: Destination::Cidr(IpNet::default()), ..route.clone() },
        Route { destination: Destination::Cidr("10.1.0.0/17".parse().unwrap()), ..route.clone() },
    ];
    let target = |target| Route { target, state: None, ..route.clone() };
    found.extend(snapshot.internet_gateways.ids().map(|id| target(Target::InternetGateway(Ref::Known(id)))));
    found.extend(snapshot.nat_gateways.ids().map(|id| target(Target::Nat(Ref::Known(id)))));
    found.extend(snapshot.peerings.ids().map(|id| target(Target::Peering(Ref::Known(id)))));
    found.extend(snapshot.transit_gateways.ids().map(|id| target(Target::TransitGateway(Ref::Known(id)))));
    found.extend(snapshot.interfaces.ids().next().map(|id| target(Target::Interface(Ref::Known(id)))));
    found
}

fn interfaces(snapshot: &Snapshot, found: &mut Vec<Named>) {
    for (id, interface) in snapshot.interfaces.iter() {
        let name = &interface.meta.id;
        let addresses = edits_of(&interface.addresses, address_variants);
        for (number, edit) in addresses.into_iter().enumerate() {
            found.push((format!("{name} address edit {number}"), Change::Address { interface: id, edit }));
        }
        for (number, variant) in interface_variants(snapshot, interface).into_iter().enumerate() {
            let edit = Edit::Replace(id.index(), Box::new(variant));
            found.push((format!("{name} variant {number}"), Change::Interface(edit)));
        }
        found.push((format!("{name} removed"), Change::Interface(Edit::Remove(id.index()))));
        for new in ["eni-00000000", "eni-zzzzzzzz"] {
            let twin = twin(interface, new);
            found.push((format!("{name} twin {new}"), Change::Interface(Edit::Add(Box::new(twin)))));
        }
    }
}

fn address_variants(address: &PrivateAddress) -> Vec<PrivateAddress> {
    let ip = match address.ip {
        IpAddr::V4(ip) => IpAddr::V4((u32::from(ip) ^ 0x61).into()),
        IpAddr::V6(ip) => IpAddr::V6((u128::from(ip) ^ 0x61).into()),
    };
    vec![PrivateAddress { ip, ..*address }]
}

fn interface_variants(snapshot: &Snapshot, interface: &Interface) -> Vec<Interface> {
    let all = snapshot.groups.ids().map(Ref::Known).collect();
    vec![
        Interface { groups: None, ..interface.clone() },
        Interface { groups: Some(all), ..interface.clone() },
        Interface { public: Vec::new(), ..interface.clone() },
        Interface { status: Some("available".into()), ..interface.clone() },
    ]
}

/// Another interface of the same subnet with the same groups.
pub fn twin(interface: &Interface, id: &str) -> Interface {
    let mut twin = interface.clone();
    twin.meta.id = id.into();
    twin.meta.tags = Default::default();
    (twin.kind, twin.source_dest_check) = (Some("interface".into()), Some(true));
    (twin.description, twin.requester, twin.requester_managed) = ("".into(), None, false);
    twin.addresses = interface.addresses.iter().flat_map(address_variants).collect();
    twin.addresses.sort_by_key(|address| (!address.primary, address.ip));
    (twin.prefixes, twin.public, twin.attachment) = (Vec::new(), Vec::new(), None);
    twin
}
