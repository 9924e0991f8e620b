//! What a changed network leaves as it was.
//!
//! The main type is [`Stale`]: the rules, entries and routes that differ between two networks in which everything else
//! is the same. Facts are compared, not kinds of changes, and a fact that is not named here differs from what was built.

use std::collections::BTreeSet;

use reachproof_model::flow::World;
use reachproof_model::id::{AclId, EniId, GroupId, RouteTableId, SubnetId, VpcId};

use super::chain::Both;
use super::class::{ClassId, Partition, StationId, named};
use crate::network::{AclChoice, Differing, Network};
use crate::reach::Read;

/// Lists of facts that differ.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Stale {
    differing: Differing,
    /// Groups that may let in other things.
    inward: BTreeSet<GroupId>,
    /// Groups that may let out other things.
    outward: BTreeSet<GroupId>,
    /// Whether the atoms have become finer.
    pub(super) refined: bool,
}

/// Why nothing of a matrix can be kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reason {
    /// The networks differ in more than rules of groups, entries of network ACLs and routes.
    Facts,
    /// Options, gateways or unmodelled components differ.
    Resolution,
    /// Other interfaces are named by routes.
    Places,
    /// A block starts or ends between addresses that nothing told apart, and parts the members of a class.
    Atoms,
    /// Other senders have packets rewritten on the way, so that they are explored one by one.
    Rewrites,
}

impl Stale {
    /// What differs, if a partition that was made for the first network serves the second one, too, or does once its atoms
    /// are finer.
    pub(super) fn between(
        before: &Network<'_>,
        after: &Network<'_>,
        partition: &mut Partition,
    ) -> Result<Self, Reason> {
        let differing = before.differing(after).ok_or(Reason::Facts)?;
        let [mut inward, mut outward] = [differing.groups.clone(), differing.groups.clone()];
        if !after.options.including_replies {
            let (old, new) = (&before.snapshot.groups, &after.snapshot.groups);
            inward.retain(|group| old[*group].ingress != new[*group].ingress);
            outward.retain(|group| old[*group].egress != new[*group].egress);
        }
        let mut stale = Self { differing, inward, outward, refined: false };
        if !before.is_resolved_like(after) {
            return Err(Reason::Resolution);
        }
        if stale.tables().next().is_some() && named(before) != named(after) {
            return Err(Reason::Places);
        }
        stale.refined = partition.refine(before, after, &stale).ok_or(Reason::Atoms)?;
        Ok(stale)
    }

    /// Whether anything is stale that explorations may have read.
    pub(super) fn leads_elsewhere(&self) -> bool {
        !self.differing.acls.is_empty() || !self.differing.tables.is_empty()
    }

    /// Whether explorations read something that is stale.
    pub(super) fn reached(&self, both: &Both) -> bool {
        let acls = self.acls().map(Read::Acl);
        let mut stale = acls.chain(self.tables().map(Read::Table));
        stale.any(|read| both.iter().any(|opened| opened.reads.contains(&read)))
    }

    fn has(&self, read: Read) -> bool {
        match read {
            Read::Acl(acl) => self.differing.acls.contains(&acl),
            Read::Table(table) => self.differing.tables.contains(&table),
        }
    }

    /// The stations of interfaces that carry a group which may let in other things.
    pub(super) fn admitting(&self, network: &Network<'_>, partition: &Partition) -> BTreeSet<StationId> {
        let members = self.inward.iter().flat_map(|group| network.members(*group));
        let classes: BTreeSet<ClassId> = members.map(|id| partition.class_of_interface(*id)).collect();
        classes.into_iter().flat_map(|class| partition.stations_of(class)).collect()
    }

    /// The sets of groups, by VPC, of which a group may let out other things.
    pub(super) fn carried(
        &self,
        network: &Network<'_>,
        group_set: &dyn Fn(EniId) -> u32,
    ) -> BTreeSet<(u32, Option<VpcId>)> {
        let members = self.outward.iter().flat_map(|group| network.members(*group)).copied();
        members.map(|id| (group_set(id), network.interface(id).vpc.known())).collect()
    }

    /// Whether the network ACL of a subnet has other entries.
    pub(super) fn bounds(&self, network: &Network<'_>, subnet: SubnetId) -> bool {
        let choices = [World::Over, World::Under].map(|world| network.acl(subnet, world).value);
        choices.into_iter().any(|choice| match choice {
            AclChoice::List(acl) => self.has(Read::Acl(acl)),
            AclChoice::Open | AclChoice::Closed => false,
        })
    }

    /// The groups with other rules.
    pub(super) fn groups(&self) -> impl Iterator<Item = GroupId> {
        self.differing.groups.iter().copied()
    }

    /// The network ACLs with other entries.
    pub(super) fn acls(&self) -> impl Iterator<Item = AclId> {
        self.differing.acls.iter().copied()
    }

    /// The route tables with other routes.
    pub(super) fn tables(&self) -> impl Iterator<Item = RouteTableId> {
        self.differing.tables.iter().copied()
    }
}
