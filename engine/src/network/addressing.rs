//! Blocks of VPCs and subnets, and addresses with a fixed meaning inside them.

use std::net::IpAddr;

use ipnet::IpNet;
use reachproof_model::flow::World;
use reachproof_model::id::{EigwId, IgwId, Ref, SubnetId, VgwId, VpcId};
use reachproof_model::snapshot::Meta;

use super::Network;
use super::missing::collected_for_owner;
use super::state::{Object, usable};

impl Network<'_> {
    /// R-ADDR-1: the address space of a VPC.
    pub fn vpc_blocks(&self, vpc: VpcId, world: World) -> Vec<IpNet> {
        let blocks =
            self.vpc(vpc).cidrs.iter().filter(|block| usable(Object::Association, &block.state, world));
        blocks.map(|block| block.cidr).collect()
    }

    /// R-ADDR-2: the blocks of a subnet.
    pub fn subnet_blocks(&self, subnet: SubnetId, world: World) -> Vec<IpNet> {
        let blocks =
            self.subnet(subnet).cidrs.iter().filter(|block| usable(Object::Association, &block.state, world));
        blocks.map(|block| block.cidr).collect()
    }

    /// R-CORE-5: Amazon DNS of a VPC: the base of its primary IPv4 block plus two.
    pub fn dns_address(&self, vpc: VpcId) -> Option<IpAddr> {
        let primary = self.vpc(vpc).cidrs.iter().find(|block| block.cidr.addr().is_ipv4())?;
        offset(primary.cidr, 2)
    }

    /// R-CORE-5, R-ADDR-2: the address of the router in each block of a subnet.
    pub fn router_addresses(&self, subnet: SubnetId) -> Vec<IpAddr> {
        self.subnet(subnet).cidrs.iter().filter_map(|block| offset(block.cidr, 1)).collect()
    }

    /// R-CORE-5, R-ADDR-2: where DNS answers a subnet: at Amazon DNS of its VPC; in the permissive world also at what each
    /// block of the subnet reserves for it.
    pub fn resolvers(&self, vpc: VpcId, subnets: &[SubnetId], world: World) -> Vec<IpAddr> {
        let mut found = Vec::from_iter(self.dns_address(vpc));
        if world == World::Over {
            let blocks = subnets.iter().flat_map(|subnet| &self.subnet(*subnet).cidrs);
            found.extend(blocks.filter_map(|block| offset(block.cidr, 2)));
        }
        found
    }

    /// R-ADDR-13, A-10: the subnets of a VPC of whose owner no answer lists the interfaces, so that some which no call
    /// shows may own their addresses.
    pub fn unseen_subnets(&self, vpc: VpcId) -> Vec<SubnetId> {
        let hides = |id: &SubnetId| self.hides_interfaces(&self.subnet(*id).meta);
        self.subnets_in_vpc(vpc).iter().copied().filter(hides).collect()
    }

    /// R-ADDR-13, R-SHARE-1, R-SG-20: whether a subnet or group belongs to another account than the one that shows it, and
    /// the interfaces that account sees in the Region were not collected. Only the owner sees those of all participants.
    pub fn hides_interfaces(&self, meta: &Meta) -> bool {
        let shown = &self.snapshot.scopes[meta.scope].account;
        if shown.is_empty() {
            return self.is_foreign(meta.owner.as_deref());
        }
        meta.owner.as_deref().is_some_and(|owner| *owner != **shown)
            && !collected_for_owner(self.snapshot, meta, "ec2 describe-network-interfaces")
    }

    /// Whether an owner is named and is no account of the snapshot.
    pub fn is_foreign(&self, owner: Option<&str>) -> bool {
        let Some(owner) = owner else { return false };
        let known = self.snapshot.scopes.values().any(|scope| &*scope.account == owner);
        let anonymous = self.snapshot.scopes.values().all(|scope| scope.account.is_empty());
        !known && !anonymous
    }

    pub(super) fn igw_name<'a>(&'a self, reference: &'a Ref<IgwId>) -> &'a str {
        match reference {
            Ref::Known(id) => &self.snapshot.internet_gateways[*id].meta.id,
            Ref::Missing(id) => id,
        }
    }

    pub(super) fn eigw_name<'a>(&'a self, reference: &'a Ref<EigwId>) -> &'a str {
        match reference {
            Ref::Known(id) => &self.snapshot.egress_gateways[*id].meta.id,
            Ref::Missing(id) => id,
        }
    }

    pub(super) fn vgw_name<'a>(&'a self, reference: &'a Ref<VgwId>) -> &'a str {
        match reference {
            Ref::Known(id) => &self.snapshot.virtual_gateways[*id].meta.id,
            Ref::Missing(id) => id,
        }
    }
}

fn offset(block: IpNet, by: u8) -> Option<IpAddr> {
    match block.network() {
        IpAddr::V4(base) => u32::from(base).checked_add(u32::from(by)).map(|ip| IpAddr::V4(ip.into())),
        IpAddr::V6(base) => u128::from(base).checked_add(u128::from(by)).map(|ip| IpAddr::V6(ip.into())),
    }
}
