//! When an evaluation reads the time, and what it decides if the time is not known.

use std::cell::Cell;

use countersign::authenticate::jose::signature::{Algorithm, Pure};
use countersign::config;
use countersign::evaluate::{Circumstances, Decision, Effects, Outcome, Verdict, evaluate};
use countersign::mint::SigningKey;
use countersign::plan::Plan;
use countersign::reject::{Invalid, Reject, TokenFault};
use countersign::request::RequestView;
use countersign::store::{Caller, Store};
use countersign::time::{Clock, Now, Timestamp};
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

thread_local! {
    static READ: Cell<u32> = const { Cell::new(0) };
}

fn read() -> Option<Timestamp> {
    READ.set(READ.get() + 1);
    Some(NOW)
}

fn read_in_vain() -> Option<Timestamp> {
    READ.set(READ.get() + 1);
    None
}

fn token(key: &SigningKey, expires_in: i64) -> String {
    let exp = NOW.millis() / 1000 + expires_in;
    let claims =
        json!({"iss": "https://login.example.com", "aud": "orders", "sub": "amy", "exp": exp});
    let header = json!({"alg": "ES256", "kid": key.kid()});
    let token = key.sign(Algorithm::Es256, &header, claims.to_string().as_bytes());
    format!("Bearer {}", token.unwrap())
}

fn document(key: &SigningKey) -> Value {
    json!({
        "providers": [
            {"name": "corp", "jwt": {
                "issuer": "https://login.example.com", "audiences": ["orders"],
                "jwks": {"inline": {"keys": [key.public_jwk()]}},
            }},
            {"name": "elsewhere", "jwt": {
                "issuer": "https://elsewhere.example.com", "audiences": ["orders"],
                "jwks": {"remote": {"uri": "https://elsewhere.example.com/jwks", "cluster": "elsewhere"}},
            }},
        ],
        "rules": [
            {"name": "open", "match": {"paths": ["/open"]}, "allow": "public"},
            {"name": "optional", "match": {"paths": ["/optional"]}, "allow": "optional"},
            {"name": "closed", "match": {"paths": ["/closed"]}, "respond": {"status": 410}},
            {"name": "orders", "match": {"paths": ["/orders"]}},
        ],
    })
}

/// Decides a request with a clock, and returns how often the clock was read until then.
fn decide<'p>(
    plan: &'p Plan,
    store: &mut Store,
    (path, authorization): (&str, Option<&str>),
    now: Now<'_>,
) -> (Decision<'p>, u32) {
    let mut fields: Vec<(&[u8], &[u8])> = vec![
        (b":method", b"GET"),
        (b":path", path.as_bytes()),
        (b":authority", b"api.example.com"),
    ];
    let authorization = authorization.map(str::as_bytes);
    fields.extend(authorization.map(|value| (&b"authorization"[..], value)));
    let request = RequestView::new(fields).from_client("192.0.2.1".parse().ok());
    READ.set(0);
    let circumstances = Circumstances::new(&Pure, now);
    match evaluate(plan, &request, store, circumstances, &mut ()) {
        Outcome::Decided(mut decision, effects) => {
            decision.commit(effects, store, (plan, &request), now);
            (decision, READ.get())
        }
        Outcome::Needs(..) => panic!("the keys are in the document"),
    }
}

/// What is requested, what is denied, and how often the time is read.
type Situation<'s> = ((&'s str, Option<&'s str>), Option<Reject>, u32);

fn situations<'s>(good: &'s str, expired: &'s str) -> Vec<Situation<'s>> {
    let expiry = Reject::Invalid(Invalid::Token(TokenFault::Expired));
    vec![
        (("/open", None), None, 0),
        // No credential is read.
        (("/open", Some(expired)), None, 0),
        (("/optional", None), None, 0),
        (("/orders", None), Some(Reject::NoCredential), 0),
        (("/closed", None), Some(Reject::Fixed), 0),
        // Never seen, seen once, cached.
        (("/orders", Some(good)), None, 1),
        (("/orders", Some(good)), None, 1),
        (("/orders", Some(good)), None, 1),
        (("/optional", Some(good)), None, 1),
        (("/orders", Some(expired)), Some(expiry), 1),
        (("/orders", Some(expired)), Some(expiry), 1),
    ]
}

#[test]
fn the_time_is_read_at_most_once_and_only_if_something_depends_on_it() {
    let key = SigningKey::generate(Algorithm::Es256).with_kid(Some("one"));
    let plan = config::load_value(&document(&key)).unwrap().plan;
    let (good, expired) = (token(&key, 600), token(&key, -600));
    let mut store = plan.empty_store();
    for (request, refusal, reads) in situations(&good, &expired) {
        let clock = Clock::new(read);
        let (decision, found) = decide(&plan, &mut store, request, Now::Of(&clock));
        assert_eq!((decision.refusal(), found), (refusal, reads), "{request:?}");
        // The same as with a known time.
        let (decision, _) = decide(&plan, &mut plan.empty_store(), request, NOW.into());
        assert_eq!(decision.refusal(), refusal, "{request:?}");
    }
}

#[test]
fn nothing_that_depends_on_a_time_that_is_not_known_passes() {
    let key = SigningKey::generate(Algorithm::Es256).with_kid(Some("one"));
    let (good, expired) = (token(&key, 600), token(&key, -600));
    for mode in ["enforce", "shadow"] {
        let mut document = document(&key);
        document["mode"] = json!(mode);
        let plan = config::load_value(&document).unwrap().plan;
        let mut store = plan.empty_store();
        // The token is cached.
        for _ in 0..3 {
            decide(&plan, &mut store, ("/orders", Some(&good)), NOW.into());
        }
        for (request, refusal, reads) in situations(&good, &expired) {
            let clock = Clock::new(read_in_vain);
            let (decision, found) = decide(&plan, &mut store, request, Now::Of(&clock));
            assert_eq!(found, reads, "{request:?}");
            let expected = match reads {
                0 => refusal,
                _ => Some(Reject::NoDocument),
            };
            assert_eq!(decision.refusal(), expected, "{mode}: {request:?}");
            let may_pass = expected.is_none() || (mode == "shadow" && reads == 0);
            assert_eq!(
                decision.passage().is_some(),
                may_pass,
                "{mode}: {request:?}"
            );
        }
        // What was denied for that is not remembered.
        let (decision, _) = decide(&plan, &mut store, ("/orders", Some(&good)), NOW.into());
        assert!(matches!(decision.verdict, Verdict::Passes(_)), "{mode}");
    }
}

#[test]
fn a_request_does_not_wait_for_keys_if_the_time_is_not_known() {
    let key = SigningKey::generate(Algorithm::Es256).with_kid(Some("one"));
    let plan = config::load_value(&document(&key)).unwrap().plan;
    let claims =
        json!({"iss": "https://elsewhere.example.com", "aud": "orders", "exp": 1_900_000_000});
    let token = key.sign(
        Algorithm::Es256,
        &json!({"alg": "ES256"}),
        claims.to_string().as_bytes(),
    );
    let authorization = format!("Bearer {}", token.unwrap());
    let fields: Vec<(&[u8], &[u8])> = vec![
        (b":method", b"GET"),
        (b":path", b"/orders"),
        (b":authority", b"api.example.com"),
        (b"authorization", authorization.as_bytes()),
    ];
    let (request, store) = (RequestView::new(fields), plan.empty_store());
    let outcome = |read| {
        let clock = Clock::new(read);
        evaluate(
            &plan,
            &request,
            &store,
            Circumstances::new(&Pure, &clock),
            &mut (),
        )
    };
    assert!(matches!(outcome(read), Outcome::Needs(..)));
    let Outcome::Decided(decision, _) = outcome(read_in_vain) else {
        panic!("it waits");
    };
    assert_eq!(decision.refusal(), Some(Reject::NoDocument));
}

/// The first to read the time can be a count of failures.
#[test]
fn a_decision_whose_effects_need_a_time_that_is_not_known_is_a_denial() {
    let key = SigningKey::generate(Algorithm::Es256).with_kid(Some("one"));
    let mut document = document(&key);
    document["throttle"] = json!({"failures": 9, "window": "1m", "block": "5m"});
    let plan = config::load_value(&document).unwrap().plan;
    let mut store = plan.empty_store();
    let (mut decision, reads) = decide(&plan, &mut store, ("/open", None), NOW.into());
    assert_eq!((decision.refusal(), reads), (None, 0));
    let address = "192.0.2.1".parse().unwrap();
    let caller = store
        .failures
        .as_ref()
        .unwrap()
        .id(Caller::Address(address));
    let effects = Effects {
        failures: vec![caller],
        ..Effects::default()
    };
    let clock = Clock::new(read_in_vain);
    let request = RequestView::new(Vec::new());
    decision.commit(effects, &mut store, (&plan, &request), &clock);
    assert_eq!(decision.refusal(), Some(Reject::NoDocument));
}
