use super::{Jwk, JwkFault, JwkSetFault, KEYS_MAX, Source, parse_set};
use crate::{
    authenticate::jose::{
        base64url,
        signature::{Algorithm, KeyFault},
    },
    mint::SigningKey,
};
use serde_json::{Value, json};

const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

fn ec() -> Value {
    json!({"kty": "EC", "crv": "P-256", "x": X, "y": Y})
}

fn okp() -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
}

/// A key for parsing only: any odd number is accepted as a modulus.
fn rsa(bits: usize) -> Value {
    let mut n = vec![0xa5; bits.div_ceil(8)];
    n[0] = 0xff >> (n.len() * 8 - bits);
    json!({"kty": "RSA", "n": base64url::encode(&n), "e": "AQAB"})
}

fn oct(len: usize) -> Value {
    json!({"kty": "oct", "k": base64url::encode(&vec![7; len])})
}

/// `jwk` with some members set, or removed where the value is null.
fn with(mut jwk: Value, members: Value) -> Value {
    for (name, value) in members.as_object().unwrap() {
        if value.is_null() {
            jwk.as_object_mut().unwrap().remove(name);
        } else {
            jwk[name] = value.clone();
        }
    }
    jwk
}

fn fault(jwk: Value) -> JwkFault {
    match Jwk::parse(&jwk, Source::Inline) {
        Ok(_) => panic!("{jwk} was taken"),
        Err(fault) => fault,
    }
}

#[test]
fn every_kind_of_key_is_read() {
    let mut keys = vec![ec(), okp(), rsa(2048), oct(32)];
    keys.extend(
        [Algorithm::Es384, Algorithm::Es512].map(|alg| SigningKey::generate(alg).public_jwk()),
    );
    for jwk in keys {
        Jwk::parse(&jwk, Source::Inline).unwrap_or_else(|fault| panic!("{jwk}: {fault}"));
    }
    let described = with(
        ec(),
        json!({"kid": "a", "alg": "ES256", "use": "sig", "key_ops": ["verify"], "x5c": 5, "ext": true}),
    );
    let key = Jwk::parse(&described, Source::Remote).unwrap();
    assert_eq!(key.kid(), Some("a"));
    assert_eq!(key.algorithm(), Some(Algorithm::Es256));
}

/// J-05: a key with an `alg` is used with that algorithm only.
#[test]
fn j_05_one_algorithm_for_one_key() {
    let key = Jwk::parse(&with(rsa(2048), json!({"alg": "RS256"})), Source::Remote).unwrap();
    for algorithm in Algorithm::ALL {
        assert_eq!(key.serves(algorithm), algorithm == Algorithm::Rs256);
    }
    let open = Jwk::parse(&rsa(2048), Source::Remote).unwrap();
    assert!(open.serves(Algorithm::Rs256) && open.serves(Algorithm::Ps512));
    assert!(!open.serves(Algorithm::Hs256) && !open.serves(Algorithm::Es256));
}

/// J-07: for a key with an `alg`, the two names of Ed25519 are two algorithms.
#[test]
fn j_07_eddsa_and_ed25519() {
    for (own, other) in [
        (Algorithm::EdDsa, Algorithm::Ed25519),
        (Algorithm::Ed25519, Algorithm::EdDsa),
    ] {
        let key = Jwk::parse(&with(okp(), json!({"alg": own.name()})), Source::Remote).unwrap();
        assert!(key.serves(own) && !key.serves(other));
        let open = Jwk::parse(&okp(), Source::Remote).unwrap();
        assert!(open.serves(own));
    }
}

/// J-09: keys for other purposes.
#[test]
fn j_09_use_and_key_ops() {
    let with_use = fault(with(ec(), json!({"use": "enc"})));
    assert_eq!(with_use.to_string(), "`use`: expected `sig`, found `enc`");
    for operations in [json!(["encrypt"]), json!(["sign", "VERIFY"]), json!([""])] {
        let found = fault(with(ec(), json!({"key_ops": operations})));
        assert_eq!(found, JwkFault::KeyOps);
    }
    for operations in [
        json!("verify"),
        json!(""),
        json!(["verify", 1]),
        json!({"verify": 1}),
        json!({}),
    ] {
        let found = fault(with(ec(), json!({"key_ops": operations})));
        assert_eq!(found.to_string(), "`key_ops` is not an array of strings");
    }
    assert!(
        Jwk::parse(
            &with(ec(), json!({"key_ops": ["sign", "verify"]})),
            Source::Remote
        )
        .is_ok()
    );
    // Both have to allow it.
    let both = with(ec(), json!({"use": "enc", "key_ops": ["verify"]}));
    assert!(matches!(fault(both), JwkFault::Use(_)));
}

/// J-16: the modulus.
#[test]
fn j_16_rsa_modulus() {
    for bits in [1024, 2040, 2047] {
        let found = fault(rsa(bits));
        assert_eq!(found, JwkFault::Key(KeyFault::ModulusTooSmall { bits }));
    }
    assert_eq!(
        fault(rsa(1024)).to_string(),
        "RSA modulus: expected at least 2048 bits, found 1024"
    );
    for bits in [2048, 2049, 3072, 4096, 4097, 8192] {
        assert!(Jwk::parse(&rsa(bits), Source::Remote).is_ok(), "{bits}");
    }
    for bits in [8193, 100_000] {
        let found = fault(rsa(bits));
        assert_eq!(found, JwkFault::Key(KeyFault::ModulusTooLarge { bits }));
    }
    let modulus = |n: &[u8]| fault(with(rsa(2048), json!({"n": base64url::encode(n)})));
    let mut even = vec![0xa5; 256];
    even[255] = 0xa4;
    assert_eq!(modulus(&even), JwkFault::Key(KeyFault::ModulusEven));
    // Leading zero octets do not make a modulus long enough.
    let found = modulus(&[&[0, 0, 0x7f], &[0xa5; 255][..]].concat());
    assert_eq!(
        found,
        JwkFault::Key(KeyFault::ModulusTooSmall { bits: 2047 })
    );
    assert_eq!(
        modulus(&[]),
        JwkFault::Key(KeyFault::ModulusTooSmall { bits: 0 })
    );
}

/// J-16: the exponent.
#[test]
fn j_16_rsa_exponent() {
    let with_e = |e: &[u8]| with(rsa(2048), json!({"e": base64url::encode(e)}));
    for e in [
        &[3][..],
        &[5],
        &[1, 0, 1],
        &[0xff; 4],
        &[1, 0xff, 0xff, 0xff, 0xff],
    ] {
        assert!(Jwk::parse(&with_e(e), Source::Remote).is_ok(), "{e:?}");
    }
    for e in [
        &[][..],
        &[1],
        &[2],
        &[1, 0, 0],
        &[0],
        &[0, 0, 0],
        &[0, 1],
        &[0, 2],
    ] {
        assert_eq!(fault(with_e(e)), JwkFault::Key(KeyFault::Exponent), "{e:?}");
    }
    for e in [
        &[2, 0, 0, 0, 1][..],
        &[0xa5; 8],
        &[0xa5; 256],
        &[0xff; 4096],
    ] {
        assert_eq!(fault(with_e(e)), JwkFault::Key(KeyFault::ExponentTooLarge));
    }
}

/// J-17, J-19: secrets.
#[test]
fn j_17_j_19_secrets() {
    assert_eq!(
        Jwk::parse(&oct(64), Source::Remote).unwrap_err(),
        JwkFault::Symmetric
    );
    assert_eq!(
        fault(oct(31)).to_string(),
        "secret: expected at least 32 octets, found 31"
    );
    assert_eq!(
        fault(oct(0)),
        JwkFault::Key(KeyFault::SecretTooShort { found: 0 })
    );
    for (name, len) in [("HS256", 32), ("HS384", 48), ("HS512", 64)] {
        let named = |len| with(oct(len), json!({"alg": name}));
        assert!(Jwk::parse(&named(len), Source::Inline).is_ok());
        assert!(Jwk::parse(&named(len - 1), Source::Inline).is_err());
    }
    assert_eq!(
        fault(with(oct(47), json!({"alg": "HS384"}))).to_string(),
        "the key cannot be used with its `alg` `HS384`"
    );
    assert_eq!(fault(json!({"kty": "oct"})), JwkFault::Missing("k"));
}

/// J-20: points.
#[test]
fn j_20_points() {
    let zero = base64url::encode(&[0; 32]);
    // The prime of P-256, and 2^256 − 1, are not coordinates.
    let prime = "_____wAAAAEAAAAAAAAAAAAAAAD_______________8";
    let top = base64url::encode(&[0xff; 32]);
    for (x, y) in [
        (X, X),
        (Y, X),
        (X, &zero),
        (&zero, &zero),
        (prime, Y),
        (X, prime),
        (&top, Y),
        (X, &top),
    ] {
        let found = fault(with(ec(), json!({"x": x, "y": y})));
        assert_eq!(found.to_string(), "the point is not on the curve");
    }
    // There is a point with x = 0. Written as p, x would be a second encoding of it.
    let y = "ZkhceA4vg9ckM71dhKBrtlQcKvMdrocXKL-FahdPk_Q";
    let with_x = |x: &str| Jwk::parse(&with(ec(), json!({"x": x, "y": y})), Source::Remote);
    assert!(with_x(&zero).is_ok());
    assert!(with_x(prime).is_err());
    let octets = base64url::decode(X.as_bytes()).unwrap();
    for x in [
        &[&octets[..], &[0]].concat()[..],
        &[&[0, 1], &octets[..]].concat(),
        &[],
    ] {
        let found = fault(with(ec(), json!({"x": base64url::encode(x)})));
        let length = x.len() - x.iter().take_while(|octet| **octet == 0).count();
        let expected = format!("coordinate `x`: expected 32 octets, found {length}");
        assert_eq!(found.to_string(), expected);
    }
    // P-256 coordinates under another name.
    for crv in ["P-384", "P-521"] {
        let found = fault(with(ec(), json!({"crv": crv})));
        assert_eq!(found, JwkFault::Key(KeyFault::NotOnCurve));
    }
}

/// What was read leniently of the one key of a set, which is used.
fn leniently(jwk: &Value) -> (Jwk, Vec<String>) {
    let set = parse_set(&json!({ "keys": [jwk] }), Source::Inline).unwrap();
    assert_eq!(set.refused, [], "{jwk}");
    let lenient = set.lenient.iter().map(ToString::to_string).collect();
    (set.keys.into_iter().next().unwrap(), lenient)
}

/// J-16, J-20: other spellings of the same octets are the same key, also for the host.
#[test]
fn j_16_j_20_other_spellings_are_the_same_key() {
    let number =
        |octets: &[u8], zeros: usize| base64url::encode(&[&vec![0; zeros][..], octets].concat());
    let of_curve = |algorithm| {
        let has_zeros = |jwk: &Value| jwk["x"].as_str().unwrap().starts_with("AA");
        let keys = std::iter::repeat_with(|| SigningKey::generate(algorithm).public_jwk());
        keys.into_iter().find(has_zeros).unwrap()
    };
    let mut jwks = vec![
        rsa(2048),
        of_curve(Algorithm::Es256),
        of_curve(Algorithm::Es512),
    ];
    jwks.push(with(rsa(3072), json!({"e": "Aw"})));
    for jwk in jwks {
        let (own, lenient) = leniently(&jwk);
        assert_eq!(lenient, [""; 0]);
        for name in ["n", "e", "x", "y"] {
            let Some(text) = jwk.get(name).and_then(Value::as_str) else {
                continue;
            };
            let octets = base64url::decode(text.as_bytes()).unwrap();
            let stripped: Vec<u8> = octets.iter().copied().skip_while(|o| *o == 0).collect();
            for zeros in 0..70 {
                for spelling in [
                    number(&stripped, zeros),
                    number(&stripped, zeros) + "=",
                    (number(&stripped, zeros) + "==")
                        .replace('-', "+")
                        .replace('_', "/"),
                ] {
                    let is_canonical = spelling == text;
                    let (key, lenient) = leniently(&with(jwk.clone(), json!({ name: spelling })));
                    assert_eq!(key.key().spki_der(), own.key().spki_der(), "{spelling}");
                    assert_eq!(lenient.is_empty(), is_canonical, "{spelling}: {lenient:?}");
                }
            }
        }
    }
    let padded = with(
        okp(),
        json!({"x": format!("{}=", okp()["x"].as_str().unwrap())}),
    );
    let (_, lenient) = leniently(&padded);
    assert_eq!(lenient, ["key 0: `x` is not unpadded base64url"]);
}

/// J-20: the octets of an Ed25519 key are no number.
#[test]
fn j_20_ed25519_keys_have_one_length() {
    let octets = base64url::decode(okp()["x"].as_str().unwrap().as_bytes()).unwrap();
    for x in [
        &octets[1..],
        &octets[..31],
        &[&[0], &octets[..]].concat(),
        &[],
    ] {
        let found = fault(with(okp(), json!({"x": base64url::encode(x)})));
        let expected = format!("coordinate `x`: expected 32 octets, found {}", x.len());
        assert_eq!(found.to_string(), expected);
    }
}

/// J-21: `null` and `[]` count as absent, and an empty text does not.
#[test]
fn j_21_members_without_a_value() {
    let optional = [
        "kid", "alg", "use", "key_ops", "issuer", "d", "p", "q", "dp", "dq", "qi", "oth",
    ];
    for (value, what) in [(json!(null), "is null"), (json!([]), "is an empty list")] {
        for name in optional {
            let mut jwk = rsa(2048);
            jwk[name] = value.clone();
            let (key, lenient) = leniently(&jwk);
            assert_eq!((key.kid(), key.algorithm()), (None, None));
            assert_eq!(lenient, [format!("key 0: `{name}` {what}")]);
        }
        for name in ["x5c", "x5t", "x5t#S256", "x5u", "ext"] {
            let mut jwk = rsa(2048);
            jwk[name] = value.clone();
            assert_eq!(leniently(&jwk).1, [""; 0], "a member that is never read");
        }
        for name in ["kty", "n", "e"] {
            let mut jwk = rsa(2048);
            jwk[name] = value.clone();
            assert_eq!(fault(jwk), JwkFault::Missing(name));
        }
    }
    for name in optional {
        let jwk = with(rsa(2048), json!({ name: "" }));
        match name {
            "kid" => assert_eq!(leniently(&jwk).0.kid(), Some("")),
            _ => assert!(Jwk::parse(&jwk, Source::Inline).is_err(), "{name}"),
        }
    }
}

/// A key whose `issuer` cannot be read is not used without the restriction.
#[test]
fn the_issuer_of_a_key_is_text() {
    let of = |issuer: Value| with(ec(), json!({ "issuer": issuer }));
    let key = Jwk::parse(&of(json!("https://a.example/{t}")), Source::Remote).unwrap();
    assert!(key.is_of("https://a.example/1") && !key.is_of("https://a.example"));
    assert!(Jwk::parse(&ec(), Source::Remote).unwrap().is_of("any"));
    for issuer in [
        json!(""),
        json!("https://{t}.example"),
        json!(1),
        json!(true),
        json!({}),
        json!(["https://a.example"]),
        json!([null]),
    ] {
        assert_eq!(fault(of(issuer)), JwkFault::Issuer);
    }
    // Another issuer makes another key, so that a cached result is not used.
    let other = Jwk::parse(&of(json!("https://b.example/{t}")), Source::Remote).unwrap();
    assert_ne!(key.id(), other.id());
}

/// J-21: unknown and malformed keys are reported.
#[test]
fn j_21_unknown_and_malformed_keys() {
    for (jwk, message) in [
        (json!("EC"), "a key must be an object"),
        (json!({}), "`kty` is missing"),
        (with(ec(), json!({"kty": "X"})), "unknown `kty`: `X`"),
        (with(ec(), json!({"kty": "ec"})), "unknown `kty`: `ec`"),
        (with(ec(), json!({"kty": 5})), "`kty` is not a string"),
        (with(ec(), json!({"crv": null})), "`crv` is missing"),
        (
            with(ec(), json!({"crv": "secp256k1"})),
            "unknown `crv`: `secp256k1`",
        ),
        (
            with(okp(), json!({"crv": "Ed448"})),
            "unknown `crv`: `Ed448`",
        ),
        (
            with(okp(), json!({"crv": "X25519"})),
            "unknown `crv`: `X25519`",
        ),
        (
            with(okp(), json!({"crv": "P-256"})),
            "unknown `crv`: `P-256`",
        ),
        (
            with(ec(), json!({"crv": "Ed25519"})),
            "unknown `crv`: `Ed25519`",
        ),
        (with(ec(), json!({"y": null})), "`y` is missing"),
        (with(ec(), json!({"x": 5})), "`x` is not a string"),
        (
            with(ec(), json!({"x": format!("{X}=A")})),
            "`x` is not base64url",
        ),
        (
            with(ec(), json!({"x": format!("={X}")})),
            "`x` is not base64url",
        ),
        (with(rsa(2048), json!({"n": null})), "`n` is missing"),
        (with(rsa(2048), json!({"e": 65537})), "`e` is not a string"),
        (
            with(rsa(2048), json!({"e": "AQAB "})),
            "`e` is not base64url",
        ),
        (
            with(rsa(2048), json!({"e": "AQAC\n"})),
            "`e` is not base64url",
        ),
        (with(ec(), json!({"kid": 1})), "`kid` is not a string"),
        (with(ec(), json!({"use": ["sig"]})), "`use` is not a string"),
        (with(ec(), json!({"alg": 256})), "`alg` is not a string"),
        (
            with(ec(), json!({"alg": "ES256K"})),
            "unknown `alg`: `ES256K`",
        ),
        (with(ec(), json!({"alg": "none"})), "unknown `alg`: `none`"),
        (
            with(rsa(2048), json!({"alg": "RSA-OAEP"})),
            "unknown `alg`: `RSA-OAEP`",
        ),
        (
            with(ec(), json!({"alg": "ES384"})),
            "the key cannot be used with its `alg` `ES384`",
        ),
        (
            with(ec(), json!({"alg": "HS256"})),
            "the key cannot be used with its `alg` `HS256`",
        ),
        (
            with(okp(), json!({"alg": "ES256"})),
            "the key cannot be used with its `alg` `ES256`",
        ),
    ] {
        assert_eq!(fault(jwk).to_string(), message);
    }
    // A second encoding of a coordinate: bits set after the last octet.
    let mut spelling = X.to_owned();
    spelling.replace_range(42.., "V");
    assert_eq!(
        fault(with(ec(), json!({"x": spelling}))),
        JwkFault::Base64("x")
    );
}

/// J-22: private members.
#[test]
fn j_22_private_keys() {
    for algorithm in [Algorithm::Es256, Algorithm::Es512, Algorithm::EdDsa] {
        let private = SigningKey::generate(algorithm).private_jwk();
        assert_eq!(
            fault(private).to_string(),
            "expected a public key, found a private key"
        );
    }
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth"] {
        for value in [json!("AQAB"), json!(""), json!([1]), json!({}), json!(0)] {
            assert_eq!(
                fault(with(rsa(2048), json!({ name: value }))),
                JwkFault::Private
            );
        }
    }
}

/// J-48: a weak Ed25519 key, which verifies messages that were not signed, is rejected.
#[test]
fn j_48_weak_ed25519_keys() {
    let identity = base64url::encode(&[&[1], &[0; 31][..]].concat());
    let found = fault(with(okp(), json!({"x": identity})));
    assert_eq!(found.to_string(), "the point has a small order");
}

/// J-21: the other keys of a set are used, and all keys with one `kid` are candidates.
#[test]
fn j_21_sets() {
    let set = json!({"keys": [
        with(ec(), json!({"kid": "a"})),
        with(ec(), json!({"kid": "b", "kty": "X"})),
        with(okp(), json!({"kid": "a"})),
        7,
        with(ec(), json!({"kid": 5})),
        oct(32),
        ec(),
    ], "other": 1});
    let set = parse_set(&set, Source::Remote).unwrap();
    let kids: Vec<_> = set.keys.iter().map(Jwk::kid).collect();
    assert_eq!(kids, [Some("a"), Some("a"), None]);
    let refused: Vec<_> = set
        .refused
        .iter()
        .map(|entry| (entry.kid.as_deref(), entry.to_string()))
        .collect();
    assert_eq!(
        refused,
        [
            (Some("b"), "key 1: unknown `kty`: `X`".to_owned()),
            (None, "key 3: a key must be an object".to_owned()),
            (None, "key 4: `kid` is not a string".to_owned()),
            (
                None,
                "key 5: a shared secret is accepted in `inline` keys only".to_owned()
            ),
        ]
    );
}

#[test]
fn sets_have_keys() {
    for value in [json!([]), json!(null), json!("keys"), json!(5)] {
        assert_eq!(
            parse_set(&value, Source::Remote).unwrap_err(),
            JwkSetFault::NotAnObject
        );
    }
    for value in [json!({}), json!({"keys": {}}), json!({"keys": null}), ec()] {
        assert_eq!(
            parse_set(&value, Source::Remote).unwrap_err(),
            JwkSetFault::NoKeys
        );
    }
    let empty = parse_set(&json!({"keys": []}), Source::Remote).unwrap();
    assert!(empty.keys.is_empty() && empty.refused.is_empty());
}

#[test]
fn sets_are_bounded() {
    let exactly = parse_set(&json!({"keys": vec![okp(); KEYS_MAX]}), Source::Remote).unwrap();
    assert_eq!((exactly.keys.len(), exactly.refused.len()), (KEYS_MAX, 0));

    let over = parse_set(&json!({"keys": vec![okp(); 5000]}), Source::Remote).unwrap();
    assert_eq!(over.keys.len(), KEYS_MAX);
    let refused: Vec<_> = over.refused.iter().map(ToString::to_string).collect();
    assert_eq!(
        refused,
        ["key 100: expected at most 100 keys, found 5000; the others are ignored"]
    );
}

/// Text of a key set is logged.
#[test]
fn strange_text_is_escaped_and_cut_short() {
    let kty = "\n\u{1b}[31m`é".to_owned() + &"x".repeat(100_000);
    let message = fault(with(ec(), json!({ "kty": kty }))).to_string();
    assert!(message.starts_with("unknown `kty`: `\\n\\u{1b}[31m`\\u{e9}xxx"));
    assert!(message.is_ascii() && message.len() < 100);
}
