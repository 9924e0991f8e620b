//! The two ends of a trace: one interface, one address outside.

use std::net::IpAddr;

use ipnet::IpNet;

use super::pattern::Pattern;
use super::selector::{Groups, Selector, SelectorError, Term};

/// One end of a trace, as written after `--from` or `--to`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TracePoint {
    /// A party on the internet, at this address if one is given.
    Internet(Option<IpAddr>),
    /// A party in a network beyond a gateway.
    Beyond {
        /// The id of the gateway or attachment; any gateway to another network where `None` (`onprem`).
        gateway: Option<Box<str>>,
        /// Its address, if one is given.
        address: Option<IpAddr>,
    },
    /// An address, or a selector that has to match one interface.
    Selector(Selector),
}

/// Reads one end of a trace.
///
/// An id may hold colons: `SubnetId:27` is an id, `vgw-1:192.168.0.5` and `vgw-1:2001:db8::1` are an address beyond a
/// gateway.
pub fn trace_point(text: &str) -> Result<TracePoint, SelectorError> {
    let selector = Selector::parse(text, &Groups::new())?;
    let [term] = selector.terms.as_slice() else { return Ok(TracePoint::Selector(selector)) };
    if !selector.except.is_empty() {
        return Ok(TracePoint::Selector(selector));
    }
    match term {
        Term::Internet(range) => Ok(TracePoint::Internet(one_address(*range)?)),
        Term::Onprem { gateway, addresses } => Ok(TracePoint::Beyond {
            gateway: one_gateway(gateway.as_ref())?,
            address: one_address(*addresses)?,
        }),
        Term::Address(range) => one_address(Some(*range)).map(|_| TracePoint::Selector(selector)),
        _ => Ok(TracePoint::Selector(selector)),
    }
}

fn one_address(range: Option<IpNet>) -> Result<Option<IpAddr>, SelectorError> {
    match range {
        None => Ok(None),
        Some(range) if range.prefix_len() == range.max_prefix_len() => Ok(Some(range.addr())),
        Some(range) => {
            Err(SelectorError::new(format!("a trace takes one address, found the range `{range}`")))
        }
    }
}

fn one_gateway(gateway: Option<&Pattern>) -> Result<Option<Box<str>>, SelectorError> {
    let Some(pattern) = gateway else { return Ok(None) };
    match pattern.literal() {
        Some(id) => Ok(Some(id.into())),
        None => Err(SelectorError::new(format!("a trace takes one gateway, found the glob `{pattern}`"))),
    }
}
