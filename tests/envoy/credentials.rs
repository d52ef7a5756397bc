//! `envoy/credentials.yaml`, which users copy, and `envoy/istio/gateway/credentials.yaml`: several kinds of credentials in one Envoy,
//! and the statistics of all of them.

use std::process::Stdio;

use base64ct::{Base64, Encoding as _};
use serde_json::json;

use crate::support;
use crate::support::authorization::{self, PARTNER_KEY};
use crate::support::client::{self, Request};
use crate::support::envoy::Envoy;
use crate::support::example::{self, Mint};
use crate::support::upstream::Upstream;

/// The key of the service `checkout` in the example.
const SERVICE_KEY: &str = "checkout-3Jd8sPq1";

#[test]
fn every_kind_of_credential_is_accepted_and_counted() {
    let (upstream, login, mint) = (Upstream::start(), authorization::start(), Mint::new());
    let bootstrap = example::credentials(upstream.port(), login.port());
    let envoy = Envoy::start_with(&bootstrap, Stdio::null());
    let entries = "wasmcustom.countersign.lists.entries.partners";
    support::until("the list is fetched", || envoy.stat(entries) == 1);

    let bearer = |token: &str| ("authorization", format!("Bearer {token}"));
    let basic = |login: &str| {
        let encoded = Base64::encode_string(login.as_bytes());
        ("authorization", format!("Basic {encoded}"))
    };
    let key = |key: &str| ("x-api-key", key.to_owned());
    let service = || ("x-service-key", SERVICE_KEY.to_owned());
    let jwt = || bearer(&mint.token(&json!({"scope": "orders:read"})));
    let either = vec![
        r#"Bearer realm="orders""#,
        r#"ApiKey realm="orders", in="header", name="x-api-key""#,
    ];
    let service_alone = vec![r#"ApiKey realm="orders", in="header", name="x-service-key""#];
    for (path, credentials, status, challenges) in [
        ("/orders/7", vec![], 401, either.clone()),
        ("/orders/7", vec![jwt()], 200, vec![]),
        ("/orders/7", vec![bearer("t-9f31-alice")], 200, vec![]),
        ("/orders/7", vec![bearer("t-9f31-bob")], 403, vec![]),
        ("/orders/7", vec![key(PARTNER_KEY)], 200, vec![]),
        ("/orders/7", vec![key("acme-unknown-key")], 401, either),
        ("/payments/7", vec![jwt()], 401, service_alone),
        ("/payments/7", vec![jwt(), service()], 200, vec![]),
        (
            "/builds/7",
            vec![basic("ci:nightly-4711-Xk2vQ9mTz0")],
            200,
            vec![],
        ),
        ("/builds/7", vec![jwt()], 403, vec![]),
    ] {
        let fields = credentials
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        let request = Request::of("GET", path, "orders.example.com", fields);
        let response = client::send(envoy.listener("credentials"), &request).unwrap();
        assert_eq!(
            response.status,
            status,
            "{path} {credentials:?}{}",
            envoy.log()
        );
        let found: Vec<_> = response.values("www-authenticate").collect();
        let challenges: Vec<_> = challenges.iter().map(|text| text.as_bytes()).collect();
        assert_eq!(found, challenges, "{path} {credentials:?}");
    }

    let series = envoy.series();
    for (name, value) in [
        (
            r#"countersign_denied{countersign_status="401",countersign_error="invalid_credentials",countersign_reason="key_unknown",countersign_rule="orders",countersign_provider="-"}"#,
            1,
        ),
        (
            r#"countersign_denied{countersign_status="403",countersign_error="insufficient_scope",countersign_reason="insufficient_scope",countersign_rule="orders",countersign_provider="opaque"}"#,
            1,
        ),
        (
            r#"countersign_lists_entries{countersign_provider="partners"}"#,
            1,
        ),
        (
            r#"countersign_lists{countersign_result="fetched",countersign_provider="partners"}"#,
            1,
        ),
        (
            r#"countersign_introspection{countersign_result="ok",countersign_provider="opaque"}"#,
            2,
        ),
    ] {
        assert_eq!(series.get(name), Some(&value), "{name}: {series:#?}");
    }
    let age = r#"countersign_lists_age{countersign_provider="partners"}"#;
    assert!(series.contains_key(age), "{series:#?}");
    assert_eq!(envoy.alarms(), Vec::<String>::new());
}
