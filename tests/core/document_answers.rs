//! Documents that say what answers look like: which are refused, and with what words.

use countersign::config;
use serde_json::{Value, json};

/// Each document, and its faults: `path: what is wrong` up to the first words that tell it from others.
fn hold(table: &[(Value, &[&str])]) {
    let mut wrong = String::new();
    for (document, expected) in table {
        let found = match config::load_value(document) {
            Ok(_) => Vec::new(),
            Err(faults) => faults.iter().map(ToString::to_string).collect(),
        };
        let fits = found.len() == expected.len()
            && found
                .iter()
                .zip(*expected)
                .all(|(found, expected)| found.starts_with(expected));
        if !fits {
            wrong += &format!("{document}\n  expected {expected:#?}\n  found {found:#?}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn warnings(document: &Value) -> Vec<String> {
    let loaded = config::load_value(document).expect("a valid document");
    loaded.warnings.iter().map(ToString::to_string).collect()
}

fn public(mut document: Value) -> Value {
    document["default"] = json!("public");
    document
}

fn responses(responses: Value) -> Value {
    public(json!({ "responses": responses }))
}

fn rule(mut rule: Value) -> Value {
    rule["name"] = json!("r");
    json!({ "rules": [rule] })
}

/// A rule that asks for a credential, and a provider of such.
fn guarded(rule: Value) -> Value {
    let mut document = self::rule(rule);
    let key = std::fs::read_to_string("tests/keys/es256.json").expect("a key");
    let mut key: Value = serde_json::from_str(&key).expect("JSON");
    key.as_object_mut().expect("a JWK").remove("d");
    document["providers"] = json!([{"name": "as", "jwt": {
        "issuer": "https://as", "audiences": ["api"], "jwks": {"inline": {"keys": [key]}}
    }}]);
    document
}

#[test]
fn origins() {
    hold(&[
        (public(json!({"origin": "https://orders.example.com"})), &[]),
        (public(json!({"origin": "http://localhost:8080"})), &[]),
        (
            public(json!({"origin": "https://orders.example.com/"})),
            &["origin: expected an origin such as `https://orders.example.com`, without a path"],
        ),
        (
            public(json!({"origin": "https://orders.example.com/api"})),
            &["origin: expected an origin such as `https://orders.example.com`, without a path"],
        ),
        (
            public(json!({"origin": "orders.example.com"})),
            &["origin: expected an origin such as `https://orders.example.com`, without a path"],
        ),
        (
            public(json!({"origin": "https://u@orders.example.com"})),
            &[
                "origin: expected a URL without user name and password: the filter does not send them",
            ],
        ),
    ]);
}

#[test]
fn https() {
    let origin = "https://orders.example.com";
    hold(&[
        (public(json!({"https": "require"})), &[]),
        (public(json!({"https": "redirect", "origin": origin})), &[]),
        (
            public(json!({"https": "redirect"})),
            &[
                "https: `redirect` requires `origin`: the filter never takes it from the `Host` header",
            ],
        ),
        (
            public(json!({"https": "redirect", "origin": "http://a"})),
            &["origin: `https: redirect` requires an `https` origin"],
        ),
        (
            public(json!({"https": "redirect", "origin": "a"})),
            &["origin: expected an origin such as `https://orders.example.com`, without a path"],
        ),
        (public(json!({"https": null})), &["https: expected"]),
    ]);
    assert_eq!(
        warnings(&public(
            json!({"https": "require", "trust_forwarded_proto": true})
        )),
        [
            "trust_forwarded_proto: clients that reach this proxy directly can claim that they use HTTPS"
        ]
    );
}

#[test]
fn links_and_pages() {
    hold(&[
        (
            responses(
                json!({"documentation": "https://docs.example.com/errors", "request_access": "https://help.example.com/?a=b"}),
            ),
            &[],
        ),
        (
            responses(json!({"documentation": "/errors"})),
            &["responses.documentation: expected an absolute `http` or `https` URL"],
        ),
        (
            responses(json!({"documentation": "https://a/#b"})),
            &["responses.documentation: expected a URL without `#`: the filter appends `#<error>`"],
        ),
        (
            responses(json!({"request_access": "javascript:alert(1)"})),
            &["responses.request_access: expected an absolute `http` or `https` URL"],
        ),
        (
            responses(json!({"request_access": "https://a/\"onclick"})),
            &["responses.request_access: expected an absolute `http` or `https` URL"],
        ),
        (
            responses(json!({"request_access": "https://a/ b"})),
            &["responses.request_access: expected an absolute `http` or `https` URL"],
        ),
        (
            responses(json!({"pages": {"401": "<p>{message}</p>", "503": "a {b"}})),
            &[],
        ),
        (
            responses(json!({"pages": {"401": "{mesage}"}})),
            &["responses.pages.401: "],
        ),
        (
            responses(json!({"pages": {"200": "x"}})),
            &["responses.pages.200: expected a status from 400 to 599"],
        ),
        (
            responses(json!({"pages": {"+401": "x"}})),
            &["responses.pages.+401: expected a status from 400 to 599"],
        ),
        (
            responses(json!({"pages": {"teapot": "x"}})),
            &["responses.pages.teapot: expected a status from 400 to 599"],
        ),
        (
            responses(json!({"body": "xml"})),
            &["responses.body: expected `negotiate`"],
        ),
    ]);
}

#[test]
fn logins() {
    let with = |uri: &str, origin: Option<&str>| {
        public(json!({"responses": {"login": {"uri": uri}}, "origin": origin}))
    };
    let origin = Some("https://orders.example.com");
    hold(&[
        (
            with("https://login.example.com/?return_to={url}", origin),
            &[],
        ),
        (with("https://login.example.com/", None), &[]),
        (
            with("https://login.example.com/?return_to={url}", None),
            &[
                "responses.login.uri: `{url}` requires `origin`: the filter never takes it from the `Host` header",
            ],
        ),
        (
            with("{url}", origin),
            &[
                "responses.login.uri: expected an absolute `http` or `https` URL, with at most one `{url}`, which is in its query",
            ],
        ),
        (
            with("https://login.example.com/{url}", origin),
            &[
                "responses.login.uri: expected an absolute `http` or `https` URL, with at most one `{url}`, which is in its query",
            ],
        ),
        (
            with("https://login.example.com/?a={url}&b={url}", origin),
            &[
                "responses.login.uri: expected an absolute `http` or `https` URL, with at most one `{url}`, which is in its query",
            ],
        ),
        (
            with("https://login.example.com/?a={uri}", origin),
            &[
                "responses.login.uri: expected an absolute `http` or `https` URL, with at most one `{url}`, which is in its query",
            ],
        ),
        (
            with("/login", origin),
            &[
                "responses.login.uri: expected an absolute `http` or `https` URL, with at most one `{url}`, which is in its query",
            ],
        ),
    ]);
}

#[test]
fn fixed_answers() {
    let respond = |respond: Value| rule(json!({ "respond": respond }));
    hold(&[
        (
            respond(
                json!({"status": 403, "headers": {"x-why": "closed"}, "body": {"error": "forbidden"}}),
            ),
            &[],
        ),
        (
            respond(json!({"status": 401, "headers": {"WWW-Authenticate": "Bearer realm=\"x\""}})),
            &[],
        ),
        (
            respond(json!({"status": 401})),
            &[
                "rules[0].respond.headers: a response with status 401 must have the header `www-authenticate` (RFC 9110 §15.5)",
            ],
        ),
        (
            respond(
                json!({"status": 401, "headers": {"www-authenticate": "Negotiate, Basic realm=\"x\""}}),
            ),
            &[],
        ),
        (
            respond(json!({"status": 401, "headers": {"www-authenticate": ""}})),
            &[
                "rules[0].respond.headers: a response with status 401 must have the header `www-authenticate` (RFC 9110 §15.5)",
            ],
        ),
        (
            respond(json!({"status": 401, "headers": {"www-authenticate": "realm=\"x\""}})),
            &[
                "rules[0].respond.headers: a response with status 401 must have the header `www-authenticate` (RFC 9110 §15.5)",
            ],
        ),
        (
            respond(json!({"status": 407})),
            &[
                "rules[0].respond.headers: a response with status 407 must have the header `proxy-authenticate` (RFC 9110 §15.5)",
            ],
        ),
        (
            respond(json!({"status": 101})),
            &["rules[0].respond.status: expected a status from 200 to 599, found "],
        ),
        (
            respond(json!({"status": 66136})),
            &["rules[0].respond.status: expected a status from 200 to 599, found "],
        ),
        (
            respond(json!({"status": 204, "body": "x"})),
            &["rules[0].respond.body: a response with status 204 has no body"],
        ),
        (
            respond(json!({"status": 200, "headers": {"content-length": "3"}})),
            &["rules[0].respond.headers.content-length: the host sets this header"],
        ),
        (
            respond(json!({"status": 200, "headers": {"x y": "3"}})),
            &["rules[0].respond.headers.x y: not a valid header name"],
        ),
        (
            respond(json!({"status": 200, "headers": {"x": "a\r\nb"}})),
            &[
                "rules[0].respond.headers.x: not a valid header value: it has leading or trailing whitespace, or a character that is not printable ASCII",
            ],
        ),
        (
            respond(json!({"status": 200, "headers": {"x": "1", "X": "2"}})),
            &["rules[0].respond.headers.x: duplicate header: header names are case-insensitive"],
        ),
        (
            rule(
                json!({"respond": {"status": 200}, "allow": "public", "require": {"scopes": ["a"]}, "on_forbidden": "not_found"}),
            ),
            &[
                "rules[0].allow: `allow` cannot be combined with `respond`",
                "rules[0].on_forbidden: `on_forbidden` cannot be combined with `respond`",
                "rules[0].require: `require` cannot be combined with `allow`",
            ],
        ),
        (
            rule(json!({"allow": "public", "on_forbidden": "not_found"})),
            &[
                "rules[0].on_forbidden: `on_forbidden` cannot be combined with `allow: public`: no request receives 403",
            ],
        ),
        (
            guarded(json!({"allow": "optional", "on_forbidden": "not_found"})),
            &[
                "rules[0].on_forbidden: `on_forbidden` cannot be combined with `allow: optional`: requests without a credential pass, which shows that the rule exists",
            ],
        ),
        (
            responses(json!({"not_found": {"status": 99}})),
            &["responses.not_found.status: expected a status from 200 to 599, found "],
        ),
    ]);
}

/// What is public elsewhere shows by its 401 that something is there.
#[test]
fn a_rule_that_cannot_hide_is_warned_of() {
    for default in ["deny", "authenticated", "optional", "public"] {
        let mut document = guarded(json!({"on_forbidden": "not_found"}));
        document["default"] = json!(default);
        let told = warnings(&document);
        let expected =
            format!("rules[0].on_forbidden: with `default: {default}` requests pass without a ");
        match default {
            "optional" | "public" => {
                assert!(
                    matches!(&told[..], [one] if one.starts_with(&expected)),
                    "{told:?}"
                );
            }
            _ => assert_eq!(told, Vec::<String>::new(), "{default}"),
        }
    }
}

/// So does what the visible rule answers that matches the same requests.
#[test]
fn a_rule_that_cannot_hide_above_another_is_warned_of() {
    let not_found = json!({"error": "not_found", "message": "Not Found"});
    for (last, expected) in [
        (json!({}), None),
        (json!({"require": {"scopes": ["read"]}}), None),
        (json!({"networks": {"allow": ["10.0.0.0/8"]}}), None),
        (json!({"respond": {"status": 404, "body": not_found}}), None),
        (
            json!({"match": {"paths": ["/elsewhere/**"]}, "allow": "public"}),
            None,
        ),
        (
            json!({"allow": "public"}),
            Some("requests pass without a valid credential"),
        ),
        (
            json!({"allow": "optional"}),
            Some("requests pass without a credential"),
        ),
        (
            json!({"respond": {"status": 410}}),
            Some("every request receives the response of `respond`"),
        ),
        (
            json!({"providers": ["one"]}),
            Some("callers of some providers receive 403"),
        ),
        (
            json!({"require_all": ["one", "two"]}),
            Some("callers of only some providers of `require_all` receive 401"),
        ),
    ] {
        let provider = |name: &str| {
            json!({"name": name, "jwt": {
                "issuer": format!("https://{name}.example.com"),
                "audiences": "any",
                "jwks": {"remote": {"uri": format!("https://{name}.example.com/keys"), "cluster": "keys"}},
                "from": [{"header": format!("x-{name}")}],
            }})
        };
        let mut rest = last.clone();
        rest["name"] = json!("rest");
        let document = json!({
            "providers": [provider("one"), provider("two")],
            "rules": [
                {"name": "admin", "match": {"paths": ["/admin/**"]}, "on_forbidden": "not_found"},
                rest,
            ],
        });
        let told = warnings(&document);
        let told: Vec<_> = told
            .iter()
            .filter(|one| one.contains("on_forbidden"))
            .collect();
        match expected {
            None => assert!(told.is_empty(), "{last}: {told:?}"),
            Some(what) => {
                let start = format!("rules[0].on_forbidden: under the rule `rest` {what}");
                assert!(
                    matches!(&told[..], [one] if one.starts_with(&start)),
                    "{last}: {told:?}"
                );
            }
        }
    }
}

#[test]
fn other_origins() {
    let cors = |cors: Value| public(json!({ "cors": cors }));
    hold(&[
        (
            cors(
                json!({"allow_origins": ["https://app.example.com", "null", "http://localhost:5173"]}),
            ),
            &[],
        ),
        (
            cors(json!({"allow_origins": ["*"], "allow_credentials": false})),
            &[],
        ),
        (
            cors(json!({"allow_origins": ["*"]})),
            &[
                "cors.allow_credentials: expected `false`: with the origin `*`, any page could read what cookies give access to",
            ],
        ),
        (
            cors(json!({"allow_origins": ["*", "https://a.example"], "allow_credentials": false})),
            &["cors.allow_origins: `*` must be the only origin"],
        ),
        (
            cors(json!({"allow_origins": []})),
            &["cors.allow_origins: expected at least one origin"],
        ),
        (cors(json!({})), &["cors.allow_origins: missing: expected "]),
        (
            cors(json!({"allow_origins": ["https://a.example/"]})),
            &[
                "cors.allow_origins[0]: expected an origin as browsers send it, such as `https://app.example.com`: in lower case, without a path and without the default port",
            ],
        ),
        (
            cors(json!({"allow_origins": ["https://A.example"]})),
            &[
                "cors.allow_origins[0]: expected an origin as browsers send it, such as `https://app.example.com`: in lower case, without a path and without the default port",
            ],
        ),
        (
            cors(json!({"allow_origins": ["https://a.example:443"]})),
            &[
                "cors.allow_origins[0]: expected an origin as browsers send it, such as `https://app.example.com`: in lower case, without a path and without the default port",
            ],
        ),
        (
            cors(json!({"allow_origins": ["https://a.example:"]})),
            &[
                "cors.allow_origins[0]: expected an origin as browsers send it, such as `https://app.example.com`: in lower case, without a path and without the default port",
            ],
        ),
        (
            cors(json!({"allow_origins": ["https://a.example:x", "http://a..example"]})),
            &[
                "cors.allow_origins[0]: expected an origin as browsers send it, such as `https://app.example.com`: in lower case, without a path and without the default port",
                "cors.allow_origins[1]: expected an origin as browsers send it, such as `https://app.example.com`: in lower case, without a path and without the default port",
            ],
        ),
        (
            cors(json!({"allow_origins": ["a.example"]})),
            &[
                "cors.allow_origins[0]: expected an origin as browsers send it, such as `https://app.example.com`: in lower case, without a path and without the default port",
            ],
        ),
        (
            cors(
                json!({"allow_origins": ["https://*.preview.example.com", "http://*.localhost:3000"]}),
            ),
            &[],
        ),
        (
            cors(json!({"allow_origins": [
                "https://*", "*.example.com", "*://a.example.com", "https://*:443", "https://a*.example.com",
                "https://*a.example.com", "https://a.*.example.com", "https://*.*.example.com", "https://*.example.com:*",
                "https://*.example.com:443", "https://*.example.com/", "https://*.Example.com", "https://*.", "https://**.a",
                "https://*.192.0.2.1", "https://*.[2001:db8::1]", "https://*.example.com.", "HTTPS://*.a.example",
                "https://u@*.a.example", "https://*.a.example/*", "https://*..a.example", "**",
            ]})),
            &(0..22)
                .map(|index| format!("cors.allow_origins[{index}]: `*` is only allowed in place of the labels before a domain, such as `https://*.example.com`: in lower case, without a path and without the default port"))
                .collect::<Vec<_>>()
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>(),
        ),
        (
            cors(json!({"allow_origins": ["*", "https://*.example.com"], "allow_credentials": false})),
            &["cors.allow_origins: `*` must be the only origin"],
        ),
        (
            cors(json!({"allow_origins": ["null"], "allow_methods": ["GET POST"]})),
            &["cors.allow_methods[0]: not a valid HTTP token"],
        ),
    ]);
    assert_eq!(
        warnings(&cors(
            json!({"allow_origins": ["https://a.example"], "allow_headers": ["*"], "allow_credentials": false})
        )),
        [
            "cors.allow_headers: `*` does not include `authorization` (WHATWG Fetch): the filter adds it"
        ]
    );
    assert_eq!(
        warnings(&cors(
            json!({"allow_origins": ["https://*.com", "http://*.a.com", "https://*.com:8443"]})
        )),
        [0, 2].map(|index| format!(
            "cors.allow_origins[{index}]: this allows every host below a top-level domain"
        ))
    );
    let null = |credentials: bool| {
        warnings(&cors(
            json!({"allow_origins": ["null"], "allow_credentials": credentials}),
        ))
    };
    assert!(null(true)[0].starts_with("cors.allow_origins: `null` is the origin of every sandboxed frame: with `allow_credentials`, any page can read what cookies give access to"));
    assert_eq!(null(false), [""; 0]);
}

/// P-05, M-03, M-06.
#[test]
fn metadata() {
    let with = |resource: &str| {
        public(
            json!({"resource_metadata": {"resource": resource, "authorization_servers": ["https://as.example.com"]}}),
        )
    };
    hold(&[
        (with("https://api.example.com"), &[]),
        (with("https://api.example.com/tenant1/mcp"), &[]),
        (with("https://api.example.com/r?tenant=a"), &[]),
        (
            with("http://api.example.com"),
            &[
                "resource_metadata.resource: expected an `https` URL without a fragment (RFC 9728 §1.2), with a path that a request can have",
            ],
        ),
        (
            with("https://api.example.com/#a"),
            &[
                "resource_metadata.resource: expected an `https` URL without a fragment (RFC 9728 §1.2), with a path that a request can have",
            ],
        ),
        (
            with("https://api.example.com/a/../b"),
            &[
                "resource_metadata.resource: expected an `https` URL without a fragment (RFC 9728 §1.2), with a path that a request can have",
            ],
        ),
        (
            public(
                json!({"resource_metadata": {"resource": "https://a", "authorization_servers": []}}),
            ),
            &["resource_metadata.authorization_servers: expected at least one"],
        ),
        (
            public(
                json!({"resource_metadata": {"resource": "https://a", "authorization_servers": ["as"], "scopes_supported": ["a b"]}}),
            ),
            &[
                "resource_metadata.authorization_servers[0]: expected an absolute URL, which the issuer of an authorization server is (RFC 8414 §2)",
                "resource_metadata.scopes_supported[0]: expected one or more visible ASCII characters other than `\"` and `\\`",
            ],
        ),
        (
            public(json!({"resource_metadata": {
                "resource": "https://a", "authorization_servers": ["https://as.example.com"],
                "resource_documentation": "javascript:alert(1)", "resource_policy_uri": "/policy",
                "resource_tos_uri": "https://a/tos"
            }})),
            &[
                "resource_metadata.resource_documentation: expected an absolute `http` or `https` URL",
                "resource_metadata.resource_policy_uri: expected an absolute `http` or `https` URL",
            ],
        ),
    ]);
    let offline = json!({"resource_metadata": {
        "resource": "https://a", "authorization_servers": ["https://as.example.com"], "scopes_supported": ["offline_access"]
    }});
    assert_eq!(
        warnings(&public(offline)),
        [
            "resource_metadata.scopes_supported: `offline_access` is not a scope of a resource: the metadata omits it"
        ]
    );
}

/// S-08, B-12: what a challenge could not carry is refused with the document.
#[test]
fn values_of_challenges() {
    let require = |require: Value| {
        let mut document = rule(json!({ "require": require }));
        document["providers"] = json!([{"name": "p", "jwt": {"issuer": "https://a", "audiences": ["b"], "jwks": {"inline": {"keys": [
            {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
        ]}}}}]);
        document
    };
    hold(&[
        (
            require(json!({"acr": ["urn:example:mfa"], "max_age": "5m"})),
            &[],
        ),
        (
            require(json!({"acr": ["a\"b", "a b", "é", ""]})),
            &[
                "rules[0].require.acr[0]: expected one or more visible ASCII characters other than `\"` and `\\`",
                "rules[0].require.acr[1]: expected one or more visible ASCII characters other than `\"` and `\\`",
                "rules[0].require.acr[2]: expected one or more visible ASCII characters other than `\"` and `\\`",
                "rules[0].require.acr[3]: expected one or more visible ASCII characters other than `\"` and `\\`",
            ],
        ),
        (
            require(json!({"acr": []})),
            &["rules[0].require.acr: expected at least one class"],
        ),
        (
            require(json!({"acr": null})),
            &["rules[0].require.acr: expected a list"],
        ),
        (
            require(json!({"max_age": 300})),
            &["rules[0].require.max_age: expected a duration"],
        ),
        (
            require(json!({"scopes": ["wr\"ite"]})),
            &[
                "rules[0].require.scopes[0]: expected one or more visible ASCII characters other than `\"` and `\\`",
            ],
        ),
    ]);
    assert_eq!(
        warnings(&require(json!({"any_scopes": ["read", "offline_access"]}))),
        [
            "rules[0].require.any_scopes[1]: `offline_access` is not a scope of a resource: challenges omit it"
        ]
    );
}

#[test]
fn networks() {
    let with = |networks: Value| public(json!({ "networks": networks }));
    hold(&[
        (
            with(
                json!({"allow": ["10.0.0.0/8", "2001:db8::/32", "192.0.2.1", "::ffff:10.0.0.0/104"]}),
            ),
            &[],
        ),
        (with(json!({"deny": ["10.9.0.0/16"]})), &[]),
        (
            with(json!({})),
            &["networks: expected `allow`, `deny` or both"],
        ),
        (
            with(json!({"allow": []})),
            &["networks.allow: expected at least one network"],
        ),
        (
            with(json!({"allow": null})),
            &["networks.allow: expected a list"],
        ),
        (
            with(json!({"allow": ["10.0.0.1/8"]})),
            &[
                "networks.allow[0]: the address has bits after the prefix; did you mean `10.0.0.0/8`?",
            ],
        ),
        (
            with(json!({"deny": ["::ffff:10.0.0.0/8", "::ffff:10.0.0.1/64"]})),
            &[
                "networks.deny[0]: the prefix length counts from the first bit of the IPv6 address; did you mean `10.0.0.0/8`?",
                "networks.deny[1]: the address has bits after the prefix; did you mean `::/64`?",
            ],
        ),
        (
            with(json!({"allow": ["10.0.0/8", "a", "10.0.0.0/33"]})),
            &[
                "networks.allow[0]: expected a network such as `10.0.0.0/8` or `2001:db8::/32`",
                "networks.allow[1]: expected a network such as `10.0.0.0/8` or `2001:db8::/32`",
                "networks.allow[2]: expected a network such as `10.0.0.0/8` or `2001:db8::/32`",
            ],
        ),
        (
            rule(json!({"allow": "public", "networks": {"deny": ["x"]}})),
            &[
                "rules[0].networks.deny[0]: expected a network such as `10.0.0.0/8` or `2001:db8::/32`",
            ],
        ),
        (
            json!({"networks": {"allow": ["10.0.0.0/8"]}, "rules": [
                {"name": "denied", "match": {"networks": {"allow": ["::1"], "deny": ["::1"]}}, "allow": "public"},
                {"name": "elsewhere", "match": {"networks": {"allow": ["192.168.0.0/16"]}}, "allow": "public"},
                {"name": "both", "match": {"paths": ["/a"], "networks": {"allow": ["10.1.0.0/16"]}}, "allow": "public",
                    "networks": {"deny": ["10.0.0.0/15"]}},
                {"name": "empty", "match": {"paths": ["/b"], "networks": {}}, "allow": "public"},
                {"name": "none", "match": {"paths": ["/c"], "networks": {"allow": []}}, "allow": "public"},
                {"name": "null", "match": {"paths": ["/d"], "networks": null}, "allow": "public"},
                {"name": "typo", "match": {"paths": ["/e"], "networks": {"allowed": ["10.0.0.0/8"], "deny": ["10.0.0.1/8"]}}, "allow": "public"},
            ]}),
            &[
                "rules[0].match.networks: every allowed network is also denied",
                "rules[1].match.networks: no address is allowed by both these networks and the top-level `networks`",
                "rules[2].networks: no address is allowed by both these networks and `match.networks`",
                "rules[3].match.networks: expected `allow`, `deny` or both",
                "rules[4].match.networks.allow: expected at least one network",
                "rules[5].match.networks: expected an object, found nothing",
                "rules[6].match.networks.allowed: unknown key; did you mean `allow`?",
                "rules[6].match.networks.deny[0]: the address has bits after the prefix; did you mean `10.0.0.0/8`?",
            ],
        ),
        (
            with(json!({"allow": ["10.1.0.0/16"], "deny": ["10.0.0.0/8"]})),
            &["networks: every allowed network is also denied"],
        ),
        (
            json!({"networks": {"allow": ["10.0.0.0/8"]}, "rules": [
                {"name": "denied", "match": {"paths": ["/a"]}, "allow": "public", "networks": {"allow": ["::1"], "deny": ["::1"]}},
                {"name": "elsewhere", "match": {"paths": ["/b"]}, "allow": "public", "networks": {"allow": ["192.168.0.0/16"]}},
                {"name": "within", "match": {"paths": ["/c"]}, "allow": "public", "networks": {"allow": ["10.1.0.0/16"]}},
            ]}),
            &[
                "rules[0].networks: every allowed network is also denied",
                "rules[1].networks: no address is allowed by both these networks and the top-level `networks`",
            ],
        ),
    ]);
}

#[test]
fn scopes_that_stand_for_others() {
    let with = |scopes: Value| public(json!({ "scopes_imply": scopes }));
    hold(&[
        (
            with(json!({"admin": ["write"], "write": ["read", "admin"]})),
            &[],
        ),
        (
            with(json!({"a": ["a"]})),
            &["scopes_imply.a[0]: a scope always implies itself"],
        ),
        (
            with(json!({"a b": ["c d"]})),
            &[
                "scopes_imply.a b: expected one or more visible ASCII characters other than `\"` and `\\`",
            ],
        ),
    ]);
}

#[test]
fn claims_that_are_asked_for() {
    let with = |paths: Value, require: Value| {
        let mut document = rule(json!({ "match": {"paths": paths}, "require": require }));
        document["providers"] = json!([{"name": "p", "jwt": {"issuer": "https://a", "audiences": ["b"], "jwks": {"inline": {"keys": [
            {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
        ]}}}}]);
        document
    };
    let users = json!(["/users/{id}/**"]);
    hold(&[
        (
            with(
                users.clone(),
                json!({"claims": {"sub": "{id}", "tenant": ["red", "blue"], "level": 3, "a.b": true, "c": "{not a name}"}}),
            ),
            &[],
        ),
        (
            with(
                users.clone(),
                json!({"any_of": [{"roles": ["admin"]}, {"claims": {"sub": "{id}"}}]}),
            ),
            &[],
        ),
        (
            with(users.clone(), json!({"claims": {"sub": "{user}"}})),
            &["rules[0].require.claims.sub: not every path of this rule binds `{user}`"],
        ),
        (
            with(
                json!(["/users/{id}", "/me"]),
                json!({"claims": {"sub": "{id}"}}),
            ),
            &["rules[0].require.claims.sub: not every path"],
        ),
        (
            with(users.clone(), json!({"claims": {"sub": ["{id}"]}})),
            &["rules[0].require.claims.sub[0]: a path parameter cannot be an item of a list"],
        ),
        (
            with(
                users.clone(),
                json!({"claims": {"a": null, "b": [], "c": [null]}}),
            ),
            &[
                "rules[0].require.claims.a: `null` never matches",
                "rules[0].require.claims.b: expected at least one value",
                "rules[0].require.claims.c[0]: `null` never matches",
            ],
        ),
        (
            with(users.clone(), json!({"claims": {}})),
            &["rules[0].require.claims: expected at least one claim"],
        ),
        (
            with(users.clone(), json!({"any_of": []})),
            &["rules[0].require.any_of: expected at least one set"],
        ),
        (
            with(users.clone(), json!({"any_of": [{}, {"scopes": []}]})),
            &[
                "rules[0].require.any_of[0]: expected at least one requirement: without `require`, any valid credential is accepted",
                "rules[0].require.any_of[1].scopes: expected at least one name",
            ],
        ),
    ]);
}

#[test]
fn what_the_upstream_is_told() {
    let with = |identity: Value| public(json!({ "identity": identity }));
    hold(&[
        (
            with(
                json!({"headers": {"x-auth-subject": "{subject}", "x-auth": "{provider}: {claims.org.unit}"}, "payload_header": "x-jwt"}),
            ),
            &[],
        ),
        (
            with(json!({"headers": {"x-a": "{sub}"}})),
            &["identity.headers.x-a: unknown placeholder `sub`"],
        ),
        (
            with(json!({"headers": {"x-a": "{subject"}})),
            &[
                "identity.headers.x-a: expected the name of a placeholder between one `{` and one `}`",
            ],
        ),
        (
            with(json!({"headers": {"x-a": "é"}})),
            &[
                "identity.headers.x-a: expected printable ASCII characters only: a header cannot carry others",
            ],
        ),
        (
            with(json!({"headers": {"x a": "{subject}"}})),
            &["identity.headers.x a: not a valid header name"],
        ),
        (
            with(json!({"headers": {"Host": "{subject}"}})),
            &[
                "identity.headers.Host: this header has another meaning: it cannot carry an identity",
            ],
        ),
        (
            with(json!({"headers": {"x-envoy-a": "{subject}"}})),
            &[
                "identity.headers.x-envoy-a: this header has another meaning: it cannot carry an identity",
            ],
        ),
        (
            with(json!({"headers": {"x_forwarded_proto": "a", "X_Envoy.a": "a"}})),
            &[
                "identity.headers.X_Envoy.a: this header has another meaning: it cannot carry an identity",
                "identity.headers.x_forwarded_proto: this header has another meaning: it cannot carry an identity",
            ],
        ),
        (
            with(json!({"headers": {"x-a": "a", "x_a": "b"}})),
            &[
                "identity.headers.x_a: some upstreams cannot tell this header from another identity header",
            ],
        ),
        (
            with(json!({"headers": {"x-a": "a"}, "payload_header": "X-A"})),
            &[
                "identity.payload_header: some upstreams cannot tell this header from another identity header",
            ],
        ),
        (
            with(json!({"headers": {"x-a": "a"}, "anonymous_header": "X_A"})),
            &[
                "identity.anonymous_header: some upstreams cannot tell this header from another identity header",
            ],
        ),
        (
            with(json!({"anonymous_header": "cookie"})),
            &[
                "identity.anonymous_header: this header has another meaning: it cannot carry an identity",
            ],
        ),
        (
            json!({
                "identity": {"headers": {"x-auth-subject": "{subject}"}},
                "rules": [
                    {"name": "version", "match": {"headers": {"x-api-version": "2"}}, "allow": "public"},
                    {"name": "root", "match": {"headers": {"X_Auth_Subject": "root"}}, "allow": "public"},
                ],
            }),
            &[
                "rules[1].match.headers.x_auth_subject: this header is removed from every request, because it tells the upstream who the caller is: a rule cannot match it",
            ],
        ),
    ]);
}

#[test]
fn what_nobody_may_send() {
    let remove = |names: &[&str]| public(json!({"identity": {"remove": names}}));
    hold(&[
        (
            remove(&["x-forwarded-user", "X-Auth-Request-*", "cf-access-*"]),
            &[],
        ),
        (
            remove(&["", "*", "x-*-user", "x-a**", "x a"]),
            &[
                "identity.remove[0]: expected a header name, or a prefix of one followed by `*`",
                "identity.remove[1]: expected a header name, or a prefix of one followed by `*`",
                "identity.remove[2]: expected a header name, or a prefix of one followed by `*`",
                "identity.remove[3]: expected a header name, or a prefix of one followed by `*`",
                "identity.remove[4]: expected a header name, or a prefix of one followed by `*`",
            ],
        ),
        (
            remove(&["Host", "x-forwarded-*", "c*", "x-request-id", "x-r*"]),
            &[
                "identity.remove[0]: this removes `host`, which has another meaning",
                "identity.remove[1]: this removes `x-forwarded-proto`",
                "identity.remove[2]: this removes `cookie`",
                "identity.remove[3]: this removes `x-request-id`",
                "identity.remove[4]: this removes `x-request-id`",
            ],
        ),
        // Every spelling is taken out, so every spelling is what it stands for.
        (
            remove(&["X_Request_Id", "x_forwarded-*", "content.t*"]),
            &[
                "identity.remove[0]: this removes `x-request-id`",
                "identity.remove[1]: this removes `x-forwarded-proto`",
                "identity.remove[2]: this removes `content-type`",
            ],
        ),
        // What the filter sets may be among what nobody else may send.
        (
            public(json!({"identity": {
                "headers": {"x-auth-request-user": "{subject}"}, "remove": ["x-auth-request-*"],
            }})),
            &[],
        ),
        (
            json!({
                "identity": {"remove": ["cf-access-*"]},
                "rules": [{"name": "a", "match": {"headers": {"CF_Access_User": "root"}}, "allow": "public"}],
            }),
            &[
                "rules[0].match.headers.cf_access_user: this header is removed from every request, because it tells the upstream who the caller is: a rule cannot match it",
            ],
        ),
    ]);
}

#[test]
fn a_rule_that_looks_at_an_override() {
    let by = |name: &str, key: &str, value: &str, overrides: Value| {
        json!({
            "overrides": overrides,
            "rules": [
                {"name": "a", "match": {"headers": {name: "x"}, key: [value]}, "allow": "public"},
            ],
        })
    };
    let these = |names: &[&str]| json!({"forward": names});
    let method = "x-http-method-override";
    let path = "x-original-url";
    hold(&[
        (
            by(method, "methods", "GET", json!("strip")),
            &[
                "rules[0].match.headers.x-http-method-override: this header names another method, path or host",
            ],
        ),
        (
            by("X_Original_Url", "paths", "/x", json!("strip")),
            &[
                "rules[0].match.headers.x_original_url: this header names another method, path or host",
            ],
        ),
        (by(method, "methods", "GET", json!("forward")), &[]),
        (by(path, "paths", "/x", json!("forward")), &[]),
        // What no rule looks at is not taken out.
        (by(method, "paths", "/x", json!("strip")), &[]),
        (by(path, "methods", "GET", json!("strip")), &[]),
        (
            by("x-a", "paths", "/x", json!("keep")),
            &["overrides: expected `strip` or `forward`, found `keep`"],
        ),
        (
            by("X-Forwarded-Host", "hosts", "a.example", json!("strip")),
            &[
                "rules[0].match.headers.x-forwarded-host: this header names another method, path or host",
            ],
        ),
        (
            by("x-foo-script-name", "paths", "/x", json!("strip")),
            &[
                "rules[0].match.headers.x-foo-script-name: this header names another method, path or host",
            ],
        ),
        (by("x-forwarded-host", "paths", "/x", json!("strip")), &[]),
        (by(path, "paths", "/x", these(&["x-original-url"])), &[]),
        // Only its own spelling goes on.
        (
            by("x_original_url", "paths", "/x", these(&["x-original-url"])),
            &[
                "rules[0].match.headers.x_original_url: this header names another method, path or host",
            ],
        ),
        (
            by(
                "x-a",
                "paths",
                "/x",
                these(&["x-forwarded-host", "_method", "x_foo_root_path", "$wssn"]),
            ),
            &[],
        ),
        (
            by(
                "x-a",
                "paths",
                "/x",
                these(&[
                    "x-forwarded-hots",
                    "X-Host",
                    "x host",
                    "x-tenant",
                    "user-agent",
                ]),
            ),
            &[
                "overrides.forward[0]: unknown override `x-forwarded-hots`; did you mean `x-forwarded-host`?",
                "overrides.forward[1]: expected the name of a header in lower case, or of a query parameter",
                "overrides.forward[2]: expected the name of a header in lower case, or of a query parameter",
                "overrides.forward[3]: unknown override `x-tenant`",
                "overrides.forward[4]: unknown override `user-agent`",
            ],
        ),
        (
            by("x-a", "paths", "/x", these(&[])),
            &["overrides.forward: expected at least one name"],
        ),
        (
            by("x-a", "paths", "/x", json!({"forwards": ["x-host"]})),
            &[
                "overrides.forward: missing: expected a list",
                "overrides.forwards: unknown key; did you mean `forward`?",
            ],
        ),
        (
            by("x-a", "paths", "/x", json!(["x-host"])),
            &["overrides: expected `strip`, `forward`, or `{forward: [names]}`, found a list"],
        ),
        (
            by("x-a", "paths", "/x", Value::Null),
            &["overrides: expected `strip`, `forward`, or `{forward: [names]}`, found nothing"],
        ),
    ]);
}
