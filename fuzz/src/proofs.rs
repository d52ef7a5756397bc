//! Compares how the filter verifies a DPoP proof with a list of what is wrong with the proof.
//!
//! A proof is made of random members, most of them right, and then perhaps damaged after it is signed. A right proof is
//! accepted, and a proof with anything wrong is not.

mod text;
mod urls;

use std::time::Duration;

use countersign::authenticate::dpop::{Dpop, Target};
use countersign::authenticate::jose::base64url;
use countersign::authenticate::jose::signature::{Algorithm, Pure};
use countersign::mint::SigningKey;
use countersign::time::Timestamp;
use serde_json::{Value, json};

use self::text::{damage, json_text, twin};
use super::random::Random;

const TOKEN: &[u8] = b"Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
const HASH: &str = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo";

/// Now, in seconds.
const NOW: i64 = 1_700_000_000;
/// How old a proof may be, and how far the clocks may differ, in seconds.
const WINDOW: i64 = 60;
const SKEW: i64 = 10;

/// The members that a proof must have.
const REQUIRED: [&str; 8] = ["alg", "typ", "jwk", "jti", "htm", "htu", "ath", "iat"];

/// Members of a header or of claims, in their order, which may repeat.
type Members = Vec<(&'static str, Value)>;

/// The keys and the configuration.
pub struct Proofs {
    keys: [(Algorithm, SigningKey, [u8; 32]); 2],
    dpop: Dpop,
}

impl Default for Proofs {
    fn default() -> Self {
        Self::new()
    }
}

impl Proofs {
    /// Fixed keys, so that a seed always makes the same proof. They are the examples of RFC 7515 A.3 and RFC 8037 A.1.
    pub fn new() -> Self {
        let p256 = json!({
            "kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
            "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"
        });
        let ed25519 = json!({
            "kty": "OKP", "crv": "Ed25519",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
        });
        let keys = [
            (
                Algorithm::Es256,
                p256,
                "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U",
            ),
            (
                Algorithm::EdDsa,
                ed25519,
                "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
            ),
        ];
        Self {
            keys: keys.map(|(algorithm, jwk, thumbprint)| {
                let key = SigningKey::from_jwk(&jwk).expect("the example of an RFC");
                let thumbprint = base64url::decode_sha256(thumbprint).expect("43 characters");
                (algorithm, key, thumbprint)
            }),
            dpop: Dpop {
                kind: countersign::kinds::Dpop::BUILT.unwrap(),
                algorithms: [Algorithm::Es256, Algorithm::EdDsa].into_iter().collect(),
                window: Duration::from_secs(WINDOW as u64),
                needs_nonce: false,
                origin: "https://api.example.com".into(),
            },
        }
    }

    /// Compares the results for a random proof.
    ///
    /// # Errors
    /// The results differ.
    pub fn check(&self, random: &mut Random) -> Result<&'static str, String> {
        if random.below(4) == 0 {
            return urls::check(random);
        }
        let (algorithm, key, thumbprint) = &self.keys[random.below(2)];
        let mut is_right = true;
        let mut header = self.header(*algorithm, key, random, &mut is_right);
        let mut claims = claims(random, &mut is_right);
        for members in [&mut header, &mut claims] {
            shuffle(members, random, &mut is_right);
        }
        let payload = json_text(&claims, random, &mut is_right);
        let header = json_text(&header, random, &mut is_right);
        let signer = if random.below(30) == 0 {
            is_right = false;
            &self.keys[usize::from(*algorithm == Algorithm::Es256)]
        } else {
            &self.keys[usize::from(*algorithm == Algorithm::EdDsa)]
        };
        let signed = signer
            .1
            .sign_compact(signer.0, header.as_bytes(), payload.as_bytes());
        let mut proof = signed.map_err(|fault| fault.to_string())?;
        if random.below(8) == 0 && signer.0 == Algorithm::Es256 {
            proof = twin(&proof);
        }
        let mut sent = proof.clone().into_bytes();
        for _ in 0..[0, 0, 1, 1, 3][random.below(5)] {
            damage(&mut sent, random);
        }
        is_right &= sent == proof.as_bytes();
        let verify = |now| {
            let target = Target {
                method: b"GET",
                path: b"/v1/~x?q=1",
            };
            self.dpop.verify(&sent, &target, TOKEN, &Pure, now)
        };
        let verified = verify(Timestamp::from_seconds(NOW));
        if verified.is_ok() != is_right {
            return Err(format!(
                "expected {}, found {verified:?}: {header} {payload}, sent as {:?}",
                if is_right { "a valid proof" } else { "a fault" },
                String::from_utf8_lossy(&sent)
            ));
        }
        let Ok(verified) = verified else {
            return Ok("refused");
        };
        let member = |name| {
            claims
                .iter()
                .find(|(own, _)| *own == name)
                .map(|(_, value)| value)
        };
        let is_same = verified.thumbprint == *thumbprint
            && member("jti").and_then(Value::as_str) == Some(&verified.jti)
            && member("nonce").and_then(Value::as_str) == verified.nonce.as_deref();
        if !is_same {
            return Err(format!("another proof, {verified:?}: {header} {payload}"));
        }
        if verify(verified.until).is_ok() {
            return Err(format!("accepted when it can be forgotten: {payload}"));
        }
        Ok("accepted")
    }

    fn header(
        &self,
        algorithm: Algorithm,
        key: &SigningKey,
        random: &mut Random,
        is_right: &mut bool,
    ) -> Members {
        let mut choose = |right: &[Value], wrong: &[Value]| choose(right, wrong, random, is_right);
        let other = if algorithm == Algorithm::Es256 {
            "EdDSA"
        } else {
            "ES256"
        };
        let alg = choose(
            &[json!(algorithm.name())],
            &[
                json!("none"),
                json!("HS256"),
                json!(other),
                json!("ES384"),
                json!(null),
                json!([algorithm.name()]),
            ],
        );
        let typ = choose(
            &[
                json!("dpop+jwt"),
                json!("DPoP+JWT"),
                json!("application/dpop+jwt"),
            ],
            &[
                json!("JWT"),
                json!("at+jwt"),
                json!(""),
                json!(null),
                json!("dpop+jwt "),
            ],
        );
        let mut jwk = key.public_jwk();
        let more: &[(&str, Value, bool)] = &[
            ("use", json!("sig"), true),
            ("alg", json!(algorithm.name()), true),
            ("key_ops", json!(["verify"]), true),
            ("kid", json!(random.below(9)), true),
            ("x5u", json!("https://evil.example"), true),
            ("use", json!("enc"), false),
            ("use", json!(null), false),
            ("alg", json!(other), false),
            ("key_ops", json!(["sign"]), false),
            ("d", json!("AA"), false),
            ("p", json!(null), false),
            ("k", json!(""), false),
            ("kty", json!("oct"), false),
            ("crv", json!("P-384"), false),
            ("x", json!("AAAA"), false),
            (
                "x",
                json!(format!("{}=", jwk["x"].as_str().unwrap_or_default())),
                false,
            ),
        ];
        match random.below(8) {
            0 => {
                let (name, value, is_fine) = &more[random.below(more.len())];
                jwk[*name] = value.clone();
                *is_right &= is_fine;
            }
            1 if random.below(4) == 0 => {
                let names = ["kty", "crv", "x"];
                jwk.as_object_mut()
                    .map(|jwk| jwk.remove(random.pick(&names)));
                *is_right = false;
            }
            _ => {}
        }
        let mut members = vec![("alg", alg), ("typ", typ), ("jwk", jwk)];
        let extra: &[(&'static str, bool)] = &[
            ("kid", true),
            ("jku", true),
            ("x5c", true),
            ("cty", true),
            ("crit", false),
            ("b64", false),
            ("zip", false),
        ];
        if random.below(8) == 0 {
            let (name, is_fine) = random.pick(extra);
            let value = random.below(6);
            members.push((
                name,
                [
                    json!("DEF"),
                    json!(true),
                    json!(null),
                    json!(["exp"]),
                    json!([]),
                    json!(1),
                ][value]
                    .clone(),
            ));
            *is_right &= is_fine;
        }
        members
    }
}

fn claims(random: &mut Random, is_right: &mut bool) -> Members {
    let mut choose = |right: &[Value], wrong: &[Value]| choose(right, wrong, random, is_right);
    let longest = "j".repeat(512);
    let jti = choose(
        &[
            json!("e1j3V_bKic8-LAEB"),
            json!("a"),
            json!("é\"\\\u{0}\u{1f600}"),
            json!(longest),
        ],
        &[
            json!(""),
            json!(5),
            json!(null),
            json!(format!("{longest}j")),
            json!(["a"]),
        ],
    );
    let htm = choose(
        &[json!("GET")],
        &[
            json!("get"),
            json!("HEAD"),
            json!("POST"),
            json!("GET "),
            json!(""),
            json!(["GET"]),
        ],
    );
    let htu = choose(
        &[
            json!("https://api.example.com/v1/~x"),
            json!("HTTPS://API.EXAMPLE.COM:443/v1/%7Ex"),
            json!("https://api.example.com/%761/~x?q=2#f"),
            json!("https://api.example.com:/v1/~x#?"),
        ],
        &[
            json!("http://api.example.com/v1/~x"),
            json!("https://api.example.com/v1/~X"),
            json!("https://api.example.com/v1//~x"),
            json!("https://api.example.com:443@evil.example/v1/~x"),
            json!("https://a@api.example.com/v1/~x"),
            json!("https://api.example.com./v1/~x"),
            json!("/v1/~x"),
            json!(null),
        ],
    );
    let ath = choose(
        &[json!(HASH)],
        &[
            json!(format!("{HASH}=")),
            json!(HASH.replace("Eo", "Ep")),
            json!(HASH.to_uppercase()),
            json!(""),
            json!([HASH]),
        ],
    );
    let near = |seconds: i64| json!(NOW + seconds);
    let iat = choose(
        &[
            near(0),
            near(-WINDOW - SKEW),
            near(SKEW),
            json!((NOW - WINDOW) as f64 - 9.999),
            json!(NOW as f64 + 9.25),
        ],
        &[
            near(-WINDOW - SKEW - 1),
            near(SKEW + 1),
            json!((NOW + SKEW) as f64 + 0.001),
            json!(0),
            json!(-1),
            json!(i64::MAX),
            json!(1e300),
            json!(NOW.to_string()),
            json!(null),
        ],
    );
    let mut members = vec![
        ("jti", jti),
        ("htm", htm),
        ("htu", htu),
        ("ath", ath),
        ("iat", iat),
    ];
    let extra: [(&'static str, Value, bool); 10] = [
        ("nonce", json!("eyJ7S_zG.eyJH0-Z.HX4w-7v"), true),
        ("nonce", json!(""), true),
        ("nonce", json!(5), false),
        ("exp", near(3600), true),
        ("exp", near(-SKEW), false),
        ("exp", json!("never"), false),
        ("nbf", near(-3600), true),
        ("nbf", near(SKEW + 1), false),
        ("aud", json!(["https://evil.example"]), true),
        ("cnf", json!({"jkt": HASH}), true),
    ];
    if random.below(4) == 0 {
        let (name, value, is_fine) = &extra[random.below(extra.len())];
        members.push((name, value.clone()));
        *is_right &= is_fine;
    }
    members
}

/// A value that is mostly right.
fn choose(right: &[Value], wrong: &[Value], random: &mut Random, is_right: &mut bool) -> Value {
    let from = if random.below(24) == 0 {
        *is_right = false;
        wrong
    } else {
        right
    };
    from[random.below(from.len())].clone()
}

/// Changes the order of the members, and sometimes leaves one out or repeats one.
fn shuffle(members: &mut Members, random: &mut Random, is_right: &mut bool) {
    for last in (1..members.len()).rev() {
        members.swap(last, random.below(last + 1));
    }
    let at = random.below(members.len());
    match random.below(60) {
        // An optional member may be what is wrong.
        0 if REQUIRED.contains(&members[at].0) => {
            members.remove(at);
            *is_right = false;
        }
        1 => {
            let again = members[at].clone();
            members.insert(random.below(members.len() + 1), again);
            *is_right = false;
        }
        _ => {}
    }
}
