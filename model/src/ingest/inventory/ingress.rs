//! Managed ingress: services that put internet traffic into a VPC whatever its routes say (section 15).
//!
//! All are of public kind (R-VERDICT-6), those that authenticate too, so every component here is entered from the
//! internet. Where a service delivers without a filter list, or by an interface that the snapshot does not show, it
//! leaves by a hidden interface of the target's subnet.

use std::collections::BTreeSet;

use super::dto::{Name, Placed, VerifiedAccessEndpoint, VerifiedAccessTarget};
use super::facts::{Facts, hidden, is_gone, kind_of, relayed, subnets_of};
use super::service::balancer_exits;
use super::{Found, Paths};
use crate::id::{EniId, GroupId, Ref, SubnetId};
use crate::snapshot::{
    ComponentKind, Entry, Exit, GroupPeer, GroupRule, Interface, SecurityGroup, TgwAttachment,
};
use crate::source::Source;

pub(super) fn find(facts: &Facts<'_>, found: &mut Found) {
    accelerators(facts, found);
    vpc_origins(facts, found);
    vpc_links(facts, found);
    connect_endpoints(facts, found);
    verified_access(facts, found);
    client_vpns(facts, found);
    client_vpn_attachments(facts, found);
    let listed: BTreeSet<EniId> =
        found.components.iter().flat_map(|row| &row.exits).filter_map(own).collect();
    for (id, interface) in facts.snapshot.interfaces.iter() {
        hinted_interface(facts, (id, interface), listed.contains(&id), found);
    }
    for hint in GROUP_HINTS {
        referenced_groups(facts, hint, found);
    }
}

fn own(exit: &Exit) -> Option<EniId> {
    match exit {
        Exit::Interface { interface, .. } => Some(*interface),
        _ => None,
    }
}

fn ingress(found: &mut Found, id: &str, why: String, source: &Source, exits: Vec<Exit>) {
    found.add(ComponentKind::ManagedIngress, id, why, source, Paths::new([Entry::Internet], exits));
}

/// R-EDGE-2, R-EDGE-14: each endpoint of each group, in its own subnet: the inbound ACL is not applied where the
/// client address is preserved. An accelerator without a collected group may lead to any public address.
fn accelerators(facts: &Facts<'_>, found: &mut Found) {
    let groups = &facts.inventories.endpoint_groups;
    for group in groups {
        let account = facts.account(group.scope);
        let shown = group.endpoint_descriptions.iter().flat_map(|list| list.iter());
        let targets = shown.map(|endpoint| &endpoint.endpoint_id);
        let subnets: Vec<SubnetId> =
            targets.flat_map(|target| facts.landing(target, account, &group.endpoint_group_region)).collect();
        let why =
            format!("{} carries Global Accelerator clients to its endpoints", &*group.endpoint_group_arn);
        let exits = facts.exits_with_named_groups(&subnets, is_accelerator_group);
        if group.endpoint_descriptions.as_ref().is_some_and(|shown| !shown.is_empty()) {
            ingress(found, &group.endpoint_group_arn, why, &group.source, exits);
        }
    }
    for accelerator in &facts.inventories.accelerators {
        let arn = &accelerator.accelerator_arn;
        if !is_whole(facts, arn) {
            let subnets = facts.landing("eipalloc-", facts.account(accelerator.scope), "");
            let exits = facts.exits_with_named_groups(&subnets, is_accelerator_group);
            let why = format!(
                "{} is an accelerator whose endpoints are not all collected; collect: globalaccelerator \
                 list-listeners, and list-endpoint-groups of each listener",
                &**arn
            );
            ingress(found, arn, why, &accelerator.source, exits);
        }
    }
}

/// R-DATA-9: whether the listeners of an accelerator are collected, and the endpoint groups of each: both calls answer
/// for one accelerator or listener alone.
fn is_whole(facts: &Facts<'_>, accelerator: &str) -> bool {
    let inventories = facts.inventories;
    let prefix = format!("{accelerator}/");
    let listeners = inventories.listeners.iter().map(|listener| &*listener.listener_arn);
    let mut listeners = listeners.filter(|arn| arn.starts_with(&prefix)).peekable();
    let listed = listeners.peek().is_some() || inventories.asked("Listeners", accelerator);
    listed && listeners.all(|listener| has_groups(facts, listener))
}

fn has_groups(facts: &Facts<'_>, listener: &str) -> bool {
    let prefix = format!("{listener}/");
    let mut groups = facts.inventories.endpoint_groups.iter();
    groups.any(|group| group.endpoint_group_arn.starts_with(&prefix) && group.endpoint_descriptions.is_some())
        || facts.inventories.asked("EndpointGroups", listener)
}

/// R-EDGE-3: the origin's subnets; the inbound ACL is not evaluated.
fn vpc_origins(facts: &Facts<'_>, found: &mut Found) {
    for origin in &facts.inventories.vpc_origins {
        let configured = origin.vpc_origin_endpoint_config.as_ref().map(|config| &config.arn);
        let arn = configured.filter(|arn| !arn.is_empty()).unwrap_or(&origin.origin_endpoint_arn);
        let exits = facts.exits_with_named_groups(&facts.landing(arn, "", ""), is_origin_group);
        let why = format!("{} is a CloudFront VPC origin that leads to {}", &*origin.id, &**arn);
        ingress(found, &origin.id, why, &origin.source, exits);
    }
}

/// R-EDGE-6: VPC links of HTTP APIs by interfaces in subnets, those of REST APIs by a network load balancer.
fn vpc_links(facts: &Facts<'_>, found: &mut Found) {
    for link in facts.inventories.upper_items.iter().filter(|item| !item.vpc_link_id.is_empty()) {
        let exits = facts.service_exits(&link.subnet_ids, &link.security_group_ids, link.scope);
        let why = format!(
            "{} is a VPC link of API Gateway: what its APIs call is not modelled",
            &*link.vpc_link_id
        );
        ingress(found, &link.vpc_link_id, why, &link.source, exits);
    }
    for link in facts.inventories.lower_items.iter().filter(|item| !item.target_arns.is_empty()) {
        let exits = link.target_arns.iter().flat_map(|arn| balancer_exits(facts, arn)).collect();
        let why = format!("{} is a VPC link of API Gateway: what its APIs call is not modelled", &*link.id);
        ingress(found, &link.id, why, &link.source, exits);
    }
}

/// R-EDGE-4: by the endpoint's interfaces; any address of a client where that is preserved.
fn connect_endpoints(facts: &Facts<'_>, found: &mut Found) {
    for endpoint in facts.inventories.connect_endpoints.iter().filter(|endpoint| !is_gone(&endpoint.state)) {
        let shown = &endpoint.network_interface_ids;
        let mut exits: Vec<Exit> = shown.iter().filter_map(|id| facts.interface(id)).map(relayed).collect();
        if exits.is_empty() || exits.len() < shown.len() {
            let subnet = std::slice::from_ref(&endpoint.subnet_id);
            exits.extend(facts.service_exits(subnet, &endpoint.security_group_ids, endpoint.scope));
        }
        let id = &endpoint.instance_connect_endpoint_id;
        let why = format!("{} is an EC2 Instance Connect Endpoint (requires IAM)", &**id);
        ingress(found, id, why, &endpoint.source, exits);
    }
}

/// R-EDGE-5: by interfaces in the subnets of what the endpoint leads to, with the endpoint's groups.
fn verified_access(facts: &Facts<'_>, found: &mut Found) {
    for endpoint in &facts.inventories.verified_access {
        let id = &endpoint.verified_access_endpoint_id;
        if endpoint.status.as_ref().is_some_and(|status| is_gone(&status.code)) {
            continue;
        }
        let groups = facts.group_refs(&endpoint.security_group_ids);
        let exits =
            verified_access_subnets(facts, endpoint).into_iter().map(|subnet| hidden(subnet, groups.clone()));
        let why = format!("{} is a Verified Access endpoint (requires authentication)", &**id);
        ingress(found, id, why, &endpoint.source, exits.collect());
    }
}

fn verified_access_subnets(facts: &Facts<'_>, endpoint: &Placed<VerifiedAccessEndpoint>) -> Vec<SubnetId> {
    let kinds = [
        &endpoint.load_balancer_options,
        &endpoint.network_interface_options,
        &endpoint.rds_options,
        &endpoint.cidr_options,
    ];
    let targets = kinds.into_iter().flatten().flat_map(verified_access_targets);
    let found: Vec<SubnetId> = targets
        .filter(|target| !target.is_empty())
        .flat_map(|target| facts.landing(target, facts.account(endpoint.scope), ""))
        .collect();
    if found.is_empty() { facts.subnets_of_scope(endpoint.scope) } else { found }
}

fn verified_access_targets(options: &VerifiedAccessTarget) -> impl Iterator<Item = &Name> {
    options.subnet_ids.iter().chain([&options.load_balancer_arn, &options.network_interface_id])
}

/// R-VPN-9: by interfaces in the associated subnets; in any subnet of the VPC if the associations are not collected.
fn client_vpns(facts: &Facts<'_>, found: &mut Found) {
    for network in facts.inventories.client_vpn_networks.iter() {
        if network.status.as_ref().is_some_and(|status| is_gone(&status.code)) {
            continue;
        }
        let subnet = std::slice::from_ref(&network.target_network_id);
        let exits = facts.service_exits(subnet, &network.security_groups, network.scope);
        ingress(
            found,
            &network.client_vpn_endpoint_id,
            client_vpn_why(&network.client_vpn_endpoint_id),
            &network.source,
            exits,
        );
    }
    for vpn in &facts.inventories.client_vpns {
        let id = &vpn.client_vpn_endpoint_id;
        if vpn.status.as_ref().is_some_and(|status| is_gone(&status.code)) {
            continue;
        }
        let subnets: Vec<Name> =
            vpn.associated_target_networks.iter().map(|network| network.network_id.clone()).collect();
        if !subnets.is_empty() {
            let exits = facts.service_exits(&subnets, &vpn.security_group_ids, vpn.scope);
            ingress(found, id, client_vpn_why(id), &vpn.source, exits);
        } else if !has_networks(facts, id) {
            let groups = facts.group_refs(&vpn.security_group_ids);
            let vpc = facts.vpc(&vpn.vpc_id).map(|vpc| facts.vpc_subnets(vpc).to_vec());
            let subnets = vpc.unwrap_or_else(|| facts.subnets_of_scope(vpn.scope));
            let exits = subnets.into_iter().map(|subnet| hidden(subnet, groups.clone())).collect();
            ingress(found, id, client_vpn_why(id), &vpn.source, exits);
        }
    }
}

/// R-VERDICT-6, R-VPN-9: clients of an endpoint that hangs on a transit gateway come in by its attachment.
fn client_vpn_attachments(facts: &Facts<'_>, found: &mut Found) {
    let attachments = facts.snapshot.attachments.iter();
    let there =
        |row: &TgwAttachment| &*row.kind == "client-vpn" && !row.state.as_deref().is_some_and(is_gone);
    for (id, row) in attachments.filter(|(_, row)| there(row)) {
        let name = &row.meta.id;
        ingress(found, name, client_vpn_why(name), &row.meta.source, vec![Exit::Attachment(id)]);
    }
}

/// R-DATA-9: whether the associations of this endpoint are collected: the call answers for one endpoint alone.
fn has_networks(facts: &Facts<'_>, vpn: &str) -> bool {
    let mut networks = facts.inventories.client_vpn_networks.iter();
    networks.any(|network| &*network.client_vpn_endpoint_id == vpn)
        || facts.inventories.asked("ClientVpnTargetNetworks", vpn)
}

fn client_vpn_why(id: &str) -> String {
    format!(
        "{id} is a Client VPN endpoint (requires authentication): its routes and authorisation rules are not modelled"
    )
}

/// R-DATA-11: an interface that a managed ingress left in the VPC.
fn hinted_interface(
    facts: &Facts<'_>,
    (id, interface): (EniId, &Interface),
    listed: bool,
    found: &mut Found,
) {
    let Some(Hint { what, calls }) = hint_of(facts, interface, listed) else { return };
    let eni = &interface.meta.id;
    let why = format!("{eni} ({what}) could carry traffic of a managed ingress; collect: {calls}");
    let mut exits = vec![relayed(id)];
    if UNLISTED.contains(&calls) {
        exits.extend(past_lists(facts, interface));
    }
    ingress(found, eni, why, &interface.meta.source, exits);
}

/// The services whose traffic no inbound ACL filters (R-NACL-10), by the calls that list them.
const UNLISTED: [&str; 2] = [ACCELERATOR_CALLS, ORIGIN_CALLS];

/// R-NACL-10: into every subnet of the interface's VPC, past the inbound ACL, with the interface's groups.
fn past_lists(facts: &Facts<'_>, interface: &Interface) -> Vec<Exit> {
    let mut groups = interface.groups.clone().unwrap_or_default();
    groups.sort();
    let subnets = interface.vpc.known().map_or(&[][..], |vpc| facts.vpc_subnets(vpc));
    subnets.iter().map(|subnet| hidden(*subnet, groups.clone())).collect()
}

const ACCELERATOR_CALLS: &str = "globalaccelerator list-accelerators, list-listeners, list-endpoint-groups";
const ORIGIN_CALLS: &str = "cloudfront list-vpc-origins";
const LINK_CALLS: &str = "apigatewayv2 get-vpc-links, apigateway get-vpc-links";
const CONNECT_CALLS: &str = "ec2 describe-instance-connect-endpoints";
const VERIFIED_CALLS: &str = "ec2 describe-verified-access-endpoints";
const CLIENT_VPN_CALLS: &str = "ec2 describe-client-vpn-endpoints, describe-client-vpn-target-networks";

/// What an interface gives away: the service, and the calls that would tell more.
struct Hint<'a> {
    what: &'a str,
    calls: &'static str,
}

/// What an interface gives away. Types are evidence even beside a collected inventory; words in descriptions only
/// stand in for one that was not collected, or that does not list what a service made there (R-DATA-5). The inventory of
/// one account says nothing about the interfaces of another (R-ADDR-13).
fn hint_of<'a>(facts: &Facts<'_>, interface: &'a Interface, listed: bool) -> Option<Hint<'a>> {
    let hint = |what, calls| Some(Hint { what, calls });
    let meta = &interface.meta;
    let account = |call| facts.owns(meta) && facts.collected_in_account(meta.scope, call);
    let explained = listed || facts.owns(meta) && !interface.requester_managed;
    let here = |call| explained && facts.collected(meta.scope, call);
    let description = interface.description.to_ascii_lowercase();
    let says = |words: &str| description.contains(words);
    let tagged = |prefix: &str| interface.meta.tags.keys().any(|key| key.starts_with(prefix));
    match kind_of(interface) {
        "globalacceleratormanaged" => return hint("global_accelerator_managed", ACCELERATOR_CALLS),
        "apigatewaymanaged" => return hint("api_gateway_managed", LINK_CALLS),
        _ => {}
    }
    if says("ec2 instance connect endpoint") && !here("ec2 describe-instance-connect-endpoints") {
        return hint("EC2 Instance Connect Endpoint", CONNECT_CALLS);
    }
    if says("verified access") && !here("ec2 describe-verified-access-endpoints") {
        return hint("Verified Access", VERIFIED_CALLS);
    }
    if says("clientvpn endpoint") && !here("ec2 describe-client-vpn-endpoints") {
        return hint("Client VPN", CLIENT_VPN_CALLS);
    }
    let origin = tagged("aws.cloudfront.vpcorigin")
        || says("cloudfront")
        || carries(facts, interface, is_origin_group);
    if origin && !account("cloudfront list-vpc-origins") {
        return hint("CloudFront VPC origin", ORIGIN_CALLS);
    }
    let accelerated = carries(facts, interface, is_accelerator_group);
    if accelerated && !account("globalaccelerator list-accelerators") {
        return hint("GlobalAccelerator group", ACCELERATOR_CALLS);
    }
    None
}

fn is_accelerator_group(name: &str) -> bool {
    name == "GlobalAccelerator"
}

fn is_origin_group(name: &str) -> bool {
    name.starts_with("CloudFront-VPCOrigins-Service-SG")
}

/// Whether a group of this name is that of a managed ingress.
pub(super) fn is_service_group(name: &str) -> bool {
    GROUP_HINTS.iter().any(|hint| (hint.wanted)(name))
}

fn carries(facts: &Facts<'_>, interface: &Interface, wanted: fn(&str) -> bool) -> bool {
    let groups = interface.groups.iter().flatten().filter_map(Ref::known);
    groups.filter_map(|id| facts.snapshot.groups.get(id)).any(|group| wanted(&group.group_name))
}

/// A service group whose mere reference in a rule is a hint (R-DATA-11).
struct GroupHint {
    wanted: fn(&str) -> bool,
    call: &'static str,
    calls: &'static str,
}

const GROUP_HINTS: &[GroupHint] = &[
    GroupHint {
        wanted: is_accelerator_group,
        call: "globalaccelerator list-accelerators",
        calls: ACCELERATOR_CALLS,
    },
    GroupHint { wanted: is_origin_group, call: "cloudfront list-vpc-origins", calls: ORIGIN_CALLS },
];

/// R-DATA-11: a rule that admits a service's group says that the service sends to the interfaces behind that rule.
fn referenced_groups(facts: &Facts<'_>, hint: &GroupHint, found: &mut Found) {
    let groups = facts.snapshot.groups.iter();
    let wanted: Vec<(GroupId, &SecurityGroup)> = groups
        .filter(|(_, group)| {
            let own = facts.owns(&group.meta);
            (hint.wanted)(&group.group_name)
                && !(own && facts.collected_in_account(group.meta.scope, hint.call))
        })
        .collect();
    for (service, group) in wanted {
        let admitting = admitting_groups(facts, |rule| is_reference(rule, service));
        let exits = subnets_carrying(facts, &admitting)
            .into_iter()
            .map(|subnet| hidden(subnet, vec![Ref::Known(service)]));
        let exits: Vec<Exit> = exits.collect();
        if !exits.is_empty() {
            let id = &group.meta.id;
            let why = format!(
                "{id} ({}) is a managed ingress's group that rules admit; collect: {}",
                group.group_name, hint.calls
            );
            ingress(found, id, why, &group.meta.source, exits);
        }
    }
}

fn is_reference(rule: &GroupRule, wanted: GroupId) -> bool {
    matches!(&rule.peer, GroupPeer::Group(reference) if reference.group == Ref::Known(wanted))
}

/// The groups with an ingress rule that `admits` accepts, ascending.
pub(super) fn admitting_groups(facts: &Facts<'_>, admits: impl Fn(&GroupRule) -> bool) -> Vec<GroupId> {
    let groups = facts.snapshot.groups.iter();
    groups.filter(|(_, group)| group.ingress.iter().flatten().any(&admits)).map(|(id, _)| id).collect()
}

/// The subnets of the interfaces that carry one of these groups.
pub(super) fn subnets_carrying(facts: &Facts<'_>, groups: &[GroupId]) -> Vec<SubnetId> {
    if groups.is_empty() {
        return Vec::new();
    }
    let carries = |interface: &&Interface| {
        interface.groups.iter().flatten().filter_map(Ref::known).any(|id| groups.binary_search(&id).is_ok())
    };
    let carrying = facts.snapshot.interfaces.values().filter(carries);
    let subnets: BTreeSet<SubnetId> = carrying.flat_map(subnets_of).collect();
    subnets.into_iter().collect()
}
