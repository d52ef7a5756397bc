//! Questions to authorization servers, at a host that records them.

use std::time::Duration;

use super::*;
use crate::authenticate::introspection::AnswerFault;
use crate::ports::{Call, Method, NotSent};
use crate::secret::Secret;
use crate::store::{CacheSizes, TokenCache};
use crate::url::Url;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

const LEGACY: ProviderId = ProviderId(1);

fn server() -> Server {
    Server {
        provider: LEGACY,
        name: "legacy".to_owned(),
        url: Url::parse("https://login.example.com/introspect?realm=a").unwrap(),
        cluster: "login".to_owned(),
        authorization: Server::authorization("gate", &Secret::new("xyzzy".to_owned())),
        timeout: Duration::from_secs(3),
        cache: Duration::from_secs(30),
    }
}

/// A host that records calls. It refuses calls to a cluster that is not known, or not healthy.
#[derive(Default)]
struct Host(Vec<Sent>);

struct Sent {
    cluster: String,
    method: Method,
    url: String,
    headers: Vec<(String, String)>,
    body: String,
    timeout: Duration,
}

impl Outbound for Host {
    fn send(&mut self, call: &Call<'_>) -> Result<CallId, NotSent> {
        match call.cluster {
            "unknown" => return Err(NotSent::NoCluster),
            "unhealthy" => return Err(NotSent::Refused),
            _ => {}
        }
        let headers = call.headers.iter();
        self.0.push(Sent {
            cluster: call.cluster.to_owned(),
            method: call.method,
            url: format!(
                "{}://{}{}",
                call.url.scheme(),
                call.url.authority,
                call.url.path
            ),
            headers: headers
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: String::from_utf8(call.body.to_vec()).unwrap(),
            timeout: call.timeout,
        });
        Ok(CallId(u32::try_from(self.0.len()).unwrap()))
    }
}

/// The identities of tokens.
struct Ids(TokenCache);

impl Ids {
    fn new() -> Self {
        Self(TokenCache::new(CacheSizes {
            verified: 0,
            refused: 0,
        }))
    }

    fn of(&self, token: &str) -> TokenId {
        self.0.id_at(LEGACY, token.as_bytes())
    }
}

fn response(status: u16, body: &str) -> Response<'static> {
    Response {
        status,
        headers: Vec::new(),
        body: body.as_bytes().to_vec(),
    }
}

/// What becomes of a response: whether the token is active and for how many seconds that is known, or the fault.
fn read(
    server: Server,
    response: Option<&Response<'_>>,
) -> Result<(bool, f64), IntrospectionFault> {
    let mut introspector = Introspector::new(&[server]);
    let id = Ids::new().of("a");
    let sent = introspector.ask(LEGACY, id, b"a", &mut Host::default());
    assert!(sent.is_none());
    let event = introspector.respond(CallId(1), response, NOW).unwrap();
    assert!(event.id == id && !introspector.is_asking(id));
    match event.result {
        Ok((answer, until)) => {
            let known = (until.millis() - NOW.millis()) as f64 / 1000.0;
            Ok((matches!(answer, Answer::Active(_)), known))
        }
        Err(failure) => Err(failure.why),
    }
}

#[test]
fn i_04_the_request_is_a_form_with_the_token_and_the_filter_authenticates() {
    let (mut introspector, mut host) = (Introspector::new(&[server()]), Host::default());
    let token = "a.b-c_d~e+f/g==";
    assert!(
        introspector
            .ask(LEGACY, Ids::new().of(token), token.as_bytes(), &mut host)
            .is_none()
    );
    let [sent] = &host.0[..] else { panic!() };
    assert_eq!(sent.method, Method::Post);
    assert_eq!(sent.cluster, "login");
    assert_eq!(sent.url, "https://login.example.com/introspect?realm=a");
    assert_eq!(sent.timeout, Duration::from_secs(3));
    assert_eq!(
        sent.body,
        "token=a.b-c_d%7Ee%2Bf%2Fg%3D%3D&token_type_hint=access_token"
    );
    let form = url::form_urlencoded::parse(sent.body.as_bytes());
    assert_eq!(form.into_iter().next().unwrap().1, token);
    let headers = sent.headers.iter();
    let headers = headers.map(|(name, value)| (name.as_str(), value.as_str()));
    let headers: Vec<_> = headers.filter(|(name, _)| *name != "user-agent").collect();
    assert_eq!(
        headers,
        [
            ("content-type", "application/x-www-form-urlencoded"),
            ("accept", "application/json"),
            ("accept-encoding", "identity"),
            ("authorization", "Basic Z2F0ZTp4eXp6eQ=="),
        ]
    );
}

#[test]
fn the_identifier_and_the_secret_are_form_encoded_before_base64() {
    let value = |id: &str, secret: &str| {
        let header = Server::authorization(id, &Secret::new(secret.to_owned()));
        let encoded = header.expose().strip_prefix("Basic ").unwrap().to_owned();
        use base64ct::Encoding as _;
        String::from_utf8(base64ct::Base64::decode_vec(&encoded).unwrap()).unwrap()
    };
    assert_eq!(value("gate", "xyzzy"), "gate:xyzzy");
    // RFC 6749 §2.3.1: a colon in the identifier would otherwise end it.
    assert_eq!(value("https://gate", "a b"), "https%3A%2F%2Fgate:a%20b");
    assert_eq!(value("g", "%+&=:é"), "g:%25%2B%26%3D%3A%C3%A9");
    assert_eq!(value("a-b._*", "~"), "a-b._*:%7E");
}

#[test]
fn an_answer_is_known_for_the_configured_time_and_never_beyond_exp() {
    let active = |rest: &str| response(200, &format!(r#"{{"active":true{rest}}}"#));
    let read = |response: Response<'_>| read(server(), Some(&response));
    assert_eq!(read(active("")), Ok((true, 30.0)));
    assert_eq!(read(active(r#","exp":1800000010"#)), Ok((true, 10.0)));
    assert_eq!(read(active(r#","exp":1800000000.5"#)), Ok((true, 0.5)));
    assert_eq!(read(active(r#","exp":1900000000"#)), Ok((true, 30.0)));
    assert_eq!(read(active(r#","exp":1e308"#)), Ok((true, 30.0)));
    let inactive = || response(200, r#"{"active":false,"exp":1800000005}"#);
    assert_eq!(read(inactive()), Ok((false, 10.0)));
    let cached_for = |seconds, response: Response<'_>| {
        let server = Server {
            cache: Duration::from_secs(seconds),
            ..server()
        };
        super::tests::read(server, Some(&response))
    };
    assert_eq!(cached_for(5, inactive()), Ok((false, 5.0)));
    assert_eq!(cached_for(0, inactive()), Ok((false, 0.0)));
    assert_eq!(cached_for(0, active("")), Ok((true, 0.0)));
}

#[test]
fn whatever_is_not_an_answer_is_a_fault_of_the_server() {
    let fault = |response: Response<'_>| read(server(), Some(&response)).unwrap_err();
    for status in [400, 401, 403] {
        let active = response(status, r#"{"active":true}"#);
        assert_eq!(fault(active), IntrospectionFault::Client(status));
    }
    for status in [100, 201, 204, 301, 302, 404, 405, 429, 500, 502, 503, 599] {
        let active = response(status, r#"{"active":true}"#);
        assert_eq!(fault(active), IntrospectionFault::Status(status));
    }
    for body in [
        "",
        "null",
        "true",
        "[]",
        r#"[{"active":true}]"#,
        "<html>",
        r#"{"active":true"#,
        r#"{"active":true}x"#,
        r#"{"active":true,"active":false}"#,
        "\u{1f}\u{8b}",
    ] {
        let expected = IntrospectionFault::Answer(AnswerFault::NotAnObject);
        assert_eq!(fault(response(200, body)), expected, "{body}");
    }
    for active in ["\"true\"", "1", "null", "[true]", "{}"] {
        let body = format!(r#"{{"active":{active}}}"#);
        let expected = IntrospectionFault::Answer(AnswerFault::Active);
        assert_eq!(fault(response(200, &body)), expected, "{body}");
    }
    let silent = IntrospectionFault::Answer(AnswerFault::Active);
    assert_eq!(fault(response(200, "{}")), silent);
    assert_eq!(fault(response(200, r#"{"ACTIVE":true}"#)), silent);
    for time in [r#""exp":"1""#, r#""nbf":null"#, r#""iat":true"#] {
        let body = format!(r#"{{"active":true,{time}}}"#);
        let expected = IntrospectionFault::Answer(AnswerFault::Times);
        assert_eq!(fault(response(200, &body)), expected, "{body}");
    }
    let padded = |length: usize| format!(r#"{{"active":true}}{}"#, " ".repeat(length - 15));
    assert_eq!(
        fault(response(200, &padded(MAX_RESPONSE + 1))),
        IntrospectionFault::TooLong
    );
    let longest = response(200, &padded(MAX_RESPONSE));
    assert_eq!(read(server(), Some(&longest)), Ok((true, 30.0)));
    let silence = IntrospectionFault::NoResponse("login".to_owned());
    assert_eq!(read(server(), None), Err(silence));
}

#[test]
fn requests_with_one_token_wait_for_one_call() {
    let (mut introspector, mut host) = (Introspector::new(&[server()]), Host::default());
    let ids = Ids::new();
    for token in ["a", "b", "a", "a", "b"] {
        let event = introspector.ask(LEGACY, ids.of(token), token.as_bytes(), &mut host);
        assert!(event.is_none());
    }
    assert_eq!(host.0.len(), 2);
    let active = response(200, r#"{"active":true}"#);
    assert!(
        introspector
            .respond(CallId(9), Some(&active), NOW)
            .is_none()
    );
    let event = introspector.respond(CallId(1), Some(&active), NOW).unwrap();
    assert_eq!(event.id, ids.of("a"));
    assert!(!introspector.is_asking(ids.of("a")) && introspector.is_asking(ids.of("b")));
    assert!(
        introspector
            .respond(CallId(1), Some(&active), NOW)
            .is_none()
    );
    // The next question is a new call.
    introspector.ask(LEGACY, ids.of("a"), b"a", &mut host);
    assert_eq!(host.0.len(), 3);
}

#[test]
fn i_09_the_calls_that_wait_are_bounded() {
    let (mut introspector, mut host) = (Introspector::new(&[server()]), Host::default());
    let ids = Ids::new();
    let mut ask = |introspector: &mut Introspector, number: usize| {
        let token = number.to_string();
        introspector.ask(LEGACY, ids.of(&token), token.as_bytes(), &mut host)
    };
    for number in 0..MOST_CALLS {
        assert!(ask(&mut introspector, number).is_none());
    }
    let event = ask(&mut introspector, MOST_CALLS).unwrap();
    assert_eq!(event.result.unwrap_err().why, IntrospectionFault::Busy);
    // A request with a token about which a call is under way can still wait.
    assert!(ask(&mut introspector, 7).is_none());
    introspector.respond(CallId(1), None, NOW);
    assert!(ask(&mut introspector, MOST_CALLS).is_none());
    assert_eq!(host.0.len(), MOST_CALLS + 1);
}

#[test]
fn a_call_that_is_not_sent_has_ended() {
    let ask = |cluster: &str| {
        let server = Server {
            cluster: cluster.to_owned(),
            ..server()
        };
        let mut introspector = Introspector::new(&[server]);
        let id = Ids::new().of("a");
        let event = introspector.ask(LEGACY, id, b"a", &mut Host::default());
        assert!(!introspector.is_asking(id));
        event.unwrap().result.unwrap_err().why
    };
    let unknown = IntrospectionFault::NoCluster("unknown".to_owned());
    assert_eq!(ask("unknown"), unknown);
    let unhealthy = IntrospectionFault::NotSent("unhealthy".to_owned());
    assert_eq!(ask("unhealthy"), unhealthy);
}

#[test]
fn no_server_is_asked_for_another_provider() {
    let mut host = Host::default();
    let mut introspector = Introspector::new(&[server()]);
    let id = Ids::new().of("a");
    let event = introspector.ask(ProviderId(0), id, b"a", &mut host);
    assert!(event.is_none() && host.0.is_empty() && !introspector.is_asking(id));
    assert_eq!(introspector.time_limit(ProviderId(0)), None);
    assert_eq!(
        introspector.time_limit(LEGACY),
        Some(Duration::from_secs(3))
    );
}

#[test]
fn a_log_line_says_what_to_do_and_shows_no_secret() {
    let line = |why| {
        let provider = "legacy".to_owned();
        Failure { provider, why }.to_string()
    };
    assert_eq!(
        line(IntrospectionFault::Client(401)),
        "provider `legacy`: introspection failed: status 401: check `client_id` and `client_secret`"
    );
    assert_eq!(
        line(IntrospectionFault::Answer(AnswerFault::NotAnObject)),
        "provider `legacy`: introspection failed: cannot read the response: expected a JSON object that is not compressed: check `uri`"
    );
    let shown = format!("{:?}", server());
    assert!(
        !shown.contains("Z2F0ZTp4eXp6eQ") && !shown.contains("xyzzy"),
        "{shown}"
    );
    let (answer, _) = Answer::read(br#"{"active":true,"sub":"xyzzy"}"#).unwrap();
    assert_eq!(format!("{answer:?}"), "Active");
}
