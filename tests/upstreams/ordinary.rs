//! Ordinary requests pass unchanged: the paths of real API descriptions, and what browsers, clients and proxies send.
//!
//! The path templates are those of API descriptions that npm packages ship (`tests/upstreams/ordinary/package.json`; `make
//! test-upstreams` fetches them) and of well-known APIs. Each is a rule whose parameters must be what the token says. The
//! values of the parameters, the queries, cookies and header fields are lists in `tests/upstreams/ordinary/`; a line that
//! users report is added there. Each request must be permitted, by the rule that a plain search finds, and arrive as it was
//! sent: in the core, and behind a real Envoy.

mod requests;
mod rules;
mod templates;
mod texts;

use std::process::Stdio;
use std::time::Duration;

use countersign::authenticate::jose::signature::Pure;
use countersign::config;
use countersign::evaluate::{Circumstances, Outcome, evaluate};
use countersign::mint::SigningKey;
use countersign::request::RequestView;
use countersign::time::Timestamp;
use serde_json::{Value, json};

use crate::support;
use crate::support::client::Connection;
use crate::support::envoy::{Bootstrap, Envoy, RULE, tell_rules};
use crate::support::token::{latin_1, read_key};
use crate::support::upstream::Upstream;
use requests::Request;
use rules::Rule;
use texts::{Field, Texts};

const ISSUER: &str = "https://as.example.com";
const AUDIENCE: &str = "https://api.example.com";
/// The cookie in which the provider looks.
pub const COOKIE: &str = "__Host-token";
/// The identity field that the filter adds.
const SUBJECT: &str = "x-auth-subject";
/// Longer than a run.
const LIFETIME: i64 = 60 * 60;
const PATIENCE: Duration = Duration::from_secs(20);
/// What Envoy's connection manager sets, takes for itself, or ends with the connection.
const OF_ENVOY: [&str; 6] = [
    "host",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-request-id",
    "te",
    "content-length",
];

/// All requests, and the document that they are for.
struct Ordinary {
    requests: Vec<Request>,
    document: Value,
    key: SigningKey,
}

impl Ordinary {
    fn new() -> Self {
        let rules = rules::all(&templates::read());
        let requests = requests::all(&rules, &Texts::read());
        assert!(requests.len() >= 2_000, "only {} requests", requests.len());
        let key = read_key("tests/keys/es256.json");
        Self {
            document: document(&rules, &key),
            requests,
            key,
        }
    }

    fn token(&self, request: &Request) -> String {
        let algorithm = self.key.algorithm().unwrap();
        let header = json!({"alg": algorithm.name(), "kid": self.key.kid()});
        let claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "exp": support::now() + LIFETIME,
            "p": request.bound,
        });
        let claims = claims.to_string();
        self.key
            .sign(algorithm, &header, claims.as_bytes())
            .unwrap()
    }

    /// Sends every request in some way; what went wrong.
    fn failures(&self, mut send: impl FnMut(&Request, &[Field]) -> Vec<String>) -> Vec<String> {
        let mut failures = Vec::new();
        for request in &self.requests {
            let head = request.head(&self.token(request));
            let faults = send(request, &head);
            if !faults.is_empty() {
                let faults = faults.join("\n      ");
                failures.push(format!(
                    "{} {} at {}, under `{}`\n      {faults}",
                    request.method, request.target, request.host, request.rule
                ));
            }
        }
        failures
    }

    fn report(&self, place: &str, failures: &[String]) {
        let line = format!(
            "{place}: {} ordinary requests, {} rules, {} failures",
            self.requests.len(),
            self.document["rules"].as_array().map_or(0, Vec::len),
            failures.len()
        );
        support::say(&line);
        let listed = failures.join("\n  ");
        assert!(
            failures.is_empty(),
            "{} failures:\n  {listed}",
            failures.len()
        );
    }
}

fn document(rules: &[Rule], key: &SigningKey) -> Value {
    let rules: Vec<Value> = rules.iter().map(Rule::to_json).collect();
    json!({
        "providers": [{"name": "as", "jwt": {
            "issuer": ISSUER, "audiences": [AUDIENCE], "jwks": {"inline": {"keys": [key.public_jwk()]}},
            "from": [
                {"header": "authorization", "scheme": "Bearer"}, {"query": "access_token"}, {"cookie": COOKIE}
            ]
        }}],
        "identity": {"headers": {SUBJECT: "{subject}"}},
        "rules": rules
    })
}

#[test]
fn in_the_core_they_pass_unchanged() {
    let ordinary = Ordinary::new();
    let plan = match config::load_value(&ordinary.document) {
        Ok(loaded) => loaded.plan,
        Err(faults) => panic!("the document is refused: {faults:?}"),
    };
    let now = Timestamp::from_seconds(support::now());
    let mut store = plan.empty_store();
    let failures = ordinary.failures(|request, head| {
        let pseudo = [
            (":method", request.method),
            (":path", &request.target),
            (":scheme", "http"),
        ];
        let fields = head.iter().map(|(name, value)| match &**name {
            "host" => (":authority", &**value),
            name => (name, &**value),
        });
        let fields = pseudo.into_iter().chain(fields);
        let view = RequestView::new(
            fields
                .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
                .collect(),
        );
        let outcome = evaluate(
            &plan,
            &view,
            &store,
            Circumstances::new(&Pure, now),
            &mut (),
        );
        let Outcome::Decided(mut decision, effects) = outcome else {
            panic!("the keys are in the document");
        };
        decision.commit(effects, &mut store, (&plan, &view), now);
        let mut faults = Vec::new();
        if let Some(refusal) = decision.refusal() {
            faults.push(format!("refused: {refusal:?}"));
        }
        if decision.rule_name() != Some(request.rule.as_str()) {
            faults.push(format!("decided by {:?}", decision.rule_name()));
        }
        let forward = &decision.forward;
        if forward.target.is_some() || !forward.remove.is_empty() {
            faults.push(format!("changed: {forward:?}"));
        }
        if forward.set.iter().any(|(name, _)| *name != SUBJECT) {
            faults.push(format!("set: {:?}", forward.set));
        }
        faults
    });
    ordinary.report("in the core", &failures);
}

#[test]
fn behind_envoy_they_arrive_unchanged() {
    let ordinary = Ordinary::new();
    let upstream = Upstream::start();
    let mut bootstrap = Bootstrap::new(upstream.port())
        .listener("ordinary", &ordinary.document)
        .into_json();
    tell_rules(&mut bootstrap);
    let envoy = Envoy::start_with(&bootstrap, Stdio::null());
    let mut connection = Connection::new(envoy.listener("ordinary"), PATIENCE);
    let failures = ordinary.failures(|request, head| {
        let response = match connection.ask(&to_bytes(request, head)) {
            Ok(response) => response,
            Err(error) => return vec![error.to_string()],
        };
        if response.values("x-upstream").next().is_none() {
            let body = String::from_utf8_lossy(&response.body);
            return vec![format!("answered with {} {body}", response.status)];
        }
        let mut faults = Vec::new();
        let rule = response.values(RULE).next().unwrap_or_default();
        if rule != request.rule.as_bytes() {
            faults.push(format!("passed under {:?}", String::from_utf8_lossy(rule)));
        }
        faults.extend(changes(request, head, &response.body));
        faults
    });
    assert_eq!(envoy.alarms(), Vec::<String>::new());
    ordinary.report("behind Envoy", &failures);
}

fn to_bytes(request: &Request, head: &[Field]) -> Vec<u8> {
    let mut bytes = format!("{} {} HTTP/1.1\r\n", request.method, request.target);
    for (name, value) in head {
        bytes.push_str(&format!("{name}: {value}\r\n"));
    }
    if request.method == "POST" {
        bytes.push_str("content-length: 2\r\n\r\n{}");
    } else {
        bytes.push_str("\r\n");
    }
    bytes.into_bytes()
}

/// How the request that the upstream shows differs from the one that was sent.
fn changes(request: &Request, head: &[Field], shown: &[u8]) -> Vec<String> {
    let shown: Value = serde_json::from_slice(shown).unwrap_or_default();
    let mut changes = Vec::new();
    if shown["path"] != json!(request.target) {
        changes.push(format!("the target arrives as {}", shown["path"]));
    }
    let text = |value: &Value| latin_1(value.as_str().unwrap_or_default());
    let arrived: Vec<(String, Vec<u8>)> = shown["headers"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|field| {
            (
                field[0].as_str().unwrap_or_default().to_ascii_lowercase(),
                text(&field[1]),
            )
        })
        .collect();
    let is_compared = |name: &str| !OF_ENVOY.contains(&name) && !name.starts_with("x-envoy-");
    for (name, value) in head.iter().filter(|(name, _)| is_compared(name)) {
        let found: Vec<_> = arrived.iter().filter(|(own, _)| own == name).collect();
        if !matches!(found[..], [(_, own)] if own == value.as_bytes()) {
            let found = found.iter().map(|(_, own)| String::from_utf8_lossy(own));
            changes.push(format!(
                "{name}: {value} arrives as {:?}",
                found.collect::<Vec<_>>()
            ));
        }
    }
    let is_sent = |name: &str| head.iter().any(|(own, _)| own == name);
    for (name, _) in arrived.iter().filter(|(name, _)| is_compared(name)) {
        if !is_sent(name) && name != SUBJECT {
            changes.push(format!("{name} arrives, which was not sent"));
        }
    }
    changes
}
