//! Which network ACL filters at a subnet's boundary.

use std::collections::BTreeMap;

use reachproof_model::flow::World;
use reachproof_model::id::{AclId, Ref, SubnetId, VpcId};
use reachproof_model::snapshot::Snapshot;

use super::{Assumed, Network};

/// What filters at a subnet's boundary in one world.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AclChoice {
    /// This list.
    List(AclId),
    /// Nothing: every packet passes.
    Open,
    /// Nothing passes that the restrictive world could claim.
    Closed,
}

#[derive(Debug, Default)]
pub(super) struct AclIndex {
    by_subnet: BTreeMap<SubnetId, Vec<AclId>>,
    defaults: BTreeMap<VpcId, Vec<AclId>>,
}

impl AclIndex {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let mut index = Self::default();
        for (id, acl) in snapshot.acls.iter() {
            for subnet in acl.subnets.iter().filter_map(Ref::known) {
                index.by_subnet.entry(subnet).or_default().push(id);
            }
            if let (true, Some(vpc)) = (acl.is_default, acl.vpc.known()) {
                index.defaults.entry(vpc).or_default().push(id);
            }
        }
        index.by_subnet.values_mut().chain(index.defaults.values_mut()).for_each(Vec::dedup);
        index
    }
}

impl Network<'_> {
    /// R-NACL-1, R-NACL-15: the list of a subnet; where none was collected the permissive world permits and the
    /// restrictive one denies, unless the user assumes default lists. Where several claim the subnet nobody knows which one
    /// filters (R-DATA-5).
    pub fn acl(&self, subnet: SubnetId, world: World) -> Assumed<AclChoice> {
        let own = self.resolved.acls.by_subnet.get(&subnet);
        let default =
            || self.subnet(subnet).vpc.known().and_then(|vpc| self.resolved.acls.defaults.get(&vpc));
        match (own.or_else(default).map(Vec::as_slice), world) {
            (Some([acl]), _) => Assumed::fact(AclChoice::List(*acl)),
            (Some(_), World::Over) => Assumed::on(AclChoice::Open, &[11]),
            (Some(_), World::Under) => Assumed::on(AclChoice::Closed, &[11]),
            (None, World::Over) => Assumed::fact(AclChoice::Open),
            (None, World::Under) if self.options.assume_default_acl => Assumed::on(AclChoice::Open, &[36]),
            (None, World::Under) => Assumed::on(AclChoice::Closed, &[11]),
        }
    }
}
