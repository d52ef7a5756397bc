use super::{Algorithm, PublicNumbers, pss};
use rsa::rand_core::{OsRng, RngCore as _};
use rsa::traits::PublicKeyParts as _;
use rsa::{BigUint, Pss, RsaPrivateKey};
use sha2::{Digest as _, Sha256};

/// The crate `num-bigint` raises to the same power, whatever the lengths of the modulus and of the exponent.
#[test]
fn another_implementation_agrees_on_the_power() {
    // `crypto-bigint` squares numbers of 256 and of 280 octets with code for these lengths only.
    for octets in [256, 257, 264, 280, 384, 512, 1024] {
        for top in [0x01, 0x80, 0xff] {
            let mut modulus = vec![0; octets];
            OsRng.fill_bytes(&mut modulus);
            modulus[0] = top;
            modulus[octets - 1] |= 1;
            for exponent in [&[3][..], &[17], &[1, 0, 1], &[1, 0xff, 0xff, 0xff, 0xff]] {
                let key = PublicNumbers::new(&modulus, exponent).unwrap();
                let number = BigUint::from_bytes_be;
                let (n, e) = (number(&modulus), number(exponent));
                let mut random = vec![0; octets];
                OsRng.fill_bytes(&mut random);
                let one = BigUint::from(1_u8);
                for base in [
                    number(&random) % &n,
                    one.clone(),
                    &n - &one,
                    BigUint::from(0_u8),
                ] {
                    let power = key.encoded_message(&base.to_bytes_be()).unwrap();
                    assert_eq!(power.len(), octets);
                    assert_eq!(number(&power), base.modpow(&e, &n));
                }
                // A representative is below the modulus.
                for base in [&n + &one, n.clone(), number(&vec![0xff; octets])] {
                    let expected = (base < n).then(|| base.modpow(&e, &n));
                    let found = key.encoded_message(&base.to_bytes_be());
                    assert_eq!(found.map(|power| number(&power)), expected);
                }
                assert_eq!(key.encoded_message(&vec![0xff; octets + 1]), None);
            }
        }
    }
}

#[test]
fn even_moduli_and_long_exponents_are_no_keys() {
    assert!(PublicNumbers::new(&[0xff; 256], &[0xff; 8]).is_some());
    assert!(PublicNumbers::new(&[0xff; 256], &[0xff; 9]).is_none());
    assert!(PublicNumbers::new(&[0xfe; 256], &[3]).is_none());
    assert!(PublicNumbers::new(&[], &[3]).is_none());
}

/// With a modulus of 2049 bits, the encoded message of PSS has an octet less than the modulus (RFC 8017 §8.1.2). The crate
/// `rsa` 0.9 ignores the first octet.
#[test]
fn the_octet_above_a_pss_message_is_zero() {
    let message = b"message";
    let private = RsaPrivateKey::new(&mut OsRng, 2049).unwrap();
    let padding = Pss::new::<Sha256>();
    let signature = private.sign_with_rng(&mut OsRng, padding, &Sha256::digest(message));
    let [n, e] = [private.n(), private.e()].map(BigUint::to_bytes_be);
    let key = PublicNumbers::new(&n, &e).unwrap();
    let mut encoded = key.encoded_message(&signature.unwrap()).unwrap();
    assert_eq!((encoded.len(), encoded[0]), (257, 0));
    assert!(pss::verifies(Algorithm::Ps256, message, &encoded, 2049));
    encoded[0] = 1;
    assert!(!pss::verifies(Algorithm::Ps256, message, &encoded, 2049));
}
