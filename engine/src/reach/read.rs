//! Which network ACLs and route tables an exploration asked, so that it need not be repeated where others change.
//!
//! The main type is [`Reads`]. Rules of groups are not noted: explorations without groups read none.

use std::cell::RefCell;
use std::collections::BTreeSet;

use reachproof_model::id::{AclId, RouteTableId};

/// A list of facts that an exploration asked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Read {
    /// The entries of a network ACL.
    Acl(AclId),
    /// The routes of a route table.
    Table(RouteTableId),
}

/// What has been read so far.
///
/// INVARIANT (reads complete): the entries of a network ACL are read by `Explorer::acl` alone and routes by
/// `Index::fib` and `known_behind` alone; each notes what it reads, remembered or not.
#[derive(Default)]
pub(super) struct Reads(RefCell<BTreeSet<Read>>);

impl Reads {
    pub(super) fn note(&self, read: Read) {
        self.0.borrow_mut().insert(read);
    }

    /// What was read since the last time.
    pub(super) fn take(&self) -> BTreeSet<Read> {
        self.0.take()
    }
}
