//! What else could decide pairs, on a sample of the same pairs: binary decision diagrams of the same filters, and
//! packets walked one by one.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use biodivine_lib_bdd::op_function::and;
use biodivine_lib_bdd::{Bdd, BddVariable, BddVariableSet};
use ipnet::IpNet;
use reachproof_engine::header::Family;
use reachproof_engine::matrix::{Matrix, Station};
use reachproof_engine::network::{Network, SourcePlace};
use reachproof_engine::trace::delivers;
use reachproof_model::flow::{Flow, Protocol, World};
use reachproof_model::id::{EniId, Ref};
use reachproof_model::snapshot::{GroupPeer, GroupRule};
use reachproof_model::traffic::Traffic;

use crate::common::line::{Amounts, ratio, time};

/// Senders and receivers of the sample.
const SAMPLE: usize = 24;

/// An interface with one of its IPv4 addresses.
type End = (EniId, Ipv4Addr);

/// Some interfaces, spread evenly over all classes.
fn sample(matrix: &Matrix) -> Vec<End> {
    let members: Vec<&[EniId]> = matrix.classes().map(|(_, class)| class.members.as_slice()).collect();
    let v4: Vec<Station> =
        matrix.stations().map(|(_, station)| station).filter(|row| row.family == Family::V4).collect();
    let step = (v4.len() / SAMPLE).max(1);
    let end = |row: &Station| {
        let member = members.get(row.class.position())?.first()?;
        Some((*member, Ipv4Addr::from(u32::try_from(row.address).ok()?)))
    };
    v4.iter().step_by(step).filter_map(end).collect()
}

fn pairs(ends: &[End]) -> impl Iterator<Item = (End, End)> + '_ {
    ends.iter().flat_map(|from| ends.iter().filter(move |to| from.0 != to.0).map(move |to| (*from, *to)))
}

/// Packets to one port, walked one by one with their replies.
pub(crate) fn walked(network: &Network<'_>, matrix: &Matrix, rate: f64) {
    let ends = sample(matrix);
    let start = Instant::now();
    let (mut count, mut arrive) = (0_usize, 0_usize);
    for (from, to) in pairs(&ends) {
        let (source, destination) = (IpAddr::V4(from.1), IpAddr::V4(to.1));
        let flow = Flow { source, destination, protocol: Protocol::TCP, source_port: 49152, port: 443 };
        let ends = delivers(network, World::Under, SourcePlace::Interface(from.0), &flow);
        arrive += usize::from(!ends.is_empty());
        count += 1;
    }
    let each = start.elapsed().as_secs_f64() / count.max(1) as f64;
    let text = format!(
        "walking one packet of each of {count} pairs takes {} a packet ({arrive} arrive); the matrix decides all ports of \
         {:.0} pairs in that time",
        time(each),
        rate * each
    );
    ratio("matrix", Amounts::of(network.snapshot), &text);
}

/// Binary diagrams over source, destination, protocol and port, one variable a bit.
struct Binary {
    variables: BddVariableSet,
    fields: [Vec<BddVariable>; 4],
}

impl Binary {
    fn new() -> Self {
        let variables = BddVariableSet::new_anonymous(32 + 32 + 8 + 16);
        let mut all = variables.variables().into_iter();
        let fields = [32, 32, 8, 16].map(|width| all.by_ref().take(width).collect());
        Self { variables, fields }
    }

    fn at_most(&self, bits: &[BddVariable], bound: u64) -> Bdd {
        bits.iter().rev().enumerate().fold(self.variables.mk_true(), |below, (place, bit)| {
            let zero = self.variables.mk_not_var(*bit);
            if bound >> place & 1 == 1 { zero.or(&below) } else { zero.and(&below) }
        })
    }

    /// The headers with each field in an interval: source, destination, protocol, port.
    fn held(&self, intervals: [(u64, u64); 4]) -> Bdd {
        self.fields.iter().zip(intervals).fold(self.variables.mk_true(), |all, (bits, (lo, hi))| {
            let lower =
                lo.checked_sub(1).map_or(self.variables.mk_false(), |below| self.at_most(bits, below));
            self.at_most(bits, hi).and_not(&lower).and(&all)
        })
    }

    /// What the groups of an interface let in or out, by its rules about IPv4 blocks.
    fn groups(&self, network: &Network<'_>, id: EniId, egress: bool) -> Bdd {
        let groups = network.groups(id).unwrap_or_default().into_iter().filter_map(Ref::known);
        let records = groups.filter_map(|group| network.snapshot.groups.get(group));
        let rules = records.flat_map(|row| if egress { &row.egress } else { &row.ingress }).flatten();
        rules.fold(self.variables.mk_false(), |all, rule| {
            blocks(network, rule)
                .iter()
                .fold(all, |all, block| all.or(&self.rule(rule.traffic, *block, egress)))
        })
    }

    fn rule(&self, traffic: Traffic, block: IpNet, egress: bool) -> Bdd {
        let number = |ip: IpAddr| if let IpAddr::V4(ip) = ip { u64::from(u32::from(ip)) } else { 0 };
        let (peer, any) = ((number(block.network()), number(block.broadcast())), (0, u64::from(u32::MAX)));
        let (protocol, port) = match traffic {
            Traffic::Ports { protocol, from, to } => {
                ((protocol.0.into(), protocol.0.into()), (from.into(), to.into()))
            }
            Traffic::Protocol(protocol) | Traffic::Refused(protocol) | Traffic::Icmp { protocol, .. } => {
                ((protocol.0.into(), protocol.0.into()), (0, 65535))
            }
            Traffic::All | Traffic::Unknown => ((0, 255), (0, 65535)),
        };
        self.held(if egress { [any, peer, protocol, port] } else { [peer, any, protocol, port] })
    }
}

fn blocks(network: &Network<'_>, rule: &GroupRule) -> Vec<IpNet> {
    let blocks = match &rule.peer {
        GroupPeer::Cidr(block) => vec![*block],
        GroupPeer::PrefixList(list) => network.list_blocks(list).0.to_vec(),
        GroupPeer::Group(_) | GroupPeer::Unknown => Vec::new(),
    };
    blocks.into_iter().filter(|block| block.addr().is_ipv4()).collect()
}

/// The groups of both ends as binary diagrams, ready made, met for each pair of addresses.
pub(crate) fn binary(network: &Network<'_>, matrix: &Matrix, rate: f64) {
    let ends = sample(matrix);
    let binary = Binary::new();
    let filters: Vec<[Bdd; 2]> = ends
        .iter()
        .map(|(id, ip)| {
            let own = u64::from(u32::from(*ip));
            let (any, service) = ((0, u64::from(u32::MAX)), [(0, 255), (0, 65535)]);
            let from = binary.held([(own, own), any, service[0], service[1]]);
            let to = binary.held([any, (own, own), service[0], service[1]]);
            [binary.groups(network, *id, true).and(&from), binary.groups(network, *id, false).and(&to)]
        })
        .collect();
    let start = Instant::now();
    let (mut count, mut meeting) = (0_usize, 0_usize);
    for [out, _] in &filters {
        for [_, into] in &filters {
            let met = Bdd::check_binary_op(usize::MAX, out, into, and).is_some_and(|(some, _)| some);
            meeting += usize::from(met);
            count += 1;
        }
    }
    let each = start.elapsed().as_secs_f64() / count.max(1) as f64;
    let text = format!(
        "binary decision diagrams of the group filters alone, built before, take {} a pair ({meeting} of {count} meet); the \
         matrix decides {:.2} pairs in that time, chains and replies included",
        time(each),
        rate * each
    );
    ratio("matrix", Amounts::of(network.snapshot), &text);
}
