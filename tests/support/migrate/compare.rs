//! Sends requests to both listeners of an example, and compares what comes back.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde_json::Value;

use super::super::client::{Connection, Response};
use super::requests::Request;
use super::translated::Translated;

/// How long a response may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The two listeners, with a connection for each address of the client.
pub struct Listeners {
    old: BTreeMap<Ipv4Addr, Connection>,
    new: BTreeMap<Ipv4Addr, Connection>,
    addresses: (SocketAddr, SocketAddr),
}

/// What came back, counted.
#[derive(Default)]
pub struct Outcome {
    requests: usize,
    both_denied: usize,
    /// How many requests both listeners permitted.
    pub both_permitted: usize,
    /// How many requests the old filters permitted.
    pub old_permitted: usize,
    differences: BTreeMap<(u16, u16), usize>,
    /// What must not be: a request that is permitted only now, or a difference that the report does not announce.
    pub faults: Vec<String>,
}

/// A fault is shown so many times of one kind.
const SHOWN: usize = 3;

impl Listeners {
    /// The listeners with the old filters and with the new one.
    pub fn new(old: SocketAddr, new: SocketAddr) -> Self {
        Self {
            old: BTreeMap::new(),
            new: BTreeMap::new(),
            addresses: (old, new),
        }
    }

    /// Sends a request to both.
    ///
    /// # Panics
    /// A listener does not respond.
    fn ask(&mut self, request: &Request) -> (Answer, Answer) {
        let ask = |connections: &mut BTreeMap<Ipv4Addr, Connection>, server| {
            let connection = connections
                .entry(request.peer)
                .or_insert_with(|| Connection::new(server, TIMEOUT).from(request.peer));
            let response = connection.ask(request.head.as_bytes());
            Answer(response.unwrap_or_else(|e| panic!("{e}: {}", request.description)))
        };
        let old = ask(&mut self.old, self.addresses.0);
        (old, ask(&mut self.new, self.addresses.1))
    }

    /// Sends requests and compares the answers.
    pub fn compare(
        &mut self,
        requests: impl Iterator<Item = Request>,
        translated: &Translated,
        identity: &[String],
    ) -> Outcome {
        let announced = translated.announced();
        let mut outcome = Outcome::default();
        let mut shown: BTreeMap<String, usize> = BTreeMap::new();
        for request in requests {
            let (old, new) = self.ask(&request);
            outcome.count(&old, &new);
            let Some(kind) = fault(&request, &old, &new, translated, &announced, identity) else {
                continue;
            };
            let times = shown.entry(kind.clone()).or_default();
            *times += 1;
            if *times <= SHOWN {
                let body = String::from_utf8_lossy(&new.0.body);
                let fault = format!(
                    "{kind}\n{}\n-> {} {body}",
                    request.description, new.0.status
                );
                outcome.faults.push(fault);
            }
        }
        for (kind, times) in shown.iter().filter(|(_, times)| **times > SHOWN) {
            outcome.faults.push(format!("{times} times: {kind}"));
        }
        outcome
    }
}

/// What is wrong with the two answers of a request.
fn fault(
    request: &Request,
    old: &Answer,
    new: &Answer,
    translated: &Translated,
    announced: &BTreeSet<(u16, u16)>,
    identity: &[String],
) -> Option<String> {
    let pair = (old.status(), new.status());
    if new.is_permitted() && !old.is_permitted() {
        let is_announced = request.is_other_spelling && translated.permits();
        return (!is_announced).then(|| format!("PERMITTED, and was {}", pair.0));
    }
    if pair.0 != pair.1 && !announced.contains(&pair) {
        return Some(format!("NOT ANNOUNCED: {} was {}", pair.1, pair.0));
    }
    if !new.is_permitted() {
        return None;
    }
    for name in identity {
        let (before, after) = (old.received(name), new.received(name));
        // Without a value, the upstream is told less.
        if after.is_some() && after != before {
            return Some(format!(
                "IDENTITY: the upstream received {name} with {before:?}, and receives {after:?}"
            ));
        }
    }
    let forwards = |answer: &Answer, token: &str| answer.body().contains(token);
    let mut tokens = request.tokens.iter();
    let is_forwarded = tokens.any(|token| forwards(new, token) && !forwards(old, token));
    is_forwarded.then(|| "FORWARDED: the upstream receives a token that was removed".to_owned())
}

struct Answer(Response);

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_permitted() {
            return f.write_str("permitted");
        }
        write!(f, "{} {}", self.0.status, self.body().trim_end())
    }
}

impl Answer {
    /// Whether the upstream received the request.
    fn is_permitted(&self) -> bool {
        self.0.values("x-upstream").next().is_some()
    }

    /// The status; 200 if the upstream received the request.
    fn status(&self) -> u16 {
        if self.is_permitted() {
            200
        } else {
            self.0.status
        }
    }

    /// What the upstream received in a header.
    fn received(&self, name: &str) -> Option<String> {
        let received: Value = serde_json::from_slice(&self.0.body).ok()?;
        let headers = received["headers"].as_array()?.iter();
        let values = headers
            .filter(|header| {
                header[0]
                    .as_str()
                    .is_some_and(|own| own.eq_ignore_ascii_case(name))
            })
            .filter_map(|header| header[1].as_str());
        let values: Vec<&str> = values.collect();
        (!values.is_empty()).then(|| values.join(","))
    }

    fn body(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0.body)
    }
}

impl Outcome {
    /// Adds the numbers of another outcome.
    pub fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.both_denied += other.both_denied;
        self.both_permitted += other.both_permitted;
        self.old_permitted += other.old_permitted;
        for (pair, times) in &other.differences {
            *self.differences.entry(*pair).or_default() += times;
        }
    }

    fn count(&mut self, old: &Answer, new: &Answer) {
        self.requests += 1;
        self.old_permitted += usize::from(old.is_permitted());
        match (old.is_permitted(), new.is_permitted()) {
            (true, true) => self.both_permitted += 1,
            (false, false) => self.both_denied += 1,
            _ => {}
        }
        let pair = (old.status(), new.status());
        if pair.0 != pair.1 {
            *self.differences.entry(pair).or_default() += 1;
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} requests, both denied {}, both permitted {} of {}",
            self.requests, self.both_denied, self.both_permitted, self.old_permitted
        )?;
        for ((old, new), times) in &self.differences {
            write!(f, ", {old} → {new} {times}")?;
        }
        Ok(())
    }
}
