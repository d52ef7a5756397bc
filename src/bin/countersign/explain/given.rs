//! The files that stand for responses: `explain` opens no network connection.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use countersign::authenticate::{ProviderId, SourceId};
use countersign::evaluate::{Asked, Fetch};
use countersign::keys::{FetchEvent, Fetched};
use countersign::plan::Policy;
use countersign::ports::Response;
use countersign::store::Store;
use countersign::time::Timestamp;

use crate::exit::Failure;
use crate::input;

/// The flags with the files.
#[derive(clap::Args)]
#[command(next_help_heading = "In place of what is fetched")]
pub struct GivenArgs {
    /// A JSON Web Key Set that replaces the keys of every provider; `-` for standard input
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// The response with the list that a provider fetches; repeat it for several providers
    #[arg(long, value_name = "[PROVIDER=]FILE")]
    entries: Vec<String>,
    /// The response of the authorization server that a provider asks; repeat it for several providers
    #[arg(long, value_name = "[PROVIDER=]FILE")]
    introspection: Vec<String>,
    /// Treat each fetch for which no file is given as one that failed
    #[arg(long)]
    unavailable: bool,
}

impl GivenArgs {
    /// The key set that replaces the keys of every provider.
    pub fn jwks(&self) -> Option<&Path> {
        self.jwks.as_deref()
    }

    /// Puts the given lists into the store, as if they had been fetched now. Returns a line for each.
    pub fn fetch_lists(
        &self,
        policy: Option<&Policy>,
        store: &mut Store,
        now: Timestamp,
    ) -> Result<Vec<String>, Failure> {
        let sources = policy.map_or(&[][..], |policy| &policy.sources);
        let lists: Vec<_> = (0..)
            .map(SourceId)
            .zip(sources)
            .filter(|(_, source)| source.content.is_list())
            .collect();
        let names: Vec<_> = lists.iter().map(|(_, source)| &*source.provider).collect();
        let mut lines = Vec::new();
        for argument in &self.entries {
            let (index, file) = chosen("--entries", argument, &names, "fetches a list")?;
            let Some((id, source)) = lists.get(index) else {
                continue;
            };
            let read = source.content.read(&input::read_bytes(file)?);
            let (loaded, summary) = read.map_err(|fault| {
                input::failure(file, |name| format!("cannot read `{name}`: {fault}"))
            })?;
            lines.push(format!(
                "the list of provider `{}`: {summary}",
                source.provider
            ));
            store.fetch_ended(FetchEvent {
                source: *id,
                at: now,
                fetched: Fetched::Ok(loaded),
                after_doubt: false,
                report: None,
            });
        }
        Ok(lines)
    }

    /// Whether a fetch for which no file is given has failed.
    pub fn is_unavailable(&self) -> bool {
        self.unavailable
    }

    /// Puts the given response about a token into the store. With `--unavailable` there may be none. Returns what is wrong with
    /// a response that is no answer: the filter does not use it.
    pub fn answer(
        &self,
        policy: Option<&Policy>,
        asked: &Asked,
        store: &mut Store,
        now: Timestamp,
    ) -> Result<Option<String>, Failure> {
        let servers = policy.map_or(&[][..], |policy| &policy.servers);
        let names: Vec<_> = servers.iter().map(|server| &*server.name).collect();
        for argument in &self.introspection {
            let (index, file) = chosen(
                "--introspection",
                argument,
                &names,
                "asks an authorization server",
            )?;
            let server = servers.get(index);
            let server = server.filter(|server| server.provider == asked.provider);
            let Some(server) = server else {
                continue;
            };
            let response = Response {
                status: 200,
                headers: Vec::new(),
                body: input::read_bytes(file)?,
            };
            return Ok(match server.answer(Some(&response), now) {
                Ok((answer, _)) => {
                    store.introspections.keep(asked.id, answer, now, now);
                    None
                }
                Err(fault) => Some(format!("`{}`: {fault}", input::name(file))),
            });
        }
        match self.unavailable {
            true => Ok(None),
            false => Err(needs(policy, &Fetch::Introspection(asked.clone()))),
        }
    }
}

/// The position among `names` of the provider that an argument is about, and its file.
fn chosen<'a>(
    flag: &str,
    argument: &'a str,
    names: &[&str],
    does: &str,
) -> Result<(usize, &'a Path), Failure> {
    let named = names.iter().enumerate().find_map(|(index, name)| {
        let file = argument.strip_prefix(name)?.strip_prefix('=')?;
        Some((index, file))
    });
    let (index, file) = match (named, names) {
        (Some(named), _) => named,
        (None, [_]) => (0, argument),
        (None, []) => return Err(Failure::new(format_args!("`{flag}`: no provider {does}"))),
        (None, several) => {
            return Err(Failure::new(format_args!(
                "`{flag}`: expected `PROVIDER=FILE`, with one of the providers {}",
                several.join(", ")
            )));
        }
    };
    Ok((index, Path::new(OsStr::new(file))))
}

/// The failure of a request that needs a response that is not given.
pub fn needs(policy: Option<&Policy>, fetch: &Fetch) -> Failure {
    let of_source = |id: &SourceId| {
        let source = policy.and_then(|policy| policy.sources.get(id.0));
        source.map_or("?", |source| &source.provider)
    };
    let provider = |id: ProviderId| {
        let provider = policy.and_then(|policy| policy.providers.get(id.0));
        provider.map_or("?", |provider| &provider.name)
    };
    let (name, what, flag) = match fetch {
        Fetch::Keys(id) | Fetch::KeysInDoubt(id) => {
            (of_source(id), "fetches the keys", "--jwks FILE")
        }
        Fetch::Entries(id) => (of_source(id), "fetches the list", "--entries FILE"),
        Fetch::Introspection(asked) => (
            provider(asked.provider),
            "introspects the token",
            "--introspection FILE",
        ),
    };
    Failure::new(format_args!(
        "the filter {what} of provider `{name}` at run time; pass the response with `{flag}`, or `--unavailable`"
    ))
}
