//! Whether a certificate claims what a policy asserts, as far as the two show it.
//!
//! Which places its selectors mean, and through which ids something may pass, a certificate says itself.

use jiff::civil::Date;
use reachproof_engine::certificate::headers;
use reachproof_model::certificate::{
    Certificate, Claim, Direction, Waiving, policy_digest, waiver_statement,
};
use reachproof_model::policy::{Form, Policy, Property, Waiver};

/// Whether a certificate is about a property as the policy has it on a day; the error says what differs.
pub(super) fn stands_in(policy: &Policy, day: Date, certificate: &Certificate) -> Result<(), String> {
    let name = &certificate.claim.property;
    let property = policy.properties.iter().find(|property| property.name == *name);
    let property = property.ok_or_else(|| format!("the policy has no property `{name}`"))?;
    if *certificate.policy != *policy_digest(property) {
        return Err(format!("it is about another property `{name}` than that of the policy"));
    }
    if let Some(what) = falls_short(property, &certificate.claim) {
        return Err(format!("it claims less than `{name}` of the policy: {what}"));
    }
    certificate.claim.waivers.iter().try_for_each(|waiving| applies(policy, day, name, waiving))
}

/// What of a property a claim leaves out.
fn falls_short(property: &Property, claim: &Claim) -> Option<String> {
    let (form, sides) = (property.form.keyword(), sides(&property.form));
    let directions = &claim.directions;
    let wanted = headers(&property.traffic);
    let missing = |side: &dyn Fn(&Direction) -> bool| directions.iter().any(side);
    if *claim.form != *form || sides.is_empty() {
        return Some(format!(
            "found `{}`, expected `{form}`, of which there can be a certificate",
            claim.form
        ));
    }
    if directions.len() != sides.len() {
        return Some(format!("found {} directions, expected {}", directions.len(), sides.len()));
    }
    if claim.question != property.question {
        return Some("they disagree on what is asked".to_owned());
    }
    if missing(&|one| one.answers != property.including_replies) {
        return Some("they disagree on whether replies count".to_owned());
    }
    if missing(&|one| one.traffic != wanted) {
        return Some("it is about other headers".to_owned());
    }
    if !matches!(property.form, Form::OnlyThrough { .. }) && missing(&|one| !one.avoided.is_empty()) {
        return Some("it leaves out what passes some places".to_owned());
    }
    let mut ends = directions.iter().zip(sides);
    let nothing = |places: &[_], may_be_empty: bool| places.is_empty() && !may_be_empty;
    let is_empty =
        ends.any(|(one, [from, to])| nothing(&one.sources, from) || nothing(&one.destinations, to));
    is_empty.then(|| "it names no place at one end".to_owned())
}

/// Of each direction that a forbidding form has, whether there may be no source, and no destination; none of another form.
fn sides(form: &Form) -> Vec<[bool; 2]> {
    match form {
        Form::Forbid(ends) | Form::OnlyThrough { ends, .. } => {
            let from = ends.from.allow_empty || ends.except_from.is_some();
            vec![[from, ends.to.allow_empty || ends.except_to.is_some()]]
        }
        Form::Isolate { between, and } => {
            let [left, right] = [between, and].map(|side| side.allow_empty);
            vec![[left, right], [right, left]]
        }
        Form::Require(_) | Form::RequireSome(_) | Form::NoNew(_) => Vec::new(),
    }
}

/// An error unless a waiver of a property stands in a policy as it did, and applies on a day.
fn applies(policy: &Policy, day: Date, property: &str, waiving: &Waiving) -> Result<(), String> {
    let Waiving { owner, until, .. } = waiving;
    let mut waivers = policy.waivers.iter().filter(|waiver| *waiver.property == *property);
    match waivers.find(|waiver| is_same(waiver, waiving)) {
        None => {
            Err(format!("the policy has no such waiver of `{property}` as the one of {owner} until {until}"))
        }
        Some(waiver) if !waiver.applies_on(day) => {
            Err(format!("the waiver of {owner} ended on {until} and no longer applies on {day}"))
        }
        Some(_) => Ok(()),
    }
}

/// Whether a waiver stands in a policy as it did.
fn is_same(waiver: &Waiver, waiving: &Waiving) -> bool {
    let Waiving { statement, owner, why, until } = waiving;
    *waiver_statement(waiver) == **statement
        && waiver.owner == *owner
        && waiver.why == *why
        && *waiver.until.to_string() == **until
}
