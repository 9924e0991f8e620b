//! What the snapshot lacks, and what that means (R-DATA-10).

use std::collections::BTreeSet;
use std::fmt;

use reachproof_model::flow::World;
use reachproof_model::snapshot::{CallStatus, Interface, Meta, Scope, Snapshot};

use super::{GatewayKind, Network};
use crate::hypothetical::is_hypothetical;

/// A call without which no path question about an account and Region can be answered (R-DATA-10, spine).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SpineError {
    missing: Vec<(Box<str>, &'static str)>,
}

impl fmt::Display for SpineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<String> =
            self.missing.iter().map(|(scope, call)| format!("`{call}` of {scope}")).collect();
        write!(
            f,
            "no path question can be answered without {}: collect it with the AWS CLI and add its answer to the snapshot",
            rows.join(", ")
        )
    }
}

impl std::error::Error for SpineError {}

/// Inventories whose absence is an assumption, not a gap (R-DATA-10 additive, A-23), as people call them, with the
/// call that tells.
pub const ADDITIVE: [(&str, &str); 14] = [
    ("load balancers", "elbv2 describe-load-balancers"),
    ("classic load balancers", "elb describe-load-balancers"),
    ("endpoint services", "ec2 describe-vpc-endpoint-service-configurations"),
    ("global accelerators", "globalaccelerator list-accelerators"),
    ("CloudFront VPC origins", "cloudfront list-vpc-origins"),
    ("API Gateway VPC links", "apigatewayv2 get-vpc-links"),
    ("instance connect endpoints", "ec2 describe-instance-connect-endpoints"),
    ("Verified Access endpoints", "ec2 describe-verified-access-endpoints"),
    ("Client VPN endpoints", "ec2 describe-client-vpn-endpoints"),
    ("VPC Lattice associations", "vpc-lattice list-service-network-vpc-associations"),
    ("network firewalls", "network-firewall list-firewalls"),
    ("multicast domains", "ec2 describe-transit-gateway-multicast-domains"),
    ("traffic mirror sessions", "ec2 describe-traffic-mirror-sessions"),
    ("public IPv4 pools", "ec2 describe-public-ipv4-pools"),
];

/// R-DATA-10: the additive inventories that some account and Region with a network lacks, as people call them; those of
/// global services count wherever in the account they were collected. Each may let the internet in by itself (R-EDGE-1).
pub fn missing_inventories(snapshot: &Snapshot) -> Vec<&'static str> {
    let global = |call: &str| call.starts_with("globalaccelerator ") || call.starts_with("cloudfront ");
    let scopes = || snapshot.scopes.values();
    let anywhere = |call: &str| scopes().any(|scope| scope.collected(call));
    let in_account = |home: &Scope, call: &str| {
        scopes().any(|scope| scope.account == home.account && scope.collected(call))
    };
    let there = |scope: &Scope, call: &str| {
        if global(call) { in_account(scope, call) } else { scope.collected(call) }
    };
    let collected = |call: &str| {
        anywhere(call) && scopes().filter(|scope| has_network(scope)).all(|scope| there(scope, call))
    };
    ADDITIVE.iter().filter(|(_, call)| !collected(call)).map(|(name, _)| *name).collect()
}

/// R-DATA-10, `--strict`: the calls of tier A that some account and Region with VPCs lacks (R-DATA-1).
pub fn missing_calls(snapshot: &Snapshot) -> BTreeSet<&'static str> {
    let with_network = || snapshot.scopes.values().filter(|scope| has_network(scope));
    TIER_A.iter().filter(|call| with_network().any(|scope| !scope.collected(call))).copied().collect()
}

const TIER_A: [&str; 14] = [
    "ec2 describe-addresses",
    "ec2 describe-egress-only-internet-gateways",
    "ec2 describe-instances",
    "ec2 describe-internet-gateways",
    "ec2 describe-nat-gateways",
    "ec2 describe-network-acls",
    "ec2 describe-route-tables",
    "ec2 describe-security-groups",
    "ec2 describe-transit-gateway-attachments",
    "ec2 describe-vpc-block-public-access-options",
    "ec2 describe-vpc-endpoints",
    "ec2 describe-vpc-peering-connections",
    "ec2 describe-vpn-gateways",
    "ec2 describe-vpcs",
];

fn has_network(scope: &Scope) -> bool {
    has(scope, "ec2 describe-vpcs")
        || has(scope, "ec2 describe-subnets")
        || has(scope, "ec2 describe-network-interfaces")
}

fn has(scope: &Scope, call: &str) -> bool {
    matches!(scope.calls.get(call), Some(CallStatus::Collected | CallStatus::Truncated))
}

/// R-SHARE-1: the account that owns a resource, where the answer of another one shows it.
fn other_owner<'m>(snapshot: &Snapshot, meta: &'m Meta) -> Option<&'m str> {
    let shown = &snapshot.scopes[meta.scope];
    meta.owner.as_deref().filter(|owner| !shown.account.is_empty() && *shown.account != **owner)
}

/// R-DATA-9, R-ADDR-13: what was collected in the account that owns a resource, in the Region of the account that shows
/// it; `None` if nothing was. What another account sees is no evidence of what the owner has.
pub(super) fn scope_of_owner<'s>(snapshot: &'s Snapshot, meta: &Meta) -> Option<&'s Scope> {
    let shown = &snapshot.scopes[meta.scope];
    let Some(owner) = other_owner(snapshot, meta) else { return Some(shown) };
    snapshot.scopes.values().find(|scope| *scope.account == *owner && scope.region == shown.region)
}

/// R-DATA-9, R-SHARE-1: whether a call was collected in the account that owns a resource.
pub(super) fn collected_for_owner(snapshot: &Snapshot, meta: &Meta, call: &str) -> bool {
    scope_of_owner(snapshot, meta).is_some_and(|scope| scope.collected(call))
}

/// Where to collect what an account does not see of a resource of another one; empty if it is its own. For people.
pub(super) fn in_owners_account(snapshot: &Snapshot, meta: &Meta) -> String {
    other_owner(snapshot, meta).map(|owner| format!(" in account {owner}")).unwrap_or_default()
}

impl Network<'_> {
    /// R-DATA-2, R-DATA-3, R-DATA-5, A-21: what the input cuts short, leaves dangling, or shows so that nobody can read or
    /// model it. Beside any of these it is not proved that nothing passes. For people, in the order of the snapshot.
    pub fn doubts(&self) -> Vec<String> {
        let snapshot = self.snapshot;
        let cut = snapshot.scopes.values().flat_map(|scope| &scope.calls);
        let cut = cut.filter(|(_, status)| **status == CallStatus::Truncated);
        let cut =
            cut.map(|(call, _)| format!("the answer of `{call}` is incomplete: collect the rest (A-11)"));
        let unplaced =
            |interface: &&Interface| interface.vpc.known().is_none() || interface.subnet.known().is_none();
        let dangling = snapshot.interfaces.values().filter(unplaced);
        let dangling = dangling.map(|interface| {
            format!("the VPC or subnet of {} is not in the snapshot (A-11)", interface.meta.id)
        });
        let unmodelled = snapshot.notices.iter().filter(|notice| notice.message.contains("(A-21)"));
        let unmodelled = unmodelled.map(|notice| format!("{}: {}", notice.resource, notice.message));
        let unreadable = snapshot.gaps.iter().map(|gap| format!("{}: {} (A-11)", gap.resource, gap.why));
        let contradictory = self.contradictions();
        cut.chain(dangling).chain(unmodelled).chain(unreadable).chain(contradictory).collect()
    }

    /// R-DATA-10: where addresses were not collected, an interface with delegated prefixes may hold one more public
    /// address, which counts where an internet gateway may serve its VPC. For people.
    pub fn unlisted_addresses(&self) -> Vec<String> {
        let suspect = |interface: &&Interface| {
            let collected = collected_for_owner(self.snapshot, &interface.meta, "ec2 describe-addresses");
            let served = |vpc| !self.gateways_of(vpc, GatewayKind::Internet, World::Over).is_empty();
            let delegated = interface.prefixes.iter().any(|block| block.addr().is_ipv4());
            let real = !is_hypothetical(interface);
            real && !collected && delegated && interface.vpc.known().is_some_and(served)
        };
        let suspects = self.snapshot.interfaces.values().filter(suspect);
        suspects
            .map(|interface| {
                let id = &interface.meta.id;
                format!("{id} may hold a public address in a delegated prefix; collect: ec2 describe-addresses (A-11)")
            })
            .collect()
    }
}

/// R-DATA-10: VPCs, subnets and interfaces must have been collected wherever one of them was; interfaces inside
/// instances stand in for `describe-network-interfaces`.
pub(super) fn require_spine(snapshot: &Snapshot) -> Result<(), SpineError> {
    let mut missing = Vec::new();
    for scope in
        snapshot.scopes.values().filter(|scope| has_network(scope) || has(scope, "ec2 describe-instances"))
    {
        let interfaces =
            has(scope, "ec2 describe-network-interfaces") || has(scope, "ec2 describe-instances");
        let calls = [
            ("ec2 describe-vpcs", has(scope, "ec2 describe-vpcs")),
            ("ec2 describe-subnets", has(scope, "ec2 describe-subnets")),
            ("ec2 describe-network-interfaces", interfaces),
        ];
        missing.extend(calls.iter().filter(|(_, there)| !there).map(|(call, _)| (label(scope), *call)));
    }
    if missing.is_empty() { Ok(()) } else { Err(SpineError { missing }) }
}

fn label(scope: &Scope) -> Box<str> {
    match (&*scope.account, &*scope.region) {
        ("", "") => "this account and Region".into(),
        ("", region) => format!("Region {region}").into(),
        (account, "") => format!("account {account}").into(),
        (account, region) => format!("account {account}, Region {region}").into(),
    }
}
