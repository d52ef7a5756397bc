//! `envoy/credentials.yaml`: several kinds of credentials, side by side.

use serde_json::json;

use crate::situation::{Credential, Situation};
use crate::support::authorization;
use crate::support::example::Mint;
use crate::{bearer, signed};

/// The key of a partner, the key of a service, and a password, as `envoy/credentials.yaml` and its servers have them.
const PARTNER: (&str, &str) = ("x-api-key", authorization::PARTNER_KEY);
const SERVICE: (&str, &str) = ("x-service-key", "checkout-3Jd8sPq1");
const CI: &[u8] = b"Basic Y2k6bmlnaHRseS00NzExLVhrMnZROW1UejA=";

const EITHER: &str = r#"Bearer realm="orders" and ApiKey realm="orders""#;
const API_KEY: &str = r#"ApiKey realm="orders""#;
const BASIC: &str = r#"Basic realm="orders""#;

/// What `jwt_authn` and `rbac` do not support.
const INTROSPECTION: &str = "token introspection";
const API_KEYS: &str = "API keys";
const PASSWORDS: &str = "passwords";
const TOGETHER: &str = "API keys, and two credentials in one request";

/// Several kinds of credentials, side by side.
pub fn situations(mint: &Mint) -> Vec<Situation> {
    let jwt = signed(mint, &json!({"scope": "orders:read"}));
    let opaque = |of: &str| bearer(&format!("t-9f31-{of}"));
    let situation =
        |path, content, authorization: &[&[u8]], headers, status, challenge, reason| Situation {
            headers,
            ..Situation::get(path, content, Credential::authorization(authorization))
                .expect(status, challenge, reason)
        };
    vec![
        situation(
            "/orders/17",
            "no credential",
            &[],
            &[],
            401,
            EITHER,
            "a token or an API key is required",
        ),
        situation(
            "/orders/17",
            "a JWT",
            &[&jwt],
            &[],
            200,
            "",
            "its issuer is a provider",
        ),
        situation(
            "/orders/17",
            "an opaque token",
            &[&opaque("alice")],
            &[],
            200,
            "",
            "the authorization server says that it is active",
        )
        .beyond_tokens(INTROSPECTION),
        situation(
            "/orders/17",
            "a revoked token",
            &[&opaque("revoked")],
            &[],
            401,
            r#"Bearer realm="orders", error="invalid_token" and ApiKey realm="orders""#,
            "the authorization server says that it is not",
        )
        .beyond_tokens(INTROSPECTION),
        situation(
            "/orders/17",
            "an API key",
            &[],
            &[PARTNER],
            200,
            "",
            "the fetched list has the key",
        )
        .beyond_tokens(API_KEYS),
        situation(
            "/orders/17",
            "an unknown API key",
            &[],
            &[("x-api-key", "acme-unknown-key")],
            401,
            EITHER,
            "the fetched list does not have the key",
        )
        .beyond_tokens(API_KEYS),
        situation(
            "/builds/7",
            "no credential",
            &[],
            &[],
            401,
            BASIC,
            "the rule requires a password",
        )
        .beyond_tokens(PASSWORDS),
        situation(
            "/builds/7",
            "a user and password",
            &[CI],
            &[],
            200,
            "",
            "the password matches the hash",
        )
        .beyond_tokens(PASSWORDS),
        situation(
            "/payments/3",
            "a JWT",
            &[&jwt],
            &[],
            401,
            API_KEY,
            "the key of a service is missing",
        )
        .beyond_tokens(TOGETHER),
        situation(
            "/payments/3",
            "a JWT and a key",
            &[&jwt],
            &[SERVICE],
            200,
            "",
            "a user and a service together",
        )
        .beyond_tokens(TOGETHER),
    ]
}
