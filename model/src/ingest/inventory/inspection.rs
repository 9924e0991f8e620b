//! Gateway Load Balancer and Network Firewall endpoints: hops that may pass, and appliances behind them that may send
//! on from elsewhere (sections 9.2 and 17).

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::dto::{FirewallAttachment, Lenient, Target as Registered, TargetHealth};
use super::facts::{Facts, kind_of, subnets_of};
use super::load_balancer::{Balancer, BalancerKind};
use super::neighbour::into_vpc;
use super::{Found, Paths};
use crate::id::{EniId, Ref, VpcId};
use crate::snapshot::{ComponentKind, Endpoint, EndpointKind, Entry, Exit, Interface, Target, TgwAttachment};
use crate::source::Source;

/// What is said of an endpoint where the answers do not show all appliances.
const APPLIANCES: &str = "; its appliances are not all known; collect: elbv2 describe-target-groups, and describe-target-health \
                          of each group (its name after `__` in the file name)";

pub(super) fn find(facts: &Facts<'_>, found: &mut Found) {
    let firewalls = firewall_endpoints(facts);
    let two_arm = two_arm_exits(facts);
    for endpoint in facts.snapshot.endpoints.values().filter(|e| e.kind == EndpointKind::GatewayLoadBalancer)
    {
        let more = if firewalls.contains_key(&*endpoint.meta.id) { &[][..] } else { &two_arm };
        described(facts, endpoint, more, found);
    }
    for (id, (attachment, source)) in &firewalls {
        firewall(facts, id, attachment, source, found);
    }
    for (id, interface) in orphans(facts) {
        orphan(id, interface, &firewalls, &two_arm, found);
    }
    for (id, vpcs) in undescribed(facts, &firewalls) {
        undescribed_target(facts, id, &vpcs, &two_arm, found);
    }
    undescribed_firewalls(facts, found);
}

/// The endpoint of each firewall and zone, by id (R-NFW-1).
type FirewallEndpoints<'a> = BTreeMap<&'a str, (&'a FirewallAttachment, &'a Source)>;

fn firewall_endpoints<'a>(facts: &Facts<'a>) -> FirewallEndpoints<'a> {
    let statuses = facts.inventories.firewall_statuses.iter();
    let attachments = statuses.flat_map(|status| {
        let states =
            status.sync_states.iter().chain(&status.association_sync_state).flat_map(BTreeMap::values);
        states.filter_map(|state| state.attachment.as_ref()).map(|attachment| (attachment, &status.source))
    });
    let named = attachments.filter(|(attachment, _)| !attachment.endpoint_id.is_empty());
    named.map(|(attachment, source)| (&*attachment.endpoint_id, (attachment, source))).collect()
}

/// R-GWLB-2: an appliance may send the payload on from its own interfaces. Registered targets that nothing shows may
/// reach the internet, anything in the VPC of the load balancer, and what that VPC is joined to; those of a load balancer
/// that is not in the snapshot, whatever a VPC that is not in it either is joined to.
fn two_arm_exits(facts: &Facts<'_>) -> Vec<Exit> {
    let targets: Vec<(&Registered, Vec<EniId>)> =
        geneve_targets(facts).map(|target| (target, target_interfaces(facts, &target.id))).collect();
    let unseen = targets.iter().any(|(target, found)| is_appliance(target) && found.is_empty());
    let gateways = facts.balancers().iter().filter(|balancer| balancer.kind == BalancerKind::Gateway);
    let hiding = gateways.filter(|balancer| unseen || !shows_targets(facts, balancer));
    let vpcs: BTreeSet<VpcId> = hiding.flat_map(|balancer| provider_vpcs(facts, balancer)).collect();
    let shown: BTreeSet<EniId> = targets.into_iter().flat_map(|(_, found)| found).collect();
    let shown = shown.into_iter().map(|interface| Exit::Interface { interface, keeps_groups: false });
    let hidden = vpcs.into_iter().flat_map(|vpc| into_vpc(facts, vpc));
    shown.chain(hidden).chain(beyond(facts)).chain([Exit::Internet]).collect()
}

/// R-GWLB-2, R-VERDICT-7: the ways by which VPCs outside of the snapshot send into it.
fn beyond<'a>(facts: &'a Facts<'_>) -> impl Iterator<Item = Exit> + 'a {
    let snapshot = facts.snapshot;
    let foreign = |row: &TgwAttachment| {
        &*row.kind == "vpc" && row.vpc.as_ref().and_then(|options| options.vpc.known()).is_none()
    };
    let attachments = snapshot.attachments.iter().filter(move |(_, row)| foreign(row));
    let attachments = attachments.filter(|(_, row)| facts.vpc(&row.resource).is_none());
    let peered = snapshot.peerings.values().filter_map(|row| {
        match (row.requester.vpc.known(), row.accepter.vpc.known()) {
            (Some(own), None) | (None, Some(own)) => Some(own),
            _ => None,
        }
    });
    attachments.map(|(id, _)| Exit::Attachment(id)).chain(peered.map(Exit::Vpc))
}

/// Whether a target is an instance or an address, and no function or load balancer.
fn is_appliance(target: &Registered) -> bool {
    !target.id.starts_with("arn:")
}

/// Whether the answers show the targets of a gateway load balancer: the health of each of its groups; or the health of some
/// group that GENEVE reaches, where there is no other gateway load balancer that it could be of.
fn shows_targets(facts: &Facts<'_>, balancer: &Balancer) -> bool {
    let inventories = facts.inventories;
    let groups = inventories.target_groups.iter().filter(|group| {
        let named = group.load_balancer_arns.as_ref();
        named.is_none_or(|named| named.iter().any(|arn| **arn == *balancer.id))
    });
    let mut groups = groups.peekable();
    let listed = facts.collected(balancer.scope, "elbv2 describe-target-groups") && groups.peek().is_some();
    let gateways = facts.balancers().iter().filter(|other| other.kind == BalancerKind::Gateway);
    let alone = || gateways.count() == 1 && geneve_targets(facts).any(|target| &*target.port == "6081");
    listed && groups.all(|group| inventories.shows_health_of(&group.target_group_arn)) || alone()
}

/// Every registered target that GENEVE (port 6081) may reach; the answers often do not say of which group.
fn geneve_targets<'a>(facts: &Facts<'a>) -> impl Iterator<Item = &'a Registered> {
    let inventories = facts.inventories;
    let plain = inventories.target_health.iter().map(|placed| &placed.value);
    let wrapped = inventories.wrapped_health.iter().flat_map(|group| group.target_health_descriptions.iter());
    let wrapped = wrapped.filter_map(|lenient| match lenient {
        Lenient::Read(health) => Some(health),
        Lenient::Unreadable(_) => None,
    });
    let all = plain.chain(wrapped).map(|health: &TargetHealth| &health.target);
    all.filter(|target| target.port.is_empty() || &*target.port == "6081")
}

/// All interfaces of the target instance, or of the instance that owns the target address (R-MBX-2).
fn target_interfaces(facts: &Facts<'_>, target: &str) -> Vec<EniId> {
    let Ok(address) = target.parse::<IpAddr>() else { return facts.instance_interfaces(target).to_vec() };
    let owns = |interface: &Interface| {
        interface.addresses.iter().any(|own| own.ip == address)
            || interface.prefixes.iter().any(|own| own.contains(&address))
    };
    let owners = facts.snapshot.interfaces.iter().filter(|(_, interface)| owns(interface));
    let all = owners.flat_map(|(id, interface)| {
        let siblings =
            facts.instance_of(interface).map_or(&[][..], |instance| facts.instance_interfaces(instance));
        siblings.iter().copied().chain([id])
    });
    all.collect()
}

fn provider_vpcs(facts: &Facts<'_>, balancer: &Balancer) -> BTreeSet<VpcId> {
    let nodes = balancer.nodes.iter().filter_map(|id| facts.snapshot.interfaces.get(*id));
    let hidden = balancer.hidden.iter().filter_map(|id| facts.snapshot.subnets.get(*id));
    let vpcs = nodes.map(|node| &node.vpc).chain(hidden.map(|subnet| &subnet.vpc));
    vpcs.filter_map(|vpc| vpc.known()).collect()
}

/// R-GWLB-1, R-GWLB-3: back out of the endpoint's subnet, by that subnet's table.
fn described(facts: &Facts<'_>, endpoint: &Endpoint, more: &[Exit], found: &mut Found) {
    let id = &endpoint.meta.id;
    let interfaces: Vec<EniId> = endpoint.interfaces.iter().filter_map(Ref::known).collect();
    let own = interfaces.iter().filter_map(|id| facts.snapshot.interfaces.get(*id)).flat_map(subnets_of);
    let subnets = endpoint.subnets.iter().filter_map(Ref::known).chain(own).map(Exit::Subnet);
    let mut exits: Vec<Exit> = subnets.collect();
    if exits.is_empty() {
        exits = vpc_subnets(facts, endpoint.vpc.known());
    }
    let route = Entry::RouteTarget(id.boxed());
    let entries = interfaces.into_iter().map(Entry::Interface).chain([route]);
    let what = if more.is_empty() { "Network Firewall endpoint" } else { "Gateway Load Balancer endpoint" };
    let hidden = more.iter().any(|exit| matches!(exit, Exit::Vpc(_)));
    let collect = if hidden { APPLIANCES } else { "" };
    let why = format!(
        "{id} is a {what}: what the inspection passes, drops or sends elsewhere is not modelled (A-6, A-25){collect}"
    );
    let paths = Paths::new(entries, exits.into_iter().chain(more.iter().cloned()));
    found.add(ComponentKind::Inspection, id, why, &endpoint.meta.source, paths);
}

/// R-NFW-1: a firewall endpoint that only the firewall's own status shows.
fn firewall(
    facts: &Facts<'_>,
    id: &str,
    attachment: &FirewallAttachment,
    source: &Source,
    found: &mut Found,
) {
    let subnet = facts.subnet(&attachment.subnet_id).map(Exit::Subnet);
    let why = format!(
        "{id} is a Network Firewall endpoint: what the policy passes or drops is not modelled (A-25)"
    );
    found.add(
        ComponentKind::Inspection,
        id,
        why,
        source,
        Paths::new([Entry::RouteTarget(id.into())], subnet),
    );
}

/// Interfaces of inspection endpoints that no described endpoint owns (R-DATA-11).
fn orphans<'a>(facts: &Facts<'a>) -> Vec<(EniId, &'a Interface)> {
    let owned: BTreeSet<EniId> = facts
        .snapshot
        .endpoints
        .values()
        .flat_map(|endpoint| &endpoint.interfaces)
        .filter_map(Ref::known)
        .collect();
    let all = facts.snapshot.interfaces.iter();
    let wanted = all
        .filter(|(id, interface)| kind_of(interface) == "gatewayloadbalancerendpoint" && !owned.contains(id));
    wanted.collect()
}

fn orphan(
    id: EniId,
    interface: &Interface,
    firewalls: &FirewallEndpoints<'_>,
    two_arm: &[Exit],
    found: &mut Found,
) {
    let endpoint = interface.description.split_whitespace().find(|word| word.starts_with("vpce-"));
    let known_firewall = endpoint.is_some_and(|endpoint| firewalls.contains_key(endpoint));
    let route = endpoint.map(|endpoint| Entry::RouteTarget(endpoint.into()));
    let more = if known_firewall { &[][..] } else { two_arm };
    let exits = subnets_of(interface).map(Exit::Subnet).chain(more.iter().cloned());
    let why = format!(
        "{} belongs to an inspection endpoint that no inventory lists; collect: ec2 describe-vpc-endpoints, \
         network-firewall list-firewalls, describe-firewall",
        interface.meta.id
    );
    let paths = Paths::new(route.into_iter().chain([Entry::Interface(id)]), exits);
    found.add(ComponentKind::Inspection, &interface.meta.id, why, &interface.meta.source, paths);
}

/// Route targets `vpce-…` that nothing describes, with the VPCs that route to them.
fn undescribed<'a>(
    facts: &Facts<'a>,
    firewalls: &FirewallEndpoints<'_>,
) -> BTreeMap<&'a str, Vec<(Option<VpcId>, &'a Source)>> {
    let mut targets: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for table in facts.snapshot.route_tables.values() {
        for route in &table.routes {
            if let Some(id) = missing_endpoint(&route.target).filter(|id| !places(facts, firewalls, id)) {
                targets.entry(id).or_default().push((table.vpc.known(), &route.source));
            }
        }
    }
    targets
}

fn missing_endpoint(target: &Target) -> Option<&str> {
    match target {
        Target::Endpoint(Ref::Missing(id)) => Some(id),
        _ => None,
    }
}

/// Whether a firewall status shows the subnet of the endpoint.
fn places(facts: &Facts<'_>, firewalls: &FirewallEndpoints<'_>, id: &str) -> bool {
    firewalls.get(id).is_some_and(|(attachment, _)| facts.subnet(&attachment.subnet_id).is_some())
}

/// R-DATA-11, R-ROUTE-16: the endpoint lies somewhere in the VPC that routes to it.
fn undescribed_target(
    facts: &Facts<'_>,
    id: &str,
    places: &[(Option<VpcId>, &Source)],
    two_arm: &[Exit],
    found: &mut Found,
) {
    let subnets = places.iter().flat_map(|(vpc, _)| vpc_subnets(facts, *vpc));
    let Some((_, source)) = places.iter().min_by_key(|(_, source)| *source) else { return };
    let why = format!(
        "{id} is a route target that nothing describes: an inspection endpoint, perhaps of a firewall; collect: ec2 \
         describe-vpc-endpoints, network-firewall list-firewalls, describe-firewall"
    );
    let exits = subnets.chain(two_arm.iter().cloned());
    let paths = Paths::new([Entry::RouteTarget(id.into())], exits);
    found.add(ComponentKind::Inspection, id, why, source, paths);
}

fn vpc_subnets(facts: &Facts<'_>, vpc: Option<VpcId>) -> Vec<Exit> {
    vpc.map_or_else(Vec::new, |vpc| facts.vpc_subnets(vpc).iter().copied().map(Exit::Subnet).collect())
}

/// Firewalls whose endpoints no answer shows.
fn undescribed_firewalls(facts: &Facts<'_>, found: &mut Found) {
    for status in &facts.inventories.firewall_statuses {
        if status.sync_states.is_none() && status.association_sync_state.is_none() {
            let message =
                "this firewall status shows no endpoint: a route to one counts as one that nothing describes";
            found.notice(&status.source.pointer, message, &status.source);
        }
    }
    let described = &facts.inventories.described_firewalls;
    for firewall in &facts.inventories.firewalls {
        if !described.iter().any(|other| other.firewall_arn == firewall.firewall_arn) {
            let message = "this firewall is listed and not described: its endpoints are not seen; collect: \
                           network-firewall describe-firewall";
            found.notice(&firewall.firewall_arn, message, &firewall.source);
        }
    }
}
