//! What is remembered of tokens and keys, and that it changes no answer: near-collisions, time, keys, bounds.

use countersign::authenticate::SourceId;
use countersign::authenticate::jose::base64url;
use countersign::authenticate::jose::jwk::{Source, parse_set};
use countersign::authenticate::jose::keys::KeySet;
use countersign::authenticate::jose::signature::{Algorithm, Backend, Pure, Signed, Unavailable};
use countersign::config;
use countersign::evaluate::{Circumstances, Fetch, Outcome, TokenEffect, evaluate};
use countersign::keys::COOL_DOWN;
use countersign::mint::SigningKey;
use countersign::plan::Plan;
use countersign::reject::{Invalid, Reject, TokenFault, Unavailable as Lacking};
use countersign::request::RequestView;
use countersign::store::Store;
use countersign::time::Timestamp;
use serde_json::{Value, json};

use crate::allocations::allocated;

const NOW: i64 = 1_800_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(NOW + seconds)
}

/// Verifies, and counts how often it was asked.
#[derive(Default)]
struct Counting(std::cell::Cell<usize>);

impl Backend for Counting {
    fn verifies(&self, signed: &Signed<'_>) -> Result<bool, Unavailable> {
        self.0.set(self.0.get() + 1);
        Pure.verifies(signed)
    }
}

/// A worker: a plan, its memory, and how many signatures it has verified.
struct Worker {
    plan: Plan,
    store: Store,
    backend: Counting,
}

/// What became of a request: the refusal, and whether memory answered.
type Answer = (Option<Reject>, bool);

impl Worker {
    fn new(document: &Value) -> Self {
        let plan = config::load_value(document).unwrap().plan;
        Self {
            store: plan.empty_store(),
            plan,
            backend: Counting::default(),
        }
    }

    fn ask(&mut self, path: &str, fields: &[(&str, &str)], now: Timestamp) -> Answer {
        match self.try_ask(path, fields, &[], now) {
            Ok(answer) => answer,
            Err(fetch) => panic!("needs {fetch:?}"),
        }
    }

    fn try_ask(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        settled: &[Fetch],
        now: Timestamp,
    ) -> Result<Answer, Fetch> {
        let mut pairs = vec![(":method", "GET"), (":path", path), (":authority", "api")];
        pairs.extend_from_slice(fields);
        let pairs = pairs
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let request = RequestView::new(pairs.collect());
        let (store, backend) = (&self.store, &self.backend);
        match evaluate(
            &self.plan,
            &request,
            store,
            Circumstances {
                settled,
                backend,
                now: now.into(),
            },
            &mut (),
        ) {
            Outcome::Needs(fetch, _) => Err(fetch),
            Outcome::Decided(mut decision, effects) => {
                let remembered = matches!(effects.tokens[..], [TokenEffect::Found(_)]);
                let asked = (&self.plan, &request);
                decision.commit(effects, &mut self.store, asked, now);
                Ok((decision.refusal(), remembered))
            }
        }
    }

    fn bearer(&mut self, token: &str, now: Timestamp) -> Answer {
        self.ask("/", &[("authorization", &format!("Bearer {token}"))], now)
    }

    /// A good token that is shown twice is remembered from then on.
    fn remember(&mut self, token: &str, now: Timestamp) {
        for _ in 0..2 {
            assert_eq!(self.bearer(token, now), (PASSES, false));
        }
    }
}

const PASSES: Option<Reject> = None;

fn refused(fault: TokenFault) -> Option<Reject> {
    Some(Reject::Invalid(Invalid::Token(fault)))
}

fn token(key: &SigningKey, claims: Value) -> String {
    let algorithm = key.algorithm().unwrap();
    let mut header = json!({"alg": algorithm.name()});
    if let Some(kid) = key.kid() {
        header["kid"] = json!(kid);
    }
    let mut all = json!({"iss": "https://as", "aud": "api", "sub": "amy", "exp": NOW + 300});
    all.as_object_mut()
        .unwrap()
        .extend(claims.as_object().unwrap().clone());
    key.sign(algorithm, &header, all.to_string().as_bytes())
        .unwrap()
}

fn document(keys: Value) -> Value {
    json!({"providers": [{"name": "as", "jwt": {"issuer": "https://as", "audiences": ["api"], "jwks": keys}}]})
}

fn inline(key: &SigningKey) -> Value {
    json!({"inline": {"keys": [key.public_jwk()]}})
}

fn remote() -> Value {
    json!({"remote": {"uri": "https://as/jwks", "cluster": "as"}})
}

fn key_set(keys: &[&SigningKey]) -> KeySet {
    let keys: Vec<_> = keys.iter().map(|key| key.public_jwk()).collect();
    KeySet::new(
        parse_set(&json!({"keys": keys}), Source::Remote)
            .unwrap()
            .keys,
        None,
    )
}

fn key(kid: &str) -> SigningKey {
    SigningKey::generate(Algorithm::Es256).with_kid(Some(kid))
}

#[test]
fn j_65_a_token_is_verified_twice_and_then_remembered() {
    let key = key("1");
    let mut worker = Worker::new(&document(inline(&key)));
    let token = token(&key, json!({}));
    worker.remember(&token, at(0));
    for _ in 0..2 {
        assert_eq!(worker.bearer(&token, at(0)), (PASSES, true));
    }
    assert_eq!(worker.backend.0.get(), 2);
}

/// However many tokens come once, none of them drives out one that is in use.
#[test]
fn tokens_that_come_once_are_not_remembered() {
    let key = key("1");
    let mut document = document(inline(&key));
    document["cache"] = json!({"verified": 4, "refused": 4});
    let mut worker = Worker::new(&document);
    let in_use = token(&key, json!({}));
    worker.remember(&in_use, at(0));
    for number in 0..100 {
        let once = token(&key, json!({"jti": number}));
        assert_eq!(worker.bearer(&once, at(0)), (PASSES, false));
    }
    assert_eq!(worker.bearer(&in_use, at(0)), (PASSES, true));
}

#[test]
fn j_65_a_remembered_token_still_expires_and_is_not_valid_before_its_time() {
    let key = key("1");
    let mut worker = Worker::new(&document(inline(&key)));
    let token = token(&key, json!({"nbf": NOW}));
    worker.remember(&token, at(0));
    assert_eq!(worker.bearer(&token, at(359)), (PASSES, true));
    assert_eq!(
        worker.bearer(&token, at(360)).0,
        refused(TokenFault::Expired)
    );
    assert_eq!(
        worker.bearer(&token, at(-61)).0,
        refused(TokenFault::NotYetValid)
    );
    assert_eq!(worker.bearer(&token, at(0)), (PASSES, true));
}

#[test]
fn one_character_makes_another_token() {
    let key = key("1");
    let mut worker = Worker::new(&document(inline(&key)));
    let good = token(&key, json!({}));
    worker.remember(&good, at(0));
    for place in 0..good.len() {
        let other = if good.as_bytes()[place] == b'A' {
            "B"
        } else {
            "A"
        };
        let mut changed = good.clone();
        changed.replace_range(place..=place, other);
        let (reject, remembered) = worker.bearer(&changed, at(0));
        assert!(reject.is_some() && !remembered, "{place}");
    }
    for changed in [&good[1..], &good[..good.len() - 1], &format!("{good}A")] {
        assert!(worker.bearer(changed, at(0)).0.is_some());
    }
    assert_eq!(worker.bearer(&good, at(0)), (PASSES, true));
}

/// A forged token that has another's signature shares its slot, and neither its verdict nor its place.
#[test]
fn tokens_that_end_alike_are_told_apart() {
    let key = key("1");
    let mut worker = Worker::new(&document(inline(&key)));
    let good = token(&key, json!({}));
    let (_, signature) = good.rsplit_once('.').unwrap();
    let forged = ["eve", "mallory"].map(|subject| {
        let other = token(&key, json!({"sub": subject}));
        let (signed, _) = other.rsplit_once('.').unwrap();
        format!("{signed}.{signature}")
    });
    assert_eq!(
        worker.bearer(&forged[0], at(0)).0,
        refused(TokenFault::Signature)
    );
    worker.remember(&good, at(0));
    for _ in 0..2 {
        for forged in &forged {
            let (reject, _) = worker.bearer(forged, at(0));
            assert_eq!(reject, refused(TokenFault::Signature));
            let again = worker.bearer(forged, at(0));
            assert_eq!(again, (refused(TokenFault::Signature), true));
            assert_eq!(worker.bearer(&good, at(0)), (PASSES, true));
        }
    }
}

#[test]
fn a_token_is_remembered_for_the_place_where_it_stood() {
    let key = key("1");
    let mut document = document(inline(&key));
    document["providers"][0]["jwt"]["from"] = json!([{"header": "authorization", "scheme": "Bearer"}, {"cookie": "t"}, {"header": "x-t"}]);
    let mut worker = Worker::new(&document);
    let token = token(&key, json!({}));
    worker.remember(&token, at(0));
    assert_eq!(worker.bearer(&token, at(0)), (PASSES, true));
    let cookie = format!("t={token}");
    assert_eq!(
        worker.ask("/", &[("cookie", &cookie)], at(0)),
        (PASSES, false)
    );
    assert_eq!(worker.ask("/", &[("x-t", &token)], at(0)), (PASSES, false));
}

/// Two providers of one issuer want different audiences; each has its rule. What one accepted is nothing to the other.
#[test]
fn a_token_is_remembered_for_the_provider_that_judged_it() {
    let key = key("1");
    let provider = |name: &str, audience: &str| json!({"name": name, "jwt": {"issuer": "https://as", "audiences": [audience], "jwks": inline(&key)}});
    let mut worker = Worker::new(&json!({
        "providers": [provider("a", "api"), provider("b", "other")],
        "rules": [
            {"name": "a", "match": {"paths": ["/a"]}, "providers": ["a"]},
            {"name": "b", "match": {"paths": ["/b"]}, "providers": ["b"]},
        ],
    }));
    let token = format!("Bearer {}", token(&key, json!({})));
    let fields = [("authorization", token.as_str())];
    for _ in 0..3 {
        assert_eq!(worker.ask("/a", &fields, at(0)).0, PASSES);
        assert_eq!(
            worker.ask("/b", &fields, at(0)).0,
            refused(TokenFault::Audience)
        );
    }
}

#[test]
fn a_refusal_is_remembered_briefly_and_only_if_time_cannot_mend_it() {
    let (key, stranger) = (key("1"), key("1"));
    let mut worker = Worker::new(&document(inline(&key)));
    let forged = token(&stranger, json!({}));
    assert_eq!(
        worker.bearer(&forged, at(0)),
        (refused(TokenFault::Signature), false)
    );
    assert_eq!(
        worker.bearer(&forged, at(29)),
        (refused(TokenFault::Signature), true)
    );
    assert_eq!(
        worker.bearer(&forged, at(30)),
        (refused(TokenFault::Signature), false)
    );
    let early = token(&key, json!({"nbf": NOW + 61}));
    assert_eq!(
        worker.bearer(&early, at(0)).0,
        refused(TokenFault::NotYetValid)
    );
    assert_eq!(worker.bearer(&early, at(1)).0, PASSES);
}

#[test]
fn memory_is_bounded_and_the_longest_unused_goes_first() {
    let key = key("1");
    let mut document = document(inline(&key));
    document["cache"] = json!({"verified": 2, "refused": 1});
    let mut worker = Worker::new(&document);
    let tokens: Vec<_> = ["a", "b", "c"]
        .iter()
        .map(|jti| token(&key, json!({"jti": jti})))
        .collect();
    for index in [0, 0, 1, 1, 0, 2, 2] {
        worker.bearer(&tokens[index], at(0));
    }
    assert!(
        worker.bearer(&tokens[0], at(0)).1,
        "it was used after the second"
    );
    assert!(!worker.bearer(&tokens[1], at(0)).1);

    let forged: Vec<_> = tokens
        .iter()
        .map(|token| format!("{}AAAA", &token[..token.len() - 4]))
        .collect();
    worker.bearer(&forged[0], at(0));
    worker.bearer(&forged[1], at(0));
    assert!(!worker.bearer(&forged[0], at(0)).1);
    assert!(worker.bearer(&forged[0], at(0)).1);
}

#[test]
fn memory_of_no_size_remembers_nothing() {
    let key = key("1");
    let mut document = document(inline(&key));
    document["cache"] = json!({"verified": 0, "refused": 0});
    let mut worker = Worker::new(&document);
    let token = token(&key, json!({}));
    let forged = format!("{}AAAA", &token[..token.len() - 4]);
    for _ in 0..2 {
        assert_eq!(worker.bearer(&token, at(0)), (PASSES, false));
        assert_eq!(
            worker.bearer(&forged, at(0)),
            (refused(TokenFault::Signature), false)
        );
    }
}

#[test]
fn the_bytes_of_remembered_tokens_are_bounded() {
    let key = key("1");
    let mut worker = Worker::new(&document(inline(&key)));
    let large = |number: usize| token(&key, json!({"jti": number, "pad": "x".repeat(20_000)}));
    let first = large(0);
    worker.remember(&first, at(0));
    assert!(worker.bearer(&first, at(0)).1);
    // 16 MiB of tokens of 27 kB each are some 620.
    for number in 1..700 {
        let token = large(number);
        worker.bearer(&token, at(0));
        worker.bearer(&token, at(0));
    }
    assert!(!worker.bearer(&first, at(0)).1);
}

#[test]
fn r_05_a_key_that_is_gone_takes_its_remembered_tokens_with_it() {
    let (old, new) = (key("old"), key("new"));
    let mut worker = Worker::new(&document(remote()));
    worker
        .store
        .keys_fetched(SourceId(0), key_set(&[&old, &new]), at(0));
    let of_old = token(&old, json!({}));
    worker.remember(&of_old, at(0));
    worker
        .store
        .keys_fetched(SourceId(0), key_set(&[&old, &new]), at(1));
    assert_eq!(
        worker.bearer(&of_old, at(1)),
        (PASSES, true),
        "its key is still there"
    );
    worker
        .store
        .keys_fetched(SourceId(0), key_set(&[&new]), at(2));
    assert_eq!(worker.bearer(&of_old, at(2)).0, refused(TokenFault::Key));
}

#[test]
fn r_05_another_key_of_the_same_name_is_another_key() {
    let (old, new) = (key("1"), key("1"));
    let mut worker = Worker::new(&document(remote()));
    worker
        .store
        .keys_fetched(SourceId(0), key_set(&[&old]), at(0));
    let (of_old, of_new) = (token(&old, json!({})), token(&new, json!({})));
    assert_eq!(worker.bearer(&of_old, at(0)).0, PASSES);
    assert_eq!(
        worker.bearer(&of_new, at(0)).0,
        refused(TokenFault::Signature)
    );
    worker
        .store
        .keys_fetched(SourceId(0), key_set(&[&new]), at(1));
    assert_eq!(
        worker.bearer(&of_old, at(1)).0,
        refused(TokenFault::Signature)
    );
    assert_eq!(
        worker.bearer(&of_new, at(1)).0,
        PASSES,
        "a refusal is forgotten with its key set"
    );
}

#[test]
fn j_10_an_unknown_key_asks_for_newer_ones_once_in_a_cool_down() {
    let (known, unknown) = (key("known"), key("unknown"));
    let mut worker = Worker::new(&document(remote()));
    worker
        .store
        .keys_fetched(SourceId(0), key_set(&[&known]), at(0));
    let fields = format!("Bearer {}", token(&unknown, json!({})));
    let fields = [("authorization", fields.as_str())];
    let fetch = || Fetch::Keys(SourceId(0));
    let cool_down = i64::try_from(COOL_DOWN.as_secs()).unwrap();

    assert_eq!(
        worker.try_ask("/", &fields, &[], at(cool_down - 1)),
        Ok((refused(TokenFault::Key), false))
    );
    assert_eq!(
        worker.try_ask("/", &fields, &[], at(cool_down)),
        Err(fetch())
    );
    // The fetch brought nothing new.
    worker
        .store
        .keys_fetched(SourceId(0), key_set(&[&known]), at(cool_down));
    assert_eq!(
        worker.try_ask("/", &fields, &[fetch()], at(cool_down)),
        Ok((refused(TokenFault::Key), false))
    );
    // It brought the key: what was refused before is not remembered.
    worker
        .store
        .keys_fetched(SourceId(0), key_set(&[&known, &unknown]), at(2 * cool_down));
    assert_eq!(
        worker.try_ask("/", &fields, &[fetch()], at(2 * cool_down)),
        Ok((PASSES, false))
    );
}

#[test]
fn without_keys_nobody_is_blamed_and_nobody_waits_for_what_has_failed() {
    let signer = key("1");
    let mut worker = Worker::new(&document(remote()));
    let good = format!("Bearer {}", token(&signer, json!({})));
    let fields = [("authorization", good.as_str())];
    let fetch = || Fetch::Keys(SourceId(0));
    let unavailable = Some(Reject::Unavailable(Lacking::Keys));
    assert_eq!(worker.try_ask("/", &fields, &[], at(0)), Err(fetch()));
    assert_eq!(
        worker.try_ask("/", &fields, &[fetch()], at(0)),
        Ok((unavailable, false))
    );
    worker.store.fetch_failed(SourceId(0), at(1));
    assert_eq!(
        worker.try_ask("/", &fields, &[], at(1)),
        Ok((unavailable, false))
    );
    // What can be judged without keys is.
    assert_eq!(
        worker.bearer("a..b", at(1)).0,
        refused(TokenFault::Malformed)
    );
    assert_eq!(worker.ask("/", &[], at(1)).0, Some(Reject::NoCredential));
    worker
        .store
        .keys_fetched(SourceId(0), key_set(&[&signer]), at(2));
    assert_eq!(
        worker.try_ask("/", &fields, &[], at(2)),
        Ok((PASSES, false))
    );
    // A refresh that fails leaves the keys in use; who brings an unknown one meanwhile cannot be judged.
    worker.store.fetch_failed(SourceId(0), at(3));
    assert_eq!(worker.ask("/", &fields, at(3)), (PASSES, false));
    assert_eq!(worker.ask("/", &fields, at(3)), (PASSES, true));
    let unknown = token(&key("2"), json!({}));
    assert_eq!(worker.bearer(&unknown, at(3)).0, unavailable);
}

/// Keys without a name are tried for every token; that they fail says nothing of the key that the token names.
#[test]
fn j_10_a_key_of_no_name_does_not_hide_that_the_named_one_is_unknown() {
    let nameless = SigningKey::generate(Algorithm::Es256).with_kid(None);
    let mut worker = Worker::new(&document(remote()));
    worker
        .store
        .keys_fetched(SourceId(0), key_set(&[&nameless]), at(0));
    let of_new = format!("Bearer {}", token(&key("new"), json!({})));
    let fields = [("authorization", of_new.as_str())];
    assert_eq!(
        worker.try_ask("/", &fields, &[], at(30)),
        Err(Fetch::KeysInDoubt(SourceId(0)))
    );
    worker.store.fetch_failed(SourceId(0), at(30));
    assert_eq!(
        worker.try_ask("/", &fields, &[], at(30)),
        Ok((Some(Reject::Unavailable(Lacking::Keys)), false))
    );
}

#[test]
fn j_11_the_key_that_a_token_names_is_tried_however_many_have_no_name() {
    let nameless = [(); 4].map(|()| SigningKey::generate(Algorithm::Es256).with_kid(None));
    let named = key("named");
    let keys: Vec<_> = nameless.iter().chain([&named]).collect();
    let mut worker = Worker::new(&document(remote()));
    worker
        .store
        .keys_fetched(SourceId(0), key_set(&keys), at(0));
    assert_eq!(worker.bearer(&token(&named, json!({})), at(0)).0, PASSES);
}

/// A token that was good, whose key is gone, is refused by memory like any other, and not verified each time.
#[test]
fn r_05_what_is_refused_now_is_not_remembered_as_good() {
    let [old, new] = [(); 2].map(|()| SigningKey::generate(Algorithm::Es256).with_kid(None));
    let mut worker = Worker::new(&document(remote()));
    worker
        .store
        .keys_fetched(SourceId(0), key_set(&[&old]), at(0));
    let of_old = token(&old, json!({}));
    worker.remember(&of_old, at(0));
    worker
        .store
        .keys_fetched(SourceId(0), key_set(&[&new]), at(1));
    let refused = refused(TokenFault::Signature);
    assert_eq!(worker.bearer(&of_old, at(1)), (refused, false));
    assert_eq!(worker.bearer(&of_old, at(1)), (refused, true));
}

/// The bytes that this thread holds.
fn held() -> i64 {
    allocated().bytes
}

/// Takes every signature for good: what is remembered is what counts here.
struct Trusting;

impl Backend for Trusting {
    fn verifies(&self, _: &Signed<'_>) -> Result<bool, Unavailable> {
        Ok(true)
    }
}

/// A worker whose rules look at claims, so that they are there as values, and the tokens of an issuer.
struct Hoard {
    plan: Plan,
    store: Store,
    header: String,
}

impl Hoard {
    fn new() -> Self {
        let key = key("1");
        let mut document = document(inline(&key));
        document["default"] = json!("deny");
        document["cache"] = json!({"verified": 1_000_000, "refused": 1_000_000});
        document["rules"] =
            json!([{"name": "all", "match": {}, "require": {"claims": {"tenant": "red"}}}]);
        let plan = config::load_value(&document).unwrap().plan;
        let header = json!({"alg": "ES256", "kid": "1"}).to_string();
        Self {
            store: plan.empty_store(),
            header: base64url::encode(header.as_bytes()),
            plan,
        }
    }

    /// A token with these members among its claims.
    fn token(&self, number: usize, members: &str) -> String {
        let payload = format!(
            r#"{{"iss":"https://as","aud":"api","tenant":"red","exp":{},"jti":"{number}",{members}}}"#,
            NOW + 300
        );
        // Its end tells tokens apart, and both of its numbers are in range.
        let mut signature = [0x11; 64];
        signature[56..].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
        let signature = base64url::encode(&signature);
        format!(
            "{}.{}.{signature}",
            self.header,
            base64url::encode(payload.as_bytes())
        )
    }

    /// Asks with a token; whether it was remembered.
    fn ask(&mut self, token: &str) -> bool {
        let authorization = format!("Bearer {token}");
        let request = RequestView::new(vec![
            (b":method", b"GET"),
            (b":path", b"/"),
            (b":authority", b"api"),
            (b"authorization", authorization.as_bytes()),
        ]);
        let outcome = evaluate(
            &self.plan,
            &request,
            &self.store,
            Circumstances::new(&Trusting, at(0)),
            &mut (),
        );
        let Outcome::Decided(mut decision, effects) = outcome else {
            panic!("the keys are in the document");
        };
        let is_remembered = matches!(effects.tokens[..], [TokenEffect::Found(_)]);
        let asked = (&self.plan, &request);
        decision.commit(effects, &mut self.store, asked, at(0));
        assert_eq!(decision.refusal(), None, "{} bytes", token.len());
        is_remembered
    }
}

/// Members of about so many bytes, of each kind that takes more memory as values than as text.
fn members(bytes: usize) -> Vec<(&'static str, String)> {
    let list = |item: &str| {
        let items = vec![item; bytes / (item.len() + 1)].join(",");
        format!("[{items}]")
    };
    let named = |item: &str| {
        let items = (0..bytes / (item.len() + 8)).map(|number| format!(r#""{number:04x}":{item}"#));
        format!("{{{}}}", items.collect::<Vec<_>>().join(","))
    };
    let deep = format!("{}{}", "[".repeat(25), "]".repeat(25));
    vec![
        ("numbers", format!(r#""a":{}"#, list("1"))),
        ("nulls", format!(r#""a":{}"#, list("null"))),
        ("empty texts", format!(r#""a":{}"#, list(r#""""#))),
        ("empty arrays", format!(r#""a":{}"#, list("[]"))),
        ("arrays of one", format!(r#""a":{}"#, list("[1]"))),
        ("empty objects", format!(r#""a":{}"#, list("{}"))),
        ("objects of one", format!(r#""a":{}"#, list(r#"{"a":1}"#))),
        ("deep arrays", format!(r#""a":{}"#, list(&deep))),
        ("small members", format!(r#""a":{}"#, named("1"))),
        (
            "members with a member",
            format!(r#""a":{}"#, named(r#"{"a":[]}"#)),
        ),
        ("a subject", format!(r#""sub":"{}""#, "x".repeat(bytes))),
        (
            "short scopes",
            format!(r#""scope":"{}""#, "a ".repeat(bytes / 2)),
        ),
        ("short roles", format!(r#""roles":{}"#, list(r#""a""#))),
        ("empty roles", format!(r#""roles":{}"#, list(r#""""#))),
        (
            "one long role",
            format!(r#""roles":["{}"]"#, "x".repeat(bytes)),
        ),
        (
            "groups, as they are",
            format!(
                r#""groups":{}"#,
                list(r#""0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f""#)
            ),
        ),
        (
            "escapes",
            format!(r#""roles":["{}"]"#, r"\u0061".repeat(bytes / 6)),
        ),
    ]
}

/// Twice the length of a token, and what small claims take as values.
#[test]
fn what_is_remembered_of_a_token_is_bounded_by_its_length_whatever_its_claims() {
    const TOKENS: usize = 4;
    const SMALL: usize = 9 * 1024;
    for bytes in [600, 3_000, 10_000, 22_000] {
        for (kind, members) in members(bytes) {
            let mut hoard = Hoard::new();
            let before = held();
            let mut length = 0;
            for number in 0..TOKENS {
                let token = hoard.token(number, &members);
                length += token.len();
                let remembered = [(); 4].map(|()| hoard.ask(&token));
                assert_eq!(remembered, [false, false, true, true], "{kind}");
            }
            let held = usize::try_from(held() - before).unwrap();
            let most = 2 * length + TOKENS * SMALL;
            assert!(held <= most, "{kind} of {bytes}: {held}, not {most}");
            // A large token takes no more than its text.
            let most = 2 * length + TOKENS * 1024;
            assert!(
                bytes < 10_000 || held <= most,
                "{kind} of {bytes}: {held}, not {most}"
            );
        }
    }
}

#[test]
fn what_is_remembered_of_all_tokens_is_bounded_whatever_their_claims() {
    const MOST: usize = 32 * 1024 * 1024;
    for (bytes, kinds, tokens) in [
        (300, &["numbers"][..], 6_000),
        (22_000, &["numbers", "short roles"], 700),
    ] {
        for (kind, members) in members(bytes)
            .iter()
            .filter(|(kind, _)| kinds.contains(kind))
        {
            let mut hoard = Hoard::new();
            let before = held();
            for number in 0..tokens {
                let token = hoard.token(number, members);
                for _ in 0..3 {
                    hoard.ask(&token);
                }
            }
            let held = usize::try_from(held() - before).unwrap();
            let first = hoard.token(0, members);
            assert!(
                !hoard.ask(&first),
                "{kind} of {bytes}: nothing was forgotten"
            );
            // Near enough that the bound is the reason, and not over it.
            assert!(
                (MOST / 3..=MOST).contains(&held),
                "{kind} of {bytes}: {held}"
            );
        }
    }
}
