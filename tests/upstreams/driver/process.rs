//! A server's process group, which ends with its value.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// How long a server may take to end before it is killed.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);
/// What runs, as `kill` names it: a signal to the driver does not reach it.
static RUNNING: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// A running process, the first of its group.
pub struct Process {
    child: Mutex<Child>,
    /// The group, as `kill` names it.
    group: String,
    log: PathBuf,
}

impl Process {
    /// Starts a command; what it prints goes to `log`.
    ///
    /// # Panics
    /// The command does not run.
    pub fn start(command: &mut Command, log: &Path) -> Self {
        let out = File::create(log).expect("the log is created");
        let child = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(out.try_clone().expect("the log is opened twice"))
            .stderr(out)
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} does not run: {error}"));
        let group = format!("-{}", child.id());
        RUNNING.lock().unwrap().push(group.clone());
        Self {
            child: Mutex::new(child),
            group,
            log: log.to_owned(),
        }
    }

    /// How it ended, where it has.
    pub fn ended(&self) -> Option<String> {
        let ended = self.child.lock().unwrap().try_wait();
        ended
            .expect("a child can be waited for")
            .map(|status| status.to_string())
    }

    /// The last lines that it printed.
    pub fn log(&self) -> String {
        let log = std::fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log).into_owned();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(25)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        signal("-TERM", &self.group);
        let mut waited = Duration::ZERO;
        while self.ended().is_none() && waited < PATIENCE {
            thread::sleep(PAUSE);
            waited += PAUSE;
        }
        // Also what the server has left in its group.
        signal("-KILL", &self.group);
        let _ = self.child.lock().unwrap().wait();
        RUNNING.lock().unwrap().retain(|own| *own != self.group);
    }
}

/// Ends every group when the driver gets a signal to end.
pub fn end_with_the_driver() {
    let mut signals = Signals::new([SIGINT, SIGTERM]).expect("signals can be caught");
    thread::spawn(move || {
        if signals.forever().next().is_some() {
            let running = RUNNING.lock().unwrap();
            running.iter().for_each(|own| signal("-KILL", own));
            std::process::exit(130);
        }
    });
}

/// The same for a process that is started and ended elsewhere.
pub fn end_too(process: u32) {
    RUNNING.lock().unwrap().push(process.to_string());
}

fn signal(signal: &str, to: &str) {
    let _ = Command::new("kill")
        .args([signal, "--", to])
        .stderr(Stdio::null())
        .status();
}
