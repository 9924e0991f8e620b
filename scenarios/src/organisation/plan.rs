//! Which accounts and VPCs there are, and how large they are: the whole organisation in a few words a VPC.

use std::collections::BTreeMap;

use ipnet::Ipv4Net;

use super::block::{PODS, POOL_SIZE, Pool};
use super::choice::{Choices, hashed, id};
use super::{Parameters, ParametersError};
use crate::expand::Place;

/// What a VPC is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Archetype {
    /// Load balancers, applications, databases.
    ThreeTier,
    /// Training and notebooks without internet, with endpoints.
    MachineLearning,
    /// A Kubernetes cluster with delegated prefixes and secondary addresses.
    Kubernetes,
    /// Shared services: names, builds, monitoring, a bastion.
    Shared,
    /// Appliances between production and the internet.
    Inspection,
    /// NAT gateways for development.
    Egress,
}

impl Archetype {
    /// Its name in tags.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ThreeTier => "three-tier",
            Self::MachineLearning => "ml",
            Self::Kubernetes => "kubernetes",
            Self::Shared => "shared",
            Self::Inspection => "inspection",
            Self::Egress => "egress",
        }
    }
}

/// Whom a VPC serves.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Environment {
    /// Customers.
    Production,
    /// Developers.
    Development,
    /// Everybody: the network account.
    Network,
}

impl Environment {
    /// Its name in tags.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Production => "prod",
            Self::Development => "dev",
            Self::Network => "network",
        }
    }

    fn pool(self) -> Pool {
        match self {
            Self::Production => Pool::PRODUCTION,
            Self::Development => Pool::DEVELOPMENT,
            Self::Network => Pool::NETWORK,
        }
    }
}

/// One VPC.
#[derive(Clone, Debug)]
pub(super) struct Vpc {
    /// Its number in the organisation.
    pub(super) number: u32,
    /// Its id.
    pub(super) id: String,
    /// Its name, unique in the organisation.
    pub(super) name: String,
    pub(super) archetype: Archetype,
    pub(super) environment: Environment,
    /// The number of its account: 0 is the network account.
    pub(super) account: u32,
    /// The number of its Region.
    pub(super) region: u32,
    /// Its first block.
    pub(super) block: Ipv4Net,
    /// Whether it has IPv6, too.
    pub(super) ipv6: bool,
    /// How many interfaces it is to have.
    pub(super) size: u32,
}

impl Vpc {
    /// How many zones it uses.
    pub(super) fn zones(&self) -> u32 {
        if self.size < SMALL && self.environment != Environment::Network { 2 } else { 3 }
    }

    /// Its IPv4 blocks.
    pub(super) fn blocks(&self) -> Vec<Ipv4Net> {
        let pods = (self.archetype == Archetype::Kubernetes).then_some(PODS);
        std::iter::once(self.block).chain(pods).collect()
    }
}

/// Workload VPCs with fewer interfaces use two zones instead of three.
const SMALL: u32 = 150;
/// Regions that organisations grow into, in this order.
pub(super) const REGIONS: [&str; 4] = ["us-east-1", "eu-west-1", "ap-southeast-2", "us-west-2"];

/// VPCs of an account, which takes turns through these.
const TURNS: [Archetype; 4] =
    [Archetype::ThreeTier, Archetype::MachineLearning, Archetype::Kubernetes, Archetype::ThreeTier];
/// VPCs of a workload account.
const VPCS_OF_ACCOUNT: u32 = 4;
/// The VPCs of the network account in each Region.
const HUBS: [Archetype; 3] = [Archetype::Shared, Archetype::Inspection, Archetype::Egress];
/// The most interfaces that a VPC of average size may have: its subnets hold half as many again.
const MOST_IN_VPC: u32 = 3_000;

/// All VPCs: the hubs of each Region first, then those of one workload account after another.
pub(super) fn vpcs(parameters: &Parameters) -> Result<Vec<Vpc>, ParametersError> {
    check(parameters)?;
    let mut numbers: BTreeMap<Environment, u32> = BTreeMap::new();
    let mut all: Vec<Vpc> = Vec::new();
    for region in 0..parameters.regions {
        for archetype in HUBS {
            let draft = (archetype, Environment::Network, 0, region);
            all.push(vpc(parameters, draft, &mut numbers, all.len()));
        }
    }
    for index in 0..parameters.vpcs {
        all.push(vpc(parameters, workload(parameters, index), &mut numbers, all.len()));
    }
    share(parameters, &mut all);
    Ok(all)
}

/// The archetype, environment, account and Region of the workload VPC of that index.
fn workload(parameters: &Parameters, index: u32) -> (Archetype, Environment, u32, u32) {
    let (account, turn) = (index / VPCS_OF_ACCOUNT, index % VPCS_OF_ACCOUNT);
    let environment =
        if account.is_multiple_of(2) { Environment::Production } else { Environment::Development };
    let regions = parameters.regions;
    let region = (turn * regions / VPCS_OF_ACCOUNT + account / 2) % regions;
    let place = usize::try_from(turn + account / 2).unwrap_or(0) % TURNS.len();
    let archetype = TURNS.get(place).copied().unwrap_or(Archetype::ThreeTier);
    (archetype, environment, account + 1, region)
}

fn vpc(
    parameters: &Parameters,
    (archetype, environment, account, region): (Archetype, Environment, u32, u32),
    numbers: &mut BTreeMap<Environment, u32>,
    index: usize,
) -> Vpc {
    let number = u32::try_from(index).unwrap_or(u32::MAX);
    let next = numbers.entry(environment).or_default();
    let block = environment.pool().block(*next);
    *next += 1;
    let path = [u64::from(number)];
    let mut choices = Choices::about(parameters.seed, &[1, u64::from(number)]);
    let serves_workloads = environment != Environment::Network;
    Vpc {
        number,
        id: id(parameters.seed, "vpc", &path),
        name: format!("{}-{}-{number}", environment.name(), archetype.name()),
        archetype,
        environment,
        account,
        region,
        block,
        ipv6: serves_workloads && choices.chance(parameters.ipv6_percent),
        size: 0,
    }
}

/// Gives the hubs what they need and the rest to the others, some of which are up to twice as large as others.
fn share(parameters: &Parameters, all: &mut [Vpc]) {
    let weight = |vpc: &Vpc| match vpc.archetype {
        Archetype::Shared => 1,
        _ => 2 + Choices::about(parameters.seed, &[2, u64::from(vpc.number)]).below(3),
    };
    let fixed: u32 = all.iter().filter_map(|vpc| fixed_size(vpc.archetype)).sum();
    let shared = |vpc: &&Vpc| fixed_size(vpc.archetype).is_none();
    let mut left = u64::from(parameters.interfaces.saturating_sub(fixed));
    let mut weights: u64 = all.iter().filter(shared).map(|vpc| u64::from(weight(vpc))).sum();
    for vpc in all {
        vpc.size = fixed_size(vpc.archetype).unwrap_or_else(|| {
            let own = u64::from(weight(vpc));
            let size = left * own / weights.max(1);
            (left, weights) = (left - size, weights - own);
            u32::try_from(size).unwrap_or(u32::MAX)
        });
    }
}

/// How many interfaces a hub has that holds nothing but gateways and appliances: one of each in each zone.
fn fixed_size(archetype: Archetype) -> Option<u32> {
    match archetype {
        Archetype::Inspection => Some(9),
        Archetype::Egress => Some(6),
        _ => None,
    }
}

fn check(parameters: &Parameters) -> Result<(), ParametersError> {
    let regions = u32::try_from(REGIONS.len()).unwrap_or(0);
    let wrong = |what: String| Err(ParametersError::new(what));
    if !(1..=regions).contains(&parameters.regions) {
        return wrong(format!("{} Regions: expected 1 to {regions}", parameters.regions));
    }
    if !(1..=2 * POOL_SIZE).contains(&parameters.vpcs) {
        return wrong(format!("{} VPCs: expected 1 to {}", parameters.vpcs, 2 * POOL_SIZE));
    }
    if parameters.interfaces / parameters.vpcs > MOST_IN_VPC {
        return wrong(format!(
            "{} interfaces in {} VPCs: expected at most {MOST_IN_VPC} a VPC",
            parameters.interfaces, parameters.vpcs
        ));
    }
    if parameters.ipv6_percent > 100 {
        return wrong(format!("IPv6 in {} % of VPCs: expected at most 100", parameters.ipv6_percent));
    }
    Ok(())
}

/// Where a VPC is described.
pub(super) fn place(seed: u64, account: u32, region: u32) -> Place {
    let index = usize::try_from(region).unwrap_or(0);
    let region = REGIONS.get(index).copied().unwrap_or_default();
    Place { account: account_id(seed, account), region: region.to_owned() }
}

/// The id of an account: twelve digits, the last ones of which are its number.
pub(super) fn account_id(seed: u64, account: u32) -> String {
    let head = 100_000 + hashed(seed, "account", &[]) % 900_000;
    format!("{head}{account:06}")
}
