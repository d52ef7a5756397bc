//! The self-test of a host's signature verification, which decides the algorithms that the host verifies.
//!
//! A host may lack the call, reject it, lack a hash, or accept every signature. So for each algorithm the test passes
//! signatures that the host must accept and signatures that it must reject. The test skips the checks of [`Signed`],
//! because the host itself must reject numbers that are out of range.

use super::{Algorithm, AlgorithmSet, Backend, Key, Signed};
use crate::authenticate::jose::base64url;

/// The algorithms of [`AlgorithmSet::TESTED`] that a backend verifies correctly.
///
/// The backend must accept a valid signature. It must reject each of these; [`Unavailable`](super::Unavailable) is not a
/// rejection:
/// 1. the signature with one bit changed;
/// 2. the signature with another message;
/// 3. a signature with another hash;
/// 4. for `ES*`, `r = s = 0`; for `RS*`, the signature plus the modulus.
pub fn self_test(candidate: &dyn Backend) -> AlgorithmSet {
    let passes = |specimen: &&Specimen| specimen.is_verified_correctly_by(candidate) == Some(true);
    let passing = SPECIMENS.iter().filter(passes);
    passing.map(|specimen| specimen.algorithm).collect()
}

impl AlgorithmSet {
    /// The algorithms that [`self_test`] tests, which are those that a host can verify.
    pub const TESTED: Self = Self::EMPTY
        .with(Algorithm::Rs256)
        .with(Algorithm::Rs384)
        .with(Algorithm::Rs512)
        .with(Algorithm::Es256)
        .with(Algorithm::Es384)
        .with(Algorithm::Es512);
}

/// A public key, and two signatures of [`MESSAGE`] by its private key, which was not kept; all in base64url.
struct Specimen {
    algorithm: Algorithm,
    key: Public,
    good: &'static str,
    /// A signature of the same family with another hash.
    other_hash: &'static str,
}

#[derive(Clone, Copy)]
enum Public {
    Rsa { n: &'static str },
    P256 { x: &'static str, y: &'static str },
    P384 { x: &'static str, y: &'static str },
    P521 { x: &'static str, y: &'static str },
}

impl Public {
    fn key(self) -> Option<Key> {
        let bytes = |text: &str| base64url::decode(text.as_bytes());
        match self {
            Self::Rsa { n } => Key::rsa(&bytes(n)?, &[1, 0, 1]),
            Self::P256 { x, y } => Key::p256(&bytes(x)?, &bytes(y)?),
            Self::P384 { x, y } => Key::p384(&bytes(x)?, &bytes(y)?),
            Self::P521 { x, y } => Key::p521(&bytes(x)?, &bytes(y)?),
        }
        .ok()
    }
}

impl Specimen {
    /// Whether the backend verifies correctly; none if the specimen is invalid or the backend cannot verify.
    fn is_verified_correctly_by(&self, candidate: &dyn Backend) -> Option<bool> {
        let key = self.key.key()?;
        let good = base64url::decode(self.good.as_bytes())?;
        let other_hash = base64url::decode(self.other_hash.as_bytes())?;
        let verifies = |message: &[u8], signature: &[u8]| {
            let signed = Signed {
                algorithm: self.algorithm,
                key: &key,
                message,
                signature,
            };
            candidate.verifies(&signed).ok()
        };
        // Without a host, the first call ends the test.
        if !verifies(MESSAGE, &good)? {
            return Some(false);
        }
        let mut flipped = good.clone();
        *flipped.last_mut()? ^= 1;
        let forged = [
            verifies(MESSAGE, &flipped)?,
            verifies(OTHER_MESSAGE, &good)?,
            verifies(MESSAGE, &other_hash)?,
            verifies(MESSAGE, &out_of_range(&key, &good))?,
        ];
        Some(!forged.contains(&true))
    }
}

/// A signature out of range, with the length of a valid one. A verifier without the range check accepts it.
fn out_of_range(key: &Key, good: &[u8]) -> Vec<u8> {
    match key {
        Key::Rsa(key) => sum(good, key.modulus()),
        Key::P256(_) | Key::P384(_) | Key::P521(_) | Key::Ed25519(_) | Key::Hmac(_) => {
            vec![0; good.len()]
        }
    }
}

/// The sum of two big-endian numbers of the same length, without the carry of the first octet.
fn sum(one: &[u8], other: &[u8]) -> Vec<u8> {
    let pairs = one.iter().zip(other).rev();
    let octets = pairs.scan(0, |carry, (one, other)| {
        let sum = u16::from(*one) + u16::from(*other) + *carry;
        let [high, low] = sum.to_be_bytes();
        *carry = u16::from(high);
        Some(low)
    });
    let mut octets: Vec<u8> = octets.collect();
    octets.reverse();
    octets
}

const MESSAGE: &[u8] = b"countersign";
const OTHER_MESSAGE: &[u8] = b"countersigns";

const RSA: Public = Public::Rsa {
    n: "n8b_etveXvXL75EnXx78FOBC9pkyPysYNp818V-Pjn9HyAZJy7abuhfHzmyC4Qmz4zgO5HJ4-YVaRLuA6HQRC_OaTpHbHkSwutxgwDfid6sX1D0OW_Vhw1Easy9ZfYGLb3gFbu69ASTqJvFcQJDIhjISsgdyVBviaWNOKmcULLSwYU9OWL3QsRHG63IIP58rZuDTYpCTNqUraSmeQhN72Ec1a0EEAns0Iov4jMPROWRJ0QIe1NMNKLet2ABkyn2-rQmmQeP8lT4gB349pXnyT-TRF8vxDPBpG38duBMxCdWhAgxq9g61dPVOZq3rPc0IC6VwEDcqPr245xKdXyOXZQ",
};
const RS256: &str = "WjrGZfVqBZNLKU2iIahTrLzZwB_pUCeLlTTsYMYhvHvhh8t1daXb3_dwhfJoS_hvNppN3gx-fVKAqRnqDMyukg5rcmiHdii8zB3dfVINr--2OHMBW4_odfJx9qPUm3APmbAnX_L5tgCmINh0uXFydsGHukTKvGXBvLb31nJt0VFC5ChApcQNZZlurBIefS-eX1CPUNQOqCL-jXIqLo-lEpyShVZy6SGAYBRCdGNZRIMCxlHfLk6OHepyf5oTyVt573ghUL23_ODBkNpgFlPH5Z2kjrU_Dd2lpCClJ2IgHu60lfr7yx1V8XUBkYEvS5bh8lw5_7UApmFWy6rBRPnC1A";
const RS384: &str = "QxzKiSGwPM541aFmDkwiIarNzAuxIpcHfYjLKDWaX0QzPgQgMydSzljWBaAraqUVSzN-3u4d48zwCIM5PhZuziGvpN_0EtyViq-HfRAEctS_VFhrQ2k-wE1O9GMySTB_qYzuARvw6pq_WhQ19AK7zNPCnzuQh3qQf4eLsQwCbmiqn3gY9EDYoLYoJwvqoDZKdfkQlu_zec9hXb0SySkkCpRvlZTAC0gxpDOVqy9mRlpaqm0skSUkvt_q-i7ur6eojMnw9Zc3Wffoc6cGGyIvtz8zFuj2z7Srx6D03YQUpZ1uRBWeyDPUMpYnL-KhSPWqMyBFr4oKu0YzfFY7ghFipA";
const RS512: &str = "DdXY9XZobNo0k1gYbU2jeyjHlXC1PJSZdfeaM_EBoD7IOcH8u17NroMXPp2wJnr4YfzoeYkBBej4SUYyqj60BdPz3OMKniXylzOQgoXK9jQcTeg1hb_f713buTszvoqDGEPBNw6Y1qgYL_gWSoaI3aYPQY0uZr4PwtrqfTccTs0oTCIS0UuaFaShr2sarZhC9HoBu6WeLuHLc74bDgD95ChyR7ko4BqGY-Cr4Zy7COH_jk-W88F5GEdCQfqPpSsMSnI24v7keackS_aDV-4_6V0x24VRmXICnllIkJ6rhnQobwIc5HARGg4nLwFSvXSRG0So592X6ZdCDH-8V33Jig";

const SPECIMENS: [Specimen; 6] = [
    Specimen {
        algorithm: Algorithm::Rs256,
        key: RSA,
        good: RS256,
        other_hash: RS384,
    },
    Specimen {
        algorithm: Algorithm::Rs384,
        key: RSA,
        good: RS384,
        other_hash: RS512,
    },
    Specimen {
        algorithm: Algorithm::Rs512,
        key: RSA,
        good: RS512,
        other_hash: RS256,
    },
    Specimen {
        algorithm: Algorithm::Es256,
        key: Public::P256 {
            x: "KpUaXcOd6ot7KXq9IAHDOPguO_vHW9Vgo27h0v2ICmQ",
            y: "jSdhFpLB_rX5G_pCBml2sodXRqFYBW9LFDys3cegXKE",
        },
        good: "OU5aVZIiKwxC0ZcJ9GuAxw8AysnWStQud8Fbg7gkTyW2Cu7bYUy6JwcHzvv7xb9E_yDC1untjS6Eo-l57A6ngA",
        other_hash: "KIcplV7gpD4Z9TaXqwQWloWena3-tlZW-fXpeQJsiweENHb1sc786ayQvOD34gwxTnNB9jAqjdETzFuzcWleig",
    },
    Specimen {
        algorithm: Algorithm::Es384,
        key: Public::P384 {
            x: "xZfwinPULOLxMdXdQ-Y-EaczBoYiHUd8NFT-QJiUljq7DmQ333sa87-kOdRQCwKQ",
            y: "r6kuZHXsiOCffMwJk7eGB35z7KDWlG3EWwhNAd_OqBmsPoQZc3qc0qsU8lU9y6P-",
        },
        good: "InP9kzuKWMLmr5xDpOx9TP5M6CzvA2WNejOmnJKui-QHTDICEmvsXWXbqjJM3OREv4emOJc1hevRWssje03-GCS1w-1-BaqbScy1jp_heHo5UpFiWQz8PV0D6i661p8l",
        other_hash: "jyO3RoewigS1oAjKxiL8w1v4WRGwU1omGuSYAh7eZq7lvulErApvnDkmRic37JadW6RCOManzfe__j8hVtFFHK2RfUZlOqvNkHGQYz7A4Qvg22lJEziz75I9b92edXJs",
    },
    Specimen {
        algorithm: Algorithm::Es512,
        key: Public::P521 {
            x: "AOPkZtUVqTnIbeMzc1sG0xqejN76lbgORZeE0iomw1nyH-MPY3Xhkx7tVyH8JDurUumRVSf8JDEknf_sAsiVRSpY",
            y: "Ac9VLHkzhc2Rc0H9UYrpWJwU9ivyLSgfmDHKboTWM583tJ9hOxeCTo8prtcVj1A2cdRzfeALQ50X6B3gamwYA7Ap",
        },
        good: "ALLKa2wy9DDXafjISA_KAFuwTU8pvgnSVU5VJdbTcWm4kruFJNNTjT1BNqqxpwfVPs03tmm3MBmOFLMYKTqpzrl9AUUvRBefui9jLLRn5lNsLPngPdMpHRbcDIyjq3FIabLdKvTwLof9pY7h2oSrFNqN3Ye0gOZ9kSzwU64EKMjQP5jC",
        other_hash: "AafLNzKWUNMU3pbKS2bos70k16ijoPX9PB4sWapACYfQS6Pc8JWEyy_u1l3lVRlefc5lQxg6T4sUhUaEeJ4VGVkBAOaSTUTskzSOoBQS31kDSW4sK8wb2DhYzGy5iYIrcJ9nQh2DYDDhtiUBc6q9-4f35YwdeR8x05B1HFOEFVKpKepd",
    },
];

#[cfg(test)]
mod tests;
