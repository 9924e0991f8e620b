//! Block Public Access and zones (section 7.3, R-TGW-2).

use std::collections::BTreeSet;

use reachproof_model::id::{EniId, SubnetId, VpcId};
use reachproof_model::snapshot::BpaExclusion;

use crate::net::{Net, collected_for_owner, scope_of_owner, subnets_of};
use crate::route::Hop;

/// What Block Public Access stops, the loosest first (R-BPA-4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Block {
    Off,
    Ingress,
    Bidirectional,
}

/// What an exclusion lets through (R-BPA-2); a mode that nobody knows may be the wider one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Exclusion {
    Bidirectional,
    Egress,
}

impl Net<'_> {
    /// R-BPA-3, R-BPA-4, A-18: whether an interface may begin to send to an internet or egress-only gateway.
    /// Out of its own subnet, or, forwarded, out of the one that it was last in, which may be any if nobody knows it.
    pub(crate) fn may_send_out(&self, id: EniId, from: Option<SubnetId>) -> bool {
        let allowed =
            |subnet| self.block(subnet) != Block::Bidirectional || !self.exclusions(subnet).is_empty();
        let vpc = self.interface(id).vpc.known();
        let forwarded = vpc.is_some()
            && match from {
                Some(subnet) => allowed(subnet),
                None => self.subnets_in(vpc).any(allowed),
            };
        self.live(id) && (subnets_of(self.interface(id)).any(allowed) || forwarded)
    }

    /// R-BPA-3, R-BPA-5: whether a gateway's table may hand unsolicited packets on to this, whoever owns the address.
    pub(crate) fn may_be_entered_by(&self, hop: &Hop, vpc: VpcId) -> bool {
        match hop {
            Hop::Local | Hop::Nowhere => false,
            Hop::Interface(id) => subnets_of(self.interface(*id)).any(|subnet| self.is_open(subnet)),
            _ => self.subnets_in(Some(vpc)).any(|subnet| self.is_open(subnet)),
        }
    }

    fn subnets_in(&self, vpc: Option<VpcId>) -> impl Iterator<Item = SubnetId> {
        self.s.subnets.iter().filter(move |(_, row)| row.vpc.known() == vpc).map(|(id, _)| id)
    }

    /// R-BPA-4: whether a subnet may receive unsolicited packets.
    fn is_open(&self, subnet: SubnetId) -> bool {
        self.block(subnet) == Block::Off || self.exclusions(subnet).contains(&Exclusion::Bidirectional)
    }

    /// R-BPA-4: whether an interface may receive unsolicited packets from an internet gateway.
    pub(crate) fn may_be_entered(&self, id: EniId) -> bool {
        self.live(id) && subnets_of(self.interface(id)).any(|subnet| self.is_open(subnet))
    }

    /// R-BPA-1, R-BPA-8: the loosest mode that any answer shows of the subnet, its VPC and its owner.
    fn block(&self, subnet: SubnetId) -> Block {
        let record = &self.s.subnets[subnet];
        let of_vpc = record.vpc.known().and_then(|vpc| self.s.vpcs[vpc].block_mode.as_deref());
        let options =
            scope_of_owner(self.s, &record.meta).and_then(|scope| scope.block_public_access.as_ref());
        let of_owner = options.map(|options| {
            let settled =
                matches!(options.state.as_deref(), None | Some("default-state" | "update-complete"));
            if settled { &*options.mode } else { "off" }
        });
        let shown = [record.block_mode.as_deref(), of_vpc, of_owner].into_iter().flatten().map(block);
        match shown.min() {
            None => Block::Off,
            Some(Block::Ingress) if !self.is_plain_zone(subnet) => Block::Off,
            Some(mode) => mode,
        }
    }

    /// R-BPA-2, R-DATA-4: exclusions that may cover a subnet; where they were not collected there may be one.
    fn exclusions(&self, subnet: SubnetId) -> Vec<Exclusion> {
        let record = &self.s.subnets[subnet];
        let scope = scope_of_owner(self.s, &record.meta);
        let vpc = record.vpc.known().map(|vpc| &self.s.vpcs[vpc].meta.id);
        let covers = |row: &&BpaExclusion| {
            row.resource.is_empty() || row.resource == record.meta.id || Some(&row.resource) == vpc
        };
        let alive = |row: &&BpaExclusion| row.state.as_deref() != Some("delete-complete");
        let rows = scope.into_iter().flat_map(|scope| &scope.bpa_exclusions).filter(covers).filter(alive);
        let listed = rows.map(|row| match &*row.mode {
            "allow-egress" => Exclusion::Egress,
            _ => Exclusion::Bidirectional,
        });
        let unlisted =
            !collected_for_owner(self.s, &record.meta, "ec2 describe-vpc-block-public-access-exclusions");
        listed.chain(unlisted.then_some(Exclusion::Bidirectional)).collect()
    }

    fn is_plain_zone(&self, subnet: SubnetId) -> bool {
        let record = &self.s.subnets[subnet];
        let named = || record.zone_id.as_deref().or(record.zone.as_deref()).is_some_and(is_plain_name);
        self.described_zone(subnet).map_or_else(named, is_plain)
    }

    /// R-TGW-2: the ids of a subnet's Availability Zone, its parent's for a Local Zone, by what is shown.
    pub(crate) fn zone_id(&self, subnet: SubnetId) -> Option<&str> {
        let record = &self.s.subnets[subnet];
        match self.described_zone(subnet) {
            Some(zone) if is_plain(zone) => Some(&zone.id),
            Some(zone) => zone.parent.as_deref(),
            None => record.zone_id.as_deref().filter(|zone| is_plain_name(zone)),
        }
    }

    /// The name of a subnet's Availability Zone, with the account that it is a name for.
    fn zone_name(&self, subnet: SubnetId) -> Option<(&str, &str)> {
        let record = &self.s.subnets[subnet];
        let plain = match self.described_zone(subnet) {
            Some(zone) => is_plain(zone),
            None => record.zone_id.as_deref().or(record.zone.as_deref()).is_some_and(is_plain_name),
        };
        let name = record.zone.as_deref().filter(|_| plain)?;
        Some((name, &self.s.scopes[record.meta.scope].account))
    }

    /// R-TGW-2: whether nothing that is shown says that two subnets are in different zones: ids are compared, and names of
    /// one account.
    pub(crate) fn may_share_zone(&self, left: SubnetId, right: SubnetId) -> bool {
        match (self.zone_id(left).zip(self.zone_id(right)), self.zone_name(left).zip(self.zone_name(right))) {
            (Some((left, right)), _) => left == right,
            (None, Some(((left, account), (right, other)))) => account != other || left == right,
            (None, None) => true,
        }
    }

    /// The zone of a subnet, by its id, or by its name where no account but one gives names.
    fn described_zone(&self, subnet: SubnetId) -> Option<&reachproof_model::snapshot::Zone> {
        let record = &self.s.subnets[subnet];
        let accounts: BTreeSet<&str> = self.s.scopes.values().map(|scope| &*scope.account).collect();
        self.s.zones.iter().find(|zone| match &record.zone_id {
            Some(id) => zone.id == *id,
            None => accounts.len() < 2 && Some(&zone.name) == record.zone.as_ref(),
        })
    }
}

fn block(mode: &str) -> Block {
    match mode {
        "block-ingress" => Block::Ingress,
        "block-bidirectional" => Block::Bidirectional,
        _ => Block::Off,
    }
}

fn is_plain(zone: &reachproof_model::snapshot::Zone) -> bool {
    if zone.kind.is_empty() { is_plain_name(&zone.id) } else { &*zone.kind == "availability-zone" }
}

/// Whether an id (`use1-az1`) or name (`us-east-1a`) has the form of an Availability Zone's.
fn is_plain_name(zone: &str) -> bool {
    let numeric = |part: &str| part.starts_with(|first: char| first.is_ascii_digit());
    match zone.split('-').collect::<Vec<_>>().as_slice() {
        [_, last] => last.starts_with("az"),
        [first, .., last] => {
            let numbers = zone.split('-').filter(|part| numeric(part)).count();
            !first.is_empty() && numeric(last) && numbers == 1
        }
        _ => false,
    }
}
