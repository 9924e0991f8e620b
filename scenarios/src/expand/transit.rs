//! Transit gateways, their attachments, route tables and policy tables.

use std::net::Ipv4Addr;

use serde_json::{Map, Value, json};

use super::Fault;
use super::answers::{Answers, Place};
use super::context::{ACCOUNT, Context, MOMENT, find, items, list, need, or, usual_place};
use super::interface::describe_interface;
use crate::format::network::{Attachment, Interface, PolicyTable, TransitGateway, TransitTable};
use crate::format::route::TransitRoute;

/// Writes the answers about transit gateways.
pub(super) fn describe(context: &Context<'_>, answers: &mut Answers) -> Result<(), Fault> {
    for (id, gateway) in items(context.network.transit_gateways.as_ref()) {
        answers.list(&usual_place(), "ec2_describe-transit-gateways", gateway_json(id, gateway));
    }
    for (id, attachment) in items(context.network.attachments.as_ref()) {
        describe_attachment(context, answers, id, attachment)?;
    }
    for (id, table) in items(context.network.transit_tables.as_ref()) {
        describe_table(context, answers, id, table)?;
    }
    for (id, table) in items(context.network.policy_tables.as_ref()) {
        describe_policy_table(context, answers, id, table)?;
    }
    Ok(())
}

fn gateway_json(id: &str, gateway: &TransitGateway) -> Value {
    let owner = or(gateway.owner.as_ref(), ACCOUNT);
    json!({
        "TransitGatewayId": id, "OwnerId": owner, "State": or(gateway.state.as_ref(), "available"),
        "TransitGatewayArn": usual_place().arn(owner, &format!("transit-gateway/{id}")), "CreationTime": MOMENT,
        "Options": {
            "AmazonSideAsn": 64_513, "AutoAcceptSharedAttachments": "disable", "DefaultRouteTableAssociation": "disable",
            "DefaultRouteTablePropagation": "disable", "VpnEcmpSupport": "enable", "DnsSupport": "enable",
            "SecurityGroupReferencingSupport": on(gateway.group_referencing.unwrap_or(false)),
            "MulticastSupport": "disable",
        },
        "Tags": [],
    })
}

fn on(enabled: bool) -> &'static str {
    if enabled { "enable" } else { "disable" }
}

fn describe_attachment(
    context: &Context<'_>,
    answers: &mut Answers,
    id: &str,
    attachment: &Attachment,
) -> Result<(), Fault> {
    let gateway_id = need(attachment.gateway.as_ref(), id, "gateway")?;
    let gateway = find(context.network.transit_gateways.as_ref(), gateway_id, "transit gateway")?;
    let state = or(attachment.state.as_ref(), "available");
    let (kind, resource) = attached(id, attachment)?;
    let association =
        table_of(attachment).map(|table| json!({"TransitGatewayRouteTableId": table, "State": "associated"}));
    let place = attachment.vpc.as_deref().map_or_else(|| Ok(usual_place()), |vpc| context.place(vpc))?;
    let json = json!({
        "TransitGatewayAttachmentId": id, "TransitGatewayId": gateway_id, "State": state, "CreationTime": MOMENT,
        "TransitGatewayOwnerId": or(gateway.owner.as_ref(), ACCOUNT), "ResourceOwnerId": place.account,
        "ResourceType": kind, "ResourceId": resource, "Association": association, "Tags": [],
    });
    answers.list(&place, "ec2_describe-transit-gateway-attachments", json);
    if attachment.vpc.is_some() {
        answers.list(
            &place,
            "ec2_describe-transit-gateway-vpc-attachments",
            vpc_attachment(id, attachment, &place),
        );
        implied_interfaces(context, answers, id, attachment)?;
    }
    Ok(())
}

/// The associated route table; an attachment with a policy table has none (R-TGW-12).
fn table_of(attachment: &Attachment) -> Option<&str> {
    attachment.table.as_deref().filter(|_| attachment.policy_table.is_none())
}

/// The resource type and the resource of an attachment.
fn attached<'a>(id: &str, attachment: &'a Attachment) -> Result<(&'a str, &'a str), Fault> {
    match &attachment.vpc {
        Some(vpc) => Ok(("vpc", vpc)),
        None => Ok((
            need(attachment.kind.as_ref(), id, "kind")?,
            need(attachment.resource.as_ref(), id, "resource")?,
        )),
    }
}

fn vpc_attachment(id: &str, attachment: &Attachment, place: &Place) -> Value {
    json!({
        "TransitGatewayAttachmentId": id, "TransitGatewayId": attachment.gateway, "VpcId": attachment.vpc,
        "VpcOwnerId": place.account, "State": or(attachment.state.as_ref(), "available"), "CreationTime": MOMENT,
        "SubnetIds": list(attachment.subnets.as_ref()).collect::<Vec<_>>(),
        "Options": {
            "DnsSupport": "enable", "Ipv6Support": on(attachment.ipv6_support.unwrap_or(false)),
            "SecurityGroupReferencingSupport": on(attachment.group_referencing.unwrap_or(true)),
            "ApplianceModeSupport": on(attachment.appliance_mode.unwrap_or(false)),
        },
        "Tags": [],
    })
}

/// The interfaces that an attachment of a VPC has, one a subnet, at the last address but five.
fn implied_interfaces(
    context: &Context<'_>,
    answers: &mut Answers,
    id: &str,
    attachment: &Attachment,
) -> Result<(), Fault> {
    for subnet in list(attachment.subnets.as_ref()) {
        let cidr = find(context.network.subnets.as_ref(), subnet, "subnet")?.cidr;
        let address = cidr.map(|cidr| Ipv4Addr::from(u32::from(cidr.broadcast()).saturating_sub(5)));
        let implied = Interface {
            subnet: Some(subnet.clone()),
            addresses: address.map(|address| vec![address]),
            kind: Some("transit_gateway".to_owned()),
            description: Some(format!("Network Interface for Transit Gateway Attachment {id}")),
            requester: Some(ACCOUNT.to_owned()),
            ..Interface::default()
        };
        describe_interface(context, answers, &format!("eni-{id}-{subnet}"), &implied)?;
    }
    Ok(())
}

fn describe_table(
    context: &Context<'_>,
    answers: &mut Answers,
    id: &str,
    table: &TransitTable,
) -> Result<(), Fault> {
    let place = usual_place();
    let json = json!({
        "TransitGatewayRouteTableId": id, "TransitGatewayId": need(table.gateway.as_ref(), id, "gateway")?,
        "State": "available", "DefaultAssociationRouteTable": false, "DefaultPropagationRouteTable": false,
        "CreationTime": MOMENT, "Tags": [],
    });
    answers.list(&place, "ec2_describe-transit-gateway-route-tables", json);
    let routes = json!({"Routes": routes(context, table)?, "AdditionalRoutesAvailable": false});
    answers.put(&place, &format!("ec2_search-transit-gateway-routes__{id}"), routes);
    let associated = items(context.network.attachments.as_ref())
        .filter(|(_, attachment)| table_of(attachment) == Some(id))
        .map(|(name, attachment)| member(name, attachment, "associated"))
        .collect::<Result<Vec<_>, _>>()?;
    let answer = json!({"Associations": associated});
    answers.put(&place, &format!("ec2_get-transit-gateway-route-table-associations__{id}"), answer);
    let mut propagating = Vec::new();
    for name in list(table.propagations.as_ref()) {
        let attachment = find(context.network.attachments.as_ref(), name, "attachment")?;
        propagating.push(member(name, attachment, "enabled")?);
    }
    let answer = json!({"TransitGatewayRouteTablePropagations": propagating});
    answers.put(&place, &format!("ec2_get-transit-gateway-route-table-propagations__{id}"), answer);
    Ok(())
}

fn member(id: &str, attachment: &Attachment, state: &str) -> Result<Value, Fault> {
    let (kind, resource) = attached(id, attachment)?;
    Ok(
        json!({"TransitGatewayAttachmentId": id, "ResourceId": resource, "ResourceType": kind, "State": state}),
    )
}

/// The effective routes: those written, and the blocks of propagating VPCs.
fn routes(context: &Context<'_>, table: &TransitTable) -> Result<Vec<Value>, Fault> {
    let mut routes = Vec::new();
    for (destination, route) in items(table.routes.as_ref()) {
        routes.push(route_json(context, destination, route)?);
    }
    for name in list(table.propagations.as_ref()) {
        let attachment = find(context.network.attachments.as_ref(), name, "attachment")?;
        let Some(vpc) = &attachment.vpc else { continue };
        let vpc = context.vpc(vpc)?;
        let ipv6 = list(vpc.ipv6.as_ref()).filter(|_| attachment.ipv6_support == Some(true));
        for block in list(vpc.cidrs.as_ref()).chain(ipv6) {
            let route = TransitRoute { attachments: vec![name.clone()], blackhole: false, propagated: true };
            routes.push(route_json(context, &block.to_string(), &route)?);
        }
    }
    Ok(routes)
}

fn route_json(context: &Context<'_>, destination: &str, route: &TransitRoute) -> Result<Value, Fault> {
    let mut attachments = Vec::new();
    for id in &route.attachments {
        let (kind, resource) = attached(id, find(context.network.attachments.as_ref(), id, "attachment")?)?;
        attachments
            .push(json!({"TransitGatewayAttachmentId": id, "ResourceId": resource, "ResourceType": kind}));
    }
    let attachments = if route.blackhole { Value::Null } else { Value::Array(attachments) };
    Ok(json!({
        "DestinationCidrBlock": destination, "Type": if route.propagated { "propagated" } else { "static" },
        "State": if route.blackhole { "blackhole" } else { "active" }, "TransitGatewayAttachments": attachments,
    }))
}

fn describe_policy_table(
    context: &Context<'_>,
    answers: &mut Answers,
    id: &str,
    table: &PolicyTable,
) -> Result<(), Fault> {
    let place = usual_place();
    let json = json!({
        "TransitGatewayPolicyTableId": id, "TransitGatewayId": need(table.gateway.as_ref(), id, "gateway")?,
        "State": "available", "CreationTime": MOMENT, "Tags": [],
    });
    answers.list(&place, "ec2_describe-transit-gateway-policy-tables", json);
    let associated = items(context.network.attachments.as_ref())
        .filter(|(_, attachment)| attachment.policy_table.as_deref() == Some(id))
        .map(|(name, attachment)| {
            let mut member = member(name, attachment, "associated")?;
            if let Some(fields) = member.as_object_mut() {
                fields.insert("TransitGatewayPolicyTableId".to_owned(), json!(id));
            }
            Ok(member)
        })
        .collect::<Result<Vec<_>, Fault>>()?;
    let answer = json!({"Associations": associated});
    answers.put(&place, &format!("ec2_get-transit-gateway-policy-table-associations__{id}"), answer);
    let answer = json!({"TransitGatewayPolicyTableEntries": policy_entries(id, table)?});
    answers.put(&place, &format!("ec2_get-transit-gateway-policy-table-entries__{id}"), answer);
    Ok(())
}

fn policy_entries(id: &str, table: &PolicyTable) -> Result<Vec<Value>, Fault> {
    let mut entries = Vec::new();
    for entry in list(table.entries.as_ref()) {
        let mut rule = Map::from_iter([
            ("SourceCidrBlock".to_owned(), json!(entry.source)),
            ("DestinationCidrBlock".to_owned(), json!(entry.destination)),
            ("Protocol".to_owned(), json!(entry.protocol.map(|number| number.to_string()))),
        ]);
        let ports = entry.port.map(|port| format!("{port}-{port}"));
        rule.insert("DestinationPortRange".to_owned(), json!(ports));
        entries.push(json!({
            "PolicyRuleNumber": need(entry.number.as_ref(), id, "number")?.to_string(), "PolicyRule": rule,
            "TargetRouteTableId": need(entry.table.as_ref(), id, "table")?,
        }));
    }
    Ok(entries)
}
