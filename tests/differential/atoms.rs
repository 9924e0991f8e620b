//! The atoms of a network: classes of headers that nothing in its description tells apart, by one representative each.
//!
//! A description mentions blocks, addresses and ports. Between two neighbouring bounds nothing changes, so one address
//! or port of each such cell stands for all. Bounds that AWS fixes are added: special blocks, routers, DNS, the ports
//! that NAT gateways choose from.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use reachproof_engine::network::{Network, SourcePlace, SpecialBlock, infrastructure_ports};
use reachproof_engine::region::{Spot, neighbours};
use reachproof_model::flow::{Flow, Protocol};
use reachproof_scenarios::Scenario;
use serde_json::Value;

use crate::compare::Questions;

/// Protocol, source port (or ICMP code) and port (or ICMP type).
type Transport = (Protocol, u16, u16);

/// Representatives of each field.
pub(crate) struct Atoms {
    v4: Vec<IpAddr>,
    v6: Vec<IpAddr>,
    transports: Vec<Transport>,
}

/// The first values of the cells of one field.
#[derive(Default)]
struct Bounds {
    v4: BTreeSet<u32>,
    v6: BTreeSet<u128>,
    ports: BTreeSet<u16>,
}

impl Atoms {
    /// The atoms of the network that a scenario describes.
    pub(crate) fn of(scenario: &Scenario) -> Self {
        let mut bounds = Bounds::default();
        bounds.add_fixed();
        for document in scenario.documents() {
            bounds.read("", &document.json);
        }
        let v4 = middles(&bounds.v4.iter().map(|value| u128::from(*value)).collect(), u128::from(u32::MAX));
        let v6 = middles(&bounds.v6, u128::MAX);
        let ports =
            middles(&bounds.ports.iter().map(|port| u128::from(*port)).collect(), u128::from(u16::MAX));
        let ports: Vec<u16> = ports.into_iter().map(|port| u16::try_from(port).unwrap()).collect();
        Self {
            v4: v4.into_iter().map(|ip| IpAddr::V4(Ipv4Addr::from(u32::try_from(ip).unwrap()))).collect(),
            v6: v6.into_iter().map(|ip| IpAddr::V6(Ipv6Addr::from(ip))).collect(),
            transports: transports(&ports),
        }
    }

    /// At most `limit` headers of each source of the network, one an atom: all if they are fewer, else some that are
    /// spread evenly, half of them to addresses that somebody has.
    pub(crate) fn questions(&self, network: &Network<'_>, limit: usize) -> Questions {
        let places = sources(network);
        places.into_iter().map(|place| (place, self.flows(network, place, limit))).collect()
    }

    fn flows(&self, network: &Network<'_>, place: SourcePlace, limit: usize) -> Vec<Flow> {
        let senders = self.senders(network, place);
        let owned = owned(network);
        let mut flows = self.combined(&senders, &owned, limit / 2);
        let anywhere: Vec<IpAddr> = self.v4.iter().chain(&self.v6).copied().collect();
        flows.extend(self.combined(&senders, &anywhere, limit / 2));
        flows.sort_unstable();
        flows.dedup();
        flows
    }

    /// Addresses that a source sends with: an interface its own, others any.
    fn senders(&self, network: &Network<'_>, place: SourcePlace) -> Vec<IpAddr> {
        let SourcePlace::Interface(id) = place else {
            return self.v4.iter().chain(&self.v6).copied().collect();
        };
        let interface = network.interface(id);
        let addresses = interface.addresses.iter().map(|address| address.ip);
        addresses.chain(interface.prefixes.iter().map(|block| block.network())).collect()
    }

    fn combined(&self, from: &[IpAddr], to: &[IpAddr], limit: usize) -> Vec<Flow> {
        let pairs = from.iter().flat_map(|source| to.iter().map(move |destination| (*source, *destination)));
        let pairs: Vec<_> = pairs
            .filter(|(source, destination)| {
                source.is_ipv4() == destination.is_ipv4() && source != destination
            })
            .collect();
        let all = pairs.len() * self.transports.len();
        spread(all, limit)
            .map(|number| {
                let (source, destination) = pairs[number / self.transports.len()];
                let (protocol, source_port, port) = self.transports[number % self.transports.len()];
                Flow { source, destination, protocol, source_port, port }
            })
            .collect()
    }
}

/// Up to `limit` of the numbers below `all`, without pattern but always the same.
fn spread(all: usize, limit: usize) -> impl Iterator<Item = usize> {
    let count = all.min(limit);
    let step = move |number: usize| {
        if all <= limit { number } else { number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % all }
    };
    (0..count).map(step)
}

/// Whatever can send: interfaces, the internet, networks that the snapshot leads to and does not show, components.
pub(crate) fn sources(network: &Network<'_>) -> Vec<SourcePlace> {
    let mut places = BTreeSet::from([SourcePlace::Internet]);
    places.extend(network.snapshot.interfaces.ids().map(SourcePlace::Interface));
    places.extend(neighbours(network).into_iter().filter_map(Spot::source));
    places.extend(network.components().ids().map(SourcePlace::Component));
    places.into_iter().collect()
}

/// The addresses that somebody has, private and public.
fn owned(network: &Network<'_>) -> Vec<IpAddr> {
    let interfaces = || network.snapshot.interfaces.values();
    let private = interfaces().flat_map(|interface| interface.addresses.iter().map(|address| address.ip));
    let public = interfaces().flat_map(|interface| interface.public.iter().map(|row| IpAddr::V4(row.public)));
    BTreeSet::from_iter(private.chain(public)).into_iter().collect()
}

fn transports(ports: &[u16]) -> Vec<Transport> {
    let with_ports = [Protocol::TCP, Protocol::UDP].into_iter().flat_map(|protocol| {
        ports
            .iter()
            .flat_map(move |port| ports.iter().map(move |source_port| (protocol, *source_port, *port)))
    });
    let icmp =
        [0, 3, 8, 13].into_iter().flat_map(|kind| [(Protocol::ICMP, 0, kind), (Protocol::ICMP, 1, kind)]);
    let icmp_v6 = [128, 129, 1].map(|kind| (Protocol::ICMPV6, 0, kind));
    let others = [47, 50].map(|number| (Protocol(number), 0, 0));
    with_ports.chain(icmp).chain(icmp_v6).chain(others).collect()
}

/// One value of each cell: neither the first nor the last where there is a choice, so that missing bounds show.
fn middles(firsts: &BTreeSet<u128>, greatest: u128) -> Vec<u128> {
    let ends = firsts.iter().skip(1).map(|next| next - 1).chain([greatest]);
    firsts.iter().zip(ends).map(|(first, last)| first + (last - first) / 2).collect()
}

impl Bounds {
    fn add_fixed(&mut self) {
        use SpecialBlock as Special;
        let special = [
            Special::PrivateV4,
            Special::BogonV4,
            Special::PrivateV6,
            Special::NotGlobalV6,
            Special::UnroutableV4,
            Special::UnroutableV6,
            Special::ReservedV4,
            Special::DocumentationV4,
            Special::DocumentationV6,
            Special::LatticeV4,
            Special::LatticeV6,
            Special::Nat64,
        ];
        special.into_iter().flat_map(SpecialBlock::blocks).for_each(|block| self.add(block));
        infrastructure_ports().into_iter().for_each(|(ip, ..)| self.add(IpNet::from(ip)));
        self.v4.insert(0);
        self.v6.insert(0);
        self.ports.insert(0);
        self.add_ports(53, 53);
        self.add_ports(1024, u16::MAX);
    }

    fn read(&mut self, key: &str, value: &Value) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(key, value)| self.read(key, value)),
            Value::Array(items) => items.iter().for_each(|item| self.read(key, item)),
            Value::String(text) => self.read_text(key, text),
            Value::Number(number) if ["From", "To", "FromPort", "ToPort"].contains(&key) => {
                if let Some(port) = number.as_u64().and_then(|port| u16::try_from(port).ok()) {
                    self.add_ports(port, port);
                }
            }
            _ => {}
        }
    }

    fn read_text(&mut self, key: &str, text: &str) {
        if let Ok(block) = text.parse::<IpNet>() {
            self.add(block);
        } else if let Ok(ip) = text.parse::<IpAddr>() {
            self.add(IpNet::from(ip));
        } else if let Some((from, to)) = text.split_once('-').filter(|_| key.ends_with("PortRange")) {
            self.add_ports(from.parse().unwrap(), to.parse().unwrap());
        }
    }

    fn add_ports(&mut self, from: u16, to: u16) {
        self.ports.extend([Some(from), to.checked_add(1)].into_iter().flatten());
    }

    /// The bounds of a block, of its router, DNS and reserved address, and of itself inside 64:ff9b::/96.
    fn add(&mut self, block: IpNet) {
        match block {
            IpNet::V4(block) => {
                let (first, last) = (u32::from(block.network()), u32::from(block.broadcast()));
                self.v4.extend([Some(first), last.checked_add(1)].into_iter().flatten());
                if (8..=28).contains(&block.prefix_len()) {
                    self.v4.extend((1..=4).map(|offset| first + offset));
                }
                if block.prefix_len() >= 24 {
                    let base = u128::from(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0));
                    self.v6.extend([base + u128::from(first), base + u128::from(last) + 1]);
                }
            }
            IpNet::V6(block) => {
                let (first, last) = (u128::from(block.network()), u128::from(block.broadcast()));
                self.v6.extend([Some(first), last.checked_add(1)].into_iter().flatten());
                if (40..=64).contains(&block.prefix_len()) {
                    self.v6.extend((1..=3).map(|offset| first + offset));
                }
            }
        }
    }
}
