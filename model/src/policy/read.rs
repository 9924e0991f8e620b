//! From documents to a [`Policy`].

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;

use super::document::{self, Fault, Key, Node, Place, Value};
use super::fields::{Fields, choice, listed};
use super::selector::{RESERVED, SelectorBuilder};
use super::{
    Ends, FilePlace, Form, Groups, Policy, PolicyError, PolicyFile, Property, Selector, Severity, Term,
    Waiver, access_scope, suggest, traffic,
};
use crate::flow::Question;

/// The value of the field `reachproof` of the files read here.
const VERSION: &str = "policy/v1";
const TOP: [&str; 4] = ["reachproof", "groups", "properties", "waivers"];
const PROPERTY: [&str; 10] = [
    "name",
    "why",
    "controls",
    "severity",
    "forbid",
    "require",
    "require-some",
    "only-through",
    "isolate",
    "no-new",
];
const FORMS: [&str; 6] = ["forbid", "require", "require-some", "only-through", "isolate", "no-new"];
const ENDS: [&str; 9] =
    ["from", "to", "except-from", "except-to", "port", "ports", "protocol", "question", "strict"];
const ISOLATE: [&str; 8] =
    ["between", "and", "port", "ports", "protocol", "question", "strict", "including-replies"];
const WAIVER: [&str; 6] = ["property", "from", "to", "until", "owner", "why"];
const QUESTIONS: [(&str, Question); 2] = [("packet", Question::Packet), ("connection", Question::Connection)];
const SEVERITIES: [(&str, Severity); 5] = [
    ("informational", Severity::Informational),
    ("low", Severity::Low),
    ("medium", Severity::Medium),
    ("high", Severity::High),
    ("critical", Severity::Critical),
];

/// One file after YAML, before meaning.
struct Document<'a> {
    file: &'a str,
    root: Node,
}

impl Document<'_> {
    fn at(&self, place: Place) -> FilePlace {
        FilePlace { file: self.file.into(), place }
    }

    fn error(&self, fault: Fault) -> PolicyError {
        PolicyError { place: self.at(fault.place), message: fault.message.into() }
    }
}

/// Reads files in two steps: all groups first, so that any file may use the groups of another.
pub(super) fn policy(files: &[PolicyFile<'_>]) -> Result<Policy, PolicyError> {
    let mut documents = Vec::with_capacity(files.len());
    for file in files {
        documents.push(open(file)?);
    }
    let mut policy = Policy { groups: groups(&documents)?, ..Policy::default() };
    for document in &documents {
        policy.properties.extend(properties(document, &policy.groups)?);
    }
    let names = names(&policy.properties)?;
    for document in &documents {
        policy.waivers.extend(waivers(document, &policy.groups, &names)?);
    }
    if policy.properties.is_empty() {
        let file = files.first().map_or("", |file| file.name).into();
        let place = FilePlace { file, place: Place { line: 0, column: 0 } };
        return Err(PolicyError { place, message: "expected at least one property, found none".into() });
    }
    Ok(policy)
}

fn open<'a>(file: &PolicyFile<'a>) -> Result<Document<'a>, PolicyError> {
    let unplaced = |fault: Fault| {
        let place = FilePlace { file: file.name.into(), place: fault.place };
        PolicyError { place, message: fault.message.into() }
    };
    let root = document::parse(file.bytes).map_err(|fault| unplaced(unless_meant(file.bytes, fault)))?;
    let document = Document { file: file.name, root };
    if !access_scope::recognised(&document.root) {
        version(&document.root).map_err(|fault| document.error(fault))?;
    }
    Ok(document)
}

/// The fault in a text that is no YAML; where nothing says that it was meant as a policy, with what is expected of one.
fn unless_meant(text: &[u8], fault: Fault) -> Fault {
    let meant = text.windows(VERSION.len()).any(|part| part == VERSION.as_bytes());
    let expected =
        if meant { String::new() } else { format!("; a policy file says `reachproof: {VERSION}`") };
    Fault { message: fault.message + &expected, ..fault }
}

fn version(root: &Node) -> Result<(), Fault> {
    let fields = Fields::open(root, "a policy file", &TOP)?;
    let version = fields.require("reachproof")?;
    let expected = format!("`{VERSION}`");
    match version.text(&expected)? {
        VERSION => Ok(()),
        _ => Err(version.unexpected(&expected)),
    }
}

/// A group before its members are read.
struct Written<'a> {
    document: &'a Document<'a>,
    key: &'a Key,
    node: &'a Node,
}

fn groups(documents: &[Document<'_>]) -> Result<Groups, PolicyError> {
    let mut written = BTreeMap::new();
    for document in documents {
        collect_groups(document, &mut written).map_err(|fault| document.error(fault))?;
    }
    let mut groups = Groups::new();
    let mut sizes = BTreeMap::new();
    for name in written.keys() {
        resolve(name, &written, (&mut groups, &mut sizes), &mut Vec::new())?;
    }
    Ok(groups)
}

fn collect_groups<'a>(
    document: &'a Document<'a>,
    written: &mut BTreeMap<&'a str, Written<'a>>,
) -> Result<(), Fault> {
    let Some(node) = document.root.field("groups") else { return Ok(()) };
    let Value::Fields(entries) = &node.value else {
        return Err(node.unexpected("a mapping from group names to selectors"));
    };
    for (key, node) in entries {
        group_name(key)?;
        if let Some(first) = written.insert(&key.name, Written { document, key, node }) {
            let first = first.document.at(first.key.place);
            return Err(Fault::new(
                key.place,
                format!("the group `{}` is already defined at {first}", key.name),
            ));
        }
    }
    Ok(())
}

/// A group's name must not be readable as anything else.
fn group_name(key: &Key) -> Result<(), Fault> {
    if RESERVED.contains(&key.name.as_str()) {
        return Err(Fault::new(
            key.place,
            format!("`{}` already names a set; choose another name", key.name),
        ));
    }
    let plain = |character: char| character.is_alphanumeric() || "-_.".contains(character);
    let is_address = key.name.parse::<ipnet::IpNet>().is_ok() || key.name.parse::<std::net::IpAddr>().is_ok();
    if is_address || is_aws_id(&key.name) {
        return Err(Fault::new(
            key.place,
            format!("`{}` already names an address or resource; choose another name", key.name),
        ));
    }
    if key.name.is_empty() || !key.name.chars().all(plain) {
        return Err(Fault::new(
            key.place,
            format!("expected a group name of letters, digits, `-`, `_` and `.`, found `{}`", key.name),
        ));
    }
    Ok(())
}

/// R-DATA-7: whether the name looks like an id that AWS gave: a word and 8 or 17 hexadecimal digits.
fn is_aws_id(name: &str) -> bool {
    name.rsplit_once('-').is_some_and(|(_, digits)| {
        matches!(digits.len(), 8 | 17) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// Reads the group and, before it, the groups it names; `path` holds the groups being read, to find circles.
fn resolve<'a>(
    name: &str,
    written: &BTreeMap<&'a str, Written<'a>>,
    (groups, sizes): (&mut Groups, &mut Sizes),
    path: &mut Vec<&'a str>,
) -> Result<(), PolicyError> {
    let Some((name, group)) = written.get_key_value(name) else { return Ok(()) };
    if groups.contains_key(*name) {
        return Ok(());
    }
    let error = |fault| group.document.error(fault);
    if path.contains(name) {
        let message = format!("the group `{name}` contains itself");
        return Err(error(Fault::new(group.key.place, message)));
    }
    if path.len() >= MAX_GROUP_DEPTH {
        let message = format!("groups are nested more than {MAX_GROUP_DEPTH} deep");
        return Err(error(Fault::new(group.key.place, message)));
    }
    path.push(name);
    for inner in mentioned(group.node) {
        resolve(inner, written, (groups, sizes), path)?;
    }
    path.pop();
    let members = selector(group.node, groups).map_err(error)?;
    let size = size(&members, sizes);
    if size > MAX_GROUP_TERMS {
        let message = format!(
            "the group `{name}` stands for more than {MAX_GROUP_TERMS} terms when the groups that it names are written out"
        );
        return Err(error(Fault::new(group.key.place, message)));
    }
    sizes.insert((*name).into(), size);
    groups.insert((*name).into(), Arc::new(members));
    Ok(())
}

/// How many terms each group stands for when the groups that it names are written out.
type Sizes = BTreeMap<Box<str>, usize>;

/// The terms that a selector stands for; every group that it names has been read.
fn size(selector: &Selector, sizes: &Sizes) -> usize {
    let of_term = |term: &Term| match inmost(term) {
        Term::Group { name, .. } => sizes.get(name).copied().unwrap_or(1),
        _ => 1,
    };
    selector.terms.iter().chain(&selector.except).map(of_term).fold(0, usize::saturating_add)
}

/// The term that says which subnets a `new:` is in, else the term itself.
fn inmost(term: &Term) -> &Term {
    match term {
        Term::New { subnets, .. } => subnets,
        term => term,
    }
}

/// What a group may stand for; each term is resolved once for each time that it is named.
const MAX_GROUP_TERMS: usize = 10_000;

/// How deep groups may name groups.
const MAX_GROUP_DEPTH: usize = 100;

/// The words of a selector that may be names of groups.
fn mentioned(node: &Node) -> impl Iterator<Item = &str> {
    let list = node.field("select").unwrap_or(node);
    list.items()
        .iter()
        .filter_map(|item| match &item.value {
            Value::Text(text) => Some(text.split([',', '+'])),
            _ => None,
        })
        .flatten()
        .map(|word| word.trim().trim_start_matches('!').trim_start())
        .map(|word| word.trim_start_matches("new:").trim_start_matches("group:"))
}

fn properties(document: &Document<'_>, groups: &Groups) -> Result<Vec<Property>, PolicyError> {
    let read = || {
        if access_scope::recognised(&document.root) {
            return access_scope::properties(&document.root, document.file);
        }
        let Some(node) = document.root.field("properties") else { return Ok(Vec::new()) };
        list(node, "a list of properties")?.iter().map(|item| property(item, document, groups)).collect()
    };
    read().map_err(|fault| document.error(fault))
}

/// The names of all properties, none twice.
fn names(properties: &[Property]) -> Result<BTreeMap<&str, &FilePlace>, PolicyError> {
    let mut names = BTreeMap::new();
    for property in properties {
        if let Some(first) = names.insert(&*property.name, &property.place) {
            let message = format!("the property `{}` is already defined at {first}", property.name);
            return Err(PolicyError { place: property.place.clone(), message: message.into() });
        }
    }
    Ok(names)
}

fn property(node: &Node, document: &Document<'_>, groups: &Groups) -> Result<Property, Fault> {
    let fields = Fields::open(node, "a property", &PROPERTY)?;
    let body = Body::open(&fields, groups)?;
    let form = body.form()?;
    let question = match body.fields.get("question") {
        Some(node) => choice(node, &QUESTIONS)?,
        None => form.default_question(),
    };
    Ok(Property {
        name: text(fields.require("name")?, "the name of the property")?,
        why: optional_text(&fields, "why")?,
        controls: texts(fields.get("controls"), "the id of a control")?,
        severity: fields.get("severity").map(|node| choice(node, &SEVERITIES)).transpose()?,
        traffic: body.traffic()?,
        including_replies: body.including_replies(question)?,
        strict: body.fields.truth("strict")?,
        question,
        form,
        place: document.at(node.place),
    })
}

/// The mapping below the field that names the form.
struct Body<'a> {
    keyword: &'static str,
    fields: Fields<'a>,
    groups: &'a Groups,
}

impl<'a> Body<'a> {
    fn open(property: &Fields<'a>, groups: &'a Groups) -> Result<Self, Fault> {
        let mut given = FORMS.iter().filter_map(|form| Some((*form, property.entry(form)?)));
        let Some((keyword, (_, node))) = given.next() else {
            return Err(Fault::new(property.place(), format!("a property needs one of {}", listed(&FORMS))));
        };
        if let Some((second, (key, _))) = given.next() {
            let message = format!("a property has one form, found `{keyword}` and `{second}`");
            return Err(Fault::new(key.place, message));
        }
        let fields = Fields::open(node, owner(keyword), &known(keyword))?;
        Ok(Self { keyword, fields, groups })
    }

    fn form(&self) -> Result<Form, Fault> {
        Ok(match self.keyword {
            "forbid" => Form::Forbid(self.ends()?),
            "require" => Form::Require(self.ends()?),
            "require-some" => Form::RequireSome(self.ends()?),
            "only-through" => Form::OnlyThrough { ends: self.ends()?, through: self.selector("through")? },
            "isolate" => Form::Isolate { between: self.selector("between")?, and: self.selector("and")? },
            _ => Form::NoNew(Ends {
                from: self.optional("from")?.unwrap_or_else(Selector::any),
                to: self.optional("to")?.unwrap_or_else(Selector::any),
                except_from: self.optional("except-from")?,
                except_to: self.optional("except-to")?,
            }),
        })
    }

    fn ends(&self) -> Result<Ends, Fault> {
        Ok(Ends {
            from: self.selector("from")?,
            to: self.selector("to")?,
            except_from: self.optional("except-from")?,
            except_to: self.optional("except-to")?,
        })
    }

    fn selector(&self, name: &str) -> Result<Selector, Fault> {
        selector(self.fields.require(name)?, self.groups)
    }

    fn optional(&self, name: &str) -> Result<Option<Selector>, Fault> {
        self.fields.get(name).map(|node| selector(node, self.groups)).transpose()
    }

    fn traffic(&self) -> Result<Vec<super::TrafficSpec>, Fault> {
        if let (Some(_), Some((key, _))) = (self.fields.get("port"), self.fields.entry("ports")) {
            return Err(Fault::new(key.place, "`port` and `ports` are one field, found both"));
        }
        let ports = self.fields.get("port").or_else(|| self.fields.get("ports"));
        traffic::read(self.fields.get("protocol"), ports)
    }

    /// Replies are part of every connection already, so the field goes with packets only.
    fn including_replies(&self, question: Question) -> Result<bool, Fault> {
        let replies = self.fields.truth("including-replies")?;
        match self.fields.entry("including-replies") {
            Some((key, _)) if replies && question == Question::Connection => {
                Err(Fault::new(key.place, "`including-replies` goes with `question: packet` only"))
            }
            _ => Ok(replies),
        }
    }
}

/// The fields that a form knows.
fn known(keyword: &str) -> Vec<&'static str> {
    let further: &[&str] = match keyword {
        "isolate" => return ISOLATE.to_vec(),
        "only-through" => &["through", "including-replies"],
        "forbid" | "no-new" => &["including-replies"],
        _ => &[],
    };
    [&ENDS, further].concat()
}

fn owner(keyword: &'static str) -> &'static str {
    match keyword {
        "forbid" => "`forbid`",
        "require" => "`require`",
        "require-some" => "`require-some`",
        "only-through" => "`only-through`",
        "isolate" => "`isolate`",
        _ => "`no-new`",
    }
}

fn waivers(
    document: &Document<'_>,
    groups: &Groups,
    names: &BTreeMap<&str, &FilePlace>,
) -> Result<Vec<Waiver>, PolicyError> {
    let read = || {
        let Some(node) = document.root.field("waivers") else { return Ok(Vec::new()) };
        list(node, "a list of waivers")?.iter().map(|item| waiver(item, document, groups, names)).collect()
    };
    read().map_err(|fault| document.error(fault))
}

fn waiver(
    node: &Node,
    document: &Document<'_>,
    groups: &Groups,
    names: &BTreeMap<&str, &FilePlace>,
) -> Result<Waiver, Fault> {
    let fields = Fields::open(node, "a waiver", &WAIVER)?;
    let property_node = fields.require("property")?;
    let property = text(property_node, "the name of a property")?;
    if !names.contains_key(&*property) {
        let hint = suggest::hint(&property, names.keys().copied());
        return Err(property_node.fault(format!("no property is named `{property}`{hint}")));
    }
    Ok(Waiver {
        property,
        from: fields.get("from").map(|node| selector(node, groups)).transpose()?,
        to: fields.get("to").map(|node| selector(node, groups)).transpose()?,
        until: date(fields.require("until")?)?,
        owner: text(fields.require("owner")?, "who answers for the waiver")?,
        why: text(fields.require("why")?, "the reason of the waiver")?,
        place: document.at(node.place),
    })
}

fn date(node: &Node) -> Result<Date, Fault> {
    let expected = "a date such as 2027-01-31";
    let text = node.text(expected)?;
    // The library reads times and week dates too; here a date has one spelling.
    let date = (text.len() == 10).then(|| text.parse().ok()).flatten();
    date.ok_or_else(|| node.unexpected(expected))
}

/// A selector, a list of selectors, or `{select: …, allow-empty: true}`.
pub(super) fn selector(node: &Node, groups: &Groups) -> Result<Selector, Fault> {
    if !matches!(node.value, Value::Fields(_)) {
        return selector_list(node, groups);
    }
    let fields = Fields::open(node, "a selector", &["select", "allow-empty"])?;
    let mut selector = selector_list(fields.require("select")?, groups)?;
    selector.allow_empty |= fields.truth("allow-empty")?;
    Ok(selector)
}

fn selector_list(node: &Node, groups: &Groups) -> Result<Selector, Fault> {
    let mut selector = SelectorBuilder::default();
    for item in node.items() {
        let added = selector.extend(item.text("a selector")?, groups);
        added.map_err(|error| item.fault(error.to_string()))?;
    }
    selector.complete().map_err(|error| node.fault(error.to_string()))
}

fn list<'a>(node: &'a Node, expected: &str) -> Result<&'a [Node], Fault> {
    match &node.value {
        Value::List(items) => Ok(items),
        _ => Err(node.unexpected(expected)),
    }
}

fn text(node: &Node, expected: &str) -> Result<Box<str>, Fault> {
    match node.text(expected)?.trim() {
        "" => Err(node.fault(format!("expected {expected}, found an empty text"))),
        text => Ok(text.into()),
    }
}

fn optional_text(fields: &Fields<'_>, name: &str) -> Result<Option<Box<str>>, Fault> {
    fields.get(name).map(|node| text(node, "text")).transpose()
}

fn texts(node: Option<&Node>, expected: &str) -> Result<Vec<Box<str>>, Fault> {
    node.map_or(&[][..], Node::items).iter().map(|item| text(item, expected)).collect()
}
