//! The transit gateway of each Region, with a route table for production, one for development and one for the hubs.
//!
//! INVARIANT (blackholes): the tables of production and development list the VPCs of their own environment and the shared
//! services, that of the hubs lists every VPC of workloads; any other address of the organisation drops. Without these routes, packets
//! of development would take the default route to the egress VPC, whose NAT gateways have a route back to every VPC.

use serde_json::{Value, json};

use super::block::{PRIVATE, Tier};
use super::fault::FaultKind;
use super::plan::{self, Archetype, Environment, Vpc};
use super::record::Record;
use super::row::transit::{Attachment, blackhole, gateway, route, table};
use super::{Organisation, name};

const ENVIRONMENTS: [Environment; 3] =
    [Environment::Production, Environment::Development, Environment::Network];

impl Organisation {
    /// The attachment of a VPC.
    pub(super) fn attachment(&self, vpc: &Vpc) -> Attachment {
        let seed = self.parameters.seed;
        Attachment {
            id: name::attachment(self, vpc),
            gateway: name::transit_gateway(self, vpc.region),
            gateway_owner: plan::account_id(seed, 0),
            vpc: vpc.id.clone(),
            vpc_owner: plan::account_id(seed, vpc.account),
            subnets: (0..vpc.zones()).map(|zone| name::subnet(self, vpc, Tier::Attach, zone)).collect(),
            table: name::transit_table(self, vpc.region, vpc.environment.name()),
            appliance: vpc.archetype == Archetype::Inspection,
        }
    }

    fn vpcs_in(&self, region: u32) -> impl Iterator<Item = &Vpc> {
        self.vpcs.iter().filter(move |vpc| vpc.region == region)
    }
}

/// What the account of a VPC sees of the gateway that the VPC is attached to.
pub(super) fn write_attached(organisation: &Organisation, vpc: &Vpc, record: &mut Record) {
    // The network account sees all attachments.
    if vpc.account == 0 {
        return;
    }
    let hub = plan::place(organisation.parameters.seed, 0, vpc.region);
    let first = organisation.vpcs_at(vpc.account, vpc.region).next();
    if first.is_some_and(|first| first.number == vpc.number) {
        let row = gateway(&name::transit_gateway(organisation, vpc.region), &hub);
        record.add("ec2_describe-transit-gateways", row);
    }
    add_attachment(&organisation.attachment(vpc), record);
}

fn add_attachment(attachment: &Attachment, record: &mut Record) {
    record.add("ec2_describe-transit-gateway-attachments", attachment.json());
    record.add("ec2_describe-transit-gateway-vpc-attachments", attachment.vpc_json());
}

/// The transit gateway of a Region as the network account sees it.
pub(super) fn write_hub(organisation: &Organisation, region: u32, record: &mut Record) {
    let id = name::transit_gateway(organisation, region);
    let row = gateway(&id, &record.place);
    record.add("ec2_describe-transit-gateways", row);
    for vpc in organisation.vpcs_in(region) {
        add_attachment(&organisation.attachment(vpc), record);
    }
    for environment in ENVIRONMENTS {
        write_table(organisation, region, environment, record);
    }
}

fn write_table(organisation: &Organisation, region: u32, environment: Environment, record: &mut Record) {
    let id = name::transit_table(organisation, region, environment.name());
    let gateway = name::transit_gateway(organisation, region);
    record.add("ec2_describe-transit-gateway-route-tables", table(&id, &gateway, environment.name()));
    let routes = routes(organisation, region, environment);
    record.counts.routes += u64::try_from(routes.len()).unwrap_or(0);
    let answer = json!({"Routes": routes, "AdditionalRoutesAvailable": false});
    let at = record.put(&format!("ec2_search-transit-gateway-routes__{id}"), answer);
    if let Some(fault) = removed(organisation, region, environment) {
        record.change(fault, &id, format!("{at}/Routes"));
    }
    let own = organisation.vpcs_in(region).filter(|vpc| vpc.environment == environment);
    let own: Vec<Value> = own.map(|vpc| organisation.attachment(vpc).association()).collect();
    record.put(
        &format!("ec2_get-transit-gateway-route-table-associations__{id}"),
        json!({"Associations": own}),
    );
    let none = json!({"TransitGatewayRouteTablePropagations": []});
    record.put(&format!("ec2_get-transit-gateway-route-table-propagations__{id}"), none);
}

/// The fault that removes the blackholes of a table.
fn removed(organisation: &Organisation, region: u32, environment: Environment) -> Option<u32> {
    let mut faults = organisation.faults.iter();
    let here = |fault: &&super::Fault| {
        fault.kind == FaultKind::BlackholeRemoved
            && fault.region == region
            && environment == Environment::Development
    };
    faults.find(here).map(|fault| fault.number)
}

fn routes(organisation: &Organisation, region: u32, environment: Environment) -> Vec<Value> {
    let all = environment == Environment::Network;
    // Nobody has business with the gateways and appliances themselves.
    let listed = organisation.vpcs_in(region).filter(|vpc| match vpc.environment {
        Environment::Network => vpc.archetype == Archetype::Shared,
        other => all || other == environment,
    });
    let mut routes: Vec<Value> =
        listed.map(|vpc| route(&vpc.block.to_string(), &organisation.attachment(vpc))).collect();
    if removed(organisation, region, environment).is_none() {
        routes.extend(PRIVATE.iter().map(|block| blackhole(block)));
    }
    let way_out = match environment {
        Environment::Development => Archetype::Egress,
        _ => Archetype::Inspection,
    };
    let hub = organisation.vpcs_in(region).find(|vpc| vpc.archetype == way_out);
    routes.extend(hub.map(|vpc| route("0.0.0.0/0", &organisation.attachment(vpc))));
    routes
}
