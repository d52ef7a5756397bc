//! The servers that `envoy/credentials.yaml` and the policies of the README ask, in one: an authorization server that
//! introspects opaque tokens (RFC 7662), and the list of the partners' keys.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;

use base64ct::{Base64, Encoding as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The client secret of the filter at the authorization server.
pub const GATE_SECRET: &str = "secret-of-the-gate";
/// The header without which the list of keys is not served.
pub const KEYS_AUTHORIZATION: &str = "Bearer reader-of-the-list";
/// A key of the list, which may read orders.
pub const PARTNER_KEY: &str = "acme-7Qm2xV9kLw";

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

/// The list of keys, as it is fetched.
pub fn keys() -> Value {
    let digest = Sha256::digest(PARTNER_KEY);
    let digest: String = digest.iter().map(|octet| format!("{octet:02x}")).collect();
    json!({"keys": [{"id": "acme", "sha256": digest, "scopes": ["orders:read"]}]})
}

/// Answers one request and closes.
fn answer(mut stream: TcpStream) -> io::Result<()> {
    let (head, body) = read(&mut stream)?;
    let has = |name: &str, value: &str| head.contains(&format!("\r\n{name}: {value}\r\n"));
    let (status, content) = if head.starts_with("GET /keys ") {
        match has("authorization", KEYS_AUTHORIZATION) {
            true => (200, keys()),
            false => (401, json!({})),
        }
    } else {
        let login = Base64::encode_string(format!("gate:{GATE_SECRET}").as_bytes());
        let mut parameters = body.split('&');
        let token = parameters.find_map(|parameter| parameter.strip_prefix("token="));
        match has("authorization", &format!("Basic {login}")) {
            true => (200, introspected(token.unwrap_or_default())),
            false => (401, json!({})),
        }
    };
    let content = content.to_string();
    let length = content.len();
    write!(
        stream,
        "HTTP/1.1 {status} Answer\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{content}"
    )
}

/// The head of a request, and its body of `content-length` bytes.
fn read(stream: &mut TcpStream) -> io::Result<(String, String)> {
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
                return Ok((format!("{head}\r\n"), body.to_owned()));
            }
        }
        match stream.read(&mut block)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => received.extend_from_slice(&block[..read]),
        }
    }
}
