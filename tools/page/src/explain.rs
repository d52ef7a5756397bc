//! Runs `countersign explain`. The request, which contains the token, is its standard input and no argument.

use std::io::Write as _;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use demo::support::client::Connection;
use serde_json::Value;
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::timeout;

use crate::state::{Target, resolve};

/// How long the command may run.
const LONGEST: Duration = Duration::from_secs(10);
/// How long the server with the keys may take.
const FETCH: Duration = Duration::from_secs(5);

/// An explanation that can be run.
pub struct Explain {
    command: PathBuf,
    configuration: PathBuf,
    keys: Keys,
}

/// The keys in place of those that the filter fetches.
enum Keys {
    OfTheConfiguration,
    Given(NamedTempFile),
    Unavailable,
}

impl Explain {
    /// Fetches the keys of a target.
    pub fn new(command: PathBuf, target: &Target) -> Self {
        Self {
            command,
            configuration: target.configuration.clone(),
            keys: match &target.jwks {
                None => Keys::OfTheConfiguration,
                Some(source) => fetch(source).map_or(Keys::Unavailable, Keys::Given),
            },
        }
    }

    /// Explains a request from this client. The result is what the command prints.
    pub async fn run(&self, request: &[u8], client: IpAddr) -> Result<Value, String> {
        let mut command = Command::new(&self.command);
        command.arg("explain").arg(&self.configuration);
        command.args(["--format", "json", "--request", "-", "--plain-http"]);
        command.args(["--client", &client.to_string()]);
        match &self.keys {
            Keys::OfTheConfiguration => {}
            Keys::Given(file) => drop(command.arg("--jwks").arg(file.path())),
            Keys::Unavailable => drop(command.arg("--unavailable")),
        }
        command.kill_on_drop(true);
        command.stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let cannot_run =
            |fault: std::io::Error| format!("`{}` does not run: {fault}", self.command.display());
        let mut process = command.spawn().map_err(cannot_run)?;
        let mut input = process.stdin.take();
        let output = timeout(LONGEST, async {
            if let Some(input) = &mut input {
                // A command that has failed does not read its input.
                let _ = input.write_all(request).await;
            }
            drop(input);
            process.wait_with_output().await
        });
        let output = output.await.map_err(|_| {
            format!(
                "`countersign explain` did not end within {} s",
                LONGEST.as_secs()
            )
        })?;
        let output = output.map_err(cannot_run)?;
        match serde_json::from_slice(&output.stdout) {
            Ok(explanation) => Ok(explanation),
            Err(_) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        }
    }
}

/// The keys at a URL or in a file, in a file of their own.
fn fetch(source: &str) -> Option<NamedTempFile> {
    let bytes = match source.strip_prefix("http://") {
        None => std::fs::read(source).ok()?,
        Some(rest) => {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            let address = match host.contains(':') {
                true => host.to_owned(),
                false => format!("{host}:80"),
            };
            let mut connection = Connection::new(resolve(&address).ok()?, FETCH);
            let request =
                format!("GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
            let response = connection.ask(request.as_bytes()).ok()?;
            (response.status == 200).then_some(response.body)?
        }
    };
    let mut file = NamedTempFile::new().ok()?;
    file.write_all(&bytes).ok()?;
    Some(file)
}
