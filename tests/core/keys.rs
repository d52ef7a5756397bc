//! How a request is decided while keys are fetched: the core and its store, at chosen times.

use std::time::Duration;

use countersign::authenticate::SourceId;
use countersign::authenticate::jose::jwk::{Source, parse_set};
use countersign::authenticate::jose::keys::KeySet;
use countersign::authenticate::jose::signature::{Algorithm, Pure};
use countersign::config;
use countersign::evaluate::{Circumstances, Fetch, Outcome, evaluate};
use countersign::keys::{COOL_DOWN, FetchEvent, Fetched, Loaded};
use countersign::mint::SigningKey;
use countersign::plan::Plan;
use countersign::reject::{Invalid, Reject, TokenFault, Unavailable};
use countersign::request::RequestView;
use countersign::store::Store;
use countersign::time::Timestamp;
use serde_json::{Value, json};

const START: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// The outcome of an evaluation.
#[derive(Debug, PartialEq)]
enum Came {
    Passes,
    /// For keys.
    Waits,
    /// For keys, because a signature fails.
    Doubts,
    Refused(Reject),
}

const UNKNOWN: Came = Came::Refused(Reject::Invalid(Invalid::Token(TokenFault::Key)));
const FORGED: Came = Came::Refused(Reject::Invalid(Invalid::Token(TokenFault::Signature)));
const NO_KEY: Came = Came::Refused(Reject::Invalid(Invalid::Token(TokenFault::Algorithm)));
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
        let remote = |name: &str| json!({"remote": {"uri": format!("https://{name}.example.com/jwks"), "cluster": name}});
        Self::with_jwks(&json!([remote("a"), remote("b")]), &json!({}))
    }

    /// The provider `a` with keys from there, and more members of the configuration.
    fn with_jwks(jwks: &Value, members: &Value) -> Self {
        let mut document = json!({"providers": [{"name": "a", "jwt": {
            "issuer": "https://a.example.com", "audiences": ["orders"], "jwks": jwks,
        }}]});
        for (name, value) in members.as_object().unwrap() {
            document[name] = value.clone();
        }
        let plan = config::load(document.to_string().as_bytes()).unwrap().plan;
        let store = plan.empty_store();
        Self { plan, store }
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
            .keys_fetched(SourceId(source), KeySet::new(set.keys, None), at);
    }

    /// A fetch ends that began after a signature had failed.
    fn fetched_in_doubt(&mut self, source: usize, keys: &[&SigningKey], at: Timestamp) {
        let keys: Vec<Value> = keys.iter().map(|key| key.public_jwk()).collect();
        let set = parse_set(&json!({ "keys": keys }), Source::Remote).unwrap();
        self.store.fetch_ended(FetchEvent {
            source: SourceId(source),
            at,
            fetched: Fetched::Ok(Loaded::Keys(KeySet::new(set.keys, None))),
            after_doubt: true,
            report: None,
        });
    }

    fn ask(&mut self, token: &str, settled: bool, now: Timestamp) -> Came {
        let authorization = format!("Bearer {token}");
        let request = RequestView::new(vec![
            (b":method", b"GET"),
            (b":path", b"/"),
            (b":authority", b"api.example.com"),
            (b"authorization", authorization.as_bytes()),
        ]);
        let sources = [Fetch::Keys(SourceId(0)), Fetch::Keys(SourceId(1))];
        let client = "192.0.2.1".parse().ok();
        let request = request.from_client(client);
        let settled = if settled { &sources[..] } else { &[] };
        let outcome = evaluate(
            &self.plan,
            &request,
            &self.store,
            Circumstances {
                settled,
                backend: &Pure,
                now: now.into(),
            },
            &mut (),
        );
        match outcome {
            Outcome::Needs(Fetch::KeysInDoubt(_), _) => Came::Doubts,
            Outcome::Needs(..) => Came::Waits,
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
    let algorithm = key.algorithm().unwrap();
    let mut header = json!({"alg": algorithm.name()});
    if let Some(kid) = key.kid() {
        header["kid"] = json!(kid);
    }
    key.sign(algorithm, &header, claims.to_string().as_bytes())
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
    scene.store.fetch_failed(SourceId(0), START);
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
    scene.store.fetch_failed(SourceId(0), after);
    assert_eq!(scene.ask(&new, true, after), UNAVAILABLE);
    assert_eq!(scene.ask(&new, false, after), UNAVAILABLE);
    assert_eq!(scene.ask(&token("a", &one), false, after), Came::Passes);
    // The refusal is not cached.
    scene.fetched(0, &[&one, &two], after);
    assert_eq!(scene.ask(&new, false, after), Came::Passes);
}

/// The fetch has not ended, or too many requests wait for it. The token's key could be there.
#[test]
fn an_unknown_key_is_not_to_blame_if_its_request_cannot_wait() {
    let (mut scene, one, two) = (Scene::new(), key("one"), key("two"));
    let new = token("a", &two);
    scene.fetched(0, &[&one], START);
    let after = later(COOL_DOWN.as_secs());
    assert_eq!(scene.ask(&new, true, after), UNAVAILABLE);
    let unnamed = two.clone().with_kid(None);
    assert_eq!(scene.ask(&token("a", &unnamed), true, after), UNAVAILABLE);
    scene.fetched(0, &[&one, &two], after);
    assert_eq!(scene.ask(&new, false, after), Came::Passes);
}

/// No key that is fetched could verify it, so no request waits for one, and nothing is fetched.
#[test]
fn a_token_of_an_algorithm_that_is_not_accepted_is_judged_without_keys() {
    let secret = SigningKey::generate(Algorithm::Hs256).with_kid(Some("secret"));
    let remote = fetched_source();
    let inline = json!({"inline": {"keys": [key("one").public_jwk()]}});
    for jwks in [remote.clone(), json!([inline, remote])] {
        for kid in [Some("secret"), Some("one"), None] {
            let mut scene = Scene::with_jwks(&jwks, &json!({}));
            let confused = token("a", &secret.clone().with_kid(kid));
            assert_eq!(scene.ask(&confused, false, START), NO_KEY, "{kid:?}");
            scene.store.fetch_failed(SourceId(0), START);
            assert_eq!(scene.ask(&confused, false, START), NO_KEY);
            scene.fetched(0, &[&key("one")], START);
            assert_eq!(scene.ask(&confused, false, later(60)), NO_KEY);
        }
    }
}

#[test]
fn a_token_of_an_algorithm_that_is_not_listed_is_judged_without_keys() {
    let of = |algorithm: Algorithm, kid| SigningKey::generate(algorithm).with_kid(Some(kid));
    let (listed, other) = (of(Algorithm::Es256, "one"), of(Algorithm::Es384, "two"));
    let document = json!({"providers": [{"name": "a", "jwt": {
        "issuer": "https://a.example.com", "audiences": ["orders"], "algorithms": ["ES256"], "jwks": fetched_source(),
    }}]});
    let plan = config::load_value(&document).unwrap().plan;
    let store = plan.empty_store();
    let mut scene = Scene { plan, store };
    assert_eq!(scene.ask(&token("a", &other), false, START), NO_KEY);
    assert_eq!(scene.ask(&token("a", &listed), false, START), Came::Waits);
    scene.fetched(0, &[&listed], START);
    assert_eq!(scene.ask(&token("a", &other), false, later(60)), NO_KEY);
    assert_eq!(scene.ask(&token("a", &listed), false, START), Came::Passes);
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
    assert_eq!(scene.ask(&old, false, later(3)), FORGED);
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
    assert_eq!(scene.ask(&token("a", &of_b), false, START), FORGED);
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

/// The token names a key that is held, so it is at fault whatever becomes of the other source.
#[test]
fn a_wrong_signature_waits_for_the_first_keys_of_every_source_and_is_then_final() {
    let (mut scene, one, namesake) = (Scene::of_two_sources(), key("one"), key("one"));
    let of_namesake = token("a", &namesake);
    scene.fetched(0, &[&one], START);
    assert_eq!(scene.ask(&of_namesake, false, START), Came::Waits);
    assert_eq!(scene.ask(&of_namesake, true, START), FORGED);
    scene.store.fetch_failed(SourceId(1), START);
    assert_eq!(scene.ask(&of_namesake, false, START), FORGED);
    scene.fetched(1, &[&one], START);
    assert_eq!(scene.ask(&of_namesake, false, START), FORGED);
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

#[test]
fn while_a_source_was_never_fetched_a_token_that_names_no_held_key_is_503() {
    let (mut scene, one) = (Scene::of_two_sources(), key("one"));
    scene.fetched(0, &[&one], START);
    scene.store.fetch_failed(SourceId(1), START);
    let of = |signer: &SigningKey| token("a", signer);
    assert_eq!(scene.ask(&of(&key("two")), false, START), UNAVAILABLE);
    let unnamed = SigningKey::generate(Algorithm::Es256).with_kid(None);
    assert_eq!(scene.ask(&of(&unnamed), false, START), UNAVAILABLE);
    assert_eq!(scene.ask(&of(&key("one")), false, START), FORGED);
    assert_eq!(scene.ask(&of(&one), false, START), Came::Passes);
    // The inline keys of a list are no excuse for the other source.
    let inline = json!({"inline": {"keys": [one.public_jwk()]}});
    let remote = json!({"remote": {"uri": "https://b.example.com/jwks", "cluster": "b"}});
    let mut scene = Scene::with_jwks(&json!([inline, remote]), &json!({}));
    assert_eq!(scene.ask(&of(&one), false, START), Came::Passes);
    assert_eq!(scene.ask(&of(&key("two")), false, START), Came::Waits);
    scene.store.fetch_failed(SourceId(0), START);
    assert_eq!(scene.ask(&of(&key("two")), false, START), UNAVAILABLE);
    assert_eq!(scene.ask(&of(&key("one")), false, START), FORGED);
}

#[test]
fn a_replaced_key_that_kept_its_kid_is_fetched_once_in_a_cool_down() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Es384] {
        let key = || SigningKey::generate(algorithm).with_kid(Some("default"));
        for kid in [Some("default"), None] {
            let (mut scene, old, new) = (Scene::new(), key().with_kid(kid), key().with_kid(kid));
            let of_new = token("a", &new);
            scene.fetched(0, &[&old], START);
            let last = later(COOL_DOWN.as_secs() - 1);
            assert_eq!(scene.ask(&of_new, false, last), FORGED);
            // The refusal is not cached until after the next fetch is possible.
            let after = later(COOL_DOWN.as_secs());
            assert_eq!(scene.ask(&of_new, false, after), Came::Doubts);
            scene.fetched_in_doubt(0, &[&new], after);
            assert_eq!(scene.ask(&of_new, true, after), Came::Passes);
            // The token of the old key is now the one that no key verifies.
            let of_old = token("a", &old);
            assert_eq!(scene.ask(&of_old, false, after), FORGED);
            assert_eq!(scene.ask(&of_old, false, later(59)), FORGED);
            assert_eq!(scene.ask(&of_old, false, later(60)), Came::Doubts);
        }
    }
}

/// The old key cannot be used with the algorithm of the new tokens, so that no signature was tried.
#[test]
fn a_replaced_key_of_another_type_is_fetched_too() {
    for kid in [Some("default"), None] {
        let old = SigningKey::generate(Algorithm::EdDsa).with_kid(kid);
        let new = SigningKey::generate(Algorithm::Es256).with_kid(kid);
        let mut scene = Scene::new();
        let of_new = token("a", &new);
        scene.fetched(0, &[&old], START);
        assert_eq!(scene.ask(&of_new, false, later(29)), NO_KEY);
        assert_eq!(scene.ask(&of_new, false, later(30)), Came::Waits);
        scene.fetched(0, &[&new], later(30));
        assert_eq!(scene.ask(&of_new, true, later(30)), Came::Passes);
    }
}

#[test]
fn a_wrong_signature_under_a_named_key_is_401_when_the_fetch_fails() {
    let (mut scene, one) = (Scene::new(), key("one"));
    let forged = token("a", &key("one"));
    scene.fetched(0, &[&one], START);
    assert_eq!(scene.ask(&forged, false, later(30)), Came::Doubts);
    scene.store.fetch_failed(SourceId(0), later(31));
    assert_eq!(scene.ask(&forged, true, later(31)), FORGED);
    assert_eq!(scene.ask(&forged, false, later(32)), FORGED);
    assert_eq!(scene.ask(&forged, false, later(61)), Came::Doubts);
    // The fetch has not ended, and the request cannot wait.
    assert_eq!(scene.ask(&forged, true, later(61)), FORGED);
    assert_eq!(scene.ask(&forged, false, later(61)), Came::Doubts);
}

#[test]
fn keys_that_cannot_be_what_a_wrong_signature_means_are_not_fetched() {
    let (one, two) = (key("one"), key("two"));
    let inline = json!({"inline": {"keys": [one.public_jwk()]}});
    let remote = json!({"remote": {"uri": "https://b.example.com/jwks", "cluster": "b"}});
    let mut scene = Scene::with_jwks(&json!([inline, remote]), &json!({}));
    scene.fetched(0, &[&two], START);
    // It fails under a key of the configuration.
    assert_eq!(
        scene.ask(&token("a", &key("one")), false, later(60)),
        FORGED
    );
    // It fails under a key of the source.
    assert_eq!(
        scene.ask(&token("a", &key("two")), false, later(60)),
        Came::Doubts
    );
    let mut scene = Scene::with_jwks(&inline, &json!({}));
    let forged = token("a", &key("one"));
    assert_eq!(scene.ask(&forged, false, later(60)), FORGED);
}

#[test]
fn in_shadow_mode_a_wrong_signature_waits_for_nothing() {
    let one = key("one");
    let remote = json!({"remote": {"uri": "https://b.example.com/jwks", "cluster": "b"}});
    let mut scene = Scene::with_jwks(&remote, &json!({"mode": "shadow"}));
    scene.fetched(0, &[&one], START);
    assert_eq!(
        scene.ask(&token("a", &key("one")), false, later(60)),
        FORGED
    );
    assert_eq!(
        scene.ask(&token("a", &key("two")), false, later(60)),
        UNAVAILABLE
    );
}

/// A configuration that blocks an address after three failures.
fn throttled(jwks: &Value) -> Scene {
    let throttle = json!({"failures": 3, "window": "1h", "block": "1h"});
    Scene::with_jwks(jwks, &json!({ "throttle": throttle }))
}

fn fetched_source() -> Value {
    json!({"remote": {"uri": "https://a.example.com/jwks", "cluster": "a"}})
}

impl Scene {
    /// How many of ten requests with this token are answered before the address is blocked.
    fn answered(&mut self, token: &str, now: Timestamp) -> usize {
        let is_answered = |_: &usize| {
            let came = self.ask(token, true, now);
            !matches!(came, Came::Refused(Reject::TooManyFailures { .. }))
        };
        (0..10).take_while(is_answered).count()
    }
}

#[test]
fn wrong_signatures_under_a_fetched_key_count_after_a_fetch_that_returned_the_key() {
    let (one, forger) = (key("one"), key("one"));
    let forged = token("a", &forger);
    let mut scene = throttled(&fetched_source());
    scene.fetched(0, &[&one], START);
    assert_eq!(scene.answered(&forged, later(1)), 10);
    // A fetch for another reason says nothing, and neither does one that failed.
    scene.fetched(0, &[&one], later(2));
    assert_eq!(scene.answered(&forged, later(3)), 10);
    scene.store.fetch_failed(SourceId(0), later(32));
    assert_eq!(scene.answered(&forged, later(33)), 10);
    // This one began after a signature had failed.
    scene.fetched_in_doubt(0, &[&one], later(62));
    assert_eq!(scene.answered(&forged, later(63)), 3);
    assert_eq!(
        scene.answered(&token("a", &one), later(63)),
        0,
        "429 for all"
    );
}

#[test]
fn what_a_fetch_confirmed_is_known_for_one_cool_down() {
    let (one, forger) = (key("one"), key("one"));
    let mut scene = throttled(&fetched_source());
    scene.fetched(0, &[&one], START);
    scene.fetched_in_doubt(0, &[&one], later(10));
    // A refresh does not prolong it, nor does the cache.
    scene.fetched(0, &[&one], later(39));
    let forged = token("a", &forger);
    assert_eq!(scene.ask(&forged, false, later(39)), FORGED);
    assert_eq!(scene.answered(&forged, later(40)), 10);
    assert_eq!(scene.answered(&token("a", &forger), later(41)), 10);
}

#[test]
fn good_tokens_of_a_replaced_key_are_no_guesses() {
    let (old, new) = (key("default"), key("default"));
    let (of_old, of_new) = (token("a", &old), token("a", &new));
    let mut scene = throttled(&fetched_source());
    scene.fetched(0, &[&old], START);
    assert_eq!(scene.answered(&of_new, later(1)), 10);
    scene.fetched_in_doubt(0, &[&new], later(30));
    assert_eq!(scene.ask(&of_new, true, later(30)), Came::Passes);
    assert_eq!(scene.answered(&of_old, later(31)), 10);
    // The fetch that confirms the new key does not turn the holders of old tokens into guessers.
    scene.fetched_in_doubt(0, &[&new], later(60));
    assert_eq!(scene.answered(&of_old, later(61)), 10);
    assert_eq!(scene.answered(&token("a", &key("default")), later(61)), 3);
}

#[test]
fn what_could_never_have_passed_is_no_guess() {
    let one = key("one");
    let signed = |signer: &SigningKey, claims: Value| {
        let header = json!({"alg": "ES256", "kid": signer.kid()});
        let claims = claims.to_string();
        signer
            .sign(Algorithm::Es256, &header, claims.as_bytes())
            .unwrap()
    };
    let inline = json!({"inline": {"keys": [one.public_jwk()]}});
    let exp = START.millis() / 1000 + 3600;
    for (claims, answered) in [
        (json!({"aud": "orders"}), 3),
        (json!({"aud": ["graph", "orders"]}), 3),
        (json!({"aud": "graph"}), 10),
        (json!({"aud": ["graph"]}), 10),
        (json!({"aud": []}), 10),
        (json!({"aud": 7}), 10),
        (json!({"aud": ["orders", 7]}), 10),
        (json!({}), 10),
        (
            json!({"iss": "https://graph.example.com", "aud": "orders"}),
            10,
        ),
    ] {
        let mut all = json!({"iss": "https://a.example.com", "sub": "amy", "exp": exp});
        for (name, value) in claims.as_object().unwrap() {
            all[name] = value.clone();
        }
        let forged = signed(&key("one"), all);
        let mut scene = throttled(&inline);
        assert_eq!(scene.answered(&forged, START), answered, "{claims}");
        let mut scene = throttled(&fetched_source());
        scene.fetched(0, &[&one], START);
        scene.fetched_in_doubt(0, &[&one], START);
        assert_eq!(scene.answered(&forged, START), answered, "{claims}");
    }
}

/// A key that is not confirmed could be the one that was replaced.
#[test]
fn a_token_that_several_keys_could_have_signed_counts_when_all_are_confirmed() {
    let unnamed = || SigningKey::generate(Algorithm::Es256).with_kid(None);
    let (one, two) = (unnamed(), unnamed());
    let other = json!({"remote": {"uri": "https://b.example.com/jwks", "cluster": "b"}});
    let mut scene = throttled(&json!([fetched_source(), other]));
    let forged = token("a", &unnamed());
    scene.fetched(0, &[&one], START);
    scene.fetched(1, &[&two], START);
    scene.fetched_in_doubt(0, &[&one], later(30));
    assert_eq!(scene.answered(&forged, later(31)), 10);
    scene.fetched_in_doubt(1, &[&two], later(31));
    assert_eq!(scene.answered(&forged, later(32)), 3);
    // Or under keys of the configuration as well.
    let inline = json!({"inline": {"keys": [one.public_jwk()]}});
    let mut scene = throttled(&json!([inline, fetched_source()]));
    scene.fetched(0, &[&two], START);
    assert_eq!(scene.answered(&forged, START), 10);
    let mut scene = throttled(&json!([inline, fetched_source()]));
    assert_eq!(scene.answered(&token("a", &key("one")), START), 10, "503");
}

/// Two identity providers may both have a key `default`.
#[test]
fn a_token_is_no_guess_while_a_source_was_never_fetched() {
    let (one, namesake) = (key("default"), token("a", &key("default")));
    let inline = json!({"inline": {"keys": [one.public_jwk()]}});
    let mut scene = throttled(&json!([inline, fetched_source()]));
    assert_eq!(scene.answered(&namesake, START), 10);
    scene.store.fetch_failed(SourceId(0), START);
    assert_eq!(scene.answered(&namesake, later(1)), 10);
    scene.fetched(0, &[&key("two")], later(2));
    assert_eq!(scene.answered(&namesake, later(2)), 3);
}

/// Nobody publishes a secret, so a fetch tells nothing of a token that a secret would verify.
#[test]
fn a_wrong_mac_concerns_the_secrets_of_the_configuration_only() {
    let secret = SigningKey::generate(Algorithm::Hs256).with_kid(Some("secret"));
    let forger = SigningKey::generate(Algorithm::Hs256);
    let document = json!({"throttle": {"failures": 3, "window": "1h", "block": "1h"}, "providers": [{"name": "a", "jwt": {
        "issuer": "https://a.example.com", "audiences": ["orders"], "algorithms": ["HS256", "ES256"],
        "jwks": [{"inline": {"keys": [secret.private_jwk()]}}, fetched_source()],
    }}]});
    for kid in [Some("secret"), Some("other"), None] {
        let plan = config::load_value(&document).unwrap().plan;
        let store = plan.empty_store();
        let mut scene = Scene { plan, store };
        let forged = token("a", &forger.clone().with_kid(kid));
        let fault = if kid == Some("other") {
            UNKNOWN
        } else {
            FORGED
        };
        assert_eq!(scene.ask(&forged, false, START), fault, "{kid:?}");
        scene.store.fetch_failed(SourceId(0), START);
        assert_eq!(scene.ask(&forged, false, START), fault);
        scene.fetched(0, &[&key("one")], START);
        assert_eq!(scene.ask(&forged, false, later(60)), fault);
        let counted = if fault == FORGED { 0 } else { 10 };
        assert_eq!(scene.answered(&forged, later(60)), counted);
    }
}

/// Keys without a `kid` are tried for every token. That they fail says nothing of the key that the token names.
#[test]
fn a_token_whose_kid_is_unknown_is_no_guess_while_a_source_can_have_its_key() {
    let unnamed = SigningKey::generate(Algorithm::Es256).with_kid(None);
    let inline = json!({"inline": {"keys": [unnamed.public_jwk()]}});
    let (one, new) = (key("one"), token("a", &key("new")));
    let mut scene = throttled(&json!([inline, fetched_source()]));
    scene.fetched(0, &[&one], START);
    assert_eq!(scene.answered(&new, later(1)), 10);
    scene.fetched_in_doubt(0, &[&one], later(30));
    assert_eq!(scene.answered(&new, later(31)), 10);
    // No source can have it.
    let mut scene = throttled(&inline);
    assert_eq!(scene.answered(&new, START), 3);
}
