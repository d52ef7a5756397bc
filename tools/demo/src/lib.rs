//! The situations that `make demo` and the page play: requests to an Envoy with the configurations of `envoy/`, and the
//! expected responses.
#![allow(clippy::restriction, reason = "a demo may panic")]
#![allow(missing_docs, reason = "a library of two programs in this repository")]

pub mod certificates;
mod credentials;
mod proofs;
mod rules;
pub mod situation;
pub mod support;

use std::net::{SocketAddr, TcpListener};

use serde_json::{Value, json};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use self::situation::Situation;
use support::example::{self, Mint};

/// The port of the listener in the example.
pub const LISTENER: u16 = 10000;
/// The port of the admin interface in the example.
pub const ADMIN: u16 = 9901;

/// Situations of one listener.
pub struct Group {
    /// What the situations are about, in words.
    pub what: &'static str,
    /// The name of the listener.
    pub listener: &'static str,
    pub situations: Vec<Situation>,
}

/// Every situation that the demo plays.
pub fn groups(mint: &Mint) -> [Group; 4] {
    let group = |what, listener, situations| Group {
        what,
        listener,
        situations,
    };
    [
        group("rules", "public", rules::situations(mint)),
        group(
            "kinds of credentials",
            "credentials",
            credentials::situations(mint),
        ),
        group("proofs of possession", "proofs", proofs::situations(mint)),
        group(
            "client certificates",
            "certificates",
            certificates::situations(mint),
        ),
    ]
}

/// Writes tokens to files of the folder `tokens`, and prints where.
pub fn write_tokens(mint: &Mint) {
    example::write_tokens(&support::in_repository("tokens"), mint);
    let names = example::TOKENS.map(|name| format!("tokens/{name}.jwt"));
    println!("==> wrote {}; they are valid for a day", names.join(", "));
}

/// The port, or 0 (any port) if it is in use.
pub fn free_or(port: u16) -> u16 {
    TcpListener::bind(("127.0.0.1", port)).map_or(0, |_| port)
}

/// Sets the ports of a bootstrap.
pub fn listen(bootstrap: &mut Value, listener: u16, admin: u16) {
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

/// The header with a token of `tokens/`, as a shell reads it in double quotes.
pub const READER: &str = "authorization: Bearer $(cat tokens/reader.jwt)";

/// Prints requests to paste into another terminal.
pub fn print_requests(server: SocketAddr, admin: SocketAddr) {
    println!(
        "==> Envoy listens on {server}. Requests to paste into another terminal, in this folder:\n"
    );
    println!("# public\ncurl -i http://{server}/healthz\n");
    println!("# 401: no credential\ncurl -i http://{server}/orders/17\n");
    for (what, token, request) in [
        ("200: alice may read orders", "reader", "/orders/17"),
        (
            "403: alice may not write orders",
            "reader",
            "/orders/17 -X POST",
        ),
        ("401: the token is expired", "expired", "/orders/17"),
        ("200: olga is an operator", "operator", "/admin/users"),
    ] {
        let header = READER.replace("reader", token);
        println!("# {what}\ncurl -i http://{server}{request} -H \"{header}\"\n");
    }
    println!("# the metrics\ncurl -s http://{admin}/stats/prometheus | grep ^countersign_\n");
    println!("==> the access log follows; press Ctrl-C to stop Envoy");
}

/// Returns after Ctrl-C or SIGTERM.
pub fn wait_for_signal() {
    let mut signals = Signals::new([SIGINT, SIGTERM]).expect("signals can be waited for");
    let _ = signals.forever().next();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The README says how many requests the demo sends.
    #[test]
    fn the_readme_counts_the_requests() {
        let sent: usize = groups(&Mint::new())
            .iter()
            .map(|group| group.situations.len())
            .sum();
        let readme = std::fs::read_to_string(support::in_repository("README.md")).unwrap();
        assert!(readme.contains(&format!("sends {sent} requests")), "{sent}");
    }
}
