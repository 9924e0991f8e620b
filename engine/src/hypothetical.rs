//! Interfaces that do not exist yet: what `new:` selectors stand for.
//!
//! Such an interface has every free address of its subnet, so that what is said of it holds for the next workload there,
//! whatever address that gets. It is added to a copy of the snapshot, for the one question that names it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use reachproof_model::certificate::Supposed;
use reachproof_model::flow::World;
use reachproof_model::id::{GroupId, Ref, SubnetId, VpcId};
use reachproof_model::policy::{Form, Pattern, Property, Selector, Term};
use reachproof_model::snapshot::{
    AssociationEvidence, AssociationTarget, Destination, GroupPeer, GroupRule, Interface,
    InterfaceAttachment, Meta, PrivateAddress, PublicAddress, SecurityGroup, Snapshot,
};
use reachproof_model::text::Tags;
use reachproof_model::traffic::Traffic;

use crate::network::{Network, host, owned_blocks, subtract};
use crate::region::{Region, SelectionError, Spot, term_matches};

/// The label of interfaces that do not exist yet.
const LABEL: &str = "hypothetical";

/// Whether an interface is one that a selector supposes.
pub(crate) fn is_hypothetical(interface: &Interface) -> bool {
    &*interface.label == LABEL
}

/// The snapshot with what some selectors suppose; `None` if they suppose nothing.
///
/// # Errors
/// If a `new:` names no subnet, a group that is not there, or a public address that a gateway's routes tell from others.
pub fn supposing<'p>(
    network: &Network<'_>,
    selectors: impl IntoIterator<Item = &'p Selector>,
) -> Result<Option<Snapshot>, SelectionError> {
    let wanted = suppositions(network, selectors)?;
    if wanted.is_empty() {
        return Ok(None);
    }
    let mut snapshot = network.snapshot.clone();
    let open = open_groups(&mut snapshot, wanted.iter().filter(|one| one.groups.is_empty()), network);
    for one in &wanted {
        let interface = interface(network, &snapshot, one, &open)?;
        snapshot.interfaces.push(interface);
    }
    Ok(Some(snapshot))
}

/// What some selectors suppose: the interfaces that [`supposing`] adds, in its order.
///
/// # Errors
/// If a `new:` names no subnet, or a group that is not there.
pub(crate) fn suppositions<'p>(
    network: &Network<'_>,
    selectors: impl IntoIterator<Item = &'p Selector>,
) -> Result<BTreeSet<Supposed>, SelectionError> {
    let mut wanted = BTreeSet::new();
    for selector in selectors {
        for term in new_terms(selector) {
            wanted.extend(supposed(network, term)?);
        }
    }
    Ok(wanted)
}

/// The selectors of a property.
pub(crate) fn selectors(property: &Property) -> Vec<&Selector> {
    match &property.form {
        Form::Forbid(ends) | Form::Require(ends) | Form::RequireSome(ends) | Form::NoNew(ends) => {
            [Some(&ends.from), Some(&ends.to), ends.except_from.as_ref(), ends.except_to.as_ref()]
                .into_iter()
                .flatten()
                .collect()
        }
        Form::OnlyThrough { ends, through } => vec![&ends.from, &ends.to, through],
        Form::Isolate { between, and } => vec![between, and],
    }
}

/// The ids of the interfaces that a `new:` stands for.
pub(crate) fn ids(network: &Network<'_>, term: &Term) -> Result<Vec<Box<str>>, SelectionError> {
    Ok(supposed(network, term)?.iter().map(|one| id(network, one)).collect())
}

/// Refuses what depends on which public address a supposed interface gets: it is only known to be one, so that only who
/// comes from the internet, or the internet itself, may be at the other end.
///
/// # Errors
/// If an interface with a public address is at one end and another place than the internet at the other.
pub fn require_internet_beside_public(
    network: &Network<'_>,
    from: &Region,
    to: &Region,
) -> Result<(), SelectionError> {
    let public = |region: &Region| {
        let interfaces = region.iter().filter_map(|(spot, _)| match spot {
            Spot::Interface(id) => Some(network.interface(id)),
            _ => None,
        });
        let mut supposed = interfaces.filter(|row| is_hypothetical(row) && !row.public.is_empty());
        supposed.next().map(|row| row.meta.id.clone())
    };
    let inside = |region: &Region| region.iter().any(|(spot, _)| spot != Spot::Internet);
    match (public(from).filter(|_| inside(to)), public(to).filter(|_| inside(from))) {
        (Some(id), _) | (_, Some(id)) => Err(SelectionError::of(format!(
            "`{id}`: which public address a new interface gets is not known, so the other end must be `internet` alone; without `+public` it may be anything"
        ))),
        (None, None) => Ok(()),
    }
}

fn new_terms(selector: &Selector) -> Vec<&Term> {
    let terms = selector.terms.iter().chain(&selector.except);
    terms
        .flat_map(|term| match term {
            Term::New { .. } => vec![term],
            Term::Group { members, .. } => new_terms(members),
            _ => Vec::new(),
        })
        .collect()
}

fn supposed(network: &Network<'_>, term: &Term) -> Result<Vec<Supposed>, SelectionError> {
    let Term::New { subnets, groups, public } = term else { return Ok(Vec::new()) };
    let found: Vec<SubnetId> =
        network.snapshot.subnets.ids().filter(|subnet| is_meant(network, subnets, *subnet)).collect();
    if found.is_empty() {
        return Err(SelectionError::of("`new:` names no subnet of the snapshot".to_owned()));
    }
    let groups: Vec<Vec<GroupId>> =
        groups.iter().map(|pattern| named(network.snapshot, pattern)).collect::<Result<_, _>>()?;
    let mut groups = groups.concat();
    groups.sort_unstable();
    groups.dedup();
    Ok(found.into_iter().map(|subnet| Supposed { subnet, groups: groups.clone(), public: *public }).collect())
}

/// Whether a term stands for a subnet: by its own name, by that of its VPC, or as part of a block.
fn is_meant(network: &Network<'_>, term: &Term, subnet: SubnetId) -> bool {
    let record = network.subnet(subnet);
    let vpc = record.vpc.known().map(|vpc| &network.vpc(vpc).meta);
    match term {
        Term::Any => true,
        Term::Address(block) => {
            network.subnet_blocks(subnet, World::Over).iter().any(|own| block.contains(own))
        }
        Term::Group { members, .. } => members.terms.iter().any(|term| is_meant(network, term, subnet)),
        _ => term_matches(term, &record.meta) || vpc.is_some_and(|vpc| term_matches(term, vpc)),
    }
}

fn named(snapshot: &Snapshot, pattern: &Pattern) -> Result<Vec<GroupId>, SelectionError> {
    let rows = snapshot.groups.iter();
    let found: Vec<GroupId> =
        rows.filter(|(_, group)| pattern.matches(&group.meta.id)).map(|(id, _)| id).collect();
    if found.is_empty() {
        return Err(SelectionError::of(format!("`new:`: no security group of the snapshot is `{pattern}`")));
    }
    Ok(found)
}

/// As it would be written, with one subnet.
fn id(network: &Network<'_>, one: &Supposed) -> Box<str> {
    let mut id = format!("new:{}", network.subnet(one.subnet).meta.id);
    for group in &one.groups {
        id.push('+');
        id.push_str(&network.snapshot.groups[*group].meta.id);
    }
    if one.public {
        id.push_str("+public");
    }
    id.into()
}

/// For each VPC a group that allows everything.
fn open_groups<'w>(
    snapshot: &mut Snapshot,
    wanted: impl Iterator<Item = &'w Supposed>,
    network: &Network<'_>,
) -> BTreeMap<Option<VpcId>, GroupId> {
    let mut open = BTreeMap::new();
    for one in wanted {
        let record = network.subnet(one.subnet);
        let key = record.vpc.known();
        open.entry(key).or_insert_with(|| {
            let meta =
                Meta { id: "new:allow-all".into(), tags: Tags::default(), arn: None, ..record.meta.clone() };
            let everything = Some(allow_all(&meta));
            let group_name = meta.id.clone();
            let (ingress, egress) = (everything.clone(), everything);
            snapshot.groups.push(SecurityGroup { meta, group_name, vpc: record.vpc.clone(), ingress, egress })
        });
    }
    open
}

fn allow_all(meta: &Meta) -> Vec<GroupRule> {
    let rule = |block: IpNet| GroupRule {
        traffic: Traffic::All,
        peer: GroupPeer::Cidr(block),
        index: 0,
        source: meta.source.clone(),
    };
    crate::region::everything().into_iter().map(rule).collect()
}

/// The interface to suppose beside those that `supposed` has.
fn interface(
    network: &Network<'_>,
    supposed: &Snapshot,
    one: &Supposed,
    open: &BTreeMap<Option<VpcId>, GroupId>,
) -> Result<Interface, SelectionError> {
    let record = network.subnet(one.subnet);
    let free = free_blocks(network, one.subnet);
    let groups = if one.groups.is_empty() {
        open.get(&record.vpc.known()).copied().into_iter().collect()
    } else {
        one.groups.clone()
    };
    let meta = Meta { id: id(network, one).into(), tags: Tags::default(), arn: None, ..record.meta.clone() };
    let first = free.iter().map(IpNet::addr).min_by_key(|ip| !ip.is_ipv4());
    let first = first.ok_or_else(|| full(&record.meta))?;
    let public = match (one.public, first) {
        (false, _) => Vec::new(),
        (true, IpAddr::V4(private)) => vec![public_address(network, supposed, one.subnet, private)?],
        (true, IpAddr::V6(_)) => return Err(full(&record.meta)),
    };
    Ok(Interface {
        vpc: record.vpc.clone(),
        subnet: Ref::Known(one.subnet),
        groups: Some(groups.into_iter().map(Ref::Known).collect()),
        addresses: vec![PrivateAddress { ip: first, primary: true }],
        prefixes: free,
        public,
        ..attached(meta)
    })
}

/// An ordinary interface of a running guest, nowhere yet.
fn attached(meta: Meta) -> Interface {
    let attachment = InterfaceAttachment {
        instance: None,
        status: Some("attached".into()),
        device_index: Some(0),
        instance_owner: None,
    };
    Interface {
        vpc: Ref::Missing(meta.id.boxed()),
        subnet: Ref::Missing(meta.id.boxed()),
        meta,
        more_subnets: Vec::new(),
        kind: Some("interface".into()),
        status: Some("in-use".into()),
        attachment: Some(attachment),
        requester_managed: false,
        requester: None,
        description: "an interface that does not exist yet".into(),
        source_dest_check: Some(true),
        deny_igw: false,
        groups: None,
        addresses: Vec::new(),
        prefixes: Vec::new(),
        public: Vec::new(),
        label: LABEL.into(),
    }
}

fn full(meta: &Meta) -> SelectionError {
    SelectionError::of(format!("`new:{}`: the subnet has no free address of the family asked for", meta.id))
}

/// R-ADDR-2: the blocks of a subnet without what AWS reserves and what interfaces of the VPC own, sorted.
fn free_blocks(network: &Network<'_>, subnet: SubnetId) -> Vec<IpNet> {
    let blocks = network.subnet_blocks(subnet, World::Over);
    let vpc = network.subnet(subnet).vpc.known();
    let others = vpc.map_or(&[][..], |vpc| network.interfaces_in_vpc(vpc));
    let owned = others.iter().flat_map(|id| owned_blocks(network.interface(*id)));
    let owned = owned.filter(|own| blocks.iter().any(|block| block.contains(&own.addr())));
    let holes: Vec<IpNet> = blocks.iter().flat_map(reserved).chain(owned).collect();
    let mut free = blocks;
    for hole in &holes {
        free = free.iter().flat_map(|block| subtract(*block, *hole)).collect();
    }
    free.sort_unstable();
    free
}

/// R-ADDR-2: the first four addresses of a block and the last one.
fn reserved(block: &IpNet) -> Vec<IpNet> {
    let first = IpNet::new(block.network(), block.max_prefix_len().saturating_sub(2)).ok();
    first.into_iter().chain([host(block.broadcast())]).collect()
}

/// A public address, which no other interface has, for the first free one. Every free address is alike to who comes from outside, unless the routes of a
/// gateway tell them apart.
fn public_address(
    network: &Network<'_>,
    supposed: &Snapshot,
    subnet: SubnetId,
    private: Ipv4Addr,
) -> Result<PublicAddress, SelectionError> {
    let meta = &network.subnet(subnet).meta;
    if is_split(network, subnet) {
        let id = &meta.id;
        let message = format!(
            "`new:{id}+public`: a gateway route table has a route for a part of {id}, so that its free addresses differ; name an interface instead"
        );
        return Err(SelectionError::of(message));
    }
    let used: BTreeSet<Ipv4Addr> =
        supposed.interfaces.values().flat_map(|row| &row.public).map(|row| row.public).collect();
    let candidates =
        (0..=u8::MAX).flat_map(|third| (1..u8::MAX).map(move |last| Ipv4Addr::new(198, 18, third, last)));
    let Some(public) = candidates.into_iter().find(|ip| !used.contains(ip)) else { return Err(full(meta)) };
    Ok(PublicAddress { public, private, evidence: AssociationEvidence::Direct, source: meta.source.clone() })
}

fn is_split(network: &Network<'_>, subnet: SubnetId) -> bool {
    let own = network.subnet_blocks(subnet, World::Over);
    let inside = |destination: &Destination| match destination {
        Destination::Cidr(block) => own.iter().any(|own| own.contains(block) && own != block),
        _ => true,
    };
    let at_gateway = |target: &AssociationTarget| {
        !matches!(target, AssociationTarget::Main | AssociationTarget::Subnet(_))
    };
    let vpc = network.subnet(subnet).vpc.known();
    let tables = network.snapshot.route_tables.values().filter(|table| table.vpc.known() == vpc);
    let edges = tables.filter(|table| table.associations.iter().any(|row| at_gateway(&row.target)));
    edges.flat_map(|table| &table.routes).any(|route| inside(&route.destination))
}
