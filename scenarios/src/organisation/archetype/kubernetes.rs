//! A Kubernetes cluster as EKS makes it: nodes with a primary interface of their own and further ones for pods, which
//! hold delegated prefixes or secondary addresses of a block that is not routed outside.

use super::super::block::Tier;
use super::super::row::filter::{Peer, Permission};
use super::super::row::interface::{InterfaceRow, Kind};
use super::super::share::zipf;
use super::super::site::{Group, Site, Workload};
use super::three_tier::{APPLICATION_PORT, PORT};

/// The group of the largest group of nodes.
pub(super) const NODES: &str = "nodes-0";
/// How many pods a node has addresses for, where it has no delegated prefix.
const PODS_OF_NODE: u32 = 5;

/// Writes the VPC.
pub(super) fn write(site: &mut Site<'_>) {
    let tiers = [Tier::Public, Tier::App, Tier::Pods, Tier::Data, Tier::Endpoint, Tier::Attach];
    site.write_subnets(&tiers);
    site.write_acls(&tiers, &[]);
    site.write_internet(Vec::new());
    site.write_attachment();
    site.tier_table(Tier::Attach, Vec::new());
    write_tables(site);
    let endpoints = site.endpoint_group();
    site.write_endpoint("ecr.dkr", &endpoints);
    let base = site.base_group();
    site.write_balancer("lb-ingress", &site.group_id(NODES), true);
    control_plane(site);
    let databases = (site.left() / 20).max(1);
    database(site, databases);
    nodes(site, &base);
    site.stale_groups();
}

fn write_tables(site: &mut Site<'_>) {
    let tables = [Tier::App, Tier::Pods].map(|tier| site.table_id(tier, 0));
    let storage = site.write_storage_endpoint(&tables);
    site.tier_table(Tier::Pods, vec![storage.clone()]);
    site.tier_table(Tier::Data, Vec::new());
    let egress_only = site.write_egress_only();
    let inside = site.to_hub().into_iter().chain(site.to_peers());
    let routes = inside.chain([site.out_by_hub(), storage]).chain(egress_only);
    let routes = routes.collect();
    site.tier_table(Tier::App, routes);
}

/// The interfaces by which the control plane, which AWS runs, reaches the nodes.
fn control_plane(site: &mut Site<'_>) {
    let nodes = Peer::Group(site.group_id(NODES));
    let own = Peer::Group(site.group_id("control-plane"));
    let rules = [Permission::all([own]), Permission::tcp(443, [nodes.clone()])];
    let group = site.group("control-plane", &rules, &[Permission::tcp(10_250, [nodes])]);
    let description = format!("Amazon EKS {}", site.vpc.name);
    site.managed(Tier::App, &group, 2, "amazon-eks", &description);
}

fn database(site: &mut Site<'_>, count: u32) {
    let nodes = Peer::Group(site.group_id(NODES));
    let (group, _) = site.write_group(Workload::database("db-0"), &[Permission::tcp(PORT, [nodes])], &[]);
    site.managed(Tier::Data, &group, count, "amazon-rds", "RDSNetworkInterface");
}

/// Groups of nodes; each node has one interface more for pods.
fn nodes(site: &mut Site<'_>, base: &Group) {
    let count = (site.left() / (2 * site.organisation.parameters.workload).max(2)).max(1);
    for (number, size) in (0..).zip(zipf(site.left(), count)) {
        let name = format!("nodes-{number}");
        let group = node_group(site, &name);
        let mut left = size;
        while left > 0 {
            let with_pods = left > 1;
            node(site, &name, &[base, &group], left, with_pods);
            left -= 1 + u32::from(with_pods);
        }
    }
}

fn node_group(site: &mut Site<'_>, name: &str) -> Group {
    let own = Peer::Group(site.group_id(name));
    let plane = Peer::Group(site.group_id("control-plane"));
    let balancer = Peer::Group(site.group_id("lb-ingress"));
    let mut rules = vec![
        Permission::all([own]),
        Permission::tcp(10_250, [plane]),
        Permission::tcp(APPLICATION_PORT, [balancer]),
    ];
    rules.extend((name == NODES).then(|| site.admitted_peer(APPLICATION_PORT)).flatten());
    let anyone = site.anyone();
    site.write_group(Workload::open(name, "app"), &rules, &[Permission::all(anyone)]).0
}

fn node(site: &mut Site<'_>, name: &str, groups: &[&Group], turn: u32, with_pods: bool) {
    let zone = turn % site.zones;
    let primary = site.instance(Workload::open(name, "app"), Tier::App, zone, groups);
    let mut interfaces = vec![primary];
    if let (true, Some(Kind::Instance { id, .. })) =
        (with_pods, interfaces.first().map(|one| one.kind.clone()))
    {
        interfaces.push(pods(site, &id, zone, groups));
    }
    site.place_instance(name, &interfaces);
}

/// The interface of a node for pods: a third of them hold delegated prefixes, the others single addresses.
fn pods(site: &mut Site<'_>, instance: &str, zone: u32, groups: &[&Group]) -> InterfaceRow {
    let kind = Kind::Instance { id: instance.to_owned(), device: 1, router: false };
    let mut row = site.interface(Tier::Pods, zone, groups, kind);
    if site.choices.chance(33) {
        let count = 1 + site.choices.below(2);
        row.prefixes = (0..count).map(|_| site.prefix(Tier::Pods, zone)).collect();
    } else {
        row.addresses.extend((0..PODS_OF_NODE).map(|_| site.address(Tier::Pods, zone).0));
    }
    row
}
