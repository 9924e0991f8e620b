//! Resource states: what is usable in which world (R-STATE-5).

use reachproof_model::flow::World;
use reachproof_model::snapshot::State;

/// The objects of R-STATE-5 whose states decide whether they carry traffic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Object {
    /// VPC CIDR, subnet CIDR or route table association (R-ADDR-1).
    Association,
    /// Internet, egress-only or virtual private gateway attachment.
    GatewayAttachment,
    /// NAT gateway.
    Nat,
    /// Address of a NAT gateway.
    NatAddress,
    /// VPC peering connection.
    Peering,
    /// Transit gateway or attachment.
    Transit,
    /// Transit gateway route.
    TransitRoute,
    /// Propagation of a transit gateway route table.
    Propagation,
    /// VPC endpoint.
    Endpoint,
    /// Virtual private gateway or VPN connection.
    Vpn,
    /// VPC or subnet.
    Place,
}

/// R-STATE-5: whether an object in this state carries traffic. A state that is not shown is the documented default,
/// usable (R-DATA-12).
pub(crate) fn usable(object: Object, state: &State, world: World) -> bool {
    let Some(state) = state.as_deref() else { return true };
    let firm = firm_states(object).contains(&state);
    firm || world == World::Over && !DEAD.contains(&state)
}

/// Whether the object is present but its state makes it usable in the permissive world alone.
pub(crate) fn transitional(object: Object, state: &State) -> bool {
    usable(object, state, World::Over) && !usable(object, state, World::Under)
}

/// States in which nothing carries traffic. Any other one, also one that AWS may add, may carry some (R-DATA-6).
const DEAD: [&str; 15] = [
    "failed",
    "failing",
    "disassociated",
    "detached",
    "deleted",
    "disabled",
    "rejected",
    "rejecting",
    "expired",
    "initiating",
    "initiating-request",
    "initiatingrequest",
    "pending-acceptance",
    "pendingacceptance",
    "terminated",
];

fn firm_states(object: Object) -> &'static [&'static str] {
    match object {
        Object::Association => &["associated"],
        Object::GatewayAttachment | Object::Vpn => &["available", "attached"],
        Object::Nat | Object::Transit | Object::Endpoint | Object::Place => &["available"],
        Object::NatAddress => &["succeeded"],
        Object::Peering | Object::TransitRoute => &["active"],
        Object::Propagation => &["enabled"],
    }
}
