//! What the tests share: a real Envoy, an upstream that echoes, a client that sends any bytes, and the tables of
//! `tests/cases/`. The demo has a part of it (`tools/demo/src/support.rs`).

// Each test binary uses its own part of this.
#![allow(dead_code, unused_imports)]

pub mod authorization;
pub mod case;
pub mod certificate;
pub mod challenge;
pub mod client;
pub mod clock;
pub mod cookbook;
pub mod crd;
pub mod digest;
pub mod discovery;
pub mod document;
pub mod envoy;
pub mod example;
pub mod expression;
pub mod findings;
pub mod gates;
pub mod handoff;
pub mod http2;
pub mod issuer;
pub mod leaks;
pub mod manifest;
pub mod migrate;
pub mod module;
pub mod nonce;
pub mod possession;
pub mod proof;
pub mod provider;
#[path = "../../fuzz/src/random.rs"]
pub mod random;
pub mod ratelimit;
pub mod thumbprint;
pub mod tls;
pub mod token;
pub mod upstream;

use std::io::Write as _;
use std::path::{Path, PathBuf};

pub use clock::{now, until};

/// A file of the repository.
pub fn in_repository(path: impl AsRef<Path>) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The files with YAML below a folder of the repository, by path within the repository.
///
/// # Panics
/// The folder cannot be read.
pub fn files_below(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(in_repository(folder)).expect("a folder") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("a name in UTF-8");
        let path = format!("{folder}/{name}");
        if entry.path().is_dir() {
            found.extend(files_below(&path));
        } else if path.ends_with(".yaml") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Prints a line, also when the test passes.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
