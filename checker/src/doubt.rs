//! What keeps any proof from being one: data that is cut short, dangling or contradictory (section 21), and what a claim has
//! to admit that it trusts (section 24).

use std::collections::BTreeSet;

use ipnet::IpNet;
use reachproof_model::assumption::Assumption;
use reachproof_model::certificate::{Claim, Direction, Place};
use reachproof_model::id::{EniId, Ref, SubnetId, VpcId};
use reachproof_model::snapshot::{
    CallStatus, Destination, EndpointKind, GatewayAttachment, Interface, Meta, NatGateway, Scope, Target,
    TgwAttachment,
};

use crate::Rejection;
use crate::gateway::Kind;
use crate::net::{Net, Table, collected_for_owner, is_regional, vpc_of_nat};
use crate::route::Hop;
use crate::state::usable;

/// Inventories whose absence a claim has to admit (R-DATA-10, A-23).
const ADDITIVE: [&str; 14] = [
    "apigatewayv2 get-vpc-links",
    "cloudfront list-vpc-origins",
    "ec2 describe-client-vpn-endpoints",
    "ec2 describe-instance-connect-endpoints",
    "ec2 describe-public-ipv4-pools",
    "ec2 describe-traffic-mirror-sessions",
    "ec2 describe-transit-gateway-multicast-domains",
    "ec2 describe-verified-access-endpoints",
    "ec2 describe-vpc-endpoint-service-configurations",
    "elb describe-load-balancers",
    "elbv2 describe-load-balancers",
    "globalaccelerator list-accelerators",
    "network-firewall list-firewalls",
    "vpc-lattice list-service-network-vpc-associations",
];

/// What a route table that nobody shows may name (R-DATA-10).
const NAMED_BY_TABLES: [&str; 5] = [
    "ec2 describe-nat-gateways",
    "ec2 describe-transit-gateway-attachments",
    "ec2 describe-vpc-endpoints",
    "ec2 describe-vpc-peering-connections",
    "ec2 describe-vpn-gateways",
];

/// Rejects a claim beside which the snapshot proves nothing, or which does not say what it trusts.
pub(crate) fn doubts(net: &Net<'_>, claim: &Claim) -> Result<(), Rejection> {
    let sources = ends(claim, |direction| &direction.sources);
    let destinations = ends(claim, |direction| &direction.destinations);
    let about_internet = sources.iter().chain(&destinations).any(|place| **place == Place::Internet);
    let found = net.incomplete().or_else(|| net.dangling()).or_else(|| net.contradiction());
    let found = found.or_else(|| if about_internet { net.unlisted_address() } else { None });
    if let Some(found) = found {
        return Err(Rejection::of(format!("cannot check: {found}")));
    }
    match net
        .trusted(&sources, &destinations)
        .into_iter()
        .find(|number| !claim.assumptions.contains(Assumption(*number)))
    {
        Some(number) => Err(Rejection::of(format!("the claim rests on A-{number} and does not say so"))),
        None => Ok(()),
    }
}

/// The places at one end of all directions.
fn ends(claim: &Claim, side: impl Fn(&Direction) -> &[(Place, Vec<IpNet>)]) -> Vec<&Place> {
    claim.directions.iter().flat_map(side).map(|(place, _)| place).collect()
}

impl Net<'_> {
    /// R-DATA-9, R-SHARE-1: whether the owner's answer of a call is there.
    fn collected(&self, meta: &Meta, call: &str) -> bool {
        collected_for_owner(self.s, meta, call)
    }

    /// what any proof with these ends trusts.
    fn trusted(&self, sources: &[&Place], destinations: &[&Place]) -> Vec<u8> {
        let interface = |place: &&&Place| match place {
            Place::Interface(id) => Some(self.interface(*id)),
            _ => None,
        };
        let global = |call: &str| call.starts_with("globalaccelerator ") || call.starts_with("cloudfront ");
        let scopes = || self.s.scopes.values();
        // What is global counts wherever in the account it was collected.
        let has = |home: &Scope, call: &str| {
            let in_account = |scope: &Scope| scope.account == home.account && scope.collected(call);
            if global(call) { scopes().any(in_account) } else { home.collected(call) }
        };
        let has_all = |call: &str| {
            scopes().any(|scope| scope.collected(call))
                && scopes().filter(|scope| has_network(scope)).all(|scope| has(scope, call))
        };
        let mut found = vec![30, 31];
        if !ADDITIVE.iter().all(|call| has_all(call)) {
            found.push(23);
        }
        if destinations.contains(&&Place::Internet) {
            found.push(20);
        }
        let ends = sources.iter().chain(destinations);
        if ends.filter_map(|place| interface(&place)).any(|row| row.source_dest_check.is_none()) {
            found.push(36);
        }
        found
    }

    /// R-DATA-2, R-DATA-3, R-DATA-10, A-21: answers that were cut short, are missing from the spine, or cannot be read.
    fn incomplete(&self) -> Option<String> {
        let s = self.s;
        let calls = s.scopes.values().flat_map(|scope| &scope.calls);
        let cut = calls.filter(|(_, status)| **status == CallStatus::Truncated);
        let cut = cut.map(|(call, _)| format!("the answer of `{call}` is incomplete"));
        let spine = s.scopes.values().filter(|scope| has_network(scope)).filter_map(missing_spine);
        let spine = spine.map(|call| format!("`{call}` was not collected"));
        let gaps = s.gaps.iter().map(|gap| format!("{}: {}", gap.resource, gap.why));
        let notices = s.notices.iter().filter(|notice| notice.message.contains("(A-21)"));
        let notices = notices.map(|notice| format!("{}: {}", notice.resource, notice.message));
        cut.chain(spine).chain(gaps).chain(notices).next()
    }

    /// R-DATA-5: what names a VPC, subnet, interface or target that the snapshot does not have.
    fn dangling(&self) -> Option<String> {
        let s = self.s;
        let lost = |row: &&Interface| row.vpc.known().is_none() || row.subnet.known().is_none();
        let interfaces = s.interfaces.values().filter(lost).map(|row| &row.meta);
        let subnets = s.subnets.values().filter(|row| row.vpc.known().is_none()).map(|row| &row.meta);
        let tables = s.route_tables.values().filter(|row| row.vpc.known().is_none()).map(|row| &row.meta);
        let lists = s.acls.values().filter(|row| row.vpc.known().is_none()).map(|row| &row.meta);
        let stray = |rows: &[GatewayAttachment]| {
            rows.iter().any(|row| usable(&row.state) && row.vpc.known().is_none())
        };
        let internet =
            s.internet_gateways.values().filter(|row| stray(&row.attachments)).map(|row| &row.meta);
        let egress = s.egress_gateways.values().filter(|row| stray(&row.attachments)).map(|row| &row.meta);
        let private = s.virtual_gateways.values().filter(|row| stray(&row.attachments)).map(|row| &row.meta);
        let services = s
            .endpoints
            .values()
            .filter(|row| usable(&row.state) && row.vpc.known().is_none())
            .map(|row| &row.meta);
        let homeless = interfaces
            .chain(services)
            .chain(subnets)
            .chain(tables)
            .chain(lists)
            .chain(internet)
            .chain(egress)
            .chain(private);
        let missing = |one: &Ref<EniId>| one.known().is_none();
        let endpoints =
            s.endpoints.values().filter(|row| usable(&row.state) && row.interfaces.iter().any(missing));
        let nats = s.nat_gateways.values().filter(|row| {
            let rows = row.addresses.iter().filter(|address| usable(&address.state));
            usable(&row.state) && rows.filter_map(|address| address.interface.as_ref()).any(missing)
        });
        let vanished = endpoints.map(|row| &row.meta).chain(nats.map(|row| &row.meta));
        let named = homeless.map(|meta| format!("{} is where the snapshot has nothing", meta.id));
        let named =
            named.chain(vanished.map(|meta| format!("{} names an interface that nobody shows", meta.id)));
        let live = s.nat_gateways.values().filter(|row| usable(&row.state));
        let hidden = live.filter(|row| self.routes_by_hidden_table(row));
        let hidden = hidden.map(|row| format!("{} routes by a table that nobody shows", row.meta.id));
        named.chain(hidden).chain(self.vanished_targets()).chain(self.missing_local_routes()).next()
    }

    /// R-ROUTE-5, R-DATA-5: every table of a VPC has a route to each of its blocks, wherever it leads.
    fn missing_local_routes(&self) -> impl Iterator<Item = String> {
        self.s.route_tables.values().flat_map(move |table| {
            let own = table.vpc.known().map_or(&[][..], |vpc| &self.s.vpcs[vpc].cidrs);
            let lost = own.iter().filter(|own| usable(&own.state)).map(|own| own.cidr).filter(|block| {
                !table.routes.iter().any(|route| route.destination == Destination::Cidr(*block))
            });
            lost.map(move |block| format!("{} has no route to {block}, a block of its VPC", table.meta.id))
        })
    }

    /// R-NAT-4, R-NAT-9, R-DATA-3: whether a NAT gateway routes by a table that nobody shows and that may lead anywhere.
    fn routes_by_hidden_table(&self, nat: &NatGateway) -> bool {
        let joins = |hop: &Hop| match hop {
            Hop::Gateway(id) => self.gateways.get(*id).is_none_or(|row| row.kind == Kind::Virtual),
            hop => matches!(hop, Hop::Transit(_) | Hop::Peering(_) | Hop::Interface(_)),
        };
        let joined = |vpc| self.any_hop(vpc).iter().any(joins);
        match (is_regional(nat), &nat.table) {
            (true, None) => vpc_of_nat(self.s, nat).is_none_or(joined),
            (true, Some(table)) => table.known().is_none(),
            (false, _) => nat.subnet.as_ref().is_none_or(|one| one.known().is_none()),
        }
    }

    /// R-DATA-5, R-ROUTE-4: active routes without one target, or with one that its own answer does not list.
    fn vanished_targets(&self) -> impl Iterator<Item = String> {
        self.s.route_tables.values().flat_map(move |table| {
            let dead = |state: &str| matches!(state, "blackhole" | "filtered");
            let active = table.routes.iter().filter(move |route| !route.state.as_deref().is_some_and(dead));
            let vanished = active.filter_map(move |route| match &route.target {
                Target::Unmodelled { field, id } => {
                    matches!(&**field, "none" | "several" | "GatewayId").then(|| id.to_string())
                }
                target => missing_target(target)
                    .filter(|(_, call)| self.collected(&table.meta, call))
                    .map(|(id, _)| id.to_string()),
            });
            let unlisted = table.propagating.iter().filter_map(move |gateway| match gateway {
                Ref::Missing(id) if self.collected(&table.meta, "ec2 describe-vpn-gateways") => {
                    Some(id.to_string())
                }
                _ => None,
            });
            vanished
                .chain(unlisted)
                .map(move |id| format!("{} names `{id}`, which nobody shows", table.meta.id))
        })
    }

    /// R-DATA-5, R-DATA-10, R-NACL-1, R-TGW-1, R-ADDR-1: what cannot be as it is shown.
    fn contradiction(&self) -> Option<String> {
        let s = self.s;
        let unknown = |subnet: &SubnetId| {
            let meta = &s.subnets[*subnet].meta;
            let all = NAMED_BY_TABLES.iter().all(|call| self.collected(meta, call));
            self.tables(*subnet).contains(&Table::Unknown) && !all
        };
        let claimed = |subnet: &SubnetId| {
            s.acls.values().filter(|row| row.subnets.contains(&Ref::Known(*subnet))).count() > 1
        };
        let subnets = s.subnets.ids().filter(|subnet| unknown(subnet) || claimed(subnet));
        let subnets = subnets
            .map(|id| format!("which table or list applies to {} is not known", s.subnets[id].meta.id));
        let nameless = |vpc: &Ref<VpcId>| matches!(vpc, Ref::Missing(name) if name.is_empty());
        let peerings = s.peerings.values().filter(|row| {
            usable(&row.state) && (nameless(&row.requester.vpc) || nameless(&row.accepter.vpc))
        });
        let peerings = peerings.map(|row| format!("{} does not show the VPCs of both sides", row.meta.id));
        let services = s.endpoints.values().filter(|row| {
            let of_service = matches!(row.kind, EndpointKind::Gateway | EndpointKind::Interface);
            usable(&row.state) && of_service && row.service.is_empty()
        });
        let services = services.map(|row| format!("{} does not show its service", row.meta.id));
        let attachments = s.attachments.iter().filter(|(id, row)| {
            let nameless = &*row.kind == "vpc" && self.vpc_name(row).is_empty();
            let two = row.vpc.is_some() && !row.resource.is_empty() && self.vpc_name(row) != &*row.resource;
            usable(&row.state) && (nameless || two || self.attached_vpc(*id).is_some() && &*row.kind != "vpc")
        });
        let attachments = attachments.map(|(_, row)| format!("what {} attaches cannot be told", row.meta.id));
        let carrier = |id: &str| s.attachments.values().find(|row| *row.meta.id == *id);
        let tunnels = s.attachments.values().filter(|row| {
            let inside = carrier(&row.resource).is_none_or(|carrier| &*carrier.kind == "vpc");
            &*row.kind == "connect" && usable(&row.state) && inside
        });
        let tunnels = tunnels.map(|row| format!("what the tunnels of {} carry is not known", row.meta.id));
        let wide = s
            .vpcs
            .values()
            .filter(|vpc| vpc.cidrs.iter().any(|own| usable(&own.state) && own.cidr.prefix_len() < 8));
        let wide = wide.map(|vpc| format!("{} has a block that AWS gives to no VPC", vpc.meta.id));
        subnets.chain(peerings).chain(services).chain(attachments).chain(tunnels).chain(wide).next()
    }

    fn vpc_name<'a>(&'a self, row: &'a TgwAttachment) -> &'a str {
        match row.vpc.as_ref().map(|options| &options.vpc) {
            Some(Ref::Known(id)) => &self.s.vpcs[*id].meta.id,
            Some(Ref::Missing(name)) if !name.is_empty() => name,
            _ => &row.resource,
        }
    }

    /// R-DATA-10: a public address in a delegated prefix that only `describe-addresses` would show.
    fn unlisted_address(&self) -> Option<String> {
        let real = self.s.interfaces.iter().filter(|(id, _)| !self.is_supposed(*id)).map(|(_, row)| row);
        let suspect = |row: &&Interface| {
            let served =
                row.vpc.known().is_some_and(|vpc| self.serving(vpc, Kind::Internet).next().is_some());
            let delegated = row.prefixes.iter().any(|block| block.addr().is_ipv4());
            served && delegated && !self.collected(&row.meta, "ec2 describe-addresses")
        };
        let found = real.into_iter().find(suspect);
        found.map(|row| format!("{} may hold a public address in a delegated prefix", row.meta.id))
    }
}

fn shown(scope: &Scope, call: &str) -> bool {
    matches!(scope.calls.get(call), Some(CallStatus::Collected | CallStatus::Truncated))
}

fn has_network(scope: &Scope) -> bool {
    let calls: BTreeSet<&str> =
        ["ec2 describe-vpcs", "ec2 describe-subnets", "ec2 describe-network-interfaces"].into();
    calls.into_iter().any(|call| shown(scope, call))
}

/// R-DATA-10, spine: interfaces inside instances stand in for an answer of their own.
fn missing_spine(scope: &Scope) -> Option<&'static str> {
    let interfaces = ["ec2 describe-network-interfaces", "ec2 describe-instances"];
    let missing = ["ec2 describe-vpcs", "ec2 describe-subnets"].into_iter().find(|call| !shown(scope, call));
    missing.or_else(|| {
        (!interfaces.iter().any(|call| shown(scope, call))).then_some("ec2 describe-network-interfaces")
    })
}

/// The id that a target names in vain, and the call that would describe it.
fn missing_target(target: &Target) -> Option<(&str, &'static str)> {
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
