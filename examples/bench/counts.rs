//! `make bench-counts`: the instructions and the cache misses of Envoy's worker for a request, counted by callgrind.
//!
//! Counts depend on no other work on the machine. Envoy starts, and receives its first requests, without being counted.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use clap::Args;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::chains::{Chain, bootstrap, document};
use crate::counts_page::{Row, markdown, write};
use crate::credentials::Credentials;
use crate::load::Requests;
use crate::server::Server;
use crate::situations::Situation;
use crate::support::envoy::wasm_filter;

/// The caches of one core of a server: 32 KiB each for instructions and data, and 512 KiB behind both. Each has 8 ways and
/// lines of 64 bytes. Callgrind simulates two levels. A third one of a server is shared, and large enough for everything.
const CACHES: [&str; 3] = ["--I1=32768,8,64", "--D1=32768,8,64", "--LL=524288,8,64"];
/// The requests of a situation that are not counted. During them, V8 compiles what is executed often.
const FIRST: usize = 600;
/// The requests that fill the simulated caches.
const SECOND: usize = 200;
const COUNTED: usize = 600;
const SITUATIONS: [Situation; 5] = [
    Situation::Public,
    Situation::Repeated,
    Situation::NeverSeen,
    Situation::NoToken,
    Situation::ForgedRepeated,
];

#[derive(Args)]
pub struct Arguments {
    /// The builds of the filter to compare, each as `NAME=FILE`
    #[arg(required = true, value_parser = build)]
    builds: Vec<(String, PathBuf)>,
}

fn build(text: &str) -> Result<(String, PathBuf), String> {
    let (name, file) = text.split_once('=').ok_or("expected `NAME=FILE`")?;
    let file = fs::canonicalize(file).map_err(|error| format!("{file}: {error}"))?;
    Ok((name.to_owned(), file))
}

/// What callgrind counts for a request.
#[derive(Clone, Copy)]
pub struct Counts {
    pub instructions: f64,
    /// Misses of the first cache of instructions.
    pub first_code: f64,
    /// Misses of the first cache of data.
    pub first_data: f64,
    /// Misses of the last cache.
    pub last: f64,
}

/// Counts every situation, prints the table, and writes the page.
///
/// # Errors
/// A tool is not installed.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    for tool in ["valgrind", "callgrind_control"] {
        if Command::new(tool).arg("--version").output().is_err() {
            return Err(format!(
                "there is no `{tool}`: install it (Debian: apt-get install valgrind)"
            ));
        }
    }
    let credentials = Credentials::mint(FIRST + SECOND + COUNTED + 1);
    let of_chain = |chain: Chain| (chain.name().to_owned(), chain, chain.filters(&credentials));
    let mut arms = [Chain::NoFilter, Chain::Empty, Chain::JwtAuthnWithCache]
        .map(of_chain)
        .to_vec();
    for (name, module) in &arguments.builds {
        let filter = wasm_filter("bench", module, &document(&credentials.jwks, &json!({})));
        arms.push((name.clone(), Chain::Countersign, vec![filter]));
    }
    let mut rows = Vec::new();
    for (name, chain, filters) in &arms {
        println!("==> counting: {name}");
        rows.extend(count(name, *chain, filters, &credentials));
    }
    println!("\n{}", markdown(&rows));
    write(&rows);
    Ok(())
}

/// Counts every situation in the same Envoy.
fn count(name: &str, chain: Chain, filters: &[Value], credentials: &Credentials) -> Vec<Row> {
    let mut counted = Counted::start(filters);
    let situations = SITUATIONS.map(|situation| {
        let octets = situation.octets(credentials, COUNTED, counted.server.address());
        (situation, Requests::new(octets, situation.status(chain)))
    });
    for (_, requests) in &situations {
        counted.server.times(requests, FIRST);
    }
    counted.control(&["--instr=on"]);
    let count = |(situation, requests): &(Situation, Requests)| Row {
        situation: *situation,
        name: name.to_owned(),
        counts: counted.count(requests),
    };
    situations.iter().map(count).collect()
}

/// An Envoy under callgrind.
struct Counted {
    server: Server,
    folder: TempDir,
}

impl Counted {
    fn start(filters: &[Value]) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let out = format!(
            "--callgrind-out-file={}",
            folder.path().join("out").display()
        );
        let mut command = vec![
            "valgrind",
            "--tool=callgrind",
            "--cache-sim=yes",
            "--separate-threads=yes",
        ];
        command.extend(["--instr-atstart=no", &out]);
        command.extend(CACHES);
        let server = Server::start_under(&bootstrap(filters), 1, &command);
        Self { server, folder }
    }

    /// Sends requests one after the other, and counts the last of them.
    fn count(&mut self, requests: &Requests) -> Counts {
        self.server.times(requests, SECOND);
        self.control(&["--zero"]);
        self.server.times(requests, COUNTED);
        self.control(&["--dump"]);
        self.dumped()
    }

    fn control(&self, arguments: &[&str]) {
        let process = self.server.envoy().process_id().to_string();
        let ended = Command::new("callgrind_control")
            .args(arguments)
            .arg(process)
            .output();
        let ended = ended.expect("callgrind_control runs");
        assert!(
            ended.status.success(),
            "callgrind_control {arguments:?}: {ended:?}"
        );
    }

    /// The counts of the last dump. Of its threads, the worker has executed the most instructions.
    fn dumped(&self) -> Counts {
        let files = fs::read_dir(self.folder.path()).expect("the folder of the dumps");
        let mut dumps: Vec<Dump> = files
            .filter_map(|file| {
                let path = file.expect("a dump").path();
                let dump = Dump::read(&fs::read_to_string(&path).expect("a dump"));
                fs::remove_file(path).expect("a dump that was read");
                dump
            })
            .collect();
        dumps.sort_by(|one, other| one.total("Ir").total_cmp(&other.total("Ir")));
        let worker = dumps.last().expect("a dump of the worker");
        let count = |events: &[&str]| {
            let totals = events.iter().map(|event| worker.total(event));
            totals.sum::<f64>() / COUNTED as f64
        };
        Counts {
            instructions: count(&["Ir"]),
            first_code: count(&["I1mr"]),
            first_data: count(&["D1mr", "D1mw"]),
            last: count(&["ILmr", "DLmr", "DLmw"]),
        }
    }
}

/// What callgrind has written about one thread.
struct Dump(Vec<(String, f64)>);

impl Dump {
    /// None if the file is no dump. The names of the events are in one line, and their totals in another, which can end early.
    fn read(text: &str) -> Option<Self> {
        let values = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.map(|line| line.split_whitespace())
        };
        let totals = values("totals:")?.map(|total| total.parse().expect("a number"));
        let totals = totals.chain(std::iter::repeat(0.0));
        Some(Self(
            values("events:")?.map(str::to_owned).zip(totals).collect(),
        ))
    }

    fn total(&self, event: &str) -> f64 {
        let found = self.0.iter().find(|(name, _)| name == event);
        found
            .unwrap_or_else(|| panic!("callgrind has not counted {event}"))
            .1
    }
}
