//! The policy of an organisation: what holds unless a fault is planted.

use std::fmt::Write;

use super::archetype::{APPLICATION, DATABASE, DATABASE_PORT, TRAINING};
use super::plan::{Archetype, Environment, Vpc};
use super::{Organisation, name};

/// Everything of development.
pub(super) const DEVELOPMENT: &str = "tag:Env=dev";
/// Databases and training of production.
pub(super) const PRODUCTION_RESTRICTED: &str = "tag:Zone=prod-restricted";
/// Databases and training of development.
const DEVELOPMENT_RESTRICTED: &str = "tag:Zone=dev-restricted";
/// The service that training calls.
pub(super) const SAGEMAKER: &str = "sagemaker.api";
/// How many VPCs of an archetype have properties of their own: requirements are about single groups, and a policy of
/// thousands is nobody's.
const REQUIRED: usize = 32;

/// A property.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Property {
    /// The internet does not reach databases and training.
    NoInboundInternet,
    /// Only applications reach databases.
    DataFromApplications,
    /// Development does not reach what is restricted of production.
    DevelopmentApart,
    /// What is restricted of development and of production do not reach each other.
    RestrictedApart,
    /// Training reads S3 through gateway endpoints only.
    StorageThroughEndpoint,
    /// The training of a VPC reads S3.
    ReadsStorage,
    /// The training of a VPC calls SageMaker.
    CallsSageMaker,
    /// The first application of a VPC reaches its database.
    ReachesDatabase,
}

impl Property {
    /// Its name; those about one VPC end with the name of that.
    pub(super) fn name(self, vpc: Option<&Vpc>) -> String {
        let of = |what: &str| format!("{what}-{}", vpc.map_or("", |vpc| &vpc.name));
        match self {
            Self::NoInboundInternet => "no-inbound-internet".to_owned(),
            Self::DataFromApplications => "data-from-applications-only".to_owned(),
            Self::DevelopmentApart => "development-never-reaches-restricted-production".to_owned(),
            Self::RestrictedApart => "restricted-environments-apart".to_owned(),
            Self::StorageThroughEndpoint => "training-reads-s3-through-endpoints-only".to_owned(),
            Self::ReadsStorage => of("training-reads-s3"),
            Self::CallsSageMaker => of("training-calls-sagemaker"),
            Self::ReachesDatabase => of("application-reaches-database"),
        }
    }
}

/// Whether the policy requires something of this VPC: it is among the first of its archetype.
pub(super) fn is_required(organisation: &Organisation, vpc: &Vpc) -> bool {
    let alike = organisation.vpcs.iter().filter(|other| other.archetype == vpc.archetype);
    alike.take(REQUIRED).any(|other| other.number == vpc.number)
}

/// The policy in YAML.
pub(super) fn text(organisation: &Organisation) -> String {
    let has = |environment, archetype| {
        let all = &organisation.vpcs;
        all.iter().any(|vpc| vpc.environment == environment && archetype == vpc.archetype)
    };
    let in_environment =
        |environment| organisation.vpcs.iter().any(|vpc: &Vpc| vpc.environment == environment);
    let development = in_environment(Environment::Development);
    let training = has(Environment::Production, Archetype::MachineLearning)
        || has(Environment::Development, Archetype::MachineLearning);
    let mut text = String::from("reachproof: policy/v1\n\nproperties:\n");
    general(&mut text, development);
    if training {
        let body = "only-through: {from: tag:Role=ml, to: service:s3, through: name:s3-gateway-*}";
        add(
            &mut text,
            Property::StorageThroughEndpoint,
            None,
            "the policies of the buckets trust the endpoints",
            body,
        );
    }
    for vpc in organisation.vpcs.iter().filter(|vpc| is_required(organisation, vpc)) {
        of_vpc(&mut text, organisation, vpc);
    }
    text
}

fn general(text: &mut String, development: bool) {
    let restricted = match development {
        true => format!("[{PRODUCTION_RESTRICTED}, {DEVELOPMENT_RESTRICTED}]"),
        false => PRODUCTION_RESTRICTED.to_owned(),
    };
    let body = format!("forbid: {{from: internet, to: {restricted}}}");
    add(text, Property::NoInboundInternet, None, "databases and training are private", &body);
    let body = "forbid: {from: any, to: tag:Tier=data, except-from: tag:Tier=app}";
    let why = "nothing but applications speaks with a database";
    add(text, Property::DataFromApplications, None, why, body);
    if !development {
        return;
    }
    let body = format!("forbid: {{from: {DEVELOPMENT}, to: {PRODUCTION_RESTRICTED}}}");
    add(text, Property::DevelopmentApart, None, "developers work on data of their own", &body);
    let body = format!("isolate: {{between: {PRODUCTION_RESTRICTED}, and: {DEVELOPMENT_RESTRICTED}}}");
    add(text, Property::RestrictedApart, None, "no data crosses between environments", &body);
}

fn of_vpc(text: &mut String, organisation: &Organisation, vpc: &Vpc) {
    let group = |name| name::group(organisation, vpc, name);
    let requirement = |from: String, to: String, port: u16| {
        format!("require: {{from: {from}, to: {to}, port: tcp/{port}}}")
    };
    match vpc.archetype {
        Archetype::MachineLearning => {
            let to = |service| name::endpoint(organisation, vpc, service);
            let body = requirement(group(TRAINING), to("s3"), 443);
            add(text, Property::ReadsStorage, Some(vpc), "training needs its data", &body);
            let body = requirement(group(TRAINING), to(SAGEMAKER), 443);
            add(text, Property::CallsSageMaker, Some(vpc), "training is run by SageMaker", &body);
        }
        Archetype::ThreeTier => {
            let body = requirement(group(APPLICATION), group(DATABASE), DATABASE_PORT);
            add(text, Property::ReachesDatabase, Some(vpc), "an application needs its database", &body);
        }
        _ => {}
    }
}

fn add(text: &mut String, property: Property, vpc: Option<&Vpc>, why: &str, body: &str) {
    let name = property.name(vpc);
    // Writing to a String cannot fail.
    let _ = write!(text, "  - name: {name}\n    why: {why}\n    {body}\n");
}
