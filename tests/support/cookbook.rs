//! The recipes of `docs/cookbook.md`: the rules of each, and its transcript, read from the page.
//!
//! A recipe is a section of the page with a `yaml` block. The block replaces the rules of `envoy/envoy.yaml`, and its
//! `providers` are added to the provider there. The `text` block is the transcript. A line of a transcript has columns, two or
//! more spaces apart:
//!
//! ```text
//! GET admin.example.com/x  token: sub=amy roles=[a,b] auth_time=now-1h  from 10.1.2.3  x-field: value  → 403 forbidden
//!     x-permission-required: c
//! ```
//!
//! The host may be missing, and everything between the target and the arrow; `at 2026-03-02T08:30:00Z` there is the moment
//! to judge at, which `countersign explain` can be told and Envoy cannot. After the arrow stand the status and, of a
//! refusal, the error; in further columns or on further lines, fields of the response: all with this name, exactly.

use std::fs;
use std::net::SocketAddr;

use serde_json::{Map, Value, json};

use super::client::{self, Response};
use super::example::{self, Mint};
use super::in_repository;

const PAGE: &str = "docs/cookbook.md";
const HOST: &str = "orders.example.com";

/// A policy, and what it does.
pub struct Recipe {
    /// The heading.
    pub title: String,
    /// The heading as an address has it: `role-per-path`.
    pub name: String,
    /// The document: the provider of `envoy/envoy.yaml`, and the recipe's own keys.
    pub document: Value,
    /// What was asked, and what came back.
    pub transcript: Vec<Line>,
}

/// A request, and what comes back.
pub struct Line {
    /// As it is written in the page.
    pub text: String,
    pub method: String,
    pub host: String,
    pub target: String,
    /// The claims of the token, dates as they are written.
    claims: Option<Map<String, Value>>,
    /// Where the request comes from, as the proxy before Envoy says.
    pub from: Option<String>,
    /// The moment to judge at, where it is not now.
    pub at: Option<String>,
    fields: Vec<(String, String)>,
    status: u16,
    error: Option<String>,
    comes_with: Vec<(String, String)>,
}

/// What came back, wherever it came from.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        let text = |value: Vec<u8>| String::from_utf8_lossy(&value).into_owned();
        let headers = response.headers.into_iter();
        Self {
            status: response.status,
            headers: headers.map(|(name, value)| (name, text(value))).collect(),
            body: response.body,
        }
    }
}

/// Every recipe, in the order of the page.
///
/// # Panics
/// A section with a `yaml` block is not a recipe.
pub fn recipes() -> Vec<Recipe> {
    let page = fs::read_to_string(in_repository(PAGE)).expect("the page can be read");
    let sections = page.split("\n## ").skip(1);
    let recipes = sections.filter(|section| section.contains("\n```yaml\n"));
    recipes.map(recipe).collect()
}

impl Recipe {
    /// A configuration of the user's, without a transcript.
    ///
    /// # Errors
    /// The text is not YAML.
    pub fn of_configuration(name: &str, text: &str) -> Result<Self, String> {
        Ok(Self {
            title: name.to_owned(),
            name: name.to_owned(),
            document: serde_yaml_ng::from_str(text).map_err(|fault| fault.to_string())?,
            transcript: Vec::new(),
        })
    }
}

fn recipe(text: &str) -> Recipe {
    let title = text.lines().next().unwrap_or_default().to_owned();
    let block = |language: &str| {
        let fence = format!("```{language}\n");
        let mut blocks = text.split(&fence).skip(1);
        let block = blocks
            .next()
            .unwrap_or_else(|| panic!("{title}: no {language}"));
        assert!(
            blocks.next().is_none(),
            "{title}: a second block of {language}"
        );
        let end = block.split_once("```");
        end.unwrap_or_else(|| panic!("{title}: no end of {language}"))
            .0
    };
    let mut keys: Map<String, Value> =
        serde_yaml_ng::from_str(block("yaml")).unwrap_or_else(|e| panic!("{title}: {e}"));
    let mut providers = example::providers();
    if let Some(Value::Array(own)) = keys.remove("providers") {
        let all = providers.as_array_mut();
        all.expect("a list of providers").extend(own);
    }
    let mut document = json!({"realm": "orders", "providers": providers});
    document.as_object_mut().expect("an object").extend(keys);
    Recipe {
        name: title.to_lowercase().replace(' ', "-"),
        transcript: transcript(block("text")),
        document,
        title,
    }
}

fn transcript(text: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for text in text.lines() {
        match lines.last_mut() {
            Some(line) if text.starts_with(' ') => {
                line.comes_with.push(field(text.trim()));
                line.text = format!("{}\n{text}", line.text);
            }
            _ => lines.push(Line::parse(text)),
        }
    }
    assert!(!lines.is_empty(), "an empty transcript");
    lines
}

fn field(text: &str) -> (String, String) {
    let (name, value) = text
        .split_once(": ")
        .unwrap_or_else(|| panic!("{text} is no field"));
    (name.to_owned(), value.to_owned())
}

fn columns(text: &str) -> impl Iterator<Item = &str> {
    text.split("  ")
        .map(str::trim)
        .filter(|column| !column.is_empty())
}

impl Line {
    fn parse(text: &str) -> Self {
        let wrong = |what: &str| -> ! { panic!("{text:?}: {what}") };
        let Some((request, response)) = text.split_once('→') else {
            wrong("there is no arrow");
        };
        let mut request = columns(request);
        let Some((method, place)) = request.next().and_then(|first| first.split_once(' ')) else {
            wrong("there is no request");
        };
        let Some(slash) = place.find('/') else {
            wrong("there is no path");
        };
        let (host, target) = place.split_at(slash);
        let mut response = columns(response);
        let mut outcome = response.next().unwrap_or_default().split(' ');
        let Some(status) = outcome.next().and_then(|status| status.parse().ok()) else {
            wrong("there is no status");
        };
        let error = outcome.next().map(str::to_owned);
        if error.is_some() != (status >= 400) || outcome.next().is_some() {
            wrong("a refusal has an error, and what passes none");
        }
        let mut line = Self {
            text: text.to_owned(),
            method: method.to_owned(),
            host: if host.is_empty() { HOST } else { host }.to_owned(),
            target: target.to_owned(),
            claims: None,
            from: None,
            at: None,
            fields: Vec::new(),
            status,
            error,
            comes_with: response.map(field).collect(),
        };
        for column in request {
            if let Some(claims) = column.strip_prefix("token: ") {
                line.claims = Some(claims.split(' ').map(claim).collect());
            } else if let Some(address) = column.strip_prefix("from ") {
                line.from = Some(address.to_owned());
            } else if let Some(moment) = column.strip_prefix("at ") {
                line.at = Some(moment.to_owned());
            } else {
                line.fields.push(field(column));
            }
        }
        line
    }

    /// The token that it shows, issued at its moment; one without a subject, where none is written.
    pub fn token(&self, mint: &Mint) -> Option<String> {
        let written = self.claims.as_ref()?;
        let then = self.at.as_deref().map(|moment| {
            let moment = humantime::parse_rfc3339(moment).expect("a moment of RFC 3339");
            let since_1970 = moment.duration_since(std::time::UNIX_EPOCH);
            let seconds = since_1970.expect("a moment after 1970").as_secs();
            Mint::at(i64::try_from(seconds).expect("a moment that is not that far away"))
        });
        let mint = then.as_ref().unwrap_or(mint);
        let mut claims = Map::from_iter([("sub".to_owned(), Value::Null)]);
        claims.extend(
            written
                .iter()
                .map(|(name, value)| (name.clone(), dated(value, mint.now))),
        );
        Some(mint.token(&Value::Object(claims)))
    }

    /// The fields that it sends, but for its token; the proxy before Envoy adds where it comes from.
    pub fn fields(&self) -> Vec<(String, String)> {
        let mut fields = self.fields.clone();
        if let Some(from) = &self.from {
            let forwarded = "x-forwarded-for";
            match fields.iter_mut().find(|(name, _)| name == forwarded) {
                Some((_, value)) => *value = format!("{value}, {from}"),
                None => fields.push((forwarded.to_owned(), from.clone())),
            }
        }
        fields
    }

    /// The opaque token that it sends.
    pub fn opaque_token(&self) -> Option<&str> {
        let mut fields = self.fields.iter();
        fields.find_map(|(_, value)| value.strip_prefix("Bearer "))
    }

    /// Plays it.
    ///
    /// # Panics
    /// There is no answer.
    pub fn play(&self, server: SocketAddr, mint: &Mint) -> Answer {
        let authorization = self.token(mint).map(|token| format!("Bearer {token}"));
        let fields = self.fields();
        let token = authorization
            .iter()
            .map(|value| ("authorization", value.as_str()));
        let fields = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let request =
            client::Request::of(&self.method, &self.target, &self.host, token.chain(fields));
        let answer = client::send(server, &request);
        answer
            .unwrap_or_else(|error| panic!("{}: {error}", self.text))
            .into()
    }

    /// Everything in which an answer differs from what is written.
    pub fn differences(&self, answer: &Answer) -> Vec<String> {
        let mut differences = Vec::new();
        if answer.status != self.status {
            differences.push(format!("the status is {}", answer.status));
        }
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        if self.error.is_some() && self.error.as_deref() != body["error"].as_str() {
            differences.push(format!("the error is {}", body["error"]));
        }
        for (name, _) in &self.comes_with {
            let values = |fields: &[(String, String)]| -> Vec<String> {
                let named = fields.iter().filter(|(own, _)| own == name);
                named.map(|(_, value)| value.clone()).collect()
            };
            let came = values(&answer.headers);
            if came != values(&self.comes_with) {
                differences.push(format!("{name} is {came:?}"));
            }
        }
        differences
    }

    /// To be pasted.
    pub fn curl(&self, server: SocketAddr, mint: &Mint) -> String {
        let mut command = "curl -i --path-as-is".to_owned();
        if self.method != "GET" {
            command += &format!(" -X {}", self.method);
        }
        command += &format!(" 'http://{server}{}' -H 'host: {}'", self.target, self.host);
        for (name, value) in self.fields() {
            command += &format!(" -H '{name}: {value}'");
        }
        if let Some(token) = self.token(mint) {
            command += &format!(" -H 'authorization: Bearer {token}'");
        }
        command
    }
}

/// `name=value`, `name=17`, `name=[a,b]`.
fn claim(text: &str) -> (String, Value) {
    let (name, value) = text
        .split_once('=')
        .unwrap_or_else(|| panic!("{text} is no claim"));
    let list = value
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let value = match list {
        Some(items) => items.split(',').map(one).collect(),
        None => one(value),
    };
    (name.to_owned(), value)
}

fn one(text: &str) -> Value {
    text.parse::<i64>()
        .map_or_else(|_| json!(text), Value::from)
}

/// `now` and `now-1h` as NumericDates.
fn dated(value: &Value, now: i64) -> Value {
    let Some(offset) = value.as_str().and_then(|text| text.strip_prefix("now")) else {
        return value.clone();
    };
    let ago = match offset.strip_prefix('-') {
        Some(ago) => humantime::parse_duration(ago).expect("a duration such as 1h"),
        None => std::time::Duration::ZERO,
    };
    json!(now - i64::try_from(ago.as_secs()).expect("not that long ago"))
}

/// An Envoy with a listener for each recipe, named as it is, behind one proxy that says where a request comes from. The
/// clusters `login` and `keys` are the authorization server.
pub fn bootstrap(recipes: &[Recipe], upstream: u16, login: u16) -> Value {
    let mut bootstrap = example::bootstrap("envoy/envoy.yaml", &[("upstream", upstream)]);
    let listeners = &mut bootstrap["static_resources"]["listeners"];
    let template = listeners[0].clone();
    let listener = |recipe: &Recipe| {
        let mut listener = template.clone();
        listener["name"] = json!(recipe.name);
        let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        manager["xff_num_trusted_hops"] = json!(1);
        let filter = &mut example::http_filters(&mut listener)[0]["typed_config"]["config"];
        filter["vm_config"]["vm_id"] = json!(recipe.name);
        filter["vm_config"]["environment_variables"] = example::variables();
        filter["configuration"]["value"] = recipe.document.clone();
        listener
    };
    *listeners = recipes.iter().map(listener).collect();
    let clusters = bootstrap["static_resources"]["clusters"].as_array_mut();
    let clusters = clusters.expect("clusters");
    for name in ["login", "keys"] {
        let mut cluster = clusters[0].clone();
        cluster["name"] = json!(name);
        example::set_port(&mut cluster, login);
        clusters.push(cluster);
    }
    bootstrap
}
