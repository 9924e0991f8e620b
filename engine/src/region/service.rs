//! AWS services as selectors name them: by their endpoints, and by the public addresses that lists show.

use ipnet::IpNet;
use reachproof_model::policy::hint;
use reachproof_model::snapshot::{Endpoint, EndpointKind};

use super::{Meaning, Region, SelectionError, Spot, common, endpoint_spots, everything, public_space};
use crate::network::Network;

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
/// Where no list shows those of a family, they may be any public ones. An endpoint's interface that no answer explains may be
/// that of any service (R-DATA-3).
///
/// # Errors
/// If nothing is known of a service with this name.
pub(super) fn add(network: &Network<'_>, region: &mut Region, name: &str) -> Result<(), SelectionError> {
    require_known(network, name)?;
    spots(network, Some(name)).into_iter().for_each(|spot| region.add_all(spot));
    for id in network.unnamed_endpoint_interfaces() {
        region.add(Spot::Interface(id), everything(), Meaning::Perhaps);
    }
    let lists = network.snapshot.prefix_lists.values().filter(|list| is_service(&list.list_name, name));
    let known: Vec<IpNet> = lists.filter_map(|list| list.entries.as_ref()).flatten().copied().collect();
    let unlisted = if known.is_empty() { Meaning::Unlisted } else { Meaning::Perhaps };
    for is_v4 in [true, false] {
        let listed = of_family(&known, is_v4);
        if listed.is_empty() {
            region.add(Spot::Internet, of_family(&public_space(), is_v4), unlisted);
        } else {
            region.add(Spot::Internet, listed, Meaning::Among);
        }
    }
    Ok(())
}

fn of_family(blocks: &[IpNet], is_v4: bool) -> Vec<IpNet> {
    blocks.iter().filter(|block| block.addr().is_ipv4() == is_v4).copied().collect()
}

fn require_known(network: &Network<'_>, name: &str) -> Result<(), SelectionError> {
    let endpoints = network.snapshot.endpoints.values().map(|endpoint| &*endpoint.service);
    let lists = network.snapshot.prefix_lists.values().map(|list| &*list.list_name);
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
        .filter(|list| list.list_name == endpoint.service)
        .map(|list| list.entries.as_ref())
        .collect::<Option<_>>()?;
    (!entries.is_empty()).then(|| entries.into_iter().flatten().copied().collect())
}
