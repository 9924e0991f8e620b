//! The compact description of a network: things by id, with the attributes that are not at their usual value.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};
use serde::Deserialize;

use super::overlay::{Items, Overlay};
use super::route::{Targets, TransitRoute};
use super::rule::{AclRule, GroupPermission};

/// Declares a description whose attributes are all optional, strict about unknown ones, with its [`Overlay`].
macro_rules! descriptions {
    ($($(#[$doc:meta])* $name:ident { $($(#[$note:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
        pub(crate) struct $name {
            $($(#[$note])* pub(crate) $field: Option<$type>,)*
        }

        impl Overlay for $name {
            fn overlay(&mut self, later: Self) {
                $(self.$field.overlay(later.$field);)*
            }
        }
    )*};
}

descriptions! {
    /// Everything there is.
    Network {
        vpcs: Items<Vpc>,
        subnets: Items<Subnet>,
        interfaces: Items<Interface>,
        instances: Items<Instance>,
        security_groups: Items<SecurityGroup>,
        network_acls: Items<NetworkAcl>,
        route_tables: Items<RouteTable>,
        prefix_lists: Items<PrefixList>,
        internet_gateways: Items<Gateway>,
        egress_gateways: Items<Gateway>,
        nat_gateways: Items<NatGateway>,
        endpoints: Items<Endpoint>,
        peerings: Items<Peering>,
        transit_gateways: Items<TransitGateway>,
        attachments: Items<Attachment>,
        transit_tables: Items<TransitTable>,
        policy_tables: Items<PolicyTable>,
        virtual_gateways: Items<Gateway>,
        vpn_connections: Items<VpnConnection>,
        public_pools: Items<Vec<Ipv4Net>>,
        block_public_access: BlockPublicAccess,
    }

    /// A VPC.
    Vpc {
        /// IPv4 blocks, the primary one first.
        cidrs: Vec<IpNet>,
        /// IPv6 blocks.
        ipv6: Vec<IpNet>,
        /// IPv6 blocks that are not routed on the internet.
        private_ipv6: Vec<IpNet>,
        /// Blocks whose association failed.
        failed_cidrs: Vec<IpNet>,
        /// The account that describes it; `111111111111` if not said.
        account: String,
        /// The Region; `us-east-1` if not said.
        region: String,
        /// The account that owns it, if another one.
        owner: String,
        tags: Items<String>,
    }

    /// A subnet.
    Subnet {
        vpc: String,
        /// The IPv4 block.
        cidr: Ipv4Net,
        ipv6: IpNet,
        /// 1, 2 or 3 for `use1-az1` to `use1-az3`.
        zone: u32,
        owner: String,
        map_public: bool,
        tags: Items<String>,
    }

    /// A network interface of a guest, or of a service where no other description implies it.
    Interface {
        subnet: String,
        /// Private IPv4 addresses, the primary one first.
        addresses: Vec<Ipv4Addr>,
        /// Elastic IP addresses by private address.
        public: Items<Ipv4Addr>,
        ipv6: Vec<Ipv6Addr>,
        /// Delegated IPv4 prefixes.
        prefixes: Vec<Ipv4Net>,
        groups: Vec<String>,
        source_dest_check: bool,
        deny_igw: bool,
        instance: String,
        /// Position among the interfaces of the instance; 0 is the primary one.
        device: u32,
        /// `InterfaceType`; `interface` if not said.
        kind: String,
        /// `in-use` if not said; an `available` interface has no attachment.
        status: String,
        owner: String,
        description: String,
        requester: String,
        tags: Items<String>,
    }

    /// What is not usual about an instance that some interface names.
    Instance {
        /// `running` if not said.
        state: String,
        tags: Items<String>,
    }

    /// A security group. Without `out` it allows everything out, without `in` nothing in.
    SecurityGroup {
        vpc: String,
        /// Its name; the id without `sg-` if not said.
        name: String,
        r#in: Vec<GroupPermission>,
        out: Vec<GroupPermission>,
        /// Further VPCs it is associated with.
        also: Vec<String>,
        owner: String,
    }

    /// A network ACL; the fixed denials are added. The default list has the subnets that no other one has.
    NetworkAcl {
        vpc: String,
        default: bool,
        subnets: Vec<String>,
        r#in: Vec<AclRule>,
        out: Vec<AclRule>,
    }

    /// A VPC route table; the local routes are added unless it routes those blocks elsewhere.
    RouteTable {
        vpc: String,
        main: bool,
        subnets: Vec<String>,
        /// The internet gateway or virtual private gateway whose ingress it routes.
        gateway: String,
        /// The public IPv4 pool whose ingress it routes.
        pool: String,
        routes: Items<Targets>,
    }

    /// A managed prefix list.
    PrefixList {
        name: String,
        /// `AWS` for a service's list.
        owner: String,
        /// Its entries; without them the call that lists them was not collected.
        entries: Vec<IpNet>,
    }

    /// An internet, egress-only internet or virtual private gateway.
    Gateway {
        /// The VPC it is attached to.
        vpc: String,
        /// State of the attachment.
        state: String,
    }

    /// A NAT gateway, with the interface it implies.
    NatGateway {
        subnet: String,
        interface: String,
        addresses: Vec<Ipv4Addr>,
        public: Items<Ipv4Addr>,
        /// `public` if not said.
        connectivity: String,
        state: String,
        /// The VPC of a regional gateway, which has no subnet.
        vpc: String,
        /// The route table of a regional gateway.
        table: String,
        /// Public addresses of a regional gateway.
        public_addresses: Vec<Ipv4Addr>,
    }

    /// A VPC endpoint, with the interfaces it implies.
    Endpoint {
        vpc: String,
        /// `gateway`, `interface` or `gateway-load-balancer`.
        kind: String,
        /// `s3`, or a full service name.
        service: String,
        state: String,
        tables: Vec<String>,
        interfaces: Items<EndpointInterface>,
        groups: Vec<String>,
        policy: String,
    }

    /// One interface of an endpoint.
    EndpointInterface {
        subnet: String,
        address: Ipv4Addr,
    }

    /// A peering connection.
    Peering {
        requester: String,
        accepter: String,
        state: String,
    }

    /// A transit gateway.
    TransitGateway {
        group_referencing: bool,
        state: String,
        owner: String,
    }

    /// A transit gateway attachment, with the interfaces it implies where it is one of a VPC.
    Attachment {
        gateway: String,
        vpc: String,
        subnets: Vec<String>,
        /// `vpn`, `direct-connect-gateway`, …, where it is not one of a VPC.
        kind: String,
        /// The attached resource, where it is not a VPC.
        resource: String,
        /// The associated route table.
        table: String,
        /// The associated policy table.
        policy_table: String,
        group_referencing: bool,
        ipv6_support: bool,
        appliance_mode: bool,
        state: String,
    }

    /// A transit gateway route table.
    TransitTable {
        gateway: String,
        routes: Items<TransitRoute>,
        /// Attachments whose VPC blocks are propagated into it.
        propagations: Vec<String>,
    }

    /// A transit gateway policy table.
    PolicyTable {
        gateway: String,
        /// Entries by rule number, in order.
        entries: Vec<PolicyEntry>,
    }

    /// One entry of a policy table; what it does not state matches anything.
    PolicyEntry {
        number: u32,
        protocol: u32,
        port: u32,
        source: IpNet,
        destination: IpNet,
        table: String,
    }

    /// A Site-to-Site VPN connection.
    VpnConnection {
        /// The virtual private gateway or transit gateway it ends at.
        gateway: String,
        /// Static routes.
        routes: Vec<Ipv4Net>,
        /// The outside address of the customer's router.
        customer: IpAddr,
        state: String,
    }

    /// Block Public Access of every account and Region of the scenario.
    BlockPublicAccess {
        mode: String,
        state: String,
        exclusions: Items<Exclusion>,
    }

    /// An exclusion from Block Public Access.
    Exclusion {
        /// A VPC or subnet.
        resource: String,
        mode: String,
        state: String,
    }
}
