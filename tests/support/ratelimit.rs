//! A real rate limit service: `tests/clients/ratelimit.mjs`, which Envoy asks over gRPC.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use super::in_repository;

/// A running service; it ends with this value.
pub struct Service {
    process: Child,
    answers: BufReader<ChildStdout>,
    port: u16,
}

impl Service {
    /// Starts one on a free port of 127.0.0.1. It allows so many requests for each descriptor.
    ///
    /// # Panics
    /// Its packages are not there, or Node.js.
    pub fn start(limit: u32) -> Self {
        let folder = in_repository("tests/clients");
        assert!(
            folder.join("node_modules").exists(),
            "the service's packages are not there: `make test-all` fetches them"
        );
        let mut process = Command::new("node")
            .arg("ratelimit.mjs")
            .current_dir(folder)
            .env("LIMIT", limit.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node runs: Node.js 20 or later");
        let mut answers = BufReader::new(process.stdout.take().expect("stdout is piped"));
        let mut port = String::new();
        answers.read_line(&mut port).expect("the service prints");
        Self {
            process,
            answers,
            port: port.trim().parse().expect("the service prints its port"),
        }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its counts by descriptor.
    pub fn counted(&mut self) -> Value {
        let input = self.process.stdin.as_mut().expect("stdin is piped");
        writeln!(input).expect("the service reads");
        let mut line = String::new();
        self.answers
            .read_line(&mut line)
            .expect("the service prints");
        serde_json::from_str(&line).expect("counts in JSON")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
