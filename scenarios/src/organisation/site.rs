//! One VPC while it is written: its subnets, tables, groups and interfaces, with the addresses that are still free.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};

use super::Organisation;
use super::block::{self, Tier};
use super::choice::{Choices, id};
use super::fault::{Fault, FaultKind};
use super::name;
use super::plan::Vpc;
use super::record::Record;
use super::row::filter::{AclRow, Entry, GroupRow, Peer, Permission};
use super::row::gateway::{EndpointRow, NatRow, egress_gateway, internet_gateway};
use super::row::interface::{InterfaceRow, Kind, reservation};
use super::row::network::{Route, SubnetRow, TableRow, VpcRow};

/// A VPC while it is written.
pub(super) struct Site<'o> {
    pub(super) organisation: &'o Organisation,
    pub(super) vpc: &'o Vpc,
    pub(super) record: &'o mut Record,
    pub(super) choices: Choices,
    /// How many zones it uses.
    pub(super) zones: u32,
    /// The next free address of each subnet, and the lowest one that a delegated prefix holds.
    hosts: BTreeMap<(Tier, u32), (u32, u32)>,
    publics: u32,
    interfaces: u32,
}

/// A security group.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) id: String,
    pub(super) name: String,
}

/// An interface that was placed.
pub(super) struct Placed {
    pub(super) id: String,
    pub(super) address: Ipv4Addr,
}

/// What a workload is, for tags.
#[derive(Clone, Copy, Debug)]
pub(super) struct Workload<'a> {
    pub(super) name: &'a str,
    pub(super) tier: &'static str,
    /// Whether nothing but what it needs may reach it.
    pub(super) restricted: bool,
    pub(super) ml: bool,
}

/// The first address of a subnet that a host may have, with some room for what is added by hand.
const FIRST_HOST: u32 = 10;
/// Addresses of the organisation on the internet start here, 256 a VPC.
const PUBLIC: Ipv4Addr = Ipv4Addr::new(3, 208, 0, 0);

impl<'o> Site<'o> {
    /// Nothing but the VPC, its default group and its main table.
    pub(super) fn of(organisation: &'o Organisation, vpc: &'o Vpc, record: &'o mut Record) -> Self {
        let choices = Choices::about(organisation.parameters.seed, &[3, u64::from(vpc.number)]);
        let hosts = BTreeMap::new();
        let zones = vpc.zones();
        let mut site = Self { organisation, vpc, record, choices, zones, hosts, publics: 0, interfaces: 0 };
        site.write_vpc();
        site
    }

    fn write_vpc(&mut self) {
        let vpc = self.vpc;
        let (main, blocks) = (self.id("rtb", &[0]), self.vpc.blocks());
        let ipv6 = vpc.ipv6.then(|| block::ipv6(vpc.block));
        let row = VpcRow {
            id: &vpc.id,
            name: &vpc.name,
            environment: vpc.environment.name(),
            blocks: &blocks,
            ipv6,
        };
        let row = row.json(&self.record.place);
        self.record.add("ec2_describe-vpcs", row);
        self.record.counts.vpcs += 1;
        self.write_table(&main, "main", &[], Vec::new());
        let anyone = self.anyone();
        let own = Peer::Group(self.group_id("default"));
        self.group("default", &[Permission::all([own])], &[Permission::all(anyone)]);
    }

    /// Everybody, of the families that the VPC has.
    pub(super) fn anyone(&self) -> Vec<Peer> {
        let ipv6 = self.vpc.ipv6.then(|| Peer::Block("::/0".to_owned()));
        std::iter::once(Peer::Block("0.0.0.0/0".to_owned())).chain(ipv6).collect()
    }

    /// The prefix list of the organisation's own networks.
    pub(super) fn corporate(&self) -> Peer {
        Peer::List(name::corporate(self.organisation, self.vpc.region))
    }

    /// The id of a thing of this VPC.
    pub(super) fn id(&self, kind: &str, path: &[u64]) -> String {
        let path: Vec<u64> =
            std::iter::once(u64::from(self.vpc.number)).chain(path.iter().copied()).collect();
        id(self.organisation.parameters.seed, kind, &path)
    }

    /// The number of the fault of that kind planted in this VPC.
    pub(super) fn fault(&self, kind: FaultKind) -> Option<u32> {
        let mut faults = self.organisation.faults.iter();
        let here = |fault: &&Fault| fault.kind == kind && fault.touches(self.vpc.number);
        faults.find(here).map(|fault| fault.number)
    }

    // Subnets.

    /// The id of a subnet.
    pub(super) fn subnet_id(&self, tier: Tier, zone: u32) -> String {
        name::subnet(self.organisation, self.vpc, tier, zone)
    }

    /// The ids of the subnets of a tier.
    pub(super) fn subnets(&self, tier: Tier) -> Vec<String> {
        (0..self.zones).map(|zone| self.subnet_id(tier, zone)).collect()
    }

    /// The blocks of the subnets of a tier.
    pub(super) fn tier_blocks(&self, tier: Tier) -> Vec<Ipv4Net> {
        (0..self.zones).map(|zone| block::subnet(self.vpc.block, tier, zone)).collect()
    }

    /// Writes the subnets of some tiers.
    pub(super) fn write_subnets(&mut self, tiers: &[Tier]) {
        for (tier, zone) in tiers.iter().flat_map(|tier| (0..self.zones).map(move |zone| (*tier, zone))) {
            let id = self.subnet_id(tier, zone);
            let row = SubnetRow {
                id: &id,
                vpc: &self.vpc.id,
                tier: tier.name(),
                block: block::subnet(self.vpc.block, tier, zone),
                ipv6: self.has_ipv6(tier).then(|| block::subnet6(self.vpc.block, tier, zone)),
                zone: zone + 1,
                public: false,
            };
            let row = row.json(&self.record.place);
            self.record.add("ec2_describe-subnets", row);
            self.record.counts.subnets += 1;
        }
    }

    /// Databases and what only forwards have IPv4 alone.
    fn has_ipv6(&self, tier: Tier) -> bool {
        self.vpc.ipv6 && matches!(tier, Tier::Public | Tier::App | Tier::Train)
    }

    // Tables and gateways.

    /// Writes a route table for some subnets; local routes come by themselves. Says where it is.
    pub(super) fn write_table(
        &mut self,
        id: &str,
        name: &str,
        subnets: &[String],
        routes: Vec<Route>,
    ) -> String {
        let ipv6 = self.vpc.ipv6.then(|| IpNet::V6(block::ipv6(self.vpc.block)));
        let blocks = self.vpc.blocks().into_iter().map(IpNet::V4).chain(ipv6);
        let routes: Vec<Route> = blocks.map(|block| Route::new(block, "local")).chain(routes).collect();
        self.record.counts.routes += u64::try_from(routes.len()).unwrap_or(0);
        let row = TableRow { id, vpc: &self.vpc.id, name, subnets, routes: &routes };
        let row = row.json(&self.record.place);
        self.record.add_at("ec2_describe-route-tables", row)
    }

    /// The id of the table of a tier in a zone; one for all zones is that of zone 0.
    pub(super) fn table_id(&self, tier: Tier, zone: u32) -> String {
        self.id("rtb", &[1 + u64::from(tier.number()), u64::from(zone)])
    }

    /// Writes one table for all subnets of a tier.
    pub(super) fn tier_table(&mut self, tier: Tier, routes: Vec<Route>) -> String {
        let (id, subnets) = (self.table_id(tier, 0), self.subnets(tier));
        self.write_table(&id, tier.name(), &subnets, routes)
    }

    /// Writes a table for each subnet of a tier, with routes that depend on the zone.
    pub(super) fn zone_tables(
        &mut self,
        tier: Tier,
        routes: impl Fn(&Self, u32) -> Vec<Route>,
    ) -> Vec<String> {
        let mut written = Vec::new();
        for zone in 0..self.zones {
            let (id, subnet) = (self.table_id(tier, zone), self.subnet_id(tier, zone));
            let routes = routes(self, zone);
            written.push(self.write_table(&id, &format!("{}-{zone}", tier.name()), &[subnet], routes));
        }
        written
    }

    /// Writes the internet gateway and the table of the public subnets, with these further routes.
    pub(super) fn write_internet(&mut self, more: Vec<Route>) {
        let gateway = name::internet_gateway(self.organisation, self.vpc);
        let row = internet_gateway(&gateway, &self.vpc.id, &self.record.place);
        self.record.add("ec2_describe-internet-gateways", row);
        let ipv6 = self.vpc.ipv6.then(|| Route::new("::/0", &gateway));
        let routes = std::iter::once(Route::new("0.0.0.0/0", &gateway)).chain(ipv6).chain(more);
        self.tier_table(Tier::Public, routes.collect());
    }

    /// Writes the egress-only gateway, if there is IPv6; the route to it.
    pub(super) fn write_egress_only(&mut self) -> Option<Route> {
        self.vpc.ipv6.then(|| {
            let gateway = self.id("eigw", &[]);
            self.record
                .add("ec2_describe-egress-only-internet-gateways", egress_gateway(&gateway, &self.vpc.id));
            Route::new("::/0", &gateway)
        })
    }

    /// The routes to the rest of the organisation.
    pub(super) fn to_hub(&self) -> Vec<Route> {
        let gateway = name::transit_gateway(self.organisation, self.vpc.region);
        block::PRIVATE.iter().map(|block| Route::new(block, &gateway)).collect()
    }

    /// The route to everywhere by the transit gateway.
    pub(super) fn out_by_hub(&self) -> Route {
        Route::new("0.0.0.0/0", &name::transit_gateway(self.organisation, self.vpc.region))
    }

    /// The id of the NAT gateway of a zone.
    pub(super) fn nat_id(&self, zone: u32) -> String {
        self.id("nat", &[u64::from(zone)])
    }

    /// Writes a NAT gateway in each public subnet.
    pub(super) fn write_nats(&mut self) {
        for zone in 0..self.zones {
            let id = self.nat_id(zone);
            let kind = Kind::Service {
                kind: "nat_gateway",
                requester: "amazon-nat",
                description: format!("Interface for NAT Gateway {id}"),
            };
            let mut row = self.interface(Tier::Public, zone, &[], kind);
            let public = self.public_address();
            row.public = Some(public);
            let placed = self.place(&row);
            let nat = NatRow {
                id: &id,
                vpc: &self.vpc.id,
                subnet: &row.subnet,
                interface: &placed.id,
                private: placed.address,
                public,
            };
            let row = nat.json();
            self.record.add("ec2_describe-nat-gateways", row);
        }
    }

    /// Writes the interfaces of the attachment to the transit gateway, and the table of their subnets.
    pub(super) fn write_attachment(&mut self) {
        let attachment = self.organisation.attachment(self.vpc);
        for zone in 0..self.zones {
            let kind = Kind::Service {
                kind: "transit_gateway",
                requester: "amazon-transit-gateway",
                description: format!("Network Interface for Transit Gateway Attachment {}", attachment.id),
            };
            let row = self.interface(Tier::Attach, zone, &[], kind);
            self.place(&row);
        }
    }

    // Endpoints.

    /// Writes the gateway endpoint of S3 for some tables; the route to it.
    pub(super) fn write_storage_endpoint(&mut self, tables: &[String]) -> Route {
        let id = name::endpoint(self.organisation, self.vpc, "s3");
        let row = EndpointRow {
            id: &id,
            name: &format!("s3-gateway-{}", self.vpc.name),
            vpc: &self.vpc.id,
            service: "s3",
            tables,
            subnets: &[],
            interfaces: &[],
            group: None,
        };
        let row = row.json(&self.record.place);
        self.record.add("ec2_describe-vpc-endpoints", row);
        self.record.counts.endpoints += 1;
        Route::new(name::storage_list(self.organisation, self.vpc.region), &id)
    }

    /// Writes an interface endpoint with an interface in each zone.
    pub(super) fn write_endpoint(&mut self, service: &str, group: &Group) {
        let id = name::endpoint(self.organisation, self.vpc, service);
        let mut interfaces = Vec::new();
        for zone in 0..self.zones {
            let kind = Kind::Service {
                kind: "vpc_endpoint",
                requester: "amazon-vpce",
                description: format!("VPC Endpoint Interface {id}"),
            };
            let row = self.interface(Tier::Endpoint, zone, &[group], kind);
            interfaces.push(self.place(&row).id);
        }
        let subnets = self.subnets(Tier::Endpoint);
        let row = EndpointRow {
            id: &id,
            name: &format!("{service}-{}", self.vpc.name),
            vpc: &self.vpc.id,
            service,
            tables: &[],
            subnets: &subnets,
            interfaces: &interfaces,
            group: Some(&group.id),
        };
        let row = row.json(&self.record.place);
        self.record.add("ec2_describe-vpc-endpoints", row);
        self.record.counts.endpoints += 1;
    }

    // Filters.

    /// The id of the group of that name.
    pub(super) fn group_id(&self, name: &str) -> String {
        name::group(self.organisation, self.vpc, name)
    }

    /// Writes a security group; says where it is.
    pub(super) fn write_group(
        &mut self,
        workload: Workload<'_>,
        ingress: &[Permission],
        egress: &[Permission],
    ) -> (Group, String) {
        let id = self.group_id(workload.name);
        let tags = self.tags(workload);
        let row = GroupRow { id: &id, name: workload.name, vpc: &self.vpc.id, ingress, egress, tags: &tags };
        let row = row.json(&self.record.place);
        let at = self.record.add_at("ec2_describe-security-groups", row);
        self.record.counts.groups += 1;
        self.record.counts.rules += ingress.iter().chain(egress).map(Permission::count).sum::<u64>();
        (Group { id, name: workload.name.to_owned() }, at)
    }

    /// Writes a security group that stands for no workload.
    pub(super) fn group(&mut self, name: &str, ingress: &[Permission], egress: &[Permission]) -> Group {
        self.write_group(Workload::infrastructure(name), ingress, egress).0
    }

    /// Writes the network ACLs: one for each tier of the list, the default one for the subnets of the other tiers. Says
    /// where the former are.
    pub(super) fn write_acls(&mut self, others: &[Tier], own: &[(Tier, Vec<Entry>)]) -> Vec<String> {
        let subnets = others.iter().flat_map(|tier| self.subnets(*tier)).collect::<Vec<_>>();
        let ipv6 = self.vpc.ipv6;
        let open = [false, true].into_iter().flat_map(|egress| {
            let ipv6 = ipv6.then(|| Entry::allow(101, egress, "::/0"));
            std::iter::once(Entry::allow(100, egress, "0.0.0.0/0")).chain(ipv6)
        });
        let open: Vec<Entry> = open.collect();
        self.write_acl(&self.id("acl", &[0]), "default", &subnets, &open);
        let mut written = Vec::new();
        for (tier, entries) in own {
            let (id, subnets) = (self.acl_id(*tier), self.subnets(*tier));
            written.push(self.write_acl(&id, tier.name(), &subnets, entries));
        }
        written
    }

    /// The id of the network ACL of a tier.
    pub(super) fn acl_id(&self, tier: Tier) -> String {
        self.id("acl", &[1 + u64::from(tier.number())])
    }

    fn write_acl(&mut self, id: &str, name: &str, subnets: &[String], entries: &[Entry]) -> String {
        let default = name == "default";
        let row = AclRow { id, vpc: &self.vpc.id, name, default, subnets, entries, ipv6: self.vpc.ipv6 };
        let row = row.json(&self.record.place);
        self.record.counts.rules += u64::try_from(entries.len()).unwrap_or(0);
        self.record.add_at("ec2_describe-network-acls", row)
    }

    // Interfaces.

    /// How many interfaces are still to be placed.
    pub(super) fn left(&self) -> u32 {
        self.vpc.size.saturating_sub(self.interfaces)
    }

    /// A public address that nobody has.
    pub(super) fn public_address(&mut self) -> Ipv4Addr {
        let number = self.vpc.number * 256 + self.publics % 256;
        self.publics += 1;
        Ipv4Addr::from(u32::from(PUBLIC) + number)
    }

    /// An interface at the next free address, not yet placed.
    pub(super) fn interface(&mut self, tier: Tier, zone: u32, groups: &[&Group], kind: Kind) -> InterfaceRow {
        let id = self.id("eni", &[u64::from(self.interfaces)]);
        self.interfaces += 1;
        let (address, ipv6) = self.address(tier, zone);
        InterfaceRow {
            id,
            vpc: self.vpc.id.clone(),
            subnet: self.subnet_id(tier, zone),
            zone: zone + 1,
            addresses: vec![address],
            public: None,
            prefixes: Vec::new(),
            ipv6,
            groups: groups.iter().map(|group| (group.id.clone(), group.name.clone())).collect(),
            kind,
            tags: Vec::new(),
        }
    }

    /// The next free address of a subnet, and the IPv6 one that goes with it.
    pub(super) fn address(&mut self, tier: Tier, zone: u32) -> (Ipv4Addr, Option<Ipv6Addr>) {
        let subnet = block::subnet(self.vpc.block, tier, zone);
        let (host, _) = *self.space(tier, zone, |(next, end)| (next + 1, end));
        let address = Ipv4Addr::from(u32::from(subnet.network()) + host - 1);
        let ipv6 = self.has_ipv6(tier).then(|| {
            let network = u128::from(block::subnet6(self.vpc.block, tier, zone).network());
            Ipv6Addr::from(network + u128::from(host - 1))
        });
        (address, ipv6)
    }

    /// A block of 16 free addresses of a subnet, from its end.
    pub(super) fn prefix(&mut self, tier: Tier, zone: u32) -> Ipv4Net {
        let subnet = block::subnet(self.vpc.block, tier, zone);
        let (_, start) = *self.space(tier, zone, |(next, end)| (next, end - 16));
        let start = Ipv4Addr::from(u32::from(subnet.network()) + start);
        Ipv4Net::new(start, 28).unwrap_or_default()
    }

    /// Changes the free space of a subnet. The last block of 16 holds the broadcast address and is not given away.
    fn space(&mut self, tier: Tier, zone: u32, change: impl Fn((u32, u32)) -> (u32, u32)) -> &(u32, u32) {
        let size = 1_u32 << (32 - u32::from(block::subnet(self.vpc.block, tier, zone).prefix_len()));
        let space = self.hosts.entry((tier, zone)).or_insert((FIRST_HOST, size.saturating_sub(16)));
        *space = change(*space);
        space
    }

    /// Writes an interface.
    pub(super) fn place(&mut self, row: &InterfaceRow) -> Placed {
        self.record.counts.interfaces += 1;
        self.record.add("ec2_describe-network-interfaces", row.json(&self.record.place));
        if let Some(address) = row.elastic_address(&self.record.place) {
            self.record.add("ec2_describe-addresses", address);
        }
        let address = row.addresses.first().copied().unwrap_or(Ipv4Addr::UNSPECIFIED);
        Placed { id: row.id.clone(), address }
    }

    /// An instance of a workload: its primary interface, not yet placed.
    pub(super) fn instance(
        &mut self,
        workload: Workload<'_>,
        tier: Tier,
        zone: u32,
        groups: &[&Group],
    ) -> InterfaceRow {
        let id = self.id("i", &[u64::from(self.interfaces)]);
        let kind = Kind::Instance { id, device: 0, router: false };
        let mut row = self.interface(tier, zone, groups, kind);
        row.tags = self.tags(workload);
        row
    }

    /// Writes an instance with its interfaces.
    pub(super) fn place_instance(&mut self, name: &str, interfaces: &[InterfaceRow]) -> Vec<Placed> {
        let placed = interfaces.iter().map(|row| self.place(row)).collect();
        if let Some(row) = reservation(interfaces, name, &self.record.place) {
            self.record.add("ec2_describe-instances", row);
        }
        placed
    }

    /// Writes so many instances of a workload, spread over the zones, each with one interface.
    pub(super) fn instances(
        &mut self,
        workload: Workload<'_>,
        tier: Tier,
        groups: &[&Group],
        count: u32,
    ) -> Vec<Placed> {
        let mut placed = Vec::new();
        for index in 0..count {
            let row = self.instance(workload, tier, index % self.zones, groups);
            placed.extend(self.place_instance(workload.name, &[row]));
        }
        placed
    }

    fn tags(&self, workload: Workload<'_>) -> Vec<(&'static str, String)> {
        let environment = self.vpc.environment.name();
        let mut tags = vec![("Name", workload.name.to_owned())];
        if workload.tier.is_empty() {
            return tags;
        }
        let zone = if workload.restricted { "restricted" } else { "open" };
        tags.push(("Env", environment.to_owned()));
        tags.push(("Tier", workload.tier.to_owned()));
        tags.push(("Zone", format!("{environment}-{zone}")));
        if workload.ml {
            tags.push(("Role", "ml".to_owned()));
        }
        tags
    }
}

impl<'a> Workload<'a> {
    /// Something that stands for no workload.
    pub(super) fn infrastructure(name: &'a str) -> Self {
        Self { name, tier: "", restricted: false, ml: false }
    }

    /// A workload that others may reach.
    pub(super) fn open(name: &'a str, tier: &'static str) -> Self {
        Self { tier, ..Self::infrastructure(name) }
    }

    /// A database.
    pub(super) fn database(name: &'a str) -> Self {
        Self { tier: "data", restricted: true, ..Self::infrastructure(name) }
    }

    /// Training or notebooks.
    pub(super) fn ml(name: &'a str) -> Self {
        Self { tier: "ml", restricted: true, ml: true, ..Self::infrastructure(name) }
    }
}
