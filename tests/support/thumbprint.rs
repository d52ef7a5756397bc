//! Thumbprints of keys (RFC 7638), and the place of one in a token: `{thumbprint: ec}` is that of the key `ec`.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::token::Keys;

/// The SHA-256 thumbprint of a JWK, in base64url (RFC 7638 §3).
///
/// # Panics
/// It is no key of type EC, RSA or OKP.
pub fn of(jwk: &Value) -> String {
    let names: &[&str] = match jwk["kty"].as_str() {
        Some("EC") => &["crv", "kty", "x", "y"],
        Some("OKP") => &["crv", "kty", "x"],
        Some("RSA") => &["e", "kty", "n"],
        other => panic!("no thumbprint of a key of type {other:?}"),
    };
    let members: Vec<String> = names
        .iter()
        .map(|name| format!("\"{name}\":{}", jwk[name]))
        .collect();
    let text = format!("{{{}}}", members.join(","));
    Base64UrlUnpadded::encode_string(&Sha256::digest(text))
}

/// The value, with the thumbprint of a key in place of each `{thumbprint: name}`.
///
/// # Panics
/// There is no key of that name.
pub fn written(mut value: Value, keys: &Keys) -> Value {
    write(&mut value, keys);
    value
}

fn write(value: &mut Value, keys: &Keys) {
    match value {
        Value::Object(members) => match named(members) {
            Some(name) => {
                let key = keys.get(name);
                let key = key.unwrap_or_else(|| panic!("no key is named {name}"));
                *value = of(&key.public_jwk()).into();
            }
            None => members.values_mut().for_each(|member| write(member, keys)),
        },
        Value::Array(items) => items.iter_mut().for_each(|item| write(item, keys)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn named(members: &Map<String, Value>) -> Option<&str> {
    members
        .get("thumbprint")
        .filter(|_| members.len() == 1)?
        .as_str()
}

/// RFC 7638 §3.1 (RSA), RFC 8037 A.3 (OKP), and RFC 9449 §6.1 with §4.2 (EC).
#[test]
fn the_thumbprints_of_the_rfcs_are_computed() {
    let rsa = serde_json::json!({
        "kty": "RSA",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"
    });
    assert_eq!(of(&rsa), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    let okp = serde_json::json!({
        "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    });
    assert_eq!(of(&okp), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    let ec = serde_json::json!({
        "kty": "EC", "crv": "P-256",
        "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
        "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"
    });
    assert_eq!(of(&ec), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
}
