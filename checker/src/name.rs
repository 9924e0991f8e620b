//! Places and headers in words, for the one message that a rejection is.

use std::net::{Ipv4Addr, Ipv6Addr};

use reachproof_model::certificate::{Area, Family, Location, Place, Sender, Site};

use crate::area::Interval;
use crate::net::Net;

/// A location, by the ids of what is there.
pub(crate) fn location_name(net: &Net<'_>, location: &Location) -> String {
    let s = net.s;
    let attachment = |id| &net.attachment(id).meta.id;
    let site = match &location.site {
        Site::Route { table, vpc, from } => {
            let table = table.map_or("an unknown table", |table| &s.route_tables[table].meta.id);
            let from = from.map(|subnet| format!(" from {}", s.subnets[subnet].meta.id)).unwrap_or_default();
            format!("{table} of {}{from}", s.vpcs[*vpc].meta.id)
        }
        Site::Internet => "the internet".to_owned(),
        Site::Transit(by) => format!("the transit gateway behind {}", attachment(*by)),
        Site::Exit { by, to } => format!("the exit by {} from {}", attachment(*to), attachment(*by)),
    };
    let sender = match &location.sender {
        Sender::Nobody => "",
        Sender::Anyone => ", with any groups",
        Sender::Groups(_) => ", with the sender's groups",
    };
    format!("{site}{sender}")
}

/// A place, by its id.
pub(crate) fn place_name(net: &Net<'_>, place: &Place) -> String {
    let s = net.s;
    match place {
        Place::Interface(id) => s.interfaces[*id].meta.id.to_string(),
        Place::Internet => "internet".to_owned(),
        Place::Gateway { id, .. } | Place::Component(id) => id.to_string(),
        Place::Attachment(id) => s.attachments[*id].meta.id.to_string(),
        Place::Peer(id) => s.peerings[*id].meta.id.to_string(),
        Place::Service(id) => s.endpoints[*id].meta.id.to_string(),
        Place::Unseen(id) => s.subnets[*id].meta.id.to_string(),
    }
}

/// A box of headers.
pub(crate) fn area_text(family: Family, area: &Area) -> String {
    let protocol = range(area.protocol, u8::MAX);
    let (source_port, port) = (range(area.source_port, u16::MAX), range(area.port, u16::MAX));
    let (source, destination) = (addresses(family, area.source), addresses(family, area.destination));
    format!("protocol {protocol} {source} port {source_port} -> {destination} port {port}")
}

fn range<T: PartialEq + From<u8> + std::fmt::Display>((lo, hi): (T, T), greatest: T) -> String {
    if lo == T::from(0) && hi == greatest {
        "any".to_owned()
    } else if lo == hi {
        lo.to_string()
    } else {
        format!("{lo}-{hi}")
    }
}

fn addresses(family: Family, (lo, hi): Interval) -> String {
    let one = |value: u128| match family {
        Family::V4 => {
            u32::try_from(value).map(Ipv4Addr::from).map_or_else(|_| value.to_string(), |ip| ip.to_string())
        }
        Family::V6 => Ipv6Addr::from(value).to_string(),
    };
    if lo == 0 && hi == family.greatest() {
        "any".to_owned()
    } else if lo == hi {
        one(lo)
    } else {
        format!("{}-{}", one(lo), one(hi))
    }
}
