//! From the compact description to the JSON that the AWS CLI prints.
//!
//! [`expand`] writes every resource into [`Answers`], one answer a call and place, then lays the raw JSON of the file
//! over it. Attributes that the description leaves out get the value that AWS gives them.

mod answers;
mod context;
mod filter;
mod gateway;
mod interface;
mod raw;
mod transit;
mod vpc;

pub(crate) use answers::{Answers, Place};
use context::Context;
pub(crate) use context::MOMENT;

use crate::format::ScenarioFile;
use crate::format::network::Network;
use crate::scenario::Document;

/// Why a description cannot be expanded, for people.
pub(crate) type Fault = String;

/// The answers that describe `network`, changed by the raw JSON of each of its layers, sorted by name.
pub(crate) fn expand(layers: &[ScenarioFile], network: &Network) -> Result<Vec<Document>, Fault> {
    let context = Context::new(network);
    let mut answers = Answers::new(context.places());
    vpc::describe(&context, &mut answers)?;
    filter::describe(&context, &mut answers)?;
    interface::describe(&context, &mut answers)?;
    gateway::describe(&context, &mut answers)?;
    transit::describe(&context, &mut answers)?;
    for layer in layers {
        raw::apply(&layer.aws, &mut answers)?;
        if let Some(collected) = &layer.collected {
            answers.retain(collected)?;
        }
    }
    let name = layers.last().map_or("", |file| file.name.as_str());
    Ok(answers.into_documents(name, context.is_scoped()))
}
