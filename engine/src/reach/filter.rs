//! Filters as sets of sent headers: security groups and network ACLs compiled under a view.

use ipnet::IpNet;
use reachproof_model::flow::World;
use reachproof_model::id::{AclId, EniId, GroupId, Id, Ref, SubnetId, VpcId};
use reachproof_model::snapshot::{AclEntry, Action, GroupPeer, GroupReference, GroupRule};
use reachproof_model::traffic::{ICMP_ERRORS, Traffic};

use super::explore::Explorer;
use super::index::CrowdId;
use super::read::Read;
use super::state::Tag;
use super::view::{Address, Intervals, Port, View};
use crate::header::{Family, HeaderBox, Set};
use crate::network::AclChoice;

/// What a compiled filter depends on, besides the explorer's world and family.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum FilterKey {
    Acl {
        acl: AclId,
        egress: bool,
    },
    Ingress {
        groups: u32,
        vpc: u32,
        tag: Tag,
    },
    Egress {
        groups: u32,
        vpc: u32,
    },
    Crowd(CrowdId),
    /// Sources of a VPC.
    SentFrom(VpcId),
    /// Public IPv6 sources that may leave a VPC.
    SentOut {
        vpc: VpcId,
        from: Option<SubnetId>,
        egress_only: bool,
    },
    /// Destinations on the internet that are ours.
    Ours,
}

/// Which rules of a group are read, and how.
#[derive(Clone, Copy)]
struct Scan {
    egress: bool,
    /// Where the rule's peer stands in the packet.
    address: Address,
    /// Whether what may answer is meant, instead of what the rule is about.
    answers: bool,
}

impl Scan {
    /// R-SG-14, R-SG-17: a rule's own traffic, or that of answers to it.
    fn traffic(self, traffic: Traffic) -> Vec<Traffic> {
        match self.answers {
            true => [traffic.of_any_port()].into_iter().chain(ICMP_ERRORS).collect(),
            false => vec![traffic],
        }
    }
}

/// The part of a view that a filter reads.
pub(super) type FilterView = (Address, Port, Family, bool);

impl Explorer<'_, '_, '_> {
    /// As [`Self::among`], for addresses that are found once and remembered.
    pub(super) fn among_remembered(
        &mut self,
        key: FilterKey,
        view: &View,
        address: Address,
        intervals: impl FnOnce(&Self) -> Intervals,
    ) -> Set {
        let key = (self.world, key, filter_view(view, address));
        if let Some(set) = self.filters.get(&key) {
            return *set;
        }
        let intervals = intervals(self);
        let set = self.among(view, address, &intervals);
        self.filters.insert(key, set);
        set
    }

    /// R-NACL-2 … 5: the headers that a subnet's ACL lets leave.
    pub(super) fn acl_out(&mut self, subnet: SubnetId, view: &View) -> Set {
        self.acl(subnet, true, view)
    }

    /// R-NACL-2 … 5: the headers that a subnet's ACL lets enter.
    pub(super) fn acl_in(&mut self, subnet: SubnetId, view: &View) -> Set {
        self.acl(subnet, false, view)
    }

    fn acl(&mut self, subnet: SubnetId, egress: bool, view: &View) -> Set {
        let acl = match self.network().acl(subnet, self.world).value {
            AclChoice::Open => return Set::FULL,
            AclChoice::Closed => return Set::EMPTY,
            AclChoice::List(acl) => acl,
        };
        self.reads.note(Read::Acl(acl));
        let address = if egress { view.destination } else { view.source };
        let key = (self.world, FilterKey::Acl { acl, egress }, filter_view(view, address));
        if let Some(set) = self.filters.get(&key) {
            return *set;
        }
        let rules = self.acl_rules(acl, egress, view, address);
        let set = self.arena.first_match(&rules, false);
        self.filters.insert(key, set);
        set
    }

    /// R-NACL-2: entries ascending; the implicit deny is the default of the match.
    fn acl_rules(&self, acl: AclId, egress: bool, view: &View, address: Address) -> Vec<(HeaderBox, bool)> {
        let entries = self.network().snapshot.acls[acl].entries.iter().filter(|entry| entry.egress == egress);
        let mut ordered: Vec<&AclEntry> = entries.collect();
        ordered.sort_by_key(|entry| entry.number);
        ordered.into_iter().flat_map(|entry| self.acl_entry(entry, view, address)).collect()
    }

    /// R-NACL-3, R-NACL-4, R-DATA-6: what cannot be read permits in the permissive world and denies in the other.
    fn acl_entry(&self, entry: &AclEntry, view: &View, address: Address) -> Vec<(HeaderBox, bool)> {
        let allows = match entry.action {
            Action::Allow => true,
            Action::Deny => false,
            Action::Unknown => self.world == World::Over,
        };
        let reading = if allows { self.world } else { self.world.opposite() };
        let area = match &entry.cidr {
            Some(block) => view.in_block(self.all(), address, block),
            None => (reading == World::Over).then(|| self.all()),
        };
        let Some(area) = area else { return Vec::new() };
        view.traffic(area, entry.traffic, reading).into_iter().map(|part| (part, allows)).collect()
    }

    /// R-SG-1, R-SG-9: the headers that an interface's groups let in, from a sender of this identity.
    pub(super) fn group_in(&mut self, interface: EniId, tag: Tag, view: &View) -> Set {
        if self.open.is_some() {
            return Set::FULL;
        }
        if let Some(set) = self.unfiltered(interface) {
            return set;
        }
        let (groups, vpc) = (self.index.group_set(interface), self.vpc_number(interface));
        let key = (self.world, FilterKey::Ingress { groups, vpc, tag }, filter_view(view, view.source));
        if let Some(set) = self.filters.get(&key) {
            return *set;
        }
        let scan = Scan { egress: false, address: view.source, answers: false };
        let mut boxes = self.group_boxes(interface, view, scan, |explorer, reference| {
            explorer.referenced_in(reference, interface, tag, view)
        });
        if self.world == World::Over && self.network().options.including_replies {
            boxes.extend(self.solicited(interface, view));
        }
        let set = self.arena.any_of(&boxes);
        self.filters.insert(key, set);
        set
    }

    /// R-VERDICT-1, R-SG-14, R-SG-17: what may answer packets that the interface's groups let out, errors included. Which
    /// ports it has is a matter of the packet that it answers.
    fn solicited(&self, interface: EniId, view: &View) -> Vec<HeaderBox> {
        let scan = Scan { egress: true, address: view.source, answers: true };
        self.group_boxes(interface, view, scan, |explorer, reference| {
            explorer.referenced_out(reference, interface, view, view.source)
        })
    }

    /// R-SG-1: what the groups of each member of a crowd let out of what comes from its own addresses.
    pub(super) fn crowd_out(&mut self, crowd: CrowdId, view: &View) -> Set {
        let index = self.index;
        let key = (self.world, FilterKey::Crowd(crowd), filter_view(view, view.destination));
        if let Some(set) = self.filters.get(&key) {
            return *set;
        }
        let mut out = Set::EMPTY;
        for band in &index.crowd(crowd).bands {
            let Some(member) = band.members.first() else { continue };
            let let_out = self.group_out(*member, view);
            let own = self.among(view, view.source, band.addresses(view.family));
            let own = self.arena.intersection(let_out, own);
            out = self.arena.union(out, own);
        }
        self.filters.insert(key, out);
        out
    }

    /// R-SG-1, R-SG-9: the headers that an interface's groups let out.
    pub(super) fn group_out(&mut self, interface: EniId, view: &View) -> Set {
        if self.open.is_some() {
            return Set::FULL;
        }
        if let Some(set) = self.unfiltered(interface) {
            return set;
        }
        let (groups, vpc) = (self.index.group_set(interface), self.vpc_number(interface));
        let key = (self.world, FilterKey::Egress { groups, vpc }, filter_view(view, view.destination));
        if let Some(set) = self.filters.get(&key) {
            return *set;
        }
        let scan = Scan { egress: true, address: view.destination, answers: false };
        let mut boxes = self.group_boxes(interface, view, scan, |explorer, reference| {
            explorer.referenced_out(reference, interface, view, view.destination)
        });
        if self.world == World::Over && self.network().options.including_replies {
            // R-SG-17: what answers a packet that was let in needs no rule on its way out.
            boxes.extend(ICMP_ERRORS.iter().flat_map(|error| view.traffic(self.all(), *error, self.world)));
        }
        let set = self.arena.any_of(&boxes);
        self.filters.insert(key, set);
        set
    }

    /// R-SG-2: interfaces without groups by design are open; with groups missing, open in the permissive world only.
    fn unfiltered(&self, interface: EniId) -> Option<Set> {
        match self.network().groups(interface) {
            None => Some(Set::FULL),
            Some(groups) if groups.is_empty() => Some(self.permissively()),
            Some(_) => None,
        }
    }

    fn group_boxes(
        &self,
        interface: EniId,
        view: &View,
        scan: Scan,
        referenced: impl Fn(&Self, &GroupReference) -> Vec<HeaderBox>,
    ) -> Vec<HeaderBox> {
        let mut boxes = Vec::new();
        for group in self.network().groups(interface).unwrap_or_default() {
            match self.rules_of(group, scan.egress) {
                Some(rules) => {
                    for rule in rules {
                        let areas = self.peer(&rule.peer, view, scan.address, &referenced);
                        for traffic in scan.traffic(rule.traffic) {
                            let areas = areas.iter();
                            boxes.extend(areas.flat_map(|area| view.traffic(*area, traffic, self.world)));
                        }
                    }
                }
                None if self.world == World::Over => boxes.push(self.all()),
                None => {}
            }
        }
        boxes
    }

    /// The rules of a group; `None` if the snapshot does not show them (R-DATA-3).
    fn rules_of(&self, group: &Ref<GroupId>, egress: bool) -> Option<&[GroupRule]> {
        let record = &self.network().snapshot.groups[group.known()?];
        if egress { record.egress.as_deref() } else { record.ingress.as_deref() }
    }

    /// R-SG-7, R-SG-8, R-SG-9: where the other end of a rule is.
    fn peer(
        &self,
        peer: &GroupPeer,
        view: &View,
        address: Address,
        referenced: &impl Fn(&Self, &GroupReference) -> Vec<HeaderBox>,
    ) -> Vec<HeaderBox> {
        match peer {
            GroupPeer::Cidr(block) => self.blocks(std::slice::from_ref(block), view, address),
            GroupPeer::PrefixList(list) => match self.network().list_blocks(list) {
                (blocks, true) => self.blocks(blocks, view, address),
                (_, false) => self.anyone(),
            },
            GroupPeer::Group(reference) => referenced(self, reference),
            GroupPeer::Unknown => self.anyone(),
        }
    }

    fn blocks(&self, blocks: &[IpNet], view: &View, address: Address) -> Vec<HeaderBox> {
        blocks.iter().filter_map(|block| view.in_block(self.all(), address, block)).collect()
    }

    fn anyone(&self) -> Vec<HeaderBox> {
        if self.world == World::Over { vec![self.all()] } else { Vec::new() }
    }

    /// R-SG-9, R-SG-10: an ingress reference asks who the sender is, not what its address is.
    fn referenced_in(
        &self,
        reference: &GroupReference,
        receiver: EniId,
        tag: Tag,
        view: &View,
    ) -> Vec<HeaderBox> {
        let by = |sender| self.network().reference_matches(reference, sender, receiver).holds(self.world);
        let matches = match tag {
            Tag::None => false,
            Tag::Of(sender) => by(sender),
            Tag::Among(crowd) => return self.sent_by(crowd, view, by),
            Tag::Stranger => {
                self.world == World::Over && self.network().reference_may_match_stranger(reference)
            }
            Tag::Hidden(component, exit) => self.hidden_groups(component, exit).contains(&reference.group),
        };
        if matches { vec![self.all()] } else { Vec::new() }
    }

    /// The headers of those members of a crowd that a reference matches.
    fn sent_by(&self, crowd: CrowdId, view: &View, matches: impl Fn(EniId) -> bool) -> Vec<HeaderBox> {
        let matched = self.index.crowd(crowd).bands.iter();
        let matched = matched.filter(|band| band.members.first().is_some_and(|member| matches(*member)));
        let addresses = matched.flat_map(|band| band.addresses(view.family));
        addresses.filter_map(|(lo, hi)| view.narrow(self.all(), view.source, *lo, *hi)).collect()
    }

    /// R-SG-9: an egress reference asks for the address of a member.
    fn referenced_out(
        &self,
        reference: &GroupReference,
        sender: EniId,
        view: &View,
        address: Address,
    ) -> Vec<HeaderBox> {
        match self.network().referenced_blocks(reference, sender, self.world).value {
            Some(blocks) => self.blocks(&blocks, view, address),
            None => vec![self.all()],
        }
    }

    fn vpc_number(&self, interface: EniId) -> u32 {
        let vpc = self.network().interface(interface).vpc.known();
        vpc.and_then(|vpc| u32::try_from(vpc.index()).ok()).unwrap_or(u32::MAX)
    }
}

fn filter_view(view: &View, address: Address) -> FilterView {
    (address, view.port, view.family, view.reply)
}
