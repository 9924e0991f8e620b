//! Lines of JSON pointers: reports for programs that show files name lines.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// The line, from 1, where the value at a JSON pointer begins; `None` if the text is no JSON or has no such value.
pub fn line(json: &str, pointer: &str) -> Option<usize> {
    let mut at: &str = json;
    for step in pointer.split('/').skip(1) {
        at = child(at, &step.replace("~1", "/").replace("~0", "~"))?;
    }
    let start = at.trim_start().as_ptr().addr().checked_sub(json.as_ptr().addr())?;
    Some(json.get(..start)?.matches('\n').count() + 1)
}

/// The text of a member or an item.
fn child<'j>(json: &'j str, step: &str) -> Option<&'j str> {
    if json.trim_start().starts_with('[') {
        let items: Vec<&RawValue> = serde_json::from_str(json).ok()?;
        return items.get(step.parse::<usize>().ok()?).map(|item| item.get());
    }
    let members: BTreeMap<Key<'j>, &RawValue> = serde_json::from_str(json).ok()?;
    members.get(step).map(|member| member.get())
}

/// A member's name, borrowed unless it has escapes.
#[derive(PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
struct Key<'j>(#[serde(borrow)] Cow<'j, str>);

impl std::borrow::Borrow<str> for Key<'_> {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_at_its_line() {
        let json = "\n{\"a\": [1,\n {\"b/c\": 2,\n  \"d\\u0065\": [\n3]}]}";
        assert_eq!(line(json, ""), Some(2));
        assert_eq!(line(json, "/a"), Some(2));
        assert_eq!(line(json, "/a/1"), Some(3));
        assert_eq!(line(json, "/a/1/b~1c"), Some(3));
        assert_eq!(line(json, "/a/1/de/0"), Some(5));
    }

    #[test]
    fn what_is_not_there_has_no_line() {
        for (json, pointer) in [("{}", "/a"), ("[1]", "/1"), ("[1]", "/x"), ("{", "/a"), ("1", "/a")] {
            assert_eq!(line(json, pointer), None, "{json} {pointer}");
        }
    }
}
