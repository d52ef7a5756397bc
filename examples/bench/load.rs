//! The load: HTTP/1.1 keep-alive connections with one request at a time each.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Under callgrind on a busy machine, a response takes seconds.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Requests that are sent in turn, again from the first after the last, and the status of each response.
pub struct Requests {
    octets: Arc<[Vec<u8>]>,
    status: u16,
    next: AtomicUsize,
}

impl Requests {
    pub fn new(octets: impl Into<Arc<[Vec<u8>]>>, status: u16) -> Self {
        Self {
            octets: octets.into(),
            status,
            next: AtomicUsize::new(0),
        }
    }

    fn next(&self) -> &[u8] {
        &self.octets[self.next.fetch_add(1, Ordering::Relaxed) % self.octets.len()]
    }

    /// Reads the response on a connection.
    ///
    /// # Panics
    /// It does not have the expected status.
    fn receive(&self, connection: &mut TcpStream) {
        assert_eq!(
            read_response(connection),
            self.status,
            "the status of a response"
        );
    }
}

/// Connections that stay open.
pub struct Load {
    /// The connections of each thread. While one thread writes, the requests of the other keep Envoy busy.
    connections: [Vec<TcpStream>; 2],
}

impl Load {
    pub const CONNECTIONS: usize = 32;

    /// Opens the connections.
    pub fn new(server: SocketAddr) -> Self {
        let open = || {
            let stream =
                TcpStream::connect_timeout(&server, TIMEOUT).expect("Envoy takes connections");
            stream.set_nodelay(true).expect("an option of TCP");
            stream
                .set_read_timeout(Some(TIMEOUT))
                .expect("an option of sockets");
            stream
        };
        Self {
            connections: [(); 2].map(|()| (0..Self::CONNECTIONS / 2).map(|_| open()).collect()),
        }
    }

    /// Sends `count` requests over all connections, and reads their responses.
    ///
    /// # Panics
    /// A response does not have the expected status.
    pub fn send(&mut self, requests: &Requests, count: usize) {
        let rounds = count / Self::CONNECTIONS;
        thread::scope(|scope| {
            for connections in &mut self.connections {
                scope.spawn(move || {
                    for _ in 0..rounds {
                        for connection in connections.iter_mut() {
                            connection.write_all(requests.next()).expect("Envoy reads");
                        }
                        for connection in connections.iter_mut() {
                            requests.receive(connection);
                        }
                    }
                });
            }
        });
    }

    /// Sends `count` requests over one connection, one after the other, and returns how long each took.
    ///
    /// # Panics
    /// A response does not have the expected status.
    pub fn times(&mut self, requests: &Requests, count: usize) -> Vec<Duration> {
        let connection = &mut self.connections[0][0];
        let mut one = || {
            let sent = Instant::now();
            connection.write_all(requests.next()).expect("Envoy reads");
            requests.receive(connection);
            sent.elapsed()
        };
        (0..count).map(|_| one()).collect()
    }
}

/// A request with the headers that an API client sends, and these.
pub fn request(path: &str, fields: &[(String, String)]) -> Vec<u8> {
    let mut request = format!(
        "GET {path} HTTP/1.1\r\nhost: orders.example.com\r\nuser-agent: shop/2.4 (linux)\r\naccept: application/json\r\n\
         accept-encoding: gzip, br\r\naccept-language: en\r\n\
         traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"
    );
    for (name, value) in fields {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    request.into_bytes()
}

/// Reads one response with its body, and returns its status.
pub fn read_response(connection: &mut TcpStream) -> u16 {
    let mut buffer = [0; 8 * 1024];
    let mut filled = 0;
    loop {
        let read = connection
            .read(&mut buffer[filled..])
            .expect("Envoy answers");
        assert!(
            read > 0,
            "Envoy closes a connection, or sends too long a response"
        );
        filled += read;
        let mut fields = [httparse::EMPTY_HEADER; 32];
        let mut head = httparse::Response::new(&mut fields);
        let parsed = head.parse(&buffer[..filled]).expect("HTTP");
        let httparse::Status::Complete(length) = parsed else {
            continue;
        };
        let announced = head
            .headers
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case("content-length"));
        let body: usize = announced
            .and_then(|field| std::str::from_utf8(field.value).ok()?.parse().ok())
            .expect("a response says how long it is");
        if filled >= length + body {
            return head.code.expect("a status");
        }
    }
}
