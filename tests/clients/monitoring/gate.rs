//! The Envoys that are watched: in some the filter has trouble, in others not.

use std::fs;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};

use countersign::authenticate::jose::signature::Algorithm;
use countersign::mint::SigningKey;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use wasmparser::{ExternalKind, Parser, Payload};

use crate::support;
use crate::support::client::{self, Request};
use crate::support::envoy::{Bootstrap, Envoy, module_path, wasm_filter};
use crate::support::issuer::{Issuer, Page};
use crate::support::upstream::Upstream;

/// The hash of a password.
const BCRYPT: &str = "$2y$04$GaSnbSyGvHJkzkTvKZP1yuh0qRQCDtNjgdeMVPV0VPsqkL0ywQDVK";

/// The issuers whose keys, lists or introspection the filter fetches. One of each kind stops.
pub struct Issuers {
    fresh: Issuer,
    stale: Issuer,
    /// A port where nothing listens.
    closed: u16,
    key: SigningKey,
}

impl Issuers {
    pub fn start() -> Self {
        let key = SigningKey::generate(Algorithm::Es256).with_kid(Some("one"));
        let serve = || {
            let issuer = Issuer::with_keys(&[&key]);
            issuer.serve("/list", Page::json(&json!({"keys": [list_entry()]})));
            let active = json!({"active": true, "sub": "amy"});
            issuer.serve("/introspect", Page::introspection(&active));
            issuer
        };
        let mut gone = Issuer::start();
        gone.stop();
        Self {
            fresh: serve(),
            stale: serve(),
            closed: gone.port(),
            key,
        }
    }

    /// One of the two issuers that answer stops.
    pub fn stop_one(&mut self) {
        self.stale.stop();
    }

    /// A token of the issuer of a provider.
    pub fn token(&self, provider: &str) -> String {
        let claims = json!({
            "iss": issuer_of(provider), "aud": "orders", "sub": "amy", "scope": "orders:read",
            "exp": support::now() + 600,
        });
        let header = json!({"alg": "ES256", "kid": "one"});
        let signed = self
            .key
            .sign(Algorithm::Es256, &header, claims.to_string().as_bytes());
        format!("Bearer {}", signed.expect("a token"))
    }

    fn jwt(&self, name: &str, jwks: Value) -> Value {
        let issuer = issuer_of(name);
        json!({"name": name, "jwt": {"issuer": issuer, "audiences": ["orders"], "jwks": jwks}})
    }

    fn fetched(&self, name: &str, port: u16) -> Value {
        let uri = format!("http://127.0.0.1:{port}/jwks");
        self.jwt(
            name,
            json!({"remote": {"uri": uri, "cluster": name, "refresh": "1s"}}),
        )
    }

    /// The provider whose keys are in the configuration.
    fn corp(&self) -> Value {
        self.jwt("corp", json!({"inline": {"keys": [self.key.public_jwk()]}}))
    }

    /// A configuration with a provider of each kind that works, and one that does not.
    fn document(&self) -> Value {
        let list = |name: &str, port: u16| {
            let uri = format!("http://127.0.0.1:{port}/list");
            json!({"name": name, "api_key": {
                "from": [{"header": format!("x-{name}-key")}],
                "keys": {"remote": {"uri": uri, "cluster": name, "refresh": "1s"}},
            }})
        };
        let opaque = |name: &str, port: u16| {
            json!({"name": name, "introspection": {
                "from": [{"header": format!("x-{name}")}],
                "uri": format!("http://127.0.0.1:{port}/introspect"), "cluster": name,
                "client_id": "gate", "client_secret": "s+cret/%",
            }})
        };
        let (fresh, stale) = (self.fresh.port(), self.stale.port());
        let rule = |name: &str, provider: &str| json!({"name": name, "match": {"paths": [format!("/{name}")]}, "providers": [provider]});
        let demanding = |name: &str, require: Value| {
            let mut rule = rule(name, "corp");
            rule["require"] = require;
            rule
        };
        json!({
            "providers": [
                self.corp(),
                self.fetched("fresh", fresh), self.fetched("stale", stale),
                list("list-fresh", fresh), list("list-stale", stale),
                opaque("opaque-up", fresh), opaque("opaque-down", self.closed),
                {"name": "staff", "basic": {"users": [{"name": "ci", "password": BCRYPT}]}},
            ],
            "rules": [
                demanding("orders", json!({"scopes": ["orders:read"]})),
                rule("spike-401", "corp"),
                rule("usual-401", "corp"),
                rule("few-401", "corp"),
                demanding("spike-403", json!({"scopes": ["orders:admin"]})),
                demanding("few-403", json!({"roles": ["admin"]})),
                demanding("condition", json!({"cel": "claims.level > 3"})),
                rule("staff", "staff"),
                rule("opaque-up", "opaque-up"),
                rule("opaque-down", "opaque-down"),
            ],
        })
    }

    /// A configuration whose issuer does not answer.
    fn down(&self) -> Value {
        let rule = |name: &str| json!({"name": name, "match": {"paths": [format!("/{name}")]}});
        json!({
            "providers": [self.fetched("down", self.closed)],
            "rules": [rule("down"), rule("down-rarely")],
        })
    }

    /// A configuration that blocks clients after failed attempts.
    fn throttled(&self) -> Value {
        let rule = |name: &str| json!({"name": name, "match": {"paths": [format!("/{name}")]}});
        json!({
            "providers": [{"name": "customers", "api_key": {"keys": [list_entry()]}}],
            "rules": [rule("login"), rule("login-rarely")],
            "throttle": {"failures": 3, "window": "10m", "block": "10m"},
        })
    }

    fn shadow(&self) -> Value {
        json!({
            "mode": "shadow", "providers": [self.corp()],
            "rules": [{"name": "shadow", "match": {"paths": ["/shadow"]}}],
        })
    }
}

fn issuer_of(provider: &str) -> String {
    format!("https://{provider}.example.com")
}

fn list_entry() -> Value {
    let digest = Sha256::digest("sk-a-key-0123456789abcdef");
    let hex: String = digest.iter().map(|octet| format!("{octet:02x}")).collect();
    json!({"id": "a-key", "sha256": hex})
}

/// The Envoys, by the values of their label `instance`.
pub struct Fleet {
    /// One that is in use: every kind of event occurs.
    pub busy: Envoy,
    /// One whose listeners get new configurations.
    pub updated: Envoy,
    /// One whose module has crashed, with `FAIL_CLOSED`.
    pub closed: Envoy,
    /// One without the filter.
    pub without: Envoy,
    upstream: Upstream,
    crashing: Crashing,
}

impl Fleet {
    pub fn start(issuers: &Issuers) -> Self {
        let (upstream, crashing) = (Upstream::start(), Crashing::new());
        let base = || Bootstrap::new(upstream.port()).labelled();
        let mut busy = base();
        let [fresh, stale] = [issuers.fresh.port(), issuers.stale.port()];
        for name in ["fresh", "list-fresh", "opaque-up"] {
            busy = busy.cluster(name, &[fresh]);
        }
        for name in ["stale", "list-stale"] {
            busy = busy.cluster(name, &[stale]);
        }
        let busy = busy
            .cluster("opaque-down", &[issuers.closed])
            .listener("gate", &issuers.document())
            .listener("throttled", &issuers.throttled())
            .listener("shadow", &issuers.shadow());
        // The name of a filter in `updated`, where its configuration changes: then the two differ.
        let closed = filter("changed", "FAIL_CLOSED", &crashing.module, &quiet(issuers));
        Self {
            busy: Envoy::start(busy),
            updated: Envoy::start(updated(&upstream, &crashing, issuers, false)),
            closed: Envoy::start(base().listener_with("gate", &[closed])),
            without: Envoy::start(base().listener_with("gate", &[])),
            upstream,
            crashing,
        }
    }

    /// The names and the addresses of the admin interfaces.
    pub fn targets(&self) -> [(&'static str, SocketAddr); 4] {
        [
            ("busy", self.busy.admin_address()),
            ("updated", self.updated.admin_address()),
            ("closed", self.closed.admin_address()),
            ("without", self.without.admin_address()),
        ]
    }

    /// One listener gets a configuration without trouble, one an invalid one, and one an issuer that does not answer.
    pub fn update(&self, issuers: &Issuers) {
        let changed = updated(&self.upstream, &self.crashing, issuers, true);
        self.updated.change_listeners(changed);
    }
}

/// An Envoy whose listeners have the same configuration, before or after it is changed.
fn updated(
    upstream: &Upstream,
    crashing: &Crashing,
    issuers: &Issuers,
    is_changed: bool,
) -> Bootstrap {
    let quiet = quiet(issuers);
    let [mut changed, mut rejected, mut down] = [quiet.clone(), quiet.clone(), quiet.clone()];
    if is_changed {
        changed["realm"] = json!("other");
        rejected["reaml"] = json!("other");
        down = issuers.down();
    }
    let module = module_path();
    [
        ("changed", &module, changed),
        ("rejected", &module, rejected),
        ("down", &module, down),
        ("crashing", &crashing.module, quiet),
    ]
    .into_iter()
    .fold(
        Bootstrap::new(upstream.port())
            .cluster("down", &[issuers.closed])
            .labelled()
            .dynamic(),
        |bootstrap, (name, module, document)| {
            bootstrap.listener_with(name, &[filter(name, "FAIL_RELOAD", module, &document)])
        },
    )
}

/// A configuration for an Envoy where little happens.
fn quiet(issuers: &Issuers) -> Value {
    json!({
        "providers": [issuers.corp()],
        "rules": [
            {"name": "quiet-condition", "match": {"paths": ["/condition"]}, "require": {"cel": "claims.level > 3"}},
            {"name": "quiet", "match": {"paths": ["/**"]}},
        ],
    })
}

/// The filter with a name, a policy for crashes and a module.
fn filter(name: &str, policy: &str, module: &Path, document: &Value) -> Value {
    let mut filter = wasm_filter(name, module, document);
    filter["typed_config"]["config"]["name"] = json!(name);
    filter["typed_config"]["config"]["failure_policy"] = json!(policy);
    filter
}

/// A request; the status of its response.
pub fn ask(envoy: &Envoy, listener: &str, path: &str, header: Option<(&str, &str)>) -> u16 {
    let request = Request::of("GET", path, "api.example.com", header);
    let response = client::send(envoy.listener(listener), &request);
    response.expect("a response").status
}

/// The built module, changed so that it crashes on each request. It ends with this value.
struct Crashing {
    module: PathBuf,
    _folder: tempfile::TempDir,
}

impl Crashing {
    fn new() -> Self {
        let mut bytes = fs::read(module_path()).expect("the module can be read");
        let body = code_of(&bytes, "proxy_on_request_headers");
        // Instructions `unreachable`, and `end`.
        bytes[body.start..body.end - 1].fill(0x00);
        bytes[body.end - 1] = 0x0b;
        let folder = tempfile::TempDir::new().expect("a temporary folder");
        let module = folder.path().join("crashing.wasm");
        fs::write(&module, bytes).expect("the module is written");
        Self {
            module,
            _folder: folder,
        }
    }
}

/// Where the instructions of an exported function are.
fn code_of(module: &[u8], name: &str) -> Range<usize> {
    let (mut imported, mut index, mut bodies) = (0, None, Vec::new());
    for payload in Parser::new(0).parse_all(module) {
        match payload.expect("a valid module") {
            Payload::ImportSection(section) => imported = section.into_imports().count(),
            Payload::ExportSection(section) => {
                let exports = section.into_iter().map(|export| export.expect("an export"));
                let mut functions = exports.filter(|export| export.kind == ExternalKind::Func);
                index = functions.find(|export| export.name == name);
            }
            Payload::CodeSectionEntry(body) => bodies.push(body),
            _ => {}
        }
    }
    let index = usize::try_from(index.expect("the export").index).expect("an index");
    let body = &bodies[index - imported];
    let instructions = body.get_operators_reader().expect("instructions");
    let at = |offset: u64| usize::try_from(offset).expect("an offset");
    at(instructions.original_position())..at(body.range().end)
}
