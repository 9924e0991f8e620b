//! A validator for the part of JSON Schema that our schemas use.
//!
//! It knows few keywords and refuses all others, so a schema that it accepts is one it has understood.

use serde_json::{Map, Value};

use crate::harness::run;

/// A schema as the command prints it.
pub fn printed(name: &str) -> Value {
    let run = run(&["schema", name]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    serde_json::from_str(&run.stdout).unwrap()
}

/// Fails unless the value fits the schema.
pub fn assert_valid(schema: &Value, value: &Value) {
    if let Err(message) = validate(schema, schema, value) {
        panic!("{message}\nin {value:#}");
    }
}

fn validate(root: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let rules = schema.as_object().ok_or("a schema is an object")?;
    for (keyword, rule) in rules {
        fits(root, rules, keyword, rule, value).map_err(|message| format!("{keyword}: {message}"))?;
    }
    Ok(())
}

/// Whether the value fits one rule.
fn fits(
    root: &Value,
    rules: &Map<String, Value>,
    keyword: &str,
    rule: &Value,
    value: &Value,
) -> Result<(), String> {
    let expect = |fits: bool| if fits { Ok(()) } else { Err(format!("expected {rule}, found {value}")) };
    let options = || rule.as_array().unwrap().iter().map(|option| validate(root, option, value));
    let length = || value.as_str().map(|text| text.chars().count()).or_else(|| Some(value.as_array()?.len()));
    match keyword {
        "$schema" | "$id" | "$defs" | "title" | "description" => Ok(()),
        // Spelling is left to the tests of the reader.
        "pattern" | "format" => expect(rule.is_string()),
        "type" => expect(match rule {
            Value::Array(types) => types.iter().any(|one| is_type(one, value)),
            one => is_type(one, value),
        }),
        "const" => expect(rule == value),
        "enum" => expect(rule.as_array().unwrap().contains(value)),
        "minimum" => expect(value.as_i64().is_none_or(|number| number >= rule.as_i64().unwrap())),
        "maximum" => expect(value.as_i64().is_none_or(|number| number <= rule.as_i64().unwrap())),
        "minLength" | "minItems" => {
            expect(length().is_none_or(|length| length as u64 >= rule.as_u64().unwrap()))
        }
        "maxItems" => expect(length().is_none_or(|length| length as u64 <= rule.as_u64().unwrap())),
        "anyOf" => expect(options().any(|result| result.is_ok())),
        "oneOf" => expect(options().filter(Result::is_ok).count() == 1),
        "not" => expect(validate(root, rule, value).is_err()),
        "$ref" => validate(root, definition(root, rule), value),
        "required" => expect(value.as_object().is_none_or(|fields| {
            rule.as_array().unwrap().iter().all(|name| fields.contains_key(name.as_str().unwrap()))
        })),
        "items" => each(value.as_array().into_iter().flatten(), |item| validate(root, rule, item)),
        "properties" => each(value.as_object().into_iter().flatten(), |(name, field)| {
            rule.get(name).map_or(Ok(()), |schema| {
                validate(root, schema, field).map_err(|error| format!("{name}: {error}"))
            })
        }),
        "additionalProperties" => each(value.as_object().into_iter().flatten(), |(name, field)| {
            let known = rules.get("properties").is_some_and(|known| known.get(name).is_some());
            match rule {
                _ if known => Ok(()),
                Value::Bool(allowed) => expect(*allowed),
                schema => validate(root, schema, field),
            }
        }),
        other => Err(format!("the keyword `{other}` is unknown here")),
    }
}

fn each<T>(
    mut items: impl Iterator<Item = T>,
    check: impl Fn(T) -> Result<(), String>,
) -> Result<(), String> {
    items.try_for_each(check)
}

fn is_type(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        other => panic!("the type `{other}` is unknown here"),
    }
}

fn definition<'a>(root: &'a Value, reference: &Value) -> &'a Value {
    let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
    root.pointer(pointer).unwrap_or_else(|| panic!("no definition {reference}"))
}

/// Every schema below a schema, so that all of it is looked at.
fn all_below(schema: &Value) -> Vec<&Value> {
    let mut found = vec![schema];
    let fields = schema.as_object().into_iter().flatten();
    for (keyword, rule) in fields {
        match keyword.as_str() {
            "properties" | "$defs" => found.extend(rule.as_object().unwrap().values().flat_map(all_below)),
            "items" | "not" => found.extend(all_below(rule)),
            "additionalProperties" if rule.is_object() => found.extend(all_below(rule)),
            "anyOf" | "oneOf" => found.extend(rule.as_array().unwrap().iter().flat_map(all_below)),
            _ => {}
        }
    }
    found
}

#[test]
fn schemas_use_only_what_is_understood() {
    for name in ["policy", "check", "trace", "reach"] {
        let schema = printed(name);
        for part in all_below(&schema) {
            if let Err(message) = validate(&schema, part, &Value::Null) {
                assert!(!message.contains("unknown here"), "{name}: {message}");
            }
            if let Some(reference) = part.get("$ref") {
                definition(&schema, reference);
            }
        }
    }
}

/// A value that fits, and the same without each of its fields in turn: fields that may not be missing are found.
fn check_required(name: &str, example: &str, required: &[&str]) {
    let (schema, value) = (printed(name), serde_json::from_str::<Value>(example).unwrap());
    assert_valid(&schema, &value);
    for field in value.as_object().unwrap().keys() {
        let mut without = value.clone();
        without.as_object_mut().unwrap().remove(field);
        let refused = validate(&schema, &schema, &without).is_err();
        assert_eq!(refused, required.contains(&field.as_str()), "{name} without {field}");
    }
}

const TRACE: &str = r#"{"schema":"reachproof/trace/v1","verdict":"reaches","question":"packet",
  "flow":{"source":"10.0.0.10","destination":"10.0.1.10","protocol":"tcp","source_port":49152,"port":443},
  "forward":{"disposition":"delivered","hops":[{"node":"eni-1","kind":"interface",
    "decisions":[{"rule":"R-SG-1","verdict":"permit","by":"sg-1 egress #2","source":"a.json#/SecurityGroups/0"}],
    "header":{"source":"10.0.0.10","destination":"10.0.1.10","protocol":"tcp","source_port":49152,"port":443}}]},
  "return":null,"assumptions":["A-3"],"gaps":[{"id":"G-1","resource":"tgw-1","why":"collect it"}]}"#;

#[test]
fn the_answers_of_the_contract_fit_their_schemas() {
    check_required(
        "trace",
        TRACE,
        &["schema", "verdict", "question", "flow", "forward", "assumptions", "gaps"],
    );
    let digest = "0".repeat(64);
    let check = format!(
        r#"{{"schema":"reachproof/check/v1","snapshot":"sha256:{digest}","summary":{{"holds":1,"violated":0,"unknown":0}},
        "properties":[{{"name":"p","verdict":"holds","question":"packet","witnesses":[{TRACE}],"certificate":null,
        "assumptions":[],"gaps":[]}}]}}"#
    );
    check_required("check", &check, &["schema", "snapshot", "properties", "summary"]);
    let reach = r#"{"schema":"reachproof/reach/v1","question":"packet","gaps":[],
      "rows":[{"from":["internet"],"to":["eni-1"],"flows":[{"source":["0.0.0.0/0"],"destination":["10.0.0.10/32"],
        "protocol":"tcp","source_ports":[[0,65535]],"ports":[[443,443]],"icmp":[],"answered":"all",
        "certainty":"reaches","assumptions":[]}]}]}"#;
    check_required("reach", reach, &["schema", "question", "rows", "gaps"]);
}

#[test]
fn the_policy_schema_accepts_and_refuses_as_the_reader_does() {
    let schema = printed("policy");
    let valid = |text: &str| validate(&schema, &schema, &serde_json::from_str(text).unwrap()).is_ok();
    let property =
        |body: &str| format!(r#"{{"reachproof":"policy/v1","properties":[{{"name":"p",{body}}}]}}"#);
    assert!(valid(r#"{"reachproof":"policy/v1","groups":{"ml":["tag:Role=ml"]}}"#));
    assert!(valid(&property(
        r#""severity":"high","controls":["NIST:SC-7"],"forbid":{"from":"internet","to":["a","!b"]}"#
    )));
    assert!(valid(&property(
        r#""only-through":{"from":"a","to":"b","through":"c","port":["tcp/443","icmp"]}"#
    )));
    assert!(valid(&property(r#""isolate":{"between":"a","and":{"select":"b","allow-empty":true}}"#)));
    assert!(!valid(r#"{"reachproof":"policy/v2"}"#));
    assert!(!valid(&property(r#""forbid":{"from":"a","to":"b","form":"c"}"#)));
    assert!(!valid(&property(r#""forbid":{"from":"a"}"#)));
    assert!(!valid(&property(r#""forbid":{"from":"a","to":"b"},"no-new":{}"#)));
    assert!(!valid(&property(r#""forbid":{"from":"a","to":"b","port":"tcp/1","ports":"tcp/2"}"#)));
    assert!(!valid(&property(r#""severity":"bad","no-new":{}"#)));
}
