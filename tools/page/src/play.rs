//! Plays situations: sends their requests to the filter, and the same requests to `jwt_authn` and `rbac`.

use std::io::ErrorKind;
use std::net::SocketAddr;

use demo::Group;
use demo::situation::{Client, Credential, Field, Situation, TIMEOUT, challenge_of, is_expected};
use demo::support::client::Response;
use serde::{Deserialize, Serialize};

use crate::response::{REVEALING, Received};
use crate::server::Fault;
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
    results: Vec<Outcome>,
}

/// What a situation brought.
#[derive(Serialize)]
struct Outcome {
    /// The position of the situation in its group.
    situation: usize,
    /// How many requests were sent before, since this one repeats or answers what they brought.
    before: usize,
    #[serde(flatten)]
    played: Played,
}

/// The responses, or why there is none.
#[derive(Serialize)]
#[serde(untagged)]
enum Played {
    Answered(Box<Exchange>),
    Failed { fault: String },
}

/// A request with its responses.
#[derive(Serialize)]
struct Exchange {
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
    pub fn run(&self, state: &State) -> Result<Results, Fault> {
        let groups = state.situations.groups();
        let group = groups.iter().find(|group| group.listener == self.group);
        let group = group.ok_or_else(|| Fault::Invalid("unknown group".to_owned()))?;
        let (first, last) = match self.situation {
            None => (0, group.situations.len() - 1),
            Some(last) if last < group.situations.len() => (begin(group, last), last),
            Some(_) => return Err(Fault::Invalid("unknown situation".to_owned())),
        };
        let mut player = Player {
            state,
            server: state.listener(group.listener)?,
            client: Client::new(state.listener(group.listener)?),
            fault: None,
        };
        let mut results = Vec::new();
        for (index, situation) in group.situations.iter().enumerate() {
            if (first..=last).contains(&index) {
                let is_asked = self.situation.is_none_or(|asked| asked == index);
                let exchange = player.play(situation, is_asked);
                let before = self.situation.map_or(0, |_| index - first);
                let played = match exchange {
                    Ok(None) => continue,
                    Ok(Some(exchange)) => Played::Answered(Box::new(exchange)),
                    Err(fault) => Played::Failed { fault },
                };
                if self.situation.is_some_and(|asked| asked != index) {
                    player
                        .fault
                        .get_or_insert_with(|| "a request before has no response".to_owned());
                    continue;
                }
                results.push(Outcome {
                    situation: index,
                    before,
                    played,
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

/// Sends the requests of a group in order.
struct Player<'a> {
    state: &'a State,
    server: SocketAddr,
    client: Client,
    /// Why nothing more is sent.
    fault: Option<String>,
}

impl Player<'_> {
    /// Sends the request of a situation. The result is none if the situation is only a step to another one.
    fn play(&mut self, situation: &Situation, is_asked: bool) -> Result<Option<Exchange>, String> {
        if let Some(fault) = &self.fault {
            return Err(fault.clone());
        }
        if matches!(situation.credential, Credential::Answer(_)) && !self.client.is_challenged() {
            return Err("no response before has a challenge to answer".to_owned());
        }
        let headers = self.client.headers(situation);
        let marked = marked(&headers);
        let response = self.send(situation, self.server, &marked)?;
        self.client.received(&response);
        if !is_asked {
            return Ok(None);
        }
        let comparison = counterpart(situation).map(|listener| {
            let response = self.send(situation, self.state.listener(listener)?, &marked)?;
            Ok::<_, String>(Received::new(&response))
        });
        let headers = headers.into_iter();
        let certificate = situation.certificate.as_ref();
        Ok(Some(Exchange {
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
            comparison: comparison.transpose()?,
        }))
    }

    /// Sends a request. After one without a response in time, no other is sent.
    fn send(
        &mut self,
        situation: &Situation,
        server: SocketAddr,
        headers: &[Field],
    ) -> Result<Response, String> {
        let sent = situation.send(server, headers);
        sent.map_err(|fault| {
            let is_late = matches!(fault.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock);
            let text = no_response(&fault);
            if is_late {
                self.fault = Some(text.clone());
            }
            text
        })
    }
}

/// Why Envoy sent no response.
pub fn no_response(fault: &std::io::Error) -> String {
    match fault.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => {
            format!("Envoy sent no response within {} s", TIMEOUT.as_secs())
        }
        _ => format!("Envoy does not answer: {fault}"),
    }
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
