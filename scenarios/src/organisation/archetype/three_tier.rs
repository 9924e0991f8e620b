//! Load balancers, applications and databases: a chain of groups each of which admits the one before it.
//!
//! Every second such VPC is guarded: the last of its databases is an old one whose group admits the whole organisation,
//! and the network ACL of the database subnets keeps everybody out but the applications beside it.

use super::super::block::Tier;
use super::super::fault::FaultKind;
use super::super::plan::Vpc;
use super::super::row::balancer::BalancerRow;
use super::super::row::filter::{Entry, Peer, Permission};
use super::super::row::interface::{InterfaceRow, Kind};
use super::super::row::network::Route;
use super::super::share::zipf;
use super::super::site::{Group, Placed, Site, Workload};

/// The group of the first application.
pub(in crate::organisation) const APPLICATION: &str = "app-0";
/// The group of its database.
pub(in crate::organisation) const DATABASE: &str = "db-0";
/// The port of databases.
pub(in crate::organisation) const PORT: u16 = 5432;
/// The port at which the old database admits everybody.
pub(in crate::organisation) const LEGACY_PORT: u16 = 3306;
/// The port of applications.
pub(super) const APPLICATION_PORT: u16 = 8080;

/// Whether the network ACL of the database subnets matters.
pub(in crate::organisation) fn is_guarded(vpc: &Vpc) -> bool {
    (vpc.number / 2).is_multiple_of(2)
}

/// Writes the VPC.
pub(super) fn write(site: &mut Site<'_>) {
    site.write_subnets(&[Tier::Public, Tier::App, Tier::Data, Tier::Endpoint, Tier::Attach]);
    write_acls(site);
    site.write_internet(Vec::new());
    site.write_nats();
    site.write_attachment();
    site.tier_table(Tier::Attach, Vec::new());
    let tables = write_tables(site);
    site.note_peering_route(tables);
    let endpoints = site.endpoint_group();
    site.write_endpoint("ssm", &endpoints);
    let base = site.base_group();
    applications(site, &base);
    site.stale_groups();
}

fn write_tables(site: &mut Site<'_>) -> Vec<String> {
    let tables: Vec<String> = (0..site.zones)
        .map(|zone| site.table_id(Tier::App, zone))
        .chain([site.table_id(Tier::Data, 0)])
        .collect();
    let storage = site.write_storage_endpoint(&tables);
    site.tier_table(Tier::Data, vec![storage.clone()]);
    let egress_only = site.write_egress_only();
    site.zone_tables(Tier::App, |site, zone| {
        let out = Route::new("0.0.0.0/0", &site.nat_id(zone));
        let inside = site.to_hub().into_iter().chain(site.to_peers());
        inside.chain([out, storage.clone()]).chain(egress_only.clone()).collect()
    })
}

/// The database subnets speak with the applications beside them only, and nobody comes to them by the transit gateway.
fn write_acls(site: &mut Site<'_>) {
    let mut open = vec![Tier::Public, Tier::App, Tier::Endpoint];
    if !is_guarded(site.vpc) {
        open.extend([Tier::Data, Tier::Attach]);
        site.write_acls(&open, &[]);
        return;
    }
    let fault = site.fault(FaultKind::AclOpened);
    let attach = attach_entries(site);
    let own = [(Tier::Data, data_entries(site, fault.is_some())), (Tier::Attach, attach)];
    let written = site.write_acls(&open, &own);
    if let (Some(fault), Some(at)) = (fault, written.into_iter().next()) {
        let acl = site.acl_id(Tier::Data);
        site.record.change(fault, &acl, at);
    }
}

fn data_entries(site: &Site<'_>, opened: bool) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for (number, block) in (0..).zip(site.tier_blocks(Tier::App)) {
        entries.push(Entry::allow(100 + number, false, block).tcp(1024, 65_535));
        entries.push(Entry::allow(100 + number, true, block).tcp(1024, 65_535));
    }
    if opened {
        entries.push(Entry::allow(50, false, site.vpc.block));
        entries.push(Entry::allow(50, true, site.vpc.block));
    }
    entries
}

fn attach_entries(site: &Site<'_>) -> Vec<Entry> {
    let data = (0..).zip(site.tier_blocks(Tier::Data));
    let mut entries: Vec<Entry> =
        data.map(|(number, block)| Entry::allow(10 + number, true, block).denied()).collect();
    entries.extend([false, true].map(|egress| Entry::allow(100, egress, "0.0.0.0/0")));
    entries
}

/// Load balancers have two nodes each, so the number of applications decides how many hosts are left.
fn applications(site: &mut Site<'_>, base: &Group) {
    let average = site.organisation.parameters.workload.max(6);
    let count = (site.left() / average).max(1);
    let sizes = zipf(site.left(), count);
    for (number, size) in (0..).zip(sizes) {
        application(site, base, Chain { number, last: number + 1 == count, size });
    }
}

/// One application.
#[derive(Clone, Copy)]
struct Chain {
    number: u32,
    last: bool,
    /// How many interfaces it has in all.
    size: u32,
}

impl Chain {
    fn name(self, tier: &str) -> String {
        format!("{tier}-{}", self.number)
    }

    /// Web hosts, application hosts and databases, at least one each.
    fn shares(self, balancer: u32) -> [u32; 3] {
        let rest = self.size.saturating_sub(balancer);
        let (web, data) = ((rest / 10).max(1), (rest * 15 / 100).max(1));
        [web, rest.saturating_sub(web + data).max(1), data]
    }
}

fn application(site: &mut Site<'_>, base: &Group, chain: Chain) {
    let group = chain.name("app");
    let nodes =
        site.write_balancer(&chain.name("lb"), &site.group_id(&group), chain.number.is_multiple_of(2));
    let [web, hosts, data] = chain.shares(nodes);
    let edge = web_hosts(site, base, chain, web);
    let name = chain.name("app");
    let workload = Workload::open(&name, "app");
    let ingress = application_rules(site, chain, &edge);
    let anyone = site.anyone();
    let (group, _) = site.write_group(workload, &ingress, &[Permission::all(anyone)]);
    site.instances(workload, Tier::App, &[base, &group], hosts);
    databases(site, chain, &group, data);
}

/// Some web hosts have a public address.
fn web_hosts(site: &mut Site<'_>, base: &Group, chain: Chain, count: u32) -> Vec<Placed> {
    let name = chain.name("web");
    let workload = Workload::open(&name, "web");
    let anyone = site.anyone();
    let rules = [Permission::tcp(443, anyone.clone()), Permission::tcp(80, anyone.clone())];
    let (group, _) = site.write_group(workload, &rules, &[Permission::all(anyone)]);
    let mut placed = Vec::new();
    for index in 0..count {
        let public = site.choices.chance(20).then(|| site.public_address());
        let row = site.instance(workload, Tier::Public, index % site.zones, &[base, &group]);
        placed.extend(site.place_instance(&name, &[InterfaceRow { public, ..row }]));
    }
    placed
}

/// From the load balancer, from a peered VPC, and from single hosts that somebody once let in.
fn application_rules(site: &mut Site<'_>, chain: Chain, edge: &[Placed]) -> Vec<Permission> {
    let balancer = Peer::Group(site.group_id(&chain.name("lb")));
    let mut rules = vec![Permission::tcp(APPLICATION_PORT, [balancer])];
    rules.extend((chain.number == 0).then(|| site.admitted_peer(APPLICATION_PORT)).flatten());
    let singles = usize::try_from(site.choices.below(4)).unwrap_or(0);
    for (port, host) in (9000..).zip(edge.iter().take(singles)) {
        rules.push(Permission::tcp(port, [Peer::Block(format!("{}/32", host.address))]));
    }
    rules
}

/// A managed database: it starts nothing and admits its application alone, unless it is old or a fault says otherwise.
fn databases(site: &mut Site<'_>, chain: Chain, application: &Group, count: u32) {
    let name = chain.name("db");
    let removed = site.fault(FaultKind::RuleRemoved).filter(|_| chain.number == 0);
    let opened = site.fault(FaultKind::OpenDatabase).filter(|_| chain.number == 0);
    let mut rules = Vec::new();
    if removed.is_none() {
        rules.push(Permission::tcp(PORT, [Peer::Group(application.id.clone())]));
    }
    if opened.is_some() {
        rules.push(Permission::tcp(PORT, site.anyone()));
    }
    if chain.last && is_guarded(site.vpc) {
        rules.push(Permission::tcp(LEGACY_PORT, [site.corporate()]));
    }
    let (group, at) = site.write_group(Workload::database(&name), &rules, &[]);
    if let Some(fault) = removed.or(opened) {
        site.record.change(fault, &group.id, at);
    }
    site.managed(Tier::Data, &group, count, "amazon-rds", "RDSNetworkInterface");
}

impl Site<'_> {
    /// Writes interfaces that a service manages, spread over the zones.
    pub(super) fn managed(
        &mut self,
        tier: Tier,
        group: &Group,
        count: u32,
        requester: &'static str,
        description: &str,
    ) {
        for index in 0..count {
            let kind = Kind::Service { kind: "interface", requester, description: description.to_owned() };
            let row = self.interface(tier, index % self.zones, &[group], kind);
            self.place(&row);
        }
    }

    /// Writes a load balancer with two nodes, from the internet or from the organisation to one group; how many nodes.
    pub(super) fn write_balancer(&mut self, name: &str, target: &str, public: bool) -> u32 {
        let clients = if public { self.anyone() } else { vec![self.corporate()] };
        let egress = [Permission::tcp(APPLICATION_PORT, [Peer::Group(target.to_owned())])];
        let workload = Workload::open(name, "lb");
        let (group, _) = self.write_group(workload, &[Permission::tcp(443, clients)], &egress);
        let tier = if public { Tier::Public } else { Tier::App };
        let suffix = group.id.trim_start_matches("sg-0").to_owned();
        let zones: Vec<(String, u32)> = (0..2).map(|zone| (self.subnet_id(tier, zone), zone + 1)).collect();
        let row = BalancerRow {
            name,
            suffix: &suffix,
            vpc: &self.vpc.id,
            group: &group.id,
            public,
            subnets: &zones,
            target_port: APPLICATION_PORT,
        };
        let place = &self.record.place;
        let (path, balancer, targets) = (row.path(), row.json(place), row.targets(place));
        self.record.add("elbv2_describe-load-balancers", balancer);
        self.record.add("elbv2_describe-target-groups", targets);
        self.balancer_nodes(tier, &group, public, &path)
    }

    fn balancer_nodes(&mut self, tier: Tier, group: &Group, public: bool, path: &str) -> u32 {
        for zone in 0..2 {
            let description = format!("ELB {path}");
            let kind = Kind::Service { kind: "interface", requester: "amazon-elb", description };
            let address = public.then(|| self.public_address());
            let row = self.interface(tier, zone, &[group], kind);
            self.place(&InterfaceRow { public: address, ..row });
        }
        2
    }

    /// Notes the tables of applications in which a fault put a route to a peered VPC.
    pub(super) fn note_peering_route(&mut self, tables: Vec<String>) {
        let Some(fault) = self.fault(FaultKind::PeeringRoute) else { return };
        let requested = super::peerings(self.organisation, self.vpc)
            .iter()
            .any(|(one, other)| other.number == self.vpc.number && one.environment != other.environment);
        for (zone, at) in (0..).zip(tables).filter(|_| requested) {
            let table = self.table_id(Tier::App, zone);
            self.record.change(fault, &table, at);
        }
    }
}
