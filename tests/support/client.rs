//! An HTTP/1.1 client that sends exactly the bytes it is given: one request a connection, or many.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use super::certificate::Certificate;
use super::{leaks, tls};

// Long enough for a machine that does other things too.
const TIMEOUT: Duration = Duration::from_secs(120);

/// A request, byte for byte.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    pub method: &'a [u8],
    pub target: &'a [u8],
    pub headers: Vec<(&'a [u8], &'a [u8])>,
    pub body: &'a [u8],
}

impl<'a> Request<'a> {
    /// A request of texts, without a body: its host, and then these fields.
    pub fn of(
        method: &'a str,
        target: &'a str,
        host: &'a str,
        fields: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let all = [("host", host)].into_iter().chain(fields);
        Self {
            method: method.as_bytes(),
            target: target.as_bytes(),
            headers: all
                .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
                .collect(),
            body: b"",
        }
    }
}

/// A response: names in lower case, fields in order, repeats kept.
#[derive(Debug, Clone, Default)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

impl Response {
    /// Every value of a field.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.headers
            .iter()
            .filter(move |(own, _)| own == name)
            .map(|(_, value)| value.as_slice())
    }
}

/// Sends a request and reads the response: no further than its end, since Envoy closes a second after it.
///
/// # Errors
/// The connection fails, times out or ends early, or what comes back is not HTTP.
pub fn send(server: SocketAddr, request: &Request<'_>) -> io::Result<Response> {
    let mut stream = connect(server, TIMEOUT)?;
    let to_head = request.method == b"HEAD";
    exchange(&mut stream, &to_bytes(request), to_head).map_err(|broken| broken.error)
}

/// As [`send`], over TLS, by a client with this certificate or without any.
///
/// # Errors
/// As for [`send`]. The server has refused the certificate.
pub fn send_over_tls(
    server: SocketAddr,
    request: &Request<'_>,
    certificate: Option<&Certificate>,
) -> io::Result<Response> {
    send_over_tls_within(TIMEOUT, server, request, certificate)
}

/// As [`send_over_tls`], which waits no longer than this for each step.
///
/// # Errors
/// As for [`send_over_tls`].
pub fn send_over_tls_within(
    timeout: Duration,
    server: SocketAddr,
    request: &Request<'_>,
    certificate: Option<&Certificate>,
) -> io::Result<Response> {
    let client = tls::Client::new(certificate);
    let mut stream = client.connect(connect(server, timeout)?)?;
    send_on(&mut stream, request)
}

/// A TLS connection of a client, for [`send_on`].
///
/// # Errors
/// The connection fails, or times out.
pub fn connect_over_tls(server: SocketAddr, client: &tls::Client) -> io::Result<tls::Stream> {
    client.connect(connect(server, TIMEOUT)?)
}

/// As [`send`], on an open connection.
///
/// # Errors
/// As for [`send`].
pub fn send_on(stream: &mut (impl Read + Write), request: &Request<'_>) -> io::Result<Response> {
    let to_head = request.method == b"HEAD";
    exchange(stream, &to_bytes(request), to_head).map_err(|broken| broken.error)
}

fn connect(server: SocketAddr, timeout: Duration) -> io::Result<TcpStream> {
    with_timeouts(TcpStream::connect_timeout(&server, timeout)?, timeout)
}

fn connect_from(address: Ipv4Addr, server: SocketAddr, timeout: Duration) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((address, 0)).into())?;
    socket.connect_timeout(&server.into(), timeout)?;
    with_timeouts(socket.into(), timeout)
}

fn with_timeouts(stream: TcpStream, timeout: Duration) -> io::Result<TcpStream> {
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(timeout))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Why there is no response.
struct Broken {
    error: io::Error,
    /// Whether the server closed the connection without a byte.
    is_silent: bool,
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self {
            error,
            is_silent: false,
        }
    }
}

/// Sends the bytes of a request and reads the response, no further than its end.
fn exchange(
    stream: &mut (impl Read + Write),
    request: &[u8],
    to_head: bool,
) -> Result<Response, Broken> {
    leaks::of_sent(request);
    // A server that refuses a long head answers before it has read all of it, and closes.
    let sent = stream.write_all(request);
    read_response(stream, sent, to_head)
}

/// Reads a response, no further than its end. `sent` says whether its request was sent.
fn read_response(
    stream: &mut impl Read,
    sent: io::Result<()>,
    to_head: bool,
) -> Result<Response, Broken> {
    let mut answer = Vec::new();
    let mut block = [0; 16 * 1024];
    loop {
        if let Some(response) = parse(&answer, to_head, false)? {
            return Ok(response);
        }
        match stream.read(&mut block) {
            Ok(0) if answer.is_empty() => {
                return Err(Broken {
                    error: sent
                        .err()
                        .unwrap_or_else(|| invalid("closed without a response")),
                    is_silent: true,
                });
            }
            Ok(0) => {
                let response = parse(&answer, to_head, true)?;
                return Ok(response.ok_or_else(|| invalid("the response is cut off"))?);
            }
            Ok(length) => answer.extend_from_slice(&block[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                let is_reset = error.kind() == io::ErrorKind::ConnectionReset;
                return Err(Broken {
                    is_silent: is_reset && answer.is_empty(),
                    error,
                });
            }
        }
    }
}

/// A connection that stays open from one request to the next, and is opened again where the server has closed it.
pub struct Connection {
    server: SocketAddr,
    /// The client's own address, where it is not the one that the system chooses.
    from: Option<Ipv4Addr>,
    timeout: Duration,
    stream: Option<TcpStream>,
}

impl Connection {
    /// A connection that waits no longer than this for each answer.
    pub fn new(server: SocketAddr, timeout: Duration) -> Self {
        Self {
            server,
            from: None,
            timeout,
            stream: None,
        }
    }

    /// The same from another address of this machine.
    pub fn from(self, address: Ipv4Addr) -> Self {
        Self {
            from: Some(address),
            ..self
        }
    }

    /// The client's own address. Opens the connection if it is not open.
    ///
    /// # Errors
    /// The connection cannot be opened.
    pub fn own_address(&mut self) -> io::Result<IpAddr> {
        let stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.open()?,
        };
        Ok(self.stream.insert(stream).local_addr()?.ip())
    }

    /// Sends the bytes of one request and reads its response.
    ///
    /// # Errors
    /// As for [`send`]. The next request then opens another connection.
    pub fn ask(&mut self, request: &[u8]) -> io::Result<Response> {
        if let Some(stream) = self.stream.take() {
            match self.ask_over(stream, request) {
                // The server has closed a connection that was idle.
                Err(broken) if broken.is_silent => {}
                answered => return answered.map_err(|broken| broken.error),
            }
        }
        let stream = self.open()?;
        self.ask_over(stream, request)
            .map_err(|broken| broken.error)
    }

    /// Sends a request over each of several connections. After all are sent, calls `then`, and reads the responses.
    ///
    /// # Errors
    /// As for [`send`], also if the server has closed a connection.
    pub fn ask_at_once(
        requests: &mut [(&mut Self, &[u8])],
        then: impl FnOnce(),
    ) -> io::Result<Vec<Response>> {
        requests
            .iter()
            .for_each(|(_, request)| leaks::of_sent(request));
        let mut streams = Vec::new();
        for (connection, request) in &mut *requests {
            let mut stream = match connection.stream.take() {
                Some(stream) => stream,
                None => connection.open()?,
            };
            stream.write_all(request)?;
            streams.push(stream);
        }
        then();
        let each = requests.iter_mut().zip(streams);
        each.map(|((connection, _), mut stream)| {
            let response =
                read_response(&mut stream, Ok(()), false).map_err(|broken| broken.error)?;
            connection.keep(stream, &response);
            Ok(response)
        })
        .collect()
    }

    fn open(&self) -> io::Result<TcpStream> {
        match self.from {
            None => connect(self.server, self.timeout),
            Some(address) => connect_from(address, self.server, self.timeout),
        }
    }

    fn ask_over(&mut self, mut stream: TcpStream, request: &[u8]) -> Result<Response, Broken> {
        let to_head = request.starts_with(b"HEAD ");
        let response = exchange(&mut stream, request, to_head)?;
        self.keep(stream, &response);
        Ok(response)
    }

    fn keep(&mut self, stream: TcpStream, response: &Response) {
        self.stream = stays_open(response).then_some(stream);
    }
}

/// Whether another request may follow on the connection of a response (RFC 9112 §9.3).
fn stays_open(response: &Response) -> bool {
    let mut options = response.values("connection");
    let is_framed = matches!(response.status, 204 | 304)
        || ["content-length", "transfer-encoding"]
            .iter()
            .any(|name| response.values(name).next().is_some());
    is_framed && !options.any(|option| option.eq_ignore_ascii_case(b"close"))
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

/// A request as it is sent; without another `connection`, it is the last one of its connection.
pub fn to_bytes(request: &Request<'_>) -> Vec<u8> {
    let mut bytes = [request.method, b" ", request.target, b" HTTP/1.1\r\n"].concat();
    for (name, value) in &request.headers {
        bytes.extend_from_slice(&[name, &b": "[..], value, b"\r\n"].concat());
    }
    if !request.body.is_empty() {
        bytes.extend_from_slice(format!("content-length: {}\r\n", request.body.len()).as_bytes());
    }
    // An upgrade has a field of its own; whoever reads the response closes anyway.
    let is_own = |(name, _): &(&[u8], &[u8])| name.eq_ignore_ascii_case(b"connection");
    if !request.headers.iter().any(is_own) {
        bytes.extend_from_slice(b"connection: close\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(request.body);
    bytes
}

/// The response, if it is whole; `closed` says that nothing more will come.
fn parse(answer: &[u8], to_head: bool, closed: bool) -> io::Result<Option<Response>> {
    let mut fields = [httparse::EMPTY_HEADER; 128];
    let mut head = httparse::Response::new(&mut fields);
    let length = match head.parse(answer) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(invalid(&error.to_string())),
    };
    let mut response = Response {
        status: head.code.unwrap_or_default(),
        headers: head
            .headers
            .iter()
            .map(|field| (field.name.to_ascii_lowercase(), field.value.to_vec()))
            .collect(),
        body: Vec::new(),
    };
    let rest = &answer[length..];
    let announced = match response.values("content-length").next() {
        None => None,
        Some(value) => Some(
            std::str::from_utf8(value)
                .ok()
                .and_then(|value| value.parse::<usize>().ok())
                .ok_or_else(|| invalid("content-length is no number"))?,
        ),
    };
    let body = if to_head || matches!(response.status, 204 | 304) {
        // What follows a response that has no body is there for the case to find.
        Some(rest.to_vec())
    } else if response
        .values("transfer-encoding")
        .any(|value| value == b"chunked")
    {
        unchunk(rest)
    } else if let Some(announced) = announced {
        (rest.len() >= announced).then(|| rest.to_vec())
    } else {
        closed.then(|| rest.to_vec())
    };
    Ok(body.map(|body| {
        response.body = body;
        response
    }))
}

/// The content of a chunked body, if it is whole.
fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let Ok(httparse::Status::Complete((start, size))) = httparse::parse_chunk_size(rest) else {
            return None;
        };
        let size = usize::try_from(size).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(start..start + size)?);
        rest = rest.get(start + size + 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_keeps_repeated_fields_in_order() {
        let answer = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: A\r\nx: \xff\r\nwww-authenticate: B\r\ncontent-length: 2\r\n\r\nhi";
        let response = parse(answer, false, false)
            .unwrap()
            .expect("a whole response");
        assert_eq!(response.status, 401);
        assert_eq!(
            response.values("www-authenticate").collect::<Vec<_>>(),
            [b"A", b"B"]
        );
        assert_eq!(response.values("x").next(), Some(&b"\xff"[..]));
        assert_eq!(response.body, b"hi");
    }

    #[test]
    fn a_body_that_is_cut_off_is_no_response() {
        let is_whole = |answer: &[u8], to_head| parse(answer, to_head, true).unwrap().is_some();
        assert!(!is_whole(
            b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nhi",
            false
        ));
        assert!(!is_whole(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhi",
            false
        ));
        assert!(!is_whole(b"HTTP/1.1 200 OK\r\ncontent-le", false));
        assert!(is_whole(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
            false
        ));
        assert!(is_whole(
            b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n",
            true
        ));
    }
}
