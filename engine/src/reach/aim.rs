//! What a search is for: some interfaces, and the components that may lead on to them. From it follows which packets of
//! which senders cannot matter, so that they need not be followed.
//!
//! A packet gets to an interface only if it was sent to one of that interface's addresses, or to one that is translated
//! into such a one: a public one (R-IGW-4), or one with an IPv4 address inside (R-NAT-8). And what was sent to an address
//! of an interface comes in only if a group lets in its source, or its sender by the group's name (R-SG-1, R-SG-9); the
//! source is the one that was sent unless a NAT gateway on the way replaced it.
//!
//! INVARIANT (aims lose nothing): what an exploration with an aim leaves out arrives at none of the interfaces aimed at
//! and enters none of the components. `tests/search.rs` compares answers with and without.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use reachproof_model::flow::World;
use reachproof_model::id::{ComponentId, EniId, GroupId, Id, Ref, VpcId};
use reachproof_model::snapshot::{ComponentKind, Entry, Exit, GroupPeer, GroupRule};

use super::class::merged;
use super::ground::{Passage, overlap};
use super::view::{Intervals, block_family, intervals_of, number};
use super::{Reach, Receivers, ReceiversId, SourceClass};
use crate::header::Family;
use crate::network::{Network, SourcePlace, SpecialBlock, host, owned_blocks};

/// Gaps kept between the addresses of a VPC that are aimed at.
const GAPS: usize = 15;

/// What a search is for.
#[derive(Clone, Debug)]
pub struct Aim {
    /// Whether an interface is aimed at, itself or what is behind it.
    interfaces: Vec<bool>,
    /// Whether any of a class of receivers is.
    receivers: Vec<bool>,
    components: BTreeSet<ComponentId>,
    /// Whether packets may matter whatever their destination is: they may enter one of the components, or leave.
    open: bool,
    rows: Vec<Row>,
    /// Public addresses that may stand for one that is aimed at.
    translated: Intervals,
}

/// The interfaces of a VPC that are aimed at.
#[derive(Clone, Debug)]
struct Row {
    vpc: VpcId,
    /// Their addresses, and some between.
    addresses: [Intervals; 2],
    admitted: Admitted,
}

/// Whom groups let in.
#[derive(Clone, Debug, Default)]
struct Admitted {
    /// Anyone, or nobody can say whom.
    anyone: bool,
    sources: [Intervals; 2],
    groups: BTreeSet<Ref<GroupId>>,
}

impl Aim {
    /// At some interfaces, at some components, and, if `elsewhere`, at all else than interfaces; `None` if nothing follows
    /// from it.
    pub(crate) fn at(
        reach: &Reach<'_, '_>,
        wanted: impl IntoIterator<Item = EniId>,
        components: BTreeSet<ComponentId>,
        elsewhere: bool,
    ) -> Option<Self> {
        let network = reach.network();
        let ground = reach.ground();
        if ground.opaque {
            return None;
        }
        let mut interfaces = vec![false; network.snapshot.interfaces.len()];
        let (doors, open) = doors(network, &components);
        for id in wanted.into_iter().chain(doors) {
            network.interface(id).vpc.known()?;
            *interfaces.get_mut(id.index())? = true;
        }
        let aimed = |receivers: &Receivers| {
            receivers.members.iter().any(|id| interfaces.get(id.index()).is_some_and(|aimed| *aimed))
        };
        let receivers = reach.receivers().map(aimed).collect();
        let (open, rows, translated) = (elsewhere || open, Vec::new(), Vec::new());
        let mut aim = Self { interfaces, receivers, components, open, rows, translated };
        aim.rows = aim.rows(reach);
        aim.rows.iter_mut().for_each(|row| row.count_nats(network, &ground.passages));
        aim.translated = aim.translated(network, &ground.strays);
        Some(aim)
    }

    /// Whether what an interface receives matters.
    pub(super) fn is_at(&self, interface: EniId) -> bool {
        self.interfaces.get(interface.index()).is_none_or(|aimed| *aimed)
    }

    /// Whether what any of a class receives matters.
    pub(super) fn is_at_any(&self, receivers: ReceiversId) -> bool {
        self.receivers.get(receivers.position()).is_none_or(|aimed| *aimed)
    }

    /// Whether what enters a component matters.
    pub(crate) fn is_at_component(&self, component: ComponentId) -> bool {
        self.components.contains(&component)
    }

    /// Whether what is sent to a public IPv4 address matters.
    pub(super) fn is_at_public(&self, address: u128) -> bool {
        overlap(&[(address, address)], &self.translated)
    }

    /// Whether what is sent to any of some public IPv4 addresses, sorted and disjoint, matters.
    pub(super) fn is_at_some_public(&self, addresses: &Intervals) -> bool {
        overlap(addresses, &self.translated)
    }

    /// Whether an interface of a VPC is aimed at.
    pub(super) fn is_at_vpc(&self, vpc: VpcId) -> bool {
        self.rows.binary_search_by_key(&vpc, |row| row.vpc).is_ok()
    }

    /// Whether what is sent to some IPv6 addresses in a VPC matters.
    pub(super) fn is_at_address(&self, vpc: VpcId, own: &[(u128, u128)]) -> bool {
        let row = self.rows.binary_search_by_key(&vpc, |row| row.vpc).ok().and_then(|at| self.rows.get(at));
        row.is_some_and(|row| overlap(own, &row.addresses[position(Family::V6)]))
    }

    /// The destinations to which packets of a class may matter.
    pub(crate) fn destinations(
        &self,
        network: &Network<'_>,
        class: &SourceClass,
        family: Family,
    ) -> Intervals {
        if self.open {
            return vec![(0, family.greatest_address())];
        }
        let mut found: Intervals = Vec::new();
        for row in self.rows_for(network, class) {
            found.extend(&row.addresses[position(family)]);
            // Neighbours are reached at addresses that nothing shows, too (R-ADDR-15).
            if family == Family::V6 {
                found.extend(intervals_of(&SpecialBlock::LinkLocalV6.blocks(), family));
            }
        }
        match family {
            Family::V4 => found.extend(&self.translated),
            Family::V6 if self.rows.is_empty() => {}
            Family::V6 => found.extend(intervals_of(&SpecialBlock::Nat64.blocks(), family)),
        }
        merged(found)
    }

    /// The VPCs in which packets of a class may get in as they were sent.
    pub(super) fn vpcs(&self, network: &Network<'_>, class: &SourceClass) -> BTreeSet<VpcId> {
        self.rows_for(network, class).map(|row| row.vpc).collect()
    }

    /// The rows that may let in packets of a class, or to which a NAT gateway may lead them; those of its own VPC anyway.
    fn rows_for(&self, network: &Network<'_>, class: &SourceClass) -> impl Iterator<Item = &Row> {
        let senders = match class.place {
            SourcePlace::Interface(_) => Some(Senders::of(network, &class.members)),
            SourcePlace::Component(id) if class.components.is_empty() => {
                Some(Senders::behind(network, &[id]))
            }
            SourcePlace::Component(_) => Some(Senders::behind(network, &class.components)),
            _ => None,
        };
        let home = match class.place {
            SourcePlace::Interface(first) => network.interface(first).vpc.known(),
            _ => None,
        };
        self.rows.iter().filter(move |row| {
            let let_in = senders.as_ref().is_none_or(|senders| senders.may_be_let_in(&row.admitted));
            let_in || Some(row.vpc) == home
        })
    }

    fn rows(&self, reach: &Reach<'_, '_>) -> Vec<Row> {
        let network = reach.network();
        let mut rows: BTreeMap<VpcId, Row> = BTreeMap::new();
        let mut admitted: BTreeSet<(VpcId, u32)> = BTreeSet::new();
        for (id, interface) in network.snapshot.interfaces.iter() {
            let Some(vpc) = interface.vpc.known().filter(|_| self.is_at(id)) else { continue };
            let row = rows.entry(vpc).or_insert_with(|| Row::of(vpc));
            let blocks = owned_blocks(interface);
            for (family, addresses) in [Family::V4, Family::V6].into_iter().zip(&mut row.addresses) {
                addresses.extend(intervals_of(&blocks, family));
            }
            if admitted.insert((vpc, reach.group_set(id))) {
                row.admitted.add(network, id);
            }
        }
        rows.into_values().map(Row::tidy).collect()
    }

    /// R-IGW-4: whatever interface they are shown at, public addresses may stand for a private one that is aimed at, or for
    /// one that no interface shows (R-DATA-5).
    fn translated(&self, network: &Network<'_>, strays: &Intervals) -> Intervals {
        let own = merged(self.rows.iter().flat_map(|row| &row.addresses[0]).copied().collect());
        let meant = network.associations(World::Over).filter(|row| {
            self.is_at(row.interface) || overlap(&own, &intervals_of(&[host(row.private.into())], Family::V4))
        });
        let meant = meant.map(|row| number(row.public.into())).map(|address| (address, address));
        merged(meant.chain(strays.iter().copied()).collect())
    }
}

impl Row {
    fn of(vpc: VpcId) -> Self {
        Self { vpc, addresses: Default::default(), admitted: Admitted::default() }
    }

    fn tidy(mut self) -> Self {
        self.addresses = self.addresses.map(|own| coarse(merged(own)));
        self.admitted.sources = self.admitted.sources.map(merged);
        self
    }

    /// R-NAT-2, R-NAT-4: where a table leads what is for these interfaces to a NAT gateway that they let in, anyone whom it
    /// serves may get in.
    fn count_nats(&mut self, network: &Network<'_>, passages: &[Passage]) {
        let [v4, _] = &self.addresses;
        let [sources, _] = &self.admitted.sources;
        let leading = passages.iter().filter(|passage| passage.leads_to(self.vpc, v4));
        let mut addresses: Intervals = Vec::new();
        for source in leading.flat_map(|passage| network.nat_sources(passage.nat, World::Over)) {
            let both = source.private.into_iter().chain(source.public);
            addresses.extend(both.map(|ip| number(ip.into())).map(|address| (address, address)));
        }
        self.admitted.anyone |= overlap(sources, &merged(addresses));
    }
}

impl Admitted {
    fn add(&mut self, network: &Network<'_>, receiver: EniId) {
        let Some(groups) = network.groups(receiver).filter(|groups| !groups.is_empty()) else {
            self.anyone = true;
            return;
        };
        for group in groups {
            let rules = group.known().and_then(|group| network.snapshot.groups[group].ingress.as_ref());
            match rules {
                Some(rules) => rules.iter().for_each(|rule| self.add_rule(network, rule)),
                None => self.anyone = true,
            }
        }
    }

    fn add_rule(&mut self, network: &Network<'_>, rule: &GroupRule) {
        match &rule.peer {
            GroupPeer::Cidr(block) => self.add_blocks(std::slice::from_ref(block)),
            GroupPeer::PrefixList(list) => match network.list_blocks(list) {
                (blocks, true) => self.add_blocks(blocks),
                (_, false) => self.anyone = true,
            },
            GroupPeer::Group(reference) => {
                self.groups.insert(reference.group.clone());
            }
            GroupPeer::Unknown => self.anyone = true,
        }
    }

    fn add_blocks(&mut self, blocks: &[IpNet]) {
        for block in blocks {
            let family = block_family(block);
            self.sources[position(family)].extend(intervals_of(std::slice::from_ref(block), family));
        }
    }
}

/// What groups of receivers ask about the members of a class.
struct Senders<'n> {
    addresses: [Intervals; 2],
    /// `None` if the snapshot does not show all of them.
    groups: Option<BTreeSet<&'n Ref<GroupId>>>,
}

impl<'n> Senders<'n> {
    fn of(network: &'n Network<'_>, members: &[EniId]) -> Self {
        let blocks: Vec<IpNet> = members.iter().flat_map(|id| network.sent_blocks(*id)).collect();
        Self {
            addresses: [Family::V4, Family::V6].map(|family| merged(intervals_of(&blocks, family))),
            groups: carried(network, members.iter().copied()),
        }
    }

    /// what comes out of components has any source, and the groups of the interface that it comes out of at most.
    fn behind(network: &'n Network<'_>, components: &[ComponentId]) -> Self {
        let addresses = [Family::V4, Family::V6].map(|family| vec![(0, family.greatest_address())]);
        let (mut interfaces, mut anyone) = (Vec::new(), false);
        for component in components {
            anyone |= network.may_keep_identity(*component);
            for exit in &network.components()[*component].exits {
                match exit {
                    Exit::Interface { interface, .. } => interfaces.push(*interface),
                    Exit::HiddenInterface { .. } => anyone = true,
                    _ => {}
                }
            }
        }
        let groups = carried(network, interfaces).filter(|_| !anyone);
        Self { addresses, groups }
    }

    fn may_be_let_in(&self, admitted: &Admitted) -> bool {
        let by_address =
            || self.addresses.iter().zip(&admitted.sources).any(|(own, admitted)| overlap(own, admitted));
        let by_group = || match &self.groups {
            Some(groups) => groups.iter().any(|group| admitted.groups.contains(*group)),
            None => !admitted.groups.is_empty(),
        };
        admitted.anyone || by_address() || by_group()
    }
}

/// The groups that some interfaces carry; `None` if the snapshot does not show all of them.
fn carried<'n>(
    network: &'n Network<'_>,
    interfaces: impl IntoIterator<Item = EniId>,
) -> Option<BTreeSet<&'n Ref<GroupId>>> {
    let groups = interfaces.into_iter().map(|id| network.interface(id).groups.as_ref());
    Some(groups.collect::<Option<Vec<_>>>()?.into_iter().flatten().collect())
}

/// The interfaces by which components are entered, and whether some are entered in another way, too, or by an interface
/// that takes in packets for others.
fn doors(network: &Network<'_>, components: &BTreeSet<ComponentId>) -> (Vec<EniId>, bool) {
    let (mut interfaces, mut open) = (Vec::new(), false);
    for component in components.iter().map(|id| &network.components()[*id]) {
        open |= component.kind == ComponentKind::Lattice;
        for entry in &component.entries {
            match entry {
                Entry::Interface(id) => {
                    open |= !network.checks_addresses(*id).value;
                    interfaces.push(*id);
                }
                _ => open = true,
            }
        }
    }
    (interfaces, open)
}

fn position(family: Family) -> usize {
    usize::from(family == Family::V6)
}

/// Intervals that hold all of some sorted, disjoint ones, and what lies in all gaps but the largest.
fn coarse(intervals: Intervals) -> Intervals {
    let gap = |pair: &[(u128, u128)]| match pair {
        [(_, end), (start, _)] => start.saturating_sub(*end),
        _ => 0,
    };
    let mut gaps: Vec<u128> = intervals.windows(2).map(gap).collect();
    gaps.sort_unstable_by(|left, right| right.cmp(left));
    let least = gaps.get(GAPS).copied().unwrap_or(0);
    let mut found: Intervals = Vec::new();
    for (lo, hi) in intervals {
        match found.last_mut() {
            Some((_, end)) if lo.saturating_sub(*end) <= least => *end = hi,
            _ => found.push((lo, hi)),
        }
    }
    found
}
