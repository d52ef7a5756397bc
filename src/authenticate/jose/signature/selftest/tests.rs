use super::{MESSAGE, SPECIMENS, self_test};
use crate::authenticate::jose::base64url;
use crate::authenticate::jose::signature::{
    Algorithm, AlgorithmSet, Backend, Chosen, Key, Pure, SignatureFault, Signed, Unavailable,
    Verify as _,
};
use sha2::{Digest as _, Sha256, Sha384};

fn decoded(text: &str) -> Vec<u8> {
    base64url::decode(text.as_bytes()).unwrap()
}

#[test]
fn the_specimens_are_what_they_say() {
    let algorithms = AlgorithmSet::from_iter(SPECIMENS.iter().map(|specimen| specimen.algorithm));
    assert_eq!(algorithms, AlgorithmSet::TESTED);
    for specimen in &SPECIMENS {
        let key = specimen.key.key().unwrap();
        let (good, other) = (decoded(specimen.good), decoded(specimen.other_hash));
        assert_eq!(
            Pure.verify(specimen.algorithm, &key, MESSAGE, &good),
            Ok(())
        );
        let (out, length) = (super::out_of_range(&key, &good), good.len());
        assert_eq!(out.len(), length, "s + n has room in the length of n");
        // The other signature is valid except for its hash.
        use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
        match &key {
            Key::P256(key) => key
                .public()
                .verify_prehash(
                    &Sha384::digest(MESSAGE),
                    &p256::ecdsa::Signature::from_slice(&other).unwrap(),
                )
                .unwrap(),
            Key::P384(key) => key
                .public()
                .verify_prehash(
                    &Sha256::digest(MESSAGE),
                    &p384::ecdsa::Signature::from_slice(&other).unwrap(),
                )
                .unwrap(),
            Key::P521(key) => key
                .public()
                .verify_prehash(
                    &Sha384::digest(MESSAGE),
                    &p521::ecdsa::Signature::from_slice(&other).unwrap(),
                )
                .unwrap(),
            rsa => {
                let verifying = [Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512]
                    .into_iter()
                    .filter(|algorithm| Pure.verify(*algorithm, rsa, MESSAGE, &other).is_ok());
                assert!(verifying.count() == 1 && other != good);
            }
        }
    }
}

/// A backend made of a closure.
struct Fake<F>(F);

fn fake<F: Fn(&Signed<'_>) -> Result<bool, Unavailable>>(verifies: F) -> Fake<F> {
    Fake(verifies)
}

impl<F: Fn(&Signed<'_>) -> Result<bool, Unavailable>> Backend for Fake<F> {
    fn verifies(&self, signed: &Signed<'_>) -> Result<bool, Unavailable> {
        (self.0)(signed)
    }
}

fn is_rsa(signed: &Signed<'_>) -> bool {
    matches!(signed.key(), Key::Rsa(_))
}

#[test]
fn only_what_is_judged_rightly_counts() {
    let all = AlgorithmSet::TESTED;
    let rsa = AlgorithmSet::from_iter([Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512]);
    assert_eq!(self_test(&Pure), all);
    assert_eq!(self_test(&fake(|_| Ok(true))), AlgorithmSet::EMPTY);
    assert_eq!(self_test(&fake(|_| Ok(false))), AlgorithmSet::EMPTY);
    assert_eq!(self_test(&fake(|_| Err(Unavailable))), AlgorithmSet::EMPTY);
    let only_rsa = fake(|signed| {
        if is_rsa(signed) {
            Pure.verifies(signed)
        } else {
            Err(Unavailable)
        }
    });
    assert_eq!(self_test(&only_rsa), rsa);
    let yes_to_rsa = fake(|signed| Ok(is_rsa(signed) || Pure.verifies(signed)?));
    assert_eq!(self_test(&yes_to_rsa), all.without(rsa));
    // It accepts valid signatures, and fails on signatures that it must reject.
    let never_refuses = fake(|signed| match Pure.verifies(signed)? {
        true => Ok(true),
        false => Err(Unavailable),
    });
    assert_eq!(self_test(&never_refuses), AlgorithmSet::EMPTY);
}

/// Each signature of the self-test detects a faulty verifier that no other signature detects.
#[test]
fn each_question_has_its_use() {
    let ecdsa = AlgorithmSet::from_iter([Algorithm::Es256, Algorithm::Es384, Algorithm::Es512]);
    let lax_where = |lax: fn(&Signed<'_>) -> bool| {
        AlgorithmSet::TESTED.without(self_test(&fake(move |signed: &Signed<'_>| {
            Ok(lax(signed) || Pure.verifies(signed)?)
        })))
    };
    // The verifier ignores the last bit of the signature.
    let flipped = |signed: &Signed<'_>| {
        let mut signature = signed.signature.to_vec();
        *signature.last_mut().unwrap() ^= 1;
        Pure.verifies(&Signed {
            signature: &signature,
            ..*signed
        }) == Ok(true)
    };
    assert_eq!(lax_where(flipped), AlgorithmSet::TESTED);
    // The verifier truncates the message.
    let prefix = |signed: &Signed<'_>| {
        let message = &signed.message[..MESSAGE.len()];
        Pure.verifies(&Signed { message, ..*signed }) == Ok(true)
    };
    assert_eq!(lax_where(prefix), AlgorithmSet::TESTED);
    // The verifier accepts any hash.
    let any_hash = |signed: &Signed<'_>| {
        let others = SPECIMENS.iter();
        let mut others = others.filter(|other| other.algorithm == signed.algorithm);
        others.any(|other| decoded(other.other_hash) == signed.signature)
    };
    assert_eq!(lax_where(any_hash), AlgorithmSet::TESTED);
    // The verifier accepts `r = s = 0`.
    let zero = |signed: &Signed<'_>| signed.signature.iter().all(|octet| *octet == 0);
    assert_eq!(lax_where(zero), ecdsa);
    // The verifier reduces the representative.
    let reduced = |signed: &Signed<'_>| {
        let Key::Rsa(key) = signed.key else {
            return false;
        };
        use rsa::BigUint;
        let modulus = BigUint::from_bytes_be(key.modulus());
        let number = BigUint::from_bytes_be(signed.signature) % modulus;
        let octets = number.to_bytes_be();
        let mut signature = vec![0; signed.signature.len() - octets.len()];
        signature.extend(octets);
        Pure.verifies(&Signed {
            signature: &signature,
            ..*signed
        }) == Ok(true)
    };
    assert_eq!(lax_where(reduced), AlgorithmSet::TESTED.without(ecdsa));
}

#[test]
fn a_host_that_fails_is_not_replaced() {
    for specimen in &SPECIMENS {
        let key = specimen.key.key().unwrap();
        let good = decoded(specimen.good);
        let verdict = |answer: Result<bool, Unavailable>, by_host| {
            Chosen::new(fake(move |_: &Signed<'_>| answer), by_host).verify(
                specimen.algorithm,
                &key,
                MESSAGE,
                &good,
            )
        };
        let chosen = AlgorithmSet::EMPTY.with(specimen.algorithm);
        let failed = Err(SignatureFault::Unavailable);
        assert_eq!(verdict(Err(Unavailable), chosen), failed);
        assert_eq!(verdict(Ok(false), chosen), Err(SignatureFault::Mismatch));
        // The host is not called for other algorithms.
        let others = AlgorithmSet::from_iter(Algorithm::ALL).without(chosen);
        assert_eq!(verdict(Err(Unavailable), others), Ok(()));
        assert_eq!(verdict(Ok(false), others), Ok(()));
    }
}

/// The length and range are checked before any backend.
#[test]
fn a_backend_that_takes_everything_gets_only_what_has_the_right_shape() {
    let all = Chosen::new(
        fake(|_: &Signed<'_>| Ok(true)),
        AlgorithmSet::from_iter(Algorithm::ALL),
    );
    for specimen in &SPECIMENS {
        let key = specimen.key.key().unwrap();
        let good = decoded(specimen.good);
        let verify = |signature: &[u8]| all.verify(specimen.algorithm, &key, MESSAGE, signature);
        assert_eq!(verify(&good), Ok(()));
        assert_eq!(
            verify(&super::out_of_range(&key, &good)),
            Err(SignatureFault::Mismatch)
        );
        for signature in [&good[1..], &[&good[..], &[0]].concat(), &[]] {
            assert_eq!(verify(signature), Err(SignatureFault::Length));
        }
        assert_eq!(
            all.verify(Algorithm::Hs256, &key, MESSAGE, &good),
            Err(SignatureFault::KeyMismatch)
        );
        if !matches!(key, Key::Rsa(_)) {
            let (r, s) = good.split_at(good.len() / 2);
            let (zero, top) = (vec![0; r.len()], vec![0xff; r.len()]);
            for other in [zero, top] {
                for signature in [[&other, s].concat(), [r, &other].concat()] {
                    assert_eq!(verify(&signature), Err(SignatureFault::Mismatch));
                }
            }
        }
    }
}
