//! The request that the command line describes.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding};
use countersign::grammar::{is_token, sha256_of_hex};
use countersign::request::{KnownPeer, RequestView};

use super::message::Message;
use crate::exit::Failure;
use crate::input;

/// The flags that describe the request.
#[derive(clap::Args)]
#[command(next_help_heading = "Request")]
pub struct RequestArgs {
    /// The method of the request [default: GET]
    #[arg(long)]
    method: Option<String>,
    /// The path of the request as the client sends it, with its query
    #[arg(long, required_unless_present = "request")]
    path: Option<String>,
    /// The host of the request [default: localhost]
    #[arg(long)]
    host: Option<String>,
    /// A file with the request: a line such as `GET /orders/7 HTTP/1.1`, then headers; `-` for standard input. A body is not
    /// read
    #[arg(long, value_name = "FILE", conflicts_with_all = ["method", "path", "host"])]
    request: Option<PathBuf>,
    /// The request arrives over plain HTTP; default: HTTPS
    #[arg(long)]
    plain_http: bool,
    /// The client's IP address, which `networks` matches; default: unknown, which no network allows
    #[arg(long, value_name = "ADDRESS")]
    client: Option<IpAddr>,
    /// The first URI in the client's certificate, which `mtls` accepts
    #[arg(long, value_name = "URI")]
    peer_uri: Option<String>,
    /// The first DNS name in the client's certificate, which `mtls` accepts
    #[arg(long, value_name = "NAME")]
    peer_dns: Option<String>,
    /// The SHA-256 of the client's certificate, to which a token can be bound
    #[arg(long, value_name = "HEX", value_parser = sha256)]
    peer_sha256: Option<[u8; 32]>,
    /// The name of the route that Envoy selects, which `match.route` matches; default: no name
    #[arg(long, value_name = "NAME")]
    route: Option<String>,
    /// A policy in the route's metadata, which `match.policy` matches; repeat it for several
    #[arg(long = "policy", value_name = "NAME")]
    policies: Vec<String>,
    /// A header of the request, or `@FILE` for a file with one header per line (`@-`: standard input); repeat it for several
    #[arg(long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// A token for the Authorization header. Other users of this machine can see it in the process list, and the shell keeps
    /// it in its history: prefer `--bearer-file`
    #[arg(long, value_name = "TOKEN")]
    bearer: Option<String>,
    /// A file that contains a token for the Authorization header; `-` for standard input
    #[arg(long, value_name = "FILE")]
    bearer_file: Option<PathBuf>,
    /// A file that contains `user:password` for the Authorization header (Basic); `-` for standard input
    #[arg(long, value_name = "FILE")]
    user_file: Option<PathBuf>,
}

/// A header name in lower case, and its value.
pub type Header = (Vec<u8>, Vec<u8>);

impl RequestArgs {
    /// The files that are read.
    pub fn files(&self) -> impl Iterator<Item = Option<&Path>> {
        let headers = self.headers.iter();
        let headers = headers.map(|own| own.strip_prefix('@').map(Path::new));
        let others = [&self.request, &self.bearer_file, &self.user_file];
        headers.chain(others.into_iter().map(Option::as_deref))
    }

    /// The headers and pseudo-headers, as Envoy passes them to the filter.
    pub fn headers(&self) -> Result<Vec<Header>, Failure> {
        let scheme: &[u8] = if self.plain_http { b"http" } else { b"https" };
        let message = self.request.as_deref().map(Message::read).transpose()?;
        let message = message.unwrap_or_else(|| Message {
            method: self.method.as_deref().unwrap_or("GET").into(),
            target: self.path.as_deref().map(Into::into),
            authority: Some(self.host.as_deref().unwrap_or("localhost").into()),
            headers: Vec::new(),
        });
        let mut headers = vec![
            (b":method".to_vec(), message.method),
            (b":scheme".to_vec(), scheme.to_vec()),
        ];
        let authority = message.authority.unwrap_or_default();
        headers.push((b":authority".to_vec(), authority));
        headers.extend(message.target.map(|target| (b":path".to_vec(), target)));
        headers.extend(message.headers);
        for argument in &self.headers {
            match argument.strip_prefix('@') {
                None => headers.push(parse_header(argument.as_bytes())?),
                Some(file) => {
                    let bytes = input::read_bytes(file.as_ref())?;
                    let lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
                    for line in lines.filter(|line| !line.is_empty()) {
                        headers.push(parse_header(line)?);
                    }
                }
            }
        }
        let from_file = self.bearer_file.as_deref().map(input::read_text);
        let from_file = from_file.transpose()?;
        for token in self.bearer.iter().chain(&from_file) {
            let header = format!("authorization: Bearer {}", token.trim());
            headers.push(parse_header(header.as_bytes())?);
        }
        if let Some(file) = &self.user_file {
            let login = read_login(file)?;
            let login = Base64::encode_string(login.trim_end_matches(['\r', '\n']).as_bytes());
            let header = format!("authorization: Basic {login}");
            headers.push(parse_header(header.as_bytes())?);
        }
        Ok(headers)
    }

    /// The client's certificate.
    pub fn peer(&self) -> KnownPeer {
        KnownPeer {
            digest: self.peer_sha256,
            uri: self.peer_uri.clone(),
            dns: self.peer_dns.clone(),
        }
    }

    /// The request with these headers, from a client with this certificate.
    pub fn view<'r>(&'r self, headers: &'r [Header], peer: &'r KnownPeer) -> RequestView<'r> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.as_slice(), value.as_slice()));
        RequestView::new(headers.collect())
            .over_tls(!self.plain_http)
            .from_client(self.client)
            .from_peer(peer)
            .on_route(
                self.route.as_deref().map(str::as_bytes),
                self.policies.iter().map(String::as_bytes).collect(),
            )
    }
}

/// Reads a user name and a password. The failure does not repeat an argument that may be the password itself.
fn read_login(file: &Path) -> Result<String, Failure> {
    let is_login = file.to_string_lossy().contains(':');
    if is_login && !file.exists() {
        return Err(Failure::new(
            "`--user-file`: expected a file that contains `user:password`, found another text with a colon",
        ));
    }
    input::read_text(file)
}

/// Parses 64 hexadecimal digits, with or without colons between octets, as `openssl x509 -fingerprint -sha256` prints them.
fn sha256(text: &str) -> Result<[u8; 32], &'static str> {
    sha256_of_hex(text.replace(':', "")).ok_or("expected 64 hexadecimal digits")
}

/// Parses `name: value`. The failure does not repeat the line, which may contain a token.
fn parse_header(line: &[u8]) -> Result<Header, Failure> {
    let invalid =
        |what: &str| Failure::new(format_args!("expected a header as `name: value`: {what}"));
    let colon = line.iter().position(|byte| *byte == b':');
    let (name, value) = colon
        .and_then(|colon| Some((line.get(..colon)?, line.get(colon + 1..)?)))
        .ok_or_else(|| invalid("the colon is missing"))?;
    if !str::from_utf8(name).is_ok_and(is_token) {
        return Err(invalid(
            "the text before the colon is not a valid header name",
        ));
    }
    if name.eq_ignore_ascii_case(b"host") {
        return Err(invalid("set the host with `--host`"));
    }
    let value = value.trim_ascii();
    if value.iter().any(|byte| b"\r\n\0".contains(byte)) {
        return Err(invalid("the value contains a line break or a zero byte"));
    }
    Ok((name.to_ascii_lowercase(), value.to_vec()))
}
