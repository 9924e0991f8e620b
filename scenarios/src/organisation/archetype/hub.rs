//! The VPCs of the network account between the others and the internet.

use super::super::block::{PRIVATE, Tier};
use super::super::row::filter::Permission;
use super::super::row::interface::Kind;
use super::super::row::network::Route;
use super::super::site::{Site, Workload};

/// NAT gateways for development: in by the transit gateway, out to the internet.
pub(super) fn egress(site: &mut Site<'_>) {
    let tiers = [Tier::Public, Tier::Attach];
    site.write_subnets(&tiers);
    site.write_acls(&tiers, &[]);
    let back = site.to_hub();
    site.write_internet(back);
    site.write_nats();
    site.write_attachment();
    site.zone_tables(Tier::Attach, |site, zone| vec![Route::new("0.0.0.0/0", &site.nat_id(zone))]);
}

/// An appliance in each zone that sees what production sends to the internet, before NAT gateways.
pub(super) fn inspection(site: &mut Site<'_>) {
    let tiers = [Tier::Public, Tier::Attach, Tier::Inspect];
    site.write_subnets(&tiers);
    site.write_acls(&tiers, &[]);
    site.write_nats();
    site.write_attachment();
    let appliances = appliances(site);
    let appliance = |zone: u32| {
        let index = usize::try_from(zone).unwrap_or(0);
        appliances.get(index).map_or("", String::as_str)
    };
    // One table serves all public subnets, so what comes back goes to the first appliance.
    site.write_internet(PRIVATE.iter().map(|block| Route::new(block, appliance(0))).collect());
    site.zone_tables(Tier::Attach, |_, zone| vec![Route::new("0.0.0.0/0", appliance(zone))]);
    site.zone_tables(Tier::Inspect, |site, zone| {
        let out = Route::new("0.0.0.0/0", &site.nat_id(zone));
        std::iter::once(out).chain(site.to_hub()).collect()
    });
}

/// One appliance a zone; the ids of their interfaces.
fn appliances(site: &mut Site<'_>) -> Vec<String> {
    let anyone = site.anyone();
    let open = [Permission::all(anyone)];
    let group = site.group("appliances", &open, &open);
    let mut placed = Vec::new();
    for zone in 0..site.zones {
        let mut row = site.instance(Workload::infrastructure("appliance"), Tier::Inspect, zone, &[&group]);
        if let Kind::Instance { router, .. } = &mut row.kind {
            *router = true;
        }
        placed.extend(site.place_instance("appliance", &[row]).into_iter().map(|placed| placed.id));
    }
    placed
}
