//! The Envoy configuration that the page needs: every listener of the demo, the listeners with `jwt_authn` and `rbac`, and
//! one with a configuration from a file.

use std::fs;
use std::path::{Path, PathBuf};

use demo::support::authorization;
use demo::support::certificate::TRUSTED;
use demo::support::example;
use serde_json::{Value, json};

use crate::response::{REVEALED, REVEALING};

/// The listener of [`Arguments::gate`].
pub const GATE: &str = "gate";
/// The listener of `envoy/envoy.yaml`.
pub const PUBLIC: &str = "public";
/// The files with listeners, and the names of their listeners.
const FILES: [(&str, &[&str]); 5] = [
    ("envoy/envoy.yaml", &[PUBLIC]),
    ("envoy/credentials.yaml", &["credentials"]),
    ("envoy/proofs.yaml", &["proofs"]),
    ("envoy/certificates.yaml", &["certificates"]),
    (
        "tools/page/comparison.yaml",
        &["comparison", "comparison-certificates"],
    ),
];
/// The ports of an Envoy that runs elsewhere.
pub const PORTS: [(&str, u16); 7] = [
    (GATE, 10000),
    (PUBLIC, 10001),
    ("credentials", 10002),
    ("proofs", 10003),
    ("certificates", 10004),
    ("comparison", 10005),
    ("comparison-certificates", 10006),
];
/// The port of its admin interface.
pub const ADMIN_PORT: u16 = 9901;
/// The private key of the authority that signs the clients' certificates, in the folder.
pub const AUTHORITY_KEY: &str = "clients.key";

/// Write the configuration and the certificates of an Envoy into a folder, for `serve`
#[derive(clap::Args)]
pub struct Arguments {
    /// The folder, which Envoy and `serve` have at the same path
    #[arg(long, value_name = "DIR")]
    folder: PathBuf,
    /// A file with the Countersign configuration of port 10000
    #[arg(long, value_name = "FILE")]
    gate: PathBuf,
    /// The path of the filter's module where Envoy runs
    #[arg(long, value_name = "FILE")]
    module: PathBuf,
    /// The upstream
    #[arg(long, value_name = "HOST:PORT")]
    upstream: String,
    /// Where `serve --stand-ins` listens
    #[arg(long, value_name = "HOST:PORT")]
    stand_ins: String,
    /// A cluster that the configuration of port 10000 names, without TLS; repeat it for several
    #[arg(long = "cluster", value_name = "NAME=HOST:PORT")]
    clusters: Vec<String>,
}

impl Arguments {
    /// Writes the files.
    pub fn write(&self) -> Result<(), String> {
        let mut envoy = Envoy {
            module: &self.module,
            tls: &self.folder,
            bind: "0.0.0.0",
            gate: Some(read_gate(&self.gate)?),
            clusters: vec![
                cluster("upstream", &self.upstream)?,
                cluster("login", &self.stand_ins)?,
                cluster("keys", &self.stand_ins)?,
            ],
        };
        for argument in &self.clusters {
            let (name, address) = argument.split_once('=').ok_or_else(|| {
                format!("`--cluster`: expected `NAME=HOST:PORT`, found `{argument}`")
            })?;
            envoy.clusters.push(cluster(name, address)?);
        }
        write_certificates(&self.folder)?;
        write(&self.folder.join(AUTHORITY_KEY), &TRUSTED.key_pem())?;
        let port = |name: &str| {
            let mut ports = PORTS.iter();
            ports
                .find(|(own, _)| *own == name)
                .map_or(0, |(_, port)| *port)
        };
        let bootstrap = envoy.bootstrap(port, ADMIN_PORT);
        write(&self.folder.join("envoy.json"), &format!("{bootstrap:#}\n"))
    }
}

/// What an Envoy is configured with.
pub struct Envoy<'a> {
    pub module: &'a Path,
    /// The folder with the certificates.
    pub tls: &'a Path,
    /// The address that the listeners bind.
    pub bind: &'a str,
    /// The Countersign configuration of the listener [`GATE`]; none if there is no such listener.
    pub gate: Option<Value>,
    pub clusters: Vec<Value>,
}

impl Envoy<'_> {
    /// The configuration, with these ports.
    pub fn bootstrap(self, port: impl Fn(&str) -> u16, admin: u16) -> Value {
        let mut listeners = Vec::new();
        let mut stats = Value::Null;
        for (file, names) in FILES {
            let unused = [("upstream", 0), ("login", 0), ("keys", 0)];
            let mut read = example::bootstrap_with(file, self.module, &unused);
            if file == FILES[0].0 {
                stats = read["stats_config"].take();
            }
            let own = read["static_resources"]["listeners"].as_array_mut();
            let own = own.expect("a list of listeners");
            assert!(own.iter().map(|own| &own["name"]).eq(names), "{file}");
            listeners.append(own);
        }
        if let Some(configuration) = self.gate {
            let gate = gate(listeners[0].clone(), &configuration);
            listeners.insert(0, gate);
        }
        for (index, listener) in listeners.iter_mut().enumerate() {
            let name = listener["name"].as_str().expect("a name").to_owned();
            // Metrics of configurations have the name of the filter. The first listener keeps the usual name.
            let filter = &mut example::http_filters(listener)[0];
            if index > 0
                && let Some(own) = filter.pointer_mut("/typed_config/config/name")
            {
                *own = json!(name);
            }
            listener["address"]["socket_address"] =
                json!({"address": self.bind, "port_value": port(&name)});
            if name == "credentials" {
                let filter = &mut example::http_filters(listener)[0]["typed_config"]["config"];
                filter["vm_config"]["environment_variables"] = example::variables();
            }
            reveal(listener);
        }
        let listeners = example::with_certificates_in(self.tls, &json!(listeners));
        json!({
            "admin": {"address": {"socket_address": {"address": self.bind, "port_value": admin}}},
            "static_resources": {"listeners": listeners, "clusters": self.clusters},
            "stats_config": stats,
        })
    }
}

/// The listener of `envoy/envoy.yaml` with another configuration of the filter.
fn gate(mut listener: Value, configuration: &Value) -> Value {
    listener["name"] = json!(GATE);
    let filter = &mut example::http_filters(&mut listener)[0]["typed_config"]["config"];
    filter["vm_config"]["vm_id"] = json!("countersign-gate");
    filter["configuration"]["value"] = configuration.clone();
    let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
    manager["stat_prefix"] = json!(GATE);
    manager["route_config"]["name"] = json!(GATE);
    listener
}

/// Makes Envoy add the filter state and the response-code details to responses to the requests of the page. The upstream does
/// not receive the header that marks them.
fn reveal(listener: &mut Value) {
    let added = REVEALED.map(|(name, format)| {
        json!({"header": {"key": name, "value": format}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"})
    });
    let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
    let hosts = manager["route_config"]["virtual_hosts"].as_array_mut();
    for host in hosts.expect("a list of virtual hosts") {
        let routes = host["routes"].as_array_mut().expect("a list of routes");
        let mut marked = routes.clone();
        for route in &mut marked {
            route["match"]["headers"] = json!([{"name": REVEALING, "present_match": true}]);
            route["request_headers_to_remove"] = json!([REVEALING]);
            route["response_headers_to_add"] = json!(added);
        }
        marked.append(routes);
        *routes = marked;
    }
}

/// A cluster without TLS, whose name Envoy resolves again when it expires.
pub fn cluster(name: &str, address: &str) -> Result<Value, String> {
    let parts = address
        .rsplit_once(':')
        .and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
    let (host, port) =
        parts.ok_or_else(|| format!("expected an address as `HOST:PORT`, found `{address}`"))?;
    let host = host.trim_matches(['[', ']']);
    let address = json!({"socket_address": {"address": host, "port_value": port}});
    Ok(json!({
        "name": name,
        "type": "STRICT_DNS",
        "dns_lookup_family": "V4_PREFERRED",
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
    }))
}

/// Writes the certificates, and the key of the listeners' one.
pub fn write_certificates(folder: &Path) -> Result<(), String> {
    example::write_certificates(folder).map_err(|fault| format!("{}: {fault}", folder.display()))
}

/// Starts the servers that the listener `credentials` needs.
pub fn stand_ins(address: std::net::SocketAddrV4) -> demo::support::issuer::Issuer {
    authorization::start_at(*address.ip(), address.port())
}

fn read_gate(file: &Path) -> Result<Value, String> {
    let fault = |fault: &dyn std::fmt::Display| format!("{}: {fault}", file.display());
    let text = fs::read_to_string(file).map_err(|read| fault(&read))?;
    let configuration: Value = serde_yaml_ng::from_str(&text).map_err(|yaml| fault(&yaml))?;
    match configuration.get("rules") {
        Some(_) => Ok(configuration),
        None => Err(fault(
            &"expected a Countersign configuration with `rules` at the top level",
        )),
    }
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    fs::write(file, text).map_err(|fault| format!("{}: {fault}", file.display()))
}
