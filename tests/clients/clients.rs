//! Real clients against a real Envoy with the filter: what each makes of our answers.
//!
//! A client is one file of `tests/clients/`; it is told addresses and tokens in its environment, and fails when
//! something is not as it must be. `make test-all` fetches what they need (`scripts/setup-clients`) and runs this.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use countersign::mint::SigningKey;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support;
use crate::support::envoy::{Bootstrap, Envoy};
use crate::support::in_repository;
use crate::support::token::read_key;
use crate::support::upstream::Upstream;

const ISSUER: &str = "https://login.example.com";
/// Nobody listens there, and nobody who is not root can.
const CLOSED_PORT: u16 = 1;

/// What the clients are told: names and values of their environment.
pub type Variables<'a> = &'a [(&'a str, &'a str)];

pub fn key() -> SigningKey {
    read_key("tests/keys/es256.json")
}

pub fn token(scope: &str) -> String {
    let key = key();
    let algorithm = key.algorithm().unwrap();
    let header = json!({"alg": algorithm.name(), "kid": key.kid()});
    let claims = json!({
        "iss": ISSUER, "aud": "orders", "sub": "amy", "exp": support::now() + 600, "scope": scope,
    });
    key.sign(algorithm, &header, claims.to_string().as_bytes())
        .unwrap()
}

pub fn provider() -> Value {
    let jwks = json!({"inline": {"keys": [key().public_jwk()]}});
    json!({"name": "corp", "jwt": {"issuer": ISSUER, "audiences": ["orders"], "jwks": jwks}})
}

/// Everything below /orders needs a scope, /healthz nothing.
fn document() -> Value {
    json!({
        "realm": "orders",
        "providers": [provider()],
        "rules": [
            {"name": "health", "match": {"paths": ["/healthz"]}, "allow": "public"},
            {"name": "orders", "match": {"paths": ["/orders/**"]}, "require": {"scopes": ["orders:read"]}}
        ]
    })
}

/// The same, where browsers are sent to a login.
fn with_login(origin: &str) -> Value {
    let mut document = document();
    document["origin"] = json!(origin);
    document["responses"] = json!({"login": {"uri": "https://login.example.com/?return_to={url}"}});
    document
}

/// A certificate for localhost and *.example.com that answers for itself, and its key.
struct Certificate {
    folder: TempDir,
}

impl Certificate {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let made = Command::new("openssl")
            .current_dir(folder.path())
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
            ])
            .args([
                "-nodes",
                "-keyout",
                "key.pem",
                "-out",
                "certificate.pem",
                "-days",
                "2",
            ])
            .args([
                "-subj",
                "/CN=tests",
                "-addext",
                "subjectAltName=DNS:localhost,DNS:*.example.com",
            ])
            .output()
            .expect("openssl runs");
        assert!(made.status.success(), "openssl: {}", text(&made.stderr));
        Self { folder }
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn variables(&self) -> [(&'static str, String); 2] {
        [
            ("CERTIFICATE", self.file("certificate.pem")),
            ("KEY", self.file("key.pem")),
        ]
    }

    /// For each listener of the bootstrap.
    fn serve(&self, bootstrap: &mut Value) {
        let certificate = json!({
            "certificate_chain": {"filename": self.file("certificate.pem")},
            "private_key": {"filename": self.file("key.pem")}
        });
        let socket = json!({
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                "common_tls_context": {"alpn_protocols": ["h2", "http/1.1"], "tls_certificates": [certificate]}
            }
        });
        for listener in listeners(bootstrap) {
            listener["filter_chains"][0]["transport_socket"] = socket.clone();
        }
    }
}

/// The servers behind Envoy that are not HTTP/1.1 alone: `tests/clients/servers.mjs`. They end with this value.
struct Servers {
    process: Child,
    ports: Value,
}

impl Servers {
    fn start(variables: Variables<'_>) -> Self {
        let mut process = node("servers.mjs", variables)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node runs: Node.js 20 or later");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("stdout is piped");
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let ports = serde_json::from_str(&line);
        Self {
            process,
            ports: ports.unwrap_or_else(|_| panic!("the servers printed no ports, but {line:?}")),
        }
    }

    fn port(&self, name: &str) -> u16 {
        let port = self.ports[name].as_u64().unwrap();
        u16::try_from(port).unwrap()
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn node(script: &str, variables: Variables<'_>) -> Command {
    let folder = in_repository("tests/clients");
    assert!(
        folder.join("node_modules").exists(),
        "the clients' packages are not there: `make test-all` fetches them"
    );
    let mut command = Command::new("node");
    command
        .arg(script)
        .current_dir(folder)
        .envs(variables.iter().copied());
    command
}

/// Runs a client to its end, and shows what it saw.
pub fn run(client: &mut Command, envoy: &Envoy) {
    let ended = client.stdin(Stdio::null()).output();
    let ended = ended.unwrap_or_else(|error| panic!("{client:?} does not run: {error}"));
    let saw = format!("{}{}", text(&ended.stdout), text(&ended.stderr));
    println!("{saw}");
    assert!(
        ended.status.success(),
        "the client failed ({}), as shown above; Envoy's log:\n{}",
        ended.status,
        envoy.log()
    );
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn listeners(bootstrap: &mut Value) -> &mut Vec<Value> {
    bootstrap["static_resources"]["listeners"]
        .as_array_mut()
        .unwrap()
}

fn start(bootstrap: &Value) -> Envoy {
    Envoy::start_with(bootstrap, Stdio::null())
}

pub fn address(envoy: &Envoy, listener: &str) -> String {
    envoy.listener(listener).to_string()
}

pub fn python() -> PathBuf {
    let python = in_repository(".venv/clients/bin/python");
    assert!(
        python.exists(),
        "{} is not there: `make test-all` makes it",
        python.display()
    );
    python
}

#[test]
fn curl_fails_with_the_body_and_shows_a_token() {
    let upstream = Upstream::start();
    let envoy = Envoy::start(Bootstrap::new(upstream.port()).listener("plain", &document()));
    let mut curl = Command::new("sh");
    curl.arg(in_repository("tests/clients/curl.sh"))
        .env("ADDRESS", address(&envoy, "plain"))
        .env("TOKEN", token("orders:read"));
    run(&mut curl, &envoy);
}

#[test]
fn python_requests_reads_refusals() {
    let upstream = Upstream::start();
    let document = with_login("https://api.example.com");
    let envoy = Envoy::start(Bootstrap::new(upstream.port()).listener("plain", &document));
    let mut requests = Command::new(python());
    requests
        .arg(in_repository("tests/clients/python_requests.py"))
        .env("ADDRESS", address(&envoy, "plain"))
        .env("TOKEN", token("orders:read"))
        .env("WITHOUT_SCOPE", token(""));
    run(&mut requests, &envoy);
}

#[test]
fn oauth4webapi_parses_every_challenge() {
    let (upstream, certificate) = (Upstream::start(), Certificate::new());
    let (mut document, port) = (document(), free_port());
    let resource = format!("https://localhost:{port}/orders");
    document["responses"] = json!({"forbidden_challenge": true});
    let pay = json!({"name": "pay", "match": {"paths": ["/orders/pay"]},
        "require": {"acr": ["urn:example:mfa", "urn:example:key"], "max_age": "5m"}});
    let rules = document["rules"].as_array_mut().expect("rules");
    rules.insert(0, pay);
    document["resource_metadata"] =
        json!({"resource": resource, "authorization_servers": [ISSUER]});
    let mut bootstrap = Bootstrap::new(upstream.port())
        .listener("orders", &document)
        .into_json();
    certificate.serve(&mut bootstrap);
    listen_at(&mut bootstrap, port);
    let envoy = start(&bootstrap);
    let variables = [
        ("NODE_EXTRA_CA_CERTS", &*certificate.file("certificate.pem")),
        ("RESOURCE", &*resource),
        ("TOKEN", &*token("orders:read")),
        ("WITHOUT_SCOPE", &*token("")),
    ];
    run(&mut node("oauth4webapi.mjs", &variables), &envoy);
}

#[test]
fn the_mcp_sdk_finds_the_authorization_server_from_our_401_alone() {
    let (certificate, port) = (Certificate::new(), free_port());
    let [cert, key] = certificate.variables();
    let servers = Servers::start(&[
        (cert.0, &cert.1),
        (key.0, &key.1),
        // What the authorization server issues for a scope.
        ("TOKEN_TO_LIST", &token("orders:list")),
        ("TOKEN_TO_READ", &token("orders:read")),
    ]);
    let resource = format!("https://localhost:{port}/orders");
    let authorization = format!("https://localhost:{}", servers.port("authorization"));
    let mut document = document();
    document["responses"] = json!({"forbidden_challenge": true});
    document["resource_metadata"] = json!({
        "resource": resource,
        "authorization_servers": [authorization],
        "scopes_supported": ["orders:list"],
    });
    let mut bootstrap = Bootstrap::new(servers.port("mcp"))
        .listener("orders", &document)
        .into_json();
    certificate.serve(&mut bootstrap);
    listen_at(&mut bootstrap, port);
    let envoy = start(&bootstrap);
    let variables = [
        ("NODE_EXTRA_CA_CERTS", &*cert.1),
        ("RESOURCE", &*resource),
        ("AUTHORIZATION_SERVER", &*authorization),
    ];
    run(&mut node("mcp.mjs", &variables), &envoy);
}

#[test]
fn a_grpc_client_gets_its_status_and_message() {
    let servers = Servers::start(&[]);
    let mut document = document();
    document["rules"] = json!([
        {"name": "get", "match": {"paths": ["/orders.Orders/Get"]}, "require": {"scopes": ["orders:read"]}},
        {"name": "list", "match": {"paths": ["/orders.Orders/List"]}, "respond": {"status": 429}},
    ]);
    let mut without_keys = document.clone();
    without_keys["providers"][0]["jwt"]["jwks"] =
        json!({"remote": {"uri": "https://login.example.com/jwks", "cluster": "issuer"}});
    let mut bootstrap = Bootstrap::new(servers.port("grpc"))
        .cluster("issuer", &[CLOSED_PORT])
        .listener("orders", &document)
        .listener("without-keys", &without_keys)
        .into_json();
    bootstrap["static_resources"]["clusters"][0]["typed_extension_protocol_options"] = json!({
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http2_protocol_options": {}}
        }
    });
    let envoy = start(&bootstrap);
    let variables = [
        ("ADDRESS", &*address(&envoy, "orders")),
        ("WITHOUT_KEYS", &*address(&envoy, "without-keys")),
        ("TOKEN", &*token("orders:read")),
        ("WITHOUT_SCOPE", &*token("")),
    ];
    run(&mut node("grpc.mjs", &variables), &envoy);
}

#[test]
fn a_websocket_opens_with_a_token_alone() {
    let servers = Servers::start(&[]);
    let mut bootstrap = Bootstrap::new(servers.port("websocket"))
        .listener("orders", &document())
        .into_json();
    for listener in listeners(&mut bootstrap) {
        listener["filter_chains"][0]["filters"][0]["typed_config"]["upgrade_configs"] =
            json!([{"upgrade_type": "websocket"}]);
    }
    let envoy = start(&bootstrap);
    let variables = [
        ("ADDRESS", &*address(&envoy, "orders")),
        ("TOKEN", &*token("orders:read")),
        ("WITHOUT_SCOPE", &*token("")),
    ];
    run(&mut node("websocket.mjs", &variables), &envoy);
}

#[test]
fn a_browser_reads_challenges_shows_pages_and_follows_the_login() {
    let (upstream, certificate) = (Upstream::start(), Certificate::new());
    let mut api = document();
    api["cors"] = json!({"allow_origins": ["https://app.example.com"], "preflight": "answer"});
    api["responses"] = json!({"request_access": "https://help.example.com/access"});
    api["resource_metadata"] =
        json!({"resource": "https://api.example.com/orders", "authorization_servers": [ISSUER]});
    let mut shop = with_login("https://shop.example.com");
    shop["providers"][0]["jwt"]["from"] =
        json!([{"header": "authorization", "scheme": "Bearer"}, {"cookie": "session"}]);
    let mut bootstrap = Bootstrap::new(upstream.port())
        .listener("api", &api)
        .listener("shop", &shop)
        .into_json();
    certificate.serve(&mut bootstrap);
    let envoy = start(&bootstrap);
    let [cert, key] = certificate.variables();
    let variables = [
        ("API", &*address(&envoy, "api")),
        ("SHOP", &*address(&envoy, "shop")),
        ("TOKEN", &*token("orders:read")),
        ("WITHOUT_SCOPE", &*token("")),
        (cert.0, &*cert.1),
        (key.0, &*key.1),
    ];
    run(&mut node("browser.mjs", &variables), &envoy);
}

/// A port that was free a moment ago: for a document that has to name the port it is served on.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

fn listen_at(bootstrap: &mut Value, port: u16) {
    let [listener] = &mut listeners(bootstrap)[..] else {
        panic!("one listener has one port");
    };
    listener["address"]["socket_address"]["port_value"] = json!(port);
}
