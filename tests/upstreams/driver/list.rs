//! The lists of the fleet: `tests/upstreams/servers.json` and `tests/upstreams/debian/servers.json`.

use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::gate::Policy;
use crate::support::in_repository;

/// Where the lists, and the programs that they name, are found: `UPSTREAM_FOLDER`, or `tests/upstreams`.
pub fn folder() -> PathBuf {
    std::env::var_os("UPSTREAM_FOLDER").map_or_else(
        || in_repository("tests/upstreams"),
        |path| in_repository(PathBuf::from(path)),
    )
}

/// Where the corpus is found.
pub fn corpus() -> PathBuf {
    in_repository("tests/upstreams")
}

/// One server of a list.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub name: String,
    /// Which setup installs it: `node`, `python`, `debian`.
    #[serde(rename = "kind")]
    _kind: Kind,
    /// The command that prints its version.
    pub version: Vec<String>,
    /// The command that runs it in the foreground.
    pub start: Vec<String>,
    /// What it reports of a request.
    pub reads: Vec<Key>,
    /// Whether it tells paths apart by their case, as its operator tells the filter.
    #[serde(default)]
    pub paths_case: PathsCase,
    /// What the filter cannot know of its paths, and leaves to the operator: it is not tried with an open policy.
    #[serde(default)]
    pub leaves_to_operator: Option<String>,
    /// What is special about it.
    #[serde(default, rename = "note")]
    _note: Option<String>,
}

impl Server {
    /// The policies that it is tried with.
    pub fn policies(&self) -> &'static [Policy] {
        match self.leaves_to_operator {
            None => &[Policy::Closed, Policy::Open],
            Some(_) => &[Policy::Closed],
        }
    }
}

/// The key `paths_case` of the filter's configuration.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PathsCase {
    #[default]
    Sensitive,
    Insensitive,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Node,
    Python,
    Debian,
}

/// What a server reports of a request, besides its route and parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Key {
    Path,
    Prefix,
    Method,
    Host,
    /// `subject`, `version` and `authorization`.
    Fields,
    /// `token`.
    Query,
    /// `session`.
    Cookies,
}

/// The servers of both lists whose names hold one of the texts of `UPSTREAMS`; all, where it is not set.
pub fn read() -> Vec<Server> {
    let wanted = std::env::var("UPSTREAMS").unwrap_or_default();
    let wanted: Vec<String> = wanted
        .split('|')
        .map(|text| text.trim().to_ascii_lowercase())
        .filter(|text| !text.is_empty())
        .collect();
    let is_wanted = |name: &str| {
        let name = name.to_ascii_lowercase();
        wanted.is_empty() || wanted.iter().any(|text| name.contains(text))
    };
    let mut servers: Vec<Server> = Vec::new();
    for file in ["servers.json", "debian/servers.json"] {
        let path = folder().join(file);
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        let listed: Vec<Server> = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        servers.extend(listed);
    }
    for (place, server) in servers.iter().enumerate() {
        let is_new = servers[..place]
            .iter()
            .all(|other| other.name != server.name);
        assert!(is_new, "two servers are called {:?}", server.name);
    }
    servers.retain(|server| is_wanted(&server.name));
    assert!(
        !servers.is_empty(),
        "no server of {} is wanted",
        folder().display()
    );
    servers
}
