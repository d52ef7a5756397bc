use super::{MintFault, SigningKey};
use crate::authenticate::jose::{
    base64url,
    jws::{Compact, Header},
    signature::Algorithm,
};
use serde_json::json;

#[test]
fn a_generated_key_can_be_read_from_its_jwk() {
    for algorithm in [
        Algorithm::Hs384,
        Algorithm::Ps256,
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::Es512,
        Algorithm::Ed25519,
    ] {
        let key = SigningKey::generate(algorithm);
        let copy = SigningKey::from_jwk(&key.private_jwk()).unwrap();
        assert_eq!(copy.private_jwk(), key.private_jwk());
        assert_eq!(copy.public_jwk(), key.public_jwk());
        assert_eq!(copy.algorithm(), Some(algorithm));
        assert!(key.kid().is_some_and(|kid| kid.len() == 12));
        for name in ["d", "p", "q"] {
            assert_eq!(key.public_jwk().get(name), None);
        }
    }
}

#[test]
fn the_header_is_signed_unchanged() {
    let key = SigningKey::generate(Algorithm::Es256);
    let token = key
        .sign(Algorithm::Es256, &json!({"alg": "none", "kid": 5}), b"x")
        .unwrap();
    let jws = Compact::parse(token.as_bytes()).unwrap();
    assert_eq!(jws.header(), br#"{"alg":"none","kid":5}"#);
    assert!(Header::parse(jws.header()).is_err());

    let token = key.sign_compact(Algorithm::Es256, b"\xff{", b"").unwrap();
    assert_eq!(Compact::parse(token.as_bytes()).unwrap().header(), b"\xff{");
}

#[test]
fn names_can_be_changed() {
    let key = SigningKey::generate(Algorithm::EdDsa)
        .with_kid(Some("k"))
        .with_algorithm(None);
    assert_eq!(key.public_jwk()["kid"], "k");
    assert_eq!(key.public_jwk().get("alg"), None);
    assert_eq!(key.with_kid(None).public_jwk().get("kid"), None);
}

#[test]
fn a_key_signs_only_with_its_algorithms() {
    let ed = SigningKey::generate(Algorithm::EdDsa);
    let p256 = SigningKey::generate(Algorithm::Es256);
    let secret = SigningKey::from_secret(b"");
    for (key, algorithm) in [
        (&ed, Algorithm::Es256),
        (&p256, Algorithm::Es384),
        (&p256, Algorithm::Rs256),
        (&secret, Algorithm::EdDsa),
    ] {
        assert_eq!(
            key.sign_raw(algorithm, b"x"),
            Err(MintFault::KeyMismatch(algorithm))
        );
    }
    assert_eq!(secret.sign_raw(Algorithm::Hs256, b"x").unwrap().len(), 32);
}

/// J-16: weak keys can be created, for tests that they are rejected. The shortest ones fail to sign and do not panic.
#[test]
fn j_16_short_rsa_keys_sign_if_the_padding_has_room() {
    use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};
    for (bits, fits) in [
        (512, [false, false, false]),
        (528, [false, false, false]),
        (529, [true, false, false]),
        (1024, [true, true, false]),
        (1041, [true, true, true]),
    ] {
        let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, bits).unwrap();
        let text = |number: &rsa::BigUint| base64url::encode(&number.to_bytes_be());
        let jwk = json!({
            "kty": "RSA", "n": text(key.n()), "e": text(key.e()), "d": text(key.d()),
        });
        let key = SigningKey::from_jwk(&jwk).unwrap();
        for (algorithms, fits) in [
            [Algorithm::Rs256, Algorithm::Ps256],
            [Algorithm::Rs384, Algorithm::Ps384],
            [Algorithm::Rs512, Algorithm::Ps512],
        ]
        .into_iter()
        .zip(fits)
        {
            for algorithm in algorithms {
                let signed = key.sign_raw(algorithm, b"x");
                assert_eq!(signed.is_ok(), fits, "{bits} {algorithm}");
            }
        }
    }
}

#[test]
fn invalid_private_keys_are_rejected() {
    let key = SigningKey::generate(Algorithm::Es256).private_jwk();
    let other = SigningKey::generate(Algorithm::Es256).private_jwk();
    let with = |name: &str, value| {
        let mut jwk = key.clone();
        jwk[name] = value;
        SigningKey::from_jwk(&jwk).unwrap_err()
    };
    assert_eq!(with("x", other["x"].clone()), MintFault::Inconsistent);
    assert_eq!(with("kty", json!("X")), MintFault::Member("kty"));
    assert_eq!(with("crv", json!("secp256k1")), MintFault::Member("crv"));
    assert_eq!(with("alg", json!("ES256K")), MintFault::Member("alg"));
    for d in ["", "AA", "A"] {
        assert_eq!(with("d", json!(d)), MintFault::Member("d"));
    }
    let zero = base64url::encode(&[0; 32]);
    assert_eq!(with("d", json!(zero)), MintFault::Member("d"));
    let numbers = json!({"kty": "RSA", "n": "AQAB", "e": "AQAB", "d": "AQAB"});
    assert!(SigningKey::from_jwk(&numbers).is_err());
}

#[test]
fn debug_shows_names_only() {
    let key = SigningKey::generate(Algorithm::Hs256).with_kid(Some("k"));
    assert_eq!(
        format!("{key:?}"),
        "SigningKey { kid: Some(\"k\"), algorithm: Some(Hs256), .. }"
    );
}
