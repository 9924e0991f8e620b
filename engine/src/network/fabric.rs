//! What Elastic Fabric Adapters send to each other beside IP (R-MENI-7).

use reachproof_model::flow::World;
use reachproof_model::id::{EniId, GroupId, Ref, SubnetId};
use reachproof_model::snapshot::{GroupPeer, GroupRule, Interface, SecurityGroup};
use reachproof_model::traffic::Traffic;

use super::Network;

impl Network<'_> {
    /// R-MENI-7: whether the interface is an Elastic Fabric Adapter.
    pub fn is_on_fabric(&self, id: EniId) -> bool {
        matches!(self.interface(id).kind.as_deref(), Some("efa" | "efaonly"))
    }

    /// R-MENI-7: whether traffic that is not IP may pass from one Elastic Fabric Adapter to another: inside a VPC and a zone,
    /// if the groups of both admit every protocol of each other by reference. No network ACL and no route table sees it.
    pub fn may_send_by_fabric(&self, from: EniId, to: EniId) -> bool {
        let on_fabric = |id| self.is_on_fabric(id) && self.live(id, World::Over).value;
        let (sender, receiver) = (self.interface(from), self.interface(to));
        from != to
            && on_fabric(from)
            && on_fabric(to)
            && sender.vpc == receiver.vpc
            && self.may_share_zone(from, to)
            && self.admits_by_reference(sender, receiver, |group| group.egress.as_deref())
            && self.admits_by_reference(receiver, sender, |group| group.ingress.as_deref())
    }

    /// Whether the subnets of two interfaces may lie in one zone.
    fn may_share_zone(&self, one: EniId, other: EniId) -> bool {
        let zone = |id: &SubnetId| self.subnet(*id).zone_id.as_deref();
        let (here, there) = (self.subnets_of(one), self.subnets_of(other));
        let same = |left: &SubnetId| {
            there.iter().any(|right| zone(left).is_none_or(|known| zone(right).is_none_or(|it| it == known)))
        };
        here.is_empty() || there.is_empty() || here.iter().any(same)
    }

    /// R-DATA-3: whether some group of an interface admits every protocol of another by reference; what is not known does.
    fn admits_by_reference(
        &self,
        own: &Interface,
        other: &Interface,
        rules: impl Fn(&SecurityGroup) -> Option<&[GroupRule]>,
    ) -> bool {
        let Some(groups) = own.groups.as_deref().filter(|groups| !groups.is_empty()) else { return true };
        let admits = |rule: &GroupRule| {
            matches!(rule.traffic, Traffic::All | Traffic::Unknown) && names_group_of(&rule.peer, other)
        };
        groups.iter().any(|group: &Ref<GroupId>| match group.known() {
            Some(id) => rules(&self.snapshot.groups[id]).is_none_or(|rules| rules.iter().any(admits)),
            None => true,
        })
    }
}

fn names_group_of(peer: &GroupPeer, interface: &Interface) -> bool {
    match peer {
        GroupPeer::Group(reference) => {
            let carried = interface.groups.as_deref().filter(|groups| !groups.is_empty());
            carried.is_none_or(|groups| groups.contains(&reference.group))
        }
        GroupPeer::Unknown => true,
        GroupPeer::Cidr(_) | GroupPeer::PrefixList(_) => false,
    }
}
