//! Ids of things that several VPCs, the policy or the faults refer to: functions of the plan, not of what was written.

use super::Organisation;
use super::block::Tier;
use super::choice::{hashed, id};
use super::plan::Vpc;

/// A security group of a VPC.
pub(super) fn group(organisation: &Organisation, vpc: &Vpc, name: &str) -> String {
    of_vpc(organisation, "sg", vpc, name)
}

/// A subnet of a VPC.
pub(super) fn subnet(organisation: &Organisation, vpc: &Vpc, tier: Tier, zone: u32) -> String {
    let path = [u64::from(vpc.number), u64::from(tier.number()), u64::from(zone)];
    id(organisation.parameters.seed, "subnet", &path)
}

/// An endpoint of a VPC.
pub(super) fn endpoint(organisation: &Organisation, vpc: &Vpc, service: &str) -> String {
    of_vpc(organisation, "vpce", vpc, service)
}

/// The internet gateway of a VPC.
pub(super) fn internet_gateway(organisation: &Organisation, vpc: &Vpc) -> String {
    of_vpc(organisation, "igw", vpc, "")
}

/// The attachment of a VPC to the transit gateway of its Region.
pub(super) fn attachment(organisation: &Organisation, vpc: &Vpc) -> String {
    of_vpc(organisation, "tgw-attach", vpc, "")
}

/// The peering connection that one VPC asked another for.
pub(super) fn peering(organisation: &Organisation, requester: &Vpc, accepter: &Vpc) -> String {
    let path = [u64::from(requester.number), u64::from(accepter.number)];
    id(organisation.parameters.seed, "pcx", &path)
}

/// The transit gateway of a Region.
pub(super) fn transit_gateway(organisation: &Organisation, region: u32) -> String {
    id(organisation.parameters.seed, "tgw", &[u64::from(region)])
}

/// A route table of the transit gateway of a Region.
pub(super) fn transit_table(organisation: &Organisation, region: u32, name: &str) -> String {
    id(organisation.parameters.seed, "tgw-rtb", &[u64::from(region), hashed(0, name, &[])])
}

/// The prefix list of the organisation's own networks in a Region.
pub(super) fn corporate(organisation: &Organisation, region: u32) -> String {
    id(organisation.parameters.seed, "pl", &[u64::from(region), 1])
}

/// The prefix list of S3 in a Region, which is AWS's and the same for everyone.
pub(super) fn storage_list(_: &Organisation, region: u32) -> String {
    id(0, "pl", &[u64::from(region), 2])
}

fn of_vpc(organisation: &Organisation, kind: &str, vpc: &Vpc, name: &str) -> String {
    id(organisation.parameters.seed, kind, &[u64::from(vpc.number), hashed(0, name, &[])])
}
