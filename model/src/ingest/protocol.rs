//! Protocols, ports and ICMP types of filter rules (R-SG-4, R-SG-5, R-SG-6, R-NACL-4).

use super::context::Context;
use super::error::LoadError;
use crate::flow::Protocol;
use crate::source::Source;
use crate::traffic::Traffic;

/// The two numbers of a rule, as the input shows them: port bounds, or ICMP type and code.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Bounds {
    pub(super) from: Option<i64>,
    pub(super) to: Option<i64>,
}

/// What names a protocol.
enum Name {
    All,
    Number(Protocol),
    Unknown,
}

/// The traffic of a security group permission.
pub(super) fn group_traffic(
    (id, source): (&str, &Source),
    protocol: &str,
    bounds: Bounds,
    context: &mut Context<'_>,
) -> Result<Traffic, LoadError> {
    match name((id, source), protocol, context)? {
        Name::All => Ok(Traffic::All),
        Name::Unknown => Ok(Traffic::Unknown),
        Name::Number(protocol) if protocol.has_ports() => {
            if shown(bounds.from).is_none() || shown(bounds.to).is_none() {
                context.notice(id, source, "a port bound is not shown; read as open on that side");
            }
            ports((id, source), protocol, bounds, context)
        }
        Name::Number(protocol) if protocol.is_icmp() => icmp((id, source), protocol, bounds, context),
        Name::Number(protocol) => Ok(Traffic::Protocol(protocol)),
    }
}

/// The traffic of a network ACL entry; `range` and `icmp_type` are `None` if the entry does not show the object.
pub(super) fn acl_traffic(
    (id, source): (&str, &Source),
    protocol: &str,
    (range, icmp_type): (Option<Bounds>, Option<Bounds>),
    context: &mut Context<'_>,
) -> Result<Traffic, LoadError> {
    match (name((id, source), protocol, context)?, range, icmp_type) {
        (Name::All, ..) => Ok(Traffic::All),
        (Name::Unknown, ..) => Ok(Traffic::Unknown),
        (Name::Number(protocol), Some(range), _) if protocol.has_ports() => {
            ports((id, source), protocol, range, context)
        }
        (Name::Number(protocol), _, Some(bounds)) if protocol.is_icmp() => {
            icmp((id, source), protocol, bounds, context)
        }
        (Name::Number(protocol), _, None) if protocol.is_icmp() => {
            context.notice(
                id,
                source,
                "the ICMP entry does not show its type and code; whether it covers all is unknown",
            );
            Ok(Traffic::Refused(protocol))
        }
        (Name::Number(protocol), ..) => Ok(Traffic::Protocol(protocol)),
    }
}

/// R-DATA-8: a protocol by name or by number.
fn name((id, source): (&str, &Source), text: &str, context: &mut Context<'_>) -> Result<Name, LoadError> {
    let known = match text.to_ascii_lowercase().as_str() {
        "-1" | "all" => return Ok(Name::All),
        "tcp" => Protocol::TCP,
        "udp" => Protocol::UDP,
        "icmp" => Protocol::ICMP,
        "icmpv6" => Protocol::ICMPV6,
        other => match other.parse::<i64>() {
            Ok(number) => {
                let number = u8::try_from(number).map_err(|_| {
                    context.error(source, format!("found protocol `{text}`, expected -1 or 0 to 255"))
                })?;
                Protocol(number)
            }
            Err(_) => {
                context.notice(id, source, format!("unknown protocol `{text}`; the rule may match anything"));
                return Ok(Name::Unknown);
            }
        },
    };
    Ok(Name::Number(known))
}

/// `None` if the bound is absent or -1.
fn shown(bound: Option<i64>) -> Option<i64> {
    bound.filter(|bound| *bound != -1)
}

fn ports(
    (id, source): (&str, &Source),
    protocol: Protocol,
    bounds: Bounds,
    context: &mut Context<'_>,
) -> Result<Traffic, LoadError> {
    let port = |bound: Option<i64>, open: u16| match shown(bound) {
        None => Ok(open),
        Some(bound) => u16::try_from(bound)
            .map_err(|_| context.error(source, format!("found port {bound}, expected -1 or 0 to 65535"))),
    };
    let (from, to) = (port(bounds.from, 0)?, port(bounds.to, u16::MAX)?);
    if from > to {
        context.gap(id, source, format!("the port range {from}-{to} is empty, which AWS refuses"));
    }
    Ok(Traffic::Ports { protocol, from, to })
}

fn icmp(
    (id, source): (&str, &Source),
    protocol: Protocol,
    bounds: Bounds,
    context: &mut Context<'_>,
) -> Result<Traffic, LoadError> {
    let number = |bound: Option<i64>, what: &str| match shown(bound) {
        None => Ok(None),
        Some(bound) => u8::try_from(bound).map(Some).map_err(|_| {
            context.error(source, format!("found ICMP {what} {bound}, expected -1 or 0 to 255"))
        }),
    };
    match (number(bounds.from, "type")?, number(bounds.to, "code")?) {
        (None, Some(code)) => {
            context.notice(id, source, format!("ICMP code {code} without a type, which AWS refuses"));
            Ok(Traffic::Refused(protocol))
        }
        (kind, code) => Ok(Traffic::Icmp { protocol, kind, code }),
    }
}
