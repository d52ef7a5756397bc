//! How many password hashes a worker computes, what it caches of them, and what changes when the list of users changes.

use std::net::IpAddr;

use base64ct::{Base64, Encoding};
use countersign::authenticate::Principal;
use countersign::authenticate::SourceId;
use countersign::authenticate::jose::signature::Pure;
use countersign::config;
use countersign::evaluate::{Circumstances, Fetch, Outcome, evaluate};
use countersign::keys::{Content, FetchEvent, Fetched};
use countersign::kinds;
use countersign::plan::Plan;
use countersign::reject::{Invalid, LoginFault, Reject, Unavailable};
use countersign::request::RequestView;
use countersign::store::Store;
use countersign::time::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

/// The bcrypt hashes of `secret` and of the empty password, with cost 4.
const SECRET: &str = "$2y$04$Dxzt0F36BFNeDC.mV2Ol5ObeBg7i8Ibq8oN8yDHyQgcQnuDcmSumW";
const EMPTY: &str = "$2y$04$AjTQDa5IE3dFSxbolxLMHubR54rbaz0HCJQEmBVbOTaaqI2DG8Zlm";

/// The hash of `secret` without cost.
const FAST: &str = "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=";

/// How long each hash takes by the clock of these tests, in milliseconds.
const TOOK: i64 = 60;

const SOURCE: SourceId = SourceId(0);

const PASSES: Option<Reject> = None;
const WRONG: Option<Reject> = Some(Reject::Invalid(Invalid::Login(LoginFault::Password)));
const UNKNOWN: Option<Reject> = Some(Reject::Invalid(Invalid::Login(LoginFault::User)));
const SPENT: Option<Reject> = Some(Reject::Unavailable(Unavailable::Hashing));
const NO_LIST: Option<Reject> = Some(Reject::Unavailable(Unavailable::Entries));

fn base64(text: &[u8]) -> String {
    Base64::encode_string(text)
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000 + millis)
}

/// What became of a request: the refusal, and whether a slow hash was computed.
type Answer = (Option<Reject>, bool);

/// A worker, and its time in milliseconds. Each request comes a second after the last, so that the budget allows a hash.
struct Worker {
    plan: Plan,
    store: Store,
    now: i64,
    pause: i64,
    /// How many results of credentials the last request looked at or added.
    results: usize,
}

impl Worker {
    fn new(document: &Value) -> Self {
        let plan = config::load_value(document).unwrap().plan;
        Self {
            store: plan.empty_store(),
            plan,
            now: 0,
            pause: 2_000,
            results: 0,
        }
    }

    /// A worker that fetches its users.
    fn fetching() -> Self {
        let remote = json!({"uri": "https://users.example.com/", "cluster": "users", "refresh": "10s", "max_stale": "1h"});
        Self::new(
            &json!({"providers": [{"name": "staff", "basic": {"users": {"remote": remote}}}]}),
        )
    }

    fn fetched(&mut self, users: &Value) {
        let body = json!({ "users": users }).to_string();
        let (loaded, _) = Content::Users(kinds::Basic::BUILT.unwrap())
            .read(body.as_bytes())
            .unwrap();
        self.ended(Fetched::Ok(loaded));
    }

    fn ended(&mut self, fetched: Fetched) {
        self.store.fetch_ended(FetchEvent {
            source: SOURCE,
            at: at(self.now),
            fetched,
            after_doubt: false,
            report: None,
        });
    }

    fn ask(&mut self, user: &str, password: &str) -> Answer {
        self.ask_at("/", user, password)
    }

    fn ask_at(&mut self, path: &str, user: &str, password: &str) -> Answer {
        let credential = base64(format!("{user}:{password}").as_bytes());
        let authorization = format!("Basic {credential}");
        match self.judge(path, &[("authorization", &authorization)], &[], |_| ()) {
            Ok((answer, _)) => answer,
            Err(fetch) => panic!("needs {fetch:?}"),
        }
    }

    /// Decides a request. `look` is called with the caller.
    fn judge<T: Default>(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        settled: &[Fetch],
        look: impl FnOnce(&Principal) -> T,
    ) -> Result<(Answer, T), Fetch> {
        self.now += self.pause;
        let mut pairs = vec![(":method", "GET"), (":path", path), (":authority", "api")];
        pairs.extend_from_slice(fields);
        let pairs = pairs
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let client: IpAddr = "192.0.2.1".parse().unwrap();
        let request = RequestView::new(pairs.collect()).from_client(Some(client));
        let circumstances = Circumstances {
            settled,
            backend: &Pure,
            now: at(self.now).into(),
        };
        match evaluate(&self.plan, &request, &self.store, circumstances, &mut ()) {
            Outcome::Needs(fetch, effects) => {
                self.now += if effects.hashed.is_some() { TOOK } else { 0 };
                effects.commit_hash(&mut self.store, at(self.now));
                Err(fetch)
            }
            Outcome::Decided(mut decision, effects) => {
                let is_hashed = effects.hashed.is_some();
                self.results = effects.tokens.len();
                self.now += if is_hashed { TOOK } else { 0 };
                let asked = (&self.plan, &request);
                decision.commit(effects, &mut self.store, asked, at(self.now));
                let looked = decision.principal().map(look).unwrap_or_default();
                Ok(((decision.refusal(), is_hashed), looked))
            }
        }
    }
}

fn user(name: &str, password: &str) -> Value {
    json!({"name": name, "password": password})
}

fn document(users: Value) -> Value {
    json!({"providers": [{"name": "staff", "basic": {"users": users}}]})
}

#[test]
fn a_right_password_is_hashed_once() {
    let mut worker = Worker::new(&document(json!([user("alice", SECRET)])));
    assert_eq!(worker.ask("alice", "secret"), (PASSES, true));
    for _ in 0..3 {
        assert_eq!(worker.ask("alice", "secret"), (PASSES, false));
    }
    // The end of a credential selects its place in the cache, and the whole credential decides.
    assert_eq!(worker.ask("malice", "secret"), (UNKNOWN, true));
    assert_eq!(worker.ask("alice", "secret"), (PASSES, false));
}

#[test]
fn a_wrong_password_is_hashed_once_in_thirty_seconds() {
    let mut worker = Worker::new(&document(json!([user("alice", SECRET)])));
    for (user, refusal) in [("alice", WRONG), ("nobody", UNKNOWN)] {
        assert_eq!(worker.ask(user, "Secret"), (refusal, true));
        assert_eq!(worker.ask(user, "Secret"), (refusal, false));
        worker.now += 30_000;
        assert_eq!(worker.ask(user, "Secret"), (refusal, true));
    }
}

/// The number of hashes is what takes the time.
#[test]
fn ba_15_an_unknown_user_costs_as_many_hashes_as_a_known_one() {
    let slow = json!([user("alice", SECRET), user("bob", EMPTY)]);
    let fast = json!([user("alice", FAST), user("bob", FAST)]);
    for (users, is_hashed) in [(slow, true), (fast, false)] {
        let mut worker = Worker::new(&document(users));
        assert_eq!(worker.ask("alice", "wrong"), (WRONG, is_hashed));
        for number in 0..20 {
            let name = format!("nobody{number}");
            assert_eq!(worker.ask(&name, "wrong"), (UNKNOWN, is_hashed));
        }
    }
    // Where the hashes of a list differ, an unknown user costs what some user costs, each time the same.
    let mixed = json!([user("alice", SECRET), user("bob", FAST)]);
    let (mut one, mut two) = (
        Worker::new(&document(mixed.clone())),
        Worker::new(&document(mixed)),
    );
    let mut slow = 0;
    for number in 0..40 {
        let name = format!("nobody{number}");
        let answer = one.ask(&name, "wrong");
        assert_eq!(two.ask(&name, "other"), answer);
        slow += u32::from(answer.1);
    }
    assert!((8..=32).contains(&slow), "{slow}");
}

#[test]
fn a_credential_that_cannot_be_read_is_not_hashed() {
    let mut worker = Worker::new(&document(json!([user("alice", SECRET)])));
    for credential in ["YWxpY2U=", "YWxpY2U6c2VjcmV0AA==", "!", ""] {
        let authorization = format!("Basic {credential}");
        let fields = [("authorization", authorization.as_str())];
        let (answer, ()) = worker.judge("/", &fields, &[], |_| ()).unwrap();
        let malformed = Reject::Invalid(Invalid::Login(LoginFault::Malformed));
        assert_eq!(answer, (Some(malformed), false), "{credential}");
    }
}

/// Otherwise a client without a good token could make the worker hash.
#[test]
fn a_password_is_not_hashed_if_another_credential_is_refused() {
    let jwt = json!({
        "issuer": "https://as", "audiences": ["api"], "from": [{"header": "x-token"}],
        "jwks": {"remote": {"uri": "https://as/jwks", "cluster": "as"}},
    });
    let users = json!([user("alice", SECRET)]);
    for providers in [
        json!([{"name": "staff", "basic": {"users": users}}, {"name": "as", "jwt": jwt}]),
        json!([{"name": "as", "jwt": jwt}, {"name": "staff", "basic": {"users": users}}]),
    ] {
        let mut worker = Worker::new(&json!({ "providers": providers }));
        let authorization = format!("Basic {}", base64(b"alice:secret"));
        let fields = [
            ("authorization", authorization.as_str()),
            ("x-token", "a.b.c"),
        ];
        let (answer, ()) = worker.judge("/", &fields, &[], |_| ()).unwrap();
        assert!(answer.0.is_some());
        assert!(!answer.1);
    }
}

#[test]
fn without_a_cache_each_request_is_hashed() {
    let mut document = document(json!([user("alice", SECRET)]));
    document["cache"] = json!({"verified": 0, "refused": 0});
    let mut worker = Worker::new(&document);
    for _ in 0..3 {
        assert_eq!(worker.ask("alice", "secret"), (PASSES, true));
        assert_eq!(worker.ask("alice", "wrong"), (WRONG, true));
    }
}

/// Rules whose providers differ could choose another list of users, so that their results for tokens are kept apart.
#[test]
fn a_password_is_hashed_once_for_all_rules_that_verify_it_with_the_same_users() {
    let rule = |path: &str, hides: bool, providers: Value| {
        let require = json!({"roles": ["admin"]});
        let mut rule = json!({"name": path, "match": {"paths": [path]}, "providers": providers, "require": require});
        if hides {
            rule["on_forbidden"] = json!("not_found");
        }
        rule
    };
    let keys = json!([{"id": "acme", "sha256": "0".repeat(64)}]);
    let document = json!({
        "providers": [
            {"name": "staff", "basic": {"users": [user("alice", SECRET)]}},
            {"name": "guests", "basic": {"users": [user("alice", EMPTY)]}},
            {"name": "partners", "api_key": {"keys": keys}},
        ],
        "rules": [
            rule("/staff", false, json!(["staff"])),
            rule("/either", false, json!(["staff", "partners"])),
            rule("/guests", false, json!(["guests"])),
            rule("/hidden", true, json!(["staff", "partners"])),
        ],
    });
    for password in ["secret", "wrong"] {
        let mut worker = Worker::new(&document);
        let (refusal, is_hashed) = worker.ask_at("/staff", "alice", password);
        assert!(refusal.is_some() && is_hashed);
        for path in ["/either", "/hidden", "/nothing"] {
            let (own, is_hashed) = worker.ask_at(path, "alice", password);
            assert!(own.is_some() && !is_hashed, "{path}");
        }
        assert_eq!(worker.ask_at("/guests", "alice", password), (WRONG, true));
        // What a hidden rule accepts, and what is accepted without it, differ. A second hash would show the rule.
        let mut worker = Worker::new(&document);
        let (refusal, is_hashed) = worker.ask_at("/hidden", "alice", password);
        assert!(refusal.is_some() && is_hashed);
        assert_eq!(worker.results, 1);
    }
}

/// The new password of a user could be in the list that cannot be fetched.
#[test]
fn a_password_is_not_known_to_be_wrong_by_a_list_that_is_too_old() {
    let mut worker = Worker::fetching();
    worker.fetched(&json!([user("alice", SECRET)]));
    worker.now += 3_600_000 - 10_000;
    assert_eq!(worker.ask("alice", "wrong"), (WRONG, true));
    assert_eq!(worker.ask("alice", "wrong"), (WRONG, false));
    worker.now += 10_000;
    worker.ended(Fetched::Err);
    assert_eq!(worker.ask("alice", "wrong"), (NO_LIST, false));
}

/// A hidden rule is evaluated, and then what would be without it.
#[test]
fn a_request_to_a_hidden_rule_is_hashed_once() {
    let mut document = document(json!([user("alice", SECRET)]));
    document["rules"] = json!([
        {"name": "hidden", "match": {"paths": ["/hidden"]}, "require": {"roles": ["admin"]}, "on_forbidden": "not_found"},
        {"name": "rest"},
    ]);
    for password in ["secret", "wrong"] {
        let mut worker = Worker::new(&document);
        let (refusal, is_hashed) = worker.ask_at("/hidden", "alice", password);
        assert!(refusal.is_some() && is_hashed);
        // It was one hash: the budget has as much as after one.
        let mut other = Worker::new(&document);
        assert!(other.ask_at("/other", "alice", password).1);
        let budget = |worker: &Worker| format!("{:?}", worker.store.hashing);
        assert_eq!(budget(&worker), budget(&other));
        assert!(!worker.ask_at("/other", "alice", password).1);
    }
}

#[test]
fn beyond_the_budget_only_cached_users_pass() {
    let mut document = document(json!([
        user("alice", SECRET),
        user("bob", EMPTY),
        user("fast", FAST)
    ]));
    document["throttle"] = json!({"failures": 100, "window": "1m", "block": "5m"});
    document["hash_budget"] = json!("1ms");
    let mut worker = Worker::new(&document);
    assert_eq!(worker.ask("alice", "secret"), (PASSES, true));
    worker.pause = 1;
    for number in 0..300 {
        let name = format!("nobody{number}");
        // The hash that stands in for this user's can be the fast one.
        let (refusal, is_hashed) = worker.ask(&name, "x");
        assert!([SPENT, UNKNOWN].contains(&refusal) && !is_hashed);
        // It is not known which of them is right, and none of them counts as a failure.
        assert_eq!(worker.ask("bob", ""), (SPENT, false));
        assert_eq!(worker.ask("bob", "wrong"), (SPENT, false));
        assert_eq!(worker.ask("alice", "secret"), (PASSES, false));
        assert_eq!(worker.ask("fast", "secret"), (PASSES, false));
    }
    worker.now += 60_000;
    assert_eq!(worker.ask("bob", ""), (PASSES, true));
}

#[test]
fn wrong_passwords_and_unknown_users_are_failures() {
    let mut document = document(json!([user("alice", SECRET)]));
    document["throttle"] = json!({"failures": 3, "window": "1h", "block": "5h", "by": ["user"]});
    let is_blocked = |answer: Answer| matches!(answer.0, Some(Reject::TooManyFailures { .. }));
    for (name, refusal) in [("alice", WRONG), ("nobody", UNKNOWN)] {
        let mut worker = Worker::new(&document);
        assert_eq!(worker.ask(name, "wrong"), (refusal, true));
        // The same guess again counts again, although it is cached.
        assert_eq!(worker.ask(name, "wrong"), (refusal, false));
        assert!(worker.ask(name, "other").1);
        let blocked = worker.ask(name, "secret");
        assert!(is_blocked(blocked), "{blocked:?}");
        // A blocked user costs no hash, and others are not blocked.
        assert!(!blocked.1);
        assert_eq!(worker.ask("carol", "wrong"), (UNKNOWN, true));
    }
}

#[test]
fn a_user_who_was_verified_can_be_blocked_too() {
    let mut document = document(json!([user("alice", SECRET)]));
    document["throttle"] = json!({"failures": 1, "window": "1h", "block": "1h", "by": ["user"]});
    let mut worker = Worker::new(&document);
    assert_eq!(worker.ask("alice", "secret"), (PASSES, true));
    assert_eq!(worker.ask("alice", "wrong"), (WRONG, true));
    let (refusal, is_hashed) = worker.ask("alice", "secret");
    assert!(matches!(refusal, Some(Reject::TooManyFailures { .. })) && !is_hashed);
}

#[test]
fn the_first_request_waits_for_the_list() {
    let mut worker = Worker::fetching();
    let authorization = format!("Basic {}", base64(b"alice:secret"));
    let fields = [("authorization", authorization.as_str())];
    let wanted = worker.judge("/", &fields, &[], |_| ()).unwrap_err();
    assert_eq!(wanted, Fetch::Entries(SOURCE));
    let answer = worker.judge("/", &fields, &[wanted], |_| ()).unwrap().0;
    assert_eq!(answer, (NO_LIST, false));
    worker.ended(Fetched::Err);
    assert_eq!(worker.ask("alice", "secret"), (NO_LIST, false));
    worker.fetched(&json!([user("alice", SECRET)]));
    assert_eq!(worker.ask("alice", "secret"), (PASSES, true));
}

#[test]
fn a_new_list_makes_no_user_hash_again_who_has_not_changed() {
    let mut worker = Worker::fetching();
    worker.fetched(&json!([user("alice", SECRET), user("bob", EMPTY)]));
    assert_eq!(worker.ask("alice", "secret"), (PASSES, true));
    worker.fetched(&json!([user("carol", SECRET), user("alice", SECRET)]));
    assert_eq!(worker.ask("alice", "secret"), (PASSES, false));
    worker.ended(Fetched::Unchanged);
    assert_eq!(worker.ask("alice", "secret"), (PASSES, false));
}

#[test]
fn what_changes_in_a_list_is_true_with_the_next_request() {
    let mut worker = Worker::fetching();
    let roles = |worker: &mut Worker| {
        let authorization = format!("Basic {}", base64(b"alice:secret"));
        let fields = [("authorization", authorization.as_str())];
        let look =
            |caller: &Principal| caller.roles().iter().map(str::to_owned).collect::<Vec<_>>();
        worker.judge("/", &fields, &[], look).unwrap()
    };
    worker.fetched(&json!([user("alice", SECRET)]));
    assert_eq!(roles(&mut worker), ((PASSES, true), vec![]));
    let mut admin = user("alice", SECRET);
    admin["roles"] = json!(["admin"]);
    worker.fetched(&json!([admin]));
    assert_eq!(
        roles(&mut worker),
        ((PASSES, true), vec!["admin".to_owned()])
    );
    assert_eq!(
        roles(&mut worker),
        ((PASSES, false), vec!["admin".to_owned()])
    );
    // Another password.
    worker.fetched(&json!([user("alice", EMPTY)]));
    assert_eq!(worker.ask("alice", "secret"), (WRONG, true));
    // The old one again: what was refused before is not remembered.
    worker.fetched(&json!([user("alice", SECRET)]));
    assert_eq!(worker.ask("alice", "secret"), (PASSES, true));
    // Withdrawn, with others and with all.
    worker.fetched(&json!([user("bob", SECRET)]));
    assert_eq!(worker.ask("alice", "secret"), (UNKNOWN, true));
    worker.fetched(&json!([]));
    assert_eq!(worker.ask("alice", "secret"), (UNKNOWN, false));
    assert_eq!(worker.ask("bob", "secret"), (UNKNOWN, false));
}

#[test]
fn an_entry_that_becomes_ambiguous_ends_the_cached_result() {
    let mut worker = Worker::fetching();
    worker.fetched(&json!([user("alice", SECRET)]));
    assert_eq!(worker.ask("alice", "secret"), (PASSES, true));
    worker.fetched(&json!([user("alice", SECRET), user("alice", EMPTY)]));
    assert_eq!(worker.ask("alice", "secret"), (UNKNOWN, true));
}

#[test]
fn a_list_that_is_too_old_denies_cached_users_too() {
    let mut worker = Worker::fetching();
    worker.fetched(&json!([user("alice", SECRET)]));
    assert_eq!(worker.ask("alice", "secret"), (PASSES, true));
    worker.ended(Fetched::Err);
    worker.now += 3_500_000;
    assert_eq!(worker.ask("alice", "secret"), (PASSES, false));
    worker.now += 200_000;
    assert_eq!(worker.ask("alice", "secret"), (NO_LIST, false));
    worker.ended(Fetched::Unchanged);
    assert_eq!(worker.ask("alice", "secret"), (PASSES, false));
}

/// The copy is fetched when it is due, and the response takes a while.
#[test]
fn a_cached_user_waits_for_a_list_as_others_do() {
    let mut worker = Worker::fetching();
    worker.fetched(&json!([user("alice", SECRET)]));
    assert_eq!(worker.ask("alice", "secret"), (PASSES, true));
    worker.now += 3_700_000;
    let authorization = format!("Basic {}", base64(b"alice:secret"));
    let fields = [("authorization", authorization.as_str())];
    let wanted = worker.judge("/", &fields, &[], |_| ()).unwrap_err();
    assert_eq!(wanted, Fetch::Entries(SOURCE));
    let settled = [wanted];
    let answer = worker.judge("/", &fields, &settled, |_| ()).unwrap().0;
    assert_eq!(answer, (NO_LIST, false));
    worker.ended(Fetched::Unchanged);
    let answer = worker.judge("/", &fields, &settled, |_| ()).unwrap().0;
    assert_eq!(answer, (PASSES, false));
}

/// The end of a token selects its place in the cache. Many users of a test environment have one password.
#[test]
fn users_with_the_same_long_password_do_not_displace_each_other() {
    const LONG: &str = "correct horse battery staple";
    // Of the long password, with cost 4.
    let hash = "$2y$04$ClBb4pHdKhO5DleUmAGeDu7/OZy3R23gcp72JNHv0XVYAB4x9tlie";
    let mut worker = Worker::new(&document(json!([user("alice", hash), user("bob", hash)])));
    assert_eq!(worker.ask("alice", LONG), (PASSES, true));
    assert_eq!(worker.ask("bob", LONG), (PASSES, true));
    for user in ["alice", "bob"] {
        assert_eq!(worker.ask(user, LONG), (PASSES, false));
    }
}

/// Every hash counts, also one of an evaluation after which the request waits.
#[test]
fn a_hash_before_the_request_waits_counts_and_is_cached() {
    let introspection = json!({
        "uri": "https://as.example.com/introspect", "cluster": "as", "client_id": "gate", "client_secret": "s3cret-of-the-gate",
        "from": [{"header": "x-token"}],
    });
    let mut document = document(json!([user("alice", SECRET)]));
    document["providers"]
        .as_array_mut()
        .unwrap()
        .push(json!({"name": "as", "introspection": introspection}));
    document["rules"] = json!([
        {
            "name": "hidden", "match": {"paths": ["/hidden"]}, "providers": ["staff"], "other_credentials": "ignore",
            "on_forbidden": "not_found",
        },
        {"name": "rest"},
    ]);
    let mut worker = Worker::new(&document);
    let authorization = format!("Basic {}", base64(b"alice:wrong"));
    let fields = [
        ("authorization", authorization.as_str()),
        ("x-token", "abc"),
    ];
    let waits = worker.judge("/hidden", &fields, &[], |_| ());
    assert!(matches!(waits, Err(Fetch::Introspection(_))), "{waits:?}");
    assert!(!worker.store.hashing.allows(at(worker.now + 1)));
    assert!(!worker.ask_at("/hidden", "alice", "wrong").1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is listed, changed, guessed and how the time goes: who passes has the password that the list has now.
    #[test]
    fn nobody_passes_without_the_password_of_the_current_list(
        steps in prop::collection::vec((0_u8..6, 0_u8..3, 0_u8..3, 0_i64..4_000), 1..60),
    ) {
        let mut worker = Worker::fetching();
        let hashes = [(SECRET, "secret"), (EMPTY, ""), (FAST, "secret")];
        let mut listed: [Option<usize>; 3] = [Some(0), None, None];
        let list = |listed: &[Option<usize>; 3]| {
            let users = listed.iter().enumerate();
            users.filter_map(|(name, hash)| Some(user(&format!("user{name}"), hashes[(*hash)?].0))).collect::<Value>()
        };
        worker.fetched(&list(&listed));
        for (kind, name, hash, pause) in steps {
            let (name, hash) = (usize::from(name), usize::from(hash));
            worker.pause = pause;
            match kind {
                0 => {
                    listed[name] = Some(hash);
                    worker.fetched(&list(&listed));
                }
                1 => {
                    listed[name] = None;
                    worker.fetched(&list(&listed));
                }
                _ => {
                    let password = ["secret", "", "wrong"][hash];
                    let is_right = listed[name].is_some_and(|own| hashes[own].1 == password);
                    let (refusal, _) = worker.ask(&format!("user{name}"), password);
                    let expected = match (is_right, listed[name]) {
                        (true, _) => PASSES,
                        (false, Some(_)) => WRONG,
                        (false, None) => UNKNOWN,
                    };
                    prop_assert!(refusal == expected || refusal == SPENT, "{refusal:?} {expected:?}");
                }
            }
        }
    }
}
