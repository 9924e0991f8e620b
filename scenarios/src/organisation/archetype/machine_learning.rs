//! A machine learning platform: training and notebooks that reach nothing but endpoints and the organisation, and
//! serving hosts behind a load balancer.

use serde_json::json;

use super::super::block::Tier;
use super::super::fault::FaultKind;
use super::super::name;
use super::super::row::filter::{Peer, Permission};
use super::super::row::interface::InterfaceRow;
use super::super::row::network::Route;
use super::super::share::zipf;
use super::super::site::{Group, Site, Workload};
use super::counterpart;
use super::three_tier::APPLICATION_PORT;

/// The group of the largest training cluster.
pub(in crate::organisation) const TRAINING: &str = "train-0";
/// The group of the serving hosts.
pub(in crate::organisation) const SERVING: &str = "serve";
/// The port at which notebooks and training are open to the organisation.
pub(in crate::organisation) const PORT: u16 = 443;
/// Services that are reached through endpoints.
const SERVICES: [&str; 4] = ["sagemaker.api", "sagemaker.runtime", "logs", "ecr.dkr"];
/// Endpoints of small VPCs.
const FEW: usize = 2;
/// The port that the planted fault opens to the internet.
const OPENED_PORT: u16 = 22;

/// Writes the VPC.
pub(super) fn write(site: &mut Site<'_>) {
    let tiers = [Tier::Public, Tier::App, Tier::Train, Tier::Endpoint, Tier::Attach];
    site.write_subnets(&tiers);
    site.write_acls(&tiers, &[]);
    site.write_internet(Vec::new());
    site.write_nats();
    site.write_attachment();
    site.tier_table(Tier::Attach, Vec::new());
    write_tables(site);
    let endpoints = site.endpoint_group();
    let services = if site.zones == 2 { FEW } else { SERVICES.len() };
    for service in SERVICES.iter().take(services) {
        site.write_endpoint(service, &endpoints);
    }
    let base = site.base_group();
    serving(site, &base);
    training(site, &base);
    site.stale_groups();
}

/// Serving hosts go out by NAT gateways, training goes nowhere but to the organisation and S3.
fn write_tables(site: &mut Site<'_>) {
    let tables: Vec<String> = (0..site.zones)
        .map(|zone| site.table_id(Tier::App, zone))
        .chain([site.table_id(Tier::Train, 0)])
        .collect();
    let storage = site.write_storage_endpoint(&tables);
    let written = site.zone_tables(Tier::App, |site, zone| {
        let out = Route::new("0.0.0.0/0", &site.nat_id(zone));
        let inside = site.to_hub().into_iter().chain(site.to_peers());
        inside.chain([out, storage.clone()]).collect()
    });
    site.note_peering_route(written);
    let (routeless, exposed) =
        (site.fault(FaultKind::EndpointRouteRemoved), site.fault(FaultKind::PublicAddress));
    let mut routes = site.to_hub();
    routes.extend(routeless.is_none().then_some(storage));
    let gateway = name::internet_gateway(site.organisation, site.vpc);
    routes.extend(exposed.map(|_| Route::new("0.0.0.0/0", &gateway)));
    let at = site.tier_table(Tier::Train, routes);
    if let Some(fault) = routeless.or(exposed) {
        let table = site.table_id(Tier::Train, 0);
        site.record.change(fault, &table, at);
    }
}

fn serving(site: &mut Site<'_>, base: &Group) {
    site.write_balancer("lb-serve", &site.group_id(SERVING), true);
    let balancer = Peer::Group(site.group_id("lb-serve"));
    let peered = site.admitted_peer(APPLICATION_PORT);
    let rules: Vec<Permission> =
        std::iter::once(Permission::tcp(APPLICATION_PORT, [balancer])).chain(peered).collect();
    let workload = Workload::open(SERVING, "app");
    let anyone = site.anyone();
    let (group, _) = site.write_group(workload, &rules, &[Permission::all(anyone)]);
    let count = (site.left() / 5).max(1);
    site.instances(workload, Tier::App, &[base, &group], count);
}

/// Writes the Studio domain of the VPC, which has no other way out of it; gives its id.
fn write_domain(site: &mut Site<'_>) -> String {
    let vpc = &site.vpc.id;
    let id = vpc.replacen("vpc-", "d-", 1);
    let answer = json!({
        "DomainId": id, "DomainName": "studio", "Status": "InService",
        "AppNetworkAccessType": "VpcOnly", "VpcId": vpc,
    });
    site.record.put(&format!("sagemaker_describe-domain__{id}"), answer);
    id
}

/// Clusters for training, each of which speaks within itself, and the notebooks of a Studio domain.
fn training(site: &mut Site<'_>, base: &Group) {
    let domain = write_domain(site);
    let average = site.organisation.parameters.workload.max(2);
    let count = (site.left() / average).max(2);
    for (number, size) in (0..).zip(zipf(site.left(), count)) {
        let name = format!("train-{number}");
        let group = cluster(site, &name);
        if number % 4 == 3 {
            let description =
                format!("[DO NOT DELETE] ENI managed by SageMaker for Studio Domain ({domain})");
            site.managed(Tier::Train, &group, size, "amazon-sagemaker", &description);
        } else {
            let exposed = expose(site, number, base, &group);
            site.instances(Workload::ml(&name), Tier::Train, &[base, &group], size.saturating_sub(exposed));
        }
    }
}

fn cluster(site: &mut Site<'_>, name: &str) -> Group {
    let own = Peer::Group(site.group_id(name));
    let mut rules = vec![Permission::all([own]), Permission::tcp(PORT, [site.corporate()])];
    let exposed = site.fault(FaultKind::PublicAddress).filter(|_| name == TRAINING);
    let peered = peered_fault(site).filter(|_| name == TRAINING);
    rules.extend(exposed.map(|_| Permission::tcp(OPENED_PORT, [Peer::Block("0.0.0.0/0".to_owned())])));
    rules.extend(peered.iter().map(|(_, block)| Permission::tcp(8888, [Peer::Block(block.clone())])));
    let anyone = site.anyone();
    let (group, at) = site.write_group(Workload::ml(name), &rules, &[Permission::all(anyone)]);
    if let Some(fault) = exposed.or(peered.map(|(fault, _)| fault)) {
        site.record.change(fault, &group.id, at);
    }
    group
}

/// The fault that opens this VPC to its counterpart in development, with the block of that.
fn peered_fault(site: &Site<'_>) -> Option<(u32, String)> {
    let fault = site.fault(FaultKind::PeeringRoute)?;
    let other = counterpart(site.organisation, site.vpc)?;
    Some((fault, other.block.to_string()))
}

/// The fault that gives a training host a public address; how many hosts that are.
fn expose(site: &mut Site<'_>, number: u32, base: &Group, group: &Group) -> u32 {
    let Some(fault) = site.fault(FaultKind::PublicAddress).filter(|_| number == 0) else { return 0 };
    let public = Some(site.public_address());
    let row = site.instance(Workload::ml(TRAINING), Tier::Train, 0, &[base, group]);
    let placed = site.place_instance(TRAINING, &[InterfaceRow { public, ..row }]);
    for host in placed {
        let at = site.record.last("ec2_describe-network-interfaces");
        site.record.change(fault, &host.id, at);
    }
    1
}
