use std::cell::Cell;
use std::sync::OnceLock;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::authenticate::jose::signature::{Pure, Signed, Unavailable};
use crate::mint::SigningKey;

const TOKEN: &[u8] = b"Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
const NOW: Timestamp = Timestamp::from_seconds(1_562_262_618);
const GET: Target<'_> = Target {
    method: b"GET",
    path: b"/v1/~x?q=1",
};

/// RFC 9449 §7.1.
const RFC_PROOF: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";

fn dpop() -> Dpop {
    Dpop {
        kind: crate::kinds::Dpop::BUILT.unwrap(),
        algorithms: [Algorithm::Es256, Algorithm::EdDsa].into_iter().collect(),
        window: Duration::from_secs(60),
        needs_nonce: false,
        origin: "https://api.example.com".into(),
    }
}

fn key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| {
        let key = SigningKey::generate(Algorithm::Es256);
        key.with_kid(None).with_algorithm(None)
    })
}

fn header() -> Value {
    json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": key().public_jwk()})
}

fn claims() -> Value {
    json!({
        "jti": "e1j3V_bKic8-LAEB", "htm": "GET", "htu": "https://api.example.com/v1/~x",
        "iat": NOW.millis() / 1000, "ath": "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"
    })
}

fn with(object: Value, name: &str, value: Value) -> Value {
    let mut object = object;
    object[name] = value;
    object
}

fn without(object: Value, name: &str) -> Value {
    let mut object = object;
    object.as_object_mut().unwrap().remove(name);
    object
}

fn sign(header: &Value, claims: &Value) -> String {
    let payload = claims.to_string();
    key()
        .sign(Algorithm::Es256, header, payload.as_bytes())
        .unwrap()
}

fn verify(proof: &str) -> Result<Proof, ProofRefusal> {
    dpop().verify(proof.as_bytes(), &GET, TOKEN, &Pure, NOW)
}

fn verify_claims(claims: &Value) -> Result<Proof, ProofRefusal> {
    verify(&sign(&header(), claims))
}

fn verify_header(header: &Value) -> Result<Proof, ProofRefusal> {
    verify(&sign(header, &claims()))
}

fn fault<T>(fault: ProofFault) -> Result<T, ProofRefusal> {
    Err(ProofRefusal::Fault(fault))
}

#[test]
fn d_02_the_example_of_rfc_9449() {
    let dpop = Dpop {
        origin: "https://resource.example.org".into(),
        ..dpop()
    };
    let target = Target {
        path: b"/protectedresource",
        ..GET
    };
    let proof = dpop.verify(RFC_PROOF.as_bytes(), &target, TOKEN, &Pure, NOW);
    let jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    assert_eq!(
        proof,
        Ok(Proof {
            thumbprint: base64url::decode_sha256(jkt).unwrap(),
            jti: "e1j3V_bKic8-LAEB".into(),
            until: Timestamp::from_millis(1_562_262_688_001),
            nonce: None,
        })
    );
}

#[test]
fn a_proof_returns_its_key_its_identifier_and_its_nonce() {
    let claims = with(claims(), "nonce", json!("eyJ7S_zG.eyJH0-Z.HX4w-7v"));
    let proof = verify_claims(&claims).unwrap();
    assert_eq!(proof.nonce.as_deref(), Some("eyJ7S_zG.eyJH0-Z.HX4w-7v"));
    assert_eq!(proof.jti, "e1j3V_bKic8-LAEB");
    let jwk = key().public_jwk().to_string();
    let Ok(Json::Object(jwk)) = json::parse(jwk.as_bytes()) else {
        panic!("no object")
    };
    assert_eq!(Some(proof.thumbprint), thumbprint(&jwk));
}

#[test]
fn a_proof_of_each_accepted_algorithm_is_valid() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es384, Algorithm::Ps256] {
        let own = SigningKey::generate(algorithm);
        let header = json!({"typ": "dpop+jwt", "alg": algorithm.name(), "jwk": own.public_jwk()});
        let proof = own.sign(algorithm, &header, claims().to_string().as_bytes());
        let dpop = Dpop {
            algorithms: AlgorithmSet::EMPTY.with(algorithm),
            ..dpop()
        };
        let proof = proof.unwrap();
        let verified = dpop.verify(proof.as_bytes(), &GET, TOKEN, &Pure, NOW);
        assert!(verified.is_ok(), "{algorithm}: {verified:?}");
    }
}

#[test]
fn d_05_a_proof_is_a_short_compact_jws() {
    let proof = sign(&header(), &claims());
    assert!(verify(&proof).is_ok());
    let (rest, signature) = proof.rsplit_once('.').unwrap();
    let (head, payload) = rest.split_once('.').unwrap();
    let json = json!({"protected": head, "payload": payload, "signature": signature});
    for text in [
        "",
        "a.b.c",
        rest,
        &json.to_string(),
        &format!("{proof}."),
        &format!(".{proof}"),
        &format!("{proof}.a"),
        &format!("{head}..{payload}..{signature}"),
        &format!("{head}.a.b.{payload}.{signature}"),
        &format!("{proof},{proof}"),
        &format!("{proof} {proof}"),
        &format!("{proof}="),
        &format!("{head}=.{payload}.{signature}"),
        &format!("{head}.{payload}=.{signature}"),
        &format!("{head}\n.{payload}.{signature}"),
        &format!(" {proof}"),
        &format!("{proof} "),
        &format!("\"{proof}\""),
        &format!("{}.{payload}.{signature}", base64url::encode(b"[]")),
        &format!("{}.{payload}.{signature}", base64url::encode(b"{}{}")),
        &format!("{}.{payload}.{signature}", base64url::encode(b"")),
    ] {
        assert_eq!(verify(text), fault(ProofFault::Malformed), "{text:?}");
    }
    assert_eq!(
        dpop().verify(b"\xff\xfe", &GET, TOKEN, &Pure, NOW),
        fault(ProofFault::Malformed)
    );
}

#[test]
fn d_05_the_length_is_bounded() {
    let padded = |length: usize| {
        // Of four characters three are octets of the payload.
        let claims = with(claims(), "pad", json!("p".repeat(length)));
        sign(&header(), &claims)
    };
    let (mut last, mut first) = (0, 65_536_usize);
    while first - last > 1 {
        let middle = last.midpoint(first);
        match verify(&padded(middle)) {
            Ok(_) => last = middle,
            Err(_) => first = middle,
        }
    }
    let length = padded(last).len();
    assert!((MAX_PROOF - 3..=MAX_PROOF).contains(&length), "{length}");
    let long = verify(&padded(first));
    assert_eq!(long, fault(ProofFault::Malformed));
    assert_eq!(verify(&padded(65_536)), fault(ProofFault::Malformed));
}

#[test]
fn d_05_extensions_and_duplicate_members_of_the_header_are_refused() {
    for (name, value) in [
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(true)),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
    ] {
        let refused = verify_header(&with(header(), name, value));
        assert_eq!(refused, fault(ProofFault::Malformed), "{name}");
    }
    let jwk = key().public_jwk();
    let other = SigningKey::generate(Algorithm::Es256).public_jwk();
    for text in [
        format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{other},"jwk":{jwk}}}"#),
        format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{jwk},"jw\u006b":{other}}}"#),
        format!(r#"{{"typ":"JWT","typ":"dpop+jwt","alg":"ES256","jwk":{jwk}}}"#),
        format!(r#"{{"alg":"none","typ":"dpop+jwt","alg":"ES256","jwk":{jwk}}}"#),
        format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{{"a":{jwk},"a":{jwk}}}}}"#),
        format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{jwk}}} x"#),
        format!("\u{feff}{{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":{jwk}}}"),
    ] {
        let payload = claims().to_string();
        let proof = key().sign_compact(Algorithm::Es256, text.as_bytes(), payload.as_bytes());
        let refused = verify(&proof.unwrap());
        assert_eq!(refused, fault(ProofFault::Malformed), "{text}");
    }
}

#[test]
fn an_escaped_name_is_the_same_name() {
    let jwk = key().public_jwk();
    let text = format!(r#"{{"typ":"dpop\u002bjwt","\u0061lg":"ES\u0032\u00356","jwk":{jwk}}}"#);
    let payload = claims().to_string().replace("\"htm\"", "\"\\u0068tm\"");
    let proof = key().sign_compact(Algorithm::Es256, text.as_bytes(), payload.as_bytes());
    assert!(verify(&proof.unwrap()).is_ok());
}

#[test]
fn d_06_each_required_claim_is_present_and_has_its_type() {
    for name in ["jti", "htm", "htu", "iat", "ath"] {
        let refused = verify_claims(&without(claims(), name));
        assert_eq!(refused, fault(ProofFault::Claims), "{name}");
        for value in [json!(null), json!([claims()[name]]), json!({}), json!(true)] {
            let claims = with(claims(), name, value);
            let refused = verify_claims(&claims);
            assert_eq!(refused, fault(ProofFault::Claims), "{claims}");
        }
    }
    for (name, value) in [
        ("iat", json!(NOW.millis().to_string())),
        ("exp", json!("1")),
        ("exp", json!(null)),
        ("nbf", json!({})),
        ("jti", json!(5)),
        ("nonce", json!(5)),
        ("nonce", json!(null)),
    ] {
        let claims = with(claims(), name, value);
        let refused = verify_claims(&claims);
        assert_eq!(refused, fault(ProofFault::Claims), "{claims}");
    }
    let text = claims().to_string();
    for payload in [
        "",
        "[]",
        "null",
        "{}",
        &format!("{text}{text}"),
        &format!("[{text}]"),
        &text.replacen('{', r#"{"htm":"POST","#, 1),
        &text.replacen('{', r#"{"ht\u006d":"GET","#, 1),
        &text.replacen('{', r#"{"a":{"b":1,"b":2},"#, 1),
        &text.replace("\"GET\"", "NaN"),
    ] {
        let proof = key().sign(Algorithm::Es256, &header(), payload.as_bytes());
        let refused = verify(&proof.unwrap());
        assert_eq!(refused, fault(ProofFault::Claims), "{payload}");
    }
}

#[test]
fn d_07_the_type_is_that_of_a_proof() {
    for typ in [
        "dpop+jwt",
        "DPOP+JWT",
        "application/dpop+jwt",
        "Application/DPoP+jwt",
    ] {
        assert!(
            verify_header(&with(header(), "typ", json!(typ))).is_ok(),
            "{typ}"
        );
    }
    for typ in [
        json!("JWT"),
        json!("at+jwt"),
        json!("dpop"),
        json!("dpop+jwt "),
        json!("dpop+jwt;v=1"),
        json!("text/dpop+jwt"),
        json!("application/application/dpop+jwt"),
        json!(""),
        json!(null),
        json!(["dpop+jwt"]),
    ] {
        let refused = verify_header(&with(header(), "typ", typ.clone()));
        assert_eq!(refused, fault(ProofFault::Type), "{typ}");
    }
    let refused = verify_header(&without(header(), "typ"));
    assert_eq!(refused, fault(ProofFault::Type));
}

#[test]
fn d_08_the_algorithm_is_accepted_and_asymmetric() {
    for alg in [
        json!("none"),
        json!("HS256"),
        json!("ES384"),
        json!("RS256"),
        json!("es256"),
        json!("ES256K"),
        json!(null),
        json!(["ES256"]),
    ] {
        let refused = verify_header(&with(header(), "alg", alg.clone()));
        assert_eq!(refused, fault(ProofFault::Algorithm), "{alg}");
    }
    let refused = verify_header(&without(header(), "alg"));
    assert_eq!(refused, fault(ProofFault::Algorithm));
    // A configuration cannot make the key that everyone can read a secret.
    let secret = SigningKey::generate(Algorithm::Hs256);
    let header = json!({"typ": "dpop+jwt", "alg": "HS256", "jwk": secret.public_jwk()});
    let proof = secret.sign(Algorithm::Hs256, &header, claims().to_string().as_bytes());
    let lax = Dpop {
        algorithms: Algorithm::ALL.into_iter().collect(),
        ..dpop()
    };
    let refused = lax.verify(proof.unwrap().as_bytes(), &GET, TOKEN, &Pure, NOW);
    assert_eq!(refused, fault(ProofFault::Algorithm));
}

#[test]
fn d_09_the_signature_is_by_the_key_of_the_proof() {
    let proof = sign(&header(), &claims());
    let (input, _) = proof.rsplit_once('.').unwrap();
    let signature = key().sign_raw(Algorithm::Es256, input.as_bytes()).unwrap();
    let der = {
        let signature = p256::ecdsa::Signature::from_slice(&signature).unwrap();
        signature.to_der().as_bytes().to_vec()
    };
    let flipped: Vec<u8> = signature.iter().map(|octet| octet ^ 1).collect();
    for other in [
        &[][..],
        &signature[..63],
        &[&signature[..], &[0]].concat(),
        &[&[0], &signature[..]].concat(),
        &[0; 64],
        &[0xff; 64],
        &flipped,
        &der,
        &[&signature[32..], &signature[..32]].concat(),
    ] {
        let refused = verify(&format!("{input}.{}", base64url::encode(other)));
        assert_eq!(refused, fault(ProofFault::Signature), "{other:?}");
    }
    // Another key signed it, and another message was signed.
    let other = with(
        header(),
        "jwk",
        SigningKey::generate(Algorithm::Es256).public_jwk(),
    );
    assert_eq!(
        verify_header(&without_names(other)),
        fault(ProofFault::Signature)
    );
    let (_, other) = RFC_PROOF.rsplit_once('.').unwrap();
    assert_eq!(
        verify(&format!("{input}.{other}")),
        fault(ProofFault::Signature)
    );
    // The periods are signed too.
    let (head, payload) = input.split_once('.').unwrap();
    let (first, rest) = payload.split_at(4);
    let moved = format!("{head}{first}.{rest}.{}", base64url::encode(&signature));
    assert!(verify(&moved).is_err());
}

/// A header whose key has neither `kid` nor `alg`.
fn without_names(mut header: Value) -> Value {
    let jwk = header["jwk"].as_object_mut().unwrap();
    jwk.remove("kid");
    jwk.remove("alg");
    header
}

/// J-47: ECDSA has a second signature for each. Both are one proof, of which the second use is a replay.
#[test]
fn d_09_the_second_signature_of_a_proof_makes_no_second_proof() {
    let proof = sign(&header(), &claims());
    let (input, signature) = proof.rsplit_once('.').unwrap();
    let octets = base64url::decode(signature.as_bytes()).unwrap();
    let signature = p256::ecdsa::Signature::from_slice(&octets).unwrap();
    let (r, s) = signature.split_scalars();
    let twin = p256::ecdsa::Signature::from_scalars(r, -*s).unwrap();
    let twin = format!("{input}.{}", base64url::encode(&twin.to_bytes()));
    assert_ne!(proof, twin);
    let one = verify(&proof);
    assert!(one.is_ok());
    assert_eq!(verify(&twin), one);
}

#[test]
fn d_10_the_key_is_public_and_fits_the_algorithm() {
    for jwk in [
        json!(null),
        json!({}),
        json!([key().public_jwk()]),
        json!(key().public_jwk().to_string()),
        key().private_jwk(),
        with(key().public_jwk(), "k", json!("AA")),
        with(key().public_jwk(), "alg", json!("ES384")),
        json!({"kty": "oct", "k": "A".repeat(43)}),
        SigningKey::generate(Algorithm::EdDsa).public_jwk(),
        SigningKey::generate(Algorithm::Es384).public_jwk(),
    ] {
        let refused = verify_header(&with(header(), "jwk", jwk.clone()));
        assert_eq!(refused, fault(ProofFault::Key), "{jwk}");
    }
    let elsewhere = json!({
        "typ": "dpop+jwt", "alg": "ES256", "kid": "a", "jku": "https://keys.example", "x5c": ["AA"]
    });
    assert_eq!(verify_header(&elsewhere), fault(ProofFault::Key));
}

#[test]
fn d_11_the_method_is_compared_exactly() {
    let proof = |method: &str| sign(&header(), &with(claims(), "htm", json!(method)));
    for (htm, method) in [
        ("GET", "POST"),
        ("get", "GET"),
        ("GET", "HEAD"),
        ("HEAD", "GET"),
        ("GET ", "GET"),
        ("", "GET"),
        ("GET", ""),
        ("CONNECT", "GET"),
    ] {
        let target = Target {
            method: method.as_bytes(),
            ..GET
        };
        let refused = dpop().verify(proof(htm).as_bytes(), &target, TOKEN, &Pure, NOW);
        assert_eq!(refused, fault(ProofFault::Method), "{htm} for {method}");
    }
    let target = Target {
        method: b"PROPFIND",
        ..GET
    };
    let accepted = dpop().verify(proof("PROPFIND").as_bytes(), &target, TOKEN, &Pure, NOW);
    assert!(accepted.is_ok());
}

#[test]
fn d_12_d_13_the_url_is_that_of_the_public_origin() {
    for (htu, is_accepted) in [
        ("https://api.example.com/v1/~x", true),
        ("HTTPS://API.EXAMPLE.COM:443/v1/%7Ex", true),
        ("https://api.example.com/v1/~x?q=2#f", true),
        ("http://api.example.com/v1/~x", false),
        ("https://api.example.com/v1/~X", false),
        ("https://api.example.com/v1/~x/", false),
        ("https://api.example.com/v1/~x%3Fq=1", false),
        ("https://internal.example.com/v1/~x", false),
        ("/v1/~x", false),
        ("", false),
    ] {
        let verified = verify_claims(&with(claims(), "htu", json!(htu)));
        match is_accepted {
            true => assert!(verified.is_ok(), "{htu}"),
            false => assert_eq!(verified, fault(ProofFault::Url), "{htu}"),
        }
    }
}

#[test]
fn d_18_a_proof_is_valid_for_the_window_and_the_skew() {
    let at = |seconds: f64, claims: &Value| {
        let now = Timestamp::from_fractional_seconds(NOW.millis() as f64 / 1000.0 + seconds);
        dpop().verify(sign(&header(), claims).as_bytes(), &GET, TOKEN, &Pure, now)
    };
    for (seconds, is_accepted) in [
        (-3600.0, false),
        (-10.001, false),
        (-10.0, true),
        (0.0, true),
        (60.0, true),
        (70.0, true),
        (70.001, false),
        (1e9, false),
        (-1e12, false),
    ] {
        let verified = at(seconds, &claims());
        match is_accepted {
            true => assert!(verified.is_ok(), "{seconds}"),
            false => assert_eq!(verified, fault(ProofFault::Time), "{seconds}"),
        }
    }
    for iat in [
        json!(0),
        json!(-1),
        json!(1e300),
        json!(-1e300),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
    ] {
        let refused = at(0.0, &with(claims(), "iat", iat.clone()));
        assert_eq!(refused, fault(ProofFault::Time), "{iat}");
    }
    let fraction = with(
        claims(),
        "iat",
        json!(NOW.millis() as f64 / 1000.0 - 69.9995),
    );
    let until = at(0.0, &fraction).unwrap().until;
    assert_eq!(until, NOW.plus(Duration::from_millis(2)));
}

#[test]
fn d_18_other_times_of_a_proof_count_too() {
    let seconds = NOW.millis() / 1000;
    for (name, time, is_accepted) in [
        ("exp", seconds - 10, false),
        ("exp", seconds - 9, true),
        ("exp", seconds + 3600, true),
        ("nbf", seconds + 11, false),
        ("nbf", seconds + 10, true),
    ] {
        let verified = verify_claims(&with(
            with(claims(), "iat", json!(seconds - 20)),
            name,
            json!(time),
        ));
        match is_accepted {
            true => assert!(verified.is_ok(), "{name}"),
            false => assert_eq!(verified, fault(ProofFault::Time), "{name}"),
        }
    }
}

#[test]
fn d_19_the_hash_is_that_of_the_token_as_sent() {
    let ath = |ath: &str, token: &[u8]| {
        let proof = sign(&header(), &with(claims(), "ath", json!(ath)));
        dpop().verify(proof.as_bytes(), &GET, token, &Pure, NOW)
    };
    let hash = |octets: &[u8]| base64url::encode(&Sha256::digest(octets));
    let own = hash(TOKEN);
    assert!(ath(&own, TOKEN).is_ok());
    let token = b"e30.e30.AQI";
    for (ath_of, token) in [
        (own.as_str(), &token[..]),
        (&format!("{own}="), TOKEN),
        (&own.replace("Eo", "Ep"), TOKEN),
        ("", TOKEN),
        (&hash(b""), TOKEN),
        (&own.to_lowercase(), TOKEN),
        // The decoded token, and the token with its scheme.
        (&hash(b"{}{}\x01\x02"), token),
        (&hash(b"DPoP e30.e30.AQI"), token),
        (&hash(token), b""),
        // The hash in hexadecimal, and a hash of another length.
        (
            "7d41f23b6af66770d9e7712c36b5816f4c565e868dcb9f48882808028",
            TOKEN,
        ),
        (&base64url::encode(&sha2::Sha512::digest(TOKEN)), TOKEN),
        (&base64url::encode(&Sha256::digest(TOKEN)[..16]), TOKEN),
    ] {
        assert_eq!(ath(ath_of, token), fault(ProofFault::Token), "{ath_of}");
    }
}

#[test]
fn d_26_the_identifier_has_a_bounded_length() {
    for (length, is_accepted) in [
        (0, false),
        (1, true),
        (512, true),
        (513, false),
        (4096, false),
    ] {
        let verified = verify_claims(&with(claims(), "jti", json!("j".repeat(length))));
        match is_accepted {
            true => assert_eq!(verified.unwrap().jti.len(), length),
            false => assert_eq!(verified, fault(ProofFault::Claims), "{length}"),
        }
    }
    // Two spellings of one string are one identifier.
    let escaped = claims()
        .to_string()
        .replace("e1j3V_bKic8-LAEB", r"\u00651j3V_bKic8-LAEB");
    let proof = key().sign(Algorithm::Es256, &header(), escaped.as_bytes());
    assert_eq!(verify(&proof.unwrap()).unwrap().jti, "e1j3V_bKic8-LAEB");
}

#[test]
fn d_32_a_websocket_over_http_2_is_a_get() {
    // Envoy presents an extended CONNECT (RFC 8441) as a GET.
    let refused = verify_claims(&with(claims(), "htm", json!("CONNECT")));
    assert_eq!(refused, fault(ProofFault::Method));
}

/// A backend that finds every signature valid or fails, and counts.
struct Fixed {
    answer: Result<bool, Unavailable>,
    calls: Cell<usize>,
}

impl Fixed {
    fn new(answer: Result<bool, Unavailable>) -> Self {
        let calls = Cell::new(0);
        Self { answer, calls }
    }
}

impl Backend for Fixed {
    fn verifies(&self, _: &Signed<'_>) -> Result<bool, Unavailable> {
        self.calls.set(self.calls.get() + 1);
        self.answer
    }
}

#[test]
fn a_host_that_fails_is_not_a_fault_of_the_proof() {
    let proof = sign(&header(), &claims());
    let with = |answer| dpop().verify(proof.as_bytes(), &GET, TOKEN, &Fixed::new(answer), NOW);
    assert_eq!(with(Err(Unavailable)), Err(ProofRefusal::Unavailable));
    assert_eq!(with(Ok(false)), fault(ProofFault::Signature));
}

/// The first fault in the order of the checks is the one that is reported, and nothing before the key costs a signature.
#[test]
fn the_faults_have_an_order() {
    let header = json!({"typ": "JWT", "alg": "none", "jwk": {}, "crit": []});
    let claims = json!({"jti": 5, "htm": "PUT", "htu": "https://evil", "ath": "", "iat": 0});
    let good = (self::header(), self::claims());
    let (mut header, mut claims) = (header, claims);
    let mut expected = Vec::new();
    let mut check =
        |header: &Value, claims: &Value, valid: bool, fault: ProofFault, calls: usize| {
            let backend = Fixed::new(Ok(valid));
            let proof = sign(header, claims);
            let refused = dpop().verify(proof.as_bytes(), &GET, TOKEN, &backend, NOW);
            assert_eq!(refused, self::fault(fault));
            assert_eq!(backend.calls.get(), calls, "{fault:?}");
            expected.push(fault);
        };
    check(&header, &claims, false, ProofFault::Malformed, 0);
    header.as_object_mut().unwrap().remove("crit");
    check(&header, &claims, false, ProofFault::Type, 0);
    for (name, next) in [("typ", ProofFault::Algorithm), ("alg", ProofFault::Key)] {
        header[name] = good.0[name].clone();
        check(&header, &claims, false, next, 0);
    }
    header["jwk"] = good.0["jwk"].clone();
    check(&header, &claims, false, ProofFault::Signature, 1);
    check(&header, &claims, true, ProofFault::Claims, 1);
    for (name, next) in [
        ("jti", ProofFault::Method),
        ("htm", ProofFault::Url),
        ("htu", ProofFault::Token),
        ("ath", ProofFault::Time),
    ] {
        claims[name] = good.1[name].clone();
        check(&header, &claims, true, next, 1);
    }
    claims["iat"] = good.1["iat"].clone();
    assert!(verify(&sign(&header, &claims)).is_ok());
    assert_eq!(expected.len(), 10);
}

/// A time in milliseconds, as a `NumericDate`: mostly near to `NOW`.
fn numeric_dates() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => (-100_000_i64..100_000).prop_map(|millis| (NOW.millis() + millis) as f64 / 1000.0),
        4 => (-100_i64..100).prop_map(|seconds| (NOW.millis() / 1000 + seconds) as f64),
        1 => any::<f64>().prop_filter("JSON has finite numbers", |number| number.is_finite()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// A use that is forgotten at `until` cannot be repeated, and no use is remembered for longer than the window and two
    /// skews.
    #[test]
    fn a_proof_is_never_accepted_when_its_use_can_be_forgotten(
        iat in numeric_dates(),
        exp in proptest::option::of(numeric_dates()),
        nbf in proptest::option::of(numeric_dates()),
        window in 1_u64..600_000,
        offset in -200_000_i64..200_000,
        later in 0_i64..1_000_000,
    ) {
        let mut claims = with(claims(), "iat", json!(iat));
        for (name, time) in [("exp", exp), ("nbf", nbf)] {
            if let Some(time) = time {
                claims = with(claims, name, json!(time));
            }
        }
        let dpop = Dpop { window: Duration::from_millis(window), ..dpop() };
        let proof = sign(&header(), &claims);
        let at = |now| dpop.verify(proof.as_bytes(), &GET, TOKEN, &Fixed::new(Ok(true)), now);
        let now = NOW.plus(Duration::from_millis(200_000)).minus(Duration::from_millis((200_000 - offset) as u64));
        if let Ok(accepted) = at(now) {
            prop_assert!(now < accepted.until);
            let kept = accepted.until.millis() - now.millis();
            prop_assert!(kept <= window as i64 + 20_001, "{kept}");
            for late in [0, 1, later] {
                let now = Timestamp::from_millis(accepted.until.millis() + late);
                prop_assert_eq!(at(now), fault(ProofFault::Time));
            }
            if exp.is_none() && nbf.is_none() {
                let last = Timestamp::from_millis(accepted.until.millis() - 1);
                prop_assert_eq!(at(last), Ok(accepted));
            }
        }
    }

    #[test]
    fn no_text_panics(proof in ".{0,200}", token in ".{0,20}") {
        let verified = dpop().verify(proof.as_bytes(), &GET, token.as_bytes(), &Pure, NOW);
        prop_assert!(verified.is_err());
    }
}
