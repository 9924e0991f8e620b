//! Availability Zones, as far as they can be compared (R-TGW-2).

use std::collections::BTreeSet;

use reachproof_model::id::{Id, SubnetId};
use reachproof_model::snapshot::{Snapshot, Subnet, Zone};

use super::Network;

/// The ordinary Availability Zone of a subnet, by what is shown of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PlainZone<'s> {
    id: Option<&'s str>,
    name: Option<&'s str>,
    /// The account to which the zone has this name.
    account: &'s str,
}

impl PlainZone<'_> {
    /// R-TGW-2: whether both are one zone; `None` if that cannot be told. Ids are compared, and names of one account.
    pub fn is(&self, other: &PlainZone<'_>) -> Option<bool> {
        match (self.id.zip(other.id), self.name.zip(other.name)) {
            (Some((left, right)), _) => Some(left == right),
            (None, Some((left, right))) if self.account == other.account => Some(left == right),
            _ => None,
        }
    }
}

impl<'s> Network<'s> {
    /// R-TGW-2: the zone that counts for transit gateways: the parent's for a Local Zone; `None` if unknown.
    pub fn plain_zone(&self, subnet: SubnetId) -> Option<PlainZone<'s>> {
        let record = self.subnet(subnet);
        let account = &*self.snapshot.scopes[record.meta.scope].account;
        let name = record.zone.as_deref();
        match self.described_zone(subnet) {
            Some(zone) if is_plain(zone) => Some(PlainZone { id: Some(&zone.id), name, account }),
            Some(zone) => {
                zone.parent.as_deref().map(|parent| PlainZone { id: Some(parent), name: None, account })
            }
            None => {
                let zone = PlainZone { id: record.zone_id.as_deref(), name, account };
                let shown = zone.id.or(zone.name)?;
                names_plain_zone(shown).then_some(zone)
            }
        }
    }

    /// The id of the subnet's zone, if that is known and ordinary.
    pub fn zone_id(&self, subnet: SubnetId) -> Option<&'s str> {
        self.plain_zone(subnet)?.id
    }

    /// The zone of a subnet, if a call describes it.
    pub(super) fn described_zone(&self, subnet: SubnetId) -> Option<&'s Zone> {
        self.resolved.zones.get(subnet.index()).copied().flatten()
    }
}

/// The described zone of each subnet: by its id, or by its name where one account alone gives names.
pub(super) fn described(snapshot: &Snapshot) -> Vec<Option<&Zone>> {
    let accounts: BTreeSet<&str> = snapshot.scopes.values().map(|scope| &*scope.account).collect();
    let of = |record: &Subnet| {
        snapshot.zones.iter().find(|zone| match &record.zone_id {
            Some(id) => zone.id == *id,
            None => accounts.len() < 2 && Some(&zone.name) == record.zone.as_ref(),
        })
    };
    snapshot.subnets.values().map(of).collect()
}

/// R-TGW-2, R-BPA-8: whether a described zone is an ordinary Availability Zone; an answer without `ZoneType` is read by
/// the form of the id.
pub(super) fn is_plain(zone: &Zone) -> bool {
    match &*zone.kind {
        "" => names_plain_zone(&zone.id),
        kind => kind == "availability-zone",
    }
}

/// Whether a zone id (`use1-az1`) or name (`us-east-1a`) has the form of an Availability Zone's. Local Zones
/// (`use1-bos1-az1`, `us-east-1-bos-1a`) and Wavelength Zones have others.
pub(super) fn names_plain_zone(zone: &str) -> bool {
    let parts: Vec<&str> = zone.split('-').collect();
    let numeric = |part: &&str| part.starts_with(|first: char| first.is_ascii_digit());
    match parts.as_slice() {
        [_, last] => last.starts_with("az"),
        [_, .., last] => numeric(last) && parts.iter().filter(|part| numeric(part)).count() == 1,
        _ => false,
    }
}
