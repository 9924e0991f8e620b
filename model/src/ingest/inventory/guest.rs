//! Interfaces whose guest or service may forward: middleboxes, unknown types, EVS VLANs.

use super::facts::{Facts, hidden, kind_of, relayed};
use super::{Found, Paths};
use crate::id::EniId;
use crate::snapshot::{ComponentKind, Entry, Exit, Interface};

/// Types of interfaces that the rules know (R-MENI-2), as the snapshot spells them.
const KNOWN: &[&str] = &[
    "apigatewaymanaged",
    "awscodestarconnectionsmanaged",
    "branch",
    "efa",
    "efaonly",
    "evs",
    "gatewayloadbalancer",
    "gatewayloadbalancerendpoint",
    "globalacceleratormanaged",
    "interface",
    "iotrulesmanaged",
    "lambda",
    "loadbalancer",
    "natgateway",
    "networkloadbalancer",
    "quicksight",
    "transitgateway",
    "trunk",
    "vpcendpoint",
];

/// Types that belong to guests (R-MBX-8).
const GUEST: &[&str] = &["branch", "efa", "interface", "trunk"];

pub(super) fn find(facts: &Facts<'_>, found: &mut Found) {
    for (id, interface) in facts.snapshot.interfaces.iter() {
        if is_middlebox(interface) {
            middlebox(facts, id, interface, found);
        }
        if is_unknown(interface) {
            unknown_interface(id, interface, found);
        }
        if kind_of(interface) == "evs" {
            evs_vlan(id, interface, found);
        }
    }
}

/// R-MBX-2, R-MBX-8: a guest without source/destination check may do anything with a packet.
fn is_middlebox(interface: &Interface) -> bool {
    interface.source_dest_check == Some(false) && is_guest(interface)
}

/// R-MBX-8; components of managed types have rules of their own.
fn is_guest(interface: &Interface) -> bool {
    GUEST.contains(&kind_of(interface)) || is_unknown(interface) && !interface.requester_managed
}

fn is_unknown(interface: &Interface) -> bool {
    !KNOWN.contains(&kind_of(interface))
}

/// R-MBX-2, R-MBX-3, A-8: in by any interface of the instance, out by any of them, whatever its VPC (R-MBX-6).
fn middlebox<'a>(facts: &Facts<'a>, id: EniId, interface: &'a Interface, found: &mut Found) {
    let instance = facts.instance_of(interface);
    let siblings = instance.map_or(&[][..], |instance| facts.instance_interfaces(instance));
    // A sibling without the check is a middlebox of its own, with the same exits.
    let checked = siblings.iter().copied().filter(|sibling| {
        facts
            .snapshot
            .interfaces
            .get(*sibling)
            .is_some_and(|sibling| is_guest(sibling) && !is_middlebox(sibling))
    });
    let entries = std::iter::once(id).chain(checked).map(Entry::Interface);
    let exits = siblings.iter().copied().chain([id]);
    let exits = exits.map(|interface| Exit::Interface { interface, keeps_groups: false });
    let why = format!(
        "{} has no source/destination check: what its guest does with a packet is not known; pin it as transparent, \
         snat or deny (A-6)",
        interface.meta.id
    );
    found.add(
        ComponentKind::Middlebox,
        &interface.meta.id,
        why,
        &interface.meta.source,
        Paths::new(entries, exits),
    );
}

/// R-DATA-11, last row: an interface of an unknown type is a relay of unknown source.
fn unknown_interface(id: EniId, interface: &Interface, found: &mut Found) {
    let why = format!(
        "{} is of the unknown type {}: who sends by it is not known",
        interface.meta.id,
        kind_of(interface)
    );
    let paths = Paths::new([Entry::Interface(id), Entry::Anywhere], [relayed(id)]);
    found.add(ComponentKind::UnknownInterface, &interface.meta.id, why, &interface.meta.source, paths);
}

/// R-ADDR-14: hosts of an EVS VLAN own addresses of the whole subnet and may have Elastic IPs; no group filters them.
fn evs_vlan(id: EniId, interface: &Interface, found: &mut Found) {
    let groups = interface.groups.clone().unwrap_or_default();
    let subnet = interface.subnet.known();
    let entries =
        subnet.map(Entry::HiddenInterface).into_iter().chain([Entry::Interface(id), Entry::Internet]);
    let exits = subnet.map(|subnet| hidden(subnet, groups)).into_iter().chain([relayed(id)]);
    let why = format!(
        "{} is an Amazon EVS VLAN: its hosts, Elastic IPs and filters are not modelled (A-22)",
        interface.meta.id
    );
    found.add(
        ComponentKind::Other,
        &interface.meta.id,
        why,
        &interface.meta.source,
        Paths::new(entries, exits),
    );
}
