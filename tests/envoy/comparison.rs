//! The table in the README that compares Countersign with Envoy's `jwt_authn` and `rbac`, row by row, and what it says about
//! `ext_authz`: all of them in one Envoy.

use std::fs;
use std::net::{SocketAddr, TcpListener};

use serde_json::{Value, json};

use crate::support::client::{self, Response};
use crate::support::envoy::{Bootstrap, Envoy};
use crate::support::example::{self, Mint};
use crate::support::in_repository;
use crate::support::upstream::Upstream;

/// The name of a listener without its kind of filter: its issuer's keys are in the configuration, or cannot be fetched.
const KEYS: [&str; 2] = ["inline", "unreachable"];

/// A row of the table: what is sent, and to which listener.
struct Row {
    title: &'static str,
    keys: &'static str,
    claims: Option<Value>,
    method: &'static str,
    headers: &'static [(&'static str, &'static str)],
}

fn rows(mint: &Mint) -> Vec<Row> {
    let row = |title, claims| Row {
        title,
        keys: KEYS[0],
        claims,
        method: "GET",
        headers: &[],
    };
    let good = json!({"scope": "orders:read"});
    vec![
        row("no token", None),
        row(
            "expired token",
            Some(json!({"exp": mint.now - 3600, "iat": mint.now - 7200})),
        ),
        row(
            "token for another audience",
            Some(json!({"aud": "billing"})),
        ),
        row("scope is missing", Some(json!({"scope": "profile"}))),
        Row {
            keys: KEYS[1],
            ..row("the issuer is down", Some(good.clone()))
        },
        Row {
            method: "OPTIONS",
            headers: &[
                ("origin", "https://app.example.com"),
                ("access-control-request-method", "GET"),
            ],
            ..row("CORS preflight", None)
        },
        row("everything is right", Some(good)),
    ]
}

#[test]
fn the_table_in_the_readme_is_what_comes_back() {
    let (upstream, mint) = (Upstream::start(), Mint::new());
    let (closed, jwks) = (closed_port(), jwks());
    let mut bootstrap = Bootstrap::new(upstream.port()).cluster("issuer", &[closed]);
    for keys in KEYS {
        let is_inline = keys == KEYS[0];
        bootstrap = bootstrap
            .listener(
                &format!("countersign-{keys}"),
                &countersign(is_inline, &jwks),
            )
            .listener_with(
                &format!("envoy-{keys}"),
                &[jwt_authn(is_inline, &jwks), rbac()],
            );
    }
    let envoy = Envoy::start(bootstrap.listener_with("ext_authz", &[ext_authz()]));
    let mut table = "| request | `jwt_authn` + `rbac` | Countersign |\n|---|---|---|\n".to_owned();
    for row in rows(&mint) {
        let cell = |filter: &str| {
            shown(&row.send(envoy.listener(&format!("{filter}-{}", row.keys)), &mint))
        };
        let cells = [cell("envoy"), cell("countersign")];
        table += &format!("| {} | {} | {} |\n", row.title, cells[0], cells[1]);
    }
    let readme = fs::read_to_string(in_repository("README.md")).unwrap();
    assert!(readme.contains(&table), "expected in README.md:\n{table}");

    let of_ext_authz = rows(&mint)[0].send(envoy.listener("ext_authz"), &mint);
    assert_eq!(shown(&of_ext_authz), "403");
    assert!(readme.contains("If it is down, Envoy answers 403."));
}

impl Row {
    fn send(&self, server: SocketAddr, mint: &Mint) -> Response {
        let token = self.claims.as_ref().map(|claims| mint.token(claims));
        let authorization = token.map(|token| format!("Bearer {token}"));
        let token = authorization
            .iter()
            .map(|value| ("authorization", value.as_str()));
        let fields = token.chain(self.headers.iter().copied());
        let request = client::Request::of(self.method, "/orders/17", "api.example.com", fields);
        client::send(server, &request).unwrap()
    }
}

/// A cell: the status, the challenge and what the body says, or that the request arrived.
fn shown(response: &Response) -> String {
    let first = |name: &str| {
        let value = response.values(name).next();
        value.map(|value| String::from_utf8_lossy(value).into_owned())
    };
    if first("x-upstream").is_some() {
        return "passes".to_owned();
    }
    let mut parts = vec![response.status.to_string()];
    parts.extend(first("www-authenticate").map(|challenge| format!("`{}`", shortened(&challenge))));
    parts.extend(first("retry-after").map(|seconds| format!("`retry-after: {seconds}`")));
    let body: Result<Value, _> = serde_json::from_slice(&response.body);
    let said = match body {
        Ok(body) => body["error"]
            .as_str()
            .map(|error| format!("JSON `{error}`")),
        Err(_) if response.body.is_empty() => None,
        Err(_) => Some(format!(
            "text `{}`",
            String::from_utf8_lossy(&response.body).trim()
        )),
    };
    parts.extend(said);
    parts.join(", ")
}

/// A challenge up to its description, which is in words.
fn shortened(challenge: &str) -> String {
    match challenge.split_once(" error_description=") {
        Some((start, _)) => format!("{start} …"),
        None => challenge.to_owned(),
    }
}

fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn jwks() -> Value {
    example::providers()[0]["jwt"]["jwks"]["inline"].clone()
}

fn countersign(is_inline: bool, jwks: &Value) -> Value {
    let jwks = match is_inline {
        true => json!({"inline": jwks}),
        false => {
            json!({"remote": {"uri": "https://login.example.com/jwks", "cluster": "issuer", "timeout": "1s"}})
        }
    };
    let jwt = json!({"issuer": "https://login.example.com", "audiences": ["orders"], "jwks": jwks});
    json!({
        "realm": "orders",
        "providers": [{"name": "corp", "jwt": jwt}],
        "rules": [{"name": "orders", "match": {"paths": ["/orders/**"]}, "require": {"scopes": ["orders:read"]}}],
        "cors": {"allow_origins": ["https://app.example.com"]}
    })
}

fn jwt_authn(is_inline: bool, jwks: &Value) -> Value {
    let mut provider = json!({
        "issuer": "https://login.example.com",
        "audiences": ["orders"],
        "payload_in_metadata": "payload"
    });
    if is_inline {
        provider["local_jwks"] = json!({"inline_string": jwks.to_string()});
    } else {
        let uri =
            json!({"uri": "https://login.example.com/jwks", "cluster": "issuer", "timeout": "1s"});
        provider["remote_jwks"] = json!({"http_uri": uri});
    }
    json!({
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": {"corp": provider},
            "rules": [{"match": {"prefix": "/orders"}, "requires": {"provider_name": "corp"}}]
        }
    })
}

fn rbac() -> Value {
    let scope = json!({
        "filter": "envoy.filters.http.jwt_authn",
        "path": [{"key": "payload"}, {"key": "scope"}],
        "value": {"string_match": {"exact": "orders:read"}}
    });
    json!({
        "name": "envoy.filters.http.rbac",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "rules": {
                "action": "ALLOW",
                "policies": {"orders": {"permissions": [{"any": true}], "principals": [{"metadata": scope}]}}
            }
        }
    })
}

/// `ext_authz` as most use it, with a service that is down.
fn ext_authz() -> Value {
    let uri = json!({"uri": "http://authz.example.com", "cluster": "issuer", "timeout": "1s"});
    json!({
        "name": "envoy.filters.http.ext_authz",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
            "http_service": {"server_uri": uri}
        }
    })
}
