//! Rules that hide: whatever a client sends, it gets what it would get where no rule matches, or `not_found`.

use std::cell::RefCell;

use base64ct::{Base64, Encoding};
use countersign::authenticate::jose::signature::{Algorithm, Pure};
use countersign::config;
use countersign::evaluate::{Circumstances, Outcome, evaluate};
use countersign::header_map::HeaderMap;
use countersign::mint::SigningKey;
use countersign::plan::Plan;
use countersign::reject::Code;
use countersign::request::RequestView;
use countersign::response::{Reply, reply};
use countersign::store::Store;
use countersign::time::Timestamp;
use serde_json::{Value, json};

const NOW: i64 = 1_800_000_000;

/// The first segment of paths under no rule.
const NOWHERE: &str = "nowhere";

/// The rules that hide, each below a first segment of that name.
fn hidden_rules() -> Vec<Value> {
    let rules = json!([
        {"name": "role", "require": {"roles": ["admin"]}},
        {"name": "scope", "require": {"any_scopes": ["admin", "root"]}},
        {"name": "any-of", "require": {"any_of": [{"roles": ["admin"]}, {"claims": {"level": 9}}]}},
        {"name": "partner", "providers": ["partner"], "require": {"roles": ["admin"]}},
        {"name": "both", "require_all": ["as", "device"], "require": {"roles": ["admin"]}},
        {"name": "inside", "networks": {"allow": ["10.0.0.0/8"]}, "require": {"roles": ["admin"]}},
        {"name": "strong", "require": {"acr": ["mfa"], "max_age": "5m", "roles": ["admin"]}},
        {"name": "path", "require": {"cel": "request.path == '/' && claims.level > 3"}},
        {"name": "bound", "match": {"paths": ["/bound/{id}/**"]}, "require": {"claims": {"sub": "{id}"}}},
        {"name": "field", "match": {"paths": ["/field/**"], "headers": {"x-preview": "1"}}, "require": {"roles": ["admin"]}},
        {"name": "method", "match": {"paths": ["/method/**"], "methods": ["GET", "POST"]}, "require": {"roles": ["admin"]}},
        {"name": "near", "match": {"paths": ["/near/**"], "networks": {"allow": ["10.0.0.0/8"]}}, "require": {"roles": ["admin"]}},
        {"name": "verb", "match": {"paths": ["/verb/{id}:drop"]}, "require": {"claims": {"sub": "{id}"}}},
        {"name": "absent", "match": {"paths": ["/absent/**"], "headers": {"x-preview": "absent"}}, "require": {"roles": ["admin"]}},
        {"name": "either", "match": {"paths": ["/either/**"], "headers": {"x-preview": ["1", "2"]}}, "require": {"roles": ["admin"]}},
    ]);
    let Value::Array(mut rules) = rules else {
        panic!("a list");
    };
    for rule in &mut rules {
        rule["on_forbidden"] = json!("not_found");
        if rule.get("match").is_none() {
            let name = rule["name"].as_str().expect("a name");
            rule["match"] = json!({"paths": [format!("/{name}/**")]});
        }
    }
    rules
}

/// Rules that hide and accept credentials of several kinds.
fn hidden_rules_of_kinds() -> Value {
    json!([
        {"name": "role", "match": {"paths": ["/role/**"]}, "require": {"roles": ["admin"]}, "on_forbidden": "not_found"},
        {"name": "keys", "match": {"paths": ["/keys/**"]}, "providers": ["keys"], "require": {"roles": ["admin"]}, "on_forbidden": "not_found"},
        {"name": "both", "match": {"paths": ["/both/**"]}, "require_all": ["as", "keys"], "require": {"roles": ["admin"]}, "on_forbidden": "not_found"},
        {"name": "apart", "match": {"paths": ["/apart/**"]}, "providers": ["keys", "staff"], "other_credentials": "ignore", "require": {"cel": "'as' in callers"}, "on_forbidden": "not_found"},
        {"name": "people", "match": {"paths": ["/people/**"]}, "require_all": ["staff", "keys"], "other_credentials": "ignore", "require": {"scopes": ["admin"]}, "on_forbidden": "not_found"},
        {"name": "strong", "match": {"paths": ["/strong/**"]}, "providers": ["keys"], "require": {"acr": ["mfa"]}, "on_forbidden": "not_found"},
        {"name": "sessions", "match": {"paths": ["/sessions/**"]}, "providers": ["as", "sessions"], "require": {"roles": ["admin"]}, "on_forbidden": "not_found"},
    ])
}

/// The configuration with providers of several kinds.
fn of_kinds(document: &mut Value) {
    let kinds = json!([
        // Of `key`.
        {"name": "keys", "api_key": {
            "from": [{"header": "x-api-key"}, {"cookie": "key"}],
            "keys": [{"id": "acme", "sha256": "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683"}],
        }},
        // Of `session`.
        {"name": "sessions", "api_key": {
            "from": [{"cookie": "session"}],
            "keys": [{"id": "web", "sha256": "3f3af1ecebbd1410ab417ec0d27bbfcb5d340e177ae159b59fc8626c2dfd9175"}],
        }},
        // Of `secret`.
        {"name": "staff", "basic": {"users": [{"name": "amy", "password": "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ="}]}},
    ]);
    for (list, members) in [("providers", &kinds), ("rules", &hidden_rules_of_kinds())] {
        let all = document[list].as_array_mut().expect("a list");
        all.retain(|rule| rule["on_forbidden"].is_null());
        let last = all.pop_if(|rule| rule["name"] == "last");
        all.extend(members.as_array().expect("a list").iter().cloned());
        all.extend(last);
    }
}

/// What a client shows of several kinds, and whether a provider vouches for it.
fn credentials_of_kinds(key: &SigningKey) -> Vec<(Vec<(&'static str, String)>, bool)> {
    let good = {
        let claims = json!({"iss": "https://as", "aud": "api", "sub": "amy", "exp": NOW + 300});
        let header = json!({"alg": "ES256", "kid": key.kid()});
        key.sign(Algorithm::Es256, &header, claims.to_string().as_bytes())
            .expect("signed")
    };
    let bearer = |token: &str| vec![("authorization", format!("Bearer {token}"))];
    let login = |login: &str| {
        let login = Base64::encode_string(login.as_bytes());
        vec![("authorization", format!("Basic {login}"))]
    };
    let api_key = |key: &str| vec![("x-api-key", key.to_owned())];
    let cookie = |cookie: &str| vec![("cookie", cookie.to_owned())];
    vec![
        (Vec::new(), false),
        (bearer(&good), true),
        (bearer("x"), false),
        (api_key("key"), true),
        (api_key("other"), false),
        (api_key("a b"), false),
        (api_key("a,b"), false),
        (cookie("key=key"), true),
        (cookie("key=other"), false),
        (cookie("session=session"), true),
        (cookie("session=other"), false),
        (vec![("x_api_key", "key".to_owned())], false),
        (login("amy:secret"), true),
        (login("amy:other"), false),
        (login("zoe:secret"), false),
        (login("amy"), false),
        ([bearer(&good), api_key("key")].concat(), true),
        ([bearer(&good), api_key("other")].concat(), false),
        ([bearer("x"), api_key("key")].concat(), false),
        ([login("amy:secret"), api_key("key")].concat(), true),
        ([login("amy:other"), api_key("key")].concat(), false),
        ([login("amy:other"), api_key("other")].concat(), false),
        (
            [login("amy:secret"), cookie("session=session")].concat(),
            true,
        ),
        ([api_key("key"), cookie("session=session")].concat(), true),
        ([api_key("key"), cookie("session=other")].concat(), false),
    ]
}

fn document(key: &SigningKey, default: &str, last: Option<&Value>, patch: &Value) -> Value {
    let provider = |name: &str| {
        json!({"name": name, "jwt": {
            "issuer": format!("https://{name}"),
            "audiences": ["api"],
            "jwks": {"inline": {"keys": [key.public_jwk()]}},
        }})
    };
    let mut device = provider("device");
    device["jwt"]["from"] = json!([{"header": "x-device"}]);
    let visible = json!([
        {"name": "public", "match": {"paths": ["/public/**"]}, "allow": "public"},
        {"name": "optional", "match": {"paths": ["/optional/**"]}, "allow": "optional"},
        {"name": "read", "match": {"paths": ["/read/**"]}, "require": {"scopes": ["read"]}},
        {"name": "closed", "match": {"paths": ["/closed"]}, "respond": {"status": 410}},
    ]);
    let mut rules = visible.as_array().expect("a list").clone();
    rules.extend(hidden_rules());
    rules.extend(last.cloned());
    let mut document = json!({
        "default": default,
        "origin": "https://api.example.com",
        "networks": {"deny": ["192.0.2.0/24"]},
        "providers": [provider("as"), provider("partner"), device],
        "rules": rules,
        "responses": {"challenge_scope": true, "forbidden_challenge": true, "documentation": "https://docs.example.com/"},
        "resource_metadata": {"resource": "https://api.example.com", "authorization_servers": ["https://as"]},
    });
    let members = patch.as_object().expect("an object").iter();
    for (name, value) in members {
        document[name] = value.clone();
    }
    document
}

/// What a client shows, and whether a provider vouches for it.
fn credentials(key: &SigningKey) -> Vec<(Vec<(&'static str, String)>, bool)> {
    let token = |changes: Value| {
        let mut claims =
            json!({"iss": "https://as", "aud": "api", "sub": "amy", "exp": NOW + 300, "level": 1});
        for (name, value) in changes.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        let header = json!({"alg": "ES256", "kid": key.kid()});
        key.sign(Algorithm::Es256, &header, claims.to_string().as_bytes())
            .expect("signed")
    };
    let bearer = |token: String| vec![("authorization", format!("Bearer {token}"))];
    let good = token(json!({}));
    let forged = format!("{}AAAA", &good[..good.len() - 4]);
    let device = vec![("x-device", token(json!({"iss": "https://device"})))];
    vec![
        (Vec::new(), false),
        (vec![("authorization", "Basic eDp5".to_owned())], false),
        (bearer(forged.clone()), false),
        (bearer(token(json!({"exp": NOW - 300}))), false),
        (bearer(token(json!({"iss": "https://other"}))), false),
        (bearer(token(json!({"aud": "other"}))), false),
        (bearer("x".to_owned()), false),
        (bearer("a b".to_owned()), false),
        (device.clone(), true),
        ([device.clone(), bearer(good.clone())].concat(), true),
        ([device, bearer(forged.clone())].concat(), false),
        (
            [vec![("x-device", forged.clone())], bearer(good.clone())].concat(),
            false,
        ),
        ([bearer(good.clone()), bearer(good.clone())].concat(), false),
        (bearer(good), true),
        (bearer(token(json!({"acr": "mfa", "auth_time": NOW}))), true),
        (bearer(token(json!({"iss": "https://partner"}))), true),
    ]
}

/// Paths that begin with a segment, or that some reading takes for one that does.
const PATHS: [&str; 29] = [
    "/{}",
    "/{}/",
    "/{}/x",
    "/{}/x/y?z=1",
    "/{}/../x",
    "/{}/../x/../y",
    "/x/../{}/y",
    "/{}.",
    "//{}/x",
    "/{}/./x",
    "/{};a=b/x",
    "/{}/x;y",
    "/{}%2Fx",
    "/{}%2F..%2Fx",
    "/x%252F..%252F{}/y",
    "/%2e%2e/{}/x",
    "/x\\..\\{}",
    "/public/../{}/x",
    "/{}/../read/x",
    "/{}/../closed",
    "/{}/../.well-known/oauth-protected-resource",
    "/{}/%00",
    "/{}.",
    "//host/{}/x",
    "/{}%3Fx",
    "/x;/../{}/y",
    "/{}/x:drop",
    "/{}/x%3Adrop",
    "/{}/a%2Fb/x%2Fy",
];

const FIELDS: [&[(&str, &str)]; 7] = [
    &[],
    &[("x-preview", "1")],
    &[("x-preview", "1"), ("x-preview", "2")],
    &[("accept", "text/html"), ("sec-fetch-mode", "navigate")],
    &[("accept", "application/problem+json")],
    &[("content-type", "application/grpc")],
    &[("origin", "https://app.example.com")],
];

const PREFLIGHT: &[(&str, &str)] = &[
    ("origin", "https://app.example.com"),
    ("access-control-request-method", "POST"),
];

/// The address of a client that the host does not know.
const UNKNOWN: &str = "unknown";

/// An address that no rule's networks admit.
const OUTSIDE: &str = "203.0.113.9";

const NOT_FOUND: &str = r#"{"error":"not_found","message":"Not Found"}"#;

/// A filter at work.
struct Worker {
    plan: Plan,
    store: RefCell<Store>,
}

/// What comes back; none where the request passes.
fn answer(
    worker: &Worker,
    method: &str,
    path: &str,
    client: &str,
    fields: &[(&str, &str)],
) -> Option<Reply> {
    let target = [
        (":method", method),
        (":path", path),
        (":authority", "api"),
        ("x-request-id", "17"),
    ];
    let pairs = target.iter().chain(fields);
    let pairs = pairs.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let request = RequestView::new(pairs.collect()).from_client(client.parse().ok());
    let now = Timestamp::from_seconds(NOW);
    let Worker { plan, store } = worker;
    let outcome = evaluate(
        plan,
        &request,
        &store.borrow(),
        Circumstances::new(&Pure, now),
        &mut (),
    );
    let Outcome::Decided(mut decision, effects) = outcome else {
        panic!("the keys are in the document");
    };
    decision.commit(effects, &mut store.borrow_mut(), (plan, &request), now);
    match decision.passage().is_some() {
        true => None,
        false => reply(&decision, &plan.presentation, &request, now),
    }
}

/// All that a client sees of an answer.
fn seen(reply: &Reply) -> (u16, &HeaderMap, &str) {
    (reply.status, &reply.headers, &reply.body)
}

/// A method, the client's address, and header fields.
type Situation = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

fn situations() -> Vec<Situation> {
    let mut all = Vec::new();
    for fields in FIELDS {
        all.extend(["10.1.2.3", OUTSIDE].map(|client| ("GET", client, fields)));
    }
    for method in ["HEAD", "POST", "OPTIONS", "DELETE", "TRACE", "get"] {
        all.push((method, OUTSIDE, FIELDS[0]));
    }
    all.extend(["10.1.2.3", OUTSIDE].map(|client| ("OPTIONS", client, PREFLIGHT)));
    all.push(("POST", "10.1.2.3", FIELDS[1]));
    all.push(("GET", "192.0.2.1", FIELDS[0]));
    all.extend(
        [("GET", FIELDS[0]), ("OPTIONS", PREFLIGHT)]
            .map(|(method, fields)| (method, UNKNOWN, fields)),
    );
    all
}

/// Holds every request to a hidden rule against the same one to a path under no rule.
fn hold(default: &str, patch: &Value) -> u32 {
    hold_above(default, None, patch)
}

/// Holds every request to a hidden rule against the same one to a path under none but the last rule. The result is how often
/// `not_found` was the answer.
fn hold_above(default: &str, last: Option<&Value>, patch: &Value) -> u32 {
    hold_of(Kinds::Tokens, default, last, patch)
}

/// The credentials with which the hidden rules are tried.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kinds {
    Tokens,
    Several,
}

fn hold_of(kinds: Kinds, default: &str, last: Option<&Value>, patch: &Value) -> u32 {
    let key = SigningKey::generate(Algorithm::Es256).with_kid(Some("1"));
    let load = |default: &str, last: Option<&Value>| {
        let mut document = document(&key, default, last, patch);
        if kinds == Kinds::Several {
            of_kinds(&mut document);
        }
        let loaded = config::load_value(&document);
        let plan = loaded.unwrap_or_else(|faults| panic!("{faults:?}")).plan;
        Worker {
            store: RefCell::new(plan.empty_store()),
            plan,
        }
    };
    // What is asked of those whom the default or the last rule lets pass.
    let (worker, strict) = (load(default, last), load("authenticated", None));
    let circumstances = situations();
    let (credentials, hidden) = match kinds {
        Kinds::Tokens => (credentials(&key), hidden_rules()),
        Kinds::Several => {
            let rules = hidden_rules_of_kinds();
            let rules = rules.as_array().expect("a list");
            (credentials_of_kinds(&key), rules.clone())
        }
    };
    // There are many last rules: each is tried with a third of the circumstances for each path, in turn.
    let step = if last.is_some() || kinds == Kinds::Several {
        3
    } else {
        1
    };
    let mut hidden_answers = 0;
    for (place, path) in PATHS.iter().enumerate() {
        for (method, client, fields) in circumstances.iter().skip(place % step).step_by(step) {
            for (credential, is_known) in &credentials {
                let credential = credential
                    .iter()
                    .map(|(name, value)| (*name, value.as_str()));
                let fields: Vec<_> = fields.iter().copied().chain(credential).collect();
                let ask = |worker: &Worker, segment: &str| {
                    answer(
                        worker,
                        method,
                        &path.replace("{}", segment),
                        client,
                        &fields,
                    )
                };
                let elsewhere = ask(&worker, NOWHERE);
                for rule in &hidden {
                    let name = rule["name"].as_str().expect("a name");
                    let what = || format!("{method} {path} of {name} from {client}: {fields:?}");
                    let found = ask(&worker, name);
                    let (Some(found), expected) = (found, elsewhere.as_ref()) else {
                        assert!(elsewhere.is_none(), "passes: {}", what());
                        let is_preflight = fields.contains(&PREFLIGHT[1]);
                        let fits_always = rule["match"].as_object().map(|keys| keys.len())
                            == Some(1)
                            && !["bound", "verb"].contains(&name);
                        assert!(is_preflight || !fits_always, "passes: {}", what());
                        continue;
                    };
                    if expected.is_some_and(|expected| seen(expected) == seen(&found)) {
                        continue;
                    }
                    // Where the last rule does not look at the invalid credential, the caller is known by the other one.
                    let is_known_there = kinds == Kinds::Several
                        && expected.is_some_and(|expected| expected.status == 403);
                    if *is_known || is_known_there {
                        let is_refusal = expected.is_none_or(|expected| match last {
                            None => expected.status == 403,
                            Some(_) => [400, 401, 403, 410].contains(&expected.status),
                        });
                        assert!(is_refusal && is_not_found(&found), "{}: {found:?}", what());
                        hidden_answers += 1;
                        continue;
                    }
                    assert!(expected.is_none(), "{}: {found:?}, {expected:?}", what());
                    // What cannot be let pass is asked for a credential, as by a default that asks for one.
                    let asked = ask(&strict, NOWHERE);
                    match asked {
                        Some(asked) => assert_eq!(seen(&found), seen(&asked), "{}", what()),
                        None => assert!(matches!(found.status, 400 | 401), "{}", what()),
                    }
                }
            }
        }
    }
    if patch.get("require").is_none() && kinds == Kinds::Tokens {
        assert!(hidden_answers > 1_000, "{hidden_answers}");
    }
    hidden_answers
}

fn is_not_found(reply: &Reply) -> bool {
    // A gRPC call has the status as a field, and the text as its message.
    let is_said = |body: &str| [NOT_FOUND, "Not Found"].contains(&body);
    reply.status == 404 && is_said(&reply.body) && reply.error == Some(Code::NotFound)
}

#[test]
fn a_hidden_rule_cannot_be_told_from_no_rule() {
    hold("deny", &json!({}));
}

#[test]
fn whatever_the_default() {
    for default in ["authenticated", "optional", "public"] {
        hold(default, &json!({}));
    }
}

#[test]
fn whatever_the_last_rule() {
    for last in [
        json!({}),
        json!({"require": {"scopes": ["read"]}}),
        json!({"networks": {"allow": ["10.0.0.0/8"]}}),
        json!({"require": {"cel": "!request.path.startsWith('/x')"}}),
        json!({"providers": ["partner"], "require": {"any_scopes": ["a", "b"]}}),
        json!({"require": {"acr": ["mfa"], "max_age": "5m"}}),
        json!({"require_all": ["device", "as"]}),
        json!({"require_all": ["partner", "device"], "other_credentials": "ignore", "require": {"scopes": ["read"]}}),
        json!({"allow": "public"}),
        json!({"allow": "public", "networks": {"deny": ["203.0.113.0/24"]}}),
        json!({"allow": "optional"}),
        json!({"allow": "optional", "providers": ["partner"]}),
        json!({"respond": {"status": 410}}),
        json!({"respond": {"status": 410}, "networks": {"allow": ["10.0.0.0/8"]}}),
        json!({"match": {"paths": ["/{any}/**"]}, "require": {"claims": {"sub": "{any}"}}}),
        json!({"match": {"methods": ["GET", "OPTIONS"]}, "require": {"scopes": ["read"]}}),
        json!({"match": {"methods": ["POST"]}, "respond": {"status": 410}}),
        json!({"match": {"headers": {"accept": "text/html"}}, "allow": "public"}),
        json!({"match": {"networks": {"allow": ["10.0.0.0/8"]}}, "allow": "public"}),
        json!({"match": {"networks": {"deny": ["10.0.0.0/8"]}}, "respond": {"status": 410}}),
        json!({"match": {"headers": {"x-preview": "absent"}}, "require": {"scopes": ["read"]}}),
    ] {
        let mut last = last;
        last["name"] = json!("last");
        hold_above("deny", Some(&last), &json!({}));
    }
}

#[test]
fn whatever_the_last_rule_and_the_preflights() {
    for preflight in ["answer", "authenticate"] {
        let cors = json!({"allow_origins": ["https://app.example.com"], "preflight": preflight});
        for last in [
            json!({"name": "last", "networks": {"allow": ["10.0.0.0/8"]}}),
            json!({"name": "last", "respond": {"status": 410}}),
            json!({"name": "last", "allow": "public"}),
        ] {
            hold_above("authenticated", Some(&last), &json!({"cors": cors}));
        }
    }
}

/// No caller has what is required here, and then even a known caller learns nothing.
#[test]
fn whatever_is_required_everywhere() {
    for require in [
        json!({"scopes": ["everywhere"]}),
        json!({"claims": {"level": 7}}),
        json!({"acr": ["phr", "mfa"], "max_age": "1m", "claims": {"level": 7}}),
        json!({"cel": "request.path == '/' && claims.level == 7"}),
    ] {
        assert_eq!(hold("deny", &json!({"require": require})), 0);
    }
    let require = json!({"require": {"claims": {"level": 7}}});
    assert_eq!(hold("optional", &require), 0);
    let last = json!({"name": "last", "providers": ["partner"], "require": {"scopes": ["read"]}});
    let both = json!({"name": "last", "require_all": ["as", "device"]});
    assert_eq!(hold_above("deny", Some(&both), &require), 0);
    let require = json!({"require": {"any_of": [{"scopes": ["a"]}, {"roles": ["b"]}]}});
    assert_eq!(hold_above("deny", Some(&last), &require), 0);
}

#[test]
fn whatever_some_callers_have() {
    let stronger = json!({"name": "last", "require": {"acr": ["phr", "mfa"], "max_age": "5m"}});
    let partner =
        json!({"name": "last", "providers": ["partner"], "require": {"scopes": ["read"]}});
    for (last, require) in [
        (None, json!({"acr": ["mfa"], "max_age": "5m"})),
        (Some(&stronger), json!({"acr": ["mfa"]})),
        (Some(&partner), json!({"cel": "provider == 'as'"})),
        (
            Some(&partner),
            json!({"cel": "request.method != 'POST' && request.path != '/z'"}),
        ),
    ] {
        assert!(hold_above("deny", last, &json!({"require": require})) > 0);
    }
}

#[test]
fn whatever_the_answers_look_like() {
    let cors = |preflight: &str| json!({"allow_origins": ["https://app.example.com"], "preflight": preflight});
    hold(
        "deny",
        &json!({
            "cors": cors("answer"),
            "responses": {"login": {"uri": "https://login.example.com/"}, "challenge_scope": true},
        }),
    );
    hold("deny", &json!({"cors": cors("authenticate")}));
}

#[test]
fn whatever_an_encoded_slash_is() {
    let segment = json!({"encoded_slash": "segment"});
    hold("deny", &segment);
    for last in [
        json!({"name": "last", "match": {"paths": ["/{any}/{id}/**"]}, "require": {"claims": {"sub": "{id}"}}}),
        json!({"name": "last", "match": {"paths": ["/{any}/**"]}, "require": {"scopes": ["read"]}}),
    ] {
        hold_above("deny", Some(&last), &segment);
    }
}

#[test]
fn whatever_the_kind_of_the_credential() {
    for last in [
        None,
        Some(json!({"providers": ["keys"]})),
        Some(
            json!({"providers": ["staff", "keys"], "require": {"scopes": ["read"]}, "other_credentials": "ignore"}),
        ),
        Some(json!({"require_all": ["staff", "keys"], "require": {"scopes": ["read"]}})),
        Some(json!({"allow": "optional", "providers": ["as"]})),
    ] {
        let last = last.map(|mut last| {
            last["name"] = json!("last");
            last
        });
        hold_of(Kinds::Several, "deny", last.as_ref(), &json!({}));
    }
}

/// For the log: clients do not see it.
#[test]
fn the_decision_names_the_rule_that_hides() {
    let key = SigningKey::generate(Algorithm::Es256).with_kid(Some("1"));
    let loaded = config::load_value(&document(&key, "deny", None, &json!({})));
    let plan = loaded.expect("a valid document").plan;
    for (path, fields, rule) in [
        ("/role/x", FIELDS[0], Some("role")),
        ("/role/../x", FIELDS[0], Some("role")),
        ("/x/../inside", FIELDS[0], Some("inside")),
        ("/inside", FIELDS[0], Some("inside")),
        ("/path//x", FIELDS[0], Some("path")),
        ("/field/x", FIELDS[2], Some("field")),
        ("/nowhere/x", FIELDS[2], None),
        ("/nowhere/../x", FIELDS[0], None),
        ("/read/x", FIELDS[2], Some("read")),
        ("/near/x", FIELDS[0], None),
        ("/either/x", FIELDS[2], Some("either")),
        ("/absent/x", FIELDS[0], Some("absent")),
    ] {
        let target = [(":method", "GET"), (":path", path), (":authority", "api")];
        let pairs = target.iter().chain(fields);
        let pairs = pairs.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let request = RequestView::new(pairs.collect()).from_client(OUTSIDE.parse().ok());
        let (store, now) = (plan.empty_store(), Timestamp::from_seconds(NOW));
        let outcome = evaluate(
            &plan,
            &request,
            &store,
            Circumstances::new(&Pure, now),
            &mut (),
        );
        let Outcome::Decided(decision, _) = outcome else {
            panic!("the keys are in the document");
        };
        assert!(decision.passage().is_none(), "{path}");
        assert_eq!(decision.rule_name(), rule, "{path}");
    }
}
