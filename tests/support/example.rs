//! The configurations of `envoy/` as a test runs them: on free ports, with the module that was built, and with tokens of
//! their issuer.

use std::path::Path;
use std::{fs, io};

use countersign::authenticate::jose::signature::Algorithm;
use countersign::mint::SigningKey;
use serde_json::{Value, json};

use super::authorization;
use super::certificate::{SERVER, TRUSTED};
use super::envoy::module_path;
use super::in_repository;
use super::leaks;
use super::token::read_key;

/// Where every example expects the module.
const MODULE: &str = "/etc/envoy/countersign.wasm";
/// How long a token lives, in seconds.
pub const DAY: i64 = 24 * 60 * 60;

/// Who vouches for a caller in the examples.
pub fn providers() -> Value {
    let listener = &mut read("envoy/envoy.yaml")["static_resources"]["listeners"][0];
    http_filters(listener)[0]["typed_config"]["config"]["configuration"]["value"]["providers"]
        .take()
}

fn read(path: &str) -> Value {
    let text = fs::read_to_string(in_repository(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    serde_yaml_ng::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// How `envoy/envoy.yaml` turns elements of names into labels.
pub fn statistics() -> Value {
    read("envoy/envoy.yaml")["stats_config"].take()
}

/// A configuration with any free ports for itself, and its clusters at these of 127.0.0.1.
///
/// # Panics
/// The file is not as the others are.
pub fn bootstrap(path: &str, clusters: &[(&str, u16)]) -> Value {
    bootstrap_with(path, &module_path(), clusters)
}

/// As [`bootstrap`], with this module.
///
/// # Panics
/// As for [`bootstrap`].
pub fn bootstrap_with(path: &str, module: &Path, clusters: &[(&str, u16)]) -> Value {
    let mut bootstrap = read(path);
    bootstrap["admin"] =
        json!({"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}});
    let resources = &mut bootstrap["static_resources"];
    for listener in resources["listeners"].as_array_mut().expect("listeners") {
        set(listener, "/address/socket_address/port_value", json!(0));
        for filter in http_filters(listener) {
            let file = filter.pointer_mut("/typed_config/config/vm_config/code/local/filename");
            if let Some(file) = file {
                assert_eq!(*file, MODULE);
                *file = json!(module);
            }
        }
    }
    for cluster in resources["clusters"].as_array_mut().expect("clusters") {
        let port = clusters.iter().find(|(name, _)| cluster["name"] == **name);
        let port = port
            .unwrap_or_else(|| panic!("{path}: nobody is {}", cluster["name"]))
            .1;
        set_port(cluster, port);
    }
    bootstrap
}

/// The variables with the secrets of the filter, as the filter of a test has them: not in the environment of the test.
pub fn variables() -> Value {
    json!({"key_values": {
        "GATE_SECRET": authorization::GATE_SECRET,
        "KEYS_AUTHORIZATION": authorization::KEYS_AUTHORIZATION,
    }})
}

/// `envoy/credentials.yaml` with the statistics of `envoy/envoy.yaml`. Its clusters `login` and `keys` lead to this port of
/// 127.0.0.1, without TLS.
pub fn credentials(upstream: u16, login: u16) -> Value {
    let mut bootstrap = bootstrap(
        "envoy/credentials.yaml",
        &[("upstream", upstream), ("login", login), ("keys", login)],
    );
    let resources = &mut bootstrap["static_resources"];
    for cluster in resources["clusters"].as_array_mut().expect("clusters") {
        let cluster = cluster.as_object_mut().expect("a cluster");
        cluster.remove("transport_socket");
        let address = "/endpoints/0/lb_endpoints/0/endpoint/address/socket_address/address";
        set(&mut cluster["load_assignment"], address, json!("127.0.0.1"));
    }
    let filter = &mut http_filters(&mut resources["listeners"][0])[0];
    filter["typed_config"]["config"]["vm_config"]["environment_variables"] = variables();
    bootstrap["stats_config"] = statistics();
    bootstrap
}

/// `envoy/certificates.yaml`, with a certificate of this run and its key in files of a folder.
pub fn certificates(upstream: u16, folder: &Path) -> Value {
    write_certificates(folder).expect("files are written");
    let bootstrap = bootstrap("envoy/certificates.yaml", &[("upstream", upstream)]);
    with_certificates_in(folder, &bootstrap)
}

/// Writes the certificate of the listeners with TLS, its key, and the authority of the clients' certificates into a folder.
///
/// # Errors
/// A file cannot be written.
pub fn write_certificates(folder: &Path) -> io::Result<()> {
    fs::write(folder.join("server.pem"), SERVER.pem())?;
    fs::write(folder.join("server.key"), SERVER.key_pem())?;
    fs::write(folder.join("clients.pem"), TRUSTED.pem())
}

/// A part of a configuration whose certificates are in this folder.
///
/// # Panics
/// The path is not UTF-8.
pub fn with_certificates_in(folder: &Path, part: &Value) -> Value {
    let folder = folder.to_str().expect("a path in UTF-8");
    let text = part.to_string().replace("/etc/envoy/tls", folder);
    serde_json::from_str(&text).expect("JSON")
}

/// Sets the port of a cluster.
pub fn set_port(cluster: &mut Value, port: u16) {
    let place =
        "/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address/socket_address/port_value";
    set(cluster, place, json!(port));
}

/// The HTTP filters of a listener, the router included.
pub fn http_filters(listener: &mut Value) -> &mut Vec<Value> {
    listener
        .pointer_mut("/filter_chains/0/filters/0/typed_config/http_filters")
        .and_then(Value::as_array_mut)
        .expect("a connection manager with filters")
}

/// Replaces what is there.
pub fn set(value: &mut Value, pointer: &str, new: Value) {
    *value
        .pointer_mut(pointer)
        .unwrap_or_else(|| panic!("there is no {pointer}")) = new;
}

/// The tokens that `make run` writes to files, for requests to paste.
pub const TOKENS: [&str; 3] = ["reader", "operator", "expired"];

/// Writes each of [`TOKENS`] to a file of a folder: `reader.jwt`.
///
/// # Panics
/// A file cannot be written.
pub fn write_tokens(folder: &Path, mint: &Mint) {
    fs::create_dir_all(folder).expect("a folder is created");
    for name in TOKENS {
        let file = folder.join(name).with_extension("jwt");
        let token = token(mint, name).expect("a token of the list");
        fs::write(file, token).expect("a token is written");
    }
}

/// The token of [`TOKENS`] with this name.
pub fn token(mint: &Mint, name: &str) -> Option<String> {
    let claims = match name {
        "reader" => json!({"scope": "orders:read"}),
        "operator" => json!({"sub": "olga", "roles": ["operator"]}),
        "expired" => json!({"scope": "orders:read", "iat": mint.now - DAY, "exp": mint.now - 3600}),
        _ => return None,
    };
    Some(mint.token(&claims))
}

/// The public half of the examples' key, as a set of keys.
pub fn key_set() -> Value {
    let key: SigningKey = read_key("envoy/demo-key.json");
    json!({"keys": [key.public_jwk()]})
}

/// Signs tokens with the examples' key.
pub struct Mint {
    key: SigningKey,
    /// When its tokens are issued.
    pub now: i64,
}

impl Mint {
    /// Issues tokens now.
    pub fn new() -> Self {
        Self::at(super::now())
    }

    /// Issues tokens at this moment, in seconds since 1970.
    pub fn at(now: i64) -> Self {
        Self {
            key: read_key("envoy/demo-key.json"),
            now,
        }
    }

    /// A token of the examples' issuer, with these claims besides or in place of the usual ones; `null` for none.
    pub fn token(&self, claims: &Value) -> String {
        let mut all = json!({
            "iss": "https://login.example.com",
            "aud": "orders",
            "sub": "alice",
            "iat": self.now,
            "exp": self.now + DAY
        });
        let members = all.as_object_mut().expect("an object");
        members.extend(claims.as_object().expect("claims are an object").clone());
        members.retain(|_, value| !value.is_null());
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": self.key.kid()});
        let signed = self.key.sign_compact(
            Algorithm::Es256,
            header.to_string().as_bytes(),
            all.to_string().as_bytes(),
        );
        let token = signed.expect("the examples' key signs");
        leaks::of_token(&token);
        token
    }
}
