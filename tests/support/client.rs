//! An HTTP/1.1 client that sends exactly the bytes it is given, one request a connection.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(20);

/// A request, byte for byte.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    pub method: &'a [u8],
    pub target: &'a [u8],
    pub headers: Vec<(&'a [u8], &'a [u8])>,
    pub body: &'a [u8],
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

/// Sends a request and reads the response until the server closes.
///
/// # Errors
/// The connection fails, times out or ends early, or what comes back is not HTTP.
pub fn send(server: SocketAddr, request: &Request<'_>) -> io::Result<Response> {
    let mut stream = TcpStream::connect_timeout(&server, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.set_nodelay(true)?;
    // A server that refuses a long head answers before it has read all of it, and closes.
    let sent = stream.write_all(&to_bytes(request));
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if answer.is_empty() => return Err(error),
        _ => {}
    }
    if answer.is_empty() {
        sent?;
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "closed without a response"));
    }
    parse(&answer, request.method == b"HEAD")
}

fn to_bytes(request: &Request<'_>) -> Vec<u8> {
    let mut bytes = [request.method, b" ", request.target, b" HTTP/1.1\r\n"].concat();
    for (name, value) in &request.headers {
        bytes.extend_from_slice(&[name, &b": "[..], value, b"\r\n"].concat());
    }
    if !request.body.is_empty() {
        bytes.extend_from_slice(format!("content-length: {}\r\n", request.body.len()).as_bytes());
    }
    bytes.extend_from_slice(b"connection: close\r\n\r\n");
    bytes.extend_from_slice(request.body);
    bytes
}

fn parse(answer: &[u8], to_head: bool) -> io::Result<Response> {
    let invalid = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut fields = [httparse::EMPTY_HEADER; 128];
    let mut head = httparse::Response::new(&mut fields);
    let length = match head.parse(answer) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Err(invalid("the response ends in its head")),
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
    let chunked = response.values("transfer-encoding").any(|value| value == b"chunked");
    response.body = if chunked {
        unchunk(rest).ok_or_else(|| invalid("the chunked body is broken"))?
    } else {
        rest.to_vec()
    };
    let announced = response
        .values("content-length")
        .next()
        .and_then(|value| std::str::from_utf8(value).ok()?.parse::<usize>().ok());
    match announced {
        Some(announced) if !to_head && announced != response.body.len() => {
            Err(invalid("the body is not as long as announced"))
        }
        _ => Ok(response),
    }
}

fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let httparse::Status::Complete((start, size)) = httparse::parse_chunk_size(rest).ok()? else {
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
        let response = parse(answer, false).unwrap();
        assert_eq!(response.status, 401);
        assert_eq!(response.values("www-authenticate").collect::<Vec<_>>(), [b"A", b"B"]);
        assert_eq!(response.values("x").next(), Some(&b"\xff"[..]));
        assert_eq!(response.body, b"hi");
    }

    #[test]
    fn a_body_that_is_cut_off_is_an_error() {
        assert!(parse(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nhi", false).is_err());
        assert!(parse(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhi", false).is_err());
        assert!(parse(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n", true).is_ok());
    }
}
