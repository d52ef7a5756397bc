//! `make demo`: a real Envoy with the filter and `envoy/envoy.yaml`'s document, and what it answers in each situation.
//! `make run`, which is `demo --stay`, leaves it running and prints requests to paste; `make run RECIPE=…`, which is
//! `demo --recipe …`, does so with one of README's policies, and plays its transcript.
#![allow(clippy::restriction, reason = "an example may panic")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::fmt;
use std::io::{self, IsTerminal as _};
use std::net::{SocketAddr, TcpListener};
use std::process::{ExitCode, Stdio};

use serde_json::{Value, json};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use support::client::{self, Request, Response};
use support::cookbook;
use support::envoy::Envoy;
use support::example::{self, DAY, Mint};
use support::upstream::Upstream;

/// Ports of the example.
const LISTENER: u16 = 10000;
const ADMIN: u16 = 9901;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let stay = match (arguments.next().as_deref(), arguments.next()) {
        (None, _) => false,
        (Some("--stay"), None) => true,
        (Some("--recipe"), Some(name)) => return play_recipe(&name),
        _ => {
            eprintln!("error: expected nothing, `--stay`, or `--recipe` with a name");
            return ExitCode::FAILURE;
        }
    };
    println!("==> starting the upstream and Envoy");
    let upstream = Upstream::start();
    let mint = Mint::new();
    if stay {
        let bootstrap = bootstrap(free_or(LISTENER), free_or(ADMIN), upstream.port());
        let envoy = Envoy::start_with(&bootstrap, Stdio::inherit());
        print_requests(envoy.listener("public"), envoy.admin_address(), &mint);
        wait_for_the_end();
        return ExitCode::SUCCESS;
    }
    let envoy = Envoy::start_with(&bootstrap(0, 0, upstream.port()), Stdio::null());
    play(envoy.listener("public"), &situations(&mint))
}

/// One of README's policies, until Ctrl-C; without a name among them, what they are called.
fn play_recipe(name: &str) -> ExitCode {
    let mut recipes = cookbook::recipes();
    if !recipes.iter().any(|recipe| recipe.name == name) {
        let names: Vec<&str> = recipes.iter().map(|recipe| &*recipe.name).collect();
        eprintln!(
            "error: there is no recipe `{name}`; there are {}",
            names.join(", ")
        );
        return ExitCode::FAILURE;
    }
    recipes.retain(|recipe| recipe.name == name);
    println!("==> starting the upstream and Envoy");
    let (upstream, mint) = (Upstream::start(), Mint::new());
    let mut bootstrap = cookbook::bootstrap(&recipes, upstream.port());
    listen(&mut bootstrap, free_or(LISTENER), free_or(ADMIN));
    let envoy = Envoy::start_with(&bootstrap, Stdio::null());
    let server = envoy.listener(name);
    println!("==> Envoy listens on {server}; to paste elsewhere:\n");
    for line in recipes.iter().flat_map(|recipe| &recipe.transcript) {
        println!("# {}", line.text.replace('\n', "\n# "));
        if line.at.is_some() {
            println!("# only `countersign explain --now` can be told when it is\n");
            continue;
        }
        let differences = line.differences(&line.play(server, &mint));
        for difference in differences {
            println!("# NOT AS PROMISED: {difference}");
        }
        println!("{}\n", line.curl(server, &mint));
    }
    println!("==> Ctrl-C ends it");
    wait_for_the_end();
    ExitCode::SUCCESS
}

/// The port, or 0 (any) where it is taken.
fn free_or(port: u16) -> u16 {
    TcpListener::bind(("127.0.0.1", port)).map_or(0, |_| port)
}

/// `envoy/envoy.yaml` with these ports and the module that was built.
fn bootstrap(listener: u16, admin: u16, upstream: u16) -> Value {
    let mut bootstrap = example::bootstrap("envoy/envoy.yaml", &[("upstream", upstream)]);
    listen(&mut bootstrap, listener, admin);
    bootstrap
}

/// Gives a bootstrap these ports.
fn listen(bootstrap: &mut Value, listener: u16, admin: u16) {
    let port = "/address/socket_address/port_value";
    example::set(&mut bootstrap["admin"], port, json!(admin));
    let listeners = &mut bootstrap["static_resources"]["listeners"];
    example::set(&mut listeners[0], port, json!(listener));
}

fn signed(mint: &Mint, claims: &Value) -> Vec<u8> {
    bearer(&mint.token(claims))
}

fn bearer(token: &str) -> Vec<u8> {
    format!("Bearer {token}").into_bytes()
}

/// A request and what is promised to come back.
struct Situation {
    method: &'static str,
    path: &'static str,
    /// What the request shows, in words.
    shows: &'static str,
    authorization: Vec<Vec<u8>>,
    /// Header fields besides.
    sends: &'static [(&'static str, &'static str)],
    /// A field of the response, and what it begins with.
    comes_with: Option<(&'static str, &'static str)>,
    status: u16,
    /// The challenge up to its description; none stands empty.
    challenge: &'static str,
    because: &'static str,
}

const PLAIN: &str = r#"Bearer realm="orders""#;
const INVALID_TOKEN: &str = r#"Bearer realm="orders", error="invalid_token""#;
const STEP_UP: &str = r#"Bearer realm="orders", error="insufficient_user_authentication""#;
const INVALID_REQUEST: &str = r#"Bearer realm="orders", error="invalid_request""#;

fn situations(mint: &Mint) -> Vec<Situation> {
    let read = json!({"scope": "orders:read"});
    let good = signed(mint, &read);
    let expired = signed(
        mint,
        &json!({"scope": "orders:read", "iat": mint.now - DAY, "exp": mint.now - 3600}),
    );
    let elsewhere = signed(mint, &json!({"scope": "orders:read", "aud": "invoices"}));
    let operator = signed(mint, &json!({"roles": ["operator"]}));
    let mut forged = good.clone();
    // The last character of an ES256 signature has unused bits, the one before has none.
    if let Some(byte) = forged.iter_mut().rev().nth(1) {
        *byte = if *byte == b'A' { b'B' } else { b'A' };
    }
    let situation =
        |method, path, shows, authorization: &[&Vec<u8>], status, challenge, because| Situation {
            method,
            path,
            shows,
            authorization: authorization.iter().map(|value| (*value).clone()).collect(),
            sends: &[],
            comes_with: None,
            status,
            challenge,
            because,
        };
    let with = |situation: Situation, sends, comes_with| Situation {
        sends,
        comes_with: Some(comes_with),
        ..situation
    };
    vec![
        situation(
            "GET",
            "/healthz",
            "nothing",
            &[],
            200,
            "",
            "the path is public",
        ),
        situation(
            "GET",
            "/orders/17",
            "nothing",
            &[],
            401,
            PLAIN,
            "a credential is needed, and none was shown",
        ),
        situation(
            "HEAD",
            "/orders/17",
            "nothing",
            &[],
            401,
            PLAIN,
            "as for GET, without a body",
        ),
        situation(
            "GET",
            "/orders/17",
            "a good token",
            &[&good],
            200,
            "",
            "alice has the scope orders:read",
        ),
        situation(
            "GET",
            "/orders/17",
            "an expired token",
            &[&expired],
            401,
            INVALID_TOKEN,
            "it expired an hour ago",
        ),
        situation(
            "GET",
            "/orders/17",
            "a token for invoices",
            &[&elsewhere],
            401,
            INVALID_TOKEN,
            "its audience is another service",
        ),
        situation(
            "GET",
            "/orders/17",
            "a forged token",
            &[&forged],
            401,
            INVALID_TOKEN,
            "its signature was changed",
        ),
        situation(
            "POST",
            "/orders",
            "a good token",
            &[&good],
            403,
            "",
            "the scope orders:write is missing",
        ),
        situation(
            "GET",
            "/admin/users",
            "a good token",
            &[&good],
            403,
            "",
            "neither of the roles admin, operator",
        ),
        situation(
            "GET",
            "/admin/users",
            "an operator's token",
            &[&operator],
            200,
            "",
            "one of the roles is enough",
        ),
        situation(
            "GET",
            "/catalogue/shoes",
            "nothing",
            &[],
            200,
            "",
            "a credential is optional here",
        ),
        situation(
            "GET",
            "/catalogue/shoes",
            "an expired token",
            &[&expired],
            401,
            INVALID_TOKEN,
            "but one that is shown must be good",
        ),
        situation(
            "GET",
            "/nowhere",
            "a good token",
            &[&good],
            403,
            "",
            "no rule fits, and the default denies",
        ),
        situation(
            "TRACE",
            "/orders/17",
            "a good token",
            &[&good],
            405,
            "",
            "TRACE would echo the token",
        ),
        situation(
            "GET",
            "/catalogue/../admin",
            "a good token",
            &[&good],
            400,
            "",
            "servers disagree on what the path means",
        ),
        situation(
            "GET",
            "/catalogue%2F..%2Fadmin",
            "a good token",
            &[&good],
            400,
            "",
            "an encoded slash is a separator to some",
        ),
        situation(
            "GET",
            "/orders/17",
            "`Bearer` alone",
            &[&b"Bearer".to_vec()],
            400,
            INVALID_REQUEST,
            "nothing follows the scheme",
        ),
        situation(
            "GET",
            "/orders/17",
            "two tokens",
            &[&good, &good],
            400,
            INVALID_REQUEST,
            "nobody can tell which one counts",
        ),
        situation(
            "GET",
            "/orders/17",
            "a token of 50 kB",
            &[&bearer(&"a".repeat(50_000))],
            401,
            INVALID_TOKEN,
            "no token is that long",
        ),
        situation(
            "GET",
            "/orders/17",
            "bytes that are no UTF-8",
            &[&b"Bearer \xff\xfe".to_vec()],
            400,
            INVALID_REQUEST,
            "no token holds them",
        ),
        situation(
            "GET",
            "/orders/17",
            "Basic",
            &[&b"Basic YWxpY2U6c2VjcmV0".to_vec()],
            401,
            PLAIN,
            "nobody serves that scheme here",
        ),
        situation(
            "GET",
            "/invoices/9",
            "a good token",
            &[&good],
            404,
            "",
            "who may not see invoices is not told of them",
        ),
        situation(
            "POST",
            "/payments",
            "a good token",
            &[&good],
            401,
            STEP_UP,
            "payments need a second factor, not long ago",
        ),
        with(
            situation(
                "GET",
                "/settings",
                "nothing",
                &[],
                403,
                "",
                "the rule has an answer of its own",
            ),
            &[],
            ("x-why", "maintenance"),
        ),
        with(
            situation(
                "GET",
                "/orders/17",
                "a browser",
                &[],
                401,
                PLAIN,
                "a person gets a page",
            ),
            &[("accept", "text/html,application/xhtml+xml,*/*;q=0.8")],
            ("content-type", "text/html"),
        ),
        with(
            situation(
                "GET",
                "/orders/17",
                "a client of RFC 9457",
                &[],
                401,
                PLAIN,
                "it asked for problem details",
            ),
            &[("accept", "application/problem+json")],
            ("content-type", "application/problem+json"),
        ),
        with(
            situation(
                "GET",
                "/orders/17",
                "a page elsewhere",
                &[],
                401,
                PLAIN,
                "it may read the challenge",
            ),
            &[("origin", "https://app.example.com")],
            ("access-control-expose-headers", "WWW-Authenticate"),
        ),
        with(
            situation(
                "POST",
                "/orders",
                "a gRPC call",
                &[],
                200,
                PLAIN,
                "its status is 16, UNAUTHENTICATED",
            ),
            &[("content-type", "application/grpc")],
            ("grpc-status", "16"),
        ),
    ]
}

/// Plays each situation and prints what came back beside it.
fn play(server: SocketAddr, situations: &[Situation]) -> ExitCode {
    let paint = Paint {
        colours: io::stdout().is_terminal(),
    };
    let request = |situation: &Situation| format!("{} {}", situation.method, situation.path);
    let width = |text: &dyn Fn(&Situation) -> usize| situations.iter().map(text).max().unwrap_or(0);
    let requests = width(&|situation| request(situation).len());
    let shown = width(&|situation| situation.shows.len());
    let challenges = width(&|situation| situation.challenge.len());
    println!("==> Envoy listens on {server}\n");
    println!(
        "{:requests$}  {:shown$}  status  {:challenges$}  because",
        "request", "it shows", "challenge"
    );
    let mut broken = Vec::new();
    for situation in situations {
        let (status, challenge, kept) = match send(server, situation) {
            Ok(response) => {
                let challenge = challenge_of(&response);
                let kept = kept(situation, &response, &challenge);
                (response.status, challenge, kept)
            }
            Err(error) => (0, error.to_string(), false),
        };
        println!(
            "{:requests$}  {:shown$}  {}  {challenge:challenges$}  {}",
            request(situation),
            situation.shows,
            paint.status(status),
            if kept {
                situation.because
            } else {
                "NOT AS PROMISED"
            },
        );
        if !kept {
            broken.push(situation);
        }
    }
    println!();
    for situation in &broken {
        println!(
            "not as promised: {}, showing {}: promised {} {}",
            request(situation),
            situation.shows,
            situation.status,
            situation.challenge
        );
    }
    println!(
        "==> {} of {} situations are as promised",
        situations.len() - broken.len(),
        situations.len()
    );
    if broken.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn send(server: SocketAddr, situation: &Situation) -> io::Result<Response> {
    let mut headers: Vec<(&[u8], &[u8])> = vec![(b"host", b"orders.example.com")];
    headers.extend(
        situation
            .authorization
            .iter()
            .map(|value| (&b"authorization"[..], value.as_slice())),
    );
    let further = situation.sends.iter();
    headers.extend(further.map(|(name, value)| (name.as_bytes(), value.as_bytes())));
    let request = Request {
        method: situation.method.as_bytes(),
        target: situation.path.as_bytes(),
        headers,
        body: b"",
    };
    client::send(server, &request)
}

/// Every challenge, without the description, which is for people.
fn challenge_of(response: &Response) -> String {
    let challenges: Vec<String> = response
        .values("www-authenticate")
        .map(|value| {
            let text = String::from_utf8_lossy(value);
            text.split(", error_description=")
                .next()
                .unwrap_or_default()
                .to_owned()
        })
        .collect();
    challenges.join(" and ")
}

fn kept(situation: &Situation, response: &Response, challenge: &str) -> bool {
    let reached = response.values("x-upstream").next().is_some();
    let comes_with = situation.comes_with.is_none_or(|(name, begin)| {
        let mut values = response.values(name);
        values.any(|value| value.starts_with(begin.as_bytes()))
    });
    let passes = situation.status == 200 && situation.comes_with.is_none();
    response.status == situation.status
        && challenge == situation.challenge
        && comes_with
        && reached == passes
        && (situation.method != "HEAD" || response.body.is_empty())
}

struct Paint {
    colours: bool,
}

impl Paint {
    /// Six columns, green for what passed, yellow for what was refused.
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

/// Requests to paste into another terminal.
fn print_requests(server: SocketAddr, admin: SocketAddr, mint: &Mint) {
    let reader = mint.token(&json!({"scope": "orders:read"}));
    let operator = mint.token(&json!({"sub": "olga", "roles": ["operator"]}));
    let expired =
        mint.token(&json!({"scope": "orders:read", "iat": mint.now - DAY, "exp": mint.now - 3600}));
    println!("==> Envoy listens on {server}; its tokens live a day. To paste elsewhere:\n");
    println!("# public\ncurl -i http://{server}/healthz\n");
    println!("# 401: no credential\ncurl -i http://{server}/orders/17\n");
    for (what, token, path) in [
        ("200: alice may read orders", &reader, "-i"),
        ("403: but not write them", &reader, "-i -X POST"),
        ("401: expired", &expired, "-i"),
    ] {
        println!(
            "# {what}\ncurl {path} http://{server}/orders/17 -H 'authorization: Bearer {token}'\n"
        );
    }
    println!(
        "# 200: olga is an operator\ncurl -i http://{server}/admin/users -H 'authorization: Bearer {operator}'\n"
    );
    println!("# what was counted\ncurl -s http://{admin}/stats/prometheus | grep ^countersign_\n");
    println!("==> the access log follows; Ctrl-C ends it");
}

/// Returns at Ctrl-C, or when asked to end.
fn wait_for_the_end() {
    let mut signals = Signals::new([SIGINT, SIGTERM]).expect("signals can be waited for");
    let _ = signals.forever().next();
}
