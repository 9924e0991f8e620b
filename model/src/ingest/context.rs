//! What every conversion needs: ids of the whole snapshot, places for messages, and the notices found on the way.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use super::error::LoadError;
use super::record::{Places, Resource, Scoped, tags};
use super::value::{Tag, Text};
use crate::finding::{Gap, Notice};
use crate::id::{
    AttachmentId, EigwId, EndpointId, EniId, GroupId, Id, IgwId, InstanceId, NatId, PeeringId, PolicyTableId,
    PrefixListId, Ref, RouteTableId, ScopeId, SubnetId, TgwId, TgwTableId, VgwId, VpcId,
};
use crate::snapshot::Meta;
use crate::source::Source;

/// Ids of one kind, by name. A name with two different descriptions in one answer is ambiguous, so that references to
/// it stay unknown (R-DATA-5).
#[derive(Debug)]
pub(super) struct Names<I>(HashMap<Box<str>, Option<I>>);

impl<I> Default for Names<I> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<I: Id> Names<I> {
    /// The names of a table in canonical order.
    pub(super) fn of<T: Resource>(records: &[Scoped<T>]) -> Self {
        let mut names = HashMap::with_capacity(records.len());
        for (index, record) in records.iter().enumerate() {
            let id = I::from_index(index);
            names.entry(Box::from(record.item.id())).and_modify(|entry| *entry = None).or_insert(Some(id));
        }
        Self(names)
    }

    /// The id of a name, if it names exactly one resource.
    pub(super) fn find(&self, name: &str) -> Option<I> {
        self.0.get(name).copied().flatten()
    }

    /// Whether the name names anything.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The reference by this name.
    pub(super) fn refer(&self, name: &str) -> Ref<I> {
        self.find(name).map_or_else(|| Ref::Missing(Box::from(name)), Ref::Known)
    }
}

/// The names of all resources.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) vpcs: Names<VpcId>,
    pub(super) subnets: Names<SubnetId>,
    pub(super) interfaces: Names<EniId>,
    pub(super) instances: Names<InstanceId>,
    pub(super) route_tables: Names<RouteTableId>,
    pub(super) groups: Names<GroupId>,
    pub(super) prefix_lists: Names<PrefixListId>,
    pub(super) internet_gateways: Names<IgwId>,
    pub(super) egress_gateways: Names<EigwId>,
    pub(super) nat_gateways: Names<NatId>,
    pub(super) endpoints: Names<EndpointId>,
    pub(super) peerings: Names<PeeringId>,
    pub(super) transit_gateways: Names<TgwId>,
    pub(super) tgw_tables: Names<TgwTableId>,
    pub(super) policy_tables: Names<PolicyTableId>,
    pub(super) virtual_gateways: Names<VgwId>,
    /// Attachments by id and transit gateway: both sides of a peering share one id.
    pub(super) attachments: HashMap<(Box<str>, Box<str>), AttachmentId>,
    /// The transit gateway of each transit gateway route table.
    pub(super) table_gateways: HashMap<Box<str>, Box<str>>,
    /// Attachments by id alone, for ids that name exactly one.
    pub(super) attachment_names: Names<AttachmentId>,
}

/// Shared by all conversions.
pub(super) struct Context<'i> {
    pub(super) places: &'i Places<'i>,
    pub(super) index: &'i Index,
    pub(super) notices: Vec<Notice>,
    pub(super) gaps: Vec<Gap>,
}

impl<'i> Context<'i> {
    /// A context without notices and gaps.
    pub(super) fn new(places: &'i Places<'i>, index: &'i Index) -> Self {
        Self { places, index, notices: Vec::new(), gaps: Vec::new() }
    }

    /// Adds what was found in another context.
    pub(super) fn absorb(&mut self, mut other: Self) {
        self.notices.append(&mut other.notices);
        self.gaps.append(&mut other.gaps);
    }

    /// Notes an oddity.
    pub(super) fn notice(&mut self, resource: &str, source: &Source, message: impl Into<String>) {
        let message = message.into().into_boxed_str();
        self.notices.push(Notice { resource: Box::from(resource), message, source: Some(source.clone()) });
    }

    /// An error about the value at a place.
    pub(super) fn error(&self, source: &Source, message: impl Into<String>) -> LoadError {
        self.places.error(source, message)
    }

    /// The block in `text`.
    ///
    /// `None`, with a notice, if bits are set behind the prefix: AWS never prints such a block, so whether it means
    /// one address or the whole block is unknown.
    pub(super) fn rule_block(
        &mut self,
        id: &str,
        source: &Source,
        text: &str,
    ) -> Result<Option<IpNet>, LoadError> {
        let block = self.parse_block(source, text)?;
        if block.trunc() == block {
            return Ok(Some(block));
        }
        self.notice(
            id,
            source,
            format!("`{text}` has address bits behind its prefix; read as an unknown block"),
        );
        Ok(None)
    }

    /// The block in `text` of a VPC or subnet, with bits behind the prefix cleared, as AWS does on creation.
    pub(super) fn block(&mut self, id: &str, source: &Source, text: &str) -> Result<IpNet, LoadError> {
        let block = self.parse_block(source, text)?;
        if block.trunc() != block {
            let read = block.trunc();
            self.notice(id, source, format!("`{text}` has address bits behind its prefix; read as `{read}`"));
        }
        Ok(block.trunc())
    }

    fn parse_block(&self, source: &Source, text: &str) -> Result<IpNet, LoadError> {
        text.parse().map_err(|_| {
            self.error(source, format!("found `{text}`, expected a CIDR block like `10.0.0.0/16`"))
        })
    }

    /// Notes what the input leaves open: beside it nothing is proved (R-DATA-3).
    pub(super) fn gap(&mut self, resource: &str, source: &Source, why: impl Into<String>) {
        let why = why.into().into_boxed_str();
        self.gaps.push(Gap { resource: Box::from(resource), why, source: Some(source.clone()) });
    }

    /// Notes a value that cannot be read and is left out.
    pub(super) fn unreadable(&mut self, resource: &str, source: &Source, error: &LoadError) {
        let why = format!("left out: {error}").into_boxed_str();
        self.gaps.push(Gap { resource: Box::from(resource), why, source: Some(source.clone()) });
    }

    /// The address in `text`, which stands at the place `below` the source.
    pub(super) fn address(
        &self,
        source: &Source,
        below: impl FnOnce() -> String,
        text: &str,
    ) -> Result<IpAddr, LoadError> {
        let expected = |_| format!("found `{text}`, expected an IP address");
        text.parse().map_err(expected).map_err(|message| self.error(&source.below(&below()), message))
    }

    /// The IPv4 address in `text`.
    pub(super) fn ipv4(&self, source: &Source, text: &str) -> Result<Ipv4Addr, LoadError> {
        text.parse().map_err(|_| self.error(source, format!("found `{text}`, expected an IPv4 address")))
    }
}

/// What a resource's [`Meta`] is made of.
pub(super) struct Identity<'r, 'a> {
    pub(super) id: &'r Text<'a>,
    pub(super) owner: &'r Text<'a>,
    pub(super) arn: &'r Text<'a>,
    pub(super) tags: &'r [Tag<'a>],
}

impl Identity<'_, '_> {
    /// The common part of a resource.
    pub(super) fn meta(&self, scope: ScopeId, source: &Source) -> Meta {
        Meta {
            id: (&**self.id).into(),
            scope,
            owner: self.owner.shared(),
            arn: self.arn.shared(),
            tags: tags(self.tags),
            source: source.clone(),
        }
    }
}
