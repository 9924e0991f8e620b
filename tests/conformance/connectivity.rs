//! Everything that passes in a network, as a list: what is listed arrives, what is not does not, header by header.
//!
//! Compared are all ordered pairs of running interfaces of one VPC, and each of them with the internet, over TCP and UDP
//! with ports from 1 and all of ICMP. Nothing is sampled: both sides are sets of headers.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use reachproof_engine::evidence::TraceVerdict;
use reachproof_engine::header::{Arena, Family, Field, Set};
use reachproof_engine::network::{Network, Sink, SourcePlace};
use reachproof_engine::reach::{Delivery, Explored, Reach, Request, classes};
use reachproof_engine::trace::{Query, trace};
use reachproof_model::flow::Question;
use reachproof_model::id::EniId;
use reachproof_model::snapshot::AssociationEvidence;
use serde_json::Value;

use crate::cases::{Case, items, text};
use crate::headers::{Interval, among, arriving, block, host};
use crate::summary::{Outcome, Summary};

/// One end of a listed connection.
#[derive(Clone, PartialEq, Eq)]
enum End {
    Interface(EniId),
    Internet(Vec<Interval>),
}

/// One listed connection.
struct Row {
    number: usize,
    from: End,
    to: End,
    protocols: Vec<Interval>,
    source_ports: Vec<Interval>,
    ports: Vec<Interval>,
    answered: bool,
}

/// A comparison: of what, which kind, and how it came out.
type Found = (String, &'static str, Outcome);

/// Compares every pair of a network with the list.
pub fn compare(reach: &Reach<'_, '_>, case: &Case, summary: &mut Summary) {
    let network = reach.network();
    let rows: Vec<Row> =
        items(&case.expect, "allowed").enumerate().map(|(number, row)| read(network, number, row)).collect();
    let interfaces = running(network);
    let internet = SourcePlace::Internet;
    let sources = interfaces.iter().copied().map(SourcePlace::Interface).chain([internet]);
    for place in sources {
        let explored =
            reach.explore(&classes(network, &[place]), &Request::of(Question::Connection), |explored| {
                from_one(network, &rows, &interfaces, place, explored)
            });
        for (check, kind, outcome) in explored.expect("within limits").into_iter().flatten().flatten() {
            summary.add(case, &check, kind, outcome);
        }
    }
}

/// The interfaces of running instances; others are not in the list.
fn running(network: &Network<'_>) -> Vec<EniId> {
    let is_running = |id: &EniId| {
        let instance = network.instance_of(*id).map(|instance| &network.snapshot.instances[instance]);
        instance.is_some_and(|instance| instance.state.as_deref() == Some("running"))
    };
    network.snapshot.interfaces.ids().filter(is_running).collect()
}

fn read(network: &Network<'_>, number: usize, row: &Value) -> Row {
    let numbers = |key: &str| items(row, key).map(interval).collect();
    let protocol = |name: &Value| {
        let name = name.as_str().expect("a protocol");
        let number = reachproof_model::policy::protocol(name).expect("a protocol").0.into();
        (number, number)
    };
    Row {
        number,
        from: end(network, &row["src"]),
        to: end(network, &row["dst"]),
        protocols: items(row, "protocols").map(protocol).collect(),
        source_ports: numbers("src_ports"),
        ports: numbers("dst_ports"),
        answered: row["tcp_response_permitted"].as_bool().expect("whether replies pass"),
    }
}

fn interval(pair: &Value) -> Interval {
    let bound = |index: usize| pair[index].as_u64().expect("a port").into();
    (bound(0), bound(1))
}

fn end(network: &Network<'_>, side: &Value) -> End {
    if text(side, "kind") == "internet" {
        let listed: Vec<Interval> = items(side, "cidrs")
            .map(|cidr| block(cidr.as_str().and_then(|cidr| cidr.parse().ok()).expect("a block")))
            .collect();
        return End::Internet(if side["cidrs"] == "all" { public() } else { listed });
    }
    let ip: IpAddr = text(side, "ip").parse().expect("an address");
    let named =
        network.snapshot.interfaces.iter().filter(|(_, row)| row.addresses.iter().any(|own| own.ip == ip));
    let ids: Vec<EniId> = named.map(|(id, _)| id).collect();
    assert_eq!(ids.len(), 1, "{ip} is one interface's address");
    End::Interface(*ids.first().expect("one"))
}

/// Public IPv4 space, without the block of the cases' own public addresses.
fn public() -> Vec<Interval> {
    const SPECIAL: [&str; 14] = [
        "0.0.0.0/8",
        "1.0.0.0/24",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    ];
    let mut found = Vec::new();
    let mut next = 0;
    for special in SPECIAL {
        let (lo, hi) = block(IpNet::V4(special.parse::<Ipv4Net>().expect("a block")));
        if next < lo {
            found.push((next, lo - 1));
        }
        next = hi + 1;
    }
    found
}

fn from_one(
    network: &Network<'_>,
    rows: &[Row],
    interfaces: &[EniId],
    place: SourcePlace,
    mut explored: Explored<'_>,
) -> Vec<Found> {
    if explored.family != Family::V4 {
        return Vec::new();
    }
    let deliveries = explored.deliveries();
    let mut pairs = Pairs { network, arena: explored.arena, deliveries, place };
    let mut found = Vec::new();
    for sink in pairs.sinks(interfaces) {
        found.extend(pairs.compare(rows, sink));
    }
    found
}

fn is_between(row: &Row, place: SourcePlace, sink: Sink) -> bool {
    let from = match (&row.from, place) {
        (End::Interface(id), SourcePlace::Interface(own)) => *id == own,
        (End::Internet(_), SourcePlace::Internet) => true,
        _ => false,
    };
    let to = match (&row.to, sink) {
        (End::Interface(id), Sink::Interface(own)) => *id == own,
        (End::Internet(_), Sink::Internet) => true,
        _ => false,
    };
    from && to
}

/// One source with everything that it reaches.
struct Pairs<'p, 's> {
    network: &'p Network<'s>,
    arena: &'p mut Arena,
    deliveries: Vec<Delivery>,
    place: SourcePlace,
}

impl Pairs<'_, '_> {
    /// The other ends that the source is compared with.
    fn sinks(&self, interfaces: &[EniId]) -> Vec<Sink> {
        let SourcePlace::Interface(own) = self.place else {
            return interfaces.iter().copied().map(Sink::Interface).collect();
        };
        let vpc = |id: EniId| &self.network.interface(id).vpc;
        let others = interfaces.iter().filter(|id| **id != own && vpc(**id) == vpc(own));
        others.copied().map(Sink::Interface).chain([Sink::Internet]).collect()
    }

    fn compare(&mut self, rows: &[Row], sink: Sink) -> Vec<Found> {
        let (place, domain) = (self.place, self.domain(sink));
        let arriving = arriving(self.arena, &self.deliveries, domain, &[sink]);
        let (over, under) = (arriving.over, arriving.under);
        let mut found = Vec::new();
        let mut listed = Set::EMPTY;
        for row in rows.iter().filter(|row| is_between(row, place, sink)) {
            let area = self.area(row, domain);
            listed = self.arena.union(listed, area);
            let name = format!("allowed #{}", row.number);
            found.push((name.clone(), "listed", self.all_of(area, over, under, sink)));
            found.extend(self.answered(row, area, sink).map(|outcome| (name, "tcp reply", outcome)));
        }
        let more_under = self.arena.difference(under, listed);
        let more_over = self.arena.difference(over, listed);
        let outcome = match (self.arena.pick(more_under), self.arena.pick(more_over)) {
            (Some(header), _) => Outcome::Contradicted(format!("{:?} arrives", header.flow(Family::V4))),
            (None, Some(header)) => Outcome::Unknown(format!("{:?} may arrive", header.flow(Family::V4))),
            (None, None) => Outcome::Agrees,
        };
        found.push((self.name(sink), "nothing else", outcome));
        found
    }

    fn name(&self, sink: Sink) -> String {
        let named = |id: EniId| self.network.interface(id).meta.id.to_string();
        let from = match self.place {
            SourcePlace::Interface(id) => named(id),
            _ => "internet".to_owned(),
        };
        let to = match sink {
            Sink::Interface(id) => named(id),
            _ => "internet".to_owned(),
        };
        format!("{from} to {to}")
    }

    /// The headers that the list is about: everything else is neither expected nor excluded.
    fn domain(&mut self, sink: Sink) -> Set {
        let from = match self.place {
            SourcePlace::Interface(id) => vec![self.primary(id)],
            _ => public(),
        };
        let to = match (sink, self.place) {
            (Sink::Interface(id), SourcePlace::Interface(_)) => vec![self.primary(id)],
            (Sink::Interface(_), _) => vec![(0, Family::V4.greatest_address())],
            _ => public(),
        };
        let transport = self.traffic(&[(6, 6), (17, 17)], &[(1, 65535)], &[(1, 65535)]);
        let icmp = self.traffic(&[(1, 1)], &[(0, 255)], &[(0, 255)]);
        let traffic = self.arena.union(transport, icmp);
        let addresses = among(self.arena, Family::V4, &[(Field::Source, &from), (Field::Destination, &to)]);
        let domain = self.arena.intersection(traffic, addresses);
        let (Sink::Interface(id), SourcePlace::Internet) = (sink, self.place) else { return domain };
        let wrong = self.public_addresses(id, AssociationEvidence::Indirect);
        self.arena.difference(domain, wrong)
    }

    fn primary(&self, id: EniId) -> Interval {
        host(self.network.interface(id).addresses.first().expect("an address").ip)
    }

    fn traffic(&mut self, protocols: &[Interval], source_ports: &[Interval], ports: &[Interval]) -> Set {
        let fields = [(Field::Protocol, protocols), (Field::SourcePort, source_ports), (Field::Port, ports)];
        among(self.arena, Family::V4, &fields)
    }

    /// The headers of one listed connection, as they are sent: from the internet to a public address.
    fn area(&mut self, row: &Row, domain: Set) -> Set {
        let (icmp, transport): (Vec<Interval>, Vec<Interval>) =
            row.protocols.iter().partition(|protocol| **protocol == (1, 1));
        let transport = self.traffic(&transport, &row.source_ports, &row.ports);
        let icmp = self.traffic(&icmp, &[(0, 255)], &[(0, 255)]);
        let traffic = self.arena.union(transport, icmp);
        let from = match &row.from {
            End::Internet(blocks) => among(self.arena, Family::V4, &[(Field::Source, blocks)]),
            End::Interface(_) => Set::FULL,
        };
        let to = match (&row.to, self.place) {
            (End::Internet(blocks), _) => among(self.arena, Family::V4, &[(Field::Destination, blocks)]),
            (End::Interface(id), SourcePlace::Internet) => {
                self.public_addresses(*id, AssociationEvidence::Direct)
            }
            (End::Interface(_), _) => Set::FULL,
        };
        [traffic, from, to].into_iter().fold(domain, |area, part| self.arena.intersection(area, part))
    }

    /// The public addresses of an interface by evidence: its own word, or only that of its instance's record, which
    /// these cases have wrong.
    fn public_addresses(&mut self, id: EniId, evidence: AssociationEvidence) -> Set {
        let rows = self.network.interface(id).public.iter().filter(|row| row.evidence == evidence);
        let own: Vec<Interval> = rows.map(|row| host(IpAddr::V4(row.public))).collect();
        among(self.arena, Family::V4, &[(Field::Destination, &own)])
    }

    /// Whether all of an area arrives, and one header of it in the concrete evaluator, too.
    fn all_of(&mut self, area: Set, over: Set, under: Set, sink: Sink) -> Outcome {
        if area.is_empty() {
            return Outcome::Contradicted(
                "no header is meant: the interface has no public address".to_owned(),
            );
        }
        let never = self.arena.difference(area, over);
        if let Some(header) = self.arena.pick(never) {
            return Outcome::Contradicted(format!("{:?} does not arrive", header.flow(Family::V4)));
        }
        let unsure = self.arena.difference(area, under);
        if let Some(header) = self.arena.pick(unsure) {
            return Outcome::Unknown(format!("{:?} may not arrive", header.flow(Family::V4)));
        }
        let flow = self.arena.pick(area).and_then(|header| header.flow(Family::V4)).expect("a header");
        let query = Query { from: self.place, flow, goal: Some(sink), question: Question::Packet };
        match trace(self.network, &query).verdict {
            TraceVerdict::Reaches => Outcome::Agrees,
            other => Outcome::Contradicted(format!("the trace of {flow:?} is {other:?}")),
        }
    }

    /// Whether the replies to the TCP of an area come back, all of them or none; nothing if it holds no TCP.
    fn answered(&mut self, row: &Row, area: Set, sink: Sink) -> Option<Outcome> {
        let tcp = among(self.arena, Family::V4, &[(Field::Protocol, &[(6, 6)])]);
        let asked = self.arena.intersection(area, tcp);
        if asked.is_empty() {
            return None;
        }
        let replies: Vec<Delivery> = self
            .deliveries
            .iter()
            .map(|delivery| Delivery {
                over: delivery.answered_over,
                under: delivery.answered_under,
                ..*delivery
            })
            .collect();
        let back = arriving(self.arena, &replies, asked, &[sink]);
        let outcome = match row.answered {
            true if back.under == asked => Outcome::Agrees,
            true if back.over != asked => Outcome::Contradicted("some reply does not come back".to_owned()),
            false if back.over.is_empty() => Outcome::Agrees,
            false if !back.under.is_empty() => Outcome::Contradicted("some reply comes back".to_owned()),
            _ => Outcome::Unknown("some reply may come back".to_owned()),
        };
        Some(outcome)
    }
}
