//! Group references: who is a member, and whether the path keeps the sender's identity (R-SG-9, R-SG-10).

use ipnet::IpNet;
use reachproof_model::assumption::Assumptions;
use reachproof_model::flow::World;
use reachproof_model::id::{AttachmentId, EniId, GroupId, PeeringId, Ref, TgwId, VpcId};
use reachproof_model::snapshot::GroupReference;

use super::missing::collected_for_owner;
use super::neighbour::PEERINGS;
use super::owner::owned_blocks;
use super::{Assumed, Network};

/// A passage that may keep or clear the sender's identity (R-SG-10).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Crossing {
    /// A peering connection.
    Peering(PeeringId),
    /// A transit gateway, in by one attachment and out by another.
    Transit(TgwId, AttachmentId, AttachmentId),
}

/// How a reference matches a sender.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GroupMatch {
    /// The sender carries the group.
    Yes,
    /// It may: an assumption decides.
    Maybe(u8),
    /// It does not.
    No,
}

impl GroupMatch {
    /// Whether this counts as a match in a world.
    pub fn holds(self, world: World) -> bool {
        self == Self::Yes || world == World::Over && self != Self::No
    }
}

impl Network<'_> {
    /// R-SG-10: whether the sender's groups are still known after the crossing, for *ingress* rules.
    pub fn keeps_identity(&self, crossing: Crossing, world: World) -> bool {
        match crossing {
            Crossing::Peering(id) => self.same_region(id, world),
            Crossing::Transit(tgw, from, to) => {
                self.snapshot.transit_gateways[tgw].group_referencing.unwrap_or(false)
                    && self.attachment_references(from, world)
                    && self.attachment_references(to, world)
            }
        }
    }

    /// R-SG-10: whether what enters a transit gateway by an attachment may keep the sender's identity.
    pub fn may_keep_identity_from(&self, by: AttachmentId, world: World) -> bool {
        let refers = |tgw: TgwId| self.snapshot.transit_gateways[tgw].group_referencing.unwrap_or(false);
        self.attachment(by).tgw.known().is_some_and(refers) && self.attachment_references(by, world)
    }

    /// R-SG-10: VPC attachments refer to groups by default (R-DATA-12), unless in the zone that cannot. One whose options
    /// were not collected may (R-DATA-10).
    pub fn attachment_references(&self, id: AttachmentId, world: World) -> bool {
        let attachment = self.attachment(id);
        let option = match &attachment.vpc {
            Some(options) => options.group_referencing.unwrap_or(true),
            None => world == World::Over && &*attachment.kind == "vpc",
        };
        option && !self.is_in_excluded_zone(id, world)
    }

    /// R-SG-10: an attachment that has that zone among others is not said to be one in it, nor not to be.
    fn is_in_excluded_zone(&self, id: AttachmentId, world: World) -> bool {
        let subnets = self.attachment_subnets(id).unwrap_or_default();
        let mut excluded = subnets.iter().map(|subnet| self.zone_id(*subnet) == Some("use1-az3"));
        match world {
            World::Over => !subnets.is_empty() && excluded.all(|it| it),
            World::Under => excluded.any(|it| it),
        }
    }

    /// R-PCX-6: whether both sides are in one Region; sides that do not say so are so in the permissive world.
    pub fn same_region(&self, id: PeeringId, world: World) -> bool {
        let peering = &self.snapshot.peerings[id];
        match (&peering.requester.region, &peering.accepter.region) {
            (Some(left), Some(right)) => left == right,
            _ => world == World::Over || self.sides_share_a_scope(id),
        }
    }

    fn sides_share_a_scope(&self, id: PeeringId) -> bool {
        let peering = &self.snapshot.peerings[id];
        let region =
            |vpc: &Ref<VpcId>| vpc.known().map(|vpc| &self.snapshot.scopes[self.vpc(vpc).meta.scope].region);
        let left = region(&peering.requester.vpc);
        left.is_some() && left == region(&peering.accepter.vpc)
    }

    /// R-SG-9, R-SG-18, R-SG-19: whether an ingress reference matches a sender whose identity the path kept.
    pub fn reference_matches(
        &self,
        reference: &GroupReference,
        sender: EniId,
        receiver: EniId,
    ) -> GroupMatch {
        if is_stale(reference) {
            return GroupMatch::No;
        }
        let interface = self.interface(sender);
        let Some(groups) = &interface.groups else { return GroupMatch::Maybe(11) };
        if !groups.contains(&reference.group) {
            return GroupMatch::No;
        }
        let across = self.interface(receiver).vpc != interface.vpc;
        let borrowed =
            reference.group.known().is_some_and(|group| self.snapshot.groups[group].vpc != interface.vpc);
        if across && borrowed { GroupMatch::Maybe(39) } else { GroupMatch::Yes }
    }

    /// R-SG-18, A-10: whether a reference may match a sender outside the snapshot whose identity the path kept.
    pub fn reference_may_match_stranger(&self, reference: &GroupReference) -> bool {
        !is_stale(reference)
    }

    /// R-SG-9: the blocks that an *egress* reference of a rule at `sender` matches: private addresses of members in
    /// the same VPC or one peered in the same Region. `None` in the permissive world if the members are not all
    /// known: any address.
    pub fn referenced_blocks(
        &self,
        reference: &GroupReference,
        sender: EniId,
        world: World,
    ) -> Assumed<Option<Vec<IpNet>>> {
        if is_stale(reference) {
            return Assumed::fact(Some(Vec::new()));
        }
        let Some(group) = reference.group.known() else { return unknown_members(world) };
        if self.has_unseen_members(group) && world == World::Over {
            return unknown_members(world);
        }
        let home = self.interface(sender).vpc.known();
        let mut assumptions = Assumptions::NONE;
        let mut blocks: Vec<IpNet> = Vec::new();
        let unshown = if world == World::Over { self.resolved.groupless.as_slice() } else { &[] };
        for member in self.members(group).iter().chain(unshown) {
            let matched = self.in_reference_scope(group, home, *member);
            if matched.holds(world) {
                blocks.extend(owned_blocks(self.interface(*member)));
            }
            if let (GroupMatch::Maybe(assumption), World::Over) = (matched, world) {
                assumptions = assumptions.and(Assumptions::of(&[assumption]));
            }
        }
        blocks.sort_unstable();
        blocks.dedup();
        Assumed { value: Some(blocks), assumptions }
    }

    /// R-SG-9, R-SG-19: whether an egress rule of a VPC may refer to this member: in the VPC itself, in one that is peered,
    /// or, as far as anyone knows, in one that uses the group by an association.
    fn in_reference_scope(&self, group: GroupId, home: Option<VpcId>, member: EniId) -> GroupMatch {
        let vpc = self.interface(member).vpc.known();
        let borrowed = self.snapshot.groups[group].vpc.known() != vpc;
        match (home, vpc) {
            _ if self.groups_missing(member) => GroupMatch::Maybe(11),
            _ if vpc == home => GroupMatch::Yes,
            (Some(_), Some(_)) if borrowed => GroupMatch::Maybe(39),
            (Some(home), Some(vpc)) if self.peered_in_region(home, vpc, World::Under) => GroupMatch::Yes,
            (Some(home), Some(vpc)) if !self.may_be_peered(home, vpc) => GroupMatch::No,
            _ => GroupMatch::Maybe(11),
        }
    }

    /// R-DATA-10: whether a peering connection may join the VPCs, if only one that neither account's answers show.
    fn may_be_peered(&self, left: VpcId, right: VpcId) -> bool {
        let collected = |vpc: VpcId| collected_for_owner(self.snapshot, &self.vpc(vpc).meta, PEERINGS);
        self.peered_in_region(left, right, World::Over) || !collected(left) && !collected(right)
    }

    fn peered_in_region(&self, left: VpcId, right: VpcId, world: World) -> bool {
        self.snapshot.peerings.ids().any(|id| {
            self.peering_usable(id, left, world)
                && self.peering_usable(id, right, world)
                && self.same_region(id, world)
        })
    }

    /// R-DATA-3, R-DATA-12: interfaces whose groups are not known, in a VPC where the group can be used: each may be a member.
    pub fn possible_members(&self, group: GroupId) -> impl Iterator<Item = EniId> {
        let home = &self.snapshot.groups[group].vpc;
        let lent = self.snapshot.group_associations.iter().filter(move |row| row.group == Ref::Known(group));
        let vpcs: Vec<&Ref<VpcId>> = lent.map(|row| &row.vpc).chain([home]).collect();
        let anywhere = home.known().is_none();
        let usable = move |vpc: &Ref<VpcId>| anywhere || vpc.known().is_none() || vpcs.contains(&vpc);
        self.resolved.ungrouped.iter().copied().filter(move |id| usable(&self.interface(*id).vpc))
    }

    /// R-SG-20: whether interfaces that the snapshot does not show may carry the group.
    fn has_unseen_members(&self, group: GroupId) -> bool {
        let foreign_group = self.hides_interfaces(&self.snapshot.groups[group].meta);
        let in_foreign_subnet = |member: &EniId| {
            let subnets = self.subnets_of(*member);
            subnets.iter().any(|subnet| self.hides_interfaces(&self.subnet(*subnet).meta))
        };
        foreign_group || self.members(group).iter().any(in_foreign_subnet)
    }
}

fn unknown_members(world: World) -> Assumed<Option<Vec<IpNet>>> {
    match world {
        World::Over => Assumed::on(None, &[10]),
        World::Under => Assumed::on(Some(Vec::new()), &[10]),
    }
}

/// R-SG-18: a reference through a peering that is gone matches nothing.
fn is_stale(reference: &GroupReference) -> bool {
    matches!(reference.peering_status.as_deref(), Some("deleted" | "rejected" | "failed" | "expired"))
}
