//! Random configurations of other filters, from a grammar.
//!
//! All configurations share one vocabulary of paths, hosts, headers and claims, so that the same requests are close to what
//! each of them names.

mod envoy;
mod gateway;
mod istio;
mod words;

use std::path::Path;
use std::{fs, slice};

use serde_json::{Value, json};

use super::super::token::read_key;
use super::requests::Requests;
use super::{Example, istio::Workload};
use crate::support::random::Random;

/// The kinds of configurations.
pub const KINDS: [&str; 3] = ["envoy", "istio", "gateway"];

/// A random configuration, written to a folder.
///
/// # Panics
/// The folder cannot be written to.
pub fn example(kind: &str, seed: u64, folder: &Path) -> Example {
    let mut draw = Draw(Random::new(seed));
    let (documents, workload) = match kind {
        "envoy" => (vec![envoy::bootstrap(&mut draw)], None),
        "istio" => (istio::manifests(&mut draw), Some(workload(&mut draw))),
        _ => (gateway::manifests(&mut draw), None),
    };
    let name = format!("{kind}-{seed}");
    let file = folder.join(format!("{name}.yaml"));
    let texts = documents
        .iter()
        .map(|one| serde_yaml_ng::to_string(one).expect("YAML"));
    fs::write(&file, texts.collect::<Vec<_>>().join("---\n")).expect("the file is written");
    Example {
        name,
        files: slice::from_ref(&file).to_vec(),
        requests: requests(),
        kept: 0,
        workload,
    }
}

fn workload(draw: &mut Draw) -> Workload {
    Workload::new("shop", &[("app", "orders")], draw.chance(50))
}

/// The requests for every configuration of the grammar.
fn requests() -> Requests {
    let value: Value =
        serde_yaml_ng::from_str(include_str!("grammar/requests.yaml")).expect("YAML");
    serde_json::from_value(value).expect("requests")
}

/// The key set with the public half of a key of `tests/keys/`.
fn public_keys(key: &str) -> String {
    let key = read_key(&format!("tests/keys/{key}.json"));
    json!({"keys": [key.public_jwk()]}).to_string()
}

/// Random choices.
struct Draw(Random);

impl Draw {
    fn chance(&mut self, percent: usize) -> bool {
        self.0.below(100) < percent
    }

    fn below(&mut self, end: usize) -> usize {
        self.0.below(end)
    }

    /// One of some texts.
    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        self.0.pick(of)
    }

    /// One to `most` texts, perhaps the same one twice.
    fn some(&mut self, most: usize, of: &[&str]) -> Vec<Value> {
        let count = 1 + self.below(most);
        (0..count).map(|_| self.one(of).into()).collect()
    }

    /// So many things, between `least` and `most`.
    fn times<T>(
        &mut self,
        least: usize,
        most: usize,
        mut make: impl FnMut(&mut Self) -> T,
    ) -> Vec<T> {
        let count = least + self.below(most + 1 - least);
        (0..count).map(|_| make(self)).collect()
    }
}
