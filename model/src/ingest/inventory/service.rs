//! Endpoint services: what their consumers can reach in the provider's VPC (section 10.3).

use super::dto::{Placed, ServiceConfiguration};
use super::facts::{Facts, is_gone};
use super::load_balancer::{Balancer, BalancerKind};
use super::{Found, Paths};
use crate::snapshot::{ComponentKind, Endpoint, Entry, Exit};

const CONFIGURATIONS: &str = "ec2 describe-vpc-endpoint-service-configurations";
const CONNECTIONS: &str = "ec2 describe-vpc-endpoint-connections";

pub(super) fn find(facts: &Facts<'_>, found: &mut Found) {
    for service in &facts.inventories.services {
        configured(facts, service, found);
    }
    for balancer in facts.balancers().iter().filter(|balancer| may_front_a_service(facts, balancer)) {
        hinted(facts, balancer, found);
    }
}

/// R-VPCE-9, R-VPCE-11: consumers enter at the nodes of the service's network load balancers. Their security groups
/// may be off for PrivateLink (R-VPCE-10), so nothing filters the way in.
fn configured(facts: &Facts<'_>, service: &Placed<ServiceConfiguration>, found: &mut Found) {
    if is_gone(&service.service_state) || service.network_load_balancer_arns.is_empty() {
        return;
    }
    let arns = service.network_load_balancer_arns.iter();
    let exits = arns.flat_map(|arn| balancer_exits(facts, arn));
    let paths = Paths::new(consumers(facts, service), exits.collect::<Vec<_>>());
    let why = format!(
        "{} is an endpoint service: what its consumers send through its load balancers is not modelled (A-28)",
        &*service.service_id
    );
    found.add(ComponentKind::EndpointService, &service.service_id, why, &service.source, paths);
}

/// Where a load balancer named by its ARN sends to; its subnets if the snapshot shows neither it nor its nodes.
pub(super) fn balancer_exits(facts: &Facts<'_>, arn: &str) -> Vec<Exit> {
    let mut known = facts.balancers_of(arn).peekable();
    if known.peek().is_some() {
        return known.filter(|balancer| balancer.forwards()).flat_map(Balancer::exits).collect();
    }
    facts.exits_with_named_groups(&facts.landing(arn, "", ""), |_| false)
}

/// R-VPCE-11: the accepted endpoints if acceptance is required and the list of connections is complete; otherwise
/// anyone, and every endpoint of the snapshot that names the service.
fn consumers(facts: &Facts<'_>, service: &Placed<ServiceConfiguration>) -> Vec<Entry> {
    let connections = facts.inventories.service_connections.iter();
    let accepted = connections.filter(|connection| {
        connection.service_id == service.service_id && is_accepted(&connection.vpc_endpoint_state)
    });
    let accepted: Vec<&str> = accepted.map(|connection| &*connection.vpc_endpoint_id).collect();
    let endpoints = facts.snapshot.endpoints.values();
    let own: Vec<&Endpoint> = endpoints
        .filter(|endpoint| {
            *endpoint.service == *service.service_name || accepted.contains(&&*endpoint.meta.id)
        })
        .collect();
    let complete = service.acceptance_required.is_set() && facts.collected(service.scope, CONNECTIONS);
    let all_shown = accepted
        .iter()
        .all(|id| own.iter().any(|endpoint| *endpoint.meta.id == **id && shows_interfaces(endpoint)));
    let stranger = (!complete || !all_shown).then_some(Entry::Anywhere);
    own.into_iter().flat_map(endpoint_entries).chain(stranger).collect()
}

fn is_accepted(state: &str) -> bool {
    !is_gone(state) && !state.eq_ignore_ascii_case("pendingAcceptance")
}

fn shows_interfaces(endpoint: &Endpoint) -> bool {
    !endpoint.interfaces.is_empty() && endpoint.interfaces.iter().all(|interface| interface.known().is_some())
}

fn endpoint_entries(endpoint: &Endpoint) -> impl Iterator<Item = Entry> {
    endpoint.interfaces.iter().filter_map(|interface| interface.known()).map(Entry::Interface)
}

/// R-DATA-11: a network load balancer that can forward is the only trace of an endpoint service or of a VPC link of
/// API Gateway's REST APIs.
fn may_front_a_service(facts: &Facts<'_>, balancer: &Balancer) -> bool {
    balancer.kind == BalancerKind::Network
        && balancer.forwards()
        && !facts.collected(balancer.scope, CONFIGURATIONS)
}

fn hinted(facts: &Facts<'_>, balancer: &Balancer, found: &mut Found) {
    let endpoints =
        facts.snapshot.endpoints.values().filter(|endpoint| is_of_unknown_service(facts, endpoint));
    let entries = endpoints.flat_map(endpoint_entries).chain([Entry::Anywhere]);
    let why = format!(
        "{} is a network load balancer that an endpoint service or a REST API's VPC link may front; collect: \
         {CONFIGURATIONS}, describe-vpc-endpoint-connections, describe-vpc-endpoint-service-permissions",
        balancer.id
    );
    let paths = Paths::new(entries, balancer.exits());
    found.add(ComponentKind::EndpointService, &balancer.id, why, &balancer.source, paths);
}

/// Whether an interface endpoint leads to a customer's service that no inventory describes.
fn is_of_unknown_service(facts: &Facts<'_>, endpoint: &Endpoint) -> bool {
    endpoint.service.starts_with("com.amazonaws.vpce.")
        && !facts.inventories.services.iter().any(|service| *service.service_name == *endpoint.service)
}
