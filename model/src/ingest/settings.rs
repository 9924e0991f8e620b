//! Settings of a whole account and Region: Block Public Access, public pools, zones (R-BPA-1, R-ROUTE-3).

use super::context::Context;
use super::error::LoadError;
use super::record::Record;
use super::value::{List, Text, shape};
use crate::snapshot::{BlockPublicAccess, BpaExclusion, PublicPool, Zone};

shape! {
    /// `DescribeVpcBlockPublicAccessOptions.VpcBlockPublicAccessOptions`.
    BpaShape<'a> as "block public access options" {
        aws_account_id: Text<'a>,
        aws_region: Text<'a>,
        internet_gateway_block_mode: Text<'a>,
        state: Text<'a>,
    }
}

shape! {
    /// `DescribeVpcBlockPublicAccessExclusions.VpcBlockPublicAccessExclusions[]`.
    ExclusionShape<'a> as "a block public access exclusion" {
        exclusion_id: Text<'a>,
        internet_gateway_exclusion_mode: Text<'a>,
        resource_arn: Text<'a>,
        state: Text<'a>,
    }
}

shape! {
    /// `DescribePublicIpv4Pools.PublicIpv4Pools[]`.
    PoolShape<'a> as "a public address pool" { pool_id: Text<'a>, pool_address_ranges: List<RangeShape<'a>>, }
}

shape! {
    /// `PoolAddressRanges[]`.
    RangeShape<'a> as "an address range" { first_address: Text<'a>, last_address: Text<'a>, }
}

shape! {
    /// `DescribeAvailabilityZones.AvailabilityZones[]`.
    ZoneShape<'a> as "an Availability Zone" {
        zone_id: Text<'a>,
        zone_name: Text<'a>,
        zone_type: Text<'a>,
        parent_zone_id: Text<'a>,
        region_name: Text<'a>,
    }
}

/// Converts the Block Public Access options of a Region.
pub(super) fn block_public_access(record: &Record<BpaShape<'_>>) -> BlockPublicAccess {
    BlockPublicAccess {
        mode: record.item.internet_gateway_block_mode.lower().unwrap_or_default(),
        state: record.item.state.lower(),
        source: record.source.clone(),
    }
}

/// Converts an exclusion; the resource is named by the last part of its ARN.
pub(super) fn exclusion(record: &Record<ExclusionShape<'_>>) -> BpaExclusion {
    let Record { source, item } = record;
    let arn = &*item.resource_arn;
    BpaExclusion {
        id: (&*item.exclusion_id).into(),
        resource: arn.rsplit('/').next().unwrap_or(arn).into(),
        mode: item.internet_gateway_exclusion_mode.lower().unwrap_or_default(),
        state: item.state.lower(),
        source: source.clone(),
    }
}

/// Converts a public address pool.
pub(super) fn pool(record: &Record<PoolShape<'_>>, context: &Context<'_>) -> Result<PublicPool, LoadError> {
    let Record { source, item } = record;
    let mut ranges = Vec::new();
    for range in item.pool_address_ranges.iter() {
        let first = context.ipv4(source, &range.first_address)?;
        let last = context.ipv4(source, &range.last_address)?;
        ranges.extend(ipnet::Ipv4Subnets::new(first, last, 0).map(ipnet::IpNet::V4));
    }
    Ok(PublicPool { id: (&*item.pool_id).into(), ranges })
}

/// Converts a zone.
pub(super) fn zone(shape: &ZoneShape<'_>) -> Zone {
    Zone {
        id: (&*shape.zone_id).into(),
        name: (&*shape.zone_name).into(),
        kind: shape.zone_type.lower().unwrap_or_default(),
        parent: shape.parent_zone_id.shared(),
    }
}
