//! Every table of `tests/cases/` against the command `explain`: a process for each case, as a user starts it.
//!
//! The core and a real Envoy are held to the same tables, so that `explain` says what Envoy does.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cli::{DENIED, GOOD};
use crate::support;
use crate::support::case::{Case, Observed, Upstream, load_all};
use crate::support::certificate::Certificate;

/// The cases that `explain` cannot show, by a part of their names, each with the reason.
const EXCLUDED: [(&str, &str); 0] = [];

/// The kind of the first finding, by the reason.
const CAUSES: [(&str, &str); 13] = [
    ("acr_insufficient", "acr"),
    ("authentication_too_old", "max_age"),
    ("insufficient_scope", "scope"),
    ("role_missing", "role"),
    ("group_missing", "group"),
    ("claim_mismatch", "claim"),
    ("cel_false", "condition"),
    ("cel_failed", "condition"),
    // Or `condition`, if the conditions of the alternatives are too expensive together.
    ("none_of_any_of", "any_of condition"),
    ("address_not_allowed", "network"),
    ("token_expired", "token"),
    ("token_claim_mismatch", "claim"),
    ("provider_not_accepted", "provider"),
];

/// How many processes run at the same time.
const WORKERS: usize = 2;

#[test]
fn explain_answers_every_table_as_envoy_does() {
    let now = support::now();
    let tables = load_all(now);
    let selected = tables
        .iter()
        .flat_map(|table| &table.cases)
        .filter(|case| case.is_selected());
    let is_excluded = |case: &&Case| EXCLUDED.iter().any(|(name, _)| case.is_of(name));
    let (excluded, cases): (Vec<&Case>, Vec<&Case>) = selected.partition(is_excluded);
    let desk = Desk::new();
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let differences = differences(&desk, case, now);
                    if !differences.is_empty() {
                        let differences = differences.join("\n      ");
                        let failure = format!("{}\n      {differences}", case.name);
                        failures.lock().unwrap().push(failure);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    support::say(&format!(
        "by explain: {} cases, {} processes, {} excluded, {} failures",
        cases.len(),
        desk.processes.load(Ordering::Relaxed),
        excluded.len(),
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

/// What differs, the first time that a request is sent, and the second time.
fn differences(desk: &Desk, case: &Case, now: i64) -> Vec<String> {
    let now = case.at.unwrap_or(now);
    let asks = case.asks();
    let refusal = asks.map(|asks| {
        let first = asks.case.ready(None, now);
        desk.explain(&first, now, 1)
            .map(|explained| explained.observed)
    });
    let refusal = match refusal.transpose() {
        Ok(refusal) => refusal,
        Err(failure) => return vec![format!("the request before it: {failure}")],
    };
    let now = now + asks.map_or(0, |asks| i64::from(asks.later));
    let ready = case.ready(refusal.as_ref(), now);
    let again = ready.repeated();
    let cases = [
        Some((1, ready)),
        again.map(|again| (2, std::borrow::Cow::Owned(again))),
    ];
    let cases = cases.into_iter().flatten();
    cases
        .flat_map(|(times, case)| match desk.explain(&case, now, times) {
            Ok(explained) => explained.differences(&case),
            Err(failure) => vec![failure],
        })
        .collect()
}

/// The files of the command.
struct Desk {
    folder: TempDir,
    documents: Mutex<BTreeMap<String, PathBuf>>,
    processes: AtomicUsize,
}

/// What `explain` printed for a case.
struct Explained {
    printed: Value,
    text: String,
    code: i32,
    observed: Observed,
}

impl Desk {
    fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            documents: Mutex::default(),
            processes: AtomicUsize::new(0),
        }
    }

    /// The file of a document. Most cases of a table have the same.
    fn document(&self, document: &Value) -> PathBuf {
        let text = document.to_string();
        let mut known = self.documents.lock().unwrap();
        if let Some(file) = known.get(&text) {
            return file.clone();
        }
        let file = self.folder.path().join(format!("{}.json", known.len()));
        std::fs::write(&file, &text).unwrap();
        known.insert(text, file.clone());
        file
    }

    /// Runs the command for a case. The failure is what it printed.
    fn explain(&self, case: &Case, now: i64, times: u32) -> Result<Explained, String> {
        let number = self.processes.fetch_add(1, Ordering::Relaxed);
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command
            .arg("explain")
            .arg(self.document(&case.document))
            .args([
                "--request",
                "-",
                "--format",
                "json",
                "--client",
                "127.0.0.1",
            ])
            .args(["--now", &now.to_string(), "--times", &times.to_string()]);
        if !case.request.is_over_tls() {
            command.arg("--plain-http");
        }
        if let Some(known) = case.request.certificate().map(Certificate::known) {
            let digest = known.digest.unwrap_or_default();
            let digest: String = digest.iter().map(|octet| format!("{octet:02x}")).collect();
            command.args(["--peer-sha256", &digest]);
            command.args(known.uri.iter().flat_map(|uri| ["--peer-uri", uri]));
            command.args(known.dns.iter().flat_map(|dns| ["--peer-dns", dns]));
        }
        if let Some(route) = case.route() {
            command.args(route.name.iter().flat_map(|name| ["--route", name]));
            for policy in route.policies() {
                command.args(["--policy", &policy]);
            }
        }
        let request = message(case);
        let providers = case.document["providers"].as_array();
        let asks = |provider: &&Value| provider["introspection"].is_object();
        for provider in providers.into_iter().flatten().filter(asks) {
            match answer(case, provider) {
                // The authorization server answers with an error.
                Some(Value::Number(_)) => {
                    command.arg("--unavailable");
                }
                answer => {
                    let name = provider["name"].as_str().unwrap_or_default();
                    let answer = answer.unwrap_or_else(|| json!({"active": false}));
                    let file = self.folder.path().join(format!("{name}-{number}.json"));
                    std::fs::write(&file, answer.to_string()).unwrap();
                    command.arg("--introspection");
                    command.arg(format!("{name}={}", file.display()));
                }
            }
        }
        let output = run(&mut command, &request);
        let text = String::from_utf8(output.stdout).unwrap();
        let code = output.status.code().unwrap_or_default();
        let printed: Value = match serde_json::from_str(&text) {
            Ok(printed) if code == GOOD || code == DENIED => printed,
            _ => {
                let error = String::from_utf8_lossy(&output.stderr);
                return Err(format!("exit code {code}: {text}{error}"));
            }
        };
        Ok(Explained {
            observed: observed(&printed, case),
            printed,
            text,
            code,
        })
    }
}

fn run(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that fails early does not read its input.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

/// The request as it is sent.
fn message(case: &Case) -> Vec<u8> {
    let request = &case.request;
    let mut lines = vec![[&request.method[..], b" ", &request.target, b" HTTP/1.1"].concat()];
    let hosts = request.hosts.iter();
    lines.extend(hosts.map(|host| [&b"host: "[..], host].concat()));
    let headers = request.headers.iter();
    lines.extend(headers.map(|(name, value)| [&name[..], b": ", value].concat()));
    if !request.body.is_empty() {
        lines.push(format!("content-length: {}", request.body.len()).into_bytes());
    }
    lines.push(b"\r\n".to_vec());
    lines.join(&b"\r\n"[..])
}

/// What the authorization server says of the token at which a provider looks; none of a token that it does not know.
fn answer(case: &Case, provider: &Value) -> Option<Value> {
    let from = provider["introspection"]["from"].as_array();
    let names = from.into_iter().flatten();
    let names: Vec<&str> = names.filter_map(|place| place["header"].as_str()).collect();
    let is_read = |name: &[u8]| {
        let mut own = names.iter();
        names.is_empty() || own.any(|own| own.as_bytes().eq_ignore_ascii_case(name))
    };
    let headers = case.request.headers.iter();
    let headers = headers.filter(|(name, _)| is_read(name));
    let mut places: Vec<&[u8]> = headers.map(|(_, value)| value.as_slice()).collect();
    places.push(&case.request.target);
    let is_sent = |token: &str| {
        let token = token.as_bytes();
        let mut places = places.iter();
        places.any(|place| place.windows(token.len().max(1)).any(|own| own == token))
    };
    let known = case.answers.iter().filter(|(token, _)| is_sent(token));
    // A token can begin like another.
    let longest = known.max_by_key(|(token, _)| token.len());
    longest.map(|(_, answer)| answer.clone())
}

/// What the client and the upstream get, by what was printed.
fn observed(printed: &Value, case: &Case) -> Observed {
    let response = &printed["response"];
    if printed["upstream"].is_null() {
        let headers = response["headers"].as_array().into_iter().flatten();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        return Observed {
            status: u16::try_from(response["status"].as_u64().unwrap_or_default()).unwrap(),
            headers: headers
                .map(|field| (text(&field[0]), text(&field[1]).into_bytes()))
                .collect(),
            body: text(&response["body"]).into_bytes(),
            details: Some(text(&response["details"])),
            upstream: None,
        };
    }
    let upstream = &printed["upstream"];
    let removed = upstream["removed"].as_array().unwrap();
    let set = upstream["set"].as_array().unwrap();
    let is_removed = |name: &[u8]| {
        let mut removed = removed.iter().filter_map(Value::as_str);
        removed.any(|own| own.as_bytes() == name)
    };
    let sent: Vec<_> = case
        .request
        .headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim_ascii().to_vec()))
        .collect();
    let mut headers: Vec<_> = sent
        .iter()
        .filter(|(name, _)| !is_removed(name))
        .map(|(name, value)| (String::from_utf8_lossy(name).into_owned(), value.clone()))
        .collect();
    if !case.request.body.is_empty() {
        let length = case.request.body.len().to_string();
        headers.push(("content-length".to_owned(), length.into_bytes()));
    }
    for header in set {
        let name = header["name"].as_str().unwrap();
        let value = match (header["value"].as_str(), name) {
            // `explain` prints the claims, not their base64url.
            (None, _) => Base64UrlUnpadded::encode_string(header["claims"].to_string().as_bytes())
                .into_bytes(),
            (Some(value), "cookie") => cookies(&sent, value),
            (Some(value), _) => value.as_bytes().to_vec(),
        };
        headers.push((name.to_owned(), value));
    }
    let target = upstream["target"].as_str();
    Observed {
        status: 200,
        details: Some("via_upstream".to_owned()),
        upstream: Some(Upstream {
            path: target.map_or_else(
                || match case.request.method.as_slice() {
                    // CONNECT has no path (RFC 9110 §7.1).
                    b"CONNECT" => Vec::new(),
                    _ => case.request.path(),
                },
                |target| target.as_bytes().to_vec(),
            ),
            headers,
        }),
        ..Observed::default()
    }
}

/// The cookies that are forwarded: `explain` prints their names only.
fn cookies(sent: &[(Vec<u8>, Vec<u8>)], printed: &str) -> Vec<u8> {
    let fields = sent.iter().filter(|(name, _)| name == b"cookie");
    let mut pairs = fields
        .flat_map(|(_, value)| value.split(|byte| *byte == b';'))
        .map(<[u8]>::trim_ascii);
    let kept = printed.split("; ").map(|cookie| {
        let name = cookie.strip_suffix("[redacted]").unwrap();
        let pair = pairs.find(|pair| match name {
            "" => !pair.contains(&b'='),
            name => pair.starts_with(name.as_bytes()),
        });
        pair.expect("a cookie that is forwarded was sent")
    });
    kept.collect::<Vec<_>>().join(&b"; "[..])
}

impl Explained {
    /// What differs from what the case expects, and what the explanation lacks.
    fn differences(&self, case: &Case) -> Vec<String> {
        let Self {
            printed,
            text,
            code,
            observed,
        } = self;
        let mut differences = case.check(observed);
        let leaks = case.secrets().found_in(text);
        if !leaks.is_empty() {
            differences.push(format!("a secret is printed: {leaks:?}"));
        }
        let verdict = printed["verdict"].as_str().unwrap_or_default();
        let passes = observed.upstream.is_some();
        let expected: (&[&str], i32) = match passes {
            true => (&["passes", "would be denied"], GOOD),
            false => (&["denied", "answered"], DENIED),
        };
        if !expected.0.contains(&verdict) || *code != expected.1 {
            differences.push(format!(
                "verdict {verdict}, exit code {code}, passes: {passes}"
            ));
        }
        let reason = printed["reason"].as_str();
        if let Some(reason) = reason {
            let details = printed["response"]["details"].as_str().unwrap_or_default();
            let found = printed["findings"].as_array().map_or(0, Vec::len);
            if details != format!("countersign_{reason}") {
                differences.push(format!("reason {reason}, details {details}"));
            }
            let kind = printed["findings"][0]["kind"].as_str();
            let expected = CAUSES.iter().find(|(own, _)| *own == reason);
            let is_cause = |kinds: &str| kinds.split(' ').any(|own| Some(own) == kind);
            if expected.is_some_and(|(_, own)| !is_cause(own)) {
                differences.push(format!("the first finding for {reason} is {kind:?}"));
            }
            if found == 0 {
                differences.push(format!("no finding for the reason {reason}"));
            }
        }
        let state = printed["filter_state"]["countersign.reason"].as_str();
        if state != reason {
            differences.push(format!("reason {reason:?} in the filter state: {state:?}"));
        }
        differences
    }
}
