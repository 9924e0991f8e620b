//! The commands that read a network. Each file has one function that is the command.

pub mod check;
pub mod reach;
pub mod trace;

use crate::exit::Failure;
use crate::output::Talk;
use crate::read::{self, Inputs};

/// Reads the inputs of a command and tells what was read.
fn read_inputs(arguments: &crate::arguments::InputArguments, talk: &mut Talk) -> Result<Inputs, Failure> {
    talk.progress("reading the input");
    let inputs = read::inputs(&arguments.paths())?;
    let bytes: usize = inputs.files.iter().chain(&inputs.scenarios).map(|input| input.bytes.len()).sum();
    talk.detail(&format!(
        "read {} files and {} scenarios, {bytes} bytes",
        inputs.files.len(),
        inputs.scenarios.len()
    ));
    Ok(inputs)
}

/// The end of a command whose evaluation is not part of this build.
fn not_built_in(command: &str) -> Failure {
    Failure::new(format!("`{command}` read its input, and this build cannot evaluate it"))
}
