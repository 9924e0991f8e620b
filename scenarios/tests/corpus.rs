//! The built-in corpus: every file is listed, well formed, and covers its vector.

#![expect(clippy::disallowed_methods, reason = "the files of the corpus are listed")]

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use reachproof_model::ingest::load;
use reachproof_scenarios::{Scenario, Verdict, corpus, parse};

/// Areas of vectors with the highest number of each.
const VECTORS: &[(&str, u32)] = &[
    ("ADDR", 12),
    ("ROUTE", 16),
    ("SG", 20),
    ("NACL", 11),
    ("IGW", 11),
    ("BPA", 8),
    ("NAT", 11),
    ("VPCE", 9),
    ("PCX", 7),
    ("TGW", 14),
    ("VPN", 6),
    ("CONN", 5),
    ("STATE", 4),
    ("DATA", 9),
    ("E2E", 30),
];

fn files_below(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { files.extend(files_below(&path)?) } else { files.push(path) }
    }
    Ok(files)
}

fn corpus_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

#[test]
fn every_file_parses_under_the_name_of_its_path() {
    for path in files_below(&corpus_folder()).unwrap() {
        let text = fs::read_to_string(&path).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let scenario = parse(&path.display().to_string(), &text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(scenario.name(), name, "{}", path.display());
    }
}

#[test]
fn every_file_is_listed() {
    let files = files_below(&corpus_folder()).unwrap();
    let scenarios = files.iter().filter(|path| !path.starts_with(corpus_folder().join("base")));
    let on_disk: BTreeSet<String> =
        scenarios.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    let listed: BTreeSet<String> = corpus().iter().map(|scenario| scenario.name().to_owned()).collect();
    assert_eq!(on_disk, listed);
}

#[test]
fn every_vector_has_exactly_one_scenario() {
    let wanted =
        VECTORS.iter().flat_map(|(area, last)| (1..=*last).map(move |number| format!("T-{area}-{number}")));
    let wanted: Vec<String> = wanted.collect();
    let found: Vec<String> =
        corpus().iter().filter_map(|scenario| scenario.vector().map(str::to_owned)).collect();
    assert_eq!(wanted, found);
}

#[test]
fn every_scenario_names_its_vector_or_story_and_rules() {
    for scenario in corpus() {
        match scenario.vector() {
            Some(vector) => {
                let (area, number) = vector.strip_prefix("T-").unwrap().rsplit_once('-').unwrap();
                let number: u32 = number.parse().unwrap();
                assert_eq!(scenario.name(), format!("t-{}-{number:02}", area.to_lowercase()));
            }
            // A regression has a story of its own instead.
            None => assert!(!scenario.name().starts_with("t-") && !scenario.title().is_empty()),
        }
        assert!(scenario.rules().iter().all(|rule| rule.starts_with("R-")), "{}", scenario.name());
        assert!(!scenario.rules().is_empty() && !scenario.expectations().is_empty(), "{}", scenario.name());
    }
}

#[test]
fn aliases_are_replaced_by_what_the_network_has() {
    for scenario in corpus() {
        let text: String = scenario.documents().iter().map(|document| document.json.to_string()).collect();
        for expectation in
            scenario.expectations().iter().filter(|expectation| expectation.verdict != Verdict::Error)
        {
            let ids = [&expectation.from, &expectation.to].into_iter().chain(&expectation.via);
            for id in ids.flat_map(|selector| selector.split(',')) {
                let id = id.trim_start_matches('!').split_once(':').map_or(id, |(gateway, _)| gateway);
                let word = ["internet", "any-external", "onprem", "service"].contains(&id);
                let outside = word || id.contains('.') || id.parse::<std::net::Ipv6Addr>().is_ok();
                let quoted = format!("\"{id}\"");
                let hex = id.chars().all(|letter| letter.is_ascii_hexdigit());
                assert!(
                    outside || hex || text.contains(&quoted),
                    "{}: nothing is called `{id}`",
                    scenario.name()
                );
            }
        }
    }
}

#[test]
fn expansion_is_deterministic() {
    let text = |scenarios: Vec<Scenario>| {
        let documents =
            scenarios.iter().flat_map(|scenario| scenario.documents().to_vec()).collect::<Vec<_>>();
        documents.iter().map(|document| format!("{}\n{}", document.name, document.text())).collect::<String>()
    };
    assert_eq!(text(corpus()), text(corpus()));
}

#[test]
fn every_network_loads() {
    for scenario in corpus() {
        let snapshot = load(scenario.inputs()).unwrap_or_else(|error| panic!("{}: {error}", scenario.name()));
        assert!(!snapshot.vpcs.is_empty(), "{}", scenario.name());
    }
}
