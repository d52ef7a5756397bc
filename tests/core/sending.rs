//! The harness writes the proofs and the credentials of Digest that a table says, and finds what is wrong with nonces.

use std::borrow::Cow;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::case::{Case, Observed, parse};
use crate::support::token::read_key;

const NOW: i64 = 1_700_000_000;

const TABLE: &str = r#"
about: a table
keys: {ec: es256.json, other: es256-foreign.json}
tokens: {T_a: {key: ec, claims: {cnf: {jkt: {thumbprint: other}}}, drop: [kid]}}
proofs:
  P_right: {key: other, token: T_a}
  P_nonce: {key: other, claims: {nonce: "{nonce}", iat: now-5, jti: once}, drop: [typ, htm], jwk: {set: {use: sig}, drop: [y]}}
  P_raw: {key: other, raw_payload: '{"jti":{jti},"jti":"b","iat":{now+1}}'}
document: {realm: api, origin: "https://api.example.com"}
cases:
- name: proof
  request: {method: POST, path: "/v1/~x?a=b", headers: [[authorization, "DPoP {T_a}"], [dpop, "{P_right}"]]}
  expect: {status: 200, upstream: {headers: {dpop: "{P_right}"}}}
- name: nonce
  request: {path: /x, headers: [[dpop, "{P_nonce}"], [authorization, "DPoP {T_a}"], [accept, "*/*"]]}
  asks: {path: /y, headers: [[x-a, b]], later: 2, patch: {realm: other}}
  expect: {status: 401}
  again: {status: 403}
- name: raw
  request: {path: /x, headers: [[dpop, "{P_raw}"]]}
  expect: {status: 401}
- name: digest
  request: {path: /x, digest: {user: 'l"ab', password: open-sesame, algorithm: MD5, with: {cnonce: abcd}, drop: [opaque], double: [nc], set: {realm: "a b"}}}
  expect: {status: 401, challenges: ['Digest realm="api", nonce="{nonce}"'], headers: {dpop-nonce: "{nonce}"}}
- name: raw digest
  request: {path: /x, digest: {user: lab, password: open-sesame, raw: 'Digest nonce={nonce},{response}', header: proxy-authorization}}
  expect: {status: 401}
"#;

fn case(name: &str) -> Case {
    let mut cases = parse("sending", TABLE, NOW).cases.into_iter();
    let name = format!("sending: {name}");
    cases.find(|case| case.name == name).unwrap()
}

/// A refusal with these nonces.
fn refusal() -> Observed {
    let fields = [
        ("dpop-nonce", "n-dpop"),
        ("www-authenticate", "DPoP realm=\"api\""),
        (
            "www-authenticate",
            r#"Digest realm="api", qop="auth", algorithm=SHA-256, nonce="n-sha", opaque="o-sha""#,
        ),
        (
            "www-authenticate",
            r#"Digest realm="api", qop="auth", algorithm=MD5, nonce="n-md5", opaque="o-md5""#,
        ),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("content-type", "application/json"),
    ];
    let headers = fields.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    Observed {
        status: 401,
        headers: headers.to_vec(),
        body: br#"{"error":"unauthorized","status":401}"#.to_vec(),
        ..Observed::default()
    }
}

fn header<'c>(case: &'c Case, name: &str) -> &'c str {
    let headers = &case.request.headers;
    let found = headers.iter().find(|(own, _)| own == name.as_bytes());
    std::str::from_utf8(&found.unwrap().1).unwrap()
}

fn decoded(segment: &str) -> Vec<u8> {
    Base64UrlUnpadded::decode_vec(segment).unwrap()
}

/// Header and claims of a JWS.
fn parts(jws: &str) -> [String; 2] {
    let mut segments = jws.split('.');
    [(); 2].map(|()| String::from_utf8(decoded(segments.next().unwrap())).unwrap())
}

fn json_parts(jws: &str) -> [Value; 2] {
    parts(jws).map(|part| serde_json::from_str(&part).unwrap())
}

#[test]
fn a_proof_is_right_for_its_request() {
    let case = case("proof");
    assert!(case.asks().is_none());
    let ready = case.ready(None, NOW);
    let token = header(&ready, "authorization")
        .strip_prefix("DPoP ")
        .unwrap();
    let proof = header(&ready, "dpop");
    let [head, claims] = json_parts(proof);
    let mut key = read_key("tests/keys/es256-foreign.json").public_jwk();
    for name in ["kid", "alg"] {
        key.as_object_mut().unwrap().remove(name);
    }
    assert_eq!(head, json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": key}));
    let ath = Base64UrlUnpadded::encode_string(&Sha256::digest(token));
    let jti = claims["jti"].as_str().unwrap();
    let expected = json!({"htm": "POST", "htu": "https://api.example.com/v1/~x", "iat": NOW, "ath": ath, "jti": jti});
    assert_eq!(claims, expected);
    assert!(jti.len() > 12);

    let point = [
        decoded(key["x"].as_str().unwrap()),
        decoded(key["y"].as_str().unwrap()),
    ];
    let sec1 = [&[4][..], &point.concat()].concat();
    let verifying = VerifyingKey::from_sec1_bytes(&sec1).unwrap();
    let (signed, signature) = proof.rsplit_once('.').unwrap();
    let signature = Signature::from_slice(&decoded(signature)).unwrap();
    verifying.verify(signed.as_bytes(), &signature).unwrap();

    // Another one each time, and the same at the upstream.
    let other = case.ready(None, NOW);
    assert_ne!(json_parts(header(&other, "dpop"))[1]["jti"], jti);
    let reached = |proof: &str| Observed {
        status: 200,
        upstream: Some(crate::support::case::Upstream {
            path: b"/".to_vec(),
            headers: vec![("dpop".to_owned(), proof.as_bytes().to_vec())],
        }),
        ..Observed::default()
    };
    assert_eq!(ready.check(&reached(proof)), [""; 0]);
    assert_ne!(ready.check(&reached(header(&other, "dpop"))), [""; 0]);

    // The token is bound to the key, and a member of its header is left out.
    let [head, claims] = json_parts(token);
    assert_eq!(head, json!({"alg": "ES256"}));
    assert_eq!(claims["cnf"]["jkt"].as_str().unwrap().len(), 43);
}

#[test]
fn a_proof_has_what_the_table_writes() {
    let case = case("nonce");
    let asks = case.asks().unwrap();
    assert_eq!(asks.later, 2);
    let first = asks.case.ready(None, NOW);
    assert_eq!(first.request.target, b"/y");
    let names: Vec<_> = first
        .request
        .headers
        .iter()
        .map(|(name, _)| name.as_slice())
        .collect();
    assert_eq!(names, [&b"accept"[..], b"x-a"]);
    assert_eq!(
        (&first.document["realm"], &case.document["realm"]),
        (&json!("other"), &json!("api"))
    );

    let ready = case.ready(Some(&refusal()), NOW);
    let [head, claims] = json_parts(header(&ready, "dpop"));
    let expected = json!({"htu": "https://api.example.com/x", "iat": NOW - 5, "jti": "once", "nonce": "n-dpop"});
    assert_eq!(claims, expected);
    assert_eq!(head["typ"], Value::Null);
    let key = &head["jwk"];
    assert_eq!(
        (&key["use"], &key["y"], &key["kty"]),
        (&json!("sig"), &Value::Null, &json!("EC"))
    );

    let again = ready.repeated().unwrap();
    assert_eq!(again.request.headers, ready.request.headers);
    assert!(!again.passes() && again.repeated().is_none());

    let ready = self::case("raw").ready(None, NOW).into_owned();
    let [_, claims] = parts(header(&ready, "dpop"));
    let (begin, end) = (r#"{"jti":""#, format!(r#"","jti":"b","iat":{}}}"#, NOW + 1));
    assert!(
        claims.starts_with(begin) && claims.ends_with(&end),
        "{claims}"
    );
}

#[test]
fn a_credential_of_digest_answers_the_challenge_of_its_algorithm() {
    let case = case("digest");
    assert!(
        case.asks()
            .unwrap()
            .case
            .ready(None, NOW)
            .request
            .headers
            .is_empty()
    );
    let ready = case.ready(Some(&refusal()), NOW);
    // Computed with Python.
    assert_eq!(
        header(&ready, "authorization"),
        "Digest username=\"l\\\"ab\", realm=a b, uri=\"/x\", algorithm=MD5, nonce=\"n-md5\", nc=00000001, \
         cnonce=\"abcd\", qop=auth, response=\"21aa27ac4a53e5bcd7f2994e59098725\", nc=00000001"
    );
    let ready = self::case("raw digest")
        .ready(Some(&refusal()), NOW)
        .into_owned();
    let raw = header(&ready, "proxy-authorization");
    let response = raw.strip_prefix("Digest nonce=n-sha,").unwrap();
    assert_eq!(response.len(), 64);
}

#[test]
fn what_is_wrong_with_nonces_is_found() {
    let case = case("digest");
    let with = |name: &str, value: &str, keep: bool| {
        let mut observed = refusal();
        observed
            .headers
            .retain(|(own, _)| keep || own != name && own != "www-authenticate");
        observed
            .headers
            .push((name.to_owned(), value.as_bytes().to_vec()));
        observed
    };
    let right = r#"Digest realm="api", nonce="new""#;
    let answer = |nonce: &str, challenge: &str| {
        let mut observed = with("dpop-nonce", nonce, false);
        observed
            .headers
            .push(("www-authenticate".to_owned(), challenge.as_bytes().to_vec()));
        observed
    };
    let ready = case.ready(Some(&refusal()), NOW);
    assert_eq!(ready.check(&answer("another", right)), [""; 0]);
    let readable = |exposed: &str| {
        let mut observed = answer("another", right);
        for (name, value) in [
            ("access-control-allow-origin", "*"),
            ("access-control-expose-headers", exposed),
        ] {
            observed
                .headers
                .push((name.to_owned(), value.as_bytes().to_vec()));
        }
        observed
    };
    assert_eq!(
        ready.check(&readable("WWW-Authenticate, DPoP-Nonce")),
        [""; 0]
    );
    for (what, observed) in [
        ("two", with("dpop-nonce", "another", true)),
        ("none", answer("", right)),
        ("a space", answer("a b", right)),
        ("the one before", answer("n-dpop", right)),
        (
            "the other one before",
            answer("another", r#"Digest realm="api", nonce="n-md5""#),
        ),
        (
            "an empty one",
            answer("another", r#"Digest realm="api", nonce="""#),
        ),
        ("not exposed", readable("WWW-Authenticate")),
    ] {
        assert_ne!(ready.check(&observed), [""; 0], "{what}");
    }
    let unasked = case.ready(Some(&Observed::default()), NOW);
    assert_ne!(unasked.check(&answer("another", right)), [""; 0]);
}

/// What only the client knows is looked for: parts of the proof, the response of Digest, the password.
#[test]
fn what_is_sent_is_a_secret() {
    let shows = |case: &Case, text: &str| !case.secrets().found_in(text).is_empty();
    let proof = case("proof").ready(None, NOW).into_owned();
    let text = header(&proof, "dpop").to_owned();
    let jti = json_parts(&text)[1]["jti"].as_str().unwrap().to_owned();
    for part in text.split('.').chain([&*jti]) {
        assert!(shows(&proof, part), "{part}");
    }
    let digest = case("digest");
    let digest: Cow<'_, Case> = digest.ready(Some(&refusal()), NOW);
    let text = header(&digest, "authorization");
    let response = text.split_once("response=\"").unwrap().1;
    assert!(shows(&digest, &response[..32]));
    assert!(shows(&digest, "open-sesame"));
    for public in ["algorithm=SHA-256", "username=", r#"nonce="n-md5""#] {
        assert!(!shows(&digest, public), "{public}");
    }
}
