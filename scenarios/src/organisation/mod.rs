//! A whole organisation from a seed: accounts, Regions and VPCs as the AWS CLI describes them.
//!
//! The main type is [`Organisation`], a plan of a few words a VPC. [`Organisation::described`] writes the answers of one
//! account and Region; nothing else is held, so the caller may write a million interfaces in bounded memory, in any
//! order and on any number of threads. [`Organisation::policy`] is a policy that holds for every organisation without
//! faults; [`Organisation::faults`] says what was planted against it.
//!
//! What there is: a network account with, in each Region, a transit gateway (tables for production, development and the
//! hubs, with blackholes for what is not listed), a VPC of shared services, one with inspecting appliances and one for
//! egress; and workload accounts, by turns production and development, with VPCs of three tiers, for machine learning,
//! and for Kubernetes. Sizes of workloads follow Zipf's law. How many classes of endpoints there are is an outcome.
//!
//! INVARIANT (order does not matter): every id and choice is a function of the seed, the parameters and what it is for.
//! INVARIANT (isolation by construction): without faults the policy holds; `docs/generator.md` says why.

mod archetype;
mod block;
mod choice;
mod fault;
mod name;
mod plan;
mod policy;
mod record;
mod row;
mod share;
mod site;
mod transit;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;

use serde_json::json;

pub use fault::{Fault, FaultKind, PlantedFault};
pub use record::{Change, Counts};

use crate::scenario::Document;
use choice::hashed;
use plan::Vpc;
use record::Record;
use row::gateway::block_public_access;
use row::network::zone;

/// What an organisation is made from. `docs/generator.md` says why the defaults are what they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parameters {
    /// Where all choices come from.
    pub seed: u64,
    /// How many network interfaces there are in all. Very small organisations have a few more, because every VPC needs
    /// its gateways.
    pub interfaces: u32,
    /// How many VPCs there are for workloads, four an account; those of the network account come on top.
    pub vpcs: u32,
    /// How many Regions, 1 to 4.
    pub regions: u32,
    /// How many interfaces a workload has on average: an application with its load balancer and databases, a training
    /// cluster, a group of nodes.
    pub workload: u32,
    /// In how many of a hundred workload VPCs there is IPv6.
    pub ipv6_percent: u32,
    /// How many faults are planted.
    pub faults: u32,
}

impl Parameters {
    /// The usual parameters for so many interfaces.
    pub fn of_size(seed: u64, interfaces: u32) -> Self {
        let one_region =
            Self { seed, interfaces, vpcs: 0, regions: 1, workload: 25, ipv6_percent: 25, faults: 0 };
        one_region.with_vpcs((interfaces / 1_000).max(8))
    }

    /// The same with so many VPCs, in as many Regions as is usual for them.
    #[must_use]
    pub fn with_vpcs(self, vpcs: u32) -> Self {
        Self { vpcs, regions: if vpcs < 16 { 1 } else { 2 }, ..self }
    }

    /// 16 hexadecimal digits that stand for all parameters and for [`FORMAT`].
    pub fn digest(&self) -> String {
        let sizes = [self.interfaces, self.vpcs, self.regions, self.workload, self.ipv6_percent, self.faults];
        let words: Vec<u64> =
            [FORMAT, self.seed].into_iter().chain(sizes.into_iter().map(u64::from)).collect();
        format!("{:016x}", hashed(0, "parameters", &words))
    }
}

/// Grows whenever equal parameters no longer give equal bytes.
pub const FORMAT: u64 = 1;

/// Parameters for which there is no organisation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParametersError(String);

impl ParametersError {
    fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for ParametersError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ParametersError {}

/// An organisation, planned but not written.
#[derive(Clone, Debug)]
pub struct Organisation {
    parameters: Parameters,
    vpcs: Vec<Vpc>,
    /// Accounts and Regions with a VPC, by number.
    places: Vec<(u32, u32)>,
    faults: Vec<Fault>,
}

/// What was written about one account and Region.
pub struct Described {
    /// The answers, named `<account>/<region>/<call>.json`.
    pub documents: Vec<Document>,
    /// How much they hold.
    pub counts: Counts,
    /// The numbers of faults with what each changed here.
    pub changes: Vec<(u32, Change)>,
}

impl Organisation {
    /// Plans an organisation.
    ///
    /// # Errors
    /// If a parameter is out of its range, or there are more faults than places for them.
    pub fn plan(parameters: Parameters) -> Result<Self, ParametersError> {
        let vpcs = plan::vpcs(&parameters)?;
        let places: BTreeSet<(u32, u32)> = vpcs.iter().map(|vpc| (vpc.account, vpc.region)).collect();
        let mut organisation =
            Self { parameters, vpcs, places: places.into_iter().collect(), faults: Vec::new() };
        organisation.faults = fault::plan(&organisation)?;
        Ok(organisation)
    }

    /// What it is made from.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// How many accounts there are.
    pub fn accounts(&self) -> usize {
        self.places.iter().map(|(account, _)| account).collect::<BTreeSet<_>>().len()
    }

    /// How many accounts and Regions there are to write.
    pub fn places(&self) -> usize {
        self.places.len()
    }

    /// Writes the answers of the account and Region of that index, below [`Organisation::places`]; nothing beyond.
    pub fn described(&self, index: usize) -> Option<Described> {
        let (account, region) = *self.places.get(index)?;
        let mut record = Record::of(plan::place(self.parameters.seed, account, region));
        self.write_regional(&mut record, region);
        for vpc in self.vpcs_at(account, region) {
            archetype::write(self, vpc, &mut record);
            transit::write_attached(self, vpc, &mut record);
            self.write_peerings(vpc, &mut record);
        }
        if account == 0 {
            transit::write_hub(self, region, &mut record);
        }
        let (counts, changes) = (record.counts, std::mem::take(&mut record.changes));
        Some(Described { documents: record.into_documents(), counts, changes })
    }

    /// The planted faults, with the changes that [`Organisation::described`] told of.
    pub fn faults(&self, changes: &[(u32, Change)]) -> Vec<PlantedFault> {
        self.faults.iter().map(|fault| fault.planted(self, changes)).collect()
    }

    /// A policy in YAML that holds without faults; each fault violates one of its properties.
    pub fn policy(&self) -> String {
        policy::text(self)
    }

    fn vpcs_at(&self, account: u32, region: u32) -> impl Iterator<Item = &Vpc> {
        self.vpcs.iter().filter(move |vpc| (vpc.account, vpc.region) == (account, region))
    }

    /// What is the same in every account of a Region.
    fn write_regional(&self, record: &mut Record, region: u32) {
        for number in 1..=3 {
            let row = zone(&record.place, number);
            record.add("ec2_describe-availability-zones", row);
        }
        let answer = block_public_access(&record.place);
        record.put("ec2_describe-vpc-block-public-access-options", answer);
        let network = plan::account_id(self.parameters.seed, 0);
        let corporate = name::corporate(self, region);
        write_list(record, &corporate, "corporate", &network, &block::PRIVATE);
        let storage = name::storage_list(self, region);
        let service = format!("com.amazonaws.{}.s3", record.place.region);
        write_list(record, &storage, &service, "AWS", &STORAGE);
    }

    /// The peering connections of a VPC; both sides show them.
    fn write_peerings(&self, vpc: &Vpc, record: &mut Record) {
        for (requester, accepter) in archetype::peerings(self, vpc) {
            record.add("ec2_describe-vpc-peering-connections", archetype::peering(self, requester, accepter));
        }
    }
}

/// Addresses of S3; which ones does not matter as long as they are public.
const STORAGE: [&str; 3] = ["52.216.0.0/15", "3.5.0.0/19", "54.231.0.0/16"];

fn write_list(record: &mut Record, id: &str, name: &str, owner: &str, blocks: &[&str]) {
    let row = row::filter::prefix_list(id, name, owner, &record.place.region);
    record.add("ec2_describe-managed-prefix-lists", row);
    let entries: Vec<_> = blocks.iter().map(|block| json!({"Cidr": block, "Description": name})).collect();
    record.put(&format!("ec2_get-managed-prefix-list-entries__{id}"), json!({"Entries": entries}));
}
