//! Raw describe JSON, laid over the answers.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Fault;
use super::answers::{Answers, INVENTORIES, Inventory};

/// Lays each entry over the answers: null removes the answer everywhere; a list under a top-level key is merged by id,
/// new items going to the first place; anything else is a whole answer, for the first place.
pub(super) fn apply(raw: &BTreeMap<String, Value>, answers: &mut Answers) -> Result<(), Fault> {
    for (key, value) in raw {
        match (call_of(key)?, value) {
            (call, Value::Null) => {
                let name = call.map_or(key.as_str(), |inventory| inventory.call);
                answers.places_mut().for_each(|place| {
                    place.remove(name);
                });
            }
            (Some(inventory), Value::Array(items)) => merge_list(answers, inventory, items)?,
            (None, answer @ Value::Object(_)) => {
                if let Some(place) = answers.places_mut().next() {
                    place.insert(key.clone(), answer.clone());
                }
            }
            _ => return Err(format!("`aws: {key}` needs a list, a whole answer, or null")),
        }
    }
    Ok(())
}

/// The inventory whose top-level key this is; nothing if it names a whole answer.
fn call_of(key: &str) -> Result<Option<&'static Inventory>, Fault> {
    if key.contains('_') {
        return Ok(None);
    }
    let mut known = INVENTORIES.iter().filter(|inventory| inventory.key == key);
    match (known.next(), known.next()) {
        (Some(inventory), None) => Ok(Some(inventory)),
        _ => Err(format!(
            "`aws: {key}` is no key of exactly one answer; name the answer, as in `ec2_describe-vpcs`"
        )),
    }
}

fn merge_list(answers: &mut Answers, inventory: &Inventory, items: &[Value]) -> Result<(), Fault> {
    for item in items {
        let id = item
            .get(inventory.id)
            .ok_or_else(|| format!("an item of `{}` needs `{}`", inventory.key, inventory.id))?;
        let same = |earlier: &Value| earlier.get(inventory.id) == Some(id);
        let mut lists: Vec<_> = answers.places_mut().filter_map(|place| list_of(place, inventory)).collect();
        let home = lists.iter().position(|list| list.iter().any(same)).unwrap_or(0);
        let Some(list) = lists.get_mut(home) else { continue };
        match list.iter().position(same).and_then(|index| list.get_mut(index)) {
            Some(earlier) => merge(earlier, item),
            None => list.push(item.clone()),
        }
    }
    Ok(())
}

fn list_of<'a>(
    answers: &'a mut BTreeMap<String, Value>,
    inventory: &Inventory,
) -> Option<&'a mut Vec<Value>> {
    answers.get_mut(inventory.call)?.get_mut(inventory.key)?.as_array_mut()
}

/// JSON merge patch (RFC 7396).
fn merge(target: &mut Value, patch: &Value) {
    let (Value::Object(target), Value::Object(patch)) = (&mut *target, patch) else {
        *target = patch.clone();
        return;
    };
    for (key, value) in patch {
        match target.get_mut(key) {
            _ if value.is_null() => {
                target.remove(key);
            }
            Some(earlier) => merge(earlier, value),
            None => {
                target.insert(key.clone(), value.clone());
            }
        }
    }
}
