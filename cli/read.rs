//! Reading files: the only place where input comes in.
//!
//! The main function is [`inputs`]. A directory is read recursively and in sorted order, every `*.json` in it; hidden
//! entries are skipped, links are followed but never in a circle. What a file *is* its content says, so the files go
//! on as bytes; only scenario files are set apart here.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use reachproof_model::compiled::is_compiled;
use reachproof_model::ingest::Input;

use crate::exit::Failure;

/// The largest file that is read: 8 GiB.
const MAX_FILE_BYTES: u64 = 8 << 30;
/// The largest file that can be a scenario: 64 MiB. Answers may be much larger, and are not searched.
const MAX_SCENARIO_BYTES: usize = 64 << 20;
/// How many directory entries are looked at; links may multiply a small tree.
const MAX_ENTRIES: usize = 2_000_000;
/// How deep directories may be nested.
const MAX_DEPTH: usize = 64;

/// Everything that the input arguments name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Inputs {
    /// Answers, plans, templates and compiled snapshots, in the order of the arguments, sorted within a directory.
    pub files: Vec<Input>,
    /// Scenario files: those that say `reachproof: scenario/v1`.
    pub scenarios: Vec<Input>,
    /// The names of the files of each argument.
    pub arguments: Vec<Vec<String>>,
}

/// Reads every argument. Several directories may hold files of one name, so with several arguments each name starts with
/// its argument.
pub fn inputs(arguments: &[PathBuf]) -> Result<Inputs, Failure> {
    let mut found = Inputs::default();
    for argument in arguments {
        let files = expand(argument, arguments.len() > 1)?;
        found.arguments.push(files.iter().map(|(name, _)| name.clone()).collect());
        // Results in the order of the files: the first file that cannot be read is the one that is named.
        let read: Vec<Result<(Input, bool), Failure>> = files.into_par_iter().map(recognised).collect();
        for input in read {
            let (input, is_scenario) = input?;
            if is_scenario { found.scenarios.push(input) } else { found.files.push(input) }
        }
    }
    Ok(found)
}

/// One file, and whether it is a scenario.
fn recognised((name, path): (String, PathBuf)) -> Result<(Input, bool), Failure> {
    let input = Input { name, bytes: bytes(&path)? };
    let is_scenario = is_scenario(&input.bytes);
    Ok((input, is_scenario))
}

/// Reads one file; `-` is standard input.
pub fn file(path: &Path) -> Result<Input, Failure> {
    Ok(Input { name: shown_name(path), bytes: bytes(path)? })
}

fn shown_name(path: &Path) -> String {
    if path == Path::new("-") { "<stdin>".to_owned() } else { path.display().to_string() }
}

/// The files that one argument names, each with its name.
fn expand(argument: &Path, prefixed: bool) -> Result<Vec<(String, PathBuf)>, Failure> {
    if argument == Path::new("-") {
        return Ok(vec![(shown_name(argument), argument.to_path_buf())]);
    }
    let metadata = fs::metadata(argument).map_err(|error| cannot_read(argument, &error))?;
    if !metadata.is_dir() {
        return Ok(vec![(shown_name(argument), argument.to_path_buf())]);
    }
    let mut walk = Walk::default();
    walk.directory(argument, &mut Vec::new())?;
    if walk.files.is_empty() {
        let message = format!("no `*.json` file in the directory `{}`", argument.display());
        return Err(Failure::new(message));
    }
    let name =
        |path: &Path| if prefixed { path.display().to_string() } else { relative_name(path, argument) };
    Ok(walk.files.into_iter().map(|path| (name(&path), path)).collect())
}

/// The path below `base`, with `/` between its parts on every system.
fn relative_name(path: &Path, base: &Path) -> String {
    let parts = path.strip_prefix(base).unwrap_or(path).components();
    let parts: Vec<_> = parts.map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

/// A walk through one directory tree.
#[derive(Default)]
struct Walk {
    files: Vec<PathBuf>,
    entries: usize,
}

impl Walk {
    /// Adds the files of a directory; `above` holds the real paths of it and those it was reached through.
    fn directory(&mut self, directory: &Path, above: &mut Vec<PathBuf>) -> Result<(), Failure> {
        let real = fs::canonicalize(directory).map_err(|error| cannot_read(directory, &error))?;
        if above.contains(&real) {
            return Ok(());
        }
        if above.len() >= MAX_DEPTH {
            let message =
                format!("directories are nested more than {MAX_DEPTH} deep at `{}`", directory.display());
            return Err(Failure::new(message));
        }
        above.push(real);
        for entry in sorted_entries(directory)? {
            self.entry(&entry, above)?;
        }
        above.pop();
        Ok(())
    }

    fn entry(&mut self, path: &Path, above: &mut Vec<PathBuf>) -> Result<(), Failure> {
        self.entries += 1;
        if self.entries > MAX_ENTRIES {
            return Err(Failure::new(format!(
                "more than {MAX_ENTRIES} directory entries; give the folders you mean"
            )));
        }
        let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => self.directory(path, above),
            _ if !is_json => Ok(()),
            Ok(metadata) if metadata.is_file() => {
                self.files.push(path.to_path_buf());
                Ok(())
            }
            Ok(_) => Err(Failure::new(format!("`{}` is not an ordinary file", path.display()))),
            Err(error) => Err(cannot_read(path, &error)),
        }
    }
}

/// The entries that are not hidden, sorted by name.
fn sorted_entries(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let listed = fs::read_dir(directory).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut names: Vec<_> = listed
        .map_err(|error| cannot_read(directory, &error))?
        .into_iter()
        .map(|entry| entry.file_name())
        .filter(|name| !is_hidden(name))
        .collect();
    names.sort();
    Ok(names.into_iter().map(|name| directory.join(name)).collect())
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let read = || -> io::Result<Vec<u8>> {
        if path == Path::new("-") {
            return limited(io::stdin().lock(), 0);
        }
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if is_endless(metadata.file_type()) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is a device, neither a file nor a pipe",
            ));
        }
        let length = metadata.len();
        limited(file, length)
    };
    read().map_err(|error| cannot_read(path, &error))
}

/// Devices may never end.
#[cfg(unix)]
fn is_endless(kind: fs::FileType) -> bool {
    use std::os::unix::fs::FileTypeExt;
    kind.is_char_device() || kind.is_block_device()
}

/// Devices may never end, but only Unix shows them as files.
#[cfg(not(unix))]
fn is_endless(_: fs::FileType) -> bool {
    false
}

/// Reads to the end, or fails beyond the limit: before reading if the length is known, else while reading.
fn limited(reader: impl Read, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let too_large = || {
        let message = format!("the file is larger than the limit of {} GiB", MAX_FILE_BYTES >> 30);
        io::Error::new(io::ErrorKind::FileTooLarge, message)
    };
    if length > MAX_FILE_BYTES {
        return Err(too_large());
    }
    bytes.try_reserve_exact(usize::try_from(length).unwrap_or(0))?;
    reader.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_BYTES { Err(too_large()) } else { Ok(bytes) }
}

fn cannot_read(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("cannot read `{}`: {error}", shown_name(path)))
}

/// Whether the top level says `reachproof: scenario/v1`, in JSON or YAML.
fn is_scenario(bytes: &[u8]) -> bool {
    if bytes.len() > MAX_SCENARIO_BYTES || is_compiled(bytes) {
        return false;
    }
    let Some(first) = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) else { return false };
    if *first == b'{' {
        is_json_scenario(bytes)
    } else {
        bytes.split(|byte| *byte == b'\n').any(is_scenario_line)
    }
}

/// Answers of AWS are many, so they are parsed only if they could be a scenario at all.
fn is_json_scenario(bytes: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Head {
        reachproof: Option<String>,
    }
    let mentioned = String::from_utf8_lossy(bytes).contains("scenario/v1");
    let head = mentioned.then(|| serde_json::from_slice::<Head>(bytes).ok()).flatten();
    head.and_then(|head| head.reachproof).as_deref() == Some("scenario/v1")
}

fn is_scenario_line(line: &[u8]) -> bool {
    let Some(value) = line.strip_prefix(b"reachproof:") else { return false };
    let value = value.split(|byte| *byte == b'#').next().unwrap_or_default().trim_ascii();
    matches!(value, b"scenario/v1" | b"'scenario/v1'" | b"\"scenario/v1\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory with these files, each holding its own name.
    fn tree(files: &[&str]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for file in files {
            let path = directory.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        directory
    }

    fn names(arguments: &[&Path]) -> Vec<String> {
        let arguments: Vec<_> = arguments.iter().map(|path| path.to_path_buf()).collect();
        inputs(&arguments).unwrap().files.into_iter().map(|input| input.name).collect()
    }

    fn message(path: &Path) -> String {
        inputs(&[path.to_path_buf()]).unwrap_err().to_string()
    }

    #[test]
    fn a_directory_is_read_recursively_sorted_and_by_relative_name() {
        let tree =
            tree(&["b.json", "a/z.json", "a/1/x.JSON", "manifest.json", ".git/c.json", "d/.e.json", "f.txt"]);
        assert_eq!(names(&[tree.path()]), ["a/1/x.JSON", "a/z.json", "b.json", "manifest.json"]);
        let first = &inputs(&[tree.path().to_path_buf()]).unwrap().files[0];
        assert_eq!(first.bytes, b"a/1/x.JSON");
    }

    #[test]
    fn with_several_arguments_names_start_with_the_argument() {
        let (one, two) = (tree(&["a.json"]), tree(&["a.json"]));
        let found = names(&[one.path(), two.path()]);
        assert_eq!(found, [one, two].map(|tree| tree.path().join("a.json").display().to_string()));
    }

    #[test]
    fn a_file_may_have_any_extension() {
        let tree = tree(&["plan.out"]);
        let path = tree.path().join("plan.out");
        assert_eq!(names(&[&path]), [path.display().to_string()]);
    }

    #[test]
    fn a_missing_path_and_an_empty_directory_are_named() {
        let tree = tree(&["x.txt"]);
        let missing = tree.path().join("no");
        let text = message(&missing);
        assert!(text.starts_with(&format!("cannot read `{}`: ", missing.display())), "{text}");
        assert_eq!(
            message(tree.path()),
            format!("no `*.json` file in the directory `{}`", tree.path().display())
        );
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_never_in_a_circle() {
        use std::os::unix::fs::symlink;
        let outside = tree(&["linked.json"]);
        let tree = tree(&["a/x.json"]);
        symlink(tree.path(), tree.path().join("a/up")).unwrap();
        symlink(outside.path(), tree.path().join("b")).unwrap();
        assert_eq!(names(&[tree.path()]), ["a/x.json", "b/linked.json"]);
        symlink(tree.path().join("gone"), tree.path().join("c.json")).unwrap();
        assert!(message(tree.path()).contains("c.json`: "), "{}", message(tree.path()));
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_not_read() {
        let text = message(Path::new("/dev/zero"));
        assert!(text.starts_with("cannot read `/dev/zero`: ") && text.contains("device"), "{text}");
    }

    #[test]
    fn scenario_files_are_set_apart_by_content() {
        let yes = [
            "reachproof: scenario/v1\nname: x\n",
            "# a comment\nreachproof:   \"scenario/v1\"  # here\n",
            "{\"name\": 1, \"reachproof\": \"scenario/v1\"}",
        ];
        let no = [
            "",
            "{\"Tags\": [{\"Value\": \"reachproof: scenario/v1\"}]}",
            "{\"reachproof\": \"policy/v1\"}",
            "  reachproof: scenario/v1",
            "reachproof: scenario/v2",
            "{\"reachproof\": \"scenario/v1\"",
        ];
        for text in yes {
            assert!(is_scenario(text.as_bytes()), "{text}");
        }
        for text in no {
            assert!(!is_scenario(text.as_bytes()), "{text}");
        }
    }
}
