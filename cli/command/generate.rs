//! `generate`: a seeded organisation as answers of the AWS CLI, with a policy and, if asked for, planted faults.
//!
//! Invariant: the folder appears whole or not at all. It is written beside its place under a hidden name that says what it
//! is, `.<name>.partial-…`, and renamed at the end; only a run that is killed leaves that behind.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use reachproof_engine::network::{Network, Options, SourcePlace};
use reachproof_engine::reach;
use reachproof_model::ingest;
use reachproof_scenarios::organisation::{Change, Counts, Organisation, Parameters, PlantedFault};
use serde::Serialize;

use crate::answer::pretty;
use crate::arguments::{Format, GenerateArguments};
use crate::exit::{Exit, Failure};
use crate::output::{self, Talk};
use crate::read;

/// Up to so many interfaces, what was written is read again to count its classes.
const COUNTED: u64 = 100_000;

/// Runs the command.
pub fn run(arguments: &GenerateArguments, talk: &mut Talk) -> Result<Exit, Failure> {
    let parameters = parameters(arguments);
    let organisation = Organisation::plan(parameters).map_err(|error| Failure::new(error.to_string()))?;
    let target = &arguments.output;
    require_free(target)?;
    talk.progress("writing the answers");
    let partial = partial_beside(target).map_err(|error| cannot_write(target, &error))?;
    let written = write(&organisation, partial.path())?;
    talk.detail(&format!("wrote {} files", written.files));
    talk.progress("counting the classes");
    let classes = classes(partial.path(), written.counts)?;
    settle(partial, target).map_err(|error| cannot_write(target, &error))?;
    let summary = Summary::of(&organisation, &written, classes);
    let answer = match arguments.format {
        Format::Json => pretty(&summary)?,
        _ => summary.text(),
    };
    output::write(None, answer.as_bytes())?;
    Ok(Exit::Holds)
}

fn parameters(arguments: &GenerateArguments) -> Parameters {
    let usual = Parameters::of_size(arguments.seed, arguments.interfaces);
    Parameters {
        vpcs: arguments.vpcs.unwrap_or(usual.vpcs),
        regions: arguments.regions.unwrap_or(usual.regions),
        workload: arguments.workload,
        ipv6_percent: arguments.ipv6,
        faults: arguments.mutate,
        ..usual
    }
}

/// The place of the folder must be empty, so that nothing of another organisation stays in it.
fn require_free(target: &Path) -> Result<(), Failure> {
    let wrong = |what: &str| {
        let message = format!("`{}` {what}: expected an empty folder or none", target.display());
        Err(Failure::new(message))
    };
    match fs::read_dir(target) {
        Ok(mut entries) => entries.next().map_or(Ok(()), |_| wrong("is not empty")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => wrong("is a file"),
        Err(error) => Err(cannot_write(target, &error)),
    }
}

/// A hidden folder beside the target, which goes away unless it is settled.
fn partial_beside(target: &Path) -> io::Result<tempfile::TempDir> {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty());
    let mut builder = tempfile::Builder::new();
    let prefix = format!(".{name}.partial-");
    builder.prefix(&prefix);
    #[cfg(unix)]
    builder.permissions(<fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o777));
    builder.tempdir_in(parent.unwrap_or(Path::new(".")))
}

/// Renames the partial folder to its place.
fn settle(partial: tempfile::TempDir, target: &Path) -> io::Result<()> {
    if target.exists() {
        fs::remove_dir(target)?;
    }
    fs::rename(partial.path(), target)?;
    // Nothing is left that could be removed.
    let _ = partial.keep();
    Ok(())
}

/// What was written.
#[derive(Default)]
struct Written {
    files: u64,
    counts: Counts,
    changes: Vec<(u32, Change)>,
    faults: Vec<PlantedFault>,
}

/// Writes every account and Region, several at a time, then what is about all of them.
fn write(organisation: &Organisation, folder: &Path) -> Result<Written, Failure> {
    let places: Vec<Written> = (0..organisation.places())
        .into_par_iter()
        .map(|index| write_place(organisation, index, folder))
        .collect::<Result<_, _>>()?;
    let mut all = Written::default();
    for place in places {
        all.files += place.files;
        all.counts = all.counts.plus(place.counts);
        all.changes.extend(place.changes);
    }
    all.faults = organisation.faults(&all.changes);
    write_file(&folder.join("policy.yaml"), |file| file.write_all(organisation.policy().as_bytes()))?;
    all.files += 1;
    if !all.faults.is_empty() {
        let text = pretty(&all.faults)?;
        write_file(&folder.join("faults.json"), |file| file.write_all(text.as_bytes()))?;
        all.files += 1;
    }
    Ok(all)
}

fn write_place(organisation: &Organisation, index: usize, folder: &Path) -> Result<Written, Failure> {
    let Some(described) = organisation.described(index) else { return Ok(Written::default()) };
    let mut files = 0;
    for document in described.documents {
        let path = folder.join(&document.name);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(|error| cannot_write(parent, &error))?;
        write_file(&path, |file| Ok(serde_json::to_writer(file, &document.json)?))?;
        files += 1;
    }
    Ok(Written { files, counts: described.counts, changes: described.changes, faults: Vec::new() })
}

fn write_file(
    path: &Path,
    content: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), Failure> {
    let write = || {
        let mut file = BufWriter::with_capacity(1 << 18, File::create(path)?);
        content(&mut file)?;
        file.write_all(b"\n")?;
        file.flush()
    };
    write().map_err(|error| cannot_write(path, &error))
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("cannot write `{}`: {error}", path.display()))
}

/// How many classes of interfaces no rule tells apart; not counted for the largest organisations.
fn classes(folder: &Path, counts: Counts) -> Result<Option<usize>, Failure> {
    if counts.interfaces > COUNTED {
        return Ok(None);
    }
    let wrong = |error: String| Failure::new(format!("what was generated cannot be read: {error}"));
    let inputs = read::inputs(&[PathBuf::from(folder)])?;
    let snapshot = ingest::load(inputs.files).map_err(|error| wrong(error.to_string()))?;
    let network = Network::build(&snapshot, Options::default()).map_err(|error| wrong(error.to_string()))?;
    let interfaces: Vec<SourcePlace> = snapshot.interfaces.ids().map(SourcePlace::Interface).collect();
    Ok(Some(reach::classes(&network, &interfaces).len()))
}

/// What the command prints.
#[derive(Serialize)]
struct Summary {
    schema: &'static str,
    /// Equal iff the parameters are, so that two organisations can be told to be the same.
    parameters: String,
    accounts: usize,
    regions: u32,
    #[serde(flatten)]
    counts: Counts,
    classes: Option<usize>,
    faults: usize,
    files: u64,
}

impl Summary {
    fn of(organisation: &Organisation, written: &Written, classes: Option<usize>) -> Self {
        Self {
            schema: "reachproof/generate/v1",
            parameters: organisation.parameters().digest(),
            accounts: organisation.accounts(),
            regions: organisation.parameters().regions,
            counts: written.counts,
            classes,
            faults: written.faults.len(),
            files: written.files,
        }
    }

    fn text(&self) -> String {
        let counts = &self.counts;
        let numbers = [
            ("accounts", self.accounts as u64),
            ("Regions", u64::from(self.regions)),
            ("VPCs", counts.vpcs),
            ("subnets", counts.subnets),
            ("interfaces", counts.interfaces),
            ("groups", counts.groups),
            ("rules", counts.rules),
            ("routes", counts.routes),
            ("endpoints", counts.endpoints),
            ("faults", self.faults as u64),
            ("files", self.files),
        ];
        let mut lines: Vec<String> =
            numbers.iter().map(|(name, number)| format!("{name:<12}{number:>10}\n")).collect();
        lines.insert(
            5,
            match self.classes {
                Some(classes) => format!("{:<12}{classes:>10}\n", "classes"),
                None => format!("{:<12}{:>10}  (counted up to {COUNTED} interfaces)\n", "classes", "-"),
            },
        );
        lines.push(format!("{:<12}{}\n", "parameters", self.parameters));
        lines.concat()
    }
}
