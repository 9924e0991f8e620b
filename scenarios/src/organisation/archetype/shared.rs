//! Shared services: names, builds, monitoring, and a bastion with a public address.

use super::super::block::Tier;
use super::super::row::filter::{Peer, Permission};
use super::super::row::interface::InterfaceRow;
use super::super::share::zipf;
use super::super::site::{Site, Workload};

/// Services with the ports that the rest of the organisation uses.
const SERVICES: [(&str, u16); 5] =
    [("builds", 8443), ("monitoring", 9090), ("registry", 5000), ("names", 53), ("directory", 636)];
/// The network of the office, in a block for documentation.
const OFFICE: &str = "203.0.113.0/24";

/// Writes the VPC.
pub(super) fn write(site: &mut Site<'_>) {
    let tiers = [Tier::Public, Tier::App, Tier::Endpoint, Tier::Attach];
    site.write_subnets(&tiers);
    site.write_acls(&tiers, &[]);
    let to_hub = site.to_hub();
    site.write_internet(to_hub.clone());
    site.write_attachment();
    site.tier_table(Tier::Attach, Vec::new());
    let tables = [site.table_id(Tier::App, 0)];
    let storage = site.write_storage_endpoint(&tables);
    let out = site.out_by_hub();
    site.tier_table(Tier::App, to_hub.into_iter().chain([storage, out]).collect());
    let endpoints = site.endpoint_group();
    site.write_endpoint("ssm", &endpoints);
    bastion(site);
    services(site);
    site.stale_groups();
}

fn bastion(site: &mut Site<'_>) {
    let workload = Workload::open("bastion", "shared");
    let anyone = site.anyone();
    let ingress = [Permission::tcp(22, [Peer::Block(OFFICE.to_owned())])];
    let (group, _) = site.write_group(workload, &ingress, &[Permission::all(anyone)]);
    let public = Some(site.public_address());
    let row = site.instance(workload, Tier::Public, 0, &[&group]);
    site.place_instance("bastion", &[InterfaceRow { public, ..row }]);
}

fn services(site: &mut Site<'_>) {
    let base = site.base_group();
    let anyone = site.anyone();
    let sizes = zipf(site.left(), u32::try_from(SERVICES.len()).unwrap_or(0));
    for ((name, port), size) in SERVICES.into_iter().zip(sizes) {
        let workload = Workload::open(name, "shared");
        let corporate = || [site.corporate()];
        let ingress = [Permission::tcp(port, corporate()), Permission::udp(port, corporate())];
        let (group, _) = site.write_group(workload, &ingress, &[Permission::all(anyone.clone())]);
        site.instances(workload, Tier::App, &[&base, &group], size);
    }
}
