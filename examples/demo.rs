//! `make demo`: sends requests to an Envoy with the filter, `envoy/envoy.yaml` and `envoy/credentials.yaml`, and prints the
//! responses.
//!
//! `make run` runs `demo --stay`: it leaves Envoy running and prints requests to paste. `make run RECIPE=…` runs
//! `demo --recipe …`: it does the same with one of the policies in the README, and plays the transcript of the policy.
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

use support::authorization;
use support::client::{self, Request, Response};
use support::cookbook;
use support::envoy::Envoy;
use support::example::{self, DAY, Mint};
use support::upstream::Upstream;

/// The ports in the example.
const LISTENER: u16 = 10000;
const ADMIN: u16 = 9901;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let stay = match (arguments.next().as_deref(), arguments.next()) {
        (None, _) => false,
        (Some("--stay"), None) => true,
        (Some("--recipe"), Some(name)) => return play_recipe(&name),
        _ => {
            eprintln!("error: expected no argument, `--stay`, or `--recipe NAME`");
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
        wait_for_signal();
        return ExitCode::SUCCESS;
    }
    let login = authorization::start();
    let mut bootstrap = bootstrap(0, 0, upstream.port());
    add_listener(
        &mut bootstrap,
        example::credentials(upstream.port(), login.port()),
    );
    let envoy = Envoy::start_with(&bootstrap, Stdio::null());
    let fetched = "wasmcustom.countersign.lists.entries.partners";
    support::until("the list is fetched", || envoy.stat(fetched) > 0);
    let unexpected = [
        ("rules", "public", situations(&mint)),
        ("kinds of credentials", "credentials", credentials(&mint)),
    ]
    .map(|(what, listener, situations)| play(what, envoy.listener(listener), &situations));
    match unexpected.iter().sum() {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// Adds the listener and the clusters of another configuration.
fn add_listener(bootstrap: &mut Value, mut other: Value) {
    let (own, other) = (
        &mut bootstrap["static_resources"],
        &mut other["static_resources"],
    );
    for kind in ["listeners", "clusters"] {
        let own = own[kind].as_array_mut().expect("a list");
        let mut others = std::mem::take(other[kind].as_array_mut().expect("a list"));
        others.retain(|new| own.iter().all(|one| one["name"] != new["name"]));
        own.append(&mut others);
    }
}

/// Runs Envoy with a policy of the README until Ctrl-C. If no policy has this name, prints the names of all policies.
fn play_recipe(name: &str) -> ExitCode {
    let mut recipes = cookbook::recipes();
    if !recipes.iter().any(|recipe| recipe.name == name) {
        let names: Vec<&str> = recipes.iter().map(|recipe| &*recipe.name).collect();
        eprintln!(
            "error: unknown recipe `{name}`: expected one of {}",
            names.join(", ")
        );
        return ExitCode::FAILURE;
    }
    recipes.retain(|recipe| recipe.name == name);
    println!("==> starting the upstream and Envoy");
    let (upstream, mint) = (Upstream::start(), Mint::new());
    let login = authorization::start();
    let mut bootstrap = cookbook::bootstrap(&recipes, upstream.port(), login.port());
    listen(&mut bootstrap, free_or(LISTENER), free_or(ADMIN));
    let envoy = Envoy::start_with(&bootstrap, Stdio::null());
    let server = envoy.listener(name);
    println!("==> Envoy listens on {server}; requests to paste into another terminal:\n");
    for line in recipes.iter().flat_map(|recipe| &recipe.transcript) {
        println!("# {}", line.text.replace('\n', "\n# "));
        if line.at.is_some() {
            println!("# only `countersign explain --now` can set the time of a request\n");
            continue;
        }
        let differences = line.differences(&line.play(server, &mint));
        for difference in differences {
            println!("# UNEXPECTED: {difference}");
        }
        println!("{}\n", line.curl(server, &mint));
    }
    println!("==> press Ctrl-C to stop Envoy");
    wait_for_signal();
    ExitCode::SUCCESS
}

/// The port, or 0 (any port) if it is in use.
fn free_or(port: u16) -> u16 {
    TcpListener::bind(("127.0.0.1", port)).map_or(0, |_| port)
}

/// `envoy/envoy.yaml` with these ports and the built module.
fn bootstrap(listener: u16, admin: u16, upstream: u16) -> Value {
    let mut bootstrap = example::bootstrap("envoy/envoy.yaml", &[("upstream", upstream)]);
    listen(&mut bootstrap, listener, admin);
    bootstrap
}

/// Sets the ports of a bootstrap.
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

/// A request and its expected response.
struct Situation {
    method: &'static str,
    path: &'static str,
    /// What the request contains, in words.
    content: &'static str,
    authorization: Vec<Vec<u8>>,
    /// Other headers of the request.
    headers: &'static [(&'static str, &'static str)],
    /// A header of the response, and the start of its value.
    response_header: Option<(&'static str, &'static str)>,
    status: u16,
    /// The challenges, as [`challenge_of`] shortens them; empty if there is none.
    challenge: &'static str,
    reason: &'static str,
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
    // The last character of an ES256 signature has unused bits. The character before it has none.
    if let Some(byte) = forged.iter_mut().rev().nth(1) {
        *byte = if *byte == b'A' { b'B' } else { b'A' };
    }
    let situation =
        |method, path, content, authorization: &[&Vec<u8>], status, challenge, reason| Situation {
            method,
            path,
            content,
            authorization: authorization.iter().map(|value| (*value).clone()).collect(),
            headers: &[],
            response_header: None,
            status,
            challenge,
            reason,
        };
    let with = |situation: Situation, headers, response_header| Situation {
        headers,
        response_header: Some(response_header),
        ..situation
    };
    vec![
        situation(
            "GET",
            "/healthz",
            "no credential",
            &[],
            200,
            "",
            "the path is public",
        ),
        situation(
            "GET",
            "/orders/17",
            "no credential",
            &[],
            401,
            PLAIN,
            "the rule requires a credential",
        ),
        situation(
            "HEAD",
            "/orders/17",
            "no credential",
            &[],
            401,
            PLAIN,
            "as for GET, without a body",
        ),
        situation(
            "GET",
            "/orders/17",
            "a valid token",
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
            "the token expired an hour ago",
        ),
        situation(
            "GET",
            "/orders/17",
            "a token for invoices",
            &[&elsewhere],
            401,
            INVALID_TOKEN,
            "the audience is another service",
        ),
        situation(
            "GET",
            "/orders/17",
            "a forged token",
            &[&forged],
            401,
            INVALID_TOKEN,
            "the signature was changed",
        ),
        situation(
            "POST",
            "/orders",
            "a valid token",
            &[&good],
            403,
            "",
            "the scope orders:write is missing",
        ),
        situation(
            "GET",
            "/admin/users",
            "a valid token",
            &[&good],
            403,
            "",
            "the role admin or operator is missing",
        ),
        situation(
            "GET",
            "/admin/users",
            "an operator's token",
            &[&operator],
            200,
            "",
            "the role operator is present",
        ),
        situation(
            "GET",
            "/catalogue/shoes",
            "no credential",
            &[],
            200,
            "",
            "the rule does not require a credential",
        ),
        situation(
            "GET",
            "/catalogue/shoes",
            "an expired token",
            &[&expired],
            401,
            INVALID_TOKEN,
            "an invalid credential is denied, even if optional",
        ),
        situation(
            "GET",
            "/nowhere",
            "a valid token",
            &[&good],
            403,
            "",
            "no rule matches, and the default is deny",
        ),
        situation(
            "TRACE",
            "/orders/17",
            "a valid token",
            &[&good],
            405,
            "",
            "the response to TRACE would contain the token",
        ),
        situation(
            "GET",
            "/catalogue/../admin",
            "a valid token",
            &[&good],
            400,
            "",
            "servers interpret the path differently",
        ),
        situation(
            "GET",
            "/catalogue%2F..%2Fadmin",
            "a valid token",
            &[&good],
            400,
            "",
            "some servers decode %2F to a separator",
        ),
        situation(
            "GET",
            "/orders/17",
            "`Bearer` without a token",
            &[&b"Bearer".to_vec()],
            400,
            INVALID_REQUEST,
            "the token is missing",
        ),
        situation(
            "GET",
            "/orders/17",
            "two tokens",
            &[&good, &good],
            400,
            INVALID_REQUEST,
            "only one credential is allowed",
        ),
        situation(
            "GET",
            "/orders/17",
            "a token of 50 kB",
            &[&bearer(&"a".repeat(50_000))],
            401,
            INVALID_TOKEN,
            "the token is too long",
        ),
        situation(
            "GET",
            "/orders/17",
            "bytes that are not UTF-8",
            &[&b"Bearer \xff\xfe".to_vec()],
            400,
            INVALID_REQUEST,
            "a token is ASCII",
        ),
        situation(
            "GET",
            "/orders/17",
            "Basic",
            &[&b"Basic YWxpY2U6c2VjcmV0".to_vec()],
            401,
            PLAIN,
            "no provider uses the scheme Basic",
        ),
        situation(
            "GET",
            "/invoices/9",
            "a valid token",
            &[&good],
            404,
            "",
            "invoices are hidden from this caller",
        ),
        situation(
            "POST",
            "/payments",
            "a valid token",
            &[&good],
            401,
            STEP_UP,
            "payments require a recent second factor",
        ),
        with(
            situation(
                "GET",
                "/settings",
                "no credential",
                &[],
                403,
                "",
                "the rule has a fixed response",
            ),
            &[],
            ("x-why", "maintenance"),
        ),
        with(
            situation(
                "GET",
                "/orders/17",
                "the headers of a browser",
                &[],
                401,
                PLAIN,
                "a browser receives a page",
            ),
            &[("accept", "text/html,application/xhtml+xml,*/*;q=0.8")],
            ("content-type", "text/html"),
        ),
        with(
            situation(
                "GET",
                "/orders/17",
                "Accept: application/problem+json",
                &[],
                401,
                PLAIN,
                "the client accepts problem details",
            ),
            &[("accept", "application/problem+json")],
            ("content-type", "application/problem+json"),
        ),
        with(
            situation(
                "GET",
                "/orders/17",
                "an Origin header",
                &[],
                401,
                PLAIN,
                "CORS lets the page read the challenge",
            ),
            &[("origin", "https://app.example.com")],
            ("access-control-expose-headers", "WWW-Authenticate"),
        ),
        with(
            situation(
                "POST",
                "/orders",
                "a gRPC request",
                &[],
                200,
                PLAIN,
                "the gRPC status is 16, UNAUTHENTICATED",
            ),
            &[("content-type", "application/grpc")],
            ("grpc-status", "16"),
        ),
    ]
}

/// The key of a partner, the key of a service, and a password, as `envoy/credentials.yaml` and its servers have them.
const PARTNER: (&str, &str) = ("x-api-key", authorization::PARTNER_KEY);
const SERVICE: (&str, &str) = ("x-service-key", "checkout-3Jd8sPq1");
const CI: &[u8] = b"Basic Y2k6bmlnaHRseS00NzExLVhrMnZROW1UejA=";

const EITHER: &str = r#"Bearer realm="orders" and ApiKey realm="orders""#;
const API_KEY: &str = r#"ApiKey realm="orders""#;
const BASIC: &str = r#"Basic realm="orders""#;

/// Several kinds of credentials, side by side.
fn credentials(mint: &Mint) -> Vec<Situation> {
    let jwt = signed(mint, &json!({"scope": "orders:read"}));
    let opaque = |of: &str| bearer(&format!("t-9f31-{of}"));
    let situation = |path, content, authorization, headers, status, challenge, reason| Situation {
        method: "GET",
        path,
        content,
        authorization,
        headers,
        response_header: None,
        status,
        challenge,
        reason,
    };
    vec![
        situation(
            "/orders/17",
            "no credential",
            vec![],
            &[],
            401,
            EITHER,
            "a token or an API key is required",
        ),
        situation(
            "/orders/17",
            "a JWT",
            vec![jwt.clone()],
            &[],
            200,
            "",
            "its issuer is a provider",
        ),
        situation(
            "/orders/17",
            "an opaque token",
            vec![opaque("alice")],
            &[],
            200,
            "",
            "the authorization server says that it is active",
        ),
        situation(
            "/orders/17",
            "a revoked token",
            vec![opaque("revoked")],
            &[],
            401,
            r#"Bearer realm="orders", error="invalid_token" and ApiKey realm="orders""#,
            "the authorization server says that it is not",
        ),
        situation(
            "/orders/17",
            "an API key",
            vec![],
            &[PARTNER],
            200,
            "",
            "the fetched list has the key",
        ),
        situation(
            "/orders/17",
            "an unknown API key",
            vec![],
            &[("x-api-key", "acme-unknown-key")],
            401,
            EITHER,
            "the fetched list does not have the key",
        ),
        situation(
            "/builds/7",
            "no credential",
            vec![],
            &[],
            401,
            BASIC,
            "the rule requires a password",
        ),
        situation(
            "/builds/7",
            "a user and password",
            vec![CI.to_vec()],
            &[],
            200,
            "",
            "the password matches the hash",
        ),
        situation(
            "/payments/3",
            "a JWT",
            vec![jwt.clone()],
            &[],
            401,
            API_KEY,
            "the key of a service is missing",
        ),
        situation(
            "/payments/3",
            "a JWT and a key",
            vec![jwt],
            &[SERVICE],
            200,
            "",
            "a user and a service together",
        ),
    ]
}

/// Sends each request and prints its response. Returns how many responses are unexpected.
fn play(what: &str, server: SocketAddr, situations: &[Situation]) -> usize {
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
    for situation in situations {
        let (status, challenge, is_expected) = match send(server, situation) {
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

fn send(server: SocketAddr, situation: &Situation) -> io::Result<Response> {
    let mut headers: Vec<(&[u8], &[u8])> = vec![(b"host", b"orders.example.com")];
    headers.extend(
        situation
            .authorization
            .iter()
            .map(|value| (&b"authorization"[..], value.as_slice())),
    );
    let further = situation.headers.iter();
    headers.extend(further.map(|(name, value)| (name.as_bytes(), value.as_bytes())));
    let request = Request {
        method: situation.method.as_bytes(),
        target: situation.path.as_bytes(),
        headers,
        body: b"",
    };
    client::send(server, &request)
}

/// The challenges up to their descriptions, and without the location of a key.
fn challenge_of(response: &Response) -> String {
    let challenges: Vec<String> = response
        .values("www-authenticate")
        .map(|value| {
            let text = String::from_utf8_lossy(value);
            let end = [", error_description=", ", in=", ", charset="];
            let end = end
                .iter()
                .filter_map(|parameter| text.find(parameter))
                .min();
            text[..end.unwrap_or(text.len())].to_owned()
        })
        .collect();
    challenges.join(" and ")
}

fn is_expected(situation: &Situation, response: &Response, challenge: &str) -> bool {
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

/// Prints requests to paste into another terminal.
fn print_requests(server: SocketAddr, admin: SocketAddr, mint: &Mint) {
    let reader = mint.token(&json!({"scope": "orders:read"}));
    let operator = mint.token(&json!({"sub": "olga", "roles": ["operator"]}));
    let expired =
        mint.token(&json!({"scope": "orders:read", "iat": mint.now - DAY, "exp": mint.now - 3600}));
    println!(
        "==> Envoy listens on {server}. Requests to paste into another terminal; the tokens are valid for a day:\n"
    );
    println!("# public\ncurl -i http://{server}/healthz\n");
    println!("# 401: no credential\ncurl -i http://{server}/orders/17\n");
    for (what, token, path) in [
        ("200: alice may read orders", &reader, "-i"),
        ("403: alice may not write orders", &reader, "-i -X POST"),
        ("401: the token is expired", &expired, "-i"),
    ] {
        println!(
            "# {what}\ncurl {path} http://{server}/orders/17 -H 'authorization: Bearer {token}'\n"
        );
    }
    println!(
        "# 200: olga is an operator\ncurl -i http://{server}/admin/users -H 'authorization: Bearer {operator}'\n"
    );
    println!("# the metrics\ncurl -s http://{admin}/stats/prometheus | grep ^countersign_\n");
    println!("==> the access log follows; press Ctrl-C to stop Envoy");
}

/// Returns after Ctrl-C or SIGTERM.
fn wait_for_signal() {
    let mut signals = Signals::new([SIGINT, SIGTERM]).expect("signals can be waited for");
    let _ = signals.forever().next();
}
