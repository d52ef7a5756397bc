//! How a request with an opaque token is decided while the authorization server is asked: the core and its store, at chosen
//! times.

use std::time::Duration;

use countersign::authenticate::introspection::Answer;
use countersign::authenticate::jose::signature::Pure;
use countersign::config;
use countersign::evaluate::{Asked, Circumstances, Fetch, Outcome, evaluate};
use countersign::introspector::Introspector;
use countersign::plan::Plan;
use countersign::ports::{Call, CallId, NotSent, Outbound, Response};
use countersign::reject::{Invalid, Reject, TokenFault, Unavailable};
use countersign::request::RequestView;
use countersign::store::Store;
use countersign::time::Timestamp;
use serde_json::{Value, json};

const START: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn at(seconds: u64) -> Timestamp {
    START.plus(Duration::from_secs(seconds))
}

/// The outcome of an evaluation.
#[derive(Debug, PartialEq)]
enum Came {
    Passes,
    /// For the answer about a token.
    Waits,
    Refused(Reject),
}

const INACTIVE: Came = Came::Refused(Reject::Invalid(Invalid::Token(TokenFault::Inactive)));
const AUDIENCE: Came = Came::Refused(Reject::Invalid(Invalid::Token(TokenFault::Audience)));
const EXPIRED: Came = Came::Refused(Reject::Invalid(Invalid::Token(TokenFault::Expired)));
const UNAVAILABLE: Came = Came::Refused(Reject::Unavailable(Unavailable::Introspection));

fn provider(name: &str, members: Value) -> Value {
    let mut introspection = json!({
        "uri": "https://login.example.com/introspect", "cluster": "login", "client_id": "gate", "client_secret": "xyzzy",
    });
    for (name, value) in members.as_object().unwrap() {
        introspection[name] = value.clone();
    }
    json!({"name": name, "introspection": introspection})
}

struct Worker {
    plan: Plan,
    store: Store,
    introspector: Introspector,
}

/// Accepts every call.
struct Server;

const CALL: CallId = CallId(1);

impl Outbound for Server {
    fn send(&mut self, _: &Call<'_>) -> Result<CallId, NotSent> {
        Ok(CALL)
    }
}

impl Worker {
    /// One provider with more members.
    fn new(members: Value) -> Self {
        Self::of(&json!({"providers": [provider("legacy", members)]}))
    }

    fn of(document: &Value) -> Self {
        let plan = config::load(document.to_string().as_bytes()).unwrap().plan;
        Self {
            store: plan.empty_store(),
            introspector: Introspector::new(&plan.policy.as_ref().unwrap().servers),
            plan,
        }
    }

    /// Evaluates a request with this token that has waited for these questions.
    fn evaluate(
        &mut self,
        token: &str,
        settled: &[Fetch],
        now: Timestamp,
    ) -> (Came, Option<Fetch>) {
        let authorization = format!("Bearer {token}");
        let pairs = [
            (":method", "GET"),
            (":path", "/"),
            (":authority", "api"),
            ("authorization", &authorization),
        ];
        let pairs = pairs.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let request = RequestView::new(pairs.to_vec());
        let circumstances = Circumstances {
            settled,
            backend: &Pure,
            now: now.into(),
        };
        match evaluate(&self.plan, &request, &self.store, circumstances, &mut ()) {
            Outcome::Needs(fetch, _) => (Came::Waits, Some(fetch)),
            Outcome::Decided(mut decision, mut effects) => {
                let wanted = effects.wanted.take();
                let asked = (&self.plan, &request);
                decision.commit(effects, &mut self.store, asked, now);
                match decision.refusal() {
                    Some(reject) => (Came::Refused(reject), wanted),
                    None => (Came::Passes, wanted),
                }
            }
        }
    }

    /// Evaluates a request that has not waited.
    fn ask(&mut self, token: &str, now: Timestamp) -> Came {
        self.evaluate(token, &[], now).0
    }

    /// A response of the server about a token.
    fn answered(&mut self, fetch: &Fetch, answer: &Value, now: Timestamp) {
        let Fetch::Introspection(Asked {
            provider,
            id,
            token,
            ..
        }) = fetch
        else {
            panic!("{fetch:?}");
        };
        assert!(
            self.introspector
                .ask(*provider, *id, token, &mut Server)
                .is_none()
        );
        let response = Response {
            status: 200,
            headers: Vec::new(),
            body: answer.to_string().into_bytes(),
        };
        let event = self
            .introspector
            .respond(CALL, Some(&response), now)
            .unwrap();
        let (answer, until) = event.result.unwrap();
        self.store.introspections.keep(event.id, answer, now, until);
    }

    /// A request that waits, and is answered at once.
    fn resolve(&mut self, token: &str, answer: &Value, now: Timestamp) -> Came {
        let (came, fetch) = self.evaluate(token, &[], now);
        assert_eq!(came, Came::Waits);
        let fetch = fetch.unwrap();
        self.answered(&fetch, answer, now);
        self.evaluate(token, &[fetch], now).0
    }
}

fn active() -> Value {
    json!({"active": true, "sub": "amy"})
}

#[test]
fn a_request_waits_for_the_answer() {
    let mut worker = Worker::new(json!({}));
    let (came, fetch) = worker.evaluate("one", &[], at(0));
    assert_eq!(came, Came::Waits);
    let fetch = fetch.unwrap();
    assert_eq!(format!("{fetch:?}"), "Introspection(Asked(ProviderId(0)))");
    // Another token is another question.
    let (_, other) = worker.evaluate("two", &[], at(0));
    assert_ne!(other, Some(fetch.clone()));
    worker.answered(&fetch, &active(), at(1));
    assert_eq!(
        worker
            .evaluate("one", std::slice::from_ref(&fetch), at(1))
            .0,
        Came::Passes
    );
    assert_eq!(worker.evaluate("two", &[fetch], at(1)).0, Came::Waits);
}

#[test]
fn i_05_a_request_that_has_waited_in_vain_is_unavailable() {
    let mut worker = Worker::new(json!({}));
    let (_, fetch) = worker.evaluate("one", &[], at(0));
    assert_eq!(
        worker.evaluate("one", &[fetch.unwrap()], at(2)).0,
        UNAVAILABLE
    );
    // The next request asks again.
    assert_eq!(worker.ask("one", at(2)), Came::Waits);
}

#[test]
fn i_07_an_answer_is_used_for_the_configured_time() {
    let mut worker = Worker::new(json!({"cache": "20s"}));
    assert_eq!(worker.resolve("one", &active(), at(0)), Came::Passes);
    // Also by the cache of verified tokens.
    for seconds in [0, 1, 10, 19] {
        assert_eq!(worker.ask("one", at(seconds)), Came::Passes);
    }
    assert_eq!(worker.ask("one", at(20)), Came::Waits);
    // The token was revoked meanwhile.
    let inactive = json!({"active": false});
    assert_eq!(worker.resolve("one", &inactive, at(20)), INACTIVE);
    for seconds in [21, 29] {
        assert_eq!(worker.ask("one", at(seconds)), INACTIVE);
    }
    assert_eq!(worker.resolve("one", &active(), at(30)), Came::Passes);
}

#[test]
fn i_07_an_answer_is_never_used_after_exp() {
    let mut worker = Worker::new(json!({"cache": "1h"}));
    let until = |seconds: u64| json!({"active": true, "exp": at(seconds).millis() / 1000});
    assert_eq!(worker.resolve("one", &until(15), at(0)), Came::Passes);
    for seconds in [1, 14] {
        assert_eq!(worker.ask("one", at(seconds)), Came::Passes);
    }
    // The clocks may differ: the server decides.
    assert_eq!(worker.resolve("one", &until(15), at(15)), Came::Passes);
    assert_eq!(worker.resolve("one", &until(15), at(74)), Came::Passes);
    assert_eq!(worker.resolve("one", &until(15), at(75)), EXPIRED);
}

#[test]
fn i_07_without_a_cache_each_request_waits() {
    let mut worker = Worker::new(json!({"cache": "0s"}));
    for seconds in [0, 0, 1] {
        assert_eq!(worker.resolve("one", &active(), at(seconds)), Came::Passes);
    }
    let inactive = json!({"active": false});
    assert_eq!(worker.resolve("one", &inactive, at(1)), INACTIVE);
    assert_eq!(worker.ask("one", at(1)), Came::Waits);
}

#[test]
fn an_old_answer_is_not_used_if_the_server_does_not_answer_again() {
    for members in [json!({}), json!({"cache": "0s"})] {
        let mut worker = Worker::new(members);
        assert_eq!(worker.resolve("one", &active(), at(0)), Came::Passes);
        let (came, fetch) = worker.evaluate("one", &[], at(31));
        assert_eq!(came, Came::Waits);
        // No answer came, or the request could not wait.
        assert_eq!(
            worker.evaluate("one", &[fetch.unwrap()], at(31)).0,
            UNAVAILABLE
        );
    }
}

#[test]
fn a_refusal_is_not_known_for_longer_than_the_answer() {
    let mut worker = Worker::new(json!({"cache": "5s", "audiences": ["orders"]}));
    let of = |audience: &str| json!({"active": true, "aud": audience});
    assert_eq!(worker.resolve("one", &of("billing"), at(0)), AUDIENCE);
    assert_eq!(worker.ask("one", at(4)), AUDIENCE);
    assert_eq!(worker.resolve("one", &of("orders"), at(5)), Came::Passes);
}

#[test]
fn an_answer_is_of_one_provider() {
    let document = json!({
        "providers": [provider("a", json!({})), provider("b", json!({"from": [{"header": "x-b"}]}))],
    });
    let mut worker = Worker::of(&document);
    assert_eq!(worker.resolve("one", &active(), at(0)), Came::Passes);
    let request = RequestView::new(vec![
        (b":method", b"GET"),
        (b":path", b"/"),
        (b":authority", b"api"),
        (b"x-b", b"one"),
    ]);
    let circumstances = Circumstances::new(&Pure, at(0));
    let outcome = evaluate(
        &worker.plan,
        &request,
        &worker.store,
        circumstances,
        &mut (),
    );
    assert!(matches!(
        outcome,
        Outcome::Needs(Fetch::Introspection(_), _)
    ));
}

#[test]
fn in_shadow_mode_no_request_waits_and_the_server_is_asked() {
    let mut worker = Worker::of(&json!({
        "mode": "shadow", "providers": [provider("legacy", json!({}))],
    }));
    let (came, wanted) = worker.evaluate("one", &[], at(0));
    assert_eq!(came, UNAVAILABLE);
    worker.answered(&wanted.unwrap(), &active(), at(1));
    assert_eq!(worker.evaluate("one", &[], at(1)), (Came::Passes, None));
}

#[test]
fn two_providers_that_introspect_the_same_tokens_are_a_fault() {
    let document = json!({"providers": [provider("a", json!({})), provider("b", json!({}))]});
    let faults = config::load(document.to_string().as_bytes()).unwrap_err();
    let faults = faults
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ");
    assert!(faults.contains("`a`"), "{faults}");
}

#[test]
fn nothing_printed_shows_a_token_or_a_person() {
    let mut worker = Worker::new(json!({}));
    let (_, fetch) = worker.evaluate("xyzzy-token", &[], at(0));
    assert!(!format!("{fetch:?}").contains("xyzzy"));
    let (answer, _) = Answer::read(br#"{"active":true,"sub":"xyzzy"}"#).unwrap();
    assert!(!format!("{answer:?}").contains("xyzzy"));
}
