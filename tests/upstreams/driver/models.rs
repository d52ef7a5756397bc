//! The models of `fuzz/src/upstreams.rs` against the servers that they are of, with no Envoy between.

use percent_encoding::percent_decode_str;

use super::answer::Read;
use super::corpus::Corpus;
use super::fleet::{PATIENCE, Running};
use super::input::Input;
use super::shown;
use crate::support::client::Connection;
use crate::upstreams::{self, MODELS};

/// What a server's model says of the corpus.
#[derive(Default)]
pub struct Agreement {
    pub compared: usize,
    /// The model predicts a route where the server serves nothing: it is stricter than it needs to be.
    pub stricter: Vec<String>,
    /// The server serves what its model does not predict.
    pub differences: Vec<String>,
}

/// The model of the server of that name.
pub fn of(name: &str) -> Option<upstreams::Read> {
    let model = MODELS.iter().find(|(own, _)| *own == name);
    model.map(|(_, model)| *model)
}

/// Sends every path of the corpus to a server, and asks its model the same.
///
/// Left out are targets that are no path, or hold what no request line can.
pub fn agreement(running: &Running, model: upstreams::Read, corpus: &Corpus) -> Agreement {
    let mut agreement = Agreement::default();
    let mut connection = Connection::new(running.address(), PATIENCE);
    for target in &corpus.targets {
        let is_one_word = target.iter().all(|byte| *byte > b' ' && *byte != 0x7f);
        let Some(target) = std::str::from_utf8(target).ok() else {
            continue;
        };
        if !is_one_word || !target.starts_with('/') {
            continue;
        }
        let input = Input::get(target);
        let served = running.ask(&mut connection, &input).ok().flatten();
        // No rule binds an empty segment.
        let served = served.filter(|read| read.id.as_deref() != Some(""));
        let path = target.split('?').next().unwrap_or(target);
        let predicted = model(path).and_then(|segments| route(&segments));
        agreement.compared += 1;
        let target = shown(target.as_bytes());
        match (served, predicted) {
            (None, None) => {}
            (None, Some(predicted)) => agreement.stricter.push(format!("{target}: {predicted:?}")),
            (Some(served), Some(predicted)) if is_same(&served, &predicted) => {}
            (Some(served), predicted) => agreement.differences.push(format!(
                "{target}: its model predicts {predicted:?}, the server says {served}"
            )),
        }
    }
    agreement
}

/// A route of the fleet, and its parameter.
type Route = (&'static str, Option<String>);

/// The first of the fleet's routes that the segments are for.
fn route(segments: &[String]) -> Option<Route> {
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match &segments[..] {
        ["admin", ..] => Some(("admin", None)),
        ["users", id, "orders"] if !id.is_empty() => Some(("orders", Some((*id).to_owned()))),
        ["users", id] if !id.is_empty() => Some(("user", Some((*id).to_owned()))),
        ["public", ..] => Some(("public", None)),
        _ => None,
    }
}

/// A model decodes its parameter; a server may leave that to its application.
fn is_same(served: &Read, (route, id): &Route) -> bool {
    let own = served.id.as_deref().unwrap_or_default();
    let decoded = percent_decode_str(own).decode_utf8_lossy();
    let is_id = |id: &String| own == id || decoded == *id;
    served.route == *route && id.as_ref().is_none_or(is_id)
}
