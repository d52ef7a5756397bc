//! A real Prometheus and a real Alertmanager.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::scaled::scaled;
use crate::support::client::{self, Request};
use crate::support::{in_repository, until};

/// The time between two scrapes, and between two evaluations of the rules.
pub const INTERVAL: &str = "1s";

/// A file of `envoy/monitoring/`.
pub fn shipped(name: &str) -> String {
    let path = in_repository("envoy/monitoring").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A series of a response of Prometheus.
pub struct Series {
    pub labels: Value,
    /// The time in seconds, and the value.
    pub points: Vec<(f64, f64)>,
}

/// A running process with a page `/-/ready`; it ends with this value.
struct Server {
    process: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl Server {
    fn start(program: &str, files: &[(&str, String)], arguments: &[&str]) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("the configuration is written");
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        drop(listener);
        let log = File::create(folder.path().join("log")).expect("the log is created");
        let process = Command::new(program)
            .current_dir(folder.path())
            .arg(format!("--web.listen-address={address}"))
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{program}: {error}; scripts/setup-monitoring fetches it")
            });
        let mut server = Self {
            process,
            address,
            folder,
        };
        until(&format!("{program} is ready"), || {
            let ended = server.process.try_wait().expect("the process's state");
            assert!(ended.is_none(), "{program} has ended: {}", server.log());
            get(address, "/-/ready").is_some_and(|(status, _)| status == 200)
        });
        server
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A Prometheus with the shipped configuration and the shipped rules, on the faster clock.
pub struct Prometheus(Server);

impl Prometheus {
    /// One that scrapes these Envoys, each with its name for the label `instance`.
    pub fn start(envoys: &[(&str, SocketAddr)], alertmanager: &Alertmanager) -> Self {
        let text = shipped("prometheus.yaml");
        let mut config: Value = serde_yaml_ng::from_str(&text).expect("YAML");
        config["global"] = json!({"scrape_interval": INTERVAL, "evaluation_interval": INTERVAL});
        config["rule_files"] = json!(["alerts.yaml"]);
        config["alerting"]["alertmanagers"][0]["static_configs"] =
            json!([{"targets": [alertmanager.0.address.to_string()]}]);
        let targets = envoys.iter().map(|(name, address)| {
            json!({"targets": [address.to_string()], "labels": {"instance": name}})
        });
        config["scrape_configs"][0]["static_configs"] = targets.collect();
        let files = [
            ("prometheus.yaml", config.to_string()),
            ("alerts.yaml", scaled(&shipped("alerts.yaml"))),
        ];
        // 5 minutes, scaled: how old the latest sample of a series may be.
        let lookback = scaled("--query.lookback-delta=5m");
        let arguments = [
            "--config.file=prometheus.yaml",
            "--storage.tsdb.path=data",
            &lookback,
        ];
        Self(Server::start("prometheus", &files, &arguments))
    }

    /// What an expression evaluates to from one time to another, once a second.
    pub fn query_range(&self, expression: &str, from: f64, to: f64) -> Vec<Series> {
        let (from, to) = (from.to_string(), to.to_string());
        let fields = [
            ("query", expression),
            ("start", &from),
            ("end", &to),
            ("step", "1"),
        ];
        let data = self.data(&format!("/api/v1/query_range?{}", form(&fields)));
        let result = data["result"].as_array().expect("a result");
        result.iter().map(Series::read).collect()
    }

    /// The values of a label in the series that a selector matches.
    pub fn label_values(&self, selector: &str, label: &str) -> Vec<String> {
        let fields = form(&[("match[]", selector)]);
        let found = self.data(&format!("/api/v1/label/{label}/values?{fields}"));
        let values = found.as_array().expect("a list");
        values
            .iter()
            .map(|value| value.as_str().expect("a text").to_owned())
            .collect()
    }

    /// The lines of the log that report errors, for example of a rule.
    pub fn errors(&self) -> Vec<String> {
        let log = self.0.log();
        let faults = log
            .lines()
            .filter(|line| line.contains("level=warn") || line.contains("level=error"));
        faults.map(str::to_owned).collect()
    }

    fn data(&self, path: &str) -> Value {
        let (status, body) = get(self.0.address, path).expect("Prometheus answers");
        let mut answer: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(status, 200, "{path}: {answer}");
        answer["data"].take()
    }
}

impl Series {
    fn read(found: &Value) -> Self {
        let points = found["values"].as_array().expect("values").iter();
        Self {
            labels: found["metric"].clone(),
            points: points
                .map(|point| {
                    let value = point[1].as_str().expect("a value").parse();
                    (point[0].as_f64().expect("a time"), value.expect("a number"))
                })
                .collect(),
        }
    }

    /// The value of a label; empty if the series does not have it.
    pub fn label(&self, name: &str) -> &str {
        self.labels[name].as_str().unwrap_or_default()
    }
}

/// An Alertmanager with the shipped configuration on the faster clock, and a webhook.
pub struct Alertmanager(Server);

impl Alertmanager {
    /// One whose receiver has a webhook at this URL.
    pub fn start(webhook: &str) -> Self {
        let mut config: Value =
            serde_yaml_ng::from_str(&scaled(&shipped("alertmanager.yaml"))).expect("YAML");
        config["receivers"][0]["webhook_configs"] = json!([{ "url": webhook }]);
        let arguments = [
            "--config.file=alertmanager.yaml",
            "--storage.path=data",
            "--cluster.listen-address=",
        ];
        let files = [("alertmanager.yaml", config.to_string())];
        Self(Server::start(alertmanager_program(), &files, &arguments))
    }
}

/// Debian's name of the program, or that of other packages.
fn alertmanager_program() -> &'static str {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let has = |name: &str| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    if has("prometheus-alertmanager") {
        "prometheus-alertmanager"
    } else {
        "alertmanager"
    }
}

/// Runs `promtool` in `envoy/monitoring/`, and returns what it prints.
///
/// # Panics
/// It finds a fault.
pub fn promtool(arguments: &[&str]) -> String {
    let out = Command::new("promtool")
        .current_dir(in_repository("envoy/monitoring"))
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("promtool: {error}; scripts/setup-monitoring fetches it"));
    let printed = String::from_utf8_lossy(&out.stdout).into_owned();
    let faults = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{printed}{faults}");
    printed
}

/// Writes a file into a folder and returns its path as text.
pub fn written(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).expect("the file is written");
    path.to_str().expect("UTF-8").to_owned()
}

fn form(fields: &[(&str, &str)]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields).finish()
}

fn get(server: SocketAddr, target: &str) -> Option<(u16, Vec<u8>)> {
    let request = Request {
        method: b"GET",
        target: target.as_bytes(),
        headers: vec![(b"host", b"localhost")],
        body: b"",
    };
    let response = client::send(server, &request).ok()?;
    Some((response.status, response.body))
}
