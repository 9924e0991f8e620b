//! What other answers say about interfaces: instances and elastic addresses (R-ADDR-5, R-DATA-5).

use std::collections::{BTreeSet, HashMap};
use std::net::Ipv4Addr;

use super::{AssociationShape, ElasticShape, InstanceShape, InterfaceShape};
use crate::ingest::context::Context;
use crate::ingest::error::LoadError;
use crate::ingest::record::{Record, Resource, Scoped};
use crate::ingest::value::Text;
use crate::snapshot::AssociationEvidence;
use crate::source::Source;

/// What other answers say about interfaces.
#[derive(Debug, Default)]
pub(in crate::ingest) struct Hints<'a> {
    /// Public addresses by interface; the private one is `None` where the row means the primary one.
    pub(super) public: HashMap<Text<'a>, Vec<PublicHint>>,
    /// Interfaces that `Instances[].NetworkInterfaces` shows, with their instance.
    pub(super) instances: HashMap<Text<'a>, InstanceHint<'a>>,
    /// Interfaces of SageMaker notebook instances.
    pub(in crate::ingest) notebooks: BTreeSet<Box<str>>,
}

#[derive(Debug)]
pub(super) struct PublicHint {
    pub(super) public: Ipv4Addr,
    pub(super) private: Option<Ipv4Addr>,
    pub(super) evidence: AssociationEvidence,
    pub(super) source: Source,
}

#[derive(Debug)]
pub(super) struct InstanceHint<'a> {
    pub(super) instance: Text<'a>,
    pub(super) primary: bool,
    pub(super) source_dest_check: Option<bool>,
}

/// The primary interface of each instance, as interfaces tell it.
type Primaries<'r, 'a> = HashMap<&'r str, &'r Text<'a>>;

/// Collects from instances and addresses what belongs to interfaces.
pub(in crate::ingest) fn hints<'a>(
    instances: &[Scoped<Box<InstanceShape<'a>>>],
    addresses: &[Record<ElasticShape<'a>>],
    interfaces: &[Scoped<Box<InterfaceShape<'a>>>],
    context: &mut Context<'_>,
) -> Result<Hints<'a>, LoadError> {
    let mut hints = Hints::default();
    let mut primaries = Primaries::new();
    for Scoped { item, .. } in interfaces {
        let attachment = item.attachment.as_ref().filter(|attachment| attachment.device_index.0 == Some(0));
        if let Some(instance) = attachment.and_then(|attachment| attachment.instance_id.shown()) {
            primaries.insert(instance, &item.network_interface_id);
        }
    }
    for instance in instances {
        of_instance(instance, &primaries, &mut hints, context);
    }
    for address in addresses {
        if !of_address(address, &primaries, &mut hints, context)? {
            of_nameless(address, interfaces, &mut hints, context)?;
        }
    }
    Ok(hints)
}

fn of_instance<'a>(
    instance: &Scoped<Box<InstanceShape<'a>>>,
    primaries: &Primaries<'_, 'a>,
    hints: &mut Hints<'a>,
    context: &mut Context<'_>,
) {
    let Scoped { source, item, .. } = instance;
    for (index, shape) in item.network_interfaces.iter().enumerate().filter(|(_, shape)| is_public(shape)) {
        let place = source.below(&format!("/NetworkInterfaces/{index}"));
        let list = hints.public.entry(shape.network_interface_id.clone()).or_default();
        if let Err(error) = associations(shape, &place, AssociationEvidence::Indirect, list, context) {
            context.unreadable(shape.id(), &place, &error);
        }
    }
    let sole = (item.network_interfaces.len() == 1).then(|| item.network_interfaces.first()).flatten();
    let shown = item.network_interfaces.iter().map(|shape| &shape.network_interface_id);
    let primary = item.network_interfaces.iter().find(|shape| is_primary(shape)).or(sole);
    let primary = primary.map(|shape| &shape.network_interface_id);
    let primary = primary.or_else(|| primaries.get(&*item.instance_id).copied());
    for id in shown.chain(primary) {
        let hint = InstanceHint {
            instance: item.instance_id.clone(),
            primary: Some(id) == primary,
            source_dest_check: item.source_dest_check.0,
        };
        hints.instances.insert(id.clone(), hint);
    }
    if let (Some(text), Some(primary)) = (item.public_ip_address.shown(), primary) {
        let source = source.below("/PublicIpAddress");
        match context.ipv4(&source, text) {
            Ok(public) => {
                let hint =
                    PublicHint { public, private: None, evidence: AssociationEvidence::Indirect, source };
                hints.public.entry(primary.clone()).or_default().push(hint);
            }
            Err(error) => context.unreadable(primary, &source, &error),
        }
    }
}

/// Whether the description associates any of its addresses.
fn is_public(shape: &InterfaceShape<'_>) -> bool {
    shape.association.is_some() || shape.private_ip_addresses.iter().any(|row| row.association.is_some())
}

fn is_primary(shape: &InterfaceShape<'_>) -> bool {
    shape.attachment.as_ref().is_some_and(|attachment| attachment.device_index.0 == Some(0))
}

/// R-DATA-5: a row that names neither interface nor instance, but a private address: whoever owns that may have it.
fn of_nameless<'a>(
    address: &Record<ElasticShape<'a>>,
    interfaces: &[Scoped<Box<InterfaceShape<'a>>>],
    hints: &mut Hints<'a>,
    context: &mut Context<'_>,
) -> Result<(), LoadError> {
    let Record { source, item } = address;
    let Some(text) = item.public_ip.shown() else { return Ok(()) };
    let Some(private) = item.private_ip_address.shown() else {
        // R-ADDR-5: only a service's address is associated with nobody.
        if item.association_id.shown().is_some()
            && item.subnet_id.is_empty()
            && item.service_managed.is_empty()
        {
            context.gap(text, source, "associated with an interface that the answer does not name");
        }
        return Ok(());
    };
    let public = context.ipv4(source, text)?;
    let shown = context.ipv4(source, private)?;
    let owner = |row: &&Scoped<Box<InterfaceShape<'a>>>| {
        let listed = row.item.private_ip_addresses.iter().map(|address| &address.private_ip_address);
        listed.chain([&row.item.private_ip_address]).any(|address| address.shown() == Some(private))
    };
    let (evidence, private) = (AssociationEvidence::Indirect, Some(shown));
    let mut owners = interfaces.iter().filter(owner).peekable();
    if owners.peek().is_none() {
        context.gap(text, source, format!("associated with `{shown}`, which no interface has"));
    }
    for row in owners {
        let hint = PublicHint { public, private, evidence, source: source.clone() };
        hints.public.entry(row.item.network_interface_id.clone()).or_default().push(hint);
    }
    Ok(())
}

/// A row of `DescribeAddresses`; false if it names neither interface nor instance, so that it belongs to nobody or to a
/// service.
fn of_address<'a>(
    address: &Record<ElasticShape<'a>>,
    primaries: &Primaries<'_, 'a>,
    hints: &mut Hints<'a>,
    context: &mut Context<'_>,
) -> Result<bool, LoadError> {
    let Record { source, item } = address;
    let by_instance = item.instance_id.shown().and_then(|instance| primaries.get(instance).copied());
    let by_id = Some(&item.network_interface_id).filter(|id| !id.is_empty());
    let Some(interface) = by_id.or(by_instance) else {
        return Ok(false);
    };
    if !context.index.interfaces.knows(interface) {
        let interface: &str = interface;
        let id = item.public_ip.shown().unwrap_or(interface);
        context.notice(id, source, format!("associated with `{interface}`, which no answer describes"));
    }
    let private = item.private_ip_address.shown().map(|text| context.ipv4(source, text)).transpose()?;
    for (text, evidence) in [
        (&item.public_ip, AssociationEvidence::Direct),
        (&item.carrier_ip, AssociationEvidence::Carrier),
        (&item.customer_owned_ip, AssociationEvidence::CustomerOwned),
    ] {
        let Some(text) = text.shown() else { continue };
        let public = context.ipv4(source, text)?;
        let hint = PublicHint { public, private, evidence, source: source.clone() };
        hints.public.entry(interface.clone()).or_default().push(hint);
    }
    Ok(true)
}

/// The associations that one interface description shows.
pub(super) fn associations(
    shape: &InterfaceShape<'_>,
    source: &Source,
    evidence: AssociationEvidence,
    hints: &mut Vec<PublicHint>,
    context: &Context<'_>,
) -> Result<(), LoadError> {
    let mut add = |association: &Option<AssociationShape<'_>>, private, place: &str| {
        let Some(association) = association else { return Ok(()) };
        let source = source.below(place);
        for (text, evidence) in [
            (&association.public_ip, evidence),
            (&association.carrier_ip, AssociationEvidence::Carrier),
            (&association.customer_owned_ip, AssociationEvidence::CustomerOwned),
        ] {
            let Some(text) = text.shown() else { continue };
            let public = context.ipv4(&source, text)?;
            hints.push(PublicHint { public, private, evidence, source: source.clone() });
        }
        Ok(())
    };
    for (index, address) in shape.private_ip_addresses.iter().enumerate() {
        if address.association.is_some() {
            let place = format!("/PrivateIpAddresses/{index}");
            let private = context.ipv4(&source.below(&place), &address.private_ip_address)?;
            add(&address.association, Some(private), &(place + "/Association"))?;
        }
    }
    add(&shape.association, None, "/Association")
}
