//! Network interfaces and instances (R-ADDR-3, R-ADDR-5, R-DATA-10).

mod carried;
mod hints;

use std::collections::{BTreeMap, HashSet};
use std::net::{IpAddr, Ipv4Addr};

use super::context::{Context, Identity};
use super::error::LoadError;
use super::label::label;
use super::record::{Record, Resource, Scoped, share_tags};
use super::value::{Flag, Int, List, StateShape, Tag, Text, shape};
use crate::id::{EniId, InstanceId, Ref, SubnetId, Table};
use crate::snapshot::{
    AssociationEvidence, Instance, Interface, InterfaceAttachment, PrivateAddress, PublicAddress,
};
use crate::source::Source;
use carried::{groups, is_kind, kind};
pub(super) use hints::{Hints, hints};
use hints::{InstanceHint, associations};

shape! {
    /// `DescribeNetworkInterfaces.NetworkInterfaces[]` and `Instances[].NetworkInterfaces[]`.
    InterfaceShape<'a> as "a network interface" {
        network_interface_id: Text<'a>,
        vpc_id: Text<'a>,
        subnet_id: Text<'a>,
        associated_subnets: List<Text<'a>>,
        interface_type: Text<'a>,
        status: Text<'a>,
        attachment: Option<AttachmentShape<'a>>,
        requester_managed: Flag,
        requester_id: Text<'a>,
        operator: Option<OperatorShape<'a>>,
        description: Text<'a>,
        owner_id: Text<'a>,
        availability_zone: Text<'a>,
        network_interface_arn: Text<'a>,
        source_dest_check: Flag,
        deny_all_igw_traffic: Flag,
        groups: Option<List<GroupIdShape<'a>>>,
        private_ip_address: Text<'a>,
        private_ip_addresses: List<AddressShape<'a>>,
        association: Option<AssociationShape<'a>>,
        ipv6_addresses: List<Ipv6Shape<'a>>,
        ipv4_prefixes: List<PrefixShape<'a>>,
        ipv6_prefixes: List<PrefixShape<'a>>,
        tag_set: List<Tag<'a>>,
        tags: List<Tag<'a>>,
        /// Whether only an instance shows the interface.
        #[serde(skip)]
        stand_in: bool,
    }
}

shape! {
    /// `Attachment`.
    AttachmentShape<'a> as "an attachment" {
        instance_id: Text<'a>,
        status: Text<'a>,
        device_index: Int,
        instance_owner_id: Text<'a>,
    }
}

shape! {
    /// `Operator`.
    OperatorShape<'a> as "an operator" { managed: Flag, principal: Text<'a>, }
}

shape! {
    /// `Groups[]`.
    GroupIdShape<'a> as "a group id" { group_id: Text<'a>, }
}

shape! {
    /// `PrivateIpAddresses[]`.
    AddressShape<'a> as "a private address" {
        private_ip_address: Text<'a>,
        primary: Flag,
        association: Option<AssociationShape<'a>>,
    }
}

shape! {
    /// `Association`.
    AssociationShape<'a> as "an address association" {
        public_ip: Text<'a>,
        carrier_ip: Text<'a>,
        customer_owned_ip: Text<'a>,
    }
}

shape! {
    /// `Ipv6Addresses[]`.
    Ipv6Shape<'a> as "an IPv6 address" { ipv6_address: Text<'a>, is_primary_ipv6: Flag, }
}

shape! {
    /// `Ipv4Prefixes[]` and `Ipv6Prefixes[]`.
    PrefixShape<'a> as "a delegated prefix" { ipv4_prefix: Text<'a>, ipv6_prefix: Text<'a>, }
}

shape! {
    /// `DescribeInstances.Reservations[]`.
    ReservationShape<'a> as "a reservation" { owner_id: Text<'a>, instances: List<InstanceShape<'a>>, }
}

shape! {
    /// `Reservations[].Instances[]`.
    InstanceShape<'a> as "an instance" {
        instance_id: Text<'a>,
        state: Option<StateShape<'a>>,
        source_dest_check: Flag,
        public_ip_address: Text<'a>,
        private_ip_address: Text<'a>,
        placement: Option<PlacementShape<'a>>,
        network_interfaces: List<InterfaceShape<'a>>,
        tags: List<Tag<'a>>,
        #[serde(skip)]
        owner: Text<'a>,
    }
}

shape! {
    /// `Placement`.
    PlacementShape<'a> as "a placement" { availability_zone: Text<'a>, }
}

shape! {
    /// `DescribeAddresses.Addresses[]`.
    ElasticShape<'a> as "an address" {
        public_ip: Text<'a>,
        private_ip_address: Text<'a>,
        network_interface_id: Text<'a>,
        instance_id: Text<'a>,
        carrier_ip: Text<'a>,
        customer_owned_ip: Text<'a>,
        association_id: Text<'a>,
        subnet_id: Text<'a>,
        service_managed: Text<'a>,
    }
}

impl Resource for InterfaceShape<'_> {
    const ID_FIELD: &'static str = "NetworkInterfaceId";
    fn id(&self) -> &str {
        &self.network_interface_id
    }
    fn owner(&self) -> Option<&str> {
        self.owner_id.shown()
    }
    fn reconcile(&mut self, other: &mut Self) {
        share_tags(&mut self.tag_set, &mut other.tag_set);
        share_tags(&mut self.tags, &mut other.tags);
        other.availability_zone.clone_from(&self.availability_zone);
    }
}

impl Resource for InstanceShape<'_> {
    const ID_FIELD: &'static str = "InstanceId";
    fn id(&self) -> &str {
        &self.instance_id
    }
    fn owner(&self) -> Option<&str> {
        self.owner.shown()
    }
    fn reconcile(&mut self, other: &mut Self) {
        share_tags(&mut self.tags, &mut other.tags);
    }
}

/// Interfaces that only instances show stand in for a missing answer (R-DATA-10).
pub(super) fn stand_ins<'a>(
    instances: &[Record<Box<InstanceShape<'a>>>],
    interfaces: &[Record<Box<InterfaceShape<'a>>>],
) -> Vec<Record<Box<InterfaceShape<'a>>>> {
    let described: HashSet<&str> = interfaces.iter().map(|interface| interface.item.id()).collect();
    let mut found = Vec::new();
    for Record { source, item } in instances {
        let missing =
            item.network_interfaces.iter().enumerate().filter(|(_, shape)| !described.contains(shape.id()));
        for (index, shape) in missing {
            let mut shape = Box::new(shape.clone());
            let attachment = shape.attachment.get_or_insert_default();
            attachment.instance_id = item.instance_id.clone();
            shape.stand_in = true;
            found.push(Record { source: source.below(&format!("/NetworkInterfaces/{index}")), item: shape });
        }
    }
    found
}

/// Converts an interface.
pub(super) fn interface(
    record: Scoped<Box<InterfaceShape<'_>>>,
    hints: &Hints<'_>,
    context: &mut Context<'_>,
) -> Result<Interface, LoadError> {
    let Scoped { scope, source, item } = record;
    // What only an instance shows is second-hand: an address that cannot be read there stays unknown.
    let addresses = match addresses(&item, &source, context) {
        Err(error) if item.stand_in => {
            context.unreadable(item.id(), &source, &error);
            Vec::new()
        }
        read => read?,
    };
    let prefixes = prefixes(&item, &source, context)?;
    let public = public(&item, &source, &addresses, hints, context)?;
    for stray in public.iter().filter(|row| !holds(&addresses, &prefixes, row.private)) {
        let why =
            format!("`{}` is associated with `{}`, which it does not have", stray.public, stray.private);
        context.gap(item.id(), &stray.source, why);
    }
    if addresses.is_empty() && prefixes.is_empty() && !is_kind(&item, "efaonly") {
        context.gap(item.id(), &source, "shows no address, so that it may have any of its subnet");
    }
    let hint = hints.instances.get(item.id());
    let check = hint.filter(|hint| hint.primary).and_then(|hint| hint.source_dest_check);
    let operator = item.operator.as_ref();
    let groups = groups(&item);
    Ok(Interface {
        meta: Identity {
            id: &item.network_interface_id,
            owner: &item.owner_id,
            arn: &item.network_interface_arn,
            tags: if item.tag_set.is_empty() { &item.tags } else { &item.tag_set },
        }
        .meta(scope, &source),
        vpc: context.index.vpcs.refer(&item.vpc_id),
        subnet: context.index.subnets.refer(&item.subnet_id),
        more_subnets: more_subnets(&item, context),
        kind: kind(&item),
        status: item.status.lower(),
        attachment: attachment(&item, hint, context),
        requester_managed: item.requester_managed.is_set()
            || operator.is_some_and(|operator| operator.managed.is_set()),
        requester: item
            .requester_id
            .shared()
            .or_else(|| operator.and_then(|operator| operator.principal.shared())),
        description: (&*item.description).into(),
        source_dest_check: item.source_dest_check.0.or(check),
        deny_igw: item.deny_all_igw_traffic.is_set(),
        groups: groups
            .map(|list| list.iter().map(|group| context.index.groups.refer(&group.group_id)).collect()),
        addresses,
        prefixes,
        public,
        label: label(&item, hints.notebooks.contains(item.id()), hint.is_some()).into(),
    })
}

/// R-ADDR-3: whether an interface with these addresses and prefixes has the address.
fn holds(addresses: &[PrivateAddress], prefixes: &[ipnet::IpNet], private: Ipv4Addr) -> bool {
    let private = IpAddr::V4(private);
    addresses.iter().any(|address| address.ip == private)
        || prefixes.iter().any(|block| block.contains(&private))
}

fn more_subnets(item: &InterfaceShape<'_>, context: &Context<'_>) -> Vec<Ref<SubnetId>> {
    let further = item.associated_subnets.iter().filter(|subnet| **subnet != item.subnet_id);
    further.map(|subnet| context.index.subnets.refer(subnet)).collect()
}

fn attachment(
    item: &InterfaceShape<'_>,
    hint: Option<&InstanceHint<'_>>,
    context: &Context<'_>,
) -> Option<InterfaceAttachment> {
    let shape = item.attachment.as_ref();
    let instance = shape.and_then(|shape| shape.instance_id.shown()).or(hint.map(|hint| &*hint.instance));
    if shape.is_none() && instance.is_none() {
        return None;
    }
    Some(InterfaceAttachment {
        instance: instance.map(|id| context.index.instances.refer(id)),
        status: shape.and_then(|shape| shape.status.lower()),
        device_index: shape.and_then(|shape| u32::try_from(shape.device_index.0?).ok()),
        instance_owner: shape.and_then(|shape| shape.instance_owner_id.shared()),
    })
}

/// All single addresses, the primary of each family first.
fn addresses(
    item: &InterfaceShape<'_>,
    source: &Source,
    context: &mut Context<'_>,
) -> Result<Vec<PrivateAddress>, LoadError> {
    let nameless = item.private_ip_addresses.iter().any(|row| row.private_ip_address.is_empty())
        || item.ipv6_addresses.iter().any(|row| row.ipv6_address.is_empty());
    if nameless {
        context.gap(
            item.id(),
            source,
            "shows an entry without its address, so that it may have any of its subnet",
        );
    }
    let mut found: BTreeMap<IpAddr, bool> = BTreeMap::new();
    if let Some(text) = item.private_ip_address.shown() {
        found.insert(context.address(source, || "/PrivateIpAddress".to_owned(), text)?, true);
    }
    let primary_known =
        !found.is_empty() || item.private_ip_addresses.iter().any(|address| address.primary.is_set());
    for (index, address) in item.private_ip_addresses.iter().enumerate() {
        let Some(text) = address.private_ip_address.shown() else { continue };
        let place = || format!("/PrivateIpAddresses/{index}/PrivateIpAddress");
        let ip = context.address(source, place, text)?;
        *found.entry(ip).or_default() |= address.primary.is_set() || (!primary_known && index == 0);
    }
    let first = !item.ipv6_addresses.iter().any(|address| address.is_primary_ipv6.is_set());
    for (index, address) in item.ipv6_addresses.iter().enumerate() {
        let Some(text) = address.ipv6_address.shown() else { continue };
        let place = || format!("/Ipv6Addresses/{index}/Ipv6Address");
        let ip = context.address(source, place, text)?;
        *found.entry(ip).or_default() |= address.is_primary_ipv6.is_set() || (first && index == 0);
    }
    let mut addresses: Vec<_> =
        found.into_iter().map(|(ip, primary)| PrivateAddress { ip, primary }).collect();
    addresses.sort_by_key(|address| (!address.primary, address.ip));
    Ok(addresses)
}

fn prefixes(
    item: &InterfaceShape<'_>,
    source: &Source,
    context: &mut Context<'_>,
) -> Result<Vec<ipnet::IpNet>, LoadError> {
    let mut prefixes = Vec::new();
    for (field, list) in [("Ipv4Prefixes", &item.ipv4_prefixes), ("Ipv6Prefixes", &item.ipv6_prefixes)] {
        for (index, prefix) in list.iter().enumerate() {
            let Some(text) = prefix.ipv4_prefix.shown().or(prefix.ipv6_prefix.shown()) else {
                context.gap(
                    item.id(),
                    source,
                    "shows a prefix without its block, so that it may have any of its subnet",
                );
                continue;
            };
            prefixes.push(context.block(item.id(), &source.below(&format!("/{field}/{index}")), text)?);
        }
    }
    prefixes.sort();
    prefixes.dedup();
    Ok(prefixes)
}

/// The union of every place that shows a public address, with the strongest evidence for each (R-ADDR-5).
fn public(
    item: &InterfaceShape<'_>,
    source: &Source,
    addresses: &[PrivateAddress],
    hints: &Hints<'_>,
    context: &Context<'_>,
) -> Result<Vec<PublicAddress>, LoadError> {
    let mut own = Vec::new();
    match associations(item, source, AssociationEvidence::Direct, &mut own, context) {
        // The instance's own record has noted it.
        Err(_) if item.stand_in => {}
        read => read?,
    }
    let primary = addresses.iter().find_map(|address| match address.ip {
        IpAddr::V4(ip) if address.primary => Some(ip),
        _ => None,
    });
    let elsewhere = hints.public.get(item.id()).into_iter().flatten();
    let mut found: Vec<PublicAddress> = own
        .iter()
        .chain(elsewhere)
        .filter_map(|hint| {
            let private = hint.private.or(primary)?;
            let (public, evidence, source) = (hint.public, hint.evidence, hint.source.clone());
            Some(PublicAddress { public, private, evidence, source })
        })
        .collect();
    found.sort();
    found.dedup_by_key(|address| (address.public, address.private));
    Ok(found)
}

/// Converts an instance; its interfaces are all that name it.
pub(super) fn instance(record: Scoped<Box<InstanceShape<'_>>>) -> Instance {
    let Scoped { scope, source, item } = record;
    Instance {
        meta: Identity { id: &item.instance_id, owner: &item.owner, arn: &Text::default(), tags: &item.tags }
            .meta(scope, &source),
        state: item.state.as_ref().and_then(|state| state.name.lower()),
        interfaces: Vec::new(),
    }
}

/// Gives each instance the interfaces attached to it.
pub(super) fn connect(instances: &mut Table<InstanceId, Instance>, interfaces: &Table<EniId, Interface>) {
    for (id, interface) in interfaces.iter() {
        let instance =
            interface.attachment.as_ref().and_then(|attachment| attachment.instance.as_ref()?.known());
        if let Some(instance) = instance.and_then(|instance| instances.get_mut(instance)) {
            instance.interfaces.push(id);
        }
    }
}
