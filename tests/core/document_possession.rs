//! Every fault and warning of providers of Digest, and of tokens that are bound to a key.

use serde_json::{Value, json};

use crate::document::{hold, hold_warnings, jwt, merged, with, with_jwt};

const HA1: &str = "acbc9ff12e80aa2a56e03ca58d755c75133ce6ca63286fd17dbed307ac75f1e9";
const MD5: &str = "f82021ab4b89728ed8290e2a8e694ef6";

fn user(members: Value) -> Value {
    merged(json!({ "name": "lab", "ha1": { "SHA-256": HA1 } }), members)
}

/// A document with a provider of Digest that has some members more, or others.
fn with_digest(members: Value) -> Value {
    let digest = merged(json!({ "users": [user(json!({}))] }), members);
    json!({ "providers": [{ "name": "scanners", "digest": digest }] })
}

fn with_user(members: Value) -> Value {
    with_digest(json!({ "users": [user(members)] }))
}

/// A document with an origin whose provider has some members of `jwt` more.
fn with_sender(members: Value) -> Value {
    let provider = json!({ "name": "corp", "jwt": merged(jwt(), members) });
    json!({ "origin": "https://api.example.com", "providers": [provider] })
}

#[test]
fn providers_of_digest() {
    hold(&[
        (with_digest(json!({})), &[]),
        (
            with_digest(
                json!({ "algorithms": ["SHA-256"], "nonce_ttl": "1h", "secret": "correct-horse-battery" }),
            ),
            &[],
        ),
        (
            with_digest(json!({ "algorithms": [] })),
            &["providers[0].digest.algorithms: expected at least one algorithm"],
        ),
        (
            with_digest(json!({ "algorithms": ["SHA-256", "SHA-1"] })),
            &[
                "providers[0].digest.algorithms[1]: unknown algorithm `SHA-1`: expected `SHA-256` or `MD5`",
            ],
        ),
        (
            with_digest(json!({ "algorithms": ["SHA-512-256"] })),
            &[
                "providers[0].digest.algorithms[0]: `SHA-512-256` is not supported: clients that support it also support `SHA-256`",
            ],
        ),
        (
            with_digest(json!({ "algorithms": ["MD5-sess"] })),
            &[
                "providers[0].digest.algorithms[0]: `MD5-sess` is not supported: clients that support it also support `SHA-256`",
            ],
        ),
        (
            with_digest(json!({ "nonce_ttl": "500ms" })),
            &["providers[0].digest.nonce_ttl: expected a `nonce_ttl` from `1s` to `1h`"],
        ),
        (
            with_digest(json!({ "nonce_ttl": "2h" })),
            &["providers[0].digest.nonce_ttl: expected a `nonce_ttl` from `1s` to `1h`"],
        ),
        (
            with_digest(json!({ "secret": "fifteen-letters" })),
            &["providers[0].digest.secret: expected at least 16 bytes: a nonce could be forged"],
        ),
        (
            with_digest(json!({ "users": [] })),
            &["providers[0].digest.users: expected at least one user"],
        ),
        (
            with_digest(json!({ "users": [user(json!({})), user(json!({}))] })),
            &["providers[0].digest.users[1].name: duplicate of entry 0"],
        ),
        (
            with_digest(json!({ "userhash": true })),
            &["providers[0].digest.userhash: unknown key"],
        ),
    ]);
}

#[test]
fn users_of_digest() {
    let digits = |count: u32, algorithm: &str| {
        format!(
            "providers[0].digest.users[0].ha1.{algorithm}: expected the {count} hexadecimal digits that `countersign hash digest` prints"
        )
    };
    let sha256 = digits(64, "SHA-256");
    let md5 = digits(32, "MD5");
    hold(&[
        (
            with_user(json!({ "ha1": { "SHA-256": HA1, "MD5": MD5 } })),
            &[],
        ),
        (
            with_user(json!({ "ha1": { "sha-256": HA1.to_uppercase() } })),
            &[],
        ),
        (
            with_user(json!({ "ha1": { "SHA-256": HA1, "sha-256": HA1 } })),
            &["providers[0].digest.users[0].ha1.sha-256: duplicate entry"],
        ),
        (with_user(json!({ "ha1": { "SHA-256": MD5 } })), &[&sha256]),
        (
            with_user(json!({ "ha1": { "SHA-256": &HA1[1..] } })),
            &[&sha256],
        ),
        (
            with_user(json!({ "ha1": { "SHA-256": "open-sesame-7" } })),
            &[&sha256],
        ),
        (with_user(json!({ "ha1": { "SHA-256": 5 } })), &[&sha256]),
        (
            with_user(json!({ "ha1": { "SHA-256": HA1, "MD5": HA1 } })),
            &[&md5],
        ),
        (
            with_user(json!({ "ha1": { "MD5": MD5 } })),
            &[
                "providers[0].digest.users[0].ha1: expected a hash for one of the provider's `algorithms`",
            ],
        ),
        (
            with_user(json!({ "ha1": {} })),
            &[
                "providers[0].digest.users[0].ha1: expected an object such as `{SHA-256: \"…\"}`, found another value",
            ],
        ),
        (
            with_user(json!({ "ha1": null })),
            &[
                "providers[0].digest.users[0].ha1: missing: expected an object such as `{SHA-256: \"…\"}`",
            ],
        ),
        (
            with_user(json!({ "name": "lab " })),
            &[
                "providers[0].digest.users[0].name: expected a user name, without invisible characters and without whitespace at an end",
            ],
        ),
    ]);
}

/// A value that could be a password is never shown.
#[test]
fn a_message_about_a_hash_does_not_show_it() {
    for ha1 in [
        json!("open-sesame-7"),
        json!({ "SHA-256": "open-sesame-7" }),
        json!({ "open-sesame-7": HA1 }),
    ] {
        let faults = crate::document::faults(countersign::config::load_value(&with_user(
            json!({ "ha1": ha1 }),
        )));
        assert_eq!(faults.len(), 1);
        assert!(!faults[0].contains(HA1), "{faults:?}");
        assert!(
            ha1.is_object() || !faults[0].contains("open-sesame-7"),
            "{faults:?}"
        );
    }
}

/// DG-27
#[test]
fn warnings_of_digest() {
    let basic = json!({ "name": "ops", "basic": { "users": [{ "name": "root", "password": "$2y$10$abcdefghijklmnopqrstuuiCmcPbSXXyQ6vs0PQwhWZBGbOOZ1kKm" }] } });
    let digest = with_digest(json!({}))["providers"][0].clone();
    let both = "providers[1].digest: `digest` and `basic` together are as weak as `basic`: a client on the network path can remove the stronger challenge";
    hold_warnings(&[
        (with_digest(json!({})), &[]),
        (
            with_digest(json!({ "secret": "correct-horse-battery" })),
            &[
                "providers[0].digest.secret: a secret in place is visible in Envoy's `/config_dump`: use `{env: NAME}`",
            ],
        ),
        (json!({ "providers": [basic, digest] }), &[both]),
        (
            with_digest(json!({ "algorithms": ["SHA-256", "MD5"] })),
            &[
                "providers[0].digest.algorithms: MD5 is broken: use `SHA-256`, unless a client supports only MD5",
                "providers[0].digest.users[0].ha1: this user cannot authenticate with MD5: add its hash",
            ],
        ),
    ]);
}

/// H-07
#[test]
fn tokens_that_are_bound_to_a_key() {
    let no_origin = "DPoP needs `origin` at the top level: a proof names the URL of the request, and the filter never takes it from Host";
    let proxy = |document: Value| merged(document, json!({ "protect_as": "proxy" }));
    let not_for_proxies =
        "DPoP is not for proxies: remove it, or `protect_as: proxy` (RFC 9449 §7.1)";
    let window = "providers[0].jwt.dpop.window: expected a `window` from `1s` to `10m`";
    let algorithm = "providers[0].jwt.dpop.algorithms[0]: expected an algorithm of public keys: ES256, ES384, ES512, EdDSA, Ed25519, PS256, PS384, PS512, RS256, RS384 or RS512";
    let from = "providers[0].jwt.from: with `sender: dpop`, tokens are only after `DPoP` in `authorization`: remove `from`, or use `sender: bound`";
    let location = json!([{ "header": "authorization", "scheme": "Token" }]);
    hold(&[
        (with_sender(json!({ "sender": "dpop" })), &[]),
        (with_sender(json!({ "sender": "none", "dpop": {} })), &[]),
        (
            with_sender(json!({ "sender": "bound", "from": location })),
            &[],
        ),
        (with(json!({})), &[]),
        (with_jwt(json!({ "sender": "mtls" })), &[]),
        (
            with_sender(
                json!({ "dpop": { "algorithms": ["RS512", "EdDSA"], "window": "10m", "nonce": "required" } }),
            ),
            &[],
        ),
        (
            with_jwt(json!({ "sender": "dpop" })),
            &[&format!("providers[0].jwt.sender: {no_origin}")],
        ),
        (
            with_jwt(json!({ "dpop": {} })),
            &[&format!("providers[0].jwt.dpop: {no_origin}")],
        ),
        (
            proxy(with_sender(json!({ "sender": "bound" }))),
            &[&format!("providers[0].jwt.sender: {not_for_proxies}")],
        ),
        (
            proxy(with_sender(json!({ "dpop": {} }))),
            &[&format!("providers[0].jwt.dpop: {not_for_proxies}")],
        ),
        (
            with_sender(json!({ "dpop": { "window": "999ms" } })),
            &[window],
        ),
        (
            with_sender(json!({ "dpop": { "window": "11m" } })),
            &[window],
        ),
        (
            with_sender(json!({ "dpop": { "algorithms": ["HS256"] } })),
            &[algorithm],
        ),
        (
            with_sender(json!({ "dpop": { "algorithms": ["none"] } })),
            &[algorithm],
        ),
        (
            with_sender(json!({ "dpop": { "algorithms": [] } })),
            &["providers[0].jwt.dpop.algorithms: expected at least one algorithm"],
        ),
        (
            with_sender(json!({ "sender": "dpop", "from": location })),
            &[from],
        ),
        (
            with_sender(json!({ "sender": "both" })),
            &["providers[0].jwt.sender: expected `none`, `dpop`, `mtls` or `bound`, found `both`"],
        ),
        (
            with_sender(json!({ "dpop": { "nonce": "off" } })),
            &["providers[0].jwt.dpop.nonce: expected `never` or `required`, found `off`"],
        ),
        (
            with_sender(json!({ "dpop": { "replay": "on" } })),
            &["providers[0].jwt.dpop.replay: unknown key"],
        ),
    ]);
}
