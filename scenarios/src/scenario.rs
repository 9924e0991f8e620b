//! A scenario: read, checked, and expanded.

use std::collections::BTreeMap;

use reachproof_model::ingest::Input;

use crate::corpus;
use crate::error::ScenarioError;
use crate::expand::expand;
use crate::format::network::Network;
use crate::format::overlay::Overlay;
use crate::format::{Expectation, ScenarioFile, VERSION};

/// A network with the answers that are expected about it.
#[derive(Clone, Debug)]
pub struct Scenario {
    name: String,
    title: String,
    rules: Vec<String>,
    vector: Option<String>,
    pending: Option<String>,
    documents: Vec<Document>,
    expectations: Vec<Expectation>,
}

/// One answer as the AWS CLI prints it.
#[derive(Clone, PartialEq, Debug)]
pub struct Document {
    /// `t-sg-01/ec2_describe-vpcs.json`; with `<account>/<region>/` inside where there is more than one.
    pub name: String,
    /// The answer.
    pub json: serde_json::Value,
}

impl Document {
    /// The answer as text, indented, with a line break at the end. Equal documents give equal text.
    pub fn text(&self) -> String {
        format!("{:#}\n", self.json)
    }
}

impl Scenario {
    /// Its name, unique in the corpus.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it shows, in one line.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The ids of the rules that it exercises.
    pub fn rules(&self) -> &[String] {
        &self.rules
    }

    /// The vector of the rules that it states.
    pub fn vector(&self) -> Option<&str> {
        self.vector.as_deref()
    }

    /// Why the whole scenario cannot be run yet.
    pub fn pending(&self) -> Option<&str> {
        self.pending.as_deref()
    }

    /// The network as input files: [`Scenario::documents`] as text.
    pub fn inputs(&self) -> Vec<Input> {
        let documents = self.documents.iter();
        documents
            .map(|document| Input { name: document.name.clone(), bytes: document.text().into_bytes() })
            .collect()
    }

    /// The network, as answers of the AWS CLI, sorted by name.
    pub fn documents(&self) -> &[Document] {
        &self.documents
    }

    /// The questions with the answers that are right, aliases replaced.
    pub fn expectations(&self) -> &[Expectation] {
        &self.expectations
    }
}

/// Reads a scenario file. `name` is what errors call the file.
///
/// # Errors
/// The text is not YAML, has unknown or repeated keys, names an unknown base, refers to something that the network
/// lacks where the expansion needs it, or expects contradictory things.
pub fn parse(name: &str, text: &str) -> Result<Scenario, ScenarioError> {
    let file = read(name, text)?;
    let wrong = |message: String| ScenarioError::of_file(name, message);
    let layers = layers(file).map_err(|error| error.within(name))?;
    let (mut network, mut aliases) = (Network::default(), BTreeMap::new());
    for layer in &layers {
        network.overlay(layer.network.clone());
        aliases.extend(layer.aliases.clone());
    }
    let documents = expand(&layers, &network).map_err(wrong)?;
    let Some(file) = layers.into_iter().next_back() else {
        return Err(wrong("nothing is described".to_owned()));
    };
    let ScenarioFile { name: own, title, rules, vector, pending, expect, .. } = file;
    let expectations: Vec<_> = expect.into_iter().map(|expectation| resolve(expectation, &aliases)).collect();
    match expectations.iter().find_map(Expectation::fault) {
        Some(fault) => Err(wrong(fault.to_owned())),
        None => Ok(Scenario { name: own, title, rules, vector, pending, documents, expectations }),
    }
}

/// The file and the bases below it, the lowest first.
fn layers(file: ScenarioFile) -> Result<Vec<ScenarioFile>, ScenarioError> {
    let mut layers = vec![file];
    while let Some(base) = layers.last().and_then(|file| file.base.clone()) {
        let text = corpus::base(&base).filter(|_| layers.len() < MAX_LAYERS);
        let text = text.ok_or_else(|| ScenarioError::of_file(&base, format!("there is no base `{base}`")))?;
        layers.push(read(&base, text)?);
    }
    layers.reverse();
    Ok(layers)
}

/// Bases are built in and few; more layers than this would be a base of itself.
const MAX_LAYERS: usize = 8;

fn read(name: &str, text: &str) -> Result<ScenarioFile, ScenarioError> {
    let file: ScenarioFile =
        serde_saphyr::from_str(text).map_err(|error| ScenarioError::of_yaml(name, &error))?;
    if file.reachproof != VERSION {
        let found = &file.reachproof;
        return Err(ScenarioError::of_file(
            name,
            format!("found `reachproof: {found}`, expected `{VERSION}`"),
        ));
    }
    Ok(file)
}

fn resolve(mut expectation: Expectation, aliases: &BTreeMap<String, String>) -> Expectation {
    let selectors = [&mut expectation.from, &mut expectation.to].into_iter().chain(&mut expectation.via);
    for selector in selectors {
        let parts: Vec<&str> = selector.split(',').map(str::trim).collect();
        let named = parts.into_iter().map(|part| aliases.get(part).map_or(part, String::as_str));
        *selector = named.collect::<Vec<_>>().join(",");
    }
    expectation
}
