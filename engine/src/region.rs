//! Selections resolved in a network: which places, and which of their addresses.
//!
//! The main type is [`Region`]. [`select`] finds what a [`Selector`] stands for; a selector that stands for nothing is an
//! error unless it says that it may be empty, because a property over nothing is no proof.

use std::collections::BTreeMap;
use std::fmt;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reachproof_model::id::{AttachmentId, ComponentId, EndpointId, EniId, PeeringId, SubnetId};
use reachproof_model::policy::{Selector, Term};
use reachproof_model::snapshot::Meta;

mod address;
mod beyond;
mod metadata;
mod service;

pub use beyond::neighbours;
use beyond::{add_neighbours, add_onprem, has_unknown_side, meaning_of};

use crate::hypothetical;
use crate::network::{GatewayId, Network, Sink, SourcePlace, SpecialBlock};
use metadata::{
    INSTANCES, add_matching, add_undescribed, add_unseen, add_ways_in, endpoint_spots, names_metadata,
};

/// A place that a selector can name: a source, a sink, or both.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Spot {
    /// An interface.
    Interface(EniId),
    /// The internet.
    Internet,
    /// The networks behind a virtual private gateway.
    Gateway(GatewayId),
    /// The network behind a transit gateway attachment.
    Attachment(AttachmentId),
    /// The unknown VPC behind a peering connection.
    Peer(PeeringId),
    /// The service behind a gateway endpoint.
    Service(EndpointId),
    /// An unmodelled component that leads to another network (R-VERDICT-7).
    Component(ComponentId),
    /// The interfaces of a subnet that no call shows, because another account owns it.
    Unseen(SubnetId),
}

impl Spot {
    /// The spot as a source; gateway endpoints start nothing (R-VPCE-5).
    pub fn source(self) -> Option<SourcePlace> {
        Some(match self {
            Self::Interface(id) => SourcePlace::Interface(id),
            Self::Internet => SourcePlace::Internet,
            Self::Gateway(id) => SourcePlace::Gateway(id),
            Self::Attachment(id) => SourcePlace::Attachment(id),
            Self::Peer(id) => SourcePlace::Peer(id),
            Self::Component(id) => SourcePlace::Component(id),
            Self::Service(_) | Self::Unseen(_) => return None,
        })
    }

    /// The spot of a sink, for those that selectors can name.
    pub fn of_sink(sink: Sink) -> Option<Self> {
        Some(match sink {
            Sink::Interface(id) => Self::Interface(id),
            Sink::Internet => Self::Internet,
            Sink::Gateway(id) => Self::Gateway(id),
            Sink::Attachment(id) => Self::Attachment(id),
            Sink::Peer(id) => Self::Peer(id),
            Sink::Service(id) => Self::Service(id),
            Sink::Component(id) => Self::Component(id),
            Sink::Unseen(id) => Self::Unseen(id),
            Sink::Infrastructure(_) => return None,
        })
    }

    /// The spot of a source.
    pub fn source_of(place: SourcePlace) -> Option<Self> {
        Some(match place {
            SourcePlace::Interface(id) => Self::Interface(id),
            SourcePlace::Internet => Self::Internet,
            SourcePlace::Gateway(id) => Self::Gateway(id),
            SourcePlace::Attachment(id) => Self::Attachment(id),
            SourcePlace::Peer(id) => Self::Peer(id),
            SourcePlace::Component(id) => Self::Component(id),
        })
    }

    /// The spot as a sink.
    pub fn sink(self) -> Sink {
        match self {
            Self::Interface(id) => Sink::Interface(id),
            Self::Internet => Sink::Internet,
            Self::Gateway(id) => Sink::Gateway(id),
            Self::Attachment(id) => Sink::Attachment(id),
            Self::Peer(id) => Sink::Peer(id),
            Self::Service(id) => Sink::Service(id),
            Self::Component(id) => Sink::Component(id),
            Self::Unseen(id) => Sink::Unseen(id),
        }
    }
}

/// Which addresses at a spot are meant.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Extent {
    /// Every address that may be meant, as sorted blocks: nothing must happen there that must not.
    pub blocks: Vec<IpNet>,
    /// Those of them that are meant whatever is not known: what happens there is what must not, and what is taken away
    /// from a region is this.
    pub certain: Vec<IpNet>,
    /// Those of them where what must happen must. Others are meant only because a range of addresses may extend to the
    /// spot, or a service may be reached there.
    pub demanded: Vec<IpNet>,
}

impl Extent {
    /// Whether there are addresses where what must happen need not.
    pub fn implied(&self) -> bool {
        self.demanded != self.blocks
    }
}

/// How a selector means some addresses of a spot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Meaning {
    /// By what it says.
    Named,
    /// As one of several places that have such addresses: something need not happen at each of them.
    Among,
    /// Only if something that is not known is so.
    Perhaps,
}

/// A set of spots with their extents.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Region {
    spots: BTreeMap<Spot, Extent>,
}

impl Region {
    /// The spots with their extents, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (Spot, &Extent)> {
        self.spots.iter().map(|(spot, extent)| (*spot, extent))
    }

    /// The extent at a spot.
    pub fn get(&self, spot: Spot) -> Option<&Extent> {
        self.spots.get(&spot)
    }

    /// The extent at a sink.
    pub fn at(&self, sink: Sink) -> Option<&Extent> {
        self.get(Spot::of_sink(sink)?)
    }

    /// The region with one more spot, entire.
    #[must_use]
    pub fn with(mut self, spot: Spot) -> Self {
        self.add_all(spot);
        self
    }

    /// The region with the spot of a sink, if it is one.
    #[must_use]
    pub fn with_sink(self, sink: Sink) -> Self {
        match Spot::of_sink(sink) {
            Some(spot) => self.with(spot),
            None => self,
        }
    }

    /// The part of the region at one spot.
    pub(crate) fn only(&self, spot: Spot) -> Option<Self> {
        self.get(spot).map(|extent| Self { spots: BTreeMap::from([(spot, extent.clone())]) })
    }

    /// The part of the region at some spots, with all that may be meant there as meant for certain.
    pub(crate) fn at_spots(&self, wanted: impl Fn(Spot) -> bool) -> Self {
        let there = self.spots.iter().filter(|(spot, _)| wanted(**spot));
        let settled = |extent: &Extent| Extent { certain: extent.blocks.clone(), ..extent.clone() };
        Self { spots: there.map(|(spot, extent)| (*spot, settled(extent))).collect() }
    }

    /// Whether there is no spot.
    pub fn is_empty(&self) -> bool {
        self.spots.is_empty()
    }

    /// Number of spots.
    pub fn len(&self) -> usize {
        self.spots.len()
    }

    /// Only what must happen somewhere if it must happen at all, unless there is no such place.
    #[must_use]
    pub fn explicit(self) -> Self {
        let demanded = self.spots.iter().filter(|(_, extent)| !extent.demanded.is_empty());
        let explicit: BTreeMap<Spot, Extent> = demanded
            .map(|(spot, extent)| (*spot, Extent { blocks: extent.demanded.clone(), ..extent.clone() }))
            .collect();
        if explicit.is_empty() { self } else { Self { spots: explicit } }
    }

    /// The part of the region that has addresses of the internet.
    #[must_use]
    pub(crate) fn on_internet(mut self) -> Self {
        let private = [SpecialBlock::PrivateV4.blocks(), SpecialBlock::PrivateV6.blocks()].concat();
        for extent in self.spots.values_mut() {
            extent.blocks = without_blocks(&extent.blocks, &private);
        }
        self.spots.retain(|_, extent| !extent.blocks.is_empty());
        self
    }

    /// Both regions together.
    #[must_use]
    pub fn union(mut self, other: Self) -> Self {
        for (spot, extent) in other.spots {
            let own = self.spots.entry(spot).or_default();
            own.blocks = joined(&own.blocks, &extent.blocks);
            own.certain = joined(&own.certain, &extent.certain);
            own.demanded = joined(&own.demanded, &extent.demanded);
        }
        self
    }

    /// What is in the region and not for certain in the other.
    ///
    /// INVARIANT (no proof by subtraction): an address that the other only may mean stays, so that what must not happen
    /// is looked for there, too.
    #[must_use]
    pub fn without(mut self, other: &Self) -> Self {
        for (spot, extent) in &other.spots {
            if let Some(own) = self.spots.get_mut(spot) {
                own.blocks = without_blocks(&own.blocks, &extent.certain);
                own.certain = without_blocks(&own.certain, &extent.blocks);
                own.demanded = without_blocks(&own.demanded, &extent.certain);
            }
        }
        self.spots.retain(|_, extent| !extent.blocks.is_empty());
        self
    }

    /// What is in the region and for certain in the other.
    #[must_use]
    pub(crate) fn within(mut self, other: &Self) -> Self {
        self.spots.retain(|spot, own| {
            let certain = other.get(*spot).map_or(&[][..], |extent| &extent.certain);
            for blocks in [&mut own.blocks, &mut own.certain, &mut own.demanded] {
                *blocks = both(blocks, certain);
            }
            !own.blocks.is_empty()
        });
        self
    }

    fn add(&mut self, spot: Spot, blocks: Vec<IpNet>, meaning: Meaning) {
        if blocks.is_empty() {
            return;
        }
        let own = self.spots.entry(spot).or_default();
        own.blocks = joined(&own.blocks, &blocks);
        if meaning != Meaning::Perhaps {
            own.certain = joined(&own.certain, &blocks);
        }
        if meaning == Meaning::Named {
            own.demanded = joined(&own.demanded, &blocks);
        }
    }

    /// Whether nothing is meant for certain.
    fn is_only_perhaps(&self) -> bool {
        self.spots.values().all(|extent| extent.certain.is_empty())
    }

    /// Whether everything is meant only if something that is not known is so.
    fn is_conjecture(&self) -> bool {
        !self.is_empty() && self.is_only_perhaps()
    }

    fn add_all(&mut self, spot: Spot) {
        self.add(spot, everything(), Meaning::Named);
    }
}

fn joined(left: &[IpNet], right: &[IpNet]) -> Vec<IpNet> {
    IpNet::aggregate(&[left, right].concat())
}

/// The addresses in two lists of blocks.
fn both(left: &[IpNet], right: &[IpNet]) -> Vec<IpNet> {
    let parts = left.iter().flat_map(|one| right.iter().filter_map(move |other| common(one, other)));
    IpNet::aggregate(&parts.collect::<Vec<_>>())
}

/// Blocks without holes.
pub(crate) fn without_blocks(blocks: &[IpNet], holes: &[IpNet]) -> Vec<IpNet> {
    let left = holes.iter().fold(blocks.to_vec(), |blocks, hole| cut(&blocks, hole));
    IpNet::aggregate(&left)
}

/// A selector that stands for nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SelectionError {
    message: String,
}

impl SelectionError {
    pub(crate) fn of(message: String) -> Self {
        Self { message }
    }

    fn conjecture(selector: &Selector) -> Self {
        let message = format!(
            "selector `{}` matches nothing that the snapshot shows, only what it may not show: a property over nothing is no proof; correct it, or collect: {INSTANCES}",
            selector.text
        );
        Self { message }
    }

    pub(crate) fn nothing(selector: &Selector) -> Self {
        let message = format!(
            "selector `{}` matches nothing in the snapshot: a property over nothing is no proof; correct it, or mark it `allow-empty`",
            selector.text
        );
        Self { message }
    }
}

impl fmt::Display for SelectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SelectionError {}

/// Resolves a selector.
///
/// # Errors
/// If it stands for nothing and does not say that it may, or names something that no input provides.
pub fn select(network: &Network<'_>, selector: &Selector) -> Result<Region, SelectionError> {
    let region = resolve(network, selector)?;
    if region.is_empty() && !may_be_empty(selector) {
        return Err(SelectionError::nothing(selector));
    }
    require_taken(network, &selector.except)?;
    if region.is_conjecture() && !selector.allow_empty && selector.terms.iter().all(names_metadata) {
        return Err(SelectionError::conjecture(selector));
    }
    Ok(region)
}

/// Whether the selector says that it may stand for nothing, by itself or by the groups that it is made of.
pub(crate) fn may_be_empty(selector: &Selector) -> bool {
    let says = |term: &Term| matches!(term, Term::Group { members, .. } if may_be_empty(members));
    selector.allow_empty || selector.terms.iter().all(says)
}

/// Resolves what is taken away from an end.
///
/// # Errors
/// As [`resolve`], and if it names a resource or an address that is not there: it is a slip, and would take nothing away.
pub(crate) fn taken(network: &Network<'_>, selector: &Selector) -> Result<Region, SelectionError> {
    if !selector.allow_empty {
        require_taken(network, &selector.terms)?;
    }
    resolve(network, selector)
}

fn require_taken(network: &Network<'_>, terms: &[Term]) -> Result<(), SelectionError> {
    for term in terms {
        let text = match term {
            Term::Id(pattern) => pattern.to_string(),
            Term::Name(pattern) => format!("name:{pattern}"),
            _ => continue,
        };
        if of_term(network, term)?.is_empty() {
            return Err(SelectionError::of(format!(
                "`{text}` is to be taken away and matches nothing in the snapshot; correct it or leave it out"
            )));
        }
    }
    Ok(())
}

/// Resolves a selector that may stand for nothing.
///
/// # Errors
/// As [`select`], but for emptiness.
pub fn resolve(network: &Network<'_>, selector: &Selector) -> Result<Region, SelectionError> {
    let mut region = Region::default();
    for term in &selector.terms {
        region = region.union(of_term(network, term)?);
    }
    for term in &selector.except {
        region = region.without(&of_term(network, term)?);
    }
    Ok(region)
}

fn of_term(network: &Network<'_>, term: &Term) -> Result<Region, SelectionError> {
    let mut region = Region::default();
    match term {
        Term::Internet(range) => add_internet(network, &mut region, *range),
        Term::AnyExternal => {
            add_internet(network, &mut region, None);
            add_neighbours(network, &mut region);
        }
        Term::Onprem { gateway, addresses } => add_onprem(network, &mut region, gateway.as_ref(), *addresses),
        Term::Any => {
            network.snapshot.interfaces.ids().for_each(|id| region.add_all(Spot::Interface(id)));
            add_internet(network, &mut region, None);
            add_neighbours(network, &mut region);
            service::spots(network, None).into_iter().for_each(|spot| region.add_all(spot));
            add_unseen(network, &mut region, |_| true);
        }
        Term::Id(_) | Term::Name(_) | Term::Tag { .. } => {
            add_matching(network, &mut region, |meta| term_matches(term, meta));
            if region.is_empty() {
                add_ways_in(network, &mut region, term);
            }
            if names_metadata(term) {
                add_undescribed(network, &mut region);
            }
        }
        Term::Address(range) => address::add(network, &mut region, *range),
        Term::Service(name) => service::add(network, &mut region, name)?,
        Term::Kind(kind) => {
            let of_kind =
                network.snapshot.interfaces.iter().filter(|(_, interface)| *interface.label == **kind);
            of_kind.for_each(|(id, _)| region.add_all(Spot::Interface(id)));
        }
        Term::Plan(address) => return Err(unsupported("plan", address)),
        Term::New { .. } => add_new(network, &mut region, term)?,
        Term::Group { members, .. } => region = resolve(network, members)?,
    }
    Ok(region)
}

fn unsupported(kind: &str, rest: &str) -> SelectionError {
    let message = format!(
        "selector `{kind}:{rest}` needs a Terraform plan, which is not read by this version; name the resource by its id"
    );
    SelectionError { message }
}

/// The interfaces that the network supposes for a `new:`.
fn add_new(network: &Network<'_>, region: &mut Region, term: &Term) -> Result<(), SelectionError> {
    let ids = hypothetical::ids(network, term)?;
    let supposed = network.snapshot.interfaces.iter().filter(|(_, row)| hypothetical::is_hypothetical(row));
    let found: Vec<EniId> =
        supposed.filter(|(_, row)| ids.iter().any(|id| row.meta.id == **id)).map(|(id, _)| id).collect();
    if found.len() < ids.len() {
        return Err(SelectionError::of(
            "`new:` stands at either end of a property or of `reach`, nowhere else".to_owned(),
        ));
    }
    found.into_iter().for_each(|id| region.add_all(Spot::Interface(id)));
    Ok(())
}

/// R-VERDICT-5, R-VERDICT-7: the internet; every external source where the user asked for strictness.
fn add_internet(network: &Network<'_>, region: &mut Region, range: Option<IpNet>) {
    region.add(Spot::Internet, range.map_or_else(everything, |range| vec![range]), Meaning::Named);
    if network.options.strict && range.is_none() {
        neighbours(network).into_iter().for_each(|spot| region.add(spot, everything(), Meaning::Perhaps));
    }
}

fn public_space() -> Vec<IpNet> {
    let holes = [SpecialBlock::PrivateV4.blocks(), SpecialBlock::PrivateV6.blocks()].concat();
    holes.iter().fold(everything(), |blocks, hole| cut(&blocks, hole))
}

/// All addresses of both families.
pub(crate) fn everything() -> Vec<IpNet> {
    vec![IpNet::V4(Ipv4Net::default()), IpNet::V6(Ipv6Net::default())]
}

/// The smaller of two blocks, if one holds the other.
pub(crate) fn common(left: &IpNet, right: &IpNet) -> Option<IpNet> {
    if left.contains(right) {
        Some(*right)
    } else if right.contains(left) {
        Some(*left)
    } else {
        None
    }
}

/// Blocks without a hole.
fn cut(blocks: &[IpNet], hole: &IpNet) -> Vec<IpNet> {
    blocks.iter().flat_map(|block| crate::network::subtract(*block, *hole)).collect()
}

/// The AWS ids that a selector names literally or by pattern, of every kind of place that packets may pass.
pub(crate) fn ids(network: &Network<'_>, selector: &Selector) -> Vec<Box<str>> {
    let matches = |meta: &Meta| selector.terms.iter().any(|term| term_matches(term, meta));
    let snapshot = network.snapshot;
    let metas = (snapshot.internet_gateways.values().map(|row| &row.meta))
        .chain(snapshot.egress_gateways.values().map(|row| &row.meta))
        .chain(snapshot.virtual_gateways.values().map(|row| &row.meta))
        .chain(snapshot.nat_gateways.values().map(|row| &row.meta))
        .chain(snapshot.endpoints.values().map(|row| &row.meta))
        .chain(snapshot.peerings.values().map(|row| &row.meta))
        .chain(snapshot.transit_gateways.values().map(|row| &row.meta))
        .chain(snapshot.attachments.values().map(|row| &row.meta))
        .chain(snapshot.interfaces.values().map(|row| &row.meta));
    metas.filter(|meta| matches(meta)).map(|meta| meta.id.boxed()).collect()
}

pub(crate) fn term_matches(term: &Term, meta: &Meta) -> bool {
    match term {
        Term::Id(pattern) => {
            pattern.matches(&meta.id) || meta.arn.as_deref().is_some_and(|arn| pattern.matches(arn))
        }
        Term::Name(pattern) => meta.name().is_some_and(|name| pattern.matches(name)),
        Term::Tag { key, value } => {
            meta.tags.get(key).is_some_and(|found| value.as_ref().is_none_or(|value| value.matches(found)))
        }
        Term::Group { members, .. } => members.terms.iter().any(|term| term_matches(term, meta)),
        _ => false,
    }
}
