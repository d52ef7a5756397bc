//! The code in `docs/clients.md`, in each of its languages, against a real Envoy: when it refreshes its token, asks for
//! scopes, waits, and stops.
//!
//! A client is a block of the page and a driver in `tests/clients/documented/`. The driver plays scenarios, and prints the
//! status in the end and what the code asked its `token` for.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::clients::{key, provider, python, token};
use crate::support::envoy::{Bootstrap, Envoy};
use crate::support::in_repository;
use crate::support::issuer::{Issuer, Page};
use crate::support::upstream::Upstream;

const PAGE: &str = "docs/clients.md";

/// The languages: the address of each as a client, which `throttle` counts for itself.
const CLIENTS: [(&str, &str); 4] = [
    ("fetch", "192.0.2.1"),
    ("axios", "192.0.2.2"),
    ("python", "192.0.2.3"),
    ("go", "192.0.2.4"),
];

#[test]
fn the_code_for_clients_does_what_each_response_asks_for() {
    let (upstream, issuer) = (Upstream::start(), Issuer::start());
    issuer.serve("/jwks", Page::status(500));
    let bootstrap = Bootstrap::new(upstream.port())
        .cluster("issuer", &[issuer.port()])
        .routed_listener("rules", &rules(), &[from_the_upstream()])
        .forwarded_listener("throttled", &throttled())
        .listener("down", &with_fetched_keys());
    let envoy = Envoy::start(bootstrap);
    let outcomes: Vec<_> = thread::scope(|scope| {
        let running: Vec<_> = CLIENTS
            .iter()
            .map(|(name, address)| {
                let scenarios = scenarios(&envoy, address);
                scope.spawn(move || (name, play(name, &scenarios)))
            })
            .collect();
        // The clients find the issuer down, and wait.
        while envoy.counted("denied.503.temporarily_unavailable") < CLIENTS.len() as u64 {
            thread::sleep(Duration::from_millis(50));
        }
        issuer.serve("/jwks", Page::keys(&[&key()]));
        running.into_iter().map(|own| own.join().unwrap()).collect()
    });
    for (name, outcome) in outcomes {
        assert_eq!(outcome, expected(), "{name}");
    }
    // Each scenario but the four with 400, 401 and 403 passes once: nothing that arrived was sent twice.
    let passes = (CLIENTS.len() * (expected().len() - 4)) as u64;
    envoy_counts(&envoy, "allowed", passes);
}

/// An answer of the API itself that looks like one of the filter.
fn from_the_upstream() -> Value {
    json!({
        "match": {"prefix": "/status"},
        "direct_response": {"status": 503, "body": {"inline_string": "{\"error\":\"temporarily_unavailable\"}"}}
    })
}

/// Waits for a counter, which is up to 0.1 s late, and holds its value.
fn envoy_counts(envoy: &Envoy, name: &str, expected: u64) {
    thread::sleep(Duration::from_millis(300));
    assert_eq!(envoy.counted(name), expected, "{name}");
}

/// The scenarios: what is sent, and the tokens that the client can get.
fn scenarios(envoy: &Envoy, address: &str) -> Value {
    let url = |listener: &str, path: &str| format!("http://{}{path}", envoy.listener(listener));
    let good = token("orders:read");
    let writer = token("orders:read orders:write");
    let base =
        json!({"method": "GET", "headers": {}, "token": good, "refreshed": good, "scoped": good});
    let scenario = |name: &str, url: String, other: Value| {
        let mut own = base.clone();
        let members = own.as_object_mut().unwrap();
        members.extend([
            ("name".to_owned(), json!(name)),
            ("url".to_owned(), json!(url)),
        ]);
        members.extend(other.as_object().unwrap().clone());
        own
    };
    let post = |scoped: &str| json!({"method": "POST", "body": "{}", "scoped": scoped});
    json!([
        scenario("it passes", url("rules", "/orders/17"), json!({})),
        scenario(
            "a token that is not valid is refreshed",
            url("rules", "/orders/17"),
            json!({"token": "a.b.c"})
        ),
        scenario(
            "only once",
            url("rules", "/orders/17"),
            json!({"token": forged(), "refreshed": forged()})
        ),
        scenario(
            "a scope that is missing is requested",
            url("rules", "/orders"),
            post(&writer)
        ),
        scenario(
            "it is requested only once",
            url("rules", "/orders"),
            post(&good)
        ),
        scenario(
            "nothing is repeated without permission",
            url("rules", "/admin"),
            json!({})
        ),
        scenario(
            "nor a malformed credential",
            url("rules", "/orders/17"),
            json!({"token": "a b"})
        ),
        scenario(
            "nor what the upstream answers",
            url("rules", "/status/503"),
            json!({})
        ),
        scenario(
            "a blocked client waits",
            url("throttled", "/orders/17"),
            json!({"token": forged(), "headers": {"x-forwarded-for": address}})
        ),
        scenario(
            "a client waits for the issuer",
            url("down", "/orders/17"),
            json!({})
        )
    ])
}

/// What each of the scenarios leads to.
fn expected() -> Vec<Value> {
    let outcome = |name: &str, status: u16, asked: &[&str]| json!({"name": name, "status": status, "asked": asked});
    vec![
        outcome("it passes", 200, &["token"]),
        outcome(
            "a token that is not valid is refreshed",
            200,
            &["token", "refresh"],
        ),
        outcome("only once", 401, &["token", "refresh"]),
        outcome(
            "a scope that is missing is requested",
            200,
            &["token", "scope orders:write"],
        ),
        outcome(
            "it is requested only once",
            403,
            &["token", "scope orders:write"],
        ),
        outcome("nothing is repeated without permission", 403, &["token"]),
        outcome("nor a malformed credential", 400, &["token"]),
        outcome("nor what the upstream answers", 503, &["token"]),
        outcome("a blocked client waits", 200, &["token", "refresh"]),
        outcome("a client waits for the issuer", 200, &["token"]),
    ]
}

/// Runs a client to its end; a line for each scenario.
fn play(client: &str, scenarios: &Value) -> Vec<Value> {
    let folder = TempDir::new().unwrap();
    let mut command = prepare(client, folder.path());
    command.env("SCENARIOS", scenarios.to_string());
    let ended = command.stdin(Stdio::null()).output();
    let ended = ended.unwrap_or_else(|error| panic!("{command:?} does not run: {error}"));
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(
        ended.status.success(),
        "{client}: {said}{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    said.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The program of a client, made of the page's block and its driver.
fn prepare(client: &str, folder: &Path) -> Command {
    let drivers = in_repository("tests/clients/documented");
    let copy = |name: &str, to: &str| {
        fs::copy(drivers.join(name), folder.join(to)).unwrap();
    };
    let (block, mut command) = match client {
        "fetch" | "axios" => {
            copy("play.mjs", "play.mjs");
            copy(&format!("{client}.driver.mjs"), "driver.mjs");
            let packages = in_repository("tests/clients/node_modules");
            assert!(
                packages.join("axios").exists(),
                "the clients' packages are not there: `make test-all` fetches them"
            );
            std::os::unix::fs::symlink(packages, folder.join("node_modules")).unwrap();
            let mut node = Command::new("node");
            node.arg("driver.mjs");
            (format!("javascript {client}.mjs"), node)
        }
        "python" => {
            copy("driver.py", "driver.py");
            let mut python = Command::new(python());
            python.arg("driver.py");
            ("python client.py".to_owned(), python)
        }
        _ => {
            copy("driver.go", "main.go");
            fs::write(folder.join("go.mod"), "module documented\n\ngo 1.19\n").unwrap();
            let mut go = Command::new("go");
            go.args(["run", "."])
                .env("GOTOOLCHAIN", "local")
                .env("GOFLAGS", "-mod=mod");
            ("go client/client.go".to_owned(), go)
        }
    };
    let (_, file) = block.split_once(' ').unwrap();
    let file = folder.join(file);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, code(&block.replace("client/", ""))).unwrap();
    command.current_dir(folder);
    command
}

/// The code block of the page with this info string.
fn code(info: &str) -> String {
    let page = fs::read_to_string(in_repository(PAGE)).unwrap();
    let (_, rest) = page
        .split_once(&format!("```{info}\n"))
        .unwrap_or_else(|| panic!("{PAGE} has no block `{info}`"));
    rest.split_once("```").unwrap().0.to_owned()
}

/// A token whose signature is wrong.
fn forged() -> String {
    let good = token("orders:read");
    let (signed, _) = good.rsplit_once('.').unwrap();
    format!("{signed}.{}", "A".repeat(86))
}

fn rules() -> Value {
    json!({
        "realm": "orders",
        "providers": [provider()],
        "rules": [
            {"name": "read", "match": {"paths": ["/orders/**"], "methods": ["GET"]}, "require": {"scopes": ["orders:read"]}},
            {"name": "write", "match": {"paths": ["/orders/**"]}, "require": {"scopes": ["orders:write"]}},
            {"name": "admin", "match": {"paths": ["/admin/**"]}, "require": {"roles": ["admin"]}},
            {"name": "status", "match": {"paths": ["/status/**"]}}
        ]
    })
}

fn throttled() -> Value {
    let mut document = rules();
    document["throttle"] = json!({"failures": 1, "window": "1m", "block": "2s"});
    document
}

fn with_fetched_keys() -> Value {
    let mut document = rules();
    document["providers"][0]["jwt"]["jwks"] =
        json!({"remote": {"uri": "http://127.0.0.1/jwks", "cluster": "issuer", "timeout": "1s"}});
    document
}
