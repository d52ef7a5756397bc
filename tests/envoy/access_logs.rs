//! The access-log formats of `docs/observability.md`, `envoy/envoy.yaml` and `envoy/istio/monitoring`, in a real Envoy.

// Envoy reads the real clock.
#![allow(clippy::disallowed_methods)]

use std::collections::{BTreeMap, BTreeSet};

use countersign::authenticate::jose::signature::Algorithm;
use countersign::mint::SigningKey;
use regex_lite::Regex;
use serde_json::{Value, json};

use crate::pages::Page;
use crate::support;
use crate::support::client::{self, Request};
use crate::support::envoy::{Bootstrap, Envoy};
use crate::support::example;
use crate::support::manifest::Manifest;
use crate::support::until;
use crate::support::upstream::Upstream;

const ISSUER: &str = "https://login.example.com";

/// A subject that tries to end its field, its line and its JSON string, and to be read as a command of the format.
const HOSTILE: &str =
    "eve\",\"reason\":\"x\" %REQ(:PATH)% reason=- rule=-\r\nsubject=root \u{202e}é\\";

/// The same as the filter shows it.
const SHOWN: &str = concat!(
    "eve\",\"reason\":\"x\" %REQ(:PATH)% reason=- rule=-",
    r"\u000d\u000asubject=root \u202eé\\"
);

/// The fields of the formats.
const FIELDS: [&str; 10] = [
    "details",
    "method",
    "path",
    "provider",
    "reason",
    "request_id",
    "rule",
    "status",
    "subject",
    "time",
];

fn file_logger(path: &str, format: &Value) -> Value {
    json!({
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": path,
            "log_format": format,
        }
    })
}

/// A block of a page that has a text.
fn block(text: &str) -> Value {
    let page = Page::read("docs/observability.md");
    let blocks = page.blocks().into_iter();
    let mut found = blocks.filter(|block| block.language == "yaml" && block.text.contains(text));
    serde_yaml_ng::from_str(&found.next().expect("a block").text).unwrap()
}

/// What istiod makes of `accessLogFormat` with `accessLogEncoding: JSON`: it reads the text as an object, which becomes
/// `json_format` (`FileAccessLogFromMeshConfig` of Istio 1.30).
fn of_mesh_config() -> Value {
    let mesh = &block("meshConfig:")["meshConfig"];
    assert_eq!(mesh["accessLogEncoding"], "JSON");
    let format = mesh["accessLogFormat"].as_str().unwrap();
    json!({"json_format": serde_json::from_str::<Value>(format).unwrap()})
}

/// What istiod makes of the labels of an extension provider.
fn of_extension_provider() -> Value {
    let path = support::in_repository("envoy/istio/monitoring/mesh-config.yaml");
    let values: Value = serde_yaml_ng::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let provider = &values["meshConfig"]["extensionProviders"][0];
    assert_eq!(provider["name"], logging()["providers"][0]["name"]);
    json!({"json_format": provider["envoyFileAccessLog"]["logFormat"]["labels"]})
}

/// The access logging of `telemetry.yaml`.
fn logging() -> Value {
    telemetry()["accessLogging"][0].clone()
}

fn telemetry() -> Value {
    let manifest = Manifest::read("envoy/istio/monitoring/telemetry.yaml");
    manifest.resources[0]["spec"].clone()
}

/// An Envoy whose listener `api` writes these logs, after a run of permitted and denied requests.
fn run(loggers: &Value) -> (Envoy, Upstream) {
    let (upstream, key) = (Upstream::start(), SigningKey::generate(Algorithm::Es256));
    let jwks = json!({"inline": {"keys": [key.public_jwk()]}});
    let document = json!({
        "providers": [{"name": "corp", "jwt": {"issuer": ISSUER, "audiences": ["orders"], "jwks": jwks}}],
        "rules": [
            {"name": "open", "match": {"paths": ["/open"]}, "allow": "public"},
            {"name": "read-orders", "match": {"paths": ["/orders"]}},
            {"name": "admin", "match": {"paths": ["/admin"]}, "require": {"roles": ["admin"]}},
        ],
    });
    let bootstrap = Bootstrap::new(upstream.port())
        .listener("api", &document)
        .logging(loggers);
    let envoy = Envoy::start(bootstrap);
    let token = |subject: &str| {
        let claims =
            json!({"iss": ISSUER, "aud": "orders", "sub": subject, "exp": support::now() + 600});
        let header = json!({"alg": "ES256"});
        let token = key.sign(Algorithm::Es256, &header, claims.to_string().as_bytes());
        format!("Bearer {}", token.unwrap())
    };
    let get = |target: &str, authorization: Option<&str>, status: u16| {
        let mut headers: Vec<(&[u8], &[u8])> = vec![(b"host", b"api.example.com")];
        let authorization = authorization.map(str::as_bytes);
        headers.extend(authorization.map(|value| (&b"authorization"[..], value)));
        let request = Request {
            method: b"GET",
            target: target.as_bytes(),
            headers,
            body: b"",
        };
        let response = client::send(envoy.listener("api"), &request).unwrap();
        assert_eq!(response.status, status, "{target}\n{}", envoy.log());
    };
    get("/open?access_token=secret", None, 200);
    get("/nowhere", None, 401);
    get("/orders", None, 401);
    get("/orders", Some(&token("amy")), 200);
    get("/admin", Some(&token("amy")), 403);
    get("/orders", Some(&token(HOSTILE)), 200);
    get("/admin", Some(&token(HOSTILE)), 403);
    (envoy, upstream)
}

/// The lines of a log, once there are so many.
fn lines(envoy: &Envoy, log: &str, number: usize) -> Vec<String> {
    until("the log is written", || {
        envoy.file(log).lines().count() >= number
    });
    let lines: Vec<String> = envoy.file(log).lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), number, "{log}: {lines:#?}");
    lines
}

#[test]
fn every_line_is_read_back() {
    let example = example::bootstrap("envoy/envoy.yaml", &[("upstream", 1)]);
    let manager = example
        .pointer("/static_resources/listeners/0/filter_chains/0/filters/0/typed_config")
        .unwrap();
    let text = &manager["access_log"][0]["typed_config"]["log_format"];
    let objects = [
        ("envoy.log", block("json_format:")["log_format"].clone()),
        ("mesh.log", of_mesh_config()),
        ("provider.log", of_extension_provider()),
    ];
    let mut loggers = vec![file_logger("text.log", text)];
    loggers.extend(
        objects
            .iter()
            .map(|(path, format)| file_logger(path, format)),
    );
    let (envoy, _upstream) = run(&json!(loggers));

    for (log, format) in &objects {
        let labels = format["json_format"].as_object().unwrap();
        assert_eq!(
            labels.keys().cloned().collect::<BTreeSet<_>>(),
            FIELDS.map(str::to_owned).into(),
            "{log}"
        );
        let lines = lines(&envoy, log, 7);
        let read = lines.iter().map(|line| {
            let line: BTreeMap<String, Value> = serde_json::from_str(line).expect(line);
            assert!(line.keys().eq(FIELDS), "{line:?}");
            line
        });
        let read: Vec<_> = read.collect();
        for field in ["provider", "reason", "rule", "subject"] {
            let has =
                |wanted: &dyn Fn(&Value) -> bool| read.iter().any(|line| wanted(&line[field]));
            assert!(
                has(&Value::is_string) && has(&Value::is_null),
                "{log}: {field}"
            );
        }
        let hostile: Vec<_> = read
            .iter()
            .filter(|line| line["subject"] == SHOWN)
            .collect();
        assert_eq!(hostile.len(), 2, "{log}: {lines:#?}");
        assert_eq!(hostile[0]["reason"], Value::Null);
        assert_eq!(hostile[1]["reason"], "role_missing");
        assert_eq!(read[0]["path"], "/open");
    }

    let line = Regex::new(
        "^(\\S+Z) ([A-Z]+) (\\S+) ([0-9]{3}) (\\S+) reason=(\\S+) rule=(\\S+) provider=(\\S+) (\\S+) subject=(.+)$",
    );
    let line = line.unwrap();
    let lines = lines(&envoy, "text.log", 7);
    let read = lines.iter().map(|text| {
        let captures = line.captures(text).expect(text);
        let fields = [3, 4, 6, 7, 8, 10].map(|group| captures[group].to_owned());
        fields
    });
    let read: Vec<_> = read.collect();
    let read: Vec<[&str; 6]> = read
        .iter()
        .map(|own| own.each_ref().map(String::as_str))
        .collect();
    assert_eq!(
        read,
        [
            ["/open", "200", "-", "open", "-", "-"],
            ["/nowhere", "401", "unauthorized", "-", "-", "-"],
            ["/orders", "401", "unauthorized", "read-orders", "-", "-"],
            ["/orders", "200", "-", "read-orders", "corp", "amy"],
            ["/admin", "403", "role_missing", "admin", "corp", "amy"],
            ["/orders", "200", "-", "read-orders", "corp", SHOWN],
            ["/admin", "403", "role_missing", "admin", "corp", SHOWN],
        ]
    );
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}

/// Envoy evaluates the expressions of `telemetry.yaml` as it does for Istio: the filter of access logs, and the values of
/// labels, which have `unknown` in Istio where the expression fails and `-` in an access log.
#[test]
fn the_expressions_of_telemetry_have_the_values_of_the_filter() {
    let expression = &logging()["filter"]["expression"];
    let mut denied = file_logger(
        "denied.log",
        &json!({"json_format": {"status": "%RESPONSE_CODE%"}}),
    );
    denied["filter"] = json!({"extension_filter": {
        "name": "envoy.access_loggers.extension_filters.cel",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter",
            "expression": expression,
        }
    }});
    let overrides = telemetry()["metrics"][0]["overrides"][0]["tagOverrides"].clone();
    let labels = overrides.as_object().unwrap().iter();
    let labels = labels.map(|(label, tag)| {
        let value = tag["value"].as_str().unwrap();
        (label.clone(), json!(format!("%CEL({value})%")))
    });
    let labels: Value = labels.collect::<serde_json::Map<_, _>>().into();
    let formatters = json!([{
        "name": "envoy.formatter.cel",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.formatter.cel.v3.Cel"},
    }]);
    let labels = file_logger(
        "labels.log",
        &json!({"json_format": labels, "formatters": formatters}),
    );
    let (envoy, _upstream) = run(&json!([denied, labels]));

    let statuses = lines(&envoy, "denied.log", 4);
    assert_eq!(
        statuses,
        ["401", "401", "403", "403"].map(|status| format!("{{\"status\":{status}}}"))
    );
    let read = lines(&envoy, "labels.log", 7);
    let read: Vec<Value> = read
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        read[4],
        json!({"countersign_reason": "role_missing", "countersign_rule": "admin", "countersign_provider": "corp"})
    );
    assert_eq!(
        read[1],
        json!({"countersign_reason": "unauthorized", "countersign_rule": null, "countersign_provider": null})
    );
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}
