//! AWS Network Access Analyzer scopes as properties.
//!
//! A scope lists forbidden paths (`MatchPaths`) and paths that do not count (`ExcludePaths`). Each match becomes one
//! `forbid`, or one `only-through` if an exclusion names what paths may pass through. A statement that has no exact
//! counterpart here is an error that says so: leaving it out would change what is claimed.
//!
//! Page: "Network Access Scopes" of the Network Access Analyzer guide. The analyzer knows IPv4, TCP and UDP only; a
//! converted scope without ports is about every header of both families.

use ipnet::IpNet;

use super::document::{Fault, Node, Value};
use super::fields::Fields;
use super::traffic::{self, TrafficSpec};
use super::{Ends, FilePlace, Form, Pattern, Property, Selector, Term};
use crate::flow::Protocol;

/// What the analyzer's own interface wraps a scope in.
const WRAPPER: &str = "NetworkInsightsAccessScopeContent";
const SCOPE: [&str; 3] = ["NetworkInsightsAccessScopeId", "MatchPaths", "ExcludePaths"];
const PATH: [&str; 3] = ["Source", "Destination", "ThroughResources"];
const HEADER: [&str; 7] = [
    "SourceAddresses",
    "DestinationAddresses",
    "SourcePorts",
    "DestinationPorts",
    "SourcePrefixLists",
    "DestinationPrefixLists",
    "Protocols",
];

/// How many match paths times excluded conditions a scope may have, since every property repeats the exclusions.
const MAX_PRODUCT: usize = 1_000_000;

/// Whether the document is a scope.
pub(super) fn recognised(root: &Node) -> bool {
    let scope = scope(root);
    scope.field("MatchPaths").is_some() || scope.field("ExcludePaths").is_some()
}

/// One property for each match path, named after the file and the place of the path in it.
pub(super) fn properties(root: &Node, file: &str) -> Result<Vec<Property>, Fault> {
    let fields = Fields::open(scope(root), "an access scope", &SCOPE)?;
    let matches = fields.require("MatchPaths")?;
    let exclusions = exclusions(fields.get("ExcludePaths"))?;
    let paths = list(matches)?;
    if paths.is_empty() {
        return Err(matches.fault("expected at least one path, found an empty list"));
    }
    if paths.len().saturating_mul(exclusions.len()) > MAX_PRODUCT {
        return Err(matches.fault(format!(
            "{} paths with {} excluded conditions are more than the limit of {MAX_PRODUCT} combinations",
            paths.len(),
            exclusions.len()
        )));
    }
    paths
        .iter()
        .enumerate()
        .map(|(index, path)| property(path, &exclusions, format!("{file}#/MatchPaths/{index}"), file))
        .collect()
}

fn scope(root: &Node) -> &Node {
    root.field(WRAPPER).unwrap_or(root)
}

fn property(path: &Node, exclusions: &Exclusions, name: String, file: &str) -> Result<Property, Fault> {
    let fields = Fields::open(path, "a path", &PATH)?;
    if let Some(through) = present(&fields, "ThroughResources") {
        return Err(unsupported(through, "`ThroughResources` in a match path"));
    }
    let (from, from_traffic) = end(present(&fields, "Source"), "SourceAddresses")?;
    let (to, to_traffic) = end(present(&fields, "Destination"), "DestinationAddresses")?;
    if !from_traffic.is_empty() && !to_traffic.is_empty() {
        return Err(unsupported(path, "ports or protocols on both ends of a path"));
    }
    let ends =
        Ends { from, to, except_from: selector(&exclusions.from), except_to: selector(&exclusions.to) };
    let form = match selector(&exclusions.through) {
        Some(through) => Form::OnlyThrough { ends, through },
        None => Form::Forbid(ends),
    };
    Ok(Property {
        name: name.into(),
        why: None,
        controls: Vec::new(),
        severity: None,
        question: form.default_question(),
        form,
        traffic: [from_traffic, to_traffic].concat(),
        including_replies: false,
        strict: false,
        place: FilePlace { file: file.into(), place: path.place },
    })
}

/// What the exclusions take away, each list a union.
#[derive(Default)]
struct Exclusions {
    from: Vec<Term>,
    to: Vec<Term>,
    through: Vec<Term>,
}

impl Exclusions {
    fn len(&self) -> usize {
        self.from.len() + self.to.len() + self.through.len()
    }
}

/// An exclusion with one condition has a counterpart; one with several (this source *and* that destination) has none.
fn exclusions(node: Option<&Node>) -> Result<Exclusions, Fault> {
    let mut all = Exclusions::default();
    let Some(node) = node.filter(|node| !matches!(node.value, Value::Nothing)) else { return Ok(all) };
    for path in list(node)? {
        let fields = Fields::open(path, "a path", &PATH)?;
        let ends = (present(&fields, "Source"), present(&fields, "Destination"));
        match (ends, present(&fields, "ThroughResources")) {
            ((Some(source), None), None) => all.from.extend(excluded_end(source, "SourceAddresses")?),
            ((None, Some(destination)), None) => {
                all.to.extend(excluded_end(destination, "DestinationAddresses")?);
            }
            ((None, None), Some(through)) => all.through.extend(through_terms(through)?),
            ((None, None), None) => {
                return Err(
                    path.fault("expected a condition in the path, found none: it would exclude everything")
                );
            }
            _ => return Err(unsupported(path, "an exclusion with more than one condition")),
        }
    }
    Ok(all)
}

fn excluded_end(node: &Node, addresses: &str) -> Result<Vec<Term>, Fault> {
    let (selector, traffic) = end(Some(node), addresses)?;
    if traffic.is_empty() {
        Ok(selector.terms)
    } else {
        Err(unsupported(node, "ports or protocols in an exclusion"))
    }
}

/// The endpoints and headers of a path statement.
fn end(node: Option<&Node>, addresses: &str) -> Result<(Selector, Vec<TrafficSpec>), Fault> {
    let Some(node) = node else { return Ok((Selector::any(), Vec::new())) };
    let fields = Fields::open(node, "a path statement", &["ResourceStatement", "PacketHeaderStatement"])?;
    let resources = present(&fields, "ResourceStatement").map(resources).transpose()?;
    let Some(header) = present(&fields, "PacketHeaderStatement") else {
        let terms = resources.ok_or_else(|| node.fault("expected a statement, found none"))?;
        return Ok((selector(&terms).unwrap_or_else(Selector::any), Vec::new()));
    };
    let fields = Fields::open(header, "a packet header statement", &HEADER)?;
    for name in HEADER {
        let known = [addresses, "DestinationPorts", "Protocols"].contains(&name);
        if let (false, Some(node)) = (known, present(&fields, name)) {
            return Err(unsupported(node, &format!("`{name}` here")));
        }
    }
    let terms = match present(&fields, addresses) {
        Some(ranges) => within(resources, &read_ranges(ranges)?, ranges)?,
        None => resources.unwrap_or_else(|| vec![Term::Any]),
    };
    let traffic = read_traffic(present(&fields, "Protocols"), present(&fields, "DestinationPorts"))?;
    Ok((selector(&terms).unwrap_or_else(Selector::any), traffic))
}

/// The ids, ARNs or types of a resource statement.
fn resources(node: &Node) -> Result<Vec<Term>, Fault> {
    let fields = Fields::open(node, "a resource statement", &["Resources", "ResourceTypes"])?;
    match (present(&fields, "Resources"), present(&fields, "ResourceTypes")) {
        (Some(ids), None) => texts(ids)?.into_iter().map(|(node, id)| exact_id(node, id)).collect(),
        (None, Some(types)) => texts(types)?.into_iter().map(|(node, kind)| of_type(node, kind)).collect(),
        _ => Err(node.fault("expected either `Resources` or `ResourceTypes`")),
    }
}

fn exact_id(node: &Node, id: &str) -> Result<Term, Fault> {
    let escaped: String = id
        .chars()
        .flat_map(|character| "*?[\\".contains(character).then_some('\\').into_iter().chain([character]))
        .collect();
    Pattern::parse(&escaped).map(Term::Id).map_err(|message| node.fault(message))
}

fn of_type(node: &Node, kind: &str) -> Result<Term, Fault> {
    match kind {
        "AWS::EC2::InternetGateway" => Ok(Term::Internet(None)),
        // Every interface: every id matches.
        "AWS::EC2::NetworkInterface" => {
            Pattern::parse("*").map(Term::Id).map_err(|message| node.fault(message))
        }
        other => Err(unsupported(node, &format!("the resource type `{other}`"))),
    }
}

/// The endpoints of `resources` with an address in the ranges.
fn within(resources: Option<Vec<Term>>, ranges: &[IpNet], node: &Node) -> Result<Vec<Term>, Fault> {
    match resources.as_deref() {
        None => Ok(ranges.iter().copied().map(Term::Address).collect()),
        Some([Term::Internet(None)]) => {
            Ok(ranges.iter().copied().map(|range| Term::Internet(Some(range))).collect())
        }
        Some(_) => Err(unsupported(node, "addresses of other resources than internet gateways")),
    }
}

fn read_ranges(node: &Node) -> Result<Vec<IpNet>, Fault> {
    let read = |(node, text): (&Node, &str)| {
        let address = text.parse::<std::net::IpAddr>().map(IpNet::from);
        address.or_else(|_| text.parse()).map_err(|_| node.unexpected("an address or CIDR"))
    };
    texts(node)?.into_iter().map(read).collect()
}

fn read_traffic(protocols: Option<&Node>, ports: Option<&Node>) -> Result<Vec<TrafficSpec>, Fault> {
    let protocols = match protocols {
        Some(node) => texts(node)?.into_iter().map(read_protocol).collect::<Result<_, _>>()?,
        None if ports.is_some() => vec![Protocol::TCP, Protocol::UDP],
        None => return Ok(Vec::new()),
    };
    let Some(ports) = ports else { return Ok(protocols.into_iter().map(TrafficSpec::Protocol).collect()) };
    let mut traffic = Vec::new();
    for (node, text) in texts(ports)? {
        let (from, to) = traffic::ports(text).map_err(|message| node.fault(message))?;
        traffic.extend(protocols.iter().map(|protocol| TrafficSpec::Ports { protocol: *protocol, from, to }));
    }
    Ok(traffic)
}

fn read_protocol((node, text): (&Node, &str)) -> Result<Protocol, Fault> {
    match text {
        "tcp" => Ok(Protocol::TCP),
        "udp" => Ok(Protocol::UDP),
        _ => Err(node.unexpected("`tcp` or `udp`")),
    }
}

fn through_terms(node: &Node) -> Result<Vec<Term>, Fault> {
    let mut terms = Vec::new();
    for item in list(node)? {
        let fields = Fields::open(item, "a through statement", &["ResourceStatement"])?;
        for term in resources(fields.require("ResourceStatement")?)? {
            if !matches!(term, Term::Id(_)) {
                return Err(unsupported(item, "a resource type to pass through"));
            }
            terms.push(term);
        }
    }
    Ok(terms)
}

/// The field unless it is missing, null or an empty list, which the analyzer's interface prints for "not given".
fn present<'a>(fields: &Fields<'a>, name: &str) -> Option<&'a Node> {
    fields.get(name).filter(|node| match &node.value {
        Value::Nothing => false,
        Value::List(items) => !items.is_empty(),
        _ => true,
    })
}

fn selector(terms: &[Term]) -> Option<Selector> {
    let text = terms.iter().map(term_text).collect::<Vec<_>>().join(",").into();
    let some = !terms.is_empty();
    some.then(|| Selector { terms: terms.to_vec(), except: Vec::new(), allow_empty: false, text })
}

/// The terms that a scope can make, as one would write them.
fn term_text(term: &Term) -> String {
    match term {
        Term::Internet(None) => "internet".into(),
        Term::Internet(Some(range)) => format!("internet:{range}"),
        Term::Address(range) => range.to_string(),
        Term::Id(pattern) => pattern.to_string(),
        _ => "any".into(),
    }
}

fn list(node: &Node) -> Result<&[Node], Fault> {
    match &node.value {
        Value::List(items) => Ok(items),
        _ => Err(node.unexpected("a list")),
    }
}

fn texts(node: &Node) -> Result<Vec<(&Node, &str)>, Fault> {
    list(node)?.iter().map(|item| Ok((item, item.text("text")?))).collect()
}

fn unsupported(node: &Node, what: &str) -> Fault {
    node.fault(format!("{what} is not supported yet; write the property as `reachproof: policy/v1`"))
}
