//! A `*` where it has no meaning: alone it is a fault with what to write instead, within a text it is a warning.

use serde_json::{Value, json};

use countersign::config;

use super::document::{faults, hold, hold_warnings, merged, with, with_jwt, with_rule};

fn with_match(members: Value) -> Value {
    with_rule(json!({ "match": members }))
}

fn with_require(members: Value) -> Value {
    with_rule(json!({ "match": { "paths": ["/a/{id}"] }, "require": members }))
}

/// Holds that each document has one fault, at a location and with a text.
fn hold_one(path: &str, table: &[(Value, &str)]) {
    for (document, text) in table {
        hold(&[(document.clone(), &[&format!("{path}: {text}")])]);
    }
}

/// Each of these is what people write for "any" in gateways, shells, regular expressions and globs.
const FOR_ANY: [&str; 6] = ["*", "**", ".*", ".+", "^.*$", "*/*"];

#[test]
fn a_wildcard_alone_in_a_list_is_a_fault_that_names_the_key_to_remove() {
    for key in ["methods", "hosts", "route", "policy", "paths"] {
        for text in FOR_ANY {
            let fault = format!(
                "rules[0].match.{key}[0]: `{text}` is not a wildcard here: remove `{key}` to match any"
            );
            hold(&[(with_match(json!({ key: [text] })), &[&fault])]);
        }
    }
    for key in [
        "scopes",
        "any_scopes",
        "roles",
        "any_roles",
        "groups",
        "any_groups",
        "acr",
    ] {
        for text in FOR_ANY {
            let fault = format!(
                "rules[0].require.{key}[1]: `{text}` is not a wildcard here: remove `{key}` to match any"
            );
            hold(&[(with_require(json!({ key: ["a", text] })), &[&fault])]);
        }
        let fault = format!(
            "rules[0].require.any_of[1].{key}[0]: `*` is not a wildcard here: remove `{key}` to match any"
        );
        let any_of = json!({ "any_of": [{ "roles": ["a"] }, { key: ["*"] }] });
        hold(&[(with_require(any_of), &[&fault])]);
    }
    hold(&[
        (
            with_rule(json!({ "providers": ["*"] })),
            &["rules[0].providers[0]: `*` is not a wildcard here: remove `providers` to match any"],
        ),
        (
            with_jwt(json!({ "algorithms": ["*"] })),
            &[
                "providers[0].jwt.algorithms[0]: `*` is not a wildcard here: remove `algorithms` to match any",
            ],
        ),
        (
            with(json!({ "resource_metadata": {
                "resource": "https://api.example.com", "authorization_servers": ["https://as.example.com"],
                "scopes_supported": ["*"],
            } })),
            &[
                "resource_metadata.scopes_supported[0]: `*` is not a wildcard here: remove `scopes_supported` to match any",
            ],
        ),
    ]);
}

#[test]
fn a_wildcard_alone_elsewhere_is_a_fault_that_says_what_to_write() {
    let each = "`*` is not a wildcard here: write each one";
    let claim = "`*` is not a wildcard here: write the name of each claim";
    let scope = "`*` is not a wildcard here: write each scope";
    let present = "`*` is not a wildcard here: write each value; `has(claims.<name>)` in `cel`, or a provider's \
                   `require`, tests that a claim is present";
    hold_one(
        "rules[0].require.claims.tenant",
        &[(
            with_require(json!({ "claims": { "tenant": "*" } })),
            present,
        )],
    );
    hold_one(
        "rules[0].require.claims.tenant[1]",
        &[(
            with_require(json!({ "claims": { "tenant": ["red", ".*"] } })),
            present,
        )],
    );
    hold_one(
        "identity.headers.x-all",
        &[
            (
                with(json!({ "identity": { "headers": { "x-all": "{claims.*}" } } })),
                claim,
            ),
            (
                with(json!({ "identity": { "headers": { "x-all": "{*}" } } })),
                "unknown placeholder `*`: expected `subject`, `provider`, `scopes`, `roles`, `groups` or a claim, such \
                 as `claims.email`",
            ),
        ],
    );
    hold_one(
        "rules[0].require.claims.*",
        &[(with_require(json!({ "claims": { "*": "red" } })), claim)],
    );
    hold_one(
        "providers[0].jwt.audiences[0]",
        &[(
            with_jwt(json!({ "audiences": ["*"] })),
            "`*` is not a wildcard here: write each audience; `any` accepts tokens that were issued for other services",
        )],
    );
    hold_one(
        "providers[0].jwt.issuer",
        &[(
            with_jwt(json!({ "issuer": "*" })),
            "`*` is not a wildcard here: write the issuer exactly; `{claim}` stands for a part that differs",
        )],
    );
    for (path, members, text) in [
        ("require[0]", json!({ "require": ["*"] }), claim),
        (
            "revoked.jti[0]",
            json!({ "revoked": { "jti": ["*"] } }),
            each,
        ),
        (
            "revoked.subjects[0]",
            json!({ "revoked": { "subjects": ["*"] } }),
            each,
        ),
    ] {
        hold_one(
            &format!("providers[0].jwt.{path}"),
            &[(with_jwt(members), text)],
        );
    }
    for (path, members, text) in [
        (
            "claims.subject",
            json!({ "claims": { "subject": "*" } }),
            claim,
        ),
        (
            "claims.subject[0][1]",
            json!({ "claims": { "subject": [["a", "*"]] } }),
            claim,
        ),
        (
            "claims.audience[1]",
            json!({ "claims": { "audience": ["aud", ".*"] } }),
            claim,
        ),
        (
            "claims.roles[0][1]",
            json!({ "claims": { "roles": [["resource_access", "*", "roles"]] } }),
            claim,
        ),
        (
            "claims.groups.members",
            json!({ "claims": { "groups": { "members": "*" } } }),
            claim,
        ),
        (
            "claims.scopes[1].members[0]",
            json!({ "claims": { "scopes": ["scp", { "members": ["*"] }] } }),
            claim,
        ),
        (
            "issuer",
            json!({ "issuer": "https://login.example.com/{*}", "require_claims": { "tid": "a" } }),
            claim,
        ),
        (
            "require_claims.*",
            json!({ "require_claims": { "*": "red" } }),
            claim,
        ),
        (
            "require_claims.tid",
            json!({ "require_claims": { "tid": "*" } }),
            present,
        ),
        (
            "require_claims.tid[1]",
            json!({ "require_claims": { "tid": ["red", "**"] } }),
            present,
        ),
        (
            "require_claims.tid[1][0]",
            json!({ "require_claims": { "tid": ["red", ["*"]] } }),
            present,
        ),
        (
            "require_claims.tid.org",
            json!({ "require_claims": { "tid": { "org": "*" } } }),
            present,
        ),
    ] {
        hold_one(
            &format!("providers[0].jwt.{path}"),
            &[(with_jwt(members), text)],
        );
    }
    hold_one(
        "require.claims.tenant",
        &[(
            with(json!({ "require": { "claims": { "tenant": "*" } } })),
            present,
        )],
    );
    hold_one(
        "require.roles[0]",
        &[(
            with(json!({ "require": { "roles": ["*"] } })),
            "`*` is not a wildcard here: remove `roles` to match any",
        )],
    );
    hold_one(
        "rules[0].require.any_of[0].claims.tenant[0]",
        &[(
            with_require(json!({ "any_of": [{ "claims": { "tenant": ["*"] } }] })),
            present,
        )],
    );
    for (path, imply) in [
        ("scopes_imply.*", json!({ "*": ["a"] })),
        ("scopes_imply.a[0]", json!({ "a": ["*"] })),
    ] {
        hold_one(path, &[(with(json!({ "scopes_imply": imply })), scope)]);
    }
    hold_one(
        "overrides.forward[0]",
        &[(
            with(json!({ "overrides": { "forward": ["*"] } })),
            "`*` is not a wildcard here: `overrides: forward` forwards all",
        )],
    );
}

#[test]
fn a_header_is_matched_by_its_whole_value_and_name() {
    let value = |name: &str, value: &str| with_match(json!({ "headers": { name: value } }));
    for text in ["*", "red*", "*red", "r*d", "red, *"] {
        hold_one(
            "rules[0].match.headers.x-tenant",
            &[(
                value("x-tenant", text),
                "`*` is not a wildcard here: write each value",
            )],
        );
    }
    // Each value of a list is judged, and `absent` has no value.
    for text in ["*", "red*"] {
        hold_one(
            "rules[0].match.headers.x-tenant[1]",
            &[(
                with_match(json!({ "headers": { "x-tenant": ["blue", text] } })),
                "`*` is not a wildcard here: write each value",
            )],
        );
    }
    for value in [
        json!("absent"),
        json!(["absent"]),
        json!(["absent", "red"]),
        json!(["red", "blue"]),
    ] {
        hold_warnings(&[(with_match(json!({ "headers": { "x-tenant": value } })), &[])]);
    }
    hold_warnings(&[
        (
            with_match(json!({ "headers": { "accept": ["text/html", "*/*"] } })),
            &[],
        ),
        (
            with_match(json!({ "headers": { "x-tenant": ["blue", "^red"] } })),
            &[
                "rules[0].match.headers.x-tenant[1]: this is not a pattern: the text is compared as written",
            ],
        ),
    ]);
    for (name, text) in [
        ("accept", "application/vnd.*+json"),
        ("accept-language", "en-*"),
        ("content-type", "text/*"),
    ] {
        hold_one(
            &format!("rules[0].match.headers.{name}"),
            &[(
                value(name, text),
                "`*` is not a wildcard here: write each value",
            )],
        );
    }
    // RFC 9110 §12.5 and §13.1: here a `*` is what clients send.
    for (name, text) in [
        ("accept", "*/*"),
        ("Accept", "text/html, text/*;q=0.8, */*;q=0.1"),
        ("accept-encoding", "*"),
        ("if-match", "*"),
        ("if-none-match", "*"),
    ] {
        hold_warnings(&[(value(name, text), &[])]);
    }
    for (name, fault) in [
        ("x-*", "not a valid header name"),
        ("*", "not a valid header name"),
        (":authority", "use `hosts` to match the host"),
        ("host", "use `hosts` to match the host"),
        (
            ":path",
            "not a header: use `paths` and `methods` to match the path and the method",
        ),
    ] {
        hold_one(
            &format!("rules[0].match.headers.{name}"),
            &[(value(name, "a"), fault)],
        );
    }
    hold(&[
        (
            with(json!({ "identity": { "headers": { "x-user-*": "{subject}" } } })),
            &["identity.headers.x-user-*: not a valid header name"],
        ),
        (
            with_jwt(json!({ "from": [{ "header": "x-*" }] })),
            &[
                "providers[0].jwt.from[0]: not a valid name of a header, a cookie or a query parameter",
            ],
        ),
        (
            with_jwt(json!({ "from": [{ "cookie": "*" }] })),
            &[
                "providers[0].jwt.from[0]: not a valid name of a header, a cookie or a query parameter",
            ],
        ),
        (
            with_jwt(json!({ "from": [{ "query": "*" }] })),
            &[
                "providers[0].jwt.from[0]: not a valid name of a header, a cookie or a query parameter",
            ],
        ),
        (
            with_jwt(json!({ "from": [{ "header": "authorization", "scheme": "*" }] })),
            &["providers[0].jwt.from[0]: expected a scheme such as `Bearer`"],
        ),
    ]);
}

#[test]
fn a_method_is_written_as_clients_send_it() {
    let path = "rules[0].match.methods[0]";
    let methods = |text: &str| with_match(json!({ "methods": [text] }));
    let upper = "expected a method in upper case, such as `GET`: methods are case-sensitive";
    for (text, meant) in [("get", "GET"), ("Post", "POST"), ("m-search", "M-SEARCH")] {
        hold_one(
            path,
            &[(methods(text), &format!("{upper}; did you mean `{meant}`?"))],
        );
    }
    // The grammar of a method allows these (RFC 9110 §9.1), and no client sends them.
    for text in [
        "GET|POST", "!GET", "^GET$", "GE*", "GET,POST", "GET POST", "",
    ] {
        hold_one(path, &[(methods(text), upper)]);
    }
    for text in ["ANY", "any", "ALL", "All"] {
        let fault = format!("`{text}` is not a wildcard here: remove `methods` to match any");
        hold_one(path, &[(methods(text), &fault)]);
    }
    for (text, meant) in [
        ("GTE", "GET"),
        ("PSOT", "POST"),
        ("DELET", "DELETE"),
        ("OPTION", "OPTIONS"),
    ] {
        let warning = format!("{path}: not a standard method; did you mean `{meant}`?");
        hold_warnings(&[(methods(text), &[&warning])]);
    }
    for text in [
        "GET",
        "PATCH",
        "PROPFIND",
        "PURGE",
        "LIST",
        "VERSION-CONTROL",
    ] {
        hold_warnings(&[(methods(text), &[])]);
    }
}

#[test]
fn a_host_is_a_name_or_every_name_below_a_domain() {
    let hosts = |text: &str| with_match(json!({ "hosts": [text] }));
    let path = "rules[0].match.hosts[0]";
    let other = "expected a host name without scheme, port and path, such as `api.example.com` or `*.example.com`";
    for text in [
        "a.*",
        "*x.com",
        "*.*.com",
        "api.*.com",
        "a*.example.com",
        "*.example.*",
        "*.example.com:443",
    ] {
        let fault = "`*` is only allowed as the first label, such as in `*.example.com`";
        let expected = if text.contains(':') { other } else { fault };
        hold_one(path, &[(hosts(text), expected)]);
    }
    for text in [
        "https://api.example.com",
        "api.example.com/v1",
        "api.example.com:8443",
        ".example.com",
        "(api|www).example.com",
        "api.example.com$",
        "~api.example.com",
        "{tenant}.example.com",
        "user@example.com",
        "api.example.com, www.example.com",
    ] {
        hold_one(path, &[(hosts(text), other)]);
    }
    for text in [
        "*.example.com",
        "API.example.com.",
        "localhost",
        "[::1]",
        "10.0.0.1",
        "a_b.example",
    ] {
        hold_warnings(&[(hosts(text), &[])]);
    }
}

#[test]
fn a_path_is_no_pattern_of_another_router() {
    let paths = |text: &str| with_match(json!({ "paths": [text] }));
    let path = "rules[0].match.paths[0]";
    let star = "`*` is only allowed as `/**` at the end: use `{name}` for one segment of any text";
    for text in [
        "/users/*",
        "/a/**/b",
        "/users*",
        "/users/*/orders",
        "/*.html",
        "/a**",
        "/**/",
        "/.*",
    ] {
        hold_one(path, &[(paths(text), star)]);
    }
    for text in ["/users/:id", "/:id", "/:id/**", "/users/:id:cancel"] {
        hold_one(
            path,
            &[(
                paths(text),
                "`:id` would be compared as written: a parameter is `{id}`",
            )],
        );
    }
    hold_one(
        path,
        &[
            (paths("^/users/.*$"), "expected a path that begins with `/`"),
            (paths("*/admin"), "expected a path that begins with `/`"),
            (
                paths("/users?"),
                "expected a path without `?`: the query is not matched",
            ),
        ],
    );
    let warning = format!("{path}: this is not a pattern: the text is compared as written");
    for text in [
        "/users/[0-9]+",
        "/a/(x|y)",
        "/users/<id>",
        "/users/.+",
        "/users$",
    ] {
        hold_warnings(&[(paths(text), &[&warning])]);
    }
    for text in [
        "/a/{id}/**",
        "/Orders('1')",
        "/Orders/$count",
        "/:w:/s/x",
        "/drive/root:/x",
        "/a:b",
        "/v1/orders/{id}:cancel",
        "/v1/orders:search",
    ] {
        hold_warnings(&[(paths(text), &[])]);
    }
}

#[test]
fn whitespace_at_an_end_and_an_invisible_character_are_warned_of() {
    let stray = "whitespace at an end, or an invisible character: the text is compared as written";
    for text in [
        " red",
        "red ",
        "red\t",
        "r\u{200b}ed",
        "red\u{feff}",
        "red\u{a0}",
    ] {
        for (document, path) in [
            (
                with_require(json!({"roles": [text]})),
                "rules[0].require.roles[0]",
            ),
            (
                with_require(json!({"any_groups": [text]})),
                "rules[0].require.any_groups[0]",
            ),
            (
                with_require(json!({"claims": {text: 1}})),
                &*format!("rules[0].require.claims.{text}"),
            ),
            (
                with_require(json!({"claims": {"tenant": text}})),
                "rules[0].require.claims.tenant",
            ),
            (
                with_require(json!({"claims": {"tenant": ["a", text]}})),
                "rules[0].require.claims.tenant[1]",
            ),
            (
                with_jwt(json!({"require": ["exp", text]})),
                "providers[0].jwt.require[1]",
            ),
            (
                with_jwt(json!({"require_claims": {"tid": [text]}})),
                "providers[0].jwt.require_claims.tid[0]",
            ),
            (
                with_jwt(json!({"claims": {"subject": text}})),
                "providers[0].jwt.claims.subject",
            ),
            (
                with_jwt(json!({"claims": {"roles": [["a", text]]}})),
                "providers[0].jwt.claims.roles[0][1]",
            ),
            (
                with_jwt(json!({"claims": {"groups": {"members": text}}})),
                "providers[0].jwt.claims.groups.members",
            ),
            (
                with_jwt(json!({"revoked": {"subjects": [text]}})),
                "providers[0].jwt.revoked.subjects[0]",
            ),
        ] {
            hold_warnings(&[(document, &[&format!("{path}: {stray}")])]);
        }
    }
    for text in ["site admin", "Zürich", "a\\b", "\u{645}\u{648}"] {
        hold_warnings(&[(with_require(json!({"roles": [text]})), &[])]);
    }
}

#[test]
fn a_wildcard_within_a_text_is_compared_as_written_and_warned_of() {
    let star = "`*` is not a wildcard here: the text is compared as written";
    let pattern = "this is not a pattern: the text is compared as written";
    for key in [
        "scopes",
        "any_scopes",
        "roles",
        "any_roles",
        "groups",
        "any_groups",
        "acr",
    ] {
        let path = format!("rules[0].require.{key}[0]");
        hold_warnings(&[
            (
                with_require(json!({ key: ["orders:*"] })),
                &[&format!("{path}: {star}")],
            ),
            (
                with_require(json!({ key: ["^orders"] })),
                &[&format!("{path}: {pattern}")],
            ),
            (
                with_require(json!({ key: ["orders:{id}"] })),
                &[&format!("{path}: {pattern}")],
            ),
            (with_require(json!({ key: ["orders:read"] })), &[]),
        ]);
    }
    hold_warnings(&[
        (
            with_require(json!({ "claims": { "tenant": ["red", "blue*"] } })),
            &[&format!("rules[0].require.claims.tenant[1]: {star}")],
        ),
        (
            with_match(json!({ "route": ["legacy-*"] })),
            &[&format!("rules[0].match.route[0]: {star}")],
        ),
        (
            with_match(json!({ "headers": { "x-user": "{id}" } })),
            &[&format!("rules[0].match.headers.x-user: {pattern}")],
        ),
        (
            with(
                json!({ "identity": { "headers": { "x-all": "a:{subject}/{claims.resource_access.*.roles}" } } }),
            ),
            &[&format!("identity.headers.x-all: {star}")],
        ),
        (
            with(json!({ "identity": { "headers": { "x-text": "*", "x-star": "*{claims.a}*" } } })),
            &[],
        ),
        (
            with_match(json!({ "headers": { "x-tenant": "^red" } })),
            &[&format!("rules[0].match.headers.x-tenant: {pattern}")],
        ),
        (
            with_jwt(json!({ "audiences": ["https://*.example.com"] })),
            &[&format!("providers[0].jwt.audiences[0]: {star}")],
        ),
        (
            with_jwt(json!({ "issuer": "https://*.example.com/" })),
            &[&format!("providers[0].jwt.issuer: {star}")],
        ),
        (
            with_jwt(json!({ "claims": { "roles": ["resource_access.*.roles"] } })),
            &[&format!("providers[0].jwt.claims.roles[0]: {star}")],
        ),
        (
            with_jwt(
                json!({ "claims": { "audience": ["aud*"], "subject": [["a", "b*"]], "groups": { "members": "c*" } } }),
            ),
            &[
                &format!("providers[0].jwt.claims.subject[0][1]: {star}"),
                &format!("providers[0].jwt.claims.audience[0]: {star}"),
                &format!("providers[0].jwt.claims.groups.members: {star}"),
            ],
        ),
        (
            with_jwt(
                json!({ "require": ["exp", "x-*"], "require_claims": { "tid": "red-*", "x*": ["^a", "b"] } }),
            ),
            &[
                &format!("providers[0].jwt.require[1]: {star}"),
                &format!("providers[0].jwt.require_claims.tid: {star}"),
                &format!("providers[0].jwt.require_claims.x*: {star}"),
                &format!("providers[0].jwt.require_claims.x*[0]: {pattern}"),
            ],
        ),
        (
            with(
                json!({ "require": { "scopes": ["orders:*"], "claims": { "tenant": "user-{id}" } } }),
            ),
            &[
                &format!("require.claims.tenant: {pattern}"),
                &format!("require.scopes[0]: {star}"),
            ],
        ),
        (
            with_jwt(json!({ "revoked": { "subjects": ["test-*"] } })),
            &[&format!("providers[0].jwt.revoked.subjects[0]: {star}")],
        ),
        (
            with(json!({ "scopes_imply": { "orders:*": ["orders:read"] } })),
            &[&format!("scopes_imply.orders:*: {star}")],
        ),
    ]);
}

#[test]
fn every_address_is_written_as_networks() {
    let networks = |key: &str, text: &str| {
        let other = json!({ "allow": ["192.0.2.0/24"], "deny": ["198.51.100.0/24"] });
        with(json!({ "networks": merged(other, json!({ key: [text] })) }))
    };
    let matched = |key: &str, text: &str| {
        let other = json!({ "allow": ["192.0.2.0/24"], "deny": ["192.0.2.9"] });
        with_match(json!({ "networks": merged(other, json!({ key: [text] })) }))
    };
    for key in ["allow", "deny"] {
        for text in ["*", "Any", "all", "0.0.0.0"] {
            let fault = format!(
                "rules[0].match.networks.{key}[0]: every address is `0.0.0.0/0` and `::/0`"
            );
            hold(&[(matched(key, text), &[&fault])]);
        }
        let warning = format!(
            "rules[0].match.networks.{key}[0]: this is one address: a network has a prefix length, such as `10.0.0.0/8`"
        );
        hold_warnings(&[(matched(key, "10.0.0.0"), &[&warning])]);
        for text in ["*", "any", "ALL", "0.0.0.0", "::"] {
            let fault = format!("networks.{key}[0]: every address is `0.0.0.0/0` and `::/0`");
            hold(&[(networks(key, text), &[&fault])]);
        }
        for text in ["10.0.0.*", "10.*", "10.0.0.0-10.0.0.9"] {
            let fault = format!(
                "networks.{key}[0]: expected a network such as `10.0.0.0/8` or `2001:db8::/32`"
            );
            hold(&[(networks(key, text), &[&fault])]);
        }
        let warning = format!(
            "networks.{key}[0]: this is one address: a network has a prefix length, such as `10.0.0.0/8`"
        );
        hold_warnings(&[
            (networks(key, "10.0.0.0"), &[&warning]),
            (networks(key, "10.0.0.0/32"), &[]),
            (networks(key, "10.0.0.1"), &[]),
        ]);
    }
}

/// WHATWG Fetch: `*` alone is a wildcard for requests without cookies, and a name for those with cookies.
#[test]
fn what_cors_allows_is_written_as_browsers_compare_it() {
    let cors = |members: Value| {
        let origins = json!({ "allow_origins": ["https://app.example.com"] });
        with(json!({ "cors": merged(origins, members) }))
    };
    let cookies = "for requests with cookies, browsers read `*` as a name (WHATWG Fetch): set `allow_credentials: \
                   false`, or write each name";
    hold_warnings(&[
        (
            cors(json!({ "allow_methods": ["*"], "allow_credentials": false })),
            &[],
        ),
        (
            cors(json!({ "allow_methods": ["*"] })),
            &[&format!("cors.allow_methods[0]: {cookies}")],
        ),
        (
            cors(json!({ "allow_headers": ["*", "authorization"] })),
            &[&format!("cors.allow_headers[0]: {cookies}")],
        ),
    ]);
    hold_warnings(&[(
        cors(json!({ "allow_origins": ["https://*.example.com"] })),
        &[],
    )]);
    for text in [
        "https://*",
        "*.example.com",
        "https://app.*.com",
        "https://*app.example.com",
        "**",
    ] {
        let loaded = faults(config::load_value(&cors(
            json!({ "allow_origins": [text] }),
        )));
        let [fault] = &loaded[..] else {
            panic!("{text}: {loaded:?}");
        };
        assert!(fault.starts_with("cors.allow_origins[0]: `*`"), "{fault}");
    }
    hold(&[
        (
            cors(json!({ "allow_headers": ["x-*"] })),
            &["cors.allow_headers[0]: not a valid HTTP token"],
        ),
        (
            cors(json!({ "allow_methods": ["put"] })),
            &[
                "cors.allow_methods[0]: expected a method in upper case, such as `GET`: methods are case-sensitive; did you mean `PUT`?",
            ],
        ),
    ]);
}
