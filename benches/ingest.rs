//! Reading describe JSON: the files of a generated organisation, in memory, to a snapshot.
//!
//! Another process writes the files, so that the memory of this one is that of reading alone, the text included.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    clippy::expect_used,
    reason = "a bench measures, prints, and stops where it cannot"
)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::clock::measured;
use common::line::{Amounts, ratio, row, speed};
use common::{each_size, on_threads};
use reachproof_model::ingest::{Input, load};
use tempfile::TempDir;

const SIZES: [u32; 2] = [1_000, 10_000];

/// The organisation that the other benches have, as files.
fn written(interfaces: u32) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut generate = Command::new(env!("CARGO_BIN_EXE_reachproof"));
    generate.args(["generate", "--quiet", "--seed", "7", "--interfaces", &interfaces.to_string()]);
    let status = generate.arg("--output").arg(folder.path()).stdout(std::process::Stdio::null()).status();
    assert!(status.expect("the command runs").success());
    folder
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    entries
}

/// The answers, which stand below an account and a Region.
fn text(folder: &Path) -> Vec<Input> {
    let accounts = below(folder).into_iter().filter(|path| path.is_dir());
    let regions = accounts.flat_map(|account| below(&account));
    let files = regions.flat_map(|region| below(&region));
    let read = |path: PathBuf| {
        let name = path.strip_prefix(folder).expect("below").display().to_string();
        Input { name, bytes: fs::read(&path).expect("a file") }
    };
    files.map(read).collect()
}

fn measure(interfaces: u32, threads: usize) {
    let folder = written(interfaces);
    let bytes: u64 = text(folder.path()).iter().map(|input| input.bytes.len() as u64).sum();
    let name = format!("ingest/{interfaces}/{threads}");
    let read = |text: Vec<Input>| load(text).expect("the answers load");
    let (snapshot, spent) = on_threads(threads, || measured(&name, || text(folder.path()), read));
    let amounts = Amounts::of(&snapshot);
    row("ingest", amounts, threads, spent, &speed(bytes, spent.seconds));
    let mebibytes = bytes as f64 / f64::from(1 << 20);
    let times = spent.peak as f64 / mebibytes;
    let text =
        format!("{mebibytes:.1} MiB of text; the process has at most {times:.1} times that, text included");
    ratio("ingest", amounts, &text);
}

fn main() {
    each_size(&SIZES, &[|size| measure(size, 1), |size| measure(size, 2)]);
}
