//! The SHA-256 thumbprint of a public key (RFC 7638).

use sha2::{Digest as _, Sha256};

use crate::json::{Json, Object};

/// The thumbprint of a JWK: the hash of its required members, in the order and form of RFC 7638 §3.
///
/// `None` if the key is not of type `EC`, `RSA` or `OKP`, or a required member is missing or has characters that
/// base64url and the names of curves do not have. JSON writes no other character in one way only.
pub fn thumbprint(jwk: &Object<'_>) -> Option<[u8; 32]> {
    let text = |name: &str| jwk.get(name).and_then(Json::as_str);
    // In the order of their code points (RFC 7638 §3.3).
    let required: &[&str] = match text("kty")? {
        "EC" => &["crv", "kty", "x", "y"],
        "RSA" => &["e", "kty", "n"],
        "OKP" => &["crv", "kty", "x"],
        _ => return None,
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let mut hash = Sha256::new();
    let mut before = "{\"";
    for name in required {
        let value = text(name).filter(|value| value.bytes().all(is_plain))?;
        for part in [before, name, "\":\"", value] {
            hash.update(part);
        }
        before = "\",\"";
    }
    hash.update("\"}");
    Some(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authenticate::jose::base64url;
    use crate::json;

    fn of(jwk: &str) -> Option<String> {
        let Ok(Json::Object(members)) = json::parse(jwk.as_bytes()) else {
            panic!("no object: {jwk}")
        };
        thumbprint(&members).map(|hash| base64url::encode(&hash))
    }

    /// RFC 7638 §3.1.
    #[test]
    fn the_rsa_example_of_rfc_7638() {
        let jwk = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;
        let expected = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
        assert_eq!(of(jwk).as_deref(), Some(expected));
    }

    /// RFC 8037 A.3.
    #[test]
    fn the_ed25519_example_of_rfc_8037() {
        let jwk =
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let expected = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
        assert_eq!(of(jwk).as_deref(), Some(expected));
    }

    /// RFC 9449 §7.1: the key of the proof, and `cnf.jkt` of the token.
    #[test]
    fn d_02_the_ec_example_of_rfc_9449() {
        let expected = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
        for jwk in [
            r#"{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}"#,
            r#"{"use":"sig","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P\u002d256","\u0078":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","kty":"EC","a":[]}"#,
        ] {
            assert_eq!(of(jwk).as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_key_without_its_required_members_has_no_thumbprint() {
        for jwk in [
            "{}",
            r#"{"kty":"oct","k":"AAAA"}"#,
            r#"{"kty":"ec","crv":"P-256","x":"AA","y":"AA"}"#,
            r#"{"kty":"EC","crv":"P-256","x":"AA"}"#,
            r#"{"kty":"EC","x":"AA","y":"AA"}"#,
            r#"{"kty":"OKP","crv":"Ed25519","x":1}"#,
            r#"{"kty":"RSA","n":"AA","e":null}"#,
            r#"{"kty":"RSA","n":"AA==","e":"AQAB"}"#,
            r#"{"kty":"OKP","crv":"Ed25519\",\"kty\":\"OKP","x":"AA"}"#,
        ] {
            assert_eq!(of(jwk), None, "{jwk}");
        }
    }
}
