//! Which requests a rule matches.

use crate::config::at::At;
use crate::config::compile::Compiler;
use crate::config::diagnostic::Whole;
use crate::config::document::rules::{Header, Match as MatchDocument};
use crate::config::fault::{InvalidHeader, InvalidMatch, Warning};
use crate::config::literal::stands_for_every_text;
use crate::config::read::{Entries, Items, List, Optional, Typed};
use crate::grammar::is_header_name;
use crate::plan::{HeaderMatch, Match};
use crate::request::host::HostPattern;
use crate::request::path::Pattern;

/// The methods of RFC 9110 §9 and RFC 5789 that a rule can match.
const METHODS: [&str; 8] = [
    "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT",
];

/// What a rule matches. What is at fault was left out.
pub(super) struct CompiledMatch {
    /// What it matches.
    pub matches: Match,
    /// Whether no path was left out.
    pub paths: Whole,
    /// Whether nothing was left out.
    pub whole: Whole,
}

impl Compiler<'_> {
    pub(super) fn matches(
        &mut self,
        at: &At<'_>,
        typed: &Typed<Option<MatchDocument>>,
    ) -> CompiledMatch {
        let document = match typed {
            Ok(Some(document)) => document,
            Ok(None) => return CompiledMatch::default_with(Ok(())),
            Err(reported) => return CompiledMatch::default_with(Err(*reported)),
        };
        let mut paths = document
            .paths
            .each(&at.member("paths"), |at, text| self.path(at, text));
        let methods = document
            .methods
            .each(&at.member("methods"), |at, method| self.method(at, method));
        let hosts = document
            .hosts
            .each(&at.member("hosts"), |at, text| self.host(at, text));
        let routes = document
            .route
            .each(&at.member("route"), |at, name| self.route(at, name));
        let policies = document
            .policy
            .each(&at.member("policy"), |at, name| self.route(at, name));
        let (headers, headers_whole) = self.matched_headers(&at.member("headers"), document);
        let networks = document.networks.given();
        let networks = networks.map(|networks| self.networks(&at.member("networks"), networks));
        let networks = networks.transpose();
        let mut whole = document.whole.and(headers_whole);
        whole = networks
            .as_ref()
            .map_or_else(|reported| Err(*reported), |_| whole);
        for (key, entries, own) in [
            ("paths", &document.paths, paths.whole),
            ("methods", &document.methods, methods.whole),
            ("hosts", &document.hosts, hosts.whole),
            ("route", &document.route, routes.whole),
            ("policy", &document.policy, policies.whole),
        ] {
            whole = whole
                .and(own)
                .and(self.has_entries(&at.member(key), entries));
        }
        // A key that is unknown may be `paths`.
        paths.whole = paths.whole.and(document.whole);
        CompiledMatch {
            matches: Match {
                paths: paths.known,
                methods: methods.known,
                hosts: hosts.known,
                headers,
                routes: routes.known,
                policies: policies.known,
                networks: networks.ok().flatten(),
            },
            paths: paths.whole,
            whole,
        }
    }

    fn has_entries(&mut self, at: &At<'_>, entries: &Typed<Option<List<String>>>) -> Whole {
        match entries.given() {
            Some(entries) if entries.is_empty() => Err(self.report(at, InvalidMatch::EmptyList)),
            Some(_) | None => Ok(()),
        }
    }

    fn path(&mut self, at: &At<'_>, text: &str) -> Typed<Pattern> {
        if !text.starts_with('/') {
            self.diagnostics.literal(at, text)?;
        }
        let pattern = Pattern::parse(text, self.case);
        let pattern = pattern.map_err(|fault| self.report(at, InvalidMatch::Path(fault)))?;
        if text.bytes().any(|byte| b"[|<".contains(&byte))
            || text.contains(".+")
            || text.ends_with('$')
        {
            self.warn(at, Warning::LiteralPattern);
        }
        Ok(pattern)
    }

    fn host(&mut self, at: &At<'_>, text: &str) -> Typed<HostPattern> {
        let fault = match HostPattern::parse(text) {
            Some(pattern) => return Ok(pattern),
            None if stands_for_every_text(text) => return Err(self.diagnostics.wildcard(at, text)),
            None if text.strip_prefix("*.").unwrap_or(text).contains('*') => {
                InvalidMatch::HostWildcard
            }
            None => InvalidMatch::Host,
        };
        Err(self.report(at, fault))
    }

    fn method(&mut self, at: &At<'_>, method: &str) -> Typed<String> {
        let is = |other: &str| method.eq_ignore_ascii_case(other);
        if stands_for_every_text(method) || is("ANY") || is("ALL") {
            Err(self.diagnostics.wildcard(at, method))
        } else if !is_method(method) {
            Err(self.report(at, InvalidMatch::Method { meant: None }))
        } else if method.bytes().any(|byte| byte.is_ascii_lowercase()) {
            let meant = Some(method.to_ascii_uppercase());
            Err(self.report(at, InvalidMatch::Method { meant }))
        } else if method == "TRACE" {
            Err(self.report(at, InvalidMatch::Trace))
        } else {
            if let Some(meant) = misspelt(method) {
                self.warn(at, Warning::UnknownMethod { meant });
            }
            Ok(method.to_owned())
        }
    }

    /// The name of a route, or of a policy.
    fn route(&mut self, at: &At<'_>, name: &str) -> Typed<String> {
        if name.is_empty() || name.contains(char::is_control) {
            return Err(self.report(at, InvalidMatch::Route));
        }
        self.diagnostics.literal(at, name)?;
        Ok(name.to_owned())
    }

    /// Headers, names in lower case, and whether none was left out.
    fn matched_headers(
        &mut self,
        at: &At<'_>,
        document: &MatchDocument,
    ) -> (Vec<(String, HeaderMatch)>, Whole) {
        let mut headers: Vec<(String, HeaderMatch)> = Vec::new();
        let mut whole = document.headers.whole();
        for (name, own) in document.headers.entries() {
            let at = at.member(name);
            let header = name.to_ascii_lowercase();
            let fault = if header == "host" || header == ":authority" {
                InvalidHeader::Host
            } else if header.starts_with(':') {
                InvalidHeader::Pseudo
            } else if !is_header_name(name) {
                InvalidHeader::Name
            } else if headers.iter().any(|(known, _)| *known == header) {
                InvalidHeader::Duplicate
            } else {
                match self.matched_header(&at, &header, own) {
                    Ok(own) => headers.push((header, own)),
                    Err(reported) => whole = Err(reported),
                }
                continue;
            };
            whole = Err(self.report(&at, fault));
        }
        (headers, whole)
    }

    fn matched_header(&mut self, at: &At<'_>, name: &str, own: &Header) -> Typed<HeaderMatch> {
        let values = match own {
            Header::Absent => return Ok(HeaderMatch::Absent),
            Header::Value(value) => vec![self.matched_value(at, name, value)?],
            Header::OneOf(values) if values.is_empty() => {
                return Err(self.report(at, InvalidMatch::EmptyList));
            }
            Header::OneOf(values) => values
                .each(at, |at, value| self.matched_value(at, name, value))
                .whole()?,
        };
        Ok(HeaderMatch::OneOf(values))
    }

    fn matched_value(&mut self, at: &At<'_>, name: &str, value: &str) -> Typed<String> {
        if value.trim() != value || value.contains(char::is_control) {
            return Err(self.report(at, InvalidHeader::Value));
        }
        self.diagnostics.header_value(at, name, value)?;
        Ok(value.to_owned())
    }
}

impl CompiledMatch {
    /// What matches every request.
    fn default_with(whole: Whole) -> Self {
        Self {
            matches: Match::default(),
            paths: whole,
            whole,
        }
    }
}

/// Whether a text is a method as registered methods are: letters, digits, `-` and `_`.
///
/// The grammar allows more (RFC 9110 §9.1), so that `GET|POST` is one method, which no client sends.
fn is_method(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !text.is_empty() && text.bytes().all(is_allowed)
}

/// The method that was probably meant by one that differs from it in one letter.
fn misspelt(method: &str) -> Option<&'static str> {
    if METHODS.contains(&method) {
        return None;
    }
    let is_near = |known: &&&str| strsim::damerau_levenshtein(method, known) == 1;
    METHODS.iter().find(is_near).copied()
}
