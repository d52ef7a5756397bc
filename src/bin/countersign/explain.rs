//! `explain`: what the filter does with one request, step by step, and the response.
//!
//! The output contains no credential. A header value of the request appears only where the response repeats it, such as
//! `origin` or `x-request-id`.

mod given;
mod json;
mod request;
mod text;

use std::path::PathBuf;
use std::rc::Rc;

use countersign::authenticate::Principal;
use countersign::authenticate::jose::signature::{AlgorithmSet, Chosen, Pure};
use countersign::config::Loaded;
use countersign::evaluate::{Circumstances, Decision, Fetch, Outcome, Step, Trace, evaluate};
use countersign::keys::parse_body;
use countersign::response::{Reply, reply};
use serde_json::{Value, json};

use self::given::GivenArgs;
use self::request::RequestArgs;
use crate::exit::{Exit, Failure, Report};
use crate::file::File;
use crate::finding::Finding;
use crate::locate::{Configuration, Located, locate};
use crate::{clock, input, report};

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
    /// A JSON Web Key Set that replaces the keys of every provider
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    #[command(flatten)]
    given: GivenArgs,
    /// The time of the request: RFC 3339, or seconds since 1970; default: now
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    now: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What the filter did with the request.
struct Explanation<'p> {
    /// The steps of the evaluation, in words.
    steps: Vec<String>,
    decision: Decision<'p>,
    /// The callers, each with the provider that verified it.
    callers: Vec<(&'p str, Rc<Principal>)>,
    /// The response of the filter; none if the request is forwarded and nothing would be denied.
    reply: Option<Reply>,
}

/// Collects the steps of the evaluation, in words.
#[derive(Default)]
struct Steps(Vec<String>);

impl Trace for Steps {
    fn step(&mut self, step: Step<'_>) {
        self.0.push(step.to_string());
    }
}

impl Explain {
    /// Runs the verb.
    pub fn run(&self) -> Result<Report, Failure> {
        let file = File::read(&self.file)?;
        let located = locate(&file)?;
        let configuration = self.choose(file.name(), &located)?;
        let loaded = match self.load(configuration)? {
            Ok(loaded) => loaded,
            Err(faults) => return Ok(self.invalid(&file, &configuration.path, faults)),
        };
        let explanation = self.evaluate(&loaded)?;
        let text = if self.json {
            json::render(&explanation)
        } else {
            text::render(&explanation, self.request.is_head())
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
    ) -> Result<Result<Loaded, Vec<Finding>>, Failure> {
        let Some(file) = &self.jwks else {
            return Ok(configuration.load());
        };
        let keys = parse_body(&input::read_bytes(file)?).map_err(|fault| {
            input::failure(file, |name| {
                format!("`{name}` is not a JSON Web Key Set: {fault}")
            })
        })?;
        Ok(configuration.load_changed(&|value| {
            let providers = value.get_mut("providers").and_then(Value::as_array_mut);
            for provider in providers.into_iter().flatten() {
                if let Some(jwt) = provider.get_mut("jwt").and_then(Value::as_object_mut) {
                    jwt.insert("jwks".to_owned(), json!({ "inline": keys }));
                }
            }
        }))
    }

    /// The report of an invalid configuration.
    fn invalid(&self, file: &File, path: &str, faults: Vec<Finding>) -> Report {
        let text = if self.json {
            let faults: Vec<String> = faults.iter().map(Finding::to_string).collect();
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
        let lists = self.given.fetch_lists(policy, &mut store, now)?;
        let mut settled = Vec::new();
        let (steps, decision) = loop {
            let mut steps = Steps(lists.clone());
            let circumstances = Circumstances {
                settled: &settled,
                ..Circumstances::new(&backend, now)
            };
            match evaluate(plan, &request, &store, circumstances, &mut steps) {
                Outcome::Decided(decision, _) => break (steps.0, decision),
                Outcome::Needs(Fetch::Introspection(asked), _) => {
                    self.given.answer(policy, &asked, &mut store, now)?;
                    settled.push(Fetch::Introspection(asked));
                }
                Outcome::Needs(fetch, _) => return Err(given::needs(policy, &fetch)),
            }
        };
        let provider = |caller: &Principal| {
            let provider = policy.and_then(|policy| policy.providers.get(caller.provider().0));
            provider.map_or("?", |provider| provider.name.as_str())
        };
        let callers = decision.principals.iter();
        let callers = callers.map(|caller| (provider(caller), Rc::clone(caller)));
        let callers = callers.collect();
        let reply = reply(&decision, &plan.presentation, &request, now);
        Ok(Explanation {
            steps,
            decision,
            callers,
            reply,
        })
    }
}
