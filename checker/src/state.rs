//! What carries traffic, in the reading that permits: states, liveness, roles (R-STATE, R-MENI).

use std::collections::BTreeSet;

use reachproof_model::id::Ref;
use reachproof_model::snapshot::{Interface, Meta, Snapshot, State};

use crate::net::collected_for_owner;

/// States in which nothing carries traffic; any other one may (R-STATE-5, R-DATA-6).
const DEAD: [&str; 15] = [
    "deleted",
    "detached",
    "disabled",
    "disassociated",
    "expired",
    "failed",
    "failing",
    "initiating",
    "initiating-request",
    "initiatingrequest",
    "pending-acceptance",
    "pendingacceptance",
    "rejected",
    "rejecting",
    "terminated",
];

/// R-STATE-5, R-DATA-12: whether something in this state may carry traffic.
pub(crate) fn usable(state: &State) -> bool {
    state.as_deref().is_none_or(|state| !DEAD.contains(&state))
}

/// R-STATE-5: whether it certainly does, `firm` being the state that says so.
pub(crate) fn certain(state: &State, firm: &str) -> bool {
    state.as_deref().is_none_or(|state| state == firm)
}

/// R-ROUTE-11: whether it may begin or cease to without a change of the network.
pub(crate) fn transitional(state: &State, firm: &str) -> bool {
    usable(state) && !certain(state, firm)
}

/// R-STATE-1: whether nothing that is shown says that the interface is not in use.
pub(crate) fn shown_live(snapshot: &Snapshot, interface: &Interface) -> bool {
    let attachment = interface.attachment.as_ref();
    let instance = attachment.and_then(|one| one.instance.as_ref()).and_then(Ref::known);
    let running = instance.is_none_or(|id| certain(&snapshot.instances[id].state, "running"));
    certain(&interface.status, "in-use")
        && attachment.is_none_or(|one| certain(&one.status, "attached"))
        && running
}

/// What an interface is for (R-MENI-2, R-MENI-4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Sends and receives; also every kind that nobody knows.
    Plain,
    /// Receives only (R-VPCE-7).
    Endpoint,
    /// A part of the network: packets neither end nor start there (R-NAT-5).
    Transit,
}

pub(crate) fn role(interface: &Interface) -> Role {
    match interface.kind.as_deref() {
        Some("natgateway" | "transitgateway" | "gatewayloadbalancerendpoint" | "gatewayloadbalancer") => {
            Role::Transit
        }
        Some("vpcendpoint") => Role::Endpoint,
        _ => Role::Plain,
    }
}

/// R-ADDR-14: whether it is an Amazon EVS VLAN's, whose hosts nobody checks or filters.
pub(crate) fn is_vlan(interface: &Interface) -> bool {
    interface.kind.as_deref() == Some("evs")
}

/// R-MBX-2, R-ADDR-14: whether the guest behind the interface may do as it likes.
pub(crate) fn unchecked(interface: &Interface) -> bool {
    interface.source_dest_check == Some(false) || is_vlan(interface)
}

/// Whether an owner is named and is no account of the snapshot (R-ADDR-13).
pub(crate) fn is_foreign(snapshot: &Snapshot, owner: Option<&str>) -> bool {
    let accounts: BTreeSet<&str> = snapshot.scopes.values().map(|scope| &*scope.account).collect();
    let anonymous = accounts.iter().all(|account| account.is_empty());
    owner.is_some_and(|owner| !anonymous && !accounts.contains(owner))
}

/// R-ADDR-13, R-SHARE-1, R-SG-20: whether interfaces that nobody shows may be in a subnet or carry a group: another account
/// than the one that shows it owns it, and nobody lists what that account sees in the Region.
pub(crate) fn hides_interfaces(s: &Snapshot, meta: &Meta) -> bool {
    let shown = &s.scopes[meta.scope].account;
    if shown.is_empty() {
        return is_foreign(s, meta.owner.as_deref());
    }
    meta.owner.as_deref().is_some_and(|owner| *owner != **shown)
        && !collected_for_owner(s, meta, "ec2 describe-network-interfaces")
}
