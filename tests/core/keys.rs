//! How a request is decided while keys are fetched: the core and its store, at chosen times.

use std::time::Duration;

use countersign::authenticate::jose::jwk::{Source, parse_set};
use countersign::authenticate::jose::keys::KeySet;
use countersign::authenticate::jose::signature::{Algorithm, Pure};
use countersign::authenticate::jwt::Keys;
use countersign::authenticate::{KeySourceId, Method};
use countersign::config;
use countersign::evaluate::{Circumstances, Fetch, Outcome, evaluate};
use countersign::keys::COOL_DOWN;
use countersign::mint::SigningKey;
use countersign::plan::Plan;
use countersign::reject::{Reject, TokenFault, Unavailable};
use countersign::request::RequestView;
use countersign::store::Store;
use countersign::time::Timestamp;
use serde_json::{Value, json};

const START: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// The outcome of an evaluation.
#[derive(Debug, PartialEq)]
enum Came {
    Passes,
    Waits,
    Refused(Reject),
}

const UNKNOWN: Came = Came::Refused(Reject::Token(TokenFault::Key));
const UNAVAILABLE: Came = Came::Refused(Reject::Unavailable(Unavailable::Keys));

struct Scene {
    plan: Plan,
    store: Store,
}

impl Scene {
    /// Two providers, each with one key source.
    fn new() -> Self {
        let provider = |name: &str| {
            let remote =
                json!({"uri": format!("https://{name}.example.com/jwks"), "cluster": name});
            let issuer = format!("https://{name}.example.com");
            json!({"name": name, "jwt": {
                "issuer": issuer, "audiences": ["orders"], "jwks": {"remote": remote}
            }})
        };
        let document = json!({"providers": [provider("a"), provider("b")]});
        let plan = config::load(document.to_string().as_bytes()).unwrap().plan;
        let store = plan.empty_store();
        Self { plan, store }
    }

    /// One provider whose keys are published at two sources.
    fn of_two_sources() -> Self {
        let mut scene = Self::new();
        let policy = scene.plan.policy.as_mut().unwrap();
        let Method::Jwt(jwt) = &mut policy.providers[0].method;
        jwt.keys.push(Keys::Remote(KeySourceId(1)));
        scene
    }

    /// One provider whose issuer differs by tenant.
    fn of_tenants() -> Self {
        let remote = json!({"uri": "https://a.example.com/jwks", "cluster": "a"});
        let document = json!({"providers": [{"name": "a", "jwt": {
            "issuer": "https://a.example.com/{tid}", "audiences": ["orders"], "jwks": {"remote": remote}
        }}]});
        let plan = config::load(document.to_string().as_bytes()).unwrap().plan;
        let store = plan.empty_store();
        Self { plan, store }
    }

    fn fetched(&mut self, source: usize, keys: &[&SigningKey], at: Timestamp) {
        let keys = keys.iter().map(|key| key.public_jwk()).collect();
        self.fetched_jwks(source, keys, at);
    }

    fn fetched_jwks(&mut self, source: usize, keys: Vec<Value>, at: Timestamp) {
        let set = parse_set(&json!({ "keys": keys }), Source::Remote).unwrap();
        self.store
            .keys_fetched(KeySourceId(source), KeySet::new(set.keys, None), at);
    }

    fn ask(&mut self, token: &str, settled: bool, now: Timestamp) -> Came {
        let authorization = format!("Bearer {token}");
        let request = RequestView::new(vec![
            (b":method", b"GET"),
            (b":path", b"/"),
            (b":authority", b"api.example.com"),
            (b"authorization", authorization.as_bytes()),
        ]);
        let sources = [Fetch::Keys(KeySourceId(0)), Fetch::Keys(KeySourceId(1))];
        let settled = if settled { &sources[..] } else { &[] };
        let outcome = evaluate(
            &self.plan,
            &request,
            &self.store,
            Circumstances {
                settled,
                backend: &Pure,
                now,
            },
            &mut (),
        );
        match outcome {
            Outcome::Needs(_) => Came::Waits,
            Outcome::Decided(mut decision, effects) => {
                let asked = (&self.plan, &request);
                decision.commit(effects, &mut self.store, asked, now);
                decision.refusal().map_or(Came::Passes, Came::Refused)
            }
        }
    }
}

fn key(kid: &str) -> SigningKey {
    SigningKey::generate(Algorithm::Es256).with_kid(Some(kid))
}

fn token(provider: &str, key: &SigningKey) -> String {
    signed(
        json!({"iss": format!("https://{provider}.example.com")}),
        key,
    )
}

/// A token of a tenant of the provider `a`.
fn token_of_tenant(tenant: &str, key: &SigningKey) -> String {
    let iss = format!("https://a.example.com/{tenant}");
    signed(json!({"iss": iss, "tid": tenant}), key)
}

fn signed(mut claims: Value, key: &SigningKey) -> String {
    claims["aud"] = json!("orders");
    claims["sub"] = json!("amy");
    claims["exp"] = json!(START.millis() / 1000 + 3600);
    let header = json!({"alg": "ES256", "kid": key.kid()});
    key.sign(Algorithm::Es256, &header, claims.to_string().as_bytes())
        .unwrap()
}

fn later(seconds: u64) -> Timestamp {
    START.plus(Duration::from_secs(seconds))
}

#[test]
fn before_the_first_keys_a_request_waits_and_then_is_judged() {
    let (mut scene, one) = (Scene::new(), key("one"));
    let good = token("a", &one);
    assert_eq!(scene.ask(&good, false, START), Came::Waits);
    // The wait is over and no keys came. The token is not to blame.
    assert_eq!(scene.ask(&good, true, START), UNAVAILABLE);
    // The fetch failed, so requests do not wait.
    scene.store.fetch_failed(KeySourceId(0), START);
    assert_eq!(scene.ask(&good, false, START), UNAVAILABLE);
    // The other provider is not affected.
    assert_eq!(scene.ask(&token("b", &one), false, START), Came::Waits);
    scene.fetched(0, &[&one], later(1));
    assert_eq!(scene.ask(&good, false, later(1)), Came::Passes);
}

#[test]
fn j_10_an_unknown_key_waits_once_in_a_cool_down() {
    let (mut scene, one, two) = (Scene::new(), key("one"), key("two"));
    let new = token("a", &two);
    scene.fetched(0, &[&one], START);
    let last = later(COOL_DOWN.as_secs() - 1);
    assert_eq!(scene.ask(&new, false, last), UNKNOWN);
    let after = later(COOL_DOWN.as_secs());
    assert_eq!(scene.ask(&new, false, after), Came::Waits);
    // The fetch did not bring it.
    scene.fetched(0, &[&one], after);
    assert_eq!(scene.ask(&new, true, after), UNKNOWN);
    assert_eq!(scene.ask(&new, false, after), UNKNOWN);
    // The fetch failed. The issuer may have the key by now, so the token cannot be judged. Known keys stay in use.
    scene.store.fetch_failed(KeySourceId(0), after);
    assert_eq!(scene.ask(&new, true, after), UNAVAILABLE);
    assert_eq!(scene.ask(&new, false, after), UNAVAILABLE);
    assert_eq!(scene.ask(&token("a", &one), false, after), Came::Passes);
    // The refusal is not cached.
    scene.fetched(0, &[&one, &two], after);
    assert_eq!(scene.ask(&new, false, after), Came::Passes);
}

#[test]
fn r_05_j_65_what_was_verified_by_a_withdrawn_key_is_refused() {
    let (mut scene, one, two) = (Scene::new(), key("one"), key("two"));
    let old = token("a", &one);
    scene.fetched(0, &[&one], START);
    assert_eq!(scene.ask(&old, false, START), Came::Passes);
    assert_eq!(scene.ask(&old, false, later(1)), Came::Passes);
    scene.fetched(0, &[&two], later(2));
    assert_eq!(scene.ask(&old, false, later(2)), UNKNOWN);
    // Another key with the same `kid` is another key.
    let namesake = key("one");
    scene.fetched(0, &[&namesake], later(3));
    let forged = Came::Refused(Reject::Token(TokenFault::Signature));
    assert_eq!(scene.ask(&old, false, later(3)), forged);
    // A key that is published again is accepted again, although its token was refused in between.
    scene.fetched(0, &[&one], later(4));
    assert_eq!(scene.ask(&old, false, later(4)), Came::Passes);
}

#[test]
fn j_14_keys_of_one_issuer_are_not_anothers() {
    let (mut scene, of_a, of_b) = (Scene::new(), key("same"), key("same"));
    scene.fetched(0, &[&of_a], START);
    scene.fetched(1, &[&of_b], START);
    assert_eq!(scene.ask(&token("a", &of_a), false, START), Came::Passes);
    let forged = Came::Refused(Reject::Token(TokenFault::Signature));
    assert_eq!(scene.ask(&token("a", &of_b), false, START), forged);
}

#[test]
fn keys_of_every_source_of_a_provider_verify() {
    let (mut scene, one, two) = (Scene::of_two_sources(), key("one"), key("two"));
    let (of_one, of_two) = (token("a", &one), token("a", &two));
    // The second source may have the key.
    scene.fetched(0, &[&one], START);
    assert_eq!(scene.ask(&of_one, false, START), Came::Passes);
    assert_eq!(scene.ask(&of_two, false, START), Came::Waits);
    assert_eq!(scene.ask(&of_two, true, START), UNAVAILABLE);
    scene.fetched(1, &[&two], START);
    assert_eq!(scene.ask(&of_one, false, START), Came::Passes);
    assert_eq!(scene.ask(&of_two, false, START), Came::Passes);
    // A remembered token is valid as long as one of the sources has its key.
    assert_eq!(scene.ask(&of_two, false, START), Came::Passes);
    scene.fetched(1, &[&one], later(1));
    assert_eq!(scene.ask(&of_two, false, later(1)), UNKNOWN);
    assert_eq!(scene.ask(&of_one, false, later(1)), Came::Passes);
}

#[test]
fn a_wrong_signature_is_final_only_when_the_keys_of_every_source_are_known() {
    let (mut scene, one, namesake) = (Scene::of_two_sources(), key("one"), key("one"));
    let of_namesake = token("a", &namesake);
    scene.fetched(0, &[&one], START);
    assert_eq!(scene.ask(&of_namesake, false, START), Came::Waits);
    scene.fetched(1, &[&one], START);
    let forged = Came::Refused(Reject::Token(TokenFault::Signature));
    assert_eq!(scene.ask(&of_namesake, false, START), forged);
    scene.fetched(1, &[&namesake], later(1));
    assert_eq!(scene.ask(&of_namesake, false, later(1)), Came::Passes);
}

/// A key that has the token's `kid` and another issuer is not the token's key, so newer keys may have it.
#[test]
fn a_key_of_another_issuer_is_an_unknown_key() {
    let (mut scene, key) = (Scene::of_tenants(), key("one"));
    let of = |issuer: &str| {
        let mut jwk = key.public_jwk();
        jwk["issuer"] = json!(issuer);
        jwk
    };
    let (one, two) = (token_of_tenant("1", &key), token_of_tenant("2", &key));
    scene.fetched_jwks(0, vec![of("https://a.example.com/1")], START);
    let after = later(COOL_DOWN.as_secs());
    assert_eq!(scene.ask(&one, false, START), Came::Passes);
    assert_eq!(scene.ask(&one, false, START), Came::Passes);
    assert_eq!(scene.ask(&two, false, START), UNKNOWN);
    assert_eq!(scene.ask(&two, false, after), Came::Waits);
    scene.fetched_jwks(0, vec![of("https://a.example.com/{tenant}")], after);
    assert_eq!(scene.ask(&two, true, after), Came::Passes);
    assert_eq!(scene.ask(&one, false, after), Came::Passes);
    // What was verified is not used after the key is restricted.
    scene.fetched_jwks(0, vec![of("https://a.example.com/2")], after);
    assert_eq!(scene.ask(&one, false, after), UNKNOWN);
    assert_eq!(scene.ask(&two, false, after), Came::Passes);
}
