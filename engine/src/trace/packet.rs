//! One packet as the evaluator sees it: concrete, except where an unmodelled component chose a field.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reachproof_model::flow::{Flow, Protocol, World};
use reachproof_model::id::{EniId, GroupId, Ref};
use reachproof_model::traffic::Traffic;

/// One part of a header.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Field<T> {
    /// This value.
    Is(T),
    /// Any value, at the choice of a component. Only in the permissive world.
    Any,
}

impl<T: Copy> Field<T> {
    /// Whether the value passes a test. Read permissively, a value that is not fixed passes every test; read
    /// restrictively, none.
    pub(super) fn passes(self, reading: World, test: impl FnOnce(T) -> bool) -> bool {
        match self {
            Self::Is(value) => test(value),
            Self::Any => reading == World::Over,
        }
    }

    /// The value, if fixed.
    pub(super) fn fixed(self) -> Option<T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Any => None,
        }
    }
}

/// Protocol and ports, as in [`Flow`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Transport {
    pub(super) protocol: Protocol,
    pub(super) source_port: u16,
    pub(super) port: u16,
}

/// A header.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Packet {
    pub(super) source: Field<IpAddr>,
    pub(super) destination: Field<IpAddr>,
    pub(super) transport: Field<Transport>,
}

impl Packet {
    /// Any header: what comes out of a component.
    pub(super) const ANY: Self = Self { source: Field::Any, destination: Field::Any, transport: Field::Any };

    /// The packet with this header.
    pub(super) fn of(flow: &Flow) -> Self {
        let transport = Transport { protocol: flow.protocol, source_port: flow.source_port, port: flow.port };
        Self {
            source: Field::Is(flow.source),
            destination: Field::Is(flow.destination),
            transport: Field::Is(transport),
        }
    }

    /// The header, if every field is fixed.
    pub(super) fn flow(&self) -> Option<Flow> {
        let Transport { protocol, source_port, port } = self.transport.fixed()?;
        let (source, destination) = (self.source.fixed()?, self.destination.fixed()?);
        Some(Flow { source, destination, protocol, source_port, port })
    }

    /// Whether a rule for this traffic matches, in a reading (R-SG-4 … 6, R-NACL-4).
    pub(super) fn carries(&self, traffic: Traffic, reading: World) -> bool {
        traffic == Traffic::All
            || self
                .transport
                .passes(reading, |it| traffic.matches(reading, it.protocol, it.source_port, it.port))
    }

    /// Whether this packet has, or may have, exactly this header.
    pub(super) fn may_be(&self, flow: &Flow) -> bool {
        let wanted = Self::of(flow);
        self.source.passes(World::Over, |_| self.source == wanted.source)
            && self.destination.passes(World::Over, |_| self.destination == wanted.destination)
            && self.transport.passes(World::Over, |_| self.transport == wanted.transport)
    }

    /// A header to show: fields that are not fixed are taken from `example`, as far as it is of the same family.
    pub(super) fn shown(&self, example: &Flow) -> Flow {
        let source = self.source.fixed().unwrap_or(example.source);
        let destination = self.destination.fixed().unwrap_or(example.destination);
        let transport = self.transport.fixed().unwrap_or(Transport {
            protocol: example.protocol,
            source_port: example.source_port,
            port: example.port,
        });
        let (source, destination) = match (source.is_ipv4() == destination.is_ipv4(), self.source) {
            (true, _) => (source, destination),
            (false, Field::Is(_)) => (source, unspecified_like(source)),
            (false, Field::Any) => (unspecified_like(destination), destination),
        };
        let Transport { protocol, source_port, port } = transport;
        Flow { source, destination, protocol, source_port, port }
    }
}

fn unspecified_like(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    }
}

/// Whose security groups an ingress reference sees in the packet: `sgtag` of R-CORE-1.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Tag {
    /// Nobody's: the path cleared the identity (R-SG-10).
    None,
    /// This interface's.
    Of(EniId),
    /// Those of a sender outside the snapshot. Only in the permissive world.
    Stranger,
    /// These, of an interface that the input does not show. Only in the permissive world.
    Hidden(Vec<Ref<GroupId>>),
}
