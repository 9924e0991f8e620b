//! NAT gateways (section 8).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reachproof_model::flow::{Flow, Protocol, World};
use reachproof_model::id::{NatId, SubnetId, VpcId};

use super::Tracer;
use super::filter::Direction;
use super::leg::{Branch, Leg};
use super::packet::{Field, Packet, Tag, Transport};
use super::place::{Entrance, Mapping};
use crate::evidence::{Disposition, HopKind};
use crate::network::{NatSource, Origin, SpecialBlock};

impl Tracer<'_, '_> {
    /// R-NAT-2: a route led to the gateway.
    pub(super) fn nat(&self, mut leg: Leg, id: NatId, from: Option<SubnetId>) -> Vec<Branch> {
        let (Some(nat), Some(vpc)) = (self.network.nat(id), self.network.nat_vpc(id)) else {
            return leg.dropped("R-NAT-1", "the NAT gateway is not known");
        };
        if let Some(subnet) = nat.subnet.filter(|_| !nat.regional)
            && !self.enters_nat(&mut leg, subnet, from)
        {
            return vec![leg.fail(Disposition::DeniedIn)];
        }
        leg.visit(HopKind::NatGateway, &self.network.snapshot.nat_gateways[id].meta.id);
        if let Some((rule, why)) = self.refused_by_nat(&mut leg, vpc) {
            return leg.dropped(rule, why);
        }
        if leg.state.memory.mappings.iter().any(|mapping| mapping.nat == id) {
            return vec![leg.drop("R-CORE-7", "it was here before", Disposition::Loop)];
        }
        let sources = self.network.nat_sources(id, self.world);
        if sources.is_empty() {
            return leg.dropped("R-NAT-1", "no address in use");
        }
        let mapped = sources.iter().flat_map(|source| self.translations(&leg, id, source));
        mapped.flat_map(|leg| self.after_nat(leg, id, vpc)).collect()
    }

    /// R-NACL-7, R-NAT-3, A-14: the list of the NAT gateway's subnet, where the client is in that very subnet, counts
    /// in the restrictive world alone (R-NAT-11).
    fn enters_nat(&self, leg: &mut Leg, subnet: SubnetId, from: Option<SubnetId>) -> bool {
        if from == Some(subnet) {
            leg.assume(&[14]);
            if self.world == World::Over {
                return true;
            }
        }
        self.enters(leg, subnet)
    }

    /// R-NAT-2, R-NAT-7, R-NAT-8: what the gateway does not translate.
    fn refused_by_nat(&self, leg: &mut Leg, vpc: VpcId) -> Option<(&'static str, &'static str)> {
        if leg.state.reply {
            return Some(("R-CONN-4", "an answer would get another source"));
        }
        if matches!(leg.state.origin, Origin::Internet | Origin::Virtual | Origin::Peering) {
            return Some(("R-NAT-7", "not from this VPC, nor by a transit gateway"));
        }
        if !leg.take(self.network.encryption_allows(vpc, Some("NatGateway"), self.world)) {
            return Some(("R-BPA-9", "encryption is enforced"));
        }
        let packet = &leg.state.packet;
        if !packet.destination.passes(self.world, |ip| ip.is_ipv4() || SpecialBlock::Nat64.contains(ip)) {
            return Some(("R-NAT-8", "IPv6 beyond 64:ff9b::/96"));
        }
        let v6 = packet.destination.passes(World::Under, |ip| ip.is_ipv6());
        // Of ICMPv6 echo requests alone start anything: errors and answers belong to flows that are there (R-SG-17).
        let translated = |it: Transport| match it.protocol {
            Protocol::ICMPV6 => v6 && self.world == World::Over && it.port == 128,
            Protocol::ICMP => !v6,
            protocol => protocol.has_ports(),
        };
        let known = packet.transport.passes(self.world, translated);
        (!known).then_some(("R-NAT-2", "neither TCP, UDP nor ICMP"))
    }

    /// R-NAT-2: one packet a port that filters can tell apart, with one of the gateway's addresses.
    fn translations(&self, leg: &Leg, nat: NatId, source: &NatSource) -> Vec<Leg> {
        let address = source.private.or(source.public).map_or(Field::Any, |ip| Field::Is(IpAddr::V4(ip)));
        let mut leg = leg.clone();
        let original = leg.state.packet.flow();
        let packet = &mut leg.state.packet;
        packet.source = address;
        packet.destination = embedded(packet.destination);
        packet.transport = four(packet.transport);
        leg.state.tag = Tag::None;
        leg.state.origin = Origin::Local;
        leg.state.entered = None;
        let (Some(original), Some(translated)) = (original, leg.state.packet.flow()) else {
            leg.state.memory.opaque = true;
            leg.rewritten("R-NAT-2");
            return vec![leg];
        };
        let ports = if translated.protocol.has_ports() { self.mapped_ports.as_slice() } else { &[0] };
        let with_port = |port: &u16| {
            let source_port = if translated.protocol.has_ports() { *port } else { translated.source_port };
            let mapped = Flow { source_port, ..translated };
            let mut leg = leg.clone();
            leg.state.packet = Packet::of(&mapped);
            leg.state.memory.mappings.push(Mapping { nat, original, mapped });
            leg.rewritten("R-NAT-2");
            leg
        };
        ports.iter().map(with_port).collect()
    }

    /// R-NAT-4, R-NAT-9: on from the gateway.
    fn after_nat(&self, leg: Leg, id: NatId, vpc: VpcId) -> Vec<Branch> {
        let Some(nat) = self.network.nat(id) else { return Vec::new() };
        match (nat.regional, nat.subnet, leg.state.packet.source) {
            (true, _, Field::Is(IpAddr::V4(public))) => {
                self.to_nat_tables(leg, id, vpc, None, Entrance::RegionalNat { nat: id, public })
            }
            (false, Some(subnet), _) => self.out_of_nat(leg, id, vpc, subnet),
            _ => leg.dropped("R-NAT-1", "the subnet of the NAT gateway is not known"),
        }
    }

    fn to_nat_tables(
        &self,
        mut leg: Leg,
        id: NatId,
        vpc: VpcId,
        from: Option<SubnetId>,
        entry: Entrance,
    ) -> Vec<Branch> {
        let tables = leg.take(self.network.nat_tables(id, self.world));
        self.to_tables(leg, &tables, vpc, from, entry)
    }

    /// R-NACL-7, R-ROUTE-2, A-14: out of a zonal gateway. To its own subnet the permissive world sees no list, and
    /// both ways of delivery; the restrictive one both directions of the list.
    fn out_of_nat(&self, mut leg: Leg, id: NatId, vpc: VpcId, subnet: SubnetId) -> Vec<Branch> {
        let blocks = self.network.subnet_blocks(subnet, self.world);
        let inside = |ip| blocks.iter().any(|block| block.contains(&ip));
        let destination = leg.state.packet.destination;
        let on_link = destination.passes(self.world, inside);
        let mut branches = Vec::new();
        if on_link {
            leg.assume(&[14]);
            if self.world == World::Over {
                branches.extend(self.on_the_link(leg.clone(), vpc, subnet, None));
            } else if !self.enters(&mut leg, subnet) {
                return vec![leg.fail(Disposition::DeniedIn)];
            }
        }
        let exempt = on_link && self.world == World::Over && destination != Field::Any;
        if !exempt && !self.leaves(&mut leg, subnet) {
            branches.push(leg.fail(Disposition::DeniedOut));
            return branches;
        }
        branches.extend(self.to_nat_tables(leg, id, vpc, Some(subnet), Entrance::Plain));
        branches
    }

    /// R-NACL-6: over the subnet's boundary, outwards.
    pub(super) fn leaves(&self, leg: &mut Leg, subnet: SubnetId) -> bool {
        leg.visit(HopKind::Subnet, &self.network.subnet(subnet).meta.id);
        let ruling = self.acl(subnet, Direction::Out, &leg.state.packet);
        leg.ruled(ruling)
    }

    /// R-NAT-5: the answer to a translated packet, which is translated back.
    pub(super) fn nat_return(&self, mut leg: Leg, id: NatId, from: Option<SubnetId>) -> Vec<Branch> {
        let gateway = &self.network.snapshot.nat_gateways[id];
        let (Some(nat), Some(vpc)) = (self.network.nat(id), self.network.nat_vpc(id)) else {
            return leg.dropped("R-NAT-1", "the NAT gateway is not known");
        };
        let zonal = nat.subnet.filter(|_| !nat.regional);
        if let (Some(subnet), World::Under) = (zonal.filter(|_| from == zonal), self.world) {
            leg.assume(&[14]);
            if !self.enters(&mut leg, subnet) {
                return vec![leg.fail(Disposition::DeniedIn)];
            }
        }
        leg.visit(HopKind::NatGateway, &gateway.meta.id);
        let Some(answer) = self.translated_back(&mut leg, id) else {
            return leg.dropped("R-NAT-5", "answers nothing that it did not ask for");
        };
        leg.state.packet = Packet::of(&answer);
        leg.state.origin = Origin::Local;
        leg.rewritten("R-NAT-5");
        match zonal {
            Some(subnet) => self.out_of_nat(leg, id, vpc, subnet),
            None => self.to_nat_tables(leg, id, vpc, None, Entrance::Plain),
        }
    }

    fn translated_back(&self, leg: &mut Leg, id: NatId) -> Option<Flow> {
        let mapping = leg.state.memory.mappings.pop().filter(|mapping| mapping.nat == id)?;
        let expected = mapping.mapped.reply()?;
        if leg.state.packet.may_be(&expected) { mapping.original.reply() } else { None }
    }
}

/// R-NAT-8: the IPv4 address inside one of 64:ff9b::/96.
fn embedded(destination: Field<IpAddr>) -> Field<IpAddr> {
    match destination {
        Field::Is(IpAddr::V6(ip)) => Field::Is(IpAddr::V4(low_bits(ip))),
        other => other,
    }
}

fn low_bits(ip: Ipv6Addr) -> Ipv4Addr {
    let [.., a, b, c, d] = ip.octets();
    Ipv4Addr::new(a, b, c, d)
}

/// R-NAT-8: an ICMPv6 echo becomes an ICMP one.
fn four(transport: Field<Transport>) -> Field<Transport> {
    match transport {
        Field::Is(it) if it.protocol == Protocol::ICMPV6 => {
            Field::Is(Transport { protocol: Protocol::ICMP, source_port: 0, port: 8 })
        }
        other => other,
    }
}
