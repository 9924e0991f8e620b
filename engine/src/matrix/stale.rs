//! What a changed network leaves as it was.
//!
//! The main type is [`Stale`]: the rules, entries and routes that differ between two networks in which everything else
//! is the same. Facts are compared, not kinds of changes, and a fact that is not named here differs from what was built.

use reachproof_model::flow::World;
use reachproof_model::id::{AclId, EniId, GroupId, Ref, RouteTableId, SubnetId};

use super::chain::Both;
use super::class::{Partition, named};
use crate::network::{AclChoice, Differing, Network};
use crate::reach::Read;

/// Lists of facts that differ.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Stale {
    differing: Differing,
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
        let differing = Differing::between(before.snapshot, after.snapshot).ok_or(Reason::Facts)?;
        let mut stale = Self { differing, refined: false };
        if !before.is_resolved_like(after) {
            return Err(Reason::Resolution);
        }
        if stale.tables().next().is_some() && named(before) != named(after) {
            return Err(Reason::Places);
        }
        stale.refined = partition.refine(before, after, &stale).ok_or(Reason::Atoms)?;
        Ok(stale)
    }

    /// Whether explorations read something that is stale.
    pub(super) fn reached(&self, both: &Both) -> bool {
        both.iter().any(|opened| opened.reads.iter().any(|read| self.has(*read)))
    }

    fn has(&self, read: Read) -> bool {
        match read {
            Read::Acl(acl) => self.differing.acls.contains(&acl),
            Read::Table(table) => self.differing.tables.contains(&table),
        }
    }

    /// Whether a group that filters at an interface has other rules.
    pub(super) fn filters_at(&self, network: &Network<'_>, interface: EniId) -> bool {
        let groups = network.groups(interface).unwrap_or_default();
        groups.into_iter().filter_map(Ref::known).any(|group| self.differing.groups.contains(&group))
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
