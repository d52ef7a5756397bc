//! API keys at times that the tests choose, what counts as a guess, and what is wrong with their configuration.

use std::fmt::Write as _;

use countersign::authenticate::jose::signature::Pure;
use countersign::config;
use countersign::evaluate::{Circumstances, Fetch, Outcome, evaluate};
use countersign::keys::{Content, FetchEvent, Fetched};
use countersign::kinds;
use countersign::plan::Plan;
use countersign::reject::{Invalid, KeyFault, Reject, Unavailable};
use countersign::request::RequestView;
use countersign::store::Store;
use countersign::time::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::document::{hold, jwt, merged};

const KEY: &str = "sk-acme-0123456789abcdef";
const EXPIRES: &str = "2027-01-01T00:00:00Z";

fn at(millis: i64) -> Timestamp {
    let expires = Timestamp::parse(EXPIRES).unwrap();
    Timestamp::from_millis(expires.millis() + millis)
}

fn hex(key: &str) -> String {
    let mut text = String::new();
    for octet in Sha256::digest(key) {
        write!(text, "{octet:02x}").unwrap();
    }
    text
}

fn acme() -> Value {
    json!({ "id": "acme", "sha256": hex(KEY) })
}

/// A provider of API keys with this list of keys.
fn provider(name: &str, keys: Value) -> Value {
    json!({ "name": name, "api_key": { "keys": keys } })
}

/// A worker.
struct Worker {
    plan: Plan,
    store: Store,
}

impl Worker {
    fn new(document: &Value) -> Self {
        let plan = config::load_value(document).unwrap().plan;
        Self {
            store: plan.empty_store(),
            plan,
        }
    }

    fn ask(&mut self, key: &str, now: Timestamp) -> Option<Reject> {
        self.try_ask(key, &[], now).unwrap()
    }

    /// Why the request is denied, or what it waits for.
    fn try_ask(
        &mut self,
        key: &str,
        settled: &[Fetch],
        now: Timestamp,
    ) -> Result<Option<Reject>, Fetch> {
        let fields: Vec<(&[u8], &[u8])> = vec![
            (b":method", b"GET"),
            (b":path", b"/"),
            (b":authority", b"api"),
            (b"x-api-key", key.as_bytes()),
        ];
        let request = RequestView::new(fields).from_client("192.0.2.1".parse().ok());
        let circumstances = Circumstances {
            settled,
            backend: &Pure,
            now: now.into(),
        };
        match evaluate(&self.plan, &request, &self.store, circumstances, &mut ()) {
            Outcome::Needs(fetch, _) => Err(fetch),
            Outcome::Decided(mut decision, effects) => {
                let asked = (&self.plan, &request);
                decision.commit(effects, &mut self.store, asked, now);
                Ok(decision.refusal())
            }
        }
    }

    /// A fetch of the only list ends.
    fn fetch(&mut self, body: Option<&Value>, now: Timestamp) {
        let read = |body: &Value| {
            Content::ApiKeys(kinds::ApiKey::BUILT.unwrap())
                .read(body.to_string().as_bytes())
                .unwrap()
                .0
        };
        self.store.fetch_ended(FetchEvent {
            source: source(),
            at: now,
            fetched: body.map_or(Fetched::Err, |body| Fetched::Ok(read(body))),
            after_doubt: false,
            report: None,
        });
    }
}

fn source() -> countersign::authenticate::SourceId {
    countersign::authenticate::SourceId(0)
}

fn refused(fault: KeyFault) -> Option<Reject> {
    Some(Reject::Invalid(Invalid::Key(fault)))
}

const UNAVAILABLE: Option<Reject> = Some(Reject::Unavailable(Unavailable::Entries));

#[test]
fn a_key_is_not_accepted_from_the_moment_at_which_it_expires() {
    let entry = merged(acme(), json!({ "expires": EXPIRES }));
    let mut worker = Worker::new(&json!({ "providers": [provider("partners", json!([entry]))] }));
    assert_eq!(worker.ask(KEY, at(-1)), None);
    for millis in [0, 1, 1_000] {
        assert_eq!(worker.ask(KEY, at(millis)), refused(KeyFault::Expired));
    }
    // It was accepted before, and nothing is remembered of that.
    assert_eq!(worker.ask(KEY, at(-1)), None);
}

#[test]
fn only_an_unknown_key_is_a_guess() {
    let entry = merged(acme(), json!({ "expires": EXPIRES }));
    let document = json!({
        "throttle": { "failures": 2, "window": "1m", "block": "5m", "by": ["address", "user"] },
        "providers": [provider("partners", json!([entry]))],
    });
    let mut worker = Worker::new(&document);
    for _ in 0..5 {
        assert_eq!(worker.ask(KEY, at(0)), refused(KeyFault::Expired));
        assert_eq!(worker.ask("a b", at(0)), refused(KeyFault::Malformed));
        assert_eq!(worker.ask("", at(0)), Some(Reject::NoCredential));
    }
    for _ in 0..2 {
        assert_eq!(worker.ask("sk-guess", at(0)), refused(KeyFault::Unknown));
    }
    for key in [KEY, "sk-guess", "a b", ""] {
        let blocked = worker.ask(key, at(0));
        assert!(
            matches!(blocked, Some(Reject::TooManyFailures { .. })),
            "{key}: {blocked:?}"
        );
    }
}

#[test]
fn a_key_names_no_user_that_could_be_blocked() {
    let document = json!({
        "throttle": { "failures": 1, "window": "1m", "block": "5m", "by": ["user"] },
        "providers": [provider("partners", json!([acme()]))],
    });
    let mut worker = Worker::new(&document);
    for key in ["sk-guess", "acme", "sk-guess"] {
        assert_eq!(worker.ask(key, at(0)), refused(KeyFault::Unknown));
    }
    assert_eq!(worker.ask(KEY, at(0)), None);
}

#[test]
fn a_list_that_is_not_at_hand_is_no_guess_and_no_answer_about_a_key() {
    let remote = json!({ "remote": { "uri": "https://keys", "cluster": "keys", "refresh": "10s", "max_stale": "1m" } });
    let document = json!({
        "throttle": { "failures": 1, "window": "1m", "block": "5m" },
        "providers": [provider("partners", remote)],
    });
    let list = json!({ "keys": [acme()] });
    let mut worker = Worker::new(&document);
    let fetch = Fetch::Entries(source());
    // The first request waits for the first fetch, once.
    assert_eq!(worker.try_ask(KEY, &[], at(0)), Err(fetch.clone()));
    let settled = [fetch];
    assert_eq!(worker.try_ask(KEY, &settled, at(0)), Ok(UNAVAILABLE));
    worker.fetch(None, at(0));
    for key in [KEY, "sk-guess"] {
        assert_eq!(worker.ask(key, at(0)), UNAVAILABLE);
    }
    // What is wrong without a list is wrong now.
    assert_eq!(worker.ask("a b", at(0)), refused(KeyFault::Malformed));
    assert_eq!(worker.ask("", at(0)), Some(Reject::NoCredential));
    worker.fetch(Some(&list), at(0));
    assert_eq!(worker.ask(KEY, at(60_000)), None);
    worker.fetch(None, at(60_000));
    assert_eq!(worker.ask(KEY, at(60_000)), None);
    for key in [KEY, "sk-guess"] {
        assert_eq!(worker.ask(key, at(60_001)), UNAVAILABLE);
    }
    worker.fetch(Some(&json!({ "keys": [] })), at(60_001));
    assert_eq!(worker.ask(KEY, at(60_001)), refused(KeyFault::Unknown));
}

#[test]
fn locations_of_credentials_of_another_kind() {
    let keys =
        |from: Value| json!({ "name": "partners", "api_key": { "keys": [acme()], "from": from } });
    let tokens =
        |from: Value| json!({ "name": "corp", "jwt": merged(jwt(), json!({ "from": from })) });
    let other_kind = "another provider reads credentials of another kind here";
    let in_header = format!("providers[1].api_key.from[0]: {other_kind}");
    let by_default = format!("providers[1].api_key.from: {other_kind}");
    let here = [in_header.as_str()];
    for from in [
        json!([{ "header": "x-api-key" }]),
        json!([{ "cookie": "session" }]),
        json!([{ "query": "key" }]),
        json!([{ "header": "authorization" }]),
        json!([{ "header": "Authorization", "scheme": "bearer" }]),
    ] {
        let capitals = json!({ "providers": [tokens(from.clone()), keys(from)] });
        hold(&[(capitals, &here)]);
    }
    let default = json!({ "providers": [tokens(json!([{ "header": "X-API-KEY" }])), provider("partners", json!([acme()]))] });
    hold(&[(default, &[by_default.as_str()])]);
    for scheme in ["Basic", "digest", "DPoP"] {
        let found = json!({ "providers": [keys(json!([{ "header": "authorization", "scheme": scheme }]))] });
        let expected =
            "providers[0].api_key.from[0].scheme: this scheme has credentials of another kind";
        hold(&[(found, &[expected])]);
    }
    hold(&[
        (
            json!({ "providers": [keys(json!([]))] }),
            &["providers[0].api_key.from: expected at least one token location"],
        ),
        (
            json!({ "providers": [keys(json!([{ "header": "x-api-key" }, { "header": "X-Api-Key" }]))] }),
            &["providers[0].api_key.from: duplicate token location"],
        ),
        (
            json!({ "providers": [keys(json!([{ "query": "key", "scheme": "ApiKey" }]))] }),
            &["providers[0].api_key.from[0]: only a header can have a `scheme`"],
        ),
    ]);
}

#[test]
fn two_providers_of_keys_at_one_location() {
    let other = json!({ "id": "beta", "sha256": hex("sk-beta") });
    let providers = json!([
        provider("one", json!([acme()])),
        provider("two", json!([other]))
    ]);
    let same = "the providers `one` and `two` accept the same credentials: put their entries into one provider, or give each \
                its own `from`";
    let of = |accepted: Value| {
        json!({ "providers": providers, "rules": [
            merged(json!({ "name": "r", "match": { "paths": ["/a"] } }), accepted),
            { "name": "s", "match": { "paths": ["/b"] }, "providers": ["two"] },
        ] })
    };
    let rule = format!("rules[0]: {same}");
    hold(&[
        (
            json!({ "providers": providers }),
            &[format!("default: {same}").as_str()],
        ),
        (of(json!({})), &[rule.as_str()]),
        (of(json!({ "providers": ["one", "two"] })), &[rule.as_str()]),
        (of(json!({ "providers": ["one"] })), &[]),
    ]);
}
