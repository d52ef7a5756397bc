//! The request that the command line describes.

use std::net::IpAddr;
use std::path::PathBuf;

use countersign::grammar::{is_token, sha256_of_hex};
use countersign::request::{KnownPeer, RequestView};

use crate::exit::Failure;
use crate::input;

/// The flags that describe the request.
#[derive(clap::Args)]
pub struct RequestArgs {
    /// The method of the request
    #[arg(long, default_value = "GET")]
    method: String,
    /// The path of the request as the client sends it, with its query
    #[arg(long)]
    path: String,
    /// The host of the request
    #[arg(long, default_value = "localhost")]
    host: String,
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
    /// A header of the request, or `@FILE` for a file with one header per line; repeat it for several
    #[arg(long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// A token for the Authorization header
    #[arg(long, value_name = "TOKEN")]
    bearer: Option<String>,
    /// A file that contains a token for the Authorization header
    #[arg(long, value_name = "FILE")]
    bearer_file: Option<PathBuf>,
}

/// A header name in lower case, and its value.
pub type Header = (String, Vec<u8>);

impl RequestArgs {
    /// Whether the method is HEAD.
    pub fn is_head(&self) -> bool {
        self.method == "HEAD"
    }

    /// The headers and pseudo-headers, as Envoy passes them to the filter.
    pub fn headers(&self) -> Result<Vec<Header>, Failure> {
        let scheme: &[u8] = if self.plain_http { b"http" } else { b"https" };
        let mut headers = vec![
            (":method".to_owned(), self.method.clone().into_bytes()),
            (":scheme".to_owned(), scheme.to_vec()),
            (":authority".to_owned(), self.host.clone().into_bytes()),
            (":path".to_owned(), self.path.clone().into_bytes()),
        ];
        for argument in &self.headers {
            match argument.strip_prefix('@') {
                None => headers.push(parse_header(argument)?),
                Some(file) => {
                    let text = input::read_text(file.as_ref())?;
                    for line in text.lines().filter(|line| !line.trim().is_empty()) {
                        headers.push(parse_header(line)?);
                    }
                }
            }
        }
        let from_file = self
            .bearer_file
            .as_deref()
            .map(input::read_text)
            .transpose()?;
        for token in self.bearer.iter().chain(&from_file) {
            headers.push(parse_header(&format!(
                "authorization: Bearer {}",
                token.trim()
            ))?);
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
            .map(|(name, value)| (name.as_bytes(), value.as_slice()));
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

/// Parses 64 hexadecimal digits, with or without colons between octets, as `openssl x509 -fingerprint -sha256` prints them.
fn sha256(text: &str) -> Result<[u8; 32], &'static str> {
    sha256_of_hex(text.replace(':', "")).ok_or("expected 64 hexadecimal digits")
}

/// Parses `name: value`. The failure does not repeat the line, which may contain a token.
fn parse_header(line: &str) -> Result<Header, Failure> {
    let invalid =
        |what: &str| Failure::new(format_args!("expected a header as `name: value`: {what}"));
    let (name, value) = line
        .split_once(':')
        .ok_or_else(|| invalid("the colon is missing"))?;
    if !is_token(name) {
        return Err(invalid(
            "the text before the colon is not a valid header name",
        ));
    }
    if name.eq_ignore_ascii_case("host") {
        return Err(invalid("set the host with `--host`"));
    }
    let value = value.trim_matches([' ', '\t']);
    if value.contains(['\r', '\n', '\0']) {
        return Err(invalid("the value contains a line break or a zero byte"));
    }
    Ok((name.to_ascii_lowercase(), value.as_bytes().to_vec()))
}
