//! Public addresses and Block Public Access.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use reachproof_model::assumption::Assumptions;
use reachproof_model::flow::World;
use reachproof_model::id::{EniId, SubnetId, VpcId};
use reachproof_model::snapshot::{AssociationEvidence, BpaExclusion, Scope, Snapshot};

use super::missing::{collected_for_owner, scope_of_owner};
use super::nat::rows;
use super::state::{Object, usable};
use super::zone::{is_plain, names_plain_zone};
use super::{Assumed, Network, NextHop, covers};

/// A public IPv4 address that an internet gateway translates (R-ADDR-5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Association {
    /// The address outside.
    pub public: Ipv4Addr,
    /// The interface inside.
    pub interface: EniId,
    /// Its private address that the public one stands for.
    pub private: Ipv4Addr,
    /// Whether the restrictive world counts it.
    pub firm: bool,
}

impl Association {
    /// R-ADDR-5: whether the association counts in this world.
    pub fn counts(&self, world: World) -> bool {
        self.firm || world == World::Over
    }
}

pub(super) fn associations(snapshot: &Snapshot) -> Vec<Association> {
    let rows = snapshot.interfaces.iter().flat_map(|(id, interface)| {
        let direct = interface.public.iter().filter(|public| public.evidence.is_of_internet_gateway());
        direct.map(move |public| Association {
            public: public.public,
            interface: id,
            private: public.private,
            firm: public.evidence == AssociationEvidence::Direct,
        })
    });
    let mut rows: Vec<Association> = rows.collect();
    for row in nat_associations(snapshot) {
        if !rows.iter().any(|known| (known.public, known.interface) == (row.public, row.interface)) {
            rows.push(row);
        }
    }
    rows
}

/// R-NAT-1, R-ADDR-5: NAT gateways show their own public addresses, too.
fn nat_associations(snapshot: &Snapshot) -> Vec<Association> {
    let sources = snapshot.nat_gateways.values().flat_map(|nat| rows(snapshot, nat));
    let rows = sources.filter_map(|row| {
        Some(Association {
            public: row.public?,
            interface: row.interface?,
            private: row.private?,
            firm: row.firm,
        })
    });
    rows.collect()
}

pub(super) fn by_public(associations: &[Association]) -> BTreeMap<Ipv4Addr, Vec<usize>> {
    let mut index: BTreeMap<Ipv4Addr, Vec<usize>> = BTreeMap::new();
    for (position, association) in associations.iter().enumerate() {
        index.entry(association.public).or_default().push(position);
    }
    index
}

/// What Block Public Access lets a subnet exchange with the internet (R-BPA-4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Block {
    Off,
    Ingress,
    Bidirectional,
}

impl Network<'_> {
    /// Every association that counts in this world, sorted by interface.
    pub fn associations(&self, world: World) -> impl Iterator<Item = &Association> {
        self.resolved.associations.iter().filter(move |association| association.counts(world))
    }

    /// The associations of one public address that count in this world.
    pub fn associations_of(&self, public: Ipv4Addr, world: World) -> Vec<Association> {
        let positions = self.resolved.by_public.get(&public).map_or(&[][..], Vec::as_slice);
        let rows = positions.iter().filter_map(|position| self.resolved.associations.get(*position));
        rows.filter(|association| association.counts(world)).copied().collect()
    }

    /// R-IGW-2 (a): the public addresses of one private address of an interface.
    pub fn public_of(&self, interface: EniId, private: Ipv4Addr, world: World) -> Vec<Ipv4Addr> {
        let of = self.associations(world).filter(|row| row.interface == interface && row.private == private);
        of.map(|row| row.public).collect()
    }

    /// R-ADDR-8: whether an IPv6 address of the VPC is public, so that internet gateways pass it.
    pub fn is_public_v6(&self, vpc: VpcId, ip: IpAddr, world: World) -> bool {
        self.public_v6_blocks(vpc, world).iter().any(|block| block.contains(&ip))
    }

    /// R-ADDR-8: the IPv6 blocks of a VPC that are public.
    pub fn public_v6_blocks(&self, vpc: VpcId, world: World) -> Vec<IpNet> {
        let blocks =
            self.vpc(vpc).cidrs.iter().filter(|block| usable(Object::Association, &block.state, world));
        let public = blocks.filter(|block| match block.attribute.as_deref() {
            Some("private") => false,
            Some("public") => true,
            Some(_) => world == World::Over,
            None => covers(&global_unicast(), &block.cidr),
        });
        public.map(|block| block.cidr).filter(|block| block.addr().is_ipv6()).collect()
    }

    /// R-BPA-4: whether a subnet may receive unsolicited packets from an internet gateway.
    pub fn internet_may_enter(&self, subnet: SubnetId, world: World) -> Assumed<bool> {
        self.block_decision(subnet, world, |block, exclusion| match block {
            Block::Off => true,
            Block::Bidirectional | Block::Ingress => exclusion == Some("allow-bidirectional"),
        })
    }

    /// R-BPA-4, A-18: whether a subnet's interfaces may send to an internet or egress-only gateway. `translated` says
    /// that the packet is a NAT gateway's, `egress_only` that the gateway lets nothing in.
    pub fn internet_may_be_sent_to(
        &self,
        subnet: SubnetId,
        translated: bool,
        egress_only: bool,
        world: World,
    ) -> Assumed<bool> {
        let outbound_only = translated || egress_only;
        let mut decided = self.block_decision(subnet, world, |block, exclusion| match (block, exclusion) {
            (Block::Off, _)
            | (_, Some("allow-bidirectional"))
            | (Block::Bidirectional, Some("allow-egress")) => true,
            (Block::Ingress, _) => outbound_only || world == World::Over,
            (Block::Bidirectional, _) => false,
        });
        let trusting = decided.value && !outbound_only && self.blocks_ingress(subnet);
        if trusting && world == World::Over {
            decided.assumptions = decided.assumptions.and(Assumptions::of(&[18]));
        }
        decided
    }

    /// R-BPA-3, R-BPA-5: whether a gateway's table may hand unsolicited packets on to an interface or endpoint, whoever
    /// owns the address that they are for. Only the permissive world follows them there; where nobody knows the subnet, it
    /// may be any.
    pub fn internet_may_enter_by(&self, hop: NextHop, vpc: VpcId, world: World) -> bool {
        let subnets = match hop {
            NextHop::Local | NextHop::Drop(_) => return false,
            NextHop::Interface(interface) => self.subnets_of(interface),
            _ => self.subnets_in_vpc(vpc).to_vec(),
        };
        world == World::Over && subnets.into_iter().any(|subnet| self.internet_may_enter(subnet, world).value)
    }

    /// R-BPA-3: whether a packet may leave that came to the gateway out of this subnet, whoever owns its source. Only the
    /// permissive world lets pass what somebody else forwards; where nobody knows the subnet, it may be any.
    pub fn internet_may_be_sent_to_out_of(
        &self,
        subnet: Option<SubnetId>,
        vpc: VpcId,
        egress_only: bool,
        world: World,
    ) -> bool {
        let subnets = subnet.map_or_else(|| self.subnets_in_vpc(vpc).to_vec(), |subnet| vec![subnet]);
        let open = |subnet| self.internet_may_be_sent_to(subnet, false, egress_only, world).value;
        world == World::Over && subnets.into_iter().any(open)
    }

    fn blocks_ingress(&self, subnet: SubnetId) -> bool {
        self.block_mode(subnet, World::Under).value == Block::Ingress
    }

    fn block_decision(
        &self,
        subnet: SubnetId,
        world: World,
        allows: impl Fn(Block, Option<&str>) -> bool,
    ) -> Assumed<bool> {
        let mode = self.block_mode(subnet, world);
        let modes = self.exclusions(subnet, world);
        let value = if modes.is_empty() {
            allows(mode.value, None)
        } else if world == World::Over {
            modes.iter().any(|exclusion| allows(mode.value, Some(exclusion)))
        } else {
            modes.iter().all(|exclusion| allows(mode.value, Some(exclusion)))
        };
        Assumed { value, assumptions: mode.assumptions }
    }

    /// R-BPA-1, R-BPA-8: the mode that applies to a subnet; the owner's account decides.
    fn block_mode(&self, subnet: SubnetId, world: World) -> Assumed<Block> {
        let record = self.subnet(subnet);
        let owner = scope_of_owner(self.snapshot, &record.meta);
        let account = owner.and_then(|scope| scope_mode(scope, world));
        let vpc_mode = record
            .vpc
            .known()
            .and_then(|vpc| self.vpc(vpc).block_mode.as_deref().map(|mode| parse(mode, world)));
        let shown: Vec<Block> = record
            .block_mode
            .as_deref()
            .map(|mode| parse(mode, world))
            .into_iter()
            .chain(vpc_mode)
            .chain(account)
            .collect();
        if shown.is_empty() {
            return Assumed::on(Block::Off, &[36]);
        }
        let mode = if world == World::Over { loosest(&shown) } else { tightest(&shown) };
        let local =
            if world == World::Over { !self.is_plain_zone(subnet) } else { self.is_local_zone(subnet) };
        let lifted = mode == Block::Ingress && local;
        Assumed::fact(if lifted { Block::Off } else { mode })
    }

    /// R-BPA-2, R-DATA-4: the modes of the exclusions that cover a subnet. Where they were not collected, or one does not
    /// say what it covers, the permissive world has one that does.
    fn exclusions(&self, subnet: SubnetId, world: World) -> Vec<&str> {
        let record = self.subnet(subnet);
        let vpc = record.vpc.known().map(|vpc| self.vpc(vpc).meta.id.as_ref());
        let scope = scope_of_owner(self.snapshot, &record.meta);
        let covers = |exclusion: &&BpaExclusion| {
            *exclusion.resource == *record.meta.id || vpc == Some(exclusion.resource.as_ref())
        };
        let covering = |exclusion: &&BpaExclusion| {
            covers(exclusion) || exclusion.resource.is_empty() && world == World::Over
        };
        let listed = scope.into_iter().flat_map(|scope| &scope.bpa_exclusions);
        let active = listed.filter(covering).filter(|exclusion| is_active(exclusion, world));
        let modes = active.map(|exclusion| exclusion_mode(&exclusion.mode, world));
        let unlisted = world == World::Over && !collected_for_owner(self.snapshot, &record.meta, EXCLUSIONS);
        modes.chain(unlisted.then_some(ALLOW_BOTH)).collect()
    }

    /// R-BPA-8: whether the subnet is known to be in an ordinary Availability Zone; a zone that no call described is
    /// one iff its id has the form of one.
    fn is_plain_zone(&self, subnet: SubnetId) -> bool {
        let record = self.subnet(subnet);
        match self.described_zone(subnet) {
            Some(zone) => is_plain(zone),
            None => record.zone_id.as_deref().or(record.zone.as_deref()).is_some_and(names_plain_zone),
        }
    }

    /// R-BPA-8: whether a call describes the subnet's zone as a Local Zone.
    fn is_local_zone(&self, subnet: SubnetId) -> bool {
        self.described_zone(subnet).is_some_and(|zone| &*zone.kind == "local-zone")
    }
}

impl Network<'_> {
    /// R-BPA-9, A-37: whether encryption control of a VPC lets a path through a component pass. `component` is the name
    /// of its exclusion, or `None` for a hop that has none. Only the restrictive world looks.
    pub fn encryption_allows(&self, vpc: VpcId, component: Option<&str>, world: World) -> Assumed<bool> {
        let Some(control) = &self.vpc(vpc).encryption else { return Assumed::fact(true) };
        if world == World::Over || control.mode.as_deref() != Some("enforce") {
            return Assumed::fact(true);
        }
        let excluded = component.is_some_and(|name| control.excluded.iter().any(|entry| &**entry == name));
        Assumed::on(excluded, &[37])
    }
}

/// R-BPA-1: the mode of an account and Region, if it was collected.
fn scope_mode(scope: &Scope, world: World) -> Option<Block> {
    let options = scope.block_public_access.as_ref()?;
    let settled = matches!(options.state.as_deref(), None | Some("default-state" | "update-complete"));
    Some(match (settled, world) {
        (true, _) => parse(&options.mode, world),
        (false, World::Over) => Block::Off,
        (false, World::Under) => Block::Bidirectional,
    })
}

fn is_active(exclusion: &BpaExclusion, world: World) -> bool {
    match exclusion.state.as_deref() {
        Some("create-complete" | "update-complete") => true,
        Some("delete-complete") => false,
        // In progress, failed, not shown or unheard of: it may be there, whole or as it was before (R-DATA-6).
        _ => world == World::Over,
    }
}

const EXCLUSIONS: &str = "ec2 describe-vpc-block-public-access-exclusions";

const ALLOW_BOTH: &str = "allow-bidirectional";

/// The mode as the world reads it: one that is not known may allow everything, or nothing.
fn exclusion_mode(mode: &str, world: World) -> &str {
    match (mode, world) {
        (ALLOW_BOTH | "allow-egress", _) | (_, World::Under) => mode,
        (_, World::Over) => ALLOW_BOTH,
    }
}

fn parse(mode: &str, world: World) -> Block {
    match (mode, world) {
        ("block-ingress", _) => Block::Ingress,
        ("off", _) | (_, World::Over) if mode != "block-bidirectional" => Block::Off,
        _ => Block::Bidirectional,
    }
}

fn loosest(modes: &[Block]) -> Block {
    let of = |mode| modes.contains(&mode);
    if of(Block::Off) {
        Block::Off
    } else if of(Block::Ingress) {
        Block::Ingress
    } else {
        Block::Bidirectional
    }
}

fn tightest(modes: &[Block]) -> Block {
    let of = |mode| modes.contains(&mode);
    if of(Block::Bidirectional) {
        Block::Bidirectional
    } else if of(Block::Ingress) {
        Block::Ingress
    } else {
        Block::Off
    }
}

fn global_unicast() -> ipnet::IpNet {
    ipnet::IpNet::V6(ipnet::Ipv6Net::new_assert(std::net::Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3))
}
