//! The arms: an Envoy with its filters, and the requests that it receives.

use std::process::Stdio;
use std::thread;

use countersign::authenticate::jose::signature::Algorithm;
use countersign::mint::SigningKey;
use serde_json::{Value, json};

use crate::load::{Load, request};
use crate::support::envoy::{Envoy, module_path, wasm_filter};
use crate::support::{now, token};

const ISSUER: &str = "https://login.example.com";
const AUDIENCE: &str = "orders";
const SCOPE: &str = "orders:read";
const JWT_AUTHN: &str = "envoy.filters.http.jwt_authn";

/// A filter chain under load.
pub struct Arm {
    pub name: &'static str,
    pub envoy: Envoy,
    load: Load,
    /// The expected behaviour of the filter's token cache; none if it is not checked.
    remembers: Option<Remembers>,
}

#[derive(Clone, Copy)]
enum Remembers {
    All,
    Nothing,
}

impl Arm {
    /// Sends this number of requests, and returns the CPU time of Envoy for one request, in microseconds.
    pub fn run(&mut self, requests: usize) -> f64 {
        let before = self.envoy.cpu_nanoseconds();
        self.load.send(requests);
        let spent = self.envoy.cpu_nanoseconds() - before;
        spent as f64 / 1_000.0 / requests as f64
    }

    /// Checks that the arm has measured what its name says.
    ///
    /// # Panics
    /// The token cache did not behave as expected, or Envoy has logged a crash.
    pub fn assert_what_was_remembered(&self) {
        assert!(
            self.envoy.alarms().is_empty(),
            "{}: {:?}",
            self.name,
            self.envoy.alarms()
        );
        let Some(remembers) = self.remembers else {
            return;
        };
        let (hits, misses) = (
            self.envoy.counted("token_cache.hit"),
            self.envoy.counted("token_cache.miss"),
        );
        let right = match remembers {
            Remembers::All => hits > 0 && misses <= Load::CONNECTIONS as u64,
            Remembers::Nothing => hits == 0 && misses > 0,
        };
        assert!(right, "{}: {hits} hits, {misses} misses", self.name);
    }
}

/// Distinct tokens, signed with two keys.
pub struct Tokens {
    jwks: Value,
    rs256: Vec<String>,
    es256: Vec<String>,
}

impl Tokens {
    /// Signs `count` tokens with each key.
    pub fn mint(count: usize) -> Self {
        let rsa = token::read_key("tests/keys/rs256.json");
        let ec = token::read_key("tests/keys/es256.json");
        Self {
            jwks: json!({"keys": [rsa.public_jwk(), ec.public_jwk()]}),
            rs256: sign(&rsa, Algorithm::Rs256, count),
            es256: sign(&ec, Algorithm::Es256, count),
        }
    }
}

fn sign(key: &SigningKey, algorithm: Algorithm, count: usize) -> Vec<String> {
    let header = json!({"alg": algorithm.name(), "typ": "at+jwt", "kid": key.kid()});
    let now = now();
    let one = |number: usize| {
        let claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": format!("user-{number}"), "client_id": "shop",
            "iat": now - 60, "exp": now + 24 * 60 * 60, "jti": format!("{number:032x}"),
            "scope": format!("openid profile {SCOPE}")
        });
        let token = key.sign(algorithm, &header, claims.to_string().as_bytes());
        token.expect("the key serves the algorithm")
    };
    let one = &one;
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let parts: Vec<_> = (0..workers)
            .map(|worker| {
                scope.spawn(move || {
                    (worker..count)
                        .step_by(workers)
                        .map(one)
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        parts
            .into_iter()
            .flat_map(|part| part.join().expect("signed"))
            .collect()
    })
}

/// Starts every arm.
pub fn all(tokens: &Tokens) -> Vec<Arm> {
    use Remembers::{All, Nothing};
    let ours = vec![countersign(tokens)];
    let authn = vec![jwt_authn(tokens, false)];
    let cached = vec![jwt_authn(tokens, true)];
    let and_rbac = |filters: &[Value]| [filters, &[rbac()]].concat();
    let (rs256, es256) = (&tokens.rs256[..], &tokens.es256[..]);
    let start = |name, filters: &[Value], path, tokens: &[String], status, remembers| {
        let envoy = Envoy::start_with(&bootstrap(filters), Stdio::null());
        let requests = match tokens {
            [] => vec![request(path, None)],
            _ => tokens
                .iter()
                .map(|token| request(path, Some(token)))
                .collect(),
        };
        let load = Load::new(envoy.listener("bench"), requests, status);
        Arm {
            name,
            envoy,
            load,
            remembers,
        }
    };
    let orders = "/orders/4711";
    vec![
        start("no filter", &[], orders, &rs256[..1], 200, None),
        start(
            "Countersign, public rule",
            &ours,
            "/healthz",
            &rs256[..1],
            200,
            None,
        ),
        start(
            "Countersign, RS256 repeated",
            &ours,
            orders,
            &rs256[..1],
            200,
            Some(All),
        ),
        start(
            "Countersign, RS256 never seen",
            &ours,
            orders,
            rs256,
            200,
            Some(Nothing),
        ),
        start(
            "Countersign, ES256 repeated",
            &ours,
            orders,
            &es256[..1],
            200,
            Some(All),
        ),
        start(
            "Countersign, ES256 never seen",
            &ours,
            orders,
            es256,
            200,
            Some(Nothing),
        ),
        start("Countersign, no token", &ours, orders, &[], 401, None),
        start(
            "jwt_authn, RS256 repeated",
            &authn,
            orders,
            &rs256[..1],
            200,
            None,
        ),
        start(
            "jwt_authn, RS256 never seen",
            &authn,
            orders,
            rs256,
            200,
            None,
        ),
        start(
            "jwt_authn, ES256 never seen",
            &authn,
            orders,
            es256,
            200,
            None,
        ),
        start("jwt_authn, no token", &authn, orders, &[], 401, None),
        start(
            "jwt_authn with cache, RS256 repeated",
            &cached,
            orders,
            &rs256[..1],
            200,
            None,
        ),
        start(
            "jwt_authn and rbac, RS256 repeated",
            &and_rbac(&authn),
            orders,
            &rs256[..1],
            200,
            None,
        ),
        start(
            "jwt_authn with cache, and rbac, RS256 repeated",
            &and_rbac(&cached),
            orders,
            &rs256[..1],
            200,
            None,
        ),
    ]
}

/// The filter, with two of the rules of `envoy/envoy.yaml`. It writes no audit lines, because Envoy writes no access log.
fn countersign(tokens: &Tokens) -> Value {
    let document = json!({
        "realm": "orders",
        "providers": [{"name": "corp", "jwt": {
            "issuer": ISSUER, "audiences": [AUDIENCE], "jwks": {"inline": tokens.jwks}
        }}],
        "rules": [
            {"name": "health", "match": {"paths": ["/healthz"]}, "allow": "public"},
            {"name": "read-orders", "match": {"paths": ["/orders/**"], "methods": ["GET"]}, "require": {"scopes": [SCOPE]}}
        ],
        "audit": {"log": "none"}
    });
    wasm_filter("bench", &module_path(), &document)
}

/// Envoy's `jwt_authn` with the same issuer, audience and keys. It forwards the token, as the filter does.
fn jwt_authn(tokens: &Tokens, cache: bool) -> Value {
    let mut provider = json!({
        "issuer": ISSUER, "audiences": [AUDIENCE], "forward": true, "payload_in_metadata": "jwt",
        "local_jwks": {"inline_string": tokens.jwks.to_string()}
    });
    if cache {
        provider["jwt_cache_config"] = json!({"jwt_cache_size": 10_000});
    }
    json!({"name": JWT_AUTHN, "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        "providers": {"corp": provider},
        "rules": [{"match": {"prefix": "/orders"}, "requires": {"provider_name": "corp"}}]
    }})
}

/// Envoy's `rbac`, which checks the scope.
fn rbac() -> Value {
    json!({"name": "envoy.filters.http.rbac", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
        "rules": {"action": "ALLOW", "policies": {"read-orders": {
            "permissions": [{"url_path": {"path": {"prefix": "/orders"}}}],
            "principals": [{"metadata": {
                "filter": JWT_AUTHN,
                "path": [{"key": "jwt"}, {"key": "scope"}],
                "value": {"string_match": {"contains": SCOPE}}
            }}]
        }}}
    }})
}

/// An Envoy that itself responds to every request that its filters forward, without an access log.
fn bootstrap(filters: &[Value]) -> Value {
    let router = json!({
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}
    });
    let filters = [filters, &[router]].concat();
    let any_port = json!({"socket_address": {"address": "127.0.0.1", "port_value": 0}});
    let answer = json!({"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "ok\n"}}});
    json!({
        "admin": {"address": any_port},
        "static_resources": {"listeners": [{
            "name": "bench",
            "address": any_port,
            "filter_chains": [{"filters": [{
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                    "stat_prefix": "bench",
                    "use_remote_address": true,
                    "http_filters": filters,
                    "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [answer]}]}
                }
            }]}]
        }]}
    })
}
