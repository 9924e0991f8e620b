//! Selectors: how people name sets of endpoints.
//!
//! The main type is [`Selector`]. A comma is union, a leading `!` takes away, and the word `allow-empty` among the
//! terms permits the whole to match nothing. A backslash keeps a comma, and a glob character, ordinary.
//!
//! | term | stands for |
//! | --- | --- |
//! | `internet`, `internet:<address or CIDR>` | the internet and every public kind of ingress (R-VERDICT-5), or these addresses of it |
//! | `onprem`, `onprem:<gateway>`, `onprem:<address or CIDR>`, `<gateway>:<address or CIDR>` | networks beyond gateways |
//! | `any-external` | everything outside (R-VERDICT-7) |
//! | `any` | everything |
//! | `name:<glob>`, `tag:<key>`, `tag:<key>=<glob>` | resources by tag |
//! | `kind:<kind>`, `service:<name>`, `plan:<address>` | resources by kind, AWS service, place in a plan |
//! | `<address or CIDR>` | endpoints with such an address |
//! | `new:<subnets>[+<group>…][+public]` | an interface that might be created there |
//! | `group:<name>`, or the name alone | a group of the policy file |
//! | any other text | a glob over ids and ARNs |
//!
//! This module says what is named; what it matches in a snapshot is found elsewhere.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use ipnet::IpNet;

use super::pattern::Pattern;

/// A set of endpoints: the union of `terms` without the union of `except`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Selector {
    /// What is in. Never empty: a selector that only takes away starts from [`Term::Any`].
    pub terms: Vec<Term>,
    /// What is taken away.
    pub except: Vec<Term>,
    /// Whether it may match nothing.
    pub allow_empty: bool,
    /// As it was written, for messages.
    pub text: Box<str>,
}

/// One part of a [`Selector`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Term {
    /// The internet with every public kind of ingress (R-VERDICT-5, R-VERDICT-6); with a range, only these outside addresses.
    Internet(Option<IpNet>),
    /// The internet, public kinds, neighbours and PrivateLink consumers (R-VERDICT-7).
    AnyExternal,
    /// Networks beyond gateways: `ONPREM(*)` of R-VERDICT-5.
    Onprem {
        /// The gateway or attachment by id; any where `None`.
        gateway: Option<Pattern>,
        /// The addresses beyond it; all where `None`.
        addresses: Option<IpNet>,
    },
    /// Everything, inside and outside.
    Any,
    /// Resources by id or ARN. An instance, subnet, VPC or security group stands for its interfaces.
    Id(Pattern),
    /// Resources by `Name` tag.
    Name(Pattern),
    /// Resources that carry a tag, with this value if one is given.
    Tag {
        /// The key, exactly.
        key: Box<str>,
        /// The value; any where `None`.
        value: Option<Pattern>,
    },
    /// Endpoints with an address in this range.
    Address(IpNet),
    /// An AWS service: `s3`, `sagemaker.api`.
    Service(Box<str>),
    /// Interfaces by what they belong to: `instance`, `sagemaker-notebook`, `rds`.
    Kind(Box<str>),
    /// A resource of a Terraform plan, by its address.
    Plan(Box<str>),
    /// An interface that does not exist yet, at any free address of some subnets.
    New {
        /// The subnets: never `New` or a place outside.
        subnets: Box<Term>,
        /// Its security groups by id; if empty, one that allows everything.
        groups: Vec<Pattern>,
        /// Whether it has a public address.
        public: bool,
    },
    /// A group of the policy file.
    Group {
        /// Its name.
        name: Box<str>,
        /// What it stands for.
        members: Arc<Selector>,
    },
}

/// The named groups of a policy, usable as terms.
pub type Groups = BTreeMap<Box<str>, Arc<Selector>>;

/// Why a text is no selector.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SelectorError {
    message: Box<str>,
}

impl SelectorError {
    pub(super) fn new(message: impl Into<Box<str>>) -> Self {
        Self { message: message.into() }
    }
}

impl fmt::Display for SelectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SelectorError {}

impl Selector {
    /// Everything.
    pub fn any() -> Self {
        Self { terms: vec![Term::Any], except: Vec::new(), allow_empty: false, text: "any".into() }
    }

    /// Reads a selector in which the names of `groups` are terms.
    pub fn parse(text: &str, groups: &Groups) -> Result<Self, SelectorError> {
        Self::union([text], groups)
    }

    /// Reads several selectors as their union; what one takes away is taken away from all.
    pub fn union<'a>(
        texts: impl IntoIterator<Item = &'a str>,
        groups: &Groups,
    ) -> Result<Self, SelectorError> {
        let mut builder = SelectorBuilder::default();
        for text in texts {
            builder.extend(text, groups)?;
        }
        builder.complete()
    }
}

/// A selector that is put together from several texts.
#[derive(Default)]
pub(super) struct SelectorBuilder {
    terms: Vec<Term>,
    except: Vec<Term>,
    allow_empty: bool,
    text: String,
}

impl SelectorBuilder {
    /// Adds what one more text names.
    pub fn extend(&mut self, text: &str, groups: &Groups) -> Result<(), SelectorError> {
        for part in split_unescaped(text, ',') {
            self.add(part.trim(), groups)?;
        }
        if !self.text.is_empty() {
            self.text.push(',');
        }
        self.text.push_str(text.trim());
        Ok(())
    }

    fn add(&mut self, part: &str, groups: &Groups) -> Result<(), SelectorError> {
        if part == "allow-empty" {
            self.allow_empty = true;
        } else if let Some(taken) = part.strip_prefix('!') {
            self.except.push(Term::parse(taken.trim_start(), groups)?);
        } else {
            self.terms.push(Term::parse(part, groups)?);
        }
        Ok(())
    }

    /// Ends with a selector that names something.
    pub fn complete(mut self) -> Result<Selector, SelectorError> {
        if self.terms.is_empty() && self.except.is_empty() {
            return Err(SelectorError::new("expected a selector, found nothing"));
        }
        if self.terms.is_empty() {
            self.terms.push(Term::Any);
        }
        let Self { terms, except, allow_empty, text } = self;
        Ok(Selector { terms, except, allow_empty, text: text.into() })
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        Self::parse(text, &Groups::new())
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The words that name a set by themselves; no group may be called like one.
pub(super) const RESERVED: [&str; 5] = ["internet", "any-external", "onprem", "any", "allow-empty"];

impl Term {
    fn parse(text: &str, groups: &Groups) -> Result<Self, SelectorError> {
        match text {
            "" => return Err(SelectorError::new("expected a selector between commas, found nothing")),
            "internet" => return Ok(Self::Internet(None)),
            "any-external" => return Ok(Self::AnyExternal),
            "onprem" => return Ok(Self::Onprem { gateway: None, addresses: None }),
            "any" => return Ok(Self::Any),
            "allow-empty" => return Err(SelectorError::new("`allow-empty` cannot be taken away")),
            _ => {}
        }
        if let Some(members) = groups.get(text) {
            return Ok(Self::Group { name: text.into(), members: Arc::clone(members) });
        }
        if text.starts_with('!') {
            return Err(SelectorError::new("expected a selector after `!`, found another `!`"));
        }
        prefixed(text, groups).unwrap_or_else(|| addressed(text))
    }
}

/// A term that starts with one of our words and a colon; `None` if the text does not.
fn prefixed(text: &str, groups: &Groups) -> Option<Result<Term, SelectorError>> {
    let (word, rest) = text.split_once(':')?;
    let term = match word {
        "internet" => internet(rest),
        "onprem" => onprem(rest),
        "name" => named(word, rest).and_then(pattern).map(Term::Name),
        "tag" => named(word, rest).and_then(tag),
        "service" => named(word, rest).map(|rest| Term::Service(rest.into())),
        "kind" => named(word, rest).map(|rest| Term::Kind(rest.into())),
        "plan" => named(word, rest).map(|rest| Term::Plan(rest.into())),
        "new" => named(word, rest).and_then(|rest| hypothetical(rest, groups)),
        "group" => group(rest, groups),
        _ => return None,
    };
    Some(term)
}

/// An address, a gateway with an address beyond it, or an id.
fn addressed(text: &str) -> Result<Term, SelectorError> {
    if let Some(range) = range(text)? {
        return Ok(Term::Address(range));
    }
    match gateway_and_range(text)? {
        Some((gateway, addresses)) => {
            Ok(Term::Onprem { gateway: Some(pattern(gateway)?), addresses: Some(addresses) })
        }
        None => pattern(text).map(Term::Id),
    }
}

fn internet(rest: &str) -> Result<Term, SelectorError> {
    let addresses = range(rest)?.ok_or_else(|| {
        SelectorError::new(format!("expected an address or CIDR after `internet:`, found `{rest}`"))
    })?;
    Ok(Term::Internet(Some(addresses)))
}

fn onprem(rest: &str) -> Result<Term, SelectorError> {
    if let Some(addresses) = range(named("onprem", rest)?)? {
        return Ok(Term::Onprem { gateway: None, addresses: Some(addresses) });
    }
    Ok(match gateway_and_range(rest)? {
        Some((gateway, addresses)) => {
            Term::Onprem { gateway: Some(pattern(gateway)?), addresses: Some(addresses) }
        }
        None => Term::Onprem { gateway: Some(pattern(rest)?), addresses: None },
    })
}

fn tag(rest: &str) -> Result<Term, SelectorError> {
    Ok(match rest.split_once('=') {
        Some((key, value)) => Term::Tag { key: named("tag", key)?.into(), value: Some(pattern(value)?) },
        None => Term::Tag { key: rest.into(), value: None },
    })
}

fn hypothetical(rest: &str, groups: &Groups) -> Result<Term, SelectorError> {
    let mut parts = split_unescaped(rest, '+').into_iter();
    let subnets = Term::parse(parts.next().unwrap_or_default().trim(), groups)?;
    if matches!(
        subnets,
        Term::New { .. } | Term::Internet(_) | Term::AnyExternal | Term::Onprem { .. } | Term::Service(_)
    ) {
        return Err(SelectorError::new(format!("expected subnets after `new:`, found `{rest}`")));
    }
    let (mut groups, mut public) = (Vec::new(), false);
    for part in parts {
        match part.trim() {
            "" => return Err(SelectorError::new("expected a security group after `+`, found nothing")),
            "public" => public = true,
            group => groups.push(pattern(group)?),
        }
    }
    Ok(Term::New { subnets: Box::new(subnets), groups, public })
}

fn group(name: &str, groups: &Groups) -> Result<Term, SelectorError> {
    let Some(members) = groups.get(name) else {
        let hint = super::suggest::hint(name, groups.keys().map(AsRef::as_ref));
        return Err(SelectorError::new(format!("no group is named `{name}`{hint}")));
    };
    Ok(Term::Group { name: name.into(), members: Arc::clone(members) })
}

fn named<'a>(word: &str, rest: &'a str) -> Result<&'a str, SelectorError> {
    if rest.trim().is_empty() {
        return Err(SelectorError::new(format!("expected a value after `{word}:`, found nothing")));
    }
    Ok(rest)
}

fn pattern(text: &str) -> Result<Pattern, SelectorError> {
    Pattern::parse(text).map_err(SelectorError::new)
}

/// An address or CIDR; `None` if the text is neither. A CIDR with bits set behind its prefix is an error: it would be
/// read as more than its author sees.
fn range(text: &str) -> Result<Option<IpNet>, SelectorError> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(Some(address.into()));
    }
    let Ok(range) = text.parse::<IpNet>() else {
        return match text.split_once('/') {
            Some((address, length)) if address.parse::<IpAddr>().is_ok() => Err(SelectorError::new(format!(
                "`{text}` is no CIDR: `{length}` is no prefix length of `{address}`"
            ))),
            _ => Ok(None),
        };
    };
    if range.trunc() != range {
        let meant = range.trunc();
        return Err(SelectorError::new(format!(
            "`{text}` has bits set behind its prefix; write `{meant}` for the range or leave out the prefix"
        )));
    }
    Ok(Some(range))
}

/// `<gateway>:<address or CIDR>` at the first colon that leaves an address; `None` if there is none, since ids may hold
/// colons too.
fn gateway_and_range(text: &str) -> Result<Option<(&str, IpNet)>, SelectorError> {
    for (at, _) in text.match_indices(':') {
        let (gateway, rest) = text.split_at(at);
        let Some(addresses) = range(rest.strip_prefix(':').unwrap_or(rest))? else { continue };
        if !gateway.is_empty() {
            return Ok(Some((gateway, addresses)));
        }
    }
    Ok(None)
}

/// The parts of a text between separators that no backslash precedes; such a backslash is dropped, others stay.
fn split_unescaped(text: &str, separator: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character == separator {
            parts.push(String::new());
            continue;
        }
        let Some(part) = parts.last_mut() else { break };
        if character != '\\' {
            part.push(character);
            continue;
        }
        match characters.next() {
            Some(escaped) if escaped == separator => part.push(separator),
            Some(escaped) => part.extend(['\\', escaped]),
            None => part.push('\\'),
        }
    }
    parts
}
