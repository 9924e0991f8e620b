//! From options, or a line of a flows file, to what is asked of a trace.

use std::fmt::Display;
use std::net::IpAddr;

use reachproof_engine::point::Fields;
use reachproof_model::flow::{Flow, Protocol, Question};
use reachproof_model::ingest::Input;
use reachproof_model::policy::{self, TracePoint, TrafficSpec, trace_point};
use serde::Deserialize;
use serde_json::Number;

use crate::arguments::{ReachArguments, TraceArguments};
use crate::exit::Failure;

/// The source port of a trace that names none: the first of the dynamic range.
const SOURCE_PORT: u16 = 49152;

/// One packet to trace, its ends not yet found in a snapshot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TraceRequest {
    /// Who sends.
    pub from: TracePoint,
    /// Who is to receive.
    pub to: TracePoint,
    /// The rest of the header.
    pub header: HeaderRequest,
    /// What is asked.
    pub question: Question,
    /// The line of a file that asks it, as `<file>:<line>: `; empty if the options do.
    pub place: String,
}

/// A header without addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeaderRequest {
    protocol: Protocol,
    source_port: Option<u16>,
    port: Option<u16>,
    /// Whether `icmp` was written, which is ICMPv6 between IPv6 addresses.
    either_icmp: bool,
}

/// The same words as the options of `trace`, as a line of a flows file has them.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FlowLine {
    from: String,
    to: String,
    protocol: Option<ProtocolWord>,
    source_port: Option<Number>,
    port: Option<Number>,
    icmp_type: Option<Number>,
    icmp_code: Option<Number>,
    question: Option<Question>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a protocol by name or number")]
enum ProtocolWord {
    Number(Number),
    Name(String),
}

/// The parts of a header as they were given.
#[derive(Clone, Copy, Debug, Default)]
struct Given<'a> {
    protocol: Option<&'a str>,
    source_port: Option<u16>,
    port: Option<u16>,
    icmp_type: Option<u8>,
    icmp_code: Option<u8>,
}

/// The one packet that the options describe.
pub fn of_options(arguments: &TraceArguments) -> Result<TraceRequest, Failure> {
    let given = Given {
        protocol: arguments.protocol.as_deref(),
        source_port: arguments.source_port,
        port: arguments.port,
        icmp_type: arguments.icmp_type,
        icmp_code: arguments.icmp_code,
    };
    Ok(TraceRequest {
        from: end("--from", arguments.from.as_deref().unwrap_or_default())?,
        to: end("--to", arguments.to.as_deref().unwrap_or_default())?,
        header: HeaderRequest::new(given).map_err(Failure::new)?,
        question: arguments.question,
        place: String::new(),
    })
}

/// The packets of a flows file, one a line; blank lines are skipped. `question` holds where a line does not say.
pub fn of_flows(file: &Input, question: Question) -> Result<Vec<TraceRequest>, Failure> {
    let mut requests = Vec::new();
    for (index, line) in file.bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let place = format!("{}:{}: ", file.name, index + 1);
        let request = of_line(line, question).map_err(|message| Failure::new(format!("{place}{message}")))?;
        requests.push(TraceRequest { place, ..request });
    }
    Ok(requests)
}

fn of_line(line: &[u8], question: Question) -> Result<TraceRequest, String> {
    let line: FlowLine = serde_json::from_slice(line).map_err(|error| {
        // The line within the line is always 1.
        error.to_string().replace(" at line 1 column", " at column")
    })?;
    let protocol = line.protocol.map(|word| match word {
        ProtocolWord::Number(number) => number.to_string(),
        ProtocolWord::Name(name) => name,
    });
    let given = Given {
        protocol: protocol.as_deref(),
        source_port: within("source_port", line.source_port, u16::MAX)?,
        port: within("port", line.port, u16::MAX)?,
        icmp_type: within("icmp_type", line.icmp_type, u8::MAX)?,
        icmp_code: within("icmp_code", line.icmp_code, u8::MAX)?,
    };
    Ok(TraceRequest {
        from: end("from", &line.from).map_err(|failure| failure.to_string())?,
        to: end("to", &line.to).map_err(|failure| failure.to_string())?,
        header: HeaderRequest::new(given)?,
        question: line.question.unwrap_or(question),
        place: String::new(),
    })
}

/// The number, if it is whole and from 0 to `highest`.
fn within<T>(name: &str, number: Option<Number>, highest: T) -> Result<Option<T>, String>
where
    T: TryFrom<u64> + Display,
{
    let Some(number) = number else { return Ok(None) };
    let fitting = number.as_u64().and_then(|whole| T::try_from(whole).ok());
    let message = || format!("{name}: expected a number from 0 to {highest}, found {number}");
    fitting.ok_or_else(message).map(Some)
}

fn end(name: &str, text: &str) -> Result<TracePoint, Failure> {
    trace_point(text).map_err(|error| Failure::new(format!("{name}: {error}")))
}

impl HeaderRequest {
    fn new(given: Given<'_>) -> Result<Self, String> {
        let protocol = given.protocol()?;
        given.fitting(protocol)?;
        let icmp = protocol.is_icmp();
        Ok(Self {
            protocol,
            source_port: if icmp { given.icmp_code.map(u16::from) } else { given.source_port },
            port: if icmp { given.icmp_type.map(u16::from) } else { given.port },
            either_icmp: icmp && matches!(given.protocol, None | Some("icmp")),
        })
    }

    /// The fields, before the ends are known.
    pub fn fields(&self) -> Fields {
        Fields { protocol: self.protocol, source_port: self.source_port, port: self.port }
    }

    /// The header between two addresses of one family.
    pub fn between(&self, source: IpAddr, destination: IpAddr) -> Flow {
        let protocol = match self.protocol {
            Protocol::ICMP if self.either_icmp && destination.is_ipv6() => Protocol::ICMPV6,
            protocol => protocol,
        };
        let (source_port, port) = match protocol {
            Protocol::ICMP => (0, 8),
            Protocol::ICMPV6 => (0, 128),
            protocol if protocol.has_ports() => (SOURCE_PORT, 0),
            _ => (0, 0),
        };
        Flow {
            source,
            destination,
            protocol,
            source_port: self.source_port.unwrap_or(source_port),
            port: self.port.unwrap_or(port),
        }
    }
}

impl Given<'_> {
    /// The protocol, or the one that the other parts imply.
    fn protocol(&self) -> Result<Protocol, String> {
        match self.protocol {
            Some(text) => policy::protocol(text).ok_or_else(|| {
                format!(
                    "expected a protocol such as tcp, udp, icmp or a number from 0 to 255, found `{text}`"
                )
            }),
            None if self.port.is_some() => Ok(Protocol::TCP),
            None if self.icmp_type.is_some() => Ok(Protocol::ICMP),
            None => Err("expected a protocol, a port or an ICMP type, found none of them".to_owned()),
        }
    }

    /// Whether the parts are those that headers of the protocol have.
    fn fitting(&self, protocol: Protocol) -> Result<(), String> {
        let name = policy::protocol_name(protocol);
        let has_port = self.port.is_some() || self.source_port.is_some();
        let has_type = self.icmp_type.is_some() || self.icmp_code.is_some();
        if has_port && !protocol.has_ports() {
            return Err(format!("expected no port, found one: protocol {name} has none"));
        }
        if has_type && !protocol.is_icmp() {
            return Err(format!("expected no ICMP type or code, found one: the protocol is {name}"));
        }
        if self.icmp_code.is_some() && self.icmp_type.is_none() {
            return Err("expected an ICMP type beside the code, found none".to_owned());
        }
        if protocol.has_ports() && self.port.is_none() {
            return Err(format!("expected a port for {name}, found none"));
        }
        Ok(())
    }
}

/// The headers that `reach` is limited to; empty for every header.
pub fn traffic(arguments: &ReachArguments) -> Result<Vec<TrafficSpec>, Failure> {
    let mut specs = Vec::new();
    for text in &arguments.protocol {
        let Some(protocol) = policy::protocol(text.trim()) else {
            let message = format!(
                "--protocol: expected tcp, udp, icmp, icmpv6 or a number from 0 to 255, found `{text}`"
            );
            return Err(Failure::new(message));
        };
        if arguments.port.is_empty() {
            specs.push(TrafficSpec::Protocol(protocol));
        }
        for port in &arguments.port {
            specs.push(TrafficSpec::within(protocol, port.trim()).map_err(port_failure)?);
        }
    }
    if arguments.protocol.is_empty() {
        for port in &arguments.port {
            specs.push(TrafficSpec::parse(port.trim()).map_err(port_failure)?);
        }
    }
    specs.sort();
    specs.dedup();
    Ok(specs)
}

fn port_failure(message: String) -> Failure {
    Failure::new(format!("--port: {message}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flows(text: &str) -> Result<Vec<TraceRequest>, String> {
        let file = Input { name: "f.jsonl".to_owned(), bytes: text.as_bytes().to_vec() };
        of_flows(&file, Question::Packet).map_err(|failure| failure.to_string())
    }

    /// The header of a line with these members, between two IPv4 or IPv6 addresses.
    fn header(members: &str, address: &str) -> Flow {
        let line = format!("{{\"from\":\"any\",\"to\":\"any\",{members}}}");
        let address = address.parse().unwrap();
        flows(&line).unwrap()[0].header.between(address, address)
    }

    fn refused(members: &str) -> String {
        flows(&format!("{{\"from\":\"any\",\"to\":\"any\",{members}}}")).unwrap_err()
    }

    #[test]
    fn a_header_has_defaults() {
        let parts = |flow: Flow| (flow.protocol, flow.source_port, flow.port);
        let v4 = |members: &str| parts(header(members, "10.0.0.1"));
        assert_eq!(v4("\"port\":443"), (Protocol::TCP, 49152, 443));
        assert_eq!(v4("\"protocol\":\"udp\",\"port\":53,\"source_port\":5"), (Protocol::UDP, 5, 53));
        assert_eq!(v4("\"protocol\":\"icmp\""), (Protocol::ICMP, 0, 8));
        assert_eq!(v4("\"icmp_type\":3,\"icmp_code\":4"), (Protocol::ICMP, 4, 3));
        assert_eq!(v4("\"protocol\":47"), (Protocol(47), 0, 0));
        assert_eq!(v4("\"protocol\":\"6\",\"port\":22"), (Protocol::TCP, 49152, 22));
        assert_eq!(parts(header("\"protocol\":\"icmp\"", "2001:db8::1")), (Protocol::ICMPV6, 0, 128));
        assert_eq!(parts(header("\"protocol\":\"1\"", "2001:db8::1")), (Protocol::ICMP, 0, 8));
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let cases = [
            (
                "\"question\":\"packet\"",
                "f.jsonl:1: expected a protocol, a port or an ICMP type, found none of them",
            ),
            ("\"protocol\":\"tcp\"", "f.jsonl:1: expected a port for tcp, found none"),
            (
                "\"protocol\":\"icmp\",\"port\":1",
                "f.jsonl:1: expected no port, found one: protocol icmp has none",
            ),
            (
                "\"port\":1,\"icmp_type\":8",
                "f.jsonl:1: expected no ICMP type or code, found one: the protocol is tcp",
            ),
            (
                "\"protocol\":\"icmp\",\"icmp_code\":8",
                "f.jsonl:1: expected an ICMP type beside the code, found none",
            ),
            (
                "\"protocol\":\"tpc\"",
                "f.jsonl:1: expected a protocol such as tcp, udp, icmp or a number from 0 to 255, found `tpc`",
            ),
            (
                "\"prot\":1",
                "f.jsonl:1: unknown field `prot`, expected one of `from`, `to`, `protocol`, `source_port`, `port`, `icmp_type`, `icmp_code`, `question` at column 31",
            ),
        ];
        for (members, message) in cases {
            assert_eq!(refused(members), message);
        }
    }

    #[test]
    fn lines_keep_their_order_and_their_question() {
        let text = "{\"from\":\"internet\",\"to\":\"i-1\",\"port\":1}\n\n{\"from\":\"i-1\",\"to\":\"internet:203.0.113.5\",\"port\":2,\"question\":\"connection\"}\n";
        let requests = flows(text).unwrap();
        assert_eq!(requests.len(), 2);
        assert_eq!(requests[0].from, TracePoint::Internet(None));
        assert_eq!((requests[0].question, requests[1].question), (Question::Packet, Question::Connection));
        assert!(flows("{}\n").unwrap_err().starts_with("f.jsonl:1: missing field `from`"));
        let message = flows("{\"from\":\"internet:x\",\"to\":\"any\",\"port\":1}").unwrap_err();
        assert_eq!(message, "f.jsonl:1: from: expected an address or CIDR after `internet:`, found `x`");
    }
}
