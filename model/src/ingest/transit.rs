//! Transit gateways, attachments and route tables (R-TGW-1 to R-TGW-12).

use std::collections::{BTreeMap, BTreeSet};

use super::context::{Context, Identity};
use super::error::LoadError;
use super::record::{Answer, Record, Resource, Scoped, share_tags};
use super::value::{Flag, List, Tag, Text, shape};
use crate::id::{AttachmentId, Ref};
use crate::snapshot::{
    Destination, State, TgwAssociation, TgwAttachment, TgwPeer, TgwPolicyAssociation, TgwPropagation,
    TgwRoute, TgwRouteTable, TgwVpcOptions, TransitGateway,
};
use crate::source::Source;

shape! {
    /// `DescribeTransitGateways.TransitGateways[]`.
    TgwShape<'a> as "a transit gateway" {
        transit_gateway_id: Text<'a>,
        transit_gateway_arn: Text<'a>,
        owner_id: Text<'a>,
        state: Text<'a>,
        options: Option<TgwOptionsShape<'a>>,
        tags: List<Tag<'a>>,
    }
}

shape! {
    /// `TransitGateways[].Options`.
    TgwOptionsShape<'a> as "transit gateway options" {
        security_group_referencing_support: Text<'a>,
        encryption_support: Option<EncryptionSupportShape<'a>>,
    }
}

shape! {
    /// `Options.EncryptionSupport`.
    EncryptionSupportShape<'a> as "encryption support" { encryption_state: Text<'a>, }
}

shape! {
    /// `DescribeTransitGatewayAttachments.TransitGatewayAttachments[]`.
    AttachmentShape<'a> as "a transit gateway attachment" {
        transit_gateway_attachment_id: Text<'a>,
        transit_gateway_id: Text<'a>,
        resource_owner_id: Text<'a>,
        resource_type: Text<'a>,
        resource_id: Text<'a>,
        state: Text<'a>,
        association: Option<TableShape<'a>>,
        tags: List<Tag<'a>>,
    }
}

shape! {
    /// `Association` of an attachment, and items of `GetTransitGatewayRouteTableAssociations`.
    TableShape<'a> as "a route table association" {
        transit_gateway_route_table_id: Text<'a>,
        transit_gateway_policy_table_id: Text<'a>,
        transit_gateway_attachment_id: Text<'a>,
        state: Text<'a>,
    }
}

shape! {
    /// `DescribeTransitGatewayVpcAttachments.TransitGatewayVpcAttachments[]`.
    VpcAttachmentShape<'a> as "a transit gateway VPC attachment" {
        transit_gateway_attachment_id: Text<'a>,
        transit_gateway_id: Text<'a>,
        vpc_id: Text<'a>,
        vpc_owner_id: Text<'a>,
        state: Text<'a>,
        subnet_ids: Option<List<Text<'a>>>,
        options: Option<AttachmentOptionsShape<'a>>,
        tags: List<Tag<'a>>,
    }
}

shape! {
    /// `TransitGatewayVpcAttachments[].Options`.
    AttachmentOptionsShape<'a> as "attachment options" {
        security_group_referencing_support: Text<'a>,
        appliance_mode_support: Text<'a>,
    }
}

shape! {
    /// `DescribeTransitGatewayPeeringAttachments` and `DescribeTransitGatewayConnects` items.
    PeeringAttachmentShape<'a> as "a transit gateway peering attachment" {
        transit_gateway_attachment_id: Text<'a>,
        accepter_transit_gateway_attachment_id: Text<'a>,
        transit_gateway_id: Text<'a>,
        requester_tgw_info: Option<PeerShape<'a>>,
        accepter_tgw_info: Option<PeerShape<'a>>,
        state: Text<'a>,
        tags: List<Tag<'a>>,
    }
}

shape! {
    /// `RequesterTgwInfo` and `AccepterTgwInfo`.
    PeerShape<'a> as "a peering side" { transit_gateway_id: Text<'a>, owner_id: Text<'a>, }
}

shape! {
    /// `DescribeTransitGatewayRouteTables.TransitGatewayRouteTables[]`.
    TgwTableShape<'a> as "a transit gateway route table" {
        transit_gateway_route_table_id: Text<'a>,
        transit_gateway_id: Text<'a>,
        state: Text<'a>,
        tags: List<Tag<'a>>,
    }
}

shape! {
    /// `SearchTransitGatewayRoutes.Routes[]`.
    TgwRouteShape<'a> as "a transit gateway route" {
        destination_cidr_block: Text<'a>,
        prefix_list_id: Text<'a>,
        #[serde(rename = "Type")]
        kind: Text<'a>,
        state: Text<'a>,
        transit_gateway_attachments: List<RouteAttachmentShape<'a>>,
    }
}

shape! {
    /// `Routes[].TransitGatewayAttachments[]` and items of `GetTransitGatewayRouteTablePropagations`.
    RouteAttachmentShape<'a> as "an attachment of a route" {
        transit_gateway_attachment_id: Text<'a>,
        resource_type: Text<'a>,
        resource_id: Text<'a>,
        state: Text<'a>,
    }
}

shape! {
    /// `GetTransitGatewayPrefixListReferences.TransitGatewayPrefixListReferences[]`.
    ReferenceShape<'a> as "a prefix list reference" {
        transit_gateway_route_table_id: Text<'a>,
        prefix_list_id: Text<'a>,
        state: Text<'a>,
        blackhole: Flag,
        transit_gateway_attachment: Option<RouteAttachmentShape<'a>>,
    }
}

shape! {
    /// The wrappers that add the table to an answer: `TransitGatewayStaticRoutes[]`, `TransitGatewayPropagations[]`.
    TgwWrapperShape<'a> as "the answer about one route table" {
        transit_gateway_route_table_id: Text<'a>,
        routes: Option<List<TgwRouteShape<'a>>>,
        transit_gateway_route_table_propagations: Option<List<RouteAttachmentShape<'a>>>,
        additional_routes_available: Flag,
    }
}

impl Resource for TgwShape<'_> {
    const ID_FIELD: &'static str = "TransitGatewayId";
    fn id(&self) -> &str {
        &self.transit_gateway_id
    }
    fn owner(&self) -> Option<&str> {
        self.owner_id.shown()
    }
    fn reconcile(&mut self, other: &mut Self) {
        share_tags(&mut self.tags, &mut other.tags);
    }
}

impl Resource for AttachmentShape<'_> {
    const ID_FIELD: &'static str = "TransitGatewayAttachmentId";
    fn id(&self) -> &str {
        &self.transit_gateway_attachment_id
    }
    fn side(&self) -> &str {
        &self.transit_gateway_id
    }
    fn owner(&self) -> Option<&str> {
        self.resource_owner_id.shown()
    }
    fn reconcile(&mut self, other: &mut Self) {
        share_tags(&mut self.tags, &mut other.tags);
        // Only the owner of the transit gateway sees the association.
        let association = self.association.clone().or_else(|| other.association.clone());
        self.association.clone_from(&association);
        if other.association.is_none() {
            other.association = association;
        }
    }
}

impl Resource for VpcAttachmentShape<'_> {
    const ID_FIELD: &'static str = "TransitGatewayAttachmentId";
    fn id(&self) -> &str {
        &self.transit_gateway_attachment_id
    }
    fn owner(&self) -> Option<&str> {
        self.vpc_owner_id.shown()
    }
    fn reconcile(&mut self, other: &mut Self) {
        share_tags(&mut self.tags, &mut other.tags);
    }
}

impl Resource for PeeringAttachmentShape<'_> {
    const ID_FIELD: &'static str = "TransitGatewayAttachmentId";
    fn id(&self) -> &str {
        &self.transit_gateway_attachment_id
    }
    fn reconcile(&mut self, other: &mut Self) {
        share_tags(&mut self.tags, &mut other.tags);
    }
}

impl Resource for TgwTableShape<'_> {
    const ID_FIELD: &'static str = "TransitGatewayRouteTableId";
    fn id(&self) -> &str {
        &self.transit_gateway_route_table_id
    }
    fn reconcile(&mut self, other: &mut Self) {
        share_tags(&mut self.tags, &mut other.tags);
    }
}

/// Everything that per-table calls and the calls per attachment type add.
#[derive(Debug, Default)]
pub(super) struct TransitAnswers<'a> {
    pub(super) vpcs: BTreeMap<Box<str>, VpcAttachmentShape<'a>>,
    pub(super) peerings: BTreeMap<Box<str>, PeeringAttachmentShape<'a>>,
    pub(super) associations: Vec<Answer<TableShape<'a>>>,
    pub(super) propagations: Vec<Answer<RouteAttachmentShape<'a>>>,
    pub(super) routes: Vec<Answer<TgwRouteShape<'a>>>,
    pub(super) static_routes: Vec<Answer<TgwRouteShape<'a>>>,
    pub(super) references: Vec<Record<ReferenceShape<'a>>>,
}

/// Adds attachments that only the call for their type describes.
pub(super) fn complete_attachments<'a>(
    attachments: &mut Vec<Record<AttachmentShape<'a>>>,
    vpcs: &[Record<VpcAttachmentShape<'a>>],
    peerings: &[Record<PeeringAttachmentShape<'a>>],
    connects: &[Record<PeeringAttachmentShape<'a>>],
    gateways: &BTreeSet<Box<str>>,
) {
    let ids = attachments.iter().map(|record| Box::from(record.item.id()));
    let described: BTreeSet<Box<str>> = ids.collect();
    for Record { source, item } in vpcs.iter().filter(|record| !described.contains(record.item.id())) {
        let mut shape =
            bare(&item.transit_gateway_attachment_id, &item.transit_gateway_id, "vpc", &item.state);
        shape.resource_id = item.vpc_id.clone();
        shape.resource_owner_id = item.vpc_owner_id.clone();
        shape.tags = item.tags.clone();
        attachments.push(Record { source: source.clone(), item: shape });
    }
    for Record { source, item } in peerings.iter().filter(|record| !described.contains(record.item.id())) {
        for (own, other) in sides(item).filter(|(own, _)| gateways.contains(own.0.as_ref())) {
            let mut shape = bare(&item.transit_gateway_attachment_id, own, "peering", &item.state);
            shape.resource_id = other.clone();
            attachments.push(Record { source: source.clone(), item: shape });
        }
    }
    for Record { source, item } in connects.iter().filter(|record| !described.contains(record.item.id())) {
        let shape =
            bare(&item.transit_gateway_attachment_id, &item.transit_gateway_id, "connect", &item.state);
        attachments.push(Record { source: source.clone(), item: shape });
    }
}

fn bare<'a>(id: &Text<'a>, tgw: &Text<'a>, kind: &'static str, state: &Text<'a>) -> AttachmentShape<'a> {
    AttachmentShape {
        transit_gateway_attachment_id: id.clone(),
        transit_gateway_id: tgw.clone(),
        resource_type: Text(kind.into()),
        state: state.clone(),
        ..AttachmentShape::default()
    }
}

/// Both sides of a peering attachment, each with the gateway at the other side.
fn sides<'r, 'a>(item: &'r PeeringAttachmentShape<'a>) -> impl Iterator<Item = (&'r Text<'a>, &'r Text<'a>)> {
    let sides = item.requester_tgw_info.as_ref().zip(item.accepter_tgw_info.as_ref());
    sides.into_iter().flat_map(|(requester, accepter)| {
        let (requester, accepter) = (&requester.transit_gateway_id, &accepter.transit_gateway_id);
        [(requester, accepter), (accepter, requester)]
    })
}

/// Converts a transit gateway.
pub(super) fn transit_gateway(record: Scoped<TgwShape<'_>>) -> TransitGateway {
    let Scoped { scope, source, item } = record;
    let options = item.options.as_ref();
    let encryption = options.and_then(|options| options.encryption_support.as_ref());
    let encryption = encryption.and_then(|support| support.encryption_state.shown());
    TransitGateway {
        meta: Identity {
            id: &item.transit_gateway_id,
            owner: &item.owner_id,
            arn: &item.transit_gateway_arn,
            tags: &item.tags,
        }
        .meta(scope, &source),
        state: item.state.lower(),
        group_referencing: options.and_then(|options| enabled(&options.security_group_referencing_support)),
        encryption: encryption.is_some_and(|state| !state.eq_ignore_ascii_case("disabled")),
    }
}

fn enabled(text: &Text<'_>) -> Option<bool> {
    text.shown().map(|_| text.is("enable") || text.is("enabled"))
}

/// Converts an attachment with all that is known of it.
pub(super) fn attachment(
    record: Scoped<AttachmentShape<'_>>,
    answers: &TransitAnswers<'_>,
    context: &mut Context<'_>,
) -> TgwAttachment {
    let Scoped { scope, source, item } = record;
    let vpc = answers.vpcs.get(item.id());
    if let Some(vpc) = vpc.filter(|vpc| vpc.state != item.state) {
        let message =
            format!("state `{}` here and `{}` among the VPC attachments", &*item.state, &*vpc.state);
        if vpc.state.is_empty() || item.state.is_empty() {
            context.notice(&item.transit_gateway_attachment_id, &source, message);
        } else {
            context.gap(&item.transit_gateway_attachment_id, &source, message);
        }
    }
    // What the VPC attachments list is one, whatever its kind is called here (R-DATA-6).
    let is_vpc = item.resource_type.is("vpc") || vpc.is_some();
    TgwAttachment {
        meta: Identity {
            id: &item.transit_gateway_attachment_id,
            owner: &item.resource_owner_id,
            arn: &Text::default(),
            tags: &item.tags,
        }
        .meta(scope, &source),
        tgw: context.index.transit_gateways.refer(&item.transit_gateway_id),
        kind: item.resource_type.lower().unwrap_or_default(),
        resource: (&*item.resource_id).into(),
        state: item.state.lower(),
        associations: associations(&item, answers, context),
        policies: policies(&item, answers, context),
        vpc: is_vpc.then(|| vpc_options(&item, vpc, context)),
        peer: item.resource_type.is("peering").then(|| peer(&item, answers, context)).flatten(),
    }
}

fn vpc_options(
    item: &AttachmentShape<'_>,
    vpc: Option<&VpcAttachmentShape<'_>>,
    context: &Context<'_>,
) -> TgwVpcOptions {
    let options = vpc.and_then(|vpc| vpc.options.as_ref());
    let subnets = vpc.and_then(|vpc| vpc.subnet_ids.as_ref());
    let refer = |list: &List<Text<'_>>| {
        let mut subnets: Vec<_> = list.iter().map(|id| context.index.subnets.refer(id)).collect();
        subnets.sort();
        subnets
    };
    let id = vpc.map(|vpc| &vpc.vpc_id).filter(|id| !id.is_empty()).unwrap_or(&item.resource_id);
    TgwVpcOptions {
        vpc: context.index.vpcs.refer(id),
        subnets: subnets.map(refer),
        group_referencing: options.and_then(|options| enabled(&options.security_group_referencing_support)),
        appliance_mode: options.and_then(|options| enabled(&options.appliance_mode_support)).unwrap_or(false),
    }
}

/// Associated tables from the attachment itself and from the call for each table; that call's state wins.
fn associations(
    item: &AttachmentShape<'_>,
    answers: &TransitAnswers<'_>,
    context: &Context<'_>,
) -> Vec<TgwAssociation> {
    let mut states: BTreeMap<&str, State> = BTreeMap::new();
    if let Some(association) = &item.association
        && let Some(table) = association.transit_gateway_route_table_id.shown()
    {
        states.insert(table, association.state.lower());
    }
    for (answer, shape) in of_attachment(item, answers, context) {
        if shape.transit_gateway_policy_table_id.is_empty() && !answer.parent.is_empty() {
            states.insert(&answer.parent, shape.state.lower());
        }
    }
    let convert = |(table, state)| TgwAssociation { table: context.index.tgw_tables.refer(table), state };
    states.into_iter().map(convert).collect()
}

/// Association items about an attachment. Both sides of a peering share its id, so the table decides which one is meant.
fn of_attachment<'r, 'a>(
    item: &'r AttachmentShape<'a>,
    answers: &'r TransitAnswers<'a>,
    context: &'r Context<'_>,
) -> impl Iterator<Item = (&'r Answer<TableShape<'a>>, &'r TableShape<'a>)> {
    let all =
        answers.associations.iter().flat_map(|answer| answer.items.iter().map(move |shape| (answer, shape)));
    all.filter(move |(answer, shape)| {
        let owner = context.index.table_gateways.get(&answer.parent);
        shape.transit_gateway_attachment_id == item.transit_gateway_attachment_id
            && owner.is_none_or(|owner| **owner == *item.transit_gateway_id)
    })
}

/// Associated policy tables with the states that the call for each table shows.
fn policies(
    item: &AttachmentShape<'_>,
    answers: &TransitAnswers<'_>,
    context: &Context<'_>,
) -> Vec<TgwPolicyAssociation> {
    let mut states: BTreeMap<&str, State> = BTreeMap::new();
    for (answer, shape) in of_attachment(item, answers, context) {
        let parent = context.index.policy_tables.knows(&answer.parent).then_some(&*answer.parent);
        if let Some(table) = shape.transit_gateway_policy_table_id.shown().or(parent) {
            states.insert(table, shape.state.lower());
        }
    }
    let convert =
        |(table, state)| TgwPolicyAssociation { table: context.index.policy_tables.refer(table), state };
    states.into_iter().map(convert).collect()
}

fn peer(item: &AttachmentShape<'_>, answers: &TransitAnswers<'_>, context: &Context<'_>) -> Option<TgwPeer> {
    let accepted = || {
        let all = answers.peerings.values();
        all.into_iter().find(|peering| *peering.accepter_transit_gateway_attachment_id == *item.id())
    };
    let described = answers.peerings.get(item.id()).or_else(accepted);
    let other = described
        .and_then(|peering| sides(peering).find(|(own, _)| **own == item.transit_gateway_id))
        .map(|(_, other)| other)
        .or_else(|| (!item.resource_id.is_empty()).then_some(&item.resource_id))?;
    let accepter = described.and_then(|peering| peering.accepter_transit_gateway_attachment_id.shown());
    let requester = described.map(|peering| peering.id());
    let ids = [accepter, requester, Some(item.id())];
    let find = |id: &str| context.index.attachments.get(&(Box::from(id), Box::from(&**other))).copied();
    let known = ids.into_iter().flatten().find_map(find);
    Some(TgwPeer {
        tgw: context.index.transit_gateways.refer(other),
        attachment: known.map(Ref::Known).or_else(|| accepter.map(|id| Ref::Missing(id.into()))),
    })
}

/// Converts a route table with its routes and propagations.
pub(super) fn table(
    record: Scoped<TgwTableShape<'_>>,
    answers: &TransitAnswers<'_>,
    context: &mut Context<'_>,
) -> Result<TgwRouteTable, LoadError> {
    let Scoped { scope, source, item } = record;
    let tgw = &item.transit_gateway_id;
    let id = item.id();
    let parts = |answers: &[Answer<TgwRouteShape<'_>>]| {
        answers.iter().any(|part| *part.parent == *id && part.truncated)
    };
    let mut static_routes = routes((id, tgw), &answers.static_routes, context)?;
    if let Some(routes) = &mut static_routes {
        let own =
            answers.references.iter().filter(|record| *record.item.transit_gateway_route_table_id == *id);
        routes.extend(own.map(|record| reference(record, tgw, context)));
    }
    Ok(TgwRouteTable {
        meta: Identity {
            id: &item.transit_gateway_route_table_id,
            owner: &Text::default(),
            arn: &Text::default(),
            tags: &item.tags,
        }
        .meta(scope, &source),
        tgw: context.index.transit_gateways.refer(tgw),
        state: item.state.lower(),
        routes: routes((id, tgw), &answers.routes, context)?,
        truncated: parts(&answers.routes) || parts(&answers.static_routes),
        propagations: propagations((id, tgw), answers, context),
        static_routes,
    })
}

/// The routes that all answers about this table list; `None` if there is no answer.
fn routes(
    (table, tgw): (&str, &str),
    answers: &[Answer<TgwRouteShape<'_>>],
    context: &mut Context<'_>,
) -> Result<Option<Vec<TgwRoute>>, LoadError> {
    let mut found = None;
    for answer in answers.iter().filter(|answer| *answer.parent == *table) {
        let routes = found.get_or_insert_with(Vec::new);
        for (index, shape) in answer.items.iter().enumerate() {
            routes.push(route((table, tgw), shape, answer.source.below(&format!("/{index}")), context)?);
        }
    }
    Ok(found)
}

fn route(
    (table, tgw): (&str, &str),
    shape: &TgwRouteShape<'_>,
    source: Source,
    context: &mut Context<'_>,
) -> Result<TgwRoute, LoadError> {
    let destination = match (shape.destination_cidr_block.shown(), shape.prefix_list_id.shown()) {
        (Some(text), _) => {
            let block = context.rule_block(table, &source.below("/DestinationCidrBlock"), text)?;
            block.map_or(Destination::Unknown, Destination::Cidr)
        }
        (None, Some(list)) => Destination::PrefixList(context.index.prefix_lists.refer(list)),
        (None, None) => {
            context.notice(table, &source, "the route shows no destination; it may match anything");
            Destination::Unknown
        }
    };
    let attachments = shape.transit_gateway_attachments.iter();
    Ok(TgwRoute {
        destination,
        propagated: shape.kind.is("propagated"),
        state: shape.state.lower(),
        kind: shape
            .transit_gateway_attachments
            .first()
            .and_then(|attachment| attachment.resource_type.lower()),
        attachments: attachments.map(|at| refer(context, &at.transit_gateway_attachment_id, tgw)).collect(),
        source,
    })
}

/// A prefix list reference as the static route that it stands for.
fn reference(record: &Record<ReferenceShape<'_>>, tgw: &str, context: &Context<'_>) -> TgwRoute {
    let Record { source, item } = record;
    let attachment = item.transit_gateway_attachment.as_ref();
    let state = if item.blackhole.is_set() { Some("blackhole".into()) } else { item.state.lower() };
    TgwRoute {
        destination: Destination::PrefixList(context.index.prefix_lists.refer(&item.prefix_list_id)),
        propagated: false,
        // A reference is `available` where a route is `active`.
        state: state.map(|state| if &*state == "available" { "active".into() } else { state }),
        attachments: attachment
            .iter()
            .map(|at| refer(context, &at.transit_gateway_attachment_id, tgw))
            .collect(),
        kind: attachment.and_then(|at| at.resource_type.lower()),
        source: source.clone(),
    }
}

fn refer(context: &Context<'_>, attachment: &str, tgw: &str) -> Ref<AttachmentId> {
    let known = context.index.attachments.get(&(Box::from(attachment), Box::from(tgw)));
    known.map_or_else(|| context.index.attachment_names.refer(attachment), |id| Ref::Known(*id))
}

/// The propagations of a table; `None` unless a complete answer lists them.
fn propagations(
    (table, tgw): (&str, &str),
    answers: &TransitAnswers<'_>,
    context: &Context<'_>,
) -> Option<Vec<TgwPropagation>> {
    let own: Vec<_> = answers.propagations.iter().filter(|answer| *answer.parent == *table).collect();
    if own.iter().all(|answer| answer.truncated) {
        return None;
    }
    let convert = |shape: &RouteAttachmentShape<'_>| TgwPropagation {
        attachment: refer(context, &shape.transit_gateway_attachment_id, tgw),
        state: shape.state.lower(),
    };
    Some(own.iter().flat_map(|answer| answer.items.iter()).map(convert).collect())
}

/// Tables that only a call about them shows.
pub(super) fn complete_tables<'a>(tables: &mut Vec<Record<TgwTableShape<'a>>>, answers: &TransitAnswers<'a>) {
    let described: BTreeSet<Box<str>> = tables.iter().map(|record| Box::from(record.item.id())).collect();
    let mut named: BTreeMap<&str, &Source> = BTreeMap::new();
    for answer in answers.routes.iter().chain(&answers.static_routes) {
        named.entry(&answer.parent).or_insert(&answer.source);
    }
    for answer in &answers.propagations {
        named.entry(&answer.parent).or_insert(&answer.source);
    }
    for (id, source) in named.into_iter().filter(|(id, _)| !described.contains(*id) && !id.is_empty()) {
        let id = Text(id.to_owned().into());
        let item = TgwTableShape { transit_gateway_route_table_id: id, ..TgwTableShape::default() };
        tables.push(Record { source: source.clone(), item });
    }
}
