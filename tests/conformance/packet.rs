//! One concrete packet: its verdict from both evaluators, where it ends, its path, and its reply.

use reachproof_engine::evidence::{Disposition, Hop, Trace, TraceVerdict};
use reachproof_engine::header::{Family, Header};
use reachproof_engine::network::Network;
use reachproof_engine::reach::{Reach, Request, classes};
use reachproof_engine::region::Spot;
use reachproof_engine::trace::{Query, trace};
use reachproof_model::flow::{Flow, Protocol, Question};
use serde_json::Value;

use crate::cases::{Case, items, text};
use crate::summary::{Outcome, Summary};
use crate::{ends, path, router};

/// Compares everything that a check says about one packet.
pub fn compare(reach: &Reach<'_, '_>, case: &Case, check: &Value, summary: &mut Summary) {
    let name = text(check, "name");
    let query = match query(reach.network(), check) {
        Ok(query) => query,
        Err(why) => return summary.add(case, name, "verdict", Outcome::Contradicted(why)),
    };
    let found = trace(reach.network(), &query);
    let verdict = verdict(check, &found);
    summary.add(case, name, "evaluators", both_evaluators(reach, &query, &found));
    summary.add(case, name, "verdict", verdict.clone());
    if verdict == Outcome::Agrees {
        for (kind, outcome) in details(reach.network(), check, &query, &found) {
            summary.add(case, name, kind, outcome);
        }
    }
}

/// What both evaluators say about the packet of a check.
pub fn verdict_of_both(reach: &Reach<'_, '_>, check: &Value) -> Outcome {
    let query = match query(reach.network(), check) {
        Ok(query) => query,
        Err(why) => return Outcome::Contradicted(why),
    };
    let found = trace(reach.network(), &query);
    match both_evaluators(reach, &query, &found) {
        Outcome::Agrees => verdict(check, &found),
        disagreement => disagreement,
    }
}

/// The packet of a check.
fn query(network: &Network<'_>, check: &Value) -> Result<Query, String> {
    let (from, source) = ends::source(network, &check["from"])?;
    let destination =
        ends::destination(network, from, &check["to"]).ok_or("the destination has no address")?;
    let protocol = ends::protocol(check).unwrap_or(Protocol::TCP);
    let number = |key: &str| check[key].as_u64().and_then(|number| u16::try_from(number).ok());
    let (source_port, port) = match protocol {
        protocol if protocol.has_ports() => {
            (number("src_port").unwrap_or(49152), number("dst_port").unwrap_or(443))
        }
        protocol if protocol.is_icmp() => {
            (number("icmp_code").unwrap_or(0), number("icmp_type").unwrap_or(8))
        }
        _ => (0, 0),
    };
    let flow = Flow { source, destination, protocol, source_port, port };
    Ok(Query { from, flow, goal: None, question: Question::Packet })
}

fn verdict(check: &Value, found: &Trace) -> Outcome {
    match (text(check, "expect"), found.verdict) {
        ("reaches", TraceVerdict::Reaches) | ("blocked", TraceVerdict::Blocked) => Outcome::Agrees,
        (_, TraceVerdict::Unknown) => {
            Outcome::Unknown(format!("{:?} {:?}", found.assumptions, found.reasons))
        }
        (expected, other) => Outcome::Contradicted(format!(
            "expected {expected}, found {other:?} ({:?})",
            found.forward.disposition
        )),
    }
}

/// Whether the symbolic evaluator says the same about this header. A trace may be more careful than its walk.
fn both_evaluators(reach: &Reach<'_, '_>, query: &Query, found: &Trace) -> Outcome {
    let header = Header::of(&query.flow);
    let request = Request::of(Question::Packet);
    let home = Spot::source_of(query.from).map(Spot::sink);
    let explored = reach.explore(&classes(reach.network(), &[query.from]), &request, |mut explored| {
        let fits = explored.family == Family::of(query.flow.source);
        let rows = explored.deliveries();
        let any = |over: bool| {
            let away = rows.iter().filter(|row| Some(row.sink) != home);
            let mut sets = away.map(|row| if over { row.over } else { row.under });
            fits && sets.any(|set| explored.arena.contains(set, &header))
        };
        (any(true), any(false))
    });
    let rows = explored.expect("within limits");
    let any = |pick: fn(&(bool, bool)) -> bool| rows.iter().flatten().any(pick);
    let symbolic = match (any(|row| row.0), any(|row| row.1)) {
        (_, true) => TraceVerdict::Reaches,
        (false, false) => TraceVerdict::Blocked,
        (true, false) => TraceVerdict::Unknown,
    };
    if symbolic == found.verdict || found.verdict == TraceVerdict::Unknown {
        return Outcome::Agrees;
    }
    Outcome::Contradicted(format!("trace says {:?}, reach {symbolic:?}", found.verdict))
}

/// What a check says besides the verdict.
fn details(
    network: &Network<'_>,
    check: &Value,
    query: &Query,
    found: &Trace,
) -> Vec<(&'static str, Outcome)> {
    let hops = &found.forward.hops;
    let mut rows = Vec::new();
    if let Some(place) = check["blocked_at"].as_str() {
        rows.push(("blocked at", outcome(path::ends_at(network, place, hops))));
    }
    if check["path"].is_array() {
        rows.push(("path", along(network, check, &check["path"], hops)));
    }
    match text(check, "blocked_by") {
        "security-group-ingress" => rows.push(("blocked by", outcome(by_group_on_the_way_in(found)))),
        "" => {}
        other => {
            rows.push(("blocked by", Outcome::Skipped(format!("`{other}` is a name of the other tool"))))
        }
    }
    for change in items(check, "transforms") {
        rows.push(("translation", outcome(translated(change, query, hops))));
    }
    if check["filters_at"].is_object() {
        rows.push(("filters", outcome(filtered(network, &check["filters_at"], hops))));
    }
    if check["return_expect"].is_string() {
        rows.extend(reply(network, check, query));
    }
    rows
}

fn outcome(result: Result<(), String>) -> Outcome {
    result.map_or_else(Outcome::Contradicted, |()| Outcome::Agrees)
}

fn along(network: &Network<'_>, check: &Value, theirs: &Value, hops: &[Hop]) -> Outcome {
    match path::follows(network, theirs, hops) {
        Err(why) if check["path_is_one_of_many"].as_bool() == Some(true) => {
            Outcome::Skipped(format!("one of several equal paths, and ours is another: {why}"))
        }
        result => outcome(result),
    }
}

fn by_group_on_the_way_in(found: &Trace) -> Result<(), String> {
    let last = found.forward.hops.last().and_then(|hop| hop.decisions.last());
    match last {
        Some(decision)
            if found.forward.disposition == Disposition::DeniedIn && decision.rule.starts_with("R-SG-") =>
        {
            Ok(())
        }
        other => Err(format!("{:?} by {other:?}", found.forward.disposition)),
    }
}

/// A translation: the address that a field has when the packet leaves the place, and had before.
fn translated(change: &Value, query: &Query, hops: &[Hop]) -> Result<(), String> {
    let field = |flow: &Flow| match text(change, "field") {
        "src_ip" => flow.source.to_string(),
        _ => flow.destination.to_string(),
    };
    let position = hops.iter().position(|hop| *hop.node == *text(change, "node"));
    let position = position.ok_or_else(|| format!("{} is not on the path", text(change, "node")))?;
    let before =
        position.checked_sub(1).and_then(|index| hops.get(index)).map_or(&query.flow, |hop| &hop.header);
    let after = hops.get(position).map(|hop| &hop.header).ok_or("no such hop")?;
    if (field(before), field(after)) == (text(change, "before").to_owned(), text(change, "after").to_owned())
    {
        return Ok(());
    }
    Err(format!("{} becomes {}", field(before), field(after)))
}

/// Which filters judge the packet at the places that the check lists; at no other subnet does a network ACL.
fn filtered(network: &Network<'_>, theirs: &Value, hops: &[Hop]) -> Result<(), String> {
    for hop in hops {
        let filters = listed(network, theirs, hop);
        let judges = |rule: &str| hop.decisions.iter().any(|decision| decision.rule.starts_with(rule));
        let names = |kind: &str| filters.iter().flatten().any(|filter| filter.starts_with(kind));
        let groups_differ = filters.is_some() && judges("R-SG-") != names("security-group-");
        let lists_differ = judges("R-NACL-") != names("nacl-") && *hop.node != *router::SUBNET;
        if groups_differ || lists_differ {
            return Err(format!("at {}: expected {filters:?}, found {:?}", hop.node, hop.decisions));
        }
    }
    Ok(())
}

/// The filters that a check lists at a place; `None` if it does not list the place.
fn listed<'v>(network: &Network<'_>, theirs: &'v Value, hop: &Hop) -> Option<Vec<&'v str>> {
    let (_, filters) = theirs.as_object()?.iter().find(|(name, _)| path::is(network, hop, name))?;
    Some(filters.as_array().into_iter().flatten().filter_map(Value::as_str).collect())
}

/// The reply, with the state that the packet left behind.
fn reply(network: &Network<'_>, check: &Value, query: &Query) -> Vec<(&'static str, Outcome)> {
    let found = trace(network, &Query { question: Question::Connection, ..*query });
    let expected =
        if text(check, "return_expect") == "reaches" { TraceVerdict::Reaches } else { TraceVerdict::Blocked };
    let answer = match found.verdict {
        verdict if verdict == expected => Outcome::Agrees,
        TraceVerdict::Unknown => Outcome::Unknown(format!("{:?} {:?}", found.assumptions, found.reasons)),
        other => Outcome::Contradicted(format!("expected {expected:?}, found {other:?}")),
    };
    let mut rows = vec![("reply", answer)];
    if check["return_path"].is_array() {
        let hops = found.reply.map(|walk| walk.hops).unwrap_or_default();
        rows.push(("reply path", along(network, check, &check["return_path"], &hops)));
    }
    rows
}
