//! The models of `fuzz/src/upstreams` against the servers that they are of, with no Envoy between.

use super::corpus::Corpus;
use super::fleet::{PATIENCE, Running};
use super::input::{FORGED, GOOD, Input, Tokens, replaced};
use super::shown;
use crate::fuzz::upstreams::{self, Served};
use crate::support::client::Connection;

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
    let mut models = upstreams::models();
    models.find(|(own, _)| *own == name).map(|(_, model)| model)
}

/// Sends every path of the corpus to a server, and asks its model the same.
///
/// Left out are targets that are not of printable ASCII or do not begin with `/`: the filter denies them.
pub fn agreement(running: &Running, model: upstreams::Read, corpus: &Corpus) -> Agreement {
    let mut agreement = Agreement::default();
    let mut connection = Connection::new(running.address(), PATIENCE);
    let tokens = Tokens::none();
    for target in &corpus.targets {
        let target = replaced(target, GOOD, &tokens.good);
        let target = replaced(&target, FORGED, &tokens.forged);
        let is_printable = target.iter().all(u8::is_ascii_graphic);
        let Some(target) = std::str::from_utf8(&target).ok() else {
            continue;
        };
        if !is_printable || !target.starts_with('/') {
            continue;
        }
        let input = Input::get(target);
        let served = running.ask(&mut connection, &input).ok().flatten();
        let served = served.map(|read| Served {
            route: read.route,
            id: read.id.unwrap_or_default(),
        });
        agreement.compared += 1;
        let reading = model(target);
        let is_left = reading
            .as_ref()
            .is_some_and(|reading| reading.is_left_to_operator);
        let predicted = reading.and_then(|reading| reading.served());
        if let Err(difference) = upstreams::agree(model, target, served.as_ref()) {
            agreement.differences.push(difference);
        } else if is_left && predicted.is_some() && running.server.leaves_to_operator.is_none() {
            let difference = format!("`{target}`: the list has no `leaves_to_operator`");
            agreement.differences.push(difference);
        } else if let (None, Some(predicted)) = (served, predicted) {
            let target = shown(target.as_bytes());
            agreement.stricter.push(format!("{target}: {predicted:?}"));
        }
    }
    agreement
}
