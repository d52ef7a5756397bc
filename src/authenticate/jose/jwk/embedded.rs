//! The public key that a JWS has in its own header (`jwk`, RFC 7515 §4.1.3).
//!
//! The client chooses this key, which proves nothing until its thumbprint is compared. It is read strictly: unlike a
//! key that an issuer publishes, it has one spelling only, and so one thumbprint.

use super::{Algorithm, Key};
use crate::authenticate::jose::base64url;
use crate::json::{Json, Object};

/// The longest RSA modulus, in octets. Any client can have the filter verify with a key of its choice, and the time grows
/// with the square of the length.
const MODULUS_MAX: usize = 512;

/// Members of private and of shared keys (RFC 7518 §6.2.2, §6.3.2 and §6.4.1).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// The public key in the header of a JWS that is signed with `algorithm`.
///
/// `None` if it is not a public key, is not spelled as RFC 7518 §6 and RFC 8037 §2 require, must not verify signatures
/// with the algorithm (`alg`, `use`, `key_ops`), or is shorter or longer than the filter accepts.
pub fn embedded_key(jwk: &Object<'_>, algorithm: Algorithm) -> Option<Key> {
    if !may_verify(jwk, algorithm) {
        return None;
    }
    let text = |name: &str| jwk.get(name).and_then(Json::as_str);
    let octets = |name: &str| base64url::decode(text(name)?.as_bytes());
    let key = match (text("kty")?, text("crv")) {
        ("EC", Some("P-256")) => Key::p256(&octets("x")?, &octets("y")?),
        ("EC", Some("P-384")) => Key::p384(&octets("x")?, &octets("y")?),
        ("EC", Some("P-521")) => Key::p521(&octets("x")?, &octets("y")?),
        ("OKP", Some("Ed25519")) => Key::ed25519(&octets("x")?),
        ("RSA", _) => {
            let modulus = octets("n").filter(|octets| octets.len() <= MODULUS_MAX)?;
            Key::rsa(&modulus, &octets("e")?)
        }
        _ => return None,
    };
    key.ok().filter(|key| key.fits(algorithm))
}

/// Whether the key is not a private one, and is for signatures with the algorithm (RFC 7517 §4.2 to §4.4).
fn may_verify(jwk: &Object<'_>, algorithm: Algorithm) -> bool {
    let is_text = |value: &Json<'_>, expected: &str| value.as_str() == Some(expected);
    let can_be = |name: &str, expected: &str| {
        let value = jwk.get(name);
        value.is_none_or(|value| is_text(value, expected))
    };
    let lists_verify = |operations: &Json<'_>| match operations {
        Json::Array(items) => items.iter().any(|item| is_text(item, "verify")),
        _ => false,
    };
    let is_private = PRIVATE.iter().any(|name| jwk.get(name).is_some());
    !is_private
        && can_be("alg", algorithm.name())
        && can_be("use", "sig")
        && jwk.get("key_ops").is_none_or(lists_verify)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authenticate::jose::jwk::{Source, parse_set};
    use crate::json;
    use crate::mint::SigningKey;
    use serde_json::{Value, json};

    fn read(jwk: &Value, algorithm: Algorithm) -> Option<Key> {
        let text = jwk.to_string();
        let Ok(Json::Object(members)) = json::parse(text.as_bytes()) else {
            panic!("no object: {jwk}")
        };
        embedded_key(&members, algorithm)
    }

    fn ec() -> Value {
        json!({
            "kty": "EC", "crv": "P-256",
            "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
            "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"
        })
    }

    fn with(jwk: &Value, name: &str, value: Value) -> Value {
        let mut jwk = jwk.clone();
        jwk[name] = value;
        jwk
    }

    #[test]
    fn a_public_key_of_each_type_is_read() {
        use Algorithm::{EdDsa, Es256, Es384, Es512, Rs256};
        for algorithm in [EdDsa, Es256, Es384, Es512, Rs256] {
            let jwk = SigningKey::generate(algorithm).public_jwk();
            assert!(read(&jwk, algorithm).is_some(), "{algorithm}");
            for other in Algorithm::ALL
                .into_iter()
                .filter(|other| *other != algorithm)
            {
                assert!(read(&jwk, other).is_none(), "{algorithm} as {other}");
            }
        }
    }

    /// D-10. The members are refused with every value.
    #[test]
    fn d_10_a_key_with_a_private_member_is_refused() {
        for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            for value in [json!("AA"), json!(""), json!(null), json!([])] {
                let jwk = with(&ec(), name, value);
                assert!(read(&jwk, Algorithm::Es256).is_none(), "{jwk}");
            }
        }
        let secret = json!({"kty": "oct", "k": "A".repeat(43)});
        assert!(read(&secret, Algorithm::Hs256).is_none());
    }

    #[test]
    fn d_10_a_point_that_is_not_on_the_curve_is_refused() {
        for (name, value) in [
            ("x", "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFw"),
            ("x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
            ("y", "__________________________________________8"),
            ("crv", "P-384"),
            ("crv", "secp256k1"),
            ("crv", "p-256"),
            ("kty", "OKP"),
            ("kty", "RSA"),
            ("kty", "ec"),
        ] {
            let jwk = with(&ec(), name, json!(value));
            assert!(read(&jwk, Algorithm::Es256).is_none(), "{jwk}");
        }
        // Points of order 1, 2, 4 and 8 (RFC 7748 §7), and an encoding that is not canonical.
        for x in [
            "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "7P___________________________________________38",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o",
            "7v___________________________________________38",
        ] {
            let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": x});
            assert!(read(&jwk, Algorithm::EdDsa).is_none(), "{x}");
        }
    }

    #[test]
    fn d_10_an_rsa_key_of_an_unacceptable_size_is_refused() {
        let rsa = |modulus: usize, exponent: &[u8]| {
            let mut octets = vec![0xc5; modulus];
            octets[0] = 0x80;
            let (n, e) = (base64url::encode(&octets), base64url::encode(exponent));
            read(&json!({"kty": "RSA", "n": n, "e": e}), Algorithm::Rs256).is_some()
        };
        let usual = [1, 0, 1];
        for (modulus, is_accepted) in [
            (128, false),
            (255, false),
            (256, true),
            (512, true),
            (513, false),
            (1024, false),
        ] {
            assert_eq!(rsa(modulus, &usual), is_accepted, "{modulus} octets");
        }
        for exponent in [
            &[][..],
            &[0],
            &[1],
            &[2],
            &[0, 3],
            &[1, 0, 0],
            &[4, 0, 0, 0, 1],
        ] {
            assert!(!rsa(256, exponent), "{exponent:?}");
        }
    }

    #[test]
    fn a_key_for_another_use_is_refused() {
        for (name, value, is_accepted) in [
            ("alg", json!("ES256"), true),
            ("alg", json!("ES384"), false),
            ("alg", json!("es256"), false),
            ("alg", json!(null), false),
            ("use", json!("sig"), true),
            ("use", json!("enc"), false),
            ("use", json!(null), false),
            ("use", json!(["sig"]), false),
            ("key_ops", json!(["verify"]), true),
            ("key_ops", json!(["sign", "verify"]), true),
            ("key_ops", json!(["sign"]), false),
            ("key_ops", json!([]), false),
            ("key_ops", json!("verify"), false),
            ("kid", json!(5), true),
            ("x5c", json!(["AA"]), true),
            ("ext", json!(true), true),
        ] {
            let jwk = with(&ec(), name, value);
            assert_eq!(read(&jwk, Algorithm::Es256).is_some(), is_accepted, "{jwk}");
        }
    }

    /// Spellings that are accepted in the keys of an issuer.
    #[test]
    fn a_key_is_read_strictly() {
        let ec = ec();
        for (name, value) in [
            ("x", json!("l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs=")),
            ("x", json!("l8tFrhx+34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs")),
            ("x", json!("l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFt")),
            ("y", json!("APVROI3_zpP6OuM2005XLjSWox5rer_Uw1a1NAnbxkQw")),
            ("y", json!(null)),
            ("y", json!(5)),
        ] {
            let jwk = with(&ec, name, value);
            assert!(read(&jwk, Algorithm::Es256).is_none(), "{jwk}");
        }
        let rsa = SigningKey::generate(Algorithm::Rs256).public_jwk();
        let text = |name: &str| base64url::decode(rsa[name].as_str().unwrap().as_bytes()).unwrap();
        for name in ["n", "e"] {
            let zero = base64url::encode(&[&[0][..], &text(name)].concat());
            let jwk = with(&rsa, name, json!(zero));
            assert!(read(&jwk, Algorithm::Rs256).is_none(), "{jwk}");
        }
    }

    /// Every key that is accepted here is accepted in a key set too, and read there without leniency.
    #[test]
    fn the_parser_of_key_sets_agrees() {
        let keys: Vec<Value> = [
            Algorithm::Es256,
            Algorithm::Es384,
            Algorithm::Es512,
            Algorithm::EdDsa,
            Algorithm::Rs256,
        ]
        .map(|algorithm| SigningKey::generate(algorithm).public_jwk())
        .into();
        let names = [
            "kty", "crv", "x", "y", "n", "e", "alg", "use", "key_ops", "d", "k",
        ];
        let mut values = vec![
            json!(null),
            json!(""),
            json!("sig"),
            json!(["verify"]),
            json!([]),
            json!("AQAB"),
            json!("AA"),
        ];
        values.extend(
            keys.iter()
                .flat_map(|key| key.as_object().unwrap().values().cloned()),
        );
        let mut accepted = 0;
        for key in &keys {
            for (name, value) in names
                .iter()
                .flat_map(|name| values.iter().map(move |value| (name, value)))
            {
                let jwk = with(key, name, value.clone());
                let Some(read) = Algorithm::ALL
                    .into_iter()
                    .find_map(|algorithm| read(&jwk, algorithm))
                else {
                    continue;
                };
                accepted += 1;
                let set = parse_set(&json!({"keys": [jwk]}), Source::Remote).unwrap();
                assert!(
                    set.lenient.is_empty() && set.refused.is_empty(),
                    "{jwk}: {set:?}"
                );
                assert_eq!(set.keys[0].key().spki_der(), read.spki_der(), "{jwk}");
            }
        }
        assert!(accepted > 50, "{accepted}");
    }
}
