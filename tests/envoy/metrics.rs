//! The metrics of a real Envoy: every series with its labels, how many there can be, and what an update leaves.

// Envoy reads the real clock.
#![allow(clippy::disallowed_methods)]

use std::collections::{BTreeMap, BTreeSet};

use countersign::authenticate::jose::signature::Algorithm;
use countersign::mint::SigningKey;
use countersign::reject::{Code, Reason};
use regex_lite::Regex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support;
use crate::support::client::{self, Request};
use crate::support::envoy::{Bootstrap, Envoy, module_path, wasm_filter};
use crate::support::in_repository;
use crate::support::issuer::{Issuer, Page};
use crate::support::manifest::Manifest;
use crate::support::until;
use crate::support::upstream::Upstream;

const ISSUER: &str = "https://login.example.com";

fn token(key: &SigningKey, expires_in: i64, scope: &str) -> String {
    let claims = json!({
        "iss": ISSUER, "aud": "orders", "sub": "amy", "exp": support::now() + expires_in, "scope": scope,
    });
    let algorithm = key.algorithm().unwrap();
    let header = json!({"alg": algorithm.name(), "kid": key.kid()});
    key.sign(algorithm, &header, claims.to_string().as_bytes())
        .unwrap()
}

/// A provider of JSON Web Tokens, with its keys at a path of the issuer.
fn remote(name: &str, login: &Issuer, path: &str) -> Value {
    let jwks = json!({"remote": {"uri": login.url(path), "cluster": "login", "timeout": "5s"}});
    json!({"name": name, "jwt": {"issuer": format!("https://{name}.example.com"), "audiences": ["orders"], "jwks": jwks}})
}

/// One provider of each kind that has metrics. Names have characters that separate elements.
fn document(key: &SigningKey, login: &Issuer) -> Value {
    let inline = json!({"inline": {"keys": [key.public_jwk()]}});
    json!({
        "providers": [
            {"name": "corp.example", "jwt": {"issuer": ISSUER, "audiences": ["orders"], "jwks": inline}},
            remote("remote", login, "/jwks"),
            remote("down", login, "/down"),
            {"name": "legacy", "introspection": {
                "uri": login.url("/introspect"), "cluster": "login", "client_id": "gate", "client_secret": "s+cret/%",
            }},
            {"name": "partners", "api_key": {
                "from": [{"header": "x-api-key"}],
                "keys": {"remote": {"uri": login.url("/keys"), "cluster": "login", "timeout": "5s"}},
            }},
            {"name": "staff", "basic": {"users": [
                {"name": "ci", "password": "$2y$04$KwA5F3VAekSfXZoDwK14QO85wO1trjxjsNKgIkEF5KyKRV9Dud1we"},
            ]}},
        ],
        "rules": [
            {"name": "open", "match": {"paths": ["/open"]}, "allow": "public"},
            {"name": "read.orders", "match": {"paths": ["/orders"]}, "require": {"scopes": ["orders:read"]}},
            {"name": "cel", "match": {"paths": ["/cel"]}, "require": {"cel": "claims.absent == 1"}},
            {"name": "closed", "match": {"paths": ["/closed"]}, "respond": {"status": 410}},
        ],
    })
}

fn ask(envoy: &Envoy, listener: &str, target: &str, headers: &[(&str, &str)]) -> u16 {
    let own = headers.iter();
    let own = own.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let request = Request {
        method: b"GET",
        target: target.as_bytes(),
        headers: [(&b"host"[..], &b"api.example.com"[..])]
            .into_iter()
            .chain(own)
            .collect(),
        body: b"",
    };
    client::send(envoy.listener(listener), &request)
        .unwrap()
        .status
}

fn denied(event: &str, labels: [&str; 5]) -> String {
    let [status, error, reason, rule, provider] = labels;
    format!(
        r#"countersign_{event}{{countersign_status="{status}",countersign_error="{error}",countersign_reason="{reason}",countersign_rule="{rule}",countersign_provider="{provider}"}}"#
    )
}

/// An Envoy, and what it needs, after a run with every kind of event.
struct Run {
    envoy: Envoy,
    document: Value,
    _others: (Upstream, Issuer),
}

/// Has the filter do everything that it counts. `configure` adds how Envoy shows it.
fn run(configure: impl FnOnce(Bootstrap) -> Bootstrap) -> Run {
    let (upstream, login) = (Upstream::start(), Issuer::start());
    let key = SigningKey::generate(Algorithm::Es256).with_kid(Some("one"));
    let other = SigningKey::generate(Algorithm::Es256).with_kid(Some("two"));
    login.serve("/jwks", Page::keys(&[&other]));
    login.serve("/down", Page::status(500));
    login.serve(
        "/introspect",
        Page::introspection(&json!({"active": false})),
    );
    login.serve("/introspect t-broken", Page::status(500));
    login.serve("/keys", Page::json(&json!({"keys": [
        {"id": "acme", "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},
    ]})));
    let document = document(&key, &login);
    let shadow = {
        let mut shadow = document.clone();
        shadow["mode"] = json!("shadow");
        let mut filter = wasm_filter("shadow", &module_path(), &shadow);
        filter["typed_config"]["config"]["name"] = json!("team.shadow");
        filter
    };
    let bootstrap = Bootstrap::new(upstream.port())
        .cluster("login", &[login.port()])
        .listener("api", &document)
        .listener_with("shadow", &[shadow]);
    let envoy = Envoy::start(configure(bootstrap));
    until("the keys and the list are fetched", || {
        envoy.counted("jwks.fetched") > 0
            && envoy.counted("jwks.failed") > 0
            && envoy.counted("lists.entries") > 0
    });

    let good = format!("Bearer {}", token(&key, 600, "orders:read"));
    let narrow = format!("Bearer {}", token(&key, 600, ""));
    let expired = format!("Bearer {}", token(&key, -600, "orders:read"));
    for (target, headers, status) in [
        ("/open", vec![], 200),
        ("/orders", vec![("authorization", good.as_str())], 200),
        ("/orders", vec![("authorization", good.as_str())], 200),
        ("/orders", vec![], 401),
        ("/orders", vec![("authorization", expired.as_str())], 401),
        ("/orders", vec![("authorization", narrow.as_str())], 403),
        ("/nowhere", vec![("authorization", good.as_str())], 403),
        ("/cel", vec![("authorization", good.as_str())], 403),
        ("/closed", vec![], 410),
        ("/a%zz", vec![], 400),
        ("/orders", vec![("authorization", "Bearer t-inactive")], 401),
        ("/orders", vec![("authorization", "Bearer t-broken")], 503),
        ("/orders", vec![("x-api-key", "guess")], 401),
        (
            "/orders",
            vec![("authorization", "Basic Y2k6d3Jvbmc=")],
            401,
        ),
    ] {
        assert_eq!(
            ask(&envoy, "api", target, &headers),
            status,
            "{target} {headers:?}"
        );
    }
    let expired = [("authorization", expired.as_str())];
    assert_eq!(ask(&envoy, "shadow", "/orders", &expired), 200);
    // The two filters publish at different times.
    let is_counted = |name: &str, number| envoy.counted(name) == number;
    until("all is counted", || {
        is_counted("allowed", 3) && is_counted("denied", 11) && is_counted("shadow_denied", 1)
    });
    Run {
        envoy,
        document,
        _others: (upstream, login),
    }
}

/// The series of the run: those of denied requests, each of which has the value 1, and the others.
fn expected() -> (Vec<String>, Vec<String>) {
    let (rule, corp) = ("read_orders", "corp_example");
    let expected_denials = [
        denied("denied", ["401", "unauthorized", "unauthorized", rule, "-"]),
        denied(
            "denied",
            ["401", "invalid_token", "token_expired", rule, "-"],
        ),
        denied(
            "denied",
            [
                "403",
                "insufficient_scope",
                "insufficient_scope",
                rule,
                corp,
            ],
        ),
        denied("denied", ["403", "forbidden", "no_rule", "-", corp]),
        denied("denied", ["403", "forbidden", "cel_failed", "cel", corp]),
        denied("denied", ["410", "respond", "respond", "closed", "-"]),
        denied(
            "denied",
            ["400", "ambiguous_path", "ambiguous_path", "-", "-"],
        ),
        denied(
            "denied",
            ["401", "invalid_token", "token_inactive", rule, "-"],
        ),
        denied(
            "denied",
            [
                "503",
                "temporarily_unavailable",
                "introspection_unavailable",
                rule,
                "-",
            ],
        ),
        denied(
            "denied",
            ["401", "invalid_credentials", "key_unknown", rule, "-"],
        ),
        denied(
            "denied",
            ["401", "invalid_credentials", "password_wrong", rule, "-"],
        ),
        denied(
            "shadow_denied",
            ["401", "invalid_token", "token_expired", rule, "-"],
        ),
    ];
    let others = [
        "countersign_allowed{}".to_owned(),
        "countersign_cel_failed{}".to_owned(),
        "countersign_hashes{}".to_owned(),
        r#"countersign_token_cache{countersign_result="hit"}"#.to_owned(),
        r#"countersign_token_cache{countersign_result="miss"}"#.to_owned(),
        fetches("jwks", "fetched", "remote"),
        fetches("jwks", "failed", "remote"),
        fetches("jwks", "fetched", "down"),
        fetches("jwks", "failed", "down"),
        fetches("lists", "fetched", "partners"),
        fetches("lists", "failed", "partners"),
        fetches("introspection", "ok", "legacy"),
        fetches("introspection", "failed", "legacy"),
        by("jwks_keys", corp),
        by("jwks_keys", "remote"),
        by("jwks_keys", "down"),
        by("jwks_age", "remote"),
        by("lists_entries", "partners"),
        by("lists_age", "partners"),
        plugin("hash", "countersign"),
        plugin("hash", "team_shadow"),
        plugin("rejected", "countersign"),
        plugin("rejected", "team_shadow"),
    ];
    (expected_denials.into(), others.into())
}

fn by(metric: &str, name: &str) -> String {
    format!(r#"countersign_{metric}{{countersign_provider="{name}"}}"#)
}

fn fetches(metric: &str, result: &str, name: &str) -> String {
    format!(
        r#"countersign_{metric}{{countersign_result="{result}",countersign_provider="{name}"}}"#
    )
}

fn plugin(metric: &str, name: &str) -> String {
    format!(r#"countersign_configuration_{metric}{{countersign_plugin="{name}"}}"#)
}

#[test]
fn every_series_has_its_labels() {
    let Run {
        envoy, document, ..
    } = &run(Bootstrap::labelled);
    let (denials, others) = expected();
    let series = envoy.series();
    let found: BTreeSet<&String> = series.keys().collect();
    assert_eq!(found, denials.iter().chain(&others).collect());
    for name in &denials {
        assert_eq!(series[name], 1, "{name}");
    }
    for (name, value) in [
        ("countersign_cel_failed{}", 1),
        ("countersign_hashes{}", 1),
        (&by("jwks_keys", "corp_example"), 1),
        (&by("jwks_keys", "remote"), 1),
        (&by("jwks_keys", "down"), 0),
        (&fetches("introspection", "ok", "legacy"), 1),
        (&fetches("introspection", "failed", "legacy"), 1),
        (&by("lists_entries", "partners"), 1),
        (&plugin("hash", "countersign"), hash(document)),
        (&plugin("rejected", "countersign"), 0),
    ] {
        assert_eq!(series[name], value, "{name}");
    }
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}

/// The tags of Istio's bootstrap that can match a part of any name: `tools/packaging/common/envoy_bootstrap.json` of Istio 1.30.
const TAGS_OF_ISTIO: [(&str, &str); 9] = [
    ("response_code", r"_rq(_(\d{3}))$"),
    ("response_code_class", r"_rq(_(\dxx))$"),
    ("cache", r"(cache\.(.+?)\.)"),
    ("component", r"(component\.(.+?)\.)"),
    ("tag", r"(tag\.(.+?);\.)"),
    ("wasm_filter", r"(wasm_filter\.(.+?)\.)"),
    ("authz_enforce_result", r"rbac(\.(allowed|denied))"),
    ("authz_dry_run_action", r"(\.istio_dry_run_(allow|deny)_)"),
    ("authz_dry_run_result", r"(\.shadow_(allowed|denied))"),
];

/// Istio's bootstrap with the addition of `envoy/istio/monitoring/bootstrap.yaml`.
#[test]
fn every_series_has_its_labels_in_istio() {
    let tags = TAGS_OF_ISTIO.map(|(name, regex)| json!({"tag_name": name, "regex": regex}));
    let statistics = json!({
        "use_all_default_tags": false,
        "stats_tags": tags,
        "stats_matcher": {"inclusion_list": {"patterns": [{"prefix": "listener_manager"}, {"prefix": "wasm"}]}},
    });
    let manifest = Manifest::read("envoy/istio/monitoring/bootstrap.yaml");
    let addition = manifest.resources[0]["data"]["custom_bootstrap.json"].as_str();
    let Run { envoy, .. } = &run(|bootstrap| {
        bootstrap
            .with_statistics(statistics)
            .with_addition(addition.unwrap())
    });
    let (denials, others) = expected();
    // A tag of Istio moves this part of the name to a label.
    let shadow = "countersign_shadow_denied{";
    let in_istio = r#"countersign{authz_dry_run_result="denied","#;
    let in_istio_all = denials.iter().map(|name| name.replace(shadow, in_istio));
    let series = envoy.series();
    let found: BTreeSet<String> = series.keys().cloned().collect();
    assert_eq!(found, in_istio_all.chain(others.clone()).collect());

    let config = std::fs::read_to_string(in_repository("envoy/monitoring/prometheus-istio.yaml"));
    let config: Value = serde_yaml_ng::from_str(&config.unwrap()).unwrap();
    let rules = config["scrape_configs"][0]["metric_relabel_configs"].as_array();
    let relabelled: BTreeSet<String> = series
        .keys()
        .map(|name| relabel(name, rules.unwrap()))
        .collect();
    assert_eq!(relabelled, denials.into_iter().chain(others).collect());
}

/// A series after Prometheus's `metric_relabel_configs` with the action `replace`.
fn relabel(series: &str, rules: &[Value]) -> String {
    let (name, labels) = series.split_once('{').unwrap();
    let label = Regex::new(r#"([a-z_]+)="([^"]*)""#).unwrap();
    let labels = label.captures_iter(labels);
    let labels = labels.map(|found| (found[1].to_owned(), found[2].to_owned()));
    let mut labels: Vec<(String, String)> = labels.collect();
    labels.push(("__name__".to_owned(), name.to_owned()));
    for rule in rules {
        let text = |key: &str| rule[key].as_str().unwrap();
        let sources = rule["source_labels"].as_array().unwrap().iter();
        let value_of = |name: &Value| {
            let found = labels.iter().find(|(own, _)| name == own.as_str());
            found.map_or("", |(_, value)| value.as_str())
        };
        let joined = sources.map(value_of).collect::<Vec<_>>().join(";");
        if Regex::new(&format!("^(?:{})$", text("regex")))
            .unwrap()
            .is_match(&joined)
        {
            let (target, value) = (text("target_label"), text("replacement"));
            let label = labels.iter_mut().find(|(own, _)| own == target);
            label.unwrap().1 = value.to_owned();
            labels.retain(|(_, value)| !value.is_empty());
        }
    }
    let (_, name) = labels.pop().unwrap();
    let labels: Vec<String> = labels
        .iter()
        .map(|(name, value)| format!("{name}=\"{value}\""))
        .collect();
    format!("{name}{{{}}}", labels.join(","))
}

/// The first 48 bits of the SHA-256 of a configuration as JSON with sorted names, as `docs/monitoring.md` describes it.
fn hash(document: &Value) -> u64 {
    let digest = Sha256::digest(canonical(document));
    let mut bytes = [0; 8];
    bytes[2..].copy_from_slice(&digest[..6]);
    u64::from_be_bytes(bytes)
}

fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let sorted: BTreeMap<_, _> = members.iter().collect();
            let members: Vec<String> = sorted
                .into_iter()
                .map(|(name, value)| format!("{}:{}", json!(name), canonical(value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(canonical).collect();
            format!("[{}]", items.join(","))
        }
        other => other.to_string(),
    }
}

/// A configuration that is rejected leaves the one in use, also in the metrics.
#[test]
fn the_hash_is_of_the_configuration_in_use() {
    let (upstream, key) = (Upstream::start(), SigningKey::generate(Algorithm::Es256));
    let jwks = json!({"inline": {"keys": [key.public_jwk()]}});
    let provider =
        json!({"name": "corp", "jwt": {"issuer": ISSUER, "audiences": ["orders"], "jwks": jwks}});
    let document = |realm: &str| json!({"realm": realm, "providers": [provider]});
    let base = || Bootstrap::new(upstream.port()).concurrency(2).dynamic();
    let (first, second) = (document("first"), document("second"));
    let faulty = json!({"realm": "first", "providerz": []});
    let envoy = Envoy::start(base().listener("api", &first));
    let shown = || envoy.counted("configuration.hash.countersign");
    let rejected = || envoy.counted("configuration.rejected.countersign");
    until("the first is in use", || shown() == hash(&first));
    assert_eq!(rejected(), 0);

    envoy.change_listeners(base().listener("api", &faulty));
    until("it is rejected", || {
        envoy.stat("listener_manager.lds.update_rejected") == 1
    });
    assert_eq!((rejected(), shown()), (1, hash(&first)));
    assert_eq!(ask(&envoy, "api", "/", &[]), 401);

    envoy.change_listeners(base().listener("api", &second));
    until("the second is in use", || shown() == hash(&second));
    assert_eq!(rejected(), 1);
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}

/// Requests with parts that a client chooses, each with this mark: `number` decides which parts, and what is wrong.
fn odd_request(envoy: &Envoy, key: &SigningKey, number: usize) {
    let pick = |place: u32, from: &[String]| from[number / 7_usize.pow(place) % from.len()].clone();
    let text = |text: &str| text.to_owned();
    let odd = format!("{MARK}{number}");
    let method = pick(
        0,
        &[
            text("GET"),
            text("POST"),
            text("TRACE"),
            odd.to_uppercase(),
            odd.clone(),
        ],
    );
    let path = pick(
        1,
        &[
            text("/orders"),
            format!("/orders/{odd}"),
            format!("/{odd}"),
            format!("/a%2F{odd}"),
            format!("/%zz{odd}"),
            format!("//{odd}?{odd}={odd}"),
        ],
    );
    let claims = json!({
        "iss": pick(2, &[text(ISSUER), format!("https://{odd}.example.com")]),
        "aud": pick(3, &[text("orders"), odd.clone()]), "sub": odd, "scope": odd,
        "exp": support::now() + 600,
    });
    let header = json!({"alg": "ES256", "kid": pick(4, &[text("one"), odd.clone()])});
    let token = key.sign(Algorithm::Es256, &header, claims.to_string().as_bytes());
    let authorization = pick(
        0,
        &[
            format!("Bearer {}", token.unwrap()),
            format!("Bearer {odd}"),
            format!("Bearer {odd},{odd}"),
            format!("{odd} {odd}"),
        ],
    );
    let host = pick(
        1,
        &[
            text("api.example.com"),
            format!("{odd}.example.com"),
            format!("{odd}@x"),
        ],
    );
    let request = Request {
        method: method.as_bytes(),
        target: path.as_bytes(),
        headers: vec![
            (b"host", host.as_bytes()),
            (b"authorization", authorization.as_bytes()),
            (b"origin", odd.as_bytes()),
        ],
        body: b"",
    };
    client::send(envoy.listener("api"), &request).unwrap();
}

/// What every part of [`odd_request`] contains that a client chooses.
const MARK: &str = "zqx";

#[test]
fn clients_cannot_create_series() {
    let (upstream, key) = (Upstream::start(), SigningKey::generate(Algorithm::Es256));
    let key = key.with_kid(Some("one"));
    let inline = json!({"inline": {"keys": [key.public_jwk()]}});
    let document = json!({
        "providers": [{"name": "corp", "jwt": {"issuer": ISSUER, "audiences": ["orders"], "jwks": inline}}],
        "rules": [
            {"name": "read", "match": {"paths": ["/orders"], "methods": ["GET"]}},
            {"name": "admin", "match": {"paths": ["/orders/{id}"]}, "require": {"roles": ["admin"]}},
        ],
    });
    let envoy = Envoy::start(Bootstrap::new(upstream.port()).listener("api", &document));
    until("the keys are shown", || envoy.counted("jwks.keys") == 1);
    let is_of_denials = |name: &String| name.starts_with("denied.");
    let others = || -> BTreeSet<String> {
        let names = envoy.metrics().into_keys();
        names.filter(|name| !is_of_denials(name)).collect()
    };
    let before = others();
    for number in 0..2_000 {
        odd_request(&envoy, &key, number);
    }
    assert_eq!(others(), before);
    let metrics = envoy.metrics();
    let denied: Vec<&String> = metrics.keys().filter(|name| is_of_denials(name)).collect();
    assert!(denied.len() > 15, "{denied:#?}");
    let errors = Code::ALL.map(Code::name);
    let reasons: Vec<&str> = Reason::ALL.iter().map(|reason| reason.name()).collect();
    for name in denied {
        let elements: Vec<&str> = name.split('.').collect();
        let [_, status, error, reason, rule, provider] = elements[..] else {
            panic!("{name}");
        };
        assert!(["400", "401", "403", "405"].contains(&status), "{name}");
        assert!(
            errors.contains(&error) && reasons.contains(&reason),
            "{name}"
        );
        assert!(["-", "read", "admin"].contains(&rule), "{name}");
        assert!(["-", "corp"].contains(&provider), "{name}");
    }
    let stats = envoy.admin("/stats");
    assert!(!stats.to_lowercase().contains(MARK), "{stats}");
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}
