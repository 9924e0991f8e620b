//! VPCs and subnets (R-ADDR-1, R-ADDR-2), and encryption controls (R-BPA-9).

use super::context::{Context, Identity};
use super::error::LoadError;
use super::record::{Resource, Scoped, share_tags};
use super::value::{Flag, List, StateShape, Tag, Text, shape};
use crate::snapshot::{CidrAssociation, EncryptionControl, State, Subnet, Vpc};
use crate::source::Source;

shape! {
    /// `DescribeVpcs.Vpcs[]`.
    VpcShape<'a> as "a VPC" {
        vpc_id: Text<'a>,
        state: Text<'a>,
        cidr_block: Text<'a>,
        cidr_block_association_set: List<BlockShape<'a>>,
        ipv6_cidr_block_association_set: List<BlockShape<'a>>,
        is_default: Flag,
        owner_id: Text<'a>,
        tags: List<Tag<'a>>,
        block_public_access_states: Option<BlockStateShape<'a>>,
        encryption_control: Option<EncryptionShape<'a>>,
    }
}

shape! {
    /// `DescribeSubnets.Subnets[]`.
    SubnetShape<'a> as "a subnet" {
        subnet_id: Text<'a>,
        vpc_id: Text<'a>,
        state: Text<'a>,
        cidr_block: Text<'a>,
        ipv6_cidr_block_association_set: List<BlockShape<'a>>,
        availability_zone: Text<'a>,
        availability_zone_id: Text<'a>,
        map_public_ip_on_launch: Flag,
        owner_id: Text<'a>,
        subnet_arn: Text<'a>,
        tags: List<Tag<'a>>,
        block_public_access_states: Option<BlockStateShape<'a>>,
    }
}

shape! {
    /// One CIDR block association of either family.
    BlockShape<'a> as "a CIDR block association" {
        cidr_block: Text<'a>,
        ipv6_cidr_block: Text<'a>,
        cidr_block_state: Option<StateShape<'a>>,
        ipv6_cidr_block_state: Option<StateShape<'a>>,
        ipv6_address_attribute: Text<'a>,
    }
}

shape! {
    /// `BlockPublicAccessStates`.
    BlockStateShape<'a> as "block public access states" { internet_gateway_block_mode: Text<'a>, }
}

shape! {
    /// `DescribeVpcEncryptionControls.VpcEncryptionControls[]` and `Vpcs[].EncryptionControl`.
    EncryptionShape<'a> as "an encryption control" {
        vpc_id: Text<'a>,
        mode: Text<'a>,
        state: Text<'a>,
        resource_exclusions: Option<std::collections::BTreeMap<String, Option<StateShape<'a>>>>,
    }
}

impl Resource for VpcShape<'_> {
    const ID_FIELD: &'static str = "VpcId";
    fn id(&self) -> &str {
        &self.vpc_id
    }
    fn owner(&self) -> Option<&str> {
        self.owner_id.shown()
    }
    fn reconcile(&mut self, other: &mut Self) {
        share_tags(&mut self.tags, &mut other.tags);
        // "Default" is said of the account that asks.
        other.is_default = self.is_default;
    }
}

impl Resource for SubnetShape<'_> {
    const ID_FIELD: &'static str = "SubnetId";
    fn id(&self) -> &str {
        &self.subnet_id
    }
    fn owner(&self) -> Option<&str> {
        self.owner_id.shown()
    }
    fn reconcile(&mut self, other: &mut Self) {
        share_tags(&mut self.tags, &mut other.tags);
        // Zone names differ between accounts; zone ids do not.
        other.availability_zone.clone_from(&self.availability_zone);
    }
}

/// Converts a VPC; `encryption` is its entry in the answer of its own call.
pub(super) fn vpc(
    record: Scoped<VpcShape<'_>>,
    encryption: Option<&EncryptionShape<'_>>,
    context: &mut Context<'_>,
) -> Result<Vpc, LoadError> {
    let Scoped { scope, source, item } = record;
    let mut cidrs = Vec::new();
    associations(
        &mut cidrs,
        &item.vpc_id,
        &source,
        ("CidrBlockAssociationSet", &item.cidr_block_association_set),
        context,
    )?;
    primary_first(&mut cidrs, &item, &source, context)?;
    let ipv6 = ("Ipv6CidrBlockAssociationSet", &*item.ipv6_cidr_block_association_set);
    associations(&mut cidrs, &item.vpc_id, &source, ipv6, context)?;
    if cidrs.is_empty() {
        context.gap(&item.vpc_id, &source, "shows no address block, so that it may have any");
    }
    let encryption = encryption.or(item.encryption_control.as_ref());
    Ok(Vpc {
        meta: Identity { id: &item.vpc_id, owner: &item.owner_id, arn: &Text::default(), tags: &item.tags }
            .meta(scope, &source),
        state: item.state.lower(),
        cidrs,
        is_default: item.is_default.is_set(),
        block_mode: block_mode(item.block_public_access_states.as_ref()),
        encryption: encryption.map(encryption_control),
    })
}

/// Converts a subnet.
pub(super) fn subnet(
    record: Scoped<SubnetShape<'_>>,
    context: &mut Context<'_>,
) -> Result<Subnet, LoadError> {
    let Scoped { scope, source, item } = record;
    let mut cidrs = Vec::new();
    if let Some(text) = item.cidr_block.shown() {
        let cidr = context.block(&item.subnet_id, &source.below("/CidrBlock"), text)?;
        cidrs.push(CidrAssociation { cidr, state: None, attribute: None });
    }
    let ipv6 = ("Ipv6CidrBlockAssociationSet", &*item.ipv6_cidr_block_association_set);
    associations(&mut cidrs, &item.subnet_id, &source, ipv6, context)?;
    Ok(Subnet {
        meta: Identity {
            id: &item.subnet_id,
            owner: &item.owner_id,
            arn: &item.subnet_arn,
            tags: &item.tags,
        }
        .meta(scope, &source),
        vpc: context.index.vpcs.refer(&item.vpc_id),
        state: item.state.lower(),
        cidrs,
        zone: item.availability_zone.shared(),
        zone_id: item.availability_zone_id.shared(),
        map_public: item.map_public_ip_on_launch.is_set(),
        block_mode: block_mode(item.block_public_access_states.as_ref()),
    })
}

fn block_mode(states: Option<&BlockStateShape<'_>>) -> State {
    states.and_then(|states| states.internet_gateway_block_mode.lower())
}

/// Appends the blocks of one association set.
fn associations(
    cidrs: &mut Vec<CidrAssociation>,
    id: &str,
    source: &Source,
    (field, set): (&str, &[BlockShape<'_>]),
    context: &mut Context<'_>,
) -> Result<(), LoadError> {
    for (index, block) in set.iter().enumerate() {
        let (name, text) = match block.cidr_block.shown() {
            Some(text) => ("CidrBlock", text),
            None => ("Ipv6CidrBlock", block.ipv6_cidr_block.shown().unwrap_or_default()),
        };
        let place = source.below(&format!("/{field}/{index}/{name}"));
        let state = block.cidr_block_state.as_ref().or(block.ipv6_cidr_block_state.as_ref());
        cidrs.push(CidrAssociation {
            cidr: context.block(id, &place, text)?,
            state: state.and_then(|state| state.state.lower()),
            attribute: block.ipv6_address_attribute.lower(),
        });
    }
    Ok(())
}

/// Moves the primary block to the front, or adds it where an old answer has no association set.
fn primary_first(
    cidrs: &mut Vec<CidrAssociation>,
    item: &VpcShape<'_>,
    source: &Source,
    context: &mut Context<'_>,
) -> Result<(), LoadError> {
    let Some(text) = item.cidr_block.shown() else { return Ok(()) };
    let cidr = context.block(&item.vpc_id, &source.below("/CidrBlock"), text)?;
    match cidrs.iter().position(|known| known.cidr == cidr) {
        Some(at) => {
            let primary = cidrs.remove(at);
            cidrs.insert(0, primary);
        }
        None => cidrs.insert(0, CidrAssociation { cidr, state: None, attribute: None }),
    }
    Ok(())
}

fn encryption_control(shape: &EncryptionShape<'_>) -> EncryptionControl {
    let exclusions = shape.resource_exclusions.iter().flatten();
    let enabled =
        exclusions.filter(|(_, state)| state.as_ref().is_some_and(|state| state.state.is("enabled")));
    EncryptionControl {
        mode: shape.mode.lower(),
        state: shape.state.lower(),
        excluded: enabled.map(|(component, _)| component.as_str().into()).collect(),
    }
}
