//! What `explain` says of a denial: what is required, and what was found. Also what it prints of a request that passes.

use serde_json::{Value, json};

use crate::cli::{DENIED, Desk, FAILURE, GOOD, Ran};

const NOW: &str = "2026-03-01T12:00:00Z";
const PASSWORD: &str = "xyzzy-plugh";

/// A desk with a token in `token`, and with the keys in `jwks.json`.
fn desk(claims: &[&str]) -> Desk {
    let desk = Desk::new();
    let fixed = [
        "--generate",
        "ES256",
        "--jwks-out",
        "jwks.json",
        "--now",
        NOW,
    ];
    let claims = claims.iter().flat_map(|claim| ["--claim", claim]);
    let arguments: Vec<&str> = fixed.into_iter().chain(claims).collect();
    let token = desk.mint_with(&arguments);
    desk.write("token", token);
    desk
}

/// Explains `GET /orders/7` under the desk's document with the members of `patch`.
fn explain(desk: &Desk, patch: &Value, arguments: &[&str]) -> Ran {
    let mut document = desk.document();
    for (name, value) in patch.as_object().unwrap() {
        document[name] = value.clone();
    }
    desk.write("gate.json", document.to_string());
    let fixed = ["explain", "gate.json", "--bearer-file", "token"];
    let mut all = fixed.to_vec();
    for (flag, value) in [("--path", "/orders/7"), ("--now", NOW)] {
        if !arguments.contains(&flag) {
            all.extend([flag, value]);
        }
    }
    let ran = desk.run(&[&all[..], arguments].concat());
    let token = std::fs::read_to_string(desk.path("token")).unwrap();
    for part in token.split('.') {
        assert!(!ran.out.contains(part), "{}", ran.out);
        assert!(!ran.err.contains(part), "{}", ran.err);
    }
    ran
}

/// One rule for all requests, with these requirements.
fn requiring(requirements: &Value) -> Value {
    json!({"rules": [{"name": "all", "require": requirements}]})
}

fn assert_lines(ran: &Ran, expected: &[&str]) {
    let lines = ran.lines();
    let mut found = lines.windows(expected.len());
    assert!(
        found.any(|own| own == expected),
        "expected {expected:#?} in {}{}",
        ran.out,
        ran.err
    );
}

#[test]
fn a_requirement_that_is_not_met_is_named_with_what_was_found() {
    let desk = desk(&[
        "tenant=blue",
        "level=2",
        "groups=[a]",
        "acr=pwd",
        "auth_time=now-1h",
    ]);
    for (requirements, expected) in [
        (
            json!({"scopes": ["orders:write"]}),
            &["requires scope `orders:write`: the token has `orders:read`"][..],
        ),
        (
            json!({"any_scopes": ["x", "y"]}),
            &["requires one of scopes `x`, `y`: the token has `orders:read`"],
        ),
        (
            json!({"roles": ["admin"]}),
            &["requires role `admin`: the token has no role"],
        ),
        (
            json!({"groups": ["a", "b", "c"]}),
            &["requires groups `b`, `c`: the token has `a`"],
        ),
        (
            json!({"claims": {"tenant": "red"}}),
            &["requires claim `tenant` to be `red`: the token has `blue`"],
        ),
        (
            json!({"claims": {"tenant": ["red", "green"], "region": "eu"}}),
            &[
                "requires claim `region` to be `eu`: the token does not have it",
                "requires claim `tenant` to be one of `red`, `green`: the token has `blue`",
            ],
        ),
        (
            json!({"claims": {"level": 3}}),
            &["requires claim `level` to be `3`: the token has `2`"],
        ),
        (
            json!({"acr": ["mfa"]}),
            &["requires `acr` to be `mfa`: the token has `pwd`"],
        ),
        (
            json!({"max_age": "5m"}),
            &["requires `max_age` 5m: the token has `auth_time` 2026-03-01T11:00:00Z, 1h ago"],
        ),
        (
            json!({"scopes": ["orders:write"], "roles": ["admin"]}),
            &[
                "requires scope `orders:write`: the token has `orders:read`",
                "requires role `admin`: the token has no role",
            ],
        ),
        (
            json!({"any_of": [{"scopes": ["orders:write"]}, {"roles": ["admin"], "claims": {"tenant": "red"}}]}),
            &[
                "requires one of the 2 alternatives of `any_of`:",
                "  1. requires scope `orders:write`: the token has `orders:read`",
                "  2. requires role `admin`: the token has no role",
                "     requires claim `tenant` to be `red`: the token has `blue`",
            ],
        ),
    ] {
        let ran = explain(&desk, &requiring(&requirements), &[]);
        assert_eq!(ran.code, DENIED, "{}{}", ran.out, ran.err);
        assert_lines(&ran, expected);
    }
    let everywhere = json!({"require": {"claims": {"tenant": "red"}}});
    assert_lines(
        &explain(&desk, &everywhere, &[]),
        &[
            "the caller does not meet the top-level `require`",
            "requires claim `tenant` to be `red`: the token has `blue`",
        ],
    );
}

#[test]
fn a_path_parameter_is_named_with_its_value() {
    let desk = desk(&["tenant=blue"]);
    let rules = json!({"rules": [{
        "name": "own", "match": {"paths": ["/{tenant}/**"]}, "require": {"claims": {"tenant": "{tenant}"}},
    }]});
    assert_lines(
        &explain(&desk, &rules, &["--path", "/red/x"]),
        &["requires claim `tenant` to be `red`, the value of `{tenant}`: the token has `blue`"],
    );
}

#[test]
fn of_a_condition_the_operand_that_fails_is_named_with_its_values() {
    let desk = desk(&["tenant=blue", "level=2"]);
    for (condition, expected) in [
        (
            "claims.tenant == 'red'",
            &[
                "requires the condition `claims.tenant == 'red'`: it is false: `claims.tenant` is `blue`",
            ][..],
        ),
        (
            "claims.region == 'eu'",
            &["requires the condition `claims.region == 'eu'`: it failed: `region` is missing"],
        ),
        (
            "claims.tenant > 3",
            &[
                "requires the condition `claims.tenant > 3`: it failed: a value has another type than the operation \
                 expects: `claims.tenant` is `blue`",
            ],
        ),
        (
            "subject == 'alice' && claims.level >= 3",
            &[
                "requires the condition `subject == 'alice' && claims.level >= 3`: it is false, because \
                 `claims.level >= 3` is false: `claims.level` is `2`",
            ],
        ),
        (
            "subject == 'alice' && (claims.level >= 3 || 'admin' in roles)",
            &[
                "requires the condition `subject == 'alice' && (claims.level >= 3 || 'admin' in roles)`: it is false:",
                "  `claims.level >= 3` is false: `claims.level` is `2`",
                "  `'admin' in roles` is false: `roles` is `[]`",
            ],
        ),
        (
            "!(subject == 'alice')",
            &["requires the condition `!(subject == 'alice')`: it is false: `subject` is `alice`"],
        ),
        (
            "claims.level > 1 ? scopes.exists(s, s == 'x') : true",
            &[
                "requires the condition `claims.level > 1 ? scopes.exists(s, s == 'x') : true`: it is false: \
                 `claims.level` is `2`, `scopes` is `[\"orders:read\"]`",
            ],
        ),
        (
            "request.headers['x-tenant'] == claims.tenant",
            &[
                "requires the condition `request.headers['x-tenant'] == claims.tenant`: it is false: \
                 `claims.tenant` is `blue`, `request.headers['x-tenant']` is `red`",
            ],
        ),
        (
            "subject == 'alice' &&\n  claims.level >= 3 &&\n  'a' in groups\n",
            &[
                "requires the condition `subject == 'alice' && claims.level >= 3 && 'a' in groups`: it is false:",
                "  `claims.level >= 3` is false: `claims.level` is `2`",
                "  `'a' in groups` is false: `groups` is `[]`",
            ],
        ),
        // The header contains the token.
        (
            "request.headers['authorization'] == 'x'",
            &["requires the condition `request.headers['authorization'] == 'x'`: it is false"],
        ),
    ] {
        let rules = requiring(&json!({"cel": condition}));
        let ran = explain(&desk, &rules, &["--header", "x-tenant: red"]);
        assert_eq!(ran.code, DENIED, "{}{}", ran.out, ran.err);
        assert_lines(&ran, expected);
    }
}

#[test]
fn a_token_that_is_not_valid_is_explained_by_the_claim() {
    let desk = desk(&["tenant=blue"]);
    let provider = |patch: &Value| {
        let mut provider = desk.document()["providers"][0].clone();
        for (name, value) in patch.as_object().unwrap() {
            provider["jwt"][name] = value.clone();
        }
        json!({"providers": [provider]})
    };
    for (patch, now, expected) in [
        (
            json!({"audiences": ["billing", "users"]}),
            NOW,
            "requires `aud` to be one of `billing`, `users`: found `orders`",
        ),
        (
            json!({"issuer": "https://other.example.com"}),
            NOW,
            "requires `iss` to be `https://other.example.com`: found `https://login.example.com`",
        ),
        (
            json!({"algorithms": ["RS256"], "jwks": {"remote": {"uri": "https://a.example.com/", "cluster": "a"}}}),
            NOW,
            "requires `alg` to be `RS256`: the header has `ES256`",
        ),
        (
            json!({}),
            "2026-03-01T13:05:00Z",
            "the token expired 5m ago (`exp` 2026-03-01T13:00:00Z, now 2026-03-01T13:05:00Z, `clock_skew` 1m)",
        ),
        (
            json!({"clock_skew": "0s"}),
            "2026-03-01T11:58:00Z",
            "the token is valid only in 2m (`iat` 2026-03-01T12:00:00Z, now 2026-03-01T11:58:00Z)",
        ),
        (
            json!({"max_lifetime": "10m"}),
            NOW,
            "requires a lifetime within `max_lifetime`, 10m: the token has 1h",
        ),
        (
            json!({"token_type": "at+jwt"}),
            NOW,
            "requires `typ` to be `at+jwt`: the token has `JWT`",
        ),
        (
            json!({"require": ["jti", "sub"]}),
            NOW,
            "requires claim `jti`: the token does not have it",
        ),
        (
            json!({"require_claims": {"tenant": "red"}}),
            NOW,
            "requires claim `tenant` to be `red`: the token has `blue`",
        ),
        (
            json!({"revoked": {"subjects": ["alice"]}}),
            NOW,
            "the token is revoked by `sub` `alice`",
        ),
        (
            json!({"claims": {"subject": "tenant", "audience": ["level"]}}),
            NOW,
            "requires `level` to be `orders`: the token does not have it",
        ),
    ] {
        let ran = explain(&desk, &provider(&patch), &["--now", now]);
        assert_eq!(ran.code, DENIED, "{patch}: {}{}", ran.out, ran.err);
        assert_lines(&ran, &[expected]);
    }
}

#[test]
fn a_token_that_no_key_verifies_is_explained_by_its_kid() {
    let desk = desk(&[]);
    let long = "a".repeat(32_769);
    let other = desk.mint_with(&[
        "--generate",
        "ES256",
        "--jwks-out",
        "other.json",
        "--kid",
        "k2",
    ]);
    for (token, expected) in [
        (
            other.as_str(),
            "no key has `kid` `k2`, the issuer and the algorithm of the token: the keys of the provider have `",
        ),
        (
            "a.b",
            "the token is not a JSON Web Token: expected three segments",
        ),
        (
            "a.b.c",
            "the token is not a JSON Web Token: the header is not base64url",
        ),
        // `{"alg":"none"}`.
        (
            "eyJhbGciOiJub25lIn0.e30.AQ",
            "requires `alg` to be one of `RS256`, ",
        ),
        // `{"alg":"ES256","crit":["x"]}`.
        (
            "eyJhbGciOiJFUzI1NiIsImNyaXQiOlsieCJdfQ.e30.AQ",
            "the header requires an extension that the filter does not support: `crit`",
        ),
        // `{"alg":"ES256","kid":5}`.
        (
            "eyJhbGciOiJFUzI1NiIsImtpZCI6NX0.e30.AQ",
            "the token is not a JSON Web Token: `kid` is not a string",
        ),
        // The claims `{"exp":1e400}`.
        (
            "eyJhbGciOiJFUzI1NiJ9.eyJleHAiOjFlNDAwfQ.AQ",
            "the token is not a JSON Web Token: the payload is not JSON in UTF-8, or a number in it is too large",
        ),
        // The claims `{"a":1,"a":2}`.
        (
            "eyJhbGciOiJFUzI1NiJ9.eyJhIjoxLCJhIjoyfQ.AQ",
            "the token is not a JSON Web Token: in the payload: duplicate member name",
        ),
        // The claims `[]`.
        (
            "eyJhbGciOiJFUzI1NiJ9.W10.AQ",
            "the token is not a JSON Web Token: the payload is not an object",
        ),
        (
            long.as_str(),
            "the token is not a JSON Web Token: it has 32769 bytes: expected at most 32768",
        ),
    ] {
        desk.write("token", token);
        let mut document = desk.document();
        document["default"] = json!("deny");
        desk.write("gate.json", document.to_string());
        let ran = desk.run(&[
            "explain",
            "gate.json",
            "--path",
            "/orders/7",
            "--bearer-file",
            "token",
        ]);
        assert_eq!(ran.code, DENIED, "{}{}", ran.out, ran.err);
        assert!(
            ran.lines().iter().any(|line| line.starts_with(expected)),
            "{}",
            ran.out
        );
    }
}

#[test]
fn a_rule_that_does_not_match_is_named_with_the_key_that_differs() {
    let desk = desk(&[]);
    let rules = json!({"rules": [
        {"name": "path", "match": {"paths": ["/users/**", "/teams/{id}"]}, "allow": "public"},
        {"name": "method", "match": {"methods": ["PUT", "POST"]}, "allow": "public"},
        {"name": "host", "match": {"hosts": ["*.example.com"]}, "allow": "public"},
        {"name": "header", "match": {"headers": {"x-api-version": ["1", "2"]}}, "allow": "public"},
        {"name": "missing", "match": {"headers": {"x-tenant": "red"}}, "allow": "public"},
        {"name": "absent", "match": {"headers": {"x-api-version": "absent"}}, "allow": "public"},
        {"name": "network", "match": {"networks": {"allow": ["10.0.0.0/8"]}}, "allow": "public"},
        {"name": "denied", "match": {"networks": {"deny": ["192.0.2.0/24"]}}, "allow": "public"},
        {"name": "rest", "allow": "public"},
    ]});
    let ran = explain(
        &desk,
        &rules,
        &[
            "--header",
            "x-api-version: 3",
            "--client",
            "192.0.2.7",
            "--host",
            "localhost",
        ],
    );
    assert_eq!(ran.code, GOOD, "{}{}", ran.out, ran.err);
    assert_lines(
        &ran,
        &[
            "rule `path` does not match: the path is not one of `/users/**`, `/teams/{id}`",
            "rule `method` does not match: the method is not one of `PUT`, `POST`",
            "rule `host` does not match: the host is not `*.example.com`: found `localhost`",
            "rule `header` does not match: the header `x-api-version` is not one of `1`, `2`: found `3`",
            "rule `missing` does not match: the header `x-tenant` is missing: expected `red`",
            "rule `absent` does not match: the header `x-api-version` is present",
            "rule `network` does not match: the client address `192.0.2.7` is in no allowed network: `10.0.0.0/8`",
            "rule `denied` does not match: the client address `192.0.2.7` is in the denied network `192.0.2.0/24`",
            "rule `rest` matches",
        ],
    );
}

#[test]
fn the_expected_value_of_a_header_with_credentials_is_not_printed() {
    let desk = desk(&[]);
    let rules = json!({"rules": [
        {"name": "key", "match": {"headers": {"authorization": PASSWORD}}, "allow": "public"},
        {"name": "rest", "allow": "public"},
    ]});
    for format in ["text", "json"] {
        let ran = explain(&desk, &rules, &["--format", format]);
        assert!(
            ran.out
                .contains("the header `authorization` does not have an accepted value"),
            "{}{}",
            ran.out,
            ran.err
        );
        assert!(!ran.out.contains(PASSWORD), "{}", ran.out);
    }
}

/// `3` is a number, and `"3"` is a string.
#[test]
fn a_string_that_looks_like_a_number_has_quotes() {
    let string = desk(&["level=\"3\""]);
    let requires = requiring(&json!({"claims": {"level": [3]}}));
    let ran = explain(&string, &requires, &[]);
    assert_lines(
        &ran,
        &["requires claim `level` to be `3`: the token has `\"3\"`"],
    );
    let number = desk(&["level=3"]);
    let requires = requiring(&json!({"claims": {"level": ["3"]}}));
    let ran = explain(&number, &requires, &[]);
    assert_lines(
        &ran,
        &["requires claim `level` to be `\"3\"`: the token has `3`"],
    );
}

#[test]
fn a_grpc_call_with_head_receives_no_message() {
    let desk = desk(&[]);
    let closed = json!({"rules": [], "default": "deny"});
    for (method, has_message) in [("POST", true), ("HEAD", false)] {
        let grpc = [
            "--header",
            "content-type: application/grpc",
            "--method",
            method,
        ];
        let ran = explain(&desk, &closed, &grpc);
        assert_eq!(
            ran.out.contains("\ngrpc-message: "),
            has_message,
            "{}",
            ran.out
        );
    }
}

#[test]
fn of_many_rules_that_do_not_match_the_path_there_is_the_number() {
    let desk = desk(&[]);
    let rule = |number| {
        let path = format!("/a{number}");
        json!({"name": format!("r{number}"), "match": {"paths": [path]}, "allow": "public"})
    };
    let rules: Vec<Value> = (0..30).map(rule).collect();
    let ran = explain(&desk, &json!({ "rules": rules }), &[]);
    assert_lines(
        &ran,
        &[
            "30 rules do not match the path",
            "no rule matches: the default applies",
        ],
    );
    let ran = explain(&desk, &json!({ "rules": rules }), &["--format", "json"]);
    assert_eq!(ran.json()["other_rules"].as_array().unwrap().len(), 30);
}

#[test]
fn other_denials_are_explained_too() {
    let desk = desk(&[]);
    let networks = json!({"networks": {"allow": ["10.0.0.0/8"]}});
    for (patch, arguments, expected) in [
        (
            networks.clone(),
            &["--client", "192.0.2.7"][..],
            "the client address `192.0.2.7` is in no allowed network: `10.0.0.0/8`",
        ),
        (
            networks,
            &[],
            "the client address is unknown: no network allows it",
        ),
        (
            json!({"https": "require"}),
            &["--plain-http"],
            "requires HTTPS: the request came over plain HTTP",
        ),
        (
            json!({}),
            &["--method", "get"],
            "requires the method in upper case: found `get`",
        ),
        (
            json!({}),
            &["--method", "TRACE"],
            "the method TRACE is always denied",
        ),
        (
            json!({}),
            &["--host", "a,b"],
            "requires one host: found `a,b`",
        ),
        (
            json!({}),
            &["--host", "alice:xyzzy-plugh@orders.example.com"],
            "requires one host: found `[redacted]@orders.example.com`",
        ),
        (
            json!({}),
            &["--path", "/nothing"],
            "no rule matches, and the default denies every caller",
        ),
    ] {
        let ran = explain(&desk, &patch, arguments);
        assert_eq!(ran.code, DENIED, "{patch}: {}{}", ran.out, ran.err);
        assert_lines(&ran, &[expected]);
    }
}

#[test]
fn a_certificate_whose_name_is_not_accepted_is_named() {
    let desk = Desk::new();
    let provider =
        json!({"name": "mesh", "mtls": {"subjects": ["spiffe://td/ns/*", "*.example.com"]}});
    desk.write("mesh.json", json!({"providers": [provider]}).to_string());
    for (arguments, found) in [
        (
            &["--peer-uri", "spiffe://other/ns/a"][..],
            "the client certificate has `spiffe://other/ns/a`",
        ),
        (
            &[],
            "the client has no certificate with a URI or a DNS name",
        ),
    ] {
        let ran = desk.run(&[&["explain", "mesh.json", "--path", "/"], arguments].concat());
        assert_lines(
            &ran,
            &[&format!(
                "requires a credential of provider `mesh`: the request has none; requires a certificate name one of \
                 `spiffe://td/ns/*`, `*.example.com`: {found}"
            )],
        );
    }
}

#[test]
fn keys_and_passwords_are_explained_and_not_printed() {
    let desk = Desk::new();
    let hash = desk.run_with_input(&["hash", "password"], PASSWORD).out;
    let users = json!([{"name": "alice", "password": hash.trim()}]);
    desk.write(
        "basic.json",
        json!({"realm": "x", "providers": [{"name": "staff", "basic": {"users": users}}]})
            .to_string(),
    );
    for (login, code, expected) in [
        (
            format!("alice:{PASSWORD}\n"),
            GOOD,
            "passes: subject `alice`, verified by provider `staff`",
        ),
        (
            "alice:hunter2-hunter2".to_owned(),
            DENIED,
            "the password of user `alice` is wrong",
        ),
        (
            "hunter2-hunter2:x".to_owned(),
            DENIED,
            "the user is not in the list of a provider",
        ),
    ] {
        let ran = desk.run_with_input(
            &["explain", "basic.json", "--path", "/", "--user-file", "-"],
            &login,
        );
        assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
        assert_lines(&ran, &[expected]);
        for secret in [PASSWORD, "hunter2"] {
            assert!(!ran.out.contains(secret), "{}", ran.out);
        }
    }
}

#[test]
fn a_request_that_passes_shows_what_the_upstream_receives() {
    let desk = desk(&["tenant=blue"]);
    let identity = json!({
        "headers": {"x-auth-subject": "{subject}", "x-auth-tenant": "{claims.tenant}"},
        "payload_header": "x-auth-claims",
    });
    let patch = json!({"identity": identity});
    let arguments = [
        "--header",
        "x_auth_subject: root",
        "--path",
        "/orders/7?_method=PUT&page=2",
    ];
    let ran = explain(&desk, &patch, &arguments);
    assert_eq!(ran.code, GOOD, "{}{}", ran.out, ran.err);
    assert_lines(
        &ran,
        &[
            "passes: subject `alice`, verified by provider `corp`",
            "removed: x_auth_subject",
            "set: x-auth-subject: alice",
            "set: x-auth-tenant: blue",
            "set: x-auth-claims: the base64url of {\"aud\":\"orders\",\"exp\":1772370000,\"iat\":1772366400,\
             \"iss\":\"https://login.example.com\",\"scope\":\"orders:read\",\"sub\":\"alice\",\"tenant\":\"blue\"}",
            "target: /orders/7?page=2",
            "filter state: countersign.rule=read, countersign.provider=corp, countersign.subject=alice, \
             countersign.changed=1",
        ],
    );
    let printed = explain(
        &desk,
        &patch,
        &[&arguments[..], &["--format", "json"]].concat(),
    )
    .json();
    assert_eq!(
        printed["upstream"],
        json!({
            "target": "/orders/7?page=2",
            "removed": ["x_auth_subject"],
            "set": [
                {"name": "x-auth-subject", "value": "alice"},
                {"name": "x-auth-tenant", "value": "blue"},
                {"name": "x-auth-claims", "claims": {
                    "aud": "orders", "exp": 1_772_370_000, "iat": 1_772_366_400, "iss": "https://login.example.com",
                    "scope": "orders:read", "sub": "alice", "tenant": "blue",
                }},
            ],
        })
    );
    assert_eq!(printed["filter_state"]["countersign.changed"], "1");
}

#[test]
fn cookies_are_printed_without_their_values() {
    let desk = desk(&[]);
    let mut document = desk.document();
    document["providers"][0]["jwt"]["from"] =
        json!([{"header": "authorization", "scheme": "Bearer"}, {"cookie": "session"}]);
    let patch = json!({"providers": document["providers"]});
    let ran = explain(
        &desk,
        &patch,
        &["--header", "cookie: theme=dark-4711; session=stale"],
    );
    assert_eq!(ran.code, GOOD, "{}{}", ran.out, ran.err);
    assert_lines(&ran, &["removed: cookie", "set: cookie: theme=[redacted]"]);
    assert!(!ran.out.contains("dark-4711"), "{}", ran.out);
}

#[test]
fn the_json_has_every_finding() {
    let desk = desk(&["tenant=blue", "level=2"]);
    let patch = json!({"rules": [
        {"name": "other", "match": {"methods": ["PUT"]}, "allow": "public"},
        {"name": "all", "require": {
            "scopes": ["orders:write"], "claims": {"tenant": "red"}, "cel": "claims.level > 2",
            "any_of": [{"roles": ["admin"]}, {"any_groups": ["a", "b"]}],
        }},
    ]});
    let ran = explain(&desk, &patch, &["--format", "json"]);
    let printed = ran.json();
    assert_eq!(printed["verdict"], "denied");
    assert_eq!(printed["reason"], "insufficient_scope");
    assert_eq!(printed["upstream"], Value::Null);
    assert_eq!(
        printed["response"]["details"],
        "countersign_insufficient_scope"
    );
    assert_eq!(
        printed["findings"],
        json!([
            {
                "kind": "scope", "expected": {"all": ["orders:write"], "any": []}, "found": ["orders:read"],
                "message": "requires scope `orders:write`: the token has `orders:read`",
            },
            {
                "kind": "claim", "name": "tenant", "expected": ["red"], "found": "blue",
                "message": "requires claim `tenant` to be `red`: the token has `blue`",
            },
            {
                "kind": "condition", "expected": "claims.level > 2", "found": "false",
                "operands": [{"text": "claims.level > 2", "error": null, "values": {"claims.level": 2}}],
                "message": "requires the condition `claims.level > 2`: it is false: `claims.level` is `2`",
            },
            {
                "kind": "any_of", "expected": null, "found": null,
                "message": "requires one of the 2 alternatives of `any_of`:",
                "alternatives": [
                    [{
                        "kind": "role", "expected": {"all": ["admin"], "any": []}, "found": [],
                        "message": "requires role `admin`: the token has no role",
                    }],
                    [{
                        "kind": "group", "expected": {"all": [], "any": ["a", "b"]}, "found": [],
                        "message": "requires one of groups `a`, `b`: the token has no group",
                    }],
                ],
            },
        ])
    );
    assert_eq!(
        printed["other_rules"],
        json!([{"rule": "other", "finding": {
            "kind": "method", "expected": ["PUT"], "found": "GET", "message": "the method is not `PUT`",
        }}])
    );
    assert_eq!(explain(&desk, &patch, &["--json"]).out, ran.out);
}

#[test]
fn a_request_is_read_from_a_file() {
    let desk = desk(&[]);
    let token = std::fs::read_to_string(desk.path("token")).unwrap();
    desk.write("gate.json", desk.document().to_string());
    let with = |lines: &str| {
        format!(
            "PUT /orders/7?a=b HTTP/1.1\r\nHost: Orders.example.com\r\n{lines}\r\n\r\n{{\"a\": 1}}"
        )
    };
    desk.write(
        "request.http",
        with(&format!("Authorization: Bearer {token}")),
    );
    let explain = |arguments: &[&str]| {
        let fixed = ["explain", "gate.json", "--now", NOW, "--request"];
        desk.run(&[&fixed[..], arguments].concat())
    };
    let ran = explain(&["request.http"]);
    assert_eq!(ran.code, DENIED, "{}{}", ran.out, ran.err);
    assert_lines(
        &ran,
        &["requires scope `orders:write`: the token has `orders:read`"],
    );
    desk.write("log.http", "GET http://orders.example.com/healthz\n");
    assert_eq!(explain(&["log.http"]).code, GOOD);
    let http2 = format!(
        ":method: PUT\n:authority: a\n:scheme: https\n:path: /orders/7\nauthorization: Bearer {token}\n"
    );
    desk.write("http2.http", http2);
    assert_lines(
        &explain(&["http2.http"]),
        &["requires scope `orders:write`: the token has `orders:read`"],
    );
    desk.write("words.http", "hello");
    desk.write("path.http", ":path: /orders/7\n");
    for (arguments, message) in [
        (
            &["words.http"][..],
            "`words.http` is not a request: expected a first line such as `GET /orders/7 HTTP/1.1`",
        ),
        (
            &["request.http", "--path", "/"],
            "cannot be used with '--path <PATH>'",
        ),
        (&["path.http"][..], "expected `:method` and `:path`"),
        (&["none.http"], "cannot read `none.http`"),
        (
            &["-", "--bearer-file", "-"],
            "expected `-` for one file, found it for several",
        ),
    ] {
        let ran = explain(arguments);
        assert_eq!(ran.code, FAILURE, "{}", ran.out);
        assert!(ran.err.contains(message), "{}", ran.err);
    }
}

#[test]
fn a_request_is_evaluated_so_many_times() {
    let desk = desk(&[]);
    let patch = json!({
        "throttle": {"failures": 3, "window": "1m", "block": "5m", "by": ["address"]},
        "rules": [{"name": "all"}],
    });
    desk.write("token", "a.b");
    let mut document = desk.document();
    for (name, value) in patch.as_object().unwrap() {
        document[name] = value.clone();
    }
    let bad = ["--client", "192.0.2.7"];
    // A malformed token is no guess. A wrong key is.
    let hash = desk.run_with_input(&["hash", "key"], "right-key-4711").out;
    document["providers"] = json!([{"name": "keys", "api_key": {
        "from": [{"header": "x-api-key"}], "keys": [{"id": "a", "sha256": hash.trim()}],
    }}]);
    desk.write("gate.json", document.to_string());
    for (times, expected) in [
        ("1", "denied: key_unknown"),
        ("3", "denied: key_unknown"),
        ("4", "throttle: blocked for 300 s after too many failures"),
    ] {
        let fixed = [
            "explain",
            "gate.json",
            "--path",
            "/",
            "--header",
            "x-api-key: wrong-key-4711",
            "--times",
            times,
        ];
        let ran = desk.run(&[&fixed[..], &bad].concat());
        assert_eq!(ran.code, DENIED, "{}", ran.err);
        assert_lines(&ran, &[expected]);
    }
}

#[test]
fn a_fetch_can_be_one_that_failed() {
    let desk = desk(&[]);
    let mut document = desk.document();
    document["providers"][0]["jwt"]["jwks"] =
        json!({"remote": {"uri": "https://a.example.com/keys", "cluster": "a"}});
    let patch = json!({"providers": document["providers"]});
    assert_eq!(explain(&desk, &patch, &[]).code, FAILURE);
    let ran = explain(&desk, &patch, &["--unavailable"]);
    assert_eq!(ran.code, DENIED, "{}", ran.err);
    assert_lines(
        &ran,
        &[
            "the keys of the issuer are not available",
            "denied: keys_unavailable",
        ],
    );
    assert!(
        ran.out.contains("HTTP/1.1 503 Service Unavailable"),
        "{}",
        ran.out
    );
}
