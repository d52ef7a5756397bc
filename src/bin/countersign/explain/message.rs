//! A request in a file, as HTTP/1.1 writes it: a request line, headers, an empty line, and a body that is not read. Also with the
//! pseudo-headers of HTTP/2 in place of the request line.
//!
//! A parser of a library refuses the octets that some clients send and that the filter must judge, such as a raw byte in a
//! path. So this reads leniently: lines end with LF or CRLF, and what is between the first and the last space of the request
//! line is the target.

use std::path::Path;

use crate::exit::Failure;
use crate::input;

/// A request without its body.
pub struct Message {
    /// The method.
    pub method: Vec<u8>,
    /// The target; none for CONNECT.
    pub target: Option<Vec<u8>>,
    /// The authority: that of an absolute target, otherwise the values of `host`.
    pub authority: Option<Vec<u8>>,
    /// The other headers, with names in lower case.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Message {
    /// Reads a file.
    pub fn read(file: &Path) -> Result<Self, Failure> {
        let bytes = input::read_bytes(file)?;
        Self::parse(&bytes).map_err(|fault| {
            input::failure(file, |name| format!("`{name}` is not a request: {fault}"))
        })
    }

    fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        let mut lines = bytes.split(|byte| *byte == b'\n').map(without_return);
        // Browsers copy a request of HTTP/2 as `:method: GET`, `:path: /orders/7`.
        let is_http2 = bytes.starts_with(b":");
        let (mut method, mut target) = match is_http2 {
            true => Default::default(),
            false => request_line(lines.next().unwrap_or_default())?,
        };
        let (mut authority, mut hosts, mut headers) = (None, Vec::new(), Vec::new());
        for line in lines.take_while(|line| !line.is_empty()) {
            // A value that goes on in the next line (RFC 9112 §5.2), with the line break.
            if let ([b' ' | b'\t', ..], Some((_, value))) = (line, headers.last_mut()) {
                let value: &mut Vec<u8> = value;
                value.extend([b"\r\n", line].concat());
                continue;
            }
            let begin = usize::from(is_http2 && line.starts_with(b":"));
            let rest = line.get(begin..).unwrap_or_default();
            let (name, value) =
                split_at_byte(rest, b':').ok_or("expected headers such as `name: value`")?;
            let (name, value) = (name.to_ascii_lowercase(), value.trim_ascii().to_vec());
            match (begin, name.as_slice()) {
                (1, b"method") => method = value,
                (1, b"path") => target = value,
                (1, b"authority") => authority = Some(value),
                (1, b"scheme") => {}
                (_, b"host") => hosts.push(value),
                _ => headers.push((name, value)),
            }
        }
        if method.is_empty() {
            return Err("expected `:method` and `:path`");
        }
        if let Some((own, path)) = absolute(&target) {
            authority = Some(own.to_vec());
            target = if path.is_empty() { b"/" } else { path }.to_vec();
        }
        let of_hosts = (!hosts.is_empty()).then(|| hosts.join(&b','));
        Ok(Self {
            target: (method != b"CONNECT").then_some(target),
            method,
            authority: authority.or(of_hosts),
            headers,
        })
    }
}

/// The method and the target of a request line. The version may be missing, as when the line is copied from a log.
fn request_line(line: &[u8]) -> Result<(Vec<u8>, Vec<u8>), &'static str> {
    let (method, rest) = split_at_byte(line, b' ')
        .filter(|(method, _)| !method.is_empty())
        .ok_or("expected a first line such as `GET /orders/7 HTTP/1.1`")?;
    let space = rest.iter().rposition(|byte| *byte == b' ');
    let (target, version) = space
        .and_then(|space| rest.split_at_checked(space))
        .unwrap_or((rest, b""));
    let target = match version.starts_with(b" HTTP/") {
        true => target,
        false => rest,
    };
    Ok((method.to_vec(), target.to_vec()))
}

/// The authority and the rest of an absolute target, as Envoy splits it.
fn absolute(target: &[u8]) -> Option<(&[u8], &[u8])> {
    let schemes = [&b"http://"[..], b"https://"];
    let rest = schemes
        .iter()
        .find_map(|scheme| target.strip_prefix(*scheme))?;
    let end = rest.iter().position(|byte| b"/?".contains(byte));
    rest.split_at_checked(end.unwrap_or(rest.len()))
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn split_at_byte(line: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let place = line.iter().position(|byte| *byte == separator)?;
    Some((line.get(..place)?, line.get(place + 1..)?))
}
