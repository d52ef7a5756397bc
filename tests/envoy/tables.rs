//! Every table of `tests/cases/` against a real Envoy: over a socket, one listener for each document.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::Duration;

use countersign::request::path::without_query;
use serde_json::{Value, json};

use crate::support;
use crate::support::case::{
    Case, Observed, Route, Runs, Table, Upstream as Reached, load, load_all, names,
};
use crate::support::client::{self, Request, Response};
use crate::support::envoy::{Bootstrap, Envoy, module_path, wasm_filter};
use crate::support::issuer::{Issuer, Page};
use crate::support::leaks;
use crate::support::tls;
use crate::support::upstream::Upstream;

/// The longest that a case may wait for a nonce to expire, in seconds.
const LONGEST_WAIT: u64 = 3;

/// All documents are in one VM: Envoy compiles the module once, and no document may see the state of another.
const VM: &str = "tables";

/// What Envoy's own log says that something went wrong is looked for after the last case.
#[test]
fn every_table_holds_in_a_real_envoy() {
    let mut documents: Vec<(Value, Vec<Route>, bool)> = Vec::new();
    let tables = load_all(support::now());
    let cases = tables.iter().flat_map(|table| &table.cases);
    for case in cases.filter(|case| is_for_envoy(case)) {
        let first = case.asks().map(|asks| &*asks.case);
        for case in first.into_iter().chain([case]) {
            if !documents.iter().any(|known| is_under(case, known)) {
                let is_over_tls = case.request.is_over_tls();
                documents.push((case.document.clone(), case.routes.clone(), is_over_tls));
            }
        }
    }
    assert!(
        !documents.is_empty(),
        "no case that runs in Envoy is selected"
    );
    let listener_of = |case: &Case| {
        let place = documents.iter().position(|known| is_under(case, known));
        format!(
            "document-{}",
            place.expect("every document has its listener")
        )
    };

    let (upstream, server) = (Upstream::start(), Issuer::start());
    let bootstrap = documents.iter().enumerate().fold(
        Bootstrap::new(upstream.port()).cluster("introspection", &[server.port()]),
        |bootstrap, (place, (document, routes, is_over_tls))| {
            let routes: Vec<Value> = routes.iter().map(Route::to_json).collect();
            let name = format!("document-{place}");
            let filter = wasm_filter(VM, &module_path(), document);
            let bootstrap = bootstrap.routed_listener_with(&name, &[filter], &routes);
            match is_over_tls {
                true => bootstrap.over_tls(&tls::optional()),
                false => bootstrap,
            }
        },
    );
    let envoy = Envoy::start(bootstrap);
    let inactive = json!({"active": false});
    server.serve("/introspect", Page::introspection(&inactive));

    let mut failures: Vec<String> = Vec::new();
    let mut seen: Vec<(Case, Observed)> = Vec::new();
    let (mut number, mut count) = (0, 0);
    let mut rows: BTreeSet<String> = BTreeSet::new();
    let mut ask = |case: &Case| {
        number += 1;
        let answer = send(&envoy, &listener_of(case), case, number);
        answer.map(|response| observe(response, number))
    };
    for name in names() {
        let mut table = Fresh::load(&name, &server);
        for place in 0..table.cases().len() {
            table.keep_fresh();
            let case = &table.cases()[place];
            if !is_for_envoy(case) {
                continue;
            }
            count += 1;
            rows.extend(case.rows.iter().cloned());
            let refusal = case.asks().map(|asks| {
                let first = ask(&asks.case.ready(None, support::now()));
                let later = u64::try_from(asks.later).ok();
                let later = later.filter(|later| *later <= LONGEST_WAIT);
                let later = later.unwrap_or_else(|| panic!("{}: Envoy cannot wait so", case.name));
                sleep(Duration::from_secs(later));
                first.unwrap_or_else(|error| panic!("{}: no answer: {error}", asks.case.name))
            });
            let ready = case.ready(refusal.as_ref(), support::now());
            let again = ready.repeated();
            // When Envoy ends, its logs are searched for them.
            leaks::of(case.secrets());
            for case in [Some(ready.into_owned()), again].into_iter().flatten() {
                leaks::of(case.secrets());
                match (ask(&case), case.runs) {
                    (Err(_), Runs::HostAnswers) => {}
                    (Ok(observed), Runs::HostAnswers) if observed.status >= 400 => {}
                    (Ok(observed), Runs::HostAnswers) => {
                        failures.push(format!(
                            "{}: the host let it through: {}",
                            case.name, observed.status
                        ));
                    }
                    (Err(error), _) => failures.push(format!("{}: no answer: {error}", case.name)),
                    (Ok(observed), _) => seen.push((case, observed)),
                }
            }
        }
    }

    let numbers: Vec<String> = seen
        .iter()
        .filter_map(|(_, seen)| seen.details.clone())
        .collect();
    let entries = envoy.access_log_of(&numbers);
    for (case, observed) in &mut seen {
        let entry = observed
            .details
            .take()
            .and_then(|number| entries.get(&number));
        match entry.and_then(|entry| entry["details"].as_str()) {
            Some(details) => observed.details = Some(details.to_owned()),
            None => failures.push(format!("{}: not in the access log", case.name)),
        }
        let mut differences = case.check(observed);
        // RFC 9110 §6.6.1; the host adds it, to whatever answer.
        let dates = observed.headers.iter().filter(|(name, _)| name == "date");
        let dates = dates.count();
        if dates != 1 {
            differences.push(format!("{dates} dates"));
        }
        if !differences.is_empty() {
            failures.push(format!(
                "{}\n      {}",
                case.name,
                differences.join("\n      ")
            ));
        }
    }

    failures.extend(
        envoy
            .alarms()
            .into_iter()
            .map(|line| format!("in Envoy's log: {line}")),
    );
    support::say(&format!(
        "in a real Envoy: {} cases, {} rows, {} documents, {} failures",
        count,
        rows.len(),
        documents.len(),
        failures.len()
    ));
    assert!(
        failures.is_empty(),
        "{} failures:\n  {}",
        failures.len(),
        failures.join("\n  ")
    );
}

/// Whether a case is for these: a document, the routes around it, and whether the listener is over TLS.
fn is_under(case: &Case, (document, routes, is_over_tls): &(Value, Vec<Route>, bool)) -> bool {
    case.document == *document
        && case.routes == *routes
        && case.request.is_over_tls() == *is_over_tls
}

/// Whether it is selected and runs in Envoy.
fn is_for_envoy(case: &Case) -> bool {
    case.runs != Runs::CoreOnly && case.is_selected()
}

/// A table whose tokens have just been made: some expire within seconds, and all cases can take minutes.
struct Fresh<'a> {
    table: Table,
    /// Seconds since 1970.
    loaded: i64,
    /// What it answers when it is asked for these tokens is served anew too.
    introspection: &'a Issuer,
}

impl<'a> Fresh<'a> {
    /// The longest that tokens are kept, in seconds.
    const LIFETIME: i64 = 5;

    fn load(name: &str, introspection: &'a Issuer) -> Self {
        let loaded = support::now();
        let table = load(name, loaded);
        for (token, answer) in table.cases.iter().flat_map(|case| case.answers.iter()) {
            let path = format!("/introspect {token}");
            introspection.serve(&path, Page::introspection(answer));
        }
        Self {
            table,
            loaded,
            introspection,
        }
    }

    fn keep_fresh(&mut self) {
        if support::now() - self.loaded > Self::LIFETIME {
            *self = Self::load(&self.table.name, self.introspection);
        }
    }

    fn cases(&self) -> &[Case] {
        &self.table.cases
    }
}

/// The table of paths once more, with Envoy's own normalisation: what Envoy leaves as it was sent gets the answer of the
/// table, and what it makes another path of gets the answer that this path gets when it is sent.
#[test]
fn a_path_that_envoy_normalises_is_judged_as_what_it_makes_of_it() {
    let tables = load_all(support::now());
    let paths = tables.iter().filter(|table| table.name == "paths");
    let cases: Vec<&Case> = paths
        .flat_map(|table| &table.cases)
        .filter(|case| case.runs != Runs::CoreOnly)
        .collect();
    let mut documents: Vec<&Value> = Vec::new();
    for case in &cases {
        if !documents.contains(&&case.document) {
            documents.push(&case.document);
        }
    }
    let place_of = |case: &Case| {
        let place = documents.iter().position(|own| **own == case.document);
        place.expect("every document has its listeners")
    };
    let upstream = Upstream::start();
    let bootstrap = documents.iter().enumerate().fold(
        Bootstrap::new(upstream.port()),
        |bootstrap, (place, document)| {
            bootstrap
                .listener(&format!("plain-{place}"), document)
                .normalising_listener(&format!("normalising-{place}"), document)
        },
    );
    let envoy = Envoy::start(bootstrap);

    let mut failures: Vec<String> = Vec::new();
    let mut seen: Vec<(usize, Observed)> = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        let listener = format!("normalising-{}", place_of(case));
        match send(&envoy, &listener, case, number) {
            Ok(response) => seen.push((number, observe(response, number))),
            Err(_) if case.runs == Runs::HostAnswers => {}
            Err(error) => failures.push(format!("{}: no answer: {error}", case.name)),
        }
    }
    let numbers: Vec<String> = seen.iter().map(|(number, _)| number.to_string()).collect();
    let entries = envoy.access_log_of(&numbers);
    let (mut kept, mut changed, mut refused) = (0, 0, 0);
    for (number, mut observed) in seen {
        let case = cases[number];
        // Refused before the host knows whose case it is.
        if case.runs == Runs::HostAnswers && observed.status >= 400 {
            refused += 1;
            continue;
        }
        let Some(entry) = entries.get(&number.to_string()) else {
            failures.push(format!("{}: not in the access log", case.name));
            continue;
        };
        let details = entry["details"].as_str().unwrap_or_default();
        let is_ours = details.starts_with("countersign") || details == "via_upstream";
        if !is_ours || case.runs == Runs::HostAnswers {
            refused += 1;
            if observed.status < 400 {
                failures.push(format!("{}: {details} {}", case.name, observed.status));
            }
            continue;
        }
        observed.details = Some(details.to_owned());
        let path = support::token::latin_1(entry["path"].as_str().unwrap_or_default());
        let differences = if path == without_query(&case.request.path()) {
            kept += 1;
            case.check(&observed)
        } else {
            changed += 1;
            let mut resent = (*case).clone();
            resent.request.target = path;
            let listener = format!("plain-{}", place_of(case));
            let response = send(&envoy, &listener, &resent, cases.len() + number);
            let expected = observe(response.expect("an answer"), cases.len() + number);
            same_answer(&observed, &expected)
        };
        if !differences.is_empty() {
            let differences = differences.join("\n      ");
            failures.push(format!(
                "{}, as {}\n      {differences}",
                case.name, entry["path"]
            ));
        }
    }
    support::say(&format!(
        "behind Envoy's normalisation: {kept} paths kept, {changed} changed, {refused} refused by Envoy, {} failures",
        failures.len()
    ));
    assert!(
        failures.is_empty(),
        "{} failures:\n  {}",
        failures.len(),
        failures.join("\n  ")
    );
    assert!(kept > 0 && changed > 0, "there is something to compare");
}

/// What differs between two answers, but for what says when and to whom they were given.
fn same_answer(observed: &Observed, expected: &Observed) -> Vec<String> {
    let told = |answer: &Observed| {
        let challenges = answer
            .headers
            .iter()
            .filter(|(name, _)| name == "www-authenticate");
        let error = serde_json::from_slice(&answer.body).map(|body: Value| body["error"].clone());
        format!(
            "{} {:?} {:?}, upstream {:?}",
            answer.status,
            challenges
                .map(|(_, value)| String::from_utf8_lossy(value))
                .collect::<Vec<_>>(),
            error.unwrap_or_default(),
            answer
                .upstream
                .as_ref()
                .map(|upstream| String::from_utf8_lossy(&upstream.path)),
        )
    };
    let (observed, expected) = (told(observed), told(expected));
    if observed == expected {
        Vec::new()
    } else {
        vec![format!("expected {expected}, found {observed}")]
    }
}

/// Sends a case's request to a listener; the upstream and the access log get its number.
pub fn send(
    envoy: &Envoy,
    listener: &str,
    case: &Case,
    number: usize,
) -> std::io::Result<Response> {
    let number = number.to_string();
    let mut headers: Vec<(&[u8], &[u8])> = Vec::new();
    headers.extend(
        case.request
            .hosts
            .iter()
            .map(|host| (&b"host"[..], host.as_slice())),
    );
    headers.push((b"x-case", number.as_bytes()));
    headers.extend(
        case.request
            .headers
            .iter()
            .map(|(name, value)| (name.as_slice(), value.as_slice())),
    );
    let request = Request {
        method: &case.request.method,
        target: &case.request.target,
        headers,
        body: &case.request.body,
    };
    let (server, certificate) = (envoy.listener(listener), case.request.certificate());
    match case.request.is_over_tls() {
        true => client::send_over_tls(server, &request, certificate),
        false => client::send(server, &request),
    }
}

/// What came back; `details` is the case's number until the access log is read.
pub fn observe(mut response: Response, number: usize) -> Observed {
    let reached = response.values("x-upstream").next().is_some();
    if reached && response.status == 101 {
        // A case says 200 of whatever reached the upstream.
        response.status = 200;
        response.body = first_message(&response.body).to_vec();
    }
    Observed {
        status: response.status,
        upstream: reached.then(|| reached_upstream(&response.body)),
        details: Some(number.to_string()),
        headers: response.headers,
        body: response.body,
    }
}

/// The text of a WebSocket's first frame, which has a length of two bytes (RFC 6455 §5.2).
fn first_message(frames: &[u8]) -> &[u8] {
    let [0x81, 0x7e, high, low, rest @ ..] = frames else {
        return &[];
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    rest.get(..length).unwrap_or_default()
}

/// The echoed request; nothing is known of it after HEAD.
fn reached_upstream(body: &[u8]) -> Reached {
    let shown: Value = serde_json::from_slice(body).unwrap_or_default();
    let bytes = |value: &Value| support::token::latin_1(value.as_str().unwrap_or_default());
    let headers = shown["headers"].as_array().into_iter().flatten();
    Reached {
        path: bytes(&shown["path"]),
        headers: headers
            .map(|field| {
                (
                    field[0].as_str().unwrap_or_default().to_ascii_lowercase(),
                    bytes(&field[1]),
                )
            })
            .collect(),
    }
}
