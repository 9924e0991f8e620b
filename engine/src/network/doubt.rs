//! Contradictions of the input: what one answer says and another denies, or no answer explains (R-DATA-5).

use std::collections::BTreeMap;

use ipnet::IpNet;
use reachproof_model::flow::World;
use reachproof_model::id::{Ref, SubnetId, VpcId};
use reachproof_model::snapshot::{
    Destination, EndpointKind, GatewayAttachment, Meta, Route, RouteTable, Target, TgwAttachment,
};

use super::missing::{collected_for_owner, in_owners_account};
use super::state::{Object, usable};
use super::{Network, TableChoice};

/// What a route table that nobody shows may name, and the calls that would show it (R-DATA-10).
const NAMED_BY_TABLES: [&str; 5] = [
    "ec2 describe-nat-gateways",
    "ec2 describe-transit-gateway-attachments",
    "ec2 describe-vpc-endpoints",
    "ec2 describe-vpc-peering-connections",
    "ec2 describe-vpn-gateways",
];

impl Network<'_> {
    /// R-DATA-3, R-DATA-5, R-DATA-10: contradictions, and unknowns beside which nothing can be followed. For people, in
    /// the order of the snapshot.
    pub(super) fn contradictions(&self) -> Vec<String> {
        let mut found = self.unknown_tables();
        found.extend(self.homeless());
        found.extend(self.vanished_interfaces());
        found.extend(self.hidden_tables_of_nats());
        found.extend(self.missing_local_routes());
        found.extend(self.vanished_targets());
        found.extend(self.stray_gateways());
        found.extend(self.one_sided_peerings());
        found.extend(self.nameless_endpoints());
        found.extend(self.contested_subnets());
        found.extend(self.shapeless_attachments());
        found.extend(self.tunnels());
        found.extend(self.impossible_blocks());
        found
    }

    /// R-DATA-10, R-SHARE-1: a table that nobody shows may name what its owner did not show either.
    fn unknown_tables(&self) -> Vec<String> {
        let unknown =
            |id: &SubnetId| self.tables_of_subnet(*id, World::Over).value.contains(&TableChoice::Unknown);
        let subnets = self.snapshot.subnets.ids().filter(unknown);
        let doubt = |id| {
            let meta = &self.subnet(id).meta;
            let collected = |call: &&str| collected_for_owner(self.snapshot, meta, call);
            let missing: Vec<&str> = NAMED_BY_TABLES.into_iter().filter(|call| !collected(call)).collect();
            (!missing.is_empty()).then(|| {
                let calls = missing.join(", ");
                let whose = in_owners_account(self.snapshot, meta);
                format!("the route table of {} is not known and may name anything; collect{whose}: ec2 describe-route-tables, {calls} (A-11)", meta.id)
            })
        };
        subnets.filter_map(doubt).collect()
    }

    /// R-DATA-5: subnets, route tables, lists and endpoints whose VPC the snapshot does not have.
    fn homeless(&self) -> Vec<String> {
        let snapshot = self.snapshot;
        let subnets = snapshot.subnets.values().map(|row| (&row.vpc, &row.meta));
        let tables = snapshot.route_tables.values().map(|row| (&row.vpc, &row.meta));
        let lists = snapshot.acls.values().map(|row| (&row.vpc, &row.meta));
        let endpoints =
            snapshot.endpoints.values().filter(|row| usable(Object::Endpoint, &row.state, World::Over));
        let endpoints = endpoints.map(|row| (&row.vpc, &row.meta));
        let all = subnets.chain(tables).chain(lists).chain(endpoints);
        let homeless = all.filter(|(vpc, _)| vpc.known().is_none());
        homeless.map(|(_, meta)| format!("the VPC of {} is not in the snapshot (A-11)", meta.id)).collect()
    }

    /// R-DATA-5: interfaces that endpoints and NAT gateways name and that no answer describes.
    fn vanished_interfaces(&self) -> Vec<String> {
        let snapshot = self.snapshot;
        let endpoints =
            snapshot.endpoints.values().filter(|row| usable(Object::Endpoint, &row.state, World::Over));
        let of_endpoints =
            endpoints.flat_map(|row| row.interfaces.iter().map(|interface| (&row.meta, interface)));
        let nats = snapshot.nat_gateways.values().filter(|row| usable(Object::Nat, &row.state, World::Over));
        let of_nats = nats.flat_map(|row| {
            let addresses = row
                .addresses
                .iter()
                .filter(|address| usable(Object::NatAddress, &address.state, World::Over));
            addresses.filter_map(|address| Some((&row.meta, address.interface.as_ref()?)))
        });
        let vanished =
            of_endpoints.chain(of_nats).filter_map(|(meta, interface)| Some((meta, missing(interface)?)));
        vanished
            .map(|(meta, id)| {
                format!("{} names {id}, which no answer describes; collect: ec2 describe-network-interfaces (A-11)", meta.id)
            })
            .collect()
    }

    /// R-DATA-3, R-NAT-4: NAT gateways that route by a table which nobody shows and which may name anything.
    fn hidden_tables_of_nats(&self) -> Vec<String> {
        let nats = self.snapshot.nat_gateways.values();
        let nats = nats.filter(|row| usable(Object::Nat, &row.state, World::Over));
        let hidden = nats.filter(|row| self.routes_by_hidden_table(row));
        hidden
            .map(|row| format!("no answer shows the table by which {} routes (A-11)", row.meta.id))
            .collect()
    }

    /// R-ROUTE-5, R-DATA-5: AWS has a route to each block of a VPC in all of its tables, wherever it leads. Where one is
    /// missing, the answers do not show the same moment.
    fn missing_local_routes(&self) -> Vec<String> {
        let tables = self.snapshot.route_tables.values();
        let lacking = tables.flat_map(|table| {
            let blocks = table.vpc.known().map(|vpc| self.vpc_blocks(vpc, World::Over)).unwrap_or_default();
            let lacks = |block: &IpNet| {
                !table.routes.iter().any(|route| route.destination == Destination::Cidr(*block))
            };
            blocks.into_iter().filter(lacks).map(move |block| (&table.meta.id, block)).collect::<Vec<_>>()
        });
        lacking
            .map(|(id, block)| {
                format!("{id} has no route to {block}, a block of its VPC; collect again: ec2 describe-route-tables, ec2 describe-vpcs (A-11)")
            })
            .collect()
    }

    /// R-DATA-5, R-ROUTE-4: active routes without one target, or with one that its own answer does not list.
    fn vanished_targets(&self) -> Vec<String> {
        let tables = self.snapshot.route_tables.values();
        let routes = tables.flat_map(|table| table.routes.iter().map(move |route| (table, route)));
        let active = routes.filter(|(_, route)| is_active(route));
        active.filter_map(|(table, route)| self.vanished_target(table, route)).collect()
    }

    fn vanished_target(&self, table: &RouteTable, route: &Route) -> Option<String> {
        let name = &table.meta.id;
        if let Target::Unmodelled { field, id } = &route.target {
            let unread = matches!(&**field, "none" | "several" | "GatewayId");
            return unread.then(|| format!("{name} has a route whose target cannot be told: `{id}` (A-11)"));
        }
        let (id, call) = dangling(&route.target)?;
        let collected = collected_for_owner(self.snapshot, &table.meta, call);
        collected.then(|| format!("{name} has an active route to {id}, which `{call}` does not list (A-11)"))
    }

    /// R-DATA-5: gateways that are attached to a VPC which the snapshot does not have, and tables into which one
    /// propagates that its own answer does not list.
    fn stray_gateways(&self) -> Vec<String> {
        let snapshot = self.snapshot;
        let internet = snapshot.internet_gateways.values().map(|row| (&row.meta, &row.attachments));
        let egress = snapshot.egress_gateways.values().map(|row| (&row.meta, &row.attachments));
        let private = snapshot.virtual_gateways.values().map(|row| (&row.meta, &row.attachments));
        let stray = internet.chain(egress).chain(private).filter(|(_, rows)| rows.iter().any(is_stray));
        let stray = stray
            .map(|(meta, _)| format!("{} is attached to a VPC that is not in the snapshot (A-11)", meta.id));
        let collected = |meta: &Meta| collected_for_owner(snapshot, meta, "ec2 describe-vpn-gateways");
        let tables = snapshot.route_tables.values().filter(|table| collected(&table.meta));
        let unlisted = tables.flat_map(|table| {
            table.propagating.iter().filter_map(missing).map(|id| {
                format!(
                    "{id} propagates into {}, but `ec2 describe-vpn-gateways` does not list it (A-11)",
                    table.meta.id
                )
            })
        });
        stray.chain(unlisted).collect()
    }

    /// R-DATA-3: peerings that do not show the VPC of a side: it may be any.
    fn one_sided_peerings(&self) -> Vec<String> {
        let rows = self.snapshot.peerings.values();
        let rows = rows.filter(|row| usable(Object::Peering, &row.state, World::Over));
        let nameless = |vpc: &Ref<VpcId>| missing(vpc).is_some_and(str::is_empty);
        let one_sided = rows.filter(|row| nameless(&row.requester.vpc) || nameless(&row.accepter.vpc));
        one_sided
            .map(|row| {
                format!("{} does not show the VPCs of both sides; collect it again (A-11)", row.meta.id)
            })
            .collect()
    }

    /// R-DATA-12: endpoints that do not show their service: it may be any.
    fn nameless_endpoints(&self) -> Vec<String> {
        let rows = self.snapshot.endpoints.values();
        let rows = rows.filter(|row| usable(Object::Endpoint, &row.state, World::Over));
        let of_service =
            rows.filter(|row| matches!(row.kind, EndpointKind::Gateway | EndpointKind::Interface));
        let nameless = of_service.filter(|row| row.service.is_empty());
        nameless
            .map(|row| format!("{} does not show its service; collect it again (A-11)", row.meta.id))
            .collect()
    }

    /// R-NACL-1: a subnet has one list; where two claim it, nobody knows which one filters.
    fn contested_subnets(&self) -> Vec<String> {
        let mut claims: BTreeMap<SubnetId, usize> = BTreeMap::new();
        for acl in self.snapshot.acls.values() {
            let mut subnets: Vec<SubnetId> = acl.subnets.iter().filter_map(Ref::known).collect();
            subnets.sort_unstable();
            subnets.dedup();
            subnets.into_iter().for_each(|subnet| *claims.entry(subnet).or_default() += 1);
        }
        let contested = claims.into_iter().filter(|(_, count)| *count > 1);
        contested
            .map(|(subnet, _)| format!("several network ACLs claim {} (A-11)", self.subnet(subnet).meta.id))
            .collect()
    }

    /// R-DATA-5, R-TGW-1: VPC attachments that name no VPC, or two.
    fn shapeless_attachments(&self) -> Vec<String> {
        let rows = self.snapshot.attachments.iter();
        let rows = rows.filter(|(_, row)| usable(Object::Transit, &row.state, World::Over));
        let shapeless = rows.filter(|(id, row)| {
            let nameless = &*row.kind == "vpc" && self.vpc_name(row).is_empty();
            nameless || self.attached_vpc(*id).is_some() && &*row.kind != "vpc" || self.names_two(row)
        });
        shapeless
            .map(|(_, row)| {
                format!("what {} attaches to its transit gateway cannot be told (A-11)", row.meta.id)
            })
            .collect()
    }

    /// R-TGW-11: Connect attachments over one of a VPC, or over one that nobody shows: an appliance in that VPC sends and
    /// receives by a tunnel what no route table of the VPC shows.
    fn tunnels(&self) -> Vec<String> {
        let rows = self.snapshot.attachments.values();
        let connects =
            rows.filter(|row| &*row.kind == "connect" && usable(Object::Transit, &row.state, World::Over));
        let inside = connects.filter(|row| {
            let mut carriers =
                self.snapshot.attachments.values().filter(|carrier| carrier.meta.id == row.resource);
            carriers.next().is_none_or(|carrier| &*carrier.kind == "vpc")
        });
        inside
            .map(|row| {
                let (id, carrier) = (&row.meta.id, &row.resource);
                format!("an appliance behind {carrier} may send and receive anything by the tunnels of {id}, which are not modelled (A-11)")
            })
            .collect()
    }

    /// R-ADDR-1: blocks wider than any VPC's: what is outside of the VPC is then unclear.
    fn impossible_blocks(&self) -> Vec<String> {
        let wide =
            |vpc: &VpcId| self.vpc_blocks(*vpc, World::Over).iter().any(|block| block.prefix_len() < 8);
        let vpcs = self.snapshot.vpcs.ids().filter(wide);
        vpcs.map(|vpc| format!("{} has a block that AWS gives to no VPC (A-11)", self.vpc(vpc).meta.id))
            .collect()
    }

    /// The VPC that an attachment names, known or not; empty if it names none.
    fn vpc_name<'a>(&'a self, attachment: &'a TgwAttachment) -> &'a str {
        match attachment.vpc.as_ref().map(|options| &options.vpc) {
            Some(Ref::Known(id)) => &self.vpc(*id).meta.id,
            Some(Ref::Missing(name)) if !name.is_empty() => name,
            _ => &attachment.resource,
        }
    }

    fn names_two(&self, attachment: &TgwAttachment) -> bool {
        attachment.vpc.is_some()
            && !attachment.resource.is_empty()
            && self.vpc_name(attachment) != &*attachment.resource
    }
}

fn is_active(route: &Route) -> bool {
    route.state.as_deref().is_none_or(|state| !matches!(state, "blackhole" | "filtered"))
}

fn is_stray(attachment: &GatewayAttachment) -> bool {
    usable(Object::GatewayAttachment, &attachment.state, World::Over) && attachment.vpc.known().is_none()
}

fn missing<I>(reference: &Ref<I>) -> Option<&str> {
    match reference {
        Ref::Missing(id) => Some(id),
        Ref::Known(_) => None,
    }
}

/// The id that a route names in vain, and the call that would describe it.
fn dangling(target: &Target) -> Option<(&str, &'static str)> {
    Some(match target {
        Target::InternetGateway(Ref::Missing(id)) => (id, "ec2 describe-internet-gateways"),
        Target::EgressGateway(Ref::Missing(id)) => (id, "ec2 describe-egress-only-internet-gateways"),
        Target::VirtualGateway(Ref::Missing(id)) => (id, "ec2 describe-vpn-gateways"),
        Target::Nat(Ref::Missing(id)) => (id, "ec2 describe-nat-gateways"),
        Target::Endpoint(Ref::Missing(id)) => (id, "ec2 describe-vpc-endpoints"),
        Target::Interface(Ref::Missing(id)) => (id, "ec2 describe-network-interfaces"),
        Target::Instance(Ref::Missing(id)) => (id, "ec2 describe-instances"),
        Target::Peering(Ref::Missing(id)) => (id, "ec2 describe-vpc-peering-connections"),
        Target::TransitGateway(Ref::Missing(id)) => (id, "ec2 describe-transit-gateways"),
        _ => return None,
    })
}
