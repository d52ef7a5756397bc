//! `check` of broken files, as it is printed.
//!
//! Each folder of `snapshots/` has one file that is checked, and the output in `check.out`. With `BLESS=1`, the outputs are
//! written anew.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/command/snapshots")
}

#[test]
fn broken_files_are_reported_as_in_the_snapshots() {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension != "out"))
        .collect();
    files.sort();
    assert!(files.len() > 90, "{}", files.len());
    let mut differences = String::new();
    for file in files {
        let name = file.file_name().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .arg("check")
            .arg(name)
            .current_dir(folder())
            .output()
            .unwrap();
        let found = format!(
            "exit code {}\n\n{}{}",
            output.status.code().unwrap(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        );
        let snapshot = file.with_extension("out");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&snapshot, &found).unwrap();
        }
        let expected = std::fs::read_to_string(&snapshot).unwrap_or_default();
        if expected != found {
            writeln!(differences, "{}:\n{found}", snapshot.display()).unwrap();
        }
    }
    assert!(differences.is_empty(), "{differences}");
}
