//! Searches what the filter writes for every secret that a test used.
//!
//! A test registers nothing. Secrets are collected from what it signs, sends and configures:
//!
//! 1. Each request: the values of `authorization`, `proxy-authorization`, `cookie`, `x-api-key`, `dpop`, and of the headers,
//!    cookies and query parameters at which a provider of any configuration looks. `Basic` is decoded as well. Of `Digest`
//!    it is the response and the client's nonce: a challenge has the other parameters too.
//! 2. Each token of the examples' issuer, so that those are known that another client sends.
//! 3. Each configuration: `client_secret`, `secret`, `ha1`, the headers of fetches, and the values of environment variables.
//!
//! A secret of twelve or more characters is found by its first twelve, so that a log that truncates it is found too. One of
//! eight to eleven is found as a whole. Shorter ones, such as `a.b`, are words that a log can contain for another reason.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use base64ct::{Base64, Base64UrlUnpadded, Encoding as _};
use serde_json::Value;

/// The length by which a secret is found.
const LONGEST: usize = 12;
/// The shortest secret that is searched for.
const SHORTEST: usize = 8;
/// A secret has at least so many different characters: `aaaaaaaaaaaa` is only long.
const DIFFERENT: usize = 4;

/// How many bytes before and after the beginning of a secret a message shows.
const AROUND: usize = 60;

/// The secrets of every test of this process.
static USED: LazyLock<Mutex<Secrets>> = LazyLock::new(Mutex::default);

/// Secrets, and where they are looked for.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// What is searched for, by its first bytes.
    needles: BTreeMap<[u8; SHORTEST], BTreeSet<Vec<u8>>>,
    headers: BTreeSet<Vec<u8>>,
    cookies: BTreeSet<Vec<u8>>,
    parameters: BTreeSet<Vec<u8>>,
    /// Values that were collected before.
    known: BTreeSet<Vec<u8>>,
}

impl Default for Secrets {
    fn default() -> Self {
        let names = |names: &[&str]| names.iter().map(|name| name.as_bytes().to_vec()).collect();
        Self {
            needles: BTreeMap::new(),
            headers: names(&["authorization", "proxy-authorization", "x-api-key", "dpop"]),
            cookies: BTreeSet::new(),
            parameters: names(&["access_token", "api_key"]),
            known: BTreeSet::new(),
        }
    }
}

/// Whether requests have no secrets besides the tokens that are collected by themselves.
static ARE_ODD: AtomicBool = AtomicBool::new(false);

/// From now on, requests are odd: they have paths and hosts everywhere, also where a credential could be. Only tokens are
/// secret.
pub fn collect_tokens_only() {
    ARE_ODD.store(true, Ordering::Relaxed);
}

/// Collects the secrets of a request: its target and its headers.
pub fn of_request<'r>(target: &[u8], headers: impl IntoIterator<Item = (&'r [u8], &'r [u8])>) {
    if !ARE_ODD.load(Ordering::Relaxed) {
        used().add_request(target, headers);
    }
}

/// Collects the secrets of a request as it is sent.
pub fn of_sent(request: &[u8]) {
    let end = request.windows(4).position(|four| four == b"\r\n\r\n");
    let head = request.get(..end.unwrap_or(request.len()));
    let mut lines = head.unwrap_or_default().split(|byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default();
    let target = first.split(|byte| *byte == b' ').nth(1);
    let headers = lines.filter_map(|line| halves(line, b':'));
    of_request(target.unwrap_or_default(), headers);
}

/// Collects the secrets of a configuration: a document of the filter, or one of Envoy's.
pub fn of_configuration(configuration: &Value) {
    used().add_configuration(configuration);
}

/// Collects a token, whatever sends it.
pub fn of_token(token: &str) {
    used().add_token(token.as_bytes());
}

/// Collects secrets that were found before.
pub fn of(secrets: &Secrets) {
    let mut used = used();
    for needle in secrets.needles.values().flatten() {
        used.add(needle);
    }
}

/// The lines of what was written that show a secret.
pub fn found_in(written: &str) -> Vec<String> {
    used().found_in(written)
}

fn used() -> MutexGuard<'static, Secrets> {
    USED.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Secrets {
    /// Adds the secrets of a request.
    pub fn add_request<'r>(
        &mut self,
        target: &[u8],
        headers: impl IntoIterator<Item = (&'r [u8], &'r [u8])>,
    ) {
        for (name, value) in headers {
            let name = name.to_ascii_lowercase();
            if name == b"cookie" {
                for (name, value) in value
                    .split(|byte| *byte == b';')
                    .filter_map(|one| halves(one, b'='))
                {
                    if self.cookies.contains(name.trim_ascii()) {
                        self.add_credential(value, false);
                    }
                }
            } else if self.headers.contains(&name) {
                self.add_credential(value, name.ends_with(b"authorization"));
            }
        }
        let query = halves(target, b'?').map_or(&b""[..], |(_, query)| query);
        for (name, value) in query
            .split(|byte| *byte == b'&')
            .filter_map(|one| halves(one, b'='))
        {
            if self.parameters.contains(name) {
                self.add_credential(value, false);
            }
        }
    }

    /// Adds a credential, which may have a scheme before it. A single word can be a scheme if `has_scheme`.
    pub fn add_credential(&mut self, value: &[u8], has_scheme: bool) {
        let value = value.trim_ascii();
        if !self.known.insert(value.to_vec()) {
            return;
        }
        if has_scheme && begins_with_digest(value) {
            self.add_digest(value);
            return;
        }
        let mut words = value.split(|byte| b" ,\t\"".contains(byte)).peekable();
        let is_scheme = |word: &&[u8]| word.iter().all(u8::is_ascii_alphabetic);
        if has_scheme || value.contains(&b' ') {
            words.next_if(is_scheme);
        }
        for word in words {
            self.add_token(word);
            let decoded = std::str::from_utf8(word).map(Base64::decode_vec);
            if let Ok(Ok(login)) = decoded
                && let Some((_, password)) = halves(&login, b':')
            {
                self.add(&login);
                self.add(password);
            }
        }
    }

    /// Adds what only the client knows of a credential of Digest (RFC 7616 §3.4).
    fn add_digest(&mut self, credential: &[u8]) {
        for parameter in credential.split(|byte| b" ,\t".contains(byte)) {
            if let Some((b"response" | b"cnonce", value)) = halves(parameter, b'=') {
                let value = value.strip_prefix(b"\"").unwrap_or(value);
                self.add(value.strip_suffix(b"\"").unwrap_or(value));
            }
        }
    }

    /// Adds a DPoP proof, its parts, and its identifier.
    pub fn add_proof(&mut self, proof: &[u8]) {
        self.add_token(proof);
        let payload = proof.split(|byte| *byte == b'.').nth(1).unwrap_or_default();
        let payload = std::str::from_utf8(payload).map(Base64UrlUnpadded::decode_vec);
        if let Ok(Ok(payload)) = payload
            && let Ok(claims) = serde_json::from_slice::<Value>(&payload)
            && let Some(identifier) = claims["jti"].as_str()
        {
            self.add(identifier.as_bytes());
        }
    }

    /// Adds a token, and its parts, which a log could show one by one.
    pub fn add_token(&mut self, token: &[u8]) {
        self.add(token);
        if token.split(|byte| *byte == b'.').count() > 1 {
            for part in token.split(|byte| *byte == b'.') {
                self.add(part);
            }
        }
    }

    /// Adds a text that nothing may show.
    pub fn add(&mut self, secret: &[u8]) {
        let secret = secret.trim_ascii();
        let secret = secret.get(..LONGEST).unwrap_or(secret);
        let different: BTreeSet<_> = secret.iter().collect();
        let begin = secret.get(..SHORTEST).map(<[u8; SHORTEST]>::try_from);
        if let Some(Ok(begin)) = begin
            && different.len() >= DIFFERENT
        {
            let needles = self.needles.entry(begin).or_default();
            needles.insert(secret.to_vec());
        }
    }

    /// Adds the secrets of a configuration, and the places at which its providers look for credentials.
    pub fn add_configuration(&mut self, configuration: &Value) {
        match configuration {
            Value::Array(items) => items.iter().for_each(|item| self.add_configuration(item)),
            Value::Object(members) => {
                for (name, value) in members {
                    match (name.as_str(), value) {
                        ("client_secret" | "secret", Value::String(secret)) => {
                            self.add(secret.as_bytes());
                        }
                        ("ha1", Value::Object(hashes)) => self.add_values(hashes),
                        ("key_values", Value::Object(values)) => self.add_values(values),
                        ("remote", remote) => {
                            if let Some(headers) = remote["headers"].as_object() {
                                self.add_values(headers);
                            }
                        }
                        ("from", Value::Array(locations)) => {
                            for location in locations {
                                self.add_location(location);
                            }
                        }
                        _ => {}
                    }
                    self.add_configuration(value);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn add_values(&mut self, values: &serde_json::Map<String, Value>) {
        for value in values.values().filter_map(Value::as_str) {
            self.add_credential(value.as_bytes(), false);
        }
    }

    fn add_location(&mut self, location: &Value) {
        for (kind, names) in [
            ("header", &mut self.headers),
            ("cookie", &mut self.cookies),
            ("query", &mut self.parameters),
        ] {
            if let Some(name) = location[kind].as_str() {
                let name = match kind {
                    "header" => name.to_ascii_lowercase(),
                    _ => name.to_owned(),
                };
                names.insert(name.into_bytes());
            }
        }
    }

    /// Of each line that shows a secret, the part around the first one.
    pub fn found_in(&self, written: &str) -> Vec<String> {
        let shown = written
            .lines()
            .filter_map(|line| self.first_in(line.as_bytes()));
        shown
            .map(|part| String::from_utf8_lossy(part).into_owned())
            .collect()
    }

    fn first_in<'l>(&self, line: &'l [u8]) -> Option<&'l [u8]> {
        let begins = |(at, begin)| {
            let needles = self.needles.get(&<[u8; SHORTEST]>::try_from(begin).ok()?);
            let rest: &[u8] = line.get(at..)?;
            let mut needles = needles.into_iter().flatten();
            needles.any(|needle| rest.starts_with(needle)).then_some(at)
        };
        let at = line.windows(SHORTEST).enumerate().find_map(begins)?;
        line.get(at.saturating_sub(AROUND)..line.len().min(at + AROUND))
    }
}

fn begins_with_digest(credential: &[u8]) -> bool {
    let scheme = credential.get(..7);
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"Digest "))
}

/// What is before a byte, and what is after it.
fn halves(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let position = text.iter().position(|byte| *byte == at)?;
    Some((text.get(..position)?, text.get(position + 1..)?))
}
