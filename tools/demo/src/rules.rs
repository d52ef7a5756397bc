//! `envoy/envoy.yaml`: what rules decide about tokens.

use serde_json::json;

use crate::situation::{Credential, Situation};
use crate::support::example::{DAY, Mint};
use crate::{bearer, signed};

const PLAIN: &str = r#"Bearer realm="orders""#;
const INVALID_TOKEN: &str = r#"Bearer realm="orders", error="invalid_token""#;
const STEP_UP: &str = r#"Bearer realm="orders", error="insufficient_user_authentication""#;
const INVALID_REQUEST: &str = r#"Bearer realm="orders", error="invalid_request""#;

/// What rules decide about tokens.
pub fn situations(mint: &Mint) -> Vec<Situation> {
    let read = json!({"scope": "orders:read"});
    let good = signed(mint, &read);
    let expired = signed(
        mint,
        &json!({"scope": "orders:read", "iat": mint.now - DAY, "exp": mint.now - 3600}),
    );
    let elsewhere = signed(mint, &json!({"scope": "orders:read", "aud": "invoices"}));
    let operator = signed(mint, &json!({"roles": ["operator"]}));
    let mut forged = good.clone();
    // The last character of an ES256 signature has unused bits. The character before it has none.
    if let Some(byte) = forged.iter_mut().rev().nth(1) {
        *byte = if *byte == b'A' { b'B' } else { b'A' };
    }
    let situation =
        |method, path, content, authorization: &[&[u8]], status, challenge, reason| Situation {
            method,
            ..Situation::get(path, content, Credential::authorization(authorization))
                .expect(status, challenge, reason)
        };
    let with = |situation: Situation, headers, response_header| Situation {
        headers,
        response_header: Some(response_header),
        ..situation
    };
    vec![
        situation(
            "GET",
            "/healthz",
            "no credential",
            &[],
            200,
            "",
            "the path is public",
        ),
        situation(
            "GET",
            "/orders/17",
            "no credential",
            &[],
            401,
            PLAIN,
            "the rule requires a credential",
        ),
        situation(
            "HEAD",
            "/orders/17",
            "no credential",
            &[],
            401,
            PLAIN,
            "as for GET, without a body",
        ),
        situation(
            "GET",
            "/orders/17",
            "a valid token",
            &[&good],
            200,
            "",
            "alice has the scope orders:read",
        ),
        situation(
            "GET",
            "/orders/17",
            "an expired token",
            &[&expired],
            401,
            INVALID_TOKEN,
            "the token expired an hour ago",
        ),
        situation(
            "GET",
            "/orders/17",
            "a token for invoices",
            &[&elsewhere],
            401,
            INVALID_TOKEN,
            "the audience is another service",
        ),
        situation(
            "GET",
            "/orders/17",
            "a forged token",
            &[&forged],
            401,
            INVALID_TOKEN,
            "the signature was changed",
        ),
        situation(
            "POST",
            "/orders",
            "a valid token",
            &[&good],
            403,
            "",
            "the scope orders:write is missing",
        ),
        situation(
            "GET",
            "/admin/users",
            "a valid token",
            &[&good],
            403,
            "",
            "the role admin or operator is missing",
        ),
        situation(
            "GET",
            "/admin/users",
            "an operator's token",
            &[&operator],
            200,
            "",
            "the role operator is present",
        ),
        situation(
            "GET",
            "/catalogue/shoes",
            "no credential",
            &[],
            200,
            "",
            "the rule does not require a credential",
        ),
        situation(
            "GET",
            "/catalogue/shoes",
            "an expired token",
            &[&expired],
            401,
            INVALID_TOKEN,
            "an invalid credential is denied, even if optional",
        ),
        situation(
            "GET",
            "/nowhere",
            "a valid token",
            &[&good],
            403,
            "",
            "no rule matches, and the default is deny",
        ),
        situation(
            "TRACE",
            "/orders/17",
            "a valid token",
            &[&good],
            405,
            "",
            "the response to TRACE would contain the token",
        ),
        situation(
            "GET",
            "/catalogue/../admin",
            "a valid token",
            &[&good],
            400,
            "",
            "servers interpret the path differently",
        ),
        situation(
            "GET",
            "/catalogue%2F..%2Fadmin",
            "a valid token",
            &[&good],
            400,
            "",
            "some servers decode %2F to a separator",
        ),
        situation(
            "GET",
            "/orders/17",
            "`Bearer` without a token",
            &[b"Bearer"],
            400,
            INVALID_REQUEST,
            "the token is missing",
        ),
        situation(
            "GET",
            "/orders/17",
            "two tokens",
            &[&good, &good],
            400,
            INVALID_REQUEST,
            "only one credential is allowed",
        ),
        situation(
            "GET",
            "/orders/17",
            "a token of 50 kB",
            &[&bearer(&"a".repeat(50_000))],
            401,
            INVALID_TOKEN,
            "the token is too long",
        ),
        situation(
            "GET",
            "/orders/17",
            "bytes that are not UTF-8",
            &[b"Bearer \xff\xfe"],
            400,
            INVALID_REQUEST,
            "a token is ASCII",
        ),
        situation(
            "GET",
            "/orders/17",
            "Basic",
            &[b"Basic YWxpY2U6c2VjcmV0"],
            401,
            PLAIN,
            "no provider uses the scheme Basic",
        ),
        situation(
            "GET",
            "/invoices/9",
            "a valid token",
            &[&good],
            404,
            "",
            "invoices are hidden from this caller",
        ),
        situation(
            "POST",
            "/payments",
            "a valid token",
            &[&good],
            401,
            STEP_UP,
            "payments require a recent second factor",
        ),
        with(
            situation(
                "GET",
                "/settings",
                "no credential",
                &[],
                403,
                "",
                "the rule has a fixed response",
            ),
            &[],
            ("x-why", "maintenance"),
        ),
        with(
            situation(
                "GET",
                "/orders/17",
                "the headers of a browser",
                &[],
                401,
                PLAIN,
                "a browser receives a page",
            ),
            &[("accept", "text/html,application/xhtml+xml,*/*;q=0.8")],
            ("content-type", "text/html"),
        ),
        with(
            situation(
                "GET",
                "/orders/17",
                "Accept: application/problem+json",
                &[],
                401,
                PLAIN,
                "the client accepts problem details",
            ),
            &[("accept", "application/problem+json")],
            ("content-type", "application/problem+json"),
        ),
        with(
            situation(
                "GET",
                "/orders/17",
                "an Origin header",
                &[],
                401,
                PLAIN,
                "CORS lets the page read the challenge",
            ),
            &[("origin", "https://app.example.com")],
            ("access-control-expose-headers", "WWW-Authenticate"),
        ),
        with(
            situation(
                "POST",
                "/orders",
                "a gRPC request",
                &[],
                200,
                PLAIN,
                "the gRPC status is 16, UNAUTHENTICATED",
            ),
            &[("content-type", "application/grpc")],
            ("grpc-status", "16"),
        ),
    ]
}
