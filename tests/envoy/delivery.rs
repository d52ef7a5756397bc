//! How the filter reaches an Envoy: by ECDS as in Istio, fetched by Envoy as in Envoy Gateway, and as an update while requests
//! flow. A request never passes that the filter would deny.

mod arrival;
mod fetched;
mod updates;

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use countersign::authenticate::jose::signature::Algorithm;
use countersign::mint::SigningKey;
use serde_json::{Value, json};

use crate::support;
use crate::support::client::Connection;
use crate::support::envoy::{Envoy, module_path, wasm_filter};

const PATIENCE: Duration = Duration::from_secs(20);

/// The key of every configuration here.
fn key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::generate(Algorithm::Es256).with_kid(Some("1")))
}

/// A token with the scope `orders:read`.
fn token() -> String {
    let claims = json!({
        "iss": "https://login.example.com", "aud": "orders", "sub": "amy", "scope": "orders:read",
        "exp": support::now() + 600,
    });
    key()
        .sign(
            Algorithm::Es256,
            &json!({"alg": "ES256", "kid": "1"}),
            claims.to_string().as_bytes(),
        )
        .expect("a token")
}

/// A configuration with this realm. It requires a credential for `/both`, denies every caller at `/never`, and requires a
/// scope for `/either`.
fn document(realm: &str, scope: &str) -> Value {
    let jwks = json!({"inline": {"keys": [key().public_jwk()]}});
    json!({
        "realm": realm,
        "providers": [{"name": "corp", "jwt": {"issuer": "https://login.example.com", "audiences": ["orders"], "jwks": jwks}}],
        "rules": [
            {"name": "both", "match": {"paths": ["/both"]}},
            {"name": "never", "match": {"paths": ["/never"]}, "require": {"roles": ["nobody"]}},
            {"name": "either", "match": {"paths": ["/either"]}, "require": {"scopes": [scope]}},
        ],
    })
}

/// The filter as Istio and Envoy Gateway configure it, with the configuration as a JSON text.
fn filter(document: &Value) -> Value {
    let mut filter = wasm_filter("", &module_path(), document);
    filter["typed_config"]["config"]["configuration"] = json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": document.to_string()});
    filter
}

/// The same filter with the code at another place.
fn with_code(mut filter: Value, code: &Value) -> Value {
    filter["typed_config"]["config"]["vm_config"]["code"] = code.clone();
    filter
}

/// Code in a file.
fn local(path: &std::path::Path) -> Value {
    json!({"local": {"filename": path}})
}

/// The module's bytes.
fn module() -> Vec<u8> {
    fs::read(module_path()).expect("the module can be read")
}

/// Another build of the filter: it says `Authentication IS required.` in a response.
fn other_module() -> Vec<u8> {
    let (old, new) = (
        b"Authentication is required.",
        b"Authentication IS required.",
    );
    let mut module = module();
    let mut places = module
        .windows(old.len())
        .enumerate()
        .filter(|(_, bytes)| bytes == old);
    let place = places.next().expect("the module says so").0;
    assert!(places.next().is_none(), "in one place");
    drop(places);
    module[place..place + old.len()].copy_from_slice(new);
    module
}

/// A build of the filter with other bytes, which does the same: it has a custom section of this name.
fn build(name: u8) -> Vec<u8> {
    let mut module = module();
    module.extend([0, 2, 1, name]);
    module
}

fn sha256(bytes: &[u8]) -> String {
    let digest = <sha2::Sha256 as sha2::Digest>::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A request without a credential, or with the token.
fn request(path: &str, token: Option<&str>) -> String {
    let credential = token.map(|token| format!("authorization: Bearer {token}\r\n"));
    format!(
        "GET {path} HTTP/1.1\r\nhost: api.example.com\r\n{}\r\n",
        credential.unwrap_or_default()
    )
}

/// The status, the challenge and the body of the response to a request on a new connection.
fn ask(envoy: &Envoy, listener: &str, path: &str, token: Option<&str>) -> Answer {
    let server = envoy.listening(listener).expect("the listener is open");
    let response = Connection::new(server, PATIENCE).ask(request(path, token).as_bytes());
    Answer::of(&response.expect("a response"))
}

/// What a client sees of a response.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Answer {
    status: u16,
    challenge: String,
    body: String,
}

impl Answer {
    fn of(response: &support::client::Response) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let challenge = response.values("www-authenticate").next();
        // The members that do not differ from request to request. The upstream answers with the request.
        let json = serde_json::from_slice::<Value>(&response.body);
        let body = match json {
            Ok(body) => format!("{}: {}", body["error"], body["message"]),
            Err(_) => text(&response.body),
        };
        Self {
            status: response.status,
            challenge: text(challenge.unwrap_or_default()),
            body: if response.status == 200 {
                String::new()
            } else {
                body
            },
        }
    }

    /// No response came.
    fn none(fault: &std::io::Error) -> Self {
        Self {
            status: 0,
            challenge: String::new(),
            body: fault.to_string(),
        }
    }
}

/// Holds that the filter with this realm decides.
fn holds(envoy: &Envoy, listener: &str, realm: &str) {
    let (missing, token) = (ask(envoy, listener, "/both", None), token());
    assert_eq!(missing.status, 401, "{listener}");
    assert_eq!(
        missing.challenge,
        format!("Bearer realm=\"{realm}\""),
        "{listener}"
    );
    assert_eq!(
        ask(envoy, listener, "/never", Some(&token)).status,
        403,
        "{listener}"
    );
    assert_eq!(
        ask(envoy, listener, "/both", Some(&token)).status,
        200,
        "{listener}"
    );
}

/// A file for a module.
fn write_module(folder: &tempfile::TempDir, name: &str, module: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, module).expect("a module is written");
    path
}
