//! Sends requests to both listeners of an example, and compares what comes back.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde_json::Value;

use super::super::client::{Connection, Response};
use super::requests::{FORGED, Request};
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
            let response = connection.ask(request.head().as_bytes());
            Answer(response.unwrap_or_else(|e| panic!("{e}: {}", request.description)))
        };
        let old = ask(&mut self.old, self.addresses.0);
        (old, ask(&mut self.new, self.addresses.1))
    }

    /// Sends requests and compares the answers.
    pub fn compare(
        &mut self,
        requests: impl Iterator<Item = Request>,
        expected: &Expected<'_>,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        let mut times: BTreeMap<String, usize> = BTreeMap::new();
        for request in requests {
            let (old, new) = self.ask(&request);
            if old.is_failure() {
                continue;
            }
            outcome.count(&old, &new);
            let Some(fault) = expected.fault(&request, &old, &new) else {
                continue;
            };
            if fault == PERMITTED && self.is_assumed(&request, expected) {
                continue;
            }
            let times = times.entry(fault.clone()).or_default();
            *times += 1;
            if *times <= SHOWN {
                let told = expected.told(&old, &new);
                let text = format!(
                    "{fault}\n{}\nwas {old}\nis  {new}{told}",
                    request.description
                );
                outcome.faults.push(text);
            }
        }
        for (fault, times) in times.iter().filter(|(_, times)| **times > SHOWN) {
            outcome.faults.push(format!("{times} times: {fault}"));
        }
        outcome
    }

    /// Whether a request is permitted by an assumption of the user: the old filters permitted it in another spelling, or a
    /// segment of its path only begins like one of the configuration.
    fn is_assumed(&mut self, request: &Request, expected: &Expected<'_>) -> bool {
        if !expected.are_spellings_equal {
            return false;
        }
        let begins = |segment: &str, word: &str| segment.starts_with(word) && segment != word;
        let words = &expected.segments;
        let segments = request.segments();
        let mut segments = segments.iter();
        if segments.any(|segment| words.iter().any(|word| begins(segment, word))) {
            return true;
        }
        let mut spellings = request.other_spellings().into_iter();
        spellings.any(|spelling| self.ask(&spelling).0.is_permitted())
    }
}

/// What the two listeners are expected to answer.
pub struct Expected<'e> {
    /// What the command wrote.
    pub translated: &'e Translated,
    /// Headers that only the filters may set.
    pub identity: &'e [String],
    /// Whether the command ran with every `--assume`.
    pub are_spellings_equal: bool,
    /// The segments of the paths in the old configuration.
    pub segments: BTreeSet<String>,
}

const PERMITTED: &str = "PERMITTED, and was denied";

impl Expected<'_> {
    /// What is wrong with the two answers of a request.
    fn fault(&self, request: &Request, old: &Answer, new: &Answer) -> Option<String> {
        let pair = (old.status(), new.status());
        if new.is_permitted() && !old.is_permitted() {
            let is_other_spelling = request.is_other_spelling
                || !request.tokens.is_empty() && self.translated.reads_bare_authorization();
            let is_announced = is_other_spelling && self.translated.permits(pair.0);
            return (!is_announced).then(|| PERMITTED.to_owned());
        }
        if pair.0 != pair.1 && !self.translated.announces(pair) {
            return Some(format!("NOT ANNOUNCED: {} was {}", pair.1, pair.0));
        }
        // A token that the old filters did not find tells the upstream more.
        if !new.is_permitted() || request.is_other_spelling {
            return None;
        }
        for name in self.identity {
            let (before, after) = (old.received(name), new.received(name));
            // Without a value, the upstream is told less. Before, it may not have been told of a token that is valid.
            let is_forged = after.as_deref().is_some_and(|after| after.contains(FORGED));
            if is_forged && after != before
                || before.is_some() && after.is_some() && after != before
            {
                return Some(format!("IDENTITY: another value of {name}"));
            }
        }
        let forwards = |answer: &Answer, token: &str| answer.body().contains(token);
        let mut tokens = request.tokens.iter();
        let is_forwarded = tokens.any(|token| forwards(new, token) && !forwards(old, token));
        is_forwarded.then(|| "FORWARDED: a token that was removed".to_owned())
    }

    /// What the upstream was told, for messages.
    fn told(&self, old: &Answer, new: &Answer) -> String {
        let mut text = String::new();
        for name in self.identity {
            let (before, after) = (old.received(name), new.received(name));
            if before != after {
                text.push_str(&format!("\n{name}: was {before:?}, is {after:?}"));
            }
        }
        text
    }
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

    /// Whether Envoy could not send on what the old filters had made of the request.
    fn is_failure(&self) -> bool {
        self.0.status == 503
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
