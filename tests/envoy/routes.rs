//! Rules by route in a real Envoy, whose routes differ by what a client sends; and two filters in one chain.
//!
//! Each attack would work without what refuses it: what Envoy does with such a request is shown beside it.

use countersign::authenticate::jose::signature::Algorithm;
use countersign::mint::SigningKey;
use serde_json::{Value, json};

use crate::support;
use crate::support::client::{self, Request, Response};
use crate::support::envoy::{Bootstrap, Envoy, module_path, wasm_filter};
use crate::support::issuer::{Issuer, Page};
use crate::support::until;
use crate::support::upstream::Upstream;

/// A route that adds its name to what the upstream gets.
fn route(name: &str, matches: Value) -> Value {
    json!({
        "name": name,
        "match": matches,
        "route": {"cluster": "upstream"},
        "request_headers_to_add": [{"header": {"key": "x-taken", "value": name}}]
    })
}

/// What a client may send to be on the route `open`; everything else is on `guarded`.
fn routes() -> Vec<Value> {
    let field =
        |name: &str| json!({"prefix": "/", "headers": [{"name": name, "present_match": true}]});
    vec![
        route("open", field("x-auth-subject")),
        route("open", field("x-http-method-override")),
        route(
            "in-query",
            json!({"prefix": "/", "query_parameters": [{"name": "token", "present_match": true}]}),
        ),
        route("guarded", json!({"prefix": "/"})),
    ]
}

/// The route `open` is for all, everything else for nobody.
fn by_route() -> Value {
    json!({
        "identity": {"headers": {"x-auth-subject": "{subject}"}},
        "rules": [{"name": "open", "match": {"route": ["open"]}, "allow": "public"}]
    })
}

/// Nobody is asked, and identity fields are taken out.
fn for_all() -> Value {
    json!({
        "identity": {"headers": {"x-auth-subject": "{subject}"}},
        "default": "public"
    })
}

fn filter(name: &str, vm_id: &str, document: &Value) -> Value {
    let mut filter = wasm_filter(vm_id, &module_path(), document);
    filter["name"] = json!(name);
    filter["typed_config"]["config"]["name"] = json!(name);
    filter["typed_config"]["config"]["root_id"] = json!(name);
    filter
}

fn ask(
    envoy: &Envoy,
    listener: &str,
    method: &str,
    target: &str,
    fields: &[(&str, &str)],
) -> Response {
    let request = Request::of(method, target, "api.example.com", fields.iter().copied());
    client::send(envoy.listener(listener), &request).unwrap()
}

/// A field as the upstream got it.
fn at_upstream(response: &Response, name: &str) -> Option<String> {
    assert_eq!(
        response.status,
        200,
        "{}",
        String::from_utf8_lossy(&response.body)
    );
    let shown: Value = serde_json::from_slice(&response.body).unwrap();
    let fields = shown["headers"].as_array().unwrap();
    let field = fields
        .iter()
        .find(|field| field[0].as_str().unwrap().eq_ignore_ascii_case(name));
    field.map(|field| field[1].as_str().unwrap().to_owned())
}

fn error(response: &Response) -> (u16, String) {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    (
        response.status,
        body["error"].as_str().unwrap_or_default().to_owned(),
    )
}

fn at_risk() -> (u16, String) {
    (400, "invalid_request".to_owned())
}

#[test]
fn nothing_that_is_taken_out_chooses_the_route_that_is_judged() {
    let upstream = Upstream::start();
    let mut other_field = by_route();
    other_field["identity"]["headers"] = json!({"x-other": "{subject}"});
    let mut preflights = by_route();
    preflights["identity"] = json!({});
    let envoy = Envoy::start(
        Bootstrap::new(upstream.port())
            .routed_listener("for-all", &for_all(), &routes())
            .routed_listener("by-route", &by_route(), &routes())
            .routed_listener("other-field", &other_field, &routes())
            .routed_listener("preflights", &preflights, &routes()),
    );
    let forged = [("x-auth-subject", "root")];

    // Where the field stays, its route is judged and taken.
    let stays = ask(&envoy, "other-field", "GET", "/", &forged);
    assert_eq!(at_upstream(&stays, "x-taken").as_deref(), Some("open"));
    // Where it is taken out, Envoy takes another than it had chosen.
    let removed = ask(&envoy, "for-all", "GET", "/", &forged);
    assert_eq!(at_upstream(&removed, "x-taken").as_deref(), Some("guarded"));
    // So such a request is refused, and what carries nothing of the kind is judged by the route that it takes.
    assert_eq!(
        error(&ask(&envoy, "by-route", "GET", "/", &forged)),
        at_risk()
    );
    let spelled = [("X_Auth_Subject", "root")];
    assert_eq!(
        error(&ask(&envoy, "by-route", "GET", "/", &spelled)),
        at_risk()
    );
    assert_eq!(ask(&envoy, "by-route", "GET", "/", &[]).status, 403);

    let preflight = [
        ("origin", "https://app.example.com"),
        ("access-control-request-method", "GET"),
    ];
    let overriding = [
        preflight[0],
        preflight[1],
        ("x-http-method-override", "GET"),
    ];
    let removed = ask(&envoy, "for-all", "OPTIONS", "/", &overriding);
    assert_eq!(at_upstream(&removed, "x-taken").as_deref(), Some("guarded"));
    assert_eq!(
        error(&ask(&envoy, "preflights", "OPTIONS", "/", &overriding)),
        at_risk()
    );
    let passes = ask(&envoy, "preflights", "OPTIONS", "/", &preflight);
    assert_eq!(at_upstream(&passes, "x-taken").as_deref(), Some("guarded"));
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}

/// A filter does not see that one before it has taken something out, and that Envoy will choose again.
#[test]
fn what_an_earlier_filter_takes_out_chooses_no_route_either() {
    let upstream = Upstream::start();
    let mut second = by_route();
    second["identity"] = json!({});
    let chain = [
        filter("first", "one", &for_all()),
        filter("second", "two", &second),
    ];
    let envoy = Envoy::start(
        Bootstrap::new(upstream.port())
            .routed_listener_with("chain", &chain, &routes())
            .routed_listener("second", &second, &routes()),
    );
    let forged = [("x-auth-subject", "root")];
    let stays = ask(&envoy, "second", "GET", "/", &forged);
    assert_eq!(at_upstream(&stays, "x-taken").as_deref(), Some("open"));
    assert_eq!(error(&ask(&envoy, "chain", "GET", "/", &forged)), at_risk());
    assert_eq!(error(&ask(&envoy, "chain", "GET", "/", &[])).0, 403);
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}

/// What Envoy has for metadata, and what a rule makes of it.
#[test]
fn a_policy_is_a_text_or_a_list_of_texts() {
    let upstream = Upstream::start();
    let with = |path: &str, policy: Value| {
        let mut route = route(path, json!({"path": path}));
        route["metadata"] = json!({"filter_metadata": {"countersign": {"policy": policy}}});
        route
    };
    let cases = [
        ("/text", json!("free"), true),
        ("/list", json!(["x", "free"]), true),
        ("/alone", json!(["free"]), true),
        ("/other", json!("freely"), false),
        ("/others", json!(["fre", "e"]), false),
        ("/empty", json!(""), false),
        ("/none", json!([]), false),
        ("/number", json!(7), false),
        ("/mixed", json!([1, true, "free"]), true),
        ("/nested", json!([["free"], "x"]), false),
        ("/object", json!({"is": "free"}), false),
        ("/true", json!(true), false),
    ];
    // Envoy does not hand these over; whether they hold a policy that lets nobody pass cannot be said.
    let unreadable = [
        ("/null-first", json!([1, true, null, "free"])),
        ("/null-last", json!(["free", null])),
    ];
    let routes: Vec<Value> = cases
        .iter()
        .map(|(path, policy, _)| (*path, policy))
        .chain(unreadable.iter().map(|(path, policy)| (*path, policy)))
        .map(|(path, policy)| with(path, policy.clone()))
        .collect();
    let document =
        json!({"rules": [{"name": "free", "match": {"policy": ["free"]}, "allow": "public"}]});
    let envoy = Envoy::start(
        Bootstrap::new(upstream.port()).routed_listener("policies", &document, &routes),
    );
    for (path, policy, fits) in cases {
        let status = ask(&envoy, "policies", "GET", path, &[]).status;
        assert_eq!(status, if fits { 200 } else { 403 }, "{policy}");
    }
    for (path, policy) in unreadable {
        let status = ask(&envoy, "policies", "GET", path, &[]).status;
        assert_eq!(status, 503, "{policy}");
    }
    assert_eq!(ask(&envoy, "policies", "GET", "/nowhere", &[]).status, 403);
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}

/// A route whose policy Envoy cannot return is a fault of the configuration: the log names it once, not per request.
#[test]
fn a_route_whose_policy_cannot_be_read_is_named_in_the_log_once() {
    let upstream = Upstream::start();
    let route = |path: &str, name: Option<&str>, policy: Value| {
        let mut route = json!({"match": {"path": path}, "route": {"cluster": "upstream"}});
        route["metadata"] = json!({"filter_metadata": {"countersign": {"policy": policy}}});
        if let Some(name) = name {
            route["name"] = json!(name);
        }
        route
    };
    let long = "l".repeat(5000);
    let mut routes = vec![
        route("/null", Some("legacy"), Value::Null),
        route(
            "/list",
            Some("li\u{1b}[31mst\u{202e}"),
            json!(["free", null]),
        ),
        route("/unnamed", None, Value::Null),
        route("/long", Some(&long), Value::Null),
        route("/good", Some("good"), json!("free")),
    ];
    routes.extend((0..100).map(|number| {
        let name = format!("many-{number}-");
        route(&format!("/many/{number}"), Some(&name), Value::Null)
    }));
    let document = json!({
        "audit": {"log": "none"},
        "rules": [{"name": "free", "match": {"policy": ["free"]}, "allow": "public"}],
    });
    let envoy = Envoy::start(
        Bootstrap::new(upstream.port()).routed_listener("policies", &document, &routes),
    );
    let status = |path: &str| ask(&envoy, "policies", "GET", path, &[]).status;
    let lines = || -> Vec<String> {
        let log = envoy.log();
        let lines = log
            .lines()
            .filter(|line| line.contains("countersign: ") && !line.contains("[info]"));
        lines.map(str::to_owned).collect()
    };
    for _ in 0..3 {
        for path in ["/null", "/list", "/unnamed", "/long"] {
            assert_eq!(status(path), 503, "{path}");
        }
        assert_eq!(status("/good"), 200);
    }
    until("the routes are named", || lines().len() >= 4);
    let shown = lines();
    assert_eq!(shown.len(), 4, "{shown:#?}");
    let expected = [
        "route `legacy`: the host cannot return `filter_metadata.countersign.policy`",
        "route `li\\u001b[31mst\\u202e`: the host",
        "route without a name, virtual host `all`, cluster `upstream`: the host",
        &format!("route `{}`: the host", "l".repeat(256)),
    ];
    for (line, expected) in shown.iter().zip(expected) {
        assert!(line.contains(expected), "{line}");
    }
    for _ in 0..2 {
        for number in 0..100 {
            assert_eq!(status(&format!("/many/{number}")), 503);
        }
    }
    until("the last line", || lines().len() >= 65);
    let shown = lines();
    assert_eq!(shown.len(), 65);
    assert!(
        shown[64].contains("too many different lines: further ones are not logged"),
        "{}",
        shown[64]
    );
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}

struct Party {
    key: SigningKey,
    issuer: Issuer,
    cluster: &'static str,
}

impl Party {
    fn new(cluster: &'static str) -> Self {
        let key = SigningKey::generate(Algorithm::Es256).with_kid(Some("one"));
        let issuer = Issuer::with_keys(&[&key]);
        Self {
            key,
            issuer,
            cluster,
        }
    }

    fn token(&self) -> String {
        let claims = json!({
            "iss": format!("https://{}.example.com", self.cluster), "aud": "orders",
            "sub": format!("amy of {}", self.cluster), "exp": support::now() + 600,
        });
        let header = json!({"alg": "ES256", "kid": "one"});
        self.key
            .sign(Algorithm::Es256, &header, claims.to_string().as_bytes())
            .unwrap()
    }

    fn document(&self, from: &Value, rules: &Value) -> Value {
        let remote =
            json!({"uri": self.issuer.url("/jwks"), "cluster": self.cluster, "timeout": "10s"});
        json!({
            "realm": self.cluster,
            "providers": [{"name": self.cluster, "jwt": {
                "issuer": format!("https://{}.example.com", self.cluster), "audiences": ["orders"],
                "jwks": {"remote": remote}, "from": [from]
            }}],
            "identity": {"headers": {format!("x-{}-subject", self.cluster): "{subject}"}},
            "default": "authenticated",
            "rules": rules
        })
    }
}

fn two_filters(vm_ids: [&str; 2]) {
    let upstream = Upstream::start();
    let (callers, sessions) = (Party::new("callers"), Party::new("sessions"));
    let first = callers.document(
        &json!({"header": "authorization", "scheme": "Bearer"}),
        &json!([{"name": "health", "match": {"paths": ["/healthz"]}, "allow": "public"}]),
    );
    let second = sessions.document(
        &json!({"cookie": "session"}),
        &json!([
            {"name": "elsewhere", "match": {"paths": ["/elsewhere"]}, "networks": {"deny": ["127.0.0.0/8"]}},
            {"name": "all", "match": {"paths": ["/healthz"]}, "allow": "public"},
        ]),
    );
    let bootstrap = |first: &Value, second: &Value| {
        Bootstrap::new(upstream.port())
            .cluster("callers", &[callers.issuer.port()])
            .cluster("sessions", &[sessions.issuer.port()])
            .dynamic()
            .listener_with(
                "chain",
                &[
                    filter("countersign-callers", vm_ids[0], first),
                    filter("countersign-sessions", vm_ids[1], second),
                ],
            )
    };
    let envoy = Envoy::start(bootstrap(&first, &second));
    let bearer = |party: &Party| format!("Bearer {}", party.token());
    let cookie = |party: &Party| format!("session={}", party.token());
    let (good_bearer, good_cookie) = (bearer(&callers), cookie(&sessions));
    let (wrong_bearer, wrong_cookie) = (bearer(&sessions), cookie(&callers));
    let get = |target: &str, authorization: &str, cookie: &str, case: &str| {
        let fields = [
            ("authorization", authorization),
            ("cookie", cookie),
            ("x-case", case),
        ];
        let fields: Vec<_> = fields
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .collect();
        ask(&envoy, "chain", "GET", target, &fields)
    };
    let realm = |response: &Response| {
        assert_eq!(response.status, 401);
        let challenge = response.values("www-authenticate").next().unwrap();
        let challenge = String::from_utf8_lossy(challenge).into_owned();
        challenge.split('"').nth(1).unwrap().to_owned()
    };
    let judges_as_ever = |realm_of_second: &str| {
        let passes = get("/", &good_bearer, &good_cookie, "passes");
        assert_eq!(
            at_upstream(&passes, "x-callers-subject").as_deref(),
            Some("amy%20of%20callers")
        );
        assert_eq!(
            at_upstream(&passes, "x-sessions-subject").as_deref(),
            Some("amy%20of%20sessions")
        );
        assert_eq!(realm(&get("/", "", "", "")), "callers");
        assert_eq!(realm(&get("/", "", &good_cookie, "")), "callers");
        assert_eq!(
            realm(&get("/", &wrong_bearer, &good_cookie, "first")),
            "callers"
        );
        assert_eq!(realm(&get("/", &good_bearer, "", "")), realm_of_second);
        assert_eq!(
            realm(&get("/", &good_bearer, &wrong_cookie, "second")),
            realm_of_second
        );
        let elsewhere = get("/elsewhere", &good_bearer, &good_cookie, "elsewhere");
        assert_eq!(error(&elsewhere), (403, "address_not_allowed".to_owned()));
        assert_eq!(get("/healthz", "", "", "health").status, 200);
    };
    judges_as_ever("sessions");
    assert_eq!(
        (
            callers.issuer.asked("/jwks"),
            sessions.issuer.asked("/jwks")
        ),
        (1, 1)
    );

    // Of filter state, what was written last is seen: of each name on its own.
    let cases = ["passes", "first", "second", "elsewhere", "health"].map(str::to_owned);
    let log = envoy.access_log_of(&cases);
    let state =
        |case: &str| ["reason", "rule", "provider", "subject"].map(|name| log[case][name].clone());
    assert_eq!(
        state("passes"),
        [
            json!(null),
            json!(null),
            json!("sessions"),
            json!("amy of sessions")
        ]
    );
    assert_eq!(
        state("first"),
        [json!("token_issuer"), json!(null), json!(null), json!(null)]
    );
    assert_eq!(
        state("second"),
        [
            json!("token_issuer"),
            json!(null),
            json!("callers"),
            json!("amy of callers")
        ]
    );
    assert_eq!(
        state("elsewhere")[..3],
        [
            json!("address_not_allowed"),
            json!("elsewhere"),
            json!("callers")
        ]
    );
    assert_eq!(state("health")[..2], [json!(null), json!("all")]);

    // A new document of one leaves the other: even its issuer is not asked again.
    callers.issuer.serve("/jwks", Page::silence());
    let mut faulty = second.clone();
    faulty["relm"] = json!("x");
    envoy.change_listeners(bootstrap(&first, &faulty));
    until("configuration rejected", || {
        envoy.log().contains("configuration rejected")
    });
    judges_as_ever("sessions");
    let mut changed = second.clone();
    changed["realm"] = json!("changed");
    envoy.change_listeners(bootstrap(&first, &changed));
    until("the document is changed", || {
        realm(&get("/", &good_bearer, "", "")) == "changed"
    });
    judges_as_ever("changed");
    assert_eq!(callers.issuer.asked("/jwks"), 1);
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}

#[test]
fn two_filters_in_one_chain_judge_each_by_its_own_document() {
    two_filters(["callers", "sessions"]);
}

#[test]
fn two_filters_in_one_virtual_machine_judge_each_by_its_own_document() {
    two_filters(["both", "both"]);
}

/// `envoy/routes.yaml`, on free ports.
#[test]
fn the_example_with_policies_does_what_it_says() {
    let upstream = Upstream::start();
    let text = std::fs::read_to_string(support::in_repository("envoy/routes.yaml")).unwrap();
    let text = text
        .replace(
            "/etc/envoy/countersign.wasm",
            module_path().to_str().unwrap(),
        )
        .replace("port_value: 10000", "port_value: 0")
        .replace(
            "port_value: 8080",
            &format!("port_value: {}", upstream.port()),
        );
    let mut bootstrap: Value = serde_yaml_ng::from_str(&text).unwrap();
    bootstrap["admin"] =
        json!({"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}});
    let envoy = Envoy::start_with(&bootstrap, std::process::Stdio::null());
    let key = support::token::read_key("envoy/demo-key.json");
    let bearer = |scope: &str, roles: &[&str]| {
        let claims = json!({
            "iss": "https://login.example.com", "aud": "orders", "sub": "amy", "exp": support::now() + 600,
            "scope": scope, "roles": roles,
        });
        let header = json!({"alg": "ES256", "kid": "demo"});
        let token = key.sign(Algorithm::Es256, &header, claims.to_string().as_bytes());
        format!("Bearer {}", token.unwrap())
    };
    let (reader, operator) = (bearer("orders:read", &[]), bearer("", &["operator"]));
    for (method, target, authorization, status) in [
        ("GET", "/catalogue/1", "", 200),
        ("GET", "/orders/1", "", 401),
        ("GET", "/orders/1", &operator, 403),
        ("GET", "/orders/1", &reader, 200),
        ("PUT", "/orders/1", &reader, 503),
        ("GET", "/legacy", &reader, 403),
        ("GET", "/legacy", &operator, 200),
        ("GET", "/elsewhere", &operator, 403),
        ("GET", "/elsewhere", "", 401),
    ] {
        let fields = [("authorization", authorization)];
        let fields = if authorization.is_empty() {
            &[][..]
        } else {
            &fields
        };
        let response = ask(&envoy, "public", method, target, fields);
        assert_eq!(response.status, status, "{method} {target}");
    }
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}

/// What Envoy does with a request whose query is changed, and what is made of that.
#[test]
fn a_token_in_the_query_chooses_no_route_that_is_judged() {
    let upstream = Upstream::start();
    let party = Party::new("callers");
    let mut document = party.document(&json!({"query": "token"}), &json!([]));
    let mut by_route = document.clone();
    by_route["rules"] = json!([
        {"name": "lax", "match": {"route": ["in-query"]}},
        {"name": "strict", "match": {"route": ["guarded"]}, "require": {"scopes": ["admin"]}},
    ]);
    document["identity"] = json!({});
    let bootstrap = Bootstrap::new(upstream.port()).cluster("callers", &[party.issuer.port()]);
    let envoy = Envoy::start(
        bootstrap
            .routed_listener("any-route", &document, &routes())
            .routed_listener("by-route", &by_route, &routes()),
    );
    let target = format!("/?token={}", party.token());
    let taken = ask(&envoy, "any-route", "GET", &target, &[]);
    assert_eq!(at_upstream(&taken, "x-taken").as_deref(), Some("guarded"));
    assert_eq!(
        error(&ask(&envoy, "by-route", "GET", &target, &[])),
        at_risk()
    );
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}
