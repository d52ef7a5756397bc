//! The tables of `tests/cases/`: requests, and what a client must get back. They know nothing of Envoy, so that the
//! same case runs against the pure core and against a real Envoy.
//!
//! `tests/cases/README.md` explains the format.

mod sending;

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use self::sending::{AsksFile, Makings, Sending};
use super::certificate::{self, Certificate, Names};
use super::challenge;
use super::digest::DigestSpec;
use super::document;
use super::in_repository;
use super::leaks::Secrets;
use super::nonce::{self, Nonces};
use super::proof::{self, ProofSpec};
use super::thumbprint;
use super::token::{self, TokenSpec, latin_1};

const DEFAULT_AUTHORITY: &str = "api.example.com";
/// What Envoy adds to an answer of the filter's.
const OF_THE_HOST: [&str; 4] = ["connection", "content-length", "date", "server"];

/// A file of cases.
#[derive(Debug)]
pub struct Table {
    /// The file's name without `.yaml`.
    pub name: String,
    /// The cases, each with its document.
    pub cases: Vec<Case>,
}

/// A request under a document, and what must come back.
#[derive(Debug, Clone)]
pub struct Case {
    /// Table and name, to find it by.
    pub name: String,
    /// The conformance rows that it shows.
    pub rows: Vec<String>,
    /// Where it runs.
    pub runs: Runs,
    /// The filter's document.
    pub document: Value,
    /// The host's routes.
    pub routes: Vec<Route>,
    /// What the authorization server says of tokens.
    pub answers: Arc<Answers>,
    /// The request.
    pub request: Request,
    /// What must come back.
    pub expect: Expectation,
    /// The time at which it is judged, if it is not now.
    pub at: Option<i64>,
    /// What must come back when the same request is sent again.
    again: Option<Box<Expectation>>,
    /// What is known only when the request is sent.
    sending: Sending,
    /// What no response and no log may hold.
    secrets: Secrets,
}

/// What the authorization server of a table says of tokens, by the token: the JSON of its response, or a number, which is
/// the status of a response without content. It says of other tokens that they are not active.
pub type Answers = BTreeMap<String, Value>;

/// Where a case runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Runs {
    /// In the core and in Envoy.
    #[default]
    Everywhere,
    /// In the core: in Envoy it cannot be set up.
    CoreOnly,
    /// In Envoy, but its codec or connection manager refuses the request before the filter sees it.
    HostAnswers,
}

/// A route of the host's, for the paths that begin so; what is for none of them is on a route without name and metadata.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    pub prefix: String,
    pub name: Option<String>,
    /// A text, or a list of them.
    pub policy: Option<OneOrMany>,
}

impl Route {
    /// The policies that its metadata names.
    pub fn policies(&self) -> Vec<String> {
        self.policy
            .clone()
            .map(OneOrMany::into_vec)
            .unwrap_or_default()
    }

    /// As Envoy is configured with it.
    pub fn to_json(&self) -> Value {
        let mut route =
            serde_json::json!({"match": {"prefix": self.prefix}, "route": {"cluster": "upstream"}});
        if let Some(name) = &self.name {
            route["name"] = name.as_str().into();
        }
        if let Some(policy) = &self.policy {
            let policy = match policy {
                OneOrMany::One(text) => Value::from(text.as_str()),
                OneOrMany::Many(texts) => Value::from(texts.as_slice()),
            };
            route["metadata"] =
                serde_json::json!({"filter_metadata": {"countersign": {"policy": policy}}});
        }
        route
    }
}

/// A request; texts are bytes.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: Vec<u8>,
    /// As sent: origin form, absolute form, or `*`.
    pub target: Vec<u8>,
    /// The values of the Host fields.
    pub hosts: Vec<Vec<u8>>,
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub body: Vec<u8>,
    pub connection: Connection,
}

/// The connection of a request.
#[derive(Debug, Clone)]
pub enum Connection {
    /// Without TLS.
    Plain,
    /// Over TLS, by a client with this certificate or without any.
    Tls(Option<Arc<Certificate>>),
}

impl Request {
    /// Whether it is sent over TLS.
    pub fn is_over_tls(&self) -> bool {
        matches!(self.connection, Connection::Tls(_))
    }

    /// The client's certificate.
    pub fn certificate(&self) -> Option<&Certificate> {
        match &self.connection {
            Connection::Plain => None,
            Connection::Tls(certificate) => certificate.as_deref(),
        }
    }

    /// `:authority`, as Envoy hands it over: that of an absolute target, else the Host fields, joined.
    pub fn authority(&self) -> Vec<u8> {
        self.absolute().map_or_else(
            || self.hosts.join(&b','),
            |(authority, _)| authority.to_vec(),
        )
    }

    /// `:path`, as Envoy hands it over: without the scheme and authority of an absolute target.
    pub fn path(&self) -> Vec<u8> {
        match self.absolute() {
            Some((_, b"")) => b"/".to_vec(),
            Some((_, path)) => path.to_vec(),
            None => self.target.clone(),
        }
    }

    fn absolute(&self) -> Option<(&[u8], &[u8])> {
        let rest = [&b"http://"[..], b"https://"]
            .iter()
            .find_map(|scheme| self.target.strip_prefix(*scheme))?;
        let end = rest
            .iter()
            .position(|byte| b"/?".contains(byte))
            .unwrap_or(rest.len());
        Some(rest.split_at(end))
    }
}

/// What a driver saw.
#[derive(Debug, Default)]
pub struct Observed {
    pub status: u16,
    /// Names in lower case, in order, repeats kept. Of a request that passed: what the upstream answered.
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
    /// Response code details; none where the driver cannot see them.
    pub details: Option<String>,
    /// The request as the upstream got it, if it did.
    pub upstream: Option<Upstream>,
}

/// A request as the upstream got it.
#[derive(Debug)]
pub struct Upstream {
    pub path: Vec<u8>,
    pub headers: Vec<(String, Vec<u8>)>,
}

/// What must come back.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    status: u16,
    /// Every challenge, whole and in order.
    challenges: Option<Vec<String>>,
    /// For each challenge in order, texts that it holds.
    challenges_contain: Option<Vec<Vec<String>>>,
    /// `error` of the body.
    error: Option<String>,
    /// Response code details.
    details: Option<String>,
    /// Header fields that stand there once, with exactly this value.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// Header fields that are not there.
    #[serde(default)]
    absent: Vec<String>,
    /// That there are no fields but those of `headers`, the challenges, and what the host adds to every answer.
    #[serde(default)]
    no_other_headers: bool,
    /// Members of the JSON body; `null` for one that is not there.
    #[serde(default)]
    body: BTreeMap<String, Value>,
    /// The body, exactly.
    body_is: Option<String>,
    /// Texts within the body.
    #[serde(default)]
    body_contains: Vec<String>,
    /// That this is no refusal as the filter words it: a fixed answer, a redirect, metadata, a preflight. Only what the
    /// case says is looked at.
    #[serde(default)]
    own: bool,
    /// What the upstream gets, besides getting the request at all.
    upstream: Option<UpstreamExpectation>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct UpstreamExpectation {
    path: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, OneOrMany>,
    #[serde(default)]
    absent: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text],
            Self::Many(texts) => texts,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableFile {
    #[serde(rename = "about")]
    _about: String,
    #[serde(default)]
    keys: BTreeMap<String, String>,
    #[serde(default)]
    tokens: BTreeMap<String, TokenSpec>,
    #[serde(default)]
    proofs: BTreeMap<String, ProofSpec>,
    /// Of clients. A table that has some is over TLS.
    certificates: Option<BTreeMap<String, Names>>,
    #[serde(default)]
    routes: Vec<Route>,
    /// By the names of tokens.
    #[serde(default)]
    answers: BTreeMap<String, Value>,
    document: Value,
    cases: Vec<CaseFile>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    row: Option<OneOrMany>,
    name: String,
    /// The case stands for one case per entry, which takes the place of `{each}` in path and header fields.
    each: Option<Vec<String>>,
    /// In place of the table's document.
    document: Option<Value>,
    /// Merged over the document.
    patch: Option<Value>,
    request: RequestFile,
    /// The request before it, from whose refusal nonces are. What needs a nonce asks for one without this too.
    asks: Option<AsksFile>,
    expect: Expectation,
    /// What must come back when the same request is sent again.
    again: Option<Box<Expectation>>,
    /// The time at which the core judges it.
    at: Option<i64>,
    #[serde(default)]
    only: Runs,
    why: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestFile {
    #[serde(default = "get")]
    method: String,
    path: String,
    /// One Host field, or several.
    authority: Option<OneOrMany>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    /// A credential of Digest: a `DigestSpec`.
    digest: Option<Value>,
    /// The name of the client's certificate.
    certificate: Option<String>,
    #[serde(default)]
    body: String,
}

fn get() -> String {
    "GET".to_owned()
}

/// What `CASE` selects; none where it is not set, or empty.
fn selection() -> Option<String> {
    std::env::var("CASE").ok().filter(|text| !text.is_empty())
}

/// Every table of `tests/cases/`, in the order of their names; tokens are valid around `now`, in seconds since 1970.
///
/// # Panics
/// A table is wrong: with its file and what is wrong.
pub fn load_all(now: i64) -> Vec<Table> {
    names().iter().map(|name| load(name, now)).collect()
}

/// The names of the tables, in order.
///
/// # Panics
/// There is no table.
pub fn names() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(in_repository("tests/cases"))
        .expect("tests/cases is a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .map(|path| {
            let name = path.file_stem().expect("a name");
            name.to_string_lossy().into_owned()
        })
        .collect();
    names.sort();
    assert!(!names.is_empty(), "tests/cases holds no table");
    names
}

/// The table of this name, its tokens valid around `now`.
///
/// # Panics
/// It is wrong: with its file and what is wrong.
pub fn load(name: &str, now: i64) -> Table {
    let path = in_repository("tests/cases").join(format!("{name}.yaml"));
    let text = fs::read_to_string(path).expect("a table can be read");
    parse(name, &text, now)
}

/// A table's text, its tokens valid around `now`.
///
/// # Panics
/// The table is wrong.
pub fn parse(name: &str, text: &str, now: i64) -> Table {
    let file = read(text).unwrap_or_else(|e| panic!("{name}.yaml: {e}"));
    let keys = token::read_keys(&file.keys);
    let tokens: BTreeMap<String, String> = file
        .tokens
        .iter()
        .map(|(token, spec)| {
            (
                token.clone(),
                spec.mint(&format!("{name}.yaml: {token}"), &keys, now),
            )
        })
        .collect();
    let document = document::resolved(file.document);
    let answers = file.answers.into_iter().map(|(token, answer)| {
        let token = tokens
            .get(&token)
            .unwrap_or_else(|| panic!("{name}.yaml: no token is named {token}"));
        let answer = thumbprint::written(token::dated(answer, now), &keys);
        (token.clone(), answer)
    });
    let answers = Arc::new(answers.collect());
    let loader = Loader {
        table: name,
        makings: Arc::new(Makings {
            keys,
            tokens,
            proofs: file.proofs,
        }),
        certificates: file.certificates.as_ref(),
        routes: &file.routes,
        answers,
        document: &document,
    };
    Table {
        name: name.to_owned(),
        cases: file
            .cases
            .into_iter()
            .flat_map(|case| loader.expand(case))
            .collect(),
    }
}

fn read(text: &str) -> Result<TableFile, serde_yaml_ng::Error> {
    let mut yaml: serde_yaml_ng::Value = serde_yaml_ng::from_str(text)?;
    // `<<: *claims` is no part of YAML 1.2, and has to be asked for. One pass leaves the `<<` of what it merges.
    loop {
        let before = yaml.clone();
        yaml.apply_merge()?;
        if yaml == before {
            certificate::fill(&mut yaml);
            return serde_yaml_ng::from_value(yaml);
        }
    }
}

struct Loader<'a> {
    table: &'a str,
    makings: Arc<Makings>,
    certificates: Option<&'a BTreeMap<String, Names>>,
    routes: &'a [Route],
    answers: Arc<Answers>,
    document: &'a Value,
}

impl Loader<'_> {
    fn expand(&self, file: CaseFile) -> Vec<Case> {
        match file.each.clone() {
            None => vec![self.case(file, None)],
            Some(entries) => entries
                .iter()
                .map(|entry| self.case(file.clone(), Some(entry)))
                .collect(),
        }
    }

    fn case(&self, file: CaseFile, each: Option<&str>) -> Case {
        let mut name = format!("{}: {}", self.table, file.name);
        if let Some(each) = each {
            name.push_str(&format!(" [{}]", each.escape_debug()));
        }
        assert!(
            (file.only == Runs::Everywhere) == file.why.is_none(),
            "{name}: `only` and `why` stand together"
        );
        assert!(
            file.at.is_none() || file.only == Runs::CoreOnly,
            "{name}: the clock of Envoy cannot be set"
        );
        let own = file.document.map(document::resolved);
        let mut document = own.unwrap_or_else(|| self.document.clone());
        if let Some(patch) = file.patch {
            merge(&mut document, patch);
        }
        self.expand_fixtures(&mut document);
        let mut secrets = Secrets::default();
        // A path is logged, and so is no place for a secret: a text that stands there is only long.
        let path = &file.request.path;
        let is_path_alone = !path.contains(['?', '#']);
        let bare = is_path_alone.then(|| self.filled(&name, path, each, &mut Secrets::default()));
        let mut fill = |text: &str| latin_1(&self.filled(&name, text, each, &mut secrets));
        let hosts = match file.request.authority {
            None => vec![DEFAULT_AUTHORITY.to_owned()],
            Some(hosts) => hosts.into_vec(),
        };
        let request = Request {
            method: fill(&file.request.method),
            target: bare.map_or_else(|| fill(path), |path| latin_1(&path)),
            hosts: hosts.iter().map(|host| fill(host)).collect(),
            headers: file
                .request
                .headers
                .iter()
                .map(|(name, value)| (fill(name), fill(value)))
                .collect(),
            body: latin_1(&file.request.body),
            connection: self.connection(&name, file.request.certificate.as_deref(), each),
        };
        let digest = file.request.digest.map(|mut written| {
            proof::replace(&mut written, &mut |text| {
                self.filled(&name, text, each, &mut secrets)
            });
            let spec: DigestSpec =
                serde_json::from_value(written).unwrap_or_else(|e| panic!("{name}: digest: {e}"));
            spec.add_secrets(&document, &mut secrets);
            spec
        });
        let mut expect = file.expect;
        // An expected field may repeat what was sent: the token, say, which the upstream gets as it was.
        if let Some(upstream) = &mut expect.upstream {
            if let Some(path) = &mut upstream.path {
                *path = self.filled(&name, path, each, &mut secrets);
            }
            for value in upstream.headers.values_mut() {
                let filled = value
                    .clone()
                    .into_vec()
                    .iter()
                    .map(|text| self.filled(&name, text, each, &mut secrets))
                    .collect();
                *value = OneOrMany::Many(filled);
            }
        }
        secrets.add_configuration(&document);
        let headers = request.headers.iter();
        let headers = headers.map(|(name, value)| (name.as_slice(), value.as_slice()));
        secrets.add_request(&request.target, headers);
        let case = Case {
            rows: file.row.map(OneOrMany::into_vec).unwrap_or_default(),
            runs: file.only,
            document,
            routes: self.routes.to_vec(),
            answers: Arc::clone(&self.answers),
            request,
            expect,
            at: file.at,
            again: file.again,
            sending: Sending {
                makings: Arc::clone(&self.makings),
                digest,
                ..Sending::default()
            },
            secrets,
            name,
        };
        if file.asks.is_none() && !case.needs_nonce() {
            return case;
        }
        let mut asks = file.asks.unwrap_or_default();
        for (_, value) in &mut asks.headers {
            *value = self.filled(&case.name, value, each, &mut Secrets::default());
        }
        let mut document = case.document.clone();
        if let Some(patch) = asks.patch.take() {
            merge(&mut document, patch);
            self.expand_fixtures(&mut document);
        }
        case.asking(&asks, document)
    }

    fn connection(&self, case: &str, name: Option<&str>, each: Option<&str>) -> Connection {
        let certificate = name.map(|name| name.replace("{each}", each.unwrap_or("{each}")));
        match (self.certificates, certificate) {
            (None, None) => Connection::Plain,
            (Some(_), None) => Connection::Tls(None),
            (names, Some(certificate)) => {
                let names = names.and_then(|names| names.get(&certificate));
                let names = names.unwrap_or_else(|| panic!("{case}: no certificate {certificate}"));
                Connection::Tls(Some(Certificate::named(&certificate, names)))
            }
        }
    }

    /// The text with `{each}` and `{token}` replaced.
    fn filled(&self, case: &str, text: &str, each: Option<&str>, secrets: &mut Secrets) -> String {
        let mut text = match each {
            Some(each) => text.replace("{each}", each),
            None => text.to_owned(),
        };
        for (name, token) in &self.makings.tokens {
            let place = format!("{{{name}}}");
            if text.contains(&place) {
                text = text.replace(&place, token);
                secrets.add_token(token.as_bytes());
            }
        }
        assert!(
            !text.contains("{T_") && !text.contains("{each}"),
            "{case}: {text:?} names no token of the table"
        );
        text
    }

    /// `{fixture: [ec, {key: rsa, set: {use: enc}, drop: [alg]}]}` → a key set of public keys.
    fn expand_fixtures(&self, value: &mut Value) {
        match value {
            Value::Object(members) if members.len() == 1 && members.contains_key("fixture") => {
                let entries = members["fixture"].as_array().expect("`fixture` is a list");
                let keys: Vec<Value> = entries.iter().map(|entry| self.public_key(entry)).collect();
                *value = serde_json::json!({ "keys": keys });
            }
            Value::Object(members) => members
                .values_mut()
                .for_each(|member| self.expand_fixtures(member)),
            Value::Array(entries) => entries
                .iter_mut()
                .for_each(|entry| self.expand_fixtures(entry)),
            _ => {}
        }
    }

    fn public_key(&self, entry: &Value) -> Value {
        let name = entry
            .as_str()
            .or_else(|| entry["key"].as_str())
            .expect("a key's name");
        let keys = &self.makings.keys;
        let key = keys
            .get(name)
            .unwrap_or_else(|| panic!("{}: no key is named {name}", self.table));
        let mut jwk = key.public_jwk();
        let members = jwk.as_object_mut().expect("a JWK is an object");
        for (name, value) in entry["set"].as_object().into_iter().flatten() {
            members.insert(name.clone(), value.clone());
        }
        for name in entry["drop"].as_array().into_iter().flatten() {
            members.remove(name.as_str().expect("a member's name"));
        }
        jwk
    }
}

/// Objects are merged member by member, `null` removes one, everything else takes the old value's place (RFC 7396).
fn merge(value: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *value = patch;
        return;
    };
    if !value.is_object() {
        *value = Value::Object(serde_json::Map::new());
    }
    let members = value.as_object_mut().expect("just made one");
    for (name, patch) in patch {
        if patch.is_null() {
            members.remove(&name);
        } else {
            merge(members.entry(name).or_insert(Value::Null), patch);
        }
    }
}

impl Case {
    /// Whether the driver runs the case. The variable `CASE` selects cases: by a part of their names, or by a row.
    pub fn is_selected(&self) -> bool {
        selection().is_none_or(|selection| self.is_of(&selection))
    }

    /// Whether this is a part of the case's name, or one of its rows.
    pub fn is_of(&self, selection: &str) -> bool {
        self.name.contains(selection) || self.rows.iter().any(|row| row == selection)
    }

    /// What differs from what must come back; nothing where all is well.
    pub fn check(&self, observed: &Observed) -> Vec<String> {
        let mut differences = Differences(Vec::new());
        self.expect.check(observed, &mut differences);
        let issued = self.sending.issued.as_ref();
        differences.require(issued.is_none_or(|issued| !issued.is_empty()), || {
            "the request before it got no nonce".to_owned()
        });
        if observed.upstream.is_none() && !self.expect.own {
            check_refusal(observed, self.request.method == b"HEAD", &mut differences);
        }
        if observed.upstream.is_none() {
            self.check_secrets(observed, &mut differences);
            self.check_nonces(observed, &mut differences);
        }
        differences.0
    }

    /// The route that the request is on, where it has a name or metadata.
    pub fn route(&self) -> Option<&Route> {
        let path = self.request.path();
        let mut routes = self.routes.iter();
        routes.find(|route| path.starts_with(route.prefix.as_bytes()))
    }

    /// Whether the expectation is that the request passes.
    pub fn passes(&self) -> bool {
        self.expect.passes()
    }

    /// What no response and no log may hold.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// That each nonce is well-formed and new, and that there is one place where a client of DPoP finds it.
    fn check_nonces(&self, observed: &Observed, differences: &mut Differences) {
        let issued = self.sending.issued.as_deref();
        let all = texts(&observed.headers, "dpop-nonce");
        differences.require(all.len() <= 1, || format!("dpop-nonce: {all:?}"));
        for nonce in Nonces::of(&observed.headers).all() {
            differences.require(nonce::is_well_formed(nonce), || {
                format!("a nonce that is not well-formed: {nonce:?}")
            });
            let is_known = issued.is_some_and(|issued| issued.iter().any(|own| own == nonce));
            differences.require(!is_known, || format!("a nonce that is not new: {nonce}"));
        }
    }

    fn check_secrets(&self, observed: &Observed, differences: &mut Differences) {
        let values = observed.headers.iter().map(|(_, value)| value.as_slice());
        for text in values.chain([observed.body.as_slice()]) {
            let text = String::from_utf8_lossy(text);
            for line in self.secrets.found_in(&text) {
                differences
                    .0
                    .push(format!("the response shows a secret: {line}"));
            }
        }
    }
}

struct Differences(Vec<String>);

impl Differences {
    fn expect<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, found: T, expected: T) {
        if found != expected {
            self.0
                .push(format!("{what}: expected {expected:?}, found {found:?}"));
        }
    }

    fn require(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.0.push(otherwise());
        }
    }
}

impl Expectation {
    /// A 200 is the upstream's, unless it is the filter's own or a gRPC call's refusal.
    fn passes(&self) -> bool {
        self.status == 200 && !self.own && !self.headers.contains_key("grpc-status")
    }

    /// Whether a field may be there when no other may.
    fn names(&self, name: &str) -> bool {
        self.headers.contains_key(name)
            || OF_THE_HOST.contains(&name)
            || self.challenges.is_some() && name.ends_with("-authenticate")
    }

    fn check(&self, observed: &Observed, differences: &mut Differences) {
        differences.expect("status", observed.status, self.status);
        differences.expect(
            "reached the upstream",
            observed.upstream.is_some(),
            self.passes(),
        );
        let mut challenges = texts(&observed.headers, "www-authenticate");
        challenges.extend(texts(&observed.headers, "proxy-authenticate"));
        if let Some(expected) = &self.challenges {
            let mut masked = challenges.clone();
            for (found, expected) in masked.iter_mut().zip(expected) {
                *found = nonce::masked(found, expected);
            }
            differences.expect("challenges", &masked, expected);
        }
        if let Some(expected) = &self.challenges_contain {
            differences.expect("number of challenges", challenges.len(), expected.len());
            for (challenge, parts) in challenges.iter().zip(expected) {
                for part in parts {
                    differences.require(challenge.contains(part), || {
                        format!("challenge {challenge:?} lacks {part:?}")
                    });
                }
            }
        }
        if let Some(expected) = &self.error
            && observed.upstream.is_none()
            && !observed.body.is_empty()
        {
            differences.expect(
                "error of the body",
                body_member(observed, "error"),
                Value::from(expected.as_str()),
            );
        }
        if let (Some(expected), Some(found)) = (&self.details, &observed.details) {
            differences.expect("details", found, expected);
        }
        for (name, expected) in &self.body {
            let what = format!("{name} of the body");
            differences.expect(&what, &body_member(observed, name), expected);
        }
        if let Some(expected) = &self.body_is {
            differences.expect("body", latin_1_text(&observed.body), expected.clone());
        }
        for part in &self.body_contains {
            differences.require(latin_1_text(&observed.body).contains(part), || {
                format!("the body lacks {part:?}: {}", latin_1_text(&observed.body))
            });
        }
        for (name, expected) in &self.headers {
            let mut found = texts(&observed.headers, name);
            if expected == nonce::NONCE {
                // Any nonce; another check looks at it.
                found
                    .iter_mut()
                    .for_each(|found| expected.clone_into(found));
            }
            differences.expect(name, found, vec![expected.clone()]);
        }
        for name in &self.absent {
            differences.expect(name, texts(&observed.headers, name), Vec::new());
        }
        if self.no_other_headers {
            let names = observed.headers.iter().map(|(name, _)| name.as_str());
            let others: Vec<&str> = names.filter(|name| !self.names(name)).collect();
            differences.expect("other header fields", others, Vec::new());
        }
        if let (Some(expected), Some(found)) = (&self.upstream, &observed.upstream) {
            expected.check(found, differences);
        }
    }
}

impl UpstreamExpectation {
    fn check(&self, found: &Upstream, differences: &mut Differences) {
        if let Some(path) = &self.path {
            differences.expect(
                "path at the upstream",
                latin_1_text(&found.path),
                path.clone(),
            );
        }
        for (name, expected) in &self.headers {
            let what = format!("{name} at the upstream");
            differences.expect(
                &what,
                texts(&found.headers, name),
                expected.clone().into_vec(),
            );
        }
        for name in &self.absent {
            differences.expect(
                &format!("{name} at the upstream"),
                texts(&found.headers, name),
                Vec::new(),
            );
        }
    }
}

/// What every refusal is held to, whatever the case.
fn check_refusal(observed: &Observed, to_head: bool, differences: &mut Differences) {
    let one = |value: &str| vec![value.to_owned()];
    let all = |name| texts(&observed.headers, name);
    differences.expect("cache-control", all("cache-control"), one("no-store"));
    let nosniff = all("x-content-type-options");
    differences.expect("x-content-type-options", nosniff, one("nosniff"));
    let is_407 = observed.status == 407;
    let (challenges, others) = if is_407 || !all("proxy-authenticate").is_empty() {
        (all("proxy-authenticate"), all("www-authenticate"))
    } else {
        (all("www-authenticate"), all("proxy-authenticate"))
    };
    differences.expect("challenges of the other kind", others, Vec::new());
    let needs_one = matches!(observed.status, 401 | 407)
        || all("grpc-status").first().is_some_and(|code| code == "16");
    differences.require(!needs_one || !challenges.is_empty(), || {
        "no challenge where there must be one".to_owned()
    });
    for challenge in &challenges {
        if let Err(fault) = challenge::parse(challenge) {
            differences
                .0
                .push(format!("challenge {challenge:?}: {fault}"));
        }
    }
    check_exposed(observed, differences);
    for vary in all("vary") {
        let vary = vary.to_ascii_lowercase();
        differences.require(
            !vary.contains("authorization") && !vary.contains('*'),
            || format!("vary: {vary}"),
        );
    }
    if to_head {
        differences.require(observed.body.is_empty(), || {
            "HEAD was answered with a body".to_owned()
        });
    } else {
        check_content(observed, differences);
    }
}

/// That a page of another origin that may read the response can read what it needs of it (WHATWG Fetch §3.2.3).
fn check_exposed(observed: &Observed, differences: &mut Differences) {
    let all = |name: &str| texts(&observed.headers, name);
    if all("access-control-allow-origin").is_empty() {
        return;
    }
    let exposed = all("access-control-expose-headers")
        .join(",")
        .to_ascii_lowercase();
    for name in ["www-authenticate", "retry-after", "dpop-nonce"] {
        let is_exposed = exposed.split(',').any(|own| own.trim() == name);
        differences.require(all(name).is_empty() || is_exposed, || {
            format!("{name} is not among the exposed headers: {exposed}")
        });
    }
}

/// That the content is what its type says, and explains the refusal.
fn check_content(observed: &Observed, differences: &mut Differences) {
    let types = texts(&observed.headers, "content-type");
    let [content_type] = &types[..] else {
        differences.require(types.is_empty() && observed.body.is_empty(), || {
            format!("content of the types {types:?}")
        });
        return;
    };
    match content_type.as_str() {
        "application/json" | "application/problem+json" => {
            differences.expect(
                "status of the body",
                body_member(observed, "status"),
                Value::from(observed.status),
            );
            differences.require(body_member(observed, "error").is_string(), || {
                "the body has no error".to_owned()
            });
        }
        "text/html; charset=utf-8" => differences.require(!observed.body.is_empty(), || {
            "a page without content".to_owned()
        }),
        "text/plain; charset=utf-8" => {
            differences.require(observed.body.ends_with(b"\n"), || {
                "a text without an end".to_owned()
            });
        }
        "application/grpc" => {
            differences.expect("status of a call", observed.status, 200);
            differences.require(observed.body.is_empty(), || {
                "a call was answered with content".to_owned()
            });
            let message = texts(&observed.headers, "grpc-message").concat();
            differences.require(!message.is_empty() && !message.contains('{'), || {
                format!("grpc-message: {message:?}")
            });
        }
        other => differences.0.push(format!("content of the type {other:?}")),
    }
}

fn texts(headers: &[(String, Vec<u8>)], name: &str) -> Vec<String> {
    headers
        .iter()
        .filter(|(own, _)| own == name)
        .map(|(_, value)| latin_1_text(value))
        .collect()
}

fn latin_1_text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn body_member(observed: &Observed, name: &str) -> Value {
    serde_json::from_slice::<Value>(&observed.body)
        .map(|body| body[name].clone())
        .unwrap_or_default()
}
