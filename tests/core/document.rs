//! Every kind of fault that a document can have, with exactly what is said about it.
//!
//! Each document is loaded in the three ways in which it can arrive: as a value, as JSON text, and as a
//! `google.protobuf.Struct`. What is said must be the same.

use std::fmt::Display;
use std::sync::LazyLock;

use countersign::authenticate::jose::base64url;
use countersign::authenticate::jose::signature::Algorithm;
use countersign::config::{self, Diagnostic, Loaded};
use countersign::mint::SigningKey;
use prost::Message;
use serde_json::{Value, json};

/// A key set with one good key.
pub static KEYS: LazyLock<Value> =
    LazyLock::new(|| json!({ "keys": [SigningKey::generate(Algorithm::Es256).public_jwk()] }));

pub fn jwt() -> Value {
    json!({ "issuer": "https://login.example.com", "audiences": ["orders"], "jwks": { "inline": *KEYS } })
}

pub fn provider(name: &str) -> Value {
    json!({ "name": name, "jwt": jwt() })
}

/// A valid document with some members more, or others.
pub fn with(members: Value) -> Value {
    merged(json!({ "providers": [provider("corp")] }), members)
}

/// A valid document whose provider has some members of `jwt` more, or others.
pub fn with_jwt(members: Value) -> Value {
    json!({ "providers": [{ "name": "corp", "jwt": merged(jwt(), members) }] })
}

/// A valid document with one rule of these members.
pub fn with_rule(members: Value) -> Value {
    with(json!({ "rules": [merged(json!({ "name": "r" }), members)] }))
}

pub fn with_keys(keys: Value) -> Value {
    with_jwt(json!({ "jwks": { "inline": { "keys": keys } } }))
}

/// The members of both; a member of `more` that is null removes one.
pub fn merged(mut object: Value, more: Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        if value.is_null() {
            object.as_object_mut().unwrap().remove(name);
        } else {
            object[name] = value.clone();
        }
    }
    object
}

pub fn told<T: Display>(diagnostics: &[Diagnostic<T>]) -> Vec<String> {
    diagnostics.iter().map(ToString::to_string).collect()
}

pub fn faults(loaded: Result<Loaded, Vec<Diagnostic>>) -> Vec<String> {
    told(&loaded.err().unwrap_or_default())
}

pub fn as_struct(value: &Value) -> Vec<u8> {
    let Some(prost_types::value::Kind::StructValue(object)) = kind(value) else {
        panic!("a document is an object");
    };
    object.encode_to_vec()
}

fn kind(value: &Value) -> Option<prost_types::value::Kind> {
    use prost_types::value::Kind;
    let wrapped = |value| prost_types::Value { kind: kind(value) };
    Some(match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(truth) => Kind::BoolValue(*truth),
        Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap()),
        Value::String(text) => Kind::StringValue(text.clone()),
        Value::Array(items) => Kind::ListValue(prost_types::ListValue {
            values: items.iter().map(wrapped).collect(),
        }),
        Value::Object(members) => Kind::StructValue(prost_types::Struct {
            fields: members
                .iter()
                .map(|(name, value)| (name.clone(), wrapped(value)))
                .collect(),
        }),
    })
}

/// Holds a table: each document has exactly these faults, however it arrives.
pub fn hold(table: &[(Value, &[&str])]) {
    let mut wrong = String::new();
    for (document, expected) in table {
        let found = faults(config::load_value(document));
        if found != *expected {
            wrong += &format!("{document}\n  expected {expected:#?}\n  found {found:#?}\n");
        }
        assert_eq!(
            faults(config::load(document.to_string().as_bytes())),
            found,
            "as JSON text: {document}"
        );
        if document.is_object() {
            assert_eq!(
                faults(config::load(&as_struct(document))),
                found,
                "as a Struct: {document}"
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Holds a table of valid documents: each has exactly these warnings.
pub fn hold_warnings(table: &[(Value, &[&str])]) {
    for (document, expected) in table {
        let loaded =
            config::load_value(document).unwrap_or_else(|faults| panic!("{document}: {faults:?}"));
        assert_eq!(told(&loaded.warnings), *expected, "{document}");
    }
}

/// A template that fills in nothing, `paths: {{ .paths }}`, must not open everything.
#[test]
fn nothing_typed_after_a_key_that_narrows_is_a_fault() {
    let list = |path: &str| format!("{path}: expected a list, found nothing");
    let null_in = |key: &str, name: &str| {
        let mut rule = json!({ "name": "r" });
        rule[key] = json!({});
        rule[key][name] = Value::Null;
        with(json!({ "rules": [rule] }))
    };
    let mut null_at_the_top = with(json!({}));
    null_at_the_top["paths_case"] = Value::Null;
    hold(&[(
        null_at_the_top,
        &["paths_case: expected `sensitive` or `insensitive`, found nothing"],
    )]);
    for name in ["paths", "methods", "hosts"] {
        let expected = list(&format!("rules[0].match.{name}"));
        hold(&[(null_in("match", name), &[&expected])]);
    }
    for name in [
        "scopes",
        "any_scopes",
        "roles",
        "any_roles",
        "groups",
        "any_groups",
    ] {
        let expected = list(&format!("rules[0].require.{name}"));
        hold(&[(null_in("require", name), &[&expected])]);
    }
    let rule = |members: Value| with(json!({ "rules": [members] }));
    let jwt = |name: &str, value: Value| {
        let mut document = with(json!({}));
        document["providers"][0]["jwt"][name] = value;
        document
    };
    let object = |path: &str| format!("{path}: expected an object, found nothing");
    hold(&[
        (
            null_in("match", "headers"),
            &[&object("rules[0].match.headers")],
        ),
        (
            rule(json!({ "name": "r", "match": null, "allow": "public" })),
            &[&object("rules[0].match")],
        ),
        (
            rule(json!({ "name": "r", "require": null })),
            &[&object("rules[0].require")],
        ),
        (
            rule(json!({ "name": "r", "providers": null })),
            &[&list("rules[0].providers")],
        ),
        (
            jwt("algorithms", json!(null)),
            &[&list("providers[0].jwt.algorithms")],
        ),
        (
            jwt("revoked", json!({ "jti": null, "subjects": [] })),
            &[&list("providers[0].jwt.revoked.jti")],
        ),
        (
            jwt("max_lifetime", json!(null)),
            &["providers[0].jwt.max_lifetime: expected a duration such as `90s`, found nothing"],
        ),
    ]);
}

#[test]
fn valid_documents() {
    hold(&[
        (with(json!({})), &[]),
        (with(json!({ "rules": [] })), &[]),
        (json!({ "default": "public" }), &[]),
        (json!({ "default": "deny" }), &[]),
        // Nothing typed after a key is as good as no key, in YAML.
        (with(json!({ "encoded_slash": null })), &[]),
        (
            with(json!({ "encoded_slash": "segments" })),
            &[
                "encoded_slash: expected `separator` or `segment`, found `segments`; did you mean `segment`?",
            ],
        ),
        (
            with(json!({ "encoded_slash": true })),
            &[
                "encoded_slash: expected `separator` or `segment`, found the boolean `true`: YAML reads `on`, `off`, `yes` and `no` without quotes as booleans",
            ],
        ),
        (
            with(json!({ "rules": null, "realm": null, "audit": { "log": null } })),
            &[],
        ),
        (
            json!({ "rules": [{ "name": "all", "allow": "public" }] }),
            &[],
        ),
        (
            with(json!({
                "realm": "orders", "mode": "enforce", "protect_as": "origin", "default": "optional", "crypto": "wasm",
                "https": "optional", "audit": { "log": "all" }, "responses": { "error_description": false },
                "paths_case": "sensitive", "encoded_slash": "segment",
                "rules": [{
                    "name": "own",
                    "match": {
                        "paths": ["/users/{id}/orders/**"], "methods": ["GET", "PUT"], "hosts": ["*.example.com"],
                        "headers": { "x-api-version": "2" },
                    },
                    "providers": ["corp"],
                    "require": {
                        "scopes": ["orders:read"], "any_scopes": ["a", "b"], "roles": ["r"], "any_roles": ["r"],
                        "groups": ["g"], "any_groups": ["g"],
                    },
                }],
            })),
            &[],
        ),
        (
            with_jwt(json!({
                "algorithms": ["ES256"], "token_type": "any", "require": ["exp", "sub"], "clock_skew": "90s",
                "claims": { "subject": "sub", "scopes": ["scope"], "roles": ["realm_access.roles"], "groups": [] },
                "sender": "none", "issuer": "https://login.example.com/{tid}/v2.0",
            })),
            &[],
        ),
    ]);
}

#[test]
fn claims_of_a_provider() {
    let require = |claims: Value| with_jwt(json!({ "require_claims": claims }));
    let at = "providers[0].jwt.require_claims";
    let mut null_claims = with(json!({}));
    null_claims["providers"][0]["jwt"]["require_claims"] = Value::Null;
    let parameter = "a path parameter has a value only in a rule, which has paths";
    hold(&[
        (
            require(
                json!({ "tid": ["a", "b"], "token_use": "access", "org.unit": 7, "flags": [true] }),
            ),
            &[],
        ),
        (require(json!({ "sub": "user-{id}" })), &[]),
        (
            require(json!({})),
            &[&format!("{at}: expected at least one claim")],
        ),
        (
            null_claims,
            &[&format!("{at}: expected an object, found nothing")],
        ),
        (
            require(json!({ "a": null, "b": [], "c": [null], "d": "{id}", "e": ["{id}"], "": 1 })),
            &[
                &format!("{at}.: expected the name of a claim, found an empty string"),
                &format!("{at}.a: `null` never matches"),
                &format!("{at}.b: expected at least one value"),
                &format!("{at}.c[0]: `null` never matches"),
                &format!("{at}.d: {parameter}"),
                &format!("{at}.e[0]: {parameter}"),
            ],
        ),
    ]);
}

#[test]
fn what_is_required_everywhere() {
    let require = |require: Value| with(json!({ "require": require }));
    let mut null = with(json!({}));
    null["require"] = Value::Null;
    let parameter = "a path parameter has a value only in a rule, which has paths";
    hold(&[
        (
            require(
                json!({ "scopes": ["a"], "claims": { "tenant": "red" }, "cel": "claims.level > 3", "acr": ["mfa"] }),
            ),
            &[],
        ),
        (
            require(json!({})),
            &[
                "require: expected at least one requirement: without `require`, any valid credential is accepted",
            ],
        ),
        (null, &["require: expected an object, found nothing"]),
        (
            require(json!({ "claims": { "sub": "{id}", "tenant": ["{id}"] } })),
            &[
                &format!("require.claims.sub: {parameter}"),
                &format!("require.claims.tenant[0]: {parameter}"),
            ],
        ),
        (
            require(
                json!({ "any_of": [{ "cel": "params.id == subject" }, { "cel": "'id' in params" }] }),
            ),
            &[
                &format!("require.any_of[0].cel: {parameter}"),
                &format!("require.any_of[1].cel: {parameter}"),
            ],
        ),
        (
            json!({ "default": "public", "require": { "scopes": ["a"] } }),
            &["require: a credential is required, but no provider is configured"],
        ),
        // One mistake, one message.
        (
            json!({ "require": { "scopes": ["a"] } }),
            &["default: a credential is required, but no provider is configured"],
        ),
        (
            with(json!({
                "require": { "acr": ["mfa"] },
                "rules": [{ "name": "r", "require": { "acr": ["phr"] } }],
            })),
            &[
                "rules[0].require.acr: no class is also in `acr` of the top-level `require`, so no caller can have both",
            ],
        ),
        (
            with(json!({
                "require": { "cel": "request.headers['x-tenant'] == 'red' && request.headers['x-original-url'] == '/' && request.path == '/'" },
                "identity": { "headers": { "x-tenant": "{claims.tenant}" } },
            })),
            &[
                "require: in `cel`: this header is removed from every request, because it tells the upstream who the \
                 caller is: a rule cannot match it",
            ],
        ),
    ]);
    let nobody =
        "require: no rule and no default accepts a credential, so this applies to no request";
    hold_warnings(&[
        (require(json!({ "scopes": ["a"] })), &[]),
        (
            with(json!({ "require": { "scopes": ["a"] }, "default": "public" })),
            &[nobody],
        ),
        (
            with(json!({
                "require": { "scopes": ["a"] },
                "rules": [{ "name": "r", "match": { "paths": ["/r"] }, "allow": "public" }],
            })),
            &[nobody],
        ),
    ]);
}

/// An issuer with a `{claim}` that nothing restricts accepts every tenant.
#[test]
fn open_issuers() {
    let tenants = |jwt: Value, more: Value| {
        let issuer = json!({ "issuer": "https://login.example.com/{tid}/v2.0" });
        merged(with_jwt(merged(issuer, jwt)), more)
    };
    let open = "providers[0].jwt.issuer: `{tid}` can have any value, which accepts every tenant of the issuer: restrict it \
                in `require_claims`, or in `claims` of `require` or of a rule";
    let rules = |rules: Value| json!({ "rules": rules });
    let none = json!({});
    hold_warnings(&[
        (tenants(none.clone(), none.clone()), &[open]),
        (
            tenants(json!({ "require_claims": { "tid": ["a"] } }), none.clone()),
            &[],
        ),
        (
            tenants(
                json!({ "require_claims": { "iss": "https://login.example.com/a/v2.0" } }),
                none.clone(),
            ),
            &[],
        ),
        (
            tenants(
                json!({ "require_claims": { "token_use": "access" } }),
                none.clone(),
            ),
            &[open],
        ),
        (
            tenants(
                none.clone(),
                json!({ "require": { "claims": { "tid": "a" } } }),
            ),
            &[],
        ),
        (
            tenants(
                none.clone(),
                json!({ "require": { "any_of": [{ "claims": { "tid": "a" } }] } }),
            ),
            &[],
        ),
        (
            tenants(
                none.clone(),
                json!({ "require": { "cel": "claims.tid in ['a', 'b']" } }),
            ),
            &[],
        ),
        (
            tenants(none.clone(), json!({ "require": { "scopes": ["a"] } })),
            &[open],
        ),
        (
            tenants(
                none.clone(),
                rules(
                    json!([{ "name": "r", "match": { "paths": ["/{t}"] }, "require": { "claims": { "tid": "{t}" } } }]),
                ),
            ),
            &[],
        ),
        (
            tenants(
                none.clone(),
                rules(json!([{ "name": "r", "require": { "cel": "claims.tid == 'a'" } }])),
            ),
            &[],
        ),
        (
            tenants(
                none,
                rules(json!([{ "name": "r", "require": { "cel": "claims.oid == 'a'" } }])),
            ),
            &[open],
        ),
    ]);
    // The claim can be a group, a role or a scope.
    for (key, names) in [
        ("groups", "any_groups"),
        ("roles", "roles"),
        ("scopes", "any_scopes"),
    ] {
        let require = |names: &str| json!({ "require": { "any_of": [{ names: ["a", "b"] }] } });
        let mapped = json!({ "claims": { key: ["other", "tid"] } });
        hold_warnings(&[
            (tenants(mapped.clone(), require(names)), &[]),
            (tenants(mapped, require("acr")), &[open]),
            (
                tenants(
                    json!({ "claims": { key: [{ "members": "tid" }] } }),
                    require(names),
                ),
                &[open],
            ),
        ]);
    }
}

#[test]
fn numbers_that_a_double_cannot_hold() {
    let document = |number: Value| with_jwt(json!({ "require_claims": { "id": [1, number] } }));
    let warning = "providers[0].jwt.require_claims.id[1]: numbers from 2^53 on lose their last digits here, so this is not \
                   compared as written: use a claim that is a string, or a configuration in a JSON string \
                   (`google.protobuf.StringValue`)";
    let told_of = |document: &[u8]| told(&config::load(document).unwrap().warnings);
    let large = 9_007_199_254_740_992_i64;
    for number in [large, -large, large + 1, i64::MAX, i64::MIN] {
        let document = document(json!(number));
        assert_eq!(told_of(document.to_string().as_bytes()), [""; 0]);
        assert_eq!(told_of(&as_struct(&document)), [warning], "{number}");
    }
    for number in [
        json!(large - 1),
        json!(1 - large),
        json!(0.5),
        json!(u32::MAX),
    ] {
        let document = document(number);
        assert_eq!(told_of(document.to_string().as_bytes()), [""; 0]);
        assert_eq!(told_of(&as_struct(&document)), [""; 0]);
    }
    let too_large = document(json!(1e23));
    assert_eq!(told_of(too_large.to_string().as_bytes()), [warning]);
    assert_eq!(told_of(&as_struct(&too_large)), [warning]);
    let nested =
        with_rule(json!({ "require": { "any_of": [{ "claims": { "a": { "b": [large] } } }] } }));
    assert_eq!(told_of(&as_struct(&nested)).len(), 1);
}

#[test]
fn paths_of_claims() {
    let claims = |claims: Value| with_jwt(json!({ "claims": claims }));
    let subject = "providers[0].jwt.claims.subject: expected the name of a claim, or one exact path such as `[[a, b]]`, \
                   found a list";
    let empty = "expected the name of a claim, found an empty string";
    let long = vec!["a"; 33];
    hold(&[
        (
            claims(json!({
                "subject": [["a.b", "c"]], "audience": ["aud", "a.b.c", ["a", "b"]], "roles": { "members": "a" },
                "scopes": ["scope", ["a"], { "members": ["a", "b"] }], "groups": [{ "members": "a.b" }],
            })),
            &[],
        ),
        (claims(json!({ "subject": ["a", "b"] })), &[subject]),
        (claims(json!({ "subject": [["a"], ["b"]] })), &[subject]),
        (claims(json!({ "subject": [] })), &[subject]),
        (
            claims(json!({ "audience": [] })),
            &["providers[0].jwt.claims.audience: expected at least one claim"],
        ),
        (
            claims(json!({ "audience": null })),
            &["providers[0].jwt.claims.audience: expected a list, found nothing"],
        ),
        (
            claims(json!({ "audience": [{ "members": "a" }] })),
            &[
                "providers[0].jwt.claims.audience[0]: expected the name of a claim, or a list of names, found an object \
                 with the key `members`; in YAML, quote text that has `{` or `: `",
            ],
        ),
        (
            claims(json!({ "roles": [[], ["a", ""], ["a", 5], 5] })),
            &[
                "providers[0].jwt.claims.roles[0]: expected 1 to 32 names in the path of a claim",
                &format!("providers[0].jwt.claims.roles[1]: {empty}"),
                "providers[0].jwt.claims.roles[2][1]: expected a string, found the number `5`; did you mean `\"5\"`?",
                "providers[0].jwt.claims.roles[3]: expected the name of a claim, a list of names, or `{members: …}`, \
                 found the number `5`; did you mean `\"5\"`?",
            ],
        ),
        (
            claims(json!({ "groups": { "members": "" }, "roles": [{ "member": "a" }] })),
            &[
                &format!("providers[0].jwt.claims.groups.members: {empty}"),
                "providers[0].jwt.claims.roles[0].member: unknown key; did you mean `members`?",
                "providers[0].jwt.claims.roles[0].members: missing: expected the name of a claim, or a list of names",
            ],
        ),
        (
            claims(json!({ "scopes": [long, long.join(".")] })),
            &[
                "providers[0].jwt.claims.scopes[0]: expected 1 to 32 names in the path of a claim",
                "providers[0].jwt.claims.scopes[1]: expected 1 to 32 names in the path of a claim",
            ],
        ),
        (
            with_jwt(json!({ "require": ["exp", ""] })),
            &[&format!("providers[0].jwt.require[1]: {empty}")],
        ),
        (
            with_rule(json!({ "require": { "claims": { long.join("."): 1 } } })),
            &[&format!(
                "rules[0].require.claims.{}: expected 1 to 32 names in the path of a claim",
                long.join(".")
            )],
        ),
        (
            with(
                json!({ "identity": { "headers": { "x-a": format!("{{claims.{}}}", long.join(".")) } } }),
            ),
            &["identity.headers.x-a: expected 1 to 32 names in the path of a claim"],
        ),
    ]);
}

#[test]
fn what_is_no_document() {
    for (text, expected) in [
        (
            "{\"realm\": }",
            "neither JSON nor a `google.protobuf.Struct`: expected value at line 1 column 11",
        ),
        (
            "{\"realm\":1,\"realm\":2}",
            "neither JSON nor a `google.protobuf.Struct`: duplicate member name",
        ),
    ] {
        assert_eq!(faults(config::load(text.as_bytes())), [expected]);
    }
    hold(&[
        (json!([]), &["expected an object, found a list"]),
        (
            json!("realm"),
            &["expected an object, found a text: in YAML, remove the `|` or `>` before it"],
        ),
        (json!(null), &["expected an object, found nothing"]),
    ]);
    let nothing = ["default: a credential is required, but no provider is configured"];
    assert_eq!(faults(config::load(b"")), nothing);
    assert_eq!(faults(config::load(b"{}")), nothing);
}

#[test]
fn unknown_keys() {
    hold(&[
        (
            with(json!({ "provider": [] })),
            &["provider: unknown key; did you mean `providers`?"],
        ),
        (
            with(json!({ "Realm": "x" })),
            &["Realm: unknown key; did you mean `realm`?"],
        ),
        (with(json!({ "x": 1 })), &["x: unknown key"]),
        (
            with_jwt(json!({ "audience": "orders", "audiences": null })),
            &[
                "providers[0].jwt.audience: unknown key; did you mean `audiences`?",
                "providers[0].jwt.audiences: missing: expected a list of audiences, or `any`",
            ],
        ),
        (
            with_jwt(json!({ "jwks_uri": "x" })),
            &["providers[0].jwt.jwks_uri: unknown key"],
        ),
        (
            with_jwt(json!({ "jwks": { "keys": [], "inline": *KEYS } })),
            &["providers[0].jwt.jwks.keys: unknown key"],
        ),
        (
            with_jwt(json!({ "claims": { "scope": ["scope"] } })),
            &["providers[0].jwt.claims.scope: unknown key; did you mean `scopes`?"],
        ),
        (
            with_rule(json!({ "matches": {} })),
            &["rules[0].matches: unknown key; did you mean `match`?"],
        ),
        (
            with_rule(json!({ "match": { "path": ["/"] } })),
            &["rules[0].match.path: unknown key; did you mean `paths`?"],
        ),
        (
            with_rule(json!({ "require": { "scope": ["a"] } })),
            &["rules[0].require.scope: unknown key; did you mean `scopes`?"],
        ),
        (
            with(json!({ "responses": { "error_descriptions": true } })),
            &["responses.error_descriptions: unknown key; did you mean `error_description`?"],
        ),
        (
            with(json!({ "audit": { "logs": "all" } })),
            &["audit.logs: unknown key; did you mean `log`?"],
        ),
        (
            with(json!({ "audit": { "filter_state": ["rule"] } })),
            &[
                "audit.filter_state: unknown key: it belongs at the top level: check its indentation",
            ],
        ),
    ]);
}

#[test]
fn filter_state_is_a_list_of_names() {
    hold(&[
        (with(json!({ "filter_state": [] })), &[]),
        (
            with(json!({ "filter_state": ["reason", "rule", "provider", "subject"] })),
            &[],
        ),
        (
            with(json!({ "filter_state": ["reasons", "rule", "rule"] })),
            &[
                "filter_state[0]: expected `reason`, `rule`, `provider` or `subject`, found `reasons`; did you mean `reason`?",
                "filter_state[2]: duplicate entry",
            ],
        ),
        (
            with(json!({ "filter_state": "reason" })),
            &["filter_state: expected a list, found `reason`"],
        ),
        // It would mean all of them, and not none.
        (
            json!({ "default": "public", "filter_state": null }),
            &["filter_state: expected a list, found nothing"],
        ),
        (
            with(json!({ "filter_states": [] })),
            &["filter_states: unknown key; did you mean `filter_state`?"],
        ),
    ]);
}

#[test]
fn values_of_the_wrong_kind() {
    hold(&[
        (
            with(json!({ "realm": true })),
            &[
                "realm: expected a string, found the boolean `true`: YAML reads `on`, `off`, `yes` and `no` without quotes as booleans",
            ],
        ),
        (
            with(json!({ "realm": 5 })),
            &["realm: expected a string, found the number `5`; did you mean `\"5\"`?"],
        ),
        (
            with(json!({ "rules": {} })),
            &["rules: expected a list, found an object; in YAML, each item begins with `- `"],
        ),
        (
            with(json!({ "rules": ["x"] })),
            &["rules[0]: expected an object, found `x`"],
        ),
        (
            json!({ "providers": "corp" }),
            &["providers: expected a list, found `corp`"],
        ),
        (
            json!({ "providers": [{ "name": "corp", "jwt": [] }] }),
            &["providers[0].jwt: expected an object, found a list"],
        ),
        (
            with(json!({ "mode": "enforced" })),
            &["mode: expected `enforce` or `shadow`, found `enforced`; did you mean `enforce`?"],
        ),
        (
            with(json!({ "default": "allow" })),
            &["default: expected `deny`, `authenticated`, `optional` or `public`, found `allow`"],
        ),
        (
            // What an unquoted `off` becomes on its way through YAML.
            with(json!({ "audit": { "log": false } })),
            &[
                "audit.log: expected `denied`, `all` or `none`, found the boolean `false`: YAML reads `on`, `off`, `yes` and `no` without quotes as booleans; did you mean `none`?",
            ],
        ),
        (
            with(json!({ "responses": { "error_description": "yes" } })),
            &["responses.error_description: expected `true` or `false`, found `yes`"],
        ),
        (
            with_jwt(json!({ "audiences": "orders" })),
            &["providers[0].jwt.audiences: expected a list of audiences, or `any`, found `orders`"],
        ),
        (
            with_jwt(json!({ "audiences": ["orders", 1] })),
            &[
                "providers[0].jwt.audiences[1]: expected a string, found the number `1`; did you mean `\"1\"`?",
            ],
        ),
        (
            with_jwt(json!({ "clock_skew": 60 })),
            &[
                "providers[0].jwt.clock_skew: expected a duration such as `90s`, found the number `60`; did you mean `60s`?",
            ],
        ),
        (
            with_jwt(json!({ "clock_skew": "60" })),
            &[
                "providers[0].jwt.clock_skew: expected a duration such as `90s`, found `60`; did you mean `60s`?",
            ],
        ),
        (
            with_jwt(json!({ "clock_skew": "-5s" })),
            &["providers[0].jwt.clock_skew: expected a duration such as `90s`, found `-5s`"],
        ),
        (
            with_rule(json!({ "match": { "headers": { "x-api-version": 2 } } })),
            &[
                "rules[0].match.headers.x-api-version: expected a string, a list of strings, or `absent`, found the number `2`; did you mean `\"2\"`?",
            ],
        ),
        (
            with_rule(json!({ "match": { "paths": "/healthz" } })),
            &["rules[0].match.paths: expected a list, found `/healthz`"],
        ),
        (
            with_rule(json!({ "allow": true })),
            &[
                "rules[0].allow: expected `public` or `optional`, found the boolean `true`: YAML reads `on`, `off`, `yes` and `no` without quotes as booleans",
            ],
        ),
        (
            with_rule(json!({ "allow": "publik" })),
            &[
                "rules[0].allow: expected `public` or `optional`, found `publik`; did you mean `public`?",
            ],
        ),
        (
            with_jwt(json!({ "issuer": "x".repeat(0) })),
            &["providers[0].jwt.issuer: expected an issuer, found an empty string"],
        ),
        (
            with(json!({ "mode": "y".repeat(50) })),
            &["mode: expected `enforce` or `shadow`, found a long string"],
        ),
    ]);
}

#[test]
fn missing_members() {
    hold(&[
        (
            json!({ "providers": [{}] }),
            &["providers[0].name: missing: expected a string"],
        ),
        (
            json!({ "providers": [{ "name": "corp" }] }),
            &[
                "providers[0]: expected exactly one of `jwt`, `introspection`, `api_key`, `basic`, `digest` and `mtls`",
            ],
        ),
        (
            json!({ "providers": [{ "name": "corp", "jwt": {} }] }),
            &[
                "providers[0].jwt.audiences: missing: expected a list of audiences, or `any`",
                "providers[0].jwt.issuer: missing: expected a string",
                "providers[0].jwt.jwks: missing: expected an object, or a list of objects",
            ],
        ),
        (
            with_jwt(json!({ "jwks": {} })),
            &["providers[0].jwt.jwks: expected exactly one of `inline`, `remote` and `discovery`"],
        ),
        (
            with(json!({ "rules": [{}] })),
            &["rules[0].name: missing: expected a string"],
        ),
    ]);
}

#[test]
fn names() {
    let rules = json!([
        { "name": "a", "match": { "paths": ["/a"] } },
        { "name": "a", "match": { "paths": ["/b"] } },
        { "name": "", "match": { "paths": ["/c"] } },
        { "name": "ü", "match": { "paths": ["/d"] } },
    ]);
    let mut other = provider("corp");
    other["jwt"]["issuer"] = json!("https://other");
    hold(&[
        (
            with(json!({ "rules": rules })),
            &[
                "rules[1].name: duplicate name `a`: `rules[0]` has it already",
                "rules[2].name: expected a name of printable ASCII characters, not empty",
                "rules[3].name: expected a name of printable ASCII characters, not empty",
            ],
        ),
        (
            json!({ "providers": [provider("corp"), other] }),
            &["providers[1].name: duplicate name `corp`: `providers[0]` has it already"],
        ),
        (
            with_rule(json!({ "providers": ["crop", "somebody"] })),
            &[
                "rules[0].providers[0]: unknown provider `crop`; did you mean `corp`?",
                "rules[0].providers[1]: unknown provider `somebody`",
            ],
        ),
        (
            with_rule(json!({ "providers": [] })),
            &["rules[0].providers: expected at least one provider"],
        ),
        (
            with_jwt(json!({ "algorithms": ["ES265", "none", "es256"] })),
            &[
                "providers[0].jwt.algorithms[0]: unknown algorithm `ES265`; did you mean `ES256`?",
                "providers[0].jwt.algorithms[1]: unknown algorithm `none`",
                "providers[0].jwt.algorithms[2]: unknown algorithm `es256`; did you mean `ES256`?",
            ],
        ),
    ]);
}

#[test]
fn what_a_challenge_cannot_carry() {
    let what = "realm: expected printable ASCII characters only: a challenge cannot carry others";
    hold(&[
        (with(json!({ "realm": "Aufträge" })), &[what]),
        (with(json!({ "realm": "a\r\nx-injected: 1" })), &[what]),
        (with(json!({ "realm": "a \"quoted\" realm" })), &[]),
    ]);
}

/// No token has such a value: an issuer and an audience are compared exactly.
#[test]
fn stray_characters_in_an_issuer_or_an_audience_are_faults() {
    let what = "whitespace or an invisible character: values are compared exactly, so no token has this one";
    let issuer = format!("providers[0].jwt.issuer: {what}");
    let audience = format!("providers[0].jwt.audiences[1]: {what}");
    let stray = [
        " ", "\t", "\n", "\r\n", "\u{a0}", "\u{3000}", "\u{200b}", "\u{feff}", "\u{202e}", "\u{0}",
    ];
    for stray in stray {
        for text in [
            format!("https://a.example{stray}"),
            format!("{stray}https://a.example"),
        ] {
            hold(&[
                (with_jwt(json!({ "issuer": text })), &[&issuer]),
                (
                    with_jwt(json!({ "audiences": ["orders", text] })),
                    &[&audience],
                ),
            ]);
        }
    }
    hold(&[
        (
            with_jwt(json!({ "issuer": "https://a.example/{tid}/v2.0 " })),
            &[&issuer],
        ),
        (
            with_jwt(json!({ "issuer": "https://a.example/ x/{tid}" })),
            &[&issuer],
        ),
        (
            with_jwt(json!({ "issuer": "https://a.example/{ tid }" })),
            &[&issuer],
        ),
        (with_jwt(json!({ "issuer": "log\u{ad}in" })), &[&issuer]),
        // Not a URI, so it may contain a space (RFC 7519 §2).
        (
            with_jwt(json!({ "issuer": "Login of Orders", "audiences": ["the orders", "é"] })),
            &[],
        ),
    ]);
}

#[test]
fn jwt_providers() {
    let issuer = "providers[0].jwt.issuer";
    let one = format!("{issuer}: expected at most one `{{claim}}` in the issuer");
    let host = format!(
        "{issuer}: `{{claim}}` must not be in the host of the issuer: a token could choose the host"
    );
    let mixed = "providers[0].jwt.audiences: `any` must be the only entry: it disables the check";
    let none = "providers[0].jwt.audiences: expected at least one audience, and no empty one";
    hold(&[
        (with_jwt(json!({ "issuer": "https://a/{x}/{y}" })), &[&one]),
        (with_jwt(json!({ "issuer": "https://a/{}" })), &[&one]),
        (with_jwt(json!({ "issuer": "https://a/{x" })), &[&one]),
        (
            with_jwt(json!({ "issuer": "https://{x}.example.com/" })),
            &[&host],
        ),
        (
            with_jwt(json!({ "audiences": ["any", "orders"] })),
            &[mixed],
        ),
        (with_jwt(json!({ "audiences": [] })), &[none]),
        (with_jwt(json!({ "audiences": [""] })), &[none]),
        (
            with_jwt(json!({ "algorithms": [] })),
            &["providers[0].jwt.algorithms: expected at least one algorithm"],
        ),
        (
            with_jwt(json!({ "claims": { "roles": [""] } })),
            &[
                "providers[0].jwt.claims.roles[0]: expected the name of a claim, found an empty string",
            ],
        ),
        (
            with_jwt(json!({ "algorithms": ["RS256"] })),
            &[
                "providers[0].jwt.jwks.inline: no key can verify a token with the accepted algorithms",
            ],
        ),
        (
            with_jwt(json!({ "jwks": { "inline": {} } })),
            &["providers[0].jwt.jwks.inline: a key set must have an array `keys`"],
        ),
        (
            with_jwt(json!({ "jwks": { "inline": [] } })),
            &["providers[0].jwt.jwks.inline: a key set must be an object"],
        ),
        (
            with_keys(json!([])),
            &[
                "providers[0].jwt.jwks.inline: no key can verify a token with the accepted algorithms",
            ],
        ),
    ]);
}

fn bad_keys() -> [(Value, &'static str); 5] {
    let key = SigningKey::generate(Algorithm::Es256);
    let off_curve = merged(key.public_jwk(), json!({ "y": key.public_jwk()["x"] }));
    let modulus = base64url::encode(&[0xff; 128]);
    [
        (
            json!({ "kty": "RSA", "n": modulus, "e": "AQAB" }),
            "RSA modulus: expected at least 2048 bits, found 1024",
        ),
        (off_curve, "the point is not on the curve"),
        (
            merged(key.public_jwk(), json!({ "use": "enc" })),
            "`use`: expected `sig`, found `enc`",
        ),
        (
            merged(key.public_jwk(), json!({ "alg": "RS256" })),
            "the key cannot be used with its `alg` `RS256`",
        ),
        (
            json!({ "kty": "EC", "crv": "secp256k1" }),
            "unknown `crv`: `secp256k1`",
        ),
    ]
}

#[test]
fn a_bad_key_beside_a_good_one_is_a_warning_and_alone_a_fault() {
    for (bad, what) in bad_keys() {
        let warning = format!("providers[0].jwt.jwks.inline.keys[1]: this key is not used: {what}");
        hold_warnings(&[(with_keys(json!([KEYS["keys"][0], bad])), &[&warning])]);
        let fault = format!(
            "providers[0].jwt.jwks.inline: no key can verify a token with the accepted algorithms (keys[0]: {what})"
        );
        hold(&[(with_keys(json!([bad])), &[&fault])]);
    }
}

#[test]
fn warnings() {
    let hs256 = |secret: &[u8]| {
        let key = json!({ "kty": "oct", "k": base64url::encode(secret) });
        with_jwt(json!({ "algorithms": ["HS256"], "jwks": { "inline": { "keys": [key] } } }))
    };
    let every_byte_once: Vec<u8> = (0..32).collect();
    let in_place = "providers[0].jwt.jwks.inline.keys[0]: an inline secret is visible in Envoy's `/config_dump`";
    hold_warnings(&[
        (with(json!({})), &[]),
        (
            with_jwt(json!({ "audiences": "any" })),
            &[
                "providers[0].jwt.audiences: `any` accepts tokens that were issued for other services",
            ],
        ),
        (
            with_jwt(json!({ "audiences": ["any"] })),
            &[
                "providers[0].jwt.audiences: `any` accepts tokens that were issued for other services",
            ],
        ),
        (
            with_jwt(json!({ "require": [] })),
            &["providers[0].jwt.require: without `exp`, tokens that never expire are accepted"],
        ),
        (hs256(&every_byte_once), &[in_place]),
        // J-18
        (
            hs256(b"correct horse battery staple, correct"),
            &[
                in_place,
                "providers[0].jwt.jwks.inline.keys[0]: this secret is not random: it has few different bytes",
            ],
        ),
    ]);
}

#[test]
fn keys_that_are_read_leniently_are_a_warning() {
    let key = SigningKey::generate(Algorithm::Es256).public_jwk();
    let padded = format!("{}=", key["x"].as_str().unwrap());
    let mut key = merged(key, json!({ "x": padded, "key_ops": [], "x5c": [] }));
    key["oth"] = Value::Null;
    let warning = |what: &str| {
        format!(
            "providers[0].jwt.jwks.inline.keys[1]: {what}: the key is used, but other gates may refuse it"
        )
    };
    let warnings = [
        "`oth` is null",
        "`key_ops` is an empty list",
        "`x` is not unpadded base64url",
    ]
    .map(warning);
    let warnings = warnings.each_ref().map(String::as_str);
    hold_warnings(&[(with_keys(json!([KEYS["keys"][0], key])), &warnings)]);

    let secret = format!("{}=", base64url::encode(&[7; 32]));
    let key = json!({ "kty": "oct", "k": secret });
    let document = json!({ "algorithms": ["HS256"], "jwks": { "inline": { "keys": [key] } } });
    let at = "providers[0].jwt.jwks.inline.keys[0]";
    hold_warnings(&[(
        with_jwt(document),
        &[
            &format!(
                "{at}: `k` is not unpadded base64url: the key is used, but other gates may refuse it"
            ),
            &format!("{at}: an inline secret is visible in Envoy's `/config_dump`"),
            &format!("{at}: this secret is not random: it has few different bytes"),
        ],
    )]);
}

#[test]
fn the_issuer_of_an_inline_key() {
    let of = |issuer: Value| merged(KEYS["keys"][0].clone(), json!({ "issuer": issuer }));
    let fault = "`issuer`: expected text in which each `{…}` is a whole path segment";
    for issuer in [
        json!(""),
        json!(5),
        json!(["https://login.example.com"]),
        json!("https://{t}.example.com"),
        json!("https://login.example.com/{}"),
    ] {
        // Also beside a good key: without the restriction, the key could verify the tokens of every issuer.
        let keys = json!([KEYS["keys"][0], of(issuer)]);
        hold(&[(
            with_keys(keys),
            &[&format!("providers[0].jwt.jwks.inline.keys[1]: {fault}")],
        )]);
    }
    let warning = "providers[0].jwt.jwks.inline.keys: no token of this provider can be verified: every key has the `issuer` of other tokens";
    let provider = |issuer: &str, keys: Value| {
        let jwks = json!({ "inline": { "keys": keys } });
        with_jwt(json!({ "issuer": issuer, "jwks": jwks, "require_claims": { "t": "1" } }))
    };
    let (one, template) = ("https://a.example/1/v2.0", "https://a.example/{t}/v2.0");
    let is_own: [(&str, &str); 6] = [
        (one, one),
        (one, template),
        (template, one),
        (template, template),
        (template, "https://a.example/{t}/{v}"),
        (template, "https://a.example/{t}/v2.0"),
    ];
    for (issuer, of_key) in is_own {
        hold_warnings(&[(provider(issuer, json!([of(json!(of_key))])), &[])]);
    }
    for (issuer, of_key) in [
        (one, "https://a.example/2/v2.0"),
        (one, "https://a.example/{t}"),
        (template, "https://a.example/1/v1.0"),
        (template, "https://b.example/{t}/v2.0"),
    ] {
        let keys = json!([of(json!(of_key))]);
        hold_warnings(&[(provider(issuer, keys), &[warning])]);
        let keys = json!([of(json!(of_key)), KEYS["keys"][0]]);
        hold_warnings(&[(provider(issuer, keys), &[])]);
    }
}

/// RFC 7518 §3.2: a secret is at least as long as the hash.
#[test]
fn a_short_secret_is_not_used() {
    let secret = json!({ "kty": "oct", "alg": "HS256", "k": base64url::encode(&[7; 31]) });
    let algorithms = json!({ "algorithms": ["HS256"], "jwks": { "inline": { "keys": [secret] } } });
    hold(&[(
        with_jwt(algorithms),
        &[
            "providers[0].jwt.jwks.inline: no key can verify a token with the accepted algorithms (keys[0]: secret: expected at least 32 octets, found 31)",
        ],
    )]);
}

#[test]
fn rules_match_what_they_say() {
    let no_path = "rules[0].match.paths[0]";
    let method = "rules[0].match.methods[0]: expected a method in upper case, such as `GET`: methods are case-sensitive";
    let host = "rules[0].match.hosts[0]: expected a host name without scheme, port and path, such as `api.example.com` or `*.example.com`";
    let path = |text: &str| with_rule(json!({ "match": { "paths": [text] } }));
    let methods = |text: &str| with_rule(json!({ "match": { "methods": [text] } }));
    let hosts = |text: &str| with_rule(json!({ "match": { "hosts": [text] } }));
    hold(&[
        (
            path("healthz"),
            &[&format!("{no_path}: expected a path that begins with `/`")],
        ),
        (
            path("/{a}/{a}"),
            &[&format!("{no_path}: duplicate path parameter `{{a}}`")],
        ),
        (
            path("/{a"),
            &[&format!(
                "{no_path}: `{{name}}` must be a whole segment or be followed by `:verb`, and its name may have only letters, digits and `_`"
            )],
        ),
        (
            path("/{}"),
            &[&format!(
                "{no_path}: `{{name}}` must be a whole segment or be followed by `:verb`, and its name may have only letters, digits and `_`"
            )],
        ),
        (
            path("/a?b=c"),
            &[&format!(
                "{no_path}: expected a path without `?`: the query is not matched"
            )],
        ),
        (
            path("/a%20b"),
            &[&format!(
                "{no_path}: expected a decoded path, found a percent-escape"
            )],
        ),
        (
            path("/a//b"),
            &[&format!(
                "{no_path}: this path never matches: it has an empty segment"
            )],
        ),
        (
            path("/a/../b"),
            &[&format!(
                "{no_path}: this path never matches: it has a dot segment"
            )],
        ),
        (
            path("//"),
            &[&format!(
                "{no_path}: this path never matches: it has an empty segment"
            )],
        ),
        (
            path(""),
            &[&format!("{no_path}: expected a path that begins with `/`")],
        ),
        (methods("get"), &[&format!("{method}; did you mean `GET`?")]),
        (methods("GET POST"), &[method]),
        (methods(""), &[method]),
        (
            methods("TRACE"),
            &["rules[0].match.methods[0]: `TRACE` is always denied"],
        ),
        (hosts(""), &[host]),
        (
            with_rule(json!({ "match": { "headers": { "x api": "1" } } })),
            &["rules[0].match.headers.x api: not a valid header name"],
        ),
        // No request fits these, and the rule after them would decide.
        (
            with_rule(json!({ "match": { "headers": { "Host": "admin.example.com" } } })),
            &["rules[0].match.headers.Host: use `hosts` to match the host"],
        ),
        (
            with_rule(json!({ "match": { "headers": { "X-A": "1", "x-a": "2" } } })),
            &["rules[0].match.headers.x-a: duplicate header: header names are case-insensitive"],
        ),
        (
            with_rule(json!({ "match": { "headers": {
                "a": ["1", "2", "1"], "b": "absent", "c": ["absent"], "d": "", "e": ["", "1"],
            } } })),
            &[],
        ),
        (
            with_rule(json!({ "match": { "headers": {
                "a": [], "b": ["1", 2], "c": ["1", "2 "], "d": null, "e": {}, "f": [null],
            } } })),
            &[
                "rules[0].match.headers.a: an empty list matches no request: remove the key to match all",
                "rules[0].match.headers.b[1]: expected a string, found the number `2`; did you mean `\"2\"`?",
                "rules[0].match.headers.c[1]: not a valid header value: it has leading or trailing whitespace, or a control character",
                "rules[0].match.headers.d: expected a string, a list of strings, or `absent`, found nothing",
                "rules[0].match.headers.e: expected a string, a list of strings, or `absent`, found an object",
                "rules[0].match.headers.f[0]: expected a string, found nothing",
            ],
        ),
        (
            with_rule(json!({ "match": { "headers": { "a": " 1", "b": "1\n", "c": "1\u{0}2" } } })),
            &[
                "rules[0].match.headers.a: not a valid header value: it has leading or trailing whitespace, or a control character",
                "rules[0].match.headers.b: not a valid header value: it has leading or trailing whitespace, or a control character",
                "rules[0].match.headers.c: not a valid header value: it has leading or trailing whitespace, or a control character",
            ],
        ),
        (
            with_rule(json!({ "match": { "paths": [], "methods": [], "hosts": [] } })),
            &[
                "rules[0].match.hosts: an empty list matches no request: remove the key to match all",
                "rules[0].match.methods: an empty list matches no request: remove the key to match all",
                "rules[0].match.paths: an empty list matches no request: remove the key to match all",
            ],
        ),
    ]);
}

#[test]
fn rules_that_no_request_can_reach() {
    let rules = |first: Value, second: Value| {
        with(json!({ "rules": [
            { "name": "first", "match": first }, { "name": "second", "match": second },
        ] }))
    };
    let unreachable =
        "rules[1]: no request can reach this rule: `first` matches every request that it matches";
    let mut of_no_case = rules(
        json!({ "paths": ["/A/**"] }),
        json!({ "paths": ["/a/{x}"] }),
    );
    hold(&[(of_no_case.clone(), &[])]);
    of_no_case["paths_case"] = json!("insensitive");
    hold(&[(of_no_case, &[unreachable])]);
    hold(&[
        (rules(json!({}), json!({ "paths": ["/a"] })), &[unreachable]),
        (
            rules(
                json!({ "paths": ["/a/**"] }),
                json!({ "paths": ["/a/b", "/a/{c}/d"] }),
            ),
            &[unreachable],
        ),
        (
            rules(json!({ "paths": ["/{x}"] }), json!({ "paths": ["/a"] })),
            &[unreachable],
        ),
        (
            rules(
                json!({ "methods": ["GET"] }),
                json!({ "methods": ["HEAD"] }),
            ),
            &[unreachable],
        ),
        (
            rules(
                json!({ "hosts": ["*.a.b"] }),
                json!({ "hosts": ["x.a.b"], "paths": ["/"] }),
            ),
            &[unreachable],
        ),
        (
            rules(json!({ "paths": ["/a"] }), json!({ "paths": ["/{x}"] })),
            &[],
        ),
        (
            rules(
                json!({ "methods": ["HEAD"] }),
                json!({ "methods": ["GET"] }),
            ),
            &[],
        ),
        (
            rules(json!({ "hosts": ["*.a.b"] }), json!({ "hosts": ["a.b"] })),
            &[],
        ),
        (rules(json!({ "headers": { "x": "1" } }), json!({})), &[]),
        // What is wrong with the first says nothing about what it would fit.
        (
            rules(
                json!({ "methods": ["get"], "paths": ["a"] }),
                json!({ "paths": ["/b"] }),
            ),
            &[
                "rules[0].match.methods[0]: expected a method in upper case, such as `GET`: methods are case-sensitive; did you mean `GET`?",
                "rules[0].match.paths[0]: expected a path that begins with `/`",
            ],
        ),
        (
            rules(
                json!({ "headers": { "x": ["1", "2"] } }),
                json!({ "headers": { "X": ["2", "1", "2"], "y": "absent" } }),
            ),
            &[unreachable],
        ),
        (
            rules(
                json!({ "headers": { "x": ["1", "2"] } }),
                json!({ "headers": { "x": ["2", "3"] } }),
            ),
            &[],
        ),
        (
            rules(
                json!({ "headers": { "x": "absent" } }),
                json!({ "headers": { "x": "absent" }, "paths": ["/a"] }),
            ),
            &[unreachable],
        ),
        (
            rules(
                json!({ "headers": { "x": "absent" } }),
                json!({ "headers": { "x": ["absent"] } }),
            ),
            &[],
        ),
        (
            rules(json!({ "headers": { "x": "absent" } }), json!({})),
            &[],
        ),
        (
            rules(
                json!({ "networks": { "allow": ["10.0.0.0/8"] } }),
                json!({ "networks": { "allow": ["10.1.0.0/16"] }, "paths": ["/a"] }),
            ),
            &[unreachable],
        ),
        (
            rules(
                json!({ "networks": { "allow": ["0.0.0.0/0", "::/0"] } }),
                json!({}),
            ),
            &[unreachable],
        ),
        (
            rules(
                json!({ "networks": { "allow": ["10.0.0.0/8"] } }),
                json!({}),
            ),
            &[],
        ),
        (
            rules(json!({}), json!({ "networks": { "deny": ["10.0.0.0/8"] } })),
            &[unreachable],
        ),
        (
            rules(
                json!({ "networks": { "allow": ["10.0.0.0/8"] } }),
                json!({ "networks": { "deny": ["10.0.0.0/8"] } }),
            ),
            &[],
        ),
        (
            rules(
                json!({ "route": ["a", "b"] }),
                json!({ "route": ["b"], "paths": ["/b"] }),
            ),
            &[
                "rules[1]: no request can reach this rule: `first` matches every request that it matches",
            ],
        ),
        (
            rules(
                json!({ "policy": ["a"] }),
                json!({ "policy": ["a"], "route": ["a"] }),
            ),
            &[
                "rules[1]: no request can reach this rule: `first` matches every request that it matches",
            ],
        ),
        (
            rules(json!({ "route": ["a"] }), json!({ "route": ["a", "b"] })),
            &[],
        ),
        (
            rules(json!({ "route": ["a"] }), json!({ "route": ["A"] })),
            &[],
        ),
        (
            rules(json!({ "route": ["a"] }), json!({ "policy": ["a"] })),
            &[],
        ),
        (rules(json!({ "policy": ["a"] }), json!({})), &[]),
        (
            rules(json!("/a"), json!({ "paths": ["/b"] })),
            &["rules[0].match: expected an object, found `/a`"],
        ),
    ]);
}

/// What would have Envoy choose another route than the one that rules look at.
#[test]
fn what_does_not_go_together_with_rules_by_route() {
    let by = |name: &str| json!([{ "name": "a", "match": { name: ["x"] }, "allow": "public" }]);
    let said = "this removes credentials from requests, and Envoy then selects the route again: it cannot be combined with `match.route` or `match.policy`";
    let strip = json!({ "strip_credential": true });
    for name in ["route", "policy"] {
        hold(&[
            (with(json!({ "rules": by(name) })), &[]),
            (
                with(
                    json!({ "rules": by(name), "identity": { "strip_credential": false, "headers": { "x-user": "{subject}" } } }),
                ),
                &[],
            ),
            (
                with(json!({ "rules": by(name), "identity": strip })),
                &[&format!("identity.strip_credential: {said}")],
            ),
            (
                with(json!({ "rules": by(name), "protect_as": "proxy" })),
                &[&format!("protect_as: {said}")],
            ),
            (
                with_rule(json!({ "match": { name: [] } })),
                &[&format!(
                    "rules[0].match.{name}: an empty list matches no request: remove the key to match all"
                )],
            ),
            (
                with_rule(json!({ "match": { name: ["a", "", "a\u{0}"] } })),
                &[
                    &format!(
                        "rules[0].match.{name}[1]: expected a name without control characters, not empty"
                    ),
                    &format!(
                        "rules[0].match.{name}[2]: expected a name without control characters, not empty"
                    ),
                ],
            ),
        ]);
    }
    let mut in_query = with_jwt(json!({ "from": [{ "header": "x-token" }, { "query": "token" }] }));
    let warnings = |document: &Value| told(&config::load_value(document).unwrap().warnings);
    assert_eq!(warnings(&in_query), Vec::<String>::new());
    in_query["rules"] = by("route");
    assert_eq!(
        warnings(&in_query),
        [
            "providers[0].jwt.from[1].query: a request with a token in the query receives 400: the filter would have to remove the token, but rules match routes"
        ]
    );
    let mut taken_out = with_jwt(json!({ "from": [{ "header": "x-token" }, { "cookie": "a" }] }));
    taken_out["identity"] = json!({ "remove": ["x-other", "X_Tok*"] });
    assert_eq!(warnings(&taken_out), Vec::<String>::new());
    taken_out["rules"] = by("policy");
    assert_eq!(
        warnings(&taken_out),
        [
            "identity.remove: a request with a credential in `x-token` receives 400: the filter would have to remove the header, but rules match routes"
        ]
    );
}

#[test]
fn identity_fields_in_which_a_provider_looks() {
    let mut document = with_jwt(json!({ "from": [{ "header": "x-token" }] }));
    document["identity"] = json!({
        "headers": { "X-Token": "a" }, "anonymous_header": "x-tokens",
    });
    let said = "a provider reads credentials from this header";
    let headers: &[&str] = &[&format!("identity.headers.X-Token: {said}")];
    hold(&[(document.clone(), headers)]);
    document["identity"] = json!({ "payload_header": "x_token" });
    let payload: &[&str] = &[&format!("identity.payload_header: {said}")];
    hold(&[(document, payload)]);
}

#[test]
fn other_credentials_are_those_of_providers_that_a_rule_does_not_list() {
    let none = "rules[0].other_credentials: `other_credentials` requires `providers` or `require_all`: the others are \
                those that it does not list";
    let rule =
        |members: Value| with_rule(merged(json!({ "other_credentials": "ignore" }), members));
    hold(&[
        (rule(json!({ "providers": ["corp"] })), &[]),
        (
            rule(json!({ "providers": ["corp"], "other_credentials": "judge" })),
            &[],
        ),
        (
            rule(json!({ "providers": ["corp"], "allow": "optional" })),
            &[],
        ),
        (rule(json!({})), &[none]),
        (rule(json!({ "other_credentials": "judge" })), &[none]),
        (rule(json!({ "allow": "optional" })), &[none]),
        (rule(json!({ "allow": "public" })), &[none]),
        (
            rule(json!({ "respond": { "status": 403 } })),
            &[
                "rules[0].other_credentials: `other_credentials` cannot be combined with `respond`: every request \
                 receives the response",
            ],
        ),
        (
            rule(json!({ "providers": ["corp"], "other_credentials": "ignored" })),
            &[
                "rules[0].other_credentials: expected `judge` or `ignore`, found `ignored`; did you mean `ignore`?",
            ],
        ),
        (
            with(json!({ "other_credentials": "ignore" })),
            &["other_credentials: unknown key: it belongs in `rules[]`"],
        ),
    ]);
}

#[test]
fn require_all_lists_several_providers_of_which_a_request_can_have_a_credential_each() {
    let from = |name: &str, from: Value| {
        let issuer = format!("https://{name}.example.com");
        let jwt = merged(jwt(), json!({ "issuer": issuer, "from": from }));
        json!({ "name": name, "jwt": jwt })
    };
    let header = |name: &str| json!({ "header": name });
    let bearer = json!({ "header": "authorization", "scheme": "Bearer" });
    let key = json!({ "name": "key", "api_key": { "keys": [{ "id": "acme", "sha256": "0".repeat(64) }] } });
    let providers = json!([
        from("user", json!([bearer])),
        from(
            "rival",
            json!([{ "header": "authorization", "scheme": "Token" }])
        ),
        from("mesh", json!([header("x-mesh")])),
        from("wide", json!([header("x-mesh"), header("x-wide")])),
        from("both", json!([bearer, header("x-mesh")])),
        from("page", json!([{ "cookie": "a" }])),
        from("other-page", json!([{ "cookie": "a" }])),
        from(
            "browser",
            json!([{ "header": "x-browser" }, { "cookie": "b" }])
        ),
        from("site", json!([{ "cookie": "b" }])),
        key,
    ]);
    let rule = |require_all: Value, members: Value| {
        let rule = merged(json!({ "name": "r", "require_all": require_all }), members);
        json!({ "providers": providers, "rules": [rule] })
    };
    let all = |names: &[&str]| rule(json!(names), json!({}));
    let never = |one: &str, two: &str| {
        format!(
            "rules[0].require_all: no request can have a credential of `{one}` and one of `{two}`: configure another \
             `from` for one of them"
        )
    };
    let with_other = |key: &str| {
        format!(
            "rules[0].require_all: `require_all` cannot be combined with `{key}`: each of its providers must verify a \
             credential"
        )
    };
    let two = "rules[0].require_all: expected at least two providers: use `providers` for one";
    let ignore = json!({ "other_credentials": "ignore" });
    hold(&[
        (all(&["user", "key"]), &[]),
        (all(&["key", "user", "page"]), &[]),
        (rule(json!(["user", "key"]), ignore), &[]),
        // The cookie is of a provider that reads no header.
        (all(&["browser", "site"]), &[]),
        (all(&["user"]), &[two]),
        (all(&[]), &[two]),
        (
            all(&["user", "key", "user"]),
            &["rules[0].require_all[2]: duplicate entry"],
        ),
        (
            all(&["user", "keys"]),
            &["rules[0].require_all[1]: unknown provider `keys`; did you mean `key`?"],
        ),
        (all(&["user", "rival"]), &[&never("user", "rival")]),
        (
            all(&["page", "other-page"]),
            &[&never("page", "other-page")],
        ),
        // Two credentials in the locations of one provider are denied, of `wide` and of `both` too.
        (all(&["mesh", "wide"]), &[&never("mesh", "wide")]),
        (all(&["user", "mesh"]), &[&never("user", "mesh")]),
        (
            rule(json!(["user", "key"]), json!({ "providers": ["user"] })),
            &[&with_other("providers")],
        ),
        (
            rule(json!(["user", "key"]), json!({ "allow": "public" })),
            &[&with_other("allow")],
        ),
        (
            rule(json!(["user", "key"]), json!({ "allow": "optional" })),
            &[&with_other("allow")],
        ),
        (
            rule(
                json!(["user", "key"]),
                json!({ "respond": { "status": 403 } }),
            ),
            &[
                "rules[0].require_all: `require_all` cannot be combined with `respond`: every request receives the \
                 response",
            ],
        ),
        (
            with(json!({ "require_all": ["user", "key"] })),
            &["require_all: unknown key: it belongs in `rules[]`"],
        ),
    ]);
}

#[test]
fn rules_that_contradict_themselves() {
    let scopes = json!({ "scopes": ["a"] });
    let scope = "expected one or more visible ASCII characters other than `\"` and `\\`";
    let no_provider = "a credential is required, but no provider is configured";
    let mut same = provider("same");
    same["jwt"]["issuer"] = json!("https://login.example.com");
    let mut tenants = provider("tenants");
    tenants["jwt"]["issuer"] = json!("https://login.example.com{tid}/");
    let public = json!([{ "name": "r", "match": { "paths": ["/"] }, "allow": "public" }]);
    hold(&[
        (
            with_rule(json!({ "allow": "public", "require": scopes })),
            &["rules[0].require: `require` cannot be combined with `allow`"],
        ),
        (
            with_rule(json!({ "allow": "optional", "require": scopes })),
            &["rules[0].require: `require` cannot be combined with `allow`"],
        ),
        (
            with_rule(json!({ "allow": "public", "providers": ["corp"] })),
            &[
                "rules[0].providers: `providers` cannot be combined with `allow: public`: the filter reads no credential",
            ],
        ),
        (
            with_rule(json!({ "require": {} })),
            &[
                "rules[0].require: expected at least one requirement: without `require`, any valid credential is accepted",
            ],
        ),
        (
            with_rule(
                json!({ "require": { "scopes": ["a b", "", "a\"b"], "roles": ["a b", ""], "groups": [] } }),
            ),
            &[
                "rules[0].require.groups: expected at least one name",
                "rules[0].require.roles[1]: expected a name, found an empty string",
                &format!("rules[0].require.scopes[0]: {scope}"),
                &format!("rules[0].require.scopes[1]: {scope}"),
                &format!("rules[0].require.scopes[2]: {scope}"),
            ],
        ),
        (
            json!({ "rules": [{ "name": "r" }] }),
            &[&format!("rules[0]: {no_provider}")],
        ),
        (
            json!({ "rules": public, "default": "authenticated" }),
            &[&format!("default: {no_provider}")],
        ),
        (
            json!({ "rules": [{ "name": "r", "allow": "optional" }] }),
            &[&format!("rules[0]: {no_provider}")],
        ),
        (
            json!({ "providers": [provider("corp"), same], "rules": [{ "name": "r" }] }),
            &[
                "rules[0]: the providers `corp` and `same` accept the same tokens: for several key sets of one issuer, give one provider a list of `jwks`",
            ],
        ),
        (
            json!({ "providers": [provider("corp"), same] }),
            &[
                "default: the providers `corp` and `same` accept the same tokens: for several key sets of one issuer, give one provider a list of `jwks`",
            ],
        ),
        (
            json!({ "providers": [provider("corp"), same], "rules": [
                { "name": "a", "match": { "paths": ["/a"] }, "providers": ["corp"] },
                { "name": "b", "match": { "paths": ["/b"] }, "providers": ["same"] },
            ] }),
            &[],
        ),
    ]);
}

/// Every key and value of the contract that this version does not serve is refused by name, never ignored.
#[test]
fn dpop_needs_an_origin_and_is_not_for_proxies() {
    let no_origin = "DPoP needs `origin` at the top level: a proof names the URL of the request, and the filter never takes \
                     it from Host";
    for (members, key) in [
        (json!({"dpop": {}}), "dpop"),
        (json!({"sender": "dpop"}), "sender"),
        (json!({"sender": "bound"}), "sender"),
        (json!({"sender": "bound", "dpop": {}}), "dpop"),
    ] {
        let expected = format!("providers[0].jwt.{key}: {no_origin}");
        hold(&[(with_jwt(members), &[&expected])]);
    }
    let with_origin = |members: Value| {
        let mut document = with_jwt(members);
        document["origin"] = json!("https://api.example.com");
        document
    };
    let mut proxy = with_origin(json!({"dpop": {}}));
    proxy["protect_as"] = json!("proxy");
    let algorithms = "expected an algorithm of public keys: ES256, ES384, ES512, EdDSA, Ed25519, PS256, PS384, PS512, \
                      RS256, RS384 or RS512";
    hold(&[
        (
            proxy,
            &[
                "providers[0].jwt.dpop: DPoP is not for proxies: remove it, or `protect_as: proxy` (RFC 9449 §7.1)",
            ],
        ),
        (
            with_origin(json!({"dpop": {"window": "0s"}})),
            &["providers[0].jwt.dpop.window: expected a `window` from `1s` to `10m`"],
        ),
        (
            with_origin(json!({"dpop": {"algorithms": ["ES256", "HS256"]}})),
            &[&format!(
                "providers[0].jwt.dpop.algorithms[1]: {algorithms}"
            )],
        ),
        (
            with_origin(json!({"dpop": {"algorithms": ["none"]}})),
            &[&format!(
                "providers[0].jwt.dpop.algorithms[0]: {algorithms}"
            )],
        ),
        (
            with_origin(json!({"dpop": {"nonce": "always"}})),
            &["providers[0].jwt.dpop.nonce: expected `never` or `required`, found `always`"],
        ),
        (
            with_origin(json!({"sender": "dpop", "from": [{"cookie": "session"}]})),
            &[
                "providers[0].jwt.from: with `sender: dpop`, tokens are only after `DPoP` in `authorization`: remove \
               `from`, or use `sender: bound`",
            ],
        ),
        (
            with_origin(json!({"from": [{"header": "authorization", "scheme": "dpop"}]})),
            &["providers[0].jwt.from[0].scheme: this scheme has credentials of another kind"],
        ),
    ]);
}

#[test]
fn a_provider_of_digest_credentials_has_hashes_of_its_algorithms() {
    let of = |members: Value| {
        let users = json!([{"name": "lab", "ha1": {"SHA-256": "a".repeat(64)}}]);
        let digest = merged(json!({"users": users}), members);
        with(json!({"providers": [{"name": "scanners", "digest": digest}]}))
    };
    let user = |members: Value| {
        let user = json!({"name": "lab", "ha1": {"SHA-256": "a".repeat(64)}});
        of(json!({"users": [merged(user, members)]}))
    };
    let digits = "expected the 64 hexadecimal digits that `countersign hash digest` prints";
    hold(&[
        (
            of(json!({"users": []})),
            &["providers[0].digest.users: expected at least one user"],
        ),
        (
            of(json!({"algorithms": []})),
            &["providers[0].digest.algorithms: expected at least one algorithm"],
        ),
        (
            of(json!({"algorithms": ["SHA-1", "SHA-256-sess", "SHA-512-256"]})),
            &[
                "providers[0].digest.algorithms[0]: unknown algorithm `SHA-1`: expected `SHA-256` or `MD5`",
                "providers[0].digest.algorithms[1]: `SHA-256-sess` is not supported: clients that support it also support \
                 `SHA-256`",
                "providers[0].digest.algorithms[2]: `SHA-512-256` is not supported: clients that support it also support \
                 `SHA-256`",
            ],
        ),
        (
            of(json!({"nonce_ttl": "2h"})),
            &["providers[0].digest.nonce_ttl: expected a `nonce_ttl` from `1s` to `1h`"],
        ),
        (
            of(json!({"secret": "short-secret"})),
            &["providers[0].digest.secret: expected at least 16 bytes: a nonce could be forged"],
        ),
        (
            of(json!({"algorithms": ["MD5"]})),
            &[
                "providers[0].digest.users[0].ha1: expected a hash for one of the provider's `algorithms`",
            ],
        ),
        (
            user(json!({"ha1": {"SHA-256": "circle of life"}})),
            &[&format!(
                "providers[0].digest.users[0].ha1.SHA-256: {digits}"
            )],
        ),
        (
            user(json!({"name": " lab"})),
            &[
                "providers[0].digest.users[0].name: expected a user name, without invisible characters and without \
               whitespace at an end",
            ],
        ),
        (
            user(json!({"password": "secret"})),
            &["providers[0].digest.users[0].password: unknown key"],
        ),
    ]);
    hold_warnings(&[
        (of(json!({})), &[]),
        (
            of(json!({"algorithms": ["md5", "SHA-256"]})),
            &[
                "providers[0].digest.algorithms: MD5 is broken: use `SHA-256`, unless a client supports only MD5",
                "providers[0].digest.users[0].ha1: this user cannot authenticate with MD5: add its hash",
            ],
        ),
    ]);
}

#[test]
fn a_parameter_of_the_path_stands_alone() {
    let with_claim = |value: Value| {
        with_rule(json!({
            "match": { "paths": ["/users/{id}"] },
            "require": { "claims": { "sub": value } },
        }))
    };
    let alone = "`{id}` must be the whole value: within a longer text it is compared as written";
    hold(&[
        (with_claim(json!("{id}")), &[]),
        (with_claim(json!("user-{other}")), &[]),
        (
            with_claim(json!("user-{id}")),
            &[&format!("rules[0].require.claims.sub: {alone}")],
        ),
        (
            with_claim(json!(["root", "user-{id}"])),
            &[&format!("rules[0].require.claims.sub[1]: {alone}")],
        ),
    ]);
}

#[test]
fn expressions_in_cel() {
    let with_cel = |text: &str| {
        with_rule(json!({ "match": { "paths": ["/orgs/{org}"] }, "require": { "cel": text } }))
    };
    hold(&[
        (with_cel("claims.org == params.org"), &[]),
        (
            with_cel("cliams.level >= 3 && rolles == []"),
            &[
                "rules[0].require.cel: column 1: unknown variable `cliams`; did you mean `claims`?; column 22: unknown variable `rolles`; did you mean `roles`?",
            ],
        ),
        (
            with_cel("true &&\n  sise(roles) > 0"),
            &[
                "rules[0].require.cel: line 2, column 3: unknown function `sise`; did you mean `size`?",
            ],
        ),
        (
            with_cel("callers.corp.subject == subject && 'corp' in callers && size(callers) == 1"),
            &[],
        ),
        (
            with_cel("true || callers.crop.subject == 'x'"),
            &["rules[0].require.cel: column 17: unknown provider `crop`; did you mean `corp`?"],
        ),
        (
            with_cel("'mesh' in callers"),
            &["rules[0].require.cel: column 1: unknown provider `mesh`"],
        ),
        (
            with_cel("callers['my-service'].subject == 'x'"),
            &["rules[0].require.cel: column 9: unknown provider `my-service`"],
        ),
        (
            with_cel("callers.corp.subjet == 'x'"),
            &[
                "rules[0].require.cel: column 14: unknown member of a caller `subjet`; did you mean `subject`?",
            ],
        ),
        (
            with_cel("callers"),
            &["rules[0].require.cel: column 1: expected an expression of type bool, found map"],
        ),
        (
            with(json!({ "require": { "cel": "callers.crop.subject == 'x'" } })),
            &["require.cel: column 9: unknown provider `crop`; did you mean `corp`?"],
        ),
        (
            with_cel("claims.org == params.orgs"),
            &[
                "rules[0].require.cel: column 22: unknown path parameter `orgs`; did you mean `org`?",
            ],
        ),
        (
            with_cel(
                "request.headers['x-http-method-override'] == 'GET' && request.method == 'POST'",
            ),
            &[
                "rules[0].require: in `cel`: this header names another method, path or host and is stripped from every \
               request: no rule can look at it unless `overrides` forwards it",
            ],
        ),
        (
            with_cel("request.headers['x-http-method-override'] == 'GET'"),
            &[],
        ),
        // `/orgs/SECRET` would pass.
        (
            merged(
                with_cel("!request.path.startsWith('/orgs/secret')"),
                json!({ "paths_case": "insensitive" }),
            ),
            &[
                "rules[0].require.cel: an expression compares paths case-sensitively, but `paths_case` is `insensitive`: use `match.paths` instead",
            ],
        ),
        (
            merged(
                with_cel("params.org == subject"),
                json!({ "paths_case": "insensitive" }),
            ),
            &[],
        ),
        (
            with_cel("1 + 1"),
            &["rules[0].require.cel: column 1: expected an expression of type bool, found int"],
        ),
        (
            with_rule(json!({ "require": { "cel": ["true"] } })),
            &["rules[0].require.cel: expected a string, found a list"],
        ),
        (
            with_rule(
                json!({ "require": { "any_of": [{ "roles": ["a"] }, { "cel": "true ||" }] } }),
            ),
            &[
                "rules[0].require.any_of[1].cel: column 8: Syntax error: mismatched input '<EOF>' expecting expression",
            ],
        ),
    ]);
}

#[test]
fn throttle() {
    let throttle = |members: Value| {
        let whole = json!({ "failures": 10, "window": "1m", "block": "5m" });
        with(json!({ "throttle": merged(whole, members) }))
    };
    let number =
        |found| format!("throttle.failures: expected a number from 1 to 100, found `{found}`");
    let network = "expected a network such as `10.0.0.0/8` or `2001:db8::/32`";
    hold(&[
        (throttle(json!({})), &[]),
        (
            throttle(json!({ "by": ["user", "address"], "exempt": ["10.0.0.0/8", "::1"] })),
            &[],
        ),
        (
            throttle(json!({ "failures": 1, "window": "1s", "block": "30d" })),
            &[],
        ),
        (
            throttle(json!({ "failures": 100, "window": "30d", "block": "1s" })),
            &[],
        ),
        (
            with(json!({ "throttle": {} })),
            &[
                "throttle.block: missing: expected a duration such as `90s`",
                "throttle.failures: missing: expected a whole number",
                "throttle.window: missing: expected a duration such as `90s`",
            ],
        ),
        (throttle(json!({ "failures": 0 })), &[&number("0")]),
        (throttle(json!({ "failures": 101 })), &[&number("101")]),
        (
            throttle(json!({ "failures": 1_000_000 })),
            &[&number("1000000")],
        ),
        (
            throttle(json!({ "failures": -1 })),
            &["throttle.failures: expected a whole number, found the number `-1`"],
        ),
        (
            throttle(json!({ "window": "0s", "block": "999ms" })),
            &[
                "throttle.block: expected a duration from `1s` to `30d`",
                "throttle.window: expected a duration from `1s` to `30d`",
            ],
        ),
        (
            throttle(json!({ "window": "31d", "block": "1y" })),
            &[
                "throttle.block: expected a duration from `1s` to `30d`",
                "throttle.window: expected a duration from `1s` to `30d`",
            ],
        ),
        (
            throttle(json!({ "window": 60 })),
            &[
                "throttle.window: expected a duration such as `90s`, found the number `60`; did you mean `60s`?",
            ],
        ),
        (
            throttle(json!({ "by": [] })),
            &["throttle.by: expected at least one of `address` and `user`"],
        ),
        (
            throttle(json!({ "by": ["user", "address", "user"] })),
            &["throttle.by[2]: duplicate entry"],
        ),
        (
            throttle(json!({ "by": ["adress"] })),
            &[
                "throttle.by[0]: expected `address` or `user`, found `adress`; did you mean `address`?",
            ],
        ),
        (
            throttle(json!({ "exempt": ["10.0.0.0/8", "home"] })),
            &[&format!("throttle.exempt[1]: {network}")],
        ),
        (
            throttle(json!({ "exempt": ["10.1.0.0/8"] })),
            &[
                "throttle.exempt[0]: the address has bits after the prefix; did you mean `10.0.0.0/8`?",
            ],
        ),
    ]);
    let mut null = with(json!({}));
    null["throttle"] = Value::Null;
    hold(&[(null, &["throttle: expected an object, found nothing"])]);
}

#[test]
fn all_faults_are_told_at_once() {
    hold(&[(
        json!({
            "relm": "orders",
            "mode": "shade",
            "providers": [
                { "name": "corp", "jwt": { "issuer": "", "audience": ["orders"], "jwks": { "inline": *KEYS } } },
                { "name": "corp", "digest": {} },
            ],
            "rules": [
                { "name": "a", "match": { "paths": ["a"], "method": ["GET"] }, "providers": ["copr"] },
                { "name": "b", "allow": "public", "require": { "scopes": ["x y"] } },
                { "name": "c", "match": { "hosts": ["a:1"] } },
            ],
        }),
        &[
            "mode: expected `enforce` or `shadow`, found `shade`; did you mean `shadow`?",
            "providers[0].jwt.audience: unknown key; did you mean `audiences`?",
            "providers[0].jwt.audiences: missing: expected a list of audiences, or `any`",
            "providers[0].jwt.issuer: expected an issuer, found an empty string",
            "providers[1].digest.users: missing: expected a list of users",
            "providers[1].name: duplicate name `corp`: `providers[0]` has it already",
            "relm: unknown key; did you mean `realm`?",
            "rules[0].match.method: unknown key; did you mean `methods`?",
            "rules[0].match.paths[0]: expected a path that begins with `/`",
            "rules[0].providers[0]: unknown provider `copr`; did you mean `corp`?",
            "rules[1].require: `require` cannot be combined with `allow`",
            "rules[2].match.hosts[0]: expected a host name without scheme, port and path, such as `api.example.com` or `*.example.com`",
        ],
    )]);
}

/// A value at fault is not judged again by its default, and what depends on it is not judged at all.
#[test]
fn no_fault_is_a_consequence_of_another() {
    let mut headr = with_jwt(json!({ "from": [{ "headr": "x-token" }] }));
    headr["rules"] = json!([{ "name": "r" }]);
    let network = "expected a network such as `10.0.0.0/8` or `2001:db8::/32`";
    hold(&[
        (
            headr,
            &["providers[0].jwt.from[0].headr: unknown key; did you mean `header`?"],
        ),
        (
            json!({ "providers": "corp", "rules": [{ "name": "r", "providers": ["corp"] }] }),
            &["providers: expected a list, found `corp`"],
        ),
        (
            with(json!({ "rules": ["x", { "name": "r", "match": { "paths": ["/"] } }] })),
            &["rules[0]: expected an object, found `x`"],
        ),
        (
            with(json!({ "rules": [
                { "name": "a", "matches": { "paths": ["/a"] }, "allow": "public" },
                { "name": "b", "match": { "paths": ["/b"] } },
            ] })),
            &["rules[0].matches: unknown key; did you mean `match`?"],
        ),
        (
            merged(
                with_rule(json!({ "match": {
                    "methods": ["GET"], "headers": { "x-http-method-override": "DELETE" },
                } })),
                json!({ "overrides": "keep" }),
            ),
            &["overrides: expected `strip` or `forward`, found `keep`"],
        ),
        (
            with(
                json!({ "networks": { "allow": ["home", "10.0.0.0/8"], "deny": ["10.0.0.0/8"] } }),
            ),
            &[&format!("networks.allow[0]: {network}")],
        ),
        (
            with_rule(json!({
                "match": { "paths": ["users/{id}"] },
                "require": { "claims": { "sub": "{id}" }, "cel": "params.id == subject" },
            })),
            &["rules[0].match.paths[0]: expected a path that begins with `/`"],
        ),
        (
            with_jwt(json!({ "algorithms": ["RS265"] })),
            &["providers[0].jwt.algorithms[0]: unknown algorithm `RS265`; did you mean `RS256`?"],
        ),
        (
            with(json!({
                "origin": "orders", "https": "redirect",
                "responses": { "login": { "uri": "https://a/?to={url}" } },
            })),
            &["origin: expected an origin such as `https://orders.example.com`, without a path"],
        ),
        (
            with(json!({ "networks": { "alow": ["10.0.0.0/8"] } })),
            &["networks.alow: unknown key; did you mean `allow`?"],
        ),
    ]);
}

/// A fault of a rule as a whole hides none within it.
#[test]
fn no_fault_hides_another() {
    hold(&[(
        json!({ "rules": [{
            "name": "r", "networks": { "allow": [] }, "require": { "scopes": [] },
        }] }),
        &[
            "rules[0]: a credential is required, but no provider is configured",
            "rules[0].networks.allow: expected at least one network",
            "rules[0].require.scopes: expected at least one name",
        ],
    )]);
}

#[test]
fn sources_of_keys() {
    let remote = |members: Value| {
        let source = json!({ "uri": "https://login.example.com/jwks", "cluster": "login" });
        with_jwt(json!({ "jwks": { "remote": merged(source, members) } }))
    };
    let path = "providers[0].jwt.jwks";
    hold(&[
        (remote(json!({ "timeout": "5s", "refresh": "1h" })), &[]),
        (
            with_jwt(json!({ "jwks": { "discovery": {
                "uri": "https://login.example.com/.well-known/openid-configuration", "cluster": "login",
                "jwks_cluster": "keys",
            } } })),
            &[],
        ),
        (
            with_jwt(
                json!({ "jwks": { "inline": *KEYS, "remote": { "uri": "https://a/", "cluster": "a" } } }),
            ),
            &[&format!(
                "{path}: expected exactly one of `inline`, `remote` and `discovery`"
            )],
        ),
        (
            remote(json!({ "uri": "/jwks", "cluster": "" })),
            &[
                &format!(
                    "{path}.remote.cluster: expected the name of a cluster, found an empty string"
                ),
                &format!("{path}.remote.uri: expected an absolute `https` or `http` URL"),
            ],
        ),
        (
            remote(json!({ "timeout": "0s", "refresh": "0s" })),
            &[
                &format!("{path}.remote.refresh: expected a `refresh` of at least `1ms`"),
                &format!("{path}.remote.timeout: expected a `timeout` from `1ms` to `60s`"),
            ],
        ),
        (
            remote(json!({ "timeout": "999us" })),
            &[&format!(
                "{path}.remote.timeout: expected a `timeout` from `1ms` to `60s`"
            )],
        ),
        (
            with_jwt(json!({
                "algorithms": ["HS256"], "jwks": { "remote": { "uri": "https://a/", "cluster": "a" } },
            })),
            &[&format!(
                "{path}.remote: a shared secret is never fetched: use `inline`"
            )],
        ),
    ]);
}

#[test]
fn several_sources_of_keys() {
    let remote = |uri: &str| json!({ "remote": { "uri": uri, "cluster": "login" } });
    let several = |sources: Value| with_jwt(json!({ "jwks": sources }));
    let path = "providers[0].jwt.jwks";
    let inline = json!({ "inline": *KEYS });
    hold(&[
        (several(json!([inline])), &[]),
        (
            several(json!([
                inline,
                remote("https://a/1"),
                remote("https://a/2")
            ])),
            &[],
        ),
        (
            several(json!([])),
            &[&format!("{path}: expected at least one source of keys")],
        ),
        (
            several(json!("https://a/")),
            &[&format!(
                "{path}: expected an object, or a list of objects, found `https://a/`"
            )],
        ),
        (
            several(json!([inline, {}, null, remote("/jwks"), { "inline": {}, "x": 1 }])),
            &[
                &format!("{path}[1]: expected exactly one of `inline`, `remote` and `discovery`"),
                &format!("{path}[2]: expected an object, found nothing"),
                &format!("{path}[3].remote.uri: expected an absolute `https` or `http` URL"),
                &format!("{path}[4].inline: a key set must have an array `keys`"),
                &format!("{path}[4].x: unknown key"),
            ],
        ),
        (
            several(json!([remote("https://a/1"), {
                "remote": { "uri": "https://a/2", "cluster": "login", "timeout": "2m" },
            }])),
            &[&format!(
                "{path}[1].remote.timeout: expected a `timeout` from `1ms` to `60s`"
            )],
        ),
        // Keys of another provider may come from the same source.
        (
            several(json!([
                remote("https://a/1"),
                inline,
                remote("https://a/1")
            ])),
            &[&format!("{path}[2]: duplicate entry")],
        ),
    ]);
}

/// Without a `kid` of its own, a key is one of those that are tried, and these are few.
#[test]
fn keys_that_are_never_tried() {
    let key = |algorithm, kid: Option<&str>| {
        let key = SigningKey::generate(algorithm).with_kid(kid);
        key.public_jwk()
    };
    let warnings = |crypto: &str, sources: &[Vec<Value>]| {
        let sources: Vec<_> = sources
            .iter()
            .map(|keys| json!({ "inline": { "keys": keys } }))
            .collect();
        let mut document = with_jwt(json!({ "jwks": sources }));
        document["crypto"] = json!(crypto);
        let loaded = config::load_value(&document).unwrap();
        let texts: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
        texts
    };
    let warned = |algorithm: &str| {
        vec![format!(
            "providers[0].jwt.jwks: too many keys have the same `kid` or none ({algorithm}): for a token, 16 keys are \
             tried if the host verifies the algorithm, otherwise 4"
        )]
    };
    let several = |number, algorithm, kid| vec![key(algorithm, kid); number];
    for kid in [None, Some("same")] {
        let eddsa = |number| several(number, Algorithm::EdDsa, kid);
        let es256 = |number| several(number, Algorithm::Es256, kid);
        assert_eq!(warnings("auto", &[eddsa(4)]), Vec::<String>::new());
        assert_eq!(warnings("auto", &[eddsa(5)]), warned("EdDSA"));
        assert_eq!(warnings("auto", &[eddsa(3), eddsa(2)]), warned("EdDSA"));
        assert_eq!(warnings("auto", &[es256(16)]), Vec::<String>::new());
        assert_eq!(warnings("host", &[es256(16)]), Vec::<String>::new());
        assert_eq!(warnings("auto", &[es256(17)]), warned("ES256"));
        assert_eq!(warnings("wasm", &[es256(5)]), warned("ES256"));
    }
    let kids: Vec<String> = (0..40).map(|number| number.to_string()).collect();
    let named = kids.iter().map(|kid| key(Algorithm::EdDsa, Some(kid)));
    assert_eq!(warnings("wasm", &[named.collect()]), Vec::<String>::new());
}

#[test]
fn places_of_tokens() {
    let from = |entry: Value| with_jwt(json!({ "from": [entry] }));
    let path = "providers[0].jwt.from";
    let no_name = format!("{path}[0]: not a valid name of a header, a cookie or a query parameter");
    let one_of = format!("{path}[0]: expected exactly one of `header`, `cookie` and `query`");
    let schemes = |most: usize| -> Value {
        let scheme = |number| json!({ "header": "a", "scheme": format!("s{number}") });
        (0..most).map(scheme).collect()
    };
    hold(&[
        (from(json!({ "header": "X-Token" })), &[]),
        (from(json!({ "cookie": "session" })), &[]),
        (from(json!({ "query": "access_token" })), &[]),
        (
            with_jwt(json!({ "from": [] })),
            &[&format!("{path}: expected at least one token location")],
        ),
        (from(json!({})), &[&one_of]),
        (from(json!({ "header": "a", "cookie": "b" })), &[&one_of]),
        (from(json!({ "header": ":path" })), &[&no_name]),
        (from(json!({ "header": "cookie" })), &[&no_name]),
        (from(json!({ "cookie": "a b" })), &[&no_name]),
        (from(json!({ "header": "Authorization" })), &[]),
        (from(json!({ "header": "proxy-authorization" })), &[]),
        (
            with_jwt(json!({
                "from": [{ "header": "authorization" }, { "header": "authorization", "scheme": "bearer" }],
            })),
            &[&format!("{path}: duplicate token location")],
        ),
        (
            with_jwt(json!({
                "from": [{ "header": "a", "scheme": "Token" }, { "header": "A", "scheme": "TOKEN" }],
            })),
            &[&format!("{path}: duplicate token location")],
        ),
        (with_jwt(json!({ "from": schemes(30) })), &[]),
        (
            with_jwt(json!({ "from": schemes(31) })),
            &[&format!(
                "{path}[30]: expected at most 31 different schemes"
            )],
        ),
        (
            from(json!({ "header": "a", "scheme": "b c" })),
            &[&format!("{path}[0]: expected a scheme such as `Bearer`")],
        ),
        (
            from(json!({ "cookie": "a", "scheme": "Bearer" })),
            &[&format!("{path}[0]: only a header can have a `scheme`")],
        ),
        (
            with_jwt(json!({ "from": [{ "header": "a" }, { "header": "A" }] })),
            &[&format!("{path}: duplicate token location")],
        ),
    ]);
}
