//! `docs/semantics-coverage.md` says for each rule of the semantics which code implements it and which scenarios test it.
//! It is made from the citations in doc comments, comments and hops, from the scenarios, and from
//! `docs/semantics-rules.txt`. With `UPDATE_COVERAGE=1` it is rewritten.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "helpers of a test; it reads the project itself"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use reachproof_scenarios::corpus;

/// Places by the rule that they cite.
type Citations = BTreeMap<String, BTreeSet<String>>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Each rule in the order of the list, with the reason why no function implements it.
fn rules() -> Vec<(String, Option<String>)> {
    let text = fs::read_to_string(root().join("docs/semantics-rules.txt")).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| match line.split_once(": ") {
            Some((rule, remark)) => (rule.to_owned(), Some(remark.to_owned())),
            None => (line.to_owned(), None),
        })
        .collect()
}

/// The ids of rules that a line cites.
fn cited(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("R-").filter_map(|(start, _)| {
        let own_word = !line[..start].ends_with(|c: char| c.is_alphanumeric() || c == '-');
        let rest = &line[start + 2..];
        let area = rest.find(|c: char| !c.is_ascii_uppercase())?;
        let number = rest[area..].strip_prefix('-')?;
        let digits = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
        let letter = usize::from(number[digits..].starts_with(|c: char| c.is_ascii_lowercase()));
        (own_word && area > 0 && digits > 0).then(|| &line[start..start + 3 + area + digits + letter])
    })
}

/// The name that a line of code declares, if it declares an item.
fn declared(line: &str) -> Option<&str> {
    const KEYWORDS: [&str; 7] = ["fn", "struct", "enum", "const", "trait", "type", "static"];
    let mut words = line.split_whitespace();
    words.find(|word| KEYWORDS.contains(word))?;
    let name = words.next()?;
    name.split(|c: char| !c.is_alphanumeric() && c != '_').next().filter(|name| !name.is_empty())
}

/// Adds the citations of one file: those of a doc comment to the item below it, others to the item around them.
fn read_source(path: &Path, citations: &mut Citations) {
    let text = fs::read_to_string(path).unwrap();
    let file = path.strip_prefix(root()).unwrap().display().to_string().replace('\\', "/");
    let mut waiting: Vec<&str> = Vec::new();
    let mut around = "";
    for line in text.lines().map(str::trim) {
        if line.starts_with("///") {
            waiting.extend(cited(line));
        } else if !line.starts_with("#[") {
            let documented = declared(line).filter(|_| !line.starts_with("//"));
            around = documented.unwrap_or(around);
            let here = waiting.drain(..).chain(cited(line));
            let place = if around.is_empty() { file.clone() } else { format!("{file} `{around}`") };
            here.for_each(|rule| _ = citations.entry(rule.to_owned()).or_default().insert(place.clone()));
        }
    }
}

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let test = path.file_stem().is_some_and(|stem| stem == "tests");
        if path.is_dir() && !test {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !test {
            into.push(path);
        }
    }
}

fn in_code() -> Citations {
    let mut paths = Vec::new();
    ["engine/src", "model/src"].iter().for_each(|folder| sources(&root().join(folder), &mut paths));
    let mut citations = Citations::new();
    paths.iter().for_each(|path| read_source(path, &mut citations));
    citations
}

fn in_scenarios() -> Citations {
    let mut citations = Citations::new();
    for scenario in corpus() {
        for rule in scenario.rules() {
            citations.entry(rule.clone()).or_default().insert(scenario.name().to_owned());
        }
    }
    citations
}

fn list(places: Option<&BTreeSet<String>>) -> String {
    places.map_or("-".to_owned(), |places| places.iter().cloned().collect::<Vec<_>>().join(", "))
}

fn page(rules: &[(String, Option<String>)], code: &Citations, scenarios: &Citations) -> String {
    let built = |(rule, remark): &&(String, Option<String>)| code.contains_key(rule) && remark.is_none();
    let tested = rules.iter().filter(built).filter(|(rule, _)| scenarios.contains_key(rule)).count();
    let mut page = format!(
        "# Coverage of the semantics\n\nMade by `UPDATE_COVERAGE=1 cargo test --test coverage`; a test fails when it is stale.\n\
         {} rules: {} implemented, of which {tested} have a scenario; {} not, each with its reason at the end.\n\
         Reading rules are tested beside the code that reads; a rule without a scenario of its own may be exercised by another's.\n\n\
         ## Implemented\n\n| rule | implemented by | scenarios |\n| --- | --- | --- |\n",
        rules.len(),
        rules.iter().filter(built).count(),
        rules.iter().filter(|(_, remark)| remark.is_some()).count(),
    );
    for (rule, _) in rules.iter().filter(built) {
        writeln!(page, "| {rule} | {} | {} |", list(code.get(rule)), list(scenarios.get(rule))).unwrap();
    }
    page.push_str("\n## Not implemented\n\nWhat is not built is detected and answered as unknown (A-22).\n\n| rule | why | detected by | scenarios |\n| --- | --- | --- | --- |\n");
    for (rule, remark) in rules {
        let Some(remark) = remark else { continue };
        writeln!(page, "| {rule} | {remark} | {} | {} |", list(code.get(rule)), list(scenarios.get(rule)))
            .unwrap();
    }
    page
}

#[test]
fn every_rule_is_implemented_or_says_why_not() {
    let (rules, code) = (rules(), in_code());
    let silent: Vec<_> =
        rules.iter().filter(|(rule, remark)| remark.is_none() && !code.contains_key(rule)).collect();
    assert!(silent.is_empty(), "neither implemented nor explained: {silent:?}");
    let denied = |remark: &Option<String>| remark.as_ref().is_some_and(|text| text.starts_with("states"));
    let stale: Vec<_> =
        rules.iter().filter(|(rule, remark)| denied(remark) && code.contains_key(rule)).collect();
    assert!(stale.is_empty(), "said to be nothing to compute, and cited: {stale:?}");
}

#[test]
fn every_cited_rule_exists() {
    let known: BTreeSet<String> = rules().into_iter().map(|(rule, _)| rule).collect();
    let cited: BTreeSet<String> = in_code().into_keys().chain(in_scenarios().into_keys()).collect();
    let unknown: Vec<_> = cited.difference(&known).collect();
    assert!(unknown.is_empty(), "cited, and no rule: {unknown:?}");
}

#[test]
fn coverage_page_is_up_to_date() {
    let path = root().join("docs/semantics-coverage.md");
    let now = page(&rules(), &in_code(), &in_scenarios());
    if std::env::var_os("UPDATE_COVERAGE").is_some() {
        fs::write(&path, &now).unwrap();
    }
    assert!(fs::read_to_string(&path).is_ok_and(|page| page == now), "run with UPDATE_COVERAGE=1");
}
