//! AWS services as selectors name them: by their endpoints, and by the public addresses that lists show.

use std::collections::BTreeSet;

use ipnet::IpNet;
use reachproof_model::id::ScopeId;
use reachproof_model::policy::hint;
use reachproof_model::snapshot::{Endpoint, EndpointKind, PrefixList};

use super::{Meaning, Region, SelectionError, Spot, common, endpoint_spots, everything, public_space};
use crate::network::{Network, list_is_settled};

/// Services that a selector may name although the snapshot shows neither an endpoint nor a prefix list of them, by the
/// last parts of their names. Any other name that nothing shows is taken for a slip.
const WELL_KNOWN: [&str; 48] = [
    "airflow.api",
    "application-autoscaling",
    "athena",
    "autoscaling",
    "bedrock",
    "bedrock-agent",
    "bedrock-agent-runtime",
    "bedrock-runtime",
    "cloudformation",
    "cloudtrail",
    "codeartifact.api",
    "codeartifact.repositories",
    "codecommit",
    "comprehend",
    "dynamodb",
    "ec2",
    "ec2messages",
    "ecr.api",
    "ecr.dkr",
    "ecs",
    "eks",
    "elasticfilesystem",
    "elasticloadbalancing",
    "events",
    "execute-api",
    "glue",
    "kinesis-firehose",
    "kinesis-streams",
    "kms",
    "lambda",
    "logs",
    "monitoring",
    "notebook",
    "rds",
    "redshift",
    "s3",
    "s3express",
    "sagemaker.api",
    "sagemaker.featurestore-runtime",
    "sagemaker.metrics",
    "sagemaker.runtime",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
    "ssmmessages",
    "sts",
    "studio",
];

/// The endpoints of one service, or the gateway endpoints of all.
pub(super) fn spots(network: &Network<'_>, name: Option<&str>) -> Vec<Spot> {
    let rows = network.snapshot.endpoints.iter();
    let wanted = rows.filter(|(_, endpoint)| match name {
        Some(name) => is_service(&endpoint.service, name),
        None => endpoint.kind == EndpointKind::Gateway,
    });
    wanted.flat_map(|(id, _)| endpoint_spots(network, id)).collect()
}

/// Whether `com.amazonaws.<region>.<name>` or the like is the service of this name.
fn is_service(service: &str, name: &str) -> bool {
    service == name || service.strip_suffix(name).is_some_and(|head| head.ends_with('.'))
}

/// An AWS service: its endpoints, and its public addresses, which are the internet's as far as packets go (R-IGW-11).
/// Where the lists of a Region do not show those of a family, they may be any public ones. An endpoint's interface that no
/// answer explains may be that of any service (R-DATA-3).
///
/// # Errors
/// If nothing is known of a service with this name.
pub(super) fn add(network: &Network<'_>, region: &mut Region, name: &str) -> Result<(), SelectionError> {
    require_known(network, name)?;
    spots(network, Some(name)).into_iter().for_each(|spot| region.add_all(spot));
    for id in network.unnamed_endpoint_interfaces() {
        region.add(Spot::Interface(id), everything(), Meaning::Perhaps);
    }
    for is_v4 in [true, false] {
        region.add(Spot::Internet, listed_of(network, name, is_v4), Meaning::Among);
        if !all_listed(network, name, is_v4) {
            region.add(Spot::Internet, of_family(&public_space(), is_v4), Meaning::Perhaps);
        }
    }
    Ok(())
}

/// R-PL-1: the lists in which AWS shows addresses of a service. What a customer calls a list of its own says nothing.
fn lists_of<'n>(network: &'n Network<'_>, name: &str) -> impl Iterator<Item = &'n PrefixList> {
    let lists = network.snapshot.prefix_lists.values();
    lists.filter(move |list| {
        let named = of_region(&list.list_name).is_some_and(|(_, service)| service == name);
        list.aws_managed && (named || *list.list_name == *name)
    })
}

/// The Region and the service in the name of a list of AWS, `com.amazonaws.us-east-1.s3`.
fn of_region(list: &str) -> Option<(&str, &str)> {
    list.strip_prefix("com.amazonaws.")?.split_once('.')
}

fn listed_of(network: &Network<'_>, name: &str, is_v4: bool) -> Vec<IpNet> {
    let blocks: Vec<IpNet> =
        lists_of(network, name).filter_map(|list| list.entries.as_ref()).flatten().copied().collect();
    of_family(&blocks, is_v4)
}

/// R-DATA-3: whether every Region of the snapshot that has a VPC shows the addresses of a service.
fn all_listed(network: &Network<'_>, name: &str, is_v4: bool) -> bool {
    let scopes: BTreeSet<ScopeId> = network.snapshot.vpcs.values().map(|vpc| vpc.meta.scope).collect();
    let shows = |list: &PrefixList| {
        let entries = list.entries.as_deref().unwrap_or_default();
        entries.iter().any(|block| block.addr().is_ipv4() == is_v4)
    };
    scopes.into_iter().all(|scope| {
        let own = || lists_of(network, name).filter(move |list| is_for(network, list, name, scope));
        own().any(shows) && own().all(|list| list.entries.is_some() && list_is_settled(list))
    })
}

/// Whether a list of a service is that of a Region: by its name, or, where the input does not tell the Region, because the
/// Region showed it.
fn is_for(network: &Network<'_>, list: &PrefixList, name: &str, scope: ScopeId) -> bool {
    let here = &network.snapshot.scopes[scope].region;
    let there = of_region(&list.list_name).map_or("", |(region, _)| region);
    let everywhere = there == "global" || *list.list_name == *name;
    everywhere || if here.is_empty() { list.meta.scope == scope } else { **here == *there }
}

fn of_family(blocks: &[IpNet], is_v4: bool) -> Vec<IpNet> {
    blocks.iter().filter(|block| block.addr().is_ipv4() == is_v4).copied().collect()
}

fn require_known(network: &Network<'_>, name: &str) -> Result<(), SelectionError> {
    let endpoints = network.snapshot.endpoints.values().map(|endpoint| &*endpoint.service);
    let lists = network.snapshot.prefix_lists.values().filter(|list| list.aws_managed);
    let lists = lists.map(|list| &*list.list_name);
    let shown: Vec<&str> = endpoints.chain(lists).collect();
    if shown.iter().any(|service| is_service(service, name))
        || WELL_KNOWN.iter().any(|service| is_service(name, service))
    {
        return Ok(());
    }
    let hint = hint(name, shown.into_iter().map(short).chain(WELL_KNOWN));
    Err(SelectionError::of(format!(
        "selector `service:{name}` matches nothing in the snapshot: no endpoint and no prefix list is of that service, and it is none that reachproof knows{hint}"
    )))
}

/// The part of a service's name that people write.
fn short(service: &str) -> &str {
    let rest = service.strip_prefix("com.amazonaws.").and_then(|rest| rest.split_once('.'));
    rest.map_or(service, |(_, name)| name)
}

/// R-VPCE-2: the services behind gateway endpoints whose lists hold a part of a range, or are not known.
pub(super) fn add_behind_endpoints(network: &Network<'_>, region: &mut Region, range: IpNet) {
    let endpoints = network.snapshot.endpoints.iter();
    for (id, endpoint) in endpoints.filter(|(_, endpoint)| endpoint.kind == EndpointKind::Gateway) {
        let (blocks, meaning) = match listed(network, endpoint) {
            Some(entries) => {
                (entries.iter().filter_map(|block| common(block, &range)).collect(), Meaning::Among)
            }
            None => (vec![range], Meaning::Perhaps),
        };
        region.add(Spot::Service(id), blocks, meaning);
    }
}

/// The addresses of an endpoint's service; `None` where no list shows them.
fn listed(network: &Network<'_>, endpoint: &Endpoint) -> Option<Vec<IpNet>> {
    let lists = network.snapshot.prefix_lists.values();
    let entries: Vec<&Vec<IpNet>> = lists
        .filter(|list| list.aws_managed && list.list_name == endpoint.service)
        .map(|list| list.entries.as_ref())
        .collect::<Option<_>>()?;
    (!entries.is_empty()).then(|| entries.into_iter().flatten().copied().collect())
}
