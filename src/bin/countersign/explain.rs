//! `explain`: one request, judged by a document without a proxy: the steps, and the response.
//!
//! Nothing that came with the request is printed, its path and the names of fields that are taken out aside: whoever shares an explanation shares no token.

use std::fmt::Write;
use std::net::IpAddr;
use std::path::PathBuf;

use countersign::authenticate::ProviderId;
use countersign::authenticate::signature::Pure;
use countersign::config::{self, Diagnostic, Loaded};
use countersign::evaluate::{
    Circumstances, Decision, Fetch, Outcome, Step, Trace, Verdict, evaluate,
};
use countersign::grammar::is_token;
use countersign::grammar::unprintable::escaped;
use countersign::json;
use countersign::request::RequestView;
use countersign::response::body::phrase_of;
use countersign::response::{Reply, reply};
use serde_json::{Value, json};

use crate::clock;
use crate::ending::{Ending, Failure, Report};
use crate::found::{File, Found};
use crate::input;

/// Judges one request by a document.
#[derive(clap::Args)]
pub struct Explain {
    /// A file that holds a document, as `check` takes it; `-` for standard input
    file: PathBuf,
    /// Which document of the file, from 1
    #[arg(long, value_name = "NUMBER")]
    document: Option<usize>,
    /// The method of the request
    #[arg(long, default_value = "GET")]
    method: String,
    /// The path of the request as sent, with its query
    #[arg(long)]
    path: String,
    /// The host of the request
    #[arg(long, default_value = "localhost")]
    host: String,
    /// The request comes over plain HTTP; default HTTPS
    #[arg(long)]
    plain_http: bool,
    /// The address that the request comes from, which `networks` looks at; default one that nothing allows
    #[arg(long, value_name = "ADDRESS")]
    client: Option<IpAddr>,
    /// The name of the route that Envoy chooses, which `match.route` looks at; default none
    #[arg(long, value_name = "NAME")]
    route: Option<String>,
    /// A policy that the metadata of the route names, which `match.policy` looks at; as often as there are
    #[arg(long = "policy", value_name = "NAME")]
    policies: Vec<String>,
    /// A header field of the request, or `@FILE` with one on each line
    #[arg(long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// A token for the Authorization field
    #[arg(long, value_name = "TOKEN")]
    bearer: Option<String>,
    /// A file that holds a token for the Authorization field
    #[arg(long, value_name = "FILE")]
    bearer_file: Option<PathBuf>,
    /// A JSON Web Key Set that replaces the keys of every provider
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// The moment to judge at: RFC 3339, or seconds since 1970; default now
    #[arg(long, value_name = "MOMENT", allow_hyphen_values = true)]
    now: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Explain {
    /// Runs the verb.
    pub fn run(&self) -> Result<Report, Failure> {
        let file = File::read(&self.file)?;
        let search = file.search()?;
        let found = self.choose(&file.name, &search.found)?;
        let loaded = match self.load(found)? {
            Ok(loaded) => loaded,
            Err(faults) => return Ok(self.invalid(&file.name, &found.path, &faults)),
        };
        let now = clock::moment(self.now.as_deref())?;
        let fields = self.fields()?;
        let request = fields
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_slice()));
        let request = RequestView::new(request.collect())
            .over_tls(!self.plain_http)
            .from_client(self.client)
            .on_route(
                self.route.as_deref().map(str::as_bytes),
                self.policies.iter().map(String::as_bytes).collect(),
            );
        let mut steps = Steps(Vec::new());
        let plan = &loaded.plan;
        let outcome = evaluate(
            plan,
            &request,
            &plan.empty_store(),
            Circumstances {
                settled: &[],
                backend: &Pure,
                now,
            },
            &mut steps,
        );
        let decision = match outcome {
            Outcome::Decided(decision, _) => decision,
            Outcome::Needs(fetch) => return Err(needs_keys(&loaded, fetch)),
        };
        let reply = reply(&decision, &loaded.plan.presentation, &request, now);
        let text = if self.json {
            as_json(&steps.0, &decision, reply.as_ref())
        } else {
            as_text(&steps.0, &decision, reply.as_ref(), self.method == "HEAD")
        };
        Ok(Report {
            text,
            ending: if decision.passage().is_some() {
                Ending::Good
            } else {
                Ending::Denied
            },
        })
    }

    fn choose<'f, 'v>(&self, file: &str, found: &'f [Found<'v>]) -> Result<&'f Found<'v>, Failure> {
        let number = match (self.document, found) {
            (None, [_]) => 1,
            (None, several) => {
                return Err(Failure::new(format_args!(
                    "`{file}` holds {} documents; choose one with `--document`",
                    several.len()
                )));
            }
            (Some(number), _) => number,
        };
        let chosen = number.checked_sub(1).and_then(|index| found.get(index));
        chosen.ok_or_else(|| {
            Failure::new(format_args!(
                "`{file}` holds no document number {number}, but {}",
                found.len()
            ))
        })
    }

    fn load(&self, found: &Found<'_>) -> Result<Result<Loaded, Vec<Diagnostic>>, Failure> {
        let Some(file) = &self.jwks else {
            return Ok(found.load());
        };
        let keys = json::parse_strict(&input::read_bytes(file)?).map_err(|fault| {
            Failure::new(format_args!(
                "`{}` is no JSON Web Key Set: {fault}",
                file.display()
            ))
        })?;
        let Some(mut document) = found.value() else {
            return Ok(found.load());
        };
        let providers = document.get_mut("providers").and_then(Value::as_array_mut);
        for provider in providers.into_iter().flatten() {
            if let Some(jwt) = provider.get_mut("jwt").and_then(Value::as_object_mut) {
                jwt.insert("jwks".to_owned(), json!({ "inline": keys }));
            }
        }
        Ok(config::load_value(&document))
    }

    fn invalid(&self, file: &str, path: &str, faults: &[Diagnostic]) -> Report {
        let text = if self.json {
            let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
            format!("{:#}\n", json!({ "faults": faults }))
        } else {
            let place = if path.is_empty() {
                String::new()
            } else {
                format!("{path}: ")
            };
            faults
                .iter()
                .map(|fault| format!("{file}: {place}{fault}\n"))
                .collect()
        };
        Report {
            text,
            ending: Ending::Invalid,
        }
    }

    /// The request's fields, as a host hands them over.
    fn fields(&self) -> Result<Vec<(String, Vec<u8>)>, Failure> {
        let scheme: &[u8] = if self.plain_http { b"http" } else { b"https" };
        let mut fields = vec![
            (":method".to_owned(), self.method.clone().into_bytes()),
            (":scheme".to_owned(), scheme.to_vec()),
            (":authority".to_owned(), self.host.clone().into_bytes()),
            (":path".to_owned(), self.path.clone().into_bytes()),
        ];
        for header in &self.headers {
            match header.strip_prefix('@') {
                None => fields.push(field(header)?),
                Some(file) => {
                    let text = input::read_text(file.as_ref())?;
                    for line in text.lines().filter(|line| !line.trim().is_empty()) {
                        fields.push(field(line)?);
                    }
                }
            }
        }
        let from_file = self
            .bearer_file
            .as_deref()
            .map(input::read_text)
            .transpose()?;
        for token in self.bearer.iter().chain(&from_file) {
            fields.push(field(&format!("authorization: Bearer {}", token.trim()))?);
        }
        Ok(fields)
    }
}

/// A field from its line. What is wrong with a line is said without the line: it may be a token.
fn field(line: &str) -> Result<(String, Vec<u8>), Failure> {
    let wrong = |what: &str| {
        Failure::new(format_args!(
            "expected a header field as `name: value`: {what}"
        ))
    };
    let (name, value) = line
        .split_once(':')
        .ok_or_else(|| wrong("there is no colon"))?;
    if !is_token(name) {
        return Err(wrong("what stands before the colon is no name"));
    }
    if name.eq_ignore_ascii_case("host") {
        return Err(wrong("the host is given by `--host`"));
    }
    let value = value.trim_matches([' ', '\t']);
    if value.contains(['\r', '\n', '\0']) {
        return Err(wrong("a value is one line"));
    }
    Ok((name.to_ascii_lowercase(), value.as_bytes().to_vec()))
}

struct Steps(Vec<String>);

impl Trace for Steps {
    fn step(&mut self, step: Step<'_>) {
        self.0.push(step.to_string());
    }
}

fn as_text(
    steps: &[String],
    decision: &Decision<'_>,
    reply: Option<&Reply>,
    is_head: bool,
) -> String {
    let mut text = String::new();
    for step in steps {
        text += step;
        text.push('\n');
    }
    let Some(reply) = reply else {
        text += "passes: ";
        text += &who(decision);
        text.push('\n');
        text += &changes(decision);
        return text;
    };
    // Writing to a string does not fail.
    let _ = match (decision.refusal(), decision.is_shadow) {
        (None, _) => writeln!(text, "answered\n"),
        (Some(reject), false) => writeln!(text, "denied: {}\n", reject.reason()),
        (Some(reject), true) => writeln!(
            text,
            "passes, since `mode` is `shadow`; would be denied: {}\n{}",
            reject.reason(),
            changes(decision)
        ),
    };
    let _ = writeln!(
        text,
        "HTTP/1.1 {} {}",
        reply.status,
        phrase_of(reply.status).unwrap_or_default()
    );
    for (name, value) in &reply.headers {
        let _ = writeln!(text, "{name}: {value}");
    }
    let _ = writeln!(text, "content-length: {}\n", reply.body.len());
    if !is_head {
        text += &reply.body;
        text.push('\n');
    }
    text
}

/// What the upstream gets otherwise than it was sent: names alone, since values may be credentials.
fn changes(decision: &Decision<'_>) -> String {
    let forward = &decision.forward;
    let set: Vec<_> = forward.set.iter().map(|(name, _)| *name).collect();
    let mut text = String::new();
    for (what, names) in [
        ("taken out", forward.remove.join(", ")),
        ("set", set.join(", ")),
    ] {
        if !names.is_empty() {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{what}: {names}");
        }
    }
    if forward.target.is_some() {
        text += "taken out of the query: what is not for the upstream\n";
    }
    text
}

/// This command reaches no network: keys that are elsewhere are handed to it.
fn needs_keys(loaded: &Loaded, fetch: Fetch) -> Failure {
    let policy = loaded.plan.policy.as_ref();
    let provider = |id: ProviderId| {
        let provider = policy.and_then(|policy| policy.providers.get(id.0));
        provider.map_or("?", |provider| &provider.name)
    };
    let what = match fetch {
        Fetch::Keys(id) => {
            let source = policy.and_then(|policy| policy.sources.get(id.0));
            let provider = source.map_or("?", |source| &source.provider);
            format!(
                "the keys of `{provider}` are fetched when the filter runs; hand them over with `--jwks FILE`"
            )
        }
        Fetch::Entries(id) => format!(
            "the credentials of `{}` are fetched when the filter runs",
            provider(id)
        ),
        Fetch::Introspection(id, _) => format!(
            "`{}` is asked about tokens when the filter runs",
            provider(id)
        ),
    };
    Failure::new(what)
}

fn as_json(steps: &[String], decision: &Decision<'_>, reply: Option<&Reply>) -> String {
    let response = reply.map(|reply| {
        let headers: Vec<_> = reply
            .headers
            .iter()
            .map(|(name, value)| json!([name, value]))
            .collect();
        json!({ "status": reply.status, "headers": headers, "body": reply.body })
    });
    let subject = decision
        .principal()
        .and_then(|principal| principal.subject());
    let object = json!({
        "verdict": match (&decision.verdict, decision.is_shadow) {
            (Verdict::Passes(_), _) => "passes",
            (Verdict::Answers(_), _) => "answered",
            (Verdict::Refused(_), false) => "denied",
            (Verdict::Refused(_), true) => "would be denied",
        },
        "reason": decision.refusal().map(|reject| reject.reason()),
        "rule": decision.rule,
        "provider": decision.provider,
        "subject": subject,
        "steps": steps,
        "upstream": decision.passage().map(|_| json!({
            "removed": decision.forward.remove,
            "set": decision.forward.set.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
            "query_changed": decision.forward.target.is_some(),
        })),
        "response": response,
    });
    // Its line breaks are between members; those within texts are escaped already.
    let text = format!("{object:#}");
    let lines = text.lines().map(|line| format!("{}\n", escaped(line)));
    lines.collect()
}

fn who(decision: &Decision<'_>) -> String {
    match (decision.principal(), decision.provider) {
        (Some(principal), Some(provider)) => {
            let subject = principal.subject().unwrap_or("a caller without a subject");
            format!("{}, by `{provider}`", escaped(subject))
        }
        _ => "nobody in particular".to_owned(),
    }
}
