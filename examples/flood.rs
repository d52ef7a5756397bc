//! The fifth part of `make bench`: how long other requests wait during a flood of wrong passwords.
//!
//! A password hash stops its worker, and cannot be interrupted. `hash_budget` limits how often that happens. One Envoy with
//! one worker receives requests with a token, requests of a user whose password is cached, and logins of users whose
//! passwords are not: first alone, then with random wrong passwords of other users.
#![allow(clippy::restriction, reason = "an example may panic")]
#![allow(clippy::disallowed_methods, reason = "it measures time")]

#[allow(dead_code)]
#[path = "bench/load.rs"]
mod load;
#[path = "../tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use base64ct::{Base64, Encoding};
use countersign::authenticate::jose::signature::Algorithm;
use serde_json::{Value, json};

use load::read_response;
use support::envoy::{Bootstrap, Envoy, module_path, wasm_filter};
use support::{now, token};

const ISSUER: &str = "https://login.example.com";
/// The bcrypt cost that `countersign hash password` uses.
const COST: u32 = 10;
/// The users whose passwords are not cached. Each logs in once.
const NEW_USERS: usize = 400;
/// Wrong passwords a second, over so many connections.
const FLOOD: u32 = 2_000;
const FLOOD_CONNECTIONS: u32 = 20;
/// How often each of the others sends a request.
const PAUSE: Duration = Duration::from_millis(5);
const PAUSE_OF_NEW_USERS: Duration = Duration::from_millis(200);
const QUIET: Duration = Duration::from_secs(10);
const FLOODED: Duration = Duration::from_secs(30);
/// The longest that 99 of 100 requests with a token may take during the flood, in milliseconds.
const BOUND: f64 = 60.0;

fn main() -> ExitCode {
    let key = token::read_key("tests/keys/es256.json");
    let claims = json!({"iss": ISSUER, "aud": "orders", "sub": "alice", "exp": now() + 3_600});
    let header = json!({"alg": "ES256", "typ": "JWT", "kid": key.kid()});
    let token = key
        .sign(Algorithm::Es256, &header, claims.to_string().as_bytes())
        .expect("the key serves the algorithm");
    let document = document(&key.public_jwk());
    let answer = json!({
        "match": {"prefix": "/"},
        "direct_response": {"status": 200, "body": {"inline_string": "ok\n"}}
    });
    let filter = wasm_filter("flood", &module_path(), &document);
    let envoy = Envoy::start(Bootstrap::new(1).routed_listener_with("flood", &[filter], &[answer]));
    let server = envoy.listener("flood");

    let bearer = format!("Bearer {token}");
    // The first request pays for the hash, and the second finds it in the cache.
    let cached = basic("cached", "right");
    assert_eq!(Client::new(server).ask(&cached), 200, "the right password");
    let quiet = watch(server, &bearer, &cached, 0, QUIET);
    let is_over = AtomicBool::new(false);
    let (flooded, sent) = thread::scope(|scope| {
        let is_over = &is_over;
        let floods: Vec<_> = (0..FLOOD_CONNECTIONS)
            .map(|number| scope.spawn(move || flood(server, number, is_over)))
            .collect();
        let flooded = watch(server, &bearer, &cached, NEW_USERS / 2, FLOODED);
        is_over.store(true, Ordering::Relaxed);
        let mut sent = BTreeMap::new();
        for flood in floods {
            for (status, count) in flood.join().expect("the flood goes on") {
                *sent.entry(status).or_insert(0_u64) += count;
            }
        }
        (flooded, sent)
    });
    assert!(envoy.alarms().is_empty(), "{:?}", envoy.alarms());
    report(&quiet, &flooded, &sent)
}

fn document(jwk: &Value) -> Value {
    let hash = bcrypt::hash("right", COST).expect("bcrypt hashes");
    let names = (0..NEW_USERS).map(|number| format!("new-{number}"));
    let names = names.chain(["cached".to_owned(), "root".to_owned()]);
    let users: Vec<_> = names
        .map(|name| json!({"name": name, "password": hash}))
        .collect();
    json!({
        "providers": [
            {"name": "corp", "jwt": {"issuer": ISSUER, "audiences": ["orders"], "jwks": {"inline": {"keys": [jwk]}}}},
            {"name": "ops", "basic": {"users": users}}
        ],
        "audit": {"log": "none"}
    })
}

fn basic(user: &str, password: &str) -> String {
    let login = format!("{user}:{password}");
    format!("Basic {}", Base64::encode_string(login.as_bytes()))
}

/// What the others see meanwhile.
struct Seen {
    token: Times,
    cached: Times,
    /// How many new users logged in, and how many received 503.
    logged_in: usize,
    locked_out: usize,
}

/// Response times, in milliseconds, in order.
struct Times(Vec<f64>);

impl Times {
    fn percentile(&self, percent: usize) -> f64 {
        let place = (self.0.len() * percent / 100).min(self.0.len() - 1);
        self.0[place]
    }
}

/// Sends the requests of the others for a time. The new users begin with number `first`.
fn watch(server: SocketAddr, bearer: &str, cached: &str, first: usize, time: Duration) -> Seen {
    let begun = Instant::now();
    let times = |credential: &str| {
        let mut client = Client::new(server);
        let mut times = Vec::new();
        let mut due = Instant::now();
        while begun.elapsed() < time {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            assert_eq!(client.ask(credential), 200, "the credential is right");
            // From the time when it should have been sent: while the worker stops, every request waits, not only the first.
            times.push(due.elapsed().as_secs_f64() * 1_000.0);
            due += PAUSE;
        }
        times.sort_by(f64::total_cmp);
        Times(times)
    };
    let new_users = || {
        let mut client = Client::new(server);
        let (mut logged_in, mut locked_out) = (0, 0);
        for number in first..first + NEW_USERS / 2 {
            if begun.elapsed() >= time {
                break;
            }
            match client.ask(&basic(&format!("new-{number}"), "right")) {
                200 => logged_in += 1,
                503 => locked_out += 1,
                other => panic!("a new user receives {other}"),
            }
            thread::sleep(PAUSE_OF_NEW_USERS);
        }
        (logged_in, locked_out)
    };
    thread::scope(|scope| {
        let cached = scope.spawn(|| times(cached));
        let new_users = scope.spawn(new_users);
        let token = times(bearer);
        let (logged_in, locked_out) = new_users.join().expect("new users log in");
        Seen {
            token,
            cached: cached.join().expect("the cached user asks"),
            logged_in,
            locked_out,
        }
    })
}

/// Sends wrong passwords until it is over, half of them for a user that exists. Returns the number of each status.
fn flood(server: SocketAddr, number: u32, is_over: &AtomicBool) -> BTreeMap<u16, u64> {
    let mut client = Client::new(server);
    let mut statuses = BTreeMap::new();
    let step = Duration::from_secs(1) / (FLOOD / FLOOD_CONNECTIONS);
    let mut due = Instant::now();
    for attempt in 0_u64.. {
        if is_over.load(Ordering::Relaxed) {
            break;
        }
        let user = if attempt % 2 == 0 { "root" } else { "nobody" };
        let status = client.ask(&basic(user, &format!("wrong-{number}-{attempt}")));
        *statuses.entry(status).or_insert(0) += 1;
        due += step;
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    statuses
}

/// A connection that stays open.
struct Client(TcpStream);

impl Client {
    fn new(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).expect("Envoy takes connections");
        stream.set_nodelay(true).expect("an option of TCP");
        Self(stream)
    }

    fn ask(&mut self, authorization: &str) -> u16 {
        let request = format!(
            "GET /orders HTTP/1.1\r\nhost: orders.example.com\r\nauthorization: {authorization}\r\n\r\n"
        );
        self.0.write_all(request.as_bytes()).expect("Envoy reads");
        read_response(&mut self.0)
    }
}

fn report(quiet: &Seen, flooded: &Seen, sent: &BTreeMap<u16, u64>) -> ExitCode {
    println!(
        "bcrypt with cost {COST}, one worker, `hash_budget` at its default; {FLOOD} wrong passwords a second for {} s.",
        FLOODED.as_secs()
    );
    println!();
    println!("| response time in ms | p50 | p99 | most |");
    println!("|---|--:|--:|--:|");
    for (what, times) in [
        ("a token, without the flood", &quiet.token),
        ("a token, during the flood", &flooded.token),
        ("a cached user, without the flood", &quiet.cached),
        ("a cached user, during the flood", &flooded.cached),
    ] {
        let [half, most_of, most] = [50, 99, 100].map(|percent| times.percentile(percent));
        println!("| {what} | {half:.1} | {most_of:.1} | {most:.1} |");
    }
    println!();
    for (when, seen) in [("without", quiet), ("during", flooded)] {
        let all = seen.logged_in + seen.locked_out;
        println!(
            "First logins {when} the flood: {} of {all} succeeded, {} received 503.",
            seen.logged_in, seen.locked_out
        );
    }
    let sent: Vec<_> = sent
        .iter()
        .map(|(status, count)| format!("{count} received {status}"))
        .collect();
    println!("Wrong passwords: {}.", sent.join(", "));
    let p99 = flooded.token.percentile(99);
    if p99 > BOUND {
        eprintln!(
            "error: the p99 of requests with a token is {p99:.1} ms: expected at most {BOUND} ms"
        );
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
