//! Reports for other programs have what their readers require.

use std::fs;

use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::{Value, json};

use crate::harness::{files, run};
use crate::schema::assert_valid;

fn report(input: &str, policy: &str, format: &str) -> String {
    let run = run(&["check", input, "--policy", policy, "--date", "2026-01-01", "--format", format]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(1), ""));
    run.stdout
}

/// What SARIF 2.1.0 requires of the objects that we write; they have no other fields.
fn sarif_schema() -> Value {
    let object = |required: &[&str], properties: Value| json!({"type": "object", "required": required, "additionalProperties": false, "properties": properties});
    let list = |of: &str| json!({"type": "array", "items": {"$ref": format!("#/$defs/{of}")}});
    let text = json!({"type": "string", "minLength": 1});
    let mut schema =
        object(&["version", "runs"], json!({"version": {"const": "2.1.0"}, "runs": list("run")}));
    schema["$defs"] = json!({
        "run": object(&["tool"], json!({"tool": object(&["driver"], json!({"driver": {"$ref": "#/$defs/driver"}})),
            "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]}, "results": list("result")})),
        "driver": object(&["name"], json!({"name": text, "version": text, "rules": list("rule")})),
        "rule": object(&["id"], json!({"id": text, "shortDescription": {"$ref": "#/$defs/message"},
            "help": {"$ref": "#/$defs/message"}, "properties": {"type": "object"}})),
        "message": object(&["text"], json!({"text": text})),
        "result": object(&["message"], json!({"ruleId": text, "ruleIndex": {"type": "integer", "minimum": 0},
            "level": {"enum": ["none", "note", "warning", "error"]}, "message": {"$ref": "#/$defs/message"},
            "locations": list("location"), "codeFlows": list("codeFlow"),
            "partialFingerprints": {"type": "object", "additionalProperties": text}})),
        "location": object(&[], json!({"physicalLocation": {"$ref": "#/$defs/physical"},
            "logicalLocations": list("logical"), "message": {"$ref": "#/$defs/message"}})),
        "physical": object(&["artifactLocation"], json!({"artifactLocation": object(&["uri"], json!({"uri": text})),
            "region": object(&["startLine"], json!({"startLine": {"type": "integer", "minimum": 1}}))})),
        "logical": object(&[], json!({"fullyQualifiedName": text})),
        "codeFlow": object(&["threadFlows"], json!({"threadFlows": {"type": "array", "minItems": 1,
            "items": {"$ref": "#/$defs/threadFlow"}}})),
        "threadFlow": object(&["locations"], json!({"locations": {"type": "array", "minItems": 1,
            "items": object(&["location"], json!({"location": {"$ref": "#/$defs/location"}}))}})),
    });
    schema
}

/// A log that fits, and whose results name rules that it has.
fn sarif(input: &str, policy: &str) -> Value {
    let log: Value = serde_json::from_str(&report(input, policy, "sarif")).unwrap();
    assert_valid(&sarif_schema(), &log);
    let run = &log["runs"][0];
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
        assert_eq!(result["locations"].as_array().unwrap().len(), 1);
    }
    log
}

/// The line of the test folder's file that a location names.
fn named_line(location: &Value) -> String {
    let physical = &location["physicalLocation"];
    let file = files().join(physical["artifactLocation"]["uri"].as_str().unwrap());
    let line = usize::try_from(physical["region"]["startLine"].as_u64().unwrap()).unwrap();
    fs::read_to_string(file).unwrap().lines().nth(line - 1).unwrap().to_owned()
}

#[test]
fn a_violation_is_an_error_and_an_unknown_a_warning() {
    let log = sarif("named.yaml", "three.yaml");
    let results = log["runs"][0]["results"].as_array().unwrap();
    let found: Vec<_> =
        results.iter().map(|result| (result["level"].as_str().unwrap(), &result["ruleIndex"])).collect();
    assert_eq!(found, [("error", &json!(0)), ("warning", &json!(1))]);
    assert!(named_line(&results[0]["locations"][0]).contains("web <b>"), "the property in the policy");
}

#[test]
fn a_result_names_the_line_of_the_deciding_rule() {
    let example = "../../../scenarios/private-ml";
    let log = sarif(&format!("{example}/twin"), &format!("{example}/policy.yaml"));
    let location = &log["runs"][0]["results"][0]["locations"][0];
    let uri = location["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
    assert!(uri.ends_with("us-east-1/ec2_describe-security-groups.json"), "{uri}");
    let pointer = location["logicalLocations"][0]["fullyQualifiedName"].as_str().unwrap();
    let (_, pointer) = pointer.split_once('#').unwrap();
    let text = fs::read_to_string(files().join(uri)).unwrap();
    let rule = serde_json::from_str::<Value>(&text).unwrap().pointer(pointer).unwrap().clone();
    assert_eq!(named_line(location).trim(), "{");
    let line =
        usize::try_from(location["physicalLocation"]["region"]["startLine"].as_u64().unwrap()).unwrap();
    let from_there: String = text.lines().skip(line - 1).collect();
    let first = serde_json::Deserializer::from_str(&from_there).into_iter::<Value>().next();
    assert_eq!(first.unwrap().unwrap(), rule);
}

/// The names of the elements with their attributes, in document order.
fn elements(xml: &str) -> Vec<(String, Vec<(String, String)>)> {
    let mut reader = Reader::from_str(xml);
    let mut found = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => return found,
            Event::Start(start) | Event::Empty(start) => {
                let attributes = start.attributes().map(|attribute| {
                    let attribute = attribute.unwrap();
                    (attribute.key.as_ref().to_owned(), attribute.value.into_owned())
                });
                found.push((start.name().as_ref().to_owned(), attributes.collect()));
            }
            _ => {}
        }
    }
}

#[test]
fn a_suite_counts_its_cases() {
    let found = elements(&report("named.yaml", "three.yaml", "junit"));
    let count = |name: &str| found.iter().filter(|(element, _)| element == name).count().to_string();
    let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
    let cases = ["testcase", "failure", "testcase", "error", "testcase", "system-out"];
    assert_eq!(names, [&["testsuites", "testsuite"][..], &cases].concat());
    for (element, attributes) in &found {
        let get = |key: &str| attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
        match element.as_str() {
            "testsuites" | "testsuite" => {
                let counts = ["tests", "failures", "errors"].map(|key| get(key).unwrap());
                assert_eq!(counts, ["testcase", "failure", "error"].map(count));
                assert_eq!(get("name").unwrap(), "reachproof");
            }
            "testcase" => assert!(get("name").is_some() && get("classname").is_some()),
            "failure" | "error" => assert!(get("message").is_some() && get("type").is_some()),
            _ => {}
        }
    }
}

/// A compiled snapshot knows the pointer of the deciding rule; the line is that of the property.
#[test]
fn a_result_of_a_compiled_snapshot_names_the_deciding_rule() {
    let example = "../../../scenarios/private-ml";
    let folder = tempfile::tempdir().unwrap();
    let compiled = folder.path().join("twin.compiled").to_str().unwrap().to_owned();
    run(&["compile", &format!("{example}/twin"), "-o", &compiled]);
    let policy = format!("{example}/policy.yaml");
    let (plain, compiled) = (sarif(&format!("{example}/twin"), &policy), sarif(&compiled, &policy));
    let location = |log: &Value| log["runs"][0]["results"][0]["locations"][0].clone();
    assert_eq!(location(&compiled)["logicalLocations"], location(&plain)["logicalLocations"]);
    let uri = location(&compiled)["physicalLocation"]["artifactLocation"]["uri"].clone();
    assert!(uri.as_str().unwrap().ends_with("policy.yaml"), "{uri}");
}
