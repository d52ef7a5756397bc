//! The fleet: every server of the lists, running.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::answer::Read;
use super::input::{Caller, Input, Tokens};
use super::list::{self, Key, Server};
use super::process::{self, Process};
use crate::support::client::Connection;
use crate::support::in_repository;
use crate::support::say;

/// How long all servers may take to start, on a machine that does other things too.
const START: Duration = Duration::from_secs(180);
/// How long a server may take to answer one request.
pub const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(100);
/// Below what systems take for connections of their own.
const PORTS: std::ops::Range<u16> = 20_000..30_000;

/// The running servers; they end with this value, also when a test panics.
pub struct Fleet {
    pub servers: Vec<Running>,
    _folder: TempDir,
}

/// A running server.
pub struct Running {
    pub server: Server,
    pub version: String,
    pub port: u16,
    pub process: Process,
}

/// The fleet, while a test has it.
static SHARED: Mutex<Weak<Fleet>> = Mutex::new(Weak::new());

impl Fleet {
    /// The fleet that another test has started, or a new one.
    pub fn shared() -> Arc<Self> {
        let mut shared = SHARED.lock().unwrap_or_else(|poisoned| {
            SHARED.clear_poison();
            poisoned.into_inner()
        });
        shared.upgrade().unwrap_or_else(|| {
            let fleet = Arc::new(Self::start());
            *shared = Arc::downgrade(&fleet);
            fleet
        })
    }

    fn start() -> Self {
        process::end_with_the_driver();
        let folder = TempDir::new().expect("a temporary folder");
        let servers = list::read();
        let ports = free_ports(servers.len());
        let fleet = Self {
            servers: servers
                .into_iter()
                .zip(ports)
                .enumerate()
                .map(|(place, (server, port))| start(server, port, folder.path(), place))
                .collect(),
            _folder: folder,
        };
        say(&format!("the fleet: {} servers", fleet.servers.len()));
        let end = soon(START);
        for running in &fleet.servers {
            running.wait_until(end);
            say(&format!("  {} {}", running.server.name, running.version));
        }
        fleet
    }
}

fn start(server: Server, port: u16, folder: &Path, place: usize) -> Running {
    let scratch = folder.join(place.to_string());
    fs::create_dir(&scratch).expect("a folder is made");
    let log = folder.join(format!("{place}.log"));
    let version = command(&server.version, port, &scratch).output();
    let version = version.unwrap_or_else(|error| {
        panic!(
            "{}: {:?} does not run: {error}",
            server.name, server.version
        )
    });
    let printed = String::from_utf8_lossy(&version.stdout).trim().to_owned();
    assert!(
        version.status.success() && !printed.is_empty() && !printed.contains('\n'),
        "{}: {:?} prints no version: {printed:?} {}",
        server.name,
        server.version,
        String::from_utf8_lossy(&version.stderr)
    );
    Running {
        process: Process::start(&mut command(&server.start, port, &scratch), &log),
        version: printed,
        server,
        port,
    }
}

fn command(words: &[String], port: u16, scratch: &Path) -> Command {
    let python = std::env::var("UPSTREAM_PYTHON").unwrap_or_else(|_| {
        in_repository(".venv/upstreams/bin/python")
            .display()
            .to_string()
    });
    let filled: Vec<String> = words
        .iter()
        .map(|word| {
            word.replace("{python}", &python)
                .replace("{port}", &port.to_string())
                .replace("{scratch}", &scratch.display().to_string())
        })
        .collect();
    let [program, arguments @ ..] = &filled[..] else {
        panic!("a command has a first word");
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(list::folder())
        .env("PORT", port.to_string())
        .env("SCRATCH", scratch);
    command
}

fn free_ports(number: usize) -> Vec<u16> {
    // Two runs at a time begin at different ones.
    let length = PORTS.end - PORTS.start;
    let offset = u16::try_from(std::process::id() % u32::from(length)).expect("below 10,000");
    let ports = (0..length).map(|place| PORTS.start + (place + offset) % length);
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let free: Vec<u16> = ports.filter(is_free).take(number).collect();
    assert_eq!(free.len(), number, "there are not enough free ports");
    free
}

#[allow(clippy::disallowed_methods)]
fn soon(after: Duration) -> Instant {
    Instant::now() + after
}

impl Running {
    /// Where the server itself listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// What the server reads of an input that no Envoy has seen.
    pub fn ask(&self, connection: &mut Connection, input: &Input) -> std::io::Result<Option<Read>> {
        let request = input.to_bytes(Caller::Anonymous, &Tokens::none());
        let response = connection.ask(&request)?;
        Ok(Read::of(&response))
    }

    #[allow(clippy::disallowed_methods)]
    fn wait_until(&self, end: Instant) {
        loop {
            let fault = match self.probe() {
                Ok(()) => return,
                Err(fault) => fault,
            };
            let name = &self.server.name;
            if let Some(status) = self.process.ended() {
                panic!("{name} ended at start ({status}):\n{}", self.process.log());
            }
            assert!(
                Instant::now() < end,
                "{name} does not serve what it must: {fault}; it printed:\n{}",
                self.process.log()
            );
            thread::sleep(PAUSE);
        }
    }

    /// Whether the server serves its routes, and reports what its list says.
    fn probe(&self) -> Result<(), String> {
        let mut connection = Connection::new(self.address(), PATIENCE);
        for (path, route, id) in [
            ("/public/x", "public", None),
            ("/admin/x", "admin", None),
            ("/users/bob/orders", "orders", Some("bob")),
        ] {
            let mut input = Input::get(path);
            input.target.extend_from_slice(b"?access_token=probe");
            for (name, value) in [
                ("x-auth-subject", "probe"),
                ("x-api-version", "probe"),
                ("authorization", "Bearer probe"),
                ("cookie", "session=probe"),
            ] {
                input.fields.push((name.into(), value.into()));
            }
            let read = self
                .ask(&mut connection, &input)
                .map_err(|error| format!("{path}: {error}"))?
                .ok_or_else(|| format!("{path} is no route"))?;
            if read.route != route || id.is_some() && read.id.as_deref() != id {
                return Err(format!("{path} is {read}"));
            }
            let keys = self.server.reads.iter();
            if let Some(key) = keys.copied().find(|key| !reports(&read, *key)) {
                return Err(format!(
                    "{path}: `reads` has {key:?}, which is not in {read}"
                ));
            }
        }
        Ok(())
    }
}

fn reports(read: &Read, key: Key) -> bool {
    let is = |value: &Option<String>, expected: &str| value.as_deref() == Some(expected);
    match key {
        // Only shown, never judged.
        Key::Path | Key::Prefix => true,
        Key::Method => is(&read.method, "GET"),
        Key::Host => read.host.is_some(),
        Key::Fields => {
            is(&read.subject, "probe")
                && is(&read.version, "probe")
                && is(&read.authorization, "Bearer probe")
        }
        Key::Query => is(&read.token, "probe"),
        Key::Cookies => is(&read.session, "probe"),
    }
}
