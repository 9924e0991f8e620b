//! Sending from an interface and receiving at one (R-CORE-3 `emit`, `l2`, `recv`).

use std::net::IpAddr;

use reachproof_model::flow::{Protocol, World};
use reachproof_model::id::{EniId, SubnetId, VpcId};

use super::Tracer;
use super::filter::Direction;
use super::leg::{Branch, Leg, decision};
use super::packet::{Field, Tag};
use super::place::{Entrance, Place};
use crate::evidence::{Disposition, HopKind, Outcome};
use crate::network::{NextHop, Origin, Role, Sink, SpecialBlock, TableChoice, is_infrastructure, owns};

impl Tracer<'_, '_> {
    /// R-CORE-3 `emit`.
    pub(super) fn send(&self, mut leg: Leg, interface: EniId, by_component: bool) -> Vec<Branch> {
        leg.visit(HopKind::Interface, self.name(interface));
        leg.state.origin = Origin::Local;
        if !self.is_live(&mut leg, interface) {
            return leg.dropped("R-STATE-1", "not live");
        }
        if self.world == World::Under && self.network.is_idle(interface) {
            return vec![leg.drop(
                "R-ADDR-14",
                "nothing is claimed of what it belongs to",
                Disposition::Unknown,
            )];
        }
        let mut branches = self.forged(&leg, interface, by_component);
        if !by_component && !leg.state.reply && !Role::of(self.network.interface(interface)).initiates() {
            branches.extend(leg.dropped("R-VPCE-7", "never sends of its own accord"));
            return branches;
        }
        if !by_component && !self.has_own_source(&leg, interface) {
            branches.extend(leg.dropped("R-ENI-2", "the source is not an address of the interface"));
            return branches;
        }
        if !by_component {
            leg.state.tag = Tag::Of(interface);
        }
        if !leg.state.reply {
            if let Some(vpc) = self.infrastructure(&leg, interface) {
                branches.push(self.to_infrastructure(leg.clone(), vpc));
                if leg.state.packet.destination != Field::Any {
                    return branches;
                }
            }
            let ruling = self.groups(interface, Direction::Out, &leg.state.packet, &Tag::None);
            if !leg.ruled(ruling) {
                branches.push(leg.fail(Disposition::DeniedOut));
                return branches;
            }
        }
        for subnet in self.settled(self.network.subnets_of(interface)) {
            branches.extend(self.leave(leg.clone(), subnet, Some(interface)));
        }
        if branches.is_empty() {
            return leg.dropped("R-ADDR-16", "the interface's subnet is not known");
        }
        branches
    }

    /// R-MBX-4, A-27: an unchecked interface may send what its guest likes.: whatever a mirrored one sends is
    /// copied, and a service may have a way of its own.
    fn forged(&self, leg: &Leg, interface: EniId, by_component: bool) -> Vec<Branch> {
        match (self.world, by_component) {
            (World::Under, _) => Vec::new(),
            (World::Over, true) => self.enter_all(leg, self.network.components_beside(interface)),
            (World::Over, false) => self.enter_all(leg, &self.network.components_sent_into(interface)),
        }
    }

    /// R-STATE-1, R-STATE-2.
    pub(super) fn is_live(&self, leg: &mut Leg, interface: EniId) -> bool {
        leg.take(self.network.live(interface, self.world))
    }

    /// R-ENI-2, outbound. An answer of an unchecked interface may come from any address, that of a checked one also from a
    /// pool's; so may, inside a subnet with
    /// IPv6, what it sends from a link-local one.
    fn has_own_source(&self, leg: &Leg, interface: EniId) -> bool {
        let own = |ip| owns(self.network.interface(interface), ip);
        let unchecked = !self.network.checks_addresses(interface).value;
        let vpc = self.network.interface(interface).vpc.known();
        let of_pool = |ip| vpc.is_some_and(|vpc| self.is_of_pool(vpc, ip));
        let answers = leg.state.reply && (unchecked || leg.state.packet.source.passes(World::Under, of_pool));
        let link_local = |ip| {
            self.world == World::Over
                && is_link_local(ip)
                && self.network.subnets_of(interface).iter().any(|subnet| self.has_v6(*subnet))
        };
        answers || leg.state.packet.source.passes(self.world, |ip| own(ip) || link_local(ip))
    }

    /// R-CORE-5: whether the packet is for DNS, metadata, time or the router of its own subnet (R-NACL-9, R-SG-21).
    fn infrastructure(&self, leg: &Leg, interface: EniId) -> Option<VpcId> {
        let vpc = self.network.interface(interface).vpc.known()?;
        let packet = &leg.state.packet;
        let port = |wanted: &dyn Fn(Protocol, u16) -> bool| {
            packet.transport.passes(self.world, |it| wanted(it.protocol, it.port))
        };
        let at = |test: &dyn Fn(IpAddr) -> bool| packet.destination.passes(self.world, test);
        let subnets = self.network.subnets_of(interface);
        let resolvers = self.network.resolvers(vpc, &subnets, self.world);
        let dns =
            at(&|ip| resolvers.contains(&ip)) && port(&|protocol, port| protocol.has_ports() && port == 53);
        let service = at(&|ip| port(&|protocol, port| is_infrastructure(ip, protocol, port)));
        let router =
            at(&|ip| subnets.iter().any(|subnet| self.network.router_addresses(*subnet).contains(&ip)));
        (dns || service || router).then_some(vpc)
    }

    fn to_infrastructure(&self, mut leg: Leg, vpc: VpcId) -> Branch {
        leg.visit(HopKind::Infrastructure, &self.network.vpc(vpc).meta.id);
        leg.decide(decision("R-CORE-5", Outcome::Permit, "not filtered", None));
        leg.arrive(Sink::Infrastructure(vpc))
    }

    /// What leaves an interface, or something unseen, of a subnet: on the link, or to the router.
    pub(super) fn leave(&self, mut leg: Leg, subnet: SubnetId, sender: Option<EniId>) -> Vec<Branch> {
        let Some(vpc) = self.network.subnet(subnet).vpc.known() else {
            return leg.dropped("R-DATA-3", "the VPC of the subnet is not known");
        };
        let mut branches = self.neighbours(&leg, subnet, sender);
        branches.extend(self.lattice(&leg));
        let destination = leg.state.packet.destination;
        let stays = leg.state.packet.source.passes(World::Under, is_link_local);
        if stays {
            leg.assume(&[33]);
        }
        if self.on_link(subnet, destination) {
            let direct = leg.clone();
            branches.extend(self.on_the_link(direct, vpc, subnet, sender));
            if stays {
                return branches;
            }
            if destination != Field::Any && !self.router_diverts(&leg, vpc, subnet) {
                return branches;
            }
            if destination != Field::Any {
                leg.assume(&[3]);
            }
        }
        if stays {
            branches.extend(leg.dropped("R-ADDR-15", "link-local addresses stay in their subnet"));
        } else {
            branches.extend(self.to_router(leg, vpc, subnet));
        }
        branches
    }

    /// R-MBX-9: an unchecked neighbour takes any frame, whatever its destination.
    fn neighbours(&self, leg: &Leg, subnet: SubnetId, sender: Option<EniId>) -> Vec<Branch> {
        if self.world == World::Under {
            return Vec::new();
        }
        let guests = self.network.interfaces_in_subnet(subnet).iter().filter(|other| {
            Some(**other) != sender
                && matches!(Role::of(self.network.interface(**other)), Role::Plain | Role::Vlan)
                && !self.network.checks_addresses(**other).value
                && !self.network.components_at(**other).is_empty()
        });
        guests.map(|guest| leg.clone().to(Place::Neighbour(*guest))).collect()
    }

    /// R-MBX-9, R-MBX-2: received by the neighbour's guest.
    pub(super) fn neighbour(&self, mut leg: Leg, interface: EniId) -> Vec<Branch> {
        leg.visit(HopKind::Interface, self.name(interface));
        leg.assume(&[6]);
        if !self.is_live(&mut leg, interface) {
            return leg.dropped("R-STATE-1", "not live");
        }
        if !self.admitted(&mut leg, interface) {
            return vec![leg.fail(Disposition::DeniedIn)];
        }
        self.enter_all(&leg, self.network.components_at(interface))
    }

    /// R-VPCE-14: Lattice addresses need no route.
    fn lattice(&self, leg: &Leg) -> Vec<Branch> {
        let special = |ip| SpecialBlock::LatticeV4.contains(ip) || SpecialBlock::LatticeV6.contains(ip);
        let addressed =
            self.world == World::Over && leg.state.packet.destination.passes(World::Over, special);
        if addressed { self.enter_all(leg, &self.lattice_components()) } else { Vec::new() }
    }

    /// R-ROUTE-2, R-ADDR-15: whether the destination is in the subnet itself (R-SG-22).
    fn on_link(&self, subnet: SubnetId, destination: Field<IpAddr>) -> bool {
        let local = |ip| self.world == World::Over && is_link_local(ip) && self.has_v6(subnet);
        let blocks = self.network.subnet_blocks(subnet, self.world);
        destination.passes(self.world, |ip| local(ip) || blocks.iter().any(|block| block.contains(&ip)))
    }

    fn has_v6(&self, subnet: SubnetId) -> bool {
        self.network.subnet_blocks(subnet, World::Over).iter().any(|block| block.addr().is_ipv6())
    }

    /// R-ROUTE-2: layer 2, no network ACL, no route table.
    pub(super) fn on_the_link(
        &self,
        mut leg: Leg,
        vpc: VpcId,
        subnet: SubnetId,
        sender: Option<EniId>,
    ) -> Vec<Branch> {
        if !leg.take(self.network.encryption_allows(vpc, None, self.world)) {
            return leg.dropped("R-BPA-9", "encryption is enforced");
        }
        let here = self.network.interfaces_in_subnet(subnet);
        let destination = leg.state.packet.destination;
        let mut branches = Vec::new();
        if self.world == World::Over && destination.passes(World::Over, is_link_local) {
            let mut linked = leg.clone();
            linked.assume(&[33]);
            let others = here.iter().filter(|other| Some(**other) != sender);
            branches.extend(others.map(|other| {
                linked.clone().to(Place::Arriving { interface: *other, from: Some(subnet), waived: true })
            }));
        }
        let owners = match destination {
            Field::Is(ip) => self.network.owners().of_address(vpc, ip),
            Field::Any => here.to_vec(),
        };
        // An interface may show an address outside of its subnet, which contradicts itself (R-DATA-5).
        let there = |owner: &EniId| self.world == World::Over || here.contains(owner);
        let owners: Vec<EniId> = owners.into_iter().filter(there).collect();
        branches.extend(self.to_owners(leg, owners, &[subnet], Some(subnet), branches.is_empty()));
        branches
    }

    /// R-ROUTE-2b: whether the subnet's table sends an on-link destination elsewhere, so that handing the frame to the
    /// router makes a difference.
    fn router_diverts(&self, leg: &Leg, vpc: VpcId, subnet: SubnetId) -> bool {
        self.world == World::Over
            && self.network.tables_of_subnet(subnet, self.world).value.iter().any(|choice| {
                *choice == TableChoice::Unknown
                    || self
                        .next_hops(*choice, vpc, &leg.state.packet)
                        .iter()
                        .any(|next| *next != NextHop::Local)
            })
    }

    /// R-NACL-6, R-ROUTE-1: over the subnet's boundary to its route table.
    pub(super) fn to_router(&self, mut leg: Leg, vpc: VpcId, subnet: SubnetId) -> Vec<Branch> {
        leg.visit(HopKind::Subnet, &self.network.subnet(subnet).meta.id);
        let ruling = self.acl(subnet, Direction::Out, &leg.state.packet);
        let tables = self.network.tables_of_subnet(subnet, self.world);
        if !leg.ruled(ruling) {
            let mut branches = self.to_nat_beside(&leg, vpc, subnet, &tables.value);
            branches.push(leg.fail(Disposition::DeniedOut));
            return branches;
        }
        let tables = leg.take(tables);
        self.to_tables(leg, &tables, vpc, Some(subnet), Entrance::Plain)
    }

    /// R-NAT-3, A-14: no network ACL between a sender and the NAT gateway of its own subnet, says the permissive world.
    fn to_nat_beside(&self, leg: &Leg, vpc: VpcId, subnet: SubnetId, tables: &[TableChoice]) -> Vec<Branch> {
        if self.world == World::Under {
            return Vec::new();
        }
        let hops = tables.iter().flat_map(|choice| self.next_hops(*choice, vpc, &leg.state.packet));
        let beside = hops.filter_map(|next| match next {
            NextHop::Nat(nat) if self.network.nat(nat).is_some_and(|nat| nat.subnet == Some(subnet)) => {
                Some(nat)
            }
            _ => None,
        });
        let mut leg = leg.clone();
        leg.assume(&[14]);
        beside.map(|nat| leg.clone().to(Place::Nat { nat, from: Some(subnet) })).collect()
    }

    /// On to each of several tables.
    pub(super) fn to_tables(
        &self,
        mut leg: Leg,
        tables: &[TableChoice],
        vpc: VpcId,
        from: Option<SubnetId>,
        entry: Entrance,
    ) -> Vec<Branch> {
        if tables.is_empty() {
            let reason = "the route table is not known; collect: ec2 describe-route-tables";
            leg.notes.add(&super::leg::Notes::because(&[11], reason));
            return vec![leg.drop("R-ROUTE-1", "the route table is not known", Disposition::Unknown)];
        }
        let to = |choice: &TableChoice| leg.clone().to(Place::Table { choice: *choice, vpc, from, entry });
        tables.iter().map(to).collect()
    }

    /// R-CORE-3 `recv`.
    pub(super) fn receive(
        &self,
        mut leg: Leg,
        interface: EniId,
        from: Option<SubnetId>,
        waived: bool,
    ) -> Vec<Branch> {
        let record = self.network.interface(interface);
        leg.visit(HopKind::Interface, self.name(interface));
        if !self.is_live(&mut leg, interface) {
            return leg.dropped("R-STATE-1", "not live");
        }
        let own = leg.state.packet.destination.passes(self.world, |ip| owns(record, ip));
        if !waived && !own && leg.take(self.network.checks_addresses(interface)) {
            return leg.dropped("R-ENI-2", "the destination is not an address of the interface");
        }
        leg.notes.assumptions =
            leg.notes.assumptions.and(self.network.checks_addresses(interface).assumptions);
        if !self.admitted(&mut leg, interface) {
            return vec![leg.fail(Disposition::DeniedIn)];
        }
        if leg.state.reply {
            self.answered_at(leg, interface, from)
        } else {
            self.delivered_at(leg, interface)
        }
    }

    /// R-SG-13: groups filter new packets alone.
    fn admitted(&self, leg: &mut Leg, interface: EniId) -> bool {
        if leg.state.reply {
            return true;
        }
        let ruling = self.groups(interface, Direction::In, &leg.state.packet, &leg.state.tag);
        leg.ruled(ruling)
    }

    /// What each kind of interface does with a new packet that its filters let in (R-MENI-4).
    fn delivered_at(&self, leg: Leg, interface: EniId) -> Vec<Branch> {
        let taken = match self.world {
            World::Over => self.enter_all(&leg, self.network.components_at(interface)),
            World::Under => Vec::new(),
        };
        let end = match Role::of(self.network.interface(interface)) {
            _ if self.world == World::Under && self.network.is_idle(interface) => {
                leg.drop("R-STATE-5", "nothing is claimed of what it belongs to", Disposition::Unknown)
            }
            Role::Plain if self.world == World::Under && self.network.balances(interface) => {
                leg.drop("R-LB-5", "listeners are not modelled", Disposition::Unknown)
            }
            Role::Plain | Role::Endpoint => leg.arrive(Sink::Interface(interface)),
            Role::OutboundOnly | Role::Vlan if self.world == World::Over => {
                leg.arrive(Sink::Interface(interface))
            }
            Role::OutboundOnly | Role::Vlan => leg.drop("R-MENI-4", "dials out only", Disposition::Dropped),
            Role::Nat => leg.drop("R-NAT-5", "answers nothing that it did not ask for", Disposition::Dropped),
            Role::Transit => leg.drop("R-TGW-8", "only transit", Disposition::Dropped),
            Role::Inspection => leg.drop("R-GWLB-4", "takes routed packets only", Disposition::Dropped),
        };
        std::iter::once(end).chain(taken).collect()
    }

    /// A reply is back at the interface that asked, or at the NAT gateway that translated the question (R-NAT-5).
    fn answered_at(&self, leg: Leg, interface: EniId, from: Option<SubnetId>) -> Vec<Branch> {
        if let Some(nat) = self.network.nat_of_interface(interface) {
            return vec![leg.to(Place::NatReturn { nat, from })];
        }
        let taken = match self.world {
            World::Over => self.enter_all(&leg, self.network.components_at(interface)),
            World::Under => Vec::new(),
        };
        std::iter::once(leg.arrive(Sink::Interface(interface))).chain(taken).collect()
    }

    /// R-MBX-1, R-SG-10: at the interface that a route names. The sender's identity is lost, though no text says so of what
    /// is for that very interface.
    pub(super) fn appliance(
        &self,
        mut leg: Leg,
        interface: EniId,
        from: Option<SubnetId>,
        pool: bool,
    ) -> Vec<Branch> {
        let own = |ip| owns(self.network.interface(interface), ip);
        let for_itself = leg.state.packet.destination.passes(World::Under, own);
        if self.world == World::Under || !for_itself {
            leg.state.tag = Tag::None;
        } else if leg.state.tag != Tag::None {
            leg.assume(&[39]);
        }
        let subnets = self.settled(self.network.subnets_of(interface));
        let mut branches = Vec::new();
        for subnet in subnets {
            let mut leg = leg.clone();
            if from != Some(subnet) && !self.enters(&mut leg, subnet) {
                branches.push(leg.fail(Disposition::DeniedIn));
            } else if pool || self.network.checks_addresses(interface).value {
                branches.push(leg.to(Place::Arriving { interface, from, waived: pool }));
            } else {
                branches.extend(self.unchecked(leg, interface, from));
            }
        }
        branches
    }

    /// R-MBX-2, A-6: what the guest does with what is not its own is unknown.
    fn unchecked(&self, mut leg: Leg, interface: EniId, from: Option<SubnetId>) -> Vec<Branch> {
        let own = |ip| owns(self.network.interface(interface), ip);
        if leg.state.packet.destination.passes(self.world, own) {
            return vec![leg.to(Place::Arriving { interface, from, waived: false })];
        }
        leg.assume(&[6]);
        match self.world {
            World::Over => self.neighbour(leg, interface),
            World::Under => {
                leg.visit(HopKind::Interface, self.name(interface));
                leg.dropped("R-MBX-2", "what the guest does with a routed packet is not known")
            }
        }
    }

    /// R-NACL-6: over the subnet's boundary, inwards.
    pub(super) fn enters(&self, leg: &mut Leg, subnet: SubnetId) -> bool {
        leg.visit(HopKind::Subnet, &self.network.subnet(subnet).meta.id);
        let ruling = self.acl(subnet, Direction::In, &leg.state.packet);
        leg.ruled(ruling)
    }

    /// R-ADDR-16, A-34: of several possibilities the restrictive world claims none.
    pub(super) fn settled<T>(&self, several: Vec<T>) -> Vec<T> {
        if self.world == World::Under && several.len() > 1 { Vec::new() } else { several }
    }
}

/// fe80::/10.
fn is_link_local(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.segments().first().is_some_and(|head| head & 0xffc0 == 0xfe80))
}
