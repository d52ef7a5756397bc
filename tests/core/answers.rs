//! Properties of every answer, over random documents and requests:
//!
//! 1. a 401 or 407 has a challenge, and every challenge parses back to what the document means by it;
//! 2. no byte of the request stands in a challenge;
//! 3. every body is valid for its type.

use std::cell::RefCell;
use std::collections::BTreeSet;

use countersign::authenticate::jose::signature::{Algorithm, Pure};
use countersign::config;
use countersign::evaluate::{Circumstances, Decision, Outcome, evaluate};
use countersign::reject::{Code, Reject};
use countersign::request::RequestView;
use countersign::response::body::ErrorBody;
use countersign::response::{Prepared, Reply, reply, write_reply};
use countersign::time::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use crate::support::challenge::{self, Parsed};
use crate::support::token::read_key;

const NOW: i64 = 1_800_000_000;
/// Stands in every part of a request that its sender chooses.
const MARK: &str = "zQ7xWv";
const ORIGIN: &str = "https://app.example.com";
const METADATA: &str = "https://api.example.com/.well-known/oauth-protected-resource/mcp";

/// What a document says that its challenges must say.
#[derive(Debug, Clone)]
struct Meant {
    realm: String,
    scopes: Vec<String>,
    acr: Vec<String>,
    max_age: Option<u64>,
    document: Value,
}

fn documents() -> impl Strategy<Value = Meant> {
    let switches = proptest::collection::vec(any::<bool>(), 10);
    (
        "[ -~]{0,12}",
        proptest::collection::btree_set("[a-z][!#-\\[\\]-~]{0,7}", 0..4),
        proptest::collection::btree_set("[a-z][!#-\\[\\]-~]{0,7}", 0..3),
        proptest::option::of(0_u64..100_000),
        proptest::sample::select(&["negotiate", "json", "problem", "text", "html", "none"]),
        switches,
    )
        .prop_map(|(realm, scopes, acr, max_age, body, switches)| {
            meant(realm, scopes, acr, max_age, body, &switches)
        })
}

fn meant(
    realm: String,
    scopes: BTreeSet<String>,
    acr: BTreeSet<String>,
    max_age: Option<u64>,
    body: &str,
    switches: &[bool],
) -> Meant {
    let key = read_key("tests/keys/es256.json");
    let jwt = json!({"issuer": "https://as", "audiences": ["api"], "jwks": {"inline": {"keys": [key.public_jwk()]}}});
    let mut require = json!({});
    if !scopes.is_empty() {
        require["scopes"] = json!(scopes);
    }
    if !acr.is_empty() {
        require["acr"] = json!(acr);
    }
    if let Some(seconds) = max_age {
        require["max_age"] = json!(format!("{seconds}s"));
    }
    let mut guarded = json!({"name": "guarded", "match": {"paths": ["/guarded/**"]}});
    if require != json!({}) {
        guarded["require"] = require;
    }
    let mut hidden = guarded.clone();
    hidden["name"] = json!("hidden");
    hidden["match"] = json!({"paths": ["/hidden/**"]});
    hidden["on_forbidden"] = json!("not_found");
    let mut document = json!({
        "realm": realm,
        "origin": "https://api.example.com",
        "providers": [{"name": "as", "jwt": jwt}],
        "rules": [
            guarded,
            hidden,
            {"name": "open", "match": {"paths": ["/open"]}, "allow": "optional"},
            {"name": "fixed", "match": {"paths": ["/fixed"]}, "respond": {"status": 418, "body": {"error": "teapot"}}},
        ],
        "responses": {
            "body": body,
            "forbidden_challenge": switches[0],
            "challenge_scope": switches[1],
            "hints": switches[2],
            "error_description": switches[3],
        },
        "protect_as": if switches[4] { "proxy" } else { "origin" },
    });
    let mut set = |switch: usize, place: &str, value: Value| {
        if switches[switch] {
            let (parent, name) = place.rsplit_once('/').expect("a pointer");
            document.pointer_mut(parent).expect("it is there")[name] = value;
        }
    };
    set(
        5,
        "/responses/documentation",
        json!("https://docs.example.com/errors"),
    );
    set(
        6,
        "/responses/request_access",
        json!("https://help.example.com/access"),
    );
    set(
        7,
        "/responses/login",
        json!({"uri": "https://login.example.com/?to={url}"}),
    );
    set(
        8,
        "/cors",
        json!({"allow_origins": [ORIGIN], "preflight": "answer"}),
    );
    set(
        9,
        "/resource_metadata",
        json!({"resource": "https://api.example.com/mcp", "authorization_servers": ["https://as"]}),
    );
    Meant {
        realm,
        scopes: scopes.into_iter().collect(),
        acr: acr.into_iter().collect(),
        max_age,
        document,
    }
}

type Fields = Vec<(&'static str, Vec<u8>)>;

fn requests(tokens: Vec<String>) -> impl Strategy<Value = Fields> {
    let paths = [
        "/guarded/zQ7xWv",
        "/hidden/zQ7xWv?zQ7xWv",
        "/open",
        "/fixed",
        "/zQ7xWv",
        "/a//zQ7xWv",
        "/%zQ7xWv",
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-protected-resource/zQ7xWv",
    ];
    let accepts = [
        "",
        "*/*",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "application/problem+json",
        "text/plain",
        "zQ7xWv",
        "application/json;q=0.5, text/html;q=0.4",
    ];
    let credentials = tokens
        .into_iter()
        .map(|token| format!("Bearer {token}"))
        .chain([
            "".to_owned(),
            "Bearer".to_owned(),
            format!("Bearer {MARK}"),
            format!("Bearer {MARK} {MARK}"),
            format!("{MARK} a"),
            format!("Bearer realm=\"{MARK}\""),
        ]);
    // Browsers navigate by GET, and what only they get must come often enough to be seen every time.
    let methods = [
        "GET", "GET", "GET", "HEAD", "POST", "OPTIONS", "TRACE", "zQ7xWv",
    ];
    let content_types = [
        "",
        "application/grpc",
        "application/grpc+proto",
        "application/grpc-web",
        "zQ7xWv",
    ];
    (
        proptest::sample::select(methods.to_vec()),
        proptest::sample::select(paths.to_vec()),
        proptest::sample::select(credentials.collect::<Vec<_>>()),
        proptest::sample::select(accepts.to_vec()),
        proptest::sample::select(content_types.to_vec()),
        proptest::sample::select(&["", ORIGIN, "https://zQ7xWv"][..]),
        proptest::sample::select(&["", "navigate", "navigate", "cors"][..]),
        proptest::collection::vec(any::<u8>(), 0..8),
    )
        .prop_map(
            |(method, path, credential, accept, content_type, origin, mode, noise)| {
                let mut fields: Fields = vec![
                    (":method", method.into()),
                    (":path", path.into()),
                    (":authority", b"api.example.com".to_vec()),
                    ("x-noise", [MARK.as_bytes(), &noise].concat()),
                    ("x-request-id", MARK.into()),
                    ("access-control-request-method", MARK.into()),
                ];
                for (name, value) in [
                    ("authorization", credential.as_str()),
                    ("proxy-authorization", credential.as_str()),
                    ("accept", accept),
                    ("content-type", content_type),
                    ("origin", origin),
                    ("sec-fetch-mode", mode),
                ] {
                    if !value.is_empty() {
                        fields.push((name, value.into()));
                    }
                }
                fields
            },
        )
}

/// A good token, one without scopes, one that expired, one of another key's signature.
fn tokens() -> Vec<String> {
    let key = read_key("tests/keys/es256.json");
    let foreign = read_key("tests/keys/es256-foreign.json");
    let claims = |exp: i64| {
        json!({"iss": "https://as", "aud": "api", "sub": MARK, "exp": exp, "jti": MARK}).to_string()
    };
    let header = json!({"alg": "ES256", "kid": key.kid()});
    [(&key, NOW + 300), (&key, NOW - 300), (&foreign, NOW + 300)]
        .map(|(key, exp)| {
            key.sign(Algorithm::Es256, &header, claims(exp).as_bytes())
                .expect("signed")
        })
        .to_vec()
}

/// Statuses and errors that must be among the answers.
const EXPECTED: [(u16, &str); 14] = [
    (401, "unauthorized"),
    (401, "invalid_token"),
    (401, "insufficient_user_authentication"),
    (407, "unauthorized"),
    (400, "invalid_request"),
    (400, "ambiguous_path"),
    (403, "insufficient_scope"),
    (403, "forbidden"),
    (403, "invalid_origin"),
    (404, "not_found"),
    (405, "method_not_allowed"),
    (418, "respond"),
    (302, "unauthorized"),
    (200, "none"),
];

fn error_of(reply: &Reply) -> &'static str {
    reply.error.map_or("none", Code::name)
}

#[test]
fn every_answer_keeps_its_promises() {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let schema = settings
        .into_generator()
        .into_root_schema_for::<ErrorBody<'_>>();
    let schema = jsonschema::validator_for(schema.as_value()).expect("a schema");
    let mut runner = TestRunner::new(Config {
        cases: 4000,
        failure_persistence: None,
        ..Config::default()
    });
    let seen = RefCell::new(BTreeSet::new());
    let strategy = (documents(), requests(tokens()));
    let judge = |(meant, fields): (Meant, Fields)| {
        let loaded = config::load_value(&meant.document);
        let plan = loaded
            .map_err(|faults| TestCaseError::fail(format!("{faults:?}")))?
            .plan;
        let pairs = fields
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_slice()));
        let request = RequestView::new(pairs.collect());
        let now = Timestamp::from_seconds(NOW);
        let outcome = evaluate(
            &plan,
            &request,
            &plan.empty_store(),
            Circumstances::new(&Pure, now),
            &mut (),
        );
        let Outcome::Decided(decision, _) = outcome else {
            return Err(TestCaseError::fail("the keys are in the document"));
        };
        let looks = (&plan.presentation, &Prepared::new(&plan));
        let mut own = Reply::default();
        let is_answered = write_reply(&decision, looks, &request, now.into(), &mut own);
        let anew = reply(&decision, &plan.presentation, &request, now);
        prop_assert_eq!(is_answered.then_some(own), anew.clone());
        if let Some(reply) = anew {
            seen.borrow_mut().insert((reply.status, error_of(&reply)));
            check_challenges(&meant, &decision, &reply)?;
            check_body(&reply, request.is_grpc(), &schema)?;
        }
        Ok(())
    };
    let missing = || {
        let seen = seen.borrow();
        EXPECTED.iter().find(|expected| !seen.contains(expected))
    };
    // What never came was never tested, and what is rare may not be among the first requests.
    for _ in 0..5 {
        let result = runner.run(&strategy, judge);
        result.unwrap_or_else(|fault| panic!("{fault}"));
        if missing().is_none() {
            return;
        }
    }
    panic!("{:?} never came: {seen:?}", missing());
}

fn check_challenges(
    meant: &Meant,
    decision: &Decision<'_>,
    reply: &Reply,
) -> Result<(), TestCaseError> {
    let challenges: Vec<&str> = reply
        .headers
        .iter()
        .filter(|(name, _)| name.ends_with("-authenticate"))
        .map(|(_, value)| value)
        .collect();
    if matches!(reply.status, 401 | 407) {
        prop_assert!(!challenges.is_empty(), "no challenge: {reply:?}");
    }
    for text in challenges {
        prop_assert!(
            !text.contains(MARK) || meant.document.to_string().contains(MARK),
            "{text}"
        );
        let parsed = challenge::parse(text).map_err(TestCaseError::fail)?;
        check_meaning(meant, decision, reply, &parsed)?;
    }
    Ok(())
}

fn check_meaning(
    meant: &Meant,
    decision: &Decision<'_>,
    reply: &Reply,
    parsed: &Parsed,
) -> Result<(), TestCaseError> {
    let says = |switch: &str| meant.document["responses"][switch] == true;
    let joined = |words: &[String]| Some(words.join(" ")).filter(|text| !text.is_empty());
    let scope = joined(&meant.scopes);
    let is_guarded = matches!(decision.rule_name(), Some("guarded" | "hidden"));
    let weak = matches!(decision.refusal(), Some(Reject::Authentication(_)));
    prop_assert_eq!(parsed.scheme.as_str(), "Bearer");
    prop_assert_eq!(parsed.get("realm"), Some(meant.realm.as_str()));
    let error = Some(error_of(reply)).filter(|error| *error != "unauthorized");
    prop_assert_eq!(parsed.get("error"), error);
    prop_assert_eq!(
        parsed.get("error_description").is_some(),
        error.is_some() && says("error_description")
    );
    let names_scope = match error_of(reply) {
        "insufficient_scope" | "insufficient_user_authentication" => is_guarded,
        // A rule that hides has no scopes to name.
        "unauthorized" | "invalid_token" => {
            decision.rule_name() == Some("guarded") && says("challenge_scope")
        }
        _ => false,
    };
    prop_assert_eq!(
        parsed.get("scope").map(str::to_owned),
        scope.filter(|_| names_scope)
    );
    prop_assert_eq!(
        parsed.get("acr_values").map(str::to_owned),
        joined(&meant.acr).filter(|_| weak)
    );
    let max_age = meant
        .max_age
        .filter(|_| weak)
        .map(|seconds| seconds.to_string());
    prop_assert_eq!(parsed.get("max_age").map(str::to_owned), max_age);
    let has_metadata = meant.document.get("resource_metadata").is_some();
    prop_assert_eq!(
        parsed.get("resource_metadata"),
        has_metadata.then_some(METADATA)
    );
    Ok(())
}

fn check_body(
    reply: &Reply,
    is_grpc: bool,
    schema: &jsonschema::Validator,
) -> Result<(), TestCaseError> {
    let content_type = reply
        .headers
        .iter()
        .find(|(name, _)| *name == "content-type")
        .map(|(_, value)| value);
    if is_grpc && reply.error.is_some() {
        // The host makes it the message.
        prop_assert_eq!(content_type, None);
        prop_assert!(reply.headers.iter().any(|(name, _)| name == "grpc-status"));
        prop_assert!(!reply.body.contains(['{', '<', '\n']), "{:?}", reply.body);
        return Ok(());
    }
    match content_type {
        None => prop_assert_eq!(&reply.body, ""),
        Some("application/json" | "application/problem+json") => {
            let body: Value = serde_json::from_str(&reply.body)
                .map_err(|fault| TestCaseError::fail(fault.to_string()))?;
            let is_worded = !matches!(error_of(reply), "none" | "respond") && reply.status != 404;
            if is_worded {
                prop_assert!(schema.is_valid(&body), "{body}");
                prop_assert_eq!(&body["status"], &json!(reply.status));
            }
        }
        Some("text/html; charset=utf-8") => {
            prop_assert!(reply.body.starts_with("<!DOCTYPE html>"), "{}", reply.body);
            prop_assert!(!reply.body.contains("<script"));
        }
        Some("text/plain; charset=utf-8") => {
            prop_assert!(reply.body.chars().all(|c| c == '\n' || !c.is_control()));
        }
        Some(other) => return Err(TestCaseError::fail(format!("content of the type {other}"))),
    }
    Ok(())
}
