//! Evaluates requests from arbitrary bytes of a host: header maps and properties.
//!
//! The filter must not panic. What it returns to the host must not break a header or a log line.

use std::collections::BTreeSet;

use countersign::authenticate::jose::signature::Pure;
use countersign::config;
use countersign::evaluate::{Circumstances, Decision, Outcome, evaluate};
use countersign::grammar::unprintable::escaped;
use countersign::header_map;
use countersign::mint::SigningKey;
use countersign::plan::{Plan, StateName};
use countersign::request::{Around, RequestView};
use countersign::response::{Reply, reply};
use countersign::store::Store;
use countersign::telemetry::{self, AuditLines};
use countersign::time::Timestamp;
use serde_json::{Value, json};

use super::random::Random;

const DOCUMENTS: &str = include_str!("host/documents.json");
const SECRET: &str = include_str!("../../tests/keys/hs256.json");
const EC: &str = include_str!("../../tests/keys/es256.json");

/// The time of the first request of a round, in 2026. Each further request is a little later.
const START: i64 = 1_790_000_000_000;
const REQUESTS: usize = 8;

const METHODS: [&str; 8] = [
    "GET", "HEAD", "PUT", "POST", "OPTIONS", "TRACE", "get", "CONNECT",
];
const TARGETS: [&str; 21] = [
    "/",
    "*",
    "/open/a",
    "/maybe",
    "/users/amy/orders/1",
    "/fresh",
    "/cel/x",
    "/hidden/x",
    "/near",
    "/a/b",
    "/a/%2e%2e/open//b;c?d",
    "/open?access_token=",
    "/maybe?_method=DELETE&access_token=x",
    "/.well-known/oauth-protected-resource",
    "/.well-known/oauth-protected-resource/x",
    "http://a.example.com/open",
    "/open/%",
    "/hidden/%2fx",
    "/cel/\u{e9}",
    "//user@host/x",
    "/users/a%00b/orders",
];
const NAMES: [&str; 34] = [
    ":method",
    ":path",
    ":authority",
    ":scheme",
    "host",
    "authorization",
    "proxy-authorization",
    "x-token",
    "cookie",
    "connection",
    "te",
    "upgrade",
    "origin",
    "access-control-request-method",
    "access-control-request-headers",
    "accept",
    "accept-language",
    "content-type",
    "content-length",
    "transfer-encoding",
    "x-request-id",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-forwarded-user",
    "x-auth-subject",
    "x_auth_subject",
    "x-auth-request-email",
    "x-http-method-override",
    "x-original-url",
    "x-api-version",
    "sec-fetch-mode",
    "grpc-timeout",
    "connect-protocol-version",
    "x-tenant",
];
const VALUES: [&str; 40] = [
    "",
    "GET",
    "/open",
    "a.example.com",
    "A.EXAMPLE.com.:443",
    "[::1]:80",
    "a,b",
    "https",
    "http",
    "Bearer",
    "Bearer a.b.c",
    "Basic eDp5",
    "Bearer x, Bearer y",
    "session=a; session=b",
    "close, authorization",
    "trailers",
    "websocket",
    "https://app.example.com",
    "https://evil.example",
    "null",
    "PUT",
    "authorization, x-a",
    "text/html,application/xhtml+xml;q=0.9,*/*;q=0.1",
    "application/json",
    "application/problem+json;q=0.5",
    "*/*;q=0",
    "application/grpc",
    "application/grpc-web+proto",
    "application/connect+json",
    "0",
    "17",
    "2",
    "2, 1",
    "navigate",
    "root",
    "DELETE",
    "4bf92f35-77b3.A_1",
    "\u{202e}\u{9b}2J",
    "de;q=0.3",
    "chunked",
];
const TEXTS: [&str; 9] = [
    "orders",
    "legacy-route",
    "frozen",
    "partners",
    "",
    "10.1.2.3:80",
    "[::ffff:10.9.0.1]:1",
    "192.0.2.1:x",
    "orders\0partners",
];

/// The configurations and the tokens of a run.
pub struct Policies {
    plans: Vec<Plan>,
    tokens: Vec<String>,
}

impl Policies {
    /// # Panics
    /// A configuration or a key is not valid.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        let keys = [SECRET, EC].map(|text| {
            let jwk: Value = serde_json::from_str(text).expect("a key is JSON");
            SigningKey::from_jwk(&jwk).expect("a key")
        });
        let secret: Value = serde_json::from_str(SECRET).expect("a key is JSON");
        let jwks = json!({"keys": [secret, keys[1].public_jwk()]});
        let text = DOCUMENTS.replace("\"KEYS\"", &jwks.to_string());
        let documents: Vec<Value> = serde_json::from_str(&text).expect("the documents are JSON");
        let plan = |document: &Value| match config::load(document.to_string().as_bytes()) {
            Ok(loaded) => loaded.plan,
            Err(faults) => panic!("{faults:?}"),
        };
        let mut plans: Vec<_> = documents.iter().map(plan).collect();
        plans.push(Plan::refuse_all());
        Self {
            plans,
            tokens: tokens(&keys),
        }
    }
}

fn tokens(keys: &[SigningKey]) -> Vec<String> {
    let start = START / 1000;
    let claims = [
        json!({"iss": "https://login.example.com", "aud": "orders", "sub": "amy", "exp": start + 9_000, "iat": start,
            "scope": "orders:admin", "realm": {"roles": ["clerk", "admin"]}, "groups": ["emea"], "level": 3, "tenant": "red",
            "acr": "urn:example:mfa", "auth_time": start}),
        json!({"iss": "https://login.example.com", "aud": "orders", "sub": "bob\u{202e}\n", "exp": start + 9_000}),
        json!({"iss": "https://login.example.com", "aud": "orders", "sub": "mallory", "exp": start + 9_000}),
        json!({"iss": "https://login.example.com", "aud": "orders", "sub": "amy", "exp": start - 9_000}),
        json!({"iss": "https://login.microsoftonline.com/x/v2.0", "aud": "a", "tid": "x", "exp": start + 9_000}),
    ];
    let mut tokens = Vec::new();
    for key in keys {
        let algorithm = key.algorithm().expect("a key names its algorithm");
        let mut header = json!({"alg": algorithm.name()});
        if let Some(kid) = key.kid() {
            header["kid"] = json!(kid);
        }
        for claims in &claims {
            let claims = claims.to_string();
            tokens.push(
                key.sign(algorithm, &header, claims.as_bytes())
                    .expect("a signature"),
            );
        }
    }
    tokens
}

/// Evaluates the requests of one round. Returns the kind of the last result.
///
/// # Errors
/// What is returned to the host is not valid.
pub fn check(policies: &Policies, random: &mut Random) -> Result<&'static str, String> {
    let plan = &policies.plans[random.below(policies.plans.len())];
    let mut store = plan.empty_store();
    let mut came_to = "";
    for number in 0..REQUESTS {
        let now = Timestamp::from_millis(START + 400 * number as i64);
        came_to = play(policies, plan, &mut store, now, random)?;
    }
    Ok(came_to)
}

/// Evaluates one request in the same way as the host's part of the filter.
fn play(
    policies: &Policies,
    plan: &Plan,
    store: &mut Store,
    now: Timestamp,
    random: &mut Random,
) -> Result<&'static str, String> {
    // A request that is nearly permitted reaches more code than a request with many faults.
    let is_tame = random.below(2) == 0;
    let map = header_map_of(policies, is_tame, random);
    let Some(headers) = header_map::parse(&map) else {
        return Ok("no header map");
    };
    check_trailers(plan, &headers)?;
    let [name, policy, mut address] = [(); 3].map(|()| property(random));
    if is_tame {
        address = Some(b"10.1.2.3:80".to_vec());
    }
    let Some(texts) = policy
        .as_deref()
        .map_or(Some(Vec::new()), header_map::texts)
    else {
        return Ok("no list");
    };
    let client = address.as_deref().and_then(header_map::address);
    let mut request = RequestView::around(Around {
        has_more: random.below(2) == 0,
        over_tls: random.below(4) > 0,
        client,
        route: name.as_deref(),
        policies: texts,
        was_changed: random.below(8) == 0,
        peer: None,
    });
    request
        .read(&map)
        .ok_or("the same header map cannot be read twice")?;
    let mut settled = Vec::new();
    loop {
        let circumstances = Circumstances {
            settled: &settled,
            backend: &Pure,
            now: now.into(),
        };
        match evaluate(plan, &request, store, circumstances, &mut ()) {
            Outcome::Decided(mut decision, effects) => {
                decision.commit(effects, store, (plan, &request), now);
                let reply = reply(&decision, &plan.presentation, &request, now);
                check_decision(&decision, reply.as_ref(), &request)?;
                let mut lines = AuditLines::default();
                let line = lines.write(&decision, reply.as_ref(), &request, client, now);
                check_line(line)?;
                return Ok(match (decision.passage(), decision.principal()) {
                    (Some(_), Some(_)) => "a caller passes",
                    (Some(_), None) => "passes",
                    (None, _) => "is answered",
                });
            }
            Outcome::Needs(fetch, _) if settled.len() < 4 => settled.push(fetch),
            Outcome::Needs(..) => {
                return Err("a fetch that has ended is requested again".to_owned());
            }
        }
    }
}

fn check_trailers(plan: &Plan, headers: &[(&[u8], &[u8])]) -> Result<(), String> {
    let sent: BTreeSet<_> = headers.iter().map(|(name, _)| *name).collect();
    let mut stripped = plan.stripped_from_trailers(headers).into_iter();
    match stripped.find(|name| !sent.contains(name.as_bytes())) {
        None => Ok(()),
        Some(name) => Err(format!("a trailer that was not sent is removed: {name:?}")),
    }
}

fn check_decision(
    decision: &Decision<'_>,
    reply: Option<&Reply>,
    request: &RequestView<'_>,
) -> Result<(), String> {
    let passes = decision.passage().is_some();
    if !passes && reply.is_none() {
        return Err("the request is neither forwarded nor answered".to_owned());
    }
    if let Some(reply) = reply {
        let headers: Vec<_> = reply.headers.iter().collect();
        for (name, value) in &headers {
            check_header(name, value)?;
        }
        let mut map = Vec::new();
        reply.headers.write_to(&mut map);
        let parsed = header_map::parse(&map).ok_or("the reply's header map is not read")?;
        let is_same = parsed
            .iter()
            .zip(&headers)
            .all(|((name, value), (own, its))| *name == own.as_bytes() && *value == its.as_bytes());
        if !is_same || parsed.len() != headers.len() || !(200..600).contains(&reply.status) {
            return Err(format!("the reply is damaged: {headers:?}"));
        }
    }
    if passes {
        for name in &decision.forward.remove {
            if !request.names().any(|sent| sent == name.as_bytes()) {
                return Err(format!("a header that was not sent is removed: {name:?}"));
            }
        }
        for (name, value) in &decision.forward.set {
            // The rest of these headers stays as the client sent it.
            let is_rest = ["cookie", "connection"].contains(name);
            if !is_rest {
                check_header(name, value)?;
            }
        }
    }
    for (name, value) in telemetry::filter_state(decision, &StateName::ALL) {
        if value.chars().any(char::is_control) {
            return Err(format!("{name} has control characters: {value:?}"));
        }
    }
    Ok(())
}

fn check_header(name: &str, value: &str) -> Result<(), String> {
    let is_damaged = name.is_empty()
        || [name, value]
            .iter()
            .any(|text| text.contains(['\r', '\n', '\0']));
    match is_damaged {
        true => Err(format!("a header that ends early: {name:?}: {value:?}")),
        false => Ok(()),
    }
}

fn check_line(line: &str) -> Result<(), String> {
    let is_object = serde_json::from_str::<Value>(line).is_ok_and(|value| value.is_object());
    match is_object && escaped(line) == line {
        true => Ok(()),
        false => Err(format!("an invalid audit line: {line:?}")),
    }
}

/// The header map of a request, which is often invalid.
fn header_map_of(policies: &Policies, is_tame: bool, random: &mut Random) -> Vec<u8> {
    let text = |text: &str| text.as_bytes().to_vec();
    let method = if is_tame {
        "GET"
    } else {
        random.pick(&METHODS)
    };
    let mut headers = vec![
        (text(":method"), text(method)),
        (text(":path"), text(random.pick(&TARGETS))),
        (text(":authority"), text("a.example.com")),
    ];
    if is_tame {
        headers.push((text("x-forwarded-proto"), text("https")));
    }
    let token = |random: &mut Random| {
        let known = if is_tame { 1 } else { policies.tokens.len() };
        policies.tokens[random.below(known)].clone()
    };
    if random.below(2) == 0 {
        let shown = token(random);
        headers.push(match random.below(4) {
            0 => (text("authorization"), text(&format!("Bearer {shown}"))),
            1 => (text("x-token"), text(&shown)),
            2 => (text("cookie"), text(&format!("a=b; session={shown}"))),
            _ => (text("authorization"), text(&format!("bearer  {shown} "))),
        });
    }
    for _ in 0..random.below(if is_tame { 3 } else { 6 }) {
        let value = match random.below(8) {
            0 => token(random).into_bytes(),
            1 => (0..random.below(20))
                .map(|_| random.below(256) as u8)
                .collect(),
            _ => text(random.pick(&VALUES)),
        };
        headers.push((text(random.pick(&NAMES)), value));
    }
    for (name, value) in &mut headers {
        if random.below(24) == 0 {
            let bytes = if random.below(4) == 0 { name } else { value };
            mutate(bytes, random);
        }
    }
    let mut map = written(&headers);
    if random.below(8) == 0 {
        mutate(&mut map, random);
    }
    map
}

/// The header map with these names and values, which can be any bytes.
fn written(headers: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let number = |number: usize| u32::try_from(number).expect("a short map").to_le_bytes();
    let mut map = number(headers.len()).to_vec();
    for (name, value) in headers {
        map.extend(number(name.len()));
        map.extend(number(value.len()));
    }
    for (name, value) in headers {
        for bytes in [name, value] {
            map.extend_from_slice(bytes);
            map.push(0);
        }
    }
    map
}

/// A property of a host: none, a text or a list.
fn property(random: &mut Random) -> Option<Vec<u8>> {
    let mut property = match random.below(6) {
        0 => return None,
        1 => (0..random.below(20))
            .map(|_| random.below(256) as u8)
            .collect(),
        2 | 3 => random.pick(&TEXTS).as_bytes().to_vec(),
        _ => {
            let entries = (0..random.below(4)).map(|_| {
                let entry = random.pick(&TEXTS).as_bytes().to_vec();
                (entry, Vec::new())
            });
            let entries: Vec<_> = entries.collect();
            written(&entries)
        }
    };
    if random.below(6) == 0 {
        mutate(&mut property, random);
    }
    Some(property)
}

fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(3) {
        let place = random.below(bytes.len() + 1);
        match random.below(5) {
            0 => bytes.truncate(place),
            1 => bytes.insert(place, random.below(256) as u8),
            2 => bytes.insert(place, random.pick(b"\0\r\n\t ,;=\"%\x7f\xff/\\:.")),
            _ if place == bytes.len() => bytes.push(0),
            3 => bytes[place] = random.below(256) as u8,
            _ => {
                bytes.remove(place);
            }
        }
    }
}
