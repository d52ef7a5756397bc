//! Requests with their expected responses: how they are sent, and how the responses are printed.

use std::fmt;
use std::io::{self, IsTerminal as _};
use std::net::SocketAddr;
use std::sync::Arc;

use crate::support::certificate::Certificate;
use crate::support::client::{self, Request, Response};
use crate::support::possession;

/// A header of a request.
pub type Field = (String, Vec<u8>);

/// What computes the headers of a credential from a response with a challenge.
pub type Answer = dyn Fn(&Response) -> Vec<Field> + Send + Sync;

/// A request and its expected response.
pub struct Situation {
    pub method: &'static str,
    pub path: &'static str,
    /// What the request contains, in words.
    pub content: &'static str,
    pub credential: Credential,
    /// The certificate of the client. With one, the request is sent over TLS.
    pub certificate: Option<Arc<Certificate>>,
    /// Other headers of the request.
    pub headers: &'static [(&'static str, &'static str)],
    /// A header of the response, and the start of its value.
    pub response_header: Option<(&'static str, &'static str)>,
    pub status: u16,
    /// The challenges, as [`challenge_of`] shortens them; empty if there is none.
    pub challenge: &'static str,
    pub reason: &'static str,
    /// What a filter must support to decide the request, besides JSON Web Tokens and client certificates; empty if nothing.
    pub beyond_tokens: &'static str,
}

/// The credentials in the headers of a request.
pub enum Credential {
    /// Headers that are the same whatever was received before.
    Fixed(Vec<Field>),
    /// Headers that a client computes from the last response with a challenge.
    Answer(Box<Answer>),
    /// The headers of the request before.
    Repeated,
}

impl Credential {
    /// No credential.
    pub const NONE: Self = Self::Fixed(Vec::new());

    /// One `Authorization` header for each value.
    pub fn authorization(values: &[&[u8]]) -> Self {
        let values = values.iter().map(|value| value.to_vec());
        Self::Fixed(
            values
                .map(|value| ("authorization".to_owned(), value))
                .collect(),
        )
    }
}

impl Situation {
    /// A GET without other headers, over plain HTTP, that is forwarded.
    pub const fn get(path: &'static str, content: &'static str, credential: Credential) -> Self {
        Self {
            method: "GET",
            path,
            content,
            credential,
            certificate: None,
            headers: &[],
            response_header: None,
            status: 200,
            challenge: "",
            reason: "",
            beyond_tokens: "",
        }
    }

    /// The same, which the filters `jwt_authn` and `rbac` cannot decide without support of this.
    pub fn beyond_tokens(self, support: &'static str) -> Self {
        Self {
            beyond_tokens: support,
            ..self
        }
    }

    /// Sends the request with these headers.
    pub fn send(&self, server: SocketAddr, headers: &[Field]) -> io::Result<Response> {
        let headers = headers.iter();
        let headers = headers.map(|(name, value)| (name.as_bytes(), value.as_slice()));
        let request = Request {
            method: self.method.as_bytes(),
            target: self.path.as_bytes(),
            headers: headers.collect(),
            body: b"",
        };
        match &self.certificate {
            None => client::send(server, &request),
            Some(own) => client::send_over_tls(server, &request, Some(own)),
        }
    }

    /// The same, with this response, and the reason for it.
    pub fn expect(self, status: u16, challenge: &'static str, reason: &'static str) -> Self {
        Self {
            status,
            challenge,
            reason,
            ..self
        }
    }
}

/// Sends each request and prints its response. Returns how many responses are unexpected.
pub fn play(what: &str, server: SocketAddr, situations: &[Situation]) -> usize {
    let paint = Paint {
        colours: io::stdout().is_terminal(),
    };
    let request = |situation: &Situation| format!("{} {}", situation.method, situation.path);
    let width = |text: &dyn Fn(&Situation) -> usize| situations.iter().map(text).max().unwrap_or(0);
    let requests = width(&|situation| request(situation).len());
    let contents = width(&|situation| situation.content.len());
    let challenges = width(&|situation| situation.challenge.len());
    println!("==> {what}: Envoy listens on {server}\n");
    println!(
        "{:requests$}  {:contents$}  status  {:challenges$}  reason",
        "request", "with", "challenge"
    );
    let mut unexpected = Vec::new();
    let mut client = Client::new(server);
    for situation in situations {
        let (status, challenge, is_expected) = match client.send(situation) {
            Ok(response) => {
                let challenge = challenge_of(&response);
                let is_expected = is_expected(situation, &response, &challenge);
                (response.status, challenge, is_expected)
            }
            Err(error) => (0, error.to_string(), false),
        };
        println!(
            "{:requests$}  {:contents$}  {}  {challenge:challenges$}  {}",
            request(situation),
            situation.content,
            paint.status(status),
            if is_expected {
                situation.reason
            } else {
                "UNEXPECTED"
            },
        );
        if !is_expected {
            unexpected.push(situation);
        }
    }
    println!();
    for situation in &unexpected {
        println!(
            "unexpected: {} with {}: expected {} {}",
            request(situation),
            situation.content,
            situation.status,
            situation.challenge
        );
    }
    println!(
        "==> {} of {} responses are as expected",
        situations.len() - unexpected.len(),
        situations.len()
    );
    unexpected.len()
}

/// Sends the requests of one list, in order.
pub struct Client {
    server: SocketAddr,
    /// The credentials of the last request.
    sent: Vec<Field>,
    /// The last response with a challenge.
    challenged: Response,
}

impl Client {
    /// A client that has sent nothing yet.
    pub fn new(server: SocketAddr) -> Self {
        Self {
            server,
            sent: Vec::new(),
            challenged: Response::default(),
        }
    }

    /// Sends the request of a situation.
    pub fn send(&mut self, situation: &Situation) -> io::Result<Response> {
        let headers = self.headers(situation);
        let response = situation.send(self.server, &headers)?;
        self.received(&response);
        Ok(response)
    }

    /// The headers of the next request.
    pub fn headers(&mut self, situation: &Situation) -> Vec<Field> {
        match &situation.credential {
            Credential::Fixed(fields) => self.sent.clone_from(fields),
            Credential::Answer(answer) => self.sent = answer(&self.challenged),
            Credential::Repeated => {}
        }
        let mut headers = vec![("host".to_owned(), b"orders.example.com".to_vec())];
        headers.extend_from_slice(&self.sent);
        let further = situation.headers.iter();
        headers.extend(further.map(|(name, value)| ((*name).to_owned(), value.as_bytes().into())));
        headers
    }

    /// Keeps the response to the last request, if it has a challenge to answer.
    pub fn received(&mut self, response: &Response) {
        if response.values("www-authenticate").next().is_some() {
            self.challenged = response.clone();
        }
    }
}

/// The parameters of a challenge that are printed.
const PRINTED: [&str; 3] = ["realm", "error", "stale"];

/// The challenges with the parameters that are printed.
pub fn challenge_of(response: &Response) -> String {
    let challenges = possession::challenges(response).map(|challenge| {
        let parameters = challenge.parameters.iter();
        let printed = parameters.filter(|(name, _)| PRINTED.contains(&name.as_str()));
        let printed = printed.map(|(name, value)| match name.as_str() {
            // A token, not a quoted-string (RFC 7616 §3.3).
            "stale" => format!("{name}={value}"),
            _ => format!("{name}=\"{value}\""),
        });
        let printed: Vec<String> = printed.collect();
        format!("{} {}", challenge.scheme, printed.join(", "))
    });
    challenges.collect::<Vec<_>>().join(" and ")
}

/// Whether a response is the expected one.
pub fn is_expected(situation: &Situation, response: &Response, challenge: &str) -> bool {
    let reached = response.values("x-upstream").next().is_some();
    let has_header = situation.response_header.is_none_or(|(name, begin)| {
        let mut values = response.values(name);
        values.any(|value| value.starts_with(begin.as_bytes()))
    });
    let passes = situation.status == 200 && situation.response_header.is_none();
    response.status == situation.status
        && challenge == situation.challenge
        && has_header
        && reached == passes
        && (situation.method != "HEAD" || response.body.is_empty())
}

struct Paint {
    colours: bool,
}

impl Paint {
    /// The status in six columns: green if the request was forwarded, yellow if it was denied.
    fn status(&self, status: u16) -> impl fmt::Display {
        let colour = match (self.colours, status) {
            (false, _) => return format!("{status:<6}"),
            (true, 200..=299) => 32,
            (true, 400..=499) => 33,
            (true, _) => 31,
        };
        format!("\u{1b}[{colour}m{status:<6}\u{1b}[0m")
    }
}
