//! Random requests that are close to what a configuration names.
//!
//! `requests.yaml` of an example lists paths, methods, hosts, headers, addresses and good tokens. Each request takes some
//! of them, often in another spelling: a path with a slash too many, a token that is expired, forged, of another issuer or
//! with another claim.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::leaks;
use super::super::token::{Keys, TokenSpec, read_keys};
use crate::support::random::Random;

/// What the requests of an example consist of.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requests {
    /// The keys that sign tokens: names, and files of `tests/keys/`.
    #[serde(default)]
    keys: BTreeMap<String, String>,
    /// The claims of good tokens, by the name of the key that signs.
    #[serde(default)]
    tokens: Vec<Token>,
    /// Other values of claims.
    #[serde(default)]
    claims: BTreeMap<String, Vec<Value>>,
    /// Where tokens are sent. The first is the usual one.
    #[serde(default)]
    locations: Vec<Location>,
    /// Paths, with or without a query.
    paths: Vec<String>,
    /// Methods. Default: GET and POST.
    #[serde(default = "usual_methods")]
    methods: Vec<String>,
    /// Values of `host`.
    #[serde(default = "usual_hosts")]
    hosts: Vec<String>,
    /// Values of other headers. A name may have a list of values, of which one is sent.
    #[serde(default)]
    headers: BTreeMap<String, Vec<String>>,
    /// Values of `x-forwarded-for`.
    #[serde(default)]
    forwarded: Vec<String>,
    /// Addresses of the loopback network from which requests come.
    #[serde(default = "usual_peers")]
    peers: Vec<Ipv4Addr>,
    /// Headers that only the filters may set: the upstream must receive there what it received before, or nothing.
    #[serde(default)]
    pub identity: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    key: String,
    claims: Map<String, Value>,
    /// Where it is usually sent. Default: as every token.
    #[serde(default)]
    locations: Vec<Location>,
}

/// Where a token is sent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Location {
    /// A header, and what is before the token.
    Header(String, String),
    /// A query parameter.
    Query(String),
    /// A cookie.
    Cookie(String),
}

/// One request, for both listeners.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where it comes from.
    pub peer: Ipv4Addr,
    method: String,
    target: String,
    host: String,
    /// The other headers, each with its end of line.
    headers: String,
    /// Whether it has something that the filter accepts in more spellings than the old filters: a token behind a scheme in
    /// another spelling, beside a cookie that is ignored, or in a preflight; an IPv4 address as an IPv6 address.
    pub is_other_spelling: bool,
    /// Its tokens.
    pub tokens: Vec<String>,
    /// What it consists of, for messages.
    pub description: String,
}

/// What a client sends in headers that only the filters may set.
pub const FORGED: &str = "forged-by-the-client";
/// Signed with a key that the issuer does not have.
const BY_ANOTHER_KEY: &str = "forged";

fn usual_methods() -> Vec<String> {
    ["GET", "POST"].map(str::to_owned).to_vec()
}

fn usual_hosts() -> Vec<String> {
    vec!["api.example.com".to_owned()]
}

fn usual_peers() -> Vec<Ipv4Addr> {
    vec![Ipv4Addr::LOCALHOST]
}

/// Makes the requests of an example.
pub struct Maker<'r> {
    requests: &'r Requests,
    keys: Keys,
    /// A key that no issuer has.
    foreign: Keys,
    random: Random,
    now: i64,
}

impl<'r> Maker<'r> {
    /// The requests that a seed leads to.
    pub fn new(requests: &'r Requests, seed: u64) -> Self {
        let foreign = requests.keys.iter().map(|(name, file)| {
            let kind = if file.starts_with("rs") {
                "rs256"
            } else {
                "es256"
            };
            (name.clone(), format!("{kind}-foreign.json"))
        });
        Self {
            requests,
            keys: read_keys(&requests.keys),
            foreign: read_keys(&foreign.collect()),
            random: Random::new(seed),
            now: super::super::now(),
        }
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.random.below(100) < percent
    }

    fn one<'o, T>(&mut self, of: &'o [T]) -> &'o T {
        &of[self.random.below(of.len())]
    }

    /// The next request.
    pub fn next(&mut self) -> Request {
        let requests = self.requests;
        let mut draft = Draft {
            path: self.path(),
            headers: Vec::new(),
            cookies: Vec::new(),
            tokens: Vec::new(),
            notes: Vec::new(),
            is_other_spelling: false,
        };
        let method = self.method();
        let host = self.host();
        if !requests.tokens.is_empty() && self.chance(80) {
            self.add_token(&mut draft);
            if self.chance(6) {
                self.add_token(&mut draft);
            }
        }
        for (name, values) in &requests.headers {
            if self.chance(45) {
                let value = self.one(values).clone();
                draft.headers.push((self.header_name(name), value));
                if self.chance(10) {
                    let value = self.one(values).clone();
                    draft.headers.push((self.header_name(name), value));
                }
            }
        }
        for name in &requests.identity {
            if self.chance(30) {
                draft.headers.push((name.clone(), FORGED.to_owned()));
            }
        }
        if !requests.forwarded.is_empty() && self.chance(60) {
            let mut address = self.one(&requests.forwarded).clone();
            if self.chance(15) {
                address = format!("{address}, {}", self.one(&requests.forwarded));
            }
            draft.headers.push(("x-forwarded-for".to_owned(), address));
        }
        if method == "OPTIONS" && self.chance(70) {
            let origins = [
                "https://app.example.com",
                "https://evil.example.net",
                "https://a.app.example.com",
            ];
            draft
                .headers
                .push(("origin".to_owned(), (*self.one(&origins)).to_owned()));
            if self.chance(80) {
                let method = (*self.one(&["GET", "POST", "DELETE"])).to_owned();
                draft
                    .headers
                    .push(("access-control-request-method".to_owned(), method));
            }
        }
        let peer = *self.one(&requests.peers);
        draft.into_request(&method, &host, peer)
    }

    fn method(&mut self) -> String {
        const OTHERS: [&str; 8] = [
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get",
        ];
        if self.chance(85) {
            return self.one(&self.requests.methods).clone();
        }
        (*self.one(&OTHERS)).to_owned()
    }

    fn host(&mut self) -> String {
        let host = self.one(&self.requests.hosts).clone();
        match self.random.below(40) {
            0 => host.to_ascii_uppercase(),
            1 => format!("{host}:80"),
            2 => format!("{host}:8443"),
            3 => format!("{host}."),
            4 => format!("x{host}"),
            5 => format!("{host}.example.net"),
            _ => host,
        }
    }

    fn header_name(&mut self, name: &str) -> String {
        match self.random.below(20) {
            0 => name.to_ascii_uppercase(),
            1 => name.replace('-', "_"),
            _ => name.to_owned(),
        }
    }

    /// A path of the list, in three of ten cases in another spelling.
    fn path(&mut self) -> String {
        let written = self.one(&self.requests.paths).clone();
        let (mut path, mut query) = match written.split_once('?') {
            Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
            None => (written, None),
        };
        let times = match self.random.below(20) {
            0..=13 => 0,
            14..=18 => 1,
            _ => 2,
        };
        for _ in 0..times {
            path = self.respelled(&path);
        }
        match self.random.below(20) {
            0 => query = Some("page=2".to_owned()),
            1 => query = Some(format!("next={path}")),
            2 => query = Some(String::new()),
            _ => {}
        }
        if self.chance(1) {
            path = format!("http://{}{path}", self.one(&self.requests.hosts));
        }
        match query {
            Some(query) => format!("{path}?{query}"),
            None => path,
        }
    }

    fn respelled(&mut self, path: &str) -> String {
        let slashes: Vec<usize> = path.match_indices('/').map(|(at, _)| at).collect();
        let slash = if slashes.is_empty() {
            0
        } else {
            *self.one(&slashes)
        };
        let (before, after) = path.split_at(slash);
        let letters: Vec<usize> = path
            .char_indices()
            .filter(|(_, letter)| letter.is_ascii_alphanumeric())
            .map(|(at, _)| at)
            .collect();
        match self.random.below(22) {
            0 => format!("{path}/"),
            1 => format!("{path}x"),
            2 => format!("{path}/x"),
            3 => format!("{before}/{after}"),
            4 => format!("{before}/.{after}"),
            5 => format!("{before}/x/..{after}"),
            6 => format!("{before}/%2e%2e{after}"),
            7 => format!("{path}/.."),
            8 => format!("{path}/../x"),
            9 => format!("{path};x=1"),
            10 => path.replacen('/', "%2F", 2).replacen("%2F", "/", 1),
            11 => path.to_ascii_uppercase(),
            12 | 13 if !letters.is_empty() => {
                let at = *self.one(&letters);
                let letter = path.as_bytes()[at];
                format!("{}%{letter:02x}{}", &path[..at], &path[at + 1..])
            }
            14 if !letters.is_empty() => {
                let at = *self.one(&letters);
                format!(
                    "{}%25{:02x}{}",
                    &path[..at],
                    path.as_bytes()[at],
                    &path[at + 1..]
                )
            }
            15 => format!("/x{path}"),
            16 => format!("{path}%00"),
            17 => format!("{path}%0a"),
            18 => format!("{path}%20"),
            19 => {
                let last = path.rfind('/').unwrap_or_default();
                path[..last.max(1)].to_owned()
            }
            20 => {
                let other = self.one(&self.requests.paths).clone();
                let other = other.split('?').next().unwrap_or_default().to_owned();
                format!("{path}{other}")
            }
            _ => path.replacen('/', "\\", 2).replacen('\\', "/", 1),
        }
    }

    fn add_token(&mut self, draft: &mut Draft) {
        let tokens = &self.requests.tokens;
        let chosen = self.one(tokens);
        let token = self.token(chosen, draft);
        leaks::of_token(&token);
        draft.tokens.push(token.clone());
        let usual = Location::Header("authorization".to_owned(), "Bearer ".to_owned());
        let all = &self.requests.locations;
        let own = if chosen.locations.is_empty() {
            all
        } else {
            &chosen.locations
        };
        let location = match own.first() {
            None => usual,
            Some(first) if self.chance(55) => first.clone(),
            Some(_) if self.chance(75) => self.one(own).clone(),
            Some(_) if self.chance(20) => usual,
            Some(_) => self.one(all).clone(),
        };
        match location {
            Location::Header(name, prefix) => {
                let prefix = match self.random.below(30) {
                    0 if !prefix.is_empty() => {
                        draft.is_other_spelling = true;
                        prefix.to_ascii_lowercase()
                    }
                    1 if !prefix.is_empty() => {
                        draft.is_other_spelling = true;
                        format!("{prefix} ")
                    }
                    2 => {
                        draft.notes.push("without prefix".to_owned());
                        String::new()
                    }
                    3 => {
                        draft.notes.push("another scheme".to_owned());
                        "Token ".to_owned()
                    }
                    _ => prefix,
                };
                draft.headers.push((name, format!("{prefix}{token}")));
            }
            Location::Query(name) => {
                let separator = if draft.path.contains('?') { '&' } else { '?' };
                draft.path = format!("{}{separator}{name}={token}", draft.path);
            }
            Location::Cookie(name) => draft.cookies.push(format!("{name}={token}")),
        }
    }

    /// A token: in more than half of the cases a good one.
    fn token(&mut self, chosen: &Token, draft: &mut Draft) -> String {
        let Token { key, claims, .. } = chosen;
        let mut spec = json!({"key": key, "claims": claims});
        let names: Vec<&String> = claims.keys().collect();
        let name = (*self.one(&names)).clone();
        let note = match self.random.below(36) {
            0 => {
                spec["claims"]["exp"] = json!("now-600");
                "expired"
            }
            1 => {
                spec["claims"]["exp"] = json!("now-30");
                "just expired"
            }
            2 => {
                spec["claims"]["nbf"] = json!("now+600");
                "not yet valid"
            }
            3 => {
                spec["claims"]["aud"] = json!("another");
                "another audience"
            }
            4 => {
                spec["claims"]["aud"] = json!(["another", claims.get("aud")]);
                "two audiences"
            }
            5 => {
                spec["claims"]["iss"] = json!("https://evil.example.net");
                "another issuer"
            }
            6 => {
                let others = &self.requests.tokens;
                spec["claims"]["iss"] = json!(self.one(others).claims.get("iss"));
                "perhaps another issuer's name"
            }
            7 => BY_ANOTHER_KEY,
            8 => {
                spec["tamper"] = json!("signature");
                "a changed signature"
            }
            9 => {
                spec["tamper"] = json!("payload");
                "a changed payload"
            }
            10 => {
                spec["header"] = json!({"alg": "none"});
                spec["signature"] = json!("");
                "alg none"
            }
            11 | 12 => {
                spec["drop"] = json!([name]);
                "without a claim"
            }
            13 => {
                spec["claims"][name.as_str()] = json!([claims[&name]]);
                "a claim in a list"
            }
            14 => {
                let text = claims[&name]
                    .as_str()
                    .map_or_else(|| claims[&name].to_string(), str::to_owned);
                spec["claims"][name.as_str()] = json!(text);
                "a claim as text"
            }
            15..=21 if !self.requests.claims.is_empty() => {
                let named: Vec<&String> = self.requests.claims.keys().collect();
                let name = (*self.one(&named)).clone();
                let value = self.one(&self.requests.claims[&name]).clone();
                spec["claims"][name.as_str()] = value;
                "another value of a claim"
            }
            22 => {
                draft.notes.push("no token".to_owned());
                return "abc".to_owned();
            }
            23 => {
                draft.notes.push("a malformed token".to_owned());
                return "a.b.c".to_owned();
            }
            24 => {
                spec["header"] = json!({"kid": "unknown"});
                "an unknown kid"
            }
            25 => {
                spec["drop"] = json!(["kid"]);
                "without kid"
            }
            _ => "good",
        };
        draft.notes.push(format!("{note}: {}", spec["claims"]));
        let spec: TokenSpec = serde_json::from_value(spec).expect("a token as the tables have it");
        let keys = if note == BY_ANOTHER_KEY {
            &self.foreign
        } else {
            &self.keys
        };
        spec.mint("a random token", keys, self.now)
    }
}

/// A request that is being made.
struct Draft {
    path: String,
    headers: Vec<(String, String)>,
    cookies: Vec<String>,
    tokens: Vec<String>,
    notes: Vec<String>,
    is_other_spelling: bool,
}

impl Draft {
    fn into_request(self, method: &str, host: &str, peer: Ipv4Addr) -> Request {
        let mut headers = self.headers;
        if !self.cookies.is_empty() {
            headers.push(("cookie".to_owned(), self.cookies.join("; ")));
        }
        let is_beside = self.tokens.len() > 1 && !self.cookies.is_empty();
        let is_preflight = headers
            .iter()
            .any(|(name, _)| name == "access-control-request-method");
        let is_in_lower_case = headers.iter().any(|(_, value)| value.starts_with("basic "));
        let is_mapped = headers.iter().any(|(_, value)| value.contains("::ffff:"));
        let is_in_preflight = !self.tokens.is_empty() && is_preflight;
        let mut lines = String::new();
        for (name, value) in &headers {
            lines.push_str(&format!("{name}: {value}\r\n"));
        }
        if matches!(method, "POST" | "PUT" | "PATCH") {
            lines.push_str("content-length: 0\r\n");
        }
        let mut request = Request {
            peer,
            method: method.to_owned(),
            target: self.path,
            host: host.to_owned(),
            headers: lines,
            is_other_spelling: self.is_other_spelling
                || is_in_lower_case
                || is_beside
                || is_in_preflight
                || is_mapped,
            tokens: self.tokens,
            description: String::new(),
        };
        let head = request.head();
        request.description = format!(
            "from {peer} [{}]\n{}",
            self.notes.join("], ["),
            head.trim_end()
        );
        request
    }
}

impl Request {
    /// The head, as it is sent.
    pub fn head(&self) -> String {
        let Self {
            method,
            target,
            host,
            headers,
            ..
        } = self;
        format!("{method} {target} HTTP/1.1\r\nhost: {host}\r\n{headers}\r\n")
    }

    /// The host, and the target without it. A target such as `http://api.example.com/a` names the host (RFC 9112 §3.2.2).
    fn parts(&self) -> (&str, &str) {
        let Some(rest) = self.target.strip_prefix("http://") else {
            return (&self.host, &self.target);
        };
        rest.split_at(rest.find('/').unwrap_or(rest.len()))
    }

    /// The path as Envoy normalizes it: without dot segments, empty segments and needless escapes.
    fn path(&self) -> String {
        let (_, target) = self.parts();
        let path = target.split('?').next().unwrap_or_default();
        let mut segments: Vec<String> = Vec::new();
        let mut parts = path.split('/').skip(1).map(unescaped).peekable();
        while let Some(segment) = parts.next() {
            let is_last = parts.peek().is_none();
            match segment.as_str() {
                ".." => drop(segments.pop()),
                "." | "" => {}
                _ => segments.push(segment.clone()),
            }
            if is_last && matches!(segment.as_str(), ".." | "." | "") {
                segments.push(String::new());
            }
        }
        format!("/{}", segments.join("/"))
    }

    /// The segments of its path.
    pub fn segments(&self) -> Vec<String> {
        self.path().split('/').map(str::to_owned).collect()
    }

    /// The same with another slash at the end of the path, with the plain spelling of the host, and with both.
    pub fn other_spellings(&self) -> Vec<Self> {
        let path = self.path();
        let other = match path.trim_end_matches('/') {
            shorter if shorter == path => format!("{path}/"),
            "" => "/".to_owned(),
            shorter => shorter.to_owned(),
        };
        let target = match self.target.split_once('?') {
            Some((_, query)) => format!("{other}?{query}"),
            None => other,
        };
        let (own, _) = self.parts();
        let host = own.to_ascii_lowercase();
        let host = host
            .split(':')
            .next()
            .unwrap_or_default()
            .trim_end_matches('.');
        let spelled = |target: &str, host: &str| Self {
            target: target.to_owned(),
            host: host.to_owned(),
            ..self.clone()
        };
        vec![
            spelled(&target, own),
            spelled(&self.target, host),
            spelled(&target, host),
        ]
    }
}

/// A segment without the escapes of letters, digits and dots.
fn unescaped(segment: &str) -> String {
    let mut text = String::new();
    let mut rest = segment;
    while let Some((before, after)) = rest.split_once('%') {
        text.push_str(before);
        let code = after
            .get(..2)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code.map(char::from) {
            Some(letter) if letter.is_ascii_alphanumeric() || letter == '.' => {
                text.push(letter);
                rest = &after[2..];
            }
            _ => {
                text.push('%');
                rest = after;
            }
        }
    }
    text + rest
}
