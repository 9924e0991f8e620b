//! What an interface belongs to, for selectors and display only (R-MENI-1, R-MENI-4): a label never removes an edge.

use super::interface::InterfaceShape;

/// `InterfaceType` without case and separators, and its label.
const BY_TYPE: &[(&str, &str)] = &[
    ("natgateway", "nat-gateway"),
    ("transitgateway", "transit-gateway"),
    ("vpcendpoint", "vpc-endpoint"),
    ("gatewayloadbalancerendpoint", "vpc-endpoint"),
    ("loadbalancer", "load-balancer"),
    ("networkloadbalancer", "load-balancer"),
    ("gatewayloadbalancer", "load-balancer"),
    ("lambda", "lambda"),
    ("globalacceleratormanaged", "global-accelerator"),
    ("apigatewaymanaged", "api-gateway"),
    ("quicksight", "quicksight"),
    ("evs", "evs"),
];

/// `RequesterId`, and its label.
const BY_REQUESTER: &[(&str, &str)] = &[
    ("amazon-elb", "load-balancer"),
    ("amazon-rds", "rds"),
    ("amazon-redshift", "redshift"),
    ("amazon-elasticache", "elasticache"),
    ("amazon-elasticsearch", "opensearch"),
    ("amazon-vpce", "vpc-endpoint"),
];

/// How a description starts, in lower case, and its label; the first match wins.
const BY_DESCRIPTION: &[(&str, &str)] = &[
    ("interface for nat gateway", "nat-gateway"),
    ("network interface for transit gateway attachment", "transit-gateway"),
    ("vpc endpoint interface", "vpc-endpoint"),
    ("elb ", "load-balancer"),
    ("rdsnetworkinterface", "rds"),
    ("redshiftnetworkinterface", "redshift"),
    ("elasticache", "elasticache"),
    ("es ", "opensearch"),
    ("aws lambda vpc eni", "lambda"),
    ("efs mount target", "efs"),
    ("created for fsx", "fsx"),
    ("amazon eks", "eks"),
    ("aws-k8s-", "eks"),
    ("arn:aws:ecs:", "ecs"),
    ("route 53 resolver", "resolver"),
    ("clientvpn endpoint", "client-vpn"),
    ("ec2 instance connect endpoint", "instance-connect"),
    ("aws created network interface for directory", "directory"),
    ("attached to glue", "glue"),
];

/// Where SageMaker's free text names the kind of thing.
const SAGEMAKER: &[(&str, &str)] =
    &[("notebook instance", "sagemaker-notebook"), ("studio", "sagemaker-studio")];

/// The label of an interface, `interface` if nothing tells.
pub(super) fn label(shape: &InterfaceShape<'_>, is_notebook: bool, on_instance: bool) -> &'static str {
    if is_notebook {
        return "sagemaker-notebook";
    }
    let kind = shape.interface_type.to_ascii_lowercase().replace(['_', '-'], "");
    let description = shape.description.to_ascii_lowercase();
    exact(BY_TYPE, &kind)
        .or_else(|| sagemaker(&description))
        .or_else(|| starts(BY_DESCRIPTION, &description))
        .or_else(|| exact(BY_REQUESTER, &shape.requester_id))
        .unwrap_or_else(|| attached(shape, on_instance))
}

fn exact(table: &[(&str, &'static str)], key: &str) -> Option<&'static str> {
    table.iter().find(|(known, _)| *known == key).map(|(_, label)| *label)
}

fn starts(table: &[(&str, &'static str)], text: &str) -> Option<&'static str> {
    table.iter().find(|(start, _)| text.starts_with(start)).map(|(_, label)| *label)
}

fn sagemaker(description: &str) -> Option<&'static str> {
    if !description.contains("sagemaker") {
        return None;
    }
    let named = SAGEMAKER.iter().find(|(word, _)| description.contains(word));
    Some(named.map_or("sagemaker", |(_, label)| label))
}

fn attached(shape: &InterfaceShape<'_>, on_instance: bool) -> &'static str {
    let named = shape.attachment.as_ref().is_some_and(|attachment| !attachment.instance_id.is_empty());
    if named || on_instance { "instance" } else { "interface" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: &str) {
        let shape: InterfaceShape<'_> = serde_json::from_str(json).unwrap();
        assert_eq!(label(&shape, false, false), expected, "{json}");
    }

    #[test]
    fn types_come_before_descriptions() {
        check(r#"{"InterfaceType":"natGateway","Description":"ELB x"}"#, "nat-gateway");
        check(r#"{"InterfaceType":"nat_gateway"}"#, "nat-gateway");
        check(r#"{"InterfaceType":"lambda"}"#, "lambda");
    }

    #[test]
    fn descriptions_and_requesters_name_services() {
        check(r#"{"Description":"RDSNetworkInterface","RequesterId":"amazon-rds"}"#, "rds");
        check(r#"{"Description":"","RequesterId":"amazon-elb"}"#, "load-balancer");
        check(r#"{"Description":"EFS mount target for fs-1 (fsmt-1)"}"#, "efs");
        check(r#"{"Description":"aws-K8S-i-1","Attachment":{"InstanceId":"i-1"}}"#, "eks");
    }

    #[test]
    fn sagemaker_kinds_are_told_apart() {
        let notebook = r#"{"Description":"[Do not delete] Network Interface created to access resources in your VPC for SageMaker Notebook Instance n"}"#;
        check(notebook, "sagemaker-notebook");
        check(
            r#"{"Description":"[DO NOT DELETE] ENI managed by SageMaker for Studio Domain(d-1)"}"#,
            "sagemaker-studio",
        );
        check(r#"{"Description":"SageMaker training job"}"#, "sagemaker");
    }

    #[test]
    fn instances_and_the_rest() {
        check(r#"{"InterfaceType":"interface","Attachment":{"InstanceId":"i-1"}}"#, "instance");
        check(r#"{"InterfaceType":"something_new"}"#, "interface");
    }
}
