//! The arms: an Envoy with its filters, and the requests that it receives.

use std::process::Stdio;
use std::thread;

use countersign::authenticate::jose::signature::Algorithm;
use countersign::mint::SigningKey;
use serde_json::{Value, json};

use crate::load::{Load, request};
use crate::support::client::{self, Request};
use crate::support::envoy::{Envoy, module_path, wasm_filter};
use crate::support::possession::{
    Holder, Issuer, ORIGIN, REALM, digest_challenge, digest_fields, digest_provider,
};
use crate::support::{now, token};

const ISSUER: &str = "https://login.example.com";
const AUDIENCE: &str = "orders";
const SCOPE: &str = "orders:read";
const ORDERS: &str = "/orders/4711";
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
    fn new(
        name: &'static str,
        envoy: Envoy,
        requests: Vec<Vec<u8>>,
        status: u16,
        remembers: Option<Remembers>,
    ) -> Self {
        let load = Load::new(envoy.listener("bench"), requests, status);
        Self {
            name,
            envoy,
            load,
            remembers,
        }
    }

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

/// Distinct tokens, signed with two keys, and a client that proves the possession of a third.
pub struct Tokens {
    count: usize,
    issuer: Issuer,
    holder: Holder,
    jwks: Value,
    rs256: Vec<String>,
    es256: Vec<String>,
}

impl Tokens {
    /// Signs `count` tokens with each key.
    pub fn mint(count: usize) -> Self {
        let rsa = token::read_key("tests/keys/rs256.json");
        let ec = token::read_key("tests/keys/es256.json");
        let issuer = Issuer::new();
        Self {
            count,
            holder: issuer.client_of("user-0"),
            issuer,
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
    in_parallel(count, &one)
}

/// The results for each number below `count`. Their order does not matter.
fn in_parallel<T: Send>(count: usize, one: &(impl Fn(usize) -> T + Sync)) -> Vec<T> {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let part = |worker| {
            move || {
                (worker..count)
                    .step_by(workers)
                    .map(one)
                    .collect::<Vec<_>>()
            }
        };
        let parts: Vec<_> = (0..workers)
            .map(|worker| scope.spawn(part(worker)))
            .collect();
        let parts = parts.into_iter();
        parts
            .flat_map(|part| part.join().expect("a result"))
            .collect()
    })
}

fn authorization(value: &str) -> (String, String) {
    ("authorization".to_owned(), value.to_owned())
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
        let bearer = |token: &String| request(path, &[authorization(&format!("Bearer {token}"))]);
        let requests = match tokens {
            [] => vec![request(path, &[])],
            _ => tokens.iter().map(bearer).collect(),
        };
        Arm::new(name, envoy, requests, status, remembers)
    };
    let orders = ORDERS;
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
        dpop(tokens),
        digest(tokens),
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

/// A token that is bound to a key, repeated, each time with a new proof.
fn dpop(tokens: &Tokens) -> Arm {
    let provider = tokens.issuer.provider(&json!({"window": "10m"}));
    let envoy = Envoy::start_with(&bootstrap(&[countersign_with(&provider)]), Stdio::null());
    let holder = &tokens.holder;
    let requests = in_parallel(tokens.count, &|_| {
        request(ORDERS, &holder.fields(&holder.proof(ORDERS, None)))
    });
    Arm::new(
        "Countersign, DPoP",
        envoy,
        requests,
        200,
        Some(Remembers::All),
    )
}

/// A nonce, each time with another count.
fn digest(tokens: &Tokens) -> Arm {
    let provider = digest_provider(&json!({"nonce_ttl": "1h"}));
    let envoy = Envoy::start_with(&bootstrap(&[countersign_with(&provider)]), Stdio::null());
    let first = Request {
        method: b"GET",
        target: ORDERS.as_bytes(),
        headers: vec![(b"host", b"orders.example.com")],
        body: b"",
    };
    let refused = client::send(envoy.listener("bench"), &first).expect("Envoy answers");
    let challenge = digest_challenge(&refused);
    let requests = (1..).take(tokens.count);
    let requests = requests.map(|count| request(ORDERS, &digest_fields(&challenge, ORDERS, count)));
    Arm::new("Countersign, Digest", envoy, requests.collect(), 200, None)
}

/// The filter, with two of the rules of `envoy/envoy.yaml`. It writes no audit lines, because Envoy writes no access log.
fn countersign(tokens: &Tokens) -> Value {
    countersign_with(&json!({"name": "corp", "jwt": {
        "issuer": ISSUER, "audiences": [AUDIENCE], "jwks": {"inline": tokens.jwks}
    }}))
}

fn countersign_with(provider: &Value) -> Value {
    let document = json!({
        "realm": REALM,
        "origin": ORIGIN,
        "providers": [provider],
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
