//! What is in a VPC of each archetype, and which VPCs are peered.

mod hub;
mod kubernetes;
mod machine_learning;
mod shared;
mod three_tier;

use serde_json::Value;

use super::block;
use super::fault::FaultKind;
use super::plan::{self, Archetype, Environment, Vpc};
use super::record::Record;
use super::row::filter::{Peer, PeeredGroup, Permission};
use super::row::gateway::{self, Side};
use super::row::network::Route;
use super::site::{Group, Site, Workload};
use super::{Organisation, name};

pub(super) use machine_learning::{PORT as NOTEBOOK_PORT, SERVING, TRAINING};
pub(super) use three_tier::{APPLICATION, DATABASE, LEGACY_PORT, PORT as DATABASE_PORT, is_guarded};

/// Writes a VPC.
pub(super) fn write(organisation: &Organisation, vpc: &Vpc, record: &mut Record) {
    let mut site = Site::of(organisation, vpc, record);
    match vpc.archetype {
        Archetype::ThreeTier => three_tier::write(&mut site),
        Archetype::MachineLearning => machine_learning::write(&mut site),
        Archetype::Kubernetes => kubernetes::write(&mut site),
        Archetype::Shared => shared::write(&mut site),
        Archetype::Inspection => hub::inspection(&mut site),
        Archetype::Egress => hub::egress(&mut site),
    }
}

/// The peering connections that a VPC is a side of, with the requester first.
pub(super) fn peerings<'o>(organisation: &'o Organisation, vpc: &Vpc) -> Vec<(&'o Vpc, &'o Vpc)> {
    // The two sides are never further apart in the plan than an account.
    let near = organisation.vpcs.iter().filter(|other| other.number.abs_diff(vpc.number) <= MIGRATION);
    let pairs = near.flat_map(|requester| {
        let accepters = [sibling(organisation, requester), counterpart(organisation, requester)];
        accepters.into_iter().flatten().map(move |accepter| (requester, accepter))
    });
    pairs.filter(|(one, other)| one.number == vpc.number || other.number == vpc.number).collect()
}

/// How far apart the two sides of a peering connection are in the plan: an account.
const MIGRATION: u32 = 4;

/// The next VPC of the same account and Region, which the applications of the first of each two are peered with.
pub(super) fn sibling<'o>(organisation: &'o Organisation, vpc: &Vpc) -> Option<&'o Vpc> {
    let other = next(organisation, vpc, 1)?;
    let first = vpc.environment != Environment::Network && vpc.number % 2 == hubs(organisation) % 2;
    (first && (other.account, other.region) == (vpc.account, vpc.region)).then_some(other)
}

/// The VPC of development that stands for one of production: a migration has left a peering connection without routes.
pub(super) fn counterpart<'o>(organisation: &'o Organisation, vpc: &Vpc) -> Option<&'o Vpc> {
    let other = next(organisation, vpc, MIGRATION)?;
    let crosses = vpc.environment == Environment::Production && other.environment == Environment::Development;
    (crosses && vpc.archetype == Archetype::MachineLearning && other.region == vpc.region).then_some(other)
}

fn next<'o>(organisation: &'o Organisation, vpc: &Vpc, distance: u32) -> Option<&'o Vpc> {
    organisation.vpcs.get(usize::try_from(vpc.number + distance).ok()?)
}

fn hubs(organisation: &Organisation) -> u32 {
    organisation.parameters.regions * 3
}

/// The row of a peering connection.
pub(super) fn peering(organisation: &Organisation, requester: &Vpc, accepter: &Vpc) -> Value {
    let id = name::peering(organisation, requester, accepter);
    gateway::peering(&id, &side(organisation, requester), &side(organisation, accepter))
}

fn side(organisation: &Organisation, vpc: &Vpc) -> Side {
    let place = plan::place(organisation.parameters.seed, vpc.account, vpc.region);
    Side {
        vpc: vpc.id.clone(),
        account: place.account,
        region: place.region,
        blocks: vpc.blocks(),
        ipv6: vpc.ipv6.then(|| block::ipv6(vpc.block)),
    }
}

impl Site<'_> {
    /// The routes of applications to peered VPCs: those of the same account, and those that a fault adds.
    fn to_peers(&self) -> Vec<Route> {
        let organisation = self.organisation;
        let fault = self.fault(FaultKind::PeeringRoute).is_some();
        let used = |(one, other): &(&Vpc, &Vpc)| {
            one.environment == other.environment || fault && other.number == self.vpc.number
        };
        let pairs = peerings(organisation, self.vpc).into_iter().filter(used);
        pairs
            .map(|(one, other)| {
                let far = if one.number == self.vpc.number { other } else { one };
                Route::new(far.block, &name::peering(organisation, one, other))
            })
            .collect()
    }

    /// What applications admit from those of a peered VPC that asked for the connection.
    fn admitted_peer(&self, port: u16) -> Option<Permission> {
        let organisation = self.organisation;
        let pairs = peerings(organisation, self.vpc).into_iter();
        let mut asked = pairs
            .filter(|(one, other)| other.number == self.vpc.number && one.environment == other.environment);
        let (one, other) = asked.next()?;
        let peered = PeeredGroup {
            group: name::group(organisation, one, application_of(one.archetype)),
            account: plan::account_id(organisation.parameters.seed, one.account),
            vpc: one.id.clone(),
            peering: name::peering(organisation, one, other),
            status: "active",
        };
        Some(Permission::tcp(port, [Peer::Peered(peered)]))
    }

    /// The group of every host: operators may log on and ask whether it lives, monitoring may ask how it does.
    fn base_group(&mut self) -> Group {
        let corporate = || [self.corporate()];
        let ingress = [
            Permission::icmp(corporate()),
            Permission::tcp(22, corporate()),
            Permission::tcp(9100, [Peer::Block(self.shared_services())]),
        ];
        let egress = [Permission::all(self.anyone())];
        self.group("base", &ingress, &egress)
    }

    /// The block of the shared services of the Region.
    fn shared_services(&self) -> String {
        let mut vpcs = self.organisation.vpcs.iter();
        let shared = |vpc: &&Vpc| vpc.archetype == Archetype::Shared && vpc.region == self.vpc.region;
        vpcs.find(shared).map(|vpc| vpc.block.to_string()).unwrap_or_default()
    }

    /// The group of interface endpoints; a fault leaves it open to the public subnets alone.
    fn endpoint_group(&mut self) -> Group {
        let fault = self.fault(FaultKind::EndpointClosed);
        let admitted = match fault {
            None => self.vpc.blocks(),
            Some(_) => self.tier_blocks(block::Tier::Public),
        };
        let peers = admitted.into_iter().map(|block| Peer::Block(block.to_string()));
        let workload = Workload::infrastructure("endpoints");
        let (group, at) = self.write_group(workload, &[Permission::tcp(443, peers)], &[]);
        if let Some(fault) = fault {
            self.record.change(fault, &group.id, at);
        }
        group
    }

    /// Groups that nothing carries any more, wide open, one of them with a rule about a peering connection that is gone.
    fn stale_groups(&mut self) {
        for number in 0..2 + self.choices.below(3) {
            let gone = PeeredGroup {
                group: self.id("sg", &[8, u64::from(number)]),
                account: self.record.place.account.clone(),
                vpc: self.id("vpc", &[8, u64::from(number)]),
                peering: self.id("pcx", &[8, u64::from(number)]),
                status: "deleted",
            };
            let anyone = self.anyone();
            let ingress = [Permission::all(anyone.clone()), Permission::tcp(443, [Peer::Peered(gone)])];
            self.group(&format!("old-{number}"), &ingress, &[Permission::all(anyone)]);
        }
    }
}

/// The name of the group of the first application of a VPC.
pub(super) fn application_of(archetype: Archetype) -> &'static str {
    match archetype {
        Archetype::MachineLearning => SERVING,
        Archetype::Kubernetes => kubernetes::NODES,
        _ => three_tier::APPLICATION,
    }
}
