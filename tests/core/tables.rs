//! Every table of `tests/cases/` against the core alone, in milliseconds.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use countersign::authenticate::jose::signature::{AlgorithmSet, Chosen, Pure};
use countersign::config;
use countersign::evaluate::{Asked, Circumstances, Decision, Fetch, Outcome, evaluate};
use countersign::introspector::Introspector;
use countersign::plan::Plan;
use countersign::ports::{Call, CallId, NotSent, Outbound, Response};
use countersign::request::RequestView;
use countersign::response::{Prepared, Reply, reply, write_reply};
use countersign::store::Store;
use countersign::telemetry::AuditLines;
use countersign::time::{Now, Timestamp};
use serde_json::json;

use crate::support;
use crate::support::case::{Case, Observed, Route, Upstream, load_all};
use crate::support::certificate::Certificate;

/// Header fields as the host hands them over: names in lower case, pseudo-header fields first.
type Fields = Vec<(Vec<u8>, Vec<u8>)>;

#[test]
fn every_table_holds_in_the_core() {
    let now = support::now();
    let tables = load_all(now);
    let cases: Vec<&Case> = tables
        .iter()
        .flat_map(|table| &table.cases)
        .filter(|case| case.is_selected())
        .collect();
    let mut failures = Vec::new();
    for case in &cases {
        for (what, differences) in judged(case, now) {
            if !differences.is_empty() {
                let differences = differences.join("\n      ");
                failures.push(format!("{} ({what})\n      {differences}", case.name));
            }
        }
    }
    let rows: BTreeSet<&String> = cases.iter().flat_map(|case| &case.rows).collect();
    support::say(&format!(
        "in the core: {} cases, {} rows, {} failures",
        cases.len(),
        rows.len(),
        failures.len()
    ));
    assert!(!cases.is_empty(), "no case is selected");
    assert!(
        failures.is_empty(),
        "{} failures:\n  {}",
        failures.len(),
        failures.join("\n  ")
    );
}

/// What differs, each time that a case is judged.
fn judged(case: &Case, now: i64) -> Vec<(&'static str, Vec<String>)> {
    let now = case.at.unwrap_or(now);
    let asks = case.asks();
    let mut other = asks
        .filter(|asks| asks.case.document != case.document)
        .map(|asks| Memory::of(&asks.case));
    let mut play = |memory: &mut Memory| {
        let refusal = asks.map(|asks| {
            let first = asks.case.ready(None, now);
            other.as_mut().unwrap_or(memory).judge(&first, now)
        });
        let now = now + asks.map_or(0, |asks| i64::from(asks.later));
        let ready = case.ready(refusal.as_ref(), now);
        let differences = ready.check(&memory.judge(&ready, now));
        let again = ready.repeated();
        let again = again.map(|again| again.check(&memory.judge(&again, now)));
        (differences, again)
    };
    let mut memory = Memory::of(case);
    match play(&mut memory) {
        (first, Some(again)) => vec![("first", first), ("again", again)],
        // Judged by one memory again and again: what is remembered must change no answer.
        (first, None) => {
            let (marked, warm) = (play(&mut memory).0, play(&mut memory).0);
            vec![
                ("empty memory", first),
                ("marked memory", marked),
                ("warm memory", warm),
            ]
        }
    }
}

/// A document, and what is remembered under it.
pub struct Memory {
    plan: Plan,
    prepared: Prepared,
    store: Store,
    backend: Chosen<Pure>,
}

impl Memory {
    pub fn of(case: &Case) -> Self {
        let plan = match config::load_value(&case.document) {
            Ok(loaded) => loaded.plan,
            Err(faults) => panic!("{}: the document is refused: {faults:?}", case.name),
        };
        hold_back(case, &format!("{plan:?}"));
        // As many keys are tried for a token as if the host verified its signature.
        let by_host = plan.crypto.choose(|| AlgorithmSet::TESTED);
        Self {
            store: plan.empty_store(),
            backend: Chosen::new(Pure, by_host.unwrap_or_default()),
            prepared: Prepared::new(&plan),
            plan,
        }
    }

    pub fn judge(&mut self, case: &Case, now: i64) -> Observed {
        let now = Timestamp::from_seconds(now);
        let fields = fields(case);
        let pairs = fields.iter();
        let pairs = pairs.map(|(name, value)| (name.as_slice(), value.as_slice()));
        let route = case.route();
        let policies = route.map(Route::policies).unwrap_or_default();
        // The tests' Envoy is asked from there.
        let client = Some(Ipv4Addr::LOCALHOST.into());
        let peer = case.request.certificate().map(Certificate::known);
        let peer = peer.unwrap_or_default();
        let request = RequestView::new(pairs.collect())
            .over_tls(case.request.is_over_tls())
            .from_client(client)
            .from_peer(&peer)
            .on_route(
                route.and_then(|route| Some(route.name.as_ref()?.as_bytes())),
                policies.iter().map(String::as_bytes).collect(),
            );
        let Self {
            plan,
            prepared,
            store,
            backend,
        } = self;
        let (mut settled, mut printed) = (Vec::new(), String::new());
        let (mut decision, effects) = loop {
            let circumstances = Circumstances {
                settled: &settled,
                backend,
                now: now.into(),
            };
            let outcome = evaluate(plan, &request, store, circumstances, &mut ());
            printed.push_str(&format!("{outcome:?}"));
            match outcome {
                Outcome::Decided(decision, effects) => break (decision, effects),
                Outcome::Needs(fetch, _) => {
                    introspect(&fetch, plan, store, case, now);
                    settled.push(fetch);
                }
            }
        };
        decision.commit(effects, store, (plan, &request), now);
        let reply = reply(&decision, &plan.presentation, &request, now);
        let looks = (&plan.presentation, &*prepared);
        let mut own = Reply::default();
        let is_answered = write_reply(&decision, looks, &request, Now::At(now), &mut own);
        assert_eq!(is_answered.then_some(own), reply, "{}", case.name);
        let mut lines = AuditLines::default();
        let audited = lines.write(&decision, reply.as_ref(), &request, client, now);
        hold_back(case, audited);
        hold_back(case, &printed);
        match reply {
            Some(reply) if decision.passage().is_none() => answered(reply, &request),
            _ => passed(&decision, &fields),
        }
    }
}

/// Asks the authorization server of the table about a token.
fn introspect(fetch: &Fetch, plan: &Plan, store: &mut Store, case: &Case, now: Timestamp) {
    let Fetch::Introspection(Asked {
        provider,
        id,
        token,
        ..
    }) = fetch
    else {
        panic!("{}: the keys are in the document", case.name);
    };
    let servers = &plan.policy.as_ref().unwrap().servers;
    let mut introspector = Introspector::new(servers);
    let token = str::from_utf8(token).unwrap();
    let event = introspector.ask(*provider, *id, token.as_bytes(), &mut Server);
    assert!(event.is_none(), "{}: {event:?}", case.name);
    let inactive = json!({"active": false});
    let answer = case.answers.get(token).unwrap_or(&inactive);
    let status = answer.as_u64().map(|status| u16::try_from(status).unwrap());
    let response = Response {
        status: status.unwrap_or(200),
        headers: Vec::new(),
        body: answer.to_string().into_bytes(),
    };
    let event = introspector.respond(CALL, Some(&response), now).unwrap();
    if let Ok((answer, until)) = event.result {
        store.introspections.keep(event.id, answer, now, until);
    }
}

const CALL: CallId = CallId(1);

/// Accepts every call. `src/introspector/tests.rs` checks what is sent.
struct Server;

impl Outbound for Server {
    fn send(&mut self, _: &Call<'_>) -> Result<CallId, NotSent> {
        Ok(CALL)
    }
}

/// Panics if an audit line, or what `Debug` prints, shows a secret of the case.
fn hold_back(case: &Case, written: &str) {
    let leaks = case.secrets().found_in(written);
    assert!(
        leaks.is_empty(),
        "{}: this shows a secret: {leaks:?}",
        case.name
    );
}

/// What the client gets. HEAD keeps the length of the content that it does not get (RFC 9110 §9.3.2).
fn answered(reply: Reply, request: &RequestView<'_>) -> Observed {
    let fields = reply.headers.iter();
    let mut observed = Observed {
        status: reply.status,
        headers: fields
            .map(|(name, value)| (name.to_owned(), value.as_bytes().to_owned()))
            .collect(),
        body: reply.body.into_bytes(),
        details: Some(reply.details.to_owned()),
        upstream: None,
    };
    if request.is_grpc() {
        as_envoy_answers_grpc(&mut observed);
    } else if !observed.body.is_empty() {
        let length = observed.body.len().to_string().into_bytes();
        observed.headers.push(("content-length".to_owned(), length));
    }
    if request.method() == b"HEAD" {
        observed.body.clear();
    }
    observed
}

/// Envoy answers a gRPC call with 200 and without content, which becomes the message.
fn as_envoy_answers_grpc(observed: &mut Observed) {
    observed.status = 200;
    let content_type = b"application/grpc".to_vec();
    observed
        .headers
        .push(("content-type".to_owned(), content_type));
    let message = percent_encoded(&std::mem::take(&mut observed.body));
    if !message.is_empty() {
        observed.headers.push(("grpc-message".to_owned(), message));
    }
}

/// gRPC over HTTP/2, "Responses": `Percent-Byte-Unencoded → %x20-24 / %x26-7E`; Envoy escapes `~` as well.
fn percent_encoded(message: &[u8]) -> Vec<u8> {
    let escape = |byte: &u8| match *byte {
        b'%' | 0..0x20 | b'~'.. => format!("%{byte:02X}").into_bytes(),
        byte => vec![byte],
    };
    message.iter().flat_map(escape).collect()
}

fn fields(case: &Case) -> Fields {
    let request = &case.request;
    let scheme = match request.is_over_tls() {
        true => b"https".to_vec(),
        false => b"http".to_vec(),
    };
    let mut fields: Fields = vec![
        (b":method".to_vec(), request.method.clone()),
        (b":authority".to_vec(), request.authority()),
        (b":scheme".to_vec(), scheme),
    ];
    if request.method != b"CONNECT" {
        fields.push((b":path".to_vec(), request.path()));
    }
    if !request.body.is_empty() {
        let length = request.body.len().to_string().into_bytes();
        fields.push((b"content-length".to_vec(), length));
    }
    // An HTTP/1 codec strips the white space around a value (RFC 9110 §5.5).
    let sent = request.headers.iter();
    fields
        .extend(sent.map(|(name, value)| (name.to_ascii_lowercase(), value.trim_ascii().to_vec())));
    fields
}

/// What the upstream gets: the request, changed as the decision says.
fn passed(decision: &Decision<'_>, fields: &Fields) -> Observed {
    let named: BTreeMap<&[u8], &Vec<u8>> = fields
        .iter()
        .map(|(name, value)| (name.as_slice(), value))
        .collect();
    let forward = &decision.forward;
    let target = forward.target.clone();
    let set = forward.set.iter();
    let set = set.map(|(name, value)| ((*name).to_owned(), value.clone().into_bytes()));
    Observed {
        status: 200,
        details: Some("via_upstream".to_owned()),
        upstream: Some(Upstream {
            // CONNECT has no path (RFC 9110 §7.1).
            path: target.unwrap_or_else(|| {
                let path = named.get(&b":path"[..]);
                path.map(|path| path.to_vec()).unwrap_or_default()
            }),
            headers: fields
                .iter()
                .filter(|(name, _)| !name.starts_with(b":"))
                .filter(|(name, _)| !forward.remove.iter().any(|own| own.as_bytes() == name))
                .map(|(name, value)| (String::from_utf8_lossy(name).into_owned(), value.clone()))
                .chain(set)
                .collect(),
        }),
        ..Observed::default()
    }
}
