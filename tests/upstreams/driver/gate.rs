//! The gate: one Envoy with the filter, and a listener for each server of the fleet.

use std::process::Stdio;

use countersign::authenticate::jose::signature::Pure;
use countersign::config;
use countersign::evaluate::{Circumstances, Outcome, evaluate};
use countersign::plan::Plan;
use countersign::request::RequestView;
use countersign::store::Store;
use countersign::time::Timestamp;
use serde_json::{Value, json};

use super::answer::Answer;
use super::fleet::{Fleet, PATIENCE};
use super::input::{Caller, FORGED, GOOD, Input, Tokens, replaced};
use super::list::{PathsCase, Server};
use super::process;
use crate::support;
use crate::support::client::Connection;
use crate::support::envoy::{Bootstrap, Envoy, module_path, tell_rules, wasm_filter};
use crate::support::leaks;
use crate::support::token::read_key;

const ISSUER: &str = "https://as.example.com";
const AUDIENCE: &str = "https://api.example.com";
/// Longer than a run.
const LIFETIME: i64 = 60 * 60;

/// A running Envoy before the fleet.
pub struct Gate {
    pub envoy: Envoy,
    pub tokens: Tokens,
}

/// Which policy the filter enforces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// What no rule is for is denied: most ways to read another path end there.
    Closed,
    /// What no rule is for is public, so that every path that a server reads in its own way is served.
    Open,
}

impl Gate {
    pub fn start(fleet: &Fleet) -> Self {
        let envoy = Envoy::start_with(&bootstrap(fleet), Stdio::null());
        process::end_too(envoy.process_id());
        let good = token("tests/keys/es256.json", "bob");
        let forged = token("tests/keys/es256-foreign.json", "root");
        leaks::collect_tokens_only();
        leaks::of_token(&good);
        leaks::of_token(&forged);
        Self {
            envoy,
            tokens: Tokens {
                good: good.into_bytes(),
                forged: forged.into_bytes(),
            },
        }
    }

    /// A connection to a server, through the filter with a policy.
    pub fn connection(&self, server: &Server, policy: Policy) -> Connection {
        // Envoy gives up first.
        let listener = self.envoy.listener(&listener_of(server, policy));
        Connection::new(listener, 2 * PATIENCE)
    }

    /// Sends an input as someone.
    pub fn ask(
        &self,
        connection: &mut Connection,
        input: &Input,
        caller: Caller,
    ) -> std::io::Result<Answer> {
        let request = input.to_bytes(caller, &self.tokens);
        let answer = Answer::of(&connection.ask(&request)?);
        // A server may close an idle connection just when Envoy takes it.
        if answer.is_reset() {
            return Ok(Answer::of(&connection.ask(&request)?));
        }
        Ok(answer)
    }
}

fn token(key: &str, subject: &str) -> String {
    let key = read_key(key);
    let algorithm = key.algorithm().expect("a key with an algorithm");
    let header = json!({"alg": algorithm.name(), "kid": key.kid()});
    let roles: &[&str] = if subject == "bob" { &[] } else { &["admin"] };
    let claims = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": subject, "roles": roles,
        "exp": support::now() + LIFETIME,
    });
    key.sign(algorithm, &header, claims.to_string().as_bytes())
        .expect("the key signs")
}

fn listener_of(server: &Server, policy: Policy) -> String {
    format!("{} {policy:?}", server.name)
}

/// What the filter enforces before a server.
fn document(policy: Policy, case: &PathsCase) -> Value {
    let key = read_key("tests/keys/es256.json").public_jwk();
    let mut document = json!({
        "paths_case": case,
        "providers": [{"name": "as", "jwt": {
            "issuer": ISSUER, "audiences": [AUDIENCE], "jwks": {"inline": {"keys": [key]}},
            "from": [
                {"header": "authorization", "scheme": "Bearer"}, {"query": "access_token"}, {"cookie": "session"}
            ]
        }}],
        "identity": {"headers": {"x-auth-subject": "{subject}"}},
        "rules": [
            {"name": "admin-host", "match": {"hosts": ["admin.example.com"]}, "require": {"roles": ["admin"]}},
            {"name": "delete", "match": {"methods": ["DELETE"]}, "require": {"roles": ["admin"]}},
            {"name": "admin", "match": {"paths": ["/admin/**"]}, "require": {"roles": ["admin"]}},
            {"name": "v2", "match": {"paths": ["/public/**"], "headers": {"x-api-version": "2"}},
                "require": {"roles": ["admin"]}},
            {"name": "orders", "match": {"paths": ["/users/{id}/**"]}, "require": {"claims": {"sub": "{id}"}}},
            {"name": "public", "match": {"paths": ["/public/**"]}, "allow": "public"}
        ]
    });
    if policy == Policy::Open {
        let rules = document["rules"].as_array_mut().expect("rules");
        rules.push(json!({"name": "rest", "match": {"paths": ["/**"]}, "allow": "public"}));
    }
    document
}

fn bootstrap(fleet: &Fleet) -> Value {
    let mut bootstrap = Bootstrap::new(fleet.servers[0].port);
    for running in &fleet.servers {
        let name = &running.server.name;
        let route = json!({
            "match": {"prefix": "/"},
            "route": {"cluster": name, "timeout": format!("{}s", PATIENCE.as_secs())}
        });
        bootstrap = bootstrap.cluster(name, &[running.port]);
        for policy in running.server.policies() {
            // One name for all: the listeners share what the module was compiled to.
            let document = document(*policy, &running.server.paths_case);
            let filter = wasm_filter("fleet", &module_path(), &document);
            let listener = listener_of(&running.server, *policy);
            bootstrap =
                bootstrap.routed_listener_with(&listener, &[filter], std::slice::from_ref(&route));
        }
    }
    let mut bootstrap = bootstrap.into_json();
    tell_rules(&mut bootstrap);
    let resources = &mut bootstrap["static_resources"];
    let listeners = resources["listeners"].as_array_mut();
    for listener in listeners.into_iter().flatten() {
        let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        manager["http_protocol_options"] = json!({"enable_trailers": true});
    }
    for cluster in resources["clusters"].as_array_mut().into_iter().flatten() {
        cluster["typed_extension_protocol_options"] = json!({
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http_protocol_options": {"enable_trailers": true}}
            }
        });
    }
    bootstrap
}

/// The same policy in the core, which says what the filter will let pass: for the generator, that aims at it.
pub struct Forecast {
    plan: Plan,
    store: Store,
    good: Vec<u8>,
    now: Timestamp,
}

impl Forecast {
    pub fn new(tokens: &Tokens, policy: Policy) -> Self {
        let loaded = config::load_value(&document(policy, &PathsCase::default()));
        let plan = loaded.unwrap_or_else(|faults| panic!("{faults:?}")).plan;
        Self {
            store: plan.empty_store(),
            plan,
            good: tokens.good.clone(),
            now: Timestamp::from_seconds(support::now()),
        }
    }

    pub fn passes(&mut self, input: &Input, caller: Caller) -> bool {
        let mut fields = vec![
            (b":method".to_vec(), input.method.clone()),
            (b":path".to_vec(), replaced(&input.target, GOOD, &self.good)),
        ];
        for (name, value) in input.head(caller) {
            let name = match name.eq_ignore_ascii_case(b"host") {
                true => b":authority".to_vec(),
                false => name.to_ascii_lowercase(),
            };
            let value = replaced(&value, GOOD, &self.good);
            fields.push((
                name,
                replaced(&value, FORGED, b"a.b.c").trim_ascii().to_vec(),
            ));
        }
        let pairs = fields
            .iter()
            .map(|(name, value)| (name.as_slice(), value.as_slice()));
        let request = RequestView::new(pairs.collect());
        match evaluate(
            &self.plan,
            &request,
            &self.store,
            Circumstances::new(&Pure, self.now),
            &mut (),
        ) {
            Outcome::Decided(mut decision, effects) => {
                let (asked, store) = ((&self.plan, &request), &mut self.store);
                decision.commit(effects, store, asked, self.now);
                decision.passage().is_some()
            }
            Outcome::Needs(..) => panic!("the keys are in the document"),
        }
    }
}
