//! Sends requests to both listeners of an example, and compares what comes back.

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
    ) -> Outcome {
        let announced = translated.announced();
        let mut outcome = Outcome::default();
        let mut shown: BTreeMap<String, usize> = BTreeMap::new();
        for request in requests {
            let (old, new) = self.ask(&request);
            outcome.count(&old, &new);
            let Some(kind) = fault(&request, &old, &new, translated, &announced) else {
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
) -> Option<String> {
    let pair = (old.status(), new.status());
    if new.is_permitted() && !old.is_permitted() {
        let is_announced = request.is_other_spelling && translated.permits();
        return (!is_announced).then(|| format!("PERMITTED, and was {}", pair.0));
    }
    if pair.0 != pair.1 && !announced.contains(&pair) {
        return Some(format!("NOT ANNOUNCED: {} was {}", pair.1, pair.0));
    }
    if new.is_permitted() {
        for (name, value) in &request.forged {
            if new.forwards(name, value) && !old.forwards(name, value) {
                return Some(format!("FORGED: the upstream receives the client's {name}"));
            }
        }
    }
    None
}

struct Answer(Response);

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

    /// Whether the upstream received a header with this value.
    fn forwards(&self, name: &str, value: &str) -> bool {
        let Ok(received) = serde_json::from_slice::<Value>(&self.0.body) else {
            return false;
        };
        let mut headers = received["headers"].as_array().into_iter().flatten();
        headers.any(|header| {
            let own = header[0].as_str().unwrap_or_default();
            own.eq_ignore_ascii_case(name)
                && header[1].as_str().is_some_and(|own| own.contains(value))
        })
    }
}

impl Outcome {
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
