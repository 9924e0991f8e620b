//! What can be added to a random network, one thing at a time.

mod filter;
mod gateway;
mod host;
mod route;
mod transit;
mod unusual;

use super::draft::Draft;
use super::seed::Stream;

/// One thing to add, with picks that say where and how.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Piece {
    /// What is added.
    pub kind: PieceKind,
    /// Where and how; each pick counts modulo the number of choices.
    pub picks: [u8; 6],
}

/// Declares the kinds, with how often each is drawn and the function that adds it.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident: $weight:literal, $add:path;)*) => {
        /// What a [`Piece`] adds.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum PieceKind {
            $($(#[$doc])* $kind,)*
        }

        impl PieceKind {
            /// Every kind with how often it should be drawn.
            pub const WEIGHTED: &'static [(u8, Self)] = &[$(($weight, Self::$kind),)*];
        }

        impl Piece {
            /// Adds itself to a draft, if there is something to attach to.
            pub(super) fn add_to(&self, draft: &mut Draft) {
                // Nothing is owed where nothing can be attached.
                let _nothing_to_attach_to: Option<()> = match self.kind {
                    $(PieceKind::$kind => $add(draft, self.picks),)*
                };
            }
        }
    };
}

kinds! {
    /// A rule of a security group.
    GroupRule: 6, filter::group_rule;
    /// A security group with few rules, on an interface.
    Group: 8, filter::group;
    /// A network ACL of one subnet.
    Acl: 6, filter::acl;
    /// An entry of a network ACL.
    AclRule: 6, filter::acl_rule;
    /// A customer's prefix list, with a route and a rule.
    PrefixList: 2, filter::prefix_list;
    /// A further interface: with public addresses, without the source/destination check, in unusual states.
    Interface: 5, host::interface;
    /// A route of any table to any target.
    Route: 6, route::route;
    /// A table of one subnet.
    Table: 4, route::table;
    /// A table for what enters by a gateway.
    GatewayTable: 3, route::gateway_table;
    /// A NAT gateway: public, private or regional, with a route to it.
    Nat: 7, gateway::nat;
    /// An egress-only internet gateway, with a route to it.
    Egress: 2, gateway::egress;
    /// A virtual private gateway with a VPN connection, with a route to it.
    Virtual: 3, gateway::virtual_gateway;
    /// A gateway endpoint of S3.
    Storage: 2, gateway::storage;
    /// An interface endpoint.
    Endpoint: 2, gateway::endpoint;
    /// A peering connection, with routes on one side or both.
    Peering: 6, transit::peering;
    /// A VPC's attachment to the transit gateway, with routes to it.
    Attachment: 8, transit::attachment;
    /// A route of a transit gateway's table.
    TransitRoute: 4, transit::route;
    /// A transit gateway's attachment of something that is not a VPC.
    Outside: 2, transit::outside;
    /// A policy table of a transit gateway.
    PolicyTable: 2, transit::policy_table;
    /// An unusual state of something.
    State: 3, unusual::state;
    /// Block Public Access with an exclusion.
    BlockPublicAccess: 2, unusual::block_public_access;
    /// A call that was not collected.
    Forgotten: 1, unusual::forgotten;
}

impl Piece {
    /// A piece of a stream of choices.
    pub(super) fn of(stream: &mut Stream) -> Self {
        let total = PieceKind::WEIGHTED.iter().fold(0_u8, |sum, (weight, _)| sum.saturating_add(*weight));
        let mut rest = stream.below(total);
        let drawn = PieceKind::WEIGHTED.iter().find(|(weight, _)| {
            let here = rest < *weight;
            rest = rest.saturating_sub(*weight);
            here
        });
        let kind = drawn.map_or(PieceKind::GroupRule, |(_, kind)| *kind);
        Self { kind, picks: [(); 6].map(|()| stream.byte()) }
    }
}
