//! The upstream: `envoy/upstream.py`, which answers with the request that reached it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::in_repository;

/// A running upstream; it ends with this value.
pub struct Upstream {
    process: Child,
    port: u16,
}

impl Upstream {
    /// Starts one on a free port of 127.0.0.1.
    pub fn start() -> Self {
        let mut process = Command::new("python3")
            .arg(in_repository("envoy/upstream.py"))
            .arg("0")
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 runs the upstream");
        let stdout = process.stdout.take().expect("stdout is piped");
        let mut line = String::new();
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("the upstream prints its port");
        let Ok(port) = line.trim().parse() else {
            let _ = process.kill();
            panic!("the upstream printed no port, but {line:?}");
        };
        Self { process, port }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
