//! Secrets of the configuration: in place, or in an environment variable, and never in what is said about them.

use countersign::config;
use serde_json::{Value, json};

use crate::document::{as_struct, faults, hold, merged};

/// A text that no message contains.
const SECRET: &str = "xyzzy";

/// A provider whose tokens are introspected, with some members more, or others.
fn introspection(members: Value) -> Value {
    let provider = json!({
        "uri": "https://login.example.com/introspect", "cluster": "login",
        "client_id": "gate", "client_secret": { "env": "GATE_SECRET" },
    });
    json!({ "providers": [{ "name": "legacy", "introspection": merged(provider, members) }] })
}

/// What is said about a configuration where `GATE_SECRET` has a value, or is not set. It must be the same in all three
/// ways in which a configuration can arrive.
fn faults_in(variable: Option<&str>, document: &Value) -> Vec<String> {
    let environment = |name: &str| {
        let value = variable.filter(|_| name == "GATE_SECRET");
        value.map(str::to_owned)
    };
    let found = faults(config::load_value_in(&environment, document));
    for bytes in [document.to_string().into_bytes(), as_struct(document)] {
        let loaded = config::load_in(&environment, &bytes);
        assert_eq!(faults(loaded), found, "{document}");
    }
    found
}

/// What is said about a client secret in the configuration.
fn faults_of(secret: &Value) -> Vec<String> {
    faults_in(None, &introspection(json!({ "client_secret": secret })))
}

#[test]
fn an_environment_variable_must_be_set_and_not_empty() {
    let document = introspection(json!({}));
    let path = "providers[0].introspection.client_secret.env";
    assert!(faults_in(Some(SECRET), &document).is_empty());
    let unset = "environment variable `GATE_SECRET` is not set: declare it in `vm_config.environment_variables`";
    assert_eq!(faults_in(None, &document), [format!("{path}: {unset}")]);
    let empty = format!("{path}: expected a secret, found an empty string");
    assert_eq!(faults_in(Some(""), &document), [empty]);
    let other = introspection(json!({ "client_secret": { "env": "GATE_SECRETS" } }));
    assert_eq!(
        faults_in(Some(SECRET), &other),
        [format!(
            "{path}: {}",
            unset.replace("GATE_SECRET", "GATE_SECRETS")
        )]
    );
}

#[test]
fn without_an_environment_no_variable_is_set() {
    let unset = "providers[0].introspection.client_secret.env: environment variable `GATE_SECRET` is not set: \
                 declare it in `vm_config.environment_variables`";
    hold(&[(introspection(json!({})), &[unset])]);
}

#[test]
fn the_name_of_a_variable_is_in_upper_case() {
    let expected = "providers[0].introspection.client_secret.env: expected the name of an environment variable in \
                    upper case, such as `{env: GATE_SECRET}`";
    for name in [
        "",
        "gate_secret",
        "GATE-SECRET",
        "1GATE",
        "GATE=1",
        "GATE\0",
        "GATÉ",
        SECRET,
    ] {
        assert_eq!(faults_of(&json!({ "env": name })), [expected], "{name}");
    }
    for value in [json!(7), json!(["A"]), json!({}), Value::Null, json!(true)] {
        assert_eq!(faults_of(&json!({ "env": value })), [expected], "{value}");
    }
}

#[test]
fn a_fault_never_repeats_what_may_be_the_secret() {
    let form = "providers[0].introspection.client_secret: expected a string or `{env: NAME}`; in YAML, quote a secret \
                that looks like a number";
    for value in [
        json!(12345),
        json!(1.5),
        json!(true),
        json!([SECRET]),
        json!({}),
        json!({ SECRET: null }),
        json!({ SECRET: "a" }),
        json!({ "env": "GATE_SECRET", SECRET: "a" }),
        json!({ "envs": SECRET }),
    ] {
        assert_eq!(faults_of(&value), [form], "{value}");
    }
    for (value, expected) in [
        ("".to_owned(), "expected a secret, found an empty string"),
        (
            format!("“{SECRET}”"),
            "quotes such as `“` are part of the text: use `\"`",
        ),
    ] {
        let expected = format!("providers[0].introspection.client_secret: {expected}");
        assert_eq!(faults_of(&json!(value)), [expected], "{value}");
    }
    let missing =
        "providers[0].introspection.client_secret: missing: expected a string or `{env: NAME}`";
    let absent = introspection(json!({ "client_secret": null }));
    assert_eq!(faults_in(None, &absent), [missing]);
}

#[test]
fn a_secret_that_a_header_cannot_carry_is_a_fault() {
    let expected = "expected printable ASCII characters without whitespace at an end: a header cannot carry others";
    let path = "providers[0].introspection.client_secret";
    for end in ["\n", "\r\n", " ", "\t", "\0", "é", "\u{7f}", "\u{a0}"] {
        let text = format!("{SECRET}{end}");
        assert_eq!(
            faults_in(Some(&text), &introspection(json!({}))),
            [format!("{path}: {expected}")],
            "{text:?}"
        );
        let in_place = faults_of(&json!(text));
        assert_eq!(in_place, [format!("{path}: {expected}")], "{text:?}");
    }
    assert!(faults_of(&json!("a b:%\"\\~")).is_empty());
}

#[test]
fn what_is_sent_to_introspect_a_token_is_checked() {
    let at = |key: &str, what: &str| format!("providers[0].introspection.{key}: {what}");
    let url = "expected an absolute `https` or `http` URL";
    let plain = "expected an `https` URL: without TLS, anyone on the network path can read and replace what is sent; \
                 `http` is accepted for a loopback address";
    let timeout = "expected a `timeout` from `1ms` to `60s`";
    let cache = "expected a duration from `0s` to `1h`";
    let id = "expected one or more visible ASCII characters";
    let user = "expected a URL without user name and password: the filter does not send them";
    let stray = "whitespace or an invisible character: values are compared exactly, so no token has this one";
    let all = [
        ("uri", json!("http://login.example.com/introspect"), plain),
        ("uri", json!("http://localhost.example.com/"), plain),
        ("uri", json!("http://127.0.0.1.example.com/"), plain),
        ("uri", json!("http://10.0.0.1/"), plain),
        ("uri", json!("/introspect"), url),
        ("uri", json!("https://login.example.com/#a"), url),
        ("uri", json!("https://gate:xyzzy@login.example.com/"), user),
        (
            "cluster",
            json!(""),
            "expected the name of a cluster, found an empty string",
        ),
        ("client_id", json!(""), id),
        ("client_id", json!("a b"), id),
        ("client_id", json!("gaté"), id),
        ("timeout", json!("0s"), timeout),
        ("timeout", json!("999us"), timeout),
        ("timeout", json!("61s"), timeout),
        ("cache", json!("3601s"), cache),
        (
            "audiences",
            json!([]),
            "expected at least one audience, and no empty one",
        ),
        (
            "audiences",
            json!(["orders", "any"]),
            "`any` must be the only entry: it disables the check",
        ),
        ("from", json!([]), "expected at least one token location"),
        (
            "accept_jwt",
            json!("yes"),
            "expected `true` or `false`, found `yes`",
        ),
    ];
    for (key, value, expected) in all {
        let document = introspection(json!({ key: value }));
        let found = faults_in(Some(SECRET), &document);
        assert_eq!(found, [at(key, expected)], "{value}");
    }
    let document = introspection(json!({ "audiences": ["orders "] }));
    assert_eq!(
        faults_in(Some(SECRET), &document),
        [at("audiences[0]", stray)]
    );
    let mut null = introspection(json!({}));
    null["providers"][0]["introspection"]["audiences"] = Value::Null;
    assert_eq!(
        faults_in(Some(SECRET), &null),
        [at(
            "audiences",
            "expected a list of audiences, or `any`, found nothing"
        )]
    );
}

#[test]
fn an_introspection_provider_can_have_every_key() {
    for members in [
        json!({}),
        json!({ "uri": "http://localhost:8080/introspect" }),
        json!({ "uri": "http://127.8.0.1" }),
        json!({ "uri": "http://[::1]:80/" }),
        json!({ "audiences": ["orders"], "timeout": "1ms", "cache": "0s", "accept_jwt": true }),
        json!({ "audiences": "any", "timeout": "60s", "cache": "1h", "accept_jwt": false }),
        json!({
            "from": [{ "header": "x-token" }],
            "claims": { "subject": "username", "audience": ["aud"], "scopes": ["scope"], "roles": [], "groups": [] },
        }),
    ] {
        let found = faults_in(Some(SECRET), &introspection(members.clone()));
        assert!(found.is_empty(), "{members}: {found:?}");
    }
}
