//! A property in one form, whatever the layout of its policy file, and the digest of that.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::flow::Question;
use crate::policy::{Ends, Form, Property, Selector, Term, Waiver};

/// What the property says. Equal iff form, selectors, groups that these name, traffic, question and strictness are.
pub fn statement(property: &Property) -> String {
    let mut text = String::from(property.form.keyword());
    for (field, selector) in selectors(&property.form) {
        let _ = write!(text, " {field}: {};", written(selector));
    }
    for spec in &property.traffic {
        let _ = write!(text, " {spec};");
    }
    text.push_str(match property.question {
        Question::Packet => " packet",
        Question::Connection => " connection",
    });
    text.push_str(if property.including_replies { " including-replies" } else { "" });
    text.push_str(if property.strict { " strict" } else { "" });
    text
}

/// What a waiver is about; nothing where that is the whole property. Equal iff its selectors are, and the groups that these
/// name.
pub fn waiver_statement(waiver: &Waiver) -> String {
    let ends = [("from", &waiver.from), ("to", &waiver.to)];
    let ends = ends.into_iter().filter_map(|(field, selector)| Some((field, selector.as_ref()?)));
    ends.map(|(field, selector)| format!(" {field}: {};", written(selector))).collect()
}

/// SHA-256 of name and statement of a property, in lower-case hexadecimal.
pub fn policy_digest(property: &Property) -> String {
    digest(&property.name, &statement(property))
}

/// The same of what a certificate says.
pub(super) fn digest(name: &str, statement: &str) -> String {
    let mut hasher = Sha256::new();
    for part in [name, statement] {
        hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn selectors(form: &Form) -> Vec<(&'static str, &Selector)> {
    match form {
        Form::Forbid(ends) | Form::Require(ends) | Form::RequireSome(ends) | Form::NoNew(ends) => {
            of_ends(ends)
        }
        Form::OnlyThrough { ends, through } => {
            let mut all = of_ends(ends);
            all.push(("through", through));
            all
        }
        Form::Isolate { between, and } => vec![("between", between), ("and", and)],
    }
}

fn of_ends(ends: &Ends) -> Vec<(&'static str, &Selector)> {
    let except = [("except-from", &ends.except_from), ("except-to", &ends.except_to)];
    let except = except.into_iter().filter_map(|(field, selector)| Some((field, selector.as_ref()?)));
    [("from", &ends.from), ("to", &ends.to)].into_iter().chain(except).collect()
}

/// The selector as it was written, with what the groups in it stand for.
fn written(selector: &Selector) -> String {
    let groups = selector.terms.iter().chain(&selector.except).filter_map(|term| match term {
        Term::Group { name, members } => Some(format!(" [{name} = {}]", written(members))),
        _ => None,
    });
    let groups: Vec<String> = groups.collect();
    format!("{}{}", selector.text, groups.concat())
}
