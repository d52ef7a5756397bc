//! An authorization server that introspects three opaque tokens (RFC 7662), for the policies of the README and the demo.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;

use serde_json::{Value, json};

/// A running server on a free port of 127.0.0.1. Its thread ends with the process.
pub struct AuthorizationServer {
    port: u16,
}

impl AuthorizationServer {
    /// Starts one.
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener
            .local_addr()
            .map_or(0, |own| SocketAddr::port(&own));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that went away is no fault.
                let _ = answer(stream);
            }
        });
        Self { port }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// What it says of a token (RFC 7662 §2.2).
pub fn introspected(token: &str) -> Value {
    let active = |subject, scope| json!({"active": true, "sub": subject, "scope": scope});
    match token {
        "opaque-token-of-alice" => active("alice", "orders:read"),
        "opaque-token-of-bob" => active("bob", "invoices:read"),
        _ => json!({"active": false}),
    }
}

/// Answers one request and closes.
fn answer(mut stream: TcpStream) -> io::Result<()> {
    let body = read_body(&mut stream)?;
    let mut parameters = body.split('&');
    let token = parameters.find_map(|parameter| parameter.strip_prefix("token="));
    let content = introspected(token.unwrap_or_default()).to_string();
    let length = content.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{content}"
    )
}

/// The body of a request with a `content-length`.
fn read_body(stream: &mut TcpStream) -> io::Result<String> {
    let mut received = Vec::new();
    let mut block = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&received);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let lengths = head
                .lines()
                .filter_map(|line| line.strip_prefix("content-length: "));
            let length = lengths.filter_map(|length| length.parse().ok()).next();
            if body.len() >= length.unwrap_or(0) {
                return Ok(body.to_owned());
            }
        }
        match stream.read(&mut block)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => received.extend_from_slice(&block[..read]),
        }
    }
}
