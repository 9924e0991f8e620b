//! Which call an answer comes from: by its top-level key, and where several calls share one, by the operation in the
//! file name (R-DATA-9).

use super::inventory::inventory_calls;

/// Top-level keys with the calls that print them. Of several calls with one key the first is the usual one.
const CALLS: &[(&str, &str)] = &[
    ("AcceleratorList", "globalaccelerator list-accelerators"),
    ("Account", "sts get-caller-identity"),
    ("Addresses", "ec2 describe-addresses"),
    ("Associations", "ec2 get-transit-gateway-route-table-associations"),
    ("Associations", "ec2 get-transit-gateway-policy-table-associations"),
    ("AuthorizationRules", "ec2 describe-client-vpn-authorization-rules"),
    ("AvailabilityZones", "ec2 describe-availability-zones"),
    ("CacheClusters", "elasticache describe-cache-clusters"),
    ("ClusterInfoList", "kafka list-clusters-v2"),
    ("ClusterInfoList", "kafka list-clusters"),
    ("ClusterSummaries", "sagemaker list-clusters"),
    ("Clusters", "redshift describe-clusters"),
    ("Clusters", "emr list-clusters"),
    ("CustomerGateways", "ec2 describe-customer-gateways"),
    ("DBClusters", "rds describe-db-clusters"),
    ("DBInstances", "rds describe-db-instances"),
    ("DBSubnetGroups", "rds describe-db-subnet-groups"),
    ("DhcpOptions", "ec2 describe-dhcp-options"),
    ("DomainArn", "sagemaker describe-domain"),
    ("DomainNames", "opensearch list-domain-names"),
    ("Domains", "sagemaker list-domains"),
    ("EgressOnlyInternetGateways", "ec2 describe-egress-only-internet-gateways"),
    ("EnableDnsHostnames", "ec2 describe-vpc-attribute"),
    ("EnableDnsSupport", "ec2 describe-vpc-attribute"),
    ("EnableNetworkAddressUsageMetrics", "ec2 describe-vpc-attribute"),
    ("EndpointArn", "sagemaker describe-endpoint"),
    ("EndpointConfigArn", "sagemaker describe-endpoint-config"),
    ("EndpointConfigs", "sagemaker list-endpoint-configs"),
    ("Endpoints", "sagemaker list-endpoints"),
    ("Entries", "ec2 get-managed-prefix-list-entries"),
    ("FileSystems", "efs describe-file-systems"),
    ("FileSystems", "fsx describe-file-systems"),
    ("FirewallPolicies", "network-firewall list-firewall-policies"),
    ("FirewallPolicy", "network-firewall describe-firewall-policy"),
    ("FlowLogs", "ec2 describe-flow-logs"),
    ("Functions", "lambda list-functions"),
    ("HostedZone", "route53 get-hosted-zone"),
    ("HostedZones", "route53 list-hosted-zones"),
    ("InferenceComponents", "sagemaker list-inference-components"),
    ("InternetGateways", "ec2 describe-internet-gateways"),
    ("IpAddresses", "route53resolver list-resolver-endpoint-ip-addresses"),
    ("LaunchTemplates", "ec2 describe-launch-templates"),
    ("Listeners", "elbv2 describe-listeners"),
    ("Listeners", "globalaccelerator list-listeners"),
    ("LoadBalancerAttributes", "elbv2 describe-load-balancer-attributes"),
    ("LoadBalancerAttributes", "elb describe-load-balancer-attributes"),
    ("LocalGateways", "ec2 describe-local-gateways"),
    ("ModelArn", "sagemaker describe-model"),
    ("Models", "sagemaker list-models"),
    ("MountTargets", "efs describe-mount-targets"),
    ("NatGateways", "ec2 describe-nat-gateways"),
    ("NetworkAcls", "ec2 describe-network-acls"),
    ("NetworkInterfaces", "ec2 describe-network-interfaces"),
    ("NotebookInstanceArn", "sagemaker describe-notebook-instance"),
    ("PrefixLists", "ec2 describe-prefix-lists"),
    ("PrefixLists", "ec2 describe-managed-prefix-lists"),
    ("ProcessingJobArn", "sagemaker describe-processing-job"),
    ("ProcessingJobSummaries", "sagemaker list-processing-jobs"),
    ("PublicIpv4Pools", "ec2 describe-public-ipv4-pools"),
    ("Regions", "ec2 describe-regions"),
    ("Reservations", "ec2 describe-instances"),
    ("ResolverEndpoints", "route53resolver list-resolver-endpoints"),
    ("ResolverRuleAssociations", "route53resolver list-resolver-rule-associations"),
    ("ResolverRules", "route53resolver list-resolver-rules"),
    ("ResourceShares", "ram get-resource-shares"),
    ("RouteServerEndpoints", "ec2 describe-route-server-endpoints"),
    ("RouteServerPeers", "ec2 describe-route-server-peers"),
    ("RouteServers", "ec2 describe-route-servers"),
    ("RouteTables", "ec2 describe-route-tables"),
    ("Routes", "ec2 search-transit-gateway-routes"),
    ("Routes", "ec2 describe-client-vpn-routes"),
    ("RuleGroup", "network-firewall describe-rule-group"),
    ("RuleGroups", "network-firewall list-rule-groups"),
    ("Rules", "elbv2 describe-rules"),
    ("SecurityGroupRules", "ec2 describe-security-group-rules"),
    ("SecurityGroupVpcAssociations", "ec2 describe-security-group-vpc-associations"),
    ("SecurityGroups", "ec2 describe-security-groups"),
    ("ServiceDetails", "ec2 describe-vpc-endpoint-services"),
    ("StaleSecurityGroupSet", "ec2 describe-stale-security-groups"),
    ("Subnets", "ec2 describe-subnets"),
    ("TargetHealthDescriptions", "elbv2 describe-target-health"),
    ("TrainingJobArn", "sagemaker describe-training-job"),
    ("TrainingJobSummaries", "sagemaker list-training-jobs"),
    ("TransitGatewayAttachments", "ec2 describe-transit-gateway-attachments"),
    ("TransitGatewayConnects", "ec2 describe-transit-gateway-connects"),
    ("TransitGatewayPeeringAttachments", "ec2 describe-transit-gateway-peering-attachments"),
    ("TransitGatewayPolicyTableEntries", "ec2 get-transit-gateway-policy-table-entries"),
    ("TransitGatewayPolicyTables", "ec2 describe-transit-gateway-policy-tables"),
    ("TransitGatewayPrefixListReferences", "ec2 get-transit-gateway-prefix-list-references"),
    ("TransitGatewayPropagations", "ec2 get-transit-gateway-route-table-propagations"),
    ("TransitGatewayRouteTablePropagations", "ec2 get-transit-gateway-route-table-propagations"),
    ("TransitGatewayRouteTables", "ec2 describe-transit-gateway-route-tables"),
    // Only static routes: no answer of the search call, but a known key.
    ("TransitGatewayStaticRoutes", ""),
    ("TransitGatewayVpcAttachments", "ec2 describe-transit-gateway-vpc-attachments"),
    ("TransitGateways", "ec2 describe-transit-gateways"),
    ("VirtualInterfaces", "directconnect describe-virtual-interfaces"),
    ("VpcBlockPublicAccessExclusions", "ec2 describe-vpc-block-public-access-exclusions"),
    ("VpcBlockPublicAccessOptions", "ec2 describe-vpc-block-public-access-options"),
    ("VpcEncryptionControls", "ec2 describe-vpc-encryption-controls"),
    ("VpcEndpointAssociations", "network-firewall list-vpc-endpoint-associations"),
    ("VpcEndpoints", "ec2 describe-vpc-endpoints"),
    ("VpcPeeringConnections", "ec2 describe-vpc-peering-connections"),
    ("Vpcs", "ec2 describe-vpcs"),
    ("VpnConnections", "ec2 describe-vpn-connections"),
    ("VpnGateways", "ec2 describe-vpn-gateways"),
    ("cluster", "eks describe-cluster"),
    ("clusterArns", "ecs list-clusters"),
    ("clusters", "eks list-clusters"),
    ("resourceShares", "ram get-resource-shares"),
    ("virtualInterfaces", "directconnect describe-virtual-interfaces"),
];

/// Calls that share a key with so many others that only the file name tells them.
const NAMED: &[(&str, &str)] = &[
    ("Attributes", "elbv2 describe-load-balancer-attributes"),
    ("Attributes", "elbv2 describe-target-group-attributes"),
    ("Items", "apigatewayv2 get-vpc-links"),
    ("items", "apigateway get-rest-apis"),
    ("items", "apigateway get-vpc-links"),
    ("items", "vpc-lattice list-resource-gateways"),
    ("items", "vpc-lattice list-service-network-vpc-associations"),
    ("items", "vpc-lattice list-services"),
    ("items", "vpc-lattice list-target-groups"),
];

/// Operations that print a key of [`CALLS`] about something else: their answers are not read.
const FOREIGN: &[(&str, &str)] = &[
    ("Addresses", "describe-addresses-attribute"),
    ("Associations", "get-ipam-resource-cidrs"),
    ("Routes", "get-routes"),
    ("SecurityGroups", "describe-mount-target-security-groups"),
    ("SecurityGroups", "describe-notebook-instance"),
    ("Vpcs", "describe-vpc-classic-link"),
    ("Vpcs", "describe-vpc-classic-link-dns-support"),
];

/// How a top-level key is to be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Origin {
    /// The answer of this call.
    Call(&'static str),
    /// A key that means something, but proves no call.
    Known,
    /// Nothing that is read here.
    Unknown,
}

/// Where the value of `key` comes from, in a file whose name holds `service` and `operation`.
pub(super) fn origin(key: &str, service: Option<&str>, operation: Option<&str>) -> Origin {
    if operation.is_some_and(|operation| FOREIGN.contains(&(key, operation))) {
        return Origin::Unknown;
    }
    let named = |call: &&str| {
        let (of, what) = call.split_once(' ').unwrap_or(("", call));
        operation == Some(what) && service.is_none_or(|service| service == of)
    };
    if let Some((_, call)) = NAMED.iter().find(|(known, call)| *known == key && named(call)) {
        return Origin::Call(call);
    }
    let candidates = || CALLS.iter().filter(|(known, _)| *known == key).map(|(_, call)| *call);
    match candidates().find(named).or_else(|| candidates().next()) {
        None => Origin::Unknown,
        Some("") => Origin::Known,
        Some(call) => Origin::Call(call),
    }
}

/// The call that a file's name says, if it is one whose keys are known here.
pub(super) fn call_named(service: Option<&str>, operation: Option<&str>) -> Option<&'static str> {
    let calls = CALLS.iter().chain(NAMED).map(|(_, call)| *call).chain(inventory_calls());
    calls.filter(|call| !call.is_empty()).find(|call| {
        let (of, what) = call.split_once(' ').unwrap_or(("", call));
        operation == Some(what) && service.is_none_or(|service| service == of)
    })
}

/// Whether a call asks about one thing of several, so that one answer does not make the call complete.
pub(super) fn has_parent(call: &str) -> bool {
    const DESCRIBES: &[&str] = &[
        "describe-client-vpn-target-networks",
        "describe-cluster",
        "describe-domain",
        "describe-endpoint",
        "describe-endpoint-config",
        "describe-firewall",
        "describe-listeners",
        "describe-load-balancer-attributes",
        "describe-model",
        "describe-mount-targets",
        "describe-notebook-instance",
        "describe-processing-job",
        "describe-rule-group",
        "describe-rules",
        "describe-target-group-attributes",
        "describe-target-health",
        "describe-training-job",
        "describe-vpc-attribute",
        "describe-vpc-endpoint-service-permissions",
        "list-endpoint-groups",
        "list-listeners",
        "list-resolver-endpoint-ip-addresses",
        "list-service-network-vpc-associations",
    ];
    let operation = operation_of(call);
    let gets =
        operation.starts_with("get-") && !operation.ends_with("-links") && operation != "get-caller-identity";
    gets || operation.starts_with("search-") || DESCRIBES.contains(&operation)
}

/// `describe-vpcs` of `ec2 describe-vpcs`.
fn operation_of(call: &str) -> &str {
    call.split_once(' ').map_or(call, |(_, operation)| operation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_key_is_told_apart_by_the_operation() {
        let call = |key, operation| origin(key, None, operation);
        assert_eq!(call("Routes", None), Origin::Call("ec2 search-transit-gateway-routes"));
        assert_eq!(
            call("Routes", Some("describe-client-vpn-routes")),
            Origin::Call("ec2 describe-client-vpn-routes")
        );
        assert_eq!(call("Vpcs", Some("describe-vpc-classic-link")), Origin::Unknown);
        assert_eq!(call("Vpcs", Some("list-of-my-networks")), Origin::Call("ec2 describe-vpcs"));
        assert_eq!(call("Stranger", None), Origin::Unknown);
    }

    #[test]
    fn a_shared_operation_is_told_apart_by_the_service() {
        let call = |service| origin("FileSystems", service, Some("describe-file-systems"));
        assert_eq!(call(Some("fsx")), Origin::Call("fsx describe-file-systems"));
        assert_eq!(call(None), Origin::Call("efs describe-file-systems"));
        assert_eq!(
            origin("items", Some("vpc-lattice"), Some("list-services")),
            Origin::Call("vpc-lattice list-services")
        );
        assert_eq!(origin("items", None, None), Origin::Unknown);
    }

    #[test]
    fn keys_are_sorted_for_the_reader() {
        assert!(CALLS.is_sorted_by_key(|(key, _)| *key));
    }
}
