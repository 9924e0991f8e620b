//! Where an expectation is not met, and why that is right.

/// One comparison that does not come out as expected.
pub struct Exception {
    /// The case.
    pub case: &'static str,
    /// The check.
    pub check: &'static str,
    /// What of it is compared.
    pub kind: &'static str,
    /// The rule that decides, or why nobody can tell.
    pub reason: &'static str,
}

const fn exception(
    case: &'static str,
    check: &'static str,
    kind: &'static str,
    reason: &'static str,
) -> Exception {
    Exception { case, check, kind, reason }
}

/// Expectations that contradict the rules of AWS.
pub const CONTRADICTED: [Exception; 4] = [
    // What strangers send each other never comes to a network of the snapshot.
    exception("batfish/public-subnet", "internet-to-arbitrary-ip-stays-outside", "verdict", "R-IGW-4"),
    // The table of the subnet selects the route; its target, not the subnet, has nothing in that zone.
    exception("batfish/transit-gateway", "a2-to-b-dies-at-subnet", "blocked at", "R-TGW-2"),
    // A gateway passes on only what is for an interface: nothing enters a subnet to find no neighbour there.
    exception("batfish/vpn-gateway-bgp", "onprem-to-unused-address", "blocked at", "R-VPN-3"),
    exception("batfish/vpn-gateway-bgp", "onprem-to-unused-address", "path", "R-VPN-3"),
];

const BALANCERS: &str = "not built: listeners and targets of load balancers";
const BEYOND: &str = "R-VPN-2: AWS does not show which prefixes a virtual private gateway knows by BGP";
const DOWN: &str = "A-2: its answer shows both tunnels of the VPN connection as down";

/// Questions to which the answer is unknown.
pub const UNKNOWN: [Exception; 8] = [
    exception("batfish/load-balancer-nlb", "client-to-nlb-ip-1", "verdict", BALANCERS),
    exception("batfish/load-balancer-nlb", "client-to-nlb-ip-2", "verdict", BALANCERS),
    exception("batfish/load-balancer-nlb", "unlistened-port-nlb-ip-1", "verdict", BALANCERS),
    exception("batfish/load-balancer-nlb", "unlistened-port-nlb-ip-2", "verdict", BALANCERS),
    exception("batfish/public-private-subnet-vgw", "private-to-public-ip-goes-to-vgw", "verdict", BEYOND),
    exception("batfish/public-private-subnet-vgw", "private-instance-to-internet", "verdict", BEYOND),
    exception(
        "batfish/public-private-subnet-vgw",
        "private-instance-to-site-leaves-via-vgw",
        "verdict",
        DOWN,
    ),
    exception(
        "batfish/security-group-rules",
        "sg11-icmp-code-without-type-deny",
        "filter",
        "R-SG-6: the API refuses a code without a type, so what such a rule does is not known",
    ),
];

/// R-NACL-15: cases without network ACLs, of which the other tool assumes that they are the default ones.
pub fn assumes_default_acl(case: &str) -> bool {
    case == "batfish/vpc-peering-multi-account"
}
