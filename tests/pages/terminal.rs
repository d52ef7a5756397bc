//! A shell that runs the commands of a page, as a reader's terminal does.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::output::without_empty_end;
use crate::support::example::{self, Mint};
use crate::support::in_repository;

/// How long a command may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Printed after the output of a command.
const END: &str = "countersign-docs-end-of-output";
/// What a clone has, as far as the pages name it.
const OF_THE_CLONE: [&str; 4] = ["envoy", "examples", "docs", "tests"];

/// A shell in a folder that looks like a clone after `make build` and `make run`.
pub struct Terminal {
    folder: TempDir,
    shell: Child,
    input: ChildStdin,
    output: Receiver<String>,
}

impl Terminal {
    pub fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let programs = set_up(folder.path());
        let path = std::env::var("PATH").unwrap();
        let mut shell = Command::new("sh")
            .current_dir(folder.path())
            .env("PATH", format!("{}:{path}", programs.display()))
            .env("LC_ALL", "C.UTF-8")
            .env("TERM", "dumb")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("there is a shell");
        let mut input = shell.stdin.take().unwrap();
        writeln!(input, "exec 2>&1").unwrap();
        let output = lines(shell.stdout.take().unwrap());
        Self {
            folder,
            shell,
            input,
            output,
        }
    }

    /// Writes a file into the folder.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// What a command prints, without empty lines at the end.
    ///
    /// # Errors
    /// The command does not end, or ends the shell: with what it has printed.
    pub fn run(&mut self, command: &str) -> Result<Vec<String>, String> {
        let file = self.folder.path().join(".command");
        fs::write(&file, format!("{command}\n")).unwrap();
        // The status of the command is the status that the next one sees.
        let line = format!(". ./.command </dev/null; _s=$?; printf '\\n%s\\n' {END}; (exit $_s)");
        writeln!(self.input, "{line}").map_err(|error| error.to_string())?;
        let mut printed = Vec::new();
        loop {
            match self.output.recv_timeout(PATIENCE) {
                Ok(line) if line == END => return Ok(without_empty_end(printed)),
                Ok(line) => printed.push(line),
                Err(error) => return Err(format!("{error}; printed:\n{}", printed.join("\n"))),
            }
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

/// Fills a folder, and returns the folder of the programs.
fn set_up(folder: &Path) -> PathBuf {
    for name in OF_THE_CLONE {
        symlink(in_repository(name), folder.join(name)).unwrap();
    }
    let (dist, programs) = (folder.join("dist"), folder.join(".bin"));
    fs::create_dir(&dist).unwrap();
    fs::create_dir(&programs).unwrap();
    for folder in [&dist, &programs] {
        symlink(
            env!("CARGO_BIN_EXE_countersign"),
            folder.join("countersign"),
        )
        .unwrap();
    }
    let curl = programs.join("curl");
    fs::write(
        &curl,
        format!("#!/bin/sh\nexec {} \"$@\"\n", curl_command()),
    )
    .unwrap();
    fs::set_permissions(&curl, PermissionsExt::from_mode(0o755)).unwrap();
    example::write_tokens(&folder.join("tokens"), &Mint::new());
    programs
}

/// The client: by default the one of `tests/envoy/docs/curl.py`, since `make test` needs no curl.
fn curl_command() -> String {
    if std::env::var_os("REAL_CURL").is_none() {
        let program = in_repository("tests/envoy/docs/curl.py");
        return format!("python3 '{}'", program.display());
    }
    // Without the progress that it shows if its output is no terminal.
    let path = std::env::var("PATH").unwrap();
    format!("env PATH='{path}' curl --no-progress-meter")
}

/// The lines of an output, as they come.
fn lines(output: ChildStdout) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n') {
            let Ok(line) = line else { return };
            let line = String::from_utf8_lossy(&line)
                .trim_end_matches('\r')
                .to_owned();
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

#[test]
fn commands_share_a_shell() {
    let mut terminal = Terminal::start();
    terminal.write("a.txt", "b\n");
    for (command, expected) in [
        ("cat a.txt", vec!["b"]),
        ("x=1", vec![]),
        ("false", vec![]),
        ("echo $? $x >&2", vec!["1 1"]),
        ("cat", vec![]),
        ("printf 'a\\r\\n\\nb'", vec!["a", "", "b"]),
        ("cat <<'EOF'\n$ c\nEOF", vec!["$ c"]),
        (
            "ls tokens",
            vec!["expired.jwt", "operator.jwt", "reader.jwt"],
        ),
    ] {
        assert_eq!(terminal.run(command).unwrap(), expected, "{command}");
    }
    assert!(terminal.run("exit 3").is_err());
}
