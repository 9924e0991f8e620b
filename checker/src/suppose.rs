//! Interfaces that do not exist and that a claim supposes (`new:`), added to a copy of the snapshot.
//!
//! Such an interface has every free address of its subnet, so that what is proved of it is so of the next workload there,
//! whatever address that gets. A public address stands for the first free one alone; every free one is like it to who is on
//! the internet, unless a table of a gateway tells them apart, and to nobody else: such claims are refused.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reachproof_model::certificate::{Claim, Family, Place, Supposed};
use reachproof_model::id::{EniId, GroupId, Id, Ref, SubnetId, VpcId};
use reachproof_model::snapshot::{
    AssociationEvidence, AssociationTarget, Destination, GroupPeer, GroupRule, Interface,
    InterfaceAttachment, Meta, PrivateAddress, PublicAddress, SecurityGroup, Snapshot,
};
use reachproof_model::text::Tags;
use reachproof_model::traffic::Traffic;

use crate::Rejection;
use crate::area::{Interval, common, interval, intervals, tidy_intervals, without};
use crate::part::interface;
use crate::state::usable;

/// The snapshot with what a claim supposes.
pub(crate) fn supposing(s: &Snapshot, claim: &Claim) -> Result<Snapshot, Rejection> {
    let mut supposed = s.clone();
    let mut open: BTreeMap<VpcId, GroupId> = BTreeMap::new();
    for one in &claim.supposed {
        let Some(vpc) = s.subnets.get(one.subnet).and_then(|subnet| subnet.vpc.known()) else {
            return Err(Rejection::of("it supposes an interface where the snapshot has no subnet of a VPC"));
        };
        if one.groups.iter().any(|group| s.groups.get(*group).is_none()) {
            return Err(Rejection::of(
                "it supposes an interface with groups that the snapshot does not have",
            ));
        }
        if one.groups.is_empty() && !open.contains_key(&vpc) {
            let group = allowing_everything(&s.subnets[one.subnet].meta, vpc);
            open.insert(vpc, supposed.groups.push(group));
        }
    }
    for one in &claim.supposed {
        let groups = match s.subnets[one.subnet].vpc.known().and_then(|vpc| open.get(&vpc)) {
            Some(group) if one.groups.is_empty() => vec![*group],
            _ => one.groups.clone(),
        };
        let interface = supposed_interface(s, &supposed, one, groups)?;
        supposed.interfaces.push(interface);
    }
    require_internet_beside_public(s, claim)?;
    Ok(supposed)
}

fn supposed_interface(
    s: &Snapshot,
    supposed: &Snapshot,
    one: &Supposed,
    groups: Vec<GroupId>,
) -> Result<Interface, Rejection> {
    let subnet = &s.subnets[one.subnet];
    let [v4, v6] = [Family::V4, Family::V6].map(|family| free(s, one.subnet, family));
    let prefixes: Vec<IpNet> =
        v4.iter().flat_map(|own| blocks_v4(*own)).chain(v6.iter().flat_map(|own| blocks_v6(*own))).collect();
    let full = || {
        Rejection::of(format!("it supposes an interface in {}, which has no free address", subnet.meta.id))
    };
    let first = prefixes.first().map(IpNet::addr).ok_or_else(full)?;
    let public = match (one.public, v4.first()) {
        (false, _) => Vec::new(),
        (true, Some((private, _))) => vec![public_address(s, supposed, one.subnet, low(*private))?],
        (true, None) => return Err(full()),
    };
    let attachment = InterfaceAttachment {
        instance: None,
        status: Some("attached".into()),
        device_index: Some(0),
        instance_owner: None,
    };
    Ok(Interface {
        meta: named(&subnet.meta, &format!("new:{}", subnet.meta.id)),
        vpc: subnet.vpc.clone(),
        subnet: Ref::Known(one.subnet),
        more_subnets: Vec::new(),
        kind: Some("interface".into()),
        status: Some("in-use".into()),
        attachment: Some(attachment),
        requester_managed: false,
        requester: None,
        description: "".into(),
        source_dest_check: Some(true),
        deny_igw: false,
        groups: Some(groups.into_iter().map(Ref::Known).collect()),
        addresses: vec![PrivateAddress { ip: first, primary: true }],
        prefixes,
        public,
        label: "".into(),
    })
}

fn named(meta: &Meta, id: &str) -> Meta {
    Meta { id: id.into(), tags: Tags::default(), arn: None, ..meta.clone() }
}

/// A group of a VPC that lets everything in and out.
fn allowing_everything(meta: &Meta, vpc: VpcId) -> SecurityGroup {
    let everywhere = [IpNet::V4(Ipv4Net::default()), IpNet::V6(Ipv6Net::default())].map(|block| GroupRule {
        traffic: Traffic::All,
        peer: GroupPeer::Cidr(block),
        index: 0,
        source: meta.source.clone(),
    });
    let meta = named(meta, "new:allow-all");
    let (ingress, egress) = (Some(everywhere.to_vec()), Some(everywhere.to_vec()));
    SecurityGroup { group_name: meta.id.clone(), meta, vpc: Ref::Known(vpc), ingress, egress }
}

/// R-ADDR-2: the addresses of a subnet that nobody has: not the first four of a block, nor its last.
fn free(s: &Snapshot, subnet: SubnetId, family: Family) -> Vec<Interval> {
    let record = &s.subnets[subnet];
    let blocks = record.cidrs.iter().filter(|block| usable(&block.state)).map(|block| &block.cidr);
    let link = intervals(blocks, family);
    let reserved = link.iter().flat_map(|(lo, hi)| [(*lo, lo.saturating_add(3).min(*hi)), (*hi, *hi)]);
    let others = s.interfaces.values().filter(|row| row.vpc == record.vpc);
    let owned = others.flat_map(|row| {
        let addresses = row.addresses.iter().map(|address| IpNet::from(address.ip));
        addresses.chain(row.prefixes.iter().copied()).map(|block| interval(&block)).collect::<Vec<_>>()
    });
    let owned = owned.filter(|(own, _)| *own == family).map(|(_, own)| own);
    let holes: Vec<Interval> = reserved.chain(owned).collect();
    tidy_intervals(without(&link, &holes))
}

/// An interval of IPv4 addresses as blocks.
fn blocks_v4((lo, hi): Interval) -> Vec<IpNet> {
    let block =
        |address: u128, host: u8| Some(IpNet::V4(Ipv4Net::new(low(address), 32_u8.checked_sub(host)?).ok()?));
    blocks((lo, hi), 32, block)
}

fn blocks_v6((lo, hi): Interval) -> Vec<IpNet> {
    let block = |address: u128, host: u8| {
        Some(IpNet::V6(Ipv6Net::new(Ipv6Addr::from(address), 128_u8.checked_sub(host)?).ok()?))
    };
    blocks((lo, hi), 128, block)
}

/// The fewest blocks that make up an interval, by their first addresses and the bits of hosts.
fn blocks((lo, hi): Interval, bits: u8, block: impl Fn(u128, u8) -> Option<IpNet>) -> Vec<IpNet> {
    let (mut found, mut next) = (Vec::new(), Some(lo));
    while let Some(first) = next.filter(|first| *first <= hi) {
        let last = |host: &u8| Some(first | 1_u128.checked_shl(u32::from(*host))?.checked_sub(1)?);
        let fits = |host: &u8| {
            let aligned = first.trailing_zeros() >= u32::from(*host) || first == 0;
            aligned && last(host).is_some_and(|last| last <= hi)
        };
        let host = (0..=bits).rev().find(fits).unwrap_or(0);
        found.extend(block(first, host));
        next = last(&host).and_then(|last| last.checked_add(1));
    }
    found
}

/// An IPv4 address from its number.
fn low(address: u128) -> Ipv4Addr {
    Ipv4Addr::from(u32::try_from(address).unwrap_or(u32::MAX))
}

/// The public address of an interface that is supposed, for the first free one of its subnet. That nobody else on the internet
/// has it is not claimed.
fn public_address(
    s: &Snapshot,
    supposed: &Snapshot,
    subnet: SubnetId,
    private: Ipv4Addr,
) -> Result<PublicAddress, Rejection> {
    let meta = &s.subnets[subnet].meta;
    if is_split(s, subnet) {
        return Err(Rejection::of(format!("a table of a gateway tells free addresses of {} apart", meta.id)));
    }
    let rows = supposed.interfaces.values().flat_map(|row| &row.public);
    let used: BTreeSet<Ipv4Addr> = rows.map(|row| row.public).collect();
    let candidates =
        (0..=u8::MAX).flat_map(|third| (1..u8::MAX).map(move |last| Ipv4Addr::new(198, 18, third, last)));
    let public = candidates.into_iter().find(|public| !used.contains(public));
    let public = public.ok_or_else(|| Rejection::of("it supposes more public addresses than there are"))?;
    let evidence = AssociationEvidence::Indirect;
    Ok(PublicAddress { public, private, evidence, source: meta.source.clone() })
}

/// R-ROUTE-3, R-ROUTE-14: whether a table of the VPC that a gateway has may lead to a part of a subnet.
fn is_split(s: &Snapshot, subnet: SubnetId) -> bool {
    let record = &s.subnets[subnet];
    let own: Vec<(Family, Interval)> = record.cidrs.iter().map(|block| interval(&block.cidr)).collect();
    let splits = |destination: &Destination| match destination {
        Destination::Cidr(block) => {
            let (family, there) = interval(block);
            let inside = |(of, own): &(Family, Interval)| {
                *of == family && common(*own, there) == Some(there) && *own != there
            };
            own.iter().any(inside)
        }
        _ => true,
    };
    let of_gateway = |target: &AssociationTarget| {
        !matches!(target, AssociationTarget::Main | AssociationTarget::Subnet(_))
    };
    let tables = s.route_tables.values().filter(|table| table.vpc == record.vpc);
    let edges = tables.filter(|table| table.associations.iter().any(|row| of_gateway(&row.target)));
    edges.flat_map(|table| &table.routes).any(|route| splits(&route.destination))
}

/// Which public address a new interface gets is not known, so that nothing but the internet may be at the other end.
fn require_internet_beside_public(s: &Snapshot, claim: &Claim) -> Result<(), Rejection> {
    let count = s.interfaces.len();
    let public = |place: &Place| {
        let position = interface(place).map(EniId::index).and_then(|at| at.checked_sub(count));
        position.and_then(|at| claim.supposed.get(at)).is_some_and(|one| one.public)
    };
    let wrong = claim.directions.iter().any(|direction| {
        let ends = [&direction.sources, &direction.destinations];
        let [from, to] = ends.map(|ends| ends.iter().any(|(place, _)| public(place)));
        let [inside_from, inside_to] =
            ends.map(|ends| ends.iter().any(|(place, _)| *place != Place::Internet));
        from && inside_to || to && inside_from
    });
    if wrong {
        return Err(Rejection::of(
            "it is about a supposed public address and another place than the internet",
        ));
    }
    Ok(())
}
