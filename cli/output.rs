//! Where answers and talk go: stdout or a file, and stderr.
//!
//! Invariant: an answer is written whole or not at all. A file is written beside its place and renamed; a reader that
//! closes the pipe early is no error.

use std::env;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::arguments::ColourChoice;
use crate::exit::Failure;
use crate::limit::begin_answer;
use crate::style::{Style, visible};

/// Writes an answer to the file, or to stdout where `None`.
pub fn write(file: Option<&Path>, answer: &[u8]) -> Result<(), Failure> {
    begin_answer()?;
    match file {
        Some(path) => write_file(path, answer)
            .map_err(|error| Failure::new(format!("cannot write `{}`: {error}", path.display()))),
        None => match write_stdout(answer) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::new(format!("cannot write to standard output: {error}")))
            }
            _ => Ok(()),
        },
    }
}

fn write_stdout(answer: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(answer)?;
    stdout.flush()
}

fn write_file(path: &Path, answer: &[u8]) -> io::Result<()> {
    // A rename would replace a device, and a link instead of what it leads to.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let existing = fs::metadata(&path).ok();
    if existing.as_ref().is_some_and(|metadata| !metadata.is_file()) {
        return fs::OpenOptions::new().write(true).open(&path)?.write_all(answer);
    }
    let mut temporary = temporary_beside(&path)?;
    if let Some(metadata) = existing {
        temporary.as_file().set_permissions(metadata.permissions())?;
    }
    temporary.write_all(answer)?;
    temporary.as_file().sync_all()?;
    temporary.persist(&path).map(drop).map_err(|error| error.error)
}

fn temporary_beside(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let mut builder = tempfile::Builder::new();
    builder.prefix(".reachproof-");
    #[cfg(unix)]
    let ordinary = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(ordinary);
    builder.tempfile_in(directory.unwrap_or(Path::new(".")))
}

/// The style of answers that go to the file, or to stdout where `None`.
pub fn style(choice: ColourChoice, file: Option<&Path>) -> Style {
    let terminal = file.is_none() && io::stdout().is_terminal();
    Style { colours: colours(choice, terminal, &Surroundings::read()) }
}

/// What the environment says about colours.
struct Surroundings {
    no_color: bool,
    dumb: bool,
}

impl Surroundings {
    fn read() -> Self {
        Self {
            no_color: env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
            dumb: env::var_os("TERM").is_some_and(|value| value == "dumb"),
        }
    }
}

/// Whether to paint: as chosen, else only on a terminal that nothing says no to.
fn colours(choice: ColourChoice, terminal: bool, surroundings: &Surroundings) -> bool {
    match choice {
        ColourChoice::Always => true,
        ColourChoice::Never => false,
        ColourChoice::Auto => terminal && !surroundings.no_color && !surroundings.dumb,
    }
}

/// What is said on stderr: errors always, notices unless quiet, details if verbose, progress on a terminal.
pub struct Talk {
    quiet: bool,
    verbose: bool,
    style: Style,
    terminal: bool,
    started: Instant,
    showing: bool,
    choice: ColourChoice,
}

/// How long a command runs before it shows progress.
const PATIENCE: Duration = Duration::from_secs(1);

impl Talk {
    /// Talk on stderr. It is about this process, so the clock starts here.
    pub fn new(quiet: bool, verbose: bool, choice: ColourChoice) -> Self {
        let terminal = io::stderr().is_terminal();
        let style = Style { colours: colours(choice, terminal, &Surroundings::read()) };
        Self { quiet, verbose, style, terminal, started: Instant::now(), showing: false, choice }
    }

    /// When the process started.
    pub fn started(&self) -> Instant {
        self.started
    }

    /// Talk of another thread about the same process, which may have left a line of progress.
    pub fn beside(&self) -> Self {
        Self { showing: self.terminal && !self.quiet, ..*self }
    }

    /// When to paint, as the user chose; answers follow it, too.
    pub fn choice(&self) -> ColourChoice {
        self.choice
    }

    /// The message of a command that could not answer.
    pub fn error(&mut self, failure: &Failure) {
        self.line(&format!("{} {}", self.style.bad("error:"), visible(&failure.to_string())));
    }

    /// Something a reader of the answer should know.
    pub fn notice(&mut self, text: &str) {
        if !self.quiet {
            self.line(&format!("{} {}", self.style.unsure("note:"), visible(text)));
        }
    }

    /// Something for `-v`, with the time since the start.
    pub fn detail(&mut self, text: &str) {
        if self.verbose {
            let elapsed = format!("{:8.3} s", self.started.elapsed().as_secs_f64());
            self.line(&format!("{} {}", self.style.dim(&elapsed), visible(text)));
        }
    }

    /// What is going on: one line that overwrites itself, on a terminal, once the command has taken its time.
    pub fn progress(&mut self, text: &str) {
        if self.terminal && !self.quiet && self.started.elapsed() >= PATIENCE {
            self.showing = true;
            say(&format!("\r\x1b[K{}", visible(text)));
        }
    }

    fn line(&mut self, text: &str) {
        self.clear();
        say(&format!("{text}\n"));
    }

    fn clear(&mut self) {
        if std::mem::take(&mut self.showing) {
            say("\r\x1b[K");
        }
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Nobody can be told that stderr is closed.
fn say(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// The file that `-o` names; `-` is stdout.
pub fn target(option: Option<&PathBuf>) -> Option<&Path> {
    option.map(PathBuf::as_path).filter(|path| *path != Path::new("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_follow_the_choice_then_the_terminal() {
        let neutral = Surroundings { no_color: false, dumb: false };
        let no_color = Surroundings { no_color: true, dumb: false };
        let dumb = Surroundings { no_color: false, dumb: true };
        assert!(colours(ColourChoice::Auto, true, &neutral));
        assert!(!colours(ColourChoice::Auto, false, &neutral));
        assert!(!colours(ColourChoice::Auto, true, &no_color));
        assert!(!colours(ColourChoice::Auto, true, &dumb));
        assert!(colours(ColourChoice::Always, false, &no_color));
        assert!(!colours(ColourChoice::Never, true, &neutral));
    }

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("answer.json");
        write(Some(&path), b"one").unwrap();
        write(Some(&path), b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_directory_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("no/answer.json");
        let message = write(Some(&path), b"x").unwrap_err().to_string();
        assert!(message.starts_with(&format!("cannot write `{}`: ", path.display())), "{message}");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_permissions_stay() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        write(Some(&link), b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    }
}
