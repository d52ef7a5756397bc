//! Whoever fails too often, in a real Envoy: who is blocked, from when, until when, and what they are told.

use std::thread;
use std::time::Duration;

use countersign::authenticate::jose::signature::Algorithm;
use countersign::mint::SigningKey;
use serde_json::{Value, json};

use crate::support;
use crate::support::client::{self, Request, Response};
use crate::support::envoy::{Bootstrap, Envoy, module_path, wasm_filter};
use crate::support::issuer::Issuer;
use crate::support::until;
use crate::support::upstream::Upstream;

const ISSUER: &str = "https://login.example.com";

/// The tokens of a test: good ones, and ones that are refused for one reason each.
struct Tokens {
    key: SigningKey,
    /// Not of the provider, but called like its key.
    forged: SigningKey,
}

impl Tokens {
    fn new() -> Self {
        let key = || SigningKey::generate(Algorithm::Es256).with_kid(Some("one"));
        Self {
            key: key(),
            forged: key(),
        }
    }

    fn signed(key: &SigningKey, subject: &str, change: &Value) -> String {
        let mut claims = json!({
            "iss": ISSUER, "aud": "orders", "sub": subject, "exp": support::now() + 600,
        });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let header = json!({"alg": "ES256", "kid": key.kid()});
        let claims = claims.to_string();
        key.sign(Algorithm::Es256, &header, claims.as_bytes())
            .unwrap()
    }

    fn good(&self, subject: &str) -> String {
        Self::signed(&self.key, subject, &json!({}))
    }

    /// With a wrong signature.
    fn bad(&self, subject: &str) -> String {
        Self::signed(&self.forged, subject, &json!({}))
    }

    /// Refused, and no failure.
    fn honest(&self) -> Vec<String> {
        let other_key = SigningKey::generate(Algorithm::Es256).with_kid(Some("two"));
        vec![
            Self::signed(&self.key, "amy", &json!({"exp": support::now() - 600})),
            Self::signed(&self.key, "amy", &json!({"aud": "billing"})),
            Self::signed(&self.key, "amy", &json!({"iss": "https://other.example"})),
            Self::signed(&other_key, "amy", &json!({})),
            "no-token".to_owned(),
            "two tokens".to_owned(),
        ]
    }

    fn document(&self, throttle: &Value) -> Value {
        let keys = json!({"inline": {"keys": [self.key.public_jwk()]}});
        json!({
            "throttle": throttle,
            "providers": [{"name": "corp", "jwt": {"issuer": ISSUER, "audiences": ["orders"], "jwks": keys}}],
            "rules": [
                {"name": "open", "match": {"paths": ["/open"]}, "allow": "public"},
                {"name": "optional", "match": {"paths": ["/optional"]}, "allow": "optional"},
                {"name": "closed", "match": {"paths": ["/closed"]}, "respond": {"status": 410}},
                {"name": "any"},
            ],
        })
    }
}

/// A request to be sent.
struct Ask<'a> {
    envoy: &'a Envoy,
    listener: &'a str,
    method: &'a str,
    target: &'a str,
    from: &'a str,
    token: Option<&'a str>,
    headers: &'a [(&'a str, &'a str)],
}

impl<'a> Ask<'a> {
    fn of(envoy: &'a Envoy, listener: &'a str) -> Self {
        Self {
            envoy,
            listener,
            method: "GET",
            target: "/",
            from: "192.0.2.1",
            token: None,
            headers: &[],
        }
    }

    fn from(self, from: &'a str) -> Self {
        Self { from, ..self }
    }

    fn to(self, target: &'a str) -> Self {
        Self { target, ..self }
    }

    fn method(self, method: &'a str) -> Self {
        Self { method, ..self }
    }

    fn with(self, headers: &'a [(&'a str, &'a str)]) -> Self {
        Self { headers, ..self }
    }

    fn showing(self, token: &'a str) -> Self {
        Self {
            token: Some(token),
            ..self
        }
    }

    fn send(&self) -> Response {
        let authorization = self.token.map(|token| format!("Bearer {token}"));
        let mut headers: Vec<(&[u8], &[u8])> = vec![
            (b"host", b"api.example.com"),
            (b"x-forwarded-for", self.from.as_bytes()),
        ];
        if let Some(authorization) = &authorization {
            headers.push((b"authorization", authorization.as_bytes()));
        }
        for (name, value) in self.headers {
            headers.push((name.as_bytes(), value.as_bytes()));
        }
        let request = Request {
            method: self.method.as_bytes(),
            target: self.target.as_bytes(),
            headers,
            body: b"",
        };
        client::send(self.envoy.listener(self.listener), &request).unwrap()
    }

    fn status(&self) -> u16 {
        self.send().status
    }

    /// Asks so many times; every answer has that status.
    fn gets(&self, times: usize, status: u16) {
        for time in 0..times {
            assert_eq!(self.status(), status, "the {}th time", time + 1);
        }
    }
}

/// A response without what differs between any two.
fn comparable(response: &Response) -> (u16, Vec<(String, Vec<u8>)>, Value) {
    let own = ["date", "x-request-id"];
    let headers = response
        .headers
        .iter()
        .filter(|(name, _)| !own.contains(&name.as_str()));
    let mut body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    for member in ["timestamp", "request_id"] {
        if let Some(members) = body.as_object_mut() {
            members.remove(member);
        }
    }
    (response.status, headers.cloned().collect(), body)
}

fn retry_after(response: &Response) -> u64 {
    let values: Vec<_> = response.values("retry-after").collect();
    let [value] = values[..] else {
        panic!("one Retry-After: {values:?}");
    };
    std::str::from_utf8(value).unwrap().parse().unwrap()
}

fn ends_well(envoy: &Envoy) {
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}

fn three() -> Value {
    json!({"failures": 3, "window": "10m", "block": "1h"})
}

fn start(upstream: &Upstream, document: &Value) -> Envoy {
    Envoy::start(Bootstrap::new(upstream.port()).forwarded_listener("api", document))
}

/// H-30, H-31, G-04.
#[test]
fn too_many_failures_block_whatever_is_shown_then() {
    let (upstream, tokens) = (Upstream::start(), Tokens::new());
    let envoy = start(&upstream, &tokens.document(&three()));
    let (good, bad) = (tokens.good("amy"), tokens.bad("amy"));
    let ask = || Ask::of(&envoy, "api");

    ask().showing(&bad).gets(2, 401);
    // That one was good takes nothing back; and what is refused from memory counts again.
    ask().showing(&good).gets(1, 200);
    ask().showing(&bad).gets(1, 401);

    let blocked = ask().send();
    assert_eq!(blocked.status, 429);
    assert_eq!(blocked.values("www-authenticate").count(), 0);
    assert_eq!(
        blocked.values("cache-control").collect::<Vec<_>>(),
        [b"no-store"]
    );
    assert!((1..=3_600).contains(&retry_after(&blocked)));
    let body: Value = serde_json::from_slice(&blocked.body).unwrap();
    assert_eq!(body["error"], "too_many_failures");
    assert_eq!(body["status"], 429);

    // The same for everyone. It counts down, so that all are asked until they fall into one second.
    let malformed = [("authorization", "Bearer a b")];
    until("one second for all", || {
        let asked = [
            ask().send(),
            ask().showing(&good).send(),
            ask().showing(&bad).send(),
            ask().with(&malformed).send(),
        ];
        let [none, rest @ ..] = &asked;
        if rest
            .iter()
            .any(|other| retry_after(other) != retry_after(none))
        {
            return false;
        }
        for other in rest {
            assert_eq!(comparable(other), comparable(none));
        }
        true
    });

    // Nobody else, and nothing that asks for nothing.
    ask().from("192.0.2.2").showing(&good).gets(1, 200);
    ask().to("/open").gets(1, 200);
    ask().to("/closed").gets(1, 410);
    let preflight = [
        ("origin", "https://app.example.com"),
        ("access-control-request-method", "GET"),
    ];
    ask().method("OPTIONS").with(&preflight).gets(1, 200);
    // But where a credential may be shown.
    ask().to("/optional").gets(1, 429);
    ask().from("192.0.2.2").to("/optional").gets(1, 200);

    // A page says it, and a call has a status of its own.
    let page = ask().with(&[("accept", "text/html")]).send();
    assert_eq!(page.status, 429);
    assert!(String::from_utf8_lossy(&page.body).contains("Too many failures"));
    let case = [("content-type", "application/grpc"), ("x-case", "call")];
    let call = ask().method("POST").with(&case).send();
    assert_eq!(call.status, 200);
    assert_eq!(call.values("grpc-status").collect::<Vec<_>>(), [b"8"]);
    assert!(retry_after(&call) > 0);

    let entries = envoy.access_log_of(&["call".to_owned()]);
    assert_eq!(
        entries["call"]["details"], "countersign_too_many_failures",
        "{entries:?}"
    );
    assert_eq!(entries["call"]["reason"], "too_many_failures");
    until("all is counted", || {
        envoy.counted("denied.429.too_many_failures") > 5
    });
    assert_eq!(envoy.counted("denied.401.invalid_token"), 3);
    assert!(
        envoy
            .log()
            .contains(r#""status":429,"error":"too_many_failures""#)
    );
    ends_well(&envoy);
}

#[test]
fn what_an_honest_caller_is_refused_for_is_no_failure() {
    let (upstream, tokens) = (Upstream::start(), Tokens::new());
    let envoy = start(&upstream, &tokens.document(&three()));
    let ask = || Ask::of(&envoy, "api");
    for token in tokens.honest() {
        let status = if token.contains(' ') { 400 } else { 401 };
        ask().showing(&token).gets(4, status);
    }
    ask().gets(4, 401);
    ask().showing(&tokens.good("amy")).gets(1, 200);
    ends_well(&envoy);
}

/// Microsoft Graph's tokens, for example, are of the same issuer, and only Microsoft Graph can verify them.
#[test]
fn a_token_for_another_audience_is_no_failure_whatever_its_signature() {
    let (upstream, tokens) = (Upstream::start(), Tokens::new());
    let envoy = start(&upstream, &tokens.document(&three()));
    let ask = || Ask::of(&envoy, "api");
    for change in [
        json!({"aud": "graph"}),
        json!({"aud": ["graph", "billing"]}),
        json!({"aud": null}),
        json!({"iss": "https://other.example"}),
    ] {
        let token = Tokens::signed(&tokens.forged, "amy", &change);
        ask().showing(&token).gets(5, 401);
    }
    ask().showing(&tokens.good("amy")).gets(1, 200);
    ask().showing(&tokens.bad("amy")).gets(3, 401);
    ask().showing(&tokens.good("amy")).gets(1, 429);
    ends_well(&envoy);
}

/// Takes half a minute, because the cool-down cannot be configured.
#[test]
fn wrong_signatures_under_a_fetched_key_count_once_a_fetch_has_returned_the_key() {
    let (upstream, tokens) = (Upstream::start(), Tokens::new());
    let issuer = Issuer::with_keys(&[&tokens.key]);
    let mut document = tokens.document(&three());
    document["providers"][0]["jwt"]["jwks"] =
        json!({"remote": {"uri": issuer.url("/jwks"), "cluster": "issuer"}});
    let envoy = Envoy::start(
        Bootstrap::new(upstream.port())
            .cluster("issuer", &[issuer.port()])
            .concurrency(4)
            .forwarded_listener("api", &document),
    );
    until("keys are fetched", || envoy.counted("jwks.fetched") == 1);
    let ask = || Ask::of(&envoy, "api");
    ask().showing(&tokens.good("amy")).gets(8, 200);
    // The issuer may have replaced the key.
    for _ in 0..4 {
        ask().showing(&tokens.bad("amy")).gets(5, 401);
    }
    ask().showing(&tokens.good("amy")).gets(1, 200);
    thread::sleep(Duration::from_secs(30));
    // This request waits for the keys, which are the same.
    ask().showing(&tokens.bad("amy")).gets(1, 401);
    assert_eq!(issuer.asked("/jwks"), 2);
    thread::sleep(Duration::from_millis(300));
    ask().showing(&tokens.bad("amy")).gets(2, 401);
    ask().showing(&tokens.good("amy")).gets(8, 429);
    assert_eq!(issuer.asked("/jwks"), 2);
    ends_well(&envoy);
}

#[test]
fn a_network_of_ipv6_is_one_address() {
    let (upstream, tokens) = (Upstream::start(), Tokens::new());
    let envoy = start(&upstream, &tokens.document(&three()));
    let (good, bad) = (tokens.good("amy"), tokens.bad("amy"));
    let ask = |from| Ask::of(&envoy, "api").from(from);
    for from in ["2001:db8:1:2::1", "2001:db8:1:2::2", "2001:db8:1:2:ffff::3"] {
        ask(from).showing(&bad).gets(1, 401);
    }
    ask("2001:db8:1:2:aaaa:bbbb:cccc:dddd")
        .showing(&good)
        .gets(1, 429);
    ask("2001:db8:1:3::1").showing(&good).gets(1, 200);

    for from in ["192.0.2.7", "::ffff:192.0.2.7", "::ffff:c000:207"] {
        ask(from).showing(&bad).gets(1, 401);
    }
    ask("192.0.2.7").showing(&good).gets(1, 429);
    ends_well(&envoy);
}

#[test]
fn a_block_counts_down_and_ends_although_it_is_knocked_at() {
    let (upstream, tokens) = (Upstream::start(), Tokens::new());
    let throttle = json!({"failures": 2, "window": "10m", "block": "3s"});
    let envoy = start(&upstream, &tokens.document(&throttle));
    let (good, bad) = (tokens.good("amy"), tokens.bad("amy"));
    let ask = || Ask::of(&envoy, "api");
    ask().showing(&bad).gets(2, 401);
    let mut told = Vec::new();
    until("the end of the block", || {
        let response = ask().showing(&good).send();
        if response.status == 429 {
            told.push(retry_after(&response));
            ask().send();
        }
        response.status == 200
    });
    assert!(told.iter().all(|seconds| (1..=3).contains(seconds)));
    assert!(told.is_sorted_by(|earlier, later| earlier >= later));
    // What counted before the block is settled with it.
    ask().showing(&bad).gets(1, 401);
    ask().showing(&good).gets(1, 200);
    ends_well(&envoy);
}

#[test]
fn a_blocked_caller_who_goes_on_is_not_blocked_for_longer() {
    let (upstream, tokens) = (Upstream::start(), Tokens::new());
    let throttle = json!({"failures": 1, "window": "10m", "block": "1h"});
    let envoy = start(&upstream, &tokens.document(&throttle));
    let bad = tokens.bad("amy");
    let ask = || Ask::of(&envoy, "api").showing(&bad);
    ask().gets(1, 401);
    let first = retry_after(&ask().send());
    until("less to wait", || retry_after(&ask().send()) < first);
    ends_well(&envoy);
}

#[test]
fn all_workers_count_together() {
    let (upstream, tokens) = (Upstream::start(), Tokens::new());
    let throttle = json!({"failures": 12, "window": "10m", "block": "1h"});
    let document = tokens.document(&throttle);
    let envoy = Envoy::start(
        Bootstrap::new(upstream.port())
            .concurrency(4)
            .forwarded_listener("api", &document),
    );
    let (good, bad) = (tokens.good("amy"), tokens.bad("amy"));
    let ask = || Ask::of(&envoy, "api");
    // Each on a connection of its own, many at a time.
    thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| ask().showing(&bad).gets(1, 401));
        }
    });
    ask().showing(&good).gets(24, 429);
    ask().from("192.0.2.2").showing(&good).gets(24, 200);
    ends_well(&envoy);
}

#[test]
fn who_is_exempt_is_neither_counted_nor_blocked() {
    let (upstream, tokens) = (Upstream::start(), Tokens::new());
    let mut throttle = three();
    throttle["by"] = json!(["address", "user"]);
    throttle["exempt"] = json!(["10.0.0.0/8", "2001:db8::/32"]);
    let envoy = start(&upstream, &tokens.document(&throttle));
    let (good, bad) = (tokens.good("amy"), tokens.bad("amy"));
    let ask = |from| Ask::of(&envoy, "api").from(from);
    for from in ["10.1.2.3", "::ffff:10.1.2.3", "2001:db8::1"] {
        ask(from).showing(&bad).gets(4, 401);
        ask(from).showing(&good).gets(1, 200);
    }
    // Nor does it count for the user elsewhere.
    ask("192.0.2.1").showing(&good).gets(1, 200);
    ask("192.0.2.1").showing(&bad).gets(3, 401);
    ask("192.0.2.2").showing(&good).gets(1, 429);
    ask("10.1.2.3").showing(&good).gets(1, 200);
    ends_well(&envoy);
}

#[test]
fn a_user_is_blocked_wherever_they_are() {
    let (upstream, tokens) = (Upstream::start(), Tokens::new());
    let mut throttle = three();
    throttle["by"] = json!(["user"]);
    let envoy = start(&upstream, &tokens.document(&throttle));
    let ask = |from| Ask::of(&envoy, "api").from(from);
    let (amy, ben) = (tokens.good("amy"), tokens.good("ben"));
    // Remembered as good: it is blocked all the same.
    ask("192.0.2.9").showing(&amy).gets(3, 200);
    for from in ["192.0.2.1", "192.0.2.2", "2001:db8::1"] {
        ask(from).showing(&tokens.bad("amy")).gets(1, 401);
    }
    ask("192.0.2.9").showing(&amy).gets(1, 429);
    ask("192.0.2.9").showing(&tokens.good("amy")).gets(1, 429);
    ask("192.0.2.9").showing(&tokens.bad("amy")).gets(1, 429);
    // Whoever names nobody, or another, is not.
    ask("192.0.2.1").showing(&ben).gets(1, 200);
    ask("192.0.2.1").gets(1, 401);
    ask("192.0.2.1").showing("no-token").gets(1, 401);
    ends_well(&envoy);
}

#[test]
fn in_the_shadow_it_is_counted_and_everything_passes() {
    let (upstream, tokens) = (Upstream::start(), Tokens::new());
    let mut document = tokens.document(&three());
    document["mode"] = json!("shadow");
    let envoy = start(&upstream, &document);
    let bad = tokens.bad("amy");
    let ask = || Ask::of(&envoy, "api");
    ask().showing(&bad).gets(5, 200);
    ask().showing(&tokens.good("amy")).gets(1, 200);
    until("all is counted", || {
        envoy.counted("shadow_denied.429.too_many_failures") == 3
    });
    assert_eq!(envoy.counted("shadow_denied.401.invalid_token"), 3);
    ends_well(&envoy);
}

/// In one VM, which has its data in common.
#[test]
fn two_filters_do_not_count_together() {
    let (upstream, tokens) = (Upstream::start(), Tokens::new());
    let filter = |name: &str, throttle: &Value| {
        let document = tokens.document(throttle);
        let mut filter = wasm_filter("shared", &module_path(), &document);
        filter["typed_config"]["config"]["name"] = json!(name);
        filter
    };
    let four = json!({"failures": 4, "window": "10m", "block": "1h"});
    let envoy = Envoy::start(
        Bootstrap::new(upstream.port())
            .listener_with("one", &[filter("one", &three())])
            .listener_with("other-name", &[filter("two", &three())])
            .listener_with("other-limits", &[filter("one", &four)])
            .listener_with("same", &[filter("one", &three())]),
    );
    let (good, bad) = (tokens.good("amy"), tokens.bad("amy"));
    Ask::of(&envoy, "one").showing(&bad).gets(3, 401);
    for (listener, status) in [
        ("one", 429),
        ("other-name", 200),
        ("other-limits", 200),
        ("same", 429),
    ] {
        let got = Ask::of(&envoy, listener).showing(&good).status();
        assert_eq!(got, status, "{listener}");
    }
    ends_well(&envoy);
}

/// Whoever is blocked does not get in by a change of the document.
#[test]
fn a_block_outlives_a_new_document() {
    let (upstream, tokens) = (Upstream::start(), Tokens::new());
    let base = || Bootstrap::new(upstream.port());
    let mut document = tokens.document(&three());
    let first = base().concurrency(2).dynamic();
    let envoy = Envoy::start(first.forwarded_listener("api", &document));
    let ask = |from| Ask::of(&envoy, "api").from(from);
    ask("192.0.2.1").showing(&tokens.bad("amy")).gets(3, 401);
    document["realm"] = json!("changed");
    envoy.change_listeners(base().forwarded_listener("api", &document));
    until("the document is changed", || {
        let response = ask("192.0.2.2").send();
        response.values("www-authenticate").next() == Some(b"Bearer realm=\"changed\"")
    });
    ask("192.0.2.1").showing(&tokens.good("amy")).gets(8, 429);
    ask("192.0.2.2").showing(&tokens.good("amy")).gets(8, 200);
    ends_well(&envoy);
}
