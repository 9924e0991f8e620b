//! Changes of a snapshot: one rule, entry, route, address or interface added, removed or replaced.
//!
//! The main function is [`Snapshot::changed`]. A change is about facts alone; what it means for packets is decided in
//! `reachproof-engine`. What reading the whole input concludes from a fact (a component, a gap) is not concluded again:
//! a change that would need it is refused, so that the changed snapshot is the one that reading the changed input gives.

mod admission;
mod interface;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::id::{AclId, EniId, GroupId, Id, RouteTableId};
use crate::snapshot::{AclEntry, GroupRule, Interface, PrivateAddress, Route, Snapshot};

/// A change of one list of facts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// Of a rule of a security group.
    Rule {
        /// The group.
        group: GroupId,
        /// Whether the rule is about what members send.
        egress: bool,
        /// Which rule, by its position among those of its direction.
        edit: Edit<GroupRule>,
    },
    /// Of an entry of a network ACL.
    Entry {
        /// The list.
        acl: AclId,
        /// Which entry, by its position among all of the list.
        edit: Edit<AclEntry>,
    },
    /// Of a route.
    Route {
        /// The table.
        table: RouteTableId,
        /// Which route, by its position in the table.
        edit: Edit<Route>,
    },
    /// Of a private address of an interface.
    Address {
        /// The interface.
        interface: EniId,
        /// Which address, by its position among those of the interface.
        edit: Edit<PrivateAddress>,
    },
    /// Of an interface, by the position of its id. A replaced one keeps its id, place and kind.
    Interface(Edit<Box<Interface>>),
}

/// What happens to a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Edit<T> {
    /// This is added, where the order of the list puts it, else at the end.
    Add(T),
    /// What is at this position is removed.
    Remove(usize),
    /// What is at this position is replaced.
    Replace(usize, T),
}

/// Why a change cannot be made. [`fmt::Display`] gives one line for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChangeError(String);

impl fmt::Display for ChangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ChangeError {}

impl<T> Edit<T> {
    /// What is put in.
    fn new_value(&self) -> Option<&T> {
        match self {
            Self::Add(value) | Self::Replace(_, value) => Some(value),
            Self::Remove(_) => None,
        }
    }

    /// The position of what is taken out.
    fn position(&self) -> Option<usize> {
        match self {
            Self::Add(_) => None,
            Self::Remove(at) | Self::Replace(at, _) => Some(*at),
        }
    }
}

impl<T: Clone> Edit<T> {
    fn apply(&self, list: &mut Vec<T>) {
        match self {
            Self::Add(value) => list.push(value.clone()),
            Self::Remove(at) => list.retain_at(*at),
            Self::Replace(at, value) => {
                list.iter_mut().skip(*at).take(1).for_each(|old| *old = value.clone())
            }
        }
    }
}

/// Removal that cannot miss.
trait RetainAt {
    fn retain_at(&mut self, at: usize);
}

impl<T> RetainAt for Vec<T> {
    fn retain_at(&mut self, at: usize) {
        if at < self.len() {
            self.remove(at);
        }
    }
}

impl Snapshot {
    /// The snapshot after a change, in canonical order like any other.
    ///
    /// # Errors
    /// Iff the change names something that is not there, puts in something that no input describes, or touches a fact
    /// from which reading the input concludes more than the fact itself.
    pub fn changed(&self, change: &Change) -> Result<Self, ChangeError> {
        admission::admit(self, change)?;
        let mut after = self.clone();
        after.make(change);
        Ok(after)
    }

    fn make(&mut self, change: &Change) {
        match change {
            Change::Rule { group, egress, edit } => {
                let group = self.groups.get_mut(*group);
                let rules = group.map(|group| if *egress { &mut group.egress } else { &mut group.ingress });
                rules.into_iter().flatten().for_each(|rules| edit.apply(rules));
            }
            Change::Entry { acl, edit } => {
                if let Some(acl) = self.acls.get_mut(*acl) {
                    edit.apply(&mut acl.entries);
                    acl.entries.sort_by_key(|entry| (entry.egress, entry.number));
                }
            }
            Change::Route { table, edit } => {
                self.route_tables.get_mut(*table).into_iter().for_each(|table| edit.apply(&mut table.routes));
            }
            Change::Address { interface, edit } => {
                if let Some(interface) = self.interfaces.get_mut(*interface) {
                    edit.apply(&mut interface.addresses);
                    interface.addresses.sort_by_key(|address| (!address.primary, address.ip));
                }
            }
            Change::Interface(Edit::Add(interface)) => self.insert_interface(interface),
            Change::Interface(Edit::Remove(at)) => self.remove_interface(EniId::from_index(*at)),
            Change::Interface(Edit::Replace(at, interface)) => {
                self.interfaces.values_mut().skip(*at).take(1).for_each(|old| (*old).clone_from(interface));
            }
        }
    }
}
