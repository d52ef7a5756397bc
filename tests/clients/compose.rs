//! `docker compose up`, run for real: a person signs in, the filter decides, Prometheus scrapes, an alert arrives.
//!
//! The commands of `docs/try-it.md` run against the same services.

mod services;

use std::net::{Ipv4Addr, SocketAddr};

use serde_json::Value;

use self::services::Services;
use crate::clients::node;
use crate::pages::rewritten::Rewritten;
use crate::pages::terminal::Terminal;
use crate::pages::{Page, output, transcript};
use crate::support::client::{self, Request, Response};

const PAGE: &str = "docs/try-it.md";
/// The ports on this machine.
const ISSUER: u16 = 9000;
const API: u16 = 10000;

#[test]
fn everything_starts_and_works_together() {
    let services = Services::up();
    // No request is too early.
    let token = token_of_a_program();
    assert_eq!(status("GET", "/orders/17", &token), 200);
    people_sign_in();
    the_page_is_true(&services);
}

/// The access token that the client `terminal` gets with its own credentials.
fn token_of_a_program() -> String {
    let form = "grant_type=client_credentials&client_id=terminal&client_secret=terminal-demo&scope=orders:read";
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    // The client of this issuer may also send its credentials in `Authorization`, as the page does.
    let answer = send(ISSUER, "POST", "/token", &headers, form);
    let answer: Value = serde_json::from_slice(&answer.body).expect("JSON");
    answer["access_token"]
        .as_str()
        .unwrap_or_else(|| panic!("no token, but {answer}"))
        .to_owned()
}

/// Each user signs in with a browser. The rules of `envoy/compose/gate.yaml` give each what the form promises.
fn people_sign_in() {
    let alice = sign_in("alice", None);
    assert_eq!(status("GET", "/orders/17", &alice), 200);
    assert_eq!(status("POST", "/orders/17", &alice), 403);
    assert_eq!(status("GET", "/admin/users", &alice), 403);
    let response = ask("GET", "/payments/1", &alice);
    assert_eq!(response.status, 401);
    let challenge = response
        .values("www-authenticate")
        .next()
        .expect("a challenge");
    let challenge = String::from_utf8_lossy(challenge);
    assert!(
        challenge.contains(r#"error="insufficient_user_authentication""#),
        "{challenge}"
    );
    assert!(
        challenge.contains(r#"acr_values="urn:example:mfa""#),
        "{challenge}"
    );

    let olga = sign_in("olga", Some("123456"));
    for (method, path) in [
        ("GET", "/orders/17"),
        ("POST", "/orders/17"),
        ("GET", "/admin/users"),
        ("GET", "/payments/1"),
    ] {
        assert_eq!(status(method, path, &olga), 200, "{method} {path}");
    }
}

/// The access token that a person gets with Chromium.
fn sign_in(user: &str, code: Option<&str>) -> String {
    let url = format!("http://localhost:{ISSUER}/");
    let password = format!("{user}-demo");
    let mut variables = vec![
        ("SIGN_IN", &*url),
        ("USER_NAME", user),
        ("PASSWORD", &*password),
    ];
    variables.extend(code.map(|code| ("CODE", code)));
    let ended = node("compose.mjs", &variables)
        .output()
        .expect("`node` runs");
    let printed = String::from_utf8_lossy(&ended.stdout).trim().to_owned();
    assert!(
        ended.status.success(),
        "{user}: {printed}\n{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    printed
}

/// The commands of the page print what it says.
fn the_page_is_true(services: &Services) {
    let page = Page::read(PAGE);
    let (mut rewritten, mut terminal) = (Rewritten::of(&page), Terminal::start());
    terminal
        .run(&services.shell_function())
        .expect("a function");
    let (mut faults, is_blessed) = (Vec::new(), std::env::var_os("BLESS").is_some());
    let blocks = page.blocks().into_iter();
    for block in blocks.filter(|block| block.language == "console" && block.has("compose")) {
        for command in transcript::commands(&block.text).expect("commands") {
            let line = block.line + 1 + command.line;
            if Services::starts_or_stops(&command.text) {
                continue;
            }
            match terminal.run(&command.text) {
                Ok(printed) if output::is_as_written(&command.output, &printed) => {}
                Ok(printed) if is_blessed => rewritten.replace(line, &command, &printed),
                Ok(printed) => faults.push(format!(
                    "{}: $ {}\n{}",
                    page.at(line),
                    command.text,
                    printed.join("\n")
                )),
                Err(fault) => {
                    faults.push(format!("{}: $ {}\n{fault}", page.at(line), command.text))
                }
            }
        }
    }
    rewritten.save();
    assert!(
        faults.is_empty(),
        "{}\n\n{PAGE}: {} commands print something else:\n\n{}",
        services.logs(),
        faults.len(),
        faults.join("\n\n")
    );
}

fn status(method: &str, path: &str, token: &str) -> u16 {
    ask(method, path, token).status
}

/// Sends a request with a token to the API.
fn ask(method: &str, path: &str, token: &str) -> Response {
    let authorization = format!("Bearer {token}");
    send(API, method, path, &[("authorization", &authorization)], "")
}

fn send(port: u16, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
    let host = format!("localhost:{port}");
    let request = Request {
        body: body.as_bytes(),
        ..Request::of(method, path, &host, headers.iter().copied())
    };
    let server = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    client::send(server, &request).unwrap_or_else(|error| panic!("{method} {host}{path}: {error}"))
}
