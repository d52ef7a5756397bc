//! What the filter writes as filter state.

use countersign::authenticate::jose::signature::{Algorithm, Pure};
use countersign::config;
use countersign::evaluate::{Circumstances, Outcome, evaluate};
use countersign::mint::SigningKey;
use countersign::request::RequestView;
use countersign::telemetry::filter_state;
use countersign::time::Timestamp;
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// The filter state of a denied request of a known caller, which has every part: its names and values.
fn written(key: &SigningKey, names: Option<Value>) -> Vec<(String, String)> {
    let mut document = json!({
        "providers": [{"name": "corp", "jwt": {
            "issuer": "https://login.example.com", "audiences": ["orders"],
            "jwks": {"inline": {"keys": [key.public_jwk()]}},
        }}],
        "rules": [{"name": "write", "require": {"scopes": ["orders:write"]}}],
    });
    if let Some(names) = names {
        document["filter_state"] = names;
    }
    let plan = config::load_value(&document).unwrap().plan;
    let exp = NOW.millis() / 1000 + 600;
    let claims =
        json!({"iss": "https://login.example.com", "aud": "orders", "sub": "amy", "exp": exp});
    let header = json!({"alg": "ES256"});
    let token = key.sign(Algorithm::Es256, &header, claims.to_string().as_bytes());
    let authorization = format!("Bearer {}", token.unwrap());
    let request = RequestView::new(vec![
        (b":method", b"GET"),
        (b":path", b"/"),
        (b":authority", b"api.example.com"),
        (b"authorization", authorization.as_bytes()),
    ]);
    let circumstances = Circumstances::new(&Pure, NOW);
    let outcome = evaluate(&plan, &request, &plan.empty_store(), circumstances, &mut ());
    let Outcome::Decided(decision, _) = outcome else {
        panic!("the keys are in the configuration");
    };
    let state = filter_state(&decision, &plan.filter_state);
    state
        .map(|(name, value)| (name.to_owned(), value.into_owned()))
        .collect()
}

#[test]
fn only_what_is_listed_is_written() {
    let key = SigningKey::generate(Algorithm::Es256);
    let reason = ("countersign.reason", "insufficient_scope");
    let rule = ("countersign.rule", "write");
    let provider = ("countersign.provider", "corp");
    let subject = ("countersign.subject", "amy");
    for (names, expected) in [
        (None, &[reason, rule, provider, subject][..]),
        (
            Some(json!(["subject", "provider", "rule", "reason"])),
            &[reason, rule, provider, subject],
        ),
        (Some(json!(["reason", "subject"])), &[reason, subject]),
        (Some(json!(["rule"])), &[rule]),
        (Some(json!(["provider"])), &[provider]),
        (Some(json!([])), &[]),
    ] {
        let expected: Vec<_> = expected
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        assert_eq!(written(&key, names.clone()), expected, "{names:?}");
    }
}
