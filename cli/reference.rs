//! What the tool says about itself: JSON Schemas, shell completions and manual pages.

use std::fmt::Write as _;

use clap::{CommandFactory, ValueEnum};

use crate::arguments::{CommandLine, CompletionsArguments, ManArguments, SchemaArguments};
use crate::exit::{Exit, Failure};
use crate::output;

/// The schemas that `schema` prints.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum SchemaName {
    /// Policy files, `reachproof: policy/v1`
    Policy,
    /// The answer of `check --format json`
    Check,
    /// The answer of `trace --format json`
    Trace,
    /// The answer of `reach --format json`
    Reach,
}

impl SchemaName {
    /// The schema, as JSON.
    pub fn text(self) -> &'static str {
        match self {
            Self::Policy => include_str!("schemas/policy.v1.json"),
            Self::Check => include_str!("schemas/check.v1.json"),
            Self::Trace => include_str!("schemas/trace.v1.json"),
            Self::Reach => include_str!("schemas/reach.v1.json"),
        }
    }
}

/// Prints one schema, or the names of all.
pub fn schema(arguments: &SchemaArguments) -> Result<Exit, Failure> {
    let text = arguments.name.map_or_else(names, |name| name.text().to_owned());
    print(&arguments.answer, text.as_bytes())
}

fn names() -> String {
    SchemaName::value_variants().iter().filter_map(ValueEnum::to_possible_value).fold(
        String::new(),
        |mut names, value| {
            let help = value.get_help().map(ToString::to_string).unwrap_or_default();
            // Writing to a string cannot fail.
            let _ = writeln!(names, "{:8}{help}", value.get_name());
            names
        },
    )
}

/// Prints a completion script.
pub fn completions(arguments: &CompletionsArguments) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut CommandLine::command(), "reachproof", &mut script);
    print(&arguments.answer, &script)
}

/// Prints the manual page of the tool or of one command.
pub fn man(arguments: &ManArguments) -> Result<Exit, Failure> {
    let mut tool = CommandLine::command();
    tool.build();
    let command = match arguments.command.as_deref() {
        None => tool,
        Some(name) => page_of(&tool, name)?,
    };
    let mut page = Vec::new();
    let rendered = clap_mangen::Man::new(command).render(&mut page);
    rendered.map_err(|error| Failure::new(format!("cannot make the manual page: {error}")))?;
    print(&arguments.answer, &page)
}

fn page_of(tool: &clap::Command, name: &str) -> Result<clap::Command, Failure> {
    let Some(command) = tool.find_subcommand(name) else {
        let names = tool.get_subcommands().map(clap::Command::get_name).filter(|name| *name != "help");
        let known: Vec<_> = names.map(|name| format!("`{name}`")).collect();
        return Err(Failure::new(format!(
            "no command is named `{name}`; expected one of {}",
            known.join(", ")
        )));
    };
    Ok(command.clone())
}

fn print(answer: &crate::arguments::AnswerArguments, bytes: &[u8]) -> Result<Exit, Failure> {
    output::write(output::target(answer.output.as_ref()), bytes)?;
    Ok(Exit::Holds)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn parsed(name: SchemaName) -> Value {
        serde_json::from_str(name.text()).unwrap()
    }

    #[test]
    fn a_witness_of_check_is_what_trace_answers() {
        let (mut trace, check) = (parsed(SchemaName::Trace), parsed(SchemaName::Check));
        let fields = trace.as_object_mut().unwrap();
        let definitions = fields.remove("$defs").unwrap();
        for of_the_document in ["$schema", "$id", "title", "description"] {
            fields.remove(of_the_document);
        }
        assert_eq!(check["$defs"]["trace"], trace);
        for (name, definition) in definitions.as_object().unwrap() {
            assert_eq!(&check["$defs"][name], definition, "{name}");
        }
    }
}
