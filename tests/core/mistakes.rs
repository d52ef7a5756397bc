//! Mistakes that people make in a configuration, each with the one message that leads to its fix.

use countersign::authenticate::jose::base64url;
use countersign::authenticate::jose::signature::Algorithm;
use countersign::config;
use countersign::mint::SigningKey;
use serde_json::{Value, json};

use super::document::{
    KEYS, faults, hold, hold_warnings, merged, provider, with, with_jwt, with_keys, with_rule,
};

/// What YAML reads from `{id}` and from `[orders: read]`.
#[test]
fn text_that_yaml_reads_as_an_object() {
    let quote = "in YAML, quote text that has `{` or `: `";
    hold(&[
        (
            with_rule(json!({ "match": { "paths": [{ "id": null }] } })),
            &[&format!(
                "rules[0].match.paths[0]: expected a string, found an object with the key `id`; {quote}"
            )],
        ),
        (
            with_rule(json!({ "require": { "scopes": [{ "orders": "read" }] } })),
            &[&format!(
                "rules[0].require.scopes[0]: expected a string, found an object with the key `orders`; {quote}"
            )],
        ),
        (
            with(json!({ "identity": { "headers": { "x-user": { "subject": null } } } })),
            &[&format!(
                "identity.headers.x-user: expected a string, found an object with the key `subject`; {quote}"
            )],
        ),
        (
            with_rule(json!({
                "match": { "paths": ["/users/{id}"] }, "require": { "claims": { "sub": { "id": null } } },
            })),
            &[
                "rules[0].require.claims.sub: expected a value, found an object without values: in YAML, quote text that has `{`",
            ],
        ),
    ]);
}

#[test]
fn keys_in_the_wrong_place() {
    let top = "unknown key: it belongs at the top level: check its indentation";
    let mut under_provider = json!({ "providers": [provider("corp")] });
    under_provider["providers"][0]["rules"] = json!([{ "name": "r" }]);
    let mut beside = json!({ "providers": [provider("corp")] });
    beside["providers"][0]["issuer"] = json!("https://login.example.com");
    beside["providers"][0]["claims"] = json!({});
    hold(&[
        (under_provider, &[&format!("providers[0].rules: {top}")]),
        (
            with_jwt(json!({ "rules": [], "throttle": {} })),
            &[
                &format!("providers[0].jwt.rules: {top}"),
                &format!("providers[0].jwt.throttle: {top}"),
            ],
        ),
        (
            with_rule(json!({ "paths": ["/a"], "scopes": ["a"] })),
            &[
                "rules[0].paths: unknown key: it belongs in `rules[].match`",
                "rules[0].scopes: unknown key: it belongs in `rules[].require`",
            ],
        ),
        (
            with_rule(json!({ "match": { "paths": ["/a"], "require": {} } })),
            &["rules[0].match.require: unknown key: it belongs in `rules[]`"],
        ),
        (
            beside,
            &[
                "providers[0].claims: unknown key: it belongs in `providers[].jwt`",
                "providers[0].issuer: unknown key: it belongs in `providers[].jwt`",
            ],
        ),
        (
            with(json!({ "issuer": "https://login.example.com", "paths": ["/a"] })),
            &[
                "issuer: unknown key: it belongs in `providers[].jwt`",
                "paths: unknown key: it belongs in `rules[].match`",
            ],
        ),
        (
            with_jwt(json!({ "jwks": { "inline": *KEYS, "timeout": 2 } })),
            &[
                "providers[0].jwt.jwks.timeout: unknown key: it belongs in `providers[].jwt.jwks.remote`",
            ],
        ),
        (
            with_jwt(json!({ "other_credentials": "ignore", "encoded_slash": "segment" })),
            &[
                &format!("providers[0].jwt.encoded_slash: {top}"),
                "providers[0].jwt.other_credentials: unknown key: it belongs in `rules[]`",
            ],
        ),
        (
            with_rule(json!({ "require_claims": { "tid": "a" } })),
            &["rules[0].require_claims: unknown key: it belongs in `providers[].jwt`"],
        ),
        (
            json!({ "providers": [merged(provider("corp"), json!({ "require": ["exp"] }))] }),
            &["providers[0].require: unknown key: it belongs in `providers[].jwt`"],
        ),
        (
            with_jwt(json!({ "remote": {} })),
            &["providers[0].jwt.remote: unknown key: it belongs in `providers[].jwt.jwks`"],
        ),
    ]);
}

/// What YAML 1.1 reads from `off`, `no`, `on` and `yes`.
#[test]
fn words_that_yaml_reads_as_booleans() {
    let why = "YAML reads `on`, `off`, `yes` and `no` without quotes as booleans";
    hold(&[
        (
            with(json!({ "audit": { "log": false } })),
            &[&format!(
                "audit.log: expected `denied`, `all` or `none`, found the boolean `false`: {why}; did you mean `none`?"
            )],
        ),
        (
            with(json!({ "mode": true })),
            &[&format!(
                "mode: expected `enforce` or `shadow`, found the boolean `true`: {why}"
            )],
        ),
        (
            with_rule(json!({ "match": { "headers": { "x-country": false } } })),
            &[&format!(
                "rules[0].match.headers.x-country: expected a string, a list of strings, or `absent`, found the boolean `false`: {why}"
            )],
        ),
    ]);
}

#[test]
fn a_private_key_is_leaked() {
    let leaked = "this is a private key: everyone who can read it can sign tokens, so replace it, and keep only public \
                  members such as `kty`, `n`, `e`, `crv`, `x` and `y`";
    let private = SigningKey::generate(Algorithm::Es256).private_jwk();
    let path = "providers[0].jwt.jwks.inline.keys";
    let alone = format!("{path}[0]: {leaked}");
    hold(&[(with_keys(json!([private])), &[&alone])]);
    let listed =
        with_jwt(json!({ "jwks": [{ "inline": *KEYS }, { "inline": { "keys": [private] } }] }));
    let in_list = format!("providers[0].jwt.jwks[1].inline.keys[0]: {leaked}");
    hold(&[(listed, &[&in_list])]);
    let beside = format!("{path}[1]: {leaked}");
    hold_warnings(&[(with_keys(json!([KEYS["keys"][0], private])), &[&beside])]);
    for document in [
        with_keys(json!([private])),
        with_keys(json!({ "d": private["d"] })),
    ] {
        let secret = private["d"].as_str().unwrap();
        assert!(
            !faults(config::load_value(&document))
                .concat()
                .contains(secret)
        );
    }
}

#[test]
fn a_secret_needs_an_algorithm_that_is_listed() {
    let secret = json!({ "kty": "oct", "k": base64url::encode(b"\x01correct horse battery staple 0123456789") });
    let unlisted = "a shared secret (`oct`) is used only with algorithms that are listed: add `algorithms: [HS256]`";
    let path = "providers[0].jwt.jwks.inline.keys";
    let with_algorithms = |algorithms: Value, keys: Value| {
        with_jwt(json!({ "algorithms": algorithms, "jwks": { "inline": { "keys": keys } } }))
    };
    hold(&[
        (
            with_keys(json!([secret])),
            &[&format!("{path}[0]: {unlisted}")],
        ),
        (
            with_keys(json!([merged(secret.clone(), json!({ "alg": "HS256" }))])),
            &[&format!("{path}[0]: {unlisted}")],
        ),
        (
            with_algorithms(json!(["RS256"]), json!([secret])),
            &[&format!("{path}[0]: {unlisted}")],
        ),
    ]);
    let document = with_keys(json!([KEYS["keys"][0], secret]));
    let warnings = config::load_value(&document).unwrap().warnings;
    let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert!(
        warnings.contains(&format!("{path}[1]: {unlisted}")),
        "{warnings:?}"
    );
}

#[test]
fn a_url_with_a_password_is_rejected_and_not_shown() {
    let expected = "expected a URL without user name and password: the filter does not send them";
    let url = "https://user:hunter2@login.example.com/jwks";
    let key = |source: Value| with_jwt(json!({ "jwks": source }));
    let metadata = json!({ "resource": url, "authorization_servers": [url] });
    hold(&[
        (
            key(json!({ "remote": { "uri": url, "cluster": "login" } })),
            &[&format!("providers[0].jwt.jwks.remote.uri: {expected}")],
        ),
        (
            key(json!([{ "inline": *KEYS }, { "remote": { "uri": url, "cluster": "login" } }])),
            &[&format!("providers[0].jwt.jwks[1].remote.uri: {expected}")],
        ),
        (
            key(json!({ "discovery": { "uri": url, "cluster": "login" } })),
            &[&format!("providers[0].jwt.jwks.discovery.uri: {expected}")],
        ),
        (
            key(json!("https://a:hunter2@login/jwks")),
            &["providers[0].jwt.jwks: expected an object, or a list of objects, found a URL"],
        ),
        (
            key(json!(["https://a:hunter2@login/jwks"])),
            &["providers[0].jwt.jwks[0]: expected an object, found a URL"],
        ),
        (
            key(json!({ "remote": "https://login/jwks?key=hunter2" })),
            &["providers[0].jwt.jwks.remote: expected an object, found a URL"],
        ),
        (
            with(json!({ "origin": "https://user:hunter2@orders.example.com" })),
            &[&format!("origin: {expected}")],
        ),
        (
            with(json!({ "responses": { "documentation": url, "login": { "uri": url } } })),
            &[
                &format!("responses.documentation: {expected}"),
                &format!("responses.login.uri: {expected}"),
            ],
        ),
        (
            with(json!({ "resource_metadata": metadata })),
            &[
                &format!("resource_metadata.authorization_servers[0]: {expected}"),
                &format!("resource_metadata.resource: {expected}"),
            ],
        ),
    ]);
}

#[test]
fn quotes_of_word_processors() {
    let expected = "quotes such as `“` are part of the text: use `\"`";
    hold(&[
        (
            with(json!({ "realm": "“orders”" })),
            &[&format!("realm: {expected}")],
        ),
        (
            with(json!({ "realm": "‘orders’" })),
            &[&format!("realm: {expected}")],
        ),
        (
            with(json!({ "realm": "„orders“" })),
            &[&format!("realm: {expected}")],
        ),
        (
            with_jwt(json!({ "issuer": "“https://login.example.com”" })),
            &[&format!("providers[0].jwt.issuer: {expected}")],
        ),
        (
            with_rule(
                json!({ "match": { "headers": { "x-tenant": "“red”", "x-unit": ["a", "“b”"] } } }),
            ),
            &[
                &format!("rules[0].match.headers.x-tenant: {expected}"),
                &format!("rules[0].match.headers.x-unit[1]: {expected}"),
            ],
        ),
        (
            with_jwt(
                json!({ "claims": { "roles": ["“roles”", ["“a”"]] }, "require_claims": { "tid": "“red”" } }),
            ),
            &[
                &format!("providers[0].jwt.claims.roles[0]: {expected}"),
                &format!("providers[0].jwt.claims.roles[1][0]: {expected}"),
                &format!("providers[0].jwt.require_claims.tid: {expected}"),
            ],
        ),
        (
            with_rule(json!({ "require": { "roles": ["“admin”"] } })),
            &[&format!("rules[0].require.roles[0]: {expected}")],
        ),
        (
            with_rule(
                json!({ "require": { "claims": { "tenant": ["red", "“blue”"], "“unit”": 7 } } }),
            ),
            &[
                &format!("rules[0].require.claims.tenant[1]: {expected}"),
                &format!("rules[0].require.claims.“unit”: {expected}"),
            ],
        ),
        (
            with(json!({ "“realm”": "orders" })),
            &[&format!("“realm”: {expected}")],
        ),
    ]);
    for (text, position) in [("{“realm”: \"x\"}", "2"), ("{\"realm\": “x”}", "11")] {
        let found = faults(config::load(text.as_bytes())).concat();
        assert!(
            found.ends_with(&format!(
                "at line 1 column {position}: use `\"` in place of `“`"
            )),
            "{found}"
        );
    }
    let found = faults(config::load_value(&with_rule(
        json!({ "require": { "cel": "claims.a == “x”" } }),
    )));
    assert_eq!(
        found,
        ["rules[0].require.cel: column 13: expected `'`, found `“`"]
    );
}

#[test]
fn what_is_not_json() {
    let other = "expected JSON, found other text: a `google.protobuf.StringValue` holds JSON, and YAML needs a \
                 `google.protobuf.Struct`";
    for text in [
        "realm: orders",
        "\nrealm: orders\nproviders: []\n",
        "---\nrealm: orders\n",
        "# rules\nrealm: orders\r\n",
        "- name: a\n",
        "<html>",
        "realm: Aufträge",
    ] {
        assert_eq!(faults(config::load(text.as_bytes())), [other], "{text}");
    }
    let block = "expected an object, found a text: in YAML, remove the `|` or `>` before it";
    for text in ["{\"realm\": \"orders\"}", "realm: orders\n", ""] {
        assert_eq!(faults(config::load_value(&json!(text))), [block]);
        assert_eq!(
            faults(config::load(json!(text).to_string().as_bytes())),
            [block]
        );
    }
}

#[test]
fn a_configuration_of_jwt_authn() {
    let expected = "this is a configuration of Envoy's `jwt_authn`: here `providers` is a list of `{name, jwt}`, \
                    `remote_jwks` is `jwks: {remote: {uri, cluster}}`, `match: {prefix: /a}` is `match: {paths: \
                    [/a/**]}`, and `requires` is `providers: [name]`";
    let source = json!({ "http_uri": { "uri": "https://login.example.com/jwks", "cluster": "login", "timeout": "1s" } });
    let provider = json!({ "issuer": "https://login.example.com", "audiences": ["orders"], "remote_jwks": source });
    let rules = json!([{ "match": { "prefix": "/" }, "requires": { "provider_name": "corp" } }]);
    let typed = "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication";
    hold(&[
        (
            json!({ "providers": { "corp": provider }, "rules": rules }),
            &[expected],
        ),
        (
            json!({ "@type": typed, "providers": { "corp": provider }, "rules": rules }),
            &[expected],
        ),
        (
            json!({ "providers": { "corp": { "localJwks": {} } } }),
            &[expected],
        ),
        (
            with(json!({ "rules": [{ "requires": { "requires_any": {} } }] })),
            &[expected],
        ),
        (
            with_rule(json!({ "requires": { "scopes": ["a"] } })),
            &["rules[0].requires: unknown key; did you mean `require`?"],
        ),
        (with(json!({ "rules": rules })), &[expected]),
    ]);
}

#[test]
fn lists_written_as_objects() {
    let list = "expected a list, found an object; in YAML, each item begins with `- `";
    hold(&[
        (
            with(json!({ "rules": { "health": { "allow": "public" } } })),
            &[&format!("rules: {list}")],
        ),
        (
            json!({ "providers": { "corp": { "jwt": {} } } }),
            &[&format!("providers: {list}")],
        ),
        (
            with_rule(json!({ "require": { "scopes": { "orders": "read" } } })),
            &[
                "rules[0].require.scopes: expected a list, found an object with the key `orders`; in YAML, each item begins with `- `",
            ],
        ),
    ]);
}

#[test]
fn placeholders_of_identity_headers() {
    let template = |text: &str| with(json!({ "identity": { "headers": { "x-user": text } } }));
    let path = "identity.headers.x-user";
    let expected =
        "expected `subject`, `provider`, `scopes`, `roles`, `groups` or a claim, such as";
    let brace = format!("{path}: expected the name of a placeholder between one `{{` and one `}}`");
    hold(&[
        (
            template("{sub}"),
            &[&format!(
                "{path}: unknown placeholder `sub`; did you mean `subject` or `claims.sub`?"
            )],
        ),
        (
            template("user {email}"),
            &[&format!(
                "{path}: unknown placeholder `email`: {expected} `claims.email`"
            )],
        ),
        (
            template("{role}"),
            &[&format!(
                "{path}: unknown placeholder `role`; did you mean `roles`?"
            )],
        ),
        (template("{{subject}}"), &[&brace]),
        (template("{subject"), &[&brace]),
    ]);
}

#[test]
fn operators_of_other_languages_in_cel() {
    for (text, column, found, meant) in [
        ("claims.a == 1 and claims.b == 2", 15, "and", "&&"),
        ("claims.a == 1 AND claims.b == 2", 15, "AND", "&&"),
        ("claims.a == 1 or claims.b == 2", 15, "or", "||"),
        ("not claims.a", 1, "not", "!"),
        ("claims.a not in ['x']", 10, "not", "!(value in list)"),
        ("claims.a = 1", 10, "=", "=="),
        ("claims.a =1", 10, "=", "=="),
        ("claims.a === 1", 10, "===", "=="),
        ("claims.a !== 1", 10, "!==", "!="),
        ("claims.a <> 1", 10, "<>", "!="),
        ("claims.a => 1", 10, "=>", ">="),
        ("claims.a & claims.b", 10, "&", "&&"),
        ("claims.a | claims.b", 10, "|", "||"),
        ("claims.a is null", 10, "is", "=="),
        ("claims.a eq 1", 10, "eq", "=="),
        (
            "claims.a contains 'x'",
            10,
            "contains",
            "text.contains('part')",
        ),
        ("claims.a =~ 'x'", 10, "=~", "text.matches('pattern')"),
        ("'and' in roles and true", 16, "and", "&&"),
    ] {
        let expected =
            format!("rules[0].require.cel: column {column}: expected `{meant}`, found `{found}`");
        hold(&[(
            with_rule(json!({ "require": { "cel": text } })),
            &[&expected],
        )]);
    }
    hold(&[
        (
            with_rule(json!({ "require": { "cel": "claims.a == True" } })),
            &["rules[0].require.cel: column 13: unknown variable `True`; did you mean `true`?"],
        ),
        (
            with_rule(json!({ "require": { "cel": "claims.and == 'or' && claims.is" } })),
            &[],
        ),
    ]);
}

#[test]
fn a_duration_has_a_unit() {
    let timeout = |timeout: Value| {
        let remote = json!({ "uri": "https://a/", "cluster": "a", "timeout": timeout });
        with_jwt(json!({ "jwks": { "remote": remote } }))
    };
    let path = "providers[0].jwt.jwks.remote.timeout";
    hold(&[
        (
            timeout(json!(2)),
            &[&format!(
                "{path}: expected a duration such as `90s`, found the number `2`; did you mean `2s`?"
            )],
        ),
        (
            timeout(json!(2.5)),
            &[&format!(
                "{path}: expected a duration such as `90s`, found the number `2.5`"
            )],
        ),
        (
            timeout(json!("2")),
            &[&format!(
                "{path}: expected a duration such as `90s`, found `2`; did you mean `2s`?"
            )],
        ),
        (
            with(json!({ "throttle": { "failures": 5, "window": 60, "block": "5m" } })),
            &[
                "throttle.window: expected a duration such as `90s`, found the number `60`; did you mean `60s`?",
            ],
        ),
        (
            with_rule(json!({ "match": { "headers": { "x-api-version": 2 } } })),
            &[
                "rules[0].match.headers.x-api-version: expected a string, a list of strings, or `absent`, found the number `2`; did you mean `\"2\"`?",
            ],
        ),
    ]);
}

fn api_keys(keys: &Value) -> Value {
    json!({ "providers": [{ "name": "keys", "api_key": { "keys": keys } }] })
}

fn users(users: &Value) -> Value {
    json!({ "providers": [{ "name": "staff", "basic": { "users": users } }] })
}

/// Some people write the key, or the user with the password, as the key of an object, or in a text.
#[test]
fn credentials_in_another_form_are_not_shown() {
    let keys = "expected a list of keys, or `remote`, found another value";
    let key = "expected an object with `id` and `sha256`, found another value";
    let list = "expected a list of users, or `remote`, found another value";
    let user = "expected an object with `name` and `password`, found another value";
    let (of_keys, of_users) = ("providers[0].api_key.keys", "providers[0].basic.users");
    for written in [
        json!({ "xyzzy": "acme" }),
        json!({ "acme": "xyzzy" }),
        json!("acme:xyzzy"),
        json!([{ "xyzzy": "acme" }]),
        json!([{ "acme": "xyzzy" }]),
        json!(["acme:xyzzy"]),
        json!([["xyzzy"]]),
    ] {
        let expected = |at: &str, list: &str, entry: &str| match written.is_array() {
            true => format!("{at}[0]: {entry}"),
            false => format!("{at}: {list}"),
        };
        hold(&[
            (api_keys(&written), &[&expected(of_keys, keys, key)]),
            (users(&written), &[&expected(of_users, list, user)]),
        ]);
    }
}

#[test]
fn headers_of_a_list_in_another_form_are_not_shown() {
    let at = "providers[0].api_key.keys.remote.headers";
    let object =
        format!("{at}: expected an object of header names and values, found another value");
    let name = format!(
        "{at}: a key is not a valid header name: in YAML, write a space after the colon of `name: value`"
    );
    for (headers, expected) in [
        (json!("authorization: Bearer xyzzy"), &object),
        (json!(["authorization: Bearer xyzzy"]), &object),
        (json!([{ "authorization": "Bearer xyzzy" }]), &object),
        // What YAML reads from `{authorization:Bearer xyzzy}`.
        (json!({ "authorization:Bearer xyzzy": null }), &name),
        (json!({ "authorization: Bearer xyzzy": "x" }), &name),
    ] {
        let remote =
            json!({ "uri": "https://keys.example.com/", "cluster": "keys", "headers": headers });
        hold(&[(api_keys(&json!({ "remote": remote })), &[expected])]);
    }
}

#[test]
fn password_hashes_as_other_files_have_them() {
    let hash = "$2y$04$Dxzt0F36BFNeDC.mV2Ol5ObeBg7i8Ibq8oN8yDHyQgcQnuDcmSumW";
    let line =
        "the hash alone, without the user name and the colon that `htpasswd` prints before it";
    let around = "no whitespace and no line break around it";
    for (password, expected) in [
        (format!("root:{hash}"), line),
        ("root:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=".to_owned(), line),
        (format!("{hash}\n"), around),
        (format!(" {hash}"), around),
        (hash.replace('$', "$$"), "each `$` once, found `$$`"),
    ] {
        let expected = format!(
            "providers[0].basic.users[0].password: malformed password hash: expected {expected}"
        );
        hold(&[(
            users(&json!([{ "name": "root", "password": password }])),
            &[&expected],
        )]);
    }
}
