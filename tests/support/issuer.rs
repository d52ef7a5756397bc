//! An issuer of the tests' own: pages over HTTP/1.1 that can be changed, held back, broken and counted.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle, sleep};
use std::time::Duration;

use countersign::mint::SigningKey;
use serde_json::{Value, json};

/// How long a page that never comes keeps its connection.
const NEVER: Duration = Duration::from_secs(60);

/// What comes back for a path.
#[derive(Debug, Clone)]
pub struct Page {
    kind: Kind,
    /// It comes once this says so.
    gate: Option<Gate>,
    /// What comes instead where a header of the request does not contain a text.
    requires: Vec<(&'static str, &'static str, Page)>,
}

/// Holds pages back until it is opened.
#[derive(Debug, Clone, Default)]
pub struct Gate(Arc<AtomicBool>);

impl Gate {
    /// What was held back comes now, and what is asked for from now on.
    pub fn open(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn wait(&self) {
        while !self.0.load(Ordering::SeqCst) {
            sleep(Duration::from_millis(2));
        }
    }
}

#[derive(Debug, Clone)]
enum Kind {
    Answer {
        status: u16,
        headers: Vec<(&'static str, &'static str)>,
        body: Vec<u8>,
    },
    /// The connection is closed without an answer.
    Closed,
    /// No answer ever comes.
    Silence,
}

impl Page {
    /// A JSON document.
    pub fn json(value: &Value) -> Self {
        Self::bytes(value.to_string())
    }

    /// The public halves of these keys.
    pub fn keys(keys: &[&SigningKey]) -> Self {
        let keys: Vec<Value> = keys.iter().map(|key| key.public_jwk()).collect();
        Self::json(&json!({ "keys": keys }))
    }

    /// Any content.
    pub fn bytes(body: impl Into<Vec<u8>>) -> Self {
        Self::of(Kind::Answer {
            status: 200,
            headers: Vec::new(),
            body: body.into(),
        })
    }

    /// Nothing but a status.
    pub fn status(status: u16) -> Self {
        Self::of(Kind::Answer {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        })
    }

    /// The connection is closed without an answer.
    pub fn closed() -> Self {
        Self::of(Kind::Closed)
    }

    /// No answer ever comes.
    pub fn silence() -> Self {
        Self::of(Kind::Silence)
    }

    /// The response of an authorization server, if the request is one of the client `gate` with the secret `s+cret/%`
    /// (RFC 7662 §2.1).
    pub fn introspection(answer: &Value) -> Self {
        let page = match answer.as_u64().map(u16::try_from) {
            Some(status) => Self::status(status.expect("a status")),
            None => Self::json(answer),
        };
        let form = "application/x-www-form-urlencoded";
        page.requiring(":method", "POST", Self::status(405))
            .requiring("content-type", form, Self::status(415))
            .requiring("accept", "application/json", Self::status(406))
            // `gate:s%2Bcret%2F%25`, since the secret is form-encoded first (RFC 6749 §2.3.1).
            .requiring(
                "authorization",
                "Basic Z2F0ZTpzJTJCY3JldCUyRiUyNQ==",
                Self::status(401),
            )
    }

    /// The same, once the gate is open.
    pub fn behind(self, gate: &Gate) -> Self {
        Self {
            gate: Some(gate.clone()),
            ..self
        }
    }

    /// The same with one more header.
    pub fn with(mut self, name: &'static str, value: &'static str) -> Self {
        if let Kind::Answer { headers, .. } = &mut self.kind {
            headers.push((name, value));
        }
        self
    }

    /// The same where a header of the request contains a text, else another page.
    pub fn requiring(mut self, name: &'static str, text: &'static str, otherwise: Page) -> Self {
        self.requires.push((name, text, otherwise));
        self
    }

    /// This page, or the one that comes in its place.
    fn for_request(self, headers: &[(String, String)]) -> Self {
        let has = |name: &str, text: &str| {
            let mut values = headers.iter().filter(|(own, _)| own == name);
            values.any(|(_, value)| value.contains(text))
        };
        let missing = self
            .requires
            .iter()
            .find(|(name, text, _)| !has(name, text));
        match missing {
            Some((_, _, otherwise)) => otherwise.clone(),
            None => self,
        }
    }

    fn of(kind: Kind) -> Self {
        Self {
            kind,
            gate: None,
            requires: Vec::new(),
        }
    }
}

/// A running issuer; it ends with this value.
pub struct Issuer {
    address: Ipv4Addr,
    port: u16,
    pages: Arc<Mutex<Pages>>,
    running: Option<Running>,
}

#[derive(Default)]
struct Pages {
    by_path: BTreeMap<String, Page>,
    asked: Vec<String>,
    /// The bodies of requests, with their paths.
    received: Vec<(String, Vec<u8>)>,
    stopped: bool,
}

struct Running {
    thread: JoinHandle<()>,
}

impl Issuer {
    /// Starts one without any page, on a free port of 127.0.0.1.
    pub fn start() -> Self {
        Self::start_at(Ipv4Addr::LOCALHOST, 0)
    }

    /// Starts one without any page at this address.
    pub fn start_at(address: Ipv4Addr, port: u16) -> Self {
        let mut issuer = Self {
            address,
            port,
            pages: Arc::default(),
            running: None,
        };
        issuer.start_again();
        issuer
    }

    /// Starts one whose keys are at `/jwks`.
    pub fn with_keys(keys: &[&SigningKey]) -> Self {
        let issuer = Self::start();
        issuer.serve("/jwks", Page::keys(keys));
        issuer
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of a page.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// From now on a path has this page. `/introspect xyzzy` is the page of `/introspect` for a form with the token `xyzzy`.
    pub fn serve(&self, path: &str, page: Page) {
        locked(&self.pages).by_path.insert(path.to_owned(), page);
    }

    /// How often a path was asked for, or a path with a token.
    pub fn asked(&self, path: &str) -> usize {
        let pages = locked(&self.pages);
        pages.asked.iter().filter(|asked| *asked == path).count()
    }

    /// The bodies that came to a path.
    pub fn received(&self, path: &str) -> Vec<Vec<u8>> {
        let pages = locked(&self.pages);
        let own = pages.received.iter().filter(|(own, _)| own == path);
        own.map(|(_, body)| body.clone()).collect()
    }

    /// Nobody listens any more.
    pub fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            locked(&self.pages).stopped = true;
            // Wakes the one who waits for a connection.
            let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
            let _ = running.thread.join();
        }
    }

    /// Listens again, on the same port.
    pub fn start_again(&mut self) {
        assert!(self.running.is_none(), "the issuer runs already");
        let listener = TcpListener::bind((self.address, self.port)).expect("a port");
        self.port = listener
            .local_addr()
            .map_or(0, |own| SocketAddr::port(&own));
        locked(&self.pages).stopped = false;
        let pages = Arc::clone(&self.pages);
        let thread = thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if locked(&pages).stopped {
                    return;
                }
                let pages = Arc::clone(&pages);
                thread::spawn(move || answer(stream, &pages));
            }
        });
        self.running = Some(Running { thread });
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn locked(pages: &Mutex<Pages>) -> MutexGuard<'_, Pages> {
    pages.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers one request and closes. A client that went away is no fault.
fn answer(mut stream: TcpStream, pages: &Mutex<Pages>) {
    let Ok(request) = read_request(&mut stream) else {
        return;
    };
    let Asked {
        path,
        headers,
        token,
        body,
    } = request;
    let page = {
        let mut pages = locked(pages);
        pages.asked.push(path.clone());
        pages.received.push((path.clone(), body));
        let own = token.map(|token| format!("{path} {token}"));
        pages.asked.extend(own.clone());
        let own = own.and_then(|own| pages.by_path.get(&own));
        own.or_else(|| pages.by_path.get(&path)).cloned()
    };
    let page = page.unwrap_or_else(|| Page::status(404));
    let page = page.for_request(&headers);
    if let Some(gate) = &page.gate {
        gate.wait();
    }
    match page.kind {
        Kind::Closed => {}
        Kind::Silence => sleep(NEVER),
        Kind::Answer {
            status,
            headers,
            body,
        } => {
            let headers = headers.iter();
            let headers: String = headers
                .map(|(name, value)| format!("{name}: {value}\r\n"))
                .collect();
            let head = format!(
                "HTTP/1.1 {status} Answer\r\ncontent-type: application/json\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(&[head.as_bytes(), &body].concat());
        }
    }
    let _ = stream.shutdown(Shutdown::Both);
}

/// What a request asks for.
struct Asked {
    path: String,
    /// The headers, and `:method`.
    headers: Vec<(String, String)>,
    /// The `token` of a form.
    token: Option<String>,
    body: Vec<u8>,
}

fn read_request(stream: &mut TcpStream) -> io::Result<Asked> {
    let mut bytes = Vec::new();
    let mut block = [0; 4096];
    loop {
        let mut fields = [httparse::EMPTY_HEADER; 64];
        let mut head = httparse::Request::new(&mut fields);
        match head.parse(&bytes) {
            Ok(httparse::Status::Complete(length)) => {
                let headers = head.headers.iter().map(|header| {
                    let value = String::from_utf8_lossy(header.value).into_owned();
                    (header.name.to_ascii_lowercase(), value)
                });
                let mut headers: Vec<_> = headers.collect();
                let content = headers.iter().find(|(name, _)| name == "content-length");
                let content = content.map_or(0, |(_, length)| length.parse().unwrap_or(0));
                if bytes.len() >= length + content {
                    let method = head.method.unwrap_or_default().to_owned();
                    headers.push((":method".to_owned(), method));
                    let mut form = form_urlencoded::parse(&bytes[length..]);
                    return Ok(Asked {
                        path: head.path.unwrap_or_default().to_owned(),
                        headers,
                        token: form
                            .find(|(name, _)| name == "token")
                            .map(|(_, token)| token.into_owned()),
                        body: bytes[length..].to_vec(),
                    });
                }
            }
            Ok(httparse::Status::Partial) => {}
            Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        }
        match stream.read(&mut block)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            length => bytes.extend_from_slice(&block[..length]),
        }
    }
}
