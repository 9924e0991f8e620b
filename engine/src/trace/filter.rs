//! Security groups and network ACLs, by scanning their rules one by one (sections 5 and 6).

use std::net::IpAddr;

use reachproof_model::flow::{Protocol, World};
use reachproof_model::id::{EniId, GroupId, Ref, SubnetId};
use reachproof_model::snapshot::{AclEntry, Action, GroupPeer, GroupReference, GroupRule};
use reachproof_model::source::Source;
use reachproof_model::traffic::ICMP_ERRORS;

use super::Tracer;
use super::leg::{Notes, Ruling, decision};
use super::packet::{Field, Packet, Tag};
use crate::evidence::Outcome;
use crate::network::{AclChoice, GroupMatch};

/// The direction of a filter, as seen from the interface or subnet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Direction {
    In,
    Out,
}

impl Direction {
    fn name(self) -> &'static str {
        match self {
            Self::In => "ingress",
            Self::Out => "egress",
        }
    }

    /// R-SG-7, R-NACL-3: the address at the other end.
    fn peer(self, packet: &Packet) -> Field<IpAddr> {
        match self {
            Self::In => packet.source,
            Self::Out => packet.destination,
        }
    }
}

fn permit(rule: &'static str, by: String, source: Option<&Source>, notes: Notes) -> Ruling {
    Ruling { permitted: true, decision: decision(rule, Outcome::Permit, by, source), notes }
}

fn deny(rule: &'static str, by: String, source: Option<&Source>, notes: Notes) -> Ruling {
    Ruling { permitted: false, decision: decision(rule, Outcome::Deny, by, source), notes }
}

impl Tracer<'_, '_> {
    /// R-SG-1, R-SG-12: whether the interface's groups let the packet pass. `tag` is whose groups an ingress
    /// reference sees.
    pub(super) fn groups(
        &self,
        interface: EniId,
        direction: Direction,
        packet: &Packet,
        tag: &Tag,
    ) -> Ruling {
        let Some(groups) = self.network.groups(interface) else {
            return permit("R-SG-2", "no security group filters here".to_owned(), None, Notes::default());
        };
        if groups.is_empty() {
            return self
                .unknown_groups(format!("the security groups of {} are not shown", self.name(interface)));
        }
        for group in groups.iter().filter_map(|group| group.known()) {
            if let Some(ruling) = self.group(group, interface, direction, packet, tag) {
                return ruling;
            }
        }
        if let Some(reason) = groups.iter().find_map(|group| self.unread(group, direction)) {
            return self.unknown_groups(reason);
        }
        let names: Vec<&str> = groups.iter().map(|group| self.group_name(group)).collect();
        if direction == Direction::In && self.is_solicited(interface, &groups, packet, tag) {
            let by = format!("{}: may answer what {} sent", names.join(", "), self.name(interface));
            return permit("R-SG-14", by, None, Notes::on(&[29]));
        }
        if direction == Direction::Out && self.is_error(packet) {
            let by =
                format!("{}: may be an error about what {} received", names.join(", "), self.name(interface));
            return permit("R-SG-17", by, None, Notes::default());
        }
        let by = format!("{} {}: no rule matches", names.join(", "), direction.name());
        deny("R-SG-1", by, None, self.pinhole(interface, direction, packet, tag))
    }

    /// R-DATA-3: rules that nobody can read permit or deny everything.
    fn unknown_groups(&self, reason: String) -> Ruling {
        let permitted = self.world == World::Over;
        let decision = decision("R-DATA-3", Outcome::Unknown, reason.clone(), None);
        Ruling { permitted, decision, notes: Notes::because(&[11], reason) }
    }

    /// The first rule of one group that matches.
    fn group(
        &self,
        id: GroupId,
        interface: EniId,
        direction: Direction,
        packet: &Packet,
        tag: &Tag,
    ) -> Option<Ruling> {
        let rules = self.rules(id, direction)?;
        rules.iter().filter(|rule| packet.carries(rule.traffic, self.world)).find_map(|rule| {
            let notes = self.peer(rule, interface, direction, packet, tag)?;
            let name = &self.network.snapshot.groups[id].meta.id;
            let by = format!("{name} {} #{}", direction.name(), rule.index.saturating_add(1));
            Some(permit("R-SG-1", by, Some(&rule.source), notes))
        })
    }

    fn rules(&self, id: GroupId, direction: Direction) -> Option<&[GroupRule]> {
        let group = &self.network.snapshot.groups[id];
        match direction {
            Direction::In => group.ingress.as_deref(),
            Direction::Out => group.egress.as_deref(),
        }
    }

    /// R-SG-7, R-SG-8, R-SG-9: whether the rule's peer is at the other end, and what that rests on.
    fn peer(
        &self,
        rule: &GroupRule,
        interface: EniId,
        direction: Direction,
        packet: &Packet,
        tag: &Tag,
    ) -> Option<Notes> {
        let address = direction.peer(packet);
        match &rule.peer {
            GroupPeer::Cidr(block) => {
                address.passes(self.world, |ip| block.contains(&ip)).then(Notes::default)
            }
            GroupPeer::PrefixList(list) => {
                let (blocks, complete) = self.network.list_blocks(list);
                let held = || address.passes(self.world, |ip| blocks.iter().any(|block| block.contains(&ip)));
                match (complete, self.world) {
                    (true, _) => held().then(Notes::default),
                    (false, World::Over) => Some(Notes::because(&[11], self.unlisted(list))),
                    (false, World::Under) => None,
                }
            }
            GroupPeer::Group(reference) if direction == Direction::In => {
                self.sender(reference, interface, tag)
            }
            GroupPeer::Group(reference) => self.receiver(reference, interface, address),
            GroupPeer::Unknown => (self.world == World::Over)
                .then(|| Notes::because(&[11], "a security group rule names a peer that cannot be read")),
        }
    }

    /// R-SG-9, R-SG-10: an ingress reference matches the identity that the path kept.
    fn sender(&self, reference: &GroupReference, interface: EniId, tag: &Tag) -> Option<Notes> {
        match tag {
            Tag::None => None,
            Tag::Of(sender) => match self.network.reference_matches(reference, *sender, interface) {
                GroupMatch::Yes => Some(Notes::default()),
                GroupMatch::Maybe(assumption) => {
                    (self.world == World::Over).then(|| Notes::on(&[assumption]))
                }
                GroupMatch::No => None,
            },
            Tag::Stranger => self.network.reference_may_match_stranger(reference).then(|| Notes::on(&[10])),
            Tag::Hidden(groups) => (groups.contains(&reference.group)
                && self.network.reference_may_match_stranger(reference))
            .then(Notes::default),
        }
    }

    /// R-SG-9: an egress reference matches private addresses of members.
    fn receiver(
        &self,
        reference: &GroupReference,
        interface: EniId,
        address: Field<IpAddr>,
    ) -> Option<Notes> {
        let members = self.network.referenced_blocks(reference, interface, self.world);
        let matches = match &members.value {
            None => true,
            Some(blocks) => address.passes(self.world, |ip| blocks.iter().any(|block| block.contains(&ip))),
        };
        matches.then(|| Notes { assumptions: members.assumptions, ..Notes::default() })
    }

    /// R-VERDICT-1, R-SG-14, R-SG-17: whether the packet may answer one that the interface's groups let out, whatever its
    /// ports, or be an error about any; asked for in the permissive world only.
    fn is_solicited(&self, interface: EniId, groups: &[&Ref<GroupId>], packet: &Packet, tag: &Tag) -> bool {
        if self.world == World::Under || !self.network.options.including_replies {
            return false;
        }
        let is_error = self.is_error(packet);
        let question = Packet { source: packet.destination, destination: packet.source, ..*packet };
        let fits = |rule: &&GroupRule| is_error || question.carries(rule.traffic.of_any_port(), self.world);
        groups.iter().any(|group| {
            let Some(rules) = group.known().and_then(|id| self.rules(id, Direction::Out)) else {
                return true;
            };
            let mut fitting = rules.iter().filter(fits);
            fitting.any(|rule| self.peer(rule, interface, Direction::Out, &question, tag).is_some())
        })
    }

    /// R-SG-17: whether the packet may be an error about a flow; asked for in the permissive world only.
    fn is_error(&self, packet: &Packet) -> bool {
        let asked = self.world == World::Over && self.network.options.including_replies;
        asked && ICMP_ERRORS.iter().any(|error| packet.carries(*error, self.world))
    }

    /// R-SG-14: a refused packet of another protocol would pass as an answer to the interface's own.
    fn pinhole(&self, interface: EniId, direction: Direction, packet: &Packet, tag: &Tag) -> Notes {
        let stateless = |protocol: Protocol| !protocol.has_ports() && !protocol.is_icmp();
        let other = packet.transport.passes(World::Under, |it| stateless(it.protocol));
        let swapped = Packet { source: packet.destination, destination: packet.source, ..*packet };
        let opens = other
            && direction == Direction::In
            && self.groups(interface, Direction::Out, &swapped, tag).permitted;
        if opens { Notes::on(&[29]) } else { Notes::default() }
    }

    fn unread(&self, group: &Ref<GroupId>, direction: Direction) -> Option<String> {
        let missing = group.known().is_none_or(|id| self.rules(id, direction).is_none());
        let name = self.group_name(group);
        missing
            .then(|| format!("the rules of {name} were not collected; collect: ec2 describe-security-groups"))
    }

    fn unlisted(&self, list: &Ref<reachproof_model::id::PrefixListId>) -> String {
        let name: &str = match list {
            Ref::Known(id) => &self.network.snapshot.prefix_lists[*id].meta.id,
            Ref::Missing(name) => name,
        };
        format!("the entries of {name} are not known; collect: ec2 get-managed-prefix-list-entries")
    }

    fn group_name<'a>(&'a self, group: &'a Ref<GroupId>) -> &'a str {
        match group {
            Ref::Known(id) => &self.network.snapshot.groups[*id].meta.id,
            Ref::Missing(name) => name,
        }
    }

    /// R-NACL-1 … R-NACL-5: whether the list at the subnet's boundary lets the packet pass.
    pub(super) fn acl(&self, subnet: SubnetId, direction: Direction, packet: &Packet) -> Ruling {
        let choice = self.network.acl(subnet, self.world);
        let notes = Notes { assumptions: choice.assumptions, ..Notes::default() };
        let absent = "network ACLs were not collected".to_owned();
        match choice.value {
            AclChoice::Open => permit("R-NACL-15", absent, None, notes),
            AclChoice::Closed => {
                let reason =
                    format!("{absent}; collect: ec2 describe-network-acls (or --assume default-nacl)");
                deny("R-NACL-15", absent, None, Notes::because(&[11], reason))
            }
            AclChoice::List(id) => {
                let list = &self.network.snapshot.acls[id];
                let name = format!("{} {}", list.meta.id, direction.name());
                let mut entries =
                    list.entries.iter().filter(|entry| entry.egress == (direction == Direction::Out));
                match entries.find(|entry| self.decides(entry, direction, packet)) {
                    Some(entry) if self.allows(entry) => {
                        permit("R-NACL-2", format!("{name} {}", entry.number), Some(&entry.source), notes)
                    }
                    Some(entry) => {
                        deny("R-NACL-2", format!("{name} {}", entry.number), Some(&entry.source), notes)
                    }
                    None => deny("R-NACL-2", format!("{name} *"), Some(&list.meta.source), notes),
                }
            }
        }
    }

    /// R-DATA-6: an action that cannot be read permits in the permissive world and denies in the other.
    fn allows(&self, entry: &AclEntry) -> bool {
        match entry.action {
            Action::Allow => true,
            Action::Deny => false,
            Action::Unknown => self.world == World::Over,
        }
    }

    /// R-NACL-3, R-NACL-4: whether the entry matches. An entry that permits is read in this world, one that denies in
    /// the opposite one, so that doubt never permits in the restrictive world nor denies in the permissive one.
    fn decides(&self, entry: &AclEntry, direction: Direction, packet: &Packet) -> bool {
        let reading = if self.allows(entry) { self.world } else { self.world.opposite() };
        let address = match entry.cidr {
            Some(block) => direction.peer(packet).passes(reading, |ip| block.contains(&ip)),
            None => reading == World::Over,
        };
        address && packet.carries(entry.traffic, reading)
    }
}
