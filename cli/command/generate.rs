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

use crate::answer::pretty;
use crate::arguments::GenerateArguments;
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
    output::write(None, summary(&organisation, &written, classes).as_bytes())?;
    Ok(Exit::Holds)
}

fn parameters(arguments: &GenerateArguments) -> Parameters {
    let of_size = Parameters::of_size(arguments.seed, arguments.interfaces);
    let usual = arguments.vpcs.map_or(of_size, |vpcs| of_size.with_vpcs(vpcs));
    Parameters {
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

/// What the command prints: how much there is of what, and the digest of the parameters.
fn summary(organisation: &Organisation, written: &Written, classes: Option<usize>) -> String {
    let counts = &written.counts;
    let classes = classes
        .map_or_else(|| format!("not counted beyond {COUNTED} interfaces"), |classes| classes.to_string());
    let rows = [
        ("accounts", organisation.accounts().to_string()),
        ("Regions", organisation.parameters().regions.to_string()),
        ("VPCs", counts.vpcs.to_string()),
        ("subnets", counts.subnets.to_string()),
        ("interfaces", counts.interfaces.to_string()),
        ("classes", classes),
        ("groups", counts.groups.to_string()),
        ("rules", counts.rules.to_string()),
        ("routes", counts.routes.to_string()),
        ("endpoints", counts.endpoints.to_string()),
        ("faults", written.faults.len().to_string()),
        ("files", written.files.to_string()),
        ("parameters", organisation.parameters().digest()),
    ];
    rows.iter().map(|(name, value)| format!("{name:<12}{value}\n")).collect()
}
