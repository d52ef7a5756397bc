//! The lists of `tests/upstreams/ordinary/`: values of parameters, paths, queries, cookies and header sets.

use std::fs;
use std::path::PathBuf;

use crate::support::in_repository;

/// A header field, name and value.
pub type Field = (String, String);

/// Where the lists are.
pub fn folder() -> PathBuf {
    in_repository("tests/upstreams/ordinary")
}

/// Everything that requests are made of.
pub struct Texts {
    pub values: Vec<String>,
    pub paths: Vec<String>,
    pub queries: Vec<String>,
    pub cookies: Vec<String>,
    /// Header sets of clients.
    pub clients: Vec<Vec<Field>>,
    /// What proxies in front add.
    pub proxies: Vec<Vec<Field>>,
}

impl Texts {
    pub fn read() -> Self {
        Self {
            values: lines("values.txt"),
            paths: lines("paths.txt"),
            queries: lines("queries.txt"),
            cookies: lines("cookies.txt"),
            clients: sets("clients.txt"),
            proxies: sets("proxies.txt"),
        }
    }
}

/// The lines of a list, without its comments.
pub fn lines(file: &str) -> Vec<String> {
    let text = text(file);
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}

/// Header sets, with an empty line between two.
fn sets(file: &str) -> Vec<Vec<Field>> {
    let field = |line: &str| {
        let (name, value) = line
            .split_once(": ")
            .unwrap_or_else(|| panic!("{file}: {line:?}"));
        (name.to_owned(), value.to_owned())
    };
    let text = text(file);
    let sets = text.split("\n\n").map(|set| {
        let lines = set
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.map(field).collect::<Vec<Field>>()
    });
    sets.filter(|set| !set.is_empty()).collect()
}

fn text(file: &str) -> String {
    let path = folder().join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
