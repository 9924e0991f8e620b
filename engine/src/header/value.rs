//! Fields of a header, single headers and boxes of headers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reachproof_model::flow::{Flow, Protocol};

/// The address family of a header; it fixes the domain of the two address fields.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Family {
    /// Addresses from 0 to 2^32 - 1.
    V4,
    /// Addresses from 0 to 2^128 - 1.
    V6,
}

impl Family {
    /// The family of an address.
    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    /// The greatest address of the family.
    pub fn greatest_address(self) -> u128 {
        match self {
            Self::V4 => u128::from(u32::MAX),
            Self::V6 => u128::MAX,
        }
    }

    /// The address that a number stands for; the greatest one if there is none.
    pub fn address(self, value: u128) -> IpAddr {
        match self {
            Self::V4 => Ipv4Addr::from(u32::try_from(value).unwrap_or(u32::MAX)).into(),
            Self::V6 => Ipv6Addr::from(value).into(),
        }
    }
}

/// A field of a header. The order is the order of the levels of a diagram.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Field {
    /// Destination address.
    Destination,
    /// Source address.
    Source,
    /// IP protocol, 0 to 255.
    Protocol,
    /// Destination port or ICMP type, 0 to 65535.
    Port,
    /// Source port or ICMP code, 0 to 65535.
    SourcePort,
    /// The source port that a NAT gateway chose, 0 to 65535.
    MappedPort,
    /// Which of several places a header started at, where these are explored at once, 0 to 65535. No packet has it and no
    /// rule asks for it.
    Start,
}

impl Field {
    /// How many fields there are.
    pub const COUNT: usize = 7;
    /// All fields, in the order of the levels.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Destination,
        Self::Source,
        Self::Protocol,
        Self::Port,
        Self::SourcePort,
        Self::MappedPort,
        Self::Start,
    ];
}

/// One value for each field.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub(super) struct PerField<T>([T; Field::COUNT]);

impl<T: Copy> PerField<T> {
    pub(super) const fn new(values: [T; Field::COUNT]) -> Self {
        Self(values)
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "INVARIANT (field count): the discriminants are 0 to COUNT - 1"
    )]
    pub(super) fn get(&self, field: Field) -> T {
        self.0[field as usize]
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "INVARIANT (field count): the discriminants are 0 to COUNT - 1"
    )]
    pub(super) fn set(&mut self, field: Field, value: T) {
        self.0[field as usize] = value;
    }
}

/// The greatest value of each field; the least is always 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Domain(PerField<u128>);

impl Domain {
    pub(super) const fn new(greatest: [u128; Field::COUNT]) -> Self {
        Self(PerField::new(greatest))
    }

    pub(super) fn of(family: Family) -> Self {
        let (address, port) = (family.greatest_address(), u128::from(u16::MAX));
        Self::new([address, address, u128::from(u8::MAX), port, port, port, port])
    }

    pub(super) fn greatest(&self, field: Field) -> u128 {
        self.0.get(field)
    }

    /// The greatest value of the field at a level; 0 below the last field.
    pub(super) fn greatest_at(&self, level: u8) -> u128 {
        Field::ALL.get(usize::from(level)).map_or(0, |field| self.greatest(*field))
    }
}

/// One concrete header: a value for each field.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Header(PerField<u128>);

impl Header {
    /// The value of a field.
    pub fn value(&self, field: Field) -> u128 {
        self.0.get(field)
    }

    /// The same header with another value of one field.
    #[must_use]
    pub fn with(mut self, field: Field, value: u128) -> Self {
        self.0.set(field, value);
        self
    }

    /// The header of a flow; [`Field::MappedPort`] and [`Field::Start`], which flows do not have, are 0.
    pub fn of(flow: &Flow) -> Self {
        Self::default()
            .with(Field::Destination, address_value(flow.destination))
            .with(Field::Source, address_value(flow.source))
            .with(Field::Protocol, u128::from(flow.protocol.0))
            .with(Field::Port, u128::from(flow.port))
            .with(Field::SourcePort, u128::from(flow.source_port))
    }

    /// The flow with this header, without what flows do not have; `None` iff a value is outside its field's domain.
    pub fn flow(&self, family: Family) -> Option<Flow> {
        Some(Flow {
            source: address(family, self.value(Field::Source))?,
            destination: address(family, self.value(Field::Destination))?,
            protocol: Protocol(u8::try_from(self.value(Field::Protocol)).ok()?),
            source_port: u16::try_from(self.value(Field::SourcePort)).ok()?,
            port: u16::try_from(self.value(Field::Port)).ok()?,
        })
    }
}

fn address_value(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

fn address(family: Family, value: u128) -> Option<IpAddr> {
    match family {
        Family::V4 => Some(Ipv4Addr::from(u32::try_from(value).ok()?).into()),
        Family::V6 => Some(Ipv6Addr::from(value).into()),
    }
}

/// The headers that have each field within one interval.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct HeaderBox(PerField<(u128, u128)>);

impl HeaderBox {
    /// Every header of a family.
    pub fn full(family: Family) -> Self {
        Self::whole(&Domain::of(family))
    }

    pub(super) fn whole(domain: &Domain) -> Self {
        Self(PerField::new(Field::ALL.map(|field| (0, domain.greatest(field)))))
    }

    /// The same box with the inclusive interval `lo..=hi` for one field; no header is in it if `lo > hi`.
    #[must_use]
    pub fn with(mut self, field: Field, lo: u128, hi: u128) -> Self {
        self.0.set(field, (lo, hi));
        self
    }

    /// The inclusive interval of a field.
    pub fn interval(&self, field: Field) -> (u128, u128) {
        self.0.get(field)
    }

    /// Whether a header is in the box.
    pub fn contains(&self, header: &Header) -> bool {
        Field::ALL.into_iter().all(|field| {
            let (lo, hi) = self.interval(field);
            (lo..=hi).contains(&header.value(field))
        })
    }

    /// Whether no header is in the box.
    pub fn is_empty(&self) -> bool {
        Field::ALL.into_iter().any(|field| self.interval(field).0 > self.interval(field).1)
    }

    /// The least header of the box, field by field; it is in the box iff the box is not empty.
    pub fn least(&self) -> Header {
        Header(PerField::new(Field::ALL.map(|field| self.interval(field).0)))
    }
}
