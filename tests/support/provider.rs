//! A real issuer: npm's `oidc-provider`, run by `tests/npm/issuer.mjs`.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use super::client::{self, Request};
use super::in_repository;

/// A running issuer; it ends with this value.
pub struct Provider {
    process: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    port: u16,
}

impl Provider {
    /// Starts one on a free port of 127.0.0.1; it signs with the key `rs256-1`.
    ///
    /// # Panics
    /// What it needs is missing.
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// As [`start`](Self::start). It listens with TLS too, with `server.pem` and `server.key.pem` of a folder.
    pub fn start_with(certificates: Option<&Path>) -> Self {
        let folder = in_repository("tests/npm");
        assert!(
            folder.join("node_modules/oidc-provider").exists(),
            "the issuer's packages are not there: install Node.js 20 or later with npm, then run `npm ci --prefix tests/npm` (`make test-all` does)"
        );
        let mut command = Command::new("node");
        if let Some(certificates) = certificates {
            command.env("FOLDER", certificates);
        }
        let mut process = command
            .arg("issuer.mjs")
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("`node` does not run ({error}): install Node.js 20 or later")
            });
        let commands = process.stdin.take().expect("stdin is piped");
        let mut answers = BufReader::new(process.stdout.take().expect("stdout is piped"));
        let first = line(&mut answers);
        let Ok(port) = first.parse() else {
            let _ = process.kill();
            panic!(
                "the issuer printed no port, but {first:?}: run `node tests/npm/issuer.mjs` to see why"
            );
        };
        Self {
            process,
            commands,
            answers,
            port,
        }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its name.
    pub fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Publishes these keys from now on; the first signs. A name begins with its algorithm: `es256-2`.
    pub fn keys(&mut self, names: &[&str]) {
        self.order(&format!("keys {}", names.join(" ")));
    }

    /// Listens no more.
    pub fn stop(&mut self) {
        self.order("stop");
    }

    /// Listens again, on the same port.
    pub fn start_again(&mut self) {
        self.order("start");
    }

    /// A new token for an audience.
    pub fn token(&self, audience: &str) -> String {
        let form = format!(
            "grant_type=client_credentials&client_id=tests&client_secret=known+to+everybody&scope=read&resource={audience}"
        );
        let host = format!("127.0.0.1:{}", self.port);
        let request = Request {
            method: b"POST",
            target: b"/token",
            headers: vec![
                (b"host", host.as_bytes()),
                (b"content-type", b"application/x-www-form-urlencoded"),
            ],
            body: form.as_bytes(),
        };
        let server = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let response = client::send(server, &request).expect("the issuer answers");
        let answer: Value = serde_json::from_slice(&response.body).expect("JSON");
        let token = answer["access_token"].as_str();
        token
            .unwrap_or_else(|| panic!("no token, but {answer}"))
            .to_owned()
    }

    fn order(&mut self, command: &str) {
        writeln!(self.commands, "{command}").expect("the issuer listens to commands");
        assert_eq!(line(&mut self.answers), "done", "{command}");
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn line(answers: &mut impl BufRead) -> String {
    let mut line = String::new();
    answers
        .read_line(&mut line)
        .expect("the issuer prints lines");
    line.trim().to_owned()
}
