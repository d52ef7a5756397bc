//! Which requests a rule matches.

use crate::config::at::At;
use crate::config::compile::Compiler;
use crate::config::diagnostic::Whole;
use crate::config::document::rules::{Header, Match as MatchDocument};
use crate::config::fault::{InvalidHeader, InvalidMatch};
use crate::config::read::{Entries, Items, List, Optional, Typed};
use crate::grammar::is_token;
use crate::plan::{HeaderMatch, Match};
use crate::request::host::HostPattern;
use crate::request::path::Pattern;

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
        let mut paths = document.paths.each(&at.member("paths"), |at, text| {
            let pattern = Pattern::parse(text, self.case);
            pattern.map_err(|fault| self.report(at, InvalidMatch::Path(fault)))
        });
        let methods = document
            .methods
            .each(&at.member("methods"), |at, method| self.method(at, method));
        let hosts = document.hosts.each(&at.member("hosts"), |at, text| {
            HostPattern::parse(text).ok_or_else(|| self.report(at, InvalidMatch::Host))
        });
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

    fn method(&mut self, at: &At<'_>, method: &str) -> Typed<String> {
        if !is_token(method) || method.bytes().any(|byte| byte.is_ascii_lowercase()) {
            Err(self.report(at, InvalidMatch::Method))
        } else if method == "TRACE" {
            Err(self.report(at, InvalidMatch::Trace))
        } else {
            Ok(method.to_owned())
        }
    }

    /// The name of a route, or of a policy.
    fn route(&mut self, at: &At<'_>, name: &str) -> Typed<String> {
        if name.is_empty() || name.contains(char::is_control) {
            return Err(self.report(at, InvalidMatch::Route));
        }
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
            let fault = if !is_token(name) {
                InvalidHeader::Name
            } else if header == "host" {
                InvalidHeader::Host
            } else if headers.iter().any(|(known, _)| *known == header) {
                InvalidHeader::Duplicate
            } else {
                match self.matched_header(&at, own) {
                    Ok(own) => headers.push((header, own)),
                    Err(reported) => whole = Err(reported),
                }
                continue;
            };
            whole = Err(self.report(&at, fault));
        }
        (headers, whole)
    }

    fn matched_header(&mut self, at: &At<'_>, own: &Header) -> Typed<HeaderMatch> {
        let values = match own {
            Header::Absent => return Ok(HeaderMatch::Absent),
            Header::Value(value) => vec![self.matched_value(at, value)?],
            Header::OneOf(values) if values.is_empty() => {
                return Err(self.report(at, InvalidMatch::EmptyList));
            }
            Header::OneOf(values) => values
                .each(at, |at, value| self.matched_value(at, value))
                .whole()?,
        };
        Ok(HeaderMatch::OneOf(values))
    }

    fn matched_value(&mut self, at: &At<'_>, value: &str) -> Typed<String> {
        if value.trim() != value || value.contains(char::is_control) {
            return Err(self.report(at, InvalidHeader::Value));
        }
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
