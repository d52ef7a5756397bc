use super::{Algorithm, Key, KeyFault, Pure, Scheme, SignatureFault, Verify as _};
use crate::{
    authenticate::jose::{
        base64url,
        jwk::{Jwk, Source},
        jws::Compact,
    },
    mint::SigningKey,
};
use curve25519_dalek::{edwards::EdwardsPoint, scalar::Scalar, traits::Identity};
use rsa::{BigUint, Pss};
use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha512};
use std::sync::OnceLock;

const MESSAGE: &[u8] = b"e30.e30";

fn public(key: &SigningKey) -> Key {
    let jwk = Jwk::parse(&key.public_jwk(), Source::Inline).unwrap();
    assert_eq!(jwk.kid(), key.kid());
    assert_eq!(jwk.algorithm(), key.algorithm());
    jwk.key().clone()
}

/// One RSA key for all tests: finding the primes takes most of the time.
fn rsa_key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::generate(Algorithm::Rs256).with_algorithm(None))
}

fn signer(algorithm: Algorithm) -> SigningKey {
    if algorithm.scheme() == Scheme::Rsa {
        rsa_key().clone()
    } else {
        SigningKey::generate(algorithm)
    }
}

fn member(key: &SigningKey, name: &str) -> Vec<u8> {
    base64url::decode(key.private_jwk()[name].as_str().unwrap().as_bytes()).unwrap()
}

/// `bytes` as a number of `len` octets.
fn padded(number: &BigUint, len: usize) -> Vec<u8> {
    let bytes = number.to_bytes_be();
    let mut octets = vec![0; len - bytes.len()];
    octets.extend(bytes);
    octets
}

#[test]
fn what_is_minted_verifies_under_its_own_algorithm_only() {
    for algorithm in Algorithm::ALL {
        let signer = signer(algorithm);
        let key = public(&signer);
        let signature = signer.sign_raw(algorithm, MESSAGE).unwrap();
        let verify =
            |other, message, signature: &[u8]| Pure.verify(other, &key, message, signature);
        assert_eq!(
            verify(algorithm, MESSAGE, &signature),
            Ok(()),
            "{algorithm}"
        );
        assert_eq!(
            verify(algorithm, b"e30.e31", &signature),
            Err(SignatureFault::Mismatch)
        );
        for other in Algorithm::ALL {
            // Both names mean the same algorithm. The caller checks which name is allowed.
            let same = algorithm == other || (key.fits(other) && key.fits(Algorithm::EdDsa));
            assert_eq!(
                verify(other, MESSAGE, &signature).is_ok(),
                same,
                "{algorithm} as {other}"
            );
        }
    }
}

#[test]
fn no_flipped_bit_verifies() {
    for algorithm in Algorithm::ALL {
        let signer = signer(algorithm);
        let key = public(&signer);
        let mut signature = signer.sign_raw(algorithm, MESSAGE).unwrap();
        // If verifying is slow, only one bit in seven is flipped. That covers every octet and every position in an octet.
        let step = if signature.len() > 64 { 7 } else { 1 };
        for bit in (0..signature.len() * 8).step_by(step) {
            signature[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                Pure.verify(algorithm, &key, MESSAGE, &signature),
                Err(SignatureFault::Mismatch),
                "{algorithm} bit {bit}"
            );
            signature[bit / 8] ^= 1 << (bit % 8);
        }
        assert_eq!(Pure.verify(algorithm, &key, MESSAGE, &signature), Ok(()));
    }
}

/// Of all lengths up to well beyond the longest signature, one verifies and none panics.
#[test]
fn only_the_exact_length_is_looked_at() {
    for algorithm in Algorithm::ALL {
        let signer = signer(algorithm);
        let key = public(&signer);
        let signature = signer.sign_raw(algorithm, MESSAGE).unwrap();
        for len in 0..600 {
            let mut other = signature.clone();
            other.resize(len, 0);
            let expected = if len == signature.len() {
                Ok(())
            } else {
                Err(SignatureFault::Length)
            };
            assert_eq!(Pure.verify(algorithm, &key, MESSAGE, &other), expected);
        }
    }
}

#[test]
fn keys_fit_their_algorithms() {
    let fitting = |key: &Key| -> Vec<_> {
        let fits = |algorithm: &Algorithm| key.fits(*algorithm);
        Algorithm::ALL.into_iter().filter(fits).collect()
    };
    use Algorithm::*;
    let rsa = public(rsa_key());
    assert_eq!(fitting(&rsa), [Rs256, Rs384, Rs512, Ps256, Ps384, Ps512]);
    assert_eq!(rsa.default_algorithm(), Some(Rs256));
    for algorithm in [Es256, Es384, Es512] {
        let key = public(&SigningKey::generate(algorithm));
        assert_eq!(fitting(&key), [algorithm]);
        assert_eq!(key.default_algorithm(), Some(algorithm));
        assert!(key.spki_der().is_some());
    }
    let okp = public(&SigningKey::generate(Ed25519));
    assert_eq!(fitting(&okp), [EdDsa, Ed25519]);
    assert_eq!(okp.default_algorithm(), Some(EdDsa));
    assert_eq!(okp.spki_der(), None);
}

/// J-17: a secret is at least as long as the hash.
#[test]
fn j_17_secrets_are_as_long_as_the_hash() {
    for (len, algorithms) in [
        (32, &[Algorithm::Hs256][..]),
        (47, &[Algorithm::Hs256]),
        (48, &[Algorithm::Hs256, Algorithm::Hs384]),
        (63, &[Algorithm::Hs256, Algorithm::Hs384]),
        (64, &[Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512]),
    ] {
        let secret = vec![7; len];
        let key = Key::hmac(&secret).unwrap();
        for algorithm in Algorithm::ALL {
            assert_eq!(key.fits(algorithm), algorithms.contains(&algorithm));
        }
        let signature = SigningKey::from_secret(&secret).sign_raw(Algorithm::Hs512, MESSAGE);
        let verdict = Pure.verify(Algorithm::Hs512, &key, MESSAGE, &signature.unwrap());
        assert_eq!(verdict.is_ok(), len == 64);
    }
    for len in [0, 1, 31] {
        assert_eq!(
            Key::hmac(&vec![7; len]).unwrap_err(),
            KeyFault::SecretTooShort { found: len }
        );
    }
}

#[test]
fn debug_shows_no_secret() {
    let secret = b"correct horse battery staple, and then some";
    let key = Key::hmac(secret).unwrap();
    assert_eq!(format!("{key:?}"), "Hmac(..)");
    let jwk = json!({"kty": "oct", "k": base64url::encode(secret)});
    let jwk = Jwk::parse(&jwk, Source::Inline).unwrap();
    let debug = format!("{jwk:?}{:?}", SigningKey::from_secret(secret));
    for shown in ["correct", "99", "Y29y", "636f"] {
        assert!(!debug.contains(shown), "{debug}");
    }
}

/// J-04: a public key, in any encoding, is not a secret.
#[test]
fn j_04_a_public_key_is_no_secret() {
    for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
        let signer = signer(algorithm);
        let key = public(&signer);
        let der = key.spki_der().unwrap_or_default().to_vec();
        let pem = format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            base64url::encode(&der)
        );
        for secret in [
            der,
            pem.into_bytes(),
            signer.public_jwk().to_string().into_bytes(),
        ] {
            let forged = SigningKey::from_secret(&secret).sign_raw(Algorithm::Hs256, MESSAGE);
            assert_eq!(
                Pure.verify(Algorithm::Hs256, &key, MESSAGE, &forged.unwrap()),
                Err(SignatureFault::KeyMismatch)
            );
        }
    }
}

/// J-06: the algorithm requires its curve.
#[test]
fn j_06_another_curve_does_not_serve() {
    let p256 = public(&SigningKey::generate(Algorithm::Es256));
    let p384 = public(&SigningKey::generate(Algorithm::Es384));
    for (algorithm, key, len) in [(Algorithm::Es256, p384, 64), (Algorithm::Es384, p256, 96)] {
        assert_eq!(
            Pure.verify(algorithm, &key, MESSAGE, &vec![1; len]),
            Err(SignatureFault::KeyMismatch)
        );
    }
}

/// J-44: `r ‖ s` has the full length and is not DER.
#[test]
fn j_44_ecdsa_length() {
    for (algorithm, len) in [
        (Algorithm::Es256, 64),
        (Algorithm::Es384, 96),
        (Algorithm::Es512, 132),
    ] {
        let signer = SigningKey::generate(algorithm);
        let key = public(&signer);
        let good = signer.sign_raw(algorithm, MESSAGE).unwrap();
        assert_eq!(good.len(), len);
        for signature in [&good[..0], &good[..len - 1], &[&good[..], &[0]].concat()] {
            assert_eq!(
                Pure.verify(algorithm, &key, MESSAGE, signature),
                Err(SignatureFault::Length)
            );
        }
    }
    let signer = SigningKey::generate(Algorithm::Es256);
    let good = signer.sign_raw(Algorithm::Es256, MESSAGE).unwrap();
    let der = p256::ecdsa::Signature::from_slice(&good).unwrap().to_der();
    assert_eq!(
        Pure.verify(Algorithm::Es256, &public(&signer), MESSAGE, der.as_bytes()),
        Err(SignatureFault::Length)
    );
}

const ORDERS: [(Algorithm, &str, usize); 3] = [
    (
        Algorithm::Es256,
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        32,
    ),
    (
        Algorithm::Es384,
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
        48,
    ),
    (
        Algorithm::Es512,
        "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
        66,
    ),
];

/// J-45: `r = s = 0`, the "psychic signature", does not verify.
#[test]
fn j_45_all_zero() {
    for (algorithm, letters) in [
        (Algorithm::Es256, 86),
        (Algorithm::Es384, 128),
        (Algorithm::Es512, 176),
    ] {
        let signature = base64url::decode("A".repeat(letters).as_bytes()).unwrap();
        let key = public(&SigningKey::generate(algorithm));
        assert_eq!(
            Pure.verify(algorithm, &key, MESSAGE, &signature),
            Err(SignatureFault::Mismatch)
        );
    }
}

/// J-46: `r` and `s` are from 1 to n − 1.
#[test]
fn j_46_r_and_s_in_range() {
    for (algorithm, order, len) in ORDERS {
        let n = BigUint::parse_bytes(order.as_bytes(), 16).unwrap();
        let one = BigUint::from(1_u8);
        let top = (BigUint::from(1_u8) << (8 * len)) - &one;
        let signer = SigningKey::generate(algorithm);
        let key = public(&signer);
        let good = signer.sign_raw(algorithm, MESSAGE).unwrap();
        let (r, s) = good.split_at(len);
        let edges = [BigUint::from(0_u8), n.clone(), &n + &one, top];
        for edge in &edges {
            let edge = padded(edge, len);
            for other in [r, s].into_iter().chain([edge.as_slice()]) {
                for signature in [[&edge, other].concat(), [other, &edge].concat()] {
                    assert_eq!(
                        Pure.verify(algorithm, &key, MESSAGE, &signature),
                        Err(SignatureFault::Mismatch)
                    );
                }
            }
        }
        // The same number modulo n, if it fits the length.
        for half in [r, s] {
            let number = BigUint::from_bytes_be(half) + &n;
            if number.to_bytes_be().len() <= len {
                let big = padded(&number, len);
                let signature = if half == r {
                    [&big, s].concat()
                } else {
                    [r, &big].concat()
                };
                assert!(Pure.verify(algorithm, &key, MESSAGE, &signature).is_err());
            }
        }
    }
}

/// J-47: a high `s` verifies, because RFC 7518 has no rule against it.
#[test]
fn j_47_the_twin_with_the_other_s_verifies() {
    for (algorithm, order, len) in ORDERS {
        let n = BigUint::parse_bytes(order.as_bytes(), 16).unwrap();
        let signer = SigningKey::generate(algorithm);
        let good = signer.sign_raw(algorithm, MESSAGE).unwrap();
        let (r, s) = good.split_at(len);
        let twin = [r, &padded(&(n - BigUint::from_bytes_be(s)), len)].concat();
        assert_ne!(twin, good);
        assert_eq!(
            Pure.verify(algorithm, &public(&signer), MESSAGE, &twin),
            Ok(())
        );
    }
}

/// J-48: a wrong length, `S ≥ L`, points of small order and points that are not canonical do not verify.
#[test]
fn j_48_ed25519() {
    let signer = SigningKey::generate(Algorithm::EdDsa);
    let key = public(&signer);
    let good = signer.sign_raw(Algorithm::EdDsa, MESSAGE).unwrap();
    let verify = |signature: &[u8]| Pure.verify(Algorithm::EdDsa, &key, MESSAGE, signature);
    assert_eq!(verify(&good[..63]), Err(SignatureFault::Length));
    assert_eq!(
        verify(&[&good[..], &[0]].concat()),
        Err(SignatureFault::Length)
    );

    // S + L is equal to S modulo L.
    let (r, s) = good.split_at(32);
    let order = BigUint::parse_bytes(
        b"1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed",
        16,
    );
    let mut unreduced = (BigUint::from_bytes_le(s) + order.unwrap()).to_bytes_le();
    unreduced.resize(32, 0);
    assert_eq!(
        verify(&[r, &unreduced].concat()),
        Err(SignatureFault::Mismatch)
    );

    // R is the identity. The holder of the key can create this signature, and only a strict verifier rejects it.
    let seed: [u8; 32] = member(&signer, "d").try_into().unwrap();
    let dalek = ed25519_dalek::SigningKey::from_bytes(&seed);
    let r = EdwardsPoint::identity().compress().to_bytes();
    let mut hash = Sha512::new();
    for part in [&r[..], dalek.verifying_key().as_bytes(), MESSAGE] {
        hash.update(part);
    }
    let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
    let s = (k * dalek.to_scalar()).to_bytes();
    let signature = [r, s].concat();
    let lax = ed25519_dalek::Signature::from_slice(&signature).unwrap();
    use ed25519_dalek::Verifier as _;
    assert!(dalek.verifying_key().verify(MESSAGE, &lax).is_ok());
    assert_eq!(verify(&signature), Err(SignatureFault::Mismatch));

    // The same R in a second encoding: y = p + 1.
    let mut noncanonical = [0xff; 32];
    noncanonical[0] = 0xee;
    noncanonical[31] = 0x7f;
    assert_eq!(
        verify(&[noncanonical, s].concat()),
        Err(SignatureFault::Mismatch)
    );
}

/// J-48: a key of small order or with an encoding that is not canonical is rejected.
#[test]
fn j_48_ed25519_keys() {
    for point in curve25519_dalek::constants::EIGHT_TORSION {
        assert_eq!(
            Key::ed25519(point.compress().as_bytes()).unwrap_err(),
            KeyFault::SmallOrder
        );
    }
    // y from p to 2^255 - 1, with either sign: each is a second encoding of another number.
    let mut decodable = 0;
    for low in 0xed..=0xff {
        for high in [0x7f, 0xff] {
            let mut bytes = [0xff; 32];
            bytes[0] = low;
            bytes[31] = high;
            if let Ok(point) = ed25519_dalek::VerifyingKey::from_bytes(&bytes) {
                decodable += usize::from(!point.is_weak());
            }
            assert!(Key::ed25519(&bytes).is_err());
        }
    }
    assert!(decodable > 0, "the check has something to refuse");
    for len in [0, 31, 33, 64] {
        let found = Key::ed25519(&vec![9; len]).unwrap_err();
        assert!(matches!(found, KeyFault::CoordinateLength { .. }));
    }
}

/// J-49: the representative is below the modulus, the length is that of the modulus.
#[test]
fn j_49_rsa_representative() {
    let key = public(rsa_key());
    let n = BigUint::from_bytes_be(&member(rsa_key(), "n"));
    for algorithm in Algorithm::ALL {
        if algorithm.scheme() != Scheme::Rsa {
            continue;
        }
        // A signature that also fits the length as s + n.
        let (message, good, twin) = (0_u32..)
            .find_map(|i| {
                let message = i.to_be_bytes();
                let good = rsa_key().sign_raw(algorithm, &message).unwrap();
                let twin = (BigUint::from_bytes_be(&good) + &n).to_bytes_be();
                (twin.len() == good.len()).then_some((message, good, twin))
            })
            .unwrap();
        let verify = |signature: &[u8]| Pure.verify(algorithm, &key, &message, signature);
        assert_eq!(verify(&good), Ok(()));
        assert_eq!(verify(&twin), Err(SignatureFault::Mismatch), "{algorithm}");
        for number in [BigUint::from(0_u8), BigUint::from(1_u8), n.clone()] {
            assert_eq!(verify(&padded(&number, 256)), Err(SignatureFault::Mismatch));
        }
        for signature in [
            &good[1..],
            &good[..255],
            &[&[0], &good[..]].concat(),
            &[&good[..], &[0]].concat(),
            &[],
        ] {
            assert_eq!(verify(signature), Err(SignatureFault::Length));
        }
    }
}

/// J-49: the salt of PSS is as long as the hash.
#[test]
fn j_49_pss_salt_length() {
    let key = public(rsa_key());
    let number = |name| BigUint::from_bytes_be(&member(rsa_key(), name));
    let primes = vec![number("p"), number("q")];
    let private =
        rsa::RsaPrivateKey::from_components(number("n"), number("e"), number("d"), primes).unwrap();
    for salt_len in [0, 20, 31, 32, 33, 48, 64] {
        let scheme = Pss::new_with_salt::<Sha256>(salt_len);
        let signature = private
            .sign_with_rng(&mut rsa::rand_core::OsRng, scheme, &Sha256::digest(MESSAGE))
            .unwrap();
        assert_eq!(
            Pure.verify(Algorithm::Ps256, &key, MESSAGE, &signature)
                .is_ok(),
            salt_len == 32
        );
    }
}

/// J-50: the period is part of the signed message.
#[test]
fn j_50_another_split_is_another_message() {
    for algorithm in Algorithm::ALL {
        let signer = signer(algorithm);
        let key = public(&signer);
        let token = signer
            .sign_compact(algorithm, b"{\"a\":1}  ", b"{\"b\":2}  ")
            .unwrap();
        let jws = Compact::parse(token.as_bytes()).unwrap();
        let verify =
            |jws: &Compact| Pure.verify(algorithm, &key, jws.signing_input(), jws.signature());
        assert_eq!(verify(&jws), Ok(()));
        // The same letters with the first period moved by four: both parts are still base64url.
        let mut moved: String = token.chars().filter(|letter| *letter != '.').collect();
        let (first, last) = (token.find('.').unwrap(), token.rfind('.').unwrap());
        moved.insert(last - 1, '.');
        moved.insert(first - 4, '.');
        let moved = Compact::parse(moved.as_bytes()).unwrap();
        assert_eq!(moved.signature(), jws.signature());
        assert_eq!(verify(&moved), Err(SignatureFault::Mismatch));
    }
}

/// The SubjectPublicKeyInfo of the example key of RFC 7515 A.3 begins as RFC 5480 says and ends
/// with the two coordinates.
#[test]
fn spki_of_a_p256_key() {
    let x = base64url::decode(b"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU").unwrap();
    let y = base64url::decode(b"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0").unwrap();
    let key = Key::p256(&x, &y).unwrap();
    let head = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08,
        0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
    ];
    assert_eq!(key.spki_der().unwrap(), [&head[..], &x, &y].concat());
}

/// A key whose modulus is not a multiple of eight bits. Its signature has whole octets.
#[test]
fn rsa_with_an_odd_number_of_bits() {
    for bits in [2049, 2055, 2056] {
        let private = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, bits).unwrap();
        use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};
        let text = |number: &BigUint| Value::from(base64url::encode(&number.to_bytes_be()));
        let signer = SigningKey::from_jwk(&json!({
            "kty": "RSA", "n": text(private.n()), "e": text(private.e()), "d": text(private.d()),
        }))
        .unwrap();
        let key = public(&signer);
        for algorithm in [Algorithm::Rs256, Algorithm::Ps256, Algorithm::Ps512] {
            let signature = signer.sign_raw(algorithm, MESSAGE).unwrap();
            assert_eq!(signature.len(), 257);
            assert_eq!(Pure.verify(algorithm, &key, MESSAGE, &signature), Ok(()));
            let top = [vec![1], vec![0xff; 256]].concat();
            assert!(Pure.verify(algorithm, &key, MESSAGE, &top).is_err());
        }
    }
}
