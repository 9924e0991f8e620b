//! VPC Lattice: resource gateways, service networks, and endpoints that lead to them (section 10.4).

use std::collections::BTreeSet;

use ipnet::IpNet;

use super::dto::{LowerItem, Placed};
use super::facts::{Facts, hidden, is_gone, relayed};
use super::ingress::{admitting_groups, subnets_carrying};
use super::{Found, Paths};
use crate::id::{EniId, PrefixListId, Ref, SubnetId, VpcId};
use crate::snapshot::{
    ComponentKind, Endpoint, EndpointKind, Entry, Exit, GroupPeer, GroupRule, Interface, Snapshot,
};

/// The route target by which clients of a service network enter it; no route names it, only Lattice addresses do
/// (R-VPCE-14).
pub(crate) const LATTICE_TARGET: &str = "vpc-lattice";

const ASSOCIATIONS: &str = "vpc-lattice list-service-network-vpc-associations";
const GATEWAYS: &str = "vpc-lattice list-resource-gateways";
const TARGET_GROUPS: &str = "vpc-lattice list-target-groups";

pub(super) fn find(facts: &Facts<'_>, found: &mut Found) {
    let gateways = resource_gateways(facts, found);
    for endpoint in facts.snapshot.endpoints.values().filter(|endpoint| endpoint.kind == EndpointKind::Other)
    {
        lattice_endpoint(facts, endpoint, &gateways, found);
    }
    service_networks(facts, found);
    admitted_by_rules(facts, found);
}

/// R-VPCE-13: every resource gateway is a source of anything from its interfaces. Returns the exits of all of them.
fn resource_gateways(facts: &Facts<'_>, found: &mut Found) -> Vec<Exit> {
    let mut all = Vec::new();
    for gateway in facts.inventories.lower_items.iter().filter(|item| is_resource_gateway(item)) {
        let exits = facts.service_exits(&gateway.subnet_ids, &gateway.security_group_ids, gateway.scope);
        let why = format!(
            "{} is a VPC Lattice resource gateway: what it sends to is not modelled (A-22)",
            &*gateway.id
        );
        all.extend(exits.iter().cloned());
        found.add(
            ComponentKind::Lattice,
            &gateway.id,
            why,
            &gateway.source,
            Paths::new([Entry::Anywhere], exits),
        );
    }
    for (id, interface) in
        facts.snapshot.interfaces.iter().filter(|(_, interface)| is_gateway_interface(interface))
    {
        if !(facts.owns(&interface.meta) && facts.collected(interface.meta.scope, GATEWAYS)) {
            let eni = &interface.meta.id;
            let why = format!("{eni} is an interface of a VPC Lattice resource gateway; collect: {GATEWAYS}");
            all.push(relayed(id));
            let paths = Paths::new([Entry::Anywhere], [relayed(id)]);
            found.add(ComponentKind::Lattice, eni, why, &interface.meta.source, paths);
        }
    }
    all
}

fn is_resource_gateway(item: &Placed<LowerItem>) -> bool {
    (!item.subnet_ids.is_empty() || is_gateway_id(&item.id)) && !is_gone(&item.status)
}

fn is_gateway_id(id: &str) -> bool {
    id.starts_with("rgw-")
}

/// R-DATA-11: the description is a convention, so it only adds.
fn is_gateway_interface(interface: &Interface) -> bool {
    let words = interface.description.to_ascii_lowercase();
    words.contains("lattice") || words.contains("resource gateway")
}

/// R-VPCE-1, R-VPCE-13: a resource or service-network endpoint leads to some resource gateway, anywhere if no answer shows
/// one, and a service network to its services besides; an endpoint of an unknown type may also send.
fn lattice_endpoint(facts: &Facts<'_>, endpoint: &Endpoint, gateways: &[Exit], found: &mut Found) {
    let interfaces: Vec<EniId> = endpoint.interfaces.iter().filter_map(Ref::known).collect();
    let kind = endpoint.kind_name.to_ascii_lowercase();
    let id = &endpoint.meta.id;
    let mut paths = Paths::new(interfaces.iter().copied().map(Entry::Interface), gateways.iter().cloned());
    if gateways.is_empty() || &*kind != "resource" {
        paths.exits.extend(facts.snapshot.vpcs.ids().flat_map(|vpc| everywhere(facts, vpc)));
    }
    if !matches!(&*kind, "resource" | "servicenetwork") {
        paths.entries.extend([Entry::Anywhere, Entry::RouteTarget(id.boxed())]);
        paths.exits.extend(interfaces.iter().copied().map(relayed));
        paths.exits.extend(
            endpoint
                .subnets
                .iter()
                .filter_map(Ref::known)
                .map(|subnet| hidden(subnet, endpoint.groups.clone())),
        );
    }
    let why = format!(
        "{id} is a VPC endpoint of type {}: where it leads is not modelled; collect: {GATEWAYS} (A-22)",
        endpoint.kind_name
    );
    found.add(ComponentKind::Lattice, id, why, &endpoint.meta.source, paths);
}

/// R-VPCE-14: an associated VPC's clients reach the targets of the service network, which may lie in any VPC with a
/// Lattice target group; other accounts may share the network. Groups of clients never match, and no ACL is relied on.
fn service_networks(facts: &Facts<'_>, found: &mut Found) {
    let items = || facts.inventories.lower_items.iter().filter(|item| !is_gone(&item.status));
    let targets: Vec<_> = items().filter(|item| is_target_group(item)).collect();
    let associations: Vec<_> =
        items().filter(|item| !item.service_network_id.is_empty() && !item.vpc_id.is_empty()).collect();
    for group in &targets {
        let exits = facts.vpc(&group.vpc_identifier).map_or_else(Vec::new, |vpc| everywhere(facts, vpc));
        let why = format!(
            "{} is a VPC Lattice target group: who reaches its targets is not modelled (A-22)",
            &*group.id
        );
        found.add(
            ComponentKind::Lattice,
            &group.id,
            why,
            &group.source,
            Paths::new(lattice_entries(), exits),
        );
    }
    for association in &associations {
        if !facts.collected(association.scope, TARGET_GROUPS) {
            let vpcs: BTreeSet<VpcId> =
                associations.iter().filter_map(|item| facts.vpc(&item.vpc_id)).collect();
            let exits = vpcs.into_iter().flat_map(|vpc| everywhere(facts, vpc)).collect::<Vec<_>>();
            let why = format!(
                "{} associates {} with a VPC Lattice service network; collect: {TARGET_GROUPS}",
                &*association.id, &*association.vpc_id
            );
            let paths = Paths::new(lattice_entries(), exits);
            found.add(ComponentKind::Lattice, &association.id, why, &association.source, paths);
        }
    }
}

fn is_target_group(item: &LowerItem) -> bool {
    !item.vpc_identifier.is_empty() && item.subnet_ids.is_empty() && !is_gateway_id(&item.id)
}

fn lattice_entries() -> [Entry; 2] {
    [Entry::Anywhere, Entry::RouteTarget(LATTICE_TARGET.into())]
}

fn everywhere(facts: &Facts<'_>, vpc: VpcId) -> Vec<Exit> {
    into_subnets(facts.vpc_subnets(vpc))
}

fn into_subnets(subnets: &[SubnetId]) -> Vec<Exit> {
    subnets.iter().map(|subnet| hidden(*subnet, Vec::new())).collect()
}

/// R-DATA-11: a rule that admits Lattice's addresses says that Lattice sends to the interfaces behind that rule.
fn admitted_by_rules(facts: &Facts<'_>, found: &mut Found) {
    let lists = lists(facts.snapshot);
    for id in admitting_groups(facts, |rule| admits_lattice(rule, &lists)) {
        let Some(group) = facts.snapshot.groups.get(id) else { continue };
        let answered = |call: &&str| facts.collected(group.meta.scope, call);
        if !facts.owns(&group.meta) || ![ASSOCIATIONS, TARGET_GROUPS].iter().all(answered) {
            let exits = into_subnets(&subnets_carrying(facts, &[id]));
            let why = format!(
                "{} admits the addresses of VPC Lattice; collect: {ASSOCIATIONS}, list-target-groups",
                group.meta.id
            );
            let paths = Paths::new(lattice_entries(), exits);
            found.add(ComponentKind::Lattice, &group.meta.id, why, &group.meta.source, paths);
        }
    }
}

/// The prefix lists of VPC Lattice.
pub(super) fn lists(snapshot: &Snapshot) -> BTreeSet<PrefixListId> {
    let lists = snapshot.prefix_lists.iter().filter(|(_, list)| list.list_name.contains("vpc-lattice"));
    lists.map(|(id, _)| id).collect()
}

pub(super) fn admits_lattice(rule: &GroupRule, lists: &BTreeSet<PrefixListId>) -> bool {
    match &rule.peer {
        GroupPeer::PrefixList(list) => list.known().is_some_and(|list| lists.contains(&list)),
        GroupPeer::Cidr(cidr) => is_lattice_range(*cidr),
        GroupPeer::Group(_) | GroupPeer::Unknown => false,
    }
}

/// The ranges of VPC Lattice, or a part of them: 169.254.171.0/24, 129.224.0.0/17 and fd00:ec2:80::/64.
fn is_lattice_range(cidr: IpNet) -> bool {
    match cidr {
        IpNet::V4(net) => match net.addr().octets() {
            [169, 254, 171, _] => net.prefix_len() >= 24,
            [129, 224, 0..=127, _] => net.prefix_len() >= 17,
            _ => false,
        },
        IpNet::V6(net) => {
            net.prefix_len() >= 64 && matches!(net.addr().segments(), [0xfd00, 0xec2, 0x80, 0, ..])
        }
    }
}
