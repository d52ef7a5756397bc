//! `explain`: what the filter does with one request, step by step, and the response.
//!
//! The output contains no token, password, API key or cookie value. It contains claims: they are what requirements are about.
//! A header value of the request appears only where a rule or a condition compares it, where it is forwarded in another
//! form, and where the response repeats it, such as `origin` or `x-request-id`.

mod credential;
mod finding;
mod given;
mod json;
mod lack;
mod message;
mod reason;
mod request;
mod response;
mod rules;
mod steps;
mod text;
mod times;
mod token;
mod upstream;

use std::path::{Path, PathBuf};
use std::rc::Rc;

use anstream::AutoStream;
use clap::ColorChoice;
use countersign::authenticate::Principal;
use countersign::authenticate::jose::signature::{AlgorithmSet, Chosen, Pure};
use countersign::config::Loaded;
use countersign::evaluate::{Circumstances, Decision, Fetch, Outcome, evaluate};
use countersign::keys::parse_body;
use countersign::nonce::NonceKey;
use countersign::response::reply;
use serde_json::{Value, json};

use self::finding::Finding;
use self::given::GivenArgs;
use self::request::RequestArgs;
use self::response::Response;
use self::steps::Steps;
use self::upstream::Changes;
use crate::exit::{Exit, Failure, Report};
use crate::file::File;
use crate::finding::Finding as Fault;
use crate::locate::{Configuration, Located, locate};
use crate::{clock, input, report};

/// The secret of the nonces in responses. It is the same in every run, so that a request can use a nonce of an earlier run.
const NONCE_SECRET: &[u8] = b"countersign explain";

/// Explains what the filter does with one request.
#[derive(clap::Args)]
pub struct Explain {
    /// A file that contains a configuration, as for `check`; `-` for standard input
    file: PathBuf,
    /// Which configuration in the file, counted from 1
    #[arg(long, value_name = "NUMBER")]
    document: Option<usize>,
    #[command(flatten)]
    request: RequestArgs,
    #[command(flatten)]
    given: GivenArgs,
    /// The time of the request: RFC 3339, or seconds since 1970; default: now
    #[arg(
        long,
        value_name = "TIME",
        allow_hyphen_values = true,
        help_heading = "Request"
    )]
    now: Option<String>,
    /// Evaluate the request so many times, one after the other, and explain the last: for `throttle`, and for a proof that is
    /// sent again
    #[arg(
        long, value_name = "NUMBER", default_value_t = 1, help_heading = "Request",
        value_parser = clap::value_parser!(u16).range(1..=1000),
    )]
    times: u16,
    /// The form of the output
    #[arg(long, value_enum, default_value_t = Format::Text, help_heading = "Output")]
    format: Format,
    /// The same as `--format json`
    #[arg(long, hide = true, conflicts_with = "format")]
    json: bool,
    /// When to colour the text
    #[arg(long, value_name = "WHEN", default_value_t = ColorChoice::Auto, help_heading = "Output")]
    color: ColorChoice,
}

/// The form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Lines for people
    Text,
    /// One JSON object
    Json,
}

/// What the filter did with the request.
struct Explanation<'p> {
    /// The steps of the evaluation, in words.
    lines: Vec<String>,
    /// The rules before the one that matches, each with the reason why it does not.
    rules: Vec<(String, Finding)>,
    /// Why the request is denied, or in shadow mode would be.
    findings: Vec<Finding>,
    decision: Decision<'p>,
    /// The callers, each with the provider that verified it.
    callers: Vec<(&'p str, Rc<Principal>)>,
    /// What the upstream receives differently; none if the request is not forwarded.
    changes: Option<Changes>,
    /// The filter state, by its names.
    state: Vec<(&'static str, String)>,
    /// The response of the filter; none if the request is forwarded and nothing would be denied.
    response: Option<Response>,
}

impl Explain {
    /// Runs the verb.
    pub fn run(&self) -> Result<Report, Failure> {
        self.check_standard_input()?;
        let file = File::read(&self.file)?;
        let located = locate(&file)?;
        let configuration = self.choose(file.name(), &located)?;
        let loaded = match self.load(configuration)? {
            Ok(loaded) => loaded,
            Err(faults) => return Ok(self.invalid(&file, &configuration.path, faults)),
        };
        let explanation = self.evaluate(&loaded)?;
        let text = match self.is_json() {
            true => json::render(&explanation),
            false => text::render(&explanation, self.is_coloured()),
        };
        let exit = if explanation.decision.passage().is_some() {
            Exit::Success
        } else {
            Exit::Denied
        };
        Ok(Report::new(text, exit))
    }

    /// The configuration that `--document` selects, or the only one.
    fn choose<'f, 'v>(
        &self,
        file: &str,
        located: &'f Located<'v>,
    ) -> Result<&'f Configuration<'v>, Failure> {
        let configurations = &located.configurations;
        let count = configurations.len();
        let number = match self.document {
            Some(number) => number,
            None if count == 1 => 1,
            None => {
                let text = format!(
                    "`{file}` contains {count} configurations; select one with `--document NUMBER`"
                );
                return Err(Failure::of_file(file, text));
            }
        };
        let chosen = number
            .checked_sub(1)
            .and_then(|index| configurations.get(index));
        chosen.ok_or_else(|| {
            Failure::new(format_args!(
                "`--document`: expected a number from 1 to {count}, found `{number}`"
            ))
        })
    }

    /// Loads a configuration, with the keys of `--jwks` in place of its own.
    fn load(
        &self,
        configuration: &Configuration<'_>,
    ) -> Result<Result<Loaded, Vec<Fault>>, Failure> {
        let Some(file) = self.given.jwks() else {
            return Ok(configuration.load());
        };
        let keys = parse_body(&input::read_bytes(file)?).map_err(|fault| {
            input::failure(file, |name| {
                format!("`{name}` is not a JSON Web Key Set: {fault}")
            })
        })?;
        let loaded = configuration.load_changed(&|value| {
            let providers = value.get_mut("providers").and_then(Value::as_array_mut);
            for provider in providers.into_iter().flatten() {
                if let Some(jwt) = provider.get_mut("jwt").and_then(Value::as_object_mut) {
                    jwt.insert("jwks".to_owned(), json!({ "inline": keys }));
                }
            }
        });
        match loaded {
            // The configuration is valid, so the fault is in the keys.
            Err(faults) if configuration.load().is_ok() => Err(input::failure(file, |name| {
                let faults: Vec<&str> = faults.iter().map(|own| own.text.as_str()).collect();
                format!("the keys in `{name}` cannot be used: {}", faults.join("; "))
            })),
            loaded => Ok(loaded),
        }
    }

    /// The report of an invalid configuration.
    fn invalid(&self, file: &File, path: &str, faults: Vec<Fault>) -> Report {
        let text = if self.is_json() {
            let faults: Vec<String> = faults.iter().map(Fault::to_string).collect();
            format!("{:#}\n", json!({ "faults": faults }))
        } else {
            report::text::faults(&file.source, path, faults)
        };
        Report::new(text, Exit::Invalid)
    }

    /// Evaluates the request as the filter does, with an empty store.
    fn evaluate<'p>(&self, loaded: &'p Loaded) -> Result<Explanation<'p>, Failure> {
        let now = clock::time(self.now.as_deref())?;
        let headers = self.request.headers()?;
        let peer = self.request.peer();
        let request = self.request.view(&headers, &peer);
        let plan = &loaded.plan;
        // As many keys are tried for a token as if the host verified its signature.
        let by_host = plan.crypto.choose(|| AlgorithmSet::TESTED);
        let backend = Chosen::new(Pure, by_host.unwrap_or_default());
        let policy = plan.policy.as_ref();
        let mut store = plan.empty_store();
        store.nonce_key = Some(NonceKey::of_secret(NONCE_SECRET));
        let lists = self.given.fetch_lists(policy, &mut store, now)?;
        let mut evaluated = None;
        for _ in 0..self.times {
            let (mut settled, mut lines) = (Vec::new(), lists.clone());
            let (mut steps, mut decision, effects) = loop {
                let mut steps = Steps::new(policy, &request, now, lines.clone());
                let circumstances = Circumstances {
                    settled: &settled,
                    ..Circumstances::new(&backend, now)
                };
                match evaluate(plan, &request, &store, circumstances, &mut steps) {
                    Outcome::Decided(decision, effects) => break (steps, decision, effects),
                    Outcome::Needs(fetch, _) => {
                        if let Fetch::Introspection(asked) = &fetch {
                            lines.extend(self.given.answer(policy, asked, &mut store, now)?);
                        } else if !self.given.is_unavailable() {
                            return Err(given::needs(policy, &fetch));
                        }
                        settled.push(fetch);
                    }
                }
            };
            decision.commit(effects, &mut store, (plan, &request), now);
            if let Some(reject) = decision.refusal() {
                steps.explain(reject, decision.rule_name(), decision.provider);
            }
            evaluated = Some((steps, decision));
        }
        // INVARIANT: the request is evaluated at least once.
        let (steps, decision) =
            evaluated.ok_or_else(|| Failure::new("`--times`: expected at least 1"))?;
        let provider = |caller: &Principal| {
            let provider = policy.and_then(|policy| policy.providers.get(caller.provider().0));
            provider.map_or("?", |provider| provider.name.as_str())
        };
        let callers = decision.principals.iter();
        let callers = callers.map(|caller| (provider(caller), Rc::clone(caller)));
        let reply = reply(&decision, &plan.presentation, &request, now);
        let is_forwarded = decision.passage().is_some();
        Ok(Explanation {
            lines: steps.lines,
            rules: steps.rules,
            findings: steps.findings,
            callers: callers.collect(),
            changes: is_forwarded.then(|| upstream::changes(&decision, policy)),
            state: upstream::state(&decision, &plan.filter_state),
            response: reply.map(|reply| Response::new(reply, &request)),
            decision,
        })
    }

    /// Refuses to read standard input for two purposes.
    fn check_standard_input(&self) -> Result<(), Failure> {
        let files = self
            .request
            .files()
            .chain([Some(self.file.as_path()), self.given.jwks()]);
        let count = files
            .flatten()
            .filter(|file| *file == Path::new("-"))
            .count();
        match count {
            0 | 1 => Ok(()),
            _ => Err(Failure::new(
                "expected `-` for one file, found it for several: standard input is read once",
            )),
        }
    }

    fn is_json(&self) -> bool {
        self.json || self.format == Format::Json
    }

    fn is_coloured(&self) -> bool {
        match self.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
            }
        }
    }
}
