//! Plays situations: sends their requests to the filter, and the same requests to `jwt_authn` and `rbac`.

use std::net::SocketAddr;

use demo::Group;
use demo::situation::{Client, Credential, Field, Situation, challenge_of, is_expected};
use serde::{Deserialize, Serialize};

use crate::response::{REVEALING, Received};
use crate::state::State;

/// What to play.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Play {
    /// The name of the listener of the group.
    group: String,
    /// The situation in the group; all of them if it is missing.
    #[serde(default)]
    situation: Option<usize>,
}

/// What the situations of a group brought.
#[derive(Serialize)]
pub struct Results {
    results: Vec<Played>,
}

/// What a situation brought.
#[derive(Serialize)]
struct Played {
    /// The position of the situation in its group.
    situation: usize,
    /// How many requests were sent before, since this one repeats or answers what they brought.
    before: usize,
    request: Sent,
    response: Received,
    is_expected: bool,
    /// The response of `jwt_authn` and `rbac`; none if they have no counterpart.
    comparison: Option<Received>,
}

/// A request.
#[derive(Serialize)]
struct Sent {
    method: &'static str,
    path: &'static str,
    headers: Vec<(String, String)>,
    /// The name in the client's certificate, if the client has one.
    certificate: Option<String>,
}

impl Play {
    /// Sends the requests.
    pub fn run(&self, state: &State) -> Result<Results, String> {
        let groups = state.situations.groups();
        let group = groups.iter().find(|group| group.listener == self.group);
        let group = group.ok_or_else(|| format!("unknown group `{}`", self.group))?;
        let server = state.listener(group.listener)?;
        let first = match self.situation {
            None => 0,
            Some(last) if last < group.situations.len() => begin(group, last),
            Some(_) => return Err("no such situation".to_owned()),
        };
        let last = self.situation.unwrap_or(group.situations.len() - 1);
        let mut client = Client::new(server);
        let mut results = Vec::new();
        for index in first..=last {
            let situation = &group.situations[index];
            let is_asked = self.situation.is_none_or(|asked| asked == index);
            if let Some(played) = play(state, &mut client, server, situation, is_asked)? {
                results.push(Played {
                    situation: index,
                    before: if self.situation.is_some() {
                        index - first
                    } else {
                        0
                    },
                    ..played
                });
            }
        }
        Ok(Results { results })
    }
}

/// The first situation that must be played before this one: the last at or before it that needs no response.
fn begin(group: &Group, last: usize) -> usize {
    let mut before = group.situations[..=last].iter();
    let first = before.rposition(|one| matches!(one.credential, Credential::Fixed(_)));
    first.unwrap_or(0)
}

/// Sends the request of a situation. The result is none if the situation is only a step to another one.
fn play(
    state: &State,
    client: &mut Client,
    server: SocketAddr,
    situation: &Situation,
    is_asked: bool,
) -> Result<Option<Played>, String> {
    let headers = client.headers(situation);
    let marked = marked(&headers);
    let fault = |fault: std::io::Error| format!("Envoy does not answer: {fault}");
    let response = situation.send(server, &marked).map_err(fault)?;
    client.received(&response);
    if !is_asked {
        return Ok(None);
    }
    let comparison = counterpart(situation)
        .map(|listener| {
            let response = situation.send(state.listener(listener)?, &marked);
            Ok::<_, String>(Received::new(&response.map_err(fault)?))
        })
        .transpose()?;
    let headers = headers.into_iter();
    let certificate = situation.certificate.as_ref();
    Ok(Some(Played {
        situation: 0,
        before: 0,
        request: Sent {
            method: situation.method,
            path: situation.path,
            headers: headers
                .map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned()))
                .collect(),
            certificate: certificate.and_then(|own| own.names.uri.first().cloned()),
        },
        is_expected: is_expected(situation, &response, &challenge_of(&response)),
        response: Received::new(&response),
        comparison,
    }))
}

/// The listener with `jwt_authn` and `rbac` that can decide the request of a situation.
pub fn counterpart(situation: &Situation) -> Option<&'static str> {
    match (situation.beyond_tokens, &situation.certificate) {
        ("", None) => Some("comparison"),
        ("", Some(_)) => Some("comparison-certificates"),
        _ => None,
    }
}

/// The headers with the mark of the page.
fn marked(headers: &[Field]) -> Vec<Field> {
    let mark = (REVEALING.to_owned(), b"1".to_vec());
    headers.iter().cloned().chain([mark]).collect()
}
