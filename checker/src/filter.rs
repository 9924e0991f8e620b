//! Security groups and network ACLs: first match, or any match, over lists of boxes (sections 5 and 6).

use ipnet::IpNet;
use reachproof_model::certificate::{Area, Family, Sender};
use reachproof_model::flow::Protocol;
use reachproof_model::id::{EniId, GroupId, PeeringId, Ref, SubnetId, VpcId};
use reachproof_model::snapshot::{AclEntry, Action, GroupPeer, GroupReference, GroupRule, Interface};
use reachproof_model::traffic::{ICMP_ERRORS, Traffic};

use crate::area::{Interval, common, destined, interval, intervals, meet, minus};
use crate::component::PEERINGS;
use crate::net::{Net, collected_for_owner, subnets_of};
use crate::state::{Role, hides_interfaces, is_vlan, role};

/// Which end of a header a rule's peer is.
#[derive(Clone, Copy)]
enum End {
    Source,
    Destination,
}

impl Net<'_> {
    /// R-NACL-2 … 5: what the list of a subnet lets leave or enter.
    pub(crate) fn pass_acl(
        &self,
        subnet: SubnetId,
        egress: bool,
        areas: Vec<Area>,
        family: Family,
    ) -> Vec<Area> {
        let Some(acl) = self.acl(subnet) else { return areas };
        let mut entries: Vec<&AclEntry> =
            self.s.acls[acl].entries.iter().filter(|entry| entry.egress == egress).collect();
        entries.sort_by_key(|entry| entry.number);
        let (mut rest, mut passed) = (areas, Vec::new());
        for entry in entries {
            let Some(area) = entry_area(entry, family) else { continue };
            self.work.spend(rest.len());
            if entry.action != Action::Deny {
                passed.extend(rest.iter().filter_map(|one| meet(one, &area)));
            }
            rest = rest.iter().flat_map(|one| minus(one, &area)).collect();
        }
        passed
    }

    /// R-NACL-6: into a subnet, by its list unless the packet was in it already.
    pub(crate) fn enter(
        &self,
        subnet: SubnetId,
        from: Option<SubnetId>,
        areas: Vec<Area>,
        family: Family,
    ) -> Vec<Area> {
        if from == Some(subnet) { areas } else { self.pass_acl(subnet, false, areas, family) }
    }

    /// R-SG-1: what an interface's groups let out. With `answers` also the errors that answer what they let in (R-SG-17).
    pub(crate) fn let_out(&self, id: EniId, areas: Vec<Area>, family: Family, answers: bool) -> Vec<Area> {
        let Some(groups) = self.filtering_groups(id) else { return areas };
        let mut passed = Vec::new();
        for group in groups {
            let rules = group.known().and_then(|group| self.s.groups[group].egress.as_ref());
            // R-DATA-3: rules that nobody shows permit.
            let Some(rules) = rules else { return areas };
            for rule in rules {
                let peers = self.egress_peers(rule, id, family);
                self.work.spend(areas.len() * peers.len());
                let there = destined(&areas, &peers);
                passed.extend(there.iter().filter_map(|area| of_traffic(area, rule.traffic)));
            }
        }
        if answers {
            let errors = ICMP_ERRORS.into_iter();
            passed.extend(
                errors.flat_map(|error| areas.iter().filter_map(move |area| of_traffic(area, error))),
            );
        }
        passed
    }

    /// R-SG-1, R-SG-9: whether an interface's groups let in one of the boxes, from a sender of this identity. With `answers`
    /// also what may answer a packet that they let out (R-SG-14).
    pub(crate) fn admits(
        &self,
        id: EniId,
        sender: &Sender,
        areas: &[Area],
        family: Family,
        answers: bool,
    ) -> bool {
        let Some(groups) = self.filtering_groups(id) else { return !areas.is_empty() };
        let admitted = |rule: &GroupRule| self.admits_by(rule, sender, areas, family);
        let answering = |rule: &GroupRule| {
            let peers = self.egress_peers(rule, id, family);
            // R-SG-17: an error may be about whatever they let out.
            let traffic = [rule.traffic.of_any_port()].into_iter().chain(ICMP_ERRORS);
            let mut answers =
                traffic.flat_map(|traffic| areas.iter().filter_map(move |area| of_traffic(area, traffic)));
            answers.any(|area| is_in(area.source, &peers))
        };
        groups.iter().any(|group| {
            let record = group.known().map(|group| &self.s.groups[group]);
            let ingress = record.and_then(|record| record.ingress.as_ref());
            let egress = record.and_then(|record| record.egress.as_ref());
            let open = ingress.is_none() || answers && egress.is_none();
            open && !areas.is_empty()
                || ingress.is_some_and(|rules| rules.iter().any(admitted))
                || answers && egress.is_some_and(|rules| rules.iter().any(answering))
        })
    }

    fn admits_by(&self, rule: &GroupRule, sender: &Sender, areas: &[Area], family: Family) -> bool {
        let peers = match &rule.peer {
            GroupPeer::Group(reference) if is_stale(reference) || !carries(sender, &reference.group) => {
                return false;
            }
            GroupPeer::Group(_) => vec![(0, family.greatest())],
            peer => self.listed_peers(peer, family),
        };
        self.work.spend(areas.len());
        areas.iter().filter_map(|area| of_traffic(area, rule.traffic)).any(|area| is_in(area.source, &peers))
    }

    /// R-SG-2: the groups that filter; `None` where nothing does, by design or for want of data.
    fn filtering_groups(&self, id: EniId) -> Option<&[Ref<GroupId>]> {
        let interface = self.interface(id);
        let groups = interface.groups.as_deref().unwrap_or_default();
        let open = role(interface) == Role::Transit || is_vlan(interface);
        (!open && !groups.is_empty()).then_some(groups)
    }

    /// R-SG-7, R-SG-8: the addresses of a peer that is no group; every address where nobody knows.
    fn listed_peers(&self, peer: &GroupPeer, family: Family) -> Vec<Interval> {
        match peer {
            GroupPeer::Cidr(block) => intervals([block], family),
            GroupPeer::PrefixList(list) => match self.list(list) {
                (known, true) => intervals(known, family),
                (_, false) => vec![(0, family.greatest())],
            },
            GroupPeer::Group(_) | GroupPeer::Unknown => vec![(0, family.greatest())],
        }
    }

    /// R-SG-9: the destinations that a rule of an interface's groups admits: of a group, the addresses of its members.
    fn egress_peers(&self, rule: &GroupRule, id: EniId, family: Family) -> Vec<Interval> {
        let GroupPeer::Group(reference) = &rule.peer else { return self.listed_peers(&rule.peer, family) };
        if is_stale(reference) {
            return Vec::new();
        }
        let Some(group) = reference.group.known() else { return vec![(0, family.greatest())] };
        if self.has_unseen_members(group) {
            return vec![(0, family.greatest())];
        }
        let home = self.interface(id).vpc.known();
        let rows = self.s.interfaces.iter();
        let may_be_one = rows.filter(|(_, row)| {
            self.is_groupless(row) || is_member(row, group) && self.may_refer(group, home, row)
        });
        may_be_one.flat_map(|(member, _)| self.own(member, family)).collect()
    }

    /// R-SG-2, A-11: whether the interface should carry groups and shows none.
    fn is_groupless(&self, row: &Interface) -> bool {
        let open =
            role(row) == Role::Transit || is_vlan(row) || row.kind.as_deref() == Some("networkloadbalancer");
        !open && row.groups.as_ref().is_none_or(Vec::is_empty)
    }

    /// R-SG-9, R-SG-19, A-39: whether references reach from one VPC to a member: in it, in one that uses the group by an
    /// association, or in one that is peered, if only by a connection that nobody shows (R-DATA-10).
    fn may_refer(&self, group: GroupId, home: Option<VpcId>, member: &Interface) -> bool {
        let (Some(left), Some(right)) = (home, member.vpc.known()) else { return true };
        let peered = |id: PeeringId| {
            self.peering_serves(id, left) && self.peering_serves(id, right) && self.same_region(id)
        };
        let collected = |vpc: VpcId| collected_for_owner(self.s, &self.s.vpcs[vpc].meta, PEERINGS);
        left == right
            || self.s.groups[group].vpc.known() != Some(right)
            || !collected(left) && !collected(right)
            || self.s.peerings.ids().any(peered)
    }

    /// R-SG-10, R-PCX-6: sides that do not say their Region may be in the same one.
    pub(crate) fn same_region(&self, id: PeeringId) -> bool {
        let peering = &self.s.peerings[id];
        match (&peering.requester.region, &peering.accepter.region) {
            (Some(left), Some(right)) => left == right,
            _ => true,
        }
    }

    /// R-SG-20: whether interfaces that nobody shows may carry the group.
    fn has_unseen_members(&self, group: GroupId) -> bool {
        let foreign = |subnet| hides_interfaces(self.s, &self.s.subnets[subnet].meta);
        hides_interfaces(self.s, &self.s.groups[group].meta)
            || self.s.interfaces.values().any(|row| is_member(row, group) && subnets_of(row).any(foreign))
    }
}

/// R-SG-9, R-SG-10: whether receivers see the group.
fn carries(sender: &Sender, group: &Ref<GroupId>) -> bool {
    match sender {
        Sender::Nobody => false,
        Sender::Anyone => true,
        Sender::Groups(groups) => groups.contains(group),
    }
}

/// R-SG-19: whether an interface carries a group.
fn is_member(row: &Interface, group: GroupId) -> bool {
    row.groups.as_ref().is_some_and(|groups| groups.contains(&Ref::Known(group)))
}

/// R-SG-18.
fn is_stale(reference: &GroupReference) -> bool {
    matches!(reference.peering_status.as_deref(), Some("deleted" | "rejected" | "failed" | "expired"))
}

fn is_in(one: Interval, intervals: &[Interval]) -> bool {
    intervals.iter().any(|other| common(one, *other).is_some())
}

/// R-NACL-3, R-DATA-6: the headers that an entry decides; what cannot be read denies nothing.
fn entry_area(entry: &AclEntry, family: Family) -> Option<Area> {
    let area = match (&entry.cidr, entry.action) {
        (Some(block), _) => {
            of_block(block, family, if entry.egress { End::Destination } else { End::Source })?
        }
        (None, Action::Deny) => return None,
        (None, _) => Area::full(family),
    };
    match (entry.traffic, entry.action) {
        (Traffic::Refused(_) | Traffic::Unknown, Action::Deny) => None,
        (traffic, _) => of_traffic(&area, traffic),
    }
}

fn of_block(block: &IpNet, family: Family, end: End) -> Option<Area> {
    let (own, interval) = interval(block);
    let area = Area::full(family);
    (own == family).then_some(match end {
        End::Source => Area { source: interval, ..area },
        End::Destination => Area { destination: interval, ..area },
    })
}

/// R-SG-4 … 6, R-NACL-4: the part of a box that the traffic of a permitting rule matches.
pub(crate) fn of_traffic(area: &Area, traffic: Traffic) -> Option<Area> {
    let of = |Protocol(number): Protocol| {
        Some(Area { protocol: common(area.protocol, (number, number))?, ..*area })
    };
    match traffic {
        Traffic::All | Traffic::Unknown => Some(*area),
        Traffic::Protocol(protocol) | Traffic::Refused(protocol) => of(protocol),
        Traffic::Ports { protocol, from, to } => {
            let port = common(area.port, (from, to))?;
            Some(Area { port, ..of(protocol)? })
        }
        Traffic::Icmp { protocol, kind, code } => {
            let one = |value: Option<u8>| value.map_or((0, u16::MAX), |value| (value.into(), value.into()));
            let (port, source_port) = (common(area.port, one(kind))?, common(area.source_port, one(code))?);
            Some(Area { port, source_port, ..of(protocol)? })
        }
    }
}

/// R-SG-10: the identity of an interface, as far as its groups are shown.
pub(crate) fn identity(net: &Net<'_>, id: EniId) -> Sender {
    let Some(groups) = &net.interface(id).groups else { return Sender::Anyone };
    let mut groups = groups.clone();
    groups.sort();
    groups.dedup();
    Sender::Groups(groups)
}

/// R-TGW-12: the same for the ends of a policy entry.
pub(crate) fn between(sources: Option<&IpNet>, destinations: Option<&IpNet>, family: Family) -> Option<Area> {
    let full = Some(Area::full(family));
    let source = sources.map_or(full, |block| of_block(block, family, End::Source))?;
    let destination = destinations.map_or(full, |block| of_block(block, family, End::Destination))?;
    meet(&source, &destination)
}
