//! Faults that are planted on purpose, so that it can be measured whether they are found.
//!
//! INVARIANT (faults apart): no VPC and no transit table has more than one fault, so each is a violation by itself.
//! What a fault changes is known where it is written; what it violates is known from the plan.

use std::collections::BTreeSet;

use serde::Serialize;

use super::archetype::{self, DATABASE, DATABASE_PORT, LEGACY_PORT, NOTEBOOK_PORT, TRAINING, is_guarded};
use super::block::Tier;
use super::plan::{Archetype, Environment, Vpc};
use super::policy::{self, Property};
use super::record::Change;
use super::{Organisation, ParametersError, name};

/// A kind of fault.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// A training host gets a public address, its table a route to the internet gateway, its group an open rule.
    PublicAddress,
    /// Applications of development get a route over a forgotten peering connection, and training of production a rule.
    PeeringRoute,
    /// The group of a database admits everybody.
    OpenDatabase,
    /// The network ACL of database subnets admits the whole VPC, and with it an old database's group counts.
    AclOpened,
    /// The blackholes of the transit table of development are gone.
    BlackholeRemoved,
    /// The table of training loses its route to S3.
    EndpointRouteRemoved,
    /// The group of interface endpoints admits the public subnets alone.
    EndpointClosed,
    /// The group of a database no longer admits its application.
    RuleRemoved,
}

impl FaultKind {
    const ALL: [Self; 8] = [
        Self::PublicAddress,
        Self::PeeringRoute,
        Self::OpenDatabase,
        Self::AclOpened,
        Self::BlackholeRemoved,
        Self::EndpointRouteRemoved,
        Self::EndpointClosed,
        Self::RuleRemoved,
    ];
}

/// A fault, planned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Its number, from 0.
    pub(super) number: u32,
    pub(super) kind: FaultKind,
    /// The VPCs that it changes, the one that suffers first; none for a transit table.
    pub(super) vpcs: Vec<u32>,
    pub(super) region: u32,
}

/// A fault, with what it violates and what it changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PlantedFault {
    /// Its number, from 0.
    pub number: u32,
    /// What was done.
    pub kind: FaultKind,
    /// The property of the policy that it violates.
    pub property: String,
    /// Further properties that it violates.
    pub also: Vec<String>,
    /// The verdict that is expected of these properties.
    pub verdict: &'static str,
    /// A selector of who can send, or should be able to and cannot.
    pub from: String,
    /// A selector of who can be sent to, or should.
    pub to: String,
    /// The port.
    pub port: String,
    /// The rows that were changed.
    pub changes: Vec<Change>,
}

impl Fault {
    /// Whether it changes something in the VPC of that number.
    pub(super) fn touches(&self, vpc: u32) -> bool {
        self.vpcs.contains(&vpc)
    }

    /// The fault with what was changed for it.
    pub(super) fn planted(&self, organisation: &Organisation, changes: &[(u32, Change)]) -> PlantedFault {
        let own = changes.iter().filter(|(number, _)| *number == self.number);
        let changes: BTreeSet<Change> = own.map(|(_, change)| change.clone()).collect();
        let ends = self.ends(organisation);
        PlantedFault {
            number: self.number,
            kind: self.kind,
            property: ends.property,
            also: self.also(organisation),
            verdict: "violated",
            from: ends.from,
            to: ends.to,
            port: format!("tcp/{}", ends.port),
            changes: changes.into_iter().collect(),
        }
    }

    fn ends(&self, organisation: &Organisation) -> Ends {
        match self.first(organisation) {
            Some(vpc) => self.ends_in(organisation, vpc),
            None => Ends {
                property: Property::DevelopmentApart.name(None),
                from: self.leaking_group(organisation),
                to: policy::PRODUCTION_RESTRICTED.to_owned(),
                port: NOTEBOOK_PORT,
            },
        }
    }

    /// Applications of development that send by the transit table which has lost its blackholes, and that no peering
    /// connection joins with production.
    fn leaking_group(&self, organisation: &Organisation) -> String {
        let mut leaking = organisation.vpcs.iter().filter(|vpc| vpc.region == self.region && leaks(vpc));
        let group = |vpc: &Vpc| name::group(organisation, vpc, archetype::application_of(vpc.archetype));
        leaking.next().map(group).unwrap_or_default()
    }

    fn ends_in(&self, organisation: &Organisation, vpc: &Vpc) -> Ends {
        let group = |name| name::group(organisation, vpc, name);
        let subnets = |tier| {
            let ids = (0..vpc.zones()).map(|zone| name::subnet(organisation, vpc, tier, zone));
            ids.collect::<Vec<_>>().join(",")
        };
        let ends = |property: Property, from: String, to: String, port| Ends {
            property: property.name(Some(vpc)),
            from,
            to,
            port,
        };
        match self.kind {
            FaultKind::PublicAddress | FaultKind::BlackholeRemoved => {
                ends(Property::NoInboundInternet, "internet".to_owned(), group(TRAINING), 22)
            }
            FaultKind::PeeringRoute => {
                let other = archetype::counterpart(organisation, vpc);
                let from = other.map(|other| name::group(organisation, other, archetype::SERVING));
                ends(Property::DevelopmentApart, from.unwrap_or_default(), subnets(Tier::Train), 8888)
            }
            FaultKind::OpenDatabase => {
                ends(Property::DataFromApplications, vpc.id.clone(), group(DATABASE), DATABASE_PORT)
            }
            FaultKind::AclOpened => {
                ends(Property::DataFromApplications, vpc.id.clone(), subnets(Tier::Data), LEGACY_PORT)
            }
            FaultKind::EndpointRouteRemoved => {
                let to = name::endpoint(organisation, vpc, "s3");
                ends(Property::ReadsStorage, group(TRAINING), to, 443)
            }
            FaultKind::EndpointClosed => {
                let to = name::endpoint(organisation, vpc, policy::SAGEMAKER);
                ends(Property::CallsSageMaker, group(TRAINING), to, 443)
            }
            FaultKind::RuleRemoved => {
                ends(Property::ReachesDatabase, group(archetype::APPLICATION), group(DATABASE), DATABASE_PORT)
            }
        }
    }

    fn first<'o>(&self, organisation: &'o Organisation) -> Option<&'o Vpc> {
        let number = self.vpcs.first()?;
        organisation.vpcs.get(usize::try_from(*number).ok()?)
    }

    /// What else follows: development sends to a public address of production like everyone, two exposed hosts to each
    /// other, and training of development takes the way that a missing blackhole opens.
    fn also(&self, organisation: &Organisation) -> Vec<String> {
        let environment = self.first(organisation).map(|vpc| vpc.environment);
        let other_exposed = organisation.faults.iter().any(|other| {
            let there = other.first(organisation).map(|vpc| vpc.environment);
            other.kind == FaultKind::PublicAddress && there != environment
        });
        let development = |vpc: &Vpc| vpc.environment == Environment::Development;
        let apart = |holds: bool| holds.then(|| Property::RestrictedApart.name(None));
        match self.kind {
            FaultKind::PublicAddress => {
                let reached =
                    environment == Some(Environment::Production) && organisation.vpcs.iter().any(development);
                let reached = reached.then(|| Property::DevelopmentApart.name(None));
                reached.into_iter().chain(apart(other_exposed)).collect()
            }
            FaultKind::BlackholeRemoved => {
                let training = organisation.vpcs.iter().any(|vpc| {
                    development(vpc)
                        && vpc.archetype == Archetype::MachineLearning
                        && vpc.region == self.region
                });
                apart(training).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }
}

/// What a fault violates, and where.
struct Ends {
    property: String,
    from: String,
    to: String,
    port: u16,
}

/// Plans as many faults as asked for, the kinds by turns, each at the first place that has none yet.
pub(super) fn plan(organisation: &Organisation) -> Result<Vec<Fault>, ParametersError> {
    let wanted = organisation.parameters.faults;
    let mut planned: Vec<Fault> = Vec::new();
    let mut turn = FaultKind::ALL.iter().cycle();
    let mut missed = 0;
    while u32::try_from(planned.len()).is_ok_and(|number| number < wanted) && missed < FaultKind::ALL.len() {
        let Some(kind) = turn.next() else { break };
        match candidates(organisation, *kind).into_iter().find(|fault| is_free(&planned, fault)) {
            Some(fault) => {
                missed = 0;
                let number = u32::try_from(planned.len()).unwrap_or(u32::MAX);
                planned.push(Fault { number, ..fault });
            }
            None => missed += 1,
        }
    }
    if u32::try_from(planned.len()).is_ok_and(|number| number < wanted) {
        let message = format!("{wanted} faults: this organisation has room for {}", planned.len());
        return Err(ParametersError::new(message));
    }
    Ok(planned)
}

fn is_free(planned: &[Fault], fault: &Fault) -> bool {
    let meets = |other: &Fault| match fault.vpcs.as_slice() {
        [] => other.kind == fault.kind && other.region == fault.region,
        vpcs => vpcs.iter().any(|vpc| other.touches(*vpc)),
    };
    !planned.iter().any(meets)
}

/// Every place for a kind of fault.
fn candidates(organisation: &Organisation, kind: FaultKind) -> Vec<Fault> {
    let at = |vpcs: Vec<u32>, region| Fault { number: 0, kind, vpcs, region };
    if kind == FaultKind::BlackholeRemoved {
        let regions = (0..organisation.parameters.regions).filter(|region| is_leaky(organisation, *region));
        return regions.map(|region| at(Vec::new(), region)).collect();
    }
    let suits = |vpc: &&Vpc| match kind {
        FaultKind::PublicAddress => vpc.archetype == Archetype::MachineLearning,
        FaultKind::PeeringRoute => archetype::counterpart(organisation, vpc).is_some(),
        FaultKind::OpenDatabase => vpc.archetype == Archetype::ThreeTier && !is_guarded(vpc),
        FaultKind::AclOpened => vpc.archetype == Archetype::ThreeTier && is_guarded(vpc),
        FaultKind::EndpointRouteRemoved | FaultKind::EndpointClosed => {
            vpc.archetype == Archetype::MachineLearning && policy::is_required(organisation, vpc)
        }
        FaultKind::RuleRemoved => {
            vpc.archetype == Archetype::ThreeTier && policy::is_required(organisation, vpc)
        }
        FaultKind::BlackholeRemoved => false,
    };
    let with_other = |vpc: &Vpc| {
        let other = archetype::counterpart(organisation, vpc).filter(|_| kind == FaultKind::PeeringRoute);
        std::iter::once(vpc.number).chain(other.map(|other| other.number)).collect()
    };
    organisation.vpcs.iter().filter(suits).map(|vpc| at(with_other(vpc), vpc.region)).collect()
}

/// Whether development and training of production share the transit gateway of a Region.
fn is_leaky(organisation: &Organisation, region: u32) -> bool {
    let here = || organisation.vpcs.iter().filter(move |vpc| vpc.region == region);
    here().any(leaks)
        && here().any(|vpc| {
            vpc.environment == Environment::Production && vpc.archetype == Archetype::MachineLearning
        })
}

/// Whether a VPC of development shows that blackholes are gone, and nothing else does the same there.
fn leaks(vpc: &Vpc) -> bool {
    vpc.environment == Environment::Development && vpc.archetype != Archetype::MachineLearning
}
